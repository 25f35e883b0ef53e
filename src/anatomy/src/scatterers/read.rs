//! `.npy` and `.npz` → scatterers.

use std::fs::File;
use std::io::{BufReader, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use geometry::mesh_file::MeshUnits;
use zip::ZipArchive;
use zip::result::ZipError;

use super::header::{Float, Header, MAGIC, read_header};
use super::{ArrayPlace, COLUMNS, ScattererError, ScattererLimits, Scatterers, finite};

/// Bytes decoded at once; a multiple of every number's size.
const CHUNK_BYTES: usize = 1 << 16;

/// What each array of an archive may be called; capitals do not matter.
const NAMES: [(&str, &[&str]); 4] = [
    ("x", &["x", "x_mm", "xs"]),
    ("y", &["y", "y_mm", "ys"]),
    ("z", &["z", "z_mm", "zs"]),
    (
        "amplitude",
        &[
            "amplitude",
            "amplitudes",
            "amp",
            "amps",
            "rc",
            "phantom_amplitudes",
        ],
    ),
];
const TABLE_NAMES: &[&str] = &["scatterers"];
const POSITION_NAMES: &[&str] = &["positions", "places_mm", "points", "phantom_positions"];

/// Reads point scatterers: a `.npy` file with an N × 4 array (columns x, y, z, amplitude), or a
/// `.npz` archive with arrays `x`, `y`, `z`, `amplitude` of N numbers each, or `positions` (N × 3)
/// and `amplitude`, or `scatterers` (N × 4). Capitals do not matter, `amp` and `rc` stand for
/// `amplitude` too, other arrays are left alone. Numbers are float32 or float64 of either byte
/// order, arrays in C or Fortran order. Coordinates are in `unit`, along the axes of the patient
/// frame (LPS); order is kept. What a file is, its first bytes say, not its name.
///
/// # Errors
/// Every [`ScattererError`] but `Unpaired` and `NoFolder`. Memory stays within a small multiple of
/// what the limits allow, whatever the file claims.
pub fn read_scatterers(
    path: &Path,
    unit: MeshUnits,
    limits: &ScattererLimits,
) -> Result<Scatterers, ScattererError> {
    let io_error = |source| ScattererError::Io {
        file: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io_error)?;
    let about = file.metadata().map_err(io_error)?;
    if about.is_dir() {
        return Err(io_error(ErrorKind::IsADirectory.into()));
    }
    Reader::new(path, unit, limits).read(BufReader::new(file), about.len())
}

/// [`read_scatterers`] of bytes; `name` names them in errors.
///
/// # Errors
/// As of [`read_scatterers`].
pub fn read_scatterers_bytes(
    name: &Path,
    bytes: &[u8],
    unit: MeshUnits,
    limits: &ScattererLimits,
) -> Result<Scatterers, ScattererError> {
    Reader::new(name, unit, limits).read(Cursor::new(bytes), bytes.len() as u64)
}

struct Reader<'a> {
    file: &'a Path,
    mm: f64,
    limits: &'a ScattererLimits,
}

impl<'a> Reader<'a> {
    fn new(file: &'a Path, unit: MeshUnits, limits: &'a ScattererLimits) -> Self {
        Self {
            file,
            mm: unit.mm(),
            limits,
        }
    }

    fn at(&self, array: Option<&str>) -> ArrayPlace {
        ArrayPlace {
            file: self.file.to_owned(),
            array: array.map(str::to_owned),
        }
    }

    fn io(&self, source: std::io::Error) -> ScattererError {
        ScattererError::Io {
            file: self.file.to_owned(),
            source,
        }
    }

    fn read(
        &self,
        mut reader: impl Read + Seek,
        length: u64,
    ) -> Result<Scatterers, ScattererError> {
        self.check_bytes(None, length)?;
        let mut start = Vec::new();
        (&mut reader)
            .take(MAGIC.len() as u64)
            .read_to_end(&mut start)
            .map_err(|e| self.io(e))?;
        reader.seek(SeekFrom::Start(0)).map_err(|e| self.io(e))?;
        if start.starts_with(MAGIC) {
            return self.npy(reader, length);
        }
        // A file entry, or the end of an archive without any.
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return self.npz(reader);
        }
        Err(ScattererError::NotNumpy {
            file: self.file.to_owned(),
            found: if start.is_empty() {
                "nothing: it is empty".to_owned()
            } else {
                format!("“{}”", start.escape_ascii())
            },
        })
    }

    fn npy(&self, mut reader: impl Read, length: u64) -> Result<Scatterers, ScattererError> {
        let array = self.open(None, &mut reader, Stored::Plain(length))?;
        self.table(array)
    }

    fn npz(&self, reader: impl Read + Seek) -> Result<Scatterers, ScattererError> {
        let mut archive = ZipArchive::new(reader).map_err(|e| self.archive(&e))?;
        let names: Vec<String> = archive
            .file_names()
            .filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_owned()))
            .collect();
        match self.layout(&names)? {
            Layout::Table(table) => {
                let mut out = Scatterers::default();
                self.member(&mut archive, &table, |array| {
                    out = self.table(array)?;
                    Ok(())
                })?;
                Ok(out)
            }
            Layout::Positions(positions, amplitude) => {
                let mut out = Filling::default();
                self.member(&mut archive, &positions, |array| {
                    self.positions(array, &mut out)
                })?;
                self.member(&mut archive, &amplitude, |array| {
                    self.column(array, 3, &mut out)
                })?;
                Ok(out.scatterers)
            }
            Layout::Columns(columns) => {
                let mut out = Filling::default();
                for (column, name) in columns.iter().enumerate() {
                    self.member(&mut archive, name, |array| {
                        self.column(array, column, &mut out)
                    })?;
                }
                Ok(out.scatterers)
            }
        }
    }

    fn archive(&self, error: &ZipError) -> ScattererError {
        ScattererError::Archive {
            file: self.file.to_owned(),
            why: error.to_string(),
        }
    }

    /// Which arrays of an archive hold what.
    fn layout(&self, names: &[String]) -> Result<Layout, ScattererError> {
        if let Some(table) = self.one_of(names, TABLE_NAMES)? {
            return Ok(Layout::Table(table));
        }
        let positions = self.one_of(names, POSITION_NAMES)?;
        let mut columns = [const { None }; 4];
        for (column, (_, aliases)) in columns.iter_mut().zip(NAMES) {
            *column = self.one_of(names, aliases)?;
        }
        match (positions, columns) {
            (None, [Some(x), Some(y), Some(z), Some(a)]) => Ok(Layout::Columns([x, y, z, a])),
            (Some(positions), [None, None, None, Some(a)]) => Ok(Layout::Positions(positions, a)),
            (None, columns) => {
                let missing = NAMES
                    .iter()
                    .zip(&columns)
                    .filter(|(_, found)| found.is_none());
                let missing: Vec<String> = missing.map(|((n, _), _)| format!("`{n}`")).collect();
                Err(self.arrays(format!("there is no array {}", missing.join(", ")), names))
            }
            (Some(_), [.., None]) => {
                Err(self.arrays("there is no array `amplitude`".to_owned(), names))
            }
            (Some(positions), _) => {
                let problem = format!("both `{positions}` and single axes give the places");
                Err(self.arrays(problem, names))
            }
        }
    }

    /// The name among `aliases` that the archive holds.
    fn one_of(&self, names: &[String], aliases: &[&str]) -> Result<Option<String>, ScattererError> {
        let means = |name: &&String| aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name));
        let mut found: Vec<&String> = names.iter().filter(means).collect();
        found.sort();
        match found.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some((*only).clone())),
            [first, second, ..] => {
                let problem = format!("`{first}` and `{second}` mean the same");
                Err(self.arrays(problem, names))
            }
        }
    }

    fn arrays(&self, problem: String, names: &[String]) -> ScattererError {
        const SHOWN: usize = 16;
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        let mut shown: Vec<String> = sorted
            .iter()
            .take(SHOWN)
            .map(|n| format!("`{n}`"))
            .collect();
        if sorted.len() > SHOWN {
            shown.push(format!("{} more", sorted.len() - SHOWN));
        }
        ScattererError::Arrays {
            file: self.file.to_owned(),
            problem,
            found: if shown.is_empty() {
                "no arrays".to_owned()
            } else {
                shown.join(", ")
            },
        }
    }

    /// Opens an array of the archive and hands it to `take`.
    fn member<R: Read + Seek>(
        &self,
        archive: &mut ZipArchive<R>,
        name: &str,
        take: impl FnOnce(Array<'_, &mut dyn Read>) -> Result<(), ScattererError>,
    ) -> Result<(), ScattererError> {
        let mut entry = archive
            .by_name(&format!("{name}.npy"))
            .map_err(|e| self.archive(&e))?;
        let stored = Stored::Packed(entry.compressed_size());
        let reader: &mut dyn Read = &mut entry;
        take(self.open(Some(name), reader, stored)?)
    }

    /// Reads an array's head and holds its claim against the limits and the bytes there are.
    fn open<'n, R: Read>(
        &self,
        name: Option<&'n str>,
        mut reader: R,
        stored: Stored,
    ) -> Result<Array<'n, R>, ScattererError> {
        let damaged = |why| ScattererError::Damaged {
            at: self.at(name),
            why,
        };
        let header = read_header(&mut reader).map_err(damaged)?;
        let float = header.float().ok_or_else(|| ScattererError::Type {
            at: self.at(name),
            found: header.descr.clone(),
        })?;
        let numbers = header
            .shape
            .iter()
            .try_fold(1_u64, |n, &axis| n.checked_mul(axis));
        let bytes = numbers.and_then(|n| n.checked_mul(float.bytes as u64));
        let bytes = bytes.unwrap_or(u64::MAX);
        self.check_bytes(name, bytes)?;
        let most = stored.most_bytes(header.data_at);
        if bytes > most {
            return Err(damaged(format!(
                "its head promises {bytes} bytes of numbers, but there are at most {most}"
            )));
        }
        Ok(Array {
            name,
            reader,
            header,
            float,
        })
    }

    fn check_bytes(&self, name: Option<&str>, bytes: u64) -> Result<(), ScattererError> {
        let limit = self.limits.max_bytes;
        if bytes <= limit {
            return Ok(());
        }
        Err(ScattererError::TooLarge {
            at: self.at(name),
            bytes,
            limit,
        })
    }

    fn check_points(&self, name: Option<&str>, points: u64) -> Result<(), ScattererError> {
        let limit = self.limits.max_points;
        if points <= limit {
            return Ok(());
        }
        Err(ScattererError::TooMany {
            at: self.at(name),
            points,
            limit,
        })
    }

    /// An N × 4 array.
    fn table<R: Read>(&self, mut array: Array<'_, R>) -> Result<Scatterers, ScattererError> {
        let rows = self.rows_of(&array, 4)?;
        let mut out = Filling::default();
        self.numbers(&mut array, [rows, 4], 0, &mut out)?;
        Ok(out.scatterers)
    }

    /// An N × 3 array.
    fn positions<R: Read>(
        &self,
        mut array: Array<'_, R>,
        out: &mut Filling,
    ) -> Result<(), ScattererError> {
        let rows = self.rows_of(&array, 3)?;
        out.rows = Some((array.name.unwrap_or_default().to_owned(), rows));
        self.numbers(&mut array, [rows, 3], 0, out)
    }

    /// Rows of an array of so many columns.
    fn rows_of<R>(&self, array: &Array<'_, R>, columns: u64) -> Result<u64, ScattererError> {
        let shape = array.header.shape.as_slice();
        if let [rows, width] = *shape
            && width == columns
        {
            self.check_points(array.name, rows)?;
            return Ok(rows);
        }
        let lies = matches!(*shape, [height, _] if height == columns);
        let what = if columns == 4 {
            "x, y, z, amplitude"
        } else {
            "x, y, z"
        };
        Err(ScattererError::Shape {
            at: self.at(array.name),
            found: array.header.shape_in_words(),
            expected: format!("(N, {columns}), a row a point: {what}"),
            mend: if lies { "; save array.T" } else { "" },
        })
    }

    /// N numbers, column `column` of the scatterers.
    fn column<R: Read>(
        &self,
        mut array: Array<'_, R>,
        column: usize,
        out: &mut Filling,
    ) -> Result<(), ScattererError> {
        let shape = &array.header.shape;
        let long: Vec<u64> = shape.iter().copied().filter(|&axis| axis != 1).collect();
        let rows = match long.as_slice() {
            [] if !shape.is_empty() => Some(1),
            [rows] => Some(*rows),
            _ => None,
        };
        let wrong = |expected: String| ScattererError::Shape {
            at: self.at(array.name),
            found: array.header.shape_in_words(),
            expected,
            mend: "",
        };
        let rows = rows.ok_or_else(|| wrong("(N,), a number a point".to_owned()))?;
        self.check_points(array.name, rows)?;
        match &out.rows {
            Some((first, known)) if *known != rows => {
                return Err(wrong(format!(
                    "as many numbers as `{first}` has rows, {known}"
                )));
            }
            Some(_) => {}
            None => out.rows = Some((array.name.unwrap_or_default().to_owned(), rows)),
        }
        self.numbers(&mut array, [rows, 1], column, out)
    }

    /// Reads all numbers of an array of `[rows, columns]`; its first column is `first_column` of
    /// the scatterers.
    fn numbers<R: Read>(
        &self,
        array: &mut Array<'_, R>,
        [rows, columns]: [u64; 2],
        first_column: usize,
        out: &mut Filling,
    ) -> Result<(), ScattererError> {
        let float = array.float;
        let mut chunk = vec![0; CHUNK_BYTES];
        let (mut at, total) = (0, rows * columns);
        while at < total {
            let count = (total - at).min((CHUNK_BYTES / float.bytes) as u64);
            let bytes = &mut chunk[..count as usize * float.bytes];
            self.fill(array, bytes)?;
            for stored in bytes.chunks_exact(float.bytes) {
                let (row, column) = if array.header.fortran_order {
                    (at % rows, at / rows)
                } else {
                    (at / columns, at % columns)
                };
                let column = first_column + column as usize;
                self.put(array.name, row, column, float.number(stored), out)?;
                at += 1;
            }
        }
        self.expect_end(array)
    }

    fn fill<R: Read>(
        &self,
        array: &mut Array<'_, R>,
        bytes: &mut [u8],
    ) -> Result<(), ScattererError> {
        let failed = |error: std::io::Error| ScattererError::Damaged {
            at: self.at(array.name),
            why: match error.kind() {
                ErrorKind::UnexpectedEof => {
                    let shape = array.header.shape_in_words();
                    format!("it ends before the numbers of its shape {shape}")
                }
                _ => error.to_string(),
            },
        };
        array.reader.read_exact(bytes).map_err(failed)
    }

    /// Also lets the archive compare its check sum, which it does at the end.
    fn expect_end<R: Read>(&self, array: &mut Array<'_, R>) -> Result<(), ScattererError> {
        let damaged = |why| ScattererError::Damaged {
            at: self.at(array.name),
            why,
        };
        let mut byte = Vec::new();
        match (&mut array.reader).take(1).read_to_end(&mut byte) {
            Ok(0) => Ok(()),
            Ok(_) => Err(damaged(format!(
                "more bytes follow the numbers of its shape {}",
                array.header.shape_in_words()
            ))),
            Err(error) => Err(damaged(error.to_string())),
        }
    }

    fn put(
        &self,
        name: Option<&str>,
        row: u64,
        column: usize,
        value: f64,
        out: &mut Filling,
    ) -> Result<(), ScattererError> {
        let scaled = if column < 3 { value * self.mm } else { value };
        let number = finite(scaled).ok_or_else(|| ScattererError::NotFinite {
            at: self.at(name),
            row,
            column: COLUMNS[column],
            value,
        })?;
        out.put(row as usize, column, number);
        Ok(())
    }
}

/// Which arrays of an archive to read.
enum Layout {
    /// N × 4.
    Table(String),
    /// N × 3 and N.
    Positions(String, String),
    /// N each: x, y, z, amplitude.
    Columns([String; 4]),
}

/// How many bytes there can be.
enum Stored {
    /// Bytes of the file, head and numbers.
    Plain(u64),
    /// Bytes in an archive, packed or not.
    Packed(u64),
}

impl Stored {
    /// The most bytes of numbers that can follow a head of `head` bytes.
    fn most_bytes(&self, head: u64) -> u64 {
        /// Deflate packs at most 258 bytes into two bits.
        const MAX_INFLATION: u64 = 1032;
        match *self {
            Self::Plain(bytes) => bytes.saturating_sub(head),
            Self::Packed(bytes) => bytes.saturating_mul(MAX_INFLATION).saturating_sub(head),
        }
    }
}

/// An array whose head has been read.
struct Array<'a, R> {
    name: Option<&'a str>,
    reader: R,
    header: Header,
    float: Float,
}

/// Scatterers that grow with the numbers that are read, so that a claim alone takes no memory.
#[derive(Default)]
struct Filling {
    scatterers: Scatterers,
    /// The first array that was read, and its rows.
    rows: Option<(String, u64)>,
}

impl Filling {
    /// Column 0 comes first, and the rows of each column in order.
    fn put(&mut self, row: usize, column: usize, number: f32) {
        let Scatterers {
            places_mm,
            amplitudes,
        } = &mut self.scatterers;
        match column {
            0 => places_mm.push([number, 0.0, 0.0]),
            3 => amplitudes.push(number),
            _ => {
                if let Some(place) = places_mm.get_mut(row) {
                    place[column] = number;
                }
            }
        }
    }
}
