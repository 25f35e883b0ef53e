//! Indexed triangle meshes.

use std::collections::HashMap;
use std::marker::PhantomData;

use thiserror::Error;

use crate::frame::{Affine, Point};

/// Why vertices and triangles do not make a mesh.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum MeshError {
    /// No triangle at all.
    #[error("the mesh has 0 triangles")]
    Empty,
    /// An index points past the vertices.
    #[error("triangle {triangle} refers to vertex {index}, but there are only {vertices} vertices")]
    IndexOutOfRange {
        /// The offending triangle.
        triangle: usize,
        /// The index it holds.
        index: u32,
        /// How many vertices there are.
        vertices: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("vertex {vertex} has a coordinate that is not a finite number: ({}, {}, {})", .place[0], .place[1], .place[2])]
    NotFinite {
        /// The offending vertex.
        vertex: usize,
        /// Its coordinates.
        place: [f32; 3],
    },
}

/// An axis-aligned box, mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aabb {
    /// Smallest corner.
    pub min: [f32; 3],
    /// Largest corner.
    pub max: [f32; 3],
}

impl Aabb {
    /// Contains nothing; the start value for growing.
    pub const EMPTY: Self = Self {
        min: [f32::INFINITY; 3],
        max: [f32::NEG_INFINITY; 3],
    };

    /// The smallest box round some points.
    pub fn of_points<'a>(points: impl IntoIterator<Item = &'a [f32; 3]>) -> Self {
        points
            .into_iter()
            .fold(Self::EMPTY, |bounds, p| bounds.including(p))
    }
    /// Grown to hold `p`.
    #[must_use]
    pub fn including(self, p: &[f32; 3]) -> Self {
        Self {
            min: std::array::from_fn(|a| self.min[a].min(p[a])),
            max: std::array::from_fn(|a| self.max[a].max(p[a])),
        }
    }
    /// The smallest box round both.
    #[must_use]
    pub fn union(self, other: &Self) -> Self {
        Self {
            min: std::array::from_fn(|a| self.min[a].min(other.min[a])),
            max: std::array::from_fn(|a| self.max[a].max(other.max[a])),
        }
    }
    /// Whether the closed boxes share a point.
    pub fn overlaps(&self, other: &Self) -> bool {
        (0..3).all(|a| self.min[a] <= other.max[a] && other.min[a] <= self.max[a])
    }
    /// Edge lengths, mm.
    pub fn extent(&self) -> [f32; 3] {
        std::array::from_fn(|a| self.max[a] - self.min[a])
    }
    /// Middle, mm.
    pub fn center(&self) -> [f32; 3] {
        std::array::from_fn(|a| 0.5 * (self.max[a] + self.min[a]))
    }
}

/// Triangles over shared vertices, in frame `F`, mm, single precision (60 nm at half a metre).
///
/// Triangles run anticlockwise seen from outside, so a closed mesh has positive volume. A value of
/// this type has at least one triangle, all indices in range and all coordinates finite; whether it
/// is *closed* is asked with [`crate::check`].
#[derive(Debug)]
pub struct TriMesh<F> {
    vertices: Vec<[f32; 3]>,
    triangles: Vec<[u32; 3]>,
    frame: PhantomData<F>,
}

impl<F> Clone for TriMesh<F> {
    fn clone(&self) -> Self {
        Self {
            vertices: self.vertices.clone(),
            triangles: self.triangles.clone(),
            frame: PhantomData,
        }
    }
}

impl<F> PartialEq for TriMesh<F> {
    fn eq(&self, other: &Self) -> bool {
        self.vertices == other.vertices && self.triangles == other.triangles
    }
}

impl<F> TriMesh<F> {
    /// Checks indices and coordinates.
    ///
    /// # Errors
    /// See [`MeshError`].
    pub fn new(vertices: Vec<[f32; 3]>, triangles: Vec<[u32; 3]>) -> Result<Self, MeshError> {
        if triangles.is_empty() {
            return Err(MeshError::Empty);
        }
        for (triangle, corners) in triangles.iter().enumerate() {
            if let Some(&index) = corners.iter().find(|&&i| i as usize >= vertices.len()) {
                return Err(MeshError::IndexOutOfRange {
                    triangle,
                    index,
                    vertices: vertices.len(),
                });
            }
        }
        check_finite(&vertices)?;
        Ok(Self {
            vertices,
            triangles,
            frame: PhantomData,
        })
    }

    /// Vertex coordinates, mm.
    pub fn vertices(&self) -> &[[f32; 3]] {
        &self.vertices
    }
    /// Vertex indices of each triangle, anticlockwise seen from outside.
    pub fn triangles(&self) -> &[[u32; 3]] {
        &self.triangles
    }
    /// Vertex `index` as a typed point.
    pub fn vertex(&self, index: u32) -> Point<F> {
        Point::from_f32(self.vertices[index as usize])
    }
    /// The three corners of triangle `index`, mm.
    pub fn corners(&self, index: usize) -> [[f32; 3]; 3] {
        self.triangles[index].map(|v| self.vertices[v as usize])
    }
    /// The box round all vertices.
    pub fn bounds(&self) -> Aabb {
        Aabb::of_points(&self.vertices)
    }

    /// Moves every vertex; the triangles stay.
    ///
    /// # Errors
    /// [`MeshError::NotFinite`]; the mesh is then unchanged.
    ///
    /// # Panics
    /// If the number of vertices differs.
    pub fn move_vertices(&mut self, vertices: &[[f32; 3]]) -> Result<(), MeshError> {
        assert_eq!(
            vertices.len(),
            self.vertices.len(),
            "a move keeps the number of vertices"
        );
        check_finite(vertices)?;
        self.vertices.copy_from_slice(vertices);
        Ok(())
    }

    /// Enclosed volume by the divergence theorem, mm³: Σ a·(b×c)/6 about the box's middle.
    ///
    /// Meaningful for closed meshes; negative where the triangles face inward.
    pub fn signed_volume_mm3(&self) -> f64 {
        let about = self.bounds().center();
        let sum: f64 = (0..self.triangles.len())
            .map(|t| {
                let [a, b, c] = self
                    .corners(t)
                    .map(|p| Point::<F>::from_f32(p) - Point::from_f32(about));
                a.dot(&b.cross(&c))
            })
            .sum();
        sum / 6.0
    }

    /// Surface area, mm².
    pub fn area_mm2(&self) -> f64 {
        (0..self.triangles.len())
            .map(|t| {
                let [a, b, c] = self.corners(t).map(Point::<F>::from_f32);
                0.5 * (b - a).cross(&(c - a)).norm()
            })
            .sum()
    }

    /// The same surface, inside out.
    pub fn flip(&mut self) {
        for corners in &mut self.triangles {
            corners.swap(1, 2);
        }
    }

    /// The same surface in another frame; triangles are reversed where the map flips handedness, so
    /// that outside stays outside.
    ///
    /// # Errors
    /// [`MeshError::NotFinite`] if a coordinate overflows single precision.
    pub fn transformed<To>(&self, to_from_f: &Affine<To, F>) -> Result<TriMesh<To>, MeshError> {
        let vertices = self
            .vertices
            .iter()
            .map(|&v| (*to_from_f * Point::<F>::from_f32(v)).to_f32())
            .collect();
        let mut mesh = TriMesh::new(vertices, self.triangles.clone())?;
        if to_from_f.determinant() < 0.0 {
            mesh.flip();
        }
        Ok(mesh)
    }

    /// Merges vertices at exactly the same place and drops triangles that thereby lose a corner.
    /// Many file formats repeat a vertex for every triangle that uses it.
    ///
    /// # Errors
    /// [`MeshError::Empty`] if no triangle is left.
    pub fn welded(&self) -> Result<Self, MeshError> {
        let mut index_at = HashMap::with_capacity(self.vertices.len());
        let mut vertices = Vec::new();
        let merged: Vec<u32> = self
            .vertices
            .iter()
            .map(|v| {
                // Adding 0.0 turns −0.0 into 0.0, which is the same place.
                let key = v.map(|c| (c + 0.0).to_bits());
                *index_at.entry(key).or_insert_with(|| {
                    vertices.push(*v);
                    (vertices.len() - 1) as u32
                })
            })
            .collect();
        let triangles = self
            .triangles
            .iter()
            .map(|corners| corners.map(|v| merged[v as usize]))
            .filter(|[a, b, c]| a != b && b != c && c != a)
            .collect();
        Self::new(vertices, triangles)
    }

    /// The parts that share no vertex, each with its own vertex list, largest box first.
    pub fn components(&self) -> Vec<Self> {
        let labels = self.component_labels();
        let count = labels.iter().max().map_or(0, |&last| last as usize + 1);
        let mut parts: Vec<Vec<[u32; 3]>> = vec![Vec::new(); count];
        for (corners, &label) in self.triangles.iter().zip(&labels) {
            parts[label as usize].push(*corners);
        }
        let mut meshes: Vec<Self> = parts.into_iter().map(|part| self.with_only(part)).collect();
        let diagonal = |m: &Self| m.bounds().extent().iter().map(|e| e * e).sum::<f32>();
        meshes.sort_by(|a, b| diagonal(b).total_cmp(&diagonal(a)));
        meshes
    }

    /// For each triangle the number of its connected part (shared vertices connect), from 0 in
    /// order of first appearance.
    pub fn component_labels(&self) -> Vec<u32> {
        let mut parent: Vec<u32> = (0..self.vertices.len() as u32).collect();
        for &[a, b, c] in &self.triangles {
            let root = find_root(&mut parent, a);
            for other in [b, c] {
                let other = find_root(&mut parent, other);
                parent[other as usize] = root;
            }
        }
        let mut number_of = HashMap::new();
        self.triangles
            .iter()
            .map(|corners| {
                let root = find_root(&mut parent, corners[0]);
                let next = number_of.len() as u32;
                *number_of.entry(root).or_insert(next)
            })
            .collect()
    }

    fn with_only(&self, triangles: Vec<[u32; 3]>) -> Self {
        let mut index_of = HashMap::new();
        let mut vertices = Vec::new();
        let triangles = triangles
            .into_iter()
            .map(|corners| {
                corners.map(|v| {
                    *index_of.entry(v).or_insert_with(|| {
                        vertices.push(self.vertices[v as usize]);
                        (vertices.len() - 1) as u32
                    })
                })
            })
            .collect();
        Self {
            vertices,
            triangles,
            frame: PhantomData,
        }
    }
}

fn find_root(parent: &mut [u32], mut node: u32) -> u32 {
    while parent[node as usize] != node {
        parent[node as usize] = parent[parent[node as usize] as usize];
        node = parent[node as usize];
    }
    node
}

fn check_finite(vertices: &[[f32; 3]]) -> Result<(), MeshError> {
    match vertices
        .iter()
        .position(|v| v.iter().any(|c| !c.is_finite()))
    {
        Some(vertex) => Err(MeshError::NotFinite {
            vertex,
            place: vertices[vertex],
        }),
        None => Ok(()),
    }
}
