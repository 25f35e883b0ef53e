//! Closest point and signed distance on one mesh.
//!
//! Inside and outside are told by the generalised winding number summed over all triangles'
//! solid angles (van Oosterom & Strackee 1983), which also gives a usable answer where the surface
//! has holes. It costs a pass over the mesh; ask [`SurfaceQuery::closest`] where the sign is known.

use crate::bvh::Bvh;
use crate::frame::{Point, Vector};
use crate::mesh::{Aabb, TriMesh};

/// A place on a surface.
#[derive(Clone, Copy, Debug)]
pub struct SurfacePoint<F> {
    /// The place, mm.
    pub point: Point<F>,
    /// The triangle it lies on.
    pub triangle: u32,
    /// Weights of the triangle's three corners; they sum to 1.
    pub barycentric: [f64; 3],
    /// Distance from the query point, mm, never negative.
    pub distance_mm: f64,
}

/// Distance queries on one mesh. Borrow it, build once, ask often.
#[derive(Clone, Debug)]
pub struct SurfaceQuery<'a, F> {
    mesh: &'a TriMesh<F>,
    bvh: Bvh,
}

impl<'a, F> SurfaceQuery<'a, F> {
    /// Builds the tree over the mesh's triangles.
    pub fn new(mesh: &'a TriMesh<F>) -> Self {
        let boxes: Vec<Aabb> = (0..mesh.triangles().len())
            .map(|t| Aabb::of_points(&mesh.corners(t)))
            .collect();
        Self {
            mesh,
            bvh: Bvh::build(&boxes),
        }
    }

    /// The mesh that is asked.
    pub fn mesh(&self) -> &'a TriMesh<F> {
        self.mesh
    }

    /// The closest place on the surface.
    ///
    /// # Panics
    /// If a coordinate of `query` is not a number.
    pub fn closest(&self, query: Point<F>) -> SurfacePoint<F> {
        self.closest_within(query, f64::INFINITY)
            .expect("a mesh has a triangle, its vertices are finite, and so must the query be")
    }

    /// The closest place on the surface nearer than `limit_mm`, if any.
    pub fn closest_within(&self, query: Point<F>, limit_mm: f64) -> Option<SurfacePoint<F>> {
        let squared = |t: u32| {
            let (point, _) = closest_on_triangle(query, self.corners(t));
            (point - query).dot(&(point - query))
        };
        let (triangle, _) = self
            .bvh
            .nearest(query.to_array(), limit_mm * limit_mm, squared)?;
        let (point, barycentric) = closest_on_triangle(query, self.corners(triangle));
        Some(SurfacePoint {
            point,
            triangle,
            barycentric,
            distance_mm: point.distance(&query),
        })
    }

    /// Times the surface winds round `query`: 1 inside a closed outward surface, 0 outside.
    pub fn winding_number(&self, query: Point<F>) -> f64 {
        winding_number(
            (0..self.mesh.triangles().len() as u32).map(|t| self.corners(t)),
            query,
        )
    }

    /// Distance to the surface, mm: negative inside, positive outside.
    pub fn signed_distance_mm(&self, query: Point<F>) -> f64 {
        let distance = self.closest(query).distance_mm;
        if self.winding_number(query) > 0.5 {
            -distance
        } else {
            distance
        }
    }

    /// Radius of the largest sphere about `center` that the surface does not enter, mm; 0 outside.
    pub fn inscribed_radius_mm(&self, center: Point<F>) -> f64 {
        (-self.signed_distance_mm(center)).max(0.0)
    }

    fn corners(&self, triangle: u32) -> [Point<F>; 3] {
        self.mesh.corners(triangle as usize).map(Point::from_f32)
    }
}

/// Times some triangles wind round `query`: the sum of their signed solid angles over 4π.
pub fn winding_number<F>(triangles: impl Iterator<Item = [Point<F>; 3]>, query: Point<F>) -> f64 {
    let solid_angle = |corners: [Point<F>; 3]| {
        let [a, b, c] = corners.map(|p| p - query);
        let (la, lb, lc) = (a.norm(), b.norm(), c.norm());
        let numerator = a.dot(&b.cross(&c));
        let denominator = la * lb * lc + a.dot(&b) * lc + b.dot(&c) * la + c.dot(&a) * lb;
        2.0 * numerator.atan2(denominator)
    };
    triangles.map(solid_angle).sum::<f64>() / (4.0 * std::f64::consts::PI)
}

/// The closest point of a triangle to `p`, with the corner weights (Ericson, Real-Time Collision
/// Detection, 2005, §5.1.5: the region of the triangle's Voronoi diagram decides).
pub fn closest_on_triangle<F>(p: Point<F>, [a, b, c]: [Point<F>; 3]) -> (Point<F>, [f64; 3]) {
    let at = |u: f64, v: f64, w: f64| {
        (
            Point::from_coords(a.coords * u + b.coords * v + c.coords * w),
            [u, v, w],
        )
    };
    let (ab, ac, ap): (Vector<F>, Vector<F>, Vector<F>) = (b - a, c - a, p - a);
    let (d1, d2) = (ab.dot(&ap), ac.dot(&ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return at(1.0, 0.0, 0.0);
    }
    let bp = p - b;
    let (d3, d4) = (ab.dot(&bp), ac.dot(&bp));
    if d3 >= 0.0 && d4 <= d3 {
        return at(0.0, 1.0, 0.0);
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        let v = d1 / (d1 - d3);
        return at(1.0 - v, v, 0.0);
    }
    let cp = p - c;
    let (d5, d6) = (ab.dot(&cp), ac.dot(&cp));
    if d6 >= 0.0 && d5 <= d6 {
        return at(0.0, 0.0, 1.0);
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        let w = d2 / (d2 - d6);
        return at(1.0 - w, 0.0, w);
    }
    let va = d3 * d6 - d5 * d4;
    if va <= 0.0 && d4 - d3 >= 0.0 && d5 - d6 >= 0.0 {
        let w = (d4 - d3) / ((d4 - d3) + (d5 - d6));
        return at(0.0, 1.0 - w, w);
    }
    let denominator = va + vb + vc;
    if denominator <= 0.0 {
        // A triangle without area: its longest edge was handled above up to rounding.
        return at(1.0, 0.0, 0.0);
    }
    let (v, w) = (vb / denominator, vc / denominator);
    at(1.0 - v - w, v, w)
}
