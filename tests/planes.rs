//! Each standard plane, from the window that `scan --plane` chooses, shows what it has to.

use std::sync::Arc;

use anatomy::Patient;
use anatomy::Silent;
use anatomy::atlas::{Atlas, Exam, PlaneEntry};
use anatomy::recipe::{Choices, Recipe};
use anatomy::tissue::TissueTable;
use equipment::hand::face_of;
use equipment::{Console, Probe};
use procedure::{Body, Procedure};

use crate::program::{real_anatomy, sonocath};

/// A body of a seed, else as the recipe has it.
fn adult(seed: u64) -> Patient {
    let choices = Choices {
        seed,
        ..Choices::default()
    };
    let recipe = Recipe::builtin_with("adult-torso", &choices).expect("a recipe that ships");
    let made = recipe.make(Atlas::builtin(), TissueTable::builtin(), &Silent);
    made.expect("a body")
}

/// The planes of exams, as far as a patient has what they require.
fn planes(patient: &Patient, exams: &[Exam]) -> Vec<&'static PlaneEntry> {
    let fitted = Atlas::builtin().planes_for(|id| patient.structure_index(id).is_some());
    let entries = fitted.iter().map(|plane| plane.entry);
    let is_asked = |plane: &&PlaneEntry| plane.exams.iter().any(|exam| exams.contains(exam));
    entries.filter(is_asked).collect()
}

/// What is wrong with planes of a patient.
fn failures(patient: Patient, planes: &[&PlaneEntry]) -> Vec<String> {
    let body = Arc::new(Body::new(patient).expect("a sound patient"));
    let rooms = ["C5-2v", "P4-2v"].map(|probe| {
        let probe = Probe::named(probe).expect("a probe that ships");
        Procedure::new(body.clone(), probe, Console::default_for(probe), 7).expect("a room")
    });
    let failure = |plane: &&PlaneEntry| {
        let of_heart = plane.exams.contains(&Exam::FocusedCardiac);
        match rooms[usize::from(of_heart)].plane_target(&plane.id) {
            Ok(target) if body.ends.reach(face_of(&target.patient_from_probe)) => {
                Some(format!("{}: from where the scan was cut", plane.id))
            }
            // The exemplary picture has a depth of its own, at which it shows no less.
            Ok(target) => {
                let seen = |required: &recording::RequiredStructure| required.exemplary_mm2 > 20.0;
                let all = target.required.iter().all(seen);
                (!all).then(|| format!("{}: {:?}", plane.id, target.required))
            }
            Err(error) => Some(error.to_string()),
        }
    };
    planes.iter().filter_map(failure).collect()
}

const FOCUSED: [Exam; 4] = [
    Exam::Fast,
    Exam::AbdominalSurvey,
    Exam::Pelvis,
    Exam::FocusedCardiac,
];

#[test]
fn each_standard_plane_of_an_adult_shows_its_structures() {
    let patient = adult(7);
    let planes = planes(&patient, &FOCUSED);
    let all = Atlas::builtin().planes().iter();
    let all = all.filter(|plane| plane.exams.iter().any(|exam| FOCUSED.contains(exam)));
    let lacking: Vec<&str> = all
        .filter(|plane| planes.iter().all(|has| has.id != plane.id))
        .map(|plane| plane.id.as_str())
        .collect();
    assert_eq!(lacking, ["uterus_sagittal"], "this one is a man");
    assert_eq!(failures(patient, &planes), Vec::<String>::new());
}

#[test]
#[ignore = "reads a CT and looks through thousands of windows; tools/validate runs it"]
fn each_abdominal_plane_of_the_real_ct_shows_its_structures() {
    let Some(anatomy) = real_anatomy("each_abdominal_plane_of_the_real_ct_shows_its_structures")
    else {
        return;
    };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = |name: &str| anatomy.join("ct-abdomen").join(name).into_os_string();
    let words = ["patient", "import", "--out", "p", "--labels"].map(Into::into);
    let args = [
        &words[..],
        &[file("labels.nii.gz"), "--ct".into(), file("ct.nii.gz")],
    ]
    .concat();
    let run = sonocath::<std::ffi::OsString>(folder.path(), &args);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    let patient = Patient::load(&folder.path().join("p"), TissueTable::builtin());
    let patient = patient.expect("what was imported");
    let planes = planes(&patient, &[Exam::Fast, Exam::AbdominalSurvey]);
    let failed = failures(patient, &planes);
    for line in &failed {
        eprintln!("{line}");
    }
    let verdict = if failed.is_empty() { "ok" } else { "MISSED" };
    let seen = planes.len() - failed.len();
    println!(
        "figure: standard planes of the enriched CT that show all they have to | all | {seen} of {} | {verdict}",
        planes.len()
    );
}
