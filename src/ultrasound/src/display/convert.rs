//! Scan conversion: bilinear between lines and samples, and the mean over the looks.
//!
//! All in whole numbers, so that the plain and the fast variant agree to the byte.

use rayon::prelude::*;

use super::fast;
use super::grade::{Channel, STEP_BITS};
use super::layout::{Layout, ONE, Run, WEIGHT_BITS};

/// Rows of a task.
const ROWS_PER_TASK: usize = 32;
/// Pixels worked on at a time.
const BLOCK: usize = 64;

/// Adds the grey of a look at some pixels: plane, its stride, the entries' bases and weights, sums.
/// For each entry `base + stride + 1` has to lie in the plane.
pub(super) type AddLook = fn(&[i16], usize, &[u32], &[u32], &mut [i32]);

/// Writes the pixels that the first look covers, and no others.
pub(super) fn scan_convert(layout: &Layout, channels: &[Channel], pixels: &mut [u8]) {
    scan_convert_with(fast::convert::add_look(), layout, channels, pixels);
}

/// As [`scan_convert`], with the one or the other variant.
pub(super) fn scan_convert_with(
    add_look: AddLook,
    layout: &Layout,
    channels: &[Channel],
    pixels: &mut [u8],
) {
    let width = layout.geometry.width;
    pixels
        .par_chunks_mut(width * ROWS_PER_TASK)
        .enumerate()
        .for_each(|(band, pixels)| {
            for (row, pixels) in pixels.chunks_exact_mut(width).enumerate() {
                for run in layout.runs(band * ROWS_PER_TASK + row) {
                    convert_run(add_look, layout, channels, run, pixels);
                }
            }
        });
}

fn convert_run(
    add_look: AddLook,
    layout: &Layout,
    channels: &[Channel],
    run: &Run,
    row: &mut [u8],
) {
    let pieces = layout.pieces(run);
    let pixels = &mut row[run.x..run.x + run.length];
    let mut sums = [0; BLOCK];
    for (part, pixels) in pixels.chunks_mut(BLOCK).enumerate() {
        let sums = &mut sums[..pixels.len()];
        sums.fill(0);
        for piece in pieces {
            let table = &layout.tables[piece.look];
            let plane = &channels[piece.look].plane;
            let (base, weights) = table.entries(piece.first + part * BLOCK, pixels.len());
            add_look(plane, table.stride, base, weights, sums);
        }
        average(sums, pieces.len(), pixels);
    }
}

/// Grey levels of sums over looks, to the nearest.
fn average(sums: &[i32], looks: usize, pixels: &mut [u8]) {
    if looks == 1 {
        for (pixel, &sum) in pixels.iter_mut().zip(sums) {
            *pixel = ((sum + (1 << (STEP_BITS - 1))) >> STEP_BITS) as u8;
        }
    } else {
        let scale = 1.0 / (looks << STEP_BITS) as f32;
        for (pixel, &sum) in pixels.iter_mut().zip(sums) {
            *pixel = (sum as f32 * scale + 0.5) as u8;
        }
    }
}

/// The plain variant of [`AddLook`].
pub(super) fn add_look_plain(
    plane: &[i16],
    stride: usize,
    base: &[u32],
    weights: &[u32],
    sums: &mut [i32],
) {
    for ((sum, &base), &weights) in sums.iter_mut().zip(base).zip(weights) {
        let (along, across) = (weights & 0xffff, weights >> 16);
        let at = |i: usize| mix(plane[i], plane[i + 1], along);
        let (this, next) = (at(base as usize), at(base as usize + stride));
        *sum += i32::from(mix(this, next, across));
    }
}

/// Between two steps of grey, to the nearest; `weight` is the second one's.
fn mix(first: i16, second: i16, weight: u32) -> i16 {
    let sum = i32::from(first) * (ONE - weight) as i32 + i32::from(second) * weight as i32;
    ((sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS) as i16
}
