//! A patient made ready: what sound meets, and the skin. Made once, shared by all who look.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use anatomy::Patient;
use anatomy::deform::{CutEnds, Deformation};
use anatomy::tissue::TissueTable;
use geometry::scene::{Crossings, Ray};
use geometry::{Point, Vector, frame};
use ultrasound::engine::Medium;
use ultrasound::frame::CELL_MM;

use crate::ProcedureError;
use crate::skin::Skin;

/// A patient made ready.
pub struct Body {
    /// The patient.
    pub patient: Patient,
    /// What sound meets.
    pub medium: Arc<Medium>,
    /// The outside.
    pub skin: Skin,
    /// Where it is no skin, since the scan ends there.
    pub ends: CutEnds,
    deformation: OnceLock<Deformation>,
}

impl Body {
    /// Makes a patient ready, with the built-in tissues.
    ///
    /// # Errors
    /// [`ProcedureError::Medium`].
    pub fn new(patient: Patient) -> Result<Self, ProcedureError> {
        let medium = Medium::of_patient(&patient, TissueTable::builtin())?;
        Ok(Self {
            skin: Skin::new(medium.scene().clone()),
            medium: Arc::new(medium),
            ends: CutEnds::of(&patient),
            patient,
            deformation: OnceLock::new(),
        })
    }

    /// How the patient moves: worked out when first asked for.
    pub fn deformation(&self) -> &Deformation {
        let scene = self.medium.scene();
        self.deformation
            .get_or_init(|| Deformation::in_scene(&self.patient, scene))
    }

    /// Cells of the lattice of facts that a structure reaches into.
    pub fn cells_of(&self, structure: usize) -> u32 {
        let bounds = self.patient.structures[structure].surface.bounds();
        let scene = self.medium.scene();
        let places = |axis: usize| {
            let (low, high) = (f64::from(bounds.min[axis]), f64::from(bounds.max[axis]));
            let first = libm::ceil(low / SAMPLE_MM) as i64;
            let last = libm::floor(high / SAMPLE_MM) as i64;
            (first..=last).map(|n| n as f64 * SAMPLE_MM)
        };
        let below = f64::from(bounds.min[2]) - 1.0;
        let mut cells = BTreeSet::new();
        let mut crossings = Crossings::new();
        for x in places(0) {
            for y in places(1) {
                let up = Vector::<frame::Patient>::new(0.0, 0.0, 1.0);
                let Ok(ray) = Ray::new(Point::new(x, y, below), up) else {
                    continue;
                };
                scene.cast(&ray, &mut crossings);
                let mut inside_from = None;
                for crossing in crossings.of_ray(0) {
                    let is_of =
                        |id: Option<_>| id == Some(geometry::scene::SurfaceId(structure as u16));
                    if is_of(crossing.after) && !is_of(crossing.before) {
                        inside_from = Some(below + crossing.t_mm);
                    } else if is_of(crossing.before)
                        && !is_of(crossing.after)
                        && let Some(from) = inside_from.take()
                    {
                        let [from, to] = [from, below + crossing.t_mm].map(cell_of);
                        cells.extend((from..=to).map(|z| [cell_of(x), cell_of(y), z]));
                    }
                }
            }
        }
        cells.len() as u32
    }
}

/// Distance of the rays that look for cells, mm.
const SAMPLE_MM: f64 = CELL_MM / 2.0;

fn cell_of(at_mm: f64) -> i64 {
    libm::floor(at_mm / CELL_MM) as i64
}
