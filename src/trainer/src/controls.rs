//! Mouse and keys: the hand, the eye, the knobs.

use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll, MouseScrollUnit};
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_egui::input::EguiWantsInput;
use bevy_rapier3d::prelude::ReadRapierContext;
use equipment::hand::face_of;
use equipment::{Action, Breath, Posture};
use geometry::{Patient, Point, Vector, frame};

use crate::body::Layer;
use crate::camera::Orbit;
use crate::convert;
use crate::hand::{SkinHand, glide_mm};
use crate::knobs;
use crate::pick;
use crate::room::{BodyShown, Latest, Opened, RoomSet, Session, View};
use crate::scene::Shape;
use crate::shown::Command;

/// Angles of keys held, degrees a second.
const TURN_DEG_S: f64 = 40.0;
/// Press of keys held.
const PRESS_MM_S: f64 = 12.0;
/// Sliding by keys.
const SLIDE_MM_S: f64 = 45.0;
/// With Shift all of them are so much slower.
const FINE: f64 = 0.2;
/// A hand halves its way to the pointer in this time …
const GLIDE_HALF_S: f64 = 0.045;
/// … but is no faster than this.
const GLIDE_MOST_MM_S: f64 = 600.0;

/// Mouse and keys.
pub struct ControlsPlugin;

impl Plugin for ControlsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Pointer>()
            .init_resource::<Hand>()
            .add_systems(
                Update,
                (
                    read_pointer,
                    begin_on_the_skin,
                    move_eye,
                    drag_probe,
                    turn_by_keys,
                    press_keys,
                    send_hand,
                )
                    .chain()
                    .in_set(RoomSet::Control),
            );
    }
}

/// What a drag that began in the body's view does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drag {
    Probe,
    Orbit,
    Shift,
}

/// The pointer over the body's view.
#[derive(Resource, Debug, Default)]
pub struct Pointer {
    /// The view on the screen, points.
    pub panel: Rect,
    /// Something lies over the view and takes the pointer.
    pub is_covered: bool,
    at: Option<Vec2>,
    drag: Option<Drag>,
}

impl Pointer {
    fn ray(&self, orbit: &Orbit) -> Option<Ray3d> {
        let size = self.panel.size();
        let share = (self.at? - self.panel.min) / size;
        let at = Vec2::new(2.0 * share.x - 1.0, 1.0 - 2.0 * share.y);
        Some(orbit.ray(at, size.x / size.y.max(1.0)))
    }

    /// The ray below a pointer that is over the view and drags nothing.
    pub fn free_ray(&self, orbit: &Orbit) -> Option<Ray3d> {
        let is_inside = self.at.is_some_and(|at| self.panel.contains(at));
        (is_inside && !self.is_covered && self.drag.is_none())
            .then(|| self.ray(orbit))
            .flatten()
    }
}

/// Where the hand is, and where the pointer pulls it.
#[derive(Resource, Debug, Default)]
pub struct Hand {
    /// `None` until there is a skin.
    pub held: Option<SkinHand>,
    goal: Option<Point<Patient>>,
    sent: Option<SkinHand>,
}

impl Hand {
    /// Puts the hand somewhere at once.
    pub fn place(&mut self, hand: SkinHand) {
        self.held = Some(hand.within_reach());
        self.goal = None;
    }
}

fn begin_on_the_skin(body: Res<BodyShown>, opened: Res<Opened>, mut hand: ResMut<Hand>) {
    if hand.held.is_some() {
        return;
    }
    let skin = body.body.as_ref().and_then(|body| body.skin.as_ref());
    if let (Some(start), Some(skin)) = (&opened.start, skin)
        && let Some(outward) = skin.outward_at(face_of(start))
    {
        hand.place(SkinHand::of_pose(start, outward));
        return;
    }
    if let Some(start) = body.body.as_ref().and_then(|body| body.start) {
        hand.place(SkinHand {
            press_mm: 3.0,
            ..start
        });
    }
}

fn read_pointer(
    windows: Query<&Window, With<PrimaryWindow>>,
    buttons: Res<ButtonInput<MouseButton>>,
    egui: Res<EguiWantsInput>,
    mut pointer: ResMut<Pointer>,
) {
    pointer.at = windows.single().ok().and_then(Window::cursor_position);
    let is_free = pointer.at.is_some_and(|at| pointer.panel.contains(at))
        && !pointer.is_covered
        && !egui.is_using_pointer();
    let pressed = [
        (MouseButton::Left, Drag::Probe),
        (MouseButton::Right, Drag::Orbit),
        (MouseButton::Middle, Drag::Shift),
    ];
    for (button, drag) in pressed {
        if buttons.just_pressed(button) && is_free && pointer.drag.is_none() {
            pointer.drag = Some(drag);
        }
        if pointer.drag == Some(drag) && !buttons.pressed(button) {
            pointer.drag = None;
        }
    }
}

fn move_eye(
    pointer: Res<Pointer>,
    motion: Res<AccumulatedMouseMotion>,
    scroll: Res<AccumulatedMouseScroll>,
    keys: Res<ButtonInput<KeyCode>>,
    mut orbit: ResMut<Orbit>,
    mut hand: ResMut<Hand>,
) {
    match pointer.drag {
        Some(Drag::Orbit) if motion.delta != Vec2::ZERO => orbit.turn(motion.delta),
        Some(Drag::Shift) if motion.delta != Vec2::ZERO => {
            orbit.shift(motion.delta, pointer.panel.height());
        }
        _ => {}
    }
    let notches = match scroll.unit {
        MouseScrollUnit::Line => scroll.delta.y,
        MouseScrollUnit::Pixel => scroll.delta.y / 40.0,
    };
    let is_over = pointer.at.is_some_and(|at| pointer.panel.contains(at)) && !pointer.is_covered;
    if notches == 0.0 || !is_over {
        return;
    }
    let with_modifier = keys.any_pressed([
        KeyCode::ControlLeft,
        KeyCode::ControlRight,
        KeyCode::AltLeft,
    ]);
    match (with_modifier, &mut hand.held) {
        (true, Some(held)) => {
            held.press_mm += f64::from(notches);
            *held = held.within_reach();
        }
        _ => orbit.zoom(notches),
    }
}

fn drag_probe(
    time: Res<Time<Real>>,
    rapier: ReadRapierContext,
    shapes: Query<&Shape>,
    orbit: Res<Orbit>,
    pointer: Res<Pointer>,
    body: Res<BodyShown>,
    mut hand: ResMut<Hand>,
) {
    let Some(skin) = body.body.as_ref().and_then(|body| body.skin.as_ref()) else {
        return;
    };
    if pointer.drag == Some(Drag::Probe) {
        let hit = pointer.ray(&orbit).and_then(|ray| {
            let rapier = rapier.single().ok()?;
            let skin = |shape: &Shape| shape.layer == Layer::Skin;
            let (_, distance) = pick::first_along(&rapier, &shapes, ray, skin)?;
            Some(convert::place_back(ray.origin + *ray.direction * distance))
        });
        hand.goal = hit.or(hand.goal);
    }
    let (Some(goal), Some(held)) = (hand.goal, hand.held) else {
        return;
    };
    let way = goal - held.at;
    let step = glide_mm(
        way.norm(),
        time.delta_secs_f64(),
        GLIDE_HALF_S,
        GLIDE_MOST_MM_S,
    );
    let Some(direction) = way.normalized().filter(|_| way.norm() > 0.05) else {
        hand.goal = None;
        return;
    };
    let at = skin.moved(&held, direction * step).unwrap_or(goal);
    let outward = skin.outward_at(at).unwrap_or(held.outward);
    hand.held = Some(SkinHand {
        at,
        outward,
        ..held
    });
}

fn turn_by_keys(
    time: Res<Time<Real>>,
    keys: Res<ButtonInput<KeyCode>>,
    body: Res<BodyShown>,
    mut hand: ResMut<Hand>,
) {
    let Some(mut held) = hand.held else { return };
    let fine = match keys.any_pressed([KeyCode::ShiftLeft, KeyCode::ShiftRight]) {
        true => FINE,
        false => 1.0,
    };
    let seconds = time.delta_secs_f64() * fine;
    let held_down = |more: KeyCode, less: KeyCode| {
        f64::from(i8::from(keys.pressed(more)) - i8::from(keys.pressed(less)))
    };
    held.turn.rotate_deg += held_down(KeyCode::KeyE, KeyCode::KeyQ) * TURN_DEG_S * seconds;
    held.turn.rock_deg += held_down(KeyCode::KeyD, KeyCode::KeyA) * TURN_DEG_S * seconds;
    held.turn.tilt_deg += held_down(KeyCode::KeyW, KeyCode::KeyS) * TURN_DEG_S * seconds;
    held.press_mm += held_down(KeyCode::KeyR, KeyCode::KeyF) * PRESS_MM_S * seconds;
    held = held.within_reach();
    let slide = [
        held_down(KeyCode::ArrowRight, KeyCode::ArrowLeft),
        held_down(KeyCode::ArrowUp, KeyCode::ArrowDown),
    ];
    if slide != [0.0; 2]
        && let Some(skin) = body.body.as_ref().and_then(|body| body.skin.as_ref())
    {
        let by = held.pose() * Vector::<frame::Probe>::new(-slide[0], slide[1], 0.0);
        let along = by * (SLIDE_MM_S * seconds);
        if let Some(at) = skin.moved(&held, along) {
            held.outward = skin.outward_at(at).unwrap_or(held.outward);
            held.at = at;
            hand.goal = None;
        }
    }
    if hand.held != Some(held) {
        hand.held = Some(held);
    }
}

fn press_keys(
    keys: Res<ButtonInput<KeyCode>>,
    latest: Res<Latest>,
    room: Res<Opened>,
    mut session: ResMut<Session>,
    mut view: ResMut<View>,
    mut posture: Local<Posture>,
) {
    if keys.just_pressed(KeyCode::KeyH) || keys.just_pressed(KeyCode::F1) {
        view.is_help_open = !view.is_help_open;
    }
    if keys.just_pressed(KeyCode::Escape) {
        match view.is_help_open {
            true => view.is_help_open = false,
            false => view.close_score(&latest),
        }
    }
    if keys.just_pressed(KeyCode::KeyL) {
        view.language = view.language.other();
        session.outbox.push(Command::Language(view.language));
    }
    if keys.just_pressed(KeyCode::Space) {
        session.act(Action::Freeze(!latest.frozen));
    }
    if keys.just_pressed(KeyCode::Enter) || keys.just_pressed(KeyCode::NumpadEnter) {
        session.act(Action::Capture);
    }
    if keys.just_pressed(KeyCode::KeyN) {
        session.act(Action::Next);
    }
    let breaths = [
        (KeyCode::KeyI, Breath::In),
        (KeyCode::KeyO, Breath::Out),
        (KeyCode::KeyK, Breath::Hold),
        (KeyCode::KeyB, Breath::Quietly),
    ];
    for (key, breath) in breaths {
        if keys.just_pressed(key) {
            session.act(Action::Breathe(breath));
        }
    }
    if keys.just_pressed(KeyCode::KeyP) {
        *posture = match *posture {
            Posture::Supine => Posture::LeftDecubitus,
            Posture::LeftDecubitus => Posture::Supine,
        };
        session.act(Action::Lie(*posture));
    }
    let knobs = [
        (KeyCode::Equal, knobs::DEPTH, 1.0),
        (KeyCode::NumpadAdd, knobs::DEPTH, 1.0),
        (KeyCode::Minus, knobs::DEPTH, -1.0),
        (KeyCode::NumpadSubtract, knobs::DEPTH, -1.0),
        (KeyCode::BracketRight, knobs::GAIN, 1.0),
        (KeyCode::BracketLeft, knobs::GAIN, -1.0),
    ];
    for (key, knob, steps) in knobs {
        if keys.just_pressed(key) {
            session.act(knob.turned(&latest.console, &room.probe, steps));
        }
    }
}

fn send_hand(mut hand: ResMut<Hand>, mut session: ResMut<Session>) {
    if hand.held != hand.sent {
        session.outbox.push(Command::Hand(hand.held));
        hand.sent = hand.held;
    }
}
