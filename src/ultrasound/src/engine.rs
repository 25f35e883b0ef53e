//! From a medium, a probe and its pose to a frame.
//!
//! Three kinds of objects: the [`Medium`] lives as long as the patient, the [`Imager`] as long as a
//! setting of the console, what a frame needs is kept inside the imager and used again.

use std::sync::Arc;

use equipment::{Array, Console, Effects, Probe};
use geometry::Pose;
use geometry::frame::{self, Patient as PatientFrame};
use thiserror::Error;

use crate::displacement::Displacement;
use crate::frame::{Account, BmodeFrame, Facts};
use crate::grid::{REFERENCE_SPEED_M_S, ScanGrid};
use crate::look::LookPlan;
use crate::path::{Rates, Tracer, rates};
use crate::slope::{Cone, level_of};

pub use crate::fact_finder::FactFinder;
pub use crate::medium::Medium;

/// Why there is no picture.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum UltrasoundError {
    /// Probe and settings do not fit each other.
    #[error("{0}")]
    Setting(String),
    /// The patient's surfaces cannot be looked at.
    #[error("{0}")]
    Medium(String),
}

/// Where the probe is and what the moment is like.
#[derive(Clone, Debug)]
pub struct View {
    /// Where the probe is.
    pub patient_from_probe: Pose<PatientFrame, frame::Probe>,
    /// Thickness of the gel: gaps between face and skin up to it carry sound, mm.
    pub gel_mm: f64,
    /// Tick of the simulation: noise and moving blood follow from it.
    pub tick: u64,
    /// Seed of everything random.
    pub seed: u64,
    /// Whether each sample's truth is wanted.
    pub truth: bool,
    /// How tissue has moved since the patient was made; the medium's surfaces have to have moved
    /// with it.
    pub displacement: Option<Arc<Displacement>>,
}

impl View {
    /// A still view with gel and without truth, seed 0.
    pub fn at(patient_from_probe: Pose<PatientFrame, frame::Probe>) -> Self {
        Self {
            patient_from_probe,
            gel_mm: 3.0,
            tick: 0,
            seed: 0,
            truth: false,
            displacement: None,
        }
    }
}

/// The parts of a frame's work, in their order; [`Imager::frame_watched`] tells when each is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Paths through the surfaces.
    Paths,
    /// Echoes of interfaces, mirrors, loose scatterers.
    Interfaces,
    /// Echoes of tissue, and all echoes on to lines.
    Tissue,
    /// Reverberation, pulse, noise, envelope.
    Receive,
    /// Facts and truth.
    Truth,
}

/// Electronic noise, dB below a perfect mirror's echo. With it a curved array at 3.5 MHz sees
/// about 16 cm into tissue of 0.5 dB/cm/MHz, as such probes do (estimate).
pub(crate) const NOISE_DB: f64 = -125.0;

/// A probe at one setting: beam tables and all that follows from them. Made once per setting.
#[derive(Debug)]
pub struct Imager {
    looks: Vec<LookPlan>,
    finder: FactFinder,
    effects: Effects,
    f0_mhz: f64,
    probe: Probe,
    cone: Cone,
}

impl Imager {
    /// Works out beams and lines.
    ///
    /// # Errors
    ///
    /// Settings that the probe cannot do.
    pub fn new(probe: &Probe, console: &Console) -> Result<Self, UltrasoundError> {
        Self::with_density(probe, console, crate::speckle::PER_RESOLUTION_CELL)
    }

    /// As [`Imager::new`], with at least so many scatterers in a resolution cell (no fewer than 4).
    /// With fewer than 15 speckle is not fully developed: enough for a quick look only.
    ///
    /// # Errors
    ///
    /// Settings that the probe cannot do.
    pub fn with_density(
        probe: &Probe,
        console: &Console,
        per_cell: f64,
    ) -> Result<Self, UltrasoundError> {
        /// Fewer would no longer look like tissue.
        const FEWEST_PER_CELL: f64 = 4.0;
        let per_cell = per_cell.max(FEWEST_PER_CELL);
        let f0_mhz = console.frequency_mhz.unwrap_or(probe.center_frequency_mhz);
        let is_linear = matches!(probe.array, Array::Linear { .. });
        let others = if is_linear {
            console.compounding_deg.as_slice()
        } else {
            &[]
        };
        let angles = std::iter::once(0.0).chain(others.iter().copied());
        let looks = angles
            .map(|angle| LookPlan::new(probe, console, angle, f0_mhz, per_cell))
            .collect();
        Ok(Self {
            looks,
            finder: FactFinder::new(probe, console),
            effects: console.effects,
            f0_mhz,
            probe: probe.clone(),
            cone: Cone::new(probe, console),
        })
    }

    /// The lines of each look.
    pub fn grids(&self) -> Vec<Arc<ScanGrid>> {
        self.looks.iter().map(|look| look.grid.clone()).collect()
    }

    /// Working frequency, MHz.
    pub fn frequency_mhz(&self) -> f64 {
        self.f0_mhz
    }

    /// Electronic noise of the receiver, dB re a perfect mirror's echo, before any gain.
    pub fn noise_db(&self) -> f64 {
        NOISE_DB
    }

    /// How bright speckle would be at each sample of the first look in a medium without
    /// attenuation, dB over that at its brightest: what the machine knows of its own beam.
    pub fn sensitivity_db(&self) -> &[f32] {
        &self.looks[0].sensitivity_db
    }

    /// Makes a frame.
    pub fn frame(&mut self, medium: &Medium, view: &View) -> BmodeFrame {
        self.frame_watched(medium, view, &mut |_| {})
    }

    /// Makes a frame and tells after each stage of each look that it is done.
    pub fn frame_watched(
        &mut self,
        medium: &Medium,
        view: &View,
        done: &mut dyn FnMut(Stage),
    ) -> BmodeFrame {
        let rates = rates(medium, self.f0_mhz, &self.effects);
        let setting = Setting {
            medium,
            view,
            rates: &rates,
            effects: self.effects,
            f0_mhz: self.f0_mhz,
            probe: &self.probe,
            cone: self.cone,
        };
        let mut account = Account::default();
        let mut facts = None;
        let mut looks = Vec::with_capacity(self.looks.len());
        for plan in &mut self.looks {
            let (look, look_facts) = plan.image(&setting, &mut account, done);
            facts.get_or_insert(look_facts);
            looks.push(look);
        }
        BmodeFrame {
            looks,
            facts: facts.unwrap_or_default(),
            account,
        }
    }

    /// The facts alone, the same as the frame's, much faster.
    pub fn facts(&mut self, medium: &Medium, view: &View) -> Facts {
        self.finder.facts(medium, view)
    }
}

/// What a frame is made with.
pub(crate) struct Setting<'a> {
    pub medium: &'a Medium,
    pub view: &'a View,
    pub rates: &'a [Rates],
    pub effects: Effects,
    pub f0_mhz: f64,
    pub probe: &'a Probe,
    pub cone: Cone,
}

impl Setting<'_> {
    pub fn tracer(&self, until_mm: f64, mirrors: bool) -> Tracer<'_> {
        Tracer {
            medium: self.medium,
            rates: self.rates,
            effects: self.effects,
            gel_mm: self.view.gel_mm,
            until_mm,
            probe_from_patient: self.view.patient_from_probe.inverse(),
            f_mhz: self.f0_mhz,
            slope_level: level_of(self.cone.front_mm),
            cone_rad: self.cone.half_rad,
            mirrors,
        }
    }

    pub fn wavelength_mm(&self) -> f64 {
        REFERENCE_SPEED_M_S * 1e-3 / self.f0_mhz
    }
}
