//! Recordings for tests.

use anatomy::tissue::DisplayName;
use equipment::hand::{self, PatientFromProbe};
use equipment::{Console, Inputs};
use geometry::{Point, Vector};
use nalgebra as na;
use recording::{
    Event, Facts, Header, PlaneTarget, ProbeState, RequiredStructure, Seen, Step, SweepTarget,
    Target,
};

use crate::{PlaneRules, PlaneTask, SweepRules, SweepTask, Task, TaskKind};

pub(crate) const LIVER: u16 = 1;
pub(crate) const KIDNEY: u16 = 2;
pub(crate) const TICKS_PER_S: u32 = 20;

pub(crate) fn header() -> Header {
    Header {
        engine: "test".to_owned(),
        scenario: String::new(),
        patient: "phantom-torso".to_owned(),
        patient_digest: 1,
        structures: ["skin", "liver", "kidney_right"]
            .map(str::to_owned)
            .to_vec(),
        probe: "C5-2v".to_owned(),
        seed: 1,
        ticks_per_s: TICKS_PER_S,
    }
}

/// A probe on the right flank looks to the left, its marker to the head.
pub(crate) fn target() -> PlaneTarget {
    let (lateral, depth) = (na::Vector3::z(), na::Vector3::x());
    let center = Point::new(-60.0, 40.0, 0.0);
    let face = center + Vector::from_coords(depth * -80.0);
    let required = |structure: &str, exemplary_mm2| RequiredStructure {
        structure: structure.to_owned(),
        exemplary_mm2,
    };
    PlaneTarget {
        plane: "right_upper_quadrant".to_owned(),
        center,
        lateral: Vector::from_coords(lateral),
        depth: Vector::from_coords(depth),
        patient_from_probe: hand::of_axes(face, lateral, depth),
        depth_mm: 160.0,
        required: vec![required("liver", 6000.0), required("kidney_right", 4000.0)],
    }
}

fn text(text: &str) -> DisplayName {
    DisplayName {
        en: text.to_owned(),
        zh: text.to_owned(),
    }
}

fn task(kind: TaskKind) -> Task {
    Task {
        id: "it".to_owned(),
        name: text("It"),
        instruction: text("Do it"),
        kind,
        time_limit_s: Some(120.0),
    }
}

pub(crate) fn plane_task(rules: PlaneRules) -> Task {
    task(TaskKind::Plane(PlaneTask {
        plane: "right_upper_quadrant".to_owned(),
        rules,
    }))
}

pub(crate) fn sweep_task(share: f64) -> Task {
    task(TaskKind::Sweep(SweepTask {
        structure: "liver".to_owned(),
        share,
        rules: SweepRules::default(),
    }))
}

/// A picture: what is right is the exemplary one.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub pose: PatientFromProbe,
    pub force_n: f64,
    pub contact: f32,
    /// Visible and shadowed area, mm².
    pub liver: (f32, f32),
    pub kidney: (f32, f32),
    pub console: Console,
}

impl Picture {
    pub fn exemplary() -> Self {
        Self {
            pose: target().patient_from_probe,
            force_n: 6.0,
            contact: 1.0,
            liver: (6000.0, 100.0),
            kidney: (4000.0, 50.0),
            console: Console::preset("abdomen").unwrap(),
        }
    }

    pub fn facts(&self) -> Facts {
        let seen = |structure, (visible_mm2, shadowed_mm2)| Seen {
            structure,
            visible_mm2,
            shadowed_mm2,
            new_cells: Vec::new(),
        };
        Facts {
            contact: self.contact,
            seen: vec![seen(LIVER, self.liver), seen(KIDNEY, self.kidney)],
        }
    }

    fn probe(&self) -> ProbeState {
        ProbeState {
            patient_from_probe: self.pose,
            press_mm: 2.0,
            force_n: self.force_n,
        }
    }
}

pub(crate) fn empty_step(tick: u64) -> Step {
    Step {
        tick,
        inputs: Inputs::default(),
        probe: None,
        settings: None,
        frozen: false,
        facts: None,
        events: Vec::new(),
    }
}

/// Two seconds over the same place, then the picture is handed in.
pub(crate) fn captured(picture: &Picture) -> Vec<Step> {
    let ticks = u64::from(2 * TICKS_PER_S);
    let mut steps: Vec<Step> = (0..=ticks)
        .map(|tick| Step {
            probe: Some(picture.probe()),
            ..empty_step(tick)
        })
        .collect();
    // The session began with the preset; then the hand turned knobs.
    steps[0].settings = Some(Console::preset("abdomen").unwrap().to_ron().unwrap());
    steps[1].settings = Some(picture.console.to_ron().unwrap());
    steps[0].events = vec![Event::TaskStarted {
        task: 0,
        target: Target::Plane(target()),
    }];
    let last = steps.last_mut().unwrap();
    last.facts = Some(picture.facts());
    last.events = vec![
        Event::Captured {
            task: 0,
            picture: 7,
        },
        Event::TaskEnded {
            task: 0,
            outcome: recording::Outcome::Answered,
        },
    ];
    steps
}

/// A sweep through a liver of 100 slabs, one a millimetre, towards the patient's feet.
pub(crate) fn swept(slabs: std::ops::Range<i16>, speed_mm_s: f64) -> Vec<Step> {
    let step_mm = speed_mm_s / f64::from(TICKS_PER_S);
    let count = (f64::from(slabs.end - slabs.start) / step_mm) as u64;
    let mut last = slabs.start - 1;
    let mut steps: Vec<Step> = Vec::new();
    for tick in 0..=count {
        let along = f64::from(slabs.start) + tick as f64 * step_mm;
        let slab = (along as i16).clamp(0, 99);
        let inside = (0.0..100.0).contains(&along);
        let pose = hand::of_axes(
            Point::new(-140.0, 40.0, 50.0 - along),
            na::Vector3::new(0.0, -1.0, 0.0),
            na::Vector3::x(),
        );
        let new_cells = (last.max(-1) + 1..=slab)
            .filter(|_| inside)
            .map(|z| [0, 0, z]);
        let seen = Seen {
            structure: LIVER,
            visible_mm2: if inside { 3000.0 } else { 0.0 },
            shadowed_mm2: 0.0,
            new_cells: new_cells.collect(),
        };
        last = if inside { slab } else { last };
        steps.push(Step {
            probe: Some(ProbeState {
                patient_from_probe: pose,
                press_mm: 2.0,
                force_n: 6.0,
            }),
            facts: Some(Facts {
                contact: 1.0,
                seen: vec![seen],
            }),
            ..empty_step(tick)
        });
    }
    steps[0].events = vec![Event::TaskStarted {
        task: 0,
        target: Target::Sweep(SweepTarget {
            structure: "liver".to_owned(),
            cells: 100,
        }),
    }];
    steps
}
