//! Distances from grid samples to a mesh in a band round it.
//!
//! Each triangle is measured from the samples within a grid step of it; from there every sample
//! offers its nearest triangle to its neighbours. What spreads is the triangle, not the distance,
//! so distances do not add up errors; a sample misses its nearest triangle only where none of its
//! neighbours has it either, and then takes one that is hardly farther.

use std::collections::VecDeque;

use super::Here;
use super::grid::Grid;
use crate::closest::closest_on_triangle;
use crate::frame::Point;
use crate::mesh::TriMesh;

/// Boxes of at most this many samples along each side are measured sample by sample.
const SMALL_BOX: usize = 3;
const NO_TRIANGLE: u32 = u32::MAX;

/// Distances to a mesh, mm, those beyond `limit_mm` as `limit_mm`.
pub(super) fn distances(mesh: &TriMesh<Here>, grid: &Grid, limit_mm: f64) -> Vec<f32> {
    let mut band = Band {
        mesh,
        grid,
        distance: vec![limit_mm as f32; grid.len()],
        nearest: vec![NO_TRIANGLE; grid.len()],
        queue: VecDeque::new(),
    };
    for triangle in 0..mesh.triangles().len() as u32 {
        band.seed(triangle);
    }
    let seeded = (0..grid.len()).filter(|&at| band.nearest[at] != NO_TRIANGLE);
    band.queue = seeded.collect();
    while let Some(at) = band.queue.pop_front() {
        band.spread(at);
    }
    band.distance
}

struct Band<'a> {
    mesh: &'a TriMesh<Here>,
    grid: &'a Grid,
    distance: Vec<f32>,
    nearest: Vec<u32>,
    queue: VecDeque<usize>,
}

impl Band<'_> {
    /// Measures a triangle from the samples within a step of it.
    fn seed(&mut self, triangle: u32) {
        let corners = self.mesh.corners(triangle as usize);
        let voxel_from_here = self.grid.here_from_voxel.inverse();
        let ijk = corners.map(|p| (voxel_from_here * Point::from_f32(p)).to_array());
        let range = |a: usize| {
            let ends = ijk.map(|p| p[a]);
            let low = ends.iter().copied().fold(f64::INFINITY, f64::min) - 1.0;
            let high = ends.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 1.0;
            let last = self.grid.dims[a] - 1;
            [
                low.ceil().max(0.0) as usize,
                (high.floor() as usize).min(last),
            ]
        };
        self.seed_box(triangle, [range(0), range(1), range(2)]);
    }

    fn seed_box(&mut self, triangle: u32, ranges: [[usize; 2]; 3]) {
        let lengths = ranges.map(|[low, high]| high - low + 1);
        let longest = if lengths[0] >= lengths[1].max(lengths[2]) {
            0
        } else if lengths[1] >= lengths[2] {
            1
        } else {
            2
        };
        if lengths[longest] <= SMALL_BOX {
            self.seed_samples(triangle, ranges);
            return;
        }
        let middle = ranges.map(|[low, high]| 0.5 * (low + high) as f64);
        let center = self.grid.here_from_voxel * Point::new(middle[0], middle[1], middle[2]);
        let half_diagonal = lengths.map(|n| (n * n) as f64).iter().sum::<f64>().sqrt() * 0.5;
        if self.measure(triangle, center) > (half_diagonal + 1.0) * self.grid.step {
            return;
        }
        let [low, high] = ranges[longest];
        let cut = (low + high) / 2;
        for part in [[low, cut], [cut + 1, high]] {
            let mut ranges = ranges;
            ranges[longest] = part;
            self.seed_box(triangle, ranges);
        }
    }

    fn seed_samples(&mut self, triangle: u32, [x, y, z]: [[usize; 2]; 3]) {
        for k in z[0]..=z[1] {
            for j in y[0]..=y[1] {
                for i in x[0]..=x[1] {
                    self.offer(self.grid.index([i, j, k]), triangle);
                }
            }
        }
    }

    fn measure(&self, triangle: u32, place: Point<Here>) -> f64 {
        let corners = self.mesh.corners(triangle as usize).map(Point::from_f32);
        closest_on_triangle(place, corners).0.distance(&place)
    }

    /// Takes the triangle for a sample if it is nearer than what the sample has.
    fn offer(&mut self, at: usize, triangle: u32) -> bool {
        let place = self.grid.place(self.grid.indices(at));
        let distance = self.measure(triangle, place) as f32;
        let nearer = distance < self.distance[at];
        if nearer {
            self.distance[at] = distance;
            self.nearest[at] = triangle;
        }
        nearer
    }

    fn spread(&mut self, at: usize) {
        let triangle = self.nearest[at];
        let grid = self.grid;
        for next in grid.neighbours(at) {
            if self.nearest[next] != triangle && self.offer(next, triangle) {
                self.queue.push_back(next);
            }
        }
    }
}
