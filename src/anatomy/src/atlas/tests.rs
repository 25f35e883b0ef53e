//! Against the published label list, anatomy and small files made by hand.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;

fn structure(id: &str) -> &'static StructureEntry {
    let atlas = Atlas::builtin();
    atlas
        .structure(id)
        .unwrap_or_else(|| panic!("no structure `{id}`"))
}

/// The folder of real anatomy, or none with a note; with CI=true it must be there.
fn real_anatomy(test: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/anatomy");
    let given = std::env::var_os("SONOCATH_TEST_ANATOMY");
    let folder = given.map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "no real anatomy at {}", folder.display());
    println!("skipped {test}: no real anatomy at {}", folder.display());
    None
}

#[test]
fn every_label_of_the_published_scheme_is_known() {
    let Some(folder) = real_anatomy("every_label_of_the_published_scheme_is_known") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("ct-abdomen/label-names.json")).unwrap();
    let names: BTreeMap<u16, String> = serde_json::from_str(&text).unwrap();
    assert_eq!(names.len(), 117);
    for name in names.values() {
        structure(name);
    }
}

#[test]
fn the_phantom_and_the_visible_human_are_known() {
    let ids = "skin subcutaneous_fat body soft_tissue skeletal_muscle liver kidney_left kidney_right \
        gallbladder aorta inferior_vena_cava spine rib_right_10 rib_right_11 urinary_bladder uterus \
        heart heart_atrium_left heart_ventricle_left heart_atrium_right heart_ventricle_right \
        trachea spleen pancreas renal_cortex_left renal_medulla_right portal_vein";
    for id in ids.split_whitespace() {
        structure(id);
    }
}

#[test]
fn priorities_go_up_the_ladder() {
    let ladder = [
        "skin",
        "body",
        "subcutaneous_fat",
        "skeletal_muscle",
        "vertebrae_L1",
        "liver",
        "inferior_vena_cava",
        "portal_vein_and_splenic_vein",
        "aorta",
        "gallbladder",
        "thrombus",
        "vascular_calcification",
    ];
    for pair in ladder.windows(2) {
        let (below, above) = (structure(pair[0]), structure(pair[1]));
        assert!(
            below.priority < above.priority,
            "{} over {}",
            below.id,
            above.id
        );
    }
    let nested = [
        ("kidney_left", "renal_cortex_left"),
        ("renal_cortex_left", "renal_medulla_left"),
        ("renal_medulla_left", "renal_sinus_left"),
        ("renal_sinus_left", "kidney_stone"),
        ("heart", "heart_myocardium"),
        ("heart_myocardium", "heart_ventricle_left"),
        ("heart_ventricle_left", "papillary_muscles"),
        ("urinary_bladder_wall", "urinary_bladder"),
        ("vertebrae_T12", "spinal_cord"),
        ("skull", "brain"),
        ("vessel_wall", "aorta"),
        ("stomach", "stomach_gas"),
    ];
    for (outer, inner) in nested {
        assert!(
            structure(outer).priority < structure(inner).priority,
            "{inner} in {outer}"
        );
    }
}

#[test]
fn left_and_right_are_alike() {
    for left in Atlas::builtin().structures() {
        let Some(right) = Atlas::builtin().structure(&left.id.replace("left", "right")) else {
            continue;
        };
        let is_lung_lobe_or_heart =
            left.id.starts_with("heart_") || left.id.starts_with("coronary");
        if is_lung_lobe_or_heart || left.id == right.id {
            continue;
        }
        assert_eq!(
            (left.tissue, left.kind),
            (right.tissue, right.kind),
            "{}",
            left.id
        );
        assert_eq!(
            (left.color, left.priority),
            (right.color, right.priority),
            "{}",
            left.id
        );
        assert_eq!(
            left.name
                .en
                .replace("Left", "Right")
                .replace("left", "right"),
            right.name.en
        );
        assert_eq!(left.name.zh.replace('左', "右"), right.name.zh);
    }
}

#[test]
fn no_two_structures_have_the_same_name() {
    let structures = Atlas::builtin().structures();
    let en: BTreeSet<&str> = structures.iter().map(|s| s.name.en.as_str()).collect();
    let zh: BTreeSet<&str> = structures.iter().map(|s| s.name.zh.as_str()).collect();
    assert_eq!((en.len(), zh.len()), (structures.len(), structures.len()));
}

#[test]
fn blood_runs_in_vessels_and_arteries_differ_from_veins() {
    let blood = TissueTable::builtin().id("blood").unwrap();
    let vessels = Atlas::builtin()
        .structures()
        .iter()
        .filter(|s| s.kind.is_vessel());
    for vessel in vessels {
        assert_eq!(vessel.tissue, blood, "{}", vessel.id);
    }
    let [red, _, blue] = structure("aorta").color;
    assert!(red > blue);
    let [red, _, blue] = structure("inferior_vena_cava").color;
    assert!(blue > red);
    let upwards = Flow {
        inlet: Direction::Inferior,
        outlet: Direction::Superior,
    };
    assert_eq!(structure("inferior_vena_cava").flow, Some(upwards));
}

/// Cut through the abdomen, neighbours must look different (CIE 1976 difference of 8 or more).
#[test]
fn organs_that_touch_can_be_told_apart() {
    let touching = "liver spleen pancreas kidney_left adrenal_gland_left stomach duodenum small_bowel \
        colon gallbladder urinary_bladder aorta inferior_vena_cava portal_vein_and_splenic_vein \
        vertebrae_L1 iliopsoas_left autochthon_left heart lung_lower_lobe_left esophagus \
        subcutaneous_fat body skeletal_muscle prostate";
    let shown: Vec<_> = touching.split_whitespace().map(structure).collect();
    for (index, a) in shown.iter().enumerate() {
        for b in &shown[index + 1..] {
            let difference = color_difference(a.color, b.color);
            assert!(difference > 8.0, "{} and {}: {difference:.1}", a.id, b.id);
        }
    }
}

/// Distance in CIE L*a*b* under daylight (D65).
fn color_difference(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (lab(a), lab(b));
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
}

fn lab(srgb: [u8; 3]) -> [f64; 3] {
    let [r, g, b] = srgb.map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    let curve = |t: f64| {
        if t > 0.008856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    };
    let x = curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
    let y = curve(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[test]
fn a_liver_in_the_wrong_unit_is_caught() {
    let liver = structure("liver");
    assert!(liver.check_longest(204.0).is_ok());
    assert!(
        liver.check_longest(30.0).is_ok(),
        "cut by the edge of a scan"
    );
    let error = liver.check_longest(1700.0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "structure `liver` is 1700.0 mm long, where 10 to 350 mm are plausible; is the file in \
         another unit than millimetres?"
    );
    assert!(
        liver.check_longest(0.2).is_err(),
        "metres taken for millimetres"
    );
    assert!(liver.check_longest(f64::NAN).is_err());
    for s in Atlas::builtin().structures() {
        assert!(s.longest_mm.1 <= 2100.0, "{}", s.id);
    }
}

fn planes_of(present: &str) -> Vec<&'static str> {
    let present: BTreeSet<&str> = present.split_whitespace().collect();
    let fitted = Atlas::builtin().planes_for(|id| present.contains(id));
    fitted.iter().map(|plane| plane.entry.id.as_str()).collect()
}

#[test]
fn the_phantom_has_its_planes_and_no_others() {
    let planes = planes_of(
        "skin subcutaneous_fat skeletal_muscle liver kidney_left kidney_right gallbladder aorta \
         inferior_vena_cava spine rib_right_10 rib_right_11 urinary_bladder",
    );
    let expected = [
        "right_upper_quadrant",
        "pelvis_sagittal",
        "pelvis_transverse",
        "liver_transverse",
        "liver_aorta_sagittal",
        "liver_ivc_sagittal",
        "liver_kidney_sagittal",
        "gallbladder_long",
        "gallbladder_short",
        "gallbladder_kidney_oblique",
        "kidney_right_long",
        "kidney_right_short",
        "kidney_left_long",
        "kidney_left_short",
        "aorta_sagittal",
        "aorta_transverse",
    ];
    assert_eq!(planes, expected);
    assert!(planes_of("skin brain").is_empty());
}

#[test]
fn fast_and_the_abdominal_survey_are_complete() {
    let of = |exam| {
        Atlas::builtin()
            .planes()
            .iter()
            .filter(|p| p.exams.contains(&exam))
            .count()
    };
    assert_eq!(of(Exam::Fast), 5);
    assert!(of(Exam::AbdominalSurvey) >= 14);
    assert_eq!(of(Exam::FocusedCardiac), 5);
}

#[test]
fn a_rule_follows_the_member_of_a_group_that_is_there() {
    let plane = Atlas::builtin().plane("portal_vein_long").unwrap();
    let rule_with = |portal: &str| {
        let fitted = plane.fit(|id| id == "liver" || id == portal)?;
        assert_eq!(fitted.required, ["liver", portal]);
        Some(fitted.rule)
    };
    for portal in ["portal_vein_and_splenic_vein", "portal_vein"] {
        let expected = PlaneRule::LongAxis {
            of: portal.to_owned(),
        };
        assert_eq!(rule_with(portal), Some(expected));
    }
    assert_eq!(rule_with("splenic_vein"), None);
}

#[test]
fn optional_structures_are_those_that_are_there() {
    let plane = Atlas::builtin().plane("right_upper_quadrant").unwrap();
    let has = |id: &str| ["liver", "kidney_right", "ascites"].contains(&id);
    assert_eq!(plane.fit(has).unwrap().optional, ["ascites"]);
}

const STRUCTURE: &str = r#"(id: "liver", name: (en: "Liver", zh: "肝脏"), tissue: "liver",
kind: Organ, priority: 50, longest_mm: (10, 350))"#;
const PLANE: &str = r#"(id: "p", name: (en: "P", zh: "面"), exams: [Fast], required: ["liver"],
rule: LongAxis(of: "liver"), approach: Anterior, marker: Superior)"#;

fn faults_of(structures: &str, planes: &str) -> Vec<String> {
    let structures = format!("Structures(version: 1, structures: [\n{structures}])");
    let planes = format!("Planes(version: 1, planes: [\n{planes}])");
    let tissues = TissueTable::builtin();
    match Atlas::parse((&structures, "s.ron"), (&planes, "p.ron"), tissues) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

fn only_fault(structures: &str, planes: &str) -> String {
    let faults = faults_of(structures, planes);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults.concat()
}

#[test]
fn a_small_atlas_reads() {
    assert_eq!(faults_of(STRUCTURE, PLANE), Vec::<String>::new());
}

#[test]
fn unknown_tissues_and_structures_are_reported_with_the_nearest() {
    let tissue = only_fault(
        &STRUCTURE.replace("tissue: \"liver\"", "tissue: \"livr\""),
        PLANE,
    );
    let expected = "s.ron:2:54: tissue `livr` is not in tissues.ron; did you mean `liver`?";
    assert_eq!(tissue, expected);
    let structure = only_fault(
        STRUCTURE,
        &PLANE.replace("[\"liver\"]", "[\"liver\", \"livver\"]"),
    );
    assert!(
        structure.starts_with("p.ron:2:72: structure `livver` is not in s.ron"),
        "{structure}"
    );
    assert!(structure.ends_with("did you mean `liver`?"), "{structure}");
}

#[test]
fn a_rule_about_what_is_not_required_is_reported() {
    let second = STRUCTURE.replace("id: \"liver\"", "id: \"spleen\"");
    let structures = format!("{STRUCTURE},\n{second}");
    let planes = PLANE.replace("of: \"liver\"", "of: \"spleen\"");
    let fault = only_fault(&structures, &planes);
    assert!(
        fault.starts_with("p.ron:3:7: the rule speaks of `spleen`"),
        "{fault}"
    );
}

#[test]
fn planes_that_cannot_be_are_reported() {
    let along = PLANE.replace(
        "LongAxis(of: \"liver\")",
        "Spanned(through: \"liver\", by: Posterior)",
    );
    assert!(only_fault(STRUCTURE, &along).contains("looks along the direction"));
    let same = "Through(first: \"liver\", second: \"liver\", third: \"liver\")";
    let point = PLANE.replace("LongAxis(of: \"liver\")", same);
    assert!(only_fault(STRUCTURE, &point).contains("three structures"));
    let beyond = PLANE.replace(
        "LongAxis(of: \"liver\")",
        "ShortAxis(of: \"liver\", at: 1.5)",
    );
    assert!(only_fault(STRUCTURE, &beyond).contains("from 0 to 1"));
    let unasked = PLANE.replace("[Fast]", "[]");
    assert!(only_fault(STRUCTURE, &unasked).contains("no exam"));
    let rule = PLANE.replace("LongAxis", "LongAxes");
    assert!(only_fault(STRUCTURE, &rule).contains("did you mean `LongAxis`?"));
    let twice = PLANE.replace("[\"liver\"]", "[\"liver\", \"liver\"]");
    assert!(only_fault(STRUCTURE, &twice).contains("twice"));
}

#[test]
fn all_faults_of_a_file_come_at_once() {
    let bad = STRUCTURE
        .replace("Organ", "Orgn")
        .replace("priority: 50", "priority: -3")
        .replace("(10, 350)", "(350, 10)");
    let faults = faults_of(&format!("{STRUCTURE},\n{bad}"), PLANE);
    assert_eq!(faults.len(), 4, "{faults:#?}");
    assert!(
        faults[0].contains("structure `liver` is there twice"),
        "{}",
        faults[0]
    );
    assert!(faults[1].contains("did you mean `Organ`?"), "{}", faults[1]);
    assert!(faults[2].contains("from 0 to 100"), "{}", faults[2]);
    assert!(
        faults[3].contains("the least is not below the most"),
        "{}",
        faults[3]
    );
}

#[test]
fn the_shipped_files_open_from_their_folder() {
    let assets = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets");
    let open = |file| format!("{assets}/{file}");
    let tissues = TissueTable::open(open("tissues.ron")).unwrap();
    let atlas = Atlas::open(open("structures.ron"), open("planes.ron"), &tissues).unwrap();
    assert_eq!(&atlas, Atlas::builtin());
    let missing = TissueTable::open(open("tisues.ron")).unwrap_err();
    assert!(missing.to_string().contains("tisues.ron"), "{missing}");
}
