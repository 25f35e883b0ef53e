//! B-mode: beams *and* interfaces.
//!
//! What is absent here: windows, files, clocks, the procedure's time, probe contact.

mod aperture;
pub mod beam;
pub mod boundary;
pub mod engine;
mod field;
pub mod frame;
pub mod grid;
pub mod texture;
mod pulse;

pub use nalgebra::Complex;
