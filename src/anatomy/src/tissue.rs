//! Tissues: what sound and X-rays see of them, how stiff they are, and where the figures come from.
//!
//! The table is data: `assets/tissues.ron`, built in, or another file of that form. What is absent
//! here: temperature, anisotropy (a tissue's figures hold across its fibres), and photon cross
//! sections (they follow from the composition, in the crate that images with X-rays).

mod file;

use std::collections::BTreeMap;
use std::ops::Index;
use std::path::Path;
use std::sync::OnceLock;

use catalog::{CatalogError, Document};

use crate::element::Element;
pub use crate::entry::DisplayName;

/// The frequency at which backscatter levels are given.
pub const BACKSCATTER_REFERENCE_MHZ: f64 = 3.5;

/// The backscatter coefficient that is 0 dB: liver's 3.7e−5 f^1.4 /(cm sr) at
/// [`BACKSCATTER_REFERENCE_MHZ`] (J. A. Campbell, R. C. Waag, J. Acoust. Soc. Am. 75:603, 1984).
pub const BACKSCATTER_REFERENCE_PER_CM_SR: f64 = 2.137_455_029e-4;

/// A tissue of a [`TissueTable`]: small, `Copy`, for labels and per-triangle data. Holds only
/// for the table it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TissueId(u16);

impl TissueId {
    /// The tissue's place in its table, from 0.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One tissue, fluid or material.
#[derive(Clone, Debug, PartialEq)]
pub struct Tissue {
    /// How files call it: `renal_cortex`.
    pub id: String,
    /// How people call it.
    pub name: DisplayName,
    /// Mass density.
    pub density_kg_m3: f64,
    /// Speed of longitudinal waves.
    pub sound_speed_m_s: f64,
    /// Amplitude attenuation at 1 MHz, one way, dB/cm.
    pub attenuation_db_cm_at_1_mhz: f64,
    /// Power of frequency with which attenuation grows.
    pub attenuation_power: f64,
    /// What scatters inside; none if it is echo-free.
    pub scatter: Option<Scatter>,
    /// Share, 0 to 1, of the echo from its surface that is mirror-like; the rest is diffuse.
    pub specularity: f64,
    /// Mass fractions in the order of atomic number; they sum to 1 within 0.002.
    pub composition: Vec<(Element, f64)>,
    /// Young's modulus at small strain; 0 for fluids.
    pub stiffness_kpa: f64,
    /// sRGB, for display.
    pub color: [u8; 3],
    /// Where each figure comes from, by the name it has in the file.
    pub provenance: BTreeMap<&'static str, Provenance>,
}

/// Where a figure comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provenance {
    /// A key of [`TissueTable::source_text`].
    Source(String),
    /// The editor's judgement.
    Estimate,
}

/// What makes a tissue's inside visible to ultrasound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scatter {
    /// How scatterers are arranged.
    pub texture: Texture,
    /// Size or distance of what repeats in the texture.
    pub length_mm: f64,
    /// Backscatter coefficient at [`BACKSCATTER_REFERENCE_MHZ`], dB relative to
    /// [`BACKSCATTER_REFERENCE_PER_CM_SR`].
    pub level_db: f64,
    /// Power of frequency in the backscatter coefficient. Amplitude goes with half of it.
    pub exponent: f64,
}

catalog::choice! {
    /// How the scatterers of a tissue are arranged.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Texture {
        /// Evenly: plain speckle.
        Diffuse,
        /// Drawn out along fibres.
        Fibrous,
        /// Dark lobules between bright sheets.
        Septate,
        /// In clumps.
        Granular,
        /// Moving with the blood.
        Flowing,
    }
}

impl Scatter {
    /// Backscatter level at `f_mhz`, dB relative to [`BACKSCATTER_REFERENCE_PER_CM_SR`].
    pub fn level_db_at(&self, f_mhz: f64) -> f64 {
        let octaves_db = 10.0 * libm::log10(f_mhz / BACKSCATTER_REFERENCE_MHZ);
        self.level_db + self.exponent * octaves_db
    }

    /// Backscatter coefficient at `f_mhz`, 1/(cm sr).
    pub fn coefficient_per_cm_sr(&self, f_mhz: f64) -> f64 {
        BACKSCATTER_REFERENCE_PER_CM_SR * libm::pow(10.0, self.level_db_at(f_mhz) / 10.0)
    }
}

impl Tissue {
    /// Characteristic acoustic impedance, Pa s/m (rayl).
    pub fn impedance_rayl(&self) -> f64 {
        self.density_kg_m3 * self.sound_speed_m_s
    }

    /// Amplitude attenuation at `f_mhz`, one way, dB/cm.
    pub fn attenuation_db_cm(&self, f_mhz: f64) -> f64 {
        self.attenuation_db_cm_at_1_mhz * libm::pow(f_mhz, self.attenuation_power)
    }

    /// Backscatter coefficient at `f_mhz`, 1/(cm sr); 0 if it is echo-free.
    pub fn backscatter_per_cm_sr(&self, f_mhz: f64) -> f64 {
        self.scatter
            .map_or(0.0, |scatter| scatter.coefficient_per_cm_sr(f_mhz))
    }

    /// Pressure reflection coefficient at normal incidence for a wave that comes from this tissue
    /// to the `next`: (Z2 − Z1)/(Z2 + Z1), from −1 to 1. Its square is the reflected power.
    pub fn pressure_reflection(&self, next: &Self) -> f64 {
        let (z1, z2) = (self.impedance_rayl(), next.impedance_rayl());
        (z2 - z1) / (z2 + z1)
    }

    /// The mass fraction of an element; 0 if there is none of it.
    pub fn mass_fraction(&self, element: Element) -> f64 {
        let share = self.composition.iter().find(|(known, _)| *known == element);
        share.map_or(0.0, |(_, share)| *share)
    }

    /// Whether it flows: no stiffness.
    pub fn is_fluid(&self) -> bool {
        self.stiffness_kpa == 0.0
    }
}

/// Tissues by id.
#[derive(Clone, Debug, PartialEq)]
pub struct TissueTable {
    source: String,
    tissues: Vec<Tissue>,
    by_id: BTreeMap<String, TissueId>,
    source_texts: BTreeMap<String, String>,
}

impl TissueTable {
    /// The table that is built in.
    pub fn builtin() -> &'static Self {
        static TABLE: OnceLock<TissueTable> = OnceLock::new();
        TABLE.get_or_init(|| {
            let text = include_str!("../../../assets/tissues.ron");
            Self::parse(text, "tissues.ron").expect("the built-in table is read by a test")
        })
    }

    /// Reads a file of the form of `assets/tissues.ron`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or everything that is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CatalogError> {
        Self::read(Document::open(path, &file::FORMAT)?)
    }

    /// Reads a text of the form of `assets/tissues.ron`; `source` names it in faults.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(text: &str, source: &str) -> Result<Self, CatalogError> {
        Self::read(Document::parse(text, source, &file::FORMAT)?)
    }

    fn read(document: Document) -> Result<Self, CatalogError> {
        let source = document.source().to_owned();
        let contents = file::read(document)?;
        Ok(Self {
            source,
            by_id: index(&contents.tissues),
            tissues: contents.tissues,
            source_texts: contents.sources,
        })
    }

    /// The name of the file that it was read from, for faults in files that refer to it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The tissue called `id`.
    pub fn id(&self, id: &str) -> Option<TissueId> {
        self.by_id.get(id).copied()
    }

    /// The tissue called `id`.
    pub fn get(&self, id: &str) -> Option<&Tissue> {
        self.id(id).map(|tissue| &self[tissue])
    }

    /// The tissue at a place in the table, for labels read from files.
    pub fn id_at(&self, index: usize) -> Option<TissueId> {
        let id = u16::try_from(index).ok().map(TissueId)?;
        (index < self.tissues.len()).then_some(id)
    }

    /// All tissues in the order of the table, with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (TissueId, &Tissue)> {
        self.tissues
            .iter()
            .enumerate()
            .filter_map(|(index, tissue)| Some((self.id_at(index)?, tissue)))
    }

    /// How many tissues there are.
    pub fn len(&self) -> usize {
        self.tissues.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tissues.is_empty()
    }

    /// The id most like `id`, for messages.
    pub fn nearest(&self, id: &str) -> Option<&str> {
        catalog::nearest(id, self.by_id.keys().map(String::as_str))
    }

    /// What a source key stands for.
    pub fn source_text(&self, key: &str) -> Option<&str> {
        self.source_texts.get(key).map(String::as_str)
    }
}

fn index(tissues: &[Tissue]) -> BTreeMap<String, TissueId> {
    let ids = tissues.iter().map(|tissue| tissue.id.clone());
    // As many as a TissueId can tell apart: reading the file made sure of that.
    ids.zip((0..=u16::MAX).map(TissueId)).collect()
}

/// The tissue of an id that came from this table.
///
/// # Panics
///
/// If the id is another, longer table's.
impl Index<TissueId> for TissueTable {
    type Output = Tissue;
    fn index(&self, id: TissueId) -> &Tissue {
        &self.tissues[id.index()]
    }
}

#[cfg(test)]
mod tests;
