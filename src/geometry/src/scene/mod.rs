//! Many closed surfaces, one ray: every crossing in order, nesting already resolved.
//!
//! # What is answered
//!
//! A [`Scene`] holds up to 65 535 closed surfaces. Each encloses a medium; where several enclose the
//! same place, the one with the higher priority fills it (of equal priorities the lower
//! [`SurfaceId`]). [`Scene::cast`] returns every crossing of a ray with every surface, sorted along
//! the ray, and for each the medium [before](Crossing::before) and [after](Crossing::after) it.
//! [`Scene::cast_bundle`] does so for many rays and is fastest where neighbours in the list are
//! neighbours in space: fans, grids, rows of a detector.
//!
//! ```
//! use geometry::scene::{Crossings, Ray, Scene, SceneSurface, SurfaceId};
//! use geometry::{Patient, Point, TriMesh, Vector};
//! # let tetrahedron = |s: f32| TriMesh::<Patient>::new(
//! #     vec![[-s, -s, -s], [s, s, -s], [s, -s, s], [-s, s, s]],
//! #     vec![[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]]).unwrap();
//! let (body, organ) = (tetrahedron(10.0), tetrahedron(1.0));
//! let scene = Scene::build(&[
//!     SceneSurface { mesh: &body, priority: 0 },
//!     SceneSurface { mesh: &organ, priority: 1 },
//! ])?;
//! let ray = Ray::new(Point::new(-50.0, 0.1, 0.2), Vector::new(1.0, 0.0, 0.0))?;
//! let mut crossings = Crossings::new();
//! scene.cast(&ray, &mut crossings);
//! let media: Vec<_> = crossings.of_ray(0).iter().map(|c| c.after.map(|id| id.0)).collect();
//! assert_eq!(media, [Some(0), Some(1), Some(0), None]);
//! assert_eq!(scene.innermost(Point::new(0.1, 0.1, 0.2)), Some(SurfaceId(1)));
//! # Ok::<(), geometry::scene::SceneError>(())
//! ```
//!
//! # How it stays consistent
//!
//! Counting must not fail where a ray meets an edge or a vertex. All vertices are sheared into a
//! space in which the ray is an axis (Woop, Benthin & Wald 2013, "Watertight Ray/Triangle
//! Intersection"), in single precision, each vertex in the same way whichever triangle asks. From
//! there on nothing is rounded that decides: the sign of an edge function `Px·Qy − Py·Qx` is exact in
//! double precision, and where it is zero the ray counts as shifted by an infinitesimal (ε, ε²). So
//! every closed surface is entered as often as it is left, on every ray. A ray that grazes a
//! silhouette may cross it twice or not at all, never once.
//!
//! Inside and outside are told by signed winding along the very same ray, so a ray may start
//! anywhere. Surfaces that are not closed give an order of crossings, but no reliable media.
//!
//! # What is exact and what is not
//!
//! Positions carry the rounding of single precision relative to the distances involved (0.1 µm at
//! one metre). `t_mm` is a multiple of 2⁻²⁰ mm, so that faces which coincide tie and are ordered by
//! rule: entering before leaving, then by surface, then by triangle. Answers depend neither on the
//! tree, nor on the bundle a ray is in, nor on threads, nor on the processor's vector width;
//! [`Scene::cast_plain`] walks all triangles in plain code and is the oracle for all of them.

mod closest;
mod crossing;
mod lanes;
mod ray;
mod traverse;
mod tree;
mod triangle;

use std::marker::PhantomData;
use std::sync::OnceLock;

use rayon::prelude::*;
use thiserror::Error;

use crate::frame::Point;
use crate::mesh::{Aabb, TriMesh};

pub use closest::ScenePoint;
pub use crossing::{Crossing, Crossings};
pub use ray::Ray;

use crossing::{CHUNK_RAYS, Chunk, Origin, Ranks};
use ray::Line;
use traverse::Width;
use tree::Tree;

/// Largest coordinate of a vertex or a ray's origin, mm: 10 km.
pub const MAX_COORDINATE_MM: f64 = 1e7;

/// Which surface of a scene: its place in the list the scene was built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SurfaceId(pub u16);

/// One closed surface of a scene to be built.
#[derive(Debug)]
pub struct SceneSurface<'a, F> {
    /// The surface; its triangles run anticlockwise seen from outside.
    pub mesh: &'a TriMesh<F>,
    /// Where surfaces overlap, the higher priority fills the place; of equal ones the lower id.
    pub priority: i32,
}

impl<F> Clone for SceneSurface<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F> Copy for SceneSurface<'_, F> {}

/// What a scene or a ray cannot be made of.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SceneError {
    /// More surfaces than ids.
    #[error("{count} surfaces, but a scene holds at most 65535; merge some of them")]
    TooManySurfaces {
        /// How many were given.
        count: usize,
    },
    /// More triangles or vertices than 32-bit numbers can name.
    #[error(
        "{count} triangles or vertices in all, but a scene holds at most 268435456; simplify the surfaces"
    )]
    TooManyTriangles {
        /// How many were given.
        count: usize,
    },
    /// A vertex is not a finite number or lies too far away.
    #[error(
        "surface {}: vertex {vertex} is at ({}, {}, {}) mm; coordinates must be numbers within ±1e7 mm",
        .surface.0, .place[0], .place[1], .place[2]
    )]
    BadVertex {
        /// The surface.
        surface: SurfaceId,
        /// Its vertex.
        vertex: usize,
        /// The coordinates, mm.
        place: [f32; 3],
    },
    /// The scene has no such surface.
    #[error("there is no surface {}; the scene has {count}, numbered from 0", .surface.0)]
    NoSuchSurface {
        /// What was asked for.
        surface: SurfaceId,
        /// How many there are.
        count: usize,
    },
    /// The moved vertices are not as many as the surface has.
    #[error("surface {} has {expected} vertices, but {given} moved ones were given; build a new scene if the triangles changed", .surface.0)]
    VertexCount {
        /// The surface.
        surface: SurfaceId,
        /// Its number of vertices.
        expected: usize,
        /// How many were given.
        given: usize,
    },
    /// A ray's origin is not a finite number or lies too far away.
    #[error("the ray starts at ({}, {}, {}) mm; coordinates must be numbers within ±1e7 mm", .place[0], .place[1], .place[2])]
    BadOrigin {
        /// The coordinates, mm.
        place: [f64; 3],
    },
    /// A ray's direction has no positive finite length.
    #[error("the ray's direction ({}, {}, {}) has no positive finite length", .direction[0], .direction[1], .direction[2])]
    BadDirection {
        /// The components.
        direction: [f64; 3],
    },
    /// A ray's length is negative or not a number.
    #[error("the ray's length is {t_max_mm} mm; it must be 0 or more (infinity is allowed)")]
    BadLength {
        /// The length, mm.
        t_max_mm: f64,
    },
}

const MAX_TRIANGLES: usize = 1 << 28;

/// Where one surface's vertices and triangles lie in the scene's flat lists.
#[derive(Clone, Debug)]
struct Span {
    first_vertex: u32,
    vertices: u32,
    first_triangle: u32,
    triangles: u32,
}

/// Many closed surfaces in frame `F`, ready for queries. See the [module](self).
#[derive(Clone, Debug)]
pub struct Scene<F> {
    geometry: Flat,
    tree: Tree,
    /// A tree of its own for each surface that was asked about alone.
    surface_trees: Vec<OnceLock<Tree>>,
    ranks: Ranks,
    width: Width,
    frame: PhantomData<F>,
}

/// All surfaces' vertices and triangles in one list each.
#[derive(Clone, Debug, Default)]
struct Flat {
    spans: Vec<Span>,
    vertices: Vec<[f32; 3]>,
    /// Indices into `vertices`.
    triangles: Vec<[u32; 3]>,
    surface_of_triangle: Vec<u16>,
}

impl Flat {
    #[inline(always)]
    fn corners(&self, triangle: u32) -> [[f32; 3]; 3] {
        let [a, b, c] = self.triangles[triangle as usize];
        let at = |v: u32| self.vertices[v as usize];
        [at(a), at(b), at(c)]
    }

    fn local_triangle(&self, triangle: u32) -> (SurfaceId, u32) {
        let surface = self.surface_of_triangle[triangle as usize];
        (
            SurfaceId(surface),
            triangle - self.spans[usize::from(surface)].first_triangle,
        )
    }

    fn push<F>(&mut self, id: SurfaceId, mesh: &TriMesh<F>) -> Result<(), SceneError> {
        check_vertices(id, mesh.vertices())?;
        let first_vertex = self.vertices.len() as u32;
        self.spans.push(Span {
            first_vertex,
            vertices: mesh.vertices().len() as u32,
            first_triangle: self.triangles.len() as u32,
            triangles: mesh.triangles().len() as u32,
        });
        self.vertices.extend_from_slice(mesh.vertices());
        let global = mesh
            .triangles()
            .iter()
            .map(|corners| corners.map(|v| v + first_vertex));
        self.triangles.extend(global);
        self.surface_of_triangle.resize(self.triangles.len(), id.0);
        Ok(())
    }
}

fn check_vertices(surface: SurfaceId, vertices: &[[f32; 3]]) -> Result<(), SceneError> {
    let fits = |c: &f32| f64::from(c.abs()) <= MAX_COORDINATE_MM;
    match vertices.iter().position(|v| !v.iter().all(fits)) {
        Some(vertex) => Err(SceneError::BadVertex {
            surface,
            vertex,
            place: vertices[vertex],
        }),
        None => Ok(()),
    }
}

fn check_counts<F>(surfaces: &[SceneSurface<'_, F>]) -> Result<(), SceneError> {
    if surfaces.len() > usize::from(u16::MAX) {
        return Err(SceneError::TooManySurfaces {
            count: surfaces.len(),
        });
    }
    let triangles: usize = surfaces.iter().map(|s| s.mesh.triangles().len()).sum();
    let vertices: usize = surfaces.iter().map(|s| s.mesh.vertices().len()).sum();
    let count = triangles.max(vertices);
    if count > MAX_TRIANGLES {
        return Err(SceneError::TooManyTriangles { count });
    }
    Ok(())
}

impl<F> Scene<F> {
    /// Copies the surfaces and builds the tree over all their triangles. The surfaces' ids are
    /// their places in the list. An empty list makes an empty scene.
    ///
    /// # Errors
    /// [`SceneError::TooManySurfaces`], [`SceneError::TooManyTriangles`],
    /// [`SceneError::BadVertex`].
    pub fn build(surfaces: &[SceneSurface<'_, F>]) -> Result<Self, SceneError> {
        check_counts(surfaces)?;
        let mut geometry = Flat::default();
        for (index, surface) in surfaces.iter().enumerate() {
            geometry.push(SurfaceId(index as u16), surface.mesh)?;
        }
        let all = 0..geometry.triangles.len() as u32;
        Ok(Self {
            tree: Tree::build(&geometry, all),
            surface_trees: surfaces.iter().map(|_| OnceLock::new()).collect(),
            ranks: Ranks::new(surfaces.iter().map(|s| s.priority)),
            width: Width::detect(),
            geometry,
            frame: PhantomData,
        })
    }

    /// How many surfaces there are; ids run from 0.
    pub fn surface_count(&self) -> usize {
        self.geometry.spans.len()
    }

    /// How many triangles there are in all.
    pub fn triangle_count(&self) -> usize {
        self.geometry.triangles.len()
    }

    /// The box round all triangles ([`Aabb::EMPTY`] for an empty scene).
    pub fn bounds(&self) -> Aabb {
        self.tree.bounds
    }

    /// All crossings of one ray; they become ray 0 of `out`.
    pub fn cast(&self, ray: &Ray<F>, out: &mut Crossings<F>) {
        self.cast_bundle(std::slice::from_ref(ray), out);
    }

    /// All crossings of each ray, on this thread. What `out` held is forgotten, its memory reused.
    ///
    /// Each eight rays in a row that stay close to each other are walked together. A crossing takes
    /// 48 bytes: cast a large picture in parts, so that they stay in the processor's cache.
    pub fn cast_bundle(&self, rays: &[Ray<F>], out: &mut Crossings<F>) {
        let chunks = out.prepare(rays.len());
        for (chunk, rays) in chunks.iter_mut().zip(rays.chunks(CHUNK_RAYS)) {
            self.cast_chunk(rays, chunk);
        }
    }

    /// As [`Scene::cast_bundle`], spread over the threads of the caller's rayon pool; the result is
    /// the same to the byte.
    pub fn cast_bundle_parallel(&self, rays: &[Ray<F>], out: &mut Crossings<F>)
    where
        F: Send + Sync,
    {
        out.prepare(rays.len())
            .par_iter_mut()
            .zip(rays.par_chunks(CHUNK_RAYS))
            .for_each(|(chunk, rays)| self.cast_chunk(rays, chunk));
    }

    fn cast_chunk(&self, rays: &[Ray<F>], chunk: &mut Chunk<F>) {
        chunk.clear();
        traverse::cast_all(
            self.width,
            &self.tree,
            &self.geometry.spans,
            &self.ranks,
            rays,
            chunk,
        );
    }

    /// As [`Scene::cast_bundle`], but tests every triangle against every ray in plain code: the
    /// oracle for the fast ways. Slow.
    pub fn cast_plain(&self, rays: &[Ray<F>], out: &mut Crossings<F>) {
        let chunks = out.prepare(rays.len());
        for (chunk, rays) in chunks.iter_mut().zip(rays.chunks(CHUNK_RAYS)) {
            chunk.clear();
            for ray in rays {
                let line = Line::new(ray, &self.tree);
                for triangle in 0..self.geometry.triangles.len() as u32 {
                    if let Some(meeting) = line.meet(self.geometry.corners(triangle)) {
                        let of = Origin {
                            surface: self.geometry.surface_of_triangle[triangle as usize],
                            triangle,
                            place: triangle,
                        };
                        chunk.hits[0].record(&line, of, &meeting);
                    }
                }
                let corners = |triangle| self.geometry.corners(triangle);
                chunk.finish_ray(0, &line, &self.geometry.spans, &self.ranks, corners);
            }
        }
    }

    /// The surfaces that enclose `place`, the one that fills it first. A place on a surface may
    /// count as either side of it.
    pub fn containing(&self, place: Point<F>) -> Vec<SurfaceId> {
        let mut ranks: Vec<u16> = self
            .windings(&self.tree, place)
            .into_iter()
            .filter(|&(_, winding)| winding > 0)
            .map(|(surface, _)| self.ranks.rank_of(surface))
            .collect();
        ranks.sort_unstable();
        ranks
            .into_iter()
            .map(|rank| self.ranks.surface_at(rank))
            .collect()
    }

    /// The surface whose medium fills `place`; `None` outside everything.
    pub fn innermost(&self, place: Point<F>) -> Option<SurfaceId> {
        self.windings(&self.tree, place)
            .into_iter()
            .filter(|&(_, winding)| winding > 0)
            .map(|(surface, _)| self.ranks.rank_of(surface))
            .min()
            .map(|rank| self.ranks.surface_at(rank))
    }

    /// How often each surface met on the way out of the scene winds round `place`; by surface.
    fn windings(&self, tree: &Tree, place: Point<F>) -> Vec<(u16, i32)> {
        let Some(line) = Line::outward(place, tree) else {
            return Vec::new();
        };
        let mut passes = traverse::passes(self.width, tree, &line);
        passes.sort_unstable_by_key(|&(surface, _)| surface);
        passes.dedup_by(|next, sum| {
            let same = next.0 == sum.0;
            if same {
                sum.1 += next.1;
            }
            same
        });
        passes
    }

    /// Moves one surface's vertices; its triangles stay. All answers are then those of a scene
    /// built anew.
    ///
    /// # Errors
    /// [`SceneError::NoSuchSurface`], [`SceneError::VertexCount`], [`SceneError::BadVertex`]; the
    /// scene is then unchanged.
    pub fn refit(&mut self, surface: SurfaceId, vertices: &[[f32; 3]]) -> Result<(), SceneError> {
        self.check_moved(surface, vertices)?;
        self.take_moved(surface, vertices);
        self.tree.refit(&self.geometry, Some(surface.0));
        Ok(())
    }

    /// Moves every surface's vertices, as [`Scene::refit`]; `vertices[i]` belongs to surface i.
    ///
    /// # Errors
    /// As for [`Scene::refit`]; [`SceneError::NoSuchSurface`] also if there are more or fewer lists
    /// than surfaces.
    pub fn refit_all(&mut self, vertices: &[&[[f32; 3]]]) -> Result<(), SceneError> {
        let count = self.surface_count();
        if vertices.len() != count {
            return Err(SceneError::NoSuchSurface {
                surface: SurfaceId(vertices.len().min(usize::from(u16::MAX)) as u16),
                count,
            });
        }
        for (index, moved) in vertices.iter().enumerate() {
            self.check_moved(SurfaceId(index as u16), moved)?;
        }
        for (index, moved) in vertices.iter().enumerate() {
            self.take_moved(SurfaceId(index as u16), moved);
        }
        self.tree.refit(&self.geometry, None);
        Ok(())
    }

    fn check_moved(&self, surface: SurfaceId, vertices: &[[f32; 3]]) -> Result<(), SceneError> {
        let expected = self.span(surface)?.vertices as usize;
        if vertices.len() != expected {
            return Err(SceneError::VertexCount {
                surface,
                expected,
                given: vertices.len(),
            });
        }
        check_vertices(surface, vertices)
    }

    fn take_moved(&mut self, surface: SurfaceId, vertices: &[[f32; 3]]) {
        let index = usize::from(surface.0);
        let first = self.geometry.spans[index].first_vertex as usize;
        self.geometry.vertices[first..first + vertices.len()].copy_from_slice(vertices);
        if let Some(tree) = self.surface_trees[index].get_mut() {
            tree.refit(&self.geometry, None);
        }
    }

    fn span(&self, surface: SurfaceId) -> Result<&Span, SceneError> {
        self.geometry
            .spans
            .get(usize::from(surface.0))
            .ok_or(SceneError::NoSuchSurface {
                surface,
                count: self.surface_count(),
            })
    }

    /// The tree over one surface alone, built when first asked for.
    fn surface_tree(&self, surface: SurfaceId) -> Result<&Tree, SceneError> {
        let span = self.span(surface)?;
        let triangles = span.first_triangle..span.first_triangle + span.triangles;
        let tree = &self.surface_trees[usize::from(surface.0)];
        Ok(tree.get_or_init(|| Tree::build(&self.geometry, triangles)))
    }
}

#[cfg(test)]
mod tests;
