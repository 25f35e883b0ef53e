//! Real patients from label maps, CT, surfaces and centrelines.
//!
//! [`import`] reads the files, makes closed surfaces, names them by the atlas, and derives what
//! follows: the body's layers from the CT, standard planes and landmarks from the organs present,
//! the vessel graph from the lumens. It writes nothing; [`crate::Patient::save`] does.

pub mod body;
mod ct;
mod label_map;
mod labels;
mod lumens;
mod meshes;

use std::path::PathBuf;

use geometry::centerline::CenterlineError;
use geometry::check::MeshReport;
use geometry::labels::LabelError;
use geometry::markups::MarkupError;
use geometry::mesh_file::{Axes, MeshFileError, MeshUnits};
use geometry::polygonise::PolygoniseError;
use geometry::remesh::RemeshError;
use geometry::volume_file::VolumeFileError;
use thiserror::Error;

use crate::atlas::Atlas;
use crate::enrich::{EnrichError, Enrichment, enrich};
use crate::landmarks;
use crate::motion;
use crate::patient::{Patient, Structure, surfaces_by_id};
use crate::patient_file::{Habitus, Identity};
use crate::planes;
use crate::progress::Progress;
use crate::scatterers::Scatterers;
use crate::tissue::TissueTable;
use crate::vessels::VesselGraph;

/// What to import.
#[derive(Clone, Debug, Default)]
pub struct ImportRequest {
    /// The patient's invented name.
    pub name: String,
    /// A label map.
    pub labels: Option<PathBuf>,
    /// The CT on the label map's grid.
    pub ct: Option<PathBuf>,
    /// Names of the labels; the atlas' own numbers where `None`.
    pub names: Option<PathBuf>,
    /// Labels to leave out.
    pub ignore_labels: Vec<u16>,
    /// Surface files and the structures they are.
    pub meshes: Vec<(PathBuf, String)>,
    /// Unit of surface and markup files; each format's own default where `None`.
    pub unit: Option<MeshUnits>,
    /// Axes of surface and markup files; each format's own default where `None`.
    pub axes: Option<Axes>,
    /// Close surfaces that are open or cross themselves.
    pub repair: bool,
    /// Centrelines drawn in 3D Slicer.
    pub centerlines: Vec<PathBuf>,
    /// What to add that the files do not hold.
    pub enrichment: Option<Enrichment>,
}

/// Why an import fails. Each variant says where and how to mend it.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A volume file.
    #[error(transparent)]
    Volume(#[from] VolumeFileError),
    /// A surface file.
    #[error(transparent)]
    Mesh(#[from] MeshFileError),
    /// A markup file.
    #[error(transparent)]
    Markup(#[from] MarkupError),
    /// The file of names.
    #[error("{}: {why}; a names file is JSON that maps label numbers to structure names, such as {{\"5\": \"liver\"}}", .file.display())]
    Names {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Labels that no name is known for.
    #[error(
        "{}: {}; name them with --names or leave them out with{}",
        .file.display(),
        .labels.iter().map(UnnamedLabel::to_string).collect::<Vec<_>>().join(", "),
        .labels.iter().map(|l| format!(" --ignore-label {}", l.label)).collect::<String>()
    )]
    UnnamedLabels {
        /// The label map.
        file: PathBuf,
        /// All of them.
        labels: Vec<UnnamedLabel>,
    },
    /// A name that the atlas does not hold.
    #[error("{given_in}: the structure `{name}` is not in the atlas{}; `sonocath patient list --structures` shows the names", .nearest.as_ref().map_or_else(String::new, |n| format!(" (did you mean `{n}`?)")))]
    UnknownStructure {
        /// The file or option that names it.
        given_in: String,
        /// The name.
        name: String,
        /// The nearest name in the atlas.
        nearest: Option<String>,
    },
    /// Two sources of the same structure.
    #[error("the structure `{name}` comes twice: from {first} and from {second}; leave one out")]
    Twice {
        /// The structure.
        name: String,
        /// Where it came from first.
        first: String,
        /// Where it came from again.
        second: String,
    },
    /// The CT does not lie on the label map's grid.
    #[error("{}: the CT's grid is not that of {}: {difference}; resample one onto the other", .ct.display(), .labels.display())]
    GridMismatch {
        /// The CT.
        ct: PathBuf,
        /// The label map.
        labels: PathBuf,
        /// In what they differ.
        difference: String,
    },
    /// The label map holds only background.
    #[error("{}: every voxel is 0: there is no structure to import", .0.display())]
    NoLabels(PathBuf),
    /// The values are no Hounsfield units.
    #[error("{}: its values go from {least} to {most}, but a CT in Hounsfield units has air near -1000 and tissue round 0; is it the CT?", .file.display())]
    NotHounsfield {
        /// The file.
        file: PathBuf,
        /// Smallest value.
        least: f32,
        /// Largest value.
        most: f32,
    },
    /// The CT shows no body.
    #[error("{}: nothing in this CT is denser than air; are its values Hounsfield units?", .0.display())]
    NoBody(PathBuf),
    /// A structure of a size that no person has.
    #[error("{given_in}: `{structure}` is {longest_mm:.0} mm long, but in people it is {} to {} mm; {mend}", .plausible_mm.0, .plausible_mm.1)]
    Implausible {
        /// Where it came from.
        given_in: String,
        /// The structure.
        structure: String,
        /// Longest side of its box.
        longest_mm: f64,
        /// Least and most in the atlas.
        plausible_mm: (f64, f64),
        /// What to do.
        mend: String,
    },
    /// Surfaces that bound no volume, all of them.
    #[error("{}; --repair closes them by winding-number remesh", .0.iter().map(Defect::to_string).collect::<Vec<_>>().join("\n"))]
    Defects(Vec<Defect>),
    /// A surface that cannot be repaired.
    #[error("{file}: cannot be repaired: {source}")]
    Repair {
        /// The file.
        file: String,
        /// Why.
        source: RemeshError,
    },
    /// A label's surface cannot be made.
    #[error("{}: {source}", .file.display())]
    Label {
        /// The label map.
        file: PathBuf,
        /// Why.
        source: LabelError,
    },
    /// A surface from the CT cannot be made.
    #[error("{}: {source}", .file.display())]
    Polygonise {
        /// The CT.
        file: PathBuf,
        /// Why.
        source: PolygoniseError,
    },
    /// What the files do not hold cannot be added.
    #[error(transparent)]
    Enrich(#[from] EnrichError),
    /// Drawn centrelines cannot be joined to a graph.
    #[error("the centrelines given: {0}")]
    Centerlines(#[source] CenterlineError),
}

/// A label without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnnamedLabel {
    /// Its number.
    pub label: u16,
    /// How many voxels carry it.
    pub voxels: u64,
    /// Smallest voxel indices among them.
    pub place: [usize; 3],
}

impl std::fmt::Display for UnnamedLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [i, j, k] = self.place;
        let plural = if self.voxels == 1 { "" } else { "s" };
        write!(
            f,
            "label {} has no name ({} voxel{plural} from voxel ({i}, {j}, {k}) on)",
            self.label, self.voxels
        )
    }
}

/// A surface file with defects.
#[derive(Clone, Debug)]
pub struct Defect {
    /// The file.
    pub file: String,
    /// The structure it should be.
    pub structure: String,
    /// What was found.
    pub report: MeshReport,
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (`{}`): {}", self.file, self.structure, self.report)
    }
}

/// A patient and what a person should know about how it came to be.
#[derive(Debug)]
pub struct Imported {
    /// The patient.
    pub patient: Patient,
    /// Remarks: what was repaired, left out or could not be derived.
    pub notes: Vec<String>,
}

/// A structure and where it came from.
struct Sourced {
    structure: Structure,
    given_in: String,
    /// The unit its file was read in; `None` for volumes, which say their own.
    unit: Option<MeshUnits>,
}

/// Imports a patient.
///
/// # Errors
/// See [`ImportError`].
pub fn import(
    request: &ImportRequest,
    atlas: &Atlas,
    tissues: &TissueTable,
    progress: &dyn Progress,
) -> Result<Imported, ImportError> {
    let mut notes = Vec::new();
    let mut found = Vec::new();
    if let Some(path) = &request.labels {
        found.extend(labels::import(
            request, path, atlas, tissues, progress, &mut notes,
        )?);
    }
    found.extend(meshes::import(request, atlas, progress, &mut notes)?);
    check_names_distinct(&found)?;
    let found = plausible(atlas, found, &mut notes)?;
    // What somebody drew as a surface is meant as it is; only voxels are coarse.
    let drawn = found.iter().filter(|sourced| sourced.unit.is_some());
    let drawn: Vec<String> = drawn.map(|sourced| sourced.structure.id.clone()).collect();
    let structures: Vec<Structure> = found.into_iter().map(|sourced| sourced.structure).collect();
    let vessels = lumens::vessels(request, &structures, atlas, tissues, progress, &mut notes)?;
    let mut patient = complete(request, structures, vessels, atlas);
    if let Some(enrichment) = &request.enrichment {
        let mut enrichment = enrichment.clone();
        enrichment.keep_surfaces.extend(drawn);
        notes.extend(enrich(&mut patient, &enrichment, atlas, tissues, progress)?);
        // Some planes are of what has been added.
        patient.planes = planes::derive_all(atlas, &surfaces_by_id(&patient.structures));
    }
    Ok(Imported { patient, notes })
}

fn complete(
    request: &ImportRequest,
    structures: Vec<Structure>,
    vessels: VesselGraph,
    atlas: &Atlas,
) -> Patient {
    Patient {
        identity: Identity {
            name: request.name.clone(),
            name_zh: None,
            record: String::new(),
        },
        habitus: Habitus::default(),
        source: source(request),
        landmarks: landmarks::derive(&structures, &vessels),
        planes: planes::derive_all(atlas, &surfaces_by_id(&structures)),
        motion: motion::at_rest(&structures),
        scatterers: Scatterers::default(),
        structures,
        vessels,
    }
}

/// Names of the files only: where they lay is nobody's business later.
fn source(request: &ImportRequest) -> String {
    let files = request
        .labels
        .iter()
        .chain(&request.ct)
        .chain(request.meshes.iter().map(|m| &m.0));
    let names: Vec<String> = files
        .chain(&request.centerlines)
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    format!("imported from {}", names.join(", "))
}

fn check_names_distinct(found: &[Sourced]) -> Result<(), ImportError> {
    for (n, sourced) in found.iter().enumerate() {
        let id = &sourced.structure.id;
        if let Some(first) = found[..n].iter().find(|other| other.structure.id == *id) {
            return Err(ImportError::Twice {
                name: id.clone(),
                first: first.given_in.clone(),
                second: sourced.given_in.clone(),
            });
        }
    }
    Ok(())
}

/// Catches wrong units: no liver is 1.7 m long. A label's crumb that is too small for what it is
/// called is left out with a remark: scans cut structures at their ends.
fn plausible(
    atlas: &Atlas,
    found: Vec<Sourced>,
    notes: &mut Vec<String>,
) -> Result<Vec<Sourced>, ImportError> {
    let mut kept = Vec::with_capacity(found.len());
    for sourced in found {
        let Sourced {
            structure,
            given_in,
            unit,
        } = &sourced;
        let extent = structure.surface.bounds().extent();
        let longest_mm = f64::from(extent.into_iter().fold(0.0, f32::max));
        let entry = atlas.structure(&structure.id);
        let Some(size) = entry.and_then(|entry| entry.check_longest(longest_mm).err()) else {
            kept.push(sourced);
            continue;
        };
        if unit.is_none() && longest_mm < size.least_mm {
            notes.push(format!(
                "`{}` is left out: only {longest_mm:.1} mm of it are there",
                structure.id
            ));
            continue;
        }
        return Err(ImportError::Implausible {
            given_in: given_in.clone(),
            structure: structure.id.clone(),
            longest_mm,
            plausible_mm: (size.least_mm, size.most_mm),
            mend: size_mend(*unit, longest_mm, (size.least_mm, size.most_mm)),
        });
    }
    Ok(kept)
}

/// The unit that would make the size plausible, if one does. `None` is a volume's own unit.
fn size_mend(unit: Option<MeshUnits>, longest_mm: f64, (least, most): (f64, f64)) -> String {
    let Some(now) = unit else {
        return "check the voxel size in the header, and the label's name".to_owned();
    };
    let units = [
        MeshUnits::Millimetres,
        MeshUnits::Centimetres,
        MeshUnits::Metres,
        MeshUnits::Inches,
    ];
    let fits = units.into_iter().find(|unit| {
        let size = longest_mm / now.mm() * unit.mm();
        (least..=most).contains(&size) && *unit != now
    });
    match fits {
        Some(unit) => {
            format!("it was read in {now}, but in {unit} it would fit: try --unit {unit}")
        }
        None => "no unit makes it fit: is it the right structure?".to_owned(),
    }
}
