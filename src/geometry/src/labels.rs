//! Label volumes to closed surfaces without stairs and without shrinking.
