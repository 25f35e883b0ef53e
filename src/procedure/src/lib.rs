//! The room, one fixed step at a time.
pub mod skin;
