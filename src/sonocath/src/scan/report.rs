//! What a person, or a program, is told when a scan is done.

use std::path::Path;

use anatomy::atlas::StructureKind;
use anatomy::{Patient, Structure};
use equipment::{Console, Probe};
use procedure::skin::MOST_PRESS_MM;
use serde_json::{Value, json};

use super::request::Course;
use super::take::Scan;
use crate::patient::name_in;
use crate::terminal::Terminal;

/// So many structures in view are named.
const MOST_NAMES: usize = 6;

/// A face is deeper in the body than a hand presses it beyond the most that one does and this, mm.
const PRESS_SLACK_MM: f64 = 0.1;

/// A scan that was written.
pub struct Outcome<'a> {
    /// Its folder.
    pub out: &'a Path,
    /// Whom it shows.
    pub patient: &'a Patient,
    /// The probe.
    pub probe: &'a Probe,
    /// What the machine was set to.
    pub console: &'a Console,
    /// What came of it.
    pub scan: &'a Scan,
    /// The standard plane that was asked for, if it was one.
    pub plane: Option<&'a str>,
    /// Where the probe was.
    pub course: &'a Course,
}

impl Outcome<'_> {
    /// For a person.
    pub fn text(&self, terminal: &Terminal) -> String {
        let count = self.scan.contact.len();
        let mut text = format!(
            "{} {}: {count} {}, {}, {} cm\n",
            terminal.pick("Wrote", "已写入"),
            self.out.display(),
            terminal.pick(if count == 1 { "frame" } else { "frames" }, "帧"),
            name_in(&self.probe.name, terminal.language),
            self.console.depth_mm / 10.0,
        );
        let in_view = self.in_view(terminal);
        if !in_view.is_empty() {
            let label = terminal.pick("in view: ", "可见：");
            text += &format!("  {label}{}\n", in_view.join(terminal.pick(", ", "，")));
        }
        if let Some(film) = &self.scan.film {
            text += &format!("  {}{}\n", terminal.pick("film: ", "影像："), film.file);
        }
        let label = terminal.pick("warning: ", "警告：");
        for warning in self.warnings(terminal) {
            text += &format!("  {label}{warning}\n");
        }
        text
    }

    /// For a program.
    pub fn json(&self, terminal: &Terminal) -> Value {
        json!({
            "folder": self.out.display().to_string(),
            "frames": self.scan.contact.len(),
            "files": self.scan.files,
            "contact": self.scan.contact,
            "inside_mm": self.course.inside_mm.iter().map(|depth| tenths(*depth)).collect::<Vec<_>>(),
            "in_view_mm2": self.scan.in_view_mm2.iter().zip(&self.patient.structures)
                .filter(|(area, _)| **area > 0.0)
                .map(|(area, structure)| (structure.id.clone(), json!(super::json::short(*area))))
                .collect::<serde_json::Map<_, _>>(),
            "film": self.scan.film.as_ref().map(|film| film.file),
            "warnings": self.warnings(terminal),
        })
    }

    /// What is ill, and the structures of which most is to be seen in some frame, largest first.
    fn in_view(&self, terminal: &Terminal) -> Vec<String> {
        let structures = self.patient.structures.iter();
        let mut seen: Vec<_> = self.scan.in_view_mm2.iter().zip(structures).collect();
        // A stone may be no more than a glint.
        let is_ill = |structure: &Structure| structure.kind == StructureKind::Lesion;
        seen.retain(|(area, structure)| **area >= 1.0 || **area > 0.0 && is_ill(structure));
        seen.sort_by(|a, b| b.0.total_cmp(a.0));
        let (ill, well): (Vec<_>, Vec<_>) = seen.into_iter().partition(|(_, s)| is_ill(s));
        let shown = ill.iter().chain(well.iter().take(MOST_NAMES));
        let named = shown.map(|(area, structure)| {
            let name = name_in(&structure.name, terminal.language);
            format!("{name} {}", area_said(**area))
        });
        let mut named: Vec<String> = named.collect();
        let left = well.len().saturating_sub(MOST_NAMES);
        if left > 0 {
            named.push(
                terminal
                    .pick(&format!("{left} more"), &format!("另 {left} 个"))
                    .to_owned(),
            );
        }
        named
    }

    /// What the plane that was asked for requires and does not show.
    fn missing(&self, terminal: &Terminal) -> Vec<String> {
        let asked =
            |plane: &&(_, anatomy::planes::StandardPlane)| Some(plane.1.id.as_str()) == self.plane;
        let Some((_, plane)) = self.patient.planes.iter().find(asked) else {
            return Vec::new();
        };
        let areas = self.patient.structures.iter().zip(&self.scan.in_view_mm2);
        areas
            .filter(|(structure, area)| plane.required.contains(&structure.id) && **area < 1.0)
            .map(|(structure, _)| name_in(&structure.name, terminal.language).to_owned())
            .collect()
    }

    /// How deep inside the body the face is, where that is deeper than a probe can be pressed and
    /// the probe is not made for it.
    fn inside(&self, terminal: &Terminal) -> Option<String> {
        let frames = &self.course.inside_mm;
        let is_deep = |depth: &&f64| **depth > MOST_PRESS_MM + PRESS_SLACK_MM;
        let count = frames.iter().filter(is_deep).count();
        if count == 0 || self.probe.is_inserted() {
            return None;
        }
        let deepest = tenths(frames.iter().copied().fold(0.0, f64::max));
        let (en, zh) = match &self.course.on_skin {
            Some(pose) => (
                format!("to hold it on the skin say {pose}"),
                format!("要将探头置于皮肤上，请用 {pose}"),
            ),
            None => (
                "write `on_skin: true` in the sweep's poses: between two stops on the skin the probe \
                 slides over it"
                    .to_owned(),
                "请在扫查文件的 Pose 中写 `on_skin: true`：两个皮肤上的位置之间，探头沿皮肤滑动"
                    .to_owned(),
            ),
        };
        let all = frames.len();
        Some(terminal.pick(
            &format!("the face lies inside the body in {count} of {all} frames, {deepest} mm deep at worst, where a probe on the skin is pressed in by {MOST_PRESS_MM} mm at most; {en}"),
            &format!("共 {count}/{all} 帧中探头面位于体内，最深 {deepest} mm，而体表探头按压至多 {MOST_PRESS_MM} mm；{zh}"),
        ).to_owned())
    }

    fn warnings(&self, terminal: &Terminal) -> Vec<String> {
        let mut warnings = Vec::new();
        let lines = f64::from(self.console.lines);
        let least = self.scan.contact.iter().copied().fold(1.0, f64::min);
        let touching = (least * lines).round();
        if touching < lines {
            let lifted = self
                .scan
                .contact
                .iter()
                .filter(|share| **share < 1.0)
                .count();
            warnings.push(terminal.pick(
                &format!("{touching} of {lines} lines have contact with the body at worst ({lifted} of {} frames lack some); the others look into air", self.scan.contact.len()),
                &format!("最差时仅 {touching}/{lines} 条扫描线与人体接触（共 {lifted}/{} 帧接触不全），其余在空气中", self.scan.contact.len()),
            ).to_owned());
        }
        warnings.extend(self.inside(terminal));
        let missing = self.missing(terminal);
        if let (Some(plane), false) = (self.plane, missing.is_empty()) {
            let names = missing.join(terminal.pick(", ", "，"));
            warnings.push(terminal.pick(
                &format!("plane {plane} is to show {names}, which the probe does not see from there: look for a better window with --pose, or tilt and rock in a sweep"),
                &format!("切面 {plane} 应显示{names}，但探头从该处看不到：请用 --pose 另选声窗，或在扫查文件中倾斜、摇摆探头"),
            ).to_owned());
        }
        if let Some(why) = self
            .scan
            .film
            .as_ref()
            .and_then(|film| film.without_ffmpeg.as_ref())
        {
            warnings.push(terminal.pick(
                &format!("{why}, so the film is an animated PNG (browsers play it); with ffmpeg on the PATH it is an MP4"),
                &format!("{why}；影像已存为动态 PNG（可用浏览器播放）。PATH 中有 ffmpeg 时将生成 MP4"),
            ).to_owned());
        }
        warnings
    }
}

/// In mm² where a square centimetre is far too much.
fn area_said(mm2: f32) -> String {
    match mm2 {
        small if small < 10.0 => format!("{:.0} mm²", small.max(1.0)),
        large => format!("{:.1} cm²", large / 100.0),
    }
}

/// To a tenth of a millimetre.
fn tenths(length_mm: f64) -> f64 {
    (length_mm * 10.0).round() / 10.0
}
