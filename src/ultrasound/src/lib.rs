//! B-mode: beams *and* interfaces.
//!
//! What is absent here: windows, files, clocks, the procedure's time, probe contact.

pub mod beam;
pub mod engine;
pub mod frame;
pub mod grid;

pub use nalgebra::Complex;
