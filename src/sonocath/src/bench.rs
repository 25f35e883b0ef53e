//! `sonocath bench …`: how fast this machine is. The only place with a clock.
//!
//! One line a figure: `<case> <figure> frames/s`, `<case> share <stage> <percent> %`,
//! `<case> <figure> ms pose to picture`. A frame is everything from the pose to the grey picture on
//! the screen; from frame to frame the probe tilts a little and time goes on, so that nothing of
//! the last frame serves the next.

mod rival;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anatomy::Patient;
use anatomy::tissue::TissueTable;
use equipment::{Console, Probe};
use serde_json::{Value, json};
use ultrasound::display::{Compensation, Display, Picture, PictureSize};
use ultrasound::engine::{Imager, Medium, Stage, View};

use crate::args::{BenchCommand, BenchUltrasoundArguments};
use crate::failure::Failure;
use crate::patient;
use crate::scan::pose::{Held, PatientFromProbe, Toward, Turn, of_axes};
use crate::terminal::Terminal;
use procedure::skin::{Front, Skin};

use self::rival::Rival;

/// The plane that is looked at, if the patient has it.
const PLANE: &str = "liver_transverse";

/// Thickness of the gel, mm.
const GEL_MM: f64 = 5.0;

/// The picture that frames are shown as, points.
const PICTURE: PictureSize = PictureSize {
    width: 1024,
    height: 768,
};

/// The fewest frames that a figure is made of.
const LEAST_FRAMES: usize = 3;

/// Samples of a line for which speed is measured.
const SAMPLES: [u32; 4] = [512, 1024, 2048, 4096];

/// Scatterers in a resolution cell for which speed is measured.
const DENSITIES: [f64; 4] = [15.0, 30.0, 60.0, 120.0];

/// The longest case, s.
const LONGEST_S: f64 = 3600.0;

/// Runs one of the benches.
pub fn run(command: &BenchCommand, terminal: &Terminal) -> Result<ExitCode, Failure> {
    match command {
        BenchCommand::Ultrasound(arguments) => ultrasound(arguments, terminal),
    }
}

fn ultrasound(
    arguments: &BenchUltrasoundArguments,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let length = length(arguments.seconds)?;
    let pool = pool(arguments.threads)?;
    let patient = patient::open(&arguments.patient, terminal)?;
    let figures = pool.install(|| Bench::new(&patient, length)?.all())?;
    let text: String = figures.iter().map(|figure| figure.line() + "\n").collect();
    let values: Vec<Value> = figures.iter().map(Figure::json).collect();
    let threads = pool.current_num_threads();
    terminal.report(&text, &json!({ "threads": threads, "figures": values }));
    Ok(ExitCode::SUCCESS)
}

fn length(seconds: f64) -> Result<Duration, Failure> {
    if seconds > 0.0 && seconds <= LONGEST_S {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(Failure::new(format!(
        "--seconds {seconds}: write how long each case is to be measured, above 0 and at most {LONGEST_S} s"
    )))
}

fn pool(threads: Option<usize>) -> Result<rayon::ThreadPool, Failure> {
    const MOST: usize = 1024;
    if let Some(count) = threads.filter(|count| !(1..=MOST).contains(count)) {
        return Err(Failure::new(format!(
            "--threads {count}: write a number from 1 to {MOST}"
        )));
    }
    // 0 is rayon's word for all of them.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0));
    Ok(pool.build()?)
}

/// One measured thing.
struct Figure {
    case: String,
    /// What of the case; the whole if none.
    part: Option<&'static str>,
    value: f64,
    unit: &'static str,
}

impl Figure {
    fn line(&self) -> String {
        let part = self
            .part
            .map_or_else(String::new, |part| format!("share {part} "));
        format!("{} {part}{:.1} {}", self.case, self.value, self.unit)
    }

    fn json(&self) -> Value {
        json!({ "case": self.case, "share_of": self.part, "value": self.value, "unit": self.unit })
    }
}

/// What all cases share.
struct Bench<'a> {
    patient: &'a Patient,
    medium: Medium,
    length: Duration,
}

impl<'a> Bench<'a> {
    fn new(patient: &'a Patient, length: Duration) -> Result<Self, Failure> {
        Ok(Self {
            patient,
            medium: Medium::of_patient(patient, TissueTable::builtin())?,
            length,
        })
    }

    fn all(&self) -> Result<Vec<Figure>, Failure> {
        let mut figures = Vec::new();
        let abdomen = |samples| console("C5-2v", 160.0, 128, samples);
        let mut case = self.case("C5-2v", abdomen(1024)?, None)?;
        case.speed("c5-2v-abdomen-128x1024", &mut figures);
        figures.push(self.rival("bare-projection-128x1024"));
        case.latency("c5-2v-abdomen-128x1024", &mut figures);
        case.facts("facts-only", &mut figures);
        let near = console("L11-5v", 40.0, 192, 2048)?;
        let mut case = self.case("L11-5v", near, None)?;
        case.speed("l11-5v-192x2048", &mut figures);
        for samples in SAMPLES {
            let mut case = self.case("C5-2v", abdomen(samples)?, None)?;
            let name = format!("c5-2v-samples-{samples}");
            figures.push(case.frames(name).figure());
        }
        for density in DENSITIES {
            let mut case = self.case("C5-2v", abdomen(1024)?, Some(density))?;
            let measured = case.frames(String::new());
            let name = format!("c5-2v-density-{density}-scatterers-{}", measured.scatterers);
            figures.push(Measured { name, ..measured }.figure());
        }
        Ok(figures)
    }

    /// What a bare projection of 0.92 M scatterers makes on this machine.
    fn rival(&self, name: &str) -> Figure {
        let mut rival = Rival::new();
        let mut turn = 0.0;
        let (frames, seconds) = repeat(self.length, || {
            turn += 1e-4;
            rival.frame(turn);
            std::hint::black_box(&rival.picture);
        });
        Measured {
            name: name.to_owned(),
            frames,
            seconds,
            stages: Vec::new(),
            scatterers: 0,
        }
        .figure()
    }

    fn case(
        &self,
        probe: &str,
        console: Console,
        density: Option<f64>,
    ) -> Result<Case<'_>, Failure> {
        let probe = Probe::named(probe)?;
        console.fit(probe)?;
        let imager = match density {
            None => Imager::new(probe, &console)?,
            Some(density) => Imager::with_density(probe, &console, density)?,
        };
        let display = Display::new(
            &imager.grids(),
            &console,
            Compensation::of_machine(&imager, &console),
            PICTURE,
        );
        Ok(Case {
            bench: self,
            pose: self.pose(probe, &imager)?,
            picture: display.picture(),
            display,
            imager,
            tick: 0,
        })
    }

    /// Over the plane, else on the front in the middle.
    fn pose(&self, probe: &Probe, imager: &Imager) -> Result<PatientFromProbe, Failure> {
        let scene = self.patient.scene()?;
        let planes = &self.patient.planes;
        let aim = match planes.iter().find(|(_, plane)| plane.id == PLANE) {
            Some((_, plane)) => of_axes(plane.center, plane.lateral.coords, plane.depth.coords),
            None => Held {
                at: scene.bounds().center().map(f64::from),
                lateral: Toward([-1.0, 0.0, 0.0]),
                depth: Toward([0.0, 1.0, 0.0]),
            }
            .pose()?,
        };
        let front = Front::of(&probe.array, &imager.grids()[0]);
        let on_skin = front.and_then(|front| Skin::new(scene).put(&aim, &front, GEL_MM));
        on_skin.ok_or_else(|| Failure::new("the probe finds no skin on this patient"))
    }
}

fn console(probe: &str, depth_mm: f64, lines: u32, samples: u32) -> Result<Console, Failure> {
    Ok(Console {
        depth_mm,
        lines,
        samples,
        compounding_deg: Vec::new(),
        zoom: None,
        ..Console::default_for(Probe::named(probe)?)
    })
}

/// One probe at one setting on the patient.
struct Case<'a> {
    bench: &'a Bench<'a>,
    imager: Imager,
    display: Display,
    picture: Picture,
    pose: PatientFromProbe,
    tick: u64,
}

/// Frames and how long they took.
struct Measured {
    name: String,
    frames: usize,
    seconds: f64,
    /// By stage, in the order in which they are done.
    stages: Vec<(&'static str, f64)>,
    /// Of the last frame.
    scatterers: u64,
}

impl Measured {
    fn figure(&self) -> Figure {
        Figure {
            case: self.name.clone(),
            part: None,
            value: self.frames as f64 / self.seconds,
            unit: "frames/s",
        }
    }
}

impl Case<'_> {
    /// Frames a second, and the shares of the stages.
    fn speed(&mut self, name: &str, figures: &mut Vec<Figure>) {
        let measured = self.frames(name.to_owned());
        figures.push(measured.figure());
        let whole: f64 = measured.stages.iter().map(|(_, seconds)| seconds).sum();
        figures.extend(measured.stages.iter().map(|&(stage, seconds)| Figure {
            case: name.to_owned(),
            part: Some(stage),
            value: 100.0 * seconds / whole,
            unit: "%",
        }));
    }

    /// How long after the pose the picture is there: the median.
    fn latency(&mut self, name: &str, figures: &mut Vec<Figure>) {
        let mut times = Vec::new();
        self.repeat(|case| {
            let started = now();
            case.frame(&mut |_| {});
            times.push(started.elapsed().as_secs_f64());
        });
        times.sort_by(f64::total_cmp);
        figures.push(Figure {
            case: name.to_owned(),
            part: None,
            value: 1000.0 * times[times.len() / 2],
            unit: "ms pose to picture",
        });
    }

    fn facts(&mut self, name: &str, figures: &mut Vec<Figure>) {
        let (frames, seconds) = self.repeat(|case| {
            let view = case.next_view();
            std::hint::black_box(case.imager.facts(&case.bench.medium, &view));
        });
        figures.push(Figure {
            case: name.to_owned(),
            part: None,
            value: frames as f64 / seconds,
            unit: "frames/s",
        });
    }

    fn frames(&mut self, name: String) -> Measured {
        let mut clock = StageClock::default();
        let mut scatterers = 0;
        let (frames, seconds) = self.repeat(|case| {
            clock.start();
            scatterers = case.frame(&mut |stage| clock.done(stage_name(stage)));
            clock.done("display");
        });
        Measured {
            name,
            frames,
            seconds,
            stages: clock.stages,
            scatterers,
        }
    }

    /// As [`repeat`].
    fn repeat(&mut self, mut work: impl FnMut(&mut Self)) -> (usize, f64) {
        repeat(self.bench.length, || work(self))
    }

    /// From the pose to the picture; returns how many scatterers were in it.
    fn frame(&mut self, done: &mut dyn FnMut(Stage)) -> u64 {
        let view = self.next_view();
        let frame = self.imager.frame_watched(&self.bench.medium, &view, done);
        let shown = self
            .display
            .render(&frame.looks, view.tick, &mut self.picture);
        debug_assert!(shown.is_ok(), "the display was made for these looks");
        frame.account.scatterers
    }

    fn next_view(&mut self) -> View {
        self.tick += 1;
        let turn = Turn {
            tilt_deg: 5.0 * libm::sin(0.1 * self.tick as f64),
            ..Turn::default()
        };
        View {
            gel_mm: GEL_MM,
            tick: self.tick,
            ..View::at(turn.applied_to(&self.pose))
        }
    }
}

/// Does it until the time is over, once before it for nothing; returns how often and how long.
fn repeat(length: Duration, mut work: impl FnMut()) -> (usize, f64) {
    work();
    let started = now();
    let mut count = 0;
    while count < LEAST_FRAMES || started.elapsed() < length {
        work();
        count += 1;
    }
    (count, started.elapsed().as_secs_f64())
}

/// Sums up how long the stages of a frame take.
#[derive(Default)]
struct StageClock {
    last: Option<Instant>,
    stages: Vec<(&'static str, f64)>,
}

impl StageClock {
    fn start(&mut self) {
        self.last = Some(now());
    }

    fn done(&mut self, stage: &'static str) {
        let now = now();
        let seconds = self
            .last
            .replace(now)
            .map_or(0.0, |last| (now - last).as_secs_f64());
        match self.stages.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, sum)) => *sum += seconds,
            None => self.stages.push((stage, seconds)),
        }
    }
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Paths => "paths",
        Stage::Interfaces => "interfaces",
        Stage::Tissue => "tissue",
        Stage::Receive => "receive",
        Stage::Truth => "truth",
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "a bench measures wall time; this is a shell"
)]
fn now() -> Instant {
    Instant::now()
}
