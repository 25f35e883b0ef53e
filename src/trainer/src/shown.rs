//! The border between the room and whoever plays the session: plain data both ways.
//!
//! A [`Player`] simulates, images and scores on threads of its own. The room asks for what is
//! to be shown once a frame and sends what hands did; it never waits.

use std::sync::Arc;
use std::time::Instant;

use anatomy::tissue::DisplayName;
use equipment::hand::PatientFromProbe;
use equipment::{Action, Console};
use scoring::{Band, TaskScore};
use ultrasound::display::Picture;

use crate::hand::SkinHand;
use crate::words::Language;

/// Who plays the session.
pub trait Player: Send {
    /// What is to be shown now. Cheap: called once a frame.
    fn latest(&self) -> Arc<Shown>;
    /// What the person did. Must not wait.
    fn send(&mut self, command: Command);
}

/// What the person in the room did.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Where the hand would have the probe; `None` puts it aside.
    Hand(Option<SkinHand>),
    /// A knob or a button.
    Action(Action),
    /// The room's language changed.
    Language(Language),
    /// The room is being left.
    Quit,
}

/// Everything that is to be shown at one moment.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The simulation's step.
    pub tick: u64,
    /// Simulated time since the session began.
    pub seconds: f64,
    /// The probe, unless it lies aside.
    pub probe: Option<ProbeShown>,
    /// The last picture; kept while frozen.
    pub picture: Option<Arc<PictureShown>>,
    /// What the knobs are set to.
    pub console: Console,
    /// The transmit frequency in use, MHz.
    pub frequency_mhz: f64,
    /// Name of the preset the console was started from.
    pub preset: DisplayName,
    /// Whether the picture is frozen.
    pub frozen: bool,
    /// The tasks in their order.
    pub tasks: Vec<TaskShown>,
    /// The score of the last answered task.
    pub score: Option<Arc<TaskScore>>,
    /// Time left for the active task, if it has a limit.
    pub remaining_s: Option<f64>,
    /// Something the person should know now.
    pub notice: Option<DisplayName>,
    /// Figures of the player.
    pub stats: Stats,
    /// Name of the reduced imaging preset while one is in use.
    pub reduced_preset: Option<DisplayName>,
}

impl Shown {
    /// Nothing yet: a console without a probe, a picture or tasks.
    pub fn nothing(console: Console, frequency_mhz: f64, preset: DisplayName) -> Self {
        Self {
            tick: 0,
            seconds: 0.0,
            probe: None,
            picture: None,
            console,
            frequency_mhz,
            preset,
            frozen: false,
            tasks: Vec::new(),
            score: None,
            remaining_s: None,
            notice: None,
            stats: Stats::default(),
            reduced_preset: None,
        }
    }

    /// The task that is being done.
    pub fn active_task(&self) -> Option<&TaskShown> {
        self.tasks
            .iter()
            .find(|task| task.state == TaskState::Active)
    }
}

/// The probe as the simulation has it, which may be elsewhere than the hand would.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeShown {
    /// Where it is.
    pub patient_from_probe: PatientFromProbe,
    /// How deep the face's middle is in the undented skin, mm.
    pub press_mm: f64,
    /// How hard it presses.
    pub force_n: f64,
    /// Whether it touches the skin.
    pub contact: bool,
}

/// A live picture.
#[derive(Clone, Debug)]
pub struct PictureShown {
    /// Counts live pictures; a new number is a new picture.
    pub number: u64,
    /// Grey, mask and where the pixels lie in the probe's plane.
    pub picture: Picture,
    /// The pose it was made at.
    pub patient_from_probe: PatientFromProbe,
    /// When that pose was known.
    pub posed: Instant,
}

/// A task of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskShown {
    /// What people call it.
    pub name: DisplayName,
    /// What is to be done.
    pub instruction: DisplayName,
    /// How far it is.
    pub state: TaskState,
    /// Its points, once done.
    pub points: Option<f64>,
    /// Where they lie.
    pub band: Option<Band>,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Not begun.
    Waiting,
    /// Being done.
    Active,
    /// Answered or passed over.
    Done,
}

/// Figures of the player; the room measures its own.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Live pictures made per second.
    pub images_per_s: f64,
    /// From a hand's pose to the picture made at it: 95th percentile of the last ones, ms.
    pub pose_to_image_p95_ms: f64,
}

/// Figures that the room measures of itself over a while.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RoomFigures {
    /// Frames of the window per second.
    pub window_hz: f64,
    /// 95th percentile of the time between frames, ms.
    pub frame_p95_ms: f64,
    /// New pictures in the panel per second in which the image is live.
    pub texture_hz: f64,
    /// New pictures on the cut plane in the body per second in which the image is live.
    pub plane_hz: f64,
    /// Frames of the body's view per second.
    pub scene_hz: f64,
    /// From a hand's pose until the picture made at it is in the panel: 95th percentile, ms. The
    /// frame that shows it is drawn after that.
    pub pose_to_panel_p95_ms: f64,
}
