//! Which structures overlap, and by how much.

use std::collections::BTreeMap;

use geometry::scene::{Crossings, Ray, SceneError};
use geometry::{Aabb, Point, Vector, frame};

use crate::atlas::StructureKind;
use crate::patient::{Patient, Structure};

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

impl Overlap {
    /// Whether no priority decides it: two of the same rank cannot both be right, but for vessels
    /// of one circuit and ducts with the same content, which open into each other, and for
    /// neighbours whose smoothed surfaces graze each other.
    pub fn is_unintended(&self, patient: &Patient) -> bool {
        /// Part of the smaller one that neighbours may share.
        const GRAZING_SHARE: f64 = 0.02;
        let [a, b] = [self.first, self.second].map(|index| &patient.structures[index]);
        let both = |holds: fn(StructureKind) -> bool| holds(a.kind) && holds(b.kind);
        let joins = both(|kind| kind == StructureKind::Artery)
            || both(|kind| kind == StructureKind::Vein)
            || both(|kind| kind == StructureKind::Hollow) && a.tissue == b.tissue;
        let volume = |s: &Structure| s.surface.signed_volume_mm3();
        let graze_mm3 = GRAZING_SHARE * volume(a).min(volume(b));
        a.priority == b.priority && !joins && self.volume_mm3 > graze_mm3
    }
}

/// How structures share a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shares {
    /// Pairs that share space.
    pub overlaps: Vec<Overlap>,
    /// What part of the volume that its surface encloses is a structure's own, where no other of
    /// higher priority lies, from 0 to 1; 1 where no ray met it.
    pub own: Vec<f64>,
}

/// The pairs of [`shares`].
///
/// # Errors
/// See [`Patient::scene`].
pub fn overlaps(patient: &Patient, spacing_mm: f64) -> Result<Vec<Overlap>, SceneError> {
    Ok(shares(patient, spacing_mm)?.overlaps)
}

/// Measures every pair's shared volume, and every structure's own, along parallel rays `spacing_mm` apart from feet to head;
/// farther apart where those would be more than a million.
///
/// # Errors
/// See [`Patient::scene`].
pub fn shares(patient: &Patient, spacing_mm: f64) -> Result<Shares, SceneError> {
    if patient.structures.is_empty() {
        return Ok(Shares::default());
    }
    let scene = patient.scene()?;
    let spacing_mm = affordable_mm(&scene.bounds(), spacing_mm);
    let rays = columns(&scene.bounds(), spacing_mm)?;
    let mut crossings = Crossings::default();
    scene.cast_bundle_parallel(&rays, &mut crossings);
    let mut shared_mm: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    let mut lengths_mm = vec![Lengths::default(); patient.structures.len()];
    for column in crossings.iter() {
        let mut inside: Vec<(usize, f64)> = Vec::new();
        let mut passed_mm = 0.0;
        for crossing in column {
            let surface = usize::from(crossing.surface.0);
            let stretch_mm = crossing.t_mm - passed_mm;
            passed_mm = crossing.t_mm;
            inside
                .iter()
                .for_each(|(s, _)| lengths_mm[*s].all += stretch_mm);
            // Of equals the one entered last, as a lumen in a lumen.
            let rank = |s: &usize| patient.structures[*s].priority;
            if let Some(own) = inside.iter().map(|(s, _)| *s).max_by_key(rank) {
                lengths_mm[own].own += stretch_mm;
            }
            if crossing.entering {
                inside.push((surface, crossing.t_mm));
                continue;
            }
            let Some(at) = inside.iter().rposition(|(other, _)| *other == surface) else {
                continue;
            };
            let (_, entered) = inside.remove(at);
            // Whoever leaves first counts the stretch: each pair once.
            for &(other, since) in inside.iter().filter(|(other, _)| *other != surface) {
                let pair = (surface.min(other), surface.max(other));
                *shared_mm.entry(pair).or_default() += crossing.t_mm - entered.max(since);
            }
        }
    }
    let cell_mm2 = spacing_mm * spacing_mm;
    let pairs = shared_mm.into_iter();
    let overlaps = pairs.map(|((first, second), mm)| Overlap {
        first,
        second,
        volume_mm3: mm * cell_mm2,
    });
    Ok(Shares {
        overlaps: overlaps.collect(),
        own: lengths_mm.iter().map(Lengths::share).collect(),
    })
}

/// Of rays within a structure, mm.
#[derive(Clone, Copy, Debug, Default)]
struct Lengths {
    all: f64,
    /// Where it is what lies there.
    own: f64,
}

impl Lengths {
    fn share(&self) -> f64 {
        if self.all > 0.0 {
            self.own / self.all
        } else {
            1.0
        }
    }
}

/// The spacing wanted, or the one that keeps the rays to a number that memory holds.
fn affordable_mm(bounds: &Aabb, spacing_mm: f64) -> f64 {
    const MOST_RAYS: f64 = 1e6;
    let [width, depth, _] = bounds.extent().map(f64::from);
    spacing_mm.max((width * depth / MOST_RAYS).sqrt())
}

fn columns(bounds: &Aabb, spacing_mm: f64) -> Result<Vec<Ray<frame::Patient>>, SceneError> {
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

#[cfg(test)]
mod tests {
    use geometry::sdf::{Expr, SurfaceLimits, surface};

    use super::*;
    use crate::atlas::Atlas;

    fn ball(id: &str, x: f64, radius_mm: f64) -> Structure {
        let shape = Expr::Sphere {
            center: [x, 0.0, 0.0],
            radius_mm,
        };
        let mesh = surface(&shape, 1.0, &SurfaceLimits::default()).unwrap();
        Structure::of_entry(Atlas::builtin().structure(id).unwrap(), mesh)
    }

    /// Two balls of radius r at a distance d share the lens π(4r + d)(2r − d)²/12.
    #[test]
    fn two_balls_share_a_lens() {
        let patient = Patient {
            structures: vec![
                ball("liver", 0.0, 20.0),
                ball("spleen", 15.0, 20.0),
                ball("aorta", 90.0, 5.0),
            ],
            ..Patient::empty("balls")
        };
        let found = overlaps(&patient, 1.0).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].first, found[0].second), (0, 1));
        // The aorta has its own; of liver and spleen, the one of higher priority keeps the lens.
        let own = shares(&patient, 1.0).unwrap().own;
        let lens_share = found[0].volume_mm3 / patient.structures[0].surface.signed_volume_mm3();
        assert_eq!(own[2], 1.0);
        assert!(
            (own[0] + own[1] - (2.0 - lens_share)).abs() < 0.01,
            "{own:?}"
        );
        let (r, d) = (20.0_f64, 15.0_f64);
        let lens = std::f64::consts::PI * (4.0 * r + d) * (2.0 * r - d).powi(2) / 12.0;
        assert!(
            (found[0].volume_mm3 / lens - 1.0).abs() < 0.01,
            "{} {lens}",
            found[0].volume_mm3
        );
    }

    #[test]
    fn a_ball_within_a_ball_shares_all_of_itself() {
        let patient = Patient {
            structures: vec![ball("liver", 0.0, 20.0), ball("gallbladder", 3.0, 8.0)],
            ..Patient::empty("balls")
        };
        let found = overlaps(&patient, 0.5).unwrap();
        let whole = patient.structures[1].surface.signed_volume_mm3();
        assert!(
            (found[0].volume_mm3 / whole - 1.0).abs() < 0.01,
            "{found:?}"
        );
    }
}
