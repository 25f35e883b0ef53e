//! A graph from curves that somebody drew, such as 3D Slicer markups with a radius at each point.

use std::f64::consts::PI;

use super::graph::{between, place_along, project};
use super::{CenterlineError, CenterlineGraph, Node, Segment};
use crate::frame::Point;

/// A vessel's centreline as given: places and radii, equally many.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve<F> {
    /// Control points in order, mm.
    pub points: Vec<Point<F>>,
    /// The vessel's radius at each, mm.
    pub radii_mm: Vec<f64>,
}

/// Ends nearer to each other than this part of the smaller radius are one node.
const SAME_END_RADII: f64 = 0.5;
/// A joint nearer to a curve's end than this part of the radius is at the end.
const AT_END_RADII: f64 = 0.5;
/// Joints on one curve nearer to each other than this part of the radius are one node.
const SAME_JOINT_RADII: f64 = 0.1;

/// Joins curves to a graph: where an end of one lies within the radius of another, they meet there,
/// in the other's middle. The other curve is split if that is between its ends. Loops stay loops; a
/// curve whose two ends coincide is a loop of its own. An end that merely lies beside the start of
/// its own curve's parent (the detour would be shorter than once round the parent) stays an end.
///
/// Curves are expected to run apart: two that follow the same vessel for a stretch give two
/// segments there.
///
/// # Errors
/// [`CenterlineError::Curve`] for fewer than two points, unequal list lengths, coordinates that are
/// not finite and radii that are not positive and finite.
pub fn from_curves<F>(curves: &[Curve<F>]) -> Result<CenterlineGraph<F>, CenterlineError> {
    join_curves(curves).map(|(graph, _)| graph)
}

/// As [`from_curves`], and for each segment of the graph the number of the curve it is part of.
///
/// # Errors
/// As [`from_curves`].
pub fn join_curves<F>(
    curves: &[Curve<F>],
) -> Result<(CenterlineGraph<F>, Vec<usize>), CenterlineError> {
    for (number, curve) in curves.iter().enumerate() {
        check(number, curve)?;
    }
    let lines: Vec<Line<'_, F>> = curves.iter().map(Line::new).collect();
    let mut joints = Joints::new(&lines);
    joints.join_ends();
    joints.join_ends_to_curves();
    Ok(joints.graph())
}

fn check<F>(number: usize, curve: &Curve<F>) -> Result<(), CenterlineError> {
    let fault = |point, what| {
        Err(CenterlineError::Curve {
            curve: number,
            point,
            what,
        })
    };
    if curve.points.len() < 2 {
        return fault(0, "a curve needs at least two points");
    }
    if curve.points.len() != curve.radii_mm.len() {
        let shorter = curve.points.len().min(curve.radii_mm.len());
        return fault(shorter, "there must be as many radii as points");
    }
    for (point, (place, radius)) in curve.points.iter().zip(&curve.radii_mm).enumerate() {
        if place.to_array().iter().any(|c| !c.is_finite()) {
            return fault(point, "a coordinate is not a finite number");
        }
        if !(radius.is_finite() && *radius > 0.0) {
            return fault(point, "the radius is not a positive finite number");
        }
    }
    Ok(())
}

struct Line<'a, F> {
    curve: &'a Curve<F>,
    along_mm: Vec<f64>,
}

/// A place on a line.
#[derive(Clone, Copy)]
struct Place {
    along_mm: f64,
    distance_mm: f64,
    radius_mm: f64,
}

impl<'a, F> Line<'a, F> {
    fn new(curve: &'a Curve<F>) -> Self {
        let mut along_mm = vec![0.0];
        for pair in curve.points.windows(2) {
            along_mm.push(along_mm[along_mm.len() - 1] + pair[0].distance(&pair[1]));
        }
        Self { curve, along_mm }
    }

    fn length_mm(&self) -> f64 {
        self.along_mm[self.along_mm.len() - 1]
    }

    fn end_point(&self, side: usize) -> Point<F> {
        self.curve.points[if side == 0 {
            0
        } else {
            self.curve.points.len() - 1
        }]
    }

    fn end_radius(&self, side: usize) -> f64 {
        self.curve.radii_mm[if side == 0 {
            0
        } else {
            self.curve.radii_mm.len() - 1
        }]
    }

    fn point_at(&self, along_mm: f64) -> Point<F> {
        let (i, part) = place_along(&self.along_mm, along_mm);
        let (a, b) = (self.curve.points[i], self.curve.points[i + 1]);
        if part >= 1.0 { b } else { a + (b - a) * part }
    }

    fn radius_at(&self, along_mm: f64) -> f64 {
        let (i, part) = place_along(&self.along_mm, along_mm);
        between(&self.curve.radii_mm, i, part)
    }

    /// Where on this line `query` lies deepest: smallest distance per radius.
    fn deepest(&self, query: Point<F>) -> Place {
        let places = self.curve.points.windows(2).enumerate().map(|(i, pair)| {
            let part = project(query, pair[0], pair[1]);
            let along_mm = self.along_mm[i] + part * (self.along_mm[i + 1] - self.along_mm[i]);
            let point = pair[0] + (pair[1] - pair[0]) * part;
            Place {
                along_mm,
                distance_mm: point.distance(&query),
                radius_mm: between(&self.curve.radii_mm, i, part),
            }
        });
        places
            .min_by(|a, b| a.ratio().total_cmp(&b.ratio()))
            .expect("a checked curve has at least two points")
    }

    /// The end that a place belongs to, if it is near one.
    fn end_near(&self, place: &Place) -> Option<usize> {
        let near = AT_END_RADII * place.radius_mm;
        let (to_start, to_end) = (place.along_mm, self.length_mm() - place.along_mm);
        if to_start.min(to_end) > near {
            return None;
        }
        Some(usize::from(to_end < to_start))
    }
}

impl Place {
    fn ratio(&self) -> f64 {
        self.distance_mm / self.radius_mm
    }
}

/// Which line ends are one node, and which nodes lie on other lines.
struct Joints<'a, F> {
    lines: &'a [Line<'a, F>],
    /// Union of ends; end `side` of line `l` is number 2·l + side.
    parent: Vec<usize>,
    /// Joints between ends: line, length along it, an end that is joined there.
    splits: Vec<(usize, f64, usize)>,
}

impl<'a, F> Joints<'a, F> {
    fn new(lines: &'a [Line<'a, F>]) -> Self {
        Self {
            lines,
            parent: (0..2 * lines.len()).collect(),
            splits: Vec::new(),
        }
    }

    fn root(&self, mut end: usize) -> usize {
        while self.parent[end] != end {
            end = self.parent[end];
        }
        end
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }

    fn point(&self, end: usize) -> Point<F> {
        self.lines[end / 2].end_point(end % 2)
    }

    fn radius(&self, end: usize) -> f64 {
        self.lines[end / 2].end_radius(end % 2)
    }

    fn join_ends(&mut self) {
        for a in 0..self.parent.len() {
            for b in a + 1..self.parent.len() {
                let near = SAME_END_RADII * self.radius(a).min(self.radius(b));
                let distance = self.point(a).distance(&self.point(b));
                let around = 2.0 * PI * self.radius(a);
                let short = a / 2 == b / 2 && self.lines[a / 2].length_mm() < around;
                if distance <= near && !short {
                    self.unite(a, b);
                }
            }
        }
    }

    fn join_ends_to_curves(&mut self) {
        let roots: Vec<usize> = (0..self.parent.len())
            .filter(|&e| self.root(e) == e)
            .collect();
        for root in roots {
            let members: Vec<usize> = (0..self.parent.len())
                .filter(|&e| self.root(e) == self.root(root))
                .collect();
            if let Some((end, line, place)) = self.best_joint(&members) {
                match self.lines[line].end_near(&place) {
                    Some(side) => self.unite(end, 2 * line + side),
                    None => self.splits.push((line, place.along_mm, end)),
                }
            }
        }
    }

    /// The curve in which a node's ends lie deepest, other than the node's own curves.
    fn best_joint(&self, members: &[usize]) -> Option<(usize, usize, Place)> {
        let mut best: Option<(usize, usize, Place)> = None;
        for &end in members {
            for line in (0..self.lines.len()).filter(|l| members.iter().all(|e| e / 2 != *l)) {
                let place = self.lines[line].deepest(self.point(end));
                let better = best
                    .as_ref()
                    .is_none_or(|(_, _, b)| place.ratio() < b.ratio());
                if place.ratio() <= 1.0 && better && !self.is_beside_its_root(end, line, &place) {
                    best = Some((end, line, place));
                }
            }
        }
        best
    }

    /// Whether the curve's other end joins the same line, deeper, and the way round through both is
    /// shorter than once round that line's lumen.
    fn is_beside_its_root(&self, end: usize, line: usize, place: &Place) -> bool {
        let other = self.lines[line].deepest(self.point(end ^ 1));
        let round = self.lines[end / 2].length_mm() + (place.along_mm - other.along_mm).abs();
        let order = other
            .ratio()
            .total_cmp(&place.ratio())
            .then((end ^ 1).cmp(&end));
        order.is_lt() && round < 2.0 * PI * place.radius_mm
    }

    /// The graph, and the line of each segment.
    fn graph(mut self) -> (CenterlineGraph<F>, Vec<usize>) {
        self.splits
            .sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        self.unite_near_splits();
        let (points, node_of_end) = self.nodes();
        let mut segments = Vec::new();
        let mut line_of_segment = Vec::new();
        for line in 0..self.lines.len() {
            self.add_segments(line, &points, &node_of_end, &mut segments);
            line_of_segment.resize(segments.len(), line);
        }
        let mut graph = CenterlineGraph {
            nodes: points
                .into_iter()
                .map(|point| Node {
                    point,
                    radius_mm: 0.0,
                })
                .collect(),
            segments,
        };
        set_node_radii(&mut graph);
        (graph, line_of_segment)
    }

    fn unite_near_splits(&mut self) {
        for i in 1..self.splits.len() {
            let (a, b) = (self.splits[i - 1], self.splits[i]);
            let near = SAME_JOINT_RADII * self.lines[a.0].radius_at(a.1);
            if a.0 == b.0 && b.1 - a.1 <= near {
                self.unite(a.2, b.2);
                self.splits[i].1 = a.1;
            }
        }
        self.splits.dedup_by(|b, a| (a.0, a.1) == (b.0, b.1));
    }

    /// Places of the nodes, and the node of each end. A node lies on the curve it joins, otherwise
    /// at its widest end.
    fn nodes(&self) -> (Vec<Point<F>>, Vec<usize>) {
        let mut points = Vec::new();
        let mut node_of_end = vec![0; self.parent.len()];
        for end in 0..self.parent.len() {
            if self.root(end) == end {
                node_of_end[end] = points.len();
                points.push(self.node_point(end));
            } else {
                // A root is the smallest of its ends, so it has its number already.
                node_of_end[end] = node_of_end[self.root(end)];
            }
        }
        (points, node_of_end)
    }

    fn node_point(&self, root: usize) -> Point<F> {
        let split = self
            .splits
            .iter()
            .find(|(_, _, end)| self.root(*end) == root);
        if let Some(&(line, along_mm, _)) = split {
            return self.lines[line].point_at(along_mm);
        }
        let members = (0..self.parent.len()).filter(|&e| self.root(e) == root);
        let wider =
            |a: &usize, b: &usize| self.radius(*a).total_cmp(&self.radius(*b)).then(b.cmp(a));
        self.point(members.max_by(wider).unwrap_or(root))
    }

    fn add_segments(
        &self,
        number: usize,
        nodes: &[Point<F>],
        node_of_end: &[usize],
        segments: &mut Vec<Segment<F>>,
    ) {
        let line = &self.lines[number];
        let mut stops = vec![(0.0, node_of_end[2 * number])];
        let own = self.splits.iter().filter(|(l, _, _)| *l == number);
        stops.extend(own.map(|&(_, along, end)| (along, node_of_end[end])));
        stops.push((line.length_mm(), node_of_end[2 * number + 1]));
        for pair in stops.windows(2) {
            let [(from, start), (to, end)] = [pair[0], pair[1]];
            segments.push(line.piece((from, start), (to, end), nodes));
        }
    }
}

impl<F> Line<'_, F> {
    fn piece(
        &self,
        (from, start): (f64, usize),
        (to, end): (f64, usize),
        nodes: &[Point<F>],
    ) -> Segment<F> {
        let inner = (0..self.along_mm.len())
            .filter(|&i| self.along_mm[i] > from && self.along_mm[i] < to)
            .map(|i| (self.curve.points[i], self.curve.radii_mm[i]));
        let mut chain = vec![(nodes[start], self.radius_at(from))];
        chain.push((self.point_at(from), self.radius_at(from)));
        chain.extend(inner);
        chain.push((self.point_at(to), self.radius_at(to)));
        chain.push((nodes[end], self.radius_at(to)));
        chain.dedup_by(|b, a| a.0 == b.0);
        if chain.len() < 2 {
            chain.push((nodes[end], self.radius_at(to)));
        }
        let (points, radii_mm): (Vec<_>, Vec<_>) = chain.into_iter().unzip();
        Segment {
            start,
            end,
            points,
            inscribed_mm: radii_mm.clone(),
            radii_mm,
        }
    }
}

/// A node is as wide as the widest segment that meets it.
pub(super) fn set_node_radii<F>(graph: &mut CenterlineGraph<F>) {
    for segment in &graph.segments {
        let ends = [
            (segment.start, segment.radii_mm.first()),
            (segment.end, segment.radii_mm.last()),
        ];
        for (node, radius_mm) in ends {
            let node = &mut graph.nodes[node];
            node.radius_mm = node.radius_mm.max(radius_mm.copied().unwrap_or(0.0));
        }
    }
}
