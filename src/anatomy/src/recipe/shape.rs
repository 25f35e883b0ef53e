//! The words in which a recipe says a solid, and what they mean.

use std::collections::BTreeMap;

use catalog::{Known, POSITIVE};
use geometry::sdf::{self, Expr, SdfError, TubePoint};
use thiserror::Error;

use super::settle::{Balls, settle};
use super::{OWN, Place};

/// Why a shape is no solid.
#[derive(Debug, Error)]
pub enum SolidError {
    /// Its expression is none.
    #[error(transparent)]
    Expression(#[from] SdfError),
    /// More balls than find room side by side.
    #[error("{}", crowded(*count, *diameter_mm, *fit, *fit_mm))]
    Crowded {
        /// How many were asked for.
        count: usize,
        /// How wide each is.
        diameter_mm: f64,
        /// How many of that size find room.
        fit: usize,
        /// The size of which as many as asked for find room.
        fit_mm: Option<f64>,
    },
    /// Others cut away too much of it.
    #[error(
        "{volume_ml:.1} ml do not fit there: what it has to lie in, or keep clear of, would leave {left_ml:.1} ml; make it smaller"
    )]
    Cut {
        /// How much there is of it.
        volume_ml: f64,
        /// How much would be left.
        left_ml: f64,
    },
}

impl SolidError {
    /// As told of a body that is stretched afterwards, its volumes by `factor`.
    #[must_use]
    pub(super) fn stretched(self, factor: f64) -> Self {
        let length = factor.cbrt();
        match self {
            Self::Expression(SdfError::Overfull {
                volume_ml,
                holds_ml,
            }) => Self::Expression(SdfError::Overfull {
                volume_ml: rounded(volume_ml * factor),
                holds_ml: holds_ml * factor,
            }),
            Self::Crowded {
                count,
                diameter_mm,
                fit,
                fit_mm,
            } => Self::Crowded {
                count,
                diameter_mm: diameter_mm * length,
                fit,
                fit_mm: fit_mm.map(|mm| mm * length),
            },
            Self::Cut { volume_ml, left_ml } => Self::Cut {
                volume_ml: volume_ml * factor,
                left_ml: left_ml * factor,
            },
            other @ Self::Expression(_) => other,
        }
    }
}

/// What was asked for, without what stretching there and back has left of rounding.
fn rounded(ml: f64) -> f64 {
    (ml * 1e6).round() / 1e6
}

fn crowded(count: usize, diameter_mm: f64, fit: usize, fit_mm: Option<f64>) -> String {
    let there = match fit {
        0 => "there is no room for one".to_owned(),
        _ => format!("there is room for {fit}"),
    };
    // Down to a tenth, that what is told does fit.
    let smaller = fit_mm.map_or_else(String::new, |mm| {
        format!(", or for {count} of {:.1} mm", (mm * 10.0).floor() / 10.0)
    });
    format!(
        "{count} of {} mm do not fit: {there}{smaller}",
        (diameter_mm * 100.0).round() / 100.0
    )
}

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
        /// Balls of one size that have sunk in a room and lie side by side, as stones do.
        Balls {
            /// The room.
            of: Box<Shape>,
            /// Where down is.
            towards: Place,
            /// How many.
            count: u32 [1..=200],
            /// How wide each is.
            diameter: f64 [POSITIVE],
            /// How far they stay from each other and from the wall.
            gap: f64 [0.0..=10.0] = 0.0,
        },
        /// A solid grown by a volume all round.
        Swell {
            /// The solid.
            of: Box<Shape>,
            /// By how much, ml.
            volume_ml: f64 [POSITIVE],
            /// What does not give way: it grows only in there, by as much.
            within: Option<Box<Shape>> = None,
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
    pub fn named(&mut self, id: &str) -> Result<Expr, SolidError> {
        if let Some(done) = self.done.get(id) {
            return Ok(done.clone());
        }
        let shape = &self.shapes[id];
        let solid = self.expression(shape)?;
        self.done.insert(id.to_owned(), solid.clone());
        Ok(solid)
    }

    /// Whether a solid fills a room.
    pub fn fills(&self, id: &str) -> bool {
        self.shapes[id].fills()
    }

    /// A structure's solid, cut by `cut`; a room is cut before it is filled.
    pub fn structure(&mut self, id: &str, cut: &dyn Fn(Expr) -> Expr) -> Result<Expr, SolidError> {
        let shape = &self.shapes[id];
        if let Some(room) = shape.room() {
            let room = cut(self.expression(room)?);
            return shape.filling(room);
        }
        self.named(id).map(cut)
    }

    fn expression(&mut self, shape: &Shape) -> Result<Expr, SolidError> {
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
            Shape::Pool { of, .. } | Shape::Balls { of, .. } => {
                let room = self.expression(of)?;
                return shape.filling(room);
            }
            Shape::Swell {
                of,
                volume_ml,
                within: Some(room),
            } => {
                let (of, room) = (self.expression(of)?, self.expression(room)?);
                return Ok(sdf::swell_within(of, room, volume_ml * MM3_PER_ML)?);
            }
            Shape::Swell { of, volume_ml, .. } => {
                return Ok(sdf::swell(*self.one(of)?, volume_ml * MM3_PER_ML)?);
            }
        })
    }

    fn one(&mut self, shape: &Shape) -> Result<Box<Expr>, SolidError> {
        self.expression(shape).map(Box::new)
    }

    fn all(&mut self, shapes: &[Shape]) -> Result<Vec<Expr>, SolidError> {
        shapes.iter().map(|shape| self.expression(shape)).collect()
    }
}

const MM3_PER_ML: f64 = 1000.0;

impl Shape {
    /// The room that it fills in part.
    fn room(&self) -> Option<&Self> {
        match self {
            Self::Pool { of, .. } | Self::Balls { of, .. } => Some(of),
            _ => None,
        }
    }

    /// Whether it fills a room: what cuts it cuts the room, and not what is in there.
    pub(super) fn fills(&self) -> bool {
        self.room().is_some()
    }

    /// What lies in its room; every other shape is the room itself.
    fn filling(&self, room: Expr) -> Result<Expr, SolidError> {
        match self {
            Self::Pool {
                towards, volume_ml, ..
            } => Ok(sdf::pool(room, *towards, volume_ml * MM3_PER_ML)?),
            Self::Balls {
                towards,
                count,
                diameter,
                gap,
                ..
            } => {
                let balls = Balls {
                    count: *count as usize,
                    diameter_mm: *diameter,
                    gap_mm: *gap,
                };
                settle(&room, *towards, balls)
            }
            _ => Ok(room),
        }
    }

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
            | Self::Balls { of, .. } => of.references(found),
            Self::Swell { of, within, .. } => {
                of.references(found);
                within.iter().for_each(|room| room.references(found));
            }
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
