//! `sonocath play` and `sonocath score`: a scenario from a script to a score, again from its
//! recording, and what is left when it is killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::program::{Run, sonocath, sonocath_json};

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

/// One plane, found from a little beside it.
const SCENARIO: &str = r#"Scenario(
    version: 1,
    id: "short",
    title: (en: "Short", zh: "短"),
    intro: (en: "Find the kidney.", zh: "找到肾。"),
    patient: "phantom-torso",
    probe: "C5-2v",
    preset: "abdomen",
    start: (plane: "kidney_right_long", across_mm: 8, tilt_deg: 8),
    tasks: [
        Plane(
            id: "kidney",
            plane: "kidney_right_long",
            instruction: (en: "Show it.", zh: "显示。"),
            RULES
        ),
    ],
)"#;

const SCRIPT: &str = r#"Script(version: 1, moves: [
    Hold(s: 0.2),
    To(plane: "kidney_right_long", s: 1, MORE),
    Knob(id: "depth_mm", to: 140),
    Hold(s: 0.1),
    Capture,
    Next,
])"#;

/// A folder with a scenario and a script.
fn written(rules: &str, more: &str) -> tempfile::TempDir {
    let folder = scratch();
    let write = |name: &str, text: String| {
        fs::write(folder.path().join(name), text).expect("the scratch folder is writable");
    };
    write("short.ron", SCENARIO.replace("RULES", rules));
    write("hand.ron", SCRIPT.replace("MORE", more));
    folder
}

const PLAY: [&str; 6] = ["play", "short.ron", "--script", "hand.ron", "--out", "s"];

fn played(folder: &Path) -> Value {
    json(folder, &PLAY)
}

fn json(folder: &Path, args: &[&str]) -> Value {
    sonocath_json(folder, &[args, &["--json"]].concat())
}

fn points(report: &Value) -> f64 {
    report["score"]["points"].as_f64().expect("a number")
}

#[test]
fn a_script_leaves_recording_report_and_pictures_and_scores_the_same_again() {
    let folder = written("", "");
    let at = folder.path();
    let report = played(at);
    assert!(points(&report) >= 90.0, "{report}");
    for name in [
        "recording.mcap",
        "report.html",
        "report.json",
        "task-1-acquired.png",
        "task-1-exemplary.png",
    ] {
        assert!(at.join("s").join(name).is_file(), "{name}");
    }
    // From the recording alone.
    let scored = json(at, &["score", "s/recording.mcap"]);
    assert_eq!(scored["score"], report["score"]);
    // And played again: the same bytes.
    let run = sonocath(
        at,
        &["play", "--replay", "s/recording.mcap", "--out", "again"],
    );
    assert_eq!(run.code, 0, "{}", run.err);
    for name in [
        "task-1-acquired.png",
        "task-1-exemplary.png",
        "recording.mcap",
    ] {
        let bytes = |out: &str| fs::read(at.join(out).join(name)).expect("it was written");
        assert!(bytes("s") == bytes("again"), "{name} differs");
    }
}

#[test]
fn sliding_within_the_plane_costs_nothing_and_units_change_nothing() {
    let still = written("", "");
    let slid = written("", "marker_mm: 7");
    let units = written(
        "rules: (normal_deg: (green: Rad(0.17453292519943295), amber: Deg(20)), \
         offset_mm: (green: Cm(0.5), amber: Cm(1))),",
        "",
    );
    let score = |folder: &tempfile::TempDir| played(folder.path())["tasks"].clone();
    let [still, slid, units] = [score(&still), score(&slid), score(&units)];
    assert_eq!(still, units);
    let items = |score: &Value| -> Vec<(String, f64)> {
        let items = score[0]["items"].as_array().expect("a list");
        let of = |item: &Value| {
            let id = item["id"].as_str().expect("an id").to_owned();
            (id, item["points"].as_f64().expect("a number"))
        };
        items.iter().map(of).collect()
    };
    for ((id, still), (_, slid)) in items(&still).iter().zip(items(&slid)) {
        // How the hand got there is another matter: it went another way, over other skin.
        if !["path", "time", "force"].contains(&id.as_str()) {
            assert_eq!(*still, slid, "{id}");
        }
    }
}

#[test]
fn a_plane_without_what_it_requires_is_never_standard() {
    // Turned away until the kidney is gone.
    let folder = written("", "tilt_deg: 55");
    let report = played(folder.path());
    assert!(points(&report) < 60.0, "{report}");
    let text = report["tasks"][0].to_string();
    assert!(text.contains("idney"), "{text}");
}

#[test]
fn a_killed_session_scores_up_to_its_last_complete_step() {
    let folder = written("", "");
    let at = folder.path();
    let slow = SCRIPT.replace("s: 1, MORE", "s: 60");
    fs::write(at.join("hand.ron"), slow).expect("writable");
    let kills = if std::env::var_os("SONOCATH_TEST_KILLS").is_some() {
        50
    } else {
        4
    };
    for kill in 0..kills {
        let out = format!("k{kill}");
        let args = ["play", "short.ron", "--script", "hand.ron", "--out", &out];
        let mut child = Command::new(env!("CARGO_BIN_EXE_sonocath"))
            .args(args)
            .current_dir(at)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let part = at.join(&out).join("recording.mcap.part");
        wait_for(&part);
        // Different every time, and not at the same place within a step.
        thread::sleep(Duration::from_micros(1 + 37_123 * kill));
        child.kill().expect("it runs");
        child.wait().expect("it ended");
        let recording = format!("{out}/recording.mcap.part");
        let report = json(at, &["score", &recording]);
        assert!(points(&report) < 60.0, "nothing was handed in: {report}");
    }
}

/// Until the file has a step or two.
fn wait_for(part: &PathBuf) {
    for _ in 0..3000 {
        if fs::metadata(part).is_ok_and(|file| file.len() > 40_000) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{} does not grow", part.display());
}

/// Runs a play that must fail and leave nothing.
fn refused(folder: &Path, args: &[&str], must_say: &[&str]) -> Run {
    let run = sonocath(folder, args);
    assert_eq!(run.code, 2, "exit code of {args:?}; {}{}", run.out, run.err);
    for words in must_say {
        assert!(run.err.contains(words), "should say {words:?}: {}", run.err);
    }
    assert!(!run.err.contains("panicked"), "{}", run.err);
    run
}

#[test]
fn bad_scenarios_scripts_and_recordings_are_refused_by_place() {
    let folder = written("", "");
    let at = folder.path();
    let write = |name: &str, text: &str| fs::write(at.join(name), text).expect("writable");
    let wrong = SCENARIO
        .replace("RULES", "")
        .replace("kidney_right_long", "kidney_right_lang");
    write("wrong.ron", &wrong);
    let args = |scenario, script| ["play", scenario, "--script", script, "--out", "bad"];
    refused(
        at,
        &args("wrong.ron", "hand.ron"),
        &[
            "wrong.ron:9:",
            "kidney_right_lang",
            "did you mean `kidney_right_long`",
        ],
    );
    refused(
        at,
        &[
            &args("short.ron", "hand.ron")[..],
            &["--patient", "phantom-cyst"],
        ]
        .concat(),
        &["short.ron:", "kidney_right_long", "kidney_right"],
    );
    write(
        "aside.ron",
        &SCRIPT
            .replace("kidney_right_long", "spleen_long")
            .replace("MORE", ""),
    );
    refused(
        at,
        &args("short.ron", "aside.ron"),
        &["aside.ron:3:", "spleen_long", "kidney_right_long"],
    );
    let knobs = SCRIPT.replace(
        "Capture,",
        r#"Knob(id: "gane_db", to: 3), Knob(id: "gain_db", to: 600),
        By(s: 1, across_mm: 10000), Capture,"#,
    );
    write("knobs.ron", &knobs.replace("MORE", ""));
    refused(
        at,
        &args("short.ron", "knobs.ron"),
        &["knobs.ron:7:", "across_mm", "1000"],
    );
    write(
        "knobs.ron",
        &knobs.replace("MORE", "").replace("10000", "10"),
    );
    refused(
        at,
        &args("short.ron", "knobs.ron"),
        &["knobs.ron:6:", "gane_db", "did you mean `gain_db`", "600"],
    );
    refused(
        at,
        &args("first-livr", "hand.ron"),
        &["first-livr", "did you mean `first-liver`"],
    );
    refused(at, &args("short.ron", "none.ron"), &["none.ron"]);
    write("noise.mcap", "this is no recording");
    refused(at, &["score", "noise.mcap"], &["noise.mcap"]);
    refused(at, &["score", "none.mcap"], &["none.mcap"]);
    assert!(!at.join("bad").exists(), "something was left behind");
    fs::create_dir(at.join("full")).expect("writable");
    write("full/thing", "precious");
    refused(
        at,
        &["play", "short.ron", "--script", "hand.ron", "--out", "full"],
        &["not empty"],
    );
}

#[test]
fn a_replay_of_another_scenario_is_refused() {
    let folder = written("", "");
    let at = folder.path();
    played(at);
    let again = [
        "play",
        "first-liver",
        "--replay",
        "s/recording.mcap",
        "--out",
        "again",
    ];
    refused(at, &again, &["recording of short", "first-liver"]);
    assert!(!at.join("again").exists(), "something was left behind");
}

#[test]
fn a_sessions_folder_is_scored_with_its_pictures() {
    let folder = written("", "");
    let at = folder.path();
    let report = played(at);
    assert_eq!(points(&json(at, &["score", "s"])), points(&report));
    let run = sonocath(at, &["score", "s", "--report", "again.html"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let page = |name: &str| fs::read_to_string(at.join(name)).expect("it was written");
    let pictures = |page: String| page.matches("data:image/png").count();
    assert_eq!(
        pictures(page("again.html")),
        pictures(page("s/report.html"))
    );
    assert_eq!(pictures(page("again.html")), 2);
    // What is no picture is none, and another recording's pictures are not shown.
    fs::write(at.join("s/task-1-acquired.png"), "no picture").expect("writable");
    sonocath(at, &["score", "s", "--report", "again.html"]);
    assert_eq!(pictures(page("again.html")), 1);
    fs::copy(at.join("s/recording.mcap"), at.join("s/other.mcap")).expect("writable");
    sonocath(at, &["score", "s/other.mcap", "--report", "again.html"]);
    assert_eq!(pictures(page("again.html")), 0);
}

#[test]
fn a_truncated_recording_says_so_and_scores() {
    let folder = written("", "");
    let at = folder.path();
    played(at);
    let whole = fs::read(at.join("s/recording.mcap")).expect("it was written");
    for share in [3, 6, 9] {
        let cut = &whole[..whole.len() * share / 10];
        fs::write(at.join("cut.mcap"), cut).expect("writable");
        let run = sonocath(at, &["score", "cut.mcap"]);
        assert!(run.code == 0 || run.code == 2, "{}", run.err);
        assert!(!run.err.contains("panicked"), "{}", run.err);
        assert!(
            run.code == 2 || run.out.contains("broken off"),
            "{}",
            run.out
        );
    }
}
