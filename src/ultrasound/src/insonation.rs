//! Insonation: for every place in the slice what the sound that reaches it has gone
//! through, and on which line its echo appears.
//!
//! Paths start from the face at every line and between lines, in several slices across the
//! elevation; each fills one row of cells along its depth.

use nalgebra::Vector3;
use rayon::prelude::*;

use geometry::frame::{self, Patient as PatientFrame};
use geometry::{Point, Pose};

use crate::grid::{ScanGrid, Shape};
use crate::medium::{AIR, MediumId};
use crate::path::{Path, SHADOW_DB, Start, State, TraceMemory, Tracer};

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
    pub fn new(grid: &ScanGrid, slices: usize, slice_mm: f64, nodes: usize) -> Self {
        let paths_per_line = 256usize.div_ceil(grid.lines).clamp(1, 8);
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

    /// u of a path.
    pub fn u_of_path(&self, grid: &ScanGrid, path: usize) -> f64 {
        grid.u_of_line(path as f64 / self.paths_per_line as f64)
    }
}

/// What the sound that reaches a place has gone through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cell {
    /// Two-way amplitude at the working frequency.
    pub amplitude: f32,
    /// Delay minus depth, mm.
    pub shift_mm: f32,
    /// How far the path has been bent out of its slice, mm.
    pub lift_mm: f32,
    /// What is there.
    pub medium: MediumId,
    /// Which of the beam's variants holds: see `Variants`.
    pub variant: u8,
}

/// The insonation of one look at one moment.
#[derive(Debug, Default)]
pub(crate) struct Insonation {
    /// `[slice][path][node]`.
    pub cells: Vec<Cell>,
    /// How a path has been bent, as traced: `[slice][path][node]`.
    bends: Vec<Bend>,
    /// How far paths have been bent along the scan, in paths, smoothed: `[slice][path][node]`.
    sideways: Vec<f32>,
    /// `[slice][node / INVERSE_STEP][place]`: the path, in fractions, that reaches the place.
    inverse: Vec<f32>,
    /// By slice: whether any path is bent.
    is_bent: Vec<bool>,
    /// `[slice][path]`.
    pub paths: Vec<Path>,
    /// Two-way slope of attenuation on the middle slice at the lines: `[line][node]`, Np/MHz.
    pub slopes: Vec<f32>,
    memories: Vec<(TraceMemory, Vec<Start>)>,
}

/// How one path has been bent up to a place.
#[derive(Clone, Copy, Debug, Default)]
struct Bend {
    /// Delay minus depth, mm.
    shift_mm: f32,
    /// Out of the slice, mm.
    lift_mm: f32,
    /// Along the scan, in paths.
    sideways: f32,
    /// Amplitude.
    weight: f32,
}

/// Width over which a wave front smooths what it goes through, mm: about a third of an abdominal
/// probe's aperture (estimate).
const FRONT_MM: f64 = 5.0;

/// Sliding means over `2 reach + 1` paths, all nodes side by side.
fn smooth_slice(
    cells: &mut [Cell],
    sideways: &mut [f32],
    bends: &[Bend],
    nodes: usize,
    reach: usize,
) {
    let paths = bends.len() / nodes;
    let row = |path: usize| &bends[path * nodes..(path + 1) * nodes];
    let mut sums = vec![Bend::default(); nodes];
    let gather = |sums: &mut [Bend], bends: &[Bend], sign: f32| {
        for (sum, bend) in sums.iter_mut().zip(bends) {
            let weight = sign * (bend.weight + LEAST_FRONT_WEIGHT);
            sum.shift_mm += weight * bend.shift_mm;
            sum.lift_mm += weight * bend.lift_mm;
            sum.sideways += weight * bend.sideways;
            sum.weight += weight;
        }
    };
    let mut amplitudes = vec![0.0f32; nodes];
    for path in 0..paths {
        // Summed anew for each path: a running sum would gather rounding errors of strong paths
        // in the shadow of weak ones.
        sums.fill(Bend::default());
        for near in path.saturating_sub(reach)..(path + reach + 1).min(paths) {
            gather(&mut sums, row(near), 1.0);
        }
        amplitudes.fill(0.0);
        for (step, weight) in PENUMBRA.iter().enumerate() {
            let near = (path + step)
                .saturating_sub(PENUMBRA.len() / 2)
                .min(paths - 1);
            for (sum, bend) in amplitudes.iter_mut().zip(row(near)) {
                *sum += weight * bend.weight;
            }
        }
        let out = path * nodes..(path + 1) * nodes;
        let outs = cells[out.clone()].iter_mut().zip(&mut sideways[out]);
        for (((cell, sideways), sum), amplitude) in outs.zip(&sums).zip(&amplitudes) {
            let inverse = 1.0 / sum.weight;
            cell.amplitude = *amplitude;
            cell.shift_mm = sum.shift_mm * inverse;
            cell.lift_mm = sum.lift_mm * inverse;
            *sideways = sum.sideways * inverse;
        }
    }
}

/// A place is reached over an aperture, not by one path: shadows have soft edges, and a path lost
/// by itself leaves no dark line.
const PENUMBRA: [f32; 5] = [0.1, 0.2, 0.4, 0.2, 0.1];

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

/// Rows of cells that share one row of the inverse.
const INVERSE_STEP: usize = 4;

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
        self.cells.resize(count * division.nodes, Cell::default());
        self.bends.resize(count * division.nodes, Bend::default());
        let tasks = count.div_ceil(PATHS_PER_TASK);
        self.memories.resize_with(tasks, Default::default);
        let nodes = division.nodes;
        self.paths
            .par_chunks_mut(PATHS_PER_TASK)
            .zip(self.cells.par_chunks_mut(PATHS_PER_TASK * nodes))
            .zip(self.bends.par_chunks_mut(PATHS_PER_TASK * nodes))
            .zip(self.memories.par_iter_mut())
            .enumerate()
            .for_each(|(task, (((paths, cells), bends), (memory, starts)))| {
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
                    let rows = (&mut cells[row.clone()], &mut bends[row]);
                    fill(path, home, rows, tracer, grid, division, variants);
                }
            });
        self.is_bent.clear();
        for slice in self.paths.chunks(division.paths) {
            self.is_bent.push(slice.iter().any(|path| path.is_bent));
        }
        self.smooth(grid, division);
        self.spread(division);
        self.invert(division);
        self.gather_slopes(tracer, grid, division);
    }

    /// A wave front is as wide as the aperture and smooths over what single paths go through:
    /// neighbouring paths share their bends and delays, weighted by what they carry.
    fn smooth(&mut self, grid: &ScanGrid, division: &Division) {
        let nodes = division.nodes;
        let slice_len = division.paths * nodes;
        self.sideways.resize(division.slices * slice_len, 0.0);
        let spacing_mm = grid
            .line_distance_mm(0.0)
            .max(grid.line_distance_mm(grid.depth_mm()) / 3.0)
            / division.paths_per_line as f64;
        let reach = libm::round(FRONT_MM / 2.0 / spacing_mm) as usize;
        let slices = self
            .cells
            .par_chunks_mut(slice_len)
            .zip(self.sideways.par_chunks_mut(slice_len))
            .zip(self.bends.par_chunks(slice_len))
            .zip(&self.is_bent);
        slices.for_each(|(((cells, sideways), bends), &bent)| {
            if bent && reach > 0 && division.paths > 2 * reach {
                smooth_slice(cells, sideways, bends, nodes, reach);
            } else {
                for ((cell, sideways), bend) in cells.iter_mut().zip(sideways).zip(bends) {
                    cell.shift_mm = bend.shift_mm;
                    cell.lift_mm = bend.lift_mm;
                    *sideways = bend.sideways;
                }
            }
        });
    }

    /// Where paths spread, sound thins out; where they crowd, it gathers.
    fn spread(&mut self, division: &Division) {
        let nodes = division.nodes;
        let slice_len = division.paths * nodes;
        let slices = self
            .cells
            .chunks_mut(slice_len)
            .zip(self.sideways.chunks(slice_len));
        for ((cells, sideways), &bent) in slices.zip(&self.is_bent) {
            if !bent || division.paths < 3 {
                continue;
            }
            cells
                .par_chunks_mut(nodes)
                .enumerate()
                .for_each(|(path, cells)| {
                    let left = path.saturating_sub(1);
                    let right = (path + 1).min(division.paths - 1);
                    let span = (right - left) as f32;
                    let row = |path: usize| &sideways[path * nodes..(path + 1) * nodes];
                    let (left, right) = (row(left), row(right));
                    for ((cell, left), right) in cells.iter_mut().zip(left).zip(right) {
                        let spread = ((span + right - left) / span).abs();
                        cell.amplitude /= spread.clamp(0.7, 3.0);
                    }
                });
        }
    }

    /// For each place in each row the path that reaches it.
    fn invert(&mut self, division: &Division) {
        let rows = division.nodes.div_ceil(INVERSE_STEP);
        let per_slice = rows * division.paths;
        self.inverse.resize(division.slices * per_slice, 0.0);
        let slices = self.inverse.chunks_mut(per_slice);
        for (slice, inverse) in slices.enumerate() {
            if !self.is_bent[slice] {
                continue;
            }
            let sideways = &self.sideways[slice * division.paths * division.nodes..];
            inverse
                .par_chunks_mut(division.paths)
                .enumerate()
                .for_each(|(row, inverse)| {
                    let node = row * INVERSE_STEP;
                    let place = |path: usize| path as f32 + sideways[path * division.nodes + node];
                    invert_row(place, inverse);
                });
        }
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
        let path = self.path_reaching(division, slice, node.min(division.nodes - 1), at);
        let nearest = (path + 0.5).clamp(0.0, (division.paths - 1) as f32) as usize;
        let row = (slice * division.paths + nearest) * division.nodes;
        let cells = &self.cells[row..row + division.nodes];
        let cell = *cells.get(node)?;
        let low = (along as usize).min(division.nodes - 2);
        let fraction = along - low as f32;
        let (a, b) = (cells[low].shift_mm, cells[low + 1].shift_mm);
        (cell.amplitude > 0.0).then_some(Reached {
            cell,
            path,
            shift_mm: a + (b - a) * fraction,
        })
    }

    /// The path, in fractions, whose sound reaches the place of path `at` (in fractions).
    pub fn path_reaching(&self, division: &Division, slice: usize, node: usize, at: f32) -> f32 {
        if !self.is_bent[slice] {
            return at;
        }
        let rows = division.nodes.div_ceil(INVERSE_STEP);
        let start = (slice * rows + node / INVERSE_STEP) * division.paths;
        let row = &self.inverse[start..start + division.paths];
        let low = (at.max(0.0) as usize).min(division.paths.saturating_sub(2));
        let high = (low + 1).min(division.paths - 1);
        row[low] + (row[high] - row[low]) * (at - low as f32)
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

/// Fills the cells along one path.
fn fill(
    path: &Path,
    home: usize,
    (cells, bends): (&mut [Cell], &mut [Bend]),
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
        let last = last.min(cells.len());
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
        let rows = cells[first..last].iter_mut().zip(&mut bends[first..last]);
        for (index, (cell, bend)) in rows.enumerate() {
            let at = index as f64;
            *cell = Cell {
                amplitude,
                medium: segment.medium,
                variant,
                ..Cell::default()
            };
            let sideways = ((u0 + u_step * at - home_u) / pitch) as f32;
            let weight = amplitude;
            *bend = Bend {
                shift_mm: (shift0 + shift_step * at) as f32,
                lift_mm: (e0 + e_step * at - home_e) as f32,
                sideways,
                weight,
            };
            amplitude *= decay;
        }
    }
    for cell in &mut cells[next..] {
        *cell = Cell {
            medium: AIR,
            ..Cell::default()
        };
    }
    bends[next..].fill(Bend::default());
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

/// Two-way slopes of attenuation along a path at equal delays.
fn fill_slopes(path: &Path, slopes: &mut [f32], tracer: &Tracer<'_>, node_mm: f64) {
    let mut next = 0;
    let mut slope = 0.0;
    for segment in &path.segments {
        let rates = &tracer.rates[tracer.medium.index(segment.medium)];
        // Where hardly anything gets through, what is seen came another way: its band goes on as
        // before.
        if segment.state.amplitude < SPENT_AMPLITUDE
            || segment.state.excess_db > SHADOW_DB
            || tracer.medium.material(segment.medium).is_gas()
        {
            break;
        }
        let start = segment.state.delay_mm;
        let end = start + segment.length_mm * rates.delay;
        let last = (libm::ceil(end / node_mm).max(0.0) as usize).min(slopes.len());
        for (node, out) in slopes.iter_mut().enumerate().take(last).skip(next) {
            let s = (node as f64 * node_mm - start) / rates.delay;
            slope = segment.state.slope + rates.slope * s;
            *out = slope as f32;
        }
        next = next.max(last);
    }
    let usual = usual_slope(tracer) * node_mm;
    for out in &mut slopes[next..] {
        slope += usual;
        *out = slope as f32;
    }
}

/// Two-way amplitude below which a path is spent: −80 dB.
const SPENT_AMPLITUDE: f64 = 1e-4;

fn usual_slope(tracer: &Tracer<'_>) -> f64 {
    tracer.usual_db_mm() * crate::medium::NP_PER_DB / tracer.f_mhz
}

/// From where paths have got to (ascending but for folds) to which path reaches a place.
fn invert_row(place: impl Fn(usize) -> f32, inverse: &mut [f32]) {
    let count = inverse.len();
    let mut path = 0;
    for (at, out) in inverse.iter_mut().enumerate() {
        let at = at as f32;
        while path + 2 < count && place(path + 1) < at {
            path += 1;
        }
        let (low, high) = (place(path), place((path + 1).min(count - 1)));
        let span = high - low;
        let fraction = if span > 1e-3 { (at - low) / span } else { 0.5 };
        *out = path as f32 + fraction.clamp(-8.0, 8.0);
    }
}
