//! Small drawings: bands, moves of the hand, marks of charts.
//!
//! All are drawn in the colour of the text around them, 24 units wide.

use maud::{Markup, PreEscaped, html};
use recording::Outcome;
use scoring::{Band, Move};

use crate::numbers::px;

/// A drawing from its parts; without words, because words stand beside it.
fn icon(class: &str, parts: &str) -> Markup {
    html! {
        svg class=(format!("icon {class}")) viewBox="0 0 24 24" aria-hidden="true" { (PreEscaped(parts)) }
    }
}

/// A circle with a tick, a diamond with a bar, an octagon with a cross: told apart without colour.
pub(crate) fn band(band: Band) -> Markup {
    icon(
        "solid",
        match band {
            Band::Standard => {
                r#"<circle cx="12" cy="12" r="10"/><path class="cut" d="M7.5 12.4l3.1 3.1 6-6.6"/>"#
            }
            Band::Basic => {
                r#"<path d="M12 1.2 22.8 12 12 22.8 1.2 12z"/><path class="cut" d="M8 12h8"/>"#
            }
            Band::NonStandard => {
                r#"<path d="M7.9 2h8.2L22 7.9v8.2L16.1 22H7.9L2 16.1V7.9z"/><path class="cut" d="M8.3 8.3l7.4 7.4m0-7.4-7.4 7.4"/>"#
            }
        },
    )
}

/// A ring for what was not done.
pub(crate) fn not_done() -> Markup {
    icon(
        "line",
        r#"<circle cx="12" cy="12" r="9" stroke-dasharray="4 3"/>"#,
    )
}

/// An "i" in a ring, for notices.
pub(crate) fn notice() -> Markup {
    icon(
        "line",
        r#"<circle cx="12" cy="12" r="9.5"/><path d="M12 11v6M12 7.2v.2"/>"#,
    )
}

/// The arrow of a move. Slides and turns are seen from behind the probe, its marker to the right:
/// looking along +z, +x is right and +y is down, as on this page. What leans or presses is seen from
/// the side.
pub(crate) fn arrow(one: &Move) -> Markup {
    let mirrored = |parts: &str, is_mirrored: bool| match is_mirrored {
        true => format!(r#"<g transform="matrix(-1 0 0 1 24 0)">{parts}</g>"#),
        false => parts.to_owned(),
    };
    let parts = match one {
        Move::Slide {
            marker_mm,
            across_mm,
        } => {
            let degrees = libm::atan2(*across_mm, *marker_mm).to_degrees();
            format!(
                r#"<g transform="rotate({} 12 12)"><path d="M3.5 12h16M14 6.5l5.5 5.5-5.5 5.5"/></g>"#,
                px(degrees)
            )
        }
        // The fan of the scan plane, leaning.
        Move::Rock(degrees) => mirrored(
            r#"<path d="M9 3h4.5M10 4 8.6 12.5M12.5 4l6.6 6.4M8.6 12.5q6 1.2 10.5-2.1"/><path d="M5 20h13.5M15.6 17.2l3.2 2.8-3.2 2.8"/>"#,
            *degrees < 0.0,
        ),
        // The scan plane edge-on, leaning from where it was.
        Move::Tilt(degrees) => mirrored(
            r#"<path d="M12 4v10.5" stroke-dasharray="2.4 2.6"/><path d="M9 3h6M12.5 4l6 9.5M5 20h13.5M15.6 17.2l3.2 2.8-3.2 2.8"/>"#,
            *degrees < 0.0,
        ),
        Move::Rotate(degrees) => mirrored(
            r#"<path d="M19.6 9.2A8.2 8.2 0 1 0 20.2 12.6M20.4 3.8v5.6h-5.6"/><circle class="dot" cx="12" cy="12" r="1.6"/>"#,
            *degrees < 0.0,
        ),
        Move::Compress(newtons) => {
            let arrow = match *newtons < 0.0 {
                true => r#"<path d="M12 16V3.5M6.8 8.7 12 3.5l5.2 5.2"/>"#,
                false => r#"<path d="M12 3v12.5M6.8 10.3l5.2 5.2 5.2-5.2"/>"#,
            };
            format!(r#"{arrow}<path d="M3 20.5h4.5q4.5 2.4 9 0H21"/>"#)
        }
        Move::Turn { by, .. } => {
            let pointer = match *by < 0.0 {
                true => r#"<path d="M12 13 8.9 9.6"/>"#,
                false => r#"<path d="M12 13l3.1-3.4"/>"#,
            };
            format!(
                r#"<circle cx="12" cy="13" r="5.4"/>{pointer}<path d="M3.4 17a9.5 9.5 0 1 1 17.2 0" stroke-dasharray="1 3.4"/>"#
            )
        }
    };
    icon("line", &parts)
}

/// A mark of the charts at a place, with what a pointer resting on it says.
#[derive(Clone, Copy)]
pub(crate) enum Mark {
    Start,
    End,
    Capture,
    /// A picture that a later one replaced.
    Earlier,
    Target,
    Refused,
    Ended(Outcome),
}

impl Mark {
    fn class(self) -> &'static str {
        match self {
            Self::Start => "mark start",
            Self::End => "mark end",
            Self::Capture => "mark capture",
            Self::Earlier => "mark earlier",
            Self::Target => "mark target",
            Self::Refused => "mark refused",
            Self::Ended(_) => "mark outcome",
        }
    }

    /// About the origin, some 5 units around.
    fn parts(self) -> &'static str {
        match self {
            Self::Start => r#"<circle r="4"/>"#,
            Self::End => r#"<rect x="-3.2" y="-3.2" width="6.4" height="6.4"/>"#,
            Self::Earlier => r#"<path d="M0-4 4 0 0 4-4 0z"/>"#,
            Self::Capture => r#"<path d="M0-5.4 5.4 0 0 5.4-5.4 0z"/>"#,
            Self::Target => r#"<circle r="5.6"/><circle class="dot" r="1.6"/>"#,
            Self::Refused => r#"<path d="M-3.4-3.4l6.8 6.8m0-6.8-6.8 6.8"/>"#,
            Self::Ended(Outcome::Answered) => r#"<path d="M-4 .2-1.2 3 4-3"/>"#,
            Self::Ended(Outcome::Left) => r#"<path d="M-4 0h7M.4-3 3.4 0 .4 3"/>"#,
            Self::Ended(Outcome::TimedOut) => r#"<path d="M-3-4h6l-6 8h6z"/>"#,
        }
    }

    /// At a place of a drawing.
    pub(crate) fn at(self, x: f64, y: f64, title: &str) -> Markup {
        html! {
            g class=(self.class()) transform=(format!("translate({} {})", px(x), px(y))) {
                @if !title.is_empty() { title { (title) } }
                (PreEscaped(self.parts()))
            }
        }
    }

    /// In a legend.
    pub(crate) fn alone(self) -> Markup {
        html! {
            svg class="icon key" viewBox="-8 -8 16 16" aria-hidden="true" { (self.at(0.0, 0.0, "")) }
        }
    }
}
