//! From a medium, a probe and its pose to a frame.
//!
//! Three kinds of objects: the [`Medium`] lives as long as the patient, the [`Imager`] as long as a
//! setting of the console, what a frame needs is kept inside the imager and used again.

use std::sync::Arc;

use equipment::{Array, Console, Effects, Probe};
use geometry::frame::{self, Patient as PatientFrame};
use geometry::{Point, Pose};
use nalgebra::{Complex, Vector3};
use rayon::prelude::*;
use thiserror::Error;

use crate::beam::Beam;
use crate::displacement::Displacement;
use crate::frame::{Account, BmodeFrame, Facts, Look, Truth};
use crate::grid::{REFERENCE_SPEED_M_S, ScanGrid, Shape};
use crate::insonation::{self, Division, Insonation};
use crate::interface_echoes::{InterfaceStage, slice_weights};
use crate::mirror::{MirrorStage, Mirrored, mirrored_points, mirrored_starts};
use crate::path::{Path, Rates, Start, TraceMemory, Tracer, rates};
use crate::receive::{Heard, PulseBank, Rebound, ReceiveMemory, Reception, plane_by_row};
use crate::splat::{Echoes, Layout, Raster};
use crate::tables::Tables;
use crate::tissue_echoes::{Thinning, TissueMemory, TissueStage};
use crate::truth::{self, LinePaths};

pub use crate::medium::Medium;

/// Why there is no picture.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum UltrasoundError {
    /// Probe and settings do not fit each other.
    #[error("{0}")]
    Setting(String),
    /// The patient's surfaces cannot be looked at.
    #[error("{0}")]
    Medium(String),
}

/// Where the probe is and what the moment is like.
#[derive(Clone, Debug)]
pub struct View {
    /// Where the probe is.
    pub patient_from_probe: Pose<PatientFrame, frame::Probe>,
    /// Thickness of the gel: gaps between face and skin up to it carry sound, mm.
    pub gel_mm: f64,
    /// Tick of the simulation: noise and moving blood follow from it.
    pub tick: u64,
    /// Seed of everything random.
    pub seed: u64,
    /// Whether each sample's truth is wanted.
    pub truth: bool,
    /// How tissue has moved since the patient was made; the medium's surfaces have to have moved
    /// with it.
    pub displacement: Option<Arc<Displacement>>,
}

impl View {
    /// A still view with gel and without truth, seed 0.
    pub fn at(patient_from_probe: Pose<PatientFrame, frame::Probe>) -> Self {
        Self {
            patient_from_probe,
            gel_mm: 3.0,
            tick: 0,
            seed: 0,
            truth: false,
            displacement: None,
        }
    }
}

/// The parts of a frame's work, in their order; [`Imager::frame_watched`] tells when each is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Paths through the surfaces.
    Paths,
    /// Echoes of interfaces, mirrors, loose scatterers.
    Interfaces,
    /// Echoes of tissue, and all echoes on to lines.
    Tissue,
    /// Reverberation, pulse, noise, envelope.
    Receive,
    /// Facts and truth.
    Truth,
}

/// Electronic noise, dB below a perfect mirror's echo. With it a curved array at 3.5 MHz sees
/// about 16 cm into tissue of 0.5 dB/cm/MHz, as such probes do (estimate).
const NOISE_DB: f64 = -125.0;

/// Haze of the body wall at the face, dB, for 30 mm of fat and muscle (estimate).
const HAZE_DB: f64 = -84.0;

/// The body wall ends here at the latest, mm.
const WALL_DEPTH_MM: f64 = 60.0;

/// Rebounds weaker than this do not count: −70 dB.
const LEAST_REBOUND: f64 = 3e-4;

/// Strongest rebounds of a line that count.
const MOST_REBOUNDS: usize = 6;

/// Echoes come back to the face within this angle, 1/e of amplitude: about 6 degrees.
const REBOUND_RAD: f64 = 0.1;

/// A probe at one setting: beam tables and all that follows from them. Made once per setting.
#[derive(Debug)]
pub struct Imager {
    looks: Vec<LookPlan>,
    finder: FactFinder,
    effects: Effects,
    f0_mhz: f64,
    probe: Probe,
}

/// One look: what follows from the setting, and a frame's memory.
#[derive(Debug)]
struct LookPlan {
    grid: Arc<ScanGrid>,
    tables: Tables,
    division: Division,
    thinning: Thinning,
    layout: Layout,
    /// The pulse of echoes on the axis.
    bank: PulseBank,
    /// The pulse of tissue's echoes, from all over the beam.
    tissue_bank: PulseBank,
    gain_by_sample: Vec<f32>,
    oversampling: usize,
    slice_weights: Vec<f32>,
    plane_by_row: Vec<f32>,
    elevation_width_mm: Vec<f32>,
    focal_area_mm2: f64,
    sensitivity_db: Vec<f32>,
    work: Work,
}

/// A frame's memory, used again.
#[derive(Debug, Default)]
struct Work {
    insonation: Insonation,
    bands: Vec<BandWork>,
    lists: Vec<SparseEchoes>,
    mirrored: Vec<Mirrored>,
    /// Tissue's echoes.
    tissue: Raster,
    /// All others.
    raster: Raster,
    receive: Vec<ReceiveMemory>,
    rebounds: Vec<Vec<Rebound>>,
    haze: Vec<f32>,
}

#[derive(Debug, Default)]
struct BandWork {
    memory: TissueMemory,
    tissue: Splatted,
    others: Splatted,
    tissue_count: u64,
}

/// Echoes and the rows that they make.
#[derive(Debug, Default)]
struct Splatted {
    echoes: Echoes,
    raster: Raster,
}

impl Splatted {
    fn splat(&mut self, layout: &Layout, tables: &Tables) {
        self.raster.prepare(layout, self.echoes.delays_mm());
        self.raster.add(layout, tables, &self.echoes);
    }
}

/// The echoes of one task but for those of tissue that is looked at straight.
#[derive(Debug, Default)]
struct SparseEchoes {
    /// Of tissue in mirrors.
    tissue: Echoes,
    others: Echoes,
}

impl SparseEchoes {
    fn len(&self) -> u64 {
        (self.tissue.len() + self.others.len()) as u64
    }
}

impl Imager {
    /// Works out beams and lines.
    ///
    /// # Errors
    ///
    /// Settings that the probe cannot do.
    pub fn new(probe: &Probe, console: &Console) -> Result<Self, UltrasoundError> {
        Self::with_density(probe, console, crate::speckle::PER_RESOLUTION_CELL)
    }

    /// As [`Imager::new`], with at least so many scatterers in a resolution cell (no fewer than 4).
    /// With fewer than 15 speckle is not fully developed: enough for a quick look only.
    ///
    /// # Errors
    ///
    /// Settings that the probe cannot do.
    pub fn with_density(
        probe: &Probe,
        console: &Console,
        per_cell: f64,
    ) -> Result<Self, UltrasoundError> {
        /// Fewer would no longer look like tissue.
        const FEWEST_PER_CELL: f64 = 4.0;
        let per_cell = per_cell.max(FEWEST_PER_CELL);
        let f0_mhz = console.frequency_mhz.unwrap_or(probe.center_frequency_mhz);
        let is_linear = matches!(probe.array, Array::Linear { .. });
        let others = if is_linear {
            console.compounding_deg.as_slice()
        } else {
            &[]
        };
        let angles = std::iter::once(0.0).chain(others.iter().copied());
        let looks = angles
            .map(|angle| LookPlan::new(probe, console, angle, f0_mhz, per_cell))
            .collect();
        Ok(Self {
            looks,
            finder: FactFinder::new(probe, console),
            effects: console.effects,
            f0_mhz,
            probe: probe.clone(),
        })
    }

    /// The lines of each look.
    pub fn grids(&self) -> Vec<Arc<ScanGrid>> {
        self.looks.iter().map(|look| look.grid.clone()).collect()
    }

    /// Working frequency, MHz.
    pub fn frequency_mhz(&self) -> f64 {
        self.f0_mhz
    }

    /// Electronic noise of the receiver, dB re a perfect mirror's echo, before any gain.
    pub fn noise_db(&self) -> f64 {
        NOISE_DB
    }

    /// How bright speckle would be at each sample of the first look in a medium without
    /// attenuation, dB over that at its brightest: what the machine knows of its own beam.
    pub fn sensitivity_db(&self) -> &[f32] {
        &self.looks[0].sensitivity_db
    }

    /// Makes a frame.
    pub fn frame(&mut self, medium: &Medium, view: &View) -> BmodeFrame {
        self.frame_watched(medium, view, &mut |_| {})
    }

    /// Makes a frame and tells after each stage of each look that it is done.
    pub fn frame_watched(
        &mut self,
        medium: &Medium,
        view: &View,
        done: &mut dyn FnMut(Stage),
    ) -> BmodeFrame {
        let rates = rates(medium, self.f0_mhz, &self.effects);
        let setting = Setting {
            medium,
            view,
            rates: &rates,
            effects: self.effects,
            f0_mhz: self.f0_mhz,
            probe: &self.probe,
        };
        let mut account = Account::default();
        let mut facts = None;
        let mut looks = Vec::with_capacity(self.looks.len());
        for plan in &mut self.looks {
            let (look, look_facts) = plan.image(&setting, &mut account, done);
            facts.get_or_insert(look_facts);
            looks.push(look);
        }
        BmodeFrame {
            looks,
            facts: facts.unwrap_or_default(),
            account,
        }
    }

    /// The facts alone, the same as the frame's, much faster.
    pub fn facts(&mut self, medium: &Medium, view: &View) -> Facts {
        self.finder.facts(medium, view)
    }
}

/// Finds facts without an image: only the scan lines' own paths are traced. Made in no time, where an
/// [`Imager`] has to work out beams first.
#[derive(Debug)]
pub struct FactFinder {
    grid: Arc<ScanGrid>,
    effects: Effects,
    f0_mhz: f64,
    probe: Probe,
    paths: Vec<Path>,
    memories: Vec<(TraceMemory, Vec<Start>)>,
}

/// Lines that one task finds facts on.
const LINES_PER_TASK: usize = 32;

impl FactFinder {
    /// For a setting that [`Imager::new`] takes too.
    pub fn new(probe: &Probe, console: &Console) -> Self {
        Self {
            grid: Arc::new(ScanGrid::new(probe, console, 0.0)),
            effects: console.effects,
            f0_mhz: console.frequency_mhz.unwrap_or(probe.center_frequency_mhz),
            probe: probe.clone(),
            paths: Vec::new(),
            memories: Vec::new(),
        }
    }

    /// The lines.
    pub fn grid(&self) -> &Arc<ScanGrid> {
        &self.grid
    }

    /// The facts of a frame.
    pub fn facts(&mut self, medium: &Medium, view: &View) -> Facts {
        let rates = rates(medium, self.f0_mhz, &self.effects);
        let setting = Setting {
            medium,
            view,
            rates: &rates,
            effects: self.effects,
            f0_mhz: self.f0_mhz,
            probe: &self.probe,
        };
        let tracer = setting.tracer(self.grid.depth_mm(), false);
        let lines = self.grid.lines;
        self.paths.resize_with(lines, Path::default);
        let tasks = lines.div_ceil(LINES_PER_TASK);
        self.memories.resize_with(tasks, Default::default);
        let grid = &self.grid;
        self.paths
            .par_chunks_mut(LINES_PER_TASK)
            .zip(self.memories.par_iter_mut())
            .enumerate()
            .for_each(|(task, (paths, (memory, starts)))| {
                starts.clear();
                starts.extend((0..paths.len()).map(|index| {
                    let u = grid.u_of_line((task * LINES_PER_TASK + index) as f64);
                    insonation::start(grid, &view.patient_from_probe, u, 0.0)
                }));
                tracer.trace(starts, paths, memory);
            });
        truth::facts(&FactPaths(&self.paths), grid, &tracer, medium.structures)
    }
}

/// What a frame is made with.
struct Setting<'a> {
    medium: &'a Medium,
    view: &'a View,
    rates: &'a [Rates],
    effects: Effects,
    f0_mhz: f64,
    probe: &'a Probe,
}

impl Setting<'_> {
    fn tracer(&self, until_mm: f64, mirrors: bool) -> Tracer<'_> {
        Tracer {
            medium: self.medium,
            rates: self.rates,
            effects: self.effects,
            gel_mm: self.view.gel_mm,
            until_mm,
            probe_from_patient: self.view.patient_from_probe.inverse(),
            f_mhz: self.f0_mhz,
            mirrors,
        }
    }

    fn wavelength_mm(&self) -> f64 {
        REFERENCE_SPEED_M_S * 1e-3 / self.f0_mhz
    }
}

impl LookPlan {
    fn new(probe: &Probe, console: &Console, angle: f64, f0_mhz: f64, per_cell: f64) -> Self {
        let grid = Arc::new(ScanGrid::new(probe, console, angle));
        let beam = Beam::new(probe, console, &grid);
        let tables = Tables::new(&beam, console.effects.aberration);
        let axial_mm = beam.widths_mm.iter().map(|w| f64::from(w[0]));
        let shortest = axial_mm.fold(f64::INFINITY, f64::min);
        // Rows at least four to the pulse's width, so that sharing out between rows is benign.
        let oversampling = libm::ceil(grid.sample_mm * 4.0 / shortest).clamp(1.0, 8.0) as usize;
        let row_mm = grid.sample_mm / oversampling as f64;
        let rows = (grid.samples - 1) * oversampling + 1;
        let layout = Layout::new(&grid, tables.taps, rows, row_mm);
        let depth_mm = grid.depth_mm();
        let (grid_samples, sample_mm) = (grid.samples, grid.sample_mm);
        let bank_of = |spectrum| PulseBank::new(&beam, spectrum, f0_mhz, row_mm, depth_mm);
        let (bank, tissue_bank) = (bank_of(&beam.spectrum), bank_of(&beam.speckle_spectrum));
        let cells: Vec<f64> = beam
            .widths_mm
            .iter()
            .map(|w| w.iter().map(|&w| f64::from(w)).product())
            .collect();
        let thinning = Thinning::new(&cells, beam.depth_step_mm, depth_mm, per_cell);
        let slice_mm = beam.widths_mm.iter().map(|w| f64::from(w[2]));
        let slice_mm = slice_mm.fold(f64::INFINITY, f64::min).max(0.2) * 0.75;
        let division = Division::new(&grid, SLICES, slice_mm, shortest * 0.9);
        let slice_weights = slice_weights(&tables, &division);
        let plane_by_row = plane_by_row(&tables, &slice_weights, &grid, &layout);
        let elevation_width_mm = elevation_power(&tables);
        let sensitivity_db = sensitivity(&beam, &tables, &tissue_bank, &elevation_width_mm, &grid);
        Self {
            grid,
            division,
            thinning,
            layout,
            gain_by_sample: (0..grid_samples)
                .map(|sample| bank.gain_at(sample as f64 * sample_mm))
                .collect(),
            bank,
            tissue_bank,
            oversampling,
            slice_weights,
            plane_by_row,
            elevation_width_mm,
            focal_area_mm2: beam.focal_area_mm2,
            sensitivity_db,
            tables,
            work: Work::default(),
        }
    }

    fn image(
        &mut self,
        setting: &Setting<'_>,
        account: &mut Account,
        done: &mut dyn FnMut(Stage),
    ) -> (Look, Facts) {
        let until_mm = self.grid.depth_mm();
        let tracer = setting.tracer(until_mm, setting.effects.secondary_paths);
        self.work.insonation.trace(
            &tracer,
            &self.grid,
            &self.division,
            &setting.view.patient_from_probe,
            &self.tables,
        );
        self.mirror(setting);
        self.rebounds(setting);
        done(Stage::Paths);
        self.sparse_echoes(setting, &tracer, account);
        done(Stage::Interfaces);
        self.tissue_echoes(setting, account);
        self.merge();
        done(Stage::Tissue);
        let count = self.grid.lines * self.grid.samples;
        let mut look = Look {
            grid: self.grid.clone(),
            iq: vec![Complex::new(0.0, 0.0); count],
            envelope: vec![0.0; count],
            truth: Vec::new(),
        };
        self.receive(setting, &mut look);
        done(Stage::Receive);
        let facts = truth::facts(self, &self.grid, &tracer, setting.medium.structures);
        if setting.view.truth {
            look.truth = self.truth(&tracer);
        }
        account.scatterers_per_cell = self.thinning.least_per_cell;
        done(Stage::Truth);
        (look, facts)
    }

    /// The path of a line in the middle slice.
    fn line_path(&self, line: usize) -> &Path {
        let middle = self.division.slices / 2 * self.division.paths;
        &self.work.insonation.paths[middle + line * self.division.paths_per_line]
    }

    /// Traces on what mirrors have turned, in the middle slice.
    fn mirror(&mut self, setting: &Setting<'_>) {
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

    /// What the face throws back, and the haze of the body wall, line by line.
    fn rebounds(&mut self, setting: &Setting<'_>) {
        let lines = self.grid.lines;
        self.work.rebounds.resize_with(lines, Vec::new);
        self.work.haze.resize(lines, 0.0);
        let face = &setting.probe.face;
        let haze = libm::pow(10.0, HAZE_DB / 20.0);
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
            self.work.haze[line] = (haze * (wall / 30.0).min(2.0)) as f32;
            self.work.rebounds[line] = rebounds;
        }
        smooth(&mut self.work.haze, lines / 12);
    }

    /// Echoes of interfaces, mirrors, the lens and loose scatterers, into one list per task.
    fn sparse_echoes(&mut self, setting: &Setting<'_>, tracer: &Tracer<'_>, account: &mut Account) {
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

    /// By medium number: echo amplitude of tissue's scatterers where there is one per mm³.
    ///
    /// A scatterer of scattering length f on the axis at the focus echoes as f λ / A of a plane
    /// mirror, A being the integral of the two-way beam there: by Huygens a mirror scatters 1/λ per
    /// area. With n scatterers per mm³, n f² is the backscatter coefficient.
    fn strengths(&self, setting: &Setting<'_>) -> Vec<f32> {
        let medium = setting.medium;
        let unit = setting.wavelength_mm() / self.focal_area_mm2;
        let of = |index: usize| {
            let scatter = medium.material_at(index).scatter;
            let per_mm = scatter.map_or(0.0, |s| s.coefficient_per_cm_sr(setting.f0_mhz) / 10.0);
            (per_mm.sqrt() * unit) as f32
        };
        (0..medium.media()).map(of).collect()
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
            let now = displacement.map_or(rest, |d| rest + d.at(rest));
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

    /// Tissue's echoes, band by band, and with them the other echoes of each band, on to lines.
    fn tissue_echoes(&mut self, setting: &Setting<'_>, account: &mut Account) {
        let strengths = self.strengths(setting);
        let mut bands = std::mem::take(&mut self.work.bands);
        bands.resize_with(self.thinning.bands.len(), BandWork::default);
        let thinning = self.thinning.seeded(setting.view.seed);
        let stage = TissueStage {
            medium: setting.medium,
            grid: &self.grid,
            division: &self.division,
            insonation: &self.work.insonation,
            tables: &self.tables,
            thinning: &thinning,
            strengths: &strengths,
            patient_from_probe: &setting.view.patient_from_probe,
            displacement: setting.view.displacement.as_deref(),
            flow_tick: setting.effects.flow.then_some(setting.view.tick as u32),
        };
        let whole_mm = self.layout.rows as f64 * self.layout.row_mm;
        let share_mm = whole_mm / bands.len() as f64;
        let last = bands.len() - 1;
        bands.par_iter_mut().enumerate().for_each(|(index, band)| {
            let BandWork {
                memory,
                tissue,
                others,
                tissue_count,
            } = band;
            tissue.echoes.clear();
            others.echoes.clear();
            if setting.effects.speckle {
                stage.echoes(&thinning.bands[index], memory, &mut tissue.echoes);
            }
            *tissue_count = tissue.echoes.len() as u64;
            tissue.echoes.shear(&self.layout);
            tissue.echoes.set_carrier(setting.f0_mhz);
            let low = if index == 0 {
                0.0
            } else {
                index as f64 * share_mm
            };
            let high = if index == last {
                f64::INFINITY
            } else {
                (index + 1) as f64 * share_mm
            };
            for list in &self.work.lists {
                let between_mm = (low as f32, high as f32);
                tissue.echoes.take_from(&list.tissue, between_mm);
                others.echoes.take_from(&list.others, between_mm);
            }
            tissue.splat(&self.layout, &self.tables);
            others.splat(&self.layout, &self.tables);
        });
        account.scatterers += bands.iter().map(|band| band.tissue_count).sum::<u64>();
        self.work.bands = bands;
    }

    /// All bands' rows in one raster, tissue's in one of their own.
    fn merge(&mut self) {
        let Work {
            bands,
            tissue,
            raster,
            ..
        } = &mut self.work;
        let parts: Vec<&Raster> = bands.iter().map(|band| &band.tissue.raster).collect();
        tissue.sum(&self.layout, &parts);
        let parts: Vec<&Raster> = bands.iter().map(|band| &band.others.raster).collect();
        raster.sum(&self.layout, &parts);
        if let Shape::Fan { closed: true, .. } = self.grid.shape {
            tissue.close(&self.layout);
            raster.close(&self.layout);
        }
    }

    fn receive(&mut self, setting: &Setting<'_>, look: &mut Look) {
        let tick = setting.view.tick.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ setting.view.seed;
        let noise = if setting.effects.noise {
            libm::pow(10.0, NOISE_DB / 20.0) as f32
        } else {
            0.0
        };
        let reception = Reception {
            layout: &self.layout,
            heard: [
                Heard {
                    raster: &self.work.tissue,
                    bank: &self.tissue_bank,
                },
                Heard {
                    raster: &self.work.raster,
                    bank: &self.bank,
                },
            ],
            samples: self.grid.samples,
            sample_mm: self.grid.sample_mm,
            oversampling: self.oversampling,
            f0_mhz: setting.f0_mhz,
            slopes: &self.work.insonation.slopes,
            nodes: self.division.nodes,
            node_mm: self.division.node_mm,
            rebounds: &self.work.rebounds,
            plane: &self.plane_by_row,
            haze: &self.work.haze,
            gain: &self.gain_by_sample,
            noise,
            noise_seed: (tick ^ (tick >> 32)) as u32,
            haze_seed: setting.view.seed as u32 ^ 0x4a2e,
        };
        let memories = &mut self.work.receive;
        reception.receive(memories, &mut look.iq, &mut look.envelope);
    }

    fn truth(&self, tracer: &Tracer<'_>) -> Vec<Truth> {
        let empty = Truth::default();
        let mut truth = vec![empty; self.grid.lines * self.grid.samples];
        truth
            .par_chunks_mut(self.grid.samples)
            .enumerate()
            .for_each(|(line, out)| {
                let path = line * self.division.paths_per_line;
                let mirrored = self.work.mirrored.iter().find(|m| m.path == path);
                let rebound = self.work.rebounds[line].first().map(|r| r.delay_mm);
                let thinned = |delay_mm: f64| {
                    mirrored.map_or(1.0, |m| m.thinned(delay_mm, &self.grid, &self.division))
                };
                let mirrored = mirrored.map(|m| (&m.walked, &thinned as &dyn Fn(f64) -> f64));
                truth::of_line(
                    self.line_path(line),
                    mirrored,
                    rebound,
                    &self.grid,
                    tracer,
                    out,
                );
            });
        truth
    }
}

struct FactPaths<'a>(&'a [Path]);

impl LinePaths for FactPaths<'_> {
    fn of_line(&self, line: usize) -> &Path {
        &self.0[line]
    }
}

impl LinePaths for LookPlan {
    fn of_line(&self, line: usize) -> &Path {
        self.line_path(line)
    }
}

/// Slices across the elevation.
const SLICES: usize = 5;

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

/// Means over `2 reach + 1` neighbours.
fn smooth(values: &mut [f32], reach: usize) {
    let raw = values.to_vec();
    for (index, value) in values.iter_mut().enumerate() {
        let near = &raw[index.saturating_sub(reach)..(index + reach + 1).min(raw.len())];
        *value = near.iter().sum::<f32>() / near.len() as f32;
    }
}

/// ∫|elevation profile|² by depth node, mm.
fn elevation_power(tables: &Tables) -> Vec<f32> {
    const STEPS: usize = 100;
    (0..tables.depths)
        .map(|depth| {
            let edge = tables.elevation_edge_mm[depth];
            let step = 2.0 * edge / STEPS as f64;
            let at = |i: usize| tables.elevation(depth, (-edge + (i as f64 + 0.5) * step) as f32);
            (0..STEPS).map(|i| at(i).norm_sqr()).sum::<f32>() * step as f32
        })
        .collect()
}

/// Brightness of even speckle by sample, dB over its greatest.
fn sensitivity(
    beam: &Beam,
    tables: &Tables,
    bank: &PulseBank,
    elevation_mm: &[f32],
    grid: &ScanGrid,
) -> Vec<f32> {
    let by_node: Vec<f64> = (0..beam.depths)
        .map(|depth| {
            let z = depth as f64 * beam.depth_step_mm;
            let lateral_mm = tables.lateral_power(depth) * grid.line_distance_mm(z);
            let power = lateral_mm * f64::from(elevation_mm[depth]) * bank.energy_mm(z, 1.0);
            let gain = f64::from(bank.gain_at(z)) * f64::from(tables.speckle_gain(0, depth));
            10.0 * libm::log10((power * gain * gain).max(1e-20))
        })
        .collect();
    let greatest = by_node.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (0..grid.samples)
        .map(|sample| {
            let at = sample as f64 * grid.sample_mm / beam.depth_step_mm;
            let low = (at as usize).min(beam.depths - 2);
            let value = by_node[low] + (by_node[low + 1] - by_node[low]) * (at - low as f64);
            (value - greatest).max(-40.0) as f32
        })
        .collect()
}
