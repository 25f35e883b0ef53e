//! Which probe and which settings are meant.

use std::path::Path;

use equipment::{Console, Probe};

use crate::failure::Failure;

/// The probe of that name, or of that file.
pub fn probe(name: &str) -> Result<Probe, Failure> {
    let is_file =
        Path::new(name).extension().is_some_and(|e| e == "ron") || Path::new(name).is_file();
    let format = catalog::Format::new("Probe", 1);
    if is_file {
        return Ok(catalog::read_file(name, &format)?);
    }
    const BUILTIN: [(&str, &str); 1] =
        [("C5-2v", include_str!("../../../../assets/probes/C5-2v.ron"))];
    let found = BUILTIN.iter().find(|(id, _)| *id == name);
    let (id, text) = found.ok_or_else(|| {
        let hint = catalog::nearest(name, BUILTIN.map(|(id, _)| id))
            .map_or_else(String::new, |id| format!("; did you mean `{id}`?"));
        Failure::new(format!("there is no probe `{name}`{hint}"))
    })?;
    Ok(catalog::read_str(text, id, &format)?)
}

/// The settings of a file, of a preset, or those that suit the probe.
pub fn console(
    _probe: &Probe,
    settings: Option<&Path>,
    preset: Option<&str>,
) -> Result<Console, Failure> {
    let format = catalog::Format::new("Console", 1);
    match (settings, preset) {
        (Some(file), _) => Ok(catalog::read_file(file, &format)?),
        (None, Some(name)) => Err(Failure::new(format!("there is no preset `{name}`"))),
        (None, None) => Ok(catalog::read_str("Console(version: 1)", "", &format)?),
    }
}
