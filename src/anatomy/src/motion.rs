//! How a body moves at rest, as far as its structures are known: the figures of `assets/motion.ron`.

use catalog::{Format, POSITIVE};

use crate::patient::Structure;
use crate::patient_file::{Breathing, Excursion, Motion};

const MOTION: Format = Format::new("MotionAtRest", 1);

catalog::record! {
    /// `motion.ron` as written.
    #[derive(Debug)]
    struct MotionAtRest {
        /// Where the figures come from, in words.
        sources: Vec<String>,
        /// Heart rate.
        heart_rate_per_min: f64 [POSITIVE],
        /// Breaths a minute.
        breaths_per_min: f64 [POSITIVE],
        /// Structures that follow the diaphragm.
        excursions: Vec<Excursion>,
    }
}

fn table() -> MotionAtRest {
    let text = include_str!("../../../assets/motion.ron");
    catalog::read_str(text, "assets/motion.ron", &MOTION).expect("a test reads the embedded table")
}

/// Quiet breathing and a resting heart for the structures present.
pub fn at_rest(structures: &[Structure]) -> Motion {
    let table = table();
    let excursions: Vec<Excursion> = table
        .excursions
        .into_iter()
        .filter(|excursion| {
            structures
                .iter()
                .any(|s| s.id == excursion.structure.as_str())
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
        for excursion in table().excursions {
            let id = excursion.structure.as_str();
            assert!(Atlas::builtin().structure(id).is_some(), "{id}");
        }
    }

    #[test]
    fn without_structures_nothing_moves_but_the_heart_beats() {
        let motion = at_rest(&[]);
        assert!(motion.breathing.is_none() && motion.heart_rate_per_min.is_some());
    }
}
