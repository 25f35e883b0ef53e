//! Probes and consoles: what stands in the room, as data.
//!
//! What is absent here: physics. A [`Probe`] says what its aperture is, a [`Console`] what its knobs
//! are set to; what follows from them for an image is worked out by the imaging crates.

mod console;
mod error;
mod probe;

pub use console::{Apodization, Console, Effects, Extent, GrayMap, Misfit, Transmit, Zoom};
pub use error::EquipmentError;
pub use probe::{Array, Elevation, Face, Probe};
