//! Random numbers on a lattice, and what lies smoothly between them.
//!
//! Nothing is stored and nothing repeats within thousands of cells: each lattice point hashes its
//! place. All of it is free of branches, so that compilers make wide loops of it.

/// Two independent values at one place, each from −1 to 1 and symmetric about 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair(pub f32, pub f32);

/// Odd numbers without a pattern: they spread lattice steps over 32 bits.
const STRIDES: [u32; 3] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D];

/// Mean of the square of a noise: values even between −1 and 1 (1/3), and for each axis the mean of
/// w² + (1 − w)² with w = 3t² − 2t³, which is 26/35.
pub(super) const MEAN_SQUARE: f32 = (26.0 / 35.0) * (26.0 / 35.0) * (26.0 / 35.0) / 3.0;

/// The noise at (x, y, z), in cells. Holds for |x|, |y|, |z| below 2²².
#[inline(always)]
pub(super) fn pair(x: f32, y: f32, z: f32, seed: u32) -> Pair {
    let ((ix, u), (iy, v), (iz, w)) = (split(x), split(y), split(z));
    let a0 = ix.wrapping_mul(STRIDES[0]).wrapping_add(seed);
    let b0 = iy.wrapping_mul(STRIDES[1]);
    let c0 = iz.wrapping_mul(STRIDES[2]);
    let a1 = a0.wrapping_add(STRIDES[0]);
    let b1 = b0.wrapping_add(STRIDES[1]);
    let c1 = c0.wrapping_add(STRIDES[2]);
    let edge = |b: u32, c: u32| {
        let bc = b.wrapping_add(c);
        lerp(
            lattice(a0.wrapping_add(bc)),
            lattice(a1.wrapping_add(bc)),
            u,
        )
    };
    let near = lerp(edge(b0, c0), edge(b1, c0), v);
    let far = lerp(edge(b0, c1), edge(b1, c1), v);
    let Pair(p, q) = lerp(near, far, w);
    const TO_UNIT: f32 = 2.0 / 65535.0;
    Pair(p * TO_UNIT - 1.0, q * TO_UNIT - 1.0)
}

/// The cell of a coordinate, and how far on the smooth way to the next one: 3t² − 2t³.
#[inline(always)]
fn split(x: f32) -> (u32, f32) {
    let nearest = round(x);
    let back = if nearest > x { 1.0 } else { 0.0 };
    let floor = nearest - back;
    let t = x - floor;
    (whole(floor), t * t * (3.0 - 2.0 * t))
}

/// Adding it leaves no bits for fractions: 1.5 · 2²³.
const SHIFT: f32 = 12_582_912.0;

/// The nearest whole number, for |x| below 2²². (The processor's rounding is a call without SSE4.1.)
#[inline(always)]
pub(super) fn round(x: f32) -> f32 {
    (x + SHIFT) - SHIFT
}

/// A whole number modulo 2³² up to a constant, for |x| below 2²²: the low bits of x + 1.5 · 2²³.
#[inline(always)]
fn whole(x: f32) -> u32 {
    (x + SHIFT).to_bits()
}

/// Two values of a lattice point, from 0 to 65535.
#[inline(always)]
fn lattice(place: u32) -> Pair {
    let h = scramble(place);
    // Both halves fit an i32, which converts in one instruction; a u32 does not.
    Pair((h >> 16) as i32 as f32, (h & 0xFFFF) as i32 as f32)
}

/// A hash of 32 bits that each bit of the input changes by half (two rounds of xor-shift and
/// multiply, C. Wellons' constants).
#[inline(always)]
fn scramble(mut h: u32) -> u32 {
    h ^= h >> 16;
    h = h.wrapping_mul(0x7FEB_352D);
    h ^= h >> 15;
    h = h.wrapping_mul(0x846C_A68B);
    h ^ (h >> 16)
}

#[inline(always)]
fn lerp(a: Pair, b: Pair, t: f32) -> Pair {
    Pair(a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)
}
