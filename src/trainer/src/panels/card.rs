//! The score after a capture: points, band, and what would have earned the rest.

use bevy_egui::egui::{
    Align2, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2,
};
use equipment::Action;
use scoring::{Band, Item, TaskScore};

use super::Panels;
use super::tasks::band_color;
use super::widgets::{Weight, button, label, paragraph};
use crate::shown::TaskState;
use crate::theme;
use crate::words;

pub(super) fn draw(ui: &mut Ui, over: Rect, panels: &mut Panels<'_>) {
    let Some(score) = panels.shown.score.clone() else {
        return;
    };
    let size = vec2(
        (over.width() - 24.0).min(480.0),
        (over.height() - 24.0).min(560.0),
    );
    let rect = Rect::from_center_size(over.center(), size);
    ui.painter().rect(
        rect,
        8.0,
        theme::PANEL,
        Stroke::new(1.0, theme::LINE),
        StrokeKind::Inside,
    );
    let inner = rect.shrink(18.0);
    let color = band_color(score.band);
    ui.painter()
        .circle_stroke(inner.min + vec2(34.0, 34.0), 33.0, Stroke::new(4.0, color));
    let points = format!("{:.0}", score.points.floor());
    let big = bevy_egui::egui::FontId::proportional(28.0);
    label(
        ui,
        inner.min + vec2(34.0, 33.0),
        Align2::CENTER_CENTER,
        &points,
        big,
        color,
    );
    let at = inner.min + vec2(86.0, 20.0);
    let name = panels.language().name(&score.name);
    label(
        ui,
        at,
        Align2::LEFT_CENTER,
        name,
        theme::heading(),
        theme::TEXT,
    );
    let band = panels.say(band_word(score.band));
    label(
        ui,
        at + vec2(0.0, 26.0),
        Align2::LEFT_CENTER,
        band,
        theme::heading(),
        color,
    );
    let list = Rect::from_min_max(inner.min + vec2(0.0, 82.0), inner.max - vec2(0.0, 46.0));
    items(ui, list, &score, panels);
    buttons(ui, inner, panels);
}

fn band_word(band: Band) -> words::Word {
    match band {
        Band::Standard => words::STANDARD,
        Band::Basic => words::BASIC,
        Band::NonStandard => words::NON_STANDARD,
    }
}

fn items(ui: &mut Ui, rect: Rect, score: &TaskScore, panels: &Panels<'_>) {
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ScrollArea::vertical().id_salt("score").show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            // Room for the scroll bar.
            ui.set_max_width(rect.width() - 12.0);
            for item in in_order(&score.items) {
                row(ui, item, panels);
            }
            for measure in &score.measures {
                let name = panels.language().name(&measure.name);
                let text = format!("{name}   {:.0} {}", measure.value, measure.unit);
                paragraph(ui, &text, theme::small(), theme::DIM);
            }
        });
    });
}

fn row(ui: &mut Ui, item: &Item, panels: &Panels<'_>) {
    let language = panels.language();
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    let is_full = item.of - item.points < 0.5;
    let color = if is_full { theme::GREEN } else { theme::AMBER };
    let name = language.name(&item.name);
    label(
        ui,
        rect.left_center(),
        Align2::LEFT_CENTER,
        name,
        theme::body(),
        theme::TEXT,
    );
    let points = format!("{:.0} / {:.0}", item.points, item.of);
    let at = pos2(rect.right() - 4.0, rect.center().y);
    label(ui, at, Align2::RIGHT_CENTER, &points, theme::body(), color);
    let bar = Rect::from_min_size(
        pos2(rect.right() - 150.0, rect.center().y - 2.5),
        vec2(84.0, 5.0),
    );
    ui.painter().rect_filled(bar, 2.5, theme::HOVERED);
    let share = (item.points / item.of.max(1e-9)).clamp(0.0, 1.0) as f32;
    let filled = Rect::from_min_size(bar.min, vec2(bar.width() * share, bar.height()));
    ui.painter().rect_filled(filled, 2.5, color);
    let found = language.name(&item.found);
    let advice = item
        .advice
        .as_ref()
        .map(|advice| language.name(&advice.words));
    // An advice mostly begins with what was found.
    if advice.is_none_or(|words| !words.contains(found)) {
        paragraph(ui, found, theme::small(), theme::DIM);
    }
    if let Some(words) = advice {
        paragraph(ui, &format!("→ {words}"), theme::body(), theme::ACCENT);
    }
    ui.add_space(4.0);
    let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().rect_filled(line, 0.0, theme::LINE);
}

fn buttons(ui: &mut Ui, inner: Rect, panels: &mut Panels<'_>) {
    let width = 0.5 * (inner.width() - 8.0);
    let left = Rect::from_min_size(pos2(inner.left(), inner.bottom() - 34.0), vec2(width, 34.0));
    let right = left.translate(vec2(width + 8.0, 0.0));
    if button(ui, left, panels.say(words::CLOSE), "", Weight::Plain).clicked() {
        let shown = panels.shown;
        panels.view.close_score(shown);
    }
    let is_last = panels
        .shown
        .tasks
        .iter()
        .all(|task| task.state == TaskState::Done);
    if !is_last && button(ui, right, panels.say(words::CONTINUE), "", Weight::Main).clicked() {
        panels.act(Action::Next);
    }
}

/// What lost most comes first, what lost nothing last; otherwise as scored.
fn in_order(items: &[scoring::Item]) -> Vec<&scoring::Item> {
    let mut items: Vec<&scoring::Item> = items.iter().collect();
    let lost = |item: &scoring::Item| item.of - item.points;
    items.sort_by(|a, b| lost(b).total_cmp(&lost(a)));
    items
}
