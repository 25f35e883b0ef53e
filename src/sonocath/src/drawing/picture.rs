//! Finished pictures and their files.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use super::color::Rgb;

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

/// A picture of numbers: rows, top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indexed {
    /// Points across.
    pub width: u32,
    /// Points down.
    pub height: u32,
    /// `width · height` numbers.
    pub levels: Levels,
}

/// The numbers of a picture, and how they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Levels {
    /// Each the place of a colour in a palette of at most 256.
    Palette {
        /// The colours.
        colors: Vec<Rgb>,
        /// One a point.
        values: Vec<u8>,
    },
    /// As 16-bit grey, for more than 256 different ones.
    Gray16(Vec<u16>),
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

/// Writes the picture as a PNG (8-bit sRGB).
///
/// # Errors
/// Whatever the writer says; `InvalidInput` if the picture's sizes disagree with its bytes.
pub fn encode_png(mut to: impl Write, image: &Image) -> io::Result<()> {
    let mut encoder = encoder(&mut to, image);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&image.rgb)?;
    writer.finish()?;
    to.flush()
}

fn encoder<W: Write>(to: W, image: &Image) -> png::Encoder<'static, W> {
    let mut encoder = png::Encoder::new(to, image.width, image.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
}

/// Writes a picture of numbers as a PNG.
///
/// # Errors
/// As [`encode_png`].
pub fn encode_indexed_png(mut to: impl Write, image: &Indexed) -> io::Result<()> {
    let mut encoder = png::Encoder::new(&mut to, image.width, image.height);
    let bytes = match &image.levels {
        Levels::Palette { colors, values } => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_depth(png::BitDepth::Eight);
            encoder.set_palette(colors.as_flattened().to_vec());
            Cow::Borrowed(values)
        }
        Levels::Gray16(levels) => {
            encoder.set_color(png::ColorType::Grayscale);
            encoder.set_depth(png::BitDepth::Sixteen);
            Cow::Owned(
                levels
                    .iter()
                    .flat_map(|level| level.to_be_bytes())
                    .collect(),
            )
        }
    };
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bytes)?;
    writer.finish()?;
    to.flush()
}

/// Writes pictures of one size as an animated PNG (APNG) that runs round for ever.
///
/// # Errors
/// As [`encode_png`]; what `images` says.
pub fn encode_animation(
    mut to: impl Write,
    count: u32,
    fps: f64,
    mut images: impl Iterator<Item = io::Result<Image>>,
) -> io::Result<()> {
    let no_image = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let first = images.next().ok_or_else(no_image)??;
    let mut encoder = encoder(&mut to, &first);
    encoder.set_animated(count, 0)?;
    // As a fraction of 16-bit numbers, to the nearest tenth of a millisecond.
    encoder.set_frame_delay((1e4 / fps).round().clamp(1.0, 65535.0) as u16, 10_000)?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&first.rgb)?;
    for image in images {
        writer.write_image_data(&image?.rgb)?;
    }
    writer.finish()?;
    to.flush()
}

/// Reads a picture that [`encode_png`] wrote.
///
/// # Errors
/// Whatever the file system says; `InvalidData` for another kind of PNG.
pub fn read_png(path: &Path) -> io::Result<Image> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path)?)).read_info()?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    if info.color_type != png::ColorType::Rgb || info.bit_depth != png::BitDepth::Eight {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut rgb = vec![0; 3 * width as usize * height as usize];
    reader.next_frame(&mut rgb)?;
    Ok(Image { width, height, rgb })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (png::OutputInfo, Vec<u8>) {
        let mut decoder = png::Decoder::new(io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info, pixels)
    }

    #[test]
    fn numbers_come_back_as_they_are() {
        let mut bytes = Vec::new();
        let palette = Indexed {
            width: 3,
            height: 1,
            levels: Levels::Palette {
                colors: vec![[0; 3], [255, 0, 0], [0, 255, 0]],
                values: vec![2, 0, 1],
            },
        };
        encode_indexed_png(&mut bytes, &palette).unwrap();
        let (info, values) = decoded(&bytes);
        assert_eq!(info.color_type, png::ColorType::Indexed);
        assert_eq!(values, [2, 0, 1]);
        bytes.clear();
        let gray = Indexed {
            width: 2,
            height: 1,
            levels: Levels::Gray16(vec![1, 300]),
        };
        encode_indexed_png(&mut bytes, &gray).unwrap();
        assert_eq!(decoded(&bytes).1, [0, 1, 1, 44]);
    }

    #[test]
    fn an_animation_holds_every_picture() {
        let image = |level: u8| Image {
            width: 2,
            height: 2,
            rgb: vec![level; 12],
        };
        let mut bytes = Vec::new();
        let images = [image(1), image(2), image(3)].into_iter().map(Ok);
        encode_animation(&mut bytes, 3, 20.0, images).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(&bytes))
            .read_info()
            .unwrap();
        assert_eq!(reader.info().animation_control().unwrap().num_frames, 3);
        let mut pixels = vec![0; 12];
        for level in 1..=3 {
            reader.next_frame(&mut pixels).unwrap();
            assert_eq!(pixels, vec![level; 12]);
            let delay = reader.info().frame_control().unwrap();
            assert_eq!((delay.delay_num, delay.delay_den), (500, 10_000));
        }
    }
}
