//! `sonocath patient list`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anatomy::atlas::{Atlas, StructureEntry};
use anatomy::patient_file::PATIENT_FILE;
use anatomy::recipe::{Choices, Parameter, Preset, Recipe};
use serde_json::json;

use super::{name_in, recipe};
use crate::args::ListArguments;
use crate::failure::Failure;
use crate::table::wrapped;
use crate::terminal::Terminal;

/// Lists the built-in recipes and the patient folders in a directory.
pub fn run(arguments: &ListArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    if arguments.structures {
        return Ok(structures(terminal));
    }
    if let Some(named) = &arguments.parameters {
        return parameters(&recipe(named, &Choices::default())?, terminal);
    }
    let folders = patient_folders(&arguments.directory)?;
    let mut text = format!("{}\n", terminal.pick("Built in:", "内置："));
    let mut built_in = Vec::new();
    for id in Recipe::builtin_ids() {
        let summary = Recipe::builtin(id)?.summary;
        let summary = name_in(&summary, terminal.language);
        text += &format!("  {id}  {summary}\n");
        built_in.push(json!({ "id": id, "summary": summary }));
    }
    let place = arguments.directory.display();
    text += &match (folders.is_empty(), terminal.pick("en", "zh")) {
        (true, "en") => format!("No patient folder in {place}\n"),
        (true, _) => format!("{place} 中没有病人文件夹\n"),
        (false, "en") => format!("Folders in {place}:\n"),
        (false, _) => format!("{place} 中的病人：\n"),
    };
    for folder in &folders {
        text += &format!("  {}\n", folder.display());
    }
    terminal.report(
        &text,
        &json!({ "built_in": built_in, "folders": shown(&folders) }),
    );
    Ok(ExitCode::SUCCESS)
}

/// What can be set in a recipe, and which findings can be switched on.
fn parameters(recipe: &Recipe, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let mut table = Vec::new();
    let row = |way: &str, id: String, parameter: &Parameter| {
        [
            format!("{way}{id}={}", shown_preset(&parameter.default)),
            parameter.allowed(),
            name_in(&parameter.name, terminal.language).to_owned(),
        ]
    };
    for parameter in recipe.parameters() {
        table.push(row("--set ", parameter.id.value.clone(), parameter));
    }
    for finding in recipe.findings() {
        let name = name_in(&finding.name, terminal.language).to_owned();
        table.push([
            format!("--finding {}", finding.id.value),
            String::new(),
            name,
        ]);
        for parameter in &finding.parameters {
            table.push(row("  :", parameter.id.value.clone(), parameter));
        }
    }
    let json_of = |parameter: &Parameter| {
        json!({
            "id": parameter.id.value,
            "name": { "en": parameter.name.en, "zh": parameter.name.zh },
            "unit": parameter.unit,
            "default": shown_preset(&parameter.default),
            "range": parameter.range,
            "options": parameter.options,
        })
    };
    let findings = recipe.findings().iter().map(|finding| {
        json!({
            "id": finding.id.value,
            "name": { "en": finding.name.en, "zh": finding.name.zh },
            "parameters": finding.parameters.iter().map(json_of).collect::<Vec<_>>(),
        })
    });
    let text = match table.is_empty() {
        true => format!(
            "{}\n",
            terminal.pick("this recipe has nothing to set", "此配方没有可设定的参数")
        ),
        false => wrapped(&table, terminal.width()),
    };
    let value = json!({
        "parameters": recipe.parameters().iter().map(json_of).collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
    });
    terminal.report(&text, &value);
    Ok(ExitCode::SUCCESS)
}

fn shown_preset(preset: &Preset) -> String {
    match preset {
        Preset::Number(number) => number.to_string(),
        Preset::Option(name) => name.clone(),
    }
}

/// Every structure of the atlas: the name files use, and the name people use.
fn structures(terminal: &Terminal) -> ExitCode {
    let known = Atlas::builtin().structures();
    let line = |entry: &StructureEntry| {
        format!(
            "{:36} {}\n",
            entry.id,
            name_in(&entry.name, terminal.language)
        )
    };
    let value = |entry: &StructureEntry| json!({ "id": entry.id, "name": { "en": entry.name.en, "zh": entry.name.zh } });
    let values: Vec<_> = known.iter().map(value).collect();
    terminal.report(
        &known.iter().map(line).collect::<String>(),
        &json!({ "structures": values }),
    );
    ExitCode::SUCCESS
}

/// Paths as text, with stand-ins for what is not Unicode.
fn shown(folders: &[PathBuf]) -> Vec<String> {
    folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect()
}

/// The directory itself and its sub-folders, as far as they hold a patient, sorted.
fn patient_folders(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fail = |error: std::io::Error| Failure::new(format!("{}: {error}", directory.display()));
    let mut folders: Vec<PathBuf> = std::fs::read_dir(directory)
        .map_err(fail)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .chain([directory.to_owned()])
        .filter(|folder| folder.join(PATIENT_FILE).is_file())
        .collect();
    folders.sort();
    Ok(folders)
}
