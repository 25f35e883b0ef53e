//! Scan conversion of eight pixels at a time.

use super::super::convert::{AddLook, add_look_plain};

/// The fastest variant that this processor knows.
pub(in super::super) fn add_look() -> AddLook {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return x86::add_look;
    }
    add_look_plain
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_i32gather_epi32, _mm256_loadu_si256,
        _mm256_madd_epi16, _mm256_min_epu32, _mm256_or_si256, _mm256_set1_epi32, _mm256_slli_epi32,
        _mm256_srai_epi32, _mm256_srli_epi32, _mm256_storeu_si256, _mm256_sub_epi32,
    };

    use super::super::super::convert::add_look_plain;
    use super::super::super::layout::{ONE, WEIGHT_BITS};

    const LANES: usize = 8;

    /// Hands eight pixels at a time to AVX2, which must be there, and the rest to the plain variant.
    pub(super) fn add_look(
        plane: &[i16],
        stride: usize,
        base: &[u32],
        weights: &[u32],
        sums: &mut [i32],
    ) {
        let (base_8, base_rest) = base.as_chunks::<LANES>();
        let (weights_8, weights_rest) = weights.as_chunks::<LANES>();
        let (sums_8, sums_rest) = sums.as_chunks_mut::<LANES>();
        // Entries lie in the plane; if one did not, it would read the last place that does.
        let last = plane.len().checked_sub(stride + 2);
        if let Some(last) = last.and_then(|last| i32::try_from(last).ok()) {
            // SAFETY: only picked where AVX2 is known. `last + stride + 1` lies in the plane.
            unsafe { add_eights(plane, stride as i32, last, base_8, weights_8, sums_8) };
        }
        add_look_plain(plane, stride, base_rest, weights_rest, sums_rest);
    }

    /// # Safety
    ///
    /// `last + stride + 1` must lie in the plane, and `last` be at least 0.
    #[target_feature(enable = "avx2")]
    unsafe fn add_eights(
        plane: &[i16],
        stride: i32,
        last: i32,
        base: &[[u32; LANES]],
        weights: &[[u32; LANES]],
        sums: &mut [[i32; LANES]],
    ) {
        for ((base, weights), sums) in base.iter().zip(weights).zip(sums) {
            // SAFETY: as of this function.
            unsafe { add_eight(plane, stride, last, base, weights, sums) };
        }
    }

    /// # Safety
    ///
    /// `last + stride + 1` must lie in the plane, and `last` be at least 0.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn add_eight(
        plane: &[i16],
        stride: i32,
        last: i32,
        base: &[u32; LANES],
        weights: &[u32; LANES],
        sums: &mut [i32; LANES],
    ) {
        // SAFETY: the arrays hold 32 bytes each; unaligned loads are allowed.
        let (base, weights, sum) = unsafe {
            (
                _mm256_loadu_si256(base.as_ptr().cast()),
                _mm256_loadu_si256(weights.as_ptr().cast()),
                _mm256_loadu_si256(sums.as_ptr().cast()),
            )
        };
        let low_half = _mm256_set1_epi32(0xffff);
        let base = _mm256_min_epu32(base, _mm256_set1_epi32(last));
        let next_line = _mm256_add_epi32(base, _mm256_set1_epi32(stride));
        // SAFETY: each reads the samples [i] and [i + 1] for an i of at most `last + stride`.
        let (this, next) = unsafe { (gather(plane, base), gather(plane, next_line)) };
        let along = pair_of_weights(_mm256_and_si256(weights, low_half));
        let across = pair_of_weights(_mm256_srli_epi32::<16>(weights));
        let this = mix(this, along);
        let next = mix(next, along);
        let lines = _mm256_or_si256(this, _mm256_slli_epi32::<16>(next));
        let sum = _mm256_add_epi32(sum, mix(lines, across));
        // SAFETY: `sums` holds 32 bytes.
        unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), sum) };
    }

    /// Pairs of neighbours: the sample at each index in the low half, the next one in the high one.
    ///
    /// # Safety
    ///
    /// Each index and the one after it must lie in the plane.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn gather(plane: &[i16], index: __m256i) -> __m256i {
        // SAFETY: four bytes at [index] are the samples [index] and [index + 1]; the processor
        // loads from any address.
        unsafe { _mm256_i32gather_epi32::<2>(plane.as_ptr().cast(), index) }
    }

    /// `ONE - weight` in the low half, `weight` in the high one.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn pair_of_weights(weight: __m256i) -> __m256i {
        let first = _mm256_sub_epi32(_mm256_set1_epi32(ONE as i32), weight);
        _mm256_or_si256(first, _mm256_slli_epi32::<16>(weight))
    }

    /// Between the two of each pair, to the nearest.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn mix(pair: __m256i, weights: __m256i) -> __m256i {
        let half = _mm256_set1_epi32(1 << (WEIGHT_BITS - 1));
        let sum = _mm256_add_epi32(_mm256_madd_epi16(pair, weights), half);
        _mm256_srai_epi32::<{ WEIGHT_BITS as i32 }>(sum)
    }
}
