//! Solids → surfaces: sampling only the blocks that the surface can pass through.

use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use super::lean::Near;
use super::{Bounds, Expr, SdfError, Solid};
use crate::frame::{Affine, Patient, Point, Voxel};
use crate::mesh::TriMesh;
use crate::polygonise::{PolygoniseError, polygonise_slices};

/// Slices that are sampled together, and the edge of the largest boxes looked at, in samples.
const LAYER: usize = 32;
/// Edge of the smallest box for which parts that do not matter are left out, in samples.
const BLOCK: usize = 8;
/// Edge of the smallest box that is skipped where the surface is farther off, in samples.
const CRUMB: usize = 2;
/// Boxes of at least so many samples along an edge are shared out among threads.
const SHARED: usize = 32;
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
    let slice_len = grid.dims[0] * grid.dims[1];
    grid.polygonise(|k, slice| {
        if k.is_multiple_of(LAYER) {
            grid.sample_layer(&solid, k, &mut layer);
        }
        slice.copy_from_slice(&layer[k % LAYER * slice_len..][..slice_len]);
    })
}

/// [`surface`] with every sample worked out, from the whole expression: slow and plain.
#[cfg(test)]
pub(super) fn surface_in_full(
    expression: &Expr,
    resolution_mm: f64,
    limits: &SurfaceLimits,
) -> Result<TriMesh<Patient>, SdfError> {
    let solid = Solid::new(expression)?;
    let grid = Grid::round(&solid, expression, resolution_mm, limits)?;
    let ni = grid.dims[0];
    grid.polygonise(|k, slice| {
        for (n, sample) in slice.iter_mut().enumerate() {
            let place = grid.place([n % ni, n / ni, k].map(|v| v as f64));
            *sample = -solid.distance_mm(place) as f32;
        }
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

    fn polygonise(
        &self,
        fill: impl FnMut(usize, &mut [f32]),
    ) -> Result<TriMesh<Patient>, SdfError> {
        let made = polygonise_slices(self.dims, 0.0, &self.patient_from_voxel, fill);
        made.map_err(|error| match error {
            PolygoniseError::Empty => SdfError::Empty {
                resolution_mm: self.step,
            },
            other => SdfError::Polygonise(other),
        })
    }

    fn place(&self, ijk: [f64; 3]) -> Point<Patient> {
        Point::from_coords(self.origin + Vector3::from(ijk) * self.step)
    }

    /// Samples of slices `first_k`…, in the order i, j, k.
    fn sample_layer(&self, solid: &Solid, first_k: usize, layer: &mut Vec<f32>) {
        let [ni, nj, nk] = self.dims;
        let whole = Cell {
            first: [0, 0, first_k],
            end: [ni, nj, (first_k + LAYER).min(nk)],
        };
        let (center, radius) = self.ball(whole);
        let found = self.look_into(&solid.near(center, radius), whole);
        layer.clear();
        layer.resize(ni * nj * (whole.end[2] - first_k), OUTSIDE);
        for Found { cell, samples } in found {
            let mut rows = samples.chunks_exact(cell.end[0] - cell.first[0]);
            for k in cell.first[2]..cell.end[2] {
                for j in cell.first[1]..cell.end[1] {
                    let start = ni * (j + nj * (k - first_k));
                    let row = &mut layer[start + cell.first[0]..start + cell.end[0]];
                    match rows.next() {
                        Some(samples) => row.copy_from_slice(samples),
                        None => row.fill(-OUTSIDE),
                    }
                }
            }
        }
    }

    /// What is not wholly outside in a cell. Ever smaller cells are looked at, with what cannot
    /// matter in them left out.
    fn look_into(&self, near: &Near<'_>, cell: Cell) -> Vec<Found> {
        match near.sign() {
            Some(sign) if sign > 0.0 => return vec![Found::inside(cell)],
            Some(_) => return Vec::new(),
            None => {}
        }
        let longest = cell.longest();
        if longest <= BLOCK {
            return vec![self.sample_block(near, cell)];
        }
        let look = |part: Cell| {
            let (center, radius) = self.ball(part);
            self.look_into(&near.nearer(center, radius), part)
        };
        let parts = cell.parts();
        let found: Vec<Vec<Found>> = if longest >= SHARED {
            parts.into_par_iter().map(look).collect()
        } else {
            parts.into_iter().map(look).collect()
        };
        found.into_iter().flatten().collect()
    }

    /// The samples of a small cell. Where the surface is too far off to cross an edge between
    /// samples, only the sign counts.
    fn sample_block(&self, near: &Near<'_>, cell: Cell) -> Found {
        let size = cell.size();
        let mut samples = vec![OUTSIDE; size.iter().product()];
        self.sample_part(near, cell, cell, &mut samples);
        Found { cell, samples }
    }

    fn sample_part(&self, near: &Near<'_>, block: Cell, part: Cell, samples: &mut [f32]) {
        let longest = part.longest();
        let sign = if longest < BLOCK {
            let (center, radius) = self.ball(part);
            near.sign_within(center, radius)
        } else {
            None
        };
        if sign.is_none() && longest > CRUMB {
            for part in part.parts() {
                self.sample_part(near, block, part, samples);
            }
            return;
        }
        let size = block.size();
        for k in part.first[2]..part.end[2] {
            for j in part.first[1]..part.end[1] {
                let row = size[0] * (j - block.first[1] + size[1] * (k - block.first[2]));
                for i in part.first[0]..part.end[0] {
                    samples[row + i - block.first[0]] = sign.unwrap_or_else(|| {
                        -near.distance_mm(self.place([i, j, k].map(|v| v as f64))) as f32
                    });
                }
            }
        }
    }

    /// A ball round all samples of a cell and their six neighbours, so that no crossed edge ends
    /// in a cell that is wholly inside or outside.
    fn ball(&self, cell: Cell) -> (Point<Patient>, f64) {
        /// A hair more, for what rounding does to distances.
        const HAIR: f64 = 1.000_001;
        let half = Vector3::from(cell.size().map(|n| 0.5 * (n - 1) as f64));
        let center = std::array::from_fn(|axis| cell.first[axis] as f64 + half[axis]);
        // The farthest of the neighbours is the one beyond a corner along the longest edge.
        let reach = (half.norm_squared() + 2.0 * half.max() + 1.0).sqrt();
        (self.place(center), HAIR * reach * self.step)
    }
}

/// What stands for any sample outside.
const OUTSIDE: f32 = -1.0;

/// A box of samples; `end` is the first beyond it.
#[derive(Clone, Copy, Debug)]
struct Cell {
    first: [usize; 3],
    end: [usize; 3],
}

impl Cell {
    fn size(&self) -> [usize; 3] {
        std::array::from_fn(|axis| self.end[axis] - self.first[axis])
    }

    fn longest(&self) -> usize {
        self.size().into_iter().fold(0, usize::max)
    }

    /// Its parts, cut at whole numbers of half the power of two that holds its longest edge.
    fn parts(&self) -> Vec<Self> {
        let edge = self.longest().next_power_of_two() / 2;
        let count = self.size().map(|n| n.div_ceil(edge));
        let mut parts = Vec::with_capacity(count.iter().product());
        for k in 0..count[2] {
            for j in 0..count[1] {
                for i in 0..count[0] {
                    let at = [i, j, k];
                    let first = std::array::from_fn(|a| self.first[a] + at[a] * edge);
                    let end = std::array::from_fn(|a| (first[a] + edge).min(self.end[a]));
                    parts.push(Self { first, end });
                }
            }
        }
        parts
    }
}

/// A cell that is not wholly outside.
struct Found {
    cell: Cell,
    /// In the order i, j, k; empty where all of them are inside.
    samples: Vec<f32>,
}

impl Found {
    fn inside(cell: Cell) -> Self {
        Self {
            cell,
            samples: Vec::new(),
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
