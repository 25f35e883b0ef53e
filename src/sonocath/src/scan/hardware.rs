//! Which probe and which settings are meant.

use std::path::Path;

use equipment::{Console, Probe};

use crate::failure::Failure;

/// The probe of that name, or of that file.
///
/// # Errors
/// There is none, or the file has faults.
pub fn probe(name: &str) -> Result<Probe, Failure> {
    let path = Path::new(name);
    if path.extension().is_some_and(|end| end == "ron") || path.is_file() {
        return Ok(Probe::open(path)?);
    }
    Ok(Probe::named(name)?.clone())
}

/// The settings of a file, of a preset, or those that suit the probe.
///
/// # Errors
/// There are none, the file has faults, or the probe cannot do what they say.
pub fn console(
    probe: &Probe,
    settings: Option<&Path>,
    preset: Option<&str>,
) -> Result<Console, Failure> {
    let console = match (settings, preset) {
        (Some(file), _) => Console::open(file)?,
        (None, Some(name)) => Console::preset(name)?,
        (None, None) => Console::default_for(probe),
    };
    console.fit(probe)?;
    Ok(console)
}
