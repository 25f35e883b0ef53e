//! How surfaces lie as a beam sees them.
//!
//! A beam is as wide as the cone from the probe's face down to what it shows. A surface steers it by the
//! surface's mean slope over that width, and what is rougher than that spoils the focus but turns
//! nothing: the echo's delays over the face have one best plane, whose tilt is the turn. The triangles of
//! a surface are finer than a beam; each for itself would send every path its own way.

use equipment::{Console, Probe, Transmit};
use geometry::TriMesh;
use geometry::frame::Patient as PatientFrame;
use geometry::scene::Crossing;
use geometry::{Point, Vector};
use rayon::prelude::*;

/// The cone in which a setting's sound comes together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cone {
    /// Width half-way to the focus, mm: over it beams see surfaces.
    pub front_mm: f64,
    /// Angle between its axis and its edge.
    pub half_rad: f64,
}

impl Cone {
    /// Of the receive aperture.
    pub fn new(probe: &Probe, console: &Console) -> Self {
        /// Where nothing limits the aperture.
        const USUAL_F_NUMBER: f64 = 2.0;
        let focus_mm = match &console.transmit {
            Transmit::Focused { foci_mm, .. } => foci_mm.iter().copied().reduce(f64::max),
            Transmit::PlaneWaves { .. } | Transmit::DivergingWaves { .. } => None,
        };
        let focus_mm = focus_mm.unwrap_or(console.depth_mm / 2.0);
        let f_number = console.receive_f_number.unwrap_or(USUAL_F_NUMBER);
        let front_mm = (focus_mm / f_number).min(probe.aperture_mm()) / 2.0;
        Self {
            front_mm,
            half_rad: libm::atan(front_mm / focus_mm),
        }
    }
}

/// Standard deviations of the weights with which normals are averaged, mm.
const SIGMAS_MM: [f64; 4] = [0.7, 1.5, 3.0, 4.5];

/// Averaged at most so often: what is meshed finely, as small vessels are, is averaged over less.
const MOST_ROUNDS: usize = 16;

/// Which of the averages serves beams so wide: one over an even width w has the deviation w/√12.
pub(crate) fn level_of(front_mm: f64) -> usize {
    let sigma_mm = front_mm / 12f64.sqrt();
    let off = |level: &usize| libm::fabs(libm::log(SIGMAS_MM[*level] / sigma_mm.max(1e-3)));
    let levels = 0..SIGMAS_MM.len();
    levels.min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(0)
}

/// The slopes of all surfaces. Long-lived; moved with the surfaces.
#[derive(Clone, Debug)]
pub(crate) struct Slopes {
    surfaces: Vec<SurfaceSlopes>,
}

#[derive(Clone, Debug)]
struct SurfaceSlopes {
    triangles: Vec<[u32; 3]>,
    /// By vertex, where its neighbours begin in `neighbours`, and at the end all of them.
    first: Vec<u32>,
    neighbours: Vec<u32>,
    /// By level: how often the normals are averaged in all.
    rounds: [usize; SIGMAS_MM.len()],
    /// By level and vertex: the mean normal, shorter than 1 where the surface bends within the width.
    means: [Vec<[f32; 3]>; SIGMAS_MM.len()],
}

impl Slopes {
    /// Of the surfaces, in their order.
    pub fn new<'a>(surfaces: impl Iterator<Item = &'a TriMesh<PatientFrame>>) -> Self {
        let meshes: Vec<_> = surfaces.collect();
        let of = |mesh: &&TriMesh<PatientFrame>| SurfaceSlopes::new(mesh);
        Self {
            surfaces: meshes.par_iter().map(of).collect(),
        }
    }

    /// The surfaces have moved: `vertices[i]` are those of surface i.
    pub fn follow(&mut self, vertices: &[Vec<[f32; 3]>]) {
        let surfaces = self.surfaces.par_iter_mut().zip(vertices);
        surfaces.for_each(|(surface, vertices)| surface.average(vertices));
    }

    /// The mean normal of a level at a crossing, outward; its length, up to 1, says how even the surface
    /// is there. Triangles wider than the mean lie as they lie.
    pub fn at(&self, crossing: &Crossing, level: usize) -> Vector<PatientFrame> {
        let surface = &self.surfaces[usize::from(crossing.surface.0)];
        if surface.rounds[level] == 0 {
            return crossing.normal_in();
        }
        let corners = surface.triangles[crossing.triangle as usize];
        let weighted = corners.iter().zip(crossing.weights());
        let sum = weighted.fold([0.0f64; 3], |[x, y, z], (&corner, weight)| {
            let [a, b, c] = surface.means[level][corner as usize].map(f64::from);
            [x + a * weight, y + b * weight, z + c * weight]
        });
        Vector::new(sum[0], sum[1], sum[2])
    }
}

impl SurfaceSlopes {
    fn new(mesh: &TriMesh<PatientFrame>) -> Self {
        let (first, neighbours) = rings(mesh.triangles(), mesh.vertices().len());
        let mut made = Self {
            triangles: mesh.triangles().to_vec(),
            first,
            neighbours,
            rounds: rounds(mesh),
            means: Default::default(),
        };
        made.average(mesh.vertices());
        made
    }

    fn average(&mut self, vertices: &[[f32; 3]]) {
        let mut mean = vertex_normals(vertices, &self.triangles);
        let mut next = mean.clone();
        let mut done = 0;
        for (rounds, out) in self.rounds.into_iter().zip(&mut self.means) {
            for _ in done..rounds {
                average_once(&mean, (&self.first, &self.neighbours), &mut next);
                std::mem::swap(&mut mean, &mut next);
            }
            done = done.max(rounds);
            out.clone_from(&mean);
        }
    }
}

/// The mean of each vertex and its neighbours.
fn average_once(mean: &[[f32; 3]], (first, neighbours): (&[u32], &[u32]), next: &mut [[f32; 3]]) {
    for (vertex, out) in next.iter_mut().enumerate() {
        let ring = &neighbours[first[vertex] as usize..first[vertex + 1] as usize];
        let mut sum = mean[vertex];
        for &neighbour in ring {
            let [x, y, z] = mean[neighbour as usize];
            sum = [sum[0] + x, sum[1] + y, sum[2] + z];
        }
        let share = 1.0 / (1 + ring.len()) as f32;
        *out = sum.map(|v| v * share);
    }
}

/// By level: how often to average with the neighbours. Each time adds 3/7 of the square of their distance
/// to the variance if there are six of them all round; counted as a half.
fn rounds(mesh: &TriMesh<PatientFrame>) -> [usize; SIGMAS_MM.len()] {
    let count = mesh.triangles().len().max(1) as f64;
    // Of an equilateral triangle of this area.
    let edge_sq = mesh.area_mm2() / count * 4.0 / 3f64.sqrt();
    SIGMAS_MM.map(|sigma_mm| {
        let needed = 2.0 * sigma_mm * sigma_mm / edge_sq.max(1e-6);
        (libm::round(needed) as usize).min(MOST_ROUNDS)
    })
}

/// By vertex: the unit normal, triangles weighted by their areas.
fn vertex_normals(vertices: &[[f32; 3]], triangles: &[[u32; 3]]) -> Vec<[f32; 3]> {
    let mut sums = vec![[0.0f32; 3]; vertices.len()];
    for corners in triangles {
        let [a, b, c] =
            corners.map(|corner| Point::<PatientFrame>::from_f32(vertices[corner as usize]));
        let normal = (b - a).cross(&(c - a)).to_f32();
        for &corner in corners {
            let sum = &mut sums[corner as usize];
            *sum = [sum[0] + normal[0], sum[1] + normal[1], sum[2] + normal[2]];
        }
    }
    for sum in &mut sums {
        let length = (sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]).sqrt();
        *sum = sum.map(|v| v / length.max(f32::MIN_POSITIVE));
    }
    sums
}

/// The vertices round each vertex, see [`SurfaceSlopes`].
fn rings(triangles: &[[u32; 3]], vertices: usize) -> (Vec<u32>, Vec<u32>) {
    // In a closed surface that faces outward each edge runs once each way.
    let edges = || {
        triangles
            .iter()
            .flat_map(|&[a, b, c]| [(a, b), (b, c), (c, a)])
    };
    let mut first = vec![0u32; vertices + 1];
    for (from, _) in edges() {
        first[from as usize + 1] += 1;
    }
    for vertex in 0..vertices {
        first[vertex + 1] += first[vertex];
    }
    let mut next = first.clone();
    let mut neighbours = vec![0; 3 * triangles.len()];
    for (from, to) in edges() {
        neighbours[next[from as usize] as usize] = to;
        next[from as usize] += 1;
    }
    (first, neighbours)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An octahedron whose triangles are cut in four so many times, its corners on a sphere.
    fn sphere(radius_mm: f32, cuts: u32) -> TriMesh<PatientFrame> {
        let mut triangles: Vec<[[f32; 3]; 3]> = Vec::new();
        for (x, y, z) in (0..8).map(|n| (n & 1, n >> 1 & 1, n >> 2)) {
            let [x, y, z] = [x, y, z].map(|bit| if bit == 1 { 1.0f32 } else { -1.0 });
            let (a, b, c) = ([x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, z]);
            let faces_outward = x * y * z > 0.0;
            triangles.push(if faces_outward { [a, b, c] } else { [a, c, b] });
        }
        let middle = |a: [f32; 3], b: [f32; 3]| {
            let sum: [f32; 3] = std::array::from_fn(|axis| a[axis] + b[axis]);
            let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
            sum.map(|v| v / length)
        };
        for _ in 0..cuts {
            let cut = |[a, b, c]: [[f32; 3]; 3]| {
                let (ab, bc, ca) = (middle(a, b), middle(b, c), middle(c, a));
                [[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]]
            };
            triangles = triangles.into_iter().flat_map(cut).collect();
        }
        let corners = triangles.into_iter().flatten();
        let vertices: Vec<[f32; 3]> = corners.map(|c| c.map(|v| v * radius_mm)).collect();
        let faces = (0..vertices.len() as u32 / 3).map(|n| [3 * n, 3 * n + 1, 3 * n + 2]);
        let mesh = TriMesh::new(vertices, faces.collect()).unwrap();
        mesh.welded().unwrap()
    }

    /// Heat on a sphere: of x, y, z so much is left, exp(−σ²/R²), after spreading by σ along it.
    #[test]
    fn normals_of_a_sphere_shorten_as_heat_spreads_on_it() {
        let radius_mm = 10.0;
        // Triangles of some 2 mm: fewer rounds than the most.
        let slopes = SurfaceSlopes::new(&sphere(radius_mm, 3));
        for (level, sigma_mm) in SIGMAS_MM.into_iter().enumerate().skip(1) {
            let expected = (-(sigma_mm / f64::from(radius_mm)).powi(2)).exp();
            let lengths = slopes.means[level].iter().map(|mean| {
                let square = |v: &f32| f64::from(*v) * f64::from(*v);
                mean.iter().map(square).sum::<f64>().sqrt()
            });
            let mean = lengths.sum::<f64>() / slopes.means[level].len() as f64;
            assert!(
                (mean - expected).abs() < 0.04,
                "{sigma_mm}: {mean} {expected}"
            );
        }
    }
}
