//! The knobs of an ultrasound machine.
//!
//! Settings are data: a file `Settings(version: 1, depth_mm: 120, …)` in which any knob may be left
//! out; `preset: "abdomen"` in it starts from a preset. What can be said of the knobs alone is checked when a file is read, what needs the probe by
//! [`Console::fit`].

mod check;
mod fit;
mod knobs;
mod start;
mod turn;

use std::path::Path;

use catalog::{
    CatalogError, Document, Faults, Format, FromNode, Kind, Node, POSITIVE, Span, WriteError,
};

use crate::{EquipmentError, Probe};
pub use fit::{Extent, Misfit};
pub use knobs::{Knob, KnobChoice};

/// `Settings(version: 1, …)`; a file has some hundred bytes.
const FORMAT: Format = Format::new("Settings", 1).with_max_bytes(1 << 20);

catalog::record! {
    /// What an ultrasound machine is set to, as in a settings file.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Console {
        /// Depth of the image from the probe's face.
        pub depth_mm: f64 [2.0..=400.0] = 160.0,
        /// Transmit frequency; the probe's centre frequency if none is given.
        pub frequency_mhz: Option<f64> [0.5..=80.0] = None,
        /// Cycles of the transmitted pulse.
        pub cycles: f64 [0.5..=16.0] = 1.0,
        /// How lines are transmitted.
        pub transmit: Transmit = Transmit::Focused { foci_mm: vec![60.0], f_number: Some(3.0) },
        /// Receive focus is dynamic; depth over aperture, or the whole aperture if none is given.
        pub receive_f_number: Option<f64> [0.3..=20.0] = Some(2.0),
        /// Weights across the receiving aperture.
        pub apodization: Apodization = Apodization::Uniform,
        /// Weights across the transmitting aperture.
        pub transmit_apodization: Apodization = Apodization::Uniform,
        /// Scan lines of a frame.
        pub lines: u32 [8..=1024] = 128,
        /// Samples along a line.
        pub samples: u32 [64..=8192] = 1024,
        /// Width of the image: share of the probe's whole width or opening that is scanned.
        pub width: f64 [0.05..=1.0] = 1.0,
        /// Where the scanned share lies: 0 in the middle, −1 and 1 at the ends.
        pub center: f64 [-1.0..=1.0] = 0.0,
        /// Angle of all lines of a linear probe.
        pub steering_deg: f64 [-30.0..=30.0] = 0.0,
        /// Further looks, at these angles, that spatial compounding averages with the straight one.
        pub compounding_deg: Vec<f64> = Vec::new(),

        /// Overall gain.
        pub gain_db: f64 [-60.0..=60.0] = 0.0,
        /// Eight sliders of time gain compensation from the face to the full depth.
        pub tgc_db: Vec<f64> = vec![0.0; 8],
        /// Attenuation that the machine makes good by itself, dB/cm/MHz, one way.
        pub compensation_db_cm_mhz: f64 [0.0..=2.0] = 0.5,
        /// Range of echoes between black and white.
        pub dynamic_range_db: f64 [20.0..=120.0] = 60.0,
        /// Grey levels below this share of white become black.
        pub reject: f64 [0.0..=0.9] = 0.0,
        /// From log-compressed echoes to grey.
        pub gray_map: GrayMap = GrayMap::Linear,
        /// Share of the last picture that stays in the next one, per tick.
        pub persistence: f64 [0.0..=0.95] = 0.0,
        /// The part of the image that fills the screen.
        pub zoom: Option<Zoom> = None,
        /// Left and right changed.
        pub flip_lateral: bool = false,
        /// Top and bottom changed.
        pub flip_axial: bool = false,
        /// Which effects are on.
        pub effects: Effects = Effects::default(),
    }
    check check::require_sound
}

catalog::choice! {
    /// How sound is sent into the body.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Transmit {
        /// One focused beam a line and focus.
        Focused {
            /// Depths of the foci; of several each serves the depths nearest to it.
            foci_mm: Vec<f64>,
            /// Depth over aperture; the whole aperture if none is given.
            f_number: Option<f64> [0.3..=20.0] = None,
        },
        /// Plane waves over the whole aperture, added coherently.
        PlaneWaves {
            /// Their angles to the axis.
            angles_deg: Vec<f64>,
        },
        /// Waves from points behind the aperture, added coherently.
        DivergingWaves {
            /// Distance of the points behind the face.
            behind_mm: f64 [POSITIVE],
            /// Directions of the points, seen from the face's middle.
            angles_deg: Vec<f64>,
        },
    }
}

catalog::choice! {
    /// Weights across an aperture.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Apodization {
        /// All one.
        Uniform,
        /// Raised cosine, 0 at the ends.
        Hann,
        /// Raised cosine on a pedestal of 0.08.
        Hamming,
        /// Flat in the middle, cosine flanks.
        Tukey {
            /// Share of the aperture that the flanks take.
            taper: f64 [0.0..=1.0],
        },
    }
}

catalog::choice! {
    /// From log-compressed echoes to grey.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum GrayMap {
        /// Even steps.
        Linear,
        /// Dark and light held back, more contrast between.
        Contrast,
        /// Weak echoes lifted.
        Soft,
    }
}

catalog::record! {
    /// A part of the image that fills the screen.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Zoom {
        /// Its middle: across the scan (probe x) and depth (probe z), mm.
        pub center_mm: (f64, f64),
        /// Its height.
        pub height_mm: f64 [POSITIVE],
    }
}

catalog::record! {
    /// Which effects of sound in tissue are simulated. All of them, unless a test or a lesson wants
    /// less.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Effects {
        /// Beams bend where the speed of sound changes.
        pub refraction: bool = true,
        /// The local speed of sound sets arrival times.
        pub local_sound_speed: bool = true,
        /// Reverberation, mirror images, comet tails, ring-down.
        pub secondary_paths: bool = true,
        /// Fat and muscle spoil the focus.
        pub aberration: bool = true,
        /// Fat and muscle add haze.
        pub clutter: bool = true,
        /// Electronic noise.
        pub noise: bool = true,
        /// Blood moves between ticks.
        pub flow: bool = true,
        /// Speckle from tissue.
        pub speckle: bool = true,
    }
}

impl Default for Effects {
    fn default() -> Self {
        Self {
            refraction: true,
            local_sound_speed: true,
            secondary_paths: true,
            aberration: true,
            clutter: true,
            noise: true,
            flow: true,
            speckle: true,
        }
    }
}

/// What a settings file says that says nothing.
impl Default for Console {
    fn default() -> Self {
        let nothing = Node::record(None, Vec::new());
        Self::from_node(&nothing, &mut Faults::default()).expect("every knob has a default")
    }
}

impl Console {
    /// Reads a settings file. With `preset: "abdomen"` in it, what it leaves out is as in that
    /// preset; of `effects`, each one that it leaves out.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or everything that is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EquipmentError> {
        Ok(Self::read(&Document::open(path, &FORMAT)?)?.0)
    }

    /// As [`Console::open`] for settings that a probe has to [fit](Console::fit): what it cannot do
    /// is told with its place in the file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or everything that is wrong with it; then
    /// [`EquipmentError::UnfitFile`] with everything that does not fit.
    pub fn open_for(path: impl AsRef<Path>, probe: &Probe) -> Result<Self, EquipmentError> {
        Self::read_for(&Document::open(path, &FORMAT)?, probe)
    }

    /// Reads the text of a settings file; `source` names it in faults.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(text: &str, source: &str) -> Result<Self, EquipmentError> {
        Ok(Self::read(&Document::parse(text, source, &FORMAT)?)?.0)
    }

    /// As [`Console::open_for`] from the text of a settings file; `source` names it in faults.
    ///
    /// # Errors
    ///
    /// As [`Console::open_for`].
    pub fn parse_for(text: &str, source: &str, probe: &Probe) -> Result<Self, EquipmentError> {
        Self::read_for(&Document::parse(text, source, &FORMAT)?, probe)
    }

    fn read_for(document: &Document, probe: &Probe) -> Result<Self, EquipmentError> {
        let (console, filled) = Self::read(document)?;
        let misfits = console.misfits(probe);
        if misfits.is_empty() {
            return Ok(console);
        }
        let mut faults = Faults::default();
        for misfit in &misfits {
            faults.push(misfit.finding(document.root(), &filled));
        }
        Err(EquipmentError::UnfitFile {
            probe: probe.id.clone(),
            faults: document.error(faults),
        })
    }

    /// The settings, and the file's record with what its preset adds.
    fn read(document: &Document) -> Result<(Self, Node), CatalogError> {
        let mut faults = document.faults();
        let mut root = document.root().clone();
        start::fill_from_preset(&mut root, &mut faults);
        let console = Self::from_node(&root, &mut faults);
        if console.is_none() {
            check::require_sound_parts(&root, &mut faults);
        }
        console
            .filter(|_| faults.is_empty())
            .map(|console| (console, root))
            .ok_or_else(|| document.error(faults))
    }

    /// The text of a settings file with every knob; reading it gives the same settings.
    ///
    /// # Errors
    ///
    /// A number is infinite or none.
    pub fn to_ron(&self) -> Result<String, WriteError> {
        catalog::to_ron(self, &FORMAT)
    }
}

/// Gives a node and all in it a place.
fn put(node: &mut Node, span: Span) {
    node.span = span;
    if let Kind::Record(_, fields) = &mut node.kind {
        fields
            .iter_mut()
            .for_each(|field| put(&mut field.value, span));
    }
    node.items_mut().iter_mut().for_each(|item| put(item, span));
}

#[cfg(test)]
mod tests;
