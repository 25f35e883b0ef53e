//! The pulse in closed form, after the reference, not after the engine: a windowed sine through
//! the probe's band, then the medium.

use equipment::{Console, Probe};

use crate::scene::{SPEED_M_S, Sound};

/// 1 dB in neper.
pub const NP_PER_DB: f64 = std::f64::consts::LN_10 / 20.0;

/// The pulse of a probe at a setting.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    sent_mhz: f64,
    cycles: f64,
    center_mhz: f64,
    band_mhz: f64,
}

impl Pulse {
    pub fn new(probe: &Probe, console: &Console) -> Self {
        Self {
            sent_mhz: console.frequency_mhz.unwrap_or(probe.center_frequency_mhz),
            cycles: console.cycles,
            center_mhz: probe.center_frequency_mhz,
            band_mhz: probe.fractional_bandwidth * probe.center_frequency_mhz,
        }
    }

    /// Pulse-echo amplitude: the sine's spectrum times a generalised normal that is 1/2 at the ends
    /// of the band and 2^−126 at 0 (García, SIMUS, 2022).
    pub fn amplitude(&self, f: f64) -> f64 {
        let t = self.cycles / self.sent_mhz;
        let sinc = |x: f64| {
            let x = std::f64::consts::PI * x;
            if x == 0.0 { 1.0 } else { x.sin() / x }
        };
        let sine = sinc(t * (f - self.sent_mhz)) - sinc(t * (f + self.sent_mhz));
        let p = 126f64.ln() / (2.0 * self.center_mhz / self.band_mhz).ln();
        let off = 2.0 * (f - self.center_mhz).abs() / self.band_mhz;
        sine * (-std::f64::consts::LN_2 * off.powf(p)).exp()
    }

    /// The mean of a quantity over the echo's power spectrum from a depth.
    pub fn mean(&self, sound: Sound, z_mm: f64, of: impl Fn(f64) -> f64) -> f64 {
        let (mut sum, mut power) = (0.0, 0.0);
        for i in 1..4000 {
            let f = f64::from(i) / 4000.0 * 2.5 * self.center_mhz;
            let np = sound.db_cm * f.powf(sound.power) * NP_PER_DB * z_mm / 10.0;
            // Amplitude falls by `np` on the way there and again on the way back.
            let weight = (self.amplitude(f) * (-2.0 * np).exp()).powi(2);
            sum += weight * of(f);
            power += weight;
        }
        sum / power
    }

    /// Power-weighted mean frequency of the echo from a depth, MHz.
    pub fn frequency_mhz(&self, sound: Sound, z_mm: f64) -> f64 {
        self.mean(sound, z_mm, |f| f)
    }

    /// Wavelength at that frequency, mm.
    pub fn wavelength_mm(&self, sound: Sound, z_mm: f64) -> f64 {
        SPEED_M_S * 1e-3 / self.frequency_mhz(sound, z_mm)
    }
}
