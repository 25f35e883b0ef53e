//! The sheet being drawn: boxes, lines and dots with soft edges over an sRGB picture.

use super::Image;
use super::color::{Rgb, mix};

/// A box in whole picture points; `x`, `y` is its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

impl Rect {
    /// Right edge (first column outside).
    pub fn right(&self) -> i32 {
        self.x + self.w
    }
    /// Bottom edge (first row outside).
    pub fn bottom(&self) -> i32 {
        self.y + self.h
    }
}

/// A picture that can be painted on; everything outside is clipped silently.
pub struct Canvas {
    width: i32,
    height: i32,
    pixels: Vec<Rgb>,
}

impl Canvas {
    /// One flat colour.
    pub fn new(width: i32, height: i32, color: Rgb) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self {
            width,
            height,
            pixels: vec![color; width as usize * height as usize],
        }
    }

    /// The finished picture.
    pub fn into_image(self) -> Image {
        Image {
            width: self.width as u32,
            height: self.height as u32,
            rgb: self.pixels.into_flattened(),
        }
    }

    /// Lays `color` over one point with `alpha` 0..=1.
    pub fn blend(&mut self, x: i32, y: i32, color: Rgb, alpha: f32) {
        if x < 0 || y < 0 || x >= self.width || y >= self.height || alpha <= 0.0 {
            return;
        }
        let at = y as usize * self.width as usize + x as usize;
        self.pixels[at] = mix(self.pixels[at], color, alpha);
    }

    /// A filled box.
    pub fn fill(&mut self, rect: Rect, color: Rgb, alpha: f32) {
        for y in rect.y.max(0)..rect.bottom().min(self.height) {
            for x in rect.x.max(0)..rect.right().min(self.width) {
                self.blend(x, y, color, alpha);
            }
        }
    }

    /// A frame one point wide, just inside the box.
    pub fn frame(&mut self, rect: Rect, color: Rgb) {
        let Rect { x, y, w, h } = rect;
        for edge in [
            Rect { x, y, w, h: 1 },
            Rect {
                x,
                y: rect.bottom() - 1,
                w,
                h: 1,
            },
            Rect { x, y, w: 1, h },
            Rect {
                x: rect.right() - 1,
                y,
                w: 1,
                h,
            },
        ] {
            self.fill(edge, color, 1.0);
        }
    }

    /// A small picture laid in with its upper left corner at `x`, `y`.
    pub fn paste(&mut self, x: i32, y: i32, width: usize, pixels: &[Rgb]) {
        for (row, line) in pixels.chunks(width.max(1)).enumerate() {
            for (column, &color) in line.iter().enumerate() {
                self.blend(x + column as i32, y + row as i32, color, 1.0);
            }
        }
    }

    /// A straight line with round ends, `width` points wide, clipped to `clip`.
    pub fn line(
        &mut self,
        ends: [[f32; 2]; 2],
        width: f32,
        (color, alpha): (Rgb, f32),
        clip: Rect,
    ) {
        let Some([a, b]) = clipped(ends, clip) else {
            return;
        };
        let reach = 0.5 * width + 1.0;
        let (x0, x1) = (
            (a[0].min(b[0]) - reach) as i32,
            (a[0].max(b[0]) + reach) as i32,
        );
        let (y0, y1) = (
            (a[1].min(b[1]) - reach) as i32,
            (a[1].max(b[1]) + reach) as i32,
        );
        for y in y0.max(clip.y)..=y1.min(clip.bottom() - 1) {
            for x in x0.max(clip.x)..=x1.min(clip.right() - 1) {
                let distance = to_segment([x as f32 + 0.5, y as f32 + 0.5], a, b);
                self.blend(
                    x,
                    y,
                    color,
                    alpha * (0.5 * width + 0.5 - distance).clamp(0.0, 1.0),
                );
            }
        }
    }

    /// A filled disc.
    pub fn dot(&mut self, at: [f32; 2], radius: f32, color: Rgb, clip: Rect) {
        self.line([at, at], 2.0 * radius, (color, 1.0), clip);
    }
}

/// Distance from `p` to the straight line between `a` and `b`.
fn to_segment(p: [f32; 2], a: [f32; 2], b: [f32; 2]) -> f32 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length2 = dx * dx + dy * dy;
    let t = if length2 > 0.0 {
        (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length2).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (p[0] - a[0] - t * dx).hypot(p[1] - a[1] - t * dy)
}

/// The part of a line inside a box (Liang and Barsky's parametric clip); `None` outside or for
/// coordinates that are not finite.
fn clipped([a, b]: [[f32; 2]; 2], clip: Rect) -> Option<[[f32; 2]; 2]> {
    let low = [clip.x as f32 - 4.0, clip.y as f32 - 4.0];
    let high = [clip.right() as f32 + 4.0, clip.bottom() as f32 + 4.0];
    let (mut enter, mut leave) = (0.0f32, 1.0f32);
    for axis in 0..2 {
        let step = b[axis] - a[axis];
        if !step.is_finite() {
            return None;
        }
        if step == 0.0 {
            if a[axis] < low[axis] || a[axis] > high[axis] {
                return None;
            }
            continue;
        }
        let (t0, t1) = ((low[axis] - a[axis]) / step, (high[axis] - a[axis]) / step);
        enter = enter.max(t0.min(t1));
        leave = leave.min(t0.max(t1));
    }
    let at = |t: f32| [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])];
    (enter <= leave).then(|| [at(enter), at(leave)])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIP: Rect = Rect {
        x: 0,
        y: 0,
        w: 40,
        h: 30,
    };

    #[test]
    fn a_dot_covers_its_area() {
        let mut canvas = Canvas::new(40, 30, [0; 3]);
        canvas.dot([20.0, 15.0], 8.0, [255; 3], CLIP);
        let sum: f32 = canvas.pixels.iter().map(|p| f32::from(p[0]) / 255.0).sum();
        let truth = std::f32::consts::PI * 64.0;
        assert!((sum - truth).abs() < 0.02 * truth, "{sum} against {truth}");
    }

    #[test]
    fn lines_far_outside_or_without_numbers_draw_nothing() {
        let mut canvas = Canvas::new(40, 30, [0; 3]);
        let white = ([255; 3], 1.0);
        canvas.line([[-1e30, 900.0], [1e30, 900.0]], 2.0, white, CLIP);
        canvas.line([[f32::NAN, 0.0], [3.0, 3.0]], 2.0, white, CLIP);
        canvas.line([[0.0, 0.0], [f32::INFINITY, 3.0]], 2.0, white, CLIP);
        assert!(canvas.pixels.iter().all(|p| *p == [0; 3]));
    }

    #[test]
    fn a_long_line_is_clipped_to_its_panel() {
        let mut canvas = Canvas::new(40, 30, [0; 3]);
        let clip = Rect {
            x: 10,
            y: 5,
            w: 10,
            h: 10,
        };
        canvas.line([[-1e6, 10.0], [1e6, 10.0]], 1.0, ([255; 3], 1.0), clip);
        for (i, p) in canvas.pixels.iter().enumerate() {
            let (x, y) = ((i % 40) as i32, (i / 40) as i32);
            let inside =
                (clip.x..clip.right()).contains(&x) && (clip.y..clip.bottom()).contains(&y);
            assert!(inside || *p == [0; 3], "point {i}");
        }
        assert!(canvas.pixels.iter().any(|p| p[0] > 100));
    }
}
