//! The pulse: what is sent, and what of it the probe lets through.
//!
//! The spectrum is real: time 0 is the middle of the pulse.

use equipment::{Console, Probe};
use nalgebra::Complex;

/// The sent sine and the probe's band.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse {
    /// Frequency of the sine, MHz.
    pub frequency_mhz: f64,
    cycles: f64,
    center_mhz: f64,
    half_bandwidth_mhz: f64,
    exponent: f64,
}

/// Frequencies, evenly spaced, MHz.
#[derive(Clone, Debug)]
pub(crate) struct Band {
    /// The lowest.
    pub first_mhz: f64,
    /// Their distance.
    pub step_mhz: f64,
    /// Their number.
    pub count: usize,
    /// How long the envelope is above half its peak, µs.
    pub pulse_us: f64,
}

/// What is weaker is left out of the band.
const FLOOR: f64 = 0.003_162_277_660_168_379;
const LEAST_COUNT: usize = 32;
const GREATEST_COUNT: usize = 96;
/// Frequencies at which the pulse is looked at to find the band.
const LOOKS: usize = 1024;
/// How many times its length after a pulse the next one comes, which evenly spaced frequencies bring
/// with them.
const REPEAT: f64 = 8.0;

impl Pulse {
    /// The pulse of a probe at a setting.
    pub fn new(probe: &Probe, console: &Console) -> Self {
        let center_mhz = probe.center_frequency_mhz;
        let bandwidth_mhz = probe.fractional_bandwidth * center_mhz;
        Self {
            frequency_mhz: console.frequency_mhz.unwrap_or(center_mhz),
            cycles: console.cycles,
            center_mhz,
            half_bandwidth_mhz: 0.5 * bandwidth_mhz,
            exponent: libm::log(126.0) / libm::log(2.0 * center_mhz / bandwidth_mhz),
        }
    }

    /// Amplitude of the pulse after way and return through the probe, of any scale.
    ///
    /// The spectrum of `cycles` cycles of a sine, times a generalised normal window, which is ½ at
    /// the edges of the band and 2⁻¹²⁶ at frequency 0 (García, SIMUS, Comput. Methods Programs
    /// Biomed. 218, 2022).
    pub fn amplitude(&self, f_mhz: f64) -> f64 {
        let duration_us = self.cycles / self.frequency_mhz;
        let sine = sinc(duration_us * (f_mhz - self.frequency_mhz))
            - sinc(duration_us * (f_mhz + self.frequency_mhz));
        let off = (f_mhz - self.center_mhz).abs() / self.half_bandwidth_mhz;
        sine * libm::exp(-core::f64::consts::LN_2 * libm::pow(off, self.exponent))
    }

    /// Frequencies that make up the pulse: where it is above −50 dB, so close together that the
    /// pulse comes again only after eight times its length. A very long pulse, which would need more
    /// than 96, loses the rim of its band.
    pub fn band(&self) -> Band {
        let top_mhz = self.center_mhz + 4.0 * self.half_bandwidth_mhz;
        let look_mhz = top_mhz / LOOKS as f64;
        let looks: Vec<f64> = (0..=LOOKS)
            .map(|i| self.amplitude(i as f64 * look_mhz).abs())
            .collect();
        let mut peak = 1;
        for i in 1..=LOOKS {
            if looks[i] > looks[peak] {
                peak = i;
            }
        }
        let above = |&i: &usize| looks[i] >= FLOOR * looks[peak];
        let low_mhz = (1..=LOOKS).find(above).unwrap_or(1) as f64 * look_mhz;
        let high_mhz = (1..=LOOKS).rev().find(above).unwrap_or(LOOKS) as f64 * look_mhz;
        let pulse_us = self.length_us(low_mhz, high_mhz);
        let step_mhz = 1.0 / (REPEAT * pulse_us);
        let count = libm::ceil((high_mhz - low_mhz) / step_mhz) as usize + 1;
        if count > GREATEST_COUNT {
            let width_mhz = (GREATEST_COUNT - 1) as f64 * step_mhz;
            let first_mhz = (peak as f64 * look_mhz - 0.5 * width_mhz)
                .clamp(low_mhz, (high_mhz - width_mhz).max(low_mhz));
            return Band {
                first_mhz,
                step_mhz,
                count: GREATEST_COUNT,
                pulse_us,
            };
        }
        let count = count.max(LEAST_COUNT);
        Band {
            first_mhz: low_mhz,
            step_mhz: ((high_mhz - low_mhz) / (count - 1) as f64).max(1e-6 * self.center_mhz),
            count,
            pulse_us,
        }
    }

    /// How long the envelope is above half its peak, µs.
    fn length_us(&self, low_mhz: f64, high_mhz: f64) -> f64 {
        let band = Band {
            first_mhz: low_mhz,
            step_mhz: (high_mhz - low_mhz).max(1e-3 * self.center_mhz) / LOOKS as f64,
            count: LOOKS + 1,
            pulse_us: 0.0,
        };
        let spectrum: Vec<_> = band
            .frequencies_mhz()
            .map(|f| Complex::new(self.amplitude(f), 0.0))
            .collect();
        let longest_us = 2.0 * (self.cycles / self.frequency_mhz + 4.0 / self.half_bandwidth_mhz);
        band.half_width_us(&spectrum, 0.0, longest_us)
            .unwrap_or(longest_us)
    }
}

impl Band {
    /// The frequencies, MHz.
    pub fn frequencies_mhz(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.count).map(|n| self.first_mhz + n as f64 * self.step_mhz)
    }

    /// The echo of a spectrum at a time, µs: `Σ spectrum(f) exp(−2πi (f − first) t)`.
    pub fn echo(&self, spectrum: &[Complex<f64>], t_us: f64) -> Complex<f64> {
        let turn = turn(-self.step_mhz * t_us);
        // Horner's rule.
        spectrum
            .iter()
            .rev()
            .fold(Complex::new(0.0, 0.0), |sum, &z| sum * turn + z)
    }

    /// Time of the envelope's peak within ±`reach_us`, and its height.
    pub fn peak(&self, spectrum: &[Complex<f64>], reach_us: f64) -> (f64, f64) {
        let step_us = 0.125 / (self.step_mhz * self.count as f64);
        let reach = libm::ceil(reach_us / step_us) as i64;
        let power = |t_us: f64| self.echo(spectrum, t_us).norm_sqr();
        let mut best = (0, power(0.0));
        // From the middle outwards, so that of equals the nearest counts.
        for i in 1..=reach {
            for i in [i, -i] {
                let power = power(i as f64 * step_us);
                if power > best.1 {
                    best = (i, power);
                }
            }
        }
        let at_us = best.0 as f64 * step_us;
        let [before, after] = [power(at_us - step_us), power(at_us + step_us)];
        let bend = before - 2.0 * best.1 + after;
        let shift = if bend < 0.0 {
            f64::clamp(0.5 * (before - after) / bend, -1.0, 1.0)
        } else {
            0.0
        };
        let at_us = at_us + shift * step_us;
        (at_us, libm::sqrt(power(at_us)))
    }

    /// When the envelope peaks, within ±`reach_us`: the middle of its top, where it is above 80 % of
    /// its greatest height. A long pulse is flat on top, with ripples; a short one has its peak
    /// there.
    pub fn moment_us(&self, spectrum: &[Complex<f64>], reach_us: f64) -> f64 {
        let (peak_us, _) = self.peak(spectrum, reach_us);
        self.stretch_us(spectrum, peak_us, 0.8, reach_us)
            .map_or(peak_us, |[before_us, after_us]| {
                peak_us + 0.5 * (after_us - before_us)
            })
    }

    /// How long the envelope stays above half its height at `peak_us`, µs; `None` if it does not
    /// fall so far within `reach_us` on both sides.
    pub fn half_width_us(
        &self,
        spectrum: &[Complex<f64>],
        peak_us: f64,
        reach_us: f64,
    ) -> Option<f64> {
        let [before_us, after_us] = self.stretch_us(spectrum, peak_us, 0.5, reach_us)?;
        Some(before_us + after_us)
    }

    /// How long before and after `peak_us` the envelope stays above a share of its height there.
    fn stretch_us(
        &self,
        spectrum: &[Complex<f64>],
        peak_us: f64,
        share: f64,
        reach_us: f64,
    ) -> Option<[f64; 2]> {
        let power = |t_us: f64| self.echo(spectrum, t_us).norm_sqr();
        let floor = share * share * power(peak_us);
        let step_us = 0.25 / (self.step_mhz * self.count as f64);
        let side = |way: f64| {
            let steps = libm::ceil(reach_us / step_us) as usize;
            let below = |&i: &usize| power(peak_us + way * i as f64 * step_us) < floor;
            let mut high = (1..=steps).find(below)? as f64 * step_us;
            let mut low = high - step_us;
            for _ in 0..20 {
                let middle = 0.5 * (low + high);
                if power(peak_us + way * middle) < floor {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            Some(high)
        };
        Some([side(-1.0)?, side(1.0)?])
    }
}

/// `exp(2πi · turns)`.
pub(crate) fn turn(turns: f64) -> Complex<f64> {
    let (sin, cos) = libm::sincos(core::f64::consts::TAU * (turns - libm::round(turns)));
    Complex::new(cos, sin)
}

/// sin(πx)/(πx).
fn sinc(x: f64) -> f64 {
    let angle = core::f64::consts::PI * x;
    if angle.abs() < 1e-8 {
        1.0
    } else {
        libm::sin(angle) / angle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(cycles: f64, bandwidth: f64) -> Pulse {
        let half_bandwidth_mhz = 0.5 * bandwidth * 5.0;
        Pulse {
            frequency_mhz: 5.0,
            cycles,
            center_mhz: 5.0,
            half_bandwidth_mhz,
            exponent: libm::log(126.0) / libm::log(5.0 / half_bandwidth_mhz),
        }
    }

    /// The response alone is ½ at the edges of the band.
    #[test]
    fn bandwidth_is_that_of_the_probe() {
        let pulse = pulse(1e-3, 0.7);
        let ratio = |f_mhz: f64| {
            // So short a pulse has a spectrum that rises with the frequency.
            pulse.amplitude(f_mhz) / pulse.amplitude(5.0) * 5.0 / f_mhz
        };
        for f_mhz in [5.0 - 1.75, 5.0 + 1.75] {
            assert!((ratio(f_mhz) - 0.5).abs() < 1e-3);
        }
    }

    /// A long pulse lasts as long as its cycles; and it does not come again too early.
    #[test]
    fn pulses_are_as_long_as_their_cycles() {
        for cycles in [4.0, 8.0, 16.0] {
            let band = pulse(cycles, 0.8).band();
            assert!((band.pulse_us / (cycles / 5.0) - 1.0).abs() < 0.05);
            assert!(band.count <= GREATEST_COUNT);
            assert!(1.0 / band.step_mhz > 7.99 * band.pulse_us);
        }
    }

    #[test]
    fn peak_and_width_are_found_between_samples() {
        // A Gaussian of σ MHz: an envelope of 1/(2πσ) µs.
        let band = Band {
            first_mhz: 2.0,
            step_mhz: 0.05,
            count: 121,
            pulse_us: 0.5,
        };
        let spectrum: Vec<_> = band
            .frequencies_mhz()
            .map(|f| {
                let height = libm::exp(-0.5 * libm::pow((f - 5.0) / 0.6, 2.0));
                turn(f * 0.123) * height
            })
            .collect();
        let (peak_us, _) = band.peak(&spectrum, 1.0);
        assert!((peak_us - 0.123).abs() < 1e-4, "{peak_us}");
        let width_us = band
            .half_width_us(&spectrum, peak_us, 2.0)
            .expect("it falls");
        let sigma_us = 1.0 / (core::f64::consts::TAU * 0.6);
        let expected_us = 2.0 * sigma_us * libm::sqrt(2.0 * core::f64::consts::LN_2);
        assert!((width_us / expected_us - 1.0).abs() < 1e-3);
    }
}
