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

/// Quiet breathing and a resting heart for the structures present.
pub fn at_rest(structures: &[Structure]) -> Motion {
    let text = include_str!("../../../assets/motion.ron");
    let table: MotionAtRest = catalog::read_str(text, "assets/motion.ron", &MOTION)
        .expect("a test reads the embedded table");
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
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_embedded_table_reads() {
        assert!(super::at_rest(&[]).breathing.is_none());
    }
}
