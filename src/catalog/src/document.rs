//! A file being read: its text for looking up places, its tree, and the way to a value.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;
use thiserror::Error;

use crate::fault::KnownNames;
use crate::span::{Place, place};
use crate::syntax::{MAX_BYTES, parse};
use crate::{Fault, Faults, Finding, Format, FromNode, Kind, Node, Span, nearest};

/// Why a file could not be read. Prints one paragraph for each fault.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CatalogError {
    /// The file itself could not be read or written.
    #[error("{path}: {why}; {hint}")]
    Io {
        /// The file, as its path was given.
        path: String,
        /// What the system says.
        why: String,
        /// What to do.
        hint: String,
    },
    /// The file is longer than its format allows.
    #[error(
        "{path}: the file is larger than the {limit} bytes that a {format} file may have; \
         is it the right file?"
    )]
    TooLarge {
        /// The file, as its path was given.
        path: String,
        /// The kind of file expected.
        format: String,
        /// What is allowed.
        limit: u64,
    },
    /// The first place that is not RON.
    #[error("{fault}")]
    Syntax {
        /// Where and what.
        fault: Box<Fault>,
    },
    /// Everything that is wrong with what the file says, in the order of the places.
    #[error("{}", paragraphs(faults, *omitted))]
    Faults {
        /// At most a thousand.
        faults: Vec<Fault>,
        /// How many more there are.
        omitted: usize,
    },
}

fn paragraphs(faults: &[Fault], omitted: usize) -> String {
    let mut lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    if omitted > 0 {
        lines.push(format!("… and {omitted} more"));
    }
    lines.join("\n")
}

impl CatalogError {
    /// The faults with their places; none if the file could not be read at all.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Syntax { fault } => std::slice::from_ref(&**fault),
            Self::Faults { faults, .. } => faults,
            Self::Io { .. } | Self::TooLarge { .. } => &[],
        }
    }
}

/// A text that is RON, of the right kind and version; what it says is yet to be judged.
#[derive(Clone, Debug)]
pub struct Document {
    source: String,
    text: String,
    root: Node,
    /// Found wrong with the version or by a migration.
    header: Faults,
    known: KnownNames,
}

impl Document {
    /// Reads a file of this format.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is too large, no RON, or of another kind or version.
    pub fn open(path: impl AsRef<Path>, format: &Format) -> Result<Self, CatalogError> {
        let path = path.as_ref();
        let source = path.display().to_string();
        let bytes = read_limited(path, format)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            let span = Span::new(good, good + 1);
            let finding =
                Finding::new(span, "this is no UTF-8 text").expected("a RON file, saved as UTF-8");
            syntax(&source, &text, finding)
        })?;
        Self::parse(text, source, format)
    }

    /// Reads a text of this format; `source` names it in faults.
    ///
    /// # Errors
    ///
    /// As [`Document::open`].
    pub fn parse(
        text: impl Into<String>,
        source: impl Into<String>,
        format: &Format,
    ) -> Result<Self, CatalogError> {
        let (text, source) = (text.into(), source.into());
        if text.len() as u64 > limit(format) {
            return Err(too_large(source, format));
        }
        let root = parse(&text).map_err(|finding| syntax(&source, &text, finding))?;
        let mut document = Self {
            source,
            text,
            root,
            header: Faults::default(),
            known: KnownNames::new(),
        };
        match format.open(&mut document.root, &mut document.header) {
            Ok(()) => Ok(document),
            Err(finding) => {
                let mut faults = std::mem::take(&mut document.header);
                faults.push(finding);
                Err(document.error(faults))
            }
        }
    }

    /// Tells which names are valid where the rule [`Known`](crate::Known) asks for a name of this
    /// `kind` ("tissue"), and where they are to be found ("tissues.ron", "this file").
    #[must_use]
    pub fn knowing<S: Into<String>>(
        mut self,
        kind: &'static str,
        home: impl Into<String>,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        let names: BTreeSet<String> = names.into_iter().map(Into::into).collect();
        self.known.insert(kind, (home.into(), names));
        self
    }

    /// As [`Document::knowing`], with the texts that this document itself holds at a path of field
    /// names: `knowing_own("structure", &["structures", "name"])`.
    #[must_use]
    pub fn knowing_own(self, kind: &'static str, path: &[&str]) -> Self {
        let texts = self.root.texts_at(path);
        let names: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        self.knowing(kind, "this file", names)
    }

    /// Puts other values in the place of texts, before anything is resolved: `replace` says for
    /// each what it stands for, `None` to leave it. What is wrong comes out with all other faults.
    pub fn replace_texts(&mut self, replace: &mut Replace<'_>) {
        replace_texts(&mut self.root, &mut self.header, replace);
    }

    /// The tree, in this version, without kind and version.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The name of the source in faults.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Line and column of the beginning of a span.
    pub fn place(&self, span: Span) -> Place {
        place(&self.text, span.start)
    }

    /// The value that the document holds.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn resolve<T: FromNode>(&self) -> Result<T, CatalogError> {
        self.resolve_with(|value: T, _| Some(value))
    }

    /// The value that `check` makes of what the document holds. What it reports comes out with
    /// all other faults; it is called even if there are some, as long as there is a value at all.
    /// `None` needs a report.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn resolve_with<T: FromNode, U>(
        &self,
        check: impl FnOnce(T, &mut Faults) -> Option<U>,
    ) -> Result<U, CatalogError> {
        let mut faults = self.faults();
        let value = T::from_node(&self.root, &mut faults);
        let value = value.and_then(|value| check(value, &mut faults));
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            None if faults.is_empty() => {
                faults.report(self.root.span, "the file was refused without a reason");
                Err(self.error(faults))
            }
            _ => Err(self.error(faults)),
        }
    }

    /// What is known to be wrong before anything is resolved, to be added to by hand.
    pub fn faults(&self) -> Faults {
        let mut faults = Faults::knowing(self.known.clone());
        for finding in self.header.findings() {
            faults.push(finding.clone());
        }
        faults
    }

    /// Findings with places in this document as an error.
    pub fn error(&self, faults: Faults) -> CatalogError {
        let (faults, omitted) = faults.placed(&self.source, &self.text);
        CatalogError::Faults { faults, omitted }
    }
}

/// What a text stands for; `None` to leave it.
type Replace<'a> = dyn FnMut(&str, Span) -> Option<Result<Kind, Finding>> + 'a;

fn replace_texts(node: &mut Node, faults: &mut Faults, replace: &mut Replace<'_>) {
    match &mut node.kind {
        Kind::Text(text) => match replace(text, node.span) {
            Some(Ok(kind)) => node.kind = kind,
            Some(Err(finding)) => {
                faults.push(finding);
                // Something that a number may be, so that the same fault is not told twice.
                node.kind = Kind::Integer(1);
            }
            None => {}
        },
        Kind::List(items) | Kind::Tuple(_, items) => {
            for item in items {
                replace_texts(item, faults, replace);
            }
        }
        Kind::Map(entries) => {
            for (_, value) in entries {
                replace_texts(value, faults, replace);
            }
        }
        Kind::Record(_, fields) => {
            for field in fields {
                replace_texts(&mut field.value, faults, replace);
            }
        }
        _ => {}
    }
}

fn syntax(source: &str, text: &str, finding: Finding) -> CatalogError {
    let mut faults = Faults::default();
    faults.push(finding);
    let (mut placed, _) = faults.placed(source, text);
    CatalogError::Syntax {
        fault: Box::new(placed.remove(0)),
    }
}

fn limit(format: &Format) -> u64 {
    format.max_bytes().min(MAX_BYTES)
}

fn too_large(path: String, format: &Format) -> CatalogError {
    CatalogError::TooLarge {
        path,
        format: format.name().to_owned(),
        limit: limit(format),
    }
}

/// Stops one byte past the limit, whatever the file system says of the size.
fn read_limited(path: &Path, format: &Format) -> Result<Vec<u8>, CatalogError> {
    let mut bytes = Vec::new();
    let limit = limit(format);
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(path.display().to_string(), format));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> CatalogError {
    let (why, hint) = match error.kind() {
        io::ErrorKind::NotFound => ("there is no such file".to_owned(), missing_hint(path)),
        _ if path.is_dir() => {
            let hint = "give the file in it that is meant".to_owned();
            ("this is a folder".to_owned(), hint)
        }
        _ => {
            let hint = "check that it is a file and that you may read it".to_owned();
            (error.to_string(), hint)
        }
    };
    CatalogError::Io {
        path: path.display().to_string(),
        why,
        hint,
    }
}

/// The nearest name in the folder, if there is a folder.
fn missing_hint(path: &Path) -> String {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return format!(
            "check the path: there is no folder {} either",
            folder.display()
        );
    }
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let names = names_in(folder);
    match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{}`?", folder.join(name).display()),
        None => "check the path".to_owned(),
    }
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    const MOST: usize = 10_000;
    let Ok(entries) = folder.read_dir() else {
        return BTreeSet::new();
    };
    let name = |entry: io::Result<std::fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    entries.take(MOST).filter_map(name).collect()
}

/// Reads a file of this format.
///
/// # Errors
///
/// The file cannot be read, or everything that is wrong with it.
pub fn read_file<T: FromNode>(path: impl AsRef<Path>, format: &Format) -> Result<T, CatalogError> {
    Document::open(path, format)?.resolve()
}

/// Reads a text of this format, such as one built into the program; `source` names it in faults.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn read_str<T: FromNode>(text: &str, source: &str, format: &Format) -> Result<T, CatalogError> {
    Document::parse(text, source, format)?.resolve()
}
