//! Colours: sRGB bytes in, linear light for shading, sRGB bytes out.

use std::sync::OnceLock;

/// An sRGB colour.
pub type Rgb = [u8; 3];

/// The sheet's own colours; anatomy brings its own.
pub mod theme {
    use super::Rgb;
    /// Behind the panels.
    pub const SHEET: Rgb = [13, 15, 18];
    /// Panel background at the top; it darkens downwards.
    pub const PANEL_TOP: Rgb = [31, 35, 41];
    /// Panel background at the bottom.
    pub const PANEL_BOTTOM: Rgb = [19, 22, 26];
    /// Cut panels are flat and nearly black, as on a viewing station.
    pub const CUT: Rgb = [10, 11, 13];
    /// Panel frames and rules.
    pub const FRAME: Rgb = [52, 58, 67];
    /// Titles.
    pub const TEXT: Rgb = [236, 239, 243];
    /// Names and captions.
    pub const TEXT_SOFT: Rgb = [188, 195, 204];
    /// Side remarks.
    pub const TEXT_DIM: Rgb = [128, 137, 148];
    /// The three cutting planes, in the colours 3D Slicer's users know: red, green, yellow.
    pub const AXIAL: Rgb = [226, 96, 84];
    /// Coronal plane.
    pub const CORONAL: Rgb = [120, 186, 96];
    /// Sagittal plane.
    pub const SAGITTAL: Rgb = [230, 196, 82];
}

/// Linear light of one sRGB byte, 0..=1 (IEC 61966-2-1).
pub fn linear(byte: u8) -> f32 {
    static TABLE: OnceLock<[f32; 256]> = OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|byte| decode(byte as f64 / 255.0) as f32))
        [byte as usize]
}

/// Linear light of a colour.
pub fn linear_rgb(color: Rgb) -> [f32; 3] {
    color.map(linear)
}

/// The sRGB byte of a linear value; out-of-range values clip.
pub fn encode(value: f32) -> u8 {
    const STEPS: usize = 1 << 14;
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        (0..=STEPS)
            .map(|i| (inverse_decode(i as f64 / STEPS as f64) * 255.0).round() as u8)
            .collect()
    });
    table[(value.clamp(0.0, 1.0) * STEPS as f32).round() as usize]
}

/// sRGB bytes of linear light.
pub fn encode_rgb(color: [f32; 3]) -> Rgb {
    color.map(encode)
}

fn decode(srgb: f64) -> f64 {
    if srgb <= 0.04045 {
        srgb / 12.92
    } else {
        ((srgb + 0.055) / 1.055).powf(2.4)
    }
}

fn inverse_decode(linear: f64) -> f64 {
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

/// From `a` (at 0) to `b` (at 1), byte values mixed as they are.
pub fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|i| {
        let (a, b) = (f32::from(a[i]), f32::from(b[i]));
        (a + (b - a) * t.clamp(0.0, 1.0)).round() as u8
    })
}

/// Relative luminance 0..=1 (ITU-R BT.709 weights).
pub fn luminance(color: Rgb) -> f32 {
    let [r, g, b] = linear_rgb(color);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_way_to_linear_light_and_back() {
        for byte in 0..=255 {
            assert_eq!(encode(linear(byte)), byte);
        }
    }

    #[test]
    fn mixing_ends_at_its_ends() {
        assert_eq!(mix([1, 2, 3], [200, 100, 0], 0.0), [1, 2, 3]);
        assert_eq!(mix([1, 2, 3], [200, 100, 0], 1.0), [200, 100, 0]);
    }
}
