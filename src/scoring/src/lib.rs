//! From a recording to a score that says why.
//!
//! What is absent here: engines. Scoring reads what was recorded, never makes a picture.

mod judge;
mod score;
mod task;
mod tolerance;

pub use anatomy::tissue::DisplayName;
pub use equipment::hand;
pub use judge::score;
pub use score::{Advice, Band, Item, Measure, Move, SessionScore, TaskScore};
pub use task::{PlaneRules, PlaneTask, SweepRules, SweepTask, Task, TaskKind};
pub use tolerance::{Tolerance, Window};
