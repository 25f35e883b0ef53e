//! The things that are recorded.

use equipment::Inputs;
use equipment::hand::PatientFromProbe;
use geometry::{Point, Vector, frame};

/// What holds for a whole recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The engine that made it: name, version and processor family. Another engine may make other
    /// pictures of the same inputs.
    pub engine: String,
    /// Text of the scenario's file, as it was played.
    pub scenario: String,
    /// Folder or recipe of the patient, as a person said it.
    pub patient: String,
    /// Digest of the patient's contents: another patient under the same name is another patient.
    pub patient_digest: u64,
    /// The patient's structures: [`Seen::structure`] counts in this list.
    pub structures: Vec<String>,
    /// Name of the probe.
    pub probe: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Steps in a second.
    pub ticks_per_s: u32,
}

/// One step of the simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Steps since the beginning; the first is 0. Simulated time is `tick / ticks_per_s`.
    pub tick: u64,
    /// What hands did.
    pub inputs: Inputs,
    /// The probe as it is held by hand and body; `None` while it lies aside.
    pub probe: Option<ProbeState>,
    /// All settings as text of a settings file, in the first step and whenever they change.
    pub settings: Option<String>,
    /// Whether the picture is frozen.
    pub frozen: bool,
    /// What the picture shows, on ticks on which it was asked.
    pub facts: Option<Facts>,
    /// What happened, in its order.
    pub events: Vec<Event>,
}

/// The probe at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeState {
    /// Where it is.
    pub patient_from_probe: PatientFromProbe,
    /// How far its face is pressed into the skin, mm; negative: so far above it.
    pub press_mm: f64,
    /// Force on the skin, N.
    pub force_n: f64,
}

/// What a picture shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Share of the lines that are in contact with the body, 0 to 1.
    pub contact: f32,
    /// The structures of which something is visible or shadowed, by rising number.
    pub seen: Vec<Seen>,
}

/// What a picture shows of one structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its place in [`Header::structures`].
    pub structure: u16,
    /// Area that sound reaches and comes back from, mm².
    pub visible_mm2: f32,
    /// Area in shadow, mm².
    pub shadowed_mm2: f32,
    /// Lattice cells of the structure seen for the first time in this recording. Only of structures
    /// that a sweep asks for.
    pub new_cells: Vec<[i16; 3]>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A task began.
    TaskStarted {
        /// Its place in the scenario.
        task: u32,
        /// What is to be reached.
        target: Target,
    },
    /// The body has moved since the task began, and what is to be reached with it: from here on the
    /// task's pictures are held against this.
    TargetMoved {
        /// The task's place in the scenario.
        task: u32,
        /// Where what is to be reached lies now.
        target: Target,
    },
    /// A picture was handed in.
    Captured {
        /// The task it answers.
        task: u32,
        /// Digest of the picture's grey values.
        picture: u64,
    },
    /// A task ended.
    TaskEnded {
        /// Its place in the scenario.
        task: u32,
        /// How.
        outcome: Outcome,
    },
    /// A knob would not go there.
    Refused {
        /// The knob.
        knob: String,
        /// Why, in English.
        why: String,
    },
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// Left by the trainee without one.
    Left,
    /// By the clock.
    TimedOut,
}

/// What a task is to reach in this patient.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A plane.
    Plane(PlaneTarget),
    /// A sweep through a structure.
    Sweep(SweepTarget),
}

/// A plane as it lies in this patient, and what an exemplary picture of it shows.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaneTarget {
    /// Its id in the atlas.
    pub plane: String,
    /// A point of the plane in the middle of what it shows.
    pub center: Point<frame::Patient>,
    /// Unit vector in the plane to the picture's marker side.
    pub lateral: Vector<frame::Patient>,
    /// Unit vector in the plane from the probe into the body.
    pub depth: Vector<frame::Patient>,
    /// The probe of the exemplary picture.
    pub patient_from_probe: PatientFromProbe,
    /// Depth of the exemplary picture, mm.
    pub depth_mm: f64,
    /// What must be visible.
    pub required: Vec<RequiredStructure>,
}

/// A structure that a plane must show.
#[derive(Clone, Debug, PartialEq)]
pub struct RequiredStructure {
    /// Its id.
    pub structure: String,
    /// What the exemplary picture shows of it, mm².
    pub exemplary_mm2: f64,
}

/// A sweep through a whole structure.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepTarget {
    /// The structure's id.
    pub structure: String,
    /// Lattice cells the structure has.
    pub cells: u32,
}
