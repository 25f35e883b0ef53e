//! The outer hull: what cannot be reached from outside through gaps narrower than twice `reach`.
//!
//! A morphological closing with exact distances: the outside is flooded from the box's rim through
//! samples farther than `reach` from the surface; the flooded region's own surface lies `reach`
//! outside the old one; stepping back by `reach` lands on the old surface again, wherever that is
//! good, and on a film across every gap.

use crate::mesh::TriMesh;
use crate::polygonise::{PolygoniseError, polygonise_slices};

use super::distance::distances;
use super::grid::Grid;
use super::{Here, RemeshError};

/// A part of the solid must be deeper than this many grid steps somewhere, else it is no more than
/// the rounding of a sheet without thickness.
const LEAST_DEPTH_STEPS: f32 = 0.5;

/// The surface of the outer hull; `None` if nothing is enclosed.
pub(super) fn outer_hull(
    mesh: &TriMesh<Here>,
    grid: &Grid,
    reach: f64,
) -> Result<Option<TriMesh<Here>>, RemeshError> {
    let far = reach + 2.0 * grid.step;
    let mut field = distances(mesh, grid, far);
    let outside = flood_outside(grid, &field, reach as f32);
    for (value, &outside) in field.iter_mut().zip(&outside) {
        let within = reach as f32 - *value;
        // Enclosed samples far from the surface never lie beside flooded ones: any value does.
        *value = if outside || within > 0.0 {
            within
        } else {
            far as f32
        };
    }
    let Some(cover) = polygonised(grid, &field)? else {
        return Ok(None);
    };
    let depth = distances(&cover, grid, far);
    for ((value, &outside), depth) in field.iter_mut().zip(&outside).zip(depth) {
        *value = if outside { -depth } else { depth } - reach as f32;
    }
    drop_sheets(grid, &mut field);
    polygonised(grid, &field)
}

fn polygonised(grid: &Grid, field: &[f32]) -> Result<Option<TriMesh<Here>>, RemeshError> {
    let slice_len = grid.dims[0] * grid.dims[1];
    let fill = |k: usize, slice: &mut [f32]| {
        slice.copy_from_slice(&field[k * slice_len..(k + 1) * slice_len]);
    };
    match polygonise_slices(grid.dims, 0.0, &grid.here_from_voxel, fill) {
        Ok(mesh) => Ok(Some(mesh)),
        Err(PolygoniseError::Empty) => Ok(None),
        Err(error) => Err(RemeshError::Polygonise(error)),
    }
}

/// The samples reached from the first one (the rim is all free) through values above `reach`.
fn flood_outside(grid: &Grid, distance: &[f32], reach: f32) -> Vec<bool> {
    let mut reached = vec![false; distance.len()];
    flood(grid, 0, &mut reached, |index| distance[index] > reach);
    reached
}

fn flood(grid: &Grid, start: usize, reached: &mut [bool], passable: impl Fn(usize) -> bool) {
    reached[start] = true;
    let mut open = vec![start];
    while let Some(index) = open.pop() {
        for next in grid.neighbours(index) {
            if !reached[next] && passable(next) {
                reached[next] = true;
                open.push(next);
            }
        }
    }
}

/// Empties parts that are nowhere deep.
fn drop_sheets(grid: &Grid, field: &mut [f32]) {
    let deep = LEAST_DEPTH_STEPS * grid.step as f32;
    let mut kept = vec![false; field.len()];
    for start in 0..field.len() {
        if field[start] > deep && !kept[start] {
            flood(grid, start, &mut kept, |index| field[index] > 0.0);
        }
    }
    for (value, kept) in field.iter_mut().zip(kept) {
        if !kept {
            *value = value.min(-0.02 * deep);
        }
    }
}
