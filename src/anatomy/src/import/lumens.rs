//! The vessel graph: from curves that somebody drew, else from the lumens' surfaces.

use std::path::Path;

use geometry::centerline::{CenterlineGraph, Curve, from_curves};
use geometry::frame;
use geometry::markups::{MarkupCurve, read_markups};
use geometry::mesh_file::{MeshUnits, patient_from_file};

use super::{ImportError, ImportRequest};
use crate::patient::Structure;
use crate::progress::Progress;
use crate::tissue::TissueTable;
use crate::vessels::{Bed, Lumen, VesselGraph, lumens_of};

/// Lumens of one bed whose walls come this near to each other's ends belong together: label maps
/// leave about a voxel between the aorta and the iliac arteries.
const JOIN_GAP_MM: f64 = 4.0;

/// Tissue inside a vessel of which only the centreline is known.
const BLOOD: &str = "blood";

pub(super) fn vessels(
    request: &ImportRequest,
    structures: &[Structure],
    tissues: &TissueTable,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<VesselGraph, ImportError> {
    let drawn = drawn(request, structures, tissues)?;
    if !drawn.is_empty() {
        return Ok(VesselGraph::join(&drawn, JOIN_GAP_MM));
    }
    let (lumens, remarks) = lumens_of(structures, tissues, progress);
    notes.extend(remarks);
    Ok(VesselGraph::join(&lumens, JOIN_GAP_MM))
}

/// The curves of all markup files as one lumen: they belong to the vessel that is imported with
/// them, if there is just one.
fn drawn(
    request: &ImportRequest,
    structures: &[Structure],
    tissues: &TissueTable,
) -> Result<Vec<Lumen>, ImportError> {
    let mut curves = Vec::new();
    for path in &request.centerlines {
        for curve in read_markups(path)? {
            curves.push(placed(request, path, &curve)?);
        }
    }
    if curves.is_empty() {
        return Ok(Vec::new());
    }
    let graph: CenterlineGraph<frame::Patient> =
        from_curves(&curves).map_err(ImportError::Centerlines)?;
    let mut vessels = structures.iter().filter(|s| Bed::of(s.kind).is_some());
    let only = vessels.next().filter(|_| vessels.next().is_none());
    Ok(vec![Lumen {
        structure: only.map(|s| s.id.clone()),
        name: String::new(),
        bed: only.and_then(|s| Bed::of(s.kind)).unwrap_or(Bed::Arterial),
        tissue: only
            .map_or(BLOOD, |s| tissues[s.tissue].id.as_str())
            .to_owned(),
        graph,
    }])
}

/// A curve in the patient frame: by the options if given, else as the file declares itself.
fn placed(
    request: &ImportRequest,
    path: &Path,
    curve: &MarkupCurve,
) -> Result<Curve<frame::Patient>, ImportError> {
    let unit = request.unit.unwrap_or(MeshUnits::Millimetres);
    let patient_from_file = match request.axes {
        Some(axes) => patient_from_file(unit, axes),
        None => curve.declared.patient_from_file(),
    };
    let scale = if request.axes.is_some() {
        unit.mm()
    } else {
        1.0
    };
    let radii_mm = curve.radii_mm().ok_or_else(|| {
        ImportError::Markup(geometry::markups::MarkupError::Malformed {
            file: path.to_owned(),
            place: format!("curve `{}`", curve.name),
            found: "no radius at one of the control points".to_owned(),
            mend: "Add a `Radius` measurement in 3D Slicer, or import the vessel's surface instead",
        })
    })?;
    Ok(Curve {
        points: curve.points_in(&patient_from_file),
        radii_mm: radii_mm.into_iter().map(|r| r * scale).collect(),
    })
}
