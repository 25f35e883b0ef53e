//! Nodes to RON text: stable, short lines, made to be read and edited by people.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use thiserror::Error;

use crate::format::VERSION;
use crate::node::{Field, Kind, Name, Node};
use crate::syntax::{is_plain_identifier, is_raw_identifier};
use crate::{CatalogError, Format, ToNode};

/// Why a value cannot be written so that it could be read again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// A number is infinite or not a number.
    #[error("{path} is {value}; only finite numbers can be written")]
    NotFinite {
        /// The fields that lead to the number: `structures[3].radius_mm`.
        path: String,
        /// `inf`, `-inf` or `NaN`.
        value: String,
    },
    /// A name has characters that RON cannot write.
    #[error("{path} holds the name `{name}`, which RON cannot write")]
    Name {
        /// The fields that lead to the name.
        path: String,
        /// The name.
        name: String,
    },
    /// The outermost value has no fields, so there is no place for the version.
    #[error("a {format} file has to be a record, but this is {found}")]
    NotARecord {
        /// The kind of file.
        format: &'static str,
        /// What it is.
        found: String,
    },
    /// The file could not be written.
    #[error(transparent)]
    File(#[from] Box<CatalogError>),
}

/// A value as the text of a file of this format, with its kind and version; reading it gives an
/// equal value.
///
/// # Errors
///
/// The value is no record or holds numbers that are not finite.
pub fn to_ron<T: ToNode + ?Sized>(value: &T, format: &Format) -> Result<String, WriteError> {
    let mut root = value.to_node();
    let Kind::Record(name, fields) = &mut root.kind else {
        return Err(WriteError::NotARecord {
            format: format.name(),
            found: root.describe(),
        });
    };
    *name = Some(format.name().into());
    let version = Field {
        name: VERSION.into(),
        value: Kind::Integer(format.version().into()).into(),
    };
    fields.insert(0, version);
    match unwritable(&root) {
        Some((path, what)) => Err(what.error(path.trim_start_matches('.'))),
        None => Ok(root.to_ron()),
    }
}

/// Writes a value as a file of this format: beside it first, then in its place, so that there is
/// never half a file.
///
/// # Errors
///
/// As [`to_ron`], or the file cannot be written.
pub fn write_file<T: ToNode + ?Sized>(
    path: impl AsRef<Path>,
    value: &T,
    format: &Format,
) -> Result<(), WriteError> {
    let path = path.as_ref();
    let text = to_ron(value, format)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    let written = fs::File::create(beside)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(beside, path));
    written.map_err(|error| {
        // Nothing else is to be done if even this fails: the first error is the one to tell.
        let _ = fs::remove_file(beside);
        Box::new(CatalogError::Io {
            path: path.display().to_string(),
            why: error.to_string(),
            hint: "check that the folder exists, may be written to and has room".to_owned(),
        })
        .into()
    })
}

/// What cannot be written, or not be read again.
enum Unwritable {
    Float(f64),
    Name(String),
}

impl Unwritable {
    fn error(self, path: &str) -> WriteError {
        let path = path.to_owned();
        match self {
            Self::Float(value) => WriteError::NotFinite {
                path,
                value: value.to_string(),
            },
            Self::Name(name) => WriteError::Name { path, name },
        }
    }
}

/// The first thing that cannot be written and the way to it.
fn unwritable(node: &Node) -> Option<(String, Unwritable)> {
    if let Some(name) = node.name().filter(|name| !is_raw_identifier(name)) {
        return Some((String::new(), Unwritable::Name(name.to_owned())));
    }
    let step = |name: String, node: &Node| {
        unwritable(node).map(|(path, what)| (format!("{name}{path}"), what))
    };
    match &node.kind {
        Kind::Float(value) if !value.is_finite() => {
            Some((String::new(), Unwritable::Float(*value)))
        }
        Kind::List(items) | Kind::Tuple(_, items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| step(format!("[{at}]"), item))
        }
        Kind::Map(entries) => entries.iter().find_map(|(key, value)| {
            let name = format!("[{}]", key.describe());
            step(name.clone(), key).or_else(|| step(name, value))
        }),
        Kind::Record(_, fields) => fields.iter().find_map(unwritable_field),
        _ => None,
    }
}

fn unwritable_field(field: &Field) -> Option<(String, Unwritable)> {
    if !is_raw_identifier(&field.name) {
        return Some((String::new(), Unwritable::Name(field.name.value.clone())));
    }
    let (path, what) = unwritable(&field.value)?;
    Some((format!(".{}{path}", field.name), what))
}

impl Node {
    /// The tree as RON text. Reading it gives an equal tree, if every name in it is one that RON
    /// can write (letters, digits, `_`, `.`, `+`, `-`).
    pub fn to_ron(&self) -> String {
        let mut page = Page::default();
        page.node(self, 0);
        page.text.push('\n');
        page.text
    }
}

const INDENT: &str = "    ";
const LINE_CHARS: usize = 100;

/// A text being written.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// On one line if it fits beside what is there already, otherwise one part a line. The
    /// outermost value is always spread.
    fn node(&mut self, node: &Node, depth: usize) {
        let room = LINE_CHARS.saturating_sub(self.column() + 1);
        match one_line(node, room).filter(|_| depth > 0) {
            Some(line) => self.text.push_str(&line),
            None => self.spread(node, depth),
        }
    }

    fn column(&self) -> usize {
        let line = self.text.rfind('\n').map_or(0, |newline| newline + 1);
        self.text[line..].chars().count()
    }

    fn spread(&mut self, node: &Node, depth: usize) {
        match &node.kind {
            Kind::List(items) if items.iter().all(is_number) => self.filled(items, depth),
            Kind::List(items) => self.parts(["[", "]"], items, depth, Self::node),
            Kind::Map(entries) => self.parts(["{", "}"], entries, depth, Self::entry),
            Kind::Tuple(name, items) => {
                self.name(name.as_ref());
                self.parts(["(", ")"], items, depth, Self::node);
            }
            Kind::Record(name, fields) => {
                self.name(name.as_ref());
                self.parts(["(", ")"], fields, depth, Self::field);
            }
            _ => self.text.push_str(&scalar(node)),
        }
    }

    /// Every part on a line of its own.
    fn parts<T>(
        &mut self,
        [open, close]: [&str; 2],
        parts: &[T],
        depth: usize,
        write: impl Fn(&mut Self, &T, usize),
    ) {
        self.text.push_str(open);
        for part in parts {
            self.new_line(depth + 1);
            write(self, part, depth + 1);
            self.text.push(',');
        }
        if !parts.is_empty() {
            self.new_line(depth);
        }
        self.text.push_str(close);
    }

    /// As many numbers on a line as fit.
    fn filled(&mut self, numbers: &[Node], depth: usize) {
        self.text.push('[');
        let mut room = 0;
        for number in numbers {
            let number = scalar(number);
            if room < number.len() + 2 {
                self.new_line(depth + 1);
                room = LINE_CHARS.saturating_sub(INDENT.len() * (depth + 1));
            } else {
                self.text.push(' ');
            }
            room = room.saturating_sub(number.len() + 2);
            self.text.push_str(&number);
            self.text.push(',');
        }
        self.new_line(depth);
        self.text.push(']');
    }

    fn entry(&mut self, (key, value): &(Node, Node), depth: usize) {
        self.node(key, depth);
        self.text.push_str(": ");
        self.node(value, depth);
    }

    fn field(&mut self, field: &Field, depth: usize) {
        self.name(Some(&field.name));
        self.text.push_str(": ");
        self.node(&field.value, depth);
    }

    fn name(&mut self, name: Option<&Name>) {
        if let Some(name) = name {
            self.text.push_str(&identifier(name));
        }
    }

    fn new_line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.push_str(&INDENT.repeat(depth));
    }
}

fn is_number(node: &Node) -> bool {
    matches!(node.kind, Kind::Integer(_) | Kind::Float(_))
}

/// A node on one line, if it has at most `room` characters.
fn one_line(node: &Node, room: usize) -> Option<String> {
    let mut line = Line {
        text: String::new(),
        room,
    };
    line.node(node)?;
    Some(line.text)
}

/// One line being written, given up when it gets too long.
struct Line {
    text: String,
    room: usize,
}

impl Line {
    fn push(&mut self, text: &str) -> Option<()> {
        self.room = self.room.checked_sub(text.chars().count())?;
        self.text.push_str(text);
        Some(())
    }

    fn node(&mut self, node: &Node) -> Option<()> {
        match &node.kind {
            Kind::List(items) => self.parts(["[", "]"], items, Self::node),
            Kind::Map(entries) => self.parts(["{", "}"], entries, |line, (key, value)| {
                line.node(key)?;
                line.push(": ")?;
                line.node(value)
            }),
            Kind::Tuple(name, items) => {
                self.name(name.as_ref())?;
                self.parts(["(", ")"], items, Self::node)
            }
            Kind::Record(name, fields) => {
                self.name(name.as_ref())?;
                self.parts(["(", ")"], fields, |line, field| {
                    line.name(Some(&field.name))?;
                    line.push(": ")?;
                    line.node(&field.value)
                })
            }
            Kind::Text(text) if text.len() > 4 * self.room => None,
            Kind::Bytes(bytes) if bytes.len() > self.room => None,
            _ => self.push(&scalar(node)),
        }
    }

    fn parts<T>(
        &mut self,
        [open, close]: [&str; 2],
        parts: &[T],
        write: impl Fn(&mut Self, &T) -> Option<()>,
    ) -> Option<()> {
        self.push(open)?;
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.push(", ")?;
            }
            write(self, part)?;
        }
        self.push(close)
    }

    fn name(&mut self, name: Option<&Name>) -> Option<()> {
        name.map_or(Some(()), |name| self.push(&identifier(name)))
    }
}

fn scalar(node: &Node) -> String {
    match &node.kind {
        Kind::Bool(value) => value.to_string(),
        Kind::Integer(value) => value.to_string(),
        Kind::Float(value) => format!("{value:?}"),
        Kind::Char(c) => format!("'{}'", escaped(*c, '\'')),
        Kind::Text(text) => quoted(text),
        Kind::Bytes(bytes) => quoted_bytes(bytes),
        Kind::Word(name) => identifier(name),
        Kind::List(_) | Kind::Map(_) | Kind::Tuple(..) | Kind::Record(..) => String::new(),
    }
}

fn identifier(name: &str) -> String {
    if is_plain_identifier(name) || !is_raw_identifier(name) {
        name.to_owned()
    } else {
        format!("r#{name}")
    }
}

fn quoted(text: &str) -> String {
    let inner: String = text.chars().map(|c| escaped(c, '"')).collect();
    format!("\"{inner}\"")
}

fn quoted_bytes(bytes: &[u8]) -> String {
    let inner: String = bytes
        .iter()
        .map(|byte| byte.escape_ascii().to_string())
        .collect();
    format!("b\"{inner}\"")
}

/// A character in a text: only what would end the text or cannot be seen is escaped.
fn escaped(c: char, quote: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\\' => "\\\\".to_owned(),
        _ if c == quote => format!("\\{c}"),
        _ if c.is_control() => format!("\\u{{{:x}}}", u32::from(c)),
        _ => c.to_string(),
    }
}
