//! The lattice on which a body's displacements are worked out, and what lies at its nodes.

use geometry::scene::{Crossings, Ray, Scene, SurfaceId};
use geometry::{Point, Vector, frame};
use nalgebra::Vector3;
use rayon::prelude::*;

/// Distance of nodes, mm: two or three across the abdominal wall.
const SPACING_MM: f64 = 6.0;

/// A regular lattice over a resting body, patient frame; x runs fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The first node, mm.
    pub origin_mm: [f64; 3],
    /// Distance of nodes, mm.
    pub spacing_mm: f64,
    /// Nodes along x, y, z.
    pub nodes: [usize; 3],
}

impl Grid {
    /// Over a box, one node beyond it on each side.
    pub(super) fn over(low: [f32; 3], high: [f32; 3]) -> Self {
        let spacing_mm = SPACING_MM;
        let first = |axis: usize| libm::floor(f64::from(low[axis]) / spacing_mm) - 1.0;
        let last = |axis: usize| libm::ceil(f64::from(high[axis]) / spacing_mm) + 1.0;
        Self {
            origin_mm: [0, 1, 2].map(|axis| first(axis) * spacing_mm),
            spacing_mm,
            nodes: [0, 1, 2].map(|axis| (last(axis) - first(axis)) as usize + 1),
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.iter().product()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Steps in the list from a node to the next along each axis.
    pub(super) fn strides(&self) -> [usize; 3] {
        [1, self.nodes[0], self.nodes[0] * self.nodes[1]]
    }

    /// Place of a node along each axis.
    pub(super) fn index(&self, node: usize) -> [usize; 3] {
        let [x, y, _] = self.nodes;
        [node % x, node / x % y, node / (x * y)]
    }

    /// Where a node is, mm.
    pub(super) fn place(&self, node: usize) -> Vector3<f64> {
        let index = self.index(node);
        Vector3::from_fn(|axis, _| self.origin_mm[axis] + index[axis] as f64 * self.spacing_mm)
    }

    /// The eight nodes round a place and their shares: between them is interpolated evenly along
    /// each axis; outside, the border's values hold.
    pub(super) fn around(&self, place: [f32; 3]) -> [(usize, f64); 8] {
        let mut low = [0; 3];
        let mut fraction = [0.0; 3];
        for axis in 0..3 {
            let last = (self.nodes[axis] - 1) as f64;
            let at = (f64::from(place[axis]) - self.origin_mm[axis]) / self.spacing_mm;
            let at = at.clamp(0.0, last);
            low[axis] = (at as usize).min(self.nodes[axis].saturating_sub(2));
            fraction[axis] = at - low[axis] as f64;
        }
        let strides = self.strides();
        std::array::from_fn(|corner| {
            let mut node = 0;
            let mut share = 1.0;
            for axis in 0..3 {
                let high = corner >> axis & 1;
                let f = fraction[axis];
                share *= if high == 1 { f } else { 1.0 - f };
                node += (low[axis] + high).min(self.nodes[axis] - 1) * strides[axis];
            }
            (node, share)
        })
    }

    /// A field's value at a place.
    pub(super) fn sample(&self, field: &[[f32; 3]], place: [f32; 3]) -> Vector3<f64> {
        let corners = self.around(place);
        corners
            .iter()
            .fold(Vector3::zeros(), |sum, &(node, share)| {
                sum + Vector3::from(field[node].map(f64::from)) * share
            })
    }

    /// The structures that enclose each node, by node, asked along lines towards the head.
    pub(super) fn inside<T: Copy + Send + Default>(
        &self,
        scene: &Scene<frame::Patient>,
        of: impl Fn(&[SurfaceId]) -> T + Sync,
    ) -> Vec<T> {
        let columns = self.nodes[0] * self.nodes[1];
        let mut nodes = vec![T::default(); self.len()];
        let by_column: Vec<Vec<T>> = (0..columns)
            .into_par_iter()
            .map_init(Crossings::new, |crossings, column| {
                self.column(scene, column, crossings, &of)
            })
            .collect();
        for (column, values) in by_column.into_iter().enumerate() {
            for (level, value) in values.into_iter().enumerate() {
                nodes[level * columns + column] = value;
            }
        }
        nodes
    }

    fn column<T: Copy>(
        &self,
        scene: &Scene<frame::Patient>,
        column: usize,
        crossings: &mut Crossings<frame::Patient>,
        of: &impl Fn(&[SurfaceId]) -> T,
    ) -> Vec<T> {
        /// A hair aside, so that rays do not run along faces that lie on round millimetres.
        const ASIDE_MM: f64 = 0.013;
        let place = self.place(column);
        let start = Point::new(
            place.x + ASIDE_MM,
            place.y + ASIDE_MM,
            place.z - self.spacing_mm,
        );
        let up = Vector::<frame::Patient>::new(0.0, 0.0, 1.0);
        if let Ok(ray) = Ray::new(start, up) {
            scene.cast(&ray, crossings);
        }
        let mut winding: Vec<(SurfaceId, i32)> = Vec::new();
        let mut next = crossings.of_ray(0).iter().peekable();
        (0..self.nodes[2])
            .map(|level| {
                let t_mm = (level + 1) as f64 * self.spacing_mm;
                while let Some(crossing) = next.next_if(|crossing| crossing.t_mm <= t_mm) {
                    let turn = if crossing.entering { 1 } else { -1 };
                    match winding.iter_mut().find(|(id, _)| *id == crossing.surface) {
                        Some((_, turns)) => *turns += turn,
                        None => winding.push((crossing.surface, turn)),
                    }
                }
                let open: Vec<SurfaceId> = winding
                    .iter()
                    .filter(|(_, turns)| *turns > 0)
                    .map(|(id, _)| *id)
                    .collect();
                of(&open)
            })
            .collect()
    }
}
