//! Captured pictures as files.

use ultrasound::display::Picture;

/// A picture's grey values as a PNG file: the same picture gives the same bytes.
///
/// # Errors
/// A picture without pixels.
pub fn png(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let (width, height) = (
        picture.geometry.width as u32,
        picture.geometry.height as u32,
    );
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.pixels)?;
    writer.finish()?;
    Ok(bytes)
}
