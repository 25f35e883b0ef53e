//! Variants of stages for wider registers; each gives the bytes of the plain one of the same stem.

pub(super) mod convert;
