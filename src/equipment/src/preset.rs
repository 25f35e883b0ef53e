//! Presets: settings to start an examination from.
//!
//! A preset is data: `assets/presets/*.ron`, built in. It says for which probes it is meant and what
//! differs from a console's defaults.

use std::sync::OnceLock;

use anatomy::tissue::DisplayName;
use catalog::{CatalogError, Document, Format, Known};

use crate::{Array, Console, EquipmentError, Probe, Transmit};

/// `Preset(version: 1, …)`; a file has some hundred bytes.
const FORMAT: Format = Format::new("Preset", 1).with_max_bytes(1 << 20);

/// The presets that are built in: id and text.
const BUILTIN: [(&str, &str); 8] = [
    (
        "abdomen",
        include_str!("../../../assets/presets/abdomen.ron"),
    ),
    (
        "vascular",
        include_str!("../../../assets/presets/vascular.ron"),
    ),
    (
        "musculoskeletal",
        include_str!("../../../assets/presets/musculoskeletal.ron"),
    ),
    (
        "cardiac",
        include_str!("../../../assets/presets/cardiac.ron"),
    ),
    (
        "endocavity",
        include_str!("../../../assets/presets/endocavity.ron"),
    ),
    ("ice", include_str!("../../../assets/presets/ice.ron")),
    ("ivus", include_str!("../../../assets/presets/ivus.ron")),
    ("plain", include_str!("../../../assets/presets/plain.ron")),
];

/// Settings to start an examination from.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// How files and commands call it.
    pub id: String,
    /// How people call it.
    pub name: DisplayName,
    /// Ids of the probes it is meant for, the first one above all.
    pub probes: Vec<String>,
    /// What the knobs are set to.
    pub console: Console,
}

catalog::record! {
    struct PresetText {
        name: DisplayName,
        probes: Vec<String> [Known("probe")],
        settings: Console,
    }
}

impl Preset {
    /// The built-in preset of that name.
    pub fn builtin(name: &str) -> Option<&'static Self> {
        let is_it = |preset: &&Self| preset.id.eq_ignore_ascii_case(name);
        Self::all_builtin().iter().find(is_it)
    }

    /// The built-in preset of that name.
    ///
    /// # Errors
    ///
    /// There is none; the error has the nearest name and those there are.
    pub fn named(name: &str) -> Result<&'static Self, EquipmentError> {
        Self::builtin(name)
            .ok_or_else(|| EquipmentError::unknown("preset", name, Self::builtin_names()))
    }

    /// The ids of the built-in presets.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> + Clone {
        BUILTIN.iter().map(|(id, _)| *id)
    }

    /// All built-in presets.
    pub fn all_builtin() -> &'static [Self] {
        static PRESETS: OnceLock<Vec<Preset>> = OnceLock::new();
        PRESETS.get_or_init(|| {
            let presets: Result<_, _> = BUILTIN.iter().map(|(id, text)| read(id, text)).collect();
            presets.expect("the built-in presets are read by a test")
        })
    }

    /// Whether it is meant for a probe.
    pub fn is_for(&self, probe: &Probe) -> bool {
        self.probes.contains(&probe.id)
    }

    /// The built-in presets that are meant for a probe, the one to start from first.
    pub fn all_for(probe: &Probe) -> Vec<&'static Self> {
        let mut found: Vec<&Self> = Self::all_builtin()
            .iter()
            .filter(|preset| preset.is_for(probe))
            .collect();
        let place = |preset: &&Self| preset.probes.iter().position(|id| *id == probe.id);
        found.sort_by_key(place);
        found
    }
}

fn read(id: &str, text: &str) -> Result<Preset, CatalogError> {
    let preset: PresetText = Document::parse(text, format!("{id}.ron"), &FORMAT)?
        .knowing("probe", "the built-in probes", Probe::builtin_names())
        .resolve()?;
    Ok(Preset {
        id: id.to_owned(),
        name: preset.name,
        probes: preset.probes,
        console: preset.settings,
    })
}

impl Console {
    /// The settings of the built-in preset of that name.
    ///
    /// # Errors
    ///
    /// There is none; the error has the nearest name and those there are.
    pub fn preset(name: &str) -> Result<Self, EquipmentError> {
        Ok(Preset::named(name)?.console.clone())
    }

    /// The ids of the built-in presets.
    pub fn preset_names() -> impl Iterator<Item = &'static str> + Clone {
        Preset::builtin_names()
    }

    /// The settings that a probe is started with: the preset meant for it, or else the one for
    /// probes of its kind at a depth that it offers. They [fit](Console::fit).
    pub fn default_for(probe: &Probe) -> Self {
        match Preset::all_for(probe).first() {
            Some(preset) => preset.console.clone(),
            None => kind_of(probe).console.at_depths_of(probe),
        }
    }

    /// As deep as it is, or as the probe offers, the foci moved in proportion.
    fn at_depths_of(&self, probe: &Probe) -> Self {
        let (least, most) = probe.depth_range_mm;
        let depth_mm = self.depth_mm.max(least).min(most);
        let mut console = Self {
            depth_mm,
            frequency_mhz: None,
            ..self.clone()
        };
        if let Transmit::Focused { foci_mm, .. } = &mut console.transmit {
            let share = depth_mm / self.depth_mm;
            foci_mm.iter_mut().for_each(|focus| *focus *= share);
        }
        console
    }
}

/// The preset for probes of a kind.
fn kind_of(probe: &Probe) -> &'static Preset {
    let id = match probe.array {
        Array::Linear { .. } => "vascular",
        Array::Curved { .. } if probe.is_inserted() => "endocavity",
        Array::Curved { .. } => "abdomen",
        Array::Phased { .. } if probe.is_inserted() => "ice",
        Array::Phased { .. } => "cardiac",
        Array::Rotational { .. } => "ivus",
    };
    Preset::builtin(id).expect("a test starts probes of every kind")
}

#[cfg(test)]
mod tests;
