//! The Auto button: sliders and gain with which soft tissue is the same middle grey at every depth.
//!
//! What a sonographer does by hand, and what machines do at the press of a button: tissue is told
//! from fluid, noise and mirrors by its speckle, its level is taken depth by depth, and the sliders
//! go where that level becomes a middle grey. Knobs are turned, nothing else: the picture follows
//! from the settings that come out, whatever frame they were found on.

use equipment::Console;

use super::WHITE_DB;
use super::gain::{self, Compensation};
use crate::engine::Imager;
use crate::frame::Look;
use crate::grid::ScanGrid;

/// Where on the scale from black to white the mean power of soft tissue goes; its mean grey lies
/// 2.5 dB below, since grey is a logarithm.
const TISSUE_SHARE: f64 = 0.5;

/// A patch: so many lines, and so many millimetres along them.
const PATCH_LINES: usize = 4;
const PATCH_MM: f64 = 2.0;

/// Echoes count from so far above the machine's own noise, dB.
const OVER_NOISE_DB: f64 = 10.0;

/// The mean of power lies above the mean of its logarithm: 2.5 dB for full speckle. Less is a
/// patch of one wave, more holds a mirror or an edge.
const SPECKLE_DB: std::ops::RangeInclusive<f64> = 0.7..=4.5;

/// The share of a depth's patches that lie below its bright tissue; what lies farther below or above
/// that is fluid, or bone.
const BRIGHT_SHARE: f64 = 0.85;
const BELOW_BRIGHT_DB: f64 = 14.0;
const ABOVE_BRIGHT_DB: f64 = 6.0;

/// So many patches say what a depth's level is.
const FEWEST_PATCHES: usize = 10;

/// Sliders go so far from where the machine's own curve is, and from their neighbours, dB.
const MOST_DB: f64 = 20.0;
const MOST_STEP_DB: f64 = 7.0;

/// Sliders and gain stop at whole parts of this, dB.
const NOTCH_DB: f64 = 0.5;

/// The level of one patch of speckle, and where.
#[derive(Clone, Copy, Debug)]
struct Patch {
    z_mm: f64,
    /// With the machine's own curve and no slider.
    level_db: f64,
}

/// The settings with gain and sliders such that the soft tissue of a frame's straight look is the
/// same grey from top to bottom. Where the frame shows no tissue, sliders follow their neighbours;
/// if it shows none at all, the settings stay as they are.
pub fn optimised(imager: &Imager, console: &Console, look: &Look) -> Console {
    let flat = Console {
        gain_db: 0.0,
        tgc_db: vec![0.0; console.tgc_db.len()],
        ..console.clone()
    };
    let machine = Compensation::of_machine(imager, &flat);
    let curve_db = gain::curve_db(&flat, &machine, &look.grid);
    let patches = patches(look, &curve_db, imager.noise_db() + OVER_NOISE_DB);
    let wanted_db = WHITE_DB - (1.0 - TISSUE_SHARE) * console.dynamic_range_db;
    let found: Vec<Option<f64>> = (0..console.tgc_db.len())
        .map(|slider| {
            let level_db = tissue_level_db(&patches, slider, console)?;
            Some((wanted_db - level_db).clamp(-MOST_DB, MOST_DB))
        })
        .collect();
    let Some(sliders_db) = without_gaps(&found) else {
        return console.clone();
    };
    let sliders_db = within_steps(sliders_db);
    let gain_db = notched(mean(&sliders_db));
    Console {
        gain_db,
        tgc_db: sliders_db.iter().map(|db| notched(db - gain_db)).collect(),
        ..console.clone()
    }
}

/// The patches of speckle of a look.
fn patches(look: &Look, curve_db: &[f64], faintest_db: f64) -> Vec<Patch> {
    let ScanGrid {
        samples, sample_mm, ..
    } = *look.grid;
    let long = ((PATCH_MM / sample_mm) as usize).clamp(4, samples.max(4));
    let rows = look.envelope.chunks_exact(samples.max(1));
    let rows: Vec<&[f32]> = rows.collect();
    let mut patches = Vec::new();
    for lines in rows.chunks_exact(PATCH_LINES) {
        for first in (0..samples.saturating_sub(long)).step_by(long) {
            let echoes = lines.iter().flat_map(|line| &line[first..first + long]);
            let Some(level_db) = speckle_level_db(echoes) else {
                continue;
            };
            let middle = first + long / 2;
            if level_db > faintest_db {
                patches.push(Patch {
                    z_mm: middle as f64 * sample_mm,
                    level_db: level_db + curve_db[middle],
                });
            }
        }
    }
    patches
}

/// The mean power of a patch, dB, if it is speckle.
fn speckle_level_db<'e>(echoes: impl Iterator<Item = &'e f32>) -> Option<f64> {
    let (mut sum, mut sum_of_logs, mut count) = (0.0, 0.0, 0.0);
    for echo in echoes {
        let power = f64::from(*echo) * f64::from(*echo);
        sum += power;
        sum_of_logs += 10.0 * libm::log10(power.max(1e-30));
        count += 1.0;
    }
    let level_db = 10.0 * libm::log10(sum / count);
    SPECKLE_DB
        .contains(&(level_db - sum_of_logs / count))
        .then_some(level_db)
}

/// The level of soft tissue about a slider's depth, if enough of it is seen: the median of what
/// is neither fluid nor bone.
fn tissue_level_db(patches: &[Patch], slider: usize, console: &Console) -> Option<f64> {
    let apart_mm = console.depth_mm / (console.tgc_db.len().max(2) - 1) as f64;
    let z_mm = slider as f64 * apart_mm;
    let near = patches
        .iter()
        .filter(|patch| (patch.z_mm - z_mm).abs() < 0.75 * apart_mm);
    let mut levels_db: Vec<f64> = near.map(|patch| patch.level_db).collect();
    if levels_db.len() < FEWEST_PATCHES {
        return None;
    }
    levels_db.sort_by(f64::total_cmp);
    let bright_db = levels_db[(levels_db.len() as f64 * BRIGHT_SHARE) as usize];
    levels_db.retain(|db| (bright_db - BELOW_BRIGHT_DB..=bright_db + ABOVE_BRIGHT_DB).contains(db));
    Some(levels_db[levels_db.len() / 2])
}

/// Gaps filled from the neighbours: straight between two, the nearest one's at the ends.
fn without_gaps(found: &[Option<f64>]) -> Option<Vec<f64>> {
    let known: Vec<(usize, f64)> = found
        .iter()
        .enumerate()
        .filter_map(|(i, db)| Some((i, (*db)?)))
        .collect();
    let (&first, &last) = (known.first()?, known.last()?);
    let at = |i: usize| {
        let above = known.iter().rfind(|(k, _)| *k <= i).unwrap_or(&first);
        let below = known.iter().find(|(k, _)| *k >= i).unwrap_or(&last);
        let apart = below.0.saturating_sub(above.0).max(1) as f64;
        above.1 + (below.1 - above.1) * i.saturating_sub(above.0) as f64 / apart
    };
    Some((0..found.len()).map(at).collect())
}

/// No slider farther from the one above than a step.
fn within_steps(mut sliders_db: Vec<f64>) -> Vec<f64> {
    for i in 1..sliders_db.len() {
        let above = sliders_db[i - 1];
        sliders_db[i] = sliders_db[i].clamp(above - MOST_STEP_DB, above + MOST_STEP_DB);
    }
    sliders_db
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// A whole number of notches; 0, never −0.
fn notched(db: f64) -> f64 {
    libm::round(db / NOTCH_DB) * NOTCH_DB + 0.0
}
