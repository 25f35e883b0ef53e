//! What is wrong with a file, said for a person: findings while reading (with spans), faults
//! afterwards (with file, line and column).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::node::clipped;
use crate::span::places;
use crate::{Name, Node, Span, nearest};

/// One thing wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file, as its path was given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The nearest valid name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// `file:line:column: message; expected …; did you mean `…`?`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        write!(f, "{}", self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean `{suggestion}`?")?;
        }
        Ok(())
    }
}

/// A fault whose place is still a span of the text being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What would be right, as it reads after "expected".
    pub expected: Option<String>,
    /// The nearest valid name.
    pub suggestion: Option<String>,
    /// Another place that matters, and the words before its line and column.
    pub related: Option<(&'static str, Span)>,
}

impl Finding {
    /// Something wrong at a place.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            expected: None,
            suggestion: None,
            related: None,
        }
    }

    /// Says what would be right; reads on after "expected".
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Offers the nearest of the valid names to `name`, and lists them if they are few.
    #[must_use]
    pub fn one_of<'a>(mut self, name: &str, valid: impl IntoIterator<Item = &'a str>) -> Self {
        let valid: Vec<&str> = valid.into_iter().collect();
        self.expected = listed(&valid);
        self.suggestion = nearest(name, valid).map(str::to_owned);
        self
    }

    /// Names another place: "first given" becomes "(first given at 3:5)".
    #[must_use]
    pub fn related(mut self, words: &'static str, span: Span) -> Self {
        self.related = Some((words, span));
        self
    }
}

/// "one of `a`, `b`, `c`" as long as that stays readable.
pub(crate) fn listed(names: &[&str]) -> Option<String> {
    const MOST: usize = 12;
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        few if few.len() <= MOST => Some(format!("one of {}", few.join(", "))),
        _ => None,
    }
}

/// Everything found wrong in one text so far. Keeps the first thousand and counts the rest, so
/// that a hostile file cannot fill the memory with complaints.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    found: Vec<Finding>,
    omitted: usize,
    field: Option<&'static str>,
    known: KnownNames,
}

/// The valid names of other files by what they name, and where they are to be found.
pub(crate) type KnownNames = BTreeMap<&'static str, (String, BTreeSet<String>)>;

const MOST_FINDINGS: usize = 1000;

impl Faults {
    pub(crate) fn knowing(known: KnownNames) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }

    /// True if nothing was found wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What was found, in the order it was found.
    pub fn findings(&self) -> &[Finding] {
        &self.found
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        if self.found.len() < MOST_FINDINGS {
            self.found.push(finding);
        } else {
            self.omitted += 1;
        }
    }

    /// Adds a finding that is one sentence.
    pub fn report(&mut self, span: Span, message: impl Into<String>) {
        self.push(Finding::new(span, message));
    }

    /// Reports `message` unless `holds`; returns `holds`.
    pub fn require(&mut self, span: Span, holds: bool, message: impl Into<String>) -> bool {
        if !holds {
            self.report(span, message);
        }
        holds
    }

    /// Reports that `node` is not what it should be: "expected a number, found the text "x"".
    pub fn mismatch(&mut self, node: &Node, expected: impl fmt::Display) {
        let message = format!("expected {expected}, found {}", node.describe());
        let message = self.about_field(message);
        self.report(node.span, message);
    }

    /// Reports unless `name` is one of the `valid` names; returns whether it is. `kind` says what
    /// it names and `home` where the valid ones are: "tissue `livr` is not in tissues.ron; did
    /// you mean `liver`?"
    pub fn require_name<'a>(
        &mut self,
        name: &Name,
        kind: &str,
        home: &str,
        valid: impl IntoIterator<Item = &'a str> + Clone,
    ) -> bool {
        let holds = valid.clone().into_iter().any(|known| *name.value == *known);
        if !holds {
            self.report_unknown(name.span, name, kind, home, valid);
        }
        holds
    }

    /// As [`Faults::require_name`], with the names that the document was told of. Holds if it was
    /// told of none.
    pub(crate) fn require_known(&mut self, span: Span, name: &str, kind: &str) -> bool {
        let known = std::mem::take(&mut self.known);
        let holds = match known.get(kind) {
            Some((home, names)) if !names.contains(name) => {
                let names = names.iter().map(String::as_str);
                self.report_unknown(span, name, kind, home, names);
                false
            }
            _ => true,
        };
        self.known = known;
        holds
    }

    fn report_unknown<'a>(
        &mut self,
        span: Span,
        name: &str,
        kind: &str,
        home: &str,
        valid: impl IntoIterator<Item = &'a str>,
    ) {
        let message = format!("{kind} `{}` is not in {home}", clipped(name));
        let mut finding = Finding::new(span, message);
        if !self.is_full() {
            finding = finding.one_of(name, valid);
        }
        self.push(finding);
    }

    /// Reports every name that was given before: "structure `liver` is there twice (first at
    /// 3:5)". Returns true if there was none.
    pub fn require_distinct<'a>(
        &mut self,
        kind: &str,
        names: impl IntoIterator<Item = &'a Name>,
    ) -> bool {
        let mut first = BTreeMap::new();
        let mut distinct = true;
        for name in names {
            let Some(earlier) = first.insert(name.value.as_str(), name.span) else {
                continue;
            };
            first.insert(name.value.as_str(), earlier);
            distinct = false;
            let message = format!("{kind} `{}` is there twice", clipped(name));
            self.push(Finding::new(name.span, message).related("first", earlier));
        }
        distinct
    }

    /// Reads a field's value; what is found wrong in it names the field.
    pub(crate) fn within_field<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer = self.field.replace(field);
        let value = read(self);
        self.field = outer;
        value
    }

    fn about_field(&self, message: String) -> String {
        match self.field {
            Some(field) => format!("`{field}`: {message}"),
            None => message,
        }
    }

    /// No more findings are kept, so none need be worded with care.
    pub(crate) fn is_full(&self) -> bool {
        self.found.len() >= MOST_FINDINGS
    }

    /// The findings as faults of a file in the order of their places, and how many more there
    /// were.
    pub(crate) fn placed(mut self, file: &str, text: &str) -> (Vec<Fault>, usize) {
        self.found.sort_by_key(|finding| finding.span.start);
        let starts = self.found.iter().flat_map(|finding| {
            let related = finding.related.map(|(_, span)| span.start);
            std::iter::once(finding.span.start).chain(related)
        });
        let places = places(text, starts.collect());
        let placed = self.found.into_iter().map(|finding| {
            let at = places[&finding.span.start];
            let mut message = finding.message;
            if let Some((words, span)) = finding.related {
                let other = places[&span.start];
                message.push_str(&format!(" ({words} at {}:{})", other.line, other.column));
            }
            Fault {
                file: file.to_owned(),
                line: at.line,
                column: at.column,
                message,
                expected: finding.expected,
                suggestion: finding.suggestion,
            }
        });
        (placed.collect(), self.omitted)
    }
}
