//! Echoes of interfaces, refraction, enhancement.

use equipment::Console;
use ultrasound::engine::{Imager, View};
use ultrasound::frame::Look;

use crate::world::*;

const WATER: Stuff = Stuff::clear("water", 1000.0, 1540.0);

/// Materials behind water, from hardly different to steel.
const BEHIND: [Stuff; 6] = [
    Stuff::clear("liver", 1060.0, 1595.0),
    Stuff::clear("fat", 950.0, 1478.0),
    Stuff::clear("rubber", 1070.0, 1020.0),
    Stuff::clear("pmma", 1180.0, 2670.0),
    Stuff::clear("bone", 1920.0, 3750.0),
    Stuff::clear("steel", 8000.0, 5790.0),
];

#[test]
fn echoes_of_half_spaces_go_with_their_reflection() {
    for (probe, depth) in [("L12-3v", 30.0), ("C5-2v", 60.0)] {
        let mut imager = imager(probe, &console(1.5 * depth, depth, 1024));
        let echoes: Vec<f64> = BEHIND
            .iter()
            .map(|stuff| {
                let frame = look_at(&mut imager, &World::of(WATER).below(*stuff, depth, 0.0));
                let look = &frame.looks[0];
                peak(
                    line(look, 64),
                    look.grid.sample_mm,
                    (depth - 3.0, depth + 3.0),
                )
                .1
            })
            .collect();
        let reflections: Vec<f64> = BEHIND.iter().map(|s| WATER.reflection(s)).collect();
        let mut worst: f64 = 0.0;
        for (a, ra) in echoes.iter().zip(&reflections) {
            for (b, rb) in echoes.iter().zip(&reflections) {
                worst = worst.max((db(a / b) - db(ra / rb)).abs());
            }
        }
        figure(
            &format!(
                "{probe}: ratio of the echoes of 6 half-spaces, worst pair against abs(R1/R2)"
            ),
            "within 0.5 dB",
            &format!("{worst:.3} dB"),
        );
        assert!(worst < 0.5);
    }
}

#[test]
fn plates_in_a_stack_lose_what_those_before_them_throw_back() {
    let plates = [
        Stuff::clear("gelatin", 1030.0, 1530.0),
        Stuff::clear("rubber", 1070.0, 1020.0),
        Stuff::clear("plastic", 1180.0, 2670.0),
        Stuff::clear("steel", 8000.0, 5790.0),
    ];
    let mut world = World::of(WATER);
    for (index, plate) in plates.iter().enumerate() {
        let z = 15.0 + 10.0 * index as f64;
        world = world.plate(*plate, z, z + 3.0);
    }
    let mut imager = imager("L12-3v", &console(60.0, 30.0, 2048));
    let frame = look_at(&mut imager, &world);
    let look = &frame.looks[0];
    let (mut range, mut amplitude, mut worst): (f64, f64, f64) = (15.0, 1.0, 0.0);
    for plate in plates {
        // Its front, then its back, seen through its front.
        let reflection = WATER.reflection(&plate);
        let through = 1.0 - reflection * reflection;
        let faces = [(0.0, 1.0), (3.0 * 1540.0 / plate.speed_m_s, through)];
        for (behind, share) in faces {
            let at = range + behind;
            let (_, echo) = peak(line(look, 64), look.grid.sample_mm, (at - 0.3, at + 0.3));
            let mirror = mirror_in_water(&mut imager, at);
            let miss = db(echo / mirror) - db(amplitude * share * reflection);
            worst = worst.max(miss.abs());
        }
        range += 7.0 + faces[1].0;
        amplitude *= through * through;
    }
    figure(
        "fronts and backs of four plates in one bath, against R and what lies before",
        "within 0.5 dB",
        &format!("{worst:.2} dB"),
    );
    assert!(worst < 0.5);
}

/// The echo of a nearly perfect mirror at a depth without attenuation, over its reflection.
fn mirror_in_water(imager: &mut Imager, depth: f64) -> f64 {
    let hard = Stuff::clear("hard", 8000.0, 5790.0);
    let frame = look_at(imager, &World::of(WATER).below(hard, depth, 0.0));
    let look = &frame.looks[0];
    peak(
        line(look, 64),
        look.grid.sample_mm,
        (depth - 2.0, depth + 2.0),
    )
    .1 / WATER.reflection(&hard)
}

/// A material of a speed with water's impedance: nothing is reflected at normal incidence.
fn matched(speed: f64) -> Stuff {
    Stuff::clear("matched", WATER.impedance() / speed, speed)
}

#[test]
fn snell_bends_what_points_behind_an_interface_show() {
    let mut imager = imager("L12-3v", &console(60.0, 40.0, 2048));
    let mut worst: f64 = 0.0;
    for speed in [1450.0, 1595.0, 1750.0, 2000.0, 2670.0] {
        for tilt in [5.0, 10.0, 20.0, 30.0_f64] {
            let sine = speed / 1540.0 * tilt.to_radians().sin();
            let expected = sine.asin();
            // Straight down and out again at the angle to the normal that Snell gives.
            let turn = expected - tilt.to_radians();
            // Between lines and off the middle.
            let entry = [-3.37, 20.0 - 3.37 * tilt.to_radians().tan()];
            let s = 20.0;
            let place = [entry[0] + s * turn.sin(), 0.0, entry[1] + s * turn.cos()];
            let world = World::of(WATER)
                .below(matched(speed), 20.0, tilt)
                .point(place, 1.0);
            let frame = look_at(&mut imager, &world);
            let look = &frame.looks[0];
            let range = entry[1] + s * 1540.0 / speed;
            let (at, _, _) = spot(look, 34..94, (range - 2.0, range + 2.0));
            let u = look.grid.u_of_line(at);
            let start = [u, 20.0 + u * tilt.to_radians().tan()];
            let seen = (place[0] - start[0]).atan2(place[2] - start[1]) + tilt.to_radians();
            let miss = (seen - expected).to_degrees();
            worst = worst.max(miss.abs());
        }
    }
    figure(
        "refraction angle from where points seem to be, 5 contrasts, 4 angles, against asin(c2/c1 sin)",
        "within 0.2 deg",
        &format!("{worst:.3} deg"),
    );
    assert!(worst < 0.2);
}

#[test]
fn beyond_the_critical_angle_a_cone_passes_in_part_and_then_nothing() {
    // Of the console's f-number, 2.5.
    let cone_deg = (0.5 / 2.5f64).atan().to_degrees();
    let hard = matched(2670.0);
    let mut imager = imager("L12-3v", &console(60.0, 20.0, 1024));
    let mut behind = |tilt: f64| {
        let mut world = World::of(WATER).below(hard, 20.0, tilt);
        for x in -4..=4 {
            for z in [34.0, 40.0, 46.0] {
                world = world.point([f64::from(x) * 4.0, 0.0, z], 1.0);
            }
        }
        let look = &look_at(&mut imager, &world).looks[0];
        // Left of the interface's own echo.
        power(look, 10..80, (32.0, 60.0)).sqrt()
    };
    let critical = (1540.0f64 / 2670.0).asin().to_degrees();
    // Refraction spreads what is seen below the critical angle: beyond it two angles are compared.
    let mean = |angle: f64| {
        let share = |step: i32| {
            let angle = angle + cone_deg * f64::from(step) / 200.0;
            1.0 - WATER.reflection_at(&hard, angle).powi(2)
        };
        (-200..=200).map(share).sum::<f64>() / 401.0
    };
    let (near, far) = (critical + 1.0, critical + 5.0);
    let (below, at_near, at_far) = (behind(critical - cone_deg - 1.0), behind(near), behind(far));
    let off = db(at_far / at_near) - db(mean(far) / mean(near));
    let beyond = behind(critical + cone_deg + 1.0);
    figure(
        "behind an interface 1 and 5 deg beyond the critical angle: their ratio against the mean of 1 - R^2 over the cone",
        "within 1.5 dB",
        &format!("{off:.2} dB"),
    );
    figure(
        "what is seen behind an interface beyond the critical angle of the whole cone",
        "nothing",
        &format!(
            "{:.0} dB of what is seen before it",
            db(beyond / below).max(-300.0)
        ),
    );
    assert!(below > 0.0 && beyond < 1e-6 * below);
    assert!(off.abs() < 1.5);
}

/// None of the lines that cross an oblique rough wall is without its echo. What the wall sends back should
/// be its own, however many lines look at it: it is not yet, so that is told and not asserted.
#[test]
fn an_oblique_rough_wall_is_whole() {
    let rough = Stuff::clear("rough", 1920.0, 1540.0).rough(0.0);
    let world = World::of(WATER).below(rough, 30.0, 40.0);
    let seen = |lines: u32| {
        let settings = Console {
            lines,
            ..console(60.0, 30.0, 1024)
        };
        let look = look_at(&mut imager("L12-3v", &settings), &world)
            .looks
            .remove(0);
        // The middle half: within 6 mm of the plane that is there.
        let run = look.grid.lines / 4..3 * look.grid.lines / 4;
        let of = |at: usize| {
            let z = 30.0 + look.grid.u_of_line(at as f64) * 40f64.to_radians().tan();
            power(&look, at..at + 1, (z - 6.0, z + 6.0))
        };
        let powers: Vec<f64> = run.map(of).collect();
        let mean = powers.iter().sum::<f64>() / powers.len() as f64;
        let least = powers.iter().copied().fold(f64::INFINITY, f64::min);
        (mean.sqrt(), (least / mean).sqrt())
    };
    let all: Vec<(f64, f64)> = [64, 128, 256].into_iter().map(seen).collect();
    let loud = all.iter().map(|a| db(a.0));
    let spread = loud.clone().fold(f64::MIN, f64::max) - loud.fold(f64::MAX, f64::min);
    let least = all.iter().map(|a| db(a.1)).fold(f64::MAX, f64::min);
    figure(
        "a rough wall at 40 deg seen by 64, 128 and 256 lines: faintest line under the mean",
        "no more than 15 dB",
        &format!("{:.1} dB", -least),
    );
    let verdict = if spread < 1.0 { "ok" } else { "MISSED" };
    figure(
        "a rough wall at 40 deg seen by 64, 128 and 256 lines: spread of its level",
        "within 1 dB",
        &format!("{spread:.2} dB | {verdict}"),
    );
    assert!(least > -15.0);
}

/// Lines that meet a wall across the view so squarely that its echo is done soon behind it.
const MIDDLE: std::ops::Range<usize> = 48..80;

#[test]
fn a_cyst_brightens_what_lies_behind_it() {
    for (probe, attenuation, from, settings) in [
        ("L12-3v", 0.5, 10.0, console(50.0, 38.0, 2048)),
        ("C5-2v", 0.7, 30.0, console(80.0, 60.0, 2048)),
    ] {
        let tissue = Stuff::clear("tissue", 1040.0, 1540.0)
            .lossy(attenuation)
            .bright(0.0);
        let cyst = Stuff::clear("cyst", 1000.0, 1480.0).lossy(0.0022);
        let mut imager = imager(probe, &settings);
        let beside = World::of(tissue).medium();
        let behind = World::of(tissue).plate(cyst, from, from + 20.0).medium();
        // The same depth in the body; the cyst is slower, so it seems deeper.
        let late = 20.0 * (1540.0 / 1480.0 - 1.0);
        let (near, far) = (from + 23.0, from + 33.0);
        let (mut dark, mut bright) = (0.0, 0.0);
        let mut mean_mhz = Vec::new();
        for seed in 0..12 {
            let view = View { seed, ..here() };
            let frame = imager.frame(&beside, &view);
            let look = &frame.looks[0];
            dark += power(look, MIDDLE, (near, far));
            mean_mhz.push(mean_frequency(look, imager.frequency_mhz(), (near, far)));
            let frame = imager.frame(&behind, &view);
            let look = &frame.looks[0];
            bright += power(look, MIDDLE, (near + late, far + late));
            mean_mhz.push(mean_frequency(
                look,
                imager.frequency_mhz(),
                (near + late, far + late),
            ));
        }
        let measured = 10.0 * f64::log10(bright / dark);
        let f = mean_mhz.iter().sum::<f64>() / mean_mhz.len() as f64;
        let reflection = tissue.reflection(&cyst);
        let walls = 2.0 * db(1.0 - reflection * reflection);
        let water = 2.0 * cyst.attenuation * f * 2.0;
        let predicted = 2.0 * attenuation * f * 2.0 - water + walls;
        figure(
            &format!(
                "{probe}: speckle behind 20 mm of water in {attenuation} dB/cm/MHz, mean of {f:.2} MHz left of {:.2}",
                imager.frequency_mhz()
            ),
            &format!("{predicted:.2} dB within 1 dB"),
            &format!("{measured:.2} dB"),
        );
        assert!((measured - predicted).abs() < 1.0);
    }
}

/// Centroid of the power spectrum of the echoes between two depths, from how far the phase turns
/// from sample to sample.
fn mean_frequency(look: &Look, f0_mhz: f64, between_mm: (f64, f64)) -> f64 {
    let grid = &look.grid;
    let first = (between_mm.0 / grid.sample_mm) as usize;
    let last = (between_mm.1 / grid.sample_mm) as usize;
    let mut sum = ultrasound::Complex::new(0.0, 0.0);
    for line in MIDDLE {
        let iq = &look.iq[line * grid.samples..][first..last];
        for pair in iq.windows(2) {
            sum += ultrasound::Complex::new(f64::from(pair[1].re), f64::from(pair[1].im))
                * ultrasound::Complex::new(f64::from(pair[0].re), -f64::from(pair[0].im));
        }
    }
    let step_us = 2.0 * grid.sample_mm / 1.54;
    // A later echo has the more positive phase: above f0 the phase falls with depth.
    f0_mhz - sum.im.atan2(sum.re) / std::f64::consts::TAU / step_us
}
