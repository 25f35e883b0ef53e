//! Solids → surfaces: sampling only the blocks that the surface can pass through.

use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use super::lean::Near;
use super::{Bounds, Expr, SdfError, Solid};
use crate::frame::{Affine, Patient, Point, Voxel};
use crate::mesh::TriMesh;
use crate::polygonise::{PolygoniseError, polygonise_slices};

/// Edge of a block in samples.
const BLOCK: usize = 8;
/// Blocks in a row that are looked at together first.
const GROUP: usize = 4;
/// Samples left free round the solid's bounds.
const RIM: f64 = 1.5;

/// What a surface may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurfaceLimits {
    /// Samples in the whole grid, most of which are skipped.
    pub max_samples: u64,
}

impl Default for SurfaceLimits {
    fn default() -> Self {
        Self {
            max_samples: 1 << 30,
        }
    }
}

/// The closed, outward surface of a solid, sampled every `resolution_mm`. Made on rayon's current
/// threads; the result does not depend on their number.
///
/// # Errors
/// See [`SdfError`].
pub fn surface(
    expression: &Expr,
    resolution_mm: f64,
    limits: &SurfaceLimits,
) -> Result<TriMesh<Patient>, SdfError> {
    let solid = Solid::new(expression)?;
    let grid = Grid::round(&solid, expression, resolution_mm, limits)?;
    let mut layer = Vec::new();
    let fill = |k: usize, slice: &mut [f32]| {
        if k.is_multiple_of(BLOCK) {
            layer = grid.sample_layer(&solid, k);
        }
        grid.copy_slice(&layer, k % BLOCK, slice);
    };
    polygonise_slices(grid.dims, 0.0, &grid.patient_from_voxel, fill).map_err(|error| match error {
        PolygoniseError::Empty => SdfError::Empty { resolution_mm },
        other => SdfError::Polygonise(other),
    })
}

struct Grid {
    dims: [usize; 3],
    origin: Vector3<f64>,
    step: f64,
    patient_from_voxel: Affine<Patient, Voxel>,
}

impl Grid {
    fn round(
        solid: &Solid,
        expression: &Expr,
        step: f64,
        limits: &SurfaceLimits,
    ) -> Result<Self, SdfError> {
        let affine = |origin| Affine::new(Matrix3::from_diagonal_element(step), origin);
        let valid = step > 0.0 && affine(Vector3::zeros()).is_some();
        if !valid {
            return Err(SdfError::Parameter {
                path: "surface".into(),
                name: "resolution_mm",
                value: step,
                must_be: "a number above 0",
            });
        }
        let Some([min, max]) = bounded(solid) else {
            let path = endless_node(expression, "");
            return Err(SdfError::Unbounded { path });
        };
        let extent = max - min;
        if extent.iter().any(|&e| e < 0.0) {
            return Err(SdfError::Empty {
                resolution_mm: step,
            });
        }
        let dims = extent.map(|e| (e / step + 2.0 * RIM).ceil() as u64 + 1);
        let samples = dims.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
        if samples.is_none_or(|n| n > limits.max_samples) {
            return Err(SdfError::TooManySamples {
                dims: dims.into(),
                limit: limits.max_samples,
                resolution_mm: step,
            });
        }
        let origin = min - Vector3::repeat(RIM * step);
        Ok(Self {
            dims: dims.map(|d| d as usize).into(),
            origin,
            step,
            patient_from_voxel: affine(origin).ok_or(SdfError::Empty {
                resolution_mm: step,
            })?,
        })
    }

    fn place(&self, ijk: [f64; 3]) -> Point<Patient> {
        Point::from_coords(self.origin + Vector3::from(ijk) * self.step)
    }

    /// Samples of slices `first_k`…, one list for each row of blocks, in the order i, j, k.
    fn sample_layer(&self, solid: &Solid, first_k: usize) -> Vec<Vec<f32>> {
        let blocks = self.dims.map(|d| d.div_ceil(BLOCK));
        (0..blocks[1])
            .into_par_iter()
            .map(|row| {
                let mut samples = vec![0.0; self.dims[0] * BLOCK * BLOCK];
                for group in (0..blocks[0]).step_by(GROUP) {
                    let count = GROUP.min(blocks[0] - group);
                    let first = [group * BLOCK, row * BLOCK, first_k];
                    self.sample_group(solid, first, count, &mut samples);
                }
                samples
            })
            .collect()
    }

    /// A row of blocks: what cannot matter to any of them is left out first.
    fn sample_group(&self, solid: &Solid, first: [usize; 3], count: usize, samples: &mut [f32]) {
        let (center, radius) = self.ball(
            [first[0], first[1], first[2]],
            [count * BLOCK, BLOCK, BLOCK],
        );
        let near = solid.near(center, radius);
        for block in 0..count {
            let first = [first[0] + block * BLOCK, first[1], first[2]];
            match near.sign() {
                Some(sign) => self.fill_block(first, samples, &|_| sign),
                None => self.sample_block(&near, first, samples),
            }
        }
    }

    fn sample_block(&self, solid: &Near<'_>, first: [usize; 3], samples: &mut [f32]) {
        let (center, radius) = self.ball(first, [BLOCK; 3]);
        let near = solid.nearer(center, radius);
        match near.sign() {
            Some(sign) => self.fill_block(first, samples, &|_| sign),
            None => self.fill_block(first, samples, &|ijk| {
                -near.distance_mm(self.place(ijk.map(|v| v as f64))) as f32
            }),
        }
    }

    fn fill_block(
        &self,
        first: [usize; 3],
        samples: &mut [f32],
        value: &dyn Fn([usize; 3]) -> f32,
    ) {
        let end = (first[0] + BLOCK).min(self.dims[0]);
        for at in 0..BLOCK * BLOCK {
            let (j, k) = (at % BLOCK, at / BLOCK);
            for i in first[0]..end {
                samples[at * self.dims[0] + i] = value([i, first[1] + j, first[2] + k]);
            }
        }
    }

    /// A ball round a box of samples and a rim of one, so that no crossed edge ends in a box that
    /// is wholly inside or outside.
    fn ball(&self, first: [usize; 3], size: [usize; 3]) -> (Point<Patient>, f64) {
        let half = size.map(|s| 0.5 * (s - 1) as f64);
        let center = std::array::from_fn(|axis| first[axis] as f64 + half[axis]);
        let reach = Vector3::from(half).add_scalar(1.0);
        (self.place(center), reach.norm() * self.step)
    }

    fn copy_slice(&self, layer: &[Vec<f32>], k: usize, slice: &mut [f32]) {
        for (j, row) in slice.chunks_exact_mut(self.dims[0]).enumerate() {
            let start = (j % BLOCK + BLOCK * k) * self.dims[0];
            row.copy_from_slice(&layer[j / BLOCK][start..start + self.dims[0]]);
        }
    }
}

/// A solid's bounds, `None` where it has no end.
pub(super) fn bounded(solid: &Solid) -> Option<[Vector3<f64>; 2]> {
    let Bounds { min, max } = solid.bounds();
    let (min, max) = (Vector3::from(min), Vector3::from(max));
    let endless = |e: &f64| e.is_nan() || *e == f64::INFINITY;
    (!(max - min).iter().any(endless)).then_some([min, max])
}

/// The path to the deepest first node that by itself has no end.
pub(super) fn endless_node(expression: &Expr, before: &str) -> String {
    let path = format!("{before}{}", expression.name());
    let children = expression.children();
    match children.iter().position(|child| is_endless(child)) {
        Some(n) if children.len() > 1 => endless_node(children[n], &format!("{path}[{n}] > ")),
        Some(n) => endless_node(children[n], &format!("{path} > ")),
        None => path,
    }
}

fn is_endless(expression: &Expr) -> bool {
    Solid::new(expression).is_ok_and(|solid| {
        let Bounds { min, max } = solid.bounds();
        min.contains(&f64::NEG_INFINITY) || max.contains(&f64::INFINITY)
    })
}
