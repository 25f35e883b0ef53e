//! The room, one fixed step at a time: what hands do to a probe on a patient, and what follows.
//!
//! [`Procedure::step`] is the only place where time passes: it puts the probe where hand and body
//! let it be, turns knobs, and finds the facts of the picture. What a picture looks like is worked
//! out apart, by [`Imaging`], from a [`Shot`] that says all that the picture depends on: shells may
//! make as many or as few as they have time for.
//!
//! The patient lies still until an action says otherwise ([`equipment::Action::Breathe`] and its like); what moves
//! then moves in simulated ticks, and every [`Shot`] holds the body as it was.
//!
//! What is absent here: tasks, scores, files, windows, clocks.
//!
//! # A tour
//!
//! ```
//! use std::sync::Arc;
//! use anatomy::Silent;
//! use anatomy::atlas::Atlas;
//! use anatomy::recipe::Recipe;
//! use anatomy::tissue::TissueTable;
//! use equipment::{Action, Console, Inputs, Probe};
//! use procedure::{Body, Procedure};
//!
//! let patient = Recipe::builtin("phantom-cyst")?.make(Atlas::builtin(), TissueTable::builtin(), &Silent)?;
//! let body = Arc::new(Body::new(patient)?);
//! let probe = Probe::named("L11-5v")?;
//! let mut room = Procedure::new(body.clone(), probe, Console::default_for(probe), 7)?;
//!
//! let target = room.plane_target("scan")?;
//! let seen = room.step(&Inputs {
//!     hand: Some(target.patient_from_probe),
//!     actions: vec![Action::Turn { knob: "gain_db".into(), to: 3.0 }, Action::Capture],
//! });
//! assert!(seen.captured && seen.facts.is_some_and(|facts| facts.contact > 0.9));
//! assert_eq!(room.console().gain_db, 3.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod carried;
mod contact;
mod imaging;
mod living;
mod moving;
pub mod skin;
mod step;
mod target;

pub use body::Body;
pub use imaging::{Imaging, Shot};
pub use moving::{Moved, Mover};
pub use step::{FACTS_EVERY, GEL_MM, Observations, Procedure, TICKS_PER_S};
pub use target::TargetError;

use thiserror::Error;

/// Why there is no room.
#[derive(Debug, Error)]
pub enum ProcedureError {
    /// The patient cannot be imaged.
    #[error(transparent)]
    Medium(#[from] ultrasound::engine::UltrasoundError),
    /// Probe and settings do not fit each other.
    #[error(transparent)]
    Settings(#[from] equipment::EquipmentError),
    /// The probe works from within a vessel.
    #[error("the probe {0} works within a vessel, not on the skin; choose another one")]
    NotOnSkin(String),
}
