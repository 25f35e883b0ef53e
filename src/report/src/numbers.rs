//! Figures and texts as they are printed.

use scoring::Band;

/// Printed where there is no figure.
pub(crate) const NO_FIGURE: &str = "–";

/// A figure with about three digits, at most two decimals, a true minus, no trailing zeros.
pub(crate) fn figure(value: f64) -> String {
    let decimals = match value.abs() {
        size if !size.is_finite() => return NO_FIGURE.to_owned(),
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    trimmed(value, decimals)
}

/// The figure with its unit; a degree sign sits tight.
pub(crate) fn with_unit(value: f64, unit: &str) -> String {
    joined(figure(value), unit)
}

/// How far a hand or a knob is to go, with its unit: nobody moves by hundredths.
pub(crate) fn amount(value: f64, unit: &str) -> String {
    let text = match value.abs() {
        size if size >= 9.95 => figure(value.round()),
        _ => tenths(value),
    };
    joined(text, unit)
}

fn joined(figure: String, unit: &str) -> String {
    let unit = plain(unit);
    let gap = match unit.as_str() {
        "" | "°" => "",
        _ => "\u{202f}",
    };
    format!("{figure}{gap}{unit}")
}

/// Points to one decimal. A score just below a band's limit is never rounded up to it: a page must
/// not say "80, basic".
pub(crate) fn points(value: f64, band: Band) -> String {
    let limit = match band {
        Band::Standard => f64::INFINITY,
        Band::Basic => 80.0,
        Band::NonStandard => 60.0,
    };
    let rounded = (value * 10.0).round() / 10.0;
    if value < limit && rounded >= limit {
        tenths((value * 10.0).floor() / 10.0)
    } else {
        tenths(value)
    }
}

/// To one decimal, without a trailing zero.
pub(crate) fn tenths(value: f64) -> String {
    if value.is_finite() {
        trimmed(value, 1)
    } else {
        NO_FIGURE.to_owned()
    }
}

fn trimmed(value: f64, decimals: usize) -> String {
    let mut text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    match text.strip_prefix('-') {
        Some("0") => "0".to_owned(),
        Some(size) => format!("\u{2212}{size}"),
        None => text,
    }
}

/// A length of time: `31.4 s` below two minutes, then `3:07 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        NO_FIGURE.to_owned()
    } else if seconds < 120.0 {
        format!("{}\u{202f}s", tenths(seconds))
    } else {
        format!("{}\u{202f}min", minutes(seconds))
    }
}

/// `3:07`.
pub(crate) fn minutes(seconds: f64) -> String {
    let whole = seconds.round();
    format!("{}:{:02}", (whole / 60.0).floor(), (whole % 60.0) as u32)
}

/// A coordinate of a drawing: one decimal, ASCII, always finite.
pub(crate) fn px(value: f64) -> String {
    let text = format!("{:.1}", if value.is_finite() { value } else { 0.0 });
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// A drawing's `x,y`.
pub(crate) fn px_pair(x: f64, y: f64) -> String {
    format!("{},{}", px(x), px(y))
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `least`.
pub(crate) fn nice_step(least: f64) -> f64 {
    if !(least.is_finite() && least > 0.0) {
        return 1.0;
    }
    let power = libm::exp10(libm::log10(least).floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    // A hair of slack, so that 0.2 found as 0.19999… is 0.2.
    let fits = |step: &f64| *step >= least * (1.0 - 1e-9);
    steps.into_iter().find(fits).unwrap_or(10.0 * power)
}

/// A step of a time axis in s that makes at most `most` steps: tens below a minute, then what clocks
/// count in.
pub(crate) fn time_step(span_s: f64, most: f64) -> f64 {
    let least = span_s / most;
    let clock = [15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
    match clock.into_iter().find(|step| *step >= least) {
        Some(step) if least > 10.0 => step,
        Some(_) => nice_step(least),
        None => 3600.0 * nice_step(least / 3600.0),
    }
}

/// A text as it may stand in a page: without control characters and without the invisible ones that
/// turn the direction of what follows. Markup is escaped where it is written.
pub(crate) fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    let noncharacter = |c: char| matches!(c, '\u{fffe}' | '\u{ffff}');
    let control = |c: char| c.is_control() && c != '\n' && c != '\t';
    text.chars()
        .filter(|&c| !control(c) && !turns(c) && !noncharacter(c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_no_idle_zeros() {
        let printed = [0.0, -0.001, 1.0, 1.239, -9.996, 12.34, 99.97, 1234.5].map(figure);
        let expected = ["0", "0", "1", "1.24", "−10", "12.3", "100", "1234"];
        assert_eq!(printed, expected);
        assert_eq!(figure(f64::NAN), NO_FIGURE);
        assert_eq!(with_unit(12.0, "°"), "12°");
        assert_eq!(with_unit(12.0, "mm"), "12\u{202f}mm");
    }

    #[test]
    fn points_never_round_up_into_the_next_band() {
        assert_eq!(points(79.97, Band::Basic), "79.9");
        assert_eq!(points(59.96, Band::NonStandard), "59.9");
        assert_eq!(points(79.94, Band::Basic), "79.9");
        assert_eq!(points(80.0, Band::Standard), "80");
        assert_eq!(points(99.96, Band::Standard), "100");
    }

    #[test]
    fn times_read_as_seconds_then_as_minutes() {
        assert_eq!(duration(31.44), "31.4\u{202f}s");
        assert_eq!(duration(187.2), "3:07\u{202f}min");
        assert_eq!(duration(119.98), "120\u{202f}s");
    }

    #[test]
    fn steps_of_axes_are_round() {
        assert_eq!(
            [0.0, 0.03, 0.2, 1.0, 3.0, 7.0, 51.0].map(nice_step),
            [1.0, 0.05, 0.2, 1.0, 5.0, 10.0, 100.0]
        );
        let steps = [3.0, 90.0, 250.0, 1000.0, 36000.0].map(|span| time_step(span, 10.0));
        assert_eq!(steps, [0.5, 10.0, 30.0, 120.0, 3600.0]);
    }

    #[test]
    fn invisible_characters_are_dropped() {
        assert_eq!(plain("a\u{0}b\u{202e}c\nd\u{1b}"), "abc\nd");
    }
}
