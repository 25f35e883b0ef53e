//! Mirror images: paths that a strong smooth surface has turned, and what they see.
//!
//! Along such a path the tissue is gone through in small steps; each step holds one scatterer whose
//! strength stands for all in it, anchored in the tissue by a hash of where it is.

use crate::grid::ScanGrid;
use crate::insonation::Division;
use crate::medium::Medium;
use crate::path::{Path, Tracer};
use crate::speckle::hash3;
use crate::splat::Echoes;
use crate::tables::Tables;

/// Length of a step, mm.
const STEP_MM: f64 = 0.3;

/// A mirrored path and where it belongs.
#[derive(Debug)]
pub(crate) struct Mirrored {
    /// The path of the middle slice that was turned.
    pub path: usize,
    pub walked: Path,
}

/// What turns mirrored paths into echoes.
pub(crate) struct MirrorStage<'a> {
    pub medium: &'a Medium,
    pub grid: &'a ScanGrid,
    pub division: &'a Division,
    pub tables: &'a Tables,
    pub strengths: &'a [f32],
    /// Width of the beam across the elevation by depth node, mm.
    pub elevation_width_mm: &'a [f32],
    pub focal_area_mm2: f64,
    pub seed: u64,
}

impl MirrorStage<'_> {
    /// Appends what a mirrored path sees; without carrier.
    pub fn echoes(&self, mirrored: &Mirrored, tracer: &Tracer<'_>, echoes: &mut Echoes) {
        let line = mirrored.path as f32 / self.division.paths_per_line as f32;
        let near = (line + 0.5) as usize % self.grid.lines;
        for segment in &mirrored.walked.segments {
            let strength = self.strengths[self.medium.index(segment.medium)];
            if strength > 0.0 {
                self.scatter(segment, strength, line, near, tracer, echoes);
            }
        }
        for echo in &mirrored.walked.echoes {
            let depth = self.tables.depth_node(echo.delay_mm as f32);
            let area = self.spacing_mm(echo.delay_mm) * f64::from(self.elevation_width_mm[depth]);
            let amplitude = echo.amplitude * area / self.focal_area_mm2;
            let row = self.tables.row(near, 0, depth);
            echoes.push(line, echo.delay_mm as f32, (amplitude as f32, 0.0), row);
        }
    }

    fn spacing_mm(&self, z_mm: f64) -> f64 {
        self.grid.line_distance_mm(z_mm) / self.division.paths_per_line as f64
    }

    fn scatter(
        &self,
        segment: &crate::path::Segment,
        strength: f32,
        line: f32,
        near: usize,
        tracer: &Tracer<'_>,
        echoes: &mut Echoes,
    ) {
        let rates = &tracer.rates[self.medium.index(segment.medium)];
        let steps = (segment.length_mm / STEP_MM) as usize;
        let patient_from_probe = tracer.probe_from_patient.inverse();
        for step in 0..steps {
            let s = (step as f64 + 0.5) * STEP_MM;
            let state = segment.state.after(s, rates, 0.0, segment.medium);
            if state.delay_mm > tracer.until_mm || state.amplitude < 1e-6 {
                break;
            }
            let place = patient_from_probe.isometry
                * nalgebra::Point3::from(segment.start + segment.direction * s);
            let cell = place.coords.map(|c| libm::floor(c / STEP_MM) as i32 as u32);
            let hash = hash3(cell.x, cell.y, cell.z, self.seed as u32 ^ 0x3141);
            let jitter = f64::from(hash & 0xffff) / 65536.0 - 0.5;
            let aside = f64::from(hash >> 16) / 65536.0 - 0.5;
            let depth = self.tables.depth_node(state.delay_mm as f32);
            let width = f64::from(self.elevation_width_mm[depth]);
            let volume = STEP_MM * self.spacing_mm(state.delay_mm) * width;
            let amplitude = f64::from(strength) * state.amplitude * volume.sqrt();
            let row = self.tables.row(near, 0, depth);
            let line = line + (aside / self.division.paths_per_line as f64) as f32;
            let delay = state.delay_mm + jitter * STEP_MM;
            echoes.push(line, delay as f32, (amplitude as f32, 0.0), row);
        }
    }
}
