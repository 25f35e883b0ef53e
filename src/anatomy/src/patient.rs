//! A patient: closed surfaces with tissues, a vessel graph, landmarks, standard planes.
//!
//! [`Patient::load`] reads a folder and checks everything that could fail later: after it, every
//! reference leads somewhere. [`Patient::save`] writes beside and renames, so that a folder never
//! holds half a patient. Killed in the instant between its two renames it leaves the old patient in
//! a folder `.sonocath-…/old` beside.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use catalog::{CatalogError, Document, Faults, Spanned};
use geometry::mesh_file::{MeshFileError, read_ply, write_ply_file};
use geometry::scene::{Scene, SceneError, SceneSurface};
use geometry::{Point, TriMesh, Vector, frame};
use rayon::prelude::*;
use thiserror::Error;

use crate::atlas::{DisplayName, StructureEntry, StructureKind};
use crate::patient_file::{
    FlowFile, Habitus, Identity, LandmarkFile, Motion, NodeFile, PATIENT, PATIENT_FILE,
    PatientFile, Place, PlaneFile, STRUCTURE, SegmentFile, StructureFile, TISSUE, VesselsFile,
    is_within_folder,
};
use crate::planes::StandardPlane;
use crate::scatterers::{
    ScattererEntry, ScattererError, ScattererLimits, Scatterers, Unit, gather, write_npy,
};
use crate::tissue::{TissueId, TissueTable};
use crate::vessels::{Flow, VesselGraph, VesselNode, VesselSegment};

/// Folder of the surfaces within a patient's folder.
const SURFACES: &str = "surfaces";

/// File of the scatterers within a patient's folder.
const SCATTERERS: &str = "scatterers.npy";

/// Why a patient cannot be read or written.
#[derive(Debug, Error)]
pub enum PatientError {
    /// The folder is not there.
    #[error("there is no folder {}; `sonocath patient list` shows the patients there are", .0.display())]
    Missing(PathBuf),
    /// The folder holds no patient.
    #[error("{} is not a patient: it has no {PATIENT_FILE}; `sonocath patient make` and `patient import` write patient folders", .0.display())]
    NotAPatient(PathBuf),
    /// `patient.ron` has faults.
    #[error(transparent)]
    File(#[from] CatalogError),
    /// A surface file cannot be read.
    #[error("structure `{structure}` of {}: {source}", .patient.display())]
    Surface {
        /// The patient's folder.
        patient: PathBuf,
        /// The structure's id.
        structure: String,
        /// What is wrong with the file.
        source: MeshFileError,
    },
    /// A surface file cannot be written.
    #[error(transparent)]
    SurfaceOut(MeshFileError),
    /// Scatterers cannot be read or written.
    #[error(transparent)]
    Scatterers(#[from] ScattererError),
    /// The folder to write exists.
    #[error("{} exists already{}", .folder.display(), .mend)]
    Exists {
        /// The folder.
        folder: PathBuf,
        /// What to do about it.
        mend: String,
    },
    /// The disk says no.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The patient cannot be said in the file format.
    #[error("{PATIENT_FILE} cannot be written: {0}")]
    Write(String),
}

/// A structure: a closed surface, what it is and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// Name by which files refer to it.
    pub id: String,
    /// Name shown to a person.
    pub name: DisplayName,
    /// Tissue inside, where no structure of higher priority is.
    pub tissue: TissueId,
    /// What kind of thing it is.
    pub kind: StructureKind,
    /// Where surfaces overlap the higher priority wins.
    pub priority: i32,
    /// Colour on screen, sRGB; the tissue's where `None`.
    pub color: Option<[u8; 3]>,
    /// Whether it was added by rule ([`crate::enrich`]) or as a finding of a recipe: likely, not
    /// seen in this person.
    pub modelled: bool,
    /// Closed, outward surface.
    pub surface: TriMesh<frame::Patient>,
}

/// A named place.
#[derive(Clone, Debug, PartialEq)]
pub struct Landmark {
    /// Name by which files refer to it.
    pub id: String,
    /// Name shown to a person.
    pub name: DisplayName,
    /// Where.
    pub at: Point<frame::Patient>,
}

/// A whole patient.
#[derive(Clone, Debug, PartialEq)]
pub struct Patient {
    /// An invented identity.
    pub identity: Identity,
    /// Build of the body.
    pub habitus: Habitus,
    /// Where the anatomy came from.
    pub source: String,
    /// The structures, in the order of the file.
    pub structures: Vec<Structure>,
    /// Where blood can run.
    pub vessels: VesselGraph,
    /// Named places.
    pub landmarks: Vec<Landmark>,
    /// Standard planes with their names.
    pub planes: Vec<(DisplayName, StandardPlane)>,
    /// How the body moves at rest.
    pub motion: Motion,
    /// Points that scatter sound beside what the tissues scatter.
    pub scatterers: Scatterers,
}

/// What to do where the folder to write exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Replace it if it is a patient.
    ReplacePatient,
}

impl Patient {
    /// A patient of whom nothing is known but the name.
    pub fn empty(name: &str) -> Self {
        Self {
            identity: Identity {
                name: name.to_owned(),
                name_zh: None,
                record: String::new(),
            },
            habitus: Habitus::default(),
            source: String::new(),
            structures: Vec::new(),
            vessels: VesselGraph::default(),
            landmarks: Vec::new(),
            planes: Vec::new(),
            motion: Motion::default(),
            scatterers: Scatterers::default(),
        }
    }

    /// Reads a patient's folder. All faults of `patient.ron` are reported at once.
    ///
    /// # Errors
    /// See [`PatientError`].
    pub fn load(folder: &Path, tissues: &TissueTable) -> Result<Self, PatientError> {
        if !folder.exists() {
            return Err(PatientError::Missing(folder.to_owned()));
        }
        let path = folder.join(PATIENT_FILE);
        if !path.is_file() {
            return Err(PatientError::NotAPatient(folder.to_owned()));
        }
        let file = Document::open(&path, &PATIENT)?
            .knowing(
                TISSUE,
                "the tissue table",
                tissues.iter().map(|(_, tissue)| tissue.id.as_str()),
            )
            .knowing_own(STRUCTURE, &["structures", "id"])
            .resolve_with(|file: PatientFile, faults| {
                check(&file, faults);
                Some(file)
            })?;
        resolve(folder, file, tissues)
    }

    /// Writes the patient's folder.
    ///
    /// # Errors
    /// [`PatientError::Exists`], [`PatientError::Io`], [`PatientError::Write`]; the folder is then
    /// as it was.
    pub fn save(
        &self,
        folder: &Path,
        existing: Existing,
        tissues: &TissueTable,
    ) -> Result<(), PatientError> {
        may_write(folder, existing)?;
        let parent = folder
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(io_at(parent))?;
        let beside = tempfile::Builder::new()
            .prefix(".sonocath-")
            .tempdir_in(parent)
            .map_err(io_at(parent))?;
        let new = beside.path().join("new");
        self.write_into(&new, tissues)?;
        // Asked again: writing took a while, and somebody else may have been quicker.
        may_write(folder, existing)?;
        if !folder.exists() {
            return fs::rename(&new, folder).map_err(io_at(folder));
        }
        let old = beside.path().join("old");
        fs::rename(folder, &old).map_err(io_at(folder))?;
        fs::rename(&new, folder).map_err(|source| {
            // Put the old patient back; where even that fails, leave it beside rather than lose it.
            if fs::rename(&old, folder).is_err() {
                let _ = beside.keep();
            }
            PatientError::Io {
                path: folder.to_owned(),
                source,
            }
        })
    }

    /// Position of a structure in [`Patient::structures`].
    pub fn structure_index(&self, id: &str) -> Option<usize> {
        self.structures
            .iter()
            .position(|structure| structure.id == id)
    }

    /// A structure by its id.
    pub fn structure(&self, id: &str) -> Option<&Structure> {
        self.structures.iter().find(|structure| structure.id == id)
    }

    /// All surfaces ready for ray queries; surface ids are positions in [`Patient::structures`].
    ///
    /// # Errors
    /// See [`Scene::build`].
    pub fn scene(&self) -> Result<Scene<frame::Patient>, SceneError> {
        let surfaces: Vec<_> = self
            .structures
            .iter()
            .map(|s| SceneSurface {
                mesh: &s.surface,
                priority: s.priority,
            })
            .collect();
        Scene::build(&surfaces)
    }

    fn write_into(&self, folder: &Path, tissues: &TissueTable) -> Result<(), PatientError> {
        let surfaces = folder.join(SURFACES);
        fs::create_dir_all(&surfaces).map_err(io_at(&surfaces))?;
        self.structures.par_iter().try_for_each(|structure| {
            let path = folder.join(surface_path(&structure.id));
            let comments = [structure.id.as_str()];
            write_ply_file(&structure.surface, &comments, &path).map_err(PatientError::SurfaceOut)
        })?;
        if !self.scatterers.is_empty() {
            write_npy(&self.scatterers, &folder.join(SCATTERERS))?;
        }
        let path = folder.join(PATIENT_FILE);
        let text = catalog::to_ron(&self.to_file(tissues), &PATIENT)
            .map_err(|error| PatientError::Write(error.to_string()))?;
        fs::write(&path, text).map_err(io_at(&path))
    }

    fn to_file(&self, tissues: &TissueTable) -> PatientFile {
        PatientFile {
            identity: self.identity.clone(),
            habitus: self.habitus.clone(),
            source: self.source.clone(),
            structures: self.structures.iter().map(|s| s.to_file(tissues)).collect(),
            vessels: vessels_to_file(&self.vessels),
            landmarks: self.landmarks.iter().map(landmark_to_file).collect(),
            planes: self.planes.iter().map(plane_to_file).collect(),
            motion: self.motion.clone(),
            scatterers: scatterers_to_file(&self.scatterers),
        }
    }
}

impl Structure {
    /// A structure as the atlas describes it.
    pub fn of_entry(entry: &StructureEntry, surface: TriMesh<frame::Patient>) -> Self {
        Self {
            id: entry.id.clone(),
            name: entry.name.clone(),
            tissue: entry.tissue,
            kind: entry.kind,
            priority: entry.priority,
            color: Some(entry.color),
            modelled: false,
            surface,
        }
    }

    /// Colour on screen, sRGB.
    pub fn display_color(&self, tissues: &TissueTable) -> [u8; 3] {
        self.color.unwrap_or_else(|| tissues[self.tissue].color)
    }

    fn to_file(&self, tissues: &TissueTable) -> StructureFile {
        StructureFile {
            id: self.id.clone().into(),
            name: self.name.clone(),
            tissue: tissues[self.tissue].id.clone(),
            kind: self.kind,
            priority: self.priority,
            color: self.color,
            modelled: self.modelled.then_some(true),
            surface: surface_path(&self.id).into(),
        }
    }
}

/// Where a structure's surface lies within the folder.
fn surface_path(id: &str) -> String {
    format!("{SURFACES}/{id}.ply")
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> PatientError {
    let path = path.to_owned();
    move |source| PatientError::Io {
        path: path.clone(),
        source,
    }
}

/// Whether a patient may be written there: asked again by [`Patient::save`], but worth asking
/// before long work.
///
/// # Errors
/// [`PatientError::Exists`].
pub fn may_write(folder: &Path, existing: Existing) -> Result<(), PatientError> {
    if !folder.exists() || is_empty_folder(folder) {
        return Ok(());
    }
    let mend = match existing {
        _ if !folder.join(PATIENT_FILE).is_file() => {
            " and is not a patient; choose another --out".to_owned()
        }
        Existing::Keep => "; --force replaces it, or choose another --out".to_owned(),
        Existing::ReplacePatient => match foreign_file(folder) {
            None => return Ok(()),
            Some(file) => format!(
                " and holds {} besides the patient, which would be lost; move it or choose another --out",
                file.display()
            ),
        },
    };
    Err(PatientError::Exists {
        folder: folder.to_owned(),
        mend,
    })
}

fn is_empty_folder(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// The first thing in a patient's folder that is not the patient's.
fn foreign_file(folder: &Path) -> Option<PathBuf> {
    let entries = |folder: &Path| {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
            .collect();
        paths.sort();
        paths
    };
    let is_surface =
        |path: &PathBuf| path.extension().is_some_and(|e| e == "ply") && path.is_file();
    let surfaces = folder.join(SURFACES);
    let own = [SURFACES, PATIENT_FILE, SCATTERERS].map(|name| folder.join(name));
    let beside = entries(folder).into_iter().find(|path| !own.contains(path));
    beside.or_else(|| {
        entries(&surfaces)
            .into_iter()
            .find(|path| !is_surface(path))
    })
}

/// What only the whole file can tell.
fn check(file: &PatientFile, faults: &mut Faults) {
    faults.require_distinct("structure", file.structures.iter().map(|s| &s.id));
    faults.require_distinct("surface", file.structures.iter().map(|s| &s.surface));
    faults.require_distinct("landmark", file.landmarks.iter().map(|l| &l.id));
    faults.require_distinct("plane", file.planes.iter().map(|p| &p.id));
    let nodes = file.vessels.nodes.len();
    for end in file.vessels.segments.iter().flat_map(|s| [&s.from, &s.to]) {
        let message = format!(
            "there is no node {}; the graph has {nodes}, from 0",
            end.value
        );
        faults.require(end.span, end.value < nodes, message);
    }
    for entry in &file.scatterers {
        if let ScattererEntry::File { path, .. } = &entry.value {
            let message = format!("scatterer file {path:?} lies outside the patient's folder");
            faults.require(entry.span, is_within_folder(path), message);
        }
    }
}

/// A checked file as a patient; only surfaces and scatterers can still fail.
fn resolve(
    folder: &Path,
    file: PatientFile,
    tissues: &TissueTable,
) -> Result<Patient, PatientError> {
    let surfaces: Vec<TriMesh<frame::Patient>> = file
        .structures
        .par_iter()
        .map(|structure| {
            read_ply(&folder.join(structure.surface.as_str())).map_err(|source| {
                PatientError::Surface {
                    patient: folder.to_owned(),
                    structure: structure.id.value.clone(),
                    source,
                }
            })
        })
        .collect::<Result<_, _>>()?;
    let structures = file
        .structures
        .into_iter()
        .zip(surfaces)
        .map(|(s, surface)| Structure {
            tissue: tissues
                .id(&s.tissue)
                .expect("the reader knows the tissue table"),
            id: s.id.value,
            name: s.name,
            kind: s.kind,
            priority: s.priority,
            color: s.color,
            modelled: s.modelled == Some(true),
            surface,
        })
        .collect();
    Ok(Patient {
        identity: file.identity,
        habitus: file.habitus,
        source: file.source,
        structures,
        vessels: vessels(file.vessels),
        landmarks: file.landmarks.into_iter().map(landmark).collect(),
        planes: file.planes.into_iter().map(plane).collect(),
        motion: file.motion,
        scatterers: scatterers(folder, &file.scatterers)?,
    })
}

fn scatterers(
    folder: &Path,
    entries: &[Spanned<ScattererEntry>],
) -> Result<Scatterers, ScattererError> {
    let entries: Vec<ScattererEntry> = entries.iter().map(|entry| entry.value.clone()).collect();
    let source = folder.join(PATIENT_FILE);
    gather(&entries, Some(folder), &source, &ScattererLimits::default())
}

fn scatterers_to_file(scatterers: &Scatterers) -> Vec<Spanned<ScattererEntry>> {
    let entry = ScattererEntry::File {
        path: SCATTERERS.to_owned(),
        unit: Unit::Millimetres,
    };
    if scatterers.is_empty() {
        Vec::new()
    } else {
        vec![entry.into()]
    }
}

fn vessels(file: VesselsFile) -> VesselGraph {
    let node = |node: NodeFile| VesselNode {
        at: point(node.at),
        flow: node.flow.map(|flow| match flow {
            FlowFile::Inlet => Flow::Inlet,
            FlowFile::Outlet => Flow::Outlet,
        }),
    };
    let segment = |s: SegmentFile| VesselSegment {
        structure: s.structure.map(|id| id.value),
        name: s.name,
        tissue: s.tissue,
        from: s.from.value,
        to: s.to.value,
        points: s
            .path
            .iter()
            .map(|&(x, y, z, _)| Point::new(x, y, z))
            .collect(),
        radii_mm: s.path.iter().map(|&(_, _, _, r)| r).collect(),
    };
    VesselGraph {
        nodes: file.nodes.into_iter().map(node).collect(),
        segments: file.segments.into_iter().map(segment).collect(),
    }
}

fn vessels_to_file(graph: &VesselGraph) -> VesselsFile {
    let node = |node: &VesselNode| NodeFile {
        at: place(node.at),
        flow: node.flow.map(|flow| match flow {
            Flow::Inlet => FlowFile::Inlet,
            Flow::Outlet => FlowFile::Outlet,
        }),
    };
    let segment = |s: &VesselSegment| SegmentFile {
        structure: s.structure.clone().map(Into::into),
        name: s.name.clone(),
        tissue: s.tissue.clone(),
        from: s.from.into(),
        to: s.to.into(),
        path: path(s).into(),
    };
    VesselsFile {
        nodes: graph.nodes.iter().map(node).collect(),
        segments: graph.segments.iter().map(segment).collect(),
    }
}

fn path(segment: &VesselSegment) -> Vec<(f64, f64, f64, f64)> {
    let pairs = segment.points.iter().zip(&segment.radii_mm);
    pairs
        .map(|(p, &r)| {
            let (x, y, z) = place(*p);
            // A radius below a micrometre would read back as 0, which is none.
            (x, y, z, microns(r).max(0.001))
        })
        .collect()
}

/// A landmark as a file says it.
pub(crate) fn landmark(file: LandmarkFile) -> Landmark {
    Landmark {
        id: file.id.value,
        name: file.name,
        at: point(file.at),
    }
}

fn landmark_to_file(landmark: &Landmark) -> LandmarkFile {
    LandmarkFile {
        id: landmark.id.clone().into(),
        name: landmark.name.clone(),
        at: place(landmark.at),
    }
}

/// A plane and its name as a file says them.
pub(crate) fn plane(file: PlaneFile) -> (DisplayName, StandardPlane) {
    let values = |ids: Vec<Spanned<String>>| ids.into_iter().map(|id| id.value).collect();
    let plane = StandardPlane {
        id: file.id.value,
        center: point(file.center),
        lateral: vector(file.lateral.value),
        depth: vector(file.depth.value),
        required: values(file.required),
        optional: values(file.optional),
    };
    (file.name, plane)
}

fn plane_to_file((name, plane): &(DisplayName, StandardPlane)) -> PlaneFile {
    let spanned = |ids: &[String]| ids.iter().map(|id| id.clone().into()).collect();
    PlaneFile {
        id: plane.id.clone().into(),
        name: name.clone(),
        center: place(plane.center),
        lateral: direction(plane.lateral).into(),
        depth: direction(plane.depth).into(),
        required: spanned(&plane.required),
        optional: spanned(&plane.optional),
    }
}

fn point((x, y, z): Place) -> Point<frame::Patient> {
    Point::new(x, y, z)
}

fn vector((x, y, z): Place) -> Vector<frame::Patient> {
    Vector::new(x, y, z)
}

/// Files keep micrometres: finer than any scan, short enough to read.
fn microns(mm: f64) -> f64 {
    (mm * 1000.0).round() / 1000.0
}

fn place(p: Point<frame::Patient>) -> Place {
    p.to_array().map(microns).into()
}

fn direction(v: Vector<frame::Patient>) -> Place {
    v.to_array().map(|c| (c * 1e6).round() / 1e6).into()
}

/// Surfaces by structure id, as plane derivation wants them.
pub fn surfaces_by_id(structures: &[Structure]) -> BTreeMap<&str, &TriMesh<frame::Patient>> {
    structures
        .iter()
        .map(|s| (s.id.as_str(), &s.surface))
        .collect()
}

#[cfg(test)]
mod tests;
