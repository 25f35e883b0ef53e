//! The built-in patient, from folder to picture.

use crate::program::{sonocath, sonocath_json};

#[test]
fn the_phantom_is_made_checked_and_drawn() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let at = folder.path();
    let made = sonocath_json(
        at,
        &["--json", "patient", "make", "phantom-torso", "--out", "p"],
    );
    assert_eq!(made["structures"], 13);

    let check = sonocath_json(at, &["patient", "check", "p", "--json"]);
    assert_eq!(check["sound"], true);
    let liver = structure(&check, "liver");
    // Adult livers hold 1.0 to 1.9 l, kidneys 110 to 190 ml (ICRP Publication 89, 2002).
    assert!(
        (1000.0..1900.0).contains(&liver["volume_ml"].as_f64().unwrap()),
        "{liver}"
    );
    let kidney = structure(&check, "kidney_left");
    assert!(
        (110.0..190.0).contains(&kidney["volume_ml"].as_f64().unwrap()),
        "{kidney}"
    );
    assert_eq!(check["vessels"]["loops"], 0);
    let planes: Vec<&str> = check["planes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|p| p.as_str())
        .collect();
    for wanted in [
        "right_upper_quadrant",
        "pelvis_sagittal",
        "aorta_transverse",
    ] {
        assert!(planes.contains(&wanted), "{planes:?}");
    }

    sonocath_json(at, &["patient", "preview", "p", "--out", "p.png", "--json"]);
    let picture = std::fs::read(at.join("p.png")).unwrap();
    assert_eq!(&picture[1..4], b"PNG");

    // Once more into the same folder: refused, then replaced.
    let again = ["patient", "make", "phantom-torso", "--out", "p"];
    assert_eq!(sonocath(at, &again).code, 2);
    let before = std::fs::read(at.join("p/patient.ron")).unwrap();
    assert_eq!(sonocath(at, &[&again[..], &["--force"]].concat()).code, 0);
    assert_eq!(
        std::fs::read(at.join("p/patient.ron")).unwrap(),
        before,
        "same recipe, same bytes"
    );

    let list = sonocath_json(at, &["patient", "list", "--json"]);
    let built_in = list["built_in"].as_array().unwrap();
    assert!(built_in.iter().any(|entry| entry["id"] == "phantom-torso"));
    assert_eq!(list["folders"].as_array().unwrap().len(), 1);
}

#[test]
fn the_table_speaks_chinese() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let run = sonocath(
        folder.path(),
        &["patient", "check", "phantom-torso", "--lang", "zh"],
    );
    assert_eq!(run.code, 0, "{}", run.err);
    for word in ["结构", "肝脏", "所有结构均合格"] {
        assert!(run.out.contains(word), "{}", run.out);
    }
}

fn structure<'a>(check: &'a serde_json::Value, id: &str) -> &'a serde_json::Value {
    let structures = check["structures"].as_array().expect("a list");
    structures
        .iter()
        .find(|s| s["id"] == id)
        .expect("the phantom has it")
}
