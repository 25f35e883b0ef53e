//! What all picture panels share: frame, title, orientation letters, scale bar.

use super::view::View;
use crate::drawing::canvas::{Canvas, Rect};
use crate::drawing::color::{Rgb, theme};
use crate::drawing::text::{self, Align, Style};

/// Height of a panel's title strip.
pub const STRIP: i32 = 46;

/// The part of a panel below its title.
pub fn picture_area(panel: Rect) -> Rect {
    Rect {
        x: panel.x + 1,
        y: panel.y + STRIP,
        w: panel.w - 2,
        h: panel.h - STRIP - 1,
    }
}

/// Draws frame and title; `mark` colours a small square before it, `remark` stands at its right.
pub fn frame(canvas: &mut Canvas, panel: Rect, title: &str, mark: Option<Rgb>, remark: &str) {
    canvas.fill(Rect { h: STRIP, ..panel }, theme::PANEL_TOP, 1.0);
    canvas.fill(
        Rect {
            y: panel.y + STRIP - 1,
            h: 1,
            ..panel
        },
        theme::FRAME,
        1.0,
    );
    canvas.frame(panel, theme::FRAME);
    let middle = panel.y as f32 + 0.5 * STRIP as f32;
    let mut x = panel.x as f32 + 20.0;
    if let Some(color) = mark {
        canvas.fill(
            Rect {
                x: x as i32,
                y: middle as i32 - 6,
                w: 12,
                h: 12,
            },
            color,
            1.0,
        );
        x += 24.0;
    }
    let right = panel.right() as f32 - 20.0;
    let style = Style::plain(17.0, theme::TEXT_DIM);
    let taken = text::draw(canvas, [right, middle], Align::Right, remark, style);
    let title = text::fitted(title, 20.0, right - taken - 20.0 - x);
    text::draw(
        canvas,
        [x, middle],
        Align::Left,
        &title,
        Style::plain(20.0, theme::TEXT),
    );
}

/// Letters R, L, A, P, S, I at the middles of a picture's edges.
pub fn letters(canvas: &mut Canvas, area: Rect, view: View) {
    let (x, y) = (
        area.x as f32 + 0.5 * area.w as f32,
        area.y as f32 + 0.5 * area.h as f32,
    );
    let style = Style::with_halo(19.0, theme::TEXT_SOFT, [0, 0, 0]);
    for (direction, place) in [
        (view.right.reversed(), [area.x as f32 + 20.0, y]),
        (view.right, [area.right() as f32 - 20.0, y]),
        (view.up, [x, area.y as f32 + 28.0]),
        (view.up.reversed(), [x, area.bottom() as f32 - 28.0]),
    ] {
        text::draw(canvas, place, Align::Center, direction.letter(), style);
    }
}

/// The longest of 1, 2, 5 × 10ⁿ mm that is at most `room` points long.
fn bar_length_mm(px_per_mm: f64, room: f64) -> f64 {
    let most = room / px_per_mm;
    let decade = 10f64.powf(most.log10().floor());
    let factor = [5.0, 2.0, 1.0]
        .into_iter()
        .find(|f| f * decade <= most)
        .unwrap_or(1.0);
    factor * decade
}

/// A scale bar with its middle marked, at the lower left.
pub fn scale_bar(canvas: &mut Canvas, area: Rect, px_per_mm: f64) {
    let length_mm = bar_length_mm(px_per_mm, 0.25 * f64::from(area.w));
    let length = (length_mm * px_per_mm) as f32;
    let (x, y) = (area.x as f32 + 22.0, area.bottom() as f32 - 24.0);
    let color = theme::TEXT_SOFT;
    canvas.line([[x, y], [x + length, y]], 4.0, ([0, 0, 0], 0.5), area);
    canvas.line([[x, y], [x + length, y]], 1.6, (color, 1.0), area);
    for (part, half) in [(0.0, 5.0), (0.5, 3.0), (1.0, 5.0)] {
        let x = x + part * length;
        canvas.line([[x, y - half], [x, y + half]], 1.6, (color, 1.0), area);
    }
    let caption = format!("{} mm", number(length_mm));
    let style = Style::with_halo(14.0, color, [0, 0, 0]);
    text::draw(canvas, [x + length + 12.0, y], Align::Left, &caption, style);
}

/// A number of millimetres for a caption: whole where it is large, short where it is huge.
pub fn number(value: f64) -> String {
    let shown = match value.abs() {
        a if a == 0.0 || (0.5..1e6).contains(&a) && (value.fract() == 0.0 || a >= 10.0) => {
            format!("{value:.0}")
        }
        a if (0.05..1e6).contains(&a) => format!("{value:.1}"),
        _ => format!("{value:.0e}"),
    };
    shown.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_bars_are_round_numbers_that_fit() {
        assert_eq!(bar_length_mm(1.4, 188.0), 100.0);
        assert_eq!(bar_length_mm(3.0, 188.0), 50.0);
        assert_eq!(bar_length_mm(0.4, 188.0), 200.0);
        for exponent in -30..30 {
            let scale = 1.7 * 10f64.powi(exponent);
            let length = bar_length_mm(scale, 188.0) * scale;
            assert!(
                (188.0 / 2.6..=188.0 * 1.000_001).contains(&length),
                "{scale}: {length}"
            );
        }
    }

    #[test]
    fn captions_stay_short() {
        let shown = [112.4, -37.6, 0.0, 3.25, 2e38, -0.04, 5.0].map(number);
        assert_eq!(shown, ["112", "−38", "0", "3.2", "2e38", "−4e−2", "5"]);
    }
}
