//! Nearest places and signed distances.

use crate::closest::{SurfacePoint, closest_on_triangle};
use crate::frame::Point;

use super::lanes::{LANES, Lanes, Plain};
use super::tree::{BLOCK, Boxes, Tree};
use super::{Scene, SceneError, SurfaceId};

/// A place on one of a scene's surfaces.
#[derive(Clone, Copy, Debug)]
pub struct ScenePoint<F> {
    /// Which surface.
    pub surface: SurfaceId,
    /// Where on it; the triangle is counted within the surface.
    pub place: SurfacePoint<F>,
}

/// Box distances in single precision err by less than this part of the coordinates' size.
const MARGIN: f32 = 1e-6;

/// What the search has found so far; of equally near triangles the lowest.
struct Nearest<F> {
    squared: f64,
    triangle: u32,
    point: Point<F>,
    barycentric: [f64; 3],
}

impl<F> Scene<F> {
    /// The nearest place on any surface; `None` if the scene is empty or `place` is not a number.
    /// Of several equally near the one with the lowest surface and triangle.
    pub fn closest(&self, place: Point<F>) -> Option<ScenePoint<F>> {
        self.closest_in(&self.tree, place)
    }

    /// The nearest place on one surface; `None` if `place` is not a number.
    ///
    /// The first call for a surface builds a tree over it.
    ///
    /// # Errors
    /// [`SceneError::NoSuchSurface`].
    pub fn closest_on(
        &self,
        surface: SurfaceId,
        place: Point<F>,
    ) -> Result<Option<ScenePoint<F>>, SceneError> {
        Ok(self.closest_in(self.surface_tree(surface)?, place))
    }

    /// Distance to one surface, mm, negative inside; NaN if `place` is not a number.
    ///
    /// # Errors
    /// [`SceneError::NoSuchSurface`].
    pub fn signed_distance_mm(
        &self,
        surface: SurfaceId,
        place: Point<F>,
    ) -> Result<f64, SceneError> {
        let tree = self.surface_tree(surface)?;
        let Some(nearest) = self.closest_in(tree, place) else {
            return Ok(f64::NAN);
        };
        let winding: i32 = self.windings(tree, place).iter().map(|pass| pass.1).sum();
        let sign = if winding > 0 { -1.0 } else { 1.0 };
        Ok(sign * nearest.place.distance_mm)
    }

    fn closest_in(&self, tree: &Tree, place: Point<F>) -> Option<ScenePoint<F>> {
        let nearest = self.search(tree, place)?;
        let (surface, triangle) = self.geometry.local_triangle(nearest.triangle);
        Some(ScenePoint {
            surface,
            place: SurfacePoint {
                point: nearest.point,
                triangle,
                barycentric: nearest.barycentric,
                distance_mm: nearest.point.distance(&place),
            },
        })
    }

    fn search(&self, tree: &Tree, place: Point<F>) -> Option<Nearest<F>> {
        let mut best: Option<Nearest<F>> = None;
        if tree.nodes.is_empty() || !place.coords.iter().all(|c| c.is_finite()) {
            return None;
        }
        let reach = place.coords.amax() as f32 + tree.reach();
        let mut stack = vec![(0_u32, 0.0)];
        while let Some((link, bound)) = stack.pop() {
            if best.as_ref().is_some_and(|best| bound > best.squared) {
                continue;
            }
            if link & BLOCK != 0 {
                let block = &tree.blocks[(link & !BLOCK) as usize];
                for slot in 0..LANES {
                    self.offer(block.triangles[slot], place, &mut best);
                }
                continue;
            }
            let node = &tree.nodes[link as usize];
            let bounds = distances_squared(&node.boxes, place.to_f32(), MARGIN * reach);
            let first = stack.len();
            stack.extend((0..node.count as usize).map(|i| (node.children[i], bounds[i])));
            stack[first..].sort_by(|a, b| b.1.total_cmp(&a.1));
        }
        best
    }

    fn offer(&self, triangle: u32, place: Point<F>, best: &mut Option<Nearest<F>>) {
        let corners = self.geometry.corners(triangle).map(Point::from_f32);
        let (point, barycentric) = closest_on_triangle(place, corners);
        let squared = (point - place).dot(&(point - place));
        let wins = best.as_ref().is_none_or(|best| {
            squared < best.squared || (squared == best.squared && triangle < best.triangle)
        });
        if wins {
            *best = Some(Nearest {
                squared,
                triangle,
                point,
                barycentric,
            });
        }
    }
}

/// Lower bounds of the squared distances to eight boxes.
fn distances_squared(boxes: &Boxes, place: [f32; 3], margin: f32) -> [f64; LANES] {
    let mut squared = Plain::all(0.0);
    for (axis, &p) in place.iter().enumerate() {
        let p = Plain::all(p);
        let (min, max) = (Plain::load(&boxes.min[axis]), Plain::load(&boxes.max[axis]));
        let outside = (min - p).max(p - max).max(Plain::all(0.0));
        squared = squared + outside * outside;
    }
    squared.store().0.map(|s| {
        let distance = f64::from((s.sqrt() - margin).max(0.0));
        distance * distance
    })
}
