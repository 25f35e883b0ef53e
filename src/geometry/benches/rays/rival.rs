//! The tree to be measured against.

use std::hint::black_box;

use geometry::scene::Ray;
use geometry::{Patient, TriMesh};
use parry3d::math::Vector as Vec3;
use parry3d::partitioning::{Bvh, BvhBuildStrategy, TraversalAction};
use parry3d::query::details::local_ray_intersection_with_triangle;
use parry3d::shape::Triangle;

/// parry3d at its best: triangles gathered, boxes tested with the inverse direction, every hit
/// collected with normal and weights, sorted along the ray. No media.
pub struct Rival {
    bvh: Bvh,
    triangles: Vec<Triangle>,
}

impl Rival {
    /// Gathers the triangles and builds the tree.
    pub fn new(meshes: &[TriMesh<Patient>]) -> Self {
        let corners = meshes
            .iter()
            .flat_map(|mesh| (0..mesh.triangles().len()).map(|t| mesh.corners(t)));
        let triangles: Vec<Triangle> = corners
            .map(|corners| {
                let [a, b, c] = corners.map(|[x, y, z]| Vec3::new(x, y, z));
                Triangle::new(a, b, c)
            })
            .collect();
        let boxes: Vec<_> = triangles.iter().map(Triangle::local_aabb).collect();
        Self {
            bvh: Bvh::from_leaves(BvhBuildStrategy::Binned, &boxes),
            triangles,
        }
    }

    fn cast(&self, ray: &Ray<Patient>, hits: &mut Vec<(f32, Vec3, Vec3, u32)>) {
        let [origin, direction] =
            [ray.origin().to_f32(), ray.direction().to_f32()].map(|[x, y, z]| Vec3::new(x, y, z));
        let inverse = direction.recip();
        let t_max = ray.t_max_mm() as f32;
        let line = parry3d::query::Ray::new(origin, direction);
        self.bvh.traverse(|node| {
            let t1 = (node.mins() - origin) * inverse;
            let t2 = (node.maxs() - origin) * inverse;
            let near = t1.min(t2).max_element().max(0.0);
            let far = t1.max(t2).min_element().min(t_max);
            if near > far {
                return TraversalAction::Prune;
            }
            if let Some(leaf) = node.leaf_data() {
                let triangle = &self.triangles[leaf as usize];
                let hit =
                    local_ray_intersection_with_triangle(triangle.a, triangle.b, triangle.c, &line);
                if let Some((hit, weights)) = hit
                    && hit.time_of_impact <= t_max
                {
                    hits.push((hit.time_of_impact, hit.normal, weights, leaf));
                }
            }
            TraversalAction::Continue
        });
        hits.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// The number of crossings, so that both can be seen to do the same work.
    pub fn cast_all(&self, rays: &[Ray<Patient>], out: &mut Vec<(f32, Vec3, Vec3, u32)>) -> usize {
        let mut count = 0;
        for ray in rays {
            out.clear();
            self.cast(ray, out);
            count += black_box(&*out).len();
        }
        count
    }
}
