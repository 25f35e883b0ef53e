//! Where a plane has gone with the organs that it shows.
//!
//! A standard plane is known of the patient at rest. A breath carries the organs off, and the plane
//! with them: by the rigid motion that is nearest to what has happened to the required structures
//! round the plane's middle. The beat of the heart does not carry it: a plane of the heart holds for
//! the whole beat.

use anatomy::deform::BodyState;
use equipment::hand::{PatientFromProbe, face_of, moved_to};
use geometry::{Point, Vector, frame};
use nalgebra::{Matrix3, Vector3};
use recording::PlaneTarget;

use crate::step::GEL_MM;
use crate::{Body, Moved, Procedure};

/// At so much from the middle of a plane a vertex counts for a quarter, mm.
const NEAR_MM: f64 = 40.0;

/// Steps after which a rotation is as exact as numbers are.
const STEPS: usize = 40;

/// A rigid motion of tissue within the patient's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Carried {
    turn: Matrix3<f64>,
    /// A place, and where it has gone.
    from: Vector3<f64>,
    to: Vector3<f64>,
}

impl Carried {
    const NOWHERE: Self = Self {
        turn: Matrix3::new(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        from: Vector3::new(0.0, 0.0, 0.0),
        to: Vector3::new(0.0, 0.0, 0.0),
    };

    /// What a state has done to structures round a place.
    pub fn of(
        body: &Body,
        state: &BodyState,
        structures: &[usize],
        middle: Point<frame::Patient>,
    ) -> Self {
        let still_heart = BodyState {
            heart_phase: 0.0,
            ..*state
        };
        if still_heart.is_rest() {
            return Self::NOWHERE;
        }
        let moved = body.deformation().at(&still_heart);
        let all = &body.patient.structures;
        let pairs = structures.iter().flat_map(|&index| {
            let rest = all[index].surface.vertices();
            rest.iter().zip(&moved.vertices[index])
        });
        let weighed = pairs.map(|(rest, now)| {
            let [rest, now] = [rest, now].map(|v| Point::<frame::Patient>::from_f32(*v).coords);
            let far = (rest - middle.coords).norm_squared() / (NEAR_MM * NEAR_MM);
            (rest, now, 1.0 / ((1.0 + far) * (1.0 + far)))
        });
        Self::nearest(&weighed.collect::<Vec<_>>())
    }

    /// The rigid motion nearest to weighed pairs: by least squares (S. Umeyama, IEEE Trans. Pattern
    /// Anal. Mach. Intell. 13:376, 1991), the rotation as the orthogonal factor of the covariance.
    fn nearest(pairs: &[(Vector3<f64>, Vector3<f64>, f64)]) -> Self {
        let weight: f64 = pairs.iter().map(|(_, _, w)| w).sum();
        if weight <= 0.0 {
            return Self::NOWHERE;
        }
        let (mut from, mut to) = (Vector3::zeros(), Vector3::zeros());
        for (rest, now, w) in pairs {
            from += rest * *w;
            to += now * *w;
        }
        let (from, to) = (from / weight, to / weight);
        let mut covariance = Matrix3::zeros();
        for (rest, now, w) in pairs {
            covariance += (now - to) * (rest - from).transpose() * *w;
        }
        let turn = orthogonal(&covariance).unwrap_or(Self::NOWHERE.turn);
        Self { turn, from, to }
    }

    pub fn place(&self, place: Point<frame::Patient>) -> Point<frame::Patient> {
        Point::from_coords(self.to + self.turn * (place.coords - self.from))
    }

    pub fn direction(&self, direction: Vector<frame::Patient>) -> Vector<frame::Patient> {
        Vector::from_coords(self.turn * direction.coords)
    }

    pub fn pose(&self, pose: &PatientFromProbe) -> PatientFromProbe {
        let mut turned = *pose;
        let turn = nalgebra::Rotation3::from_matrix_unchecked(self.turn);
        turned.isometry.rotation =
            nalgebra::UnitQuaternion::from_rotation_matrix(&turn) * pose.isometry.rotation;
        moved_to(&turned, self.place(face_of(pose)))
    }
}

/// The orthogonal factor of a matrix by Newton's steps, X ← (X + X⁻ᵀ)/2 (N. J. Higham, SIAM J. Sci.
/// Stat. Comput. 7:1160, 1986); `None` of one that turns nothing round, or is flat.
fn orthogonal(matrix: &Matrix3<f64>) -> Option<Matrix3<f64>> {
    let mut now = matrix / matrix.norm().max(f64::MIN_POSITIVE);
    if now.determinant() < 1e-9 {
        return None;
    }
    for _ in 0..STEPS {
        now = (now + now.try_inverse()?.transpose()) * 0.5;
    }
    Some(now)
}

impl Procedure {
    /// A target of the patient at rest as it lies in a body that has moved: its plane and its picture
    /// have gone with the organs that it requires.
    pub fn target_in(&self, moved: Option<&Moved>, target: &PlaneTarget) -> PlaneTarget {
        let Some(moved) = moved else {
            return target.clone();
        };
        let patient = &self.body().patient;
        let required = target.required.iter();
        let required: Vec<usize> = required
            .filter_map(|required| patient.structure_index(&required.structure))
            .collect();
        let carried = Carried::of(self.body(), &moved.state, &required, target.center);
        if carried == Carried::NOWHERE {
            return target.clone();
        }
        let pose = carried.pose(&target.patient_from_probe);
        let kept = moved.skin().keep_on(&pose, &self.front, GEL_MM);
        PlaneTarget {
            center: carried.place(target.center),
            lateral: carried.direction(target.lateral),
            depth: carried.direction(target.depth),
            patient_from_probe: kept.unwrap_or(pose),
            ..target.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corners() -> Vec<Vector3<f64>> {
        let all = [
            (0.0, 0.0, 0.0),
            (50.0, 0.0, 5.0),
            (0.0, 30.0, 0.0),
            (10.0, 0.0, 20.0),
        ];
        all.map(|(x, y, z)| Vector3::new(x, y, z)).to_vec()
    }

    #[test]
    fn a_rigid_motion_is_found_again() {
        let turn = nalgebra::Rotation3::from_euler_angles(0.1, -0.2, 0.3).into_inner();
        let shift = Vector3::new(3.0, -2.0, -40.0);
        let pairs: Vec<_> = corners()
            .into_iter()
            .enumerate()
            .map(|(n, place)| (place, turn * place + shift, 1.0 + n as f64))
            .collect();
        let found = Carried::nearest(&pairs);
        assert!((found.turn - turn).norm() < 1e-12, "{found:?}");
        let place = found.place(Point::new(7.0, 8.0, 9.0)).coords;
        assert!((place - (turn * Vector3::new(7.0, 8.0, 9.0) + shift)).norm() < 1e-11);
    }

    #[test]
    fn what_lies_in_one_place_is_shifted_and_nothing_stays() {
        let shift = Vector3::new(0.0, 0.0, -12.0);
        let one = [
            (Vector3::zeros(), shift, 1.0),
            (Vector3::zeros(), shift, 2.0),
        ];
        let found = Carried::nearest(&one);
        assert_eq!((found.turn, found.to), (Matrix3::identity(), shift));
        assert_eq!(Carried::nearest(&[]), Carried::NOWHERE);
    }
}
