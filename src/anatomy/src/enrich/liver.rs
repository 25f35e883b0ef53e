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
use rayon::prelude::*;

use super::figures::LiverFigures;
use super::random::Draws;
use super::trees::{
    Beside, Branch, NO_ZONE, Room, Rules, Tree, Tubes, beside, grow, rounded, route, settle,
    spread, surface,
};
use super::{Context, EnrichError, surface_error};
use crate::patient::Patient;
use crate::vessels::{Flow, VesselGraph, VesselNode, VesselSegment};

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
const ARTERY: &str = "hepatic_artery";
const DUCT: &str = "common_bile_duct";

/// Radius of vessels for which stems seek a way, mm.
const STEM_MM: f64 = 4.5;
/// Distance between the samples of the room, mm.
const ROOM_MM: f64 = 2.0;
/// Distance between the samples of the veins' surfaces, mm.
const VEIN_MM: f64 = 0.9;
/// Distance between the samples of the surfaces of arteries and ducts, mm.
const FINE_MM: f64 = 0.7;

/// Where a tree begins.
#[derive(Clone, Debug)]
struct Root {
    /// Centreline that leads into the tree, its last point the end of the patient's own vessel.
    lead: Vec<V3>,
    /// Radius of the patient's own vessel there, mm.
    radius_mm: f64,
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
    let figures = &context.figures.liver;
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
    let grown = Plan::new(patient, &organ, figures, context.request.seed, notes).grow(notes);
    let least = figures.least_radius_mm.value;
    let trees = [
        (PORTAL, Flow::Outlet, VEIN_MM, &grown.portal),
        (HEPATIC, Flow::Inlet, VEIN_MM, &grown.hepatic),
        (ARTERY, Flow::Outlet, FINE_MM, &grown.artery),
        (DUCT, Flow::Inlet, FINE_MM, &grown.duct),
    ];
    let before: &Patient = patient;
    let drawn: Vec<(Drawn, &Made, Option<TriMesh<frame::Patient>>)> = trees
        .into_par_iter()
        .with_max_len(1)
        .filter_map(|(id, flow, spacing_mm, made)| {
            let drawn = Drawn {
                id,
                flow,
                least_radius_mm: 0.95 * least,
                spacing_mm,
            };
            let made = made.as_ref()?;
            Some(draw(before, &drawn, made).map(|mesh| (drawn, made, mesh)))
        })
        .collect::<Result<_, _>>()?;
    for (drawn, made, mesh) in drawn {
        if let Some(mesh) = mesh {
            add_tree(patient, context, &drawn, made, mesh, notes)?;
        }
    }
    Ok(())
}

/// A tree and what it grew from.
struct Made {
    tree: Tree,
    roots: Vec<Root>,
}

/// The trees as grown.
#[derive(Default)]
struct Grown {
    portal: Option<Made>,
    hepatic: Option<Made>,
    artery: Option<Made>,
    duct: Option<Made>,
}

/// What is known of the liver before anything grows.
struct Plan<'a> {
    figures: &'a LiverFigures,
    seed: u64,
    room: Room<'a>,
    planes: Planes,
    places: Vec<Place>,
    portal_roots: Vec<Root>,
    cava: Option<Root>,
    /// Ends of the hepatic veins that the patient has.
    hepatic_stumps: Vec<Root>,
    /// The ends of the hepatic artery and of the bile duct at the liver.
    artery: Option<Root>,
    duct: Option<Root>,
}

/// A place of the room.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: V3,
    depth_mm: f64,
    segment: u8,
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
        let [posterior, anterior, medial, lateral] = shares(figures);
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
        let lower = [&figures.posterior_lower, &figures.anterior_lower];
        for (n, share) in lower.iter().enumerate() {
            planes.levels[n] = quantile_by(places, share.value, |p| {
                (planes.section(*p) == n).then_some(p.z)
            });
        }
        planes.front_mm = quantile_by(places, 1.0 - figures.lateral_front.value, |p| {
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
    fn off_plane(&self, plane: usize, at: V3) -> (f64, f64) {
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
        organ: &'a TriMesh<frame::Patient>,
        figures: &'a LiverFigures,
        seed: u64,
        notes: &mut Vec<String>,
    ) -> Self {
        let keep_out = keep_out(patient, organ);
        let (room, [artery_ends, duct_ends]) = rayon::join(
            || Room::new(organ, &keep_out, figures.margin_mm.value, ROOM_MM),
            || [ARTERY, DUCT].map(|id| free_ends(patient, id)),
        );
        let deep = room.places(figures.least_radius_mm.value);
        let points: Vec<V3> = deep.iter().map(|p| p.0).collect();
        let query = SurfaceQuery::new(organ);
        let portal_roots = portal_roots(patient, &query, notes);
        let cava = cava_root(patient, &query, notes);
        let middle = points.iter().sum::<V3>() / points.len().max(1) as f64;
        // Without a cava the planes stand where it usually is: behind the porta.
        let axis = match (&cava, portal_roots.first()) {
            (Some(root), _) => root.lead[0],
            (None, Some(root)) => root.end() + V3::new(12.0, 25.0, 0.0),
            (None, None) => middle + V3::new(30.0, 35.0, 0.0),
        };
        let gallbladder = patient.structure("gallbladder").map(|g| center(&g.surface));
        let planes = Planes::new(axis, &points, gallbladder, figures);
        let place = |(at, depth_mm)| Place {
            at,
            depth_mm,
            segment: planes.segment(at),
        };
        let places = deep.into_iter().map(place).collect();
        let porta = portal_roots.first().map(Root::end);
        Self {
            figures,
            seed,
            room,
            places,
            hepatic_stumps: free_ends(patient, HEPATIC)
                .into_iter()
                .filter(|root| (root.end() - axis).norm() > 18.0)
                .collect(),
            artery: porta.and_then(|at| end_near(artery_ends, at)),
            duct: porta.and_then(|at| end_near(duct_ends, at)),
            planes,
            portal_roots,
            cava,
        }
    }

    /// Lays the stems of both trees, then fills the liver: portal branches first, hepatic veins
    /// between them, arteries and ducts beside the portal branches.
    fn grow(self, notes: &mut Vec<String>) -> Grown {
        let none = || Tubes::new(Vec::new());
        let tubes = |tree: &Option<Tree>| tree.as_ref().map_or_else(none, Tree::tubes);
        let mut portal = self.portal_stems();
        let (mut hepatic, hepatic_roots) = self.hepatic_stems(&tubes(&portal));
        let hepatic_stems = tubes(&hepatic);
        if let Some(tree) = &mut portal {
            self.fill(tree, &hepatic_stems, "portal", notes);
        }
        let portal_tubes = tubes(&portal);
        if let Some(tree) = &mut hepatic {
            self.fill(tree, &portal_tubes, "hepatic", notes);
        }
        let mut veins: Vec<&Tree> = portal.iter().chain(&hepatic).collect();
        let artery = portal
            .as_ref()
            .map(|tree| self.companion(tree, &veins, Companion::Artery));
        veins.extend(artery.as_ref().map(|made| &made.tree));
        let duct = portal.as_ref().filter(|_| self.duct.is_some());
        let duct = duct.map(|tree| self.companion(tree, &veins, Companion::Duct));
        let made = |tree: Option<Tree>, roots| tree.map(|tree| Made { tree, roots });
        Grown {
            artery,
            duct,
            hepatic: made(hepatic, hepatic_roots),
            portal: made(portal, self.portal_roots),
        }
    }

    /// The artery or the duct beside the portal branches.
    fn companion(&self, portal: &Tree, veins: &[&Tree], which: Companion) -> Made {
        let figures = self.figures;
        // In front of the portal vein, the artery to the left, the duct to the right.
        let (share, side, root) = match which {
            Companion::Artery => (&figures.artery_share, V3::new(0.6, -0.8, 0.0), &self.artery),
            Companion::Duct => (&figures.duct_share, V3::new(-0.6, -0.8, 0.0), &self.duct),
        };
        let how = Beside {
            share: share.value,
            least_radius_mm: figures.companion_least_mm.value,
            gap_mm: 0.5,
            side,
        };
        let lead = root.as_ref().map_or(&[][..], |root| &root.lead);
        let tree = beside(portal, &how, lead, &self.room, &Tree::tubes_of(veins));
        Made {
            tree,
            roots: root.iter().cloned().collect(),
        }
    }

    fn rules(&self) -> Rules {
        Rules {
            gap_mm: self.figures.gap_mm.value,
            own_gap_mm: self.figures.own_gap_mm.value,
            shortest_mm: self.figures.shortest_mm.value,
        }
    }

    fn volume_mm3(&self) -> f64 {
        self.places.len() as f64 * self.room.cell_mm3()
    }

    fn fill(&self, tree: &mut Tree, others: &Tubes, name: &str, notes: &mut Vec<String>) {
        let least = self.figures.least_radius_mm.value;
        let ratio = tree.trunk_radius_mm / least;
        // As many ends as the trunk has thinnest branches, but none nearer than a centimetre.
        let most = self.volume_mm3() / 1000.0;
        let ends = (ratio * ratio * ratio).min(most) as usize;
        let zones: Vec<u8> = (1..=8)
            .filter(|z| tree.nodes.iter().any(|n| n.zone == *z))
            .collect();
        let deep = self.places.iter().filter(|p| p.depth_mm >= least + 0.5);
        let places: Vec<(V3, u8)> = deep.map(|p| (p.at, served(p.segment, &zones))).collect();
        let in_zone = |zone: u8| places.iter().filter(|p| p.1 == zone).count();
        let counts: Vec<(u8, usize)> = zones
            .iter()
            .map(|&zone| (zone, ends * in_zone(zone) / places.len().max(1)))
            .filter(|&(_, count)| count > 0)
            .collect();
        let sites = spread(&places, &counts, tree, others, Draws::new(self.seed, name));
        grow(tree, &self.room, others, &sites, &self.rules());
        let stuck = settle(tree, &self.room, others, &self.rules());
        if let Some(first) = stuck.first() {
            notes.push(format!(
                "{} places of the {name} vessels lie nearer to the liver's surface or another vessel than they should, the first at ({:.0}, {:.0}, {:.0})",
                stuck.len(), first.x, first.y, first.z
            ));
        }
    }

    fn portal_stems(&self) -> Option<Tree> {
        let widest = self
            .portal_roots
            .iter()
            .map(|r| r.radius_mm)
            .fold(0.0, f64::max);
        let [least, most] = [
            &self.figures.portal_least_radius_mm,
            &self.figures.portal_most_radius_mm,
        ];
        let mut tree = Tree::new(widest.clamp(least.value, most.value));
        let (right, left) = match &self.portal_roots[..] {
            [] => return None,
            [only] => {
                let hilum = self.hilum(only)?;
                let start = self.lead_in(&mut tree, only);
                let way = rounded(&[only.end(), hilum]);
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
        self.nearest_place(root.end(), |p| p.depth_mm >= 5.0)
    }

    fn nearest_place(&self, to: V3, counts: impl Fn(&Place) -> bool) -> Option<V3> {
        nearest(self.places.iter().filter(|p| counts(p)).map(|p| p.at), to)
    }

    /// Middle of some segments, moved to where there is room.
    fn middle_of(&self, segments: &[u8]) -> Option<V3> {
        let own = |p: &Place| segments.contains(&p.segment);
        let places = || self.places.iter().filter(|p| own(p)).map(|p| p.at);
        let mean = places().sum::<V3>() / places().count().max(1) as f64;
        self.nearest_place(mean, |p| own(p) && p.depth_mm >= 6.0)
            .or_else(|| self.nearest_place(mean, own))
    }

    /// Lays a stem towards a place, as far as a share of the way; from there on `zone` is served.
    fn stem(&self, tree: &mut Tree, from: usize, to: V3, share: f64, zone: u8) -> usize {
        let Some(way) = route(&self.room, tree.nodes[from].at, to, STEM_MM, |_| 0.0) else {
            return from;
        };
        let steps = ((way.len() - 1) as f64 * share).round().max(1.0) as usize;
        let begin = tree.nodes.len();
        let end = tree.lay(Some(from), &way[1..=steps.min(way.len() - 1)], zone);
        self.free_until_room(tree, begin);
        end.unwrap_or(from)
    }

    /// Points that follow the patient's own vessel and still lie too near to it, or to the place
    /// where it enters the liver, are free.
    fn free_until_room(&self, tree: &mut Tree, begin: usize) {
        const REACH_MM: f64 = 18.0;
        let mut gone = 0.0;
        for n in begin..tree.nodes.len() {
            let Some(parent) = tree.nodes[n].parent else {
                continue;
            };
            gone += (tree.nodes[n].at - tree.nodes[parent].at).norm();
            let shallow = self.room.depth_mm(tree.nodes[n].at) < tree.trunk_radius_mm + 1.0;
            tree.nodes[n].free = tree.nodes[parent].free && shallow && gone < REACH_MM;
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
        let (off, reach) = self.planes.off_plane(2, at);
        let mut fork = from;
        let level = |p: V3, reached: f64| (p.z - at.z).abs() + (reached - reach.max(28.0)).abs();
        if off.abs() > 12.0
            && let Some(fissure) = self.in_plane(2, level)
        {
            fork = self.stem(tree, from, fissure, 1.0, NO_ZONE);
        }
        if let Some(middle) = self.middle_of(&[2]) {
            self.stem(tree, fork, middle, 1.0, 2);
        }
        let corner = tree.nodes[fork].at;
        let (_, reach) = self.planes.off_plane(2, corner);
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
            .filter(|p| p.depth_mm >= 6.0)
            .filter_map(|p| {
                let (off, reach) = self.planes.off_plane(plane, p.at);
                (off.abs() < 6.0 && reach > 0.0).then(|| (cost(p.at, reach), p.at))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, p)| p)
    }

    /// The hepatic veins' stems, from those that the patient has or else from the cava.
    fn hepatic_stems(&self, portal: &Tubes) -> (Option<Tree>, Vec<Root>) {
        let [posterior, anterior, ..] = shares(self.figures);
        // The right vein drains the posterior and about half of the anterior section.
        let right = posterior + 0.5 * anterior;
        let mut tree = Tree::new(self.figures.hepatic_radius_mm.value / libm::cbrt(right));
        let (starts, roots) = if self.hepatic_stumps.is_empty() {
            (
                self.cava_stems(&mut tree),
                self.cava.iter().cloned().collect(),
            )
        } else {
            self.stump_stems(&mut tree)
        };
        for (plane, start) in starts.into_iter().enumerate() {
            if let Some(from) = start {
                self.hepatic_stem(&mut tree, plane, from, portal);
            }
        }
        let grows = tree.nodes.iter().any(|node| node.zone != NO_ZONE);
        (grows.then_some(tree), roots)
    }

    /// The right vein by itself, the middle and the left one by a common trunk, as in 77 % of
    /// livers (Shilal et al., J. Clin. Diagn. Res. 12:AC13, 2018).
    fn cava_stems(&self, tree: &mut Tree) -> [Option<usize>; 3] {
        let Some(cava) = &self.cava else {
            return [None; 3];
        };
        let root = tree.lay(None, &cava.lead, NO_ZONE);
        tree.nodes.iter_mut().for_each(|node| node.free = true);
        let mouth = |plane: usize| {
            self.nearest_place(cava.end(), |p| {
                let (off, reach) = self.planes.off_plane(plane, p.at);
                off.abs() < 5.0 && reach > 0.0 && p.depth_mm > 4.0
            })
        };
        let common = mouth(1).map(|a| mouth(2).map_or(a, |b| (a + b) * 0.5));
        let shared = common.and_then(|at| {
            let begin = tree.nodes.len();
            let way = rounded(&[cava.end(), at]);
            let last = tree.lay(root, &way[1..], NO_ZONE);
            self.free_until_room(tree, begin);
            last
        });
        [root, shared, shared]
    }

    /// Each plane gets the stump that lies nearest to it.
    fn stump_stems(&self, tree: &mut Tree) -> ([Option<usize>; 3], Vec<Root>) {
        let mut left: Vec<&Root> = self.hepatic_stumps.iter().collect();
        let mut roots = Vec::new();
        let starts = [0, 1, 2].map(|plane| {
            let off = |root: &&Root| self.planes.off_plane(plane, root.end()).0.abs();
            let nearest =
                (0..left.len()).min_by(|&a, &b| off(&left[a]).total_cmp(&off(&left[b])))?;
            if off(&left[nearest]) > 30.0 {
                return None;
            }
            let root = left.remove(nearest);
            roots.push(root.clone());
            self.lead_in(tree, root)
        });
        (starts, roots)
    }

    /// One hepatic vein in its plane, out to the liver's edge.
    fn hepatic_stem(&self, tree: &mut Tree, plane: usize, from: usize, portal: &Tubes) {
        let farthest = self
            .in_plane(plane, |_, reach| -reach)
            .map_or(0.0, |p| self.planes.off_plane(plane, p).1);
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
            let off = self.planes.off_plane(plane, at).0 / 12.0;
            let near = portal
                .distance_mm(at, 14.0)
                .map_or(0.0, |d| (14.0 - d) / 6.0);
            0.6 * off * off + 4.0 * near * near
        };
        if let Some(way) = route(&self.room, tree.nodes[from].at, goal, STEM_MM, toll) {
            let begin = tree.nodes.len();
            tree.lay(Some(from), &way[1..], 1);
            self.free_until_room(tree, begin);
        }
    }
}

/// What runs beside the portal branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Companion {
    Artery,
    Duct,
}

/// Shares of the volume between the hepatic veins' planes, from right to left; together 1.
fn shares(figures: &LiverFigures) -> [f64; 4] {
    let given = [
        &figures.posterior_share,
        &figures.anterior_share,
        &figures.medial_share,
        &figures.lateral_share,
    ]
    .map(|figure| figure.value);
    let sum: f64 = given.iter().sum();
    given.map(|share| share / sum)
}

/// The segment itself, or of those with a stem the nearest one.
fn served(segment: u8, zones: &[u8]) -> u8 {
    const FROM_RIGHT: [u8; 7] = [6, 7, 5, 8, 4, 3, 2];
    let place = |zone: u8| FROM_RIGHT.iter().position(|&z| z == zone).unwrap_or(0);
    let near = |zone: &u8| place(*zone).abs_diff(place(segment));
    zones.iter().copied().min_by_key(near).unwrap_or(segment)
}

impl Root {
    /// Where the patient's own vessel ends.
    fn end(&self) -> V3 {
        self.lead[self.lead.len() - 1]
    }
}

/// The free ends of one of the patient's vessels.
fn free_ends(patient: &Patient, id: &str) -> Vec<Root> {
    let lines = lines(patient, id);
    let ends = lines.iter().flat_map(|line| [(line, 0), (line, 1)]);
    ends.filter(|(line, end)| line.free[*end])
        .map(|(line, end)| root_at(line, end == 1))
        .collect()
}

/// Of a vessel's free ends the one nearest to a place, if near.
fn end_near(ends: Vec<Root>, place: V3) -> Option<Root> {
    const NEAR_MM: f64 = 30.0;
    let away = |root: &Root| (root.end() - place).norm();
    ends.into_iter()
        .filter(|root| away(root) < NEAR_MM)
        .min_by(|a, b| away(a).total_cmp(&away(b)))
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

/// One of a vessel's centrelines, from the patient's graph or its surface: points and radii.
struct Line {
    points: Vec<V3>,
    radii_mm: Vec<f64>,
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
    const INSIDE_MM: f64 = 4.0;
    let Some(id) = PORTAL_STUMPS
        .iter()
        .find(|id| patient.structure(id).is_some())
    else {
        notes.push("there is no portal vein, so the liver gets no portal branches".to_owned());
        return Vec::new();
    };
    let away = |root: &Root| liver.signed_distance_mm(Point::from_coords(root.end()));
    let mut ends: Vec<(f64, Root)> = free_ends(patient, id)
        .into_iter()
        .map(|r| (away(&r), r))
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let Some((gap, first)) = ends.first().cloned() else {
        notes.push(format!(
            "`{id}` has no centreline, so the liver gets no portal branches"
        ));
        return Vec::new();
    };
    if gap > REACH_MM {
        notes.push(format!(
            "`{id}` ends {gap:.0} mm short of the liver; the portal branches bridge the gap"
        ));
    }
    let mut roots = vec![first];
    // Right and left branch apart: both end within the liver.
    let apart = |root: &Root| (root.end() - roots[0].end()).norm() > 20.0;
    let second = ends
        .into_iter()
        .skip(1)
        .find(|(gap, root)| *gap < INSIDE_MM && apart(root));
    roots.extend(second.map(|(_, root)| root));
    roots.sort_by(|a, b| end_x(a).total_cmp(&end_x(b)));
    roots
}

fn end_x(root: &Root) -> f64 {
    root.end().x
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
    Root {
        lead,
        radius_mm: quantile(&radii, 0.75),
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
    })
}

/// How a tree becomes a structure.
struct Drawn {
    id: &'static str,
    /// Which way blood crosses its far ends.
    flow: Flow,
    least_radius_mm: f64,
    spacing_mm: f64,
}

/// The surface of a tree, together with that of the patient's own vessel.
fn draw(
    patient: &Patient,
    drawn: &Drawn,
    made: &Made,
) -> Result<Option<TriMesh<frame::Patient>>, EnrichError> {
    let own = patient.structure(drawn.id).map(|s| &s.surface);
    let branches = made.tree.branches();
    surface(&branches, own, drawn.least_radius_mm, drawn.spacing_mm)
        .map_err(surface_error(drawn.id))
}

/// Makes a tree a structure, as one with what the patient has of it, and a part of the vessel graph.
fn add_tree(
    patient: &mut Patient,
    context: &Context<'_>,
    drawn: &Drawn,
    made: &Made,
    mesh: TriMesh<frame::Patient>,
    notes: &mut Vec<String>,
) -> Result<(), EnrichError> {
    let id = drawn.id;
    let branches = made.tree.branches();
    let own = patient.structure_index(id);
    let structure = context.modelled(id, mesh)?;
    let tissue = context.tissues[structure.tissue].id.clone();
    let is_vessel = structure.kind.is_vessel();
    match own {
        Some(index) => patient.structures[index] = structure,
        None => patient.structures.push(structure),
    }
    notes.push(format!(
        "`{id}`: {} branches were grown in the liver",
        branches.len()
    ));
    if is_vessel {
        let thick = context.figures.liver.graph_least_radius_mm.value;
        join(
            patient,
            drawn,
            &tissue,
            &thick_branches(&branches, thick),
            &made.roots,
        );
    }
    Ok(())
}

/// The branches at least this thick, with their parents' places in the shorter list.
fn thick_branches(branches: &[Branch], least_mm: f64) -> Vec<Branch> {
    let mut number = vec![None; branches.len()];
    let mut kept: Vec<Branch> = Vec::new();
    for (n, branch) in branches.iter().enumerate() {
        let parent = branch.parent.map(|p| number[p]);
        if branch.radius_mm < least_mm || parent == Some(None) {
            continue;
        }
        number[n] = Some(kept.len());
        kept.push(Branch {
            parent: parent.flatten(),
            ..branch.clone()
        });
    }
    kept
}

/// Adds the branches to the vessel graph, joined to what they grow from.
fn join(patient: &mut Patient, drawn: &Drawn, tissue: &str, branches: &[Branch], roots: &[Root]) {
    let goes_on: Vec<bool> = (0..branches.len())
        .map(|n| branches.iter().any(|b| b.parent == Some(n)))
        .collect();
    let mut ends: Vec<usize> = Vec::new();
    for (n, branch) in branches.iter().enumerate() {
        // The patient's own vessel is in the graph already.
        let begin = branch
            .points
            .iter()
            .position(|p| roots.iter().any(|root| root.end() == *p));
        let begin = begin
            .filter(|&b| branch.parent.is_none() && b + 1 < branch.points.len())
            .unwrap_or(0);
        let points: Vec<Point<frame::Patient>> = branch.points[begin..]
            .iter()
            .map(|p| Point::from_coords(*p))
            .collect();
        let from = match branch.parent {
            Some(parent) => ends[parent],
            None => node_at(&mut patient.vessels, points[0]),
        };
        let to = patient.vessels.nodes.len();
        patient.vessels.nodes.push(VesselNode {
            at: points[points.len() - 1],
            flow: (!goes_on[n]).then_some(drawn.flow),
        });
        ends.push(to);
        patient.vessels.segments.push(VesselSegment {
            structure: Some(drawn.id.to_owned()),
            name: String::new(),
            tissue: tissue.to_owned(),
            from,
            to,
            points,
            radii_mm: branch.radii_mm[begin..].to_vec(),
        });
    }
}

/// The graph's node at a place: there already, cut into the vessel that has a point there, or new.
fn node_at(graph: &mut VesselGraph, at: Point<frame::Patient>) -> usize {
    const SAME_MM: f64 = 1e-6;
    if let Some(node) = graph
        .nodes
        .iter()
        .position(|node| node.at.distance(&at) < SAME_MM)
    {
        graph.nodes[node].flow = None;
        return node;
    }
    let segments = graph.segments.iter().enumerate();
    let found = segments
        .filter_map(|(s, segment)| {
            let point = segment
                .points
                .iter()
                .position(|p| p.distance(&at) < SAME_MM)?;
            Some((s, point))
        })
        .next();
    match found {
        Some((segment, point)) => cut(graph, segment, point),
        None => {
            graph.nodes.push(VesselNode { at, flow: None });
            graph.nodes.len() - 1
        }
    }
}

/// Cuts a segment at one of its points and gives the node there.
fn cut(graph: &mut VesselGraph, segment: usize, point: usize) -> usize {
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
