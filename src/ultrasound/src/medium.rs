//! What sound meets in one patient: surfaces, what lies between them, loose scatterers.
//!
//! Media are numbered: 0 is the air outside, 1 + i the inside of the patient's structure i, and
//! [`GEL`] the coupling gel.

use std::sync::Arc;

use anatomy::patient::{Patient, Structure};
use anatomy::tissue::{Scatter, Texture, Tissue, TissueTable};
use geometry::Point;
use geometry::frame::Patient as PatientFrame;
use geometry::scene::{Scene, SurfaceId};
use rayon::prelude::*;

use crate::boundary::{Boundaries, Layer, Side};
use crate::engine::UltrasoundError;
use crate::grid::REFERENCE_SPEED_M_S;
use crate::slope::Slopes;
use crate::texture::Texture as TextureField;

/// The number of a medium. See the [module](self).
pub type MediumId = u16;

/// Air outside the body.
pub const AIR: MediumId = 0;

/// Coupling gel.
pub const GEL: MediumId = u16::MAX;

/// Impedance below which a medium is gas, rayl: aerated lung (about 2.6e5) and less.
const GAS_IMPEDANCE_RAYL: f64 = 4e5;

/// Aerated lung still has echoes of its own; free gas has none.
const FREE_GAS_IMPEDANCE_RAYL: f64 = 5e4;

/// What sound sees of one medium.
#[derive(Clone, Debug)]
pub(crate) struct Material {
    pub impedance_rayl: f64,
    pub speed_m_s: f64,
    /// One way, at 1 MHz.
    attenuation_db_cm_mhz: f64,
    attenuation_power: f64,
    pub scatter: Option<Scatter>,
    pub specularity: f64,
    /// Fat, muscle and the like: tissue that spoils the focus.
    pub aberrates: bool,
    /// Blood: its scatterers move between ticks.
    pub flows: bool,
}

impl Material {
    fn of(tissue: &Tissue) -> Self {
        let aberrates = tissue
            .scatter
            .is_some_and(|scatter| matches!(scatter.texture, Texture::Septate | Texture::Fibrous));
        Self {
            impedance_rayl: tissue.impedance_rayl(),
            speed_m_s: tissue.sound_speed_m_s,
            attenuation_db_cm_mhz: tissue.attenuation_db_cm_at_1_mhz,
            attenuation_power: tissue.attenuation_power,
            scatter: tissue.scatter,
            specularity: tissue.specularity,
            aberrates,
            flows: tissue
                .scatter
                .is_some_and(|scatter| scatter.texture == Texture::Flowing),
        }
    }

    /// Gel as sound sees it: water-like, matched to skin, echo-free.
    fn gel() -> Self {
        Self {
            impedance_rayl: 1.6e6,
            speed_m_s: REFERENCE_SPEED_M_S,
            attenuation_db_cm_mhz: 0.05,
            attenuation_power: 1.0,
            scatter: None,
            specularity: 1.0,
            aberrates: false,
            flows: false,
        }
    }

    fn air() -> Self {
        Self {
            impedance_rayl: 412.0,
            speed_m_s: 343.0,
            attenuation_db_cm_mhz: 7.5,
            attenuation_power: 1.0,
            scatter: None,
            specularity: 1.0,
            aberrates: false,
            flows: false,
        }
    }

    pub fn is_gas(&self) -> bool {
        self.impedance_rayl < GAS_IMPEDANCE_RAYL
    }

    pub fn is_free_gas(&self) -> bool {
        self.impedance_rayl < FREE_GAS_IMPEDANCE_RAYL
    }

    /// Amplitude attenuation, one way, Np/mm.
    pub fn attenuation_np_mm(&self, f_mhz: f64) -> f64 {
        let db_cm = self.attenuation_db_cm_mhz * libm::pow(f_mhz, self.attenuation_power);
        db_cm * NP_PER_DB / 10.0
    }

    /// Derivative of [`Material::attenuation_np_mm`] by frequency, Np/mm/MHz.
    pub fn attenuation_slope_np_mm_mhz(&self, f_mhz: f64) -> f64 {
        self.attenuation_power * self.attenuation_np_mm(f_mhz) / f_mhz
    }
}

/// 1 dB in neper.
pub(crate) const NP_PER_DB: f64 = std::f64::consts::LN_10 / 20.0;

/// What sound meets in one patient. Long-lived: made once for a patient, and moved with it.
#[derive(Clone, Debug)]
pub struct Medium {
    pub(crate) scene: Arc<Scene<PatientFrame>>,
    /// How the scene's surfaces lie as a beam sees them.
    pub(crate) slopes: Arc<Slopes>,
    /// By medium number; gel is the last.
    materials: Vec<Material>,
    pub(crate) structures: usize,
    /// By medium number: what modulates its speckle; none for even speckle.
    textures: Vec<Option<TextureField>>,
    /// `[from][to]`, 0 for none, else one more than the place in `layers`.
    layer_between: Vec<u16>,
    layers: Vec<Layer>,
    /// Greatest extent of each structure's box, mm, by medium number: small bubbles ring.
    pub(crate) extent_mm: Vec<f32>,
    /// Loose scatterers, patient frame, and their amplitudes.
    pub(crate) points_mm: Vec<[f32; 3]>,
    pub(crate) point_amplitudes: Vec<f32>,
    /// In which medium each of them rests; known from the first movement on.
    point_media: Vec<MediumId>,
}

impl Medium {
    /// The medium of a patient.
    ///
    /// # Errors
    ///
    /// Surfaces that no scene can be made of; more structures than there are numbers.
    pub fn of_patient(patient: &Patient, tissues: &TissueTable) -> Result<Self, UltrasoundError> {
        let scene = patient
            .scene()
            .map_err(|error| UltrasoundError::Medium(error.to_string()))?;
        let structures = patient.structures.len();
        if structures >= usize::from(GEL) - 1 {
            return Err(UltrasoundError::Medium(format!(
                "{structures} structures, but a picture can tell 65533 apart; merge some of them"
            )));
        }
        let inside = patient
            .structures
            .iter()
            .map(|structure| Material::of(&tissues[structure.tissue]));
        let materials = std::iter::once(Material::air())
            .chain(inside)
            .chain([Material::gel()])
            .collect();
        let textures = std::iter::once(None)
            .chain(patient.structures.iter().map(|s| texture_of(s, tissues)))
            .chain([None])
            .collect();
        let (layer_between, layers) = layers_of(patient, tissues);
        let extent = |structure: &Structure| {
            let bounds = structure.surface.bounds();
            (0..3)
                .map(|axis| bounds.max[axis] - bounds.min[axis])
                .fold(0.0, f32::max)
        };
        let extent_mm = std::iter::once(f32::INFINITY)
            .chain(patient.structures.iter().map(extent))
            .collect();
        Ok(Self {
            scene: Arc::new(scene),
            slopes: Arc::new(Slopes::new(patient.structures.iter().map(|s| &s.surface))),
            materials,
            structures,
            textures,
            layer_between,
            layers,
            extent_mm,
            points_mm: patient.scatterers.places_mm.clone(),
            point_amplitudes: patient.scatterers.amplitudes.clone(),
            point_media: Vec::new(),
        })
    }

    /// Moves the patient's surfaces: `vertices[i]` are those of structure i. What rests on the
    /// structures, materials and textures, stays; the scatterers in them move with the view's
    /// [`Displacement`](crate::displacement::Displacement).
    ///
    /// The scene is refitted in place, or copied first where somebody else holds it.
    ///
    /// # Errors
    ///
    /// Other vertices than the surfaces have, or vertices that are no places; the medium is then
    /// unchanged.
    pub fn follow(&mut self, vertices: &[Vec<[f32; 3]>]) -> Result<(), UltrasoundError> {
        if self.point_media.len() != self.points_mm.len() {
            let of = |&point: &[f32; 3]| medium_of(self.scene.innermost(Point::from_f32(point)));
            self.point_media = self.points_mm.par_iter().map(of).collect();
        }
        let lists: Vec<&[[f32; 3]]> = vertices.iter().map(Vec::as_slice).collect();
        Arc::make_mut(&mut self.scene)
            .refit_all(&lists)
            .map_err(|error| UltrasoundError::Medium(error.to_string()))?;
        Arc::make_mut(&mut self.slopes).follow(vertices);
        Ok(())
    }

    /// In which medium a loose scatterer rests.
    pub(crate) fn medium_of_point(&self, index: usize) -> MediumId {
        self.point_media.get(index).copied().unwrap_or(AIR)
    }

    /// The patient's surfaces; ids are places in its list of structures.
    pub fn scene(&self) -> &Arc<Scene<PatientFrame>> {
        &self.scene
    }

    pub(crate) fn material(&self, medium: MediumId) -> &Material {
        &self.materials[self.index(medium)]
    }

    pub(crate) fn material_at(&self, index: usize) -> &Material {
        &self.materials[index]
    }

    /// What modulates a medium's speckle; none for even speckle.
    pub(crate) fn texture_at(&self, index: usize) -> Option<&TextureField> {
        self.textures[index].as_ref()
    }

    /// The thin layer between two media.
    pub(crate) fn layer(&self, from: MediumId, to: MediumId) -> Option<&Layer> {
        if from == GEL || to == GEL {
            return None;
        }
        let side = self.structures + 1;
        let index = self.layer_between[self.index(from) * side + self.index(to)];
        self.layers.get(usize::from(index).checked_sub(1)?)
    }

    /// Where per-medium tables keep a medium.
    pub(crate) fn index(&self, medium: MediumId) -> usize {
        usize::from(medium).min(self.structures + 1)
    }

    /// Number of entries of per-medium tables.
    pub(crate) fn media(&self) -> usize {
        self.materials.len()
    }
}

/// The medium inside a surface, or outside all.
pub(crate) fn medium_of(surface: Option<SurfaceId>) -> MediumId {
    surface.map_or(AIR, |surface| surface.0 + 1)
}

/// The texture of a structure's tissue, along the structure's own axes.
fn texture_of(structure: &Structure, tissues: &TissueTable) -> Option<TextureField> {
    let scatter = tissues[structure.tissue].scatter?;
    let axes = match scatter.texture {
        // Fibres run along the muscle.
        Texture::Fibrous => long_axes(structure),
        // Septa lie along the front of the body.
        _ => [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    };
    // The same pattern goes on from a structure into the next one of its tissue.
    let texture = TextureField::new(&scatter, axes, structure.tissue.index() as u64);
    (!texture.is_even()).then_some(texture)
}

/// A structure's principal axes, the longest first.
fn long_axes(structure: &Structure) -> [[f32; 3]; 3] {
    match geometry::moments::moments(&structure.surface) {
        Some(moments) => moments.axes.map(|axis| axis.to_f32()),
        None => [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    }
}

/// The layers between all pairs of media but gel.
fn layers_of(patient: &Patient, tissues: &TissueTable) -> (Vec<u16>, Vec<Layer>) {
    let rules = Boundaries::builtin();
    let sides: Vec<Option<Side<'_>>> = std::iter::once(None)
        .chain(patient.structures.iter().map(|structure| {
            Some(Side {
                id: &structure.id,
                kind: structure.kind,
                tissue: &tissues[structure.tissue].id,
            })
        }))
        .collect();
    let mut layers: Vec<Layer> = Vec::new();
    let mut between = Vec::with_capacity(sides.len() * sides.len());
    for &from in &sides {
        for &to in &sides {
            let layer = if from == to {
                None
            } else {
                rules.between(from, to)
            };
            let index = layer.map_or(0, |layer| {
                let known = layers.iter().position(|known| known == layer);
                let place = known.unwrap_or_else(|| {
                    layers.push(layer.clone());
                    layers.len() - 1
                });
                (place + 1) as u16
            });
            between.push(index);
        }
    }
    (between, layers)
}
