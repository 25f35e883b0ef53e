//! What a person does to the room in one step.

pub use anatomy::deform::Posture;

use crate::hand::PatientFromProbe;

/// What hands do during one step of the simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    /// Where the hand would have the probe, whatever is in its way; `None` while it lies aside.
    pub hand: Option<PatientFromProbe>,
    /// Knobs turned and buttons pressed, in their order.
    pub actions: Vec<Action>,
}

/// A knob turned or a button pressed.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A knob of the console is set to a number.
    Turn {
        /// Its id, as [`crate::Knob::id`]; of the eight sliders `tgc_db.0` to `tgc_db.7`.
        knob: String,
        /// The number, in the knob's unit.
        to: f64,
    },
    /// The picture is frozen or runs again.
    Freeze(bool),
    /// This picture is the answer to the task.
    Capture,
    /// On to the next task, this one unanswered or, if a drill, done.
    Next,
    /// The patient is told how to breathe. Until then no breath is taken, unless the scenario says
    /// otherwise.
    Breathe(Breath),
    /// The patient is told to lie otherwise.
    Lie(Posture),
    /// The patient raises the arms over the head, or takes them down.
    RaiseArm(bool),
    /// The heart beats at so many beats a minute; with 0 it stands still.
    HeartRate(f64),
}

/// What a patient is told to do with the breath.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breath {
    /// Breathe in deeply, and hold it.
    In,
    /// Breathe out, and hold it.
    Out,
    /// Hold the breath where it is.
    Hold,
    /// Breathe quietly.
    Quietly,
}
