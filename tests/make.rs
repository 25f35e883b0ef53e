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

#[test]
fn a_body_with_findings_tells_of_them_everywhere() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let at = folder.path();
    let make = [
        "patient",
        "make",
        "adult-torso",
        "--set",
        "sex=female",
        "--finding",
        "gallstones:count=4,size_mm=9",
        "--out",
        "p",
        "--json",
    ];
    sonocath_json(at, &make);
    let file = std::fs::read_to_string(at.join("p/patient.ron")).unwrap();
    for name in [
        "\"Adult trunk, woman, BMI 23\"",
        "\"成人躯干，女性，BMI 23\"",
    ] {
        assert!(file.contains(name), "{}", &file[..600]);
    }
    assert!(
        file.contains("gallstones:count=4,size_mm=9"),
        "{}",
        &file[..900]
    );

    let check = sonocath(at, &["patient", "check", "p"]);
    assert_eq!(check.code, 0, "{}", check.err);
    // A person who waits is told what for.
    assert!(
        check.err.contains("surfaces …") && check.err.contains("overlaps …"),
        "{}",
        check.err
    );
    assert!(check.out.contains("encloses ml") && check.out.contains("own ml"));
    let added = check
        .out
        .lines()
        .find(|line| line.starts_with("added by rule"));
    assert!(added.unwrap().contains("Gallstone"), "{added:?}");
    let check = sonocath_json(at, &["patient", "check", "p", "--json"]);
    let skin = structure(&check, "skin");
    let [whole, own] = ["volume_ml", "own_ml"].map(|key| skin[key].as_f64().unwrap());
    assert!(whole > 40_000.0 && own < 5_000.0, "{skin}");
    let stones = structure(&check, "gallstone")["own_ml"].as_f64().unwrap();
    assert!(
        (stones / 1.527 - 1.0).abs() < 0.03,
        "{stones} ml are no 4 of 9 mm"
    );

    // Small as they are, stones are named among what is in view.
    let scan = [
        "scan",
        "--patient",
        "p",
        "--plane",
        "gallbladder_long",
        "--probe",
        "C5-2v",
        "--size",
        "640x480",
        "--out",
        "s",
    ];
    let scan = sonocath(at, &scan);
    assert_eq!(scan.code, 0, "{}", scan.err);
    assert!(scan.out.contains("in view: Gallstone "), "{}", scan.out);

    // A plane that she cannot have is told at once, and why; a misspelt one with the right one.
    for (plane, words) in [
        (
            "prostate_transverse",
            "needs `prostate`: this patient lacks that",
        ),
        ("galbladder_long", "did you mean `gallbladder_long`?"),
    ] {
        let run = sonocath(
            at,
            &[
                "scan",
                "--patient",
                "p",
                "--plane",
                plane,
                "--probe",
                "C5-2v",
                "--out",
                "t",
            ],
        );
        assert_eq!(run.code, 2);
        assert!(run.err.contains(words), "{}", run.err);
    }
}

#[test]
fn what_can_be_set_fits_the_terminal() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for lang in ["en", "zh"] {
        let list = [
            "patient",
            "list",
            "--parameters",
            "adult-torso",
            "--lang",
            lang,
        ];
        let run = sonocath(folder.path(), &list);
        assert_eq!(run.code, 0, "{}", run.err);
        let width = |line: &str| -> usize {
            let wide = |c: char| if c as u32 >= 0x2E80 { 2 } else { 1 };
            line.chars().map(wide).sum()
        };
        for line in run.out.lines() {
            assert!(width(line) <= 80, "{line}");
        }
        assert!(run.out.contains("--set sex=male"), "{}", run.out);
    }
}
