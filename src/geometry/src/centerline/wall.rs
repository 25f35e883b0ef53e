//! The lumen's surface, prepared for many small questions: how thick is the lumen here, what does a
//! cross-section look like, where does a ray leave?

use std::collections::BTreeMap;
use std::f64::consts::PI;

use nalgebra::Vector3;

use super::{CenterlineError, Vec3, unit};
use crate::bvh::Bvh;
use crate::closest::closest_on_triangle;
use crate::frame::Point;
use crate::mesh::{Aabb, TriMesh};

/// Directions in which a cross-section is felt out. The area of a circle seen by so many rays is
/// 0.16 % small.
const SECTION_RAYS: usize = 64;

/// A closed welded surface with its box tree.
pub(super) struct Wall<'a, F> {
    pub mesh: &'a TriMesh<F>,
    bvh: Bvh,
    /// +1 where a triangle's connected part faces outward, −1 where it faces inward.
    outward: Vec<f64>,
    neighbours: Vec<[u32; 3]>,
    filled_volume_mm3: f64,
    /// Parts and tunnels that the inside should have. `None` where the surface is not a manifold;
    /// not to be trusted where parts overlap or lie in each other.
    pub topology: Option<(usize, usize)>,
}

/// What one plane through the lumen shows round a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    /// Centroid of the visible cross-section.
    pub center: Vec3,
    /// Radius of the circle of the same area, mm.
    pub radius_mm: f64,
    /// Part of the directions in which no wall was found within reach: 0 for a closed section.
    pub open: f64,
}

impl<'a, F> Wall<'a, F> {
    pub fn new(mesh: &'a TriMesh<F>) -> Result<Self, CenterlineError> {
        let edges = check_closed(mesh)?;
        let boxes: Vec<Aabb> = (0..mesh.triangles().len())
            .map(|t| Aabb::of_points(&mesh.corners(t)))
            .collect();
        let labels = mesh.component_labels();
        let volumes = component_volumes(mesh, &labels);
        Ok(Self {
            mesh,
            bvh: Bvh::build(&boxes),
            outward: labels
                .iter()
                .map(|&l| 1.0_f64.copysign(volumes[l as usize]))
                .collect(),
            filled_volume_mm3: volumes.iter().map(|v| v.abs()).sum(),
            topology: edges
                .manifold_count
                .map(|count| (volumes.len(), tunnels(mesh, volumes.len(), count))),
            neighbours: edges.neighbours,
        })
    }

    pub fn corners(&self, triangle: u32) -> [Vec3; 3] {
        self.mesh
            .corners(triangle as usize)
            .map(|[x, y, z]| Vec3::new(f64::from(x), f64::from(y), f64::from(z)))
    }

    /// The connected parts' volumes added up, mm³.
    pub fn filled_volume_mm3(&self) -> f64 {
        self.filled_volume_mm3
    }

    /// What the triangles cover seen along z, each for itself, mm².
    pub fn projected_area_mm2(&self) -> f64 {
        (0..self.mesh.triangles().len() as u32)
            .map(|t| {
                let [a, b, c] = self.corners(t);
                0.5 * (b - a).cross(&(c - a)).z.abs()
            })
            .sum()
    }

    pub fn outward(&self, triangle: u32) -> f64 {
        self.outward[triangle as usize]
    }

    pub fn distance_to(&self, triangle: u32, place: Vec3) -> f64 {
        let corners = self.corners(triangle).map(Point::<F>::from_coords);
        let place = Point::from_coords(place);
        closest_on_triangle(place, corners).0.distance(&place)
    }

    /// The nearest triangle and its distance, mm, looking no farther than `limit_mm`.
    pub fn nearest(&self, place: Vec3, limit_mm: f64) -> Option<(u32, f64)> {
        let squared = |t: u32| self.distance_to(t, place).powi(2);
        let place = [place.x, place.y, place.z];
        let (triangle, squared) = self.bvh.nearest(place, limit_mm * limit_mm, squared)?;
        Some((triangle, squared.sqrt()))
    }

    pub fn distance(&self, place: Vec3) -> f64 {
        self.nearest(place, f64::INFINITY)
            .map_or(0.0, |(_, distance)| distance)
    }

    /// Where a ray first meets the wall, as a length along the unit `direction`, up to `reach_mm`.
    pub fn first_hit(&self, start: Vec3, direction: Vec3, reach_mm: f64) -> Option<f64> {
        self.first_hit_triangle(start, direction, reach_mm)
            .map(|(_, hit)| hit)
    }

    /// Looks along the ray in growing pieces, so that the boxes asked stay small where the wall is
    /// near.
    fn first_hit_triangle(
        &self,
        start: Vec3,
        direction: Vec3,
        reach_mm: f64,
    ) -> Option<(u32, f64)> {
        const FIRST_PART: f64 = 1e-3;
        const GROWTH: f64 = 1.6;
        let (mut from, mut to) = (0.0, reach_mm * FIRST_PART);
        while from < reach_mm {
            let ends = [start + direction * from, start + direction * to];
            if let Some(hit) = self.first_hit_in(&box_of(&ends), start, direction, to) {
                return Some(hit);
            }
            (from, to) = (to, (to * GROWTH).min(reach_mm));
        }
        None
    }

    fn first_hit_in(
        &self,
        query: &Aabb,
        start: Vec3,
        direction: Vec3,
        to: f64,
    ) -> Option<(u32, f64)> {
        let mut best: Option<(u32, f64)> = None;
        self.bvh.overlapping(query, |t| {
            let Some(hit) = ray_triangle(start, direction, self.corners(t)) else {
                return;
            };
            let (triangle, least) = best.unwrap_or((u32::MAX, to));
            if hit < least || (hit == least && t < triangle) {
                best = Some((t, hit));
            }
        });
        best
    }

    /// The cross-section seen from `place` in the plane across the unit `tangent`, looking no
    /// farther than `reach_mm`: a star-shaped polygon, so that neighbouring vessels cut by the same
    /// plane do not count.
    pub fn section(&self, place: Vec3, tangent: Vec3, reach_mm: f64) -> Section {
        let (across_u, across_v) = plane_axes(tangent);
        let mut hits = [f64::INFINITY; SECTION_RAYS];
        self.for_each_near_plane(place, [across_u, across_v], reach_mm, |t| {
            let corners = self.corners(t).map(|c| c - place);
            if let Some(piece) = cut(corners, tangent) {
                let piece = piece.map(|p| [p.dot(&across_u), p.dot(&across_v)]);
                shorten(&mut hits, piece);
            }
        });
        let open = close_mouths(&mut hits, reach_mm);
        let (area, u, v) = star_area_and_centroid(&hits);
        Section {
            center: place + across_u * u + across_v * v,
            radius_mm: (area / PI).sqrt(),
            open,
        }
    }

    /// Visits the triangles near a square of plane, some of them several times. Small boxes along the
    /// plane hold far fewer than one box about all of it.
    fn for_each_near_plane(
        &self,
        place: Vec3,
        [u, v]: [Vec3; 2],
        reach_mm: f64,
        mut visit: impl FnMut(u32),
    ) {
        const TILES: i32 = 6;
        let edge = 2.0 * reach_mm / f64::from(TILES);
        let corner = |i: i32, j: i32| {
            place + u * (f64::from(i) * edge - reach_mm) + v * (f64::from(j) * edge - reach_mm)
        };
        for (i, j) in (0..TILES).flat_map(|i| (0..TILES).map(move |j| (i, j))) {
            let tile = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(a, b)| corner(i + a, j + b));
            self.bvh.overlapping(&box_of(&tile), &mut visit);
        }
    }

    /// How much a section about `place` says about the vessel's middle: 1 for a circle, 0 for a
    /// place in a wide-open space or a section whose middle lies behind a wall.
    pub fn trust(&self, place: Vec3, section: &Section) -> f64 {
        const MOST_OPEN: f64 = 0.25;
        if section.open >= MOST_OPEN || section.radius_mm <= 0.0 {
            return 0.0;
        }
        let shift = section.center - place;
        if self.first_hit(place, unit(shift), shift.norm()).is_some() {
            return 0.0;
        }
        let roundness = (self.distance(section.center) / section.radius_mm).min(1.0);
        roundness * roundness * (1.0 - section.open / MOST_OPEN)
    }

    /// The direction in which the connected part nearest to `place` extends farthest.
    pub fn longest_axis(&self, place: Vec3) -> Vec3 {
        let labels = self.mesh.component_labels();
        let label = self
            .nearest(place, f64::INFINITY)
            .map(|(t, _)| labels[t as usize]);
        let mut spread = nalgebra::Matrix3::zeros();
        for (triangle, &of) in labels.iter().enumerate() {
            if Some(of) == label {
                for corner in self.corners(triangle as u32) {
                    spread += (corner - place) * (corner - place).transpose();
                }
            }
        }
        let eigen = spread.symmetric_eigen();
        eigen
            .eigenvectors
            .column(eigen.eigenvalues.imax())
            .into_owned()
    }

    /// Half the way from a triangle's middle straight through the lumen to a wall that faces it.
    /// Slivers, whose normals are noise, mostly meet a wall that does not face them: `None`.
    fn half_thickness(&self, triangle: u32) -> Option<f64> {
        const FACING: f64 = -0.7;
        let inward = -self.normal(triangle)?;
        let [a, b, c] = self.corners(triangle);
        let start = (a + b + c) / 3.0;
        let (opposite, hit) = self.cross(start, inward, 0.1 * self.area(triangle).sqrt())?;
        let faces = -inward.dot(&self.normal(opposite)?) < FACING;
        faces.then_some(0.5 * hit)
    }

    /// Walks from the wall at `start` along the unit `direction`, each step as long as the free ball
    /// there, until the wall is nearer than 1 % of the way. Cheaper than a ray on fine surfaces.
    fn cross(&self, start: Vec3, direction: Vec3, first_mm: f64) -> Option<(u32, f64)> {
        const MOST_STEPS: usize = 60;
        let mut along = first_mm;
        for _ in 0..MOST_STEPS {
            let (triangle, room) = self.nearest(start + direction * along, f64::INFINITY)?;
            along += room;
            if room < 0.01 * along {
                return Some((triangle, along));
            }
        }
        None
    }

    fn normal(&self, triangle: u32) -> Option<Vec3> {
        let [a, b, c] = self.corners(triangle);
        let normal = (b - a).cross(&(c - a)) * self.outward(triangle);
        normal.try_normalize(f64::MIN_POSITIVE)
    }

    fn area(&self, triangle: u32) -> f64 {
        let [a, b, c] = self.corners(triangle);
        0.5 * (b - a).cross(&(c - a)).norm()
    }

    /// Radius of the thinnest tube of the surface, mm: the smallest radius class (steps of 25 %)
    /// with enough triangles and enough area to be a tube. A triangle counts if its neighbours find
    /// the lumen about as thick, as they do on a tube but not in a crotch or on a sliver.
    pub fn thinnest_radius_mm(&self) -> Option<f64> {
        const MOST_ASKED: usize = 2_000;
        const STEP: f64 = 1.25;
        const LEAST_TRIANGLES: usize = 6;
        const LEAST_PART: f64 = 5e-4;
        let stride = self.mesh.triangles().len().div_ceil(MOST_ASKED);
        let mut classes = BTreeMap::<i32, (usize, f64)>::new();
        for triangle in (0..self.mesh.triangles().len() as u32).step_by(stride) {
            if let Some(radius) = self.tube_radius(triangle) {
                let class = classes.entry((radius.ln() / STEP.ln()).floor() as i32);
                let (count, area) = class.or_default();
                *count += stride;
                *area += self.area(triangle) * stride as f64;
            }
        }
        let least_area = LEAST_PART * self.mesh.area_mm2();
        let thinnest = classes.iter().find(|&(&class, &(count, area))| {
            let radius = STEP.powi(class);
            let four_radii_of_tube = 8.0 * PI * radius * radius;
            count >= LEAST_TRIANGLES && area > four_radii_of_tube.max(least_area)
        });
        // No tube at all, such as a ball: what most of the surface says.
        let widest = classes.iter().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
        thinnest.or(widest).map(|(&class, _)| STEP.powi(class))
    }

    fn tube_radius(&self, triangle: u32) -> Option<f64> {
        const ALIKE: f64 = 1.6;
        let radius = self.half_thickness(triangle)?;
        let alike = |&neighbour: &u32| {
            let other = self.half_thickness(neighbour);
            other.is_some_and(|other| other < ALIKE * radius && radius < ALIKE * other)
        };
        let mut neighbours = self.neighbours[triangle as usize].iter();
        // Two of the three: `any` goes on behind the first it found.
        let agree = neighbours.any(alike) && neighbours.any(alike);
        (radius > 0.0 && agree).then_some(radius)
    }
}

/// What the edges of a closed surface say.
struct Edges {
    /// Number of edges, where each is used exactly once each way.
    manifold_count: Option<usize>,
    /// For each triangle the ones across its edges.
    neighbours: Vec<[u32; 3]>,
}

/// Every edge must be used equally often in both directions.
fn check_closed<F>(mesh: &TriMesh<F>) -> Result<Edges, CenterlineError> {
    let sides = sorted_sides(mesh);
    let mut neighbours = vec![[u32::MAX; 3]; mesh.triangles().len()];
    let (mut edges, mut open, mut manifold, mut first) = (0, 0, true, None);
    for edge in sides.chunk_by(|x, y| x.ends == y.ends) {
        edges += 1;
        manifold &= edge.len() == 2;
        if edge.iter().map(|side| side.way).sum::<i32>() != 0 {
            open += 1;
            first.get_or_insert(mesh.vertices()[edge[0].ends.0 as usize]);
        }
        for (number, side) in edge.iter().enumerate() {
            let across = edge[(number + 1) % edge.len()].triangle;
            neighbours[side.triangle as usize][side.number] = across;
        }
    }
    match first {
        Some(place) => Err(CenterlineError::NotClosed { edges: open, place }),
        None => Ok(Edges {
            manifold_count: manifold.then_some(edges),
            neighbours,
        }),
    }
}

/// One triangle's use of an edge.
struct Side {
    ends: (u32, u32),
    triangle: u32,
    number: usize,
    /// +1 from the lower to the higher vertex, −1 back.
    way: i32,
}

fn sorted_sides<F>(mesh: &TriMesh<F>) -> Vec<Side> {
    let mut sides = Vec::with_capacity(3 * mesh.triangles().len());
    for (triangle, corners) in mesh.triangles().iter().enumerate() {
        for number in 0..3 {
            let (a, b) = (corners[number], corners[(number + 1) % 3]);
            sides.push(Side {
                ends: (a.min(b), a.max(b)),
                triangle: triangle as u32,
                number,
                way: if a < b { 1 } else { -1 },
            });
        }
    }
    sides.sort_unstable_by_key(|side| (side.ends, side.triangle));
    sides
}

/// Each tunnel of a solid is a handle of its boundary, whose Euler number is 2·parts − 2·handles.
fn tunnels<F>(mesh: &TriMesh<F>, parts: usize, edges: usize) -> usize {
    let mut used = vec![false; mesh.vertices().len()];
    mesh.triangles()
        .iter()
        .flatten()
        .for_each(|&v| used[v as usize] = true);
    let vertices = used.iter().filter(|&&u| u).count();
    // Vertices that two parts touch in make the sum come out low.
    (2 * parts + edges).saturating_sub(vertices + mesh.triangles().len()) / 2
}

fn component_volumes<F>(mesh: &TriMesh<F>, labels: &[u32]) -> Vec<f64> {
    let about = Vec3::from_iterator(mesh.bounds().center().into_iter().map(f64::from));
    let mut volumes = vec![0.0; labels.iter().max().map_or(0, |&m| m as usize + 1)];
    for (triangle, &label) in labels.iter().enumerate() {
        let [a, b, c] = mesh
            .corners(triangle)
            .map(|p| Point::<F>::from_f32(p).coords - about);
        volumes[label as usize] += a.dot(&b.cross(&c)) / 6.0;
    }
    volumes
}

fn box_of(points: &[Vec3]) -> Aabb {
    let as_f32: Vec<[f32; 3]> = points
        .iter()
        .map(|p| [p.x as f32, p.y as f32, p.z as f32])
        .collect();
    let tight = Aabb::of_points(&as_f32);
    // Rounding to single precision must not lose a triangle at the rim.
    let slack = tight.extent().into_iter().fold(1e-6, f32::max) * 1e-4;
    Aabb {
        min: tight.min.map(|v| v - slack),
        max: tight.max.map(|v| v + slack),
    }
}

/// Length along the unit ray to the triangle (Möller & Trumbore 1997), if positive.
fn ray_triangle(start: Vec3, direction: Vec3, [a, b, c]: [Vec3; 3]) -> Option<f64> {
    let (ab, ac) = (b - a, c - a);
    let p = direction.cross(&ac);
    let determinant = ab.dot(&p);
    let from_a = start - a;
    let u = from_a.dot(&p) / determinant;
    let q = from_a.cross(&ab);
    let v = direction.dot(&q) / determinant;
    let hit = ac.dot(&q) / determinant;
    // A slightly generous triangle, so that no ray slips through an edge; NaN compares false.
    const RIM: f64 = 1e-9;
    (u >= -RIM && v >= -RIM && u + v <= 1.0 + RIM && hit > 0.0).then_some(hit)
}

/// The piece of a triangle in the plane through the origin across `tangent`.
fn cut(corners: [Vec3; 3], tangent: Vec3) -> Option<[Vec3; 2]> {
    let height = corners.map(|c| c.dot(&tangent));
    let above = height.map(|h| h >= 0.0);
    let lone =
        (0..3).find(|&i| above[i] != above[(i + 1) % 3] && above[i] != above[(i + 2) % 3])?;
    let crossing = |other: usize| {
        let part = height[lone] / (height[lone] - height[other]);
        corners[lone] + (corners[other] - corners[lone]) * part
    };
    Some([crossing((lone + 1) % 3), crossing((lone + 2) % 3)])
}

/// Two unit axes across a unit vector.
fn plane_axes(tangent: Vec3) -> (Vec3, Vec3) {
    let least = tangent.iamin();
    let mut helper = Vector3::zeros();
    helper[least] = 1.0;
    let u = tangent
        .cross(&helper)
        .try_normalize(f64::MIN_POSITIVE)
        .unwrap_or_else(Vector3::y);
    (u, tangent.cross(&u))
}

/// Shortens the rays that meet the wall piece.
fn shorten(hits: &mut [f64; SECTION_RAYS], [a, b]: [[f64; 2]; 2]) {
    let turn = 2.0 * PI / SECTION_RAYS as f64;
    let (angle_a, angle_b) = (a[1].atan2(a[0]), b[1].atan2(b[0]));
    let mut sweep = angle_b - angle_a;
    if sweep > PI {
        sweep -= 2.0 * PI;
    } else if sweep < -PI {
        sweep += 2.0 * PI;
    }
    let (low, high) = if sweep >= 0.0 {
        (angle_a, angle_a + sweep)
    } else {
        (angle_a + sweep, angle_a)
    };
    const SLACK: f64 = 1e-9;
    let first = (low / turn - SLACK).ceil() as i64;
    let last = (high / turn + SLACK).floor() as i64;
    let along = [b[0] - a[0], b[1] - a[1]];
    let reach = a[0] * along[1] - a[1] * along[0];
    for ray in first..=last {
        let (sin, cos) = (ray as f64 * turn).sin_cos();
        let hit = reach / (cos * along[1] - sin * along[0]);
        let index = ray.rem_euclid(SECTION_RAYS as i64) as usize;
        if hit >= 0.0 && hit < hits[index] {
            hits[index] = hit;
        }
    }
}

/// Where rays run into a branch (far longer than most) the wall is taken straight across its mouth.
/// Gives the part of the rays for which that was done; with a wide-open section, 1.
fn close_mouths(hits: &mut [f64; SECTION_RAYS], reach_mm: f64) -> f64 {
    const FAR: f64 = 2.5;
    let mut sorted = *hits;
    sorted.sort_by(f64::total_cmp);
    let most = (FAR * sorted[SECTION_RAYS / 2]).min(reach_mm);
    let is_wall = hits.map(|h| h <= most);
    let walls: Vec<usize> = (0..SECTION_RAYS).filter(|&ray| is_wall[ray]).collect();
    if walls.len() < SECTION_RAYS / 2 {
        hits.iter_mut().for_each(|h| *h = h.min(reach_mm));
        return 1.0;
    }
    for (number, &ray) in walls.iter().enumerate() {
        let next = walls[(number + 1) % walls.len()];
        let gap = (next + SECTION_RAYS - ray) % SECTION_RAYS;
        let (from, to) = (hits[ray], hits[next]);
        for step in 1..gap {
            let part = step as f64 / gap as f64;
            hits[(ray + step) % SECTION_RAYS] = from + (to - from) * part;
        }
    }
    1.0 - walls.len() as f64 / SECTION_RAYS as f64
}

/// Area and centroid of the polygon whose corners lie at the given distances along the rays.
fn star_area_and_centroid(hits: &[f64; SECTION_RAYS]) -> (f64, f64, f64) {
    let turn = 2.0 * PI / SECTION_RAYS as f64;
    let corner = |ray: usize| {
        let (sin, cos) = (ray as f64 * turn).sin_cos();
        let hit = hits[ray % SECTION_RAYS];
        [hit * cos, hit * sin]
    };
    let (mut area, mut u, mut v) = (0.0, 0.0, 0.0);
    for ray in 0..SECTION_RAYS {
        let (p, q) = (corner(ray), corner(ray + 1));
        let wedge = 0.5 * (p[0] * q[1] - p[1] * q[0]);
        area += wedge;
        u += wedge * (p[0] + q[0]) / 3.0;
        v += wedge * (p[1] + q[1]) / 3.0;
    }
    if area > 0.0 {
        (area, u / area, v / area)
    } else {
        (0.0, 0.0, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_of_equal_rays_is_a_centred_circle() {
        let (area, u, v) = star_area_and_centroid(&[2.0; SECTION_RAYS]);
        assert!((area / (4.0 * PI) - 1.0).abs() < 0.002);
        assert!(u.hypot(v) < 1e-12);
    }

    #[test]
    fn a_square_seen_off_its_middle_has_its_centroid_in_the_middle() {
        let mut hits = [f64::INFINITY; SECTION_RAYS];
        // Corners of a square of edge 2 about (0.3, −0.2).
        let corners = [[-0.7, -1.2], [1.3, -1.2], [1.3, 0.8], [-0.7, 0.8]];
        for i in 0..4 {
            shorten(&mut hits, [corners[i], corners[(i + 1) % 4]]);
        }
        assert!(hits.iter().all(|h| h.is_finite()));
        let (area, u, v) = star_area_and_centroid(&hits);
        assert!((area - 4.0).abs() < 0.04, "{area}");
        assert!((u - 0.3).abs() < 0.02 && (v + 0.2).abs() < 0.02, "{u} {v}");
    }

    #[test]
    fn a_plane_cuts_a_triangle_where_it_should() {
        let corners = [
            Vec3::new(0.0, 0.0, -1.0),
            Vec3::new(1.0, 0.0, 1.0),
            Vec3::new(0.0, 1.0, 1.0),
        ];
        let [p, q] = cut(corners, Vec3::z()).unwrap();
        assert_eq!(p, Vec3::new(0.5, 0.0, 0.0));
        assert_eq!(q, Vec3::new(0.0, 0.5, 0.0));
        assert!(cut(corners.map(|c| c + Vec3::z() * 5.0), Vec3::z()).is_none());
    }
}
