//! Slicer curves: hand-made files, and what refused ones say.

use geometry::frame::{File, Patient, Point};
use geometry::markups::{CoordinateSystem, MarkupCurve, read_markups};
use geometry::mesh_file::{Axes, MeshUnits, patient_from_file};

use crate::{assert_is_for_a_person, corpus, corpus_file, file_name};

fn only(name: &str) -> MarkupCurve {
    let mut curves = read_markups(&corpus_file(name)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(curves.len(), 1);
    curves.remove(0)
}

#[test]
fn points_labels_and_radii_are_read() {
    let curve = only("markups/ok-lps.mrk.json");
    assert_eq!(curve.name, "ok-lps");
    assert!(!curve.closed);
    assert_eq!(curve.declared, CoordinateSystem::Lps);
    assert_eq!(curve.points[1].place, Point::<File>::new(4.0, 5.0, 6.0));
    assert_eq!(curve.points[1].label, "P-1");
    assert_eq!(curve.radii_mm(), Some(vec![1.5, 2.5, 3.5]));
    assert_eq!(
        curve.patient_points()[2],
        Point::<Patient>::new(7.0, 8.0, 9.0)
    );
    assert_eq!(only("markups/ok-coded-units.mrk.json").points, curve.points);
}

#[test]
fn ras_is_turned_for_the_patient_and_kept_in_the_file() {
    let curve = only("markups/ok-ras.mrk.json");
    assert_eq!(curve.declared, CoordinateSystem::Ras);
    assert_eq!(curve.points[0].place, Point::<File>::new(1.0, 2.0, 3.0));
    assert_eq!(
        curve.patient_points()[0],
        Point::<Patient>::new(-1.0, -2.0, 3.0)
    );
    let own = patient_from_file(MeshUnits::Millimetres, Axes::parse("y,-z,-x").unwrap());
    assert_eq!(
        curve.points_in(&own)[0],
        Point::<Patient>::new(2.0, -3.0, -1.0)
    );
}

#[test]
fn points_without_a_place_are_noted_and_radii_stay_with_their_points() {
    let curve = only("markups/skipped.mrk.json");
    assert_eq!(curve.radii_mm(), Some(vec![1.5, 3.5]));
    assert_eq!(curve.skipped.len(), 1);
    assert_eq!(
        (curve.skipped[0].index, curve.skipped[0].status.as_str()),
        (1, "undefined")
    );
    assert_eq!(only("markups/ok-no-radius.mrk.json").radii_mm(), None);
}

#[test]
fn several_curves_are_numbered_and_planes_passed_over() {
    let curves = read_markups(&corpus_file("markups/several.mrk.json")).unwrap();
    let names: Vec<&str> = curves.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["several-1", "several-3"]);
    assert!(curves[1].closed);
}

#[test]
fn bad_curves_are_refused_for_a_person() {
    for file in corpus("markups") {
        if file_name(&file).starts_with("bad-") {
            let error = read_markups(&file).expect_err(&file_name(&file));
            assert_is_for_a_person(&file, &error);
        }
    }
    let cases = [
        ("system", "`coordinateSystem`: it is Some(\"IJK\")"),
        ("units", "`coordinateUnits`: it is “m”"),
        ("radius-count", "2 values for 3 control points"),
        ("radius-zero", "radius of control point 1: it is 0 mm"),
        ("position", "control point 0: its position has 2 numbers"),
        ("one-point", "1 of its points have a place"),
        ("no-curve", "only [\"Fiducial\"]"),
        ("cut-off", "at line 27 column 31"),
    ];
    for (name, needle) in cases {
        let file = corpus_file(&format!("markups/bad-{name}.mrk.json"));
        let text = read_markups(&file).unwrap_err().to_string();
        assert!(text.contains(needle), "{text}\ndoes not say “{needle}”");
    }
}
