//! What the room is made of: its resources, the order of a frame, and the plugins put together.

use std::collections::HashSet;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use anatomy::Patient;
use anatomy::tissue::DisplayName;
use bevy::prelude::*;
use equipment::hand::PatientFromProbe;
use equipment::{Action, Probe};

use crate::body::{Body, Layer};
use crate::shown::{Command, Player, RoomFigures, Shown};
use crate::words::Language;

/// What a room is opened with.
#[derive(Clone, Debug)]
pub struct Room {
    /// Who lies there.
    pub patient: Arc<Patient>,
    /// What is in the hand.
    pub probe: Probe,
    /// Where it is when the room opens; somewhere in front if nowhere.
    pub start: Option<PatientFromProbe>,
    /// Name of the examination or drill.
    pub title: DisplayName,
    /// The language to begin with.
    pub language: Language,
    /// Whether the footer shows figures.
    pub show_stats: bool,
}

/// A frame's order.
///
/// | Set | Schedule | Does |
/// |---|---|---|
/// | `Receive` | `PreUpdate` | takes what is to be shown from the player |
/// | `Control` | `Update` | mouse and keys to hand, camera and commands |
/// | `Follow` | `Update`, after `Control` | entities take up what is shown |
/// | `Pace` | `Update`, after `Follow` | decides whether the body is drawn in this frame |
/// | (egui) | `PostUpdate` | the panels |
/// | `Send` | `Last` | commands go to the player; figures are taken |
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoomSet {
    /// Takes what is to be shown.
    Receive,
    /// Mouse and keys.
    Control,
    /// Entities take up what is shown.
    Follow,
    /// Whether the body is drawn.
    Pace,
    /// Commands go out.
    Send,
}

/// The player, and what the person did since the last frame.
#[derive(Resource)]
pub struct Session {
    player: Mutex<Box<dyn Player>>,
    /// Goes out at the frame's end.
    pub outbox: Vec<Command>,
}

impl Session {
    /// Adds a knob turned or a button pressed.
    pub fn act(&mut self, action: Action) {
        self.outbox.push(Command::Action(action));
    }
}

/// What is shown in this frame.
#[derive(Resource, Deref)]
pub struct Latest(pub Arc<Shown>);

/// What the room was opened with.
#[derive(Resource, Deref)]
pub struct Opened(pub Room);

/// The body, once it is made.
#[derive(Resource, Default)]
pub struct BodyShown {
    /// `None` until it is made.
    pub body: Option<Arc<Body>>,
    pending: Option<Mutex<Receiver<Body>>>,
}

impl BodyShown {
    /// Waits for a worker.
    pub fn awaiting(worker: Receiver<Body>) -> Self {
        Self {
            body: None,
            pending: Some(Mutex::new(worker)),
        }
    }

    /// It is there already.
    pub fn ready(body: Body) -> Self {
        Self {
            body: Some(Arc::new(body)),
            pending: None,
        }
    }
}

/// How the person looks at things: nothing in it reaches the simulation.
#[derive(Resource, Clone, Debug, PartialEq)]
pub struct View {
    /// Language of everything.
    pub language: Language,
    /// Layers that are shown, as [`Layer::index`].
    pub layers: [bool; Layer::ALL.len()],
    /// Structures left out, by their position in the patient.
    pub hidden: HashSet<usize>,
    /// 0 to 1.
    pub skin_opacity: f32,
    /// A window is cut into what lies before the image.
    pub is_open_at_plane: bool,
    /// The help is shown.
    pub is_help_open: bool,
    /// The score that was put away, by its task's id and points.
    pub closed_score: Option<(String, u64)>,
    /// The structure under the pointer.
    pub hovered: Option<usize>,
}

impl View {
    /// The body under a glassy skin.
    pub fn new(language: Language) -> Self {
        let mut layers = [true; Layer::ALL.len()];
        layers[Layer::Soft.index()] = false;
        Self {
            language,
            layers,
            hidden: HashSet::new(),
            skin_opacity: 0.3,
            is_open_at_plane: true,
            is_help_open: false,
            closed_score: None,
            hovered: None,
        }
    }

    /// Whether a structure is seen.
    pub fn shows(&self, index: usize, layer: Layer) -> bool {
        self.layers[layer.index()] && !self.hidden.contains(&index)
    }

    /// Whether the last score is on the screen.
    pub fn shows_score(&self, shown: &Shown) -> bool {
        shown
            .score
            .as_ref()
            .is_some_and(|score| self.closed_score.as_ref() != Some(&key_of(score)))
    }

    /// Puts the score away until there is another.
    pub fn close_score(&mut self, shown: &Shown) {
        self.closed_score = shown.score.as_deref().map(key_of);
    }
}

fn key_of(score: &scoring::TaskScore) -> (String, u64) {
    (score.task.clone(), score.points.to_bits())
}

/// Figures of the room itself.
#[derive(Resource, Default)]
pub struct Figures {
    /// As of the last seconds.
    pub now: RoomFigures,
    recent: Count,
    /// Since the first live picture.
    whole: Count,
}

/// What is counted over a while.
#[derive(Default)]
struct Count {
    /// Times between frames, s.
    frames: Vec<f32>,
    seconds: f64,
    /// Of them with a live picture: the probe is on the skin and nothing is frozen.
    live_s: f64,
    /// From the pose of a picture until it was put into the panel, s.
    waits: Vec<f32>,
    pictures: u32,
    planes: u32,
    scenes: u32,
}

impl Count {
    fn figures(&mut self) -> RoomFigures {
        let per_s = |count: usize, seconds: f64| count as f64 / seconds.max(1e-6);
        RoomFigures {
            window_hz: per_s(self.frames.len(), self.seconds),
            texture_hz: per_s(self.pictures as usize, self.live_s),
            plane_hz: per_s(self.planes as usize, self.live_s),
            scene_hz: per_s(self.scenes as usize, self.seconds),
            frame_p95_ms: 1e3 * percentile_95(&mut self.frames),
            pose_to_panel_p95_ms: 1e3 * percentile_95(&mut self.waits),
        }
    }
}

fn percentile_95(values: &mut [f32]) -> f64 {
    values.sort_by(f32::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = (values.len() * 95 / 100).min(last);
    values.get(at).copied().map_or(0.0, f64::from)
}

impl Figures {
    /// Counts a picture put into the panel, so many seconds after the hand's pose if that is new.
    pub fn picture(&mut self, wait_s: Option<f32>) {
        for count in [&mut self.recent, &mut self.whole] {
            count.pictures += 1;
            count.waits.extend(wait_s);
        }
    }

    /// Counts a picture put on the plane in the body.
    pub fn plane(&mut self) {
        self.recent.planes += 1;
        self.whole.planes += 1;
    }

    /// Counts a frame of the body's view.
    pub fn scene(&mut self) {
        self.recent.scenes += 1;
        self.whole.scenes += 1;
    }

    /// Over all since the first live picture.
    pub fn whole(&mut self) -> RoomFigures {
        self.whole.figures()
    }

    /// Takes a frame; every two seconds the figures are reckoned anew.
    fn take(&mut self, frame_s: f32, is_live: bool) {
        const OVER_S: f64 = 2.0;
        for count in [&mut self.recent, &mut self.whole] {
            count.frames.push(frame_s);
            count.seconds += f64::from(frame_s);
            count.live_s += f64::from(if is_live { frame_s } else { 0.0 });
        }
        if self.whole.pictures == 0 {
            self.whole = Count::default();
        }
        if self.recent.seconds >= OVER_S {
            self.now = std::mem::take(&mut self.recent).figures();
        }
    }
}

/// Everything but the screen.
pub struct RoomPlugin;

impl Plugin for RoomPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Figures>()
            .configure_sets(
                Update,
                (RoomSet::Control, RoomSet::Follow, RoomSet::Pace).chain(),
            )
            .add_systems(PreUpdate, receive.in_set(RoomSet::Receive))
            .add_systems(Last, (send, measure).chain().in_set(RoomSet::Send))
            .add_plugins((
                crate::material::MaterialsPlugin,
                crate::camera::CameraPlugin,
                crate::scene::ScenePlugin,
                crate::probe::ProbePlugin,
                crate::picture::PicturePlugin,
                crate::pick::PickPlugin,
                crate::controls::ControlsPlugin,
                crate::panels::PanelsPlugin,
            ));
    }
}

/// Puts the room's resources into the world.
pub(crate) fn open(app: &mut App, room: Room, player: Box<dyn Player>, body: BodyShown) {
    let first = player.latest();
    app.insert_resource(View::new(room.language))
        .insert_resource(Opened(room))
        .insert_resource(Latest(first))
        .insert_resource(body)
        .insert_resource(Session {
            player: Mutex::new(player),
            outbox: Vec::new(),
        })
        .add_plugins(RoomPlugin);
}

fn receive(session: Res<Session>, mut latest: ResMut<Latest>, mut body: ResMut<BodyShown>) {
    let player = session.player.lock();
    let newest = player.unwrap_or_else(|broken| broken.into_inner()).latest();
    if !Arc::ptr_eq(&newest, &latest.0) {
        latest.0 = newest;
    }
    let made = body.pending.as_ref().and_then(|pending| {
        let pending = pending.lock();
        pending
            .unwrap_or_else(|broken| broken.into_inner())
            .try_recv()
            .ok()
    });
    if let Some(made) = made {
        *body = BodyShown::ready(made);
    }
}

fn send(mut session: ResMut<Session>, mut exits: MessageReader<AppExit>) {
    let mut commands = std::mem::take(&mut session.outbox);
    if exits.read().next().is_some() {
        commands.push(Command::Quit);
    }
    let player = session.player.get_mut();
    let player = player.unwrap_or_else(|broken| broken.into_inner());
    commands
        .into_iter()
        .for_each(|command| player.send(command));
}

fn measure(time: Res<Time<Real>>, latest: Res<Latest>, mut figures: ResMut<Figures>) {
    let is_live = latest.picture.is_some() && !latest.frozen;
    figures.take(time.delta_secs(), is_live);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_counts_over_time() {
        let mut figures = Figures::default();
        // The room comes up: nothing to see yet.
        (0..20).for_each(|_| figures.take(0.1, false));
        for wait_ms in 1..=40 {
            figures.picture(Some(wait_ms as f32 * 1e-3));
            figures.take(0.05, true);
        }
        for now in [figures.now, figures.whole()] {
            assert!((now.window_hz - 20.0).abs() < 0.6, "{now:?}");
            assert!((now.frame_p95_ms - 50.0).abs() < 0.1);
            assert!((now.texture_hz - 20.0).abs() < 0.6);
            assert_eq!(now.plane_hz, 0.0);
            assert!((now.pose_to_panel_p95_ms - 39.0).abs() < 0.1);
        }
    }

    #[test]
    fn a_hidden_layer_hides_its_parts() {
        let mut view = View::new(Language::English);
        assert!(!view.shows(3, Layer::Soft));
        assert!(view.shows(3, Layer::Organs));
        view.hidden.insert(3);
        assert!(!view.shows(3, Layer::Organs));
    }
}
