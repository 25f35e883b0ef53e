//! What an engine hands out: one frame with the truth beside it.

use std::sync::Arc;

use nalgebra::Complex;

use crate::grid::ScanGrid;

/// One B-mode frame before the display.
#[derive(Clone, Debug)]
pub struct BmodeFrame {
    /// The lines of each look: the straight one first, then those of spatial compounding.
    pub looks: Vec<Look>,
    /// Facts for scoring.
    pub facts: Facts,
    /// How the frame was made.
    pub account: Account,
}

/// One look: lines and what came back on them. Flat arrays are line after line:
/// `[line * samples + sample]`.
#[derive(Clone, Debug)]
pub struct Look {
    /// Where the lines are.
    pub grid: Arc<ScanGrid>,
    /// Baseband echoes. 1 is the echo of a perfect plane mirror in the focus, without attenuation.
    pub iq: Vec<Complex<f32>>,
    /// Magnitude of `iq`.
    pub envelope: Vec<f32>,
    /// What each sample is; empty if not asked for.
    pub truth: Vec<Truth>,
}

/// What one sample is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Truth {
    /// The structure there, as its place in the patient's list plus 1; 0 outside all.
    pub structure: u16,
    /// The structure that shadows it, likewise; 0 if none does.
    pub shadowed_by: u16,
    /// How the sound got there and back.
    pub path: PathKind,
    /// Where the echo comes from, patient frame, mm.
    pub place_mm: [f32; 3],
}

/// How sound got to a place and back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PathKind {
    /// Nothing reaches it, or so little that nothing is seen: too deep.
    #[default]
    None = 0,
    /// The straight (refracted) way.
    Direct = 1,
    /// By a mirror-like surface.
    Mirror = 2,
    /// To and fro between probe and interfaces.
    Reverberation = 3,
    /// Ringing of a bubble, haze behind gas.
    RingDown = 4,
    /// Behind what blocks sound: bone, gas, stone.
    Shadow = 5,
}

/// What scoring reads from a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// For each structure of the patient, in its order.
    pub structures: Vec<StructureFacts>,
    /// Share of the lines that are in contact with the body (by gel or directly).
    pub contact: f32,
}

/// What is to be seen of one structure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StructureFacts {
    /// Area in the image that sound reaches and from which it returns, mm².
    pub visible_mm2: f32,
    /// Area in the image that lies in shadow, mm².
    pub shadowed_mm2: f32,
    /// Cells of the structure ([`CELL_MM`] lattice of the patient frame) that are visible: their
    /// lattice coordinates, sorted, each once. Their union over a sweep says what was looked at.
    pub cells: Vec<[i16; 3]>,
}

/// Side of the cells of [`StructureFacts::cells`], mm.
pub const CELL_MM: f64 = 5.0;

/// How a frame was made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Account {
    /// Tissue scatterers that contributed.
    pub scatterers: u64,
    /// The fewest scatterers per resolution cell over the depths of the image.
    pub scatterers_per_cell: f32,
    /// Echoes of interfaces.
    pub interface_echoes: u64,
    /// Scatterers of secondary paths.
    pub secondary_scatterers: u64,
}
