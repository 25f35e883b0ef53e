//! What was done in a session: step after step, append-only.
//!
//! What is absent here: judgement and physics. A recording says what hands did, where the probe
//! was, what the picture showed ([`Facts`]) and what happened ([`Event`]); what that is worth is said by
//! `scoring`, how it came about by `procedure`. No clock either: times in a file are simulated.
//!
//! # A tour
//!
//! A [`Recorder`] appends one [`Step`] after another to `NAME.part`. After each, the step is with the
//! operating system: a program that is killed loses at most the step that it was in.
//!
//! ```
//! use recording::{Ended, Header, Recorder, Recording, Step};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("session.mcap");
//! let header = Header {
//!     engine: "sonocath 0.1.0 x86_64".to_owned(),
//!     scenario: "(tasks: [])".to_owned(),
//!     patient: "patients/anna".to_owned(),
//!     patient_digest: 0x1234,
//!     structures: vec!["liver".to_owned(), "gallbladder".to_owned()],
//!     probe: "curved".to_owned(),
//!     seed: 7,
//!     ticks_per_s: 60,
//! };
//! let mut recorder = Recorder::create(&path, &header)?;
//! for tick in 0..3 {
//!     recorder.step(&Step {
//!         tick,
//!         inputs: equipment::Inputs::default(),
//!         probe: None,
//!         settings: None,
//!         frozen: tick == 2,
//!         facts: None,
//!         events: Vec::new(),
//!     })?;
//! }
//! // The program dies here: nobody closes the recording.
//! std::mem::forget(recorder);
//!
//! // There is no `session.mcap`, and the error says what there is.
//! let missing = Recording::open(&path).expect_err("not closed");
//! assert!(missing.to_string().contains("session.mcap.part"));
//!
//! // What is there is read up to the last complete step, as it is ...
//! let crashed = Recording::open(folder.path().join("session.mcap.part"))?;
//! assert_eq!(crashed.header, header);
//! assert_eq!(crashed.steps.len(), 3);
//! assert!(crashed.steps[2].frozen);
//! assert_eq!(crashed.ended, Ended::Broken { bytes_left_out: 0 });
//!
//! // ... or closed afterwards: the same steps, with an index.
//! recording::close_left_over(&path)?;
//! let closed = Recording::open(&path)?;
//! assert_eq!(closed.steps, crashed.steps);
//! assert_eq!(closed.ended, Ended::Closed);
//!
//! // The same inputs give the same pictures in the engine that made them, and in no other.
//! closed.is_replayable_by("sonocath 0.1.0 x86_64")?;
//! assert!(closed.is_replayable_by("sonocath 0.2.0 aarch64").is_err());
//! # Ok(())
//! # }
//! ```
//!
//! A recording that goes well ends with [`Recorder::close`]. The file is MCAP with JSON in it, for
//! anybody to read: [`layout`] says how, in Python too. Files that are not what they should be give a
//! [`RecordingError`]; a damaged one still gives what was before the damage.

mod digest;
mod error;
pub mod layout;
mod read;
mod recorder;
mod records;
mod step;
mod wire;

pub use digest::Digest;
pub use error::RecordingError;
pub use read::{Ended, Recording};
pub use recorder::{Recorder, close_left_over};
pub use step::{
    Event, Facts, Header, Outcome, PlaneTarget, ProbeState, RequiredStructure, Seen, Step,
    SweepTarget, Target,
};
