//! The room without a screen: the same scene and panels, drawn into an image, step by step.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anatomy::tissue::TissueTable;
use bevy::app::PluginsState;
use bevy::camera::RenderTarget;
use bevy::prelude::*;
use bevy::render::render_resource::{TextureFormat, TextureUsages};
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy_egui::PrimaryEguiContext;

use crate::body::{self, Detail};
use crate::camera::Orbit;
use crate::controls::Hand;
use crate::device;
use crate::error::RoomError;
use crate::hand::SkinHand;
use crate::room::{BodyShown, Figures, Latest, Room, Session, View};
use crate::shown::{Command, Player, RoomFigures, Shown};
use crate::window::{engine, prepare};

/// What happens after a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next frame.
    Keep,
    /// The frame that was just drawn goes to a PNG file; then the next frame.
    Screenshot(PathBuf),
    /// The room is left.
    Stop,
}

/// The room between two frames, for whoever drives it.
pub struct Frame<'a> {
    /// Counts frames from 0.
    pub number: u64,
    world: &'a mut World,
}

impl Frame<'_> {
    /// What is shown.
    pub fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.world.resource::<Latest>().0)
    }

    /// How it is looked at; may be changed.
    pub fn view(&mut self) -> Mut<'_, View> {
        self.world.resource_mut::<View>()
    }

    /// Where the eye is; may be changed.
    pub fn orbit(&mut self) -> Mut<'_, Orbit> {
        self.world.resource_mut::<Orbit>()
    }

    /// Where the hand is; `None` until there is a skin.
    pub fn hand(&self) -> Option<SkinHand> {
        self.world.resource::<Hand>().held
    }

    /// Puts the hand somewhere, as the mouse would.
    pub fn place_hand(&mut self, hand: SkinHand) {
        self.world.resource_mut::<Hand>().place(hand);
    }

    /// Where the body's skin is met on the way from one place to another, held upright.
    pub fn skin_hand(
        &self,
        from: geometry::Point<geometry::Patient>,
        toward: geometry::Point<geometry::Patient>,
    ) -> Option<SkinHand> {
        let body = self.world.resource::<BodyShown>().body.as_ref()?;
        body.skin.as_ref()?.hand_towards(from, toward)
    }

    /// Sends a command, as keys and panels do.
    pub fn send(&mut self, command: Command) {
        self.world.resource_mut::<Session>().outbox.push(command);
    }

    /// The room's own figures.
    pub fn figures(&self) -> RoomFigures {
        self.world.resource::<Figures>().now
    }
}

/// The smallest room, points: in a smaller one panels would lie over each other.
pub(crate) const LEAST_SIZE: (u32, u32) = (1240, 620);

/// Whether a room of that size, points, can be drawn.
///
/// # Errors
/// [`RoomError::Size`].
pub fn check_size((width, height): (u32, u32)) -> Result<(), RoomError> {
    const MOST: u32 = 4096;
    let (least_width, least_height) = LEAST_SIZE;
    match (least_width..=MOST).contains(&width) && (least_height..=MOST).contains(&height) {
        true => Ok(()),
        false => Err(RoomError::Size(width, height)),
    }
}

/// Draws the room without a screen until `each`, which is called after every frame, says stop.
///
/// The body is ready in the first frame. Frames follow each other without waiting: whoever wants
/// them at a rate sleeps in `each`.
///
/// # Errors
/// [`RoomError::NoDevice`], [`RoomError::Size`], [`RoomError::Screenshot`], [`RoomError::Lost`].
pub fn run_offscreen(
    room: Room,
    player: Box<dyn Player>,
    size: (u32, u32),
    each: &mut dyn FnMut(&mut Frame<'_>) -> Step,
) -> Result<RoomFigures, RoomError> {
    let (width, height) = size;
    check_size(size)?;
    let device = device::find()?;
    let detail = Detail::of_device(device.is_software);
    let body = body::shown(&room.patient, TissueTable::builtin(), detail);
    let body = BodyShown::ready(body);
    let mut app = App::new();
    app.add_plugins(engine(None, true));
    prepare(&mut app, room, player, body, &device);
    let target = spawn_target(&mut app, width, height);
    while app.plugins_state() == PluginsState::Adding {
        std::thread::sleep(Duration::from_millis(5));
    }
    app.finish();
    app.cleanup();
    let outcome = drive(&mut app, &target, each);
    let session = &mut app.world_mut().resource_mut::<Session>();
    session.outbox.push(Command::Quit);
    app.update();
    outcome
}

fn spawn_target(app: &mut App, width: u32, height: u32) -> Handle<Image> {
    let mut image = Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
    image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    let world = app.world_mut();
    let target = world.resource_mut::<Assets<Image>>().add(image);
    world.spawn((
        PrimaryEguiContext,
        Camera2d,
        Msaa::Off,
        RenderTarget::Image(target.clone().into()),
    ));
    target
}

fn drive(
    app: &mut App,
    target: &Handle<Image>,
    each: &mut dyn FnMut(&mut Frame<'_>) -> Step,
) -> Result<RoomFigures, RoomError> {
    for number in 0.. {
        app.update();
        let world = app.world_mut();
        match each(&mut Frame { number, world }) {
            Step::Keep => {}
            Step::Screenshot(path) => screenshot(app, target, &path)?,
            Step::Stop => break,
        }
    }
    Ok(app.world_mut().resource_mut::<Figures>().whole())
}

fn screenshot(app: &mut App, target: &Handle<Image>, path: &Path) -> Result<(), RoomError> {
    /// Frames within which a picture comes back.
    const PATIENCE: u32 = 60;
    /// Frames until a glyph or a picture that is new has reached the device.
    const SETTLING: u32 = 4;
    (0..SETTLING).for_each(|_| app.update());
    let caught: Arc<Mutex<Option<Image>>> = Arc::default();
    let into = Arc::clone(&caught);
    app.world_mut()
        .spawn(Screenshot::image(target.clone()))
        .observe(move |captured: On<ScreenshotCaptured>| {
            let mut into = into.lock().unwrap_or_else(|broken| broken.into_inner());
            *into = Some(captured.image.clone());
        });
    for _ in 0..PATIENCE {
        app.update();
        let image = caught
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
            .take();
        if let Some(image) = image {
            return write_png(&image, path);
        }
    }
    Err(RoomError::Lost)
}

fn write_png(image: &Image, path: &Path) -> Result<(), RoomError> {
    let fault = |source| RoomError::Screenshot {
        path: path.to_owned(),
        source,
    };
    let io = |error: std::io::Error| fault(error.into());
    let rgba = image.data.as_ref().ok_or(RoomError::Lost)?;
    let rgb: Vec<u8> = rgba
        .chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]])
        .collect();
    let file = BufWriter::new(File::create(path).map_err(io)?);
    let mut encoder = png::Encoder::new(file, image.width(), image.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(fault)?;
    writer.write_image_data(&rgb).map_err(fault)?;
    writer.finish().map_err(fault)
}
