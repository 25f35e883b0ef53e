//! The eye: it orbits the body, zooms and shifts; and when the body's view is drawn at all.
//!
//! The body is drawn into an image of its own, which the panels show. On a software device that
//! happens less often than the panels are drawn, and only if something moved.

use bevy::camera::RenderTarget;
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::prelude::*;
use bevy::render::render_resource::{TextureFormat, TextureUsages};
use bevy::render::view::NoIndirectDrawing;

use crate::room::{BodyShown, Figures, RoomSet, View};

/// Upright opening of the view, degrees.
const OPENING_DEG: f32 = 32.0;

/// The eye's plugin.
pub struct CameraPlugin;

impl Plugin for CameraPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Orbit>()
            .init_resource::<Pace>()
            .add_systems(Startup, spawn_eye)
            .add_systems(
                Update,
                (frame_body, place_eye).chain().in_set(RoomSet::Follow),
            )
            .add_systems(
                Update,
                (fit_target, keep_pace).chain().in_set(RoomSet::Pace),
            );
    }
}

/// Where the eye is: on a ball about a target.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct Orbit {
    /// What is looked at, world, m.
    pub target: Vec3,
    /// Round the vertical; 0 from the patient's right, positive towards the feet.
    pub yaw: f32,
    /// Above the horizon.
    pub pitch: f32,
    /// From the target, m.
    pub distance: f32,
    is_framed: bool,
}

impl Default for Orbit {
    fn default() -> Self {
        Self {
            target: Vec3::ZERO,
            yaw: 0.14,
            pitch: 0.78,
            distance: 1.0,
            is_framed: false,
        }
    }
}

impl Orbit {
    /// The eye in the world.
    pub fn transform(&self) -> Transform {
        let turn = Quat::from_rotation_y(self.yaw) * Quat::from_rotation_x(-self.pitch);
        Transform::from_translation(self.target + turn * Vec3::Z * self.distance)
            .with_rotation(turn)
    }

    /// Turned by a drag, points.
    pub fn turn(&mut self, drag: Vec2) {
        const PER_POINT: f32 = 0.007;
        const STEEPEST: f32 = 1.5;
        self.yaw -= drag.x * PER_POINT;
        self.pitch = (self.pitch + drag.y * PER_POINT).clamp(-STEEPEST, STEEPEST);
    }

    /// Shifted by a drag in a view of so many points height.
    pub fn shift(&mut self, drag: Vec2, height: f32) {
        let metres = 2.0 * self.distance * (0.5 * OPENING_DEG.to_radians()).tan() / height.max(1.0);
        let turn = self.transform().rotation;
        self.target += turn * Vec3::new(-drag.x, drag.y, 0.0) * metres;
    }

    /// Nearer (positive) by notches of the wheel.
    pub fn zoom(&mut self, notches: f32) {
        self.distance = (self.distance * 0.9_f32.powf(notches)).clamp(0.12, 4.0);
    }

    /// Where the eye looks through a place of the view: (−1, −1) lower left to (1, 1).
    pub fn ray(&self, at: Vec2, aspect: f32) -> Ray3d {
        let eye = self.transform();
        let high = (0.5 * OPENING_DEG.to_radians()).tan();
        let through = Vec3::new(at.x * high * aspect, at.y * high, -1.0);
        let direction = Dir3::new(eye.rotation * through).unwrap_or(Dir3::NEG_Z);
        Ray3d::new(eye.translation, direction)
    }
}

/// When the body's view is drawn.
#[derive(Resource, Debug)]
pub struct Pace {
    /// Least time between two drawings.
    pub every_s: f32,
    /// Pixels of the view for each point of the panel.
    pub pixels_per_point: f32,
    /// Size of the panel, points.
    pub panel: Vec2,
    /// Something in it moved.
    pub is_stale: bool,
    /// Edges are smoothed.
    pub is_fine: bool,
    /// It is drawn in this frame.
    pub is_drawn: bool,
    since_s: f32,
    /// A frame's usual time.
    frame_s: f32,
    drawn: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            every_s: 0.0,
            pixels_per_point: 1.0,
            panel: Vec2::new(320.0, 240.0),
            is_stale: true,
            is_fine: false,
            is_drawn: true,
            since_s: 0.0,
            frame_s: 0.0,
            drawn: 0,
        }
    }
}

impl Pace {
    /// For a device: a graphics card draws every frame, a processor fewer and coarser ones.
    pub fn for_device(is_software: bool) -> Self {
        match is_software {
            true => Self {
                every_s: 0.135,
                pixels_per_point: 0.8,
                ..Self::default()
            },
            false => Self {
                is_fine: true,
                ..Self::default()
            },
        }
    }

    /// Where frames take long, the body waits for some more of them, so that the live image does
    /// not; it is drawn five times a second all the same.
    fn interval_s(&self) -> f32 {
        const FRAMES: f32 = 4.2;
        const LONGEST_S: f32 = 0.185;
        match self.every_s > 0.0 {
            true => (FRAMES * self.frame_s).clamp(self.every_s, LONGEST_S),
            false => 0.0,
        }
    }

    fn step(&mut self, seconds: f32) {
        /// The first frames are drawn anyway: shaders and textures arrive late.
        const WARM_UP: u32 = 12;
        self.since_s += seconds;
        self.frame_s += 0.1 * (seconds - self.frame_s);
        self.is_drawn =
            self.drawn < WARM_UP || (self.is_stale && self.since_s + 0.004 >= self.interval_s());
        if self.is_drawn {
            self.drawn = (self.drawn + 1).min(WARM_UP);
            (self.is_stale, self.since_s) = (false, 0.0);
        }
    }
}

/// The image that the body is drawn into.
#[derive(Resource)]
pub struct SceneImage(pub Handle<Image>);

/// The eye's entity.
#[derive(Component)]
pub struct Eye;

fn target_image(width: u32, height: u32) -> Image {
    let mut image = Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
    image.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    image
}

fn spawn_eye(mut commands: Commands, pace: Res<Pace>, mut images: ResMut<Assets<Image>>) {
    let image = images.add(target_image(320, 240));
    commands.spawn((
        Eye,
        Camera3d::default(),
        Camera {
            order: -1,
            clear_color: ClearColorConfig::Custom(crate::theme::SCENE_BACKGROUND),
            ..default()
        },
        RenderTarget::Image(image.clone().into()),
        Projection::Perspective(PerspectiveProjection {
            fov: OPENING_DEG.to_radians(),
            near: 0.02,
            far: 20.0,
            ..default()
        }),
        match pace.is_fine {
            true => Msaa::Sample4,
            false => Msaa::Off,
        },
        NoIndirectDrawing,
        Tonemapping::None,
    ));
    commands.insert_resource(SceneImage(image));
}

/// Looks at the right flank and the abdomen as soon as there is a body.
fn frame_body(body: Res<BodyShown>, mut orbit: ResMut<Orbit>) {
    let Some(body) = body.body.as_ref().filter(|_| !orbit.is_framed) else {
        return;
    };
    let (least, most) = body.bounds;
    let middle = 0.5 * (least + most);
    let start = body
        .start
        .map_or(middle, |hand| crate::convert::place(hand.at));
    orbit.target = start.lerp(middle, 0.5);
    orbit.distance = ((most - least).length() * 1.3).clamp(0.15, 1.45);
    orbit.is_framed = true;
}

fn place_eye(
    orbit: Res<Orbit>,
    view: Res<View>,
    mut pace: ResMut<Pace>,
    mut eye: Single<&mut Transform, With<Eye>>,
) {
    let to = orbit.transform();
    if **eye != to {
        **eye = to;
        pace.is_stale = true;
    }
    if view.is_changed() {
        pace.is_stale = true;
    }
}

fn fit_target(mut pace: ResMut<Pace>, image: Res<SceneImage>, mut images: ResMut<Assets<Image>>) {
    let wanted = (pace.panel * pace.pixels_per_point)
        .max(Vec2::splat(16.0))
        .as_uvec2();
    let is_right = images
        .get(&image.0)
        .is_some_and(|image| image.size() == wanted);
    if !is_right {
        // A handle that was just made cannot be a stale one.
        let _ = images.insert(&image.0, target_image(wanted.x, wanted.y));
        pace.is_stale = true;
    }
}

fn keep_pace(
    time: Res<Time<Real>>,
    mut pace: ResMut<Pace>,
    mut figures: ResMut<Figures>,
    mut eye: Single<&mut Camera, With<Eye>>,
) {
    pace.step(time.delta_secs());
    if eye.is_active != pace.is_drawn {
        eye.is_active = pace.is_drawn;
    }
    if pace.is_drawn {
        figures.scene();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_view_is_the_target() {
        let orbit = Orbit {
            target: Vec3::new(0.1, 0.2, -0.3),
            ..Orbit::default()
        };
        let ray = orbit.ray(Vec2::ZERO, 1.5);
        let nearest = ray.origin + *ray.direction * orbit.distance;
        assert!((nearest - orbit.target).length() < 1e-5);
    }

    #[test]
    fn up_in_the_view_is_up_and_right_is_right() {
        let orbit = Orbit::default();
        let eye = orbit.transform();
        let up = orbit.ray(Vec2::new(0.0, 0.5), 1.0).direction;
        let right = orbit.ray(Vec2::new(0.5, 0.0), 1.0).direction;
        assert!(up.dot(*eye.up()) > 0.0 && right.dot(*eye.right()) > 0.0);
    }

    #[test]
    fn a_drag_carries_the_target_with_it() {
        let mut orbit = Orbit::default();
        let before = orbit.transform();
        orbit.shift(Vec2::new(10.0, 0.0), 500.0);
        assert!((orbit.transform().translation - before.translation).dot(*before.right()) < 0.0);
    }

    #[test]
    fn a_slow_pace_draws_only_what_moved() {
        let mut pace = Pace::for_device(true);
        (0..12).for_each(|_| pace.step(0.03));
        pace.step(0.2);
        assert!(!pace.is_drawn, "nothing moved");
        pace.is_stale = true;
        pace.step(0.0);
        assert!(pace.is_drawn);
        pace.is_stale = true;
        pace.step(0.03);
        assert!(!pace.is_drawn, "too soon");
        pace.step(0.17);
        assert!(pace.is_drawn);
    }
}
