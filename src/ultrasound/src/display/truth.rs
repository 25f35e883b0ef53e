//! What each pixel of a picture is.

use std::sync::Arc;

use super::layout::{Layout, nearest};
use super::picture::PictureGeometry;
use crate::frame::{Look, PathKind, Truth};

/// The truth of a picture, pixel by pixel. Flat arrays are row after row from the top, like those
/// of the [`Picture`](super::Picture) of the same display.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthPicture {
    /// Where the pixels lie.
    pub geometry: PictureGeometry,
    /// 255 where the image is, 0 outside it.
    pub mask: Arc<[u8]>,
    /// The structure there, as its place in the patient's list plus 1; 0 outside all and outside
    /// the image.
    pub structure: Vec<u16>,
    /// The structure that shadows it, likewise; 0 if none does.
    pub shadowed_by: Vec<u16>,
    /// How the sound got there and back; `None` outside the image.
    pub path: Vec<PathKind>,
    /// Where the echo comes from, patient frame, mm; 0 outside the image.
    pub place_mm: Vec<[f32; 3]>,
}

impl TruthPicture {
    /// An empty one.
    pub(super) fn new(geometry: PictureGeometry, mask: Arc<[u8]>) -> Self {
        let pixels = geometry.len();
        Self {
            geometry,
            mask,
            structure: vec![0; pixels],
            shadowed_by: vec![0; pixels],
            path: vec![PathKind::None; pixels],
            place_mm: vec![[0.0; 3]; pixels],
        }
    }

    /// What a pixel is, by its place in the flat arrays.
    pub fn get(&self, index: usize) -> Option<Truth> {
        Some(Truth {
            structure: *self.structure.get(index)?,
            shadowed_by: *self.shadowed_by.get(index)?,
            path: *self.path.get(index)?,
            place_mm: *self.place_mm.get(index)?,
        })
    }

    fn fill_empty(&mut self) {
        self.structure.fill(0);
        self.shadowed_by.fill(0);
        self.path.fill(PathKind::None);
        self.place_mm.fill([0.0; 3]);
    }

    fn set(&mut self, index: usize, truth: &Truth) {
        self.structure[index] = truth.structure;
        self.shadowed_by[index] = truth.shadowed_by;
        self.path[index] = truth.path;
        self.place_mm[index] = truth.place_mm;
    }

    fn has_room_for(&self, layout: &Layout) -> bool {
        let pixels = layout.geometry.len();
        let lengths = [
            self.structure.len(),
            self.shadowed_by.len(),
            self.path.len(),
            self.place_mm.len(),
        ];
        lengths == [pixels; 4]
    }
}

/// Writes the truth of the nearest sample of a look to each pixel that it covers. The look's arrays
/// have been checked.
pub(super) fn convert(layout: &Layout, number: usize, look: &Look, picture: &mut TruthPicture) {
    if picture.has_room_for(layout) {
        picture.geometry = layout.geometry;
        picture.mask = Arc::clone(&layout.mask);
        picture.fill_empty();
    } else {
        *picture = TruthPicture::new(layout.geometry, Arc::clone(&layout.mask));
    }
    let (lines, samples) = (look.grid.lines, look.grid.samples);
    let table = &layout.tables[number];
    for y in 0..layout.geometry.height {
        for run in layout.runs(y) {
            let Some(piece) = layout.pieces(run).iter().find(|p| p.look == number) else {
                continue;
            };
            let start = y * layout.geometry.width + run.x;
            let (base, weights) = table.entries(piece.first, run.length);
            for (i, (&base, &weights)) in base.iter().zip(weights).enumerate() {
                let (line, sample) = nearest(base, weights, table.stride as u32);
                // The line after the last one is only reached in a full turn: line 0.
                let line = if line as usize == lines {
                    0
                } else {
                    line as usize
                };
                picture.set(start + i, &look.truth[line * samples + sample as usize]);
            }
        }
    }
}
