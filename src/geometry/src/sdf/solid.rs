//! Expressions after checking: nothing can fail any more.

use nalgebra::{Rotation3, Unit, Vector3};

use super::lean::Near;
use super::noise::gradient_noise;
use super::shapes::{ellipsoid, round_cone, rounded_box};
use super::tube::Tube;
use super::{Axis, Expr, SdfError};
use crate::frame::{Patient, Point};

type V3 = Vector3<f64>;

const MAX_DEPTH: usize = 64;

/// A box with ends that may be infinite, mm; empty where `min` exceeds `max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Smallest corner.
    pub min: [f64; 3],
    /// Largest corner.
    pub max: [f64; 3],
}

/// A checked expression, ready to be asked.
#[derive(Clone, Debug)]
pub struct Solid {
    root: Node,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Sphere(V3, f64),
    Ellipsoid(V3, V3),
    Box(V3, V3, f64),
    RoundCone(V3, V3, f64, f64),
    Tube(Tube),
    HalfSpace(V3, f64),
    Union(Vec<Node>, f64),
    Intersection(Vec<Node>, f64),
    Complement(Box<Node>),
    Shell(Box<Node>, f64),
    Offset(Box<Node>, f64),
    Noise {
        of: Box<Node>,
        seed: u64,
        amplitude: f64,
        wavelength: f64,
    },
    Reflect(Box<Node>, usize, f64),
    Place {
        of: Box<Node>,
        turn: Rotation3<f64>,
        shift: V3,
        scale: f64,
    },
}

impl Solid {
    /// Checks an expression and prepares it.
    ///
    /// # Errors
    /// [`SdfError::Parameter`], [`SdfError::TooFew`] or [`SdfError::TooDeep`] with the path to the
    /// node.
    pub fn new(expression: &Expr) -> Result<Self, SdfError> {
        let root = prepare(expression, "", 0)?;
        Ok(Self { root })
    }

    /// Signed distance (or, after blends and noise, nearly so), mm: negative inside.
    pub fn distance_mm(&self, place: Point<Patient>) -> f64 {
        self.root.eval(place.coords)
    }

    /// A box that holds the whole solid; may be infinite or empty.
    pub fn bounds(&self) -> Bounds {
        let [min, max] = self.root.bounds_at(0.0);
        Bounds {
            min: min.into(),
            max: max.into(),
        }
    }

    /// The solid as it looks within `radius_mm` of a place: the same values, sooner.
    pub(super) fn near(&self, center: Point<Patient>, radius_mm: f64) -> Near<'_> {
        Near::of(&self.root, center, radius_mm)
    }

    /// Smallest and largest value possible within `radius_mm` of a place.
    pub fn range_mm(&self, center: Point<Patient>, radius_mm: f64) -> [f64; 2] {
        self.root.range(center.coords, radius_mm)
    }
}

/// Reads and checks the numbers of one node.
struct Checker {
    path: String,
}

impl Checker {
    fn number(
        &self,
        name: &'static str,
        value: f64,
        must_be: &'static str,
        valid: bool,
    ) -> Result<f64, SdfError> {
        // Beyond 10⁹ mm squares lose the last millimetre.
        if valid && value.abs() <= 1e9 {
            return Ok(value);
        }
        Err(SdfError::Parameter {
            path: self.path.clone(),
            name,
            value,
            must_be,
        })
    }
    fn any(&self, name: &'static str, value: f64) -> Result<f64, SdfError> {
        self.number(name, value, "a number within ±1e9", true)
    }
    fn positive(&self, name: &'static str, value: f64) -> Result<f64, SdfError> {
        self.number(name, value, "a number above 0", value > 1e-9)
    }
    fn not_negative(&self, name: &'static str, value: f64) -> Result<f64, SdfError> {
        self.number(name, value, "0 or above", value >= 0.0)
    }
    fn place(&self, name: &'static str, value: [f64; 3]) -> Result<V3, SdfError> {
        value
            .iter()
            .try_for_each(|&v| self.any(name, v).map(drop))?;
        Ok(V3::from(value))
    }
    fn lengths(&self, name: &'static str, value: [f64; 3]) -> Result<V3, SdfError> {
        value
            .iter()
            .try_for_each(|&v| self.positive(name, v).map(drop))?;
        Ok(V3::from(value))
    }
    fn direction(&self, name: &'static str, value: [f64; 3]) -> Result<Unit<V3>, SdfError> {
        let vector = self.place(name, value)?;
        Unit::try_new(vector, 1e-12).ok_or(SdfError::Parameter {
            path: self.path.clone(),
            name,
            value: 0.0,
            must_be: "a direction with a length above 0",
        })
    }
    fn at_least(&self, name: &'static str, count: usize, least: usize) -> Result<(), SdfError> {
        if count >= least {
            return Ok(());
        }
        Err(SdfError::TooFew {
            path: self.path.clone(),
            name,
            count,
            at_least: least,
        })
    }
}

fn prepare(expression: &Expr, before: &str, depth: usize) -> Result<Node, SdfError> {
    let check = Checker {
        path: format!("{before}{}", expression.name()),
    };
    if depth >= MAX_DEPTH {
        return Err(SdfError::TooDeep {
            path: check.path,
            limit: MAX_DEPTH,
        });
    }
    match expression {
        Expr::Union { .. }
        | Expr::Intersection { .. }
        | Expr::Difference { .. }
        | Expr::Mirror { .. } => prepare_boolean(expression, &check, depth),
        Expr::Shell { .. } | Expr::Offset { .. } | Expr::Noise { .. } => {
            prepare_change(expression, &check, depth)
        }
        Expr::Reflect { .. }
        | Expr::Translate { .. }
        | Expr::Rotate { .. }
        | Expr::Scale { .. } => prepare_place(expression, &check, depth),
        _ => prepare_shape(expression, &check),
    }
}

fn prepare_shape(expression: &Expr, check: &Checker) -> Result<Node, SdfError> {
    Ok(match expression {
        Expr::Sphere { center, radius_mm } => Node::Sphere(
            check.place("center", *center)?,
            check.positive("radius_mm", *radius_mm)?,
        ),
        Expr::Ellipsoid { center, radii_mm } => Node::Ellipsoid(
            check.place("center", *center)?,
            check.lengths("radii_mm", *radii_mm)?,
        ),
        Expr::Box {
            center,
            half_mm,
            rounding_mm,
        } => prepare_box(check, *center, *half_mm, *rounding_mm)?,
        Expr::Capsule {
            from,
            to,
            radius_mm,
        } => {
            let radius = check.positive("radius_mm", *radius_mm)?;
            let (from, to) = (check.place("from", *from)?, check.place("to", *to)?);
            Node::RoundCone(from, to, radius, radius)
        }
        Expr::RoundCone {
            from,
            to,
            from_radius_mm,
            to_radius_mm,
        } => Node::RoundCone(
            check.place("from", *from)?,
            check.place("to", *to)?,
            check.positive("from_radius_mm", *from_radius_mm)?,
            check.positive("to_radius_mm", *to_radius_mm)?,
        ),
        Expr::Tube { points } => {
            check.at_least("points", points.len(), 2)?;
            for point in points {
                check.place("place", point.place)?;
                check.positive("radius_mm", point.radius_mm)?;
            }
            Node::Tube(Tube::new(points))
        }
        Expr::HalfSpace { normal, offset_mm } => Node::HalfSpace(
            check.direction("normal", *normal)?.into_inner(),
            check.any("offset_mm", *offset_mm)?,
        ),
        _ => unreachable!("`prepare` sends only shapes here"),
    })
}

fn prepare_box(
    check: &Checker,
    center: [f64; 3],
    half_mm: [f64; 3],
    rounding_mm: f64,
) -> Result<Node, SdfError> {
    let half = check.lengths("half_mm", half_mm)?;
    let fits = rounding_mm >= 0.0 && rounding_mm <= half.min();
    let must_be = "between 0 and the smallest of half_mm";
    let rounding = check.number("rounding_mm", rounding_mm, must_be, fits)?;
    Ok(Node::Box(check.place("center", center)?, half, rounding))
}

fn prepare_parts(
    name: &'static str,
    parts: &[Expr],
    check: &Checker,
    depth: usize,
) -> Result<Vec<Node>, SdfError> {
    check.at_least(name, parts.len(), 1)?;
    parts
        .iter()
        .enumerate()
        .map(|(n, part)| prepare(part, &format!("{}[{n}] > ", check.path), depth + 1))
        .collect()
}

fn prepare_one(of: &Expr, check: &Checker, depth: usize) -> Result<Box<Node>, SdfError> {
    prepare(of, &format!("{} > ", check.path), depth + 1).map(Box::new)
}

fn prepare_boolean(expression: &Expr, check: &Checker, depth: usize) -> Result<Node, SdfError> {
    match expression {
        Expr::Union { parts, blend_mm } => {
            let blend = check.not_negative("blend_mm", *blend_mm)?;
            Ok(Node::Union(
                prepare_parts("parts", parts, check, depth)?,
                blend,
            ))
        }
        Expr::Intersection { parts, blend_mm } => {
            let blend = check.not_negative("blend_mm", *blend_mm)?;
            let parts = prepare_parts("parts", parts, check, depth)?;
            Ok(Node::Intersection(parts, blend))
        }
        Expr::Difference { of, cut, blend_mm } => {
            let blend = check.not_negative("blend_mm", *blend_mm)?;
            let mut parts = vec![*prepare_one(of, check, depth)?];
            for node in prepare_parts("cut", cut, check, depth)? {
                parts.push(Node::Complement(Box::new(node)));
            }
            Ok(Node::Intersection(parts, blend))
        }
        Expr::Mirror { of, axis, at_mm } => {
            let at = check.any("at_mm", *at_mm)?;
            let original = prepare_one(of, check, depth)?;
            let image = Node::Reflect(original.clone(), axis_index(*axis), at);
            Ok(Node::Union(vec![*original, image], 0.0))
        }
        _ => unreachable!("`prepare` sends only booleans here"),
    }
}

fn prepare_change(expression: &Expr, check: &Checker, depth: usize) -> Result<Node, SdfError> {
    match expression {
        Expr::Shell { of, thickness_mm } => {
            let thickness = check.positive("thickness_mm", *thickness_mm)?;
            Ok(Node::Shell(prepare_one(of, check, depth)?, 0.5 * thickness))
        }
        Expr::Offset { of, by_mm } => {
            let by = check.any("by_mm", *by_mm)?;
            Ok(Node::Offset(prepare_one(of, check, depth)?, by))
        }
        Expr::Noise {
            of,
            seed,
            amplitude_mm,
            wavelength_mm,
        } => Ok(Node::Noise {
            amplitude: check.not_negative("amplitude_mm", *amplitude_mm)?,
            wavelength: check.positive("wavelength_mm", *wavelength_mm)?,
            seed: *seed,
            of: prepare_one(of, check, depth)?,
        }),
        _ => unreachable!("`prepare` sends only changes here"),
    }
}

/// A turn, then a scaling about the origin, then a shift.
fn prepare_place(expression: &Expr, check: &Checker, depth: usize) -> Result<Node, SdfError> {
    match expression {
        Expr::Reflect { of, axis, at_mm } => {
            let at = check.any("at_mm", *at_mm)?;
            let of = prepare_one(of, check, depth)?;
            Ok(Node::Reflect(of, axis_index(*axis), at))
        }
        Expr::Translate { of, by_mm } => Ok(Node::Place {
            shift: check.place("by_mm", *by_mm)?,
            turn: Rotation3::identity(),
            scale: 1.0,
            of: prepare_one(of, check, depth)?,
        }),
        Expr::Rotate {
            of,
            about,
            axis,
            angle_rad,
        } => {
            let about = check.place("about", *about)?;
            let axis = check.direction("axis", *axis)?;
            let turn = Rotation3::from_axis_angle(&axis, check.any("angle_rad", *angle_rad)?);
            Ok(Node::Place {
                shift: about - turn * about,
                turn,
                scale: 1.0,
                of: prepare_one(of, check, depth)?,
            })
        }
        Expr::Scale { of, about, factor } => {
            let scale = check.positive("factor", *factor)?;
            Ok(Node::Place {
                shift: check.place("about", *about)? * (1.0 - scale),
                turn: Rotation3::identity(),
                scale,
                of: prepare_one(of, check, depth)?,
            })
        }
        _ => unreachable!("`prepare` sends only placements here"),
    }
}

fn axis_index(axis: Axis) -> usize {
    match axis {
        Axis::X => 0,
        Axis::Y => 1,
        Axis::Z => 2,
    }
}

/// Smooth minimum: never above the smaller value, at most blend / 4 below it.
pub(super) fn blended_min(a: f64, b: f64, blend: f64) -> f64 {
    let overlap = (blend - (a - b).abs()).max(0.0);
    let dip = if blend > 0.0 {
        overlap * overlap / (4.0 * blend)
    } else {
        0.0
    };
    a.min(b) - dip
}

/// How far a chain of blends can lie below the smallest part.
pub(super) fn deepest_dip(parts: usize, blend: f64) -> f64 {
    0.25 * blend * (parts - 1) as f64
}

pub(super) fn mirrored(mut p: V3, axis: usize, at: f64) -> V3 {
    p[axis] = 2.0 * at - p[axis];
    p
}

impl Node {
    /// What noise adds at a place; the most it can add without one. 0 for other nodes.
    pub(super) fn noise_at(&self, place: Option<V3>) -> f64 {
        match (self, place) {
            (
                Self::Noise {
                    seed,
                    amplitude,
                    wavelength,
                    ..
                },
                Some(p),
            ) => amplitude * gradient_noise(p / *wavelength, *seed),
            (Self::Noise { amplitude, .. }, None) => *amplitude,
            _ => 0.0,
        }
    }

    /// A place in the frame of what is placed; the same for other nodes.
    pub(super) fn inner_place(&self, p: V3) -> V3 {
        match self {
            Self::Place {
                turn, shift, scale, ..
            } => turn.inverse_transform_vector(&(p - shift)) / *scale,
            _ => p,
        }
    }

    /// Scale of what is placed; 1 for other nodes.
    pub(super) fn scale(&self) -> f64 {
        match self {
            Self::Place { scale, .. } => *scale,
            _ => 1.0,
        }
    }

    pub(super) fn eval(&self, p: V3) -> f64 {
        match self {
            Self::Sphere(center, radius) => (p - center).norm() - radius,
            Self::Ellipsoid(center, radii) => ellipsoid(p - center, *radii),
            Self::Box(center, half, rounding) => rounded_box(p - center, *half, *rounding),
            Self::RoundCone(from, to, a, b) => round_cone(p, *from, *to, *a, *b),
            Self::Tube(tube) => tube.distance(p),
            Self::HalfSpace(normal, offset) => normal.dot(&p) - offset,
            Self::Union(parts, blend) => parts[1..].iter().fold(parts[0].eval(p), |value, part| {
                blended_min(value, part.eval(p), *blend)
            }),
            Self::Intersection(parts, blend) => {
                parts[1..].iter().fold(parts[0].eval(p), |value, part| {
                    -blended_min(-value, -part.eval(p), *blend)
                })
            }
            Self::Complement(of) => -of.eval(p),
            Self::Shell(of, half) => of.eval(p).abs() - half,
            Self::Offset(of, by) => of.eval(p) - by,
            Self::Noise { of, .. } => of.eval(p) + self.noise_at(Some(p)),
            Self::Reflect(of, axis, at) => of.eval(mirrored(p, *axis, *at)),
            Self::Place { of, scale, .. } => scale * of.eval(self.inner_place(p)),
        }
    }

    /// Smallest and largest value possible within `radius` of `center`.
    pub(super) fn range(&self, center: V3, radius: f64) -> [f64; 2] {
        match self {
            Self::Union(parts, blend) => {
                let [low, high] = min_of_ranges(parts.iter().map(|p| p.range(center, radius)));
                [low - deepest_dip(parts.len(), *blend), high]
            }
            Self::Intersection(parts, blend) => {
                let turned = parts.iter().map(|p| negated(p.range(center, radius)));
                let [low, high] = negated(min_of_ranges(turned));
                [low, high + deepest_dip(parts.len(), *blend)]
            }
            Self::Complement(of) => negated(of.range(center, radius)),
            Self::Shell(of, half) => {
                let [low, high] = of.range(center, radius);
                let nearest = low.max(-high).max(0.0);
                [nearest - half, low.abs().max(high.abs()) - half]
            }
            Self::Offset(of, by) => of.range(center, radius).map(|v| v - by),
            Self::Noise { of, amplitude, .. } => {
                let [low, high] = of.range(center, radius);
                [low - amplitude, high + amplitude]
            }
            Self::Reflect(of, axis, at) => of.range(mirrored(center, *axis, *at), radius),
            Self::Place { of, scale, .. } => {
                let inner = self.inner_place(center);
                of.range(inner, radius / scale).map(|v| v * scale)
            }
            // Exact distances change by no more than the way walked.
            _ => {
                let value = self.eval(center);
                [value - radius, value + radius]
            }
        }
    }

    /// A box round all places with a value of at most `level`.
    fn bounds_at(&self, level: f64) -> [V3; 2] {
        match self {
            Self::Sphere(center, radius) => grown([*center, *center], radius + level),
            Self::Ellipsoid(center, radii) => grown([center - radii, center + radii], level),
            Self::Box(center, half, _) => grown([center - half, center + half], level),
            Self::RoundCone(from, to, a, b) => {
                let [a, b] = [grown([*from, *from], *a), grown([*to, *to], *b)];
                grown([a[0].inf(&b[0]), a[1].sup(&b[1])], level)
            }
            Self::Tube(tube) => grown(tube.corners(), level),
            Self::HalfSpace(normal, offset) => half_space_bounds(normal, offset + level),
            Self::Union(parts, blend) => {
                let level = level + deepest_dip(parts.len(), *blend);
                let boxes = parts.iter().map(|part| part.bounds_at(level));
                boxes.fold(nowhere(), |a, b| [a[0].inf(&b[0]), a[1].sup(&b[1])])
            }
            Self::Intersection(parts, _) => {
                let boxes = parts.iter().map(|part| part.bounds_at(level));
                boxes.fold(everywhere(), |a, b| [a[0].sup(&b[0]), a[1].inf(&b[1])])
            }
            Self::Complement(_) => everywhere(),
            Self::Shell(of, half) => of.bounds_at(level + half),
            Self::Offset(of, by) => of.bounds_at(level + by),
            Self::Noise { of, amplitude, .. } => of.bounds_at(level + amplitude),
            Self::Reflect(of, axis, at) => {
                let [mut min, mut max] = of.bounds_at(level);
                (min[*axis], max[*axis]) = (2.0 * at - max[*axis], 2.0 * at - min[*axis]);
                [min, max]
            }
            Self::Place {
                of,
                turn,
                shift,
                scale,
            } => placed(of.bounds_at(level / scale), turn, shift, *scale),
        }
    }
}

pub(super) fn negated([low, high]: [f64; 2]) -> [f64; 2] {
    [-high, -low]
}

fn min_of_ranges(ranges: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    ranges.fold([f64::INFINITY; 2], |a, b| [a[0].min(b[0]), a[1].min(b[1])])
}

fn nowhere() -> [V3; 2] {
    [V3::repeat(f64::INFINITY), V3::repeat(f64::NEG_INFINITY)]
}

fn everywhere() -> [V3; 2] {
    [V3::repeat(f64::NEG_INFINITY), V3::repeat(f64::INFINITY)]
}

fn grown([min, max]: [V3; 2], by: f64) -> [V3; 2] {
    [min - V3::repeat(by), max + V3::repeat(by)]
}

/// Infinite but where the plane is square to an axis.
fn half_space_bounds(normal: &V3, offset: f64) -> [V3; 2] {
    let [mut min, mut max] = everywhere();
    for axis in 0..3 {
        if normal[axis] >= 1.0 {
            max[axis] = offset;
        } else if normal[axis] <= -1.0 {
            min[axis] = -offset;
        }
    }
    [min, max]
}

fn placed([min, max]: [V3; 2], turn: &Rotation3<f64>, shift: &V3, scale: f64) -> [V3; 2] {
    if *turn == Rotation3::identity() {
        return [min * scale + shift, max * scale + shift];
    }
    if (0..3).any(|a| min[a] > max[a]) {
        return nowhere();
    }
    if min.iter().chain(max.iter()).any(|v| !v.is_finite()) {
        return everywhere();
    }
    let (center, half) = ((min + max) * 0.5 * scale, (max - min) * 0.5 * scale);
    let reach = turn.matrix().abs() * half;
    let center = turn * center + shift;
    [center - reach, center + reach]
}
