//! Centreline graphs of vessels, loops included: from a closed lumen surface alone, or from curves
//! that somebody drew.
//!
//! [`extract`] works in five steps, a file each:
//!
//! 1. `voxels`: the inside of the surface on a sparse lattice fine enough for the thinnest branch;
//! 2. `thinning`: voxels are taken away from the wall inward as long as the shape keeps its
//!    connected parts and tunnels, so every loop of the lumen stays exactly one loop;
//! 3. `branches`: the thinned voxels as a graph, without the whiskers that corners and facets grow;
//! 4. `refine`: each place moves to the middle of the lumen's cross-section there, below voxel
//!    size, against the surface itself;
//! 5. ends are followed to the wall that closes them.
//!
//! Two radii are kept for each place. The area-equivalent one is the vessel's radius wherever a single
//! number is asked for, since volume, flow and the lumen's middle (the section's centroid) go with the
//! area; the inscribed one tells what fits through. On coarse or flattened surfaces the second is a
//! good deal smaller.
//!
//! What is absent on purpose: names, flow, tissue — a graph here is only places and radii.

mod branches;
mod curves;
mod graph;
mod refine;
mod thinning;
mod voxels;
mod wall;

#[cfg(test)]
mod tests;

use nalgebra::Vector3;
use thiserror::Error;

use crate::frame::Frame;
use crate::mesh::{MeshError, TriMesh};
pub use curves::{Curve, from_curves, join_curves};
pub use graph::{CenterlineGraph, GraphPlace, Node, Segment};

type Vec3 = Vector3<f64>;

/// Why there is no centreline graph.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum CenterlineError {
    /// The surface has no triangle with an area.
    #[error("the vessel surface is unusable: {0}")]
    Mesh(#[from] MeshError),
    /// The surface has a hole or triangles that face different ways.
    #[error(
        "the vessel surface is not closed: {edges} edges have no partner facing the other way, the first near ({}, {}, {}) mm; close the surface first",
        .place[0], .place[1], .place[2]
    )]
    NotClosed {
        /// How many edges are open or inconsistent.
        edges: usize,
        /// One of them, mm.
        place: [f32; 3],
    },
    /// The surface encloses nothing that the lattice can see.
    #[error("the vessel surface encloses no volume")]
    NoInside,
    /// Voxels small enough for the thinnest branch would be too many.
    #[error(
        "the thinnest branch (radius about {radius_mm:.3} mm) needs voxels of {needed_mm:.3} mm, but within {max_voxels} voxels only {affordable_mm:.3} mm is possible; cut the surface into parts or allow more voxels"
    )]
    TooFine {
        /// Radius of the thinnest branch, mm.
        radius_mm: f64,
        /// Voxel edge it needs at the least, mm.
        needed_mm: f64,
        /// The smallest voxel edge within the limit, mm.
        affordable_mm: f64,
        /// The limit.
        max_voxels: usize,
    },
    /// The inside is dust: its voxels lie too far apart to keep books on.
    #[error(
        "the vessel surface encloses specks scattered over too much space for voxels of {voxel_mm:.3} mm; keep only the vessel's own parts of the surface"
    )]
    Scattered {
        /// The voxel edge, mm.
        voxel_mm: f64,
    },
    /// An option is not a usable number.
    #[error("centreline option {name} = {value} is not usable: it must be {expected}")]
    Option {
        /// The option's field name.
        name: &'static str,
        /// What it was.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// A curve has fewer than two points, a point that is not a number, or a radius that is not positive.
    #[error("curve {curve} is unusable at point {point}: {what}")]
    Curve {
        /// Number of the curve, from 0.
        curve: usize,
        /// Number of the control point, from 0.
        point: usize,
        /// What is wrong.
        what: &'static str,
    },
}

/// How [`extract`] works; the default suits vessels.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtractOptions {
    /// Voxel edge, mm. `None` takes half the radius of the thinnest tube of the surface.
    pub voxel_mm: Option<f64>,
    /// At most so many voxels inside the lumen. Memory is about 50 bytes for each, and at most ten
    /// times that in the worst case.
    pub max_voxels: usize,
    /// A dead-end branch stays if it runs on as a tube for this many of its own radii beyond the
    /// vessel it leaves …
    pub min_branch_radii: f64,
    /// … or if beyond it, it is at least as wide as this part of where it began: a stump.
    pub min_stump_radius: f64,
}

impl Default for ExtractOptions {
    fn default() -> Self {
        Self {
            voxel_mm: None,
            max_voxels: 12_000_000,
            min_branch_radii: 4.0,
            min_stump_radius: 0.5,
        }
    }
}

impl ExtractOptions {
    fn checked(&self) -> Result<&Self, CenterlineError> {
        let positive = |name, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            Err(CenterlineError::Option {
                name,
                value,
                expected: "a positive finite number",
            })
        };
        positive("voxel_mm", self.voxel_mm.unwrap_or(1.0))?;
        positive("max_voxels", self.max_voxels as f64)?;
        positive("min_branch_radii", self.min_branch_radii)?;
        positive("min_stump_radius", self.min_stump_radius)?;
        Ok(self)
    }
}

/// The centreline graph of a closed vessel surface.
///
/// Vertices at the same place count as one. The triangles may face in or out as long as they agree
/// within each connected part; hollow spaces inside the lumen are filled. Every connected part of
/// the lumen gives one connected part of the graph, every tunnel one loop. Deterministic.
///
/// # Errors
/// [`CenterlineError::NotClosed`], [`CenterlineError::NoInside`], [`CenterlineError::TooFine`],
/// [`CenterlineError::Scattered`], [`CenterlineError::Option`], [`CenterlineError::Mesh`].
pub fn extract<F: Frame>(
    mesh: &TriMesh<F>,
    options: &ExtractOptions,
) -> Result<CenterlineGraph<F>, CenterlineError> {
    let options = options.checked()?;
    let mesh = mesh.welded()?;
    let wall = wall::Wall::new(&mesh)?;
    let (skeleton, step_mm) = faithful_skeleton(&wall, options)?;
    let skeleton = branches::prune(&wall, skeleton, options);
    Ok(refine::refine(&wall, &skeleton, step_mm))
}

/// The thinned lumen on the coarsest lattice that has the surface's parts and tunnels, or else on
/// the one that misses fewest.
fn faithful_skeleton<F>(
    wall: &wall::Wall<'_, F>,
    options: &ExtractOptions,
) -> Result<(branches::Skeleton, f64), CenterlineError> {
    let mut best: Option<(usize, branches::Skeleton, f64)> = None;
    for step_mm in voxels::steps(wall, options)? {
        let inside = voxels::fill(wall, step_mm, options.max_voxels)?;
        let thinned = thinning::thin(wall, inside);
        let skeleton = branches::trace(wall, &thinned).without_specks(wall, 1.5 * step_mm);
        let (parts, loops) = skeleton.parts_and_loops();
        let fault = wall
            .topology
            .map_or(0, |(p, l)| p.abs_diff(parts) + l.abs_diff(loops));
        if best.as_ref().is_none_or(|(least, _, _)| fault < *least) {
            best = Some((fault, skeleton, step_mm));
        }
        if fault == 0 {
            break;
        }
    }
    best.map(|(_, skeleton, step_mm)| (skeleton, step_mm))
        .ok_or(CenterlineError::NoInside)
}

/// A vector's direction; any direction for no length.
fn unit(v: Vec3) -> Vec3 {
    v.try_normalize(f64::MIN_POSITIVE).unwrap_or_else(Vec3::x)
}
