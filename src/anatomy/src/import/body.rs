//! The body in a CT: the patient without the couch, the blankets and the air round them.

use geometry::closest::SurfaceQuery;
use geometry::distance::distance_to_mask_mm;
use geometry::{Point, TriMesh, Volume, frame};
use rayon::prelude::*;

/// Denser than this is not air: half-way between air (−1000 HU) and fat or skin, a little above, so
/// that a 3 mm voxel half filled with skin counts as body.
const BODY_ABOVE_HU: f32 = -400.0;

/// The couch and its mattress are thinner than twice this; the body is thicker everywhere.
const COUCH_HALF_THICKNESS_MM: f32 = 6.0;

/// Marks the voxels of the patient's body, lungs and bowel gas included.
///
/// `keep` are voxels known to be body (labelled ones): they are in the result whatever the CT says.
/// Returns an empty mask where nothing in the volume is denser than air.
pub fn body_mask(ct: &Volume<f32>, keep: &Volume<u16>) -> Volume<u8> {
    let dense = Volume {
        dims: ct.dims,
        voxels: ct
            .voxels
            .iter()
            .zip(&keep.voxels)
            .map(|(&hu, &label)| u8::from(hu > BODY_ABOVE_HU || label != 0))
            .collect(),
        patient_from_voxel: ct.patient_from_voxel,
    };
    let mut body = without_thin_parts(&dense);
    for (voxel, &label) in body.voxels.iter_mut().zip(&keep.voxels) {
        *voxel |= u8::from(label != 0);
    }
    fill_slices(&mut body);
    main_regions(&body, keep)
}

/// Morphological opening: the largest part that is thicker than the couch, grown back to its own
/// rim. Beyond the volume's faces nothing erodes: the CT is cut there, the body is not.
fn without_thin_parts(dense: &Volume<u8>) -> Volume<u8> {
    let air = with_voxels(dense, dense.voxels.iter().map(|&v| 1 - v).collect());
    let depth = distance_to_mask_mm(&air);
    let core = with_voxels(
        dense,
        depth
            .iter()
            .map(|&mm| u8::from(mm > COUCH_HALF_THICKNESS_MM))
            .collect(),
    );
    let core = largest_region(&core);
    let grow =
        COUCH_HALF_THICKNESS_MM + dense.spacing_mm().into_iter().fold(0.0, f64::max) as f32 * 0.5;
    let reach = distance_to_mask_mm(&core);
    let voxels = dense
        .voxels
        .iter()
        .zip(&reach)
        .map(|(&v, &mm)| v & u8::from(mm <= grow));
    with_voxels(dense, voxels.collect())
}

fn with_voxels(like: &Volume<u8>, voxels: Vec<u8>) -> Volume<u8> {
    Volume {
        dims: like.dims,
        voxels,
        patient_from_voxel: like.patient_from_voxel,
    }
}

/// The largest region, and every other one that holds a labelled voxel: an arm beside the trunk.
fn main_regions(mask: &Volume<u8>, labels: &Volume<u16>) -> Volume<u8> {
    let (regions, sizes) = regions(mask);
    let mut keeps = vec![false; sizes.len()];
    for (&region, &label) in regions.iter().zip(&labels.voxels) {
        keeps[region as usize] |= label != 0;
    }
    if let Some(largest) = (1..sizes.len()).max_by_key(|&r| (sizes[r], std::cmp::Reverse(r))) {
        keeps[largest] = true;
    }
    keeps[0] = false;
    with_voxels(
        mask,
        regions
            .iter()
            .map(|&r| u8::from(keeps[r as usize]))
            .collect(),
    )
}

/// The largest face-connected region of a mask.
fn largest_region(mask: &Volume<u8>) -> Volume<u8> {
    let (regions, sizes) = regions(mask);
    let largest = (1..sizes.len())
        .max_by_key(|&r| (sizes[r], std::cmp::Reverse(r)))
        .unwrap_or(0);
    let voxels = regions
        .iter()
        .map(|&r| u8::from(largest != 0 && r as usize == largest))
        .collect();
    with_voxels(mask, voxels)
}

/// Numbers the face-connected regions of a mask from 1 (0 is outside), with their voxel counts.
fn regions(mask: &Volume<u8>) -> (Vec<u32>, Vec<usize>) {
    let [ni, nj, nk] = mask.dims;
    let strides = [1, ni, ni * nj];
    let mut region = vec![0_u32; mask.voxels.len()];
    let mut sizes = vec![0_usize];
    let mut open = Vec::new();
    for seed in 0..mask.voxels.len() {
        if mask.voxels[seed] == 0 || region[seed] != 0 {
            continue;
        }
        let number = sizes.len() as u32;
        sizes.push(0);
        region[seed] = number;
        open.push(seed);
        while let Some(at) = open.pop() {
            sizes[number as usize] += 1;
            let place = [at % ni, at / ni % nj, at / (ni * nj)];
            for axis in 0..3 {
                let down = (place[axis] > 0).then(|| at - strides[axis]);
                let up = (place[axis] + 1 < [ni, nj, nk][axis]).then(|| at + strides[axis]);
                for next in down.into_iter().chain(up) {
                    if mask.voxels[next] != 0 && region[next] == 0 {
                        region[next] = number;
                        open.push(next);
                    }
                }
            }
        }
    }
    (region, sizes)
}

/// Fills what is enclosed within an axial slice: lungs and bowel gas, even where the CT is cut
/// through them at its ends.
fn fill_slices(mask: &mut Volume<u8>) {
    let axis = superior_axis(mask);
    let [u, v] = [[1, 2], [0, 2], [0, 1]][axis];
    let (nu, nv) = (mask.dims[u], mask.dims[v]);
    for slice in 0..mask.dims[axis] {
        let index = |p: usize, q: usize| {
            let mut ijk = [slice; 3];
            (ijk[u], ijk[v]) = (p, q);
            ijk
        };
        let flat: Vec<u8> = (0..nu * nv)
            .map(|n| mask.at(index(n % nu, n / nu)))
            .collect();
        for (n, outside) in outside_of(&flat, nu, nv).into_iter().enumerate() {
            if !outside {
                let at = mask.index(index(n % nu, n / nu));
                mask.voxels[at] = 1;
            }
        }
    }
}

/// The voxel axis nearest to the patient's long axis.
fn superior_axis<T>(volume: &Volume<T>) -> usize {
    let linear = volume.patient_from_voxel.linear;
    let lean = |axis: usize| (linear[(2, axis)] / linear.column(axis).norm()).abs();
    (0..3)
        .max_by(|&a, &b| lean(a).total_cmp(&lean(b)))
        .unwrap_or(2)
}

/// Which empty pixels of a picture are connected to its rim.
fn outside_of(flat: &[u8], nu: usize, nv: usize) -> Vec<bool> {
    let mut outside = vec![false; flat.len()];
    let on_rim = |n: usize| {
        let (p, q) = (n % nu, n / nu);
        p == 0 || p == nu - 1 || q == 0 || q == nv - 1
    };
    let mut open: Vec<usize> = (0..flat.len())
        .filter(|&n| flat[n] == 0 && on_rim(n))
        .collect();
    open.iter().for_each(|&n| outside[n] = true);
    while let Some(n) = open.pop() {
        let (p, q) = (n % nu, n / nu);
        let around = [
            (p > 0).then(|| n - 1),
            (p + 1 < nu).then(|| n + 1),
            (q > 0).then(|| n - nu),
            (q + 1 < nv).then(|| n + nu),
        ];
        for next in around.into_iter().flatten() {
            if flat[next] == 0 && !outside[next] {
                outside[next] = true;
                open.push(next);
            }
        }
    }
    outside
}

/// Unlabelled voxels of the body that are muscle, wall or vessel rather than fat: denser than
/// −25 HU in the mean of 3 × 3 × 3 voxels (fat is −120…−70 HU, lean tissue 10…70 HU), so that noise
/// does not speckle the mask.
pub fn lean_mask(ct: &Volume<f32>, labels: &Volume<u16>, body: &Volume<u8>) -> Volume<u8> {
    const LEAN_ABOVE_HU: f32 = -25.0;
    const BONE_ABOVE_HU: f32 = 300.0;
    let mean = box_mean(ct);
    let lean = |n: usize| {
        body.voxels[n] != 0
            && labels.voxels[n] == 0
            && (LEAN_ABOVE_HU..BONE_ABOVE_HU).contains(&mean[n])
    };
    with_voxels(
        body,
        (0..body.voxels.len()).map(|n| u8::from(lean(n))).collect(),
    )
}

/// Voxels of gas within the body that belong to no `airy` label (lungs, trachea): bowel gas.
pub fn gas_mask(
    ct: &Volume<f32>,
    labels: &Volume<u16>,
    body: &Volume<u8>,
    airy: impl Fn(u16) -> bool,
) -> Volume<u8> {
    let gas =
        |n: usize| body.voxels[n] != 0 && ct.voxels[n] < BODY_ABOVE_HU && !airy(labels.voxels[n]);
    with_voxels(
        body,
        (0..body.voxels.len()).map(|n| u8::from(gas(n))).collect(),
    )
}

/// The mean of the 3 × 3 × 3 voxels round each voxel, fewer at the faces.
fn box_mean(volume: &Volume<f32>) -> Vec<f32> {
    let dims = volume.dims;
    let strides = [1, dims[0], dims[0] * dims[1]];
    let mut mean = volume.voxels.clone();
    for axis in 0..3 {
        let (stride, len) = (strides[axis], dims[axis]);
        let source = mean;
        mean = (0..source.len())
            .into_par_iter()
            .map(|n| {
                let at = n / stride % len;
                let (mut sum, mut count) = (source[n], 1.0);
                if at > 0 {
                    sum += source[n - stride];
                    count += 1.0;
                }
                if at + 1 < len {
                    sum += source[n + stride];
                    count += 1.0;
                }
                sum / count
            })
            .collect();
    }
    mean
}

/// A field for the surface `inset_mm` within the surface of a mask: its zero level, positive inside.
///
/// `surface` must enclose exactly the voxel centres of `mask`, which then give the sign; distances
/// are to the surface itself near it and to the mask's voxels farther off, where they only need to
/// keep away from zero.
pub fn inset_field(
    surface: &TriMesh<frame::Patient>,
    mask: &Volume<u8>,
    inset_mm: f32,
) -> Volume<f32> {
    let outside = with_voxels(mask, mask.voxels.iter().map(|&v| 1 - v).collect());
    let depth = distance_to_mask_mm(&outside);
    let voxel_mm = mask.spacing_mm().into_iter().fold(0.0, f64::max) as f32;
    let near_mm = inset_mm + 3.0 * voxel_mm;
    let query = SurfaceQuery::new(surface);
    let [ni, nj, _] = mask.dims;
    let voxels = depth
        .par_iter()
        .enumerate()
        .map(|(n, &deep)| {
            if mask.voxels[n] == 0 {
                return -inset_mm - 0.5 * voxel_mm;
            }
            if deep > near_mm {
                return deep - inset_mm;
            }
            let ijk = [n % ni, n / ni % nj, n / (ni * nj)].map(|v| v as f64);
            let place = mask.patient_from_voxel * Point::new(ijk[0], ijk[1], ijk[2]);
            query.closest(place).distance_mm as f32 - inset_mm
        })
        .collect();
    Volume {
        dims: mask.dims,
        voxels,
        patient_from_voxel: mask.patient_from_voxel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geometry::Affine;
    use nalgebra::{Matrix3, Vector3};

    /// An oval trunk with two "lungs" of air, lying on a thin couch.
    fn trunk_on_couch() -> (Volume<f32>, Volume<u16>) {
        let dims = [60, 50, 8];
        let mut hu = vec![-1000.0; 60 * 50 * 8];
        for (n, voxel) in hu.iter_mut().enumerate() {
            let (x, y) = ((n % 60) as f32 - 30.0, (n / 60 % 50) as f32 - 25.0);
            let oval = |cx: f32, rx: f32, ry: f32| ((x - cx) / rx).powi(2) + (y / ry).powi(2) < 1.0;
            if oval(0.0, 22.0, 15.0) {
                *voxel = if oval(-9.0, 6.0, 8.0) || oval(9.0, 6.0, 8.0) {
                    -850.0
                } else {
                    40.0
                };
            }
            if (15.0..17.0).contains(&y) {
                *voxel = -100.0;
            }
        }
        let patient_from_voxel =
            Affine::new(Matrix3::from_diagonal_element(3.0), Vector3::zeros()).unwrap();
        (
            Volume {
                dims,
                voxels: hu,
                patient_from_voxel,
            },
            Volume {
                dims,
                voxels: vec![0; 60 * 50 * 8],
                patient_from_voxel,
            },
        )
    }

    #[test]
    fn the_couch_is_left_out_and_the_lungs_are_in() {
        let (ct, labels) = trunk_on_couch();
        let body = body_mask(&ct, &labels);
        assert_eq!(
            body.at([21, 25, 0]),
            1,
            "lung, though the CT is cut through it"
        );
        assert_eq!(body.at([30, 25, 4]), 1);
        assert_eq!(body.at([3, 41, 4]), 0, "couch beside the body");
        assert_eq!(body.at([30, 3, 4]), 0, "air");
        let oval = std::f64::consts::PI * 22.0 * 15.0 * 8.0;
        let count = body.voxels.iter().filter(|&&v| v == 1).count() as f64;
        assert!(
            (count / oval - 1.0).abs() < 0.03,
            "{count} voxels, the oval has {oval}"
        );
    }

    #[test]
    fn a_labelled_arm_beside_the_trunk_is_body() {
        let (mut ct, mut labels) = trunk_on_couch();
        let at = |i: usize, j: usize, k: usize| i + 60 * (j + 50 * k);
        for k in 0..8 {
            for (i, j) in [(3, 30), (4, 30), (3, 31), (4, 31)] {
                ct.voxels[at(i, j, k)] = 40.0;
                labels.voxels[at(i, j, k)] = 69;
            }
        }
        let body = body_mask(&ct, &labels);
        assert_eq!((body.at([3, 30, 4]), body.at([30, 25, 4])), (1, 1));
    }

    #[test]
    fn a_volume_of_air_has_no_body() {
        let (mut ct, labels) = trunk_on_couch();
        ct.voxels.fill(-1000.0);
        assert!(body_mask(&ct, &labels).voxels.iter().all(|&v| v == 0));
    }
}
