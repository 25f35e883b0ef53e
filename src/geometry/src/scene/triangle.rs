//! The one place where it is decided whether a line passes through a triangle.

use std::cmp::Ordering;

use super::ray::{Line, rounded, xy_axes};

/// A passage of a line through a triangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Meeting {
    /// Whole steps along the line.
    pub steps: f64,
    /// Weights of the second and third corner.
    pub barycentric: [f32; 2],
    /// From the outside to the inside.
    pub entering: bool,
}

/// A triangle's corners in the space in which the line is the z axis; `x[k]` is corner k's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheared {
    pub x: [f32; 3],
    pub y: [f32; 3],
    pub z: [f32; 3],
}

impl Sheared {
    #[inline(always)]
    pub fn of_corners(line: &Line, corners: [[f32; 3]; 3]) -> Self {
        let [x_axis, y_axis] = xy_axes(line.z_axis);
        let z = corners.map(|c| c[line.z_axis] - line.origin[line.z_axis]);
        let mut sheared = Self {
            x: [0.0; 3],
            y: [0.0; 3],
            z,
        };
        for k in 0..3 {
            sheared.x[k] = (corners[k][x_axis] - line.origin[x_axis]) - line.shear[0] * z[k];
            sheared.y[k] = (corners[k][y_axis] - line.origin[y_axis]) - line.shear[1] * z[k];
        }
        sheared
    }

    /// Whether the z axis passes through, and where.
    #[inline(always)]
    pub fn meet(&self, line: &Line) -> Option<Meeting> {
        let (x, y) = (self.x.map(f64::from), self.y.map(f64::from));
        let a = x[1] * y[2] - y[1] * x[2];
        let b = x[2] * y[0] - y[2] * x[0];
        let c = x[0] * y[1] - y[0] * x[1];
        if !self.same_sides(a, b, c) {
            return None;
        }
        let z = self.z.map(f64::from);
        let area = (a + b) + c;
        let per_area = 1.0 / area;
        let depth = ((a * z[0] + b * z[1]) + c * z[2]) * per_area;
        Some(Meeting {
            steps: rounded(depth * line.steps_per_z + line.start_steps),
            barycentric: [(b * per_area) as f32, (c * per_area) as f32],
            entering: (area < 0.0) == (line.steps_per_z > 0.0),
        })
    }

    /// Whether the axis is on the same side of all three edges, given their edge functions.
    #[inline(always)]
    fn same_sides(&self, a: f64, b: f64, c: f64) -> bool {
        if a != 0.0 && b != 0.0 && c != 0.0 {
            return (a > 0.0) == (b > 0.0) && (b > 0.0) == (c > 0.0);
        }
        self.same_sides_when_shifted(a, b, c)
    }

    #[cold]
    fn same_sides_when_shifted(&self, a: f64, b: f64, c: f64) -> bool {
        let side = self.side(a, 1, 2);
        side != Ordering::Equal && side == self.side(b, 2, 0) && side == self.side(c, 0, 1)
    }

    /// The side of edge (from, to) the axis is on. Where it is on the edge, the axis counts as
    /// shifted by (ε, ε²), which adds ε·(y_from − y_to) + ε²·(x_to − x_from) to the edge function.
    /// Reversing the edge reverses the answer. Equal: the edge is a point, the triangle a line.
    fn side(&self, edge: f64, from: usize, to: usize) -> Ordering {
        compare(edge, 0.0)
            .then(compare(self.y[from], self.y[to]))
            .then(compare(self.x[to], self.x[from]))
    }
}

fn compare<T: PartialOrd>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b)
        .expect("vertices, origins and slopes are bounded numbers, so nothing sheared is NaN")
}
