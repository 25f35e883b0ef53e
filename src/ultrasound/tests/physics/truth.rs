//! Labels, places and facts beside geometry done by hand.

use equipment::{Console, Effects, Probe};
use nalgebra::Vector3;
use ultrasound::engine::{Imager, View};
use ultrasound::frame::PathKind;

use crate::world::*;

const TISSUE: Stuff = Stuff::clear("tissue", 1050.0, 1540.0)
    .lossy(0.3)
    .bright(0.0);

fn true_view() -> View {
    View {
        truth: true,
        ..here()
    }
}

#[test]
fn facts_alone_are_the_frames_facts() {
    let mut imagers = ["C5-2v", "L11-5v", "P4-2v"].map(|probe| {
        let probe = Probe::named(probe).unwrap();
        Imager::new(probe, &Console::default_for(probe)).unwrap()
    });
    for (object, y) in [
        ("phantom-torso", None),
        ("phantom-bone", Some(0.0)),
        ("phantom-bubble", Some(0.0)),
        ("phantom-mirror", Some(0.0)),
        ("phantom-layers", Some(-2.0)),
        ("phantom-cyst", Some(5.0)),
    ] {
        let (patient, medium) = recipe(object);
        // A torso is looked at from in front of its skin.
        let skin_y = f64::from(patient.structures[0].surface.bounds().min[1]);
        let view = View::at(on_object(0.0, y.unwrap_or(skin_y + 2.0)));
        for imager in &mut imagers {
            let frame = imager.frame(&medium, &view);
            assert_eq!(imager.facts(&medium, &view), frame.facts, "{object}");
            assert!(frame.facts.contact > 0.0, "{object}");
        }
    }
    figure(
        "facts alone beside the frame's, 6 scenes, 3 probes",
        "the same",
        "the same",
    );
}

#[test]
fn areas_of_a_balls_sections_are_seen() {
    let ball = Stuff::clear("ball", 1050.0, 1540.0).lossy(0.3).bright(6.0);
    let mut worst: f64 = 0.0;
    for (probe, depth) in [("C5-2v", 60.0), ("L11-5v", 25.0), ("P4-2v", 60.0)] {
        let probe = Probe::named(probe).unwrap();
        let settings = Console::default_for(probe);
        let mut imager = Imager::new(probe, &settings).unwrap();
        for (radius, beside) in [(12.0, 0.0), (12.0, 7.0), (8.0, 3.0)] {
            let mesh = ball_mesh([2.0, beside, depth], radius, 1.0);
            let facts = imager.facts(&World::of(TISSUE).with(ball, mesh).medium(), &here());
            let section = std::f64::consts::PI * (radius * radius - beside * beside);
            let seen = f64::from(facts.structures[1].visible_mm2);
            worst = worst.max((seen / section - 1.0).abs());
        }
    }
    figure(
        "visible area of 3 sections of balls, 3 probes, against pi (r^2 - e^2)",
        "within 3 %",
        &format!("{:.2} %", 100.0 * worst),
    );
    assert!(worst < 0.03);
}

#[test]
fn samples_know_their_structure() {
    let ball = Stuff::clear("ball", 1050.0, 1540.0).lossy(0.3).bright(6.0);
    let middle = Vector3::new(2.0, 0.0, 60.0);
    let world = World::of(TISSUE).with(ball, ball_mesh(middle.into(), 12.0, 1.0));
    let probe = Probe::named("C5-2v").unwrap();
    let mut imager = Imager::new(probe, &Console::default_for(probe)).unwrap();
    let frame = imager.frame(&world.medium(), &true_view());
    let look = &frame.looks[0];
    let mut worst: f64 = 0.0;
    for (index, truth) in look.truth.iter().enumerate() {
        let (line, sample) = (index / look.grid.samples, index % look.grid.samples);
        let place = seems_at(look, line as f64, sample as f64 * look.grid.sample_mm).coords;
        // The face of a curved array leaves the body at its ends.
        if truth.path == PathKind::None {
            continue;
        }
        let inside = 12.0 - (place - middle).norm();
        if (truth.structure == 2) != (inside > 0.0) {
            worst = worst.max(inside.abs());
        }
        let given = Vector3::from(truth.place_mm.map(f64::from));
        assert!((given - place).norm() < 1e-3);
    }
    figure(
        "samples named wrongly at a ball's surface lie at most so far from it",
        "0.2 mm",
        &format!("{worst:.3} mm"),
    );
    assert!(worst < 0.2);
}

#[test]
fn samples_know_their_place_behind_what_bends() {
    // Points behind a tilted wall and inside what lies behind it: where the point is seen, the
    // sample says where the point is.
    let (mut worst, mut points): (f64, usize) = (0.0, 0);
    let settings = Console {
        effects: CLEAN,
        ..console(70.0, 45.0, 2048)
    };
    let mut imager = imager("L12-3v", &settings);
    for (speed, tilt) in [(1450.0, 25.0), (1620.0, 20.0), (1750.0, 15.0)] {
        let other = Stuff::clear("other", 1050.0 * 1540.0 / speed, speed).lossy(0.3);
        let clear = Stuff {
            level_db: None,
            ..TISSUE
        };
        for x in [-8.0, 0.0, 6.0] {
            let at = [x, 0.0, 45.0];
            let world = World::of(clear).below(other, 22.0, tilt).point(at, 100.0);
            let frame = imager.frame(&world.medium(), &true_view());
            let look = &frame.looks[0];
            let (line, depth, _) = spot(look, 8..120, (36.0, 56.0));
            let sample = (depth / look.grid.sample_mm).round() as usize;
            let near = line.floor() as usize;
            let place = |line: usize| {
                let truth = look.truth[line * look.grid.samples + sample];
                assert_eq!((truth.path, truth.structure), (PathKind::Direct, 2));
                Vector3::from(truth.place_mm.map(f64::from))
            };
            let share = line - line.floor();
            let said = place(near) * (1.0 - share) + place(near + 1) * share;
            worst = worst.max((said - Vector3::from(at)).norm());
            points += 1;
        }
    }
    figure(
        &format!(
            "place that the sample at a point's image says, {points} points behind tilted walls"
        ),
        "within 0.5 mm of the point",
        &format!("{worst:.3} mm"),
    );
    assert!(worst < 0.5);
}

#[test]
fn effects_switched_off_leave_the_facts_of_straight_paths() {
    // With refraction and local speeds off, labels lie where the geometry says, whatever the speeds.
    let slow = Stuff::clear("slow", 1000.0, 1400.0).lossy(0.3);
    let world = World::of(TISSUE).with(slow, ball_mesh([0.0, 0.0, 40.0], 10.0, 1.0));
    let effects = Effects {
        refraction: false,
        local_sound_speed: false,
        ..CLEAN
    };
    let settings = Console {
        effects,
        ..console(70.0, 40.0, 1024)
    };
    let facts = imager("L12-3v", &settings).facts(&world.medium(), &here());
    let seen = f64::from(facts.structures[1].visible_mm2);
    let area = std::f64::consts::PI * 100.0;
    assert!((seen / area - 1.0).abs() < 0.03, "{seen} mm2 of {area}");
}
