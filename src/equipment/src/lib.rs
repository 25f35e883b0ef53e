//! Probes and consoles: what stands in the room, as data.
//!
//! What is absent here: physics. A [`Probe`] says what its aperture is, a [`Console`] what its knobs
//! are set to; what follows from them for an image is worked out by the imaging crates.
//!
//! # A tour
//!
//! Probes and presets are built in, or files of the same form:
//!
//! ```
//! use equipment::{Console, Probe};
//!
//! let probe = Probe::named("C5-2v")?;
//! let mut console = Console::default_for(probe);
//! console.depth_mm = 120.0;
//! console.fit(probe)?;
//!
//! let same = r#"Settings(version: 1, preset: "abdomen", depth_mm: 120)"#;
//! assert_eq!(Console::parse(same, "mine.ron")?, console);
//!
//! console.steering_deg = 10.0;
//! let error = console.fit(probe).unwrap_err().to_string();
//! assert!(error.contains("`steering_deg`: only the parallel lines of a linear array"));
//! # Ok::<(), equipment::EquipmentError>(())
//! ```

mod console;
mod error;
pub mod hand;
mod inputs;
mod preset;
mod probe;

pub use console::{
    Apodization, Console, Effects, Extent, GrayMap, Knob, KnobChoice, Misfit, Transmit, Zoom,
};
pub use error::EquipmentError;
pub use inputs::{Action, Breath, Inputs, Posture};
pub use preset::Preset;
pub use probe::{Array, Elevation, Face, Probe};
