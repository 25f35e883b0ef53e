//! Where the panels lie: one grid for every size of the screen.

use bevy_egui::egui::{Pos2, Rect, Vec2, pos2, vec2};

/// Space between panels.
pub const GAP: f32 = 6.0;
/// Space inside panels.
pub const INSET: f32 = 12.0;

/// The panels' places, points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Title, language, help.
    pub header: Rect,
    /// The tasks, upper left.
    pub tasks: Rect,
    /// The body's layers, lower left.
    pub layers: Rect,
    /// The body.
    pub scene: Rect,
    /// The live image.
    pub image: Rect,
    /// The machine's console.
    pub console: Rect,
    /// Figures and names.
    pub footer: Rect,
}

impl Layout {
    /// For a screen of that size.
    pub fn of(size: Vec2) -> Self {
        let header_height = 40.0;
        let footer_height = 24.0;
        let console_height = 140.0;
        let left_width = (0.2 * size.x).clamp(250.0, 320.0);
        let top = header_height + GAP;
        let bottom = size.y - footer_height;
        let inner_left = GAP + left_width + GAP;
        let inner_width = size.x - inner_left - GAP;
        let upper_height = bottom - GAP - console_height - GAP - top;
        // The live image is as wide as a fan of that height needs, but not more than half.
        let image_width = (1.02 * upper_height).max(360.0).min(0.5 * inner_width);
        let scene_width = inner_width - GAP - image_width;
        let left_height = bottom - GAP - top;
        let layers_height = (0.41 * left_height).clamp(262.0, 340.0);
        let at = |x: f32, y: f32, w: f32, h: f32| {
            let (min, max) = (pos2(x, y), pos2(x + w, y + h));
            Rect::from_min_max(min.round_down(), max.round_down())
        };
        Self {
            header: at(0.0, 0.0, size.x, header_height),
            tasks: at(GAP, top, left_width, left_height - layers_height - GAP),
            layers: at(GAP, bottom - GAP - layers_height, left_width, layers_height),
            scene: at(inner_left, top, scene_width, upper_height),
            image: at(
                inner_left + scene_width + GAP,
                top,
                image_width,
                upper_height,
            ),
            console: at(
                inner_left,
                top + upper_height + GAP,
                inner_width,
                console_height,
            ),
            footer: at(0.0, bottom, size.x, footer_height),
        }
    }

    /// All of them.
    #[cfg(test)]
    fn all(&self) -> [Rect; 7] {
        [
            self.header,
            self.tasks,
            self.layers,
            self.scene,
            self.image,
            self.console,
            self.footer,
        ]
    }
}

trait RoundDown {
    fn round_down(self) -> Self;
}

impl RoundDown for Pos2 {
    fn round_down(self) -> Self {
        pos2(self.x.floor(), self.y.floor())
    }
}

/// The largest rectangle of that aspect (width over height) in the middle of a place.
pub fn fitted(place: Rect, aspect: f32) -> Rect {
    let width = place.width().min(place.height() * aspect);
    Rect::from_center_size(place.center(), vec2(width, width / aspect.max(1e-3)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps_or_leaves_the_screen() {
        for size in [
            (1240.0, 620.0),
            (1240.0, 2000.0),
            (4096.0, 620.0),
            (1280.0, 720.0),
            (1600.0, 900.0),
            (1920.0, 1080.0),
            (2560.0, 1440.0),
        ] {
            let size = vec2(size.0, size.1);
            let layout = Layout::of(size);
            let screen = Rect::from_min_size(Pos2::ZERO, size);
            let rects = layout.all();
            for (i, a) in rects.iter().enumerate() {
                assert!(a.width() > 200.0 && a.height() >= 20.0, "{size}: {a}");
                assert!(screen.contains_rect(*a), "{size}: {a}");
                for b in &rects[i + 1..] {
                    assert!(!a.shrink(0.5).intersects(b.shrink(0.5)), "{size}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn fitting_keeps_the_aspect() {
        let place = Rect::from_min_size(pos2(10.0, 10.0), vec2(400.0, 100.0));
        let inside = fitted(place, 2.0);
        assert_eq!(inside.size(), vec2(200.0, 100.0));
        assert_eq!(inside.center(), place.center());
    }
}
