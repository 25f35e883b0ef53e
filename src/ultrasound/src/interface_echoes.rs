//! Echoes of interfaces: what the paths met, weighted by the beam.
//!
//! Each path stands for a patch of the surface as wide as the distance to its neighbours; the
//! patches of a smooth surface add up to its mirror-like echo, those of a tilted one cancel, as
//! the beam's own acceptance wants it. Nothing here is drawn at random: roughness is a lobe and
//! a pattern fixed in the tissue.

use crate::frame::PathKind;
use crate::grid::ScanGrid;
use crate::insonation::{Division, Insonation};
use crate::medium::Medium;
use crate::path::InterfaceEcho;
use crate::speckle::hash3;
use crate::splat::Echoes;
use crate::tables::Tables;

/// What turns the paths' interface echoes into echoes on lines.
pub(crate) struct InterfaceStage<'a> {
    pub medium: &'a Medium,
    pub grid: &'a ScanGrid,
    pub division: &'a Division,
    pub insonation: &'a Insonation,
    pub tables: &'a Tables,
    /// By depth node: each slice's share of the elevation profile's integral, mm.
    pub slice_weights: &'a [f32],
    /// Area that makes a plane reflector's echo 1, mm².
    pub focal_area_mm2: f64,
    pub wavelength_mm: f64,
    pub secondary: bool,
}

/// Weaker echoes than this are left out: −140 dB.
const LEAST_AMPLITUDE: f64 = 1e-7;

/// Bubbles up to this extent ring, mm.
const RINGING_EXTENT_MM: f32 = 12.0;

/// Ringing decays to 1/e over this depth, mm (estimate; clinical ring-down reaches to the bottom of
/// the image, comet tails a centimetre or two).
const RINGING_MM: f64 = 30.0;

/// Haze behind gas, dB below its surface's echo, and its decay to 1/e, mm (estimates).
const HAZE_DB: f64 = -66.0;
const HAZE_MM: f64 = 18.0;

/// To and fro inside a thin thing counts up to this thickness, mm.
const COMET_MM: f64 = 12.0;

/// Least product of the reflections of its two faces.
const COMET_REFLECTION: f64 = 0.02;

impl InterfaceStage<'_> {
    /// Appends all echoes; they have their carrier only after [`Echoes::set_carrier`].
    pub fn echoes(&self, slice: usize, echoes: &mut Echoes) {
        for path in 0..self.division.paths {
            let walked = &self.insonation.paths[slice * self.division.paths + path];
            let line = path as f32 / self.division.paths_per_line as f32;
            for (index, echo) in walked.echoes.iter().enumerate() {
                self.add(line, slice, echo.delay_mm, echo.amplitude, echoes);
                if !self.secondary || echo.is_layer {
                    continue;
                }
                if self.medium.material(echo.to).is_gas() {
                    self.behind_gas(line, slice, path, echo, echoes);
                }
                let before = walked.echoes[..index].iter().rev().find(|e| !e.is_layer);
                if let Some(front) = before {
                    self.comet_tail(line, slice, front, echo, echoes);
                }
            }
        }
    }

    fn add(&self, line: f32, slice: usize, delay_mm: f64, amplitude: f64, echoes: &mut Echoes) {
        // The beam at the depth at which the echo is shown, as its gain there belongs to that width.
        let depth = self.tables.depth_node(delay_mm as f32);
        let across = self.slice_weights[depth * self.division.slices + slice];
        let along = self.grid.line_distance_mm(delay_mm) / self.division.paths_per_line as f64;
        let amplitude = amplitude * f64::from(across) * along / self.focal_area_mm2;
        if amplitude.abs() < LEAST_AMPLITUDE {
            return;
        }
        let near = (line + 0.5) as usize % self.grid.lines;
        let row = self.tables.row(near, 0, depth);
        echoes.push(line, delay_mm as f32, (amplitude as f32, 0.0), row);
    }

    /// A small bubble rings on; behind any gas lies the haze of sound that found its way between
    /// bubbles ("dirty shadow").
    fn behind_gas(
        &self,
        line: f32,
        slice: usize,
        path: usize,
        echo: &InterfaceEcho,
        echoes: &mut Echoes,
    ) {
        let is_small = self.medium.material(echo.to).is_free_gas()
            && self.medium.extent_mm[self.medium.index(echo.to)] < RINGING_EXTENT_MM;
        if is_small {
            let step = self.wavelength_mm / 2.0;
            let count = (2.0 * RINGING_MM / step) as usize;
            for ring in 1..count {
                let behind = ring as f64 * step;
                let amplitude = 0.25 * echo.amplitude * libm::exp(-behind / RINGING_MM);
                self.add(line, slice, echo.delay_mm + behind, amplitude, echoes);
            }
            return;
        }
        let level = libm::pow(10.0, HAZE_DB / 20.0);
        for grain in 1..48u32 {
            // Fixed to the place on the surface, about 0.5 mm coarse.
            let place = (echo.z_mm * 2.0) as u32;
            let hash = hash3(path as u32, place, grain, slice as u32);
            let jitter = f64::from(hash & 0xffff) / 65536.0;
            let strength = f64::from(hash >> 16) / 32768.0 - 1.0;
            let behind = f64::from(grain) + jitter;
            let decay = libm::exp(-behind / HAZE_MM);
            let amplitude = level * strength * decay * echo.amplitude;
            self.add(line, slice, echo.delay_mm + behind, amplitude, echoes);
        }
    }

    /// To and fro between the faces of a thin, hard thing: equally spaced, fading echoes.
    fn comet_tail(
        &self,
        line: f32,
        slice: usize,
        front: &InterfaceEcho,
        back: &InterfaceEcho,
        echoes: &mut Echoes,
    ) {
        let gap = back.delay_mm - front.delay_mm;
        let inside = front.reflection * back.reflection;
        let is_one_thing = front.to == back.from && gap > 0.0 && gap < COMET_MM;
        if !is_one_thing || inside.abs() < COMET_REFLECTION {
            return;
        }
        // Seen from inside, the front face reflects with the other sign.
        let mut amplitude = back.amplitude;
        for round in 1..32 {
            amplitude *= -inside;
            if amplitude.abs() < LEAST_AMPLITUDE {
                break;
            }
            let delay = back.delay_mm + f64::from(round) * gap;
            self.add(line, slice, delay, amplitude, echoes);
        }
    }
}

/// By depth node and slice: what a slice's patch of a surface counts, mm, so that all slices
/// together make the integral of the elevation profile.
pub(crate) fn slice_weights(tables: &Tables, division: &Division) -> Vec<f32> {
    const STEPS: usize = 200;
    let mut weights = Vec::with_capacity(tables.depths * division.slices);
    for depth in 0..tables.depths {
        let edge = tables.elevation_edge_mm[depth] * 2.0;
        let step = 2.0 * edge / STEPS as f64;
        let integral = (0..STEPS)
            .map(|i| tables.elevation(depth, (-edge + (i as f64 + 0.5) * step) as f32))
            .fold(nalgebra::Complex::new(0.0, 0.0), |sum, w| sum + w)
            .norm()
            * step as f32;
        let shares: Vec<f32> = (0..division.slices)
            .map(|slice| {
                tables
                    .elevation(depth, division.elevation_mm(slice) as f32)
                    .norm()
            })
            .collect();
        let sum: f32 = shares.iter().sum();
        weights.extend(shares.iter().map(|share| share / sum.max(1e-6) * integral));
    }
    weights
}

/// What a path kind an interface echo's tail is shown as.
pub(crate) fn tail_kind(medium: &Medium, echo: &InterfaceEcho) -> Option<PathKind> {
    let is_gas = medium.material(echo.to).is_free_gas();
    is_gas.then_some(PathKind::RingDown)
}
