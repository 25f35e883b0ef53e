//! Ghosts and shadows.

use equipment::{Console, Effects, Probe};
use geometry::Point;
use nalgebra::Vector3;
use ultrasound::engine::View;
use ultrasound::frame::PathKind;

use crate::world::*;

const WATER: Stuff = Stuff::clear("water", 1000.0, 1540.0);
const HARD: Stuff = Stuff::clear("hard", 8000.0, 5790.0);

/// All that makes ghosts, nothing that is drawn at random.
fn with_ghosts(console: Console) -> Console {
    Console {
        effects: Effects {
            secondary_paths: true,
            ..CLEAN
        },
        ..console
    }
}

fn with_everything(console: Console) -> Console {
    Console {
        effects: Effects::default(),
        ..console
    }
}

#[test]
fn a_hard_plate_comes_again_at_twice_and_three_times_its_depth() {
    let depth = 16.0;
    for probe in ["L12-3v", "C5-2v"] {
        let face = Probe::named(probe).unwrap().face.reflectivity;
        let mut plain = imager(probe, &console(60.0, 30.0, 2048));
        let mut ghosts = imager(probe, &with_ghosts(console(60.0, 30.0, 2048)));
        let frame = look_at(&mut ghosts, &World::of(WATER).below(HARD, depth, 0.0));
        let look = &frame.looks[0];
        let sample_mm = look.grid.sample_mm;
        let (mut worst_mm, mut worst_db): (f64, f64) = (0.0, 0.0);
        for time in 1..=3 {
            let far = depth * f64::from(time);
            let around = (far - 2.0, far + 2.0);
            let (at, echo) = peak(line(look, 64), sample_mm, around);
            // By the images in face and plate the probe sees a plate so much deeper.
            let alone = look_at(&mut plain, &World::of(WATER).below(HARD, far, 0.0));
            let (_, once) = peak(line(&alone.looks[0], 64), sample_mm, around);
            let expected = (face * WATER.reflection(&HARD)).powi(time - 1);
            worst_mm = worst_mm.max((at - far).abs());
            worst_db = worst_db.max((db(echo / once) - db(expected)).abs());
        }
        figure(
            &format!(
                "{probe}: a steel plate's echoes at 2 d and 3 d, over plates there, against (face R)^n"
            ),
            "within 0.2 mm and 1 dB",
            &format!("{worst_mm:.3} mm, {worst_db:.2} dB"),
        );
        assert!(worst_mm < 0.2 && worst_db < 1.0);
    }
}

#[test]
fn a_hard_ball_sends_the_face_as_little_as_it_sends_the_lines() {
    let (top, radius) = (40.0, 3.0);
    for probe in ["P4-2v", "C5-2v"] {
        let mut imager = imager(probe, &with_ghosts(console(100.0, 60.0, 2048)));
        let mut echo_and_ghost = |world: &World| {
            let frame = look_at(&mut imager, world);
            let look = &frame.looks[0];
            let at = |z: f64| peak(line(look, 64), look.grid.sample_mm, (z - 2.0, z + 2.0)).1;
            (at(top), at(2.0 * top))
        };
        let ball = ball_mesh([0.0, 0.0, top + radius], radius, 1.0);
        let (plate, plate_again) = echo_and_ghost(&World::of(WATER).below(HARD, top, 0.0));
        let (ball, ball_again) = echo_and_ghost(&World::of(WATER).with(HARD, ball));
        // What a ball sends back of the beam it sends once to the face and once to the lines.
        let (share, twice) = (db(ball / plate), db(ball_again / plate_again));
        figure(
            &format!(
                "{probe}: a steel ball of {radius} mm over a plate, its echo and its ghost at 2 d"
            ),
            "the ghost by twice as many dB or more, within 3 dB",
            &format!("{share:.1} dB, {twice:.1} dB"),
        );
        assert!(share < -6.0 && twice < 2.0 * share + 3.0);
    }
}

#[test]
fn no_ghost_is_louder_than_a_mirror() {
    let tissue = Stuff::clear("tissue", 1060.0, 1540.0).bright(0.0);
    for (probe, depth) in [("P4-2v", 40.0), ("C5-2v", 40.0), ("L12-3v", 20.0)] {
        let mirror = World::of(WATER).below(HARD, depth, 0.0);
        let loudest = |console: Console, world: &World| {
            let mut imager = imager(probe, &console);
            let frame = look_at(&mut imager, world);
            let look = &frame.looks[0];
            let samples = (0..look.grid.lines).flat_map(|at| line(look, at));
            samples.fold(0.0f64, |most, value| most.max(f64::from(*value)))
        };
        let once = loudest(console(120.0, depth, 1024), &mirror);
        // A film of water lies before the tissue: what it throws back is at the face itself.
        let world = World::of(WATER).below(tissue, 0.02, 0.0);
        let world = world.below(HARD, depth, 0.0);
        let most = loudest(with_everything(console(120.0, depth, 1024)), &world);
        figure(
            &format!("{probe}: the loudest of tissue and ghosts before and behind a plate"),
            "no louder than the plate in water",
            &format!("{:+.1} dB", db(most / once)),
        );
        assert!(most <= once * 1.01);
    }
}

#[test]
fn pleura_repeats_as_a_lines() {
    let (_, medium) = recipe("phantom-bubble");
    let mut imager = imager("L12-3v", &with_everything(console(88.0, 25.0, 2048)));
    let frame = imager.frame(&medium, &View::at(on_object(-50.0, 0.0)));
    let look = &frame.looks[0];
    let (mut worst, mut faintest): (f64, f64) = (0.0, f64::INFINITY);
    for time in 1..=3 {
        let far = 25.0 * f64::from(time);
        let around = (far - 3.0, far + 3.0);
        let (at, echo) = peak(line(look, 64), look.grid.sample_mm, around);
        worst = worst.max((at - far).abs());
        let behind = power(look, 44..84, (far + 5.0, far + 12.0)).sqrt();
        faintest = faintest.min(db(echo / behind));
    }
    figure(
        "A-lines of a lung surface at 25 mm: places, and how far they stand out",
        "25, 50, 75 mm within 0.2 mm, 20 dB",
        &format!("{worst:.3} mm, {faintest:.1} dB"),
    );
    assert!(worst < 0.2 && faintest > 20.0);
}

#[test]
fn a_bubble_rings_down_to_the_bottom() {
    let (patient, medium) = recipe("phantom-bubble");
    let bubble = patient.structure_index("phantom_bubble").unwrap() as u16 + 1;
    let mut imager = imager("L12-3v", &with_everything(console(80.0, 30.0, 2048)));
    let view = View {
        truth: true,
        ..View::at(on_object(25.0, 0.0))
    };
    let frame = imager.frame(&medium, &view);
    let look = &frame.looks[0];
    let (mut least, mut level) = (f64::INFINITY, f64::INFINITY);
    for step in 0..22 {
        let z = 34.0 + 2.0 * f64::from(step);
        let streak = power(look, 62..66, (z, z + 2.0));
        let beside = power(look, 20..40, (z, z + 2.0));
        least = least.min(10.0 * (streak / beside).log10());
        // It fades, and nowhere breaks off.
        assert!(10.0 * (streak / level).log10() < 4.0, "at {z} mm");
        level = streak;
        let truth = look.truth[64 * look.grid.samples + (z / look.grid.sample_mm) as usize];
        // The face repeats the bubble itself once.
        let again = (57.0..60.0).contains(&z) && truth.path == PathKind::Reverberation;
        assert!(again || truth.path == PathKind::RingDown, "at {z} mm");
        assert_eq!(truth.shadowed_by, bubble, "at {z} mm");
    }
    figure(
        "ring-down behind a bubble of 3 mm, 34 to 78 mm deep: least over the tissue beside",
        "> 10 dB, without gaps",
        &format!("{least:.1} dB"),
    );
    assert!(least > 10.0);
}

/// Tissue with a rod of bone and a round pocket of gas.
fn bone_and_gas() -> World {
    let tissue = Stuff::clear("tissue", 1050.0, 1540.0)
        .lossy(0.5)
        .bright(0.0);
    let bone = Stuff::clear("bone", 1920.0, 3750.0)
        .lossy(10.0)
        .bright(10.0);
    let gas = Stuff::clear("gas", 1.2, 343.0).lossy(50.0).rough(0.6);
    World::of(tissue)
        .with(bone, ball_mesh([-20.0, 0.0, 36.0], 7.0, 5.0))
        .with(gas, ball_mesh([20.0, 0.0, 46.0], 12.0, 2.0))
}

#[test]
fn bone_shadows_cleanly_and_gas_not() {
    let medium = bone_and_gas().medium();
    let mut imager = imager("C5-2v", &with_everything(Console::default()));
    let view = View {
        truth: true,
        ..here()
    };
    let frame = imager.frame(&medium, &view);
    let look = &frame.looks[0];
    let line_at = |x: f64, z: f64| {
        let [u, _, _] = look.grid.beam_coordinates(Point::new(x, 0.0, z));
        look.grid.line_of_u(u).round() as usize
    };
    let level = |line: usize, from: f64, to: f64| {
        10.0 * power(look, line - 2..line + 3, (from, to)).log10()
    };
    let (bone, tissue, gas) = (
        line_at(-20.0, 36.0),
        line_at(0.0, 40.0),
        line_at(20.0, 46.0),
    );
    let noise = level(tissue, 157.0, 160.0);
    // Behind the bone's second echo.
    let (clean, beside) = (level(bone, 74.0, 90.0), level(tissue, 74.0, 90.0));
    figure(
        "behind a rod of bone, 74 to 90 mm deep: below tissue, above noise",
        ">= 20 dB below, < 4 dB above noise",
        &format!("{:.1} dB, {:.1} dB", beside - clean, clean - noise),
    );
    let (dirty, beside) = (level(gas, 42.0, 58.0), level(tissue, 42.0, 58.0));
    figure(
        "behind gas, 42 to 58 mm deep: below tissue, above noise",
        ">= 3 dB below, >= 10 dB above noise",
        &format!("{:.1} dB, {:.1} dB", beside - dirty, dirty - noise),
    );
    let truth = |line: usize, depth: f64| {
        let truth = look.truth[line * look.grid.samples + (depth / look.grid.sample_mm) as usize];
        (truth.path, truth.structure, truth.shadowed_by)
    };
    for depth in [78.0, 84.0, 90.0] {
        assert_eq!(truth(bone, depth), (PathKind::Shadow, 1, 2), "{depth} mm");
        assert_eq!(truth(tissue, depth), (PathKind::Direct, 1, 0), "{depth} mm");
    }
    for depth in [42.0, 48.0, 55.0] {
        let (path, _, by) = truth(gas, depth);
        assert!(
            matches!(path, PathKind::Mirror | PathKind::RingDown),
            "{depth} mm"
        );
        assert_eq!(by, 3);
    }
    assert!(beside - clean >= 20.0 && clean - noise < 4.0);
    assert!(beside - dirty >= 3.0 && dirty - noise >= 10.0);
}

#[test]
fn a_round_cyst_has_dark_edges_behind_it() {
    // Slower and faster than what is round it, of the same impedance and without loss.
    for speed in [1450.0, 1700.0] {
        let tissue = Stuff::clear("tissue", 1040.0, 1540.0).bright(0.0);
        let cyst = Stuff::clear("cyst", 1040.0 * 1540.0 / speed, speed);
        let rod = ball_mesh([0.0, 0.0, 25.0], 8.0, 6.0);
        let world = World::of(tissue).with(cyst, rod).medium();
        let mut imager = imager("L12-3v", &console(50.0, 30.0, 1024));
        let grid = imager.grids()[0].clone();
        let mut sums = vec![0.0; grid.lines];
        for seed in 0..12 {
            let frame = imager.frame(&world, &View { seed, ..here() });
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum += power(&frame.looks[0], at..at + 1, (36.0, 44.0));
            }
        }
        let mean = |from: f64, to: f64| {
            let line = |x: f64| grid.line_of_u(x).round() as usize;
            let run = &sums[line(from)..line(to)];
            10.0 * (run.iter().sum::<f64>() / run.len() as f64).log10()
        };
        for side in [-1.0, 1.0] {
            let dark = (0..16)
                .map(|step| side * (5.0 + 0.25 * f64::from(step)))
                .map(|x| mean(x - 0.3, x + 0.3))
                .fold(f64::INFINITY, f64::min);
            let outside = mean(side * 12.5 - 1.5, side * 12.5 + 1.5);
            let behind = mean(-2.0, 2.0);
            figure(
                &format!(
                    "edge shadow of a cyst of {speed} m/s in 1540 m/s, side {side:+}: below outside, below behind"
                ),
                ">= 3 dB, >= 3 dB",
                &format!("{:.1} dB, {:.1} dB", outside - dark, behind - dark),
            );
            assert!(outside - dark >= 3.0 && behind - dark >= 3.0);
        }
    }
}

#[test]
fn mirror_images_lie_where_geometry_puts_them() {
    let tilt = 18.0;
    let tissue = Stuff::clear("tissue", 1050.0, 1540.0)
        .lossy(0.3)
        .bright(-12.0);
    let bright = Stuff::clear("bright", 1050.0, 1540.0)
        .lossy(0.3)
        .bright(14.0);
    let gas = Stuff::clear("gas", 1.2, 343.0).lossy(50.0);
    let (ball, point) = ([-8.0, 0.0, 38.0], [14.0, 0.0, 46.0]);
    let world = World::of(tissue)
        .with(bright, ball_mesh(ball, 4.0, 1.0))
        .below(gas, 60.0, tilt)
        .point(point, 30.0);
    let normal = tilted_normal(tilt);
    let image = |at: [f64; 3]| {
        let at = Vector3::from(at);
        at + normal * (2.0 * normal.dot(&(Vector3::new(0.0, 0.0, 60.0) - at)))
    };
    let settings = Console {
        depth_mm: 120.0,
        samples: 2048,
        ..with_ghosts(Console::default())
    };
    let mut imager = imager("C5-2v", &settings);
    let view = View {
        truth: true,
        ..here()
    };
    let frame = imager.frame(&world.medium(), &view);
    let look = &frame.looks[0];
    let grid = &look.grid;

    let expected = image(point);
    let [u, z, _] = grid.beam_coordinates(Point::from_coords(expected));
    let near = grid.line_of_u(u).round() as usize;
    let (at, depth, _) = spot(look, near - 8..near + 9, (z - 3.0, z + 3.0));
    let miss = (seems_at(look, at, depth).coords - expected).norm();
    figure(
        "mirror image of a point behind a plane at 18 deg, against its geometric place",
        "within 0.5 mm",
        &format!("{miss:.2} mm"),
    );

    let expected = image(ball);
    let (mut sum, mut weight) = (Vector3::zeros(), 0.0);
    let (mut label, mut labels, mut worst): (Vector3<f64>, f64, f64) = (Vector3::zeros(), 0.0, 0.0);
    for (index, truth) in look.truth.iter().enumerate() {
        let (line, sample) = (index / grid.samples, index % grid.samples);
        let depth = sample as f64 * grid.sample_mm;
        let place = seems_at(look, line as f64, depth).coords;
        if (place - expected).norm() > 9.0 {
            continue;
        }
        // Areas grow with depth in a fan.
        let area = grid.line_distance_mm(depth);
        let power = f64::from(look.envelope[index]).powi(2) * area;
        sum += place * power;
        weight += power;
        if truth.structure == 2 && truth.path == PathKind::Mirror {
            label += place * area;
            labels += area;
            let place_in_ball = Vector3::from(truth.place_mm.map(f64::from));
            worst = worst.max((place_in_ball - image(place.into())).norm());
        }
    }
    let (seen, label) = (sum / weight, label / labels);
    let misses = [(seen - expected).norm(), (label - expected).norm(), worst];
    figure(
        "mirror image of a ball of 8 mm: middle of its speckle, of its labels; true places of its samples",
        "within 0.5 mm",
        &format!(
            "{:.2} mm, {:.2} mm; {:.2} mm",
            misses[0], misses[1], misses[2]
        ),
    );
    assert!(miss < 0.5);
    assert!(misses.iter().all(|miss| *miss < 0.5));
}

#[test]
fn a_lifted_edge_leaves_a_black_wedge_with_bands() {
    let tissue = Stuff::clear("tissue", 1040.0, 1540.0)
        .lossy(0.5)
        .bright(0.0);
    // The skin slopes away to +x, 6 degrees; at the middle it touches.
    let world = World::nothing().below(tissue, 0.0, 6.0).medium();
    let mut imager = imager("L12-3v", &with_everything(console(40.0, 25.0, 1024)));
    let face = Probe::named("L12-3v").unwrap().face;
    let step = face.lens_mm * 1540.0 / face.lens_speed_m_s;
    let slope = 6.0f64.to_radians().tan();
    for gel_mm in [0.0, 1.0] {
        let frame = imager.frame(&world, &View { gel_mm, ..here() });
        let look = &frame.looks[0];
        let in_contact = |line: usize| look.grid.u_of_line(line as f64) * slope <= gel_mm;
        let count = (0..128).filter(|&line| in_contact(line)).count();
        // Well inside the lifted part: bands as far apart as the lens is thick, then nothing.
        let first = count + 12;
        let level = |lines, between| 10.0 * power(look, lines, between).log10();
        let (wedge, image) = (level(first..128, (27.0, 36.0)), level(10..40, (27.0, 36.0)));
        let middle = line(look, (first + 128) / 2);
        let bands: Vec<f64> = (2..7)
            .map(|band| {
                let at = (f64::from(band) + 0.4) * step;
                let around = (at - 0.45 * step, at + 0.45 * step);
                peak(middle, look.grid.sample_mm, around).0
            })
            .collect();
        let apart: Vec<f64> = bands.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (least, most) = apart
            .iter()
            .fold((f64::INFINITY, 0.0f64), |(a, b), &x| (a.min(x), b.max(x)));
        figure(
            &format!(
                "an edge lifted by 6 deg, {gel_mm} mm of gel: contact; wedge below tissue; bands apart"
            ),
            &format!("{:.4}; > 20 dB; {step:.2} mm", count as f64 / 128.0),
            &format!(
                "{:.4}; {:.1} dB; {least:.2} to {most:.2} mm",
                frame.facts.contact,
                image - wedge
            ),
        );
        assert!((f64::from(frame.facts.contact) - count as f64 / 128.0).abs() < 0.5 / 128.0);
        assert!(image - wedge > 20.0);
        assert!((least - step).abs() < 0.2 && (most - step).abs() < 0.2);
    }
}
