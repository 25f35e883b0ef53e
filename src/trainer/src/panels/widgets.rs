//! Small parts that the panels share.

use bevy_egui::egui::{
    Align2, Color32, FontId, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, Vec2, pos2, vec2,
};

use crate::theme;

/// A panel's ground.
pub fn ground(ui: &Ui, rect: Rect) {
    ui.painter().rect_filled(rect, theme::CORNER, theme::PANEL);
}

/// A heading in small capitals' manner.
pub fn heading(ui: &mut Ui, text: &str) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 18.0), Sense::hover());
    label(
        ui,
        rect.left_center(),
        Align2::LEFT_CENTER,
        text,
        theme::small(),
        theme::DIM,
    );
}

/// Text at a place; returns what it covers.
pub fn label(ui: &Ui, at: Pos2, align: Align2, text: &str, font: FontId, color: Color32) -> Rect {
    ui.painter().text(at, align, text, font, color)
}

/// Wrapped text.
pub fn paragraph(ui: &mut Ui, text: &str, font: FontId, color: Color32) {
    inset_paragraph(ui, 0.0, text, font, color);
}

/// Wrapped text that keeps off the left edge.
pub fn inset_paragraph(ui: &mut Ui, inset: f32, text: &str, font: FontId, color: Color32) {
    let width = (ui.available_width() - inset).max(40.0);
    let galley = ui.painter().layout(text.to_owned(), font, color, width);
    let size = galley.size() + vec2(inset, 0.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter()
        .galley(rect.min + vec2(inset, 0.0), galley, color);
}

/// How a button stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One of several.
    Plain,
    /// What is most often pressed.
    Main,
    /// What is on.
    Lit(Color32),
}

/// A button at a place, with its key in small print below.
pub fn button(ui: &mut Ui, rect: Rect, text: &str, key: &str, weight: Weight) -> Response {
    let response = ui.allocate_rect(rect, Sense::click());
    let is_pressed = response.is_pointer_button_down_on();
    let (fill, line, color) = match (weight, response.hovered()) {
        (Weight::Plain, false) => (theme::RAISED, theme::LINE, theme::TEXT),
        (Weight::Plain, true) => (theme::HOVERED, theme::DIM, theme::TEXT),
        (Weight::Main, false) => (
            theme::ACCENT.gamma_multiply(0.85),
            theme::ACCENT,
            theme::BACKGROUND,
        ),
        (Weight::Main, true) => (theme::ACCENT, theme::ACCENT, theme::BACKGROUND),
        (Weight::Lit(light), _) => (light.gamma_multiply(0.28), light, light),
    };
    let rect = if is_pressed {
        rect.translate(vec2(0.0, 1.0))
    } else {
        rect
    };
    let painter = ui.painter();
    painter.rect(
        rect,
        theme::CORNER,
        fill,
        Stroke::new(1.0, line),
        StrokeKind::Inside,
    );
    let has_key = !key.is_empty() && rect.height() >= 36.0;
    let middle = rect.center() - vec2(0.0, if has_key { 7.0 } else { 0.0 });
    painter.text(middle, Align2::CENTER_CENTER, text, theme::body(), color);
    if has_key {
        let at = rect.center() + vec2(0.0, 10.0);
        painter.text(
            at,
            Align2::CENTER_CENTER,
            key,
            theme::small(),
            color.gamma_multiply(0.7),
        );
    }
    response
}

/// A switch with a name: a small light that is on or off.
pub fn switch(ui: &mut Ui, is_on: bool, text: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::click());
    let color = if is_on { theme::TEXT } else { theme::DIM };
    if response.hovered() {
        ui.painter()
            .rect_filled(rect.expand2(vec2(4.0, 0.0)), 3.0, theme::RAISED);
    }
    let track =
        Rect::from_center_size(pos2(rect.right() - 13.0, rect.center().y), vec2(26.0, 14.0));
    let fill = if is_on {
        theme::ACCENT.gamma_multiply(0.75)
    } else {
        theme::HOVERED
    };
    ui.painter().rect_filled(track, 7.0, fill);
    let x = if is_on {
        track.right() - 7.0
    } else {
        track.left() + 7.0
    };
    ui.painter()
        .circle_filled(pos2(x, track.center().y), 5.0, theme::TEXT);
    label(
        ui,
        rect.left_center(),
        Align2::LEFT_CENTER,
        text,
        theme::body(),
        color,
    );
    response
}

/// A drop of text on a soft ground, for names over the body.
pub fn tag(ui: &Ui, at: Pos2, align: Align2, text: &str, color: Color32) {
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), theme::body(), color);
    let place = align.anchor_size(at, galley.size() + vec2(14.0, 6.0));
    ui.painter()
        .rect_filled(place, 4.0, theme::BACKGROUND.gamma_multiply(0.82));
    ui.painter()
        .galley(place.min + vec2(7.0, 3.0), galley, color);
}

/// A tick mark, a ring or a dot: what a task's state looks like.
pub fn tick(ui: &Ui, middle: Pos2, color: Color32) {
    let stroke = Stroke::new(2.0, color);
    let at = |x: f32, y: f32| middle + Vec2::new(x, y);
    ui.painter()
        .line_segment([at(-4.0, 0.0), at(-1.0, 3.5)], stroke);
    ui.painter()
        .line_segment([at(-1.0, 3.5), at(4.5, -3.5)], stroke);
}

/// Minutes and seconds.
pub fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn clocks_count_minutes() {
        assert_eq!(super::clock(59.9), "0:59");
        assert_eq!(super::clock(61.0), "1:01");
        assert_eq!(super::clock(-3.0), "0:00");
    }
}
