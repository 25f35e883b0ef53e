//! A recording played again.

use recording::{Recording, Step};
use thiserror::Error;

use crate::{Outcome, Session, SessionError};

/// Where a replay differs from its recording.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the replay differs from the recording at tick {tick} in its {what}")]
pub struct Difference {
    /// The first step that differs.
    pub tick: u64,
    /// In what.
    pub what: &'static str,
}

/// Plays the inputs of a recording again; the session has to be set up as the recording was.
///
/// # Errors
/// See [`Session::step`].
pub fn replay(
    mut session: Session,
    recording: &Recording,
) -> Result<(Outcome, Option<Difference>), SessionError> {
    let mut difference = None;
    for recorded in &recording.steps {
        session.step(recorded.inputs.clone())?;
        let again = &session.steps()[session.steps().len() - 1];
        difference = difference.or_else(|| differs(recorded, again));
    }
    Ok((session.finish()?, difference))
}

fn differs(recorded: &Step, again: &Step) -> Option<Difference> {
    let parts = [
        ("inputs", recorded.inputs == again.inputs),
        ("probe", recorded.probe == again.probe),
        ("settings", recorded.settings == again.settings),
        ("facts", recorded.facts == again.facts),
        ("events", recorded.events == again.events),
    ];
    let (what, _) = parts.into_iter().find(|(_, same)| !same)?;
    Some(Difference {
        tick: recorded.tick,
        what,
    })
}
