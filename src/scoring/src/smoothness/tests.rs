use super::*;

/// A reach of minimum jerk: 10τ³ − 15τ⁴ + 6τ⁵ (T. Flash, N. Hogan, J. Neurosci. 5:1688, 1985).
fn reach(length_mm: f64, seconds: f64, rate_hz: f64) -> Vec<V3> {
    let direction = V3::new(2.0, -1.0, 2.0) / 3.0;
    let count = (seconds * rate_hz).round() as usize;
    let place = |i: usize| {
        let t = i as f64 / count as f64;
        direction * (length_mm * t * t * t * (10.0 - 15.0 * t + 6.0 * t * t))
    };
    (0..=count).map(place).collect()
}

/// ∫ jerk² = 720 A²/T⁵ and the peak speed is 15/8 A/T: T³·720 A²/T⁵ / (225/64 A²/T²) = 204.8.
#[test]
fn a_reach_of_minimum_jerk_has_the_log_jerk_of_the_closed_form() {
    let expected = -(204.8_f64).ln();
    for (length, seconds, rate) in [(100.0, 2.0, 60.0), (300.0, 5.0, 60.0), (50.0, 1.5, 90.0)] {
        let found = of_places(&reach(length, seconds, rate), rate).unwrap();
        let off = found.ldlj - expected;
        assert!(off.abs() < 0.005, "{length} mm in {seconds} s: {off:+.4}");
    }
}

#[test]
fn jerk_has_no_unit() {
    let of = |length, seconds| {
        of_places(&reach(length, seconds, 100.0), 100.0)
            .unwrap()
            .ldlj
    };
    assert!((of(100.0, 2.0) - of(400.0, 4.0)).abs() < 0.005);
}

#[test]
fn the_low_pass_has_the_response_of_a_butterworth() {
    for hz in [1.0, 5.0, 10.0, 20.0] {
        let wave = |i: usize| V3::new(libm::sin(2.0 * PI * hz * i as f64 / RATE_HZ), 0.0, 0.0);
        let wave: Vec<V3> = (0..2000).map(wave).collect();
        let power = |values: &[V3]| values[500..1500].iter().map(|v| v.x * v.x).sum::<f64>();
        let left = (power(&low_passed(&wave)) / power(&wave)).sqrt();
        assert!((left - response(hz)).abs() < 1e-6, "{hz} Hz: {left}");
    }
    assert!((response(CORNER_HZ) - 0.5).abs() < 1e-12);
}

/// A Gaussian speed has a Gaussian spectrum, e^(−ω²σ²/2). Over u = ω/ω_c it is 0.05^(u²).
#[test]
fn a_gaussian_speed_has_the_arc_length_of_its_spectrum() {
    let (sigma_s, count) = (0.25, 400);
    let speed = |i: usize| {
        let t = (i as f64 - 0.5 * f64::from(count)) / RATE_HZ;
        libm::exp(-0.5 * (t / sigma_s) * (t / sigma_s))
    };
    let speed: Vec<f64> = (0..=count as usize).map(speed).collect();
    let slices = 100_000;
    let spectrum = |u: f64| libm::pow(0.05, u * u);
    let arc = |i: i32| {
        let (a, b) = (
            f64::from(i) / f64::from(slices),
            f64::from(i + 1) / f64::from(slices),
        );
        libm::hypot(b - a, spectrum(b) - spectrum(a))
    };
    let expected: f64 = -(0..slices).map(arc).sum::<f64>();
    let found = spectral_arc_length(&speed);
    assert!((found - expected).abs() < 0.005, "{found} for {expected}");
}

#[test]
fn what_goes_in_jerks_is_less_smooth() {
    let smooth = reach(200.0, 4.0, 60.0);
    let mut jerky = Vec::new();
    for part in 0..5 {
        let start = V3::new(2.0, -1.0, 2.0) / 3.0 * (40.0 * f64::from(part));
        jerky.extend(
            reach(40.0, 0.8, 60.0)
                .into_iter()
                .skip(1)
                .map(|p| p + start),
        );
    }
    let (smooth, jerky) = (
        of_places(&smooth, 60.0).unwrap(),
        of_places(&jerky, 60.0).unwrap(),
    );
    assert!(jerky.ldlj < smooth.ldlj - 1.0, "{jerky:?} {smooth:?}");
    assert!(jerky.sparc < smooth.sparc - 0.5, "{jerky:?} {smooth:?}");
}

#[test]
fn what_stands_still_has_no_smoothness() {
    assert_eq!(of_places(&[V3::zeros(); 600], 60.0), None);
    assert_eq!(of_places(&reach(100.0, 0.2, 60.0), 60.0), None);
    assert_eq!(of_places(&[], 60.0), None);
}

#[test]
fn the_transform_is_a_fourier_transform() {
    let n = 64;
    let signal = |i: usize| libm::sin(0.37 * (i * i) as f64) + 0.1 * i as f64;
    let mut fast: Vec<(f64, f64)> = (0..n).map(|i| (signal(i), 0.0)).collect();
    transform(&mut fast);
    for (k, fast) in fast.iter().enumerate() {
        let plain = (0..n).fold((0.0, 0.0), |(re, im), i| {
            let angle = -2.0 * PI * (k * i) as f64 / n as f64;
            (
                re + signal(i) * libm::cos(angle),
                im + signal(i) * libm::sin(angle),
            )
        });
        assert!((fast.0 - plain.0).abs() < 1e-10 && (fast.1 - plain.1).abs() < 1e-10);
    }
}
