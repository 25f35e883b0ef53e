//! The sampling grid round a mesh.

use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use super::{Here, RemeshError};
use crate::frame::{Affine, Point, Voxel};
use crate::mesh::TriMesh;

/// Edge of a block in samples.
const BLOCK: usize = 4;
/// Samples left free round the mesh and the gap.
const RIM: f64 = 3.0;

/// Cubic samples round a mesh, first index fastest.
pub(super) struct Grid {
    pub(super) dims: [usize; 3],
    pub(super) step: f64,
    pub(super) here_from_voxel: Affine<Here, Voxel>,
}

/// Some samples of the grid: from `first` up to, not including, `end`.
#[derive(Clone, Copy)]
pub(super) struct Block {
    first: [usize; 3],
    end: [usize; 3],
}

impl Grid {
    /// A grid that leaves `reach` mm and some samples free on all sides.
    pub(super) fn round(
        mesh: &TriMesh<Here>,
        step: f64,
        reach: f64,
        max_samples: u64,
    ) -> Result<Self, RemeshError> {
        let bounds = mesh.bounds();
        let rim = reach + RIM * step;
        let dims = bounds
            .extent()
            .map(|e| ((f64::from(e) + 2.0 * rim) / step).ceil() as u64 + 1);
        let samples = dims.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
        let origin = Point::<Here>::from_f32(bounds.min).coords - Vector3::repeat(rim);
        let affine = Affine::new(Matrix3::from_diagonal_element(step), origin);
        match (samples, affine) {
            (Some(samples), Some(here_from_voxel)) if samples <= max_samples => Ok(Self {
                dims: dims.map(|d| d as usize),
                step,
                here_from_voxel,
            }),
            _ => Err(RemeshError::TooManySamples {
                dims,
                limit: max_samples,
                resolution_mm: step,
            }),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.dims.iter().product()
    }

    pub(super) fn place(&self, ijk: [usize; 3]) -> Point<Here> {
        let [i, j, k] = ijk.map(|v| v as f64);
        self.here_from_voxel * Point::new(i, j, k)
    }

    pub(super) fn index(&self, [i, j, k]: [usize; 3]) -> usize {
        i + self.dims[0] * (j + self.dims[1] * k)
    }

    pub(super) fn indices(&self, index: usize) -> [usize; 3] {
        let [nx, ny, _] = self.dims;
        [index % nx, index / nx % ny, index / (nx * ny)]
    }

    /// The up to six neighbours of a sample.
    pub(super) fn neighbours(&self, index: usize) -> impl Iterator<Item = usize> {
        let [nx, ny, nz] = self.dims;
        let ijk = self.indices(index);
        let strides = [1, nx, nx * ny];
        let ends = [nx, ny, nz];
        (0..3).flat_map(move |a| {
            let down = (ijk[a] > 0).then(|| index - strides[a]);
            let up = (ijk[a] + 1 < ends[a]).then(|| index + strides[a]);
            down.into_iter().chain(up)
        })
    }

    /// One value for every sample: whole blocks at once where `block_value` knows one, else sample
    /// by sample.
    pub(super) fn sampled(
        &self,
        block_value: impl Fn(&Block) -> Option<f32> + Sync,
        sample_value: impl Fn([usize; 3]) -> f32 + Sync,
    ) -> Vec<f32> {
        let slice = self.dims[0] * self.dims[1];
        let mut values = vec![0.0; self.len()];
        let layers = values.par_chunks_mut(slice * BLOCK).enumerate();
        layers.for_each(|(layer, values)| {
            for block in self.blocks_of_layer(layer) {
                let known = block_value(&block);
                for ijk in block.samples() {
                    let at = self.index(ijk) - layer * BLOCK * slice;
                    values[at] = known.unwrap_or_else(|| sample_value(ijk));
                }
            }
        });
        values
    }

    fn blocks_of_layer(&self, layer: usize) -> impl Iterator<Item = Block> {
        let [columns, rows] = [self.dims[0], self.dims[1]].map(|n| n.div_ceil(BLOCK));
        (0..columns * rows).map(move |n| {
            let first = [n % columns * BLOCK, n / columns * BLOCK, layer * BLOCK];
            let end = std::array::from_fn(|a| (first[a] + BLOCK).min(self.dims[a]));
            Block { first, end }
        })
    }

    /// Middle of a block, and the radius of a ball that holds it and one more sample all round.
    pub(super) fn ball_round(&self, block: &Block) -> (Point<Here>, f64) {
        let middle = |a: usize| 0.5 * (block.first[a] + block.end[a] - 1) as f64;
        let half = |a: usize| 0.5 * (block.end[a] - block.first[a] + 1) as f64;
        let center = self.here_from_voxel * Point::new(middle(0), middle(1), middle(2));
        let radius = Vector3::new(half(0), half(1), half(2)).norm() * self.step;
        (center, radius)
    }
}

impl Block {
    fn samples(self) -> impl Iterator<Item = [usize; 3]> {
        let Self { first, end } = self;
        (first[2]..end[2]).flat_map(move |k| {
            (first[1]..end[1]).flat_map(move |j| (first[0]..end[0]).map(move |i| [i, j, k]))
        })
    }

    /// The eight corners, one sample outward.
    pub(super) fn outer_corners(&self) -> [[f64; 3]; 8] {
        std::array::from_fn(|corner| {
            std::array::from_fn(|a| {
                if corner >> a & 1 == 0 {
                    self.first[a] as f64 - 1.0
                } else {
                    self.end[a] as f64
                }
            })
        })
    }
}
