//! Closest places of a surface, handed from point to point of a grid.
//!
//! Along an axis each point takes the closest place of the one before it, and along y and z of
//! those beside that too, where it is nearer than its own: both ways, several times.

use rayon::prelude::*;

use super::field::{Grid, Near};

/// Numbers of a point: its closest place (x, y, z) and the distance to it, mm, infinite where no
/// place is known yet. A row along x holds all its x, then all its y, z and distances.
const NUMBERS: usize = 4;

/// Unsigned distances at all points, from what is known near the surface: `near(k)` gives slice k.
pub(super) fn distances(grid: Grid, near: impl Fn(usize) -> Vec<Near> + Sync) -> Vec<f32> {
    let mut rows = gathered(grid, near);
    // More than once: what one axis brings late, the others hand on in the next round.
    for axis in [0, 1, 2, 0, 1, 2, 1, 0] {
        match axis {
            0 => along_x(&mut rows, grid),
            1 => along_y(&mut rows, grid),
            _ => along_z(&mut rows, grid),
        }
    }
    let ni = grid.dims[0];
    let mut values = rayon::iter::repeat_n(0.0, grid.count()).collect::<Vec<f32>>();
    values
        .par_chunks_mut(ni)
        .zip(rows.par_chunks(NUMBERS * ni))
        .for_each(|(values, row)| values.copy_from_slice(&row[(NUMBERS - 1) * ni..]));
    values
}

fn gathered(grid: Grid, near: impl Fn(usize) -> Vec<Near> + Sync) -> Vec<f32> {
    let [ni, nj, _] = grid.dims;
    let mut rows = rayon::iter::repeat_n(0.0, NUMBERS * grid.count()).collect::<Vec<f32>>();
    let slices = rows.par_chunks_mut(NUMBERS * ni * nj).with_max_len(1);
    slices.enumerate().for_each(|(k, slice)| {
        let near = near(k);
        let slice = slice.chunks_exact_mut(NUMBERS * ni);
        for (row, near) in slice.zip(near.chunks_exact(ni)) {
            for (i, near) in near.iter().enumerate() {
                let [x, y, z] = near.place;
                for (n, value) in [x, y, z, near.distance_mm].into_iter().enumerate() {
                    row[n * ni + i] = value;
                }
            }
        }
    });
    rows
}

/// A row's x, y, z and distances.
fn numbers(row: &[f32]) -> [&[f32]; NUMBERS] {
    let mut parts = row.chunks_exact(row.len() / NUMBERS);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

fn numbers_mut(row: &mut [f32]) -> [&mut [f32]; NUMBERS] {
    let mut parts = row.chunks_exact_mut(row.len() / NUMBERS);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// Where the points of a row lie.
struct Places<'a> {
    x: &'a [f64],
    y: f64,
    z: f64,
}

/// Takes the closest places of another row's points where they are nearer: of the point before
/// (−1), of the one with the same number (0), of the one after (1).
fn take_row(row: &mut [f32], from: &[f32], shift: i8, places: &Places<'_>) {
    let count = places.x.len();
    let (own, other) = match shift {
        -1 => (1..count, 0..count - 1),
        0 => (0..count, 0..count),
        _ => (0..count - 1, 1..count),
    };
    let here = &places.x[own.clone()];
    let from = numbers(from).map(|part| &part[other.clone()]);
    let own = numbers_mut(row).map(|part| &mut part[own.clone()]);
    take_all(own, from, here, [places.y, places.z]);
}

fn take_all(own: [&mut [f32]; NUMBERS], from: [&[f32]; NUMBERS], x: &[f64], [y, z]: [f64; 2]) {
    let count = x.len();
    let [own_x, own_y, own_z, own_mm] = own.map(|part| &mut part[..count]);
    let [from_x, from_y, from_z, from_mm] = from.map(|part| &part[..count]);
    for i in 0..count {
        let place = [from_x[i], from_y[i], from_z[i]];
        let mm = apart_mm(place, [x[i], y, z]);
        // No branches, so that several points are done at once.
        let is_nearer = (mm < own_mm[i]) & (from_mm[i] < f32::INFINITY);
        own_x[i] = if is_nearer { place[0] } else { own_x[i] };
        own_y[i] = if is_nearer { place[1] } else { own_y[i] };
        own_z[i] = if is_nearer { place[2] } else { own_z[i] };
        own_mm[i] = if is_nearer { mm } else { own_mm[i] };
    }
}

#[inline(always)]
fn apart_mm(place: [f32; 3], here: [f64; 3]) -> f32 {
    let [dx, dy, dz] = std::array::from_fn(|a| f64::from(place[a]) - here[a]);
    (dx * dx + dy * dy + dz * dz).sqrt() as f32
}

fn xs(grid: Grid) -> Vec<f64> {
    (0..grid.dims[0]).map(|i| grid.at([i, 0, 0]).x).collect()
}

fn along_x(rows: &mut [f32], grid: Grid) {
    let [ni, nj, _] = grid.dims;
    let x = xs(grid);
    let rows = rows.par_chunks_mut(NUMBERS * ni).enumerate();
    rows.for_each(|(r, row)| {
        let start = grid.at([0, r % nj, r / nj]);
        let own = numbers_mut(row);
        let mut take = |to: usize, from: usize| {
            let place = std::array::from_fn(|a| own[a][from]);
            let mm = apart_mm(place, [x[to], start.y, start.z]);
            if mm < own[3][to] && own[3][from] < f32::INFINITY {
                (0..3).for_each(|a| own[a][to] = place[a]);
                own[3][to] = mm;
            }
        };
        (1..ni).for_each(|i| take(i, i - 1));
        (0..ni - 1).rev().for_each(|i| take(i, i + 1));
    });
}

fn along_y(rows: &mut [f32], grid: Grid) {
    let [ni, nj, _] = grid.dims;
    let x = xs(grid);
    let len = NUMBERS * ni;
    let slices = rows.par_chunks_mut(len * nj).with_max_len(1).enumerate();
    slices.for_each(|(k, slice)| {
        let mut step = |j: usize, from: usize| {
            let at = grid.at([0, j, k]);
            let places = Places {
                x: &x,
                y: at.y,
                z: at.z,
            };
            let (low, high) = slice.split_at_mut(len * j.max(from));
            let (row, source) = if j > from {
                (&mut high[..len], &low[len * from..])
            } else {
                (&mut low[len * j..], &high[..len])
            };
            for shift in [-1, 0, 1] {
                take_row(row, source, shift, &places);
            }
        };
        (1..nj).for_each(|j| step(j, j - 1));
        (0..nj - 1).rev().for_each(|j| step(j, j + 1));
    });
}

fn along_z(rows: &mut [f32], grid: Grid) {
    let [ni, nj, nk] = grid.dims;
    let x = xs(grid);
    let len = NUMBERS * ni;
    let plane = len * nj;
    let step = |rows: &mut [f32], k: usize, from: usize| {
        let (low, high) = rows.split_at_mut(plane * k.max(from));
        let (to, source) = if k > from {
            (&mut high[..plane], &low[plane * from..][..plane])
        } else {
            (&mut low[plane * k..][..plane], &high[..plane])
        };
        to.par_chunks_mut(len)
            .with_min_len(4)
            .enumerate()
            .for_each(|(j, row)| {
                let at = grid.at([0, j, k]);
                let places = Places {
                    x: &x,
                    y: at.y,
                    z: at.z,
                };
                for q in j.saturating_sub(1)..=(j + 1).min(nj - 1) {
                    for shift in [-1, 0, 1] {
                        take_row(row, &source[len * q..][..len], shift, &places);
                    }
                }
            });
    };
    (1..nk).for_each(|k| step(rows, k, k - 1));
    (0..nk - 1).rev().for_each(|k| step(rows, k, k + 1));
}
