//! What lying otherwise and raising an arm move.
//!
//! On the left side organs fall towards the left, those that hang most freely farthest; the belly
//! sags after them. With the arms over the head the shoulders go up and the ribs spread like the
//! slats of a fan. How far, says `assets/motion.ron`.

use super::Body;
use super::relax::{Anchor, Elastic, relax, spread};
use super::sliding::borders;
use crate::motion::table;

/// How strongly an organ keeps to its own shift.
const HOLD: f64 = 0.25;

/// How strongly what lies at the wall goes with it.
const CLING: f64 = 0.1;

/// Displacements of wall and organs of a patient who lies on the left side, by node, mm.
pub(super) fn left_decubitus(body: &Body<'_>) -> [Vec<[f32; 3]>; 2] {
    let of = &table().left_decubitus;
    let trunk = &body.trunk;
    let wall: Vec<[f32; 3]> = (0..body.grid.len())
        .map(|node| {
            let place = body.grid.place(node);
            let belly = trunk.breathes(place.z) * (1.0 - 0.85 * trunk.chest(place.z));
            let side = trunk.side(place.x);
            // The right flank sinks in, the left one lies on the bed.
            let flank = 0.6 * (-side).max(0.0) * trunk.not_back(place.y);
            let leftward = of.belly_leftward_mm * belly * trunk.front(place.y).max(flank);
            [leftward as f32, 0.0, 0.0]
        })
        .collect();
    let shifts: Vec<Option<[f64; 3]>> = body
        .patient
        .structures
        .iter()
        .map(|structure| {
            let organ = of.organs.iter().find(|o| o.structure == structure.id);
            let still = table().breathing.still.contains(&structure.id);
            organ.map(|o| o.shift_mm).or(still.then_some([0.0; 3]))
        })
        .collect();
    let borders = borders(body);
    let component = |axis: usize| {
        let anchor = |node: usize| {
            let hosts = body.nodes[node].hosts.iter().flatten();
            let known = hosts.copied().find_map(|host| shifts[usize::from(host)]);
            match (known, borders.outward[node]) {
                (Some(shift), _) => Anchor {
                    to: shift[axis],
                    strength: HOLD,
                },
                (None, Some(_)) => Anchor {
                    to: f64::from(wall[node][axis]),
                    strength: CLING,
                },
                (None, None) => Anchor::default(),
            }
        };
        let anchors: Vec<Anchor> = (0..body.grid.len()).map(anchor).collect();
        let elastic = Elastic {
            domain: &borders.slides,
            conductance: [0.5; 3],
            groups: &borders.solids,
            anchors: &anchors,
        };
        let known = relax(&body.grid, &elastic);
        spread(&body.grid, &borders.slides, &known)
    };
    let [x, y, z] = [0, 1, 2].map(component);
    let organs = (0..wall.len()).map(|n| [x[n] as f32, y[n] as f32, z[n] as f32]);
    let organs = organs.collect();
    [wall, organs]
}

/// Displacements of wall and organs with the arms over the head, by node, mm.
pub(super) fn arm_up(body: &Body<'_>) -> [Vec<[f32; 3]>; 2] {
    let of = &table().arm_up;
    let trunk = &body.trunk;
    let wall = (0..body.grid.len())
        .map(|node| {
            let place = body.grid.place(node);
            let side = trunk.side(place.x);
            let spread = trunk.along_chest(place.z) * side * side;
            let shoulder = trunk.shoulder(place.x, place.y, place.z);
            let up = of.ribs_upward_mm * spread + of.shoulders_upward_mm * shoulder;
            [0.0, 0.0, up as f32]
        })
        .collect();
    [wall, vec![[0.0; 3]; body.grid.len()]]
}
