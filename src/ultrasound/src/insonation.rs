//! Insonation: for every place in the slice what the sound that reaches it has gone
//! through, and on which line its echo appears.
//!
//! Paths start from the face at every line and between lines, in several slices across the
//! elevation; each fills one row of cells along its depth.

use std::ops::Range;

use nalgebra::Vector3;
use rayon::prelude::*;

use geometry::frame::{self, Patient as PatientFrame};
use geometry::{Point, Pose};

use crate::grid::{ScanGrid, Shape};
use crate::medium::{AIR, MediumId, NP_PER_DB};
use crate::path::{BLOCKING, Path, Rates, SHADOW_DB, Start, State, TraceMemory, Tracer};
use crate::simd::wide;

/// How an insonation is divided. Follows from the setting.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Division {
    /// Slices across the elevation; odd, the middle one is the scan plane.
    pub slices: usize,
    /// Distance of slices, mm.
    pub slice_mm: f64,
    /// Paths from line to line.
    pub paths_per_line: usize,
    /// Paths in a slice.
    pub paths: usize,
    /// Cells along a path.
    pub nodes: usize,
    /// Length of a cell, mm.
    pub node_mm: f64,
}

impl Division {
    /// With cells of about `node_mm`.
    pub fn new(grid: &ScanGrid, slices: usize, slice_mm: f64, node_mm: f64) -> Self {
        // Rows of cells are no multiple of a page apart, or the caches would hold but few of them:
        // each starts five cache lines on from where the last one does.
        let pages = (grid.depth_mm() / node_mm / PAGE_CELLS as f64).clamp(1.0, 4.0);
        let nodes = libm::round(pages) as usize * PAGE_CELLS + 20;
        let paths_per_line = LEAST_PATHS.div_ceil(grid.lines).clamp(1, 8);
        let closed = matches!(grid.shape, Shape::Fan { closed: true, .. });
        let paths = if closed {
            grid.lines * paths_per_line
        } else {
            (grid.lines - 1) * paths_per_line + 1
        };
        Self {
            slices,
            slice_mm,
            paths_per_line,
            paths,
            nodes,
            node_mm: grid.depth_mm() / (nodes - 1) as f64,
        }
    }

    /// Elevation of a slice, mm.
    pub fn elevation_mm(&self, slice: usize) -> f64 {
        (slice as f64 - (self.slices / 2) as f64) * self.slice_mm
    }

    /// Distance of neighbouring paths of a slice at a depth, mm.
    pub fn spacing_mm(&self, grid: &ScanGrid, z_mm: f64) -> f64 {
        grid.line_distance_mm(z_mm) / self.paths_per_line as f64
    }

    /// How many paths lie within half a width, somewhere in the middle of the image.
    fn reach(&self, grid: &ScanGrid, width_mm: f64) -> usize {
        let spacing_mm = grid
            .line_distance_mm(0.0)
            .max(grid.line_distance_mm(grid.depth_mm()) / 3.0)
            / self.paths_per_line as f64;
        libm::round(width_mm / 2.0 / spacing_mm) as usize
    }

    /// u of a path.
    pub fn u_of_path(&self, grid: &ScanGrid, path: usize) -> f64 {
        grid.u_of_line(path as f64 / self.paths_per_line as f64)
    }
}

/// What the sound that reaches a place has gone through. Small: a million are looked up a frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cell {
    /// Two-way amplitude at the working frequency.
    pub amplitude: f32,
    /// Delay minus depth, mm.
    pub shift_mm: f32,
    /// In steps of 1/[`LIFT_STEPS`] mm.
    lift: i16,
    /// In steps of 1/[`ASIDE_STEPS`] paths.
    aside: i16,
    /// What is there.
    pub medium: MediumId,
    /// Which of the beam's variants holds: see `Variants`.
    pub variant: u8,
}

const LIFT_STEPS: f32 = 1024.0;
const ASIDE_STEPS: f32 = 256.0;

impl Cell {
    /// How far the path that gets here has been bent out of its slice, mm.
    #[inline]
    pub fn lift_mm(&self) -> f32 {
        f32::from(self.lift) * (1.0 / LIFT_STEPS)
    }

    /// Which path gets here: so many paths farther along the scan than the place itself.
    #[inline]
    pub fn aside(&self) -> f32 {
        f32::from(self.aside) * (1.0 / ASIDE_STEPS)
    }
}

/// What paths have gone through up to each depth, `[slice][path][node]`.
#[derive(Debug, Default)]
struct Walked {
    fields: Fields,
    medium: Vec<MediumId>,
    variant: Vec<u8>,
}

/// The numbers of [`Walked`], list by list.
#[derive(Debug, Default)]
struct Fields {
    amplitude: Vec<f32>,
    /// Delay minus depth, mm.
    shift_mm: Vec<f32>,
    /// Out of the slice, mm.
    lift_mm: Vec<f32>,
    /// Along the scan, in paths.
    sideways: Vec<f32>,
}

impl Fields {
    fn resize(&mut self, count: usize) {
        for list in self.lists() {
            list.resize(count, 0.0);
        }
    }

    fn lists(&mut self) -> [&mut Vec<f32>; 4] {
        [
            &mut self.amplitude,
            &mut self.shift_mm,
            &mut self.lift_mm,
            &mut self.sideways,
        ]
    }

    fn part(&self, range: Range<usize>) -> FieldsRef<'_> {
        FieldsRef {
            amplitude: &self.amplitude[range.clone()],
            shift_mm: &self.shift_mm[range.clone()],
            lift_mm: &self.lift_mm[range.clone()],
            sideways: &self.sideways[range],
        }
    }

    /// Stretches of a length.
    fn par_chunks_mut(
        &mut self,
        length: usize,
    ) -> impl IndexedParallelIterator<Item = FieldsMut<'_>> {
        let places = self
            .shift_mm
            .par_chunks_mut(length)
            .zip(self.lift_mm.par_chunks_mut(length));
        let lists = self
            .amplitude
            .par_chunks_mut(length)
            .zip(self.sideways.par_chunks_mut(length));
        lists
            .zip(places)
            .map(|((amplitude, sideways), (shift_mm, lift_mm))| FieldsMut {
                amplitude,
                shift_mm,
                lift_mm,
                sideways,
            })
    }
}

/// A stretch of [`Fields`].
#[derive(Clone, Copy)]
struct FieldsRef<'a> {
    amplitude: &'a [f32],
    shift_mm: &'a [f32],
    lift_mm: &'a [f32],
    sideways: &'a [f32],
}

/// A stretch of [`Fields`] to be filled in.
struct FieldsMut<'a> {
    amplitude: &'a mut [f32],
    shift_mm: &'a mut [f32],
    lift_mm: &'a mut [f32],
    sideways: &'a mut [f32],
}

impl FieldsMut<'_> {
    fn part(&mut self, range: Range<usize>) -> FieldsMut<'_> {
        FieldsMut {
            amplitude: &mut self.amplitude[range.clone()],
            shift_mm: &mut self.shift_mm[range.clone()],
            lift_mm: &mut self.lift_mm[range.clone()],
            sideways: &mut self.sideways[range],
        }
    }

    fn fill_from(&mut self, from: FieldsRef<'_>) {
        self.amplitude.copy_from_slice(from.amplitude);
        self.shift_mm.copy_from_slice(from.shift_mm);
        self.lift_mm.copy_from_slice(from.lift_mm);
        self.sideways.copy_from_slice(from.sideways);
    }
}

/// The insonation of one look at one moment.
#[derive(Debug, Default)]
pub(crate) struct Insonation {
    /// `[slice][place][node]`; places are where paths would be if none were bent.
    pub cells: Vec<Cell>,
    /// As traced.
    traced: Walked,
    /// As a wave front smooths it.
    smoothed: Fields,
    /// By slice: whether any path is bent.
    is_bent: Vec<bool>,
    /// `[slice][path]`.
    pub paths: Vec<Path>,
    /// Two-way slope of attenuation on the middle slice at the lines: `[line][node]`, Np/MHz.
    pub slopes: Vec<f32>,
    memories: Vec<(TraceMemory, Vec<Start>)>,
}

/// Width over which a wave front smooths what it goes through, mm: about a third of an abdominal
/// probe's aperture (estimate).
const FRONT_MM: f64 = 5.0;

/// Means over `2 reach + 1` paths, all nodes side by side.
fn smooth_slice(traced: FieldsRef<'_>, mut out: FieldsMut<'_>, nodes: usize, reach: usize) {
    let paths = traced.amplitude.len() / nodes;
    // Of many neighbours some do.
    let stride = (2 * reach + 1).div_ceil(MOST_NEIGHBORS);
    let mut sum = vec![0.0; nodes];
    for path in 0..paths {
        let out = out.part(path * nodes..(path + 1) * nodes);
        for list in [&mut *out.shift_mm, out.lift_mm, out.sideways, &mut sum] {
            list.fill(0.0);
        }
        let near = path.saturating_sub(reach)..(path + reach + 1).min(paths);
        for near in near.step_by(stride) {
            let row = near * nodes..(near + 1) * nodes;
            let weights = &traced.amplitude[row.clone()];
            let lists = (
                &traced.shift_mm[row.clone()],
                &traced.lift_mm[row.clone()],
                &traced.sideways[row],
            );
            add_weighted(
                weights,
                lists,
                (out.shift_mm, out.lift_mm, out.sideways, &mut sum),
            );
        }
        divide(&sum, (out.shift_mm, out.lift_mm, out.sideways));
        let rows: [&[f32]; PENUMBRA.len()] = std::array::from_fn(|step| {
            let near = (path + step)
                .saturating_sub(PENUMBRA.len() / 2)
                .min(paths - 1);
            &traced.amplitude[near * nodes..(near + 1) * nodes]
        });
        soften(&rows, out.amplitude);
    }
}

type Rows3<'a> = (&'a [f32], &'a [f32], &'a [f32]);
type RowsMut3<'a> = (&'a mut [f32], &'a mut [f32], &'a mut [f32]);
type RowsMut4<'a> = (&'a mut [f32], &'a mut [f32], &'a mut [f32], &'a mut [f32]);

wide! {
    /// Adds rows weighted by amplitude, and the weights.
    fn add_weighted(amplitude: &[f32], rows: Rows3<'_>, sums: RowsMut4<'_>) {
        let count = amplitude.len();
        let (a, b, c) = (&rows.0[..count], &rows.1[..count], &rows.2[..count]);
        let (x, y, z, sum) = sums;
        let (x, y, z, sum) = (&mut x[..count], &mut y[..count], &mut z[..count], &mut sum[..count]);
        for i in 0..count {
            let weight = amplitude[i] + LEAST_FRONT_WEIGHT;
            x[i] += weight * a[i];
            y[i] += weight * b[i];
            z[i] += weight * c[i];
            sum[i] += weight;
        }
    }
}

wide! {
    /// Divides rows by a row.
    fn divide(by: &[f32], rows: RowsMut3<'_>) {
        let count = by.len();
        let (x, y, z) = (&mut rows.0[..count], &mut rows.1[..count], &mut rows.2[..count]);
        for i in 0..count {
            let inverse = 1.0 / by[i];
            x[i] *= inverse;
            y[i] *= inverse;
            z[i] *= inverse;
        }
    }
}

wide! {
    /// Amplitudes of a path and its neighbours, weighted by [`PENUMBRA`].
    fn soften(rows: &[&[f32]; PENUMBRA.len()], out: &mut [f32]) {
        let count = out.len();
        let rows = rows.map(|row| &row[..count]);
        for i in 0..count {
            let mut sum = 0.0;
            for (row, weight) in rows.iter().zip(PENUMBRA) {
                sum += weight * row[i];
            }
            out[i] = sum;
        }
    }
}

/// A place is reached over an aperture, not by one path: shadows have soft edges, and a path lost
/// by itself leaves no dark line.
const PENUMBRA: [f32; 5] = [0.1, 0.2, 0.4, 0.2, 0.1];

/// Neighbours that a mean is taken of.
const MOST_NEIGHBORS: usize = 5;

/// Keeps means defined where nothing gets through.
const LEAST_FRONT_WEIGHT: f32 = 1e-9;

/// What reaches a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub cell: Cell,
    /// The path, in fractions.
    pub path: f32,
    /// Delay less depth, interpolated, mm.
    pub shift_mm: f32,
}

/// Cells in a page of memory.
const PAGE_CELLS: usize = 4096 / size_of::<Cell>();

/// Paths across a slice, at least.
const LEAST_PATHS: usize = 128;

/// Paths that one thread traces at a time.
const PATHS_PER_TASK: usize = 64;

/// Which variant of the beam serves a place.
pub(crate) trait Variants: Sync {
    /// From the two-way slope of attenuation (Np/MHz), the depth (mm) and the aberrating tissue
    /// crossed (mm).
    fn variant(&self, slope: f64, z_mm: f64, wall_mm: f64) -> u8;
}

impl Insonation {
    /// Traces all paths and fills all cells.
    pub fn trace(
        &mut self,
        tracer: &Tracer<'_>,
        grid: &ScanGrid,
        division: &Division,
        patient_from_probe: &Pose<PatientFrame, frame::Probe>,
        variants: &impl Variants,
    ) {
        let count = division.slices * division.paths;
        self.paths.resize_with(count, Path::default);
        self.traced.fields.resize(count * division.nodes);
        self.traced.medium.resize(count * division.nodes, AIR);
        self.traced.variant.resize(count * division.nodes, 0);
        let tasks = count.div_ceil(PATHS_PER_TASK);
        self.memories.resize_with(tasks, Default::default);
        let nodes = division.nodes;
        self.paths
            .par_chunks_mut(PATHS_PER_TASK)
            .zip(self.traced.fields.par_chunks_mut(PATHS_PER_TASK * nodes))
            .zip(self.traced.medium.par_chunks_mut(PATHS_PER_TASK * nodes))
            .zip(self.traced.variant.par_chunks_mut(PATHS_PER_TASK * nodes))
            .zip(self.memories.par_iter_mut())
            .enumerate()
            .for_each(
                |(task, ((((paths, mut fields), media), variant), (memory, starts)))| {
                    let first = task * PATHS_PER_TASK;
                    starts.clear();
                    starts.extend((first..first + paths.len()).map(|index| {
                        let (slice, path) = (index / division.paths, index % division.paths);
                        let u = division.u_of_path(grid, path);
                        start(grid, patient_from_probe, u, division.elevation_mm(slice))
                    }));
                    tracer.trace(starts, paths, memory);
                    for (index, path) in paths.iter().enumerate() {
                        let row = index * nodes..(index + 1) * nodes;
                        let home = (first + index) % division.paths;
                        let out = WalkedMut {
                            fields: fields.part(row.clone()),
                            medium: &mut media[row.clone()],
                            variant: &mut variant[row],
                        };
                        fill(path, home, out, tracer, grid, division, variants);
                    }
                },
            );
        self.is_bent.clear();
        for slice in self.paths.chunks(division.paths) {
            self.is_bent.push(slice.iter().any(|path| path.is_bent));
        }
        self.smooth(grid, division);
        self.place(grid, division);
        self.gather_slopes(tracer, grid, division);
    }

    /// A wave front is as wide as the aperture and smooths over what single paths go through:
    /// neighbouring paths share their bends and delays, weighted by what they carry.
    fn smooth(&mut self, grid: &ScanGrid, division: &Division) {
        let nodes = division.nodes;
        let slice_len = division.paths * nodes;
        self.smoothed.resize(self.traced.fields.amplitude.len());
        let reach = division.reach(grid, FRONT_MM);
        let traced = &self.traced.fields;
        let slices = self
            .smoothed
            .par_chunks_mut(slice_len)
            .zip(&self.is_bent)
            .enumerate();
        slices.for_each(|(slice, (mut out, &bent))| {
            let traced = traced.part(slice * slice_len..(slice + 1) * slice_len);
            if bent && reach > 0 && division.paths > 2 * reach {
                smooth_slice(traced, out, nodes, reach);
            } else {
                out.fill_from(traced);
            }
        });
    }

    /// From paths to the places that they reach.
    fn place(&mut self, grid: &ScanGrid, division: &Division) {
        let reach = division.reach(grid, FRONT_MM);
        let slice_len = division.paths * division.nodes;
        self.cells.resize(self.traced.medium.len(), Cell::default());
        let (traced, smoothed) = (&self.traced, &self.smoothed);
        let slices = self
            .cells
            .par_chunks_mut(slice_len)
            .zip(&self.is_bent)
            .enumerate();
        slices.for_each(|(slice, (cells, &bent))| {
            let part = slice * slice_len..(slice + 1) * slice_len;
            let source = Source {
                sideways: &traced.fields.sideways[part.clone()],
                medium: &traced.medium[part.clone()],
                variant: &traced.variant[part.clone()],
                fields: smoothed.part(part),
            };
            if bent && division.paths > 2 {
                place_bent(cells, &source, division, reach);
            } else {
                source.cells(cells, 0, 0.0, 1.0);
            }
        });
    }

    fn gather_slopes(&mut self, tracer: &Tracer<'_>, grid: &ScanGrid, division: &Division) {
        self.slopes.resize(grid.lines * division.nodes, 0.0);
        let middle = division.slices / 2 * division.paths;
        let paths = &self.paths[middle..];
        self.slopes
            .par_chunks_mut(division.nodes)
            .enumerate()
            .for_each(|(line, slopes)| {
                let path = &paths[line * division.paths_per_line];
                fill_slopes(path, slopes, tracer, division.node_mm);
            });
    }

    /// What the sound at a place has gone through: `at` in paths along the scan. None where no
    /// sound goes.
    pub fn look_up(&self, division: &Division, at: f32, z_mm: f32, e_mm: f32) -> Option<Reached> {
        let middle = (division.slices / 2) as f32;
        let slice = (e_mm / division.slice_mm as f32 + middle + 0.5)
            .clamp(0.0, division.slices as f32 - 0.5) as usize;
        let along = (z_mm / division.node_mm as f32).clamp(0.0, (division.nodes - 1) as f32);
        let node = (along + 0.5) as usize;
        let place = (at + 0.5).clamp(0.0, (division.paths - 1) as f32) as usize;
        let row = (slice * division.paths + place) * division.nodes;
        let cells = &self.cells[row..row + division.nodes];
        let cell = *cells.get(node)?;
        let low = (along as usize).min(division.nodes - 2);
        let fraction = along - low as f32;
        let mean = |of: &dyn Fn(&Cell) -> f32| {
            let (a, b) = (of(&cells[low]), of(&cells[low + 1]));
            a + (b - a) * fraction
        };
        (cell.amplitude > 0.0).then(|| Reached {
            cell,
            path: at + mean(&Cell::aside),
            shift_mm: mean(&|cell| cell.shift_mm),
        })
    }
}

/// What the cells of a slice are made of.
struct Source<'a> {
    /// Where each path has got to, as traced.
    sideways: &'a [f32],
    medium: &'a [MediumId],
    variant: &'a [u8],
    /// As a wave front smooths it.
    fields: FieldsRef<'a>,
}

impl Source<'_> {
    /// Fills cells from a stretch of nodes from `first` on.
    fn cells(&self, cells: &mut [Cell], first: usize, aside: f32, spread: f32) {
        let end = first + cells.len();
        let kinds = self.medium[first..end]
            .iter()
            .zip(&self.variant[first..end]);
        let (amplitudes, shifts) = (
            &self.fields.amplitude[first..end],
            &self.fields.shift_mm[first..end],
        );
        let numbers = amplitudes
            .iter()
            .zip(shifts)
            .zip(&self.fields.lift_mm[first..end]);
        let aside = steps_of(aside, ASIDE_STEPS);
        let gathered = 1.0 / spread;
        for ((cell, (&medium, &variant)), ((&amplitude, &shift_mm), &lift)) in
            cells.iter_mut().zip(kinds).zip(numbers)
        {
            *cell = Cell {
                amplitude: amplitude * gathered,
                shift_mm,
                lift: steps_of(lift, LIFT_STEPS),
                aside,
                medium,
                variant,
            };
        }
    }
}

#[inline(always)]
fn steps_of(value: f32, steps: f32) -> i16 {
    (value * steps).clamp(-32767.0, 32767.0) as i16
}

/// The cells of a slice of bent paths: for each place the path that reaches it.
fn place_bent(cells: &mut [Cell], source: &Source<'_>, division: &Division, reach: usize) {
    let (nodes, paths) = (division.nodes, division.paths);
    let mut row = Row::default();
    let mut crowd = Crowd::default();
    for first in (0..nodes).step_by(ROWS_ALIKE) {
        let rows = first..(first + ROWS_ALIKE).min(nodes);
        let at = |path: usize| path * nodes + (first + ROWS_ALIKE / 2).min(nodes - 1);
        row.take((0..paths).map(|path| {
            let sideways = source.fields.sideways[at(path)];
            (path as f32 + sideways, source.fields.amplitude[at(path)])
        }));
        row.invert();
        crowd.take((0..paths).map(|path| path as f32 + source.sideways[at(path)]));
        for (place, &reaching) in row.reaching.iter().enumerate() {
            let path = (reaching + 0.5).clamp(0.0, (paths - 1) as f32) as usize;
            // Where paths spread, sound thins out; where they crowd, it gathers.
            let gathered = crowd.round(place, reach);
            let aside = reaching - place as f32;
            let spread = 1.0 / gathered.clamp(1.0 / MOST_SPREAD, 1.0 / LEAST_SPREAD);
            let cells = &mut cells[place * nodes..(place + 1) * nodes][rows.clone()];
            source.cells(cells, path * nodes + rows.start, aside, spread);
        }
    }
}

/// Rows of cells for which one look-up says which paths reach them.
const ROWS_ALIKE: usize = 4;

/// Bounds of how far refraction thins sound out or gathers it, in amplitude there and back:
/// diffraction allows no more.
const MOST_SPREAD: f32 = 3.0;
const LEAST_SPREAD: f32 = 0.7;

/// How many paths get to each place; 1 where none is bent. Reused.
#[derive(Debug, Default)]
struct Crowd {
    counts: Vec<f32>,
    /// Sums of the counts up to each place.
    sums: Vec<f32>,
}

impl Crowd {
    /// From where each path has got to.
    fn take(&mut self, places: impl ExactSizeIterator<Item = f32>) {
        let paths = places.len();
        self.counts.clear();
        self.counts.resize(paths, 0.0);
        let (mut first, mut last) = (None, 0.0);
        for place in places {
            first.get_or_insert(place);
            last = place;
            self.count(place);
        }
        // Beyond the outermost paths sound is bent as there.
        let first = first.unwrap_or(0.0);
        let (low, high) = (first.max(0.0), ((paths - 1) as f32 - last).max(0.0));
        for step in 1..=low.ceil().min(paths as f32) as usize {
            self.count(first - step as f32);
        }
        for step in 1..=high.ceil().min(paths as f32) as usize {
            self.count(last + step as f32);
        }
        self.sums.clear();
        self.sums.push(0.0);
        let mut sum = 0.0;
        for count in &self.counts {
            sum += count;
            self.sums.push(sum);
        }
    }

    /// Counts a path, shared out between two places.
    fn count(&mut self, place: f32) {
        let paths = self.counts.len();
        if !(place > -1.0 && place < paths as f32) {
            return;
        }
        // Rounding down first: one more than a place just below the last may round to beyond it.
        let low = place.floor();
        let share = place - low;
        if low >= 0.0 {
            self.counts[low as usize] += 1.0 - share;
        }
        let high = (low + 1.0) as usize;
        if high < paths {
            self.counts[high] += share;
        }
    }

    /// The mean over `2 reach + 1` places.
    fn round(&self, place: usize, reach: usize) -> f32 {
        let first = place.saturating_sub(reach);
        let end = (place + reach + 1).min(self.counts.len());
        (self.sums[end] - self.sums[first]) / (end - first) as f32
    }
}

/// The start of a path at the face.
pub(crate) fn start(
    grid: &ScanGrid,
    patient_from_probe: &Pose<PatientFrame, frame::Probe>,
    u: f64,
    e_mm: f64,
) -> Start {
    let origin = grid.place(u, 0.0, e_mm);
    let direction = grid.place(u, 1.0, e_mm) - origin;
    Start {
        origin: *patient_from_probe * origin,
        direction: *patient_from_probe * direction,
        state: State::START,
        medium: None,
    }
}

/// One path's stretch of [`Walked`].
struct WalkedMut<'a> {
    fields: FieldsMut<'a>,
    medium: &'a mut [MediumId],
    variant: &'a mut [u8],
}

/// Fills in what one path goes through.
fn fill(
    path: &Path,
    home: usize,
    mut out: WalkedMut<'_>,
    tracer: &Tracer<'_>,
    grid: &ScanGrid,
    division: &Division,
    variants: &impl Variants,
) {
    let node_mm = division.node_mm;
    let mut next = 0;
    let mut straight_mm = 0.0;
    let home_u = division.u_of_path(grid, home);
    let pitch = grid.pitch / division.paths_per_line as f64;
    let home_e = path.segments.first().map_or(0.0, |first| first.start.y);
    for segment in &path.segments {
        let rates = &tracer.rates[tracer.medium.index(segment.medium)];
        // Beam coordinates at both ends.
        let ends = if path.is_bent {
            let end = segment.start + segment.direction * segment.length_mm;
            [segment.start, end].map(|place| beam(grid, place, home_u))
        } else {
            let z = straight_mm;
            straight_mm += segment.length_mm;
            [[home_u, z, home_e], [home_u, straight_mm, home_e]]
        };
        let [from, to] = ends;
        let run = to[1] - from[1];
        if run <= 0.0 {
            continue;
        }
        let last = libm::ceil(to[1] / node_mm).max(0.0) as usize;
        let first = next.max(libm::ceil(from[1] / node_mm).max(0.0) as usize);
        let last = last.min(division.nodes);
        if first >= last {
            continue;
        }
        next = last;
        let stretch = segment.length_mm / run;
        let s0 = (first as f64 * node_mm - from[1]) * stretch;
        let step = node_mm * stretch;
        let mut amplitude = (segment.state.amplitude * libm::exp(-rates.attenuation * s0)) as f32;
        let decay = libm::exp(-rates.attenuation * step) as f32;
        let middle = (first + last) as f64 / 2.0 * node_mm;
        let s_middle = (middle - from[1]) * stretch;
        let slope = segment.state.slope + rates.slope * s_middle;
        let wall = segment.state.wall_mm + if rates.aberrates { s_middle } else { 0.0 };
        let variant = variants.variant(slope, middle, wall);
        let shift0 = segment.state.delay_mm + rates.delay * s0 - first as f64 * node_mm;
        let shift_step = rates.delay * step - node_mm;
        let per_node = node_mm / run;
        let at0 = (first as f64 * node_mm - from[1]) / run;
        let line = |axis: usize| {
            (
                from[axis] + (to[axis] - from[axis]) * at0,
                (to[axis] - from[axis]) * per_node,
            )
        };
        let (u0, u_step) = line(0);
        let (e0, e_step) = line(2);
        out.medium[first..last].fill(segment.medium);
        out.variant[first..last].fill(variant);
        let part = out.fields.part(first..last);
        for out in part.amplitude {
            *out = amplitude;
            amplitude *= decay;
        }
        even_steps(part.shift_mm, shift0, shift_step);
        even_steps(part.lift_mm, e0 - home_e, e_step);
        even_steps(part.sideways, (u0 - home_u) / pitch, u_step / pitch);
    }
    let mut rest = out.fields.part(next..division.nodes);
    for list in [
        &mut rest.amplitude,
        &mut rest.shift_mm,
        &mut rest.lift_mm,
        &mut rest.sideways,
    ] {
        list.fill(0.0);
    }
    out.medium[next..].fill(AIR);
    out.variant[next..].fill(0);
}

/// Fills a list in even steps.
fn even_steps(list: &mut [f32], start: f64, step: f64) {
    if step == 0.0 {
        list.fill(start as f32);
        return;
    }
    for (index, out) in list.iter_mut().enumerate() {
        *out = (start + step * index as f64) as f32;
    }
}

/// Beam coordinates of a place, u within half a turn of `near`.
fn beam(grid: &ScanGrid, place: Vector3<f64>, near: f64) -> [f64; 3] {
    let [mut u, z, e] = grid.beam_coordinates(Point::from_coords(place));
    if let Shape::Fan { .. } = grid.shape {
        let turns = libm::round((near - u) / std::f64::consts::TAU);
        u += turns * std::f64::consts::TAU;
    }
    [u, z, e]
}

/// Two-way slopes of attenuation along a path at equal delays. Where hardly anything gets through,
/// what is seen came another way: its band goes on as in usual tissue.
fn fill_slopes(path: &Path, slopes: &mut [f32], tracer: &Tracer<'_>, node_mm: f64) {
    let mut next = 0;
    let mut slope = 0.0;
    let mut blocked = Blocked::default();
    for segment in &path.segments {
        let rates = &tracer.rates[tracer.medium.index(segment.medium)];
        blocked.enter(segment.state.amplitude);
        if blocked.is_over() || tracer.medium.material(segment.medium).is_gas() {
            break;
        }
        let start = segment.state.delay_mm;
        let through_mm = blocked.go_on(segment.length_mm, rates, tracer);
        let end = start + through_mm * rates.delay;
        let last = (libm::ceil(end / node_mm).max(0.0) as usize).min(slopes.len());
        for (node, out) in slopes.iter_mut().enumerate().take(last).skip(next) {
            let s = (node as f64 * node_mm - start) / rates.delay;
            slope = segment.state.slope + rates.slope * s;
            *out = slope as f32;
        }
        next = next.max(last);
        if through_mm < segment.length_mm {
            // What takes it all takes nothing from what comes another way.
            slope = segment.state.slope + usual_slope(tracer) * (end - start);
            break;
        }
    }
    let usual = usual_slope(tracer) * node_mm;
    for out in &mut slopes[next..] {
        slope += usual;
        *out = slope as f32;
    }
}

/// What blocks a path: surfaces, and media that take much more than tissue does. Tissue alone, however
/// deep, blocks nothing until the path is spent.
#[derive(Default)]
struct Blocked {
    amplitude: f64,
    loss_np: f64,
}

impl Blocked {
    /// The path enters a medium with this amplitude.
    fn enter(&mut self, amplitude: f64) {
        if self.amplitude > 0.0 {
            self.loss_np += libm::log(self.amplitude / amplitude.max(1e-30)).max(0.0);
        }
        self.amplitude = amplitude;
    }

    fn is_over(&self) -> bool {
        self.amplitude < SPENT_AMPLITUDE || self.loss_np > SHADOW_DB * NP_PER_DB
    }

    /// How much of a length through a medium it goes before it is over, mm.
    fn go_on(&mut self, length_mm: f64, rates: &Rates, tracer: &Tracer<'_>) -> f64 {
        let usual_np_mm = tracer.usual_db_mm() * NP_PER_DB;
        let mut through_mm = length_mm;
        if rates.attenuation > 0.0 {
            let spent = libm::log(self.amplitude / SPENT_AMPLITUDE) / rates.attenuation;
            through_mm = through_mm.min(spent);
        }
        if rates.attenuation > BLOCKING * usual_np_mm {
            let left = SHADOW_DB * NP_PER_DB - self.loss_np;
            through_mm = through_mm.min(left / rates.attenuation);
            self.loss_np += rates.attenuation * length_mm;
        }
        self.amplitude *= libm::exp(-rates.attenuation * length_mm);
        through_mm
    }
}

/// Two-way amplitude below which a path is spent: −120 dB.
const SPENT_AMPLITUDE: f64 = 1e-6;

fn usual_slope(tracer: &Tracer<'_>) -> f64 {
    tracer.usual_db_mm() * NP_PER_DB / tracer.f_mhz
}

/// Which path reaches a place, at one depth. Reused.
#[derive(Debug, Default)]
struct Row {
    /// Where each path has got to, and how strong it still is there.
    paths: Vec<(f32, f32)>,
    /// What the path brings that is taken so far.
    best: Vec<f32>,
    /// By place: the path, in fractions.
    reaching: Vec<f32>,
}

impl Row {
    fn take(&mut self, paths: impl Iterator<Item = (f32, f32)>) {
        self.paths.clear();
        self.paths.extend(paths);
    }

    /// From paths to places; where paths cross, the one that brings most counts.
    fn invert(&mut self) {
        let count = self.paths.len();
        self.best.clear();
        self.best.resize(count, -1.0);
        self.reaching.resize(count, 0.0);
        for (path, pair) in self.paths.windows(2).enumerate() {
            let ((from, a), (to, b)) = (pair[0], pair[1]);
            let span = to - from;
            let brought = a.min(b) / span.abs().max(1e-3);
            // Casting cuts, and turns what is below 0 to 0.
            let low = from.min(to);
            let cut = low as usize;
            let first = cut + usize::from(low > cut as f32);
            let end = ((from.max(to) + 1.0) as usize).min(count);
            for at in first..end {
                if brought > self.best[at] {
                    self.best[at] = brought;
                    self.reaching[at] = path as f32 + fraction_of(at as f32 - from, span);
                }
            }
        }
        for at in 0..count {
            if self.best[at] < 0.0 {
                self.reaching[at] = self.beyond_edge(at as f32);
            }
        }
    }

    /// Which path would reach a place beyond the outermost paths: the bend there goes on.
    fn beyond_edge(&self, at: f32) -> f32 {
        let last = self.paths.len() - 1;
        let path = if at < self.paths[0].0 { 0 } else { last - 1 };
        let (low, high) = (self.paths[path].0, self.paths[path + 1].0);
        path as f32 + fraction_of(at - low, high - low).clamp(-8.0, 8.0)
    }
}

fn fraction_of(part: f32, whole: f32) -> f32 {
    if whole.abs() > 1e-3 {
        part / whole
    } else {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use super::{Crowd, Row};

    /// Places on, just beside and far from the edges of 128 paths, and no places at all.
    const PLACES: [f32; 12] = [
        -1.0,
        -0.999_999_94,
        -1e-9,
        0.0,
        0.5,
        126.999_99,
        127.0,
        127.999_99,
        128.0,
        1e30,
        f32::NEG_INFINITY,
        f32::NAN,
    ];

    #[test]
    fn any_places_can_be_counted_and_inverted() {
        let (mut crowd, mut row) = (Crowd::default(), Row::default());
        for odd in PLACES {
            for at in [0, 1, 64, 127] {
                let place = |path: usize| if path == at { odd } else { path as f32 };
                crowd.take((0..128).map(place));
                row.take((0..128).map(|path| (place(path), 1.0)));
                row.invert();
                assert_eq!(row.reaching.len(), 128);
                assert!((0..128).all(|place| crowd.round(place, 3).is_finite()));
            }
        }
        crowd.take((0..128).map(|path| path as f32));
        assert!((0..128).all(|place| (crowd.round(place, 3) - 1.0).abs() < 1e-5));
    }
}
