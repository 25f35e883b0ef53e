//! Echoes of interfaces: what the paths met, weighted by the beam.
//!
//! Each path stands for a patch of the surface as wide as the distance to its neighbours; the
//! patches of a smooth surface add up to its mirror-like echo, those of a tilted one cancel, as
//! the beam's own acceptance wants it. Between two paths that met the same surface at different depths
//! the surface is gone along in steps much shorter than the wavelength: single patches would stand
//! there as dots. Nothing here is drawn at random: roughness is a lobe and a pattern fixed in the
//! tissue.

use geometry::Point;
use geometry::frame::Patient as PatientFrame;
use nalgebra::Vector3;

use crate::displacement::Displacement;
use crate::frame::PathKind;
use crate::grid::ScanGrid;
use crate::insonation::{Division, Insonation};
use crate::medium::{Medium, MediumId};
use crate::path::{InterfaceEcho, Path};
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
    /// How tissue has moved: a surface's roughness moves with it.
    pub displacement: Option<&'a Displacement>,
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

/// Neighbouring paths met the same surface if it is no steeper than this: 75 degrees.
const STEEPEST: f64 = 3.7;

/// Steps along a surface are no deeper than this, in wavelengths: an eighth of a turn there and back.
const STEP_WAVES: f64 = 1.0 / 16.0;

/// Steps between two paths.
const MOST_STEPS: u32 = 48;

/// Size of the pattern in which a surface is rough, mm.
const GRAIN_MM: f64 = 0.2;

/// A surface's roughness where it rests, −√3 to √3, of power 1: fixed there.
fn grain(resting: Vector3<f64>) -> f64 {
    let cell = resting.map(|c| libm::floor(c / GRAIN_MM) as i32 as u32);
    let hash = hash3(cell.x, cell.y, cell.z, 0x7357);
    3f64.sqrt() * (f64::from(hash >> 8) / f64::from(1u32 << 23) - 1.0)
}

impl InterfaceStage<'_> {
    /// Appends all echoes; they have their carrier only after [`Echoes::set_carrier`].
    pub fn echoes(&self, slice: usize, echoes: &mut Echoes) {
        // What each echo of a path has left to give: half of it goes to either side.
        let (mut halves, mut next_halves) = (Vec::new(), Vec::new());
        for path in 0..self.division.paths {
            let walked = self.walked(slice, path);
            let line = self.line_of(path as f64);
            next_halves.clear();
            if path + 1 < self.division.paths {
                let next = self.walked(slice, path + 1);
                halves.resize(walked.echoes.len(), 2u8);
                next_halves.resize(next.echoes.len(), 2u8);
                self.between(
                    path,
                    slice,
                    [&walked.echoes, &next.echoes],
                    [&mut halves, &mut next_halves],
                    echoes,
                );
            } else {
                halves.resize(walked.echoes.len(), 2u8);
            }
            for (index, echo) in walked.echoes.iter().enumerate() {
                let left = 0.5 * f64::from(halves[index]);
                if left > 0.0 {
                    self.add(line, slice, echo.delay_mm, left * echo.amplitude, echoes);
                }
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
            std::mem::swap(&mut halves, &mut next_halves);
        }
    }

    fn walked(&self, slice: usize, path: usize) -> &Path {
        &self.insonation.paths[slice * self.division.paths + path]
    }

    fn line_of(&self, path: f64) -> f32 {
        (path / self.division.paths_per_line as f64) as f32
    }

    /// Appends the surfaces between a path and the next one, where both met the same; takes half of each
    /// of their echoes for it.
    fn between(
        &self,
        path: usize,
        slice: usize,
        [these, next]: [&[InterfaceEcho]; 2],
        [halves, next_halves]: [&mut [u8]; 2],
        echoes: &mut Echoes,
    ) {
        let mut from = 0;
        for (index, echo) in these.iter().enumerate() {
            let most_mm = STEEPEST * self.division.spacing_mm(self.grid, echo.delay_mm);
            let rest = next[from..].iter();
            let same = rest.enumerate().find(|(_, other)| {
                let is_same = (other.from, other.to) == (echo.from, echo.to);
                is_same
                    && other.is_layer == echo.is_layer
                    && (other.delay_mm - echo.delay_mm).abs() < most_mm
            });
            if let Some((ahead, other)) = same {
                halves[index] -= 1;
                next_halves[from + ahead] -= 1;
                self.along(path, slice, [echo, other], echoes);
                from += ahead + 1;
            }
        }
    }

    /// Appends the surface between two neighbours' echoes, step by step.
    fn along(&self, path: usize, slice: usize, [a, b]: [&InterfaceEcho; 2], echoes: &mut Echoes) {
        let deeper_mm = b.delay_mm - a.delay_mm;
        let steps = deeper_mm.abs() / (STEP_WAVES * self.wavelength_mm);
        let steps = (libm::ceil(steps) as u32).clamp(1, MOST_STEPS);
        for step in 0..steps {
            let share = (f64::from(step) + 0.5) / f64::from(steps);
            let mix = |a: f64, b: f64| a + (b - a) * share;
            let amplitude = mix(a.amplitude, b.amplitude) / f64::from(steps);
            let place = a.place + (b.place - a.place) * share;
            let rough = mix(a.rough, b.rough);
            // Of n patches out of step the powers add: √n times what one sends, not n times.
            let out_of_step = match steps {
                1 => 1.0,
                _ => grain(self.resting(place, a.to)) * f64::from(steps).sqrt(),
            };
            let amplitude = amplitude * ((1.0 - rough) + rough * out_of_step);
            let line = self.line_of(path as f64 + share);
            self.add(line, slice, mix(a.delay_mm, b.delay_mm), amplitude, echoes);
        }
    }

    fn resting(&self, place: Point<PatientFrame>, medium: MediumId) -> Vector3<f64> {
        let Some(displacement) = self.displacement else {
            return place.coords;
        };
        let field = displacement.field(displacement.layer_of(medium));
        field.resting(place.coords)
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
