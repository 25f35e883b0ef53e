//! The live image as on a machine's screen: head line, depth scale, focus, marker, grey bar.

use bevy_egui::egui::{Align2, Color32, Mesh, Painter, Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};
use equipment::{Array, Probe, Transmit};
use ultrasound::display::PictureGeometry;

use super::Panels;
use super::layout::fitted;
use super::widgets::label;
use crate::theme;
use crate::words;

/// Above the image: two head lines.
const HEAD: f32 = 46.0;
/// Beside it: grey bar left, depth scale right.
const LEFT: f32 = 26.0;
const RIGHT: f32 = 46.0;
const FOOT: f32 = 10.0;

pub(super) fn draw(ui: &mut Ui, rect: Rect, panels: &mut Panels<'_>) {
    ui.painter().rect_filled(rect, theme::CORNER, theme::BLACK);
    head(ui, rect, panels);
    let place = Rect::from_min_max(rect.min + vec2(LEFT, HEAD), rect.max - vec2(RIGHT, FOOT));
    gray_bar(
        ui.painter(),
        Rect::from_min_size(rect.min + vec2(10.0, HEAD), vec2(9.0, 130.0)),
    );
    let picture = panels.shown.picture.as_ref();
    let (Some(texture), Some(picture)) = (panels.live, picture) else {
        let text = panels.say(words::NO_PICTURE);
        label(
            ui,
            rect.center(),
            Align2::CENTER_CENTER,
            text,
            theme::body(),
            theme::DIM,
        );
        return;
    };
    let geometry = &picture.picture.geometry;
    let centred = fitted(place, geometry.width as f32 / geometry.height.max(1) as f32);
    // As on a machine the skin is at the top, with some of the slack above it.
    let slack = centred.top() - place.top();
    let on_screen = centred.translate(vec2(0.0, -0.7 * slack));
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter()
        .image(texture, on_screen, whole, Color32::WHITE);
    let map = Map {
        geometry,
        on_screen,
    };
    marker(ui.painter(), &map, &panels.room.probe);
    let depth_mm = panels.shown.console.depth_mm;
    depth_scale(ui, rect.right() - 34.0, &map, depth_mm);
    focus(ui.painter(), rect.right() - 40.0, &map, panels);
    state(ui, rect, panels);
}

/// From millimetres of the probe's frame to the screen.
struct Map<'a> {
    geometry: &'a PictureGeometry,
    on_screen: Rect,
}

impl Map<'_> {
    fn at(&self, x_mm: f64, z_mm: f64) -> Pos2 {
        let place = geometry::Point::new(x_mm, 0.0, z_mm);
        let (x, y) = self.geometry.pixel_of_place(place);
        let share = vec2(
            (x as f32 + 0.5) / self.geometry.width as f32,
            (y as f32 + 0.5) / self.geometry.height as f32,
        );
        self.on_screen.min + share * self.on_screen.size()
    }

    /// Least and greatest depth in the picture.
    fn depths_mm(&self) -> (f64, f64) {
        let of = |y: f64| self.geometry.place_of_pixel(0.0, y).z();
        let (a, b) = (of(-0.5), of(self.geometry.height as f64 - 0.5));
        (a.min(b), a.max(b))
    }
}

fn head(ui: &Ui, rect: Rect, panels: &Panels<'_>) {
    let shown = panels.shown;
    let language = panels.language();
    let at = rect.min + vec2(10.0, 14.0);
    let probe = language.name(&panels.room.probe.name);
    let first = format!("{probe}   {}", language.name(&shown.preset));
    label(
        ui,
        at,
        Align2::LEFT_CENTER,
        &first,
        theme::body(),
        theme::TEXT,
    );
    let console = &shown.console;
    let second = format!(
        "{:.1} MHz    {} {:.0} cm    {} {:+.0} dB    {} {:.0} dB",
        shown.frequency_mhz,
        language.say(words::DEPTH),
        console.depth_mm / 10.0,
        language.say(words::GAIN),
        console.gain_db,
        language.say(words::RANGE),
        console.dynamic_range_db,
    );
    label(
        ui,
        at + vec2(0.0, 18.0),
        Align2::LEFT_CENTER,
        &second,
        theme::small(),
        theme::DIM,
    );
}

/// Live or frozen, upper right.
fn state(ui: &Ui, rect: Rect, panels: &Panels<'_>) {
    let (word, color) = match panels.shown.frozen {
        true => (words::FROZEN, theme::AMBER),
        false => (words::LIVE, theme::ACCENT),
    };
    let at = pos2(rect.right() - 10.0, rect.top() + 14.0);
    let text = label(
        ui,
        at,
        Align2::RIGHT_CENTER,
        panels.say(word),
        theme::body(),
        color,
    );
    let sign = pos2(text.left() - 10.0, text.center().y);
    match panels.shown.frozen {
        false => {
            ui.painter().circle_filled(sign, 4.0, color);
        }
        true => {
            for x in [-3.0, 2.0] {
                let bar = Rect::from_center_size(sign + vec2(x, 0.0), vec2(3.0, 10.0));
                ui.painter().rect_filled(bar, 0.0, color);
            }
        }
    }
    let is_off = panels.shown.probe.is_none_or(|probe| !probe.contact);
    if is_off && !panels.shown.frozen {
        let at = pos2(rect.center().x, rect.bottom() - 16.0);
        label(
            ui,
            at,
            Align2::CENTER_CENTER,
            panels.say(words::NO_CONTACT),
            theme::body(),
            theme::AMBER,
        );
    }
}

/// The dot on the marker's side, beside the face.
fn marker(painter: &Painter, map: &Map<'_>, probe: &Probe) {
    let (least, _) = map.depths_mm();
    let z_mm = least.max(0.0);
    let edge = map.at(half_face_mm(probe), z_mm);
    let toward = (edge.x - map.at(0.0, z_mm).x).signum();
    let at = edge + vec2(toward * 16.0, 6.0);
    painter.circle_filled(at, 6.0, theme::ACCENT);
    painter.circle_stroke(at, 6.0, Stroke::new(1.5, theme::BLACK));
}

/// Half the width of the face, mm.
fn half_face_mm(probe: &Probe) -> f64 {
    let half = 0.5 * probe.aperture_mm();
    match probe.array {
        Array::Curved { radius_mm, .. } => radius_mm * libm::sin(half / radius_mm),
        _ => half,
    }
}

/// Ticks every centimetre down to the depth that is set, figures every five.
fn depth_scale(ui: &Ui, x: f32, map: &Map<'_>, depth_mm: f64) {
    let (least, most) = map.depths_mm();
    let most = most.min(depth_mm);
    let stroke = Stroke::new(1.0, theme::DIM);
    let top = map.at(0.0, least.max(0.0)).y;
    let bottom = map.at(0.0, most).y;
    ui.painter()
        .line_segment([pos2(x, top), pos2(x, bottom)], stroke);
    let every = if most > 60.0 { 5 } else { 1 };
    for cm in (least.max(0.0) / 10.0).ceil() as i32..=(most / 10.0).floor() as i32 {
        let y = map.at(0.0, f64::from(cm) * 10.0).y;
        let is_long = cm % every == 0;
        let length = if is_long { 9.0 } else { 5.0 };
        ui.painter()
            .line_segment([pos2(x, y), pos2(x + length, y)], stroke);
        if is_long && cm > 0 {
            let at = pos2(x + 13.0, y);
            label(
                ui,
                at,
                Align2::LEFT_CENTER,
                &cm.to_string(),
                theme::small(),
                theme::DIM,
            );
        }
    }
}

/// A pointer at each focus.
fn focus(painter: &Painter, x: f32, map: &Map<'_>, panels: &Panels<'_>) {
    let Transmit::Focused { foci_mm, .. } = &panels.shown.console.transmit else {
        return;
    };
    for &focus in foci_mm {
        let at = pos2(x, map.at(0.0, focus).y);
        let corners = vec![at, at + vec2(-8.0, -5.0), at + vec2(-8.0, 5.0)];
        painter.add(Shape::convex_polygon(corners, theme::AMBER, Stroke::NONE));
    }
}

/// White above, black below.
fn gray_bar(painter: &Painter, rect: Rect) {
    let mut mesh = Mesh::default();
    for (corner, color) in [
        (rect.left_top(), Color32::WHITE),
        (rect.right_top(), Color32::WHITE),
        (rect.right_bottom(), Color32::BLACK),
        (rect.left_bottom(), Color32::BLACK),
    ] {
        mesh.colored_vertex(corner, color);
    }
    mesh.add_triangle(0, 1, 2);
    mesh.add_triangle(0, 2, 3);
    painter.add(Shape::mesh(mesh));
    let stroke = Stroke::new(1.0, theme::LINE);
    painter.rect_stroke(rect, 0.0, stroke, bevy_egui::egui::StrokeKind::Outside);
}
