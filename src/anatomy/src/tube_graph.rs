//! The vessel graph of a recipe, exactly: from the tubes that its vessels' surfaces are made round,
//! not from the surfaces.

use std::f64::consts::TAU;

use geometry::centerline::{Curve, join_curves};
use geometry::sdf::{self, Expr, TubePoint, tube_course};
use geometry::{Point, frame};
use nalgebra::{Rotation3, Unit, Vector3};

use crate::atlas::{self, Circuit};
use crate::vessels::{VesselEnd, VesselGraph, VesselNode, VesselSegment, towards_center};

/// Distance of the graph's points along a vessel at the most, mm.
const STEP_MM: f64 = 2.0;

/// A stretch of vessel as the recipe gives it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VesselTube {
    /// Id of the structure whose lumen it is.
    pub structure: String,
    /// Id of the tissue inside.
    pub tissue: String,
    /// Whose blood it carries.
    pub circuit: Circuit,
    /// At which ends blood comes in and leaves, if the atlas says.
    pub flow: Option<atlas::Flow>,
    /// Axis and lumen radius, as for [`Expr::Tube`].
    pub points: Vec<TubePoint>,
}

/// Joins tubes of the same circuit where an end of one lies within another's lumen, which is split
/// there unless that is at one of its ends, and marks the free ends as [`VesselGraph::join`] does.
/// Points lie on the tubes' own curves, no more than 2 mm apart. Tubes that are no curves (a single
/// point, a radius that is not above 0) are left out.
pub(crate) fn graph_of_tubes(tubes: &[VesselTube]) -> VesselGraph {
    let mut graph = VesselGraph::default();
    for circuit in CIRCUITS {
        let own = tubes.iter().filter(|tube| tube.circuit == circuit);
        let courses: Vec<(&VesselTube, Curve<frame::Patient>)> = own
            .filter_map(|tube| Some((tube, tube.course()?)))
            .collect();
        add_circuit(&mut graph, &courses);
    }
    graph
}

const CIRCUITS: [Circuit; 5] = [
    Circuit::Arterial,
    Circuit::Venous,
    Circuit::Portal,
    Circuit::PulmonaryArterial,
    Circuit::PulmonaryVenous,
];

impl VesselTube {
    /// Its sampled axis; `None` for what is no curve.
    fn course(&self) -> Option<Curve<frame::Patient>> {
        let is_sound = |p: &TubePoint| {
            p.place.iter().all(|c| c.is_finite()) && p.radius_mm.is_finite() && p.radius_mm > 0.0
        };
        if self.points.len() < 2 || !self.points.iter().all(is_sound) {
            return None;
        }
        let course = tube_course(&self.points, STEP_MM);
        Some(Curve {
            points: course
                .iter()
                .map(|p| Point::from_coords(Vector3::from(p.place)))
                .collect(),
            radii_mm: course.iter().map(|p| p.radius_mm).collect(),
        })
    }
}

/// Adds one circuit's tubes, joined.
fn add_circuit(graph: &mut VesselGraph, courses: &[(&VesselTube, Curve<frame::Patient>)]) {
    let curves: Vec<Curve<frame::Patient>> = courses.iter().map(|(_, c)| c.clone()).collect();
    // Sound curves always join; see `VesselTube::course`.
    let Ok((joined, curve_of_segment)) = join_curves(&curves) else {
        return;
    };
    let first = graph.nodes.len();
    graph
        .nodes
        .extend(joined.nodes.iter().map(|node| VesselNode {
            at: node.point,
            flow: None,
        }));
    let mut ends = Vec::new();
    for (segment, &curve) in joined.segments.into_iter().zip(&curve_of_segment) {
        let (tube, course) = &courses[curve];
        let is_central = |at: Point<frame::Patient>| tube.is_central(course, at);
        for (node, at) in [(segment.start, 0), (segment.end, segment.points.len() - 1)] {
            ends.push(VesselEnd {
                node: first + node,
                radius_mm: segment.radii_mm[at],
                circuit: tube.circuit,
                is_central: is_central(segment.points[at]),
            });
        }
        graph.segments.push(VesselSegment {
            structure: Some(tube.structure.clone()),
            name: String::new(),
            tissue: tube.tissue.clone(),
            from: first + segment.start,
            to: first + segment.end,
            points: segment.points,
            radii_mm: segment.radii_mm,
        });
    }
    graph.mark_flow(&ends);
}

impl VesselTube {
    /// Whether a place is the tube's end towards the heart (portal: the liver), as the atlas says.
    fn is_central(&self, course: &Curve<frame::Patient>, at: Point<frame::Patient>) -> bool {
        let Some(central) = towards_center(self.circuit, self.flow) else {
            return false;
        };
        let along = |p: &Point<frame::Patient>| p.coords.dot(&central.coords);
        let ends = [course.points.first(), course.points.last()];
        ends.into_iter()
            .flatten()
            .all(|end| along(end) <= along(&at))
    }
}

/// The tubes that a vessel's solid is made of, where they end up: those of unions, of what is left
/// of differences and intersections, moved, turned, scaled and mirrored as their solids are, wider
/// or narrower by offsets. Capsules and round cones are tubes of two points. Solids of other kinds
/// have none.
pub(crate) fn tubes_of(solid: &Expr) -> Vec<Vec<TubePoint>> {
    match solid {
        Expr::Tube { points } => vec![points.clone()],
        Expr::Capsule {
            from,
            to,
            radius_mm,
        } => vec![straight([*from, *to], [*radius_mm; 2])],
        Expr::RoundCone {
            from,
            to,
            from_radius_mm,
            to_radius_mm,
        } => vec![straight([*from, *to], [*from_radius_mm, *to_radius_mm])],
        Expr::Union { parts, .. } | Expr::Intersection { parts, .. } => {
            parts.iter().flat_map(tubes_of).collect()
        }
        Expr::Difference { of, .. } | Expr::Noise { of, .. } => tubes_of(of),
        Expr::Offset { of, by_mm } => each_point(of, |p| TubePoint {
            radius_mm: p.radius_mm + by_mm,
            ..p
        }),
        Expr::Mirror { of, axis, at_mm } => {
            let mut both = tubes_of(of);
            both.extend(each_point(of, |p| reflected(p, *axis, *at_mm)));
            both
        }
        Expr::Reflect { of, axis, at_mm } => each_point(of, |p| reflected(p, *axis, *at_mm)),
        Expr::Translate { of, by_mm } => each_point(of, |p| {
            at(Vector3::from(p.place) + Vector3::from(*by_mm), p.radius_mm)
        }),
        Expr::Rotate {
            of,
            about,
            axis,
            angle_rad,
        } => turned(of, (*about).into(), (*axis).into(), *angle_rad),
        Expr::Scale { of, about, factor } => {
            let about = Vector3::from(*about);
            each_point(of, |p| {
                let place = about + (Vector3::from(p.place) - about) * *factor;
                at(place, p.radius_mm * factor)
            })
        }
        _ => Vec::new(),
    }
}

fn at(place: Vector3<f64>, radius_mm: f64) -> TubePoint {
    TubePoint {
        place: place.into(),
        radius_mm,
    }
}

fn straight(places: [[f64; 3]; 2], radii_mm: [f64; 2]) -> Vec<TubePoint> {
    places
        .into_iter()
        .zip(radii_mm)
        .map(|(place, radius_mm)| TubePoint { place, radius_mm })
        .collect()
}

fn each_point(of: &Expr, change: impl Fn(TubePoint) -> TubePoint) -> Vec<Vec<TubePoint>> {
    let tubes = tubes_of(of).into_iter();
    tubes
        .map(|tube| tube.into_iter().map(&change).collect())
        .collect()
}

fn reflected(mut point: TubePoint, axis: sdf::Axis, at_mm: f64) -> TubePoint {
    let index = match axis {
        sdf::Axis::X => 0,
        sdf::Axis::Y => 1,
        sdf::Axis::Z => 2,
    };
    point.place[index] = 2.0 * at_mm - point.place[index];
    point
}

fn turned(
    of: &Expr,
    about: Vector3<f64>,
    axis: Vector3<f64>,
    angle_rad: f64,
) -> Vec<Vec<TubePoint>> {
    // A recipe's solid with an axis of no length is refused before it comes here.
    let Some(axis) = Unit::try_new(axis, 1e-12) else {
        return Vec::new();
    };
    let turn = Rotation3::from_axis_angle(&axis, angle_rad % TAU);
    each_point(of, |p| {
        at(about + turn * (Vector3::from(p.place) - about), p.radius_mm)
    })
}

#[cfg(test)]
mod tests;
