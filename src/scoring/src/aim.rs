//! How far a probe is from a plane, and which moves of the hand bring it there.
//!
//! All moves start from where the probe was. Slides go along the face as it lay (the skin is taken
//! for flat there); turns are about the middle of the face and follow
//! [`equipment::hand::Turn`]: rotated, then rocked, then tilted.

use equipment::hand::{self, PatientFromProbe, Turn};
use geometry::{Point, Vector, frame};
use recording::PlaneTarget;

use crate::Move;

type V = Vector<frame::Probe>;

/// How far an imaged plane is from a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlaneError {
    /// Angle between the planes, 0 to 90°: a plane has no front and no back.
    pub normal_deg: f64,
    /// Distance of the target's middle from the imaged plane, mm.
    pub offset_mm: f64,
    /// The probe's marker is on the other side.
    pub flipped: bool,
}

impl PlaneError {
    /// From a probe's pose to a target.
    pub fn between(pose: &PatientFromProbe, target: &PlaneTarget) -> Self {
        let seen = Seen::from(pose, target);
        let normal = seen.normal();
        let along = normal.y().abs();
        let across = libm::hypot(normal.x(), normal.z());
        Self {
            normal_deg: libm::atan2(across, along).to_degrees(),
            offset_mm: seen.center.y().abs(),
            flipped: seen.lateral.x() < 0.0,
        }
    }
}

/// A target as the probe sees it: everything in the probe's frame.
pub(crate) struct Seen {
    /// The target's middle.
    pub center: Point<frame::Probe>,
    pub lateral: V,
    pub depth: V,
    /// The exemplary probe's face.
    pub face: Point<frame::Probe>,
}

impl Seen {
    pub fn from(pose: &PatientFromProbe, target: &PlaneTarget) -> Self {
        let probe_from_patient = pose.inverse();
        Self {
            center: probe_from_patient * target.center,
            lateral: probe_from_patient * target.lateral,
            depth: probe_from_patient * target.depth,
            face: probe_from_patient * hand::face_of(&target.patient_from_probe),
        }
    }

    /// Unit normal on the probe's +y side: the side to which the probe need not turn over.
    fn normal(&self) -> V {
        let normal = self.depth.cross(&self.lateral);
        let normal = normal.normalized().unwrap_or(V::new(0.0, 1.0, 0.0));
        normal * if normal.y() < 0.0 { -1.0 } else { 1.0 }
    }

    /// Rotation and tilt, degrees, that make the probe's plane parallel to the target.
    ///
    /// After both the probe's y axis is, in its frame of before,
    /// (−sin ρ cos τ, cos ρ cos τ, −sin τ): that is to be the target's normal.
    fn turn(&self) -> Turn {
        /// A flipped probe that is off by more than this is put right by rotating on.
        const ROTATE_ON_DEG: f64 = 45.0;
        let normal = self.normal();
        let tilt_deg = -libm::asin(normal.z().clamp(-1.0, 1.0)).to_degrees();
        let rotate_deg = libm::atan2(-normal.x(), normal.y()).to_degrees();
        let on = self.lateral.x() < 0.0 && rotate_deg.abs() > ROTATE_ON_DEG;
        match on {
            true => Turn {
                tilt_deg: -tilt_deg,
                rotate_deg: rotate_deg - 180.0 * rotate_deg.signum(),
                rock_deg: 0.0,
            },
            false => Turn {
                tilt_deg,
                rotate_deg,
                rock_deg: 0.0,
            },
        }
    }

    /// The shortest slide, towards +x and +y, that brings the middle of the face into the target
    /// plane; none where the face lies nearly along that plane and no slide would.
    fn slide_mm(&self) -> (f64, f64) {
        /// A plane that is steeper than 75° to the probe's own.
        const LEAST_ACROSS: f64 = 0.26;
        let normal = self.normal();
        let across = libm::hypot(normal.x(), normal.y());
        if across < LEAST_ACROSS {
            return (0.0, 0.0);
        }
        let distance = (self.center - Point::origin()).dot(&normal);
        let slide = distance / (across * across);
        (slide * normal.x(), slide * normal.y())
    }
}

/// Rotation and tilt to where the plane is parallel to the target.
pub(crate) fn turns_to(pose: &PatientFromProbe, target: &PlaneTarget) -> Vec<Move> {
    let turn = Seen::from(pose, target).turn();
    let moves = [Move::Rotate(turn.rotate_deg), Move::Tilt(turn.tilt_deg)];
    sorted(moves.into_iter().filter_map(rounded).collect())
}

/// The moves that bring the imaged plane into the target plane, the largest first: a slide as far
/// as the face is outside of the plane, a rotation and a tilt. Whole millimetres and degrees; what
/// is less is left out.
pub fn moves_to(pose: &PatientFromProbe, target: &PlaneTarget) -> Vec<Move> {
    let (marker_mm, across_mm) = Seen::from(pose, target).slide_mm();
    let slide = Move::Slide {
        marker_mm,
        across_mm,
    };
    let mut moves = turns_to(pose, target);
    moves.extend(rounded(slide));
    sorted(moves)
}

/// The moves within the plane that bring the picture to where the exemplary one is: a slide to the
/// marker side, and rocking.
pub(crate) fn moves_within(pose: &PatientFromProbe, target: &PlaneTarget) -> Vec<Move> {
    let seen = Seen::from(pose, target);
    let slide = Move::Slide {
        marker_mm: seen.face.x(),
        across_mm: 0.0,
    };
    let rock = libm::atan2(seen.depth.x(), seen.depth.z()).to_degrees();
    let moves = [slide, Move::Rock(rock)];
    sorted(moves.into_iter().filter_map(rounded).collect())
}

/// The slide to where the exemplary picture was made, along the face.
pub(crate) fn slide_to_window(pose: &PatientFromProbe, target: &PlaneTarget) -> Option<Move> {
    let face = Seen::from(pose, target).face;
    rounded(Move::Slide {
        marker_mm: face.x(),
        across_mm: face.y(),
    })
}

/// A pose after moves. Slides go along the face as it lay before, all turns follow; knobs and
/// pressure change no pose.
pub fn apply(moves: &[Move], pose: &PatientFromProbe) -> PatientFromProbe {
    let mut slide = V::new(0.0, 0.0, 0.0);
    let mut turn = Turn::default();
    for a_move in moves {
        match a_move {
            Move::Slide {
                marker_mm,
                across_mm,
            } => slide = slide + V::new(*marker_mm, *across_mm, 0.0),
            Move::Rock(degrees) => turn.rock_deg += degrees,
            Move::Tilt(degrees) => turn.tilt_deg += degrees,
            Move::Rotate(degrees) => turn.rotate_deg += degrees,
            Move::Compress(_) | Move::Turn { .. } => {}
        }
    }
    let face = hand::face_of(pose) + *pose * slide;
    turn.applied_to(&hand::moved_to(pose, face))
}

/// A move in whole millimetres and degrees: finer than a hand can follow. None if nothing is left.
fn rounded(a_move: Move) -> Option<Move> {
    // Never -0, which prints as "-0".
    let whole = |value: f64| value.round() + 0.0;
    let a_move = match a_move {
        Move::Slide {
            marker_mm,
            across_mm,
        } => Move::Slide {
            marker_mm: whole(marker_mm),
            across_mm: whole(across_mm),
        },
        Move::Rock(degrees) => Move::Rock(whole(degrees)),
        Move::Tilt(degrees) => Move::Tilt(whole(degrees)),
        Move::Rotate(degrees) => Move::Rotate(whole(degrees)),
        other => other,
    };
    (size(&a_move) > 0.0).then_some(a_move)
}

/// How much of a move it is: millimetres count twice, as 5 mm and 10° weigh the same.
fn size(a_move: &Move) -> f64 {
    match a_move {
        Move::Slide {
            marker_mm,
            across_mm,
        } => 2.0 * libm::hypot(*marker_mm, *across_mm),
        Move::Rock(by) | Move::Tilt(by) | Move::Rotate(by) | Move::Compress(by) => by.abs(),
        Move::Turn { by, .. } => by.abs(),
    }
}

fn sorted(mut moves: Vec<Move>) -> Vec<Move> {
    moves.sort_by(|a, b| size(b).total_cmp(&size(a)));
    moves
}

#[cfg(test)]
mod tests;
