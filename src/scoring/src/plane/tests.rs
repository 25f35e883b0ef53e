use equipment::hand::{self, Turn};
use geometry::Vector;
use proptest::prelude::*;
use recording::{Event, Outcome};

use super::*;
use crate::fixture::{Picture, captured, empty_step, header, plane_task, target};
use crate::{TaskScore, score};

fn scored_by(picture: &Picture, rules: PlaneRules) -> TaskScore {
    score(&header(), &captured(picture), &[plane_task(rules)])
        .tasks
        .remove(0)
}

fn scored(picture: &Picture) -> TaskScore {
    scored_by(picture, PlaneRules::default())
}

fn item<'a>(score: &'a TaskScore, id: &str) -> &'a Item {
    score.items.iter().find(|item| item.id == id).unwrap()
}

fn advice_of(score: &TaskScore, id: &str) -> Advice {
    item(score, id).advice.clone().unwrap()
}

fn turned(turn: Turn, slide: [f64; 2]) -> PatientFromProbe {
    let pose = target().patient_from_probe;
    let face = hand::face_of(&pose) + pose * Vector::new(slide[0], slide[1], 0.0);
    turn.applied_to(&hand::moved_to(&pose, face))
}

prop_compose! {
    /// Any picture, near and far, with any settings.
    fn any_picture()(
        turns in [-50.0..50.0_f64, -40.0..40.0, -180.0..180.0],
        slide in [-50.0..50.0_f64, -50.0..50.0],
        force_n in 0.0..40.0_f64,
        contact in 0.0..1.0_f32,
        liver in (0.0..8000.0_f32, 0.0..8000.0_f32),
        kidney in (0.0..8000.0_f32, 0.0..8000.0_f32),
        depth_mm in 40.0..300.0_f64,
        gain_db in -40.0..40.0_f64,
        slider in -20.0..20.0_f64,
    ) -> Picture {
        let [tilt_deg, rock_deg, rotate_deg] = turns;
        let mut picture = Picture {
            pose: turned(Turn { tilt_deg, rock_deg, rotate_deg }, slide),
            force_n, contact, liver, kidney,
            ..Picture::exemplary()
        };
        picture.console.depth_mm = depth_mm;
        picture.console.gain_db = gain_db;
        picture.console.tgc_db[3] = slider;
        picture
    }
}

proptest! {
    /// "Missing" as the rules say: less than half of 60 and 40 cm².
    #[test]
    fn without_a_required_structure_no_picture_is_basic(
        mut picture in any_picture(), missing in 0.0..0.9999_f32, which: bool, else_right: bool,
    ) {
        if else_right {
            picture = Picture::exemplary();
        }
        match which {
            true => picture.kidney.0 = missing * 2000.0,
            false => picture.liver.0 = missing * 3000.0,
        }
        let score = scored(&picture);
        prop_assert!(score.points <= 59.0, "{score:?}");
        prop_assert_eq!(score.band, Band::NonStandard);
    }

    /// Every lost point is told, in both languages, and all points add up.
    #[test]
    fn every_lost_point_has_its_reason(picture in any_picture()) {
        let score = scored(&picture);
        let of: f64 = score.items.iter().map(|item| item.of).sum();
        prop_assert!((of - 100.0).abs() < 1e-9);
        let sum: f64 = score.items.iter().map(|item| item.points).sum();
        prop_assert!((sum - score.points).abs() < 1e-9);
        prop_assert!((0.0..=100.0).contains(&score.points));
        for item in &score.items {
            prop_assert!(!item.found.en.is_empty() && !item.found.zh.is_empty());
            prop_assert_eq!(item.points < item.of, item.advice.is_some(), "{:?}", item);
            let Some(advice) = &item.advice else { continue };
            prop_assert!(advice.words.en.len() > 10 && advice.words.zh.len() > 10, "{:?}", item);
            let by_hand = ["normal", "offset", "marker", "depth", "gain", "contact", "force"];
            if by_hand.contains(&item.id.as_str()) {
                prop_assert!(!advice.moves.is_empty(), "{:?}", item);
            }
        }
    }

    /// What a sonographer does within the right plane is free, as long as nothing gets lost:
    /// exactly.
    #[test]
    fn sliding_within_the_plane_costs_nothing(
        slide in -35.0..35.0_f64, rock in -15.0..15.0_f64, tilt in -30.0..30.0_f64,
        liver in 3000.0..9000.0_f32, kidney in 2000.0..9000.0_f32,
    ) {
        let pose = turned(Turn { tilt_deg: tilt, ..Turn::default() }, [0.0, 0.0]);
        let before = Picture { pose, ..Picture::exemplary() };
        let within = [Move::Slide { marker_mm: slide, across_mm: 0.0 }];
        let pose = aim::apply(&within, &pose);
        let rocked = Turn { rock_deg: rock, ..Turn::default() }.applied_to(&pose);
        let probe = Probe::named("C5-2v").unwrap();
        let center = Seen::from(&rocked, &target()).center;
        prop_assume!(beside_mm(probe, &before.console, center.x(), center.z()) == 0.0);
        let after = Picture { pose: rocked, liver: (liver, 0.0), kidney: (kidney, 0.0), ..before.clone() };
        prop_assert_eq!(scored(&after).points, scored(&before).points);
    }

    /// Who does what is said has the plane.
    #[test]
    fn the_advised_moves_win_the_points_back(picture in any_picture()) {
        let score = scored(&picture);
        let lost = |id| item(&score, id).advice.is_some();
        prop_assume!(lost("normal") || lost("offset"));
        let moves = match lost("offset") {
            true => advice_of(&score, "offset").moves,
            false => aim::moves_to(&picture.pose, &target()),
        };
        let better = scored(&Picture { pose: aim::apply(&moves, &picture.pose), ..picture });
        for id in ["normal", "offset", "marker"] {
            let lost = item(&better, id);
            // The flip of a plane nearly right is a fault of its own.
            if id != "marker" {
                prop_assert_eq!(lost.points, lost.of, "{:?} after {:?}", lost, &moves);
            }
        }
    }

    /// Cut off anywhere, read by any order of tasks: a score and no panic.
    #[test]
    fn a_recording_cut_off_is_scored(picture in any_picture(), length in 0_usize..60) {
        let steps = captured(&picture);
        let steps = &steps[..length.min(steps.len())];
        let tasks = [plane_task(PlaneRules::default()), plane_task(PlaneRules::default())];
        let score = score(&header(), steps, &tasks);
        prop_assert_eq!(score.tasks.len(), 2);
        prop_assert_eq!(score.tasks[1].points, 0.0);
        prop_assert_eq!(score.points, score.tasks[0].points / 2.0);
    }
}

#[test]
fn the_exemplary_picture_has_all_points() {
    let score = scored(&Picture::exemplary());
    assert_eq!(score.points, 100.0, "{score:?}");
    assert_eq!(score.band, Band::Standard);
    assert!(score.items.iter().all(|item| item.advice.is_none()));
}

#[test]
fn what_is_in_shadow_is_said_to_be() {
    let picture = Picture {
        kidney: (300.0, 2500.0),
        pose: turned(Turn::default(), [20.0, 2.0]),
        ..Picture::exemplary()
    };
    let score = scored(&picture);
    assert_eq!(score.points, 59.0, "{score:?}");
    let structures = item(&score, "structures");
    assert_eq!(
        structures.found.en,
        "Liver: visible, 60.0 cm²; Right kidney: in shadow, 3.0 of the 20.0 cm² needed visible"
    );
    let advice = advice_of(&score, "structures");
    assert_eq!(
        advice.words.en,
        "Right kidney lies in shadow: slide 20 mm towards the feet (away from the marker)"
    );
    assert!(advice.words.zh.contains("右肾被声影遮挡：向足侧平移 20 mm"));
    assert_eq!(item(&score, "gate").of, 0.0);
}

#[test]
fn each_fault_is_its_own_and_has_its_own_move() {
    let tilted = Picture {
        pose: turned(
            Turn {
                tilt_deg: 15.0,
                ..Turn::default()
            },
            [0.0, 0.0],
        ),
        ..Picture::exemplary()
    };
    let score = scored(&tilted);
    assert_eq!(item(&score, "normal").points, 8.5);
    assert_eq!(advice_of(&score, "normal").moves, [Move::Tilt(-15.0)]);
    // y = z × x: towards the front, so the beam goes back to the back.
    assert_eq!(
        advice_of(&score, "normal").words.en,
        "The plane is 15° off: tilt the beam 15° towards the back"
    );
    // The face stands in the plane: what is off at the target's depth is the tilt.
    assert_eq!(advice_of(&score, "offset").moves, [Move::Tilt(-15.0)]);

    let slid = Picture {
        pose: turned(Turn::default(), [0.0, -8.0]),
        ..Picture::exemplary()
    };
    let score = scored(&slid);
    assert_eq!(item(&score, "normal").advice, None);
    assert_eq!(item(&score, "offset").points, 5.2);
    assert_eq!(
        advice_of(&score, "offset").words.en,
        "The plane passes the target's middle at 8 mm: \
         slide 8 mm towards the front (across the scan plane)"
    );
}

#[test]
fn a_flipped_probe_is_told_to_turn_by_180() {
    let flipped = Turn {
        rotate_deg: 180.0,
        ..Turn::default()
    };
    let mut picture = Picture {
        pose: turned(flipped, [0.0, 0.0]),
        ..Picture::exemplary()
    };
    let score = scored(&picture);
    assert_eq!(score.points, 95.0, "{score:?}");
    assert_eq!(advice_of(&score, "marker").moves, [Move::Rotate(180.0)]);
    assert!(
        advice_of(&score, "marker")
            .words
            .en
            .ends_with("turn the probe by 180°")
    );
    picture.console.flip_lateral = true;
    assert_eq!(scored(&picture).points, 100.0);
    picture.pose = target().patient_from_probe;
    assert!(matches!(&advice_of(&scored(&picture), "marker").moves[..],
        [Move::Turn { knob, .. }] if knob == "flip_lateral"));
}

#[test]
fn knobs_are_put_right() {
    let mut picture = Picture::exemplary();
    picture.console.depth_mm = 80.0;
    picture.console.gain_db = 25.0;
    // What shows all that there is to see is deep enough.
    assert_eq!(item(&scored(&picture), "depth").points, 5.0);
    let whole = picture.kidney;
    picture.kidney = (2500.0, 0.0);
    let score = scored(&picture);
    let mut apply = |id: &str| {
        for a_move in advice_of(&score, id).moves {
            match a_move {
                Move::Turn { knob, by } if knob == "depth_mm" => picture.console.depth_mm += by,
                Move::Turn { knob, by } if knob == "gain_db" => picture.console.gain_db += by,
                other => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(item(&score, "depth").points, 0.0);
    assert!(item(&score, "depth").found.en.contains("too shallow"));
    apply("depth");
    apply("gain");
    picture.kidney = whole;
    assert_eq!(scored(&picture).points, 100.0);
    picture.console.tgc_db[7] = -18.0;
    let moves = advice_of(&scored(&picture), "gain").moves;
    assert_eq!(
        moves,
        [Move::Turn {
            knob: "tgc_db.7".to_owned(),
            by: 18.0
        }]
    );
}

#[test]
fn the_middle_beside_the_picture_costs_until_it_is_back() {
    let picture = Picture {
        pose: turned(Turn::default(), [150.0, 0.0]),
        ..Picture::exemplary()
    };
    let score = scored(&picture);
    assert_eq!(item(&score, "place").points, 0.0, "{score:?}");
    let moves = advice_of(&score, "place").moves;
    let back = Picture {
        pose: aim::apply(&moves, &picture.pose),
        ..picture
    };
    assert_eq!(scored(&back).points, 100.0);
    // Rocked away on the spot: rocked back on the spot.
    let rocked = Turn {
        rock_deg: -75.0,
        ..Turn::default()
    };
    let picture = Picture {
        pose: turned(rocked, [0.0, 0.0]),
        ..Picture::exemplary()
    };
    assert_eq!(
        advice_of(&scored(&picture), "place").moves,
        [Move::Rock(75.0)]
    );
}

#[test]
fn a_frozen_picture_is_as_old_as_the_freeze() {
    let mut steps = captured(&Picture::exemplary());
    let off = turned(Turn::default(), [0.0, 40.0]);
    let count = steps.len();
    for step in &mut steps[count - 10..] {
        step.frozen = true;
        step.probe.as_mut().unwrap().patient_from_probe = off;
    }
    let score = score(&header(), &steps, &[plane_task(PlaneRules::default())]);
    assert_eq!(score.points, 100.0, "{score:?}");
}

#[test]
fn the_last_picture_counts() {
    let bad = Picture {
        pose: turned(Turn::default(), [0.0, 40.0]),
        ..Picture::exemplary()
    };
    let mut steps = captured(&bad);
    steps.last_mut().unwrap().events.pop();
    let shift = steps.len() as u64;
    let more = captured(&Picture::exemplary());
    steps.extend(more.into_iter().skip(1).map(|step| Step {
        tick: step.tick + shift,
        ..step
    }));
    let score = score(&header(), &steps, &[plane_task(PlaneRules::default())]);
    assert_eq!(score.points, 100.0, "{score:?}");
}

#[test]
fn who_did_not_capture_is_told_when_it_was_there() {
    let mut steps = captured(&Picture::exemplary());
    steps.last_mut().unwrap().events.clear();
    let task = plane_task(PlaneRules::default());
    let told = |steps: &[Step]| {
        score(&header(), steps, std::slice::from_ref(&task))
            .tasks
            .remove(0)
    };
    let score = told(&steps);
    assert_eq!(score.points, 0.0);
    assert_eq!(
        advice_of(&score, "answer").words.en,
        "No picture was captured: after 0 s you were there, capture then"
    );
    for step in &mut steps {
        step.probe.as_mut().unwrap().patient_from_probe = turned(Turn::default(), [0.0, 15.0]);
    }
    assert_eq!(
        advice_of(&told(&steps), "answer").moves,
        [Move::Slide {
            marker_mm: 0.0,
            across_mm: -15.0
        }]
    );
    steps.iter_mut().for_each(|step| step.probe = None);
    assert!(
        advice_of(&told(&steps), "answer")
            .words
            .en
            .contains("put the probe on the skin")
    );
    assert!(
        told(&[empty_step(0)]).items[0]
            .found
            .en
            .contains("not begun")
    );
    assert!(told(&[]).items[0].found.en.contains("not begun"));
}

#[test]
fn what_is_no_number_earns_nothing_and_breaks_nothing() {
    let picture = Picture {
        force_n: f64::NAN,
        contact: f32::NAN,
        kidney: (f32::NAN, f32::INFINITY),
        ..Picture::exemplary()
    };
    let score = scored(&picture);
    assert_eq!(score.points, 59.0, "{score:?}");
    assert!(!format!("{score:?}").contains("NaN"), "{score:?}");
    let mut nowhere = Picture::exemplary();
    nowhere.pose.isometry.translation.vector.x = f64::NAN;
    let score = scored(&nowhere);
    assert_eq!(score.points, 0.0, "{score:?}");
    assert!(!format!("{score:?}").contains("NaN"), "{score:?}");
}

/// Who has breathed in is judged against the plane where it lies then.
#[test]
fn a_target_that_has_moved_is_what_counts() {
    let by = Vector::new(0.0, 40.0, 0.0);
    let mut now = target();
    now.center = now.center + by;
    let pose = now.patient_from_probe;
    now.patient_from_probe = hand::moved_to(&pose, hand::face_of(&pose) + by);
    let picture = Picture {
        pose: now.patient_from_probe,
        ..Picture::exemplary()
    };
    let still = captured(&picture);
    let mut moved = still.clone();
    let events = &mut moved.last_mut().unwrap().events;
    events.insert(
        0,
        Event::TargetMoved {
            task: 0,
            target: recording::Target::Plane(now),
        },
    );
    let points = |steps: &[recording::Step]| {
        let task = plane_task(PlaneRules::default());
        score(&header(), steps, &[task]).points
    };
    assert_eq!(points(&moved), 100.0);
    assert!(points(&still) < 90.0, "{}", points(&still));
}

#[test]
fn each_task_has_its_own_stretch() {
    let far = Picture {
        pose: turned(Turn::default(), [0.0, 40.0]),
        ..Picture::exemplary()
    };
    let mut steps = captured(&far);
    let second = captured(&Picture::exemplary());
    let ticks = steps.len() as u64;
    steps.extend(second.into_iter().map(|mut step| {
        for event in &mut step.events {
            match event {
                Event::TaskStarted { task, .. }
                | Event::TargetMoved { task, .. }
                | Event::Captured { task, .. }
                | Event::TaskEnded { task, .. } => *task = 1,
                Event::Refused { .. } => {}
            }
        }
        step.tick += ticks;
        step
    }));
    let task = plane_task(PlaneRules::default());
    let score = score(&header(), &steps, &[task.clone(), task]);
    let [first, second] = &score.tasks[..] else {
        panic!("{score:?}");
    };
    assert_eq!(first.points, 87.0, "{first:?}");
    assert_eq!(second.points, 100.0, "{second:?}");
    assert_eq!(score.points, 93.5);
    // The way from the first place to the second is nobody's.
    assert!(
        second
            .measures
            .iter()
            .any(|m| m.id == "path_length" && m.value == 0.0)
    );
}

#[test]
fn who_ran_out_of_time_is_told_so() {
    let mut steps = captured(&Picture::exemplary());
    steps.last_mut().unwrap().events = vec![Event::TaskEnded {
        task: 0,
        outcome: Outcome::TimedOut,
    }];
    let score = score(&header(), &steps, &[plane_task(PlaneRules::default())]);
    assert_eq!(
        score.tasks[0].items[0].found.en,
        "Time ran out before a picture was captured"
    );
}

#[test]
fn a_task_judges_by_its_own_rules() {
    let picture = Picture {
        pose: turned(Turn::default(), [0.0, 8.0]),
        ..Picture::exemplary()
    };
    let strict = PlaneRules {
        offset_mm: Tolerance::new(1.0, 8.0),
        visible_share: 1.0,
        ..PlaneRules::default()
    };
    let score = scored_by(&picture, strict.clone());
    assert_eq!(item(&score, "offset").points, 0.0);
    let less = Picture {
        kidney: (3999.0, 0.0),
        ..Picture::exemplary()
    };
    assert_eq!(scored_by(&less, strict).points, 59.0);
}
