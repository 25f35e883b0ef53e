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
        /// The same in Chinese, if it differs.
        pub name_zh: Option<String> = None,
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
        /// Whether it was added by rule, not seen in this person; left out where it was not.
        pub modelled: Option<bool> = None,
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
        /// How the heart lies and beats.
        pub heart: Option<HeartMotion> = None,
    }
}

catalog::record! {
    /// How the heart lies at end-diastole, as its surfaces show it, and how far it moves. The
    /// left ventricle is taken as half an ellipsoid about the line from base to apex, the right
    /// one as a crescent beside it. Figures left out are those of a healthy adult: R. Lang et al.,
    /// J. Am. Soc. Echocardiogr. 28:1 (2015), for ejection fractions and the tricuspid annulus; K.
    /// Hu et al., Eur. Heart J. Cardiovasc. Imaging 14:205 (2013), for the mitral one.
    #[derive(Clone, Debug, PartialEq)]
    pub struct HeartMotion {
        /// Middle of the left ventricle's base, in the plane of the mitral annulus.
        pub base: Place,
        /// Its apex, on the outside.
        pub apex: Spanned<Place>,
        /// Direction from the left ventricle's axis to the middle of the right ventricle.
        pub right: Spanned<Place>,
        /// Radius of the left ventricle's cavity where it is widest.
        pub left_radius_mm: f64 [1.0..=80.0],
        /// Thickness of its wall.
        pub left_wall_mm: f64 [1.0..=40.0],
        /// Width of the right ventricle's cavity from the septum to the free wall, at its widest.
        pub right_width_mm: f64 [0.0..=120.0],
        /// Thickness of its free wall.
        pub right_wall_mm: f64 [0.0..=30.0],
        /// From the base to the far wall of the atria.
        pub atria_mm: f64 [20.0..=150.0],
        /// Share of its blood that the left ventricle ejects.
        pub ejection_fraction: f64 [0.1..=0.8] = 0.62,
        /// Share of its blood that the right ventricle ejects.
        pub right_ejection_fraction: f64 [0.1..=0.8] = 0.55,
        /// How far the mitral annulus moves towards the apex.
        pub mitral_excursion_mm: f64 [0.0..=20.0] = 14.0,
        /// How far the outer edge of the tricuspid annulus moves towards the apex.
        pub tricuspid_excursion_mm: f64 [0.0..=30.0] = 22.0,
        /// Middle of the foot of each papillary muscle of the left ventricle, on the wall.
        pub papillary_muscles: Vec<Place> = Vec::new(),
        /// The valves.
        pub valves: Vec<HeartValve> = Vec::new(),
    }
    check upright_heart
}

impl HeartMotion {
    /// The motion of the heart of a body stretched along x, y, z about the origin; lengths grow with
    /// the mean of the three.
    pub(crate) fn stretched(mut self, by: [f64; 3]) -> Self {
        let mean = by.iter().product::<f64>().cbrt();
        let place = |(x, y, z): Place| (x * by[0], y * by[1], z * by[2]);
        self.base = place(self.base);
        self.apex.value = place(self.apex.value);
        self.right.value = place(self.right.value);
        for length in [
            &mut self.left_radius_mm,
            &mut self.left_wall_mm,
            &mut self.right_width_mm,
            &mut self.right_wall_mm,
            &mut self.atria_mm,
            &mut self.mitral_excursion_mm,
            &mut self.tricuspid_excursion_mm,
        ] {
            *length *= mean;
        }
        for muscle in &mut self.papillary_muscles {
            *muscle = place(*muscle);
        }
        for valve in &mut self.valves {
            valve.center = place(valve.center);
            let (x, y, z) = valve.flow.value;
            valve.flow.value = (x / by[0], y / by[1], z / by[2]);
            for end in &mut valve.meeting {
                *end = place(*end);
            }
            valve.radius_mm *= mean;
        }
        self
    }
}

catalog::choice! {
    /// When a valve is open.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ValveOpens {
        /// While the ventricles fill: mitral and tricuspid valve.
        Filling,
        /// While they eject: aortic and pulmonary valve.
        Ejection,
    }
}

catalog::record! {
    /// A valve, its leaflets closed.
    #[derive(Clone, Debug, PartialEq)]
    pub struct HeartValve {
        /// The structure that its leaflets are.
        pub structure: Spanned<String> [Known(STRUCTURE)],
        /// When it is open.
        pub opens: ValveOpens,
        /// Middle of the annulus.
        pub center: Place,
        /// The way blood flows through it, at right angles to the annulus.
        pub flow: Spanned<Place>,
        /// Radius of the annulus.
        pub radius_mm: f64 [1.0..=60.0],
        /// Where the leaflets meet: a point, or the ends of a line; in the middle if left out.
        pub meeting: Vec<Place> = Vec::new(),
        /// By how much leaflets turn about the annulus from closed to wide open, degrees.
        pub opening_deg: f64 [0.0..=90.0] = 55.0,
    }
    check flowing_valve
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

fn upright_heart(heart: &HeartMotion, _: &Node, faults: &mut Faults) {
    let vector = |(x, y, z): Place| Vector3::new(x, y, z);
    let axis = vector(heart.apex.value) - vector(heart.base);
    let message = "the apex lies less than 20 mm from the base";
    if !faults.require(heart.apex.span, axis.norm() >= 20.0, message) {
        return;
    }
    let right = vector(heart.right.value);
    let aside = right.cross(&axis).norm() > 0.3 * right.norm() * axis.norm();
    let message = "`right` points along the line from base to apex";
    faults.require(heart.right.span, aside, message);
}

fn flowing_valve(valve: &HeartValve, _: &Node, faults: &mut Faults) {
    let (x, y, z) = valve.flow.value;
    let flows = Vector3::new(x, y, z).norm() > 1e-6;
    faults.require(valve.flow.span, flows, "the direction has no length");
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
