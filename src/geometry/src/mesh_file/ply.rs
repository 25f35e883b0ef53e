//! PLY: text, little- and big-endian; and the one layout that this program writes.
//!
//! Format: Greg Turk, "The PLY Polygon File Format" (1994). What is written is the plainest binary
//! form, which every mesh editor opens: little-endian, `float` x y z, and one
//! `list uchar int vertex_indices` a face; `comment frame …` and `comment unit mm` say where it is.
//! That form is read straight from the bytes; every other one goes number by number.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{CUT_OFF, EXPORT_AGAIN, MeshFileError, Source, Surface, read_whole, shortened};
use crate::frame::Frame;
use crate::mesh::TriMesh;

/// Writes a mesh as binary PLY with its frame, its unit (mm) and further comment lines.
///
/// # Errors
/// Those of `out`.
pub fn write_ply<F: Frame>(
    mesh: &TriMesh<F>,
    comments: &[&str],
    out: &mut impl Write,
) -> io::Result<()> {
    let (vertices, triangles) = (mesh.vertices(), mesh.triangles());
    write!(
        out,
        "ply\nformat binary_little_endian 1.0\ncomment frame {}\ncomment unit mm\n",
        F::NAME
    )?;
    for comment in comments {
        let line: String = comment
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        writeln!(out, "comment {line}")?;
    }
    write!(
        out,
        "element vertex {}\nproperty float x\nproperty float y\nproperty float z\n\
         element face {}\nproperty list uchar int vertex_indices\nend_header\n",
        vertices.len(),
        triangles.len()
    )?;
    for vertex in vertices {
        out.write_all(vertex.map(f32::to_le_bytes).as_flattened())?;
    }
    for corners in triangles {
        out.write_all(&[3])?;
        out.write_all(corners.map(u32::to_le_bytes).as_flattened())?;
    }
    Ok(())
}

/// [`write_ply`] into a file, which appears only when it is complete: the mesh is written beside it
/// under the name with `.part` added, then renamed.
///
/// # Errors
/// [`MeshFileError::Io`].
pub fn write_ply_file<F: Frame>(
    mesh: &TriMesh<F>,
    comments: &[&str],
    path: &Path,
) -> Result<(), MeshFileError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let write = || {
        let mut out = BufWriter::with_capacity(1 << 16, std::fs::File::create(&beside)?);
        write_ply(mesh, comments, &mut out)?;
        out.flush()?;
        drop(out);
        std::fs::rename(&beside, path)
    };
    write().map_err(|source| {
        // The unfinished file is of no use; that it cannot be removed would hide the first fault.
        let _ = std::fs::remove_file(&beside);
        MeshFileError::Io {
            file: path.to_owned(),
            doing: "written",
            source,
            mend: "Check the folder, its rights and the free space",
        }
    })
}

/// Reads a PLY that holds one mesh in frame `F`, mm, with its vertices as they are (not merged).
///
/// # Errors
/// [`MeshFileError`]; also where the file's own comments name another frame or unit.
pub fn read_ply<F: Frame>(path: &Path) -> Result<TriMesh<F>, MeshFileError> {
    read_ply_from_bytes(path, &read_whole(path)?)
}

/// [`read_ply`] from memory; `name` stands for the file in messages.
///
/// # Errors
/// As [`read_ply`].
pub fn read_ply_from_bytes<F: Frame>(
    name: &Path,
    bytes: &[u8],
) -> Result<TriMesh<F>, MeshFileError> {
    let source = Source {
        file: name,
        bytes,
        folder: None,
    };
    let header = Header::read(&source)?;
    header.check_comment(&source, "frame", F::NAME)?;
    header.check_comment(&source, "unit", "mm")?;
    let surface = header.surface(&source)?;
    TriMesh::new(surface.vertices, surface.triangles).map_err(|fault| MeshFileError::Mesh {
        file: name.to_owned(),
        part: source.stem(),
        source: fault,
    })
}

/// The file's vertices and faces.
///
/// # Errors
/// A header that is no PLY header, counts that the file cannot hold, or a face that refers to no
/// vertex.
pub(super) fn surface(source: &Source) -> Result<Surface, MeshFileError> {
    Header::read(source)?.surface(source)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Text,
    Little,
    Big,
}

/// A stored number type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Number {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "char" | "int8" => Self::I8,
            "uchar" | "uint8" => Self::U8,
            "short" | "int16" => Self::I16,
            "ushort" | "uint16" => Self::U16,
            "int" | "int32" => Self::I32,
            "uint" | "uint32" => Self::U32,
            "float" | "float32" => Self::F32,
            "double" | "float64" => Self::F64,
            _ => return None,
        })
    }
    fn bytes(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

#[derive(Debug, PartialEq)]
struct Property {
    name: String,
    /// The type of the count, for a list.
    list: Option<Number>,
    number: Number,
}

impl Property {
    fn is_indices(&self) -> bool {
        self.list.is_some() && matches!(self.name.as_str(), "vertex_indices" | "vertex_index")
    }
}

#[derive(Debug)]
struct Element {
    name: String,
    count: usize,
    properties: Vec<Property>,
}

impl Element {
    /// Fewest bytes that one of these takes.
    fn least_bytes(&self, encoding: Encoding) -> usize {
        let sizes = self.properties.iter().map(|p| match encoding {
            Encoding::Text => 1,
            _ => p.list.unwrap_or(p.number).bytes(),
        });
        sizes.sum()
    }
}

struct Header<'a> {
    encoding: Encoding,
    comments: Vec<&'a str>,
    elements: Vec<Element>,
    data_start: usize,
}

/// Longest header that is read, bytes.
const MAX_HEADER_BYTES: usize = 1 << 20;

impl<'a> Header<'a> {
    fn read(source: &Source<'a>) -> Result<Self, MeshFileError> {
        let mut header = Self {
            encoding: Encoding::Text,
            comments: Vec::new(),
            elements: Vec::new(),
            data_start: 0,
        };
        let mut has_format = false;
        for (number, line) in header_lines(source.bytes).enumerate() {
            header.data_start += line.len();
            let Ok(line) = std::str::from_utf8(line) else {
                return Err(bad_line(source, number, "is not text"));
            };
            let line = line.trim();
            match line.split_whitespace().next().unwrap_or_default() {
                "ply" if number == 0 => {}
                _ if number == 0 => break,
                "end_header" if has_format => return Ok(header),
                "end_header" => {
                    return Err(bad_line(source, number, "comes before any `format` line"));
                }
                "format" => {
                    has_format = true;
                    header.encoding = encoding_of(line)
                        .ok_or_else(|| bad_line(source, number, "names no known format"))?;
                }
                "comment" => header.comments.push(line["comment".len()..].trim()),
                "obj_info" | "" => {}
                "element" => header.elements.push(
                    element_of(line).ok_or_else(|| bad_line(source, number, "is no element"))?,
                ),
                "property" => header
                    .push_property(line)
                    .ok_or_else(|| bad_line(source, number, "is no property of an element"))?,
                _ => return Err(bad_line(source, number, "has an unknown first word")),
            }
        }
        Err(source.unsupported(
            "the PLY header is not complete (it starts with “ply”, names a format and ends with “end_header”)",
            CUT_OFF,
        ))
    }

    fn push_property(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let property = match *words {
            [_, "list", count, number, name] => Property {
                name: name.into(),
                list: Some(Number::named(count)?),
                number: Number::named(number)?,
            },
            [_, number, name] => Property {
                name: name.into(),
                list: None,
                number: Number::named(number)?,
            },
            _ => return None,
        };
        self.elements.last_mut()?.properties.push(property);
        Some(())
    }

    /// # Errors
    /// A comment "`key` something else" is there.
    fn check_comment(&self, source: &Source, key: &str, wanted: &str) -> Result<(), MeshFileError> {
        let said = self
            .comments
            .iter()
            .find_map(|c| c.strip_prefix(key)?.strip_prefix(' '));
        match said {
            Some(said) if said.trim() != wanted => Err(source.malformed(
                format!("header comment `{key}`"),
                format!(
                    "it says “{}”, but “{wanted}” is needed here",
                    shortened(said)
                ),
                "Import the mesh with its unit and axes instead of copying it into place",
            )),
            _ => Ok(()),
        }
    }

    fn surface(&self, source: &Source) -> Result<Surface, MeshFileError> {
        self.check_counts(source)?;
        if let Some(surface) = self.plain_surface(source) {
            return Ok(surface);
        }
        let mut body = Body {
            source,
            encoding: self.encoding,
            rest: &source.bytes[self.data_start..],
        };
        let mut surface = Surface::default();
        for element in &self.elements {
            match element.name.as_str() {
                "vertex" => body.vertices(element, &mut surface)?,
                "face" => body.faces(element, self.vertex_count(), &mut surface)?,
                _ => body.skip(element)?,
            }
        }
        Ok(surface)
    }

    fn vertex_count(&self) -> usize {
        let vertices = self.elements.iter().filter(|e| e.name == "vertex");
        vertices.map(|e| e.count).sum()
    }

    /// Holds the claimed counts against the length of the file.
    fn check_counts(&self, source: &Source) -> Result<(), MeshFileError> {
        let mut room = source.bytes.len() - self.data_start;
        for element in &self.elements {
            let least = element
                .count
                .checked_mul(element.least_bytes(self.encoding));
            match least.and_then(|least| room.checked_sub(least)) {
                Some(left) => room = left,
                None => {
                    return Err(source.malformed(
                        format!("header element `{}`", element.name),
                        format!(
                            "it claims {} entries, but the file's {} bytes cannot hold them",
                            element.count,
                            source.bytes.len()
                        ),
                        CUT_OFF,
                    ));
                }
            }
        }
        Ok(())
    }

    /// The layout that [`write_ply`] writes, read straight; `None` for any other, and for faults,
    /// which the general way then names.
    fn plain_surface(&self, source: &Source) -> Option<Surface> {
        let [vertex, face] = self.elements.as_slice() else {
            return None;
        };
        let plain =
            self.encoding == Encoding::Little && is_plain_vertex(vertex) && is_plain_face(face);
        let body = plain.then_some(&source.bytes[self.data_start..])?;
        let (places, faces) = body.split_at_checked(12 * vertex.count)?;
        let vertices: Vec<[f32; 3]> = places
            .as_chunks::<4>()
            .0
            .as_chunks::<3>()
            .0
            .iter()
            .map(|place| place.map(f32::from_le_bytes))
            .collect();
        let triangles = plain_triangles(faces.get(..13 * face.count)?, vertices.len())?;
        Some(Surface {
            name: String::new(),
            vertices,
            triangles,
        })
    }
}

/// Lines with their ends, at most as long as a header may be. Old Macintosh files end lines with a
/// bare carriage return.
fn header_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bare_return = bytes.get(3) == Some(&b'\r') && bytes.get(4) != Some(&b'\n');
    let end = if bare_return { b'\r' } else { b'\n' };
    bytes[..bytes.len().min(MAX_HEADER_BYTES)].split_inclusive(move |&b| b == end)
}

fn bad_line(source: &Source, number: usize, fault: &str) -> MeshFileError {
    source.malformed(
        format!("header line {}", number + 1),
        format!("the line {fault}"),
        EXPORT_AGAIN,
    )
}

fn encoding_of(line: &str) -> Option<Encoding> {
    match line.split_whitespace().nth(1)? {
        "ascii" => Some(Encoding::Text),
        "binary_little_endian" => Some(Encoding::Little),
        "binary_big_endian" => Some(Encoding::Big),
        _ => None,
    }
}

fn element_of(line: &str) -> Option<Element> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, name, count] = *words else {
        return None;
    };
    Some(Element {
        name: name.into(),
        count: count.parse().ok()?,
        properties: Vec::new(),
    })
}

fn is_plain_vertex(element: &Element) -> bool {
    let xyz = ["x", "y", "z"];
    element.name == "vertex"
        && element.properties.len() == 3
        && element
            .properties
            .iter()
            .zip(xyz)
            .all(|(p, name)| p.name == name && p.list.is_none() && p.number == Number::F32)
}

fn is_plain_face(element: &Element) -> bool {
    let [indices] = element.properties.as_slice() else {
        return false;
    };
    element.name == "face"
        && indices.is_indices()
        && indices.list == Some(Number::U8)
        && matches!(indices.number, Number::I32 | Number::U32)
}

/// Faces of 13 bytes; `None` unless every one is a triangle over existing vertices.
fn plain_triangles(faces: &[u8], vertices: usize) -> Option<Vec<[u32; 3]>> {
    let mut triangles = Vec::with_capacity(faces.len() / 13);
    for [corners, indices @ ..] in faces.as_chunks::<13>().0 {
        let indices = indices.as_chunks::<4>().0;
        let triangle = [indices[0], indices[1], indices[2]].map(u32::from_le_bytes);
        if *corners != 3 || triangle.iter().any(|&v| v as usize >= vertices) {
            return None;
        }
        triangles.push(triangle);
    }
    Some(triangles)
}

/// Why the next number cannot be read.
enum NoNumber {
    End,
    Word(String),
}

/// What follows the header.
struct Body<'a> {
    source: &'a Source<'a>,
    encoding: Encoding,
    rest: &'a [u8],
}

impl Body<'_> {
    fn vertices(&mut self, element: &Element, surface: &mut Surface) -> Result<(), MeshFileError> {
        let columns: Vec<Option<usize>> = element
            .properties
            .iter()
            .map(|p| {
                ["x", "y", "z"]
                    .iter()
                    .position(|&axis| p.name == axis && p.list.is_none())
            })
            .collect();
        if (0..3).any(|axis| !columns.contains(&Some(axis))) {
            return Err(self.source.malformed(
                "header element `vertex`",
                "it lacks one of the properties x, y, z",
                EXPORT_AGAIN,
            ));
        }
        for entry in 0..element.count {
            let mut place = [0.0; 3];
            for (property, column) in element.properties.iter().zip(&columns) {
                match column {
                    Some(axis) => {
                        place[*axis] = self.number(property.number, element, entry)? as f32
                    }
                    None => self.skip_property(property, element, entry)?,
                }
            }
            surface.vertices.push(place);
        }
        Ok(())
    }

    fn faces(
        &mut self,
        element: &Element,
        vertices: usize,
        surface: &mut Surface,
    ) -> Result<(), MeshFileError> {
        if !element.properties.iter().any(Property::is_indices) {
            return self.skip(element);
        }
        let mut corners = Vec::new();
        for entry in 0..element.count {
            for property in &element.properties {
                if property.is_indices() {
                    self.corners(property, element, entry, vertices, &mut corners)?;
                    surface.push_fan(&corners);
                } else {
                    self.skip_property(property, element, entry)?;
                }
            }
        }
        Ok(())
    }

    fn corners(
        &mut self,
        property: &Property,
        element: &Element,
        entry: usize,
        vertices: usize,
        corners: &mut Vec<u32>,
    ) -> Result<(), MeshFileError> {
        corners.clear();
        for _ in 0..self.list_length(property, element, entry)? {
            let index = self.number(property.number, element, entry)?;
            if !(index >= 0.0 && index < vertices as f64 && index.fract() == 0.0) {
                return Err(self.source.malformed(
                    format!("face {entry}"),
                    format!("it refers to vertex {index}, but there are {vertices} vertices, counted from 0"),
                    EXPORT_AGAIN,
                ));
            }
            corners.push(index as u32);
        }
        Ok(())
    }

    fn skip(&mut self, element: &Element) -> Result<(), MeshFileError> {
        if element.properties.is_empty() {
            return Ok(());
        }
        for entry in 0..element.count {
            for property in &element.properties {
                self.skip_property(property, element, entry)?;
            }
        }
        Ok(())
    }

    fn skip_property(
        &mut self,
        property: &Property,
        element: &Element,
        entry: usize,
    ) -> Result<(), MeshFileError> {
        let count = match property.list {
            None => 1,
            Some(_) => self.list_length(property, element, entry)?,
        };
        for _ in 0..count {
            self.number(property.number, element, entry)?;
        }
        Ok(())
    }

    fn list_length(
        &mut self,
        property: &Property,
        element: &Element,
        entry: usize,
    ) -> Result<u64, MeshFileError> {
        let length = self.number(property.list.unwrap_or(Number::U8), element, entry)?;
        if length >= 0.0 && length.fract() == 0.0 {
            return Ok(length as u64);
        }
        Err(self.source.malformed(
            format!("{} {entry}", element.name),
            format!("the list `{}` has a length of {length}", property.name),
            EXPORT_AGAIN,
        ))
    }

    fn number(
        &mut self,
        kind: Number,
        element: &Element,
        entry: usize,
    ) -> Result<f64, MeshFileError> {
        let number = match self.encoding {
            Encoding::Text => self.text_number(),
            Encoding::Little | Encoding::Big => self.binary_number(kind).ok_or(NoNumber::End),
        };
        number.map_err(|fault| {
            let place = format!("{} {entry} of {}", element.name, element.count);
            match fault {
                NoNumber::End => self.source.malformed(place, "the file ends here", CUT_OFF),
                NoNumber::Word(word) => self.source.malformed(
                    place,
                    format!("“{word}” stands where a number should come"),
                    EXPORT_AGAIN,
                ),
            }
        })
    }

    fn text_number(&mut self) -> Result<f64, NoNumber> {
        self.rest = self.rest.trim_ascii_start();
        let end = self.rest.iter().position(u8::is_ascii_whitespace);
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if word.is_empty() {
            return Err(NoNumber::End);
        }
        let text = String::from_utf8_lossy(word);
        text.parse().map_err(|_| NoNumber::Word(shortened(&text)))
    }

    fn binary_number(&mut self, kind: Number) -> Option<f64> {
        macro_rules! take {
            ($number:ty) => {{
                let (bytes, rest) = self.rest.split_first_chunk()?;
                self.rest = rest;
                f64::from(match self.encoding {
                    Encoding::Big => <$number>::from_be_bytes(*bytes),
                    _ => <$number>::from_le_bytes(*bytes),
                })
            }};
        }
        Some(match kind {
            Number::I8 => take!(i8),
            Number::U8 => take!(u8),
            Number::I16 => take!(i16),
            Number::U16 => take!(u16),
            Number::I32 => take!(i32),
            Number::U32 => take!(u32),
            Number::F32 => take!(f32),
            Number::F64 => take!(f64),
        })
    }
}
