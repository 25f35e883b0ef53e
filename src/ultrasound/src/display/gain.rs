//! Overall gain and time gain.

use equipment::Console;

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
