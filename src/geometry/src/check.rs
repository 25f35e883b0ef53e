//! Closedness, orientation, self-intersection and genus checks that say *where*.
//!
//! [`inspect`] looks for everything at once and lists each kind of fault with places, so that a
//! person can find the hole. All side-of-plane decisions are exact (Shewchuk's adaptive predicates,
//! crate `robust`), so a verdict does not depend on rounding.

use std::fmt;

use rayon::prelude::*;
use robust::{Coord3D, orient3d};

use crate::bvh::Bvh;
use crate::closest::winding_number;
use crate::frame::Point;
use crate::mesh::{Aabb, TriMesh};

/// At most so many places are kept for one kind of fault; the count goes on.
const KEPT_PLACES: usize = 32;

/// Triangles per work item of the self-intersection search; fixed, so that the order of the list
/// does not depend on the number of threads.
const CHUNK: usize = 2048;

/// One kind of fault: how often, and where (the first few).
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Faults {
    /// How many there are.
    pub count: usize,
    /// Places of the first few, mm in the mesh's frame.
    pub places: Vec<[f32; 3]>,
}

impl Faults {
    fn add(&mut self, place: [f32; 3]) {
        self.count += 1;
        if self.places.len() < KEPT_PLACES {
            self.places.push(place);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// One connected part of a mesh.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Component {
    /// Number of triangles.
    pub triangles: usize,
    /// Number of handles, (2 − V + E − F)/2; `None` where the part is not a closed manifold.
    pub genus: Option<u32>,
    /// Signed volume, mm³: negative for a cavity or an inside-out part.
    pub signed_volume_mm3: f64,
    /// A vertex of the part, mm.
    pub place: [f32; 3],
    /// Facing the right way: outward, or inward where it bounds a cavity of another part.
    pub well_oriented: bool,
}

/// What [`inspect`] found.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct MeshReport {
    /// Edges with a triangle on one side only: the rim of a hole.
    pub open_edges: Faults,
    /// Edges shared by more than two triangles.
    pub crowded_edges: Faults,
    /// Edges whose two triangles disagree about which side is outside.
    pub twisted_edges: Faults,
    /// Vertices where two sheets touch in a single point.
    pub pinched_vertices: Faults,
    /// Triangles without area.
    pub flat_triangles: Faults,
    /// Pairs of triangles that cross or lie on each other.
    pub self_crossings: Faults,
    /// The connected parts, in order of first appearance.
    pub components: Vec<Component>,
}

impl MeshReport {
    /// Every edge has exactly two triangles that agree about outside.
    pub fn is_closed(&self) -> bool {
        self.open_edges.is_empty() && self.crowded_edges.is_empty() && self.twisted_edges.is_empty()
    }

    /// Closed, and every part faces outward (inward round cavities).
    pub fn is_outward(&self) -> bool {
        self.is_closed() && self.components.iter().all(|part| part.well_oriented)
    }

    /// Closed, outward and without self-crossings: fit for imaging and contact.
    pub fn is_sound(&self) -> bool {
        self.is_outward() && self.self_crossings.is_empty()
    }

    /// Sum of the parts' handles; `None` where a part is not a closed manifold.
    pub fn genus(&self) -> Option<u32> {
        self.components.iter().map(|part| part.genus).sum()
    }

    /// One line a fault kind, each with the first place: empty where there is nothing to tell.
    pub fn fault_lines(&self) -> Vec<String> {
        let kinds = [
            (&self.open_edges, "open edges (rim of a hole)"),
            (
                &self.crowded_edges,
                "edges shared by more than two triangles",
            ),
            (
                &self.twisted_edges,
                "edges whose triangles face opposite ways",
            ),
            (
                &self.pinched_vertices,
                "vertices where sheets touch in a point",
            ),
            (&self.flat_triangles, "triangles without area"),
            (&self.self_crossings, "pairs of crossing triangles"),
        ];
        let mut lines: Vec<String> = kinds
            .iter()
            .filter(|(faults, _)| !faults.is_empty())
            .map(|(faults, what)| format!("{} {what}{}", faults.count, first_place(faults)))
            .collect();
        if self.is_closed() {
            lines.extend(
                self.components
                    .iter()
                    .filter(|part| !part.well_oriented)
                    .map(|part| {
                        let [x, y, z] = part.place;
                        format!(
                            "a part of {} triangles is inside out, at ({x:.1}, {y:.1}, {z:.1}) mm",
                            part.triangles
                        )
                    }),
            );
        }
        lines
    }
}

impl fmt::Display for MeshReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.fault_lines();
        if lines.is_empty() {
            f.write_str("sound")
        } else {
            f.write_str(&lines.join("; "))
        }
    }
}

fn first_place(faults: &Faults) -> String {
    faults.places.first().map_or_else(String::new, |[x, y, z]| {
        format!(", first at ({x:.1}, {y:.1}, {z:.1}) mm")
    })
}

/// Looks for every kind of fault. Vertices count as shared only by index: weld first
/// ([`TriMesh::welded`]) where a file repeats them.
pub fn inspect<F: Send + Sync>(mesh: &TriMesh<F>) -> MeshReport {
    let mut report = MeshReport::default();
    inspect_edges(mesh, &mut report);
    inspect_flat_triangles(mesh, &mut report);
    if report.is_closed() {
        inspect_fans(mesh, &mut report);
    }
    report.self_crossings = self_crossings(mesh);
    report.components = components(mesh, &report);
    report
}

/// An edge as one triangle runs along it.
struct HalfEdge {
    low: u32,
    high: u32,
    /// The triangle runs from `low` to `high`.
    forward: bool,
}

fn inspect_edges<F>(mesh: &TriMesh<F>, report: &mut MeshReport) {
    let mut edges: Vec<HalfEdge> = mesh.triangles().iter().flat_map(half_edges).collect();
    edges.sort_unstable_by_key(|edge| (edge.low, edge.high, edge.forward));
    for sharing in edges.chunk_by(|a, b| (a.low, a.high) == (b.low, b.high)) {
        let faults = match sharing {
            [a, b] if a.forward != b.forward => continue,
            [_] => &mut report.open_edges,
            [_, _] => &mut report.twisted_edges,
            _ => &mut report.crowded_edges,
        };
        faults.add(middle(mesh, &[sharing[0].low, sharing[0].high]));
    }
}

fn half_edges(&[a, b, c]: &[u32; 3]) -> [HalfEdge; 3] {
    [(a, b), (b, c), (c, a)].map(|(from, to)| HalfEdge {
        low: from.min(to),
        high: from.max(to),
        forward: from < to,
    })
}

fn middle<F>(mesh: &TriMesh<F>, vertices: &[u32]) -> [f32; 3] {
    let share = 1.0 / vertices.len() as f32;
    std::array::from_fn(|axis| {
        vertices
            .iter()
            .map(|&v| mesh.vertices()[v as usize][axis] * share)
            .sum()
    })
}

fn inspect_flat_triangles<F>(mesh: &TriMesh<F>, report: &mut MeshReport) {
    for (index, corners) in mesh.triangles().iter().enumerate() {
        let [a, b, c] = mesh.corners(index).map(Point::<F>::from_f32);
        if (b - a).cross(&(c - a)).norm() == 0.0 {
            report.flat_triangles.add(middle(mesh, corners));
        }
    }
}

/// On a closed mesh the triangles round a vertex form one fan; more than one is a pinch.
fn inspect_fans<F>(mesh: &TriMesh<F>, report: &mut MeshReport) {
    let mut spokes: Vec<(u32, u32, u32)> = mesh
        .triangles()
        .iter()
        .flat_map(|&[a, b, c]| [(a, b, c), (b, c, a), (c, a, b)])
        .collect();
    spokes.sort_unstable();
    for fan in spokes.chunk_by(|a, b| a.0 == b.0) {
        let mut at = fan[0].1;
        let mut steps = 0;
        // Each spoke of a closed vertex leads to exactly one next one.
        while let Ok(found) = fan.binary_search_by_key(&at, |spoke| spoke.1) {
            at = fan[found].2;
            steps += 1;
            if at == fan[0].1 || steps > fan.len() {
                break;
            }
        }
        if steps != fan.len() {
            report
                .pinched_vertices
                .add(mesh.vertices()[fan[0].0 as usize]);
        }
    }
}

fn components<F>(mesh: &TriMesh<F>, report: &MeshReport) -> Vec<Component> {
    let labels = mesh.component_labels();
    let count = labels.iter().max().map_or(0, |&last| last as usize + 1);
    let mut parts: Vec<Vec<[u32; 3]>> = vec![Vec::new(); count];
    for (corners, &label) in mesh.triangles().iter().zip(&labels) {
        parts[label as usize].push(*corners);
    }
    let manifold = report.is_closed() && report.pinched_vertices.is_empty();
    let mut found: Vec<Component> = parts
        .iter()
        .map(|part| Component {
            triangles: part.len(),
            genus: manifold.then(|| genus(part)),
            signed_volume_mm3: signed_volume_mm3(mesh, part),
            place: mesh.vertices()[part[0][0] as usize],
            well_oriented: false,
        })
        .collect();
    judge_orientation(mesh, &parts, &mut found);
    found
}

fn genus(triangles: &[[u32; 3]]) -> u32 {
    let mut vertices: Vec<u32> = triangles.iter().flatten().copied().collect();
    vertices.sort_unstable();
    vertices.dedup();
    // A closed part has 3/2 edges a triangle, so V − E + F = V − F/2.
    let euler = vertices.len() as i64 - triangles.len() as i64 / 2;
    u32::try_from((2 - euler) / 2).unwrap_or(0)
}

fn signed_volume_mm3<F>(mesh: &TriMesh<F>, triangles: &[[u32; 3]]) -> f64 {
    let about = mesh.vertex(triangles[0][0]);
    let sum: f64 = triangles
        .iter()
        .map(|corners| {
            let [a, b, c] = corners.map(|v| mesh.vertex(v) - about);
            a.dot(&b.cross(&c))
        })
        .sum();
    sum / 6.0
}

/// A part must face outward where the other parts do not enclose it, inward where they do.
fn judge_orientation<F>(mesh: &TriMesh<F>, parts: &[Vec<[u32; 3]>], found: &mut [Component]) {
    let boxes: Vec<Aabb> = parts
        .iter()
        .map(|part| Aabb::of_points(part.iter().flatten().map(|&v| &mesh.vertices()[v as usize])))
        .collect();
    for (index, component) in found.iter_mut().enumerate() {
        // A cavity lies wholly within another part, so that one of its vertices tells; a part that
        // faces outward must only not be enclosed as a whole.
        let asked = if component.signed_volume_mm3 < 0.0 {
            1
        } else {
            6
        };
        let enclosed = extreme_vertices(mesh, &parts[index])
            .into_iter()
            .take(asked)
            .all(|place| {
                let inside: f64 = (0..parts.len())
                    .filter(|&other| {
                        other != index
                            && boxes[other].overlaps(&Aabb {
                                min: place,
                                max: place,
                            })
                    })
                    .map(|other| part_winding(mesh, &parts[other], place))
                    .sum();
                inside.round() > 0.0
            });
        component.well_oriented = (component.signed_volume_mm3 < 0.0) == enclosed;
    }
}

/// The part's outermost vertices along the axes: if these are enclosed, the part is (a part that
/// only crosses another is not).
fn extreme_vertices<F>(mesh: &TriMesh<F>, part: &[[u32; 3]]) -> [[f32; 3]; 6] {
    let start = mesh.vertices()[part[0][0] as usize];
    part.iter().flatten().fold([start; 6], |mut extremes, &v| {
        let place = mesh.vertices()[v as usize];
        for axis in 0..3 {
            if place[axis] < extremes[axis][axis] {
                extremes[axis] = place;
            }
            if place[axis] > extremes[axis + 3][axis] {
                extremes[axis + 3] = place;
            }
        }
        extremes
    })
}

fn part_winding<F>(mesh: &TriMesh<F>, part: &[[u32; 3]], place: [f32; 3]) -> f64 {
    let place = Point::from_f32(place);
    let corners = part.iter().map(|triangle| triangle.map(|v| mesh.vertex(v)));
    winding_number(corners, place)
}

/// Pairs of triangles that cross, touch away from shared vertices, or lie on each other.
fn self_crossings<F: Send + Sync>(mesh: &TriMesh<F>) -> Faults {
    let boxes: Vec<Aabb> = (0..mesh.triangles().len())
        .map(|t| Aabb::of_points(&mesh.corners(t)))
        .collect();
    let bvh = Bvh::build(&boxes);
    let starts: Vec<usize> = (0..boxes.len()).step_by(CHUNK).collect();
    let found: Vec<Faults> = starts
        .par_iter()
        .map(|&start| {
            let mut faults = Faults::default();
            for first in start..(start + CHUNK).min(boxes.len()) {
                bvh.overlapping(&boxes[first], |second| {
                    let second = second as usize;
                    if second > first
                        && boxes[first].overlaps(&boxes[second])
                        && let Some(place) = crossing(mesh, first, second)
                    {
                        faults.add(place);
                    }
                });
            }
            faults
        })
        .collect();
    let mut all = Faults::default();
    for part in found {
        all.count += part.count;
        let room = KEPT_PLACES - all.places.len();
        all.places.extend(part.places.into_iter().take(room));
    }
    all
}

/// Where two triangles of a mesh cross, if they do more than share corners.
fn crossing<F>(mesh: &TriMesh<F>, first: usize, second: usize) -> Option<[f32; 3]> {
    let (ia, ib) = (mesh.triangles()[first], mesh.triangles()[second]);
    let (a, b) = (
        Triangle::new(mesh.corners(first)),
        Triangle::new(mesh.corners(second)),
    );
    if a.is_flat() || b.is_flat() {
        return None; // reported as flat; its neighbours carry the surface
    }
    let shared = ia.iter().filter(|v| ib.contains(v)).count();
    // A shared corner lies in the plane; asking the predicate would cost its slowest path.
    let sides_of_b = a.sides_of(&b, ib.map(|v| ia.contains(&v)));
    if sides_of_b == [0; 3] {
        return a.overlaps_in_plane(&b).then(|| mesh_middle(&a));
    }
    let away = |side: i8| sides_of_b.iter().filter(|&&s| s == side).count();
    // Two planes that share an edge and are not the same meet nowhere else; and who lies on one
    // side of the other's plane crosses nothing.
    if shared >= 2 || away(1) + shared == 3 || away(-1) + shared == 3 {
        return None;
    }
    let sides_of_a = b.sides_of(&a, ia.map(|v| ib.contains(&v)));
    let edges = |of: [u32; 3], other: [u32; 3]| {
        if shared == 0 {
            [true; 3]
        } else {
            opposite_edges(of, other)
        }
    };
    a.pierced_by(&b, sides_of_b, edges(ib, ia))
        .or_else(|| b.pierced_by(&a, sides_of_a, edges(ia, ib)))
}

/// Which edges of `of` touch no vertex of `other`.
fn opposite_edges(of: [u32; 3], other: [u32; 3]) -> [bool; 3] {
    std::array::from_fn(|e| !other.contains(&of[e]) && !other.contains(&of[(e + 1) % 3]))
}

fn mesh_middle(triangle: &Triangle) -> [f32; 3] {
    let [a, b, c] = triangle.corners;
    [
        (a.x + b.x + c.x) / 3.0,
        (a.y + b.y + c.y) / 3.0,
        (a.z + b.z + c.z) / 3.0,
    ]
    .map(|v| v as f32)
}

struct Triangle {
    corners: [Coord3D<f64>; 3],
}

impl Triangle {
    fn new(corners: [[f32; 3]; 3]) -> Self {
        Self {
            corners: corners.map(|p| {
                let [x, y, z] = p.map(f64::from);
                Coord3D { x, y, z }
            }),
        }
    }

    fn normal(&self) -> [f64; 3] {
        let [a, b, c] = self.corners;
        let (u, v) = (
            [b.x - a.x, b.y - a.y, b.z - a.z],
            [c.x - a.x, c.y - a.y, c.z - a.z],
        );
        [
            u[1] * v[2] - u[2] * v[1],
            u[2] * v[0] - u[0] * v[2],
            u[0] * v[1] - u[1] * v[0],
        ]
    }

    fn is_flat(&self) -> bool {
        self.normal() == [0.0; 3]
    }

    /// On which side of this triangle's plane the corners of `other` lie: −1, 0 or 1, exactly.
    fn sides_of(&self, other: &Self, shared: [bool; 3]) -> [i8; 3] {
        std::array::from_fn(|n| {
            if shared[n] {
                0
            } else {
                self.side(other.corners[n])
            }
        })
    }

    fn side(&self, p: Coord3D<f64>) -> i8 {
        let [a, b, c] = self.corners;
        sign(orient3d(a, b, c, p))
    }

    /// The place where one of the chosen edges of `other` meets this triangle. Only the edge opposite
    /// a shared corner can; the others leave from it.
    fn pierced_by(&self, other: &Self, sides: [i8; 3], edges: [bool; 3]) -> Option<[f32; 3]> {
        (0..3).filter(|&e| edges[e]).find_map(|e| {
            let next = (e + 1) % 3;
            let crosses = sides[e] * sides[next] < 0 || ((sides[e] == 0) != (sides[next] == 0));
            let (p, q) = (other.corners[e], other.corners[next]);
            (crosses && self.holds_line(p, q)).then(|| self.place_on_plane(p, q))
        })
    }

    /// Whether the line p–q, which meets the plane, passes through the triangle or its rim.
    fn holds_line(&self, p: Coord3D<f64>, q: Coord3D<f64>) -> bool {
        let [a, b, c] = self.corners;
        let turns = [(a, b), (b, c), (c, a)].map(|(s, t)| sign(orient3d(p, q, s, t)));
        turns.iter().all(|&t| t >= 0) || turns.iter().all(|&t| t <= 0)
    }

    fn place_on_plane(&self, p: Coord3D<f64>, q: Coord3D<f64>) -> [f32; 3] {
        let [a, b, c] = self.corners;
        let (hp, hq) = (orient3d(a, b, c, p), orient3d(a, b, c, q));
        let t = if hp == hq { 0.5 } else { hp / (hp - hq) };
        [
            p.x + t * (q.x - p.x),
            p.y + t * (q.y - p.y),
            p.z + t * (q.z - p.z),
        ]
        .map(|v| v as f32)
    }

    /// Whether two triangles in one plane share area (shared corners and edges do not count):
    /// they do unless an edge of one of them separates them.
    fn overlaps_in_plane(&self, other: &Self) -> bool {
        let n = self.normal().map(f64::abs);
        let drop = if n[0] >= n[1] && n[0] >= n[2] {
            0
        } else {
            usize::from(n[1] >= n[2]) + 2 * usize::from(n[1] < n[2])
        };
        let flat = |t: &Self| {
            t.corners.map(|p| match drop {
                0 => robust::Coord { x: p.y, y: p.z },
                1 => robust::Coord { x: p.x, y: p.z },
                _ => robust::Coord { x: p.x, y: p.y },
            })
        };
        let (a, b) = (flat(self), flat(other));
        !separated(&a, &b) && !separated(&b, &a)
    }
}

/// Whether one edge of `a` has all of `b` on or beyond its outer side.
fn separated(a: &[robust::Coord<f64>; 3], b: &[robust::Coord<f64>; 3]) -> bool {
    let turn = sign(robust::orient2d(a[0], a[1], a[2]));
    (0..3).any(|e| {
        b.iter()
            .all(|&p| sign(robust::orient2d(a[e], a[(e + 1) % 3], p)) * turn <= 0)
    })
}

fn sign(value: f64) -> i8 {
    if value > 0.0 {
        1
    } else if value < 0.0 {
        -1
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Patient;

    type Mesh = TriMesh<Patient>;

    fn cube(min: f32, max: f32) -> Mesh {
        let v = |i: u32| [i & 1, i >> 1 & 1, i >> 2].map(|b| if b == 1 { max } else { min });
        let quads = [
            [0, 2, 3, 1],
            [4, 5, 7, 6],
            [0, 1, 5, 4],
            [2, 6, 7, 3],
            [0, 4, 6, 2],
            [1, 3, 7, 5],
        ];
        let triangles = quads
            .iter()
            .flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]])
            .collect();
        Mesh::new((0..8).map(v).collect(), triangles).unwrap()
    }

    fn joined(a: &Mesh, b: &Mesh) -> Mesh {
        let shift = a.vertices().len() as u32;
        let triangles = b.triangles().iter().map(|t| t.map(|v| v + shift));
        Mesh::new(
            [a.vertices(), b.vertices()].concat(),
            a.triangles().iter().copied().chain(triangles).collect(),
        )
        .unwrap()
    }

    /// A ring of `n` × `m` quads: genus 1.
    fn torus(n: u32, m: u32) -> Mesh {
        let vertex = |i: u32, j: u32| {
            let (u, v) = (f64::from(i) / f64::from(n), f64::from(j) / f64::from(m));
            let (u, v) = (u * std::f64::consts::TAU, v * std::f64::consts::TAU);
            let r = 10.0 + 3.0 * v.cos();
            [
                (r * u.cos()) as f32,
                (r * u.sin()) as f32,
                (3.0 * v.sin()) as f32,
            ]
        };
        let vertices = (0..n)
            .flat_map(|i| (0..m).map(move |j| vertex(i, j)))
            .collect();
        let at = |i: u32, j: u32| (i % n) * m + j % m;
        let triangles = (0..n)
            .flat_map(|i| (0..m).map(move |j| (i, j)))
            .flat_map(|(i, j)| {
                let (a, b, c, d) = (at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1));
                [[a, b, c], [a, c, d]]
            })
            .collect();
        Mesh::new(vertices, triangles).unwrap()
    }

    #[test]
    fn a_cube_is_sound() {
        let report = inspect(&cube(-1.0, 1.0));
        assert!(report.is_sound(), "{report}");
        assert_eq!(report.genus(), Some(0));
        assert!((report.components[0].signed_volume_mm3 - 8.0).abs() < 1e-12);
    }

    #[test]
    fn a_torus_has_one_handle() {
        let report = inspect(&torus(24, 12));
        assert!(report.is_sound(), "{report}");
        assert_eq!(report.genus(), Some(1));
    }

    #[test]
    fn a_missing_triangle_is_a_hole_with_a_place() {
        let whole = cube(0.0, 2.0);
        let open = Mesh::new(whole.vertices().to_vec(), whole.triangles()[1..].to_vec()).unwrap();
        let report = inspect(&open);
        assert_eq!(report.open_edges.count, 3);
        assert!(
            report.open_edges.places.iter().all(|p| p[2] == 0.0),
            "the hole is in the face z = 0"
        );
        assert!(!report.is_closed());
        assert_eq!(report.genus(), None);
    }

    #[test]
    fn a_flipped_triangle_twists_its_three_edges() {
        let mut triangles = cube(0.0, 2.0).triangles().to_vec();
        triangles[0].swap(1, 2);
        let report = inspect(&Mesh::new(cube(0.0, 2.0).vertices().to_vec(), triangles).unwrap());
        assert_eq!(report.twisted_edges.count, 3);
    }

    #[test]
    fn inside_out_is_closed_but_not_outward() {
        let mut mesh = cube(0.0, 2.0);
        mesh.flip();
        let report = inspect(&mesh);
        assert!(report.is_closed() && !report.is_outward());
    }

    #[test]
    fn a_cavity_faces_inward() {
        let mut inner = cube(-1.0, 1.0);
        assert!(!inspect(&joined(&cube(-3.0, 3.0), &inner)).is_outward());
        inner.flip();
        assert!(inspect(&joined(&cube(-3.0, 3.0), &inner)).is_sound());
    }

    #[test]
    fn crossing_cubes_are_found_at_their_crossing() {
        let report = inspect(&joined(&cube(0.0, 2.0), &cube(1.0, 3.0)));
        assert!(report.is_outward());
        assert!(report.self_crossings.count > 0);
        for place in &report.self_crossings.places {
            assert!(place.iter().all(|c| (1.0..=2.0).contains(c)), "{place:?}");
        }
    }

    #[test]
    fn a_doubled_face_is_crowded_and_crossing() {
        let mesh = cube(0.0, 1.0);
        let mut triangles = mesh.triangles().to_vec();
        triangles.push(triangles[0]);
        let report = inspect(&Mesh::new(mesh.vertices().to_vec(), triangles).unwrap());
        assert_eq!(report.crowded_edges.count, 3);
        assert_eq!(report.self_crossings.count, 1);
    }

    #[test]
    fn cubes_that_share_a_corner_pinch() {
        let mesh = joined(&cube(0.0, 1.0), &cube(1.0, 2.0)).welded().unwrap();
        assert_eq!(inspect(&mesh).pinched_vertices.places, vec![[1.0; 3]]);
    }

    #[test]
    fn cubes_that_share_a_face_lie_on_each_other() {
        let shifted = cube(0.0, 1.0);
        let moved = shifted
            .vertices()
            .iter()
            .map(|v| [v[0] + 1.0, v[1], v[2]])
            .collect();
        let beside = Mesh::new(moved, shifted.triangles().to_vec()).unwrap();
        assert!(inspect(&joined(&shifted, &beside)).self_crossings.count >= 2);
    }
}
