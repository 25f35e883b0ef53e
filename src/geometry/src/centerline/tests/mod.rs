//! Whole extractions against vessels whose centreline is known.

mod real;
pub mod shapes;

use super::*;
use crate::frame::Patient;
use shapes::Tube;

type Graph = CenterlineGraph<Patient>;

/// Five bifurcations, five ends, one loop (B–C–F–H–D); radii 12 to 0.8 mm; all branches bend, most
/// taper.
fn vessel_graph() -> Vec<Tube> {
    let a = [0.0, 0.0, 0.0];
    let b = [2.0, 0.0, 42.0];
    let c = [18.0, 6.0, 85.0];
    let d = [-32.0, 0.0, 78.0];
    let e = [48.0, 12.0, 112.0];
    let f = [2.0, 12.0, 124.0];
    let g = [-66.0, 12.0, 100.0];
    let h = [-26.0, -16.0, 110.0];
    let i = [8.0, 30.0, 152.0];
    let j = [-34.0, -46.0, 130.0];
    vec![
        Tube::bezier([a, [4.0, 2.0, 14.0], [2.0, 0.0, 28.0], b], [12.0, 11.0]),
        Tube::bezier([b, [4.0, 2.0, 58.0], [16.0, 4.0, 66.0], c], [9.0, 8.0]),
        Tube::bezier([b, [-6.0, 0.0, 60.0], [-28.0, 4.0, 58.0], d], [6.0, 5.0]),
        Tube::bezier([c, [26.0, 6.0, 96.0], [44.0, 4.0, 96.0], e], [5.0, 4.0]),
        Tube::bezier([c, [16.0, 14.0, 100.0], [4.0, 8.0, 104.0], f], [4.0, 3.0]),
        Tube::bezier([d, [-44.0, -4.0, 84.0], [-56.0, 14.0, 86.0], g], [3.0, 1.5]),
        Tube::bezier(
            [d, [-30.0, -8.0, 90.0], [-20.0, -14.0, 96.0], h],
            [3.0, 2.5],
        ),
        Tube::bezier(
            [h, [-22.0, -12.0, 124.0], [-10.0, 4.0, 130.0], f],
            [2.0, 2.0],
        ),
        Tube::bezier([f, [4.0, 14.0, 136.0], [2.0, 24.0, 142.0], i], [1.2, 0.8]),
        Tube::bezier(
            [h, [-30.0, -22.0, 114.0], [-30.0, -38.0, 118.0], j],
            [1.5, 1.0],
        ),
    ]
}

fn check_invariants<F: Frame>(graph: &CenterlineGraph<F>) {
    let degrees = graph.degrees();
    assert!(degrees.iter().all(|&d| d > 0), "a node without segments");
    for s in &graph.segments {
        assert!(s.points.len() >= 2);
        assert_eq!(s.points.len(), s.radii_mm.len());
        assert_eq!(s.points.len(), s.inscribed_mm.len());
        assert_eq!(s.points[0], graph.nodes[s.start].point);
        assert_eq!(*s.points.last().unwrap(), graph.nodes[s.end].point);
        assert!(
            s.points
                .iter()
                .all(|p| p.to_array().iter().all(|c| c.is_finite()))
        );
        let positive = |r: &f64| r.is_finite() && *r > 0.0;
        assert!(s.radii_mm.iter().all(positive), "{:?}", s.radii_mm);
        assert!(s.inscribed_mm.iter().all(positive), "{:?}", s.inscribed_mm);
        assert!(s.length_mm() > 0.0);
    }
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part).round() as usize]
}

/// Errors of position (mm) and radius (part of the true one) over all places at least `away` radii
/// from every joint and not beyond the tubes' own ends.
fn errors(graph: &Graph, tubes: &[Tube], away: f64) -> (Vec<f64>, Vec<f64>) {
    let mut ends: Vec<(Vec3, f64)> = Vec::new();
    for t in tubes {
        let last = t.points.len() - 1;
        ends.push((t.points[0], t.radii[0]));
        ends.push((t.points[last], t.radii[last]));
    }
    let near_joint = |p: Vec3| {
        ends.iter().any(|(q, _)| {
            let meeting: Vec<f64> = ends
                .iter()
                .filter(|o| (o.0 - q).norm() < 1e-9)
                .map(|o| o.1)
                .collect();
            let reach = if meeting.len() > 1 {
                away * meeting.iter().copied().fold(0.0, f64::max)
            } else {
                0.0
            };
            (p - q).norm() < reach
        })
    };
    let beyond_end = |p: Vec3| {
        tubes.iter().any(|t| {
            let last = t.points.len() - 1;
            let past = |a: usize, b: usize| {
                (p - t.points[a]).dot(&(t.points[a] - t.points[b])) > 0.0
                    && (p - t.points[a]).norm() < 1.5 * t.radii[a]
            };
            past(0, 1) || past(last, last - 1)
        })
    };
    let (mut place, mut radius) = (Vec::new(), Vec::new());
    for s in &graph.resampled(0.25).segments {
        for (p, r) in s.points.iter().zip(&s.radii_mm) {
            if near_joint(p.coords) || beyond_end(p.coords) {
                continue;
            }
            let nearest = tubes.iter().map(|t| t.nearest(p.coords));
            let (distance, truth) = nearest.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
            place.push(distance);
            radius.push((r / truth - 1.0).abs());
        }
    }
    (place, radius)
}

#[test]
fn vessel_graph_is_found() {
    let tubes = vessel_graph();
    let mesh = shapes::union(&tubes, 0.35, None);
    let graph = extract(&mesh, &ExtractOptions::default()).unwrap();
    check_invariants(&graph);
    let (mut place, mut radius) = errors(&graph, &tubes, 1.5);
    println!(
        "triangles {}, places {}, position error median {:.3} p95 {:.3} max {:.3} mm; radius error median {:.2} % p95 {:.2} %",
        mesh.triangles().len(),
        place.len(),
        percentile(&mut place, 0.5),
        percentile(&mut place, 0.95),
        percentile(&mut place, 1.0),
        100.0 * percentile(&mut radius, 0.5),
        100.0 * percentile(&mut radius, 0.95),
    );
    println!(
        "ends {}, bifurcations {}, loops {}",
        graph.ends().len(),
        graph.bifurcations().len(),
        graph.loop_count()
    );
    assert_eq!(graph.components(), 1);
    assert_eq!(graph.loop_count(), 1);
    assert_eq!(graph.ends().len(), 5);
    assert_eq!(graph.bifurcations().len(), 5);
    assert!(percentile(&mut place, 0.5) < 0.2);
    assert!(percentile(&mut place, 0.95) < 0.5);
    assert!(percentile(&mut radius, 0.5) < 0.05);
}

#[test]
fn a_ball_gives_one_short_segment() {
    let graph = extract(&shapes::ball(10.0), &ExtractOptions::default()).unwrap();
    check_invariants(&graph);
    assert_eq!((graph.segments.len(), graph.loop_count()), (1, 0));
    assert!(graph.length_mm() < 21.0, "{}", graph.length_mm());
}

#[test]
fn a_ring_gives_one_loop() {
    let graph = extract(&shapes::ring(10.0, 2.0), &ExtractOptions::default()).unwrap();
    check_invariants(&graph);
    assert_eq!(
        (graph.segments.len(), graph.nodes.len(), graph.loop_count()),
        (1, 1, 1)
    );
    let length = graph.length_mm();
    assert!(
        (length / (20.0 * std::f64::consts::PI) - 1.0).abs() < 0.02,
        "{length}"
    );
    for p in &graph.segments[0].points {
        assert!(
            (p.x().hypot(p.y()) - 10.0).abs() < 0.2 && p.z().abs() < 0.2,
            "{p:?}"
        );
    }
}
