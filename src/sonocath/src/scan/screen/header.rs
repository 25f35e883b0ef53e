//! The bar above the image: whom and what it shows at the left, what the machine is set to at the
//! right, each value under its name.

use equipment::Transmit;

use super::{BAR, BRIGHT, DIM, RULE, Screen, Words};
use crate::drawing::canvas::{Canvas, Rect};
use crate::drawing::text::{self, Align, Style};

/// Height of the bar, points.
pub fn height(screen: &Screen<'_>) -> i32 {
    let lines = screen.letters(22.0) + screen.letters(16.0);
    screen.points(84.0).max((1.9 * lines).ceil() as i32)
}

/// Draws the bar.
pub fn draw(screen: &Screen<'_>, canvas: &mut Canvas) {
    let (width, height) = (screen.size[0], height(screen));
    let bar = Rect {
        x: 0,
        y: 0,
        w: width,
        h: height,
    };
    canvas.fill(bar, BAR, 1.0);
    let rule = Rect {
        y: height - 1,
        h: 1,
        ..bar
    };
    canvas.fill(rule, RULE, 1.0);
    let left = screen.points(28.0) as f32;
    let from = knobs(screen, canvas, width as f32 - left);
    titles(screen, canvas, [left, from - left]);
}

/// Middles of the upper and of the lower row of words.
fn rows(screen: &Screen<'_>) -> [f32; 2] {
    let height = height(screen) as f32;
    [0.34 * height, 0.7 * height]
}

fn titles(screen: &Screen<'_>, canvas: &mut Canvas, [left, right]: [f32; 2]) {
    let [upper, lower] = rows(screen);
    let room = (right - left).max(0.0);
    let words = &screen.words;
    for (text, y, size, color) in [
        (words.patient, upper, screen.letters(22.0), BRIGHT),
        (words.aim, lower, screen.letters(16.0), DIM),
    ] {
        let text = text::fitted(text, size, room);
        text::draw(
            canvas,
            [left, y],
            Align::Left,
            &text,
            Style::plain(size, color),
        );
    }
}

/// Draws the values from right to left; returns where they begin.
fn knobs(screen: &Screen<'_>, canvas: &mut Canvas, right: f32) -> f32 {
    let [upper, lower] = rows(screen);
    let name_style = Style::plain(screen.letters(13.0), DIM);
    let value_style = Style::plain(screen.letters(18.0), BRIGHT);
    let gap = screen.points(30.0).max(10) as f32;
    let mut right = right;
    for (name, value) in settings(&screen.words).iter().rev() {
        let name_width = text::width(name, name_style.size);
        let width = name_width.max(text::width(value, value_style.size));
        // The names leave at least a third of the bar to the patient's.
        if right - width < 0.3 * screen.size[0] as f32 {
            break;
        }
        let left = right - width;
        text::draw(canvas, [left, upper], Align::Left, name, name_style);
        text::draw(canvas, [left, lower], Align::Left, value, value_style);
        right = left - gap;
    }
    right
}

/// Names and values of what a sonographer looks at first.
pub(super) fn settings(words: &Words<'_>) -> Vec<(String, String)> {
    let (probe, console) = (words.probe, words.console);
    let frequency = console.frequency_mhz.unwrap_or(probe.center_frequency_mhz);
    let mut settings = vec![
        (words.pick("Probe", "探头"), probe.id.clone()),
        (
            words.pick("Frequency", "频率"),
            format!("{} MHz", trimmed(frequency, 2)),
        ),
        (
            words.pick("Depth", "深度"),
            format!("{} cm", trimmed(console.depth_mm / 10.0, 1)),
        ),
    ];
    if let Transmit::Focused { foci_mm, .. } = &console.transmit {
        let foci = foci_mm.iter().map(|mm| trimmed(mm / 10.0, 1));
        let foci = foci.collect::<Vec<_>>().join(" · ");
        settings.push((words.pick("Focus", "焦点"), format!("{foci} cm")));
    }
    settings.push((
        words.pick("Dyn. range", "动态范围"),
        format!("{} dB", trimmed(console.dynamic_range_db, 0)),
    ));
    settings.push((
        words.pick("Gain", "增益"),
        format!("{} dB", trimmed(console.gain_db, 1)),
    ));
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    settings.into_iter().map(owned).collect()
}

/// A number with at most so many decimals, without zeros at its end.
pub(super) fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
