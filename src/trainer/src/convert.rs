//! The one border between the patient's millimetres and the screen's metres.
//!
//! The patient frame is DICOM LPS, mm: +x left, +y posterior, +z superior. Bevy's world is Y-up,
//! right-handed, metres. The patient lies on the back and is seen from the right side, where the
//! sonographer sits: the head is to the left, the feet to the right, the ceiling above.
//!
//! | Bevy | patient |
//! |---|---|
//! | +x (right on the screen) | −z, to the feet |
//! | +y (up) | −y, to the front of the body |
//! | +z (towards the viewer) | −x, to the patient's right |

use bevy::math::{Quat, Vec3};
use bevy::transform::components::Transform;
use equipment::hand::PatientFromProbe;
use geometry::{Patient, Point, Vector};

/// Metres in a millimetre.
pub const METRES_PER_MM: f32 = 1e-3;

/// Half a turn about (1, 0, −1): the table above as a rotation, `bevy_from_patient`.
const BEVY_FROM_PATIENT: Quat = Quat::from_xyzw(
    std::f32::consts::FRAC_1_SQRT_2,
    0.0,
    -std::f32::consts::FRAC_1_SQRT_2,
    0.0,
);

/// A place of the patient in the world.
pub fn place(at: Point<Patient>) -> Vec3 {
    vertex(at.to_f32())
}

/// A mesh's vertex, patient frame, mm, in the world.
pub fn vertex([x, y, z]: [f32; 3]) -> Vec3 {
    turned([x, y, z]) * METRES_PER_MM
}

/// A direction of the patient in the world; keeps its length.
pub fn direction(v: Vector<Patient>) -> Vec3 {
    turned(v.to_f32())
}

/// A direction from bare components, patient frame.
pub fn turned([x, y, z]: [f32; 3]) -> Vec3 {
    Vec3::new(-z, -y, -x)
}

/// A place of the world in the patient.
pub fn place_back(at: Vec3) -> Point<Patient> {
    let mm = at / METRES_PER_MM;
    Point::from_f32([-mm.z, -mm.y, -mm.x])
}

/// A direction of the world in the patient; keeps its length.
pub fn direction_back(v: Vec3) -> Vector<Patient> {
    Vector::from_f32([-v.z, -v.y, -v.x])
}

/// A place of the probe frame, mm, in the probe's own meshes: metres, the same axes.
pub fn probe_vertex(at_mm: [f64; 3]) -> Vec3 {
    Vec3::from_array(at_mm.map(|v| v as f32)) * METRES_PER_MM
}

/// Where meshes of the probe's frame stand in the world.
pub fn transform(patient_from_probe: &PatientFromProbe) -> Transform {
    let turn = patient_from_probe.isometry.rotation;
    let turn = Quat::from_xyzw(turn.i as f32, turn.j as f32, turn.k as f32, turn.w as f32);
    let at = *patient_from_probe * Point::origin();
    Transform::from_translation(place(at)).with_rotation((BEVY_FROM_PATIENT * turn).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use geometry::frame::Probe;
    use nalgebra as na;

    #[test]
    fn directions_are_those_of_the_table() {
        let left = direction(Vector::new(1.0, 0.0, 0.0));
        let posterior = direction(Vector::new(0.0, 1.0, 0.0));
        let superior = direction(Vector::new(0.0, 0.0, 1.0));
        assert_eq!(left, Vec3::NEG_Z);
        assert_eq!(posterior, Vec3::NEG_Y);
        assert_eq!(superior, Vec3::NEG_X);
        // Right-handed stays right-handed.
        assert_eq!(left.cross(posterior), superior);
    }

    #[test]
    fn places_come_back() {
        let at = Point::new(12.5, -80.0, 301.0);
        let back = place_back(place(at));
        assert!(back.distance(&at) < 1e-4);
        assert_eq!(place(Point::new(0.0, -1000.0, 0.0)), Vec3::Y);
    }

    #[test]
    fn a_pose_takes_probe_meshes_where_the_pose_takes_points() {
        let pose = PatientFromProbe::from_isometry(na::Isometry3::new(
            na::Vector3::new(-120.0, 30.0, 44.0),
            na::Vector3::new(0.3, -1.1, 0.6),
        ));
        let at_mm = [20.0, -3.0, 95.0];
        let here = transform(&pose).transform_point(probe_vertex(at_mm));
        let there = place(pose * Point::<Probe>::new(at_mm[0], at_mm[1], at_mm[2]));
        assert!((here - there).length() < 1e-6, "{here} {there}");
    }
}
