//! Which probe and which settings are meant.

use std::path::Path;

use equipment::{Console, Preset, Probe};

use crate::failure::Failure;

/// The probe of that name, or of that file.
///
/// # Errors
/// There is none, or the file has faults.
pub fn probe(name: &str) -> Result<Probe, Failure> {
    if is_file(name) {
        return Ok(Probe::open(name)?);
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
        // With the places of what does not fit.
        (Some(file), _) => return settings_of(file, probe),
        (None, Some(name)) if is_file(name) => {
            return Err(Failure::new(format!(
                "--preset {name}: this is a file; say --settings {name}, or a preset's name: \
                 `sonocath preset list` shows them"
            )));
        }
        (None, Some(name)) => Console::preset(name)?,
        (None, None) => Console::default_for(probe),
    };
    console.fit(probe)?;
    Ok(console)
}

fn settings_of(file: &Path, probe: &Probe) -> Result<Console, Failure> {
    let name = file.to_string_lossy();
    match Preset::builtin(&name) {
        Some(preset) if !file.exists() => Err(Failure::new(format!(
            "--settings {name}: there is no such file; say --preset {} for the built-in settings \
             of that name",
            preset.id
        ))),
        _ => Ok(Console::open_for(file, probe)?),
    }
}

/// Whether a file is meant where a name may stand.
fn is_file(name: &str) -> bool {
    let path = Path::new(name);
    path.extension().is_some_and(|end| end == "ron") || path.is_file()
}
