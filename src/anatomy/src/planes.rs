//! Standard planes of one patient, derived from the surfaces by the atlas' rules.

use std::collections::BTreeMap;

use geometry::moments::moments;
use geometry::{Point, TriMesh, Vector, frame};

use crate::atlas::{Atlas, DisplayName, FittedPlane, PlaneRule};

type P = Point<frame::Patient>;
type V = Vector<frame::Patient>;

/// Share of a structure's length over which a place "at" a fraction of it is averaged.
const SLAB_SHARE: f64 = 0.1;

/// Where a standard plane lies in one patient. The picture's axes are `lateral` (to where the
/// probe's marker points) and `depth` (away from the probe); they are orthonormal.
#[derive(Clone, Debug, PartialEq)]
pub struct StandardPlane {
    /// Id of the plane in the atlas.
    pub id: String,
    /// A point of the plane in the middle of what it is to show, mm.
    pub center: P,
    /// Unit vector from the picture's middle to its marker side.
    pub lateral: V,
    /// Unit vector from the probe into the body.
    pub depth: V,
    /// Structures that the plane must show, alternatives resolved to those present.
    pub required: Vec<String>,
    /// Structures present that the plane may show too.
    pub optional: Vec<String>,
}

impl StandardPlane {
    /// Unit normal, `lateral` × `depth`.
    pub fn normal(&self) -> V {
        self.lateral.cross(&self.depth)
    }
}

/// The surfaces a plane is derived from, by structure id.
pub type Surfaces<'a> = BTreeMap<&'a str, &'a TriMesh<frame::Patient>>;

/// The planes of the atlas that a patient with these surfaces has, with their names. A plane is
/// left out where a required structure is missing or does not meet it, where the rule gives none (a
/// structure without volume, three centroids in line), or where the probe cannot look along it.
pub fn derive_all(atlas: &Atlas, surfaces: &Surfaces<'_>) -> Vec<(DisplayName, StandardPlane)> {
    let fitted = atlas.planes_for(|id| surfaces.contains_key(id));
    let derived =
        |plane: FittedPlane<'_>| Some((plane.entry.name.clone(), derive(&plane, surfaces)?));
    fitted.into_iter().filter_map(derived).collect()
}

fn derive(plane: &FittedPlane<'_>, surfaces: &Surfaces<'_>) -> Option<StandardPlane> {
    let entry = plane.entry;
    let look = entry.approach.looking();
    let (center, normal) = center_and_normal(&plane.rule, look, surfaces)?;
    let (lateral, depth) = picture_axes(normal, look, entry.marker.unit())?;
    let shown = |id: &&str| {
        surfaces
            .get(id)
            .is_some_and(|mesh| crosses(mesh, center, lateral.cross(&depth)))
    };
    if !plane.required.iter().all(shown) {
        return None;
    }
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    Some(StandardPlane {
        id: entry.id.clone(),
        center,
        lateral,
        depth,
        required: owned(&plane.required),
        optional: owned(&plane.optional),
    })
}

/// Whether a surface has vertices on both sides of a plane.
fn crosses(mesh: &TriMesh<frame::Patient>, center: P, normal: V) -> bool {
    let above = |v: &[f32; 3]| (P::from_f32(*v) - center).dot(&normal) > 0.0;
    mesh.vertices().iter().any(above) && !mesh.vertices().iter().all(above)
}

/// The axes of the picture in a plane: depth as near as possible to where the probe looks, the
/// marker on the side it should point to.
fn picture_axes(normal: V, look: V, marker: V) -> Option<(V, V)> {
    /// A probe tilts by up to 60° from where it stands; beyond, the plane is another approach's.
    const LEAST_ALONG: f64 = 0.5;
    let normal = normal.normalized()?;
    let along = look - normal * look.dot(&normal);
    let depth = along.normalized().filter(|_| along.norm() >= LEAST_ALONG)?;
    let lateral = normal.cross(&depth);
    // Straight at the marker's direction, the picture would have no marker side: keep the first.
    let turned = lateral.dot(&marker) < 0.0;
    Some((if turned { lateral * -1.0 } else { lateral }, depth))
}

fn center_and_normal(rule: &PlaneRule, look: V, surfaces: &Surfaces<'_>) -> Option<(P, V)> {
    let long_axis = |id: &String| LongAxis::of(surfaces.get(id.as_str())?);
    let centroid = |id: &String| Some(moments(surfaces.get(id.as_str())?)?.centroid);
    let across =
        |through: &String, at: &f64, normal: V| Some((long_axis(through)?.place(*at), normal));
    match rule {
        PlaneRule::LongAxis { of } => Some((centroid(of)?, long_axis(of)?.axis.cross(&look))),
        PlaneRule::ShortAxis { of, at } => {
            let long = long_axis(of)?;
            Some((long.place(*at), long.axis))
        }
        PlaneRule::Sagittal { through, at } => across(through, at, V::new(1.0, 0.0, 0.0)),
        PlaneRule::Coronal { through, at } => across(through, at, V::new(0.0, 1.0, 0.0)),
        PlaneRule::Transverse { through, at } => across(through, at, V::new(0.0, 0.0, 1.0)),
        PlaneRule::Spanned { through, at, by } => across(through, at, by.unit().cross(&look)),
        PlaneRule::Through {
            first,
            second,
            third,
        } => {
            let [a, b, c] = [centroid(first)?, centroid(second)?, centroid(third)?];
            let middle = Point::from_coords((a.coords + b.coords + c.coords) / 3.0);
            Some((middle, (b - a).cross(&(c - a))))
        }
    }
}

/// A structure along its long axis, from its superior end (of a lying one the right end, then the
/// anterior one).
struct LongAxis<'a> {
    mesh: &'a TriMesh<frame::Patient>,
    /// Unit vector from the start to the end.
    axis: V,
    start_mm: f64,
    length_mm: f64,
}

impl<'a> LongAxis<'a> {
    fn of(mesh: &'a TriMesh<frame::Patient>) -> Option<Self> {
        let long = moments(mesh)?.axes[0];
        let headward = V::new(0.0, 0.0, 1.0);
        let rightward = V::new(-1.0, 0.0, 0.0);
        let forward = V::new(0.0, -1.0, 0.0);
        let towards = [headward, rightward, forward]
            .into_iter()
            .max_by(|a, b| (long.dot(a).abs()).total_cmp(&long.dot(b).abs()))?;
        let axis = if long.dot(&towards) > 0.0 {
            long * -1.0
        } else {
            long
        };
        let along = |v: &[f32; 3]| P::from_f32(*v).coords.dot(&axis.coords);
        let (low, high) = mesh
            .vertices()
            .iter()
            .map(along)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), a| {
                (low.min(a), high.max(a))
            });
        Some(Self {
            mesh,
            axis,
            start_mm: low,
            length_mm: high - low,
        })
    }

    /// The middle of the slab at a fraction of the length; of a bent structure it lies in the bend.
    fn place(&self, at: f64) -> P {
        let half = 0.5 * SLAB_SHARE * self.length_mm;
        let middle = self.start_mm + at.clamp(0.0, 1.0) * self.length_mm;
        let mut sum = nalgebra::Vector3::zeros();
        let mut count = 0.0;
        for vertex in self.mesh.vertices() {
            let place = P::from_f32(*vertex).coords;
            if (place.dot(&self.axis.coords) - middle).abs() <= half {
                sum += place;
                count += 1.0;
            }
        }
        if count == 0.0 {
            return Point::from_f32(self.mesh.bounds().center());
        }
        let mean = sum / count;
        Point::from_coords(mean + self.axis.coords * (middle - mean.dot(&self.axis.coords)))
    }
}

#[cfg(test)]
mod tests {
    use geometry::sdf::{Expr, SurfaceLimits, surface};

    use super::*;

    fn ellipsoid(center: [f64; 3], radii_mm: [f64; 3]) -> TriMesh<frame::Patient> {
        let shape = Expr::Ellipsoid { center, radii_mm };
        surface(&shape, 2.0, &SurfaceLimits::default()).unwrap()
    }

    /// A liver and a right kidney whose upper pole leans to the midline, as it does in people.
    fn planes() -> Vec<(DisplayName, StandardPlane)> {
        let liver = ellipsoid([-60.0, 0.0, 90.0], [70.0, 60.0, 60.0]);
        let kidney = surface(
            &Expr::Rotate {
                of: Box::new(Expr::Ellipsoid {
                    center: [-60.0, 45.0, 0.0],
                    radii_mm: [25.0, 20.0, 55.0],
                }),
                about: [-60.0, 45.0, 0.0],
                axis: [0.0, 1.0, 0.0],
                angle_rad: 0.25,
            },
            2.0,
            &SurfaceLimits::default(),
        )
        .unwrap();
        derive_all(
            Atlas::builtin(),
            &BTreeMap::from([("liver", &liver), ("kidney_right", &kidney)]),
        )
    }

    #[test]
    fn only_planes_whose_organs_are_there() {
        let ids: Vec<String> = planes().into_iter().map(|(_, plane)| plane.id).collect();
        assert!(ids.contains(&"right_upper_quadrant".to_owned()), "{ids:?}");
        assert!(
            !ids.iter()
                .any(|id| id.contains("spleen") || id.contains("aorta")),
            "{ids:?}"
        );
    }

    #[test]
    fn axes_are_orthonormal_and_look_where_the_probe_looks() {
        for (_, plane) in planes() {
            assert!((plane.lateral.norm() - 1.0).abs() < 1e-9, "{plane:?}");
            assert!((plane.depth.norm() - 1.0).abs() < 1e-9, "{plane:?}");
            assert!(plane.lateral.dot(&plane.depth).abs() < 1e-9, "{plane:?}");
            let entry = Atlas::builtin().plane(&plane.id).unwrap();
            assert!(
                plane.depth.dot(&entry.approach.looking()) > 0.5,
                "{plane:?}"
            );
            assert!(plane.lateral.dot(&entry.marker.unit()) > 0.0, "{plane:?}");
        }
    }

    #[test]
    fn the_long_axis_of_the_kidney_lies_in_its_plane() {
        let (_, plane) = planes()
            .into_iter()
            .find(|(_, p)| p.id == "kidney_right_long")
            .unwrap();
        let axis = V::new(0.25_f64.sin(), 0.0, 0.25_f64.cos());
        assert!(plane.normal().dot(&axis).abs() < 0.02, "{plane:?}");
        assert!(
            plane.center.distance(&P::new(-60.0, 45.0, 0.0)) < 1.0,
            "{plane:?}"
        );
        let (_, across) = planes()
            .into_iter()
            .find(|(_, p)| p.id == "kidney_right_short")
            .unwrap();
        assert!(across.normal().dot(&axis).abs() > 0.99, "{across:?}");
    }
}
