//! The bodies that ship: every structure sound, no unintended overlap, an adult's measures.

use std::time::Instant;

use anatomy::atlas::Atlas;
use anatomy::normal::compare;
use anatomy::overlap::overlaps;
use anatomy::recipe::{Choices, Recipe};
use anatomy::tissue::TissueTable;
use anatomy::{Patient, Silent};
use geometry::check::inspect;

const RECIPE: &str = "adult-torso";

/// Distance of the rays that measure overlaps, mm.
const OVERLAP_SPACING_MM: f64 = 2.0;

/// A body whose parameters the seed draws over their whole range.
fn body(seed: u64) -> Patient {
    let choices = Choices {
        seed,
        vary: true,
        ..Choices::default()
    };
    let recipe = Recipe::builtin_with(RECIPE, &choices).expect("a recipe that ships");
    let made = recipe.make(Atlas::builtin(), TissueTable::builtin(), &Silent);
    made.unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

/// What is wrong with the surfaces.
fn defects(patient: &Patient) -> Vec<String> {
    let unsound = patient.structures.iter().filter_map(|structure| {
        let report = inspect(&structure.surface);
        (!report.is_sound()).then(|| format!("{}: {report}", structure.id))
    });
    unsound.collect()
}

fn shared(patient: &Patient) -> Vec<String> {
    let found = overlaps(patient, OVERLAP_SPACING_MM).expect("sound surfaces");
    let unintended = found.iter().filter(|o| o.is_unintended(patient));
    let said = unintended.map(|overlap| {
        let [a, b] = [overlap.first, overlap.second].map(|i| &patient.structures[i].id);
        format!("{a} and {b} share {:.1} ml", overlap.volume_mm3 / 1000.0)
    });
    said.collect()
}

/// What lies outside of what healthy adults measure, and how much was measured.
fn unusual(patient: &Patient) -> (Vec<String>, usize) {
    let all = compare(patient);
    let count = all.len();
    let odd = all.into_iter().filter(|c| !c.is_normal()).map(|c| {
        let (least, most) = c.normal.range;
        let unit = c.normal.quantity.unit();
        format!(
            "{} {:.1} {unit} ({least} to {most})",
            c.normal.structure, c.value
        )
    });
    (odd.collect(), count)
}

#[test]
fn five_adults_are_sound_and_one_the_same_again() {
    for seed in 1..=5 {
        let patient = body(seed);
        assert!(patient.structures.len() > 150, "seed {seed}");
        assert_eq!(defects(&patient), Vec::<String>::new(), "seed {seed}");
        assert_eq!(shared(&patient), Vec::<String>::new(), "seed {seed}");
        assert_eq!(unusual(&patient).0, Vec::<String>::new(), "seed {seed}");
        if seed == 1 {
            assert!(patient == body(seed), "same seed, same body");
        }
    }
}

#[test]
#[ignore = "fifty bodies take minutes; tools/validate runs it"]
fn fifty_adults() {
    let (mut unsound, mut overlapping, mut odd) = (Vec::new(), Vec::new(), Vec::new());
    let (mut slowest_s, mut sum_s, mut measured) = (0.0_f64, 0.0, 0);
    for seed in 1..=50 {
        #[allow(
            clippy::disallowed_methods,
            reason = "a bench: how long it takes is the figure"
        )]
        let start = Instant::now();
        let patient = body(seed);
        let took_s = start.elapsed().as_secs_f64();
        slowest_s = slowest_s.max(took_s);
        sum_s += took_s;
        let (unusual, count) = unusual(&patient);
        measured += count;
        let named = |all: Vec<String>| {
            all.into_iter()
                .map(move |one| format!("seed {seed}: {one}"))
        };
        unsound.extend(named(defects(&patient)));
        overlapping.extend(named(shared(&patient)));
        odd.extend(named(unusual));
    }
    let again = (1..=5).all(|seed| body(seed) == body(seed));
    for line in unsound.iter().chain(&overlapping).chain(&odd) {
        eprintln!("{line}");
    }
    let figure = |what: &str, bar: &str, found: String, met: bool| {
        let verdict = if met { "ok" } else { "MISSED" };
        println!("figure: {RECIPE}, seeds 1 to 50, {what} | {bar} | {found} | {verdict}");
    };
    figure(
        "structures not closed, outward and free of crossings",
        "none",
        unsound.len().to_string(),
        unsound.is_empty(),
    );
    figure(
        "unintended overlaps of more than 2 % of the smaller",
        "none",
        overlapping.len().to_string(),
        overlapping.is_empty(),
    );
    figure(
        "volumes, lengths and diameters outside published adult ranges",
        "none",
        format!("{} of {measured}", odd.len()),
        odd.is_empty(),
    );
    figure(
        "time to make one: mean, slowest",
        "< 10 s",
        format!("{:.1} s, {slowest_s:.1} s", sum_s / 50.0),
        slowest_s < 10.0,
    );
    figure(
        "seeds 1 to 5 made twice",
        "same",
        if again { "same" } else { "different" }.to_owned(),
        again,
    );
}
