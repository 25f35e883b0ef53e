//! The vessel graph: where blood can run, with loops allowed.

use geometry::centerline::{CenterlineGraph, ExtractOptions, extract};
use geometry::{Point, Vector, frame};
use rayon::prelude::*;

use crate::atlas::{self, Atlas, Circuit, StructureKind};
use crate::patient::Structure;
use crate::progress::Progress;
use crate::tissue::TissueTable;

/// Which way blood crosses the graph's border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Blood enters the graph here.
    Inlet,
    /// Blood leaves the graph here.
    Outlet,
}

/// An end or a meeting of segments.
#[derive(Clone, Debug, PartialEq)]
pub struct VesselNode {
    /// Where, mm.
    pub at: Point<frame::Patient>,
    /// Blood enters or leaves here; `None` inside the graph.
    pub flow: Option<Flow>,
}

/// A stretch of vessel between two nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct VesselSegment {
    /// Id of the structure whose lumen it runs in; `None` where only a centreline is known.
    pub structure: Option<String>,
    /// A name of its own, such as a curve's; empty if it has none.
    pub name: String,
    /// Id of the tissue inside.
    pub tissue: String,
    /// Node at the first point.
    pub from: usize,
    /// Node at the last point.
    pub to: usize,
    /// Centreline, mm; at least two points.
    pub points: Vec<Point<frame::Patient>>,
    /// Lumen radius at each point, mm: that of the circle of the cross-section's area.
    pub radii_mm: Vec<f64>,
}

/// Nodes and segments; the empty graph is that of a patient without known vessels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VesselGraph {
    /// Ends and meetings.
    pub nodes: Vec<VesselNode>,
    /// Stretches between them.
    pub segments: Vec<VesselSegment>,
}

/// One vessel's centrelines before they are joined with the others'.
#[derive(Debug)]
pub struct Lumen {
    /// Id of the structure; `None` for curves without a surface.
    pub structure: Option<String>,
    /// Name for the segments.
    pub name: String,
    /// Whose blood it carries.
    pub circuit: Circuit,
    /// At which ends blood comes in and leaves, if the atlas says.
    pub flow: Option<atlas::Flow>,
    /// Id of the tissue inside.
    pub tissue: String,
    /// Its centrelines.
    pub graph: CenterlineGraph<frame::Patient>,
}

/// The centrelines of all vessels among some structures, from their surfaces; and a remark for
/// each that has none (its surface still makes pictures).
pub fn lumens_of(
    structures: &[Structure],
    atlas: &Atlas,
    tissues: &TissueTable,
    progress: &dyn Progress,
) -> (Vec<Lumen>, Vec<String>) {
    let vessels: Vec<&Structure> = structures.iter().filter(|s| s.kind.is_vessel()).collect();
    progress.stage("vessel centrelines", vessels.len() as u64);
    let found: Vec<Result<Lumen, String>> = vessels
        .into_par_iter()
        .map(|structure| {
            let graph = extract(&structure.surface, &ExtractOptions::default());
            progress.step();
            graph
                .map(|graph| Lumen::of_structure(structure, without_crumbs(graph), atlas, tissues))
                .map_err(|error| format!("`{}` has no centreline: {error}", structure.id))
        })
        .collect();
    progress.done();
    let mut lumens = Vec::new();
    let mut remarks = Vec::new();
    for outcome in found {
        match outcome {
            Ok(lumen) => lumens.push(lumen),
            Err(remark) => remarks.push(remark),
        }
    }
    (lumens, remarks)
}

impl Lumen {
    /// A structure's lumen with its centrelines.
    pub fn of_structure(
        structure: &Structure,
        graph: CenterlineGraph<frame::Patient>,
        atlas: &Atlas,
        tissues: &TissueTable,
    ) -> Self {
        let entry = atlas.structure(&structure.id);
        let by_kind = match structure.kind {
            StructureKind::Vein => Circuit::Venous,
            _ => Circuit::Arterial,
        };
        Self {
            structure: Some(structure.id.clone()),
            name: String::new(),
            circuit: entry.and_then(|entry| entry.circuit).unwrap_or(by_kind),
            flow: entry.and_then(|entry| entry.flow),
            tissue: tissues[structure.tissue].id.clone(),
            graph,
        }
    }
}

/// Whether blood runs from the wide end to the narrow ones.
fn leaves_the_center(circuit: Circuit) -> bool {
    matches!(circuit, Circuit::Arterial | Circuit::PulmonaryArterial)
}

/// Leaves out parts shorter than they are wide, unless there is nothing else: crumbs of a
/// segmentation are no vessels.
fn without_crumbs(graph: CenterlineGraph<frame::Patient>) -> CenterlineGraph<frame::Patient> {
    let part_of = graph.component_labels();
    let parts = part_of.iter().max().map_or(0, |&last| last + 1);
    let mut length_mm = vec![0.0; parts];
    let mut widest_mm = vec![0.0_f64; parts];
    for segment in &graph.segments {
        let part = part_of[segment.start];
        length_mm[part] += segment.length_mm();
        widest_mm[part] = segment
            .radii_mm
            .iter()
            .fold(widest_mm[part], |w, &r| w.max(2.0 * r));
    }
    let keeps = |part: usize| length_mm[part] >= widest_mm[part];
    if !(0..parts).any(keeps) {
        return graph;
    }
    let kept: Vec<usize> = (0..part_of.len())
        .filter(|&node| keeps(part_of[node]))
        .collect();
    let mut number = vec![0; part_of.len()];
    kept.iter()
        .enumerate()
        .for_each(|(new, &old)| number[old] = new);
    let segments = graph
        .segments
        .into_iter()
        .filter(|s| keeps(part_of[s.start]))
        .map(|mut s| {
            (s.start, s.end) = (number[s.start], number[s.end]);
            s
        });
    let segments = segments.collect();
    CenterlineGraph {
        nodes: kept.iter().map(|&old| graph.nodes[old].clone()).collect(),
        segments,
    }
}

/// A free end of one lumen that lies in or at another.
struct Joint {
    lumen: usize,
    node: usize,
    into: usize,
    segment: usize,
    along_mm: f64,
}

impl VesselGraph {
    /// Joins lumens of the same circuit where a free end of one lies within `gap_mm` of another's
    /// wall, and marks where blood enters and leaves: one free end of each connected part is
    /// towards the heart (for the portal vein: the liver), the others are away from it.
    pub fn join(lumens: &[Lumen], gap_mm: f64) -> Self {
        let joints = find_joints(lumens, gap_mm);
        let mut graph = Self::default();
        let mut node_of: Vec<Vec<usize>> = Vec::new();
        for lumen in lumens {
            let first = graph.nodes.len();
            node_of.push((first..first + lumen.graph.nodes.len()).collect());
            let nodes = lumen.graph.nodes.iter();
            graph.nodes.extend(nodes.map(|node| VesselNode {
                at: node.point,
                flow: None,
            }));
        }
        for (index, lumen) in lumens.iter().enumerate() {
            graph.add_cut_segments(index, lumen, &joints, lumens, &node_of);
        }
        graph.mark_flow(&ends_of(lumens));
        graph
    }

    /// Number of independent loops.
    pub fn loop_count(&self) -> usize {
        self.segments.len() + self.components().len() - self.nodes.len()
    }

    /// How many segment ends meet at each node.
    pub fn degrees(&self) -> Vec<usize> {
        let mut degrees = vec![0; self.nodes.len()];
        for segment in &self.segments {
            degrees[segment.from] += 1;
            degrees[segment.to] += 1;
        }
        degrees
    }

    /// Total length of the segments, mm.
    pub fn length_mm(&self) -> f64 {
        let stretch =
            |s: &VesselSegment| -> f64 { s.points.windows(2).map(|p| p[0].distance(&p[1])).sum() };
        self.segments.iter().map(stretch).sum()
    }

    /// The nodes of each connected part, in rising order.
    pub fn components(&self) -> Vec<Vec<usize>> {
        let mut part: Vec<usize> = (0..self.nodes.len()).collect();
        // Few nodes: passing the smallest number along until nothing changes is quick enough.
        let mut changed = true;
        while changed {
            changed = false;
            for segment in &self.segments {
                let low = part[segment.from].min(part[segment.to]);
                changed |= part[segment.from] != low || part[segment.to] != low;
                part[segment.from] = low;
                part[segment.to] = low;
            }
        }
        let mut roots = part.clone();
        roots.sort_unstable();
        roots.dedup();
        roots
            .iter()
            .map(|&root| (0..part.len()).filter(|&n| part[n] == root).collect())
            .collect()
    }

    /// Adds one lumen's segments, cut where another lumen joins, and its own joints' bridges.
    fn add_cut_segments(
        &mut self,
        index: usize,
        lumen: &Lumen,
        joints: &[Joint],
        lumens: &[Lumen],
        node_of: &[Vec<usize>],
    ) {
        for (number, segment) in lumen.graph.segments.iter().enumerate() {
            let mut cuts: Vec<&Joint> = joints
                .iter()
                .filter(|j| j.into == index && j.segment == number)
                .collect();
            cuts.sort_by(|a, b| a.along_mm.total_cmp(&b.along_mm));
            let mut rest = Stretch {
                points: segment.points.clone(),
                radii_mm: segment.radii_mm.clone(),
            };
            let mut from = node_of[index][segment.start];
            let to = node_of[index][segment.end];
            let mut gone_mm = 0.0;
            for joint in cuts {
                let (before, after) = rest.cut(joint.along_mm - gone_mm);
                let (at, radius) = (after.points[0], after.radii_mm[0]);
                let node = match before.points.len() {
                    0 => from,
                    _ => {
                        self.nodes.push(VesselNode { at, flow: None });
                        let node = self.nodes.len() - 1;
                        gone_mm += before.length_mm();
                        self.push(lumen, from, node, before);
                        node
                    }
                };
                self.push_bridge(&lumens[joint.lumen], joint, node_of, node, at, radius);
                rest = after;
                from = node;
            }
            self.push(lumen, from, to, rest);
        }
    }

    /// The short stretch from a joined lumen's end to the node on the other's centreline.
    fn push_bridge(
        &mut self,
        lumen: &Lumen,
        joint: &Joint,
        node_of: &[Vec<usize>],
        node: usize,
        at: Point<frame::Patient>,
        radius_mm: f64,
    ) {
        let end = &lumen.graph.nodes[joint.node];
        let own_radius = end.radius_mm.min(radius_mm);
        let stretch = Stretch {
            points: vec![end.point, at],
            radii_mm: vec![end.radius_mm, own_radius],
        };
        self.push(lumen, node_of[joint.lumen][joint.node], node, stretch);
    }

    fn push(&mut self, lumen: &Lumen, from: usize, to: usize, stretch: Stretch) {
        self.segments.push(VesselSegment {
            structure: lumen.structure.clone(),
            name: lumen.name.clone(),
            tissue: lumen.tissue.clone(),
            from,
            to,
            points: stretch.points,
            radii_mm: stretch.radii_mm,
        });
    }

    /// In each connected part one free end is central: where the atlas says which way it lies, the
    /// end there, unless it is far narrower than the part's widest; else the widest.
    pub(crate) fn mark_flow(&mut self, ends: &[VesselEnd]) {
        const FAR_NARROWER: f64 = 0.6;
        let degrees = self.degrees();
        let wider = |a: &&VesselEnd, b: &&VesselEnd| a.radius_mm.total_cmp(&b.radius_mm);
        for part in self.components() {
            let is_free = |end: &&VesselEnd| degrees[end.node] == 1 && part.contains(&end.node);
            let free: Vec<&VesselEnd> = ends.iter().filter(is_free).collect();
            let Some(widest) = free.iter().copied().max_by(wider) else {
                continue;
            };
            let hinted = free.iter().copied().filter(|end| end.is_central);
            let central = hinted
                .filter(|end| end.radius_mm >= FAR_NARROWER * widest.radius_mm)
                .max_by(wider)
                .unwrap_or(widest);
            for end in free {
                let inward = leaves_the_center(end.circuit) == (end.node == central.node);
                self.nodes[end.node].flow = Some(if inward { Flow::Inlet } else { Flow::Outlet });
            }
        }
    }
}

/// What is known of a node where a vessel may end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VesselEnd {
    /// The node.
    pub node: usize,
    /// The vessel's radius there, mm.
    pub radius_mm: f64,
    /// Whose blood the vessel carries.
    pub circuit: Circuit,
    /// Nothing of the vessel lies farther towards the heart (for the portal vein: the liver), as far
    /// as the atlas says which way that is.
    pub is_central: bool,
}

/// The direction in which a vessel's end towards the heart (portal: the liver) lies, if known.
pub(crate) fn towards_center(
    circuit: Circuit,
    flow: Option<atlas::Flow>,
) -> Option<Vector<frame::Patient>> {
    let flow = flow?;
    let end = if leaves_the_center(circuit) {
        flow.inlet
    } else {
        flow.outlet
    };
    Some(end.unit())
}

/// What is known of every node of the lumens, which are numbered one lumen after the other.
fn ends_of(lumens: &[Lumen]) -> Vec<VesselEnd> {
    let mut ends = Vec::new();
    for lumen in lumens {
        let central = towards_center(lumen.circuit, lumen.flow);
        let nodes = &lumen.graph.nodes;
        ends.extend(nodes.iter().map(|node| VesselEnd {
            node: 0,
            radius_mm: node.radius_mm,
            circuit: lumen.circuit,
            is_central: central.is_some_and(|central| {
                let along = |at: Point<frame::Patient>| at.coords.dot(&central.coords);
                nodes.iter().all(|n| along(n.point) <= along(node.point))
            }),
        }));
    }
    ends.iter_mut()
        .enumerate()
        .for_each(|(number, end)| end.node = number);
    ends
}

/// Points with radii.
struct Stretch {
    points: Vec<Point<frame::Patient>>,
    radii_mm: Vec<f64>,
}

impl Stretch {
    fn length_mm(&self) -> f64 {
        self.points.windows(2).map(|p| p[0].distance(&p[1])).sum()
    }

    /// Cuts at a length from the start. At the very start the first part is empty; at the very end
    /// the last stretch is halved, so that both parts keep a length.
    fn cut(mut self, along_mm: f64) -> (Self, Self) {
        let mut gone = 0.0;
        let mut last = self.points.len() - 2;
        let mut fraction = 0.5;
        for (n, pair) in self.points.windows(2).enumerate() {
            let step = pair[0].distance(&pair[1]);
            if along_mm < gone + step {
                last = n;
                fraction = ((along_mm - gone) / step).max(0.0);
                break;
            }
            gone += step;
        }
        if last == 0 && fraction < 1e-6 {
            return (
                Self {
                    points: Vec::new(),
                    radii_mm: Vec::new(),
                },
                self,
            );
        }
        let at = self.points[last] + (self.points[last + 1] - self.points[last]) * fraction;
        let radius =
            self.radii_mm[last] + (self.radii_mm[last + 1] - self.radii_mm[last]) * fraction;
        let mut after = Self {
            points: self.points.split_off(last + 1),
            radii_mm: self.radii_mm.split_off(last + 1),
        };
        after.points.insert(0, at);
        after.radii_mm.insert(0, radius);
        self.points.push(at);
        self.radii_mm.push(radius);
        (self, after)
    }
}

/// Every free end joins the nearest wall within reach, nearest pairs first. A pair that is already
/// connected joins again only far from where it was: three vessels that meet in one place need two
/// joints, not a ring of three.
fn find_joints(lumens: &[Lumen], gap_mm: f64) -> Vec<Joint> {
    let mut candidates = candidates(lumens, gap_mm);
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
    let part_of: Vec<Vec<usize>> = lumens.iter().map(|l| l.graph.component_labels()).collect();
    let mut group: std::collections::BTreeMap<(usize, usize), usize> = part_of
        .iter()
        .enumerate()
        .flat_map(|(l, labels)| labels.iter().map(move |&part| (l, part)))
        .enumerate()
        .map(|(number, part)| (part, number))
        .collect();
    let mut joints: Vec<Joint> = Vec::new();
    for (_, joint) in candidates {
        let own = group[&(joint.lumen, part_of[joint.lumen][joint.node])];
        let host = lumens[joint.into].graph.segments[joint.segment].start;
        let other = group[&(joint.into, part_of[joint.into][host])];
        let taken = joints
            .iter()
            .any(|j| (j.lumen, j.node) == (joint.lumen, joint.node));
        if taken || (own == other && joints.iter().any(|j| is_near(j, &joint, lumens))) {
            continue;
        }
        group
            .values_mut()
            .filter(|g| **g == other)
            .for_each(|g| *g = own);
        joints.push(joint);
    }
    joints
}

/// Free ends with the walls they could join, and the gap between.
fn candidates(lumens: &[Lumen], gap_mm: f64) -> Vec<(f64, Joint)> {
    let mut found = Vec::new();
    for (index, lumen) in lumens.iter().enumerate() {
        for node in lumen.graph.ends() {
            let end = &lumen.graph.nodes[node];
            let others = lumens.iter().enumerate();
            for (into, other) in others.filter(|(o, l)| *o != index && l.circuit == lumen.circuit) {
                let Some(place) = other.graph.nearest(end.point) else {
                    continue;
                };
                let gap = place.distance_mm - end.radius_mm - place.radius_mm;
                if gap <= gap_mm {
                    let (segment, along_mm) = (place.segment, place.along_mm);
                    found.push((
                        gap,
                        Joint {
                            lumen: index,
                            node,
                            into,
                            segment,
                            along_mm,
                        },
                    ));
                }
            }
        }
    }
    found
}

fn is_near(joint: &Joint, other: &Joint, lumens: &[Lumen]) -> bool {
    let [a, b] = [joint, other].map(|j| &lumens[j.lumen].graph.nodes[j.node]);
    a.point.distance(&b.point) <= 2.0 * (a.radius_mm + b.radius_mm)
}

#[cfg(test)]
mod tests {
    use geometry::centerline::{Curve, from_curves};

    use super::*;

    fn lumen(name: &str, circuit: Circuit, from: [f64; 3], to: [f64; 3], radius_mm: f64) -> Lumen {
        let at = |t: f64| {
            let [x, y, z] = std::array::from_fn(|a| from[a] + t * (to[a] - from[a]));
            Point::new(x, y, z)
        };
        let points: Vec<_> = (0..=20).map(|n| at(f64::from(n) / 20.0)).collect();
        let radii_mm = vec![radius_mm; points.len()];
        Lumen {
            structure: Some(name.to_owned()),
            name: String::new(),
            circuit,
            flow: Atlas::builtin()
                .structure(name)
                .and_then(|entry| entry.flow),
            tissue: "blood".to_owned(),
            graph: from_curves(&[Curve { points, radii_mm }]).unwrap(),
        }
    }

    /// An aorta, two iliac arteries that begin at its wall, and a vein that crosses them.
    fn tree() -> VesselGraph {
        VesselGraph::join(
            &[
                lumen(
                    "aorta",
                    Circuit::Arterial,
                    [0.0, 0.0, 100.0],
                    [0.0, 0.0, 0.0],
                    9.0,
                ),
                lumen(
                    "iliac_artery_left",
                    Circuit::Arterial,
                    [9.0, 0.0, -6.0],
                    [60.0, 0.0, -80.0],
                    5.0,
                ),
                lumen(
                    "iliac_artery_right",
                    Circuit::Arterial,
                    [-9.0, 0.0, -6.0],
                    [-60.0, 0.0, -80.0],
                    5.0,
                ),
                lumen(
                    "iliac_vena_left",
                    Circuit::Venous,
                    [0.0, 3.0, -5.0],
                    [50.0, 3.0, -80.0],
                    6.0,
                ),
            ],
            4.0,
        )
    }

    #[test]
    fn arteries_join_arteries_and_veins_stay_apart() {
        let graph = tree();
        assert_eq!(graph.components().len(), 2);
        assert_eq!(graph.loop_count(), 0);
        let ends = graph.degrees().iter().filter(|&&d| d == 1).count();
        assert_eq!(ends, 5, "aorta's top, two legs, and the vein's two ends");
    }

    fn ends_with(graph: &VesselGraph, flow: Flow) -> Vec<[f64; 3]> {
        graph
            .nodes
            .iter()
            .filter(|n| n.flow == Some(flow))
            .map(|n| n.at.to_array())
            .collect()
    }

    #[test]
    fn blood_enters_at_the_aorta_and_leaves_by_the_vein() {
        let graph = tree();
        let inlets = ends_with(&graph, Flow::Inlet);
        assert_eq!(
            inlets,
            vec![[0.0, 0.0, 100.0], [50.0, 3.0, -80.0]],
            "aorta's top, the leg's vein"
        );
        assert_eq!(
            ends_with(&graph, Flow::Outlet).len(),
            3,
            "two legs, and the vein's upper end"
        );
    }

    #[test]
    fn portal_blood_leaves_on_the_liver_s_side_though_the_other_end_is_wider() {
        let mut splenic = lumen(
            "portal_vein_and_splenic_vein",
            Circuit::Portal,
            [-40.0, 0.0, 0.0],
            [90.0, 0.0, 0.0],
            6.0,
        );
        for node in &mut splenic.graph.nodes {
            if node.point.x() > 0.0 {
                node.radius_mm = 7.0;
            }
        }
        let graph = VesselGraph::join(&[splenic], 4.0);
        assert_eq!(ends_with(&graph, Flow::Outlet), vec![[-40.0, 0.0, 0.0]]);
        assert_eq!(ends_with(&graph, Flow::Inlet), vec![[90.0, 0.0, 0.0]]);
    }

    #[test]
    fn a_vessel_that_begins_half_way_splits_the_other() {
        let graph = VesselGraph::join(
            &[
                lumen(
                    "aorta",
                    Circuit::Arterial,
                    [0.0, 0.0, 100.0],
                    [0.0, 0.0, 0.0],
                    9.0,
                ),
                lumen(
                    "renal",
                    Circuit::Arterial,
                    [10.0, 0.0, 42.0],
                    [60.0, 0.0, 40.0],
                    3.0,
                ),
            ],
            2.0,
        );
        assert_eq!(graph.components().len(), 1);
        let split = graph
            .nodes
            .iter()
            .find(|n| n.at.x() == 0.0 && (n.at.z() - 42.0).abs() < 1.0);
        assert!(split.is_some(), "{:?}", graph.nodes);
        for segment in &graph.segments {
            assert!(segment.points.len() >= 2 && segment.points.len() == segment.radii_mm.len());
            assert!(segment.points[0].distance(&graph.nodes[segment.from].at) < 1e-9);
        }
    }
}
