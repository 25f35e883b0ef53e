//! Title, patient, time, language and help.

use bevy_egui::egui::{Align2, Rect, Ui, pos2, vec2};

use super::Panels;
use super::widgets::{Weight, button, clock, label};
use crate::theme;
use crate::words::{self, Language};

pub(super) fn draw(ui: &mut Ui, rect: Rect, panels: &mut Panels<'_>) {
    ui.painter().rect_filled(rect, 0.0, theme::PANEL);
    let middle = rect.center().y;
    let name = label(
        ui,
        pos2(18.0, middle),
        Align2::LEFT_CENTER,
        "sonocath",
        theme::heading(),
        theme::ACCENT,
    );
    let title = panels.language().name(&panels.room.title).to_owned();
    let title = label(
        ui,
        pos2(name.right() + 22.0, middle),
        Align2::LEFT_CENTER,
        &title,
        theme::heading(),
        theme::TEXT,
    );
    let patient = &panels.room.patient.identity;
    let name = match (panels.language(), &patient.name_zh) {
        (Language::Chinese, Some(name_zh)) => name_zh,
        _ => &patient.name,
    };
    let who = [name.as_str(), patient.record.as_str()].join("  ");
    label(
        ui,
        pos2(title.right() + 22.0, middle),
        Align2::LEFT_CENTER,
        who.trim(),
        theme::body(),
        theme::DIM,
    );
    let place = |right: f32, width: f32| {
        Rect::from_min_size(
            pos2(rect.right() - right - width, middle - 13.0),
            vec2(width, 26.0),
        )
    };
    let help = format!("{} (H)", panels.say(words::HELP));
    let is_open = panels.view.is_help_open;
    let weight = if is_open {
        Weight::Lit(theme::ACCENT)
    } else {
        Weight::Plain
    };
    if button(ui, place(12.0, 84.0), &help, "", weight).clicked() {
        panels.view.is_help_open = !is_open;
    }
    let other = panels.say(words::OTHER_LANGUAGE);
    if button(ui, place(104.0, 84.0), other, "", Weight::Plain).clicked() {
        panels.change_language();
    }
    time(ui, pos2(rect.right() - 208.0, middle), panels);
}

fn time(ui: &Ui, right: bevy_egui::egui::Pos2, panels: &Panels<'_>) {
    let (word, seconds) = match panels.shown.remaining_s {
        Some(left) => (words::TIME_LEFT, left),
        None => (words::TIME, panels.shown.seconds),
    };
    let is_short = panels.shown.remaining_s.is_some_and(|left| left < 30.0);
    let color = if is_short { theme::AMBER } else { theme::TEXT };
    let text = clock(seconds);
    let figure = label(
        ui,
        right,
        Align2::RIGHT_CENTER,
        &text,
        theme::figure(),
        color,
    );
    let at = pos2(figure.left() - 8.0, right.y);
    label(
        ui,
        at,
        Align2::RIGHT_CENTER,
        panels.say(word),
        theme::small(),
        theme::DIM,
    );
}
