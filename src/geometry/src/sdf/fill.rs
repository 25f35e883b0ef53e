//! Solids of a given volume: fluid in a room, a solid grown by so much.

use nalgebra::Vector3;
use rayon::prelude::*;

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
    let mut depths: Vec<f64> = samples
        .places
        .par_iter()
        .filter(|place| samples.solid.distance_mm(Point::from_coords(**place)) < 0.0)
        .map(|place| place.dot(&down))
        .collect();
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
/// [`SdfError::Unbounded`]; as [`Solid::new`].
pub fn swell(of: Expr, volume_mm3: f64) -> Result<Expr, SdfError> {
    /// No effusion or oedema is thicker.
    const MOST_MM: f64 = 80.0;
    let samples = Samples::of(&of, MOST_MM)?;
    let mut distances: Vec<f64> = samples
        .places
        .par_iter()
        .map(|place| samples.solid.distance_mm(Point::from_coords(*place)))
        .filter(|distance| *distance >= 0.0)
        .collect();
    let wanted = (volume_mm3 / samples.cell_mm3).round() as usize;
    if wanted >= distances.len() {
        return Err(SdfError::Overfull {
            volume_ml: volume_mm3 / 1000.0,
            holds_ml: distances.len() as f64 * samples.cell_mm3 / 1000.0,
        });
    }
    let (_, reach, _) = distances.select_nth_unstable_by(wanted, f64::total_cmp);
    Ok(Expr::Offset {
        by_mm: *reach,
        of: Box::new(of),
    })
}

fn parameter(name: &'static str, value: f64, must_be: &'static str) -> SdfError {
    SdfError::Parameter {
        path: "fill".into(),
        name,
        value,
        must_be,
    }
}

/// A regular lattice through a solid's bounds.
struct Samples {
    solid: Solid,
    places: Vec<Vector3<f64>>,
    cell_mm3: f64,
}

impl Samples {
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
        let places = (0..count.product()).map(|n| {
            let ijk = [n % count.x, n / count.x % count.y, n / (count.x * count.y)];
            min + Vector3::from(ijk.map(|i| (i as f64 + 0.5) * step))
        });
        Ok(Self {
            solid,
            places: places.collect(),
            cell_mm3: step * step * step,
        })
    }
}
