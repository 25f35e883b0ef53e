//! How hard a lesion is to see: the generalised contrast-to-noise ratio of the same lesion in a
//! slim and in a large body.
//!
//! gCNR (A. Rodriguez-Molares et al., IEEE Trans. UFFC 67:745, 2020) is one less the overlap of the
//! distributions of grey inside and beside the lesion: 0 for a lesion that cannot be told, 1 for one
//! that is told in every point. Full speckle of the contrast K (of power) has K^(−1/(K−1))·(1 − 1/K):
//! 0.47 at 6 dB, 0.33 at 4 dB. What the lesion is compared with is the same place of the same body
//! without it, so that shadows and vessels beside it do not count.

use std::sync::Arc;

use anatomy::atlas::Atlas;
use anatomy::planes::StandardPlane;
use anatomy::recipe::{Choices, FindingChoice, Recipe};
use anatomy::tissue::{DisplayName, TissueTable};
use anatomy::{Patient, Silent};
use equipment::{Console, Probe, Transmit};
use geometry::{Pose, Vector, frame};
use procedure::{Body, Procedure};
use ultrasound::display::Compensation;
use ultrasound::display::gain;
use ultrasound::engine::{Imager, View};
use ultrasound::frame::{Look, PathKind};

const LESION: &str = "liver_lesion_hypoechoic";
const PROBE: &str = "C5-2v";

/// Ways to look at the lesion, patient LPS: where the sound goes and where the marker points. From
/// the front, from the side, and between the ribs.
const LOOKS: [([f64; 3], [f64; 3]); 6] = [
    ([0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]),
    ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0]),
    ([0.7, 0.7, 0.0], [0.0, 0.0, 1.0]),
    ([0.9, 0.4, 0.0], [0.0, 0.0, 1.0]),
    ([0.5, 0.8, 0.0], [-0.6, 0.375, 0.707]),
    ([0.0, 0.8, 0.6], [-1.0, 0.0, 0.0]),
];

/// Draws of speckle whose samples are taken together.
const DRAWS: u64 = 8;

/// Levels that greys are sorted into, dB wide.
const LEVEL_DB: f64 = 1.0;

/// Bodies of each build; of one build they scatter by 0.05, so many tell their mean to 0.02.
const BODIES: u64 = 8;

/// A large body's ratio is clearly worse below this share of a slim one's.
const CLEARLY: f64 = 0.8;

/// A reader puts the measuring circle into the lesion, not on its edge: mm about the middle.
const WITHIN_MM: f64 = 5.5;

/// A body with the lesion, and planes through it.
fn body(bmi: &str, seed: u64) -> Patient {
    let lesion = FindingChoice {
        id: "liver_lesion".to_owned(),
        set: vec![
            ("size_mm".to_owned(), "15".to_owned()),
            ("kind".to_owned(), "hypo".to_owned()),
        ],
    };
    let choices = Choices {
        seed,
        set: vec![("bmi".to_owned(), bmi.to_owned())],
        findings: vec![lesion],
        vary: false,
    };
    let recipe = Recipe::builtin_with("adult-torso", &choices).expect("a recipe that ships");
    let mut patient = recipe
        .make(Atlas::builtin(), TissueTable::builtin(), &Silent)
        .expect("a body");
    let lesion = patient.structure_index(LESION).expect("the lesion");
    let vertices = patient.structures[lesion].surface.vertices();
    let mut center = [0.0; 3];
    for vertex in vertices {
        for (sum, x) in center.iter_mut().zip(vertex) {
            *sum += f64::from(*x) / vertices.len() as f64;
        }
    }
    for (number, (depth, marker)) in LOOKS.iter().enumerate() {
        let depth = Vector::new(depth[0], depth[1], depth[2]);
        let depth = depth * (1.0 / depth.norm());
        let marker = Vector::new(marker[0], marker[1], marker[2]);
        let lateral = marker + depth * -marker.dot(&depth);
        let plane = StandardPlane {
            id: format!("lesion_{number}"),
            center: geometry::Point::new(center[0], center[1], center[2]),
            lateral: lateral * (1.0 / lateral.norm()),
            depth,
            required: vec![LESION.to_owned()],
            optional: Vec::new(),
        };
        let name = DisplayName {
            en: "Lesion".to_owned(),
            zh: "病灶".to_owned(),
        };
        patient.planes.push((name, plane));
    }
    patient
}

/// The same body, whose lesion is liver to sound, though told apart by its label.
fn without_lesion(patient: &Patient) -> Patient {
    let mut patient = patient.clone();
    let place = |id: &str| patient.structure_index(id).expect("it is there");
    let (lesion, liver) = (place(LESION), place("liver"));
    patient.structures[lesion].tissue = patient.structures[liver].tissue;
    patient
}

/// From where a sonographer would look, and how deep.
fn window(body: &Arc<Body>) -> (Pose<frame::Patient, frame::Probe>, f64) {
    let probe = Probe::named(PROBE).expect("a built-in probe");
    let console = Console::preset("abdomen").expect("a built-in preset");
    let room = Procedure::new(body.clone(), probe, console.clone(), 0).expect("a procedure");
    let targets = (0..LOOKS.len()).filter_map(|i| room.plane_target(&format!("lesion_{i}")).ok());
    let best = targets
        .max_by(|a, b| {
            a.required[0]
                .exemplary_mm2
                .total_cmp(&b.required[0].exemplary_mm2)
        })
        .expect("the lesion is seen from somewhere");
    (best.patient_from_probe, best.depth_mm)
}

/// Greys within the lesion, dB.
fn greys(body: &Body, pose: Pose<frame::Patient, frame::Probe>, depth_mm: f64) -> Vec<f64> {
    let probe = Probe::named(PROBE).expect("a built-in probe");
    let console = Console {
        depth_mm: depth_mm + 20.0,
        transmit: Transmit::Focused {
            foci_mm: vec![depth_mm - 15.0],
            f_number: Some(3.0),
        },
        ..Console::preset("abdomen")
            .expect("a built-in preset")
            .clone()
    };
    let mut imager = Imager::new(probe, &console).expect("settings that the probe can do");
    let machine = Compensation::of_machine(&imager, &console);
    let mut greys = Vec::new();
    for seed in 0..DRAWS {
        let view = View {
            seed,
            tick: seed,
            truth: true,
            gel_mm: 5.0,
            ..View::at(pose)
        };
        let frame = imager.frame(&body.medium, &view);
        let look = &frame.looks[0];
        let gain_db = gain::curve_db(&console, &machine, &look.grid);
        greys.extend(within(body, look, &gain_db));
    }
    greys
}

/// Greys of a look about the middle of what it shows of the lesion, dB.
fn within(body: &Body, look: &Look, gain_db: &[f64]) -> Vec<f64> {
    let lesion = body.patient.structure_index(LESION).expect("it is there") as u16 + 1;
    let inside: Vec<usize> = (0..look.truth.len())
        .filter(|&i| look.truth[i].structure == lesion && look.truth[i].path == PathKind::Direct)
        .collect();
    let mut middle = [0.0; 3];
    for &i in &inside {
        for (sum, x) in middle.iter_mut().zip(look.truth[i].place_mm) {
            *sum += f64::from(x) / inside.len() as f64;
        }
    }
    let off_mm = |i: usize| {
        let place = look.truth[i].place_mm.map(f64::from);
        let off = place.iter().zip(middle).map(|(a, b)| (a - b) * (a - b));
        off.sum::<f64>().sqrt()
    };
    let kept = inside.into_iter().filter(|&i| off_mm(i) < WITHIN_MM);
    kept.map(|i| {
        20.0 * f64::from(look.envelope[i]).max(1e-9).log10() + gain_db[i % look.grid.samples]
    })
    .collect()
}

/// One less the overlap of two distributions, and the difference of their means, dB.
fn told_apart(inside: &[f64], beside: &[f64]) -> (f64, f64) {
    const LEVELS: usize = 200;
    let shares = |greys: &[f64]| {
        let mut shares = [0.0; LEVELS];
        for grey in greys {
            let level = ((grey + 160.0) / LEVEL_DB).clamp(0.0, LEVELS as f64 - 1.0) as usize;
            shares[level] += 1.0 / greys.len() as f64;
        }
        shares
    };
    let (a, b) = (shares(inside), shares(beside));
    let overlap: f64 = a.iter().zip(&b).map(|(a, b)| a.min(*b)).sum();
    let mean = |greys: &[f64]| greys.iter().sum::<f64>() / greys.len().max(1) as f64;
    (1.0 - overlap, mean(inside) - mean(beside))
}

#[test]
#[ignore = "bodies take seconds each; tools/validate runs it"]
fn a_lesion_is_harder_to_see_in_a_large_body() {
    let mut all = Vec::new();
    for bmi in ["22", "35"] {
        let (mut mean, mut contrast) = (0.0, 0.0);
        for seed in 1..=BODIES {
            let patient = body(bmi, seed);
            let well = Body::new(without_lesion(&patient)).expect("a body");
            let ill = Arc::new(Body::new(patient).expect("a body"));
            let (pose, depth_mm) = window(&ill);
            let found = greys(&ill, pose, depth_mm);
            let (gcnr, db) = told_apart(&found, &greys(&well, pose, depth_mm));
            let count = found.len();
            eprintln!(
                "BMI {bmi}, seed {seed}: gCNR {gcnr:.2}, {db:.1} dB, to {depth_mm} mm, {count} samples"
            );
            mean += gcnr / BODIES as f64;
            contrast += db / BODIES as f64;
        }
        all.push((mean, contrast));
    }
    let [(slim, slim_db), (large, large_db)] = [all[0], all[1]];
    let figure = |what: &str, bar: &str, found: String, met: bool| {
        let verdict = if met { "ok" } else { "MISSED" };
        println!(
            "figure: gCNR of a dark lesion of 15 mm in the liver, {what} | {bar} | {found} | {verdict}"
        );
    };
    figure(
        "BMI 22",
        "0.25 to 0.70: full speckle of 3 to 10 dB",
        format!("{slim:.2} ({slim_db:.1} dB)"),
        (0.25..=0.70).contains(&slim),
    );
    figure(
        "BMI 35",
        "clearly worse than at BMI 22",
        format!("{large:.2} ({large_db:.1} dB)"),
        large < CLEARLY * slim,
    );
}
