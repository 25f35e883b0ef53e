//! Gradient noise (Perlin 1985, with his quintic fade of 2002) whose gradients come from a counter
//! hash: no table, no state, the same everywhere.

use nalgebra::Vector3;

/// Smooth noise of unit wavelength; between −1 and 1, and 0 at whole numbers.
pub(super) fn gradient_noise(p: Vector3<f64>, seed: u64) -> f64 {
    // Unit gradients: the largest value is reached in a cell's middle and is √3 / 2.
    const PEAK: f64 = 0.866_025_403_784_438_6;
    let cell = p.map(f64::floor);
    let inner = p - cell;
    let fade = inner.map(|t| t * t * t * (t * (t * 6.0 - 15.0) + 10.0));
    let mut sum = 0.0;
    for corner in 0..8_u8 {
        let offset = Vector3::from_fn(|a, _| f64::from(corner >> a & 1));
        let weight: f64 = (0..3)
            .map(|a| {
                if offset[a] > 0.0 {
                    fade[a]
                } else {
                    1.0 - fade[a]
                }
            })
            .product();
        sum += weight * gradient(cell + offset, seed).dot(&(inner - offset));
    }
    (sum / PEAK).clamp(-1.0, 1.0)
}

fn gradient(corner: Vector3<f64>, seed: u64) -> Vector3<f64> {
    // Saturating casts: beyond 2⁶³ cells the noise repeats one value.
    let key = (0..3).fold(mix(seed), |key, a| mix(key ^ (corner[a] as i64 as u64)));
    let component = |n: u32| {
        let bits = key >> (21 * n) & 0x1f_ffff;
        bits as f64 / f64::from(0x0f_ffff) - 1.0
    };
    let direction = Vector3::new(component(0), component(1), component(2));
    direction.try_normalize(1e-6).unwrap_or_else(Vector3::x)
}

/// A bijective scrambling of 64 bits: multiply by odd constants, fold the high bits down.
fn mix(value: u64) -> u64 {
    let mut v = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    v = (v ^ (v >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    v = (v ^ (v >> 29)).wrapping_mul(0xa076_1d64_78bd_642f);
    v ^ (v >> 32)
}
