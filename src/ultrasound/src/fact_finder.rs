//! Facts without an image.

use std::sync::Arc;

use equipment::{Console, Effects, Probe};
use rayon::prelude::*;

use crate::engine::{Medium, Setting, View};
use crate::frame::Facts;
use crate::grid::ScanGrid;
use crate::insonation;
use crate::path::{Path, Start, TraceMemory, rates};
use crate::slope::Cone;
use crate::truth::{self, LinePaths};

/// Finds facts without an image: only the scan lines' own paths are traced. Made in no time, where an
/// [`Imager`] has to work out beams first.
#[derive(Debug)]
pub struct FactFinder {
    grid: Arc<ScanGrid>,
    effects: Effects,
    f0_mhz: f64,
    probe: Probe,
    cone: Cone,
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
            cone: Cone::new(probe, console),
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
            cone: self.cone,
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
        let displacement = view.displacement.as_deref();
        truth::facts(&FactPaths(&self.paths), grid, &tracer, displacement)
    }
}

struct FactPaths<'a>(&'a [Path]);

impl LinePaths for FactPaths<'_> {
    fn of_line(&self, line: usize) -> &Path {
        &self.0[line]
    }
}
