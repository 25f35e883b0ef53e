//! What is drawn round the image: depth, greys, the probe's marker side.

use equipment::Transmit;
use geometry::Point;
use ultrasound::display::Picture;

use super::header::trimmed;
use super::{ACCENT, BRIGHT, DIM, RULE, Screen};
use crate::drawing::canvas::{Canvas, Rect};
use crate::drawing::text::{self, Align, Style};

/// Distances of ticks that people read easily, mm.
const STEPS_MM: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

/// Short ticks are at least so far apart, points of the design.
const LEAST_TICK: f32 = 11.0;

/// Numbers are at least so far apart, letters' sizes.
const LEAST_NUMBER: f64 = 1.9;

/// How ticks and numbers of a scale lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ruler {
    /// Distance of short ticks, mm.
    pub short_mm: f64,
    /// Distance of long ticks, mm.
    pub long_mm: f64,
    /// Distance of numbers, mm: a multiple of `long_mm`.
    pub number_mm: f64,
}

impl Ruler {
    /// For a scale on which ticks and numbers are at least so far apart.
    pub fn new(least_tick_mm: f64, least_number_mm: f64) -> Self {
        let last = STEPS_MM[STEPS_MM.len() - 1];
        let at_least = |mm: f64| {
            STEPS_MM
                .into_iter()
                .find(|step| *step >= mm)
                .unwrap_or(last)
        };
        // Of 1 and 2 every fifth is long, of 5 every second: long ones are 1, 5 or 10 … mm.
        let short_mm = at_least(least_tick_mm);
        let long_mm = match short_mm {
            mm if [0.2, 2.0, 20.0].contains(&mm) => 5.0 * mm,
            mm if [0.5, 5.0, 50.0].contains(&mm) => 2.0 * mm,
            mm => 5.0 * mm,
        };
        let multiple = [1.0, 2.0, 4.0, 10.0, 20.0]
            .into_iter()
            .find(|n| n * long_mm >= least_number_mm);
        Self {
            short_mm,
            long_mm,
            number_mm: multiple.unwrap_or(20.0) * long_mm,
        }
    }
}

/// Whether `mm` is a multiple of `step`.
fn is_multiple(mm: f64, step: f64) -> bool {
    let times = mm / step;
    (times - times.round()).abs() < 1e-6
}

/// The scale of depth at the right: cm from the face.
pub fn depth(screen: &Screen<'_>, canvas: &mut Canvas, picture: &Picture) {
    let area = screen.area();
    let geometry = &picture.geometry;
    let style = Style::plain(screen.letters(15.0), DIM);
    let mm = geometry.mm_per_pixel;
    let ruler = Ruler::new(
        f64::from(LEAST_TICK * screen.scale).max(4.0) * mm,
        LEAST_NUMBER * f64::from(style.size) * mm,
    );
    let x = area.x + right_end(picture) + screen.points(14.0);
    let row = |z_mm: f64| geometry.pixel_of_place(Point::new(0.0, 0.0, z_mm)).1;
    let count = (screen.words.console.depth_mm / ruler.short_mm + 1e-6) as i32;
    let shown = |y: f64| (-0.5..f64::from(area.h)).contains(&y);
    let mut ends: Option<[i32; 2]> = None;
    for tick in 0..=count {
        let z_mm = f64::from(tick) * ruler.short_mm;
        if !shown(row(z_mm)) {
            continue;
        }
        let y = area.y + row(z_mm).round() as i32;
        ends = Some(ends.map_or([y, y], |[low, high]| [low.min(y), high.max(y)]));
        let is_long = is_multiple(z_mm, ruler.long_mm);
        let (length, color) = if is_long { (14.0, BRIGHT) } else { (8.0, DIM) };
        let tick = Rect {
            x,
            y,
            w: screen.points(length),
            h: 1,
        };
        canvas.fill(tick, color, 1.0);
        if is_multiple(z_mm, ruler.number_mm) {
            let at = [(x + screen.points(22.0)) as f32, y as f32 + 0.5];
            text::draw(canvas, at, Align::Left, &trimmed(z_mm / 10.0, 2), style);
        }
    }
    if let Some([top, bottom]) = ends {
        let h = bottom - top + 1;
        canvas.fill(Rect { x, y: top, w: 1, h }, RULE, 1.0);
        let at = [
            (x + screen.points(22.0)) as f32,
            top as f32 - 1.7 * style.size,
        ];
        text::draw(canvas, at, Align::Left, "cm", style);
    }
    foci(
        screen,
        canvas,
        |z_mm| Some(row(z_mm)).filter(|y| shown(*y)),
        x,
    );
}

/// Triangles that point at the scale where the sound is focused.
fn foci(screen: &Screen<'_>, canvas: &mut Canvas, row: impl Fn(f64) -> Option<f64>, x: i32) {
    let Transmit::Focused { foci_mm, .. } = &screen.words.console.transmit else {
        return;
    };
    let top = screen.area().y as f32;
    let side = screen.points(6.0).max(3);
    for y in foci_mm.iter().filter_map(|&mm| row(mm)) {
        let y = top + y.round() as f32;
        for column in 0..side {
            let half = (side - column) as f32 * 0.7;
            let bar = Rect {
                x: x - 2 - side + (side - 1 - column),
                y: (y - half).round() as i32,
                w: 1,
                h: (2.0 * half).round() as i32 + 1,
            };
            canvas.fill(bar, ACCENT, 1.0);
        }
    }
}

/// A dot beside that end of the face to which the probe's marker points.
pub fn marker(screen: &Screen<'_>, canvas: &mut Canvas, picture: &Picture) {
    let area = screen.area();
    let radius = screen.points(7.0).max(4) as f32;
    let geometry = &picture.geometry;
    let end = marker_column(picture);
    let x = area.x as f32 + end.clamp(0.0, area.w as f32 - 1.0);
    let outward = if geometry.x_to_right { 2.2 } else { -2.2 };
    let at = [x + outward * radius, area.y as f32 - 1.2 * radius];
    let clip = Rect {
        x: 0,
        y: 0,
        w: screen.size[0],
        h: screen.size[1],
    };
    canvas.dot(at, radius, ACCENT, clip);
}

/// The first column right of the image.
fn right_end(picture: &Picture) -> i32 {
    let rows = picture.mask.chunks(picture.geometry.width.max(1));
    let last = rows
        .filter_map(|row| row.iter().rposition(|&m| m != 0))
        .max();
    last.map_or(0, |column| column as i32 + 1)
}

/// The outermost column on the marker's side in the image's uppermost row.
fn marker_column(picture: &Picture) -> f32 {
    let rows = picture.mask.chunks(picture.geometry.width.max(1));
    let shown = |&m: &u8| m != 0;
    let column = rows.filter_map(|row| match picture.geometry.x_to_right {
        true => row.iter().rposition(shown),
        false => row.iter().position(shown),
    });
    column.into_iter().next().unwrap_or(0) as f32
}

/// The greys from the strongest echo to the weakest.
pub fn grays(screen: &Screen<'_>, canvas: &mut Canvas) {
    let area = screen.area();
    let bar = Rect {
        x: screen.points(28.0),
        y: area.y,
        w: screen.points(16.0).max(6),
        h: (area.h * 3 / 10).max(2),
    };
    for row in 0..bar.h {
        let gray = (255.0 * (1.0 - row as f32 / (bar.h - 1) as f32)).round() as u8;
        let line = Rect {
            y: bar.y + row,
            h: 1,
            ..bar
        };
        canvas.fill(line, [gray; 3], 1.0);
    }
    let frame = Rect {
        x: bar.x - 1,
        y: bar.y - 1,
        w: bar.w + 2,
        h: bar.h + 2,
    };
    canvas.frame(frame, RULE);
}
