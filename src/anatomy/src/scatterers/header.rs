//! The head of a `.npy` array: a Python literal that says type, order and shape.
//!
//! Format: NumPy enhancement proposal 1, versions 1.0 to 3.0. The head is read by hand: the crates
//! that do so bring a Python parser for three fields, and none bounds what the head may claim.

use std::io::Read;

/// What every `.npy` file begins with.
pub(super) const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// More than any head that describes a plain array.
const MAX_HEAD_BYTES: usize = 1 << 16;

/// How one number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Float {
    /// 4 or 8.
    pub bytes: usize,
    pub big_endian: bool,
}

impl Float {
    /// The number in the first bytes of `stored`; of more or fewer than it has, nothing.
    pub fn number(self, stored: &[u8]) -> f64 {
        let mut native = [0; 8];
        let used = native.len().min(stored.len());
        native[..used].copy_from_slice(&stored[..used]);
        if self.big_endian {
            native[..used].reverse();
        }
        if self.bytes == 4 {
            let [a, b, c, d, ..] = native;
            f64::from(f32::from_le_bytes([a, b, c, d]))
        } else {
            f64::from_le_bytes(native)
        }
    }
}

/// What the head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The type as NumPy writes it: `<f4`.
    pub descr: String,
    /// Whether the first axis runs fastest.
    pub fortran_order: bool,
    pub shape: Vec<u64>,
    /// Where the numbers start, bytes from the array's start.
    pub data_at: u64,
}

impl Header {
    /// How the numbers are stored, if they are 32- or 64-bit floats.
    pub fn float(&self) -> Option<Float> {
        let float = |bytes, big_endian| Some(Float { bytes, big_endian });
        match self.descr.as_str() {
            "<f4" => float(4, false),
            "<f8" => float(8, false),
            ">f4" => float(4, true),
            ">f8" => float(8, true),
            _ => None,
        }
    }

    /// The shape as NumPy shows it.
    pub fn shape_in_words(&self) -> String {
        let axes: Vec<String> = self.shape.iter().map(u64::to_string).collect();
        match axes.as_slice() {
            [only] => format!("({only},)"),
            axes => format!("({})", axes.join(", ")),
        }
    }
}

/// Reads the head; the reader then stands at the first number. Otherwise what is wrong.
pub(super) fn read_header(reader: &mut impl Read) -> Result<Header, String> {
    let mut start = [0; 8];
    fill(reader, &mut start)?;
    if start[..6] != *MAGIC {
        return Err("it does not begin like a NumPy array".to_owned());
    }
    let length_bytes = match start[6] {
        1 => 2,
        2 | 3 => 4,
        other => return Err(format!("its format version {other} is unknown")),
    };
    let mut length = [0; 4];
    fill(reader, &mut length[..length_bytes])?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_HEAD_BYTES {
        return Err(format!(
            "its head claims {length} bytes, more than the {MAX_HEAD_BYTES} that any needs"
        ));
    }
    let mut text = vec![0; length];
    fill(reader, &mut text)?;
    let data_at = (start.len() + length_bytes + length) as u64;
    let text = std::str::from_utf8(&text).map_err(|_| "its head is no text".to_owned())?;
    parse(text, data_at)
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it ends within its head".to_owned(),
        _ => error.to_string(),
    };
    reader.read_exact(buffer).map_err(failed)
}

fn parse(text: &str, data_at: u64) -> Result<Header, String> {
    let mut cursor = Cursor { rest: text };
    let (mut descr, mut order, mut shape) = (None, None, None);
    cursor.expect('{')?;
    while !cursor.eat('}') {
        let key = cursor.quoted()?;
        cursor.expect(':')?;
        match key {
            "descr" => descr = Some(cursor.descr()?),
            "fortran_order" => order = Some(cursor.flag()?),
            "shape" => shape = Some(cursor.shape()?),
            other => {
                return Err(format!(
                    "its head has the unknown field `{}`",
                    shortened(other)
                ));
            }
        }
        if !cursor.eat(',') {
            cursor.expect('}')?;
            break;
        }
    }
    let missing = |name: &str| format!("its head does not say `{name}`");
    Ok(Header {
        descr: descr.ok_or_else(|| missing("descr"))?,
        fortran_order: order.ok_or_else(|| missing("fortran_order"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
        data_at,
    })
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn eat(&mut self, token: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, token: char) -> Result<(), String> {
        if self.eat(token) {
            return Ok(());
        }
        Err(self.misread(&format!("`{token}`")))
    }

    fn misread(&self, wanted: &str) -> String {
        let found = shortened(self.rest.trim());
        format!("its head has `{found}` where {wanted} should stand")
    }

    fn quoted(&mut self) -> Result<&'a str, String> {
        let start = self.rest.trim_start();
        let quote = start.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let inner = quote.and_then(|quote| start[1..].split_once(quote));
        let Some((inside, rest)) = inner else {
            return Err(self.misread("a quoted text"));
        };
        self.rest = rest;
        Ok(inside)
    }

    /// The type; of a structured one, which is a list, as it is written.
    fn descr(&mut self) -> Result<String, String> {
        let start = self.rest.trim_start();
        if !start.starts_with('[') {
            return self.quoted().map(str::to_owned);
        }
        let Some((list, rest)) = start.split_once(']') else {
            return Err(self.misread("a type"));
        };
        self.rest = rest;
        Ok(format!("{}]", shortened(list)))
    }

    fn flag(&mut self) -> Result<bool, String> {
        let start = self.rest.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = start.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(self.misread("`True` or `False`"))
    }

    fn shape(&mut self) -> Result<Vec<u64>, String> {
        /// As many axes as NumPy can count.
        const MAX_AXES: usize = 64;
        self.expect('(')?;
        let mut axes = Vec::new();
        while !self.eat(')') {
            axes.push(self.count()?);
            if axes.len() > MAX_AXES {
                return Err(format!("it claims more than {MAX_AXES} axes"));
            }
            if !self.eat(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(axes)
    }

    fn count(&mut self) -> Result<u64, String> {
        let start = self.rest.trim_start();
        let end = start
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(start.len());
        let (digits, rest) = start.split_at(end);
        let Ok(count) = digits.parse() else {
            return Err(self.misread("a count"));
        };
        // Python 2 wrote long numbers as `3L`.
        self.rest = rest.strip_prefix('L').unwrap_or(rest);
        Ok(count)
    }
}

fn shortened(text: &str) -> String {
    const LENGTH: usize = 40;
    let mut short: String = text.chars().take(LENGTH).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
