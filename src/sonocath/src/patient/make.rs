//! `sonocath patient make`

use std::process::ExitCode;

use anatomy::atlas::Atlas;
use anatomy::patient::may_write;
use anatomy::recipe::Choices;
use anatomy::tissue::TissueTable;
use serde_json::json;

use super::{existing, recipe, summary};
use crate::args::MakeArguments;
use crate::failure::Failure;
use crate::scan::folder::may_make;
use crate::terminal::Terminal;

/// Makes a recipe's patient.
pub fn run(arguments: &MakeArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let recipe = recipe(&arguments.recipe, &choices(arguments))?;
    let existing = existing(arguments.force);
    may_make(&arguments.out)?;
    may_write(&arguments.out, existing)?;
    let tissues = TissueTable::builtin();
    let patient = recipe.make(Atlas::builtin(), tissues, terminal)?;
    patient.save(&arguments.out, existing, tissues)?;
    let said = format!(
        "{} {}: {}",
        terminal.pick("Made", "已生成"),
        arguments.out.display(),
        summary(&patient, terminal)
    );
    let value = json!({ "patient": arguments.out.display().to_string(), "structures": patient.structures.len() });
    terminal.report(&said, &value);
    Ok(ExitCode::SUCCESS)
}

/// What the arguments choose.
fn choices(arguments: &MakeArguments) -> Choices {
    Choices {
        seed: arguments.seed,
        set: arguments.set.clone(),
        findings: arguments.finding.clone(),
        vary: arguments.vary,
    }
}
