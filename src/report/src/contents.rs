//! What page and JSON are both made from: the recording, task by task and as lines over time.

use recording::{Event, Outcome, ProbeState, Step, Target};
use scoring::{TaskScore, hand::PatientFromProbe};

use crate::ReportInput;
use crate::picture::Picture;
use crate::series::{Collector, Runs, mean, peak, thinned};

/// Buckets that a line over time is thinned to: about the pixels it is wide.
const TIME_BUCKETS: f64 = 600.0;
/// Buckets that the path of a task is thinned to.
const PATH_BUCKETS: f64 = 400.0;

/// A report, worked out.
pub(crate) struct Contents<'a> {
    pub(crate) input: &'a ReportInput<'a>,
    /// Time of the last step, s.
    pub(crate) duration_s: f64,
    pub(crate) tasks: Vec<TaskCourse<'a>>,
    /// Path of the whole session; the tasks have theirs.
    pub(crate) path: Runs<4>,
    /// Time s, force N.
    pub(crate) force: Line,
    /// Time s, share of lines in contact 0 to 1.
    pub(crate) contact: Line,
    /// From when to when the picture was frozen, s.
    pub(crate) frozen: Vec<[f64; 2]>,
    /// What happened when, s.
    pub(crate) events: Vec<(f64, &'a Event)>,
}

/// A figure over time, thinned, with what it came to before.
pub(crate) struct Line {
    pub(crate) runs: Runs<2>,
    pub(crate) peak: Option<f64>,
    pub(crate) mean: Option<f64>,
}

/// One task as it went.
pub(crate) struct TaskCourse<'a> {
    pub(crate) score: &'a TaskScore,
    pub(crate) state: State,
    pub(crate) target: Option<&'a Target>,
    pub(crate) captures: Vec<Capture>,
    /// Time s, x, y, z mm of the middle of the face in the patient.
    pub(crate) path: Runs<4>,
    pub(crate) acquired: Option<Picture<'a>>,
    pub(crate) exemplary: Option<Picture<'a>>,
}

/// How far a task came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    NotStarted,
    /// It began and did not end; until then, s.
    Unfinished {
        from_s: f64,
        to_s: f64,
    },
    Ended {
        from_s: f64,
        to_s: f64,
        outcome: Outcome,
    },
}

impl State {
    /// From when to when, s.
    pub(crate) fn span_s(self) -> Option<[f64; 2]> {
        match self {
            Self::NotStarted => None,
            Self::Unfinished { from_s, to_s } | Self::Ended { from_s, to_s, .. } => {
                Some([from_s, to_s])
            }
        }
    }
}

/// A picture handed in.
pub(crate) struct Capture {
    pub(crate) time_s: f64,
    pub(crate) picture: u64,
    /// Where the probe was, unless it lay aside.
    pub(crate) pose: Option<PatientFromProbe>,
}

impl<'a> Contents<'a> {
    pub(crate) fn of(input: &'a ReportInput<'a>) -> Self {
        // A header of a broken file may say 0.
        let ticks_per_s = f64::from(input.header.ticks_per_s.max(1));
        let time_of = |step: &Step| step.tick as f64 / ticks_per_s;
        let duration_s = input.steps.last().map_or(0.0, time_of);
        let timed: Vec<(f64, &Step)> = input.steps.iter().map(|s| (time_of(s), s)).collect();
        let tasks = (0..input.score.tasks.len())
            .map(|task| course(input, task, &timed, duration_s))
            .collect();
        Self {
            input,
            duration_s,
            tasks,
            path: path(&timed, duration_s),
            force: line(&timed, duration_s, |step| {
                Point::from(step.probe.map(|probe| probe.force_n))
            }),
            contact: line(&timed, duration_s, contact),
            frozen: frozen(&timed),
            events: timed
                .iter()
                .flat_map(|(time, step)| step.events.iter().map(|event| (*time, event)))
                .collect(),
        }
    }
}

/// What a step adds to a line.
enum Point {
    Value(f64),
    Gap,
    /// Not asked at this step; the line goes on.
    Nothing,
}

impl From<Option<f64>> for Point {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Gap, Self::Value)
    }
}

fn contact(step: &Step) -> Point {
    match (&step.facts, step.probe) {
        (Some(facts), _) => Point::Value(f64::from(facts.contact)),
        (None, Some(_)) => Point::Nothing,
        (None, None) => Point::Gap,
    }
}

fn line(timed: &[(f64, &Step)], duration_s: f64, value: impl Fn(&Step) -> Point) -> Line {
    let mut collector = Collector::new();
    for (time, step) in timed {
        match value(step) {
            Point::Value(value) => collector.push(Some([*time, value])),
            Point::Gap => collector.push(None),
            Point::Nothing => {}
        }
    }
    let runs = collector.finish();
    Line {
        peak: peak(&runs, 1),
        mean: mean(&runs, 1),
        runs: thinned(&runs, bucket_s(duration_s, TIME_BUCKETS)),
    }
}

fn bucket_s(span_s: f64, buckets: f64) -> f64 {
    (span_s / buckets).max(1e-9)
}

/// The middle of the probe's face, mm.
pub(crate) fn place(pose: &PatientFromProbe) -> [f64; 3] {
    let at = &pose.isometry.translation.vector;
    [at.x, at.y, at.z]
}

fn path(timed: &[(f64, &Step)], span_s: f64) -> Runs<4> {
    let mut collector = Collector::new();
    for (time, step) in timed {
        collector.push(step.probe.map(
            |ProbeState {
                 patient_from_probe, ..
             }| {
                let [x, y, z] = place(&patient_from_probe);
                [*time, x, y, z]
            },
        ));
    }
    thinned(&collector.finish(), bucket_s(span_s, PATH_BUCKETS))
}

/// Each frozen stretch, up to the step that thaws it.
fn frozen(timed: &[(f64, &Step)]) -> Vec<[f64; 2]> {
    let mut spans: Vec<[f64; 2]> = Vec::new();
    let mut was_frozen = false;
    for (time, step) in timed {
        match spans.last_mut() {
            Some(span) if was_frozen => span[1] = *time,
            _ if step.frozen => spans.push([*time, *time]),
            _ => {}
        }
        was_frozen = step.frozen;
    }
    spans
}

fn course<'a>(
    input: &'a ReportInput<'a>,
    task: usize,
    timed: &[(f64, &'a Step)],
    duration_s: f64,
) -> TaskCourse<'a> {
    let is_this = |number: u32| number as usize == task;
    let mut course = TaskCourse {
        score: &input.score.tasks[task],
        state: State::NotStarted,
        target: None,
        captures: Vec::new(),
        path: Vec::new(),
        acquired: picture(input, task, |pictures| pictures.acquired),
        exemplary: picture(input, task, |pictures| pictures.exemplary),
    };
    for (time, step) in timed {
        for event in &step.events {
            match event {
                Event::TaskStarted { task, target } if is_this(*task) => {
                    course.target = Some(target);
                    course.state = State::Unfinished {
                        from_s: *time,
                        to_s: duration_s,
                    };
                }
                Event::Captured { task, picture } if is_this(*task) => {
                    course.captures.push(Capture {
                        time_s: *time,
                        picture: *picture,
                        pose: step.probe.map(|probe| probe.patient_from_probe),
                    });
                }
                Event::TaskEnded { task, outcome } if is_this(*task) => {
                    course.state = ended(course.state, *time, *outcome);
                }
                _ => {}
            }
        }
    }
    if let Some([from_s, to_s]) = course.state.span_s() {
        let within = |&(time, _): &(f64, &Step)| from_s <= time && time <= to_s;
        let during: Vec<(f64, &Step)> = timed.iter().copied().filter(within).collect();
        course.path = path(&during, to_s - from_s);
    }
    course
}

/// The state after an end; an end without a beginning has no length.
fn ended(before: State, to_s: f64, outcome: Outcome) -> State {
    let from_s = before.span_s().map_or(to_s, |[from_s, _]| from_s);
    State::Ended {
        from_s,
        to_s,
        outcome,
    }
}

fn picture<'a>(
    input: &ReportInput<'a>,
    task: usize,
    which: impl Fn(&crate::TaskPictures<'a>) -> Option<&'a [u8]>,
) -> Option<Picture<'a>> {
    input
        .pictures
        .get(task)
        .and_then(which)
        .and_then(Picture::of_png)
}
