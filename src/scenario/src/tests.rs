use anatomy::Patient;
use anatomy::tissue::TissueTable;
use geometry::Point;
use nalgebra as na;
use proptest::prelude::*;
use recording::{
    Event, Facts, Header, Outcome, PlaneTarget, ProbeState, RequiredStructure, Seen, Step, Target,
};

use super::*;

/// A scenario of one plane with these rules and whatever else is to stand in it.
fn text(rules: &str, tasks: &str) -> String {
    format!(
        r#"Scenario(
    version: 1,
    id: "it",
    title: (en: "It", zh: "它"),
    intro: (en: "Do it", zh: "做"),
    patient: "phantom-torso",
    probe: "C5-2v",
    preset: "abdomen",
    tasks: [
        Plane(
            id: "kidney",
            plane: "kidney_right_long",
            instruction: (en: "Show it", zh: "显示"),
            rules: ({rules}),
        ),
        {tasks}
    ],
)"#
    )
}

fn parsed(rules: &str) -> Scenario {
    Scenario::parse(&text(rules, ""), "it.ron").unwrap()
}

fn told(text: &str) -> String {
    Scenario::parse(text, "it.ron").unwrap_err().to_string()
}

#[test]
fn the_built_in_scenarios_are_sound() {
    for id in Scenario::builtin_ids() {
        let scenario = Scenario::builtin(id).unwrap();
        assert_eq!(scenario.id, id);
        let again = Scenario::parse(&scenario.text, &scenario.source).unwrap();
        assert_eq!(again, scenario);
        assert!(scenario.start.is_some() && scenario.preset.is_for(scenario.probe));
    }
    assert_eq!(Scenario::builtin("nothing"), None);
}

#[test]
fn the_built_in_patients_have_what_the_built_in_scenarios_ask_for() {
    let (atlas, tissues) = (Atlas::builtin(), TissueTable::builtin());
    for scenario in Scenario::builtin_ids().filter_map(Scenario::builtin) {
        let PatientRef::Builtin(recipe) = &scenario.patient else {
            panic!("{}: {:?}", scenario.id, scenario.patient);
        };
        let recipe = Recipe::builtin(recipe).unwrap();
        let patient = recipe.make(atlas, tissues, &anatomy::Silent).unwrap();
        assert_eq!(scenario.check_patient(&patient), Ok(()));
    }
}

#[test]
fn what_a_patient_lacks_is_told_with_its_place() {
    let tasks = r#"Plane(id: "b", plane: "spleen_long", instruction: (en: "-", zh: "-")),
        Plane(id: "c", plane: "portal_vein_long", instruction: (en: "-", zh: "-")),
        Sweep(id: "d", structure: "pancreas", instruction: (en: "-", zh: "-")),"#;
    let recipe = Recipe::builtin("phantom-torso").unwrap();
    let tissues = TissueTable::builtin();
    let patient = recipe
        .make(Atlas::builtin(), tissues, &anatomy::Silent)
        .unwrap();
    let scenario = Scenario::parse(&text("", tasks), "it.ron").unwrap();
    let told = scenario.check_patient(&patient).unwrap_err().to_string();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(
        lines[0].starts_with(
            "it.ron:16:31: patient `Torso phantom` has no plane `spleen_long`, which needs `spleen`, \
             which the patient lacks; expected one of the patient's planes: `right_upper_quadrant`, "
        ),
        "{told}"
    );
    assert!(
        lines[1].contains("needs `portal_vein_and_splenic_vein` or `portal_vein`, which"),
        "{told}"
    );
    assert!(
        lines[2].starts_with("it.ron:18:35: patient `Torso phantom` has no `pancreas`"),
        "{told}"
    );
    // The start is asked for too.
    let kidney = Scenario::builtin("first-kidney").unwrap();
    let told = kidney.check_patient(&Patient::empty("Nobody")).unwrap_err();
    assert_eq!(told.faults().len(), 4, "{told}");
    assert!(
        told.to_string()
            .contains("expected a patient with standard planes")
    );
}

#[test]
fn every_fault_is_told_at_once() {
    let faulty = text(
        "normal_deg: (green: Deg(20), amber: Deg(10)), offset_mm: (green: Deg(5), amber: 10), \
         force_n: (full: (2, 20), none: (3, 30)), visible_share: 2",
        r#"Sweep(id: "kidney", structure: "livr", instruction: (en: "-", zh: "-"), share: 0),
        Plane(id: "b c", plane: "kidney_rigth_long", instruction: (en: "-", zh: "")),"#,
    )
    .replace("C5-2v", "C5-3v")
    .replace("phantom-torso", "phantom-trso")
    .replace("\"abdomen\"", "\"abdomn\"");
    let told = told(&faulty);
    for part in [
        "it.ron:6:14: there is no built-in patient `phantom-trso`",
        "did you mean `phantom-torso`?",
        "or a folder as a path, such as `./phantom-trso`",
        "it.ron:7:12: probe `C5-3v` is not in the built-in probes",
        "it.ron:8:13: preset `abdomn` is not in the built-in presets",
        "`green` is not below `amber`",
        "`Deg` is no unit of a length; expected one of `Mm`, `Cm`",
        "`full` does not lie within `none`",
        "`visible_share`: expected a number from 0.01 to 1, found the number 2",
        "task `kidney` is there twice (first at 11:17)",
        "structure `livr` is not in the atlas; did you mean `liver`?",
        "`share`: expected a number from 0.05 to 1, found the number 0",
        "expected an id of at most 64 letters, digits, `_` and `-`, found the text \"b c\"",
        "plane `kidney_rigth_long` is not in the atlas; did you mean `kidney_right_long`?",
        "expected a text that is not empty, found the text \"\"",
    ] {
        assert!(told.contains(part), "{part}\nnot in\n{told}");
    }
    assert_eq!(told.lines().count(), 13, "{told}");
}

#[test]
fn a_preset_has_to_fit_its_probe() {
    let told = told(&text("", "").replace("C5-2v", "L12-3v"));
    assert!(
        told.starts_with("it.ron:8:13: the settings do not fit the probe"),
        "{told}"
    );
    assert!(told.contains("expected one of"), "{told}");
}

#[test]
fn no_task_is_no_scenario() {
    let whole = text("", "");
    let (head, _) = whole.split_once("tasks:").unwrap();
    let told = told(&format!("{head}tasks: [])"));
    assert_eq!(told, "it.ron:9:12: there is no task");
}

#[test]
fn a_folder_is_looked_for_beside_the_file() {
    let text = text("", "").replace("phantom-torso", "./people/one");
    let scenario = Scenario::parse(&text, "lessons/it.ron").unwrap();
    let folder = scenario.patient_folder().unwrap();
    assert_eq!(folder, Path::new("lessons/./people/one"));
    let scenario = Scenario::parse(&text.replace("./", "/"), "lessons/it.ron").unwrap();
    assert_eq!(scenario.patient_folder().unwrap(), Path::new("/people/one"));
}

#[test]
fn a_file_is_opened_as_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("it.ron");
    std::fs::write(&path, text("", "")).unwrap();
    let scenario = Scenario::open(&path).unwrap();
    assert_eq!(scenario.text, text("", ""));
    assert_eq!(scenario.source, path.display().to_string());
    let told = Scenario::open(folder.path().join("if.ron"))
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("there is no such file") && told.contains("it.ron"),
        "{told}"
    );
}

#[test]
fn the_start_is_shifted_then_turned() {
    let exemplary = target().patient_from_probe;
    let start = Start {
        plane: "kidney_right_long".to_owned(),
        marker_mm: 3.0,
        across_mm: -4.0,
        turn: Turn {
            rotate_deg: 90.0,
            ..Turn::default()
        },
    };
    let begun = start.applied_to(&exemplary);
    let in_exemplary = exemplary.inverse() * hand::face_of(&begun);
    assert!(in_exemplary.distance(&Point::new(3.0, -4.0, 0.0)) < 1e-12);
    let marker = exemplary.inverse() * (begun * Vector::new(1.0, 0.0, 0.0));
    assert!((marker - Vector::new(0.0, 1.0, 0.0)).norm() < 1e-12);
}

fn target() -> PlaneTarget {
    let (lateral, depth) = (na::Vector3::z(), na::Vector3::x());
    PlaneTarget {
        plane: "kidney_right_long".to_owned(),
        center: Point::new(-60.0, 40.0, 0.0),
        lateral: Vector::from_coords(lateral),
        depth: Vector::from_coords(depth),
        patient_from_probe: hand::of_axes(Point::new(-140.0, 40.0, 0.0), lateral, depth),
        depth_mm: 160.0,
        required: vec![RequiredStructure {
            structure: "kidney_right".to_owned(),
            exemplary_mm2: 4000.0,
        }],
    }
}

/// One step: begun, captured and ended with the probe there.
fn recording(start: &Start) -> (Header, Vec<Step>) {
    let header = Header {
        engine: "test".to_owned(),
        scenario: String::new(),
        patient: "phantom-torso".to_owned(),
        patient_digest: 0,
        structures: vec!["kidney_right".to_owned()],
        probe: "C5-2v".to_owned(),
        seed: 0,
        ticks_per_s: 60,
    };
    let seen = Seen {
        structure: 0,
        visible_mm2: 1700.0,
        shadowed_mm2: 0.0,
        new_cells: Vec::new(),
    };
    let target_event = Event::TaskStarted {
        task: 0,
        target: Target::Plane(target()),
    };
    let ended = Event::TaskEnded {
        task: 0,
        outcome: Outcome::Answered,
    };
    let step = Step {
        tick: 0,
        inputs: equipment::Inputs::default(),
        probe: Some(ProbeState {
            patient_from_probe: start.applied_to(&target().patient_from_probe),
            press_mm: 1.0,
            force_n: 5.0,
        }),
        settings: None,
        frozen: false,
        facts: Some(Facts {
            contact: 1.0,
            seen: vec![seen],
        }),
        events: vec![
            target_event,
            Event::Captured {
                task: 0,
                picture: 1,
            },
            ended,
        ],
    };
    (header, vec![step])
}

proptest! {
    /// Whatever is cut out of a good file: a scenario or its faults, never a panic.
    #[test]
    fn a_torn_file_is_refused(from in 0_usize..4000, length in 1_usize..60) {
        let whole = Scenario::builtin("first-liver").unwrap().text;
        let torn: String = whole.chars().take(from).chain(whole.chars().skip(from + length)).collect();
        if let Err(error) = Scenario::parse(&torn, "torn.ron") {
            prop_assert!(error.to_string().starts_with("torn.ron"), "{error}");
        }
    }

    /// The same tolerances in millimetres and degrees, in centimetres and radians, and bare: the
    /// same rules to the last bit, and so the same score of everything.
    #[test]
    fn changing_a_unit_changes_nothing(
        green_mm in 0_u32..8_000, more_mm in 1_u32..8_000,
        green_deg in 0_u32..20_000, more_deg in 1_u32..20_000,
        tilt_deg in -25.0..25.0_f64, across_mm in -12.0..12.0_f64,
    ) {
        let micro = |thousandths: u32| f64::from(thousandths) / 1000.0;
        let (offset, normal) = (
            [micro(green_mm), micro(green_mm + more_mm)],
            [micro(green_deg), micro(green_deg + more_deg)],
        );
        let rules = |length: &dyn Fn(f64) -> String, angle: &dyn Fn(f64) -> String| format!(
            "offset_mm: (green: {}, amber: {}), normal_deg: (green: {}, amber: {})",
            length(offset[0]), length(offset[1]), angle(normal[0]), angle(normal[1]),
        );
        let bare = parsed(&rules(&|mm| format!("{mm:?}"), &|deg| format!("{deg:?}")));
        let named = parsed(&rules(&|mm| format!("Mm({mm:?})"), &|deg| format!("Deg({deg:?})")));
        let other = parsed(&rules(
            &|mm| format!("Cm({:?})", mm / 10.0),
            &|deg| format!("Rad({:?})", deg.to_radians()),
        ));
        prop_assert_eq!(&bare.tasks, &named.tasks);
        prop_assert_eq!(&bare.tasks, &other.tasks);
        let turn = Turn { tilt_deg, ..Turn::default() };
        let start = Start { plane: String::new(), marker_mm: 0.0, across_mm, turn };
        let (header, steps) = recording(&start);
        let score = |scenario: &Scenario| scoring::score(&header, &steps, &scenario.tasks);
        prop_assert_eq!(score(&bare), score(&other));
    }
}
