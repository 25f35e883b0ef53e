//! The panels: what surrounds the body. Everything here draws from one [`Panels`] and says what
//! was pressed through it.

mod card;
mod console;
mod footer;
mod header;
mod help;
mod image;
mod layers;
mod layout;
mod tasks;
mod widgets;

use bevy::asset::load_internal_asset;
use bevy::image::ImageSampler;
use bevy::prelude::*;
use bevy_egui::render::EGUI_SHADER_HANDLE;
use bevy_egui::{
    EguiContexts, EguiManagedTextures, EguiPostUpdateSet, EguiPrimaryContextPass,
    EguiTextureHandle, egui,
};
use equipment::Action;

use crate::body::Body;
use crate::camera::{Pace, SceneImage};
use crate::controls::{Hand, Pointer};
use crate::hand::SkinHand;
use crate::picture::LiveImage;
use crate::room::{BodyShown, Figures, Latest, Opened, Room, Session, View};
use crate::shown::{Command, RoomFigures, Shown};
use crate::words::{self, Language, Word};
use layout::Layout;

/// The panels' plugin.
pub struct PanelsPlugin;

impl Plugin for PanelsPlugin {
    fn build(&self, app: &mut App) {
        // In place of bevy_egui's own.
        load_internal_asset!(app, EGUI_SHADER_HANDLE, "egui.wgsl", Shader::from_wgsl);
        app.add_systems(EguiPrimaryContextPass, draw).add_systems(
            PostUpdate,
            read_glyphs_once.after(EguiPostUpdateSet::PostProcessOutput),
        );
    }
}

/// Glyphs lie on whole pixels, so that the nearest texel is the right one; a filtered read costs a
/// software device four.
fn read_glyphs_once(textures: Res<EguiManagedTextures>, mut images: ResMut<Assets<Image>>) {
    for texture in textures.values() {
        let is_filtered = images
            .get(&texture.handle)
            .is_some_and(|image| image.sampler != ImageSampler::nearest());
        if is_filtered && let Some(mut image) = images.get_mut(&texture.handle) {
            image.sampler = ImageSampler::nearest();
        }
    }
}

/// What panels draw from and write to.
struct Panels<'a> {
    shown: &'a Shown,
    room: &'a Room,
    body: Option<&'a Body>,
    hand: Option<&'a SkinHand>,
    figures: RoomFigures,
    scene: egui::TextureId,
    live: Option<egui::TextureId>,
    view: View,
    out: Vec<Command>,
}

impl Panels<'_> {
    fn say(&self, word: Word) -> &'static str {
        self.view.language.say(word)
    }

    fn language(&self) -> Language {
        self.view.language
    }

    fn act(&mut self, action: Action) {
        self.out.push(Command::Action(action));
    }

    fn change_language(&mut self) {
        self.view.language = self.view.language.other();
        self.out.push(Command::Language(self.view.language));
    }
}

#[allow(
    clippy::too_many_arguments,
    reason = "a system's parameters are what it reads and writes"
)]
fn draw(
    mut contexts: EguiContexts,
    mut passes: Local<u32>,
    mut textures: Local<Option<(egui::TextureId, egui::TextureId)>>,
    latest: Res<Latest>,
    room: Res<Opened>,
    body: Res<BodyShown>,
    hand: Res<Hand>,
    figures: Res<Figures>,
    images: (Res<SceneImage>, Res<LiveImage>),
    mut pointer: ResMut<Pointer>,
    mut pace: ResMut<Pace>,
    mut view: ResMut<View>,
    mut session: ResMut<Session>,
) -> Result {
    let (scene, live) = *textures.get_or_insert_with(|| {
        let mut add =
            |image: &Handle<Image>| contexts.add_image(EguiTextureHandle::Strong(image.clone()));
        (add(&images.0.0), add(&images.1.handle))
    });
    let context = contexts.ctx_mut()?.clone();
    *passes = passes.saturating_add(1);
    match *passes {
        // The fonts are there from the next pass on.
        1 => {
            crate::theme::apply(&context);
            return Ok(());
        }
        2 => crate::theme::warm_up(&context),
        _ => {}
    }
    let mut panels = Panels {
        shown: &latest.0,
        room: &room.0,
        body: body.body.as_deref(),
        hand: hand.held.as_ref(),
        figures: figures.now,
        scene,
        live: (images.1.number > 0).then_some(live),
        view: view.clone(),
        out: Vec::new(),
    };
    let (layout, is_covered) = draw_all(&context, &mut panels);
    let (view_now, out) = (panels.view, panels.out);
    view.set_if_neq(view_now);
    session.outbox.extend(out);
    let at = |p: egui::Pos2| Vec2::new(p.x, p.y);
    pointer.panel = Rect::from_corners(at(layout.scene.min), at(layout.scene.max));
    pointer.is_covered = is_covered;
    pace.panel = pointer.panel.size();
    Ok(())
}

/// Draws everything; says where it is and whether something lies over the body.
fn draw_all(context: &egui::Context, panels: &mut Panels<'_>) -> (Layout, bool) {
    let screen = context.viewport_rect();
    let layout = Layout::of(screen.size());
    let builder = egui::UiBuilder::new()
        .layer_id(egui::LayerId::background())
        .max_rect(screen);
    let mut root = egui::Ui::new(context.clone(), "room".into(), builder);
    let mut part = |rect: egui::Rect, draw: &mut dyn FnMut(&mut egui::Ui)| {
        let builder = egui::UiBuilder::new().max_rect(rect);
        root.scope_builder(builder, |ui| {
            ui.set_clip_rect(rect);
            draw(ui);
        });
    };
    part(layout.header, &mut |ui| {
        header::draw(ui, layout.header, panels)
    });
    part(layout.tasks, &mut |ui| {
        tasks::draw(ui, layout.tasks, panels)
    });
    part(layout.layers, &mut |ui| {
        layers::draw(ui, layout.layers, panels)
    });
    part(layout.scene, &mut |ui| draw_scene(ui, layout.scene, panels));
    part(layout.image, &mut |ui| {
        image::draw(ui, layout.image, panels)
    });
    part(layout.console, &mut |ui| {
        console::draw(ui, layout.console, panels)
    });
    part(layout.footer, &mut |ui| {
        footer::draw(ui, layout.footer, panels)
    });
    let mut is_covered = false;
    if panels.view.shows_score(panels.shown) {
        is_covered = true;
        part(layout.scene, &mut |ui| card::draw(ui, layout.scene, panels));
    }
    if panels.view.is_help_open {
        is_covered = true;
        part(screen, &mut |ui| {
            help::draw(ui, layout.scene.union(layout.image), panels)
        });
    }
    (layout, is_covered)
}

/// The body's view with what is said over it.
fn draw_scene(ui: &mut egui::Ui, rect: egui::Rect, panels: &Panels<'_>) {
    let whole = egui::Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
    ui.painter()
        .image(panels.scene, rect, whole, egui::Color32::WHITE);
    let Some(body) = panels.body else {
        let text = panels.say(words::PREPARING);
        widgets::tag(
            ui,
            rect.center(),
            egui::Align2::CENTER_CENTER,
            text,
            crate::theme::TEXT,
        );
        return;
    };
    if let Some(part) = panels.view.hovered.and_then(|index| body.parts.get(index)) {
        let both = format!("{}  ·  {}", part.name.en, part.name.zh);
        let at = rect.left_top() + egui::vec2(10.0, 10.0);
        widgets::tag(ui, at, egui::Align2::LEFT_TOP, &both, crate::theme::TEXT);
    }
    if let Some(notice) = &panels.shown.notice {
        let text = panels.language().name(notice);
        let at = rect.center_bottom() - egui::vec2(0.0, 12.0);
        widgets::tag(
            ui,
            at,
            egui::Align2::CENTER_BOTTOM,
            text,
            crate::theme::AMBER,
        );
    }
}
