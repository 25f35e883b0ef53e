//! MetaImage headers (`.mha`, `.mhd`).
//!
//! Fields: ITK's MetaIO documentation (itk.org/Wiki/ITK/MetaIO/Documentation). Orientation as ITK's
//! reader takes it: world axes are LPS, `TransformMatrix` lists the direction of the first voxel
//! axis, then of the second and third. `AnatomicalOrientation` is not used, as in ITK.

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
/// Names a header may start with.
const FIRST_FIELDS: [&str; 10] = [
    "objecttype",
    "objectsubtype",
    "ndims",
    "comment",
    "name",
    "id",
    "binarydata",
    "modality",
    "dimsize",
    "transformmatrix",
];

/// Whether the first line is one of a MetaImage header.
pub(super) fn recognises(prefix: &[u8]) -> bool {
    let line = prefix.split(|&b| b == b'\n').next().unwrap_or_default();
    let name = line.split(|&b| b == b'=').next().unwrap_or_default();
    line.contains(&b'=')
        && FIRST_FIELDS
            .iter()
            .any(|field| name.trim_ascii().eq_ignore_ascii_case(field.as_bytes()))
}

/// Reads the header; the stream then stands where local data begin.
///
/// # Errors
/// Not a complete header, or one that describes no volume that can be read.
pub(super) fn layout(file: &Path, reader: &mut dyn BufRead) -> Result<Layout, VolumeFileError> {
    let place = HeaderPlace {
        file,
        format: "MetaImage",
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

/// Up to `ElementDataFile`, which is always the last.
fn read_fields(lines: &mut HeaderLines) -> Result<BTreeMap<String, String>, VolumeFileError> {
    let mut values = BTreeMap::new();
    while !values.contains_key("elementdatafile") {
        let Some(line) = lines.next_line()? else {
            return Err(lines.place.missing(
                "ElementDataFile",
                "It ends the header: the file may be cut off; copy or export it again",
            ));
        };
        if line.trim().is_empty() {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(lines.place.unsupported(
                format!(
                    "the MetaImage header holds the line “{}”, which is no “Field = value”",
                    shortened(&line)
                ),
                EXPORT_AGAIN,
            ));
        };
        values.insert(full_name(name.trim()), value.trim().to_owned());
    }
    Ok(values)
}

/// The field's name in lower case, with MetaIO's alternative names replaced.
fn full_name(name: &str) -> String {
    match name.to_lowercase().as_str() {
        "position" | "origin" => "offset".into(),
        "rotation" | "orientation" => "transformmatrix".into(),
        "binarydatabyteordermsb" => "elementbyteordermsb".into(),
        other => other.into(),
    }
}

struct Header<'a> {
    fields: TextFields<'a>,
    header_bytes: u64,
}

impl Header<'_> {
    fn place(&self) -> HeaderPlace<'_> {
        self.fields.place
    }

    fn layout(&self) -> Result<Layout, VolumeFileError> {
        self.check_kind()?;
        let sizes = self.sizes()?;
        let encoding = self.encoding()?;
        let [slope, intercept] = [
            ("ElementToIntensityFunctionSlope", 1.0),
            ("ElementToIntensityFunctionOffset", 0.0),
        ]
        .map(|(name, default)| self.scale(name, default));
        Ok(Layout {
            dims: self.place().three_dims("DimSize", &sizes)?,
            element: self.element()?,
            big_endian: self.flag("ElementByteOrderMSB")?,
            encoding,
            slope: slope?,
            intercept: intercept?,
            patient_from_voxel: self.patient_from_voxel(sizes.len())?,
            data: self.data(encoding)?,
        })
    }

    fn check_kind(&self) -> Result<(), VolumeFileError> {
        if let Some(kind) = self.fields.get("ObjectType")
            && !kind.eq_ignore_ascii_case("Image")
        {
            return Err(self.place().bad(
                "ObjectType",
                format!("is “{}”, not Image", shortened(kind)),
                "Hand over the image or label map",
            ));
        }
        match self.fields.number("ElementNumberOfChannels")? {
            None | Some(1u64) => Ok(()),
            Some(channels) => Err(self.place().bad(
                "ElementNumberOfChannels",
                format!("is {channels}: every voxel holds several values"),
                "Colour and vectors are not read: export one value per voxel",
            )),
        }
    }

    fn sizes(&self) -> Result<Vec<u64>, VolumeFileError> {
        let axes: usize = self
            .fields
            .number("NDims")?
            .ok_or_else(|| self.place().missing("NDims", EXPORT_AGAIN))?;
        let sizes = self
            .fields
            .numbers("DimSize")?
            .ok_or_else(|| self.place().missing("DimSize", EXPORT_AGAIN))?;
        self.check_count("DimSize", sizes.len(), axes)?;
        Ok(sizes)
    }

    fn check_count(&self, field: &str, count: usize, wanted: usize) -> Result<(), VolumeFileError> {
        if count == wanted {
            return Ok(());
        }
        Err(self.place().bad(
            field,
            format!("holds {count} numbers instead of {wanted}"),
            "Correct the header or export the volume again",
        ))
    }

    fn scale(&self, name: &str, default: f64) -> Result<f64, VolumeFileError> {
        let value = self.fields.number(name)?.unwrap_or(default);
        self.fields.finite(name, &[value])?;
        Ok(value)
    }

    fn patient_from_voxel(&self, axes: usize) -> Result<Affine<Patient, Voxel>, VolumeFileError> {
        let spacing = self.spacing(axes)?;
        let offset = match self.fields.numbers("Offset")? {
            Some(offset) => self.checked("Offset", offset, axes)?,
            None => vec![0.0; axes],
        };
        let directions = self.directions(axes)?;
        let steps = na::Vector3::from_column_slice(&spacing[..3]);
        self.fields.affine(
            "TransformMatrix",
            directions * na::Matrix3::from_diagonal(&steps),
            na::Vector3::from_column_slice(&offset[..3]),
        )
    }

    fn checked(
        &self,
        field: &str,
        numbers: Vec<f64>,
        wanted: usize,
    ) -> Result<Vec<f64>, VolumeFileError> {
        self.check_count(field, numbers.len(), wanted)?;
        self.fields.finite(field, &numbers)?;
        Ok(numbers)
    }

    fn spacing(&self, axes: usize) -> Result<Vec<f64>, VolumeFileError> {
        for name in ["ElementSpacing", "ElementSize"] {
            if let Some(spacing) = self.fields.numbers(name)? {
                let spacing = self.checked(name, spacing, axes)?;
                self.fields.positive(name, &spacing)?;
                return Ok(spacing);
            }
        }
        Err(self.place().missing(
            "ElementSpacing",
            "Without it the size of a voxel is unknown: write it, or export the volume again",
        ))
    }

    /// Columns are the directions of the voxel axes.
    fn directions(&self, axes: usize) -> Result<na::Matrix3<f64>, VolumeFileError> {
        let Some(entries) = self.fields.numbers("TransformMatrix")? else {
            return Ok(na::Matrix3::identity());
        };
        let entries = self.checked("TransformMatrix", entries, axes * axes)?;
        Ok(na::Matrix3::from_fn(|world, axis| {
            entries[axis * axes + world]
        }))
    }

    fn flag(&self, name: &str) -> Result<bool, VolumeFileError> {
        match self.fields.get(name).map(str::to_lowercase).as_deref() {
            None | Some("false" | "0" | "no") => Ok(false),
            Some("true" | "1" | "yes") => Ok(true),
            Some(other) => Err(self.place().bad(
                name,
                format!("is “{}”", shortened(other)),
                "Write True or False",
            )),
        }
    }

    fn encoding(&self) -> Result<Encoding, VolumeFileError> {
        let binary = self.fields.get("BinaryData").is_none() || self.flag("BinaryData")?;
        Ok(if self.flag("CompressedData")? {
            Encoding::Deflate
        } else if binary {
            Encoding::Raw
        } else {
            Encoding::Text
        })
    }

    fn element(&self) -> Result<Element, VolumeFileError> {
        let name = self.fields.need("ElementType")?;
        let element = match name.to_uppercase().as_str() {
            "MET_CHAR" => Element::I8,
            "MET_UCHAR" => Element::U8,
            "MET_SHORT" => Element::I16,
            "MET_USHORT" => Element::U16,
            // MetaIO writes its "long" with 4 bytes on every machine.
            "MET_INT" | "MET_LONG" => Element::I32,
            "MET_UINT" | "MET_ULONG" => Element::U32,
            "MET_LONG_LONG" => Element::I64,
            "MET_ULONG_LONG" => Element::U64,
            "MET_FLOAT" => Element::F32,
            "MET_DOUBLE" => Element::F64,
            _ => {
                return Err(self.place().bad(
                    "ElementType",
                    format!("is “{}”", shortened(name)),
                    "Export the volume with integers or floats",
                ));
            }
        };
        Ok(element)
    }

    fn data(&self, encoding: Encoding) -> Result<DataPlace, VolumeFileError> {
        let name = self.fields.need("ElementDataFile")?;
        let skip = self.skip(encoding)?;
        if name.eq_ignore_ascii_case("LOCAL") {
            let start = self.header_bytes;
            return Ok(DataPlace::Here { start, skip });
        }
        if name.starts_with("LIST") || name.contains('%') {
            return Err(self.place().bad(
                "ElementDataFile",
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
        let bytes: i64 = self.fields.number("HeaderSize")?.unwrap_or(0);
        match u64::try_from(bytes) {
            // MetaIO skips before it decompresses, which nobody uses.
            Ok(bytes) if bytes == 0 || encoding != Encoding::Deflate => {
                Ok(Skip::Ahead { lines: 0, bytes })
            }
            Ok(_) => Err(self.place().bad(
                "HeaderSize",
                format!("is {bytes}, together with compressed data"),
                "Export the volume again without extra header bytes",
            )),
            Err(_) if bytes == -1 && encoding == Encoding::Raw => Ok(Skip::ToTail),
            Err(_) => Err(self.place().bad(
                "HeaderSize",
                format!("is {bytes}; below 0 only −1 has a meaning, for raw data"),
                EXPORT_AGAIN,
            )),
        }
    }
}
