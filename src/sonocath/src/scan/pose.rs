//! Where a probe is held, as a person says it: a place and two directions.
//!
//! A pose takes [`geometry::frame::Probe`] to the patient: the origin is the middle of the face, +x
//! points to the marker side, +z into the body, +y = z × x.

use anatomy::direction::Direction;
use catalog::{Faults, FromNode, Kind, Node, ToNode};
use geometry::Point;
use nalgebra as na;
use thiserror::Error;

pub use equipment::hand::{PatientFromProbe, Turn, between, depth_of, face_of, moved_to, of_axes};

/// Coordinates beyond this are a slip of the unit, mm.
const FARTHEST_MM: f64 = 1e4;

/// Sine of the angle below which two directions count as parallel.
const LEAST_SINE: f64 = 1e-3;

/// How `--pose` is written.
const FORM: &str = "write the middle of the face (patient left, posterior, superior, mm), where the \
    marker side points and where the sound goes, such as --pose 10,-95,20:right:posterior or \
    --pose 10,-95,20:-1,0,0:0,1,0";

/// Why words give no pose.
#[derive(Debug, Error, PartialEq)]
pub enum PoseError {
    /// Not three parts.
    #[error("--pose {text}: it has {parts} parts between colons instead of 3; {FORM}")]
    Parts {
        /// What was written.
        text: String,
        /// How many parts.
        parts: usize,
    },
    /// A part is neither a triple nor a word.
    #[error("--pose {text}: `{part}` is no {what}{hint}; {FORM}")]
    Part {
        /// What was written.
        text: String,
        /// The part.
        part: String,
        /// What it should be.
        what: &'static str,
        /// The nearest word.
        hint: String,
    },
    /// The place is not in the room.
    #[error(
        "the probe would be at ({}, {}, {}) mm; coordinates are patient millimetres, within ±{FARTHEST_MM}",
        .place[0], .place[1], .place[2]
    )]
    Far {
        /// The place.
        place: [f64; 3],
    },
    /// A direction without length.
    #[error("the {which} direction is ({}, {}, {}), which points nowhere", .direction[0], .direction[1], .direction[2])]
    NoDirection {
        /// Which.
        which: &'static str,
        /// Its components.
        direction: [f64; 3],
    },
    /// Both directions along one line.
    #[error(
        "the marker direction and the depth direction are parallel; the marker points along the face, across the depth"
    )]
    Parallel,
}

/// A direction in the patient: a word (`Superior`) or its three components, of any length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Toward(pub [f64; 3]);

impl FromNode for Toward {
    fn from_node(node: &Node, faults: &mut Faults) -> Option<Self> {
        match &node.kind {
            Kind::Word(_) => {
                let word = Direction::from_node(node, faults)?;
                Some(Self(word.unit().to_array()))
            }
            _ => <[f64; 3]>::from_node(node, faults).map(Self),
        }
    }
}

impl ToNode for Toward {
    fn to_node(&self) -> Node {
        self.0.to_node()
    }
}

/// A place and two directions, not yet looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// Middle of the face, patient frame, mm.
    pub at: [f64; 3],
    /// Where the marker side points, patient frame.
    pub lateral: Toward,
    /// Where the sound goes, patient frame.
    pub depth: Toward,
}

impl Held {
    /// From `X,Y,Z:MARKER:DEPTH`.
    ///
    /// # Errors
    /// [`PoseError::Parts`], [`PoseError::Part`].
    pub fn parse(text: &str) -> Result<Self, PoseError> {
        let parts: Vec<&str> = text.split(':').map(str::trim).collect();
        let &[at, lateral, depth] = parts.as_slice() else {
            return Err(PoseError::Parts {
                text: text.to_owned(),
                parts: parts.len(),
            });
        };
        let no = |part: &str, what, hint| PoseError::Part {
            text: text.to_owned(),
            part: part.to_owned(),
            what,
            hint,
        };
        let direction = |part| {
            toward(part).ok_or_else(|| {
                no(
                    part,
                    "direction: three finite numbers or a word",
                    nearest_word(part),
                )
            })
        };
        Ok(Self {
            at: triple(at).ok_or_else(|| no(at, "place: three finite numbers", String::new()))?,
            lateral: direction(lateral)?,
            depth: direction(depth)?,
        })
    }

    /// The pose. The depth direction is kept; the marker direction is turned to be square to it.
    ///
    /// # Errors
    /// [`PoseError::Far`], [`PoseError::NoDirection`], [`PoseError::Parallel`].
    pub fn pose(&self) -> Result<PatientFromProbe, PoseError> {
        if !self.at.iter().all(|c| c.abs() <= FARTHEST_MM) {
            return Err(PoseError::Far { place: self.at });
        }
        let unit = |which, Toward(direction): Toward| {
            unit(direction).ok_or(PoseError::NoDirection { which, direction })
        };
        let marker = unit("marker", self.lateral)?;
        let z = unit("depth", self.depth)?;
        let across = marker - z * marker.dot(&z);
        if across.norm() < LEAST_SINE {
            return Err(PoseError::Parallel);
        }
        let x = across.normalize();
        Ok(of_axes(Point::from_coords(self.at.into()), x, z))
    }
}

/// Scaled twice, since the length of very long or short directions overflows or loses digits.
fn unit(direction: [f64; 3]) -> Option<na::Vector3<f64>> {
    let direction = na::Vector3::from(direction);
    let largest = direction.amax();
    (largest.is_finite() && largest > 0.0).then(|| (direction / largest).normalize())
}

/// `X,Y,Z`, each a finite number.
fn triple(text: &str) -> Option<[f64; 3]> {
    let number = |part: &str| part.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    let numbers: Vec<f64> = text.split(',').map(number).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// The words for directions, longest first; a letter is enough.
const WORDS: [(&str, Direction); 6] = [
    ("left", Direction::Left),
    ("right", Direction::Right),
    ("anterior", Direction::Anterior),
    ("posterior", Direction::Posterior),
    ("superior", Direction::Superior),
    ("inferior", Direction::Inferior),
];

fn toward(text: &str) -> Option<Toward> {
    let lower = text.to_ascii_lowercase();
    let is_meant = |word: &str| lower == word || (lower.len() == 1 && word.starts_with(&lower));
    let word = WORDS.iter().find(|(word, _)| is_meant(word));
    match word {
        Some((_, direction)) => Some(Toward(direction.unit().to_array())),
        None => triple(text).map(Toward),
    }
}

fn nearest_word(text: &str) -> String {
    let words = WORDS.map(|(word, _)| word);
    match catalog::nearest(text, words) {
        Some(word) => format!("; did you mean `{word}`?"),
        None => format!(" ({})", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use geometry::{Vector, frame};

    use super::*;

    fn parsed(text: &str) -> Result<PatientFromProbe, PoseError> {
        Held::parse(text)?.pose()
    }

    fn near(found: Vector<frame::Patient>, wanted: [f64; 3]) {
        let off = (found.coords - na::Vector3::from(wanted)).norm();
        assert!(off < 1e-12, "{found:?} is not {wanted:?}");
    }

    #[test]
    fn words_letters_and_numbers_say_the_same() {
        for text in [
            "10,-95,20:right:posterior",
            "10,-95,20:R:P",
            " 10, -95, 20 : -1,0,0 : 0,1,0 ",
            "10,-95,20:-3,0,0:0,0.5,0",
        ] {
            let pose = parsed(text).unwrap();
            assert_eq!(face_of(&pose), Point::new(10.0, -95.0, 20.0), "{text}");
            near(pose * Vector::new(1.0, 0.0, 0.0), [-1.0, 0.0, 0.0]);
            near(depth_of(&pose), [0.0, 1.0, 0.0]);
            // +y = z × x = posterior × right = superior.
            near(pose * Vector::new(0.0, 1.0, 0.0), [0.0, 0.0, 1.0]);
        }
    }

    #[test]
    fn the_depth_direction_is_kept_and_the_marker_made_square_to_it() {
        let pose = parsed("0,0,0:1,1,0:0,1,0").unwrap();
        near(depth_of(&pose), [0.0, 1.0, 0.0]);
        near(pose * Vector::new(1.0, 0.0, 0.0), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn bad_words_are_named() {
        for (text, words) in [
            ("1,2,3:left", "2 parts"),
            ("1,2:left:posterior", "`1,2` is no place"),
            ("1,2,nan:left:posterior", "`1,2,nan`"),
            ("1,2,inf:left:posterior", "`1,2,inf`"),
            ("1,2,3:lefft:posterior", "did you mean `left`"),
            ("1,2,3:1,0:posterior", "`1,0` is no direction"),
            ("1,2,3:left:right", "parallel"),
            ("1,2,3:0,0,0:posterior", "marker direction"),
            ("1,2,3e9:left:posterior", "millimetres"),
            ("", "1 parts"),
        ] {
            let error = parsed(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn turns_go_where_the_hand_means() {
        let pose = parsed("0,0,0:superior:posterior").unwrap();
        let turned = |turn: Turn| turn.applied_to(&pose);
        let sin30 = 0.5;
        let cos30 = 0.75_f64.sqrt();
        // +y = posterior × superior = left.
        let tilted = turned(Turn {
            tilt_deg: 30.0,
            ..Turn::default()
        });
        near(depth_of(&tilted), [sin30, cos30, 0.0]);
        let rocked = turned(Turn {
            rock_deg: 30.0,
            ..Turn::default()
        });
        near(depth_of(&rocked), [0.0, cos30, sin30]);
        let rotated = turned(Turn {
            rotate_deg: 30.0,
            ..Turn::default()
        });
        near(depth_of(&rotated), [0.0, 1.0, 0.0]);
        near(rotated * Vector::new(1.0, 0.0, 0.0), [sin30, 0.0, cos30]);
    }

    #[test]
    fn halfway_is_half_the_turn() {
        let from = parsed("0,0,0:right:posterior").unwrap();
        let to = parsed("10,0,0:superior:posterior").unwrap();
        let half = between(&from, &to, 0.5);
        assert!(face_of(&half).distance(&Point::new(5.0, 0.0, 0.0)) < 1e-12);
        let diagonal = 0.5_f64.sqrt();
        near(
            half * Vector::new(1.0, 0.0, 0.0),
            [-diagonal, 0.0, diagonal],
        );
        near(depth_of(&half), [0.0, 1.0, 0.0]);
        for (t, end) in [(0.0, from), (1.0, to)] {
            let apart = (between(&from, &to, t).isometry.rotation.inverse()
                * end.isometry.rotation)
                .angle();
            assert!(apart < 1e-7, "{apart}");
        }
    }
}
