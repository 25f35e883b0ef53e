//! Exact distance maps of voxel masks.
//!
//! The lower envelope of parabolas, one axis after the other (Felzenszwalb & Huttenlocher,
//! "Distance transforms of sampled functions", Theory of Computing 8, 2012), with the voxel spacing
//! of each axis. Distances run between voxel centres.

use rayon::prelude::*;

use crate::volume::Volume;

/// For each voxel the distance to the nearest voxel with `mask != 0`, mm; infinite where the mask
/// is empty. The axes of the volume are taken as perpendicular.
pub fn distance_to_mask_mm(mask: &Volume<u8>) -> Vec<f32> {
    let mut squared: Vec<f32> = mask
        .voxels
        .iter()
        .map(|&v| if v != 0 { 0.0 } else { f32::INFINITY })
        .collect();
    let spacing = mask.spacing_mm().map(|s| s as f32);
    for (axis, &step) in spacing.iter().enumerate() {
        sweep_axis(&mut squared, mask.dims, axis, step);
    }
    squared.par_iter_mut().for_each(|d| *d = d.sqrt());
    squared
}

/// Applies the one-dimensional transform to every line along `axis`.
fn sweep_axis(squared: &mut [f32], dims: [usize; 3], axis: usize, spacing: f32) {
    let [ni, nj, nk] = dims;
    if squared.is_empty() {
        return;
    }
    match axis {
        0 => squared.par_chunks_mut(ni).for_each(|line| {
            let source = line.to_vec();
            Envelope::new(ni).transform(&source, spacing, |i, d| line[i] = d);
        }),
        1 => squared.par_chunks_mut(ni * nj).for_each(|slice| {
            let mut envelope = Envelope::new(nj);
            for i in 0..ni {
                let source: Vec<f32> = (0..nj).map(|j| slice[i + ni * j]).collect();
                envelope.transform(&source, spacing, |j, d| slice[i + ni * j] = d);
            }
        }),
        _ => {
            // Lines along k run through all slices: gather a row of them, write back after.
            let plane = ni * nj;
            let rows: Vec<Vec<f32>> = (0..plane)
                .into_par_iter()
                .map(|ij| {
                    let source: Vec<f32> = (0..nk).map(|k| squared[ij + plane * k]).collect();
                    let mut out = vec![0.0; nk];
                    Envelope::new(nk).transform(&source, spacing, |k, d| out[k] = d);
                    out
                })
                .collect();
            squared
                .par_chunks_mut(plane)
                .enumerate()
                .for_each(|(k, slice)| {
                    slice.iter_mut().zip(&rows).for_each(|(d, row)| *d = row[k]);
                });
        }
    }
}

/// Scratch space for one line: the parabolas that make the lower envelope.
struct Envelope {
    /// Places of the parabolas' tips.
    tips: Vec<usize>,
    /// Where each parabola begins to be the lowest, in voxels.
    starts: Vec<f32>,
}

impl Envelope {
    fn new(len: usize) -> Self {
        Self {
            tips: Vec::with_capacity(len),
            starts: Vec::with_capacity(len),
        }
    }

    fn transform(&mut self, source: &[f32], spacing: f32, mut put: impl FnMut(usize, f32)) {
        let square = spacing * spacing;
        self.build(source, square);
        if self.tips.is_empty() {
            return (0..source.len()).for_each(|at| put(at, f32::INFINITY));
        }
        let mut lowest = 0;
        for at in 0..source.len() {
            while lowest + 1 < self.tips.len() && self.starts[lowest + 1] < at as f32 {
                lowest += 1;
            }
            let tip = self.tips[lowest];
            let away = at.abs_diff(tip) as f32;
            put(at, source[tip] + square * away * away);
        }
    }

    fn build(&mut self, source: &[f32], square: f32) {
        self.tips.clear();
        self.starts.clear();
        for (at, &height) in source.iter().enumerate().filter(|(_, h)| h.is_finite()) {
            let meets = |tip: usize| {
                let rise = (height - source[tip]) / square;
                let (p, q) = (at as f32, tip as f32);
                (rise + p * p - q * q) / (2.0 * (p - q))
            };
            while let (Some(&tip), Some(&start)) = (self.tips.last(), self.starts.last())
                && meets(tip) <= start
            {
                self.tips.pop();
                self.starts.pop();
            }
            self.starts.push(
                self.tips
                    .last()
                    .map_or(f32::NEG_INFINITY, |&tip| meets(tip)),
            );
            self.tips.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Affine;
    use proptest::prelude::*;

    fn volume(dims: [usize; 3], voxels: Vec<u8>, spacing: [f64; 3]) -> Volume<u8> {
        let linear = nalgebra::Matrix3::from_diagonal(&spacing.into());
        let patient_from_voxel = Affine::new(linear, nalgebra::Vector3::zeros()).unwrap();
        Volume {
            dims,
            voxels,
            patient_from_voxel,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(bits in proptest::collection::vec(0_u8..8, 5 * 4 * 6)) {
            let (dims, spacing) = ([5, 4, 6], [1.0, 2.5, 0.7]);
            let mask = volume(dims, bits.iter().map(|&b| u8::from(b == 0)).collect(), spacing);
            let place = |n: usize| [n % 5, n / 5 % 4, n / 20];
            let found = distance_to_mask_mm(&mask);
            for (here, &distance) in found.iter().enumerate() {
                let truth = (0..bits.len())
                    .filter(|&n| mask.voxels[n] != 0)
                    .map(|n| {
                        let (a, b) = (place(here), place(n));
                        (0..3).map(|x| (a[x].abs_diff(b[x]) as f64 * spacing[x]).powi(2)).sum::<f64>().sqrt()
                    })
                    .fold(f64::INFINITY, f64::min);
                prop_assert!(f64::from(distance) == truth || (f64::from(distance) - truth).abs() < 1e-4);
            }
        }
    }
}
