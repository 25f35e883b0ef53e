//! Known answers of the whole chain.

use std::f64::consts::PI;

use equipment::{Apodization, Effects, GrayMap, Transmit, Zoom};
use geometry::Point;
use geometry::frame::Probe as ProbeFrame;
use nalgebra::Complex;

use super::*;
use crate::frame::{PathKind, Truth};
use crate::grid::Shape;

const SIZE: PictureSize = PictureSize {
    width: 320,
    height: 320,
};

/// A console as it is when no file says otherwise.
fn console() -> Console {
    Console {
        depth_mm: 160.0,
        frequency_mhz: None,
        cycles: 1.0,
        transmit: Transmit::PlaneWaves {
            angles_deg: vec![0.0],
        },
        receive_f_number: None,
        apodization: Apodization::Uniform,
        transmit_apodization: Apodization::Uniform,
        lines: 64,
        samples: 100,
        width: 1.0,
        center: 0.0,
        steering_deg: 0.0,
        compounding_deg: Vec::new(),
        gain_db: 0.0,
        tgc_db: vec![0.0; 8],
        compensation_db_cm_mhz: 0.5,
        dynamic_range_db: 60.0,
        reject: 0.0,
        gray_map: GrayMap::Linear,
        persistence: 0.0,
        zoom: None,
        flip_lateral: false,
        flip_axial: false,
        effects: Effects::default(),
    }
}

/// No compensation: the curve of gain is flat.
fn flat() -> Console {
    Console {
        compensation_db_cm_mhz: 0.0,
        ..console()
    }
}

fn linear(steer_deg: f64) -> ScanGrid {
    ScanGrid {
        shape: Shape::Parallel {
            steer_rad: steer_deg.to_radians(),
        },
        lines: 64,
        first: -19.05,
        pitch: 38.1 / 63.0,
        samples: 100,
        sample_mm: 0.5,
    }
}

fn fan(radius_mm: f64, opening_deg: f64, closed: bool) -> ScanGrid {
    let lines = 64;
    let opening = opening_deg.to_radians();
    let steps = if closed { lines } else { lines - 1 };
    ScanGrid {
        shape: Shape::Fan { radius_mm, closed },
        lines,
        first: -opening / 2.0,
        pitch: opening / steps as f64,
        samples: 100,
        sample_mm: 1.2,
    }
}

fn all_grids() -> [(&'static str, ScanGrid); 6] {
    [
        ("linear", linear(0.0)),
        ("steered", linear(-15.0)),
        ("curved", fan(50.0, 75.0, false)),
        ("phased", fan(0.0, 90.0, false)),
        ("wide", fan(10.0, 200.0, false)),
        ("closed", fan(1.0, 360.0, true)),
    ]
}

fn look(grid: &ScanGrid, echo: impl Fn(usize, usize) -> f32) -> Look {
    let count = grid.lines * grid.samples;
    let envelope: Vec<f32> = (0..count)
        .map(|i| echo(i / grid.samples, i % grid.samples))
        .collect();
    Look {
        grid: Arc::new(grid.clone()),
        iq: vec![Complex::new(0.0, 0.0); count],
        envelope,
        truth: Vec::new(),
    }
}

fn display(looks: &[Look], console: &Console) -> Display {
    let grids: Vec<_> = looks.iter().map(|look| Arc::clone(&look.grid)).collect();
    Display::new(&grids, console, Compensation::default(), SIZE)
}

fn render(looks: &[Look], console: &Console) -> Picture {
    let mut display = display(looks, console);
    let mut picture = display.picture();
    display.render(looks, 0, &mut picture).expect("fits");
    picture
}

/// The envelope that comes out at a share of white with a range of 60 dB and no gain.
fn echo_of_level(level: f64) -> f32 {
    libm::pow(10.0, (WHITE_DB - 60.0 * (1.0 - level)) / 20.0) as f32
}

/// Grey of an even field at the middle of a line with the given sample.
fn even_gray(console: &Console, compensation: Compensation, level: f64, sample: f64) -> u8 {
    let grid = linear(0.0);
    let looks = [look(&grid, |_, _| echo_of_level(level))];
    let grids = [Arc::clone(&looks[0].grid)];
    let mut display = Display::new(&grids, console, compensation, SIZE);
    let mut picture = display.picture();
    display.render(&looks, 0, &mut picture).expect("fits");
    let place = grid.place(0.0, sample * grid.sample_mm, 0.0);
    gray_at(&picture, place)
}

fn gray_at(picture: &Picture, place: Point<ProbeFrame>) -> u8 {
    let index = picture.geometry.index_of_place(place).expect("inside");
    picture.pixels[index]
}

/// Centre of what is bright, in pixel coordinates.
fn centroid(picture: &Picture) -> (f64, f64) {
    let width = picture.geometry.width;
    let mut sums = [0.0; 3];
    for (i, &gray) in picture.pixels.iter().enumerate() {
        let gray = f64::from(gray);
        sums[0] += gray;
        sums[1] += gray * (i % width) as f64;
        sums[2] += gray * (i / width) as f64;
    }
    (sums[1] / sums[0], sums[2] / sums[0])
}

#[test]
fn the_logarithm_is_within_its_bound() {
    let mut worst = 0.0_f64;
    // Every exponent, and the ends of the stretch that the series covers.
    for exponent in -126..=127 {
        for step in 0..200 {
            let x = libm::ldexpf(1.0 + step as f32 / 200.0, exponent);
            let error = f64::from(compress::log2(x)) - libm::log2(f64::from(x));
            // The sum with the exponent is rounded to 24 bits.
            worst = worst.max(error.abs() - f64::from(exponent.abs()) * 6e-8);
        }
    }
    let worst_db = worst * compress::DB_PER_OCTAVE;
    println!("worst error of the logarithm: {worst_db:.6} dB");
    assert!(worst_db < 6e-4, "{worst_db}");
}

#[test]
fn six_decibels_move_grey_by_their_share_of_the_range() {
    for range_db in [40.0, 60.0, 90.0] {
        let mut moved = 0.0;
        let mut count = 0.0;
        for step in 0..60 {
            let level = 0.6 + 0.001 * f64::from(step);
            let gray = |gain_db| {
                let console = Console {
                    gain_db,
                    dynamic_range_db: range_db,
                    ..flat()
                };
                f64::from(even_gray(&console, Compensation::default(), level, 50.0))
            };
            moved += gray(6.02) - gray(0.0);
            count += 1.0;
        }
        let expected = 255.0 * 6.02 / range_db;
        // The mean of 60 rounded values: each is off by 1/2 at most, evenly spread.
        assert!((moved / count - expected).abs() < 0.3, "{moved} {expected}");
    }
}

#[test]
fn white_and_black_lie_a_dynamic_range_apart() {
    let grid = linear(0.0);
    for range_db in [40.0, 60.0, 90.0] {
        let console = Console {
            dynamic_range_db: range_db,
            ..flat()
        };
        let gray = |db: f64| {
            let echo = libm::pow(10.0, db / 20.0) as f32;
            let picture = render(&[look(&grid, |_, _| echo)], &console);
            gray_at(&picture, grid.place(0.0, 25.0, 0.0))
        };
        assert_eq!(gray(WHITE_DB), 255);
        assert_eq!(gray(0.0), 255);
        assert_eq!(gray(WHITE_DB - range_db), 0);
        assert_eq!(gray(-300.0), 0);
        let half = 255.0 * 0.5;
        assert!((f64::from(gray(WHITE_DB - range_db / 2.0)) - half).abs() <= 0.6);
    }
}

#[test]
fn liver_is_middle_grey() {
    let level = 1.0 - (WHITE_DB + 61.0) / 60.0;
    let gray = even_gray(&flat(), Compensation::default(), level, 50.0);
    assert!((90..=140).contains(&gray), "{gray}");
}

#[test]
fn sliders_run_straight_between_each_other() {
    let sliders = [-7.0, 0.0, 4.0, 4.0, 10.0, 0.0, 2.0, 6.0];
    let at = |z_mm| gain::tgc_db(&sliders, 140.0, z_mm);
    for (i, db) in sliders.into_iter().enumerate() {
        assert!((at(20.0 * i as f64) - db).abs() < 1e-9);
    }
    assert!((at(10.0) + 3.5).abs() < 1e-9);
    // A quarter of the way from 10 dB to 0 dB; three quarters of the way from 4 dB to 10 dB.
    assert!((at(85.0) - 7.5).abs() < 1e-9);
    assert!((at(75.0) - 8.5).abs() < 1e-9);
    assert_eq!(at(500.0), 6.0);
    assert_eq!(at(-5.0), -7.0);
    assert_eq!(gain::tgc_db(&[], 140.0, 10.0), 0.0);
    assert_eq!(gain::tgc_db(&[3.0], 140.0, 10.0), 3.0);
}

#[test]
fn all_gains_add_up() {
    let console = Console {
        depth_mm: 70.0,
        gain_db: 1.0,
        tgc_db: vec![0.0, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        compensation_db_cm_mhz: 0.5,
        ..console()
    };
    let compensation = Compensation {
        gain_db_at_depth: vec![0.25; 10],
        frequency_mhz: 5.0,
    };
    let curve = gain::curve_db(&console, &compensation, &linear(0.0));
    // 20 mm deep: 1 + 8 + 2 · 0.5 · 5 · 2 + 0.25.
    assert!((curve[40] - 19.25).abs() < 1e-9);
    // 10 mm deep: at the second slider, which is at 0. 15 mm deep: half way to the third.
    assert!((curve[20] - 6.25).abs() < 1e-9);
    assert!((curve[30] - (1.0 + 4.0 + 7.5 + 0.25)).abs() < 1e-9);
}

#[test]
fn gain_that_is_no_number_counts_for_nothing() {
    let compensation = Compensation {
        gain_db_at_depth: vec![f32::NAN, f32::INFINITY],
        frequency_mhz: f64::NAN,
    };
    let gray = even_gray(&console(), compensation, 0.5, 50.0);
    assert!((127..=128).contains(&gray));
}

#[test]
fn reject_blackens_what_lies_below_it_and_nothing_else() {
    let console = Console {
        reject: 0.3,
        ..flat()
    };
    let gray = |level| even_gray(&console, Compensation::default(), level, 50.0);
    assert_eq!(gray(0.29), 0);
    assert_eq!(gray(0.31), (0.31_f64 * 255.0).round() as u8);
}

#[test]
fn grey_maps_rise_from_black_to_white() {
    for map in [GrayMap::Linear, GrayMap::Contrast, GrayMap::Soft] {
        assert_eq!(gray::curve(map, 0.0), 0.0);
        assert_eq!(gray::curve(map, 1.0), 1.0);
        let curve: Vec<f32> = (0..=1000)
            .map(|i| gray::curve(map, i as f32 / 1000.0))
            .collect();
        assert!(curve.windows(2).all(|pair| pair[0] < pair[1]), "{map:?}");
        let console = Console {
            gray_map: map,
            ..flat()
        };
        let gray = even_gray(&console, Compensation::default(), 0.25, 50.0);
        let expected = gray::curve(map, 0.25) * 255.0;
        assert!((f32::from(gray) - expected).abs() < 0.6);
    }
    assert!(gray::curve(GrayMap::Contrast, 0.2) < 0.2);
    assert!(gray::curve(GrayMap::Contrast, 0.8) > 0.8);
    assert!(gray::curve(GrayMap::Soft, 0.2) > 0.2);
}

#[test]
fn a_bright_sample_appears_at_its_place() {
    for (name, grid) in all_grids() {
        for line in [1, 20, 31, 62] {
            // Where lines lie at least a pixel apart, so that one can be seen.
            for sample in [20, 40, 98] {
                let at = |l, s| l == line && s == sample;
                let picture = render(
                    &[look(&grid, |l, s| f32::from(u8::from(at(l, s))))],
                    &flat(),
                );
                let u = grid.u_of_line(line as f64);
                let place = grid.place(u, sample as f64 * grid.sample_mm, 0.0);
                let (x, y) = picture.geometry.pixel_of_place(place);
                let (bright_x, bright_y) = centroid(&picture);
                let off = (bright_x - x).hypot(bright_y - y);
                assert!(off < 0.5, "{name} {line} {sample}: {off} pixels off");
            }
        }
    }
}

#[test]
fn a_smooth_field_is_what_it_is_at_each_pixel() {
    let level = |line: f64, sample: f64| {
        0.5 + 0.2 * libm::sin(PI * line / 32.0) + 0.2 * libm::sin(0.05 * sample)
    };
    // Between neighbours, a parabola at most 1/8 of the second derivative off its chord.
    let chord = 0.2 * ((PI / 32.0) * (PI / 32.0) + 0.05 * 0.05) / 8.0 * 255.0;
    for (name, grid) in all_grids() {
        let looks = [look(&grid, |l, s| echo_of_level(level(l as f64, s as f64)))];
        let display = display(&looks, &flat());
        let picture = render(&looks, &flat());
        let (mut checked, mut worst) = (0, 0.0_f64);
        for y in 0..SIZE.height {
            for x in 0..SIZE.width {
                let Some(place) = picture.place_of_pixel(x, y) else {
                    continue;
                };
                // From the place by closed form, clear of the margins of half a line.
                let (line, sample) = exact_beam(&grid, place);
                let last = (grid.lines - 1) as f64;
                let closed = name == "closed";
                if !(0.0..=99.0).contains(&sample) || !(closed || (0.0..=last).contains(&line)) {
                    continue;
                }
                let exact = 255.0 * level(line, sample);
                let gray = f64::from(picture.pixels[y * SIZE.width + x]);
                worst = worst.max((gray - exact).abs());
                checked += 1;
            }
        }
        println!("{name}: {checked} pixels, worst {worst:.3} grey levels, chord {chord:.3}");
        assert!(checked > 10_000, "{name}");
        assert!(worst < 0.5 + chord + 0.03, "{name}: {worst}");
        assert!(display.sample_of_pixel(1, 0.0, 0.0).is_none());
    }
}

/// Line and sample at a place, written out by hand: for a fan by the angle at its apex, which lies
/// a radius behind the face; a line from −½ turn on.
fn exact_beam(grid: &ScanGrid, place: Point<ProbeFrame>) -> (f64, f64) {
    let (x, z) = (place.x(), place.z());
    let (u, depth) = match grid.shape {
        Shape::Parallel { steer_rad } => (x - z * libm::tan(steer_rad), z / libm::cos(steer_rad)),
        Shape::Fan { radius_mm, .. } => {
            let r = libm::hypot(x, z + radius_mm);
            (libm::atan2(x, z + radius_mm), r - radius_mm)
        }
    };
    ((u - grid.first) / grid.pitch, depth / grid.sample_mm)
}

#[test]
fn the_mask_is_the_scanned_area() {
    for (name, grid) in all_grids() {
        let picture = render(&[look(&grid, |_, _| 1.0)], &flat());
        let last = grid.lines as f64 - 0.5;
        let mut inside_count = 0_usize;
        for (i, (&mask, &gray)) in picture.mask.iter().zip(&picture.pixels).enumerate() {
            let (x, y) = (i % SIZE.width, i / SIZE.width);
            let place = picture.geometry.place_of_pixel(x as f64, y as f64);
            let (line, sample) = exact_beam(&grid, place);
            let on_line = name == "closed" || (line > -0.5 && line < last);
            let inside = on_line && sample > -0.5 && sample < 99.5;
            assert_eq!(mask != 0, inside, "{name} {x} {y}");
            assert_eq!(gray, if inside { 255 } else { 0 });
            inside_count += usize::from(inside);
        }
        let area_mm2 = inside_count as f64 * picture.geometry.mm_per_pixel.powi(2);
        let expected_mm2 = area_mm2_of(&grid);
        let off = area_mm2 / expected_mm2 - 1.0;
        assert!(off.abs() < 0.01, "{name}: {off}");
    }
}

/// Area of lines and samples with half a step around, in closed form.
fn area_mm2_of(grid: &ScanGrid) -> f64 {
    let across = grid.pitch * grid.lines as f64;
    let near = -grid.sample_mm / 2.0;
    let far = grid.depth_mm() + grid.sample_mm / 2.0;
    match grid.shape {
        Shape::Parallel { steer_rad } => across * (far - near) * libm::cos(steer_rad),
        Shape::Fan { radius_mm, .. } => {
            let inner = (radius_mm + near).max(0.0);
            let outer = radius_mm + far;
            across / 2.0 * (outer * outer - inner * inner)
        }
    }
}

#[test]
fn the_image_fills_the_picture() {
    for (name, grid) in all_grids() {
        let picture = render(&[look(&grid, |_, _| 1.0)], &flat());
        let (w, h) = (SIZE.width, SIZE.height);
        let row = |y: usize| (0..w).any(|x| picture.place_of_pixel(x, y).is_some());
        let column = |x: usize| (0..h).any(|y| picture.place_of_pixel(x, y).is_some());
        assert!(row(0), "{name}: top");
        assert!(row(h - 1) || (column(0) && column(w - 1)), "{name}");
    }
}

#[test]
fn a_full_turn_has_no_seam() {
    let grid = fan(1.0, 360.0, true);
    let looks = [look(&grid, |l, _| {
        echo_of_level(if l == 0 || l == 63 { 0.8 } else { 0.2 })
    })];
    let picture = render(&looks, &flat());
    // Half way between the last line and the first one.
    let u = grid.u_of_line(63.5);
    let gray = gray_at(&picture, grid.place(u, 100.0, 0.0));
    assert!((f64::from(gray) - 0.8 * 255.0).abs() < 1.0, "{gray}");
}

#[test]
fn the_marked_side_is_on_the_left_and_depth_runs_down() {
    for (flip_lateral, flip_axial) in [(false, false), (true, false), (false, true), (true, true)] {
        let console = Console {
            flip_lateral,
            flip_axial,
            ..flat()
        };
        let grid = linear(0.0);
        // Probe +x, shallow.
        let looks = [look(&grid, |l, s| f32::from(u8::from(l > 50 && s < 20)))];
        let (x, y) = centroid(&render(&looks, &console));
        let middle = 160.0;
        assert_eq!(x > middle, flip_lateral);
        assert_eq!(y > middle, flip_axial);
    }
}

#[test]
fn changing_sides_mirrors_the_picture() {
    let grid = fan(50.0, 75.0, false);
    let looks = [look(&grid, |l, s| {
        echo_of_level(0.3 + 0.005 * l as f64 + 0.002 * s as f64)
    })];
    let straight = render(&looks, &flat());
    let console = Console {
        flip_lateral: true,
        ..flat()
    };
    let changed = render(&looks, &console);
    for (rows, others) in straight
        .pixels
        .chunks_exact(SIZE.width)
        .zip(changed.pixels.chunks_exact(SIZE.width))
    {
        for (a, b) in rows.iter().zip(others.iter().rev()) {
            assert!(a.abs_diff(*b) <= 1);
        }
    }
}

#[test]
fn zoom_shows_what_it_names() {
    let console = Console {
        zoom: Some(Zoom {
            center_mm: (5.0, 30.0),
            height_mm: 16.0,
        }),
        ..flat()
    };
    let picture = render(&[look(&linear(0.0), |_, _| 1.0)], &console);
    let geometry = picture.geometry;
    assert!((geometry.mm_per_pixel - 0.05).abs() < 1e-12);
    let middle = geometry.place_of_pixel(159.5, 159.5);
    assert!((middle.x() - 5.0).abs() < 1e-9 && (middle.z() - 30.0).abs() < 1e-9);
    let top = geometry.place_of_pixel(159.5, -0.5);
    assert!((top.z() - 22.0).abs() < 1e-9);
    assert!(picture.mask.iter().all(|&mask| mask == 255));
}

#[test]
fn pixels_and_places_lead_back_to_each_other() {
    for (flip_lateral, flip_axial) in [(false, false), (true, false), (false, true)] {
        for (_, grid) in all_grids() {
            let console = Console {
                flip_lateral,
                flip_axial,
                ..flat()
            };
            let picture = render(&[look(&grid, |_, _| 1.0)], &console);
            let geometry = picture.geometry;
            for (x, y) in [(0.0, 0.0), (17.25, 200.5), (319.0, 319.0), (-4.0, 400.0)] {
                let (back_x, back_y) = geometry.pixel_of_place(geometry.place_of_pixel(x, y));
                assert!((back_x - x).abs() < 1e-9 && (back_y - y).abs() < 1e-9);
            }
            for (x, y) in [(160, 160), (100, 250), (0, 0), (319, 319)] {
                if let Some(place) = picture.place_of_pixel(x, y) {
                    assert_eq!(picture.pixel_of_place(place), Some((x, y)));
                }
            }
            assert_eq!(picture.place_of_pixel(320, 0), None);
            let nowhere = Point::new(f64::NAN, 0.0, 1e300);
            assert_eq!(picture.pixel_of_place(nowhere), None);
        }
    }
}

#[test]
fn nothing_is_black_and_no_number_harms() {
    let grid = fan(50.0, 75.0, false);
    let bright = Console {
        gain_db: 60.0,
        compensation_db_cm_mhz: 2.0,
        persistence: 0.5,
        ..console()
    };
    for none in [0.0, -0.0, -1.0, f32::NAN, f32::NEG_INFINITY, 1e-40] {
        let looks = [look(&grid, |_, _| none)];
        let grids = [Arc::clone(&looks[0].grid)];
        let compensation = Compensation {
            gain_db_at_depth: Vec::new(),
            frequency_mhz: 80.0,
        };
        let mut display = Display::new(&grids, &bright, compensation, SIZE);
        let mut picture = display.picture();
        for tick in 0..2 {
            display.render(&looks, tick, &mut picture).expect("fits");
            assert!(picture.pixels.iter().all(|&gray| gray == 0), "{none}");
        }
    }
    let picture = render(&[look(&grid, |_, _| f32::INFINITY)], &flat());
    let expected: Vec<u8> = picture.mask.to_vec();
    assert_eq!(picture.pixels, expected);
}

#[test]
fn what_persists_dies_away_by_its_share_per_tick() {
    let grid = linear(0.0);
    let console = Console {
        persistence: 0.8,
        ..flat()
    };
    let bright = [look(&grid, |_, _| echo_of_level(1.0))];
    let dark = [look(&grid, |_, _| 0.0)];
    let mut display = display(&bright, &console);
    let mut picture = display.picture();
    let middle = grid.place(0.0, 25.0, 0.0);
    let mut gray = |looks: &[Look], tick| {
        display.render(looks, tick, &mut picture).expect("fits");
        f64::from(gray_at(&picture, middle))
    };
    let near = |gray: f64, share: f64| (gray - 255.0 * share).abs() <= 0.51;
    assert!(near(gray(&bright, 10), 1.0));
    assert!(near(gray(&dark, 11), 0.8));
    assert!(near(gray(&dark, 11), 0.8), "the same tick again");
    assert!(near(gray(&dark, 12), 0.64));
    assert!(near(gray(&dark, 15), 0.32768), "three ticks at once");
    let mixed = 0.64 * 0.512 + (1.0 - 0.512);
    assert!(near(gray(&bright, 15), mixed), "drawn again, otherwise");
    for tick in 16..90 {
        gray(&bright, tick);
    }
    assert!(near(gray(&bright, 90), 1.0), "it settles at what is there");
    assert!(near(gray(&dark, 3), 0.0), "earlier: afresh");
}

#[test]
fn reset_forgets() {
    let grid = linear(0.0);
    let console = Console {
        persistence: 0.9,
        ..flat()
    };
    let bright = [look(&grid, |_, _| 1.0)];
    let dark = [look(&grid, |_, _| 0.0)];
    let mut display = display(&bright, &console);
    let mut picture = display.picture();
    display.render(&bright, 0, &mut picture).expect("fits");
    display.reset();
    display.render(&dark, 1, &mut picture).expect("fits");
    assert!(picture.pixels.iter().all(|&gray| gray == 0));
}

#[test]
fn knobs_turned_on_the_way_make_the_same_picture_as_from_the_start() {
    let looks = busy_looks();
    let console = Console {
        gain_db: 5.0,
        tgc_db: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        dynamic_range_db: 45.0,
        reject: 0.1,
        gray_map: GrayMap::Soft,
        persistence: 0.7,
        ..flat()
    };
    let mut display = display(&looks, &flat());
    let mut picture = display.picture();
    display.render(&looks, 0, &mut picture).expect("fits");
    display.adjust(&console, &Compensation::default());
    display.render(&looks, 1, &mut picture).expect("fits");
    assert_eq!(picture, render(&looks, &console));
    // Now it persists, and goes on to when the gain is changed.
    let dark = looks.clone().map(|mut look| {
        look.envelope.fill(0.0);
        look
    });
    let louder = Console {
        gain_db: 6.0,
        ..console
    };
    display.adjust(&louder, &Compensation::default());
    display.render(&dark, 2, &mut picture).expect("fits");
    assert!(picture.pixels.iter().any(|&gray| gray > 100));
}

#[test]
fn compounding_is_the_mean_of_the_looks_that_cover_a_pixel() {
    let (straight, steered) = (linear(0.0), linear(15.0));
    let levels = [0.3, 0.6, 0.9];
    let looks = [
        look(&straight, |_, _| echo_of_level(levels[0])),
        look(&steered, |_, _| echo_of_level(levels[1])),
        look(&linear(-15.0), |_, _| echo_of_level(levels[2])),
    ];
    let picture = render(&looks, &flat());
    let alone = render(&looks[..1], &flat());
    assert_eq!(picture.mask, alone.mask);
    for (i, &mask) in picture.mask.iter().enumerate() {
        let (x, y) = (i % SIZE.width, i / SIZE.width);
        let place = picture.geometry.place_of_pixel(x as f64, y as f64);
        let covering: Vec<f64> = looks
            .iter()
            .zip(levels)
            .filter(|(look, _)| {
                let (line, sample) = exact_beam(&look.grid, place);
                line > -0.5 && line < 63.5 && sample > -0.5 && sample < 99.5
            })
            .map(|(_, level)| level)
            .collect();
        if mask != 0 {
            let mean = covering.iter().sum::<f64>() / covering.len() as f64;
            let gray = f64::from(picture.pixels[i]);
            assert!((gray - 255.0 * mean).abs() < 0.55, "{x} {y} {gray}");
        }
    }
}

/// Looks that make every table and remainder work.
fn busy_looks() -> [Look; 3] {
    [linear(0.0), linear(12.0), linear(-12.0)].map(|grid| {
        look(&grid, |l, s| {
            let mixed = (l * 7919 + s * 104_729) % 1009;
            echo_of_level(mixed as f64 / 1009.0)
        })
    })
}

#[test]
fn any_number_of_threads_makes_the_same_bytes() {
    let looks = busy_looks();
    let console = Console {
        persistence: 0.3,
        ..console()
    };
    let bytes = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        pool.install(|| {
            let mut display = display(&looks, &console);
            let mut picture = display.picture();
            for tick in 0..3 {
                display.render(&looks, tick, &mut picture).expect("fits");
            }
            picture
        })
    };
    let one = bytes(1);
    assert_eq!(one, bytes(2));
    assert_eq!(one, bytes(5));
}

#[test]
fn the_fast_conversion_is_the_plain_one() {
    let looks = busy_looks();
    let mut display = display(&looks, &flat());
    let mut fast = display.picture();
    display.render(&looks, 0, &mut fast).expect("fits");
    let mut plain = display.picture();
    convert::scan_convert_with(
        convert::add_look_plain,
        &display.layout,
        &display.channels,
        &mut plain.pixels,
    );
    assert_eq!(fast, plain);
    assert!(fast.pixels.iter().any(|&gray| gray > 0));
}

#[test]
fn truth_lies_where_the_picture_shows_it() {
    for (name, grid) in all_grids() {
        let mut look = look(&grid, |_, _| 1.0);
        look.truth = (0..grid.lines * grid.samples)
            .map(|i| Truth {
                structure: (i / grid.samples) as u16,
                shadowed_by: (i % grid.samples) as u16,
                path: PathKind::Mirror,
                place_mm: [i as f32, 1.0, 2.0],
            })
            .collect();
        let looks = [look];
        let display = display(&looks, &flat());
        let mut truth = display.empty_truth();
        display
            .truth_picture(0, &looks[0], &mut truth)
            .expect("fits");
        for (i, &mask) in truth.mask.iter().enumerate() {
            let found = truth.get(i).expect("inside");
            if mask == 0 {
                assert_eq!((found.structure, found.path), (0, PathKind::None));
                continue;
            }
            let (x, y) = (i % SIZE.width, i / SIZE.width);
            let place = truth.geometry.place_of_pixel(x as f64, y as f64);
            let (line, sample) = exact_beam(&grid, place);
            let off = (f64::from(found.structure) - line).abs();
            let off = if name == "closed" {
                off.min((64.0 - off).abs())
            } else {
                off
            };
            assert!(off < 0.5001, "{name} {x} {y}: {line} {found:?}");
            assert!((f64::from(found.shadowed_by) - sample).abs() < 0.5001);
            assert_eq!(found.path, PathKind::Mirror);
            let flat = found.structure as usize * grid.samples + found.shadowed_by as usize;
            assert_eq!(found.place_mm[0], flat as f32);
        }
    }
}

#[test]
fn a_frame_of_another_setting_is_refused() {
    let looks = [look(&linear(0.0), |_, _| 1.0)];
    let mut display = display(&looks, &flat());
    let mut picture = display.picture();
    let before = picture.clone();
    let none = DisplayError::Looks {
        expected: 1,
        found: 0,
    };
    assert_eq!(display.render(&[], 0, &mut picture), Err(none));
    let other = [look(&linear(1.0), |_, _| 1.0)];
    let wrong = DisplayError::Grid { look: 0 };
    assert_eq!(display.render(&other, 0, &mut picture), Err(wrong));
    let mut short = looks.clone();
    short[0].envelope.pop();
    let error = display.render(&short, 0, &mut picture).expect_err("short");
    assert_eq!(
        error.to_string(),
        "look 0 should have 6400 samples of envelope, it has 6399"
    );
    let mut truth = display.empty_truth();
    assert!(display.truth_picture(0, &looks[0], &mut truth).is_err());
    assert!(display.truth_picture(1, &looks[0], &mut truth).is_err());
    assert_eq!(picture, before);
}

#[test]
fn odd_grids_and_sizes_show_nothing_but_harm_nothing() {
    let size = |width, height| PictureSize { width, height };
    let mut odd = vec![
        ScanGrid {
            lines: 0,
            ..linear(0.0)
        },
        ScanGrid {
            samples: 0,
            ..linear(0.0)
        },
    ];
    odd.push(ScanGrid {
        pitch: 0.0,
        ..linear(0.0)
    });
    odd.push(ScanGrid {
        sample_mm: f64::NAN,
        ..linear(0.0)
    });
    odd.push(ScanGrid {
        pitch: 0.0,
        ..fan(1.0, 360.0, true)
    });
    odd.push(ScanGrid {
        lines: 1,
        samples: 1,
        ..linear(0.0)
    });
    odd.push(ScanGrid {
        lines: 1,
        ..fan(1.0, 360.0, true)
    });
    for grid in odd {
        for size in [size(0, 0), size(1, 1), size(50, 3)] {
            let looks = [look(&grid, |_, _| 1.0)];
            let grids = [Arc::clone(&looks[0].grid)];
            let mut display = Display::new(&grids, &flat(), Compensation::default(), size);
            let mut picture = display.picture();
            display.render(&looks, 0, &mut picture).expect("fits");
        }
    }
    let mut display = Display::new(&[], &flat(), Compensation::default(), SIZE);
    let mut picture = display.picture();
    display.render(&[], 0, &mut picture).expect("fits");
    assert!(picture.mask.iter().all(|&mask| mask == 0));
}

#[test]
fn a_picture_of_another_display_becomes_one_of_this() {
    let wide = [look(&fan(50.0, 75.0, false), |_, _| 1.0)];
    let straight = [look(&linear(0.0), |_, _| 1.0)];
    let mut picture = render(&wide, &flat());
    let mut display = display(&straight, &flat());
    display.render(&straight, 0, &mut picture).expect("fits");
    assert_eq!(picture, render(&straight, &flat()));
}

#[test]
fn cine_keeps_the_last_pictures_and_steps_through_them() {
    let looks = [look(&linear(0.0), |_, _| 0.0)];
    let mut picture = render(&looks, &flat());
    let mut cine = Cine::new(3);
    assert!(cine.shown().is_none());
    cine.freeze();
    assert!(cine.shown().is_none());
    cine.unfreeze();
    for tick in 0..5 {
        picture.pixels.fill(tick as u8);
        cine.push(tick, &picture);
    }
    let tick = |cine: &Cine| {
        cine.shown()
            .map(|frame| (frame.tick, frame.picture.pixels[0]))
    };
    assert_eq!(cine.frames().len(), 3);
    assert_eq!(tick(&cine), Some((4, 4)));
    cine.step(-1);
    assert!(cine.is_frozen());
    assert_eq!(tick(&cine), Some((3, 3)));
    cine.push(9, &picture);
    cine.step(isize::MIN);
    assert_eq!(tick(&cine), Some((2, 2)));
    cine.step(1);
    assert_eq!(tick(&cine), Some((3, 3)));
    cine.step(isize::MAX);
    assert_eq!(tick(&cine), Some((4, 4)));
    cine.unfreeze();
    cine.push(9, &picture);
    assert_eq!(tick(&cine), Some((9, 4)));
}
