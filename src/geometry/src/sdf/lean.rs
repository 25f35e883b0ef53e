//! A solid as it looks from nearby: parts that cannot matter there are left out.
//!
//! Large solids are unions and cuts of many parts, of which a few matter in any one place. Leaving
//! out the others there makes sampling cost what the surface nearby costs, and changes no value.

use nalgebra::Vector3;

use super::solid::{Node, blended_min, deepest_dip, mirrored, negated};
use super::tube::{Cones, Tube};
use crate::frame::{Patient, Point};

type V3 = Vector3<f64>;

/// A solid within a ball.
#[derive(Debug)]
pub(super) struct Near<'a> {
    lean: Lean<'a>,
    range: [f64; 2],
    /// The most that noise changes a value.
    noise_mm: f64,
}

/// A node without what does not matter, and its values possible in the ball.
#[derive(Clone, Debug)]
enum Lean<'a> {
    /// As it is.
    Whole(&'a Node),
    /// Some cones of a tube.
    Cones(&'a Tube, Cones),
    Union(Vec<Lean<'a>>, f64),
    Intersection(Vec<Lean<'a>>, f64),
    Complement(Box<Lean<'a>>),
    Shell(Box<Lean<'a>>, f64),
    Offset(Box<Lean<'a>>, f64),
    Noise(Box<Lean<'a>>, &'a Node),
    Reflect(Box<Lean<'a>>, usize, f64),
    Place(Box<Lean<'a>>, &'a Node),
}

impl<'a> Near<'a> {
    pub fn of(root: &'a Node, center: Point<Patient>, radius: f64) -> Self {
        Self::from(of_node(root, center.coords, radius))
    }

    /// The same within a smaller ball that lies in this one.
    pub fn nearer(&self, center: Point<Patient>, radius: f64) -> Self {
        Self::from(self.lean.nearer(center.coords, radius))
    }

    /// Values possible in the ball.
    pub fn range(&self) -> [f64; 2] {
        self.range
    }

    /// 1 where the whole ball is inside, −1 where it is outside.
    pub fn sign(&self) -> Option<f32> {
        match self.range {
            [low, _] if low > 0.0 => Some(-1.0),
            [_, high] if high < 0.0 => Some(1.0),
            _ => None,
        }
    }

    /// [`Near::sign`] of a smaller ball that lies in this one, by the value in its middle alone:
    /// without noise, none changes by more than the way walked.
    pub fn sign_within(&self, center: Point<Patient>, radius: f64) -> Option<f32> {
        let value = self.lean.eval::<false>(center.coords);
        if value.abs() <= radius + self.noise_mm {
            return None;
        }
        Some(if value > 0.0 { -1.0 } else { 1.0 })
    }

    pub fn distance_mm(&self, place: Point<Patient>) -> f64 {
        self.lean.eval::<true>(place.coords)
    }
}

impl<'a> From<Ranged<'a>> for Near<'a> {
    fn from((lean, range): Ranged<'a>) -> Self {
        let noise_mm = lean.noise_mm();
        Self {
            lean,
            range,
            noise_mm,
        }
    }
}

/// A node and its values possible in the ball.
type Ranged<'a> = (Lean<'a>, [f64; 2]);

fn of_node(node: &Node, center: V3, radius: f64) -> Ranged<'_> {
    match node {
        Node::Union(parts, blend) => union(within(parts, center, radius), *blend),
        Node::Intersection(parts, blend) => intersection(within(parts, center, radius), *blend),
        Node::Complement(of) => complement(of_node(of, center, radius)),
        Node::Shell(of, half) => shell(of_node(of, center, radius), *half),
        Node::Offset(of, by) => offset(of_node(of, center, radius), *by),
        Node::Noise { of, .. } => noise(of_node(of, center, radius), node),
        Node::Reflect(of, axis, at) => {
            let (of, range) = of_node(of, mirrored(center, *axis, *at), radius);
            (Lean::Reflect(Box::new(of), *axis, *at), range)
        }
        Node::Place { of, scale, .. } => {
            let (of, range) = of_node(of, node.inner_place(center), radius / scale);
            (Lean::Place(Box::new(of), node), range.map(|v| v * scale))
        }
        Node::Tube(tube) => {
            let (cones, range) = tube.cones_near(center, radius);
            (Lean::Cones(tube, cones), range)
        }
        _ => (Lean::Whole(node), node.range(center, radius)),
    }
}

fn within(parts: &[Node], center: V3, radius: f64) -> Vec<Ranged<'_>> {
    let ranged = |part| of_node(part, center, radius);
    parts.iter().map(ranged).collect()
}

/// Parts that lie farther off than the nearest one by more than any blend reaches change nothing.
fn union(mut parts: Vec<Ranged<'_>>, blend: f64) -> Ranged<'_> {
    let nearest = parts
        .iter()
        .map(|(_, [_, high])| *high)
        .fold(f64::INFINITY, f64::min);
    let reach = blend + deepest_dip(parts.len(), blend);
    // A part with the smallest upper bound always stays.
    parts.retain(|(_, [low, _])| *low <= nearest + reach);
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let low = parts
        .iter()
        .map(|(_, [low, _])| *low)
        .fold(f64::INFINITY, f64::min);
    let range = [low - deepest_dip(parts.len(), blend), nearest];
    (
        Lean::Union(parts.into_iter().map(|(part, _)| part).collect(), blend),
        range,
    )
}

fn intersection(mut parts: Vec<Ranged<'_>>, blend: f64) -> Ranged<'_> {
    let highest = parts
        .iter()
        .map(|(_, [low, _])| *low)
        .fold(f64::NEG_INFINITY, f64::max);
    let reach = blend + deepest_dip(parts.len(), blend);
    parts.retain(|(_, [_, high])| *high >= highest - reach);
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let high = parts
        .iter()
        .map(|(_, [_, high])| *high)
        .fold(f64::NEG_INFINITY, f64::max);
    let range = [highest, high + deepest_dip(parts.len(), blend)];
    (
        Lean::Intersection(parts.into_iter().map(|(part, _)| part).collect(), blend),
        range,
    )
}

fn complement((of, range): Ranged<'_>) -> Ranged<'_> {
    (Lean::Complement(Box::new(of)), negated(range))
}

fn shell((of, [low, high]): Ranged<'_>, half: f64) -> Ranged<'_> {
    let nearest = low.max(-high).max(0.0);
    let range = [nearest - half, low.abs().max(high.abs()) - half];
    (Lean::Shell(Box::new(of), half), range)
}

fn offset((of, range): Ranged<'_>, by: f64) -> Ranged<'_> {
    (Lean::Offset(Box::new(of), by), range.map(|v| v - by))
}

fn noise<'a>((of, [low, high]): Ranged<'a>, node: &'a Node) -> Ranged<'a> {
    let amplitude = node.noise_at(None);
    (
        Lean::Noise(Box::new(of), node),
        [low - amplitude, high + amplitude],
    )
}

impl<'a> Lean<'a> {
    fn nearer(&self, center: V3, radius: f64) -> Ranged<'a> {
        let all = |parts: &[Self]| {
            parts
                .iter()
                .map(|part| part.nearer(center, radius))
                .collect()
        };
        match self {
            Self::Whole(node) => (self.clone(), node.range(center, radius)),
            Self::Cones(tube, cones) => {
                let (cones, range) =
                    tube.nearest_cones(cones.firsts.iter().copied(), center, radius);
                (Self::Cones(tube, cones), range)
            }
            Self::Union(parts, blend) => union(all(parts), *blend),
            Self::Intersection(parts, blend) => intersection(all(parts), *blend),
            Self::Complement(of) => complement(of.nearer(center, radius)),
            Self::Shell(of, half) => shell(of.nearer(center, radius), *half),
            Self::Offset(of, by) => offset(of.nearer(center, radius), *by),
            Self::Noise(of, node) => noise(of.nearer(center, radius), node),
            Self::Reflect(of, axis, at) => {
                let (of, range) = of.nearer(mirrored(center, *axis, *at), radius);
                (Self::Reflect(Box::new(of), *axis, *at), range)
            }
            Self::Place(of, node) => {
                let scale = node.scale();
                let (of, range) = of.nearer(node.inner_place(center), radius / scale);
                (Self::Place(Box::new(of), node), range.map(|v| v * scale))
            }
        }
    }

    /// The most that noise changes the value anywhere: blends pass on no more than the largest
    /// change of a part.
    fn noise_mm(&self) -> f64 {
        match self {
            // Shapes: all that is made of others is taken apart.
            Self::Whole(_) | Self::Cones(..) => 0.0,
            Self::Union(parts, _) | Self::Intersection(parts, _) => {
                parts.iter().map(Self::noise_mm).fold(0.0, f64::max)
            }
            Self::Noise(of, node) => of.noise_mm() + node.noise_at(None),
            Self::Complement(of)
            | Self::Shell(of, _)
            | Self::Offset(of, _)
            | Self::Reflect(of, ..) => of.noise_mm(),
            Self::Place(of, node) => node.scale() * of.noise_mm(),
        }
    }

    /// The value at a place, or what it would be without noise.
    fn eval<const NOISY: bool>(&self, p: V3) -> f64 {
        match self {
            Self::Whole(node) => node.eval(p),
            Self::Cones(tube, cones) => tube.distance_to(cones, p),
            Self::Union(parts, blend) => {
                let mut values = parts.iter().map(|part| part.eval::<NOISY>(p));
                let first = values.next().unwrap_or(f64::INFINITY);
                values.fold(first, |value, part| blended_min(value, part, *blend))
            }
            Self::Intersection(parts, blend) => {
                let mut values = parts.iter().map(|part| part.eval::<NOISY>(p));
                let first = values.next().unwrap_or(f64::NEG_INFINITY);
                values.fold(first, |value, part| -blended_min(-value, -part, *blend))
            }
            Self::Complement(of) => -of.eval::<NOISY>(p),
            Self::Shell(of, half) => of.eval::<NOISY>(p).abs() - half,
            Self::Offset(of, by) => of.eval::<NOISY>(p) - by,
            Self::Noise(of, node) => {
                let noise = if NOISY { node.noise_at(Some(p)) } else { 0.0 };
                of.eval::<NOISY>(p) + noise
            }
            Self::Reflect(of, axis, at) => of.eval::<NOISY>(mirrored(p, *axis, *at)),
            Self::Place(of, node) => node.scale() * of.eval::<NOISY>(node.inner_place(p)),
        }
    }
}
