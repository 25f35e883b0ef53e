//! The probe on the skin, where the simulation has it.

use bevy::prelude::*;

use crate::camera::Pace;
use crate::convert;
use crate::probe_shape;
use crate::room::{Latest, Opened, RoomSet};
use crate::scene::Materials;

/// The probe's plugin.
pub struct ProbePlugin;

impl Plugin for ProbePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(PostStartup, spawn_probe)
            .add_systems(Update, follow.in_set(RoomSet::Follow));
    }
}

/// The probe's entity.
#[derive(Component)]
pub struct ProbeBody;

fn spawn_probe(
    mut commands: Commands,
    room: Res<Opened>,
    materials: Res<Materials>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    commands.spawn((
        ProbeBody,
        Mesh3d(meshes.add(probe_shape::mesh(&room.probe))),
        MeshMaterial3d(materials.things.clone()),
        Visibility::Hidden,
    ));
}

fn follow(
    latest: Res<Latest>,
    mut pace: ResMut<Pace>,
    probe: Single<(&mut Transform, &mut Visibility), With<ProbeBody>>,
) {
    if !latest.is_changed() {
        return;
    }
    let (mut transform, mut visibility) = probe.into_inner();
    let Some(probe) = &latest.probe else {
        pace.is_stale |= visibility.set_if_neq(Visibility::Hidden);
        return;
    };
    let to = convert::transform(&probe.patient_from_probe);
    pace.is_stale |= visibility.set_if_neq(Visibility::Visible) | transform.set_if_neq(to);
}
