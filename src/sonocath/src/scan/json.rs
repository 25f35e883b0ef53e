//! What is said of a scan to programs.

use anatomy::Patient;
use catalog::{Kind, Node};
use geometry::Vector;
use serde_json::{Map, Value, json};
use ultrasound::frame::{Account, BmodeFrame, CELL_MM, Facts, Look};
use ultrasound::grid::{REFERENCE_SPEED_M_S, ScanGrid, Shape};

use super::pose::{PatientFromProbe, face_of};

/// What a data file says, without its kind: variants as `"Name"` or `{"Name": …}`, `None` as null.
pub fn of_ron(text: &str) -> Value {
    let Ok(mut root) = catalog::parse(text) else {
        // Only texts that this program wrote come here.
        return Value::Null;
    };
    if let Kind::Record(name, _) = &mut root.kind {
        *name = None;
    }
    of_node(&root)
}

fn of_node(node: &Node) -> Value {
    match &node.kind {
        Kind::Bool(value) => json!(value),
        Kind::Integer(value) => i64::try_from(*value).map_or(json!(*value as f64), |v| json!(v)),
        Kind::Float(value) => json!(value),
        Kind::Char(value) => json!(value.to_string()),
        Kind::Text(text) => json!(text),
        Kind::Bytes(bytes) => json!(bytes),
        Kind::List(items) | Kind::Tuple(None, items) => items.iter().map(of_node).collect(),
        Kind::Map(entries) => entries
            .iter()
            .map(|(key, value)| json!([of_node(key), of_node(value)]))
            .collect(),
        Kind::Word(name) if name == "None" => Value::Null,
        Kind::Word(name) => json!(name),
        Kind::Tuple(Some(name), items) => match (name.as_str(), items.as_slice()) {
            ("Some", [inner]) => of_node(inner),
            (name, [inner]) => named(name, of_node(inner)),
            (name, items) => named(name, items.iter().map(of_node).collect()),
        },
        Kind::Record(name, fields) => {
            let fields: Map<String, Value> = fields
                .iter()
                .map(|field| (field.name.value.clone(), of_node(&field.value)))
                .collect();
            match name {
                Some(name) => named(name, Value::Object(fields)),
                None => Value::Object(fields),
            }
        }
    }
}

fn named(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

/// Where the probe is: its axes and the middle of its face in the patient.
pub fn of_pose(pose: &PatientFromProbe) -> Value {
    let axis = |x, y, z| (*pose * Vector::new(x, y, z)).to_array();
    json!({
        "frame": "patient LPS, mm",
        "face_mm": face_of(pose).to_array(),
        "lateral": axis(1.0, 0.0, 0.0),
        "elevation": axis(0.0, 1.0, 0.0),
        "depth": axis(0.0, 0.0, 1.0),
    })
}

/// The names of a look's files.
pub struct LookFiles {
    /// Baseband echoes, complex.
    pub iq: String,
    /// Their magnitude.
    pub envelope: String,
    /// What each sample is; none if that was not asked for.
    pub truth: Option<TruthFiles>,
}

/// The names of the files with what each sample is.
pub struct TruthFiles {
    /// Structure, as its value in the legend.
    pub structure: String,
    /// The structure that shadows it.
    pub shadowed_by: String,
    /// How the sound got there.
    pub path: String,
    /// Where the echo comes from, patient frame, mm.
    pub place: String,
}

/// One look: where its files are and what their axes mean.
pub fn of_look(look: &Look, files: &LookFiles) -> Value {
    let grid = &look.grid;
    let lines: Vec<f64> = (0..grid.lines).map(|n| grid.u_of_line(n as f64)).collect();
    let mut value = json!({
        "iq": files.iq,
        "envelope": files.envelope,
        "shape": [grid.lines, grid.samples],
        "lines": of_shape(grid),
        "line_positions": lines,
        "axes": [
            { "name": "line", "unit": unit(grid), "first": grid.first, "step": grid.pitch },
            { "name": "depth", "unit": "mm", "first": 0.0, "step": grid.sample_mm },
        ],
        // Samples lie c/(2 fs) apart.
        "sampling_mhz": REFERENCE_SPEED_M_S / (2000.0 * grid.sample_mm),
    });
    if let (Some(truth), Some(fields)) = (&files.truth, value.as_object_mut()) {
        let names = json!({
            "structure": truth.structure,
            "shadowed_by": truth.shadowed_by,
            "path": truth.path,
            "place": truth.place,
        });
        fields.insert("truth".to_owned(), names);
    }
    value
}

fn unit(grid: &ScanGrid) -> &'static str {
    match grid.shape {
        Shape::Parallel { .. } => "mm along probe x",
        Shape::Fan { .. } => "rad towards probe x",
    }
}

fn of_shape(grid: &ScanGrid) -> Value {
    match grid.shape {
        Shape::Parallel { steer_rad } => {
            json!({ "kind": "parallel", "steering_deg": steer_rad.to_degrees() })
        }
        Shape::Fan { radius_mm, closed } => {
            json!({ "kind": "fan", "apex_radius_mm": radius_mm, "full_turn": closed })
        }
    }
}

/// How a frame was made.
pub fn of_account(account: &Account) -> Value {
    json!({
        "scatterers": account.scatterers,
        "scatterers_per_cell": short(account.scatterers_per_cell),
        "interface_echoes": account.interface_echoes,
        "secondary_scatterers": account.secondary_scatterers,
    })
}

/// What is to be seen, structure by structure, in the patient's order.
pub fn of_facts(facts: &Facts, patient: &Patient) -> Value {
    let structures = patient.structures.iter().zip(&facts.structures);
    let structures: Vec<Value> = structures
        .map(|(structure, seen)| {
            json!({
                "id": structure.id,
                "visible_mm2": short(seen.visible_mm2),
                "shadowed_mm2": short(seen.shadowed_mm2),
                "cells": seen.cells,
            })
        })
        .collect();
    json!({
        "contact": short(facts.contact),
        "cell_mm": CELL_MM,
        "structures": structures,
    })
}

/// Everything about one frame.
pub struct FrameWords<'a> {
    /// Its number, from 0.
    pub number: usize,
    /// The frame.
    pub frame: &'a BmodeFrame,
    /// Where the probe was.
    pub pose: &'a PatientFromProbe,
    /// Whom it shows.
    pub patient: &'a Patient,
    /// Files of each look.
    pub files: &'a [LookFiles],
    /// What holds for all frames of the scan.
    pub setting: &'a Value,
}

/// The file beside a frame's arrays.
pub fn of_frame(words: &FrameWords<'_>) -> Value {
    let looks = words.frame.looks.iter().zip(words.files);
    json!({
        "frame": words.number,
        "tick": words.number,
        "pose": of_pose(words.pose),
        "looks": looks.map(|(look, files)| of_look(look, files)).collect::<Vec<_>>(),
        "sound_speed_m_s": REFERENCE_SPEED_M_S,
        "account": of_account(&words.frame.account),
        "facts": of_facts(&words.frame.facts, words.patient),
        "setting": words.setting,
    })
}

/// Single precision in the fewest digits that say it.
pub fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_said_as_json_says_it() {
        let ron = r#"Settings(version: 1, transmit: Focused(foci_mm: [60], f_number: None),
            frequency_mhz: Some(2.5), gray_map: Soft, pair: (1.5, 2), name: (en: "a"), inner: Hertz(3))"#;
        let wanted = json!({
            "version": 1,
            "transmit": { "Focused": { "foci_mm": [60], "f_number": null } },
            "frequency_mhz": 2.5,
            "gray_map": "Soft",
            "pair": [1.5, 2],
            "name": { "en": "a" },
            "inner": { "Hertz": 3 },
        });
        assert_eq!(of_ron(ron), wanted);
    }

    #[test]
    fn single_precision_keeps_its_few_digits() {
        assert_eq!(short(0.1), 0.1);
    }
}
