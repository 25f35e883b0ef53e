//! From a medium, a probe and its pose to a frame.

use anatomy::patient::Patient;
use anatomy::tissue::TissueTable;
use equipment::{Console, Probe};
use geometry::Pose;
use geometry::frame::{self, Patient as PatientFrame};
use thiserror::Error;

use crate::frame::{BmodeFrame, Facts};

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

/// What sound meets in one patient. Long-lived: made once for a patient.
#[derive(Debug)]
pub struct Medium {}

impl Medium {
    /// The medium of a patient.
    ///
    /// # Errors
    ///
    /// Surfaces that no scene can be made of.
    pub fn of_patient(_patient: &Patient, _tissues: &TissueTable) -> Result<Self, UltrasoundError> {
        Ok(Self {})
    }
}

/// A probe at one setting: beam tables and all that follows from them. Made once per setting.
#[derive(Debug)]
pub struct Imager {}

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
}

impl Imager {
    /// Works out beams and lines.
    ///
    /// # Errors
    ///
    /// Settings that the probe cannot do.
    pub fn new(_probe: &Probe, _console: &Console) -> Result<Self, UltrasoundError> {
        Ok(Self {})
    }

    /// Makes a frame.
    pub fn frame(&mut self, _medium: &Medium, _view: &View) -> BmodeFrame {
        unimplemented!("being built")
    }

    /// The facts alone, the same as the frame's, much faster.
    pub fn facts(&mut self, _medium: &Medium, _view: &View) -> Facts {
        unimplemented!("being built")
    }
}
