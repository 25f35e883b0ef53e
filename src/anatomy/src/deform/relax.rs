//! Smooth fields on a lattice: what is known somewhere, spread over the rest.

use super::grid::Grid;

/// Sweeps over all nodes at most.
const SWEEPS: usize = 400;

/// Over-relaxation: near the best for bodies of some fifty nodes.
const OVER: f64 = 1.85;

/// A field is found where no node moves more than this in a sweep, of the greatest value.
const STILL: f64 = 2e-4;

/// How strongly a node is drawn to a value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Anchor {
    /// The value.
    pub to: f64,
    /// By how much, re the conductance to a neighbour; infinite: it has that value.
    pub strength: f64,
}

impl Anchor {
    /// A node that has a value.
    pub fn fixed(to: f64) -> Self {
        Self {
            to,
            strength: f64::INFINITY,
        }
    }
}

/// The field u on the nodes of a domain that makes Σ κ (uᵢ − uⱼ)² + Σ α (uᵢ − tᵢ)² least, over
/// neighbours i, j in the domain and anchors t of strength α. Outside the domain it stays 0.
///
/// Successive over-relaxation in the order of the nodes, from the anchors' values: the same
/// whatever the number of threads.
pub(super) fn relax(
    grid: &Grid,
    domain: &[bool],
    conductance: [f64; 3],
    anchors: &[Anchor],
) -> Vec<f64> {
    let mut field: Vec<f64> = anchors.iter().map(|anchor| anchor.to).collect();
    let greatest = field.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    if greatest == 0.0 {
        return field;
    }
    let free: Vec<Free> = (0..grid.len())
        .filter(|&node| domain[node] && anchors[node].strength.is_finite())
        .filter_map(|node| Free::of(grid, domain, conductance, node, anchors[node]))
        .collect();
    for _ in 0..SWEEPS {
        let mut most = 0.0f64;
        for node in &free {
            let mut sum = node.pull;
            for &(neighbour, conductance) in &node.neighbours[..node.count] {
                sum += field[neighbour as usize] * conductance;
            }
            let change = OVER * (sum * node.inverse - field[node.node]);
            field[node.node] += change;
            most = most.max(change.abs());
        }
        if most < STILL * greatest {
            break;
        }
    }
    for (value, inside) in field.iter_mut().zip(domain) {
        if !inside {
            *value = 0.0;
        }
    }
    field
}

/// A node whose value is to be found.
struct Free {
    node: usize,
    neighbours: [(u32, f64); 6],
    count: usize,
    /// What its anchor adds.
    pull: f64,
    /// One over all conductances and the anchor's strength.
    inverse: f64,
}

impl Free {
    fn of(
        grid: &Grid,
        domain: &[bool],
        conductance: [f64; 3],
        node: usize,
        anchor: Anchor,
    ) -> Option<Self> {
        let mut neighbours = [(0, 0.0); 6];
        let mut count = 0;
        let (index, strides) = (grid.index(node), grid.strides());
        for axis in 0..3 {
            let below = (index[axis] > 0).then(|| node - strides[axis]);
            let above = (index[axis] + 1 < grid.nodes[axis]).then(|| node + strides[axis]);
            for neighbour in [below, above].into_iter().flatten() {
                if domain[neighbour] {
                    neighbours[count] = (neighbour as u32, conductance[axis]);
                    count += 1;
                }
            }
        }
        let all: f64 = neighbours[..count].iter().map(|(_, c)| c).sum::<f64>() + anchor.strength;
        (all > 0.0).then(|| Self {
            node,
            neighbours,
            count,
            pull: anchor.strength * anchor.to,
            inverse: 1.0 / all,
        })
    }
}

/// A field known on a domain, spread smoothly over all nodes.
pub(super) fn spread(grid: &Grid, domain: &[bool], field: &[f64]) -> Vec<f64> {
    let anchors: Vec<Anchor> = domain
        .iter()
        .zip(field)
        .map(|(&known, &value)| match known {
            true => Anchor::fixed(value),
            false => Anchor::default(),
        })
        .collect();
    relax(grid, &vec![true; grid.len()], [1.0; 3], &anchors)
}

/// The least that a displacement field makes of a volume element, at the corners of the lattice's
/// cells: the determinant of 1 + ∇d.
pub fn least_jacobian(grid: &Grid, field: &[[f32; 3]]) -> f64 {
    cells(grid)
        .map(|cell| cell_jacobian(grid, field, cell))
        .fold(f64::INFINITY, f64::min)
}

/// Smooths a displacement field wherever it presses a volume element below `least` of its volume,
/// until nothing does.
pub(super) fn unfold(grid: &Grid, field: &mut [[f32; 3]], least: f64) {
    const ROUNDS: usize = 200;
    for _ in 0..ROUNDS {
        let mut folded = vec![false; field.len()];
        let strides = grid.strides();
        let mut any = false;
        for cell in cells(grid) {
            if cell_jacobian(grid, field, cell) < least {
                any = true;
                for corner in 0..8 {
                    folded[cell + offset(strides, corner)] = true;
                }
            }
        }
        if !any {
            return;
        }
        let before = field.to_vec();
        for (node, value) in field.iter_mut().enumerate().filter(|(n, _)| folded[*n]) {
            *value = mean_around(grid, &before, node);
        }
    }
}

/// The mean of a node, counted twice, and its neighbours.
fn mean_around(grid: &Grid, field: &[[f32; 3]], node: usize) -> [f32; 3] {
    let (index, strides) = (grid.index(node), grid.strides());
    let mut sum = field[node].map(|v| 2.0 * v);
    let mut count = 2.0;
    for axis in 0..3 {
        let below = (index[axis] > 0).then(|| node - strides[axis]);
        let above = (index[axis] + 1 < grid.nodes[axis]).then(|| node + strides[axis]);
        for neighbour in [below, above].into_iter().flatten() {
            for (sum, value) in sum.iter_mut().zip(field[neighbour]) {
                *sum += value;
            }
            count += 1.0;
        }
    }
    sum.map(|v| v / count)
}

/// The first node of each cell.
fn cells(grid: &Grid) -> impl Iterator<Item = usize> + use<> {
    let ([x, y, z], strides) = (grid.nodes, grid.strides());
    (0..z.saturating_sub(1)).flat_map(move |k| {
        (0..y.saturating_sub(1)).flat_map(move |j| {
            (0..x.saturating_sub(1)).map(move |i| i + j * strides[1] + k * strides[2])
        })
    })
}

fn offset(strides: [usize; 3], corner: usize) -> usize {
    (0..3)
        .map(|axis| (corner >> axis & 1) * strides[axis])
        .sum()
}

/// The least determinant of 1 + ∇d over the corners of a cell.
fn cell_jacobian(grid: &Grid, field: &[[f32; 3]], cell: usize) -> f64 {
    let strides = grid.strides();
    let at = |corner: usize| field[cell + offset(strides, corner)].map(f64::from);
    let corners: [[f64; 3]; 8] = std::array::from_fn(at);
    let per_mm = 1.0 / grid.spacing_mm;
    (0..8)
        .map(|corner| {
            let slopes = [0, 1, 2].map(|axis| {
                let (low, high) = (corner & !(1 << axis), corner | 1 << axis);
                [0, 1, 2].map(|c| (corners[high][c] - corners[low][c]) * per_mm)
            });
            let m = |axis: usize, c: usize| slopes[axis][c] + if axis == c { 1.0 } else { 0.0 };
            m(0, 0) * (m(1, 1) * m(2, 2) - m(1, 2) * m(2, 1))
                - m(0, 1) * (m(1, 0) * m(2, 2) - m(1, 2) * m(2, 0))
                + m(0, 2) * (m(1, 0) * m(2, 1) - m(1, 1) * m(2, 0))
        })
        .fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(nodes: usize) -> Grid {
        Grid {
            origin_mm: [0.0; 3],
            spacing_mm: 2.0,
            nodes: [1, 1, nodes],
        }
    }

    #[test]
    fn between_two_ends_a_field_runs_straight() {
        let grid = line(11);
        let mut anchors = vec![Anchor::default(); 11];
        anchors[0] = Anchor::fixed(5.0);
        anchors[10] = Anchor::fixed(-5.0);
        let field = relax(&grid, &[true; 11], [1.0; 3], &anchors);
        for (node, value) in field.iter().enumerate() {
            assert!((value - (5.0 - node as f64)).abs() < 0.01, "{field:?}");
        }
    }

    #[test]
    fn what_is_pressed_through_itself_is_unfolded() {
        let grid = Grid {
            nodes: [2, 2, 12],
            ..line(12)
        };
        // 9 mm within 2 mm.
        let mut field: Vec<[f32; 3]> = (0..grid.len())
            .map(|node| [0.0, 0.0, if node / 4 < 6 { 0.0 } else { -9.0 }])
            .collect();
        assert!(least_jacobian(&grid, &field) < -3.0);
        unfold(&grid, &mut field, 0.3);
        assert!(least_jacobian(&grid, &field) >= 0.3);
    }
}
