//! Shapes for tests: ellipsoids, tubes and a torso made of them.

use geometry::{Patient, TriMesh};

/// An ellipsoid on a grid of latitudes and longitudes, outward.
pub fn ellipsoid(center: [f32; 3], radii: [f32; 3], steps: usize) -> TriMesh<Patient> {
    grid(steps, 2 * steps, |row, column| {
        let (polar, round) = (row * std::f32::consts::PI, column * std::f32::consts::TAU);
        let unit = [polar.sin() * round.cos(), polar.sin() * round.sin(), polar.cos()];
        std::array::from_fn(|a| center[a] + radii[a] * unit[a])
    })
}

/// A closed tube along a polyline of (place, radius), its cross sections level (in x and y).
pub fn upright_tube(line: &[([f32; 3], f32)]) -> TriMesh<Patient> {
    let last = line.len() - 1;
    grid(line.len() + 1, 32, |row, column| {
        let step = (row * (line.len() + 1) as f32).round() as usize;
        let (center, radius) = line[step.saturating_sub(1).min(last)];
        let radius = if step == 0 || step == line.len() + 1 { 0.0 } else { radius };
        let angle = column * std::f32::consts::TAU;
        [center[0] + radius * angle.cos(), center[1] + radius * angle.sin(), center[2]]
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
            triangles.extend([[a, c, d], [a, d, b]].into_iter().filter(|[p, q, r]| {
                p != q && q != r && r != p
            }));
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
