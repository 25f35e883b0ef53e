//! `sonocath probe list`, `preset list`, `scenario list`: what is built in.

use std::process::ExitCode;

use equipment::{Array, Preset, Probe};
use scenario::{PatientRef, Scenario};
use serde_json::{Value, json};

use crate::args::ListCommand;
use crate::failure::Failure;
use crate::patient::name_in;
use crate::scan::json::of_ron;
use crate::table::aligned;
use crate::terminal::Terminal;

/// Lists the built-in probes.
pub fn probes(ListCommand::List: &ListCommand, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let probes = Probe::all_builtin();
    let head = [
        ["--probe", "--probe"],
        ["probe", "探头"],
        ["MHz", "MHz"],
        ["depth mm", "深度 mm"],
        ["presets", "预设"],
    ];
    let row = |probe: &Probe| {
        [
            probe.id.clone(),
            name_in(&probe.name, terminal.language).to_owned(),
            span(probe.frequencies_mhz.first(), probe.frequencies_mhz.last()),
            span(Some(&probe.depth_range_mm.0), Some(&probe.depth_range_mm.1)),
            preset_ids(probe).join(", "),
        ]
    };
    let text = table(terminal, head, probes.iter().map(row));
    let value = |probe: &Probe| {
        json!({
            "id": probe.id,
            "name": { "en": probe.name.en, "zh": probe.name.zh },
            "kind": kind(probe),
            "elements": probe.elements(),
            "center_frequency_mhz": probe.center_frequency_mhz,
            "frequencies_mhz": probe.frequencies_mhz,
            "depth_range_mm": [probe.depth_range_mm.0, probe.depth_range_mm.1],
            "presets": preset_ids(probe),
        })
    };
    let values: Vec<Value> = probes.iter().map(value).collect();
    terminal.report(&text, &json!({ "probes": values }));
    Ok(ExitCode::SUCCESS)
}

/// Lists the built-in presets.
pub fn presets(ListCommand::List: &ListCommand, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let presets = Preset::all_builtin();
    let head = [
        ["--preset", "--preset"],
        ["for", "用途"],
        ["depth mm", "深度 mm"],
        ["probes", "探头"],
    ];
    let row = |preset: &Preset| {
        [
            preset.id.clone(),
            name_in(&preset.name, terminal.language).to_owned(),
            preset.console.depth_mm.to_string(),
            preset.probes.join(", "),
        ]
    };
    let text = table(terminal, head, presets.iter().map(row));
    let values = presets.iter().map(|preset| {
        Ok(json!({
            "id": preset.id,
            "name": { "en": preset.name.en, "zh": preset.name.zh },
            "probes": preset.probes,
            "settings": of_ron(&preset.console.to_ron()?),
        }))
    });
    let values: Vec<Value> = values.collect::<Result<_, Failure>>()?;
    terminal.report(&text, &json!({ "presets": values }));
    Ok(ExitCode::SUCCESS)
}

/// Lists the built-in scenarios.
pub fn scenarios(
    ListCommand::List: &ListCommand,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let scenarios: Vec<Scenario> = Scenario::builtin_ids()
        .filter_map(Scenario::builtin)
        .collect();
    let head = [
        ["scenario", "场景"],
        ["title", "标题"],
        ["patient", "病人"],
        ["probe", "探头"],
        ["tasks", "任务"],
    ];
    let row = |scenario: &Scenario| {
        [
            scenario.id.clone(),
            name_in(&scenario.title, terminal.language).to_owned(),
            patient(scenario),
            scenario.probe.id.clone(),
            scenario.tasks.len().to_string(),
        ]
    };
    let text = table(terminal, head, scenarios.iter().map(row));
    let value = |scenario: &Scenario| {
        json!({
            "id": scenario.id,
            "title": { "en": scenario.title.en, "zh": scenario.title.zh },
            "patient": patient(scenario),
            "probe": scenario.probe.id,
            "preset": scenario.preset.id,
            "tasks": scenario.tasks.len(),
        })
    };
    let values: Vec<Value> = scenarios.iter().map(value).collect();
    terminal.report(&text, &json!({ "scenarios": values }));
    Ok(ExitCode::SUCCESS)
}

/// Rows under a head in the terminal's language, each of its words in English and Chinese.
fn table<const N: usize>(
    terminal: &Terminal,
    head: [[&str; 2]; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let head = head.map(|[en, zh]| terminal.pick(en, zh).to_owned());
    aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), &[])
}

/// "2.5–5"
fn span(least: Option<&f64>, most: Option<&f64>) -> String {
    match (least, most) {
        (Some(least), Some(most)) if least < most => format!("{least}–{most}"),
        (Some(only), _) => only.to_string(),
        _ => String::new(),
    }
}

fn preset_ids(probe: &Probe) -> Vec<&'static str> {
    let presets = Preset::all_for(probe).into_iter();
    presets.map(|preset| preset.id.as_str()).collect()
}

fn kind(probe: &Probe) -> &'static str {
    match probe.array {
        Array::Linear { .. } => "linear",
        Array::Curved { .. } => "curved",
        Array::Phased { .. } => "phased",
        Array::Rotational { .. } => "rotational",
    }
}

fn patient(scenario: &Scenario) -> String {
    match &scenario.patient {
        PatientRef::Builtin(id) => id.clone(),
        PatientRef::Folder(folder) => folder.display().to_string(),
    }
}
