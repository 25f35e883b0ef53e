//! Beams beside closed forms and a peer's measurements.

use anatomy::tissue::DisplayName;
use equipment::{Apodization, Array, Console, Effects, Elevation, Face, GrayMap, Probe, Transmit};

use super::*;
use crate::grid::Shape;

fn probe(array: Array, center_frequency_mhz: f64, bandwidth: f64, elevation: (f64, f64)) -> Probe {
    Probe {
        id: "array".to_owned(),
        name: DisplayName {
            en: "test".into(),
            zh: "test".into(),
        },
        array,
        center_frequency_mhz,
        fractional_bandwidth: bandwidth,
        frequencies_mhz: vec![center_frequency_mhz],
        elevation: Elevation {
            aperture_mm: elevation.0,
            focus_mm: elevation.1,
        },
        face: Face {
            reflectivity: 0.2,
            lens_mm: 1.0,
            lens_speed_m_s: 1000.0,
        },
        depth_range_mm: (10.0, 300.0),
    }
}

/// The probes of PyMUST (`getparam`), after Verasonics.
fn l11() -> Probe {
    let array = Array::Linear {
        elements: 128,
        pitch_mm: 0.3,
        element_width_mm: 0.27,
    };
    probe(array, 7.6, 0.77, (5.0, 18.0))
}

fn c5() -> Probe {
    let array = Array::Curved {
        elements: 128,
        pitch_mm: 0.508,
        element_width_mm: 0.46,
        radius_mm: 49.57,
    };
    probe(array, 3.57, 0.79, (13.5, 60.0))
}

fn p4() -> Probe {
    let array = Array::Phased {
        elements: 64,
        pitch_mm: 0.3,
        element_width_mm: 0.25,
        sector_deg: 90.0,
    };
    probe(array, 2.72, 0.74, (14.0, 60.0))
}

/// Without elevation: the aperture across the scan plane is so small that nothing depends on it.
fn flat(mut probe: Probe) -> Probe {
    probe.elevation.aperture_mm = 0.01;
    probe
}

fn focused(focus_mm: f64, transmit: Option<f64>, receive: Option<f64>) -> Console {
    Console {
        transmit: Transmit::Focused {
            foci_mm: vec![focus_mm],
            f_number: transmit,
        },
        receive_f_number: receive,
        ..console()
    }
}

fn console() -> Console {
    Console {
        depth_mm: 100.0,
        frequency_mhz: None,
        cycles: 1.0,
        transmit: Transmit::PlaneWaves {
            angles_deg: vec![0.0],
        },
        receive_f_number: None,
        apodization: Apodization::Uniform,
        transmit_apodization: Apodization::Uniform,
        lines: 128,
        samples: 1001,
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

fn grid(shape: Shape, lines: usize, pitch: f64, depth_mm: f64) -> ScanGrid {
    ScanGrid {
        shape,
        lines,
        first: -0.5 * (lines - 1) as f64 * pitch,
        pitch,
        samples: 1001,
        sample_mm: depth_mm / 1000.0,
    }
}

const PARALLEL: Shape = Shape::Parallel { steer_rad: 0.0 };

fn fan(radius_mm: f64) -> Shape {
    Shape::Fan {
        radius_mm,
        closed: false,
    }
}

fn widths_at(beam: &Beam, depth_mm: f64) -> [f64; 3] {
    let node = (depth_mm / beam.depth_step_mm).round();
    assert!((node * beam.depth_step_mm - depth_mm).abs() < 1e-9);
    beam.widths_mm[node as usize].map(f64::from)
}

type PeerRows = (&'static str, Probe, Console, ScanGrid, [[f64; 3]; 3]);

fn peers() -> Vec<PeerRows> {
    vec![
        (
            "L11-5v",
            flat(l11()),
            focused(20.0, Some(2.5), Some(1.5)),
            grid(PARALLEL, 41, 0.1, 40.0),
            [
                [10.0, 0.178, 0.437],
                [20.0, 0.179, 0.404],
                [30.0, 0.219, 0.489],
            ],
        ),
        (
            "C5-2v",
            flat(c5()),
            focused(60.0, Some(3.0), Some(2.0)),
            grid(fan(49.57), 41, 0.003, 120.0),
            [
                [30.0, 0.381, 1.251],
                [60.0, 0.403, 1.216],
                [90.0, 0.526, 1.596],
            ],
        ),
        (
            "P4-2v",
            flat(p4()),
            focused(60.0, None, None),
            grid(fan(0.0), 41, 0.005, 160.0),
            [
                [40.0, 0.546, 1.595],
                [60.0, 0.506, 1.804],
                [90.0, 0.582, 3.135],
            ],
        ),
    ]
}

/// Widths as a peer's full simulation gives them (PyMUST 0.1.9, measured by us), within 10 %.
#[test]
fn point_spread_is_the_peers() {
    for (name, probe, console, grid, rows) in peers() {
        let beam = Beam::new(&probe, &console, &grid);
        for [depth_mm, axial_mm, lateral_mm] in rows {
            let [axial, lateral, _] = widths_at(&beam, depth_mm);
            println!("{name} at {depth_mm} mm: axial {axial:.3} mm, lateral {lateral:.3} mm");
            assert_close(axial, axial_mm, 0.1);
            assert_close(lateral, lateral_mm, 0.1);
        }
    }
}

#[track_caller]
fn assert_close(got: f64, wanted: f64, share: f64) {
    assert!(
        (got / wanted - 1.0).abs() < share,
        "{got} instead of {wanted}"
    );
}

/// Lateral −6 dB width without attenuation, mm.
fn lateral_mm(beam: &Beam, grid: &ScanGrid, class: usize, depth_mm: f64) -> f64 {
    let depth = (depth_mm / beam.depth_step_mm).round() as usize;
    let reach_mm = beam.half_lines as f64 * grid.line_distance_mm(depth_mm);
    setting::half_width(beam.near_row(class, 0, depth), reach_mm).expect("it falls to half")
}

/// Two-way width in the focus of like apertures: 0.886 λ F#, λ at the transmit frequency.
#[test]
fn width_in_focus_is_that_of_the_aperture() {
    for (f_mhz, f_number, focus_mm) in [
        (7.6, 2.0, 15.0),
        (7.6, 2.5, 20.0),
        (7.6, 3.0, 30.0),
        (5.0, 2.0, 20.0),
        (5.0, 4.0, 40.0),
        (3.0, 2.0, 30.0),
        (3.0, 4.0, 60.0),
    ] {
        let wavelength_mm = 1.54 / f_mhz;
        let array = Array::Linear {
            elements: (40.0 / (0.5 * wavelength_mm)) as u32,
            pitch_mm: 0.5 * wavelength_mm,
            element_width_mm: 0.45 * wavelength_mm,
        };
        let probe = probe(array, f_mhz, 0.7, (0.01, 30.0));
        let console = Console {
            cycles: 16.0,
            ..focused(focus_mm, Some(f_number), Some(f_number))
        };
        let width_mm = 0.886 * wavelength_mm * f_number;
        let grid = grid(PARALLEL, 41, 0.2 * width_mm, 2.0 * focus_mm);
        let beam = Beam::new(&probe, &console, &grid);
        let got_mm = lateral_mm(&beam, &grid, 0, focus_mm);
        println!("{f_mhz} MHz F{f_number} {focus_mm} mm: {got_mm:.3} / {width_mm:.3} mm");
        assert_close(got_mm, width_mm, 0.1);
    }
}

/// Slice thickness at the lens' focus: 0.886 λ z / h.
#[test]
fn slice_in_focus_is_that_of_the_lens() {
    for (name, probe) in [("L11-5v", l11()), ("C5-2v", c5()), ("P4-2v", p4())] {
        let Elevation {
            aperture_mm,
            focus_mm,
        } = probe.elevation;
        let expected_mm = 0.886 * 1.54 / probe.center_frequency_mhz * focus_mm / aperture_mm;
        for cycles in [16.0, 1.0] {
            let console = Console {
                cycles,
                ..focused(focus_mm, None, None)
            };
            let grid = grid(fan(0.0), 3, 0.01, 2.0 * focus_mm);
            let beam = Beam::new(&probe, &console, &grid);
            let [_, _, got_mm] = widths_at(&beam, focus_mm);
            println!("{name}, {cycles} cycles: slice {got_mm:.3} / {expected_mm:.3} mm");
            if cycles > 1.0 {
                assert_close(got_mm, expected_mm, 0.1);
            }
        }
    }
}

/// Plane waves at angles up to a, added, focus like an aperture of F# = 1 / (2 tan a).
#[test]
fn plane_waves_focus_together() {
    let half_angle_deg = libm::atan(0.25).to_degrees();
    let sines = (-20..=20).map(|i| f64::from(i) / 20.0 * libm::sin(half_angle_deg.to_radians()));
    let console = Console {
        cycles: 16.0,
        transmit: Transmit::PlaneWaves {
            angles_deg: sines.map(|sine| libm::asin(sine).to_degrees()).collect(),
        },
        receive_f_number: Some(2.0),
        ..console()
    };
    let probe = flat(l11());
    let grid = grid(PARALLEL, 41, 0.08, 40.0);
    let beam = Beam::new(&probe, &console, &grid);
    for depth_mm in [10.0, 20.0, 30.0] {
        let width_mm = 0.886 * 1.54 / 7.6 * 2.0;
        assert_close(lateral_mm(&beam, &grid, 0, depth_mm), width_mm, 0.1);
    }
}

#[test]
fn waves_from_far_behind_are_plane() {
    let angles_deg = vec![-6.0, 0.0, 6.0];
    let beam = |transmit| {
        let console = Console {
            transmit,
            receive_f_number: Some(2.0),
            ..console()
        };
        Beam::new(&flat(l11()), &console, &grid(PARALLEL, 9, 0.3, 40.0))
    };
    let plane = beam(Transmit::PlaneWaves {
        angles_deg: angles_deg.clone(),
    });
    let diverging = beam(Transmit::DivergingWaves {
        behind_mm: 1e7,
        angles_deg,
    });
    for (a, b) in plane.lateral.iter().zip(&diverging.lateral) {
        assert!((a - b).norm() < 0.01 * (1.0 + a.norm()), "{a} {b}");
    }
}

/// Elements far apart see again what lies at sin θ = λ / pitch, as well as each of them alone sees
/// it. (So few elements that the pulse outlasts the way from one end to the other.)
#[test]
fn sparse_array_has_a_grating_lobe() {
    let wavelength_mm = 1.54 / 2.72;
    for spread in [1.5, 2.0, 2.5] {
        let array = Array::Phased {
            elements: 6,
            pitch_mm: spread * wavelength_mm,
            element_width_mm: 0.3 * wavelength_mm,
            sector_deg: 90.0,
        };
        let console = Console {
            cycles: 16.0,
            ..focused(60.0, None, None)
        };
        let grid = grid(fan(0.0), 181, 0.5_f64.to_radians(), 120.0);
        let beam = Beam::new(&probe(array, 2.72, 0.7, (0.01, 60.0)), &console, &grid);
        let depth = (60.0 / beam.depth_step_mm).round() as usize;
        let middle = 2 * (grid.lines - 1);
        let row: Vec<f32> = beam.far_row(0, depth).iter().map(|z| z.norm()).collect();
        // Beyond the main lobe and its neighbours; in quarter degrees.
        let lobe = (40..=180)
            .max_by(|&a, &b| row[middle + a].total_cmp(&row[middle + b]))
            .expect("there are angles");
        let angle_deg = 0.25 * lobe as f64;
        let expected_deg = libm::asin(1.0 / spread).to_degrees();
        let height = f64::from(row[middle + lobe]);
        let x = 0.3 * core::f64::consts::PI / spread;
        let one_way = libm::sqrt(1.0 - 1.0 / (spread * spread)) * libm::sin(x) / x;
        println!(
            "pitch {spread} λ: {angle_deg}° / {expected_deg:.2}°, {height:.3} / {:.3}",
            one_way * one_way
        );
        assert!((angle_deg - expected_deg).abs() < 1.5);
        assert_close(height, one_way * one_way, 0.1);
    }
}

/// A strip much narrower than the wavelength sends and receives a round wave.
#[test]
fn later_echoes_have_greater_phases() {
    let array = Array::Linear {
        elements: 1,
        pitch_mm: 0.05,
        element_width_mm: 0.05,
    };
    let console = Console {
        cycles: 16.0,
        ..focused(20.0, None, None)
    };
    let grid = grid(PARALLEL, 41, 0.1, 40.0);
    let beam = Beam::new(&probe(array, 5.0, 0.7, (0.01, 20.0)), &console, &grid);
    let depth = (20.0 / beam.depth_step_mm).round() as usize;
    let row = beam.near_row(0, 0, depth);
    let middle = row.len() / 2;
    for i in 0..=middle {
        let x_mm = i as f64 * 0.1 / beam.steps_per_line as f64;
        let r_mm = libm::hypot(x_mm, 20.0);
        let phase = 2.0 * core::f64::consts::TAU * 5.0 / 1.54 * (r_mm - 20.0);
        let height = libm::pow(20.0 / r_mm, 3.0);
        let expected = Complex::new(height * libm::cos(phase), height * libm::sin(phase));
        for got in [row[middle + i], row[middle - i]] {
            let got = Complex::new(f64::from(got.re), f64::from(got.im));
            assert!((got - expected).norm() < 0.05, "{x_mm}: {got} / {expected}");
        }
    }
}

/// Far field of a round piston, two ways: (2 J1(x)/x)² = ½ at x = k a sin θ = 1.616.
#[test]
fn round_element_has_a_pistons_beam() {
    let array = Array::Rotational {
        element_mm: 0.6,
        radius_mm: 0.5,
        revolutions_per_minute: 1800.0,
        ring_down_mm: 0.0,
    };
    let probe = probe(array, 20.0, 0.5, (0.6, 1e6));
    let console = Console {
        cycles: 16.0,
        ..console()
    };
    let shape = Shape::Fan {
        radius_mm: 0.5,
        closed: true,
    };
    let grid = grid(shape, 512, core::f64::consts::TAU / 512.0, 16.0);
    let beam = Beam::new(&probe, &console, &grid);
    let depth_mm = 10.0;
    let depth = (depth_mm / beam.depth_step_mm).round() as usize;
    let sine = 1.616 * 1.54 / 20.0 / (core::f64::consts::PI * 0.6);
    let expected_mm = 2.0 * depth_mm * libm::tan(libm::asin(sine));
    let [_, lateral, elevation] = beam.widths_mm[depth].map(f64::from);
    println!("lateral {lateral:.3}, elevation {elevation:.3} / {expected_mm:.3} mm");
    assert_close(elevation, expected_mm, 0.05);
    // Along the arc around the axis, which is bent.
    assert_close(lateral, expected_mm, 0.1);
    assert_eq!(beam.classes, 1);
    // The ring closes: 511 lines to the right is one to the left.
    let row = beam.far_row(0, depth);
    let middle = row.len() / 2;
    assert_eq!(row[middle + 2 * 511], row[middle - 2]);
    assert_eq!(row[middle + 2 * 256], Complex::new(0.0, 0.0));
}

/// A line steered by θ sees its aperture foreshortened: the beam is wider by 1 / cos θ.
#[test]
fn steered_lines_are_wider() {
    let wavelength_mm = 1.54 / 2.72;
    let array = Array::Phased {
        elements: 64,
        pitch_mm: 0.5 * wavelength_mm,
        element_width_mm: 0.1 * wavelength_mm,
        sector_deg: 90.0,
    };
    let console = Console {
        cycles: 16.0,
        ..focused(100.0, None, None)
    };
    let grid = grid(fan(0.0), 91, 1.0_f64.to_radians(), 200.0);
    let beam = Beam::new(&probe(array, 2.72, 0.7, (0.01, 60.0)), &console, &grid);
    assert_eq!(beam.classes, 5);
    assert_eq!(beam.class_of_line[45], (0, false));
    assert_eq!(beam.class_of_line[90], (4, false));
    assert_eq!(beam.class_of_line[0], (4, true));
    let straight_mm = lateral_mm(&beam, &grid, 0, 100.0);
    for class in 1..5 {
        let angle = f64::from(class) / 4.0 * 45.0_f64.to_radians();
        let steered_mm = lateral_mm(&beam, &grid, class as usize, 100.0);
        println!(
            "{:.1}°: {:.3}",
            angle.to_degrees(),
            steered_mm / straight_mm
        );
        assert_close(steered_mm, straight_mm / libm::cos(angle), 0.1);
    }
}

#[test]
fn beams_are_alike_on_both_sides() {
    for (_, probe, console, _, _) in peers() {
        let shape = match probe.array {
            Array::Linear { .. } => PARALLEL,
            Array::Curved { radius_mm, .. } => fan(radius_mm),
            _ => fan(0.0),
        };
        let pitch = if shape == PARALLEL { 1.2 } else { 0.04 };
        let grid = grid(shape, 32, pitch, 100.0);
        let beam = Beam::new(&probe, &console, &grid);
        for row in 0..beam.depths {
            let near = beam.near_row(0, 1, row);
            assert!(near.iter().eq(near.iter().rev()));
        }
        for line in 0..16 {
            let [left, right] = [beam.class_of_line[line], beam.class_of_line[31 - line]];
            assert_eq!((left.0, left.1), (right.0, !right.1));
        }
        // Classes hold what they are read as: worked out for the other side, the same mirrored.
        let mut setting = Setting::new(&probe, &console, &grid);
        let right = setting.far_rows();
        for class in &mut setting.classes.list {
            class.u = -class.u;
            class.reach.reverse();
        }
        for (right, left) in right.iter().zip(setting.far_rows()) {
            for (a, b) in right.profile.iter().zip(left.profile.iter().rev()) {
                assert!((a - b).norm() < 2e-3 * (1.0 + a.norm()), "{a} {b}");
            }
        }
    }
}

/// The more a medium swallows, the lower the frequencies that are left, and the wider the beam.
#[test]
fn attenuation_widens_the_beam() {
    let (_, probe, console, grid, _) = peers().swap_remove(0);
    let beam = Beam::new(&probe, &console, &grid);
    let depth = (30.0 / beam.depth_step_mm).round() as usize;
    let widths: Vec<f64> = (0..3)
        .map(|attenuation| {
            setting::half_width(beam.near_row(0, attenuation, depth), 1.0).expect("it falls")
        })
        .collect();
    assert!(widths[0] < widths[1] && widths[1] < widths[2], "{widths:?}");
}

/// A single frequency's beam is the product of its factors: in the focus of both, nothing is to be
/// mended, but for the little that a long pulse's band is wide.
#[test]
fn speckle_of_one_frequency_needs_no_gain() {
    for (name, probe) in [("L11-5v", l11()), ("C5-2v", c5()), ("P4-2v", p4())] {
        let focus_mm = probe.elevation.focus_mm;
        let gain = |cycles: f64| {
            let console = Console {
                cycles,
                ..focused(focus_mm, Some(4.0), Some(4.0))
            };
            let pitch_mm = 0.5 * 1.54 / probe.center_frequency_mhz;
            let grid = grid(PARALLEL, 41, pitch_mm, 2.0 * focus_mm);
            let beam = Beam::new(&probe, &console, &grid);
            let depth = (focus_mm / beam.depth_step_mm).round() as usize;
            [0, 1, 2].map(|attenuation| beam.speckle_gain[attenuation * beam.depths + depth])
        };
        let (long, short) = (gain(64.0), gain(1.0));
        println!("{name}: 64 cycles {long:?}, one cycle {short:?}");
        for gain in long {
            assert_close(f64::from(gain), 1.0, 0.03);
        }
    }
}

/// In the focus of both, a beam is as wide as its wavelength is long, across and along: speckle's
/// power over that of the axis falls with the frequency squared. All frequencies together keep theirs,
/// at every depth.
#[test]
fn speckle_of_low_frequencies_is_stronger() {
    for (name, probe) in [("L11-5v", l11()), ("C5-2v", c5()), ("P4-2v", p4())] {
        let focus_mm = probe.elevation.focus_mm;
        let console = focused(focus_mm, Some(4.0), Some(4.0));
        let pitch_mm = 0.5 * 1.54 / probe.center_frequency_mhz;
        let grid = grid(PARALLEL, 41, pitch_mm, 2.0 * focus_mm);
        let beam = Beam::new(&probe, &console, &grid);
        let count = beam.frequencies_mhz.len();
        let of = |spectrum: &[Complex<f32>], depth: usize| -> Vec<f64> {
            let spectrum = &spectrum[depth * count..(depth + 1) * count];
            spectrum.iter().map(|z| f64::from(z.norm_sqr())).collect()
        };
        for depth in 0..beam.depths {
            let sum = |spectrum| of(spectrum, depth).iter().sum::<f64>();
            assert_close(sum(&beam.speckle_spectrum), sum(&beam.spectrum), 1e-5);
        }
        let depth = (focus_mm / beam.depth_step_mm).round() as usize;
        let axis = of(&beam.spectrum, depth);
        let speckle = of(&beam.speckle_spectrum, depth);
        let peak = axis.iter().copied().fold(0.0, f64::max);
        // −20 dB.
        let inside = (0..count).filter(|&n| axis[n] > 0.01 * peak);
        let scaled: Vec<f64> = inside
            .map(|n| speckle[n] / axis[n] * beam.frequencies_mhz[n].powi(2))
            .collect();
        let mean = scaled.iter().sum::<f64>() / scaled.len() as f64;
        let worst = scaled
            .iter()
            .map(|s| (s / mean - 1.0).abs())
            .fold(0.0, f64::max);
        println!("{name}: worst {worst:.4} of {}", scaled.len());
        for scaled in scaled {
            assert_close(scaled, mean, 0.05);
        }
    }
}

/// However attenuation widens the beam, speckle of a frequency loses no more and no less.
#[test]
fn wider_beams_bring_no_power() {
    for (_, probe, console, grid, _) in peers() {
        let beam = Beam::new(&probe, &console, &grid);
        for depth in 0..beam.depths {
            let power = |attenuation: usize| {
                let row = beam.near_row(0, attenuation, depth);
                let sum: f64 = row.iter().map(|z| f64::from(z.norm_sqr())).sum();
                let ends = f64::from(row[0].norm_sqr() + row[row.len() - 1].norm_sqr());
                let gain = f64::from(beam.speckle_gain[attenuation * beam.depths + depth]);
                (sum - 0.5 * ends) * gain * gain
            };
            assert_close(power(1), power(0), 1e-4);
            assert_close(power(2), power(0), 1e-4);
        }
    }
}

/// Everything is a number, at the face as well, and the scale is as documented.
#[test]
fn tables_are_finite_and_scaled() {
    for (probe, console, grid) in odd_settings() {
        let beam = Beam::new(&probe, &console, &grid);
        let finite = |z: &Complex<f32>| z.re.is_finite() && z.im.is_finite();
        assert!(beam.lateral.iter().all(finite));
        assert!(beam.far_lateral.iter().all(finite));
        assert!(beam.elevation.iter().all(finite));
        assert!(beam.spectrum.iter().all(finite));
        assert!(beam.class_gain.iter().all(|gain| gain.is_finite()));
        assert!(
            beam.speckle_gain
                .iter()
                .all(|&gain| gain > 0.0 && gain.is_finite())
        );
        assert_eq!(beam.speckle_gain.len(), 3 * beam.depths);
        assert!(beam.focal_area_mm2 > 0.0);
        let nodes = 2 * beam.half_lines * beam.steps_per_line + 1;
        assert_eq!(beam.lateral.len(), beam.classes * 3 * beam.depths * nodes);
        let far = beam.classes * beam.depths * (4 * (grid.lines - 1) + 1);
        assert_eq!(beam.far_lateral.len(), far);
        assert_eq!(beam.class_gain.len(), beam.classes * beam.depths);
        assert_eq!(beam.class_of_line.len(), grid.lines);
        assert_eq!(
            beam.spectrum.len(),
            beam.depths * beam.frequencies_mhz.len()
        );
        let focus = (beam.focal_depth_mm / beam.depth_step_mm).round() as usize;
        let count = beam.frequencies_mhz.len();
        let spectrum = &beam.spectrum[focus * count..(focus + 1) * count];
        let step_mhz = beam.frequencies_mhz[1] - beam.frequencies_mhz[0];
        let peak = (-4000..4000)
            .map(|i| echo(spectrum, f64::from(i) / 8000.0 / step_mhz * step_mhz))
            .fold(0.0, f64::max);
        assert_close(peak, 1.0, 0.01);
    }
}

/// The envelope of a spectrum at a time in units of its period.
fn echo(spectrum: &[Complex<f32>], period: f64) -> f64 {
    let mut sum = Complex::new(0.0, 0.0);
    for (n, z) in spectrum.iter().enumerate() {
        let angle = -core::f64::consts::TAU * n as f64 * period;
        sum += Complex::new(f64::from(z.re), f64::from(z.im))
            * Complex::new(libm::cos(angle), libm::sin(angle));
    }
    sum.norm()
}

fn odd_settings() -> Vec<(Probe, Console, ScanGrid)> {
    let ring = Array::Rotational {
        element_mm: 0.6,
        radius_mm: 0.5,
        revolutions_per_minute: 1800.0,
        ring_down_mm: 0.0,
    };
    let closed = Shape::Fan {
        radius_mm: 0.5,
        closed: true,
    };
    let shaded = Console {
        apodization: Apodization::Hann,
        transmit_apodization: Apodization::Tukey { taper: 0.0 },
        cycles: 0.5,
        ..focused(20.0, Some(0.3), Some(0.3))
    };
    let steered = Shape::Parallel { steer_rad: 0.3 };
    let empty = Console {
        transmit: Transmit::Focused {
            foci_mm: Vec::new(),
            f_number: None,
        },
        ..console()
    };
    let mut beside = grid(PARALLEL, 8, 0.3, 40.0);
    beside.first = 15.0;
    vec![
        (l11(), shaded.clone(), grid(PARALLEL, 16, 2.4, 40.0)),
        (l11(), shaded, grid(steered, 16, 2.4, 40.0)),
        (l11(), focused(20.0, Some(2.5), Some(1.5)), beside),
        (l11(), empty, grid(PARALLEL, 1, 0.3, 2.0)),
        (c5(), console(), grid(fan(49.57), 2, 1.3, 160.0)),
        (p4(), console(), grid(fan(0.0), 12, 0.13, 160.0)),
        (
            probe(ring, 30.0, 0.5, (0.6, 3.0)),
            console(),
            grid(closed, 8, core::f64::consts::FRAC_PI_4, 8.0),
        ),
    ]
}

#[test]
fn lines_turned_to_one_side_have_classes_on_both() {
    let steered = Shape::Parallel { steer_rad: 0.2 };
    let grid = grid(steered, 128, 0.3, 40.0);
    let beam = Beam::new(&l11(), &focused(20.0, Some(2.5), Some(1.5)), &grid);
    assert_eq!(beam.classes, 5);
    assert_eq!(beam.class_of_line[64], (0, false));
    assert!(beam.class_of_line.iter().all(|(_, mirrored)| !mirrored));
    assert_ne!(beam.class_of_line[0].0, beam.class_of_line[127].0);
}

#[test]
fn threads_change_nothing() {
    let (_, probe, console, grid, _) = peers().swap_remove(1);
    let beam = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads can be started");
        format!("{:?}", pool.install(|| Beam::new(&probe, &console, &grid)))
    };
    assert_eq!(beam(1), beam(3));
}
