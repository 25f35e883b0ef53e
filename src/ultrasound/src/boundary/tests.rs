//! Against the atlas, and what every sonographer knows.

use super::*;

fn side(id: &str) -> Option<Side<'static>> {
    if id == "outside" {
        return None;
    }
    let entry = Atlas::builtin().structure(id);
    let entry = entry.unwrap_or_else(|| panic!("no structure `{id}`"));
    Some(Side::of(entry, TissueTable::builtin()))
}

fn rule(a: &str, b: &str) -> &'static Rule {
    let found = Boundaries::builtin().rule(side(a), side(b));
    found.unwrap_or_else(|| panic!("no rule for {a} and {b}"))
}

fn layer(a: &str, b: &str) -> &'static Layer {
    let found = Boundaries::builtin().between(side(a), side(b));
    found.unwrap_or_else(|| panic!("no layer between {a} and {b}"))
}

/// Each pair and the rule that is meant for it.
const PAIRS: [(&str, &str, &str); 72] = [
    ("skin", "outside", "entry echo of the skin"),
    ("body", "outside", "entry echo of the skin"),
    ("liver", "outside", "other surfaces"),
    ("skin", "subcutaneous_fat", "under the skin"),
    ("body_fat", "skeletal_muscle", "deep fascia on muscle"),
    (
        "subcutaneous_fat",
        "rectus_abdominis",
        "deep fascia on muscle",
    ),
    (
        "abdominal_wall_muscle",
        "rectus_abdominis",
        "fascia between muscles",
    ),
    (
        "gluteus_maximus_left",
        "gluteus_medius_left",
        "fascia between muscles",
    ),
    (
        "abdominal_wall_muscle",
        "torso_fat",
        "peritoneum and fascia inside the abdominal wall",
    ),
    ("perirenal_fat", "torso_fat", "renal fascia"),
    (
        "subcutaneous_fat",
        "torso_fat",
        "fascia between layers of fat",
    ),
    ("subcutaneous_fat", "body", "fascia under fat"),
    ("iliopsoas_left", "body", "fascia of a muscle"),
    ("rib_right_9", "skeletal_muscle", "periosteum"),
    ("rib_right_9", "lung_lower_lobe_right", "periosteum"),
    ("vertebrae_L1", "vertebrae_L2", "bones among themselves"),
    ("vertebrae_L1", "intervertebral_discs", "periosteum"),
    ("costal_cartilages", "skeletal_muscle", "perichondrium"),
    ("liver", "lung_lower_lobe_right", "diaphragm"),
    ("spleen", "lung_lower_lobe_left", "diaphragm"),
    ("liver", "pleural_effusion", "diaphragm"),
    ("liver", "diaphragm", "face of a diaphragm that is there"),
    (
        "diaphragm",
        "lung_right",
        "pleura on a diaphragm that is there",
    ),
    ("skeletal_muscle", "lung_upper_lobe_left", "pleura"),
    ("body", "lung_upper_lobe_left", "pleura"),
    ("pleural_effusion", "lung_left", "pleura"),
    (
        "pleural_effusion",
        "skeletal_muscle",
        "parietal pleura on fluid",
    ),
    (
        "lung_upper_lobe_left",
        "lung_lower_lobe_left",
        "fissure of the lung",
    ),
    ("heart", "lung_left", "pericardium and pleura"),
    ("heart", "liver", "pericardium"),
    ("heart", "body", "pericardium"),
    ("heart_ventricle_left", "heart_myocardium", "endocardium"),
    ("heart_ventricle_left", "heart", "endocardium"),
    (
        "heart_ventricle_left",
        "aorta",
        "chambers and great vessels",
    ),
    ("heart_atrium_left", "mitral_valve", "heart valve"),
    ("heart", "heart_myocardium", "heart muscle within"),
    ("pericardial_effusion", "heart", "epicardium on fluid"),
    ("pericardial_effusion", "body", "pericardium"),
    (
        "liver",
        "skeletal_muscle",
        "capsule and peritoneum on the abdominal wall",
    ),
    (
        "liver",
        "body",
        "capsule and peritoneum on the abdominal wall",
    ),
    ("liver", "torso_fat", "capsule of liver or spleen"),
    ("spleen", "perirenal_fat", "capsule of liver or spleen"),
    (
        "liver",
        "kidney_right",
        "between liver or spleen and kidney",
    ),
    (
        "spleen",
        "renal_cortex_left",
        "between liver or spleen and kidney",
    ),
    ("liver", "ascites", "capsule on fluid"),
    ("ascites", "skeletal_muscle", "peritoneum on fluid"),
    ("kidney_left", "perirenal_fat", "renal capsule"),
    ("kidney_left", "iliopsoas_left", "renal capsule"),
    (
        "renal_cortex_left",
        "renal_medulla_left",
        "cortex and medulla",
    ),
    (
        "renal_sinus_left",
        "renal_medulla_left",
        "border of the renal sinus",
    ),
    ("kidney_cyst_left", "kidney_left", "wall of a cyst"),
    ("gallbladder", "liver", "gallbladder wall"),
    ("gallbladder", "torso_fat", "gallbladder wall"),
    (
        "gallbladder",
        "gallbladder_wall",
        "mucosa of a wall that is there",
    ),
    (
        "gallbladder_wall",
        "liver",
        "serosa of a wall that is there",
    ),
    (
        "gallstone",
        "gallbladder",
        "stones, clots and calcifications",
    ),
    ("common_bile_duct", "liver", "wall of a bile duct"),
    ("portal_vein", "liver", "portal vein in the liver"),
    (
        "portal_vein_and_splenic_vein",
        "liver",
        "portal vein in the liver",
    ),
    (
        "portal_vein_and_splenic_vein",
        "pancreas",
        "wall of the portal system",
    ),
    ("hepatic_veins", "liver", "hepatic vein"),
    (
        "hepatic_veins",
        "inferior_vena_cava",
        "veins among themselves",
    ),
    ("inferior_vena_cava", "liver", "wall of a caval vein"),
    ("aorta", "body", "wall of the aorta"),
    ("aorta", "inferior_vena_cava", "wall of the aorta"),
    (
        "common_carotid_artery_left",
        "internal_jugular_vein_left",
        "wall of a large artery",
    ),
    ("renal_artery_left", "kidney_left", "wall of an artery"),
    ("renal_vein_left", "aorta", "wall of the aorta"),
    ("urinary_bladder", "prostate", "bladder wall"),
    ("small_bowel", "torso_fat", "wall of the gut"),
    ("bowel_gas", "colon", "gas in the gut"),
    ("pancreas", "stomach", "wall of the gut"),
];

#[test]
fn each_pair_has_its_rule_both_ways() {
    for (a, b, expected) in PAIRS {
        assert_eq!(rule(a, b).name.value, expected, "{a} and {b}");
        assert_eq!(rule(b, a).name.value, expected, "{b} and {a}");
    }
}

/// Every rule decides for at least one pair of the atlas: none is hidden by those before it.
#[test]
fn no_rule_is_in_vain() {
    let entries = Atlas::builtin().structures().iter();
    let mut sides: Vec<_> = entries
        .map(|entry| Some(Side::of(entry, TissueTable::builtin())))
        .collect();
    sides.push(None);
    let mut used = std::collections::BTreeSet::new();
    for a in &sides {
        for b in &sides {
            used.extend(
                Boundaries::builtin()
                    .rule(*a, *b)
                    .map(|rule| rule.name.value.as_str()),
            );
        }
    }
    for rule in Boundaries::builtin().rules() {
        assert!(
            used.contains(rule.name.value.as_str()),
            "`{}`",
            rule.name.value
        );
    }
}

#[test]
fn brightness_is_in_the_order_that_sonographers_know() {
    let order = [
        layer("skeletal_muscle", "lung_left"),
        layer("subcutaneous_fat", "skeletal_muscle"),
        layer("gallbladder", "liver"),
        layer("portal_vein", "liver"),
        layer("inferior_vena_cava", "liver"),
        layer("hepatic_veins", "liver"),
    ];
    for pair in order.windows(2) {
        assert!(pair[0].reflection_db > pair[1].reflection_db, "{pair:?}");
    }
    let diaphragm = layer("liver", "lung_lower_lobe_right");
    assert!(diaphragm.reflection_db > layer("liver", "torso_fat").reflection_db + 10.0);
    assert_eq!(diaphragm.faces, Faces::Two);
    assert_eq!(layer("aorta", "body").faces, Faces::Two);
}

/// At 45° a portal vein still has a bright wall, a hepatic vein none.
#[test]
fn portal_walls_show_from_every_side_and_hepatic_ones_do_not() {
    let (portal, hepatic) = (
        layer("portal_vein", "liver"),
        layer("hepatic_veins", "liver"),
    );
    let oblique = 45_f64.to_radians();
    let db = |layer: &Layer, angle| 20.0 * layer.amplitude(angle).log10();
    assert!(db(portal, 0.0) - db(portal, oblique) < 6.0);
    assert!(db(hepatic, 0.0) - db(hepatic, oblique) > 20.0);
    assert!(db(portal, oblique) - db(hepatic, oblique) > 25.0);
}

#[test]
fn an_echo_is_half_at_its_spread_and_never_below_its_diffuse_part() {
    let layer = layer("liver", "torso_fat");
    let normal = layer.amplitude(0.0);
    assert!((20.0 * normal.log10() - layer.reflection_db).abs() < 1e-9);
    let half = layer.amplitude(layer.spread_deg.to_radians());
    assert!((half / normal - 0.5).abs() < 1e-12);
    let grazing = layer.amplitude(std::f64::consts::FRAC_PI_2);
    assert!((20.0 * (grazing / normal).log10() - layer.diffuse_db).abs() < 1e-9);
    assert_eq!(layer.amplitude(-0.3), layer.amplitude(0.3));
}

#[test]
fn inside_the_same_blood_there_is_no_wall() {
    for (a, b) in [
        ("aorta", "iliac_artery_left"),
        ("portal_vein", "splenic_vein"),
        ("inferior_vena_cava", "heart_atrium_right"),
        ("pulmonary_vein", "heart_atrium_left"),
    ] {
        assert_eq!(
            Boundaries::builtin().between(side(a), side(b)),
            None,
            "{a} and {b}"
        );
    }
}

#[test]
fn between_the_same_nothing_there_is_nothing() {
    assert_eq!(Boundaries::builtin().between(None, None), None);
}

fn faults(rules: &str) -> String {
    let text = format!("Boundaries(\n    version: 1,\n    rules: [\n{rules}\n    ],\n)");
    Boundaries::parse(&text, "mine.ron")
        .unwrap_err()
        .to_string()
}

#[test]
fn unknown_names_are_refused_with_their_place() {
    let text = r#"
        (name: "x", a: Of(structures: ["livr"]), b: Any, layer: None),
        (name: "y", a: Of(tissues: ["fatt"]), b: Of(kinds: [Muscel]), layer: None),"#;
    let message = faults(text);
    for expected in [
        "mine.ron:5:40: structure `livr` is not in structures.ron; did you mean `liver`?",
        "mine.ron:6:37: tissue `fatt` is not in tissues.ron; did you mean `fat`?",
        "mine.ron:6:61:",
        "did you mean `Muscle`?",
    ] {
        assert!(
            message.contains(expected),
            "{expected}\nis not in\n{message}"
        );
    }
}

#[test]
fn empty_sides_and_wild_figures_are_refused() {
    let text = r#"
        (name: "x", a: Of(), b: Any, layer: None),
        (name: "y", a: Any, b: Any,
            layer: (thickness_mm: 0, reflection_db: 3, spread_deg: 20, scatter_db: 0)),"#;
    let message = faults(text);
    for expected in [
        "mine.ron:5:16: `a` of rule `x` is empty",
        "`thickness_mm`: expected a number from 0.01 to 10",
        "`reflection_db`: expected a number from -80 to 0",
    ] {
        assert!(
            message.contains(expected),
            "{expected}\nis not in\n{message}"
        );
    }
}

#[test]
fn no_two_rules_have_the_same_name() {
    let rule = "(name: \"x\", a: Any, b: Any, layer: None),";
    let message = faults(&format!("{rule}\n{rule}"));
    assert!(message.starts_with("mine.ron:5:8: rule `x`"), "{message}");
}

#[test]
fn a_file_is_read_as_the_built_in_text() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/boundaries.ron");
    assert_eq!(&Boundaries::open(path).unwrap(), Boundaries::builtin());
    let missing = Boundaries::open("nowhere.ron").unwrap_err();
    assert!(missing.to_string().contains("nowhere.ron"));
}
