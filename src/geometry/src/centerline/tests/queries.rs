//! Questions to a small graph drawn by hand: a bent segment of 3 + 4 mm, radius 1 to 8 mm.

use nalgebra::Matrix3;

use super::*;
use crate::frame::{Affine, Point};

fn bent() -> Graph {
    let points = vec![
        Point::origin(),
        Point::new(3.0, 0.0, 0.0),
        Point::new(3.0, 4.0, 0.0),
    ];
    let radii = vec![1.0, 4.0, 8.0];
    CenterlineGraph {
        nodes: vec![
            Node {
                point: points[0],
                radius_mm: 1.0,
            },
            Node {
                point: points[2],
                radius_mm: 8.0,
            },
        ],
        segments: vec![Segment {
            start: 0,
            end: 1,
            points,
            inscribed_mm: radii.clone(),
            radii_mm: radii,
        }],
    }
}

#[test]
fn nearest_says_where_along_and_how_wide() {
    let graph = bent();
    let place = graph.nearest(Point::new(5.0, 1.0, 0.0)).unwrap();
    assert_eq!(place.point, Point::new(3.0, 1.0, 0.0));
    assert_eq!(
        (place.along_mm, place.distance_mm, place.radius_mm),
        (4.0, 2.0, 5.0)
    );
    let beyond = graph.nearest(Point::new(-2.0, 0.0, 0.0)).unwrap();
    assert_eq!((beyond.along_mm, beyond.distance_mm), (0.0, 2.0));
    let empty = Graph {
        nodes: vec![],
        segments: vec![],
    };
    assert!(empty.nearest(Point::origin()).is_none());
    assert_eq!((empty.components(), empty.loop_count()), (0, 0));
}

#[test]
fn deepest_prefers_the_wide_vessel() {
    let mut graph = bent();
    let thin = Segment {
        points: vec![Point::new(0.0, 2.0, 0.0), Point::new(0.0, 3.0, 0.0)],
        radii_mm: vec![0.5; 2],
        inscribed_mm: vec![0.5; 2],
        ..graph.segments[0].clone()
    };
    graph.segments.push(thin);
    let query = Point::new(0.8, 2.5, 0.0);
    assert_eq!(graph.nearest(query).unwrap().segment, 1);
    assert_eq!(graph.deepest(query).unwrap().segment, 0);
}

#[test]
fn resampling_keeps_ends_and_spacing() {
    let even = bent().resampled(2.0);
    let segment = &even.segments[0];
    assert_eq!(segment.points.len(), 5);
    assert_eq!(segment.points[0], Point::origin());
    assert_eq!(segment.points[4], Point::new(3.0, 4.0, 0.0));
    assert_eq!(segment.points[2], Point::new(3.0, 0.5, 0.0));
    assert_eq!(segment.radii_mm[2], 4.5);
    // Steps that make no sense do not hang or fill memory.
    for step in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(bent().resampled(step).segments[0].points.len() >= 2);
    }
}

#[test]
fn transformed_scales_radii_with_lengths() {
    let mirror_and_double = Matrix3::from_diagonal(&Vec3::new(-2.0, 2.0, 2.0));
    let map = Affine::<Patient, Patient>::new(mirror_and_double, Vec3::new(1.0, 0.0, 0.0)).unwrap();
    let graph = bent().transformed(&map);
    check_invariants(&graph);
    assert!((graph.length_mm() - 14.0).abs() < 1e-12);
    assert!((graph.nodes[1].radius_mm - 16.0).abs() < 1e-12);
    assert_eq!(graph.nodes[1].point, Point::new(-5.0, 8.0, 0.0));
}
