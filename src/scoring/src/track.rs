//! The way of a probe: lengths, turns, stops.

use equipment::hand::{self, PatientFromProbe};
use geometry::{Point, frame};
use recording::Step;

/// A probe's poses at the steps of a stretch; `None` while it lay aside.
pub(crate) struct Track {
    poses: Vec<Option<PatientFromProbe>>,
    /// Steps in a second, at least 1.
    rate_hz: f64,
}

impl Track {
    pub fn of(steps: &[Step], ticks_per_s: u32) -> Self {
        Self {
            poses: steps.iter().map(pose_of).collect(),
            rate_hz: f64::from(ticks_per_s.max(1)),
        }
    }

    /// Pairs of poses of neighbouring steps.
    fn pairs(&self) -> impl Iterator<Item = (&PatientFromProbe, &PatientFromProbe)> {
        let pairs = self.poses.windows(2);
        pairs.filter_map(|pair| Some((pair[0].as_ref()?, pair[1].as_ref()?)))
    }

    /// Length of the way of the face's middle, mm.
    pub fn path_mm(&self) -> f64 {
        self.pairs().map(|(a, b)| moved_mm(a, b)).sum()
    }

    /// Sum of all turns, degrees.
    pub fn turned_deg(&self) -> f64 {
        self.pairs().map(|(a, b)| turned_deg(a, b)).sum()
    }

    /// Mean speed of the face while it moved, mm/s; none if it never did.
    pub fn speed_mm_s(&self) -> Option<f64> {
        let moving = self.pairs().map(|(a, b)| moved_mm(a, b) * self.rate_hz);
        let (sum, count) = moving
            .filter(|speed| *speed >= STILL_MM_S)
            .fold((0.0, 0.0), |(sum, count), speed| (sum + speed, count + 1.0));
        (count > 0.0).then(|| sum / count)
    }

    /// How often the probe came to rest after a move, for half a second at least.
    pub fn stops(&self) -> usize {
        let enough = 0.5 * self.rate_hz;
        let (mut stops, mut rest, mut has_moved) = (0, 0.0, false);
        for (a, b) in self.pairs() {
            let still = moved_mm(a, b) * self.rate_hz < STILL_MM_S
                && turned_deg(a, b) * self.rate_hz < STILL_DEG_S;
            rest = if still { rest + 1.0 } else { 0.0 };
            if rest >= enough && has_moved {
                stops += 1;
                has_moved = false;
            }
            has_moved |= !still;
        }
        stops
    }

    /// The face's places over the longest stretch in which the probe was not laid aside.
    pub fn longest_held(&self) -> Vec<Point<frame::Patient>> {
        let stretches = self.poses.split(|pose| pose.is_none());
        // The first of several of the same length.
        let longest = stretches.rev().max_by_key(|stretch| stretch.len());
        let held = longest.unwrap_or_default().iter().flatten();
        held.map(hand::face_of).collect()
    }

    pub fn rate_hz(&self) -> f64 {
        self.rate_hz
    }
}

/// Where the probe was held; none if it lay aside, or nowhere.
pub(crate) fn pose_of(step: &Step) -> Option<PatientFromProbe> {
    let pose = step.probe?.patient_from_probe;
    let numbers = pose.isometry.to_homogeneous();
    numbers
        .iter()
        .all(|number| number.is_finite())
        .then_some(pose)
}

/// Slower is standing still: a hand's tremor (estimates).
const STILL_MM_S: f64 = 2.0;
const STILL_DEG_S: f64 = 2.0;

fn moved_mm(a: &PatientFromProbe, b: &PatientFromProbe) -> f64 {
    hand::face_of(a).distance(&hand::face_of(b))
}

/// Angle of the turn from one attitude to the other, by its sine and cosine: exact for small turns.
fn turned_deg(a: &PatientFromProbe, b: &PatientFromProbe) -> f64 {
    let turn = a.isometry.rotation.inverse() * b.isometry.rotation;
    let [i, j, k, w] = [turn.i, turn.j, turn.k, turn.w];
    let sine = (i * i + j * j + k * k).sqrt();
    2.0 * libm::atan2(sine, w.abs()).to_degrees()
}

#[cfg(test)]
mod tests;
