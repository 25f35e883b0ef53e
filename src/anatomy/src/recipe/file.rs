//! What a recipe's files say.

use catalog::{Format, Known, Node, NotEmpty, Spanned};

use super::OWN;
use super::shape::Shape;
use crate::atlas::DisplayName;
use crate::patient_file::{HeartMotion, LandmarkFile, PlaneFile};
use crate::scatterers::ScattererEntry;

/// Version 2 has parameters, values, findings, forms and parts; what version 1 says means the same.
pub(super) const RECIPE: Format = Format::new("Recipe", 2).with_migrations(&[|_, _| ()]);

pub(super) const PART: Format = Format::new("RecipePart", 1);

catalog::record! {
    /// A recipe as written.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RecipeFile {
        /// What it is, for the list of patients.
        pub summary: DisplayName,
        /// The patient's invented name.
        pub patient: String [NotEmpty],
        /// The same in Chinese, if it differs.
        pub patient_zh: Option<String> = None,
        /// Distance of the samples that surfaces are made from, unless a structure has its own.
        pub resolution_mm: f64 [0.2..=20.0],
        /// Names of the files in `parts/` that belong to it.
        pub parts: Vec<Spanned<String>> = Vec::new(),
        /// Height and build of the patient.
        pub habitus: HabitusFile = HabitusFile::default(),
        /// Factors along x, y, z by which the finished body is stretched about the origin.
        pub stretch: [f64; 3] [0.2..=5.0] = [1.0; 3],
        /// What the user sets. Read before anything else.
        pub parameters: Vec<Node> = Vec::new(),
        /// Named numbers. Read before anything else.
        pub values: Vec<Node> = Vec::new(),
        /// Diseases that can be switched on. Read before anything else.
        pub findings: Vec<Node> = Vec::new(),
        /// Solids that are no structures.
        pub forms: Vec<Form> = Vec::new(),
        /// The structures, outermost first.
        pub structures: Vec<RecipeStructure> = Vec::new(),
        /// It is a test object and no body: nothing moves, and there are no standard planes but
        /// its own.
        pub test_object: bool = false,
        /// Adds what the shapes are too gross for: see [`crate::enrich`].
        pub enrich: Option<EnrichFile> = None,
        /// Point scatterers. Paths of files start at the recipe's folder.
        pub scatterers: Vec<Spanned<ScattererEntry>> = Vec::new(),
        /// Named places beside those that follow from the structures.
        pub landmarks: Vec<LandmarkFile> = Vec::new(),
        /// Standard planes beside those of the atlas.
        pub planes: Vec<PlaneFile> = Vec::new(),
        /// How the heart lies and beats.
        pub heart: Option<HeartMotion> = None,
    }
}

catalog::record! {
    /// A part of recipes, in a file of its own.
    #[derive(Clone, Debug, PartialEq)]
    pub struct PartFile {
        /// As in [`RecipeFile`].
        pub parameters: Vec<Node> = Vec::new(),
        /// As in [`RecipeFile`].
        pub values: Vec<Node> = Vec::new(),
        /// As in [`RecipeFile`].
        pub findings: Vec<Node> = Vec::new(),
        /// As in [`RecipeFile`].
        pub forms: Vec<Form> = Vec::new(),
        /// As in [`RecipeFile`].
        pub structures: Vec<RecipeStructure> = Vec::new(),
        /// As in [`RecipeFile`].
        pub landmarks: Vec<LandmarkFile> = Vec::new(),
        /// As in [`RecipeFile`].
        pub planes: Vec<PlaneFile> = Vec::new(),
        /// As in [`RecipeFile`].
        pub heart: Option<HeartMotion> = None,
    }
}

catalog::record! {
    /// What enrichment is to make of the organs.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct EnrichFile {
        /// Grade of hydronephrosis, 0 for none.
        pub hydronephrosis_left: u8 [0..=4] = 0,
        /// Grade of hydronephrosis, 0 for none.
        pub hydronephrosis_right: u8 [0..=4] = 0,
    }
}

catalog::record! {
    /// Height and build as formulas.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct HabitusFile {
        /// 1 for a man, 0 for a woman.
        pub is_male: Option<f64> = None,
        /// Age, years.
        pub age_years: Option<f64> [0.0..=120.0] = None,
        /// Standing height, cm.
        pub height_cm: Option<f64> [20.0..=250.0] = None,
        /// Weight, kg.
        pub weight_kg: Option<f64> [0.3..=400.0] = None,
    }
}

catalog::record! {
    /// A solid that others refer to and that is no structure.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Form {
        /// What `Same`, `within` and `clear_of` call it.
        pub id: Spanned<String> [NotEmpty],
        /// The solid.
        pub shape: Spanned<Shape>,
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
        /// 0 leaves it out.
        pub present: f64 = 1.0,
        /// Solids that it is cut to.
        pub within: Vec<Spanned<String>> [Known(OWN)] = Vec::new(),
        /// Solids that it is cut by, as far as their structures are present.
        pub clear_of: Vec<Spanned<String>> [Known(OWN)] = Vec::new(),
        /// Distance kept from those.
        pub gap_mm: f64 [0.0..=50.0] = 0.0,
        /// The part of its volume that cutting must leave, from 0 to 1: less is an error and no
        /// smaller structure.
        pub keeps: f64 [0.0..=1.0] = 0.0,
    }
}
