//! Sweeps: a list of stops, and frames on the way between them.
//!
//! ```text
//! Sweep(
//!     version: 1,
//!     fps: 20,
//!     poses: [
//!         Plane(name: "kidney_right_long", tilt_deg: -15),
//!         Plane(name: "kidney_right_long", tilt_deg: 15, frames: 40),
//!         Pose(at: (-60, -95, 20), lateral: Right, depth: Posterior, frames: 20, on_skin: true),
//!     ],
//! )
//! ```

use std::path::Path;

use catalog::{CatalogError, Document, Faults, Finding, Format, Known, Node, Spanned};

use super::pose::{Held, PatientFromProbe, Toward, Turn, between};

/// Sweep files.
const SWEEP: Format = Format::new("Sweep", 1);

/// What the names of planes are called in faults.
const PLANE: &str = "plane";

/// Frames of the longest sweep.
pub const MOST_FRAMES: u32 = 10_000;

catalog::record! {
    /// A sweep as written.
    #[derive(Clone, Debug, PartialEq)]
    pub struct SweepFile {
        /// Frames a second of the film.
        pub fps: f64 [0.1..=240.0] = 20.0,
        /// Where the probe is held, one after the other.
        pub poses: Vec<Stop>,
    }
    check sensible
}

catalog::choice! {
    /// Where the probe is held. The turns are those of the hand, about the middle of the face:
    /// `tilt_deg` fans towards probe +y, `rock_deg` leans the beam towards the marker side,
    /// `rotate_deg` turns the marker clockwise, seen from behind the probe.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Stop {
        /// At a standard plane of the patient, on the skin. Between two stops on the skin the probe
        /// slides over it.
        Plane {
            /// The plane's id.
            name: Spanned<String> [Known(PLANE)],
            /// Frames from the stop before to this one.
            frames: u32 [1..=MOST_FRAMES] = 25,
            /// Turned by.
            tilt_deg: f64 [-90.0..=90.0] = 0.0,
            /// Turned by.
            rock_deg: f64 [-90.0..=90.0] = 0.0,
            /// Turned by.
            rotate_deg: f64 [-360.0..=360.0] = 0.0,
        },
        /// Just there, be it within the body, unless `on_skin`.
        Pose {
            /// Middle of the face, patient frame, mm.
            at: [f64; 3],
            /// Where the marker side points: `Superior` or (x, y, z).
            lateral: Toward,
            /// Where the sound goes.
            depth: Toward,
            /// Put on the skin nearest to it along `depth`, after it is turned; between two stops on
            /// the skin the probe slides over it.
            on_skin: bool = false,
            /// Frames from the stop before to this one.
            frames: u32 [1..=MOST_FRAMES] = 25,
            /// Turned by.
            tilt_deg: f64 [-90.0..=90.0] = 0.0,
            /// Turned by.
            rock_deg: f64 [-90.0..=90.0] = 0.0,
            /// Turned by.
            rotate_deg: f64 [-360.0..=360.0] = 0.0,
        },
    }
}

impl Stop {
    fn frames(&self) -> u32 {
        match self {
            Self::Plane { frames, .. } | Self::Pose { frames, .. } => *frames,
        }
    }

    /// How the hand is turned there.
    pub fn turn(&self) -> Turn {
        match *self {
            Self::Plane {
                tilt_deg,
                rock_deg,
                rotate_deg,
                ..
            }
            | Self::Pose {
                tilt_deg,
                rock_deg,
                rotate_deg,
                ..
            } => Turn {
                tilt_deg,
                rock_deg,
                rotate_deg,
            },
        }
    }
}

/// What is wrong with the list of poses as a whole, and with each that is no pose.
fn sensible(sweep: &SweepFile, node: &Node, faults: &mut Faults) {
    let list = node.field("poses").unwrap_or(node);
    faults.require(list.span, !sweep.poses.is_empty(), "a sweep needs a pose");
    let frames: u64 = sweep
        .poses
        .iter()
        .map(|stop| u64::from(stop.frames()))
        .sum();
    faults.require(
        list.span,
        frames <= u64::from(MOST_FRAMES),
        format!("{frames} frames in all; the most is {MOST_FRAMES}"),
    );
    for (stop, at) in sweep.poses.iter().zip(list.items()) {
        if let &Stop::Pose {
            at: place,
            lateral,
            depth,
            ..
        } = stop
        {
            let held = Held {
                at: place,
                lateral,
                depth,
            };
            if let Err(error) = held.pose() {
                faults.push(Finding::new(at.span, error.to_string()));
            }
        }
    }
}

/// A sweep file that could be read, as far as that can be judged without the patient.
pub struct SweepDocument(Document);

impl SweepDocument {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, is no RON or no sweep.
    pub fn open(path: &Path) -> Result<Self, CatalogError> {
        let document = Document::open(path, &SWEEP)?;
        // All that is wrong without the patient is said before the patient is made.
        document.resolve::<SweepFile>()?;
        Ok(Self(document))
    }

    /// The sweep of a patient who has these planes.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn of_patient<'a>(
        &self,
        planes: impl IntoIterator<Item = &'a str>,
    ) -> Result<SweepFile, CatalogError> {
        let document = self.0.clone();
        document
            .knowing(PLANE, "the patient's planes", planes)
            .resolve()
    }
}

/// A stop with its pose.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Where the probe is.
    pub pose: PatientFromProbe,
    /// Whether it was put on the skin.
    pub on_skin: bool,
    /// Frames from the stop before to this one.
    pub frames: u32,
}

/// The way of a probe from stop to stop.
pub struct Way {
    stops: Vec<Standing>,
}

/// A pose on the way.
#[derive(Clone, Copy, Debug)]
pub struct OnWay {
    /// Where the probe is.
    pub pose: PatientFromProbe,
    /// Whether it slides over the skin there, from one stop on the skin to another.
    pub sliding: bool,
}

impl Way {
    /// Through these stops, at least one.
    pub fn new(stops: Vec<Standing>) -> Self {
        Self { stops }
    }

    /// One at the first stop, and of each further stop its own.
    pub fn frame_count(&self) -> u32 {
        1 + self
            .stops
            .iter()
            .skip(1)
            .map(|stop| stop.frames)
            .sum::<u32>()
    }

    /// The pose of each of `count` frames, evenly spread from the first stop to the last.
    pub fn frames(&self, count: u32) -> Vec<OnWay> {
        let last = f64::from(self.frame_count() - 1);
        let step = last / f64::from(count.max(2) - 1);
        (0..count).map(|n| self.at(f64::from(n) * step)).collect()
    }

    /// The pose `position` frames after the first stop.
    fn at(&self, position: f64) -> OnWay {
        let mut passed = 0.0;
        for ends in self.stops.windows(2) {
            let length = f64::from(ends[1].frames);
            if position < passed + length {
                let share = (position - passed) / length;
                return OnWay {
                    pose: between(&ends[0].pose, &ends[1].pose, share),
                    sliding: share > 0.0 && ends[0].on_skin && ends[1].on_skin,
                };
            }
            passed += length;
        }
        OnWay {
            pose: self.stops[self.stops.len() - 1].pose,
            sliding: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pose::face_of;
    use super::*;

    fn standing(x: f64, on_skin: bool, frames: u32) -> Standing {
        let held = Held::parse(&format!("{x},0,0:left:posterior")).unwrap();
        Standing {
            pose: held.pose().unwrap(),
            on_skin,
            frames,
        }
    }

    fn places(way: &Way, count: u32) -> Vec<f64> {
        let frames = way.frames(count);
        frames.iter().map(|f| face_of(&f.pose).x()).collect()
    }

    #[test]
    fn every_stop_is_passed_with_its_frames() {
        let way = Way::new(vec![
            standing(0.0, true, 7),
            standing(4.0, true, 2),
            standing(10.0, false, 3),
        ]);
        assert_eq!(way.frame_count(), 6);
        assert_eq!(places(&way, 6), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(places(&way, 1), [0.0]);
        assert_eq!(places(&way, 2), [0.0, 10.0]);
        let sliding: Vec<bool> = way.frames(6).iter().map(|f| f.sliding).collect();
        assert_eq!(sliding, [false, true, false, false, false, false]);
    }

    #[test]
    fn one_stop_is_a_still_picture() {
        let way = Way::new(vec![standing(3.0, true, 25)]);
        assert_eq!(places(&way, way.frame_count()), [3.0]);
        assert_eq!(places(&way, 3), [3.0, 3.0, 3.0]);
    }

    fn read(poses: &str, planes: &[&str]) -> Result<SweepFile, CatalogError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.ron");
        std::fs::write(&path, format!("Sweep(version: 1, poses: [{poses}])")).unwrap();
        SweepDocument::open(&path)?.of_patient(planes.iter().copied())
    }

    #[test]
    fn a_sweep_is_read() {
        let poses = r#"Plane(name: "a", tilt_deg: -15), Pose(at: (1, 2, 3), lateral: Superior, depth: (0, 1, 0), frames: 9)"#;
        let sweep = read(poses, &["a"]).unwrap();
        assert_eq!(sweep.poses.len(), 2);
        assert_eq!(sweep.poses[0].turn().tilt_deg, -15.0);
        assert_eq!(sweep.poses[1].frames(), 9);
    }

    #[test]
    fn faults_are_told_with_their_places() {
        for (poses, words) in [
            ("", "a sweep needs a pose"),
            (r#"Plane(name: "kidny")"#, "did you mean `kidney`"),
            (r#"Plane(name: "kidney", frames: 0)"#, "`frames`"),
            (
                r#"Plane(name: "kidney", frames: 9999), Plane(name: "kidney")"#,
                "10024 frames",
            ),
            (
                "Pose(at: (0, 0, 0), lateral: Left, depth: Right)",
                "parallel",
            ),
            (
                "Pose(at: (0, 0, 0), lateral: Left, depth: Postrior)",
                "did you mean `Posterior`",
            ),
            (
                "Pose(at: (0, 0, inf), lateral: Left, depth: Posterior)",
                "finite",
            ),
        ] {
            let error = read(poses, &["kidney"]).unwrap_err().to_string();
            assert!(error.contains(words), "{poses}: {error}");
            assert!(error.contains("s.ron:1:"), "{poses}: {error}");
        }
    }
}
