//! `sonocath scan`: bad input is refused with what, where and how to mend it; good input makes
//! pictures and their truth.

use std::path::Path;

use crate::program::{Run, sonocath, sonocath_json};

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
    refused(
        at,
        &preset,
        &["abdomenn", "did you mean `abdomen`", "`vascular`"],
    );
    // A file where a name belongs, and the other way round.
    std::fs::write(at.join("set.ron"), "Settings(version: 1)").unwrap();
    let preset = words(&PLANE, &["--preset", "set.ron"]);
    refused(at, &preset, &["--settings set.ron"]);
    let settings = words(&PLANE, &["--settings", "abdomen"]);
    refused(at, &settings, &["--preset abdomen"]);
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
    std::fs::write(at.join("set.ron"), "Settings(version: 1, gain: 3)").unwrap();
    let settings = words(&PLANE, &["--settings", "set.ron"]);
    refused(at, &settings, &["set.ron:1:22", "did you mean `gain_db`"]);
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

#[test]
fn settings_that_the_probe_cannot_do() {
    let folder = scratch();
    let at = folder.path();
    std::fs::write(at.join("set.ron"), "Settings(version: 1, depth_mm: 10)").unwrap();
    let deep = words(&PLANE, &["--settings", "set.ron"]);
    refused(
        at,
        &deep,
        &[
            "do not fit the probe",
            "C5-2v",
            "set.ron:1:32: `depth_mm`",
            "40 to 300 mm",
        ],
    );
    let text = "Settings(\n  version: 1,\n  depth_mm: 10,\n  steering_deg: 5,\n)";
    std::fs::write(at.join("set.ron"), text).unwrap();
    let run = sonocath(at, &[&deep[..], &["--json"]].concat());
    assert_eq!(run.code, 2, "{}", run.out);
    let told: serde_json::Value = serde_json::from_str(&run.out).expect("it is JSON");
    let faults = told["error"]["faults"].as_array().unwrap();
    let places: Vec<_> = faults
        .iter()
        .map(|f| (&f["file"], f["line"].as_u64(), f["column"].as_u64()))
        .collect();
    // The focus that is left out lies too far behind 10 mm: that is told of the whole.
    let wanted = [(1, 1), (3, 13), (4, 17)];
    let wanted = wanted.map(|(line, column)| (Some(line), Some(column)));
    assert_eq!(places.len(), wanted.len(), "{told}");
    for ((file, line, column), wanted) in places.into_iter().zip(wanted) {
        assert_eq!(file, "set.ron");
        assert_eq!((line, column), wanted, "{told}");
    }
    let ivus = [
        "scan",
        "--patient",
        "phantom-torso",
        "--probe",
        "ivus",
        "--out",
        "s",
    ];
    refused(
        at,
        &[&ivus[..], &PLANE].concat(),
        &["within a vessel", "--pose"],
    );
}

/// Few lines and samples, so that a frame is made in no time.
fn quick_settings(folder: &Path) {
    let text = "Settings(version: 1, depth_mm: 120, lines: 32, samples: 256,
        transmit: Focused(foci_mm: [60], f_number: Some(3)))";
    std::fs::write(folder.join("quick.ron"), text).expect("the scratch folder is writable");
}

const QUICK: [&str; 4] = ["--settings", "quick.ron", "--size", "640x480"];

fn json_of(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).expect("it was written");
    serde_json::from_str(&text).expect("it is JSON")
}

/// Type, shape and bytes of a NumPy file.
fn array(path: &Path) -> (String, Vec<u8>) {
    let bytes = std::fs::read(path).expect("it was written");
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..start])
        .trim_end()
        .to_owned();
    (header, bytes[start..].to_vec())
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let number = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    bytes.chunks(4).map(number).collect()
}

/// Size and pixels of a PNG as they are stored.
fn picture(path: &Path) -> (png::OutputInfo, Vec<u8>) {
    let file = std::io::BufReader::new(std::fs::File::open(path).expect("it was written"));
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().expect("it is a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it is small")];
    let info = reader.next_frame(&mut pixels).expect("it is whole");
    (info, pixels)
}

#[test]
fn a_plane_becomes_a_picture_and_its_truth() {
    let folder = scratch();
    let at = folder.path();
    quick_settings(at);
    let more = [&QUICK[..], &["--raw", "--labels", "--json"]].concat();
    let told = sonocath_json(at, &words(&PLANE, &more));
    assert_eq!(told["frames"], 1);
    assert!(
        told["in_view_mm2"]["liver"].as_f64().unwrap() > 1000.0,
        "{told}"
    );
    let scan = at.join("s");

    let manifest = json_of(&scan.join("scan.json"));
    let listed = manifest["files"].as_array().unwrap();
    let mut listed: Vec<String> = listed
        .iter()
        .map(|f| f.as_str().unwrap().to_owned())
        .collect();
    listed.push("scan.json".to_owned());
    listed.sort();
    assert_eq!(names(&scan), listed, "the manifest lists everything");

    let (header, iq) = array(&scan.join("iq-0000.npy"));
    assert_eq!(
        header,
        "{'descr': '<c8', 'fortran_order': False, 'shape': (32, 256), }"
    );
    let (header, envelope) = array(&scan.join("envelope-0000.npy"));
    assert_eq!(
        header,
        "{'descr': '<f4', 'fortran_order': False, 'shape': (32, 256), }"
    );
    for (pair, &magnitude) in floats(&iq).chunks(2).zip(&floats(&envelope)) {
        let wanted = pair[0].hypot(pair[1]);
        assert!(
            (magnitude - wanted).abs() <= 1e-5 * wanted.max(1e-9),
            "{magnitude} {wanted}"
        );
    }

    let frame = json_of(&scan.join("frame-0000.json"));
    let look = &frame["looks"][0];
    assert_eq!(look["lines"]["kind"], "fan");
    assert_eq!(look["lines"]["apex_radius_mm"], 49.57);
    assert_eq!(look["line_positions"].as_array().unwrap().len(), 32);
    let step_mm = look["axes"][1]["step"].as_f64().unwrap();
    assert!((step_mm * 255.0 - 120.0).abs() < 1e-9, "{look}");
    assert_eq!(frame["setting"]["settings"]["lines"], 32);
    assert_eq!(frame["setting"]["probe"]["center_frequency_mhz"], 3.57);

    // Every label of the picture is one of the legend, and the liver is among them.
    let legend = json_of(&scan.join("labels.json"));
    let liver = legend["structures"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["id"] == "liver");
    let liver = liver.unwrap();
    assert_eq!(liver["name"]["zh"], "肝脏");
    let (info, labels) = picture(&scan.join("labels-0000.png"));
    assert_eq!((info.width, info.height), (640, 480));
    assert_eq!(info.color_type, png::ColorType::Indexed);
    let of_liver = labels
        .iter()
        .filter(|l| u64::from(**l) == liver["value"].as_u64().unwrap());
    assert!(of_liver.count() > 5000);
    let most = legend["structures"].as_array().unwrap().len() as u8;
    assert!(labels.iter().all(|label| *label <= most));
    let (info, image) = picture(&scan.join("frame-0000.png"));
    assert_eq!(
        (info.width, info.height, info.color_type),
        (640, 480, png::ColorType::Rgb)
    );
    assert_eq!(image.len(), 3 * labels.len());

    // What was written can be said again: the same bytes, and the same probe.
    let again = [
        "scan",
        "--patient",
        "phantom-torso",
        "--probe",
        "s/probe.ron",
        "--out",
        "t",
    ];
    let again = [
        &again[..],
        &PLANE,
        &["--settings", "s/settings.ron", "--size", "640x480", "--raw"],
    ];
    assert_eq!(sonocath(at, &again.concat()).code, 0);
    assert_eq!(array(&at.join("t/iq-0000.npy")).1, iq);
    let (_, image_again) = picture(&at.join("t/frame-0000.png"));
    assert!(image_again == image, "the pictures differ");
    let again = json_of(&at.join("t/scan.json"));
    assert_eq!(again["setting"]["probe_id"], "C5-2v");
    assert_eq!(again["setting"]["probe"], manifest["setting"]["probe"]);
}

#[test]
fn a_sweep_becomes_frames_and_a_film() {
    let folder = scratch();
    let at = folder.path();
    quick_settings(at);
    let sweep = r#"Sweep(version: 1, fps: 10, poses: [
        Plane(name: "liver_transverse", tilt_deg: -10),
        Plane(name: "liver_transverse", tilt_deg: 10, frames: 3),
        Pose(at: (0, -120, 60), lateral: Right, depth: Posterior, frames: 1),
    ])"#;
    std::fs::write(at.join("sweep.ron"), sweep).unwrap();
    let aim = ["--sweep", "sweep.ron"];
    let words = words(
        &aim,
        &[&QUICK[..], &["--video", "--json", "--lang", "zh"]].concat(),
    );
    let told = sonocath_json(at, &words);
    assert_eq!(told["frames"], 5);
    let film = at.join("s").join(told["film"].as_str().unwrap());
    assert!(std::fs::metadata(film).unwrap().len() > 1000);
    assert!(at.join("s/frame-0004.png").is_file());

    // A scan is replaced when asked to, and frames may be counted.
    assert_eq!(sonocath(at, &words).code, 2);
    let fewer = [&words[..], &["--force", "--frames", "2"]].concat();
    let told = sonocath_json(at, &fewer);
    assert_eq!(told["frames"], 2);
    assert!(!at.join("s/frame-0004.png").exists());
    let frames = json_of(&at.join("s/scan.json"))["frames"].clone();
    let face = |n: usize| frames[n]["pose"]["face_mm"][2].as_f64().unwrap();
    assert!((face(1) - 60.0).abs() < 1e-9, "{frames}");
    assert!(face(0) > 80.0, "{frames}");
}

#[test]
fn a_probe_in_air_is_told_of() {
    let folder = scratch();
    quick_settings(folder.path());
    let aim = ["--pose", "0,-500,60:right:posterior"];
    let run = sonocath(folder.path(), &words(&aim, &QUICK));
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("0 of 32 lines"), "{}", run.out);
    assert!(folder.path().join("s/frame-0000.png").is_file());
}

/// The fields of a JSON list of numbers.
fn numbers(value: &serde_json::Value) -> Vec<f64> {
    let items = value.as_array().expect("it is a list");
    items
        .iter()
        .map(|item| item.as_f64().expect("a number"))
        .collect()
}

#[test]
fn a_face_inside_the_body_is_told_of_with_the_mend() {
    let folder = scratch();
    let at = folder.path();
    quick_settings(at);
    let aim = ["--pose", "0,0,60:right:posterior"];
    let run = sonocath(at, &words(&aim, &QUICK));
    assert_eq!(run.code, 0, "{}", run.err);
    let warning = run.out.lines().find(|line| line.contains("warning"));
    let warning = warning.expect("there is a warning").to_owned();
    for words in [
        "inside the body in 1 of 1 frames",
        "on the skin say --pose=",
    ] {
        assert!(warning.contains(words), "should say {words:?}: {warning}");
    }
    // The mend works: the same words with it give no warning.
    let (_, mend) = warning.split_once("say ").unwrap();
    let more = [&QUICK[..], &["--force", "--json"]].concat();
    let told = sonocath_json(at, &words(&[mend], &more));
    assert_eq!(told["warnings"], serde_json::json!([]), "{told}");
    assert!(numbers(&told["inside_mm"])[0] <= 12.1, "{told}");

    // A catheter belongs inside.
    let ice = "scan --patient phantom-torso --probe ice --out ice --json --size 640x480";
    let ice: Vec<&str> = ice.split(' ').chain(aim).collect();
    let told = sonocath_json(at, &ice);
    assert!(numbers(&told["inside_mm"])[0] > 100.0, "{told}");
    assert!(!told["warnings"].to_string().contains("inside"), "{told}");
}

#[test]
fn a_sweep_through_the_body_is_told_of_and_slides_when_asked_to() {
    let folder = scratch();
    let at = folder.path();
    quick_settings(at);
    let sweep = |on_skin: &str| {
        let text = format!(
            r#"Sweep(version: 1, poses: [
                Plane(name: "liver_transverse"),
                Pose(at: (150, 20, 60), lateral: Anterior, depth: Right, frames: 6{on_skin}),
            ])"#
        );
        std::fs::write(at.join("sweep.ron"), text).unwrap();
        let more = [&QUICK[..], &["--force", "--json", "--lang", "zh"]].concat();
        sonocath_json(at, &words(&["--sweep", "sweep.ron"], &more))
    };
    let told = sweep("");
    let inside = numbers(&told["inside_mm"]);
    assert_eq!(inside.len(), 7);
    let deep = inside.iter().filter(|depth| **depth > 12.1).count();
    assert!(deep >= 4 && inside[0] <= 12.1, "{inside:?}");
    let warnings = told["warnings"].to_string();
    for words in [&format!("共 {deep}/7 帧"), "on_skin: true"] {
        assert!(warnings.contains(words), "should say {words:?}: {warnings}");
    }
    let told = sweep(", on_skin: true");
    let inside = numbers(&told["inside_mm"]);
    assert!(inside.iter().all(|depth| *depth <= 12.1), "{inside:?}");
    assert!(!told["warnings"].to_string().contains("体内"), "{told}");
}

#[test]
fn an_empty_folder_is_used() {
    let folder = scratch();
    let at = folder.path();
    quick_settings(at);
    std::fs::create_dir(at.join("s")).unwrap();
    let run = sonocath(at, &words(&PLANE, &QUICK));
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(
        names(&at.join("s")),
        ["frame-0000.png", "probe.ron", "scan.json", "settings.ron"]
    );
    std::fs::create_dir(at.join("p")).unwrap();
    let run = sonocath(at, &["patient", "make", "phantom-points", "--out", "p"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(at.join("p/patient.ron").is_file());
}

#[test]
fn places_where_no_folder_can_be_made() {
    let folder = scratch();
    let at = folder.path();
    std::fs::write(at.join("file"), "mine").unwrap();
    let long = "s".repeat(300);
    for (out, must_say) in [
        (
            "file/x",
            "file is a file, not a folder; choose another place",
        ),
        ("file/x/y", "file is a file"),
        ("file", "holds no scan"),
        (&long, "the folder cannot be made: "),
    ] {
        let scan = ["scan", "--patient", "phantom-points", "--probe", "L11-5v"];
        let aim = ["--pose", "0,0,0:right:posterior", "--out", out];
        refused(at, &[&scan[..], &aim].concat(), &["--out ", must_say]);
    }
    let make = ["patient", "make", "phantom-points", "--out", "file/x"];
    refused(at, &make, &["file is a file, not a folder"]);
}

#[test]
fn patients_that_are_no_folders_or_lack_a_surface() {
    let folder = scratch();
    let at = folder.path();
    quick_settings(at);
    let make = ["patient", "make", "phantom-torso", "--out", "p"];
    assert_eq!(sonocath(at, &make).code, 0);
    let scan = |patient| {
        let words = [
            "scan",
            "--patient",
            patient,
            "--probe",
            "C5-2v",
            "--out",
            "s",
        ];
        [&words[..], &PLANE, &QUICK].concat()
    };
    // The file in the folder stands for the folder.
    let run = sonocath(at, &scan("p/patient.ron"));
    assert_eq!(run.code, 0, "{}", run.err);
    std::fs::remove_dir_all(at.join("s")).unwrap();

    let surface = "p/surfaces/liver.ply";
    refused(
        at,
        &scan(surface),
        &[surface, "is a file", "give the patient's folder, p"],
    );
    refused(
        at,
        &scan("quick.ron"),
        &["quick.ron is a file", "patient.ron"],
    );
    std::fs::remove_file(at.join(surface)).unwrap();
    refused(
        at,
        &scan("p"),
        &[
            "structure `liver`",
            "there is no file p/surfaces/liver.ply",
            "put it back",
            "p/patient.ron",
        ],
    );
}
