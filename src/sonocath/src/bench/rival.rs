//! The least that anyone could do: a bare projection of scatterers, to compare frames with.
//!
//! A simulator of the "COLE" kind (H. Gao et al., IEEE T-UFFC 56:404, 2009): scatterers go on to lines
//! through a lobe that is a polynomial, a filter along the line makes the pulse, and a logarithm the
//! picture. It has no beam tables, no paths, no tissue and no noise, and all its scatterers are in
//! memory. Written plainly, one scatterer after the other, shared out between threads.

use rayon::prelude::*;

// The C5-2v at 16 cm: lines, samples, depth, radius and half its opening, rad.
const LINES: usize = 128;
const SAMPLES: usize = 1024;
const DEPTH_MM: f32 = 160.0;
const RADIUS_MM: f32 = 49.57;
const HALF_OPENING: f32 = 0.656;
/// As many as the bar of the frame rate was set beside.
const SCATTERERS: usize = 920_000;
/// Half the width of the lobe: lines in the image, mm in elevation.
const LOBE_LINES: f32 = 2.0;
const LOBE_MM: f32 = 4.0;
/// Samples of the pulse.
const TAPS: usize = 32;
/// Pieces of the work that threads share.
const SHARES: usize = 8;

pub(super) struct Rival {
    /// x, y, z, amplitude: in the wedge that is imaged and as thick as the lobe.
    scatterers: Vec<[f32; 4]>,
    pulse: [[f32; 2]; TAPS],
    shares: Vec<Vec<f32>>,
    pub picture: Vec<f32>,
}

impl Rival {
    pub fn new() -> Self {
        let mut state = 1u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0
        };
        let mut scatterer = || {
            let angle = (2.0 * draw() - 1.0) * HALF_OPENING;
            // Evenly over the wedge's area.
            let (near, far) = (RADIUS_MM, RADIUS_MM + DEPTH_MM);
            let r = (near * near + draw() * (far * far - near * near)).sqrt();
            let y = (2.0 * draw() - 1.0) * LOBE_MM;
            [
                r * angle.sin(),
                y,
                r * angle.cos() - RADIUS_MM,
                draw() - 0.5,
            ]
        };
        let pulse = std::array::from_fn(|tap| {
            let t = (tap as f32 - 15.5) / 6.0;
            let phase = tap as f32 * 1.3;
            [(-t * t).exp() * phase.cos(), (-t * t).exp() * phase.sin()]
        });
        Self {
            scatterers: (0..SCATTERERS).map(|_| scatterer()).collect(),
            pulse,
            shares: vec![vec![0.0; LINES * SAMPLES]; SHARES],
            picture: vec![0.0; LINES * SAMPLES],
        }
    }

    /// Makes the picture of a probe turned by so much, rad.
    pub fn frame(&mut self, turn: f32) {
        let share = SCATTERERS.div_ceil(SHARES);
        self.shares
            .par_iter_mut()
            .zip(self.scatterers.par_chunks(share))
            .for_each(|(lines, scatterers)| {
                lines.fill(0.0);
                project(scatterers, turn, lines);
            });
        let (shares, pulse) = (&self.shares, &self.pulse);
        self.picture
            .par_chunks_mut(SAMPLES)
            .enumerate()
            .for_each(|(line, out)| {
                let mut sum = [0.0; SAMPLES + TAPS];
                for share in shares {
                    let from = &share[line * SAMPLES..(line + 1) * SAMPLES];
                    sum.iter_mut().zip(from).for_each(|(sum, v)| *sum += v);
                }
                for (sample, out) in out.iter_mut().enumerate() {
                    let (mut re, mut im) = (0.0, 0.0);
                    for (value, tap) in sum[sample..].iter().zip(pulse) {
                        re += value * tap[0];
                        im += value * tap[1];
                    }
                    *out = 10.0 * (re * re + im * im + 1e-12).log10();
                }
            });
    }
}

fn project(scatterers: &[[f32; 4]], turn: f32, lines: &mut [f32]) {
    let (sine, cosine) = turn.sin_cos();
    let lines_per_rad = (LINES - 1) as f32 / (2.0 * HALF_OPENING);
    for &[x, y, z, amplitude] in scatterers {
        // The probe has turned.
        let (x, y) = (x * cosine - y * sine, x * sine + y * cosine);
        let e = y / LOBE_MM;
        let along = z + RADIUS_MM;
        let r = (x * x + along * along).sqrt();
        let sample = (r - RADIUS_MM) * (SAMPLES as f32 / DEPTH_MM);
        if e.abs() >= 1.0 || !(0.0..SAMPLES as f32).contains(&sample) {
            continue;
        }
        let line = (x.atan2(along) + HALF_OPENING) * lines_per_rad;
        let elevation = (1.0 - e * e) * (1.0 - e * e) * amplitude;
        let first = (line - LOBE_LINES).ceil().max(0.0) as usize;
        let last = (line + LOBE_LINES).floor().min((LINES - 1) as f32);
        for near in first..(last + 1.0).max(0.0) as usize {
            let d = (near as f32 - line) / LOBE_LINES;
            let lobe = (1.0 - d * d) * (1.0 - d * d);
            lines[near * SAMPLES + sample as usize] += elevation * lobe;
        }
    }
}
