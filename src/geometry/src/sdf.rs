//! Solids as signed-distance expressions: a tree of shapes and operations → a closed surface.
//!
//! Values are millimetres, negative inside. Shapes are exact distances; blends, noise and booleans
//! keep the sign exact and the size close (they never claim a surface nearer than the bounds used
//! here account for).
//!
//! ```
//! use geometry::sdf::{Expr, SurfaceLimits, surface};
//! let ball = |x: f64| Expr::Sphere { center: [x, 0.0, 0.0], radius_mm: 10.0 };
//! let peanut = Expr::Union { parts: vec![ball(-8.0), ball(8.0)], blend_mm: 4.0 };
//! let mesh = surface(&peanut, 0.5, &SurfaceLimits::default())?;
//! assert!(mesh.signed_volume_mm3() > 4188.0);
//! # Ok::<(), geometry::sdf::SdfError>(())
//! ```

mod fill;
mod lean;
mod noise;
mod sampling;
mod shapes;
mod solid;
#[cfg(test)]
mod tests;
mod tube;

use thiserror::Error;

use crate::polygonise::PolygoniseError;

pub use fill::{pool, swell, swell_within};
pub use sampling::{SurfaceLimits, surface};
pub use solid::{Bounds, Solid};
pub use tube::tube_course;

/// One of the patient's axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// To the left.
    X,
    /// To the back.
    Y,
    /// To the head.
    Z,
}

/// A point of a tube's centreline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TubePoint {
    /// Place, mm.
    pub place: [f64; 3],
    /// Radius there, mm.
    pub radius_mm: f64,
}

/// A solid. Places and lengths are patient millimetres (LPS), angles radians.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A ball.
    Sphere {
        /// Middle.
        center: [f64; 3],
        /// Radius.
        radius_mm: f64,
    },
    /// An ellipsoid along the axes.
    Ellipsoid {
        /// Middle.
        center: [f64; 3],
        /// Half-axes.
        radii_mm: [f64; 3],
    },
    /// A box along the axes.
    Box {
        /// Middle.
        center: [f64; 3],
        /// Half the edge lengths, rounding included.
        half_mm: [f64; 3],
        /// Radius of edges and corners; 0 leaves them sharp.
        rounding_mm: f64,
    },
    /// A cylinder with half-balls at its ends.
    Capsule {
        /// One end of the axis.
        from: [f64; 3],
        /// The other end.
        to: [f64; 3],
        /// Radius.
        radius_mm: f64,
    },
    /// The hull of two balls.
    RoundCone {
        /// Middle of the first ball.
        from: [f64; 3],
        /// Middle of the second.
        to: [f64; 3],
        /// Radius of the first.
        from_radius_mm: f64,
        /// Radius of the second.
        to_radius_mm: f64,
    },
    /// A ball of varying radius swept along a smooth curve (centripetal Catmull–Rom) through all
    /// points.
    Tube {
        /// At least two.
        points: Vec<TubePoint>,
    },
    /// Everything p with normal · p < offset. Has no bounds of its own: intersect it.
    HalfSpace {
        /// Direction out of the solid, of any length.
        normal: [f64; 3],
        /// Distance of the plane from the origin along the normal.
        offset_mm: f64,
    },
    /// All of the parts.
    Union {
        /// At least one.
        parts: Vec<Expr>,
        /// Width of the fillet between parts; 0 leaves creases.
        blend_mm: f64,
    },
    /// What the parts have in common.
    Intersection {
        /// At least one.
        parts: Vec<Expr>,
        /// Width of the rounding along the rims; 0 leaves creases.
        blend_mm: f64,
    },
    /// A solid without others.
    Difference {
        /// What is cut.
        of: Box<Expr>,
        /// What is taken away.
        cut: Vec<Expr>,
        /// Width of the rounding along the rims; 0 leaves creases.
        blend_mm: f64,
    },
    /// A wall, half of it on either side of the surface.
    Shell {
        /// Whose surface.
        of: Box<Expr>,
        /// Thickness.
        thickness_mm: f64,
    },
    /// Grown (or shrunk, where negative) on all sides.
    Offset {
        /// What is grown.
        of: Box<Expr>,
        /// By how much.
        by_mm: f64,
    },
    /// The surface moved in and out by smooth noise.
    Noise {
        /// What is roughened.
        of: Box<Expr>,
        /// Same seed, same shape.
        seed: u64,
        /// Largest displacement.
        amplitude_mm: f64,
        /// Typical distance between bumps.
        wavelength_mm: f64,
    },
    /// A solid together with its mirror image.
    Mirror {
        /// What is mirrored.
        of: Box<Expr>,
        /// Axis across the mirror.
        axis: Axis,
        /// Place of the mirror on that axis.
        at_mm: f64,
    },
    /// Only the mirror image.
    Reflect {
        /// What is mirrored.
        of: Box<Expr>,
        /// Axis across the mirror.
        axis: Axis,
        /// Place of the mirror on that axis.
        at_mm: f64,
    },
    /// Moved.
    Translate {
        /// What is moved.
        of: Box<Expr>,
        /// How far.
        by_mm: [f64; 3],
    },
    /// Turned, right-handed.
    Rotate {
        /// What is turned.
        of: Box<Expr>,
        /// A point on the axis.
        about: [f64; 3],
        /// Direction of the axis, of any length.
        axis: [f64; 3],
        /// Angle.
        angle_rad: f64,
    },
    /// Scaled about a point.
    Scale {
        /// What is scaled.
        of: Box<Expr>,
        /// The point that stays.
        about: [f64; 3],
        /// Factor, above 0.
        factor: f64,
    },
}

impl Expr {
    /// The node's name in error paths.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sphere { .. } => "sphere",
            Self::Ellipsoid { .. } => "ellipsoid",
            Self::Box { .. } => "box",
            Self::Capsule { .. } => "capsule",
            Self::RoundCone { .. } => "round_cone",
            Self::Tube { .. } => "tube",
            Self::HalfSpace { .. } => "half_space",
            Self::Union { .. } => "union",
            Self::Intersection { .. } => "intersection",
            Self::Difference { .. } => "difference",
            Self::Shell { .. } => "shell",
            Self::Offset { .. } => "offset",
            Self::Noise { .. } => "noise",
            Self::Mirror { .. } => "mirror",
            Self::Reflect { .. } => "reflect",
            Self::Translate { .. } => "translate",
            Self::Rotate { .. } => "rotate",
            Self::Scale { .. } => "scale",
        }
    }

    /// The solids this one is made from, in order; not those that it cuts away.
    fn children(&self) -> Vec<&Self> {
        match self {
            Self::Union { parts, .. } | Self::Intersection { parts, .. } => parts.iter().collect(),
            Self::Difference { of, .. }
            | Self::Shell { of, .. }
            | Self::Offset { of, .. }
            | Self::Noise { of, .. }
            | Self::Mirror { of, .. }
            | Self::Reflect { of, .. }
            | Self::Translate { of, .. }
            | Self::Rotate { of, .. }
            | Self::Scale { of, .. } => vec![of],
            _ => Vec::new(),
        }
    }
}

/// Why an expression gives no solid or no surface. `path` leads from the root of the tree to the
/// node, for example `union[1] > noise > sphere`.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SdfError {
    /// A number that cannot be.
    #[error("{path}: {name} is {value}, but must be {must_be}")]
    Parameter {
        /// The node.
        path: String,
        /// The field.
        name: &'static str,
        /// What it holds.
        value: f64,
        /// What it may hold.
        must_be: &'static str,
    },
    /// A list with too few entries.
    #[error("{path}: {name} has {count} entries, but needs at least {at_least}")]
    TooFew {
        /// The node.
        path: String,
        /// The list.
        name: &'static str,
        /// Entries present.
        count: usize,
        /// Entries needed.
        at_least: usize,
    },
    /// A tree nested beyond reason.
    #[error("{path}: the expression is nested more than {limit} deep")]
    TooDeep {
        /// The node.
        path: String,
        /// Levels allowed.
        limit: usize,
    },
    /// No bounded solid.
    #[error("{path}: the solid has no end; intersect the half-space with something finite")]
    Unbounded {
        /// The node that makes it so.
        path: String,
    },
    /// More is to be filled in than there is room for.
    #[error("{volume_ml} ml do not fit: there is room for {holds_ml:.0} ml")]
    Overfull {
        /// What was wanted, ml.
        volume_ml: f64,
        /// What fits, ml.
        holds_ml: f64,
    },
    /// Nothing inside at this resolution.
    #[error("the solid is empty, or thinner than the sampling of {resolution_mm} mm can see")]
    Empty {
        /// Distance between samples, mm.
        resolution_mm: f64,
    },
    /// The sampling grid would be too large.
    #[error(
        "a grid of {} × {} × {} samples is beyond the limit of {limit}; use a coarser resolution than {resolution_mm} mm",
        .dims[0], .dims[1], .dims[2]
    )]
    TooManySamples {
        /// Samples along each axis.
        dims: [u64; 3],
        /// Samples allowed.
        limit: u64,
        /// Distance between samples, mm.
        resolution_mm: f64,
    },
    /// The surface could not be made from the samples.
    #[error(transparent)]
    Polygonise(PolygoniseError),
}
