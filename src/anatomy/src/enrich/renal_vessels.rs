//! Renal arteries and veins, where the source has the great vessels but not these.
//!
//! A sonographer finds the left renal vein between the aorta and the superior mesenteric artery, and
//! the right renal artery behind the inferior vena cava. Label maps rarely have either.
//!
//! Only surfaces are added, no segments of the vessel graph: nothing is known of the flow in them.

use geometry::moments::moments;
use geometry::sdf::{Expr, Solid, TubePoint};
use geometry::{Aabb, Point, frame};
use nalgebra::Vector3;

use super::field::{Field, Grid};
use super::{Context, EnrichError, Side, cut_by};
use crate::patient::{Patient, Structure};

/// Distance between samples, mm.
const SPACING_MM: f64 = 0.9;

/// Crumbs below this are left out, mm³.
const LEAST_MM3: f64 = 40.0;

/// How far beyond the middle of the sinus a vessel ends, towards the hilum, mm.
const SHORT_OF_SINUS_MM: f64 = 3.0;

/// The ids of one side: kidney, sinus, artery, vein.
fn ids(side: Side) -> [&'static str; 4] {
    match side {
        Side::Left => [
            "kidney_left",
            "renal_sinus_left",
            "renal_artery_left",
            "renal_vein_left",
        ],
        Side::Right => [
            "kidney_right",
            "renal_sinus_right",
            "renal_artery_right",
            "renal_vein_right",
        ],
    }
}

pub(super) fn add(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    for side in Side::BOTH {
        let [_, sinus, artery, vein] = ids(side);
        let Some(sinus) = patient.structure(sinus).and_then(middle) else {
            continue;
        };
        let (Some(aorta), Some(cava)) = (
            trunk(patient, "aorta", sinus.z),
            trunk(patient, "inferior_vena_cava", sinus.z),
        ) else {
            continue;
        };
        let paths = Paths {
            side,
            sinus,
            aorta,
            cava,
            context,
        };
        for (id, trunk, path) in [
            (artery, "aorta", paths.artery()),
            (vein, "inferior_vena_cava", paths.vein()),
        ] {
            if patient.structure(id).is_some() {
                continue;
            }
            if put(patient, id, trunk, path, context)? {
                notes.push(format!("`{id}` modelled, from `{trunk}` to the sinus"));
            }
        }
    }
    Ok(())
}

/// Middle of a structure's volume.
fn middle(structure: &Structure) -> Option<Vector3<f64>> {
    Some(moments(&structure.surface)?.centroid.coords)
}

/// A great vessel where it passes a height.
#[derive(Clone, Copy, Debug)]
struct Trunk {
    middle: Vector3<f64>,
    radius_mm: f64,
}

fn trunk(patient: &Patient, id: &str, z: f64) -> Option<Trunk> {
    const SLICE_MM: f64 = 6.0;
    let structure = patient.structure(id)?;
    let near: Vec<Vector3<f64>> = structure
        .surface
        .vertices()
        .iter()
        .map(|v| Point::<frame::Patient>::from_f32(*v).coords)
        .filter(|v| (v.z - z).abs() < SLICE_MM)
        .collect();
    if near.is_empty() {
        return None;
    }
    let count = near.len() as f64;
    let mut middle = near.iter().sum::<Vector3<f64>>() / count;
    middle.z = z;
    let flat = |v: &Vector3<f64>| (v - middle).xy().norm();
    let radius_mm = near.iter().map(flat).sum::<f64>() / count;
    Some(Trunk { middle, radius_mm })
}

/// Where the vessels of one side run.
struct Paths<'a> {
    side: Side,
    sinus: Vector3<f64>,
    aorta: Trunk,
    cava: Trunk,
    context: &'a Context<'a>,
}

impl Paths<'_> {
    fn artery(&self) -> Vec<TubePoint> {
        let radius = self.context.figures.renal_vessels.artery_radius_mm.value;
        let mut places = vec![self.aorta.middle];
        if self.side == Side::Right {
            // Behind the vena cava.
            let behind = self.cava.radius_mm + radius + 1.0;
            places.push(self.cava.middle + Vector3::new(0.0, behind, 0.0));
        }
        places.push(self.end(Vector3::new(0.0, radius, 2.0)));
        tube(&places, radius)
    }

    fn vein(&self) -> Vec<TubePoint> {
        let radius = self.context.figures.renal_vessels.vein_radius_mm.value;
        let mut places = vec![self.cava.middle];
        if self.side == Side::Left {
            // Over the aorta, flat behind the superior mesenteric artery.
            let before = self.aorta.radius_mm + 0.8 * radius + 1.0;
            places.push(self.aorta.middle + Vector3::new(0.0, -before, 2.0));
            let beside = self.aorta.radius_mm + radius + 4.0;
            places.push(self.aorta.middle + Vector3::new(beside, -0.6 * before, 1.0));
        }
        places.push(self.end(Vector3::new(0.0, -radius, -2.0)));
        tube(&places, radius)
    }

    /// In the sinus, short of its middle, beside it.
    fn end(&self, beside: Vector3<f64>) -> Vector3<f64> {
        let from = match self.side {
            Side::Left => self.aorta.middle,
            Side::Right => self.cava.middle,
        };
        let out = (from - self.sinus).try_normalize(1e-6);
        self.sinus + out.unwrap_or_else(Vector3::zeros) * SHORT_OF_SINUS_MM + beside
    }
}

fn tube(places: &[Vector3<f64>], radius_mm: f64) -> Vec<TubePoint> {
    let last = places.len() - 1;
    let point = |(n, p): (usize, &Vector3<f64>)| TubePoint {
        place: [p.x, p.y, p.z],
        // It branches in the sinus.
        radius_mm: if n == last {
            0.6 * radius_mm
        } else {
            radius_mm
        },
    };
    places.iter().enumerate().map(point).collect()
}

fn put(
    patient: &mut Patient,
    id: &'static str,
    trunk: &str,
    points: Vec<TubePoint>,
    context: &Context<'_>,
) -> Result<bool, EnrichError> {
    let places: Vec<[f32; 3]> = points.iter().map(|p| p.place.map(|mm| mm as f32)).collect();
    let Ok(solid) = Solid::new(&Expr::Tube { points }) else {
        return Ok(false);
    };
    let grid = Grid::around(&Aabb::of_points(&places), 14.0, SPACING_MM);
    let field = Field::of(grid, |p| solid.distance_mm(Point::from_coords(p)));
    let field = cut_by(&field, patient, trunk, 0.0);
    // A crumb beyond the trunk is what the tube's end leaves on its far side.
    let Some(mesh) = field.surface(LEAST_MM3).map_err(super::surface_error(id))? else {
        return Ok(false);
    };
    let largest = mesh
        .components()
        .into_iter()
        .max_by(|a, b| a.signed_volume_mm3().total_cmp(&b.signed_volume_mm3()));
    let Some(mesh) = largest else {
        return Ok(false);
    };
    patient.structures.push(context.modelled(id, mesh)?);
    Ok(true)
}
