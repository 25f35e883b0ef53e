//! Imports of real and of small made-up patients.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::looks::the_real_kidney_looks_as_it_did;
use crate::program::{real_anatomy, sonocath, sonocath_json};
use crate::tiny::{ball_labels, octahedron_stl, write_gz};

/// Volume of each structure in a check's output, ml.
fn volumes(check: &Value) -> BTreeMap<&str, f64> {
    let structures = check["structures"].as_array().expect("a list");
    structures
        .iter()
        .map(|s| {
            (
                s["id"].as_str().expect("a name"),
                s["volume_ml"].as_f64().expect("a number"),
            )
        })
        .collect()
}

/// A landmark's place in a check's output: left, posterior, superior, mm.
fn landmark(check: &Value, id: &str) -> [f64; 3] {
    let landmarks = check["landmarks"].as_array().expect("a list");
    let found = landmarks
        .iter()
        .find(|l| l["id"] == id)
        .unwrap_or_else(|| panic!("no {id}"));
    std::array::from_fn(|axis| found["at_mm"][axis].as_f64().expect("a number"))
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

#[test]
fn a_ball_of_labels_keeps_its_volume() {
    let folder = scratch();
    let at = folder.path();
    let bytes = ball_labels();
    write_gz(&at.join("ball.nii.gz"), &bytes);
    let imported = sonocath(
        at,
        &["patient", "import", "--labels", "ball.nii.gz", "--out", "p"],
    );
    assert_eq!(imported.code, 0, "{}", imported.err);
    let check = sonocath_json(at, &["patient", "check", "p", "--json"]);
    let voxels = bytes[352..].iter().filter(|&&v| v == 5).count();
    let voxel_ml = 0.064;
    let truth = voxels as f64 * voxel_ml;
    assert!(
        (volumes(&check)["liver"] / truth - 1.0).abs() < 0.01,
        "{check}"
    );
}

#[test]
fn names_come_from_a_file_or_are_ignored() {
    let folder = scratch();
    let at = folder.path();
    let mut bytes = ball_labels();
    bytes[352 + 100] = 203;
    write_gz(&at.join("odd.nii.gz"), &bytes);
    std::fs::write(at.join("names.json"), r#"{"5": "spleen", "pancreas": 203}"#).unwrap();
    let base = [
        "patient",
        "import",
        "--labels",
        "odd.nii.gz",
        "--out",
        "p",
        "--json",
    ];
    let named = sonocath_json(at, &[&base[..], &["--names", "names.json"]].concat());
    assert_eq!(
        named["structures"],
        serde_json::json!(["spleen", "pancreas"])
    );
    let ignored = sonocath_json(
        at,
        &[&base[..], &["--force", "--ignore-label", "203"]].concat(),
    );
    assert_eq!(ignored["structures"], serde_json::json!(["liver"]));
}

#[test]
fn an_open_surface_is_repaired_on_request() {
    let folder = scratch();
    let at = folder.path();
    let stl = octahedron_stl(60.0);
    let first_facet = stl.find("endfacet\n").unwrap() + "endfacet\n".len();
    std::fs::write(
        at.join("open.stl"),
        format!("solid o\n{}", &stl[first_facet..]),
    )
    .unwrap();
    let args = [
        "patient",
        "import",
        "--mesh",
        "open.stl=liver",
        "--repair",
        "--out",
        "p",
    ];
    let run = sonocath(at, &args);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("repaired"), "{}", run.out);
    let check = sonocath_json(at, &["patient", "check", "p", "--json"]);
    // An octahedron of radius r holds 4/3 r³; the missing facet may be closed a little off flat.
    let truth = 4.0 / 3.0 * 60.0_f64.powi(3) / 1000.0;
    assert!(
        (volumes(&check)["liver"] / truth - 1.0).abs() < 0.05,
        "{check}"
    );
}

#[test]
fn the_real_ct_becomes_a_sound_patient() {
    let Some(anatomy) = real_anatomy("the_real_ct_becomes_a_sound_patient") else {
        return;
    };
    let folder = scratch();
    let at = folder.path();
    let ct = anatomy.join("ct-abdomen");
    let (labels, scan) = (ct.join("labels.nii.gz"), ct.join("ct.nii.gz"));
    let args = [
        "patient",
        "import",
        "--labels",
        text(&labels),
        "--ct",
        text(&scan),
        "--no-enrich",
        "--out",
        "p",
        "--json",
    ];
    let imported = sonocath_json(at, &args);
    let ids = imported["structures"].as_array().unwrap();
    assert_eq!(
        ids.len(),
        65,
        "61 labels, skin, fat, lean tissue, bowel gas"
    );

    let check = sonocath_json(at, &["patient", "check", "p", "--json"]);
    assert_eq!(check["sound"], true, "{check:#}");
    // Voxel counts of the label map times 27 mm³, counted with nibabel.
    let volumes = volumes(&check);
    let truth = [
        ("liver", 1125.684),
        ("spleen", 261.036),
        ("kidney_right", 192.618),
        ("gallbladder", 35.613),
        ("aorta", 49.653),
        ("inferior_vena_cava", 61.182),
        ("pancreas", 18.765),
        ("urinary_bladder", 479.412),
        ("vertebrae_L3", 66.042),
        ("rib_left_9", 5.292),
        ("rib_left_11", 6.21),
        ("costal_cartilages", 62.775),
    ];
    for (id, ml) in truth {
        assert!(
            (volumes[id] / ml - 1.0).abs() < 0.03,
            "{id}: {} ml, voxels {ml} ml",
            volumes[id]
        );
    }
    assert_eq!(
        check["vessels"]["loops"], 0,
        "these vessels are trees: {}",
        check["vessels"]
    );
    // Left is +x, back is +y, head is +z.
    let place = |id: &str| landmark(&check, id);
    assert!(
        place("liver_center")[0] < place("spleen_center")[0],
        "the liver lies on the right"
    );
    assert!(place("kidney_right_center")[0] < place("kidney_left_center")[0]);
    assert!(place("vertebrae_L3_center")[1] > place("urinary_bladder_center")[1]);
    assert!(place("vertebrae_L1_center")[2] > place("vertebrae_L5_center")[2]);
    for side in ["left", "right"] {
        let upper = place(&format!("kidney_{side}_upper_pole"));
        assert!(
            upper[2] > place(&format!("kidney_{side}_lower_pole"))[2] + 60.0,
            "{side}"
        );
    }
    let planes = check["planes"].as_array().unwrap();
    assert!(
        planes.iter().any(|p| p == "liver_kidney_sagittal"),
        "{planes:?}"
    );
    sonocath_json(at, &["patient", "preview", "p", "--out", "p.png", "--json"]);
    the_real_kidney_looks_as_it_did(&at.join("p"));
}

#[test]
fn the_real_ct_gains_what_it_does_not_hold() {
    let Some(anatomy) = real_anatomy("the_real_ct_gains_what_it_does_not_hold") else {
        return;
    };
    let folder = scratch();
    let at = folder.path();
    let ct = anatomy.join("ct-abdomen");
    let (labels, scan) = (ct.join("labels.nii.gz"), ct.join("ct.nii.gz"));
    let (labels, scan) = (text(&labels), text(&scan));
    let args = [
        "patient", "import", "--labels", labels, "--ct", scan, "--out", "p", "--json",
    ];
    let imported = sonocath_json(at, &args);
    let modelled = imported["modelled"].as_array().unwrap();
    for id in [
        "renal_medulla_left",
        "renal_medulla_right",
        "renal_sinus_left",
        "renal_sinus_right",
        "gallbladder_wall",
        "urinary_bladder_wall",
        "stomach_wall",
        "bowel_wall",
        "perirenal_fat",
    ] {
        assert!(
            modelled.iter().any(|other| other == id),
            "{id}: {modelled:?}"
        );
    }
    let check = sonocath_json(at, &["patient", "check", "p", "--json"]);
    assert_eq!(check["sound"], true, "{check:#}");
    let marked = check["structures"].as_array().unwrap().iter();
    let marked = marked.filter(|s| s["modelled"] == true).count();
    assert_eq!(marked, modelled.len());
    // Voxel counts of the label map times 27 mm³: made anew, the organs keep their volume.
    let volumes = volumes(&check);
    for (id, ml) in [
        ("liver", 1125.684),
        ("spleen", 261.036),
        ("kidney_right", 192.618),
        ("gallbladder", 35.613),
        ("aorta", 49.653),
        ("inferior_vena_cava", 61.182),
        ("pancreas", 18.765),
        ("urinary_bladder", 479.412),
    ] {
        assert!(
            (volumes[id] / ml - 1.0).abs() < 0.01,
            "{id}: {} ml, voxels {ml} ml",
            volumes[id]
        );
    }
}

#[test]
fn the_visible_human_s_defects_are_named_and_its_skin_is_whole() {
    let name = "the_visible_human_s_defects_are_named_and_its_skin_is_whole";
    let Some(anatomy) = real_anatomy(name) else {
        return;
    };
    let folder = scratch();
    let at = folder.path();
    let vh = anatomy.join("visible-human-female");
    let skin = format!("{}=skin", text(&vh.join("v1.1_VH_F_Skin.glb")));
    let liver = format!("{}=liver", text(&vh.join("v1.3_VH_F_Liver.glb")));
    let spleen = format!("{}=spleen", text(&vh.join("v1.3_VH_F_Spleen.glb")));
    let run = sonocath(
        at,
        &[
            "patient", "import", "--mesh", &liver, "--mesh", &spleen, "--mesh", &skin, "--out", "p",
        ],
    );
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("v1.3_VH_F_Liver.glb"), "{}", run.err);
    assert!(!run.err.contains("v1.1_VH_F_Skin.glb"), "{}", run.err);
    assert!(run.err.contains("--repair"), "{}", run.err);
    assert!(!at.join("p").exists());

    let run = sonocath(at, &["patient", "import", "--mesh", &skin, "--out", "s"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(!run.out.contains("repaired"), "{}", run.out);
}

#[test]
fn the_arterial_tree_keeps_its_loops() {
    let Some(anatomy) = real_anatomy("the_arterial_tree_keeps_its_loops") else {
        return;
    };
    let folder = scratch();
    let at = folder.path();
    let lumen = anatomy.join("arterial-tree/lumen.obj");
    let mesh = format!("{}=aorta", text(&lumen));
    let args = [
        "patient", "import", "--mesh", &mesh, "--axes", "y,-z,-x", "--out", "p",
    ];
    let run = sonocath(at, &args);
    assert_eq!(run.code, 0, "{}", run.err);
    let check = sonocath_json(at, &["patient", "check", "p", "--json"]);
    assert_eq!(
        check["vessels"]["loops"], 4,
        "genus of the surface: {}",
        check["vessels"]
    );
}
