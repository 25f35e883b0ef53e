//! A film of the frames: by ffmpeg where it is installed, else as an animated PNG, which browsers
//! play.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::process::{Command, Stdio};

use super::frame_name;
use crate::drawing::{encode_animation, read_png};

/// The film by ffmpeg.
pub const MP4: &str = "sweep.mp4";

/// The film without ffmpeg.
pub const APNG: &str = "sweep.apng";

/// The film that was made.
pub struct Film {
    /// Its name in the folder.
    pub file: &'static str,
    /// Why it is no MP4.
    pub without_ffmpeg: Option<String>,
}

/// Makes the film of a folder's frames.
///
/// # Errors
/// Whatever the file system says.
pub fn make(folder: &Path, frames: u32, fps: f64) -> io::Result<Film> {
    match by_ffmpeg(folder, fps) {
        Ok(()) => Ok(Film {
            file: MP4,
            without_ffmpeg: None,
        }),
        Err(why) => {
            // What it may have begun.
            match std::fs::remove_file(folder.join(MP4)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            animated(folder, frames, fps)?;
            Ok(Film {
                file: APNG,
                without_ffmpeg: Some(why),
            })
        }
    }
}

/// Runs the ffmpeg on the PATH.
///
/// # Errors
/// Why there is no film, in words.
fn by_ffmpeg(folder: &Path, fps: f64) -> Result<(), String> {
    let rate = fps.to_string();
    let from = ["-framerate", &rate, "-i", "frame-%04d.png"];
    // H.264 wants even sides, players 4:2:0.
    let to = "-vf pad=ceil(iw/2)*2:ceil(ih/2)*2 -c:v libx264 -crf 16 -pix_fmt yuv420p -movflags +faststart";
    let run = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error"])
        .args(from)
        .args(to.split(' '))
        .arg(MP4)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.trim().lines().last().unwrap_or("no reason given");
            Err(format!("ffmpeg failed: {last}"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("ffmpeg is not installed".to_owned())
        }
        Err(error) => Err(format!("ffmpeg could not be run: {error}")),
    }
}

fn animated(folder: &Path, frames: u32, fps: f64) -> io::Result<()> {
    let to = BufWriter::new(File::create(folder.join(APNG))?);
    let images = (0..frames as usize).map(|n| read_png(&folder.join(frame_name(n))));
    encode_animation(to, frames, fps, images)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{Image, write_png};

    #[test]
    fn without_ffmpeg_an_animation_is_made() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..2 {
            let image = Image {
                width: 2,
                height: 1,
                rgb: vec![n; 6],
            };
            write_png(&folder.path().join(frame_name(usize::from(n))), &image).unwrap();
        }
        animated(folder.path(), 2, 20.0).unwrap();
        let file = std::fs::read(folder.path().join(APNG)).unwrap();
        assert!(file.windows(4).any(|w| w == b"acTL") && file.windows(4).any(|w| w == b"fdAT"));
    }
}
