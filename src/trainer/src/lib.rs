//! The room: a window in which a session is played on a patient's body.
//!
//! What is absent here: simulation, imaging and scoring. A [`Player`] does all of that on threads of
//! its own; the room shows what the player has ([`Shown`]) and tells it what hands did
//! ([`Command`]). Bevy's systems convert and draw.
//!
//! # A tour
//!
//! - [`shown`]: the border, plain data;
//! - [`hand`]: from where a hand holds the probe on the skin to a pose;
//! - [`convert`]: the only place where millimetres of the patient become metres of the screen;
//! - [`body`], [`decimate`], [`skin`]: a patient made ready to be shown, once, on a worker;
//! - `room`: resources, the order of a frame, and one plugin per concern: `scene`, `probe`,
//!   `picture`, `camera`, `pick`, `controls`, `panels`, `material`;
//! - [`run_window`] and [`run_offscreen`]: the same room on a screen or in an image.
//!
//! ```
//! use geometry::{Point, Vector};
//! use trainer::hand::SkinHand;
//!
//! // A probe on the belly looks towards the back.
//! let hand = SkinHand::resting(Point::origin(), Vector::new(0.0, -1.0, 0.0));
//! let depth = equipment::hand::depth_of(&hand.pose());
//! assert!((depth.y() - 1.0).abs() < 1e-12);
//! ```

pub mod body;
mod camera;
mod controls;
pub mod convert;
pub mod decimate;
pub mod device;
mod error;
pub mod hand;
mod knobs;
mod material;
mod offscreen;
mod panels;
mod pick;
mod picture;
pub mod player;
mod probe;
mod probe_shape;
mod room;
mod scene;
pub mod shown;
pub mod skin;
pub mod standin;
mod theme;
mod window;
pub mod words;

pub use camera::Orbit;
pub use error::RoomError;
pub use hand::SkinHand;
pub use offscreen::{Frame, Step, check_size, run_offscreen};
pub use room::{Room, View};
pub use shown::{
    Command, PictureShown, Player, ProbeShown, RoomFigures, Shown, Stats, TaskShown, TaskState,
};
pub use window::run_window;
pub use words::Language;
