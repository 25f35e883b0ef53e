//! The room in a window.

use std::path::Path;
use std::time::Duration;

use bevy::asset::io::embedded::EmbeddedAssetRegistry;
use bevy::ecs::schedule::SingleThreadedExecutor;
use bevy::log::LogPlugin;
use bevy::pbr::PbrPlugin;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::settings::{Backends, RenderCreation, WgpuSettings};
use bevy::window::{PresentMode, WindowResolution};
use bevy::winit::{UpdateMode, WinitSettings};
use bevy_egui::{EguiGlobalSettings, EguiPlugin, PrimaryEguiContext};

use crate::body::{self, Detail};
use crate::camera::Pace;
use crate::device::{self, Device};
use crate::error::RoomError;
use crate::offscreen::LEAST_SIZE;
use crate::room::{BodyShown, Figures, Room, open};
use crate::shown::{Player, RoomFigures};

/// Opens the room in a window of that size (points) and stays until it is left.
///
/// # Errors
/// [`RoomError::NoDisplay`], [`RoomError::NoDevice`].
pub fn run_window(
    room: Room,
    player: Box<dyn Player>,
    size: (u32, u32),
) -> Result<RoomFigures, RoomError> {
    device::require_display()?;
    let device = device::find()?;
    let detail = Detail::of_device(device.is_software);
    let body = BodyShown::awaiting(body::shown_on_worker(room.patient.clone(), detail));
    let mut app = App::new();
    let window = Window {
        title: "sonocath".to_owned(),
        resolution: WindowResolution::new(size.0, size.1),
        present_mode: match device.is_software {
            true => PresentMode::AutoNoVsync,
            false => PresentMode::AutoVsync,
        },
        resize_constraints: WindowResizeConstraints {
            min_width: LEAST_SIZE.0 as f32,
            min_height: LEAST_SIZE.1 as f32,
            ..default()
        },
        ..default()
    };
    app.add_plugins(engine(Some(window), false));
    prepare(&mut app, room, player, body, &device);
    if device.is_software {
        app.insert_resource(gentle_pace());
    }
    app.add_systems(Startup, spawn_panels_camera);
    app.insert_resource(LastFigures::default())
        .add_systems(Last, keep_figures.after(crate::room::RoomSet::Send));
    let figures = app.world().resource::<LastFigures>().0.clone();
    app.run();
    let figures = figures.lock().unwrap_or_else(|broken| broken.into_inner());
    Ok(*figures)
}

/// A processor that plays the graphics card has imaging to do besides: frames at a fixed rate,
/// whatever the mouse does.
fn gentle_pace() -> WinitSettings {
    const FRAME: Duration = Duration::from_millis(38);
    let mode = UpdateMode::Reactive {
        wait: FRAME,
        react_to_device_events: false,
        react_to_user_events: false,
        react_to_window_events: false,
    };
    WinitSettings {
        focused_mode: mode,
        unfocused_mode: mode,
    }
}

/// The app is gone when its runner returns: the last figures are left here.
#[derive(Resource, Default)]
struct LastFigures(std::sync::Arc<std::sync::Mutex<RoomFigures>>);

fn keep_figures(
    mut figures: ResMut<Figures>,
    last: Res<LastFigures>,
    exits: MessageReader<AppExit>,
) {
    if !exits.is_empty() {
        let whole = figures.whole();
        *last.0.lock().unwrap_or_else(|broken| broken.into_inner()) = whole;
    }
}

/// Bevy's plugins, less what the room has no use for.
pub(crate) fn engine(window: Option<Window>, is_synchronous: bool) -> impl PluginGroup {
    let has_window = window.is_some();
    let settings = WgpuSettings {
        backends: Some(Backends::from_env().unwrap_or(Backends::PRIMARY)),
        ..default()
    };
    let plugins = DefaultPlugins
        .set(WindowPlugin {
            primary_window: window,
            exit_condition: match has_window {
                true => bevy::window::ExitCondition::OnPrimaryClosed,
                false => bevy::window::ExitCondition::DontExit,
            },
            ..default()
        })
        .set(RenderPlugin {
            render_creation: RenderCreation::Automatic(Box::new(settings)),
            synchronous_pipeline_compilation: is_synchronous,
            ..default()
        })
        .set(PbrPlugin {
            prepass_enabled: false,
            add_default_deferred_lighting_plugin: false,
            use_gpu_instance_buffer_builder: true,
            ..default()
        })
        .set(LogPlugin {
            filter: "error".to_owned(),
            ..default()
        });
    match has_window {
        true => plugins,
        false => plugins.disable::<bevy::winit::WinitPlugin>(),
    }
}

/// All that window and off-screen share.
pub(crate) fn prepare(
    app: &mut App,
    room: Room,
    player: Box<dyn Player>,
    body: BodyShown,
    device: &Device,
) {
    replace_blit(app);
    app.add_plugins(EguiPlugin {
        bindless_mode_array_size: None,
    })
    .insert_resource(EguiGlobalSettings {
        auto_create_primary_context: false,
        ..default()
    })
    .insert_resource(ClearColor(Color::srgb_u8(0x0a, 0x0d, 0x11)));
    open(app, room, player, body);
    app.insert_resource(Pace::for_device(device.is_software));
    if device.is_software {
        run_in_turn(app);
    }
}

/// Systems one after the other: where all processors draw and make images, handing small systems
/// to workers costs more than it saves.
fn run_in_turn(app: &mut App) {
    for sub_app in app.sub_apps_mut().iter_mut() {
        let mut schedules = sub_app.world_mut().resource_mut::<Schedules>();
        for (_, schedule) in schedules.iter_mut() {
            schedule.set_executor(SingleThreadedExecutor::new());
        }
    }
}

/// Puts a cheaper shader in the place of Bevy's last copy, before anything loads it.
fn replace_blit(app: &mut App) {
    let path = Path::new("bevy_core_pipeline/blit/blit.wgsl");
    let text: &'static [u8] = include_bytes!("blit.wgsl");
    let registry = app.world_mut().resource_mut::<EmbeddedAssetRegistry>();
    registry.insert_asset("blit.wgsl".into(), path, text);
}

fn spawn_panels_camera(mut commands: Commands) {
    commands.spawn((PrimaryEguiContext, Camera2d, Msaa::Off));
}
