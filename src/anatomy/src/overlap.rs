//! Which structures overlap, and by how much.

use geometry::scene::{Crossings, Ray, SceneError};
use geometry::{Point, Vector, frame};

use crate::patient::Patient;

/// Two structures that share space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overlap {
    /// Position of the first in [`Patient::structures`].
    pub first: usize,
    /// Position of the second, greater than `first`.
    pub second: usize,
    /// Shared volume, mm³.
    pub volume_mm3: f64,
}

/// Measures every pair's shared volume along parallel rays `spacing_mm` apart from feet to head.
///
/// # Errors
/// See [`Patient::scene`].
pub fn overlaps(patient: &Patient, spacing_mm: f64) -> Result<Vec<Overlap>, SceneError> {
    let count = patient.structures.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let scene = patient.scene()?;
    let rays = columns(&scene.bounds(), spacing_mm)?;
    let mut crossings = Crossings::default();
    scene.cast_bundle_parallel(&rays, &mut crossings);
    let mut shared_mm = vec![0.0; count * count];
    for column in crossings.iter() {
        let mut inside: Vec<(usize, f64)> = Vec::new();
        for crossing in column {
            let surface = usize::from(crossing.surface.0);
            if crossing.entering {
                inside.push((surface, crossing.t_mm));
                continue;
            }
            let Some(at) = inside.iter().rposition(|(other, _)| *other == surface) else {
                continue;
            };
            let (_, entered) = inside.remove(at);
            // Whoever leaves second counts the stretch: each pair once.
            for &(other, since) in inside.iter().filter(|(other, _)| *other != surface) {
                let pair = surface.min(other) * count + surface.max(other);
                shared_mm[pair] += crossing.t_mm - entered.max(since);
            }
        }
    }
    let cell_mm2 = spacing_mm * spacing_mm;
    Ok((0..count * count)
        .filter(|&pair| shared_mm[pair] > 0.0)
        .map(|pair| Overlap {
            first: pair / count,
            second: pair % count,
            volume_mm3: shared_mm[pair] * cell_mm2,
        })
        .collect())
}

fn columns(
    bounds: &geometry::Aabb,
    spacing_mm: f64,
) -> Result<Vec<Ray<frame::Patient>>, SceneError> {
    let [width, depth, _] = bounds.extent().map(f64::from);
    let start = bounds.min.map(f64::from);
    let along = |length: f64| (length / spacing_mm).ceil() as usize;
    let up = Vector::new(0.0, 0.0, 1.0);
    (0..along(depth))
        .flat_map(|j| (0..along(width)).map(move |i| (i as f64 + 0.5, j as f64 + 0.5)))
        .map(|(i, j)| {
            let from = Point::new(
                start[0] + i * spacing_mm,
                start[1] + j * spacing_mm,
                start[2] - 1.0,
            );
            Ray::new(from, up)
        })
        .collect()
}
