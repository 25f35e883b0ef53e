//! Eight numbers side by side, in plain code that compilers turn into wide instructions.

use std::ops::{Add, Mul, Sub};

/// How many numbers stand side by side.
pub(super) const LANES: usize = 8;

/// Eight single-precision numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(32))]
pub(super) struct Lanes(pub [f32; LANES]);

impl Lanes {
    #[inline(always)]
    pub const fn all(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = [0.0; LANES];
        for (out, (&a, &b)) in out.iter_mut().zip(self.0.iter().zip(&other.0)) {
            *out = f(a, b);
        }
        Self(out)
    }
    /// The smaller of each pair; no lane may be NaN.
    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    /// The larger of each pair; no lane may be NaN.
    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    /// Bit i is set where lane i is not above the other's.
    #[inline(always)]
    pub fn at_most(self, other: Self) -> u32 {
        let mut bits = 0;
        for i in 0..LANES {
            bits |= u32::from(self.0[i] <= other.0[i]) << i;
        }
        bits
    }
}

impl Add for Lanes {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}
impl Sub for Lanes {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}
impl Mul for Lanes {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

/// The places of the set bits, lowest first.
#[inline(always)]
pub(super) fn set_bits(mut bits: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros() as usize;
        (bits != 0).then(|| {
            bits &= bits - 1;
            place
        })
    })
}
