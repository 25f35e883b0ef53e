//! Walking the tree: one ray at a time, or eight neighbouring rays together.
//!
//! Whatever is decided here only rules out triangles that are certainly missed; each one left over
//! is judged in [`super::triangle`]. So results do not depend on the way taken.
//!
//! The same code is compiled twice on x86-64: for every processor, and for those with AVX2.

use crate::mesh::Aabb;

use super::Span;
use super::crossing::{Chunk, Hits, Origin, Queue, Ranks};
#[cfg(target_arch = "x86_64")]
use super::lanes::Wide;
use super::lanes::{Eight, LANES, Lanes, Plain, set_bits};
use super::ray::{Line, Ray, xy_axes};
use super::tree::{BLOCK, Block, Boxes, Node, Tree};
use super::triangle::Sheared;

/// Boxes are widened by this part of the coordinates' size. Shearing a vertex and testing a box
/// each err by less than 5 · 2⁻²⁴ of it.
const MARGIN: f32 = 2e-6;

/// A direction's component counts as at least this for box tests, so that its inverse is finite.
const LEAST_SLOPE: f64 = 1e-12;

/// How wide the processor's instructions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Width {
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2;
        }
        Self::Plain
    }
}

/// Casts a chunk of rays and appends their crossings.
pub(super) fn cast_all<F>(
    width: Width,
    tree: &Tree,
    spans: &[Span],
    ranks: &Ranks,
    rays: &[Ray<F>],
    chunk: &mut Chunk<F>,
) {
    match width {
        Width::Plain => cast_all_inline::<Plain, F>(tree, spans, ranks, rays, chunk),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Width::Avx2` is only made by `Width::detect` where the processor has AVX2.
        Width::Avx2 => unsafe { cast_all_avx2(tree, spans, ranks, rays, chunk) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn cast_all_avx2<F>(
    tree: &Tree,
    spans: &[Span],
    ranks: &Ranks,
    rays: &[Ray<F>],
    chunk: &mut Chunk<F>,
) {
    cast_all_inline::<Wide, F>(tree, spans, ranks, rays, chunk);
}

/// All passes of a line that keeps no crossing: surface and change of winding.
pub(super) fn passes(width: Width, tree: &Tree, line: &Line) -> Vec<(u16, i32)> {
    match width {
        Width::Plain => passes_inline::<Plain>(tree, line),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Width::Avx2` is only made by `Width::detect` where the processor has AVX2.
        Width::Avx2 => unsafe { passes_avx2(tree, line) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn passes_avx2(tree: &Tree, line: &Line) -> Vec<(u16, i32)> {
    passes_inline::<Wide>(tree, line)
}

#[inline(always)]
fn passes_inline<L: Lanes>(tree: &Tree, line: &Line) -> Vec<(u16, i32)> {
    let mut hits = Hits::default();
    walk_line::<L>(tree, line, &mut Queue::default(), &mut hits);
    hits.take_aside()
}

#[inline(always)]
fn cast_all_inline<L: Lanes, F>(
    tree: &Tree,
    spans: &[Span],
    ranks: &Ranks,
    rays: &[Ray<F>],
    chunk: &mut Chunk<F>,
) {
    for rays in rays.chunks(LANES) {
        let first = Line::new(&rays[0], tree);
        let mut lines = [first; LANES];
        for (line, ray) in lines.iter_mut().zip(rays).skip(1) {
            *line = Line::new(ray, tree);
        }
        match Packet::of_neighbours(&lines, rays.len(), tree) {
            Some(packet) => packet.walk::<L, F>(tree, &lines, chunk),
            None => {
                for (line, hits) in lines.iter().zip(&mut chunk.hits).take(rays.len()) {
                    walk_line::<L>(tree, line, &mut chunk.queue, hits);
                }
            }
        }
        for (lane, line) in lines.iter().enumerate().take(rays.len()) {
            let corners = |place: u32| {
                let (block, place) = (place / LANES as u32, place % LANES as u32);
                tree.blocks[block as usize].corners_at(place as usize)
            };
            chunk.finish_ray(lane, line, spans, ranks, corners);
        }
    }
}

/// Collects one line's hits.
#[inline(always)]
fn walk_line<L: Lanes>(tree: &Tree, line: &Line, queue: &mut Queue, hits: &mut Hits) {
    if tree.nodes.is_empty() {
        return;
    }
    let slabs = Slabs::<L>::new(line, tree);
    queue.visit::<L>(tree, |node| slabs.meet(&node.boxes));
    for &index in &queue.blocks {
        meet_block::<L>(tree, index, line, hits);
    }
}

impl Queue {
    /// Fills `blocks` with those in boxes that are met: `meet` tells a node's by bits.
    ///
    /// Nodes are visited first come, first served, and blocks after all of them, so that memory has
    /// time to deliver what was asked for ahead.
    #[inline(always)]
    fn visit<L: Lanes>(&mut self, tree: &Tree, meet: impl Fn(&Node) -> u32) {
        self.blocks.clear();
        self.nodes.clear();
        self.nodes.push(0);
        let mut next = 0;
        while let Some(&index) = self.nodes.get(next) {
            next += 1;
            let node = &tree.nodes[index as usize];
            for place in set_bits(meet(node)) {
                let link = node.children[place];
                if link & BLOCK == 0 {
                    L::expect_use(&tree.nodes[link as usize]);
                    self.nodes.push(link);
                } else {
                    L::expect_use(&tree.blocks[(link & !BLOCK) as usize]);
                    self.blocks.push(link & !BLOCK);
                }
            }
        }
    }
}

impl Block {
    #[inline(always)]
    fn origin(&self, index: u32, place: usize) -> Origin {
        Origin {
            surface: self.surfaces[place],
            triangle: self.triangles[place],
            place: index * LANES as u32 + place as u32,
        }
    }
}

/// One line against eight triangles.
#[inline(always)]
fn meet_block<L: Lanes>(tree: &Tree, index: u32, line: &Line, hits: &mut Hits) {
    let block = &tree.blocks[index as usize];
    let [x_axis, y_axis] = xy_axes(line.z_axis);
    let (x_shear, y_shear) = (L::all(line.shear[0]), L::all(line.shear[1]));
    let [x, y, z] = line.origin;
    let origin = [L::all(x), L::all(y), L::all(z)];
    let mut corners = ([origin[0]; 3], [origin[0]; 3], [origin[0]; 3]);
    let (x, y, z) = (&mut corners.0, &mut corners.1, &mut corners.2);
    for k in 0..3 {
        z[k] = L::load(&block.corners[line.z_axis][k]) - origin[line.z_axis];
        x[k] = (L::load(&block.corners[x_axis][k]) - origin[x_axis]) - x_shear * z[k];
        y[k] = (L::load(&block.corners[y_axis][k]) - origin[y_axis]) - y_shear * z[k];
    }
    let met = maybe_met(x, y) & block.used;
    if met == 0 {
        return;
    }
    let corners = Corners::new(x, y, z);
    for place in set_bits(met) {
        let sheared = corners.at(place);
        if let Some(meeting) = sheared.meet(line) {
            hits.record(line, block.origin(index, place), &meeting);
        }
    }
}

/// Sheared corners in memory, to be picked from.
struct Corners {
    x: [Eight; 3],
    y: [Eight; 3],
    z: [Eight; 3],
}

impl Corners {
    #[inline(always)]
    fn new<L: Lanes>(x: &[L; 3], y: &[L; 3], z: &[L; 3]) -> Self {
        Self {
            x: [x[0].store(), x[1].store(), x[2].store()],
            y: [y[0].store(), y[1].store(), y[2].store()],
            z: [z[0].store(), z[1].store(), z[2].store()],
        }
    }
    #[inline(always)]
    fn at(&self, place: usize) -> Sheared {
        let pick = |of: &[Eight; 3]| [of[0].0[place], of[1].0[place], of[2].0[place]];
        Sheared {
            x: pick(&self.x),
            y: pick(&self.y),
            z: pick(&self.z),
        }
    }
}

/// A bit for each lane in which the edge functions do not have opposite signs.
///
/// Single precision is enough for that: rounding keeps the order of two products, so their
/// difference may come out as 0, but never with the wrong sign.
#[inline(always)]
fn maybe_met<L: Lanes>(x: &[L; 3], y: &[L; 3]) -> u32 {
    let a = x[1] * y[2] - y[1] * x[2];
    let b = x[2] * y[0] - y[2] * x[0];
    let c = x[0] * y[1] - y[0] * x[1];
    let zero = L::all(0.0);
    zero.at_most(a.min(b).min(c)) | a.max(b).max(c).at_most(zero)
}

/// A line prepared for box tests: t of the planes of each axis.
struct Slabs<L> {
    per_mm: [L; 3],
    /// Subtracted from t of the nearer and the farther plane.
    near: [L; 3],
    far: [L; 3],
    backward: [bool; 3],
    start: L,
    end: L,
}

impl<L: Lanes> Slabs<L> {
    #[inline(always)]
    fn new(line: &Line, tree: &Tree) -> Self {
        let margin = margin(line, tree);
        let (start, end) = line.range_mm();
        let mut slabs = Self {
            per_mm: [L::all(0.0); 3],
            near: [L::all(0.0); 3],
            far: [L::all(0.0); 3],
            backward: [false; 3],
            start: L::all((start as f32).max(-1e30) - 10.0 * margin),
            end: L::all((end as f32).min(1e30) + 10.0 * margin),
        };
        for axis in 0..3 {
            let d = line.direction[axis];
            let per_mm = (1.0 / d.abs().max(LEAST_SLOPE).copysign(d)) as f32;
            let (at_origin, widening) = (line.origin[axis] * per_mm, margin * per_mm.abs());
            slabs.per_mm[axis] = L::all(per_mm);
            slabs.near[axis] = L::all(at_origin + widening);
            slabs.far[axis] = L::all(at_origin - widening);
            slabs.backward[axis] = per_mm < 0.0;
        }
        slabs
    }

    /// A bit for each box the line may meet within its range.
    #[inline(always)]
    fn meet(&self, boxes: &Boxes) -> u32 {
        let (mut start, mut end) = (self.start, self.end);
        for axis in 0..3 {
            let (near, far) = if self.backward[axis] {
                (&boxes.max[axis], &boxes.min[axis])
            } else {
                (&boxes.min[axis], &boxes.max[axis])
            };
            let (near, far) = (L::load(near), L::load(far));
            start = start.max(near * self.per_mm[axis] - self.near[axis]);
            end = end.min(far * self.per_mm[axis] - self.far[axis]);
        }
        start.at_most(end)
    }
}

#[inline(always)]
fn margin(line: &Line, tree: &Tree) -> f32 {
    let reach = line.origin.iter().fold(0.0, |r: f32, c| r.max(c.abs()));
    MARGIN * (reach + tree.reach())
}

/// A range of numbers.
#[derive(Clone, Copy)]
struct Range {
    min: f32,
    max: f32,
}

impl Range {
    const EMPTY: Self = Self {
        min: f32::INFINITY,
        max: f32::NEG_INFINITY,
    };
    fn including(self, value: f32) -> Self {
        Self {
            min: self.min.min(value),
            max: self.max.max(value),
        }
    }
    fn widened(self, margin: f32) -> Self {
        Self {
            min: self.min - margin,
            max: self.max + margin,
        }
    }
    fn width(self) -> f32 {
        self.max - self.min
    }
}

/// Eight neighbouring lines that run fastest along the same axis z. At depth z their x all lie in
/// `place[0] + slope[0] · (z − middle)`, and y likewise.
struct Packet {
    z_axis: usize,
    middle: f32,
    depth: Range,
    place: [Range; 2],
    slope: [Range; 2],
    /// How many of the eight count.
    count: usize,
}

impl Packet {
    /// A packet of the first `count` lines, unless they are better walked one by one.
    #[inline(always)]
    fn of_neighbours(lines: &[Line; LANES], count: usize, tree: &Tree) -> Option<Self> {
        let z_axis = lines[0].z_axis;
        if count < 3 || tree.nodes.is_empty() || lines.iter().any(|l| l.z_axis != z_axis) {
            return None;
        }
        let packet = Self::round(lines, count, tree);
        packet.is_slim(&tree.bounds).then_some(packet)
    }

    #[inline(always)]
    fn round(lines: &[Line; LANES], count: usize, tree: &Tree) -> Self {
        let z_axis = lines[0].z_axis;
        let middle = 0.5 * (lines[0].origin[z_axis] + lines[count - 1].origin[z_axis]);
        let (mut place, mut slope) = ([Range::EMPTY; 2], [Range::EMPTY; 2]);
        let (mut depth, mut widest) = (Range::EMPTY, 0.0_f32);
        for line in &lines[..count] {
            for (i, axis) in xy_axes(z_axis).into_iter().enumerate() {
                let at_middle = line.origin[axis] + line.shear[i] * (middle - line.origin[z_axis]);
                place[i] = place[i].including(at_middle);
                slope[i] = slope[i].including(line.shear[i]);
            }
            let (start, end) = line.range_mm();
            for t in [start, end] {
                let z = t.clamp(-1e30, 1e30) * line.direction[z_axis];
                depth = depth.including(line.origin[z_axis] + z as f32);
            }
            widest = widest.max(margin(line, tree));
        }
        Self {
            z_axis,
            middle,
            depth: depth.widened(10.0 * widest),
            place: place.map(|range| range.widened(2.0 * widest)),
            slope,
            count,
        }
    }

    /// Whether the packet stays narrow against the scene, so that its lines meet mostly the same
    /// boxes.
    #[inline(always)]
    fn is_slim(&self, bounds: &Aabb) -> bool {
        const SLIM: f32 = 0.05;
        let extent = bounds.extent();
        let largest = extent[0].max(extent[1]).max(extent[2]);
        let depth = (bounds.max[self.z_axis] - self.middle)
            .abs()
            .max((bounds.min[self.z_axis] - self.middle).abs());
        (0..2).all(|i| self.place[i].width() + self.slope[i].width() * depth <= SLIM * largest)
    }

    /// Collects the hits of all lines.
    #[inline(always)]
    fn walk<L: Lanes, F>(&self, tree: &Tree, lines: &[Line; LANES], chunk: &mut Chunk<F>) {
        let bundle = Bundle::<L>::new(lines);
        let Chunk { queue, hits, .. } = chunk;
        queue.visit::<L>(tree, |node| self.meet(|axis| node.boxes.extent::<L>(axis)));
        for &index in &queue.blocks {
            let block = &tree.blocks[index as usize];
            for place in set_bits(self.meet(|axis| block.extent::<L>(axis)) & block.used) {
                bundle.meet(block, block.origin(index, place), self.count, lines, hits);
            }
        }
    }

    /// A bit for each box some line may meet within its range; `extent(axis)` gives the boxes'
    /// least and greatest coordinates.
    #[inline(always)]
    fn meet<L: Lanes>(&self, extent: impl Fn(usize) -> (L, L)) -> u32 {
        let (front, back) = extent(self.z_axis);
        let within = front.at_most(L::all(self.depth.max)) & L::all(self.depth.min).at_most(back);
        let middle = L::all(self.middle);
        let (front, back) = (front - middle, back - middle);
        let mut bits = within;
        for (i, axis) in xy_axes(self.z_axis).into_iter().enumerate() {
            let (least, most) = (L::all(self.slope[i].min), L::all(self.slope[i].max));
            let shifts = [least * front, least * back, most * front, most * back];
            let low = shifts[0].min(shifts[1]).min(shifts[2].min(shifts[3]));
            let high = shifts[0].max(shifts[1]).max(shifts[2].max(shifts[3]));
            let (min, max) = extent(axis);
            bits &= (L::all(self.place[i].min) + low).at_most(max)
                & min.at_most(L::all(self.place[i].max) + high);
        }
        bits
    }
}

/// The eight lines of a packet side by side.
struct Bundle<L> {
    /// x, y and z of the origins.
    origin: [L; 3],
    shear: [L; 2],
    z_axis: usize,
}

impl<L: Lanes> Bundle<L> {
    #[inline(always)]
    fn new(lines: &[Line; LANES]) -> Self {
        let z_axis = lines[0].z_axis;
        let [x_axis, y_axis] = xy_axes(z_axis);
        let gather = |value: fn(&Line, usize) -> f32, index: usize| {
            L::load(&Eight(lines.each_ref().map(|line| value(line, index))))
        };
        let origin = |axis| gather(|line, axis| line.origin[axis], axis);
        let shear = |i| gather(|line, i| line.shear[i], i);
        Self {
            origin: [origin(x_axis), origin(y_axis), origin(z_axis)],
            shear: [shear(0), shear(1)],
            z_axis,
        }
    }

    /// Eight lines against one triangle.
    #[inline(always)]
    fn meet(
        &self,
        block: &Block,
        of: Origin,
        count: usize,
        lines: &[Line; LANES],
        hits: &mut [Hits; LANES],
    ) {
        let [x_axis, y_axis] = xy_axes(self.z_axis);
        let place = of.place as usize % LANES;
        let corner = |axis: usize, k: usize| L::all(block.corners[axis][k].0[place]);
        let mut corners = ([self.shear[0]; 3], [self.shear[0]; 3], [self.shear[0]; 3]);
        let (x, y, z) = (&mut corners.0, &mut corners.1, &mut corners.2);
        for k in 0..3 {
            z[k] = corner(self.z_axis, k) - self.origin[2];
            x[k] = (corner(x_axis, k) - self.origin[0]) - self.shear[0] * z[k];
            y[k] = (corner(y_axis, k) - self.origin[1]) - self.shear[1] * z[k];
        }
        let met = maybe_met(x, y) & ((1 << count) - 1);
        if met == 0 {
            return;
        }
        let corners = Corners::new(x, y, z);
        for lane in set_bits(met) {
            let sheared = corners.at(lane);
            if let Some(meeting) = sheared.meet(&lines[lane]) {
                hits[lane].record(&lines[lane], of, &meeting);
            }
        }
    }
}
