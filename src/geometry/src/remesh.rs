//! Open, self-crossing or doubled surfaces → one closed surface round the same solid.
//!
//! Two rules say what the solid is:
//!
//! - [`FillRule::Winding`]: everything that the surface winds round more than half a time
//!   (generalised winding number, Jacobson, Kavan & Sorkine-Hornung 2013). Bridges holes of any
//!   size by a smooth film, merges overlapping parts, but believes the triangles' orientation.
//! - [`FillRule::OuterHull`]: everything that cannot be reached from outside through gaps wider
//!   than `gap_mm`. Believes no orientation, so patches that face each other's way and walls
//!   between segments do no harm; holes wider than the gap let the outside in. Concave creases are
//!   filled to a radius of half the gap.
//!
//! Either way the new surface follows the old one where that is good, to a small part of the grid
//! step, and is closed, outward and free of self-crossings, as [`crate::polygonise`] makes it.

mod distance;
mod grid;
mod hull;
#[cfg(test)]
mod tests;
mod winding;

use thiserror::Error;

use crate::mesh::{MeshError, TriMesh};
use crate::polygonise::PolygoniseError;

/// Steps along the longest side of the grid that tells whether a hull leaked.
const COARSE_STEPS: f64 = 32.0;

/// What counts as inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FillRule {
    /// Outer hull; where that leaks (it encloses less than half of what the winding number does),
    /// winding number.
    #[default]
    Auto,
    /// Winding number above one half.
    Winding,
    /// Unreachable from outside.
    OuterHull,
}

/// How a surface is remade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RemeshOptions {
    /// Distance between grid samples; `None`: 1/128 of the longest side of the mesh's box.
    pub resolution_mm: Option<f64>,
    /// Widest gap that the outer hull closes; `None`: three grid steps. At least 1.5 steps are
    /// taken.
    pub gap_mm: Option<f64>,
    /// What counts as inside.
    pub fill: FillRule,
    /// Grid samples allowed (about 10 bytes each).
    pub max_samples: u64,
}

impl Default for RemeshOptions {
    fn default() -> Self {
        Self {
            resolution_mm: None,
            gap_mm: None,
            fill: FillRule::default(),
            max_samples: 1 << 27,
        }
    }
}

/// Why a surface cannot be remade.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum RemeshError {
    /// An option that is not a positive finite number.
    #[error("{name} is {value}, but must be a number of millimetres above 0")]
    Option {
        /// The option.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// The grid would be too large.
    #[error(
        "a grid of {} × {} × {} samples is beyond the limit of {limit}; use a coarser resolution than {resolution_mm} mm",
        .dims[0], .dims[1], .dims[2]
    )]
    TooManySamples {
        /// Samples along each axis.
        dims: [u64; 3],
        /// Samples allowed.
        limit: u64,
        /// Distance between samples, mm.
        resolution_mm: f64,
    },
    /// Nothing is enclosed.
    #[error(
        "the surface encloses nothing at {resolution_mm} mm: its holes are wider than {gap_mm} mm or its parts face inward; widen the gap, refine the resolution or change the fill rule"
    )]
    EnclosesNothing {
        /// Distance between samples, mm.
        resolution_mm: f64,
        /// Widest gap that is closed, mm.
        gap_mm: f64,
    },
    /// The surface could not be made from the samples.
    #[error(transparent)]
    Polygonise(PolygoniseError),
}

impl From<MeshError> for RemeshError {
    fn from(error: MeshError) -> Self {
        Self::Polygonise(error.into())
    }
}

/// A closed, outward surface without self-crossings round what the mesh encloses. Made on rayon's
/// current threads; the result does not depend on their number.
///
/// # Errors
/// See [`RemeshError`].
pub fn remesh_by_winding_number<F>(
    mesh: &TriMesh<F>,
    options: &RemeshOptions,
) -> Result<TriMesh<F>, RemeshError> {
    let remade = remeshed(&reframed(mesh)?, options)?;
    Ok(reframed(&remade)?)
}

/// Whatever frame the mesh is in. All work is done in it, not in a type parameter, so that it is
/// compiled (and optimised) here and not in every crate that asks.
struct Here;

fn reframed<From, To>(mesh: &TriMesh<From>) -> Result<TriMesh<To>, MeshError> {
    TriMesh::new(mesh.vertices().to_vec(), mesh.triangles().to_vec())
}

fn remeshed(mesh: &TriMesh<Here>, options: &RemeshOptions) -> Result<TriMesh<Here>, RemeshError> {
    let longest = mesh.bounds().extent().into_iter().fold(0.0, f32::max);
    let given = options.resolution_mm;
    let step = positive("resolution_mm", given.unwrap_or(f64::from(longest) / 128.0))?;
    let gap = positive("gap_mm", options.gap_mm.unwrap_or(3.0 * step))?.max(1.5 * step);
    let grid = grid::Grid::round(mesh, step, 0.5 * gap, options.max_samples)?;
    let nothing = RemeshError::EnclosesNothing {
        resolution_mm: step,
        gap_mm: gap,
    };
    let hull = || hull::outer_hull(mesh, &grid, 0.5 * gap);
    let found = match options.fill {
        FillRule::Winding => winding::wound_solid(mesh, &grid)?,
        FillRule::OuterHull => hull()?,
        FillRule::Auto => match hull()? {
            Some(hull) if !leaked(&hull, mesh, options)? => Some(hull),
            _ => winding::wound_solid(mesh, &grid)?,
        },
    };
    found.ok_or(nothing)
}

fn positive(name: &'static str, value: f64) -> Result<f64, RemeshError> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(RemeshError::Option { name, value })
    }
}

/// Whether a hull holds less than half of what the surface winds round, on a coarse grid.
fn leaked(
    hull: &TriMesh<Here>,
    mesh: &TriMesh<Here>,
    options: &RemeshOptions,
) -> Result<bool, RemeshError> {
    let longest = mesh.bounds().extent().into_iter().fold(0.0, f32::max);
    let step = f64::from(longest) / COARSE_STEPS;
    let coarse = grid::Grid::round(mesh, step, step, options.max_samples)?;
    let wound = winding::wound_solid(mesh, &coarse)?;
    let wound_mm3 = wound.map_or(0.0, |wound| wound.signed_volume_mm3());
    Ok(hull.signed_volume_mm3() < 0.5 * wound_mm3)
}
