//! Exact distances to the simple shapes, mm, negative inside.

use nalgebra::{Vector2, Vector3};

type V3 = Vector3<f64>;

/// Box about the origin; `rounding` is part of `half`.
pub(super) fn rounded_box(p: V3, half: V3, rounding: f64) -> f64 {
    let beyond = p.abs() - half + V3::repeat(rounding);
    beyond.map(|v| v.max(0.0)).norm() + beyond.max().min(0.0) - rounding
}

/// Hull of two balls, with what does not depend on the point worked out.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoundCone {
    from: V3,
    to: V3,
    r_from: f64,
    r_to: f64,
    axis: V3,
    length: f64,
    sine: f64,
    cosine: f64,
}

impl RoundCone {
    pub fn new(from: V3, to: V3, r_from: f64, r_to: f64) -> Self {
        let axis = to - from;
        let length = axis.norm();
        let sine = (r_from - r_to) / length;
        Self {
            from,
            to,
            r_from,
            r_to,
            axis,
            length,
            sine,
            cosine: (1.0 - sine * sine).sqrt(),
        }
    }

    /// Seen in the plane through the axis and the point, the mantle is the common tangent of two
    /// circles; which of the three parts is nearest is decided by the place along it.
    pub fn distance(&self, p: V3) -> f64 {
        let to_from = || (p - self.from).norm() - self.r_from;
        let to_to = || (p - self.to).norm() - self.r_to;
        if self.length <= (self.r_from - self.r_to).abs() {
            return to_from().min(to_to());
        }
        let along = (p - self.from).dot(&self.axis) / self.length;
        let across = (p - self.from).cross(&self.axis).norm() / self.length;
        let q = Vector2::new(across, along);
        let on_tangent = q.dot(&Vector2::new(-self.sine, self.cosine));
        if on_tangent < 0.0 {
            to_from()
        } else if on_tangent > self.cosine * self.length {
            to_to()
        } else {
            q.dot(&Vector2::new(self.cosine, self.sine)) - self.r_from
        }
    }
}

/// Distance to the hull of two balls.
pub(super) fn round_cone(p: V3, from: V3, to: V3, r_from: f64, r_to: f64) -> f64 {
    RoundCone::new(from, to, r_from, r_to).distance(p)
}

/// Ellipsoid about the origin. The nearest surface point is x_i = e_i² y_i / (t + e_i²) for the one
/// root t > −min e² of Σ (e_i y_i / (t + e_i²))² = 1 (Eberly, "Distance from a point to an ellipse,
/// an ellipsoid, or a hyperellipsoid", 2013). The sum is convex and falls with t, so Newton from
/// the left climbs to the root without overshooting.
pub(super) fn ellipsoid(p: V3, radii: V3) -> f64 {
    const NEWTON_STEPS: usize = 60;
    // On a plane of symmetry the nearest point may lie off it; a hair's breadth decides the side.
    let y = p.abs().zip_map(&radii, |c, e| c.max(1e-9 * e));
    let squares = radii.component_mul(&radii);
    let mut t = (0..3)
        .map(|a| radii[a] * y[a] - squares[a])
        .fold(f64::NEG_INFINITY, f64::max);
    for _ in 0..NEWTON_STEPS {
        let (mut value, mut slope) = (-1.0, 0.0);
        for a in 0..3 {
            let term = radii[a] * y[a] / (t + squares[a]);
            value += term * term;
            slope -= 2.0 * term * term / (t + squares[a]);
        }
        let step = -value / slope;
        if step.is_nan() || step <= 1e-13 * squares.max() {
            break;
        }
        t += step;
    }
    let nearest = V3::from_fn(|a, _| squares[a] * y[a] / (t + squares[a]));
    let distance = (y - nearest).norm();
    let inside = p.component_div(&radii).norm_squared() < 1.0;
    if inside { -distance } else { distance }
}
