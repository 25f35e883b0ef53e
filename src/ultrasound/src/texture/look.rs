//! Pictures for a sonographer's eye, and the cost. Run by hand:
//!
//! `SONOCATH_LOOK=folder cargo nextest run -p ultrasound --run-ignored only look cost --no-capture`

use std::fs::File;
use std::path::Path;

use super::tests::{AXES, Lcg, of_tissue, plain};
use super::*;

/// A picture's pixels: across, and along depth.
const PIXEL_MM: [f32; 2] = [0.1, 0.05];
const SIZE: [usize; 2] = [400, 800];
/// Elevation samples of a pixel.
const SLICES: usize = 8;

/// −6 dB widths, mm: axial, lateral, elevation.
type Beam = [f32; 3];
const CURVED: Beam = [0.4, 1.2, 1.7];
const LINEAR: Beam = [0.18, 0.44, 0.7];

/// Complex envelope field of one slice. `place` turns (lateral, depth, elevation) into a place.
fn echoes(texture: &Texture, beam: Beam, place: impl Fn([f32; 3]) -> [f32; 3]) -> Vec<[f32; 2]> {
    let mut random = Lcg(7);
    let [width, height] = SIZE;
    let mut field = vec![[0.0_f32; 2]; width * height];
    let count = width * height;
    for _ in 0..SLICES {
        let mut places: [Vec<f32>; 3] = std::array::from_fn(|_| Vec::with_capacity(count));
        for i in 0..count {
            let [a, b] = [random.unit(), random.unit()];
            let at = place([
                ((i % width) as f32 + a) * PIXEL_MM[0],
                ((i / width) as f32 + b) * PIXEL_MM[1],
                random.normal() * beam[2] / 2.355,
            ]);
            places
                .iter_mut()
                .zip(at)
                .for_each(|(axis, at)| axis.push(at));
        }
        let [x, y, z] = &places;
        let mut gains = vec![1.0; count];
        texture.gains(x, y, z, &mut gains);
        for (field, gain) in field.iter_mut().zip(&gains) {
            field[0] += gain * random.normal();
            field[1] += gain * random.normal();
        }
    }
    blur(&mut field, beam[1] / PIXEL_MM[0], 1, width);
    blur(&mut field, beam[0] / PIXEL_MM[1], width, height);
    field
}

/// Gaussian of a full width at half maximum along the axis of a stride.
fn blur(field: &mut [[f32; 2]], fwhm: f32, stride: usize, length: usize) {
    let sigma = fwhm / 2.355;
    let reach = (3.0 * sigma).ceil() as isize;
    let kernel: Vec<f32> = (-reach..=reach)
        .map(|k| libm::expf(-0.5 * (k as f32 / sigma).powi(2)))
        .collect();
    for start in (0..field.len()).filter(|i| (i / stride).is_multiple_of(length)) {
        let line: Vec<[f32; 2]> = (0..length).map(|i| field[start + i * stride]).collect();
        for i in 0..length {
            let mut sum = [0.0; 2];
            for (k, weight) in kernel.iter().enumerate() {
                let j = i as isize + k as isize - reach;
                if let Some(value) = usize::try_from(j).ok().and_then(|j| line.get(j)) {
                    sum = [sum[0] + weight * value[0], sum[1] + weight * value[1]];
                }
            }
            field[start + i * stride] = sum;
        }
    }
}

/// Grey of a slice, log-compressed over 60 dB, the root mean square at `level_db` re white.
/// Square pixels of 0.1 mm.
fn grey(field: &[[f32; 2]], level_db: f32) -> Vec<u8> {
    let [width, height] = SIZE;
    let power = |e: &[f32; 2]| e[0] * e[0] + e[1] * e[1];
    let mean = field.iter().map(power).sum::<f32>() / field.len() as f32;
    let row = |y: usize| &field[2 * y * width..(2 * y + 1) * width];
    let shade = |e: &[f32; 2]| {
        let db = 10.0 * libm::log10f(power(e) / mean) + level_db;
        ((1.0 + db / 60.0) * 255.0).clamp(0.0, 255.0) as u8
    };
    (0..height / 2).flat_map(row).map(shade).collect()
}

fn write(path: &Path, panels: &[Vec<u8>]) {
    let [width, height] = [SIZE[0], SIZE[1] / 2];
    let total = panels.len() * (width + 8);
    let mut pixels = vec![0_u8; total * height];
    for (p, panel) in panels.iter().enumerate() {
        for y in 0..height {
            let at = y * total + p * (width + 8);
            pixels[at..at + width].copy_from_slice(&panel[y * width..(y + 1) * width]);
        }
    }
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), total as u32, height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels).unwrap();
}

/// For each tissue a row: curved probe along and across the first axis, linear probe likewise.
#[test]
#[ignore = "writes pictures for the eye"]
fn look() {
    let Some(folder) = std::env::var_os("SONOCATH_LOOK") else {
        return;
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    let tissues = "liver spleen pancreas prostate muscle tendon myocardium fat breast renal_sinus \
        bowel_content lung uterus";
    let in_file = tissues
        .split_whitespace()
        .map(|id| (id.to_owned(), of_tissue(id)));
    let clumped = ["liver", "spleen", "renal_cortex"].map(|id| {
        let texture = Arrangement::Granular;
        let scatter = Scatter {
            texture,
            ..of_tissue(id)
        };
        (format!("{id}-granular"), scatter)
    });
    for (id, scatter) in in_file.chain(clumped) {
        let texture = Texture::new(&scatter, AXES, 3);
        let level_db = -30.0 + scatter.level_db as f32;
        let along = |[a, d, e]: [f32; 3]| [a, e, d];
        let across = |[a, d, e]: [f32; 3]| [e, a, d];
        let panels = [
            grey(&echoes(&texture, CURVED, along), level_db),
            grey(&echoes(&texture, CURVED, across), level_db),
            grey(&echoes(&texture, LINEAR, along), level_db),
            grey(&echoes(&texture, LINEAR, across), level_db),
        ];
        write(&folder.join(format!("{id}.png")), &panels);
    }
}

/// Time for each scatterer on one core.
#[test]
#[ignore = "measures time"]
#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn cost() {
    let count = 4096;
    let mut random = Lcg(1);
    let mut coordinates = || -> Vec<f32> { (0..count).map(|_| 300.0 * random.unit()).collect() };
    let (x, y, z) = (coordinates(), coordinates(), coordinates());
    let mut out = vec![1.0; count];
    for id in ["pancreas", "muscle", "fat"] {
        let texture = Texture::new(&of_tissue(id), AXES, 5);
        for (name, wide) in [("as dispatched", true), ("plain", false)] {
            let mut best = f64::INFINITY;
            for _ in 0..200 {
                out.fill(1.0);
                let start = std::time::Instant::now();
                if wide {
                    texture.gains(&x, &y, &z, &mut out);
                } else {
                    plain(&texture, &x, &y, &z, &mut out);
                }
                best = best.min(start.elapsed().as_secs_f64());
            }
            println!("{id:10} {name:14} {:.2} ns", best / count as f64 * 1e9);
        }
    }
}
