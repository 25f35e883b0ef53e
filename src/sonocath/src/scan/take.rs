//! Frame after frame: made, shown, written.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anatomy::Patient;
use anatomy::tissue::TissueTable;
use serde_json::{Value, json};
use ultrasound::display::{Display, Picture, TruthPicture};
use ultrasound::frame::{BmodeFrame, Facts, Look};

use super::film::{self, Film};
use super::folder::{FILES_KEY, MANIFEST, VERSION_KEY, io_at};
use super::json::{self, FrameWords, LookFiles, TruthFiles};
use super::labels::{Labels, Onto};
use super::pose::PatientFromProbe;
use super::request::Course;
use super::screen::Screen;
use super::{frame_name, npy};
use crate::drawing::{encode_indexed_png, encode_png};
use crate::failure::Failure;

/// Version of the manifest.
const MANIFEST_VERSION: u32 = 1;

/// What is to be written beside pictures.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Arrays and facts.
    pub raw: bool,
    /// Pictures of the truth; with `raw`, arrays of it too.
    pub labels: bool,
}

/// What a take is made with.
pub struct Studio<'a> {
    /// Where to write.
    pub folder: PathBuf,
    /// What to write.
    pub wanted: Wanted,
    /// Whom it shows.
    pub patient: &'a Patient,
    /// What holds for all frames.
    pub setting: &'a Value,
    /// Frames in all.
    pub count: usize,
    /// The screen that pictures are shown on.
    pub screen: Screen<'a>,
    /// What makes pictures.
    pub display: Display,
}

/// A scan being written.
pub struct Take<'a> {
    studio: Studio<'a>,
    picture: Picture,
    truth: TruthPicture,
    labels: Labels,
    onto: Onto,
    files: Vec<String>,
    frames: Vec<Value>,
    contact: Vec<f64>,
    in_view_mm2: Vec<f32>,
}

/// A scan that was written.
pub struct Scan {
    /// Everything in its folder.
    pub files: Vec<String>,
    /// Share of the lines with contact, frame by frame.
    pub contact: Vec<f64>,
    /// The most that is visible of each structure in a frame.
    pub in_view_mm2: Vec<f32>,
    /// The film, if one was asked for.
    pub film: Option<Film>,
}

impl<'a> Take<'a> {
    /// A take of which nothing is written yet.
    pub fn new(studio: Studio<'a>) -> Self {
        let structures = studio.patient.structures.len();
        Self {
            picture: studio.display.picture(),
            truth: studio.display.empty_truth(),
            labels: Labels::new(studio.patient, TissueTable::builtin()),
            onto: Onto {
                size: studio.screen.size(),
                area: studio.screen.area(),
            },
            studio,
            files: Vec::new(),
            frames: Vec::new(),
            contact: Vec::new(),
            in_view_mm2: vec![0.0; structures],
        }
    }

    /// Shows and writes the next frame.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn add(&mut self, frame: &BmodeFrame, pose: &PatientFromProbe) -> Result<(), Failure> {
        let number = self.frames.len();
        self.studio
            .display
            .render(&frame.looks, number as u64, &mut self.picture)?;
        let image = self
            .studio
            .screen
            .draw(&self.picture, number, self.studio.count);
        self.write(frame_name(number), |to| encode_png(to, &image))?;
        if self.studio.wanted.labels {
            self.write_labels(number, frame)?;
        }
        if self.studio.wanted.raw {
            self.write_raw(number, frame, pose)?;
        }
        self.note(&frame.facts);
        self.frames.push(json!({
            "picture": frame_name(number),
            "tick": number,
            "pose": json::of_pose(pose),
            "contact": json::short(frame.facts.contact),
            "in_view_mm2": in_view(&frame.facts, self.studio.patient),
        }));
        Ok(())
    }

    fn note(&mut self, facts: &Facts) {
        self.contact.push(json::short(facts.contact));
        for (most, seen) in self.in_view_mm2.iter_mut().zip(&facts.structures) {
            *most = most.max(seen.visible_mm2);
        }
    }

    /// Whether frames have to come with their truth.
    pub fn wants_truth(&self) -> bool {
        self.studio.wanted.labels
    }

    /// Writes a text.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn write_text(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        self.write(name.to_owned(), |to| to.write_all(text.as_bytes()))
    }

    /// Makes the film of the frames written so far.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn film(&mut self, fps: f64) -> Result<Film, Failure> {
        let folder = &self.studio.folder;
        let film = film::make(folder, self.frames.len() as u32, fps).map_err(io_at(folder))?;
        self.files.push(film.file.to_owned());
        Ok(film)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn finish(mut self, course: &Course, film: Option<Film>) -> Result<Scan, Failure> {
        self.files.sort();
        let manifest = json!({
            VERSION_KEY: MANIFEST_VERSION,
            FILES_KEY: self.files,
            "setting": self.studio.setting,
            "shows": course.shows,
            "fps": course.fps,
            "film": film.as_ref().map(|film| film.file),
            "picture": self.place_of_picture(),
            "frames": self.frames,
        });
        self.write_text(MANIFEST, &format!("{manifest:#}\n"))?;
        Ok(Scan {
            files: self.files,
            contact: self.contact,
            in_view_mm2: self.in_view_mm2,
            film,
        })
    }

    /// Which place of the scan plane is at which point of the pictures.
    fn place_of_picture(&self) -> Value {
        let (geometry, area) = (&self.picture.geometry, self.onto.area);
        let step = |along: bool| if along { 1.0 } else { -1.0 } * geometry.mm_per_pixel;
        json!({
            "size": self.onto.size,
            "image": { "left": area.x, "top": area.y, "width": area.w, "height": area.h },
            "first_point_mm": { "x": geometry.origin_mm[0], "z": geometry.origin_mm[1] },
            "step_mm": { "x": step(geometry.x_to_right), "z": step(geometry.z_down) },
        })
    }

    fn write_labels(&mut self, number: usize, frame: &BmodeFrame) -> Result<(), Failure> {
        self.studio
            .display
            .truth_picture(0, &frame.looks[0], &mut self.truth)?;
        let structures = self.labels.structures(&self.truth, &self.onto);
        let paths = Labels::paths(&self.truth, &self.onto);
        self.write(format!("labels-{number:04}.png"), |to| {
            encode_indexed_png(to, &structures)
        })?;
        self.write(format!("paths-{number:04}.png"), |to| {
            encode_indexed_png(to, &paths)
        })
    }

    fn write_raw(
        &mut self,
        number: usize,
        frame: &BmodeFrame,
        pose: &PatientFromProbe,
    ) -> Result<(), Failure> {
        let mut files = Vec::new();
        for (index, look) in frame.looks.iter().enumerate() {
            // The straight look's files have the frame's number alone.
            let of = match index {
                0 => format!("{number:04}"),
                _ => format!("{number:04}-look{index}"),
            };
            files.push(self.write_look(&of, look)?);
        }
        let text = json::of_frame(&FrameWords {
            number,
            frame,
            pose,
            patient: self.studio.patient,
            files: &files,
            setting: self.studio.setting,
        });
        self.write(format!("frame-{number:04}.json"), |to| {
            serde_json::to_writer(to, &text).map_err(io::Error::from)
        })
    }

    fn write_look(&mut self, of: &str, look: &Look) -> Result<LookFiles, Failure> {
        let shape = [look.grid.lines, look.grid.samples];
        let iq = self.named(format!("iq-{of}.npy"), |to| {
            npy::write(to, &shape, look.iq.iter().copied())
        })?;
        let envelope = self.named(format!("envelope-{of}.npy"), |to| {
            npy::write(to, &shape, look.envelope.iter().copied())
        })?;
        let truth = match look.truth.is_empty() {
            true => None,
            false => Some(self.write_truth(of, look)?),
        };
        Ok(LookFiles {
            iq,
            envelope,
            truth,
        })
    }

    fn write_truth(&mut self, of: &str, look: &Look) -> Result<TruthFiles, Failure> {
        let shape = [look.grid.lines, look.grid.samples];
        let truth = || look.truth.iter();
        Ok(TruthFiles {
            structure: self.named(format!("structure-{of}.npy"), |to| {
                npy::write(to, &shape, truth().map(|t| t.structure))
            })?,
            shadowed_by: self.named(format!("shadow-{of}.npy"), |to| {
                npy::write(to, &shape, truth().map(|t| t.shadowed_by))
            })?,
            path: self.named(format!("path-{of}.npy"), |to| {
                npy::write(to, &shape, truth().map(|t| t.path as u8))
            })?,
            place: self.named(format!("place-{of}.npy"), |to| {
                let shape = [shape[0], shape[1], 3];
                let places: Vec<f32> = truth().flat_map(|t| t.place_mm).collect();
                npy::write(to, &shape, places.into_iter())
            })?,
        })
    }

    fn named(
        &mut self,
        name: String,
        encode: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<String, Failure> {
        self.write(name.clone(), encode)?;
        Ok(name)
    }

    fn write(
        &mut self,
        name: String,
        encode: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let path = self.studio.folder.join(&name);
        let written = File::create(&path).and_then(|file| {
            let mut to = BufWriter::new(file);
            encode(&mut to)?;
            to.flush()
        });
        written.map_err(io_at(&path))?;
        self.files.push(name);
        Ok(())
    }
}

/// Visible area of what is in view, by structure.
fn in_view(facts: &Facts, patient: &Patient) -> Value {
    let seen = patient.structures.iter().zip(&facts.structures);
    seen.filter(|(_, seen)| seen.visible_mm2 > 0.0)
        .map(|(structure, seen)| (structure.id.clone(), json!(json::short(seen.visible_mm2))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
