//! From the envelope of one look to the grey of its samples: compression, reject, grey map,
//! persistence.

use std::sync::Arc;

use equipment::{Console, GrayMap};
use rayon::prelude::*;

use super::compress::{self, DB_PER_OCTAVE};
use super::persist::Step;
use super::{WHITE_DB, gray, persist};
use crate::grid::{ScanGrid, Shape};

/// White in a plane: 128 steps to each of the 255 grey levels, within an `i16`.
pub(super) const WHITE: i32 = 255 << STEP_BITS;
/// Bits below a grey level.
pub(super) const STEP_BITS: u32 = 7;

/// Samples worked on at a time: they stay in the nearest cache from stage to stage.
const BLOCK: usize = 256;
/// The fewest lines that are worth a task of their own.
const LINES_PER_TASK: usize = 16;

/// Knobs that are the same for all samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tone {
    per_octave: f32,
    reject: f32,
    map: GrayMap,
}

impl Tone {
    pub(super) fn new(console: &Console) -> Self {
        Self {
            per_octave: (DB_PER_OCTAVE / range_db(console)) as f32,
            reject: console.reject as f32,
            map: console.gray_map,
        }
    }
}

/// Guards against settings that no file can hold.
fn range_db(console: &Console) -> f64 {
    console.dynamic_range_db.max(1.0)
}

/// One look: its gain curve, its grey and the memory of persistence.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) grid: Arc<ScanGrid>,
    /// Level of an envelope of 1, of each sample of a line.
    offset: Vec<f32>,
    /// Grey, 0..=[`WHITE`]: `[line * stride + sample]`, with a line and samples to spare behind, so
    /// that each sample has a neighbour in the next line and the next depth.
    pub(super) plane: Vec<i16>,
    /// Persisted grey, 0..=1, of the newest frame and of the one before; empty if none persists.
    newest: Vec<f32>,
    before: Vec<f32>,
}

/// Length of a line in a plane; `None` if the grid is empty or too large to be shown. The odd 32
/// bytes keep neighbouring lines from competing for the same places in the cache.
pub(super) fn stride(grid: &ScanGrid) -> Option<usize> {
    if grid.lines == 0 || grid.samples == 0 {
        return None;
    }
    let stride = grid.samples.checked_next_multiple_of(16)?.checked_add(16)?;
    let plane = grid.lines.checked_add(1)?.checked_mul(stride)?;
    (plane <= 1 << 30).then_some(stride)
}

impl Channel {
    /// Black, without any gain curve yet.
    pub(super) fn new(grid: &Arc<ScanGrid>) -> Self {
        let plane = stride(grid).map_or(0, |stride| (grid.lines + 1) * stride);
        Self {
            offset: Vec::new(),
            plane: vec![0; plane],
            newest: Vec::new(),
            before: Vec::new(),
            grid: Arc::clone(grid),
        }
    }

    /// Takes another gain curve (one gain a sample) and dynamic range; makes or drops the memory of
    /// persistence.
    pub(super) fn adjust(&mut self, gain_db: &[f64], console: &Console, persists: bool) {
        let range_db = range_db(console);
        let black_db = WHITE_DB - range_db;
        self.offset.clear();
        self.offset.extend(
            gain_db
                .iter()
                .map(|gain_db| ((gain_db - black_db) / range_db) as f32),
        );
        let kept = if persists && stride(&self.grid).is_some() {
            self.grid.lines * self.grid.samples
        } else {
            0
        };
        self.newest.resize(kept, 0.0);
        self.before.resize(kept, 0.0);
    }

    /// Works out the grey of an envelope of lines × samples.
    pub(super) fn grade(&mut self, envelope: &[f32], tone: &Tone, step: Step) {
        let Some(stride) = stride(&self.grid) else {
            return;
        };
        let (lines, samples) = (self.grid.lines, self.grid.samples);
        let offset = &self.offset;
        let rows = self.plane[..lines * stride]
            .par_chunks_exact_mut(stride)
            .zip(envelope.par_chunks_exact(samples))
            .with_min_len(LINES_PER_TASK);
        if self.newest.is_empty() {
            rows.for_each(|(row, echoes)| grade_line(echoes, offset, tone, row, None));
        } else {
            if step.advance {
                std::mem::swap(&mut self.newest, &mut self.before);
            }
            rows.zip(self.newest.par_chunks_exact_mut(samples))
                .zip(self.before.par_chunks_exact(samples))
                .for_each(|(((row, echoes), newest), before)| {
                    let memory = Memory {
                        before,
                        newest,
                        share: step.share,
                    };
                    grade_line(echoes, offset, tone, row, Some(memory));
                });
        }
        self.repeat_line(stride);
    }

    /// Fills the line to spare: the first one of a full turn, else the last one again.
    fn repeat_line(&mut self, stride: usize) {
        let closed = matches!(self.grid.shape, Shape::Fan { closed: true, .. });
        let lines = self.grid.lines;
        let from = if closed { 0 } else { (lines - 1) * stride };
        self.plane.copy_within(from..from + stride, lines * stride);
    }
}

/// The memory of one line.
struct Memory<'a> {
    before: &'a [f32],
    newest: &'a mut [f32],
    share: f32,
}

/// The grey of one line, and its last sample once more.
fn grade_line(
    echoes: &[f32],
    offset: &[f32],
    tone: &Tone,
    row: &mut [i16],
    memory: Option<Memory<'_>>,
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just said that it knows AVX2.
        unsafe { grade_line_avx2(echoes, offset, tone, row, memory) };
        return;
    }
    grade_line_plain(echoes, offset, tone, row, memory);
}

/// The plain one compiled for wider registers: the same operations, the same bytes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn grade_line_avx2(
    echoes: &[f32],
    offset: &[f32],
    tone: &Tone,
    row: &mut [i16],
    memory: Option<Memory<'_>>,
) {
    grade_line_plain(echoes, offset, tone, row, memory);
}

#[inline(always)]
fn grade_line_plain(
    echoes: &[f32],
    offset: &[f32],
    tone: &Tone,
    row: &mut [i16],
    mut memory: Option<Memory<'_>>,
) {
    let mut block = [0.0; BLOCK];
    for (part, echoes) in echoes.chunks(BLOCK).enumerate() {
        let range = part * BLOCK..part * BLOCK + echoes.len();
        let levels = &mut block[..echoes.len()];
        compress::levels(echoes, &offset[range.clone()], tone.per_octave, levels);
        gray::shade(levels, tone.reject, tone.map);
        if let Some(memory) = &mut memory {
            persist::blend(&memory.before[range.clone()], memory.share, levels);
            memory.newest[range.clone()].copy_from_slice(levels);
        }
        store(levels, &mut row[range]);
    }
    let last = echoes.len() - 1;
    row[last + 1] = row[last];
}

/// Grey in 0..=1 to steps of a plane, to the nearest.
#[inline(always)]
fn store(gray: &[f32], steps: &mut [i16]) {
    // Adding 2²³ leaves the nearest whole number in the lowest bits.
    const WHOLE: f32 = 8_388_608.0;
    for (step, &gray) in steps.iter_mut().zip(gray) {
        *step = (gray * WHITE as f32 + WHOLE).to_bits() as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_grade_is_the_plain_one() {
        let echoes: Vec<f32> = (0..1000)
            .map(|i| libm::exp2f(i as f32 * 0.04 - 30.0))
            .collect();
        let offset: Vec<f32> = (0..1000).map(|i| 1.0 + i as f32 * 1e-3).collect();
        let before = vec![0.3; 1000];
        for map in [GrayMap::Linear, GrayMap::Contrast, GrayMap::Soft] {
            let tone = Tone {
                per_octave: 0.1,
                reject: 0.1,
                map,
            };
            let run = |grade: &dyn Fn(&mut [i16], Memory<'_>)| {
                let (mut row, mut newest) = (vec![0; 1016], vec![0.0; 1000]);
                let memory = Memory {
                    before: &before,
                    newest: &mut newest,
                    share: 0.4,
                };
                grade(&mut row, memory);
                (row, newest)
            };
            let fast = run(&|row, memory| grade_line(&echoes, &offset, &tone, row, Some(memory)));
            let plain =
                run(&|row, memory| grade_line_plain(&echoes, &offset, &tone, row, Some(memory)));
            assert_eq!(fast, plain);
        }
    }
}
