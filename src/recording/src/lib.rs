//! What was done in a session: step after step, append-only.
//!
//! What is absent here: judgement and physics. A recording says what hands did, where the probe
//! was, what the picture showed ([`Facts`]) and what happened ([`Event`]); what that is worth is said by
//! `scoring`, how it came about by `procedure`.

mod step;

pub use step::{
    Event, Facts, Header, Outcome, PlaneTarget, ProbeState, RequiredStructure, Seen, Step,
    SweepTarget, Target,
};
