//! Patients made from signed-distance expressions instead of scans.
//!
//! A recipe is a RON file (`assets/patients/*.ron`): for each structure the shape of its surface,
//! written in the words of [`Shape`]. A shape may refer to one of a structure further up by
//! `Same("skin")`, so that layers follow each other.

use std::collections::BTreeMap;

use catalog::{CatalogError, Document, Faults, Format, Known, NotEmpty, POSITIVE, Spanned};
use geometry::sdf::{self, Expr, SdfError, SurfaceLimits, TubePoint};
use rayon::prelude::*;
use thiserror::Error;

use crate::atlas::{Atlas, DisplayName, StructureEntry};
use crate::landmarks;
use crate::motion;
use crate::patient::{Patient, Structure, surfaces_by_id};
use crate::patient_file::{Habitus, Identity};
use crate::planes;
use crate::progress::Progress;
use crate::scatterers::Scatterers;
use crate::tissue::TissueTable;
use crate::vessels::{VesselGraph, lumens_of};

const RECIPE: Format = Format::new("Recipe", 1);

/// The built-in recipes: id and text.
const BUILTIN: [(&str, &str); 1] = [(
    "phantom-torso",
    include_str!("../../../assets/patients/phantom-torso.ron"),
)];

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
        /// A box along the axes.
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
        BUILTIN.iter().map(|(id, _)| *id)
    }

    /// A built-in recipe.
    ///
    /// # Errors
    /// [`RecipeError::Unknown`].
    pub fn builtin(name: &str) -> Result<Self, RecipeError> {
        let found = BUILTIN.iter().find(|(id, _)| *id == name);
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
        let ids = atlas.structures().iter().map(|entry| entry.id.as_str());
        let recipe = Document::parse(text, source, &RECIPE)?
            .knowing("structure", "the atlas", ids)
            .knowing_own(OWN, &["structures", "id"])
            .resolve_with(|file, faults| resolve(file, atlas, faults))?;
        Ok(recipe)
    }

    /// Ids of the structures, in the order of the file.
    pub fn structure_ids(&self) -> impl Iterator<Item = &str> {
        self.structures.iter().map(|part| part.entry.id.as_str())
    }

    /// Makes the patient. The same recipe gives the same patient, whatever the number of threads.
    ///
    /// # Errors
    /// [`RecipeError::Shape`].
    pub fn make(
        &self,
        atlas: &Atlas,
        tissues: &TissueTable,
        progress: &dyn Progress,
    ) -> Result<Patient, RecipeError> {
        progress.stage("surfaces", self.structures.len() as u64);
        let structures: Vec<Structure> = self
            .structures
            .par_iter()
            .map(|part| {
                let surface =
                    sdf::surface(&part.solid, part.resolution_mm, &SurfaceLimits::default())
                        .map_err(|source| RecipeError::Shape {
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
            landmarks: landmarks::derive(&structures, &vessels),
            planes: planes::derive_all(atlas, &surfaces_by_id(&structures)),
            motion: motion::at_rest(&structures),
            scatterers: Scatterers::default(),
            structures,
            vessels,
        })
    }
}

fn resolve(file: RecipeFile, atlas: &Atlas, faults: &mut Faults) -> Option<Recipe> {
    faults.require_distinct("structure", file.structures.iter().map(|s| &s.id));
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
mod tests {
    use super::*;

    fn parse(structures: &str) -> Result<Recipe, RecipeError> {
        let text = format!(
            "Recipe(version: 1, summary: (en: \"a\", zh: \"一\"), patient: \"p\", resolution_mm: 4, structures: [{structures}])"
        );
        Recipe::parse(&text, "r.ron", Atlas::builtin())
    }

    #[test]
    fn every_builtin_recipe_reads() {
        for id in Recipe::builtin_ids() {
            assert!(Recipe::builtin(id).is_ok(), "{id}");
        }
    }

    #[test]
    fn a_shape_may_follow_one_further_up() {
        let recipe = parse(
            "(id: \"skin\", shape: Sphere(center: (0, 0, 0), radius: 60)),
             (id: \"body_fat\", shape: Offset(of: Same(\"skin\"), by: -5))",
        )
        .unwrap();
        let patient = recipe
            .make(Atlas::builtin(), TissueTable::builtin(), &crate::Silent)
            .unwrap();
        let radius_of = |n: usize| {
            (patient.structures[n].surface.signed_volume_mm3() * 0.75 / std::f64::consts::PI).cbrt()
        };
        assert!((radius_of(0) - 60.0).abs() < 0.2 && (radius_of(1) - 55.0).abs() < 0.2);
    }

    #[test]
    fn references_to_nothing_and_unknown_words_are_told_with_their_places() {
        let error = parse(
            "(id: \"skin\", shape: Same(\"skim\")),
             (id: \"livr\", shape: Sphre(center: (0, 0, 0), radius: 1)),
             (id: \"spleen\", shape: Sphere(center: (0, 0, 0), radius: -1))",
        )
        .unwrap_err()
        .to_string();
        for words in [
            "`skim`",
            "did you mean `skin`",
            "`livr`",
            "did you mean `liver`",
            "`Sphere`",
            "r.ron:3:",
        ] {
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn a_shape_cannot_follow_itself_or_one_further_down() {
        for of in ["skin", "liver"] {
            let error = parse(&format!(
                "(id: \"skin\", shape: Same(\"{of}\")),
                 (id: \"liver\", shape: Sphere(center: (0, 0, 0), radius: 9))"
            ));
            let error = error.unwrap_err().to_string();
            assert!(error.contains("no structure further up"), "{error}");
        }
    }

    #[test]
    fn a_shape_without_bounds_names_its_structure() {
        let recipe =
            parse("(id: \"liver\", shape: HalfSpace(normal: (0, 0, 1), offset: 0))").unwrap();
        let error = recipe.make(Atlas::builtin(), TissueTable::builtin(), &crate::Silent);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("`liver`"), "{error}");
    }
}
