//! NIfTI-1 and NIfTI-2 headers.
//!
//! Fields and their meaning: nifti1.h (NIfTI-1.1, 2007) and nifti2.h (2011) of the NIfTI Data Format
//! Working Group. World axes are RAS+ there; they are turned to LPS here.

use std::path::{Path, PathBuf};

use nalgebra as na;
use nifti::{Endianness, NiftiHeader};

use super::decode::Element;
use super::{DataPlace, Encoding, HeaderPlace, Layout, MEND_AFFINE, Skip, VolumeFileError};
use crate::frame::{Affine, Patient, Voxel};

const NIFTI1_BYTES: usize = 348;
const NIFTI2_BYTES: usize = 540;
const EXPORT_AGAIN: &str = "Export the volume again";

/// Whether the first bytes are a NIfTI (or its forerunner's) header size, in either byte order.
pub(super) fn recognises(prefix: &[u8]) -> bool {
    header_size(prefix).is_some()
}

/// Header size and whether the file is big-endian.
fn header_size(prefix: &[u8]) -> Option<(usize, bool)> {
    let start = *prefix.first_chunk::<4>()?;
    [NIFTI1_BYTES, NIFTI2_BYTES]
        .into_iter()
        .find_map(|size| match size as u32 {
            n if u32::from_le_bytes(start) == n => Some((size, false)),
            n if u32::from_be_bytes(start) == n => Some((size, true)),
            _ => None,
        })
}

/// Whether a name is that of the voxel half of a pair.
pub(super) fn is_image_name(file: &Path) -> bool {
    let name = file.to_string_lossy().to_lowercase();
    name.ends_with(".img") || name.ends_with(".img.gz")
}

/// The other half of a pair, as it is or gzipped, if it exists.
pub(super) fn partner(file: &Path, extension: &str) -> Option<PathBuf> {
    let plain = file
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("gz"))
        .then(|| file.with_extension(""));
    let stem = plain.as_deref().unwrap_or(file).with_extension("");
    ["", ".gz"]
        .into_iter()
        .map(|gz| {
            let mut name = stem.clone().into_os_string();
            name.push(format!(".{extension}{gz}"));
            PathBuf::from(name)
        })
        .find(|candidate| candidate.is_file())
}

/// The fields used, from either version.
struct Fields {
    dim: [i64; 8],
    datatype: i16,
    pixdim: [f64; 8],
    vox_offset: f64,
    slope: f64,
    intercept: f64,
    units: u8,
    qform_code: i32,
    sform_code: i32,
    quatern: [f64; 3],
    qoffset: [f64; 3],
    srow: [[f64; 4]; 3],
    big_endian: bool,
    header_bytes: u64,
    /// Header and voxels in one file.
    single: bool,
}

/// What a header's first bytes say.
///
/// # Errors
/// Cut off, of an unknown kind, or with fields that make no sense.
pub(super) fn layout(file: &Path, prefix: &[u8]) -> Result<Layout, VolumeFileError> {
    let (size, big_endian) = header_size(prefix).unwrap_or((NIFTI1_BYTES, false));
    let place = HeaderPlace {
        file,
        format: if size == NIFTI1_BYTES {
            "NIfTI-1"
        } else {
            "NIfTI-2"
        },
    };
    let header = prefix.get(..size).ok_or_else(|| {
        place.unsupported(
            format!(
                "the {} header takes {size} bytes, but the file ends after {}: it is cut off",
                place.format,
                prefix.len()
            ),
            "Copy or export it again",
        )
    })?;
    let fields = if size == NIFTI1_BYTES {
        fields_1(place, header, big_endian)?
    } else {
        fields_2(place, header, big_endian)?
    };
    fields.layout(place)
}

fn fields_1(
    place: HeaderPlace,
    header: &[u8],
    big_endian: bool,
) -> Result<Fields, VolumeFileError> {
    let h = NiftiHeader::from_reader(header).map_err(|_| {
        place.bad(
            "magic",
            format!("is {:02x?} instead of “n+1” or “ni1”", &header[344..348]),
            "This may be an ANALYZE 7.5 file, whose orientation is not defined: export as NIfTI",
        )
    })?;
    if (h.endianness == Endianness::Big) != big_endian {
        return Err(place.bad(
            "dim[0]",
            format!("is {} and does not fit the file's byte order", h.dim[0]),
            EXPORT_AGAIN,
        ));
    }
    Ok(Fields {
        // The standard's type is i16; the crate reads u16.
        dim: h.dim.map(|size| i64::from(size as i16)),
        datatype: h.datatype,
        pixdim: h.pixdim.map(f64::from),
        vox_offset: h.vox_offset.into(),
        slope: h.scl_slope.into(),
        intercept: h.scl_inter.into(),
        units: h.xyzt_units,
        qform_code: h.qform_code.into(),
        sform_code: h.sform_code.into(),
        quatern: [h.quatern_b, h.quatern_c, h.quatern_d].map(f64::from),
        qoffset: [h.quatern_x, h.quatern_y, h.quatern_z].map(f64::from),
        srow: [h.srow_x, h.srow_y, h.srow_z].map(|row| row.map(f64::from)),
        big_endian,
        header_bytes: NIFTI1_BYTES as u64,
        single: &h.magic == nifti::header::MAGIC_CODE_NIP1,
    })
}

/// Numbers at fixed places of a NIfTI-2 header.
struct Bytes2<'a> {
    header: &'a [u8],
    big_endian: bool,
}

impl Bytes2<'_> {
    /// `N` bytes at `at`, least significant first. The header is known to be 540 bytes long.
    fn little<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.header[at..at + N]);
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }
    fn i16(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.little(at))
    }
    fn i32(&self, at: usize) -> i32 {
        i32::from_le_bytes(self.little(at))
    }
    fn i64(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.little(at))
    }
    fn f64(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.little(at))
    }
    fn f64s<const N: usize>(&self, at: usize) -> [f64; N] {
        std::array::from_fn(|i| self.f64(at + 8 * i))
    }
}

/// Byte offsets from nifti2.h.
fn fields_2(
    place: HeaderPlace,
    header: &[u8],
    big_endian: bool,
) -> Result<Fields, VolumeFileError> {
    let single = header[4..8] == *b"n+2\0";
    if !single && header[4..8] != *b"ni2\0" {
        return Err(place.bad(
            "magic",
            format!("is {:02x?} instead of “n+2” or “ni2”", &header[4..8]),
            EXPORT_AGAIN,
        ));
    }
    let b = Bytes2 { header, big_endian };
    Ok(Fields {
        dim: std::array::from_fn(|i| b.i64(16 + 8 * i)),
        datatype: b.i16(12),
        pixdim: b.f64s(104),
        vox_offset: b.i64(168) as f64,
        slope: b.f64(176),
        intercept: b.f64(184),
        units: b.i32(500) as u8,
        qform_code: b.i32(344),
        sform_code: b.i32(348),
        quatern: b.f64s(352),
        qoffset: b.f64s(376),
        srow: [b.f64s(400), b.f64s(432), b.f64s(464)],
        big_endian,
        header_bytes: NIFTI2_BYTES as u64,
        single,
    })
}

impl Fields {
    fn layout(&self, place: HeaderPlace) -> Result<Layout, VolumeFileError> {
        let (slope, intercept) = self.scaling(place)?;
        Ok(Layout {
            dims: self.dims(place)?,
            element: self.element(place)?,
            big_endian: self.big_endian,
            encoding: Encoding::Raw,
            slope,
            intercept,
            patient_from_voxel: self.patient_from_voxel(place)?,
            data: self.data(place)?,
        })
    }

    fn dims(&self, place: HeaderPlace) -> Result<[u64; 3], VolumeFileError> {
        let axes = usize::try_from(self.dim[0])
            .ok()
            .filter(|axes| (1..=7).contains(axes));
        let Some(axes) = axes else {
            return Err(place.bad(
                "dim[0]",
                format!("is {}, but a volume has 1 to 7 axes", self.dim[0]),
                EXPORT_AGAIN,
            ));
        };
        if let Some(axis) = (1..=axes).find(|&axis| self.dim[axis] < 1) {
            return Err(place.bad(
                format!("dim[{axis}]"),
                format!("is {}, but an axis has at least 1 voxel", self.dim[axis]),
                EXPORT_AGAIN,
            ));
        }
        let sizes: Vec<u64> = self.dim[1..=axes].iter().map(|&n| n as u64).collect();
        place.three_dims("dim", &sizes)
    }

    fn element(&self, place: HeaderPlace) -> Result<Element, VolumeFileError> {
        let refused = match self.datatype {
            2 => return Ok(Element::U8),
            4 => return Ok(Element::I16),
            8 => return Ok(Element::I32),
            16 => return Ok(Element::F32),
            64 => return Ok(Element::F64),
            256 => return Ok(Element::I8),
            512 => return Ok(Element::U16),
            768 => return Ok(Element::U32),
            1024 => return Ok(Element::I64),
            1280 => return Ok(Element::U64),
            1 => "single bits",
            32 | 1792 | 2048 => "complex numbers",
            128 | 2304 => "colours (RGB)",
            1536 => "128-bit numbers",
            _ => "an unknown type",
        };
        Err(place.bad(
            "datatype",
            format!("is {}, {refused}", self.datatype),
            "Export the volume with 8-, 16- or 32-bit integers or 32-bit floats",
        ))
    }

    /// A slope of 0, NaN or infinity means "no scaling", as nibabel reads it.
    fn scaling(&self, place: HeaderPlace) -> Result<(f64, f64), VolumeFileError> {
        if self.slope == 0.0 || !self.slope.is_finite() {
            return Ok((1.0, 0.0));
        }
        if !self.intercept.is_finite() {
            return Err(place.bad("scl_inter", format!("is {}", self.intercept), EXPORT_AGAIN));
        }
        Ok((self.slope, self.intercept))
    }

    fn data(&self, place: HeaderPlace) -> Result<DataPlace, VolumeFileError> {
        let bytes = self.data_offset(place)?;
        let skip = Skip::Ahead { lines: 0, bytes };
        if self.single {
            return Ok(DataPlace::Here { start: 0, skip });
        }
        let file = partner(place.file, "img").ok_or_else(|| {
            place.bad(
                "magic",
                "says that the voxels are in an .img file beside the header, but there is none",
                "Put the .img file with the same name into the same folder",
            )
        })?;
        Ok(DataPlace::Beside { file, skip })
    }

    fn data_offset(&self, place: HeaderPlace) -> Result<u64, VolumeFileError> {
        let least = if self.single { self.header_bytes } else { 0 };
        let offset = self.vox_offset;
        if offset == 0.0 && self.single {
            // Left empty by some writers: the header and 4 bytes for "no extensions".
            return Ok(self.header_bytes + 4);
        }
        if offset.fract() == 0.0 && offset >= least as f64 && offset < 1e15 {
            return Ok(offset as u64);
        }
        Err(place.bad(
            "vox_offset",
            format!(
                "is {offset}, but the voxels start at a whole number of at least {least} bytes"
            ),
            EXPORT_AGAIN,
        ))
    }

    fn patient_from_voxel(
        &self,
        place: HeaderPlace,
    ) -> Result<Affine<Patient, Voxel>, VolumeFileError> {
        let (ras_from_voxel, offset, fields) = if self.sform_code > 0 {
            self.sform(place)?
        } else if self.qform_code > 0 {
            self.qform(place)?
        } else {
            let spacing = na::Matrix3::from_diagonal(&self.spacing(place)?);
            (spacing, na::Vector3::zeros(), "pixdim")
        };
        let mm = self.mm_per_unit(place)?;
        let lps_from_ras = na::Matrix3::from_diagonal(&na::Vector3::new(-mm, -mm, mm));
        Affine::new(lps_from_ras * ras_from_voxel, lps_from_ras * offset).ok_or_else(|| {
            place.bad(
                fields,
                "describes a grid without volume (its matrix is singular)",
                MEND_AFFINE,
            )
        })
    }

    fn sform(&self, place: HeaderPlace) -> Result<Orientation, VolumeFileError> {
        for (row, name) in self.srow.iter().zip(["srow_x", "srow_y", "srow_z"]) {
            for (i, &value) in row.iter().enumerate() {
                finite(place, &format!("{name}[{i}]"), value)?;
            }
        }
        let linear = na::Matrix3::from_fn(|r, c| self.srow[r][c]);
        let offset = na::Vector3::from_fn(|r, _| self.srow[r][3]);
        Ok((linear, offset, "srow_x, srow_y, srow_z"))
    }

    /// "Method 2" of nifti1.h: a rotation from the quaternion (a, b, c, d) with a ≥ 0, columns
    /// stretched by the spacing, the third mirrored where pixdim[0] is negative.
    fn qform(&self, place: HeaderPlace) -> Result<Orientation, VolumeFileError> {
        let names = ["b", "c", "d"].map(|n| format!("quatern_{n}"));
        for (name, &value) in names.iter().zip(&self.quatern) {
            finite(place, name, value)?;
        }
        for (name, &value) in ["x", "y", "z"].iter().zip(&self.qoffset) {
            finite(place, &format!("qoffset_{name}"), value)?;
        }
        let rotation = self.rotation(place)?;
        let mut spacing = self.spacing(place)?;
        if self.pixdim[0] < 0.0 {
            spacing.z = -spacing.z;
        }
        let linear = rotation * na::Matrix3::from_diagonal(&spacing);
        Ok((
            linear,
            self.qoffset.into(),
            "quatern_b, quatern_c, quatern_d, pixdim",
        ))
    }

    fn rotation(&self, place: HeaderPlace) -> Result<na::Matrix3<f64>, VolumeFileError> {
        let [b, c, d] = self.quatern;
        let square = b * b + c * c + d * d;
        // Rounding to single precision may carry a half turn slightly past 1.
        if square > 1.0 + 1e-5 {
            return Err(place.bad(
                "quatern_b, quatern_c, quatern_d",
                format!("is no rotation: b² + c² + d² is {square}, more than 1"),
                MEND_AFFINE,
            ));
        }
        let a = (1.0 - square).max(0.0).sqrt();
        let unit = na::UnitQuaternion::from_quaternion(na::Quaternion::new(a, b, c, d));
        Ok(unit.to_rotation_matrix().into_inner())
    }

    fn spacing(&self, place: HeaderPlace) -> Result<na::Vector3<f64>, VolumeFileError> {
        for axis in 1..=3 {
            let spacing = self.pixdim[axis];
            finite(place, &format!("pixdim[{axis}]"), spacing)?;
            if spacing <= 0.0 {
                return Err(place.bad(
                    format!("pixdim[{axis}]"),
                    format!("is {spacing}, but the distance between voxels is more than 0"),
                    MEND_AFFINE,
                ));
            }
        }
        Ok(na::Vector3::new(
            self.pixdim[1],
            self.pixdim[2],
            self.pixdim[3],
        ))
    }

    /// The spatial part of `xyzt_units`; unknown counts as millimetres, as everywhere.
    fn mm_per_unit(&self, place: HeaderPlace) -> Result<f64, VolumeFileError> {
        match self.units & 7 {
            0 | 2 => Ok(1.0),
            1 => Ok(1000.0),
            3 => Ok(0.001),
            other => Err(place.bad(
                "xyzt_units",
                format!("holds the unknown unit of length {other}"),
                "Write 2 (millimetres) if the spacing is in mm",
            )),
        }
    }
}

/// Linear part, offset, and the fields they come from.
type Orientation = (na::Matrix3<f64>, na::Vector3<f64>, &'static str);

fn finite(place: HeaderPlace, field: &str, value: f64) -> Result<(), VolumeFileError> {
    if value.is_finite() {
        return Ok(());
    }
    Err(place.bad(field, format!("is {value}"), MEND_AFFINE))
}
