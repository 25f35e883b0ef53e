//! The liver's vessels: portal tree, hepatic veins, and hepatic arteries along the portal branches.
//!
//! What the patient has stays as it is and is what the trees grow from: the portal vein's ends at
//! the porta, the inferior vena cava at the dome. From these and the gallbladder follow Couinaud's
//! planes (C. Couinaud, Le foie, Masson, 1957): upright half-planes from the cava, turned so that
//! the sections have their usual shares of the volume, and the level of the portal bifurcation.
//! Portal stems run to the middle of each segment, hepatic veins in the planes between the
//! sections. The rest grows by [`super::trees`].

use geometry::centerline::{ExtractOptions, extract};
use geometry::closest::SurfaceQuery;
use geometry::{Point, TriMesh, frame};
use nalgebra::Vector3;

use super::random::Draws;
use super::trees::{
    Branch, NO_ZONE, Room, Rules, Tree, Tubes, grow, rounded, route, settle, spread, surface,
};
use super::{Context, EnrichError, surface_error};
use crate::patient::Patient;
use crate::vessels::{Flow, VesselNode, VesselSegment};

type V3 = Vector3<f64>;

/// Structures that the portal tree can grow from.
const PORTAL_STUMPS: [&str; 2] = ["portal_vein", "portal_vein_and_splenic_vein"];
/// The portal tree.
const PORTAL: &str = "portal_veins_intrahepatic";
/// The hepatic veins.
const HEPATIC: &str = "hepatic_veins";
/// Vessels of the liver from a scan: with these there is nothing to add.
const FROM_SCANS: &str = "hepatic_vessels";
const CAVA: &str = "inferior_vena_cava";

/// Distance between the samples of the room, mm.
const ROOM_MM: f64 = 2.0;
/// Distance between the samples of the surfaces, mm.
const SURFACE_MM: f64 = 0.9;

/// By what figures the liver's vessels are made.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LiverFigures {
    /// Radius of the portal vein at its bifurcation, mm: least and most. Up to 13 mm across is the
    /// limit commonly taught; by CT healthy donors have 15.5 ± 1.9 mm (Stamm et al., Abdom. Radiol.
    /// 41:1931, 2016). The patient's own is taken where it lies between.
    pub portal_radius_mm: [f64; 2],
    /// Radius of the right hepatic vein where it meets the cava, mm: 8 to 10 mm across.
    pub hepatic_radius_mm: f64,
    /// Radius of the thinnest branch, mm.
    pub least_radius_mm: f64,
    /// Between the liver's surface or another structure and a vessel's wall, mm.
    pub margin_mm: f64,
    /// Distances between vessels.
    pub rules: Rules,
    /// Share of the volume to the right of the right hepatic vein, between the right and the
    /// middle, between the middle and the left, and to the left of the left one. Segment VIII has a
    /// median of 26.1 %, II and III less than 10 % each, in the order VIII, VII, IV, V, III, VI, II,
    /// I (Mise et al., HPB 16:469, 2014, 107 normal livers); the rest is estimated.
    pub sections: [f64; 4],
    /// Share of the right posterior and the right anterior section that is segment VI and V (the
    /// lower ones).
    pub lower: [f64; 2],
    /// Share of the left lateral section that is segment III.
    pub front: f64,
}

impl Default for LiverFigures {
    fn default() -> Self {
        Self {
            portal_radius_mm: [5.0, 6.5],
            hepatic_radius_mm: 4.8,
            least_radius_mm: 1.0,
            margin_mm: 2.3,
            rules: Rules {
                gap_mm: 1.8,
                own_gap_mm: 1.6,
                shortest_mm: 6.0,
            },
            sections: [0.27, 0.40, 0.15, 0.18],
            lower: [0.37, 0.34],
            front: 0.54,
        }
    }
}

/// Where a tree begins.
#[derive(Clone, Debug)]
struct Root {
    /// Centreline that leads into the tree, its last point the end of the patient's own vessel.
    lead: Vec<V3>,
    /// Radius of the patient's own vessel there, mm.
    radius_mm: f64,
    /// The place in the patient's vessel graph, if it is there.
    node: Option<usize>,
}

/// Adds the vessels to the patient's liver, if there is one.
///
/// # Errors
/// [`EnrichError::Surface`] and [`EnrichError::NotInAtlas`].
pub(super) fn add(
    patient: &mut Patient,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    let figures = LiverFigures::default();
    let Some(liver) = patient.structure("liver") else {
        return Ok(());
    };
    if let Some(own) = [PORTAL, FROM_SCANS]
        .iter()
        .find(|id| patient.structure(id).is_some())
    {
        notes.push(format!(
            "the liver has vessels of its own (`{own}`); none were added"
        ));
        return Ok(());
    }
    let organ = liver.surface.clone();
    let grown = Plan::new(patient, &organ, &figures, context.request.seed, notes).grow(notes);
    if let Some(portal) = &grown.portal {
        add_tree(
            patient,
            context,
            PORTAL,
            portal,
            &grown.portal_roots,
            Flow::Outlet,
            notes,
        )?;
    }
    if let Some(hepatic) = &grown.hepatic {
        add_tree(
            patient,
            context,
            HEPATIC,
            hepatic,
            &grown.hepatic_roots,
            Flow::Inlet,
            notes,
        )?;
    }
    Ok(())
}

/// The trees as grown.
struct Grown {
    portal: Option<Tree>,
    portal_roots: Vec<Root>,
    hepatic: Option<Tree>,
    hepatic_roots: Vec<Root>,
}

/// What is known of the liver before anything grows.
struct Plan<'a> {
    figures: &'a LiverFigures,
    seed: u64,
    room: Room,
    planes: Planes,
    /// The room's places with their segments.
    places: Vec<(V3, u8)>,
    portal_roots: Vec<Root>,
    cava: Option<Root>,
    has_hepatic: bool,
}

/// Couinaud's planes.
#[derive(Clone, Debug)]
struct Planes {
    /// A point on the cava's axis, at the level of the hepatic veins.
    axis: V3,
    /// Angles of the right, middle and left hepatic vein's plane about that axis, radians: 0 to the
    /// patient's right, a quarter turn to the front.
    angles: [f64; 3],
    /// Levels (z, mm) between VI and VII, and between V and VIII.
    levels: [f64; 2],
    /// Between II and III: towards the front and the feet, mm.
    front_mm: f64,
}

impl Planes {
    /// Angle about the cava; it jumps behind it.
    fn angle(axis: V3, at: V3) -> f64 {
        let d = at - axis;
        let angle = libm::atan2(-d.y, -d.x);
        if angle < -2.1 {
            angle + std::f64::consts::TAU
        } else {
            angle
        }
    }

    /// How far a place lies to the front and the feet.
    fn frontness(at: V3) -> f64 {
        -std::f64::consts::FRAC_1_SQRT_2 * (at.y + at.z)
    }

    fn new(axis: V3, places: &[V3], gallbladder: Option<V3>, figures: &LiverFigures) -> Self {
        let mut angles: Vec<f64> = places.iter().map(|p| Self::angle(axis, *p)).collect();
        angles.sort_by(f64::total_cmp);
        let at = |share: f64| quantile(&angles, share);
        let [posterior, anterior, medial, lateral] = figures.sections;
        let right = posterior + anterior;
        // Cantlie's line runs from the cava to the gallbladder; a gallbladder that hangs far off
        // does not turn it beyond what livers have.
        let middle = gallbladder.map_or(at(right), |g| {
            Self::angle(axis, g).clamp(at(right - 0.12), at(right + 0.12))
        });
        let to_right = angles.partition_point(|a| *a < middle) as f64 / angles.len().max(1) as f64;
        let angles = [
            at(to_right * posterior / right),
            middle,
            at(to_right + (1.0 - to_right) * medial / (medial + lateral)),
        ];
        let mut planes = Self {
            axis,
            angles,
            levels: [0.0; 2],
            front_mm: 0.0,
        };
        for (n, share) in figures.lower.iter().enumerate() {
            planes.levels[n] =
                quantile_by(places, *share, |p| (planes.section(*p) == n).then_some(p.z));
        }
        planes.front_mm = quantile_by(places, 1.0 - figures.front, |p| {
            (planes.section(*p) == 3).then(|| Self::frontness(*p))
        });
        planes
    }

    /// 0 to 3 from right to left.
    fn section(&self, at: V3) -> usize {
        let angle = Self::angle(self.axis, at);
        self.angles.iter().filter(|&&a| angle >= a).count()
    }

    /// Couinaud's segment, 2 to 8; the caudate lobe is not told from its neighbours.
    fn segment(&self, at: V3) -> u8 {
        match self.section(at) {
            0 if at.z < self.levels[0] => 6,
            0 => 7,
            1 if at.z < self.levels[1] => 5,
            1 => 8,
            2 => 4,
            _ if Self::frontness(at) < self.front_mm => 2,
            _ => 3,
        }
    }

    /// Distance from one of the half-planes, mm, negative to its right; and from the axis along it.
    fn from_plane(&self, plane: usize, at: V3) -> (f64, f64) {
        let (sin, cos) = (libm::sin(self.angles[plane]), libm::cos(self.angles[plane]));
        let d = at - self.axis;
        let (right, front) = (-d.x, -d.y);
        (front * cos - right * sin, right * cos + front * sin)
    }
}

/// The value below which a share of sorted values lies; 0 for none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (share.clamp(0.0, 1.0) * sorted.len() as f64) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

fn quantile_by(places: &[V3], share: f64, value: impl Fn(&V3) -> Option<f64>) -> f64 {
    let mut values: Vec<f64> = places.iter().filter_map(value).collect();
    values.sort_by(f64::total_cmp);
    quantile(&values, share)
}

impl<'a> Plan<'a> {
    fn new(
        patient: &Patient,
        organ: &TriMesh<frame::Patient>,
        figures: &'a LiverFigures,
        seed: u64,
        notes: &mut Vec<String>,
    ) -> Self {
        let room = Room::new(organ, &keep_out(patient, organ), figures.margin_mm, ROOM_MM);
        let deep = room.places(figures.least_radius_mm);
        let query = SurfaceQuery::new(organ);
        let portal_roots = portal_roots(patient, &query, notes);
        let cava = cava_root(patient, &query, notes);
        let middle = deep.iter().sum::<V3>() / deep.len().max(1) as f64;
        // Without a cava the planes stand where it usually is: behind the porta.
        let axis = match (&cava, portal_roots.first()) {
            (Some(root), _) => root.lead[0],
            (None, Some(root)) => root.lead[root.lead.len() - 1] + V3::new(12.0, 25.0, 0.0),
            (None, None) => middle + V3::new(30.0, 35.0, 0.0),
        };
        let gallbladder = patient.structure("gallbladder").map(|g| center(&g.surface));
        let planes = Planes::new(axis, &deep, gallbladder, figures);
        let places = deep
            .into_iter()
            .map(|at| (at, planes.segment(at)))
            .collect();
        Self {
            figures,
            seed,
            room,
            planes,
            places,
            portal_roots,
            cava,
            has_hepatic: patient.structure(HEPATIC).is_some(),
        }
    }

    /// Lays the stems of both trees, then fills the liver: portal branches first, hepatic veins
    /// between them.
    fn grow(self, notes: &mut Vec<String>) -> Grown {
        let none = Tubes::new(Vec::new());
        let mut portal = self.portal_stems();
        let portal_lines = portal
            .as_ref()
            .map_or_else(|| none.clone(), |tree| self.widened(tree).tubes());
        let mut hepatic = self.hepatic_stems(&portal_lines);
        let hepatic_lines = hepatic
            .as_ref()
            .map_or_else(|| none.clone(), |tree| self.widened(tree).tubes());
        if let Some(tree) = &mut portal {
            self.fill(tree, &hepatic_lines, "portal", notes);
        }
        let portal_tubes = portal.as_ref().map_or(none, Tree::tubes);
        if let Some(tree) = &mut hepatic {
            self.fill(tree, &portal_tubes, "hepatic", notes);
        }
        Grown {
            portal,
            portal_roots: self.portal_roots,
            hepatic,
            hepatic_roots: self.cava.into_iter().collect(),
        }
    }

    /// Stems with the radii that they will have once everything has grown.
    fn widened(&self, stems: &Tree) -> Tree {
        stems.clone()
    }

    fn volume_mm3(&self) -> f64 {
        self.places.len() as f64 * self.room.cell_mm3()
    }

    fn fill(&self, tree: &mut Tree, others: &Tubes, name: &str, notes: &mut Vec<String>) {
        let figures = self.figures;
        let ratio = tree.trunk_radius_mm / figures.least_radius_mm;
        // As many ends as the trunk has thinnest branches, but none nearer than a centimetre.
        let most = self.volume_mm3() / 1000.0;
        let ends = (ratio * ratio * ratio).min(most) as usize;
        let zones: Vec<u8> = (1..=8)
            .filter(|z| tree.nodes.iter().any(|n| n.zone == *z))
            .collect();
        let zone_of = |at: V3, segment: u8| {
            if zones == [1] {
                1
            } else {
                self.served(at, segment, &zones)
            }
        };
        let places: Vec<(V3, u8)> = self
            .places
            .iter()
            .filter(|p| self.room.depth_mm(p.0) >= figures.least_radius_mm + 0.5)
            .map(|&(at, segment)| (at, zone_of(at, segment)))
            .collect();
        let in_zone = |zone: u8| places.iter().filter(|p| p.1 == zone).count();
        let counts: Vec<(u8, usize)> = zones
            .iter()
            .map(|&zone| (zone, ends * in_zone(zone) / places.len().max(1)))
            .filter(|&(_, count)| count > 0)
            .collect();
        let sites = spread(&places, &counts, tree, others, Draws::new(self.seed, name));
        grow(tree, &self.room, others, &sites, &figures.rules);
        let stuck = settle(tree, &self.room, others, &figures.rules);
        if stuck > 0 {
            notes.push(format!("{stuck} places of the {name} vessels lie nearer to the liver's surface or another vessel than they should"));
        }
    }

    /// The segment itself, or the nearest one with a stem.
    fn served(&self, at: V3, segment: u8, zones: &[u8]) -> u8 {
        let _ = at;
        let order: [u8; 7] = [6, 7, 5, 8, 4, 3, 2];
        let place = |z: u8| order.iter().position(|&o| o == z).unwrap_or(0);
        zones
            .iter()
            .copied()
            .min_by_key(|&z| place(z).abs_diff(place(segment)))
            .unwrap_or(segment)
    }

    fn portal_stems(&self) -> Option<Tree> {
        let widest = self
            .portal_roots
            .iter()
            .map(|r| r.radius_mm)
            .fold(0.0, f64::max);
        let [least, most] = self.figures.portal_radius_mm;
        let mut tree = Tree::new(widest.clamp(least, most));
        let (right, left) = match &self.portal_roots[..] {
            [] => return None,
            [only] => {
                let hilum = self.hilum(only)?;
                let start = self.lead_in(&mut tree, only);
                let way = rounded(&[*only.lead.last()?, hilum]);
                let fork = tree.lay(start, &way[1..], NO_ZONE)?;
                (fork, fork)
            }
            [right, left, ..] => (
                self.lead_in(&mut tree, right)?,
                self.lead_in(&mut tree, left)?,
            ),
        };
        self.right_stems(&mut tree, right);
        self.left_stems(&mut tree, left);
        Some(tree)
    }

    /// Lays the way through the patient's own vessel.
    fn lead_in(&self, tree: &mut Tree, root: &Root) -> Option<usize> {
        let last = tree.lay(None, &root.lead, NO_ZONE);
        tree.nodes.iter_mut().for_each(|node| node.free = true);
        last
    }

    /// The place inside the liver nearest to where the portal vein ends, deep enough for its
    /// bifurcation.
    fn hilum(&self, root: &Root) -> Option<V3> {
        let end = *root.lead.last()?;
        let deep = self
            .places
            .iter()
            .map(|p| p.0)
            .filter(|p| self.room.depth_mm(*p) >= 5.0);
        nearest(deep, end)
    }

    /// Middle of some segments, moved to where there is room.
    fn middle_of(&self, segments: &[u8]) -> Option<V3> {
        let own: Vec<V3> = self
            .places
            .iter()
            .filter(|p| segments.contains(&p.1))
            .map(|p| p.0)
            .collect();
        let mean = own.iter().sum::<V3>() / own.len().max(1) as f64;
        let deep: Vec<V3> = own
            .iter()
            .copied()
            .filter(|p| self.room.depth_mm(*p) >= 6.0)
            .collect();
        nearest(deep.into_iter(), mean).or_else(|| nearest(own.into_iter(), mean))
    }

    /// Lays a stem towards a place, as far as a share of the way; from there on `zone` is served.
    fn stem(&self, tree: &mut Tree, from: usize, to: V3, share: f64, zone: u8) -> usize {
        let Some(way) = route(&self.room, tree.nodes[from].at, to, |_| 0.0) else {
            return from;
        };
        let steps = ((way.len() - 1) as f64 * share).round().max(1.0) as usize;
        let begin = tree.nodes.len();
        let end = tree.lay(Some(from), &way[1..=steps.min(way.len() - 1)], zone);
        self.free_until_room(tree, begin);
        end.unwrap_or(from)
    }

    /// Points that follow the patient's own vessel and still lie too near to it are free.
    fn free_until_room(&self, tree: &mut Tree, begin: usize) {
        for n in begin..tree.nodes.len() {
            let before = tree.nodes[n].parent.is_none_or(|p| tree.nodes[p].free);
            tree.nodes[n].free = before && self.room.depth_mm(tree.nodes[n].at) < 6.0;
        }
    }

    fn right_stems(&self, tree: &mut Tree, from: usize) {
        let Some(all) = self.middle_of(&[5, 6, 7, 8]) else {
            return;
        };
        let length = (all - tree.nodes[from].at).norm();
        let fork = self.stem(tree, from, all, (26.0 / length).min(0.45), NO_ZONE);
        for [lower, upper] in [[5, 8], [6, 7]] {
            let Some(section) = self.middle_of(&[lower, upper]) else {
                continue;
            };
            let fork = self.stem(tree, fork, section, 0.55, NO_ZONE);
            for zone in [lower, upper] {
                if let Some(middle) = self.middle_of(&[zone]) {
                    self.stem(tree, fork, middle, 1.0, zone);
                }
            }
        }
    }

    /// The transverse part to the fissure, the umbilical part forward in it.
    fn left_stems(&self, tree: &mut Tree, from: usize) {
        let at = tree.nodes[from].at;
        let (off, reach) = self.planes.from_plane(2, at);
        let mut fork = from;
        if off.abs() > 12.0 {
            if let Some(fissure) = self.in_plane(2, |p, reached| {
                (p.z - at.z).abs() + (reached - reach.max(28.0)).abs()
            }) {
                fork = self.stem(tree, from, fissure, 1.0, NO_ZONE);
            }
        }
        if let Some(middle) = self.middle_of(&[2]) {
            self.stem(tree, fork, middle, 1.0, 2);
        }
        let corner = tree.nodes[fork].at;
        let (_, reach) = self.planes.from_plane(2, corner);
        if let Some(front) = self.in_plane(2, |p, reached| {
            (p.z - corner.z + 5.0).abs() + (reached - reach - 24.0).abs()
        }) {
            fork = self.stem(tree, fork, front, 1.0, NO_ZONE);
        }
        for zone in [3, 4] {
            if let Some(middle) = self.middle_of(&[zone]) {
                self.stem(tree, fork, middle, 1.0, zone);
            }
        }
    }

    /// The place near a plane, with room round it, where some cost is least.
    fn in_plane(&self, plane: usize, cost: impl Fn(V3, f64) -> f64) -> Option<V3> {
        self.places
            .iter()
            .map(|p| p.0)
            .filter(|p| self.room.depth_mm(*p) >= 6.0)
            .filter_map(|p| {
                let (off, reach) = self.planes.from_plane(plane, p);
                (off.abs() < 6.0 && reach > 0.0).then(|| (cost(p, reach), p))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, p)| p)
    }

    fn hepatic_stems(&self, portal: &Tubes) -> Option<Tree> {
        let cava = self.cava.as_ref()?;
        if self.has_hepatic {
            return None;
        }
        let [posterior, anterior, medial, lateral] = self.figures.sections;
        // The right vein drains the posterior and about half of the anterior section.
        let right = (posterior + 0.5 * anterior) / (posterior + anterior + medial + lateral);
        let mut tree = Tree::new(self.figures.hepatic_radius_mm / libm::cbrt(right));
        let root = tree.lay(None, &cava.lead[..1], NO_ZONE)?;
        tree.nodes[root].free = true;
        let start = self.places.iter().map(|p| p.0);
        let mouth = |plane: usize| {
            let near = start.clone().filter(|p| {
                let (off, reach) = self.planes.from_plane(plane, *p);
                off.abs() < 5.0 && reach > 0.0 && self.room.depth_mm(*p) > 4.0
            });
            nearest(near, tree_place(cava))
        };
        let common = mouth(1).map(|a| mouth(2).map_or(a, |b| (a + b) * 0.5));
        let shared = common.and_then(|at| {
            let way = rounded(&[cava.lead[0], at]);
            tree.lay(Some(root), &way[1..], NO_ZONE)
        });
        self.free_until_room(&mut tree, 1);
        for plane in 0..3 {
            let from = if plane == 0 { Some(root) } else { shared };
            let Some(from) = from else { continue };
            self.hepatic_stem(&mut tree, plane, from, portal);
        }
        (tree.nodes.len() > 1).then_some(tree)
    }

    /// One hepatic vein in its plane, out to the liver's edge.
    fn hepatic_stem(&self, tree: &mut Tree, plane: usize, from: usize, portal: &Tubes) {
        let farthest = self
            .in_plane(plane, |_, reach| -reach)
            .map_or(0.0, |p| self.planes.from_plane(plane, p).1);
        let lowest = self.in_plane(plane, |p, _| p.z).map_or(0.0, |p| p.z);
        let height = (self.planes.axis.z - lowest).max(1.0);
        // Right and middle vein run down and out, the left one out.
        let down = [0.5, 0.45, 0.3][plane];
        let goal = self.in_plane(plane, |p, reach| {
            let out = (reach / farthest.max(1.0) - 0.75).abs();
            let fallen = ((self.planes.axis.z - p.z) / height - down).abs();
            out + fallen
        });
        let Some(goal) = goal else { return };
        let toll = |at: V3| {
            let off = self.planes.from_plane(plane, at).0 / 12.0;
            let near = portal
                .distance_mm(at, 14.0)
                .map_or(0.0, |d| (14.0 - d) / 6.0);
            0.6 * off * off + 4.0 * near * near
        };
        if let Some(way) = route(&self.room, tree.nodes[from].at, goal, toll) {
            let begin = tree.nodes.len();
            tree.lay(Some(from), &way[1..], 1);
            self.free_until_room(tree, begin);
        }
    }
}

fn tree_place(root: &Root) -> V3 {
    root.lead[0]
}

fn nearest(places: impl Iterator<Item = V3>, to: V3) -> Option<V3> {
    places
        .map(|p| ((p - to).norm_squared(), p))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, p)| p)
}

fn center(mesh: &TriMesh<frame::Patient>) -> V3 {
    V3::from(mesh.bounds().center().map(f64::from))
}

/// Structures that lie in the liver's place: vessels keep away from them.
fn keep_out<'p>(
    patient: &'p Patient,
    organ: &TriMesh<frame::Patient>,
) -> Vec<&'p TriMesh<frame::Patient>> {
    let liver = patient.structure("liver").map_or(0, |s| s.priority);
    let bounds = organ.bounds();
    patient
        .structures
        .iter()
        .filter(|s| s.priority > liver && s.surface.bounds().overlaps(&bounds))
        .map(|s| &s.surface)
        .collect()
}

/// A vessel's centrelines, from the patient's graph or its surface: points and radii, each line
/// with the graph's nodes at its ends.
struct Line {
    points: Vec<V3>,
    radii_mm: Vec<f64>,
    nodes: [Option<usize>; 2],
    /// Whether nothing else joins at the ends.
    free: [bool; 2],
}

fn lines(patient: &Patient, id: &str) -> Vec<Line> {
    let graph = &patient.vessels;
    let degrees = graph.degrees();
    let own = graph
        .segments
        .iter()
        .filter(|s| s.structure.as_deref() == Some(id));
    let known: Vec<Line> = own
        .map(|s| Line {
            points: s.points.iter().map(|p| p.coords).collect(),
            radii_mm: s.radii_mm.clone(),
            nodes: [Some(s.from), Some(s.to)],
            free: [degrees[s.from] == 1, degrees[s.to] == 1],
        })
        .collect();
    if !known.is_empty() {
        return known;
    }
    let surface = patient.structure(id).map(|s| &s.surface);
    let Some(Ok(graph)) = surface.map(|s| extract(s, &ExtractOptions::default())) else {
        return Vec::new();
    };
    let degrees = graph.degrees();
    graph
        .segments
        .iter()
        .map(|s| Line {
            points: s.points.iter().map(|p| p.coords).collect(),
            radii_mm: s.radii_mm.clone(),
            nodes: [None, None],
            free: [degrees[s.start] == 1, degrees[s.end] == 1],
        })
        .collect()
}

/// The portal vein's ends in or at the liver, the right one first: at most two.
fn portal_roots(
    patient: &Patient,
    liver: &SurfaceQuery<'_, frame::Patient>,
    notes: &mut Vec<String>,
) -> Vec<Root> {
    const REACH_MM: f64 = 12.0;
    let Some(id) = PORTAL_STUMPS
        .iter()
        .find(|id| patient.structure(id).is_some())
    else {
        notes.push("there is no portal vein, so the liver gets no portal branches".to_owned());
        return Vec::new();
    };
    let mut ends: Vec<(f64, Root)> = Vec::new();
    for line in lines(patient, id) {
        for end in (0..2).filter(|&end| line.free[end]) {
            let root = root_at(&line, end == 1);
            let at = root.lead[root.lead.len() - 1];
            ends.push((liver.signed_distance_mm(Point::from_coords(at)), root));
        }
    }
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let within = ends.iter().filter(|e| e.0 < REACH_MM).count();
    if within == 0
        && let Some((gap, _)) = ends.first()
    {
        notes.push(format!(
            "`{id}` ends {gap:.0} mm short of the liver; the portal branches bridge the gap"
        ));
    }
    let mut roots: Vec<Root> = ends
        .into_iter()
        .take(within.clamp(1, 2))
        .map(|e| e.1)
        .collect();
    roots.sort_by(|a, b| end_x(a).total_cmp(&end_x(b)));
    if roots.is_empty() {
        notes.push(format!(
            "`{id}` has no centreline, so the liver gets no portal branches"
        ));
    }
    roots
}

fn end_x(root: &Root) -> f64 {
    root.lead[root.lead.len() - 1].x
}

/// The last centimetre of a line, and its usual radius there.
fn root_at(line: &Line, at_end: bool) -> Root {
    const LEAD_MM: f64 = 10.0;
    const LOOK_MM: f64 = 25.0;
    let order: Vec<usize> = if at_end {
        (0..line.points.len()).rev().collect()
    } else {
        (0..line.points.len()).collect()
    };
    let end = line.points[order[0]];
    let mut lead = Vec::new();
    let mut radii = Vec::new();
    let mut gone = 0.0;
    for (n, &at) in order.iter().enumerate() {
        if n > 0 {
            gone += (line.points[at] - line.points[order[n - 1]]).norm();
        }
        if gone <= LEAD_MM || n < 2 {
            lead.push(line.points[at]);
        }
        if gone <= LOOK_MM {
            radii.push(line.radii_mm[at]);
        }
    }
    lead.reverse();
    radii.sort_by(f64::total_cmp);
    let _ = end;
    Root {
        lead,
        radius_mm: quantile(&radii, 0.75),
        node: line.nodes[usize::from(at_end)],
    }
}

/// Where the hepatic veins meet the cava: on its axis, a little below where it leaves the liver.
fn cava_root(
    patient: &Patient,
    liver: &SurfaceQuery<'_, frame::Patient>,
    notes: &mut Vec<String>,
) -> Option<Root> {
    const BELOW_MM: f64 = 9.0;
    const TOUCH_MM: f64 = 6.0;
    let points: Vec<(V3, f64)> = lines(patient, CAVA)
        .into_iter()
        .flat_map(|line| line.points.into_iter().zip(line.radii_mm))
        .collect();
    let touches = |(at, radius): &&(V3, f64)| {
        let limit = radius + TOUCH_MM;
        liver
            .closest_within(Point::from_coords(*at), limit)
            .is_some()
    };
    let touching: Vec<(V3, f64)> = points.iter().filter(touches).copied().collect();
    let Some(top) = touching.iter().map(|p| p.0.z).max_by(f64::total_cmp) else {
        notes.push("there is no vena cava at the liver, so it gets no hepatic veins".to_owned());
        return None;
    };
    let wanted = top - BELOW_MM;
    let (at, radius_mm) = points
        .into_iter()
        .min_by(|a, b| (a.0.z - wanted).abs().total_cmp(&(b.0.z - wanted).abs()))?;
    Some(Root {
        lead: vec![at],
        radius_mm,
        node: None,
    })
}

/// Makes a tree a structure and a part of the vessel graph.
fn add_tree(
    patient: &mut Patient,
    context: &Context<'_>,
    id: &'static str,
    tree: &Tree,
    roots: &[Root],
    flow: Flow,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    let branches = tree.branches();
    let least = LiverFigures::default().least_radius_mm * 0.98;
    let Some(mesh) = surface(&branches, least, SURFACE_MM).map_err(surface_error(id))? else {
        return Ok(());
    };
    let structure = context.modelled(id, mesh)?;
    let tissue = context.tissues[structure.tissue].id.clone();
    patient.structures.push(structure);
    notes.push(format!(
        "`{id}`: {} branches with {} ends were grown",
        branches.len(),
        tree.leaves()
    ));
    join(patient, id, &tissue, &branches, roots, flow);
    Ok(())
}

/// Adds the branches to the vessel graph, joined to what they grow from.
fn join(
    patient: &mut Patient,
    id: &str,
    tissue: &str,
    branches: &[Branch],
    roots: &[Root],
    flow: Flow,
) {
    let mut ends: Vec<usize> = Vec::new();
    let is_parent: Vec<bool> = (0..branches.len())
        .map(|n| branches.iter().any(|b| b.parent == Some(n)))
        .collect();
    let mut root_nodes: Vec<(V3, usize)> = Vec::new();
    for (n, branch) in branches.iter().enumerate() {
        let (Some(&first), Some(&last)) = (branch.points.first(), branch.points.last()) else {
            continue;
        };
        let from = match branch.parent {
            Some(parent) => ends[parent],
            None => match root_nodes.iter().find(|r| r.0 == first) {
                Some(&(_, node)) => node,
                None => {
                    let node = root_node(patient, id, first, roots);
                    root_nodes.push((first, node));
                    node
                }
            },
        };
        let flow = (!is_parent[n]).then_some(flow);
        patient.vessels.nodes.push(VesselNode {
            at: Point::from_coords(last),
            flow,
        });
        let to = patient.vessels.nodes.len() - 1;
        ends.push(to);
        let mut points: Vec<Point<frame::Patient>> = branch
            .points
            .iter()
            .map(|p| Point::from_coords(*p))
            .collect();
        points[0] = patient.vessels.nodes[from].at;
        patient.vessels.segments.push(VesselSegment {
            structure: Some(id.to_owned()),
            name: String::new(),
            tissue: tissue.to_owned(),
            from,
            to,
            points,
            radii_mm: branch.radii_mm.clone(),
        });
    }
}

/// The graph's node at which a tree begins: cut into the vessel that it lies in, or a new one.
fn root_node(patient: &mut Patient, id: &str, at: V3, roots: &[Root]) -> usize {
    let _ = (id, roots);
    let graph = &mut patient.vessels;
    let nearest = graph
        .segments
        .iter()
        .enumerate()
        .flat_map(|(s, segment)| {
            segment
                .points
                .iter()
                .enumerate()
                .map(move |(p, point)| (s, p, *point))
        })
        .map(|(s, p, point)| ((point.coords - at).norm(), s, p))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((gap, segment, point)) if gap < 1e-6 => cut(graph, segment, point),
        _ => {
            graph.nodes.push(VesselNode {
                at: Point::from_coords(at),
                flow: None,
            });
            graph.nodes.len() - 1
        }
    }
}

/// Cuts a segment at one of its points and gives the node there.
fn cut(graph: &mut crate::vessels::VesselGraph, segment: usize, point: usize) -> usize {
    let whole = &graph.segments[segment];
    let end = if point == 0 {
        Some(whole.from)
    } else if point + 1 == whole.points.len() {
        Some(whole.to)
    } else {
        None
    };
    if let Some(node) = end {
        graph.nodes[node].flow = None;
        return node;
    }
    let mut after = whole.clone();
    after.points.drain(..point);
    after.radii_mm.drain(..point);
    graph.nodes.push(VesselNode {
        at: after.points[0],
        flow: None,
    });
    let node = graph.nodes.len() - 1;
    after.from = node;
    let before = &mut graph.segments[segment];
    before.points.truncate(point + 1);
    before.radii_mm.truncate(point + 1);
    before.to = node;
    graph.segments.push(after);
    node
}

#[cfg(test)]
mod tests;
