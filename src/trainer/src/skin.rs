//! The skin under the hand: where a ray meets it and which way it faces.

use bevy_rapier3d::prelude::Collider;
use geometry::{Patient, Point, Vector};

use crate::body::collider;
use crate::convert;
use crate::decimate::ShownMesh;
use crate::hand::SkinHand;

/// Normals are the mean over this much skin about a place: half a curved probe's face.
const SMOOTH_MM: f64 = 22.0;

/// The skin's shown surface with Rapier's shape of it.
#[derive(Clone, Debug)]
pub struct SkinSurface {
    /// For rays; the world's frame.
    pub collider: Collider,
    mesh: ShownMesh,
}

impl SkinSurface {
    /// `None` if the surface has no triangle that Rapier can use.
    pub fn new(mesh: &ShownMesh) -> Option<Self> {
        Some(Self {
            collider: collider(mesh)?,
            mesh: mesh.clone(),
        })
    }

    /// Mean of its vertices.
    pub fn middle(&self) -> Point<Patient> {
        let places = &self.mesh.places;
        let sum = places.iter().fold([0.0_f64; 3], |sum, p| {
            std::array::from_fn(|a| sum[a] + f64::from(p[a]))
        });
        let count = places.len().max(1) as f64;
        Point::new(sum[0] / count, sum[1] / count, sum[2] / count)
    }

    /// Where a ray from one place towards another first meets the skin from outside.
    pub fn first_hit(
        &self,
        from: Point<Patient>,
        toward: Point<Patient>,
    ) -> Option<Point<Patient>> {
        self.hit(from, toward).map(|(at, _)| at)
    }

    /// The same with the normal of the triangle that is met.
    fn hit(
        &self,
        from: Point<Patient>,
        toward: Point<Patient>,
    ) -> Option<(Point<Patient>, Vector<Patient>)> {
        let origin = convert::place(from);
        let direction = (convert::place(toward) - origin).try_normalize()?;
        let hit = self
            .collider
            .cast_local_ray_and_get_normal(origin, direction, 10.0, false)?;
        let at = convert::place_back(origin + direction * hit.time_of_impact);
        Some((at, convert::direction_back(hit.normal)))
    }

    /// Upright on the skin where a ray meets it.
    pub fn hand_towards(&self, from: Point<Patient>, toward: Point<Patient>) -> Option<SkinHand> {
        let (at, normal) = self.hit(from, toward)?;
        // Test objects have triangles larger than the smoothing.
        let outward = self.outward_at(at).unwrap_or(normal);
        Some(SkinHand::resting(at, outward))
    }

    /// Which way the skin about a place faces; `None` if there is none near.
    pub fn outward_at(&self, at: Point<Patient>) -> Option<Vector<Patient>> {
        smoothed_normal(&self.mesh, at, SMOOTH_MM)
    }

    /// A step of the hand along the skin: the place moved in the patient, brought back to the skin
    /// along the normal.
    pub fn moved(&self, hand: &SkinHand, by: Vector<Patient>) -> Option<Point<Patient>> {
        /// From how far above the skin it is looked for.
        const ABOVE_MM: f64 = 60.0;
        let beside = hand.at.coords + by.coords;
        let above = Point::from_coords(beside + hand.outward.coords * ABOVE_MM);
        self.first_hit(
            above,
            Point::from_coords(beside - hand.outward.coords * ABOVE_MM),
        )
    }
}

/// Mean normal of the vertices within a radius, near ones more: weights fall as 1 − (d/r)².
pub fn smoothed_normal(
    mesh: &ShownMesh,
    at: Point<Patient>,
    radius_mm: f64,
) -> Option<Vector<Patient>> {
    let at = at.to_f32();
    let square = (radius_mm * radius_mm) as f32;
    let mut sum = [0.0_f64; 3];
    for (place, normal) in mesh.places.iter().zip(&mesh.normals) {
        let distance: f32 = (0..3)
            .map(|a| (place[a] - at[a]) * (place[a] - at[a]))
            .sum();
        if distance < square {
            let weight = f64::from(1.0 - distance / square);
            (0..3).for_each(|a| sum[a] += weight * f64::from(normal[a]));
        }
    }
    Vector::new(sum[0], sum[1], sum[2]).normalized()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square of skin at y = 0 that faces the front (−y), with a step of bad normals.
    fn plate() -> ShownMesh {
        let mut mesh = ShownMesh::default();
        for i in 0..11 {
            for j in 0..11 {
                mesh.places
                    .push([i as f32 * 10.0 - 50.0, 0.0, j as f32 * 10.0 - 50.0]);
                let lean = if (i + j) % 2 == 0 { 0.5 } else { -0.5 };
                mesh.normals.push([lean, -1.0, 0.0]);
            }
        }
        for i in 0..10_u32 {
            for j in 0..10_u32 {
                let at = |i: u32, j: u32| i * 11 + j;
                mesh.triangles
                    .push([at(i, j), at(i + 1, j), at(i + 1, j + 1)]);
                mesh.triangles
                    .push([at(i, j), at(i + 1, j + 1), at(i, j + 1)]);
            }
        }
        mesh
    }

    #[test]
    fn a_ray_meets_the_skin_where_it_should() {
        let skin = SkinSurface::new(&plate()).expect("it has triangles");
        let hand = skin
            .hand_towards(Point::new(3.0, -200.0, 7.0), Point::new(3.0, 0.0, 7.0))
            .expect("it is right below");
        assert!(hand.at.distance(&Point::new(3.0, 0.0, 7.0)) < 1e-2);
        assert!(hand.outward.y() < -0.99, "{:?}", hand.outward);
        assert!(
            skin.first_hit(Point::new(300.0, -1.0, 0.0), Point::new(300.0, 1.0, 0.0))
                .is_none()
        );
    }

    #[test]
    fn a_step_stays_on_the_skin() {
        let skin = SkinSurface::new(&plate()).expect("it has triangles");
        let hand = SkinHand::resting(Point::origin(), Vector::new(0.0, -1.0, 0.0));
        let to = skin
            .moved(&hand, Vector::new(5.0, -3.0, 2.0))
            .expect("there is skin");
        assert!(to.distance(&Point::new(5.0, 0.0, 2.0)) < 1e-2, "{to:?}");
    }

    #[test]
    fn far_from_the_skin_there_is_no_normal() {
        assert!(smoothed_normal(&plate(), Point::new(0.0, 500.0, 0.0), 20.0).is_none());
    }
}
