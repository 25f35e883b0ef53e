//! What is asked of a trainee, and by which rules it is judged.
//!
//! No guideline publishes a tolerance in millimetres or degrees for a standard plane. Until the
//! spread of experts is known, planes are held to 5 mm and 10° for full points and to 10 mm and 20°
//! for any: trained localisers are off by 1.5–3.1 mm and 6.6–14.6°, trainees' long axes by 55° ±
//! 37°. What else is marked as an estimate is nobody's figure but ours; a task may have rules of
//! its own.

use anatomy::tissue::DisplayName;

use crate::tolerance::{Tolerance, Window};

/// One thing that a trainee is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// How files call it.
    pub id: String,
    /// How people call it.
    pub name: DisplayName,
    /// What the trainee reads before it.
    pub instruction: DisplayName,
    /// What is to be reached, and by which rules.
    pub kind: TaskKind,
    /// After how long it ends by itself, s.
    pub time_limit_s: Option<f64>,
}

/// What a task is to reach.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskKind {
    /// A picture of a standard plane.
    Plane(PlaneTask),
    /// A sweep through a whole structure.
    Sweep(SweepTask),
}

/// A picture of a standard plane.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaneTask {
    /// The plane's id in the atlas.
    pub plane: String,
    /// How it is judged.
    pub rules: PlaneRules,
}

/// A sweep through a whole structure.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepTask {
    /// The structure's id in the atlas.
    pub structure: String,
    /// Share of its cells that is to be seen, above 0, up to 1.
    pub share: f64,
    /// How it is judged.
    pub rules: SweepRules,
}

/// How the picture of a plane is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaneRules {
    /// A structure counts as visible from this share of the area that the exemplary picture shows
    /// (an estimate), …
    pub visible_share: f64,
    /// … and from this area, mm² (an estimate: a disc of 1 cm), unless the exemplary picture
    /// shows less.
    pub visible_least_mm2: f64,
    /// Angle between the imaged plane and the target, °.
    pub normal_deg: Tolerance,
    /// Distance of the target's middle from the imaged plane, mm.
    pub offset_mm: Tolerance,
    /// How far outside of the picture, to the side, the target's middle lies, mm.
    pub place_mm: Tolerance,
    /// Depth over the exemplary picture's (an estimate).
    pub depth_ratio: Window,
    /// How far gain plus TGC is from where the preset put it, dB (an estimate: white is 60 to 65 dB
    /// above black).
    pub gain_db: Tolerance,
    /// Share of the scan lines in contact.
    pub contact: Window,
    /// Force on the skin, N.
    pub force_n: Window,
    /// Length of the way the probe's face went, mm (an estimate after a TEE simulator's whole
    /// exams: experts 349 mm, novices 637 mm).
    pub path_mm: Tolerance,
    /// Time from the task's beginning to the picture, s. If none is given: half the time limit for
    /// full points and all of it for none, or 60 and 180 s (an estimate).
    pub time_s: Option<Tolerance>,
}

impl Default for PlaneRules {
    fn default() -> Self {
        Self {
            visible_share: 0.5,
            visible_least_mm2: 80.0,
            normal_deg: Tolerance::new(10.0, 20.0),
            offset_mm: Tolerance::new(5.0, 10.0),
            place_mm: Tolerance::new(0.0, 10.0),
            depth_ratio: Window::new((0.85, 1.25), (0.6, 1.75)),
            gain_db: Tolerance::new(10.0, 20.0),
            contact: CONTACT,
            force_n: FORCE_N,
            path_mm: Tolerance::new(350.0, 1000.0),
            time_s: None,
        }
    }
}

/// Share of the lines in contact (an estimate): on a flank the ends of a bent face stand off the
/// skin.
const CONTACT: Window = Window::new((0.75, 1.0), (0.3, 1.5));

/// Force on the skin while scanning an abdomen, N. 34.5 N is the most of any study of a systematic
/// review (Sensors 2025, 25(11):3415, 26 studies, 10 of the abdomen); what lies below is an
/// estimate.
const FORCE_N: Window = Window::new((2.0, 20.0), (0.0, 34.5));

/// How a sweep is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepRules {
    /// Mean speed of the probe's face, mm/s. Fetal anomaly scans: experts 12.9 mm/s, novices 24.6.
    pub speed_mm_s: Tolerance,
    /// Mean share of the scan lines in contact.
    pub contact: Window,
    /// Force on the skin, N.
    pub force_n: Window,
    /// Share of the sweep's time during which the structure was lost from the picture (an
    /// estimate).
    pub gaps: Tolerance,
}

impl Default for SweepRules {
    fn default() -> Self {
        Self {
            speed_mm_s: Tolerance::new(12.9, 24.6),
            contact: CONTACT,
            force_n: FORCE_N,
            gaps: Tolerance::new(0.05, 0.3),
        }
    }
}
