//! The rays that are cast.

use geometry::scene::{Ray, Scene};
use geometry::{Patient, Point};

type Rays = Vec<Ray<Patient>>;

fn ray(from: [f64; 3], to: [f64; 3]) -> Ray<Patient> {
    let [from, to] = [from, to].map(|p| Point::from_coords(p.into()));
    Ray::new(from, to - from).expect("two different places")
}

/// Middle and half extent of the scene.
pub fn frame_of(scene: &Scene<Patient>) -> ([f64; 3], [f64; 3]) {
    let bounds = scene.bounds();
    (
        bounds.center().map(f64::from),
        bounds.extent().map(|e| 0.5 * f64::from(e)),
    )
}

/// A point source in front, a detector of 512 × 512 behind: fluoroscopy.
pub fn detector(scene: &Scene<Patient>) -> Rays {
    let (middle, half) = frame_of(scene);
    let source = [middle[0], middle[1] - 800.0, middle[2]];
    let place = |k: usize, axis: usize, at: usize| {
        middle[axis] + 0.95 * half[axis] * (k as f64 / 255.5 - 1.0) * at as f64
    };
    (0..512 * 512)
        .map(|k| {
            let to = [
                place(k % 512, 0, 1),
                middle[1] + half[1],
                place(k / 512, 2, 1),
            ];
            ray(source, to)
        })
        .collect()
}

/// Parallel rays from the side, 384 × 512.
pub fn parallel(scene: &Scene<Patient>) -> Rays {
    let (middle, half) = frame_of(scene);
    (0..384 * 512)
        .map(|k| {
            let y = middle[1] + 0.8 * half[1] * ((k % 384) as f64 / 191.5 - 1.0);
            let z = middle[2] + 0.8 * half[2] * ((k / 384) as f64 / 255.5 - 1.0);
            ray([middle[0] - 600.0, y, z], [middle[0], y + 3.7, z + 5.1])
        })
        .collect()
}

/// A curved array on the belly: 400 planes of 192 scan lines, 160 mm deep.
pub fn fans(scene: &Scene<Patient>) -> Rays {
    let (middle, half) = frame_of(scene);
    (0..400 * 192)
        .map(|k| {
            let angle = ((k % 192) as f64 / 95.5 - 1.0) * 0.6;
            let tilt = ((k / 192) as f64 / 199.5 - 1.0) * 0.7;
            let direction = [angle.sin(), angle.cos() * tilt.cos(), tilt.sin()];
            let apex = [middle[0], middle[1] - half[1] - 50.0, middle[2]];
            let at = |r: f64| std::array::from_fn(|a| apex[a] + r * direction[a]);
            let line = ray(at(60.0), at(61.0));
            line.until_mm(160.0).expect("a positive length")
        })
        .collect()
}

/// From anywhere around to anywhere inside.
pub fn incoherent(scene: &Scene<Patient>) -> Rays {
    let (middle, half) = frame_of(scene);
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    };
    (0..50_000)
        .map(|_| {
            let to: [f64; 3] = std::array::from_fn(|a| middle[a] + 0.9 * half[a] * next());
            let away: [f64; 3] = std::array::from_fn(|_| next());
            ray(std::array::from_fn(|a| to[a] + 900.0 * away[a]), to)
        })
        .collect()
}
