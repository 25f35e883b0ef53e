//! The console's screen: the image in the middle, what the machine is set to above it, a scale of
//! depth at its right, the greys at its left.
//!
//! [`Screen`] says how much room there is for the image ([`Screen::area`]). Words lie outside that
//! room, the scale of depth right of the image; nothing is ever drawn over the image.

mod header;
mod scale;

use equipment::{Console, Probe};
use ultrasound::display::Picture;

use crate::args::Language;
use crate::drawing::Image;
use crate::drawing::canvas::{Canvas, Rect};
use crate::drawing::color::Rgb;
use crate::drawing::text::{self, Align, Style};

/// Behind everything, and round the image: as black as the image's own black.
const BLACK: Rgb = [0, 0, 0];
/// Behind the words above.
const BAR: Rgb = [17, 20, 24];
/// Rules and ticks that matter less.
const RULE: Rgb = [58, 64, 73];
/// Values.
const BRIGHT: Rgb = [232, 236, 240];
/// What values are of.
const DIM: Rgb = [134, 144, 156];
/// The marker's side and the focus, in a colour that no tissue has.
const ACCENT: Rgb = [86, 196, 186];

/// Height of the picture for which sizes below are given, points.
const DESIGN_HEIGHT: f32 = 960.0;

/// What stays the same from frame to frame.
pub struct Screen<'a> {
    /// Width and height of the whole picture, points.
    size: [i32; 2],
    /// Points to a point of the design.
    scale: f32,
    words: Words<'a>,
}

/// What is written on the screen.
pub struct Words<'a> {
    /// Whom it shows.
    pub patient: &'a str,
    /// What it shows.
    pub aim: &'a str,
    /// The probe.
    pub probe: &'a Probe,
    /// What the machine is set to.
    pub console: &'a Console,
    /// The language of what is not international.
    pub language: Language,
}

impl Words<'_> {
    fn pick<'b>(&self, en: &'b str, zh: &'b str) -> &'b str {
        match self.language {
            Language::En => en,
            Language::Zh => zh,
        }
    }
}

impl<'a> Screen<'a> {
    /// A screen of so many points, at least 480 × 360.
    pub fn new(size: [u32; 2], words: Words<'a>) -> Self {
        let size = size.map(|side| side as i32);
        let scale = (size[1] as f32 / DESIGN_HEIGHT).min(size[0] as f32 / 1280.0);
        Self { size, scale, words }
    }

    /// Width and height of the whole picture, points.
    pub fn size(&self) -> [u32; 2] {
        self.size.map(|side| side as u32)
    }

    /// Where the image may be.
    pub fn area(&self) -> Rect {
        let [width, height] = self.size;
        let (left, right) = (self.points(92.0), self.points(104.0));
        let (top, bottom) = (
            header::height(self) + (2.9 * self.letters(15.0)).ceil() as i32,
            self.footer_height() + self.points(12.0),
        );
        Rect {
            x: left,
            y: top,
            w: (width - left - right).max(1),
            h: (height - top - bottom).max(1),
        }
    }

    /// The screen with an image as large as [`Screen::area`] says; frame `number` of `count`, from 0.
    pub fn draw(&self, picture: &Picture, number: usize, count: usize) -> Image {
        let [width, height] = self.size;
        let mut canvas = Canvas::new(width, height, BLACK);
        let area = self.area();
        let image: Vec<Rgb> = picture.pixels.iter().map(|&gray| [gray; 3]).collect();
        canvas.paste(area.x, area.y, picture.geometry.width, &image);
        header::draw(self, &mut canvas);
        scale::depth(self, &mut canvas, picture);
        scale::marker(self, &mut canvas, picture);
        scale::grays(self, &mut canvas);
        self.footer(&mut canvas, number, count);
        canvas.into_image()
    }

    /// Lengths of the design in whole points.
    fn points(&self, design: f32) -> i32 {
        (design * self.scale).round() as i32
    }

    /// Size of letters: never too small to be read.
    fn letters(&self, design: f32) -> f32 {
        (design * self.scale).max(9.0)
    }

    fn footer_height(&self) -> i32 {
        (2.2 * self.letters(14.0)).ceil() as i32
    }

    fn footer(&self, canvas: &mut Canvas, number: usize, count: usize) {
        let [width, height] = self.size;
        let margin = self.points(28.0) as f32;
        let y = height as f32 - 0.5 * self.footer_height() as f32;
        let style = Style::plain(self.letters(14.0), DIM);
        let remark = self.words.pick(
            "Simulated image. Not for diagnosis.",
            "模拟图像，不用于诊断。",
        );
        let right = width as f32 - margin;
        let taken = text::draw(canvas, [right, y], Align::Right, remark, style);
        let frame = self.words.pick("Frame", "帧");
        let counted = format!("{frame} {} / {count}", number + 1);
        let room = right - taken - 2.0 * margin;
        let counted = text::fitted(&counted, style.size, room);
        text::draw(canvas, [margin, y], Align::Left, &counted, style);
    }
}

#[cfg(test)]
mod tests;
