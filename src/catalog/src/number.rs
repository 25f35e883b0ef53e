//! The digits of a number to its value.

use crate::node::Kind;

/// Reads a number as RON writes it: a sign, decimal digits with underscores, point and exponent,
/// or `0x`, `0o`, `0b`; perhaps a type suffix, which the value must fit.
///
/// # Errors
///
/// Why it is none, to stand after "is not a number:".
pub(crate) fn number(token: &str) -> Result<Kind, &'static str> {
    let (negative, magnitude) = signed(token);
    if let Some(special) = crate::syntax::reserved(magnitude) {
        return match special {
            Kind::Float(value) if negative => Ok(Kind::Float(-value)),
            Kind::Float(value) => Ok(Kind::Float(value)),
            _ => Err(NO_DIGITS),
        };
    }
    match radix(magnitude) {
        Some((radix, digits)) => whole(negative, digits, radix),
        None => decimal(negative, magnitude),
    }
}

const NO_DIGITS: &str = "a digit has to follow";
const NOT_DIGITS: &str = "it holds characters that are no digits";
const TOO_LARGE: &str = "it is too large";

fn signed(token: &str) -> (bool, &str) {
    match token.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, token.strip_prefix('+').unwrap_or(token)),
    }
}

fn radix(magnitude: &str) -> Option<(u32, &str)> {
    let prefixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    prefixes
        .into_iter()
        .find_map(|(prefix, radix)| Some((radix, magnitude.strip_prefix(prefix)?)))
}

/// The type suffixes of whole numbers and what they hold.
const SUFFIXES: [(&str, i128, i128); 10] = [
    ("i128", i128::MIN, i128::MAX),
    ("u128", 0, i128::MAX),
    ("i16", i16::MIN as i128, i16::MAX as i128),
    ("i32", i32::MIN as i128, i32::MAX as i128),
    ("i64", i64::MIN as i128, i64::MAX as i128),
    ("u16", 0, u16::MAX as i128),
    ("u32", 0, u32::MAX as i128),
    ("u64", 0, u64::MAX as i128),
    ("i8", i8::MIN as i128, i8::MAX as i128),
    ("u8", 0, u8::MAX as i128),
];

fn whole(negative: bool, digits: &str, radix: u32) -> Result<Kind, &'static str> {
    let (digits, least, most) = without_suffix(digits);
    let digits = plain_digits(digits, |c| c.is_digit(radix))?;
    let value = magnitude(&digits, negative, radix).ok_or(TOO_LARGE)?;
    if (least..=most).contains(&value) {
        Ok(Kind::Integer(value))
    } else {
        Err("it does not fit its type suffix")
    }
}

fn without_suffix(digits: &str) -> (&str, i128, i128) {
    SUFFIXES
        .into_iter()
        .find_map(|(suffix, least, most)| Some((digits.strip_suffix(suffix)?, least, most)))
        .unwrap_or((digits, i128::MIN, i128::MAX))
}

/// Parsed with its sign, so that the least number is not out of range.
fn magnitude(digits: &str, negative: bool, radix: u32) -> Option<i128> {
    if negative {
        i128::from_str_radix(&format!("-{digits}"), radix).ok()
    } else {
        i128::from_str_radix(digits, radix).ok()
    }
}

/// The digits without their underscores.
fn plain_digits(
    digits: &str,
    is_digit: impl Fn(char) -> bool,
) -> Result<std::borrow::Cow<'_, str>, &'static str> {
    if !digits.starts_with(&is_digit) {
        return Err(if digits.is_empty() {
            NO_DIGITS
        } else {
            NOT_DIGITS
        });
    }
    if !digits.chars().all(|c| c == '_' || is_digit(c)) {
        return Err(NOT_DIGITS);
    }
    Ok(without_underscores(digits))
}

fn without_underscores(digits: &str) -> std::borrow::Cow<'_, str> {
    if digits.contains('_') {
        digits.replace('_', "").into()
    } else {
        digits.into()
    }
}

fn decimal(negative: bool, magnitude: &str) -> Result<Kind, &'static str> {
    let float = ["f32", "f64"]
        .iter()
        .find_map(|s| magnitude.strip_suffix(s));
    let written = float.unwrap_or(magnitude);
    let fractional = written.contains(['.', 'e', 'E']);
    if float.is_none() && !fractional {
        let value = whole(negative, written, 10);
        // What no integer holds may still be meant for a field that takes any number.
        if value != Err(TOO_LARGE) {
            return value;
        }
    }
    real(written).map(|value| Kind::Float(if negative { -value } else { value }))
}

fn real(written: &str) -> Result<f64, &'static str> {
    if written.contains("..") {
        return Err("ranges are not read; write two numbers");
    }
    let (mantissa, exponent) = match written.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (written, None),
    };
    let is_digit = |c: char| c.is_ascii_digit();
    if !mantissa.contains(is_digit) || mantissa.starts_with('_') || mantissa.contains("._") {
        return Err(if mantissa == "." {
            NO_DIGITS
        } else {
            NOT_DIGITS
        });
    }
    if let Some(exponent) = exponent {
        plain_digits(
            exponent.strip_prefix(['+', '-']).unwrap_or(exponent),
            is_digit,
        )?;
    }
    without_underscores(written).parse().map_err(|_| NOT_DIGITS)
}
