//! The live image: one texture for the panel and for its plane in the body.
//!
//! The panel gets every new picture. The plane's copy is taken up when the body is drawn: Bevy
//! binds a material's texture anew only if the material changes.

use std::time::Instant;

use bevy::asset::RenderAssetUsages;
use bevy::image::ImageSampler;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use equipment::{Array, Probe};
use ultrasound::display::{Picture, PictureGeometry};

use crate::camera::{Eye, Pace};
use crate::convert;
use crate::material::{Flesh, FleshLook, Slice};
use crate::room::{Figures, Latest, Opened, RoomSet, View};
use crate::scene::Materials;

/// The live image's plugin.
pub struct PicturePlugin;

impl Plugin for PicturePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Startup, make_image)
            .add_systems(Update, take_picture.in_set(RoomSet::Follow))
            .add_systems(
                Update,
                (show_plane, cut_window).chain().after(RoomSet::Pace),
            );
    }
}

/// The live image's texture.
#[derive(Resource)]
pub struct LiveImage {
    /// For the panel.
    pub handle: Handle<Image>,
    /// Number of the picture in it; 0 if there is none.
    pub number: u64,
    /// Number of the picture on the plane.
    plane_number: u64,
    geometry: Option<PictureGeometry>,
    /// When the pose of the picture in it was known.
    posed: Option<Instant>,
    mesh: Handle<Mesh>,
    material: Handle<Slice>,
}

/// The plane in the body.
#[derive(Component)]
struct CutPlane;

fn make_image(
    mut commands: Commands,
    mut images: ResMut<Assets<Image>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut slices: ResMut<Assets<Slice>>,
) {
    let handle = images.add(texture(1, 1, vec![0; 4]));
    let mesh = meshes.add(plane_mesh([Vec3::ZERO; 4]));
    let rim = LinearRgba::from(crate::theme::PLANE_RIM);
    let material = slices.add(Slice {
        rim: Vec4::new(rim.red, rim.green, rim.blue, 0.004),
        image: handle.clone(),
    });
    commands.spawn((
        CutPlane,
        Mesh3d(mesh.clone()),
        MeshMaterial3d(material.clone()),
        Visibility::Hidden,
        bevy::camera::visibility::NoFrustumCulling,
    ));
    commands.insert_resource(LiveImage {
        handle,
        number: 0,
        plane_number: 0,
        geometry: None,
        posed: None,
        mesh,
        material,
    });
}

#[allow(
    clippy::disallowed_methods,
    reason = "the room measures how long pictures take to reach the panel"
)]
fn take_picture(
    latest: Res<Latest>,
    mut live: ResMut<LiveImage>,
    mut images: ResMut<Assets<Image>>,
    mut figures: ResMut<Figures>,
    mut pace: ResMut<Pace>,
) {
    let Some(shown) = latest.picture.as_ref().filter(|p| p.number != live.number) else {
        return;
    };
    let Picture {
        geometry,
        pixels,
        mask,
        ..
    } = &shown.picture;
    let bytes = rgba(pixels, mask);
    if bytes.len() != 4 * geometry.len() || geometry.is_empty() {
        return;
    }
    let texture = texture(geometry.width as u32, geometry.height as u32, bytes);
    // A handle that is held cannot be a stale one.
    let _ = images.insert(&live.handle, texture);
    live.number = shown.number;
    live.geometry = Some(*geometry);
    // A hand at rest has no latency: the pose is as old as its last move.
    let is_moved = live.posed != Some(shown.posed);
    figures.picture(is_moved.then(|| shown.posed.elapsed().as_secs_f32()));
    live.posed = Some(shown.posed);
    pace.is_stale = true;
}

#[allow(
    clippy::too_many_arguments,
    reason = "a system's parameters are what it reads and writes"
)]
fn show_plane(
    latest: Res<Latest>,
    pace: Res<Pace>,
    mut live: ResMut<LiveImage>,
    mut slices: ResMut<Assets<Slice>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut figures: ResMut<Figures>,
    mut made: Local<Option<PictureGeometry>>,
    plane: Single<(&mut Transform, &mut Visibility), With<CutPlane>>,
) {
    let (mut transform, mut visibility) = plane.into_inner();
    let Some(shown) = latest.picture.as_ref().filter(|_| pace.is_drawn) else {
        return;
    };
    if live.plane_number == live.number {
        return;
    }
    if *made != live.geometry
        && let Some(geometry) = live.geometry
    {
        // A handle that is held cannot be a stale one.
        let _ = meshes.insert(&live.mesh, plane_mesh(corners(&geometry)));
        *made = Some(geometry);
    }
    // Marks the material as changed, so that it binds the texture that is there now.
    if let Some(mut slice) = slices.get_mut(&live.material) {
        slice.rim.w = 1.5 / live.geometry.map_or(400.0, |g| g.width as f32);
    }
    transform.set_if_neq(convert::transform(&shown.patient_from_probe));
    visibility.set_if_neq(Visibility::Visible);
    live.plane_number = live.number;
    figures.plane();
}

/// Opens what lies between the eye and the image.
fn cut_window(
    latest: Res<Latest>,
    view: Res<View>,
    room: Res<Opened>,
    pace: Res<Pace>,
    materials: Res<Materials>,
    mut flesh: ResMut<Assets<Flesh>>,
    eye: Single<&Transform, With<Eye>>,
) {
    let Some(shown) = latest.picture.as_ref().filter(|_| pace.is_drawn) else {
        return;
    };
    let place = convert::transform(&shown.patient_from_probe);
    let probe_from_world = place.to_matrix().inverse();
    let side = probe_from_world.transform_point3(eye.translation).y;
    let [half, widening] = opening(&room.probe);
    let depth_mm = latest.console.depth_mm as f32;
    let sign = match view.is_open_at_plane {
        true => side.signum(),
        false => 0.0,
    };
    let window = Vec4::new(half * 1e-3, widening, depth_mm * 1e-3, sign);
    for handle in [&materials.skin, &materials.inner] {
        if let Some(mut flesh) = flesh.get_mut(handle) {
            let look = flesh.look.look;
            flesh.look = FleshLook {
                probe_from_world,
                window,
                look,
            };
        }
    }
}

/// Half width of the scan at the face, mm, and how it widens with depth.
fn opening(probe: &Probe) -> [f32; 2] {
    let half = 0.5 * probe.opening_rad() as f32;
    match probe.array {
        Array::Curved { radius_mm, .. } => [radius_mm as f32 * half.tan(), half.tan()],
        Array::Phased { .. } => [0.5 * probe.aperture_mm() as f32, half.min(1.4).tan()],
        Array::Linear { .. } => [0.5 * probe.aperture_mm() as f32, 0.0],
        Array::Rotational { .. } => [200.0, 0.0],
    }
}

fn texture(width: u32, height: u32, bytes: Vec<u8>) -> Image {
    let size = Extent3d {
        width,
        height,
        depth_or_array_layers: 1,
    };
    let mut image = Image::new(
        size,
        TextureDimension::D2,
        bytes,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::RENDER_WORLD,
    );
    image.sampler = ImageSampler::linear();
    image
}

/// Grey and mask to colour with alpha.
pub fn rgba(gray: &[u8], mask: &[u8]) -> Vec<u8> {
    let pixel = |(&gray, &alpha): (&u8, &u8)| [gray, gray, gray, alpha];
    gray.iter()
        .zip(mask)
        .map(pixel)
        .collect::<Vec<_>>()
        .into_flattened()
}

/// Corners of the picture in the probe's frame, m: upper left, upper right, lower right, lower
/// left of the *screen*.
pub fn corners(geometry: &PictureGeometry) -> [Vec3; 4] {
    let (right, down) = (geometry.width as f64 - 0.5, geometry.height as f64 - 0.5);
    [(-0.5, -0.5), (right, -0.5), (right, down), (-0.5, down)]
        .map(|(x, y)| convert::probe_vertex(geometry.place_of_pixel(x, y).to_array()))
}

fn plane_mesh(corners: [Vec3; 4]) -> Mesh {
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::RENDER_WORLD,
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, corners.to_vec())
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, vec![Vec3::Y; 4])
    .with_inserted_attribute(
        Mesh::ATTRIBUTE_UV_0,
        vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0_f32]],
    )
    .with_inserted_indices(Indices::U32(vec![0, 1, 2, 0, 2, 3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry() -> PictureGeometry {
        PictureGeometry {
            width: 200,
            height: 160,
            mm_per_pixel: 1.0,
            origin_mm: [99.5, 0.5],
            x_to_right: false,
            z_down: true,
        }
    }

    #[test]
    fn the_picture_lies_in_the_probes_plane_at_its_scale() {
        let corners = corners(&geometry());
        // The marker side (+x) is on the left of the screen; depth runs down.
        assert!((corners[0] - Vec3::new(0.1, 0.0, 0.0)).length() < 1e-6);
        assert!((corners[1] - Vec3::new(-0.1, 0.0, 0.0)).length() < 1e-6);
        assert!((corners[2] - Vec3::new(-0.1, 0.0, 0.16)).length() < 1e-6);
        assert!((corners[3] - Vec3::new(0.1, 0.0, 0.16)).length() < 1e-6);
    }

    #[test]
    fn flips_move_the_corners_not_the_image() {
        let flipped = PictureGeometry {
            x_to_right: true,
            origin_mm: [-99.5, 0.5],
            ..geometry()
        };
        assert!((corners(&flipped)[0] - Vec3::new(-0.1, 0.0, 0.0)).length() < 1e-6);
    }

    #[test]
    fn outside_the_scan_is_clear() {
        assert_eq!(rgba(&[7, 9], &[255, 0]), [7, 7, 7, 255, 9, 9, 9, 0]);
    }

    #[test]
    fn the_window_is_as_wide_as_the_scan() {
        let probe = Probe::named("C5-2v").expect("built in");
        let [half, widening] = opening(probe);
        // 65.0 mm of arc on 49.57 mm: 37.6° each side.
        assert!(
            (widening - 37.58_f32.to_radians().tan()).abs() < 0.01,
            "{widening}"
        );
        assert!((half - 49.57 * widening).abs() < 0.1);
        let linear = Probe::named("L11-5v").expect("built in");
        assert_eq!(opening(linear)[1], 0.0);
    }
}
