//! The part all volume formats share: a stream of stored numbers into voxels.

use std::io::{self, BufRead, Read};
use std::path::Path;

use super::{DataPlace, Encoding, Layout, MAX_INFLATION, Skip, Stream, VolumeFileError, inflated};

/// A stored number type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Element {
    /// Bytes of one number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

/// What a voxel becomes in memory.
pub(super) trait VoxelValue: Copy {
    /// What [`Self::from_stored`] accepts, and the mend where it does not.
    const WANT: &'static str;
    /// The voxel for a stored number, after slope and intercept.
    fn from_stored(value: f64) -> Option<Self>;
}

impl VoxelValue for u16 {
    const WANT: &'static str = "but a label is a whole number from 0 to 65535. \
        If this is a label map, export it again with whole numbers; a CT belongs with the scalar volumes";
    fn from_stored(value: f64) -> Option<Self> {
        let label = value as u16;
        (f64::from(label) == value).then_some(label)
    }
}

impl VoxelValue for f32 {
    const WANT: &'static str = "but a scalar voxel is a finite number. \
        Replace the value in the file, for example by −1024 HU for air";
    fn from_stored(value: f64) -> Option<Self> {
        let scalar = value as f32;
        scalar.is_finite().then_some(scalar)
    }
}

/// Bytes decoded at once; a multiple of every element's size.
const CHUNK_BYTES: usize = 1 << 16;

/// Reads all voxels of a layout. The stream stands at its start for data beside the header, and at
/// `start` for data in the header's own file (the fixed-size headers leave it at 0).
///
/// # Errors
/// Data shorter than promised (checked before anything is stored where the length is known),
/// damaged, or a voxel that `T` does not accept.
pub(super) fn voxels<T: VoxelValue>(
    file: &Path,
    layout: &Layout,
    stream: Stream,
    skip: Skip,
) -> Result<Vec<T>, VolumeFileError> {
    let job = Job {
        file,
        layout,
        stored_bytes: stream.stored_bytes,
    };
    let start = match layout.data {
        DataPlace::Here { start, .. } => start,
        DataPlace::Beside { .. } => 0,
    };
    job.check_length(&stream, start, skip)?;
    let mut reader = job.at_first_voxel(stream, start, skip)?;
    match layout.encoding {
        Encoding::Text => job.text(&mut reader),
        Encoding::Raw | Encoding::Deflate => job.binary(&mut reader),
    }
}

#[derive(Clone, Copy)]
struct Job<'a> {
    file: &'a Path,
    layout: &'a Layout,
    /// Length of the file that holds the voxels.
    stored_bytes: u64,
}

impl Job<'_> {
    fn expected_bytes(&self) -> u64 {
        self.layout.voxel_bytes()
    }

    /// Holds the claim against the length of the file.
    fn check_length(&self, stream: &Stream, start: u64, skip: Skip) -> Result<(), VolumeFileError> {
        if stream.gzipped && skip == Skip::ToTail {
            return Err(VolumeFileError::Unsupported {
                file: self.file.to_owned(),
                found: "the voxels are to be found from the end of the file, but the whole file is gzipped".into(),
                mend: "Unpack it with gunzip first".into(),
            });
        }
        if stream.gzipped || self.layout.encoding == Encoding::Deflate {
            return self.check_inflation(stream.stored_bytes);
        }
        let ahead = match skip {
            Skip::Ahead { bytes, .. } => start.saturating_add(bytes),
            Skip::ToTail => start,
        };
        let room = stream.stored_bytes.saturating_sub(ahead);
        // A number written as text takes a digit and a space.
        let needed = match self.layout.encoding {
            Encoding::Text => self.layout.voxels().saturating_mul(2).saturating_sub(1),
            _ => self.expected_bytes(),
        };
        if room < needed {
            return Err(VolumeFileError::Truncated {
                file: self.file.to_owned(),
                expected_bytes: needed,
                found_bytes: room,
            });
        }
        Ok(())
    }

    fn check_inflation(&self, stored_bytes: u64) -> Result<(), VolumeFileError> {
        let most = stored_bytes.saturating_mul(MAX_INFLATION);
        if self.expected_bytes() <= most {
            return Ok(());
        }
        Err(VolumeFileError::Damaged {
            file: self.file.to_owned(),
            expected_bytes: self.expected_bytes(),
            found_bytes: 0,
            reason: format!(
                "the file's {stored_bytes} bytes can hold at most {most} when decompressed"
            ),
        })
    }

    fn at_first_voxel<'a>(
        &self,
        stream: Stream<'a>,
        start: u64,
        skip: Skip,
    ) -> Result<Box<dyn Read + 'a>, VolumeFileError> {
        let Stream {
            mut reader,
            stored_bytes,
            ..
        } = stream;
        let (lines, bytes) = match skip {
            Skip::Ahead { lines, bytes } => (lines, bytes),
            Skip::ToTail => (0, stored_bytes - start - self.expected_bytes()),
        };
        for _ in 0..lines {
            if !skip_line(&mut reader).map_err(|e| self.damaged(0, &e))? {
                return Err(self.truncated(0));
            }
        }
        let mut reader: Box<dyn Read + 'a> = match self.layout.encoding {
            Encoding::Deflate => inflated(reader).map_err(|e| self.damaged(0, &e))?,
            Encoding::Raw | Encoding::Text => reader,
        };
        io::copy(&mut (&mut reader).take(bytes), &mut io::sink())
            .map_err(|e| self.damaged(0, &e))?;
        Ok(reader)
    }

    fn binary<T: VoxelValue>(&self, reader: &mut dyn Read) -> Result<Vec<T>, VolumeFileError> {
        let total = self.layout.voxels() as usize;
        let mut voxels = Vec::new();
        let mut chunk = [0u8; CHUNK_BYTES];
        while voxels.len() < total {
            let left = (total - voxels.len()) * self.layout.element.bytes();
            let wanted = &mut chunk[..left.min(CHUNK_BYTES)];
            self.fill(reader, wanted, voxels.len())?;
            self.grow(&mut voxels, total)?;
            self.push_numbers(wanted, &mut voxels)?;
        }
        self.check_end(reader)?;
        Ok(voxels)
    }

    /// Fills `wanted` or says how far the data went.
    fn fill(
        &self,
        reader: &mut dyn Read,
        wanted: &mut [u8],
        voxels_before: usize,
    ) -> Result<(), VolumeFileError> {
        let mut filled = 0;
        while filled < wanted.len() {
            let before = (voxels_before * self.layout.element.bytes() + filled) as u64;
            match reader.read(&mut wanted[filled..]) {
                Ok(0) => return Err(self.truncated(before)),
                Ok(count) => filled += count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(self.truncated(before));
                }
                Err(e) => return Err(self.damaged(before, &e)),
            }
        }
        Ok(())
    }

    /// Makes room for one more chunk: first for as many numbers as the file is long, then by
    /// doubling, but never past the end. So memory follows the file, not the claim.
    fn grow<T>(&self, voxels: &mut Vec<T>, total: usize) -> Result<(), VolumeFileError> {
        let next = (voxels.len() + CHUNK_BYTES).min(total);
        if voxels.capacity() >= next {
            return Ok(());
        }
        let as_stored = self.stored_bytes as usize / self.layout.element.bytes();
        let capacity = (2 * voxels.capacity()).max(as_stored).clamp(next, total);
        voxels
            .try_reserve_exact(capacity - voxels.len())
            .map_err(|_| VolumeFileError::Unsupported {
                file: self.file.to_owned(),
                found: format!("the volume's {total} voxels do not fit into memory"),
                mend: "Crop or resample it".into(),
            })
    }

    fn push_numbers<T: VoxelValue>(
        &self,
        bytes: &[u8],
        voxels: &mut Vec<T>,
    ) -> Result<(), VolumeFileError> {
        macro_rules! push {
            ($number:ty) => {
                if self.layout.big_endian {
                    self.push(bytes, voxels, |b| <$number>::from_be_bytes(b) as f64)
                } else {
                    self.push(bytes, voxels, |b| <$number>::from_le_bytes(b) as f64)
                }
            };
        }
        match self.layout.element {
            Element::U8 => push!(u8),
            Element::I8 => push!(i8),
            Element::U16 => push!(u16),
            Element::I16 => push!(i16),
            Element::U32 => push!(u32),
            Element::I32 => push!(i32),
            Element::U64 => push!(u64),
            Element::I64 => push!(i64),
            Element::F32 => push!(f32),
            Element::F64 => push!(f64),
        }
    }

    fn push<T: VoxelValue, const N: usize>(
        &self,
        bytes: &[u8],
        voxels: &mut Vec<T>,
        number: impl Fn([u8; N]) -> f64,
    ) -> Result<(), VolumeFileError> {
        for &bytes in bytes.as_chunks::<N>().0 {
            let voxel = self.voxel(number(bytes), voxels.len())?;
            voxels.push(voxel);
        }
        Ok(())
    }

    #[inline]
    fn voxel<T: VoxelValue>(&self, stored: f64, index: usize) -> Result<T, VolumeFileError> {
        let value = stored * self.layout.slope + self.layout.intercept;
        T::from_stored(value).ok_or_else(|| self.bad_voxel(index, value.to_string(), T::WANT))
    }

    fn text<T: VoxelValue>(&self, reader: &mut dyn Read) -> Result<Vec<T>, VolumeFileError> {
        let total = self.layout.voxels() as usize;
        let mut words = Words::new(reader);
        let mut voxels = Vec::new();
        while voxels.len() < total {
            let word = words
                .next_word()
                .map_err(|e| self.damaged(voxels.len() as u64, &e))?;
            let Some(word) = word else {
                return Err(self.text_ends(voxels.len()));
            };
            let Ok(number) = word.parse::<f64>() else {
                return Err(self.bad_voxel(
                    voxels.len(),
                    format!("“{word}”"),
                    "which is no number. Correct or export the file again",
                ));
            };
            self.grow(&mut voxels, total)?;
            voxels.push(self.voxel(number, voxels.len())?);
        }
        Ok(voxels)
    }

    /// Reads past the last voxel, which makes a compressed stream check its checksum.
    fn check_end(&self, reader: &mut dyn Read) -> Result<(), VolumeFileError> {
        let past = io::copy(&mut reader.take(1), &mut io::sink());
        past.map(|_| ())
            .map_err(|e| self.damaged(self.expected_bytes(), &e))
    }

    fn truncated(&self, found_bytes: u64) -> VolumeFileError {
        VolumeFileError::Truncated {
            file: self.file.to_owned(),
            expected_bytes: self.expected_bytes(),
            found_bytes,
        }
    }
    fn damaged(&self, found_bytes: u64, error: &io::Error) -> VolumeFileError {
        if error.kind() == io::ErrorKind::UnexpectedEof && found_bytes < self.expected_bytes() {
            return self.truncated(found_bytes);
        }
        VolumeFileError::Damaged {
            file: self.file.to_owned(),
            expected_bytes: self.expected_bytes(),
            found_bytes,
            reason: error.to_string(),
        }
    }
    fn text_ends(&self, found: usize) -> VolumeFileError {
        VolumeFileError::Unsupported {
            file: self.file.to_owned(),
            found: format!(
                "the header promises {} numbers written as text, but only {found} are there: the file is cut off",
                self.layout.voxels()
            ),
            mend: "Copy or export it again".into(),
        }
    }
    fn bad_voxel(&self, index: usize, value: String, want: &'static str) -> VolumeFileError {
        let [ni, nj, _] = self.layout.dims.map(|size| size as usize);
        VolumeFileError::BadVoxel {
            file: self.file.to_owned(),
            voxel: [index % ni, index / ni % nj, index / ni / nj],
            value,
            want,
        }
    }
}

/// Skips to the next line; false if there is none.
fn skip_line(reader: &mut dyn BufRead) -> io::Result<bool> {
    loop {
        let available = reader.fill_buf()?;
        if available.is_empty() {
            return Ok(false);
        }
        let line_end = available.iter().position(|&b| b == b'\n');
        let used = line_end.map_or(available.len(), |at| at + 1);
        reader.consume(used);
        if line_end.is_some() {
            return Ok(true);
        }
    }
}

/// Numbers separated by white space or commas.
struct Words<'a> {
    bytes: io::Bytes<io::BufReader<&'a mut dyn Read>>,
    word: String,
}

/// No number needs more digits.
const LONGEST_WORD: usize = 400;

impl<'a> Words<'a> {
    fn new(reader: &'a mut dyn Read) -> Self {
        Self {
            bytes: io::BufReader::new(reader).bytes(),
            word: String::new(),
        }
    }
    fn next_word(&mut self) -> io::Result<Option<&str>> {
        self.word.clear();
        for byte in self.bytes.by_ref() {
            let byte = byte?;
            let separates = byte.is_ascii_whitespace() || byte == b',';
            if separates && self.word.is_empty() {
                continue;
            }
            if separates || self.word.len() >= LONGEST_WORD {
                break;
            }
            self.word.push(char::from(byte));
        }
        Ok((!self.word.is_empty()).then_some(self.word.as_str()))
    }
}
