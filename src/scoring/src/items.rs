//! The parts of scores, and how points are added up.

use anatomy::tissue::DisplayName;

use crate::smoothness;
use crate::track::Track;
use crate::words::say;
use crate::{Advice, Band, Item, Measure, Task, TaskScore};

/// A part of a score: its id, what people call it and what can be earned.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    id: &'static str,
    en: &'static str,
    zh: &'static str,
    pub of: f64,
}

impl Part {
    /// The whole, where nothing can be judged in parts.
    pub const ANSWER: Self = Self::new("answer", "Answer", "作答", 100.0);

    pub const fn new(id: &'static str, en: &'static str, zh: &'static str, of: f64) -> Self {
        Self { id, en, zh, of }
    }

    /// The part with a share of its points; advice if any are lost. Points are tenths: what nobody
    /// can see is no loss.
    pub fn item(self, share: f64, found: DisplayName, advice: impl FnOnce() -> Advice) -> Item {
        // What is no number earns nothing.
        let share = if share > 0.0 { share.min(1.0) } else { 0.0 };
        let points = tenths(self.of * share);
        Item {
            advice: (points < self.of).then(advice),
            id: self.id.to_owned(),
            name: say(self.en, self.zh),
            points,
            of: self.of,
            found,
        }
    }

    /// Points taken off the whole, a part of which nothing can be earned.
    pub fn deduction(self, points: f64, found: DisplayName, advice: Advice) -> Item {
        Item {
            id: self.id.to_owned(),
            name: say(self.en, self.zh),
            points: -points,
            of: 0.0,
            found,
            advice: Some(advice),
        }
    }
}

fn tenths(points: f64) -> f64 {
    (points * 10.0).round() / 10.0
}

/// What a task was judged by.
pub(crate) struct Board {
    pub items: Vec<Item>,
    pub measures: Vec<Measure>,
}

impl Board {
    pub fn of(items: Vec<Item>) -> Self {
        Self {
            items,
            measures: Vec::new(),
        }
    }

    pub fn points(&self) -> f64 {
        tenths(self.items.iter().map(|item| item.points).sum())
    }

    pub fn score(self, task: &Task) -> TaskScore {
        let points = self.points();
        TaskScore {
            task: task.id.clone(),
            name: task.name.clone(),
            points,
            band: Band::of(points),
            items: self.items,
            measures: self.measures,
        }
    }
}

pub(crate) fn measure(id: &str, en: &str, zh: &str, value: f64, unit: &str) -> Measure {
    Measure {
        id: id.to_owned(),
        name: say(en, zh),
        value,
        unit: unit.to_owned(),
    }
}

/// What is measured of every movement.
pub(crate) fn measures_of(track: &Track, seconds: f64) -> Vec<Measure> {
    let mut measures = vec![
        measure("time", "Time", "用时", seconds, "s"),
        measure(
            "path_length",
            "Path length",
            "移动路程",
            track.path_mm(),
            "mm",
        ),
        measure(
            "rotation_sum",
            "Sum of turns",
            "转动总量",
            track.turned_deg(),
            "°",
        ),
        measure("stops", "Stops", "停顿次数", track.stops() as f64, ""),
    ];
    if let Some(speed) = track.speed_mm_s() {
        let (en, zh) = ("Mean speed while moving", "移动时平均速度");
        measures.push(measure("speed", en, zh, speed, "mm/s"));
    }
    let places: Vec<_> = track.longest_held().iter().map(|at| at.coords).collect();
    if let Some(smooth) = smoothness::of_places(&places, track.rate_hz()) {
        let (en, zh) = (
            "Smoothness: log dimensionless jerk",
            "平滑度：对数无量纲加加速度",
        );
        measures.push(measure("ldlj", en, zh, smooth.ldlj, ""));
        let (en, zh) = ("Smoothness: spectral arc length", "平滑度：频谱弧长");
        measures.push(measure("sparc", en, zh, smooth.sparc, ""));
    }
    measures
}
