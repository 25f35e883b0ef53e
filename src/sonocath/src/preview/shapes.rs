//! Shapes for tests: ellipsoids and tubes, and a torso made of them.

use geometry::{Patient, TriMesh};

use super::{SheetSurface, SurfaceKind};

/// An ellipsoid on a grid of latitudes and longitudes, outward.
pub fn ellipsoid(center: [f32; 3], radii: [f32; 3], steps: usize) -> TriMesh<Patient> {
    grid(steps, 2 * steps, |row, column| {
        let (polar, round) = (row * std::f32::consts::PI, column * std::f32::consts::TAU);
        let unit = [
            polar.sin() * round.cos(),
            polar.sin() * round.sin(),
            polar.cos(),
        ];
        std::array::from_fn(|a| center[a] + radii[a] * unit[a])
    })
}

/// A closed tube along a polyline of (place, radius), its cross sections level (in x and y).
pub fn upright_tube(line: &[([f32; 3], f32)]) -> TriMesh<Patient> {
    let last = line.len() - 1;
    grid(line.len() + 1, 32, |row, column| {
        let step = (row * (line.len() + 1) as f32).round() as usize;
        let (center, radius) = line[step.saturating_sub(1).min(last)];
        let radius = if step == 0 || step == line.len() + 1 {
            0.0
        } else {
            radius
        };
        let angle = column * std::f32::consts::TAU;
        [
            center[0] + radius * angle.cos(),
            center[1] + radius * angle.sin(),
            center[2],
        ]
    })
}

/// A closed surface over rows 0..=1 (top to bottom) and columns 0..1 (round); the first and last
/// row are single points.
fn grid(rows: usize, columns: usize, at: impl Fn(f32, f32) -> [f32; 3]) -> TriMesh<Patient> {
    let mut vertices = vec![at(0.0, 0.0)];
    for row in 1..rows {
        for column in 0..columns {
            vertices.push(at(row as f32 / rows as f32, column as f32 / columns as f32));
        }
    }
    vertices.push(at(1.0, 0.0));
    let last = vertices.len() as u32 - 1;
    let index = |row: usize, column: usize| match row {
        0 => 0,
        row if row == rows => last,
        row => (1 + (row - 1) * columns + column % columns) as u32,
    };
    let mut triangles = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let [a, b] = [index(row, column), index(row, column + 1)];
            let [c, d] = [index(row + 1, column), index(row + 1, column + 1)];
            triangles.extend(
                [[a, c, d], [a, d, b]]
                    .into_iter()
                    .filter(|[p, q, r]| p != q && q != r && r != p),
            );
        }
    }
    TriMesh::new(vertices, triangles).expect("the grid has triangles")
}

/// Several meshes in one.
pub fn joined(parts: &[&TriMesh<Patient>]) -> TriMesh<Patient> {
    let (mut vertices, mut triangles) = (Vec::new(), Vec::new());
    for part in parts {
        let start = vertices.len() as u32;
        vertices.extend_from_slice(part.vertices());
        triangles.extend(part.triangles().iter().map(|t| t.map(|v| v + start)));
    }
    TriMesh::new(vertices, triangles).expect("parts have triangles")
}

/// A mesh with holes: keeps about the given part of the triangles, spread by a fixed pattern.
pub fn without_some_triangles(mesh: &TriMesh<Patient>, keep: f64) -> TriMesh<Patient> {
    let kept = mesh.triangles().iter().enumerate().filter(|(i, _)| {
        let spread = (*i as u32).wrapping_mul(2_654_435_761) >> 8;
        f64::from(spread) < keep * f64::from(1u32 << 24)
    });
    TriMesh::new(mesh.vertices().to_vec(), kept.map(|(_, t)| *t).collect())
        .expect("some triangles are kept")
}

/// A structure that owns its mesh.
pub struct Part {
    name: &'static str,
    mesh: TriMesh<Patient>,
    color: [u8; 3],
    kind: SurfaceKind,
    priority: i32,
}

impl Part {
    /// As the sheet wants it.
    pub fn on_sheet(&self) -> SheetSurface<'_> {
        let Self {
            name,
            color,
            kind,
            priority,
            ref mesh,
        } = *self;
        SheetSurface {
            mesh,
            name,
            color,
            priority,
            opacity: 1.0,
            kind,
        }
    }
}

/// A torso of a dozen simple shapes, each where the organ belongs (LPS, origin at the navel's
/// height in the midline, half way back).
pub fn torso() -> Vec<Part> {
    use SurfaceKind::{Bone, Organ, Skin, SoftTissue, Vessel};
    let part = |name, mesh, color, kind, priority| Part {
        name,
        mesh,
        color,
        kind,
        priority,
    };
    let blob = |center, radii| ellipsoid(center, radii, 40);
    let tube = |x: f32, y: f32, radius: f32, top: f32, bottom: f32| {
        let place = |i: u16| {
            let t = f32::from(i) / 20.0;
            (
                [x, y + 8.0 * (3.0 * t).sin(), top + t * (bottom - top)],
                radius,
            )
        };
        upright_tube(&(0..=20).map(place).collect::<Vec<_>>())
    };
    vec![
        part(
            "Skin",
            blob([0.0, 0.0, 0.0], [175.0, 120.0, 320.0]),
            [222, 178, 152],
            Skin,
            0,
        ),
        part(
            "Fat",
            blob([0.0, 0.0, 0.0], [172.0, 117.0, 317.0]),
            [240, 212, 136],
            SoftTissue,
            3,
        ),
        part(
            "Muscle",
            blob([0.0, 5.0, 0.0], [160.0, 104.0, 290.0]),
            [172, 78, 66],
            SoftTissue,
            5,
        ),
        part(
            "Liver",
            blob([-70.0, -15.0, 95.0], [85.0, 70.0, 62.0]),
            [156, 72, 52],
            Organ,
            10,
        ),
        part(
            "Gallbladder",
            blob([-58.0, -72.0, 50.0], [14.0, 16.0, 30.0]),
            [104, 150, 62],
            Organ,
            12,
        ),
        part(
            "Spleen",
            blob([115.0, 40.0, 105.0], [26.0, 40.0, 50.0]),
            [140, 58, 84],
            Organ,
            10,
        ),
        part(
            "Kidney, right",
            blob([-62.0, 58.0, 25.0], [28.0, 24.0, 54.0]),
            [176, 88, 64],
            Organ,
            11,
        ),
        part(
            "Kidney, left",
            blob([62.0, 58.0, 40.0], [28.0, 24.0, 54.0]),
            [176, 88, 64],
            Organ,
            11,
        ),
        part(
            "Urinary bladder",
            blob([0.0, -30.0, -175.0], [42.0, 36.0, 34.0]),
            [226, 206, 120],
            Organ,
            10,
        ),
        part(
            "Aorta",
            tube(10.0, 42.0, 11.0, 190.0, -60.0),
            [206, 48, 48],
            Vessel,
            30,
        ),
        part(
            "Inferior vena cava",
            tube(-18.0, 40.0, 12.0, 170.0, -70.0),
            [64, 96, 190],
            Vessel,
            29,
        ),
        part(
            "Spine",
            tube(0.0, 80.0, 22.0, 250.0, -200.0),
            [232, 220, 192],
            Bone,
            20,
        ),
    ]
}
