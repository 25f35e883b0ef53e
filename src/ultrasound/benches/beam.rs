//! How long the beam of a setting takes to work out: the bar is 200 ms on two cores.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use equipment::{Console, Probe, Transmit};
use ultrasound::beam::Beam;
use ultrasound::grid::ScanGrid;

fn bench_beam(c: &mut Criterion) {
    let mut group = c.benchmark_group("beam");
    group.sample_size(10);
    for probe in Probe::all_builtin() {
        let console = Console::default_for(probe);
        bench_setting(&mut group, &probe.id, probe, &console);
    }
    let probe = Probe::builtin("L12-3v").expect("it is built in");
    let console = Console {
        transmit: Transmit::PlaneWaves {
            angles_deg: vec![-10.0, -5.0, 0.0, 5.0, 10.0],
        },
        ..Console::default_for(probe)
    };
    bench_setting(&mut group, "L12-3v, five plane waves", probe, &console);
    group.finish();
}

fn bench_setting(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    probe: &Probe,
    console: &Console,
) {
    let grid = ScanGrid::new(probe, console, 0.0);
    group.bench_function(name, |b| {
        b.iter(|| black_box(Beam::new(probe, console, &grid)));
    });
}

criterion_group!(benches, bench_beam);
criterion_main!(benches);
