//! Tissue scatterers: hashed, anchored in the tissue, never repeating, never stored.
//!
//! # Theory
//!
//! Space is a lattice of cells. A cell holds one scatterer, whose place and sign follow from a hash
//! of the cell's coordinates and the seed: whoever looks at a cell finds the same scatterer. Two
//! neighbouring cells make a cell of the next *level*, along x, y and z in turn; it keeps one of
//! their two scatterers, chosen by a hash. So the scatterers of a level are half of those of the
//! level below, and where the beam is wide, few enough remain to go through and still enough
//! for fully developed speckle (at least [`PER_RESOLUTION_CELL`] in a resolution cell). Between
//! levels those that the next one drops leave one after another, each at a share of its own
//! that the same hash gives, while the others grow, at constant power.

use std::ops::Range;

use nalgebra::{Matrix3, Vector3};

use crate::simd::wide;

/// Scatterers in a resolution cell (the product of the three −6 dB widths) from which speckle is
/// fully developed. Reference: at least 15.
pub const PER_RESOLUTION_CELL: f64 = 15.0;

/// The lattice of one setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lattice {
    /// Side of the cells of level 0, mm.
    pub cell_mm: f64,
    salt: u32,
}

impl Lattice {
    /// A lattice with `per_mm3` scatterers on level 0.
    pub fn new(per_mm3: f64, seed: u64) -> Self {
        let unseeded = Self {
            cell_mm: 1.0 / libm::cbrt(per_mm3),
            salt: 0,
        };
        unseeded.seeded(seed)
    }

    /// The same lattice with other scatterers.
    pub fn seeded(&self, seed: u64) -> Self {
        Self {
            cell_mm: self.cell_mm,
            salt: hash3(seed as u32, (seed >> 32) as u32, 0x5ca7, 0x5eed),
        }
    }

    /// Scatterers per mm³ on a level.
    pub fn density(&self, level: u32) -> f64 {
        1.0 / (self.cell_mm * self.cell_mm * self.cell_mm) / libm::exp2(f64::from(level))
    }

    /// Sides of the cells of a level, mm.
    pub fn sides_mm(&self, level: u32) -> [f64; 3] {
        let doublings = |axis: u32| (level + 2 - axis) / 3;
        [0, 1, 2].map(|axis| self.cell_mm * libm::exp2(f64::from(doublings(axis))))
    }
}

/// A box that tiles are made of: |axes · (x − center)| ≤ half, in tissue coordinates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tile {
    pub center: Vector3<f64>,
    /// Rows are unit normals of the box's sides.
    pub axes: Matrix3<f64>,
    pub half_mm: [f64; 3],
}

/// The cells that touch one tile, and the scatterers of a stretch of them, as flat lists. Reused.
#[derive(Debug, Default)]
pub(crate) struct Scatterers {
    cell: [Vec<i32>; 3],
    /// Tissue coordinates less the tile's centre, mm.
    pub place: [Vec<f32>; 3],
    /// The sign, times 1 for those that the next level keeps, 2 to 3 for those that it drops: the
    /// nearer to 3, the sooner.
    pub mark: Vec<f32>,
}

impl Scatterers {
    /// Lists the cells of `lattice` at `level` that touch the tile and returns their number; some
    /// of their scatterers lie outside it.
    pub fn list(&mut self, lattice: &Lattice, level: u32, tile: &Tile) -> usize {
        self.list_cells(lattice, level, tile);
        self.cell[0].len()
    }

    /// The scatterers of a stretch of the cells listed.
    pub fn settle(&mut self, lattice: &Lattice, level: u32, tile: &Tile, cells: Range<usize>) {
        for list in self.place.iter_mut().chain([&mut self.mark]) {
            list.resize(cells.len(), 0.0);
        }
        let [x, y, z] = [0, 1, 2].map(|axis| &self.cell[axis][cells.clone()]);
        let [px, py, pz] = &mut self.place;
        let center = tile.center.map(|c| c / lattice.cell_mm);
        // Whole cells are taken off as whole numbers: tissue coordinates may be large.
        let whole = center.map(libm::floor);
        let origin = [whole.x as i32, whole.y as i32, whole.z as i32];
        let rest = (center - whole).map(|c| c as f32);
        settle(
            (x, y, z),
            (px, py, pz, &mut self.mark),
            level,
            lattice.salt,
            lattice.cell_mm as f32,
            (origin, [rest.x, rest.y, rest.z]),
        );
    }

    /// Lists the cells row by row along x; a row's ends follow from the tile's three slabs.
    fn list_cells(&mut self, lattice: &Lattice, level: u32, tile: &Tile) {
        for list in &mut self.cell {
            list.clear();
        }
        let sides = lattice.sides_mm(level);
        // A slab, widened by what a cell reaches along its normal.
        let reach: Vec<f64> = (0..3)
            .map(|slab| {
                let normal = tile.axes.row(slab);
                let cell: f64 = (0..3).map(|a| normal[a].abs() * sides[a] / 2.0).sum();
                tile.half_mm[slab] + cell
            })
            .collect();
        let extent = |axis: usize| -> f64 {
            let of = |slab: usize| tile.axes[(slab, axis)].abs() * tile.half_mm[slab];
            (0..3).map(of).sum()
        };
        let range = |axis: usize| {
            let (middle, half) = (tile.center[axis], extent(axis));
            let low = libm::floor((middle - half) / sides[axis]) as i32;
            let high = libm::floor((middle + half) / sides[axis]) as i32;
            (low, high)
        };
        let [(x_low, x_high), (y_low, y_high), (z_low, z_high)] = [range(0), range(1), range(2)];
        let middle =
            |cell: i32, axis: usize| (f64::from(cell) + 0.5) * sides[axis] - tile.center[axis];
        // Rows run along the axis that lies most in the plane of the slab, so that they are long.
        let across = |axis: usize| tile.axes[(2, axis)].abs();
        let row = (0..3).fold(0, |best, axis| {
            if across(axis) < across(best) {
                axis
            } else {
                best
            }
        });
        let (second, third) = ((row + 1) % 3, (row + 2) % 3);
        let ranges = [(x_low, x_high), (y_low, y_high), (z_low, z_high)];
        for outer in ranges[third].0..=ranges[third].1 {
            for inner in ranges[second].0..=ranges[second].1 {
                let (a, b) = (middle(inner, second), middle(outer, third));
                let (mut low, mut high) = (middle(ranges[row].0, row), middle(ranges[row].1, row));
                for (slab, &reach) in reach.iter().enumerate() {
                    let normal = tile.axes.row(slab);
                    let rest = normal[second] * a + normal[third] * b;
                    let slope = normal[row];
                    if slope.abs() < 1e-9 {
                        if rest.abs() > reach {
                            high = f64::NEG_INFINITY;
                        }
                        continue;
                    }
                    let inverse = 1.0 / slope;
                    let ends = ((-reach - rest) * inverse, (reach - rest) * inverse);
                    low = low.max(ends.0.min(ends.1));
                    high = high.min(ends.0.max(ends.1));
                }
                let per_side = 1.0 / sides[row];
                let first = libm::ceil((low + tile.center[row]) * per_side - 0.5) as i32;
                let last = libm::floor((high + tile.center[row]) * per_side - 0.5) as i32;
                if low > high || last < first {
                    continue;
                }
                self.cell[row].extend(first..last + 1);
                let count = self.cell[row].len();
                self.cell[second].resize(count, inner);
                self.cell[third].resize(count, outer);
            }
        }
    }
}

/// A hash of three numbers and a salt.
#[inline(always)]
pub(crate) fn hash3(x: u32, y: u32, z: u32, salt: u32) -> u32 {
    let mixed = x
        .wrapping_mul(0x9e37_79b1)
        .wrapping_add(y.wrapping_mul(0x85eb_ca77))
        .wrapping_add(z.wrapping_mul(0xc2b2_ae3d))
        .wrapping_add(salt);
    finish(mixed)
}

/// Spreads every bit over all others.
#[inline(always)]
fn finish(mut h: u32) -> u32 {
    h ^= h >> 16;
    h = h.wrapping_mul(0x21f0_aaad);
    h ^= h >> 15;
    h = h.wrapping_mul(0x735a_2d97);
    h ^ (h >> 15)
}

type Cells<'a> = (&'a [i32], &'a [i32], &'a [i32]);
type Places<'a> = (&'a mut [f32], &'a mut [f32], &'a mut [f32], &'a mut [f32]);

wide! {
    /// From cells of a level to the places and marks of their scatterers.
    fn settle(
        cells: Cells<'_>,
        places: Places<'_>,
        level: u32,
        salt: u32,
        cell_mm: f32,
        origin: ([i32; 3], [f32; 3]),
    ) {
        const BLOCK: usize = 64;
        let count = cells.0.len();
        let (whole, rest) = origin;
        let mut at = 0;
        while at < count {
            let n = BLOCK.min(count - at);
            let mut x = [0i32; BLOCK];
            let mut y = [0i32; BLOCK];
            let mut z = [0i32; BLOCK];
            x[..n].copy_from_slice(&cells.0[at..at + n]);
            y[..n].copy_from_slice(&cells.1[at..at + n]);
            z[..n].copy_from_slice(&cells.2[at..at + n]);
            let mut mark = [1.0f32; BLOCK];
            // Which of its two cells the next level's cell keeps.
            {
                let axis = level % 3;
                for i in 0..BLOCK {
                    let (px, py, pz) = match axis {
                        0 => (x[i] >> 1, y[i], z[i]),
                        1 => (x[i], y[i] >> 1, z[i]),
                        _ => (x[i], y[i], z[i] >> 1),
                    };
                    let own = match axis {
                        0 => x[i] & 1,
                        1 => y[i] & 1,
                        _ => z[i] & 1,
                    };
                    let hash = draw(px, py, pz, level + 1, salt);
                    let keeps = (hash >> 31) as i32;
                    let leaves = 2.0 + (hash & 0x7f_ffff) as f32 * (1.0 / 8_388_608.0);
                    mark[i] = if own == keeps { 1.0 } else { leaves };
                }
            }
            // Down to the cell of level 0 that was kept on every level.
            for step in (1..=level).rev() {
                let axis = (step - 1) % 3;
                for i in 0..BLOCK {
                    let keeps = choice(x[i], y[i], z[i], step, salt);
                    match axis {
                        0 => x[i] = (x[i] << 1) + keeps,
                        1 => y[i] = (y[i] << 1) + keeps,
                        _ => z[i] = (z[i] << 1) + keeps,
                    }
                }
            }
            let mut px = [0.0f32; BLOCK];
            let mut py = [0.0f32; BLOCK];
            let mut pz = [0.0f32; BLOCK];
            for i in 0..BLOCK {
                let h = hash3(x[i] as u32, y[i] as u32, z[i] as u32, salt);
                let fraction = |shift: u32| ((h >> shift) & 1023) as f32 * (1.0 / 1024.0) + (0.5 / 1024.0);
                px[i] = ((x[i] - whole[0]) as f32 + (fraction(0) - rest[0])) * cell_mm;
                py[i] = ((y[i] - whole[1]) as f32 + (fraction(10) - rest[1])) * cell_mm;
                pz[i] = ((z[i] - whole[2]) as f32 + (fraction(20) - rest[2])) * cell_mm;
                mark[i] = if h & 0x8000_0000 == 0 { mark[i] } else { -mark[i] };
            }
            places.0[at..at + n].copy_from_slice(&px[..n]);
            places.1[at..at + n].copy_from_slice(&py[..n]);
            places.2[at..at + n].copy_from_slice(&pz[..n]);
            places.3[at..at + n].copy_from_slice(&mark[..n]);
            at += n;
        }
    }
}

/// 0 or 1: which half of a cell keeps its scatterer.
#[inline(always)]
fn choice(x: i32, y: i32, z: i32, level: u32, salt: u32) -> i32 {
    (draw(x, y, z, level, salt) >> 31) as i32
}

/// A cell's hash for the choice between its two halves.
#[inline(always)]
fn draw(x: i32, y: i32, z: i32, level: u32, salt: u32) -> u32 {
    let salted = salt ^ level.wrapping_mul(0x27d4_eb2f);
    hash3(x as u32, y as u32, z as u32, salted)
}

#[cfg(test)]
mod tests;
