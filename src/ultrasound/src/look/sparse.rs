//! A look's echoes but for those of tissue that is looked at straight: interfaces, mirrors, the lens,
//! loose scatterers; and what the face throws back.

use geometry::Point;
use geometry::frame;
use nalgebra::Vector3;
use rayon::prelude::*;

use super::{LookPlan, Work};
use crate::engine::Setting;
use crate::frame::Account;
use crate::grid::REFERENCE_SPEED_M_S;
use crate::interface_echoes::InterfaceStage;
use crate::mirror::{MirrorStage, mirrored_points, mirrored_starts};
use crate::path::{Path, TraceMemory, Tracer};
use crate::receive::Rebound;
use crate::splat::Echoes;

/// The body wall ends here at the latest, mm.
const WALL_DEPTH_MM: f64 = 60.0;

/// Rebounds weaker than this do not count: −70 dB.
const LEAST_REBOUND: f64 = 3e-4;

/// Strongest rebounds of a line that count.
const MOST_REBOUNDS: usize = 6;

/// Echoes come back to the face within this angle, 1/e of amplitude: about 6 degrees.
const REBOUND_RAD: f64 = 0.1;

/// Loose scatterers that one task works on.
const POINTS_PER_TASK: usize = 8192;

/// Scattering length of a loose scatterer of amplitude 1, mm.
const POINT_LENGTH_MM: f64 = 0.1;

/// The pulse ringing in the lens: amplitude re a perfect mirror, and what is left of it from ring
/// to ring; with air before the lens, and with the body (estimates from pictures of probes in
/// air: some five to eight bands, gone after about 2 cm).
const LENS_IN_AIR: f64 = 0.1;
const LENS_IN_CONTACT: f64 = 0.0015;
const LENS_DECAY_IN_AIR: f64 = 0.62;
const LENS_DECAY_IN_CONTACT: f64 = 0.25;

/// The echoes of one task but for those of tissue that is looked at straight.
#[derive(Debug, Default)]
pub(super) struct SparseEchoes {
    /// Of tissue in mirrors.
    pub tissue: Echoes,
    pub others: Echoes,
}

impl SparseEchoes {
    fn len(&self) -> u64 {
        (self.tissue.len() + self.others.len()) as u64
    }
}

impl LookPlan {
    /// Traces on what mirrors have turned, in the middle slice.
    pub(super) fn mirror(&mut self, setting: &Setting<'_>) {
        let work = &mut self.work;
        work.mirrored.clear();
        if !setting.effects.secondary_paths {
            return;
        }
        let (starts, mirrored) = mirrored_starts(&work.insonation, &self.division, &self.grid);
        work.mirrored = mirrored;
        let tracer = setting.tracer(self.grid.depth_mm(), false);
        let grid = &self.grid;
        work.mirrored
            .par_chunks_mut(64)
            .zip(starts.par_chunks(64))
            .for_each(|(mirrored, starts)| {
                let mut memory = TraceMemory::default();
                let mut paths = vec![Path::default(); starts.len()];
                tracer.trace(starts, &mut paths, &mut memory);
                for (mirrored, path) in mirrored.iter_mut().zip(paths) {
                    mirrored.walked = path;
                    mirrored.end_at_face(grid);
                }
            });
    }

    /// What the face throws back, and the body wall that makes haze, line by line.
    pub(super) fn rebounds(&mut self, setting: &Setting<'_>) {
        let lines = self.grid.lines;
        self.work.rebounds.resize_with(lines, Vec::new);
        self.work.walls_mm.resize(lines, 0.0);
        let face = &setting.probe.face;
        for line in 0..lines {
            let mut rebounds = std::mem::take(&mut self.work.rebounds[line]);
            rebounds.clear();
            let path = self.line_path(line);
            if setting.effects.secondary_paths {
                for echo in path.echoes.iter().filter(|echo| !echo.is_layer) {
                    let angle = libm::acos(echo.cosine) / REBOUND_RAD;
                    let amplitude = face.reflectivity * echo.amplitude * libm::exp(-angle * angle);
                    if amplitude.abs() > LEAST_REBOUND {
                        rebounds.push(Rebound {
                            delay_mm: echo.delay_mm,
                            amplitude,
                            echo: echo.amplitude,
                        });
                    }
                }
                rebounds.sort_by(|a, b| b.amplitude.abs().total_cmp(&a.amplitude.abs()));
                rebounds.truncate(MOST_REBOUNDS);
            }
            let wall = path
                .segments
                .iter()
                .take_while(|segment| segment.state.delay_mm < WALL_DEPTH_MM)
                .last()
                .map_or(0.0, |last| last.state.wall_mm);
            let wall = if setting.effects.clutter { wall } else { 0.0 };
            self.work.walls_mm[line] = wall as f32;
            self.work.rebounds[line] = rebounds;
        }
        smooth(&mut self.work.walls_mm, lines / 12);
    }

    /// What the face throws back of echoes as the lines hear them, once they are on the lines.
    pub(super) fn weaken_rebounds(&mut self, setting: &Setting<'_>) {
        // Wider apart, echoes no longer come from the same thing: half a wavelength each way.
        let half_mm = 0.5 * setting.wavelength_mm();
        let Work {
            raster, rebounds, ..
        } = &mut self.work;
        for (line, rebounds) in rebounds.iter_mut().enumerate() {
            for rebound in rebounds.iter_mut() {
                let sum = raster.sum_around(&self.layout, line, rebound.delay_mm, half_mm);
                let row = libm::round(rebound.delay_mm / self.layout.row_mm) as usize;
                let row = row.min(self.plane_by_row.len() - 1);
                let plane = f64::from(self.plane_by_row[row]) / self.focal_area_mm2;
                *rebound = rebound.weakened(f64::from(sum) / plane);
            }
            rebounds.retain(|rebound| rebound.amplitude.abs() > LEAST_REBOUND);
        }
    }

    /// Echoes of interfaces, mirrors, the lens and loose scatterers, into one list per task.
    pub(super) fn sparse_echoes(
        &mut self,
        setting: &Setting<'_>,
        tracer: &Tracer<'_>,
        account: &mut Account,
    ) {
        let slices = self.division.slices;
        let mirror_tasks = self.work.mirrored.len().div_ceil(64);
        let points = &setting.medium.points_mm;
        let point_tasks = points.len().div_ceil(POINTS_PER_TASK);
        let tasks = slices + 1 + mirror_tasks + point_tasks;
        let mut lists = std::mem::take(&mut self.work.lists);
        lists.resize_with(tasks, SparseEchoes::default);
        let strengths = if setting.effects.speckle {
            self.strengths(setting)
        } else {
            vec![0.0; setting.medium.media()]
        };
        let interfaces = InterfaceStage {
            medium: setting.medium,
            grid: &self.grid,
            division: &self.division,
            insonation: &self.work.insonation,
            tables: &self.tables,
            slice_weights: &self.slice_weights,
            focal_area_mm2: self.focal_area_mm2,
            wavelength_mm: setting.wavelength_mm(),
            secondary: setting.effects.secondary_paths,
            displacement: setting.view.displacement.as_deref(),
        };
        let mirrored_points = if self.work.mirrored.is_empty() {
            Vec::new()
        } else {
            let place = self.point_places(setting);
            mirrored_points(setting.medium, self.point_unit(setting), |i| {
                place(i).coords
            })
        };
        let mirrors = MirrorStage {
            medium: setting.medium,
            grid: &self.grid,
            division: &self.division,
            tables: &self.tables,
            strengths: &strengths,
            elevation_width_mm: &self.elevation_width_mm,
            focal_area_mm2: self.focal_area_mm2,
            seed: setting.view.seed,
            displacement: setting.view.displacement.as_deref(),
            points: &mirrored_points,
        };
        lists.par_iter_mut().enumerate().for_each(|(task, list)| {
            let SparseEchoes { tissue, others } = list;
            tissue.clear();
            others.clear();
            if task < slices {
                interfaces.echoes(task, others);
            } else if task == slices {
                self.lens_echoes(setting, others);
            } else if let Some(points) = task.checked_sub(slices + 1 + mirror_tasks) {
                self.point_echoes(setting, points, others);
            } else {
                let first = (task - slices - 1) * 64;
                let last = (first + 64).min(self.work.mirrored.len());
                for mirrored in &self.work.mirrored[first..last] {
                    mirrors.tissue_echoes(mirrored, tracer, tissue);
                    mirrors.interface_echoes(mirrored, others);
                }
                mirrors.point_echoes(&self.work.mirrored, first..last, tracer, others);
            }
            for list in [tissue, others] {
                list.shear(&self.layout);
                list.set_carrier(setting.f0_mhz);
            }
        });
        account.interface_echoes += lists[..slices].iter().map(SparseEchoes::len).sum::<u64>();
        account.secondary_scatterers += lists[slices + 1..slices + 1 + mirror_tasks]
            .iter()
            .map(SparseEchoes::len)
            .sum::<u64>();
        self.work.lists = lists;
    }

    /// In air the pulse rings in the lens: bright bands at the face, fading.
    fn lens_echoes(&self, setting: &Setting<'_>, list: &mut Echoes) {
        let face = &setting.probe.face;
        if !setting.effects.secondary_paths || face.lens_mm <= 0.0 {
            return;
        }
        let step = face.lens_mm * REFERENCE_SPEED_M_S / face.lens_speed_m_s;
        for path in 0..self.division.paths {
            let middle = self.division.slices / 2 * self.division.paths;
            let in_air = self.work.insonation.paths[middle + path].in_air;
            let mut amplitude = if in_air { LENS_IN_AIR } else { LENS_IN_CONTACT };
            let decay = if in_air {
                LENS_DECAY_IN_AIR
            } else {
                LENS_DECAY_IN_CONTACT
            };
            let line = path as f32 / self.division.paths_per_line as f32;
            for ring in 0..64 {
                let z = (f64::from(ring) + 0.4) * step;
                if amplitude < 1e-6 || z > self.grid.depth_mm() {
                    break;
                }
                let depth = self.tables.depth_node(z as f32);
                let width = self.grid.line_distance_mm(z) / self.division.paths_per_line as f64;
                let row = self
                    .tables
                    .row((line + 0.5) as usize % self.grid.lines, 0, depth);
                let gain = f64::from(self.bank.gain_at(z)).max(1e-3);
                let patch = width / f64::from(self.elevation_width_mm[depth]).max(0.1);
                list.push(
                    line,
                    z as f32,
                    ((amplitude * patch / gain) as f32, 0.0),
                    row,
                );
                amplitude *= decay;
            }
        }
    }

    /// Amplitude of the echo that a loose scatterer of amplitude 1 has on the axis in the focus.
    fn point_unit(&self, setting: &Setting<'_>) -> f64 {
        POINT_LENGTH_MM * setting.wavelength_mm() / self.focal_area_mm2
    }

    /// Where each loose scatterer is now.
    fn point_places<'a>(
        &self,
        setting: &'a Setting<'_>,
    ) -> impl Fn(usize) -> Point<frame::Probe> + 'a {
        let probe_from_patient = setting.view.patient_from_probe.inverse();
        let displacement = setting.view.displacement.as_deref();
        move |index| {
            let rest = Vector3::from(setting.medium.points_mm[index]).map(f64::from);
            let now = displacement.map_or(rest, |d| {
                let layer = d.layer_of(setting.medium.medium_of_point(index));
                rest + d.field(layer).at(rest)
            });
            probe_from_patient * Point::from_coords(now)
        }
    }

    /// Echoes of loose scatterers.
    fn point_echoes(&self, setting: &Setting<'_>, task: usize, list: &mut Echoes) {
        let medium = setting.medium;
        let first = task * POINTS_PER_TASK;
        let last = (first + POINTS_PER_TASK).min(medium.points_mm.len());
        let unit = self.point_unit(setting);
        let place = self.point_places(setting);
        let division = &self.division;
        for index in first..last {
            let [u, z, e] = self.grid.beam_coordinates(place(index));
            if !(z > 0.0 && z < self.grid.depth_mm() * 1.2) {
                continue;
            }
            let at = self.grid.line_of_u(u) * division.paths_per_line as f64;
            let margin = (self.tables.taps / 2 * division.paths_per_line) as f64;
            if at < -margin || at > division.paths as f64 + margin {
                continue;
            }
            let Some(seen) = self
                .work
                .insonation
                .look_up(division, at as f32, z as f32, e as f32)
            else {
                continue;
            };
            let depth = self.tables.depth_node(z as f32);
            let profile = self.tables.elevation(depth, e as f32 - seen.cell.lift_mm());
            let amplitude = (unit as f32) * medium.point_amplitudes[index] * seen.cell.amplitude;
            if amplitude == 0.0 || profile.norm_sqr() == 0.0 {
                continue;
            }
            let line = seen.path / division.paths_per_line as f32;
            let near = ((line + 0.5).max(0.0) as usize).min(self.grid.lines - 1);
            let row = self.tables.row(near, seen.cell.variant, depth);
            let complex = (profile.re * amplitude, profile.im * amplitude);
            list.push(line, z as f32 + seen.shift_mm, complex, row);
        }
    }
}

/// Means over `2 reach + 1` neighbours.
fn smooth(values: &mut [f32], reach: usize) {
    let raw = values.to_vec();
    for (index, value) in values.iter_mut().enumerate() {
        let near = &raw[index.saturating_sub(reach)..(index + reach + 1).min(raw.len())];
        *value = near.iter().sum::<f32>() / near.len() as f32;
    }
}
