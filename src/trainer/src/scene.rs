//! The body in the room: one entity a structure, shown as the layers say, on a couch.

use bevy::asset::RenderAssetUsages;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;

use crate::body::{Body, Layer, Part};
use crate::convert;
use crate::material::{Flesh, FleshLook};
use crate::room::{BodyShown, RoomSet, View};

/// The body's plugin.
pub struct ScenePlugin;

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Startup, make_materials).add_systems(
            Update,
            (spawn_body, show_layers).chain().in_set(RoomSet::Follow),
        );
    }
}

/// A structure's entity: its position in the patient, and its layer.
#[derive(Component, Clone, Copy, Debug)]
pub struct Shape {
    /// Position in [`Body::parts`].
    pub index: usize,
    /// Where it belongs.
    pub layer: Layer,
}

/// The few materials that everything shares.
#[derive(Resource)]
pub struct Materials {
    /// The skin: glass.
    pub skin: Handle<Flesh>,
    /// All inside.
    pub inner: Handle<Flesh>,
    /// Probe and couch.
    pub things: Handle<Flesh>,
}

fn make_materials(mut commands: Commands, mut flesh: ResMut<Assets<Flesh>>) {
    let mut make = |look: Vec4, is_glass| {
        flesh.add(Flesh {
            look: FleshLook { look, ..default() },
            is_glass,
        })
    };
    let materials = Materials {
        skin: make(Vec4::new(0.3, 0.6, 0.04, 0.03), true),
        inner: make(Vec4::new(1.0, 0.55, 0.16, 0.0), false),
        things: make(Vec4::new(1.0, 0.35, 0.30, 0.0), false),
    };
    commands.insert_resource(materials);
}

fn spawn_body(
    mut commands: Commands,
    body: Res<BodyShown>,
    materials: Res<Materials>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut is_spawned: Local<bool>,
) {
    let Some(body) = body.body.as_ref().filter(|_| !*is_spawned) else {
        return;
    };
    *is_spawned = true;
    for (index, part) in body.parts.iter().enumerate() {
        let material = match part.layer {
            Layer::Skin => &materials.skin,
            _ => &materials.inner,
        };
        let layer = part.layer;
        let mut entity = commands.spawn((
            Shape { index, layer },
            Mesh3d(meshes.add(mesh_of(part))),
            MeshMaterial3d(material.clone()),
        ));
        if let Some(collider) = &part.collider {
            entity.insert(collider.clone());
        }
    }
    commands.spawn((
        Mesh3d(meshes.add(couch(body))),
        MeshMaterial3d(materials.things.clone()),
    ));
}

fn show_layers(
    view: Res<View>,
    materials: Res<Materials>,
    mut flesh: ResMut<Assets<Flesh>>,
    mut shapes: Query<(&Shape, &mut Visibility)>,
    added: Query<(), Added<Shape>>,
) {
    if !view.is_changed() && added.is_empty() {
        return;
    }
    for (shape, mut visibility) in &mut shapes {
        let wanted = match view.shows(shape.index, shape.layer) {
            true => Visibility::Inherited,
            false => Visibility::Hidden,
        };
        visibility.set_if_neq(wanted);
    }
    if let Some(mut skin) = flesh.get_mut(&materials.skin) {
        skin.look.look.x = view.skin_opacity;
    }
}

fn mesh_of(part: &Part) -> Mesh {
    let shown = &part.mesh;
    let places: Vec<Vec3> = shown.places.iter().map(|&p| convert::vertex(p)).collect();
    let normals: Vec<Vec3> = shown.normals.iter().map(|&n| convert::turned(n)).collect();
    let [r, g, b] = screen_color(part);
    let color = Color::srgb_u8(r, g, b).to_linear().to_f32_array();
    coloured_mesh(
        places,
        normals,
        vec![color; shown.places.len()],
        &shown.triangles,
    )
}

/// The structure's colour, the skin's warmed: the atlas gives it for sections.
fn screen_color(part: &Part) -> [u8; 3] {
    match part.layer {
        Layer::Skin => [226, 178, 150],
        _ => part.color,
    }
}

/// A mesh of the room's own kind: places, normals and colours.
pub(crate) fn coloured_mesh(
    places: Vec<Vec3>,
    normals: Vec<Vec3>,
    colors: Vec<[f32; 4]>,
    triangles: &[[u32; 3]],
) -> Mesh {
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::RENDER_WORLD,
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, places)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
    .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colors)
    .with_inserted_indices(Indices::U32(triangles.as_flattened().to_vec()))
}

/// A slab below the body, somewhat wider and longer.
fn couch(body: &Body) -> Mesh {
    const THICK_M: f32 = 0.05;
    let (least, most) = body.bounds;
    let margin = Vec3::new(0.10, 0.0, 0.09);
    let (low, high) = (
        Vec3::new(least.x, least.y - THICK_M, least.z) - margin,
        Vec3::new(most.x, least.y - 0.001, most.z) + margin,
    );
    let mut parts = crate::probe_shape::Builder::default();
    parts.block(low, high, 0.014, [0x22, 0x3a, 0x44]);
    parts.block(
        Vec3::new(low.x + 0.03, low.y - 0.05, low.z + 0.03),
        Vec3::new(high.x - 0.03, low.y, high.z - 0.03),
        0.006,
        [0x1b, 0x24, 0x2c],
    );
    parts.mesh()
}
