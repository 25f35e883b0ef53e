//! What a trainee is to do, as data.
//!
//! A [`Scenario`] names a patient, a probe, a preset, where the probe is when it begins, and the
//! tasks with the rules they are judged by ([`scoring::Task`]). What is absent here: the patient,
//! and anything that happens. Who plays a scenario loads the patient and asks
//! [`Scenario::check_patient`] first.
//!
//! # A tour
//!
//! ```
//! use scenario::{PatientRef, Scenario};
//! use scoring::TaskKind;
//!
//! let text = r#"Scenario(
//!     version: 1,
//!     id: "one-plane",
//!     title: (en: "One plane", zh: "单切面"),
//!     intro: (en: "Find the right kidney.", zh: "找到右肾。"),
//!     patient: "phantom-torso", // or a folder beside this file: "./my-patient"
//!     probe: "C5-2v",
//!     preset: "abdomen",
//!     start: (plane: "kidney_right_long", across_mm: Cm(1.5), tilt_deg: -10),
//!     tasks: [
//!         Plane(
//!             id: "kidney",
//!             plane: "kidney_right_long",
//!             instruction: (en: "Show it along its length.", zh: "显示其长轴。"),
//!             time_limit_s: 120,
//!             rules: (
//!                 normal_deg: (green: Deg(8), amber: Rad(0.35)),
//!                 offset_mm: (green: 4, amber: Cm(1)),
//!             ),
//!         ),
//!     ],
//! )"#;
//! let scenario = Scenario::parse(text, "one-plane.ron")?;
//! assert_eq!(scenario.patient, PatientRef::Builtin("phantom-torso".to_owned()));
//! assert_eq!(scenario.tasks[0].name.en, "Right kidney, long axis");
//! let TaskKind::Plane(asked) = &scenario.tasks[0].kind else { panic!() };
//! assert_eq!(asked.rules.offset_mm.amber, 10.0);
//! // What was played goes into the recording's header as text, and is read from there again.
//! assert_eq!(Scenario::parse(&scenario.text, "one-plane.ron")?, scenario);
//! # Ok::<(), catalog::CatalogError>(())
//! ```
//!
//! Everything that is wrong is told at once, with its place and the nearest name:
//!
//! ```
//! let text = r#"Scenario(
//!     version: 1,
//!     id: "faulty", title: (en: "-", zh: "-"), intro: (en: "-", zh: "-"),
//!     patient: "phantom-tors", probe: "C5-2", preset: "abdomen",
//!     tasks: [Sweep(id: "a", structure: "livr", instruction: (en: "-", zh: "-"))],
//! )"#;
//! let error = scenario::Scenario::parse(text, "faulty.ron").unwrap_err().to_string();
//! assert!(error.contains("faulty.ron:4:14: there is no built-in patient `phantom-tors`"));
//! assert!(error.contains("did you mean `phantom-torso`?"));
//! assert!(error.contains("faulty.ron:4:37: probe `C5-2` is not in the built-in probes"));
//! assert!(error.contains("faulty.ron:5:39: structure `livr` is not in the atlas"));
//! assert!(error.contains("did you mean `liver`?"));
//! ```

mod check;
mod file;
mod units;

use std::path::{Path, PathBuf};

use anatomy::atlas::Atlas;
use anatomy::recipe::Recipe;
use anatomy::tissue::DisplayName;
use catalog::{CatalogError, Document, Faults, Finding, FromNode};
use equipment::hand::{self, PatientFromProbe, Turn};
use equipment::{Preset, Probe};
use geometry::Vector;
use scoring::Task;

use crate::file::{FORMAT, ScenarioFile};

/// The scenarios that are built in: id and text.
const BUILTIN: [(&str, &str); 2] = [
    (
        "first-liver",
        include_str!("../../../scenarios/first-liver.ron"),
    ),
    (
        "first-kidney",
        include_str!("../../../scenarios/first-kidney.ron"),
    ),
];

/// A scenario about which nothing can fail any more but its patient.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// How files and commands call it.
    pub id: String,
    /// How people call it.
    pub title: DisplayName,
    /// What the trainee reads before everything.
    pub intro: DisplayName,
    /// Whom the trainee scans.
    pub patient: PatientRef,
    /// The probe.
    pub probe: &'static Probe,
    /// What the console is set to when it begins.
    pub preset: &'static Preset,
    /// Where the probe is when it begins; aside if nowhere.
    pub start: Option<Start>,
    /// What is to be done, in this order; at least one.
    pub tasks: Vec<Task>,
    /// The text that this was read from, for a recording's header: [`Scenario::parse`] makes the
    /// same of it again.
    pub text: String,
    /// What that text is called in faults: the file's path as it was given.
    pub source: String,
}

/// Whom a trainee scans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatientRef {
    /// A built-in recipe, by its id.
    Builtin(String),
    /// A patient's folder; from the scenario file's folder on, unless absolute.
    Folder(PathBuf),
}

/// Where a probe is when a scenario begins: where the exemplary picture of a plane is made, but
/// shifted and turned, so that the trainee begins near but wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// Id of the plane.
    pub plane: String,
    /// Shift along the skin to the marker side, mm.
    pub marker_mm: f64,
    /// Shift along the skin towards probe +y, mm.
    pub across_mm: f64,
    /// Turn after the shift.
    pub turn: Turn,
}

impl Start {
    /// The start from the pose of the plane's exemplary picture. The shift is straight; who knows
    /// the skin puts the probe on it.
    pub fn applied_to(&self, exemplary: &PatientFromProbe) -> PatientFromProbe {
        let shift = *exemplary * Vector::new(self.marker_mm, self.across_mm, 0.0);
        let shifted = hand::moved_to(exemplary, hand::face_of(exemplary) + shift);
        self.turn.applied_to(&shifted)
    }
}

impl Scenario {
    /// The built-in scenario of that id.
    pub fn builtin(id: &str) -> Option<Self> {
        let (id, text) = BUILTIN.iter().find(|(known, _)| *known == id)?;
        let read = Self::parse(text, &format!("{id}.ron"));
        Some(read.expect("the built-in scenarios are read by a test"))
    }

    /// Ids of the built-in scenarios.
    pub fn builtin_ids() -> impl Iterator<Item = &'static str> + Clone {
        BUILTIN.iter().map(|(id, _)| *id)
    }

    /// Reads a scenario's file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or everything that is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        let path = path.as_ref();
        // For its errors: too large, no UTF-8, no such file but one of nearly that name.
        Document::open(path, &FORMAT)?;
        let source = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &source),
            Err(error) => Err(CatalogError::Io {
                path: source,
                why: error.to_string(),
                hint: "check that it is a file and that you may read it".to_owned(),
            }),
        }
    }

    /// Reads the text of a scenario's file; `source` names it in faults, and a patient's folder is
    /// looked for beside it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(text: &str, source: &str) -> Result<Self, CatalogError> {
        let atlas = Atlas::builtin();
        let planes = atlas.planes().iter().map(|plane| plane.id.as_str());
        let structures = atlas.structures().iter().map(|entry| entry.id.as_str());
        let document = Document::parse(text, source, &FORMAT)?
            .knowing("probe", "the built-in probes", Probe::builtin_names())
            .knowing("preset", "the built-in presets", Preset::builtin_names())
            .knowing("plane", "the atlas", planes)
            .knowing("structure", "the atlas", structures);
        let mut faults = document.faults();
        file::require_tasks(document.root(), &mut faults);
        let file = ScenarioFile::from_node(document.root(), &mut faults);
        let scenario = file.and_then(|file| resolve(file, (text, source), &mut faults));
        scenario
            .filter(|_| faults.is_empty())
            .ok_or_else(|| document.error(faults))
    }

    /// The patient's folder, if the patient is none that is built in.
    pub fn patient_folder(&self) -> Option<PathBuf> {
        match &self.patient {
            PatientRef::Builtin(_) => None,
            PatientRef::Folder(folder) => {
                let home = Path::new(&self.source).parent();
                Some(home.map_or_else(|| folder.clone(), |home| home.join(folder)))
            }
        }
    }
}

/// `None` where something was reported.
fn resolve(
    file: ScenarioFile,
    (text, source): (&str, &str),
    faults: &mut Faults,
) -> Option<Scenario> {
    let probe = Probe::builtin(&file.probe)?;
    let preset = Preset::builtin(&file.preset)?;
    if let Err(error) = preset.console.fit(probe) {
        let finding = Finding::new(file.preset.span, error.to_string());
        let fitting = Preset::all_for(probe);
        faults.push(finding.one_of("", fitting.iter().map(|preset| preset.id.as_str())));
    }
    let tasks = file.tasks.into_iter();
    Some(Scenario {
        id: file.id,
        title: file.title,
        intro: file.intro,
        patient: PatientRef::of(&file.patient)?,
        probe,
        preset,
        start: file.start.map(file::StartText::resolved),
        tasks: tasks.map(|task| task.resolved(known_as)).collect(),
        text: text.to_owned(),
        source: source.to_owned(),
    })
}

/// What people call a plane or structure of the atlas.
fn known_as(id: &str) -> DisplayName {
    let atlas = Atlas::builtin();
    let plane = atlas.plane(id).map(|plane| plane.name.clone());
    let structure = || atlas.structure(id).map(|entry| entry.name.clone());
    plane.or_else(structure).unwrap_or_else(|| DisplayName {
        en: id.to_owned(),
        zh: id.to_owned(),
    })
}

impl PatientRef {
    /// A name is a built-in patient's; what looks like a path is one. None for anything else.
    fn of(written: &str) -> Option<Self> {
        if Recipe::builtin_ids().any(|id| id == written) {
            Some(Self::Builtin(written.to_owned()))
        } else if written.contains(['/', '\\']) || written.starts_with('.') {
            Some(Self::Folder(PathBuf::from(written)))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
