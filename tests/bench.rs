//! `sonocath bench`: every line is a figure with its unit; nothing is asserted about its size.

use crate::program::{sonocath, sonocath_json};

#[test]
fn every_case_is_measured() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let args = [
        "bench",
        "ultrasound",
        "--patient",
        "phantom-points",
        "--seconds",
        "0.001",
    ];
    let args = [&args[..], &["--threads", "2", "--json"]].concat();
    let told = sonocath_json(folder.path(), &args);
    assert_eq!(told["threads"], 2);
    let figures = told["figures"].as_array().unwrap();
    for case in ["c5-2v-abdomen-128x1024", "l11-5v-192x2048", "facts-only"] {
        let of_case = || figures.iter().filter(|figure| figure["case"] == case);
        assert!(
            of_case().any(|figure| figure["unit"] == "frames/s"),
            "{case}"
        );
        assert!(of_case().all(|figure| figure["value"].as_f64().unwrap() >= 0.0));
        let shares = of_case().filter(|figure| figure["unit"] == "%");
        let sum: f64 = shares.map(|figure| figure["value"].as_f64().unwrap()).sum();
        assert!(sum == 0.0 || (sum - 100.0).abs() < 1e-6, "{case}: {sum} %");
    }
    assert!(
        figures
            .iter()
            .any(|figure| figure["unit"] == "ms pose to picture")
    );
}

#[test]
fn numbers_out_of_range() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (more, must_say) in [
        (["--seconds", "0"], "--seconds 0"),
        (["--seconds", "-1"], "--seconds -1"),
        (["--seconds", "nan"], "--seconds NaN"),
        (["--threads", "0"], "--threads 0"),
        (["--threads", "5000"], "--threads 5000"),
        (["--patient", "phantom-torsso"], "did you mean"),
    ] {
        let run = sonocath(
            folder.path(),
            &[&["bench", "ultrasound"][..], &more].concat(),
        );
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains(must_say), "{}", run.err);
    }
}
