//! Where the picture of a probe ends, at its sides.

use equipment::{Array, Console, Probe};

/// How far a place (probe x and z, mm) lies beside the scanned lines, mm; 0 within. The depth does
/// not matter.
pub(crate) fn beside_mm(probe: &Probe, console: &Console, x: f64, z: f64) -> f64 {
    let scanned = |whole: f64| {
        let half = 0.5 * whole * console.width;
        (0.5 * console.center * whole * (1.0 - console.width), half)
    };
    match probe.array {
        Array::Linear { .. } => {
            let (middle, half) = scanned(probe.aperture_mm());
            let steered = z * libm::tan(console.steering_deg.to_radians());
            (x - steered - middle).abs() - half
        }
        Array::Curved { radius_mm, .. } => {
            beside_fan(scanned(probe.opening_rad()), x, z + radius_mm)
        }
        Array::Phased { .. } => beside_fan(scanned(probe.opening_rad()), x, z),
        Array::Rotational { .. } => 0.0,
    }
    .max(0.0)
}

/// Of a fan round its apex.
fn beside_fan((middle, half): (f64, f64), x: f64, z: f64) -> f64 {
    let beyond = (libm::atan2(x, z) - middle).abs() - half;
    beyond * libm::hypot(x, z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fan_widens_with_depth() {
        let probe = Probe::named("C5-2v").unwrap();
        let console = Console::default_for(probe);
        let Array::Curved { radius_mm, .. } = probe.array else {
            panic!("{probe:?}");
        };
        let half = probe.opening_rad() / 2.0;
        let edge = |range: f64| (libm::sin(half) * range, libm::cos(half) * range - radius_mm);
        for range in [radius_mm + 20.0, radius_mm + 150.0] {
            let (x, z) = edge(range);
            assert_eq!(beside_mm(probe, &console, x - 0.1, z), 0.0);
            // A length along the arc.
            let turned = half + 10.0 / range;
            let (x, z) = (
                libm::sin(turned) * range,
                libm::cos(turned) * range - radius_mm,
            );
            assert!((beside_mm(probe, &console, x, z) - 10.0).abs() < 1e-9);
            assert!((beside_mm(probe, &console, -x, z) - 10.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_linear_probe_sees_its_aperture() {
        let probe = Probe::named("L11-5v").unwrap();
        let console = Console::default_for(probe);
        let half = probe.aperture_mm() / 2.0;
        assert_eq!(beside_mm(probe, &console, half, 30.0), 0.0);
        assert!((beside_mm(probe, &console, -half - 3.0, 30.0) - 3.0).abs() < 1e-9);
    }
}
