//! What makes muscle look unlike fat: how strongly each scatterer of a tissue echoes, by its place.
//!
//! A texture is a function of the material place alone: it is anchored in the tissue, needs no
//! storage and has no tile that repeats. The mean over space of the gain's square is 1, so that the
//! tissue's backscatter level holds.
//!
//! What is absent here: speckle itself, which the beam makes of the scatterers.

mod noise;
mod shape;

use anatomy::tissue::{Scatter, Texture as Arrangement};

use shape::{Clumps, Shape, Sheets, dot};

/// The texture of one structure. Long-lived; `Copy`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Texture {
    kind: Kind,
    /// Rows turn a place in mm into lattice cells.
    cells_from_mm: [[f32; 3]; 3],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// All gains are 1.
    Even,
    Clumps(Clumps),
    Sheets(Sheets),
}

impl Texture {
    /// The texture of a tissue. Rows of `axes` are the unit axes of the structure, patient frame:
    /// the first runs along the fibres; the third is across the layers (through the skin). The seed
    /// tells structures apart.
    pub fn new(scatter: &Scatter, axes: [[f32; 3]; 3], seed: u64) -> Self {
        let length = (scatter.length_mm as f32).clamp(0.05, 100.0);
        let seed = fold(seed);
        let (kind, cell_mm) = match scatter.texture {
            Arrangement::Diffuse | Arrangement::Flowing => (Kind::Even, [length; 3]),
            Arrangement::Granular => (Kind::Clumps(Clumps::new(length, seed)), [length; 3]),
            Arrangement::Fibrous => (
                Kind::Sheets(Sheets::along_fibres(seed)),
                Sheets::bundle_cell_mm(length),
            ),
            Arrangement::Septate => (
                Kind::Sheets(Sheets::in_fat(seed)),
                Sheets::septate_cell_mm(length),
            ),
        };
        let row = |i: usize| axes[i].map(|a| a / cell_mm[i]);
        Self {
            kind,
            cells_from_mm: [row(0), row(1), row(2)],
        }
    }

    /// Whether all gains are 1, so that [`gains`](Self::gains) need not be called.
    pub fn is_even(&self) -> bool {
        self.kind == Kind::Even
    }

    /// Multiplies the gains at places (x, y, z), mm, material coordinates, into `out`. Gains are at
    /// least 0. Looks at as many places as the shortest of the slices has.
    ///
    /// The same bytes on any processor. Holds for |x|, |y|, |z| up to 10 m; beyond, the texture
    /// is no longer random, but nothing fails.
    pub fn gains(&self, x: &[f32], y: &[f32], z: &[f32], out: &mut [f32]) {
        match self.kind {
            Kind::Even => {}
            Kind::Clumps(clumps) => apply(clumps, self.cells_from_mm, x, y, z, out),
            Kind::Sheets(sheets) => apply(sheets, self.cells_from_mm, x, y, z, out),
        }
    }
}

type Rows = [[f32; 3]; 3];

/// Multiplies a shape's gains into `out`, with AVX2 where it is there.
fn apply(shape: impl Shape, rows: Rows, x: &[f32], y: &[f32], z: &[f32], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just said that it knows AVX2.
        unsafe { apply_avx2(shape, rows, x, y, z, out) };
        return;
    }
    apply_plain(shape, rows, x, y, z, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn apply_avx2(shape: impl Shape, rows: Rows, x: &[f32], y: &[f32], z: &[f32], out: &mut [f32]) {
    apply_plain(shape, rows, x, y, z, out);
}

/// The same IEEE operations in the same order as its wide twin.
#[inline(always)]
fn apply_plain(shape: impl Shape, rows: Rows, x: &[f32], y: &[f32], z: &[f32], out: &mut [f32]) {
    for (((x, y), z), out) in x.iter().zip(y).zip(z).zip(out) {
        let place = [*x, *y, *z];
        *out *= shape.gain([
            dot(rows[0], place),
            dot(rows[1], place),
            dot(rows[2], place),
        ]);
    }
}

/// A seed of 64 bits in 32, each of which depends on all.
fn fold(seed: u64) -> u32 {
    let mut h = seed ^ (seed >> 33);
    h = h.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    h ^= h >> 33;
    h = h.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    (h >> 32) as u32
}

#[cfg(test)]
mod look;
#[cfg(test)]
mod tests;
