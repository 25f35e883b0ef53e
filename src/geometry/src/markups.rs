//! Curves drawn in 3D Slicer: `.mrk.json` files with control points and, from VMTK, radii.
//!
//! A file says itself whether its axes are LPS or RAS ([`CoordinateSystem`]); some are written with
//! that word although their scene is not a patient, so points are kept as they stand in the file and
//! turned by [`MarkupCurve::patient_points`] or by the caller's own
//! [`patient_from_file`](crate::mesh_file::patient_from_file).
//!
//! Layout: Slicer's markups schema v1.0.3. What is absent: planes, regions, angles and lone points;
//! display settings; the curve between control points.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use crate::frame::{Affine, File, Patient, Point};
use crate::mesh_file::{Axes, MeshUnits, patient_from_file};

/// Why a markup file cannot be read; each message names the file, the place in it and the mend.
#[derive(Debug, Error)]
pub enum MarkupError {
    /// The operating system refuses the file.
    #[error("{}: cannot be read: {source}. Check the spelling, the folder and the rights.", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Not JSON, or not JSON of a markup file.
    #[error("{}: {source}. Save the curve again from 3D Slicer.", file.display())]
    Json {
        /// The file.
        file: PathBuf,
        /// What is wrong and where.
        source: serde_json::Error,
    },
    /// Well-formed, but not a usable curve.
    #[error("{}, {place}: {found}. {mend}.", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Which markup, control point or measurement.
        place: String,
        /// What is there.
        found: String,
        /// What to do.
        mend: &'static str,
    },
}

/// What a file says its axes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoordinateSystem {
    /// +x left, +y posterior, +z superior: the patient frame.
    Lps,
    /// +x right, +y anterior, +z superior.
    Ras,
}

impl CoordinateSystem {
    /// The map to the patient, taking the file at its word.
    pub fn patient_from_file(self) -> Affine<Patient, File> {
        let axes = match self {
            Self::Lps => Axes::LPS,
            Self::Ras => Axes::RAS,
        };
        patient_from_file(MeshUnits::Millimetres, axes)
    }
}

/// One control point of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlPoint {
    /// Where it is, in the file's own axes, mm.
    pub place: Point<File>,
    /// Its label, perhaps empty.
    pub label: String,
    /// The vessel's radius there, mm, where the file has a radius measurement.
    pub radius_mm: Option<f64>,
}

/// A control point that has no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedPoint {
    /// Its number in the file, from 0.
    pub index: usize,
    /// Its `positionStatus`, such as “undefined”.
    pub status: String,
}

/// A curve through control points.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkupCurve {
    /// The file's stem (`LCCA` of `LCCA.mrk.json`); with a number if the file has several curves.
    pub name: String,
    /// Whether the last point joins the first.
    pub closed: bool,
    /// What the file says its axes are.
    pub declared: CoordinateSystem,
    /// The control points that have a place; at least two.
    pub points: Vec<ControlPoint>,
    /// Those that have none.
    pub skipped: Vec<SkippedPoint>,
}

impl MarkupCurve {
    /// The places in the patient, taking the file's word for its axes.
    pub fn patient_points(&self) -> Vec<Point<Patient>> {
        self.points_in(&self.declared.patient_from_file())
    }
    /// The places under the caller's own map, for files whose axes are not what they say.
    pub fn points_in<To>(&self, to_from_file: &Affine<To, File>) -> Vec<Point<To>> {
        self.points
            .iter()
            .map(|point| *to_from_file * point.place)
            .collect()
    }
    /// The radius at each control point, mm; `None` if the file has no radii.
    pub fn radii_mm(&self) -> Option<Vec<f64>> {
        self.points.iter().map(|point| point.radius_mm).collect()
    }
}

/// Largest file that is read, bytes: about a million control points.
const MAX_FILE_BYTES: u64 = 1 << 28;

/// Reads the open and closed curves of a markup file, in order.
///
/// # Errors
/// See [`MarkupError`]. A file without any curve is an error.
pub fn read_markups(path: &Path) -> Result<Vec<MarkupCurve>, MarkupError> {
    let io_error = |source| MarkupError::Io {
        file: path.to_owned(),
        source,
    };
    let meta = std::fs::metadata(path).map_err(io_error)?;
    if !meta.is_file() || meta.len() > MAX_FILE_BYTES {
        return Err(MarkupError::Malformed {
            file: path.to_owned(),
            place: "the whole".into(),
            found: format!("it is no file or larger than {MAX_FILE_BYTES} bytes"),
            mend: "Hand over a .mrk.json file with curves",
        });
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes))
        .map_err(io_error)?;
    read_markups_from_bytes(path, &bytes)
}

/// [`read_markups`] from memory; `name` stands for the file in messages and names the curves.
///
/// # Errors
/// As [`read_markups`].
pub fn read_markups_from_bytes(name: &Path, bytes: &[u8]) -> Result<Vec<MarkupCurve>, MarkupError> {
    let scene: SceneFile = serde_json::from_slice(bytes).map_err(|source| MarkupError::Json {
        file: name.to_owned(),
        source,
    })?;
    let curves = curves_of(&scene);
    if curves.is_empty() {
        return Err(no_curves(name, &scene));
    }
    let numbered = curves.len() > 1;
    curves
        .into_iter()
        .map(|(index, markup)| {
            let name_of_curve = match numbered {
                true => format!("{}-{}", stem(name), index + 1),
                false => stem(name),
            };
            Place { file: name, index }.curve(name_of_curve, markup)
        })
        .collect()
}

fn curves_of(scene: &SceneFile) -> Vec<(usize, &MarkupFile)> {
    let markups = scene.markups.iter().enumerate();
    markups
        .filter(|(_, m)| matches!(m.kind.as_str(), "Curve" | "ClosedCurve"))
        .collect()
}

fn no_curves(file: &Path, scene: &SceneFile) -> MarkupError {
    let kinds: Vec<String> = scene
        .markups
        .iter()
        .map(|m| shortened(&m.kind))
        .take(5)
        .collect();
    MarkupError::Malformed {
        file: file.to_owned(),
        place: "`markups`".into(),
        found: format!("it holds no curve, only {kinds:?}"),
        mend: "Hand over a file with markups of type Curve or ClosedCurve",
    }
}

/// `LCCA` of `folder/LCCA.mrk.json`.
fn stem(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let lower = name.to_lowercase();
    let ending = [".mrk.json", ".json"]
        .into_iter()
        .find(|end| lower.ends_with(end));
    // The endings are ASCII, so they are as long in the name itself, unless lower-casing changed the
    // length of what is before them; then the whole name stays.
    let stem = ending.and_then(|end| name.get(..name.len().checked_sub(end.len())?));
    stem.unwrap_or(&name).to_owned()
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[derive(Deserialize)]
struct SceneFile {
    markups: Vec<MarkupFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarkupFile {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    coordinate_system: Option<Word>,
    #[serde(default)]
    coordinate_units: Option<Word>,
    #[serde(default)]
    control_points: Vec<ControlPointFile>,
    #[serde(default)]
    measurements: Vec<MeasurementFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ControlPointFile {
    #[serde(default)]
    label: String,
    /// Three numbers, where the point is defined.
    #[serde(default)]
    position: Option<Vec<Option<f64>>>,
    #[serde(default)]
    position_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MeasurementFile {
    #[serde(default)]
    name: String,
    #[serde(default)]
    units: Option<Word>,
    #[serde(default)]
    control_point_values: Option<Vec<Option<f64>>>,
}

/// A word; a coded one ("mm", "UCUM", "millimeter") counts by its first; systems may be numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Plain(String),
    Coded(Vec<String>),
    Number(u64),
}

impl Word {
    fn text(&self) -> String {
        match self {
            Self::Plain(word) => word.trim().into(),
            Self::Coded(words) => words.first().cloned().unwrap_or_default(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The markup an error is about.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a Path,
    index: usize,
}

impl Place<'_> {
    fn bad(&self, place: &str, found: impl Into<String>, mend: &'static str) -> MarkupError {
        MarkupError::Malformed {
            file: self.file.to_owned(),
            place: format!("markup {}, {place}", self.index),
            found: found.into(),
            mend,
        }
    }

    fn curve(&self, name: String, markup: &MarkupFile) -> Result<MarkupCurve, MarkupError> {
        self.check_millimetres("`coordinateUnits`", markup.coordinate_units.as_ref())?;
        let declared = self.declared(markup)?;
        let radii = self.radii(markup)?;
        let mut curve = MarkupCurve {
            name,
            closed: markup.kind == "ClosedCurve",
            declared,
            points: Vec::new(),
            skipped: Vec::new(),
        };
        for (index, point) in markup.control_points.iter().enumerate() {
            match self.place_of(index, point)? {
                Some(place) => curve.points.push(ControlPoint {
                    place,
                    label: point.label.clone(),
                    radius_mm: self.radius(index, radii)?,
                }),
                None => curve.skipped.push(SkippedPoint {
                    index,
                    status: point.position_status.clone().unwrap_or_default(),
                }),
            }
        }
        self.check_length(&curve)?;
        Ok(curve)
    }

    fn declared(&self, markup: &MarkupFile) -> Result<CoordinateSystem, MarkupError> {
        let said = markup.coordinate_system.as_ref().map(Word::text);
        match said.as_deref() {
            Some("LPS" | "1") => Ok(CoordinateSystem::Lps),
            Some("RAS" | "0") => Ok(CoordinateSystem::Ras),
            said => Err(self.bad(
                "`coordinateSystem`",
                format!("it is {:?}", said.map(shortened)),
                "Write \"LPS\" or \"RAS\", whichever is true",
            )),
        }
    }

    fn check_millimetres(&self, place: &str, unit: Option<&Word>) -> Result<(), MarkupError> {
        match unit.map(Word::text).as_deref() {
            None | Some("" | "mm") => Ok(()),
            Some(other) => Err(self.bad(
                place,
                format!("it is “{}”", shortened(other)),
                "Save the curve in millimetres",
            )),
        }
    }

    /// The values of the radius measurement, one for every control point.
    fn radii<'m>(&self, markup: &'m MarkupFile) -> Result<Option<&'m [Option<f64>]>, MarkupError> {
        let radius = markup
            .measurements
            .iter()
            .find(|m| m.name.eq_ignore_ascii_case("radius"));
        let Some(values) = radius.and_then(|m| m.control_point_values.as_deref()) else {
            return Ok(None);
        };
        self.check_millimetres(
            "`units` of the radius",
            radius.and_then(|m| m.units.as_ref()),
        )?;
        if values.len() == markup.control_points.len() {
            return Ok(Some(values));
        }
        Err(self.bad(
            "measurement `Radius`",
            format!(
                "it has {} values for {} control points",
                values.len(),
                markup.control_points.len()
            ),
            "Compute the centreline and its radius again, then save",
        ))
    }

    fn radius(
        &self,
        index: usize,
        radii: Option<&[Option<f64>]>,
    ) -> Result<Option<f64>, MarkupError> {
        match radii.map(|radii| radii[index]) {
            None => Ok(None),
            Some(Some(radius)) if radius.is_finite() && radius > 0.0 => Ok(Some(radius)),
            Some(radius) => Err(self.bad(
                &format!("radius of control point {index}"),
                match radius {
                    Some(radius) => format!("it is {radius} mm"),
                    None => "it is null".into(),
                },
                "A radius is more than 0: correct it or delete the point",
            )),
        }
    }

    /// `None` for a point that says it has no place.
    fn place_of(
        &self,
        index: usize,
        point: &ControlPointFile,
    ) -> Result<Option<Point<File>>, MarkupError> {
        if point
            .position_status
            .as_deref()
            .is_some_and(|status| status != "defined")
        {
            return Ok(None);
        }
        match point.position.as_deref() {
            Some(&[Some(x), Some(y), Some(z)]) => Ok(Some(Point::new(x, y, z))),
            position => Err(self.bad(
                &format!("control point {index}"),
                format!(
                    "its position has {} numbers instead of 3",
                    position.map_or(0, |p| p.iter().flatten().count())
                ),
                "Delete the point or set it in 3D Slicer",
            )),
        }
    }

    fn check_length(&self, curve: &MarkupCurve) -> Result<(), MarkupError> {
        if curve.points.len() >= 2 {
            return Ok(());
        }
        Err(self.bad(
            "`controlPoints`",
            format!(
                "{} of its points have a place, but a curve needs two",
                curve.points.len()
            ),
            "Draw the curve again",
        ))
    }
}
