//! From a recording to the score of each task.

use recording::{Event, Header, Outcome, Step, Target};

use crate::items::{Board, Part};
use crate::words::{plain_advice, say};
use crate::{Band, SessionScore, Task, TaskKind, TaskScore, plane, sweep};

/// The score of a session. `steps` may end anywhere: what is there is scored. The tasks are those
/// of the scenario that was played, in its order.
pub fn score(header: &Header, steps: &[Step], tasks: &[Task]) -> SessionScore {
    let scored = tasks.iter().zip(0_u32..);
    let tasks: Vec<TaskScore> = scored
        .map(|(task, place)| task_score(header, steps, task, place))
        .collect();
    let sum: f64 = tasks.iter().map(|task| task.points).sum();
    let points = match tasks.len() {
        0 => 0.0,
        count => sum / count as f64,
    };
    SessionScore {
        points,
        band: Band::of(points),
        tasks,
    }
}

fn task_score(header: &Header, steps: &[Step], task: &Task, place: u32) -> TaskScore {
    let Some(attempt) = Attempt::find(header, steps, place) else {
        return not_started().score(task);
    };
    let board = match (&task.kind, attempt.target) {
        (TaskKind::Plane(asked), Target::Plane(target)) => {
            plane::judged(&attempt, asked, target, task.time_limit_s)
        }
        (TaskKind::Sweep(asked), Target::Sweep(target)) => sweep::judged(&attempt, asked, target),
        _ => another_task(),
    };
    board.score(task)
}

fn not_started() -> Board {
    let found = say("The task was not begun", "未开始该任务");
    Board::of(vec![Part::ANSWER.item(0.0, found, || {
        plain_advice(say(
            "Go on to this task before the session ends",
            "请在练习结束前完成该任务",
        ))
    })])
}

fn another_task() -> Board {
    let found = say(
        "The recording is of another scenario: its target is of another kind",
        "录制内容与本情景不符：目标类型不同",
    );
    Board::of(vec![Part::ANSWER.item(0.0, found, || {
        plain_advice(say(
            "Score the recording with the scenario that it was played with",
            "请用录制时的情景评分",
        ))
    })])
}

/// The last attempt at a task.
pub(crate) struct Attempt<'a> {
    pub header: &'a Header,
    /// The whole recording.
    pub steps: &'a [Step],
    /// The step in which the task began.
    pub first: usize,
    /// The last step that belongs to it.
    pub last: usize,
    /// What was to be reached.
    pub target: &'a Target,
    /// The step of the last picture that was handed in.
    pub answer: Option<usize>,
}

impl<'a> Attempt<'a> {
    fn find(header: &'a Header, steps: &'a [Step], task: u32) -> Option<Self> {
        let place_of = |is_it: &dyn Fn(&Event) -> bool| {
            steps.iter().rposition(|step| step.events.iter().any(is_it))
        };
        let answer =
            place_of(&|event| matches!(event, Event::Captured { task: t, .. } if *t == task));
        let until = answer.unwrap_or(steps.len().saturating_sub(1));
        let (first, target) = start_of(steps.get(..=until)?, task)?;
        let target = moved_target(&steps[first..=until], task).unwrap_or(target);
        let ends = |step: &Step| step.events.iter().any(|event| ends_task(event, task));
        let end = (first..steps.len()).find(|at| ends(&steps[*at]));
        let last = end.unwrap_or(steps.len() - 1).max(answer.unwrap_or(first));
        Some(Self {
            header,
            steps,
            first,
            last,
            target,
            answer,
        })
    }

    /// The steps from the beginning to one of them.
    pub fn steps_to(&self, last: usize) -> &'a [Step] {
        &self.steps[self.first..=last]
    }

    /// Time from the task's beginning to a step, s.
    pub fn seconds_to(&self, step: usize) -> f64 {
        let ticks = self.steps[step]
            .tick
            .saturating_sub(self.steps[self.first].tick);
        ticks as f64 / self.rate_hz()
    }

    /// Whether the clock ended it.
    pub fn timed_out(&self) -> bool {
        let events = &self.steps[self.last].events;
        events.iter().any(|event| {
            matches!(event, Event::TaskEnded { outcome, .. } if *outcome == Outcome::TimedOut)
        })
    }

    fn rate_hz(&self) -> f64 {
        f64::from(self.header.ticks_per_s.max(1))
    }

    /// A structure's number in the recording.
    pub fn structure(&self, id: &str) -> Option<u16> {
        let place = self
            .header
            .structures
            .iter()
            .position(|known| known == id)?;
        u16::try_from(place).ok()
    }
}

fn start_of(steps: &[Step], task: u32) -> Option<(usize, &Target)> {
    let target =
        |event: &'_ Event| matches!(event, Event::TaskStarted { task: t, .. } if *t == task);
    let first = steps
        .iter()
        .rposition(|step| step.events.iter().any(target))?;
    steps[first]
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::TaskStarted { task: t, target } if *t == task => Some((first, target)),
            _ => None,
        })
}

/// Where a task's target lay last, if the body has moved.
fn moved_target(steps: &[Step], task: u32) -> Option<&Target> {
    let events = steps.iter().rev().flat_map(|step| step.events.iter().rev());
    let mut moved = events.filter_map(|event| match event {
        Event::TargetMoved { task: t, target } if *t == task => Some(target),
        _ => None,
    });
    moved.next()
}

fn ends_task(event: &Event, task: u32) -> bool {
    match event {
        Event::TaskEnded { task: ended, .. } => *ended == task,
        Event::TaskStarted { task: started, .. } => *started != task,
        _ => false,
    }
}
