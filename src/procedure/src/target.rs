//! Where an exemplary picture of a plane is made.
//!
//! A standard plane says what to show, not from where: ribs, gas or sheer distance may hide it from
//! the place straight over it. The window is searched as a sonographer does: round the plane's
//! middle, within the plane, and where that shows most of what is required the picture is made. The
//! probe stands on skin: never where the scan has cut the body. Of a patient who breathes or lies
//! otherwise the plane goes with the organs.

use std::ops::RangeInclusive;

use anatomy::deform::BodyState;
use anatomy::planes::StandardPlane;
use equipment::Console;
use equipment::hand::{PatientFromProbe, Turn, depth_of, face_of, of_axes};
use geometry::{Point, Vector};
use rayon::prelude::*;
use recording::{PlaneTarget, RequiredStructure, SweepTarget};
use thiserror::Error;
use ultrasound::engine::{FactFinder, View};

use crate::carried::Carried;
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

/// One that has less in the picture counts as seen where so much of that is visible, but no less than
/// an area that can be told apart: 5 mm across.
const SMALL_SHARE: f64 = 0.6;
const LEAST_MM2: f64 = 20.0;

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
    /// By required structure.
    seen: Vec<Seen>,
    contact: f64,
}

/// What a window shows of a structure.
struct Seen {
    visible_mm2: f64,
    /// What lies in the picture behind bone or gas.
    shadowed_mm2: f64,
}

impl Seen {
    /// A large area of a large structure, or most of a small one.
    fn is_enough(&self) -> bool {
        let whole = self.visible_mm2 + self.shadowed_mm2;
        let small = (SMALL_SHARE * whole).max(LEAST_MM2);
        self.visible_mm2 >= SEEN_MM2.min(small)
    }
}

impl Procedure {
    /// A standard plane of the patient as the body is now, and the exemplary picture of it with the
    /// console's present settings but for the depth.
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
        let state = self
            .moved()
            .map_or(BodyState::default(), |moved| moved.state);
        let carried = Carried::of(self.body(), &state, &required, standard.center);
        let standard = &carried_off(standard, &carried);
        let deepest = |pose: &PatientFromProbe| self.deepest_mm(pose, &required, &carried);
        let wide = self.console_at(self.probe().depth_range_mm.1.min(WIDE_MM));
        let aims: Vec<(PatientFromProbe, f64)> = poses(standard).collect();
        let looked = aims.par_iter().map_init(
            || FactFinder::new(self.probe(), &wide),
            |finder, &(aim, off_deg)| {
                let pose = self.skin().put(&aim, &self.front, GEL_MM)?;
                let stands = self.stands_on_skin(&pose);
                stands.then(|| self.look(finder, pose, off_deg, &required))
            },
        );
        let windows: Vec<Window> = looked.collect::<Vec<_>>().into_iter().flatten().collect();
        let most: Vec<f64> = (0..required.len())
            .map(|i| {
                let seen = windows.iter().map(|w| w.seen[i].visible_mm2);
                seen.fold(0.0, f64::max)
            })
            .collect();
        let best = windows
            .iter()
            .max_by(|a, b| a.worth(&most).total_cmp(&b.worth(&most)));
        let missing: Vec<String> = match best {
            None => standard.required.clone(),
            Some(best) => standard
                .required
                .iter()
                .zip(&best.seen)
                .filter(|(_, seen)| !seen.is_enough())
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
        let structures = standard.required.iter().zip(&window.seen);
        let turned = best.pose;
        Ok(PlaneTarget {
            plane: plane.to_owned(),
            center: standard.center,
            lateral: turned * Vector::new(1.0, 0.0, 0.0),
            depth: depth_of(&turned),
            patient_from_probe: best.pose,
            depth_mm: console.depth_mm,
            required: structures
                .map(|(id, seen)| RequiredStructure {
                    structure: id.clone(),
                    exemplary_mm2: seen.visible_mm2,
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
        let moved = self.moved();
        let view = View {
            gel_mm: GEL_MM,
            displacement: moved.and_then(|moved| moved.displacement.clone()),
            ..View::at(pose)
        };
        let medium = moved.map_or(&self.body().medium, |moved| &moved.medium);
        let facts = finder.facts(medium, &view);
        let seen = |&index: &usize| Seen {
            visible_mm2: f64::from(facts.structures[index].visible_mm2),
            shadowed_mm2: f64::from(facts.structures[index].shadowed_mm2),
        };
        Window {
            pose,
            off_deg,
            seen: required.iter().map(seen).collect(),
            contact: f64::from(facts.contact),
        }
    }

    /// Whether no part of the face is where the scan has cut the body.
    fn stands_on_skin(&self, pose: &PatientFromProbe) -> bool {
        let ends = &self.body().ends;
        self.front.places(pose).all(|place| !ends.reach(place))
    }

    /// How deep structures reach between the lines of a picture, mm.
    fn deepest_mm(&self, pose: &PatientFromProbe, structures: &[usize], carried: &Carried) -> f64 {
        let grid = FactFinder::new(self.probe(), self.console());
        let grid = grid.grid();
        let lines = 0.0..=(grid.lines - 1) as f64;
        let probe_from_patient = pose.inverse();
        let surfaces = structures
            .iter()
            .map(|&index| &self.body().patient.structures[index].surface);
        let places = surfaces.flat_map(|surface| surface.vertices());
        let depths = places.filter_map(|vertex| {
            let place = probe_from_patient * carried.place(Point::from_f32(*vertex));
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
            let pairs = self.seen.iter().zip(most);
            pairs.map(|(seen, most)| seen.visible_mm2 / most.max(1e-6))
        };
        let least = shares().fold(1.0, f64::min);
        let mean = shares().sum::<f64>() / most.len().max(1) as f64;
        (least + 0.3 * mean) * self.contact - COST_PER_DEG * self.off_deg.abs()
    }
}

/// A plane that has gone with the organs.
fn carried_off(plane: &StandardPlane, carried: &Carried) -> StandardPlane {
    StandardPlane {
        center: carried.place(plane.center),
        lateral: carried.direction(plane.lateral),
        depth: carried.direction(plane.depth),
        ..plane.clone()
    }
}

/// Aims in a plane, and how far each looks away from the plane's own direction, degrees.
fn poses(plane: &StandardPlane) -> impl Iterator<Item = (PatientFromProbe, f64)> {
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
