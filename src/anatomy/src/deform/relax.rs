//! Smooth fields on a lattice: what is known somewhere, spread over the rest.

use rayon::prelude::*;

use super::grid::Grid;

/// Sweeps over all nodes at most.
const SWEEPS: usize = 200;

/// Over-relaxation from a start that is right but for details.
const OVER: f64 = 1.6;

/// A field is found where no node moves more than this in a sweep, of the greatest value.
const STILL: f64 = 2e-4;

/// Lattices with more nodes start from the field of one half as fine.
const COARSE: usize = 2000;

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

/// What a field is spread over.
#[derive(Clone, Copy)]
pub(super) struct Elastic<'a> {
    /// Nodes that it is spread over; on the others it is 0.
    pub domain: &'a [bool],
    /// κ between neighbours along x, y, z.
    pub conductance: [f64; 3],
    /// Neighbours of the same number, other than 0, hold together [`STIFF`] times as strongly.
    pub groups: &'a [u16],
    /// What is known.
    pub anchors: &'a [Anchor],
}

/// How much more an organ resists strain than what lies between organs.
const STIFF: f64 = 12.0;

/// The field u on the nodes of a domain that makes Σ κ (uᵢ − uⱼ)² + Σ α (uᵢ − tᵢ)² least, over
/// neighbours i, j in the domain and anchors t of strength α.
///
/// Successive over-relaxation in the order of the nodes, from coarse lattices to fine ones: the
/// same whatever the number of threads.
pub(super) fn relax(grid: &Grid, elastic: &Elastic<'_>) -> Vec<f64> {
    let mut field = start(grid, elastic);
    for (value, anchor) in field.iter_mut().zip(elastic.anchors) {
        if anchor.strength == f64::INFINITY {
            *value = anchor.to;
        }
    }
    let greatest = elastic.anchors.iter().map(|a| a.to.abs());
    let greatest = greatest.fold(0.0, f64::max);
    let strides = grid.strides();
    let free: Vec<Free> = (0..grid.len())
        .filter(|&node| elastic.domain[node] && elastic.anchors[node].strength.is_finite())
        .filter_map(|node| Free::of(grid, elastic, node))
        .collect();
    for _ in 0..SWEEPS {
        let mut most = 0.0f64;
        for free in &free {
            let node = free.node as usize;
            let mut sum = free.pull;
            for (pair, &stride) in free.conductance.chunks_exact(2).zip(&strides) {
                if pair[0] > 0.0 {
                    sum += field[node - stride] * pair[0];
                }
                if pair[1] > 0.0 {
                    sum += field[node + stride] * pair[1];
                }
            }
            let change = OVER * (sum * free.inverse - field[node]);
            field[node] += change;
            most = most.max(change.abs());
        }
        if most <= STILL * greatest {
            break;
        }
    }
    for (value, inside) in field.iter_mut().zip(elastic.domain) {
        if !inside {
            *value = 0.0;
        }
    }
    field
}

/// Where to start from: the field of a lattice half as fine, or the anchors' values.
fn start(grid: &Grid, elastic: &Elastic<'_>) -> Vec<f64> {
    if grid.len() < COARSE {
        return elastic.anchors.iter().map(|anchor| anchor.to).collect();
    }
    let coarse = Grid {
        origin_mm: grid.origin_mm,
        spacing_mm: 2.0 * grid.spacing_mm,
        nodes: grid.nodes.map(|nodes| nodes.div_ceil(2)),
    };
    let strides = grid.strides();
    let fine_of = |node: usize| -> usize {
        let index = coarse.index(node);
        (0..3).map(|axis| 2 * index[axis] * strides[axis]).sum()
    };
    let fine: Vec<usize> = (0..coarse.len()).map(fine_of).collect();
    let domain: Vec<bool> = fine.iter().map(|&node| elastic.domain[node]).collect();
    let groups: Vec<u16> = fine.iter().map(|&node| elastic.groups[node]).collect();
    let anchors: Vec<Anchor> = fine
        .iter()
        .map(|&node| Anchor {
            // Twice the distance: anchors count four times as much against neighbours.
            strength: 4.0 * elastic.anchors[node].strength,
            ..elastic.anchors[node]
        })
        .collect();
    let of_coarse = Elastic {
        domain: &domain,
        conductance: elastic.conductance,
        groups: &groups,
        anchors: &anchors,
    };
    let field = relax(&coarse, &of_coarse);
    let coarse_strides = coarse.strides();
    let refined = |node: usize| {
        let index = grid.index(node);
        // The mean of the coarse nodes round it that are in the domain.
        let (mut sum, mut count) = (0.0, 0.0);
        for corner in 0..8 {
            let mut near = 0;
            for axis in 0..3 {
                let at = (index[axis] + (corner >> axis & 1)) / 2;
                near += at.min(coarse.nodes[axis] - 1) * coarse_strides[axis];
            }
            if domain[near] {
                sum += field[near];
                count += 1.0;
            }
        }
        if count > 0.0 {
            sum / count
        } else {
            elastic.anchors[node].to
        }
    };
    (0..grid.len()).map(refined).collect()
}

/// A node whose value is to be found.
struct Free {
    node: u32,
    /// To the neighbours below and above along each axis; 0 where there is none.
    conductance: [f64; 6],
    /// What its anchor adds.
    pull: f64,
    /// One over all conductances and the anchor's strength.
    inverse: f64,
}

impl Free {
    fn of(grid: &Grid, elastic: &Elastic<'_>, node: usize) -> Option<Self> {
        let (index, strides) = (grid.index(node), grid.strides());
        let mut conductance = [0.0; 6];
        let to = |axis: usize, neighbour: usize| {
            let group = elastic.groups[node];
            let is_one = group != 0 && group == elastic.groups[neighbour];
            match elastic.domain[neighbour] {
                false => 0.0,
                true if is_one => STIFF,
                true => elastic.conductance[axis],
            }
        };
        for axis in 0..3 {
            if index[axis] > 0 {
                conductance[2 * axis] = to(axis, node - strides[axis]);
            }
            if index[axis] + 1 < grid.nodes[axis] {
                conductance[2 * axis + 1] = to(axis, node + strides[axis]);
            }
        }
        let anchor = elastic.anchors[node];
        let all = conductance.iter().sum::<f64>() + anchor.strength;
        (all > 0.0).then(|| Self {
            node: node as u32,
            conductance,
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
    relax_all(grid, &anchors)
}

/// A field over all nodes that is as smooth as its anchors let it be.
pub(super) fn relax_all(grid: &Grid, anchors: &[Anchor]) -> Vec<f64> {
    let elastic = Elastic {
        domain: &vec![true; grid.len()],
        conductance: [1.0; 3],
        groups: &vec![0; grid.len()],
        anchors,
    };
    relax(grid, &elastic)
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
    const ROUNDS: usize = 400;
    let strides = grid.strides();
    let mut looked_at: Vec<usize> = cells(grid).collect();
    for _ in 0..ROUNDS {
        let folded: Vec<usize> = looked_at
            .into_par_iter()
            .filter(|&cell| cell_jacobian(grid, field, cell) < least)
            .collect();
        if folded.is_empty() {
            return;
        }
        let mut nodes: Vec<usize> = folded
            .iter()
            .flat_map(|cell| (0..8).map(move |corner| cell + offset(strides, corner)))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        let means: Vec<[f32; 3]> = nodes
            .iter()
            .map(|&node| mean_around(grid, field, node))
            .collect();
        for (&node, mean) in nodes.iter().zip(means) {
            field[node] = mean;
        }
        looked_at = cells_around(grid, &nodes);
    }
}

/// The cells that some of their corners are among.
fn cells_around(grid: &Grid, nodes: &[usize]) -> Vec<usize> {
    let strides = grid.strides();
    let mut around: Vec<usize> = nodes
        .iter()
        .flat_map(|&node| {
            let index = grid.index(node);
            (0..8).filter_map(move |corner| {
                let fits = |axis: usize| match corner >> axis & 1 {
                    0 => index[axis] + 1 < grid.nodes[axis],
                    _ => index[axis] > 0,
                };
                (fits(0) && fits(1) && fits(2)).then(|| node - offset(strides, corner))
            })
        })
        .collect();
    around.sort_unstable();
    around.dedup();
    around
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
        let field = relax_all(&grid, &anchors);
        for (node, value) in field.iter().enumerate() {
            assert!((value - (5.0 - node as f64)).abs() < 0.01, "{field:?}");
        }
    }

    #[test]
    fn fine_lattices_end_where_coarse_ones_do() {
        let grid = Grid {
            nodes: [17, 16, 15],
            ..line(15)
        };
        let mut anchors = vec![Anchor::default(); grid.len()];
        for (node, anchor) in anchors.iter_mut().enumerate() {
            match grid.index(node)[0] {
                0 => *anchor = Anchor::fixed(0.0),
                16 => *anchor = Anchor::fixed(16.0),
                _ => {}
            }
        }
        let field = relax_all(&grid, &anchors);
        for (node, value) in field.iter().enumerate() {
            let true_value = grid.index(node)[0] as f64;
            assert!(
                (value - true_value).abs() < 0.05,
                "{value} is not {true_value}"
            );
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
