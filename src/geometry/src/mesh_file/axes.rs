//! Units and axes of mesh files, and the map they make.

use std::fmt;
use std::str::FromStr;

use nalgebra as na;
use thiserror::Error;

use crate::frame::{Affine, File, Patient};

/// A mesh file's unit of length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeshUnits {
    /// `mm`
    Millimetres,
    /// `cm`
    Centimetres,
    /// `m`
    Metres,
    /// `in`, 25.4 mm
    Inches,
}

/// A unit that is not one of the four.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("“{written}” is no unit of length for a mesh; write mm, cm, m or in")]
pub struct UnitsError {
    /// What was written.
    pub written: String,
}

impl MeshUnits {
    /// Millimetres in one unit.
    pub fn mm(self) -> f64 {
        match self {
            Self::Millimetres => 1.0,
            Self::Centimetres => 10.0,
            Self::Metres => 1000.0,
            Self::Inches => 25.4,
        }
    }
}

impl fmt::Display for MeshUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Millimetres => "mm",
            Self::Centimetres => "cm",
            Self::Metres => "m",
            Self::Inches => "in",
        })
    }
}

impl FromStr for MeshUnits {
    type Err = UnitsError;
    fn from_str(text: &str) -> Result<Self, UnitsError> {
        match text.trim().to_lowercase().as_str() {
            "mm" => Ok(Self::Millimetres),
            "cm" => Ok(Self::Centimetres),
            "m" => Ok(Self::Metres),
            "in" | "inch" => Ok(Self::Inches),
            _ => Err(UnitsError {
                written: text.into(),
            }),
        }
    }
}

/// Where the patient's left, posterior and superior directions lie in a mesh file.
///
/// Written either as what the file's axes point to, or as where the patient's axes are found:
///
/// | text | meaning |
/// |---|---|
/// | `LPS`, `RAS`, `RSA` … | the file's +x, +y, +z point to the patient's Left/Right, Anterior/Posterior, Superior/Inferior |
/// | `y,-z,-x` | the patient's (left, posterior, superior) is (y, −z, −x) of the file |
/// | `y-up` | as glTF has it: +x left, +y superior, +z anterior (the same as `x,-z,y`) |
///
/// A choice that mirrors (a left-handed set of axes) is allowed, because some programs write such
/// files; [`TriMesh::transformed`](crate::TriMesh::transformed) then turns the triangles so that
/// outside stays outside, but left and right of the body are exchanged against the file as drawn.
/// [`Axes::mirrors`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axes {
    /// For left, posterior, superior: the file axis (0 = x) and whether its negative is meant.
    lps: [(usize, bool); 3],
}

/// A text that describes no set of axes.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "“{written}” describes no axes: {fault}; write three letters such as LPS or RAS (where the \
     file's x, y and z point to), or the patient's left, posterior and superior in the file's axes, \
     such as “y,-z,-x”, or y-up"
)]
pub struct AxesError {
    /// What was written.
    pub written: String,
    /// What is wrong with it.
    pub fault: &'static str,
}

impl Axes {
    /// The patient's own axes.
    pub const LPS: Self = Self {
        lps: [(0, false), (1, false), (2, false)],
    };
    /// Right, anterior, superior, as neuroimaging and 3D Slicer's scene use.
    pub const RAS: Self = Self {
        lps: [(0, true), (1, true), (2, false)],
    };
    /// glTF: y up, and as body models use it, x to the left and z to the front.
    pub const Y_UP: Self = Self {
        lps: [(0, false), (2, true), (1, false)],
    };

    /// Reads one of the forms in the table above; capitals do not matter.
    ///
    /// # Errors
    /// [`AxesError`], which says what is wrong.
    pub fn parse(text: &str) -> Result<Self, AxesError> {
        let lower = text.trim().to_lowercase();
        let lps = match lower.as_str() {
            "y-up" | "gltf" => Ok(Self::Y_UP.lps),
            list if list.contains(',') => from_list(list),
            letters => from_letters(letters),
        };
        let fail = |fault| AxesError {
            written: text.into(),
            fault,
        };
        let lps = lps.map_err(fail)?;
        let mut used = lps.map(|(axis, _)| axis);
        used.sort_unstable();
        match used {
            [0, 1, 2] => Ok(Self { lps }),
            _ => Err(fail("an axis comes twice")),
        }
    }

    /// The axes as a matrix: patient LPS = matrix · file.
    fn matrix(self) -> na::Matrix3<f64> {
        let mut matrix = na::Matrix3::zeros();
        for (row, (axis, negative)) in self.lps.into_iter().enumerate() {
            matrix[(row, axis)] = if negative { -1.0 } else { 1.0 };
        }
        matrix
    }

    /// Whether the file's axes are left-handed, so that the map mirrors.
    pub fn mirrors(self) -> bool {
        self.matrix().determinant() < 0.0
    }
}

impl FromStr for Axes {
    type Err = AxesError;
    fn from_str(text: &str) -> Result<Self, AxesError> {
        Self::parse(text)
    }
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.lps.map(|(axis, negative)| {
            let sign = if negative { "-" } else { "" };
            format!("{sign}{}", ["x", "y", "z"][axis])
        });
        f.write_str(&words.join(","))
    }
}

/// "y,-z,-x".
fn from_list(text: &str) -> Result<[(usize, bool); 3], &'static str> {
    let axes: Vec<_> = text.split(',').map(signed_axis).collect::<Result<_, _>>()?;
    axes.try_into()
        .map_err(|_| "it does not name exactly three axes")
}

fn signed_axis(word: &str) -> Result<(usize, bool), &'static str> {
    let word = word.trim();
    let (negative, name) = match word.strip_prefix(['-', '−']) {
        Some(name) => (true, name),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    match name.trim() {
        "x" => Ok((0, negative)),
        "y" => Ok((1, negative)),
        "z" => Ok((2, negative)),
        _ => Err("an axis is not x, y or z with or without a minus"),
    }
}

/// "ras": the file's +x, +y, +z point right, anterior, superior.
fn from_letters(text: &str) -> Result<[(usize, bool); 3], &'static str> {
    if text.chars().count() != 3 {
        return Err("it is not three letters");
    }
    let mut lps = [None; 3];
    for (file_axis, letter) in text.chars().enumerate() {
        let (patient_axis, negative) = match letter {
            'l' => (0, false),
            'r' => (0, true),
            'p' => (1, false),
            'a' => (1, true),
            's' => (2, false),
            'i' => (2, true),
            _ => return Err("a letter is not one of L, R, A, P, S, I"),
        };
        lps[patient_axis] = Some((file_axis, negative));
    }
    match lps {
        [Some(left), Some(posterior), Some(superior)] => Ok([left, posterior, superior]),
        _ => Err("two letters lie on one axis of the body"),
    }
}

/// The map from a mesh file's coordinates to patient millimetres.
pub fn patient_from_file(units: MeshUnits, axes: Axes) -> Affine<Patient, File> {
    Affine::new(axes.matrix() * units.mm(), na::Vector3::zeros())
        .expect("a signed permutation times a positive factor is invertible")
}
