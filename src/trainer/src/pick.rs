//! What lies under the pointer: Rapier's rays against the body.

use bevy::prelude::*;
use bevy_rapier3d::prelude::*;

use crate::body::Layer;
use crate::camera::Orbit;
use crate::controls::Pointer;
use crate::room::{RoomSet, View};
use crate::scene::Shape;

/// From this skin opacity on the skin itself is named, not what lies beneath.
const OPAQUE_SKIN: f32 = 0.85;
/// No ray is longer, m.
const REACH_M: f32 = 10.0;

/// Picking, with Rapier at rest: nothing falls here.
pub struct PickPlugin;

impl Plugin for PickPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(TimestepMode::Variable {
            max_dt: 1.0 / 60.0,
            time_scale: 1.0,
            substeps: 1,
        })
        .add_plugins(RapierPhysicsPlugin::<NoUserData>::default())
        .add_systems(Update, hover.in_set(RoomSet::Follow));
    }
}

/// First structure along a ray that passes a test, and how far it is, m.
pub fn first_along(
    rapier: &RapierContext<'_>,
    shapes: &Query<&Shape>,
    ray: Ray3d,
    is_wanted: impl Fn(&Shape) -> bool,
) -> Option<(Shape, f32)> {
    let wanted = |entity: Entity| shapes.get(entity).is_ok_and(&is_wanted);
    let filter = QueryFilter::default().predicate(&wanted);
    rapier.with_query_pipeline(filter, |pipeline| {
        let (entity, distance) = pipeline.cast_ray(ray.origin, *ray.direction, REACH_M, false)?;
        Some((*shapes.get(entity).ok()?, distance))
    })
}

fn hover(
    rapier: ReadRapierContext,
    shapes: Query<&Shape>,
    orbit: Res<Orbit>,
    pointer: Res<Pointer>,
    mut view: ResMut<View>,
) {
    let ray = pointer.free_ray(&orbit);
    let sees = |shape: &Shape| {
        let is_glass = shape.layer == Layer::Skin && view.skin_opacity < OPAQUE_SKIN;
        !is_glass && view.shows(shape.index, shape.layer)
    };
    let hovered = ray.and_then(|ray| {
        let rapier = rapier.single().ok()?;
        first_along(&rapier, &shapes, ray, sees).map(|(shape, _)| shape.index)
    });
    if view.hovered != hovered {
        // The view is not drawn anew for a name.
        view.bypass_change_detection().hovered = hovered;
    }
}
