//! What is asked for, understood as far as that goes without the patient; then with it.

use std::sync::Arc;

use anatomy::Patient;
use anatomy::deform::BodyState;
use anatomy::planes::StandardPlane;
use anatomy::tissue::DisplayName;
use equipment::{Console, Probe};
use ultrasound::grid::ScanGrid;

use super::hardware;
use super::motion::Motion;
use super::pose::{Held, PatientFromProbe, Turn, depth_of, face_of, moved_to, of_axes};
use super::sweep::{MOST_FRAMES, Standing, Stop, SweepDocument, Way};
use crate::args::{Language, ScanArguments};
use crate::failure::Failure;
use crate::patient::{check_plane, name_in, no_plane};
use procedure::skin::{Front, MOST_PRESS_MM, Skin};
use procedure::{Body, Mover, Procedure};

/// Smallest picture on which words fit beside the image, points.
const LEAST_SIZE: [u32; 2] = [480, 360];

/// Largest picture, points on a side.
const LARGEST_SIDE: u32 = 8192;

/// Thickest gel, mm.
const THICKEST_GEL_MM: f64 = 50.0;

/// Frames a second of a film of one pose.
const STILL_FPS: f64 = 20.0;

/// A scan whose words have all been understood.
pub struct Request {
    /// The probe.
    pub probe: Probe,
    /// What the machine is set to.
    pub console: Console,
    /// Thickness of the gel, mm.
    pub gel_mm: f64,
    /// Width and height of pictures, points.
    pub size: [u32; 2],
    /// Seed of everything random.
    pub seed: u64,
    /// Frames, if said.
    frames: Option<u32>,
    aim: Aim,
    motion: Motion,
}

/// Where the probe goes, as said.
enum Aim {
    /// What was said, and the pose that it says.
    Pose(String, PatientFromProbe),
    Plane(String),
    /// The file's name, and what is in it.
    Sweep(String, SweepDocument),
}

/// Where the probe is, frame by frame.
pub struct Course {
    /// What that shows, for people.
    pub shows: String,
    /// One pose a frame.
    pub poses: Vec<PatientFromProbe>,
    /// What the body is doing, frame by frame.
    pub states: Vec<BodyState>,
    /// How far the middle of the face lies inside the body, mm, frame by frame; 0 outside.
    pub inside_mm: Vec<f64>,
    /// What to say to have the one pose on the skin, if it is inside the body.
    pub on_skin: Option<String>,
    /// Frames a second of the film.
    pub fps: f64,
    /// The depth at which an exemplary picture shows the plane, mm.
    pub exemplary_depth_mm: Option<f64>,
}

impl Request {
    /// Understands the arguments.
    ///
    /// # Errors
    /// The first thing that makes no sense.
    pub fn of(arguments: &ScanArguments) -> Result<Self, Failure> {
        let probe = hardware::probe(&arguments.probe)?;
        let console = hardware::console(
            &probe,
            arguments.settings.as_deref(),
            arguments.preset.as_deref(),
        )?;
        Ok(Self {
            probe,
            console,
            gel_mm: gel(arguments.gel)?,
            size: size(&arguments.size)?,
            seed: arguments.seed,
            frames: arguments.frames.map(frames).transpose()?,
            aim: aim(arguments)?,
            motion: Motion::of(arguments)?,
        })
    }

    /// Frequency that is sent, MHz.
    pub fn frequency_mhz(&self) -> f64 {
        let own = self.probe.center_frequency_mhz;
        self.console.frequency_mhz.unwrap_or(own)
    }

    /// The poses in a patient, of a probe whose lines run so; planes are named in the language.
    ///
    /// # Errors
    /// A plane that the patient does not have; a line that misses the body.
    pub fn course(
        &self,
        body: &Arc<Body>,
        mover: &mut Mover,
        lines: &ScanGrid,
        language: Language,
    ) -> Result<Course, Failure> {
        let patient = &body.patient;
        let placing = Placing {
            patient,
            skin: mover.to(body, &self.motion.at(patient, 0.0)).skin(),
            front: Front::of(&self.probe.array, lines),
            gel_mm: self.gel_mm,
            room: Procedure::new(body.clone(), &self.probe, self.console.clone(), self.seed)
                .ok()
                .map(|room| room.in_state(&self.motion.at(patient, 0.0))),
        };
        let mut course = placing.course_of(&self.aim, self.frames, language)?;
        for (number, state) in course.states.iter_mut().enumerate() {
            *state = self.motion.at(patient, number as f64 / course.fps);
        }
        if self.motion.breathes() {
            placing.follow_skin(&mut course, body, mover);
        }
        Ok(course)
    }
}

fn aim(arguments: &ScanArguments) -> Result<Aim, Failure> {
    match (&arguments.pose, &arguments.plane, &arguments.sweep) {
        (Some(pose), _, _) => Ok(Aim::Pose(pose.clone(), Held::parse(pose)?.pose()?)),
        (_, Some(plane), _) => {
            check_plane(&arguments.patient, plane)?;
            Ok(Aim::Plane(plane.clone()))
        }
        (_, _, Some(sweep)) => {
            let name = sweep.file_stem().unwrap_or_default().to_string_lossy();
            Ok(Aim::Sweep(name.into_owned(), SweepDocument::open(sweep)?))
        }
        (None, None, None) => Err(Failure::new("say --pose, --plane or --sweep")),
    }
}

fn gel(gel_mm: f64) -> Result<f64, Failure> {
    if (0.0..=THICKEST_GEL_MM).contains(&gel_mm) {
        return Ok(gel_mm);
    }
    Err(Failure::new(format!(
        "--gel {gel_mm}: write a thickness from 0 to {THICKEST_GEL_MM} mm"
    )))
}

fn frames(count: u32) -> Result<u32, Failure> {
    if (1..=MOST_FRAMES).contains(&count) {
        return Ok(count);
    }
    Err(Failure::new(format!(
        "--frames {count}: write a number from 1 to {MOST_FRAMES}"
    )))
}

/// `WIDTHxHEIGHT`
fn size(text: &str) -> Result<[u32; 2], Failure> {
    let [least_width, least_height] = LEAST_SIZE;
    let refuse = |why: &str| {
        Err(Failure::new(format!(
            "--size {text}: {why}; write the width and height in points, from \
             {least_width}x{least_height} to {LARGEST_SIDE}x{LARGEST_SIDE}, such as --size 1280x960"
        )))
    };
    let numbers = text
        .split_once(['x', 'X', '×'])
        .and_then(|(w, h)| Some([w.trim().parse::<u32>().ok()?, h.trim().parse().ok()?]));
    match numbers {
        None => refuse("this is no size"),
        Some([w, h]) if w < least_width || h < least_height => {
            refuse("too small for the words beside the image")
        }
        Some([w, h]) if w.max(h) > LARGEST_SIDE => refuse("too large"),
        Some(size) => Ok(size),
    }
}

/// What is needed to put a probe onto a patient.
struct Placing<'a> {
    patient: &'a Patient,
    skin: Skin,
    /// None if the probe works from within a vessel.
    front: Option<Front>,
    gel_mm: f64,
    /// Where windows are looked for.
    room: Option<Procedure>,
}

impl<'a> Placing<'a> {
    fn still(&self, shows: String, pose: PatientFromProbe, frames: Option<u32>) -> Course {
        self.course(shows, vec![pose; frames.unwrap_or(1) as usize], STILL_FPS)
    }

    fn course(&self, shows: String, poses: Vec<PatientFromProbe>, fps: f64) -> Course {
        let inside_mm = |pose| self.skin.inside_mm(pose).unwrap_or(0.0);
        Course {
            shows,
            inside_mm: poses.iter().map(inside_mm).collect(),
            on_skin: None,
            states: vec![BodyState::default(); poses.len()],
            poses,
            fps,
            exemplary_depth_mm: None,
        }
    }

    /// The poses of an aim.
    fn course_of(
        &self,
        aim: &Aim,
        frames: Option<u32>,
        language: Language,
    ) -> Result<Course, Failure> {
        match aim {
            Aim::Pose(said, pose) => Ok(Course {
                on_skin: self.on_skin(said, pose),
                ..self.still(said.clone(), *pose, frames)
            }),
            Aim::Plane(name) => {
                let (title, plane) = self.plane_of(name)?;
                let (pose, depth_mm) = self.over(plane)?;
                let title = name_in(title, language).to_owned();
                Ok(Course {
                    exemplary_depth_mm: depth_mm,
                    ..self.still(title, pose, frames)
                })
            }
            Aim::Sweep(said, document) => self.sweep(said.clone(), document, frames),
        }
    }

    /// A hand that holds a probe on the skin goes with the skin.
    fn follow_skin(&self, course: &mut Course, body: &Body, mover: &mut Mover) {
        let Some(front) = &self.front else {
            return;
        };
        for (index, state) in course.states.iter().enumerate() {
            let pose = &course.poses[index];
            let Some(depth_mm) = self.skin.depth_mm(pose, front) else {
                continue;
            };
            if !(0.0..=MOST_PRESS_MM + 0.1).contains(&depth_mm) {
                continue;
            }
            let skin = mover.to(body, state).skin();
            if let Some(kept) = skin.keep_on(pose, front, self.gel_mm) {
                course.inside_mm[index] = skin.inside_mm(&kept).unwrap_or(0.0);
                course.poses[index] = kept;
            }
        }
    }

    /// As `said`, but drawn back out of the body and put on the skin there.
    fn on_skin(&self, said: &str, pose: &PatientFromProbe) -> Option<String> {
        let back_mm = self.skin.inside_mm(pose)?;
        let out = moved_to(pose, face_of(pose) + depth_of(pose) * -back_mm);
        let front = self.front.as_ref();
        let held = front.and_then(|front| self.skin.keep_on(&out, front, self.gel_mm));
        let held = held.unwrap_or(out);
        let [x, y, z] = face_of(&held).to_array();
        let (_, directions) = said.split_once(':')?;
        Some(format!("--pose={x:.1},{y:.1},{z:.1}:{directions}"))
    }

    /// A standard plane of the patient.
    fn plane_of(&self, name: &str) -> Result<(&'a DisplayName, &'a StandardPlane), Failure> {
        let found = self.patient.planes.iter().find(|(_, p)| p.id == name);
        let (title, plane) = found.ok_or_else(|| {
            let ids: Vec<&str> = self
                .patient
                .planes
                .iter()
                .map(|(_, p)| p.id.as_str())
                .collect();
            no_plane(name, &ids, |id| self.patient.structure(id).is_some())
        })?;
        Ok((title, plane))
    }

    /// The probe on the skin where the plane is seen best, and the depth that shows it; straight
    /// over it where nothing shows all that it has to.
    fn over(&self, plane: &StandardPlane) -> Result<(PatientFromProbe, Option<f64>), Failure> {
        let front = self.front.as_ref().ok_or_else(|| {
            Failure::new(
                "this probe works within a vessel, not on the skin; give --pose instead of a plane",
            )
        })?;
        let window = self
            .room
            .as_ref()
            .and_then(|room| room.plane_target(&plane.id).ok());
        match window {
            Some(window) => Ok((window.patient_from_probe, Some(window.depth_mm))),
            None => Ok((self.straight_over(plane, front)?, None)),
        }
    }

    /// The same, turned as a hand turns a probe on the skin.
    fn turned_over(&self, plane: &StandardPlane, turn: Turn) -> Result<PatientFromProbe, Failure> {
        let (on_skin, _) = self.over(plane)?;
        if turn == Turn::default() {
            return Ok(on_skin);
        }
        let turned = turn.applied_to(&on_skin);
        let front = self.front.as_ref();
        let kept = front.and_then(|front| self.skin.keep_on(&turned, front, self.gel_mm));
        Ok(kept.unwrap_or(turned))
    }

    fn straight_over(
        &self,
        plane: &StandardPlane,
        front: &Front,
    ) -> Result<PatientFromProbe, Failure> {
        let aim = of_axes(plane.center, plane.lateral.coords, plane.depth.coords);
        self.skin.put(&aim, front, self.gel_mm).ok_or_else(|| {
            Failure::new(format!(
                "plane `{}`: the line on which the probe looks misses the body; give --pose",
                plane.id
            ))
        })
    }

    /// A pose of a sweep put on the skin that is nearest before or behind it.
    fn nearest_skin(&self, pose: &PatientFromProbe) -> Result<PatientFromProbe, Failure> {
        let front = self.front.as_ref().ok_or_else(|| {
            Failure::new(
                "this probe works within a vessel: leave `on_skin` out of the sweep's poses",
            )
        })?;
        let [x, y, z] = face_of(pose).to_array();
        let held = self.skin.keep_on(pose, front, self.gel_mm);
        held.ok_or_else(|| {
            Failure::new(format!(
                "the sweep's pose at ({x}, {y}, {z}) mm is to be `on_skin`, but the line on which the \
                 probe looks there misses the body; mend its place or its direction"
            ))
        })
    }

    fn sweep(
        &self,
        shows: String,
        document: &SweepDocument,
        frames: Option<u32>,
    ) -> Result<Course, Failure> {
        let ids = self
            .patient
            .planes
            .iter()
            .map(|(_, plane)| plane.id.as_str());
        let file = document.of_patient(ids)?;
        let stops = file.poses.iter().map(|stop| self.standing(stop));
        let way = Way::new(stops.collect::<Result<_, _>>()?);
        let on_way = way.frames(frames.unwrap_or_else(|| way.frame_count()));
        let kept = |pose| self.skin.keep_on(&pose, self.front.as_ref()?, self.gel_mm);
        // Where there is no skin ahead the probe stays on the straight way, in air.
        let poses = on_way.into_iter().map(|step| match step.sliding {
            true => kept(step.pose).unwrap_or(step.pose),
            false => step.pose,
        });
        Ok(self.course(shows, poses.collect(), file.fps))
    }

    fn standing(&self, stop: &Stop) -> Result<Standing, Failure> {
        let (pose, on_skin, frames) = match stop {
            Stop::Plane { name, frames, .. } => {
                let (_, plane) = self.plane_of(name)?;
                (self.turned_over(plane, stop.turn())?, true, *frames)
            }
            &Stop::Pose {
                at,
                lateral,
                depth,
                frames,
                on_skin,
                ..
            } => {
                let held = Held { at, lateral, depth };
                let pose = stop.turn().applied_to(&held.pose()?);
                let pose = match on_skin {
                    true => self.nearest_skin(&pose)?,
                    false => pose,
                };
                (pose, on_skin, frames)
            }
        };
        Ok(Standing {
            pose,
            on_skin,
            frames,
        })
    }
}
