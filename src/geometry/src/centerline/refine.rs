//! From voxel accuracy to the middle of the lumen.
//!
//! Each place asks for the cross-section of the lumen across its line and is drawn to that
//! section's centroid; a smoothing spline keeps the line calm and carries it over places where the
//! section says little (inside a junction, in a parent's lumen). The weight of a section falls with
//! how far it is from a circle.

use super::branches::{Line, Skeleton};
use super::curves::set_node_radii;
use super::graph::{CenterlineGraph, Node, Segment};
use super::wall::Wall;
use super::{Vec3, graph, unit};
use crate::frame::Point;

/// Distance between places, in local radii.
const SPACING_RADII: f64 = 0.4;
/// How often sections, line and nodes are brought into agreement.
const ROUNDS: usize = 6;
/// Stiffness of the smoothing spline: bends shorter than about λ^¼ places are evened out.
const STIFFNESS: f64 = 2.0;
/// A cross-section is felt out to so many local radii.
const REACH_RADII: f64 = 3.0;
/// Sections that weigh less say nothing about the radius.
const LEAST_WEIGHT: f64 = 0.15;

/// A stretch under refinement; all lists equally long, at least 2.
struct Path {
    start: usize,
    end: usize,
    points: Vec<Vec3>,
    /// Rough radius at each place, for choosing scales, mm.
    guide_mm: Vec<f64>,
    /// Area-equivalent radius of the last section at each place, mm.
    radii_mm: Vec<f64>,
    /// How much that section may be trusted, 0 to 1.
    weights: Vec<f64>,
}

/// The graph with every place in the middle of its cross-section and every end at the wall.
pub(super) fn refine<F>(
    wall: &Wall<'_, F>,
    skeleton: &Skeleton,
    step_mm: f64,
) -> CenterlineGraph<F> {
    let mut work = Refinement::new(wall, skeleton, step_mm);
    for _ in 0..ROUNDS {
        work.paths.iter_mut().for_each(|path| path.measure(wall));
        work.paths
            .iter_mut()
            .for_each(|path| path.settle(&work.nodes, &work.degrees));
        work.move_nodes();
    }
    work.follow_ends();
    work.finish()
}

struct Refinement<'a, F> {
    wall: &'a Wall<'a, F>,
    nodes: Vec<Vec3>,
    degrees: Vec<usize>,
    paths: Vec<Path>,
}

impl<'a, F> Refinement<'a, F> {
    fn new(wall: &'a Wall<'a, F>, skeleton: &Skeleton, step_mm: f64) -> Self {
        let mut degrees = vec![0; skeleton.nodes.len()];
        for line in &skeleton.lines {
            degrees[line.start] += 1;
            degrees[line.end] += 1;
        }
        let mut work = Self {
            wall,
            nodes: skeleton.nodes.clone(),
            paths: Vec::new(),
            degrees,
        };
        for line in &skeleton.lines {
            work.add_line(line, step_mm);
        }
        for node in 0..skeleton.nodes.len() {
            if work.degrees[node] == 0 {
                work.add_blob(node);
            }
        }
        work
    }

    fn add_line(&mut self, line: &Line, step_mm: f64) {
        let ends = [self.degrees[line.start] == 1, self.degrees[line.end] == 1];
        let line = trimmed(line, ends);
        let radius = line.radii_mm.iter().copied().fold(0.0, f64::max);
        if ends == [true, true] && length(&line.points) < 0.5 * radius {
            return self.add_stub(&line, radius);
        }
        self.paths.push(Path::from_line(&line, step_mm));
    }

    /// A part that is no longer than wide: a short piece along its greatest extent.
    fn add_stub(&mut self, line: &Line, radius_mm: f64) {
        let deepest = (0..line.points.len())
            .max_by(|&a, &b| line.radii_mm[a].total_cmp(&line.radii_mm[b]))
            .map_or(line.points[0], |i| line.points[i]);
        self.lay_stub(deepest, radius_mm, line.start, line.end);
    }

    fn add_blob(&mut self, node: usize) {
        let place = self.nodes[node];
        let other = self.nodes.len();
        self.nodes.push(place);
        self.degrees.push(1);
        self.degrees[node] = 1;
        self.lay_stub(place, self.wall.distance(place), node, other);
    }

    fn lay_stub(&mut self, middle: Vec3, radius_mm: f64, start: usize, end: usize) {
        let half = self.wall.longest_axis(middle) * (0.2 * radius_mm);
        let points = vec![middle - half, middle, middle + half];
        self.paths
            .push(Path::at(start, end, points, vec![radius_mm; 3]));
    }

    /// Moves each junction to where its branches point.
    fn move_nodes(&mut self) {
        for node in 0..self.nodes.len() {
            let from = self.nodes[node];
            if self.degrees[node] < 2 {
                continue;
            }
            let to = self.place_for(node);
            let room = self.wall.distance(from);
            let step = to - from;
            let length = step.norm();
            if length > 0.0 {
                // Half the inscribed ball per round keeps the node inside.
                self.nodes[node] = from + step * (0.5 * room / length).min(1.0);
            }
        }
    }

    fn place_for(&self, node: usize) -> Vec3 {
        let from = self.nodes[node];
        match self
            .paths
            .iter()
            .find(|path| path.start == node && path.end == node)
        {
            Some(ring) if self.degrees[node] == 2 => ring.seam(self.wall),
            _ => meeting_place(&self.rays_into(node), from),
        }
    }

    /// For each branch at a node the nearest trusted place, its direction and its radius.
    fn rays_into(&self, node: usize) -> Vec<(Vec3, Vec3, f64)> {
        let mut rays = Vec::new();
        for path in &self.paths {
            let last = path.points.len() - 1;
            let forward: Vec<usize> = (0..=last).collect();
            let backward: Vec<usize> = (0..=last).rev().collect();
            for (at, order) in [(path.start, forward), (path.end, backward)] {
                if at == node {
                    rays.extend(path.ray(&order));
                }
            }
        }
        rays
    }

    fn follow_ends(&mut self) {
        for path in &mut self.paths {
            if self.degrees[path.end] == 1 {
                path.follow_to_wall(self.wall);
                self.nodes[path.end] = path.points[path.points.len() - 1];
            }
            if self.degrees[path.start] == 1 {
                path.reverse();
                path.follow_to_wall(self.wall);
                path.reverse();
                self.nodes[path.start] = path.points[0];
            }
        }
    }

    fn finish(mut self) -> CenterlineGraph<F> {
        let mut segments = Vec::with_capacity(self.paths.len());
        for path in std::mem::take(&mut self.paths) {
            segments.push(self.segment(path));
        }
        let nodes = self.nodes.iter().map(|&place| Node {
            point: Point::from_coords(place),
            radius_mm: 0.0,
        });
        let mut graph = CenterlineGraph {
            nodes: nodes.collect(),
            segments,
        };
        set_node_radii(&mut graph);
        graph
    }

    fn segment(&self, mut path: Path) -> Segment<F> {
        let last = path.points.len() - 1;
        path.points[0] = self.nodes[path.start];
        path.points[last] = self.nodes[path.end];
        let radii_mm = path.known_radii(self.wall);
        let mut inscribed_mm: Vec<f64> = path
            .points
            .iter()
            .zip(&radii_mm)
            .map(|(&p, &radius)| self.wall.distance(p).min(radius))
            .collect();
        let free = [self.degrees[path.start] == 1, self.degrees[path.end] == 1];
        ignore_caps(&path.points, &radii_mm, &mut inscribed_mm, free);
        Segment {
            start: path.start,
            end: path.end,
            points: path.points.into_iter().map(Point::from_coords).collect(),
            radii_mm,
            inscribed_mm,
        }
    }
}

impl Path {
    fn at(start: usize, end: usize, points: Vec<Vec3>, guide_mm: Vec<f64>) -> Self {
        Self {
            start,
            end,
            radii_mm: guide_mm.clone(),
            weights: vec![0.0; points.len()],
            points,
            guide_mm,
        }
    }

    fn from_line(line: &Line, step_mm: f64) -> Self {
        let points = calmed(&line.points, 4);
        let (points, guide_mm) = spaced(&points, &line.radii_mm, step_mm);
        Self::at(line.start, line.end, points, guide_mm)
    }

    fn tangent(&self, index: usize) -> Vec3 {
        const SPAN: usize = 2;
        let last = self.points.len() - 1;
        let (low, high) = (index.saturating_sub(SPAN), (index + SPAN).min(last));
        unit(self.points[high] - self.points[low])
    }

    fn measure<F>(&mut self, wall: &Wall<'_, F>) {
        for index in 0..self.points.len() {
            let place = self.points[index];
            let reach = REACH_RADII * self.guide_mm[index].max(wall.distance(place));
            let section = wall.section(place, self.tangent(index), reach);
            self.weights[index] = wall.trust(place, &section);
            self.radii_mm[index] = section.radius_mm;
            if self.weights[index] > 0.0 {
                self.points[index] = section.center;
            }
        }
    }

    /// Lays a smooth line through the measured centres; where it meets others, to the node.
    fn settle(&mut self, nodes: &[Vec3], degrees: &[usize]) {
        const PINNED: f64 = 1e6;
        let last = self.points.len() - 1;
        let mut weights = self.weights.clone();
        for (node, index) in [(self.start, 0), (self.end, last)] {
            if degrees[node] > 1 {
                self.points[index] = nodes[node];
                weights[index] = PINNED;
            }
        }
        self.points = smoothed(&self.points, &weights);
    }

    /// For a ring, the middle of the section where it closes.
    fn seam<F>(&self, wall: &Wall<'_, F>) -> Vec3 {
        let place = self.points[0];
        let before = self.points[self.points.len() - 2];
        let tangent = unit(self.points[1] - before);
        let section = wall.section(place, tangent, REACH_RADII * self.guide_mm[0]);
        if wall.trust(place, &section) > LEAST_WEIGHT {
            section.center
        } else {
            (self.points[1] + before) * 0.5
        }
    }

    /// The first trusted place along `order`, the direction of the line there, and its radius.
    fn ray(&self, order: &[usize]) -> Option<(Vec3, Vec3, f64)> {
        let trusted = |i: &&usize| self.weights[**i] > LEAST_WEIGHT;
        let first = order.iter().skip(1).find(trusted)?;
        Some((
            self.points[*first],
            self.tangent(*first),
            self.radii_mm[*first],
        ))
    }

    /// Walks on from the last place, section by section, to the wall that closes the vessel.
    fn follow_to_wall<F>(&mut self, wall: &Wall<'_, F>) {
        const STEP_RADII: f64 = 0.35;
        const MOST_STEPS: usize = 20;
        const CAP_WITHIN_RADII: f64 = 2.5;
        let last = self.points.len() - 1;
        let mut radius = self.end_radius();
        let mut tangent = self.tangent(last);
        for _ in 0..MOST_STEPS {
            let place = self.points[self.points.len() - 1];
            let step = STEP_RADII * radius;
            let room = wall.first_hit(place, tangent, CAP_WITHIN_RADII * radius);
            let next = place + tangent * step;
            let section = wall.section(next, tangent, REACH_RADII * radius);
            let alike = section.radius_mm / radius;
            let goes_on = room.is_none_or(|room| room > 1.5 * step)
                && wall.trust(next, &section) > 0.0
                && (0.8..1.25).contains(&alike);
            if !goes_on {
                // Without a cap near by, the end is where the vessel stops being one.
                let at_cap = room.map(|room| place + tangent * room);
                at_cap
                    .into_iter()
                    .for_each(|cap| self.push(cap, radius, 0.0));
                return;
            }
            tangent = unit(tangent + unit(section.center - place) * 0.5);
            radius += 0.3 * (section.radius_mm - radius);
            self.push(section.center, section.radius_mm, 1.0);
        }
    }

    fn push(&mut self, place: Vec3, radius_mm: f64, weight: f64) {
        self.points.push(place);
        self.guide_mm.push(radius_mm);
        self.radii_mm.push(radius_mm);
        self.weights.push(weight);
    }

    fn end_radius(&self) -> f64 {
        let trusted = (0..self.points.len())
            .rev()
            .find(|&i| self.weights[i] > LEAST_WEIGHT);
        trusted.map_or(self.guide_mm[self.points.len() - 1], |i| self.radii_mm[i])
    }

    fn reverse(&mut self) {
        std::mem::swap(&mut self.start, &mut self.end);
        self.points.reverse();
        self.guide_mm.reverse();
        self.radii_mm.reverse();
        self.weights.reverse();
    }

    /// Radii where sections say them, straight between, level beyond; inscribed balls where no
    /// section says anything.
    fn known_radii<F>(&self, wall: &Wall<'_, F>) -> Vec<f64> {
        let known: Vec<usize> = (0..self.points.len())
            .filter(|&i| self.weights[i] > LEAST_WEIGHT)
            .collect();
        let (Some(&first), Some(&last)) = (known.first(), known.last()) else {
            let radii = self.points.iter().zip(&self.guide_mm);
            return radii
                .map(|(&p, &guide)| wall.distance(p).max(0.1 * guide))
                .collect();
        };
        let mut radii: Vec<f64> = (0..self.points.len())
            .map(|i| self.radii_mm[i.clamp(first, last)])
            .collect();
        for pair in known.windows(2) {
            let (a, b) = (self.radii_mm[pair[0]], self.radii_mm[pair[1]]);
            let pieces = (pair[1] - pair[0]) as f64;
            for (step, radius) in radii[pair[0]..pair[1]].iter_mut().enumerate() {
                *radius = a + (b - a) * step as f64 / pieces;
            }
        }
        for _ in 0..2 {
            radii = blurred(&radii);
        }
        radii
    }
}

/// Cuts from a free end what lies in the tip's own neighbourhood: there thinned voxels run into
/// corners. The end is followed to the wall later, section by section.
fn trimmed(line: &Line, ends: [bool; 2]) -> Line {
    const NEAR_RADII: f64 = 1.2;
    let last = line.points.len() - 1;
    let beyond = |tip: usize, i: &usize| {
        (line.points[*i] - line.points[tip]).norm() > NEAR_RADII * line.radii_mm[*i]
    };
    let middle = last / 2;
    let third = last / 3;
    let both = ends == [true, true];
    let first_kept = if ends[0] {
        let most = if both { middle } else { last - third };
        (0..=last).find(|i| beyond(0, i)).unwrap_or(last).min(most)
    } else {
        0
    };
    let last_kept = if ends[1] {
        let least = if both { middle } else { third };
        (0..=last)
            .rev()
            .find(|i| beyond(last, i))
            .unwrap_or(0)
            .max(least)
    } else {
        last
    };
    let (first_kept, last_kept) = at_least_two(first_kept, last_kept, last);
    Line {
        start: line.start,
        end: line.end,
        points: line.points[first_kept..=last_kept].to_vec(),
        radii_mm: line.radii_mm[first_kept..=last_kept].to_vec(),
    }
}

fn at_least_two(first: usize, last_kept: usize, last: usize) -> (usize, usize) {
    if first < last_kept {
        (first, last_kept)
    } else if last_kept < last {
        (last_kept, last_kept + 1)
    } else {
        (last - 1, last)
    }
}

/// Takes the voxels' corners off; both ends stay.
fn calmed(points: &[Vec3], times: usize) -> Vec<Vec3> {
    let mut points = points.to_vec();
    for _ in 0..times {
        let before = points.clone();
        for (i, w) in before.windows(3).enumerate() {
            points[i + 1] = (w[0] + w[1] * 2.0 + w[2]) * 0.25;
        }
    }
    points
}

fn blurred(values: &[f64]) -> Vec<f64> {
    let at = |i: usize| values[i.min(values.len() - 1)];
    (0..values.len())
        .map(|i| 0.25 * (at(i.saturating_sub(1)) + 2.0 * at(i) + at(i + 1)))
        .collect()
}

/// Places along a chain at distances that follow the radius, at least 4 of them.
fn spaced(points: &[Vec3], radii_mm: &[f64], step_mm: f64) -> (Vec<Vec3>, Vec<f64>) {
    const LEAST: f64 = 3.0;
    let mut count_along = vec![0.0];
    for i in 1..points.len() {
        let spacing = SPACING_RADII * 0.5 * (radii_mm[i] + radii_mm[i - 1]);
        let length = (points[i] - points[i - 1]).norm();
        count_along.push(count_along[i - 1] + length / spacing.max(0.5 * step_mm));
    }
    let total = count_along[points.len() - 1];
    let pieces = total.ceil().max(LEAST);
    (0..=pieces as usize)
        .map(|piece| {
            let (i, part) = graph::place_along(&count_along, total * piece as f64 / pieces);
            let place = points[i] + (points[i + 1] - points[i]) * part;
            (place, graph::between(radii_mm, i, part))
        })
        .unzip()
}

/// The chain p that minimises Σ wᵢ|pᵢ − targetᵢ|² + λ Σ |pᵢ₋₁ − 2pᵢ + pᵢ₊₁|² (a discrete smoothing
/// spline; Whittaker 1923), by a banded LDLᵀ.
fn smoothed(targets: &[Vec3], weights: &[f64]) -> Vec<Vec3> {
    // A trace of weight everywhere keeps the system solvable where nothing else holds.
    const TRACE: f64 = 1e-4;
    let n = targets.len();
    let mut bands = vec![[0.0; 3]; n];
    for (band, weight) in bands.iter_mut().zip(weights) {
        band[0] = weight + TRACE;
    }
    for i in 1..n.saturating_sub(1) {
        let second = [(i - 1, 1.0), (i, -2.0), (i + 1, 1.0)];
        for (row, a) in second {
            for (column, b) in second.iter().filter(|(column, _)| *column <= row) {
                bands[row][row - column] += STIFFNESS * a * b;
            }
        }
    }
    let right = targets
        .iter()
        .zip(weights)
        .map(|(t, w)| t * (w + TRACE))
        .collect();
    solve_banded(bands, right)
}

/// Solves a symmetric positive system of half-bandwidth 2; `bands[i][d]` is entry (i, i − d).
fn solve_banded(mut bands: Vec<[f64; 3]>, mut right: Vec<Vec3>) -> Vec<Vec3> {
    let n = bands.len();
    for i in 0..n {
        let two = if i >= 2 {
            bands[i][2] / bands[i - 2][0]
        } else {
            0.0
        };
        let carried = if i >= 2 {
            bands[i][2] * bands[i - 1][1]
        } else {
            0.0
        };
        let one = if i >= 1 {
            (bands[i][1] - carried) / bands[i - 1][0]
        } else {
            0.0
        };
        if i >= 1 {
            bands[i][0] -= one * one * bands[i - 1][0];
            let before = right[i - 1];
            right[i] -= before * one;
        }
        if i >= 2 {
            bands[i][0] -= two * two * bands[i - 2][0];
            let before = right[i - 2];
            right[i] -= before * two;
        }
        bands[i][1] = one;
        bands[i][2] = two;
    }
    for i in (0..n).rev() {
        right[i] /= bands[i][0];
        if i + 1 < n {
            let after = right[i + 1];
            right[i] -= after * bands[i + 1][1];
        }
        if i + 2 < n {
            let after = right[i + 2];
            right[i] -= after * bands[i + 2][2];
        }
    }
    right
}

/// The place nearest to all rays, each weighted by its radius squared, held a little where it was.
fn meeting_place(rays: &[(Vec3, Vec3, f64)], from: Vec3) -> Vec3 {
    const HOLD: f64 = 0.1;
    let total: f64 = rays.iter().map(|(_, _, radius)| radius * radius).sum();
    let hold = (HOLD * total).max(f64::MIN_POSITIVE);
    let mut matrix = nalgebra::Matrix3::identity() * hold;
    let mut right = Vec3::zeros();
    for (place, direction, radius) in rays {
        let across =
            (nalgebra::Matrix3::identity() - direction * direction.transpose()) * (radius * radius);
        matrix += across;
        right += across * (place - from);
    }
    matrix
        .try_inverse()
        .map_or(from, |inverse| from + inverse * right)
}

/// Near a free end the cap is closer than the side wall; it closes the surface, not the vessel.
fn ignore_caps(points: &[Vec3], radii_mm: &[f64], inscribed_mm: &mut [f64], free: [bool; 2]) {
    let last = points.len() - 1;
    let level = |order: Vec<usize>, inscribed_mm: &mut [f64]| {
        let tip = points[order[0]];
        let clear = |i: &&usize| (points[**i] - tip).norm() >= radii_mm[**i];
        let deepest = inscribed_mm
            .iter()
            .copied()
            .fold(f64::MIN_POSITIVE, f64::max);
        let from = order.iter().find(clear).copied();
        let value = from.map_or(deepest, |i| inscribed_mm[i]);
        for i in order.into_iter().take_while(|&i| Some(i) != from) {
            inscribed_mm[i] = value.min(radii_mm[i]);
        }
    };
    if free[0] {
        level((0..=last).collect(), inscribed_mm);
    }
    if free[1] {
        level((0..=last).rev().collect(), inscribed_mm);
    }
}

fn length(points: &[Vec3]) -> f64 {
    points.windows(2).map(|p| (p[1] - p[0]).norm()).sum()
}
