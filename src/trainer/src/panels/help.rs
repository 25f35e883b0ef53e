//! Mouse and keys at a glance.

use bevy_egui::egui::{Align2, Rect, Sense, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2};

use super::Panels;
use super::widgets::{Weight, button, label, paragraph};
use crate::theme;
use crate::words::{self, Word};

enum Keys {
    Bare(&'static str),
    Named(Word),
}

const ROWS: [(Keys, Word); 15] = [
    (Keys::Named(words::ARROWS), words::HELP_ARROWS),
    (Keys::Bare("Q  E"), words::HELP_ROTATE),
    (Keys::Bare("A  D"), words::HELP_ROCK),
    (Keys::Bare("W  S"), words::HELP_TILT),
    (Keys::Bare("R  F"), words::HELP_PRESS),
    (Keys::Named(words::SHIFT), words::HELP_FINE),
    (Keys::Named(words::SPACE), words::HELP_FREEZE),
    (Keys::Named(words::ENTER), words::HELP_CAPTURE),
    (Keys::Bare("N"), words::HELP_NEXT),
    (Keys::Bare("I  O  K  B"), words::HELP_BREATH),
    (Keys::Bare("P"), words::HELP_POSTURE),
    (Keys::Bare("+  −"), words::HELP_DEPTH),
    (Keys::Bare("[  ]"), words::HELP_GAIN),
    (Keys::Bare("L"), words::HELP_LANGUAGE),
    (Keys::Bare("H"), words::HELP_HELP),
];

pub(super) fn draw(ui: &mut Ui, over: Rect, panels: &mut Panels<'_>) {
    let rect = Rect::from_center_size(
        over.center(),
        vec2(520.0, 530.0).min(over.size() - vec2(16.0, 16.0)),
    );
    let outside = ui.allocate_rect(over, Sense::click());
    ui.painter()
        .rect_filled(over, 0.0, theme::BACKGROUND.gamma_multiply(0.55));
    ui.painter().rect(
        rect,
        8.0,
        theme::PANEL,
        Stroke::new(1.0, theme::LINE),
        StrokeKind::Inside,
    );
    let inner = rect.shrink(20.0);
    ui.scope_builder(UiBuilder::new().max_rect(inner), |ui| {
        paragraph(
            ui,
            panels.say(words::HELP_TITLE),
            theme::heading(),
            theme::TEXT,
        );
        ui.add_space(2.0);
        paragraph(ui, panels.say(words::HELP_MOVE), theme::body(), theme::TEXT);
        paragraph(
            ui,
            panels.say(words::HELP_ORBIT),
            theme::body(),
            theme::TEXT,
        );
        ui.add_space(4.0);
        ui.spacing_mut().item_spacing.y = 2.0;
        for (keys, word) in &ROWS {
            row(ui, keys, panels.say(*word), panels);
        }
    });
    let close = Rect::from_min_size(
        pos2(rect.right() - 46.0, rect.top() + 14.0),
        vec2(32.0, 26.0),
    );
    let is_closed = button(ui, close, "×", "", Weight::Plain).clicked();
    if is_closed || (outside.clicked() && !outside.hovered()) {
        panels.view.is_help_open = false;
    }
}

fn row(ui: &mut Ui, keys: &Keys, text: &str, panels: &Panels<'_>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 23.0), Sense::hover());
    let keys = match keys {
        Keys::Bare(keys) => keys,
        Keys::Named(word) => panels.say(*word),
    };
    let cap = Rect::from_min_size(rect.min + vec2(0.0, 1.0), vec2(74.0, 21.0));
    ui.painter().rect_filled(cap, 4.0, theme::RAISED);
    label(
        ui,
        cap.center(),
        Align2::CENTER_CENTER,
        keys,
        theme::body(),
        theme::ACCENT,
    );
    let at = pos2(cap.right() + 14.0, rect.center().y);
    label(
        ui,
        at,
        Align2::LEFT_CENTER,
        text,
        theme::body(),
        theme::TEXT,
    );
}
