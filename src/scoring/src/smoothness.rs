//! How smooth a movement is: log dimensionless jerk and spectral arc length.
//!
//! Both depend on sampling, so the places are first resampled to 100 Hz and low-passed at 10 Hz
//! (Butterworth of second order, forwards and backwards: no delay, fourth order in effect).
//! Formulas: S. Balasubramanian, A. Melendez-Calderon, A. Roby-Brami, E. Burdet, "On the analysis
//! of movement smoothness", J. NeuroEng. Rehabil. 12:112, 2015; dimensionless jerk of a movement in
//! space with the length of its jerk vector: N. Hogan, D. Sternad, "Sensitivity of smoothness
//! measures to movement duration, amplitude, and arrests", J. Mot. Behav. 41:529, 2009.

use std::f64::consts::{PI, SQRT_2};

type V3 = nalgebra::Vector3<f64>;

/// To this rate places are resampled.
pub(crate) const RATE_HZ: f64 = 100.0;
/// Corner of the low pass.
pub(crate) const CORNER_HZ: f64 = 10.0;
/// What is shorter is no movement to speak of, samples.
const LEAST_SAMPLES: usize = 50;
/// What never gets faster stands still, mm/s.
const LEAST_PEAK_MM_S: f64 = 1.0;

/// Smoothness of one movement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Smoothness {
    /// Log dimensionless jerk: 0 would be smoothest, a single minimum-jerk reach has −ln 204.8.
    pub ldlj: f64,
    /// Spectral arc length of the speed: −1.6 or so for one reach, less for many.
    pub sparc: f64,
}

/// Smoothness of places sampled at a rate, mm; none for what is too short or stands still.
pub(crate) fn of_places(places: &[V3], rate_hz: f64) -> Option<Smoothness> {
    let places = low_passed(&resampled(places, rate_hz));
    if places.len() < LEAST_SAMPLES {
        return None;
    }
    let speed: Vec<f64> = derived(&places).iter().map(|v| v.norm()).collect();
    let peak = speed.iter().copied().fold(0.0, f64::max);
    (peak >= LEAST_PEAK_MM_S).then(|| Smoothness {
        ldlj: log_dimensionless_jerk(&places),
        sparc: spectral_arc_length(&speed),
    })
}

/// −ln( T³ / v² · ∫ |jerk|² dt ), with the whole time T and the peak speed v.
pub(crate) fn log_dimensionless_jerk(places: &[V3]) -> f64 {
    let velocity = derived(places);
    let jerk = thrice_derived(places);
    let peak = velocity.iter().map(|v| v.norm()).fold(0.0, f64::max);
    let dt = 1.0 / RATE_HZ;
    let time = dt * (places.len().saturating_sub(1)) as f64;
    // Trapezia.
    let ends = [jerk.first(), jerk.last()].into_iter().flatten();
    let ends: f64 = ends.map(|j| 0.5 * j.norm_squared()).sum();
    let squared: f64 = jerk.iter().map(|j| j.norm_squared()).sum();
    -libm::log(time * time * time / (peak * peak) * (squared - ends) * dt)
}

/// Derivative after time: central differences, at the ends one-sided of second order.
fn derived(values: &[V3]) -> Vec<V3> {
    let n = values.len();
    if n < 3 {
        return vec![V3::zeros(); n];
    }
    let inner = values.windows(3).map(|three| three[2] - three[0]);
    let first = values[1] * 4.0 - values[0] * 3.0 - values[2];
    let last = values[n - 1] * 3.0 - values[n - 2] * 4.0 + values[n - 3];
    let all = std::iter::once(first).chain(inner).chain([last]);
    all.map(|difference| difference * (0.5 * RATE_HZ)).collect()
}

/// Third derivative after time, second order: central differences, one-sided ones at the ends,
/// where a reach's jerk is greatest.
fn thrice_derived(places: &[V3]) -> Vec<V3> {
    let n = places.len();
    if n < 5 {
        return vec![V3::zeros(); n];
    }
    let weighted = |start: usize, weights: [f64; 5]| {
        let five = places[start..start + 5].iter().zip(weights);
        five.map(|(place, weight)| place * weight).sum::<V3>()
    };
    let jerk = |i: usize| match i {
        0 => weighted(0, [-5.0, 18.0, -24.0, 14.0, -3.0]),
        1 => weighted(0, [-3.0, 10.0, -12.0, 6.0, -1.0]),
        _ if i == n - 2 => weighted(n - 5, [1.0, -6.0, 12.0, -10.0, 3.0]),
        _ if i == n - 1 => weighted(n - 5, [3.0, -14.0, 24.0, -18.0, 5.0]),
        _ => weighted(i - 2, [-1.0, 2.0, 0.0, -2.0, 1.0]),
    };
    let scale = 0.5 * RATE_HZ * RATE_HZ * RATE_HZ;
    (0..n).map(|i| jerk(i) * scale).collect()
}

/// −∫ √( (1/ω_c)² + (dV/dω)² ) dω from 0 to ω_c, where V is the speed's amplitude spectrum over
/// that at 0 and ω_c the last frequency up to 10 Hz at which V is at least 0.05.
pub(crate) fn spectral_arc_length(speed: &[f64]) -> f64 {
    const LEAST_AMPLITUDE: f64 = 0.05;
    /// Zeros behind the movement make the spectrum 16 times as fine.
    const PADDING: usize = 16;
    let n = speed.len().next_power_of_two() * PADDING;
    let mut spectrum: Vec<(f64, f64)> = speed.iter().map(|v| (*v, 0.0)).collect();
    spectrum.resize(n, (0.0, 0.0));
    transform(&mut spectrum);
    let bins = (CORNER_HZ / RATE_HZ * n as f64) as usize;
    let amplitude: Vec<f64> = spectrum
        .iter()
        .take(bins + 1)
        .map(|(re, im)| libm::hypot(*re, *im))
        .collect();
    let at_0 = amplitude.first().copied().unwrap_or_default();
    let last = amplitude.iter().rposition(|a| *a >= LEAST_AMPLITUDE * at_0);
    let Some(last) = last.filter(|last| at_0 > 0.0 && *last > 0) else {
        return 0.0;
    };
    let step = 1.0 / last as f64;
    let arcs = amplitude[..=last].windows(2);
    -arcs
        .map(|pair| libm::hypot(step, (pair[1] - pair[0]) / at_0))
        .sum::<f64>()
}

/// Fast Fourier transform, radix 2, in place; the length is a power of two.
/// J. W. Cooley, J. W. Tukey, Math. Comput. 19:297, 1965.
fn transform(values: &mut [(f64, f64)]) {
    let n = values.len();
    let bits = n.trailing_zeros();
    for i in 0..n {
        let j = i.reverse_bits().unbounded_shr(usize::BITS - bits);
        if i < j {
            values.swap(i, j);
        }
    }
    let mut half = 1;
    while half < n {
        for k in 0..half {
            let angle = -PI * k as f64 / half as f64;
            let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
            for start in (k..n).step_by(2 * half) {
                let (a, b) = (values[start], values[start + half]);
                let turned = (b.0 * cosine - b.1 * sine, b.0 * sine + b.1 * cosine);
                values[start] = (a.0 + turned.0, a.1 + turned.1);
                values[start + half] = (a.0 - turned.0, a.1 - turned.1);
            }
        }
        half *= 2;
    }
}

/// Places at [`RATE_HZ`], by cubics through the samples with the slopes of their neighbours.
/// E. Catmull, R. Rom, "A class of local interpolating splines", 1974.
fn resampled(places: &[V3], rate_hz: f64) -> Vec<V3> {
    let Some(last) = places.len().checked_sub(1) else {
        return Vec::new();
    };
    let at = |place: isize| places[place.clamp(0, last as isize) as usize];
    // Beyond the ends the movement goes on as it went.
    let beyond = |place: isize| {
        if place < 0 {
            at(0) * 2.0 - at(-place)
        } else if place > last as isize {
            at(last as isize) * 2.0 - at(2 * last as isize - place)
        } else {
            at(place)
        }
    };
    let count = (last as f64 * RATE_HZ / rate_hz) as usize;
    (0..=count)
        .map(|sample| {
            let time = sample as f64 * rate_hz / RATE_HZ;
            let place = (time.floor() as isize).min(last as isize);
            let t = time - place as f64;
            let [a, b, c, d] = [-1, 0, 1, 2].map(|step| beyond(place + step));
            let (slope_b, slope_c) = ((c - a) * 0.5, (d - b) * 0.5);
            let chord = c - b;
            b + (slope_b
                + (chord * 3.0 - slope_b * 2.0 - slope_c) * t
                + (slope_b + slope_c - chord * 2.0) * (t * t))
                * t
        })
        .collect()
}

/// Forwards and backwards through the low pass, with the movement turned over at its ends.
pub(crate) fn low_passed(places: &[V3]) -> Vec<V3> {
    let Some(last) = places.len().checked_sub(1).filter(|last| *last > 0) else {
        return places.to_vec();
    };
    // Ten times the corner's period: the filter forgets within one.
    let pad = ((10.0 * RATE_HZ / CORNER_HZ) as usize).min(last);
    let before = (1..=pad).rev().map(|i| places[0] * 2.0 - places[i]);
    let after = (1..=pad).map(|i| places[last] * 2.0 - places[last - i]);
    let mut values: Vec<V3> = before.chain(places.iter().copied()).chain(after).collect();
    for _ in 0..2 {
        one_way(&mut values);
        values.reverse();
    }
    values[pad..=pad + last].to_vec()
}

/// Butterworth low pass of second order by the bilinear transform, started at rest at the first
/// value.
fn one_way(values: &mut [V3]) {
    let k = libm::tan(PI * CORNER_HZ / RATE_HZ);
    let norm = 1.0 / (1.0 + SQRT_2 * k + k * k);
    let b0 = k * k * norm;
    let (a1, a2) = (
        2.0 * (k * k - 1.0) * norm,
        (1.0 - SQRT_2 * k + k * k) * norm,
    );
    let Some(&first) = values.first() else {
        return;
    };
    let (mut x1, mut x2, mut y1, mut y2) = (first, first, first, first);
    for value in values {
        let x = *value;
        let y = (x + x1 * 2.0 + x2) * b0 - y1 * a1 - y2 * a2;
        (x2, x1, y2, y1) = (x1, x, y1, y);
        *value = y;
    }
}

/// Amplitude that [`low_passed`] leaves of a sinusoid: 1/(1 + (tan(ω/2)/tan(ω_c/2))⁴).
#[cfg(test)]
fn response(frequency_hz: f64) -> f64 {
    let half = |hz: f64| libm::tan(PI * hz / RATE_HZ);
    1.0 / (1.0 + (half(frequency_hz) / half(CORNER_HZ)).powi(4))
}

#[cfg(test)]
mod tests;
