//! What moves when tissue or probe move, and what stays.

use std::sync::Arc;

use equipment::{Console, Effects};
use rayon::ThreadPoolBuilder;
use ultrasound::Complex;
use ultrasound::displacement::Displacement;
use ultrasound::engine::{Imager, Medium, View};
use ultrasound::frame::Look;

use crate::scene::{self, FLUID, Sound, block, focused, probe};

/// Share by which the tissue is compressed.
const STRAIN: f64 = 0.02;

/// Speckle behind tissue's attenuation.
const TISSUE: Sound = Sound {
    scatters: true,
    ..FLUID
};

/// Tissue pressed towards the probe: what rests at depth z is at (1 − strain) z.
fn compression() -> Arc<Displacement> {
    let (low, high) = (-100.0, 300.0);
    let moved = |z: f64| [0.0, 0.0, (-STRAIN * z) as f32];
    let field = Displacement::new(
        [0.0, 0.0, low],
        [1.0, 1.0, high - low],
        [1, 1, 2],
        vec![moved(low), moved(high)],
    );
    Arc::new(field.expect("two nodes"))
}

/// A line's echoes as they come in, analytic: baseband times its carrier.
fn analytic(look: &Look, line: usize, f0_mhz: f64) -> Vec<Complex<f64>> {
    let grid = &look.grid;
    let turns_per_mm = 2.0 * f0_mhz / (scene::SPEED_M_S * 1e-3);
    (0..grid.samples)
        .map(|sample| {
            let angle = -std::f64::consts::TAU * turns_per_mm * sample as f64 * grid.sample_mm;
            let value = look.iq[line * grid.samples + sample];
            let value = Complex::new(f64::from(value.re), f64::from(value.im));
            value * Complex::new(angle.cos(), angle.sin())
        })
        .collect()
}

/// By how many samples `now` lies behind `before` around a sample: the peak of the echoes'
/// correlation over the lags near `about`.
fn lag(
    before: &[Complex<f64>],
    now: &[Complex<f64>],
    around: usize,
    (half, about, reach): (usize, i64, i64),
) -> f64 {
    let correlation = |lag: i64| {
        let (mut sum, mut power) = (Complex::new(0.0, 0.0), 0.0);
        for i in around - half..=around + half {
            let other = now[(i as i64 + lag) as usize];
            sum += before[i].conj() * other;
            power += other.norm_sqr();
        }
        sum / power.sqrt()
    };
    let best = (about - reach..=about + reach)
        .map(|lag| (lag, correlation(lag).re))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("there are lags")
        .0;
    // The parabola through the peak and its neighbours.
    let [a, b, c] = [-1, 0, 1].map(|step| correlation(best + step).re);
    best as f64 + 0.5 * (a - c) / (a - 2.0 * b + c)
}

/// What tracking found.
struct Tracked {
    /// Slope of found on true displacements over all lines and depths, less 1.
    slope_off: f64,
    /// Greatest relative error of the mean over the lines at a depth.
    worst: f64,
    depths: usize,
}

/// Tracks windows 1 mm apart from the face on, each starting where the one before it was found (the
/// median of the lines).
fn track(name: &str, console: &Console, between_mm: [f64; 2], window_mm: f64) -> Tracked {
    let medium = block(TISSUE, &[]);
    let mut imager = Imager::new(probe(name), console).expect("a good setting");
    let still = look(&mut imager, &medium, &scene::at(0.0));
    let pressed = View {
        displacement: Some(compression()),
        ..scene::at(0.0)
    };
    let pressed = look(&mut imager, &medium, &pressed);
    let grid = &still.grid;
    let f0_mhz = imager.frequency_mhz();
    let lines: Vec<_> = (0..grid.lines)
        .map(|line| [&still, &pressed].map(|look| analytic(look, line, f0_mhz)))
        .collect();
    let half = (window_mm / 2.0 / grid.sample_mm) as usize;
    // A quarter of a wavelength: the next crest of the correlation lies half a wavelength on.
    let reach = (0.25 * 1e-3 * scene::SPEED_M_S / f0_mhz / grid.sample_mm).floor() as i64;
    let (mut cross, mut square, mut worst, mut depths) = (0.0, 0.0, 0.0f64, 0);
    let mut about = 0.0;
    let mut z_mm = window_mm / 2.0 + 0.1;
    while z_mm < between_mm[1] {
        let around = (z_mm / grid.sample_mm).round() as usize;
        let start = (half, f64::round(about) as i64, reach);
        let mut found: Vec<f64> = lines
            .iter()
            .map(|[before, now]| lag(before, now, around, start))
            .collect();
        found.sort_by(f64::total_cmp);
        about = found[found.len() / 2];
        if z_mm >= between_mm[0] {
            let truth = -STRAIN * around as f64;
            let mean = found.iter().sum::<f64>() / found.len() as f64;
            worst = worst.max((mean / truth - 1.0).abs());
            cross += mean * truth;
            square += truth * truth;
            depths += 1;
        }
        z_mm += 1.0;
    }
    Tracked {
        slope_off: cross / square - 1.0,
        worst,
        depths,
    }
}

fn look(imager: &mut Imager, medium: &Medium, view: &View) -> Look {
    imager.frame(medium, view).looks.swap_remove(0)
}

#[test]
fn speckle_follows_compressed_tissue() {
    let narrow = |depth_mm: f64, width: f64, console: Console| Console {
        depth_mm,
        width,
        lines: 48,
        samples: 2048,
        ..console
    };
    let linear = narrow(45.0, 0.5, focused(25.0, Some(2.5), Some(2.5)));
    let curved = narrow(100.0, 0.1, focused(60.0, Some(3.0), Some(3.0)));
    let phased = narrow(120.0, 0.1, focused(70.0, None, None));
    let mut misses = Vec::new();
    for (name, console, between_mm, window_mm) in [
        ("L11-5v", linear, [5.0, 40.0], 2.0),
        ("C5-2v", curved, [15.0, 90.0], 4.0),
        ("P4-2v", phased, [20.0, 110.0], 5.0),
    ] {
        let tracked = track(name, &console, between_mm, window_mm);
        println!(
            "figure: {name}, displacement under {} % compression, tracked by correlating echoes along lines, off the true one | within 5 % | {:+.2} % over all, {:.2} % at the worst of {} depths",
            STRAIN * 100.0,
            tracked.slope_off * 100.0,
            tracked.worst * 100.0,
            tracked.depths
        );
        if tracked.worst > 0.05 || tracked.slope_off.abs() > 0.05 {
            misses.push(format!(
                "{name}: {} worst {}",
                tracked.slope_off, tracked.worst
            ));
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}

/// Lateral place of the envelope's correlation peak between two looks, mm.
fn lateral_shift(before: &Look, now: &Look, rows: std::ops::Range<usize>, reach: i64) -> f64 {
    let grid = &before.grid;
    let value = |look: &Look, line: i64, sample: usize| {
        f64::from(look.envelope[line as usize * grid.samples + sample])
    };
    let lines = reach..grid.lines as i64 - reach;
    let correlation = |lag: i64| {
        let (mut both, mut a2, mut b2) = (0.0, 0.0, 0.0);
        for sample in rows.clone() {
            let mean = |look: &Look, lag: i64| {
                let sum: f64 = lines.clone().map(|l| value(look, l + lag, sample)).sum();
                sum / (lines.end - lines.start) as f64
            };
            let (a_mean, b_mean) = (mean(before, 0), mean(now, lag));
            for line in lines.clone() {
                let a = value(before, line, sample) - a_mean;
                let b = value(now, line + lag, sample) - b_mean;
                both += a * b;
                a2 += a * a;
                b2 += b * b;
            }
        }
        both / f64::sqrt(a2 * b2)
    };
    let best = (-reach + 1..reach)
        .max_by(|&a, &b| correlation(a).total_cmp(&correlation(b)))
        .expect("there are lags");
    let [a, b, c] = [-1, 0, 1].map(|step| correlation(best + step));
    (best as f64 + 0.5 * (a - c) / (a - 2.0 * b + c)) * grid.pitch
}

#[test]
fn speckle_stays_where_it_is_when_the_probe_moves() {
    const MOVED_MM: f64 = 0.2;
    let mut misses = Vec::new();
    // Lines that the move is a whole number of, and others.
    for (lines, width) in [(120, 0.25), (96, 0.3)] {
        let console = Console {
            depth_mm: 40.0,
            samples: 1024,
            lines,
            width,
            ..focused(20.0, Some(2.5), Some(1.5))
        };
        let mut imager = Imager::new(probe("L11-5v"), &console).expect("a good setting");
        let medium = block(TISSUE, &[]);
        let before = look(&mut imager, &medium, &scene::at(0.0));
        let now = look(&mut imager, &medium, &scene::at(MOVED_MM));
        // The probe moves towards +x, so the tissue moves towards −x in the image.
        let moved = -lateral_shift(&before, &now, 200..900, 8);
        let pitch = before.grid.pitch;
        println!(
            "figure: L11-5v, lines {pitch:.3} mm apart, probe moved by {MOVED_MM} mm along the scan: how far speckle moves in the picture | within 5 % | {moved:.4} mm"
        );
        if (moved / MOVED_MM - 1.0).abs() > 0.05 {
            misses.push(format!("{moved} mm at {pitch} mm"));
        }
    }
    assert!(misses.is_empty(), "{misses:?}");
}

fn bytes(imager: &mut Imager, medium: &Medium, view: &View) -> Vec<u8> {
    let frame = imager.frame(medium, view);
    let iq = frame.looks.iter().flat_map(|look| &look.iq);
    iq.flat_map(|value| [value.re, value.im])
        .flat_map(f32::to_le_bytes)
        .collect()
}

/// A linear array with a straight and a steered look, and a curved one.
fn settings(effects: Effects) -> [(&'static str, Console); 2] {
    let linear = Console {
        depth_mm: 45.0,
        lines: 64,
        samples: 512,
        compounding_deg: vec![8.0],
        effects,
        ..focused(25.0, Some(2.5), Some(1.5))
    };
    let curved = Console {
        depth_mm: 80.0,
        lines: 64,
        samples: 512,
        effects,
        ..focused(50.0, Some(3.0), Some(2.0))
    };
    [("L11-5v", linear), ("C5-2v", curved)]
}

#[test]
fn a_still_scene_looks_the_same_at_every_tick() {
    let effects = Effects {
        noise: false,
        flow: false,
        ..Effects::default()
    };
    let medium = scene::everything();
    for (name, console) in settings(effects) {
        let mut imager = Imager::new(probe(name), &console).expect("a good setting");
        let frames = [0, 1, 977].map(|tick| {
            let view = View {
                tick,
                ..scene::at(0.0)
            };
            bytes(&mut imager, &medium, &view)
        });
        let is_same = frames.iter().all(|frame| *frame == frames[0]);
        let is_seen = frames[0].iter().any(|&byte| byte != 0);
        println!(
            "figure: {name}, a still scene with noise and flow off at three ticks: same bytes | all | {}",
            if is_same { "all" } else { "not all" }
        );
        assert!(is_seen, "{name}: nothing is seen");
        assert!(is_same, "{name}: frames of a still scene differ");
    }
}

#[test]
fn any_number_of_threads_makes_the_same_bytes() {
    let medium = scene::everything();
    let view = View {
        tick: 3,
        seed: 11,
        displacement: Some(compression()),
        ..scene::at(0.7)
    };
    for (name, console) in settings(Effects::default()) {
        let [one, two] = [1, 2].map(|threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads").install(|| {
                let mut imager = Imager::new(probe(name), &console).expect("a good setting");
                bytes(&mut imager, &medium, &view)
            })
        });
        let is_same = one == two;
        println!(
            "figure: {name}, all effects, in pools of 1 and 2 threads: same bytes | all | {}",
            if is_same { "all" } else { "not all" }
        );
        assert!(is_same, "{name}: threads change the picture");
    }
}
