//! From a probe, a setting and the lines to the tables of a beam.

use equipment::{Console, Probe};
use nalgebra::Complex;
use rayon::prelude::*;

use super::Beam;
use super::classes::{Class, Classes};
use crate::aperture::{Aperture, Line, Slice};
use crate::field::{Place, Radiator, SPEED_MM_US};
use crate::grid::{ScanGrid, Shape};
use crate::pulse::{Band, Pulse, turn};

/// One-way attenuations for which profiles are worked out, dB/cm/MHz, and the middle one.
pub(super) const ATTENUATIONS_DB_CM_MHZ: [f64; 3] = [0.0, 0.5, 1.0];
const MIDDLE: usize = 1;
/// Depth nodes lie about so many wavelengths apart, but their number stays within these bounds.
const NODE_WAVELENGTHS: f64 = 5.0;
const NODES: [usize; 2] = [65, 97];
/// Nodes of the elevation profile on one side, with the axis.
pub(super) const ELEVATION_SIDE: usize = 33;
/// −40 dB: where the elevation profile ends.
const ELEVATION_FLOOR: f32 = 0.01;
/// −30 dB: where the near lateral profile may end.
const NEAR_FLOOR: f32 = 0.031_622_776;
/// Bounds of `half_lines`.
const HALF_LINES: [usize; 2] = [3, 16];
/// Bounds of `steps_per_line`.
const STEPS_PER_LINE: [usize; 2] = [2, 16];
/// Steps of the near lateral profile over its −6 dB width, at least.
const STEPS_PER_WIDTH: f64 = 5.0;

/// The peak of an echo is looked for within so many pulse lengths of its depth.
const PEAK_PULSES: f64 = 2.0;

/// All that the tables are made from.
pub(super) struct Setting<'a> {
    grid: &'a ScanGrid,
    aperture: Aperture,
    slice: Slice,
    pub classes: Classes,
    pub band: Band,
    /// Of the pulse, at the band's frequencies.
    amplitudes: Vec<f64>,
    wavelength_mm: f64,
    nearest_mm: f64,
    pub depths: usize,
    pub depth_step_mm: f64,
}

/// The near lateral profiles of a class at a depth.
pub(super) struct NearRow {
    /// `[attenuation][offset]`.
    profiles: Vec<Vec<Complex<f32>>>,
    /// Class 0 only: ∫|echo|² over the profile's reach at each frequency, without pulse, in steps of
    /// the profile.
    powers: Vec<f64>,
}

/// What the frequencies count at the moment when the echo from the axis peaks.
struct AtPeak {
    weights: Vec<Complex<f64>>,
    height: f64,
}

/// The beam of a class at a depth.
pub(super) struct FarRow {
    /// Lateral profile over the whole image, at half-line steps.
    pub profile: Vec<Complex<f32>>,
    /// Echo from the axis at each frequency, without pulse.
    axis: Vec<Complex<f64>>,
    /// Height of the envelope of the echo from the axis, for the middle attenuation.
    height: f64,
}

/// The elevation profile at a depth.
pub(super) struct ElevationRow {
    pub reach_mm: f64,
    pub profile: Vec<Complex<f32>>,
    axis: Vec<Complex<f64>>,
    /// ∫|echo|² over the reach at each frequency, without pulse, in steps of the profile.
    powers: Vec<f64>,
}

impl<'a> Setting<'a> {
    pub fn new(probe: &Probe, console: &Console, grid: &'a ScanGrid) -> Self {
        let pulse = Pulse::new(probe, console);
        let band = pulse.band();
        let aperture = Aperture::new(probe, console, &pulse);
        let wavelength_mm = SPEED_MM_US / pulse.frequency_mhz;
        let depth_mm = grid.depth_mm().max(wavelength_mm);
        let wanted = libm::ceil(depth_mm / (NODE_WAVELENGTHS * wavelength_mm)) as usize + 1;
        let depths = wanted.clamp(NODES[0], NODES[1]);
        Self {
            grid,
            classes: Classes::new(grid, &aperture),
            slice: Slice::new(probe, &pulse),
            aperture,
            amplitudes: band
                .frequencies_mhz()
                .map(|f_mhz| pulse.amplitude(f_mhz))
                .collect(),
            band,
            wavelength_mm,
            nearest_mm: 0.5 * wavelength_mm,
            depths,
            depth_step_mm: depth_mm / (depths - 1) as f64,
        }
    }

    /// The depth at which a node's field is worked out, mm: at the face it would be singular.
    fn node_mm(&self, depth: usize) -> f64 {
        (depth as f64 * self.depth_step_mm).max(self.nearest_mm)
    }

    fn radiator(&self, class: &Class, z_mm: f64) -> Radiator {
        match &self.aperture {
            Aperture::Row(row) => row.radiator(&class.line(self.grid), z_mm, &self.band),
            Aperture::Disc(disc) => disc.radiator(z_mm, &self.band),
        }
    }

    /// The place beside the line that stands for a class.
    fn beside(&self, class: &Class, lines: f64, z_mm: f64) -> Place {
        match self.grid.shape {
            Shape::Parallel { .. } => {
                let line = class.line(self.grid);
                let [x, z] = line.at(z_mm);
                let off_mm = lines * self.grid.line_distance_mm(z_mm);
                [
                    x + off_mm * line.direction[1],
                    z - off_mm * line.direction[0],
                ]
            }
            Shape::Fan { .. } => Line::of(self.grid, class.u + lines * self.grid.pitch).at(z_mm),
        }
    }

    /// What is left of each frequency's amplitude after way and return through a medium, over that
    /// of the first frequency.
    fn loss(&self, attenuation: usize, z_mm: f64) -> impl Iterator<Item = f64> + use<> {
        let way_cm = 2.0 * 0.1 * z_mm;
        let db_per_mhz = ATTENUATIONS_DB_CM_MHZ[attenuation] * way_cm;
        let db_per_step = db_per_mhz * self.band.step_mhz;
        (0..self.band.count).map(move |n| libm::exp10(-db_per_step * n as f64 / 20.0))
    }

    /// Weights of the frequencies that give the amplitude at the moment when the echo from the axis
    /// peaks, over that peak; and the height of the peak.
    fn at_peak(&self, axis: &[Complex<f64>], attenuation: usize, z_mm: f64) -> AtPeak {
        let loss = self.loss(attenuation, z_mm);
        let pulse: Vec<f64> = self
            .amplitudes
            .iter()
            .zip(loss)
            .map(|(a, l)| a * l)
            .collect();
        let echo: Vec<_> = axis.iter().zip(&pulse).map(|(a, p)| a * *p).collect();
        let peak_us = self.band.moment_us(&echo, PEAK_PULSES * self.band.pulse_us);
        let peak = self.band.echo(&echo, peak_us);
        let height = peak.norm_sqr().sqrt();
        let over = if height > 0.0 {
            peak.conj() / (height * height)
        } else {
            Complex::new(0.0, 0.0)
        };
        let step = turn(-self.band.step_mhz * peak_us);
        let mut phase = over;
        let mut weights = Vec::with_capacity(pulse.len());
        for amplitude in pulse {
            weights.push(phase * amplitude);
            phase *= step;
        }
        AtPeak { weights, height }
    }

    pub fn far_rows(&self) -> Vec<FarRow> {
        let row = |i: usize| self.far_row(&self.classes.list[i / self.depths], i % self.depths);
        let rows = self.classes.list.len() * self.depths;
        (0..rows).into_par_iter().map(row).collect()
    }

    fn far_row(&self, class: &Class, depth: usize) -> FarRow {
        let z_mm = self.node_mm(depth);
        let radiator = self.radiator(class, z_mm);
        let axis = radiator.two_way(&self.band, self.beside(class, 0.0, z_mm));
        let AtPeak { weights, height } = self.at_peak(&axis, MIDDLE, z_mm);
        let lines = self.grid.lines.max(1);
        let [left, right] = self.far_reach(class);
        let from = if class.even { 0 } else { -(2 * left as i64) };
        let to = 2 * right as i64;
        let places: Vec<Place> = (from..=to)
            .map(|i| self.beside(class, 0.5 * i as f64, z_mm))
            .collect();
        let echoes = radiator.echoes(&self.band, &places, &[weights]).concat();
        let middle = 2 * (lines as i64 - 1);
        let mut profile = vec![Complex::new(0.0, 0.0); 4 * (lines - 1) + 1];
        for (i, echo) in (from..=to).zip(echoes) {
            let echo = if i == 0 { Complex::new(1.0, 0.0) } else { echo };
            profile[(middle + i) as usize] = echo;
            if class.even {
                profile[(middle - i) as usize] = echo;
            }
        }
        self.close_ring(&mut profile);
        FarRow {
            profile,
            axis,
            height,
        }
    }

    /// How far to the left and right the far profile of a class is worked out, lines. Beyond it is
    /// outside the image or behind the probe.
    fn far_reach(&self, class: &Class) -> [usize; 2] {
        let last = self.grid.lines.max(1) - 1;
        if let Shape::Fan { closed: true, .. } = self.grid.shape {
            let quarter = self.quarter_turn().min(last);
            return [quarter; 2];
        }
        // A line more on both sides: where beams bend, they may look a little beyond the image.
        let [left, right] = class.reach.map(|lines| (lines + 1).min(last));
        if class.even {
            [left.max(right); 2]
        } else {
            [left, right]
        }
    }

    /// Lines in a quarter of a turn.
    fn quarter_turn(&self) -> usize {
        libm::ceil(core::f64::consts::FRAC_PI_2 / self.grid.pitch.abs().max(1e-6)) as usize
    }

    /// In a closed fan the last lines neighbour the first.
    fn close_ring(&self, profile: &mut [Complex<f32>]) {
        let Shape::Fan { closed: true, .. } = self.grid.shape else {
            return;
        };
        let lines = self.grid.lines.max(1);
        let middle = 2 * (lines - 1);
        for i in 1..=2 * self.quarter_turn().min(lines / 2) {
            let Some(wrapped) = (2 * lines)
                .checked_sub(i)
                .filter(|w| *w <= middle && *w > i)
            else {
                continue;
            };
            profile[middle + wrapped] = profile[middle - i];
            profile[middle - wrapped] = profile[middle + i];
        }
    }

    /// The near lateral profiles of all classes at all depths.
    pub fn near_rows(&self, far: &[FarRow], half_lines: usize, steps: usize) -> Vec<NearRow> {
        let row = |i: usize| self.near_row(i, &far[i].axis, half_lines, steps);
        (0..far.len()).into_par_iter().map(row).collect()
    }

    fn near_row(
        &self,
        index: usize,
        axis: &[Complex<f64>],
        half_lines: usize,
        steps: usize,
    ) -> NearRow {
        let class = &self.classes.list[index / self.depths];
        let z_mm = self.node_mm(index % self.depths);
        let radiator = self.radiator(class, z_mm);
        let weights: Vec<_> = (0..ATTENUATIONS_DB_CM_MHZ.len())
            .map(|attenuation| self.at_peak(axis, attenuation, z_mm).weights)
            .collect();
        let side = (half_lines * steps) as i64;
        let from = if class.even { 0 } else { -side };
        let places: Vec<Place> = (from..=side)
            .map(|i| self.beside(class, i as f64 / steps as f64, z_mm))
            .collect();
        let counts = trapezoid(places.len(), class.even);
        let counts = (index < self.depths).then_some(&counts[..]);
        let (mut profiles, powers) =
            radiator.echoes_and_powers(&self.band, &places, &weights, counts);
        for row in &mut profiles {
            row[(-from) as usize] = Complex::new(1.0, 0.0);
            if class.even {
                *row = mirrored(row);
            }
        }
        NearRow { profiles, powers }
    }

    /// See [`Beam::speckle_gain`].
    pub fn speckle_gain(
        &self,
        far: &[FarRow],
        near: &[NearRow],
        elevations: &[ElevationRow],
    ) -> Vec<f32> {
        let powers: Vec<[f64; 2]> = (0..self.depths)
            .map(|depth| {
                let powers = self.powers(&far[depth], &near[depth], &elevations[depth]);
                powers.iter().fold([0.0; 2], |[power, axis_power], p| {
                    [power + p[0], axis_power + p[1]]
                })
            })
            .collect();
        let gain = |i: usize| {
            let (attenuation, depth) = (i / self.depths, i % self.depths);
            let (across, along) = (&near[depth], &elevations[depth]);
            let [power, axis_power] = powers[depth];
            let profiles = power_of(&across.profiles[attenuation]) * power_of(&along.profile);
            let model = axis_power * profiles;
            if model > 0.0 && power > 0.0 {
                libm::sqrt(power / model) as f32
            } else {
                1.0
            }
        };
        (0..ATTENUATIONS_DB_CM_MHZ.len() * self.depths)
            .map(gain)
            .collect()
    }

    /// See [`Beam::speckle_spectrum`].
    pub fn speckle_spectrum(
        &self,
        spectra: &[Vec<Complex<f64>>],
        far: &[FarRow],
        near: &[NearRow],
        elevations: &[ElevationRow],
    ) -> Vec<Complex<f32>> {
        let of_depth = |depth: usize| {
            let spectrum = &spectra[depth];
            let powers = self.powers(&far[depth], &near[depth], &elevations[depth]);
            let power: f64 = powers.iter().map(|p| p[0]).sum();
            let axis_power: f64 = spectrum.iter().map(Complex::norm_sqr).sum();
            let share = if power > 0.0 { axis_power / power } else { 0.0 };
            spectrum
                .iter()
                .zip(powers)
                .map(move |(on_axis, [power, _])| {
                    let height = on_axis.norm_sqr().sqrt();
                    let phase = if height > 0.0 {
                        on_axis / height
                    } else {
                        Complex::new(1.0, 0.0)
                    };
                    single(phase * libm::sqrt(share * power))
                })
        };
        (0..self.depths).flat_map(of_depth).collect()
    }

    /// By frequency: the power of echoes from everywhere at a depth (in steps of the profiles), and
    /// from its axis.
    fn powers(&self, far: &FarRow, across: &NearRow, along: &ElevationRow) -> Vec<[f64; 2]> {
        let round = matches!(self.aperture, Aperture::Disc(_));
        let of = |(n, amplitude): (usize, &f64)| {
            let pulse = amplitude * amplitude;
            let axis = far.axis[n].norm_sqr();
            let both = across.powers[n] * along.powers[n];
            // A round element's field is one factor, which both profiles are cuts through.
            if !round {
                [pulse * both, pulse * axis * along.axis[n].norm_sqr()]
            } else if axis > 0.0 {
                [pulse * both / axis, pulse * axis]
            } else {
                [0.0; 2]
            }
        };
        self.amplitudes.iter().enumerate().map(of).collect()
    }

    /// `[class][attenuation][depth][offset]`.
    pub fn sorted_near(&self, near: &[NearRow]) -> Vec<Complex<f32>> {
        let mut lateral = Vec::new();
        for of_class in near.chunks(self.depths) {
            for attenuation in 0..ATTENUATIONS_DB_CM_MHZ.len() {
                for row in of_class {
                    lateral.extend_from_slice(&row.profiles[attenuation]);
                }
            }
        }
        lateral
    }

    /// How many lines the near profile must reach so that the middle class' beam has fallen below
    /// −30 dB, at all but the shallowest tenth of the depths.
    pub fn half_lines(&self, far: &[FarRow]) -> usize {
        let middle = 2 * (self.grid.lines.max(1) - 1);
        let reach = |row: &FarRow| {
            let side = |i: &usize| {
                row.profile[middle + i].norm_sqr().sqrt() > NEAR_FLOOR
                    || row.profile[middle - i].norm_sqr().sqrt() > NEAR_FLOOR
            };
            // In lines: half-line steps over two, rounded up, and one beyond.
            (0..=middle).rev().find(side).unwrap_or(0) / 2 + 1
        };
        let rows = &far[self.depths / 10..self.depths];
        let reach = rows.iter().map(reach).max().unwrap_or(0);
        reach.clamp(HALF_LINES[0], HALF_LINES[1])
    }

    /// Steps of the near profile for each line distance, so that it is smooth over the middle
    /// class' width, at all but the shallowest tenth of the depths.
    pub fn steps_per_line(&self, far: &[FarRow]) -> usize {
        let last = (self.grid.lines.max(1) - 1) as f64;
        let steps = |row: &FarRow| {
            half_width(&row.profile, last).map_or(0.0, |lines| STEPS_PER_WIDTH / lines)
        };
        let rows = &far[self.depths / 10..self.depths];
        let steps = rows.iter().map(steps).fold(0.0, f64::max);
        (libm::ceil(steps) as usize)
            .clamp(STEPS_PER_LINE[0], STEPS_PER_LINE[1])
            .next_power_of_two()
    }

    pub fn elevation_rows(&self) -> Vec<ElevationRow> {
        let row = |depth: usize| self.elevation_row(depth);
        (0..self.depths).into_par_iter().map(row).collect()
    }

    fn elevation_row(&self, depth: usize) -> ElevationRow {
        let z_mm = self.node_mm(depth);
        let (radiator, edge_mm) = match &self.aperture {
            Aperture::Row(_) => (
                self.slice.radiator(z_mm, &self.band),
                self.slice.edge_mm(z_mm, self.wavelength_mm),
            ),
            Aperture::Disc(disc) => (
                disc.radiator(z_mm, &self.band),
                disc.edge_mm(z_mm, self.wavelength_mm),
            ),
        };
        let axis = radiator.two_way(&self.band, [0.0, z_mm]);
        let weights = [self.at_peak(&axis, MIDDLE, z_mm).weights];
        let counts = trapezoid(ELEVATION_SIDE, true);
        let profile = |reach_mm: f64, counts: Option<&[f32]>| {
            let places: Vec<Place> = (0..ELEVATION_SIDE)
                .map(|i| [reach_mm * i as f64 / (ELEVATION_SIDE - 1) as f64, z_mm])
                .collect();
            let (profiles, powers) =
                radiator.echoes_and_powers(&self.band, &places, &weights, counts);
            (profiles.concat(), powers)
        };
        let last = profile(edge_mm, None)
            .0
            .iter()
            .rposition(|echo| echo.norm_sqr().sqrt() > ELEVATION_FLOOR);
        let share = (last.unwrap_or(0) + 1).min(ELEVATION_SIDE - 1) as f64;
        let reach_mm = edge_mm * share / (ELEVATION_SIDE - 1) as f64;
        let (mut half, powers) = profile(reach_mm, Some(&counts));
        half[0] = Complex::new(1.0, 0.0);
        ElevationRow {
            reach_mm,
            profile: mirrored(&half),
            axis,
            powers,
        }
    }

    /// The middle class' spectrum on the axis at each depth, scaled, and the node of greatest gain.
    pub fn spectra(
        &self,
        far: &[FarRow],
        elevations: &[ElevationRow],
    ) -> (Vec<Vec<Complex<f64>>>, usize) {
        let round = matches!(self.aperture, Aperture::Disc(_));
        let one = Complex::new(1.0, 0.0);
        let spectrum = |depth: usize| -> Vec<Complex<f64>> {
            let across = far[depth].axis.iter();
            let elevation = elevations[depth].axis.iter();
            across
                .zip(elevation)
                .zip(&self.amplitudes)
                .map(|((across, elevation), amplitude)| {
                    // A round element's field is not made of two factors: one has it all.
                    across * if round { one } else { *elevation } * *amplitude
                })
                .collect()
        };
        let mut spectra: Vec<_> = (0..self.depths).map(spectrum).collect();
        let reach_us = PEAK_PULSES * self.band.pulse_us;
        let mut focus = (0, 0.0);
        for (depth, spectrum) in spectra.iter().enumerate() {
            let (_, height) = self.band.peak(spectrum, reach_us);
            if height > focus.1 {
                focus = (depth, height);
            }
        }
        let scale = if focus.1 > 0.0 { 1.0 / focus.1 } else { 0.0 };
        for value in spectra.iter_mut().flatten() {
            *value *= scale;
        }
        (spectra, focus.0)
    }

    pub fn class_gain(&self, far: &[FarRow]) -> Vec<f32> {
        let gain = |(i, row): (usize, &FarRow)| {
            let middle = far[i % self.depths].height;
            if middle > 0.0 {
                (row.height / middle) as f32
            } else {
                1.0
            }
        };
        far.iter().enumerate().map(gain).collect()
    }

    /// −6 dB widths at a depth for the middle attenuation: axial, lateral, elevation.
    pub fn widths_mm(&self, beam: &Beam, spectrum: &[Complex<f64>], depth: usize) -> [f32; 3] {
        let z_mm = self.node_mm(depth);
        let loss = self.loss(MIDDLE, z_mm);
        let echo: Vec<_> = spectrum.iter().zip(loss).map(|(s, l)| s * l).collect();
        let reach_us = PEAK_PULSES * self.band.pulse_us;
        let (peak_us, _) = self.band.peak(&echo, reach_us);
        let axial_us = self
            .band
            .half_width_us(&echo, peak_us, reach_us)
            .unwrap_or(2.0 * reach_us);
        [
            (0.5 * SPEED_MM_US * axial_us) as f32,
            self.lateral_width_mm(beam, depth) as f32,
            self.elevation_width_mm(beam, depth) as f32,
        ]
    }

    fn lateral_width_mm(&self, beam: &Beam, depth: usize) -> f64 {
        let z_mm = self.node_mm(depth);
        let line_mm = self.grid.line_distance_mm(z_mm).abs();
        let near = beam.near_row(0, MIDDLE, depth);
        let half_mm = line_mm * beam.half_lines as f64;
        half_width(near, half_mm).unwrap_or_else(|| {
            let far = beam.far_row(0, depth);
            let half_mm = line_mm * (self.grid.lines.max(1) - 1) as f64;
            half_width(far, half_mm).unwrap_or(2.0 * half_mm)
        })
    }

    fn elevation_width_mm(&self, beam: &Beam, depth: usize) -> f64 {
        let reach_mm = beam.elevation_reach_mm[depth];
        half_width(beam.elevation_row(depth), reach_mm).unwrap_or(2.0 * reach_mm)
    }

    /// The area over which a plane reflector's echo at a node adds up, mm².
    pub fn focal_area_mm2(&self, beam: &Beam, depth: usize) -> f64 {
        let line_mm = self.grid.line_distance_mm(self.node_mm(depth)).abs();
        let across = integral(
            beam.near_row(0, 0, depth),
            line_mm / beam.steps_per_line as f64,
        );
        let step_mm = beam.elevation_reach_mm[depth] / (ELEVATION_SIDE - 1) as f64;
        (across * integral(beam.elevation_row(depth), step_mm))
            .norm_sqr()
            .sqrt()
    }
}

/// In single precision.
pub(super) fn single(value: Complex<f64>) -> Complex<f32> {
    Complex::new(value.re as f32, value.im as f32)
}

/// A half profile from the axis on, and its mirror image before it.
fn mirrored(half: &[Complex<f32>]) -> Vec<Complex<f32>> {
    half[1..].iter().rev().chain(half).copied().collect()
}

/// How often each node of a profile counts in its integral by the trapezoid rule, in steps; `even`:
/// half a profile from the axis on, counted for both halves.
fn trapezoid(nodes: usize, even: bool) -> Vec<f32> {
    let count = |i: usize| match (even, i) {
        (true, 0) => 1.0,
        (true, i) if i + 1 < nodes => 2.0,
        (true, _) => 1.0,
        (false, i) if i == 0 || i + 1 == nodes => 0.5,
        (false, _) => 1.0,
    };
    (0..nodes).map(count).collect()
}

/// ∫|profile|² by the trapezoid rule, in steps.
fn power_of(profile: &[Complex<f32>]) -> f64 {
    let counts = trapezoid(profile.len(), false);
    let power = |(value, &count): (&Complex<f32>, &f32)| f64::from(value.norm_sqr() * count);
    profile.iter().zip(&counts).map(power).sum()
}

/// How wide a profile is at half its height on the axis, mm; `None` if it does not fall so far on
/// both sides.
pub(super) fn half_width(profile: &[Complex<f32>], half_mm: f64) -> Option<f64> {
    let middle = profile.len() / 2;
    let height = |i: usize| f64::from(profile[i].norm_sqr().sqrt());
    let half = 0.5 * height(middle);
    let side = |at: &dyn Fn(usize) -> usize| {
        let below = (1..=middle).find(|&i| height(at(i)) < half)?;
        let [before, after] = [height(at(below - 1)), height(at(below))];
        Some(below as f64 - (half - after) / (before - after))
    };
    let steps = side(&|i| middle + i)? + side(&|i| middle - i)?;
    Some(steps * half_mm / middle as f64)
}

/// The integral of a profile by the trapezoid rule.
fn integral(profile: &[Complex<f32>], step_mm: f64) -> Complex<f64> {
    let last = profile.len() - 1;
    let mut sum = Complex::new(0.0, 0.0);
    for (i, value) in profile.iter().enumerate() {
        let share = if i == 0 || i == last { 0.5 } else { 1.0 };
        sum += Complex::new(f64::from(value.re), f64::from(value.im)) * share;
    }
    sum * step_mm
}
