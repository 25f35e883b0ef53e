//! The report as figures.

use recording::{Event, Outcome, Target};
use scoring::{Advice, Band, DisplayName, Item, Measure, Move};
use serde_json::{Value, json};

use crate::contents::{Contents, Line, State, TaskCourse, place};
use crate::picture::Picture;

/// The form of [`crate::json`]; it rises when a field is renamed, removed or means something else.
pub const JSON_VERSION: u32 = 1;

pub(crate) fn json(contents: &Contents) -> Value {
    let input = contents.input;
    let header = input.header;
    json!({
        "version": JSON_VERSION,
        "title": name(input.title),
        "intro": name(input.intro),
        "trainee": input.trainee,
        "date": input.date,
        "patient": header.patient,
        "patient_digest": digest(header.patient_digest),
        "probe": header.probe,
        "engine": header.engine,
        "this_engine": input.this_engine,
        // Text: readers whose numbers are doubles would lose digits.
        "seed": header.seed.to_string(),
        "is_broken_off": input.is_broken_off,
        "duration_s": contents.duration_s,
        "score": { "points": input.score.points, "band": band(input.score.band) },
        "tasks": contents.tasks.iter().map(task).collect::<Vec<_>>(),
        "force_n": line(&contents.force),
        "contact": line(&contents.contact),
        "frozen_s": contents.frozen,
        "events": contents.events.iter().map(event).collect::<Vec<_>>(),
        // Time s, then x, y, z mm (DICOM LPS) of the middle of the probe's face.
        "path_mm": contents.path,
    })
}

fn task(course: &TaskCourse) -> Value {
    let score = course.score;
    json!({
        "id": score.task,
        "name": name(&score.name),
        "points": score.points,
        "band": band(score.band),
        "state": state(course.state),
        "span_s": course.state.span_s(),
        "target": course.target.map(target),
        "items": score.items.iter().map(item).collect::<Vec<_>>(),
        "measures": score.measures.iter().map(measure).collect::<Vec<_>>(),
        "captures": course.captures.iter().map(|capture| json!({
            "time_s": capture.time_s,
            "picture": digest(capture.picture),
            "at_mm": capture.pose.as_ref().map(place),
        })).collect::<Vec<_>>(),
        "acquired_px": course.acquired.map(size),
        "exemplary_px": course.exemplary.map(size),
    })
}

fn size(picture: Picture) -> [u32; 2] {
    picture.size
}

fn digest(digest: u64) -> String {
    format!("{digest:016x}")
}

fn name(name: &DisplayName) -> Value {
    json!({ "en": name.en, "zh": name.zh })
}

fn band(band: Band) -> &'static str {
    match band {
        Band::Standard => "standard",
        Band::Basic => "basic",
        Band::NonStandard => "non_standard",
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::NotStarted => "not_started",
        State::Unfinished { .. } => "unfinished",
        State::Ended { outcome, .. } => outcome_id(outcome),
    }
}

fn outcome_id(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::Left => "left",
        Outcome::TimedOut => "timed_out",
    }
}

fn item(item: &Item) -> Value {
    json!({
        "id": item.id,
        "name": name(&item.name),
        "points": item.points,
        "of": item.of,
        "found": name(&item.found),
        "advice": item.advice.as_ref().map(advice),
    })
}

fn advice(advice: &Advice) -> Value {
    json!({
        "words": name(&advice.words),
        "moves": advice.moves.iter().map(one_move).collect::<Vec<_>>(),
    })
}

fn one_move(one: &Move) -> Value {
    match one {
        Move::Slide {
            marker_mm,
            across_mm,
        } => json!({ "slide": { "marker_mm": marker_mm, "across_mm": across_mm } }),
        Move::Rock(degrees) => json!({ "rock_deg": degrees }),
        Move::Tilt(degrees) => json!({ "tilt_deg": degrees }),
        Move::Rotate(degrees) => json!({ "rotate_deg": degrees }),
        Move::Compress(newtons) => json!({ "compress_n": newtons }),
        Move::Turn { knob, by } => json!({ "turn": { "knob": knob, "by": by } }),
    }
}

fn measure(measure: &Measure) -> Value {
    json!({
        "id": measure.id,
        "name": name(&measure.name),
        "value": measure.value,
        "unit": measure.unit,
    })
}

fn line(line: &Line) -> Value {
    json!({ "peak": line.peak, "mean": line.mean, "points": line.runs })
}

fn target(target: &Target) -> Value {
    match target {
        Target::Plane(plane) => json!({ "plane": {
            "id": plane.plane,
            "center_mm": plane.center.to_array(),
            "probe_mm": place(&plane.patient_from_probe),
            "depth_mm": plane.depth_mm,
            "required": plane.required.iter().map(|required| json!({
                "structure": required.structure,
                "exemplary_mm2": required.exemplary_mm2,
            })).collect::<Vec<_>>(),
        } }),
        Target::Sweep(sweep) => json!({ "sweep": {
            "structure": sweep.structure,
            "cells": sweep.cells,
        } }),
    }
}

fn event((time_s, event): &(f64, &Event)) -> Value {
    match event {
        Event::TaskStarted { task, .. } => {
            json!({ "time_s": time_s, "what": "task_started", "task": task })
        }
        Event::TargetMoved { task, .. } => {
            json!({ "time_s": time_s, "what": "target_moved", "task": task })
        }
        Event::Captured { task, picture } => {
            json!({ "time_s": time_s, "what": "captured", "task": task, "picture": digest(*picture) })
        }
        Event::TaskEnded { task, outcome } => {
            json!({ "time_s": time_s, "what": "task_ended", "task": task, "outcome": outcome_id(*outcome) })
        }
        Event::Refused { knob, why } => {
            json!({ "time_s": time_s, "what": "refused", "knob": knob, "why": why })
        }
    }
}
