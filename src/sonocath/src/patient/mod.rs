//! `sonocath patient …`

mod check;
mod import;
mod list;
mod make;
mod preview;

use std::path::Path;
use std::process::ExitCode;

use anatomy::atlas::{Atlas, DisplayName};
use anatomy::recipe::Recipe;
use anatomy::tissue::TissueTable;
use anatomy::{Existing, Patient, PatientError};

use crate::args::{Language, PatientCommand};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Runs one of the patient commands.
pub fn run(command: PatientCommand, terminal: &Terminal) -> Result<ExitCode, Failure> {
    match command {
        PatientCommand::List(arguments) => list::run(&arguments, terminal),
        PatientCommand::Make(arguments) => make::run(&arguments, terminal),
        PatientCommand::Import(arguments) => import::run(&arguments, terminal),
        PatientCommand::Check(arguments) => check::run(&arguments, terminal),
        PatientCommand::Preview(arguments) => preview::run(&arguments, terminal),
    }
}

/// A patient by the path of its folder or the name of a built-in recipe; folders come first.
pub fn open(patient: &Path, terminal: &Terminal) -> Result<Patient, Failure> {
    let tissues = TissueTable::builtin();
    match Patient::load(patient, tissues) {
        Err(PatientError::Missing(_)) => {}
        loaded => return Ok(loaded?),
    }
    let name = patient.to_string_lossy();
    if !Recipe::builtin_ids().any(|id| id == name) {
        return Err(missing(patient, &name));
    }
    Ok(Recipe::builtin(&name)?.make(Atlas::builtin(), tissues, terminal)?)
}

fn missing(patient: &Path, name: &str) -> Failure {
    let nearest = catalog::nearest(name, Recipe::builtin_ids());
    let hint = nearest.map_or_else(String::new, |id| {
        format!("; did you mean the built-in `{id}`?")
    });
    Failure::new(format!(
        "there is no patient folder {} and no built-in patient of that name{hint}; `sonocath patient list` shows them",
        patient.display()
    ))
}

fn existing(force: bool) -> Existing {
    if force {
        Existing::ReplacePatient
    } else {
        Existing::Keep
    }
}

/// A name in the language asked for.
pub fn name_in(name: &DisplayName, language: Language) -> &str {
    match language {
        Language::En => &name.en,
        Language::Zh => &name.zh,
    }
}

/// What a person wants to know of a patient just written.
fn summary(patient: &Patient, terminal: &Terminal) -> String {
    let counts = [
        (patient.structures.len(), "structures", "个结构"),
        (patient.vessels.segments.len(), "vessel segments", "段血管"),
        (patient.landmarks.len(), "landmarks", "个标志点"),
        (patient.planes.len(), "standard planes", "个标准切面"),
    ];
    let said = counts.map(|(n, en, zh)| format!("{n}{}", terminal.pick(&format!(" {en}"), zh)));
    said.join(terminal.pick(", ", "，"))
}
