//! How wide a point's image is.

use equipment::{Console, Probe};
use ultrasound::engine::Imager;
use ultrasound::frame::Look;

use crate::pulse::Pulse;
use crate::scene::{self, FLUID, LOSSLESS, Sound, block, focused, probe};

/// −6 dB widths of a point's image, mm.
#[derive(Clone, Copy, Debug)]
struct Widths {
    axial: f64,
    lateral: f64,
}

/// Dense lines and samples around the axis.
fn dense(console: Console, depth_mm: f64, width: f64) -> Console {
    Console {
        depth_mm,
        lines: 33,
        samples: 4096,
        width,
        ..console
    }
}

/// How far a row of values stays above half its peak, in steps, between the straight lines that
/// join them.
fn half_width(values: &[f64], peak: usize) -> f64 {
    let half = values[peak] / 2.0;
    let side = |way: i64| {
        let at = |i: i64| values[(peak as i64 + way * i) as usize];
        let below = (1..).find(|&i| at(i) < half).expect("it falls off");
        let (before, after) = (at(below - 1), at(below));
        below as f64 - (half - after) / (before - after)
    };
    side(1) + side(-1)
}

/// The envelope's peak near a depth: line and sample.
fn peak(look: &Look, z_mm: f64) -> (usize, usize) {
    let grid = &look.grid;
    let near = |sample: &usize| (*sample as f64 * grid.sample_mm - z_mm).abs() < 2.0;
    (0..grid.lines)
        .flat_map(|line| {
            (0..grid.samples)
                .filter(near)
                .map(move |sample| (line, sample))
        })
        .max_by(|a, b| {
            let value =
                |&(line, sample): &(usize, usize)| look.envelope[line * grid.samples + sample];
            value(a).total_cmp(&value(b))
        })
        .expect("an image has samples")
}

/// Widths of the image of a point on the axis, along its line and along the arc through its peak.
fn widths(look: &Look, z_mm: f64) -> Widths {
    let grid = &look.grid;
    let (line, sample) = peak(look, z_mm);
    let value = |line: usize, sample: usize| f64::from(look.envelope[line * grid.samples + sample]);
    let along: Vec<f64> = (0..grid.samples)
        .map(|sample| value(line, sample))
        .collect();
    let across: Vec<f64> = (0..grid.lines).map(|line| value(line, sample)).collect();
    Widths {
        axial: half_width(&along, sample) * grid.sample_mm,
        lateral: half_width(&across, line) * grid.line_distance_mm(sample as f64 * grid.sample_mm),
    }
}

/// The look at a block with points.
fn look_at(imager: &mut Imager, sound: Sound, points_mm: &[[f32; 3]]) -> Look {
    let medium = block(sound, points_mm);
    imager.frame(&medium, &scene::at(0.0)).looks.swap_remove(0)
}

/// The probe in a two-dimensional scene: its aperture across the scan plane is so small that
/// nothing depends on it.
fn flat(name: &str) -> Probe {
    let mut probe = probe(name).clone();
    probe.elevation.aperture_mm = 0.01;
    probe
}

/// A peer's measurements: `PyMUST` 0.1.9 (a two-dimensional scene), 1540 m/s, 0.5 dB/cm/MHz. Probe,
/// setting, and rows of depth, axial and lateral −6 dB widths, mm.
fn peers() -> [(&'static str, Console, [[f64; 3]; 3]); 3] {
    [
        (
            "L11-5v",
            dense(focused(20.0, Some(2.5), Some(1.5)), 40.0, 0.06),
            [
                [10.0, 0.178, 0.437],
                [20.0, 0.179, 0.404],
                [30.0, 0.219, 0.489],
            ],
        ),
        (
            "C5-2v",
            dense(focused(60.0, Some(3.0), Some(2.0)), 120.0, 0.06),
            [
                [30.0, 0.381, 1.251],
                [60.0, 0.403, 1.216],
                [90.0, 0.526, 1.596],
            ],
        ),
        (
            "P4-2v",
            dense(focused(60.0, None, None), 120.0, 0.08),
            [
                [40.0, 0.546, 1.595],
                [60.0, 0.506, 1.804],
                [90.0, 0.582, 3.135],
            ],
        ),
    ]
}

#[test]
fn points_are_as_wide_as_a_peers() {
    let mut misses = Vec::new();
    for (name, console, rows) in peers() {
        for ([z_mm, axial, lateral], got) in
            rows.into_iter()
                .zip(peer_widths(&flat(name), &console, rows))
        {
            for (what, got, want) in [
                ("axial", got.axial, axial),
                ("lateral", got.lateral, lateral),
            ] {
                let off = (got / want - 1.0) * 100.0;
                println!(
                    "figure: {name}, point at {z_mm} mm, {what} -6 dB width beside PyMUST's {want} mm | within 10 % | {got:.3} mm, {off:+.1} %"
                );
                if off.abs() > 10.0 {
                    misses.push(format!("{name} {z_mm} mm {what}: {off:+.1} %"));
                }
            }
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}

/// The peer leaves out the lens. With it, echoes from before its focus ring on; beside it, the pulse
/// is the same. No bar: there is nothing to hold it to.
#[test]
#[ignore = "long: tools/validations/ultrasound"]
fn points_behind_the_lens() {
    for (name, console, rows) in peers() {
        for ([z_mm, axial, lateral], got) in
            rows.into_iter()
                .zip(peer_widths(probe(name), &console, rows))
        {
            println!(
                "figure: {name}, point at {z_mm} mm, with the lens that PyMUST's scene lacks: axial, lateral -6 dB width | - ({axial}, {lateral} mm without) | {:.3}, {:.3} mm",
                got.axial, got.lateral
            );
        }
    }
}

/// Widths of the points at a peer's depths.
fn peer_widths(probe: &Probe, console: &Console, rows: [[f64; 3]; 3]) -> [Widths; 3] {
    let points = rows.map(|[z_mm, ..]| [0.0, 0.0, z_mm as f32]);
    let mut imager = Imager::new(probe, console).expect("a good setting");
    let look = look_at(&mut imager, FLUID, &points);
    rows.map(|[z_mm, ..]| widths(&look, z_mm))
}

/// Equal apertures both ways, a point at the focus: probe, transmit frequency in MHz, F#, focus.
const SETTINGS: [(&str, Option<f64>, f64, f64); 12] = [
    ("L11-5v", None, 2.0, 15.0),
    ("L11-5v", None, 3.0, 25.0),
    ("L11-5v", None, 4.0, 35.0),
    ("L11-5v", Some(5.0), 2.5, 30.0),
    ("L11-5v", Some(9.0), 3.0, 20.0),
    ("C5-2v", None, 3.0, 50.0),
    ("C5-2v", None, 4.0, 80.0),
    ("C5-2v", Some(2.5), 3.5, 70.0),
    ("C5-2v", Some(4.5), 4.0, 60.0),
    ("P4-2v", None, 4.0, 60.0),
    ("P4-2v", None, 5.0, 90.0),
    ("P4-2v", Some(2.2), 4.5, 70.0),
];

#[test]
fn points_in_focus_are_as_wide_as_the_aperture_says() {
    focus_widths(&[SETTINGS[1], SETTINGS[6], SETTINGS[9]]);
}

#[test]
#[ignore = "long: tools/validations/ultrasound"]
fn points_in_focus_at_many_settings() {
    focus_widths(&SETTINGS);
}

fn focus_widths(settings: &[(&str, Option<f64>, f64, f64)]) {
    let mut misses = Vec::new();
    for &(name, frequency_mhz, f_number, focus_mm) in settings {
        let width = if name == "P4-2v" { 0.08 } else { 0.06 };
        let console = Console {
            frequency_mhz,
            ..dense(
                focused(focus_mm, Some(f_number), Some(f_number)),
                1.5 * focus_mm,
                width,
            )
        };
        let mut imager = Imager::new(probe(name), &console).expect("a good setting");
        for (sound, medium) in [(LOSSLESS, "no attenuation"), (FLUID, "0.5 dB/cm/MHz")] {
            let pulse = Pulse::new(probe(name), &console);
            let want = 0.886 * pulse.wavelength_mm(sound, focus_mm) * f_number;
            let look = look_at(&mut imager, sound, &[[0.0, 0.0, focus_mm as f32]]);
            let got = widths(&look, focus_mm).lateral;
            let off = (got / want - 1.0) * 100.0;
            println!(
                "figure: {name}, {:.2} MHz sent, F# {f_number} both ways, focus {focus_mm} mm, {medium}: lateral -6 dB width beside 0.886 lambda F# = {want:.3} mm | within 10 % | {got:.3} mm, {off:+.1} %",
                imager.frequency_mhz()
            );
            if off.abs() > 10.0 {
                misses.push(format!("{name} {f_number} {focus_mm} mm: {off:+.1} %"));
            }
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}

/// The −6 dB width across the scan plane at a depth: points that lie ever farther across it, in
/// frames of their own.
fn slice_width(imager: &mut Imager, sound: Sound, z_mm: f64, expected_mm: f64) -> f64 {
    const STEPS: i32 = 12;
    let step_mm = expected_mm / f64::from(STEPS);
    let heights: Vec<f64> = (-STEPS..=STEPS)
        .map(|i| {
            let point = [0.0, (f64::from(i) * step_mm) as f32, z_mm as f32];
            let look = look_at(imager, sound, &[point]);
            let (line, sample) = peak(&look, z_mm);
            f64::from(look.envelope[line * look.grid.samples + sample])
        })
        .collect();
    half_width(&heights, STEPS as usize) * step_mm
}

/// Wavelengths are those of the power-weighted mean frequency behind 0.5 dB/cm/MHz.
#[test]
fn the_slice_is_as_thin_as_the_lens_says() {
    let mut misses = Vec::new();
    for (name, f_number) in [("L11-5v", 2.0), ("C5-2v", 3.0), ("P4-2v", 4.0)] {
        let lens = &probe(name).elevation;
        let console = Console {
            lines: 9,
            samples: 1024,
            ..dense(
                focused(lens.focus_mm, Some(f_number), Some(f_number)),
                1.5 * lens.focus_mm,
                0.06,
            )
        };
        let mut imager = Imager::new(probe(name), &console).expect("a good setting");
        let pulse = Pulse::new(probe(name), &console);
        let over = lens.focus_mm / lens.aperture_mm;
        let want = 0.886 * pulse.wavelength_mm(FLUID, lens.focus_mm) * over;
        let got = slice_width(&mut imager, FLUID, lens.focus_mm, want);
        let off = (got / want - 1.0) * 100.0;
        println!(
            "figure: {name}, slice at its focus, 0.5 dB/cm/MHz, beside 0.886 lambda z/h = {want:.3} mm | within 10 % | {got:.3} mm, {off:+.1} %"
        );
        if off.abs() > 10.0 {
            misses.push(format!("{name}: {off:+.1} %"));
        }
        let lossless = 0.886 * pulse.wavelength_mm(LOSSLESS, lens.focus_mm) * over;
        let got = slice_width(&mut imager, LOSSLESS, lens.focus_mm, lossless);
        println!(
            "figure: {name}, slice at its focus, no attenuation, beside {lossless:.3} mm | - (the engine's slice is always that of 0.5 dB/cm/MHz) | {got:.3} mm, {:+.1} %",
            (got / lossless - 1.0) * 100.0
        );
    }
    assert!(misses.is_empty(), "{misses:?}");
}

#[test]
fn points_lie_where_they_are_at_every_steering() {
    const POINTS: [[f32; 3]; 3] = [[-3.0, 0.0, 12.0], [0.0, 0.0, 20.0], [2.0, 0.0, 30.0]];
    let mut worst = 0.0f64;
    for steering_deg in [-20.0, 0.0, 20.0] {
        let console = Console {
            depth_mm: 40.0,
            lines: 192,
            samples: 2048,
            steering_deg,
            ..focused(20.0, Some(2.5), Some(2.5))
        };
        let mut imager = Imager::new(probe("L11-5v"), &console).expect("a good setting");
        for point in POINTS {
            let look = look_at(&mut imager, LOSSLESS, &[point]);
            let grid = &look.grid;
            let at = geometry::Point::from_f32(point);
            let [u, z_mm, _] = grid.beam_coordinates(at);
            let (line, sample) = peak(&look, z_mm);
            let aside_mm = (grid.u_of_line(line as f64) - u).abs();
            let beyond_mm = (sample as f64 * grid.sample_mm - z_mm).abs();
            worst = worst.max(aside_mm).max(beyond_mm);
        }
    }
    println!(
        "figure: L11-5v steered by -20, 0, 20 degrees, places of points in the picture | within 0.15 mm (three quarters of a line) | {worst:.3} mm at the worst"
    );
    assert!(worst < 0.15, "{worst} mm");
}
