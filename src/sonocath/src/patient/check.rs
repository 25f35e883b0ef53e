//! `sonocath patient check`

use std::process::ExitCode;

use anatomy::atlas::{Atlas, DisplayName};
use anatomy::normal::{Comparison, Quantity, compare};
use anatomy::overlap::{Overlap, shares};
use anatomy::tissue::TissueTable;
use anatomy::{Patient, Progress, Structure};
use geometry::check::{MeshReport, inspect};
use rayon::prelude::*;
use serde_json::json;

use super::{name_in, open};
use crate::args::CheckArguments;
use crate::failure::Failure;
use crate::table::aligned;
use crate::terminal::Terminal;

/// Exit code for a patient with defects.
const DEFECTS: u8 = 1;

/// Distance of the rays that measure overlaps, mm.
const OVERLAP_SPACING_MM: f64 = 2.0;

/// Smaller shares are not worth a word: neighbours' smoothed surfaces graze each other.
const GRAZING_SHARE: f64 = 0.02;

/// A structure of which this part lies in another counts as being inside it.
const INSIDE_SHARE: f64 = 0.98;

/// The columns of volumes, which stand at the right.
const VOLUME_COLUMNS: [usize; 2] = [2, 3];

/// What is known of one structure.
struct Row<'a> {
    structure: &'a Structure,
    report: MeshReport,
    /// What its surface encloses, with all that lies in it.
    volume_ml: f64,
    /// What is its own of that.
    own_ml: f64,
    defects: Vec<String>,
    /// Structures it shares space with, and what part of it.
    shared: Vec<(&'a Structure, f64)>,
}

/// Checks a patient: prints a table, fails on defects.
pub fn run(arguments: &CheckArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let patient = open(&arguments.patient, terminal)?;
    let count = patient.structures.len() as u64;
    terminal.stage(terminal.pick("surfaces", "表面"), count);
    let checked = patient.structures.par_iter().map(|structure| {
        let row = row(structure);
        terminal.step();
        row
    });
    let mut rows: Vec<Row<'_>> = checked.collect();
    terminal.stage(terminal.pick("overlaps", "重叠"), 1);
    let shared = shares(&patient, OVERLAP_SPACING_MM)?;
    for overlap in &shared.overlaps {
        note_overlap(&mut rows, &patient, overlap);
    }
    for (row, own) in rows.iter_mut().zip(&shared.own) {
        row.own_ml = own * row.volume_ml;
    }
    terminal.done();
    let defective = rows.iter().filter(|row| !row.defects.is_empty()).count();
    terminal.report(&text(&rows, &patient, terminal), &json(&rows, &patient));
    Ok(if defective == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(DEFECTS)
    })
}

fn row(structure: &Structure) -> Row<'_> {
    let report = inspect(&structure.surface);
    let mut defects = if report.is_sound() {
        Vec::new()
    } else {
        report.fault_lines()
    };
    let extent = structure.surface.bounds().extent();
    let longest_mm = f64::from(extent.into_iter().fold(0.0, f32::max));
    if let Some(entry) = Atlas::builtin().structure(&structure.id)
        && let Err(size) = entry.check_longest(longest_mm)
    {
        defects.push(size.to_string());
    }
    let volume_ml = structure.surface.signed_volume_mm3() / 1000.0;
    Row {
        structure,
        report,
        volume_ml,
        own_ml: volume_ml,
        defects,
        shared: Vec::new(),
    }
}

/// Overlaps are normal where priorities decide them; two of the same rank cannot both be right.
fn note_overlap<'a>(rows: &mut [Row<'a>], patient: &'a Patient, overlap: &Overlap) {
    let pair = [
        (overlap.first, overlap.second),
        (overlap.second, overlap.first),
    ];
    for (one, other) in pair {
        let share = overlap.volume_mm3 / 1000.0 / rows[one].volume_ml;
        rows[one].shared.push((&patient.structures[other], share));
    }
    let (a, b) = (
        &patient.structures[overlap.first],
        &patient.structures[overlap.second],
    );
    let shared_ml = overlap.volume_mm3 / 1000.0;
    if overlap.is_unintended(patient) {
        rows[overlap.first].defects.push(format!(
            "shares {shared_ml:.1} ml with `{}` of the same priority {}",
            b.id, a.priority
        ));
    }
}

fn text(rows: &[Row<'_>], patient: &Patient, terminal: &Terminal) -> String {
    let tissues = TissueTable::builtin();
    let say = |name: &DisplayName| name_in(name, terminal.language).to_owned();
    let mut table = vec![[
        terminal.pick("structure", "结构").to_owned(),
        terminal.pick("tissue", "组织").to_owned(),
        terminal.pick("encloses ml", "包围 ml").to_owned(),
        terminal.pick("own ml", "净体积 ml").to_owned(),
        terminal.pick("closed", "封闭").to_owned(),
        terminal.pick("overlaps", "重叠").to_owned(),
    ]];
    table.extend(rows.iter().map(|row| {
        [
            say(&row.structure.name),
            say(&tissues[row.structure.tissue].name),
            format!("{:.1}", row.volume_ml),
            format!("{:.1}", row.own_ml),
            closed(row, terminal),
            overlap_words(row, terminal),
        ]
    }));
    let mut text = aligned(&table, &VOLUME_COLUMNS);
    for row in rows.iter().filter(|row| !row.defects.is_empty()) {
        text += &format!("{}: {}\n", row.structure.id, row.defects.join("; "));
    }
    let defective = rows.iter().filter(|row| !row.defects.is_empty()).count();
    text += &unusual(patient, terminal);
    text += &modelled(rows, terminal);
    text += &verdict(rows.len(), defective, patient, terminal);
    text
}

/// What lies outside of what healthy adults measure: a remark, since patients are not all healthy.
fn unusual(patient: &Patient, terminal: &Terminal) -> String {
    let remark = |comparison: Comparison| {
        let (least, most) = comparison.normal.range;
        let name = patient
            .structure(&comparison.normal.structure)
            .map(|s| &s.name);
        let quantity = match comparison.normal.quantity {
            Quantity::Volume => terminal.pick("volume", "体积"),
            Quantity::Diameter => terminal.pick("diameter", "直径"),
            Quantity::Longest => terminal.pick("length", "长度"),
        };
        format!(
            "{}: {quantity} {:.1} {}{} {least} {} {most} {}\n",
            name.map_or("", |name| name_in(name, terminal.language)),
            comparison.value,
            comparison.normal.quantity.unit(),
            terminal.pick("; healthy adults have", "；健康成人为"),
            terminal.pick("to", "至"),
            comparison.normal.quantity.unit(),
        )
    };
    let all = compare(patient).into_iter();
    all.filter(|c| !c.is_normal()).map(remark).collect()
}

/// What was added, by rule or as a finding: likely, not seen in this person.
fn modelled(rows: &[Row<'_>], terminal: &Terminal) -> String {
    let names: Vec<&str> = rows
        .iter()
        .filter(|row| row.structure.modelled)
        .map(|row| name_in(&row.structure.name, terminal.language))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let (before, between) = (
        terminal.pick(
            "added by rule or as a finding, not measured: ",
            "按规则或作为病变添加，非实测：",
        ),
        terminal.pick(", ", "、"),
    );
    format!("{before}{}\n", names.join(between))
}

fn verdict(count: usize, defective: usize, patient: &Patient, terminal: &Terminal) -> String {
    let rest = super::summary(patient, terminal);
    match defective {
        0 => format!(
            "{}; {rest}\n",
            terminal.pick("all structures are sound", "所有结构均合格")
        ),
        _ => format!(
            "{defective}/{count} {}; {rest}\n",
            terminal.pick("structures have defects", "个结构有缺陷")
        ),
    }
}

fn closed(row: &Row<'_>, terminal: &Terminal) -> String {
    let word = if row.report.is_sound() {
        terminal.pick("yes", "是")
    } else if row.report.is_closed() {
        terminal.pick("crossing", "自交")
    } else {
        terminal.pick("OPEN", "否")
    };
    word.to_owned()
}

/// The structures it lies in, then those it shares space with by more than grazing.
fn overlap_words(row: &Row<'_>, terminal: &Terminal) -> String {
    const MOST: usize = 4;
    let name = |s: &Structure| name_in(&s.name, terminal.language).to_owned();
    let within = |share: f64| share >= INSIDE_SHARE;
    let innermost = row
        .shared
        .iter()
        .filter(|(_, share)| within(*share))
        .max_by_key(|(other, _)| other.priority)
        .map(|(other, _)| format!("{} {}", terminal.pick("in", "位于"), name(other)));
    let mut partial: Vec<_> = row
        .shared
        .iter()
        .filter(|(other, share)| {
            let of_other = share * row.volume_ml / (other.surface.signed_volume_mm3() / 1000.0);
            !within(*share) && *share > GRAZING_SHARE && !within(of_other)
        })
        .collect();
    partial.sort_by(|a, b| b.1.total_cmp(&a.1));
    let partial = partial
        .iter()
        .take(MOST)
        .map(|(other, share)| format!("{} {:.0} %", name(other), share * 100.0));
    innermost
        .into_iter()
        .chain(partial)
        .collect::<Vec<_>>()
        .join(", ")
}

fn json(rows: &[Row<'_>], patient: &Patient) -> serde_json::Value {
    let tissues = TissueTable::builtin();
    let structures: Vec<_> = rows
        .iter()
        .map(|row| {
            let shared: Vec<_> = row
                .shared
                .iter()
                .map(|(other, share)| json!({ "with": other.id, "share": share }))
                .collect();
            json!({
                "id": row.structure.id,
                "name": { "en": row.structure.name.en, "zh": row.structure.name.zh },
                "tissue": tissues[row.structure.tissue].id,
                "priority": row.structure.priority,
                "modelled": row.structure.modelled,
                "volume_ml": row.volume_ml,
                "own_ml": row.own_ml,
                "triangles": row.structure.surface.triangles().len(),
                "closed": row.report.is_closed(),
                "outward": row.report.is_outward(),
                "self_crossings": row.report.self_crossings.count,
                "genus": row.report.genus(),
                "defects": row.defects,
                "overlaps": shared,
            })
        })
        .collect();
    json!({
        "sound": rows.iter().all(|row| row.defects.is_empty()),
        "structures": structures,
        "measured": compare(patient).iter().map(|c| json!({
            "structure": c.normal.structure,
            "quantity": format!("{:?}", c.normal.quantity),
            "value": c.value,
            "unit": c.normal.quantity.unit(),
            "normal": [c.normal.range.0, c.normal.range.1],
            "is_normal": c.is_normal(),
            "source": c.normal.source,
        })).collect::<Vec<_>>(),
        "vessels": {
            "nodes": patient.vessels.nodes.len(),
            "segments": patient.vessels.segments.len(),
            "loops": patient.vessels.loop_count(),
            "length_mm": patient.vessels.length_mm(),
        },
        "landmarks": patient.landmarks.iter().map(|l| json!({ "id": l.id, "at_mm": l.at.to_array() })).collect::<Vec<_>>(),
        "planes": patient.planes.iter().map(|(_, p)| &p.id).collect::<Vec<_>>(),
    })
}
