//! From a recording to a score that says why.
//!
//! What is absent here: engines. Scoring reads what was recorded, never makes a picture.

mod score;

pub use anatomy::tissue::DisplayName;
pub use equipment::hand;
pub use score::{Advice, Band, Item, Measure, Move, SessionScore, TaskScore};
