//! RON text to [`Node`]s, as RON is written in `ron` 0.12 (its range values excepted).
//!
//! Plain recursive descent over the text; nesting is limited, so that no input can exhaust the
//! stack, and so is the number of values, so that none can exhaust the memory.

use crate::fault::listed;
use crate::node::{Field, Kind, Name, Node, clipped};
use crate::number::number;
use crate::span::BYTE_ORDER_MARK;
use crate::{Finding, Span, nearest};

/// Brackets may stand in brackets this many times.
pub const MAX_DEPTH: usize = 128;
/// A text may hold this many values.
pub const MAX_VALUES: usize = 4_000_000;
/// No text may be longer, whatever a format allows: spans are 32 bits.
pub const MAX_BYTES: u64 = 1 << 30;

/// Reads one RON value and nothing else from a text.
///
/// # Errors
///
/// The first place that is not RON, with what was expected there.
pub fn parse(text: &str) -> Result<Node, Finding> {
    if text.len() as u64 > MAX_BYTES {
        return Err(Finding::new(Span::default(), "longer than 1 GiB"));
    }
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
        values_left: MAX_VALUES,
    };
    reader.document()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    values_left: usize,
}

type Read<T> = Result<T, Finding>;

impl<'t> Reader<'t> {
    fn document(&mut self) -> Read<Node> {
        self.take(BYTE_ORDER_MARK);
        self.blank()?;
        while self.rest().starts_with('#') {
            self.attribute()?;
        }
        if self.rest().is_empty() {
            let here = self.span_here();
            return Err(Finding::new(here, "the file is empty").expected("a value"));
        }
        let value = self.value()?;
        self.blank()?;
        if !self.rest().is_empty() {
            return Err(self.wanted("the end of the file after the value"));
        }
        Ok(value)
    }

    /// `#![enable(…)]`, `#![type = "…"]`, `#![schema = "…"]`. All that can be enabled is always
    /// accepted here, so attributes change nothing.
    fn attribute(&mut self) -> Read<()> {
        for mark in ['#', '!', '['] {
            self.need(mark)?;
            self.blank()?;
        }
        let start = self.at;
        match self.identifier() {
            Some("enable") => self.enabled_extensions()?,
            Some("type" | "schema") => self.attribute_text()?,
            _ => {
                self.at = start;
                return Err(self.wanted("`enable`, `type` or `schema`"));
            }
        }
        self.blank()?;
        self.need(']')?;
        self.blank()
    }

    fn enabled_extensions(&mut self) -> Read<()> {
        self.blank()?;
        let open = self.at;
        self.need('(')?;
        self.separated(open, ')', |reader| {
            let start = reader.at;
            let name = reader.identifier().unwrap_or_default();
            if EXTENSIONS.contains(&name) {
                return Ok(());
            }
            let span = Span::new(start, reader.at);
            let message = format!("no RON extension is called `{}`", clipped(name));
            let mut finding = Finding::new(span, message);
            finding.expected = listed(EXTENSIONS);
            finding.suggestion = nearest(name, EXTENSIONS.iter().copied()).map(str::to_owned);
            Err(finding)
        })
    }

    fn attribute_text(&mut self) -> Read<()> {
        self.blank()?;
        self.need('=')?;
        self.blank()?;
        if !self.rest().starts_with('"') {
            return Err(self.wanted("a text in double quotes"));
        }
        self.quoted().map(|_| ())
    }

    fn value(&mut self) -> Read<Node> {
        self.enter()?;
        let start = self.at;
        let kind = match self.peek() {
            Some('(') => self.parenthesised(None)?,
            Some('[') => self.list()?,
            Some('{') => self.map()?,
            Some('"') => Kind::Text(self.quoted()?),
            Some('\'') => self.character()?,
            Some('0'..='9' | '+' | '-' | '.') => self.number()?,
            Some(c) if begins_identifier(c) => self.named()?,
            _ => return Err(self.wanted("a value")),
        };
        self.depth -= 1;
        Ok(Node::new(kind, Span::new(start, self.at)))
    }

    /// Counts a value in; values are left by `self.depth -= 1`, unless reading stops anyway.
    fn enter(&mut self) -> Read<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("brackets nested more than {MAX_DEPTH} deep");
            return Err(Finding::new(self.span_here(), message));
        }
        let Some(values_left) = self.values_left.checked_sub(1) else {
            let message = format!("more than {MAX_VALUES} values in one file");
            return Err(Finding::new(self.span_here(), message));
        };
        self.values_left = values_left;
        Ok(())
    }

    fn list(&mut self) -> Read<Kind> {
        let open = self.at;
        self.need('[')?;
        let mut items = Vec::new();
        self.separated(open, ']', |reader| {
            items.push(reader.value()?);
            Ok(())
        })?;
        Ok(Kind::List(items))
    }

    fn map(&mut self) -> Read<Kind> {
        let open = self.at;
        self.need('{')?;
        let mut entries = Vec::new();
        self.separated(open, '}', |reader| {
            let key = reader.value()?;
            reader.blank()?;
            if !reader.take(':') {
                return Err(reader.wanted("`:` after the key"));
            }
            reader.blank()?;
            entries.push((key, reader.value()?));
            Ok(())
        })?;
        Ok(Kind::Map(entries))
    }

    /// A record if the first thing in the brackets is `name:`, otherwise a tuple.
    fn parenthesised(&mut self, name: Option<Name>) -> Read<Kind> {
        let open = self.at;
        self.need('(')?;
        self.blank()?;
        if self.field_ahead()? {
            let mut fields = Vec::new();
            self.separated(open, ')', |reader| {
                fields.push(reader.field()?);
                Ok(())
            })?;
            return Ok(Kind::Record(name, fields));
        }
        let mut items = Vec::new();
        self.separated(open, ')', |reader| {
            items.push(reader.value()?);
            Ok(())
        })?;
        Ok(Kind::Tuple(name, items))
    }

    /// Looks whether `name:` follows (or `name =`, to be told what is wrong with it), and stays
    /// where it is.
    fn field_ahead(&mut self) -> Read<bool> {
        let start = self.at;
        let named = self.any_identifier().is_some();
        self.blank()?;
        let ahead = named && matches!(self.peek(), Some(':' | '='));
        self.at = start;
        Ok(ahead)
    }

    fn field(&mut self) -> Read<Field> {
        let start = self.at;
        let Some(name) = self.any_identifier() else {
            return Err(self.wanted("a field name"));
        };
        let name = Name::new(name.to_owned(), Span::new(start, self.at));
        self.blank()?;
        if !self.take(':') {
            return Err(self.wanted(&format!("`:` after the field name `{}`", clipped(&name))));
        }
        self.blank()?;
        let value = self.value()?;
        Ok(Field { name, value })
    }

    /// Items with commas between them (and perhaps after the last) up to `close`.
    fn separated(
        &mut self,
        open: usize,
        close: char,
        mut item: impl FnMut(&mut Self) -> Read<()>,
    ) -> Read<()> {
        loop {
            self.blank()?;
            if self.take(close) {
                return Ok(());
            }
            if self.rest().is_empty() {
                return Err(self.not_closed(open, close));
            }
            item(self)?;
            self.blank()?;
            if self.take(',') || self.peek() == Some(close) {
                continue;
            }
            if self.rest().is_empty() {
                return Err(self.not_closed(open, close));
            }
            let opened = Span::new(open, open + 1);
            let finding = self.wanted(&format!("`,` or `{close}`"));
            return Err(finding.related("the bracket opened", opened));
        }
    }

    fn not_closed(&self, open: usize, close: char) -> Finding {
        let opened = &self.text[open..=open];
        let message = format!("this `{opened}` is not closed before the end of the file");
        Finding::new(Span::new(open, open + 1), message).expected(format!("`{close}`"))
    }

    /// Whatever begins with a letter: a bare or bracketed name, a raw text, a byte string, a
    /// special number.
    fn named(&mut self) -> Read<Kind> {
        if let Some(kind) = self.prefixed_literal()? {
            return Ok(kind);
        }
        let start = self.at;
        let escaped = self.rest().starts_with("r#");
        let Some(name) = self.any_identifier() else {
            return Err(self.wanted("a value"));
        };
        if !escaped && let Some(kind) = reserved(name) {
            return Ok(kind);
        }
        let end = self.at;
        self.blank()?;
        if self.peek() == Some('(') {
            let name = Name::new(name.to_owned(), Span::new(start, end));
            return self.parenthesised(Some(name));
        }
        self.at = end;
        Ok(Kind::Word(name.to_owned()))
    }

    /// `r"…"`, `r#"…"#`, `b"…"`, `br#"…"#`, `b'…'`.
    fn prefixed_literal(&mut self) -> Read<Option<Kind>> {
        let start = self.at;
        let rest = self.rest();
        let prefix = ["br", "r", "b"].into_iter().find(|p| rest.starts_with(p));
        let Some(prefix) = prefix else {
            return Ok(None);
        };
        self.at += prefix.len();
        let hashes = self.rest().bytes().take_while(|b| *b == b'#').count();
        let raw = prefix.ends_with('r') && self.rest()[hashes..].starts_with('"');
        match (prefix, self.peek()) {
            ("r", _) if raw => Ok(Some(Kind::Text(self.raw(start, hashes)?.to_owned()))),
            ("br", _) if raw => Ok(Some(Kind::Bytes(self.raw(start, hashes)?.into()))),
            ("b", Some('"')) => Ok(Some(Kind::Bytes(self.quoted_bytes()?))),
            ("b", Some('\'')) => self.byte().map(Some),
            _ => {
                self.at = start;
                Ok(None)
            }
        }
    }

    fn raw(&mut self, start: usize, hashes: usize) -> Read<&'t str> {
        self.at += hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        let rest = self.rest();
        let Some(length) = rest.find(&end) else {
            return Err(self.text_not_closed(start, &end));
        };
        self.at += length + end.len();
        Ok(&rest[..length])
    }

    fn text_not_closed(&self, start: usize, end: &str) -> Finding {
        let finding = Finding::new(Span::new(start, self.at), "this text is not closed");
        finding.expected(format!("`{end}` before the end of the file"))
    }

    fn number(&mut self) -> Read<Kind> {
        let start = self.at;
        let token = self.number_token();
        self.at += token.len();
        number(token).map_err(|why| {
            let message = format!("`{}` is not a number: {why}", clipped(token));
            Finding::new(Span::new(start, start + token.len()), message)
        })
    }

    /// As far as a number could go, so that `12abc` is one faulty number and not two things.
    fn number_token(&self) -> &'t str {
        let rest = self.rest();
        let mut before = ' ';
        let radix = {
            let digits = rest.trim_start_matches(['+', '-']).as_bytes();
            matches!(digits, [b'0', b'x' | b'o' | b'b', ..])
        };
        let end = rest.char_indices().find(|&(at, c)| {
            let exponent_sign = matches!(before, 'e' | 'E') && !radix;
            let sign = matches!(c, '+' | '-') && (at == 0 || exponent_sign);
            before = c;
            !(sign || c.is_alphanumeric() || matches!(c, '_' | '.'))
        });
        &rest[..end.map_or(rest.len(), |(at, _)| at)]
    }

    /// A text in double quotes, its escapes resolved.
    fn quoted(&mut self) -> Read<String> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(length) = rest.find(['"', '\\']) else {
                return Err(self.text_not_closed(start, "\""));
            };
            text.push_str(&rest[..length]);
            self.at += length;
            if self.take('"') {
                return Ok(text);
            }
            text.extend(self.escape()?);
        }
    }

    /// As [`Reader::quoted`], but `\xFF` is one byte.
    fn quoted_bytes(&mut self) -> Read<Vec<u8>> {
        let start = self.at;
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let rest = self.rest();
            let Some(length) = rest.find(['"', '\\']) else {
                return Err(self.text_not_closed(start, "\""));
            };
            bytes.extend_from_slice(&rest.as_bytes()[..length]);
            self.at += length;
            if self.take('"') {
                return Ok(bytes);
            }
            if let Some(byte) = self.byte_escape() {
                bytes.push(byte);
            } else if let Some(c) = self.escape()? {
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }

    /// `\x` and two hexadecimal digits, whatever byte they make.
    fn byte_escape(&mut self) -> Option<u8> {
        let digits = self.rest().strip_prefix("\\x")?.get(..2)?;
        let byte = hexadecimal(digits)?;
        self.at += 4;
        u8::try_from(byte).ok()
    }

    fn character(&mut self) -> Read<Kind> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some('\\') => self.escape()?,
            Some('\'') | None => None,
            Some(c) => {
                self.at += c.len_utf8();
                Some(c)
            }
        };
        match c {
            Some(c) if self.take('\'') => Ok(Kind::Char(c)),
            _ => {
                let message = "single quotes hold exactly one character";
                let finding = Finding::new(Span::new(start, self.at), message);
                Err(finding.expected("`'x'`, or a text in double quotes"))
            }
        }
    }

    /// `b'x'`: a small number.
    fn byte(&mut self) -> Read<Kind> {
        let start = self.at;
        self.at += 1;
        let escaped = self.byte_escape();
        let byte = match escaped {
            Some(byte) => Some(byte),
            None => {
                self.at = start;
                match self.character()? {
                    Kind::Char(c) if c.is_ascii() => u8::try_from(c).ok(),
                    _ => None,
                }
            }
        };
        let closed = escaped.is_none() || self.take('\'');
        match byte {
            Some(byte) if closed => Ok(Kind::Integer(byte.into())),
            _ => {
                let span = Span::new(start, self.at);
                Err(Finding::new(
                    span,
                    "single quotes after `b` hold exactly one ASCII character",
                ))
            }
        }
    }

    /// What stands after a backslash; none for a line that continues on the next.
    fn escape(&mut self) -> Read<Option<char>> {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.peek() else {
            return Err(self.bad_escape(start));
        };
        self.at += c.len_utf8();
        let plain = match c {
            '"' | '\'' | '\\' => c,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            'x' => return self.ascii_escape(start).map(Some),
            'u' => return self.unicode_escape(start).map(Some),
            '\n' | '\r' => return self.continued_line(start, c),
            _ => return Err(self.bad_escape(start)),
        };
        Ok(Some(plain))
    }

    fn bad_escape(&self, start: usize) -> Finding {
        let message = format!("`{}` is no escape", visible(&self.text[start..self.at]));
        let finding = Finding::new(Span::new(start, self.at), message);
        finding.expected(r#"`\\`, `\"`, `\'`, `\n`, `\r`, `\t`, `\0`, `\x7F` or `\u{1F600}`"#)
    }

    fn ascii_escape(&mut self, start: usize) -> Read<char> {
        let digits = self.rest().get(..2).unwrap_or_default();
        let value = hexadecimal(digits).filter(|value| *value < 0x80);
        let Some(c) = value.and_then(char::from_u32) else {
            return Err(self.bad_escape(start));
        };
        self.at += 2;
        Ok(c)
    }

    fn unicode_escape(&mut self, start: usize) -> Read<char> {
        let inner = self.rest().strip_prefix('{');
        let digits = inner
            .and_then(|inner| inner.split_once('}'))
            .map(|(digits, _)| digits);
        let Some(digits) = digits.filter(|digits| digits.len() <= 6) else {
            return Err(self.bad_escape(start));
        };
        self.at += digits.len() + 2;
        hexadecimal(digits)
            .and_then(char::from_u32)
            .ok_or_else(|| self.bad_escape(start))
    }

    fn continued_line(&mut self, start: usize, first: char) -> Read<Option<char>> {
        if first == '\r' && !self.take('\n') {
            return Err(self.bad_escape(start));
        }
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        Ok(None)
    }

    /// Whitespace and comments.
    fn blank(&mut self) -> Read<()> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(is_blank);
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    /// Block comments may stand in block comments.
    fn block_comment(&mut self) -> Read<()> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut open = 0_usize;
        while self.at < bytes.len() {
            match bytes[self.at..] {
                [b'/', b'*', ..] => open += 1,
                [b'*', b'/', ..] => open -= 1,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            self.at += 2;
            if open == 0 {
                return Ok(());
            }
        }
        let span = Span::new(start, start + 2);
        let finding = Finding::new(span, "this comment is not closed");
        Err(finding.expected("`*/` before the end of the file"))
    }

    /// A plain name.
    fn identifier(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        if !rest.starts_with(begins_identifier) {
            return None;
        }
        let end = rest
            .find(|c| !continues_identifier(c))
            .unwrap_or(rest.len());
        self.at += end;
        Some(&rest[..end])
    }

    /// A plain name or `r#raw-name`, which may hold `.`, `+` and `-`.
    fn any_identifier(&mut self) -> Option<&'t str> {
        let Some(raw) = self.rest().strip_prefix("r#") else {
            return self.identifier();
        };
        let end = raw
            .find(|c| !continues_raw_identifier(c))
            .unwrap_or(raw.len());
        if end == 0 {
            return None;
        }
        self.at += 2 + end;
        Some(&raw[..end])
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Steps over `c` if it comes next.
    fn take(&mut self, c: char) -> bool {
        let there = self.rest().starts_with(c);
        if there {
            self.at += c.len_utf8();
        }
        there
    }

    fn need(&mut self, c: char) -> Read<()> {
        if self.take(c) {
            Ok(())
        } else {
            Err(self.wanted(&format!("`{c}`")))
        }
    }

    fn span_here(&self) -> Span {
        Span::new(self.at, self.at + self.next_word().len())
    }

    /// Something else than `expected` comes next.
    fn wanted(&self, expected: &str) -> Finding {
        let found = match self.next_word() {
            "" => "the end of the file".to_owned(),
            word => format!("`{}`", visible(word)),
        };
        Finding::new(
            self.span_here(),
            format!("expected {expected}, found {found}"),
        )
    }

    /// The name, number or single character that comes next, to be quoted in a fault.
    fn next_word(&self) -> &'t str {
        let rest = self.rest();
        let word = rest
            .find(|c: char| !continues_identifier(c))
            .unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        &rest[..word.max(first)]
    }
}

const EXTENSIONS: &[&str] = &[
    "implicit_some",
    "unwrap_newtypes",
    "unwrap_variant_newtypes",
    "explicit_struct_names",
];

/// Names that are values of their own; a name that only looks like one is written `r#true`.
pub(crate) fn reserved(name: &str) -> Option<Kind> {
    Some(match name {
        "true" => Kind::Bool(true),
        "false" => Kind::Bool(false),
        "inf" | "inff32" | "inff64" => Kind::Float(f64::INFINITY),
        "NaN" | "NaNf32" | "NaNf64" => Kind::Float(f64::NAN),
        _ => return None,
    })
}

/// Whether a name can be written as it is.
pub(crate) fn is_plain_identifier(name: &str) -> bool {
    name.starts_with(begins_identifier)
        && name.chars().all(continues_identifier)
        && reserved(name).is_none()
}

/// Whether a name can be written after `r#`.
pub(crate) fn is_raw_identifier(name: &str) -> bool {
    !name.is_empty() && name.chars().all(continues_raw_identifier)
}

fn begins_identifier(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn continues_identifier(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn continues_raw_identifier(c: char) -> bool {
    continues_identifier(c) || matches!(c, '.' | '+' | '-')
}

/// Whitespace as RON counts it: Rust's, with the two direction marks.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'..='\r' | '\u{85}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}'
    )
}

/// A piece of the text to be quoted in a fault: short and without control characters.
fn visible(piece: &str) -> String {
    let piece = clipped(piece);
    if piece.contains(char::is_control) {
        piece.escape_debug().to_string()
    } else {
        piece
    }
}

fn hexadecimal(digits: &str) -> Option<u32> {
    let all = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values_counted_in(text: &str) -> usize {
        let values_left = MAX_VALUES;
        let mut reader = Reader {
            text,
            at: 0,
            depth: 0,
            values_left,
        };
        reader.document().unwrap();
        values_left - reader.values_left
    }

    #[test]
    fn every_value_counts() {
        assert_eq!(values_counted_in("[1, A, B(x: 2, y: [3]), {4: 5}]"), 10);
    }

    #[test]
    fn no_more_values_are_read_than_are_left() {
        let mut reader = Reader {
            text: "[1,\n 2, 3]",
            at: 0,
            depth: 0,
            values_left: 3,
        };
        let finding = reader.document().unwrap_err();
        assert_eq!(finding.message, "more than 4000000 values in one file");
        assert_eq!(finding.span.start, 8);
    }
}
