//! Point scatterers: what a patient holds beside tissue, each point by itself.
//!
//! Test phantoms have wires and beads at known places, and other programs hand over their scatterer
//! clouds as NumPy arrays. [`Scatterers`] holds them, [`read_scatterers`] reads them, and patient
//! files and recipes list them as [`ScattererEntry`]s. What is absent: the speckle of tissue, which
//! the imaging engine makes from the tissue table.

mod header;
mod read;
mod write;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use catalog::{NotEmpty, POSITIVE};
use geometry::mesh_file::MeshUnits;
use thiserror::Error;

pub use read::{read_scatterers, read_scatterers_bytes};
pub(crate) use write::write_npy;

/// Scattering length of a point of amplitude 1, mm.
pub const UNIT_SCATTERING_LENGTH_MM: f64 = 0.1;

/// Points that scatter sound.
///
/// An amplitude is a scattering length in units of [`UNIT_SCATTERING_LENGTH_MM`]: a point of
/// amplitude a in a plane wave of pressure p sends back the spherical wave p·b/r, b = 0.1 mm · a,
/// at any frequency; its differential backscatter cross section is b². A rigid ball much larger
/// than the wavelength has b = half its radius, so 1 is a ball of 0.2 mm radius: about what the
/// beads and thin nylon wires of test phantoms give. Amplitudes are linear; a negative one turns
/// the wave over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scatterers {
    /// Where: x, y, z in the patient frame (LPS), mm.
    pub places_mm: Vec<[f32; 3]>,
    /// How strong, as many as places.
    pub amplitudes: Vec<f32>,
}

impl Scatterers {
    /// How many points there are.
    pub fn len(&self) -> usize {
        self.places_mm.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places_mm.is_empty()
    }

    /// Adds a point.
    pub fn push(&mut self, place_mm: [f32; 3], amplitude: f32) {
        self.places_mm.push(place_mm);
        self.amplitudes.push(amplitude);
    }

    /// Adds the points of another.
    pub fn append(&mut self, mut other: Self) {
        self.places_mm.append(&mut other.places_mm);
        self.amplitudes.append(&mut other.amplitudes);
    }

    /// The points with their amplitudes, in order.
    pub fn iter(&self) -> impl Iterator<Item = ([f32; 3], f32)> + '_ {
        let amplitudes = self.amplitudes.iter().copied();
        self.places_mm.iter().copied().zip(amplitudes)
    }
}

/// What reading may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScattererLimits {
    /// Points in one file, and in one patient.
    pub max_points: u64,
    /// Bytes of one file, packed and unpacked.
    pub max_bytes: u64,
}

impl Default for ScattererLimits {
    fn default() -> Self {
        Self {
            max_points: 50_000_000,
            max_bytes: 2 << 30,
        }
    }
}

/// Why scatterers cannot be read or used.
#[derive(Debug, Error)]
pub enum ScattererError {
    /// The disk says no.
    #[error("{}: {source}", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Neither a `.npy` nor a `.npz` file.
    #[error("{}: it is neither a .npy nor a .npz file: it begins with {found}; write it with numpy.save or numpy.savez", .file.display())]
    NotNumpy {
        /// The file.
        file: PathBuf,
        /// Its first bytes.
        found: String,
    },
    /// The archive is damaged.
    #[error("{}: the .npz archive cannot be read: {why}; write it again with numpy.savez", .file.display())]
    Archive {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The archive holds other arrays than are needed.
    #[error("{}: {problem}; it holds {found}; expected `x`, `y`, `z` and `amplitude`, or `positions` (N × 3) and `amplitude`, or `scatterers` (N × 4: x, y, z, amplitude)", .file.display())]
    Arrays {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problem: String,
        /// The names there are.
        found: String,
    },
    /// An array is damaged.
    #[error("{at}: {why}; write the file again with numpy")]
    Damaged {
        /// The array.
        at: ArrayPlace,
        /// What is wrong.
        why: String,
    },
    /// An array of another number type.
    #[error(
        "{at}: the numbers are of type {found}; expected float32 or float64; convert them with array.astype('float32')"
    )]
    Type {
        /// The array.
        at: ArrayPlace,
        /// The NumPy type.
        found: String,
    },
    /// An array of another shape.
    #[error("{at}: the shape is {found}; expected {expected}{mend}")]
    Shape {
        /// The array.
        at: ArrayPlace,
        /// The shape.
        found: String,
        /// What it should be.
        expected: String,
        /// What to do, if that is known.
        mend: &'static str,
    },
    /// A coordinate or an amplitude that is no number.
    #[error(
        "{at}: row {row} (counted from 0) has {column} = {value}, which is no finite 32-bit number; remove the row or mend it"
    )]
    NotFinite {
        /// Where the points come from.
        at: ArrayPlace,
        /// The row.
        row: u64,
        /// Which of the row's numbers.
        column: &'static str,
        /// The number.
        value: f64,
    },
    /// More points than the limit.
    #[error(
        "{at}: {points} points are more than the limit of {limit}; leave some out, or split what is imaged"
    )]
    TooMany {
        /// Where the points come from.
        at: ArrayPlace,
        /// How many.
        points: u64,
        /// The limit.
        limit: u64,
    },
    /// More bytes than the limit.
    #[error(
        "{at}: {bytes} bytes are more than the limit of {limit}; leave some points out, or save them as float32"
    )]
    TooLarge {
        /// The file or array.
        at: ArrayPlace,
        /// How many.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Places and amplitudes that do not pair up.
    #[error("there are {places} places of scatterers but {amplitudes} amplitudes")]
    Unpaired {
        /// How many places.
        places: usize,
        /// How many amplitudes.
        amplitudes: usize,
    },
    /// A file is referred to from where none can be found.
    #[error(
        "the scatterer file {path:?} is referred to from a text that lies in no folder; write the points into it"
    )]
    NoFolder {
        /// The path.
        path: String,
    },
}

/// A file, or one array of it, in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayPlace {
    /// The file, or what else the points come from.
    pub file: PathBuf,
    /// The array's name in an archive.
    pub array: Option<String>,
}

impl ArrayPlace {
    /// A whole file.
    pub(crate) fn file(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            array: None,
        }
    }
}

impl fmt::Display for ArrayPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match &self.array {
            Some(array) => write!(f, ", array `{array}`"),
            None => Ok(()),
        }
    }
}

/// x, y, z in the patient frame, mm.
type Place = [f64; 3];

catalog::choice! {
    /// Unit of the coordinates in a file.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Unit {
        /// mm.
        Millimetres,
        /// cm.
        Centimetres,
        /// m, as Field II and PyMUST count.
        Metres,
    }
}

impl From<Unit> for MeshUnits {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Millimetres => Self::Millimetres,
            Unit::Centimetres => Self::Centimetres,
            Unit::Metres => Self::Metres,
        }
    }
}

catalog::choice! {
    /// Scatterers as patient files and recipes list them: places in patient millimetres (LPS),
    /// amplitudes as [`Scatterers`] explains.
    #[derive(Clone, Debug, PartialEq)]
    pub enum ScattererEntry {
        /// x, y, z and amplitude of each.
        Points(Vec<(f64, f64, f64, f64)>),
        /// A row of points. The first lies at `from`; the last one before or at `to`.
        Wire {
            /// One end.
            from: Place,
            /// The other end.
            to: Place,
            /// Distance of neighbours.
            spacing_mm: f64 [POSITIVE],
            /// Amplitude of each.
            amplitude: f64 = 1.0,
        },
        /// Points on a lattice along the axes.
        Grid {
            /// The first point.
            from: Place,
            /// Distance of neighbours along x, y, z; may be negative.
            step_mm: Place,
            /// How many along x, y, z.
            count: [u32; 3],
            /// Amplitude of each.
            amplitude: f64 = 1.0,
        },
        /// A `.npy` or `.npz` file, see [`read_scatterers`].
        File {
            /// Its path from the folder of the file that names it.
            path: String [NotEmpty],
            /// Unit of its coordinates.
            unit: Unit = Unit::Millimetres,
        },
    }
}

/// All points of a list of entries. Paths start at `folder`; `None` where there is none, and
/// `source` names the list in errors.
///
/// # Errors
/// A file cannot be read, a number is too large for 32 bits, or there are too many points.
pub fn gather(
    entries: &[ScattererEntry],
    folder: Option<&Path>,
    source: &Path,
    limits: &ScattererLimits,
) -> Result<Scatterers, ScattererError> {
    let mut all = Scatterers::default();
    let mut list = List {
        all: &mut all,
        at: ArrayPlace::file(source),
        limits,
    };
    for entry in entries {
        list.add(entry, folder)?;
    }
    Ok(all)
}

struct List<'a> {
    all: &'a mut Scatterers,
    at: ArrayPlace,
    limits: &'a ScattererLimits,
}

impl List<'_> {
    fn add(&mut self, entry: &ScattererEntry, folder: Option<&Path>) -> Result<(), ScattererError> {
        match entry {
            ScattererEntry::Points(points) => {
                self.make_room(points.len() as f64)?;
                points
                    .iter()
                    .try_for_each(|&(x, y, z, amplitude)| self.push([x, y, z], amplitude))
            }
            ScattererEntry::Wire {
                from,
                to,
                spacing_mm,
                amplitude,
            } => self.wire(*from, *to, *spacing_mm, *amplitude),
            ScattererEntry::Grid {
                from,
                step_mm,
                count,
                amplitude,
            } => self.grid(*from, *step_mm, *count, *amplitude),
            ScattererEntry::File { path, unit } => {
                let folder =
                    folder.ok_or_else(|| ScattererError::NoFolder { path: path.clone() })?;
                let read = read_scatterers(&folder.join(path), (*unit).into(), self.limits)?;
                self.make_room(read.len() as f64)?;
                self.all.append(read);
                Ok(())
            }
        }
    }

    fn wire(
        &mut self,
        from: Place,
        to: Place,
        spacing: f64,
        amplitude: f64,
    ) -> Result<(), ScattererError> {
        /// Share of a spacing that a length may miss by rounding and still hold its last point.
        const ROUNDING: f64 = 1e-6;
        let along = [0, 1, 2].map(|i| to[i] - from[i]);
        let length = (along[0] * along[0] + along[1] * along[1] + along[2] * along[2]).sqrt();
        let steps = (length / spacing + ROUNDING).floor();
        self.make_room(steps + 1.0)?;
        let step = |i: usize| {
            if length > 0.0 {
                along[i] / length * spacing
            } else {
                0.0
            }
        };
        let step = [0, 1, 2].map(step);
        (0..=steps as u64)
            .try_for_each(|n| self.push([0, 1, 2].map(|i| from[i] + step[i] * n as f64), amplitude))
    }

    fn grid(
        &mut self,
        from: Place,
        step: Place,
        count: [u32; 3],
        amplitude: f64,
    ) -> Result<(), ScattererError> {
        self.make_room(count.iter().map(|&n| f64::from(n)).product())?;
        for k in 0..count[2] {
            for j in 0..count[1] {
                for i in 0..count[0] {
                    let n = [i, j, k].map(f64::from);
                    self.push([0, 1, 2].map(|a| from[a] + step[a] * n[a]), amplitude)?;
                }
            }
        }
        Ok(())
    }

    /// Refuses what would exceed the limit before anything is stored.
    fn make_room(&self, more: f64) -> Result<(), ScattererError> {
        let points = self.all.len() as f64 + more;
        // Not a number where an entry's numbers overflow.
        if points <= self.limits.max_points as f64 {
            return Ok(());
        }
        Err(ScattererError::TooMany {
            at: self.at.clone(),
            points: points as u64,
            limit: self.limits.max_points,
        })
    }

    fn push(&mut self, place: Place, amplitude: f64) -> Result<(), ScattererError> {
        let [x, y, z] = place;
        let row = self.all.len() as u64;
        let narrow = |column: usize, value: f64| {
            finite(value).ok_or_else(|| ScattererError::NotFinite {
                at: self.at.clone(),
                row,
                column: COLUMNS[column],
                value,
            })
        };
        let place = [narrow(0, x)?, narrow(1, y)?, narrow(2, z)?];
        let amplitude = narrow(3, amplitude)?;
        self.all.push(place, amplitude);
        Ok(())
    }
}

/// What the columns of a list of scatterers hold.
const COLUMNS: [&str; 4] = ["x", "y", "z", "amplitude"];

/// The number in 32 bits, if it stays finite.
fn finite(value: f64) -> Option<f32> {
    let narrow = value as f32;
    narrow.is_finite().then_some(narrow)
}

#[cfg(test)]
mod tests;
