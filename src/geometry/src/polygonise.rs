//! Sampled scalar fields to closed surfaces.
