//! Structures from surface files.

use std::path::Path;

use geometry::check::{MeshReport, inspect};
use geometry::frame::{Affine, File};
use geometry::mesh_file::{Axes, MeshUnits};
use geometry::mesh_file::{
    MeshFileError, MeshFormat, MeshPart, patient_from_file, read_mesh_parts,
};
use geometry::remesh::{RemeshOptions, remesh_by_winding_number};
use geometry::{TriMesh, frame};

use super::labels::unknown;
use super::{Defect, ImportError, ImportRequest, Sourced};
use crate::atlas::Atlas;
use crate::patient::Structure;
use crate::progress::Progress;

/// A file's surface, looked over.
struct Candidate<'a> {
    path: &'a Path,
    id: &'a str,
    unit: MeshUnits,
    mesh: TriMesh<frame::Patient>,
    report: MeshReport,
}

pub(super) fn import(
    request: &ImportRequest,
    atlas: &Atlas,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<Vec<Sourced>, ImportError> {
    if request.meshes.is_empty() {
        return Ok(Vec::new());
    }
    for (path, id) in &request.meshes {
        if atlas.structure(id).is_none() {
            return Err(unknown(atlas, &path.display().to_string(), id));
        }
    }
    if request.axes.is_some_and(Axes::mirrors) {
        notes.push(
            "--axes mirrors the files: left and right are exchanged; make sure that is meant"
                .to_owned(),
        );
    }
    progress.stage("surfaces from files", request.meshes.len() as u64);
    let mut candidates = Vec::new();
    for (path, id) in &request.meshes {
        candidates.push(read(request, path, id, notes)?);
        progress.step();
    }
    if !request.repair {
        refuse_defects(&candidates)?;
        notes.extend(candidates.iter().filter_map(crossing_note));
    }
    candidates
        .into_iter()
        .map(|candidate| finish(candidate, request.repair, atlas, progress, notes))
        .collect()
}

fn read<'a>(
    request: &ImportRequest,
    path: &'a Path,
    id: &'a str,
    notes: &mut Vec<String>,
) -> Result<Candidate<'a>, ImportError> {
    let parts = read_mesh_parts(path)?;
    let format = MeshFormat::of_file(path)?;
    let units = request.unit.unwrap_or(format.default_units());
    let axes = request.axes.unwrap_or(format.default_axes());
    let mut mesh = joined(path, &parts, &patient_from_file(units, axes))?;
    let mut report = inspect(&mesh);
    if report.is_closed() && !report.is_outward() {
        mesh.flip();
        let turned = inspect(&mesh);
        if turned.is_outward() {
            notes.push(format!(
                "{}: the surface was inside out and has been turned",
                path.display()
            ));
            report = turned;
        } else {
            mesh.flip();
        }
    }
    Ok(Candidate {
        path,
        id,
        unit: units,
        mesh,
        report,
    })
}

/// All parts of a file as one surface in the patient frame, vertices merged by place.
fn joined(
    path: &Path,
    parts: &[MeshPart],
    patient_from_file: &Affine<frame::Patient, File>,
) -> Result<TriMesh<frame::Patient>, ImportError> {
    let mut vertices = Vec::new();
    let mut triangles = Vec::new();
    for part in parts {
        let shift = vertices.len() as u32;
        vertices.extend_from_slice(part.mesh.vertices());
        triangles.extend(part.mesh.triangles().iter().map(|t| t.map(|v| v + shift)));
    }
    TriMesh::<File>::new(vertices, triangles)
        .and_then(|mesh| mesh.welded())
        .and_then(|mesh| mesh.transformed(patient_from_file))
        .map_err(|source| {
            let part = "all parts together".to_owned();
            MeshFileError::Mesh {
                file: path.to_owned(),
                part,
                source,
            }
            .into()
        })
}

/// All files with holes at once, so that a person mends them in one go. A closed surface that
/// crosses itself still bounds a volume: it comes in with a remark.
fn refuse_defects(candidates: &[Candidate<'_>]) -> Result<(), ImportError> {
    let defects: Vec<Defect> = candidates
        .iter()
        .filter(|candidate| !candidate.report.is_outward())
        .map(|candidate| Defect {
            file: candidate.path.display().to_string(),
            structure: candidate.id.to_owned(),
            report: candidate.report.clone(),
        })
        .collect();
    if defects.is_empty() {
        Ok(())
    } else {
        Err(ImportError::Defects(defects))
    }
}

fn crossing_note(candidate: &Candidate<'_>) -> Option<String> {
    (!candidate.report.is_sound()).then(|| {
        let (file, report) = (candidate.path.display(), &candidate.report);
        format!("{file}: {report}; taken as it is, --repair remeshes it")
    })
}

fn finish(
    candidate: Candidate<'_>,
    repair: bool,
    atlas: &Atlas,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<Sourced, ImportError> {
    let file = candidate.path.display().to_string();
    let mut surface = candidate.mesh;
    if repair && !candidate.report.is_sound() {
        progress.stage(&format!("repairing {file}"), 1);
        surface =
            remesh_by_winding_number(&surface, &RemeshOptions::default()).map_err(|source| {
                ImportError::Repair {
                    file: file.clone(),
                    source,
                }
            })?;
        notes.push(format!(
            "{file}: repaired ({}); the closed surface encloses {:.1} ml",
            candidate.report,
            surface.signed_volume_mm3() / 1000.0
        ));
    }
    let entry = atlas
        .structure(candidate.id)
        .ok_or_else(|| unknown(atlas, &file, candidate.id))?;
    Ok(Sourced {
        structure: Structure::of_entry(entry, surface),
        given_in: file,
        unit: Some(candidate.unit),
    })
}
