//! The tree that a RON text is read into before anything is known about its meaning.

use crate::{Span, Spanned};

/// A value as written and where. Two nodes are equal if they say the same, wherever they stand.
#[derive(Clone, Debug)]
pub struct Node {
    /// What was written.
    pub kind: Kind,
    /// Where; `0..0` for a node made by a program.
    pub span: Span,
}

/// What a RON value can be. Floats are equal if their bits are or both are NaN, so that a tree
/// equals itself.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number, as far as 128 bits hold it.
    Integer(i128),
    /// A number with a point or an exponent, `inf`, `NaN`, or a whole number too large for
    /// [`Kind::Integer`].
    Float(f64),
    /// `'x'`.
    Char(char),
    /// `"text"`, `r#"text"#`.
    Text(String),
    /// `b"bytes"`.
    Bytes(Vec<u8>),
    /// `[a, b]`.
    List(Vec<Node>),
    /// `{key: value}`, in the order written; keys may repeat.
    Map(Vec<(Node, Node)>),
    /// A bare name: `None`, a variant without content, a struct without fields.
    Word(String),
    /// `()`, `(a, b)`, `Name()`, `Name(a, b)`.
    Tuple(Option<Name>, Vec<Node>),
    /// `(x: a)`, `Name(x: a, y: b)`, in the order written; names may repeat.
    Record(Option<Name>, Vec<Field>),
}

/// A name and where it was written.
pub type Name = Spanned<String>;

/// One `name: value` of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The name before the colon.
    pub name: Name,
    /// The value after it.
    pub value: Node,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        use Kind::*;
        match (self, other) {
            (Bool(a), Bool(b)) => a == b,
            (Integer(a), Integer(b)) => a == b,
            (Float(a), Float(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
            (Char(a), Char(b)) => a == b,
            (Text(a), Text(b)) | (Word(a), Word(b)) => a == b,
            (Bytes(a), Bytes(b)) => a == b,
            (List(a), List(b)) => a == b,
            (Map(a), Map(b)) => a == b,
            (Tuple(name_a, a), Tuple(name_b, b)) => name_a == name_b && a == b,
            (Record(name_a, a), Record(name_b, b)) => name_a == name_b && a == b,
            _ => false,
        }
    }
}

/// A node made by a program, without a place.
impl From<Kind> for Node {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            span: Span::default(),
        }
    }
}

impl Node {
    /// A value at a place.
    pub fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span }
    }

    /// A bare name without a place.
    pub fn word(name: &str) -> Self {
        Kind::Word(name.to_owned()).into()
    }

    /// A text without a place.
    pub fn text(text: &str) -> Self {
        Kind::Text(text.to_owned()).into()
    }

    /// `Name(value)` without a place.
    pub fn wrapped(name: &str, value: Node) -> Self {
        Kind::Tuple(Some(name.into()), vec![value]).into()
    }

    /// A record without a place; `None` writes no name before the bracket.
    pub fn record(name: Option<&str>, fields: Vec<Field>) -> Self {
        Kind::Record(name.map(Name::from), fields).into()
    }

    /// The name before a bracket, or the bare name.
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(name) => Some(name),
            Kind::Tuple(name, _) | Kind::Record(name, _) => name.as_ref().map(|n| n.as_str()),
            _ => None,
        }
    }

    /// Where the name stands; the whole node if it has none.
    pub fn name_span(&self) -> Span {
        match &self.kind {
            Kind::Tuple(Some(name), _) | Kind::Record(Some(name), _) => name.span,
            _ => self.span,
        }
    }

    /// The elements of a list or a tuple; empty for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) | Kind::Tuple(_, items) => items,
            _ => &[],
        }
    }

    /// The elements of a list or a tuple, to be changed.
    pub fn items_mut(&mut self) -> &mut [Node] {
        match &mut self.kind {
            Kind::List(items) | Kind::Tuple(_, items) => items,
            _ => &mut [],
        }
    }

    /// The fields of a record; empty for anything else.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Record(_, fields) => fields,
            _ => &[],
        }
    }

    /// The value of the first field of this name.
    pub fn field(&self, name: &str) -> Option<&Node> {
        self.fields()
            .iter()
            .find(|field| *field.name == name)
            .map(|field| &field.value)
    }

    /// The value of the first field of this name, to be changed.
    pub fn field_mut(&mut self, name: &str) -> Option<&mut Node> {
        let Kind::Record(_, fields) = &mut self.kind else {
            return None;
        };
        fields
            .iter_mut()
            .find(|field| *field.name == name)
            .map(|field| &mut field.value)
    }

    /// Gives the fields called `from` the name `to`. True if there was one.
    pub fn rename_field(&mut self, from: &str, to: &str) -> bool {
        let Kind::Record(_, fields) = &mut self.kind else {
            return false;
        };
        let mut renamed = false;
        for field in fields.iter_mut().filter(|field| *field.name == from) {
            to.clone_into(&mut field.name.value);
            renamed = true;
        }
        renamed
    }

    /// Takes the first field of this name out of a record.
    pub fn remove_field(&mut self, name: &str) -> Option<Node> {
        let Kind::Record(_, fields) = &mut self.kind else {
            return None;
        };
        let at = fields.iter().position(|field| *field.name == name)?;
        Some(fields.remove(at).value)
    }

    /// Sets a field of a record, at its end if it is new. A new value without a place gets the
    /// record's, so that faults in it point somewhere. Does nothing to what is no record.
    pub fn set_field(&mut self, name: &str, mut value: Node) {
        if value.span == Span::default() {
            value.span = self.span;
        }
        if let Some(old) = self.field_mut(name) {
            *old = value;
            return;
        }
        let span = self.span;
        if let Kind::Record(_, fields) = &mut self.kind {
            let name = Name::new(name.to_owned(), span);
            fields.push(Field { name, value });
        }
    }

    /// Every text found by going down these field names, through lists, tuples, options and the
    /// values of maps: `texts_at(&["structures", "name"])`.
    pub fn texts_at(&self, path: &[&str]) -> Vec<&str> {
        let mut texts = Vec::new();
        self.collect_texts(path, &mut texts);
        texts
    }

    fn collect_texts<'n>(&'n self, path: &[&str], texts: &mut Vec<&'n str>) {
        match (&self.kind, path) {
            (Kind::Text(text), []) => texts.push(text),
            (Kind::Record(_, fields), [name, rest @ ..]) => {
                let named = fields.iter().filter(|field| *field.name.value == **name);
                named.for_each(|field| field.value.collect_texts(rest, texts));
            }
            (Kind::List(items) | Kind::Tuple(_, items), _) => {
                items
                    .iter()
                    .for_each(|item| item.collect_texts(path, texts));
            }
            (Kind::Map(entries), _) => {
                entries
                    .iter()
                    .for_each(|(_, value)| value.collect_texts(path, texts));
            }
            _ => {}
        }
    }

    /// The same value without the name before its bracket.
    pub(crate) fn without_name(&self) -> Node {
        let mut node = self.clone();
        if let Kind::Tuple(name, _) | Kind::Record(name, _) = &mut node.kind {
            *name = None;
        }
        node
    }

    /// What stands there, in words for a fault: "the number 3", "a list".
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Bool(value) => format!("`{value}`"),
            Kind::Integer(value) => format!("the number {value}"),
            Kind::Float(value) => format!("the number {}", shown_float(*value)),
            Kind::Char(value) => format!("the character {value:?}"),
            Kind::Text(text) => format!("the text {:?}", clipped(text)),
            Kind::Bytes(_) => "a byte string".to_owned(),
            Kind::List(items) => format!("a list of {}", items.len()),
            Kind::Map(_) => "a map `{…}`".to_owned(),
            Kind::Word(name) => format!("the name `{}`", clipped(name)),
            Kind::Tuple(Some(name), _) | Kind::Record(Some(name), _) => {
                format!("`{}(…)`", clipped(name))
            }
            Kind::Tuple(None, items) if items.is_empty() => "`()`".to_owned(),
            Kind::Tuple(None, items) => format!("a tuple of {}", items.len()),
            Kind::Record(None, _) => "a record `(field: …)`".to_owned(),
        }
    }
}

/// A number as a person would write it: `5` rather than `5.0`, `1e300` rather than 300 zeros.
pub(crate) fn shown_float(value: f64) -> String {
    let text = format!("{value:?}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// The beginning of a text that may be long, so that a fault stays a paragraph.
pub(crate) fn clipped(text: &str) -> String {
    const MOST_CHARS: usize = 48;
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
