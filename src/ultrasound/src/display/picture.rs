//! A picture and where its pixels lie.
//!
//! The screen: depth (probe +z) runs down. Probe +x, the side of the marker, is on the **left** of
//! the screen, as in abdominal imaging, unless left and right are changed; then it is on the right.

use std::sync::Arc;

use geometry::Point;
use geometry::frame::Probe as ProbeFrame;

/// How many pixels a picture has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PictureSize {
    /// Across.
    pub width: usize,
    /// Down.
    pub height: usize,
}

/// Where the pixels of a picture lie in the probe's x–z plane.
///
/// Whole pixel coordinates (x, y) are the middles of pixels: x counts from the left, y from the
/// top. Pixels are square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureGeometry {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Side of a pixel.
    pub mm_per_pixel: f64,
    /// Probe x and z of the middle of the pixel (0, 0), mm.
    pub origin_mm: [f64; 2],
    /// Whether probe +x runs to the right.
    pub x_to_right: bool,
    /// Whether probe +z runs down.
    pub z_down: bool,
}

impl PictureGeometry {
    /// The place, probe frame, of pixel coordinates; with elevation 0.
    pub fn place_of_pixel(&self, x: f64, y: f64) -> Point<ProbeFrame> {
        let [step_x, step_z] = self.steps_mm();
        let [x_mm, z_mm] = self.origin_mm;
        Point::new(x_mm + x * step_x, 0.0, z_mm + y * step_z)
    }

    /// Pixel coordinates of a place, whatever its elevation. They may lie outside the picture.
    pub fn pixel_of_place(&self, place: Point<ProbeFrame>) -> (f64, f64) {
        let [step_x, step_z] = self.steps_mm();
        let [x_mm, z_mm] = self.origin_mm;
        ((place.x() - x_mm) / step_x, (place.z() - z_mm) / step_z)
    }

    /// Where in the flat arrays the pixel at whole coordinates is; `None` outside the picture.
    pub fn index(&self, x: usize, y: usize) -> Option<usize> {
        (x < self.width && y < self.height).then(|| y * self.width + x)
    }

    /// Where in the flat arrays the pixel nearest to a place is; `None` outside the picture.
    pub fn index_of_place(&self, place: Point<ProbeFrame>) -> Option<usize> {
        let (x, y) = self.pixel_of_place(place);
        let whole = |v: f64| (v > -0.5).then(|| (v + 0.5).floor() as usize);
        self.index(whole(x)?, whole(y)?)
    }

    /// Pixels in all.
    pub fn len(&self) -> usize {
        self.width * self.height
    }

    /// Whether there are no pixels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Way from a pixel to the next one right and to the next one down: probe x and z, mm.
    fn steps_mm(&self) -> [f64; 2] {
        [self.x_to_right, self.z_down].map(|along| {
            if along {
                self.mm_per_pixel
            } else {
                -self.mm_per_pixel
            }
        })
    }
}

/// What is on the screen. Flat arrays are row after row from the top: `[y * width + x]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Where the pixels lie.
    pub geometry: PictureGeometry,
    /// Grey, 0 outside the image.
    pub pixels: Vec<u8>,
    /// 255 where the image is, 0 outside it: usable as an alpha channel.
    pub mask: Arc<[u8]>,
}

impl Picture {
    /// A black picture.
    pub(super) fn new(geometry: PictureGeometry, mask: Arc<[u8]>) -> Self {
        Self {
            geometry,
            pixels: vec![0; geometry.len()],
            mask,
        }
    }

    /// The place, probe frame, of a pixel of the image; `None` outside the image.
    pub fn place_of_pixel(&self, x: usize, y: usize) -> Option<Point<ProbeFrame>> {
        let index = self.geometry.index(x, y)?;
        let inside = *self.mask.get(index)? != 0;
        inside.then(|| self.geometry.place_of_pixel(x as f64, y as f64))
    }

    /// The pixel (x, y) nearest to a place; `None` outside the image.
    pub fn pixel_of_place(&self, place: Point<ProbeFrame>) -> Option<(usize, usize)> {
        let index = self.geometry.index_of_place(place)?;
        let inside = *self.mask.get(index)? != 0;
        inside.then(|| (index % self.geometry.width, index / self.geometry.width))
    }

    /// Becomes a copy of another picture without allocating where the sizes agree.
    pub fn copy_from(&mut self, other: &Self) {
        self.geometry = other.geometry;
        self.pixels.clone_from(&other.pixels);
        self.mask = Arc::clone(&other.mask);
    }
}
