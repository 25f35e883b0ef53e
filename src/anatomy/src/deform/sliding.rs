//! Where organs slide along the wall.

use nalgebra::Vector3;

use super::grid::Grid;
use super::{Body, Layer};

/// Organs among walls.
pub(super) struct Borders {
    /// Whether each node slides along the wall.
    pub slides: Vec<bool>,
    /// Which organ it belongs to, as [`Body::solids`].
    pub solids: Vec<u16>,
    /// Where organs meet the wall: the way out of the organs, a unit vector.
    pub outward: Vec<Option<Vector3<f64>>>,
}

/// Finds where organs meet the wall.
pub(super) fn borders(body: &Body<'_>) -> Borders {
    let grid = &body.grid;
    let slides = body.slides();
    let is_wall = |node: usize| body.nodes[node].layer == Some(Layer::Wall);
    let mut share: Vec<f64> = slides
        .iter()
        .map(|&slides| f64::from(u8::from(slides)))
        .collect();
    // Normals of stairs are those of the slope they stand for.
    for _ in 0..3 {
        share = smoothed(grid, &share);
    }
    let outward = (0..grid.len())
        .map(|node| {
            let meets = slides[node] && neighbours(grid, node).any(is_wall);
            let slope = slope(grid, &share, node);
            let length = slope.norm();
            (meets && length > 1e-6).then(|| slope * (-1.0 / length))
        })
        .collect();
    Borders {
        solids: body.solids(),
        slides,
        outward,
    }
}

/// The nodes next to a node.
fn neighbours(grid: &Grid, node: usize) -> impl Iterator<Item = usize> + use<> {
    let (index, strides, nodes) = (grid.index(node), grid.strides(), grid.nodes);
    (0..3).flat_map(move |axis| {
        let below = (index[axis] > 0).then(|| node - strides[axis]);
        let above = (index[axis] + 1 < nodes[axis]).then(|| node + strides[axis]);
        [below, above].into_iter().flatten()
    })
}

/// Each node and its neighbours, their mean.
fn smoothed(grid: &Grid, field: &[f64]) -> Vec<f64> {
    let mean = |node: usize| {
        let (sum, count) = neighbours(grid, node).fold((field[node], 1.0), |(sum, count), n| {
            (sum + field[n], count + 1.0)
        });
        sum / count
    };
    (0..grid.len()).map(mean).collect()
}

/// The difference across a node, along each axis.
fn slope(grid: &Grid, field: &[f64], node: usize) -> Vector3<f64> {
    let (index, strides) = (grid.index(node), grid.strides());
    Vector3::from_fn(|axis, _| {
        let below = if index[axis] > 0 {
            node - strides[axis]
        } else {
            node
        };
        let is_last = index[axis] + 1 == grid.nodes[axis];
        let above = if is_last { node } else { node + strides[axis] };
        field[above] - field[below]
    })
}
