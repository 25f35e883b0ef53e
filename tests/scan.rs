//! `sonocath scan`: bad input is refused with what, where and how to mend it; good input makes
//! pictures and their truth.

use std::path::Path;

use crate::program::{Run, sonocath};

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

/// Where a scan looks, when everything else about it is right.
const PLANE: [&str; 2] = ["--plane", "liver_transverse"];

/// The words of a scan of the phantom with the curved probe.
fn words<'a>(aim: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let start = ["scan", "--patient", "phantom-torso", "--probe", "C5-2v"];
    [&start[..], &["--out", "s"], aim, more].concat()
}

/// Runs a scan that must fail, and checks what every failure owes a person.
fn refused(folder: &Path, args: &[&str], must_say: &[&str]) -> Run {
    let before = names(folder);
    let run = sonocath(folder, args);
    assert_eq!(run.code, 2, "exit code of {args:?}; {}{}", run.out, run.err);
    assert_eq!(names(folder), before, "something was left behind");
    let told = run
        .err
        .lines()
        .filter(|line| line.starts_with("sonocath: "));
    assert_eq!(told.count(), 1, "one paragraph: {}", run.err);
    for words in must_say {
        assert!(run.err.contains(words), "should say {words:?}: {}", run.err);
    }
    assert!(!run.err.contains("panicked"), "{}", run.err);
    run
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the scratch folder is readable");
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.filter_map(Result::ok).map(name).collect();
    names.sort();
    names
}

#[test]
fn unknown_names_get_the_nearest() {
    let folder = scratch();
    let at = folder.path();
    let patient = [
        "scan",
        "--patient",
        "phantom-torsso",
        "--probe",
        "C5-2v",
        "--out",
        "s",
    ];
    let patient = [&patient[..], &PLANE].concat();
    refused(
        at,
        &patient,
        &["phantom-torsso", "did you mean", "`phantom-torso`"],
    );
    let probe = [
        "scan",
        "--patient",
        "phantom-torso",
        "--probe",
        "C5-2vv",
        "--out",
        "s",
    ];
    let probe = [&probe[..], &PLANE].concat();
    refused(at, &probe, &["C5-2vv", "did you mean `C5-2v`"]);
    let plane = words(&["--plane", "liver_transvers"], &[]);
    refused(
        at,
        &plane,
        &[
            "liver_transvers",
            "did you mean `liver_transverse`",
            "it has ",
            "pelvis_sagittal",
        ],
    );
    let preset = words(&PLANE, &["--preset", "abdomenn"]);
    refused(at, &preset, &["abdomenn"]);
}

#[test]
fn poses_that_are_none() {
    let folder = scratch();
    for (pose, must_say) in [
        ("1,2,3:left", "2 parts"),
        ("1,2:left:posterior", "`1,2` is no place"),
        ("1,nan,3:left:posterior", "`1,nan,3`"),
        ("1,2,3:lefft:posterior", "did you mean `left`"),
        ("1,2,3:left:right", "parallel"),
        ("1,2,3:0,0,0:posterior", "points nowhere"),
        ("1,2,1e7:left:posterior", "millimetres"),
    ] {
        refused(folder.path(), &words(&["--pose", pose], &[]), &[must_say]);
    }
}

#[test]
fn where_the_probe_is_held_is_said_once() {
    let folder = scratch();
    for (aim, must_say) in [
        (&[][..], "--pose"),
        (
            &["--plane", "a", "--pose", "0,0,0:left:posterior"][..],
            "cannot be used with",
        ),
    ] {
        let run = sonocath(folder.path(), &words(aim, &[]));
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains(must_say), "{}", run.err);
    }
}

#[test]
fn a_sweep_with_faults() {
    let folder = scratch();
    let at = folder.path();
    let sweep = words(&["--sweep", "sweep.ron"], &[]);
    refused(at, &sweep, &["sweep.ron", "no such file"]);
    for (text, must_say) in [
        (
            "Sweep(version: 1, poses: [])",
            "sweep.ron:1:26: a sweep needs a pose",
        ),
        (
            "Sweep(version: 1, poses: [Plane(nam: \"x\")])",
            "did you mean `name`",
        ),
        (
            "Sweep(version: 1, poses: [Plane(name: \"kidney_right_lon\")])",
            "did you mean `kidney_right_long`",
        ),
        ("Sweep(version: 2, poses: [])", "version 2"),
    ] {
        std::fs::write(at.join("sweep.ron"), text).unwrap();
        refused(at, &sweep, &["sweep.ron:1:", must_say]);
    }
}

#[test]
fn numbers_out_of_range() {
    let folder = scratch();
    for (more, must_say) in [
        (["--frames", "0"], "from 1 to"),
        (["--frames", "20000"], "from 1 to"),
        (["--size", "9000x9000"], "too large"),
        (["--size", "100x100"], "too small"),
        (["--size", "big"], "no size"),
        (["--size", "1280x-960"], "no size"),
        (["--gel", "-1"], "--gel -1"),
        (["--gel", "nan"], "--gel NaN"),
    ] {
        refused(folder.path(), &words(&PLANE, &more), &[must_say]);
    }
}

#[test]
fn faults_of_settings_and_probe_files_are_told_with_their_places() {
    let folder = scratch();
    let at = folder.path();
    std::fs::write(at.join("set.ron"), "Console(version: 1, gain: 3)").unwrap();
    let settings = words(&PLANE, &["--settings", "set.ron"]);
    refused(at, &settings, &["set.ron:1:21", "did you mean `gain_db`"]);
    std::fs::write(at.join("probe.ron"), "Probe(version: 1, nam: 3)").unwrap();
    let probe = [
        "scan",
        "--patient",
        "phantom-torso",
        "--probe",
        "probe.ron",
        "--out",
        "s",
    ];
    refused(
        at,
        &[&probe[..], &PLANE].concat(),
        &["probe.ron:1:", "`nam`"],
    );
}

#[test]
fn a_folder_that_is_no_scan_stays() {
    let folder = scratch();
    let at = folder.path();
    std::fs::create_dir(at.join("s")).unwrap();
    std::fs::write(at.join("s/thesis.txt"), "years of work").unwrap();
    for more in [&[][..], &["--force"]] {
        refused(at, &words(&PLANE, more), &["--out s", "holds no scan"]);
        assert!(at.join("s/thesis.txt").exists());
    }
}
