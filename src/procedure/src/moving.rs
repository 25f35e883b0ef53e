//! A patient who breathes, lies otherwise, raises an arm.

use std::sync::Arc;

use anatomy::deform::BodyState;
use ultrasound::displacement::Displacement;
use ultrasound::engine::Medium;

use crate::body::Body;
use crate::skin::Skin;

/// A patient as it is in one state: what sound meets, and how tissue got there.
#[derive(Clone, Debug)]
pub struct Moved {
    /// What the body is doing.
    pub state: BodyState,
    /// Its surfaces as they are now.
    pub medium: Arc<Medium>,
    /// How tissue has moved; `None` at rest.
    pub displacement: Option<Arc<Displacement>>,
}

impl Moved {
    /// The outside as it is now.
    pub fn skin(&self) -> Skin {
        Skin::new(self.medium.scene().clone())
    }
}

/// Moves a patient from state to state. What nobody looks at any more is used again, so that a
/// step costs as much as refitting the scene.
#[derive(Debug, Default)]
pub struct Mover {
    /// Made so far, the latest last.
    made: Vec<Arc<Moved>>,
}

/// States that are kept to be used again.
const KEPT: usize = 3;

impl Mover {
    /// The body in a state; at rest its own medium, untouched.
    pub fn to(&mut self, body: &Body, state: &BodyState) -> Arc<Moved> {
        if let Some(known) = self.made.iter().find(|made| made.state == *state) {
            return known.clone();
        }
        if state.is_rest() {
            return Arc::new(Moved {
                state: *state,
                medium: body.medium.clone(),
                displacement: None,
            });
        }
        let deformation = body.deformation();
        let deformed = deformation.at(state);
        let displacement = Displacement::of_body(deformation, &deformed);
        let mut moved = self.unused().unwrap_or_else(|| {
            Arc::new(Moved {
                state: *state,
                medium: body.medium.clone(),
                displacement: None,
            })
        });
        let own = Arc::make_mut(&mut moved);
        own.state = *state;
        own.displacement = displacement.map(Arc::new);
        Arc::make_mut(&mut own.medium)
            .follow(&deformed.vertices)
            .expect("a patient's vertices, moved by finite distances, fit its own scene");
        self.made.push(moved.clone());
        moved
    }

    /// One that nobody looks at any more.
    fn unused(&mut self) -> Option<Arc<Moved>> {
        if self.made.len() < KEPT {
            return None;
        }
        let free = self
            .made
            .iter()
            .position(|made| Arc::strong_count(made) == 1);
        Some(self.made.remove(free?))
    }
}

#[cfg(test)]
mod tests {
    use anatomy::Silent;
    use anatomy::atlas::Atlas;
    use anatomy::deform::deepest_breath;
    use anatomy::recipe::Recipe;
    use anatomy::tissue::TissueTable;
    use equipment::hand::PatientFromProbe;
    use equipment::{Action, Breath, Console, Inputs, Posture, Probe};
    use recording::PlaneTarget;
    use ultrasound::display::PictureSize;

    use super::*;
    use crate::{Imaging, Observations, Procedure};

    const PLANE: &str = "kidney_right_long";

    fn body() -> Arc<Body> {
        let recipe = Recipe::builtin("phantom-torso").unwrap();
        let patient = recipe.make(Atlas::builtin(), TissueTable::builtin(), &Silent);
        Arc::new(Body::new(patient.unwrap()).unwrap())
    }

    fn room(body: &Arc<Body>) -> Procedure {
        let probe = Probe::named("C5-2v").unwrap();
        Procedure::new(body.clone(), probe, Console::default_for(probe), 7).unwrap()
    }

    /// Where a hand holds the probe that looks at the patient at rest.
    fn hand(room: &Procedure) -> PatientFromProbe {
        room.plane_target(PLANE).unwrap().patient_from_probe
    }

    /// What is seen while a hand holds still and the patient does as told.
    fn watched(
        room: &mut Procedure,
        hand: PatientFromProbe,
        said: &[Action],
        steps: u32,
    ) -> Vec<Observations> {
        let actions = |step| if step == 0 { said.to_vec() } else { Vec::new() };
        let inputs = |step| Inputs {
            hand: Some(hand),
            actions: actions(step),
        };
        (0..steps).map(|step| room.step(&inputs(step))).collect()
    }

    fn picture(room: &Procedure) -> Vec<u8> {
        let size = PictureSize {
            width: 120,
            height: 100,
        };
        let mut imaging = Imaging::new(room.probe(), size);
        let shot = room.shot().unwrap();
        imaging
            .still(&room.body().medium, &shot)
            .unwrap()
            .pixels
            .clone()
    }

    #[test]
    fn the_same_words_move_the_same_patient_alike() {
        let body = body();
        let said = [
            Action::Lie(Posture::LeftDecubitus),
            Action::Breathe(Breath::In),
        ];
        let [one, two] = [1, 2].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                let mut room = room(&body);
                let hand = hand(&room);
                let still = watched(&mut room, hand, &[], 6);
                assert!(room.moved().is_none(), "nobody breathes unasked");
                let moved = watched(&mut room, hand, &said, 240);
                assert_eq!(room.state().breath, deepest_breath());
                assert_ne!(still[3].facts, moved[237].facts, "organs have moved");
                (moved, picture(&room))
            })
        });
        assert!(one == two);
    }

    /// Where the middle of a structure's vertices is in a state, mm.
    fn middle(body: &Body, id: &str, state: &BodyState) -> [f64; 3] {
        let index = body.patient.structure_index(id).unwrap();
        let vertices = &body.deformation().at(state).vertices[index];
        let sum = |axis: usize| vertices.iter().map(|v| f64::from(v[axis])).sum::<f64>();
        [0, 1, 2].map(|axis| sum(axis) / vertices.len() as f64)
    }

    /// A structure's visible area from a pose, mm².
    fn visible_mm2(room: &mut Procedure, pose: PatientFromProbe, id: &str) -> f64 {
        let index = room.body().patient.structure_index(id).unwrap();
        let input = Inputs {
            hand: Some(pose),
            actions: Vec::new(),
        };
        let seen = (0..3)
            .filter_map(|_| room.step(&input).facts)
            .last()
            .unwrap();
        let of = seen.seen.iter().find(|s| usize::from(s.structure) == index);
        of.map_or(0.0, |seen| f64::from(seen.visible_mm2))
    }

    /// The kidney goes some 35 mm towards the feet, and the plane through it as far.
    #[test]
    fn a_target_goes_with_what_it_shows() {
        let body = body();
        let mut room = room(&body);
        let target = room.plane_target(PLANE).unwrap();
        assert_eq!(room.target_in(None, &target), target);
        let hand = target.patient_from_probe;
        watched(&mut room, hand, &[Action::Breathe(Breath::In)], 240);
        let state = *room.state();
        let moved = room.moved().unwrap().clone();
        let now = room.target_in(Some(&moved), &target);
        let [before, after] =
            [BodyState::default(), state].map(|state| middle(&body, "kidney_right", &state));
        let off = (0..3).map(|axis| {
            let kidney = after[axis] - before[axis];
            let plane = now.center.to_array()[axis] - target.center.to_array()[axis];
            (kidney - plane).abs()
        });
        assert!(after[2] < before[2] - 20.0, "{before:?} {after:?}");
        assert!(off.fold(0.0, f64::max) < 3.0, "{now:?}");
        assert!(now.depth.dot(&now.lateral).abs() < 1e-9, "{now:?}");
        let kidney = |room: &mut Procedure, target: &PlaneTarget| {
            visible_mm2(room, target.patient_from_probe, "kidney_right")
        };
        let exemplary = target.required[0].exemplary_mm2;
        let there = kidney(&mut room, &now);
        assert!(there > 0.8 * exemplary, "{there} of {exemplary} mm²");
        // What is looked for anew is the same plane, if through another window.
        let anew = room.plane_target(PLANE).unwrap();
        assert_eq!(anew.center, now.center);
        let normal = |target: &PlaneTarget| target.lateral.cross(&target.depth);
        let along = normal(&anew).dot(&normal(&now));
        assert!((along - 1.0).abs() < 1e-9, "{along}");
        assert!(kidney(&mut room, &anew) > 0.8 * exemplary);
    }

    #[test]
    fn a_room_may_begin_with_a_body_that_has_moved() {
        let body = body();
        let state = BodyState {
            breath: deepest_breath(),
            ..BodyState::default()
        };
        let mut room = room(&body);
        let hand = hand(&room);
        room = room.in_state(&state);
        assert_eq!(room.moved().unwrap().state, state);
        watched(&mut room, hand, &[], 10);
        assert_eq!(room.moved().unwrap().state, state, "held");
    }

    #[test]
    fn who_has_breathed_out_is_as_before() {
        let body = body();
        let mut room = room(&body);
        let hand = hand(&room);
        let before = watched(&mut room, hand, &[], 4);
        watched(&mut room, hand, &[Action::Breathe(Breath::Quietly)], 130);
        assert!(room.moved().is_some());
        let after = watched(&mut room, hand, &[Action::Breathe(Breath::Out)], 180);
        assert!(room.moved().is_none());
        let facts = |seen: &[Observations]| seen.iter().rev().find_map(|s| s.facts.clone());
        assert_eq!(facts(&before), facts(&after));
        assert_eq!(before[3].probe, after[179].probe);
    }
}
