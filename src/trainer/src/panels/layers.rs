//! The body's layers: peel it, or take structures off one by one.

use bevy_egui::egui::{Align2, Rect, ScrollArea, Sense, Slider, Ui, UiBuilder, pos2, vec2};

use super::Panels;
use super::layout::INSET;
use super::widgets::{ground, heading, label, switch};
use crate::body::Layer;
use crate::theme;
use crate::words::{self, Word};

const NAMES: [Word; Layer::ALL.len()] = [
    words::SKIN,
    words::SOFT,
    words::BONE,
    words::ORGANS,
    words::VESSELS,
];

pub(super) fn draw(ui: &mut Ui, rect: Rect, panels: &mut Panels<'_>) {
    ground(ui, rect);
    ui.scope_builder(UiBuilder::new().max_rect(rect.shrink(INSET)), |ui| {
        heading(ui, panels.say(words::LAYERS));
        ui.spacing_mut().item_spacing.y = 3.0;
        ScrollArea::vertical().id_salt("layers").show(ui, |ui| {
            layers(ui, panels);
            each(ui, panels);
        });
    });
}

fn layers(ui: &mut Ui, panels: &mut Panels<'_>) {
    for layer in Layer::ALL {
        let is_on = panels.view.layers[layer.index()];
        if switch(ui, is_on, panels.say(NAMES[layer.index()])).clicked() {
            panels.view.layers[layer.index()] = !is_on;
        }
        if layer == Layer::Skin {
            opacity(ui, panels);
        }
    }
    let is_open = panels.view.is_open_at_plane;
    if switch(ui, is_open, panels.say(words::OPEN_AT_PLANE)).clicked() {
        panels.view.is_open_at_plane = !is_open;
    }
}

fn opacity(ui: &mut Ui, panels: &mut Panels<'_>) {
    let text = panels.say(words::SKIN_OPACITY);
    let size = vec2(ui.available_width(), 22.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let at = rect.left_center() + vec2(12.0, 0.0);
    let name = label(
        ui,
        at,
        Align2::LEFT_CENTER,
        text,
        theme::small(),
        theme::DIM,
    );
    let place = Rect::from_min_max(pos2(name.right() + 10.0, rect.top() + 2.0), rect.max);
    ui.spacing_mut().slider_width = place.width();
    let slider = Slider::new(&mut panels.view.skin_opacity, 0.08..=1.0).show_value(false);
    ui.put(place, slider);
}

/// Every structure by its name.
fn each(ui: &mut Ui, panels: &mut Panels<'_>) {
    let Some(body) = panels.body else { return };
    let text = panels.say(words::SHOW_ALL);
    let language = panels.language();
    ui.add_space(4.0);
    bevy_egui::egui::CollapsingHeader::new(text)
        .id_salt("each")
        .show_unindented(ui, |ui| {
            for layer in Layer::ALL {
                for (index, part) in body.parts.iter().enumerate() {
                    if part.layer != layer {
                        continue;
                    }
                    let is_on = panels.view.shows(index, layer);
                    if switch(ui, is_on, language.name(&part.name)).clicked() {
                        toggle(panels, index, layer, is_on);
                    }
                }
            }
        });
}

/// A structure of a hidden layer brings its layer back, with the others of it left out.
fn toggle(panels: &mut Panels<'_>, index: usize, layer: Layer, is_on: bool) {
    let view = &mut panels.view;
    if is_on {
        view.hidden.insert(index);
        return;
    }
    if !view.layers[layer.index()]
        && let Some(body) = panels.body
    {
        view.layers[layer.index()] = true;
        let others = body
            .parts
            .iter()
            .enumerate()
            .filter(|(_, part)| part.layer == layer);
        view.hidden.extend(others.map(|(other, _)| other));
    }
    view.hidden.remove(&index);
}
