//! From rows of echoes to lines of baseband samples: reverberation, pulse, noise.

use std::ops::Range;

use nalgebra::Complex;
use rayon::prelude::*;

use crate::beam::Beam;
use crate::grid::{REFERENCE_SPEED_M_S, ScanGrid};
use crate::haze::Haze;
use crate::pulse::turn;
use crate::simd::wide;
use crate::speckle::hash3;
use crate::splat::{Layout, Raster};
use crate::tables::Tables;

/// Depths at which the pulse is worked out; between them it is blended, as an echo on the border
/// of two zones would else be made of two pulses that do not fit each other.
const ZONES: usize = 32;

/// Slopes of attenuation for which the pulse is worked out; between them it is blended. A step
/// weakens the edges of the band by some tenth, which evenly blended is right to a thousandth.
const SLOPES: usize = 80;

/// Greatest mean attenuation that the pulse follows, dB/cm/MHz one way.
const MOST_ATTENUATION: f64 = 1.6;

/// The pulse as a filter for every depth and downshift. Follows from the setting.
#[derive(Debug)]
pub(crate) struct PulseBank {
    /// A multiple of 8.
    taps: usize,
    /// `[zone][slope][re, im][tap]`; the tap in the middle is delay 0. On-axis peak 1 without
    /// attenuation.
    filters: Vec<f32>,
    /// By zone: the taps that are not 0.
    spans: Vec<Range<usize>>,
    zone_mm: f64,
    slope_step: f64,
    /// On-axis amplitude by depth node, 1 at its greatest.
    pub gain: Vec<f32>,
    gain_step_mm: f64,
}

impl PulseBank {
    /// From one of the beam's spectra; `row_mm` is the distance of the rows it is applied to.
    pub fn new(
        beam: &Beam,
        spectrum: &[Complex<f32>],
        f0_mhz: f64,
        row_mm: f64,
        depth_mm: f64,
    ) -> Self {
        let zone_mm = depth_mm / ZONES as f64;
        let reaches: Vec<f64> = (0..ZONES)
            .map(|zone| zone_reach_mm(beam, (zone as f64 + 0.5) * zone_mm))
            .collect();
        // The near field's long pulse serves no one: what is farther off is cut there.
        let longest_mm = reaches[1..].iter().copied().fold(0.0, f64::max);
        let taps = (2 * libm::ceil(FADED * longest_mm / row_mm) as usize + 1)
            .next_multiple_of(8)
            .clamp(16, 256);
        let peaks: Vec<f32> = (0..beam.depths)
            .map(|node| pulse_peak(beam, node, f0_mhz) as f32)
            .collect();
        let greatest = peaks.iter().copied().fold(0.0, f32::max);
        let most = 2.0 * MOST_ATTENUATION / 10.0 * depth_mm * crate::medium::NP_PER_DB;
        let slope_step = most / (SLOPES - 1) as f64;
        let count = beam.frequencies_mhz.len();
        let losses: Vec<f64> = (0..SLOPES)
            .flat_map(|slope| {
                let slope = slope as f64 * slope_step;
                let of = move |f: &f64| libm::exp(-slope * (f - f0_mhz));
                beam.frequencies_mhz.iter().map(of)
            })
            .collect();
        let mut filters = vec![0.0; ZONES * SLOPES * 2 * taps];
        filters
            .par_chunks_mut(SLOPES * 2 * taps)
            .enumerate()
            .for_each(|(zone, filters)| {
                let z = (zone as f64 + 0.5) * zone_mm;
                let node = (libm::round(z / beam.depth_step_mm) as usize).min(beam.depths - 1);
                let peak = f64::from(peaks[node]);
                let reach_mm = reaches[zone].min(longest_mm);
                fill_zone(
                    beam,
                    &spectrum[node * count..(node + 1) * count],
                    (f0_mhz, row_mm),
                    (peak, reach_mm),
                    &losses,
                    filters,
                );
            });
        let half = taps / 2;
        let spans = reaches.iter().map(|reach_mm| {
            let rows = libm::ceil(FADED * reach_mm.min(longest_mm) / row_mm) as usize;
            half.saturating_sub(rows)..(half + rows + 1).min(taps)
        });
        Self {
            taps,
            filters,
            spans: spans.collect(),
            zone_mm,
            slope_step,
            gain: peaks.iter().map(|peak| peak / greatest).collect(),
            gain_step_mm: beam.depth_step_mm,
        }
    }

    /// The pulse at a depth for a slope of attenuation (Np/MHz), blended from its neighbours into
    /// `taps`.
    fn filter<'a>(&self, z_mm: f64, slope: f64, taps: &'a mut Vec<f32>) -> Filter<'a> {
        // A zone's own pulse holds in its middle.
        let (zone, deeper) = between(z_mm / self.zone_mm - 0.5, ZONES);
        let (low, steeper) = between(slope / self.slope_step, SLOPES);
        let (near, far) = (&self.spans[zone], &self.spans[zone + 1]);
        let span = near.start.min(far.start)..near.end.max(far.end);
        let of = |zone: usize, slope: usize| {
            let start = (zone * SLOPES + slope) * 2 * self.taps;
            &self.filters[start..start + 2 * self.taps]
        };
        let filters = [
            of(zone, low),
            of(zone, low + 1),
            of(zone + 1, low),
            of(zone + 1, low + 1),
        ];
        let shares = [
            (1.0 - deeper) * (1.0 - steeper),
            (1.0 - deeper) * steeper,
            deeper * (1.0 - steeper),
            deeper * steeper,
        ];
        let length = span.len();
        taps.clear();
        taps.resize(2 * length, 0.0);
        let (re, im) = taps.split_at_mut(length);
        for (part, out) in [&mut *re, &mut *im].into_iter().enumerate() {
            let first = part * self.taps + span.start;
            blend(filters.map(|f| &f[first..first + length]), shares, out);
        }
        Filter {
            first: span.start,
            re,
            im,
        }
    }

    /// On-axis amplitude at a depth.
    pub fn gain_at(&self, z_mm: f64) -> f32 {
        let at = (z_mm / self.gain_step_mm).clamp(0.0, (self.gain.len() - 1) as f64);
        let low = (at as usize).min(self.gain.len().saturating_sub(2));
        let high = (low + 1).min(self.gain.len() - 1);
        self.gain[low] + (self.gain[high] - self.gain[low]) * (at - low as f64) as f32
    }

    /// ∫|pulse|² over depth at a zone without attenuation, mm.
    pub fn energy_mm(&self, z_mm: f64, row_mm: f64) -> f64 {
        let mut taps = Vec::new();
        let filter = self.filter(z_mm, 0.0, &mut taps);
        let square = |&v: &f32| f64::from(v) * f64::from(v);
        let taps = filter.re.iter().chain(filter.im);
        taps.map(square).sum::<f64>() * row_mm
    }
}

/// Between which two of `count` nodes a place lies, the first of them and the second's share; at the
/// ends it stays at the last one.
fn between(at: f64, count: usize) -> (usize, f32) {
    let at = at.clamp(0.0, (count - 1) as f64);
    let low = (at as usize).min(count - 2);
    (low, (at - low as f64) as f32)
}

/// The taps of a pulse that are not 0.
struct Filter<'a> {
    /// The first of them.
    first: usize,
    re: &'a [f32],
    im: &'a [f32],
}

/// The baseband pulse at `tau_mm` (delay along depth) on the axis at a depth node.
fn pulse_at(beam: &Beam, node: usize, f0_mhz: f64, tau_mm: f64) -> Complex<f64> {
    let count = beam.frequencies_mhz.len();
    let spectrum = &beam.spectrum[node * count..(node + 1) * count];
    let turns_per_mhz = 2.0 * tau_mm / (REFERENCE_SPEED_M_S * 1e-3);
    let mut sum = Complex::new(0.0, 0.0);
    for (&f, value) in beam.frequencies_mhz.iter().zip(spectrum) {
        let turn = turn(-(f - f0_mhz) * turns_per_mhz);
        sum += Complex::new(f64::from(value.re), f64::from(value.im)) * turn;
    }
    sum
}

fn pulse_peak(beam: &Beam, node: usize, f0_mhz: f64) -> f64 {
    let reach = pulse_reach_mm(beam, node, f0_mhz);
    (-40..=40)
        .map(|i| pulse_at(beam, node, f0_mhz, reach * f64::from(i) / 40.0).norm())
        .fold(0.0, f64::max)
}

/// Half the length of the pulse down to about −40 dB, at a depth in usual tissue: of a bell-shaped one
/// 1.3 times its −6 dB width.
fn zone_reach_mm(beam: &Beam, z_mm: f64) -> f64 {
    let node = (libm::round(z_mm / beam.depth_step_mm) as usize).min(beam.depths - 1);
    1.3 * f64::from(beam.widths_mm[node][0])
}

/// Half the length of the pulse down to −40 dB, mm.
fn pulse_reach_mm(beam: &Beam, node: usize, f0_mhz: f64) -> f64 {
    let (low, high) = (
        beam.frequencies_mhz[0],
        beam.frequencies_mhz[beam.frequencies_mhz.len() - 1],
    );
    let spacing = (high - low) / (beam.frequencies_mhz.len() - 1) as f64;
    // The spectrum repeats the pulse after this delay.
    let period_mm = REFERENCE_SPEED_M_S * 1e-3 / (2.0 * spacing);
    let steps = 200;
    let at = |i: i32| {
        let tau = f64::from(i) / f64::from(steps) * period_mm * 0.45;
        (tau, pulse_at(beam, node, f0_mhz, tau).norm())
    };
    let greatest = (-steps..=steps).map(|i| at(i).1).fold(0.0, f64::max);
    (-steps..=steps)
        .map(at)
        .filter(|(_, value)| *value > greatest * 1e-2)
        .map(|(tau, _)| tau.abs())
        .fold(0.0, f64::max)
}

/// Fills a zone's filters, `[slope][re, im][tap]`, from the spectrum at its depth; `losses` are what
/// slopes leave of the frequencies, `[slope][frequency]`.
fn fill_zone(
    beam: &Beam,
    spectrum: &[Complex<f32>],
    (f0_mhz, row_mm): (f64, f64),
    (peak, reach_mm): (f64, f64),
    losses: &[f64],
    filters: &mut [f32],
) {
    // Echoes were shared out between two rows, which dulls the band's edges; this undoes it.
    let sharpen = |offset_mhz: f64| {
        let x = std::f64::consts::PI * offset_mhz * 2.0 * row_mm / (REFERENCE_SPEED_M_S * 1e-3);
        let sinc = if x.abs() < 1e-6 {
            1.0
        } else {
            libm::sin(x) / x
        };
        1.0 / (sinc * sinc).max(0.2)
    };
    let count = spectrum.len();
    let offsets: Vec<f64> = beam.frequencies_mhz.iter().map(|f| f - f0_mhz).collect();
    let sharpened: Vec<Complex<f64>> = spectrum
        .iter()
        .zip(&offsets)
        .map(|(s, &offset)| Complex::new(f64::from(s.re), f64::from(s.im)) * sharpen(offset))
        .collect();
    let taps = filters.len() / (2 * losses.len() / count);
    // A sample at row r sees the echo at row r + tap − middle with delay middle − tap.
    let middle = (taps / 2) as f64;
    for tap in 0..taps {
        let tau_mm = (middle - tap as f64) * row_mm;
        let scale = fade(tau_mm.abs() / reach_mm) / peak;
        let turns_per_mhz = 2.0 * tau_mm / (REFERENCE_SPEED_M_S * 1e-3);
        let parts: Vec<Complex<f64>> = sharpened
            .iter()
            .zip(&offsets)
            .map(|(value, offset)| value * turn(-offset * turns_per_mhz) * scale)
            .collect();
        for (filter, losses) in filters.chunks_mut(2 * taps).zip(losses.chunks(count)) {
            let add = |sum: Complex<f64>, (part, loss): (&Complex<f64>, &f64)| sum + part * *loss;
            let value = parts.iter().zip(losses).fold(Complex::new(0.0, 0.0), add);
            filter[tap] = value.re as f32;
            filter[taps + tap] = value.im as f32;
        }
    }
}

/// What is left of the pulse so many reaches from its middle. A band cut off somewhere rings for ever;
/// behind a bright wall that would fill fluids with grey.
fn fade(reaches: f64) -> f64 {
    let beyond = ((reaches - 1.0) / (FADED - 1.0)).clamp(0.0, 1.0);
    let cosine = libm::cos(beyond * std::f64::consts::FRAC_PI_2);
    cosine * cosine
}

/// The pulse has faded to nothing so many reaches from its middle.
const FADED: f64 = 1.4;

/// An echo that comes back so strong that the probe's face sends it into the body again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rebound {
    pub delay_mm: f64,
    /// Amplitude of the second trip over the first.
    pub amplitude: f64,
    /// Amplitude of the first trip if all of the beam met what the path along the line met.
    pub echo: f64,
}

impl Rebound {
    /// What is left of it: small and bent things send little sound back to the face, though the path
    /// along the line met them squarely. The share of the beam that they send is the echo as the line
    /// hears it over a plane's.
    pub fn weakened(self, heard: f64) -> Self {
        let share = (heard / self.echo.abs().max(f64::MIN_POSITIVE)).min(1.0);
        Self {
            amplitude: self.amplitude * share,
            ..self
        }
    }
}

/// By row: what the beam's width makes of a plane reflector but for the gain on the axis: the integral of
/// the two-way beam over the plane, mm². Long-lived.
pub(crate) fn plane_by_row(
    tables: &Tables,
    slice_weights: &[f32],
    grid: &ScanGrid,
    layout: &Layout,
) -> Vec<f32> {
    let slices = slice_weights.len() / tables.depths;
    let by_node: Vec<f64> = (0..tables.depths)
        .map(|node| {
            let size = 2 * tables.taps * tables.phases;
            let row = tables.row(grid.lines / 2, 0, node) as usize;
            let sum = |part: usize| -> f64 {
                let weights = tables.weights[row * size..(row + 1) * size].chunks(tables.taps);
                weights
                    .skip(part)
                    .step_by(2)
                    .flatten()
                    .map(|&w| f64::from(w))
                    .sum()
            };
            let lateral = (sum(0) * sum(0) + sum(1) * sum(1)).sqrt() / tables.phases as f64;
            let elevation = &slice_weights[node * slices..(node + 1) * slices];
            let elevation: f64 = elevation.iter().map(|&w| f64::from(w)).sum();
            // At the face the lines of a phased array meet, and none of it would be left.
            let z_mm = node.max(1) as f64 * tables.depth_step_mm;
            lateral * elevation * grid.line_distance_mm(z_mm)
        })
        .collect();
    (0..layout.rows)
        .map(|row| {
            let at = row as f64 * layout.row_mm / tables.depth_step_mm;
            let low = (at as usize).min(tables.depths - 2);
            let value = by_node[low] + (by_node[low + 1] - by_node[low]) * (at - low as f64);
            value.max(1e-9) as f32
        })
        .collect()
}

/// Rows of echoes and the pulse that they have.
#[derive(Clone, Copy)]
pub(crate) struct Heard<'a> {
    pub raster: &'a Raster,
    pub bank: &'a PulseBank,
    /// By row: what the beam's width makes of such echoes, but for a common factor; what has been to
    /// and fro is heard with the width of the depth at which it is shown.
    pub width: &'a [f32],
}

/// What the lines of a look are made of.
pub(crate) struct Reception<'a> {
    pub layout: &'a Layout,
    /// Tissue's echoes, and all others: tissue is heard with each frequency's own beam, what is on
    /// the axis is not.
    pub heard: [Heard<'a>; 2],
    pub samples: usize,
    pub sample_mm: f64,
    /// Rows per sample.
    pub oversampling: usize,
    pub f0_mhz: f64,
    /// `[line][node]`, Np/MHz.
    pub slopes: &'a [f32],
    pub nodes: usize,
    pub node_mm: f64,
    /// By line.
    pub rebounds: &'a [Vec<Rebound>],
    /// By line: fat and muscle that it crosses, mm; 0 for no haze.
    pub walls_mm: &'a [f32],
    pub haze: &'a Haze,
    /// Amplitude on the axis by sample.
    pub gain: &'a [f32],
    /// Electronic noise, rms.
    pub noise: f32,
    pub noise_seed: u32,
    pub haze_seed: u32,
}

/// Rows of a line that are looked at together for whether there is anything.
const PIECE: usize = 64;

fn is_filled((re, im): (&[f32], &[f32])) -> bool {
    re.iter().chain(im).any(|&value| value != 0.0)
}

/// Lines that one task works on.
const LINES_PER_TASK: usize = 8;

/// One task's memory.
#[derive(Debug, Default)]
pub(crate) struct ReceiveMemory {
    /// Columns of [`LINES_PER_TASK`] lines: `[line][re, im][room + rows + room]`.
    columns: Vec<f32>,
    /// Whether there is anything in each [`PIECE`] of a line.
    filled: Vec<bool>,
    /// Real and imaginary parts of one line, see [`deal_out`].
    phases: [Vec<f32>; 2],
    /// The taps of a pulse.
    taps: Vec<f32>,
    random: [Vec<f32>; 2],
}

impl Reception<'_> {
    /// Fills IQ and envelope, `[line][sample]`.
    pub fn receive(
        &self,
        memories: &mut Vec<ReceiveMemory>,
        iq: &mut [Complex<f32>],
        envelope: &mut [f32],
    ) {
        let tasks = self.layout.lines.div_ceil(LINES_PER_TASK);
        memories.resize_with(tasks, ReceiveMemory::default);
        let chunk = LINES_PER_TASK * self.samples;
        iq.par_chunks_mut(chunk)
            .zip(envelope.par_chunks_mut(chunk))
            .zip(memories.par_iter_mut())
            .enumerate()
            .for_each(|(task, ((iq, envelope), memory))| {
                iq.fill(Complex::new(0.0, 0.0));
                for heard in self.heard {
                    self.add(task * LINES_PER_TASK, heard, memory, iq);
                }
                self.finish(task * LINES_PER_TASK, memory, iq, envelope);
            });
    }

    /// Adds the echoes of one raster to lines from `first` on.
    fn add(
        &self,
        first: usize,
        heard: Heard<'_>,
        memory: &mut ReceiveMemory,
        iq: &mut [Complex<f32>],
    ) {
        let room = heard.bank.taps;
        let rows = (self.samples - 1) * self.oversampling + 1;
        let length = rows + 2 * room;
        memory.columns.clear();
        memory.columns.resize(LINES_PER_TASK * 2 * length, 0.0);
        let count = iq.len() / self.samples;
        let ReceiveMemory {
            columns,
            filled,
            phases,
            taps,
            ..
        } = memory;
        self.gather((first, count), heard.raster, (room, length), columns);
        let lines = columns
            .chunks_mut(2 * length)
            .zip(iq.chunks_mut(self.samples));
        for (index, (column, iq)) in lines.enumerate() {
            let line = first + index;
            let (re, im) = column.split_at_mut(length);
            let rows = room..room + rows;
            self.rebound(line, heard.width, &mut re[rows.clone()], &mut im[rows]);
            filled.clear();
            filled.extend(re.chunks(PIECE).zip(im.chunks(PIECE)).map(is_filled));
            if filled.contains(&true) {
                self.filter(line, heard.bank, [re, im], (filled, phases, taps), iq);
            }
        }
    }

    /// Gain, noise, haze, envelope.
    fn finish(
        &self,
        first: usize,
        memory: &mut ReceiveMemory,
        iq: &mut [Complex<f32>],
        envelope: &mut [f32],
    ) {
        let lines = iq
            .chunks_mut(self.samples)
            .zip(envelope.chunks_mut(self.samples));
        for (index, (iq, envelope)) in lines.enumerate() {
            for (value, gain) in iq.iter_mut().zip(self.gain) {
                *value *= *gain;
            }
            self.disturb(first + index, &mut memory.random, iq);
            for (out, value) in envelope.iter_mut().zip(iq.iter()) {
                *out = (value.re * value.re + value.im * value.im).sqrt();
            }
        }
    }

    /// Lines from side by side to one after another, into columns of a length with room before
    /// their first rows.
    fn gather(
        &self,
        (first, count): (usize, usize),
        raster: &Raster,
        (room, length): (usize, usize),
        columns: &mut [f32],
    ) {
        let width = self.layout.width;
        let offset = self.layout.pad + first;
        let starts: Vec<usize> = (first..first + count)
            .map(|line| self.layout.first_row(line))
            .collect();
        for row in 0..raster.rows {
            let data = &raster.data[row * 2 * width..(row + 1) * 2 * width];
            for (line, &start) in starts.iter().enumerate() {
                let Some(at) = (raster.first_row + row).checked_sub(start) else {
                    continue;
                };
                let at = room + at;
                if at < length {
                    columns[line * 2 * length + at] = data[offset + line];
                    columns[(line * 2 + 1) * length + at] = data[width + offset + line];
                }
            }
        }
    }

    /// The face throws strong echoes into the body again; what comes back then adds, and so on.
    ///
    /// The probe sees an echo that has been to and fro as it would see one from the depth at which it
    /// shows (images in the mirrors), so the beam's width there counts: as it is for planes, whose
    /// echoes add up, by its root for tissue, whose powers do.
    fn rebound(&self, line: usize, width: &[f32], re: &mut [f32], im: &mut [f32]) {
        let Some(rebounds) = self.rebounds.get(line) else {
            return;
        };
        let turns_per_mm = 2.0 * self.f0_mhz / (REFERENCE_SPEED_M_S * 1e-3);
        let trips: Vec<(usize, Complex<f32>)> = rebounds
            .iter()
            .map(|rebound| {
                let angle = std::f64::consts::TAU * rebound.delay_mm * turns_per_mm;
                let factor = Complex::new(libm::cos(angle), libm::sin(angle)) * rebound.amplitude;
                let rows = libm::round(rebound.delay_mm / self.layout.row_mm) as usize;
                (
                    rows.max(1),
                    Complex::new(factor.re as f32, factor.im as f32),
                )
            })
            .collect();
        let Some(shortest) = trips.iter().map(|trip| trip.0).min() else {
            return;
        };
        for row in shortest..re.len() {
            let (mut a, mut b) = (0.0, 0.0);
            for &(rows, factor) in &trips {
                if let Some(from) = row.checked_sub(rows) {
                    let widened = width[row] / width[from];
                    a += (re[from] * factor.re - im[from] * factor.im) * widened;
                    b += (re[from] * factor.im + im[from] * factor.re) * widened;
                }
            }
            re[row] += a;
            im[row] += b;
        }
    }

    /// Adds a line folded with the pulse, [`BLOCK`] samples at a time: they lie so close together that one
    /// pulse serves all of them.
    fn filter(
        &self,
        line: usize,
        bank: &PulseBank,
        columns: [&[f32]; 2],
        (filled, phases, taps): (&[bool], &mut [Vec<f32>; 2], &mut Vec<f32>),
        iq: &mut [Complex<f32>],
    ) {
        let slopes = &self.slopes[line * self.nodes..(line + 1) * self.nodes];
        let stride = self.samples + 2 * bank.taps.div_ceil(self.oversampling) + 2 * BLOCK;
        for (column, phases) in columns.into_iter().zip(phases.iter_mut()) {
            deal_out(column, self.oversampling, stride, phases);
        }
        for (block, out) in iq.chunks_mut(BLOCK).enumerate() {
            let first = block * BLOCK;
            let from = bank.taps / 2 + first * self.oversampling;
            let to = from + bank.taps + BLOCK * self.oversampling;
            let pieces = from / PIECE..(to / PIECE + 1).min(filled.len());
            if !filled[pieces].contains(&true) {
                continue;
            }
            let z = (first + out.len() / 2) as f64 * self.sample_mm;
            let (node, on) = between(z / self.node_mm, self.nodes);
            let slope = slopes[node] + (slopes[node + 1] - slopes[node]) * on;
            let filter = bank.filter(z, f64::from(slope), taps);
            // A line has the length of the longest pulse before its first row.
            let start = bank.taps / 2 + filter.first;
            let rows = Rows {
                sample: first,
                row: start,
                phases: self.oversampling,
                stride,
            };
            let mut sums = [[0.0; BLOCK]; 2];
            fold(
                filter.re, filter.im, &phases[0], &phases[1], rows, &mut sums,
            );
            for (index, out) in out.iter_mut().enumerate() {
                *out += Complex::new(sums[0][index], sums[1][index]);
            }
        }
    }

    /// Adds noise and the body wall's haze.
    fn disturb(&self, line: usize, random: &mut [Vec<f32>; 2], iq: &mut [Complex<f32>]) {
        if self.noise > 0.0 {
            bells(iq.len(), line as u32, self.noise_seed, random);
            let [re, im] = &*random;
            for ((value, a), b) in iq.iter_mut().zip(re).zip(im) {
                value.re += a * self.noise;
                value.im += b * self.noise;
            }
        }
        let wall_mm = self.walls_mm.get(line).copied().unwrap_or(0.0);
        if wall_mm > 0.0 {
            bells(iq.len(), line as u32, self.haze_seed, random);
            let [re, im] = &*random;
            let levels = self.haze.levels(wall_mm);
            for (((value, a), b), level) in iq.iter_mut().zip(re).zip(im).zip(levels) {
                value.re += a * level;
                value.im += b * level;
            }
        }
    }
}

/// Near-normal numbers of variance ½ (so that complex ones have power 1), smoothed over three
/// samples as the receiver's band does.
fn bells(count: usize, line: u32, seed: u32, random: &mut [Vec<f32>; 2]) {
    for (part, list) in random.iter_mut().enumerate() {
        list.resize(count + 2, 0.0);
        fill_bells(line, seed.wrapping_add(part as u32), list);
        // 1-2-1 over √6 keeps the variance.
        for i in 0..count {
            list[i] = (list[i] + 2.0 * list[i + 1] + list[i + 2]) * 0.408_248_3;
        }
    }
}

wide! {
    fn fill_bells(line: u32, seed: u32, list: &mut [f32]) {
        // The sum of four even bytes has the standard deviation √(4 · (256² − 1)/12).
        const SCALE: f32 = std::f32::consts::FRAC_1_SQRT_2 / 147.799;
        for (i, out) in list.iter_mut().enumerate() {
            let h = hash3(i as u32, line, seed, 0x9e15e);
            let sum = (h & 255) + (h >> 8 & 255) + (h >> 16 & 255) + (h >> 24);
            *out = (sum as f32 - 510.0) * SCALE;
        }
    }
}

/// Samples that one pulse is folded with side by side.
const BLOCK: usize = 8;

/// Where a block's samples find their rows.
#[derive(Clone, Copy)]
struct Rows {
    /// The block's first sample.
    sample: usize,
    /// Row of that sample's first tap, less the rows before the sample.
    row: usize,
    phases: usize,
    /// Length of a phase.
    stride: usize,
}

/// Deals the rows of a line out to phases, `[row % phases][row / phases]`, so that what
/// neighbouring samples need lies side by side.
fn deal_out(column: &[f32], phases: usize, stride: usize, out: &mut Vec<f32>) {
    out.clear();
    out.resize(phases * stride, 0.0);
    for (phase, out) in out.chunks_mut(stride).enumerate() {
        let rows = column.iter().skip(phase).step_by(phases);
        for (out, &value) in out.iter_mut().zip(rows) {
            *out = value;
        }
    }
}

wide! {
    /// Σ share · list.
    fn blend(lists: [&[f32]; 4], shares: [f32; 4], out: &mut [f32]) {
        let [a, b, c, d] = lists;
        let lists = a.iter().zip(b).zip(c).zip(d);
        for (out, (((a, b), c), d)) in out.iter_mut().zip(lists) {
            *out = (a * shares[0] + b * shares[1]) + (c * shares[2] + d * shares[3]);
        }
    }
}

wide! {
    /// Σ filter · value, both complex, for [`BLOCK`] samples side by side.
    fn fold(
        filter_re: &[f32],
        filter_im: &[f32],
        re: &[f32],
        im: &[f32],
        rows: Rows,
        sums: &mut [[f32; BLOCK]; 2],
    ) {
        let mut sum_re = [0.0f32; BLOCK];
        let mut sum_im = [0.0f32; BLOCK];
        let mut phase = rows.row % rows.phases;
        let mut at = phase * rows.stride + rows.row / rows.phases + rows.sample;
        for (&c, &d) in filter_re.iter().zip(filter_im) {
            let a: &[f32; BLOCK] = re[at..at + BLOCK].try_into().expect("eight");
            let b: &[f32; BLOCK] = im[at..at + BLOCK].try_into().expect("eight");
            for i in 0..BLOCK {
                sum_re[i] += a[i] * c - b[i] * d;
                sum_im[i] += a[i] * d + b[i] * c;
            }
            phase += 1;
            at += rows.stride;
            if phase == rows.phases {
                phase = 0;
                at = at + 1 - rows.phases * rows.stride;
            }
        }
        *sums = [sum_re, sum_im];
    }
}
