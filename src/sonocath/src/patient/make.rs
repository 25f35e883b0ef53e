//! `sonocath patient make`

use std::process::ExitCode;

use anatomy::atlas::Atlas;
use anatomy::patient::may_write;
use anatomy::recipe::Recipe;
use anatomy::tissue::TissueTable;
use serde_json::json;

use super::{existing, summary};
use crate::args::MakeArguments;
use crate::failure::Failure;
use crate::scan::folder::may_make;
use crate::terminal::Terminal;

/// Makes a built-in patient's folder.
pub fn run(arguments: &MakeArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let recipe = Recipe::builtin(&arguments.recipe)?;
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
