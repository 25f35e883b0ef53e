//! Which triangle is seen where: a z-buffer over orthographic triangles.
//!
//! The buffer stores the triangle, not its colour; [`super::shade`] asks for normals later. Bands
//! of rows are filled side by side, each in the order of the triangles, so the result does not
//! depend on the number of threads.

use rayon::prelude::*;

/// A surface after projection: picture x, y in points and depth in mm for each vertex.
pub struct Projected<'a> {
    /// One entry for each vertex of the mesh.
    pub places: Vec<[f32; 3]>,
    /// The mesh's triangles.
    pub triangles: &'a [[u32; 3]],
}

impl Projected<'_> {
    fn corners(&self, triangle: u32) -> [[f32; 3]; 3] {
        self.triangles[triangle as usize].map(|v| self.places[v as usize])
    }
}

/// Which of several surfaces at one picture point is kept.
#[derive(Clone, Copy, PartialEq)]
pub enum Keep {
    /// The one next to the viewer.
    Nearest,
    /// The one farthest from the viewer.
    Farthest,
}

/// What is seen at one picture point.
#[derive(Clone, Copy)]
pub struct Hit {
    /// Depth away from the viewer, mm.
    pub depth_mm: f32,
    /// Index into the drawn surfaces.
    pub surface: u32,
    /// The triangle of that surface.
    pub triangle: u32,
}

impl Hit {
    const NONE: Self = Self {
        depth_mm: f32::INFINITY,
        surface: u32::MAX,
        triangle: 0,
    };
    /// Whether anything is seen at all.
    pub fn is_some(&self) -> bool {
        self.surface != u32::MAX
    }
}

/// What is seen at every picture point.
pub struct ZBuffer {
    /// Points across.
    pub width: usize,
    /// Points down.
    pub height: usize,
    /// Row by row.
    pub hits: Vec<Hit>,
}

/// Rows a task fills at a time.
const BAND: usize = 32;

impl ZBuffer {
    /// Draws all surfaces.
    pub fn draw(surfaces: &[Projected], [width, height]: [usize; 2], keep: Keep) -> Self {
        let bins = bins(surfaces, height);
        let mut hits = vec![Hit::NONE; width * height];
        hits.par_chunks_mut(width * BAND)
            .zip(&bins)
            .enumerate()
            .for_each(|(band, (rows, bin))| {
                let mut rows = Rows {
                    first: band * BAND,
                    width,
                    hits: rows,
                    keep,
                };
                for &(surface, triangle) in bin {
                    let corners = surfaces[surface as usize].corners(triangle);
                    rows.draw(corners, surface, triangle);
                }
            });
        Self {
            width,
            height,
            hits,
        }
    }

    /// The hit at a place; `None` outside the picture or where nothing is seen.
    pub fn at(&self, x: i64, y: i64) -> Option<&Hit> {
        if x < 0 || y < 0 || x >= self.width as i64 || y >= self.height as i64 {
            return None;
        }
        let hit = &self.hits[y as usize * self.width + x as usize];
        hit.is_some().then_some(hit)
    }
}

/// For each band of rows the triangles that touch it, in their given order.
fn bins(surfaces: &[Projected], height: usize) -> Vec<Vec<(u32, u32)>> {
    let mut bins = vec![Vec::new(); height.div_ceil(BAND)];
    for (surface, projected) in surfaces.iter().enumerate() {
        for triangle in 0..projected.triangles.len() as u32 {
            let ys = projected.corners(triangle).map(|c| c[1]);
            let [from, to] = covered(ys, height);
            if from < to {
                for bin in &mut bins[from / BAND..=(to - 1) / BAND] {
                    bin.push((surface as u32, triangle));
                }
            }
        }
    }
    bins
}

/// The points `from..to` whose middles lie within the given places.
fn covered(places: [f32; 3], length: usize) -> [usize; 2] {
    let low = places.into_iter().fold(f32::INFINITY, f32::min);
    let high = places.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let index = |place: f32| place.clamp(0.0, length as f32) as usize;
    [index((low - 0.5).ceil()), index((high + 0.5).floor())]
}

/// A band of rows being filled.
struct Rows<'a> {
    first: usize,
    width: usize,
    hits: &'a mut [Hit],
    keep: Keep,
}

impl Rows<'_> {
    fn draw(&mut self, corners: [[f32; 3]; 3], surface: u32, triangle: u32) {
        let Some(weights) = Weights::of(corners) else {
            return;
        };
        let last = self.first + self.hits.len() / self.width;
        let [x0, x1] = covered(corners.map(|c| c[0]), self.width);
        let [y0, y1] = covered(corners.map(|c| c[1]), last);
        for y in y0.max(self.first)..y1 {
            for x in x0..x1 {
                let w = weights.at([x as f32 + 0.5, y as f32 + 0.5]);
                if w.iter().all(|&w| w >= 0.0) {
                    let [a, b, c] = corners.map(|c| c[2]);
                    let depth_mm = a + w[1] * (b - a) + w[2] * (c - a);
                    self.offer(
                        x,
                        y,
                        Hit {
                            depth_mm,
                            surface,
                            triangle,
                        },
                    );
                }
            }
        }
    }

    fn offer(&mut self, x: usize, y: usize, hit: Hit) {
        let kept = &mut self.hits[(y - self.first) * self.width + x];
        let better = match self.keep {
            Keep::Nearest => hit.depth_mm < kept.depth_mm,
            Keep::Farthest => !kept.is_some() || hit.depth_mm > kept.depth_mm,
        };
        if better {
            *kept = hit;
        }
    }
}

/// Barycentric weights as linear functions of the place.
pub struct Weights {
    origin: [f32; 2],
    /// For corners 1 and 2: change with x and with y.
    slopes: [[f32; 2]; 2],
}

impl Weights {
    /// `None` for triangles seen edge-on.
    pub fn of([a, b, c]: [[f32; 3]; 3]) -> Option<Self> {
        let (u, v) = ([b[0] - a[0], b[1] - a[1]], [c[0] - a[0], c[1] - a[1]]);
        let area2 = u[0] * v[1] - u[1] * v[0];
        (area2 != 0.0 && area2.is_finite()).then(|| Self {
            origin: [a[0], a[1]],
            slopes: [[v[1] / area2, -v[0] / area2], [-u[1] / area2, u[0] / area2]],
        })
    }
    /// The weights of the three corners at a place; all ≥ 0 inside.
    pub fn at(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        let (dx, dy) = (x - self.origin[0], y - self.origin[1]);
        let [w1, w2] = self.slopes.map(|s| s[0] * dx + s[1] * dy);
        [1.0 - w1 - w2, w1, w2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(depth: f32, from: f32, to: f32) -> Projected<'static> {
        Projected {
            places: vec![
                [from, from, depth],
                [to, from, depth],
                [to, to, depth],
                [from, to, depth],
            ],
            triangles: &[[0, 1, 2], [0, 2, 3]],
        }
    }

    fn count(buffer: &ZBuffer, surface: u32) -> usize {
        buffer.hits.iter().filter(|h| h.surface == surface).count()
    }

    #[test]
    fn a_square_covers_exactly_its_points() {
        let buffer = ZBuffer::draw(&[square(1.0, 10.0, 60.0)], [100, 90], Keep::Nearest);
        assert_eq!(count(&buffer, 0), 50 * 50);
        assert!(buffer.at(10, 10).is_some() && buffer.at(9, 10).is_none());
        assert!(buffer.at(59, 59).is_some() && buffer.at(60, 59).is_none());
    }

    #[test]
    fn the_nearer_or_the_farther_square_is_kept_in_any_order() {
        for order in [[5.0, 2.0], [2.0, 5.0]] {
            let both = order.map(|depth| square(depth, 0.0, 40.0));
            let near = ZBuffer::draw(&both, [40, 40], Keep::Nearest);
            assert!(near.hits.iter().all(|h| h.depth_mm == 2.0));
            let far = ZBuffer::draw(&both, [40, 40], Keep::Farthest);
            assert!(far.hits.iter().all(|h| h.depth_mm == 5.0));
        }
    }

    #[test]
    fn slivers_and_places_outside_draw_nothing() {
        let edge_on = Projected {
            places: vec![[0.0, 0.0, 1.0], [10.0, 10.0, 2.0], [20.0, 20.0, 3.0]],
            triangles: &[[0, 1, 2]],
        };
        let outside = square(1.0, 500.0, 900.0);
        let beyond = square(1.0, -1e30, -1e29);
        let buffer = ZBuffer::draw(&[edge_on, outside, beyond], [50, 50], Keep::Nearest);
        assert!(buffer.hits.iter().all(|h| !h.is_some()));
    }
}
