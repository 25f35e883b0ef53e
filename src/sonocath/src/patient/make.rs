//! `sonocath patient make`

use std::path::Path;
use std::process::ExitCode;

use anatomy::atlas::Atlas;
use anatomy::patient::may_write;
use anatomy::recipe::{Choices, Recipe};
use anatomy::tissue::TissueTable;
use serde_json::json;

use super::{existing, summary};
use crate::args::MakeArguments;
use crate::failure::Failure;
use crate::scan::folder::may_make;
use crate::terminal::Terminal;

/// Makes a recipe's patient.
pub fn run(arguments: &MakeArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let recipe = recipe(arguments)?;
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

/// A built-in recipe by its name, or one of the user's own by its path, as chosen.
fn recipe(arguments: &MakeArguments) -> Result<Recipe, Failure> {
    let choices = Choices {
        seed: arguments.seed,
        set: arguments.set.clone(),
        findings: arguments.finding.clone(),
        vary: arguments.vary,
    };
    let path = Path::new(&arguments.recipe);
    let recipe = if path.extension().is_some_and(|e| e == "ron") {
        Recipe::open(path, &choices, Atlas::builtin())
    } else {
        Recipe::builtin_with(&arguments.recipe, &choices)
    };
    Ok(recipe?)
}
