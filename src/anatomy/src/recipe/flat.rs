//! Solids bounded by planes, as meshes without sampling: test objects need plates whose faces lie
//! exactly where they say.

use geometry::sdf::{Axis, Expr, Solid};
use geometry::{TriMesh, frame};
use nalgebra::{Rotation3, Unit, Vector3};

type V3 = Vector3<f64>;

/// The corners of a box; bit a of the index says on which side along axis a.
type Corners = [V3; 8];

/// The faces as anticlockwise quads seen from outside, of a box that is not mirrored.
const FACES: [[u32; 4]; 6] = [
    [0, 4, 6, 2],
    [1, 3, 7, 5],
    [0, 1, 5, 4],
    [2, 6, 7, 3],
    [0, 2, 3, 1],
    [4, 5, 7, 6],
];

/// The surface of a box without rounding, moved, turned, mirrored and scaled as the expression
/// says: 12 triangles. `None` for everything else, and for what [`Solid`] refuses.
pub(super) fn surface(solid: &Expr) -> Option<TriMesh<frame::Patient>> {
    // First, because it bounds how deep expressions go.
    Solid::new(solid).ok()?;
    let corners = corners(solid)?;
    let vertices = corners.map(|corner| corner.map(|c| c as f32).into());
    let triangles = FACES
        .iter()
        .flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]);
    let mut mesh = TriMesh::new(vertices.to_vec(), triangles.collect()).ok()?;
    if mesh.signed_volume_mm3() < 0.0 {
        mesh.flip();
    }
    // Thinner than single precision can tell apart: nothing is left of it.
    (mesh.signed_volume_mm3() > 0.0).then_some(mesh)
}

fn corners(solid: &Expr) -> Option<Corners> {
    match solid {
        Expr::Box {
            center,
            half_mm,
            rounding_mm,
        } => (*rounding_mm == 0.0).then(|| box_corners((*center).into(), (*half_mm).into())),
        Expr::Translate { of, by_mm } => {
            let by = V3::from(*by_mm);
            Some(corners(of)?.map(|corner| corner + by))
        }
        Expr::Rotate {
            of,
            about,
            axis,
            angle_rad,
        } => {
            let about = V3::from(*about);
            let axis = Unit::try_new(V3::from(*axis), 0.0)?;
            let turn = Rotation3::from_axis_angle(&axis, *angle_rad);
            Some(corners(of)?.map(|corner| about + turn * (corner - about)))
        }
        Expr::Scale { of, about, factor } => {
            let about = V3::from(*about);
            Some(corners(of)?.map(|corner| about + (corner - about) * *factor))
        }
        Expr::Reflect { of, axis, at_mm } => {
            let axis = match axis {
                Axis::X => 0,
                Axis::Y => 1,
                Axis::Z => 2,
            };
            let mirrored = |mut corner: V3| {
                corner[axis] = 2.0 * at_mm - corner[axis];
                corner
            };
            Some(corners(of)?.map(mirrored))
        }
        _ => None,
    }
}

fn box_corners(center: V3, half: V3) -> Corners {
    std::array::from_fn(|corner| {
        let side = |axis: usize| if corner >> axis & 1 == 1 { 1.0 } else { -1.0 };
        center + V3::from_fn(|axis, _| side(axis) * half[axis])
    })
}
