//! Distance fields of surfaces on local grids, and surfaces of fields.
//!
//! A [`Field`] holds the distance to a surface, mm, negative inside, at the points of a box along
//! the patient's axes. Fields of one grid are combined by `min` (both), `max` (what they have in
//! common) and sums (growing, shrinking); [`Field::surface`] makes a closed surface free of
//! self-crossings.
//!
//! Inside and outside are told by counting crossings along each row of the grid. Near the surface
//! the distance is that to the triangles; farther off the closest place is handed from neighbour to
//! neighbour, which errs by about a tenth of the spacing. Every point depends on
//! its own data only, so that results do not depend on the number of threads.

use geometry::closest::closest_on_triangle;
use geometry::polygonise::{PolygoniseError, polygonise};
use geometry::{Aabb, Affine, Point, TriMesh, Volume, frame};
use nalgebra::{Matrix3, Vector3};
use rayon::prelude::*;

use super::hand_on;

/// Grids start off the round numbers on which voxels' surfaces have their vertices, so that no row
/// runs exactly through one.
const OFF_ROUND: f64 = 0.013_7;

/// Points nearer to a triangle than this, in spacings, ask it for its distance.
const BAND: f64 = 1.8;

/// A box of points along the patient's axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// The first point, mm.
    pub origin_mm: [f64; 3],
    /// Distance between neighbours, mm.
    pub spacing_mm: f64,
    /// Points along x, y, z.
    pub dims: [usize; 3],
}

impl Grid {
    /// The grid round a box and a margin. All grids of one spacing are parts of one lattice.
    pub fn around(bounds: &Aabb, margin_mm: f64, spacing_mm: f64) -> Self {
        let index = |mm: f64| (mm / spacing_mm).floor();
        let first = bounds.min.map(|mm| index(f64::from(mm) - margin_mm));
        let last = bounds.max.map(|mm| index(f64::from(mm) + margin_mm) + 1.0);
        Self {
            origin_mm: first.map(|n| (n - OFF_ROUND) * spacing_mm),
            spacing_mm,
            dims: std::array::from_fn(|a| (last[a] - first[a]) as usize + 1),
        }
    }

    /// Number of points.
    pub fn count(&self) -> usize {
        self.dims.iter().product()
    }

    /// Where the point with this number lies; x runs fastest.
    pub fn place(&self, n: usize) -> Vector3<f64> {
        let [ni, nj, _] = self.dims;
        self.at([n % ni, n / ni % nj, n / (ni * nj)])
    }

    /// The box that it spans.
    pub fn bounds(&self) -> Aabb {
        let last = self.at(self.dims.map(|n| n.saturating_sub(1)));
        Aabb {
            min: self.origin_mm.map(|v| v as f32),
            max: [last.x, last.y, last.z].map(|v| v as f32),
        }
    }

    pub(super) fn at(&self, ijk: [usize; 3]) -> Vector3<f64> {
        Vector3::from_fn(|a, _| self.origin_mm[a] + self.spacing_mm * ijk[a] as f64)
    }

    /// A coordinate in spacings from the first point.
    fn index_of(&self, axis: usize, mm: f64) -> f64 {
        (mm - self.origin_mm[axis]) / self.spacing_mm
    }

    /// The points along an axis between two coordinates, as a range within the grid.
    fn span(&self, axis: usize, from_mm: f64, to_mm: f64) -> std::ops::Range<usize> {
        let first = self.index_of(axis, from_mm).ceil().max(0.0) as usize;
        let last = self.index_of(axis, to_mm).floor();
        let end = if last < 0.0 {
            0
        } else {
            (last as usize + 1).min(self.dims[axis])
        };
        first.min(end)..end
    }
}

/// A box of points out of a grid. Indices count from its first point.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub grid: Grid,
    first: [usize; 3],
    dims: [usize; 3],
}

impl Part {
    fn whole(grid: Grid) -> Self {
        Self {
            grid,
            first: [0; 3],
            dims: grid.dims,
        }
    }

    /// The smallest box that holds all points that are wanted, by their numbers.
    pub fn holding(grid: Grid, is_wanted: impl Fn(usize) -> bool + Sync) -> Self {
        let [ni, nj, nk] = grid.dims;
        let of_row = |row: usize| {
            let mut columns = (0..ni).filter(|i| is_wanted(i + ni * row));
            let first = columns.next()?;
            let last = columns.last().unwrap_or(first);
            let [j, k] = [row % nj, row / nj];
            Some([[first, j, k], [last, j, k]])
        };
        let both = |a: [[usize; 3]; 2], b: [[usize; 3]; 2]| {
            [
                std::array::from_fn(|axis| a[0][axis].min(b[0][axis])),
                std::array::from_fn(|axis| a[1][axis].max(b[1][axis])),
            ]
        };
        let corners = (0..nj * nk)
            .into_par_iter()
            .filter_map(of_row)
            .reduce_with(both);
        let [first, last] = corners.unwrap_or([[1; 3], [0; 3]]);
        Self {
            grid,
            first,
            dims: std::array::from_fn(|a| last[a] + 1 - first[a]),
        }
    }

    /// Its points within a band round a box.
    fn near(&self, bounds: &Aabb, band_mm: f64) -> Self {
        let spans: [_; 3] = std::array::from_fn(|a| {
            let [min, max] = [bounds.min[a], bounds.max[a]].map(f64::from);
            self.span(a, min - band_mm, max + band_mm)
        });
        Self {
            grid: self.grid,
            first: std::array::from_fn(|a| self.first[a] + spans[a].start),
            dims: spans.map(|span| span.len()),
        }
    }

    fn at(&self, ijk: [usize; 3]) -> Vector3<f64> {
        self.grid
            .at(std::array::from_fn(|a| self.first[a] + ijk[a]))
    }

    fn span(&self, axis: usize, from_mm: f64, to_mm: f64) -> std::ops::Range<usize> {
        let span = self.grid.span(axis, from_mm, to_mm);
        let within = |n: usize| n.clamp(self.first[axis], self.first[axis] + self.dims[axis]);
        within(span.start) - self.first[axis]..within(span.end) - self.first[axis]
    }
}

/// Distances at the points of a grid, mm, negative inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where the values are.
    pub grid: Grid,
    /// One for each point, x fastest.
    pub values: Vec<f32>,
}

impl Field {
    /// A field by its formula.
    pub fn of(grid: Grid, formula: impl Fn(Vector3<f64>) -> f64 + Sync + Send) -> Self {
        let values = (0..grid.count())
            .into_par_iter()
            .map(|n| formula(grid.place(n)) as f32)
            .collect();
        Self { grid, values }
    }

    /// A field made from others' values at the same point: `formula(number of the point)`.
    pub fn of_points(grid: Grid, formula: impl Fn(usize) -> f32 + Sync + Send) -> Self {
        let values = (0..grid.count()).into_par_iter().map(formula).collect();
        Self { grid, values }
    }

    /// Nothing inside.
    pub fn nowhere(grid: Grid) -> Self {
        Self {
            grid,
            values: vec![1e3; grid.count()],
        }
    }

    /// Both solids.
    pub fn or(&self, other: &Self) -> Self {
        Self::of_points(self.grid, |n| self.values[n].min(other.values[n]))
    }

    /// Both solids, where the other's grid is a part of the same lattice; beyond it this one alone.
    pub fn add_part(&mut self, part: &Self) {
        let spacing = self.grid.spacing_mm;
        let offset: [isize; 3] = std::array::from_fn(|a| {
            ((part.grid.origin_mm[a] - self.grid.origin_mm[a]) / spacing).round() as isize
        });
        let [ni, nj, _] = self.grid.dims;
        for (n, value) in part.values.iter().enumerate() {
            let [pi, pj, _] = part.grid.dims;
            let at = [n % pi, n / pi % pj, n / (pi * pj)];
            let place: [isize; 3] = std::array::from_fn(|a| at[a] as isize + offset[a]);
            let inside = (0..3).all(|a| (0..self.grid.dims[a] as isize).contains(&place[a]));
            if inside {
                let [i, j, k] = place.map(|v| v as usize);
                let own = &mut self.values[i + ni * (j + nj * k)];
                *own = own.min(*value);
            }
        }
    }

    /// The signed distance of a closed surface.
    pub fn of_mesh(mesh: &TriMesh<frame::Patient>, grid: Grid) -> Self {
        let mut field = Self {
            grid,
            values: distances(mesh, grid),
        };
        let part = Part::whole(grid).near(&mesh.bounds(), 0.0);
        let slices = by_slice(mesh, &part, Reach::Row);
        let [ni, nj, _] = grid.dims;
        field
            .values
            .par_chunks_mut(ni * nj)
            .skip(part.first[2])
            .zip(&slices)
            .enumerate()
            .for_each(|(k, (slice, triangles))| {
                let rows = slice.chunks_exact_mut(ni).skip(part.first[1]);
                for (row, within) in rows.zip(insides(mesh, triangles, &part, k)) {
                    for span in within {
                        row[part.first[0]..][span].iter_mut().for_each(|v| *v = -*v);
                    }
                }
            });
        field
    }

    /// The signed distance of a closed surface near it, and ±`band_mm` beyond: all that growing,
    /// cutting and smoothing by less than that needs, and much cheaper.
    pub fn near_mesh(mesh: &TriMesh<frame::Patient>, grid: Grid, band_mm: f64) -> Self {
        Self::near_meshes(&[mesh], Part::whole(grid), band_mm)
    }

    /// [`Field::near_mesh`] of several solids at once: their union. Outside the part of the grid
    /// nothing is looked at, and all values are `band_mm`.
    pub(super) fn near_meshes(
        meshes: &[&TriMesh<frame::Patient>],
        part: Part,
        band_mm: f64,
    ) -> Self {
        let grid = part.grid;
        let near: Vec<Band<'_>> = meshes
            .par_iter()
            .with_max_len(1)
            .map(|mesh| Band::of(mesh, part, band_mm))
            .collect();
        let [ni, nj, _] = grid.dims;
        let mut values = rayon::iter::repeat_n(band_mm as f32, grid.count()).collect::<Vec<_>>();
        values
            .par_chunks_mut(ni * nj)
            .with_max_len(1)
            .enumerate()
            .for_each(|(k, slice)| near.iter().for_each(|band| band.put(k, slice)));
        Self { grid, values }
    }

    /// Each value changed by itself.
    pub fn map(&self, change: impl Fn(f32) -> f32 + Sync + Send) -> Self {
        Self::of_points(self.grid, |n| change(self.values[n]))
    }

    /// Grown on all sides, or shrunk where negative.
    pub fn grown(&self, by_mm: f32) -> Self {
        self.map(|v| v - by_mm)
    }

    /// Distance of each point to the places where `self` is outside (positive), mm, to about half a
    /// spacing; 0 there.
    pub fn depth(&self) -> Vec<f32> {
        let mask = self.mask(|v| v > 0.0);
        let half = 0.5 * self.grid.spacing_mm as f32;
        geometry::distance::distance_to_mask_mm(&mask)
            .into_par_iter()
            .map(|mm| (mm - half).max(0.0))
            .collect()
    }

    /// What a ball of this radius cannot enter from outside, the solid itself included: mouths and
    /// clefts narrower than the ball are filled.
    pub fn closed(&self, radius_mm: f32) -> Self {
        let far = self.mask(|v| v > radius_mm);
        let half = 0.5 * self.grid.spacing_mm as f32;
        let reach = geometry::distance::distance_to_mask_mm(&far);
        Self::of_points(self.grid, |n| {
            (radius_mm + half - reach[n]).min(self.values[n])
        })
    }

    fn mask(&self, is_set: impl Fn(f32) -> bool + Sync + Send) -> Volume<u8> {
        Volume {
            dims: self.grid.dims,
            voxels: self
                .values
                .par_iter()
                .map(|&v| u8::from(is_set(v)))
                .collect(),
            patient_from_voxel: affine(&self.grid),
        }
    }

    /// Smoothed by a Gaussian of this standard deviation; beyond the box values go on as at its rim.
    pub fn smoothed(&self, sigma_mm: f64) -> Self {
        let sigma = sigma_mm / self.grid.spacing_mm;
        let reach = (3.0 * sigma).ceil() as usize;
        if reach == 0 {
            return self.clone();
        }
        let mut weights: Vec<f32> = (0..=reach)
            .map(|n| libm::exp(-0.5 * (n as f64 / sigma).powi(2)) as f32)
            .collect();
        let total = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
        weights.iter_mut().for_each(|w| *w /= total);
        let mut values = self.values.clone();
        for axis in 0..3 {
            values = blurred(&values, self.grid.dims, axis, &weights);
        }
        Self {
            grid: self.grid,
            values,
        }
    }

    /// The value between the points, linear along each axis; beyond the box that at its rim.
    pub fn sample(&self, place: Vector3<f64>) -> f64 {
        let mut low = [0; 3];
        let mut part = [0.0; 3];
        for axis in 0..3 {
            let last = self.grid.dims[axis] - 1;
            let at = self
                .grid
                .index_of(axis, place[axis])
                .clamp(0.0, last as f64);
            low[axis] = (at as usize).min(last.saturating_sub(1));
            part[axis] = at - low[axis] as f64;
        }
        let [ni, nj, _] = self.grid.dims;
        let value = |di: usize, dj: usize, dk: usize| {
            let ijk = [low[0] + di, low[1] + dj, low[2] + dk];
            let last = self.grid.dims.map(|n| n - 1);
            let [i, j, k] = std::array::from_fn(|a| ijk[a].min(last[a]));
            f64::from(self.values[i + ni * (j + nj * k)])
        };
        let along_x = |dj, dk| value(0, dj, dk) * (1.0 - part[0]) + value(1, dj, dk) * part[0];
        let along_y = |dk| along_x(0, dk) * (1.0 - part[1]) + along_x(1, dk) * part[1];
        along_y(0) * (1.0 - part[2]) + along_y(1) * part[2]
    }

    /// Volume inside, mm³: points inside, those near the surface in part.
    pub fn volume_mm3(&self) -> f64 {
        let spacing = self.grid.spacing_mm;
        let share = |v: f32| (0.5 - f64::from(v) / spacing).clamp(0.0, 1.0);
        let sum: f64 = self.values.iter().map(|&v| share(v)).sum();
        sum * spacing * spacing * spacing
    }

    /// The surface where the field is 0; pieces that enclose less than `least_mm3` are left out.
    /// `None` where nothing is left.
    ///
    /// # Errors
    /// See [`polygonise`]; an empty field is no error.
    pub fn surface(
        &self,
        least_mm3: f64,
    ) -> Result<Option<TriMesh<frame::Patient>>, PolygoniseError> {
        let volume = Volume {
            dims: self.grid.dims,
            voxels: self.values.iter().map(|v| -v).collect(),
            patient_from_voxel: affine(&self.grid),
        };
        match polygonise(&volume, 0.0) {
            Ok(mesh) => Ok(without_crumbs(&mesh, least_mm3)),
            Err(PolygoniseError::Empty) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn affine(grid: &Grid) -> Affine<frame::Patient, frame::Voxel> {
    let linear = Matrix3::from_diagonal_element(grid.spacing_mm);
    Affine::new(linear, Vector3::from(grid.origin_mm)).expect("the spacing is positive")
}

/// Leaves out the pieces (and holes) that enclose less than this.
pub fn without_crumbs(
    mesh: &TriMesh<frame::Patient>,
    least_mm3: f64,
) -> Option<TriMesh<frame::Patient>> {
    let pieces: Vec<_> = mesh
        .components()
        .into_iter()
        .filter(|piece| piece.signed_volume_mm3().abs() >= least_mm3)
        .collect();
    let has_solid = pieces.iter().any(|piece| piece.signed_volume_mm3() > 0.0);
    has_solid.then(|| joined(&pieces)).flatten()
}

/// Several surfaces as one.
pub fn joined(pieces: &[TriMesh<frame::Patient>]) -> Option<TriMesh<frame::Patient>> {
    let mut vertices = Vec::new();
    let mut triangles = Vec::new();
    for piece in pieces {
        let base = u32::try_from(vertices.len()).ok()?;
        vertices.extend_from_slice(piece.vertices());
        triangles.extend(piece.triangles().iter().map(|t| t.map(|v| v + base)));
    }
    TriMesh::new(vertices, triangles).ok()
}

/// Smooth minimum: the union of two solids with a fillet of this width (polynomial blend).
pub fn blend(a: f64, b: f64, width_mm: f64) -> f64 {
    let mix = (0.5 + 0.5 * (b - a) / width_mm).clamp(0.0, 1.0);
    b + (a - b) * mix - width_mm * mix * (1.0 - mix)
}

/// Distance from a place to the segment from `a` to `b`, and how far along it the nearest place is
/// (0 to 1).
pub fn to_segment(p: Vector3<f64>, a: Vector3<f64>, b: Vector3<f64>) -> (f64, f64) {
    let along = b - a;
    let share = ((p - a).dot(&along) / along.norm_squared().max(1e-12)).clamp(0.0, 1.0);
    ((p - a - along * share).norm(), share)
}

/// One axis of the Gaussian.
fn blurred(values: &[f32], dims: [usize; 3], axis: usize, weights: &[f32]) -> Vec<f32> {
    let row = dims[0];
    let mut out = vec![0.0; values.len()];
    out.par_chunks_mut(row).enumerate().for_each(|(r, line)| {
        let own = &values[r * row..(r + 1) * row];
        if axis == 0 {
            return blur_row(own, line, weights);
        }
        // Rows apart along the axis, and where this one stands among them.
        let (apart, at, len) = match axis {
            1 => (1, r % dims[1], dims[1]),
            _ => (dims[1], r / dims[1], dims[2]),
        };
        for (value, source) in line.iter_mut().zip(own) {
            *value = source * weights[0];
        }
        for (step, &weight) in weights.iter().enumerate().skip(1) {
            let below = r - apart * step.min(at);
            let above = r + apart * step.min(len - 1 - at);
            let below = &values[below * row..(below + 1) * row];
            let above = &values[above * row..(above + 1) * row];
            for ((value, b), a) in line.iter_mut().zip(below).zip(above) {
                *value += (b + a) * weight;
            }
        }
    });
    out
}

fn blur_row(source: &[f32], line: &mut [f32], weights: &[f32]) {
    let last = source.len() - 1;
    for (i, value) in line.iter_mut().enumerate() {
        let mut sum = source[i] * weights[0];
        for (step, weight) in weights.iter().enumerate().skip(1) {
            sum += (source[i.saturating_sub(step)] + source[(i + step).min(last)]) * weight;
        }
        *value = sum;
    }
}

/// What a triangle can matter to.
#[derive(Clone, Copy)]
enum Reach {
    /// All points within a band round it.
    Band(f64),
    /// All points before and behind it, along x.
    Row,
}

/// Triangles by the slices (constant z) of a box of points to which they matter.
fn by_slice(mesh: &TriMesh<frame::Patient>, part: &Part, reach: Reach) -> Vec<Vec<u32>> {
    let mut slices = vec![Vec::new(); part.dims[2]];
    if part.dims.contains(&0) {
        return slices;
    }
    let (axes, band_mm) = match reach {
        Reach::Band(mm) => (0..2, mm),
        Reach::Row => (1..2, 0.0),
    };
    for t in 0..mesh.triangles().len() {
        let corners = mesh.corners(t);
        let span = |axis: usize| {
            let (low, high) = ends(corners.map(|p| f64::from(p[axis])));
            part.span(axis, low - band_mm, high + band_mm)
        };
        if axes.clone().any(|axis| span(axis).is_empty()) {
            continue;
        }
        for k in span(2) {
            slices[k].push(t as u32);
        }
    }
    slices
}

/// The surroundings of one mesh in a grid.
struct Band<'a> {
    mesh: &'a TriMesh<frame::Patient>,
    part: Part,
    band_mm: f64,
    near: Vec<Vec<u32>>,
    crossed: Vec<Vec<u32>>,
}

impl<'a> Band<'a> {
    fn of(mesh: &'a TriMesh<frame::Patient>, within: Part, band_mm: f64) -> Self {
        let part = within.near(&mesh.bounds(), band_mm);
        Self {
            mesh,
            part,
            band_mm,
            near: by_slice(mesh, &part, Reach::Band(band_mm)),
            crossed: by_slice(mesh, &part, Reach::Row),
        }
    }

    /// Writes the signed distances into slice k of the grid, where they are smaller.
    fn put(&self, k: usize, slice: &mut [f32]) {
        let [ni, nj, nk] = self.part.dims;
        let Some(own_k) = k.checked_sub(self.part.first[2]).filter(|k| *k < nk) else {
            return;
        };
        if ni * nj == 0 {
            return;
        }
        let mut own = vec![self.band_mm as f32; ni * nj];
        let near = &self.near[own_k];
        near_slice(self.mesh, near, &self.part, own_k, self.band_mm, &mut own);
        let within = insides(self.mesh, &self.crossed[own_k], &self.part, own_k);
        let rows = slice.chunks_exact_mut(self.part.grid.dims[0]);
        let rows = rows.skip(self.part.first[1]);
        for ((row, own), within) in rows.zip(own.chunks_exact_mut(ni)).zip(within) {
            for span in within {
                own[span].iter_mut().for_each(|v| *v = -*v);
            }
            for (value, own) in row[self.part.first[0]..].iter_mut().zip(own) {
                *value = value.min(*own);
            }
        }
    }
}

fn ends(values: [f64; 3]) -> (f64, f64) {
    let low = values.into_iter().fold(f64::INFINITY, f64::min);
    let high = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
    (low, high)
}

/// Which points of a slice lie inside, row by row, by the crossings of each row along x.
fn insides(
    mesh: &TriMesh<frame::Patient>,
    triangles: &[u32],
    part: &Part,
    k: usize,
) -> Vec<Vec<std::ops::Range<usize>>> {
    let z = part.at([0, 0, k]).z;
    let mut rows: Vec<Vec<f64>> = vec![Vec::new(); part.dims[1]];
    for &t in triangles {
        let corners = mesh.corners(t as usize).map(|p| p.map(f64::from));
        let (low, high) = ends(corners.map(|p| p[1]));
        for j in part.span(1, low, high) {
            let y = part.at([0, j, 0]).y;
            rows[j].extend(crossing(&corners, y, z));
        }
    }
    rows.into_iter()
        .map(|mut crossings| {
            crossings.sort_by(f64::total_cmp);
            let pairs = crossings.chunks_exact(2);
            pairs.map(|pair| part.span(0, pair[0], pair[1])).collect()
        })
        .collect()
}

/// Where the line along x through (y, z) meets a triangle. Each edge is judged the same way by both
/// triangles that share it, so that a row through an edge meets exactly one of them.
fn crossing(corners: &[[f64; 3]; 3], y: f64, z: f64) -> Option<f64> {
    let edge = |a: &[f64; 3], b: &[f64; 3]| -> f64 {
        let ordered = (a[1], a[2], a[0]) <= (b[1], b[2], b[0]);
        let (p, q) = if ordered { (a, b) } else { (b, a) };
        let area = (q[1] - p[1]) * (z - p[2]) - (q[2] - p[2]) * (y - p[1]);
        let area = if area == 0.0 { f64::MIN_POSITIVE } else { area };
        if ordered { area } else { -area }
    };
    let [a, b, c] = corners;
    let [wc, wa, wb] = [edge(a, b), edge(b, c), edge(c, a)];
    let same = (wa > 0.0) == (wb > 0.0) && (wb > 0.0) == (wc > 0.0);
    let sum = wa + wb + wc;
    (same && sum != 0.0).then(|| (a[0] * wa + b[0] * wb + c[0] * wc) / sum)
}

/// Unsigned distances.
fn distances(mesh: &TriMesh<frame::Patient>, grid: Grid) -> Vec<f32> {
    let band_mm = BAND * grid.spacing_mm;
    let part = Part::whole(grid);
    let slices = by_slice(mesh, &part, Reach::Band(band_mm));
    hand_on::distances(grid, |k| {
        let mut near = vec![NOWHERE; grid.dims[0] * grid.dims[1]];
        near_slice(mesh, &slices[k], &part, k, band_mm, &mut near);
        near
    })
}

/// What is known of the surface nearest to a point.
trait Nearest: Copy {
    fn distance_mm(&self) -> f32;
    fn at(place: Point<frame::Patient>, distance_mm: f32) -> Self;
}

impl Nearest for f32 {
    fn distance_mm(&self) -> f32 {
        *self
    }
    fn at(_: Point<frame::Patient>, distance_mm: f32) -> Self {
        distance_mm
    }
}

/// The closest place known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    pub place: [f32; 3],
    pub distance_mm: f32,
}

impl Nearest for Near {
    fn distance_mm(&self) -> f32 {
        self.distance_mm
    }
    fn at(place: Point<frame::Patient>, distance_mm: f32) -> Self {
        Self {
            place: place.to_f32(),
            distance_mm,
        }
    }
}

const NOWHERE: Near = Near {
    place: [0.0; 3],
    distance_mm: f32::INFINITY,
};

/// Puts into a slice what of these triangles is nearer to its points than what it holds, for all
/// points in a band round each triangle.
fn near_slice<N: Nearest>(
    mesh: &TriMesh<frame::Patient>,
    triangles: &[u32],
    part: &Part,
    k: usize,
    band_mm: f64,
    slice: &mut [N],
) {
    /// A hair more, for what rounding does to distances.
    const HAIR: f64 = 1.000_001;
    let ni = part.dims[0];
    for &t in triangles {
        let corners = mesh.corners(t as usize);
        let (low_x, high_x) = ends(corners.map(|p| f64::from(p[0])));
        let (low_y, high_y) = ends(corners.map(|p| f64::from(p[1])));
        let corners = corners.map(Point::<frame::Patient>::from_f32);
        let across = (corners[1] - corners[0])
            .cross(&(corners[2] - corners[0]))
            .normalized();
        let center = corners.iter().map(|p| p.coords).sum::<Vector3<f64>>() / 3.0;
        let radius = corners.iter().map(|p| (p.coords - center).norm());
        let radius = HAIR * radius.fold(0.0, f64::max);
        let columns = part.span(0, low_x - band_mm, high_x + band_mm);
        for j in part.span(1, low_y - band_mm, high_y + band_mm) {
            let row = part.at([0, j, k]);
            let beside = (row.y - center.y).powi(2) + (row.z - center.z).powi(2);
            for i in columns.clone() {
                let near = &mut slice[i + ni * j];
                let x = part.at([i, 0, 0]).x;
                // No nearer than the ball round the triangle.
                let apart = (x - center.x).powi(2) + beside;
                let nearest = HAIR * f64::from(near.distance_mm());
                if apart >= (nearest + radius).powi(2) {
                    continue;
                }
                let here = Point::new(x, row.y, row.z);
                // No nearer than the triangle's plane.
                let to_plane = across.map_or(0.0, |n| n.dot(&(here - corners[0])).abs());
                if to_plane as f32 >= near.distance_mm().min(band_mm as f32) {
                    continue;
                }
                // No nearer than the disc round it in that plane.
                let square = to_plane * to_plane;
                let reach = radius + (nearest * nearest - square).max(0.0).sqrt();
                if apart - square >= reach * reach {
                    continue;
                }
                let (place, _) = closest_on_triangle(here, corners);
                let distance_mm = place.distance(&here) as f32;
                if distance_mm < near.distance_mm() {
                    *near = N::at(place, distance_mm);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use geometry::check::inspect;
    use geometry::closest::SurfaceQuery;
    use geometry::sdf::{Expr, SurfaceLimits, surface};

    use super::*;

    fn ball(radius_mm: f64) -> TriMesh<frame::Patient> {
        let shape = Expr::Sphere {
            center: [3.0, -2.0, 1.0],
            radius_mm,
        };
        surface(&shape, 1.0, &SurfaceLimits::default()).unwrap()
    }

    #[test]
    fn the_field_of_a_ball_is_its_distance() {
        let mesh = ball(12.0);
        let field = Field::of_mesh(&mesh, Grid::around(&mesh.bounds(), 8.0, 1.0));
        for (n, value) in field.values.iter().enumerate() {
            let truth = (field.grid.place(n) - Vector3::new(3.0, -2.0, 1.0)).norm() - 12.0;
            assert!((f64::from(*value) - truth).abs() < 0.15, "{value} {truth}");
        }
    }

    /// Winding numbers and the tree's closest places are another way to the same figures.
    #[test]
    fn the_field_agrees_with_the_surface_query() {
        let shape = Expr::Noise {
            of: Box::new(Expr::Ellipsoid {
                center: [0.0; 3],
                radii_mm: [14.0, 9.0, 7.0],
            }),
            seed: 5,
            amplitude_mm: 2.0,
            wavelength_mm: 9.0,
        };
        let mesh = surface(&shape, 1.0, &SurfaceLimits::default()).unwrap();
        let field = Field::of_mesh(&mesh, Grid::around(&mesh.bounds(), 5.0, 1.3));
        let query = SurfaceQuery::new(&mesh);
        for n in (0..field.values.len()).step_by(7) {
            let truth = query.signed_distance_mm(Point::from_coords(field.grid.place(n)));
            let value = f64::from(field.values[n]);
            assert!((value - truth).abs() < 0.25, "{value} {truth}");
        }
    }

    /// Two balls that overlap, seen in the whole grid and in a part of it: near them the distance to
    /// the nearer one, elsewhere the band's width.
    #[test]
    fn bands_hold_exact_distances_and_go_no_farther() {
        const BAND_MM: f64 = 2.5;
        let meshes = [12.0, 7.0].map(ball).map(|mesh| {
            let by = Affine::new(
                Matrix3::identity(),
                Vector3::new(mesh.bounds().max[0].into(), 0.0, 0.0),
            );
            mesh.transformed(&by.unwrap()).unwrap()
        });
        let grid = Grid::around(&meshes[0].bounds(), 4.0, 1.1);
        let both: Vec<_> = meshes.iter().collect();
        let whole = Field::near_meshes(&both, Part::whole(grid), BAND_MM);
        let is_wanted = |n: usize| grid.place(n).z < 3.0 && grid.place(n).x > 12.0;
        let part = Field::near_meshes(&both, Part::holding(grid, is_wanted), BAND_MM);
        let queries = both.iter().map(|mesh| SurfaceQuery::new(mesh));
        let queries: Vec<_> = queries.collect();
        for n in 0..grid.count() {
            let place = Point::from_coords(grid.place(n));
            let own = |query: &SurfaceQuery<'_, _>| {
                query.signed_distance_mm(place).clamp(-BAND_MM, BAND_MM)
            };
            let truth = queries.iter().map(own).fold(BAND_MM, f64::min);
            assert!((f64::from(whole.values[n]) - truth).abs() < 1e-6);
            let expected = if is_wanted(n) {
                whole.values[n]
            } else {
                BAND_MM as f32
            };
            assert_eq!(part.values[n], expected);
        }
    }

    #[test]
    fn a_field_becomes_a_sound_surface_of_the_same_volume() {
        let mesh = ball(12.0);
        let field = Field::of_mesh(&mesh, Grid::around(&mesh.bounds(), 6.0, 0.9));
        let made = field.surface(1.0).unwrap().unwrap();
        assert!(inspect(&made).is_sound());
        let share = made.signed_volume_mm3() / mesh.signed_volume_mm3();
        assert!((share - 1.0).abs() < 0.01, "{share}");
        assert!((field.volume_mm3() / mesh.signed_volume_mm3() - 1.0).abs() < 0.01);
    }

    /// A ball of 8 mm does not enter a slit 6 mm wide, but enters one 24 mm wide.
    #[test]
    fn closing_fills_what_a_ball_cannot_enter() {
        let grid = Grid {
            origin_mm: [-40.0; 3],
            spacing_mm: 1.0,
            dims: [81; 3],
        };
        let slit = |half_mm: f64| {
            Field::of(grid, move |p| {
                let block = p.amax() - 20.0;
                let cut = (p.x.abs() - half_mm).max(-p.y);
                block.max(-cut)
            })
        };
        let within = Vector3::new(0.0, 8.0, 0.0);
        assert!(slit(3.0).closed(8.0).sample(within) < 0.0);
        assert!(slit(12.0).closed(8.0).sample(within) > 0.0);
    }

    #[test]
    fn smoothing_keeps_a_plane_where_it_is() {
        let grid = Grid {
            origin_mm: [-10.0; 3],
            spacing_mm: 1.0,
            dims: [21; 3],
        };
        let plane = Field::of(grid, |p| p.z - 0.3);
        let smooth = plane.smoothed(1.5);
        assert!(smooth.sample(Vector3::new(0.5, 0.2, 0.3)).abs() < 1e-3);
    }
}
