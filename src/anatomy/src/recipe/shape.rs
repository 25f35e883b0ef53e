//! The words in which a recipe says a solid, and what they mean.

use std::collections::BTreeMap;

use catalog::{Known, POSITIVE};
use geometry::sdf::{self, Expr, SdfError, TubePoint};

use super::{OWN, Place};

catalog::choice! {
    /// Axes of the patient.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Axis {
        /// To the left.
        X,
        /// To the back.
        Y,
        /// To the head.
        Z,
    }
}

catalog::choice! {
    /// A solid. Places and lengths in patient millimetres (LPS), angles in degrees.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Shape {
        /// The solid of a structure further up.
        Same(String [Known(OWN)]),
        /// A ball.
        Sphere {
            /// Middle.
            center: Place,
            /// Radius.
            radius: f64 [POSITIVE],
        },
        /// An ellipsoid along the axes.
        Ellipsoid {
            /// Middle.
            center: Place,
            /// Half-axes.
            radii: Place,
        },
        /// A box along the axes. Without rounding, and alone but for moves, its faces are exact
        /// at any resolution.
        Box {
            /// Middle.
            center: Place,
            /// Half the edge lengths.
            half: Place,
            /// Radius of edges and corners.
            rounding: f64 [0.0..=1000.0] = 0.0,
        },
        /// A cylinder with half-balls at its ends.
        Capsule {
            /// One end.
            from: Place,
            /// The other.
            to: Place,
            /// Radius.
            radius: f64 [POSITIVE],
        },
        /// The hull of two balls.
        RoundCone {
            /// Middle of the first ball.
            from: Place,
            /// Middle of the second.
            to: Place,
            /// Radius of the first.
            from_radius: f64 [POSITIVE],
            /// Radius of the second.
            to_radius: f64 [POSITIVE],
        },
        /// A ball of varying radius swept along a smooth curve.
        Tube {
            /// x, y, z and radius at points of the curve.
            points: Vec<(f64, f64, f64, f64)>,
        },
        /// Everything on one side of a plane.
        HalfSpace {
            /// Direction out of the solid.
            normal: Place,
            /// Distance of the plane from the origin along the normal.
            offset: f64,
        },
        /// All of the parts.
        Union {
            /// The parts.
            of: Vec<Shape>,
            /// Width of the fillet between them.
            blend: f64 [0.0..=1000.0] = 0.0,
        },
        /// What the parts have in common.
        Intersection {
            /// The parts.
            of: Vec<Shape>,
            /// Width of the rounding along rims.
            blend: f64 [0.0..=1000.0] = 0.0,
        },
        /// A solid without others.
        Difference {
            /// The solid.
            of: Box<Shape>,
            /// What is taken away.
            cut: Vec<Shape>,
            /// Width of the rounding along rims.
            blend: f64 [0.0..=1000.0] = 0.0,
        },
        /// A wall, half of it on either side of the surface.
        Shell {
            /// Whose surface.
            of: Box<Shape>,
            /// Thickness.
            thickness: f64 [POSITIVE],
        },
        /// Grown, or shrunk where negative.
        Offset {
            /// The solid.
            of: Box<Shape>,
            /// By how much.
            by: f64,
        },
        /// Roughened by smooth noise.
        Noise {
            /// The solid.
            of: Box<Shape>,
            /// Same seed, same shape.
            seed: u64,
            /// Largest displacement.
            amplitude: f64,
            /// Typical distance between bumps.
            wavelength: f64 [POSITIVE],
        },
        /// A solid together with its mirror image.
        Mirror {
            /// The solid.
            of: Box<Shape>,
            /// Axis across the mirror.
            axis: Axis,
            /// Place of the mirror on it.
            at: f64 = 0.0,
        },
        /// The mirror image alone.
        Reflect {
            /// The solid.
            of: Box<Shape>,
            /// Axis across the mirror.
            axis: Axis,
            /// Place of the mirror on it.
            at: f64 = 0.0,
        },
        /// Moved.
        Translate {
            /// The solid.
            of: Box<Shape>,
            /// How far.
            by: Place,
        },
        /// Turned, right-handed.
        Rotate {
            /// The solid.
            of: Box<Shape>,
            /// A point on the axis.
            about: Place,
            /// Direction of the axis.
            axis: Place,
            /// Angle, degrees.
            angle_deg: f64,
        },
        /// Scaled about a point.
        Scale {
            /// The solid.
            of: Box<Shape>,
            /// The point that stays.
            about: Place,
            /// Factor.
            factor: f64 [POSITIVE],
        },
        /// The part of a solid that lies lowest in a direction, as a fluid in a room does.
        Pool {
            /// The room.
            of: Box<Shape>,
            /// Where down is; gas rises with the opposite direction.
            towards: Place,
            /// How much there is, ml.
            volume_ml: f64 [POSITIVE],
        },
        /// A solid grown by a volume all round.
        Swell {
            /// The solid.
            of: Box<Shape>,
            /// By how much, ml.
            volume_ml: f64 [POSITIVE],
        },
    }
}

/// The solids of a recipe by id, worked out once each.
///
/// A solid may refer to any other; that nothing refers to itself has been checked.
pub(super) struct Solids<'a> {
    shapes: &'a BTreeMap<String, Shape>,
    done: BTreeMap<String, Expr>,
}

impl<'a> Solids<'a> {
    pub fn new(shapes: &'a BTreeMap<String, Shape>) -> Self {
        Self {
            shapes,
            done: BTreeMap::new(),
        }
    }

    /// The raw solid of a form or structure.
    pub fn named(&mut self, id: &str) -> Result<Expr, SdfError> {
        if let Some(done) = self.done.get(id) {
            return Ok(done.clone());
        }
        let shape = &self.shapes[id];
        let solid = self.expression(shape)?;
        self.done.insert(id.to_owned(), solid.clone());
        Ok(solid)
    }

    /// A structure's solid, cut by `cut`; a pool's room is cut before it is filled.
    pub fn structure(&mut self, id: &str, cut: &dyn Fn(Expr) -> Expr) -> Result<Expr, SdfError> {
        let shape = &self.shapes[id];
        if let Shape::Pool {
            of,
            towards,
            volume_ml,
        } = shape
        {
            let room = cut(self.expression(of)?);
            return sdf::pool(room, *towards, volume_ml * MM3_PER_ML);
        }
        self.named(id).map(cut)
    }

    fn expression(&mut self, shape: &Shape) -> Result<Expr, SdfError> {
        Ok(match shape {
            Shape::Same(id) => return self.named(id),
            Shape::Sphere { center, radius } => Expr::Sphere {
                center: *center,
                radius_mm: *radius,
            },
            Shape::Ellipsoid { center, radii } => Expr::Ellipsoid {
                center: *center,
                radii_mm: *radii,
            },
            Shape::Box {
                center,
                half,
                rounding,
            } => Expr::Box {
                center: *center,
                half_mm: *half,
                rounding_mm: *rounding,
            },
            Shape::Capsule { from, to, radius } => Expr::Capsule {
                from: *from,
                to: *to,
                radius_mm: *radius,
            },
            Shape::RoundCone {
                from,
                to,
                from_radius,
                to_radius,
            } => Expr::RoundCone {
                from: *from,
                to: *to,
                from_radius_mm: *from_radius,
                to_radius_mm: *to_radius,
            },
            Shape::Tube { points } => {
                let point = |&(x, y, z, r): &_| TubePoint {
                    place: [x, y, z],
                    radius_mm: r,
                };
                Expr::Tube {
                    points: points.iter().map(point).collect(),
                }
            }
            Shape::HalfSpace { normal, offset } => Expr::HalfSpace {
                normal: *normal,
                offset_mm: *offset,
            },
            Shape::Union { of, blend } => Expr::Union {
                parts: self.all(of)?,
                blend_mm: *blend,
            },
            Shape::Intersection { of, blend } => Expr::Intersection {
                parts: self.all(of)?,
                blend_mm: *blend,
            },
            Shape::Difference { of, cut, blend } => Expr::Difference {
                of: self.one(of)?,
                cut: self.all(cut)?,
                blend_mm: *blend,
            },
            Shape::Shell { of, thickness } => Expr::Shell {
                of: self.one(of)?,
                thickness_mm: *thickness,
            },
            Shape::Offset { of, by } => Expr::Offset {
                of: self.one(of)?,
                by_mm: *by,
            },
            Shape::Noise {
                of,
                seed,
                amplitude,
                wavelength,
            } => Expr::Noise {
                of: self.one(of)?,
                seed: *seed,
                amplitude_mm: *amplitude,
                wavelength_mm: *wavelength,
            },
            Shape::Mirror { of, axis, at } => Expr::Mirror {
                of: self.one(of)?,
                axis: (*axis).into(),
                at_mm: *at,
            },
            Shape::Reflect { of, axis, at } => Expr::Reflect {
                of: self.one(of)?,
                axis: (*axis).into(),
                at_mm: *at,
            },
            Shape::Translate { of, by } => Expr::Translate {
                of: self.one(of)?,
                by_mm: *by,
            },
            Shape::Rotate {
                of,
                about,
                axis,
                angle_deg,
            } => Expr::Rotate {
                of: self.one(of)?,
                about: *about,
                axis: *axis,
                angle_rad: angle_deg.to_radians(),
            },
            Shape::Scale { of, about, factor } => Expr::Scale {
                of: self.one(of)?,
                about: *about,
                factor: *factor,
            },
            Shape::Pool {
                of,
                towards,
                volume_ml,
            } => return sdf::pool(*self.one(of)?, *towards, volume_ml * MM3_PER_ML),
            Shape::Swell { of, volume_ml } => {
                return sdf::swell(*self.one(of)?, volume_ml * MM3_PER_ML);
            }
        })
    }
    fn one(&mut self, shape: &Shape) -> Result<Box<Expr>, SdfError> {
        self.expression(shape).map(Box::new)
    }

    fn all(&mut self, shapes: &[Shape]) -> Result<Vec<Expr>, SdfError> {
        shapes.iter().map(|shape| self.expression(shape)).collect()
    }
}

const MM3_PER_ML: f64 = 1000.0;

impl Shape {
    /// Ids that the shape refers to.
    pub(super) fn references<'s>(&'s self, found: &mut Vec<&'s str>) {
        match self {
            Self::Same(id) => found.push(id),
            Self::Union { of, .. } | Self::Intersection { of, .. } => {
                of.iter().for_each(|part| part.references(found));
            }
            Self::Difference { of, cut, .. } => {
                of.references(found);
                cut.iter().for_each(|part| part.references(found));
            }
            Self::Shell { of, .. }
            | Self::Offset { of, .. }
            | Self::Noise { of, .. }
            | Self::Mirror { of, .. }
            | Self::Reflect { of, .. }
            | Self::Translate { of, .. }
            | Self::Rotate { of, .. }
            | Self::Scale { of, .. }
            | Self::Pool { of, .. }
            | Self::Swell { of, .. } => of.references(found),
            Self::Sphere { .. }
            | Self::Ellipsoid { .. }
            | Self::Box { .. }
            | Self::Capsule { .. }
            | Self::RoundCone { .. }
            | Self::Tube { .. }
            | Self::HalfSpace { .. } => {}
        }
    }
}

impl From<Axis> for sdf::Axis {
    fn from(axis: Axis) -> Self {
        match axis {
            Axis::X => Self::X,
            Axis::Y => Self::Y,
            Axis::Z => Self::Z,
        }
    }
}
