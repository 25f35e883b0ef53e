//! Where an exemplary picture of a plane is made.
//!
//! A standard plane says what to show, not from where: ribs, gas or sheer distance may hide it from
//! the place straight over it. The window is searched as a sonographer does: round the plane's
//! middle, within the plane, and where that shows most of what is required the picture is made.

use std::ops::RangeInclusive;

use equipment::Console;
use equipment::hand::{PatientFromProbe, Turn, depth_of, face_of, of_axes};
use geometry::{Point, Vector};
use recording::{PlaneTarget, RequiredStructure, SweepTarget};
use thiserror::Error;
use ultrasound::engine::{FactFinder, View};

use crate::step::{GEL_MM, Procedure};

/// Why there is no target.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TargetError {
    /// The patient has no such plane.
    #[error("the patient has no plane `{plane}`{hint} ({known})")]
    NoPlane {
        /// What was asked for.
        plane: String,
        /// The nearest.
        hint: String,
        /// All there are.
        known: String,
    },
    /// The patient has no such structure.
    #[error("the patient has no structure `{0}`")]
    NoStructure(String),
    /// From nowhere on the skin all that is required is seen.
    #[error("plane `{plane}`: from no place on the skin {} can be seen in it", .missing.join(", "))]
    NoWindow {
        /// The plane.
        plane: String,
        /// What is never seen.
        missing: Vec<String>,
    },
}

/// Directions of looking, degrees from the plane's own, within the plane.
const LOOKS_DEG: RangeInclusive<i32> = -12..=12;
const LOOK_STEP_DEG: f64 = 6.0;

/// Shifts of what is looked at, mm along the plane's lateral axis.
const SHIFTS: RangeInclusive<i32> = -3..=3;
const SHIFT_STEP_MM: f64 = 12.0;

/// A structure counts as seen from this area on, mm².
const SEEN_MM2: f64 = 80.0;

/// What a degree away from the plane's own direction costs, in shares of what is seen.
const COST_PER_DEG: f64 = 0.003;

/// Tissue shown beyond the deepest thing required, mm.
const BEYOND_MM: f64 = 15.0;

/// Of large organs no more is shown than so much below the plane's middle, mm: a gallbladder fills
/// its picture, whatever liver lies below.
const BELOW_MIDDLE_MM: f64 = 55.0;

/// A window that was looked through.
struct Window {
    pose: PatientFromProbe,
    off_deg: f64,
    /// By required structure, mm².
    visible_mm2: Vec<f64>,
    contact: f64,
}

impl Procedure {
    /// A standard plane of the patient, and the exemplary picture of it with the console's present
    /// settings but for the depth.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn plane_target(&self, plane: &str) -> Result<PlaneTarget, TargetError> {
        let patient = &self.body().patient;
        let found = patient.planes.iter().find(|(_, p)| p.id == plane);
        let (_, standard) = found.ok_or_else(|| self.no_plane(plane))?;
        let required: Vec<usize> = standard
            .required
            .iter()
            .filter_map(|id| patient.structure_index(id))
            .collect();
        let deepest = |pose: &PatientFromProbe| self.deepest_mm(pose, &required);
        let wide = self.console_at(self.probe().depth_range_mm.1.min(WIDE_MM));
        let mut finder = FactFinder::new(self.probe(), &wide);
        let windows: Vec<Window> = poses(standard)
            .filter_map(|(aim, off_deg)| {
                let pose = self.body().skin.put(&aim, &self.front, GEL_MM)?;
                Some(self.look(&mut finder, pose, off_deg, &required))
            })
            .collect();
        let most: Vec<f64> = (0..required.len())
            .map(|i| windows.iter().map(|w| w.visible_mm2[i]).fold(0.0, f64::max))
            .collect();
        let best = windows
            .iter()
            .max_by(|a, b| a.worth(&most).total_cmp(&b.worth(&most)));
        let missing: Vec<String> = match best {
            None => standard.required.clone(),
            Some(best) => standard
                .required
                .iter()
                .zip(&best.visible_mm2)
                .filter(|(_, seen)| **seen < SEEN_MM2)
                .map(|(id, _)| id.clone())
                .collect(),
        };
        let Some(best) = best.filter(|_| missing.is_empty()) else {
            return Err(TargetError::NoWindow {
                plane: plane.to_owned(),
                missing,
            });
        };
        let to_middle_mm = (standard.center - face_of(&best.pose)).dot(&depth_of(&best.pose));
        let deepest_mm = deepest(&best.pose).min(to_middle_mm + BELOW_MIDDLE_MM);
        let console = self.console_at(deepest_mm + BEYOND_MM);
        let mut finder = FactFinder::new(self.probe(), &console);
        let window = self.look(&mut finder, best.pose, 0.0, &required);
        let structures = standard.required.iter().zip(&window.visible_mm2);
        let turned = best.pose;
        Ok(PlaneTarget {
            plane: plane.to_owned(),
            center: standard.center,
            lateral: turned * Vector::new(1.0, 0.0, 0.0),
            depth: depth_of(&turned),
            patient_from_probe: best.pose,
            depth_mm: console.depth_mm,
            required: structures
                .map(|(id, &exemplary_mm2)| RequiredStructure {
                    structure: id.clone(),
                    exemplary_mm2,
                })
                .collect(),
        })
    }

    /// A sweep through a structure of the patient.
    ///
    /// # Errors
    /// [`TargetError::NoStructure`].
    pub fn sweep_target(&self, structure: &str) -> Result<SweepTarget, TargetError> {
        let index = self.body().patient.structure_index(structure);
        let index = index.ok_or_else(|| TargetError::NoStructure(structure.to_owned()))?;
        Ok(SweepTarget {
            structure: structure.to_owned(),
            cells: self.body().cells_of(index),
        })
    }

    /// The present settings at another depth, in whole centimetres that the probe can do.
    pub fn console_at(&self, depth_mm: f64) -> Console {
        let (least, most) = self.probe().depth_range_mm;
        let depth_mm = (10.0 * libm::ceil(depth_mm / 10.0)).clamp(least, most);
        let console = self.console();
        let turned = console.turned(self.probe(), "depth_mm", depth_mm);
        turned.unwrap_or_else(|_| console.clone())
    }

    fn look(
        &self,
        finder: &mut FactFinder,
        pose: PatientFromProbe,
        off_deg: f64,
        required: &[usize],
    ) -> Window {
        let view = View {
            gel_mm: GEL_MM,
            ..View::at(pose)
        };
        let facts = finder.facts(&self.body().medium, &view);
        let visible = |&index: &usize| f64::from(facts.structures[index].visible_mm2);
        Window {
            pose,
            off_deg,
            visible_mm2: required.iter().map(visible).collect(),
            contact: f64::from(facts.contact),
        }
    }

    /// How deep structures reach between the lines of a picture, mm.
    fn deepest_mm(&self, pose: &PatientFromProbe, structures: &[usize]) -> f64 {
        let grid = FactFinder::new(self.probe(), self.console());
        let grid = grid.grid();
        let lines = 0.0..=(grid.lines - 1) as f64;
        let probe_from_patient = pose.inverse();
        let surfaces = structures
            .iter()
            .map(|&index| &self.body().patient.structures[index].surface);
        let places = surfaces.flat_map(|surface| surface.vertices());
        let depths = places.filter_map(|vertex| {
            let place = probe_from_patient * Point::from_f32(*vertex);
            let [u, depth_mm, _] = grid.beam_coordinates(place);
            let is_shown = place.y().abs() < NEAR_PLANE_MM && lines.contains(&grid.line_of_u(u));
            is_shown.then_some(depth_mm)
        });
        depths.fold(0.0, f64::max)
    }

    fn no_plane(&self, plane: &str) -> TargetError {
        let planes = &self.body().patient.planes;
        let ids: Vec<&str> = planes.iter().map(|(_, plane)| plane.id.as_str()).collect();
        TargetError::NoPlane {
            plane: plane.to_owned(),
            hint: catalog::nearest(plane, ids.iter().copied())
                .map_or_else(String::new, |id| format!("; did you mean `{id}`?")),
            known: match ids.is_empty() {
                true => "it has none".to_owned(),
                false => format!("it has {}", ids.join(", ")),
            },
        }
    }
}

/// Depth at which windows are looked through, mm.
const WIDE_MM: f64 = 200.0;

/// Surfaces so near to the plane count as in it, mm.
const NEAR_PLANE_MM: f64 = 3.0;

impl Window {
    /// What the window is worth: the worst seen structure counts most.
    fn worth(&self, most: &[f64]) -> f64 {
        let shares = || {
            let pairs = self.visible_mm2.iter().zip(most);
            pairs.map(|(seen, most)| seen / most.max(1e-6))
        };
        let least = shares().fold(1.0, f64::min);
        let mean = shares().sum::<f64>() / most.len().max(1) as f64;
        (least + 0.3 * mean) * self.contact - COST_PER_DEG * self.off_deg.abs()
    }
}

/// Aims in a plane, and how far each looks away from the plane's own direction, degrees.
fn poses(plane: &anatomy::planes::StandardPlane) -> impl Iterator<Item = (PatientFromProbe, f64)> {
    let straight = of_axes(plane.center, plane.lateral.coords, plane.depth.coords);
    LOOKS_DEG.flat_map(move |look| {
        let off_deg = f64::from(look) * LOOK_STEP_DEG;
        let turn = Turn {
            rock_deg: off_deg,
            ..Turn::default()
        };
        let turned = turn.applied_to(&straight);
        SHIFTS.map(move |shift| {
            let aside = turned * Vector::new(f64::from(shift) * SHIFT_STEP_MM, 0.0, 0.0);
            let aim = equipment::hand::moved_to(&turned, face_of(&turned) + aside);
            (aim, off_deg)
        })
    })
}
