//! Logarithmic compression.

/// Decibels of amplitude in a factor of two, 20·log₁₀ 2.
pub const DB_PER_OCTAVE: f64 = 6.020_599_913_279_624;

/// Levels between black (0) and white (1): `log₂(envelope) · per_octave + offset`, kept within
/// them. `per_octave` is [`DB_PER_OCTAVE`] over the dynamic range; `offset`, of each sample, is the
/// level of an envelope of 1. An envelope of 0, below 0 or not a number is black, an infinite one
/// as bright as the greatest number.
#[inline(always)]
pub fn levels(envelope: &[f32], offset: &[f32], per_octave: f32, levels: &mut [f32]) {
    for ((level, &echo), &offset) in levels.iter_mut().zip(envelope).zip(offset) {
        let raw = (log2(echo.min(f32::MAX)) * per_octave + offset).clamp(0.0, 1.0);
        *level = if echo >= f32::MIN_POSITIVE { raw } else { 0.0 };
    }
}

/// log₂ of a normal positive number, off by at most 9·10⁻⁵ (0.0006 dB); of anything else, some
/// finite number.
///
/// x = 2ᵏ·m with m in [√½, √2), and log₂ m = 2/ln 2 · (w + w³/3 + w⁵/5 + …), w = (m − 1)/(m + 1).
/// |w| is at most 0.1716, so that what is left out is below 2/ln 2 · w⁵/5 · 1.02.
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    const FIRST: f32 = 2.0 * std::f32::consts::LOG2_E;
    const THIRD: f32 = FIRST / 3.0;
    const MANTISSA_BITS: u32 = 23;
    let bits = x.to_bits();
    let exponent =
        (bits.wrapping_sub(std::f32::consts::FRAC_1_SQRT_2.to_bits()) as i32) >> MANTISSA_BITS;
    let m = f32::from_bits(bits.wrapping_sub((exponent as u32) << MANTISSA_BITS));
    let w = (m - 1.0) / (m + 1.0);
    exponent as f32 + w * (FIRST + THIRD * (w * w))
}
