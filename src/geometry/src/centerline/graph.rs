//! The graph type and what can be asked of it.

use crate::frame::{Affine, Frame, Point};

/// A place where segments meet or end.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<F> {
    /// Where, mm.
    pub point: Point<F>,
    /// The largest radius of the segments that meet here, mm.
    pub radius_mm: f64,
}

/// A stretch of vessel between two nodes.
///
/// The three lists are equally long (at least 2). A branch keeps its own radius where it runs
/// inside its parent, between the node on the parent's axis and its mouth.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment<F> {
    /// Index of the node at `points[0]`.
    pub start: usize,
    /// Index of the node at the last point; equal to `start` for a loop without other branches.
    pub end: usize,
    /// The centreline, both node places included, mm.
    pub points: Vec<Point<F>>,
    /// Radius of the circle with the cross-section's area, √(A/π), mm: what flow and volume see.
    pub radii_mm: Vec<f64>,
    /// Radius of the largest ball about the point that stays inside, mm: what a device can fill.
    /// Equal to `radii_mm` for given curves, which come with one radius only.
    pub inscribed_mm: Vec<f64>,
}

/// A vessel graph: nodes, and segments between them. Loops and several connected parts are allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct CenterlineGraph<F> {
    /// Branching places and ends.
    pub nodes: Vec<Node<F>>,
    /// Stretches between nodes.
    pub segments: Vec<Segment<F>>,
}

/// A place on a graph, found by [`CenterlineGraph::nearest`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GraphPlace<F> {
    /// Which segment.
    pub segment: usize,
    /// Length along the segment from its start, mm.
    pub along_mm: f64,
    /// The place, mm.
    pub point: Point<F>,
    /// Distance from the asked point, mm.
    pub distance_mm: f64,
    /// The vessel's area-equivalent radius there, mm.
    pub radius_mm: f64,
    /// The vessel's inscribed radius there, mm.
    pub inscribed_mm: f64,
}

impl<F: Frame> Segment<F> {
    /// Length along the centreline, mm.
    pub fn length_mm(&self) -> f64 {
        self.points.windows(2).map(|p| p[0].distance(&p[1])).sum()
    }

    /// Length from the start to each point, mm.
    pub fn lengths_along_mm(&self) -> Vec<f64> {
        let steps = self.points.windows(2).map(|p| p[0].distance(&p[1]));
        std::iter::once(0.0)
            .chain(steps)
            .scan(0.0, |sum, step| {
                *sum += step;
                Some(*sum)
            })
            .collect()
    }

    /// The same stretch with points evenly spaced, at most `step_mm` apart; both ends stay.
    #[must_use]
    pub fn resampled(&self, step_mm: f64) -> Self {
        if self.points.len() < 2 {
            return self.clone();
        }
        let along = self.lengths_along_mm();
        let total = along.last().copied().unwrap_or(0.0);
        let steps = step_count(total, step_mm);
        let mut result = Self {
            points: Vec::with_capacity(steps + 1),
            radii_mm: Vec::with_capacity(steps + 1),
            inscribed_mm: Vec::with_capacity(steps + 1),
            ..*self
        };
        for step in 0..=steps {
            let (index, part) = place_along(&along, total * step as f64 / steps as f64);
            result.push_between(self, index, part);
        }
        result
    }

    fn push_between(&mut self, from: &Self, index: usize, part: f64) {
        self.points.push(from.point_between(index, part));
        self.radii_mm.push(between(&from.radii_mm, index, part));
        self.inscribed_mm
            .push(between(&from.inscribed_mm, index, part));
    }

    fn point_between(&self, index: usize, part: f64) -> Point<F> {
        let (a, b) = (&self.points[index], &self.points[index + 1]);
        if part >= 1.0 {
            return *b;
        }
        Point::from_coords(a.coords + (b.coords - a.coords) * part)
    }
}

impl<F: Frame> CenterlineGraph<F> {
    /// How many segment ends meet at each node; a loop counts twice at its node.
    pub fn degrees(&self) -> Vec<usize> {
        let mut degrees = vec![0; self.nodes.len()];
        for segment in &self.segments {
            degrees[segment.start] += 1;
            degrees[segment.end] += 1;
        }
        degrees
    }

    /// Nodes where a single segment ends.
    pub fn ends(&self) -> Vec<usize> {
        let degrees = self.degrees();
        (0..self.nodes.len()).filter(|&n| degrees[n] == 1).collect()
    }

    /// Nodes where three or more segment ends meet.
    pub fn bifurcations(&self) -> Vec<usize> {
        let degrees = self.degrees();
        (0..self.nodes.len()).filter(|&n| degrees[n] >= 3).collect()
    }

    /// For each node the number of its connected part, from 0 in order of first node.
    pub fn component_labels(&self) -> Vec<usize> {
        let mut parent: Vec<usize> = (0..self.nodes.len()).collect();
        for segment in &self.segments {
            let (a, b) = (
                root(&mut parent, segment.start),
                root(&mut parent, segment.end),
            );
            // The smaller number wins, so that labels come out in order.
            parent[a.max(b)] = a.min(b);
        }
        let mut label_of = vec![usize::MAX; self.nodes.len()];
        let mut count = 0;
        (0..self.nodes.len())
            .map(|node| {
                let root = root(&mut parent, node);
                if label_of[root] == usize::MAX {
                    label_of[root] = count;
                    count += 1;
                }
                label_of[root]
            })
            .collect()
    }

    /// Number of connected parts.
    pub fn components(&self) -> usize {
        self.component_labels().iter().max().map_or(0, |&m| m + 1)
    }

    /// Number of independent loops: segments − nodes + connected parts.
    pub fn loop_count(&self) -> usize {
        (self.segments.len() + self.components()) - self.nodes.len()
    }

    /// Length of all segments, mm.
    pub fn length_mm(&self) -> f64 {
        self.segments.iter().map(Segment::length_mm).sum()
    }

    /// The place on the graph nearest to `query`; `None` without segments. A pass over all points.
    pub fn nearest(&self, query: Point<F>) -> Option<GraphPlace<F>> {
        self.nearest_by(query, |distance_mm, _| distance_mm)
    }

    /// The place in whose vessel `query` lies deepest: smallest distance/radius. Unlike
    /// [`Self::nearest`] it finds the wide parent of a thin branch whose axis happens to be closer.
    /// A distance/radius of at most 1 means inside the computed vessel.
    pub fn deepest(&self, query: Point<F>) -> Option<GraphPlace<F>> {
        self.nearest_by(query, |distance_mm, radius_mm| distance_mm / radius_mm)
    }

    fn nearest_by(
        &self,
        query: Point<F>,
        measure: impl Fn(f64, f64) -> f64,
    ) -> Option<GraphPlace<F>> {
        let mut best: Option<(f64, GraphPlace<F>)> = None;
        for (number, segment) in self.segments.iter().enumerate() {
            let mut along_mm = 0.0;
            for index in 0..segment.points.len().saturating_sub(1) {
                let place = place_on_piece(segment, number, index, along_mm, query);
                let value = measure(place.distance_mm, place.radius_mm);
                if best.as_ref().is_none_or(|(least, _)| value < *least) {
                    best = Some((value, place));
                }
                along_mm += segment.points[index].distance(&segment.points[index + 1]);
            }
        }
        best.map(|(_, place)| place)
    }

    /// The same graph with points at most `step_mm` apart, evenly within each segment.
    #[must_use]
    pub fn resampled(&self, step_mm: f64) -> Self {
        Self {
            nodes: self.nodes.clone(),
            segments: self.segments.iter().map(|s| s.resampled(step_mm)).collect(),
        }
    }

    /// The same graph in another frame; radii grow with the cube root of the map's volume ratio
    /// (exact for rotations, mirrors and uniform scales).
    pub fn transformed<To: Frame>(&self, to_from_f: &Affine<To, F>) -> CenterlineGraph<To> {
        let scale = to_from_f.determinant().abs().cbrt();
        let scaled = |radii: &[f64]| radii.iter().map(|r| r * scale).collect();
        CenterlineGraph {
            nodes: self
                .nodes
                .iter()
                .map(|node| Node {
                    point: *to_from_f * node.point,
                    radius_mm: node.radius_mm * scale,
                })
                .collect(),
            segments: self
                .segments
                .iter()
                .map(|s| Segment {
                    start: s.start,
                    end: s.end,
                    points: s.points.iter().map(|&p| *to_from_f * p).collect(),
                    radii_mm: scaled(&s.radii_mm),
                    inscribed_mm: scaled(&s.inscribed_mm),
                })
                .collect(),
        }
    }
}

fn place_on_piece<F: Frame>(
    segment: &Segment<F>,
    number: usize,
    index: usize,
    along_mm: f64,
    query: Point<F>,
) -> GraphPlace<F> {
    let (a, b) = (segment.points[index], segment.points[index + 1]);
    let part = project(query, a, b);
    let point = segment.point_between(index, part);
    GraphPlace {
        segment: number,
        along_mm: along_mm + part * a.distance(&b),
        point,
        distance_mm: point.distance(&query),
        radius_mm: between(&segment.radii_mm, index, part),
        inscribed_mm: between(&segment.inscribed_mm, index, part),
    }
}

/// Where between `a` (0) and `b` (1) the nearest place to `query` lies.
pub(super) fn project<F>(query: Point<F>, a: Point<F>, b: Point<F>) -> f64 {
    let ab = b - a;
    let squared = ab.dot(&ab);
    if squared > 0.0 {
        ((query - a).dot(&ab) / squared).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// A value between entries `index` and `index + 1`.
pub(super) fn between(values: &[f64], index: usize, part: f64) -> f64 {
    values[index] + (values[index + 1] - values[index]) * part
}

/// The piece of a polyline that holds the place `at` along it, and where in that piece (0 to 1).
pub(super) fn place_along(along: &[f64], at: f64) -> (usize, f64) {
    let last_piece = along.len().saturating_sub(2);
    let index = along
        .partition_point(|&a| a <= at)
        .saturating_sub(1)
        .min(last_piece);
    let step = along[index + 1] - along[index];
    let part = if step > 0.0 {
        ((at - along[index]) / step).clamp(0.0, 1.0)
    } else {
        1.0
    };
    (index, part)
}

/// How many steps of at most `step_mm` make up `total_mm`; bounded, so that a tiny or unusable step
/// cannot exhaust memory.
fn step_count(total_mm: f64, step_mm: f64) -> usize {
    const MOST: f64 = 1e6;
    let steps = (total_mm / step_mm).ceil();
    if steps.is_nan() {
        1
    } else {
        steps.clamp(1.0, MOST) as usize
    }
}

/// The representative of a node's set; shortens the way there.
pub(super) fn root(parent: &mut [usize], mut node: usize) -> usize {
    while parent[node] != node {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    node
}
