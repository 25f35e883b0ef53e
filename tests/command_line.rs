//! What is built in can be listed; words that make no sense are told as text or as JSON.

use serde_json::Value;

use crate::program::{sonocath, sonocath_json};
use crate::tiny::octahedron_stl;

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

/// The ids of a JSON list.
fn ids(list: &Value) -> Vec<&str> {
    let items = list.as_array().expect("it is a list").iter();
    items
        .map(|item| item["id"].as_str().expect("an id"))
        .collect()
}

/// Each list by its words: an id in it, and what else a person reads in either language.
#[test]
fn what_there_is_can_be_listed() {
    let folder = scratch();
    for (words, id, [en, zh]) in [
        (
            &["probe", "list"][..],
            "C5-2v",
            ["curved array", "凸阵探头"],
        ),
        (&["preset", "list"], "abdomen", ["Abdomen", "腹部"]),
        (
            &["scenario", "list"],
            "first-liver",
            ["First look at the liver", "初探肝脏"],
        ),
        (
            &["patient", "planes", "phantom-torso"],
            "kidney_right_long",
            ["Right kidney, long axis", "右肾"],
        ),
    ] {
        for (language, name) in [("en", en), ("zh", zh)] {
            let run = sonocath(folder.path(), &[words, &["--lang", language]].concat());
            assert_eq!(run.code, 0, "{words:?}: {}", run.err);
            let line = run.out.lines().find(|line| line.starts_with(id));
            let line = line.unwrap_or_else(|| panic!("{id} is not in {}", run.out));
            assert!(line.contains(name), "should say {name}: {line}");
        }
    }
}

#[test]
fn lists_for_programs() {
    let folder = scratch();
    let list = |words: &[&str]| sonocath_json(folder.path(), &[words, &["--json"]].concat());
    let probes = list(&["probe", "list"]);
    assert_eq!(ids(&probes["probes"]).len(), 8);
    let first = &probes["probes"][0];
    assert_eq!(first["id"], "C5-2v");
    assert_eq!(first["kind"], "curved");
    assert_eq!(first["presets"][0], "abdomen");
    let presets = list(&["preset", "list"]);
    assert!(ids(&presets["presets"]).contains(&"plain"));
    assert_eq!(presets["presets"][0]["settings"]["depth_mm"], 160.0);
    let scenarios = list(&["scenario", "list"]);
    assert_eq!(scenarios["scenarios"][0]["patient"], "phantom-torso");
    let planes = list(&["patient", "planes", "phantom-torso"]);
    let plane = &planes["planes"][0];
    assert_eq!(plane["id"], "right_upper_quadrant");
    assert_eq!(
        plane["required"],
        serde_json::json!(["liver", "kidney_right"])
    );
    // A lump that no standard plane goes through.
    std::fs::write(folder.path().join("s.stl"), octahedron_stl(60.0)).unwrap();
    let import = "patient import --mesh s.stl=stomach --unit mm --out s";
    let run = sonocath(folder.path(), &import.split(' ').collect::<Vec<_>>());
    assert_eq!(run.code, 0, "{}", run.err);
    let run = sonocath(folder.path(), &["patient", "planes", "s"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("--pose"), "{}", run.out);
}

#[test]
fn words_that_make_no_sense_are_json_where_json_is_asked_for() {
    let folder = scratch();
    for (words, must_say) in [
        (&["--json", "scann"][..], "'scan'"),
        (&["scan", "--patient", "p", "--json"], "--probe"),
        (&["probe", "list", "--jsn", "--json"], "--jsn"),
        (&["--lang", "fr", "--json", "probe", "list"], "'fr'"),
        (&["--json"], "subcommand"),
        (&["patient", "--json"], "subcommand"),
    ] {
        let run = sonocath(folder.path(), words);
        assert_eq!(run.code, 2, "{words:?}: {}{}", run.out, run.err);
        assert_eq!(run.err, "", "{words:?}");
        let told: Value = serde_json::from_str(&run.out).expect("it is JSON");
        let message = told["error"]["message"].as_str().expect("it has words");
        assert!(message.contains(must_say), "{words:?}: {message}");
        assert!(!message.starts_with("error"), "{message}");
        assert_eq!(told["error"]["faults"], serde_json::json!([]));
    }
    // Without `--json` it stays text, and help is help.
    let run = sonocath(folder.path(), &["scann"]);
    assert_eq!((run.code, &*run.out), (2, ""));
    assert!(run.err.contains("'scan'"), "{}", run.err);
    let run = sonocath(folder.path(), &["scan", "--help", "--json"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("Usage: sonocath scan"), "{}", run.out);
}
