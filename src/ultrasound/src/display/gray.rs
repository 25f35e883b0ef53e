//! Reject and grey map.

use equipment::GrayMap;

/// Makes grey of levels in 0..=1: levels below `reject` become black, the others follow the curve
/// of the map.
#[inline(always)]
pub fn shade(levels: &mut [f32], reject: f32, map: GrayMap) {
    match map {
        GrayMap::Linear => each(levels, reject, |level| level),
        GrayMap::Contrast => each(levels, reject, contrast),
        GrayMap::Soft => each(levels, reject, soft),
    }
}

/// The grey of a level in 0..=1; black is 0, white 1.
pub fn curve(map: GrayMap, level: f32) -> f32 {
    match map {
        GrayMap::Linear => level,
        GrayMap::Contrast => contrast(level),
        GrayMap::Soft => soft(level),
    }
}

#[inline(always)]
fn each(levels: &mut [f32], reject: f32, curve: impl Fn(f32) -> f32) {
    for level in levels {
        *level = if *level < reject { 0.0 } else { curve(*level) };
    }
}

/// x²·(3 − 2x): slope 0 at both ends, 1.5 in the middle.
#[inline(always)]
fn contrast(x: f32) -> f32 {
    x * x * (3.0 - 2.0 * x)
}

/// x·(3 − x)/2: slope 1.5 at black, 0.5 at white.
#[inline(always)]
fn soft(x: f32) -> f32 {
    x * (1.5 - 0.5 * x)
}
