//! Tasks, force, contact and what happened, over one time axis.

use maud::{Markup, html};
use recording::Event;

use crate::contents::{Contents, Line, State};
use crate::icons::Mark;
use crate::numbers::{duration, figure, minutes, nice_step, px, px_pair, time_step, with_unit};
use crate::words::{Words, fill};

/// The drawing, in its units: the page shows it about as many pixels wide.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 18.0;
const TASK_ROW: f64 = 22.0;
const FORCE_HEIGHT: f64 = 110.0;
const CONTACT_HEIGHT: f64 = 70.0;
const EVENT_ROW: f64 = 22.0;
/// Room for a chart's title above it.
const TITLE: f64 = 26.0;
const AXIS: f64 = 36.0;
/// Wide enough for what most names need; letters are narrower than they are high.
const LETTER: f64 = 6.2;

/// Session time to the drawing.
struct Axis {
    span_s: f64,
}

impl Axis {
    fn x(&self, time_s: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (time_s / self.span_s).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        let step = time_step(self.span_s, 10.0);
        let count = (self.span_s / step + 1e-9).floor() as u32;
        (0..=count.min(100)).map(|n| f64::from(n) * step).collect()
    }

    /// Seconds, but minutes where seconds would be counted in hundreds.
    fn is_in_minutes(&self) -> bool {
        self.span_s > 300.0
    }
}

/// A line over time with its own scale.
struct Chart<'a> {
    title: &'static str,
    /// What the line came to.
    sum: String,
    line: &'a Line,
    class: &'static str,
    top: f64,
    height: f64,
    ticks: Vec<f64>,
    label: fn(f64) -> String,
}

impl Chart<'_> {
    fn most(&self) -> f64 {
        self.ticks.last().copied().unwrap_or(1.0)
    }

    fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - (value / self.most()).clamp(0.0, 1.0))
    }

    fn drawing(&self, axis: &Axis, words: &Words) -> Markup {
        let bottom = self.top + self.height;
        html! {
            text.title x=(px(LEFT)) y=(px(self.top - 9.0)) { (self.title) }
            text.sum x=(px(WIDTH - RIGHT)) y=(px(self.top - 9.0)) { (self.sum) }
            @for &tick in &self.ticks {
                line.grid x1=(px(LEFT)) x2=(px(WIDTH - RIGHT)) y1=(px(self.y(tick))) y2=(px(self.y(tick))) {}
                text.tick.y x=(px(LEFT - 7.0)) y=(px(self.y(tick) + 3.5)) { ((self.label)(tick)) }
            }
            @if self.line.runs.is_empty() {
                text.none x=(px(0.5 * (LEFT + WIDTH - RIGHT))) y=(px(0.5 * (self.top + bottom) + 4.0)) { (words.no_data) }
            }
            g class=(format!("series {}", self.class)) { @for run in &self.line.runs {
                @let points = self.points(run, axis);
                @if let [first, .., last] = run.as_slice() {
                    path.area d=(format!("M{},{} L{} L{},{}z", px(axis.x(first[0])), px(bottom), points, px(axis.x(last[0])), px(bottom))) {}
                    polyline points=(points) {}
                } @else if let Some(&[time, value]) = run.first() {
                    circle cx=(px(axis.x(time))) cy=(px(self.y(value))) r="1.2" {}
                }
            } }
        }
    }

    fn points(&self, run: &[[f64; 2]], axis: &Axis) -> String {
        let pairs = run
            .iter()
            .map(|&[time, value]| px_pair(axis.x(time), self.y(value)));
        pairs.collect::<Vec<_>>().join(" ")
    }
}

/// The whole drawing. `names` are the tasks' names.
pub(crate) fn figure_of(contents: &Contents, names: &[String], words: &Words) -> Markup {
    let axis = Axis {
        span_s: contents.duration_s.max(1.0),
    };
    let has_tasks = contents
        .tasks
        .iter()
        .any(|task| task.state.span_s().is_some());
    let tasks_top = 4.0;
    let tasks_bottom = tasks_top + if has_tasks { TASK_ROW + 6.0 } else { 0.0 };
    let force_top = tasks_bottom + TITLE;
    let contact_top = force_top + FORCE_HEIGHT + TITLE + 8.0;
    let rows_top = contact_top + CONTACT_HEIGHT + 12.0;
    let rows = event_rows(contents, &axis, rows_top, words);
    let bottom = rows_top + EVENT_ROW * rows.len() as f64;
    let charts = [
        force_chart(contents, force_top, words),
        contact_chart(contents, contact_top, words),
    ];
    html! {
        figure.course {
            svg viewBox=(format!("0 0 {WIDTH} {}", px(bottom + AXIS))) role="img" aria-label=(words.course) {
                (capture_lines(contents, &axis, tasks_bottom, bottom))
                @if has_tasks { (task_row(contents, names, &axis, tasks_top, words)) }
                @for chart in &charts { (chart.drawing(&axis, words)) }
                @for row in &rows { (row) }
                (time_axis(&axis, bottom, words))
            }
        }
    }
}

/// The figures that there are, each in its words.
fn summed_up(unit: &str, figures: &[(&str, Option<f64>)]) -> String {
    let said = figures.iter().filter_map(|(template, value)| {
        value.map(|value| fill(template, &[&with_unit(value, unit)]))
    });
    said.collect::<Vec<_>>().join(" · ")
}

fn force_chart<'a>(contents: &'a Contents, top: f64, words: &Words) -> Chart<'a> {
    let line = &contents.force;
    let most = line.peak.unwrap_or(0.0).max(1.0);
    let step = nice_step(most / 4.0);
    let count = (most / step).ceil().min(10.0) as u32;
    Chart {
        title: words.force,
        sum: summed_up("N", &[(words.peak, line.peak), (words.mean, line.mean)]),
        line,
        class: "force",
        top,
        height: FORCE_HEIGHT,
        ticks: (0..=count).map(|n| f64::from(n) * step).collect(),
        label: figure,
    }
}

fn contact_chart<'a>(contents: &'a Contents, top: f64, words: &Words) -> Chart<'a> {
    let line = &contents.contact;
    let percent = line.mean.map(|share| 100.0 * share);
    Chart {
        title: words.contact,
        sum: summed_up("%", &[(words.mean, percent)]),
        line,
        class: "contact",
        top,
        height: CONTACT_HEIGHT,
        ticks: vec![0.0, 0.5, 1.0],
        label: |share| figure(100.0 * share),
    }
}

fn row_label(label: &str, y: f64) -> Markup {
    html! { text.row x=(px(LEFT - 7.0)) y=(px(y + 4.0)) { (label) } }
}

/// A bar for each task, with as much of its name as fits.
fn task_row(contents: &Contents, names: &[String], axis: &Axis, top: f64, words: &Words) -> Markup {
    let middle = top + 0.5 * TASK_ROW;
    html! {
        (row_label(words.tasks, middle))
        @for (at, task) in contents.tasks.iter().enumerate() {
            @if let Some([from_s, to_s]) = task.state.span_s() {
                @let (from, to) = (axis.x(from_s), axis.x(to_s));
                @let width = (to - from - 2.0).max(2.0);
                g.task {
                    title { (names[at]) " · " (duration(to_s - from_s)) }
                    rect x=(px(from + 1.0)) y=(px(top)) width=(px(width)) height=(px(TASK_ROW)) rx="4" {}
                    text x=(px(from + 9.0)) y=(px(middle + 4.0)) { (fitting(&format!("{} · {}", at + 1, names[at]), width - 30.0)) }
                    @if let State::Ended { outcome, .. } = task.state && width > 34.0 {
                        (Mark::Ended(outcome).at(to - 12.0, middle, ""))
                    }
                }
            }
        }
    }
}

/// As much of a text as fits into a width, with dots where something is left out.
fn fitting(text: &str, width: f64) -> String {
    let width_of = |c: char| if c.is_ascii() { LETTER } else { 2.0 * LETTER };
    let whole: f64 = text.chars().map(width_of).sum();
    if whole <= width {
        return text.to_owned();
    }
    let mut used = LETTER;
    let fits = text.chars().take_while(|&c| {
        used += width_of(c);
        used <= width
    });
    match fits.collect::<String>() {
        cut if cut.is_empty() => cut,
        cut => format!("{}…", cut.trim_end_matches([' ', '·'])),
    }
}

fn capture_lines(contents: &Contents, axis: &Axis, top: f64, bottom: f64) -> Markup {
    html! {
        @for x in places(contents, axis, |event| matches!(event, Event::Captured { .. })) {
            line.moment x1=(px(x)) x2=(px(x)) y1=(px(top)) y2=(px(bottom)) {}
        }
    }
}

/// Where events lie, at most one a unit of the drawing.
fn places(contents: &Contents, axis: &Axis, is_it: fn(&Event) -> bool) -> Vec<f64> {
    let events = contents.events.iter().filter(|(_, event)| is_it(event));
    let mut places: Vec<f64> = events.map(|(time, _)| axis.x(*time).round()).collect();
    places.dedup();
    places
}

/// The rows of marks below the charts: always the pictures, the others where there is something.
fn event_rows(contents: &Contents, axis: &Axis, top: f64, words: &Words) -> Vec<Markup> {
    let mut rows: Vec<Markup> = Vec::new();
    let middle_of = |row: usize| top + EVENT_ROW * (row as f64 + 0.5);
    let captured = places(contents, axis, |event| {
        matches!(event, Event::Captured { .. })
    });
    let refused = places(contents, axis, |event| {
        matches!(event, Event::Refused { .. })
    });
    let y = middle_of(rows.len());
    rows.push(html! {
        (row_label(words.pictures, y))
        @for x in captured { (Mark::Capture.at(x, y, words.capture)) }
    });
    if !contents.frozen.is_empty() {
        let y = middle_of(rows.len());
        rows.push(html! {
            (row_label(words.frozen, y))
            @for [from_s, to_s] in frozen_bars(contents, axis) {
                rect.frozen x=(px(from_s)) y=(px(y - 4.0)) width=(px((to_s - from_s).max(2.0))) height="8" rx="2" {}
            }
        });
    }
    if !refused.is_empty() {
        let y = middle_of(rows.len());
        rows.push(html! {
            (row_label(words.refused, y))
            @for x in refused { (Mark::Refused.at(x, y, words.refused)) }
        });
    }
    rows
}

/// The frozen spans in the drawing, those that touch as one.
fn frozen_bars(contents: &Contents, axis: &Axis) -> Vec<[f64; 2]> {
    let mut bars: Vec<[f64; 2]> = Vec::new();
    for &[from_s, to_s] in &contents.frozen {
        let (from, to) = (axis.x(from_s), axis.x(to_s));
        match bars.last_mut() {
            Some(bar) if from - bar[1] < 1.0 => bar[1] = to,
            _ => bars.push([from, to]),
        }
    }
    bars
}

fn time_axis(axis: &Axis, top: f64, words: &Words) -> Markup {
    let label = |time: f64| match axis.is_in_minutes() {
        true => minutes(time),
        false => figure(time),
    };
    let title = match axis.is_in_minutes() {
        true => words.time_axis_min,
        false => words.time_axis,
    };
    html! {
        line.axis x1=(px(LEFT)) x2=(px(WIDTH - RIGHT)) y1=(px(top)) y2=(px(top)) {}
        @for time in axis.ticks() {
            line.axis x1=(px(axis.x(time))) x2=(px(axis.x(time))) y1=(px(top)) y2=(px(top + 4.0)) {}
            text.tick x=(px(axis.x(time))) y=(px(top + 16.0)) { (label(time)) }
        }
        text.tick.name x=(px(0.5 * (LEFT + WIDTH - RIGHT))) y=(px(top + 31.0)) { (title) }
    }
}
