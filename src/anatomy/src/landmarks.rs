//! Named places that follow from the surfaces and the vessel graph.

use std::collections::BTreeSet;

use geometry::moments::moments;
use geometry::{Point, frame};

use crate::atlas::{DisplayName, StructureKind};
use crate::patient::{Landmark, Structure};
use crate::vessels::VesselGraph;

/// Where two vessels meet, and for organs and bones their centres; for kidneys the poles too.
pub fn derive(structures: &[Structure], vessels: &VesselGraph) -> Vec<Landmark> {
    let mut landmarks: Vec<Landmark> = structures.iter().flat_map(of_structure).collect();
    landmarks.extend(junctions(structures, vessels));
    landmarks
}

fn of_structure(structure: &Structure) -> Vec<Landmark> {
    let named = |suffix: &str, en: &str, zh: &str, at| Landmark {
        id: format!("{}_{suffix}", structure.id),
        name: DisplayName {
            en: format!("{}, {en}", structure.name.en),
            zh: format!("{}{zh}", structure.name.zh),
        },
        at,
    };
    let has_center = matches!(
        structure.kind,
        StructureKind::Organ
            | StructureKind::Hollow
            | StructureKind::OrganPart
            | StructureKind::Bone
    );
    let Some(moments) = moments(&structure.surface).filter(|_| has_center) else {
        return Vec::new();
    };
    let mut landmarks = vec![named("center", "centre", "中心", moments.centroid)];
    if structure.id.starts_with("kidney_") {
        let [upper, lower] = poles(structure, moments.axes[0]);
        landmarks.push(named("upper_pole", "upper pole", "上极", upper));
        landmarks.push(named("lower_pole", "lower pole", "下极", lower));
    }
    landmarks
}

/// The surface's farthest places along an axis, the superior one first.
fn poles(
    structure: &Structure,
    axis: geometry::Vector<frame::Patient>,
) -> [Point<frame::Patient>; 2] {
    let along = |v: &&[f32; 3]| {
        Point::<frame::Patient>::from_f32(**v)
            .coords
            .dot(&axis.coords)
    };
    let vertices = structure.surface.vertices();
    let low = vertices.iter().min_by(|a, b| along(a).total_cmp(&along(b)));
    let high = vertices.iter().max_by(|a, b| along(a).total_cmp(&along(b)));
    let [a, b] = [low, high].map(|v| v.map_or(Point::origin(), |v| Point::from_f32(*v)));
    if a.z() >= b.z() { [a, b] } else { [b, a] }
}

/// Nodes of the vessel graph at which two structures' segments meet.
fn junctions(structures: &[Structure], vessels: &VesselGraph) -> Vec<Landmark> {
    let name_of = |id: &str| {
        structures
            .iter()
            .find(|s| s.id == id)
            .map(|s| s.name.clone())
    };
    let mut seen = BTreeSet::new();
    let mut landmarks = Vec::new();
    for (node, place) in vessels.nodes.iter().enumerate() {
        let meeting: BTreeSet<&str> = vessels
            .segments
            .iter()
            .filter(|s| s.from == node || s.to == node)
            .filter_map(|s| s.structure.as_deref())
            .collect();
        let ids: Vec<&str> = meeting.into_iter().collect();
        let names: Option<Vec<DisplayName>> = ids.iter().map(|id| name_of(id)).collect();
        let Some(names) = names.filter(|names| names.len() > 1) else {
            continue;
        };
        let id = format!("{}_junction", ids.join("_"));
        if seen.insert(id.clone()) {
            let join = |pick: fn(&DisplayName) -> &str, by: &str| {
                names.iter().map(pick).collect::<Vec<_>>().join(by)
            };
            let name = DisplayName {
                en: format!("Junction of {}", join(|n| &n.en, " and ")),
                zh: format!("{}汇合处", join(|n| &n.zh, "与")),
            };
            landmarks.push(Landmark {
                id,
                name,
                at: place.at,
            });
        }
    }
    landmarks
}
