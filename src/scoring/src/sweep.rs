//! A sweep through a whole structure: five parts that add up to 100.

use std::collections::BTreeSet;

use anatomy::tissue::DisplayName;
use equipment::hand;
use geometry::{Vector, frame};
use recording::{Facts, SweepTarget};

use crate::items::{Board, Part, measure, measures_of};
use crate::judge::Attempt;
use crate::track::{Track, pose_of};
use crate::words::{advice, join, named, plain_advice, say};
use crate::{Advice, Item, Move, SweepRules, SweepTask};

const COVERAGE: Part = Part::new("coverage", "Share seen", "扫查覆盖率", 60.0);
const SPEED: Part = Part::new("speed", "Speed", "扫查速度", 12.0);
const GAPS: Part = Part::new("gaps", "Without gaps", "连续性", 12.0);
const CONTACT: Part = Part::new("contact", "Contact", "探头接触", 8.0);
const FORCE: Part = Part::new("force", "Pressure", "探头压力", 8.0);

/// Judges everything from the task's beginning to its end.
pub(crate) fn judged(attempt: &Attempt<'_>, asked: &SweepTask, target: &SweepTarget) -> Board {
    let judge = Judge::of(attempt, asked, target);
    let mut board = Board::of(vec![
        judge.coverage(),
        judge.speed(),
        judge.gaps(),
        judge.contact(),
        judge.force(),
    ]);
    board.measures = judge.measures();
    board
}

/// A step with facts while the probe was held.
struct Look {
    /// Its place in the recording.
    at: usize,
    visible_mm2: f64,
    contact: f64,
    force_n: f64,
    pose: hand::PatientFromProbe,
}

struct Judge<'a> {
    attempt: &'a Attempt<'a>,
    rules: &'a SweepRules,
    structure: DisplayName,
    /// Share of the cells that were seen, 0 to 1, and that is asked for.
    seen: f64,
    asked: f64,
    /// All looks of the task, and those from the first to the last that shows the structure.
    looks: Vec<Look>,
    within: std::ops::Range<usize>,
    track: Track,
}

impl<'a> Judge<'a> {
    fn of(attempt: &'a Attempt<'a>, asked: &'a SweepTask, target: &SweepTarget) -> Self {
        let number = attempt.structure(&target.structure);
        let looks = looks(attempt, number);
        let shows = |look: &Look| look.visible_mm2 > 0.0;
        let within = match (looks.iter().position(shows), looks.iter().rposition(shows)) {
            (Some(first), Some(last)) => first..last + 1,
            _ => 0..0,
        };
        let steps = match (looks.get(within.start), within.end.checked_sub(1)) {
            (Some(first), Some(last)) => &attempt.steps[first.at..=looks[last].at],
            _ => &[],
        };
        Self {
            track: Track::of(steps, attempt.header.ticks_per_s),
            rules: &asked.rules,
            structure: named(&target.structure),
            seen: seen_share(attempt, number, target.cells),
            asked: asked.share,
            attempt,
            looks,
            within,
        }
    }

    fn sweep(&self) -> &[Look] {
        &self.looks[self.within.clone()]
    }

    fn coverage(&self) -> Item {
        let (seen, asked) = (100.0 * self.seen, 100.0 * self.asked);
        let found = say(
            format!("{seen:.0} % of it were seen, {asked:.0} % are asked for"),
            format!("已扫查 {seen:.0}%，要求 {asked:.0}%"),
        );
        COVERAGE.item(self.seen / self.asked, found, || self.mend_coverage())
    }

    /// A sweep that begins or ends within the structure misses what lies beyond.
    fn mend_coverage(&self) -> Advice {
        let (en, zh) = (the(&self.structure), &self.structure.zh);
        let (Some(first), Some(last)) = (self.sweep().first(), self.sweep().last()) else {
            return plain_advice(say(
                format!(
                    "{} was never in the picture: find it first, then sweep",
                    self.structure.en
                ),
                format!("图像中始终未见{zh}：请先找到再扫查"),
            ));
        };
        let mut told = Vec::new();
        let mut moves = Vec::new();
        if self.begins_within() {
            told.push(say(
                format!("the sweep began within {en}, begin farther back"),
                format!("扫查从{zh}内部开始，应从更靠外处开始"),
            ));
        }
        if self.ends_within() {
            told.push(say(
                format!("the sweep ended within {en}, go on until it has left the picture"),
                format!("扫查在{zh}内部结束，应继续直到其完全消失"),
            ));
            moves.extend(onwards(first, last));
        } else if told.is_empty() {
            told.push(say(
                format!(
                    "parts of {en} were beside the picture or in shadow, sweep again beside it"
                ),
                format!("{zh}的一部分在图像之外或声影内，请在旁边再扫查一次"),
            ));
            moves.push(Move::Slide {
                marker_mm: ONWARDS_MM,
                across_mm: 0.0,
            });
        }
        advice(&join(&told, "; ", "；"), moves, &last.pose)
    }

    /// It was plainly visible in the first look of all, or the last.
    fn is_plain(&self, look: Option<&Look>) -> bool {
        /// Share of the largest area of the sweep.
        const PLAIN: f64 = 0.2;
        let areas = self.looks.iter().map(|look| look.visible_mm2);
        let most = areas.fold(0.0, f64::max);
        look.is_some_and(|look| look.visible_mm2 > PLAIN * most)
    }

    fn begins_within(&self) -> bool {
        self.is_plain(self.looks.first())
    }

    fn ends_within(&self) -> bool {
        self.is_plain(self.looks.last())
    }

    fn speed(&self) -> Item {
        let Some(speed) = self.track.speed_mm_s() else {
            let found = say("The probe did not move along", "探头未移动");
            let share = if self.sweep().is_empty() { 0.0 } else { 1.0 };
            return SPEED.item(share, found, || self.nothing());
        };
        let found = say(
            format!("The probe moved at {speed:.0} mm/s"),
            format!("探头速度 {speed:.0} mm/s"),
        );
        SPEED.item(self.rules.speed_mm_s.share(speed), found.clone(), || {
            let right = self.rules.speed_mm_s.green;
            plain_advice(say(
                format!("{}: go more slowly, at {right:.0} mm/s or less", found.en),
                format!("{}：请放慢到 {right:.0} mm/s 以下", found.zh),
            ))
        })
    }

    fn gaps(&self) -> Item {
        let lost = self.sweep().iter().filter(|look| look.visible_mm2 <= 0.0);
        let (lost, all) = (lost.count() as f64, self.sweep().len() as f64);
        if all == 0.0 {
            return GAPS.item(0.0, self.never_seen(), || self.nothing());
        }
        let share = lost / all;
        let DisplayName { en, zh } = &self.structure;
        let found = say(
            format!("{en} was lost for {:.0} % of the sweep", 100.0 * share),
            format!("扫查过程中 {:.0}% 的时间丢失{zh}", 100.0 * share),
        );
        GAPS.item(self.rules.gaps.share(share), found.clone(), || {
            plain_advice(say(
                format!(
                    "{}: go one way without lifting the probe or leaving it",
                    found.en
                ),
                format!("{}：应朝一个方向连续扫查，不抬起、不离开", found.zh),
            ))
        })
    }

    fn contact(&self) -> Item {
        let Some(contact) = mean(self.sweep().iter().map(|look| look.contact)) else {
            return CONTACT.item(0.0, self.never_seen(), || self.nothing());
        };
        let found = say(
            format!("{:.0} % of the face touched the skin", 100.0 * contact),
            format!("探头面平均 {:.0}% 与皮肤接触", 100.0 * contact),
        );
        CONTACT.item(self.rules.contact.share(contact), found.clone(), || {
            plain_advice(say(
                format!("{}: keep the whole face on the skin, with gel", found.en),
                format!("{}：保持整个探头面贴合皮肤并涂足耦合剂", found.zh),
            ))
        })
    }

    fn force(&self) -> Item {
        let Some(force) = mean(self.sweep().iter().map(|look| look.force_n)) else {
            return FORCE.item(0.0, self.never_seen(), || self.nothing());
        };
        let found = say(
            format!("Pressed with {force:.0} N on average"),
            format!("平均压力 {force:.0} N"),
        );
        FORCE.item(self.rules.force_n.share(force), found.clone(), || {
            let by = self.rules.force_n.amends(force);
            let by = if by > 0.0 { by.ceil() } else { by.floor() };
            let pose = self.sweep().last().map(|look| look.pose);
            let moves = vec![Move::Compress(by)];
            advice(
                &found,
                moves,
                &pose.unwrap_or_else(hand::PatientFromProbe::identity),
            )
        })
    }

    fn never_seen(&self) -> DisplayName {
        let DisplayName { en, zh } = &self.structure;
        say(
            format!("{en} was never in the picture"),
            format!("图像中始终未见{zh}"),
        )
    }

    fn nothing(&self) -> Advice {
        let DisplayName { en, zh } = self.never_seen();
        plain_advice(say(
            format!("{en}: find it first, then sweep"),
            format!("{zh}：请先找到再扫查"),
        ))
    }

    fn measures(&self) -> Vec<crate::Measure> {
        let seconds = match (self.sweep().first(), self.sweep().last()) {
            (Some(first), Some(last)) => {
                self.attempt.seconds_to(last.at) - self.attempt.seconds_to(first.at)
            }
            _ => 0.0,
        };
        let coverage = 100.0 * self.seen;
        let mut measures = vec![measure("coverage", "Share seen", "覆盖率", coverage, "%")];
        measures.extend(measures_of(&self.track, seconds));
        measures
    }
}

fn looks(attempt: &Attempt<'_>, number: Option<u16>) -> Vec<Look> {
    let look = |at: usize| {
        let step = &attempt.steps[at];
        let (pose, facts) = (pose_of(step)?, step.facts.as_ref()?);
        Some(Look {
            at,
            visible_mm2: visible_mm2(facts, number),
            contact: f64::from(facts.contact),
            force_n: step.probe?.force_n,
            pose,
        })
    };
    (attempt.first..=attempt.last)
        .filter(|at| !attempt.steps[*at].frozen)
        .filter_map(look)
        .collect()
}

fn visible_mm2(facts: &Facts, number: Option<u16>) -> f64 {
    let seen = facts
        .seen
        .iter()
        .find(|seen| Some(seen.structure) == number);
    seen.map_or(0.0, |seen| f64::from(seen.visible_mm2))
}

/// Share of the cells seen. A recording tells of a cell only when it is seen for the first time, so
/// what was seen before the task counts too.
fn seen_share(attempt: &Attempt<'_>, number: Option<u16>, cells: u32) -> f64 {
    let facts = attempt.steps[..=attempt.last].iter();
    let facts = facts.filter_map(|step| step.facts.as_ref());
    let of_it = facts.flat_map(|facts| facts.seen.iter().filter(|s| Some(s.structure) == number));
    let seen: BTreeSet<&[i16; 3]> = of_it.flat_map(|seen| &seen.new_cells).collect();
    match cells {
        0 => 0.0,
        cells => (seen.len() as f64 / f64::from(cells)).min(1.0),
    }
}

/// "the right kidney".
fn the(name: &DisplayName) -> String {
    let mut letters = name.en.chars();
    let first = letters.next().map(char::to_lowercase).into_iter().flatten();
    format!("the {}{}", first.collect::<String>(), letters.as_str())
}

/// How far to go on, where nothing says how far there is to go.
const ONWARDS_MM: f64 = 20.0;

/// On in the direction of the sweep; none if it went nowhere.
fn onwards(first: &Look, last: &Look) -> Option<Move> {
    /// From the face, where the middle of most organs lies.
    const MIDDLE_MM: f64 = 60.0;
    let middle =
        |look: &Look| hand::face_of(&look.pose) + look.pose * Vector::new(0.0, 0.0, MIDDLE_MM);
    let way: Vector<frame::Probe> = last.pose.inverse() * (middle(last) - middle(first));
    let length = libm::hypot(way.x(), way.y());
    (length >= 1.0).then(|| Move::Slide {
        marker_mm: (ONWARDS_MM * way.x() / length).round() + 0.0,
        across_mm: (ONWARDS_MM * way.y() / length).round() + 0.0,
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests;
