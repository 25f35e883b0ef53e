//! Graphs of tubes, against what a hand can work out.

use geometry::sdf::Axis;

use super::*;
use crate::atlas::Atlas;
use crate::progress::Silent;
use crate::recipe::{Choices, Recipe};
use crate::tissue::TissueTable;
use crate::vessels::Flow;

/// A tube of an atlas' vessel through `points` of x, y, z and radius.
fn tube(id: &str, points: &[[f64; 4]]) -> VesselTube {
    let entry = Atlas::builtin().structure(id).unwrap();
    VesselTube {
        structure: id.to_owned(),
        tissue: "blood".to_owned(),
        circuit: entry.circuit.unwrap_or(Circuit::Arterial),
        flow: entry.flow,
        points: points
            .iter()
            .map(|&[x, y, z, radius_mm]| at(Vector3::new(x, y, z), radius_mm))
            .collect(),
    }
}

fn in_circuit(circuit: Circuit, tube: VesselTube) -> VesselTube {
    VesselTube { circuit, ..tube }
}

fn length_mm(segment: &VesselSegment) -> f64 {
    let steps = segment.points.windows(2);
    steps.map(|p| p[0].distance(&p[1])).sum()
}

fn ends_with(graph: &VesselGraph, flow: Flow) -> Vec<[f64; 3]> {
    let ends = graph.nodes.iter().filter(|n| n.flow == Some(flow));
    ends.map(|n| n.at.to_array()).collect()
}

/// An aorta of 100 mm that narrows from 10 to 8 mm, and a renal artery that begins 5 mm off its axis
/// at half its length and runs straight out for 40 mm.
fn tee() -> VesselGraph {
    graph_of_tubes(&[
        tube("aorta", &[[0.0, 0.0, 100.0, 10.0], [0.0, 0.0, 0.0, 8.0]]),
        tube(
            "renal_artery_left",
            &[[5.0, 0.0, 50.0, 3.0], [45.0, 0.0, 50.0, 2.5]],
        ),
    ])
}

#[test]
fn a_tee_has_three_segments_of_known_lengths_and_radii() {
    let graph = tee();
    assert_eq!((graph.nodes.len(), graph.segments.len()), (4, 3));
    assert_eq!((graph.loop_count(), graph.components().len()), (0, 1));
    let by_structure = |id: &str| -> Vec<f64> {
        let own = graph.segments.iter();
        own.filter(|s| s.structure.as_deref() == Some(id))
            .map(length_mm)
            .collect()
    };
    let aorta = by_structure("aorta");
    assert!(
        (aorta[0] - 50.0).abs() < 1e-9 && (aorta[1] - 50.0).abs() < 1e-9,
        "{aorta:?}"
    );
    // From the aorta's axis on: 5 + 40 mm.
    let renal = by_structure("renal_artery_left");
    assert!(
        renal.len() == 1 && (renal[0] - 45.0).abs() < 1e-9,
        "{renal:?}"
    );
    // Half way the eased radius is the mean.
    let upper = &graph.segments[0];
    assert!((upper.radii_mm[0] - 10.0).abs() < 1e-12);
    assert!((upper.radii_mm[upper.radii_mm.len() - 1] - 9.0).abs() < 1e-9);
    for segment in &graph.segments {
        assert_eq!(segment.points.len(), segment.radii_mm.len());
        let steps = segment.points.windows(2);
        // Only the stretch inside the parent's lumen is one piece.
        assert!(
            steps
                .skip(1)
                .all(|p| p[0].distance(&p[1]) <= STEP_MM + 1e-9)
        );
        assert!(segment.points[0].distance(&graph.nodes[segment.from].at) < 1e-12);
    }
}

#[test]
fn blood_enters_a_tee_at_the_top_and_leaves_at_both_other_ends() {
    let graph = tee();
    assert_eq!(ends_with(&graph, Flow::Inlet), vec![[0.0, 0.0, 100.0]]);
    assert_eq!(ends_with(&graph, Flow::Outlet).len(), 2);
}

/// Three quarters of a circle of radius 60 from the ascending limb over the top: its inlet is lower
/// than the arch, and the other end lower still.
#[test]
fn an_arch_s_inlet_is_its_upper_end() {
    let arch: Vec<[f64; 4]> = [-45.0_f64, 0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 260.0]
        .iter()
        .map(|degrees| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            [0.0, -60.0 * cos, 60.0 * sin, 12.0]
        })
        .collect();
    let graph = graph_of_tubes(&[tube("aorta", &arch)]);
    let inlets = ends_with(&graph, Flow::Inlet);
    assert!(
        inlets.len() == 1 && (inlets[0][1] - arch[0][1]).abs() < 1e-12,
        "{inlets:?}"
    );
}

/// A ring of twelve points, radius R = 30: its length is 2πR within the spline's error, which for
/// twelve points is below one part in a thousand.
#[test]
fn a_loop_stays_a_loop() {
    let ring: Vec<[f64; 4]> = (0..=12)
        .map(|n| {
            let (sin, cos) = (TAU * f64::from(n) / 12.0).sin_cos();
            [30.0 * cos, 30.0 * sin, 0.0, 2.0]
        })
        .collect();
    let graph = graph_of_tubes(&[tube("superior_mesenteric_artery", &ring)]);
    assert_eq!(
        (graph.nodes.len(), graph.segments.len(), graph.loop_count()),
        (1, 1, 1)
    );
    let length = length_mm(&graph.segments[0]);
    // The open ends of the spline go straight on, so that two of twelve spans are flatter.
    assert!((length / (TAU * 30.0) - 1.0).abs() < 5e-3, "{length}");
}

#[test]
fn two_ways_between_two_places_are_a_loop() {
    let graph = graph_of_tubes(&[
        tube("aorta", &[[0.0, 0.0, 100.0, 9.0], [0.0, 0.0, -100.0, 9.0]]),
        tube(
            "superior_mesenteric_artery",
            &[
                [4.0, 0.0, 60.0, 2.0],
                [40.0, 0.0, 40.0, 2.0],
                [40.0, 0.0, -40.0, 2.0],
                [4.0, 0.0, -60.0, 2.0],
            ],
        ),
    ]);
    assert_eq!(
        (graph.nodes.len(), graph.segments.len(), graph.loop_count()),
        (4, 4, 1)
    );
}

#[test]
fn vessels_end_to_end_share_a_node_and_keep_their_names() {
    let graph = graph_of_tubes(&[
        tube(
            "iliac_artery_left",
            &[[0.0, 0.0, 50.0, 5.0], [0.0, 0.0, 0.0, 4.5]],
        ),
        tube(
            "femoral_artery_left",
            &[[0.0, 0.0, 1.0, 4.6], [0.0, 0.0, -80.0, 4.0]],
        ),
    ]);
    assert_eq!((graph.nodes.len(), graph.segments.len()), (3, 2));
    let names: Vec<_> = graph
        .segments
        .iter()
        .map(|s| s.structure.as_deref())
        .collect();
    assert_eq!(
        names,
        [Some("iliac_artery_left"), Some("femoral_artery_left")]
    );
    assert_eq!(ends_with(&graph, Flow::Inlet), vec![[0.0, 0.0, 50.0]]);
}

#[test]
fn different_circuits_never_join() {
    let artery = tube("aorta", &[[0.0, 0.0, 50.0, 5.0], [0.0, 0.0, 0.0, 4.5]]);
    let vein = in_circuit(
        Circuit::Venous,
        tube(
            "inferior_vena_cava",
            &[[0.0, 0.0, 20.0, 4.0], [50.0, 0.0, 20.0, 4.0]],
        ),
    );
    let portal = in_circuit(
        Circuit::Portal,
        tube(
            "portal_vein",
            &[[0.0, 0.0, 20.0, 4.0], [0.0, 50.0, 20.0, 4.0]],
        ),
    );
    let graph = graph_of_tubes(&[artery, vein, portal]);
    assert_eq!((graph.segments.len(), graph.components().len()), (3, 3));
}

#[test]
fn what_is_no_curve_is_left_out() {
    let point = tube("aorta", &[[0.0; 4]]);
    let closed = tube("aorta", &[[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 9.0, 0.0]]);
    assert_eq!(graph_of_tubes(&[point, closed]), VesselGraph::default());
    assert_eq!(graph_of_tubes(&[]), VesselGraph::default());
}

#[test]
fn a_solid_s_tubes_move_with_it() {
    let straight = Expr::Tube {
        points: vec![
            at(Vector3::new(1.0, 0.0, 0.0), 2.0),
            at(Vector3::new(1.0, 0.0, 10.0), 3.0),
        ],
    };
    let mirrored = Expr::Mirror {
        of: Box::new(straight),
        axis: Axis::X,
        at_mm: 0.0,
    };
    let turned = Expr::Rotate {
        of: Box::new(mirrored),
        about: [0.0; 3],
        axis: [0.0, 0.0, 2.0],
        angle_rad: TAU / 4.0,
    };
    let scaled = Expr::Scale {
        of: Box::new(turned),
        about: [0.0, 1.0, 0.0],
        factor: 2.0,
    };
    let tubes = tubes_of(&Expr::Difference {
        of: Box::new(scaled),
        cut: vec![Expr::Sphere {
            center: [0.0; 3],
            radius_mm: 1.0,
        }],
        blend_mm: 0.0,
    });
    // (±1, 0, z) → (0, ±1, z) → twice as far from (0, 1, 0).
    let expected = [
        [[0.0, 1.0, 0.0], [0.0, 1.0, 20.0]],
        [[0.0, -3.0, 0.0], [0.0, -3.0, 20.0]],
    ];
    assert_eq!(tubes.len(), 2);
    for (tube, expected) in tubes.iter().zip(expected) {
        for (point, (place, radius_mm)) in tube.iter().zip(expected.iter().zip([4.0, 6.0])) {
            let off = (Vector3::from(point.place) - Vector3::from(*place)).norm();
            assert!(
                off < 1e-12 && (point.radius_mm - radius_mm).abs() < 1e-12,
                "{point:?}"
            );
        }
    }
}

/// The vessels that are shipped, alone, as chosen.
fn shipped(set: &[(&str, &str)], findings: &[&str]) -> VesselGraph {
    let text = r#"Recipe(version: 2, summary: (en: "Vessels", zh: "血管"), patient: "Vessels", resolution_mm: 2, parts: ["vessels"],
        parameters: [
            (id: "sex", name: (en: "Sex", zh: "性别"), options: ["female", "male"], default: "male"),
            (id: "height_cm", name: (en: "Height", zh: "身高"), default: 172, range: (150, 195)),
            (id: "bmi", name: (en: "Body mass index", zh: "体重指数"), default: 23, range: (18, 40)),
        ])"#;
    let own = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
    let choices = Choices {
        set: set.iter().map(own).collect(),
        findings: findings.iter().map(|f| f.parse().unwrap()).collect(),
        ..Choices::default()
    };
    let recipe = Recipe::parse(text, "vessels", &choices, Atlas::builtin()).unwrap();
    let patient = recipe.make(Atlas::builtin(), TissueTable::builtin(), &Silent);
    patient.unwrap().vessels
}

fn of<'a>(graph: &'a VesselGraph, id: &'a str) -> impl Iterator<Item = &'a VesselSegment> {
    let own = move |s: &&VesselSegment| s.structure.as_deref() == Some(id);
    graph.segments.iter().filter(own)
}

fn points(segment: &VesselSegment) -> impl Iterator<Item = (Point<frame::Patient>, f64)> {
    let places = segment.points.iter().copied();
    places.zip(segment.radii_mm.iter().copied())
}

/// The body's circulation: one tree of arteries that begins at the aortic root, the trees of both
/// caval veins, and the portal one; no loop.
#[test]
fn the_shipped_vessels_are_four_trees() {
    let graph = shipped(&[], &[]);
    assert_eq!((graph.components().len(), graph.loop_count()), (4, 0));
    let circuit_of = |id: &str| Atlas::builtin().structure(id).unwrap().circuit;
    let ends_of = |circuit: Circuit, flow: Flow| -> usize {
        let own = graph.segments.iter();
        let own = own.filter(|s| circuit_of(s.structure.as_deref().unwrap()) == Some(circuit));
        own.flat_map(|s| [s.from, s.to])
            .filter(|&n| graph.nodes[n].flow == Some(flow))
            .count()
    };
    assert_eq!(ends_of(Circuit::Arterial, Flow::Inlet), 1);
    assert_eq!(ends_of(Circuit::Venous, Flow::Outlet), 2);
    assert_eq!(ends_of(Circuit::Portal, Flow::Outlet), 1);
}

/// Walls of vessels of different circuits keep 1 mm apart. Circuits have no node in common, so the
/// connected parts tell them apart.
#[test]
fn shipped_vessels_of_different_circuits_never_touch() {
    for set in [&[][..], &[("tortuosity", "1"), ("arch_type", "III")]] {
        let graph = shipped(set, &[]);
        let circuit = |s: &VesselSegment| {
            let id = s.structure.as_deref().unwrap();
            Atlas::builtin().structure(id).unwrap().circuit
        };
        for (n, a) in graph.segments.iter().enumerate() {
            for b in &graph.segments[n + 1..] {
                if circuit(a) == circuit(b) {
                    continue;
                }
                for (p, radius_p) in points(a) {
                    for (q, radius_q) in points(b) {
                        let gap = p.distance(&q) - radius_p - radius_q;
                        assert!(
                            gap >= 1.0,
                            "{:?} {:?} {gap} at {p:?}",
                            a.structure,
                            b.structure
                        );
                    }
                }
            }
        }
    }
}

/// By definition the brachiocephalic trunk's opening lies less than 1, 1 to 2, and more than 2
/// diameters of the common carotid artery below the top of the arch in types I, II and III.
#[test]
fn the_three_types_of_arch_are_what_they_are_called() {
    for (kind, range) in [("I", 0.0..1.0), ("II", 1.0..2.0), ("III", 2.0..4.0)] {
        let graph = shipped(&[("arch_type", kind)], &[]);
        let aorta: Vec<_> = of(&graph, "aorta").flat_map(points).collect();
        let arch = aorta.iter().filter(|(p, _)| p.z() > 280.0);
        let top = arch.map(|(p, radius)| p.z() + radius).fold(0.0, f64::max);
        let trunk = of(&graph, "brachiocephalic_trunk").next().unwrap();
        let is_inside =
            |p: Point<frame::Patient>| aorta.iter().any(|(q, radius)| p.distance(q) < *radius);
        let first = usize::from(trunk.points[0].z() > trunk.points[1].z());
        let mut course: Vec<_> = points(trunk).collect();
        if first == 1 {
            course.reverse();
        }
        let opening = course.iter().find(|(p, _)| !is_inside(*p)).unwrap().0;
        let carotid = of(&graph, "common_carotid_artery_right").next().unwrap();
        let narrowest = carotid.radii_mm.iter().copied().fold(f64::MAX, f64::min);
        let diameters = (top - opening.z()) / (2.0 * narrowest);
        assert!(
            range.contains(&diameters),
            "type {kind}: {diameters} diameters"
        );
    }
}

/// A stenosis of 75 % of the diameter leaves a quarter of the radius.
#[test]
fn a_stenosis_leaves_what_it_says() {
    let narrowest = |findings: &[&str]| {
        let graph = shipped(&[], findings);
        let radii = of(&graph, "renal_artery_left").flat_map(|s| s.radii_mm.clone());
        radii.collect::<Vec<f64>>()
    };
    let healthy = narrowest(&[]);
    let ill = narrowest(&["stenosis:vessel=renal_left,percent=75,length_mm=8"]);
    let least = ill.iter().copied().fold(f64::MAX, f64::min);
    let mean = healthy.iter().sum::<f64>() / healthy.len() as f64;
    assert!((least / mean - 0.25).abs() < 0.02, "{least} of {mean} mm");
}
