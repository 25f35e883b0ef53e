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

/// The probes of `PyMUST` (`getparam`), after Verasonics.
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

#[test]
#[ignore]
fn table() {
    for (name, probe, console, grid, rows) in peers() {
        let beam = Beam::new(&probe, &console, &grid);
        for [depth, axial, lateral] in rows {
            let [a, l, _] = widths_at(&beam, depth);
            println!(
                "{name} {depth}: axial {a:.3} / {axial:.3} = {:.3}; lateral {l:.3} / {lateral:.3} = {:.3}",
                a / axial,
                l / lateral
            );
        }
    }
}

type PeerRows = (&'static str, Probe, Console, ScanGrid, [[f64; 3]; 3]);

fn peers() -> [PeerRows; 3] {
    [
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
