//! Patients made from signed-distance expressions instead of scans.
//!
//! A recipe is a RON file (`assets/patients/*.ron`): for each structure the shape of its surface,
//! written in the words of [`Shape`]. A shape may refer to one of a structure further up by
//! `Same("skin")`, so that layers follow each other. Test objects add point scatterers and say
//! themselves where a probe stands to see them.

mod builtin;
mod flat;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catalog::{CatalogError, Document, Faults, Format, Known, NotEmpty, POSITIVE, Spanned};
use geometry::TriMesh;
use geometry::frame;
use geometry::sdf::{self, Expr, SdfError, SurfaceLimits, TubePoint};
use rayon::prelude::*;
use thiserror::Error;

use crate::atlas::{Atlas, DisplayName, StructureEntry};
use crate::landmarks;
use crate::motion;
use crate::patient::{self, Landmark, Patient, Structure, surfaces_by_id};
use crate::patient_file::{Habitus, Identity, LandmarkFile, Motion, PlaneFile};
use crate::planes::{self, StandardPlane};
use crate::progress::Progress;
use crate::scatterers::{ScattererEntry, ScattererError, ScattererLimits, gather};
use crate::tissue::TissueTable;
use crate::vessels::{VesselGraph, lumens_of};

const RECIPE: Format = Format::new("Recipe", 1);

/// Why a recipe gives no patient.
#[derive(Debug, Error)]
pub enum RecipeError {
    /// There is no built-in recipe of that name.
    #[error("there is no built-in patient `{name}`{}; `sonocath patient list` shows them", .nearest.as_ref().map_or_else(String::new, |n| format!("; did you mean `{n}`?")))]
    Unknown {
        /// The name.
        name: String,
        /// The nearest one there is.
        nearest: Option<&'static str>,
    },
    /// The file has faults.
    #[error(transparent)]
    File(#[from] CatalogError),
    /// A shape gives no surface.
    #[error("structure `{structure}` of the recipe: {source}")]
    Shape {
        /// The structure.
        structure: String,
        /// Why.
        source: SdfError,
    },
    /// Its scatterers cannot be read or placed.
    #[error(transparent)]
    Scatterers(#[from] ScattererError),
}

/// What a recipe calls the structures in it.
const OWN: &str = "structure of this recipe";

/// x, y, z in the patient frame, mm.
type Place = [f64; 3];

catalog::record! {
    /// A recipe as written.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RecipeFile {
        /// What it is, for the list of patients.
        pub summary: DisplayName,
        /// The patient's invented name.
        pub patient: String [NotEmpty],
        /// Distance of the samples that surfaces are made from, unless a structure has its own.
        pub resolution_mm: f64 [0.2..=20.0],
        /// The structures, outermost first.
        pub structures: Vec<RecipeStructure>,
        /// It is a test object and no body: nothing moves, and there are no standard planes but
        /// its own.
        pub test_object: bool = false,
        /// Point scatterers. Paths of files start at the recipe's folder.
        pub scatterers: Vec<Spanned<ScattererEntry>> = Vec::new(),
        /// Named places beside those that follow from the structures.
        pub landmarks: Vec<LandmarkFile> = Vec::new(),
        /// Standard planes beside those of the atlas.
        pub planes: Vec<PlaneFile> = Vec::new(),
    }
}

catalog::record! {
    /// A structure and its shape. Everything else is the atlas'.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RecipeStructure {
        /// Id in the atlas.
        pub id: Spanned<String> [Known("structure")],
        /// The solid it fills.
        pub shape: Spanned<Shape>,
        /// Distance of the samples that its surface is made from.
        pub resolution_mm: Option<f64> [0.2..=20.0] = None,
    }
}

catalog::choice! {
    /// Axes of the patient.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Axis {
        /// To the left.
        X,
        /// To the back.
        Y,
        /// To the head.
        Z,
    }
}

catalog::choice! {
    /// A solid. Places and lengths in patient millimetres (LPS), angles in degrees.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Shape {
        /// The solid of a structure further up.
        Same(String [Known(OWN)]),
        /// A ball.
        Sphere {
            /// Middle.
            center: Place,
            /// Radius.
            radius: f64 [POSITIVE],
        },
        /// An ellipsoid along the axes.
        Ellipsoid {
            /// Middle.
            center: Place,
            /// Half-axes.
            radii: Place,
        },
        /// A box along the axes. Without rounding, and alone but for moves, its faces are exact
        /// at any resolution.
        Box {
            /// Middle.
            center: Place,
            /// Half the edge lengths.
            half: Place,
            /// Radius of edges and corners.
            rounding: f64 [0.0..=1000.0] = 0.0,
        },
        /// A cylinder with half-balls at its ends.
        Capsule {
            /// One end.
            from: Place,
            /// The other.
            to: Place,
            /// Radius.
            radius: f64 [POSITIVE],
        },
        /// The hull of two balls.
        RoundCone {
            /// Middle of the first ball.
            from: Place,
            /// Middle of the second.
            to: Place,
            /// Radius of the first.
            from_radius: f64 [POSITIVE],
            /// Radius of the second.
            to_radius: f64 [POSITIVE],
        },
        /// A ball of varying radius swept along a smooth curve.
        Tube {
            /// x, y, z and radius at points of the curve.
            points: Vec<(f64, f64, f64, f64)>,
        },
        /// Everything on one side of a plane.
        HalfSpace {
            /// Direction out of the solid.
            normal: Place,
            /// Distance of the plane from the origin along the normal.
            offset: f64,
        },
        /// All of the parts.
        Union {
            /// The parts.
            of: Vec<Shape>,
            /// Width of the fillet between them.
            blend: f64 [0.0..=1000.0] = 0.0,
        },
        /// What the parts have in common.
        Intersection {
            /// The parts.
            of: Vec<Shape>,
            /// Width of the rounding along rims.
            blend: f64 [0.0..=1000.0] = 0.0,
        },
        /// A solid without others.
        Difference {
            /// The solid.
            of: Box<Shape>,
            /// What is taken away.
            cut: Vec<Shape>,
            /// Width of the rounding along rims.
            blend: f64 [0.0..=1000.0] = 0.0,
        },
        /// A wall, half of it on either side of the surface.
        Shell {
            /// Whose surface.
            of: Box<Shape>,
            /// Thickness.
            thickness: f64 [POSITIVE],
        },
        /// Grown, or shrunk where negative.
        Offset {
            /// The solid.
            of: Box<Shape>,
            /// By how much.
            by: f64,
        },
        /// Roughened by smooth noise.
        Noise {
            /// The solid.
            of: Box<Shape>,
            /// Same seed, same shape.
            seed: u64,
            /// Largest displacement.
            amplitude: f64,
            /// Typical distance between bumps.
            wavelength: f64 [POSITIVE],
        },
        /// A solid together with its mirror image.
        Mirror {
            /// The solid.
            of: Box<Shape>,
            /// Axis across the mirror.
            axis: Axis,
            /// Place of the mirror on it.
            at: f64 = 0.0,
        },
        /// The mirror image alone.
        Reflect {
            /// The solid.
            of: Box<Shape>,
            /// Axis across the mirror.
            axis: Axis,
            /// Place of the mirror on it.
            at: f64 = 0.0,
        },
        /// Moved.
        Translate {
            /// The solid.
            of: Box<Shape>,
            /// How far.
            by: Place,
        },
        /// Turned, right-handed.
        Rotate {
            /// The solid.
            of: Box<Shape>,
            /// A point on the axis.
            about: Place,
            /// Direction of the axis.
            axis: Place,
            /// Angle, degrees.
            angle_deg: f64,
        },
        /// Scaled about a point.
        Scale {
            /// The solid.
            of: Box<Shape>,
            /// The point that stays.
            about: Place,
            /// Factor.
            factor: f64 [POSITIVE],
        },
    }
}

/// A recipe in which every reference leads somewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// What it is, for the list of patients.
    pub summary: DisplayName,
    patient: String,
    structures: Vec<Part>,
    test_object: bool,
    scatterers: Vec<ScattererEntry>,
    landmarks: Vec<Landmark>,
    planes: Vec<(DisplayName, StandardPlane)>,
    home: Home,
}

/// Where a recipe was read.
#[derive(Clone, Debug, PartialEq)]
struct Home {
    /// What errors call it.
    source: PathBuf,
    /// Its folder, if it lies in one.
    folder: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    entry: StructureEntry,
    solid: Expr,
    resolution_mm: f64,
}

impl Recipe {
    /// Ids of the built-in recipes.
    pub fn builtin_ids() -> impl Iterator<Item = &'static str> {
        builtin::ALL.iter().map(|(id, _)| *id)
    }

    /// A built-in recipe.
    ///
    /// # Errors
    /// [`RecipeError::Unknown`].
    pub fn builtin(name: &str) -> Result<Self, RecipeError> {
        let found = builtin::ALL.iter().find(|(id, _)| *id == name);
        let (id, text) = found.ok_or_else(|| RecipeError::Unknown {
            name: name.to_owned(),
            nearest: catalog::nearest(name, Self::builtin_ids()),
        })?;
        Self::parse(text, &format!("{id}.ron"), Atlas::builtin())
    }

    /// Reads a recipe; `source` names the text in faults.
    ///
    /// # Errors
    /// [`RecipeError::File`] with every fault.
    pub fn parse(text: &str, source: &str, atlas: &Atlas) -> Result<Self, RecipeError> {
        let home = Home {
            source: source.into(),
            folder: None,
        };
        Self::read(Document::parse(text, source, &RECIPE)?, home, atlas)
    }

    /// Reads a recipe's file; the files it names are read when the patient is made.
    ///
    /// # Errors
    /// [`RecipeError::File`] with every fault.
    pub fn open(path: impl AsRef<Path>, atlas: &Atlas) -> Result<Self, RecipeError> {
        let path = path.as_ref();
        let home = Home {
            source: path.to_owned(),
            folder: Some(path.parent().unwrap_or(Path::new("")).to_owned()),
        };
        Self::read(Document::open(path, &RECIPE)?, home, atlas)
    }

    fn read(document: Document, home: Home, atlas: &Atlas) -> Result<Self, RecipeError> {
        let ids = atlas.structures().iter().map(|entry| entry.id.as_str());
        let recipe = document
            .knowing("structure", "the atlas", ids)
            .knowing_own(OWN, &["structures", "id"])
            .resolve_with(|file, faults| resolve(file, home, atlas, faults))?;
        Ok(recipe)
    }

    /// Ids of the structures, in the order of the file.
    pub fn structure_ids(&self) -> impl Iterator<Item = &str> {
        self.structures.iter().map(|part| part.entry.id.as_str())
    }

    /// Makes the patient. The same recipe gives the same patient, whatever the number of threads.
    ///
    /// # Errors
    /// [`RecipeError::Shape`], [`RecipeError::Scatterers`].
    pub fn make(
        &self,
        atlas: &Atlas,
        tissues: &TissueTable,
        progress: &dyn Progress,
    ) -> Result<Patient, RecipeError> {
        let scatterers = gather(
            &self.scatterers,
            self.home.folder.as_deref(),
            &self.home.source,
            &ScattererLimits::default(),
        )?;
        progress.stage("surfaces", self.structures.len() as u64);
        let structures: Vec<Structure> = self
            .structures
            .par_iter()
            .map(|part| {
                let surface = part.surface().map_err(|source| RecipeError::Shape {
                    structure: part.entry.id.clone(),
                    source,
                })?;
                progress.step();
                Ok(Structure::of_entry(&part.entry, surface))
            })
            .collect::<Result<_, RecipeError>>()?;
        progress.done();
        let (lumens, _) = lumens_of(&structures, atlas, tissues, progress);
        let vessels = VesselGraph::join(&lumens, 0.0);
        Ok(Patient {
            identity: Identity {
                name: self.patient.clone(),
                record: String::new(),
            },
            habitus: Habitus::default(),
            source: self.summary.en.clone(),
            landmarks: self.all_landmarks(landmarks::derive(&structures, &vessels)),
            planes: self.all_planes(atlas, &structures),
            motion: if self.test_object {
                Motion::default()
            } else {
                motion::at_rest(&structures)
            },
            scatterers,
            structures,
            vessels,
        })
    }
}

impl Recipe {
    /// The recipe's own landmarks, then those derived whose ids are free.
    fn all_landmarks(&self, derived: Vec<Landmark>) -> Vec<Landmark> {
        let is_free = |landmark: &Landmark| self.landmarks.iter().all(|own| own.id != landmark.id);
        let derived = derived.into_iter().filter(is_free);
        self.landmarks.iter().cloned().chain(derived).collect()
    }

    /// The recipe's own planes, then those derived whose ids are free.
    fn all_planes(
        &self,
        atlas: &Atlas,
        structures: &[Structure],
    ) -> Vec<(DisplayName, StandardPlane)> {
        let mut all = self.planes.clone();
        if !self.test_object {
            let derived = planes::derive_all(atlas, &surfaces_by_id(structures));
            let is_free = |id: &str| self.planes.iter().all(|(_, own)| own.id != id);
            all.extend(derived.into_iter().filter(|(_, plane)| is_free(&plane.id)));
        }
        all
    }
}

impl Part {
    fn surface(&self) -> Result<TriMesh<frame::Patient>, SdfError> {
        if let Some(exact) = flat::surface(&self.solid) {
            return Ok(exact);
        }
        sdf::surface(&self.solid, self.resolution_mm, &SurfaceLimits::default())
    }
}

/// What only the whole file can tell of scatterers, landmarks and planes.
fn check(file: &RecipeFile, home: &Home, atlas: &Atlas, faults: &mut Faults) {
    faults.require_distinct("structure", file.structures.iter().map(|s| &s.id));
    faults.require_distinct("landmark", file.landmarks.iter().map(|l| &l.id));
    faults.require_distinct("plane", file.planes.iter().map(|p| &p.id));
    for entry in &file.scatterers {
        let has_home = home.folder.is_some() || !matches!(entry.value, ScattererEntry::File { .. });
        let message = "a recipe that is built in or lies in no folder cannot name files";
        faults.require(entry.span, has_home, message);
    }
    let own = file.structures.iter().map(|s| s.id.as_str());
    let shown = file
        .planes
        .iter()
        .flat_map(|p| p.required.iter().chain(&p.optional));
    // A name that the atlas does not hold has been reported by the reader.
    for id in shown.filter(|id| atlas.structure(id).is_some()) {
        faults.require_name(id, "structure", "this recipe", own.clone());
    }
}

fn resolve(file: RecipeFile, home: Home, atlas: &Atlas, faults: &mut Faults) -> Option<Recipe> {
    check(&file, &home, atlas, faults);
    let mut solids: BTreeMap<String, Expr> = BTreeMap::new();
    let mut structures = Vec::new();
    for structure in file.structures {
        let id = structure.id.value;
        let solid = match structure.shape.value.expression(&solids) {
            Ok(solid) => solid,
            Err(missing) => {
                let above: Vec<&str> = solids.keys().map(String::as_str).collect();
                let message = format!("`Same(\"{missing}\")` refers to no structure further up");
                let finding = catalog::Finding::new(structure.shape.span, message);
                faults.push(finding.one_of(&missing, above));
                continue;
            }
        };
        let resolution_mm = structure.resolution_mm.unwrap_or(file.resolution_mm);
        solids.insert(id.clone(), solid.clone());
        // A name that the atlas does not hold has been reported by the reader.
        if let Some(entry) = atlas.structure(&id) {
            structures.push(Part {
                entry: entry.clone(),
                solid,
                resolution_mm,
            });
        }
    }
    Some(Recipe {
        summary: file.summary,
        patient: file.patient,
        structures,
        test_object: file.test_object,
        scatterers: file
            .scatterers
            .into_iter()
            .map(|entry| entry.value)
            .collect(),
        landmarks: file.landmarks.into_iter().map(patient::landmark).collect(),
        planes: file.planes.into_iter().map(patient::plane).collect(),
        home,
    })
}

impl Shape {
    /// The expression, with references put in; the id of the first that leads nowhere otherwise.
    fn expression(&self, above: &BTreeMap<String, Expr>) -> Result<Expr, String> {
        let one = |shape: &Self| shape.expression(above).map(Box::new);
        let all = |shapes: &[Self]| {
            shapes
                .iter()
                .map(|s| s.expression(above))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(match self {
            Self::Same(id) => return above.get(id).cloned().ok_or_else(|| id.clone()),
            Self::Sphere { center, radius } => Expr::Sphere {
                center: *center,
                radius_mm: *radius,
            },
            Self::Ellipsoid { center, radii } => Expr::Ellipsoid {
                center: *center,
                radii_mm: *radii,
            },
            Self::Box {
                center,
                half,
                rounding,
            } => Expr::Box {
                center: *center,
                half_mm: *half,
                rounding_mm: *rounding,
            },
            Self::Capsule { from, to, radius } => Expr::Capsule {
                from: *from,
                to: *to,
                radius_mm: *radius,
            },
            Self::RoundCone {
                from,
                to,
                from_radius,
                to_radius,
            } => Expr::RoundCone {
                from: *from,
                to: *to,
                from_radius_mm: *from_radius,
                to_radius_mm: *to_radius,
            },
            Self::Tube { points } => {
                let point = |&(x, y, z, r): &_| TubePoint {
                    place: [x, y, z],
                    radius_mm: r,
                };
                Expr::Tube {
                    points: points.iter().map(point).collect(),
                }
            }
            Self::HalfSpace { normal, offset } => Expr::HalfSpace {
                normal: *normal,
                offset_mm: *offset,
            },
            Self::Union { of, blend } => Expr::Union {
                parts: all(of)?,
                blend_mm: *blend,
            },
            Self::Intersection { of, blend } => Expr::Intersection {
                parts: all(of)?,
                blend_mm: *blend,
            },
            Self::Difference { of, cut, blend } => Expr::Difference {
                of: one(of)?,
                cut: all(cut)?,
                blend_mm: *blend,
            },
            Self::Shell { of, thickness } => Expr::Shell {
                of: one(of)?,
                thickness_mm: *thickness,
            },
            Self::Offset { of, by } => Expr::Offset {
                of: one(of)?,
                by_mm: *by,
            },
            Self::Noise {
                of,
                seed,
                amplitude,
                wavelength,
            } => Expr::Noise {
                of: one(of)?,
                seed: *seed,
                amplitude_mm: *amplitude,
                wavelength_mm: *wavelength,
            },
            Self::Mirror { of, axis, at } => Expr::Mirror {
                of: one(of)?,
                axis: (*axis).into(),
                at_mm: *at,
            },
            Self::Reflect { of, axis, at } => Expr::Reflect {
                of: one(of)?,
                axis: (*axis).into(),
                at_mm: *at,
            },
            Self::Translate { of, by } => Expr::Translate {
                of: one(of)?,
                by_mm: *by,
            },
            Self::Rotate {
                of,
                about,
                axis,
                angle_deg,
            } => Expr::Rotate {
                of: one(of)?,
                about: *about,
                axis: *axis,
                angle_rad: angle_deg.to_radians(),
            },
            Self::Scale { of, about, factor } => Expr::Scale {
                of: one(of)?,
                about: *about,
                factor: *factor,
            },
        })
    }
}

impl From<Axis> for sdf::Axis {
    fn from(axis: Axis) -> Self {
        match axis {
            Axis::X => Self::X,
            Axis::Y => Self::Y,
            Axis::Z => Self::Z,
        }
    }
}

#[cfg(test)]
mod tests;
