//! Ultrasound probes.
//!
//! A probe is data: `assets/probes/*.ron`, built in, or another file of that form.

mod file;

use std::f64::consts::TAU;
use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

use anatomy::tissue::DisplayName;
use catalog::{CatalogError, Document, POSITIVE};

use crate::EquipmentError;

/// The probes that are built in: id and text.
const BUILTIN: [(&str, &str); 8] = [
    ("C5-2v", include_str!("../../../assets/probes/C5-2v.ron")),
    (
        "C5-2-60",
        include_str!("../../../assets/probes/C5-2-60.ron"),
    ),
    ("L11-5v", include_str!("../../../assets/probes/L11-5v.ron")),
    ("L12-3v", include_str!("../../../assets/probes/L12-3v.ron")),
    ("P4-2v", include_str!("../../../assets/probes/P4-2v.ron")),
    (
        "endocavity",
        include_str!("../../../assets/probes/endocavity.ron"),
    ),
    ("ice", include_str!("../../../assets/probes/ice.ron")),
    ("ivus", include_str!("../../../assets/probes/ivus.ron")),
];

/// Curved arrays on less than this radius, mm, are for cavities.
const CAVITY_RADIUS_MM: f64 = 20.0;

/// Phased arrays from this frequency, MHz, are on catheters.
const CATHETER_MHZ: f64 = 5.0;

/// An ultrasound probe, as in `assets/probes/*.ron`.
///
/// Its frame is [`geometry::frame::Probe`]: the origin in the middle of the face.
///
/// ```
/// use equipment::Probe;
///
/// let probe = Probe::named("C5-2/60")?;
/// assert_eq!(probe.elements(), 128);
/// assert_eq!(format!("{:.1}", probe.aperture_mm()), "60.2");
/// let wrong = Probe::named("L11-5").unwrap_err();
/// assert!(wrong.to_string().contains("did you mean `L11-5v`?"));
/// # Ok::<(), equipment::EquipmentError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// How files and commands call it: as its file says, or else the stem of the file's name.
    pub id: String,
    /// How people call it.
    pub name: DisplayName,
    /// Where its elements are.
    pub array: Array,
    /// Centre of the pulse-echo band, MHz.
    pub center_frequency_mhz: f64,
    /// Pulse-echo −6 dB bandwidth over the centre frequency.
    pub fractional_bandwidth: f64,
    /// Transmit frequencies that the console offers, MHz, ascending.
    pub frequencies_mhz: Vec<f64>,
    /// The lens across the scan plane.
    pub elevation: Elevation,
    /// What the skin touches.
    pub face: Face,
    /// Least and greatest depth that the console offers, mm.
    pub depth_range_mm: (f64, f64),
}

catalog::choice! {
    /// Where the elements of a probe are, and how its lines run from them.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Array {
        /// In a straight row; parallel lines.
        Linear {
            /// How many.
            elements: u32 [1..=1024],
            /// Distance of neighbours' middles.
            pitch_mm: f64 [0.01..=5.0],
            /// Width of one.
            element_width_mm: f64 [0.005..=5.0],
        },
        /// On an arc; lines along its radii.
        Curved {
            /// How many.
            elements: u32 [1..=1024],
            /// Distance of neighbours' middles along the arc.
            pitch_mm: f64 [0.01..=5.0],
            /// Width of one.
            element_width_mm: f64 [0.005..=5.0],
            /// Radius of the arc.
            radius_mm: f64 [1.0..=500.0],
        },
        /// In a straight row; lines fan out from its middle.
        Phased {
            /// How many.
            elements: u32 [1..=1024],
            /// Distance of neighbours' middles.
            pitch_mm: f64 [0.01..=5.0],
            /// Width of one.
            element_width_mm: f64 [0.005..=5.0],
            /// Whole opening of the fan.
            sector_deg: f64 [10.0..=120.0],
        },
        /// One round element that turns on a catheter; lines all round it.
        Rotational {
            /// Diameter of the element.
            element_mm: f64 [0.1..=10.0],
            /// Distance of its face from the axis.
            radius_mm: f64 [0.1..=20.0],
            /// Frames follow from it.
            revolutions_per_minute: f64 [60.0..=20000.0],
            /// How far from the face the ring-down of the element hides the image.
            ring_down_mm: f64 [0.0..=20.0] = 0.0,
        },
    }
}

catalog::record! {
    /// The aperture across the scan plane and its fixed focus.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Elevation {
        /// Height of the elements.
        pub aperture_mm: f64 [POSITIVE],
        /// Depth of the lens' focus, from the face.
        pub focus_mm: f64 [POSITIVE],
    }
}

catalog::record! {
    /// The front of a probe.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Face {
        /// Share of the pressure of a wave coming back from the body that the face throws into the
        /// body again: what reverberation lives from.
        pub reflectivity: f64 [0.0..=1.0],
        /// Thickness of the lens: in air the pulse rings in it.
        pub lens_mm: f64 [0.0..=5.0],
        /// Speed of sound in the lens.
        pub lens_speed_m_s: f64 [500.0..=4000.0] = 1000.0,
    }
}

impl Probe {
    /// The built-in probe of that name. `C5-2/60` is the same as `C5-2-60`, and so are capital and
    /// small letters.
    pub fn builtin(name: &str) -> Option<&'static Self> {
        let id = name.replace('/', "-");
        let is_it = |probe: &&Self| probe.id.eq_ignore_ascii_case(&id);
        Self::all_builtin().iter().find(is_it)
    }

    /// The built-in probe of that name.
    ///
    /// # Errors
    ///
    /// There is none; the error has the nearest name and those there are.
    pub fn named(name: &str) -> Result<&'static Self, EquipmentError> {
        Self::builtin(name)
            .ok_or_else(|| EquipmentError::unknown("probe", name, Self::builtin_names()))
    }

    /// The ids of the built-in probes.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> + Clone {
        BUILTIN.iter().map(|(id, _)| *id)
    }

    /// All built-in probes.
    pub fn all_builtin() -> &'static [Self] {
        static PROBES: OnceLock<Vec<Probe>> = OnceLock::new();
        PROBES.get_or_init(|| {
            let read = |(id, text): &(&str, &str)| Self::parse(text, &format!("{id}.ron"));
            let probes: Result<_, _> = BUILTIN.iter().map(read).collect();
            probes.expect("the built-in probes are read by a test")
        })
    }

    /// Reads a file of the form of `assets/probes/*.ron`. Where it gives no id, the stem of its name
    /// becomes the id.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or everything that is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EquipmentError> {
        Ok(Self::read(&Document::open(path, &file::FORMAT)?)?)
    }

    /// Reads a text of that form; `source` names it in faults, and its stem becomes the id of a
    /// probe that gives none.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(text: &str, source: &str) -> Result<Self, EquipmentError> {
        Ok(Self::read(&Document::parse(text, source, &file::FORMAT)?)?)
    }

    fn read(document: &Document) -> Result<Self, CatalogError> {
        let source = document.source();
        let stem = Path::new(source).file_stem();
        let id = stem.map_or(source.into(), |stem| stem.to_string_lossy());
        let text: file::ProbeText = document.resolve()?;
        Ok(text.resolved(id.into_owned()))
    }

    /// The text of a file that reads as this probe, whatever the file's name.
    ///
    /// # Errors
    ///
    /// A number is infinite or none.
    pub fn to_ron(&self) -> Result<String, catalog::WriteError> {
        catalog::to_ron(&file::ProbeText::of(self), &file::FORMAT)
    }

    /// Number of elements.
    pub fn elements(&self) -> u32 {
        match self.array {
            Array::Linear { elements, .. }
            | Array::Curved { elements, .. }
            | Array::Phased { elements, .. } => elements,
            Array::Rotational { .. } => 1,
        }
    }

    /// Distance of neighbouring elements' middles, mm; 0 where there is only one.
    pub fn pitch_mm(&self) -> f64 {
        match self.array {
            Array::Linear { pitch_mm, .. }
            | Array::Curved { pitch_mm, .. }
            | Array::Phased { pitch_mm, .. } => pitch_mm,
            Array::Rotational { .. } => 0.0,
        }
    }

    /// Width of one element across the scan, mm.
    pub fn element_width_mm(&self) -> f64 {
        match self.array {
            Array::Linear {
                element_width_mm, ..
            }
            | Array::Curved {
                element_width_mm, ..
            }
            | Array::Phased {
                element_width_mm, ..
            } => element_width_mm,
            Array::Rotational { element_mm, .. } => element_mm,
        }
    }

    /// Width of the whole aperture, elements times pitch, mm; along the arc of a curved array, the
    /// diameter of a single element.
    pub fn aperture_mm(&self) -> f64 {
        match self.array {
            Array::Rotational { element_mm, .. } => element_mm,
            _ => f64::from(self.elements()) * self.pitch_mm(),
        }
    }

    /// The whole angle over which its lines fan out, rad; 0 for parallel lines.
    pub fn opening_rad(&self) -> f64 {
        match self.array {
            Array::Linear { .. } => 0.0,
            Array::Curved { radius_mm, .. } => self.aperture_mm() / radius_mm,
            Array::Phased { sector_deg, .. } => sector_deg.to_radians(),
            Array::Rotational { .. } => TAU,
        }
    }

    /// Whether its lines are parallel, so that they can be steered together.
    pub fn is_linear(&self) -> bool {
        matches!(self.array, Array::Linear { .. })
    }

    /// Whether one element turns and its lines run all round.
    pub fn is_rotational(&self) -> bool {
        matches!(self.array, Array::Rotational { .. })
    }

    /// Whether it is made to image from within: a probe for cavities, or one on a catheter. As far as
    /// its array tells: on a tight curve, phased at a high frequency, or turning.
    pub fn is_inserted(&self) -> bool {
        match self.array {
            Array::Linear { .. } => false,
            Array::Curved { radius_mm, .. } => radius_mm < CAVITY_RADIUS_MM,
            Array::Phased { .. } => self.center_frequency_mhz >= CATHETER_MHZ,
            Array::Rotational { .. } => true,
        }
    }

    /// The wavelength at a frequency and speed of sound, mm.
    pub fn wavelength_mm(frequency_mhz: f64, speed_m_s: f64) -> f64 {
        speed_m_s / (frequency_mhz * 1000.0)
    }

    /// Between which frequencies, MHz, the pulse-echo response is down by less than `down_db` from
    /// its peak. Not below 0.
    ///
    /// The response is a generalised normal in frequency that is −6 dB at the ends of the band and
    /// near nothing (2^−126) at 0 (D. Garcia, SIMUS, Comput. Methods Programs Biomed. 218:106726,
    /// 2022).
    pub fn band_mhz(&self, down_db: f64) -> (f64, f64) {
        file::band_mhz(
            self.center_frequency_mhz,
            self.fractional_bandwidth,
            down_db,
        )
    }
}

/// Its English name.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name.en)
    }
}

#[cfg(test)]
mod tests;
