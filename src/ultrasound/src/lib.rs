//! B-mode: beams *and* interfaces.
//!
//! What is absent here: windows, files, clocks, the procedure's time, probe contact.

mod angle;
mod aperture;
pub mod beam;
pub mod boundary;
pub mod displacement;
pub mod display;
pub mod engine;
mod fact_finder;
mod field;
pub mod frame;
pub mod grid;
mod haze;
mod insonation;
mod interface_echoes;
mod look;
mod medium;
mod mirror;
mod path;
mod pulse;
mod receive;
mod simd;
mod slope;
mod speckle;
mod splat;
mod tables;
pub mod texture;
mod tissue_echoes;
mod truth;

pub use nalgebra::Complex;
