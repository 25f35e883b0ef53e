//! Sliding a label surface's vertices along their grid edges until its curvature varies slowly.
//!
//! Each vertex i has one unknown, its shift u along the normal (it moves along its edge; the shift
//! is the normal component). With n the vertex normal and W the mean over neighbouring vertices,
//!
//!   c = n · (W − 1) x        measures mean curvature (0 on any plane, whatever the spacing),
//!   E = ½ Σ (c − c̄)²         with c̄ = c averaged over a wider neighbourhood,
//!
//! is minimised over |fraction − ½| ≤ ½ − margin. Stairs are changes of curvature over a few
//! voxels and are flattened; a constant curvature (a sphere, a rod one voxel thick) is its own mean
//! and feels no force, so thin parts do not shrink as they do under Laplacian smoothing. The box
//! keeps every voxel centre on its side (Whitaker 2000, "Reducing aliasing artifacts in
//! iso-surfaces of binary volumes"; Lempitsky 2010 for the second-order energy). The quadratic
//! problem is solved by projected gradient descent with Nesterov's momentum; normals and c̄ are
//! renewed between rounds.

use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use crate::polygonise::{EDGE_MARGIN, GridSurface};

const DESCENT_STEPS: usize = 60;
/// The Hessian (W − 1)ᵀ(W − 1) has eigenvalues up to about 4.
const STEP_SIZE: f64 = 0.22;
/// Averaging steps behind c̄: a reach of about √steps vertices.
const MEAN_CURVATURE_STEPS: usize = 24;
/// Weight of u² against c²: holds flat parts that feel no curvature where the voxels had them.
const ANCHOR: f64 = 2e-3;
const NORMAL_SMOOTHING_STEPS: usize = 2;
/// Edges more nearly tangential than this share move less than the shift asks for.
const MIN_COSINE: f64 = 0.15;
const BISECTIONS: usize = 30;

/// Fractions along the grid edges for a smooth surface of the given volume.
pub(super) fn relaxed_fractions(
    surface: &GridSurface,
    patient_from_voxel: &Matrix3<f64>,
    volume_mm3: f64,
    rounds: usize,
) -> Vec<f64> {
    let mut sheet = Sheet::new(surface, patient_from_voxel);
    if rounds == 0 {
        return sheet.fractions;
    }
    for _ in 0..rounds {
        sheet.relax();
    }
    sheet.shift_to_volume(volume_mm3);
    sheet.fractions
}

/// The surface in millimetres about its own first corner.
struct Sheet<'a> {
    surface: &'a GridSurface,
    neighbours: Neighbours,
    /// The edge's lower end and its full length as a vector.
    starts: Vec<Vector3<f64>>,
    axes: [Vector3<f64>; 3],
    /// Whether the patient axes flip the grid's handedness: −1, else 1.
    handedness: f64,
    fractions: Vec<f64>,
    normals: Vec<Vector3<f64>>,
}

impl<'a> Sheet<'a> {
    fn new(surface: &'a GridSurface, patient_from_voxel: &Matrix3<f64>) -> Self {
        let origin = surface.edges.first().map_or([0; 3], |edge| edge.base);
        let start = |base: [i32; 3]| {
            let ijk = Vector3::from_fn(|a, _| f64::from(base[a] - origin[a]));
            patient_from_voxel * ijk
        };
        Self {
            surface,
            neighbours: Neighbours::new(surface.edges.len(), &surface.triangles),
            starts: surface.edges.iter().map(|e| start(e.base)).collect(),
            axes: std::array::from_fn(|a| patient_from_voxel.column(a).into_owned()),
            handedness: patient_from_voxel.determinant().signum(),
            fractions: vec![0.5; surface.edges.len()],
            normals: vec![Vector3::zeros(); surface.edges.len()],
        }
    }

    fn axis(&self, vertex: usize) -> Vector3<f64> {
        self.axes[usize::from(self.surface.edges[vertex].axis)]
    }

    fn places(&self) -> Vec<Vector3<f64>> {
        (0..self.starts.len())
            .into_par_iter()
            .map(|v| self.starts[v] + self.axis(v) * self.fractions[v])
            .collect()
    }

    /// One round: normals and mean curvature from the surface as it lies, then descent.
    fn relax(&mut self) {
        let places = self.places();
        self.normals = self.vertex_normals(&places);
        let curvature: Vec<f64> = (0..places.len())
            .into_par_iter()
            .map(|v| self.normals[v].dot(&(self.neighbours.mean_place(v, &places) - places[v])))
            .collect();
        let mut wide = curvature.clone();
        for _ in 0..MEAN_CURVATURE_STEPS {
            wide = self.neighbours.blurred(&wide);
        }
        let excess: Vec<f64> = curvature.iter().zip(&wide).map(|(c, w)| c - w).collect();
        let shifts = self.descend(&excess);
        self.fractions = self.shifted(|v| shifts[v]);
    }

    /// Shifts u within their bounds that make |excess + (W − 1) u|² small.
    fn descend(&self, excess: &[f64]) -> Vec<f64> {
        let bounds: Vec<[f64; 2]> = (0..excess.len()).map(|v| self.shift_bounds(v)).collect();
        let mut shifts = vec![0.0; excess.len()];
        let mut ahead = shifts.clone();
        let so_far: Vec<f64> = (0..excess.len())
            .map(|v| (self.fractions[v] - 0.5) / self.fraction_per_mm(v))
            .collect();
        for step in 0..DESCENT_STEPS {
            let residual: Vec<f64> = (0..excess.len())
                .into_par_iter()
                .map(|v| excess[v] + self.neighbours.mean(v, &ahead) - ahead[v])
                .collect();
            let next: Vec<f64> = (0..excess.len())
                .into_par_iter()
                .map(|v| {
                    let gradient = self.neighbours.transposed_mean(v, &residual) - residual[v]
                        + ANCHOR * (so_far[v] + ahead[v]);
                    (ahead[v] - STEP_SIZE * gradient).clamp(bounds[v][0], bounds[v][1])
                })
                .collect();
            let momentum = step as f64 / (step as f64 + 3.0);
            for v in 0..next.len() {
                ahead[v] = next[v] + momentum * (next[v] - shifts[v]);
            }
            shifts = next;
        }
        shifts
    }

    /// Fraction gained per millimetre of normal shift.
    fn fraction_per_mm(&self, vertex: usize) -> f64 {
        let axis = self.axis(vertex);
        let outward = if self.surface.edges[vertex].inside_at_base {
            1.0
        } else {
            -1.0
        };
        let cosine = (outward * self.normals[vertex].dot(&axis) / axis.norm()).max(MIN_COSINE);
        outward / (cosine * axis.norm())
    }

    fn shift_bounds(&self, vertex: usize) -> [f64; 2] {
        let scale = self.fraction_per_mm(vertex);
        let ends = [EDGE_MARGIN, 1.0 - EDGE_MARGIN]
            .map(|fraction| (fraction - self.fractions[vertex]) / scale);
        [ends[0].min(ends[1]), ends[0].max(ends[1])]
    }

    fn shifted(&self, shift_mm: impl Fn(usize) -> f64 + Sync) -> Vec<f64> {
        (0..self.fractions.len())
            .into_par_iter()
            .map(|v| {
                let fraction = self.fractions[v] + shift_mm(v) * self.fraction_per_mm(v);
                fraction.clamp(EDGE_MARGIN, 1.0 - EDGE_MARGIN)
            })
            .collect()
    }

    /// Shifts all vertices by one common amount so that the volume is as asked for, as nearly as
    /// the edges' ends allow.
    fn shift_to_volume(&mut self, volume_mm3: f64) {
        self.normals = self.vertex_normals(&self.places());
        let reach = self.axes.iter().map(Vector3::norm).fold(0.0, f64::max);
        let (mut low, mut high) = (-reach, reach);
        let kept = self.fractions.clone();
        for _ in 0..BISECTIONS {
            let shift = 0.5 * (low + high);
            self.fractions.clone_from(&kept);
            self.fractions = self.shifted(|_| shift);
            if self.volume_mm3() < volume_mm3 {
                low = shift;
            } else {
                high = shift;
            }
        }
    }

    fn volume_mm3(&self) -> f64 {
        let places = self.places();
        let sum: f64 = self
            .surface
            .triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|v| places[v as usize]);
                a.dot(&b.cross(&c))
            })
            .sum();
        sum / 6.0 * self.handedness
    }

    fn vertex_normals(&self, places: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
        let mut sums = vec![Vector3::zeros(); places.len()];
        for triangle in &self.surface.triangles {
            let [a, b, c] = triangle.map(|v| places[v as usize]);
            let twice_area = (b - a).cross(&(c - a)) * self.handedness;
            for &v in triangle {
                sums[v as usize] += twice_area;
            }
        }
        for _ in 0..NORMAL_SMOOTHING_STEPS {
            sums = (0..sums.len())
                .into_par_iter()
                .map(|v| (sums[v] + self.neighbours.mean_place(v, &sums)) * 0.5)
                .collect();
        }
        sums.iter()
            .map(|sum| sum.try_normalize(0.0).unwrap_or_else(Vector3::zeros))
            .collect()
    }
}

/// The vertices that share a triangle edge with each vertex.
struct Neighbours {
    starts: Vec<u32>,
    list: Vec<u32>,
    /// 1 / number of neighbours.
    weight: Vec<f64>,
}

impl Neighbours {
    /// On a closed surface each directed edge appears once, so each neighbour is listed once.
    fn new(vertices: usize, triangles: &[[u32; 3]]) -> Self {
        let mut starts = vec![0_u32; vertices + 1];
        for &v in triangles.iter().flatten() {
            starts[v as usize + 1] += 1;
        }
        for v in 0..vertices {
            starts[v + 1] += starts[v];
        }
        let mut list = vec![0; triangles.len() * 3];
        let mut next = starts.clone();
        for &[a, b, c] in triangles {
            for [from, to] in [[a, b], [b, c], [c, a]] {
                list[next[from as usize] as usize] = to;
                next[from as usize] += 1;
            }
        }
        let weight = starts
            .windows(2)
            .map(|w| 1.0 / f64::from(w[1] - w[0]).max(1.0))
            .collect();
        Self {
            starts,
            list,
            weight,
        }
    }

    fn of(&self, vertex: usize) -> impl Iterator<Item = usize> {
        let range = self.starts[vertex] as usize..self.starts[vertex + 1] as usize;
        self.list[range].iter().map(|&v| v as usize)
    }

    fn mean(&self, vertex: usize, values: &[f64]) -> f64 {
        self.of(vertex).map(|v| values[v]).sum::<f64>() * self.weight[vertex]
    }

    /// Row `vertex` of Wᵀ times `values`.
    fn transposed_mean(&self, vertex: usize, values: &[f64]) -> f64 {
        self.of(vertex).map(|v| values[v] * self.weight[v]).sum()
    }

    fn mean_place(&self, vertex: usize, places: &[Vector3<f64>]) -> Vector3<f64> {
        self.of(vertex)
            .fold(Vector3::zeros(), |sum, v| sum + places[v])
            * self.weight[vertex]
    }

    fn blurred(&self, values: &[f64]) -> Vec<f64> {
        (0..values.len())
            .into_par_iter()
            .map(|v| 0.5 * (values[v] + self.mean(v, values)))
            .collect()
    }
}
