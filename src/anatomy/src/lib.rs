//! The body: tissues, the atlas of structures, patients, vessel graphs, standard planes, and how
//! real patients come in.
//!
//! What is absent on purpose: no image and no instrument; nothing is printed or asked; the only
//! files written are a patient's folder.
//!
//! ```
//! use anatomy::atlas::Atlas;
//! use anatomy::recipe::Recipe;
//! use anatomy::tissue::TissueTable;
//!
//! let tissues = TissueTable::builtin();
//! let liver = &tissues[Atlas::builtin().structure("liver").expect("everybody has one").tissue];
//! assert!((1540.0..1640.0).contains(&liver.sound_speed_m_s));
//!
//! // A built-in patient, made of surfaces that rays can cross.
//! let recipe = Recipe::builtin("phantom-torso")?;
//! assert!(recipe.structure_ids().any(|id| id == "liver"));
//! # Ok::<(), anatomy::recipe::RecipeError>(())
//! ```

pub mod atlas;
pub mod deform;
pub mod direction;
pub mod element;
pub mod enrich;
mod entry;
pub mod import;
pub mod landmarks;
pub mod motion;
pub mod normal;
pub mod overlap;
pub mod patient;
pub mod patient_file;
pub mod plane;
pub mod planes;
pub mod progress;
pub mod recipe;
pub mod scatterers;
pub mod tissue;
mod tube_graph;
pub mod vessels;

pub use patient::{Existing, Patient, PatientError, Structure};
pub use progress::{Progress, Silent};
pub use scatterers::Scatterers;
