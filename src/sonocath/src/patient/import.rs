//! `sonocath patient import`

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use anatomy::atlas::Atlas;
use anatomy::enrich::Enrichment;
use anatomy::import::{ImportRequest, import};
use anatomy::patient::may_write;
use anatomy::tissue::TissueTable;
use geometry::mesh_file::{Axes, MeshUnits};
use serde_json::json;

use super::{existing, summary};
use crate::args::ImportArguments;
use crate::failure::Failure;
use crate::scan::folder::may_make;
use crate::terminal::Terminal;

/// Imports a patient and writes its folder.
pub fn run(arguments: &ImportArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let request = resolve(arguments)?;
    let existing = existing(arguments.force);
    may_make(&arguments.out)?;
    may_write(&arguments.out, existing)?;
    let tissues = TissueTable::builtin();
    let imported = import(&request, Atlas::builtin(), tissues, terminal)?;
    imported.patient.save(&arguments.out, existing, tissues)?;

    let mut said = format!(
        "{} {}: {}\n",
        terminal.pick("Imported", "已导入"),
        arguments.out.display(),
        summary(&imported.patient, terminal)
    );
    for note in &imported.notes {
        said += &format!("  {} {note}\n", terminal.pick("note:", "注："));
    }
    let ids: Vec<&str> = imported
        .patient
        .structures
        .iter()
        .map(|s| s.id.as_str())
        .collect();
    let modelled: Vec<&str> = imported
        .patient
        .structures
        .iter()
        .filter(|s| s.modelled)
        .map(|s| s.id.as_str())
        .collect();
    let value = json!({ "patient": arguments.out.display().to_string(), "structures": ids, "modelled": modelled, "notes": imported.notes });
    terminal.report(&said, &value);
    Ok(ExitCode::SUCCESS)
}

/// Arguments as a request in which every option has been understood.
fn resolve(arguments: &ImportArguments) -> Result<ImportRequest, Failure> {
    let unit = arguments
        .unit
        .as_deref()
        .map(MeshUnits::from_str)
        .transpose()?;
    let axes = arguments.axes.as_deref().map(Axes::parse).transpose()?;
    let meshes = arguments
        .mesh
        .iter()
        .map(|pair| split(pair))
        .collect::<Result<_, _>>()?;
    let name = arguments
        .name
        .clone()
        .filter(|name| !name.trim().is_empty());
    Ok(ImportRequest {
        name: name.unwrap_or_else(|| folder_name(arguments)),
        labels: arguments.labels.clone(),
        ct: arguments.ct.clone(),
        names: arguments.names.clone(),
        ignore_labels: arguments.ignore_label.clone(),
        meshes,
        unit,
        axes,
        repair: arguments.repair,
        centerlines: arguments.centerlines.clone(),
        enrichment: enrichment(arguments),
    })
}

/// Unless told otherwise, everything that a healthy body has.
fn enrichment(arguments: &ImportArguments) -> Option<Enrichment> {
    (!arguments.no_enrich).then(|| Enrichment {
        seed: arguments.seed,
        ..Enrichment::default()
    })
}

fn folder_name(arguments: &ImportArguments) -> String {
    let name = arguments
        .out
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "patient".to_owned())
}

/// `FILE=STRUCTURE`; the file's name may hold `=` itself.
fn split(pair: &str) -> Result<(PathBuf, String), Failure> {
    match pair.rsplit_once('=') {
        Some((file, structure)) if !file.is_empty() && !structure.is_empty() => {
            Ok((PathBuf::from(file), structure.to_owned()))
        }
        _ => Err(Failure::new(format!(
            "--mesh {pair}: write a file and the structure it is, such as --mesh liver.stl=liver"
        ))),
    }
}
