//! STL, text and binary.
//!
//! Binary layout: 80 bytes of anything, a 32-bit count, then 50 bytes a triangle: normal, three
//! corners (32-bit floats, least significant byte first), two bytes of anything. The normal is not
//! used: the corners' order says where outside is.

use super::{CUT_OFF, EXPORT_AGAIN, MeshFileError, Source, Surface, coordinate, shortened};

const HEADER_BYTES: usize = 84;
const TRIANGLE_BYTES: usize = 50;

/// The file's solids.
///
/// # Errors
/// Cut off, a word out of place, or a coordinate that is not a finite number.
pub(super) fn surfaces(source: &Source) -> Result<Vec<Surface>, MeshFileError> {
    // Many binary files start with "solid" all the same: a length that fits decides.
    let start = &source.bytes[..source.bytes.len().min(512)];
    let word = start.trim_ascii_start().get(..5).unwrap_or_default();
    let looks_like_text = word.eq_ignore_ascii_case(b"solid") && !start.contains(&0);
    if looks_like_text && !has_binary_length(source.bytes) {
        Text::new(source).solids()
    } else {
        binary(source).map(|surface| vec![surface])
    }
}

fn claimed_triangles(bytes: &[u8]) -> Option<usize> {
    let count = bytes.get(80..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*count) as usize)
}

fn has_binary_length(bytes: &[u8]) -> bool {
    claimed_triangles(bytes).is_some_and(|n| bytes.len() - HEADER_BYTES == n * TRIANGLE_BYTES)
}

fn binary(source: &Source) -> Result<Surface, MeshFileError> {
    let Some(count) = claimed_triangles(source.bytes) else {
        return Err(source.unsupported(
            format!(
                "a binary STL has a header of {HEADER_BYTES} bytes, but the file ends after {}",
                source.bytes.len()
            ),
            CUT_OFF,
        ));
    };
    let body = &source.bytes[HEADER_BYTES..];
    if body.len() / TRIANGLE_BYTES < count {
        return Err(source.malformed(
            "byte 80",
            format!(
                "the header claims {count} triangles ({} bytes), but only {} bytes follow",
                count * TRIANGLE_BYTES,
                body.len()
            ),
            CUT_OFF,
        ));
    }
    binary_triangles(source, &body[..count * TRIANGLE_BYTES])
}

fn binary_triangles(source: &Source, body: &[u8]) -> Result<Surface, MeshFileError> {
    let mut surface = Surface::default();
    for (t, record) in body.as_chunks::<TRIANGLE_BYTES>().0.iter().enumerate() {
        let floats = record[12..48].as_chunks::<4>().0;
        for (c, corner) in floats.as_chunks::<3>().0.iter().enumerate() {
            let place = corner.map(f32::from_le_bytes);
            if !place.iter().all(|v| v.is_finite()) {
                let at = HEADER_BYTES + t * TRIANGLE_BYTES + 12 + 12 * c;
                return Err(source.malformed(
                    format!("byte {at}"),
                    format!("corner {c} of triangle {t} is at {place:?}"),
                    EXPORT_AGAIN,
                ));
            }
            surface.vertices.push(place);
        }
        let first = 3 * t as u32;
        surface.triangles.push([first, first + 1, first + 2]);
    }
    Ok(surface)
}

/// A text STL as words. Line breaks matter only after `solid`, whose name fills the line.
struct Text<'a> {
    source: &'a Source<'a>,
    rest: &'a [u8],
    line: usize,
}

impl<'a> Text<'a> {
    fn new(source: &'a Source) -> Self {
        Self {
            source,
            rest: source.bytes,
            line: 1,
        }
    }

    fn solids(mut self) -> Result<Vec<Surface>, MeshFileError> {
        let mut solids = Vec::new();
        while let Some(word) = self.next_word() {
            if !word.eq_ignore_ascii_case("solid") {
                return Err(self.unexpected(&word, "solid"));
            }
            let name = self.rest_of_line();
            solids.push(self.solid(name)?);
        }
        Ok(solids)
    }

    fn solid(&mut self, name: String) -> Result<Surface, MeshFileError> {
        let mut solid = Surface::named(name);
        loop {
            let word = self.need_word("facet or endsolid")?;
            if word.eq_ignore_ascii_case("endsolid") {
                self.rest_of_line();
                return Ok(solid);
            }
            if !word.eq_ignore_ascii_case("facet") {
                return Err(self.unexpected(&word, "facet or endsolid"));
            }
            self.facet(&mut solid)?;
        }
    }

    fn facet(&mut self, solid: &mut Surface) -> Result<(), MeshFileError> {
        self.expect("normal")?;
        for _ in 0..3 {
            self.need_word("the normal's three numbers")?;
        }
        self.expect("outer")?;
        self.expect("loop")?;
        let mut corners = Vec::new();
        loop {
            let word = self.need_word("vertex or endloop")?;
            if word.eq_ignore_ascii_case("endloop") {
                break;
            }
            if !word.eq_ignore_ascii_case("vertex") {
                return Err(self.unexpected(&word, "vertex or endloop"));
            }
            corners.push(solid.vertices.len() as u32);
            let place = self.vertex()?;
            solid.vertices.push(place);
        }
        solid.push_fan(&corners);
        self.expect("endfacet")
    }

    fn vertex(&mut self) -> Result<[f32; 3], MeshFileError> {
        let mut place = [0.0; 3];
        for value in &mut place {
            let word = self.need_word("a coordinate")?;
            *value = coordinate(&word).ok_or_else(|| self.unexpected(&word, "a finite number"))?;
        }
        Ok(place)
    }

    fn expect(&mut self, wanted: &str) -> Result<(), MeshFileError> {
        let word = self.need_word(wanted)?;
        if word.eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        Err(self.unexpected(&word, wanted))
    }

    fn need_word(&mut self, wanted: &str) -> Result<String, MeshFileError> {
        self.next_word().ok_or_else(|| {
            self.source.malformed(
                format!("line {}", self.line),
                format!("the file ends where {wanted} should come"),
                CUT_OFF,
            )
        })
    }

    fn next_word(&mut self) -> Option<String> {
        let start = self.rest.iter().position(|b| !b.is_ascii_whitespace());
        let start = start.unwrap_or(self.rest.len());
        self.skip(start);
        let end = self.rest.iter().position(u8::is_ascii_whitespace);
        let word = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = &self.rest[word.len()..];
        (!word.is_empty()).then(|| String::from_utf8_lossy(word).into_owned())
    }

    fn rest_of_line(&mut self) -> String {
        let end = self.rest.iter().position(|&b| b == b'\n');
        let line = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = &self.rest[line.len()..];
        String::from_utf8_lossy(line).trim().to_owned()
    }

    fn skip(&mut self, count: usize) {
        let (skipped, rest) = self.rest.split_at(count);
        self.line += skipped.iter().filter(|&&b| b == b'\n').count();
        self.rest = rest;
    }

    fn unexpected(&self, word: &str, wanted: &str) -> MeshFileError {
        self.source.malformed(
            format!("line {}", self.line),
            format!("“{}” stands where {wanted} should come", shortened(word)),
            EXPORT_AGAIN,
        )
    }
}
