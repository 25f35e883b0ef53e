//! How a body moves.

pub mod heart;
