//! `sonocath patient planes`

use std::process::ExitCode;

use anatomy::Patient;
use serde_json::{Value, json};

use super::{name_in, open};
use crate::args::PlanesArguments;
use crate::failure::Failure;
use crate::table::aligned;
use crate::terminal::Terminal;

/// Lists the standard planes of a patient, and what each has to show.
pub fn run(arguments: &PlanesArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let patient = open(&arguments.patient, terminal)?;
    terminal.report(&text(&patient, terminal), &json(&patient));
    Ok(ExitCode::SUCCESS)
}

fn text(patient: &Patient, terminal: &Terminal) -> String {
    if patient.planes.is_empty() {
        let (en, zh) = (
            "The patient has no standard planes; scan it with --pose",
            "该病人没有标准切面；请用 --pose 扫查",
        );
        return format!("{}\n", terminal.pick(en, zh));
    }
    let shown = |id: &String| match patient.structure(id) {
        Some(structure) => name_in(&structure.name, terminal.language).to_owned(),
        None => id.clone(),
    };
    let mut table = vec![[
        "--plane".to_owned(),
        terminal.pick("plane", "切面").to_owned(),
        terminal.pick("has to show", "应显示").to_owned(),
    ]];
    table.extend(patient.planes.iter().map(|(name, plane)| {
        let required: Vec<String> = plane.required.iter().map(shown).collect();
        [
            plane.id.clone(),
            name_in(name, terminal.language).to_owned(),
            required.join(terminal.pick(", ", "，")),
        ]
    }));
    aligned(&table, &[])
}

fn json(patient: &Patient) -> Value {
    let planes = patient.planes.iter().map(|(name, plane)| {
        json!({
            "id": plane.id,
            "name": { "en": name.en, "zh": name.zh },
            "required": plane.required,
            "optional": plane.optional,
            "center_mm": plane.center.to_array(),
        })
    });
    json!({ "planes": planes.collect::<Vec<_>>() })
}
