//! What a score consists of.

use anatomy::tissue::DisplayName;

/// The score of a whole session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionScore {
    /// Mean of the tasks, 0 to 100.
    pub points: f64,
    /// Where that lies.
    pub band: Band,
    /// Task by task; those never started have no points.
    pub tasks: Vec<TaskScore>,
}

/// The score of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskScore {
    /// The task's id.
    pub task: String,
    /// What people call it.
    pub name: DisplayName,
    /// 0 to 100.
    pub points: f64,
    /// Where that lies.
    pub band: Band,
    /// What it is made of; the points add up to the whole.
    pub items: Vec<Item>,
    /// What was measured beside, without points.
    pub measures: Vec<Measure>,
}

/// Standing of a score. National quality control of fetal screening in China: from 80 standard,
/// from 60 basic, below non-standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Below 60.
    NonStandard,
    /// From 60.
    Basic,
    /// From 80.
    Standard,
}

impl Band {
    /// Points from which a score is basic.
    pub const BASIC_FROM: f64 = 60.0;
    /// Points from which a score is standard.
    pub const STANDARD_FROM: f64 = 80.0;

    /// Where points lie.
    pub fn of(points: f64) -> Self {
        if points >= Self::STANDARD_FROM {
            Self::Standard
        } else if points >= Self::BASIC_FROM {
            Self::Basic
        } else {
            Self::NonStandard
        }
    }
}

/// One part of a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it looks at: `structures`, `normal`, `offset`, …
    pub id: String,
    /// What people call it.
    pub name: DisplayName,
    /// What was earned; below 0 where a gate takes points off the whole.
    pub points: f64,
    /// What can be earned; 0 of a gate.
    pub of: f64,
    /// What was found, with figures.
    pub found: DisplayName,
    /// How lost points are won; `None` if none were lost.
    pub advice: Option<Advice>,
}

/// What would mend a fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// The moves, the most helpful first.
    pub moves: Vec<Move>,
    /// The same in words.
    pub words: DisplayName,
}

/// A move of the hand or a knob, from where the probe was.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Along the skin: towards the marker side (probe +x) and towards +y, mm.
    Slide {
        /// Towards the marker side, mm.
        marker_mm: f64,
        /// Towards probe +y, mm.
        across_mm: f64,
    },
    /// Leans the beam within its plane towards the marker side, degrees.
    Rock(f64),
    /// Leans the scan plane towards probe +y, degrees.
    Tilt(f64),
    /// Turns the marker clockwise, seen from behind the probe, degrees.
    Rotate(f64),
    /// Presses harder (negative: less), N.
    Compress(f64),
    /// Turns a knob by so much, in its unit.
    Turn {
        /// Its id.
        knob: String,
        /// By how much.
        by: f64,
    },
}

/// A figure of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// `path_length`, `time`, …
    pub id: String,
    /// What people call it.
    pub name: DisplayName,
    /// The figure.
    pub value: f64,
    /// Its unit, as printed.
    pub unit: String,
}
