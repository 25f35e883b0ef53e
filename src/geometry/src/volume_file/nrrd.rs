//! NRRD headers, attached or detached.
//!
//! Fields and their meaning: "Definition of NRRD File Format", teem.sourceforge.net/nrrd/format.html.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use nalgebra as na;

use super::decode::Element;
use super::{
    DataPlace, Encoding, HeaderLines, HeaderPlace, Layout, Skip, TextFields, VolumeFileError,
    shortened,
};
use crate::frame::{Affine, Patient, Voxel};

const EXPORT_AGAIN: &str = "Export the volume again";

/// Whether the first bytes are NRRD's magic.
pub(super) fn recognises(prefix: &[u8]) -> bool {
    prefix.starts_with(b"NRRD000")
}

/// Reads the header; the stream then stands where attached data begin.
///
/// # Errors
/// Not a complete header, or one that describes no volume that can be read.
pub(super) fn layout(file: &Path, reader: &mut dyn BufRead) -> Result<Layout, VolumeFileError> {
    let place = HeaderPlace {
        file,
        format: "NRRD",
    };
    let mut lines = HeaderLines {
        place,
        reader,
        bytes: 0,
    };
    let values = read_fields(&mut lines)?;
    let header = Header {
        fields: TextFields { place, values },
        header_bytes: lines.bytes,
    };
    header.layout()
}

fn read_fields(lines: &mut HeaderLines) -> Result<BTreeMap<String, String>, VolumeFileError> {
    lines.next_line()?;
    let mut values = BTreeMap::new();
    while let Some(line) = lines.next_line()?.filter(|line| !line.is_empty()) {
        if line.starts_with('#') || line.contains(":=") {
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(lines.place.unsupported(
                format!(
                    "the NRRD header holds the line “{}”, which is no “field: value”",
                    shortened(&line)
                ),
                EXPORT_AGAIN,
            ));
        };
        values.insert(full_name(name.trim()), value.to_owned());
    }
    Ok(values)
}

/// The field's name in lower case, with the format's alternative spellings replaced.
fn full_name(name: &str) -> String {
    match name.to_lowercase().as_str() {
        "datafile" => "data file".into(),
        "lineskip" => "line skip".into(),
        "byteskip" => "byte skip".into(),
        other => other.into(),
    }
}

struct Header<'a> {
    fields: TextFields<'a>,
    header_bytes: u64,
}

/// One axis: how many samples, and the step from one to the next if the header gives one.
struct Axis {
    size: u64,
    step: Option<na::Vector3<f64>>,
}

impl Header<'_> {
    fn place(&self) -> HeaderPlace<'_> {
        self.fields.place
    }

    fn layout(&self) -> Result<Layout, VolumeFileError> {
        let (axes, source) = self.axes()?;
        let (dims, patient_from_voxel) = self.grid(&axes, source)?;
        let element = self.element()?;
        let encoding = self.encoding()?;
        Ok(Layout {
            dims,
            element,
            big_endian: self.big_endian(element, encoding)?,
            encoding,
            slope: 1.0,
            intercept: 0.0,
            patient_from_voxel,
            data: self.data(encoding)?,
        })
    }

    fn sizes(&self) -> Result<Vec<u64>, VolumeFileError> {
        let dimension: usize = self
            .fields
            .number("dimension")?
            .ok_or_else(|| self.place().missing("dimension", EXPORT_AGAIN))?;
        let sizes: Vec<u64> = self
            .fields
            .numbers("sizes")?
            .ok_or_else(|| self.place().missing("sizes", EXPORT_AGAIN))?;
        if sizes.len() != dimension {
            return Err(self.place().bad(
                "sizes",
                format!(
                    "holds {} numbers, but `dimension` is {dimension}",
                    sizes.len()
                ),
                EXPORT_AGAIN,
            ));
        }
        Ok(sizes)
    }

    /// The axes, and the field their steps come from.
    fn axes(&self) -> Result<(Vec<Axis>, &'static str), VolumeFileError> {
        let sizes = self.sizes()?;
        let (name, steps) = if let Some(text) = self.fields.get("space directions") {
            ("space directions", self.directions(text)?)
        } else if let Some(spacings) = self.fields.numbers("spacings")? {
            ("spacings", self.spacing_steps(&spacings)?)
        } else {
            return Err(self.place().missing(
                "space directions",
                "Without it (or `spacings`) the size of a voxel is unknown: export the volume with its spacing",
            ));
        };
        if steps.len() != sizes.len() {
            return Err(self.place().bad(
                name,
                format!("has {} entries for {} axes", steps.len(), sizes.len()),
                EXPORT_AGAIN,
            ));
        }
        let axes = sizes.into_iter().zip(steps);
        Ok((axes.map(|(size, step)| Axis { size, step }).collect(), name))
    }

    fn directions(&self, text: &str) -> Result<Vec<Option<na::Vector3<f64>>>, VolumeFileError> {
        vectors(text)
            .map(|vector| match vector {
                "none" => Ok(None),
                vector => self.vector("space directions", vector).map(Some),
            })
            .collect()
    }

    /// Steps along the patient axes in order; `nan` marks an axis that is not in space.
    fn spacing_steps(
        &self,
        spacings: &[f64],
    ) -> Result<Vec<Option<na::Vector3<f64>>>, VolumeFileError> {
        let spatial: Vec<f64> = spacings.iter().copied().filter(|s| !s.is_nan()).collect();
        self.fields.positive("spacings", &spatial)?;
        let mut world_axis = 0;
        Ok(spacings
            .iter()
            .map(|&spacing| {
                let mut step = na::Vector3::zeros();
                // A fourth axis of size 1 needs no direction.
                if world_axis < 3 {
                    step[world_axis] = spacing;
                }
                let in_space = !spacing.is_nan();
                world_axis += usize::from(in_space);
                in_space.then_some(step)
            })
            .collect())
    }

    /// "(x,y,z)".
    fn vector(&self, field: &str, text: &str) -> Result<na::Vector3<f64>, VolumeFileError> {
        let inside = text.strip_prefix('(').and_then(|t| t.strip_suffix(')'));
        let numbers: Option<Vec<f64>> = inside.and_then(|inside| {
            inside
                .split(',')
                .map(|word| word.trim().parse().ok())
                .collect()
        });
        match numbers.as_deref() {
            Some(&[x, y, z]) => {
                self.fields.finite(field, &[x, y, z])?;
                Ok(na::Vector3::new(x, y, z))
            }
            _ => Err(self.place().bad(
                field,
                format!("holds “{}” instead of a vector (x,y,z)", shortened(text)),
                "Correct the header or export the volume again",
            )),
        }
    }

    fn grid(
        &self,
        axes: &[Axis],
        source: &'static str,
    ) -> Result<([u64; 3], Affine<Patient, Voxel>), VolumeFileError> {
        if let Some(axis) = axes.iter().find(|a| a.step.is_none() && a.size != 1) {
            return Err(self.place().bad(
                "sizes",
                format!("has an axis of {} values that is not in space", axis.size),
                "Vectors, colours and overlapping segments are not read: export one value per voxel (a label map)",
            ));
        }
        let (sizes, steps): (Vec<u64>, Vec<na::Vector3<f64>>) = axes
            .iter()
            .filter_map(|axis| axis.step.map(|step| (axis.size, step)))
            .unzip();
        let dims = self.place().three_dims("sizes", &sizes)?;
        let linear = na::Matrix3::from_columns(&steps[..3]);
        let mm_lps = self.mm_lps()?;
        let affine = self
            .fields
            .affine(source, mm_lps * linear, mm_lps * self.origin()?)?;
        Ok((dims, affine))
    }

    fn origin(&self) -> Result<na::Vector3<f64>, VolumeFileError> {
        self.fields
            .get("space origin")
            .map_or(Ok(na::Vector3::zeros()), |text| {
                self.vector("space origin", text)
            })
    }

    /// LPS millimetres from the file's space and units.
    fn mm_lps(&self) -> Result<na::Matrix3<f64>, VolumeFileError> {
        let space = self.fields.get("space").map(str::to_lowercase);
        let signs = match space.as_deref() {
            None | Some("left-posterior-superior" | "lps") => [1.0, 1.0, 1.0],
            Some("right-anterior-superior" | "ras") => [-1.0, -1.0, 1.0],
            Some("left-anterior-superior" | "las") => [1.0, -1.0, 1.0],
            Some(other) => {
                return Err(self.place().bad(
                    "space",
                    format!(
                        "is “{}”, which does not say where the patient's left is",
                        shortened(other)
                    ),
                    "Write `space: left-posterior-superior` (or whichever is true)",
                ));
            }
        };
        let units = self.mm_per_unit()?;
        let scales = na::Vector3::from_fn(|axis, _| signs[axis] * units[axis]);
        Ok(na::Matrix3::from_diagonal(&scales))
    }

    fn mm_per_unit(&self) -> Result<[f64; 3], VolumeFileError> {
        let Some(text) = self.fields.get("space units") else {
            return Ok([1.0; 3]);
        };
        let units: Vec<&str> = text
            .split(|c: char| c == '"' || c.is_whitespace())
            .filter(|unit| !unit.is_empty())
            .collect();
        let factors: Option<Vec<f64>> = units.iter().map(|unit| mm_of_unit(unit)).collect();
        match factors.as_deref() {
            Some([]) => Ok([1.0; 3]),
            Some(&[x, y, z]) => Ok([x, y, z]),
            _ => Err(self.place().bad(
                "space units",
                format!("is {}, not three units of length", shortened(text)),
                "Write `space units: \"mm\" \"mm\" \"mm\"` if the spacing is in mm",
            )),
        }
    }

    fn element(&self) -> Result<Element, VolumeFileError> {
        let name = self.fields.need("type")?;
        element_named(name).ok_or_else(|| {
            self.place().bad(
                "type",
                format!("is “{}”", shortened(name)),
                "Export the volume with integers or floats",
            )
        })
    }

    fn encoding(&self) -> Result<Encoding, VolumeFileError> {
        let name = self.fields.need("encoding")?;
        match name.to_lowercase().as_str() {
            "raw" => Ok(Encoding::Raw),
            "gzip" | "gz" => Ok(Encoding::Deflate),
            "text" | "txt" | "ascii" => Ok(Encoding::Text),
            _ => Err(self.place().bad(
                "encoding",
                format!("is “{}”, which is not read", shortened(name)),
                "Export the volume with gzip or raw encoding",
            )),
        }
    }

    fn big_endian(&self, element: Element, encoding: Encoding) -> Result<bool, VolumeFileError> {
        let matters = element.bytes() > 1 && encoding != Encoding::Text;
        match self.fields.get("endian").map(str::to_lowercase).as_deref() {
            Some("little") => Ok(false),
            Some("big") => Ok(true),
            None if !matters => Ok(false),
            None => Err(self
                .place()
                .missing("endian", "Write `endian: little` (or big)")),
            Some(other) => Err(self.place().bad(
                "endian",
                format!("is “{}”", shortened(other)),
                "Write `endian: little` or `endian: big`",
            )),
        }
    }

    fn data(&self, encoding: Encoding) -> Result<DataPlace, VolumeFileError> {
        let skip = self.skip(encoding)?;
        let Some(name) = self.fields.get("data file") else {
            let start = self.header_bytes;
            return Ok(DataPlace::Here { start, skip });
        };
        if name.starts_with("LIST") || name.contains('%') {
            return Err(self.place().bad(
                "data file",
                "names a list of slice files",
                "Export the volume into one file",
            ));
        }
        Ok(DataPlace::Beside {
            file: self.fields.beside(name),
            skip,
        })
    }

    fn skip(&self, encoding: Encoding) -> Result<Skip, VolumeFileError> {
        let lines = self.fields.number("line skip")?.unwrap_or(0);
        let bytes: i64 = self.fields.number("byte skip")?.unwrap_or(0);
        match u64::try_from(bytes) {
            Ok(bytes) => Ok(Skip::Ahead { lines, bytes }),
            Err(_) if bytes == -1 && encoding == Encoding::Raw => Ok(Skip::ToTail),
            Err(_) => Err(self.place().bad(
                "byte skip",
                format!("is {bytes}; below 0 only −1 has a meaning, for raw data"),
                EXPORT_AGAIN,
            )),
        }
    }
}

/// Splits "(1,0,0) none (0, 1, 0)" at white space outside brackets.
fn vectors(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.split(move |c: char| {
        inside = match c {
            '(' => true,
            ')' => false,
            _ => inside,
        };
        c.is_whitespace() && !inside
    })
    .filter(|part| !part.is_empty())
}

fn mm_of_unit(unit: &str) -> Option<f64> {
    match unit {
        "mm" | "millimeter" | "millimetre" => Some(1.0),
        "cm" => Some(10.0),
        "m" | "meter" | "metre" => Some(1000.0),
        "um" | "µm" | "μm" | "micron" | "microns" => Some(0.001),
        _ => None,
    }
}

fn element_named(name: &str) -> Option<Element> {
    Some(match name.to_lowercase().as_str() {
        "signed char" | "int8" | "int8_t" => Element::I8,
        "uchar" | "unsigned char" | "uint8" | "uint8_t" => Element::U8,
        "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" => {
            Element::I16
        }
        "ushort" | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" => Element::U16,
        "int" | "signed int" | "int32" | "int32_t" => Element::I32,
        "uint" | "unsigned int" | "uint32" | "uint32_t" => Element::U32,
        "longlong"
        | "long long"
        | "long long int"
        | "signed long long"
        | "signed long long int"
        | "int64"
        | "int64_t" => Element::I64,
        "ulonglong" | "unsigned long long" | "unsigned long long int" | "uint64" | "uint64_t" => {
            Element::U64
        }
        "float" => Element::F32,
        "double" => Element::F64,
        _ => return None,
    })
}
