//! Figures, if they were asked for, and the name of a reduced imaging preset.

use bevy_egui::egui::{Align2, Rect, Ui, pos2};

use super::Panels;
use super::widgets::label;
use crate::theme;
use crate::words;

pub(super) fn draw(ui: &mut Ui, rect: Rect, panels: &mut Panels<'_>) {
    let middle = rect.center().y;
    if let Some(preset) = &panels.shown.reduced_preset {
        let name = panels.language().name(preset);
        let text = format!("{}: {name}", panels.say(words::REDUCED));
        let at = pos2(18.0, middle);
        label(
            ui,
            at,
            Align2::LEFT_CENTER,
            &text,
            theme::small(),
            theme::AMBER,
        );
    }
    if panels.room.show_stats {
        let at = pos2(rect.right() - 12.0, middle);
        label(
            ui,
            at,
            Align2::RIGHT_CENTER,
            &figures(panels),
            theme::small(),
            theme::DIM,
        );
    }
}

fn figures(panels: &Panels<'_>) -> String {
    let (room, player) = (panels.figures, panels.shown.stats);
    let rows = [
        (words::WINDOW, room.window_hz, "Hz"),
        (words::IMAGES, player.images_per_s, "/s"),
        (words::TEXTURE, room.texture_hz, "Hz"),
        (words::PLANE, room.plane_hz, "Hz"),
        (words::LATENCY, room.pose_to_panel_p95_ms, "ms"),
    ];
    let text = |(word, value, unit): (words::Word, f64, &str)| {
        format!("{} {value:.0} {unit}", panels.say(word))
    };
    rows.map(text).join("     ")
}
