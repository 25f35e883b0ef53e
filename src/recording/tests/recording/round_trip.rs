//! What is written is read, to the last bit.

use equipment::{Action, Breath, Inputs, Posture};
use proptest::collection::vec;
use proptest::prelude::*;
use recording::{Ended, Event, Facts, Header, ProbeState, Recorder, Recording, Seen, Step};

use crate::samples::{assert_same, both_files, header, pose, steps};

#[test]
fn everything_comes_back_open_and_closed() {
    let written = steps(50);
    let [open, closed] = both_files(&header(), &written);
    for (bytes, ended) in [
        (open, Ended::Broken { bytes_left_out: 0 }),
        (closed, Ended::Closed),
    ] {
        let read = Recording::of_bytes(&bytes, "a".as_ref()).expect("is a recording");
        assert_eq!(read.header, header());
        assert_same(&read.steps, &written);
        assert_eq!(read.ended, ended);
    }
}

#[test]
fn closing_by_the_recorder_and_afterwards_gives_the_same_bytes() {
    let [_, afterwards] = both_files(&header(), &steps(50));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("b.mcap");
    let mut recorder = Recorder::create(&path, &header()).expect("can be begun");
    for step in steps(50) {
        recorder.step(&step).expect("can be recorded");
    }
    recorder.close().expect("can be closed");
    assert_eq!(std::fs::read(&path).expect("is there"), afterwards);
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .expect("is there")
        .map(|entry| entry.expect("is there").file_name())
        .collect();
    assert_eq!(names, ["b.mcap"]);
}

#[test]
fn a_recording_of_nothing_has_a_header() {
    for bytes in both_files(&header(), &[]) {
        let read = Recording::of_bytes(&bytes, "a".as_ref()).expect("is a recording");
        assert_eq!(read.header, header());
        assert!(read.steps.is_empty());
    }
}

/// 7.038531e-26 is the shortest decimal of a float of 32 bits that, read with 64 bits, rounds to its
/// neighbour.
#[test]
fn floats_of_32_bits_come_back_through_64() {
    let visible = |bits: u32| Seen {
        structure: 0,
        visible_mm2: f32::from_bits(bits),
        shadowed_mm2: 0.0,
        new_cells: Vec::new(),
    };
    let mut step = crate::samples::step(0);
    step.facts = Some(Facts {
        contact: 0.9,
        seen: [0x15ae_43fd, 0x15ae_43fe, 1, 0x7f7f_ffff, 0x8000_0000]
            .map(visible)
            .to_vec(),
    });
    let [bytes, _] = both_files(&header(), std::slice::from_ref(&step));
    let read = Recording::of_bytes(&bytes, "a".as_ref()).expect("is a recording");
    assert_same(&read.steps, &[step]);
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("\"contact\":0.9,"), "not for people to read");
}

fn any_double() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(canonical),
        any::<i32>().prop_map(f64::from),
        -500.0..500.0,
    ]
}

/// The float of these bits; of the many NaN the one that is read.
fn canonical(bits: u64) -> f64 {
    let value = f64::from_bits(bits);
    if value.is_nan() { f64::NAN } else { value }
}

fn any_single() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(|bits| match f32::from_bits(bits) {
        value if value.is_nan() => f32::NAN,
        value => value,
    })
}

fn any_pose() -> impl Strategy<Value = equipment::hand::PatientFromProbe> {
    (
        proptest::array::uniform3(any_double()),
        proptest::array::uniform4(any_double()),
    )
        .prop_map(|(at, turn)| pose(at, turn))
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (any::<String>(), any_double()).prop_map(|(knob, to)| Action::Turn { knob, to }),
        any::<bool>().prop_map(Action::Freeze),
        Just(Action::Capture),
        Just(Action::Next),
        Just(Action::Breathe(Breath::In)),
        Just(Action::Breathe(Breath::Quietly)),
        Just(Action::Lie(Posture::LeftDecubitus)),
        any::<bool>().prop_map(Action::RaiseArm),
        any_double().prop_map(Action::HeartRate),
    ]
}

prop_compose! {
    fn any_inputs()(
        hand in proptest::option::of(any_pose()),
        actions in vec(any_action(), 0..3),
    ) -> Inputs {
        Inputs { hand, actions }
    }
}

prop_compose! {
    fn any_probe()(
        patient_from_probe in any_pose(),
        press_mm in any_double(),
        force_n in any_double(),
    ) -> ProbeState {
        ProbeState { patient_from_probe, press_mm, force_n }
    }
}

prop_compose! {
    fn any_seen()(
        structure in any::<u16>(),
        visible_mm2 in any_single(),
        shadowed_mm2 in any_single(),
        new_cells in vec(any::<[i16; 3]>(), 0..3),
    ) -> Seen {
        Seen { structure, visible_mm2, shadowed_mm2, new_cells }
    }
}

fn any_facts() -> impl Strategy<Value = Facts> {
    (any_single(), vec(any_seen(), 0..4)).prop_map(|(contact, seen)| Facts { contact, seen })
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (any::<u32>(), any::<u64>()).prop_map(|(task, picture)| Event::Captured { task, picture }),
        (any::<String>(), any::<String>()).prop_map(|(knob, why)| Event::Refused { knob, why }),
    ]
}

prop_compose! {
    fn any_step()(
        inputs in any_inputs(),
        probe in proptest::option::of(any_probe()),
        settings in proptest::option::of(any::<String>()),
        frozen in any::<bool>(),
        facts in proptest::option::of(any_facts()),
        events in vec(any_event(), 0..3),
    ) -> Step {
        Step { tick: 0, inputs, probe, settings, frozen, facts, events }
    }
}

prop_compose! {
    fn any_header()(
        texts in any::<[String; 4]>(),
        structures in vec(any::<String>(), 0..3),
        patient_digest in any::<u64>(),
        seed in any::<u64>(),
        ticks_per_s in 1_u32..,
    ) -> Header {
        let [engine, scenario, patient, probe] = texts;
        Header { engine, scenario, patient, patient_digest, structures, probe, seed, ticks_per_s }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_recording_comes_back(header in any_header(), mut written in vec(any_step(), 0..5)) {
        for (tick, step) in written.iter_mut().enumerate() {
            step.tick = tick as u64;
        }
        for bytes in both_files(&header, &written) {
            let read = Recording::of_bytes(&bytes, "a".as_ref()).expect("is a recording");
            prop_assert_eq!(&read.header, &header);
            assert_same(&read.steps, &written);
        }
    }
}
