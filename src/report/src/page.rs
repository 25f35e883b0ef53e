//! The page.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use recording::{Event, Outcome, Target};
use scoring::{Advice, Band, DisplayName, Item, Measure, Move, SessionScore, TaskScore};

use crate::contents::{Contents, State, TaskCourse};
use crate::icons;
use crate::numbers::{NO_FIGURE, amount, duration, plain, points, px, tenths, with_unit};
use crate::path_chart::Path;
use crate::picture::Picture;
use crate::words::{Words, fill, say, words};
use crate::{Language, time_chart};

const STYLE: &str = include_str!("style.css");
/// Nothing is loaded and nothing runs, whatever a text says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
/// Events that are listed; the drawing shows them all.
const MOST_EVENTS: usize = 60;

/// What every part of the page needs.
struct Page<'a> {
    contents: &'a Contents<'a>,
    language: Language,
    words: &'static Words,
}

pub(crate) fn page(contents: &Contents, language: Language) -> String {
    let page = Page {
        contents,
        language,
        words: words(language),
    };
    page.document().into_string()
}

impl Page<'_> {
    fn say(&self, name: &DisplayName) -> String {
        say(name, self.language)
    }

    fn document(&self) -> Markup {
        let tag = match self.language {
            Language::English => "en",
            Language::Chinese => "zh-Hans",
        };
        let title = self.say(self.contents.input.title);
        html! {
            (DOCTYPE)
            html lang=(tag) {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " · " (self.words.report) }
                    style { (PreEscaped(STYLE)) }
                }
                body { main {
                    (self.header(&title))
                    (self.notices())
                    (self.summary())
                    @for at in 0..self.contents.tasks.len() { (self.task(at)) }
                    (self.course())
                    (self.foot())
                } }
            }
        }
    }

    fn header(&self, title: &str) -> Markup {
        let intro = self.say(self.contents.input.intro);
        html! {
            header.top {
                div.what {
                    p.kind { (self.words.report) }
                    h1 { (title) }
                    @if !intro.is_empty() { p.intro { (intro) } }
                }
                (self.overall(self.contents.input.score))
            }
            (self.facts())
        }
    }

    fn overall(&self, score: &SessionScore) -> Markup {
        html! {
            section class={ "overall " (band_class(score.band)) } aria-label=(self.words.overall) {
                (ring(score.points, &points(score.points, score.band), self.words.of_points))
                p { span.label { (self.words.overall) } (self.badge(score.band)) }
            }
        }
    }

    fn badge(&self, band: Band) -> Markup {
        html! { span class={ "band " (band_class(band)) } { (icons::band(band)) (self.words.band(band)) } }
    }

    fn not_started(&self) -> Markup {
        html! { span.band.none { (icons::not_done()) (self.words.not_started) } }
    }

    fn facts(&self) -> Markup {
        let input = self.contents.input;
        let header = input.header;
        let words = self.words;
        let facts = [
            (words.trainee, plain(input.trainee.unwrap_or_default())),
            (words.date, plain(input.date)),
            (words.patient, plain(&header.patient)),
            (words.probe, plain(&header.probe)),
            (words.duration, duration(self.contents.duration_s)),
            (words.engine, plain(&header.engine)),
            (words.seed, header.seed.to_string()),
        ];
        html! {
            dl.facts { @for (label, text) in facts {
                @if !text.is_empty() { div { dt { (label) } dd { (text) } } }
            } }
        }
    }

    fn notices(&self) -> Markup {
        let (input, words) = (self.contents.input, self.words);
        let made_by = plain(&input.header.engine);
        let reported_by = plain(input.this_engine);
        html! {
            @if input.is_broken_off { (notice(words.broken_off)) }
            @if made_by != reported_by {
                (notice(&fill(words.other_engine, &[&made_by, &reported_by])))
            }
            @if input.steps.is_empty() { (notice(words.no_steps)) }
            @if input.score.tasks.is_empty() { (notice(words.no_tasks)) }
        }
    }

    /// All tasks at a glance; one alone needs no list.
    fn summary(&self) -> Markup {
        let tasks = &self.contents.tasks;
        html! {
            @if tasks.len() > 1 {
                section.summary {
                    h2 { (self.words.tasks) }
                    table { tbody { @for (at, task) in tasks.iter().enumerate() {
                        tr {
                            td.number { (at + 1) }
                            th scope="row" { a href=(format!("#task-{}", at + 1)) { (self.say(&task.score.name)) } }
                            td.state { (self.state(task.state)) }
                            @if task.state == State::NotStarted {
                                td.bar { (bar(0.0, 100.0, None)) }
                                td.points.muted { (NO_FIGURE) }
                                td.verdict {}
                            } @else {
                                td.bar { (bar(task.score.points, 100.0, Some(task.score.band))) }
                                td.points { (points(task.score.points, task.score.band)) }
                                td.verdict { (self.badge(task.score.band)) }
                            }
                        }
                    } } }
                }
            }
        }
    }

    fn state(&self, state: State) -> String {
        let words = self.words;
        let ended = |template: &str, from: f64, to: f64| fill(template, &[&duration(to - from)]);
        match state {
            State::NotStarted => words.not_started.to_owned(),
            State::Unfinished { .. } => words.unfinished.to_owned(),
            State::Ended {
                from_s,
                to_s,
                outcome,
            } => match outcome {
                Outcome::Answered => ended(words.answered, from_s, to_s),
                Outcome::Left => ended(words.left, from_s, to_s),
                Outcome::TimedOut => ended(words.timed_out, from_s, to_s),
            },
        }
    }

    fn task(&self, at: usize) -> Markup {
        let task = &self.contents.tasks[at];
        let is_started = task.state != State::NotStarted;
        let path = Path {
            runs: &task.path,
            captures: &task.captures,
            target: task.target,
        };
        html! {
            article.task id=(format!("task-{}", at + 1)) {
                header {
                    div {
                        p.kind { (fill(self.words.task, &[&(at + 1).to_string()])) }
                        h2 { (self.say(&task.score.name)) }
                        @if is_started { p.muted { (self.state(task.state)) } }
                    }
                    @if is_started { (self.task_score(task.score)) } @else { (self.not_started()) }
                }
                @if is_started {
                    (self.pictures(task))
                    (self.items(task.score))
                    (self.measures(&task.score.measures))
                    @if let Some(figure) = path.figure(self.words) { (figure) }
                }
            }
        }
    }

    fn task_score(&self, score: &TaskScore) -> Markup {
        html! {
            div class={ "task-score " (band_class(score.band)) } {
                (self.badge(score.band))
                (ring(score.points, &points(score.points, score.band), ""))
            }
        }
    }

    /// The trainee's picture beside the target's; nothing where the task asks for none.
    fn pictures(&self, task: &TaskCourse) -> Markup {
        let words = self.words;
        let is_asked = matches!(task.target, Some(Target::Plane(_)));
        let is_there = task.acquired.is_some() || task.exemplary.is_some();
        let when = task.captures.last().map(|c| duration(c.time_s));
        let caption = match when {
            Some(when) => format!("{} · {}", words.acquired, fill(words.at_time, &[&when])),
            None => words.acquired.to_owned(),
        };
        html! {
            @if is_asked || is_there {
                div.pictures {
                    (picture(task.acquired, &caption, words.no_acquired))
                    (picture(task.exemplary, words.exemplary, words.no_exemplary))
                }
            }
        }
    }

    fn items(&self, score: &TaskScore) -> Markup {
        let words = self.words;
        let sum: f64 = score.items.iter().map(|item| item.of).sum();
        html! {
            @if !score.items.is_empty() {
                table.items {
                    thead { tr {
                        th scope="col" { (words.item) }
                        th.earned scope="col" { (words.points) }
                        th scope="col" { (words.found) }
                        th scope="col" { (words.mend) }
                    } }
                    tbody { @for item in &score.items { (self.item(item)) } }
                    tfoot { tr {
                        th scope="row" { (words.total) }
                        td.earned { (earned(&points(score.points, score.band), &tenths(sum), words)) }
                        td colspan="2" {}
                    } }
                }
            }
        }
    }

    fn item(&self, item: &Item) -> Markup {
        html! {
            tr {
                th scope="row" { (self.say(&item.name)) }
                td.earned {
                    (earned(&tenths(item.points), &tenths(item.of), self.words))
                    (bar(item.points, item.of, None))
                }
                td { (self.say(&item.found)) }
                td.mend {
                    @match &item.advice {
                        Some(advice) => (self.advice(advice)),
                        None if item.points >= item.of => span.muted { (self.words.full) },
                        None => span.muted { (NO_FIGURE) },
                    }
                }
            }
        }
    }

    fn advice(&self, advice: &Advice) -> Markup {
        html! {
            p { (self.say(&advice.words)) }
            @if !advice.moves.is_empty() {
                ul.moves { @for one in &advice.moves {
                    li { (icons::arrow(one)) (self.move_name(one)) }
                } }
            }
        }
    }

    fn move_name(&self, one: &Move) -> String {
        let words = self.words;
        let size =
            |template: &str, value: f64, unit: &str| fill(template, &[&amount(value.abs(), unit)]);
        match one {
            Move::Slide {
                marker_mm,
                across_mm,
            } => size(words.slide, libm::hypot(*marker_mm, *across_mm), "mm"),
            Move::Rock(degrees) => size(words.rock, *degrees, "°"),
            Move::Tilt(degrees) => size(words.tilt, *degrees, "°"),
            Move::Rotate(degrees) if *degrees < 0.0 => size(words.rotate_left, *degrees, "°"),
            Move::Rotate(degrees) => size(words.rotate_right, *degrees, "°"),
            Move::Compress(newtons) if *newtons < 0.0 => size(words.press_less, *newtons, "N"),
            Move::Compress(newtons) => size(words.press_more, *newtons, "N"),
            Move::Turn { knob, by } => {
                let sign = if *by > 0.0 { "+" } else { "" };
                fill(
                    words.knob,
                    &[&plain(knob), &format!("{sign}{}", amount(*by, ""))],
                )
            }
        }
    }

    fn measures(&self, measures: &[Measure]) -> Markup {
        html! {
            @if !measures.is_empty() {
                section.measures {
                    h3 { (self.words.measures) }
                    dl { @for measure in measures {
                        div { dt { (self.say(&measure.name)) } dd { (with_unit(measure.value, &measure.unit)) } }
                    } }
                }
            }
        }
    }

    fn course(&self) -> Markup {
        let contents = self.contents;
        let names: Vec<String> = contents
            .tasks
            .iter()
            .map(|t| self.say(&t.score.name))
            .collect();
        // Tasks show their own paths; the whole one is for sessions without any.
        let is_free = contents
            .tasks
            .iter()
            .all(|task| task.state == State::NotStarted);
        let path = Path {
            runs: &contents.path,
            captures: &[],
            target: None,
        };
        html! {
            @if !contents.input.steps.is_empty() {
                section.session {
                    h2 { (self.words.course) }
                    (time_chart::figure_of(contents, &names, self.words))
                    @if is_free && let Some(figure) = path.figure(self.words) { (figure) }
                    (self.events(&names))
                }
            }
        }
    }

    /// The list; of very many, refused knobs are only counted.
    fn events(&self, names: &[String]) -> Markup {
        let events = &self.contents.events;
        let is_short = events.len() <= MOST_EVENTS;
        let is_listed = |event: &Event| is_short || !matches!(event, Event::Refused { .. });
        let listed = events.iter().filter(|(_, event)| is_listed(event));
        let listed: Vec<_> = listed.take(MOST_EVENTS).collect();
        let more = events.len() - listed.len();
        html! {
            @if !events.is_empty() {
                h3 { (self.words.events) }
                ol.events { @for (time, event) in listed {
                    li { span.time { (duration(*time)) } span { (self.event(event, names)) } }
                } }
                @if more > 0 { p.muted { (fill(self.words.more_events, &[&more.to_string()])) } }
            }
        }
    }

    fn event(&self, event: &Event, names: &[String]) -> String {
        let words = self.words;
        let about = |template: &str, task: u32| {
            let name = match names.get(task as usize) {
                Some(name) => fill(words.quoted_task, &[name]),
                None => fill(words.task, &[&(u64::from(task) + 1).to_string()]),
            };
            fill(template, &[&name])
        };
        match event {
            Event::TaskStarted { task, .. } => about(words.ev_started, *task),
            Event::TargetMoved { task, .. } => about(words.ev_moved, *task),
            Event::Captured { task, .. } => about(words.ev_captured, *task),
            Event::TaskEnded { task, outcome } => {
                let template = match outcome {
                    Outcome::Answered => words.ev_answered,
                    Outcome::Left => words.ev_left,
                    Outcome::TimedOut => words.ev_timed_out,
                };
                about(template, *task)
            }
            Event::Refused { knob, why } => fill(words.ev_refused, &[&plain(knob), &plain(why)]),
        }
    }

    fn foot(&self) -> Markup {
        let words = self.words;
        html! {
            footer {
                h2 { (words.how_to_read) }
                p { (words.band_limits) " " (words.band_source) }
                p { (words.arrows) " " (words.axes) }
            }
        }
    }
}

fn band_class(band: Band) -> &'static str {
    match band {
        Band::Standard => "standard",
        Band::Basic => "basic",
        Band::NonStandard => "non-standard",
    }
}

fn notice(text: &str) -> Markup {
    html! { p.notice role="note" { (icons::notice()) span { (text) } } }
}

/// Points as a share of a circle, with the bands' limits marked.
fn ring(value: f64, text: &str, below: &str) -> Markup {
    const RADIUS: f64 = 44.0;
    let around = std::f64::consts::TAU * RADIUS;
    let share = (value / 100.0).clamp(0.0, 1.0);
    let dash = format!("{} {}", px(share * around), px(around));
    html! {
        svg.ring viewBox="0 0 108 108" role="img" aria-label=(text) {
            circle.track cx="54" cy="54" r=(RADIUS) {}
            @if share > 0.0 {
                circle.arc cx="54" cy="54" r=(RADIUS) stroke-dasharray=(dash) transform="rotate(-90 54 54)" {}
            }
            @for limit in [60.0, 80.0] {
                path.limit d="M54 5v10" transform=(format!("rotate({} 54 54)", px(3.6 * limit))) {}
            }
            text.value x="54" y=(if below.is_empty() { "64" } else { "60" }) { (text) }
            @if !below.is_empty() { text.below x="54" y="75" { (below) } }
        }
    }
}

/// A share of something as a bar; with a band, in its colour and with the bands' limits.
fn bar(value: f64, of: f64, band: Option<Band>) -> Markup {
    let share = if of > 0.0 {
        (value / of).clamp(0.0, 1.0)
    } else {
        0.0
    };
    html! {
        svg class=(format!("bar {}", band.map_or("", band_class))) viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="6" {}
            @if share > 0.0 { rect.fill width=(px(100.0 * share)) height="6" {} }
            @if band.is_some() { path.limit d="M60 0v6M80 0v6" {} }
        }
    }
}

fn earned(points: &str, of: &str, words: &Words) -> Markup {
    html! { span.figures { (fill(words.points_of, &[points, of])) } }
}

fn picture(picture: Option<Picture>, caption: &str, missing: &str) -> Markup {
    html! {
        figure {
            @match picture {
                Some(picture) => img src=(picture.data_uri()) width=(picture.size[0]) height=(picture.size[1]) alt=(caption);,
                None => div.missing { (missing) },
            }
            @if picture.is_some() { figcaption { (caption) } }
        }
    }
}
