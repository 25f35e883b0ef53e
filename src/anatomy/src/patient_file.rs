//! `patient.ron` as written: the patient folder's table of contents.
//!
//! A patient is a folder that holds `patient.ron` and the surfaces it names, each a binary PLY file
//! (little-endian `float x y z`, `list uchar int vertex_indices`) in the patient frame: DICOM LPS,
//! millimetres. Field by field the format is described at the records here; `docs/patient-format.md`
//! shows a whole file.

use std::path::{Component, Path};

use catalog::{Faults, Format, Known, Node, NotEmpty, POSITIVE, Rule, Spanned};
use nalgebra::Vector3;

use crate::atlas::{DisplayName, StructureKind};
use crate::entry::Id;
use crate::scatterers::ScattererEntry;

/// Name and version of the format.
pub const PATIENT: Format = Format::new("Patient", 1);

/// The file's name within the folder.
pub const PATIENT_FILE: &str = "patient.ron";

/// What the file calls the list of tissues.
pub(crate) const TISSUE: &str = "tissue";

/// What the file calls its own structures.
pub(crate) const STRUCTURE: &str = "structure";

/// x, y, z in the patient frame, mm.
pub type Place = (f64, f64, f64);

catalog::record! {
    /// A whole `patient.ron`.
    #[derive(Clone, Debug, PartialEq)]
    pub struct PatientFile {
        /// Who it is: always an invented person.
        pub identity: Identity,
        /// Build of the body, as far as known.
        pub habitus: Habitus = Habitus::default(),
        /// Where the anatomy came from, in words.
        pub source: String = String::new(),
        /// The structures.
        pub structures: Vec<StructureFile>,
        /// Centrelines of the vessels.
        pub vessels: VesselsFile = VesselsFile { nodes: Vec::new(), segments: Vec::new() },
        /// Named places.
        pub landmarks: Vec<LandmarkFile> = Vec::new(),
        /// Standard planes that can be acquired.
        pub planes: Vec<PlaneFile> = Vec::new(),
        /// How the body moves.
        pub motion: Motion = Motion::default(),
        /// Point scatterers beside what the tissues scatter.
        pub scatterers: Vec<Spanned<ScattererEntry>> = Vec::new(),
    }
}

catalog::record! {
    /// An invented identity.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Identity {
        /// Name shown to the trainee.
        pub name: String [NotEmpty],
        /// Record number shown to the trainee.
        pub record: String = String::new(),
    }
}

catalog::choice! {
    /// Sex, where it is known.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Sex {
        /// Female.
        Female,
        /// Male.
        Male,
    }
}

catalog::record! {
    /// Build of the body.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Habitus {
        /// Sex.
        pub sex: Option<Sex> = None,
        /// Age, years.
        pub age_years: Option<f64> [0.0..=120.0] = None,
        /// Standing height, cm.
        pub height_cm: Option<f64> [20.0..=250.0] = None,
        /// Weight, kg.
        pub weight_kg: Option<f64> [0.3..=400.0] = None,
    }
}

catalog::record! {
    /// One closed surface and what it bounds.
    #[derive(Clone, Debug, PartialEq)]
    pub struct StructureFile {
        /// Name by which files refer to it.
        pub id: Spanned<String> [Id],
        /// Name shown to a person.
        pub name: DisplayName,
        /// What it consists of: an id of the tissue table.
        pub tissue: String [Known(TISSUE)],
        /// What kind of thing it is.
        pub kind: StructureKind,
        /// Where surfaces overlap, the higher one wins.
        pub priority: i32 [0..=100],
        /// Colour on screen, sRGB; the tissue's if left out.
        pub color: Option<[u8; 3]> = None,
        /// The surface: a PLY file's path from the folder.
        pub surface: Spanned<String> [WithinFolder],
    }
}

catalog::record! {
    /// The vessel graph. Loops are allowed.
    #[derive(Clone, Debug, PartialEq)]
    pub struct VesselsFile {
        /// Ends and meetings; segments count them from 0.
        pub nodes: Vec<NodeFile> = Vec::new(),
        /// Stretches between nodes.
        pub segments: Vec<SegmentFile> = Vec::new(),
    }
}

catalog::choice! {
    /// Which way blood crosses the graph's border.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FlowFile {
        /// Blood comes in.
        Inlet,
        /// Blood leaves.
        Outlet,
    }
}

catalog::record! {
    /// An end or a meeting of segments.
    #[derive(Clone, Debug, PartialEq)]
    pub struct NodeFile {
        /// Where.
        pub at: Place,
        /// Whether blood enters or leaves here.
        pub flow: Option<FlowFile> = None,
    }
}

catalog::record! {
    /// A stretch of vessel.
    #[derive(Clone, Debug, PartialEq)]
    pub struct SegmentFile {
        /// The structure whose lumen it runs in.
        pub structure: Option<Spanned<String>> [Known(STRUCTURE)] = None,
        /// A name of its own.
        pub name: String = String::new(),
        /// What is inside: an id of the tissue table.
        pub tissue: String [Known(TISSUE)],
        /// Node at the first point.
        pub from: Spanned<usize>,
        /// Node at the last point.
        pub to: Spanned<usize>,
        /// Centreline and radius: x, y, z, r in mm at each point.
        pub path: Spanned<Vec<(f64, f64, f64, f64)>>,
    }
    check usable_path
}

catalog::record! {
    /// A named place.
    #[derive(Clone, Debug, PartialEq)]
    pub struct LandmarkFile {
        /// Name by which files refer to it.
        pub id: Spanned<String> [NotEmpty],
        /// Name shown to a person.
        pub name: DisplayName,
        /// Where.
        pub at: Place,
    }
}

catalog::record! {
    /// A standard plane in this patient.
    #[derive(Clone, Debug, PartialEq)]
    pub struct PlaneFile {
        /// Name by which files refer to it.
        pub id: Spanned<String> [NotEmpty],
        /// Name shown to a person.
        pub name: DisplayName,
        /// A point in the middle of what is to be seen.
        pub center: Place,
        /// Direction in the picture to which the probe's marker points.
        pub lateral: Spanned<Place>,
        /// Direction from the probe into the body; at right angles to `lateral`.
        pub depth: Spanned<Place>,
        /// Structures that must be seen.
        pub required: Vec<Spanned<String>> [Known(STRUCTURE)],
        /// Structures that may be seen too.
        pub optional: Vec<Spanned<String>> [Known(STRUCTURE)] = Vec::new(),
    }
    check orthonormal_axes
}

catalog::record! {
    /// How the body moves at rest.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Motion {
        /// Heart rate, beats a minute.
        pub heart_rate_per_min: Option<f64> [20.0..=250.0] = None,
        /// Breathing.
        pub breathing: Option<Breathing> = None,
    }
}

catalog::record! {
    /// Quiet breathing.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Breathing {
        /// Breaths a minute.
        pub rate_per_min: f64 [POSITIVE],
        /// Structures that move with the diaphragm.
        pub excursions: Vec<Excursion>,
    }
}

catalog::record! {
    /// How far a structure moves from end-expiration to end-inspiration.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Excursion {
        /// The structure.
        pub structure: Spanned<String> [Known(STRUCTURE)],
        /// Towards the feet, mm.
        pub caudal_mm: f64 [0.0..=100.0],
    }
}

/// A path that cannot lead out of the patient's folder.
struct WithinFolder;

impl Rule<String> for WithinFolder {
    fn check(&self, path: &String, node: &Node, faults: &mut Faults) -> bool {
        let message = format!("surface {path:?} lies outside the patient's folder");
        faults.require(node.span, is_within_folder(path), message)
    }
}

/// Whether a path from a folder cannot lead out of it.
pub(crate) fn is_within_folder(path: &str) -> bool {
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    !path.is_empty() && Path::new(path).components().all(inside)
}

fn orthonormal_axes(plane: &PlaneFile, _: &Node, faults: &mut Faults) {
    let vector = |(x, y, z): Place| Vector3::new(x, y, z);
    let (lateral, depth) = (vector(plane.lateral.value), vector(plane.depth.value));
    for (axis, span) in [(lateral, plane.lateral.span), (depth, plane.depth.span)] {
        let message = format!(
            "the direction has length {:.4}; expected a unit vector",
            axis.norm()
        );
        faults.require(span, (axis.norm() - 1.0).abs() < 1e-3, message);
    }
    let square = lateral.dot(&depth).abs() < 1e-3;
    faults.require(
        plane.depth.span,
        square,
        "`depth` is not at right angles to `lateral`",
    );
}

fn usable_path(segment: &SegmentFile, _: &Node, faults: &mut Faults) {
    let path = &segment.path;
    faults.require(
        path.span,
        path.len() >= 2,
        "a segment needs at least two points",
    );
    let positive = path.iter().all(|&(_, _, _, r)| r > 0.0);
    faults.require(
        path.span,
        positive,
        "every radius must be greater than 0 mm",
    );
}
