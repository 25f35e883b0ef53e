//! Mesh files: STL, OBJ, PLY, glTF, into triangle meshes in the file's own axes, and the map from
//! there to the patient.
//!
//! The content decides the format where it can (PLY and binary glTF have magic words), otherwise the
//! file name does. Polygons are cut into fans; vertices at the same place are merged. The readers are
//! this crate's own: the crates for these formats name no line or byte in their errors, refuse files
//! that others write (an STL that starts with a bare `solid`, numbers like `1.`) or can panic on
//! malformed input (glTF accessors). Of `gltf` the typed JSON is used. Tests compare with the crates.
//!
//! What is absent: materials, colours, normals, animation, skins; Draco or meshopt compression.
//!
//! ```
//! use geometry::frame::{File, Patient, Point};
//! use geometry::mesh_file::{Axes, MeshUnits, patient_from_file};
//! // A file in metres whose y axis points up (superior) and whose z axis points forward.
//! let map = patient_from_file(MeshUnits::Metres, "y-up".parse::<Axes>()?);
//! let head: Point<Patient> = map * Point::<File>::new(0.1, 1.5, 0.2);
//! assert_eq!(head, Point::new(100.0, -200.0, 1500.0));
//! # Ok::<(), geometry::mesh_file::AxesError>(())
//! ```

mod axes;
mod gltf;
mod obj;
mod ply;
mod stl;

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use self::axes::{Axes, AxesError, MeshUnits, UnitsError, patient_from_file};
pub use self::ply::{read_ply, read_ply_from_bytes, write_ply, write_ply_file};
use crate::frame::{Affine, File, Patient};
use crate::mesh::{MeshError, TriMesh};

/// One named surface of a mesh file, in the file's own axes and unit.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshPart {
    /// The object's, group's, solid's or node's name; the file's stem where the file gives none.
    /// Names need not be unique.
    pub name: String,
    /// The surface, vertices at the same place merged.
    pub mesh: TriMesh<File>,
}

/// Why a mesh file cannot be read; each message names the file, the place in it and the mend.
#[derive(Debug, Error)]
pub enum MeshFileError {
    /// The operating system refuses the file.
    #[error("{}: cannot be {doing}: {source}. {mend}.", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// "read" or "written".
        doing: &'static str,
        /// What the operating system says.
        source: io::Error,
        /// What to do.
        mend: &'static str,
    },
    /// Not a mesh format, or a part of one that is not supported.
    #[error("{}: {found}. {mend}.", file.display())]
    Unsupported {
        /// The file.
        file: PathBuf,
        /// What it is.
        found: String,
        /// What to do.
        mend: &'static str,
    },
    /// A place in the file makes no sense.
    #[error("{}, {place}: {found}. {mend}.", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Line, byte, or element.
        place: String,
        /// What is there.
        found: String,
        /// What to do.
        mend: &'static str,
    },
    /// The parts read do not make a mesh.
    #[error("{}, part “{part}”: {source}. Check the surface in a mesh editor and export it again.", file.display())]
    Mesh {
        /// The file.
        file: PathBuf,
        /// The part's name.
        part: String,
        /// What is wrong.
        source: MeshError,
    },
}

/// The mesh formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeshFormat {
    /// glTF 2.0, `.glb` or `.gltf`.
    Gltf,
    /// Wavefront `.obj`.
    Obj,
    /// Stanford `.ply`.
    Ply,
    /// Stereolithography `.stl`, text or binary.
    Stl,
}

impl MeshFormat {
    /// The format of a file, from its first bytes and its name.
    ///
    /// # Errors
    /// The file cannot be read, or is none of the formats.
    pub fn of_file(path: &Path) -> Result<Self, MeshFileError> {
        let mut start = Vec::new();
        open_regular(path)
            .and_then(|(file, _)| file.take(16).read_to_end(&mut start))
            .map_err(|e| read_error(path, e))?;
        Self::of_bytes(path, &start)
    }

    /// The format from the first bytes and the name.
    ///
    /// # Errors
    /// None of the formats.
    pub fn of_bytes(name: &Path, start: &[u8]) -> Result<Self, MeshFileError> {
        if start.starts_with(b"glTF") {
            return Ok(Self::Gltf);
        }
        if start.starts_with(b"ply\n") || start.starts_with(b"ply\r") {
            return Ok(Self::Ply);
        }
        let extension = name.extension().unwrap_or_default().to_ascii_lowercase();
        match extension.to_str() {
            Some("glb" | "gltf") => Ok(Self::Gltf),
            Some("obj") => Ok(Self::Obj),
            Some("ply") => Ok(Self::Ply),
            Some("stl") => Ok(Self::Stl),
            _ => Err(MeshFileError::Unsupported {
                file: name.to_owned(),
                found: "this is no mesh file by its name or content".into(),
                mend: "Hand over an STL, OBJ, PLY, GLB or glTF file",
            }),
        }
    }

    /// The unit files of this format usually have: metres by the glTF standard, else millimetres.
    pub fn default_units(self) -> MeshUnits {
        match self {
            Self::Gltf => MeshUnits::Metres,
            Self::Obj | Self::Ply | Self::Stl => MeshUnits::Millimetres,
        }
    }

    /// The axes files of this format usually have: y up and z forward by the glTF standard, else the
    /// patient's own (LPS).
    pub fn default_axes(self) -> Axes {
        match self {
            Self::Gltf => Axes::Y_UP,
            Self::Obj | Self::Ply | Self::Stl => Axes::LPS,
        }
    }

    /// [`patient_from_file`] of the format's usual unit and axes.
    pub fn default_patient_from_file(self) -> Affine<Patient, File> {
        patient_from_file(self.default_units(), self.default_axes())
    }
}

/// Reads every surface of a mesh file.
///
/// One part comes from every object or group of an OBJ (parts with the same name are one), every
/// `solid` of a text STL, every primitive of every node of a glTF scene (placed by its node), and
/// one from a PLY or a binary STL. Points and lines are passed over.
///
/// # Errors
/// See [`MeshFileError`]. A file without any triangle is an error.
pub fn read_mesh_parts(path: &Path) -> Result<Vec<MeshPart>, MeshFileError> {
    let bytes = read_whole(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parts(&Source {
        file: path,
        bytes: &bytes,
        folder: Some(folder),
    })
}

/// [`read_mesh_parts`] from memory; `name` stands for the file in messages and decides the format
/// where the content does not. A glTF that points to other files is refused.
///
/// # Errors
/// See [`MeshFileError`].
pub fn read_mesh_parts_from_bytes(
    name: &Path,
    bytes: &[u8],
) -> Result<Vec<MeshPart>, MeshFileError> {
    parts(&Source {
        file: name,
        bytes,
        folder: None,
    })
}

fn parts(source: &Source) -> Result<Vec<MeshPart>, MeshFileError> {
    let surfaces = match MeshFormat::of_bytes(source.file, source.bytes)? {
        MeshFormat::Gltf => gltf::surfaces(source)?,
        MeshFormat::Obj => obj::surfaces(source)?,
        MeshFormat::Ply => vec![ply::surface(source)?],
        MeshFormat::Stl => stl::surfaces(source)?,
    };
    if surfaces.iter().all(|s| s.triangles.is_empty()) {
        return Err(source.unsupported(
            "the file holds 0 triangles",
            "Export the surface, not a point cloud, a curve or an empty scene",
        ));
    }
    surfaces
        .into_iter()
        .filter(|s| !s.triangles.is_empty())
        .map(|s| source.part(s))
        .collect()
}

/// Vertices and triangles as read, not yet checked.
#[derive(Default)]
struct Surface {
    /// Empty where the file gives none.
    name: String,
    vertices: Vec<[f32; 3]>,
    triangles: Vec<[u32; 3]>,
}

impl Surface {
    fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
    /// Triangles over some larger list of places, with only those places that they use, in order of
    /// first use.
    fn compact(name: String, triangles: &[[u32; 3]], place: impl Fn(u32) -> [f32; 3]) -> Self {
        let mut index_of = HashMap::new();
        let mut vertices = Vec::new();
        let mut own = |v: u32| {
            *index_of.entry(v).or_insert_with(|| {
                vertices.push(place(v));
                (vertices.len() - 1) as u32
            })
        };
        let triangles = triangles.iter().map(|c| c.map(&mut own)).collect();
        Self {
            name,
            vertices,
            triangles,
        }
    }
    /// Adds a polygon as a fan of triangles about its first corner.
    fn push_fan(&mut self, corners: &[u32]) {
        if let [first, rest @ ..] = corners {
            let fan = rest.windows(2).map(|pair| [*first, pair[0], pair[1]]);
            self.triangles.extend(fan);
        }
    }
}

/// A mesh file's content and where it came from.
struct Source<'a> {
    file: &'a Path,
    bytes: &'a [u8],
    /// Where files named in this one are; `None` if they may not be read.
    folder: Option<&'a Path>,
}

impl Source<'_> {
    fn stem(&self) -> String {
        let stem = self.file.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }
    fn part(&self, surface: Surface) -> Result<MeshPart, MeshFileError> {
        let name = match surface.name.is_empty() {
            true => self.stem(),
            false => surface.name,
        };
        let mesh = TriMesh::new(surface.vertices, surface.triangles).and_then(|m| m.welded());
        match mesh {
            Err(MeshError::Empty) => Err(self.malformed(
                format!("part “{name}”"),
                "every triangle has two corners at the same place",
                "Delete the part, or check the scale it was exported with",
            )),
            Ok(mesh) => Ok(MeshPart { name, mesh }),
            Err(source) => Err(MeshFileError::Mesh {
                file: self.file.to_owned(),
                part: name,
                source,
            }),
        }
    }
    fn unsupported(&self, found: impl Into<String>, mend: &'static str) -> MeshFileError {
        MeshFileError::Unsupported {
            file: self.file.to_owned(),
            found: found.into(),
            mend,
        }
    }
    fn malformed(
        &self,
        place: impl Into<String>,
        found: impl Into<String>,
        mend: &'static str,
    ) -> MeshFileError {
        MeshFileError::Malformed {
            file: self.file.to_owned(),
            place: place.into(),
            found: found.into(),
            mend,
        }
    }
}

const EXPORT_AGAIN: &str = "Export the mesh again";
const CUT_OFF: &str = "The file is cut off: copy or export it again";

/// Largest mesh file that is read, bytes.
const MAX_FILE_BYTES: u64 = 1 << 31;

fn read_whole(path: &Path) -> Result<Vec<u8>, MeshFileError> {
    let (file, length) = open_regular(path).map_err(|e| read_error(path, e))?;
    if length > MAX_FILE_BYTES {
        return Err(MeshFileError::Unsupported {
            file: path.to_owned(),
            found: format!(
                "the file has {length} bytes, more than the {MAX_FILE_BYTES} that are read"
            ),
            mend: "Simplify the mesh",
        });
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(MAX_FILE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|e| read_error(path, e))?;
    Ok(bytes)
}

/// Opens a file that has a length; devices and pipes could go on for ever.
fn open_regular(path: &Path) -> io::Result<(std::fs::File, u64)> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::other("this is not a file"));
    }
    Ok((std::fs::File::open(path)?, meta.len()))
}

fn read_error(path: &Path, source: io::Error) -> MeshFileError {
    let mend = match source.kind() {
        io::ErrorKind::NotFound => "Check the spelling and the folder",
        io::ErrorKind::PermissionDenied => "Ask for the right to read it",
        _ => "Check that it is a whole, readable file",
    };
    MeshFileError::Io {
        file: path.to_owned(),
        doing: "read",
        source,
        mend,
    }
}

/// A piece of the file for a message, at most 40 characters.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A finite coordinate from text.
fn coordinate(word: &str) -> Option<f32> {
    word.parse::<f32>().ok().filter(|value| value.is_finite())
}
