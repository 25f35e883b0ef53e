//! What makes muscle look unlike fat: how strongly each scatterer of a tissue echoes, by its place.
//!
//! A texture is a function of the material place alone: it is anchored in the tissue, needs no
//! storage and has no tile that repeats. The mean over space of the gain's square is 1, so that the
//! tissue's backscatter level holds.
//!
//! What is absent here: speckle itself, which the beam makes of the scatterers.

mod noise;

use anatomy::tissue::{Scatter, Texture as Arrangement};

use noise::Pair;

/// The texture of one structure. Long-lived; `Copy`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Texture {
    kind: Kind,
    /// Rows turn a place in mm into lattice cells.
    cells_from_mm: [[f32; 3]; 3],
    seed: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// All gains are 1.
    Even,
    Granular {
        contrast: f32,
        scale: f32,
    },
    Fibrous,
    Septate,
}

impl Texture {
    /// The texture of a tissue. Rows of `axes` are the unit axes of the structure, patient frame:
    /// the first runs along the fibres; the third is across the layers (through the skin). The seed
    /// tells structures apart.
    pub fn new(scatter: &Scatter, axes: [[f32; 3]; 3], seed: u64) -> Self {
        let length = (scatter.length_mm as f32).clamp(0.05, 100.0);
        let (kind, cell_mm) = match scatter.texture {
            Arrangement::Diffuse | Arrangement::Flowing => (Kind::Even, [length; 3]),
            Arrangement::Granular => (granular(length), [length; 3]),
            Arrangement::Fibrous => (Kind::Fibrous, [fibrous::ALONG * length, length, length]),
            Arrangement::Septate => (Kind::Septate, septate::cell_mm(length)),
        };
        let row = |i: usize| axes[i].map(|a| a / cell_mm[i]);
        Self {
            kind,
            cells_from_mm: [row(0), row(1), row(2)],
            seed: fold(seed),
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
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has just said that it knows AVX2.
            unsafe { self.gains_avx2(x, y, z, out) };
            return;
        }
        self.gains_plain(x, y, z, out);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn gains_avx2(&self, x: &[f32], y: &[f32], z: &[f32], out: &mut [f32]) {
        self.gains_plain(x, y, z, out);
    }

    #[inline(always)]
    fn gains_plain(&self, x: &[f32], y: &[f32], z: &[f32], out: &mut [f32]) {
        let (m, seed) = (self.cells_from_mm, self.seed);
        match self.kind {
            Kind::Even => {}
            Kind::Granular { contrast, scale } => each(m, x, y, z, out, |x, y, z| {
                let Pair(n, _) = noise::pair(x, y, z, seed);
                (1.0 + contrast * n) * scale
            }),
            Kind::Fibrous => each(m, x, y, z, out, |x, y, z| fibrous::gain(x, y, z, seed)),
            Kind::Septate => each(m, x, y, z, out, |x, y, z| septate::gain(x, y, z, seed)),
        }
    }
}

/// Multiplies `gain(place in cells)` into `out`.
#[inline(always)]
fn each(
    m: [[f32; 3]; 3],
    x: &[f32],
    y: &[f32],
    z: &[f32],
    out: &mut [f32],
    gain: impl Fn(f32, f32, f32) -> f32,
) {
    let cells = |row: [f32; 3], x: f32, y: f32, z: f32| row[0] * x + row[1] * y + row[2] * z;
    for (((x, y), z), out) in x.iter().zip(y).zip(z).zip(out) {
        let (x, y, z) = (*x, *y, *z);
        *out *= gain(
            cells(m[0], x, y, z),
            cells(m[1], x, y, z),
            cells(m[2], x, y, z),
        );
    }
}

/// Clumps: fine ones hardly differ, coarse ones do. The contrasts are estimates.
fn granular(length_mm: f32) -> Kind {
    let contrast = (0.25 + 0.4 * length_mm).min(1.0);
    let scale = 1.0 / (1.0 + contrast * contrast * noise::MEAN_SQUARE).sqrt();
    Kind::Granular { contrast, scale }
}

/// 1 where `distance` is 0, 0 from `width` on.
#[inline(always)]
fn ridge(distance: f32, width: f32) -> f32 {
    let r = (1.0 - distance / width).max(0.0);
    r * r
}

mod fibrous {
    use super::{Pair, noise, ridge};

    /// How much longer than wide a bundle is.
    pub const ALONG: f32 = 12.0;

    #[inline(always)]
    pub fn gain(x: f32, y: f32, z: f32, seed: u32) -> f32 {
        let Pair(p, q) = noise::pair(x, y, z, seed);
        let striae = ridge(p.abs(), 0.2) * (1.0 + 0.9 * q) + 0.5 * ridge(q.abs(), 0.2);
        (0.4 + 2.4 * striae).sqrt()
    }
}

mod septate {
    use super::{Pair, noise, ridge};

    pub fn cell_mm(length_mm: f32) -> [f32; 3] {
        [3.0 * length_mm, 3.0 * length_mm, 1.618 * length_mm]
    }

    #[inline(always)]
    pub fn gain(x: f32, y: f32, z: f32, seed: u32) -> f32 {
        let Pair(p, q) = noise::pair(x, y, z, seed);
        let phase = 1.618 * z + 0.9 * p;
        let layers = ridge((phase - noise::round(phase)).abs(), 0.12) * (1.0 + 0.9 * q);
        (0.4 + 6.0 * layers).sqrt()
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
