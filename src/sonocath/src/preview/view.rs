//! From the patient to the picture: orthographic views along the patient's axes.

use geometry::{Aabb, Patient, Point};

/// A patient axis with its sense, e.g. "towards the patient's left" = +x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Direction {
    /// 0 = x (left), 1 = y (posterior), 2 = z (superior).
    pub axis: usize,
    /// 1 or −1.
    pub sign: f64,
}

impl Direction {
    const fn new(axis: usize, sign: f64) -> Self {
        Self { axis, sign }
    }
    /// Component of a place along this direction, mm.
    pub fn along(self, place: [f64; 3]) -> f64 {
        self.sign * place[self.axis]
    }
    /// The letter at the end of the axis: R, L, A, P, S or I.
    pub fn letter(self) -> &'static str {
        let [minus, plus] = [["R", "L"], ["A", "P"], ["I", "S"]][self.axis];
        if self.sign > 0.0 { plus } else { minus }
    }
    /// The other way.
    pub fn reversed(self) -> Self {
        Self::new(self.axis, -self.sign)
    }
}

/// Which patient directions run to the right and up in the picture, and towards the viewer
/// (right × up = toward, so nothing is mirrored).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// To the right in the picture.
    pub right: Direction,
    /// Up in the picture.
    pub up: Direction,
    /// Out of the picture.
    pub toward: Direction,
}

impl View {
    /// From the front, as coronal cuts are read: patient's right on the left, head up.
    pub const FRONT: Self = Self {
        right: Direction::new(0, 1.0),
        up: Direction::new(2, 1.0),
        toward: Direction::new(1, -1.0),
    };
    /// From the patient's right side: front of the body on the right, head up.
    pub const RIGHT_SIDE: Self = Self {
        right: Direction::new(1, -1.0),
        up: Direction::new(2, 1.0),
        toward: Direction::new(0, -1.0),
    };
    /// Axial cuts, seen from the feet: patient's right on the left, front of the body up.
    pub const AXIAL: Self = Self {
        right: Direction::new(0, 1.0),
        up: Direction::new(1, -1.0),
        toward: Direction::new(2, -1.0),
    };
    /// Sagittal cuts, seen from the patient's left: front of the body on the left, head up.
    pub const SAGITTAL: Self = Self {
        right: Direction::new(1, 1.0),
        up: Direction::new(2, 1.0),
        toward: Direction::new(0, 1.0),
    };
}

/// A box of the patient in double precision, so that no difference of coordinates overflows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Smallest corner, mm.
    pub min: [f64; 3],
    /// Largest corner, mm.
    pub max: [f64; 3],
}

impl Extent {
    /// Half a metre about the origin, for a sheet without anything on it.
    pub const DEFAULT: Self = Self {
        min: [-250.0; 3],
        max: [250.0; 3],
    };

    /// The box of everything; `None` without any box.
    pub fn of(boxes: impl Iterator<Item = Aabb>) -> Option<Self> {
        let all = boxes.reduce(|a, b| a.union(&b))?;
        Some(Self {
            min: all.min.map(f64::from),
            max: all.max.map(f64::from),
        })
    }
    /// Its middle, mm.
    pub fn center(&self) -> [f64; 3] {
        std::array::from_fn(|a| 0.5 * (self.min[a] + self.max[a]))
    }
    /// Its edge along an axis, mm; never 0, so that scales stay finite.
    pub fn length(&self, axis: usize) -> f64 {
        let resolution = 1e-6 * self.min[axis].abs().max(self.max[axis].abs());
        (self.max[axis] - self.min[axis]).max(resolution).max(1e-3)
    }
    /// `place` moved into the box.
    pub fn clamp(&self, place: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|a| place[a].clamp(self.min[a], self.max[a]))
    }
}

/// Where patient places fall on a picture of `size` points.
#[derive(Clone, Copy, Debug)]
pub struct Projection {
    /// The view.
    pub view: View,
    /// The place shown in the middle, mm.
    pub center_mm: [f64; 3],
    /// Scale.
    pub px_per_mm: f64,
    /// Width and height, points.
    pub size: [usize; 2],
}

impl Projection {
    /// Picture x (to the right) and y (down) in points, and depth away from the viewer in mm.
    pub fn project(&self, place: [f64; 3]) -> [f64; 3] {
        let from_center: [f64; 3] = std::array::from_fn(|a| place[a] - self.center_mm[a]);
        let [w, h] = self.size.map(|s| s as f64);
        [
            0.5 * w + self.px_per_mm * self.view.right.along(from_center),
            0.5 * h - self.px_per_mm * self.view.up.along(from_center),
            -self.view.toward.along(from_center),
        ]
    }
    /// [`Self::project`] for a typed place.
    pub fn project_point(&self, place: Point<Patient>) -> [f64; 3] {
        self.project(place.to_array())
    }
    /// The same picture with `factor` points for each.
    pub fn enlarged(&self, factor: usize) -> Self {
        Self {
            px_per_mm: self.px_per_mm * factor as f64,
            size: self.size.map(|s| s * factor),
            ..*self
        }
    }
}

/// The scale at which a box seen in `view` fills `room` points, points per mm.
pub fn fitting_scale(extent: &Extent, view: View, room: [f64; 2]) -> f64 {
    let across = room[0] / extent.length(view.right.axis);
    let along = room[1] / extent.length(view.up.axis);
    across.min(along)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cross(a: Direction, b: Direction) -> [f64; 3] {
        let unit = |d: Direction| {
            let mut v = [0.0; 3];
            v[d.axis] = d.sign;
            v
        };
        let (a, b) = (unit(a), unit(b));
        std::array::from_fn(|i| {
            let (j, k) = ((i + 1) % 3, (i + 2) % 3);
            a[j] * b[k] - a[k] * b[j]
        })
    }

    #[test]
    fn no_view_is_mirrored() {
        for view in [View::FRONT, View::RIGHT_SIDE, View::AXIAL, View::SAGITTAL] {
            let toward = cross(view.right, view.up);
            assert_eq!(view.toward.along(toward), 1.0, "{view:?}");
        }
    }

    #[test]
    fn radiological_letters_stand_where_they_belong() {
        let edges =
            |v: View| [v.right.reversed(), v.right, v.up, v.up.reversed()].map(Direction::letter);
        assert_eq!(edges(View::AXIAL), ["R", "L", "A", "P"]);
        assert_eq!(edges(View::FRONT), ["R", "L", "S", "I"]);
        assert_eq!(edges(View::SAGITTAL), ["A", "P", "S", "I"]);
        assert_eq!(edges(View::RIGHT_SIDE), ["P", "A", "S", "I"]);
    }
}
