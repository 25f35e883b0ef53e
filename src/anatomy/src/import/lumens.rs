//! The vessel graph: from curves that somebody drew, else from the lumens' surfaces.

use std::path::Path;

use geometry::centerline::{Curve, from_curves};
use geometry::frame;
use geometry::markups::{MarkupCurve, MarkupError, read_markups};
use geometry::mesh_file::{MeshUnits, patient_from_file};

use super::{ImportError, ImportRequest};
use crate::atlas::{Atlas, Circuit};
use crate::patient::Structure;
use crate::progress::Progress;
use crate::tissue::TissueTable;
use crate::vessels::{Lumen, VesselGraph, lumens_of};

/// Lumens of one bed whose walls come this near to each other's ends belong together: label maps
/// leave about a voxel between the aorta and the iliac arteries.
const JOIN_GAP_MM: f64 = 4.0;

/// Tissue inside a vessel of which only the centreline is known.
const BLOOD: &str = "blood";

pub(super) fn vessels(
    request: &ImportRequest,
    structures: &[Structure],
    atlas: &Atlas,
    tissues: &TissueTable,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<VesselGraph, ImportError> {
    if !request.centerlines.is_empty() {
        let drawn = drawn(request, structures, atlas, tissues, notes)?;
        return Ok(VesselGraph::join(&[drawn], JOIN_GAP_MM));
    }
    let (lumens, remarks) = lumens_of(structures, atlas, tissues, progress);
    notes.extend(remarks);
    Ok(VesselGraph::join(&lumens, JOIN_GAP_MM))
}

/// The curves of all markup files as one lumen: they belong to the vessel that is imported with
/// them, if there is just one.
fn drawn(
    request: &ImportRequest,
    structures: &[Structure],
    atlas: &Atlas,
    tissues: &TissueTable,
    notes: &mut Vec<String>,
) -> Result<Lumen, ImportError> {
    let mut curves = Vec::new();
    for path in &request.centerlines {
        for curve in read_markups(path)? {
            if !curve.skipped.is_empty() {
                notes.push(format!(
                    "{}: {} control points of `{}` have no place and are left out",
                    path.display(),
                    curve.skipped.len(),
                    curve.name
                ));
            }
            curves.push(placed(request, path, &curve)?);
        }
    }
    let graph = from_curves(&curves).map_err(ImportError::Centerlines)?;
    let vessels: Vec<&Structure> = structures.iter().filter(|s| s.kind.is_vessel()).collect();
    if let [only] = vessels[..] {
        return Ok(Lumen::of_structure(only, graph, atlas, tissues));
    }
    if !vessels.is_empty() {
        notes.push(format!(
            "the curves given stand for all vessels: no centrelines were made from the {} lumens",
            vessels.len()
        ));
    }
    Ok(Lumen {
        structure: None,
        name: String::new(),
        circuit: Circuit::Arterial,
        flow: None,
        tissue: BLOOD.to_owned(),
        graph,
    })
}

/// A curve in the patient frame: by --axes if given, else as the file declares itself. Markups are
/// in millimetres, whatever the unit of the surfaces beside them.
fn placed(
    request: &ImportRequest,
    path: &Path,
    curve: &MarkupCurve,
) -> Result<Curve<frame::Patient>, ImportError> {
    let patient_from_file = match request.axes {
        Some(axes) => patient_from_file(MeshUnits::Millimetres, axes),
        None => curve.declared.patient_from_file(),
    };
    let mut radii_mm = curve.radii_mm().ok_or_else(|| MarkupError::Malformed {
        file: path.to_owned(),
        place: format!("curve `{}`", curve.name),
        found: "no radius at one of the control points".to_owned(),
        mend: "Add a `Radius` measurement in 3D Slicer, or import the vessel's surface instead",
    })?;
    let mut points = curve.points_in(&patient_from_file);
    if curve.closed && points.len() > 2 {
        points.push(points[0]);
        radii_mm.push(radii_mm[0]);
    }
    Ok(Curve { points, radii_mm })
}
