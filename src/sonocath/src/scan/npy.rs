//! NumPy's array files, version 1.0 (NEP 1): a header that Python can read, then the numbers, little
//! end first, the last axis running fastest.

use std::io::{self, Write};

use ultrasound::Complex;

/// A number that an array can hold.
pub trait Element: Copy {
    /// NumPy's name of the type.
    const DTYPE: &'static str;
    /// Appends the number's bytes.
    fn push(self, bytes: &mut Vec<u8>);
}

macro_rules! elements {
    ($($type:ty: $dtype:literal),*) => {$(
        impl Element for $type {
            const DTYPE: &'static str = $dtype;
            fn push(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}
elements!(u8: "|u1", u16: "<u2", f32: "<f4");

impl Element for Complex<f32> {
    const DTYPE: &'static str = "<c8";
    fn push(self, bytes: &mut Vec<u8>) {
        self.re.push(bytes);
        self.im.push(bytes);
    }
}

/// Writes an array of the given shape.
///
/// # Errors
/// Whatever the writer says; `InvalidInput` if there are more or fewer numbers than the shape has.
pub fn write<T: Element>(
    mut to: impl Write,
    shape: &[usize],
    values: impl ExactSizeIterator<Item = T>,
) -> io::Result<()> {
    let wanted: usize = shape.iter().product();
    if values.len() != wanted {
        let why = format!("{} numbers for the shape {shape:?}", values.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let mut bytes = header(T::DTYPE, shape);
    for value in values {
        value.push(&mut bytes);
        if bytes.len() >= 1 << 16 {
            to.write_all(&bytes)?;
            bytes.clear();
        }
    }
    to.write_all(&bytes)?;
    to.flush()
}

/// Magic, version, length, and a Python dictionary padded so that the numbers start at a multiple
/// of 64.
fn header(dtype: &str, shape: &[usize]) -> Vec<u8> {
    const BEFORE: usize = 10;
    let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
    // Python writes one axis as `(3,)`.
    let axes = axes.join(", ") + if axes.len() == 1 { "," } else { "" };
    let mut text = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({axes}), }}");
    let length = (BEFORE + text.len() + 1).next_multiple_of(64) - BEFORE;
    text.extend(std::iter::repeat_n(' ', length - text.len() - 1));
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    // A few axes of at most 20 digits: far below 65 536.
    bytes.extend_from_slice(&(length as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_nep_1() {
        let mut file = Vec::new();
        write(&mut file, &[1, 2], [1.0_f32, -2.0].into_iter()).unwrap();
        assert_eq!(&file[..8], b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([file[8], file[9]]));
        assert_eq!((10 + length) % 64, 0);
        let text = std::str::from_utf8(&file[10..10 + length]).unwrap();
        let wanted = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
        assert_eq!(text.trim_end(), wanted);
        assert!(text.ends_with('\n'));
        assert_eq!(file[10 + length..], [0, 0, 128, 63, 0, 0, 0, 192]);
    }

    #[test]
    fn complex_numbers_are_pairs_and_shapes_are_kept() {
        let mut file = Vec::new();
        let values = [Complex::new(1.0_f32, 0.0)];
        write(&mut file, &[1, 1], values.into_iter()).unwrap();
        assert_eq!(file[file.len() - 8..], [0, 0, 128, 63, 0, 0, 0, 0]);
        assert!(write(&mut file, &[3], [1_u8].into_iter()).is_err());
    }
}
