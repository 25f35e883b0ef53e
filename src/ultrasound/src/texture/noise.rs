//! Random numbers on a lattice, and what lies smoothly between them.
//!
//! Nothing is stored and nothing repeats within thousands of cells: each lattice point hashes its
//! place. All of it is free of branches, so that compilers make wide loops of it.

/// Two independent values at one place, each from −1 to 1 and symmetric about 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair(pub f32, pub f32);

/// Odd numbers without a pattern: they spread lattice steps over 32 bits.
const STRIDES: [u32; 3] = [0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D];

/// Mean of the square of a noise. Values between −1 and 1 have 1/3 in the mean; interpolation takes
/// the mean of w² + (1 − w)² for each axis, with w = 3t² − 2t³.
pub(super) const MEAN_SQUARE: f32 = (cube(26.0 / 35.0) / 3.0) as f32;

/// Mean of the fourth power of a noise: −2/15 (fourth cumulant of values between −1 and 1) times
/// the mean of w⁴ + (1 − w)⁴ for each axis, and 3 · (1/3)² times that of (w² + (1 − w)²)².
pub(super) const MEAN_FOURTH: f32 =
    (cube(4.0 * W4 - 8.0 * W3 + 8.0 * W2 - 1.0) / 3.0 - cube(2.0 * W4) * (2.0 / 15.0)) as f32;

/// Means of w², w³, w⁴ for t even from 0 to 1.
const W2: f64 = 13.0 / 35.0;
const W3: f64 = 43.0 / 140.0;
const W4: f64 = 9.0 - 21.6 + 216.0 / 11.0 - 8.0 + 16.0 / 13.0;

const fn cube(x: f64) -> f64 {
    x * x * x
}

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
    let near = lerp(
        edge(a0, a1, b0.wrapping_add(c0), u),
        edge(a0, a1, b1.wrapping_add(c0), u),
        v,
    );
    let far = lerp(
        edge(a0, a1, b0.wrapping_add(c1), u),
        edge(a0, a1, b1.wrapping_add(c1), u),
        v,
    );
    let Pair(p, q) = lerp(near, far, w);
    Pair(p * (1.0 / 2_147_483_648.0), q * (2.0 / 65535.0) - 1.0)
}

/// Between the lattice points of two places that differ along x.
#[inline(always)]
fn edge(a0: u32, a1: u32, bc: u32, u: f32) -> Pair {
    lerp(
        lattice(a0.wrapping_add(bc)),
        lattice(a1.wrapping_add(bc)),
        u,
    )
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

/// Two values of a lattice point: from −2³¹ to 2³¹ (the low bits, which make the other one, hardly
/// matter), and from 0 to 65535. Both fit an i32, which converts in one instruction.
#[inline(always)]
fn lattice(place: u32) -> Pair {
    let h = scramble(place);
    Pair(h as i32 as f32, (h & 0xFFFF) as i32 as f32)
}

/// A hash of 32 bits with a single product: x(x | 1) is not linear, so that lattice steps, which are
/// constant in `h`, do not come through. A test looks at the correlations.
#[inline(always)]
fn scramble(mut h: u32) -> u32 {
    h ^= h >> 16;
    h = h.wrapping_mul(h | 1);
    h ^ (h >> 15)
}

#[inline(always)]
fn lerp(a: Pair, b: Pair, t: f32) -> Pair {
    Pair(a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)
}
