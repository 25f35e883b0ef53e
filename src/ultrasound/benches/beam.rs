//! How long it takes to work out the beams of one setting, with all threads of rayon's pool.
//!
//! `cargo bench -p ultrasound --bench beam`.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]

use std::hint::black_box;

use catalog::Format;
use criterion::{Criterion, criterion_group, criterion_main};
use equipment::{Console, Probe};
use ultrasound::beam::Beam;
use ultrasound::grid::{ScanGrid, Shape};

/// Array, band, elevation; console; lines.
struct Setting {
    name: &'static str,
    probe: &'static str,
    console: &'static str,
    shape: Shape,
    width: f64,
    lines: usize,
    depth_mm: f64,
}

const SETTINGS: [Setting; 6] = [
    Setting {
        name: "L11-5v",
        probe: "array: Linear(elements: 128, pitch_mm: 0.3, element_width_mm: 0.27), \
                center_frequency_mhz: 7.6, fractional_bandwidth: 0.77, \
                elevation: (aperture_mm: 5, focus_mm: 18)",
        console: "transmit: Focused(foci_mm: [20], f_number: 2.5), receive_f_number: 1.5",
        shape: Shape::Parallel { steer_rad: 0.0 },
        width: 38.4,
        lines: 128,
        depth_mm: 40.0,
    },
    Setting {
        name: "L12-3v, 5 plane waves",
        probe: "array: Linear(elements: 192, pitch_mm: 0.2, element_width_mm: 0.17), \
                center_frequency_mhz: 7.54, fractional_bandwidth: 0.93, \
                elevation: (aperture_mm: 5, focus_mm: 20)",
        console: "transmit: PlaneWaves(angles_deg: [-10, -5, 0, 5, 10]), receive_f_number: 1.5",
        shape: Shape::Parallel { steer_rad: 0.0 },
        width: 38.4,
        lines: 192,
        depth_mm: 50.0,
    },
    Setting {
        name: "C5-2v",
        probe: "array: Curved(elements: 128, pitch_mm: 0.508, element_width_mm: 0.46, \
                radius_mm: 49.57), center_frequency_mhz: 3.57, fractional_bandwidth: 0.79, \
                elevation: (aperture_mm: 13.5, focus_mm: 60)",
        console: "transmit: Focused(foci_mm: [60], f_number: 3), receive_f_number: 2",
        shape: Shape::Fan {
            radius_mm: 49.57,
            closed: false,
        },
        width: 1.31,
        lines: 128,
        depth_mm: 160.0,
    },
    Setting {
        name: "P4-2v",
        probe: "array: Phased(elements: 64, pitch_mm: 0.3, element_width_mm: 0.25, \
                sector_deg: 90), center_frequency_mhz: 2.72, fractional_bandwidth: 0.74, \
                elevation: (aperture_mm: 14, focus_mm: 60)",
        console: "transmit: Focused(foci_mm: [60]), receive_f_number: None",
        shape: Shape::Fan {
            radius_mm: 0.0,
            closed: false,
        },
        width: 1.57,
        lines: 128,
        depth_mm: 160.0,
    },
    Setting {
        name: "P4-2v, 4 cycles",
        probe: "array: Phased(elements: 64, pitch_mm: 0.3, element_width_mm: 0.25, \
                sector_deg: 90), center_frequency_mhz: 2.72, fractional_bandwidth: 0.74, \
                elevation: (aperture_mm: 14, focus_mm: 60)",
        console: "transmit: Focused(foci_mm: [60]), receive_f_number: None, cycles: 4",
        shape: Shape::Fan {
            radius_mm: 0.0,
            closed: false,
        },
        width: 1.57,
        lines: 128,
        depth_mm: 160.0,
    },
    Setting {
        name: "IVUS",
        probe: "array: Rotational(element_mm: 0.6, radius_mm: 0.5, \
                revolutions_per_minute: 1800), center_frequency_mhz: 30, \
                fractional_bandwidth: 0.5, elevation: (aperture_mm: 0.6, focus_mm: 4)",
        console: "",
        shape: Shape::Fan {
            radius_mm: 0.5,
            closed: true,
        },
        width: core::f64::consts::TAU,
        lines: 256,
        depth_mm: 8.0,
    },
];

impl Setting {
    fn read(&self) -> (Probe, Console, ScanGrid) {
        const PROBE: Format = Format::new("Probe", 1);
        const CONSOLE: Format = Format::new("Console", 1);
        let probe = format!(
            "Probe(version: 1, name: (en: \"{0}\", zh: \"{0}\"), {1}, frequencies_mhz: [], \
             face: (reflectivity: 0.2, lens_mm: 1), depth_range_mm: (1, 400))",
            self.name, self.probe
        );
        let console = format!("Console(version: 1, {})", self.console);
        let grid = ScanGrid {
            shape: self.shape,
            lines: self.lines,
            first: -0.5 * self.width + 0.5 * self.width / self.lines as f64,
            pitch: self.width / self.lines as f64,
            samples: 1024,
            sample_mm: self.depth_mm / 1023.0,
        };
        (
            catalog::read_str(&probe, self.name, &PROBE).expect("it is a probe"),
            catalog::read_str(&console, self.name, &CONSOLE).expect("it is a console"),
            grid,
        )
    }
}

fn bench_beam(c: &mut Criterion) {
    let mut group = c.benchmark_group("beam");
    group.sample_size(10);
    for setting in &SETTINGS {
        let (probe, console, grid) = setting.read();
        group.bench_function(setting.name, |b| {
            b.iter(|| Beam::new(black_box(&probe), black_box(&console), black_box(&grid)));
        });
    }
    group.finish();
}

criterion_group!(benches, bench_beam);
criterion_main!(benches);
