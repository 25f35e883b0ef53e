//! Scatterers → `.npy`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::header::MAGIC;
use super::{ArrayPlace, COLUMNS, ScattererError, Scatterers};

/// NumPy aligns the numbers to this many bytes.
const ALIGNMENT: usize = 64;

/// Writes N × 4 little-endian float32, a row a point: x, y, z in mm, amplitude.
///
/// # Errors
/// The disk's, or points that could not be read back.
pub(crate) fn write_npy(scatterers: &Scatterers, path: &Path) -> Result<(), ScattererError> {
    let (places, amplitudes) = (scatterers.places_mm.len(), scatterers.amplitudes.len());
    if places != amplitudes {
        return Err(ScattererError::Unpaired { places, amplitudes });
    }
    let io_error = |source| ScattererError::Io {
        file: path.to_owned(),
        source,
    };
    let mut out = BufWriter::new(File::create(path).map_err(io_error)?);
    out.write_all(&head(places)).map_err(io_error)?;
    for (row, ([x, y, z], amplitude)) in scatterers.iter().enumerate() {
        for (number, column) in [x, y, z, amplitude].into_iter().zip(COLUMNS) {
            if !number.is_finite() {
                return Err(ScattererError::NotFinite {
                    at: ArrayPlace::file(Path::new("scatterers")),
                    row: row as u64,
                    column,
                    value: number.into(),
                });
            }
            out.write_all(&number.to_le_bytes()).map_err(io_error)?;
        }
    }
    out.flush().map_err(io_error)
}

fn head(rows: usize) -> Vec<u8> {
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 4), }}");
    // Magic, version and length come before the text, a line break after it.
    let before = MAGIC.len() + 4;
    let total = (before + text.len() + 1).next_multiple_of(ALIGNMENT);
    let padded = format!("{text:<width$}\n", width = total - before - 1);
    let length = (padded.len() as u16).to_le_bytes();
    [&MAGIC[..], &[1, 0], &length, padded.as_bytes()].concat()
}
