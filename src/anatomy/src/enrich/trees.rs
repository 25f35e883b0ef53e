//! Vessel trees grown inside an organ.
//!
//! A tree begins with stems that somebody lays (the named vessels). [`grow`] then connects places
//! spread evenly through the organ one after the other, each where it adds the least blood volume
//! to the whole tree (constrained constructive optimisation: Schreiner & Buxbaum, IEEE Trans.
//! Biomed. Eng. 40:482, 1993; in organs that are not convex: Karch, Neumann, Neumann & Schreiner,
//! Ann. Biomed. Eng. 28:495, 2000). All ends carry the same flow, so that with Murray's law
//! r³ = r₁³ + r₂³ (C. D. Murray, PNAS 12:207, 1926) a vessel with n ends beyond it has the radius
//! r₁·∛n. A bifurcation lies where the volume is least, which gives Murray's angles
//! (J. Gen. Physiol. 9:835, 1926): about 75° between equal daughters, a small daughter leaves at
//! 70 to 90° while the large one goes on almost straight.
//!
//! [`settle`] then rounds the kinks, moves vessels away from the capsule and from each other, and
//! trims what still comes too near: what is left keeps every distance that was asked for.
//!
//! Places are patient millimetres (LPS). Results do not depend on the number of threads; the
//! numbers drawn depend on the seed alone.

use geometry::closest::SurfaceQuery;
use geometry::polygonise::{PolygoniseError, polygonise_slices};
use geometry::{Aabb, Affine, Point, TriMesh, frame};
use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use super::field::{Field, Grid, to_segment};
use super::random::Draws;

type V3 = Vector3<f64>;

/// Zone of vessels that take no ends: those on the way to their zones.
pub(super) const NO_ZONE: u8 = 0;

/// Distance between a tree's points after [`settle`], mm.
const STEP_MM: f64 = 2.5;

/// What [`settle`] aims at beyond the distances asked for, mm: tension takes some of it back.
const SPARE_MM: f64 = 0.8;

/// Where vessels may run: at some depth under an organ's surface and away from other structures.
#[derive(Clone, Debug)]
pub(super) struct Room<'a> {
    /// Negative inside: distance to the nearest forbidden place, somewhat rough in the depth.
    field: Field,
    /// The organ's surface, for exact answers.
    organ: SurfaceQuery<'a, frame::Patient>,
    margin_mm: f64,
}

/// Distances that trees keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rules {
    /// Between the walls of different trees, mm.
    pub gap_mm: f64,
    /// Between the walls of one tree's branches, mm.
    pub own_gap_mm: f64,
    /// Shortest branch, mm.
    pub shortest_mm: f64,
}

/// An end of the tree to be connected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Site {
    /// Where.
    pub at: V3,
    /// Only vessels of this zone may reach it.
    pub zone: u8,
}

/// A point of a tree, and the vessel that leads to it from its parent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    /// Where.
    pub at: V3,
    /// The point before; `None` for a root.
    pub parent: Option<usize>,
    /// Ends beyond, itself included.
    pub leaves: u32,
    /// Which ends it may take; [`NO_ZONE`]: none.
    pub zone: u8,
    /// Laid by hand: side branches leave it where it is.
    pub laid: bool,
    /// Bound by no rule and never moved: it lies in the vessel that the tree leaves.
    pub free: bool,
}

/// A tree, or several with one law of radii.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    /// The points, in no particular order.
    pub nodes: Vec<Node>,
    /// Radius of the vessel that would carry all ends, mm.
    pub trunk_radius_mm: f64,
}

/// A vessel between two bifurcations.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Branch {
    /// Centreline from the heart's (or gut's) side; at least two points, the first of them the
    /// parent's last.
    pub points: Vec<V3>,
    /// Radius at each point, mm: the branch's own, but for a smooth start.
    pub radii_mm: Vec<f64>,
    /// Its radius by Murray's law, mm.
    pub radius_mm: f64,
    /// The branch that it leaves, further up in the list.
    pub parent: Option<usize>,
    /// Ends beyond it.
    pub leaves: u32,
    /// Whose zone it serves.
    pub zone: u8,
}

impl<'a> Room<'a> {
    /// Everything at least `margin_mm` under the organ's surface and away from the other
    /// structures, seen on a grid.
    pub fn new(
        organ: &'a TriMesh<frame::Patient>,
        keep_out: &[&TriMesh<frame::Patient>],
        margin_mm: f64,
        spacing_mm: f64,
    ) -> Self {
        let grid = Grid::around(&organ.bounds(), 2.0 * spacing_mm, spacing_mm);
        let mut field = Field::of_mesh(organ, grid).grown(-margin_mm as f32);
        let organ_field = field.clone();
        // What lies outside the organ is kept away from by keeping under its surface.
        let intrudes = |mesh: &TriMesh<frame::Patient>| {
            let places = mesh.vertices().iter().map(|v| V3::from(v.map(f64::from)));
            places
                .filter(|at| is_within(&organ_field.grid, *at))
                .any(|at| organ_field.sample(at) < margin_mm - INTRUDES_MM)
        };
        for mesh in keep_out.iter().filter(|mesh| intrudes(mesh)) {
            keep_away(&mut field, mesh, margin_mm);
        }
        Self {
            field,
            organ: SurfaceQuery::new(organ),
            margin_mm,
        }
    }

    /// Distance to the nearest forbidden place, mm; negative where it is forbidden itself.
    pub fn depth_mm(&self, at: V3) -> f64 {
        -self.field.sample(at)
    }

    /// Whether a ball has room.
    fn holds(&self, at: V3, radius_mm: f64) -> bool {
        const ROUGH_MM: f64 = 1.0;
        let depth = self.depth_mm(at);
        let reach = radius_mm + self.margin_mm;
        depth >= radius_mm + ROUGH_MM
            || depth >= radius_mm
                && self
                    .organ
                    .closest_within(Point::from_coords(at), reach)
                    .is_none()
    }

    /// Direction in which the depth grows fastest, of unit length; 0 where there is none.
    pub fn inward(&self, at: V3) -> V3 {
        let h = self.field.grid.spacing_mm;
        let slope = V3::from_fn(|a, _| {
            let step = V3::ith(a, h);
            self.depth_mm(at + step) - self.depth_mm(at - step)
        });
        slope.try_normalize(1e-9).unwrap_or_else(V3::zeros)
    }

    /// Whether the way between two places stays this deep.
    fn is_open(&self, from: V3, to: V3, depth_mm: f64) -> bool {
        along(from, to).all(|at| self.depth_mm(at) >= depth_mm)
    }

    /// The grid's points at least this deep, with their depths, mm.
    pub fn places(&self, depth_mm: f64) -> Vec<(V3, f64)> {
        let grid = self.field.grid;
        let depth = |n: usize| f64::from(-self.field.values[n]);
        let deep = (0..grid.count()).filter(|&n| depth(n) >= depth_mm);
        deep.map(|n| (grid.place(n), depth(n))).collect()
    }

    /// Volume of a grid cell, mm³.
    pub fn cell_mm3(&self) -> f64 {
        self.field.grid.spacing_mm.powi(3)
    }

    /// Box of the grid.
    fn bounds(&self) -> Aabb {
        self.field.grid.bounds()
    }
}

/// Places about 2 mm apart from one place to another, both included.
fn along(from: V3, to: V3) -> impl Iterator<Item = V3> {
    let steps = ((to - from).norm() / 2.0).ceil().max(1.0) as usize;
    (0..=steps).map(move |n| from + (to - from) * (n as f64 / steps as f64))
}

/// How deep a structure has to reach into the organ to be in the way, mm.
const INTRUDES_MM: f64 = 0.5;

fn is_within(grid: &Grid, at: V3) -> bool {
    let bounds = grid.bounds();
    (0..3).all(|a| (f64::from(bounds.min[a])..=f64::from(bounds.max[a])).contains(&at[a]))
}

/// Forbids a structure and the margin round it, on the part of the grid that it can reach.
fn keep_away(field: &mut Field, mesh: &TriMesh<frame::Patient>, margin_mm: f64) {
    // Distances farther off are not asked for: they cost most and are not needed.
    let reach = margin_mm + 2.0 * field.grid.spacing_mm;
    let Some(part) = Part::of(&field.grid, mesh, reach) else {
        return;
    };
    let dims = field.grid.dims;
    for (n, value) in part.field.values.iter().enumerate() {
        let [i, j, k] = part.place_in_grid(n);
        let at = i + dims[0] * (j + dims[1] * k);
        if *value < reach as f32 {
            field.values[at] = field.values[at].max(margin_mm as f32 - value);
        }
    }
}

/// A surface's distances on the part of a grid that it can reach.
struct Part {
    field: Field,
    /// The part's first point in the grid.
    first: [usize; 3],
}

impl Part {
    /// `None` where the grid is out of reach.
    fn of(grid: &Grid, mesh: &TriMesh<frame::Patient>, reach_mm: f64) -> Option<Self> {
        let (h, bounds) = (grid.spacing_mm, mesh.bounds());
        let index = |axis: usize, mm: f64| (mm - grid.origin_mm[axis]) / h;
        let mut first = [0; 3];
        let mut dims = [0; 3];
        for axis in 0..3 {
            let low = index(axis, f64::from(bounds.min[axis]) - reach_mm)
                .floor()
                .max(0.0);
            let high = index(axis, f64::from(bounds.max[axis]) + reach_mm).ceil();
            if high < 1.0 || low + 1.0 >= grid.dims[axis] as f64 {
                return None;
            }
            first[axis] = low as usize;
            dims[axis] = (high as usize + 1).min(grid.dims[axis]) - first[axis];
        }
        let part = Grid {
            origin_mm: std::array::from_fn(|a| grid.origin_mm[a] + h * first[a] as f64),
            spacing_mm: h,
            dims,
        };
        let field = Field::near_mesh(mesh, part, reach_mm);
        Some(Self { field, first })
    }

    fn place_in_grid(&self, n: usize) -> [usize; 3] {
        let [ni, nj, _] = self.field.grid.dims;
        let here = [n % ni, n / ni % nj, n / (ni * nj)];
        std::array::from_fn(|a| self.first[a] + here[a])
    }

    /// Puts the depth into a slice of the grid.
    fn draw(&self, grid: &Grid, k: usize, slice: &mut [f32]) {
        let [ni, nj, nk] = self.field.grid.dims;
        let Some(layer) = k.checked_sub(self.first[2]).filter(|&layer| layer < nk) else {
            return;
        };
        for j in 0..nj {
            let from = ni * (j + nj * layer);
            let to = self.first[0] + grid.dims[0] * (self.first[1] + j);
            let row = &self.field.values[from..from + ni];
            for (value, distance) in slice[to..to + ni].iter_mut().zip(row) {
                *value = value.max(-distance);
            }
        }
    }
}

/// Balls along vessels, found by place.
#[derive(Clone, Debug)]
pub(super) struct Tubes {
    balls: Vec<(V3, f64)>,
    widest_mm: f64,
    origin: V3,
    dims: [usize; 3],
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Tubes {
    const CELL_MM: f64 = 8.0;

    /// From places and radii.
    pub fn new(balls: Vec<(V3, f64)>) -> Self {
        let far = V3::repeat(f64::INFINITY);
        let (min, max) = balls.iter().fold((far, -far), |(min, max), (at, _)| {
            (min.inf(at), max.sup(at))
        });
        let origin = if balls.is_empty() { V3::zeros() } else { min };
        let extent = if balls.is_empty() {
            V3::zeros()
        } else {
            max - min
        };
        let dims: [usize; 3] = std::array::from_fn(|a| (extent[a] / Self::CELL_MM) as usize + 1);
        let widest_mm = balls.iter().map(|b| b.1).fold(0.0, f64::max);
        let mut tubes = Self {
            balls,
            widest_mm,
            origin,
            dims,
            starts: vec![0; dims.iter().product::<usize>() + 1],
            items: Vec::new(),
        };
        tubes.sort_in();
        tubes
    }

    fn sort_in(&mut self) {
        let cells: Vec<usize> = self.balls.iter().map(|b| self.cell_of(b.0)).collect();
        for &cell in &cells {
            self.starts[cell + 1] += 1;
        }
        for n in 1..self.starts.len() {
            self.starts[n] += self.starts[n - 1];
        }
        let mut next = self.starts.clone();
        self.items = vec![0; cells.len()];
        for (ball, &cell) in cells.iter().enumerate() {
            self.items[next[cell] as usize] = ball as u32;
            next[cell] += 1;
        }
    }

    fn cell_of(&self, at: V3) -> usize {
        let [i, j, k] = std::array::from_fn(|a| self.index(a, at[a]));
        i + self.dims[0] * (j + self.dims[1] * k)
    }

    fn index(&self, axis: usize, mm: f64) -> usize {
        let cell = ((mm - self.origin[axis]) / Self::CELL_MM).max(0.0) as usize;
        cell.min(self.dims[axis] - 1)
    }

    /// Calls `visit(ball, distance of its middle)` for every ball whose wall comes nearer than
    /// `reach_mm`.
    fn near(&self, at: V3, reach_mm: f64, mut visit: impl FnMut(usize, f64)) {
        let reach = reach_mm + self.widest_mm;
        let span = |a: usize| self.index(a, at[a] - reach)..=self.index(a, at[a] + reach);
        for k in span(2) {
            for j in span(1) {
                let row = self.dims[0] * (j + self.dims[1] * k);
                let (first, last) = (row + *span(0).start(), row + *span(0).end());
                let items = self.starts[first] as usize..self.starts[last + 1] as usize;
                for &ball in &self.items[items] {
                    let (middle, radius) = self.balls[ball as usize];
                    let distance = (middle - at).norm();
                    if distance - radius < reach_mm {
                        visit(ball as usize, distance);
                    }
                }
            }
        }
    }

    /// Distance to the nearest wall, mm, if below the limit; negative inside.
    pub fn distance_mm(&self, at: V3, limit_mm: f64) -> Option<f64> {
        let mut best = limit_mm;
        self.near(at, limit_mm, |ball, distance| {
            best = best.min(distance - self.balls[ball].1);
        });
        (best < limit_mm).then_some(best)
    }

    fn is_clear(&self, at: V3, distance_mm: f64) -> bool {
        self.distance_mm(at, distance_mm).is_none()
    }
}

impl Tree {
    /// Without any vessel.
    pub fn new(trunk_radius_mm: f64) -> Self {
        Self {
            nodes: Vec::new(),
            trunk_radius_mm,
        }
    }

    /// Number of ends.
    pub fn leaves(&self) -> u32 {
        let roots = self.nodes.iter().filter(|n| n.parent.is_none());
        roots.map(|root| root.leaves).sum()
    }

    /// Radius of a vessel with one end, mm.
    pub fn leaf_radius_mm(&self) -> f64 {
        self.trunk_radius_mm / libm::cbrt(f64::from(self.leaves().max(1)))
    }

    /// Radius of the vessel that leads to each point, mm.
    pub fn radii_mm(&self) -> Vec<f64> {
        let leaf = self.leaf_radius_mm();
        let radius = |node: &Node| leaf * libm::cbrt(f64::from(node.leaves));
        self.nodes.iter().map(radius).collect()
    }

    /// Lays a vessel through these places, from a point of the tree or as a new root. Gives its
    /// last point.
    pub fn lay(&mut self, from: Option<usize>, path: &[V3], zone: u8) -> Option<usize> {
        let mut last = from;
        for &at in path {
            self.nodes.push(Node {
                at,
                parent: last,
                leaves: 1,
                zone,
                laid: true,
                free: false,
            });
            last = Some(self.nodes.len() - 1);
        }
        self.count_leaves();
        last
    }

    /// The vessels as balls.
    pub fn tubes(&self) -> Tubes {
        Self::tubes_of(&[self])
    }

    /// Several trees' vessels as balls.
    pub fn tubes_of(trees: &[&Self]) -> Tubes {
        let balls = trees.iter().flat_map(|tree| {
            let radii = tree.radii_mm();
            tree.nodes
                .iter()
                .zip(radii)
                .map(|(n, r)| (n.at, r))
                .collect::<Vec<_>>()
        });
        Tubes::new(balls.collect())
    }

    /// Points whose parent each point is.
    pub fn children(&self) -> Vec<Vec<usize>> {
        let mut children = vec![Vec::new(); self.nodes.len()];
        for (n, node) in self.nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                children[parent].push(n);
            }
        }
        children
    }

    fn count_leaves(&mut self) {
        let mut has_child = vec![false; self.nodes.len()];
        let parents = self.nodes.iter().filter_map(|node| node.parent);
        parents.for_each(|parent| has_child[parent] = true);
        self.nodes.iter_mut().for_each(|node| node.leaves = 0);
        for end in (0..self.nodes.len()).filter(|&n| !has_child[n]) {
            let mut at = Some(end);
            while let Some(n) = at {
                self.nodes[n].leaves += 1;
                at = self.nodes[n].parent;
            }
        }
    }

    /// Connects an end at `at` to a new point `fork` of the vessel that leads to `edge`.
    fn connect(&mut self, edge: usize, fork: V3, site: Site) {
        let below = self.nodes[edge];
        let fork_node = Node { at: fork, ..below };
        self.nodes.push(fork_node);
        let fork_index = self.nodes.len() - 1;
        self.nodes[edge].parent = Some(fork_index);
        self.nodes.push(Node {
            at: site.at,
            parent: Some(fork_index),
            leaves: 1,
            zone: site.zone,
            laid: false,
            free: false,
        });
        let mut up = Some(fork_index);
        while let Some(n) = up {
            self.nodes[n].leaves += 1;
            up = self.nodes[n].parent;
        }
    }

    /// Points so close together that the tree's curves can bend.
    fn subdivide(&mut self) {
        for n in 0..self.nodes.len() {
            let node = self.nodes[n];
            let Some(parent) = node.parent else { continue };
            let from = self.nodes[parent].at;
            let pieces = ((node.at - from).norm() / STEP_MM).round().max(1.0) as usize;
            let mut last = parent;
            for piece in 1..pieces {
                let at = from + (node.at - from) * (piece as f64 / pieces as f64);
                let free = node.free || self.nodes[parent].free;
                let parent = Some(last);
                self.nodes.push(Node {
                    at,
                    parent,
                    free,
                    ..node
                });
                last = self.nodes.len() - 1;
            }
            self.nodes[n].parent = Some(last);
        }
    }

    /// The vessels between bifurcations, each after its parent.
    pub fn branches(&self) -> Vec<Branch> {
        let (children, radii) = (self.children(), self.radii_mm());
        let mut branches: Vec<Branch> = Vec::new();
        let mut waiting: Vec<(usize, Option<usize>)> = Vec::new();
        for root in (0..self.nodes.len()).rev() {
            if self.nodes[root].parent.is_none() {
                waiting.extend(children[root].iter().rev().map(|&child| (child, None)));
            }
        }
        while let Some((first, parent)) = waiting.pop() {
            let mut branch = self.branch_from(first, parent, &children, &radii);
            if let Some(parent) = parent.map(|p| &branches[p]) {
                branch.begin_as_wide_as(parent);
            }
            let end = self.last_of_branch(first, &children);
            let index = branches.len();
            branches.push(branch);
            waiting.extend(
                children[end]
                    .iter()
                    .rev()
                    .map(|&child| (child, Some(index))),
            );
        }
        branches
    }

    fn last_of_branch(&self, first: usize, children: &[Vec<usize>]) -> usize {
        let mut last = first;
        while let [only] = children[last][..] {
            last = only;
        }
        last
    }

    fn branch_from(
        &self,
        first: usize,
        parent: Option<usize>,
        children: &[Vec<usize>],
        radii: &[f64],
    ) -> Branch {
        let start = self.nodes[first].parent.unwrap_or(first);
        let mut points = vec![self.nodes[start].at, self.nodes[first].at];
        let mut last = first;
        while let [only] = children[last][..] {
            last = only;
            points.push(self.nodes[last].at);
        }
        Branch {
            radii_mm: vec![radii[first]; points.len()],
            points,
            radius_mm: radii[first],
            parent,
            leaves: self.nodes[first].leaves,
            zone: self.nodes[last].zone,
        }
    }

    /// Leaves out the points that are marked, and counts anew.
    fn without(&mut self, gone: &[bool]) {
        self.drop_marked(gone);
        self.count_leaves();
    }

    /// Leaves out the points that are marked; what each vessel carries stays.
    fn drop_marked(&mut self, gone: &[bool]) {
        let mut number = vec![0; self.nodes.len()];
        let mut kept = 0;
        for (n, place) in number.iter_mut().enumerate() {
            *place = kept;
            kept += usize::from(!gone[n]);
        }
        let mut index = 0;
        self.nodes.retain(|_| {
            index += 1;
            !gone[index - 1]
        });
        for node in &mut self.nodes {
            let parent = node.parent.filter(|&parent| !gone[parent]);
            node.parent = parent.map(|parent| number[parent]);
        }
    }
}

impl Branch {
    /// Where the branch is its parent's continuation, the radius passes over smoothly.
    fn begin_as_wide_as(&mut self, parent: &Self) {
        if 2 * self.leaves < parent.leaves {
            return;
        }
        let reach = 2.5 * parent.radius_mm;
        let mut gone = 0.0;
        for n in 0..self.points.len() {
            if n > 0 {
                gone += (self.points[n] - self.points[n - 1]).norm();
            }
            let share = (1.0 - gone / reach).max(0.0);
            self.radii_mm[n] = self.radius_mm + (parent.radius_mm - self.radius_mm) * share;
        }
    }
}

/// Strahler's order of each branch: 1 at the ends; where two of the same order meet, one more.
#[cfg(test)]
pub(super) fn strahler(branches: &[Branch]) -> Vec<u32> {
    let mut orders = vec![0; branches.len()];
    let mut met: Vec<Vec<u32>> = vec![Vec::new(); branches.len()];
    for n in (0..branches.len()).rev() {
        let highest = met[n].iter().copied().max().unwrap_or(0);
        let twice = met[n].iter().filter(|&&o| o == highest).count() > 1;
        orders[n] = if twice { highest + 1 } else { highest.max(1) };
        if let Some(parent) = branches[n].parent {
            let order = orders[n];
            met[parent].push(order);
        }
    }
    orders
}

/// Ends spread evenly: each is the one of some random candidates that lies farthest from the ends
/// and stems that are there (Mitchell's best candidate, SIGGRAPH 1991), and from the other trees.
/// `places` are the candidates' places with their zones, `counts` how many ends each zone gets.
pub(super) fn spread(
    places: &[(V3, u8)],
    counts: &[(u8, usize)],
    tree: &Tree,
    others: &Tubes,
    draws: Draws,
) -> Vec<Site> {
    const CANDIDATES: u64 = 24;
    let total: usize = counts.iter().map(|c| c.1).sum();
    let by_zone: Vec<Vec<V3>> = counts
        .iter()
        .map(|&(zone, _)| places.iter().filter(|p| p.1 == zone).map(|p| p.0).collect())
        .collect();
    let mut sites: Vec<Site> = Vec::new();
    let mut done = vec![0_usize; counts.len()];
    for round in 0..total as u64 {
        // The zone that lags behind most.
        let lag = |z: &usize| (done[*z] as f64 + 0.5) / counts[*z].1 as f64;
        let open = (0..counts.len()).filter(|&z| done[z] < counts[z].1 && !by_zone[z].is_empty());
        let Some(zone) = open.min_by(|a, b| lag(a).total_cmp(&lag(b))) else {
            break;
        };
        done[zone] += 1;
        let candidate = |c: u64| {
            let part = draws.unit(round * CANDIDATES + c);
            let list = &by_zone[zone];
            list[((part * list.len() as f64) as usize).min(list.len() - 1)]
        };
        let best = (0..CANDIDATES)
            .map(candidate)
            .map(|at| (loneliness(at, &sites, tree, others), at));
        if let Some((_, at)) = best.max_by(|a, b| a.0.total_cmp(&b.0)) {
            let zone = counts[zone].0;
            sites.push(Site { at, zone });
        }
    }
    sites
}

/// Distance to the nearest end or vessel.
fn loneliness(at: V3, sites: &[Site], tree: &Tree, others: &Tubes) -> f64 {
    let own = sites.iter().map(|s| (s.at - at).norm_squared());
    let stems = tree.nodes.iter().map(|n| (n.at - at).norm_squared());
    let nearest = own.chain(stems).fold(f64::INFINITY, f64::min).sqrt();
    // Other trees' vessels lie between this one's: half as far is as lonely.
    match others.distance_mm(at, 0.5 * nearest.min(40.0)) {
        Some(other) => 2.0 * other,
        None => nearest,
    }
}

/// Connects the ends one after the other. Those that no vessel can reach without breaking a rule
/// are left out; gives their number.
pub(super) fn grow(
    tree: &mut Tree,
    room: &Room<'_>,
    others: &Tubes,
    sites: &[Site],
    rules: &Rules,
) -> usize {
    let mut left_out = 0;
    let expected = tree.leaves() as usize + sites.len();
    for &site in sites {
        match best_fork(tree, room, others, site, rules, expected) {
            Some((edge, fork)) => tree.connect(edge, fork, site),
            None => left_out += 1,
        }
    }
    left_out
}

/// What it would take to connect an end.
struct Offer {
    cost: f64,
    edge: usize,
    fork: V3,
}

/// The cheapest connection that keeps the rules.
fn best_fork(
    tree: &Tree,
    room: &Room<'_>,
    others: &Tubes,
    site: Site,
    rules: &Rules,
    expected: usize,
) -> Option<(usize, V3)> {
    const TRIED: usize = 14;
    let mut near: Vec<(f64, usize)> = tree
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.zone == site.zone && !node.free)
        .filter_map(|(n, node)| {
            let from = tree.nodes[node.parent?].at;
            Some((to_segment(site.at, from, node.at).0, n))
        })
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    if near.first()?.0 < rules.shortest_mm {
        return None;
    }
    let mut offers: Vec<Offer> = near
        .iter()
        .take(TRIED)
        .flat_map(|&(_, edge)| offers(tree, edge, site.at, rules))
        .collect();
    offers.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let leaf = tree.trunk_radius_mm / libm::cbrt(expected as f64);
    let grown = libm::cbrt(expected as f64 / f64::from(tree.leaves().max(1)));
    let lane = Lane {
        tree,
        room,
        others,
        rules,
        leaf_mm: leaf,
        grown,
        // What a vessel carries now it will carry in the same proportion at the end.
        radii_mm: tree.radii_mm(),
    };
    offers
        .into_iter()
        .find(|offer| lane.is_open(offer, site.at))
        .map(|offer| (offer.edge, offer.fork))
}

/// The places at which a vessel can fork towards an end, with the blood volume that each adds.
fn offers(tree: &Tree, edge: usize, to: V3, rules: &Rules) -> Vec<Offer> {
    let node = &tree.nodes[edge];
    let Some(parent) = node.parent else {
        return Vec::new();
    };
    let (a, b) = (tree.nodes[parent].at, node.at);
    let weight = |leaves: u32| libm::cbrt(f64::from(leaves)).powi(2);
    let (above, below) = (weight(node.leaves + 1), weight(node.leaves));
    let mut forks: Vec<V3> = [0.15, 0.5, 0.85].iter().map(|t| a + (b - a) * *t).collect();
    if !node.laid {
        forks.extend(least_volume([(a, above), (b, below), (to, 1.0)]));
    }
    let upstream = widening(tree, parent);
    let length = (b - a).norm();
    forks
        .into_iter()
        .filter(|fork| keeps_angles(a, *fork, b, to, rules))
        .map(|fork| Offer {
            cost: upstream
                + above * (fork - a).norm()
                + below * ((b - fork).norm() - length)
                + (to - fork).norm(),
            edge,
            fork,
        })
        .collect()
}

/// Volume that one more end adds on the way to the root, in squares of the leaf's radius.
fn widening(tree: &Tree, from: usize) -> f64 {
    let weight = |leaves: u32| libm::cbrt(f64::from(leaves)).powi(2);
    let mut sum = 0.0;
    let mut at = from;
    while let Some(parent) = tree.nodes[at].parent {
        let node = &tree.nodes[at];
        let length = (tree.nodes[parent].at - node.at).norm();
        sum += (weight(node.leaves + 1) - weight(node.leaves)) * length;
        at = parent;
    }
    sum
}

/// The place with the least weighted sum of distances (Weiszfeld's iteration); `None` where it
/// runs into one of the three.
fn least_volume(ends: [(V3, f64); 3]) -> Option<V3> {
    let total: f64 = ends.iter().map(|e| e.1).sum();
    let mut at = ends.iter().map(|(p, w)| p * *w).sum::<V3>() / total;
    for _ in 0..24 {
        let mut sum = V3::zeros();
        let mut weights = 0.0;
        for (end, weight) in ends {
            let share = weight / (at - end).norm().max(1e-6);
            sum += end * share;
            weights += share;
        }
        at = sum / weights;
    }
    ends.iter()
        .all(|(end, _)| (at - end).norm() > 1.0)
        .then_some(at)
}

/// A branch leaves forward or square, never backward, and is not too short; the other one goes on
/// without a sharp bend.
fn keeps_angles(a: V3, fork: V3, b: V3, to: V3, rules: &Rules) -> bool {
    const SQUARE: f64 = -0.1;
    const BEND: f64 = 0.6;
    let [before, after, side] = [fork - a, b - fork, to - fork];
    let cosine = |u: V3, v: V3| u.dot(&v) / (u.norm() * v.norm()).max(1e-9);
    side.norm() >= rules.shortest_mm
        && before.norm() > 0.5
        && after.norm() > 0.5
        && cosine(before, side) >= SQUARE
        && cosine(before, after) >= BEND
}

/// What a new vessel has to keep clear of.
struct Lane<'a> {
    tree: &'a Tree,
    room: &'a Room<'a>,
    others: &'a Tubes,
    rules: &'a Rules,
    leaf_mm: f64,
    grown: f64,
    /// Radius that each vessel will have about, mm.
    radii_mm: Vec<f64>,
}

impl Lane<'_> {
    fn is_open(&self, offer: &Offer, to: V3) -> bool {
        let node = &self.tree.nodes[offer.edge];
        let Some(parent) = node.parent else {
            return false;
        };
        let from = self.tree.nodes[parent].at;
        let wide = self.leaf_mm * self.grown * libm::cbrt(f64::from(node.leaves + 1));
        if !node.laid {
            let bends = [(from, offer.fork), (offer.fork, node.at)];
            let open = |&(p, q): &(V3, V3)| self.is_clear(p, q, wide);
            if !bends.iter().all(open) {
                return false;
            }
        }
        self.is_clear(offer.fork, to, self.leaf_mm) && self.own_is_clear(offer, to, wide)
    }

    fn is_clear(&self, p: V3, q: V3, radius_mm: f64) -> bool {
        self.room.is_open(p, q, radius_mm)
            && along(p, q).all(|at| self.others.is_clear(at, radius_mm + self.rules.gap_mm))
    }

    /// Beyond the first stretch, where it still lies in its parent, the branch meets none of the
    /// tree's own vessels.
    fn own_is_clear(&self, offer: &Offer, to: V3, wide_mm: f64) -> bool {
        let begin = wide_mm + self.leaf_mm + self.rules.own_gap_mm;
        along(offer.fork, to)
            .filter(|at| (at - offer.fork).norm() > 1.5 * begin)
            .all(|at| {
                self.tree
                    .nodes
                    .iter()
                    .zip(&self.radii_mm)
                    .all(|(node, radius)| {
                        let Some(parent) = node.parent else {
                            return true;
                        };
                        let least = radius + self.leaf_mm + self.rules.own_gap_mm;
                        to_segment(at, self.tree.nodes[parent].at, node.at).0 >= least
                    })
            })
    }
}

/// Rounds the vessels, moves them apart, and trims what breaks a rule all the same. Gives the
/// places that break one and could not be trimmed: they carry too much.
pub(super) fn settle(tree: &mut Tree, room: &Room<'_>, others: &Tubes, rules: &Rules) -> Vec<V3> {
    const ROUNDS: usize = 6;
    tree.subdivide();
    relax(tree, room, others, rules, 30);
    for round in 0..=ROUNDS {
        let bad = breaches(tree, room, others, rules);
        if !bad.contains(&true) {
            break;
        }
        let at_last = round + 1 >= ROUNDS;
        let stuck = trim(tree, &bad, rules, at_last);
        if round == ROUNDS {
            return stuck;
        }
        relax(tree, room, others, rules, 8);
    }
    Vec::new()
}

/// Moves every point towards its neighbours, weighted by their vessels' sections (at rest this is
/// Murray's bifurcation), and away from what it comes too near.
fn relax(tree: &mut Tree, room: &Room<'_>, others: &Tubes, rules: &Rules, rounds: usize) {
    let children = tree.children();
    let radii = tree.radii_mm();
    let mut kin = Kin::new(tree, &children);
    for _ in 0..rounds {
        kin.measure(tree);
        let own = tree.tubes();
        let moved: Vec<V3> = (0..tree.nodes.len())
            .into_par_iter()
            .map(|n| {
                let node = &tree.nodes[n];
                if node.free || node.parent.is_none() {
                    return node.at;
                }
                let mut at = node.at + tension(tree, &children[n], n, &radii);
                let need = radii[n] + SPARE_MM;
                let depth = room.depth_mm(at);
                if depth < need {
                    at += room.inward(at) * (0.7 * (need - depth));
                }
                at += push(at, radii[n] + rules.gap_mm + SPARE_MM, others, |_| true);
                let reach = radii[n] + rules.own_gap_mm + SPARE_MM;
                at + push(at, reach, &own, |other| {
                    kin.way_mm(tree, n, other) > 3.0 * (reach + radii[other])
                })
            })
            .collect();
        for (node, at) in tree.nodes.iter_mut().zip(moved) {
            node.at = at;
        }
    }
}

fn tension(tree: &Tree, children: &[usize], n: usize, radii: &[f64]) -> V3 {
    let node = &tree.nodes[n];
    let Some(parent) = node.parent else {
        return V3::zeros();
    };
    if children.is_empty() {
        return V3::zeros();
    }
    let mut sum = tree.nodes[parent].at * radii[n].powi(2);
    let mut weights = radii[n].powi(2);
    for &child in children {
        sum += tree.nodes[child].at * radii[child].powi(2);
        weights += radii[child].powi(2);
    }
    (sum / weights - node.at) * if node.laid { 0.3 } else { 0.5 }
}

/// Away from the balls nearer than `reach_mm`, half of what is missing.
fn push(at: V3, reach_mm: f64, tubes: &Tubes, counts: impl Fn(usize) -> bool) -> V3 {
    let mut sum = V3::zeros();
    let mut deepest: f64 = 0.0;
    tubes.near(at, reach_mm, |ball, distance| {
        let missing = reach_mm + tubes.balls[ball].1 - distance;
        if missing > 0.0 && distance > 1e-6 && counts(ball) {
            sum += (at - tubes.balls[ball].0) * (missing / distance);
            deepest = deepest.max(missing);
        }
    });
    sum.try_normalize(1e-9)
        .map_or_else(V3::zeros, |away| away * (0.5 * deepest))
}

/// Lengths of the ways between a tree's points, along its vessels.
struct Kin {
    /// The first point of the unbranched stretch that each point is in.
    heads: Vec<usize>,
    /// Way from the root, mm.
    ways: Vec<f64>,
    /// Every point after its parent.
    order: Vec<usize>,
}

impl Kin {
    fn new(tree: &Tree, children: &[Vec<usize>]) -> Self {
        let count = tree.nodes.len();
        let mut order: Vec<usize> = (0..count)
            .filter(|&n| tree.nodes[n].parent.is_none())
            .collect();
        let mut heads: Vec<usize> = (0..count).collect();
        let mut at = 0;
        while at < order.len() {
            let n = order[at];
            if let [only] = children[n][..] {
                heads[only] = heads[n];
            }
            order.extend(&children[n]);
            at += 1;
        }
        Self {
            heads,
            ways: vec![0.0; count],
            order,
        }
    }

    /// After the points have moved.
    fn measure(&mut self, tree: &Tree) {
        for &n in &self.order {
            if let Some(parent) = tree.nodes[n].parent {
                let step = (tree.nodes[parent].at - tree.nodes[n].at).norm();
                self.ways[n] = self.ways[parent] + step;
            }
        }
    }

    /// Length of the way between two points, mm; infinite between different trees.
    fn way_mm(&self, tree: &Tree, a: usize, b: usize) -> f64 {
        let (mut up_a, mut up_b) = (a, b);
        while self.heads[up_a] != self.heads[up_b] {
            let [head_a, head_b] = [self.heads[up_a], self.heads[up_b]];
            let a_is_farther = self.ways[head_a] > self.ways[head_b]
                || (self.ways[head_a] == self.ways[head_b] && head_a > head_b);
            let (up, head) = if a_is_farther {
                (&mut up_a, head_a)
            } else {
                (&mut up_b, head_b)
            };
            match tree.nodes[head].parent {
                Some(parent) => *up = parent,
                None => return f64::INFINITY,
            }
        }
        self.ways[a] + self.ways[b] - 2.0 * self.ways[up_a].min(self.ways[up_b])
    }
}

/// Which points break a rule. Of two of the tree's own that do, the one that carries less.
fn breaches(tree: &Tree, room: &Room<'_>, others: &Tubes, rules: &Rules) -> Vec<bool> {
    // Where they part, vessels lie close; what was moved apart a little less is left.
    const NEAR_KIN: f64 = 4.5;
    let radii = tree.radii_mm();
    let own = tree.tubes();
    let mut kin = Kin::new(tree, &tree.children());
    kin.measure(tree);
    (0..tree.nodes.len())
        .into_par_iter()
        .map(|n| {
            let node = &tree.nodes[n];
            if node.free || node.parent.is_none() {
                return false;
            }
            let (at, radius) = (node.at, radii[n]);
            let mut bad = !room.holds(at, radius) || !others.is_clear(at, radius + rules.gap_mm);
            let reach = radius + rules.own_gap_mm;
            own.near(at, reach, |other, _| {
                let carries_less = (node.leaves, n) < (tree.nodes[other].leaves, other);
                bad |=
                    carries_less && kin.way_mm(tree, n, other) > NEAR_KIN * (reach + radii[other]);
            });
            bad
        })
        .collect()
}

/// Cuts the vessels off before the points that break a rule, and stumps that are left too short.
/// What carries more than an eighth of the tree is cut only at last. Gives the places left that
/// break a rule.
fn trim(tree: &mut Tree, bad: &[bool], rules: &Rules, at_last: bool) -> Vec<V3> {
    let children = tree.children();
    let most = tree.leaves() / if at_last { 5 } else { 8 };
    let mut gone = vec![false; tree.nodes.len()];
    let mut stuck = Vec::new();
    for n in (0..bad.len()).filter(|&n| bad[n]) {
        if tree.nodes[n].leaves > most.max(1) {
            stuck.push(tree.nodes[n].at);
        } else {
            mark_from(n, &children, &mut gone);
        }
    }
    let radii = tree.radii_mm();
    for n in 0..gone.len() {
        let is_stump = !gone[n] && !children[n].is_empty() && children[n].iter().all(|&c| gone[c]);
        if is_stump && !tree.nodes[n].free {
            unmake_stump(tree, n, &children, &radii, rules, &mut gone);
        }
    }
    tree.without(&gone);
    stuck
}

fn mark_from(n: usize, children: &[Vec<usize>], gone: &mut [bool]) {
    let mut waiting = vec![n];
    while let Some(n) = waiting.pop() {
        if !gone[n] {
            gone[n] = true;
            waiting.extend(&children[n]);
        }
    }
}

/// Takes a stump away if it ends too soon after the bifurcation that it left.
fn unmake_stump(
    tree: &Tree,
    end: usize,
    children: &[Vec<usize>],
    radii: &[f64],
    rules: &Rules,
    gone: &mut [bool],
) {
    let mut way = vec![end];
    let mut length = 0.0;
    let mut at = end;
    while let Some(parent) = tree.nodes[at].parent {
        length += (tree.nodes[parent].at - tree.nodes[at].at).norm();
        let others = children[parent]
            .iter()
            .filter(|&&c| c != at && !gone[c])
            .count();
        if others > 0 {
            if length < rules.shortest_mm + radii[parent] {
                way.iter().for_each(|&n| gone[n] = true);
            }
            return;
        }
        if tree.nodes[parent].free {
            return;
        }
        at = parent;
        way.push(at);
    }
}

/// How a vessel runs beside a tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beside {
    /// Its radius as a share of the tree's.
    pub share: f64,
    /// Where it is thinner, it ends, mm.
    pub least_radius_mm: f64,
    /// Between its wall and those of other vessels, mm.
    pub gap_mm: f64,
    /// The side of the tree's trunk on which it begins.
    pub side: V3,
}

/// A second tree beside the thick branches of a first one, which goes on from `lead` (the end of
/// the patient's own vessel) if there is one. It keeps to its side as the first one bends (no
/// twist), and gives way where others run; where there is no room it ends.
pub(super) fn beside(
    tree: &Tree,
    how: &Beside,
    lead: &[V3],
    room: &Room<'_>,
    others: &Tubes,
) -> Tree {
    let mut second = follow(tree, how);
    if !lead.is_empty() {
        go_on_from(&mut second, lead);
    }
    let rules = Rules {
        gap_mm: how.gap_mm,
        own_gap_mm: how.gap_mm,
        shortest_mm: 0.0,
    };
    relax(&mut second, room, others, &rules, 40);
    let bad = breaches(&second, room, others, &rules);
    let children = second.children();
    let mut gone = vec![false; bad.len()];
    (0..bad.len())
        .filter(|&n| bad[n])
        .for_each(|n| mark_from(n, &children, &mut gone));
    second.drop_marked(&gone);
    second
}

fn follow(tree: &Tree, how: &Beside) -> Tree {
    let radii = tree.radii_mm();
    let children = tree.children();
    let kin = Kin::new(tree, &children);
    let mut second = tree.clone();
    second.trunk_radius_mm *= how.share;
    let mut sides = vec![how.side; tree.nodes.len()];
    for &n in &kin.order {
        let node = &tree.nodes[n];
        let before = node.parent.unwrap_or(n);
        let after = children[n].first().copied().unwrap_or(n);
        let from = if before == n { n } else { before };
        let to = if before == n { after } else { n };
        let along = (tree.nodes[to].at - tree.nodes[from].at).try_normalize(1e-9);
        let side = sides[before];
        let square = along.map_or(side, |t| side - t * t.dot(&side));
        sides[n] = square.try_normalize(1e-6).unwrap_or(side);
        second.nodes[n].at += sides[n] * (radii[n] * (1.0 + how.share) + how.gap_mm + 0.2);
        second.nodes[n].laid = true;
    }
    let thin: Vec<bool> = radii
        .iter()
        .map(|r| r * how.share < how.least_radius_mm)
        .collect();
    second.drop_marked(&thin);
    second
}

/// Replaces the trunk's beginning by the end of the patient's own vessel.
fn go_on_from(tree: &mut Tree, lead: &[V3]) {
    const NEAR_MM: f64 = 15.0;
    let Some(&end) = lead.last() else { return };
    let all = tree.leaves();
    let away = |n: &usize| (tree.nodes[*n].at - end).norm();
    let trunk = (0..tree.nodes.len()).filter(|&n| tree.nodes[n].leaves == all);
    let Some(meets) = trunk.min_by(|a, b| away(a).total_cmp(&away(b))) else {
        return;
    };
    let mut gone = vec![false; tree.nodes.len()];
    let mut at = tree.nodes[meets].parent;
    while let Some(n) = at {
        gone[n] = true;
        at = tree.nodes[n].parent;
    }
    let node = tree.nodes[meets];
    let mut last = None;
    for &at in lead {
        tree.nodes.push(Node {
            at,
            parent: last,
            free: true,
            ..node
        });
        gone.push(false);
        last = Some(tree.nodes.len() - 1);
    }
    tree.nodes[meets].parent = last;
    // Beside the patient's own vessel there is less room than the rules ask for.
    let near = |node: &Node| (node.at - end).norm() < NEAR_MM;
    tree.nodes
        .iter_mut()
        .filter(|node| near(node))
        .for_each(|node| node.free = true);
    tree.drop_marked(&gone);
}

/// The closed surface round all branches at least `least_radius_mm` thick, and round another one
/// with which they become one; sampled every `spacing_mm`. `None` without any branch.
///
/// # Errors
/// See [`polygonise_slices`].
pub(super) fn surface(
    branches: &[Branch],
    with: Option<&TriMesh<frame::Patient>>,
    least_radius_mm: f64,
    spacing_mm: f64,
) -> Result<Option<TriMesh<frame::Patient>>, PolygoniseError> {
    let cones: Vec<Cone> = branches
        .iter()
        .filter(|branch| branch.radius_mm >= least_radius_mm)
        .flat_map(Cone::of_branch)
        .collect();
    if cones.is_empty() {
        return Ok(None);
    }
    let reach = 2.0 * spacing_mm;
    let start = with.map_or(Aabb::EMPTY, TriMesh::bounds);
    let bounds = cones
        .iter()
        .fold(start, |all, cone| all.union(&cone.bounds(reach)));
    let grid = Grid::around(&bounds, 2.0 * spacing_mm, spacing_mm);
    let with = with.and_then(|mesh| Part::of(&grid, mesh, 2.0 * spacing_mm));
    let mut slices: Vec<Vec<u32>> = vec![Vec::new(); grid.dims[2]];
    for (n, cone) in cones.iter().enumerate() {
        for k in cone.span(&grid, 2, reach) {
            slices[k].push(n as u32);
        }
    }
    let linear = Matrix3::from_diagonal_element(spacing_mm);
    let patient_from_voxel =
        Affine::new(linear, V3::from(grid.origin_mm)).ok_or(PolygoniseError::Empty)?;
    polygonise_slices(grid.dims, 0.0, &patient_from_voxel, |k, slice| {
        // Far outside; no crossed edge ends there.
        slice.fill(-1e3);
        if let Some(part) = &with {
            part.draw(&grid, k, slice);
        }
        for &n in &slices[k] {
            cones[n as usize].draw(&grid, k, reach, slice);
        }
    })
    .map(Some)
}

/// A piece of a vessel.
struct Cone {
    from: V3,
    to: V3,
    from_radius: f64,
    to_radius: f64,
}

impl Cone {
    fn of_branch(branch: &Branch) -> impl Iterator<Item = Self> + '_ {
        (1..branch.points.len()).map(|n| Self {
            from: branch.points[n - 1],
            to: branch.points[n],
            from_radius: branch.radii_mm[n - 1],
            to_radius: branch.radii_mm[n],
        })
    }

    fn bounds(&self, reach_mm: f64) -> Aabb {
        let reach = V3::repeat(self.from_radius.max(self.to_radius) + reach_mm);
        let corner = |at: V3| <[f64; 3]>::from(at).map(|v| v as f32);
        Aabb {
            min: corner(self.from.inf(&self.to) - reach),
            max: corner(self.from.sup(&self.to) + reach),
        }
    }

    /// The grid's points along an axis that it can reach.
    fn span(&self, grid: &Grid, axis: usize, reach_mm: f64) -> std::ops::Range<usize> {
        let bounds = self.bounds(reach_mm);
        let index = |mm: f32| (f64::from(mm) - grid.origin_mm[axis]) / grid.spacing_mm;
        let first = index(bounds.min[axis]).ceil().max(0.0) as usize;
        let end = index(bounds.max[axis]).floor().max(-1.0) + 1.0;
        first..(end as usize).min(grid.dims[axis])
    }

    /// Puts its depth into a slice wherever it is greater than what is there.
    fn draw(&self, grid: &Grid, k: usize, reach_mm: f64, slice: &mut [f32]) {
        let (columns, rows) = (self.span(grid, 0, reach_mm), self.span(grid, 1, reach_mm));
        let z = grid.origin_mm[2] + grid.spacing_mm * k as f64;
        for j in rows {
            let y = grid.origin_mm[1] + grid.spacing_mm * j as f64;
            for i in columns.clone() {
                let x = grid.origin_mm[0] + grid.spacing_mm * i as f64;
                let depth = self.depth_mm(V3::new(x, y, z)) as f32;
                let value = &mut slice[i + grid.dims[0] * j];
                *value = value.max(depth);
            }
        }
    }

    fn depth_mm(&self, at: V3) -> f64 {
        let (distance, share) = to_segment(at, self.from, self.to);
        self.from_radius + (self.to_radius - self.from_radius) * share - distance
    }
}

/// The way from one place to another that stays deep in the room and away from what `toll` makes
/// dear (extra cost of a millimetre, 0 for none): the cheapest on a lattice (Dijkstra, 1959),
/// rounded. Where a vessel of `radius_mm` has no way, a thin one's is taken. `None` without any.
pub(super) fn route(
    room: &Room<'_>,
    from: V3,
    to: V3,
    radius_mm: f64,
    toll: impl Fn(V3) -> f64,
) -> Option<Vec<V3>> {
    const THIN_MM: f64 = 2.0;
    Lattice::new(room, radius_mm, &toll)
        .route(from, to)
        .or_else(|| Lattice::new(room, THIN_MM, &toll).route(from, to))
}

/// The room on a lattice of about 4 mm.
struct Lattice {
    origin: V3,
    step: f64,
    dims: [usize; 3],
    /// Cost of a millimetre; infinite where there is no way.
    costs: Vec<f64>,
}

impl Lattice {
    fn new(room: &Room<'_>, radius_mm: f64, toll: &impl Fn(V3) -> f64) -> Self {
        const STEP_MM: f64 = 4.0;
        const COMFORT_MM: f64 = 14.0;
        let bounds = room.bounds();
        let dims = bounds
            .extent()
            .map(|mm| (f64::from(mm) / STEP_MM) as usize + 1);
        let origin = V3::from(bounds.min.map(f64::from));
        let mut lattice = Self {
            origin,
            step: STEP_MM,
            dims,
            costs: Vec::new(),
        };
        lattice.costs = (0..dims.iter().product())
            .map(|n| {
                let at = lattice.place(n);
                let depth = room.depth_mm(at);
                if depth < radius_mm {
                    return f64::INFINITY;
                }
                let shallow = ((COMFORT_MM - depth) / COMFORT_MM).max(0.0);
                1.0 + 2.0 * shallow * shallow + toll(at)
            })
            .collect();
        lattice
    }

    fn place(&self, n: usize) -> V3 {
        let [ni, nj, _] = self.dims;
        let ijk = [n % ni, n / ni % nj, n / (ni * nj)];
        self.origin + V3::from(ijk.map(|v| v as f64)) * self.step
    }

    /// The nearest point with a way.
    fn nearest(&self, at: V3) -> Option<usize> {
        let open = (0..self.costs.len()).filter(|&n| self.costs[n].is_finite());
        let squared = |n: &usize| (self.place(*n) - at).norm_squared();
        open.min_by(|a, b| squared(a).total_cmp(&squared(b)))
    }

    fn route(&self, from: V3, to: V3) -> Option<Vec<V3>> {
        let (start, goal) = (self.nearest(from)?, self.nearest(to)?);
        let before = self.search(start, goal)?;
        let mut path = vec![to];
        let mut at = goal;
        while at != start {
            path.push(self.place(at));
            at = before[at];
        }
        path.push(from);
        path.reverse();
        Some(rounded(&path))
    }

    /// For each point reached the one before it.
    fn search(&self, start: usize, goal: usize) -> Option<Vec<usize>> {
        use std::cmp::Reverse;
        let mut best = vec![u64::MAX; self.costs.len()];
        let mut before = vec![start; self.costs.len()];
        let mut waiting = std::collections::BinaryHeap::new();
        best[start] = 0;
        waiting.push(Reverse((0_u64, start)));
        while let Some(Reverse((cost, at))) = waiting.pop() {
            if at == goal {
                return Some(before);
            }
            if cost > best[at] {
                continue;
            }
            self.neighbours(at, |next, length| {
                if self.costs[next].is_infinite() {
                    return;
                }
                let price = 0.5 * (self.costs[at] + self.costs[next]) * length;
                // Whole micrometres: sums in any order are the same.
                let sum = cost + (price * 1e3) as u64;
                if sum < best[next] {
                    best[next] = sum;
                    before[next] = at;
                    waiting.push(Reverse((sum, next)));
                }
            });
        }
        None
    }

    fn neighbours(&self, at: usize, mut visit: impl FnMut(usize, f64)) {
        let [ni, nj, nk] = self.dims;
        let here = [at % ni, at / ni % nj, at / (ni * nj)];
        for n in 0..27_usize {
            let shift = [n % 3, n / 3 % 3, n / 9];
            let there: [usize; 3] = std::array::from_fn(|a| (here[a] + shift[a]).wrapping_sub(1));
            if n == 13 || (0..3).any(|a| there[a] >= [ni, nj, nk][a]) {
                continue;
            }
            let squared: usize = shift.iter().map(|&s| usize::from(s != 1)).sum();
            let [i, j, k] = there;
            visit(i + ni * (j + nj * k), (squared as f64).sqrt() * self.step);
        }
    }
}

/// A path with its corners cut, in steps of about 5 mm; its ends stay.
pub(super) fn rounded(path: &[V3]) -> Vec<V3> {
    let mut points = in_steps(path, 2.0);
    for _ in 0..24 {
        let old = points.clone();
        for n in 1..old.len().saturating_sub(1) {
            points[n] = (old[n - 1] + old[n] * 2.0 + old[n + 1]) * 0.25;
        }
    }
    in_steps(&points, 5.0)
}

/// The same curve with points about so far apart.
fn in_steps(path: &[V3], step_mm: f64) -> Vec<V3> {
    let lengths: Vec<f64> = path.windows(2).map(|p| (p[1] - p[0]).norm()).collect();
    let total: f64 = lengths.iter().sum();
    let pieces = (total / step_mm).round().max(1.0) as usize;
    let mut out = vec![path[0]];
    let (mut n, mut gone) = (0, 0.0);
    for piece in 1..pieces {
        let wanted = total * piece as f64 / pieces as f64;
        while n + 1 < lengths.len() && gone + lengths[n] < wanted {
            gone += lengths[n];
            n += 1;
        }
        let share = ((wanted - gone) / lengths[n].max(1e-9)).clamp(0.0, 1.0);
        out.push(path[n] + (path[n + 1] - path[n]) * share);
    }
    out.push(path[path.len() - 1]);
    out
}

#[cfg(test)]
mod tests {
    use geometry::sdf::{self, Expr, SurfaceLimits};

    use super::*;

    fn ball() -> TriMesh<frame::Patient> {
        let ball = Expr::Sphere {
            center: [0.0; 3],
            radius_mm: 40.0,
        };
        sdf::surface(&ball, 2.0, &SurfaceLimits::default()).unwrap()
    }

    fn room(ball: &TriMesh<frame::Patient>) -> Room<'_> {
        Room::new(ball, &[], 2.0, 2.0)
    }

    /// Equal daughters of r³ = 2 r₁³ part at an angle of cos(θ/2) = 2^(2/3) / 2 (Murray 1926).
    #[test]
    fn equal_daughters_part_at_murray_s_angle() {
        let weight = libm::cbrt(2.0_f64).powi(2);
        let ends = [
            V3::new(-30.0, 0.0, 0.0),
            V3::new(30.0, 20.0, 0.0),
            V3::new(30.0, -20.0, 0.0),
        ];
        let fork = least_volume([(ends[0], weight), (ends[1], 1.0), (ends[2], 1.0)]).unwrap();
        let [one, other] = [ends[1] - fork, ends[2] - fork];
        let half = 0.5 * one.angle(&other);
        assert!(
            (half.cos() - 0.5 * weight).abs() < 1e-3,
            "{}°",
            2.0 * half.to_degrees()
        );
    }

    #[test]
    fn depth_in_a_ball_is_what_is_left_of_its_radius() {
        let ball = ball();
        let room = room(&ball);
        for at in [
            V3::new(0.0, 12.0, 0.0),
            V3::new(20.0, -20.0, 10.0),
            V3::new(0.0, 0.0, 37.0),
        ] {
            let exact = 38.0 - at.norm();
            // Handed on from neighbour to neighbour in the depth: a part of the spacing of 2 mm.
            assert!((room.depth_mm(at) - exact).abs() < 1.0);
            assert!(room.inward(at).dot(&-at.normalize()) > 0.95);
            // The ball's facets lie up to 0.02 mm within it.
            assert!(room.holds(at, exact - 0.05) && !room.holds(at, exact + 0.05));
        }
    }

    #[test]
    fn tubes_are_found_as_by_asking_all() {
        let draws = Draws::new(1, "tubes");
        let place = |n: u64| V3::from_fn(|a, _| 60.0 * draws.unit(3 * n + a as u64));
        let balls: Vec<(V3, f64)> = (0..300)
            .map(|n| (place(n), 1.0 + 4.0 * draws.unit(5000 + n)))
            .collect();
        let tubes = Tubes::new(balls.clone());
        for n in 1000..1100 {
            let at = place(n);
            let exact = balls
                .iter()
                .map(|b| (b.0 - at).norm() - b.1)
                .fold(f64::INFINITY, f64::min);
            assert_eq!(tubes.distance_mm(at, 100.0), Some(exact));
        }
    }

    #[test]
    fn a_way_round_what_is_dear() {
        let ball = ball();
        let room = room(&ball);
        let [from, to] = [V3::new(-28.0, 0.0, 0.0), V3::new(28.0, 0.0, 0.0)];
        let dear = |at: V3| if at.norm() < 14.0 { 50.0 } else { 0.0 };
        let way = route(&room, from, to, 2.0, dear).unwrap();
        assert_eq!((way[0], way[way.len() - 1]), (from, to));
        let nearest = way.iter().map(|p| p.norm()).fold(f64::INFINITY, f64::min);
        assert!(nearest > 11.0, "{nearest} mm from the middle");
        assert!(way.iter().all(|p| room.depth_mm(*p) > 1.0));
    }

    /// A stem along x with a twig that runs back along it: ways along the vessels.
    #[test]
    fn ways_between_points_follow_the_vessels() {
        let mut tree = Tree::new(3.0);
        let stem: Vec<V3> = (0..5)
            .map(|n| V3::new(10.0 * f64::from(n), 0.0, 0.0))
            .collect();
        tree.lay(None, &stem, 1);
        tree.lay(
            Some(2),
            &[V3::new(20.0, 10.0, 0.0), V3::new(10.0, 10.0, 0.0)],
            1,
        );
        let mut kin = Kin::new(&tree, &tree.children());
        kin.measure(&tree);
        assert_eq!(kin.way_mm(&tree, 0, 4), 40.0);
        assert_eq!(kin.way_mm(&tree, 6, 1), 30.0);
        assert_eq!(kin.way_mm(&tree, 6, 4), 40.0);
        assert_eq!(tree.branches().len(), 3);
        assert_eq!(strahler(&tree.branches()), vec![2, 1, 1]);
    }

    #[test]
    fn a_tree_grows_to_every_end_that_it_can_reach() {
        let ball = ball();
        let room = room(&ball);
        let mut tree = Tree::new(3.0);
        tree.lay(
            None,
            &[V3::new(-30.0, 0.0, 0.0), V3::new(-10.0, 0.0, 0.0)],
            1,
        );
        let none = Tubes::new(Vec::new());
        let places: Vec<(V3, u8)> = room.places(2.0).into_iter().map(|p| (p.0, 1)).collect();
        let sites = spread(&places, &[(1, 26)], &tree, &none, Draws::new(4, "test"));
        let rules = Rules {
            gap_mm: 2.0,
            own_gap_mm: 1.5,
            shortest_mm: 5.0,
        };
        let left_out = grow(&mut tree, &room, &none, &sites, &rules);
        assert!(left_out <= 3, "{left_out} of 26 left out");
        let stuck = settle(&mut tree, &room, &none, &rules);
        assert!(stuck.is_empty(), "{stuck:?}");
        assert!(tree.leaves() >= 20, "{} ends", tree.leaves());
        assert!(breaches(&tree, &room, &none, &rules).iter().all(|bad| !bad));
    }
}
