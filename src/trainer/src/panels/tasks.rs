//! The tasks: what is to be done, what was done, and for how much.

use bevy_egui::egui::{Align2, Color32, Rect, ScrollArea, Sense, Ui, pos2, vec2};
use scoring::Band;

use super::Panels;
use super::layout::INSET;
use super::widgets::{ground, heading, inset_paragraph, label, paragraph, tick};
use crate::shown::{TaskShown, TaskState};
use crate::theme;
use crate::words;

pub(super) fn draw(ui: &mut Ui, rect: Rect, panels: &mut Panels<'_>) {
    ground(ui, rect);
    let inner = rect.shrink(INSET);
    let builder = bevy_egui::egui::UiBuilder::new().max_rect(inner);
    ui.scope_builder(builder, |ui| {
        heading(ui, panels.say(words::TASKS));
        ui.add_space(2.0);
        ScrollArea::vertical().id_salt("tasks").show(ui, |ui| {
            for (number, task) in panels.shown.tasks.iter().enumerate() {
                row(ui, number + 1, task, panels);
            }
            let is_over = panels
                .shown
                .tasks
                .iter()
                .all(|t| t.state == TaskState::Done);
            if is_over && !panels.shown.tasks.is_empty() {
                ui.add_space(6.0);
                paragraph(ui, panels.say(words::ALL_DONE), theme::body(), theme::GREEN);
            }
        });
    });
}

fn row(ui: &mut Ui, number: usize, task: &TaskShown, panels: &Panels<'_>) {
    let is_active = task.state == TaskState::Active;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::hover());
    let color = match task.state {
        TaskState::Active => theme::TEXT,
        TaskState::Waiting | TaskState::Done => theme::DIM,
    };
    if is_active {
        let bar = rect.expand2(vec2(6.0, 0.0));
        ui.painter().rect_filled(bar, theme::CORNER, theme::RAISED);
        let edge = Rect::from_min_size(bar.min, vec2(3.0, bar.height()));
        ui.painter().rect_filled(edge, 1.0, theme::ACCENT);
    }
    badge(
        ui,
        pos2(rect.left() + 12.0, rect.center().y),
        number,
        task.state,
    );
    let points_left = points(ui, rect, task);
    let name = panels.language().name(&task.name);
    let width = points_left - rect.left() - 36.0;
    let galley = {
        let mut job = bevy_egui::egui::text::LayoutJob::simple_singleline(
            name.to_owned(),
            theme::body(),
            color,
        );
        job.wrap.max_width = width;
        job.wrap.max_rows = 1;
        job.wrap.break_anywhere = true;
        ui.painter().layout_job(job)
    };
    let at = pos2(rect.left() + 30.0, rect.center().y - 0.5 * galley.size().y);
    ui.painter().galley(at, galley, color);
    if is_active {
        let text = panels.language().name(&task.instruction);
        let color = theme::TEXT.gamma_multiply(0.82);
        inset_paragraph(ui, 30.0, text, theme::body(), color);
        ui.add_space(6.0);
    }
}

fn badge(ui: &Ui, middle: bevy_egui::egui::Pos2, number: usize, state: TaskState) {
    let text = number.to_string();
    match state {
        TaskState::Done => tick(ui, middle, theme::GREEN),
        TaskState::Active => {
            ui.painter().circle_filled(middle, 9.0, theme::ACCENT);
            label(
                ui,
                middle,
                Align2::CENTER_CENTER,
                &text,
                theme::small(),
                theme::BACKGROUND,
            );
        }
        TaskState::Waiting => {
            ui.painter().circle_stroke(middle, 9.0, (1.0, theme::LINE));
            label(
                ui,
                middle,
                Align2::CENTER_CENTER,
                &text,
                theme::small(),
                theme::DIM,
            );
        }
    }
}

/// The points at the right; returns where they begin.
fn points(ui: &Ui, rect: Rect, task: &TaskShown) -> f32 {
    let Some(points) = task.points else {
        return rect.right();
    };
    let color = task.band.map_or(theme::TEXT, band_color);
    // Whole points that were earned: 79.6 is no 80, which would be the next band.
    let text = format!("{:.0}", points.floor());
    label(
        ui,
        rect.right_center(),
        Align2::RIGHT_CENTER,
        &text,
        theme::heading(),
        color,
    )
    .left()
}

/// A band's colour.
pub(super) fn band_color(band: Band) -> Color32 {
    match band {
        Band::Standard => theme::GREEN,
        Band::Basic => theme::AMBER,
        Band::NonStandard => theme::RED,
    }
}
