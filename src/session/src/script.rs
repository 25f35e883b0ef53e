//! A hand that follows a script: for shows, tests and benches.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use catalog::{CatalogError, Document, Finding, Format, POSITIVE, Spanned};
use equipment::hand::{PatientFromProbe, Turn, between, depth_of, face_of, moved_to};
use equipment::{Action, Breath, Inputs, Posture};
use geometry::Vector;
use procedure::TICKS_PER_S;
use recording::Target;

use crate::Session;

const FORMAT: Format = Format::new("Script", 1).with_max_bytes(1 << 20);

/// Longest move, s.
const LONGEST_S: f64 = 3600.0;

/// How far one move goes at most, mm: all over a body.
const FARTHEST_MM: RangeInclusive<f64> = -1000.0..=1000.0;

/// How far one move turns at most, degrees.
const TURN_DEG: RangeInclusive<f64> = -360.0..=360.0;

catalog::record! {
    #[derive(Debug)]
    struct ScriptFile {
        moves: Vec<Spanned<Move>>,
    }
}

/// What a hand does, move after move.
#[derive(Clone, Debug)]
pub struct Script {
    moves: Vec<Spanned<Move>>,
    /// Where the moves were read from, for faults.
    document: Arc<Document>,
}

catalog::choice! {
    /// One move. `s`: how long it takes.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Move {
        /// Stays where it is.
        Hold {
            /// For so long.
            s: f64 [0.0..=LONGEST_S],
        },
        /// To where the exemplary picture of a plane of the scenario is made in the body as it lies
        /// when the move begins, shifted and turned from there.
        To {
            /// The plane's id.
            plane: String,
            /// For so long.
            s: f64 [0.0..=LONGEST_S],
            /// Shift to the marker side.
            marker_mm: f64 [FARTHEST_MM] = 0.0,
            /// Shift towards probe +y.
            across_mm: f64 [FARTHEST_MM] = 0.0,
            /// Leans the scan plane towards probe +y.
            tilt_deg: f64 [TURN_DEG] = 0.0,
            /// Leans the beam within its plane towards the marker side.
            rock_deg: f64 [TURN_DEG] = 0.0,
            /// Turns the marker clockwise, seen from behind.
            rotate_deg: f64 [TURN_DEG] = 0.0,
        },
        /// From where it is along the skin, turning.
        By {
            /// For so long.
            s: f64 [0.0..=LONGEST_S],
            /// Shift to the marker side.
            marker_mm: f64 [FARTHEST_MM] = 0.0,
            /// Shift towards probe +y.
            across_mm: f64 [FARTHEST_MM] = 0.0,
            /// Leans the scan plane towards probe +y.
            tilt_deg: f64 [TURN_DEG] = 0.0,
            /// Leans the beam within its plane towards the marker side.
            rock_deg: f64 [TURN_DEG] = 0.0,
            /// Turns the marker clockwise, seen from behind.
            rotate_deg: f64 [TURN_DEG] = 0.0,
        },
        /// Presses so much harder than contact needs, from now on.
        Press {
            /// How far, mm.
            mm: f64 [-100.0..=100.0],
            /// For so long.
            s: f64 [0.0..=LONGEST_S],
        },
        /// Puts the probe aside.
        Lift {
            /// For so long.
            s: f64 [POSITIVE],
        },
        /// Turns a knob.
        Knob {
            /// Its id.
            id: String,
            /// To this.
            to: f64,
        },
        /// Tells the patient to breathe in deeply, and hold it.
        BreatheIn,
        /// Tells the patient to breathe out, and hold it.
        BreatheOut,
        /// Tells the patient to hold the breath where it is.
        HoldBreath,
        /// Tells the patient to breathe quietly.
        BreatheQuietly,
        /// Tells the patient to lie otherwise.
        Lie {
            /// How.
            how: Posture,
        },
        /// Tells the patient to raise the arms over the head.
        RaiseArm,
        /// Tells the patient to take them down.
        LowerArm,
        /// Lets the heart beat so often; with 0 it stands still.
        HeartRate {
            /// Beats a minute.
            per_min: f64 [0.0..=300.0],
        },
        /// Freezes the picture.
        Freeze,
        /// Lets the picture run.
        Unfreeze,
        /// Hands the picture in.
        Capture,
        /// On to the next task.
        Next,
    }
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        Self::of(Document::open(path, &FORMAT)?)
    }

    /// Reads the text of a script; `source` names it in faults.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str, source: &str) -> Result<Self, CatalogError> {
        Self::of(Document::parse(text, source, &FORMAT)?)
    }

    fn of(document: Document) -> Result<Self, CatalogError> {
        let file: ScriptFile = document.resolve()?;
        Ok(Self {
            moves: file.moves,
            document: Arc::new(document),
        })
    }

    /// Whether a session has the planes that the script goes to and the knobs that it turns.
    ///
    /// # Errors
    /// Every move to a plane that no task asks for, every knob that the probe's console cannot be
    /// turned to, with their places.
    pub fn check(&self, session: &Session) -> Result<(), CatalogError> {
        let mut faults = self.document.faults();
        let procedure = session.procedure();
        let mut console = procedure.console().clone();
        for step in &self.moves {
            match &step.value {
                Move::To { plane, .. } if exemplary(session, plane).is_none() => {
                    let planes: Vec<&str> = planes(session).collect();
                    let words = format!(
                        "no task of the scenario asks for the plane `{plane}`; they ask for {}",
                        planes.join(", ")
                    );
                    faults.push(Finding::new(step.span, words));
                }
                Move::Knob { id, to } => match console.turned(procedure.probe(), id, *to) {
                    Ok(turned) => console = turned,
                    Err(error) => faults.push(Finding::new(step.span, error.to_string())),
                },
                _ => {}
            }
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(self.document.error(faults)),
        }
    }

    /// A hand that follows it.
    pub fn hand(&self) -> ScriptHand {
        ScriptHand {
            moves: self.moves.iter().map(|step| step.value.clone()).collect(),
            at: 0,
            ticks: 0,
            from: None,
            to: None,
            pose: None,
            press_mm: 0.0,
            begun: false,
        }
    }
}

/// A hand in the middle of a script.
#[derive(Clone, Debug)]
pub struct ScriptHand {
    moves: Vec<Move>,
    /// The move being made, and for how many ticks it has been.
    at: usize,
    ticks: u64,
    /// Where the move began, and where one to a plane ends.
    from: Option<PatientFromProbe>,
    to: Option<PatientFromProbe>,
    /// Where the hand is, just touching.
    pose: Option<PatientFromProbe>,
    press_mm: f64,
    begun: bool,
}

impl ScriptHand {
    /// What the hand does in the next step of a session; `None` when the script is over.
    pub fn next(&mut self, session: &Session) -> Option<Inputs> {
        if !self.begun {
            self.begun = true;
            self.pose = session.start_pose();
            self.from = self.pose;
        }
        let mut actions = Vec::new();
        // Knobs and buttons take no time: all that come in a row fall into one step, but of those
        // that end something only one.
        while let Some(action) = self.moves.get(self.at).and_then(action_of) {
            let ends = matches!(action, Action::Next | Action::Capture);
            actions.push(action);
            self.at += 1;
            if ends {
                break;
            }
        }
        if actions.is_empty() {
            self.moves.get(self.at)?;
            self.go_on(session);
        }
        Some(Inputs {
            hand: self.pose.map(|pose| self.pressed(&pose)),
            actions,
        })
    }

    fn go_on(&mut self, session: &Session) {
        let step = self.moves[self.at].clone();
        let ticks = ticks_of(&step);
        if self.ticks == 0 {
            self.from = self.pose;
            self.to = match &step {
                Move::To { plane, .. } => exemplary(session, plane),
                _ => None,
            };
        }
        self.ticks += 1;
        let share = even(self.ticks as f64 / ticks as f64);
        match &step {
            Move::To { .. } => {
                let to = self.to.map(|pose| shifted(&step, &pose, 1.0));
                self.pose = match (self.from, to) {
                    (Some(from), Some(to)) => Some(between(&from, &to, share)),
                    (_, to) => to,
                };
            }
            Move::By { .. } => {
                self.pose = self.from.map(|from| shifted(&step, &from, share));
            }
            Move::Press { mm, .. } => self.press_mm = mm * share + self.press_mm * (1.0 - share),
            Move::Lift { .. } => self.pose = None,
            _ => {}
        }
        if matches!(step, Move::To { .. } | Move::By { .. }) {
            self.pose = self.pose.map(|pose| session.procedure().on_skin(&pose));
        }
        if self.ticks >= ticks {
            self.at += 1;
            self.ticks = 0;
        }
    }

    fn pressed(&self, pose: &PatientFromProbe) -> PatientFromProbe {
        moved_to(pose, face_of(pose) + depth_of(pose) * self.press_mm)
    }
}

/// Steps that a move takes.
fn ticks_of(step: &Move) -> u64 {
    let s = match step {
        Move::Hold { s }
        | Move::To { s, .. }
        | Move::By { s, .. }
        | Move::Press { s, .. }
        | Move::Lift { s } => *s,
        _ => 0.0,
    };
    ((s * f64::from(TICKS_PER_S)) as u64).max(1)
}

/// Speeds up and slows down, as hands do: a minimum-jerk movement (Flash & Hogan, J. Neurosci.
/// 5:1688, 1985).
fn even(t: f64) -> f64 {
    let t = t.clamp(0.0, 1.0);
    t * t * t * (10.0 + t * (-15.0 + 6.0 * t))
}

fn action_of(step: &Move) -> Option<Action> {
    match step {
        Move::Knob { id, to } => Some(Action::Turn {
            knob: id.clone(),
            to: *to,
        }),
        Move::BreatheIn => Some(Action::Breathe(Breath::In)),
        Move::BreatheOut => Some(Action::Breathe(Breath::Out)),
        Move::HoldBreath => Some(Action::Breathe(Breath::Hold)),
        Move::BreatheQuietly => Some(Action::Breathe(Breath::Quietly)),
        Move::Lie { how } => Some(Action::Lie(*how)),
        Move::RaiseArm => Some(Action::RaiseArm(true)),
        Move::LowerArm => Some(Action::RaiseArm(false)),
        Move::HeartRate { per_min } => Some(Action::HeartRate(*per_min)),
        Move::Freeze => Some(Action::Freeze(true)),
        Move::Unfreeze => Some(Action::Freeze(false)),
        Move::Capture => Some(Action::Capture),
        Move::Next => Some(Action::Next),
        _ => None,
    }
}

/// A pose shifted and turned by a share of what a move says.
fn shifted(step: &Move, pose: &PatientFromProbe, share: f64) -> PatientFromProbe {
    let (Move::To {
        marker_mm,
        across_mm,
        tilt_deg,
        rock_deg,
        rotate_deg,
        ..
    }
    | Move::By {
        marker_mm,
        across_mm,
        tilt_deg,
        rock_deg,
        rotate_deg,
        ..
    }) = step
    else {
        return *pose;
    };
    let shift = *pose * Vector::new(marker_mm * share, across_mm * share, 0.0);
    let turn = Turn {
        tilt_deg: tilt_deg * share,
        rock_deg: rock_deg * share,
        rotate_deg: rotate_deg * share,
    };
    turn.applied_to(&moved_to(pose, face_of(pose) + shift))
}

fn planes(session: &Session) -> impl Iterator<Item = &str> {
    session.targets().iter().filter_map(|target| match target {
        Target::Plane(target) => Some(target.plane.as_str()),
        Target::Sweep(_) => None,
    })
}

fn exemplary(session: &Session, plane: &str) -> Option<PatientFromProbe> {
    let procedure = session.procedure();
    let moved = procedure.moved().map(|moved| &**moved);
    session.targets().iter().find_map(|target| match target {
        Target::Plane(target) if target.plane == plane => {
            Some(procedure.target_in(moved, target).patient_from_probe)
        }
        _ => None,
    })
}
