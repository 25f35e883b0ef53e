//! Overall gain and time gain.

use equipment::Console;

use super::WHITE_DB;
use crate::engine::Imager;
use crate::grid::ScanGrid;

/// What the machine makes good by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compensation {
    /// Gain at each sample of a line for the machine's own sensitivity over depth, dB. The last
    /// value holds for samples beyond; 0 dB if there is none.
    pub gain_db_at_depth: Vec<f32>,
    /// The frequency that attenuation is made good for, MHz.
    pub frequency_mhz: f64,
}

/// Noise is lifted at most so far above black, dB: a trace of grey that tells where sight ends.
const NOISE_OVER_BLACK_DB: f64 = 8.0;

/// The machine makes its own loss of sensitivity good up to so much, dB: beyond it would only make
/// noise bright.
const MOST_MACHINE_GAIN_DB: f32 = 40.0;

impl Compensation {
    /// What the machine makes good by itself: what it knows of its own beam. It does not go on where that
    /// and the attenuation made good would only lift its own noise into the picture.
    pub fn of_machine(imager: &Imager, console: &Console) -> Self {
        let own = imager.sensitivity_db().iter();
        let samples = own.len().max(2) - 1;
        let dark_db = WHITE_DB - console.dynamic_range_db + NOISE_OVER_BLACK_DB;
        let most_db = dark_db - imager.noise_db();
        let gain_db = |(sample, db): (usize, &f32)| {
            let depth_cm = console.depth_mm / 10.0 * sample as f64 / samples as f64;
            let made_good_db =
                2.0 * console.compensation_db_cm_mhz * imager.frequency_mhz() * depth_cm;
            let beam_db = (-db).clamp(0.0, MOST_MACHINE_GAIN_DB);
            beam_db.min((most_db - made_good_db) as f32)
        };
        Self {
            gain_db_at_depth: own.enumerate().map(gain_db).collect(),
            frequency_mhz: imager.frequency_mhz(),
        }
    }
}

/// Gain of each sample of a line, dB: the overall gain, the sliders, the machine's own curve, and
/// the attenuation of 2·f·z that the console is set to make good. What is not a number counts as
/// 0 dB.
pub fn curve_db(console: &Console, compensation: &Compensation, grid: &ScanGrid) -> Vec<f64> {
    let own = &compensation.gain_db_at_depth;
    let db_per_cm = 2.0 * console.compensation_db_cm_mhz * compensation.frequency_mhz;
    (0..grid.samples)
        .map(|sample| {
            let z_mm = sample as f64 * grid.sample_mm;
            let own_db = own.get(sample).or(own.last()).map_or(0.0, |&db| db.into());
            let terms = [
                console.gain_db,
                tgc_db(&console.tgc_db, console.depth_mm, z_mm),
                db_per_cm * z_mm / 10.0,
                own_db,
            ];
            terms.into_iter().filter(|db: &f64| db.is_finite()).sum()
        })
        .collect()
}

/// What the sliders add at a depth, dB. They stand at even distances, the first at the face, the
/// last at the full depth; gain runs straight from slider to slider and keeps the last one's beyond.
pub fn tgc_db(sliders_db: &[f64], depth_mm: f64, z_mm: f64) -> f64 {
    let Some(&last_db) = sliders_db.last() else {
        return 0.0;
    };
    let place = z_mm.max(0.0) / depth_mm * (sliders_db.len() - 1) as f64;
    // Saturates, and is 0 for what is not a number.
    let below = place.floor() as usize;
    match (
        sliders_db.get(below),
        sliders_db.get(below.saturating_add(1)),
    ) {
        (Some(&from_db), Some(&to_db)) => from_db + (to_db - from_db) * (place - below as f64),
        _ => last_db,
    }
}
