//! Headers and steps to record.

use std::fs;
use std::path::{Path, PathBuf};

use equipment::hand::PatientFromProbe;
use equipment::{Action, Breath, Inputs, Posture};
use geometry::{Point, Pose, Vector};
use nalgebra as na;
use recording::{
    Event, Facts, Header, Outcome, PlaneTarget, ProbeState, Recorder, RequiredStructure, Seen,
    Step, SweepTarget, Target,
};

pub fn header() -> Header {
    Header {
        engine: "sonocath 0.1.0 test".to_owned(),
        scenario: "(\n  tasks: [\"die Leber\", \"肝脏\"], // “all”\n)".to_owned(),
        patient: "patients/anna".to_owned(),
        patient_digest: u64::MAX,
        structures: ["liver", "gallbladder", "aorta"]
            .map(str::to_owned)
            .to_vec(),
        probe: "curved".to_owned(),
        seed: u64::MAX - 1,
        ticks_per_s: 60,
    }
}

/// A pose whose quaternion is not exactly of length 1, as after many turns.
pub fn pose(at: [f64; 3], turn: [f64; 4]) -> PatientFromProbe {
    let quaternion = na::Quaternion::from(na::Vector4::from(turn));
    Pose::from_isometry(na::Isometry3::from_parts(
        na::Vector3::from(at).into(),
        na::UnitQuaternion::new_unchecked(quaternion),
    ))
}

/// A number that looks like any other: splitmix64 of its place.
pub fn noise(place: u64) -> u64 {
    let mut z = place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn share(place: u64) -> f64 {
    (noise(place) >> 11) as f64 / (1_u64 << 53) as f64
}

pub fn pose_of(tick: u64) -> PatientFromProbe {
    let at = [0, 1, 2].map(|i| 300.0 * share(8 * tick + i) - 150.0);
    let turn = [3, 4, 5, 6].map(|i| 2.0 * share(8 * tick + i) - 1.0);
    pose(at, turn)
}

/// What a session's step looks like: a hand and a probe always, facts on every sixth step, little
/// else. Every kind of thing comes within 40 steps.
pub fn step(tick: u64) -> Step {
    let mut step = Step {
        tick,
        inputs: Inputs {
            hand: Some(pose_of(tick)),
            actions: Vec::new(),
        },
        probe: Some(ProbeState {
            patient_from_probe: pose_of(tick + 1),
            press_mm: 4.0 * share(tick) - 1.0,
            force_n: 10.0 * share(tick + 1),
        }),
        settings: (tick == 0).then(|| "(depth_mm: 150, gain_db: 3.5)\n".repeat(10)),
        frozen: tick % 40 > 30,
        facts: tick.is_multiple_of(6).then(|| facts(tick)),
        events: Vec::new(),
    };
    match tick % 40 {
        1 => step.events.push(started(tick)),
        2 => step.events.push(Event::TaskStarted {
            task: 1,
            target: Target::Sweep(SweepTarget {
                structure: "liver".to_owned(),
                cells: 4321,
            }),
        }),
        3 => step.inputs.actions = turns(tick),
        4 => {
            step.inputs = Inputs::default();
            step.probe = None;
        }
        5 => step.events.extend(endings(tick)),
        6 => step.settings = Some("(depth_mm: 120)".to_owned()),
        _ => {}
    }
    step
}

fn facts(tick: u64) -> Facts {
    let seen = |structure: u16| Seen {
        structure,
        visible_mm2: (900.0 * share(tick + u64::from(structure))) as f32,
        shadowed_mm2: (90.0 * share(tick + 7 + u64::from(structure))) as f32,
        new_cells: match structure {
            0 => vec![[-1, 2, i16::MAX], [i16::MIN, 0, 5]],
            _ => Vec::new(),
        },
    };
    Facts {
        contact: share(tick) as f32,
        seen: (0..10).map(seen).collect(),
    }
}

fn started(tick: u64) -> Event {
    Event::TaskStarted {
        task: 0,
        target: Target::Plane(PlaneTarget {
            plane: "subcostal".to_owned(),
            center: Point::new(1.5, -2.25, 0.1),
            lateral: Vector::new(1.0, 0.0, 0.0),
            depth: Vector::new(0.0, 0.6, 0.8),
            patient_from_probe: pose_of(tick),
            depth_mm: 160.0,
            required: vec![RequiredStructure {
                structure: "gallbladder".to_owned(),
                exemplary_mm2: 1234.5,
            }],
        }),
    }
}

fn turns(tick: u64) -> Vec<Action> {
    let turn = |to| Action::Turn {
        knob: "tgc_db.3".to_owned(),
        to,
    };
    vec![
        turn(share(tick)),
        turn(-0.0),
        turn(f64::INFINITY),
        turn(f64::NEG_INFINITY),
        turn(5e-324),
        turn(f64::MAX),
        Action::Freeze(true),
        Action::Freeze(false),
        Action::Capture,
        Action::Next,
        Action::Breathe(Breath::In),
        Action::Breathe(Breath::Out),
        Action::Breathe(Breath::Hold),
        Action::Breathe(Breath::Quietly),
        Action::Lie(Posture::LeftDecubitus),
        Action::Lie(Posture::Supine),
        Action::RaiseArm(true),
        Action::HeartRate(72.5),
    ]
}

fn endings(tick: u64) -> Vec<Event> {
    let ended = |outcome| Event::TaskEnded { task: 7, outcome };
    vec![
        Event::Captured {
            task: 7,
            picture: noise(tick),
        },
        ended(Outcome::Answered),
        ended(Outcome::Left),
        ended(Outcome::TimedOut),
        Event::Refused {
            knob: "depth_mm".to_owned(),
            // Looks like the end of a step, and is none.
            why: "a \"quoted\" word,\"digest\":\"0123456789abcdef\"}\n".to_owned(),
        },
    ]
}

pub fn steps(count: u64) -> Vec<Step> {
    (0..count).map(step).collect()
}

/// Records these steps and does not close; the path of the `.part` file.
pub fn part_with(folder: &Path, header: &Header, steps: &[Step]) -> PathBuf {
    let mut recorder = Recorder::create(folder.join("a.mcap"), header).expect("can be begun");
    for step in steps {
        recorder.step(step).expect("can be recorded");
    }
    folder.join("a.mcap.part")
}

/// Bytes of a recording that was not closed, and of the same one closed.
pub fn both_files(header: &Header, steps: &[Step]) -> [Vec<u8>; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let part = part_with(folder.path(), header, steps);
    let open = fs::read(&part).expect("is there");
    recording::close_left_over(folder.path().join("a.mcap")).expect("can be closed");
    let closed = fs::read(folder.path().join("a.mcap")).expect("is there");
    [open, closed]
}

/// All floats of a step by their bits, those of 32 bits widened.
pub fn bits(step: &Step) -> Vec<u64> {
    let mut bits = Vec::new();
    let mut pose = |pose: &PatientFromProbe| {
        let isometry = &pose.isometry;
        bits.extend(isometry.translation.vector.iter().map(|x| x.to_bits()));
        bits.extend(isometry.rotation.coords.iter().map(|x| x.to_bits()));
    };
    step.inputs.hand.iter().for_each(&mut pose);
    step.probe
        .iter()
        .for_each(|probe| pose(&probe.patient_from_probe));
    for event in &step.events {
        if let Event::TaskStarted {
            target: Target::Plane(target),
            ..
        } = event
        {
            pose(&target.patient_from_probe);
            let places = [
                target.center.coords,
                target.lateral.coords,
                target.depth.coords,
            ];
            bits.extend(places.iter().flatten().map(|x| x.to_bits()));
            return bits;
        }
    }
    bits
}

/// Asserts that two steps are the same bit for bit. What [`bits`] does not take, `Debug` shows: it
/// writes floats so that they can be told apart.
pub fn assert_same(read: &[Step], written: &[Step]) {
    assert_eq!(read.len(), written.len());
    for (read, written) in read.iter().zip(written) {
        assert_eq!(bits(read), bits(written));
        assert_eq!(format!("{read:?}"), format!("{written:?}"));
    }
}
