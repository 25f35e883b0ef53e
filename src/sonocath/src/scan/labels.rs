//! The truth beside a picture: which structure and which path made each point.
//!
//! The pictures have the size of the frame's and show the same place at the same point. A point
//! that shows no sample is 0, as is what lies outside all structures.

use anatomy::tissue::TissueTable;
use anatomy::{Patient, Structure};
use serde_json::{Value, json};
use ultrasound::display::TruthPicture;
use ultrasound::frame::PathKind;

use crate::drawing::canvas::Rect;
use crate::drawing::color::Rgb;
use crate::drawing::{Indexed, Levels};

/// The paths: id, names and colour, in the order of [`PathKind`].
const PATHS: [(PathKind, &str, &str, &str, Rgb); 6] = [
    (PathKind::None, "none", "nothing", "无回波", [0, 0, 0]),
    (PathKind::Direct, "direct", "direct", "直达", [90, 160, 230]),
    (
        PathKind::Mirror,
        "mirror",
        "mirror image",
        "镜像",
        [230, 120, 210],
    ),
    (
        PathKind::Reverberation,
        "reverberation",
        "reverberation",
        "混响",
        [240, 190, 70],
    ),
    (
        PathKind::RingDown,
        "ring_down",
        "ring-down",
        "振铃",
        [240, 110, 70],
    ),
    (PathKind::Shadow, "shadow", "shadow", "声影", [95, 95, 105]),
];

/// Turns truth into pictures for one patient.
pub struct Labels {
    colors: Vec<Rgb>,
}

impl Labels {
    /// For the structures of a patient.
    pub fn new(patient: &Patient, tissues: &TissueTable) -> Self {
        let colors = patient.structures.iter();
        let colors = colors.map(|structure| structure.display_color(tissues));
        Self {
            colors: std::iter::once([0; 3]).chain(colors).collect(),
        }
    }

    /// Which structure is where.
    pub fn structures(&self, truth: &TruthPicture, on: &Onto) -> Indexed {
        // A palette has 256 colours; more structures than that are plain numbers.
        if self.colors.len() > 256 {
            return on.picture(Levels::Gray16(on.laid(truth, &truth.structure, |s| s)));
        }
        on.picture(Levels::Palette {
            colors: self.colors.clone(),
            values: on.laid(truth, &truth.structure, |structure| structure as u8),
        })
    }

    /// Which path made which point.
    pub fn paths(truth: &TruthPicture, on: &Onto) -> Indexed {
        on.picture(Levels::Palette {
            colors: PATHS.map(|(_, _, _, _, color)| color).to_vec(),
            values: on.laid(truth, &truth.path, |path| path as u8),
        })
    }
}

/// The picture that labels lie over.
#[derive(Clone, Copy, Debug)]
pub struct Onto {
    /// Width and height.
    pub size: [u32; 2],
    /// Where in it the image is.
    pub area: Rect,
}

impl Onto {
    fn picture(&self, levels: Levels) -> Indexed {
        Indexed {
            width: self.size[0],
            height: self.size[1],
            levels,
        }
    }

    /// The image's values in their place in the whole picture, 0 round them.
    fn laid<T: Copy, U: Copy + Default>(
        &self,
        truth: &TruthPicture,
        values: &[T],
        of: impl Fn(T) -> U,
    ) -> Vec<U> {
        let [width, height] = self.size.map(|side| side as usize);
        let mut laid = vec![U::default(); width * height];
        let rows = values.chunks(truth.geometry.width.max(1));
        let into = laid.chunks_mut(width).skip(self.area.y as usize);
        for (row, into) in rows.zip(into) {
            for (value, into) in row.iter().zip(&mut into[self.area.x as usize..]) {
                *into = of(*value);
            }
        }
        laid
    }
}

/// What the values mean.
pub fn legend(patient: &Patient, tissues: &TissueTable) -> Value {
    let structure = |(index, structure): (usize, &Structure)| {
        json!({
            "value": index + 1,
            "id": structure.id,
            "name": { "en": structure.name.en, "zh": structure.name.zh },
            "tissue": tissues[structure.tissue].id,
            "color": structure.display_color(tissues),
        })
    };
    let path = |&(kind, id, en, zh, color): &(PathKind, &str, &str, &str, Rgb)| json!({ "value": kind as u8, "id": id, "name": { "en": en, "zh": zh }, "color": color });
    let structures = patient.structures.iter().enumerate().map(structure);
    json!({
        "outside": 0,
        "structures": structures.collect::<Vec<_>>(),
        "paths": PATHS.iter().map(path).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_listed_in_their_order() {
        for (n, (kind, ..)) in PATHS.iter().enumerate() {
            assert_eq!(*kind as usize, n);
        }
    }
}
