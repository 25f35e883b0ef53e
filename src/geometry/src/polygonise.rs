//! Sampled fields → closed surfaces (marching cubes, Lorensen & Cline 1987).
//!
//! The case table is not copied from anywhere: `cell_triangles` traces, for each of the 256 sign
//! patterns of a cell's corners, the contour over the cell's six faces and triangulates the loops
//! that result. Where a face has its inside corners on a diagonal, they are kept *apart* on both
//! sides of that face, so neighbouring cells always agree and every surface closes. No triangle
//! edge inside a cell joins two points of one face, so triangles of different cells meet only along
//! the shared contour: the surface is 2-manifold and does not cross itself.
//!
//! Everything beyond the box counts as outside; a surface that reaches the box's rim closes half a
//! voxel beyond the last voxel centre, that is on the voxel's face.

use std::sync::OnceLock;

use nalgebra::Vector3;
use thiserror::Error;

use crate::frame::{Affine, Patient, Point, Voxel};
use crate::mesh::{MeshError, TriMesh};
use crate::volume::Volume;

/// A crossing keeps this share of its grid edge away from both ends, so that no triangle loses its
/// area.
pub const EDGE_MARGIN: f64 = 0.02;

/// Why a field gives no surface.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum PolygoniseError {
    /// No sample lies above the level.
    #[error("no sample lies above the level, so there is nothing to put a surface round")]
    Empty,
    /// The dimensions and the number of samples disagree.
    #[error("the volume says {} × {} × {} voxels but holds {voxels}", .dims[0], .dims[1], .dims[2])]
    SizeMismatch {
        /// Voxel counts along i, j, k.
        dims: [usize; 3],
        /// Samples present.
        voxels: usize,
    },
    /// More vertices than 32-bit indices can number, or a grid too long for 32-bit counts.
    #[error("the surface has too many vertices for 32-bit indices; use a coarser grid")]
    TooLarge,
    /// The volume's affine map sends a vertex to no finite place.
    #[error(transparent)]
    Mesh(#[from] MeshError),
}

/// A grid edge that the surface crosses: between an inside and an outside voxel centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridEdge {
    /// The end with the smaller index; −1 where that end lies beyond the box.
    pub base: [i32; 3],
    /// 0, 1, 2: the edge runs from `base` to the next voxel along i, j, k.
    pub axis: u8,
    /// Whether `base` is the inside end.
    pub inside_at_base: bool,
}

impl GridEdge {
    /// The place at `fraction` (0…1) of the way from `base` to the other end, in voxel indices.
    pub fn at(&self, fraction: f64) -> Point<Voxel> {
        let mut ijk = self.base.map(f64::from);
        ijk[usize::from(self.axis)] += fraction;
        Point::from_coords(Vector3::from(ijk))
    }
}

/// A surface whose vertices are still free to slide along the grid edges they sit on. Wherever
/// they slide (short of the ends), the surface stays closed and free of self-crossings.
#[derive(Clone, Debug, Default)]
pub struct GridSurface {
    /// The grid edge of each vertex.
    pub edges: Vec<GridEdge>,
    /// Vertex indices, anticlockwise seen from outside in a right-handed grid.
    pub triangles: Vec<[u32; 3]>,
}

impl GridSurface {
    /// Puts vertex v at `fractions[v]` of its edge and takes the surface to its frame.
    ///
    /// # Errors
    /// [`PolygoniseError::Empty`] without triangles, [`PolygoniseError::Mesh`] where the map leads
    /// to infinity.
    pub fn to_mesh<F>(
        &self,
        fractions: &[f64],
        f_from_voxel: &Affine<F, Voxel>,
    ) -> Result<TriMesh<F>, PolygoniseError> {
        let vertices = self
            .edges
            .iter()
            .zip(fractions)
            .map(|(edge, &fraction)| {
                let kept = fraction.clamp(EDGE_MARGIN, 1.0 - EDGE_MARGIN);
                (*f_from_voxel * edge.at(kept)).to_f32()
            })
            .collect();
        if self.triangles.is_empty() {
            return Err(PolygoniseError::Empty);
        }
        let mut mesh = TriMesh::new(vertices, self.triangles.clone())?;
        if f_from_voxel.determinant() < 0.0 {
            mesh.flip();
        }
        Ok(mesh)
    }
}

/// The closed, outward surface round all places where the field exceeds `level`. NaN counts as
/// outside.
///
/// # Errors
/// See [`PolygoniseError`].
pub fn polygonise(field: &Volume<f32>, level: f32) -> Result<TriMesh<Patient>, PolygoniseError> {
    check_size(field.dims, field.voxels.len())?;
    let slice_len = field.dims[0] * field.dims[1];
    polygonise_slices(field.dims, level, &field.patient_from_voxel, |k, slice| {
        slice.copy_from_slice(&field.voxels[k * slice_len..(k + 1) * slice_len]);
    })
}

/// [`polygonise`] for fields that are never held as a whole: `fill(k, slice)` writes slice k (first
/// index fastest) and is called once for each k in order. Memory is two slices and the surface.
///
/// # Errors
/// See [`PolygoniseError`].
pub fn polygonise_slices<F>(
    dims: [usize; 3],
    level: f32,
    f_from_voxel: &Affine<F, Voxel>,
    fill: impl FnMut(usize, &mut [f32]),
) -> Result<TriMesh<F>, PolygoniseError> {
    let (surface, fractions) = trace_slices(dims, level, fill)?;
    surface.to_mesh(&fractions, f_from_voxel)
}

/// The surface on its grid edges, with the fraction of each edge at which the field, taken as
/// linear along it, meets the level (0.5 where a sample is missing or not finite).
///
/// # Errors
/// [`PolygoniseError::TooLarge`].
pub fn trace_slices(
    dims: [usize; 3],
    level: f32,
    mut fill: impl FnMut(usize, &mut [f32]),
) -> Result<(GridSurface, Vec<f64>), PolygoniseError> {
    if dims.iter().any(|&n| n >= i32::MAX as usize - 2) {
        return Err(PolygoniseError::TooLarge);
    }
    let mut tracer = Tracer::new(dims, level);
    if dims.contains(&0) {
        return Ok((tracer.surface, tracer.fractions));
    }
    let mut samples = vec![0.0; dims[0] * dims[1]];
    for k in 0..dims[2] {
        fill(k, &mut samples);
        tracer.push(Some(&samples));
        tracer.check_room()?;
    }
    tracer.push(None);
    tracer.check_room()?;
    Ok((tracer.surface, tracer.fractions))
}

/// Refuses volumes whose dimensions do not match their samples.
pub(crate) fn check_size(dims: [usize; 3], voxels: usize) -> Result<(), PolygoniseError> {
    let expected = dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    if expected == Some(voxels) {
        Ok(())
    } else {
        Err(PolygoniseError::SizeMismatch { dims, voxels })
    }
}

const NO_VERTEX: u32 = u32::MAX;

/// One slice of samples with a rim of missing ones, and the vertices on its edges.
struct Slice {
    /// NaN where there is no sample.
    values: Vec<f32>,
    inside: Vec<u8>,
    /// Whether each row holds an inside sample.
    row_used: Vec<bool>,
    x_vertices: Vec<u32>,
    y_vertices: Vec<u32>,
}

impl Slice {
    fn missing(width: usize, height: usize) -> Self {
        Self {
            values: vec![f32::NAN; width * height],
            inside: vec![0; width * height],
            row_used: vec![false; height],
            x_vertices: vec![NO_VERTEX; width * height],
            y_vertices: vec![NO_VERTEX; width * height],
        }
    }

    fn load(&mut self, samples: Option<&[f32]>, width: usize, level: f32) {
        let Some(samples) = samples else {
            self.values.fill(f32::NAN);
            self.inside.fill(0);
            self.row_used.fill(false);
            return;
        };
        for (j, row) in samples.chunks_exact(width - 2).enumerate() {
            let start = (j + 1) * width + 1;
            self.values[start..start + row.len()].copy_from_slice(row);
            let mut any = 0;
            for (flag, &value) in self.inside[start..].iter_mut().zip(row) {
                *flag = u8::from(value > level);
                any |= *flag;
            }
            self.row_used[j + 1] = any != 0;
        }
    }
}

struct Tracer {
    width: usize,
    height: usize,
    level: f32,
    below: Slice,
    above: Slice,
    z_vertices: Vec<u32>,
    /// Index of the slice in `above`, in voxels; −1 before the first.
    k: i32,
    surface: GridSurface,
    fractions: Vec<f64>,
}

impl Tracer {
    fn new(dims: [usize; 3], level: f32) -> Self {
        let (width, height) = (dims[0] + 2, dims[1] + 2);
        Self {
            width,
            height,
            level,
            below: Slice::missing(width, height),
            above: Slice::missing(width, height),
            z_vertices: vec![NO_VERTEX; width * height],
            k: -1,
            surface: GridSurface::default(),
            fractions: Vec::new(),
        }
    }

    fn check_room(&self) -> Result<(), PolygoniseError> {
        // One more slice adds at most three vertices a sample.
        let next = self.surface.edges.len() + 3 * self.below.values.len();
        if next < NO_VERTEX as usize {
            Ok(())
        } else {
            Err(PolygoniseError::TooLarge)
        }
    }

    /// Takes the next slice and emits the layer of cells under it.
    fn push(&mut self, samples: Option<&[f32]>) {
        std::mem::swap(&mut self.below, &mut self.above);
        self.k += 1;
        self.above.load(samples, self.width, self.level);
        for j in 0..self.height {
            if self.row_in_play(j) {
                self.place_row_vertices(j);
            }
        }
        for j in 0..self.height - 1 {
            if self.row_in_play(j) || self.row_in_play(j + 1) {
                self.emit_row(j);
            }
        }
    }

    /// Whether a vertex can lie on an edge that starts in row `j` of either slice.
    fn row_in_play(&self, j: usize) -> bool {
        let used = |slice: &Slice| {
            slice.row_used[j] || slice.row_used.get(j + 1).copied().unwrap_or(false)
        };
        used(&self.above) || used(&self.below)
    }

    fn place_row_vertices(&mut self, j: usize) {
        let (width, k) = (self.width, self.k);
        for i in 0..width {
            let at = j * width + i;
            let here = self.above.inside[at];
            let base = [i as i32 - 1, j as i32 - 1, k];
            if i + 1 < width && here != self.above.inside[at + 1] {
                self.above.x_vertices[at] = self.add(base, 0, at, at + 1);
            }
            if j + 1 < self.height && here != self.above.inside[at + width] {
                self.above.y_vertices[at] = self.add(base, 1, at, at + width);
            }
            if here != self.below.inside[at] {
                self.z_vertices[at] = self.add([base[0], base[1], k - 1], 2, at, at);
            }
        }
    }

    fn add(&mut self, base: [i32; 3], axis: u8, from: usize, to: usize) -> u32 {
        let start = if axis == 2 { &self.below } else { &self.above };
        let (a, b) = (start.values[from], self.above.values[to]);
        self.surface.edges.push(GridEdge {
            base,
            axis,
            inside_at_base: start.inside[from] != 0,
        });
        self.fractions.push(crossing_fraction(a, b, self.level));
        (self.fractions.len() - 1) as u32
    }

    fn emit_row(&mut self, j: usize) {
        let width = self.width;
        let rows = [
            &self.below.inside[j * width..],
            &self.below.inside[(j + 1) * width..],
            &self.above.inside[j * width..],
            &self.above.inside[(j + 1) * width..],
        ];
        let column =
            |i: usize| rows[0][i] | (rows[1][i] << 2) | (rows[2][i] << 4) | (rows[3][i] << 6);
        let cases = case_table();
        let mut left = column(0);
        for i in 0..width - 1 {
            let right = column(i + 1);
            let case = left | (right << 1);
            left = right;
            if case == 0 || case == 255 {
                continue;
            }
            for corners in &cases[usize::from(case)] {
                let triangle = corners.map(|edge| self.vertex_on(edge, i, j));
                self.surface.triangles.push(triangle);
            }
        }
    }

    /// The vertex on edge `edge` (axis · 4 + offsets along the two other axes) of cell (i, j).
    fn vertex_on(&self, edge: u8, i: usize, j: usize) -> u32 {
        let (first, second) = (usize::from(edge & 1), usize::from(edge >> 1 & 1));
        let at = j * self.width + i;
        match edge >> 2 {
            0 if second == 0 => self.below.x_vertices[at + first * self.width],
            0 => self.above.x_vertices[at + first * self.width],
            1 if second == 0 => self.below.y_vertices[at + first],
            1 => self.above.y_vertices[at + first],
            _ => self.z_vertices[at + first + second * self.width],
        }
    }
}

fn crossing_fraction(a: f32, b: f32, level: f32) -> f64 {
    let (a, b, level) = (f64::from(a), f64::from(b), f64::from(level));
    let fraction = (level - a) / (b - a);
    if a.is_finite() && b.is_finite() && fraction.is_finite() {
        fraction.clamp(EDGE_MARGIN, 1.0 - EDGE_MARGIN)
    } else {
        0.5
    }
}

type CaseTable = [Vec<[u8; 3]>; 256];

fn case_table() -> &'static CaseTable {
    static TABLE: OnceLock<CaseTable> = OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|case| cell_triangles(case as u8)))
}

/// The triangles of a cell whose corner c (bits: x, y, z) is inside where bit c of `case` is set.
/// Numbers are cell edges: axis · 4 + the edge's offsets along the other two axes in order.
fn cell_triangles(case: u8) -> Vec<[u8; 3]> {
    let mut follower = [None; 12];
    for face in 0..6 {
        link_face(case, &face_corners(face), &mut follower);
    }
    let mut triangles = Vec::new();
    for start in 0..12 {
        let mut edges = Vec::new();
        let mut at = start;
        // Taking each link out of the table ends the walk where it began.
        while let Some(next) = follower[usize::from(at)].take() {
            edges.push(at);
            at = next;
        }
        triangulate_loop(&edges, &mut triangles);
    }
    triangles
}

/// The four corners of a face, anticlockwise seen from outside the cell. Faces: 2 · axis + side.
fn face_corners(face: usize) -> [u8; 4] {
    let (axis, side) = (face / 2, (face % 2) as u8);
    let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
    let corner = |a: u8, b: u8| (side << axis) | (a << u) | (b << v);
    if side == 1 {
        [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)]
    } else {
        [corner(0, 0), corner(0, 1), corner(1, 1), corner(1, 0)]
    }
}

/// Links the contour's pieces on one face: each run of inside corners is cut off by one piece from
/// the edge where the run is entered to the edge where it is left. Diagonal inside corners are two
/// runs, hence apart.
fn link_face(case: u8, corners: &[u8; 4], follower: &mut [Option<u8>; 12]) {
    let inside = |n: usize| case >> corners[n % 4] & 1 == 1;
    let edge = |n: usize| edge_between(corners[n % 4], corners[(n + 1) % 4]);
    for n in 0..4 {
        if !inside(n) && inside(n + 1) {
            let leave = (n + 1..n + 4).find(|&m| !inside(m + 1)).unwrap_or(n + 3);
            follower[usize::from(edge(n))] = Some(edge(leave));
        }
    }
}

fn edge_between(a: u8, b: u8) -> u8 {
    let axis = (a ^ b).trailing_zeros() as u8;
    let low = a & b;
    let others: [u8; 2] = match axis {
        0 => [1, 2],
        1 => [0, 2],
        _ => [0, 1],
    };
    axis * 4 + (low >> others[0] & 1) + 2 * (low >> others[1] & 1)
}

/// Middle of a cell edge and the faces (bit 2 · axis + side) it lies on.
fn edge_place(edge: u8) -> (Vector3<f64>, u8) {
    let axis = usize::from(edge / 4);
    let mut place = Vector3::repeat(0.5);
    let mut faces = 0;
    let others = (0..3).filter(|&other| other != axis);
    for (bit, other) in others.enumerate() {
        let side = edge >> bit & 1;
        place[other] = f64::from(side);
        faces |= 1 << (2 * other as u8 + side);
    }
    (place, faces)
}

/// Splits a loop into triangles of least total area (at the edges' middles) without an inner edge
/// that lies in a face: such an edge could meet its like from the neighbouring cell.
fn triangulate_loop(edges: &[u8], triangles: &mut Vec<[u8; 3]>) {
    let count = edges.len();
    if count < 3 {
        return;
    }
    let places: Vec<_> = edges.iter().map(|&edge| edge_place(edge)).collect();
    let area = |a: usize, b: usize, c: usize| {
        let (p, q, r) = (places[a].0, places[b].0, places[c].0);
        0.5 * (q - p).cross(&(r - p)).norm()
    };
    let allowed = |a: usize, b: usize| {
        b == a + 1 || (a == 0 && b == count - 1) || places[a].1 & places[b].1 == 0
    };
    // best[a][b]: least area of the polygon a, a + 1, …, b, and the corner that forms a triangle
    // with its closing side.
    let mut best = vec![vec![(0.0, 0); count]; count];
    for span in 2..count {
        for a in 0..count - span {
            let b = a + span;
            best[a][b] = (f64::INFINITY, a + 1);
            for m in (a + 1..b).filter(|_| allowed(a, b)) {
                let cost = best[a][m].0 + best[m][b].0 + area(a, m, b);
                if cost < best[a][b].0 - 1e-9 {
                    best[a][b] = (cost, m);
                }
            }
        }
    }
    let mut open = vec![(0, count - 1)];
    while let Some((a, b)) = open.pop() {
        if b > a + 1 {
            let m = best[a][b].1;
            triangles.push([edges[a], edges[m], edges[b]]);
            open.extend([(a, m), (m, b)]);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashMap;

    use nalgebra::Matrix3;
    use proptest::prelude::*;

    use super::*;
    use crate::bvh::Bvh;
    use crate::mesh::Aabb;

    /// Every directed edge once, with its opposite once: closed, 2-manifold along edges, one
    /// orientation throughout.
    pub(crate) fn open_edges(triangles: &[[u32; 3]]) -> usize {
        let mut uses: HashMap<[u32; 2], i32> = HashMap::new();
        for &[a, b, c] in triangles {
            for edge in [[a, b], [b, c], [c, a]] {
                *uses.entry(edge).or_default() += 1;
            }
        }
        uses.iter()
            .filter(|&(&[a, b], &n)| n != 1 || uses.get(&[b, a]) != Some(&1))
            .count()
    }

    fn side(p: [[f64; 3]; 3], q: [f64; 3]) -> f64 {
        let coord = |[x, y, z]: [f64; 3]| robust::Coord3D { x, y, z };
        robust::orient3d(coord(p[0]), coord(p[1]), coord(p[2]), coord(q))
    }

    /// Whether segment (p, q) passes through the inner part of a triangle.
    fn pierces(p: [f64; 3], q: [f64; 3], [a, b, c]: [[f64; 3]; 3]) -> bool {
        let (above, below) = (side([a, b, c], p), side([a, b, c], q));
        if above * below >= 0.0 {
            return false;
        }
        let turns = [side([p, q, a], b), side([p, q, b], c), side([p, q, c], a)];
        turns.iter().all(|&t| t > 0.0) || turns.iter().all(|&t| t < 0.0)
    }

    /// Pairs of triangles of which an edge of one passes through the other.
    pub(crate) fn crossings(vertices: &[[f32; 3]], triangles: &[[u32; 3]]) -> usize {
        let corners = |t: usize| triangles[t].map(|v| vertices[v as usize]);
        let boxes: Vec<Aabb> = (0..triangles.len())
            .map(|t| Aabb::of_points(&corners(t)))
            .collect();
        let bvh = Bvh::build(&boxes);
        let exact = |t: usize| corners(t).map(|p| p.map(f64::from));
        let cuts = |a: usize, b: usize| {
            (0..3).any(|e| {
                let ends = [triangles[a][e], triangles[a][(e + 1) % 3]];
                let apart = ends.iter().all(|end| !triangles[b].contains(end));
                apart && pierces(exact(a)[e], exact(a)[(e + 1) % 3], exact(b))
            })
        };
        let mut found = 0;
        for (a, bounds) in boxes.iter().enumerate() {
            bvh.overlapping(bounds, |b| {
                found +=
                    usize::from(a < b as usize && (cuts(a, b as usize) || cuts(b as usize, a)));
            });
        }
        found
    }

    pub(crate) fn assert_sound<F>(mesh: &TriMesh<F>) {
        assert_eq!(open_edges(mesh.triangles()), 0, "open edges");
        assert_eq!(crossings(mesh.vertices(), mesh.triangles()), 0, "crossings");
        assert!(mesh.signed_volume_mm3() > 0.0, "inside out");
    }

    #[test]
    fn the_crossing_test_finds_a_crossing() {
        let flat = [[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [0.0, 4.0, 0.0]];
        let upright = [[1.0, 1.0, -1.0], [1.0, 1.0, 1.0], [9.0, 9.0, 0.0]];
        let vertices = [flat, upright].concat();
        assert_eq!(crossings(&vertices, &[[0, 1, 2], [3, 4, 5]]), 1);
        assert_eq!(open_edges(&[[0, 1, 2]]), 3);
    }

    fn unit_affine() -> Affine<Patient, Voxel> {
        Affine::new(Matrix3::identity(), Vector3::zeros()).unwrap()
    }

    fn field(dims: [usize; 3], f: impl Fn(Vector3<f64>) -> f64) -> Volume<f32> {
        let mut voxels = Vec::new();
        for k in 0..dims[2] {
            for j in 0..dims[1] {
                for i in 0..dims[0] {
                    voxels.push(f(Vector3::new(i as f64, j as f64, k as f64)) as f32);
                }
            }
        }
        Volume {
            dims,
            voxels,
            patient_from_voxel: unit_affine(),
        }
    }

    #[test]
    fn no_inner_edge_lies_in_a_face_in_any_of_the_256_cases() {
        for case in 0..=255_u8 {
            let triangles = cell_triangles(case);
            let mut uses: HashMap<[u8; 2], i32> = HashMap::new();
            for &[a, b, c] in &triangles {
                for [from, to] in [[a, b], [b, c], [c, a]] {
                    *uses.entry([from.min(to), from.max(to)]).or_default() += 1;
                }
            }
            for (&[a, b], &n) in &uses {
                let shares_face = edge_place(a).1 & edge_place(b).1 != 0;
                assert!(
                    n == 1 && shares_face || n == 2 && !shares_face,
                    "case {case}"
                );
            }
        }
    }

    #[test]
    fn triangles_of_one_cell_never_cross_wherever_the_vertices_slide() {
        let mut state = 1_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1_u64 << 24) as f64
        };
        for case in 1..255_u8 {
            let triangles: Vec<[u32; 3]> = cell_triangles(case)
                .iter()
                .map(|t| t.map(u32::from))
                .collect();
            for trial in 0..200 {
                let vertices: Vec<[f32; 3]> = (0..12)
                    .map(|edge| {
                        let r = if trial % 2 == 0 {
                            random()
                        } else {
                            random().round()
                        };
                        let mut place = edge_place(edge).0;
                        place[usize::from(edge / 4)] = 0.02 + 0.96 * r;
                        [place.x as f32, place.y as f32, place.z as f32]
                    })
                    .collect();
                assert_eq!(
                    crossings(&vertices, &triangles),
                    0,
                    "case {case}: {vertices:?}"
                );
            }
        }
    }

    #[test]
    fn sphere_has_the_volume_of_a_sphere() {
        let r = 17.3;
        let center = Vector3::new(20.1, 19.7, 20.4);
        let mesh = polygonise(&field([41, 41, 41], |p| r - (p - center).norm()), 0.0).unwrap();
        assert_sound(&mesh);
        let truth = 4.0 / 3.0 * std::f64::consts::PI * r * r * r;
        assert!((mesh.signed_volume_mm3() / truth - 1.0).abs() < 0.005);
        assert!(mesh.vertices().iter().all(|&v| {
            let p = Point::<Patient>::from_f32(v).coords;
            ((p - center).norm() - r).abs() < 0.03
        }));
    }

    #[test]
    fn a_full_box_closes_on_the_voxel_faces() {
        let mesh = polygonise(&field([4, 3, 2], |_| 1.0), 0.0).unwrap();
        assert_sound(&mesh);
        let bounds = mesh.bounds();
        assert_eq!(bounds.min, [-0.5; 3]);
        assert_eq!(bounds.max, [3.5, 2.5, 1.5]);
    }

    #[test]
    fn one_voxel_gives_an_octahedron() {
        let mesh = polygonise(&field([1, 1, 1], |_| 1.0), 0.0).unwrap();
        assert_sound(&mesh);
        assert_eq!((mesh.vertices().len(), mesh.triangles().len()), (6, 8));
        // Half-axis a = 1/2: 4/3 a³.
        assert!((mesh.signed_volume_mm3() - 1.0 / 6.0).abs() < 1e-6);
    }

    #[test]
    fn empty_nan_and_mismatched_volumes_are_named() {
        assert_eq!(
            polygonise(&field([3, 3, 3], |_| -1.0), 0.0),
            Err(PolygoniseError::Empty)
        );
        assert_eq!(
            polygonise(&field([3, 3, 3], |_| f64::NAN), 0.0),
            Err(PolygoniseError::Empty)
        );
        assert_eq!(
            polygonise(&field([0, 3, 3], |_| 1.0), 0.0),
            Err(PolygoniseError::Empty)
        );
        let mut short = field([3, 3, 3], |_| 1.0);
        short.voxels.pop();
        assert!(matches!(
            polygonise(&short, 0.0),
            Err(PolygoniseError::SizeMismatch { .. })
        ));
        short.dims = [usize::MAX, 2, 2];
        assert!(matches!(
            polygonise(&short, 0.0),
            Err(PolygoniseError::SizeMismatch { .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        // Signs at random hit every ambiguous neighbourhood.
        #[test]
        fn random_fields_give_sound_surfaces(
            values in prop::collection::vec(-1.0_f32..1.0, 6 * 5 * 4),
            entries in prop::array::uniform9(-2.0_f64..2.0),
        ) {
            let linear = Matrix3::from_row_slice(&entries);
            prop_assume!(linear.determinant().abs() > 0.3);
            let volume = Volume {
                dims: [6, 5, 4],
                voxels: values,
                patient_from_voxel: Affine::new(linear, Vector3::new(1.0, 2.0, 3.0)).unwrap(),
            };
            let mesh = polygonise(&volume, 0.0).unwrap();
            assert_sound(&mesh);
        }
    }
}
