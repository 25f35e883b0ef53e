//! How a hand holds a probe: poses and the turns that sonographers name.
//!
//! A pose takes [`geometry::frame::Probe`] to the patient: the origin is the middle of the face, +x
//! points to the marker side, +z into the body, +y = z × x.

use geometry::{Point, Pose, Vector, frame};
use nalgebra as na;

/// Where a probe is.
pub type PatientFromProbe = Pose<frame::Patient, frame::Probe>;

/// The pose with its face's middle at a place, from unit vectors that are square to each other.
pub fn of_axes(
    at: Point<frame::Patient>,
    lateral: na::Vector3<f64>,
    depth: na::Vector3<f64>,
) -> PatientFromProbe {
    let axes = na::Matrix3::from_columns(&[lateral, depth.cross(&lateral), depth]);
    let rotation = na::Rotation3::from_matrix_unchecked(axes);
    Pose::from_isometry(na::Isometry3::from_parts(
        at.coords.into(),
        na::UnitQuaternion::from_rotation_matrix(&rotation),
    ))
}

/// The same attitude at another place.
pub fn moved_to(pose: &PatientFromProbe, at: Point<frame::Patient>) -> PatientFromProbe {
    Pose::from_isometry(na::Isometry3::from_parts(
        at.coords.into(),
        pose.isometry.rotation,
    ))
}

/// Middle of the face in the patient.
pub fn face_of(pose: &PatientFromProbe) -> Point<frame::Patient> {
    *pose * Point::origin()
}

/// Where the sound goes, in the patient; length 1.
pub fn depth_of(pose: &PatientFromProbe) -> Vector<frame::Patient> {
    *pose * Vector::new(0.0, 0.0, 1.0)
}

/// The hand's turns about the middle of the face, degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Turn {
    /// Leans the scan plane towards probe +y (fanning).
    pub tilt_deg: f64,
    /// Leans the beam within the scan plane towards the marker side.
    pub rock_deg: f64,
    /// Turns the marker clockwise, seen from behind the probe.
    pub rotate_deg: f64,
}

impl Turn {
    /// The pose with the probe turned: rotated, then rocked, then tilted about its own axes.
    pub fn applied_to(&self, pose: &PatientFromProbe) -> PatientFromProbe {
        let about = |axis: na::Unit<na::Vector3<f64>>, degrees: f64| {
            let half = 0.5 * degrees.to_radians();
            let vector = axis.into_inner() * libm::sin(half);
            na::UnitQuaternion::new_normalize(na::Quaternion::from_parts(libm::cos(half), vector))
        };
        let rotation = pose.isometry.rotation
            * about(na::Vector3::z_axis(), self.rotate_deg)
            * about(na::Vector3::y_axis(), self.rock_deg)
            * about(na::Vector3::x_axis(), -self.tilt_deg);
        Pose::from_isometry(na::Isometry3::from_parts(
            pose.isometry.translation,
            rotation,
        ))
    }
}

/// The pose a share `t`, 0 to 1, of the way: places along a straight line, attitudes by the shortest
/// turn at even speed.
pub fn between(from: &PatientFromProbe, to: &PatientFromProbe, t: f64) -> PatientFromProbe {
    let (a, b) = (&from.isometry, &to.isometry);
    let place = a.translation.vector + (b.translation.vector - a.translation.vector) * t;
    Pose::from_isometry(na::Isometry3::from_parts(
        place.into(),
        slerp(&a.rotation, &b.rotation, t),
    ))
}

/// K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985.
fn slerp(
    from: &na::UnitQuaternion<f64>,
    to: &na::UnitQuaternion<f64>,
    t: f64,
) -> na::UnitQuaternion<f64> {
    /// Nearer than this the chord is as good as the arc, and its sine is not divided by.
    const NEARLY_EQUAL: f64 = 0.9995;
    let cosine = from.coords.dot(&to.coords);
    // Both signs of a quaternion are the same attitude: take the nearer one.
    let (to, cosine) = match cosine < 0.0 {
        true => (-to.coords, -cosine),
        false => (to.coords, cosine),
    };
    let (share_from, share_to) = if cosine > NEARLY_EQUAL {
        (1.0 - t, t)
    } else {
        let angle = libm::acos(cosine);
        let sine = libm::sin(angle);
        (
            libm::sin((1.0 - t) * angle) / sine,
            libm::sin(t * angle) / sine,
        )
    };
    na::UnitQuaternion::new_normalize((from.coords * share_from + to * share_to).into())
}
