//! The ground everything stands on: frames and units, triangle meshes, ray queries, fields, label
//! volumes and centrelines.
//!
//! What is absent on purpose: this crate knows no tissue, no organ and no patient; it reads volume
//! and mesh files but writes no picture; it has no thread pool, clock or random source of its own.
//!
//! Lengths are millimetres everywhere. The patient frame is DICOM LPS: +x to the patient's left,
//! +y posterior, +z superior.

pub mod bvh;
pub mod centerline;
pub mod check;
pub mod closest;
pub mod distance;
pub mod frame;
pub mod labels;
pub mod markups;
pub mod mesh;
pub mod mesh_file;
pub mod moments;
pub mod polygonise;
pub mod remesh;
pub mod scene;
pub mod sdf;
pub mod units;
pub mod volume;
pub mod volume_file;

pub use frame::{Affine, Frame, Patient, Point, Pose, Vector};
pub use mesh::{Aabb, MeshError, TriMesh};
pub use volume::Volume;
