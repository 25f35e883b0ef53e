//! A tree with eight children per node over triangles in blocks of eight.
//!
//! Built by splitting where the surface-area heuristic (Wald 2007, "On fast Construction of
//! SAH-based Bounding Volume Hierarchies": binned) expects the fewest box and triangle tests.

use rayon::prelude::*;

use crate::mesh::Aabb;

use super::Flat;
use super::lanes::{Eight, LANES, Lanes, Plain};

/// A child link with this bit names a block, otherwise a node.
pub(super) const BLOCK: u32 = 1 << 31;

/// Bounds of places without a child: no ray comes here, and no sum with it overflows.
const NOWHERE: f32 = 1e30;

/// Splits deeper than this halve the list instead, so that no input makes the tree degenerate.
const MAX_SAH_DEPTH: u32 = 64;

const BINS: usize = 16;

/// Eight boxes: `min[axis]` and `max[axis]` hold one coordinate of all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boxes {
    pub min: [Eight; 3],
    pub max: [Eight; 3],
}

/// A node: boxes of and links to up to eight children.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Node {
    pub boxes: Boxes,
    /// Node index, or block index with [`BLOCK`].
    pub children: [u32; LANES],
    pub count: u32,
}

/// Up to eight triangles.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Block {
    /// `corners[axis][k]`: one coordinate of corner k of all triangles.
    pub corners: [[Eight; 3]; 3],
    /// The triangles' numbers in the scene; unused places repeat the first.
    pub triangles: [u32; LANES],
    pub surfaces: [u16; LANES],
    /// A bit for each triangle that is there.
    pub used: u32,
}

/// The tree over a scene's or one surface's triangles.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// Parents stand before their children; the first is the root. Empty without triangles.
    pub nodes: Vec<Node>,
    pub blocks: Vec<Block>,
    pub bounds: Aabb,
}

/// A triangle while the tree is being built.
#[derive(Clone, Copy)]
struct Item {
    bounds: Aabb,
    triangle: u32,
}

impl Item {
    /// Twice the middle of the box.
    fn middle(&self, axis: usize) -> f32 {
        self.bounds.min[axis] + self.bounds.max[axis]
    }
}

impl Tree {
    pub fn build(geometry: &Flat, triangles: std::ops::Range<u32>) -> Self {
        let mut items: Vec<Item> = triangles
            .map(|triangle| Item {
                bounds: Aabb::of_points(&geometry.corners(triangle)),
                triangle,
            })
            .collect();
        let halves = Halves::build(&mut items);
        let mut tree = Self {
            nodes: Vec::with_capacity(items.len() / 32 + 1),
            blocks: Vec::with_capacity(items.len() / 6 + 1),
            bounds: Aabb::EMPTY,
        };
        if !items.is_empty() {
            tree.push_node(&halves, 0, &mut items);
        }
        tree.refit(geometry, None);
        tree
    }

    /// Links only; boxes and corners are filled in by `refit`.
    fn push_node(&mut self, halves: &Halves, top: u32, items: &mut [Item]) -> u32 {
        let index = self.nodes.len();
        self.nodes.push(Node::EMPTY);
        let mut parts = Vec::with_capacity(LANES);
        halves.parts_of(top, &mut parts);
        self.nodes[index].count = parts.len() as u32;
        for (place, part) in parts.into_iter().enumerate() {
            let half = &halves.list[part as usize];
            self.nodes[index].children[place] = if half.right == 0 {
                self.push_block(&mut items[half.range()])
            } else {
                self.push_node(halves, part, items)
            };
        }
        index as u32
    }

    fn push_block(&mut self, items: &mut [Item]) -> u32 {
        items.sort_unstable_by_key(|item| item.triangle);
        let mut block = Block {
            corners: [[Eight::all(0.0); 3]; 3],
            triangles: [items[0].triangle; LANES],
            surfaces: [0; LANES],
            used: (1 << items.len()) - 1,
        };
        for (place, item) in block.triangles.iter_mut().zip(items.iter()) {
            *place = item.triangle;
        }
        self.blocks.push(block);
        (self.blocks.len() - 1) as u32 | BLOCK
    }

    /// Takes over moved vertices, of one surface or of all.
    pub fn refit(&mut self, geometry: &Flat, surface: Option<u16>) {
        self.blocks.par_iter_mut().for_each(|block| {
            if surface.is_none_or(|moved| block.surfaces.contains(&moved)) {
                block.gather(geometry);
            }
        });
        self.bounds = Aabb::EMPTY;
        for index in (0..self.nodes.len()).rev() {
            let mut bounds = Aabb::EMPTY;
            for place in 0..self.nodes[index].count as usize {
                let child = self.bounds_of_child(self.nodes[index].children[place]);
                self.nodes[index].boxes.set(place, &child);
                bounds = bounds.union(&child);
            }
            self.bounds = bounds;
        }
    }

    fn bounds_of_child(&self, link: u32) -> Aabb {
        if link & BLOCK != 0 {
            self.blocks[(link & !BLOCK) as usize].bounds()
        } else {
            let node = &self.nodes[link as usize];
            (0..node.count as usize)
                .map(|place| node.boxes.get(place))
                .fold(Aabb::EMPTY, |sum, child| sum.union(&child))
        }
    }

    /// Where a line enters and leaves the ball round the tree's box, in units of the direction's
    /// length; both are the nearest place to the middle if it misses.
    pub fn span_along(&self, origin: [f64; 3], direction: [f64; 3]) -> (f64, f64) {
        let (mut along, mut radius_squared) = (0.0, 0.0);
        for axis in 0..3 {
            let (min, max) = (
                f64::from(self.bounds.min[axis]),
                f64::from(self.bounds.max[axis]),
            );
            along += (0.5 * (min + max) - origin[axis]) * direction[axis];
            radius_squared += 0.25 * (max - min) * (max - min);
        }
        let radius = radius_squared.sqrt();
        (along - radius, along + radius)
    }

    /// The largest coordinate's size, mm.
    pub fn reach(&self) -> f32 {
        let corners = self.bounds.min.iter().chain(&self.bounds.max);
        corners.fold(0.0, |reach, c| c.abs().max(reach))
    }
}

impl Boxes {
    const NOWHERE: Self = Self {
        min: [Eight::all(NOWHERE); 3],
        max: [Eight::all(-NOWHERE); 3],
    };

    /// One coordinate of all boxes: least and greatest.
    #[inline(always)]
    pub fn extent<L: Lanes>(&self, axis: usize) -> (L, L) {
        (L::load(&self.min[axis]), L::load(&self.max[axis]))
    }

    fn get(&self, place: usize) -> Aabb {
        Aabb {
            min: std::array::from_fn(|a| self.min[a].0[place]),
            max: std::array::from_fn(|a| self.max[a].0[place]),
        }
    }

    fn set(&mut self, place: usize, bounds: &Aabb) {
        for axis in 0..3 {
            self.min[axis].0[place] = bounds.min[axis];
            self.max[axis].0[place] = bounds.max[axis];
        }
    }
}

impl Node {
    const EMPTY: Self = Self {
        boxes: Boxes::NOWHERE,
        children: [0; LANES],
        count: 0,
    };
}

impl Block {
    fn gather(&mut self, geometry: &Flat) {
        for (place, &triangle) in self.triangles.iter().enumerate() {
            self.surfaces[place] = geometry.surface_of_triangle[triangle as usize];
            for (k, corner) in geometry.corners(triangle).iter().enumerate() {
                for (lanes, &coordinate) in self.corners.iter_mut().zip(corner) {
                    lanes[k].0[place] = coordinate;
                }
            }
        }
    }

    /// One coordinate of all triangles' boxes: least and greatest.
    #[inline(always)]
    pub fn extent<L: Lanes>(&self, axis: usize) -> (L, L) {
        let [a, b, c] = &self.corners[axis];
        let (a, b, c) = (L::load(a), L::load(b), L::load(c));
        (a.min(b).min(c), a.max(b).max(c))
    }

    /// The corners of one triangle.
    #[inline(always)]
    pub fn corners_at(&self, place: usize) -> [[f32; 3]; 3] {
        let [x, y, z] = &self.corners;
        [0, 1, 2].map(|k| [x[k].0[place], y[k].0[place], z[k].0[place]])
    }

    fn bounds(&self) -> Aabb {
        let mut bounds = Aabb::EMPTY;
        for axis in 0..3 {
            let (min, max) = self.extent::<Plain>(axis);
            bounds.min[axis] = min.store().0.into_iter().fold(f32::INFINITY, f32::min);
            bounds.max[axis] = max.store().0.into_iter().fold(f32::NEG_INFINITY, f32::max);
        }
        bounds
    }
}

fn half_area(bounds: &Aabb) -> f32 {
    let [x, y, z] = bounds.extent();
    x * y + y * z + z * x
}

/// The tree with two children per node that comes first, and how best to merge its nodes into
/// wide ones.
struct Halves {
    /// A node's left child directly follows it.
    list: Vec<Half>,
    /// For each node, how to make it into parts; see [`Merge`].
    merges: Vec<Merge>,
}

struct Half {
    bounds: Aabb,
    start: u32,
    count: u32,
    /// The right child; 0: a block.
    right: u32,
}

impl Half {
    fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.count) as usize
    }
}

/// Expected costs of a node's subtree if it is made into at most 1, 2, … 8 parts, each a block or
/// a wide node (Ylitie, Karras & Laine 2017, "Efficient Incoherent Ray Traversal on GPUs Through
/// Compressed Wide BVHs", section 3.1).
#[derive(Clone, Copy)]
struct Merge {
    cost: [f32; LANES],
    /// How many of the parts its left child becomes; 0: it stays one part.
    lefts: [u8; LANES],
    /// The same for its own children if it becomes a wide node.
    lefts_inside: u8,
}

/// Cost of testing a node's boxes, where testing a block's triangles costs 1.
const NODE_COST: f32 = 0.7;

impl Halves {
    fn build(items: &mut [Item]) -> Self {
        let mut halves = Self {
            list: Vec::with_capacity(items.len() / 3 + 1),
            merges: Vec::new(),
        };
        if items.is_empty() {
            return halves;
        }
        halves.halve(items, 0, 0);
        halves.merges = vec![Merge::BLOCK; halves.list.len()];
        for index in (0..halves.list.len()).rev() {
            halves.merges[index] = halves.merge(index);
        }
        halves
    }

    fn halve(&mut self, items: &mut [Item], start: u32, depth: u32) {
        let index = self.list.len();
        let bounds = items
            .iter()
            .fold(Aabb::EMPTY, |sum, item| sum.union(&item.bounds));
        self.list.push(Half {
            bounds,
            start,
            count: items.len() as u32,
            right: 0,
        });
        if items.len() <= LANES {
            return;
        }
        let middle = split(items, depth);
        let (left, right) = items.split_at_mut(middle);
        self.halve(left, start, depth + 1);
        self.list[index].right = self.list.len() as u32;
        self.halve(right, start + middle as u32, depth + 1);
    }

    fn merge(&self, index: usize) -> Merge {
        let half = &self.list[index];
        let area = half_area(&half.bounds);
        if half.right == 0 {
            return Merge {
                cost: [area; LANES],
                ..Merge::BLOCK
            };
        }
        let (left, right) = (&self.merges[index + 1], &self.merges[half.right as usize]);
        let mut merge = Merge::BLOCK;
        let (inside, lefts_inside) = Merge::shared(left, right, LANES);
        merge.cost[0] = NODE_COST * area + inside;
        merge.lefts_inside = lefts_inside;
        for parts in 2..=LANES {
            let (cost, lefts) = Merge::shared(left, right, parts);
            (merge.cost[parts - 1], merge.lefts[parts - 1]) = if cost < merge.cost[parts - 2] {
                (cost, lefts)
            } else {
                (merge.cost[parts - 2], merge.lefts[parts - 2])
            };
        }
        merge
    }

    /// The parts that become the children of the wide node at `top`.
    fn parts_of(&self, top: u32, parts: &mut Vec<u32>) {
        let half = &self.list[top as usize];
        if half.right == 0 {
            parts.push(top);
            return;
        }
        let lefts = usize::from(self.merges[top as usize].lefts_inside);
        self.divide(top + 1, lefts, parts);
        self.divide(half.right, LANES - lefts, parts);
    }

    fn divide(&self, index: u32, most: usize, parts: &mut Vec<u32>) {
        let merge = &self.merges[index as usize];
        // With `most` allowed fewer may be best; `lefts` was then taken over with its own number.
        let most = (1..=most)
            .find(|&n| merge.cost[n - 1] <= merge.cost[most - 1])
            .unwrap_or(1);
        let lefts = usize::from(merge.lefts[most - 1]);
        if lefts == 0 {
            parts.push(index);
            return;
        }
        self.divide(index + 1, lefts, parts);
        self.divide(self.list[index as usize].right, most - lefts, parts);
    }
}

impl Merge {
    const BLOCK: Self = Self {
        cost: [0.0; LANES],
        lefts: [0; LANES],
        lefts_inside: 1,
    };

    /// The cheapest way to share `parts` out between two children: cost, and the left one's share.
    fn shared(left: &Self, right: &Self, parts: usize) -> (f32, u8) {
        (1..parts)
            .map(|lefts| {
                (
                    left.cost[lefts - 1] + right.cost[parts - lefts - 1],
                    lefts as u8,
                )
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap_or((f32::INFINITY, 1))
    }
}

/// Reorders the list and returns where its second part begins; neither part is empty.
fn split(items: &mut [Item], depth: u32) -> usize {
    let mut middles = Aabb::EMPTY;
    for item in items.iter() {
        middles = middles.including(&[item.middle(0), item.middle(1), item.middle(2)]);
    }
    let plane = if depth < MAX_SAH_DEPTH {
        best_plane(items, &middles)
    } else {
        None
    };
    match plane {
        Some(plane) => partition(items, |item| plane.is_left(item)),
        None => items.len() / 2,
    }
}

/// A place to split: items in bins up to `last_left` go left.
struct Plane {
    axis: usize,
    binning: Binning,
    last_left: usize,
}

impl Plane {
    fn is_left(&self, item: &Item) -> bool {
        self.binning.bin(item.middle(self.axis)) <= self.last_left
    }
}

/// Equal bins along an axis.
#[derive(Clone, Copy)]
struct Binning {
    start: f32,
    bins_per_mm: f32,
}

impl Binning {
    fn new(start: f32, end: f32) -> Self {
        Self {
            start,
            bins_per_mm: BINS as f32 / (end - start),
        }
    }
    fn bin(&self, middle: f32) -> usize {
        (((middle - self.start) * self.bins_per_mm) as usize).min(BINS - 1)
    }
}

#[derive(Clone, Copy)]
struct Bin {
    bounds: Aabb,
    count: usize,
}

impl Bin {
    const EMPTY: Self = Self {
        bounds: Aabb::EMPTY,
        count: 0,
    };
    fn union(&self, other: &Self) -> Self {
        Self {
            bounds: self.bounds.union(&other.bounds),
            count: self.count + other.count,
        }
    }
    /// Surface times blocks.
    fn cost(&self) -> f32 {
        half_area(&self.bounds) * self.count.div_ceil(LANES) as f32
    }
}

/// The cheapest plane; none if all middles coincide.
fn best_plane(items: &[Item], middles: &Aabb) -> Option<Plane> {
    let mut best = None;
    let mut best_cost = f32::INFINITY;
    for axis in 0..3 {
        let (start, end) = (middles.min[axis], middles.max[axis]);
        if end <= start || !(BINS as f32 / (end - start)).is_finite() {
            continue;
        }
        let binning = Binning::new(start, end);
        let (cost, last_left) = best_in(&fill_bins(items, axis, binning));
        if cost < best_cost {
            best_cost = cost;
            best = Some(Plane {
                axis,
                binning,
                last_left,
            });
        }
    }
    best
}

fn fill_bins(items: &[Item], axis: usize, binning: Binning) -> [Bin; BINS] {
    let mut bins = [Bin::EMPTY; BINS];
    for item in items {
        let bin = &mut bins[binning.bin(item.middle(axis))];
        bin.bounds = bin.bounds.union(&item.bounds);
        bin.count += 1;
    }
    bins
}

/// The cheapest place between bins that leaves neither side empty, and its cost.
fn best_in(bins: &[Bin; BINS]) -> (f32, usize) {
    let mut rights = [Bin::EMPTY; BINS];
    let mut sum = Bin::EMPTY;
    for bin in (1..BINS).rev() {
        sum = sum.union(&bins[bin]);
        rights[bin] = sum;
    }
    let mut best = (f32::INFINITY, 0);
    let mut left = Bin::EMPTY;
    for bin in 0..BINS - 1 {
        left = left.union(&bins[bin]);
        let right = &rights[bin + 1];
        if left.count > 0 && right.count > 0 && left.cost() + right.cost() < best.0 {
            best = (left.cost() + right.cost(), bin);
        }
    }
    best
}

/// Brings the items for which `is_left` holds to the front; returns how many they are.
fn partition(items: &mut [Item], is_left: impl Fn(&Item) -> bool) -> usize {
    let mut left = 0;
    for place in 0..items.len() {
        if is_left(&items[place]) {
            items.swap(place, left);
            left += 1;
        }
    }
    left
}
