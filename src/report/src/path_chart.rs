//! The way of the probe, seen along the patient's three axes.
//!
//! Orthographic views to one scale. Patient coordinates are DICOM LPS: +x to the patient's left, +y
//! to the back, +z to the head.

use maud::{Markup, html};
use recording::Target;
use scoring::hand::PatientFromProbe;

use crate::contents::{Capture, place};
use crate::icons::Mark;
use crate::numbers::{duration, figure, nice_step, px, px_pair};
use crate::series::Runs;
use crate::words::Words;

/// Width of a view and its least and greatest height, drawing units.
const WIDTH: f64 = 240.0;
const LEAST_HEIGHT: f64 = 150.0;
const MOST_HEIGHT: f64 = 240.0;
/// Kept free around the path, for letters and glyphs.
const MARGIN: f64 = 30.0;
/// What a view shows at least, mm: a hand at rest shall not look like a journey.
const LEAST_MM: f64 = 40.0;
/// Room below a view for its scale.
const SCALE_ROOM: f64 = 16.0;
/// Colours of the path from its beginning to its end; the style sheet has as many.
const COLORS: usize = 12;
/// Nearer to the last drawn point than this, drawing units, a point is left out.
const NEAR: f64 = 0.5;
/// Half a probe's face and the stem for its beam in a glyph, drawing units.
const FACE_HALF: f64 = 15.0;
const STEM: f64 = 24.0;

/// What is drawn.
pub(crate) struct Path<'a> {
    pub(crate) runs: &'a Runs<4>,
    pub(crate) captures: &'a [Capture],
    pub(crate) target: Option<&'a Target>,
}

#[derive(Clone, Copy)]
enum View {
    Front,
    Left,
    Above,
}

impl View {
    /// To the right and downwards of what points somewhere in the patient.
    fn project(self, [x, y, z]: [f64; 3]) -> [f64; 2] {
        match self {
            Self::Front => [x, -z],
            Self::Left => [y, -z],
            Self::Above => [x, -y],
        }
    }

    fn title(self, words: &Words) -> &'static str {
        match self {
            Self::Front => words.from_front,
            Self::Left => words.from_left,
            Self::Above => words.from_above,
        }
    }

    /// Letters at the left, right, upper and lower edge.
    fn letters(self, words: &Words) -> [&'static str; 4] {
        match self {
            Self::Front => [words.right, words.left_side, words.superior, words.inferior],
            Self::Left => [
                words.anterior,
                words.posterior,
                words.superior,
                words.inferior,
            ],
            Self::Above => [
                words.right,
                words.left_side,
                words.posterior,
                words.anterior,
            ],
        }
    }
}

/// What part of the patient the views show.
struct Window {
    center: [f64; 3],
    px_per_mm: f64,
    /// Height of each view, drawing units.
    height: f64,
}

impl Window {
    /// Around all points; `None` without any.
    fn around(points: impl Iterator<Item = [f64; 3]>) -> Option<Self> {
        let mut low = [f64::INFINITY; 3];
        let mut high = [f64::NEG_INFINITY; 3];
        for point in points.filter(|p| p.iter().all(|v| v.is_finite())) {
            for axis in 0..3 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        let [x, y, z]: [f64; 3] = std::array::from_fn(|axis| high[axis] - low[axis]);
        // The views' widths are x, y, x, their heights z, z, y.
        let (wide, high_mm) = (x.max(y).max(LEAST_MM), z.max(y));
        let across = (WIDTH - 2.0 * MARGIN) / wide;
        let px_per_mm = across.min((MOST_HEIGHT - 2.0 * MARGIN) / high_mm);
        let height = high_mm * px_per_mm + 2.0 * MARGIN;
        (low[0] <= high[0] && wide.is_finite() && high_mm.is_finite()).then(|| Self {
            center: std::array::from_fn(|axis| 0.5 * (low[axis] + high[axis])),
            px_per_mm,
            height: height.clamp(LEAST_HEIGHT, MOST_HEIGHT).round(),
        })
    }

    fn at(&self, view: View, point: [f64; 3]) -> [f64; 2] {
        let from_center = std::array::from_fn(|axis| point[axis] - self.center[axis]);
        let [right, down] = view.project(from_center).map(|mm| mm * self.px_per_mm);
        [0.5 * WIDTH + right, 0.5 * self.height + down]
    }
}

impl Path<'_> {
    fn target_pose(&self) -> Option<&PatientFromProbe> {
        match self.target {
            Some(Target::Plane(plane)) => Some(&plane.patient_from_probe),
            Some(Target::Sweep(_)) | None => None,
        }
    }

    /// The figure; nothing where there is no path and no target.
    pub(crate) fn figure(&self, words: &Words) -> Option<Markup> {
        let path = self.runs.iter().flatten().map(|[_, x, y, z]| [*x, *y, *z]);
        let poses = self.captures.iter().filter_map(|c| c.pose.as_ref());
        let poses = poses.chain(self.target_pose());
        let window = Window::around(path.chain(poses.map(place)))?;
        Some(html! {
            figure.path {
                figcaption { h3 { (words.path) } span.note { (words.same_scale) } }
                div.views {
                    @for view in [View::Front, View::Left, View::Above] {
                        (self.view(view, &window, words))
                    }
                }
                (self.legend(words))
            }
        })
    }

    fn view(&self, view: View, window: &Window, words: &Words) -> Markup {
        let first = self.runs.first().and_then(|run| run.first());
        let last = self.runs.last().and_then(|run| run.last());
        let at = |[_, x, y, z]: [f64; 4]| window.at(view, [x, y, z]);
        html! {
            div.view {
                h4 { (view.title(words)) }
                svg viewBox=(format!("0 0 {WIDTH} {}", window.height + SCALE_ROOM)) role="img" aria-label=(view.title(words)) {
                    rect.plot x="0.5" y="0.5" width=(WIDTH - 1.0) height=(window.height - 1.0) rx="6" {}
                    (letters(view, window, words))
                    (scale_bar(window))
                    g.way { @for (color, points) in self.polylines(view, window) {
                        polyline class=(format!("t{color}")) points=(points) {}
                    } }
                    @if let Some(pose) = self.target_pose() {
                        (glyph("target", view, window, pose))
                        (mark(Mark::Target, window.at(view, place(pose)), words.target_pose))
                    }
                    @if let Some(&[t, ..]) = first.or(last) {
                        @if let Some(&point) = last { (mark(Mark::End, at(point), words.end)) }
                        @if let Some(&point) = first {
                            (mark(Mark::Start, at(point), &format!("{} · {}", words.start, duration(t))))
                        }
                    }
                    @for (at, capture) in self.captures.iter().enumerate() {
                        @let is_last = at + 1 == self.captures.len();
                        @if let Some(pose) = &capture.pose {
                            @let which = if is_last { Mark::Capture } else { Mark::Earlier };
                            @if is_last { (glyph("capture", view, window, pose)) }
                            (mark(which, window.at(view, place(pose)),
                                &format!("{} · {}", words.capture, duration(capture.time_s))))
                        }
                    }
                }
            }
        }
    }

    /// The path in pieces of one colour each; a piece begins where the one before it ended.
    fn polylines(&self, view: View, window: &Window) -> Vec<(usize, String)> {
        let Some([from_s, to_s]) = self.span_s() else {
            return Vec::new();
        };
        let color_of = |time: f64| {
            let share = (time - from_s) / (to_s - from_s).max(1e-9);
            ((share * COLORS as f64) as usize).min(COLORS - 1)
        };
        let mut pieces = Vec::new();
        for run in self.runs {
            let mut piece: Vec<[f64; 2]> = Vec::new();
            let mut color = None;
            for &[time, x, y, z] in run {
                let point = window.at(view, [x, y, z]);
                if color.is_some_and(|color| color != color_of(time)) {
                    piece.push(point);
                    pieces.extend(color.map(|color| (color, joined(&piece))));
                    piece.clear();
                }
                color = Some(color_of(time));
                if piece
                    .last()
                    .is_none_or(|last| distance(*last, point) >= NEAR)
                {
                    piece.push(point);
                }
            }
            pieces.extend(color.map(|color| (color, joined(&piece))));
        }
        pieces.retain(|(_, points)| points.contains(' '));
        pieces
    }

    fn span_s(&self) -> Option<[f64; 2]> {
        let from = self.runs.first()?.first()?[0];
        let to = self.runs.last()?.last()?[0];
        Some([from, to])
    }

    fn legend(&self, words: &Words) -> Markup {
        let has_capture = self.captures.iter().any(|c| c.pose.is_some());
        html! {
            ul.legend {
                @if let Some([from_s, to_s]) = self.span_s() {
                    li.ramp {
                        span { (duration(from_s)) }
                        svg viewBox=(format!("0 0 {} 8", COLORS * 10)) aria-hidden="true" { @for color in 0..COLORS {
                            line class=(format!("t{color}")) x1=(color * 10) x2=(px(color as f64 * 10.0 + 10.4)) y1="4" y2="4" {}
                        } }
                        span { (duration(to_s)) }
                    }
                    li { (Mark::Start.alone()) (words.start) }
                    li { (Mark::End.alone()) (words.end) }
                }
                @if has_capture { li { (Mark::Capture.alone()) (words.capture) } }
                @if self.captures.len() > 1 { li { (Mark::Earlier.alone()) (words.earlier) } }
                @if self.target_pose().is_some() { li { (Mark::Target.alone()) (words.target_pose) } }
                @if has_capture || self.target_pose().is_some() { li { (words.pose_glyph) } }
            }
        }
    }
}

fn mark(mark: Mark, [x, y]: [f64; 2], title: &str) -> Markup {
    mark.at(x, y, title)
}

fn distance([ax, ay]: [f64; 2], [bx, by]: [f64; 2]) -> f64 {
    ((ax - bx) * (ax - bx) + (ay - by) * (ay - by)).sqrt()
}

fn joined(points: &[[f64; 2]]) -> String {
    let pairs: Vec<String> = points.iter().map(|&[x, y]| px_pair(x, y)).collect();
    pairs.join(" ")
}

/// How the probe is held: its face with the marker's side dotted, and where it looks.
fn glyph(class: &str, view: View, window: &Window, pose: &PatientFromProbe) -> Markup {
    let matrix = pose.isometry.to_homogeneous();
    let column = |at: usize| view.project([matrix[(0, at)], matrix[(1, at)], matrix[(2, at)]]);
    let ([lx, ly], [dx, dy]) = (column(0), column(2));
    let [x, y] = window.at(view, place(pose));
    let line = |[ax, ay]: [f64; 2], [bx, by]: [f64; 2]| html! { line x1=(px(ax)) y1=(px(ay)) x2=(px(bx)) y2=(px(by)) {} };
    let marker_end = [x + FACE_HALF * lx, y + FACE_HALF * ly];
    html! {
        g class=(format!("glyph {class}")) {
            (line([x - FACE_HALF * lx, y - FACE_HALF * ly], marker_end))
            (line([x, y], [x + STEM * dx, y + STEM * dy]))
            circle.dot cx=(px(marker_end[0])) cy=(px(marker_end[1])) r="2.2" {}
        }
    }
}

fn letters(view: View, window: &Window, words: &Words) -> Markup {
    let [left, right, top, bottom] = view.letters(words);
    let (center, middle) = (0.5 * WIDTH, 0.5 * window.height);
    let text =
        |x: f64, y: f64, letter: &str| html! { text.letter x=(px(x)) y=(px(y)) { (letter) } };
    html! {
        (text(11.0, middle + 4.0, left))
        (text(WIDTH - 11.0, middle + 4.0, right))
        (text(center, 17.0, top))
        (text(center, window.height - 8.0, bottom))
    }
}

/// A bar of a round length, at most a third of the view.
fn scale_bar(window: &Window) -> Markup {
    let most_mm = WIDTH / 3.0 / window.px_per_mm;
    let fits = [0.5, 0.4, 0.2].map(|share| nice_step(most_mm * share));
    let mm = fits
        .into_iter()
        .find(|mm| *mm <= most_mm)
        .unwrap_or(most_mm);
    let (to, y) = (WIDTH - 1.0, window.height + 10.0);
    let from = to - mm * window.px_per_mm;
    let bar = format!("M{} {}v6m0-3H{}m0-3v6", px(from), px(y - 3.0), px(to));
    html! {
        g.scale {
            path d=(bar) {}
            text x=(px(from - 6.0)) y=(px(y + 3.5)) { (format!("{}\u{202f}mm", figure(mm))) }
        }
    }
}
