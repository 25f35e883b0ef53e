//! Solids of a given volume: fluid in a room, a solid grown by so much.

use nalgebra::Vector3;
use rayon::prelude::*;

use super::lean::Near;
use super::sampling::{bounded, endless_node};
use super::{Expr, SdfError, Solid};
use crate::frame::Point;

/// Samples that a volume is measured by: its error is about 1 in the square root of those at the
/// surface, below 1 % for compact solids.
const SAMPLES: f64 = 4e5;

/// The part of a room that lies lowest in the direction `towards` (of any length) and has the
/// volume given.
///
/// # Errors
/// [`SdfError::Overfull`] where the room holds less; [`SdfError::Unbounded`]; as [`Solid::new`].
pub fn pool(room: Expr, towards: [f64; 3], volume_mm3: f64) -> Result<Expr, SdfError> {
    let direction = Vector3::from(towards);
    let Some(down) = direction.try_normalize(1e-12) else {
        return Err(parameter(
            "towards",
            0.0,
            "a direction with a length above 0",
        ));
    };
    let samples = Samples::of(&room, 0.0)?;
    let mut depths: Vec<f64> = samples.gather(|near, place| {
        let inside = match near.sign() {
            Some(sign) => sign > 0.0,
            None => near.distance_mm(Point::from_coords(place)) < 0.0,
        };
        inside.then(|| place.dot(&down))
    });
    let wanted = (volume_mm3 / samples.cell_mm3).round() as usize;
    if wanted > depths.len() {
        return Err(SdfError::Overfull {
            volume_ml: volume_mm3 / 1000.0,
            holds_ml: depths.len() as f64 * samples.cell_mm3 / 1000.0,
        });
    }
    if wanted == depths.len() {
        return Ok(room);
    }
    // Deepest first; the level lies where the last sample wanted does.
    let (_, level, _) = depths.select_nth_unstable_by(wanted, |a, b| b.total_cmp(a));
    let half_space = Expr::HalfSpace {
        normal: (-down).into(),
        offset_mm: -*level,
    };
    Ok(Expr::Intersection {
        parts: vec![room, half_space],
        blend_mm: 0.0,
    })
}

/// A solid grown all round by the volume given.
///
/// # Errors
/// [`SdfError::Overfull`] where it would grow by more than 80 mm; [`SdfError::Unbounded`]; as
/// [`Solid::new`].
pub fn swell(of: Expr, volume_mm3: f64) -> Result<Expr, SdfError> {
    let by_mm = reach_mm(&of, None, volume_mm3)?;
    Ok(grown(of, by_mm))
}

/// A solid grown by the volume given as far as the room around it gives way, and cut to that.
///
/// # Errors
/// As [`swell`].
pub fn swell_within(of: Expr, room: Expr, volume_mm3: f64) -> Result<Expr, SdfError> {
    let by_mm = reach_mm(&of, Some(&Solid::new(&room)?), volume_mm3)?;
    Ok(Expr::Intersection {
        parts: vec![grown(of, by_mm), room],
        blend_mm: 0.0,
    })
}

fn grown(of: Expr, by_mm: f64) -> Expr {
    Expr::Offset {
        by_mm,
        of: Box::new(of),
    }
}

/// How far a solid reaches when it has grown by a volume.
fn reach_mm(of: &Expr, room: Option<&Solid>, volume_mm3: f64) -> Result<f64, SdfError> {
    /// No effusion or oedema is thicker.
    const MOST_MM: f64 = 80.0;
    let samples = Samples::of(of, MOST_MM)?;
    let mut distances: Vec<f64> = samples.gather(|near, place| {
        let [low, high] = near.range();
        if low > MOST_MM || high < 0.0 {
            return None;
        }
        let place = Point::from_coords(place);
        let distance = near.distance_mm(place);
        let grows = (0.0..=MOST_MM).contains(&distance)
            && room.is_none_or(|room| room.distance_mm(place) < 0.0);
        grows.then_some(distance)
    });
    let wanted = (volume_mm3 / samples.cell_mm3).round() as usize;
    if wanted >= distances.len() {
        return Err(SdfError::Overfull {
            volume_ml: volume_mm3 / 1000.0,
            holds_ml: distances.len() as f64 * samples.cell_mm3 / 1000.0,
        });
    }
    let (_, reach, _) = distances.select_nth_unstable_by(wanted, f64::total_cmp);
    Ok(*reach)
}

fn parameter(name: &'static str, value: f64, must_be: &'static str) -> SdfError {
    SdfError::Parameter {
        path: "fill".into(),
        name,
        value,
        must_be,
    }
}

/// A regular lattice through a solid's bounds, gone through in blocks.
struct Samples {
    solid: Solid,
    first: Vector3<f64>,
    step: f64,
    count: [usize; 3],
    cell_mm3: f64,
}

impl Samples {
    /// Edge of a block in samples.
    const BLOCK: usize = 6;

    fn of(expression: &Expr, margin_mm: f64) -> Result<Self, SdfError> {
        let solid = Solid::new(expression)?;
        let Some([min, max]) = bounded(&solid) else {
            return Err(SdfError::Unbounded {
                path: endless_node(expression, ""),
            });
        };
        let [min, max] = [min.add_scalar(-margin_mm), max.add_scalar(margin_mm)];
        let extent = (max - min).map(|e| e.max(1e-3));
        let step = (extent.product() / SAMPLES).cbrt();
        let count = extent.map(|e| (e / step).ceil().max(1.0) as usize);
        Ok(Self {
            solid,
            first: min.add_scalar(0.5 * step),
            step,
            count: count.into(),
            cell_mm3: step * step * step,
        })
    }

    /// What `keep` makes of each sample, block by block.
    fn gather(&self, keep: impl Fn(&Near<'_>, Vector3<f64>) -> Option<f64> + Sync) -> Vec<f64> {
        let blocks = self.count.map(|n| n.div_ceil(Self::BLOCK));
        let of_block = |block: usize| {
            let first = [
                block % blocks[0],
                block / blocks[0] % blocks[1],
                block / (blocks[0] * blocks[1]),
            ];
            let first = first.map(|b| b * Self::BLOCK);
            let half = 0.5 * (Self::BLOCK - 1) as f64;
            let center = self.place(first) + Vector3::repeat(half * self.step);
            let radius = half * self.step * 3.0_f64.sqrt();
            let near = self.solid.near(Point::from_coords(center), radius);
            let end: [usize; 3] =
                std::array::from_fn(|a| (first[a] + Self::BLOCK).min(self.count[a]));
            let mut kept = Vec::new();
            for k in first[2]..end[2] {
                for j in first[1]..end[1] {
                    let row = (first[0]..end[0]).map(|i| self.place([i, j, k]));
                    kept.extend(row.filter_map(|place| keep(&near, place)));
                }
            }
            kept
        };
        let kept: Vec<Vec<f64>> = (0..blocks.iter().product())
            .into_par_iter()
            .map(of_block)
            .collect();
        kept.concat()
    }

    fn place(&self, ijk: [usize; 3]) -> Vector3<f64> {
        self.first + Vector3::from(ijk.map(|i| i as f64 * self.step))
    }
}
