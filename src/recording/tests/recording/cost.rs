//! What recording costs. Figures to read, not a test: `--ignored --nocapture`.

use std::time::Instant;

use recording::{Recorder, Recording};

use crate::samples::{header, steps};

#[test]
#[ignore = "prints figures"]
#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn bytes_and_microseconds_of_a_step() {
    const STEPS: usize = 36_000;
    let steps = steps(STEPS as u64);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.mcap");
    let mut recorder = Recorder::create(&path, &header()).expect("can be begun");
    let part = folder.path().join("a.mcap.part");
    let start = std::fs::metadata(&part).expect("is there").len();
    let began = Instant::now();
    let mut slowest = 0.0_f64;
    for step in &steps {
        let began = Instant::now();
        recorder.step(step).expect("can be recorded");
        slowest = slowest.max(began.elapsed().as_secs_f64());
    }
    let took = began.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&part).expect("is there").len() - start;
    println!("{start} bytes before the first step");
    println!("{:.0} bytes a step", bytes as f64 / STEPS as f64);
    println!("{:.1} µs a step", 1e6 * took / STEPS as f64);
    println!("{:.0} µs the slowest", 1e6 * slowest);
    let began = Instant::now();
    recorder.close().expect("can be closed");
    println!(
        "{:.2} s to close {STEPS} steps",
        began.elapsed().as_secs_f64()
    );
    println!(
        "{} bytes closed",
        std::fs::metadata(&path).expect("is there").len()
    );
    let began = Instant::now();
    Recording::open(&path).expect("is there");
    println!("{:.2} s to read them", began.elapsed().as_secs_f64());
}
