use equipment::Inputs;
use equipment::hand::Turn;
use geometry::{Pose, Vector};
use recording::ProbeState;

use super::*;

fn steps(poses: impl IntoIterator<Item = Option<PatientFromProbe>>) -> Vec<Step> {
    let state = |patient_from_probe| ProbeState {
        patient_from_probe,
        press_mm: 1.0,
        force_n: 5.0,
    };
    let step = |(tick, pose): (usize, Option<PatientFromProbe>)| Step {
        tick: tick as u64,
        inputs: Inputs::default(),
        probe: pose.map(state),
        settings: None,
        frozen: false,
        facts: None,
        events: Vec::new(),
    };
    poses.into_iter().enumerate().map(step).collect()
}

fn at(x: f64, tilt_deg: f64) -> Option<PatientFromProbe> {
    let tilt = Turn {
        tilt_deg,
        ..Turn::default()
    };
    Some(tilt.applied_to(&Pose::translation(Vector::new(x, 0.0, 0.0))))
}

#[test]
fn paths_and_turns_add_up_and_end_where_the_probe_is_laid_aside() {
    let forth_and_back = [
        at(0.0, 0.0),
        at(3.0, 5.0),
        at(1.0, 5.0),
        None,
        at(90.0, 0.0),
        at(91.0, 0.0),
    ];
    let track = Track::of(&steps(forth_and_back), 60);
    assert!((track.path_mm() - 6.0).abs() < 1e-12);
    assert!((track.turned_deg() - 5.0).abs() < 1e-9);
    assert_eq!(track.longest_held().len(), 3);
}

#[test]
fn a_stop_is_a_rest_after_a_move() {
    let rate = 10;
    let mut poses = vec![at(0.0, 0.0); 20];
    poses.extend((0..10).map(|i| at(f64::from(i), 0.0)));
    poses.extend(vec![at(9.0, 0.0); 10]);
    // A turn is no rest.
    poses.extend((0..10).map(|i| at(9.0, f64::from(i))));
    poses.extend(vec![at(9.0, 9.0); 3]);
    let track = Track::of(&steps(poses), rate);
    assert_eq!(track.stops(), 1);
    assert!((track.speed_mm_s().unwrap() - 10.0).abs() < 1e-9);
}
