//! A scenario played on a procedure: live, from a script, or again from a recording.
//!
//! [`Session::step`] takes what hands did and hands on what came of it; every step is appended to
//! the recording before anyone sees it. Tasks begin, end by [`equipment::Action::Next`] or by their
//! clock, and are judged by `scoring` from the steps alone, so that a recording is worth what the
//! session was.
//!
//! What is absent here: windows and clocks. Who drives a session decides how fast it goes.

mod file;
mod picture;
mod replay;
mod script;
mod session;

pub use file::patient_digest;
pub use picture::png;
pub use replay::{Difference, replay};
pub use script::{Script, ScriptHand};
pub use session::{
    Capture, EncodedPictures, Outcome, PICTURE, Progress, Session, SessionError, Setup, engine,
};
