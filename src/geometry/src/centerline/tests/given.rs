//! Graphs from curves, against joints made by hand.

use super::*;
use crate::frame::Point;

fn curve(points: &[[f64; 3]], radius_mm: f64) -> Curve<Patient> {
    Curve {
        points: points
            .iter()
            .map(|&[x, y, z]| Point::new(x, y, z))
            .collect(),
        radii_mm: vec![radius_mm; points.len()],
    }
}

fn counts(graph: &Graph) -> [usize; 5] {
    [
        graph.nodes.len(),
        graph.segments.len(),
        graph.ends().len(),
        graph.loop_count(),
        graph.components(),
    ]
}

#[test]
fn a_side_branch_splits_its_parent_where_it_begins() {
    let parent = curve(&[[0.0; 3], [10.0, 0.0, 0.0], [20.0, 0.0, 0.0]], 3.0);
    // Begins off the parent's axis, inside its lumen.
    let branch = curve(&[[12.0, 2.0, 0.0], [12.0, 15.0, 0.0]], 1.0);
    let graph = from_curves(&[parent, branch]).unwrap();
    check_invariants(&graph);
    assert_eq!(counts(&graph), [4, 3, 3, 0, 1]);
    let joint = graph.bifurcations()[0];
    assert!(
        graph.nodes[joint]
            .point
            .distance(&Point::new(12.0, 0.0, 0.0))
            < 1e-12
    );
    assert_eq!(graph.nodes[joint].radius_mm, 3.0);
    assert!((graph.length_mm() - 35.0).abs() < 1e-9);
}

#[test]
fn ends_that_meet_become_one_node() {
    let a = curve(&[[0.0; 3], [10.0, 0.0, 0.0]], 2.0);
    let b = curve(&[[10.2, 0.0, 0.0], [20.0, 5.0, 0.0]], 1.5);
    let c = curve(&[[10.0, 0.3, 0.0], [20.0, -5.0, 0.0]], 1.0);
    let graph = from_curves(&[a, b, c]).unwrap();
    check_invariants(&graph);
    assert_eq!(counts(&graph), [4, 3, 3, 0, 1]);
    let joint = &graph.nodes[graph.bifurcations()[0]];
    assert_eq!(joint.point, Point::new(10.0, 0.0, 0.0));
}

#[test]
fn two_branches_that_start_at_one_place_of_a_parent_share_the_node() {
    let parent = curve(&[[0.0; 3], [20.0, 0.0, 0.0]], 3.0);
    let one = curve(&[[8.0, 0.0, 0.0], [8.0, 15.0, 0.0]], 1.0);
    let two = curve(&[[8.0, 0.0, 0.0], [8.0, 0.0, 15.0]], 1.0);
    let graph = from_curves(&[one, two, parent]).unwrap();
    check_invariants(&graph);
    assert_eq!(counts(&graph), [5, 4, 4, 0, 1]);
}

#[test]
fn loops_stay_loops() {
    let parent = curve(&[[0.0; 3], [40.0, 0.0, 0.0]], 2.0);
    let bypass = curve(
        &[
            [5.0, 0.5, 0.0],
            [5.0, 15.0, 0.0],
            [35.0, 15.0, 0.0],
            [35.0, 0.0, 0.5],
        ],
        1.0,
    );
    assert_eq!(
        counts(&from_curves(&[parent, bypass]).unwrap()),
        [4, 4, 2, 1, 1]
    );

    let ring = curve(
        &[
            [0.0; 3],
            [20.0, 0.0, 0.0],
            [20.0, 20.0, 0.0],
            [0.0, 20.0, 0.0],
            [0.0; 3],
        ],
        1.0,
    );
    let graph = from_curves(&[ring]).unwrap();
    check_invariants(&graph);
    assert_eq!(counts(&graph), [1, 1, 0, 1, 1]);
}

#[test]
fn a_stub_inside_its_parent_makes_no_loop() {
    let parent = curve(&[[0.0; 3], [40.0, 0.0, 0.0]], 8.0);
    // Its far end is still within the parent's radius.
    let stub = curve(&[[20.0, 0.0, 0.0], [24.0, 7.0, 0.0]], 3.0);
    assert_eq!(
        counts(&from_curves(&[parent, stub]).unwrap()),
        [4, 3, 3, 0, 1]
    );
}

#[test]
fn what_lies_apart_stays_apart() {
    let a = curve(&[[0.0; 3], [10.0, 0.0, 0.0]], 1.0);
    let b = curve(&[[0.0, 2.5, 0.0], [10.0, 2.5, 0.0]], 1.0);
    assert_eq!(counts(&from_curves(&[a, b]).unwrap()), [4, 2, 4, 0, 2]);
    assert_eq!(counts(&from_curves(&[]).unwrap()), [0, 0, 0, 0, 0]);
}

#[test]
fn bad_curves_are_named() {
    let good = curve(&[[0.0; 3], [1.0, 0.0, 0.0]], 1.0);
    let mut radius = good.clone();
    radius.radii_mm[1] = 0.0;
    let mut place = good.clone();
    place.points[1].coords.y = f64::NAN;
    let mut short = good.clone();
    short.radii_mm.pop();
    let single = curve(&[[0.0; 3]], 1.0);
    for (bad, at) in [(radius, 1), (place, 1), (short, 1), (single, 0)] {
        match from_curves(&[good.clone(), bad]) {
            Err(CenterlineError::Curve {
                curve: 1, point, ..
            }) => assert_eq!(point, at),
            other => panic!("{other:?}"),
        }
    }
}
