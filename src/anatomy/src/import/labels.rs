//! Structures from a label map, and the body's layers from the CT on the same grid.

use std::collections::BTreeMap;
use std::path::Path;

use geometry::Volume;
use geometry::labels::{LabelStatistics, LabelSurface, SurfaceOptions, statistics, surfaces};
use geometry::volume_file::{ReadLimits, read_labels, read_scalars};

use super::{ImportError, ImportRequest, Sourced, UnnamedLabel, ct, label_map};
use crate::atlas::{Atlas, StructureKind};
use crate::patient::Structure;
use crate::progress::Progress;
use crate::tissue::TissueTable;

pub(super) fn import(
    request: &ImportRequest,
    path: &Path,
    atlas: &Atlas,
    tissues: &TissueTable,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<Vec<Sourced>, ImportError> {
    progress.stage("reading volumes", 1);
    let volume = read_labels(path, &ReadLimits::default())?;
    let scan = request
        .ct
        .as_deref()
        .map(|path| read_scalars(path, &ReadLimits::default()));
    let scan = scan.transpose()?;
    if let (Some(scan), Some(ct)) = (&scan, &request.ct) {
        check_grids(ct, scan, path, &volume)?;
        check_values(ct, scan)?;
    }
    let named = named_labels(request, path, &volume, atlas)?;
    let ids: BTreeMap<u16, &str> = named.iter().map(|(s, id)| (s.label, id.as_str())).collect();

    progress.stage("surfaces from labels", named.len() as u64);
    let labels: Vec<u16> = ids.keys().copied().collect();
    let step = |_| progress.step();
    let made = surfaces(&volume, &labels, &SurfaceOptions::default(), &step).map_err(|source| {
        ImportError::Label {
            file: path.to_owned(),
            source,
        }
    })?;
    let given_in = path.display().to_string();
    let mut found: Vec<Sourced> = Vec::with_capacity(made.len());
    for surface in made {
        let id = ids[&surface.label];
        notes.extend(pieces_note(id, &surface));
        found.push(Sourced {
            structure: structure(atlas, &given_in, id, surface)?,
            given_in: given_in.clone(),
            unit: None,
        });
    }
    if let (Some(scan), Some(ct_path)) = (&scan, &request.ct) {
        let airy = |label: u16| {
            ids.get(&label)
                .is_some_and(|id| is_airy(atlas, tissues, id))
        };
        found.extend(ct::import(ct_path, scan, &volume, airy, atlas, progress)?);
    }
    Ok(found)
}

/// Lungs and airways: their air is their own, not the bowel's.
fn is_airy(atlas: &Atlas, tissues: &TissueTable, id: &str) -> bool {
    atlas.structure(id).is_some_and(|entry| {
        entry.kind == StructureKind::Airway || tissues[entry.tissue].id == "lung"
    })
}

/// A structure as the atlas describes it.
pub(super) fn structure(
    atlas: &Atlas,
    given_in: &str,
    id: &str,
    surface: LabelSurface,
) -> Result<Structure, ImportError> {
    let entry = atlas
        .structure(id)
        .ok_or_else(|| unknown(atlas, given_in, id))?;
    Ok(Structure::of_entry(entry, surface.mesh))
}

pub(super) fn unknown(atlas: &Atlas, given_in: &str, name: &str) -> ImportError {
    ImportError::UnknownStructure {
        given_in: given_in.to_owned(),
        name: name.to_owned(),
        nearest: atlas.nearest_structure(name).map(str::to_owned),
    }
}

/// Fragments are worth a remark: a segmentation's crumbs become crumbs of anatomy.
fn pieces_note(id: &str, surface: &LabelSurface) -> Option<String> {
    (surface.components > 1).then(|| {
        format!(
            "`{id}` is in {} separate pieces in the label map",
            surface.components
        )
    })
}

/// Each label present with its structure's id.
fn named_labels(
    request: &ImportRequest,
    path: &Path,
    volume: &Volume<u16>,
    atlas: &Atlas,
) -> Result<Vec<(LabelStatistics, String)>, ImportError> {
    let names = match &request.names {
        Some(file) => read_names(file)?,
        None => label_map::total_segmentator(),
    };
    let present = statistics(volume).map_err(|source| ImportError::Label {
        file: path.to_owned(),
        source,
    })?;
    let wanted: Vec<_> = present
        .into_iter()
        .filter(|s| !request.ignore_labels.contains(&s.label))
        .collect();
    if wanted.is_empty() {
        return Err(ImportError::NoLabels(path.to_owned()));
    }
    let nameless: Vec<UnnamedLabel> = wanted
        .iter()
        .filter(|found| !names.contains_key(&found.label))
        .map(|found| UnnamedLabel {
            label: found.label,
            voxels: found.voxels,
            place: found.min,
        })
        .collect();
    if !nameless.is_empty() {
        return Err(ImportError::UnnamedLabels {
            file: path.to_owned(),
            labels: nameless,
        });
    }
    let names_file = request
        .names
        .as_deref()
        .unwrap_or(path)
        .display()
        .to_string();
    let mut named: Vec<(LabelStatistics, String)> = Vec::with_capacity(wanted.len());
    for found in wanted {
        let id = &names[&found.label];
        if atlas.structure(id).is_none() {
            return Err(unknown(atlas, &names_file, id));
        }
        if let Some((first, _)) = named.iter().find(|(_, other)| other == id) {
            return Err(ImportError::Twice {
                name: id.clone(),
                first: format!("label {}", first.label),
                second: format!("label {}", found.label),
            });
        }
        named.push((found, id.clone()));
    }
    Ok(named)
}

/// Reads `{"5": "liver"}` or, as some tools write it, `{"liver": 5}`.
fn read_names(file: &Path) -> Result<BTreeMap<u16, String>, ImportError> {
    const LONGEST_BYTES: u64 = 4 << 20;
    let fail = |why: String| ImportError::Names {
        file: file.to_owned(),
        why,
    };
    let size = std::fs::metadata(file)
        .map_err(|e| fail(e.to_string()))?
        .len();
    if size > LONGEST_BYTES {
        return Err(fail(format!(
            "{size} bytes are too many for a list of names"
        )));
    }
    let text = std::fs::read_to_string(file).map_err(|e| fail(e.to_string()))?;
    let map: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|e| fail(e.to_string()))?;
    let mut names = BTreeMap::new();
    for (key, value) in &map {
        let (number, name) = match value {
            serde_json::Value::String(name) => (key.parse::<u16>().ok(), name.clone()),
            serde_json::Value::Number(n) => {
                (n.as_u64().and_then(|n| u16::try_from(n).ok()), key.clone())
            }
            other => return Err(fail(format!("`{key}` has the value {other}"))),
        };
        let number = number.ok_or_else(|| {
            fail(format!(
                "`{key}: {value}` holds no label number (0 to 65535)"
            ))
        })?;
        if let Some(earlier) = names.insert(number, name.clone()) {
            return Err(fail(format!(
                "label {number} is both `{earlier}` and `{name}`"
            )));
        }
    }
    Ok(names)
}

/// A CT shows air round or within the body and tissue near that of water.
fn check_values(ct: &Path, scan: &Volume<f32>) -> Result<(), ImportError> {
    const AIR_BELOW_HU: f32 = -500.0;
    const TISSUE_ABOVE_HU: f32 = -100.0;
    let bounds = |(low, high): (f32, f32), &v: &f32| (low.min(v), high.max(v));
    let (least, most) = scan
        .voxels
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), bounds);
    if least < AIR_BELOW_HU && most > TISSUE_ABOVE_HU {
        return Ok(());
    }
    Err(ImportError::NotHounsfield {
        file: ct.to_owned(),
        least,
        most,
    })
}

/// The CT and the label map must have the same voxels, to a hundredth of one.
fn check_grids(
    ct: &Path,
    scan: &Volume<f32>,
    labels: &Path,
    volume: &Volume<u16>,
) -> Result<(), ImportError> {
    let mismatch = |difference: String| ImportError::GridMismatch {
        ct: ct.to_owned(),
        labels: labels.to_owned(),
        difference,
    };
    if scan.dims != volume.dims {
        let say = |d: [usize; 3]| format!("{} × {} × {}", d[0], d[1], d[2]);
        return Err(mismatch(format!(
            "{} voxels, not {}",
            say(scan.dims),
            say(volume.dims)
        )));
    }
    let [ni, nj, nk] = volume.dims.map(|d| d as f64 - 1.0);
    let corners = [
        [0.0, 0.0, 0.0],
        [ni, 0.0, 0.0],
        [0.0, nj, 0.0],
        [0.0, 0.0, nk],
    ];
    let voxel_mm = volume
        .spacing_mm()
        .into_iter()
        .fold(f64::INFINITY, f64::min);
    for [i, j, k] in corners {
        let corner = geometry::Point::new(i, j, k);
        let apart =
            (scan.patient_from_voxel * corner).distance(&(volume.patient_from_voxel * corner));
        if apart > 0.01 * voxel_mm {
            let at = format!("voxel ({i}, {j}, {k}) lies {apart:.2} mm apart");
            return Err(mismatch(at));
        }
    }
    Ok(())
}
