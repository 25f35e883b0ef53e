//! `sonocath patient preview`

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anatomy::Patient;
use anatomy::atlas::StructureKind;
use anatomy::tissue::TissueTable;
use anatomy::vessels::VesselGraph;
use geometry::{Point, frame};
use serde_json::json;

use super::{called, name_in, open, summary};
use crate::args::{Language, PreviewArguments};
use crate::drawing::write_png;
use crate::failure::Failure;
use crate::preview::{
    Sheet, SheetLabels, SheetLine, SheetSurface, SurfaceKind, clear_shells, render,
};
use crate::terminal::Terminal;

/// Colour of centrelines.
const LINE_COLOR: [u8; 3] = [255, 236, 170];

/// Writes a patient's contact sheet.
pub fn run(arguments: &PreviewArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let cut_at = arguments.at.as_deref().map(place).transpose()?;
    check_target(&arguments.out)?;
    let patient = open(&arguments.patient, terminal)?;
    let subtitle = format!("{} · {}", patient.source, summary(&patient, terminal));
    let sheet = Sheet {
        title: called(&patient, terminal.language),
        subtitle: &subtitle,
        surfaces: surfaces(&patient, terminal.language),
        labels: match terminal.language {
            Language::En => SheetLabels::ENGLISH,
            Language::Zh => SheetLabels::CHINESE,
        },
        cut_at,
        lines: lines(&patient.vessels),
    };
    let image = render(&sheet);
    write_png(&arguments.out, &image).map_err(|error| {
        Failure::new(format!(
            "{}: cannot be written: {error}",
            arguments.out.display()
        ))
    })?;
    let said = format!(
        "{} {}",
        terminal.pick("Wrote", "已写入"),
        arguments.out.display()
    );
    let size = [image.width, image.height];
    terminal.report(
        &said,
        &json!({ "picture": arguments.out.display().to_string(), "size": size }),
    );
    Ok(ExitCode::SUCCESS)
}

fn surfaces(patient: &Patient, language: Language) -> Vec<SheetSurface<'_>> {
    let tissues = TissueTable::builtin();
    let mut surfaces: Vec<_> = patient
        .structures
        .iter()
        .map(|structure| SheetSurface {
            mesh: &structure.surface,
            name: name_in(&structure.name, language),
            color: structure.display_color(tissues),
            priority: structure.priority,
            opacity: 1.0,
            kind: kind(structure.kind),
        })
        .collect();
    clear_shells(&mut surfaces);
    surfaces
}

fn kind(kind: StructureKind) -> SurfaceKind {
    match kind {
        StructureKind::Skin | StructureKind::Body => SurfaceKind::Skin,
        StructureKind::Fat | StructureKind::Muscle => SurfaceKind::SoftTissue,
        StructureKind::Bone | StructureKind::Cartilage => SurfaceKind::Bone,
        StructureKind::Artery | StructureKind::Vein => SurfaceKind::Vessel,
        StructureKind::Organ
        | StructureKind::OrganPart
        | StructureKind::Hollow
        | StructureKind::Airway
        | StructureKind::Cavity
        | StructureKind::Lesion => SurfaceKind::Organ,
    }
}

fn lines(vessels: &VesselGraph) -> Vec<SheetLine<'_>> {
    let line = |points| SheetLine {
        points,
        color: LINE_COLOR,
    };
    vessels
        .segments
        .iter()
        .map(|segment| line(segment.points.as_slice()))
        .collect()
}

/// Asked before the work: a picture goes into an existing folder and replaces nothing but a picture.
fn check_target(out: &Path) -> Result<(), Failure> {
    const PNG_SIGNATURE: [u8; 4] = *b"\x89PNG";
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Failure::new(format!(
            "--out {}: there is no folder of that name; make it first",
            out.display()
        )));
    }
    let mut start = [0; 4];
    let mut is_picture = || {
        out.is_file()
            && std::fs::File::open(out)
                .and_then(|mut file| file.read_exact(&mut start))
                .is_ok()
            && start == PNG_SIGNATURE
    };
    if out.exists() && !is_picture() {
        return Err(Failure::new(format!(
            "--out {}: exists and is no PNG picture; choose another name",
            out.display()
        )));
    }
    Ok(())
}

/// `X,Y,Z` in millimetres.
fn place(text: &str) -> Result<Point<frame::Patient>, Failure> {
    let numbers: Option<Vec<f64>> = text
        .split(',')
        .map(|part| part.trim().parse::<f64>().ok().filter(|v| v.is_finite()))
        .collect();
    match numbers.as_deref() {
        Some([x, y, z]) => Ok(Point::new(*x, *y, *z)),
        _ => Err(Failure::new(format!(
            "--at {text}: write three numbers, patient left, posterior, superior in mm, such as --at -60,10,85"
        ))),
    }
}
