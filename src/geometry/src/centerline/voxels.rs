//! The inside of a surface on a sparse lattice.
//!
//! Lattice points form columns along z. Where each column crosses the surface is decided by exact
//! predicates with a symbolic nudge, so that no column slips between triangles or through a vertex;
//! inside is where the surface winds round, whatever overlaps.

use std::cmp::Ordering;

use robust::{Coord, orient2d};

use super::wall::Wall;
use super::{CenterlineError, ExtractOptions, Vec3};

/// Blocks of 4 × 4 × 4 voxels are stored as one word each.
const EDGE: usize = 4;
const PER_BLOCK: usize = EDGE * EDGE * EDGE;
/// A block without voxels that stands for all that were never made.
const EMPTY_BLOCK: u32 = 0;
/// Empty lattice layers on every side, so that every voxel has all its neighbours on the lattice.
const MARGIN: usize = 2;
/// Memory bound of the block directory: 64 million blocks, 256 MiB.
const MOST_DIRECTORY_ENTRIES: f64 = 64e6;
/// Memory bound of the list of columns passing the surface: 16 million, 400 MB.
const MOST_CROSSINGS: f64 = 16e6;
/// The thinnest branch must be at least so many voxels in radius to survive as one piece.
const LEAST_VOXELS_PER_RADIUS: f64 = 1.0;
/// And gets so many where nothing is said.
const VOXELS_PER_RADIUS: f64 = 2.0;

/// A set of voxels. A voxel's number is 64 · block + place in the block.
pub(super) struct VoxelSet {
    origin: Vec3,
    step_mm: f64,
    block_dims: [usize; 3],
    directory: Vec<u32>,
    /// Where each block lies, in blocks.
    block_places: Vec<[u32; 3]>,
    blocks: Vec<u64>,
}

impl VoxelSet {
    fn empty(origin: Vec3, step_mm: f64, dims: [usize; 3]) -> Self {
        let block_dims = dims.map(|d| d.div_ceil(EDGE));
        Self {
            origin,
            step_mm,
            block_dims,
            directory: vec![EMPTY_BLOCK; block_dims.iter().product()],
            block_places: vec![[0; 3]],
            blocks: vec![0],
        }
    }

    /// Edge of a voxel, mm.
    pub fn step_mm(&self) -> f64 {
        self.step_mm
    }

    /// Voxel numbers are below this.
    pub fn slots(&self) -> usize {
        self.blocks.len() * PER_BLOCK
    }

    pub fn remove(&mut self, voxel: u32) {
        self.blocks[voxel as usize / PER_BLOCK] &= !(1 << (voxel as usize % PER_BLOCK));
    }

    /// All voxels, by ascending number.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.blocks.iter().enumerate().flat_map(|(block, &bits)| {
            (0..PER_BLOCK)
                .filter(move |bit| bits >> bit & 1 == 1)
                .map(move |bit| (block * PER_BLOCK + bit) as u32)
        })
    }

    fn place_of(&self, voxel: u32) -> [usize; 3] {
        let bit = voxel as usize % PER_BLOCK;
        let [bx, by, bz] = self.block_places[voxel as usize / PER_BLOCK];
        [
            bx as usize * EDGE + bit % EDGE,
            by as usize * EDGE + bit / EDGE % EDGE,
            bz as usize * EDGE + bit / (EDGE * EDGE),
        ]
    }

    /// A voxel's middle, mm.
    pub fn center(&self, voxel: u32) -> Vec3 {
        let place = self.place_of(voxel);
        self.origin + Vec3::from_iterator(place.into_iter().map(|i| i as f64)) * self.step_mm
    }

    fn insert(&mut self, place: [usize; 3]) {
        let entry = self.entry(place);
        if self.directory[entry] == EMPTY_BLOCK {
            self.directory[entry] = self.blocks.len() as u32;
            self.block_places.push(place.map(|p| (p / EDGE) as u32));
            self.blocks.push(0);
        }
        self.blocks[self.directory[entry] as usize] |= 1 << bit_of(place);
    }

    /// Where the directory has the block of a voxel.
    fn entry(&self, [i, j, k]: [usize; 3]) -> usize {
        i / EDGE + self.block_dims[0] * (j / EDGE + self.block_dims[1] * (k / EDGE))
    }

    /// Calls `visit` with each voxel of the set that touches `voxel`.
    pub fn for_each_neighbour(&self, voxel: u32, mut visit: impl FnMut(u32)) {
        let [i, j, k] = self.place_of(voxel);
        let mut left = self.neighbourhood(voxel) & !CENTER;
        while left != 0 {
            let n = left.trailing_zeros() as usize;
            left &= left - 1;
            let place = [i + n % 3 - 1, j + n / 3 % 3 - 1, k + n / 9 - 1];
            let block = self.directory[self.entry(place)];
            visit(block * PER_BLOCK as u32 + bit_of(place) as u32);
        }
    }

    /// Calls `visit` with each voxel of the set that shares a face with `voxel`.
    pub fn for_each_face_neighbour(&self, voxel: u32, mut visit: impl FnMut(u32)) {
        let place = self.place_of(voxel);
        for side in 0..6 {
            let mut there = place;
            // One down along an axis, or one up.
            there[side / 2] = there[side / 2] + 2 * (side % 2) - 1;
            let block = self.directory[self.entry(there)];
            let bit = bit_of(there);
            if self.blocks[block as usize] >> bit & 1 == 1 {
                visit(block * PER_BLOCK as u32 + bit as u32);
            }
        }
    }

    /// The 27 voxels round `voxel` as bits, x fastest, itself in the middle (bit 13).
    pub fn neighbourhood(&self, voxel: u32) -> u32 {
        let [i, j, k] = self.place_of(voxel);
        let mut bits = 0;
        for row in 0..9 {
            let start = [i - 1, j + row % 3 - 1, k + row / 3 - 1];
            bits |= self.row_of_three(start) << (3 * row);
        }
        bits
    }

    /// The voxels at `start` and the next two along x.
    fn row_of_three(&self, start: [usize; 3]) -> u32 {
        let (entry, bit) = (self.entry(start), bit_of(start));
        let word = |entry: usize| self.blocks[self.directory[entry] as usize];
        let in_first = (word(entry) >> bit) as u32;
        let first_has = EDGE - start[0] % EDGE;
        if first_has >= 3 {
            return in_first & 7;
        }
        let row_start = bit - start[0] % EDGE;
        let in_second = (word(entry + 1) >> row_start) as u32;
        (in_first & ((1 << first_has) - 1) | in_second << first_has) & 7
    }

    #[cfg(test)]
    /// Euler number of the closed cubes' union: parts − tunnels + hollows.
    pub fn euler(&self) -> i64 {
        let cells = cells_of_a_cube();
        self.iter()
            .map(|voxel| {
                let around = self.neighbourhood(voxel);
                // A corner, edge or face belongs to the first voxel that has it.
                let own = cells.iter().filter(|(_, earlier)| around & earlier == 0);
                own.map(|&(sign, _)| sign).sum::<i64>() - 1
            })
            .sum()
    }
}

/// The middle voxel in [`VoxelSet::neighbourhood`].
pub(super) const CENTER: u32 = 1 << 13;

fn bit_of([i, j, k]: [usize; 3]) -> usize {
    i % EDGE + EDGE * (j % EDGE + EDGE * (k % EDGE))
}

#[cfg(test)]
/// For the 8 corners, 12 edges and 6 faces of a voxel: the sign it counts with, and which of the
/// voxels before this one share it.
fn cells_of_a_cube() -> Vec<(i64, u32)> {
    (0..27_usize)
        .filter(|&n| n != 13)
        .map(|n| {
            let side = [n % 3, n / 3 % 3, n / 9];
            let fixed = side.iter().filter(|&&s| s != 1).count();
            let shares = |m: usize| {
                let other = [m % 3, m / 3 % 3, m / 9];
                (0..3).all(|a| other[a] == 1 || other[a] == side[a])
            };
            let earlier = (0..13)
                .filter(|&m| shares(m))
                .fold(0, |bits, m| bits | 1 << m);
            // Corners (3 fixed) +, edges (2) −, faces (1) +.
            (if fixed == 2 { -1 } else { 1 }, earlier)
        })
        .collect()
}

/// Voxel edges to try, mm, each finer than the one before: half the thinnest tube's radius first,
/// then as far as the limit allows.
pub(super) fn steps<F>(
    wall: &Wall<'_, F>,
    options: &ExtractOptions,
) -> Result<Vec<f64>, CenterlineError> {
    const TRIES: usize = 4;
    const REFINE: f64 = 0.75;
    let affordable_mm = affordable_step(wall, options)?;
    if let Some(step_mm) = options.voxel_mm {
        check_affordable(step_mm, step_mm, affordable_mm, options)?;
        return Ok(vec![step_mm]);
    }
    let radius_mm = wall.thinnest_radius_mm().unwrap_or(affordable_mm);
    let needed_mm = radius_mm / LEAST_VOXELS_PER_RADIUS;
    check_affordable(radius_mm, needed_mm, affordable_mm, options)?;
    let first = (radius_mm / VOXELS_PER_RADIUS).max(affordable_mm);
    Ok((0..TRIES as i32)
        .map(|n| first * REFINE.powi(n))
        .take_while(|&step_mm| step_mm >= affordable_mm)
        .collect())
}

fn check_affordable(
    radius_mm: f64,
    needed_mm: f64,
    affordable_mm: f64,
    options: &ExtractOptions,
) -> Result<(), CenterlineError> {
    if needed_mm >= affordable_mm {
        return Ok(());
    }
    Err(CenterlineError::TooFine {
        radius_mm,
        needed_mm,
        affordable_mm,
        max_voxels: options.max_voxels,
    })
}

/// The smallest voxel edge within the limits on voxels and on the lattice.
fn affordable_step<F>(
    wall: &Wall<'_, F>,
    options: &ExtractOptions,
) -> Result<f64, CenterlineError> {
    let extent = wall.mesh.bounds().extent().map(f64::from);
    let largest = extent.into_iter().fold(0.0, f64::max);
    let volume = wall.filled_volume_mm3();
    if !(volume > 0.0 && volume > 1e-12 * largest.powi(3)) {
        return Err(CenterlineError::NoInside);
    }
    let by_voxels = (volume / options.max_voxels as f64).cbrt();
    let spread: f64 = extent.iter().map(|e| e.max(0.01 * largest)).product();
    let by_lattice = (spread / (MOST_DIRECTORY_ENTRIES * PER_BLOCK as f64)).cbrt();
    let by_columns = (wall.projected_area_mm2() / MOST_CROSSINGS).sqrt();
    Ok(by_voxels
        .max(by_lattice)
        .max(by_columns)
        .max(largest * 1e-5))
}

/// The voxels whose middles lie inside the surface.
pub(super) fn fill<F>(
    wall: &Wall<'_, F>,
    step_mm: f64,
    max_voxels: usize,
) -> Result<VoxelSet, CenterlineError> {
    /// Half-filled blocks of a thin tube make three slots a voxel; more than this is dust.
    const MOST_SLOTS_PER_VOXEL: usize = 10;
    let bounds = wall.mesh.bounds();
    // Off the round numbers that made meshes like.
    const NUDGE: [f64; 3] = [0.382_571, 0.414_219, 0.443_127];
    let origin =
        Vec3::from_fn(|a, _| f64::from(bounds.min[a]) - (MARGIN as f64 + NUDGE[a]) * step_mm);
    let dims = bounds
        .extent()
        .map(|e| (f64::from(e) / step_mm).ceil() as usize + 2 * MARGIN + 2);
    let mut set = VoxelSet::empty(origin, step_mm, dims);
    for column in crossings(wall, &set).chunk_by(|a, b| a.column == b.column) {
        fill_column(&mut set, dims, column);
    }
    if set.iter().next().is_none() {
        return Err(CenterlineError::NoInside);
    }
    if set.slots() > MOST_SLOTS_PER_VOXEL.saturating_mul(max_voxels) {
        return Err(CenterlineError::Scattered { voxel_mm: step_mm });
    }
    Ok(set)
}

/// A column passing through the surface.
struct Crossing {
    /// i + 2³² · j.
    column: u64,
    z_mm: f64,
    /// What the winding number gains on the way up.
    gain: i32,
}

fn crossings<F>(wall: &Wall<'_, F>, set: &VoxelSet) -> Vec<Crossing> {
    let mut found = Vec::new();
    for triangle in 0..wall.mesh.triangles().len() as u32 {
        add_crossings(wall, set, triangle, &mut found);
    }
    found.sort_by(|a, b| {
        a.column
            .cmp(&b.column)
            .then(a.z_mm.total_cmp(&b.z_mm))
            .then(b.gain.cmp(&a.gain))
    });
    found
}

fn add_crossings<F>(wall: &Wall<'_, F>, set: &VoxelSet, triangle: u32, found: &mut Vec<Crossing>) {
    let corners = wall.corners(triangle);
    let range = |axis: usize| {
        let lowest = corners
            .iter()
            .map(|c| c[axis])
            .fold(f64::INFINITY, f64::min);
        let highest = corners
            .iter()
            .map(|c| c[axis])
            .fold(f64::NEG_INFINITY, f64::max);
        let index = |v: f64| (v - set.origin[axis]) / set.step_mm;
        (index(lowest) - 0.01).ceil() as u64..=(index(highest) + 0.01).floor() as u64
    };
    for j in range(1) {
        for i in range(0) {
            let x = set.origin.x + i as f64 * set.step_mm;
            let y = set.origin.y + j as f64 * set.step_mm;
            let turn = turn_about(corners, x, y);
            if turn != 0 {
                found.push(Crossing {
                    column: i | j << 32,
                    z_mm: height_at(corners, x, y),
                    // Seen from above anticlockwise: facing up, leaving on the way up.
                    gain: -turn * wall.outward(triangle) as i32,
                });
            }
        }
    }
}

/// +1 or −1 where the triangle's projection along z covers (x, y), by its sense; else 0. A point on
/// an edge or corner counts as lying at (x + ε, y + ε²): exactly one of two neighbours has it.
fn turn_about(corners: [Vec3; 3], x: f64, y: f64) -> i32 {
    let sides = [(0, 1), (1, 2), (2, 0)].map(|(a, b)| side(corners[a], corners[b], x, y));
    if sides[0] == sides[1] && sides[1] == sides[2] {
        sides[0]
    } else {
        0
    }
}

fn side(a: Vec3, b: Vec3, x: f64, y: f64) -> i32 {
    let coord = |x, y| Coord { x, y };
    let turn = orient2d(coord(a.x, a.y), coord(b.x, b.y), coord(x, y));
    let sign = |v: f64| match v.total_cmp(&0.0) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    };
    if turn > 0.0 {
        1
    } else if turn < 0.0 {
        -1
    } else if a.y == b.y {
        sign(b.x - a.x + 0.0)
    } else {
        sign(a.y - b.y)
    }
}

fn height_at([a, b, c]: [Vec3; 3], x: f64, y: f64) -> f64 {
    let normal = (b - a).cross(&(c - a));
    let height = a.z - (normal.x * (x - a.x) + normal.y * (y - a.y)) / normal.z;
    let lowest = a.z.min(b.z).min(c.z);
    let highest = a.z.max(b.z).max(c.z);
    if height.is_nan() {
        lowest
    } else {
        height.clamp(lowest, highest)
    }
}

fn fill_column(set: &mut VoxelSet, dims: [usize; 3], crossings: &[Crossing]) {
    let i = (crossings[0].column & 0xffff_ffff) as usize;
    let j = (crossings[0].column >> 32) as usize;
    let first_above = |z: f64| ((z - set.origin.z) / set.step_mm).ceil().max(0.0) as usize;
    let mut winding = 0;
    let mut runs = Vec::new();
    for pair in crossings.windows(2) {
        winding += pair[0].gain;
        if winding > 0 {
            runs.push(first_above(pair[0].z_mm)..first_above(pair[1].z_mm).min(dims[2] - 1));
        }
    }
    for k in runs.into_iter().flatten() {
        set.insert([i, j, k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centerline::tests::shapes;

    #[test]
    fn a_ball_fills_to_its_volume_and_has_no_tunnel() {
        let mesh = shapes::ball(10.0);
        let wall = Wall::new(&mesh).unwrap();
        let set = fill(&wall, 0.5, 1_000_000).unwrap();
        let volume = set.iter().count() as f64 * 0.125;
        assert!(
            (volume / mesh.signed_volume_mm3() - 1.0).abs() < 0.01,
            "{volume}"
        );
        assert_eq!(set.euler(), 1);
        assert_eq!(wall.topology, Some((1, 0)));
    }

    #[test]
    fn a_ring_has_one_tunnel() {
        let mesh = shapes::ring(10.0, 2.0);
        let wall = Wall::new(&mesh).unwrap();
        assert_eq!(wall.topology, Some((1, 1)));
        assert_eq!(fill(&wall, 0.5, 1_000_000).unwrap().euler(), 0);
    }

    #[test]
    fn voxel_numbers_and_places_agree() {
        let mut set = VoxelSet::empty(Vec3::zeros(), 1.0, [9, 10, 11]);
        let places = [[1, 1, 1], [2, 1, 1], [4, 5, 6], [5, 6, 7], [8, 8, 8]];
        places.iter().for_each(|&p| set.insert(p));
        let mut found: Vec<[usize; 3]> = set.iter().map(|v| set.place_of(v)).collect();
        found.sort_unstable();
        assert_eq!(found, places);
        let first = set.iter().next().unwrap();
        assert_eq!(set.neighbourhood(first), CENTER | CENTER << 1);
        let mut neighbours = Vec::new();
        set.for_each_neighbour(first, |n| neighbours.push(set.place_of(n)));
        assert_eq!(neighbours, [[2, 1, 1]]);
        let across = set.iter().find(|&v| set.place_of(v) == [4, 5, 6]).unwrap();
        assert_eq!(set.neighbourhood(across), CENTER | 1 << 26);
    }
}
