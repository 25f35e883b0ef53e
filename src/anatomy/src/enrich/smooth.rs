//! Coarse surfaces without their facets.
//!
//! A surface from voxels of 3 mm has triangles as large, and a beam that meets a flat triangle
//! leaves at one angle for all of it: streaks. Each coarse surface is made anew from its distance
//! field, smoothed by a Gaussian, on a finer grid. The field may change by a small bound only, so
//! that nothing moves farther than that and nothing thin vanishes; the level is then shifted until
//! the volume is what it was.

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
        .map(|structure| smoothed(structure, figures))
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

/// What is looked at along its surface: organs, what they hold, large vessels and muscles with a
/// name. Bones shadow whatever lies behind them; skin and fat reach over the whole body.
fn is_worth_it(structure: &Structure) -> bool {
    use StructureKind::{Artery, Cavity, Hollow, Lesion, Muscle, Organ, OrganPart, Vein};
    !structure.modelled
        && structure.id != "skeletal_muscle"
        && matches!(
            structure.kind,
            Organ | OrganPart | Hollow | Cavity | Artery | Vein | Muscle | Lesion
        )
}

fn smoothed(structure: &Structure, figures: &SmoothFigures) -> Result<Outcome, EnrichError> {
    let mesh = &structure.surface;
    if !is_worth_it(structure) || typical_edge_mm(mesh) < figures.coarse_edge_mm.value {
        return Ok(Outcome::Fine);
    }
    let bound_mm = figures.bound_mm.value;
    let grid = Grid::around(&mesh.bounds(), 4.0, figures.spacing_mm.value);
    if grid.len() > MOST_SAMPLES {
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
    if made.components().len() != pieces(mesh) {
        return Ok(Outcome::Kept("it would fall apart"));
    }
    Ok(Outcome::Smooth(made))
}

/// Beyond this the field is flat, mm: more than the blur reaches to.
const BAND_MM: f64 = 4.0;

/// Pieces and holes worth counting.
fn pieces(mesh: &TriMesh<frame::Patient>) -> usize {
    without_crumbs(mesh, CRUMB_MM3).map_or(0, |mesh| mesh.components().len())
}

/// Less than a voxel of 3 mm.
const CRUMB_MM3: f64 = 20.0;

/// The surface at the level near 0 at which it encloses this volume.
fn of_volume(
    field: &Field,
    target_mm3: f64,
) -> Result<Option<TriMesh<frame::Patient>>, geometry::polygonise::PolygoniseError> {
    const ROUNDS: usize = 3;
    let mut level = 0.0;
    let mut made = None;
    for _ in 0..ROUNDS {
        let Some(mesh) = field.grown(level as f32).surface(CRUMB_MM3)? else {
            return Ok(None);
        };
        let missing = target_mm3 - mesh.signed_volume_mm3();
        let area = mesh.area_mm2();
        made = Some(mesh);
        if (missing / target_mm3).abs() < 0.1 * VOLUME_SHARE {
            break;
        }
        level += missing / area;
    }
    Ok(made)
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
