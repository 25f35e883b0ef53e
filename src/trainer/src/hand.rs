//! From where a hand holds the probe on the skin to the probe's pose.

use equipment::hand::{PatientFromProbe, Turn, face_of, of_axes};
use geometry::{Patient, Point, Vector};
use nalgebra as na;

/// How far the hand can turn the probe from upright on the skin, degrees.
pub const MOST_LEAN_DEG: f64 = 70.0;
/// How far the hand can be above the skin (negative) and in it, mm.
pub const PRESS_RANGE_MM: (f64, f64) = (-10.0, 40.0);

/// Where on the skin the hand would have the probe, and how it holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkinHand {
    /// The place on the undented skin.
    pub at: Point<Patient>,
    /// Out of the body, length 1, smoothed over the probe's width.
    pub outward: Vector<Patient>,
    /// Turns from upright, with the marker to the patient's head.
    pub turn: Turn,
    /// How deep into the undented skin the face's middle is held, mm; negative in the air.
    pub press_mm: f64,
}

impl SkinHand {
    /// Upright and just touching, with the marker to the patient's head.
    pub fn resting(at: Point<Patient>, outward: Vector<Patient>) -> Self {
        Self {
            at,
            outward,
            turn: Turn::default(),
            press_mm: 0.0,
        }
    }

    /// The free hand's pose: whatever the skin does about it.
    ///
    /// Without turns the beam runs into the body along the normal and the marker side is as near to
    /// the patient's head as the skin allows; where the skin faces head or feet, to the patient's
    /// right. The turns are about the face's middle.
    pub fn pose(&self) -> PatientFromProbe {
        let depth = -unit(self.outward.coords).unwrap_or(na::Vector3::y());
        let head = na::Vector3::z();
        let right = -na::Vector3::x();
        let lateral = along_skin(head, &depth)
            .or_else(|| along_skin(right, &depth))
            .unwrap_or_else(na::Vector3::x);
        let at = Point::from_coords(self.at.coords + depth * self.press_mm);
        self.turn.applied_to(&of_axes(at, lateral, depth))
    }

    /// The hand that holds the probe so, where the skin looks so.
    pub fn of_pose(pose: &PatientFromProbe, outward: Vector<Patient>) -> Self {
        let upright = Self::resting(face_of(pose), outward);
        let turned = upright.pose().isometry.rotation.inverse() * pose.isometry.rotation;
        // `Turn` rotates about z, then y, then −x.
        let m = turned.to_rotation_matrix();
        let (rock, rotate) = (
            libm::asin((-m[(2, 0)]).clamp(-1.0, 1.0)),
            libm::atan2(m[(1, 0)], m[(0, 0)]),
        );
        let tilt = -libm::atan2(m[(2, 1)], m[(2, 2)]);
        Self {
            turn: Turn {
                tilt_deg: tilt.to_degrees(),
                rock_deg: rock.to_degrees(),
                rotate_deg: rotate.to_degrees(),
            },
            ..upright
        }
    }

    /// The same with turns and press inside what a hand can do.
    #[must_use]
    pub fn within_reach(mut self) -> Self {
        let lean = |v: f64| v.clamp(-MOST_LEAN_DEG, MOST_LEAN_DEG);
        self.turn.tilt_deg = lean(self.turn.tilt_deg);
        self.turn.rock_deg = lean(self.turn.rock_deg);
        self.turn.rotate_deg = wrapped(self.turn.rotate_deg);
        self.press_mm = self.press_mm.clamp(PRESS_RANGE_MM.0, PRESS_RANGE_MM.1);
        self
    }
}

/// Part of a direction along the skin, length 1; `None` where it is nearly the normal.
fn along_skin(to: na::Vector3<f64>, normal: &na::Vector3<f64>) -> Option<na::Vector3<f64>> {
    /// Below this sine of the angle to the normal a heading is no longer steady.
    const LEAST: f64 = 0.2;
    let along = to - normal * to.dot(normal);
    (along.norm() > LEAST).then(|| along.normalize())
}

fn unit(v: na::Vector3<f64>) -> Option<na::Vector3<f64>> {
    let norm = v.norm();
    (norm.is_finite() && norm > 1e-9).then(|| v / norm)
}

/// An angle between −180 and 180 degrees.
fn wrapped(degrees: f64) -> f64 {
    (degrees + 180.0).rem_euclid(360.0) - 180.0
}

/// A step of the way from one place to another that a hand makes in `seconds`: half of the way
/// every `half_s`, but no faster than `most_mm_s`.
pub fn glide_mm(distance_mm: f64, seconds: f64, half_s: f64, most_mm_s: f64) -> f64 {
    let share = 1.0 - libm::exp2(-seconds / half_s);
    (distance_mm * share).min(most_mm_s * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipment::hand::depth_of;
    use geometry::frame::Probe;

    fn on_the_right_flank() -> SkinHand {
        SkinHand::resting(Point::new(-150.0, 0.0, 40.0), Vector::new(-1.0, 0.0, 0.0))
    }

    fn axis(pose: &PatientFromProbe, x: f64, y: f64, z: f64) -> [f64; 3] {
        (*pose * Vector::<Probe>::new(x, y, z)).to_array()
    }

    fn near(a: [f64; 3], b: [f64; 3]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn at_rest_it_looks_into_the_body_with_the_marker_to_the_head() {
        let pose = on_the_right_flank().pose();
        assert!(near(face_of(&pose).to_array(), [-150.0, 0.0, 40.0]));
        assert!(near(depth_of(&pose).to_array(), [1.0, 0.0, 0.0]));
        assert!(near(axis(&pose, 1.0, 0.0, 0.0), [0.0, 0.0, 1.0]));
    }

    #[test]
    fn a_hand_is_found_from_its_pose() {
        let turn = Turn {
            tilt_deg: 20.0,
            rock_deg: -35.0,
            rotate_deg: 130.0,
        };
        let hand = SkinHand {
            turn,
            ..on_the_right_flank()
        };
        let found = SkinHand::of_pose(&hand.pose(), hand.outward);
        let off = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(off(found.turn.tilt_deg, 20.0), "{found:?}");
        assert!(off(found.turn.rock_deg, -35.0), "{found:?}");
        assert!(off(found.turn.rotate_deg, 130.0), "{found:?}");
    }

    #[test]
    fn press_goes_along_the_untilted_normal() {
        let mut hand = on_the_right_flank();
        hand.press_mm = 8.0;
        hand.turn.tilt_deg = 30.0;
        let face = face_of(&hand.pose()).to_array();
        assert!(near(face, [-142.0, 0.0, 40.0]), "{face:?}");
    }

    #[test]
    fn a_quarter_turn_brings_the_marker_round() {
        let mut hand = SkinHand::resting(Point::origin(), Vector::new(0.0, -1.0, 0.0));
        hand.turn.rotate_deg = -90.0;
        // On the belly, seen from above with the head up, anticlockwise from the head is the
        // patient's right: the marker of a transverse picture.
        assert!(near(axis(&hand.pose(), 1.0, 0.0, 0.0), [-1.0, 0.0, 0.0]));
    }

    #[test]
    fn where_the_skin_faces_the_head_the_marker_goes_to_the_right() {
        let hand = SkinHand::resting(Point::origin(), Vector::new(0.0, 0.0, 1.0));
        assert!(near(axis(&hand.pose(), 1.0, 0.0, 0.0), [-1.0, 0.0, 0.0]));
    }

    #[test]
    fn a_normal_of_no_length_gives_a_pose_all_the_same() {
        let hand = SkinHand::resting(Point::origin(), Vector::new(0.0, 0.0, 0.0));
        assert!(depth_of(&hand.pose()).norm() > 0.99);
    }

    #[test]
    fn reach_is_kept() {
        let mut hand = on_the_right_flank();
        hand.turn = Turn {
            tilt_deg: 100.0,
            rock_deg: -100.0,
            rotate_deg: 190.0,
        };
        hand.press_mm = 99.0;
        let hand = hand.within_reach();
        assert_eq!(hand.turn.tilt_deg, MOST_LEAN_DEG);
        assert_eq!(hand.turn.rock_deg, -MOST_LEAN_DEG);
        assert_eq!(hand.turn.rotate_deg, -170.0);
        assert_eq!(hand.press_mm, PRESS_RANGE_MM.1);
    }

    #[test]
    fn a_glide_halves_the_way_and_keeps_its_speed_limit() {
        assert!((glide_mm(10.0, 0.05, 0.05, 1e9) - 5.0).abs() < 1e-9);
        assert_eq!(glide_mm(1000.0, 0.1, 0.01, 400.0), 40.0);
    }
}
