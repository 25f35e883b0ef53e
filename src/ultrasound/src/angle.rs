//! Angles of many places at once.

use std::f32::consts::{FRAC_PI_2, PI};

/// atan2 for finite numbers, within 1e-6 rad: atan on [0, 1] by M. Abramowitz, I. Stegun, Handbook
/// of Mathematical Functions, 4.4.49; the octants by symmetry.
#[inline(always)]
pub(crate) fn atan2(y: f32, x: f32) -> f32 {
    let (ax, ay) = (x.abs(), y.abs());
    let (low, high) = if ax < ay { (ax, ay) } else { (ay, ax) };
    let t = low / if high > 0.0 { high } else { 1.0 };
    let t2 = t * t;
    let series = 0.002_866_225_7;
    let series = series * t2 - 0.016_165_737;
    let series = series * t2 + 0.042_909_615;
    let series = series * t2 - 0.075_289_64;
    let series = series * t2 + 0.106_562_64;
    let series = series * t2 - 0.142_089;
    let series = series * t2 + 0.199_935_5;
    let series = series * t2 - 0.333_331_45;
    let series = t + t * t2 * series;
    let first = if ax < ay { FRAC_PI_2 - series } else { series };
    let upper = if x < 0.0 { PI - first } else { first };
    if y < 0.0 { -upper } else { upper }
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_libm_all_round() {
        for i in 0..4990 {
            let angle = f64::from(i) * 0.00125 - 3.1;
            let (y, x) = (37.0 * angle.sin(), 37.0 * angle.cos());
            let found = super::atan2(y as f32, x as f32);
            assert!((f64::from(found) - angle).abs() < 1e-6, "{angle}");
        }
        assert_eq!(super::atan2(0.0, 0.0), 0.0);
    }
}
