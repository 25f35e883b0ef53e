//! Walking the tree: one ray at a time, or eight neighbouring rays together.
//!
//! Whatever is decided here only rules out triangles that are certainly missed; each one left over
//! is judged in [`super::triangle`]. So results do not depend on the way taken.
//!
//! The same plain code is compiled twice on x86-64: for every processor, and for those with AVX2.

use crate::mesh::Aabb;

use super::Flat;
use super::crossing::{Chunk, Hits, Ranks};
use super::lanes::{LANES, Lanes, set_bits};
use super::ray::{Line, Ray, xy_axes};
use super::tree::{BLOCK, Block, Boxes, Tree};
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
    geometry: &Flat,
    ranks: &Ranks,
    rays: &[Ray<F>],
    chunk: &mut Chunk<F>,
) {
    match width {
        Width::Plain => cast_all_inline(tree, geometry, ranks, rays, chunk),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Width::Avx2` is only made by `Width::detect` where the processor has AVX2.
        Width::Avx2 => unsafe { cast_all_avx2(tree, geometry, ranks, rays, chunk) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn cast_all_avx2<F>(
    tree: &Tree,
    geometry: &Flat,
    ranks: &Ranks,
    rays: &[Ray<F>],
    chunk: &mut Chunk<F>,
) {
    cast_all_inline(tree, geometry, ranks, rays, chunk);
}

/// All passes of a line that keeps no crossing: surface and change of winding.
pub(super) fn passes(width: Width, tree: &Tree, line: &Line) -> Vec<(u16, i32)> {
    match width {
        Width::Plain => passes_inline(tree, line),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Width::Avx2` is only made by `Width::detect` where the processor has AVX2.
        Width::Avx2 => unsafe { passes_avx2(tree, line) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn passes_avx2(tree: &Tree, line: &Line) -> Vec<(u16, i32)> {
    passes_inline(tree, line)
}

#[inline(always)]
fn passes_inline(tree: &Tree, line: &Line) -> Vec<(u16, i32)> {
    let mut hits = Hits::default();
    walk_line(tree, line, &mut Vec::new(), &mut hits);
    hits.take_aside()
}

#[inline(always)]
fn cast_all_inline<F>(
    tree: &Tree,
    geometry: &Flat,
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
            Some(packet) => packet.walk(tree, &lines, chunk),
            None => {
                for (line, hits) in lines.iter().zip(&mut chunk.hits).take(rays.len()) {
                    walk_line(tree, line, &mut chunk.stack, hits);
                }
            }
        }
        for (lane, line) in lines.iter().enumerate().take(rays.len()) {
            chunk.finish_ray(lane, line, geometry, ranks);
        }
    }
}

/// Collects one line's hits.
#[inline(always)]
fn walk_line(tree: &Tree, line: &Line, stack: &mut Vec<u32>, hits: &mut Hits) {
    if tree.nodes.is_empty() {
        return;
    }
    let slabs = Slabs::new(line, tree);
    stack.clear();
    stack.push(0);
    while let Some(index) = stack.pop() {
        let node = &tree.nodes[index as usize];
        for place in set_bits(slabs.meet(&node.boxes)) {
            let link = node.children[place];
            if link & BLOCK == 0 {
                stack.push(link);
            } else {
                meet_block(&tree.blocks[(link & !BLOCK) as usize], line, hits);
            }
        }
    }
}

/// One line against eight triangles.
#[inline(always)]
fn meet_block(block: &Block, line: &Line, hits: &mut Hits) {
    let [x_axis, y_axis] = xy_axes(line.z_axis);
    let [x_shear, y_shear] = line.shear.map(Lanes::all);
    let origin = line.origin.map(Lanes::all);
    let mut corners = ([origin[0]; 3], [origin[0]; 3], [origin[0]; 3]);
    let (x, y, z) = (&mut corners.0, &mut corners.1, &mut corners.2);
    for k in 0..3 {
        z[k] = block.corners[line.z_axis][k] - origin[line.z_axis];
        x[k] = (block.corners[x_axis][k] - origin[x_axis]) - x_shear * z[k];
        y[k] = (block.corners[y_axis][k] - origin[y_axis]) - y_shear * z[k];
    }
    for place in set_bits(maybe_met(x, y) & block.used) {
        let sheared = Sheared {
            x: std::array::from_fn(|k| x[k].0[place]),
            y: std::array::from_fn(|k| y[k].0[place]),
            z: std::array::from_fn(|k| z[k].0[place]),
        };
        if let Some(meeting) = sheared.meet(line) {
            hits.record(
                line,
                block.surfaces[place],
                block.triangles[place],
                &meeting,
            );
        }
    }
}

/// A bit for each lane in which the edge functions do not have opposite signs.
///
/// Single precision is enough for that: rounding keeps the order of two products, so their
/// difference may come out as 0, but never with the wrong sign.
#[inline(always)]
fn maybe_met(x: &[Lanes; 3], y: &[Lanes; 3]) -> u32 {
    let a = x[1] * y[2] - y[1] * x[2];
    let b = x[2] * y[0] - y[2] * x[0];
    let c = x[0] * y[1] - y[0] * x[1];
    let zero = Lanes::all(0.0);
    zero.at_most(a.min(b).min(c)) | a.max(b).max(c).at_most(zero)
}

/// A line prepared for box tests: t of the planes of each axis.
struct Slabs {
    per_mm: [Lanes; 3],
    /// Subtracted from t of the nearer and the farther plane.
    near: [Lanes; 3],
    far: [Lanes; 3],
    backward: [bool; 3],
    start: Lanes,
    end: Lanes,
}

impl Slabs {
    #[inline(always)]
    fn new(line: &Line, tree: &Tree) -> Self {
        let margin = margin(line, tree);
        let (start, end) = line.range_mm();
        let mut slabs = Self {
            per_mm: [Lanes::all(0.0); 3],
            near: [Lanes::all(0.0); 3],
            far: [Lanes::all(0.0); 3],
            backward: [false; 3],
            start: Lanes::all((start as f32).max(-1e30) - 10.0 * margin),
            end: Lanes::all((end as f32).min(1e30) + 10.0 * margin),
        };
        for axis in 0..3 {
            let d = line.direction[axis];
            let per_mm = (1.0 / d.abs().max(LEAST_SLOPE).copysign(d)) as f32;
            let (at_origin, widening) = (line.origin[axis] * per_mm, margin * per_mm.abs());
            slabs.per_mm[axis] = Lanes::all(per_mm);
            slabs.near[axis] = Lanes::all(at_origin + widening);
            slabs.far[axis] = Lanes::all(at_origin - widening);
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
                (boxes.max[axis], boxes.min[axis])
            } else {
                (boxes.min[axis], boxes.max[axis])
            };
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
    fn walk<F>(&self, tree: &Tree, lines: &[Line; LANES], chunk: &mut Chunk<F>) {
        let bundle = Bundle::new(lines);
        chunk.stack.clear();
        chunk.stack.push(0);
        while let Some(index) = chunk.stack.pop() {
            let node = &tree.nodes[index as usize];
            for place in set_bits(self.meet(&node.boxes)) {
                let link = node.children[place];
                if link & BLOCK == 0 {
                    chunk.stack.push(link);
                    continue;
                }
                let block = &tree.blocks[(link & !BLOCK) as usize];
                for place in set_bits(self.meet(&block.boxes()) & block.used) {
                    bundle.meet(block, place, self.count, lines, &mut chunk.hits);
                }
            }
        }
    }

    /// A bit for each box some line may meet within its range.
    #[inline(always)]
    fn meet(&self, boxes: &Boxes) -> u32 {
        let z = self.z_axis;
        let within = boxes.min[z].at_most(Lanes::all(self.depth.max))
            & Lanes::all(self.depth.min).at_most(boxes.max[z]);
        let middle = Lanes::all(self.middle);
        let (front, back) = (boxes.min[z] - middle, boxes.max[z] - middle);
        let mut bits = within;
        for (i, axis) in xy_axes(z).into_iter().enumerate() {
            let (least, most) = (Lanes::all(self.slope[i].min), Lanes::all(self.slope[i].max));
            let shifts = [least * front, least * back, most * front, most * back];
            let low = shifts[0].min(shifts[1]).min(shifts[2].min(shifts[3]));
            let high = shifts[0].max(shifts[1]).max(shifts[2].max(shifts[3]));
            bits &= (Lanes::all(self.place[i].min) + low).at_most(boxes.max[axis])
                & boxes.min[axis].at_most(Lanes::all(self.place[i].max) + high);
        }
        bits
    }
}

/// The eight lines of a packet side by side.
struct Bundle {
    /// x, y and z of the origins.
    origin: [Lanes; 3],
    shear: [Lanes; 2],
    z_axis: usize,
}

impl Bundle {
    #[inline(always)]
    fn new(lines: &[Line; LANES]) -> Self {
        let z_axis = lines[0].z_axis;
        let [x_axis, y_axis] = xy_axes(z_axis);
        let gather = |value: &dyn Fn(&Line) -> f32| {
            let mut lanes = Lanes::all(0.0);
            for (lane, line) in lanes.0.iter_mut().zip(lines) {
                *lane = value(line);
            }
            lanes
        };
        Self {
            origin: [x_axis, y_axis, z_axis].map(|axis| gather(&|line| line.origin[axis])),
            shear: [0, 1].map(|i| gather(&|line| line.shear[i])),
            z_axis,
        }
    }

    /// Eight lines against one triangle.
    #[inline(always)]
    fn meet(
        &self,
        block: &Block,
        place: usize,
        count: usize,
        lines: &[Line; LANES],
        hits: &mut [Hits; LANES],
    ) {
        let [x_axis, y_axis] = xy_axes(self.z_axis);
        let corner = |axis: usize, k: usize| Lanes::all(block.corners[axis][k].0[place]);
        let mut corners = ([self.shear[0]; 3], [self.shear[0]; 3], [self.shear[0]; 3]);
        let (x, y, z) = (&mut corners.0, &mut corners.1, &mut corners.2);
        for k in 0..3 {
            z[k] = corner(self.z_axis, k) - self.origin[2];
            x[k] = (corner(x_axis, k) - self.origin[0]) - self.shear[0] * z[k];
            y[k] = (corner(y_axis, k) - self.origin[1]) - self.shear[1] * z[k];
        }
        for lane in set_bits(maybe_met(x, y) & ((1 << count) - 1)) {
            let sheared = Sheared {
                x: std::array::from_fn(|k| x[k].0[lane]),
                y: std::array::from_fn(|k| y[k].0[lane]),
                z: std::array::from_fn(|k| z[k].0[lane]),
            };
            if let Some(meeting) = sheared.meet(&lines[lane]) {
                let (surface, triangle) = (block.surfaces[place], block.triangles[place]);
                hits[lane].record(&lines[lane], surface, triangle, &meeting);
            }
        }
    }
}
