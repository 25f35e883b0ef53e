//! Generalised winding numbers, fast: far groups of triangles act as one dipole (Barill, Dickson,
//! Schmidt, Levin & Jacobson 2018, first order), near ones by their solid angles (van Oosterom &
//! Strackee 1983).

use std::f64::consts::PI;

use nalgebra::Vector3;

use super::distance::distances;
use super::grid::{Block, Grid};
use super::{Here, RemeshError};
use crate::closest::SurfaceQuery;
use crate::frame::Point;
use crate::mesh::TriMesh;
use crate::polygonise::{GridEdge, PolygoniseError, trace_slices};

const LEAF_SIZE: usize = 8;
/// A group is far from a place at this many times its radius; the error is then about 2 % at most.
const FAR_RADII: f64 = 2.5;
/// A block without triangles whose corners and middle lie this far from ½, all on one side, is
/// taken to lie on that side.
const CLEAR_OF_HALF: f64 = 0.2;

/// Winding numbers of one mesh; build once, ask often.
#[derive(Clone, Debug)]
pub(super) struct WindingTree {
    nodes: Vec<Group>,
    /// Corners in leaf order.
    triangles: Vec<[Vector3<f64>; 3]>,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    /// Mean place, weighted by area.
    center: Vector3<f64>,
    /// Of a ball about `center` that holds all corners.
    radius: f64,
    /// Σ area × normal.
    area: Vector3<f64>,
    /// Leaf: first triangle. Inner: the right child (the left one follows directly).
    link: usize,
    /// Leaf: number of triangles. Inner: 0.
    count: usize,
}

impl WindingTree {
    /// Builds the tree by halving along the widest axis.
    pub(super) fn new(mesh: &TriMesh<Here>) -> Self {
        let mut triangles: Vec<[Vector3<f64>; 3]> = (0..mesh.triangles().len())
            .map(|t| mesh.corners(t).map(|p| Point::<Here>::from_f32(p).coords))
            .collect();
        let mut nodes = Vec::new();
        build(&mut nodes, &mut triangles, 0);
        Self { nodes, triangles }
    }

    /// Times the surface winds round a place: about 1 inside, 0 outside, between near holes.
    pub(super) fn winding_number(&self, place: Vector3<f64>) -> f64 {
        let mut sum = 0.0;
        let mut open = vec![0];
        while let Some(index) = open.pop() {
            let group: &Group = &self.nodes[index];
            let way = group.center - place;
            let distance = way.norm();
            if distance > FAR_RADII * group.radius {
                sum += group.area.dot(&way) / (distance * distance * distance);
            } else if group.count > 0 {
                let members = &self.triangles[group.link..group.link + group.count];
                sum += members.iter().map(|t| solid_angle(t, place)).sum::<f64>();
            } else {
                open.extend([group.link, index + 1]);
            }
        }
        sum / (4.0 * PI)
    }
}

/// Appends the group of these triangles, which start at `offset`, and all below it.
fn build(nodes: &mut Vec<Group>, triangles: &mut [[Vector3<f64>; 3]], offset: usize) {
    let index = nodes.len();
    let leaf = triangles.len() <= LEAF_SIZE;
    nodes.push(Group {
        link: offset,
        count: if leaf { triangles.len() } else { 0 },
        ..group_of(triangles)
    });
    if leaf {
        return;
    }
    let middle = |t: &[Vector3<f64>; 3]| t[0] + t[1] + t[2];
    let (low, high) = triangles.iter().map(middle).fold(
        (middle(&triangles[0]), middle(&triangles[0])),
        |(a, b), p| (a.inf(&p), b.sup(&p)),
    );
    let axis = (high - low).imax();
    let half = triangles.len() / 2;
    triangles.sort_by(|a, b| middle(a)[axis].total_cmp(&middle(b)[axis]));
    let (left, right) = triangles.split_at_mut(half);
    build(nodes, left, offset);
    nodes[index].link = nodes.len();
    build(nodes, right, offset + half);
}

fn group_of(triangles: &[[Vector3<f64>; 3]]) -> Group {
    let (mut area, mut weighted, mut total) = (Vector3::zeros(), Vector3::zeros(), 0.0);
    for [a, b, c] in triangles {
        let vector = 0.5 * (b - a).cross(&(c - a));
        area += vector;
        weighted += (a + b + c) / 3.0 * vector.norm();
        total += vector.norm();
    }
    let center = if total > 0.0 {
        weighted / total
    } else {
        triangles[0][0]
    };
    let corners = triangles.iter().flatten();
    let radius = corners.map(|p| (p - center).norm()).fold(0.0, f64::max);
    Group {
        center,
        radius,
        area,
        link: 0,
        count: 0,
    }
}

fn solid_angle(triangle: &[Vector3<f64>; 3], place: Vector3<f64>) -> f64 {
    let [a, b, c] = triangle.map(|p| p - place);
    let (la, lb, lc) = (a.norm(), b.norm(), c.norm());
    let numerator = a.dot(&b.cross(&c));
    let denominator = la * lb * lc + a.dot(&b) * lc + b.dot(&c) * la + c.dot(&a) * lb;
    2.0 * numerator.atan2(denominator)
}

/// The surface round all that is wound more than half a time; `None` if there is nothing.
pub(super) fn wound_solid(
    mesh: &TriMesh<Here>,
    grid: &Grid,
) -> Result<Option<TriMesh<Here>>, RemeshError> {
    let query = SurfaceQuery::new(mesh);
    let tree = WindingTree::new(mesh);
    let winding = grid.sampled(
        |block| clear_value(grid, block, &query, &tree),
        |ijk| tree.winding_number(grid.place(ijk).coords) as f32,
    );
    let distance = distances(mesh, grid, 2.0 * grid.step);
    let slice_len = grid.dims[0] * grid.dims[1];
    let fill = |k: usize, slice: &mut [f32]| {
        slice.copy_from_slice(&winding[k * slice_len..(k + 1) * slice_len]);
    };
    let (surface, fractions) =
        trace_slices(grid.dims, 0.5, fill).map_err(RemeshError::Polygonise)?;
    let near: Vec<f64> = surface
        .edges
        .iter()
        .zip(fractions)
        .map(|(edge, film)| near_surface(grid, edge, &distance).unwrap_or(film))
        .collect();
    match surface.to_mesh(&near, &grid.here_from_voxel) {
        Ok(mesh) => Ok(Some(mesh)),
        Err(PolygoniseError::Empty) => Ok(None),
        Err(error) => Err(RemeshError::Polygonise(error)),
    }
}

/// The winding number of a block that no surface enters and no film crosses.
fn clear_value(
    grid: &Grid,
    block: &Block,
    query: &SurfaceQuery<'_, Here>,
    tree: &WindingTree,
) -> Option<f32> {
    let (center, radius) = grid.ball_round(block);
    if query.closest_within(center, radius).is_some() {
        return None;
    }
    let middle = tree.winding_number(center.coords);
    let side = (middle - 0.5).signum();
    let corners = block.outer_corners();
    let places = corners.map(|[i, j, k]| (grid.here_from_voxel * Point::new(i, j, k)).coords);
    let clear = |w: f64| (w - 0.5) * side > CLEAR_OF_HALF;
    let all_clear = clear(middle) && places.iter().all(|&p| clear(tree.winding_number(p)));
    all_clear.then_some(middle as f32)
}

/// Where the old surface crosses a grid edge, from the two ends' distances; `None` where none
/// does: where a surface crosses, the two distances add up to no more than the edge.
fn near_surface(grid: &Grid, edge: &GridEdge, distance: &[f32]) -> Option<f64> {
    let distance_at = |ijk: [i32; 3]| {
        let ijk = ijk.map(|v| usize::try_from(v).unwrap_or(usize::MAX));
        let within = (0..3).all(|a| ijk[a] < grid.dims[a]);
        within.then(|| f64::from(distance[grid.index(ijk)]))
    };
    let mut end = edge.base;
    end[usize::from(edge.axis)] += 1;
    let (a, b) = (distance_at(edge.base)?, distance_at(end)?);
    let crosses = a + b <= grid.step * 1.001 && a + b > 0.0;
    crosses.then(|| a / (a + b))
}
