//! `sonocath scan`: from a patient, a probe and where it is held to pictures and their truth.
//!
//! Everything a person says is understood first ([`request`]), the patient is opened or made, and
//! then frame after frame is made by the engine, shown on the console's [`screen`], and written
//! ([`take`]) to a folder beside the one asked for, which takes its place at the end ([`folder`]).

mod film;
mod folder;
mod hardware;
mod json;
mod labels;
mod npy;
pub mod pose;
mod report;
mod request;
mod screen;
mod sweep;
mod take;

use std::process::ExitCode;

use anatomy::tissue::TissueTable;
use anatomy::{Patient, Progress};
use equipment::Console;
use serde_json::{Value, json};
use ultrasound::display::{Compensation, Display, PictureSize, WHITE_DB};
use ultrasound::engine::{Imager, Medium, View};

use crate::args::ScanArguments;
use crate::failure::Failure;
use crate::patient;
use crate::terminal::Terminal;
use folder::Staging;
use request::{Course, Request};
use screen::{Screen, Words};
use take::{Studio, Take, Wanted};

/// Noise is lifted at most so far above black, dB: a trace of grey that tells where sight ends.
const NOISE_OVER_BLACK_DB: f64 = 8.0;

/// The machine makes its own loss of sensitivity good up to so much, dB: beyond it would only make
/// noise bright.
const MOST_MACHINE_GAIN_DB: f32 = 40.0;

/// Name of a frame's picture.
fn frame_name(number: usize) -> String {
    format!("frame-{number:04}.png")
}

/// Scans a patient and writes the scan's folder.
pub fn run(arguments: &ScanArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    folder::may_write(&arguments.out, arguments.force)?;
    let request = Request::of(arguments)?;
    let mut imager = Imager::new(&request.probe, &request.console)?;
    let patient = patient::open(&arguments.patient, terminal)?;
    let course = request.course(&patient, &imager.grids()[0], terminal.language)?;
    let staging = Staging::new(&arguments.out, arguments.force)?;
    let setting = setting(arguments, &request, &patient)?;
    let screen = Screen::new(
        request.size,
        Words {
            patient: &patient.identity.name,
            aim: &course.shows,
            probe: &request.probe,
            console: &request.console,
            language: terminal.language,
        },
    );
    let mut take = Take::new(Studio {
        folder: staging.folder(),
        wanted: Wanted {
            raw: arguments.raw,
            labels: arguments.labels,
        },
        patient: &patient,
        setting: &setting,
        count: course.poses.len(),
        display: display(&imager, &request, &screen),
        screen,
    });
    record(
        &mut imager,
        &patient,
        &course,
        &request,
        &mut take,
        terminal,
    )?;
    take.write_text("probe.ron", &request.probe.to_ron()?)?;
    take.write_text("settings.ron", &request.console.to_ron()?)?;
    if arguments.labels {
        let legend = labels::legend(&patient, TissueTable::builtin());
        take.write_text("labels.json", &format!("{legend:#}\n"))?;
    }
    let film = match arguments.video {
        true => Some(take.film(course.fps)?),
        false => None,
    };
    let scan = take.finish(&course, film)?;
    staging.publish()?;
    let outcome = report::Outcome {
        out: &arguments.out,
        patient: &patient,
        probe: &request.probe,
        console: &request.console,
        scan: &scan,
        plane: arguments.plane.as_deref(),
    };
    terminal.report(&outcome.text(terminal), &outcome.json(terminal));
    Ok(ExitCode::SUCCESS)
}

/// Makes every frame and hands it to the take.
fn record(
    imager: &mut Imager,
    patient: &Patient,
    course: &Course,
    request: &Request,
    take: &mut Take<'_>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let medium = Medium::of_patient(patient, TissueTable::builtin())?;
    terminal.stage("frames", course.poses.len() as u64);
    for (tick, pose) in (0..).zip(&course.poses) {
        let view = View {
            gel_mm: request.gel_mm,
            tick,
            seed: request.seed,
            truth: take.wants_truth(),
            ..View::at(*pose)
        };
        take.add(&imager.frame(&medium, &view), pose)?;
        terminal.step();
    }
    terminal.done();
    Ok(())
}

/// What makes pictures for the screen's area.
fn display(imager: &Imager, request: &Request, screen: &Screen<'_>) -> Display {
    let area = screen.area();
    let size = PictureSize {
        width: area.w as usize,
        height: area.h as usize,
    };
    Display::new(
        &imager.grids(),
        &request.console,
        machine_compensation(imager, &request.console),
        size,
    )
}

/// What the machine makes good by itself: what it knows of its own beam. It does not go on where that
/// and the attenuation made good would only lift its own noise into the picture.
pub fn machine_compensation(imager: &Imager, console: &Console) -> Compensation {
    let own = imager.sensitivity_db().iter();
    let samples = own.len().max(2) - 1;
    let dark_db = WHITE_DB - console.dynamic_range_db + NOISE_OVER_BLACK_DB;
    let most_db = dark_db - imager.noise_db();
    let gain_db = |(sample, db): (usize, &f32)| {
        let depth_cm = console.depth_mm / 10.0 * sample as f64 / samples as f64;
        let made_good_db = 2.0 * console.compensation_db_cm_mhz * imager.frequency_mhz() * depth_cm;
        let beam_db = (-db).clamp(0.0, MOST_MACHINE_GAIN_DB);
        beam_db.min((most_db - made_good_db) as f32)
    };
    Compensation {
        gain_db_at_depth: own.enumerate().map(gain_db).collect(),
        frequency_mhz: imager.frequency_mhz(),
    }
}

/// What holds for all frames of a scan.
fn setting(
    arguments: &ScanArguments,
    request: &Request,
    patient: &Patient,
) -> Result<Value, Failure> {
    Ok(json!({
        "patient": {
            "name": patient.identity.name,
            "from": arguments.patient.display().to_string(),
        },
        "probe_id": request.probe.id,
        "probe": json::of_ron(&request.probe.to_ron()?),
        "settings": json::of_ron(&request.console.to_ron()?),
        "frequency_mhz": request.frequency_mhz(),
        "gel_mm": request.gel_mm,
        "seed": request.seed,
    }))
}
