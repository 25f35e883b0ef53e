//! The shape of a probe, made of rings: face, housing, grip, cable; and rounded blocks.
//!
//! In the probe's frame, metres here, millimetres in the figures: +z leaves the face.

use bevy::prelude::*;
use equipment::{Array, Probe};

use crate::scene::coloured_mesh;

const SHELL: [u8; 3] = [0xdd, 0xe4, 0xe8];
const GRIP: [u8; 3] = [0x66, 0x78, 0x86];
const LENS: [u8; 3] = [0x3c, 0x47, 0x52];
const CABLE: [u8; 3] = [0x23, 0x2a, 0x31];
/// The orientation mark.
pub const MARK: [u8; 3] = [0x19, 0xe0, 0xb8];

/// Points round a ring.
const AROUND: usize = 40;

/// Collects triangles with colours.
#[derive(Default)]
pub struct Builder {
    places: Vec<Vec3>,
    normals: Vec<Vec3>,
    colors: Vec<[f32; 4]>,
    triangles: Vec<[u32; 3]>,
}

/// A cross-section: a rounded rectangle at a depth, bent like the face by a share.
#[derive(Clone, Copy)]
struct Ring {
    z_mm: f32,
    half_x_mm: f32,
    half_y_mm: f32,
    /// 2 is an ellipse, more is squarer.
    square: f32,
    /// Share of the face's curve.
    bend: f32,
    color: [u8; 3],
}

impl Builder {
    /// The mesh; normals are those that were given, or the triangles' own.
    pub fn mesh(self) -> Mesh {
        coloured_mesh(self.places, self.normals, self.colors, &self.triangles)
    }

    fn vertex(&mut self, at: Vec3, normal: Vec3, color: [u8; 3]) -> u32 {
        let [r, g, b] = color;
        self.places.push(at);
        self.normals.push(normal);
        self.colors
            .push(Color::srgb_u8(r, g, b).to_linear().to_f32_array());
        self.places.len() as u32 - 1
    }

    /// Walls between consecutive rings of points, with smooth normals; both ends closed.
    fn loft(&mut self, rings: &[(Vec<Vec3>, [u8; 3])]) {
        for pair in rings.windows(2) {
            self.wall(&pair[0], &pair[1]);
        }
        if let (Some(first), Some(last)) = (rings.first(), rings.last()) {
            self.lid(&first.0, first.1, false);
            self.lid(&last.0, last.1, true);
        }
    }

    fn wall(&mut self, near: &(Vec<Vec3>, [u8; 3]), far: &(Vec<Vec3>, [u8; 3])) {
        let count = near.0.len();
        let normal = |i: usize| {
            let (before, after) = ((i + count - 1) % count, (i + 1) % count);
            let round = near.0[after] - near.0[before] + far.0[after] - far.0[before];
            (far.0[i] - near.0[i]).cross(round).normalize_or_zero()
        };
        let base = self.places.len() as u32;
        for i in 0..count {
            self.vertex(near.0[i], normal(i), near.1);
            self.vertex(far.0[i], normal(i), near.1);
        }
        for i in 0..count as u32 {
            let j = (i + 1) % count as u32;
            let [a, b, c, d] = [2 * i, 2 * i + 1, 2 * j + 1, 2 * j].map(|k| base + k);
            self.triangles.extend([[a, b, c], [a, c, d]]);
        }
    }

    /// Closes a ring with strips between its two halves, so that a bent face stays bent.
    fn lid(&mut self, ring: &[Vec3], color: [u8; 3], is_far: bool) {
        let count = ring.len();
        let base = self.places.len() as u32;
        let middle = ring.iter().sum::<Vec3>() / count as f32;
        let out = match is_far {
            true => Vec3::NEG_Z,
            false => Vec3::Z,
        };
        for &at in ring {
            let fan = Vec3::new((at - middle).x * 4.0, 0.0, 0.0);
            self.vertex(at, (out + fan).normalize(), color);
        }
        let half = count as u32 / 2;
        for i in 0..half {
            let [a, b] = [i, i + 1];
            let [c, d] = [(count as u32 - i) % count as u32, count as u32 - i - 1];
            let strip = [[a, b, d], [a, d, c]].map(|t| t.map(|k| base + k));
            self.triangles.extend(strip.map(|t| match is_far {
                true => t,
                false => [t[0], t[2], t[1]],
            }));
        }
    }

    /// A block with its edges cut, in the world or any frame, m.
    pub fn block(&mut self, low: Vec3, high: Vec3, cut: f32, color: [u8; 3]) {
        let middle = 0.5 * (low + high);
        let half = 0.5 * (high - low);
        let ring = |y: f32, inset: f32| {
            let (x, z, c) = (half.x - inset, half.z - inset, cut);
            let corners = [
                (x, z - c),
                (x - c, z),
                (c - x, z),
                (-x, z - c),
                (-x, c - z),
                (c - x, -z),
                (x - c, -z),
                (x, c - z),
            ];
            let at = |(x, z): (f32, f32)| middle + Vec3::new(x, y, z);
            corners.into_iter().map(at).collect::<Vec<_>>()
        };
        let rings = [
            ring(half.y, cut),
            ring(half.y - cut, 0.0),
            ring(cut - half.y, 0.0),
            ring(-half.y, cut),
        ];
        for pair in rings.windows(2) {
            for i in 0..8 {
                let j = (i + 1) % 8;
                self.flat(
                    [pair[0][i], pair[1][i], pair[1][j], pair[0][j]],
                    middle,
                    color,
                );
            }
        }
        for lid in [&rings[0], &rings[3]] {
            for i in 1..7 {
                self.flat_triangle([lid[0], lid[i], lid[i + 1]], middle, color);
            }
        }
    }

    fn flat(&mut self, [a, b, c, d]: [Vec3; 4], middle: Vec3, color: [u8; 3]) {
        self.flat_triangle([a, b, c], middle, color);
        self.flat_triangle([a, c, d], middle, color);
    }

    /// A flat triangle that faces away from a middle, however its corners run.
    fn flat_triangle(&mut self, [a, b, c]: [Vec3; 3], middle: Vec3, color: [u8; 3]) {
        let normal = (b - a).cross(c - a).normalize_or_zero();
        let is_outward = normal.dot(a + b + c - 3.0 * middle) >= 0.0;
        let (normal, corners) = match is_outward {
            true => (normal, [a, b, c]),
            false => (-normal, [a, c, b]),
        };
        let corners = corners.map(|at| self.vertex(at, normal, color));
        self.triangles.push(corners);
    }
}

/// The probe as a mesh in its own frame.
pub fn mesh(probe: &Probe) -> Mesh {
    build(probe).mesh()
}

/// Radius of the face's curve (infinite if flat), half its width and half its height, mm.
fn face_of(probe: &Probe) -> (f32, f32, f32) {
    let half_y = 0.5 * probe.elevation.aperture_mm as f32;
    let half_arc = 0.5 * probe.aperture_mm() as f32;
    match probe.array {
        Array::Curved { radius_mm, .. } => {
            let radius = radius_mm as f32;
            (radius, radius * (half_arc / radius).sin(), half_y)
        }
        _ => (f32::INFINITY, half_arc.max(3.0), half_y.max(2.5)),
    }
}

fn build(probe: &Probe) -> Builder {
    let (radius, half_width, half_height) = face_of(probe);
    let (x, y) = (half_width + 3.5, half_height + 3.5);
    let grip_x = (0.55 * x).clamp(10.0, 19.0);
    let ring = |z_mm, half_x_mm, half_y_mm, square, bend, color| Ring {
        z_mm,
        half_x_mm,
        half_y_mm,
        square,
        bend,
        color,
    };
    let rings = [
        ring(0.0, x - 2.2, y - 2.6, 5.0, 1.0, LENS),
        ring(-1.2, x - 0.9, y - 0.9, 5.0, 1.0, LENS),
        ring(-4.0, x - 0.2, y - 0.2, 5.0, 0.9, LENS),
        ring(-4.6, x + 0.6, y + 0.5, 5.0, 0.9, SHELL),
        ring(-14.0, x + 0.8, y + 1.2, 4.5, 0.55, SHELL),
        ring(-26.0, x - 1.5, y + 2.0, 4.0, 0.25, SHELL),
        ring(-40.0, 0.5 * (x + grip_x) + 1.0, y + 2.6, 3.4, 0.0, SHELL),
        ring(-52.0, grip_x + 1.0, 13.0, 3.0, 0.0, SHELL),
        ring(-53.0, grip_x, 12.4, 3.0, 0.0, GRIP),
        ring(-86.0, grip_x - 0.5, 12.0, 2.8, 0.0, GRIP),
        ring(-87.0, grip_x + 0.6, 12.8, 2.8, 0.0, SHELL),
        ring(-108.0, 13.0, 11.0, 2.4, 0.0, SHELL),
        ring(-116.0, 9.5, 8.6, 2.2, 0.0, SHELL),
        ring(-118.0, 6.6, 6.6, 2.0, 0.0, CABLE),
        ring(-136.0, 4.4, 4.4, 2.0, 0.0, CABLE),
    ];
    let mut builder = Builder::default();
    let points: Vec<_> = rings.iter().map(|r| (r.points(radius), r.color)).collect();
    builder.loft(&points);
    builder.loft(&cable());
    mark(&mut builder, x + 0.6, radius);
    builder
}

impl Ring {
    /// From +x over +y round to +x, so that the first half lies at +y.
    fn points(&self, radius_mm: f32) -> Vec<Vec3> {
        let at = |i: usize| {
            let angle = std::f32::consts::TAU * i as f32 / AROUND as f32;
            let (sin, cos) = angle.sin_cos();
            let round = |v: f32, half: f32| half * v.signum() * v.abs().powf(2.0 / self.square);
            let (x, y) = (round(cos, self.half_x_mm), round(sin, self.half_y_mm));
            Vec3::new(x, y, self.z_mm - self.bend * sag(x, radius_mm)) * 1e-3
        };
        (0..AROUND).map(at).collect()
    }
}

/// How far a bent face lies behind its middle.
fn sag(x: f32, radius: f32) -> f32 {
    match radius.is_finite() {
        true => radius - (radius * radius - x * x).max(0.0).sqrt(),
        false => 0.0,
    }
}

/// A stub of cable that droops towards −y.
fn cable() -> Vec<(Vec<Vec3>, [u8; 3])> {
    const RADIUS_MM: f32 = 3.4;
    let ring = |i: usize| {
        let t = i as f32 / 14.0;
        let angle = 1.35 * t;
        let bend = 70.0;
        let middle = Vec3::new(
            bend * (1.0 - angle.cos()) * -0.75,
            bend * (1.0 - angle.cos()) * 0.35,
            -134.0 - bend * angle.sin(),
        );
        let away = Vec3::new(-0.9, 0.42, 0.0) * angle.sin() + Vec3::NEG_Z * angle.cos();
        let side = Vec3::new(0.42, 0.9, 0.0).normalize();
        let other = away.normalize().cross(side).normalize();
        let at = |k: usize| {
            let (sin, cos) = (std::f32::consts::TAU * k as f32 / 12.0).sin_cos();
            (middle + (side * sin - other * cos) * RADIUS_MM) * 1e-3
        };
        ((0..12).map(at).collect(), CABLE)
    };
    (0..=14).map(ring).collect()
}

/// A raised ridge on the marker side.
fn mark(builder: &mut Builder, x_mm: f32, radius_mm: f32) {
    let back = if radius_mm.is_finite() { 4.0 } else { 0.0 };
    let low = Vec3::new(x_mm - 2.0, -2.4, -30.0 - back);
    let high = Vec3::new(x_mm + 2.6, 2.4, -12.0 - back);
    builder.block(low * 1e-3, high * 1e-3, 1.2e-3, MARK);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_face_touches_the_origin_and_nothing_is_before_it() {
        for probe in Probe::all_builtin() {
            let shape = build(probe);
            let foremost = shape.places.iter().map(|p| p.z).fold(f32::MIN, f32::max);
            assert!(
                (0.0..1e-6).contains(&foremost.abs()),
                "{}: {foremost}",
                probe.id
            );
        }
    }

    #[test]
    fn the_mark_is_on_the_marker_side() {
        let probe = Probe::named("C5-2v").expect("built in");
        let shape = build(probe);
        let mark = Color::srgb_u8(MARK[0], MARK[1], MARK[2])
            .to_linear()
            .to_f32_array();
        let marked = shape
            .colors
            .iter()
            .zip(&shape.places)
            .filter(|(c, _)| **c == mark);
        let xs: Vec<f32> = marked.map(|(_, p)| p.x).collect();
        assert!(!xs.is_empty() && xs.iter().all(|&x| x > 0.02));
    }

    #[test]
    fn walls_face_outward() {
        let probe = Probe::named("L11-5v").expect("built in");
        let shape = build(probe);
        let sides = shape.places.iter().zip(&shape.normals);
        let grip = sides.filter(|(p, _)| (-0.086..-0.053).contains(&p.z));
        for (place, normal) in grip {
            let out = Vec3::new(place.x, place.y, 0.0).normalize();
            assert!(normal.dot(out) > 0.2, "{place} {normal}");
        }
    }
}
