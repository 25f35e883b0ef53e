//! Places in a source text: byte spans while reading, lines and columns for people.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use serde::{Serialize, Serializer};

/// A half-open range of bytes in a source text. Nodes made by a program have `0..0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end`; texts are limited to 1 GiB, so that offsets fit in 32 bits.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            start: clamp(start),
            end: clamp(end),
        }
    }

    /// The part of `text` that this span covers; empty if it covers none of it.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// A value and where it was written. Compares, orders and hashes as the value alone, so that
/// two files that say the same are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spanned<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value at a place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A value that was not read from a file.
impl<T> From<T> for Spanned<T> {
    fn from(value: T) -> Self {
        Self::new(value, Span::default())
    }
}

impl From<&str> for Spanned<String> {
    fn from(value: &str) -> Self {
        Self::from(value.to_owned())
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Borrow<T> for Spanned<T> {
    fn borrow(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Display> fmt::Display for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: PartialOrd> PartialOrd for Spanned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Ord> Ord for Spanned<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<T: Hash> Hash for Spanned<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

/// As the value alone.
impl<T: Serialize> Serialize for Spanned<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// A place for people: both count from 1, columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Character in the line.
    pub column: usize,
}

/// The place of a byte offset.
pub(crate) fn place(text: &str, offset: u32) -> Place {
    let mut walk = Walk::new(text);
    walk.to(offset)
}

/// The places of many byte offsets in one pass over the text.
pub(crate) fn places(text: &str, mut offsets: Vec<u32>) -> BTreeMap<u32, Place> {
    offsets.sort_unstable();
    offsets.dedup();
    let mut walk = Walk::new(text);
    offsets.into_iter().map(|at| (at, walk.to(at))).collect()
}

/// Counts lines up to growing offsets; columns only where asked.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    line_start: usize,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Self {
        let line_start = if text.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len_utf8()
        } else {
            0
        };
        Self {
            text,
            at: 0,
            line: 1,
            line_start,
        }
    }

    fn to(&mut self, offset: u32) -> Place {
        let offset = self.text.floor_char_boundary(offset as usize);
        let passed = self.text.get(self.at..offset).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        if let Some(newline) = passed.rfind('\n') {
            self.line_start = self.at + newline + 1;
        }
        self.at = self.at.max(offset);
        let before = self.text.get(self.line_start..offset).unwrap_or_default();
        Place {
            line: self.line,
            column: before.chars().count() + 1,
        }
    }
}

/// Some editors begin a file with it; it is no part of the first line.
pub(crate) const BYTE_ORDER_MARK: char = '\u{FEFF}';
