//! How long a picture takes: 128 lines × 1024 samples to 640 × 640 pixels, on one core and on all.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use equipment::{Apodization, Console, Effects, GrayMap, Transmit};
use nalgebra::Complex;
use ultrasound::display::{Compensation, Display, PictureSize};
use ultrasound::frame::{Look, PathKind, Truth};
use ultrasound::grid::{ScanGrid, Shape};

const SIZE: PictureSize = PictureSize {
    width: 640,
    height: 640,
};

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
        lines: 128,
        samples: 1024,
        width: 1.0,
        center: 0.0,
        steering_deg: 0.0,
        compounding_deg: Vec::new(),
        gain_db: 0.0,
        tgc_db: vec![0.0; 8],
        compensation_db_cm_mhz: 0.0,
        dynamic_range_db: 60.0,
        reject: 0.1,
        gray_map: GrayMap::Contrast,
        persistence: 0.0,
        zoom: None,
        flip_lateral: false,
        flip_axial: false,
        effects: Effects::default(),
    }
}

fn curved() -> ScanGrid {
    let opening = 75.0_f64.to_radians();
    ScanGrid {
        shape: Shape::Fan {
            radius_mm: 49.57,
            closed: false,
        },
        lines: 128,
        first: -opening / 2.0,
        pitch: opening / 127.0,
        samples: 1024,
        sample_mm: 160.0 / 1023.0,
    }
}

/// 38.4 mm across and deep: a linear probe fills the whole picture.
fn linear(steer_deg: f64) -> ScanGrid {
    ScanGrid {
        shape: Shape::Parallel {
            steer_rad: steer_deg.to_radians(),
        },
        lines: 128,
        first: -19.05,
        pitch: 0.3,
        samples: 1024,
        sample_mm: 38.1 / 1023.0,
    }
}

fn look(grid: ScanGrid) -> Look {
    let count = grid.lines * grid.samples;
    let mixed = |i: usize| (i * 7919 % 100_003) as f32 / 100_003.0;
    let truth = Truth {
        structure: 1,
        shadowed_by: 0,
        path: PathKind::Direct,
        place_mm: [1.0, 2.0, 3.0],
    };
    Look {
        grid: Arc::new(grid),
        iq: vec![Complex::new(0.0, 0.0); count],
        envelope: (0..count)
            .map(|i| libm::powf(10.0, -mixed(i) * 4.0))
            .collect(),
        truth: vec![truth; count],
    }
}

fn display(looks: &[Look], console: &Console) -> Display {
    let grids: Vec<_> = looks.iter().map(|look| Arc::clone(&look.grid)).collect();
    Display::new(&grids, console, Compensation::default(), SIZE)
}

fn pictures(criterion: &mut Criterion) {
    let persistent = Console {
        persistence: 0.3,
        ..console()
    };
    let looks = |angles: &[f64]| angles.iter().map(|&a| look(linear(a))).collect::<Vec<_>>();
    let cases = [
        ("curved", vec![look(curved())], console()),
        ("curved_persistent", vec![look(curved())], persistent),
        ("linear", looks(&[0.0]), console()),
        ("linear_3_looks", looks(&[0.0, -12.0, 12.0]), console()),
    ];
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        for (name, looks, console) in &cases {
            let mut display = display(looks, console);
            let mut picture = display.picture();
            let mut tick = 0;
            criterion.bench_function(&format!("{name}/{threads}_threads"), |bencher| {
                pool.install(|| {
                    bencher.iter(|| {
                        tick += 1;
                        display
                            .render(black_box(looks), tick, &mut picture)
                            .expect("fits");
                    });
                });
            });
        }
    }
}

fn others(criterion: &mut Criterion) {
    let looks = [look(curved())];
    let display = display(&looks, &console());
    let mut truth = display.empty_truth();
    criterion.bench_function("truth_curved", |bencher| {
        bencher.iter(|| display.truth_picture(0, black_box(&looks[0]), &mut truth));
    });
    let grids = [Arc::clone(&looks[0].grid)];
    criterion.bench_function("set_up_curved", |bencher| {
        bencher.iter(|| Display::new(black_box(&grids), &console(), Compensation::default(), SIZE));
    });
}

criterion_group!(benches, pictures, others);
criterion_main!(benches);
