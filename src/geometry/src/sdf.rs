//! Signed-distance expressions.
