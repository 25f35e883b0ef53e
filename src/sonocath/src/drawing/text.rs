//! Words in the picture: the embedded font, measured and drawn.
//!
//! One font (see `assets/fonts/README.md`) holds Latin, Greek and the Chinese of GB 2312. A
//! character it lacks is drawn as a hollow box, so that a name never disappears.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};

use super::canvas::{Canvas, Rect};
use super::color::Rgb;

static FONT_FILE: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/fonts/NotoSansCJKsc-Regular-subset.otf"
));

/// Advance of the box that stands for a missing character, in parts of the size.
const BOX_ADVANCE: f32 = 0.62;
/// Height of a capital letter of this font in parts of the size (733 of 1000 units, `OS/2`).
const CAP_HEIGHT: f32 = 0.733;

/// Where a word's anchor lies along the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Align {
    /// The anchor is the left end.
    Left,
    /// The anchor is the middle.
    Center,
    /// The anchor is the right end.
    Right,
}

/// How words look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Size (em) in picture points.
    pub size: f32,
    /// Letter colour.
    pub color: Rgb,
    /// Soft surround for words over anatomy.
    pub halo: Option<Rgb>,
}

impl Style {
    /// Letters without a surround.
    pub const fn plain(size: f32, color: Rgb) -> Self {
        Self {
            size,
            color,
            halo: None,
        }
    }
    /// Letters with a surround.
    pub const fn with_halo(size: f32, color: Rgb, halo: Rgb) -> Self {
        Self {
            size,
            color,
            halo: Some(halo),
        }
    }
}

fn font() -> Option<&'static FontRef<'static>> {
    static FONT: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    FONT.get_or_init(|| FontRef::try_from_slice(FONT_FILE).ok())
        .as_ref()
}

/// The pixel scale at which one em is `size` points.
fn scale(font: &FontRef<'_>, size: f32) -> PxScale {
    let em = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(size * font.height_unscaled() / em)
}

/// The glyph of a character; `None` where the font has none.
fn glyph(font: &FontRef<'_>, character: char) -> Option<GlyphId> {
    let id = font.glyph_id(character);
    (id.0 != 0).then_some(id)
}

/// Length of a line of words, picture points.
pub fn width(text: &str, size: f32) -> f32 {
    text.chars().map(|c| advance(c, size)).sum()
}

fn advance(character: char, size: f32) -> f32 {
    let character = printable(character);
    font()
        .and_then(|font| {
            let id = glyph(font, character)?;
            Some(font.as_scaled(scale(font, size)).h_advance(id))
        })
        .unwrap_or(BOX_ADVANCE * size)
}

/// Line breaks and other control characters in a name become spaces.
fn printable(character: char) -> char {
    if character.is_control() {
        ' '
    } else {
        character
    }
}

/// The smallest part of its wanted size to which a name is shrunk.
pub const LEAST_SHRINK: f32 = 0.8;

/// The size, at least [`LEAST_SHRINK`] of the wanted one, at which `text` takes `room` at most.
pub fn shrunk(text: &str, size: f32, room: f32) -> f32 {
    let needed = width(text, size).max(1e-3);
    size * (room / needed).clamp(LEAST_SHRINK, 1.0)
}

/// `text`, shortened where it is longer than `room`: first by a remark in brackets at its end, then
/// with an ellipsis.
pub fn fitted(text: &str, size: f32, room: f32) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let text = without_remark(text);
    if width(text, size) <= room {
        return text.to_owned();
    }
    // This font centres "…" for Chinese; after Latin words full stops look right.
    let dots = if text.is_ascii() { "..." } else { "…" };
    let mut left = room - width(dots, size);
    let kept: String = text
        .chars()
        .take_while(|&c| {
            left -= advance(c, size);
            left >= 0.0
        })
        .collect();
    format!("{}{dots}", kept.trim_end())
}

/// Draws `text` with the middle of its capitals at `y` and returns its length.
pub fn draw(canvas: &mut Canvas, [x, y]: [f32; 2], align: Align, text: &str, style: Style) -> f32 {
    let length = width(text, style.size);
    let left = match align {
        Align::Left => x,
        Align::Center => x - 0.5 * length,
        Align::Right => x - length,
    };
    let baseline = y + 0.5 * CAP_HEIGHT * style.size;
    let mask = Mask::of(text, [left, baseline], style.size);
    if let Some(halo) = style.halo {
        mask.paint_halo(canvas, halo);
    }
    mask.paint(canvas, style.color);
    length
}

/// Coverage of a line of words on the picture's own grid.
struct Mask {
    area: Rect,
    coverage: Vec<f32>,
}

impl Mask {
    fn of(text: &str, [left, baseline]: [f32; 2], size: f32) -> Self {
        let pad = 4;
        let area = Rect {
            x: left.floor() as i32 - pad,
            y: (baseline - 1.1 * size).floor() as i32 - pad,
            w: width(text, size).min(16_384.0).ceil() as i32 + 2 * pad + 1,
            h: (1.5 * size).ceil() as i32 + 2 * pad,
        };
        let mut mask = Self {
            area,
            coverage: vec![0.0; area.w as usize * area.h as usize],
        };
        let mut pen = left;
        for character in text.chars().map(printable) {
            mask.add(character, [pen, baseline], size);
            pen += advance(character, size);
        }
        mask
    }

    fn add(&mut self, character: char, [x, baseline]: [f32; 2], size: f32) {
        let Some((font, id)) = font().and_then(|f| Some((f, glyph(f, character)?))) else {
            return self.add_box([x, baseline], size);
        };
        let glyph = id.with_scale_and_position(scale(font, size), point(x, baseline));
        if let Some(outline) = font.outline_glyph(glyph) {
            let corner = outline.px_bounds().min;
            outline.draw(|column, row, c| {
                self.cover(
                    corner.x as i32 + column as i32,
                    corner.y as i32 + row as i32,
                    c,
                );
            });
        }
    }

    fn add_box(&mut self, [x, baseline]: [f32; 2], size: f32) {
        let (left, right) = (x + 0.08 * size, x + (BOX_ADVANCE - 0.08) * size);
        let (left, right) = (left.round() as i32, right.round() as i32);
        let (top, bottom) = (
            (baseline - 0.72 * size).round() as i32,
            baseline.round() as i32,
        );
        for y in top..=bottom {
            for x in left..=right {
                if y == top || y == bottom || x == left || x == right {
                    self.cover(x, y, 1.0);
                }
            }
        }
    }

    fn cover(&mut self, x: i32, y: i32, coverage: f32) {
        let (column, row) = (x - self.area.x, y - self.area.y);
        if (0..self.area.w).contains(&column) && (0..self.area.h).contains(&row) {
            let at = row as usize * self.area.w as usize + column as usize;
            self.coverage[at] = (self.coverage[at] + coverage).min(1.0);
        }
    }

    fn at(&self, column: i32, row: i32) -> f32 {
        if (0..self.area.w).contains(&column) && (0..self.area.h).contains(&row) {
            self.coverage[row as usize * self.area.w as usize + column as usize]
        } else {
            0.0
        }
    }

    fn paint(&self, canvas: &mut Canvas, color: Rgb) {
        self.each(|x, y, column, row| canvas.blend(x, y, color, self.at(column, row)));
    }

    /// The letters widened by two points with a soft edge, behind the letters.
    fn paint_halo(&self, canvas: &mut Canvas, color: Rgb) {
        self.each(|x, y, column, row| {
            let mut most = 0.0f32;
            for dy in -2i32..=2 {
                for dx in -2i32..=2 {
                    let weight = 1.15 - 0.2 * (dx * dx + dy * dy) as f32;
                    if weight > 0.0 {
                        most = most.max(weight.min(1.0) * self.at(column + dx, row + dy));
                    }
                }
            }
            canvas.blend(x, y, color, 0.8 * most);
        });
    }

    fn each(&self, mut visit: impl FnMut(i32, i32, i32, i32)) {
        for row in 0..self.area.h {
            for column in 0..self.area.w {
                visit(self.area.x + column, self.area.y + row, column, row);
            }
        }
    }
}

/// "Left erector spinae" of "Left erector spinae (autochthonous back muscles)".
fn without_remark(text: &str) -> &str {
    let end = text
        .ends_with([')', '）'])
        .then(|| text.find(['(', '（']))
        .flatten();
    match end.map(|end| text[..end].trim_end()) {
        Some(short) if !short.is_empty() => short,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(text: &str) -> String {
        let font = font().expect("the embedded font is readable");
        text.chars().filter(|&c| glyph(font, c).is_none()).collect()
    }

    #[test]
    fn the_embedded_font_has_latin_and_anatomical_chinese() {
        assert_eq!(missing("Liver, kidney (left) — 12.5 mm × 3 ± µ°é"), "");
        let chinese = "皮肤脂肪肌肉肝脏胆囊脾胰腺胃十二指肠小肠结肠直肠肾上腺肾囊肿膀胱前列腺子宫卵巢\
            主动脉下腔静脉门静脉髂总动脉髂静脉锁骨下颈椎胸椎腰椎骶骨尾骨髋骨股骨肱骨肩胛骨胸骨肋软骨颅骨\
            臀大肌臀中肌臀小肌髂腰肌竖脊肌膈肺上叶气管食管甲状腺心房耳脊髓脑冠状面矢状面轴位横断面右左";
        assert_eq!(missing(chinese), "");
    }

    #[test]
    fn chinese_characters_are_one_em_wide() {
        assert!((width("肝肾", 20.0) - 40.0).abs() < 0.1);
    }

    #[test]
    fn a_missing_character_draws_a_box_and_takes_room() {
        assert_eq!(missing("\u{1F9E0}"), "\u{1F9E0}");
        let mut canvas = Canvas::new(60, 60, [0; 3]);
        let style = Style::plain(30.0, [255; 3]);
        let length = draw(&mut canvas, [10.0, 30.0], Align::Left, "\u{1F9E0}\n", style);
        assert!(length > 18.0);
        assert!(canvas.into_image().rgb.contains(&255));
    }

    #[test]
    fn long_names_end_in_an_ellipsis_and_fit() {
        let short = fitted("Inferior mesenteric artery, left colic branch", 14.0, 120.0);
        assert!(
            short.ends_with("...") && width(&short, 14.0) <= 120.0,
            "{short}"
        );
        assert_eq!(fitted("Kidney (left)", 14.0, 60.0), "Kidney");
        assert_eq!(fitted("Kidney (left)", 14.0, 160.0), "Kidney (left)");
        assert_eq!(fitted("Liver", 14.0, 120.0), "Liver");
        assert_eq!(fitted("肝脏", 14.0, 0.0), "…");
    }
}
