//! The messages' bodies as they stand in the file, version 1, and their way from and to [`Step`].
//!
//! They repeat the recorded types on purpose: a field renamed in the program does not rename it in
//! files that exist. What they look like to a reader is in `schemas/`.

use std::fmt;

use equipment::hand::PatientFromProbe;
use equipment::{Action, Breath, Inputs, Posture};
use geometry::{Point, Pose, Vector, frame};
use nalgebra as na;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::step::{
    Event, Facts, Header, Outcome, PlaneTarget, ProbeState, RequiredStructure, Seen, Step,
    SweepTarget, Target,
};

/// `/header`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeaderBody {
    engine: String,
    scenario: String,
    patient: String,
    patient_digest: Hex,
    structures: Vec<String>,
    probe: String,
    seed: u64,
    ticks_per_s: u32,
}

/// `/inputs`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputsBody {
    pub tick: u64,
    hand: Option<PoseBody>,
    actions: Vec<ActionBody>,
}

/// `/probe`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbeBody {
    pub tick: u64,
    patient_from_probe: PoseBody,
    press_mm: Double,
    force_n: Double,
}

/// `/settings`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsBody {
    pub tick: u64,
    pub text: String,
}

/// `/facts`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactsBody {
    pub tick: u64,
    contact: Single,
    seen: Vec<SeenBody>,
}

/// `/event`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventBody {
    pub tick: u64,
    event: EventKind,
}

/// `/step`, the last message of each step.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepBody {
    pub tick: u64,
    pub frozen: bool,
    /// Messages of this step before this one.
    pub messages: u32,
    /// Of the data of all messages of the file before this one. It stays the last field:
    /// [`crate::layout::holds_a_whole_step`] looks for it.
    pub digest: Hex,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum ActionBody {
    Turn { knob: String, to: Double },
    Freeze { on: bool },
    Capture,
    Next,
    Breathe { how: BreathBody },
    Lie { how: PostureBody },
    RaiseArm { on: bool },
    HeartRate { per_min: Double },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BreathBody {
    In,
    Out,
    Hold,
    Quietly,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PostureBody {
    Supine,
    LeftDecubitus,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PoseBody {
    place_mm: [Double; 3],
    quaternion_ijkw: [Double; 4],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenBody {
    structure: u16,
    visible_mm2: Single,
    shadowed_mm2: Single,
    new_cells: Vec<[i16; 3]>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum EventKind {
    TaskStarted { task: u32, target: TargetBody },
    TargetMoved { task: u32, target: TargetBody },
    Captured { task: u32, picture: Hex },
    TaskEnded { task: u32, outcome: OutcomeBody },
    Refused { knob: String, why: String },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeBody {
    Answered,
    Left,
    TimedOut,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum TargetBody {
    Plane {
        plane: String,
        center_mm: [Double; 3],
        lateral: [Double; 3],
        depth: [Double; 3],
        patient_from_probe: PoseBody,
        depth_mm: Double,
        required: Vec<RequiredBody>,
    },
    Sweep {
        structure: String,
        cells: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequiredBody {
    structure: String,
    exemplary_mm2: Double,
}

/// A 64-bit number as 16 hexadecimal digits: JSON's readers keep 53 bits of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hex(pub u64);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match u64::from_str_radix(&text, 16) {
            Ok(value) if text.len() == 16 && text.bytes().all(digit) => Ok(Self(value)),
            _ => Err(D::Error::invalid_value(
                Unexpected::Str(&text),
                &"16 hexadecimal digits",
            )),
        }
    }
}

/// A float that JSON has no number for as text, all others as the shortest number that reads back
/// as the same bits. The bits of a NaN are not kept.
#[derive(Clone, Copy)]
struct Double(f64);

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            finite if finite.is_finite() => serializer.serialize_f64(finite),
            f64::INFINITY => serializer.serialize_str("inf"),
            f64::NEG_INFINITY => serializer.serialize_str("-inf"),
            _ => serializer.serialize_str("NaN"),
        }
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DoubleVisitor)
    }
}

struct DoubleVisitor;

impl Visitor<'_> for DoubleVisitor {
    type Value = Double;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, `NaN`, `inf` or `-inf`")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Double, E> {
        Ok(Double(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Double, E> {
        Ok(Double(value as f64))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Double, E> {
        Ok(Double(value as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Double, E> {
        match text {
            "NaN" => Ok(Double(f64::NAN)),
            "inf" => Ok(Double(f64::INFINITY)),
            "-inf" => Ok(Double(f64::NEG_INFINITY)),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

/// A float of 32 bits.
#[derive(Clone, Copy)]
struct Single(f32);

impl Single {
    /// The number with the fewest digits that, read as a float of 64 bits as JSON's readers do,
    /// rounds back to this one. The shortest for 32 bits alone is not enough: 7.038531e-26, read
    /// that way, becomes its neighbour.
    fn widened(self) -> f64 {
        match format!("{:e}", self.0).parse::<f64>() {
            Ok(short) if (short as f32).to_bits() == self.0.to_bits() => short,
            _ => f64::from(self.0),
        }
    }
}

impl Serialize for Single {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Double(self.widened()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Single {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Double::deserialize(deserializer).map(|Double(value)| Self(value as f32))
    }
}

impl From<&Header> for HeaderBody {
    fn from(header: &Header) -> Self {
        Self {
            engine: header.engine.clone(),
            scenario: header.scenario.clone(),
            patient: header.patient.clone(),
            patient_digest: Hex(header.patient_digest),
            structures: header.structures.clone(),
            probe: header.probe.clone(),
            seed: header.seed,
            ticks_per_s: header.ticks_per_s,
        }
    }
}

impl From<HeaderBody> for Header {
    fn from(body: HeaderBody) -> Self {
        Self {
            engine: body.engine,
            scenario: body.scenario,
            patient: body.patient,
            patient_digest: body.patient_digest.0,
            structures: body.structures,
            probe: body.probe,
            seed: body.seed,
            ticks_per_s: body.ticks_per_s,
        }
    }
}

impl InputsBody {
    /// Nothing where hands did nothing.
    pub fn of(step: &Step) -> Option<Self> {
        let Inputs { hand, actions } = &step.inputs;
        (hand.is_some() || !actions.is_empty()).then(|| Self {
            tick: step.tick,
            hand: hand.as_ref().map(PoseBody::from),
            actions: actions.iter().map(ActionBody::from).collect(),
        })
    }
}

impl From<InputsBody> for Inputs {
    fn from(body: InputsBody) -> Self {
        Self {
            hand: body.hand.map(PatientFromProbe::from),
            actions: body.actions.into_iter().map(Action::from).collect(),
        }
    }
}

impl From<&Action> for ActionBody {
    fn from(action: &Action) -> Self {
        match action {
            Action::Turn { knob, to } => Self::Turn {
                knob: knob.clone(),
                to: Double(*to),
            },
            Action::Freeze(on) => Self::Freeze { on: *on },
            Action::Capture => Self::Capture,
            Action::Next => Self::Next,
            Action::Breathe(how) => Self::Breathe {
                how: match how {
                    Breath::In => BreathBody::In,
                    Breath::Out => BreathBody::Out,
                    Breath::Hold => BreathBody::Hold,
                    Breath::Quietly => BreathBody::Quietly,
                },
            },
            Action::Lie(how) => Self::Lie {
                how: match how {
                    Posture::Supine => PostureBody::Supine,
                    Posture::LeftDecubitus => PostureBody::LeftDecubitus,
                },
            },
            Action::RaiseArm(on) => Self::RaiseArm { on: *on },
            Action::HeartRate(per_min) => Self::HeartRate {
                per_min: Double(*per_min),
            },
        }
    }
}

impl From<ActionBody> for Action {
    fn from(body: ActionBody) -> Self {
        match body {
            ActionBody::Turn { knob, to } => Self::Turn { knob, to: to.0 },
            ActionBody::Freeze { on } => Self::Freeze(on),
            ActionBody::Capture => Self::Capture,
            ActionBody::Next => Self::Next,
            ActionBody::Breathe { how } => Self::Breathe(match how {
                BreathBody::In => Breath::In,
                BreathBody::Out => Breath::Out,
                BreathBody::Hold => Breath::Hold,
                BreathBody::Quietly => Breath::Quietly,
            }),
            ActionBody::Lie { how } => Self::Lie(match how {
                PostureBody::Supine => Posture::Supine,
                PostureBody::LeftDecubitus => Posture::LeftDecubitus,
            }),
            ActionBody::RaiseArm { on } => Self::RaiseArm(on),
            ActionBody::HeartRate { per_min } => Self::HeartRate(per_min.0),
        }
    }
}

impl From<&PatientFromProbe> for PoseBody {
    fn from(pose: &PatientFromProbe) -> Self {
        let isometry = &pose.isometry;
        let q = &isometry.rotation.coords;
        Self {
            place_mm: triple(&isometry.translation.vector),
            quaternion_ijkw: [q.x, q.y, q.z, q.w].map(Double),
        }
    }
}

impl From<PoseBody> for PatientFromProbe {
    /// The quaternion stays as it was written: to bring it to length 1 again would change its last
    /// bits.
    fn from(body: PoseBody) -> Self {
        let quaternion = na::Quaternion::from(na::Vector4::from(body.quaternion_ijkw.map(|d| d.0)));
        Pose::from_isometry(na::Isometry3::from_parts(
            vector(body.place_mm).into(),
            na::UnitQuaternion::new_unchecked(quaternion),
        ))
    }
}

fn triple(vector: &na::Vector3<f64>) -> [Double; 3] {
    [vector.x, vector.y, vector.z].map(Double)
}

fn vector(triple: [Double; 3]) -> na::Vector3<f64> {
    na::Vector3::from(triple.map(|d| d.0))
}

impl ProbeBody {
    pub fn of(tick: u64, probe: &ProbeState) -> Self {
        Self {
            tick,
            patient_from_probe: PoseBody::from(&probe.patient_from_probe),
            press_mm: Double(probe.press_mm),
            force_n: Double(probe.force_n),
        }
    }
}

impl From<ProbeBody> for ProbeState {
    fn from(body: ProbeBody) -> Self {
        Self {
            patient_from_probe: body.patient_from_probe.into(),
            press_mm: body.press_mm.0,
            force_n: body.force_n.0,
        }
    }
}

impl FactsBody {
    pub fn of(tick: u64, facts: &Facts) -> Self {
        let seen = |seen: &Seen| SeenBody {
            structure: seen.structure,
            visible_mm2: Single(seen.visible_mm2),
            shadowed_mm2: Single(seen.shadowed_mm2),
            new_cells: seen.new_cells.clone(),
        };
        Self {
            tick,
            contact: Single(facts.contact),
            seen: facts.seen.iter().map(seen).collect(),
        }
    }
}

impl From<FactsBody> for Facts {
    fn from(body: FactsBody) -> Self {
        let seen = |body: SeenBody| Seen {
            structure: body.structure,
            visible_mm2: body.visible_mm2.0,
            shadowed_mm2: body.shadowed_mm2.0,
            new_cells: body.new_cells,
        };
        Self {
            contact: body.contact.0,
            seen: body.seen.into_iter().map(seen).collect(),
        }
    }
}

impl EventBody {
    pub fn of(tick: u64, event: &Event) -> Self {
        let event = match event {
            Event::TaskStarted { task, target } => EventKind::TaskStarted {
                task: *task,
                target: target.into(),
            },
            Event::TargetMoved { task, target } => EventKind::TargetMoved {
                task: *task,
                target: target.into(),
            },
            Event::Captured { task, picture } => EventKind::Captured {
                task: *task,
                picture: Hex(*picture),
            },
            Event::TaskEnded { task, outcome } => EventKind::TaskEnded {
                task: *task,
                outcome: (*outcome).into(),
            },
            Event::Refused { knob, why } => EventKind::Refused {
                knob: knob.clone(),
                why: why.clone(),
            },
        };
        Self { tick, event }
    }
}

impl From<EventBody> for Event {
    fn from(body: EventBody) -> Self {
        match body.event {
            EventKind::TaskStarted { task, target } => Self::TaskStarted {
                task,
                target: target.into(),
            },
            EventKind::TargetMoved { task, target } => Self::TargetMoved {
                task,
                target: target.into(),
            },
            EventKind::Captured { task, picture } => Self::Captured {
                task,
                picture: picture.0,
            },
            EventKind::TaskEnded { task, outcome } => Self::TaskEnded {
                task,
                outcome: outcome.into(),
            },
            EventKind::Refused { knob, why } => Self::Refused { knob, why },
        }
    }
}

impl From<Outcome> for OutcomeBody {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answered => Self::Answered,
            Outcome::Left => Self::Left,
            Outcome::TimedOut => Self::TimedOut,
        }
    }
}

impl From<OutcomeBody> for Outcome {
    fn from(body: OutcomeBody) -> Self {
        match body {
            OutcomeBody::Answered => Self::Answered,
            OutcomeBody::Left => Self::Left,
            OutcomeBody::TimedOut => Self::TimedOut,
        }
    }
}

impl From<&Target> for TargetBody {
    fn from(target: &Target) -> Self {
        let required = |required: &RequiredStructure| RequiredBody {
            structure: required.structure.clone(),
            exemplary_mm2: Double(required.exemplary_mm2),
        };
        match target {
            Target::Plane(target) => Self::Plane {
                plane: target.plane.clone(),
                center_mm: triple(&target.center.coords),
                lateral: triple(&target.lateral.coords),
                depth: triple(&target.depth.coords),
                patient_from_probe: PoseBody::from(&target.patient_from_probe),
                depth_mm: Double(target.depth_mm),
                required: target.required.iter().map(required).collect(),
            },
            Target::Sweep(target) => Self::Sweep {
                structure: target.structure.clone(),
                cells: target.cells,
            },
        }
    }
}

impl From<TargetBody> for Target {
    fn from(body: TargetBody) -> Self {
        let required = |body: RequiredBody| RequiredStructure {
            structure: body.structure,
            exemplary_mm2: body.exemplary_mm2.0,
        };
        match body {
            TargetBody::Plane {
                plane,
                center_mm,
                lateral,
                depth,
                patient_from_probe,
                depth_mm,
                required: structures,
            } => Self::Plane(PlaneTarget {
                plane,
                center: point(center_mm),
                lateral: direction(lateral),
                depth: direction(depth),
                patient_from_probe: patient_from_probe.into(),
                depth_mm: depth_mm.0,
                required: structures.into_iter().map(required).collect(),
            }),
            TargetBody::Sweep { structure, cells } => Self::Sweep(SweepTarget { structure, cells }),
        }
    }
}

fn point([x, y, z]: [Double; 3]) -> Point<frame::Patient> {
    Point::new(x.0, y.0, z.0)
}

fn direction([x, y, z]: [Double; 3]) -> Vector<frame::Patient> {
    Vector::new(x.0, y.0, z.0)
}
