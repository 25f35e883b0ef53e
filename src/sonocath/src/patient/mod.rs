//! `sonocath patient …`

mod check;
mod import;
mod list;
mod make;
mod planes;
mod preview;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use anatomy::atlas::{Atlas, DisplayName};
use anatomy::patient_file::{PATIENT, PATIENT_FILE};
use anatomy::recipe::{Choices, Recipe};
use anatomy::tissue::TissueTable;
use anatomy::{Existing, Patient, PatientError};
use catalog::Document;
use geometry::mesh_file::MeshFileError;

use crate::args::{Language, PatientCommand};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// A built-in recipe by its name, or one of the user's own by its path, as chosen.
fn recipe(named: &str, choices: &Choices) -> Result<Recipe, Failure> {
    let path = Path::new(named);
    let recipe = if path.extension().is_some_and(|e| e == "ron") {
        Recipe::open(path, choices, Atlas::builtin())
    } else {
        Recipe::builtin_with(named, choices)
    };
    Ok(recipe?)
}

/// Runs one of the patient commands.
pub fn run(command: PatientCommand, terminal: &Terminal) -> Result<ExitCode, Failure> {
    match command {
        PatientCommand::List(arguments) => list::run(&arguments, terminal),
        PatientCommand::Make(arguments) => make::run(&arguments, terminal),
        PatientCommand::Import(arguments) => import::run(&arguments, terminal),
        PatientCommand::Planes(arguments) => planes::run(&arguments, terminal),
        PatientCommand::Check(arguments) => check::run(&arguments, terminal),
        PatientCommand::Preview(arguments) => preview::run(&arguments, terminal),
    }
}

/// A patient by the path of its folder, or of the `patient.ron` in it, or by the name of a built-in
/// recipe; folders come first.
pub fn open(patient: &Path, terminal: &Terminal) -> Result<Patient, Failure> {
    let tissues = TissueTable::builtin();
    match Patient::load(folder_of(patient), tissues) {
        Err(PatientError::Missing(_)) => {}
        Err(PatientError::NotAPatient(_)) if patient.is_file() => return Err(no_folder(patient)),
        Err(error) => return Err(unreadable(error)),
        Ok(patient) => return Ok(patient),
    }
    let name = patient.to_string_lossy();
    if !Recipe::builtin_ids().any(|id| id == name) {
        return Err(missing(patient, &name));
    }
    Ok(Recipe::builtin(&name)?.make(Atlas::builtin(), tissues, terminal)?)
}

/// Refuses a plane that a patient will not have, before the patient is opened or made.
///
/// # Errors
/// What the patient lacks for it, or the nearest name. What cannot be told yet passes.
pub fn check_plane(patient: &Path, name: &str) -> Result<(), Failure> {
    let contents = folder_of(patient).join(PATIENT_FILE);
    if let Ok(contents) = Document::open(&contents, &PATIENT) {
        let planes = contents.root().texts_at(&["planes", "id"]);
        let structures = contents.root().texts_at(&["structures", "id"]);
        return match planes.contains(&name) {
            true => Ok(()),
            false => Err(no_plane(name, &planes, |id| structures.contains(&id))),
        };
    }
    let Ok(recipe) = Recipe::builtin(&patient.to_string_lossy()) else {
        return Ok(());
    };
    let known = Atlas::builtin().planes().iter().map(|p| p.id.as_str());
    let planes: Vec<&str> = recipe.own_plane_ids().chain(known).collect();
    match planes.contains(&name) {
        true => Ok(()),
        false => Err(no_plane(name, &planes, |_| false)),
    }
}

/// A plane that is not among a patient's: what the patient lacks for it, else what was meant.
pub fn no_plane(name: &str, planes: &[&str], has: impl Fn(&str) -> bool) -> Failure {
    let known = match planes.join(", ") {
        none if none.is_empty() => "it has none; give --pose".to_owned(),
        known => format!("it has {known}"),
    };
    let why = match Atlas::builtin().plane(name) {
        Some(plane) => match plane.lacking(has).join(" and ") {
            none if none.is_empty() => {
                ", although its structures are there: the plane does not meet them".to_owned()
            }
            lacking => format!(", which needs {lacking}: this patient lacks that"),
        },
        None => catalog::nearest(name, planes.iter().copied())
            .map_or_else(String::new, |id| format!("; did you mean `{id}`?")),
    };
    Failure::new(format!("the patient has no plane `{name}`{why} ({known})"))
}

/// The folder, where its table of contents was given.
fn folder_of(patient: &Path) -> &Path {
    let is_contents = patient.file_name().is_some_and(|name| name == PATIENT_FILE);
    match patient.parent() {
        Some(folder) if is_contents && patient.is_file() => match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        },
        _ => patient,
    }
}

/// Another file; perhaps one of a patient's.
fn no_folder(file: &Path) -> Failure {
    let mut folders = file.ancestors().skip(1);
    let patient = folders.find(|folder| folder.join(PATIENT_FILE).is_file());
    let mend = match patient {
        Some(folder) if folder.as_os_str().is_empty() => "give the folder it is in, `.`".to_owned(),
        Some(folder) => format!("give the patient's folder, {}", folder.display()),
        None => format!(
            "give the folder that holds the patient's {PATIENT_FILE}; \
             `sonocath patient import` makes one from surfaces and label maps"
        ),
    };
    Failure::new(format!(
        "{} is a file, not a patient's folder; {mend}",
        file.display()
    ))
}

/// A missing surface with what to do about it; everything else as it is.
fn unreadable(error: PatientError) -> Failure {
    match &error {
        PatientError::Surface {
            patient,
            structure,
            source: MeshFileError::Io { file, source, .. },
        } if source.kind() == io::ErrorKind::NotFound => Failure::new(format!(
            "structure `{structure}` has no surface: there is no file {}; put it back, or mend or \
             take out `{structure}` in {}",
            file.display(),
            patient.join(PATIENT_FILE).display()
        )),
        _ => Failure::from_error(&error),
    }
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

/// The patient's name in the language asked for.
pub fn called(patient: &Patient, language: Language) -> &str {
    match (&patient.identity.name_zh, language) {
        (Some(zh), Language::Zh) => zh,
        _ => &patient.identity.name,
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
