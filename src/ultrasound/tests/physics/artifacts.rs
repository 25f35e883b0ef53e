//! Ghosts and shadows.

use equipment::{Console, Effects, Probe};
use ultrasound::engine::{Imager, View};
use ultrasound::frame::{Look, PathKind};

use crate::world::*;

const WATER: Stuff = Stuff::clear("water", 1000.0, 1540.0);
const HARD: Stuff = Stuff::clear("hard", 8000.0, 5790.0);

/// All that makes ghosts, nothing that is drawn at random.
const GHOSTS: Effects = Effects {
    secondary_paths: true,
    ..CLEAN
};

fn with_ghosts(console: Console) -> Console {
    Console {
        effects: GHOSTS,
        ..console
    }
}

#[test]
fn a_hard_plate_comes_again_at_twice_and_three_times_its_depth() {
    let depth = 16.0;
    for (probe, depth_mm) in [("L12-3v", 60.0), ("C5-2v", 60.0)] {
        let face = Probe::named(probe).unwrap().face.reflectivity;
        let mut plain = imager(probe, &console(depth_mm, 30.0, 2048));
        let mut ghosts = imager(probe, &with_ghosts(console(depth_mm, 30.0, 2048)));
        let frame = look_at(&mut ghosts, &World::of(WATER).below(HARD, depth, 0.0));
        let look = &frame.looks[0];
        let reflection = WATER.reflection(&HARD);
        for time in 1..=3 {
            let far = depth * f64::from(time);
            let (at, echo) = peak(line(look, 64), look.grid.sample_mm, (far - 2.0, far + 2.0));
            // The image of the face in the plate is where a mirror so deep would see it.
            let alone = look_at(&mut plain, &World::of(WATER).below(HARD, far, 0.0));
            let look = &alone.looks[0];
            let (_, once) = peak(line(look, 64), look.grid.sample_mm, (far - 2.0, far + 2.0));
            let expected = db((face * reflection).powi(time - 1));
            println!(
                "{probe} {time}: {at:.3} {:.2} dB, expected {expected:.2}",
                db(echo / once)
            );
            figure(
                &format!(
                    "{probe}: echo {time} of a steel face at {depth} mm, over that of one so deep"
                ),
                &format!("{far} mm within 0.2 mm, {expected:.1} dB within 1 dB"),
                &format!("{at:.2} mm, {:.1} dB", db(echo / once)),
            );
        }
    }
}

#[test]
fn pleura_repeats_as_a_lines() {
    let (_, medium) = recipe("phantom-bubble");
    let settings = Console {
        effects: Effects::default(),
        ..console(88.0, 25.0, 2048)
    };
    let mut imager = imager("L12-3v", &settings);
    let frame = imager.frame(&medium, &View::at(on_object(-50.0, 0.0)));
    let look = &frame.looks[0];
    for time in 1..=3 {
        let far = 25.0 * f64::from(time);
        let (at, echo) = peak(line(look, 64), look.grid.sample_mm, (far - 3.0, far + 3.0));
        let around = power(look, 44..84, (far + 2.0, far + 10.0)).sqrt();
        println!(
            "{time}: {at:.3} {:.1} dB, {:.1} dB over what follows",
            db(echo),
            db(echo / around)
        );
    }
}

#[test]
fn a_bubble_rings() {
    let (_, medium) = recipe("phantom-bubble");
    let settings = Console {
        effects: Effects::default(),
        ..console(88.0, 30.0, 2048)
    };
    let mut imager = imager("L12-3v", &settings);
    let frame = imager.frame(
        &medium,
        &View {
            truth: true,
            ..View::at(on_object(25.0, 0.0))
        },
    );
    let look = &frame.looks[0];
    for z in 0..10 {
        let z = 32.0 + 5.0 * f64::from(z);
        let at = power(look, 62..66, (z, z + 5.0)).sqrt();
        let beside = power(look, 20..40, (z, z + 5.0)).sqrt();
        println!("{z}: {:.1} dB {:.1} dB", db(at), db(beside));
    }
}

#[test]
fn shadows() {
    let (_, medium) = recipe("phantom-bone");
    let settings = Console {
        effects: Effects::default(),
        ..console(100.0, 40.0, 2048)
    };
    let mut imager = imager("C5-2v", &settings);
    let frame = imager.frame(
        &medium,
        &View {
            truth: true,
            ..View::at(on_object(0.0, 0.0))
        },
    );
    let look = &frame.looks[0];
    for (name, x) in [("bone", -20.0), ("tissue", 0.0), ("gas", 20.0)] {
        for z in [45.0, 55.0, 65.0, 75.0] {
            let [u, depth, _] =
                look.grid
                    .beam_coordinates(geometry::Point::new(x * z / 30.0, 0.0, z));
            let l = look.grid.line_of_u(u) as usize;
            if l > 125 || l < 3 {
                continue;
            }
            let p = power(look, l - 2..l + 3, (depth - 3.0, depth + 3.0)).sqrt();
            let t = look.truth[l * look.grid.samples + (depth / look.grid.sample_mm) as usize];
            println!("{name} {z}: line {l}: {:.1} dB {:?}", db(p), t);
        }
    }
}

#[test]
fn zz_edges() {
    for speed in [1450.0, 1600.0] {
        let tissue = Stuff::clear("tissue", 1040.0, 1540.0).bright(0.0);
        let cyst = Stuff::clear("cyst", 1040.0 * 1540.0 / speed, speed);
        let world = World::of(tissue)
            .with(cyst, ball_mesh([0.0, 0.0, 25.0], 8.0, 6.0))
            .medium();
        let mut imager = imager("L12-3v", &console(50.0, 30.0, 1024));
        let mut sums = vec![0.0; 128];
        for seed in 0..12 {
            let frame = imager.frame(&world, &View { seed, ..here() });
            let look = &frame.looks[0];
            for (l, sum) in sums.iter_mut().enumerate() {
                *sum += power(look, l..l + 1, (36.0, 44.0));
            }
        }
        let beside: f64 = sums[5..20].iter().sum::<f64>() / 15.0;
        for l in 20..64 {
            println!(
                "{speed} x {:.2}: {:.1} dB",
                imager.grids()[0].u_of_line(l as f64),
                10.0 * (sums[l] / beside).log10()
            );
        }
    }
}
