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
