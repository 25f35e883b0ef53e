//! Echoes on to lines: each adds to the lines whose beam covers it, at its own delay.

use rayon::prelude::*;

use crate::grid::{REFERENCE_SPEED_M_S, ScanGrid, Shape};
use crate::simd::wide;
use crate::tables::{LANES, Tables};

/// Echoes as flat lists, ready for the lines.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    /// Where along the scan, in lines.
    pub line: Vec<f32>,
    pub delay_mm: Vec<f32>,
    /// Complex amplitude; [`Echoes::set_carrier`] turns it to the delay's phase.
    pub re: Vec<f32>,
    pub im: Vec<f32>,
    /// Row of the beam tables.
    pub row: Vec<u32>,
}

impl Echoes {
    pub fn clear(&mut self) {
        for list in [
            &mut self.line,
            &mut self.delay_mm,
            &mut self.re,
            &mut self.im,
        ] {
            list.clear();
        }
        self.row.clear();
    }

    pub fn len(&self) -> usize {
        self.row.len()
    }

    #[inline]
    pub fn push(&mut self, line: f32, delay_mm: f32, amplitude: (f32, f32), row: u32) {
        self.line.push(line);
        self.delay_mm.push(delay_mm);
        self.re.push(amplitude.0);
        self.im.push(amplitude.1);
        self.row.push(row);
    }

    /// Room for so many more echoes, to be filled in.
    pub fn grow(&mut self, more: usize) -> impl Iterator<Item = EchoMut<'_>> {
        let start = self.len();
        let end = start + more;
        for list in [
            &mut self.line,
            &mut self.delay_mm,
            &mut self.re,
            &mut self.im,
        ] {
            list.resize(end, 0.0);
        }
        self.row.resize(end, 0);
        let places = self.line[start..]
            .iter_mut()
            .zip(&mut self.delay_mm[start..]);
        let amplitudes = self.re[start..].iter_mut().zip(&mut self.im[start..]);
        let all = places.zip(amplitudes).zip(&mut self.row[start..]);
        all.map(|(((line, delay_mm), (re, im)), row)| EchoMut {
            line,
            delay_mm,
            re,
            im,
            row,
        })
    }

    /// Copies the echoes of `other` with delays from the first of `between_mm` up to the second.
    pub fn take_from(&mut self, other: &Self, between_mm: (f32, f32)) {
        for index in 0..other.len() {
            let delay = other.delay_mm[index];
            if delay >= between_mm.0 && delay < between_mm.1 {
                let amplitude = (other.re[index], other.im[index]);
                self.push(other.line[index], delay, amplitude, other.row[index]);
            }
        }
    }

    /// From depths along steered lines to depths along the direction of all lines: of these an
    /// echo has only one, whichever line hears it.
    pub fn shear(&mut self, layout: &Layout) {
        if layout.shear_mm == (0.0, 0.0) {
            return;
        }
        let (start, per_line) = (layout.shear_mm.0 as f32, layout.shear_mm.1 as f32);
        for (delay, line) in self.delay_mm.iter_mut().zip(&self.line) {
            *delay += start + per_line * line;
        }
    }

    /// Multiplies each amplitude by e^{+i 2 k0 delay}.
    pub fn set_carrier(&mut self, f_mhz: f64) {
        let turns_per_mm = 2.0 * f_mhz * 1e6 / (REFERENCE_SPEED_M_S * 1e3);
        carrier(
            &self.delay_mm,
            turns_per_mm as f32,
            &mut self.re,
            &mut self.im,
        );
    }

    /// The least and greatest delay, mm.
    pub fn delays_mm(&self) -> Option<(f32, f32)> {
        let mut ends = None;
        for &delay in &self.delay_mm {
            let (low, high) = ends.unwrap_or((delay, delay));
            ends = Some((delay.min(low), delay.max(high)));
        }
        ends
    }
}

/// One of [`Echoes`].
pub(crate) struct EchoMut<'a> {
    pub line: &'a mut f32,
    pub delay_mm: &'a mut f32,
    pub re: &'a mut f32,
    pub im: &'a mut f32,
    pub row: &'a mut u32,
}

/// How rows of a [`Raster`] are laid out: `[row][re, im][pad + lines + pad]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layout {
    pub lines: usize,
    /// Room on both sides for runs that reach over the edge.
    pub pad: usize,
    /// Numbers in the real half of a row.
    pub width: usize,
    /// Rows of the whole image.
    pub rows: usize,
    /// Distance of rows, mm.
    pub row_mm: f64,
    /// How much later than its depth along its line a row lies, mm: at line 0, and more from line
    /// to line. Never negative.
    pub shear_mm: (f64, f64),
}

impl Layout {
    pub fn new(grid: &ScanGrid, taps: usize, rows: usize, row_mm: f64) -> Self {
        let pad = taps.next_multiple_of(LANES);
        let lines = grid.lines;
        let per_line = match grid.shape {
            Shape::Parallel { steer_rad } => grid.pitch * libm::sin(steer_rad),
            Shape::Fan { .. } => 0.0,
        };
        // Lines beyond the edge by the length of a run have rows too.
        let whole = per_line.abs() * (lines + 2 * taps) as f64;
        let start = if per_line < 0.0 { whole } else { 0.0 } + per_line * taps as f64;
        let rows = rows + libm::ceil(whole / row_mm) as usize;
        Self {
            shear_mm: (start, per_line),
            lines,
            pad,
            width: (lines + 2 * pad).next_multiple_of(LANES),
            rows,
            row_mm,
        }
    }
}

impl Layout {
    /// The row at which a line's depth 0 lies.
    pub fn first_row(&self, line: usize) -> usize {
        let shear = self.shear_mm.0 + self.shear_mm.1 * line as f64;
        libm::round(shear.max(0.0) / self.row_mm) as usize
    }
}

/// Rows of baseband samples, all lines side by side; a part of the image's rows.
#[derive(Debug, Default)]
pub(crate) struct Raster {
    pub first_row: usize,
    pub rows: usize,
    pub data: Vec<f32>,
}

impl Raster {
    /// Empties it and makes room for rows that delays between two ends fall on.
    pub fn prepare(&mut self, layout: &Layout, delays_mm: Option<(f32, f32)>) {
        let Some((low, high)) = delays_mm else {
            self.rows = 0;
            self.data.clear();
            return;
        };
        let row = |delay: f32| (f64::from(delay.max(0.0)) / layout.row_mm) as usize;
        self.first_row = row(low).min(layout.rows - 1);
        self.rows = (row(high) + 2).min(layout.rows) - self.first_row;
        self.data.clear();
        self.data.resize(self.rows * 2 * layout.width, 0.0);
    }

    /// Adds echoes.
    pub fn add(&mut self, layout: &Layout, tables: &Tables, echoes: &Echoes) {
        if self.rows < 2 {
            return;
        }
        let scale = Scale {
            width: layout.width,
            pad: layout.pad,
            lines: layout.lines,
            first_row: self.first_row,
            rows: self.rows,
            rows_per_mm: (1.0 / layout.row_mm) as f32,
            taps: tables.taps,
            phases: tables.phases,
        };
        splat(
            echoes,
            &tables.weights,
            &tables.spans,
            scale,
            &mut self.data,
        );
    }

    /// Amplitude of the sum of a line's echoes from so much before a depth to as much behind it.
    pub fn sum_around(&self, layout: &Layout, line: usize, depth_mm: f64, half_mm: f64) -> f32 {
        let of = |mm: f64| libm::round(mm.max(0.0) / layout.row_mm) as usize;
        let first = layout.first_row(line);
        let rows = first + of(depth_mm - half_mm)..=first + of(depth_mm + half_mm);
        let (mut re, mut im) = (0.0f32, 0.0f32);
        for row in rows.filter_map(|row| row.checked_sub(self.first_row)) {
            let at = row * 2 * layout.width + layout.pad + line;
            re += self.data.get(at).copied().unwrap_or(0.0);
            im += self.data.get(at + layout.width).copied().unwrap_or(0.0);
        }
        (re * re + im * im).sqrt()
    }

    /// What reached over one edge belongs at the other, where the last line neighbours the first.
    pub fn close(&mut self, layout: &Layout) {
        let Layout {
            lines, pad, width, ..
        } = *layout;
        for half in self.data.chunks_mut(width) {
            for i in 0..pad.min(lines) {
                half[pad + lines - 1 - i] += half[pad - 1 - i];
                half[pad + i] += half[pad + lines + i];
            }
        }
    }

    /// The whole image's rows as the sum of parts, in their order.
    pub fn sum(&mut self, layout: &Layout, parts: &[&Self]) {
        let size = 2 * layout.width;
        self.first_row = 0;
        self.rows = layout.rows;
        self.data.resize(layout.rows * size, 0.0);
        self.data
            .par_chunks_mut(ROWS_PER_TASK * size)
            .enumerate()
            .for_each(|(task, data)| {
                data.fill(0.0);
                let first = task * ROWS_PER_TASK;
                let end = first + data.len() / size;
                for part in parts {
                    let from = part.first_row.max(first);
                    let to = (part.first_row + part.rows).min(end);
                    if from >= to {
                        continue;
                    }
                    let sums = &mut data[(from - first) * size..(to - first) * size];
                    let values = &part.data[(from - part.first_row) * size..];
                    for (sum, &value) in sums.iter_mut().zip(values) {
                        *sum += value;
                    }
                }
            });
    }
}

/// Rows that one task sums.
const ROWS_PER_TASK: usize = 256;

#[derive(Clone, Copy)]
struct Scale {
    width: usize,
    pad: usize,
    lines: usize,
    first_row: usize,
    rows: usize,
    rows_per_mm: f32,
    taps: usize,
    phases: usize,
}

wide! {
    /// The hot loop: for each echo eight lines at a time, two rows.
    fn splat(echoes: &Echoes, weights: &[f32], spans: &[(u8, u8)], scale: Scale, data: &mut [f32]) {
        let Scale { width, pad, lines, first_row, rows, rows_per_mm, taps, phases } = scale;
        let half = (taps / 2) as i64;
        let lists = echoes.line.iter().zip(&echoes.delay_mm).zip(&echoes.re).zip(&echoes.im).zip(&echoes.row);
        for ((((&line, &delay), &re), &im), &table) in lists {
            let at = delay * rows_per_mm - first_row as f32;
            if at.is_nan() || at < 0.0 {
                continue;
            }
            let row = at as usize;
            if row + 2 > rows {
                continue;
            }
            let after = at - row as f32;
            let before = 1.0 - after;
            // Half a phase on, so that cutting rounds.
            let place = line + 0.5 / phases as f32;
            let floor = place.floor();
            let phase = ((place - floor) * phases as f32) as usize;
            let start = floor as i64 - half + 1 + pad as i64;
            if start < 0 || start as usize + taps > lines + 2 * pad {
                continue;
            }
            let (first, end) = spans[table as usize];
            let base = (table as usize * phases + phase.min(phases - 1)) * 2 * taps;
            let table = &weights[base..base + 2 * taps];
            let rows = &mut data[row * 2 * width..(row + 2) * 2 * width];
            let (now, next) = rows.split_at_mut(2 * width);
            for lane in usize::from(first)..usize::from(end) {
                let tap = lane * LANES;
                let line = start as usize + tap;
                let w_re: &[f32; LANES] = table[tap..tap + LANES].try_into().expect("eight");
                let w_im: &[f32; LANES] = table[taps + tap..taps + tap + LANES].try_into().expect("eight");
                let mut out_re = [0.0f32; LANES];
                let mut out_im = [0.0f32; LANES];
                for i in 0..LANES {
                    out_re[i] = w_re[i] * re - w_im[i] * im;
                    out_im[i] = w_re[i] * im + w_im[i] * re;
                }
                add(&mut now[line..line + LANES], &out_re, before);
                add(&mut now[width + line..width + line + LANES], &out_im, before);
                add(&mut next[line..line + LANES], &out_re, after);
                add(&mut next[width + line..width + line + LANES], &out_im, after);
            }
        }
    }
}

#[inline(always)]
fn add(sum: &mut [f32], values: &[f32; LANES], share: f32) {
    let sum: &mut [f32; LANES] = sum.try_into().expect("eight");
    for i in 0..LANES {
        sum[i] += values[i] * share;
    }
}

wide! {
    /// Multiplies amplitudes by e^{i 2π turns}.
    fn carrier(delay_mm: &[f32], turns_per_mm: f32, re: &mut [f32], im: &mut [f32]) {
        for ((&delay, re), im) in delay_mm.iter().zip(re).zip(im) {
            let (sine, cosine) = sin_cos_turns(delay * turns_per_mm);
            let (a, b) = (*re, *im);
            *re = a * cosine - b * sine;
            *im = a * sine + b * cosine;
        }
    }
}

/// Sine and cosine of so many turns, |turns| < 2²¹; within 3e-7 of the turns' own rounding.
#[inline(always)]
pub(crate) fn sin_cos_turns(turns: f32) -> (f32, f32) {
    // Adding and taking off 1.5 · 2²³ rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let rest = turns - ((turns + ROUND) - ROUND);
    // Half the angle lies within ±π/2, where the series are short.
    let y = rest * std::f32::consts::PI;
    let y2 = y * y;
    let sine = -1.0 / 39_916_800.0 + y2 * (1.0 / 6_227_020_800.0);
    let sine = 1.0 / 362_880.0 + y2 * sine;
    let sine = -1.0 / 5040.0 + y2 * sine;
    let sine = 1.0 / 120.0 + y2 * sine;
    let sine = y + y * y2 * (-1.0 / 6.0 + y2 * sine);
    let cosine = -1.0 / 3_628_800.0 + y2 * (1.0 / 479_001_600.0);
    let cosine = 1.0 / 40320.0 + y2 * cosine;
    let cosine = -1.0 / 720.0 + y2 * cosine;
    let cosine = 1.0 / 24.0 + y2 * cosine;
    let cosine = 1.0 + y2 * (-0.5 + y2 * cosine);
    (2.0 * sine * cosine, 1.0 - 2.0 * sine * sine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_and_cosine_of_turns() {
        for i in 0..20_000 {
            let turns = (i as f32) * 0.037 - 300.0;
            let (sine, cosine) = sin_cos_turns(turns);
            let angle = f64::from(turns) * std::f64::consts::TAU;
            assert!((f64::from(sine) - angle.sin()).abs() < 1e-6, "{turns}");
            assert!((f64::from(cosine) - angle.cos()).abs() < 1e-6, "{turns}");
        }
    }
}
