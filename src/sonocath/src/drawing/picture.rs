//! Finished pictures and their files.

use std::io::{self, Write};
use std::path::Path;

/// A picture: rows of sRGB bytes, top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Points across.
    pub width: u32,
    /// Points down.
    pub height: u32,
    /// `3 · width · height` bytes.
    pub rgb: Vec<u8>,
}

/// Writes a PNG (8-bit sRGB) beside `path` and renames it, so that a broken write leaves no half
/// picture.
///
/// # Errors
/// Whatever the file system says; `InvalidInput` if the picture's sizes disagree with its bytes.
pub fn write_png(path: &Path, image: &Image) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .suffix(".part")
        .tempfile_in(folder)?;
    encode_png(io::BufWriter::new(file.as_file_mut()), image)?;
    readable_as_usual(file.as_file())?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

/// Temporary files are private; a picture should be as readable as any new file.
#[cfg(unix)]
fn readable_as_usual(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_as_usual(_: &std::fs::File) -> io::Result<()> {
    Ok(())
}

fn encode_png(mut to: impl Write, image: &Image) -> io::Result<()> {
    let mut encoder = png::Encoder::new(&mut to, image.width, image.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&image.rgb)?;
    writer.finish()?;
    to.flush()
}
