//! `sonocath scan`: from a patient, a probe and where it is held to pictures and their truth.
//!
//! Everything a person says is understood first ([`request`]), the patient is opened or made, and
//! then frame after frame is made by the engine, shown on the console's [`screen`], and written
//! ([`take`]) to a folder beside the one asked for, which takes its place at the end ([`folder`]).

mod film;
pub mod folder;
mod hardware;
pub mod json;
mod labels;
mod motion;
mod npy;
pub mod pose;
mod report;
mod request;
mod screen;
mod sweep;
mod take;

use std::process::ExitCode;
use std::sync::Arc;

use anatomy::tissue::TissueTable;
use anatomy::{Patient, Progress};
use equipment::{Console, Transmit};
use procedure::{Body, Mover};
use serde_json::{Value, json};
use ultrasound::display::optimise::optimised;
use ultrasound::display::{Compensation, Display, PictureSize};
use ultrasound::engine::{Imager, View};

use crate::args::ScanArguments;
use crate::failure::Failure;
use crate::patient;
use crate::terminal::Terminal;
use folder::Staging;
use request::{Course, Request};
use screen::{Screen, Words};
use take::{Studio, Take, Wanted};

/// Name of a frame's picture.
fn frame_name(number: usize) -> String {
    format!("frame-{number:04}.png")
}

/// Scans a patient and writes the scan's folder.
pub fn run(arguments: &ScanArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    folder::may_write(&arguments.out, arguments.force)?;
    let mut request = Request::of(arguments)?;
    let imager = Imager::new(&request.probe, &request.console)?;
    let body = Arc::new(Body::new(patient::open(&arguments.patient, terminal)?)?);
    let patient = &body.patient;
    let mut mover = Mover::default();
    let course = request.course(&body, &mut mover, &imager.grids()[0], terminal.language)?;
    let mut room = Room {
        body: &body,
        mover,
        imager,
    };
    if arguments.auto {
        room.press_auto(&course, &mut request)?;
    }
    let staging = Staging::new(&arguments.out, arguments.force)?;
    let setting = setting(arguments, &request, patient)?;
    let screen = Screen::new(
        request.size,
        Words {
            patient: patient::called(patient, terminal.language),
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
        patient,
        setting: &setting,
        count: course.poses.len(),
        display: display(&room.imager, &request, &screen),
        screen,
    });
    room.record(&course, &request, &mut take, terminal)?;
    take.write_text("probe.ron", &request.probe.to_ron()?)?;
    take.write_text("settings.ron", &request.console.to_ron()?)?;
    if arguments.labels {
        let legend = labels::legend(patient, TissueTable::builtin());
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
        patient,
        probe: &request.probe,
        console: &request.console,
        scan: &scan,
        plane: arguments.plane.as_deref(),
        course: &course,
    };
    terminal.report(&outcome.text(terminal), &outcome.json(terminal));
    Ok(ExitCode::SUCCESS)
}

/// What makes frames.
struct Room<'a> {
    body: &'a Body,
    mover: Mover,
    imager: Imager,
}

impl Room<'_> {
    /// Turns the knobs as Auto does on the first frame of a course: to the depth that shows the
    /// plane, the focus in the midst of it, then gain and sliders.
    fn press_auto(&mut self, course: &Course, request: &mut Request) -> Result<(), Failure> {
        if let Some(depth_mm) = course.exemplary_depth_mm {
            request.console = focused_at(&request.console, depth_mm);
            self.imager = Imager::new(&request.probe, &request.console)?;
        }
        let (Some(pose), Some(state)) = (course.poses.first(), course.states.first()) else {
            return Ok(());
        };
        let moved = self.mover.to(self.body, state);
        let view = View {
            gel_mm: request.gel_mm,
            seed: request.seed,
            displacement: moved.displacement.clone(),
            ..View::at(*pose)
        };
        let frame = self.imager.frame(&moved.medium, &view);
        request.console = optimised(&self.imager, &request.console, &frame.looks[0]);
        Ok(())
    }

    /// Makes every frame and hands it to the take.
    fn record(
        &mut self,
        course: &Course,
        request: &Request,
        take: &mut Take<'_>,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        terminal.stage("frames", course.poses.len() as u64);
        for (tick, (pose, state)) in (0..).zip(course.poses.iter().zip(&course.states)) {
            let moved = self.mover.to(self.body, state);
            let view = View {
                gel_mm: request.gel_mm,
                tick,
                seed: request.seed,
                truth: take.wants_truth(),
                displacement: moved.displacement.clone(),
                ..View::at(*pose)
            };
            take.add(&self.imager.frame(&moved.medium, &view), pose)?;
            terminal.step();
        }
        terminal.done();
        Ok(())
    }
}

/// Where the one focus lies that Auto sets, as a share of the depth.
const FOCUS_SHARE: f64 = 0.55;

/// Settings of another depth, their focus in the midst of it; more foci than one stay.
fn focused_at(console: &Console, depth_mm: f64) -> Console {
    let transmit = match &console.transmit {
        Transmit::Focused { foci_mm, f_number } if foci_mm.len() == 1 => Transmit::Focused {
            foci_mm: vec![(FOCUS_SHARE * depth_mm / 5.0).round() * 5.0],
            f_number: *f_number,
        },
        other => other.clone(),
    };
    Console {
        depth_mm,
        transmit,
        ..console.clone()
    }
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
        Compensation::of_machine(imager, &request.console),
        size,
    )
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
