//! The picture of a standard plane: eleven parts that add up to 100, and a gate.

use anatomy::tissue::DisplayName;
use equipment::hand::PatientFromProbe;
use equipment::{Console, Probe};
use recording::{Facts, PlaneTarget, RequiredStructure, Step};

use crate::aim::{self, PlaneError, Seen};
use crate::items::{Board, Part, measure, measures_of};
use crate::judge::Attempt;
use crate::picture::beside_mm;
use crate::track::{Track, pose_of};
use crate::words::{advice, join, named, plain_advice, say};
use crate::{Advice, Band, Item, Move, PlaneRules, PlaneTask, Tolerance};

// Structures first: a beautiful picture of the wrong thing is none. Then where the plane lies,
// which is what the hand is to learn; then the machine and the way.
const STRUCTURES: Part = Part::new("structures", "Required structures", "必需结构", 40.0);
const NORMAL: Part = Part::new("normal", "Angle of the plane", "切面角度", 17.0);
const OFFSET: Part = Part::new("offset", "Position of the plane", "切面位置", 13.0);
const MARKER: Part = Part::new("marker", "Marker side", "探头标记方向", 5.0);
const PLACE: Part = Part::new("place", "Place in the picture", "图像内位置", 5.0);
const DEPTH: Part = Part::new("depth", "Depth", "深度", 5.0);
const GAIN: Part = Part::new("gain", "Gain", "增益", 4.0);
const CONTACT: Part = Part::new("contact", "Contact", "探头接触", 4.0);
const FORCE: Part = Part::new("force", "Pressure", "探头压力", 3.0);
const PATH: Part = Part::new("path", "Path of the probe", "探头移动路程", 2.0);
const TIME: Part = Part::new("time", "Time", "用时", 2.0);
/// Takes off what is above [`MOST_WITHOUT`] where a required structure is missing.
const GATE: Part = Part::new(
    "gate",
    "Gate: a required structure is missing",
    "门槛：缺少必需结构",
    0.0,
);
/// The most without a required structure: not even "basic".
const MOST_WITHOUT: f64 = Band::BASIC_FROM - 1.0;

/// Judges the last picture that was handed in.
pub(crate) fn judged(
    attempt: &Attempt<'_>,
    asked: &PlaneTask,
    target: &PlaneTarget,
    time_limit_s: Option<f64>,
) -> Board {
    let Some(answer) = attempt.answer else {
        return without_answer(attempt, &asked.rules, target);
    };
    let Some(picture) = Picture::of(attempt, answer) else {
        return in_the_air(attempt, answer);
    };
    let judge = Judge {
        rules: &asked.rules,
        error: PlaneError::between(&picture.pose, target),
        structures: structures(attempt, &picture, &asked.rules, target),
        track: Track::of(attempt.steps_to(answer), attempt.header.ticks_per_s),
        seconds: attempt.seconds_to(answer),
        attempt,
        target,
        picture,
    };
    let mut board = Board::of(judge.items(time_limit_s));
    board.items.extend(judge.gate(board.points()));
    board.measures = judge.measures();
    board
}

/// The picture that was handed in.
struct Picture<'a> {
    pose: PatientFromProbe,
    force_n: f64,
    facts: Option<&'a Facts>,
    console: Option<Console>,
}

impl<'a> Picture<'a> {
    /// None if the probe lay aside. A frozen picture is as old as the freeze.
    fn of(attempt: &Attempt<'a>, answer: usize) -> Option<Self> {
        let before = &attempt.steps[..=answer];
        let made = match before.iter().rposition(|step| !step.frozen) {
            Some(live) => live,
            None => answer,
        };
        let pose = pose_of(&before[made])?;
        let force_n = before[made].probe.map_or(0.0, |probe| probe.force_n);
        let facts = before[made..].iter().rev();
        Some(Self {
            pose,
            force_n: if force_n.is_finite() { force_n } else { 0.0 },
            facts: facts.filter_map(|step| step.facts.as_ref()).next(),
            console: console_of(before),
        })
    }
}

/// The settings after some steps; none if they were not recorded or cannot be read.
fn console_of(steps: &[Step]) -> Option<Console> {
    let text = steps
        .iter()
        .rev()
        .find_map(|step| step.settings.as_deref())?;
    Console::parse(text, "settings").ok()
}

/// 0 of what is no number.
fn finite(recorded: f32) -> f64 {
    if recorded.is_finite() {
        f64::from(recorded)
    } else {
        0.0
    }
}

/// What the picture shows of a required structure.
struct Shown {
    name: DisplayName,
    /// What would be enough, mm².
    need_mm2: f64,
    /// What the exemplary picture shows, mm².
    exemplary_mm2: f64,
    visible_mm2: f64,
    shadowed_mm2: f64,
}

impl Shown {
    fn of(
        required: &RequiredStructure,
        attempt: &Attempt<'_>,
        facts: Option<&Facts>,
        rules: &PlaneRules,
    ) -> Self {
        let exemplary = required.exemplary_mm2.max(0.0);
        let need = (rules.visible_share * exemplary).max(rules.visible_least_mm2);
        let number = attempt.structure(&required.structure);
        let seen = facts.zip(number).and_then(|(facts, number)| {
            let mut all = facts.seen.iter();
            all.find(|seen| seen.structure == number)
        });
        Self {
            name: named(&required.structure),
            need_mm2: if exemplary > 0.0 {
                need.min(exemplary)
            } else {
                need
            },
            exemplary_mm2: exemplary,
            visible_mm2: seen.map_or(0.0, |seen| finite(seen.visible_mm2)),
            shadowed_mm2: seen.map_or(0.0, |seen| finite(seen.shadowed_mm2)),
        }
    }

    fn is_visible(&self) -> bool {
        self.visible_mm2 >= self.need_mm2
    }

    /// It would be visible if nothing stood before it.
    fn is_in_shadow(&self) -> bool {
        !self.is_visible() && self.within_mm2() >= self.need_mm2
    }

    /// What of it lies within the picture.
    fn within_mm2(&self) -> f64 {
        self.visible_mm2 + self.shadowed_mm2
    }

    /// The picture's edges cut off no more of it than those of the exemplary picture.
    fn is_whole(&self) -> bool {
        /// Share of an area that counts as all of it.
        const WHOLE: f64 = 0.97;
        self.within_mm2() >= WHOLE * self.exemplary_mm2
    }

    fn share_of(&self, area_mm2: f64) -> f64 {
        match self.need_mm2 > 0.0 {
            true => (area_mm2 / self.need_mm2).clamp(0.0, 1.0),
            false => 1.0,
        }
    }

    /// "Liver: visible, 52 cm²".
    fn told(&self) -> DisplayName {
        let (DisplayName { en, zh }, cm2) = (&self.name, |mm2: f64| mm2 / 100.0);
        let (seen, need) = (cm2(self.visible_mm2), cm2(self.need_mm2));
        if self.is_visible() {
            say(
                format!("{en}: visible, {seen:.1} cm²"),
                format!("{zh}：可见，{seen:.1} cm²"),
            )
        } else if self.is_in_shadow() {
            say(
                format!("{en}: in shadow, {seen:.1} of the {need:.1} cm² needed visible"),
                format!("{zh}：被声影遮挡，可见 {seen:.1} cm²，至少需要 {need:.1} cm²"),
            )
        } else {
            say(
                format!("{en}: missing, {seen:.1} of the {need:.1} cm² needed visible"),
                format!("{zh}：缺失，可见 {seen:.1} cm²，至少需要 {need:.1} cm²"),
            )
        }
    }
}

fn structures(
    attempt: &Attempt<'_>,
    picture: &Picture<'_>,
    rules: &PlaneRules,
    target: &PlaneTarget,
) -> Vec<Shown> {
    let required = target.required.iter();
    required
        .map(|required| Shown::of(required, attempt, picture.facts, rules))
        .collect()
}

struct Judge<'a> {
    attempt: &'a Attempt<'a>,
    rules: &'a PlaneRules,
    target: &'a PlaneTarget,
    picture: Picture<'a>,
    error: PlaneError,
    structures: Vec<Shown>,
    track: Track,
    seconds: f64,
}

impl Judge<'_> {
    fn items(&self, time_limit_s: Option<f64>) -> Vec<Item> {
        vec![
            self.required(),
            self.normal(),
            self.offset(),
            self.marker(),
            self.place(),
            self.depth(),
            self.gain(),
            self.contact(),
            self.force(),
            self.path(),
            self.time(time_limit_s),
        ]
    }

    /// An advice with moves from where the picture was made.
    fn advice(&self, why: &DisplayName, moves: Vec<Move>) -> Advice {
        advice(why, moves, &self.picture.pose)
    }

    fn required(&self) -> Item {
        let shares = self.structures.iter().map(|s| s.share_of(s.visible_mm2));
        let told: Vec<DisplayName> = self.structures.iter().map(Shown::told).collect();
        STRUCTURES.item(mean(shares), join(&told, "; ", "；"), || {
            self.mend_structures()
        })
    }

    /// Where a required structure is missing the rest cannot lift the picture to "basic".
    fn gate(&self, points: f64) -> Option<Item> {
        let closed = self.structures.iter().any(|shown| !shown.is_visible());
        let off = points - MOST_WITHOUT;
        (closed && off > 0.0).then(|| {
            let found = say(
                format!("Without it the picture has at most {MOST_WITHOUT:.0} points"),
                format!("缺少该结构时最多得 {MOST_WITHOUT:.0} 分"),
            );
            GATE.deduction(off, found, self.mend_structures())
        })
    }

    fn mend_structures(&self) -> Advice {
        let missing: Vec<&Shown> = self.structures.iter().filter(|s| !s.is_visible()).collect();
        let why: Vec<DisplayName> = missing
            .iter()
            .map(|shown| match shown.is_in_shadow() {
                true => say(
                    format!("{} lies in shadow", shown.name.en),
                    format!("{}被声影遮挡", shown.name.zh),
                ),
                false => say(
                    format!("{} is missing", shown.name.en),
                    format!("未显示{}", shown.name.zh),
                ),
            })
            .collect();
        let why = join(&why, ", ", "，");
        let moves = self.moves_to_structures(missing.iter().all(|shown| shown.is_in_shadow()));
        if !moves.is_empty() {
            return self.advice(&why, moves);
        }
        plain_advice(say(
            format!(
                "{}: stay there and look round by tilting slowly to both sides",
                why.en
            ),
            format!("{}：保持位置，向两侧缓慢倾斜探头寻找", why.zh),
        ))
    }

    /// What most likely hides a structure, in this order: the face is off the skin, the window is
    /// another, the plane is another, the picture ends before it.
    fn moves_to_structures(&self, shadowed: bool) -> Vec<Move> {
        let (pose, target) = (&self.picture.pose, self.target);
        let touching = self
            .picture
            .facts
            .map_or(1.0, |facts| finite(facts.contact));
        if self.rules.contact.share(touching) == 0.0 {
            return vec![Move::Compress(self.harder())];
        }
        let to_window = || aim::slide_to_window(pose, target).into_iter().collect();
        if shadowed {
            return to_window();
        }
        if !self.is_in_plane() {
            return aim::moves_to(pose, target);
        }
        match self.depth_by() {
            Some(by) if by > 0.0 => vec![depth_knob(by)],
            _ => aim::moves_within(pose, target),
        }
    }

    fn is_in_plane(&self) -> bool {
        self.error.normal_deg <= self.rules.normal_deg.green
            && self.error.offset_mm <= self.rules.offset_mm.green
    }

    fn normal(&self) -> Item {
        let off = self.error.normal_deg;
        let found = say(
            format!("The plane is {off:.0}° off"),
            format!("切面角度偏差 {off:.0}°"),
        );
        NORMAL.item(self.rules.normal_deg.share(off), found.clone(), || {
            self.advice(&found, aim::turns_to(&self.picture.pose, self.target))
        })
    }

    fn offset(&self) -> Item {
        let off = self.error.offset_mm;
        let found = say(
            format!("The plane passes the target's middle at {off:.0} mm"),
            format!("切面距目标中心 {off:.0} mm"),
        );
        OFFSET.item(self.rules.offset_mm.share(off), found.clone(), || {
            self.advice(&found, aim::moves_to(&self.picture.pose, self.target))
        })
    }

    /// What counts is on which side of the screen the marker's side is.
    fn marker(&self) -> Item {
        let mirrored = self
            .picture
            .console
            .as_ref()
            .is_some_and(|c| c.flip_lateral);
        let wrong = self.error.flipped != mirrored;
        let found = match wrong {
            false => say("The marker is on the right side", "探头标记方向正确"),
            true => say("Left and right are changed over", "图像左右颠倒"),
        };
        MARKER.item(if wrong { 0.0 } else { 1.0 }, found.clone(), || {
            let moves = if mirrored {
                vec![Move::Turn {
                    knob: "flip_lateral".to_owned(),
                    by: -1.0,
                }]
            } else {
                self.moves_to_turn_round()
            };
            self.advice(&found, moves)
        })
    }

    /// Where the plane is far off, the rotation that mends it turns the marker too.
    fn moves_to_turn_round(&self) -> Vec<Move> {
        let turns = aim::turns_to(&self.picture.pose, self.target);
        let turned = PlaneError::between(&aim::apply(&turns, &self.picture.pose), self.target);
        match turned.flipped {
            true => vec![Move::Rotate(180.0)],
            false => turns,
        }
    }

    /// Nothing is lost as long as the target's middle is beside no edge and no structure is cut.
    fn place(&self) -> Item {
        let center = Seen::from(&self.picture.pose, self.target).center;
        let probe = Probe::builtin(&self.attempt.header.probe);
        let settings = self.picture.console.clone();
        let beside = probe.map_or(0.0, |probe| {
            let console = settings.unwrap_or_else(|| Console::default_for(probe));
            beside_mm(probe, &console, center.x(), center.z())
        });
        let share = self.rules.place_mm.share(beside).min(self.uncut());
        let found = if beside > self.rules.place_mm.green {
            say(
                format!("The target's middle lies {beside:.0} mm beside the picture"),
                format!("目标中心在图像外 {beside:.0} mm"),
            )
        } else if share < 1.0 {
            say(
                "The picture's edge cuts what it should show",
                "所需结构被图像边缘截断",
            )
        } else {
            say("The target is in the picture", "目标位于图像内")
        };
        PLACE.item(share, found.clone(), || {
            self.advice(&found, aim::moves_within(&self.picture.pose, self.target))
        })
    }

    /// Share of the structures' areas within the picture. Where the plane is another or the picture
    /// too shallow, that costs points there.
    fn uncut(&self) -> f64 {
        let deep_enough = self.depth_by().is_none_or(|by| by <= 0.0);
        if self.picture.facts.is_none() || !self.is_in_plane() || !deep_enough {
            return 1.0;
        }
        mean(self.structures.iter().map(|s| s.share_of(s.within_mm2())))
    }

    /// Millimetres to the exemplary depth, in steps of 5, if it is not near enough.
    fn depth_by(&self) -> Option<f64> {
        const STEP_MM: f64 = 5.0;
        let depth = self.picture.console.as_ref()?.depth_mm;
        let is_off = self.depth_amends(depth) != 0.0;
        let by = ((self.target.depth_mm - depth) / STEP_MM).round() * STEP_MM;
        is_off.then_some(by)
    }

    /// Deeper (positive) or less deep, if it has to be. What cuts nothing is deep enough.
    fn depth_amends(&self, depth_mm: f64) -> f64 {
        let amends = self
            .rules
            .depth_ratio
            .amends(depth_mm / self.target.depth_mm);
        let is_whole = self.picture.facts.is_some() && self.structures.iter().all(Shown::is_whole);
        match amends > 0.0 && is_whole {
            true => 0.0,
            false => amends,
        }
    }

    fn depth(&self) -> Item {
        let Some(console) = &self.picture.console else {
            return DEPTH.item(1.0, not_recorded(), || plain_advice(not_recorded()));
        };
        let (depth, right) = (console.depth_mm, self.target.depth_mm);
        let amends = self.depth_amends(depth);
        let share = match amends == 0.0 {
            true => 1.0,
            false => self.rules.depth_ratio.share(depth / right),
        };
        let (en, zh) = match amends {
            by if by > 0.0 => ("too shallow to show all", "过浅，显示不全"),
            by if by < 0.0 => ("too deep, it wastes the picture", "过深，浪费图像空间"),
            _ => ("right", "合适"),
        };
        let found = say(
            format!("The depth of {depth:.0} mm is {en} (exemplary: {right:.0} mm)"),
            format!("深度 {depth:.0} mm {zh}（参考：{right:.0} mm）"),
        );
        DEPTH.item(share, found.clone(), || {
            self.advice(
                &found,
                self.depth_by().map(depth_knob).into_iter().collect(),
            )
        })
    }

    fn gain(&self) -> Item {
        let Some(console) = &self.picture.console else {
            return GAIN.item(1.0, not_recorded(), || plain_advice(not_recorded()));
        };
        let overall_db = console.gain_db - self.preset_gain_db();
        let off = |slider: &f64| overall_db + slider;
        let mean_db = mean_of(console.tgc_db.iter().map(off)).unwrap_or(overall_db);
        let shares = console.tgc_db.iter().map(off);
        let shares = shares.map(|off| self.rules.gain_db.share(off.abs()));
        let share = mean_of(shares).unwrap_or(self.rules.gain_db.share(overall_db.abs()));
        let (en, zh) = match mean_db {
            by if by > self.rules.gain_db.green => ("too bright", "过亮"),
            by if by < -self.rules.gain_db.green => ("too dark", "过暗"),
            _ if share < 1.0 => ("uneven", "不均匀"),
            _ => ("right", "合适"),
        };
        let found = say(
            format!("Gain and TGC are {mean_db:+.0} dB from the preset on average, {en}"),
            format!("增益与 TGC 平均较预设 {mean_db:+.0} dB，{zh}"),
        );
        let moves = || gain_moves(&console.tgc_db, overall_db, mean_db, self.rules.gain_db);
        GAIN.item(share, found.clone(), || self.advice(&found, moves()))
    }

    /// The gain that the session began with: its preset's, dB; 0 if it was not recorded.
    fn preset_gain_db(&self) -> f64 {
        let mut settings = self.attempt.steps.iter();
        let first = settings.find_map(|step| step.settings.as_deref());
        let preset = first.and_then(|text| Console::parse(text, "settings").ok());
        preset.map_or(0.0, |preset| preset.gain_db)
    }

    fn contact(&self) -> Item {
        let Some(facts) = self.picture.facts else {
            return CONTACT.item(0.0, not_recorded(), || {
                plain_advice(say(
                    "What the picture shows was not recorded: capture it again",
                    "未记录图像内容：请重新采集",
                ))
            });
        };
        let contact = finite(facts.contact);
        let found = say(
            format!("{:.0} % of the face touches the skin", 100.0 * contact),
            format!("探头面 {:.0}% 与皮肤接触", 100.0 * contact),
        );
        CONTACT.item(self.rules.contact.share(contact), found.clone(), || {
            let why = say(
                format!("{}: keep the whole face on the skin, with gel", found.en),
                format!("{}：保持整个探头面贴合皮肤并涂足耦合剂", found.zh),
            );
            self.advice(&why, vec![Move::Compress(self.harder())])
        })
    }

    /// How much harder to press for contact, whole N.
    fn harder(&self) -> f64 {
        self.rules
            .force_n
            .amends(self.picture.force_n)
            .ceil()
            .max(1.0)
    }

    fn force(&self) -> Item {
        let force = self.picture.force_n;
        let window = self.rules.force_n;
        let found = say(
            format!("Pressed with {force:.0} N"),
            format!("压力 {force:.0} N"),
        );
        FORCE.item(window.share(force), found.clone(), || {
            let by = window.amends(force);
            let by = if by > 0.0 { by.ceil() } else { by.floor() };
            self.advice(&found, vec![Move::Compress(by)])
        })
    }

    fn path(&self) -> Item {
        let path = self.track.path_mm();
        let found = say(
            format!("The probe went {path:.0} mm"),
            format!("探头移动了 {path:.0} mm"),
        );
        PATH.item(self.rules.path_mm.share(path), found.clone(), || {
            self.straight_way(&found)
        })
    }

    fn time(&self, limit_s: Option<f64>) -> Item {
        let of_limit = |limit: f64| Tolerance::new(0.5 * limit, limit);
        let default = limit_s.map_or(Tolerance::new(60.0, 180.0), of_limit);
        let tolerance = self.rules.time_s.unwrap_or(default);
        let seconds = self.seconds;
        let found = say(
            format!("The picture was captured after {seconds:.0} s"),
            format!("{seconds:.0} 秒后采集图像"),
        );
        TIME.item(tolerance.share(seconds), found.clone(), || {
            self.straight_way(&found)
        })
    }

    /// The moves that would have led there from where the task began.
    fn straight_way(&self, found: &DisplayName) -> Advice {
        let steps = &self.attempt.steps[self.attempt.first..];
        let from = steps.iter().find_map(pose_of).unwrap_or(self.picture.pose);
        let moves = aim::moves_to(&from, self.target);
        let why = match moves.is_empty() {
            true => say(
                format!("{}: it already stood in the plane when it began", found.en),
                format!("{}：开始时探头已在目标切面", found.zh),
            ),
            false => say(
                format!("{}; the straight way from the beginning", found.en),
                format!("{}；从起点出发的最短路线", found.zh),
            ),
        };
        advice(&why, moves, &from)
    }

    fn measures(&self) -> Vec<crate::Measure> {
        let PlaneError {
            normal_deg,
            offset_mm,
            ..
        } = self.error;
        let mut measures = vec![
            measure(
                "normal_error",
                "Angle to the target",
                "与目标切面夹角",
                normal_deg,
                "°",
            ),
            measure(
                "offset_error",
                "Distance of the target",
                "与目标距离",
                offset_mm,
                "mm",
            ),
        ];
        measures.extend(measures_of(&self.track, self.seconds));
        measures
    }
}

fn depth_knob(by: f64) -> Move {
    Move::Turn {
        knob: "depth_mm".to_owned(),
        by,
    }
}

/// All of them with the gain, or the sliders that stand out one by one. The gain is `overall_db` from
/// the preset's.
fn gain_moves(tgc_db: &[f64], overall_db: f64, mean_db: f64, tolerance: Tolerance) -> Vec<Move> {
    let turn = |knob: &str, by: f64| Move::Turn {
        knob: knob.to_owned(),
        by: by.round(),
    };
    if tgc_db.is_empty() || mean_db.abs() > tolerance.green {
        return vec![turn("gain_db", -mean_db)];
    }
    let sliders = tgc_db.iter().enumerate();
    let off = sliders.map(|(slider, db)| (slider, overall_db + db));
    off.filter(|(_, off)| off.abs() > tolerance.green)
        .map(|(slider, off)| turn(&format!("tgc_db.{slider}"), -off))
        .collect()
}

fn not_recorded() -> DisplayName {
    say("Not recorded", "未记录")
}

/// The mean; 1 of nothing.
fn mean(shares: impl Iterator<Item = f64>) -> f64 {
    mean_of(shares).unwrap_or(1.0)
}

fn mean_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// No picture was handed in: tells when there was one to take, or the way from where the probe is.
fn without_answer(attempt: &Attempt<'_>, rules: &PlaneRules, target: &PlaneTarget) -> Board {
    let found = match attempt.timed_out() {
        true => say(
            "Time ran out before a picture was captured",
            "时间已到，未采集图像",
        ),
        false => say("No picture was captured", "未采集图像"),
    };
    let item = Part::ANSWER.item(0.0, found.clone(), || {
        nearest_moment(attempt, rules, target, &found).unwrap_or_else(|| {
            plain_advice(say(
                "No picture was captured: put the probe on the skin, find the plane, capture",
                "未采集图像：请将探头放在皮肤上，找到切面后采集",
            ))
        })
    });
    let mut board = Board::of(vec![item]);
    let track = Track::of(attempt.steps_to(attempt.last), attempt.header.ticks_per_s);
    board.measures = measures_of(&track, attempt.seconds_to(attempt.last));
    board
}

fn nearest_moment(
    attempt: &Attempt<'_>,
    rules: &PlaneRules,
    target: &PlaneTarget,
    found: &DisplayName,
) -> Option<Advice> {
    // Worst of both shares of what is allowed; a tolerance of nothing allows next to nothing.
    let of = |error: f64, tolerance: Tolerance| error / tolerance.green.max(1e-6);
    let off = |pose: &PatientFromProbe| {
        let error = PlaneError::between(pose, target);
        of(error.normal_deg, rules.normal_deg).max(of(error.offset_mm, rules.offset_mm))
    };
    let mut held =
        (attempt.first..=attempt.last).filter_map(|at| Some((at, pose_of(&attempt.steps[at])?)));
    let (at, nearest) = held
        .clone()
        .map(|(at, pose)| (at, off(&pose)))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (_, last) = held.next_back()?;
    if nearest <= 1.0 {
        let seconds = attempt.seconds_to(at);
        return Some(plain_advice(say(
            format!(
                "{}: after {seconds:.0} s you were there, capture then",
                found.en
            ),
            format!(
                "{}：第 {seconds:.0} 秒时已到达目标切面，应在此时采集",
                found.zh
            ),
        )));
    }
    Some(advice(found, aim::moves_to(&last, target), &last))
}

fn in_the_air(attempt: &Attempt<'_>, answer: usize) -> Board {
    let found = say(
        "The picture was captured while the probe lay aside",
        "采集图像时探头未放在患者身上",
    );
    let mut board = Board::of(vec![Part::ANSWER.item(0.0, found.clone(), || {
        plain_advice(say(
            format!("{}: put it on the skin first", found.en),
            format!("{}：请先将探头放在皮肤上", found.zh),
        ))
    })]);
    let track = Track::of(attempt.steps_to(answer), attempt.header.ticks_per_s);
    board.measures = measures_of(&track, attempt.seconds_to(answer));
    board
}

#[cfg(test)]
mod tests;
