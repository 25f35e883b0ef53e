//! One body, compiled twice: for every processor, and with AVX2 where it is there.
//!
//! Both do the same IEEE operations in the same order (no fused multiply-add), so they agree to
//! the bit.

/// Declares a function whose body is also compiled with AVX2 and chosen when the program runs.
macro_rules! wide {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $type),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "flat arrays, as a shader takes them")]
            fn plain($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments, reason = "flat arrays, as a shader takes them")]
                fn avx2($($arg: $type),*) {
                    plain($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has just said that it knows AVX2.
                    return unsafe { avx2($($arg),*) };
                }
            }
            plain($($arg),*)
        }
    };
}
pub(crate) use wide;
