//! One look of a setting: what follows from the setting, and how a frame is made with it.

mod sparse;

use std::sync::Arc;

use equipment::{Console, Probe};
use nalgebra::Complex;
use rayon::prelude::*;

use self::sparse::SparseEchoes;
use crate::beam::Beam;
use crate::engine::{NOISE_DB, Setting, Stage};
use crate::frame::{Account, Facts, Look, Truth};
use crate::grid::{ScanGrid, Shape};
use crate::haze::Haze;
use crate::insonation::{Division, Insonation};
use crate::interface_echoes::slice_weights;
use crate::mirror::Mirrored;
use crate::path::{Path, Tracer};
use crate::receive::{Heard, PulseBank, Rebound, ReceiveMemory, Reception, plane_by_row};
use crate::splat::{Echoes, Layout, Raster};
use crate::tables::Tables;
use crate::tissue_echoes::{Thinning, TissueMemory, TissueStage};
use crate::truth::{self, LinePaths};

/// Slices across the elevation.
const SLICES: usize = 5;

/// One look: what follows from the setting, and a frame's memory.
#[derive(Debug)]
pub(crate) struct LookPlan {
    pub grid: Arc<ScanGrid>,
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
    /// The root of `plane_by_row`.
    root_by_row: Vec<f32>,
    elevation_width_mm: Vec<f32>,
    focal_area_mm2: f64,
    pub sensitivity_db: Vec<f32>,
    haze: Haze,
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
    /// By line: fat and muscle that it crosses, mm.
    walls_mm: Vec<f32>,
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

impl LookPlan {
    pub fn new(probe: &Probe, console: &Console, angle: f64, f0_mhz: f64, per_cell: f64) -> Self {
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
            root_by_row: plane_by_row.iter().map(|plane| plane.sqrt()).collect(),
            plane_by_row,
            elevation_width_mm,
            focal_area_mm2: beam.focal_area_mm2,
            haze: Haze::new(&sensitivity_db, sample_mm),
            sensitivity_db,
            tables,
            work: Work::default(),
        }
    }

    pub fn image(
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
        self.weaken_rebounds(setting);
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
        let displacement = setting.view.displacement.as_deref();
        let facts = truth::facts(self, &self.grid, &tracer, displacement);
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
                    width: &self.root_by_row,
                },
                Heard {
                    raster: &self.work.raster,
                    bank: &self.bank,
                    width: &self.plane_by_row,
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
            walls_mm: &self.work.walls_mm,
            haze: &self.haze,
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

impl LinePaths for LookPlan {
    fn of_line(&self, line: usize) -> &Path {
        self.line_path(line)
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
