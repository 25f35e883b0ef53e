//! One step.

use std::collections::BTreeSet;
use std::sync::Arc;

use anatomy::deform::BodyState;
use equipment::{Action, Console, Inputs, Probe};
use recording::{Facts, ProbeState, Seen};
use ultrasound::engine::{FactFinder, View};
use ultrasound::frame;

use crate::contact::hold;
use crate::imaging::Shot;
use crate::living::Living;
use crate::skin::{Front, Skin};
use crate::{Body, Moved, Mover, ProcedureError};

/// Steps in a second of simulated time.
pub const TICKS_PER_S: u32 = 60;

/// Facts are found on every so many ticks, and when a picture is captured.
pub const FACTS_EVERY: u64 = 3;

/// Thickness of the gel, mm: gaps up to it carry sound.
pub const GEL_MM: f64 = 5.0;

/// Patient, probe, console, and what hands do to them.
pub struct Procedure {
    pub(crate) body: Arc<Body>,
    pub(crate) probe: Probe,
    pub(crate) front: Front,
    console: Console,
    finder: FactFinder,
    seed: u64,
    tick: u64,
    held: Option<ProbeState>,
    /// The shot that the screen is frozen at.
    frozen: Option<Option<Shot>>,
    watched: Vec<Watched>,
    living: Living,
    mover: Mover,
    /// The body as it was last looked at; `None` while it is as stored.
    moved: Option<(Arc<Moved>, Skin)>,
}

/// A structure whose cells are counted.
struct Watched {
    structure: usize,
    seen: BTreeSet<[i16; 3]>,
}

/// What a step has brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Observations {
    /// The step's number.
    pub tick: u64,
    /// The probe as hand and body hold it.
    pub probe: Option<ProbeState>,
    /// What the picture shows, if it was asked.
    pub facts: Option<Facts>,
    /// Whether a knob was turned.
    pub settings_changed: bool,
    /// Whether the picture is frozen.
    pub frozen: bool,
    /// Whether the picture was handed in.
    pub captured: bool,
    /// Whether the task was left.
    pub next: bool,
    /// Knobs that would not go there, and why.
    pub refused: Vec<(String, String)>,
}

impl Procedure {
    /// A room with the probe lying aside.
    ///
    /// # Errors
    /// Settings that the probe cannot do; a probe that works from within a vessel.
    pub fn new(
        body: Arc<Body>,
        probe: &Probe,
        console: Console,
        seed: u64,
    ) -> Result<Self, ProcedureError> {
        console.fit(probe)?;
        let finder = FactFinder::new(probe, &console);
        let front = Front::of(&probe.array, finder.grid())
            .ok_or_else(|| ProcedureError::NotOnSkin(probe.id.clone()))?;
        Ok(Self {
            living: Living::still(&body.patient),
            body,
            probe: probe.clone(),
            front,
            console,
            finder,
            seed,
            tick: 0,
            held: None,
            frozen: None,
            watched: Vec::new(),
            mover: Mover::default(),
            moved: None,
        })
    }

    /// With the patient doing this from the beginning, and holding still.
    #[must_use]
    pub fn in_state(mut self, state: &BodyState) -> Self {
        self.living.hold_in(*state);
        self.show(*state);
        self
    }

    /// What the body is doing.
    pub fn state(&self) -> &BodyState {
        self.living.state()
    }

    /// The body as pictures and hands meet it: [`Procedure::state`] of the last tick on which facts
    /// are found; `None` while it is as stored.
    pub fn moved(&self) -> Option<&Arc<Moved>> {
        self.moved.as_ref().map(|(moved, _)| moved)
    }

    /// The patient made ready.
    pub fn body(&self) -> &Arc<Body> {
        &self.body
    }

    /// The probe.
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// What the console is set to.
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Where the probe is on the skin nearest to a pose, pressed in as far as the gel needs; the pose
    /// itself where there is no skin.
    pub fn on_skin(
        &self,
        pose: &equipment::hand::PatientFromProbe,
    ) -> equipment::hand::PatientFromProbe {
        let kept = self.skin().keep_on(pose, &self.front, GEL_MM);
        kept.unwrap_or(*pose)
    }

    /// Counts the cells of a structure from now on.
    pub fn watch(&mut self, structure: usize) {
        if self
            .watched
            .iter()
            .all(|watched| watched.structure != structure)
        {
            self.watched.push(Watched {
                structure,
                seen: BTreeSet::new(),
            });
        }
    }

    /// One step: the only place where time passes.
    pub fn step(&mut self, inputs: &Inputs) -> Observations {
        let tick = self.tick;
        self.tick += 1;
        let hand = inputs
            .hand
            .filter(|hand| hand.isometry.to_matrix().iter().all(|c| c.is_finite()));
        for action in &inputs.actions {
            self.tell(action);
        }
        self.live(tick);
        self.held = hand.map(|hand| hold(self.skin(), &self.front, &hand));
        let mut seen = Observations {
            tick,
            probe: self.held,
            facts: None,
            settings_changed: tick == 0,
            frozen: false,
            captured: false,
            next: false,
            refused: Vec::new(),
        };
        for action in &inputs.actions {
            self.act(action, tick, &mut seen);
        }
        seen.frozen = self.frozen.is_some();
        if (tick.is_multiple_of(FACTS_EVERY) && self.frozen.is_none()) || seen.captured {
            seen.facts = self.shot_at(tick).map(|shot| self.facts(&shot));
        }
        seen
    }

    fn act(&mut self, action: &Action, tick: u64, seen: &mut Observations) {
        match action {
            Action::Turn { knob, to } => match self.console.turned(&self.probe, knob, *to) {
                Ok(console) => {
                    self.finder = FactFinder::new(&self.probe, &console);
                    self.console = console;
                    seen.settings_changed = true;
                }
                Err(error) => seen.refused.push((knob.clone(), error.to_string())),
            },
            Action::Freeze(true) if self.frozen.is_none() => {
                self.frozen = Some(self.shot_at(tick));
            }
            Action::Freeze(true) => {}
            Action::Freeze(false) => self.frozen = None,
            Action::Capture => seen.captured = true,
            Action::Next => seen.next = true,
            Action::Breathe(_) | Action::Lie(_) | Action::RaiseArm(_) | Action::HeartRate(_) => {}
        }
    }

    /// Tells the patient what to do.
    fn tell(&mut self, action: &Action) {
        match *action {
            Action::Breathe(how) => self.living.breathe(how),
            Action::Lie(how) => self.living.lie(how),
            Action::RaiseArm(up) => self.living.raise_arm(up),
            Action::HeartRate(per_min) => self.living.beat(per_min),
            _ => {}
        }
    }

    /// The patient's own part of a step. Surfaces follow as often as facts are found.
    fn live(&mut self, tick: u64) {
        self.living.pass(1.0 / f64::from(TICKS_PER_S));
        let state = *self.living.state();
        let shown = self
            .moved()
            .map_or(BodyState::default(), |moved| moved.state);
        if !tick.is_multiple_of(FACTS_EVERY) || state == shown {
            return;
        }
        self.show(state);
    }

    /// Has pictures and hands meet the body in a state.
    fn show(&mut self, state: BodyState) {
        self.moved = None;
        if !state.is_rest() {
            let moved = self.mover.to(&self.body, &state);
            let skin = moved.skin();
            self.moved = Some((moved, skin));
        }
    }

    /// The outside of the body as it is now.
    pub(crate) fn skin(&self) -> &Skin {
        self.moved
            .as_ref()
            .map_or(&self.body.skin, |(_, skin)| skin)
    }

    /// What the screen shows after the last step; `None` while the probe lies aside.
    pub fn shot(&self) -> Option<Shot> {
        self.shot_at(self.tick.saturating_sub(1))
    }

    fn shot_at(&self, tick: u64) -> Option<Shot> {
        let console = self.console.clone();
        match &self.frozen {
            // Gain, TGC and the like act on a frozen picture too; what was sent stays.
            Some(frozen) => frozen.clone().map(|shot| shot.adjusted(&console)),
            None => self.held.map(|held| Shot {
                view: View {
                    gel_mm: GEL_MM,
                    tick,
                    seed: self.seed,
                    displacement: self.moved().and_then(|moved| moved.displacement.clone()),
                    ..View::at(held.patient_from_probe)
                },
                console,
                moved: self.moved().cloned(),
            }),
        }
    }

    fn facts(&mut self, shot: &Shot) -> Facts {
        let moved = shot.moved.as_ref();
        let medium = moved.map_or(&self.body.medium, |moved| &moved.medium);
        let found = if shot.console == self.console {
            self.finder.facts(medium, &shot.view)
        } else {
            FactFinder::new(&self.probe, &shot.console).facts(medium, &shot.view)
        };
        let mut seen = Vec::new();
        for (index, of) in found.structures.iter().enumerate() {
            if of.visible_mm2 > 0.0 || of.shadowed_mm2 > 0.0 {
                seen.push(Seen {
                    structure: index as u16,
                    visible_mm2: of.visible_mm2,
                    shadowed_mm2: of.shadowed_mm2,
                    new_cells: self.new_cells(index, of),
                });
            }
        }
        Facts {
            contact: found.contact,
            seen,
        }
    }

    fn new_cells(&mut self, structure: usize, of: &frame::StructureFacts) -> Vec<[i16; 3]> {
        let watched = self.watched.iter_mut().find(|w| w.structure == structure);
        let Some(watched) = watched else {
            return Vec::new();
        };
        let is_new = |cell: &&[i16; 3]| watched.seen.insert(**cell);
        of.cells.iter().filter(is_new).copied().collect()
    }
}
