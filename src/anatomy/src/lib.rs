//! Tissues, patients, vessel graphs, standard planes and the import of real anatomy.

pub mod atlas;
pub mod direction;
pub mod element;
mod entry;
pub mod plane;
pub mod tissue;
