//! How adults move, as far as it is known: the figures of `assets/motion.ron`.

use std::sync::OnceLock;

use catalog::{Format, POSITIVE};

use crate::patient::Structure;
use crate::patient_file::{Breathing, Excursion, Motion};

const MOTION: Format = Format::new("MotionAtRest", 2);

catalog::record! {
    /// `motion.ron` as written.
    #[derive(Debug)]
    pub(crate) struct MotionAtRest {
        /// Where the figures come from, in words.
        sources: Vec<String>,
        /// Heart rate.
        heart_rate_per_min: f64 [POSITIVE],
        /// Breaths a minute.
        pub(crate) breaths_per_min: f64 [POSITIVE],
        /// The deepest breath in, in quiet breaths: [`crate::deform::BodyState::breath`].
        pub(crate) deep_breath: f64 [1.5..=10.0],
        /// What a breath moves.
        pub(crate) breathing: BreathTable,
        /// What lying on the left side moves.
        pub(crate) left_decubitus: DecubitusTable,
        /// What raising the arms over the head moves.
        pub(crate) arm_up: ArmTable,
    }
}

catalog::record! {
    /// What a breath moves.
    #[derive(Debug)]
    pub(crate) struct BreathTable {
        /// Organs that follow the diaphragm.
        pub(crate) organs: Vec<OrganBreath>,
        /// Structures that stay.
        pub(crate) still: Vec<String>,
        /// The trunk's wall.
        pub(crate) wall: WallBreath,
    }
}

catalog::record! {
    /// How far an organ goes towards the feet.
    #[derive(Debug)]
    pub(crate) struct OrganBreath {
        /// The structure's id.
        pub(crate) structure: String,
        /// In a quiet breath.
        pub(crate) quiet_mm: f64 [0.0..=100.0],
        /// In the deepest.
        pub(crate) deep_mm: f64 [0.0..=100.0],
    }
}

catalog::record! {
    /// How far the wall goes in a quiet breath and in the deepest.
    #[derive(Debug)]
    pub(crate) struct WallBreath {
        /// The navel, forward.
        pub(crate) belly_forward_mm: (f64, f64),
        /// The sternum, forward.
        pub(crate) chest_forward_mm: (f64, f64),
        /// The side of the lower ribs, outward.
        pub(crate) ribs_sideways_mm: (f64, f64),
        /// Side and front of the ribs, towards the head.
        pub(crate) ribs_upward_mm: (f64, f64),
    }
}

catalog::record! {
    /// What lying on a side moves.
    #[derive(Debug)]
    pub(crate) struct DecubitusTable {
        /// The front of the belly, towards the patient's left.
        pub(crate) belly_leftward_mm: f64 [0.0..=100.0],
        /// Organs.
        pub(crate) organs: Vec<OrganShift>,
    }
}

catalog::record! {
    /// Where an organ goes.
    #[derive(Debug)]
    pub(crate) struct OrganShift {
        /// The structure's id.
        pub(crate) structure: String,
        /// Towards the patient's left, back and head.
        pub(crate) shift_mm: [f64; 3],
    }
}

catalog::record! {
    /// What raising the arms moves.
    #[derive(Debug)]
    pub(crate) struct ArmTable {
        /// The side of the uppermost ribs; the lowest stay, so that all spread.
        pub(crate) ribs_upward_mm: f64 [0.0..=50.0],
        /// The shoulder blades.
        pub(crate) shoulders_upward_mm: f64 [0.0..=80.0],
    }
}

/// The figures.
pub(crate) fn table() -> &'static MotionAtRest {
    static TABLE: OnceLock<MotionAtRest> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../../assets/motion.ron");
        catalog::read_str(text, "assets/motion.ron", &MOTION)
            .expect("a test reads the embedded table")
    })
}

/// Structures whose excursions a patient's file tells; the others follow from them.
const TOLD: [&str; 10] = [
    "liver",
    "gallbladder",
    "spleen",
    "stomach",
    "kidney_right",
    "kidney_left",
    "adrenal_gland_right",
    "adrenal_gland_left",
    "pancreas",
    "portal_vein_and_splenic_vein",
];

/// Quiet breathing and a resting heart for the structures present.
pub fn at_rest(structures: &[Structure]) -> Motion {
    let table = table();
    let excursions: Vec<Excursion> = table
        .breathing
        .organs
        .iter()
        .filter(|organ| TOLD.contains(&organ.structure.as_str()))
        .filter(|organ| structures.iter().any(|s| s.id == organ.structure))
        .map(|organ| Excursion {
            structure: organ.structure.clone().into(),
            caudal_mm: organ.quiet_mm,
        })
        .collect();
    Motion {
        heart_rate_per_min: Some(table.heart_rate_per_min),
        breathing: (!excursions.is_empty()).then_some(Breathing {
            rate_per_min: table.breaths_per_min,
            excursions,
        }),
        heart: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atlas::Atlas;

    #[test]
    fn every_structure_that_moves_is_in_the_atlas() {
        let breathing = &table().breathing;
        let organs = breathing.organs.iter().map(|organ| &organ.structure);
        let shifted = table().left_decubitus.organs.iter().map(|o| &o.structure);
        for id in organs.chain(&breathing.still).chain(shifted) {
            assert!(Atlas::builtin().structure(id).is_some(), "{id}");
        }
    }

    #[test]
    fn deep_breaths_move_organs_by_published_distances() {
        // Quiet and deep, mm: Suramo 1984, Davies 1994 (both ends of each), Boussuges 2009.
        for (id, quiet, deep) in [
            ("liver", (5.0, 40.0), (21.0, 80.0)),
            ("kidney_right", (5.0, 40.0), (20.0, 70.0)),
            ("kidney_left", (5.0, 40.0), (20.0, 70.0)),
            ("pancreas", (5.0, 35.0), (20.0, 80.0)),
        ] {
            let organs = &table().breathing.organs;
            let organ = organs.iter().find(|organ| organ.structure == id).unwrap();
            assert!((quiet.0..=quiet.1).contains(&organ.quiet_mm), "{id}");
            assert!((deep.0..=deep.1).contains(&organ.deep_mm), "{id}");
        }
    }

    #[test]
    fn without_structures_nothing_moves_but_the_heart_beats() {
        let motion = at_rest(&[]);
        assert!(motion.breathing.is_none() && motion.heart_rate_per_min.is_some());
    }
}
