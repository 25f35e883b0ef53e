use geometry::sdf::{Expr, SurfaceLimits, surface};

use super::*;
use crate::atlas::Atlas;
use crate::patient_file::{Breathing, Excursion, Sex};
use crate::planes;

fn name(en: &str, zh: &str) -> DisplayName {
    DisplayName {
        en: en.to_owned(),
        zh: zh.to_owned(),
    }
}

/// A liver and a vessel that splits and joins again.
fn patient() -> Patient {
    let shape = Expr::Ellipsoid {
        center: [-60.0, 0.0, 90.0],
        radii_mm: [70.0, 60.0, 60.0],
    };
    let mesh = surface(&shape, 6.0, &SurfaceLimits::default()).unwrap();
    let structures = vec![Structure::of_entry(
        Atlas::builtin().structure("liver").unwrap(),
        mesh,
    )];
    let node = |x: f64, flow| VesselNode {
        at: Point::new(x, 0.125, -7.5),
        flow,
    };
    let segment = |from: usize, to: usize, name: &str, y: f64| VesselSegment {
        structure: None,
        name: name.to_owned(),
        tissue: "blood".to_owned(),
        from,
        to,
        points: vec![
            Point::new(1.0, y, 2.0),
            Point::new(3.5, y, 2.25),
            Point::new(9.0, 0.0, 0.001),
        ],
        radii_mm: vec![4.0, 3.25, 0.8],
    };
    Patient {
        identity: Identity {
            name: "Zhang \"quoted\" 张".to_owned(),
            name_zh: Some("张".to_owned()),
            record: "0042".to_owned(),
        },
        habitus: Habitus {
            sex: Some(Sex::Female),
            age_years: Some(51.0),
            height_cm: None,
            weight_kg: Some(62.5),
        },
        source: "a test".to_owned(),
        vessels: VesselGraph {
            nodes: vec![
                node(0.0, Some(Flow::Inlet)),
                node(5.0, None),
                node(9.0, Some(Flow::Outlet)),
            ],
            segments: vec![
                segment(0, 1, "trunk", 0.0),
                segment(1, 2, "left", 1.0),
                segment(1, 2, "right", -1.0),
            ],
        },
        landmarks: vec![Landmark {
            id: "here".to_owned(),
            name: name("Here", "此处"),
            at: Point::new(1.0, 2.0, 3.0),
        }],
        planes: planes::derive_all(Atlas::builtin(), &surfaces_by_id(&structures)),
        motion: Motion {
            heart_rate_per_min: Some(70.0),
            breathing: Some(Breathing {
                rate_per_min: 14.0,
                excursions: vec![Excursion {
                    structure: "liver".to_owned().into(),
                    caudal_mm: 11.0,
                }],
            }),
            heart: None,
        },
        scatterers: Scatterers {
            places_mm: vec![[1.5, -2.25, 3.125], [0.1, 0.2, 0.3]],
            amplitudes: vec![1.0, -0.3],
        },
        structures,
    }
}

#[test]
fn what_is_saved_is_what_is_loaded() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("p");
    let tissues = TissueTable::builtin();
    let patient = patient();
    assert_eq!(patient.vessels.loop_count(), 1);
    patient.save(&folder, Existing::Keep, tissues).unwrap();
    let loaded = Patient::load(&folder, tissues).unwrap();
    assert_eq!(loaded.structures, patient.structures);
    assert_eq!(loaded.vessels, patient.vessels);
    assert_eq!(loaded.identity, patient.identity);
    assert_eq!(loaded.landmarks, patient.landmarks);
    assert_eq!(loaded.scatterers, patient.scatterers);
    assert_eq!(loaded.planes.len(), patient.planes.len());
    for ((_, a), (_, b)) in loaded.planes.iter().zip(&patient.planes) {
        assert!(a.center.distance(&b.center) < 1e-3 && (a.lateral - b.lateral).norm() < 1e-5);
    }
    // Its scatterers are no foreign file that stands in the way.
    patient
        .save(&folder, Existing::ReplacePatient, tissues)
        .unwrap();
    // What was rounded once stays as it is.
    let again = scratch.path().join("again");
    loaded.save(&again, Existing::Keep, tissues).unwrap();
    assert_eq!(Patient::load(&again, tissues).unwrap(), loaded);
    let left: Vec<_> = fs::read_dir(scratch.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "nothing is left beside: {left:?}");
}

#[test]
fn every_fault_of_a_file_is_told_at_once() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("p");
    let tissues = TissueTable::builtin();
    patient().save(&folder, Existing::Keep, tissues).unwrap();
    let path = folder.join(PATIENT_FILE);
    let text = fs::read_to_string(&path).unwrap();
    let spoilt = text
        .replacen("tissue: \"liver\"", "tissue: \"livr\"", 1)
        .replacen("surfaces/liver.ply", "../../liver.ply", 1)
        .replacen("structure: \"liver\"", "structure: \"lver\"", 1)
        .replacen("caudal_mm: 11", "caudal_mm: -11", 1);
    fs::write(&path, spoilt).unwrap();
    let error = Patient::load(&folder, tissues).unwrap_err().to_string();
    for words in [
        "`livr`",
        "`lver`",
        "did you mean `liver`",
        "outside the patient's folder",
        "from 0 to 100",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert_eq!(error.lines().count(), 4, "{error}");
}

#[test]
fn a_segment_to_nowhere_is_told() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("p");
    let tissues = TissueTable::builtin();
    patient().save(&folder, Existing::Keep, tissues).unwrap();
    let path = folder.join(PATIENT_FILE);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("to: 2", "to: 7", 1)).unwrap();
    let error = Patient::load(&folder, tissues).unwrap_err().to_string();
    assert!(error.contains("no node 7"), "{error}");
}

#[test]
fn a_missing_or_cut_surface_names_structure_and_file() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("p");
    let tissues = TissueTable::builtin();
    patient().save(&folder, Existing::Keep, tissues).unwrap();
    let path = folder.join("surfaces/liver.ply");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
    let cut = Patient::load(&folder, tissues).unwrap_err().to_string();
    assert!(
        cut.contains("`liver`") && cut.contains("liver.ply"),
        "{cut}"
    );
    fs::remove_file(&path).unwrap();
    let gone = Patient::load(&folder, tissues).unwrap_err().to_string();
    assert!(
        gone.contains("`liver`") && gone.contains("liver.ply"),
        "{gone}"
    );
}

#[test]
fn scatterers_may_be_absent_listed_and_in_files() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("p");
    let tissues = TissueTable::builtin();
    let without = Patient {
        scatterers: Scatterers::default(),
        ..patient()
    };
    without.save(&folder, Existing::Keep, tissues).unwrap();
    assert!(!folder.join(SCATTERERS).exists());
    let path = folder.join(PATIENT_FILE);
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("scatterers"), "{text}");
    assert!(
        Patient::load(&folder, tissues)
            .unwrap()
            .scatterers
            .is_empty()
    );

    let with = |entries: &str| {
        let at = text.rfind(')').unwrap();
        let text = format!("{}scatterers: [{entries}])", &text[..at]);
        fs::write(&path, text).unwrap();
        Patient::load(&folder, tissues)
    };
    write_npy(&patient().scatterers, &folder.join("cloud.npy")).unwrap();
    let loaded = with("Points([(1, 2, 3, 0.5)]), File(path: \"cloud.npy\")").unwrap();
    assert_eq!(loaded.scatterers.len(), 3);
    assert_eq!(loaded.scatterers.places_mm[0], [1.0, 2.0, 3.0]);
    assert_eq!(loaded.scatterers.amplitudes, [0.5, 1.0, -0.3]);
    let outside = with("File(path: \"../cloud.npy\")")
        .unwrap_err()
        .to_string();
    assert!(
        outside.contains("outside the patient's folder"),
        "{outside}"
    );
    let missing = with("File(path: \"clod.npy\")").unwrap_err().to_string();
    assert!(missing.contains("clod.npy"), "{missing}");

    // What a user put there is not lost when the patient is replaced.
    let refused = without.save(&folder, Existing::ReplacePatient, tissues);
    assert!(refused.unwrap_err().to_string().contains("cloud.npy"));
}

#[test]
fn unpaired_or_endless_scatterers_are_not_saved() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("p");
    let mut patient = patient();
    patient.scatterers.places_mm[1][2] = f32::NAN;
    let error = patient.save(&folder, Existing::Keep, TissueTable::builtin());
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("row 1") && error.contains("z = NaN"),
        "{error}"
    );
    patient.scatterers.places_mm.pop();
    let error = patient.save(&folder, Existing::Keep, TissueTable::builtin());
    assert!(error.unwrap_err().to_string().contains("1 places"));
    assert!(!folder.exists());
}

#[test]
fn a_folder_that_is_no_patient_is_never_replaced() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("p");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("thesis.txt"), "years").unwrap();
    let refused = patient().save(&folder, Existing::ReplacePatient, TissueTable::builtin());
    assert!(matches!(refused, Err(PatientError::Exists { .. })));
    assert!(folder.join("thesis.txt").exists());
}
