//! Wavefront OBJ: vertices, polygons, objects and groups.
//!
//! Texture coordinates, normals, materials, curves and lines are passed over.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{EXPORT_AGAIN, MeshFileError, Source, Surface, coordinate, shortened};

/// The file's objects and groups, in order of first appearance. The last `o` or `g` line before a
/// face names its part; parts with the same name are one.
///
/// # Errors
/// A coordinate that is not a finite number, or a face that refers to no vertex, each with its line.
pub(super) fn surfaces(source: &Source) -> Result<Vec<Surface>, MeshFileError> {
    let mut reader = Reader::new(source);
    for (number, line) in logical_lines(source.bytes) {
        reader.line = number;
        reader.read_line(&line)?;
    }
    let place = |v: u32| reader.vertices[v as usize];
    let parts = reader.parts.into_iter();
    Ok(parts
        .map(|p| Surface::compact(p.name, &p.triangles, place))
        .collect())
}

/// Lines with their numbers from 1; a backslash at the end joins the next line.
fn logical_lines(bytes: &[u8]) -> impl Iterator<Item = (usize, Cow<'_, str>)> {
    let mut lines = bytes.split(|&b| b == b'\n').enumerate();
    std::iter::from_fn(move || {
        let (index, line) = lines.next()?;
        let mut text = String::from_utf8_lossy(line.trim_ascii_end());
        while text.ends_with('\\') {
            let next = lines.next().map_or(&b""[..], |(_, next)| next);
            let joined = text.to_mut();
            joined.pop();
            joined.push(' ');
            joined.push_str(&String::from_utf8_lossy(next.trim_ascii_end()));
        }
        Some((index + 1, text))
    })
}

struct Reader<'a> {
    source: &'a Source<'a>,
    line: usize,
    vertices: Vec<[f32; 3]>,
    /// Parts whose corners still count in the file's vertices; they have no own.
    parts: Vec<Surface>,
    part_named: HashMap<String, usize>,
    /// Name of the part that the next face belongs to.
    name: String,
    /// Its number, once it has a face.
    part: Option<usize>,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source) -> Self {
        Self {
            source,
            line: 0,
            vertices: Vec::new(),
            parts: Vec::new(),
            part_named: HashMap::new(),
            name: String::new(),
            part: None,
        }
    }

    fn read_line(&mut self, line: &str) -> Result<(), MeshFileError> {
        let mut words = line.split_whitespace();
        let keyword = words.next();
        if let Some("o" | "g") = keyword {
            self.name = words.collect::<Vec<_>>().join(" ");
            self.part = None;
            return Ok(());
        }
        let words = words.take_while(|word| !word.starts_with('#'));
        match keyword {
            Some("v") => self.vertex(words),
            Some("f") => self.face(words),
            _ => Ok(()),
        }
    }

    /// x y z, then perhaps a weight or a colour.
    fn vertex<'w>(
        &mut self,
        mut words: impl Iterator<Item = &'w str>,
    ) -> Result<(), MeshFileError> {
        let mut place = [0.0; 3];
        for value in &mut place {
            let word = words.next().unwrap_or_default();
            *value = coordinate(word).ok_or_else(|| {
                self.malformed(format!(
                    "“{}” stands where a finite coordinate of vertex {} should come",
                    shortened(word),
                    self.vertices.len() + 1
                ))
            })?;
        }
        self.vertices.push(place);
        Ok(())
    }

    fn face<'w>(&mut self, words: impl Iterator<Item = &'w str>) -> Result<(), MeshFileError> {
        let corners: Vec<u32> = words.map(|w| self.corner(w)).collect::<Result<_, _>>()?;
        if corners.len() < 3 {
            return Err(self.malformed(format!("the face has only {} corners", corners.len())));
        }
        self.current_part().push_fan(&corners);
        Ok(())
    }

    /// "7", "7/1", "7//3" or "7/1/3"; from 1, or backwards from the last vertex if negative.
    fn corner(&self, word: &str) -> Result<u32, MeshFileError> {
        let written = word.split('/').next().unwrap_or_default();
        let count = self.vertices.len();
        let index = match written.parse::<i64>() {
            Ok(n) if n > 0 => usize::try_from(n - 1).ok(),
            Ok(n) if n < 0 => usize::try_from(n.unsigned_abs())
                .ok()
                .and_then(|back| count.checked_sub(back)),
            _ => None,
        };
        index
            .filter(|&index| index < count)
            .and_then(|index| u32::try_from(index).ok())
            .ok_or_else(|| {
                self.malformed(format!(
                    "the face refers to vertex “{}”, but there are only {count} vertices so far",
                    shortened(written)
                ))
            })
    }

    fn current_part(&mut self) -> &mut Surface {
        let number = self.part.unwrap_or_else(|| self.part_of_name());
        self.part = Some(number);
        &mut self.parts[number]
    }

    fn part_of_name(&mut self) -> usize {
        let parts = &mut self.parts;
        let name = &self.name;
        *self.part_named.entry(name.clone()).or_insert_with(|| {
            parts.push(Surface::named(name));
            parts.len() - 1
        })
    }

    fn malformed(&self, found: String) -> MeshFileError {
        self.source
            .malformed(format!("line {}", self.line), found, EXPORT_AGAIN)
    }
}
