//! Eight numbers side by side: in plain code, and in AVX registers on processors that have them.
//!
//! Both do the same IEEE operations, so they agree to the bit.

use std::ops::{Add, Mul, Sub};

/// How many numbers stand side by side.
pub(super) const LANES: usize = 8;

/// Eight single-precision numbers in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(32))]
pub(super) struct Eight(pub [f32; LANES]);

impl Eight {
    pub const fn all(value: f32) -> Self {
        Self([value; LANES])
    }
}

/// Eight single-precision numbers to calculate with. No lane may be NaN.
pub(super) trait Lanes:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    fn all(value: f32) -> Self;
    fn load(eight: &Eight) -> Self;
    fn store(self) -> Eight;
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// Bit i is set where lane i is not above the other's.
    fn at_most(self, other: Self) -> u32;
    /// Tells the processor that `of` will be read soon, where it can be told.
    fn expect_use<T>(of: &T);
}

/// Lanes for every processor.
#[derive(Clone, Copy)]
pub(super) struct Plain(Eight);

impl Plain {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut out = [0.0; LANES];
        for (out, (&a, &b)) in out.iter_mut().zip(self.0.0.iter().zip(&other.0.0)) {
            *out = f(a, b);
        }
        Self(Eight(out))
    }
}

impl Lanes for Plain {
    #[inline(always)]
    fn all(value: f32) -> Self {
        Self(Eight::all(value))
    }
    #[inline(always)]
    fn load(eight: &Eight) -> Self {
        Self(*eight)
    }
    #[inline(always)]
    fn store(self) -> Eight {
        self.0
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn at_most(self, other: Self) -> u32 {
        let pairs = self.0.0.iter().zip(&other.0.0);
        let bits = pairs.enumerate().map(|(i, (a, b))| u32::from(a <= b) << i);
        bits.fold(0, |sum, bit| sum | bit)
    }
    #[inline(always)]
    fn expect_use<T>(_of: &T) {}
}

impl Add for Plain {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}
impl Sub for Plain {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}
impl Mul for Plain {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use wide::Wide;

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::*;
    use std::ops::{Add, Mul, Sub};

    use super::{Eight, Lanes};

    /// Lanes in an AVX register.
    ///
    /// Only functions compiled for AVX2 may name this type; they are reached through
    /// [`super::super::traverse::Width::Avx2`], which exists only where the processor has AVX2.
    #[derive(Clone, Copy)]
    pub struct Wide(__m256);

    impl Lanes for Wide {
        #[inline(always)]
        fn all(value: f32) -> Self {
            // SAFETY: the processor has AVX wherever this type is named, see there.
            Self(unsafe { _mm256_set1_ps(value) })
        }
        #[inline(always)]
        fn load(eight: &Eight) -> Self {
            // SAFETY: as in `all`; `Eight` is 32 bytes long and aligned to 32 bytes.
            Self(unsafe { _mm256_load_ps(eight.0.as_ptr()) })
        }
        #[inline(always)]
        fn store(self) -> Eight {
            let mut eight = Eight::all(0.0);
            // SAFETY: as in `all`; `Eight` is 32 bytes long and aligned to 32 bytes.
            unsafe { _mm256_store_ps(eight.0.as_mut_ptr(), self.0) };
            eight
        }
        #[inline(always)]
        fn min(self, other: Self) -> Self {
            // SAFETY: as in `all`.
            Self(unsafe { _mm256_min_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            // SAFETY: as in `all`.
            Self(unsafe { _mm256_max_ps(self.0, other.0) })
        }
        #[inline(always)]
        fn at_most(self, other: Self) -> u32 {
            // SAFETY: as in `all`.
            unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_LE_OQ>(self.0, other.0)) as u32 }
        }
        #[inline(always)]
        fn expect_use<T>(of: &T) {
            const CACHE_LINE: usize = 64;
            let start = std::ptr::from_ref(of).cast::<i8>();
            for offset in (0..size_of::<T>()).step_by(CACHE_LINE) {
                // SAFETY: prefetching reads nothing, and the place is within `of`.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(offset)) };
            }
        }
    }

    impl Add for Wide {
        type Output = Self;
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: as in `all`.
            Self(unsafe { _mm256_add_ps(self.0, other.0) })
        }
    }
    impl Sub for Wide {
        type Output = Self;
        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            // SAFETY: as in `all`.
            Self(unsafe { _mm256_sub_ps(self.0, other.0) })
        }
    }
    impl Mul for Wide {
        type Output = Self;
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: as in `all`.
            Self(unsafe { _mm256_mul_ps(self.0, other.0) })
        }
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
