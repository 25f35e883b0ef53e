//! Volume files: NIfTI-1 and -2, NRRD, MetaImage, into label or Hounsfield volumes in patient
//! millimetres.
//!
//! The format is found from the content, the name only helps to say what is wrong. A gzip wrapper is
//! undone for all of them.
//!
//! | format | orientation | when there is none |
//! |---|---|---|
//! | NIfTI (`.nii`, `.nii.gz`, `.hdr` + `.img`) | sform, else qform; RAS+ turned to LPS; units of `xyzt_units` | `pixdim` along RAS+ axes from the first voxel, as the NIfTI-1 standard's method 1 |
//! | NRRD (`.nrrd`, `.nhdr` + data) | `space`, `space directions`, `space origin` | LPS axes, as ITK reads it |
//! | MetaImage (`.mha`, `.mhd` + data) | `TransformMatrix`, `Offset`, LPS as ITK defines it | LPS axes |
//!
//! What is read is bounded before anything is stored: the header's claim is held against
//! [`ReadLimits`] and against the length of the file, and the voxel buffer grows only as voxels
//! really arrive. Voxels are decoded straight into their final type.
//!
//! What is absent: DICOM, time series, colour, complex numbers, bzip2, and lists of slice files.

mod decode;
mod metaimage;
mod nifti;
mod nrrd;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use thiserror::Error;

use crate::frame::{Affine, Patient, Voxel};
use crate::volume::Volume;
use decode::{Element, VoxelValue};

/// How large a volume may be before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Most voxels a header may claim.
    pub max_voxels: u64,
}

impl Default for ReadLimits {
    /// 2³⁰ voxels: a whole body at 0.8 mm, 2 GiB of labels.
    fn default() -> Self {
        Self {
            max_voxels: 1 << 30,
        }
    }
}

/// Why a file is not a volume; each message names the file, the place in it and the mend.
#[derive(Debug, Error)]
pub enum VolumeFileError {
    /// The operating system refuses the file.
    #[error("{}: cannot be read: {source}. {mend}.", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
        /// What to do.
        mend: &'static str,
    },
    /// The content is none of the formats, or a part of one that is not supported.
    #[error("{}: {found}. {mend}.", file.display())]
    Unsupported {
        /// The file.
        file: PathBuf,
        /// What it is.
        found: String,
        /// What to do.
        mend: String,
    },
    /// A header field is missing or makes no sense.
    #[error("{}: the {format} header field `{field}` {found}. {mend}.", file.display())]
    Header {
        /// The file.
        file: PathBuf,
        /// The format's name.
        format: &'static str,
        /// The field, with an index where it has several entries.
        field: String,
        /// What it holds.
        found: String,
        /// What to do.
        mend: String,
    },
    /// More voxels than [`ReadLimits`] allows.
    #[error(
        "{}: the header claims {} × {} × {} voxels, more than the limit of {limit} voxels. Crop or resample the volume, or raise the limit if the claim is true.",
        file.display(), dims[0], dims[1], dims[2]
    )]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The claimed size.
        dims: [u64; 3],
        /// The limit.
        limit: u64,
    },
    /// The voxels end early.
    #[error(
        "{}: the header promises {expected_bytes} bytes of voxels, but only {found_bytes} are there: the file is cut off. Copy or export it again.",
        file.display()
    )]
    Truncated {
        /// The file that holds the voxels.
        file: PathBuf,
        /// What the header promises.
        expected_bytes: u64,
        /// What is there, after decompression.
        found_bytes: u64,
    },
    /// The compressed data cannot be undone or could never be as long as claimed.
    #[error(
        "{}: the compressed voxels are damaged after {found_bytes} of {expected_bytes} bytes: {reason}. Copy or export the file again.",
        file.display()
    )]
    Damaged {
        /// The file that holds the voxels.
        file: PathBuf,
        /// What the header promises.
        expected_bytes: u64,
        /// How many bytes came out before the damage.
        found_bytes: u64,
        /// What is wrong.
        reason: String,
    },
    /// A voxel's value is not one that this kind of volume may hold.
    #[error(
        "{}: voxel ({}, {}, {}) holds {value}, {want}.",
        file.display(), voxel[0], voxel[1], voxel[2]
    )]
    BadVoxel {
        /// The file that holds the voxels.
        file: PathBuf,
        /// Its indices i, j, k, from 0.
        voxel: [usize; 3],
        /// Its value, after slope and intercept.
        value: String,
        /// What is wanted, and what to do.
        want: &'static str,
    },
}

/// Reads a label volume: one structure number per voxel.
///
/// Any number type is accepted as long as every value is a whole number from 0 to 65535.
///
/// # Errors
/// See [`VolumeFileError`].
pub fn read_labels(path: &Path, limits: &ReadLimits) -> Result<Volume<u16>, VolumeFileError> {
    Loader::of_file(path, limits).load()
}

/// Reads a scalar volume such as a CT in Hounsfield units; the file's slope and intercept are
/// applied. Values that are not finite are refused.
///
/// # Errors
/// See [`VolumeFileError`].
pub fn read_scalars(path: &Path, limits: &ReadLimits) -> Result<Volume<f32>, VolumeFileError> {
    Loader::of_file(path, limits).load()
}

/// [`read_labels`] from memory; `name` stands for the file in messages. Headers that point to
/// another file are refused.
///
/// # Errors
/// See [`VolumeFileError`].
pub fn read_labels_from_bytes(
    name: &Path,
    bytes: &[u8],
    limits: &ReadLimits,
) -> Result<Volume<u16>, VolumeFileError> {
    Loader::of_bytes(name, bytes, limits).load()
}

/// [`read_scalars`] from memory; `name` stands for the file in messages. Headers that point to
/// another file are refused.
///
/// # Errors
/// See [`VolumeFileError`].
pub fn read_scalars_from_bytes(
    name: &Path,
    bytes: &[u8],
    limits: &ReadLimits,
) -> Result<Volume<f32>, VolumeFileError> {
    Loader::of_bytes(name, bytes, limits).load()
}

/// How the voxels are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Raw,
    /// gzip or, where the stream does not start like gzip, bare zlib.
    Deflate,
    Text,
}

/// Where the voxels start.
#[derive(Clone, Debug, PartialEq, Eq)]
enum DataPlace {
    /// In the header's own file, so many bytes after its start (decompressed, where the whole file
    /// is gzipped).
    Here { start: u64, skip: Skip },
    /// In another file.
    Beside { file: PathBuf, skip: Skip },
}

/// What lies between the start of the data and the first voxel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skip {
    /// So many lines of the file as stored, then so many bytes (after decompression).
    Ahead { lines: u64, bytes: u64 },
    /// Everything but the voxels, which end with the file.
    ToTail,
}

/// All that a header says.
#[derive(Clone, Debug)]
struct Layout {
    dims: [u64; 3],
    element: Element,
    big_endian: bool,
    encoding: Encoding,
    slope: f64,
    intercept: f64,
    patient_from_voxel: Affine<Patient, Voxel>,
    data: DataPlace,
}

impl Layout {
    /// Bytes of all voxels in a binary encoding. `dims` were held against the limit, so this fits.
    fn voxel_bytes(&self) -> u64 {
        self.voxels() * self.element.bytes() as u64
    }
    fn voxels(&self) -> u64 {
        self.dims.iter().product()
    }
}

/// The file and format a header error is about.
#[derive(Clone, Copy)]
struct HeaderPlace<'a> {
    file: &'a Path,
    format: &'static str,
}

impl HeaderPlace<'_> {
    fn bad(
        &self,
        field: impl Into<String>,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> VolumeFileError {
        VolumeFileError::Header {
            file: self.file.to_owned(),
            format: self.format,
            field: field.into(),
            found: found.into(),
            mend: mend.into(),
        }
    }
    fn missing(&self, field: &str, mend: &str) -> VolumeFileError {
        self.bad(field, "is missing", mend)
    }
    fn unsupported(&self, found: impl Into<String>, mend: impl Into<String>) -> VolumeFileError {
        VolumeFileError::Unsupported {
            file: self.file.to_owned(),
            found: found.into(),
            mend: mend.into(),
        }
    }
    /// The three sizes of a volume whose further axes all have size 1.
    ///
    /// # Errors
    /// Fewer than three axes, an axis of 0, or real further axes.
    fn three_dims(&self, field: &str, sizes: &[u64]) -> Result<[u64; 3], VolumeFileError> {
        if sizes.len() < 3 {
            return Err(self.bad(
                field,
                format!("names {} axes", sizes.len()),
                "A volume needs three axes: export the whole stack instead of one slice",
            ));
        }
        if let Some(axis) = sizes.iter().position(|&size| size == 0) {
            return Err(self.bad(
                field,
                format!("gives axis {} a size of 0", axis + 1),
                "The file holds no voxels: export it again",
            ));
        }
        if sizes[3..].iter().any(|&size| size > 1) {
            return Err(self.bad(
                field,
                format!("names a volume of more than three dimensions ({sizes:?})"),
                "Time series, vectors and colour are not read: export one three-dimensional volume",
            ));
        }
        Ok([sizes[0], sizes[1], sizes[2]])
    }
}

/// One file to read, on disk or in memory.
struct Loader<'a> {
    file: &'a Path,
    memory: Option<&'a [u8]>,
    limits: &'a ReadLimits,
}

/// Bytes as stored, and how many there are.
struct Stored<'a> {
    reader: Box<dyn BufRead + 'a>,
    bytes: u64,
}

/// Decompressed bytes.
struct Stream<'a> {
    reader: Box<dyn BufRead + 'a>,
    /// Length of the file as stored.
    stored_bytes: u64,
    gzipped: bool,
}

/// Enough for every fixed header and for telling the text formats apart.
const PREFIX_BYTES: u64 = 544;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Deflate cannot expand more than this (RFC 1951: 258 bytes from 2 bits).
const MAX_INFLATION: u64 = 1032;

impl<'a> Loader<'a> {
    fn of_file(file: &'a Path, limits: &'a ReadLimits) -> Self {
        Self {
            file,
            memory: None,
            limits,
        }
    }
    fn of_bytes(file: &'a Path, bytes: &'a [u8], limits: &'a ReadLimits) -> Self {
        Self {
            file,
            memory: Some(bytes),
            limits,
        }
    }

    fn load<T: VoxelValue>(&self) -> Result<Volume<T>, VolumeFileError> {
        if let Some(header) = self.header_of_image() {
            return Loader::of_file(&header, self.limits).load();
        }
        let mut stream = self.open()?;
        let prefix = stream.peek().map_err(|e| self.io(e))?;
        let layout = self.layout(&prefix, &mut stream)?;
        self.check_size(&layout)?;
        let voxels = match &layout.data {
            DataPlace::Here { skip, .. } => decode::voxels(self.file, &layout, stream, *skip)?,
            DataPlace::Beside { file, skip } => self.voxels_beside(file, &layout, *skip)?,
        };
        Ok(Volume {
            dims: layout.dims.map(|size| size as usize),
            voxels,
            patient_from_voxel: layout.patient_from_voxel,
        })
    }

    /// Whoever hands over the `.img` of a NIfTI pair means its header.
    fn header_of_image(&self) -> Option<PathBuf> {
        let is_image = nifti::is_image_name(self.file) && self.memory.is_none();
        is_image.then(|| nifti::partner(self.file, "hdr")).flatten()
    }

    fn layout(&self, prefix: &[u8], stream: &mut Stream) -> Result<Layout, VolumeFileError> {
        if nifti::recognises(prefix) {
            nifti::layout(self.file, prefix)
        } else if nrrd::recognises(prefix) {
            nrrd::layout(self.file, &mut stream.reader)
        } else if metaimage::recognises(prefix) {
            metaimage::layout(self.file, &mut stream.reader)
        } else {
            Err(self.unknown(prefix))
        }
    }

    fn unknown(&self, prefix: &[u8]) -> VolumeFileError {
        let name = self.file.to_string_lossy().to_lowercase();
        let (found, mend) = if prefix.get(128..132) == Some(b"DICM") {
            (
                "this is a DICOM file".into(),
                "Convert the series to NIfTI first, for example with dcm2niix",
            )
        } else if prefix.is_empty() {
            ("the file is empty".into(), "Copy or export it again")
        } else if name.contains(".nii") || name.contains(".hdr") {
            (
                format!(
                    "the name says NIfTI, but the content starts with the bytes {:02x?} instead of a header size of 348 or 540",
                    &prefix[..prefix.len().min(4)]
                ),
                "Export the volume again as NIfTI",
            )
        } else {
            (
                format!(
                    "this is neither NIfTI nor NRRD nor MetaImage (it starts with the bytes {:02x?})",
                    &prefix[..prefix.len().min(4)]
                ),
                "Export the volume as .nii.gz, .nrrd or .mha",
            )
        };
        VolumeFileError::Unsupported {
            file: self.file.to_owned(),
            found,
            mend: mend.into(),
        }
    }

    fn check_size(&self, layout: &Layout) -> Result<(), VolumeFileError> {
        let voxels = layout
            .dims
            .iter()
            .try_fold(1u64, |product, &size| product.checked_mul(size))
            .filter(|&voxels| voxels <= self.limits.max_voxels.min(1 << 48));
        match voxels {
            Some(_) => Ok(()),
            None => Err(VolumeFileError::TooLarge {
                file: self.file.to_owned(),
                dims: layout.dims,
                limit: self.limits.max_voxels,
            }),
        }
    }

    fn voxels_beside<T: VoxelValue>(
        &self,
        file: &Path,
        layout: &Layout,
        skip: Skip,
    ) -> Result<Vec<T>, VolumeFileError> {
        if self.memory.is_some() {
            return Err(VolumeFileError::Unsupported {
                file: self.file.to_owned(),
                found: format!("the voxels are in another file ({})", file.display()),
                mend: "Read the header from disk, or store header and voxels in one file".into(),
            });
        }
        let beside = Loader::of_file(file, self.limits);
        let stored = beside.stored()?;
        let stream = Stream {
            reader: stored.reader,
            stored_bytes: stored.bytes,
            gzipped: false,
        };
        decode::voxels(file, layout, stream, skip)
    }

    /// The bytes as stored.
    fn stored(&self) -> Result<Stored<'a>, VolumeFileError> {
        if let Some(bytes) = self.memory {
            return Ok(Stored {
                reader: Box::new(Cursor::new(bytes)),
                bytes: bytes.len() as u64,
            });
        }
        let (file, bytes) = open_regular(self.file).map_err(|e| self.io(e))?;
        Ok(Stored {
            reader: Box::new(BufReader::with_capacity(1 << 16, file)),
            bytes,
        })
    }

    /// The bytes with a gzip wrapper round the whole file undone.
    fn open(&self) -> Result<Stream<'a>, VolumeFileError> {
        let Stored { mut reader, bytes } = self.stored()?;
        let start = peek_magic(&mut reader).map_err(|e| self.io(e))?;
        let gzipped = start == GZIP_MAGIC;
        let whole = Cursor::new(start).chain(reader);
        let reader: Box<dyn BufRead + 'a> = if gzipped {
            Box::new(BufReader::with_capacity(
                1 << 16,
                MultiGzDecoder::new(whole),
            ))
        } else {
            Box::new(whole)
        };
        Ok(Stream {
            reader,
            stored_bytes: bytes,
            gzipped,
        })
    }

    fn io(&self, source: io::Error) -> VolumeFileError {
        let mend = match source.kind() {
            io::ErrorKind::NotFound => "Check the spelling and the folder",
            io::ErrorKind::PermissionDenied => "Ask for the right to read it",
            io::ErrorKind::UnexpectedEof => "The file is cut off: copy or export it again",
            _ => "Check that it is a whole, readable file",
        };
        VolumeFileError::Io {
            file: self.file.to_owned(),
            source,
            mend,
        }
    }
}

impl<'a> Stream<'a> {
    /// The first bytes, which stay in the stream, and so does a fault behind them.
    fn peek(&mut self) -> io::Result<Vec<u8>> {
        let mut reader = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        let mut start = Vec::new();
        let rest: Box<dyn BufRead + 'a> =
            match (&mut reader).take(PREFIX_BYTES).read_to_end(&mut start) {
                Ok(_) => reader,
                Err(fault) if start.is_empty() => return Err(fault),
                Err(fault) => Box::new(BufReader::new(Fault(Some(fault)))),
            };
        self.reader = Box::new(Cursor::new(start.clone()).chain(rest));
        Ok(start)
    }
}

/// A stream of nothing but one fault, met earlier than its place.
struct Fault(Option<io::Error>);

impl Read for Fault {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The first two bytes, which tell gzip.
fn peek_magic(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.take(2).read_to_end(&mut start)?;
    Ok(start)
}

/// Opens a file that has a length; devices and pipes could go on for ever.
fn open_regular(path: &Path) -> io::Result<(File, u64)> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::other("this is not a file"));
    }
    Ok((File::open(path)?, meta.len()))
}

/// Undoes gzip, or zlib where the stream does not start like gzip.
fn inflated<'a>(mut reader: Box<dyn BufRead + 'a>) -> io::Result<Box<dyn Read + 'a>> {
    let start = peek_magic(&mut reader)?;
    let gzip = start == GZIP_MAGIC;
    let whole = Cursor::new(start).chain(reader);
    Ok(if gzip {
        Box::new(MultiGzDecoder::new(whole))
    } else {
        Box::new(ZlibDecoder::new(whole))
    })
}

/// Longest text header that is read.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// The lines of a text header, counted in bytes so that the data's place is known.
struct HeaderLines<'a, 'b> {
    place: HeaderPlace<'a>,
    reader: &'b mut dyn BufRead,
    bytes: u64,
}

impl HeaderLines<'_, '_> {
    /// The next line without its end; `None` at the end of the file.
    fn next_line(&mut self) -> Result<Option<String>, VolumeFileError> {
        let mut line = Vec::new();
        let room = MAX_HEADER_BYTES - self.bytes;
        let count = (&mut self.reader)
            .take(room)
            .read_until(b'\n', &mut line)
            .map_err(|e| {
                self.place.unsupported(
                    format!("the {} header breaks off: {e}", self.place.format),
                    "Copy or export the file again",
                )
            })?;
        self.bytes += count as u64;
        if self.bytes >= MAX_HEADER_BYTES {
            return Err(self.place.unsupported(
                format!("the {} header does not end within 1 MiB", self.place.format),
                "Export the file again",
            ));
        }
        while line.last().is_some_and(|b| b"\r\n".contains(b)) {
            line.pop();
        }
        Ok((count > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
    }
}

/// The header's fields by lower-case name, as written.
struct TextFields<'a> {
    place: HeaderPlace<'a>,
    values: std::collections::BTreeMap<String, String>,
}

impl TextFields<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.values
            .get(&name.to_lowercase())
            .map(|value| value.trim())
    }
    /// # Errors
    /// The field is not there.
    fn need(&self, name: &str) -> Result<&str, VolumeFileError> {
        self.get(name)
            .ok_or_else(|| self.place.missing(name, "Export the volume again"))
    }
    /// Numbers separated by white space; `None` if the field is not there.
    fn numbers<N: std::str::FromStr>(&self, name: &str) -> Result<Option<Vec<N>>, VolumeFileError> {
        self.get(name)
            .map(|value| {
                value
                    .split_whitespace()
                    .map(|word| {
                        word.parse().map_err(|_| {
                            self.place.bad(
                                name,
                                format!("holds “{}”, which is no such number", shortened(word)),
                                "Correct the header or export the volume again",
                            )
                        })
                    })
                    .collect()
            })
            .transpose()
    }
    /// One number; `None` if the field is not there.
    fn number<N: std::str::FromStr + Copy>(
        &self,
        name: &str,
    ) -> Result<Option<N>, VolumeFileError> {
        match self.numbers(name)?.as_deref() {
            None => Ok(None),
            Some([number]) => Ok(Some(*number)),
            Some(_) => Err(self.place.bad(
                name,
                "does not hold exactly one number",
                "Correct the header or export the volume again",
            )),
        }
    }
    /// # Errors
    /// A number that is NaN or infinite.
    fn finite(&self, name: &str, values: &[f64]) -> Result<(), VolumeFileError> {
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(i) => Err(self.place.bad(
                format!("{name}[{i}]"),
                format!("is {}", values[i]),
                MEND_AFFINE,
            )),
        }
    }
    /// # Errors
    /// A distance that is not a positive finite number.
    fn positive(&self, name: &str, values: &[f64]) -> Result<(), VolumeFileError> {
        self.finite(name, values)?;
        match values.iter().position(|&v| v <= 0.0) {
            None => Ok(()),
            Some(i) => Err(self.place.bad(
                format!("{name}[{i}]"),
                format!(
                    "is {}, but the distance between voxels is more than 0",
                    values[i]
                ),
                MEND_AFFINE,
            )),
        }
    }
    /// # Errors
    /// The map is singular or not finite; `name` is the field it comes from.
    fn affine(
        &self,
        name: &str,
        linear: nalgebra::Matrix3<f64>,
        offset: nalgebra::Vector3<f64>,
    ) -> Result<Affine<Patient, Voxel>, VolumeFileError> {
        Affine::new(linear, offset).ok_or_else(|| {
            self.place.bad(
                name,
                "describes a grid without volume (its matrix is singular)",
                MEND_AFFINE,
            )
        })
    }
    /// The file the voxels are in, relative to the header's folder.
    fn beside(&self, name: &str) -> PathBuf {
        self.place.file.parent().unwrap_or(Path::new("")).join(name)
    }
}

const MEND_AFFINE: &str = "Write the true orientation into the header (for example with ITK-SNAP or 3D Slicer), or export the volume again";

/// A piece of the file for a message, at most 40 characters.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
