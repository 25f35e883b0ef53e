//! Tubes of varying radius along a smooth curve, as a chain of short round cones.

use nalgebra::Vector3;

use super::TubePoint;
use super::shapes::RoundCone;

const CONES_PER_GROUP: usize = 8;
const MAX_CONES_PER_SPAN: usize = 64;

/// A curve cut into round cones, in groups that each know a ball round them.
#[derive(Clone, Debug)]
pub(super) struct Tube {
    knots: Vec<Knot>,
    /// From each knot to the next.
    cones: Vec<RoundCone>,
    /// A ball round each cone.
    balls: Vec<Ball>,
    groups: Vec<Group>,
}

/// Some cones of a tube, by their first knots, in order.
#[derive(Clone, Debug)]
pub(super) struct Cones {
    pub firsts: Vec<u32>,
    /// The one nearest to the middle of where they were chosen for.
    nearest: u32,
}

#[derive(Clone, Copy, Debug)]
struct Knot {
    place: Vector3<f64>,
    radius: f64,
}

impl From<&TubePoint> for Knot {
    fn from(point: &TubePoint) -> Self {
        Self {
            place: Vector3::from(point.place),
            radius: point.radius_mm,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Ball {
    center: Vector3<f64>,
    radius: f64,
}

impl Ball {
    fn round(a: &Knot, b: &Knot) -> Self {
        /// A hair more, for what rounding does to distances.
        const HAIR: f64 = 1.000_001;
        let half = 0.5 * (b.place - a.place).norm();
        Self {
            center: (a.place + b.place) * 0.5,
            radius: HAIR * (half + a.radius.max(b.radius)),
        }
    }

    /// Whether nothing in it lies nearer than `distance` to a place.
    fn is_beyond(&self, distance: f64, p: &Vector3<f64>) -> bool {
        let reach = distance + self.radius;
        reach <= 0.0 || (p - self.center).norm_squared() >= reach * reach
    }
}

/// The cones between knots `first` and `last`.
#[derive(Clone, Copy, Debug)]
struct Group {
    center: Vector3<f64>,
    radius: f64,
    first: usize,
    last: usize,
}

impl Tube {
    /// From at least two valid points.
    pub(super) fn new(points: &[TubePoint]) -> Self {
        let given: Vec<Knot> = points.iter().map(Knot::from).collect();
        let mut knots = vec![given[0]];
        for span in 0..given.len() - 1 {
            push_span(&given, span, &mut knots);
        }
        let groups = (0..knots.len() - 1)
            .step_by(CONES_PER_GROUP)
            .map(|first| Group::new(&knots, first))
            .collect();
        let cones: Vec<RoundCone> = knots
            .windows(2)
            .map(|pair| {
                RoundCone::new(pair[0].place, pair[1].place, pair[0].radius, pair[1].radius)
            })
            .collect();
        let balls = knots.windows(2).map(|pair| Ball::round(&pair[0], &pair[1]));
        let balls = balls.collect();
        Self {
            knots,
            cones,
            balls,
            groups,
        }
    }

    /// Exact distance to the chain of cones, mm.
    pub(super) fn distance(&self, p: Vector3<f64>) -> f64 {
        let mut best = f64::INFINITY;
        for group in &self.groups {
            if (p - group.center).norm() - group.radius >= best {
                continue;
            }
            for cone in &self.cones[group.first..group.last] {
                best = best.min(cone.distance(p));
            }
        }
        best
    }

    /// The cones that can be the nearest one anywhere within a ball, and the distances possible
    /// there.
    pub(super) fn cones_near(&self, center: Vector3<f64>, radius: f64) -> (Cones, [f64; 2]) {
        let cones = 0..self.cones.len() as u32;
        self.nearest_cones(cones, center, radius)
    }

    /// As [`Tube::cones_near`], of some of the cones.
    pub(super) fn nearest_cones(
        &self,
        cones: impl Iterator<Item = u32>,
        center: Vector3<f64>,
        radius: f64,
    ) -> (Cones, [f64; 2]) {
        let distances: Vec<(u32, f64)> =
            cones.map(|cone| (cone, self.cone(cone, center))).collect();
        let nearest = distances.iter().min_by(|(_, a), (_, b)| a.total_cmp(b));
        let (nearest, least) = nearest.copied().unwrap_or((0, f64::INFINITY));
        // Exact distances change by no more than the way walked.
        let near = distances.iter().filter(|(_, d)| *d <= least + 2.0 * radius);
        let near = Cones {
            firsts: near.map(|(cone, _)| *cone).collect(),
            nearest,
        };
        (near, [least - radius, least + radius])
    }

    /// Distance to the nearest of some cones, mm. Most are told by the ball round them to lie
    /// farther off than the one that is nearest to the middle.
    pub(super) fn distance_to(&self, cones: &Cones, p: Vector3<f64>) -> f64 {
        let mut best = self.cone(cones.nearest, p);
        for &first in &cones.firsts {
            if !self.balls[first as usize].is_beyond(best, &p) {
                best = best.min(self.cone(first, p));
            }
        }
        best
    }

    fn cone(&self, first: u32, p: Vector3<f64>) -> f64 {
        self.cones[first as usize].distance(p)
    }

    /// Smallest and largest corner.
    pub(super) fn corners(&self) -> [Vector3<f64>; 2] {
        let start = [
            Vector3::repeat(f64::INFINITY),
            Vector3::repeat(f64::NEG_INFINITY),
        ];
        self.knots.iter().fold(start, |[min, max], knot| {
            let reach = Vector3::repeat(knot.radius);
            [
                min.inf(&(knot.place - reach)),
                max.sup(&(knot.place + reach)),
            ]
        })
    }
}

impl Group {
    fn new(knots: &[Knot], first: usize) -> Self {
        let last = (first + CONES_PER_GROUP).min(knots.len() - 1);
        let members = &knots[first..=last];
        let center = members
            .iter()
            .fold(Vector3::zeros(), |sum, knot| sum + knot.place)
            / members.len() as f64;
        let radius = members
            .iter()
            .map(|knot| (knot.place - center).norm() + knot.radius)
            .fold(0.0, f64::max);
        Self {
            center,
            radius,
            first,
            last,
        }
    }
}

/// Cuts the span after point `span` into pieces of about a quarter radius.
fn push_span(given: &[Knot], span: usize, knots: &mut Vec<Knot>) {
    let (a, b) = (given[span], given[span + 1]);
    let length = (b.place - a.place).norm();
    let wanted = (4.0 * length / a.radius.min(b.radius)).ceil();
    let pieces = (wanted as usize).clamp(4, MAX_CONES_PER_SPAN);
    let curve = Span::new(given, span);
    knots.extend((1..=pieces).map(|piece| curve.at(piece as f64 / pieces as f64)));
}

/// The course of a tube's axis: the curve that [`Expr::Tube`](super::Expr::Tube) is made round, at
/// every given point and between them no more than `step_mm` apart (0.01 mm at the least), in pieces
/// of equal parameter within each span. Fewer than two points come back as they are.
pub fn tube_course(points: &[TubePoint], step_mm: f64) -> Vec<TubePoint> {
    let given: Vec<Knot> = points.iter().map(Knot::from).collect();
    let mut course: Vec<TubePoint> = points.iter().take(1).copied().collect();
    for span in 0..given.len().saturating_sub(1) {
        let curve = Span::new(&given, span);
        let mut pieces = (curve.length_mm() / step_mm.max(0.01)).ceil().max(1.0) as usize;
        // Pieces of equal parameter differ in length: more of them until the longest is short enough.
        while curve.longest_piece_mm(pieces) > step_mm.max(0.01) {
            pieces += pieces.div_ceil(8);
        }
        course.extend((1..=pieces).map(|piece| {
            let knot = curve.at(piece as f64 / pieces as f64);
            TubePoint {
                place: knot.place.into(),
                radius_mm: knot.radius,
            }
        }));
    }
    course
}

/// The curve between two given points.
struct Span {
    from: Knot,
    to: Knot,
    slopes: [Vector3<f64>; 2],
}

impl Span {
    /// Between points `span` and `span + 1`.
    fn new(given: &[Knot], span: usize) -> Self {
        let (from, to) = (given[span], given[span + 1]);
        let before = span.checked_sub(1).map(|n| given[n].place);
        let after = given.get(span + 2).map(|knot| knot.place);
        Self {
            from,
            to,
            slopes: end_slopes(before, from.place, to.place, after),
        }
    }

    /// Place and radius at parameter 0…1. The radius eases from one point's to the next's, so that
    /// the given ones are its extremes.
    fn at(&self, t: f64) -> Knot {
        let ease = t * t * (3.0 - 2.0 * t);
        Knot {
            place: hermite(self.from.place, self.to.place, self.slopes, t),
            radius: self.from.radius + (self.to.radius - self.from.radius) * ease,
        }
    }

    fn length_mm(&self) -> f64 {
        self.pieces_mm(16).sum()
    }

    fn longest_piece_mm(&self, pieces: usize) -> f64 {
        self.pieces_mm(pieces).fold(0.0, f64::max)
    }

    fn pieces_mm(&self, pieces: usize) -> impl Iterator<Item = f64> {
        let place = move |piece: usize| self.at(piece as f64 / pieces as f64).place;
        (0..pieces).map(move |piece| (place(piece + 1) - place(piece)).norm())
    }
}

/// Tangents at the span's ends for parameter 0…1: centripetal Catmull–Rom (knot distance = square
/// root of the chord, so no loops or cusps: Yuksel, Schaefer & Keyser 2011). A missing neighbour is
/// replaced by going straight on.
fn end_slopes(
    before: Option<Vector3<f64>>,
    a: Vector3<f64>,
    b: Vector3<f64>,
    after: Option<Vector3<f64>>,
) -> [Vector3<f64>; 2] {
    let before = before.unwrap_or(a + (a - b));
    let after = after.unwrap_or(b + (b - a));
    let interval = |p: Vector3<f64>, q: Vector3<f64>| (q - p).norm().sqrt().max(1e-9);
    let (d0, d1, d2) = (interval(before, a), interval(a, b), interval(b, after));
    let slope = |p: Vector3<f64>, q: Vector3<f64>, r: Vector3<f64>, dp: f64, dr: f64| {
        ((q - p) / dp - (r - p) / (dp + dr) + (r - q) / dr) * d1
    };
    [slope(before, a, b, d0, d1), slope(a, b, after, d1, d2)]
}

fn hermite(
    a: Vector3<f64>,
    b: Vector3<f64>,
    [slope_a, slope_b]: [Vector3<f64>; 2],
    t: f64,
) -> Vector3<f64> {
    let (t2, t3) = (t * t, t * t * t);
    a * (2.0 * t3 - 3.0 * t2 + 1.0)
        + slope_a * (t3 - 2.0 * t2 + t)
        + b * (3.0 * t2 - 2.0 * t3)
        + slope_b * (t3 - t2)
}
