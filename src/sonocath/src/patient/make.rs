//! `sonocath patient make`

use std::path::Path;
use std::process::ExitCode;

use anatomy::atlas::Atlas;
use anatomy::patient::may_write;
use anatomy::recipe::{Recipe, RecipeError};
use anatomy::tissue::TissueTable;
use serde_json::json;

use super::{existing, summary};
use crate::args::MakeArguments;
use crate::failure::Failure;
use crate::scan::folder::may_make;
use crate::terminal::Terminal;

/// Makes a recipe's patient.
pub fn run(arguments: &MakeArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let recipe = recipe(&arguments.recipe)?;
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

/// A built-in recipe by its name, or one of the user's own by its path.
fn recipe(named: &str) -> Result<Recipe, RecipeError> {
    let path = Path::new(named);
    if path.extension().is_some_and(|e| e == "ron") {
        return Recipe::open(path, Atlas::builtin());
    }
    Recipe::builtin(named)
}
