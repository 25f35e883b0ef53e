//! Coarse surfaces without their facets.
//!
//! A surface from voxels of 3 mm has triangles as large, and a beam that meets a flat triangle
//! leaves at one angle for all of it: streaks. Each coarse surface is made anew from its distance
//! field, smoothed by a Gaussian, on a finer grid. The field may change by a small bound only, so
//! that nothing moves farther than that and nothing thin vanishes; the level is then shifted until
//! the volume is what it was.

use geometry::polygonise::PolygoniseError;
use geometry::{TriMesh, frame};
use rayon::prelude::*;

use super::field::{Field, Grid, without_crumbs};
use super::figures::SmoothFigures;
use super::{Context, EnrichError, surface_error};
use crate::atlas::StructureKind;
use crate::patient::{Patient, Structure};

/// Volume may change by this share.
const VOLUME_SHARE: f64 = 0.01;

/// Largest number of samples that one surface is worth.
const MOST_SAMPLES: usize = 24_000_000;

/// Smaller structures are sampled more finely, larger ones more coarsely, ml.
const SMALL_ML: f64 = 60.0;
const LARGE_ML: f64 = 2500.0;

/// Longer edges are no voxels': they are flat faces that are meant, mm.
const MOST_EDGE_MM: f64 = 9.0;

/// What became of a surface.
enum Outcome {
    Smooth(TriMesh<frame::Patient>),
    Fine,
    Kept(&'static str),
}

pub(super) fn add(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    let figures = &context.figures.smooth;
    let outcomes: Vec<Outcome> = patient
        .structures
        .par_iter()
        .with_max_len(1)
        .map(|structure| {
            if context.request.keep_surfaces.contains(&structure.id) {
                Ok(Outcome::Fine)
            } else {
                smoothed(structure, figures)
            }
        })
        .collect::<Result<_, _>>()?;
    let mut made = 0;
    let mut kept: Vec<String> = Vec::new();
    for (structure, outcome) in patient.structures.iter_mut().zip(outcomes) {
        match outcome {
            Outcome::Smooth(surface) => {
                structure.surface = surface;
                made += 1;
            }
            Outcome::Kept(why) => kept.push(format!("`{}` ({why})", structure.id)),
            Outcome::Fine => {}
        }
    }
    if made > 0 {
        notes.push(format!(
            "{made} surfaces made anew without the facets of coarse voxels, volumes kept"
        ));
    }
    if !kept.is_empty() {
        notes.push(format!("surfaces kept as they are: {}", kept.join(", ")));
    }
    Ok(())
}

/// What is looked at along its surface: organs, what they hold, vessels and muscles. Bones shadow whatever lies behind them; skin and fat reach over the whole body.
fn is_worth_it(structure: &Structure) -> bool {
    use StructureKind::{Artery, Cavity, Hollow, Lesion, Muscle, Organ, OrganPart, Vein};
    !structure.modelled
        && matches!(
            structure.kind,
            Organ | OrganPart | Hollow | Cavity | Artery | Vein | Muscle | Lesion
        )
}

fn smoothed(structure: &Structure, figures: &SmoothFigures) -> Result<Outcome, EnrichError> {
    let mesh = &structure.surface;
    let coarse = figures.coarse_edge_mm.value..MOST_EDGE_MM;
    if !is_worth_it(structure) || !coarse.contains(&typical_edge_mm(mesh)) {
        return Ok(Outcome::Fine);
    }
    let bound_mm = figures.bound_mm.value;
    let volume_ml = mesh.signed_volume_mm3() / 1000.0;
    let spacing = match volume_ml {
        small if small < SMALL_ML => figures.fine_spacing_mm.value,
        large if large > LARGE_ML => figures.coarse_spacing_mm.value,
        _ => figures.spacing_mm.value,
    };
    let grid = Grid::around(&mesh.bounds(), 4.0, spacing);
    if grid.count() > MOST_SAMPLES {
        return Ok(Outcome::Kept("too large"));
    }
    let exact = Field::near_mesh(mesh, grid, BAND_MM);
    let blurred = exact.smoothed(figures.sigma_mm.value);
    let bound = bound_mm as f32;
    let soft = Field::of_points(grid, |n| {
        let value = exact.values[n];
        blurred.values[n].clamp(value - bound, value + bound)
    });
    let target_mm3 = mesh.signed_volume_mm3();
    let Some(made) = of_volume(&soft, target_mm3).map_err(surface_error(&structure.id))? else {
        return Ok(Outcome::Kept("too thin"));
    };
    if (made.signed_volume_mm3() / target_mm3 - 1.0).abs() > VOLUME_SHARE {
        return Ok(Outcome::Kept("its volume would change"));
    }
    // Lean tissue without a label and gas are scraps anyway.
    let is_scraps = matches!(
        structure.kind,
        StructureKind::Muscle | StructureKind::Cavity
    );
    if !is_scraps && pieces(&made) != pieces(mesh) {
        return Ok(Outcome::Kept("it would fall apart"));
    }
    Ok(Outcome::Smooth(made))
}

/// Beyond this the field is flat, mm: as far as the blur cares.
const BAND_MM: f64 = 3.0;

/// Pieces and holes worth counting: more than ten voxels of 3 mm.
fn pieces(mesh: &TriMesh<frame::Patient>) -> usize {
    const WORTH_MM3: f64 = 270.0;
    without_crumbs(mesh, WORTH_MM3).map_or(0, |mesh| mesh.components().len())
}

/// Less than a voxel of 3 mm.
const CRUMB_MM3: f64 = 10.0;

/// The surface at the level near 0 at which it encloses this volume: false position between two
/// levels that enclose less and more (the Illinois rule halves the end that stays).
fn of_volume(
    field: &Field,
    target_mm3: f64,
) -> Result<Option<TriMesh<frame::Patient>>, PolygoniseError> {
    const ROUNDS: usize = 8;
    const FARTHEST_MM: f64 = 1.5;
    const GOOD_SHARE: f64 = 0.001;
    let missing = |mesh: &TriMesh<frame::Patient>| mesh.signed_volume_mm3() / target_mm3 - 1.0;
    let Some(mut made) = field.surface(CRUMB_MM3)? else {
        return Ok(None);
    };
    let mut here = (0.0, missing(&made));
    // Smoothing takes from what bulges, so mostly the level has to rise.
    let step = if here.1 < 0.0 { 0.25 } else { -0.25 };
    let mut other: Option<(f64, f64)> = None;
    for _ in 0..ROUNDS {
        if here.1.abs() < GOOD_SHARE {
            break;
        }
        let level = match other {
            Some(other) => here.0 - here.1 * (here.0 - other.0) / (here.1 - other.1),
            None => here.0 + step,
        };
        if level.abs() > FARTHEST_MM {
            break;
        }
        let Some(mesh) = field.grown(level as f32).surface(CRUMB_MM3)? else {
            break;
        };
        let next = (level, missing(&mesh));
        made = mesh;
        let crosses = (next.1 < 0.0) != (here.1 < 0.0);
        other = if crosses {
            Some(here)
        } else {
            other.map(|(level, value)| (level, 0.5 * value))
        };
        here = next;
    }
    Ok(Some(made))
}

/// The edge that a mesh of this area and number of triangles has, were they all alike.
fn typical_edge_mm(mesh: &TriMesh<frame::Patient>) -> f64 {
    let triangle = mesh.area_mm2() / mesh.triangles().len() as f64;
    (triangle * 4.0 / 3.0_f64.sqrt()).sqrt()
}

#[cfg(test)]
mod tests {
    use geometry::check::inspect;
    use geometry::closest::SurfaceQuery;
    use geometry::labels::{SurfaceOptions, surface_of_mask};
    use geometry::{Affine, Point, Volume};
    use nalgebra::{Matrix3, Vector3};

    use super::*;
    use crate::atlas::Atlas;
    use crate::enrich::figures::Figures;

    /// A ball of 20 mm in voxels of 3 mm.
    fn coarse_ball() -> Structure {
        let dims = [20; 3];
        let place = |n: usize| {
            let ijk = [n % 20, n / 20 % 20, n / 400];
            Vector3::from_fn(|a, _| 3.0 * ijk[a] as f64 - 28.5)
        };
        let mask = Volume {
            dims,
            voxels: (0..8000)
                .map(|n| u8::from(place(n).norm() < 20.0))
                .collect(),
            patient_from_voxel: Affine::new(
                Matrix3::from_diagonal_element(3.0),
                Vector3::repeat(-28.5),
            )
            .unwrap(),
        };
        let made = surface_of_mask(&mask, &SurfaceOptions::default());
        let mesh = made.unwrap().unwrap().mesh;
        Structure::of_entry(Atlas::builtin().structure("spleen").unwrap(), mesh)
    }

    /// How much the distance from the middle varies over the surface, and how the normals stray
    /// from the radius, in degrees.
    fn roughness(mesh: &TriMesh<frame::Patient>) -> (f64, f64) {
        let (mut spread, mut tilt, mut area) = (0.0, 0.0, 0.0);
        for t in 0..mesh.triangles().len() {
            let [a, b, c] = mesh
                .corners(t)
                .map(|p| Point::<frame::Patient>::from_f32(p).coords);
            let middle = (a + b + c) / 3.0;
            let normal = (b - a).cross(&(c - a));
            let part = normal.norm();
            spread += part * (middle.norm() - 20.0).powi(2);
            tilt += part * normal.angle(&middle).to_degrees().powi(2);
            area += part;
        }
        ((spread / area).sqrt(), (tilt / area).sqrt())
    }

    #[test]
    fn a_coarse_ball_becomes_rounder_keeps_its_volume_and_stays_within_the_bound() {
        let figures = Figures::builtin().unwrap();
        let ball = coarse_ball();
        let Outcome::Smooth(made) = smoothed(&ball, &figures.smooth).unwrap() else {
            panic!("not smoothed");
        };
        assert!(inspect(&made).is_sound());
        let share = made.signed_volume_mm3() / ball.surface.signed_volume_mm3();
        assert!((share - 1.0).abs() < VOLUME_SHARE, "{share}");
        let (before, after) = (roughness(&ball.surface), roughness(&made));
        assert!(after.1 < 0.7 * before.1, "{before:?} {after:?}");
        let query = SurfaceQuery::new(&ball.surface);
        for vertex in made.vertices() {
            let moved = query.closest(Point::from_f32(*vertex)).distance_mm;
            assert!(moved < 3.0, "{moved}");
        }
    }
}
