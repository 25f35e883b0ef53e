//! Colours, sizes and the font: the look of a machine in a dim room.

use bevy::color::Color;
use bevy_egui::egui;
use egui::{Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke};

/// Behind everything; the screen is cleared to it.
pub const BACKGROUND: Color32 = Color32::from_rgb(0x0a, 0x0d, 0x11);
/// A panel.
pub const PANEL: Color32 = Color32::from_rgb(0x12, 0x18, 0x1f);
/// A part of a panel that stands out; buttons.
pub const RAISED: Color32 = Color32::from_rgb(0x1c, 0x25, 0x2e);
/// The same under the pointer.
pub const HOVERED: Color32 = Color32::from_rgb(0x27, 0x34, 0x40);
/// Hairlines.
pub const LINE: Color32 = Color32::from_rgb(0x26, 0x31, 0x3c);
/// Text.
pub const TEXT: Color32 = Color32::from_rgb(0xdc, 0xe5, 0xec);
/// Text that explains.
pub const DIM: Color32 = Color32::from_rgb(0x84, 0x95, 0xa5);
/// What is alive or chosen.
pub const ACCENT: Color32 = Color32::from_rgb(0x2f, 0xd0, 0xb5);
/// What was stopped or wants attention.
pub const AMBER: Color32 = Color32::from_rgb(0xf3, 0xb7, 0x43);
/// What is wrong.
pub const RED: Color32 = Color32::from_rgb(0xe8, 0x68, 0x58);
/// What is good.
pub const GREEN: Color32 = Color32::from_rgb(0x5d, 0xc9, 0x7a);
/// The screen of the image.
pub const BLACK: Color32 = Color32::from_rgb(0x03, 0x04, 0x05);
/// Behind the body.
pub const SCENE_BACKGROUND: Color = Color::srgb(0.055, 0.075, 0.095);
/// Rim of the image in the body.
pub const PLANE_RIM: Color = Color::srgb(0.18, 0.82, 0.71);

/// Corners of panels and buttons.
pub const CORNER: CornerRadius = CornerRadius::same(5);

/// Everyday text.
pub fn body() -> FontId {
    FontId::proportional(13.0)
}
/// Small print.
pub fn small() -> FontId {
    FontId::proportional(11.0)
}
/// Names and headings.
pub fn heading() -> FontId {
    FontId::proportional(15.0)
}
/// Figures that are read from afar.
pub fn figure() -> FontId {
    FontId::proportional(18.0)
}

/// Latin and Chinese in one face.
static FONT: &[u8] = include_bytes!("../../../assets/fonts/NotoSansCJKsc-Regular-subset.otf");

/// The font alone, so that a missing glyph is found by the test and not by a trainee.
pub fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    let data = FontData::from_static(FONT);
    fonts.font_data.insert("noto".to_owned(), data.into());
    for family in [FontFamily::Proportional, FontFamily::Monospace] {
        fonts.families.insert(family, vec!["noto".to_owned()]);
    }
    fonts
}

/// Puts font and style into a context.
pub fn apply(context: &egui::Context) {
    context.set_fonts(fonts());
    context.set_theme(egui::Theme::Dark);
    context.all_styles_mut(set_style);
    // Discs from the glyphs' texture would be read unfiltered.
    context.tessellation_options_mut(|options| options.prerasterized_discs = false);
}

/// Draws the glyphs of the room's own words once, so that none is late when it is first needed.
pub fn warm_up(context: &egui::Context) {
    let printable: String = (' '..='~').chain("−°·×–→…".chars()).collect();
    let words = crate::words::ALL.iter().map(|word| word.zh);
    let all: String = words.chain([printable.as_str()]).collect();
    context.fonts_mut(|fonts| {
        for font in [small(), body()] {
            fonts.layout_no_wrap(all.clone(), font, TEXT);
        }
        for font in [heading(), figure()] {
            fonts.layout_no_wrap(printable.clone(), font, TEXT);
        }
    });
}

fn set_style(style: &mut egui::Style) {
    use egui::TextStyle;
    style.text_styles = [
        (TextStyle::Small, small()),
        (TextStyle::Body, body()),
        (TextStyle::Button, body()),
        (TextStyle::Heading, heading()),
        (TextStyle::Monospace, body()),
    ]
    .into();
    style.spacing.item_spacing = egui::vec2(8.0, 5.0);
    style.spacing.button_padding = egui::vec2(10.0, 4.0);
    style.spacing.slider_rail_height = 4.0;
    style.animation_time = 0.0;
    style.interaction.selectable_labels = false;
    let visuals = &mut style.visuals;
    visuals.panel_fill = PANEL;
    visuals.window_fill = PANEL;
    visuals.window_stroke = Stroke::new(1.0, LINE);
    visuals.window_shadow = egui::Shadow::NONE;
    visuals.popup_shadow = egui::Shadow::NONE;
    visuals.extreme_bg_color = BLACK;
    visuals.selection.bg_fill = ACCENT.gamma_multiply(0.55);
    visuals.selection.stroke = Stroke::new(1.0, TEXT);
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = egui::style::HandleShape::Rect { aspect_ratio: 0.45 };
    let widgets = &mut visuals.widgets;
    for (state, fill, line, text) in [
        (&mut widgets.noninteractive, PANEL, LINE, TEXT),
        (&mut widgets.inactive, RAISED, LINE, TEXT),
        (&mut widgets.hovered, HOVERED, DIM, TEXT),
        (&mut widgets.active, HOVERED, ACCENT, TEXT),
        (&mut widgets.open, RAISED, LINE, TEXT),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::new(1.0, line);
        state.fg_stroke = Stroke::new(1.0, text);
        state.corner_radius = CornerRadius::same(4);
        state.expansion = 0.0;
    }
    widgets.inactive.bg_fill = Color32::from_rgb(0x3b, 0x4a, 0x58);
}

#[cfg(test)]
mod tests {
    use super::*;
    use anatomy::atlas::Atlas;
    use anatomy::tissue::{DisplayName, TissueTable};
    use equipment::{Console, Preset, Probe};
    use std::collections::BTreeSet;

    #[test]
    fn the_font_has_every_glyph_that_can_be_shown() {
        let mut text: Vec<String> = crate::words::ALL
            .iter()
            .flat_map(|word| [word.en, word.zh])
            .map(str::to_owned)
            .collect();
        let mut take = |name: &DisplayName| text.extend([name.en.clone(), name.zh.clone()]);
        Atlas::builtin()
            .structures()
            .iter()
            .for_each(|s| take(&s.name));
        Atlas::builtin().planes().iter().for_each(|p| take(&p.name));
        TissueTable::builtin()
            .iter()
            .for_each(|(_, t)| take(&t.name));
        Probe::all_builtin().iter().for_each(|p| take(&p.name));
        Preset::all_builtin().iter().for_each(|p| take(&p.name));
        text.extend(
            Console::knobs()
                .iter()
                .flat_map(|k| [k.en.to_owned(), k.zh.to_owned()]),
        );
        text.push(
            "0123456789 + − ° % · × / – — … ≥ ≤ ± → ( ) [ ] MHz dB mm cm N fps Hz".to_owned(),
        );
        let drawn = drawn();
        let missing: BTreeSet<char> = text
            .iter()
            .flat_map(|text| text.chars())
            .filter(|c| !drawn.contains(c))
            .collect();
        assert!(missing.is_empty(), "not in the font: {missing:?}");
    }

    #[test]
    fn a_glyph_that_is_not_there_is_found_missing() {
        assert!(!drawn().contains(&'\u{1F9E0}') && drawn().contains(&'肾'));
    }

    /// Every character that the font has a glyph for.
    fn drawn() -> BTreeSet<char> {
        let context = egui::Context::default();
        context.set_fonts(fonts());
        let mut characters = BTreeSet::new();
        let mut output = context.run_ui(egui::RawInput::default(), |ui| {
            ui.ctx().fonts_mut(|fonts| {
                let mut font = fonts.fonts.font(&FontFamily::Proportional);
                characters = font.characters().keys().copied().collect();
            });
        });
        output.textures_delta.clear();
        characters
    }
}
