//! The shaded picture in three dimensions.
//!
//! Opaque surfaces are lit by a key light, a fill light and a soft sky, darkened where neighbours
//! crowd in (ambient occlusion from the depth buffer) and towards the back. Translucent shells
//! (skin) are laid behind and before them, denser where they are seen edge-on. Everything is
//! computed in linear light on a grid twice as fine and averaged.

use geometry::{Patient, TriMesh};
use rayon::prelude::*;

use super::raster::{Hit, Keep, Projected, Weights, ZBuffer};
use super::view::Projection;
use crate::drawing::color::{Rgb, encode_rgb, linear_rgb, theme};

/// Points of the fine grid for each picture point, each way.
const FINE: usize = 2;
/// From this opacity on a surface hides what is behind it.
const OPAQUE: f32 = 0.999;
/// Towards the key light: over the viewer's left shoulder (right, up, toward).
const KEY: [f32; 3] = [-0.429, 0.572, 0.699];
/// Towards the fill light: low on the right.
const FILL: [f32; 3] = [0.836, -0.209, 0.508];
/// Halfway between the key light and the viewer, for highlights.
const HALFWAY: [f32; 3] = [-0.233, 0.310, 0.922];

/// A surface ready to be lit.
pub struct Body<'a> {
    /// The mesh.
    pub mesh: &'a TriMesh<Patient>,
    /// Unit normals at its vertices, see [`vertex_normals`].
    pub normals: Vec<[f32; 3]>,
    /// Linear colour.
    pub color: [f32; 3],
    /// 0..=1.
    pub opacity: f32,
}

impl<'a> Body<'a> {
    /// Computes the normals.
    pub fn new(mesh: &'a TriMesh<Patient>, color: Rgb, opacity: f32) -> Self {
        Self {
            mesh,
            normals: vertex_normals(mesh),
            color: linear_rgb(color),
            opacity: if opacity.is_finite() {
                opacity.clamp(0.0, 1.0)
            } else {
                1.0
            },
        }
    }
    fn is_opaque(&self) -> bool {
        self.opacity >= OPAQUE
    }
    fn size_mm(&self) -> f64 {
        let bounds = self.mesh.bounds();
        (0..3)
            .map(|a| f64::from(bounds.max[a]) - f64::from(bounds.min[a]))
            .sum()
    }
}

/// Area-weighted unit normals at the vertices; zero where no triangle with an area meets.
pub fn vertex_normals(mesh: &TriMesh<Patient>) -> Vec<[f32; 3]> {
    let mut sums = vec![[0.0f64; 3]; mesh.vertices().len()];
    for (index, corners) in mesh.triangles().iter().enumerate() {
        let [a, b, c] = mesh.corners(index).map(|p| p.map(f64::from));
        let normal = cross(minus(b, a), minus(c, a));
        for &corner in corners {
            let sum = &mut sums[corner as usize];
            *sum = std::array::from_fn(|i| sum[i] + normal[i]);
        }
    }
    sums.into_iter().map(unit).collect()
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|i| a[i] - b[i])
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn unit(v: [f64; 3]) -> [f32; 3] {
    let length = v.iter().map(|c| c * c).sum::<f64>().sqrt();
    if length > 0.0 && length.is_finite() {
        v.map(|c| (c / length) as f32)
    } else {
        [0.0; 3]
    }
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Draws the bodies in the projection's view.
pub fn picture(bodies: &[Body], projection: &Projection) -> Vec<Rgb> {
    let fine = projection.enlarged(FINE);
    let mut light = backdrop(fine.size);
    let (opaque, mut shells): (Vec<&Body>, Vec<&Body>) = bodies.iter().partition(|b| b.is_opaque());
    shells.retain(|b| b.opacity > 0.0);
    shells.sort_by(|a, b| b.size_mm().total_cmp(&a.size_mm()));
    let shells: Vec<Layer> = shells
        .into_iter()
        .map(|b| Layer::new(&[b], &fine))
        .collect();
    for shell in &shells {
        shell.lay_back(&mut light);
    }
    let solid = Layer::new(&opaque, &fine);
    let buffer = solid.lay_opaque(&mut light);
    for shell in shells.iter().rev() {
        shell.lay_front(&mut light, &buffer);
    }
    averaged(&light, projection.size)
}

/// The panel's background: grey, darker downwards.
fn backdrop([width, height]: [usize; 2]) -> Vec<[f32; 3]> {
    let (top, bottom) = (
        linear_rgb(theme::PANEL_TOP),
        linear_rgb(theme::PANEL_BOTTOM),
    );
    let row = |y: usize| {
        let t = y as f32 / height.max(1) as f32;
        std::array::from_fn(|i| top[i] + (bottom[i] - top[i]) * t)
    };
    (0..height)
        .flat_map(|y| std::iter::repeat_n(row(y), width))
        .collect()
}

/// Means of the fine grid's cells.
fn averaged(light: &[[f32; 3]], [width, height]: [usize; 2]) -> Vec<Rgb> {
    let fine_width = width * FINE;
    (0..width * height)
        .into_par_iter()
        .map(|at| {
            let (x, y) = (at % width * FINE, at / width * FINE);
            let mut sum = [0.0f32; 3];
            for cell in 0..FINE * FINE {
                let sample = light[(y + cell / FINE) * fine_width + x + cell % FINE];
                sum = std::array::from_fn(|i| sum[i] + sample[i]);
            }
            encode_rgb(sum.map(|s| s / (FINE * FINE) as f32))
        })
        .collect()
}

/// Surfaces projected into one picture.
struct Layer<'a> {
    bodies: Vec<&'a Body<'a>>,
    projected: Vec<Projected<'a>>,
    projection: Projection,
}

impl<'a> Layer<'a> {
    fn new(bodies: &[&'a Body<'a>], projection: &Projection) -> Self {
        let project = |body: &&'a Body<'a>| Projected {
            places: (body.mesh.vertices().iter())
                .map(|v| projection.project(v.map(f64::from)).map(|c| c as f32))
                .collect(),
            triangles: body.mesh.triangles(),
        };
        Self {
            bodies: bodies.to_vec(),
            projected: bodies.par_iter().map(project).collect(),
            projection: *projection,
        }
    }

    fn draw(&self, keep: Keep) -> ZBuffer {
        ZBuffer::draw(&self.projected, self.projection.size, keep)
    }

    /// The surface's direction at a hit as (right, up, toward), turned to the viewer.
    fn normal(&self, hit: &Hit, at: usize) -> [f32; 3] {
        let width = self.projection.size[0];
        let (x, y) = ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5);
        let (surface, triangle) = (hit.surface as usize, hit.triangle as usize);
        let projected = &self.projected[surface];
        let corners = projected.triangles[triangle];
        let places = corners.map(|v| projected.places[v as usize]);
        let weights = Weights::of(places).map_or([1.0, 0.0, 0.0], |w| w.at([x, y]));
        let normals = corners.map(|v| self.bodies[surface].normals[v as usize]);
        let sum = |i: usize| (0..3).map(|c| f64::from(weights[c] * normals[c][i])).sum();
        self.seen(std::array::from_fn(sum))
    }

    fn seen(&self, normal: [f64; 3]) -> [f32; 3] {
        let view = &self.projection.view;
        let [right, up, toward] = unit([view.right, view.up, view.toward].map(|d| d.along(normal)));
        match toward {
            t if t < 0.0 => [-right, -up, -t],
            0.0 if right == 0.0 && up == 0.0 => [0.0, 0.0, 1.0],
            t => [right, up, t],
        }
    }

    fn lay_opaque(&self, light: &mut [[f32; 3]]) -> ZBuffer {
        let buffer = self.draw(Keep::Nearest);
        let cue = DepthCue::of(&buffer);
        let shadows = Occlusion::new(&self.projection);
        light.par_iter_mut().enumerate().for_each(|(at, light)| {
            let hit = &buffer.hits[at];
            if hit.is_some() {
                let normal = self.normal(hit, at);
                let open = shadows.openness(&buffer, at, normal);
                let tone = cue.factor(hit.depth_mm) * contour(&buffer, at);
                let color = self.bodies[hit.surface as usize].color;
                *light = lit(color, normal, open).map(|c| c * tone);
            }
        });
        buffer
    }

    /// The inside of the far wall, dim, behind everything.
    fn lay_back(&self, light: &mut [[f32; 3]]) {
        let buffer = self.draw(Keep::Farthest);
        light.par_iter_mut().enumerate().for_each(|(at, light)| {
            let hit = &buffer.hits[at];
            if hit.is_some() {
                let body = self.bodies[0];
                let wall = lit(body.color, self.normal(hit, at), 1.0).map(|c| 0.10 * c);
                *light = over(*light, wall, (0.15 + 1.6 * body.opacity).min(0.8));
            }
        });
    }

    /// The near wall, clear in the middle and dense at its rim.
    fn lay_front(&self, light: &mut [[f32; 3]], solid: &ZBuffer) {
        let buffer = self.draw(Keep::Nearest);
        light.par_iter_mut().enumerate().for_each(|(at, light)| {
            let hit = &buffer.hits[at];
            if hit.is_some() && hit.depth_mm <= solid.hits[at].depth_mm {
                let body = self.bodies[0];
                let normal = self.normal(hit, at);
                let edge = 1.0 - normal[2];
                let alpha = body.opacity + (1.0 - body.opacity) * 0.8 * edge * edge * edge;
                *light = over(*light, lit(body.color, normal, 1.0), alpha);
            }
        });
    }
}

fn over(below: [f32; 3], above: [f32; 3], alpha: f32) -> [f32; 3] {
    std::array::from_fn(|i| below[i] + (above[i] - below[i]) * alpha)
}

/// Light that a surface of `color` sends to the viewer; `open` is the part of the sky it sees.
fn lit(color: [f32; 3], normal: [f32; 3], open: f32) -> [f32; 3] {
    // "Wrapped" a little past the edge of shadow: soft tissue is never pitch dark there.
    let key = ((dot(normal, KEY) + 0.15) / 1.15).max(0.0);
    let fill = dot(normal, FILL).max(0.0);
    let sky = 0.20 + 0.12 * normal[1];
    let diffuse = (0.92 * key + 0.18 * fill) * (0.45 + 0.55 * open) + sky * open;
    let glint = 0.10 * dot(normal, HALFWAY).max(0.0).powi(28) * open;
    color.map(|c| c * diffuse + glint)
}

/// Darkening towards the back of what is drawn.
struct DepthCue {
    near_mm: f32,
    range_mm: f32,
}

impl DepthCue {
    fn of(buffer: &ZBuffer) -> Self {
        let depths = buffer
            .hits
            .iter()
            .filter(|h| h.is_some())
            .map(|h| h.depth_mm);
        let (near, far) = depths.fold((f32::INFINITY, f32::NEG_INFINITY), |(near, far), d| {
            (near.min(d), far.max(d))
        });
        Self {
            near_mm: near,
            range_mm: (far - near).max(1e-6),
        }
    }
    fn factor(&self, depth_mm: f32) -> f32 {
        1.0 - 0.42 * ((depth_mm - self.near_mm) / self.range_mm).clamp(0.0, 1.0)
    }
}

/// Dark lines where one structure's edge stands before another or before nothing.
fn contour(buffer: &ZBuffer, at: usize) -> f32 {
    let hit = &buffer.hits[at];
    let (x, y) = ((at % buffer.width) as i64, (at / buffer.width) as i64);
    let edges = [(1, 0), (-1, 0), (0, 1), (0, -1)]
        .into_iter()
        .filter(|(dx, dy)| {
            let behind =
                |other: &Hit| other.surface != hit.surface && other.depth_mm > hit.depth_mm;
            buffer.at(x + dx, y + dy).is_none_or(behind)
        });
    if edges.count() > 0 { 0.42 } else { 1.0 }
}

/// How much of the sky a place sees, guessed from the depths round it: 16 places on a spiral,
/// each compared with the tangent plane there.
struct Occlusion {
    /// Offsets in points and their length in mm.
    offsets: Vec<([i64; 2], f32)>,
    mm_per_px: f32,
}

impl Occlusion {
    /// Radius of the neighbourhood in picture points of the fine grid.
    const REACH_PX: f64 = 30.0;

    fn new(projection: &Projection) -> Self {
        let mm_per_px = 1.0 / projection.px_per_mm;
        let offset = |k: u32| {
            // The golden angle spreads the places evenly.
            let angle = f64::from(k) * 2.399_963;
            let radius = Self::REACH_PX * (f64::from(k) + 0.5) / 16.0;
            let place = [radius * angle.cos(), radius * angle.sin()].map(|c| c.round() as i64);
            (place, (radius * mm_per_px) as f32)
        };
        Self {
            offsets: (0..16).map(offset).collect(),
            mm_per_px: mm_per_px as f32,
        }
    }

    fn openness(&self, buffer: &ZBuffer, at: usize, normal: [f32; 3]) -> f32 {
        let depth = buffer.hits[at].depth_mm;
        let (x, y) = ((at % buffer.width) as i64, (at / buffer.width) as i64);
        let facing = normal[2].max(0.25);
        let mut blocked = 0.0;
        for &([dx, dy], radius_mm) in &self.offsets {
            let Some(other) = buffer.at(x + dx, y + dy) else {
                continue;
            };
            let slope = (normal[0] * dx as f32 - normal[1] * dy as f32) / facing;
            let above = depth + slope * self.mm_per_px - other.depth_mm;
            // Tangent of the horizon's height; things far in front shade little.
            let rise = above / radius_mm;
            let far = (above / (12.0 * radius_mm)).clamp(0.0, 1.0);
            blocked += (rise - 0.12).clamp(0.0, 1.0) * (1.0 - 0.75 * far);
        }
        1.0 - 0.85
            * (blocked / self.offsets.len() as f32)
                .clamp(0.0, 1.0)
                .powf(0.8)
    }
}

#[cfg(test)]
mod tests {
    use super::super::shapes;
    use super::super::view::View;
    use super::*;

    fn projection(view: View) -> Projection {
        Projection {
            view,
            center_mm: [0.0; 3],
            px_per_mm: 2.0,
            size: [240, 200],
        }
    }

    #[test]
    fn normals_of_a_sphere_point_outward() {
        let sphere = shapes::ellipsoid([1.0, 2.0, 3.0], [50.0; 3], 48);
        for (place, normal) in sphere.vertices().iter().zip(vertex_normals(&sphere)) {
            let radial = unit([0, 1, 2].map(|a| f64::from(place[a]) - (a as f64 + 1.0)));
            assert!(dot(radial, normal) > 0.995, "{place:?} {normal:?}");
        }
    }

    #[test]
    fn an_opaque_sphere_covers_its_disc_and_is_brightest_towards_the_key_light() {
        let sphere = shapes::ellipsoid([0.0; 3], [40.0; 3], 64);
        let projection = projection(View::FRONT);
        let empty = picture(&[], &projection);
        let seen = picture(&[Body::new(&sphere, [200, 120, 90], 1.0)], &projection);
        let covered = seen.iter().zip(&empty).filter(|(a, b)| a != b).count() as f64;
        let truth = std::f64::consts::PI * 80.0 * 80.0;
        assert!((covered - truth).abs() < 0.03 * truth, "{covered} {truth}");
        let red = |x: usize, y: usize| seen[y * 240 + x][0];
        assert!(red(80, 60) > red(160, 140) + 20);
    }

    #[test]
    fn what_lies_to_the_patients_right_is_on_the_viewers_left() {
        let right = shapes::ellipsoid([-40.0, 0.0, 0.0], [15.0; 3], 24);
        let bodies = [Body::new(&right, [255; 3], 1.0)];
        let front = picture(&bodies, &projection(View::FRONT));
        let bright = |x: usize| u32::from(front[100 * 240 + x][1]);
        assert!(bright(40) > 120 && bright(200) < 60);
    }

    #[test]
    fn a_shell_leaves_what_it_holds_visible() {
        let shell = shapes::ellipsoid([0.0; 3], [45.0; 3], 48);
        let core = shapes::ellipsoid([0.0; 3], [15.0; 3], 48);
        let bodies = [
            Body::new(&shell, [0, 0, 255], 0.2),
            Body::new(&core, [255, 0, 0], 1.0),
        ];
        let seen = picture(&bodies, &projection(View::FRONT));
        let [red, _, blue] = seen[100 * 240 + 120];
        assert!(red > 120 && blue < red, "{red} {blue}");
        let [red, _, blue] = seen[100 * 240 + 120 + 75];
        assert!(blue > red);
    }

    #[test]
    fn a_hidden_shell_wall_stays_hidden() {
        let front = shapes::ellipsoid([0.0, -60.0, 0.0], [30.0; 3], 48);
        let behind = shapes::ellipsoid([0.0, 60.0, 0.0], [10.0; 3], 24);
        let alone = picture(
            &[Body::new(&front, [200; 3], 1.0)],
            &projection(View::FRONT),
        );
        let both = picture(
            &[
                Body::new(&front, [200; 3], 1.0),
                Body::new(&behind, [0, 0, 255], 0.5),
            ],
            &projection(View::FRONT),
        );
        assert_eq!(alone, both);
    }
}
