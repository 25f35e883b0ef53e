//! From a recording to a score that says why.
//!
//! What is absent here: engines. Scoring reads what was recorded, never makes a picture.
//!
//! # A tour
//!
//! [`score()`] takes a recording's header and steps and the tasks of the scenario that was played.
//! A recording may end anywhere; what is there is scored:
//!
//! ```
//! use anatomy::tissue::DisplayName;
//! use scoring::{Band, PlaneRules, PlaneTask, Task, TaskKind};
//!
//! let text = |en: &str, zh: &str| DisplayName { en: en.to_owned(), zh: zh.to_owned() };
//! let task = Task {
//!     id: "kidney".to_owned(),
//!     name: text("Right kidney, long axis", "右肾长轴切面"),
//!     instruction: text("Show it along its length.", "显示其长轴。"),
//!     kind: TaskKind::Plane(PlaneTask {
//!         plane: "kidney_right_long".to_owned(),
//!         rules: PlaneRules::default(),
//!     }),
//!     time_limit_s: Some(120.0),
//! };
//! # let header = recording::Header {
//! #     engine: String::new(), scenario: String::new(), patient: String::new(),
//! #     patient_digest: 0, structures: Vec::new(), probe: "C5-2v".to_owned(), seed: 0,
//! #     ticks_per_s: 60,
//! # };
//! let score = scoring::score(&header, &[], &[task]);
//! assert_eq!(score.band, Band::NonStandard);
//! let item = &score.tasks[0].items[0];
//! assert_eq!((item.points, item.of), (0.0, 100.0));
//! assert_eq!(item.found.zh, "未开始该任务");
//! assert!(item.advice.is_some());
//! ```
//!
//! A plane's picture has eleven parts that add up to 100: what must be visible (40), how the plane
//! lies (angle 17, position 13), the marker's side (5), where in the picture (5), depth (5), gain
//! (4), contact (4), pressure (3), way (2) and time (2). A picture without one of its required
//! structures has at most 59 points, which takes off what is above as a twelfth item, `gate`. A
//! sweep has five parts: the share of the structure seen (60), speed (12), gaps (12), contact (8),
//! pressure (8). Smoothness and lengths are [`Measure`]s without points: most such figures do not
//! tell novices from experts.
//!
//! Each lost point has an [`Advice`]: why it was lost, and the moves that win it back, from where
//! the probe was, in the words of the hand and the directions of the patient. The same moves can
//! guide a trainee while the probe is held:
//!
//! ```
//! use equipment::hand::{self, Turn};
//! use geometry::{Point, Vector};
//! use nalgebra::Vector3;
//! use scoring::{PlaneError, apply, moves_in_words, moves_to};
//!
//! // A probe on the right flank, looking to the left with its marker to the head.
//! let (lateral, depth) = (Vector3::z(), Vector3::x());
//! let exemplary = hand::of_axes(Point::new(-140.0, 40.0, 0.0), lateral, depth);
//! let target = recording::PlaneTarget {
//!     plane: "kidney_right_long".to_owned(),
//!     center: Point::new(-60.0, 40.0, 0.0),
//!     lateral: Vector::from_coords(lateral),
//!     depth: Vector::from_coords(depth),
//!     patient_from_probe: exemplary,
//!     depth_mm: 160.0,
//!     required: Vec::new(),
//! };
//! let askew = Turn { rotate_deg: -25.0, tilt_deg: 12.0, rock_deg: 0.0 }.applied_to(&exemplary);
//! let moves = moves_to(&askew, &target);
//! assert_eq!(
//!     moves_in_words(&moves, &askew).en,
//!     "rotate 25° clockwise (seen from the cable), then tilt the beam 11° towards the back"
//! );
//! let error = PlaneError::between(&apply(&moves, &askew), &target);
//! assert!(error.normal_deg < 1.0 && error.offset_mm < 1.0);
//! ```

mod aim;
#[cfg(test)]
mod fixture;
mod items;
mod judge;
mod picture;
mod plane;
mod score;
mod smoothness;
mod sweep;
mod task;
mod tolerance;
mod track;
mod words;

pub use aim::{PlaneError, apply, moves_to};
pub use anatomy::tissue::DisplayName;
pub use equipment::hand;
pub use judge::score;
pub use score::{Advice, Band, Item, Measure, Move, SessionScore, TaskScore};
pub use task::{PlaneRules, PlaneTask, SweepRules, SweepTask, Task, TaskKind};
pub use tolerance::{Tolerance, Window};
pub use words::moves_in_words;
