//! Label volumes → one closed surface per label, without stairs and without shrinking.
//!
//! The surface of a label crosses exactly the grid edges between its own and foreign voxel centres
//! ([`crate::polygonise`]), so its topology is that of the labels (inside voxels connect through
//! their faces). Each vertex then slides along its own edge, never past a voxel centre, until the
//! surface's curvature varies slowly along it. Hence, by construction, the surface stays closed and
//! free of self-crossings, and every vertex lies within half a voxel of the voxel face it came
//! from. Last, all vertices are shifted along the normal by one common amount so that the enclosed
//! volume is that of the voxels.

mod relax;
mod runs;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use rayon::prelude::*;
use thiserror::Error;

use crate::frame::Patient;
use crate::mesh::TriMesh;
use crate::polygonise::{PolygoniseError, check_size, trace_slices};
use crate::volume::Volume;

use runs::RunMask;

/// How surfaces are made from labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SurfaceOptions {
    /// Rounds of smoothing; 0 leaves every vertex half-way between the voxel centres (stairs).
    pub smoothing_rounds: usize,
    /// Face-connected groups of fewer voxels than this are left out; 0 keeps all.
    pub drop_islands_below_voxels: u64,
}

impl Default for SurfaceOptions {
    fn default() -> Self {
        Self {
            smoothing_rounds: 6,
            drop_islands_below_voxels: 0,
        }
    }
}

/// Why labels give no surface.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum LabelError {
    /// The dimensions and the number of voxels disagree.
    #[error("the label volume says {} × {} × {} voxels but holds {voxels}", .dims[0], .dims[1], .dims[2])]
    SizeMismatch {
        /// Voxel counts along i, j, k.
        dims: [usize; 3],
        /// Voxels present.
        voxels: usize,
    },
    /// The surface of a label cannot be made.
    #[error("label {label}: {source}")]
    Surface {
        /// The label.
        label: u16,
        /// What went wrong.
        source: PolygoniseError,
    },
}

/// The surface of one label and what it was made from.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelSurface {
    /// The label (1 for masks).
    pub label: u16,
    /// Closed and outward.
    pub mesh: TriMesh<Patient>,
    /// Volume of the voxels the surface stands for, mm³.
    pub voxel_volume_mm3: f64,
    /// Face-connected groups of voxels before any was left out.
    pub components: usize,
    /// Voxels in groups that were left out as islands.
    pub dropped_voxels: u64,
}

/// How much of a volume one label takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelStatistics {
    /// The label.
    pub label: u16,
    /// Its voxels.
    pub voxels: u64,
    /// Smallest indices i, j, k among them.
    pub min: [usize; 3],
    /// Largest indices i, j, k among them.
    pub max: [usize; 3],
}

/// Voxel count and index box of every label but 0, by rising label.
///
/// # Errors
/// [`LabelError::SizeMismatch`].
pub fn statistics(volume: &Volume<u16>) -> Result<Vec<LabelStatistics>, LabelError> {
    check_volume(volume)?;
    let mut found: BTreeMap<u16, LabelStatistics> = BTreeMap::new();
    for_each_row(volume, |j, k, row| {
        for (start, same) in equal_runs(row) {
            let label = row[start];
            if label == 0 {
                continue;
            }
            let (min, max) = ([start, j, k], [start + same - 1, j, k]);
            found
                .entry(label)
                .and_modify(|s| s.grow(same as u64, min, max))
                .or_insert(LabelStatistics {
                    label,
                    voxels: same as u64,
                    min,
                    max,
                });
        }
    });
    Ok(found.into_values().collect())
}

impl LabelStatistics {
    fn grow(&mut self, voxels: u64, min: [usize; 3], max: [usize; 3]) {
        self.voxels += voxels;
        for a in 0..3 {
            self.min[a] = self.min[a].min(min[a]);
            self.max[a] = self.max[a].max(max[a]);
        }
    }
}

/// The surface of one label; `None` if no voxel carries it (or all were dropped as islands).
///
/// # Errors
/// See [`LabelError`].
pub fn surface_of_label(
    volume: &Volume<u16>,
    label: u16,
    options: &SurfaceOptions,
) -> Result<Option<LabelSurface>, LabelError> {
    check_volume(volume)?;
    let bounds = index_box(volume, |v| v == label);
    bounds.map_or(Ok(None), |bounds| {
        surface_in_box(volume, bounds, label, |v| v == label, options)
    })
}

/// The surface round all voxels that are not 0; `None` if there is none.
///
/// # Errors
/// See [`LabelError`].
pub fn surface_of_mask(
    mask: &Volume<u8>,
    options: &SurfaceOptions,
) -> Result<Option<LabelSurface>, LabelError> {
    check_volume(mask)?;
    let bounds = index_box(mask, |v| v != 0);
    bounds.map_or(Ok(None), |bounds| {
        surface_in_box(mask, bounds, 1, |v| v != 0, options)
    })
}

/// The surfaces of several labels, in the order given, made on rayon's current threads; the result
/// does not depend on their number. Labels without voxels are left out. `done` is called after
/// each label, from any thread.
///
/// # Errors
/// See [`LabelError`].
pub fn surfaces(
    volume: &Volume<u16>,
    labels: &[u16],
    options: &SurfaceOptions,
    done: &(dyn Fn(u16) + Sync),
) -> Result<Vec<LabelSurface>, LabelError> {
    let known: BTreeMap<u16, LabelStatistics> = statistics(volume)?
        .into_iter()
        .map(|s| (s.label, s))
        .collect();
    let found: Result<Vec<_>, _> = labels
        .par_iter()
        .with_max_len(1)
        .map(|&label| {
            let bounds = known.get(&label).map(|s| (s.min, s.max));
            let surface = bounds.map_or(Ok(None), |bounds| {
                surface_in_box(volume, bounds, label, |v| v == label, options)
            });
            done(label);
            surface
        })
        .collect();
    Ok(found?.into_iter().flatten().collect())
}

fn surface_in_box<T: Copy>(
    volume: &Volume<T>,
    (min, max): ([usize; 3], [usize; 3]),
    label: u16,
    inside: impl Fn(T) -> bool,
    options: &SurfaceOptions,
) -> Result<Option<LabelSurface>, LabelError> {
    let mut mask = RunMask::of_box(volume, min, max, inside);
    let all_voxels = mask.voxels();
    let components = mask.drop_islands(options.drop_islands_below_voxels);
    let voxels = mask.voxels();
    if voxels == 0 {
        return Ok(None);
    }
    let voxel_volume_mm3 = voxels as f64 * volume.voxel_mm3();
    let mesh = mesh_of_mask(&mask, volume, voxel_volume_mm3, options)
        .map_err(|source| LabelError::Surface { label, source })?;
    Ok(Some(LabelSurface {
        label,
        mesh,
        voxel_volume_mm3,
        components,
        dropped_voxels: all_voxels - voxels,
    }))
}

fn mesh_of_mask<T>(
    mask: &RunMask,
    volume: &Volume<T>,
    volume_mm3: f64,
    options: &SurfaceOptions,
) -> Result<TriMesh<Patient>, PolygoniseError> {
    let fill = |k: usize, slice: &mut [f32]| mask.fill_slice(k, slice);
    let (mut surface, _) = trace_slices(mask.dims(), 0.5, fill)?;
    for edge in &mut surface.edges {
        for (index, origin) in edge.base.iter_mut().zip(mask.origin()) {
            *index += origin as i32;
        }
    }
    let linear = volume.patient_from_voxel.linear;
    let fractions =
        relax::relaxed_fractions(&surface, &linear, volume_mm3, options.smoothing_rounds);
    surface.to_mesh(&fractions, &volume.patient_from_voxel)
}

fn check_volume<T>(volume: &Volume<T>) -> Result<(), LabelError> {
    check_size(volume.dims, volume.voxels.len()).map_err(|_| LabelError::SizeMismatch {
        dims: volume.dims,
        voxels: volume.voxels.len(),
    })
}

fn for_each_row<T>(volume: &Volume<T>, mut visit: impl FnMut(usize, usize, &[T])) {
    let [width, height, _] = volume.dims;
    for (n, row) in volume.voxels.chunks_exact(width.max(1)).enumerate() {
        visit(n % height, n / height, row);
    }
}

/// Start and length of each run of equal values.
fn equal_runs(row: &[u16]) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    row.chunk_by(|a, b| a == b).map(move |chunk| {
        start += chunk.len();
        (start - chunk.len(), chunk.len())
    })
}

/// The smallest index box round all voxels of a kind.
fn index_box<T: Copy>(
    volume: &Volume<T>,
    inside: impl Fn(T) -> bool,
) -> Option<([usize; 3], [usize; 3])> {
    let mut found: Option<LabelStatistics> = None;
    for_each_row(volume, |j, k, row| {
        let Some(first) = row.iter().position(|&v| inside(v)) else {
            return;
        };
        let last = row.iter().rposition(|&v| inside(v)).unwrap_or(first);
        let (min, max) = ([first, j, k], [last, j, k]);
        let here = LabelStatistics {
            label: 0,
            voxels: 0,
            min,
            max,
        };
        found.get_or_insert(here).grow(0, min, max);
    });
    found.map(|s| (s.min, s.max))
}
