//! `sonocath scan`: from a patient, a probe and where it is held to pictures and their truth.
//!
//! Everything a person says is understood first ([`request`]), the patient is opened or made, and
//! then frame after frame is made by the engine and written to a folder beside the one asked for.

mod folder;
mod hardware;
mod pose;
mod request;
mod skin;
mod sweep;

use std::process::ExitCode;

use anatomy::tissue::TissueTable;
use serde_json::json;
use ultrasound::engine::{Imager, Medium, View};

use crate::args::ScanArguments;
use crate::failure::Failure;
use crate::patient;
use crate::terminal::Terminal;
use folder::Staging;
use request::Request;

/// Scans a patient and writes the scan's folder.
pub fn run(arguments: &ScanArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    folder::may_write(&arguments.out, arguments.force)?;
    let mut request = Request::of(arguments)?;
    let mut imager = Imager::new(&request.probe, &request.console)?;
    let patient = patient::open(&arguments.patient, terminal)?;
    let course = request.course(&patient)?;
    let medium = Medium::of_patient(&patient, TissueTable::builtin())?;
    let staging = Staging::new(&arguments.out, arguments.force)?;
    for (tick, &patient_from_probe) in (0..).zip(&course.poses) {
        let view = View {
            patient_from_probe,
            gel_mm: request.gel_mm,
            tick,
            seed: arguments.seed,
            truth: arguments.labels,
        };
        let _frame = imager.frame(&medium, &view);
    }
    staging.publish()?;
    terminal.report(
        "",
        &json!({ "frames": course.poses.len(), "fps": course.fps, "size": request.size }),
    );
    Ok(ExitCode::SUCCESS)
}
