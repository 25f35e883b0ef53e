use recording::Step;

use super::*;
use crate::fixture::{header, sweep_task, swept};
use crate::{TaskScore, score};

fn scored(steps: &[Step], share: f64) -> TaskScore {
    score(&header(), steps, &[sweep_task(share)])
        .tasks
        .remove(0)
}

fn item<'a>(score: &'a TaskScore, id: &str) -> &'a Item {
    score.items.iter().find(|item| item.id == id).unwrap()
}

#[test]
fn a_slow_sweep_through_everything_has_all_points() {
    let score = scored(&swept(-5..105, 12.0), 0.95);
    assert_eq!(score.points, 100.0, "{score:?}");
    let of: f64 = score.items.iter().map(|item| item.of).sum();
    assert_eq!(of, 100.0);
    let value = |id: &str| score.measures.iter().find(|m| m.id == id).unwrap().value;
    assert_eq!(value("coverage"), 100.0);
    assert!((value("speed") - 12.0).abs() < 1e-6);
    assert!(
        (value("path_length") - 99.6).abs() < 1.0,
        "{}",
        value("path_length")
    );
}

#[test]
fn a_sweep_that_ends_within_is_told_to_go_on() {
    // Slabs 0 to 40 of 100.
    let score = scored(&swept(-5..40, 12.0), 0.82);
    let coverage = item(&score, "coverage");
    assert_eq!(coverage.points, 30.0);
    let advice = coverage.advice.clone().unwrap();
    assert_eq!(
        advice.words.en,
        "the sweep ended within the liver, go on until it has left the picture: \
         slide 20 mm towards the feet (across the scan plane)"
    );
    let score = scored(&swept(50..105, 12.0), 0.8);
    let advice = item(&score, "coverage").advice.clone().unwrap();
    assert!(
        advice.words.en.contains("began within the liver"),
        "{advice:?}"
    );
}

#[test]
fn twice_an_experts_speed_costs_all_of_it() {
    let score = scored(&swept(-5..105, 25.8), 0.8);
    assert_eq!(item(&score, "speed").points, 0.0);
    let words = item(&score, "speed").advice.clone().unwrap().words;
    assert!(words.en.contains("more slowly"), "{words:?}");
}

#[test]
fn a_sweep_that_loses_the_structure_has_gaps() {
    let mut steps = swept(-5..105, 12.0);
    let count = steps.len();
    for step in &mut steps[count / 3..2 * count / 3] {
        step.facts.as_mut().unwrap().seen.clear();
    }
    let score = scored(&steps, 0.5);
    assert_eq!(item(&score, "gaps").points, 0.0, "{score:?}");
    assert!(item(&score, "coverage").points == 60.0);
}

#[test]
fn who_never_found_it_has_nothing() {
    let mut steps = swept(-5..105, 12.0);
    for step in &mut steps {
        step.facts = None;
    }
    let score = scored(&steps, 0.5);
    assert_eq!(score.points, 0.0, "{score:?}");
    assert!(score.items.iter().all(|item| item.advice.is_some()));
}

#[test]
fn cut_off_anywhere_it_is_scored() {
    let steps = swept(-5..105, 12.0);
    let mut before = 0.0;
    for length in (0..steps.len()).step_by(7) {
        let coverage = scored(&steps[..length], 0.9).items[0].points;
        assert!(coverage >= before, "{length}");
        before = coverage;
    }
}
