//! The machine's console: knobs, time gain, the hand's state, the buttons.

use bevy_egui::egui::{Align2, Pos2, Rect, Slider, Ui, UiBuilder, pos2, vec2};
use equipment::Action;

use super::Panels;
use super::layout::INSET;
use super::widgets::{Weight, button, ground, label};
use crate::knobs::{self, StepKnob};
use crate::theme;
use crate::words::{self, Word};

pub(super) fn draw(ui: &mut Ui, rect: Rect, panels: &mut Panels<'_>) {
    ground(ui, rect);
    let inner = rect.shrink(INSET);
    let buttons_width = 216.0;
    let hand_width = 176.0;
    let knobs_width = 236.0;
    let space = 22.0;
    let column = |left: f32, width: f32| {
        Rect::from_min_size(pos2(left, inner.top()), vec2(width, inner.height()))
    };
    let knobs = column(inner.left(), knobs_width);
    let buttons = column(inner.right() - buttons_width, buttons_width);
    let hand = column(buttons.left() - space - hand_width, hand_width);
    let tgc = column(
        knobs.right() + space,
        hand.left() - 2.0 * space - knobs.right(),
    );
    for x in [knobs.right(), tgc.right(), hand.right()] {
        let x = x + 0.5 * space;
        ui.painter().vline(x, inner.y_range(), (1.0, theme::LINE));
    }
    draw_knobs(ui, knobs, panels);
    draw_tgc(ui, tgc, panels);
    draw_hand(ui, hand, panels);
    draw_buttons(ui, buttons, panels);
}

fn draw_knobs(ui: &mut Ui, rect: Rect, panels: &mut Panels<'_>) {
    let knobs: [(StepKnob, Word, &str); 3] = [
        (knobs::DEPTH, words::DEPTH, "mm"),
        (knobs::GAIN, words::GAIN, "dB"),
        (knobs::RANGE, words::RANGE, "dB"),
    ];
    let height = rect.height() / 3.0;
    for (row, (knob, word, unit)) in knobs.into_iter().enumerate() {
        let middle = rect.top() + (row as f32 + 0.5) * height;
        let name = panels.say(word);
        label(
            ui,
            pos2(rect.left(), middle),
            Align2::LEFT_CENTER,
            name,
            theme::body(),
            theme::DIM,
        );
        let value = format!("{:.0} {unit}", knob.value(&panels.shown.console));
        let at = pos2(rect.right() - 72.0, middle);
        label(
            ui,
            at,
            Align2::CENTER_CENTER,
            &value,
            theme::heading(),
            theme::TEXT,
        );
        let square = |x: f32| Rect::from_center_size(pos2(x, middle), vec2(30.0, 28.0));
        let turns = [
            (rect.right() - 129.0, "−", -1.0),
            (rect.right() - 15.0, "+", 1.0),
        ];
        for (x, sign, steps) in turns {
            if button(ui, square(x), sign, "", Weight::Plain).clicked() {
                let action = knob.turned(&panels.shown.console, &panels.room.probe, steps);
                panels.act(action);
            }
        }
    }
}

/// Eight sliders, the near one on the left; in the middle there is no gain.
fn draw_tgc(ui: &mut Ui, rect: Rect, panels: &mut Panels<'_>) {
    let head = 18.0;
    let top = rect.top() + 7.0;
    let name = panels.say(words::TGC);
    let text = label(
        ui,
        pos2(rect.left(), top),
        Align2::LEFT_CENTER,
        name,
        theme::small(),
        theme::DIM,
    );
    let hint = format!("{} – {}", panels.say(words::NEAR), panels.say(words::FAR));
    let at = pos2(text.right() + 10.0, top);
    label(
        ui,
        at,
        Align2::LEFT_CENTER,
        &hint,
        theme::small(),
        theme::DIM.gamma_multiply(0.7),
    );
    let reset = Rect::from_min_size(
        pos2(rect.right() - 62.0, rect.top() - 3.0),
        vec2(62.0, 20.0),
    );
    let count = panels.shown.console.tgc_db.len();
    if button(ui, reset, panels.say(words::RESET), "", Weight::Plain).clicked() {
        (0..count).for_each(|slider| panels.act(knobs::tgc(slider, 0.0)));
    }
    let sliders = Rect::from_min_max(rect.min + vec2(0.0, head + 2.0), rect.max);
    let pitch = sliders.width() / count.max(1) as f32;
    let middle = sliders.center().y;
    ui.painter()
        .hline(sliders.x_range(), middle, (1.0, theme::LINE));
    for slider in 0..count {
        let left = sliders.left() + slider as f32 * pitch;
        let place = Rect::from_min_size(pos2(left, sliders.top()), vec2(pitch, sliders.height()));
        let mut db = panels.shown.console.tgc_db[slider];
        let builder = UiBuilder::new()
            .max_rect(place)
            .id_salt(("tgc", slider))
            .layout(bevy_egui::egui::Layout::top_down(
                bevy_egui::egui::Align::Center,
            ));
        let changed = ui
            .scope_builder(builder, |ui| {
                ui.spacing_mut().slider_width = sliders.height();
                let ends = -knobs::TGC_MOST_DB..=knobs::TGC_MOST_DB;
                let slider = Slider::new(&mut db, ends)
                    .vertical()
                    .show_value(false)
                    .step_by(1.0);
                ui.add(slider.trailing_fill(false)).changed()
            })
            .inner;
        if changed {
            panels.act(knobs::tgc(slider, db));
        }
    }
}

fn draw_hand(ui: &Ui, rect: Rect, panels: &Panels<'_>) {
    let turn = panels.hand.map(|hand| hand.turn).unwrap_or_default();
    let held = panels.hand.map_or(0.0, |hand| hand.press_mm);
    let press = panels
        .shown
        .probe
        .as_ref()
        .map_or(held, |probe| probe.press_mm);
    let force = panels.shown.probe.map_or(0.0, |probe| probe.force_n);
    let signed = |v: f64| format!("{}{:.0}°", if v.round() < 0.0 { "−" } else { "" }, v.abs());
    let rows = [
        (words::ROTATE, "Q E", signed(turn.rotate_deg)),
        (words::ROCK, "A D", signed(turn.rock_deg)),
        (words::TILT, "S W", signed(turn.tilt_deg)),
        (words::PRESS, "F R", format!("{press:.0} mm")),
        (words::FORCE, "", format!("{force:.1} N")),
    ];
    let height = rect.height() / rows.len() as f32;
    for (row, (word, keys, value)) in rows.into_iter().enumerate() {
        let y = rect.top() + (row as f32 + 0.5) * height;
        let name = panels.say(word);
        label(
            ui,
            pos2(rect.left(), y),
            Align2::LEFT_CENTER,
            name,
            theme::body(),
            theme::DIM,
        );
        let at = pos2(rect.left() + 92.0, y);
        let faint = theme::DIM.gamma_multiply(0.65);
        label(ui, at, Align2::CENTER_CENTER, keys, theme::small(), faint);
        let at: Pos2 = pos2(rect.right(), y);
        label(
            ui,
            at,
            Align2::RIGHT_CENTER,
            &value,
            theme::body(),
            theme::TEXT,
        );
    }
}

fn draw_buttons(ui: &mut Ui, rect: Rect, panels: &mut Panels<'_>) {
    let gap = 8.0;
    let (width, height) = (0.5 * (rect.width() - gap), 0.5 * (rect.height() - gap));
    let left = Rect::from_min_size(rect.min, vec2(width, height));
    let right = left.translate(vec2(width + gap, 0.0));
    let below = Rect::from_min_size(
        rect.min + vec2(0.0, height + gap),
        vec2(rect.width(), height),
    );
    let is_frozen = panels.shown.frozen;
    let (word, weight) = match is_frozen {
        true => (words::UNFREEZE, Weight::Lit(theme::AMBER)),
        false => (words::FREEZE, Weight::Plain),
    };
    let key = panels.say(words::SPACE);
    if button(ui, left, panels.say(word), key, weight).clicked() {
        panels.act(Action::Freeze(!is_frozen));
    }
    if button(ui, right, panels.say(words::NEXT), "N", Weight::Plain).clicked() {
        panels.act(Action::Next);
    }
    let key = panels.say(words::ENTER);
    if button(ui, below, panels.say(words::CAPTURE), key, Weight::Main).clicked() {
        panels.act(Action::Capture);
    }
}
