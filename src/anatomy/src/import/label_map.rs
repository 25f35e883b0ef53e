//! The numbers that segmentation tools give to structures.

use std::collections::BTreeMap;

use catalog::{Format, NotEmpty};

const LABEL_MAP: Format = Format::new("LabelMap", 1);

catalog::record! {
    /// A label map file as written.
    #[derive(Debug)]
    struct LabelMap {
        /// Whose numbers they are.
        name: String [NotEmpty],
        /// Label number to structure id.
        labels: BTreeMap<u16, String>,
    }
}

/// The labels of TotalSegmentator's "total" task: number to structure id.
pub(super) fn total_segmentator() -> BTreeMap<u16, String> {
    let text = include_str!("../../../../assets/totalsegmentator.ron");
    let map: LabelMap = catalog::read_str(text, "assets/totalsegmentator.ron", &LABEL_MAP)
        .expect("a test reads the embedded table");
    map.labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atlas::Atlas;

    #[test]
    fn every_label_is_a_structure_of_the_atlas() {
        let labels = total_segmentator();
        assert_eq!(labels.len(), 117);
        for (number, id) in labels {
            assert!(Atlas::builtin().structure(&id).is_some(), "{number}: {id}");
        }
    }
}
