//! Rays, and what is prepared once per ray before triangles are met.

use crate::frame::{Point, Vector};

use super::tree::Tree;
use super::triangle::{Meeting, Sheared};
use super::{MAX_COORDINATE_MM, SceneError};

/// A half-line with a length: checked, its direction of length 1.
#[derive(Debug)]
pub struct Ray<F> {
    origin: Point<F>,
    direction: Vector<F>,
    t_max_mm: f64,
}

impl<F> Clone for Ray<F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F> Copy for Ray<F> {}

impl<F> Ray<F> {
    /// An endless ray; the direction is scaled to length 1.
    ///
    /// # Errors
    /// [`SceneError::BadOrigin`], [`SceneError::BadDirection`].
    pub fn new(origin: Point<F>, direction: Vector<F>) -> Result<Self, SceneError> {
        let place = origin.to_array();
        if !place.iter().all(|c| c.abs() <= MAX_COORDINATE_MM) {
            return Err(SceneError::BadOrigin { place });
        }
        let unit = unit(direction).ok_or(SceneError::BadDirection {
            direction: direction.to_array(),
        })?;
        Ok(Self {
            origin,
            direction: unit,
            t_max_mm: f64::INFINITY,
        })
    }

    /// The same ray, ending at `t_max_mm` from its origin; crossings there still count.
    ///
    /// # Errors
    /// [`SceneError::BadLength`].
    pub fn until_mm(self, t_max_mm: f64) -> Result<Self, SceneError> {
        if t_max_mm >= 0.0 {
            Ok(Self { t_max_mm, ..self })
        } else {
            Err(SceneError::BadLength { t_max_mm })
        }
    }

    /// Where it starts.
    pub fn origin(&self) -> Point<F> {
        self.origin
    }
    /// Where it goes; length 1.
    pub fn direction(&self) -> Vector<F> {
        self.direction
    }
    /// Its length, mm; infinite unless set.
    pub fn t_max_mm(&self) -> f64 {
        self.t_max_mm
    }
    /// The place `t_mm` along the ray.
    pub fn at(&self, t_mm: f64) -> Point<F> {
        self.origin + self.direction * t_mm
    }
}

/// Scaled twice, since the length of very long or short directions overflows or loses digits.
fn unit<F>(direction: Vector<F>) -> Option<Vector<F>> {
    let largest = direction.coords.amax();
    if !(largest.is_finite() && largest > 0.0) {
        return None;
    }
    Vector::from_coords(direction.coords / largest).normalized()
}

/// `t_mm` is stored as a whole number of these per millimetre.
pub(super) const STEPS_PER_MM: f64 = (1_u64 << 20) as f64;

/// Adding and subtracting this rounds a double of size below 2⁵¹ to a whole number.
const ROUNDER: f64 = 1.5 * (1_u64 << 52) as f64;

/// Whole number nearest to `x`, for |x| < 2⁵¹.
#[inline(always)]
pub(super) fn rounded(x: f64) -> f64 {
    (x + ROUNDER) - ROUNDER
}

/// How the medium at the ray's origin is found: by all passes on one side of it. For closed
/// surfaces both sides give the same; the one with less scene in it is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartFrom {
    /// Passes behind the origin are counted.
    Behind,
    /// Passes ahead are counted, also those beyond the ray's end.
    Ahead,
}

/// A ray prepared for meeting triangles: the axis along which it runs fastest becomes z, and x and
/// y are sheared so that the ray is x = y = 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub origin: [f32; 3],
    pub direction: [f64; 3],
    /// The axis that becomes z; x and y follow it cyclically.
    pub z_axis: usize,
    /// Slopes of x and y over z.
    pub shear: [f32; 2],
    /// t per z, in steps.
    pub steps_per_z: f64,
    /// t of the rounded origin, in steps.
    pub start_steps: f64,
    /// Last t that counts, in steps.
    pub end_steps: f64,
    pub start_from: StartFrom,
}

/// x and y axes for a z axis.
#[inline(always)]
pub(super) fn xy_axes(z_axis: usize) -> [usize; 2] {
    [[1, 2], [2, 0], [0, 1]][z_axis]
}

impl Line {
    pub fn new<F>(ray: &Ray<F>, tree: &Tree) -> Self {
        let mut line = Self::through(ray.origin.to_array(), ray.direction.to_array());
        line.end_steps = ray.t_max_mm * STEPS_PER_MM;
        let (entry_mm, exit_mm) = tree.span_along(ray.origin.to_array(), line.direction);
        let (behind_mm, beyond_mm) = (-entry_mm, exit_mm - ray.t_max_mm);
        if behind_mm.max(0.0) < beyond_mm {
            line.start_from = StartFrom::Behind;
        }
        line
    }

    /// From `place` the shortest way out of the tree's box, with no crossing kept: all are counted
    /// as passes. `None` if the place is outside the box, and so outside all surfaces.
    pub fn outward<F>(place: Point<F>, tree: &Tree) -> Option<Self> {
        let place = place.to_array();
        let mut nearest = (f64::INFINITY, [0.0; 3]);
        for axis in 0..3 {
            let (min, max) = (tree.bounds.min[axis].into(), tree.bounds.max[axis].into());
            if !(place[axis] >= min && place[axis] <= max) {
                return None;
            }
            for (distance, sign) in [(place[axis] - min, -1.0), (max - place[axis], 1.0)] {
                if distance < nearest.0 {
                    let mut direction = [0.0; 3];
                    direction[axis] = sign;
                    nearest = (distance, direction);
                }
            }
        }
        let mut line = Self::through(place, nearest.1);
        line.end_steps = f64::NEG_INFINITY;
        Some(line)
    }

    fn through(origin: [f64; 3], direction: [f64; 3]) -> Self {
        let magnitude = direction.map(f64::abs);
        let z_axis = if magnitude[0] >= magnitude[1] && magnitude[0] >= magnitude[2] {
            0
        } else if magnitude[1] >= magnitude[2] {
            1
        } else {
            2
        };
        let per_z = 1.0 / direction[z_axis];
        let rounded_origin = origin.map(|c| c as f32);
        let start_mm: f64 = (0..3)
            .map(|a| (f64::from(rounded_origin[a]) - origin[a]) * direction[a])
            .sum();
        Self {
            origin: rounded_origin,
            direction,
            z_axis,
            shear: xy_axes(z_axis).map(|a| (direction[a] * per_z) as f32),
            steps_per_z: per_z * STEPS_PER_MM,
            start_steps: start_mm * STEPS_PER_MM,
            end_steps: f64::INFINITY,
            start_from: StartFrom::Ahead,
        }
    }

    /// Where the whole line passes through a triangle, if it does.
    #[inline(always)]
    pub fn meet(&self, corners: [[f32; 3]; 3]) -> Option<Meeting> {
        Sheared::of_corners(self, corners).meet(self)
    }

    /// The range of t, mm, in which passes have to be found.
    pub fn range_mm(&self) -> (f64, f64) {
        match self.start_from {
            StartFrom::Ahead => (0.0, f64::INFINITY),
            StartFrom::Behind => (f64::NEG_INFINITY, self.end_steps / STEPS_PER_MM),
        }
    }
}
