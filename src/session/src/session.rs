//! The session.

use std::path::PathBuf;
use std::sync::Arc;

use anatomy::Patient;
use equipment::hand::PatientFromProbe;
use equipment::{EquipmentError, Inputs};
use procedure::{Body, Imaging, Observations, Procedure, ProcedureError, TICKS_PER_S, TargetError};
use recording::{Digest, Event, Header, PlaneTarget, Recorder, RecordingError, Step, Target};
use scenario::Scenario;
use scoring::{SessionScore, TaskKind};
use thiserror::Error;
use ultrasound::display::{Picture, PictureSize};

use crate::patient_digest;

/// Raised whenever the engine makes other pictures or facts of the same inputs.
const ENGINE: u32 = 1;

/// The engine that this program is, as recordings name it: exact replay needs the same.
pub fn engine() -> String {
    let arch = std::env::consts::ARCH;
    format!(
        "sonocath {} (engine {ENGINE}, {arch})",
        env!("CARGO_PKG_VERSION")
    )
}

/// Size of captured and exemplary pictures, whatever shell plays.
pub const PICTURE: PictureSize = PictureSize {
    width: 800,
    height: 600,
};

/// Why a session cannot begin or go on.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The patient lacks what the scenario asks for.
    #[error(transparent)]
    Patient(#[from] catalog::CatalogError),
    /// A plane or a structure cannot be reached in this patient.
    #[error("scenario {scenario}, task `{task}`: {source}")]
    Target {
        /// The scenario's file.
        scenario: String,
        /// The task's id.
        task: String,
        /// Why.
        source: TargetError,
    },
    /// Probe, preset and patient make no room.
    #[error(transparent)]
    Room(#[from] ProcedureError),
    /// The preset cannot be read.
    #[error(transparent)]
    Equipment(#[from] EquipmentError),
    /// A picture cannot be encoded.
    #[error("a picture cannot be written as PNG: {0}")]
    Picture(#[from] png::EncodingError),
    /// The recording cannot be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// What a session needs to begin.
pub struct Setup {
    /// What is to be done.
    pub scenario: Scenario,
    /// On whom.
    pub patient: Patient,
    /// Folder or recipe of the patient, as a person said it.
    pub patient_said: String,
    /// Seed of everything random.
    pub seed: u64,
    /// Where to record; nowhere if none.
    pub recording: Option<PathBuf>,
}

/// A picture handed in.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The task it answers.
    pub task: usize,
    /// The picture.
    pub picture: Arc<Picture>,
}

/// What a step has brought.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What the room says.
    pub seen: Observations,
    /// What happened.
    pub events: Vec<Event>,
    /// The picture that was handed in, if one was.
    pub capture: Option<Capture>,
}

/// What is left of a session.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The score.
    pub score: SessionScore,
    /// What holds for all steps.
    pub header: Header,
    /// The steps.
    pub steps: Vec<Step>,
    /// By task: the last picture handed in.
    pub acquired: Vec<Option<Arc<Picture>>>,
    /// By task: the exemplary picture.
    pub exemplary: Vec<Option<Arc<Picture>>>,
}

/// A task's acquired and exemplary pictures, as PNG files.
pub type EncodedPictures = (Option<Vec<u8>>, Option<Vec<u8>>);

impl Outcome {
    /// The pictures as PNG files, task by task.
    ///
    /// # Errors
    /// A picture without pixels.
    pub fn encoded(&self) -> Result<Vec<EncodedPictures>, SessionError> {
        let encode =
            |picture: &Option<Arc<Picture>>| picture.as_deref().map(crate::png).transpose();
        let pairs = self.acquired.iter().zip(&self.exemplary);
        pairs
            .map(|(acquired, exemplary)| Ok((encode(acquired)?, encode(exemplary)?)))
            .collect()
    }
}

/// The task being done.
#[derive(Clone, Copy, Debug)]
struct Active {
    task: usize,
    since: u64,
    has_answer: bool,
}

/// A scenario being played.
pub struct Session {
    scenario: Scenario,
    procedure: Procedure,
    imaging: Imaging,
    targets: Vec<Target>,
    header: Header,
    steps: Vec<Step>,
    recorder: Option<Recorder>,
    /// Steps that are in the recording.
    recorded: usize,
    active: Option<Active>,
    /// The target of the task being done, where it was last said to have moved.
    moved_target: Option<PlaneTarget>,
    acquired: Vec<Option<Arc<Picture>>>,
    start: Option<PatientFromProbe>,
}

impl Session {
    /// Makes everything ready and begins to record; the first step starts the first task.
    ///
    /// # Errors
    /// [`SessionError`]; no recording has been begun then.
    pub fn begin(setup: Setup) -> Result<Self, SessionError> {
        let Setup {
            scenario,
            patient,
            patient_said,
            seed,
            recording,
        } = setup;
        scenario.check_patient(&patient)?;
        let header = Header {
            engine: engine(),
            scenario: scenario.text.clone(),
            patient: patient_said,
            patient_digest: patient_digest(&patient),
            structures: patient.structures.iter().map(|s| s.id.clone()).collect(),
            probe: scenario.probe.id.clone(),
            seed,
            ticks_per_s: TICKS_PER_S,
        };
        let console = equipment::Console::preset(&scenario.preset.id)?;
        let body = Arc::new(Body::new(patient)?);
        let procedure = Procedure::new(body, scenario.probe, console, seed)?;
        let targets = targets(&scenario, &procedure)?;
        let start = start(&scenario, &procedure)?;
        let recorder = recording
            .map(|path| Recorder::create(path, &header))
            .transpose()?;
        Ok(Self {
            imaging: Imaging::new(scenario.probe, PICTURE),
            acquired: vec![None; scenario.tasks.len()],
            steps: Vec::new(),
            active: None,
            moved_target: None,
            recorded: 0,
            scenario,
            procedure,
            targets,
            header,
            recorder,
            start,
        })
    }

    /// What is played.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The room.
    pub fn procedure(&self) -> &Procedure {
        &self.procedure
    }

    /// What the tasks are to reach in this patient.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Where the probe is when the session begins; `None`: aside.
    pub fn start_pose(&self) -> Option<PatientFromProbe> {
        self.start
    }

    /// What holds for all steps.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// All steps so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The task being done; `None` before the first step and after the last task.
    pub fn active_task(&self) -> Option<usize> {
        self.active.map(|active| active.task)
    }

    /// Whether all tasks have ended.
    pub fn is_over(&self) -> bool {
        self.active.is_none() && !self.steps.is_empty()
    }

    /// Simulated time left for the task being done, s; `None` if it has no limit.
    pub fn remaining_s(&self) -> Option<f64> {
        let active = self.active?;
        let limit_s = self.scenario.tasks[active.task].time_limit_s?;
        let ticks = self.steps.len() as u64 - active.since;
        Some((limit_s - ticks as f64 / f64::from(TICKS_PER_S)).max(0.0))
    }

    /// One step: what hands did, what came of it. It is in the recording when this returns.
    ///
    /// # Errors
    /// The step could not be recorded yet, or its picture could not be made; the session went on, and
    /// the next step tries again to record what is missing.
    pub fn step(&mut self, inputs: Inputs) -> Result<Progress, SessionError> {
        let mut events = Vec::new();
        if self.steps.is_empty() {
            self.start_task(0, 0, &mut events);
        }
        let seen = self.procedure.step(&inputs);
        for (knob, why) in &seen.refused {
            events.push(Event::Refused {
                knob: knob.clone(),
                why: why.clone(),
            });
        }
        let capture = self.capture(&seen, &mut events);
        self.end_task(&seen, &mut events);
        let step = Step {
            tick: seen.tick,
            inputs,
            probe: seen.probe,
            settings: seen.settings_changed.then(|| self.settings()),
            frozen: seen.frozen,
            facts: seen.facts.clone(),
            events: events.clone(),
        };
        self.steps.push(step);
        self.record()?;
        Ok(Progress {
            seen,
            events,
            capture: capture?,
        })
    }

    /// Writes all steps that are not in the recording yet: what a full disk refused is written as soon
    /// as there is room.
    fn record(&mut self) -> Result<(), RecordingError> {
        if let Some(recorder) = &mut self.recorder {
            for step in &self.steps[self.recorded..] {
                recorder.step(step)?;
                self.recorded += 1;
            }
        }
        Ok(())
    }

    /// Ends a session that never began: what it has begun to record is taken away.
    pub fn give_up(mut self) {
        if let Some(recorder) = self.recorder.take() {
            let part = recorder.part().to_owned();
            drop(recorder);
            // A file that stays says only what the scenario was.
            let _ = std::fs::remove_file(part);
        }
    }

    /// The score so far.
    pub fn score(&self) -> SessionScore {
        scoring::score(&self.header, &self.steps, &self.scenario.tasks)
    }

    /// The exemplary picture of a task: the console at its preset, at the target's depth.
    ///
    /// # Errors
    /// Settings that the probe cannot do.
    pub fn exemplary(&mut self, task: usize) -> Result<Option<Arc<Picture>>, SessionError> {
        let Some(Target::Plane(target)) = self.targets.get(task) else {
            return Ok(None);
        };
        let preset = equipment::Console::preset(&self.scenario.preset.id)?;
        let shot = procedure::Shot {
            view: ultrasound::engine::View {
                gel_mm: procedure::GEL_MM,
                seed: self.header.seed,
                ..ultrasound::engine::View::at(target.patient_from_probe)
            },
            console: preset.turned(self.scenario.probe, "depth_mm", target.depth_mm)?,
            moved: None,
        };
        let medium = self.procedure.body().medium.clone();
        let picture = self.imaging.still(&medium, &shot)?;
        Ok(Some(Arc::new(picture.clone())))
    }

    /// Ends the session: the task being done is left, the recording closed.
    ///
    /// # Errors
    /// The recording cannot be closed; what was recorded is still there.
    pub fn finish(mut self) -> Result<Outcome, SessionError> {
        // First what cannot be made again.
        self.record()?;
        if let Some(recorder) = self.recorder.take() {
            recorder.close()?;
        }
        let exemplary = (0..self.targets.len())
            .map(|task| self.exemplary(task))
            .collect::<Result<_, _>>()?;
        Ok(Outcome {
            score: self.score(),
            header: self.header,
            steps: self.steps,
            acquired: self.acquired,
            exemplary,
        })
    }

    fn settings(&self) -> String {
        let text = self.procedure.console().to_ron();
        text.expect("a console that fits a probe has finite numbers")
    }

    fn start_task(&mut self, task: usize, tick: u64, events: &mut Vec<Event>) {
        let Some(target) = self.targets.get(task) else {
            self.active = None;
            return;
        };
        if let Target::Sweep(sweep) = target {
            let body = self.procedure.body();
            let structure = body.patient.structure_index(&sweep.structure);
            structure
                .into_iter()
                .for_each(|index| self.procedure.watch(index));
        }
        self.moved_target = None;
        self.active = Some(Active {
            task,
            since: tick,
            has_answer: matches!(target, Target::Sweep(_)),
        });
        events.push(Event::TaskStarted {
            task: task as u32,
            target: target.clone(),
        });
    }

    /// A captured picture is made from the step alone, so that it can be made again.
    fn capture(
        &mut self,
        seen: &Observations,
        events: &mut Vec<Event>,
    ) -> Result<Option<Capture>, SessionError> {
        let (true, Some(active)) = (seen.captured, &mut self.active) else {
            return Ok(None);
        };
        let Some(shot) = self.procedure.shot() else {
            return Ok(None);
        };
        let medium = self.procedure.body().medium.clone();
        let picture = Arc::new(self.imaging.still(&medium, &shot)?.clone());
        active.has_answer = true;
        if let Some(Target::Plane(target)) = self.targets.get(active.task) {
            let now = self.procedure.target_in(shot.moved.as_deref(), target);
            if self.moved_target.as_ref().unwrap_or(target) != &now {
                events.push(Event::TargetMoved {
                    task: active.task as u32,
                    target: Target::Plane(now.clone()),
                });
                self.moved_target = Some(now);
            }
        }
        events.push(Event::Captured {
            task: active.task as u32,
            picture: Digest::default().bytes(&picture.pixels).value(),
        });
        self.acquired[active.task] = Some(picture.clone());
        Ok(Some(Capture {
            task: active.task,
            picture,
        }))
    }

    fn end_task(&mut self, seen: &Observations, events: &mut Vec<Event>) {
        let Some(active) = self.active else {
            return;
        };
        let limit_s = self.scenario.tasks[active.task].time_limit_s;
        let ticks = seen.tick + 1 - active.since;
        let is_late = limit_s.is_some_and(|s| ticks as f64 >= s * f64::from(TICKS_PER_S));
        let outcome = match (seen.next, is_late, active.has_answer) {
            (true, _, true) => recording::Outcome::Answered,
            (true, _, false) => recording::Outcome::Left,
            (false, true, _) => recording::Outcome::TimedOut,
            (false, false, _) => return,
        };
        events.push(Event::TaskEnded {
            task: active.task as u32,
            outcome,
        });
        self.start_task(active.task + 1, seen.tick + 1, events);
    }
}

fn targets(scenario: &Scenario, procedure: &Procedure) -> Result<Vec<Target>, SessionError> {
    let target = |task: &scoring::Task| {
        let target = match &task.kind {
            TaskKind::Plane(asked) => procedure.plane_target(&asked.plane).map(Target::Plane),
            TaskKind::Sweep(asked) => procedure.sweep_target(&asked.structure).map(Target::Sweep),
        };
        target.map_err(|source| SessionError::Target {
            scenario: scenario.source.clone(),
            task: task.id.clone(),
            source,
        })
    };
    scenario.tasks.iter().map(target).collect()
}

fn start(
    scenario: &Scenario,
    procedure: &Procedure,
) -> Result<Option<PatientFromProbe>, SessionError> {
    let Some(start) = &scenario.start else {
        return Ok(None);
    };
    let target = procedure.plane_target(&start.plane);
    let target = target.map_err(|source| SessionError::Target {
        scenario: scenario.source.clone(),
        task: "start".to_owned(),
        source,
    })?;
    Ok(Some(
        procedure.on_skin(&start.applied_to(&target.patient_from_probe)),
    ))
}
