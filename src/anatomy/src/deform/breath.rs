//! What breathing moves.
//!
//! The trunk's wall moves forward, the ribs outward and up; the organs follow the diaphragm towards
//! the feet and slide along the wall. How far, says `assets/motion.ron`; between organs the fields
//! are those of an elastic body that resists pressing along the spine more than shear, so that
//! organs stay what they are and fat, bowel and lung give way.

use super::grid::Grid;
use super::relax::{Anchor, Elastic, relax, spread};
use super::sliding::{Borders, borders};
use super::trunk::Trunk;
use super::{Body, Node};
use crate::motion::table;

/// Conductances across and along the body: organs side by side slide, one above the other push.
const CONDUCTANCE: [f64; 3] = [0.12, 0.12, 1.0];

/// How strongly an organ keeps to its own excursion: it gives way within some 10 mm of another.
const HOLD: f64 = 0.25;

/// How strongly what the spine or the pelvis holds keeps to it.
const TIED: f64 = 5.0;

/// A wall whose normal lies less in the level plane than this (its square) is a dome or a floor.
const LEAST_LEVEL: f64 = 0.5;

/// Organs that slide along a slope go aside by at most this share of their way.
const MOST_ASIDE: f64 = 0.5;

/// How deep a breath is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Quiet,
    Deep,
}

impl Depth {
    fn of(self, (quiet, deep): (f64, f64)) -> f64 {
        match self {
            Self::Quiet => quiet,
            Self::Deep => deep,
        }
    }
}

/// How far breathed in at a time, in shares of the breath: 0 at time 0, 1 half a breath later.
///
/// The fourth power of a sine, which dwells at end-expiration as people do: A. E. Lujan et al., Med.
/// Phys. 26:715 (1999).
pub fn breathing(time_s: f64, breaths_per_min: f64) -> f64 {
    let sine = libm::sin(std::f64::consts::PI * time_s * breaths_per_min / 60.0);
    let square = sine * sine;
    square * square
}

/// Displacements of wall and organs at the end of a breath in, by node, mm.
pub(super) fn breath(body: &Body<'_>, depth: Depth) -> [Vec<[f32; 3]>; 2] {
    let caudal = caudal(body, depth);
    let wall = wall(&body.grid, &body.trunk, depth);
    let borders = borders(body);
    let [x, y] = [0, 1].map(|axis| across(body, &borders, &wall, &caudal, axis));
    let organs = (0..wall.len())
        .map(|node| [x[node] as f32, y[node] as f32, -caudal[node] as f32])
        .collect();
    [wall, organs]
}

/// How far organs go forward or sideways, by node, mm: at the wall as the wall does, and further
/// where they slide down along a slope of it, so that they neither enter nor leave it; in between
/// smoothly.
fn across(
    body: &Body<'_>,
    borders: &Borders,
    wall: &[[f32; 3]],
    caudal: &[f64],
    axis: usize,
) -> Vec<f64> {
    let anchors: Vec<Anchor> = borders
        .outward
        .iter()
        .enumerate()
        .map(|(node, outward)| {
            let Some(outward) = outward else {
                return Anchor::default();
            };
            let level = outward.x * outward.x + outward.y * outward.y;
            // Domes and floors are pushed by the organs, not slid along.
            let along = (level / LEAST_LEVEL).min(1.0);
            let past_mm = caudal[node] + f64::from(wall[node][2]);
            let aside_mm = along * outward[axis] * outward.z * past_mm / level.max(LEAST_LEVEL);
            let most_mm = MOST_ASIDE * past_mm.abs();
            Anchor {
                to: f64::from(wall[node][axis]) + aside_mm.clamp(-most_mm, most_mm),
                strength: 1.0,
            }
        })
        .collect();
    let elastic = Elastic {
        domain: &borders.slides,
        conductance: [0.3; 3],
        groups: &borders.solids,
        anchors: &anchors,
    };
    let known = relax(&body.grid, &elastic);
    spread(&body.grid, &borders.slides, &known)
}

/// How far each structure goes towards the feet at the end of a breath, if that is known, mm: as
/// the patient's file says of quiet breathing, and in proportion of a deep one.
fn excursion(body: &Body<'_>, id: &str, depth: Depth) -> Option<f64> {
    let breathing = &table().breathing;
    if breathing.still.iter().any(|still| still == id) {
        return Some(0.0);
    }
    let organ = breathing.organs.iter().find(|o| o.structure == id)?;
    let own = body.patient.motion.breathing.as_ref().and_then(|own| {
        let of = |e: &&crate::patient_file::Excursion| e.structure.as_str() == id;
        own.excursions.iter().find(of)
    });
    let share = own.map_or(1.0, |own| own.caudal_mm / organ.quiet_mm);
    Some(match depth {
        Depth::Quiet => organ.quiet_mm * share,
        // Who breathes shallowly at rest may still breathe deeply.
        Depth::Deep => organ.deep_mm * share.clamp(0.8, 1.25),
    })
}

/// Towards the feet, mm, by node.
fn caudal(body: &Body<'_>, depth: Depth) -> Vec<f64> {
    let excursions: Vec<Option<f64>> = body
        .patient
        .structures
        .iter()
        .map(|s| excursion(body, &s.id, depth))
        .collect();
    let slides = body.slides();
    let anchor = |(node, &slides): (&Node, &bool)| {
        let mut hosts = node.hosts.iter().flatten();
        let known = hosts.find_map(|&host| excursions[usize::from(host)]);
        let known = known.filter(|_| slides);
        known.map_or(Anchor::default(), |to| Anchor {
            to,
            strength: if to == 0.0 { TIED } else { HOLD },
        })
    };
    let anchors: Vec<Anchor> = body.nodes.iter().zip(&slides).map(anchor).collect();
    let elastic = Elastic {
        domain: &slides,
        conductance: CONDUCTANCE,
        groups: &body.solids(),
        anchors: &anchors,
    };
    let known = relax(&body.grid, &elastic);
    spread(&body.grid, &slides, &known)
}

/// The wall's displacement, by node, mm.
fn wall(grid: &Grid, trunk: &Trunk, depth: Depth) -> Vec<[f32; 3]> {
    let of = &table().breathing.wall;
    let belly_mm = depth.of(of.belly_forward_mm);
    let chest_mm = depth.of(of.chest_forward_mm);
    let sideways_mm = depth.of(of.ribs_sideways_mm);
    let upward_mm = depth.of(of.ribs_upward_mm);
    (0..grid.len())
        .map(|node| {
            let place = grid.place(node);
            let chest = trunk.chest(place.z);
            let breathes = trunk.breathes(place.z);
            let front = trunk.front(place.y);
            let side = trunk.side(place.x);
            let forward = breathes * front * (belly_mm + (chest_mm - belly_mm) * chest);
            let aside = breathes * chest * trunk.not_back(place.y) * side * sideways_mm;
            let reach = 1.0 - (1.0 - front) * (1.0 - side * side * trunk.not_back(place.y));
            let up = breathes * chest * reach * upward_mm;
            [aside as f32, -forward as f32, up as f32]
        })
        .collect()
}
