//! Closed surfaces with a known centreline: unions of tapering tubes on a fine grid, polygonised by
//! tetrahedra (which never leaves a hole).

use std::collections::HashMap;

use crate::centerline::Vec3;
use crate::frame::Patient;
use crate::mesh::TriMesh;

/// A tube along a polyline with a radius at each place; round ends.
#[derive(Clone, Debug)]
pub struct Tube {
    pub points: Vec<Vec3>,
    pub radii: Vec<f64>,
}

impl Tube {
    /// Along a cubic Bézier curve, the radius changing evenly.
    pub fn bezier(control: [[f64; 3]; 4], radii: [f64; 2]) -> Self {
        const PIECES: usize = 60;
        let [a, b, c, d] = control.map(Vec3::from);
        let at = |t: f64| {
            let s = 1.0 - t;
            a * (s * s * s) + b * (3.0 * s * s * t) + c * (3.0 * s * t * t) + d * (t * t * t)
        };
        let steps = (0..=PIECES).map(|i| i as f64 / PIECES as f64);
        Self {
            points: steps.clone().map(at).collect(),
            radii: steps
                .map(|t| radii[0] + (radii[1] - radii[0]) * t)
                .collect(),
        }
    }

    pub fn straight(a: [f64; 3], b: [f64; 3], radius: f64) -> Self {
        Self {
            points: vec![a.into(), b.into()],
            radii: vec![radius; 2],
        }
    }

    /// Distance to the axis and radius there, by least distance/radius.
    pub fn nearest(&self, p: Vec3) -> (f64, f64) {
        self.pieces()
            .map(|piece| (piece.axis(p).0, piece.axis(p).1))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap()
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        (0..self.points.len() - 1).map(|i| Piece {
            a: self.points[i],
            b: self.points[i + 1],
            radii: [self.radii[i], self.radii[i + 1]],
        })
    }
}

#[derive(Clone, Copy)]
struct Piece {
    a: Vec3,
    b: Vec3,
    radii: [f64; 2],
}

impl Piece {
    fn axis(&self, p: Vec3) -> (f64, f64) {
        let ab = self.b - self.a;
        let t = ((p - self.a).dot(&ab) / ab.norm_squared()).clamp(0.0, 1.0);
        let radius = self.radii[0] + (self.radii[1] - self.radii[0]) * t;
        ((p - self.a - ab * t).norm(), radius)
    }

    fn value(&self, p: Vec3) -> f64 {
        let (distance, radius) = self.axis(p);
        distance - radius
    }
}

/// The union's surface; `cell` is the grid's step. `slab` keeps only what lies between two heights
/// (flat ends, as where a scan stops).
pub fn union(tubes: &[Tube], cell: f64, slab: Option<[f64; 2]>) -> TriMesh<Patient> {
    let pieces: Vec<Piece> = tubes.iter().flat_map(Tube::pieces).collect();
    let widest = pieces.iter().flat_map(|p| p.radii).fold(0.0, f64::max);
    let ends = || pieces.iter().flat_map(|p| [p.a, p.b]);
    let lowest = ends().fold(Vec3::repeat(f64::INFINITY), |m, p| m.inf(&p));
    let highest = ends().fold(Vec3::repeat(f64::NEG_INFINITY), |m, p| m.sup(&p));
    let margin = Vec3::repeat(widest + 3.0 * cell);
    let extent = (highest - lowest + margin * 2.0).max();
    let mut size = 1;
    while (size as f64) * cell < extent {
        size *= 2;
    }
    let mut grid = Grid {
        origin: lowest - margin,
        cell,
        slab,
        vertices: Vec::new(),
        vertex_on: HashMap::new(),
        triangles: Vec::new(),
    };
    grid.visit([0; 3], size, &pieces);
    TriMesh::new(grid.vertices, grid.triangles).unwrap()
}

/// The same surface with each vertex moved by up to `by_mm` along each axis, always the same way.
pub fn roughened(mesh: &TriMesh<Patient>, by_mm: f32) -> TriMesh<Patient> {
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        by_mm * (2.0 * (state >> 8) as f32 / (1 << 24) as f32 - 1.0)
    };
    let vertices: Vec<[f32; 3]> = mesh
        .vertices()
        .iter()
        .map(|v| v.map(|c| c + random()))
        .collect();
    TriMesh::new(vertices, mesh.triangles().to_vec()).unwrap()
}

pub fn ball(radius: f64) -> TriMesh<Patient> {
    let tube = Tube::straight([0.0; 3], [1e-3, 0.0, 0.0], radius);
    union(&[tube], radius / 12.0, None)
}

/// A ring in the xy plane.
pub fn ring(around: f64, radius: f64) -> TriMesh<Patient> {
    union(&[ring_tube(around, radius)], radius / 6.0, None)
}

pub fn ring_tube(around: f64, radius: f64) -> Tube {
    let points: Vec<Vec3> = (0..=72)
        .map(|i| (f64::from(i) * 5.0).to_radians())
        .map(|angle| Vec3::new(around * angle.cos(), around * angle.sin(), 0.0))
        .collect();
    Tube {
        radii: vec![radius; points.len()],
        points,
    }
}

struct Grid {
    origin: Vec3,
    cell: f64,
    slab: Option<[f64; 2]>,
    vertices: Vec<[f32; 3]>,
    vertex_on: HashMap<[[u32; 3]; 2], u32>,
    triangles: Vec<[u32; 3]>,
}

impl Grid {
    fn place(&self, [i, j, k]: [u32; 3]) -> Vec3 {
        self.origin + Vec3::new(f64::from(i), f64::from(j), f64::from(k)) * self.cell
    }

    fn value(&self, at: [u32; 3], pieces: &[Piece]) -> f64 {
        let p = self.place(at);
        let tubes = pieces
            .iter()
            .map(|c| c.value(p))
            .fold(f64::INFINITY, f64::min);
        self.slab
            .map_or(tubes, |[low, high]| tubes.max(low - p.z).max(p.z - high))
    }

    /// Halves cubes until they are cells, leaving out what is far from the surface.
    fn visit(&mut self, corner: [u32; 3], size: u32, pieces: &[Piece]) {
        let half = f64::from(size) * self.cell * 0.5;
        let middle = self.place(corner) + Vec3::repeat(half);
        // Tapering makes values change a little faster than distance.
        let slack = half * 3_f64.sqrt() * 1.3;
        let values: Vec<f64> = pieces.iter().map(|p| p.value(middle)).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let at_slab = self.slab.is_some_and(|[low, high]| {
            (middle.z - low).abs() < slack || (middle.z - high).abs() < slack
        });
        if least > slack || (least < -slack && !at_slab) {
            return;
        }
        let near: Vec<Piece> = pieces
            .iter()
            .zip(&values)
            .filter(|(_, v)| **v < least + 2.0 * slack)
            .map(|(p, _)| *p)
            .collect();
        if size == 1 {
            return self.polygonise(corner, &near);
        }
        for n in 0..8 {
            let step = |a: u32| corner[a as usize] + (n >> a & 1) * (size / 2);
            self.visit([step(0), step(1), step(2)], size / 2, &near);
        }
    }

    fn polygonise(&mut self, corner: [u32; 3], pieces: &[Piece]) {
        // Six tetrahedra round the long diagonal, one for each order of the axes.
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let mut at = corner;
            let mut tetrahedron = vec![(at, self.value(at, pieces))];
            for axis in order {
                at[axis] += 1;
                tetrahedron.push((at, self.value(at, pieces)));
            }
            self.cut(&tetrahedron);
        }
    }

    fn cut(&mut self, tetrahedron: &[([u32; 3], f64)]) {
        let (outside, inside): (Vec<_>, Vec<_>) = tetrahedron.iter().partition(|(_, v)| *v > 0.0);
        let mut on = |o: usize, i: usize| self.vertex(outside[o], inside[i]);
        let faces = match (outside.len(), inside.len()) {
            (1, 3) => vec![[on(0, 0), on(0, 1), on(0, 2)]],
            (3, 1) => vec![[on(0, 0), on(1, 0), on(2, 0)]],
            (2, 2) => {
                let quad = [on(0, 0), on(0, 1), on(1, 1), on(1, 0)];
                vec![[quad[0], quad[1], quad[2]], [quad[0], quad[2], quad[3]]]
            }
            _ => return,
        };
        let middle = |corners: &[([u32; 3], f64)]| {
            corners.iter().map(|(at, _)| self.place(*at)).sum::<Vec3>() / corners.len() as f64
        };
        let outward = middle(&outside) - middle(&inside);
        for face in faces {
            let [a, b, c] = face.map(|v| Vec3::from(self.vertices[v as usize].map(f64::from)));
            let faces_out = (b - a).cross(&(c - a)).dot(&outward) > 0.0;
            let [x, y, z] = face;
            self.triangles
                .push(if faces_out { [x, y, z] } else { [x, z, y] });
        }
    }

    fn vertex(&mut self, outside: ([u32; 3], f64), inside: ([u32; 3], f64)) -> u32 {
        let part = (inside.1 / (inside.1 - outside.1)).clamp(0.02, 0.98);
        let place = self.place(inside.0) * (1.0 - part) + self.place(outside.0) * part;
        let vertices = &mut self.vertices;
        *self
            .vertex_on
            .entry([inside.0, outside.0])
            .or_insert_with(|| {
                vertices.push([place.x as f32, place.y as f32, place.z as f32]);
                vertices.len() as u32 - 1
            })
    }
}
