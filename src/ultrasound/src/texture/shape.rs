//! Gain as a function of place, for each arrangement of scatterers. Places are in cells of the
//! structure's own axes.
//!
//! All figures of looks are estimates, set by eye on simulated speckle; that the mean of the gain's
//! square is 1 is not: it follows from the moments of the noise.

use super::noise::{self, Pair};

/// A function of place. Must inline: what calls it is compiled twice.
pub(super) trait Shape: Copy {
    fn gain(self, place: [f32; 3]) -> f32;
}

/// Clumps, and clumps of clumps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clumps {
    seed: u32,
    /// Of the fine and of the coarse noise.
    weight: f32,
    scale: f32,
}

impl Clumps {
    /// How much larger clumps of clumps are. No simple ratio, so that the lattices do not beat.
    const COARSER: f32 = 2.618;

    /// Coarse clumps differ more from each other than fine ones, which look even: a standard
    /// deviation of 0.7 dB at 0.5 mm, 4.5 dB from 1.6 mm on.
    pub fn new(length_mm: f32, seed: u32) -> Self {
        let contrast = (0.75 * (length_mm - 0.3)).clamp(0.05, 1.0);
        let weight = 0.5 * contrast;
        let (square, fourth) = (weight * weight, weight * weight * weight * weight);
        // Of the sum of two noises of this weight.
        let mean_square = 2.0 * square * noise::MEAN_SQUARE;
        let mean_fourth = 2.0 * fourth * noise::MEAN_FOURTH
            + 6.0 * fourth * noise::MEAN_SQUARE * noise::MEAN_SQUARE;
        Self {
            seed,
            weight,
            scale: 1.0 / (1.0 + 6.0 * mean_square + mean_fourth).sqrt(),
        }
    }
}

impl Shape for Clumps {
    #[inline(always)]
    fn gain(self, [x, y, z]: [f32; 3]) -> f32 {
        const C: f32 = 1.0 / Clumps::COARSER;
        let Pair(fine, _) = noise::pair(x, y, z, self.seed);
        let Pair(coarse, _) = noise::pair(C * x, C * y, C * z, !self.seed);
        let root = 1.0 + self.weight * (fine + coarse);
        root * root * self.scale
    }
}

/// Two families of thin bright sheets, warped and of changing brightness, in a dark ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sheets {
    seed: u32,
    families: [Family; 2],
    /// Intensity of the ground.
    ground: f32,
    /// Intensity that is added where sheets cross.
    crossing: f32,
}

/// Sheets that are more or less parallel.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Family {
    /// In periods for each cell.
    normal: [f32; 3],
    /// How far sheets stray, in periods for a noise of 1.
    warp: f32,
    /// Half the thickness of a sheet, in periods, while looks are written down; then 1 over it.
    thin: f32,
    /// Intensity that the middle of a sheet adds; relative to the ground while looks are written.
    bright: f32,
}

const fn family(normal: [f32; 3], warp: f32, thin: f32, bright: f32) -> Family {
    Family {
        normal,
        warp,
        thin,
        bright,
    }
}

/// Perimysium round bundles of fibres: long parallel lines along the fibres, dots and short lines
/// across them.
const BUNDLES: ([Family; 2], f32) = (
    [
        family([0.0, 0.989, 1.633], 0.95, 0.2, 2.5),
        family([0.0, -1.307, 1.157], 0.95, 0.2, 2.5),
    ],
    50.0,
);

/// Septa of fat, more or less parallel to the skin, and oblique ones that join them.
const SEPTA: ([Family; 2], f32) = (
    [
        family([0.09, -0.07, 2.08], 0.85, 0.08, 32.0),
        family([0.73, 0.57, 1.33], 0.95, 0.06, 14.0),
    ],
    0.0,
);

impl Sheets {
    pub fn along_fibres(seed: u32) -> Self {
        Self::new(BUNDLES, seed)
    }

    pub fn in_fat(seed: u32) -> Self {
        Self::new(SEPTA, seed)
    }

    pub fn bundle_cell_mm(length_mm: f32) -> [f32; 3] {
        [20.0 * length_mm, 1.55 * length_mm, 1.55 * length_mm]
    }

    pub fn septate_cell_mm(length_mm: f32) -> [f32; 3] {
        [3.0 * length_mm, 3.0 * length_mm, 2.1 * length_mm]
    }

    /// Phases run through all values evenly and independently of the noise, since no normal is a
    /// simple fraction of the lattice: then means are products of the mean of a ridge, 2/3 of its
    /// half thickness, and those of (1 + noise)² and (1 + noise)⁴.
    fn new((families, crossing): ([Family; 2], f32), seed: u32) -> Self {
        let second = 1.0 + noise::MEAN_SQUARE;
        let fourth = 1.0 + 6.0 * noise::MEAN_SQUARE + noise::MEAN_FOURTH;
        let [a, b] = families.map(|family| family.thin * (2.0 / 3.0));
        let lines = (a * families[0].bright + b * families[1].bright) * fourth;
        let mean = 1.0 + lines + crossing * a * b * second * second;
        Self {
            seed,
            families: families.map(|family| Family {
                thin: 1.0 / family.thin,
                bright: family.bright / mean,
                ..family
            }),
            ground: 1.0 / mean,
            crossing: crossing / mean,
        }
    }
}

impl Family {
    /// 1 in the middle of a sheet, 0 beside it.
    #[inline(always)]
    fn ridge(self, place: [f32; 3], noise: f32) -> f32 {
        let phase = dot(self.normal, place) + self.warp * noise;
        let distance = (phase - noise::round(phase)).abs();
        let r = (1.0 - distance * self.thin).max(0.0);
        r * r
    }
}

impl Shape for Sheets {
    #[inline(always)]
    fn gain(self, place: [f32; 3]) -> f32 {
        let Pair(p, q) = noise::pair(place[0], place[1], place[2], self.seed);
        let [a, b] = self.families;
        let (on_a, on_b) = (a.ridge(place, p), b.ridge(place, q));
        // Here more, there less: each family by the noise that does not warp it.
        let (of_a, of_b) = ((1.0 + q) * (1.0 + q), (1.0 + p) * (1.0 + p));
        let (on_a, on_b) = (of_a * on_a, of_b * on_b);
        let lines = a.bright * of_a * on_a + b.bright * of_b * on_b;
        (self.ground + lines + self.crossing * on_a * on_b).sqrt()
    }
}

#[inline(always)]
pub(super) fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
