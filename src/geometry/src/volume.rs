//! Sampled volumes: a box of voxels and where it lies in the patient.

use crate::frame::{Affine, Patient, Voxel};

/// A box of voxels, first index fastest: voxel (i, j, k) is `voxels[i + dims[0]·(j + dims[1]·k)]`
/// and its centre lies at `patient_from_voxel * (i, j, k)`, LPS millimetres.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume<T> {
    /// Voxel counts along i, j, k.
    pub dims: [usize; 3],
    /// The voxels; as many as `dims` says.
    pub voxels: Vec<T>,
    /// Place of the voxel centres.
    pub patient_from_voxel: Affine<Patient, Voxel>,
}

impl<T: Copy> Volume<T> {
    /// Where voxel (i, j, k) is stored.
    pub fn index(&self, [i, j, k]: [usize; 3]) -> usize {
        i + self.dims[0] * (j + self.dims[1] * k)
    }
    /// The voxel at (i, j, k).
    pub fn at(&self, ijk: [usize; 3]) -> T {
        self.voxels[self.index(ijk)]
    }
    /// Volume of one voxel, mm³.
    pub fn voxel_mm3(&self) -> f64 {
        self.patient_from_voxel.determinant().abs()
    }
    /// Distances between neighbouring voxel centres along i, j, k, mm.
    pub fn spacing_mm(&self) -> [f64; 3] {
        self.patient_from_voxel.axis_lengths()
    }
}
