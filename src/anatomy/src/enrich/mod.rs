//! What neither a label map nor a gross recipe holds, added to any patient.
//!
//! A label map of 3 mm voxels has a kidney, but no pyramids in it; a sonographer sees little else.
//! [`enrich`] adds such structures by rule, from the surfaces that are there and the figures of
//! `assets/enrichment.ron`, and marks them [`crate::Structure::modelled`]: they are likely, not
//! measured. What is there already stays: a patient who has a renal medulla gets no second one.
//!
//! Same patient, request and seed: same bytes, whatever the number of threads.

mod around;
pub mod field;
pub mod figures;
mod gut;
mod hand_on;
mod kidney;
mod liver;
mod random;
mod renal_vessels;
mod smooth;
mod trees;

use catalog::CatalogError;
use geometry::polygonise::PolygoniseError;
use geometry::{TriMesh, frame};
use thiserror::Error;

use crate::atlas::Atlas;
use crate::patient::{Patient, Structure};
use crate::progress::Progress;
use crate::tissue::TissueTable;
use field::Field;
use figures::Figures;

/// One of the patient's sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The patient's left.
    Left,
    /// The patient's right.
    Right,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// As the atlas' ids end: `kidney_left`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// One thing that can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Coarse surfaces made anew without facets. First, since the others go by the surfaces.
    Smoothing,
    /// Pyramids, sinus and collecting system of the kidneys.
    Kidneys,
    /// Renal arteries and veins.
    RenalVessels,
    /// Walls and gas of stomach and bowel.
    Gut,
    /// Walls of gallbladder and urinary bladder.
    Walls,
    /// The fat round the kidneys.
    PerirenalFat,
    /// The sac round the heart.
    Pericardium,
    /// Portal branches, hepatic veins and arteries in the liver. After the walls, from which they
    /// keep away.
    Liver,
}

impl Step {
    /// All of them, in the order in which they are done.
    pub const ALL: [Self; 8] = [
        Self::Smoothing,
        Self::Kidneys,
        Self::RenalVessels,
        Self::Gut,
        Self::Walls,
        Self::PerirenalFat,
        Self::Pericardium,
        Self::Liver,
    ];
}

/// What to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrichment {
    /// Same seed, same body.
    pub seed: u64,
    /// What to add, in any order.
    pub steps: Vec<Step>,
    /// Kidneys whose collecting system is widened, with the grade, 1 to 4.
    pub hydronephrosis: Vec<(Side, u8)>,
    /// Structures whose surfaces stay as they are: those that somebody drew and means.
    pub keep_surfaces: Vec<String>,
}

impl Default for Enrichment {
    /// Everything that a healthy body has.
    fn default() -> Self {
        Self {
            seed: 0,
            steps: Step::ALL.to_vec(),
            hydronephrosis: Vec::new(),
            keep_surfaces: Vec::new(),
        }
    }
}

/// Why a patient cannot be enriched.
#[derive(Debug, Error)]
pub enum EnrichError {
    /// `assets/enrichment.ron` has faults.
    #[error(transparent)]
    Figures(#[from] CatalogError),
    /// A grade of hydronephrosis that is none.
    #[error("hydronephrosis has the grades 1 to 4, not {0}")]
    Grade(u8),
    /// The atlas lacks a structure.
    #[error("`{0}` cannot be added: it is not in the atlas")]
    NotInAtlas(&'static str),
    /// A surface cannot be made.
    #[error("`{structure}`: {source}")]
    Surface {
        /// The structure.
        structure: String,
        /// Why.
        source: PolygoniseError,
    },
}

/// What every step is handed.
struct Context<'a> {
    request: &'a Enrichment,
    figures: &'a Figures,
    atlas: &'a Atlas,
    tissues: &'a TissueTable,
}

/// Adds to a patient what its source did not hold. The notes say what was added, and what could not
/// be and why.
///
/// # Errors
/// See [`EnrichError`]; the patient may then hold a part of what was asked for.
pub fn enrich(
    patient: &mut Patient,
    request: &Enrichment,
    atlas: &Atlas,
    tissues: &TissueTable,
    progress: &dyn Progress,
) -> Result<Vec<String>, EnrichError> {
    let figures = Figures::builtin()?;
    check(request, &figures)?;
    let context = Context {
        request,
        figures: &figures,
        atlas,
        tissues,
    };
    let mut notes = Vec::new();
    progress.stage("structures finer than the source", Step::ALL.len() as u64);
    for step in Step::ALL {
        if request.steps.contains(&step) {
            let add = match step {
                Step::Smoothing => smooth::add,
                Step::Kidneys => kidney::add,
                Step::RenalVessels => renal_vessels::add,
                Step::Gut => gut::add,
                Step::Walls => around::walls,
                Step::PerirenalFat => around::perirenal_fat,
                Step::Pericardium => around::pericardium,
                Step::Liver => liver::add,
            };
            add(patient, &context, &mut notes)?;
        }
        progress.step();
    }
    Ok(notes)
}

fn check(request: &Enrichment, figures: &Figures) -> Result<(), EnrichError> {
    let is_grade = |grade: u8| grade > 0 && usize::from(grade) < figures.kidney.grades.len();
    match request.hydronephrosis.iter().find(|(_, g)| !is_grade(*g)) {
        Some(&(_, grade)) => Err(EnrichError::Grade(grade)),
        None => Ok(()),
    }
}

impl Context<'_> {
    /// A structure of the atlas with this surface, marked as modelled.
    fn modelled(
        &self,
        id: &'static str,
        surface: TriMesh<frame::Patient>,
    ) -> Result<Structure, EnrichError> {
        let entry = self
            .atlas
            .structure(id)
            .ok_or(EnrichError::NotInAtlas(id))?;
        Ok(Structure {
            modelled: true,
            ..Structure::of_entry(entry, surface)
        })
    }

    /// Adds the field's surface as a modelled structure; says whether there was anything.
    fn put(
        &self,
        patient: &mut Patient,
        id: &'static str,
        field: &Field,
        least_mm3: f64,
    ) -> Result<bool, EnrichError> {
        let Some(mesh) = field.surface(least_mm3).map_err(surface_error(id))? else {
            return Ok(false);
        };
        patient.structures.push(self.modelled(id, mesh)?);
        Ok(true)
    }
}

/// A field without what another structure takes, and a gap; as it is where there is no such one.
fn cut_by(field: &Field, patient: &Patient, id: &str, gap_mm: f32) -> Field {
    let grid = field.grid;
    let near = patient
        .structure(id)
        .filter(|s| s.surface.bounds().overlaps(&grid.bounds()));
    let Some(structure) = near else {
        return field.clone();
    };
    let other = Field::near_mesh(&structure.surface, grid, 2.0 * grid.spacing_mm);
    Field::of_points(grid, |n| field.values[n].max(gap_mm - other.values[n]))
}

fn surface_error(structure: &str) -> impl Fn(PolygoniseError) -> EnrichError {
    let structure = structure.to_owned();
    move |source| EnrichError::Surface {
        structure: structure.clone(),
        source,
    }
}
