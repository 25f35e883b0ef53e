//! Bad input: one paragraph that names the file, the place and the mend; exit 2; no partial output.

use std::path::Path;

use crate::program::{Run, sonocath};
use crate::tiny::{ball_labels, gz, nifti_header, octahedron_stl, write_gz};

/// Runs an import that must fail, and checks what every failure owes a person.
fn refused(folder: &Path, args: &[&str], must_say: &[&str]) -> Run {
    let args = [&["patient", "import", "--out", "patient"], args].concat();
    let run = sonocath(folder, &args);
    assert_eq!(run.code, 2, "exit code; {}", run.err);
    assert!(!folder.join("patient").exists(), "partial output was left");
    let leftovers: Vec<_> = std::fs::read_dir(folder)
        .expect("the scratch folder is readable")
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(leftovers.is_empty(), "left behind: {leftovers:?}");
    let paragraph: Vec<&str> = run
        .err
        .lines()
        .filter(|line| line.starts_with("sonocath: "))
        .collect();
    assert_eq!(paragraph.len(), 1, "one paragraph: {}", run.err);
    for words in must_say {
        assert!(run.err.contains(words), "should say {words:?}: {}", run.err);
    }
    assert!(!run.err.contains("panicked"), "{}", run.err);
    run
}

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a scratch folder")
}

#[test]
fn a_missing_file() {
    let folder = scratch();
    refused(
        folder.path(),
        &["--labels", "nowhere.nii.gz"],
        &["nowhere.nii.gz", "Check"],
    );
}

#[test]
fn a_truncated_gzip() {
    let folder = scratch();
    let whole = gz(&ball_labels());
    std::fs::write(folder.path().join("cut.nii.gz"), &whole[..whole.len() / 2]).unwrap();
    refused(
        folder.path(),
        &["--labels", "cut.nii.gz"],
        &["cut.nii.gz", "cut off", "4096 bytes"],
    );
}

#[test]
fn an_affine_with_nan() {
    let folder = scratch();
    let mut bytes = ball_labels();
    bytes[280..284].copy_from_slice(&f32::NAN.to_le_bytes());
    write_gz(&folder.path().join("nan.nii.gz"), &bytes);
    refused(
        folder.path(),
        &["--labels", "nan.nii.gz"],
        &["nan.nii.gz", "srow_x", "NaN"],
    );
}

#[test]
fn a_label_without_a_name() {
    let folder = scratch();
    let mut bytes = ball_labels();
    bytes[352 + 100] = 203;
    write_gz(&folder.path().join("odd.nii.gz"), &bytes);
    refused(
        folder.path(),
        &["--labels", "odd.nii.gz"],
        &[
            "odd.nii.gz",
            "label 203",
            "1 voxel",
            "--names",
            "--ignore-label 203",
        ],
    );
}

#[test]
fn a_mesh_of_no_triangles() {
    let folder = scratch();
    std::fs::write(
        folder.path().join("empty.stl"),
        "solid nothing\nendsolid nothing\n",
    )
    .unwrap();
    refused(
        folder.path(),
        &["--mesh", "empty.stl=liver"],
        &["empty.stl", "0 triangles"],
    );
}

#[test]
fn a_header_that_claims_two_gigabytes() {
    let folder = scratch();
    let bytes = nifti_header([1290, 1290, 1290], 2, 8, 1.0);
    write_gz(&folder.path().join("claim.nii.gz"), &bytes);
    refused(
        folder.path(),
        &["--labels", "claim.nii.gz"],
        &["claim.nii.gz", "1290", "voxels"],
    );
}

#[test]
fn a_liver_of_1_7_metres() {
    let folder = scratch();
    std::fs::write(folder.path().join("liver.stl"), octahedron_stl(85.0)).unwrap();
    refused(
        folder.path(),
        &["--mesh", "liver.stl=liver", "--unit", "cm"],
        &["liver", "1700 mm", "--unit mm"],
    );
}

#[test]
fn a_misspelt_structure() {
    let folder = scratch();
    std::fs::write(folder.path().join("a.stl"), octahedron_stl(60.0)).unwrap();
    refused(
        folder.path(),
        &["--mesh", "a.stl=livr"],
        &["livr", "did you mean `liver`"],
    );
}

#[test]
fn a_misspelt_field_of_a_patient_file() {
    let folder = scratch();
    let made = sonocath(
        folder.path(),
        &["patient", "make", "phantom-torso", "--out", "p"],
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let path = folder.path().join("p/patient.ron");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("tissue:", "tisue:", 1)).unwrap();
    let run = sonocath(folder.path(), &["patient", "check", "p"]);
    assert_eq!(run.code, 2, "{}", run.err);
    for words in ["patient.ron:", "`tisue`", "did you mean `tissue`"] {
        assert!(run.err.contains(words), "should say {words:?}: {}", run.err);
    }
}

#[test]
fn an_open_surface_is_named_with_its_holes() {
    let folder = scratch();
    let stl = octahedron_stl(60.0);
    let first_facet = stl.find("endfacet\n").unwrap() + "endfacet\n".len();
    let open = format!("solid octahedron\n{}", &stl[first_facet..]);
    std::fs::write(folder.path().join("open.stl"), open).unwrap();
    refused(
        folder.path(),
        &["--mesh", "open.stl=liver"],
        &["open.stl", "3 open edges", "first at (", "--repair"],
    );
}

#[test]
fn an_existing_folder_is_not_overwritten() {
    let folder = scratch();
    std::fs::create_dir(folder.path().join("p")).unwrap();
    std::fs::write(folder.path().join("p/thesis.txt"), "years of work").unwrap();
    for force in [&[][..], &["--force"]] {
        let args = [&["patient", "make", "phantom-torso", "--out", "p"], force].concat();
        let run = sonocath(folder.path(), &args);
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(folder.path().join("p/thesis.txt").exists());
    }
}

#[test]
fn force_keeps_what_is_not_the_patient_s() {
    let folder = scratch();
    let make = ["patient", "make", "phantom-torso", "--out", "p"];
    assert_eq!(sonocath(folder.path(), &make).code, 0);
    std::fs::write(folder.path().join("p/surfaces/notes.txt"), "mine").unwrap();
    let run = sonocath(folder.path(), &[&make[..], &["--force"]].concat());
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("notes.txt"), "{}", run.err);
    assert!(folder.path().join("p/surfaces/notes.txt").exists());
}

#[test]
fn a_picture_replaces_pictures_only() {
    let folder = scratch();
    std::fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let run = sonocath(
        folder.path(),
        &["patient", "preview", "phantom-torso", "--out", "thesis.txt"],
    );
    assert_eq!(run.code, 2, "{}", run.err);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("thesis.txt")).unwrap(),
        "years of work"
    );
    let run = sonocath(
        folder.path(),
        &["patient", "preview", "phantom-torso", "--out", "no/p.png"],
    );
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("no folder"), "{}", run.err);
}

#[test]
fn a_label_map_is_no_ct() {
    let folder = scratch();
    write_gz(&folder.path().join("l.nii.gz"), &ball_labels());
    refused(
        folder.path(),
        &["--labels", "l.nii.gz", "--ct", "l.nii.gz"],
        &["l.nii.gz", "Hounsfield", "0 to 5"],
    );
}

#[cfg(unix)]
#[test]
fn names_that_are_not_unicode_do_no_harm() {
    use std::os::unix::ffi::OsStrExt;
    let folder = scratch();
    let odd = std::ffi::OsStr::from_bytes(b"\xb2\xa1\xc8\xcb");
    let args = ["patient", "make", "phantom-torso", "--json", "--out"].map(std::ffi::OsStr::new);
    let run = sonocath(folder.path(), &[&args[..], &[odd]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    let list = sonocath(folder.path(), &["patient", "list"]);
    assert_eq!(list.code, 0, "{}", list.err);
}

#[test]
fn an_unknown_recipe() {
    let folder = scratch();
    let run = sonocath(
        folder.path(),
        &["patient", "make", "phantom-torsso", "--out", "p"],
    );
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("did you mean `phantom-torso`"),
        "{}",
        run.err
    );
}

/// What a person asks of a body and it cannot have: told at once, with the mend.
#[test]
fn findings_and_parameters_that_cannot_be() {
    let folder = scratch();
    for (args, words) in [
        (
            &["--finding", "gallstones:count=12,size_mm=20"][..],
            "there is room for 2, or for 12 of",
        ),
        (
            &["--finding", "gallstones:count=2.5"],
            "must be a whole number from 1 to 12",
        ),
        (
            &["--finding", "gallstones:"],
            "nothing stands behind the colon",
        ),
        (
            &["--finding", "gallstones", "--finding", "gallstones:count=2"],
            "given twice",
        ),
        (
            &["--set", "bmi=20", "--set", "bmi=30"],
            "`bmi` is set twice",
        ),
        (
            &["--finding", "aneurysm"],
            "did you mean `aortic_aneurysm`?",
        ),
        (
            &["--set", "gallbladder=removed", "--finding", "gallstones"],
            "because of gallbladder=removed",
        ),
        (
            &["--seed", "abc"],
            "a seed is a whole number of 0 and above",
        ),
        (
            &["--finding", "stenosis:vessel=renal_left,length_mm=40"],
            "it can be 12 at most",
        ),
    ] {
        let args = [&["patient", "make", "adult-torso", "--out", "p"], args].concat();
        let run = sonocath(folder.path(), &args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.err);
        assert!(run.err.contains(words), "should say {words:?}: {}", run.err);
        assert!(!folder.path().join("p").exists(), "partial output was left");
    }
}

/// Before the patient is made, which takes seconds.
#[test]
fn a_misspelt_plane_is_told_at_once() {
    let folder = scratch();
    let scan = [
        "scan",
        "--patient",
        "adult-torso",
        "--plane",
        "galbladder_long",
        "--probe",
        "C5-2v",
        "--out",
        "s",
    ];
    let run = sonocath(folder.path(), &scan);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(
        run.err.contains("did you mean `gallbladder_long`?"),
        "{}",
        run.err
    );
    assert!(!run.err.contains("surfaces …"), "{}", run.err);
}
