//! B-mode: beams *and* interfaces.
//!
//! What is absent here: windows, files, clocks, the procedure's time, probe contact.

pub mod beam;
pub mod boundary;
pub mod engine;
pub mod frame;
pub mod grid;
pub mod texture;

pub use nalgebra::Complex;
