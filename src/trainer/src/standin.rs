//! A player that plays nothing: a cheap fan of grey for work on the room, and a load for
//! measuring it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anatomy::tissue::DisplayName;
use equipment::{Action, Console, Probe};
use scoring::{Advice, Band, Item, Measure, Move, TaskScore};
use ultrasound::display::{Picture, PictureGeometry};

use crate::hand::SkinHand;
use crate::shown::{Command, PictureShown, Player, ProbeShown, Shown, Stats, TaskShown, TaskState};

/// How the stand-in behaves.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Pictures per second.
    pub images_per_s: f64,
    /// Processor time burnt for each, ms.
    pub busy_ms: f64,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            images_per_s: 18.0,
            busy_ms: 25.0,
        }
    }
}

/// The stand-in.
pub struct StandIn {
    shown: Arc<Mutex<Arc<Shown>>>,
    commands: Sender<Command>,
    left: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
}

impl StandIn {
    /// Starts a worker that draws at a rate.
    pub fn start(probe: &Probe, load: Load) -> Self {
        let first = Arc::new(first_shown(probe));
        let shown = Arc::new(Mutex::new(Arc::clone(&first)));
        let (commands, receive) = mpsc::channel();
        let left = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            probe: probe.clone(),
            now: (*first).clone(),
            out: Arc::clone(&shown),
            receive,
            left: Arc::clone(&left),
            hand: None,
        };
        let worker = std::thread::spawn(move || worker.run(load));
        Self {
            shown,
            commands,
            left,
            worker: Some(worker),
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.left.store(true, Ordering::Relaxed);
        if let Some(worker) = self.worker.take() {
            // A worker that panicked has said so itself.
            let _ = worker.join();
        }
    }
}

impl Player for StandIn {
    fn latest(&self) -> Arc<Shown> {
        Arc::clone(
            &self
                .shown
                .lock()
                .unwrap_or_else(|broken| broken.into_inner()),
        )
    }

    fn send(&mut self, command: Command) {
        // The worker is gone only after `Quit`.
        let _ = self.commands.send(command);
    }
}

struct Worker {
    probe: Probe,
    now: Shown,
    out: Arc<Mutex<Arc<Shown>>>,
    receive: Receiver<Command>,
    left: Arc<AtomicBool>,
    hand: Option<SkinHand>,
}

#[allow(
    clippy::disallowed_methods,
    reason = "a stand-in for measuring: it needs a clock to keep its rate and burn its time"
)]
impl Worker {
    fn run(mut self, load: Load) {
        let begun = Instant::now();
        let every = Duration::from_secs_f64(1.0 / load.images_per_s.max(0.1));
        let mut next = begun;
        while !self.left.load(Ordering::Relaxed) {
            let started = Instant::now();
            while let Ok(command) = self.receive.try_recv() {
                self.follow(command);
            }
            self.now.seconds = begun.elapsed().as_secs_f64();
            self.now.remaining_s = Some((300.0 - self.now.seconds).max(0.0));
            self.draw();
            while started.elapsed().as_secs_f64() * 1e3 < load.busy_ms {
                (0..200).for_each(|_| std::hint::spin_loop());
            }
            self.now.stats = Stats {
                images_per_s: load.images_per_s,
                pose_to_image_p95_ms: started.elapsed().as_secs_f64() * 1e3,
            };
            *self.out.lock().unwrap_or_else(|broken| broken.into_inner()) =
                Arc::new(self.now.clone());
            next += every;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            next = next.max(Instant::now() - every);
        }
    }

    fn follow(&mut self, command: Command) {
        match command {
            Command::Hand(hand) => self.hand = hand,
            Command::Action(Action::Freeze(frozen)) => self.now.frozen = frozen,
            Command::Action(Action::Turn { knob, to }) => turn(&mut self.now.console, &knob, to),
            Command::Action(Action::Capture) => self.capture(),
            Command::Action(Action::Next) => self.next(),
            Command::Action(
                Action::Breathe(_) | Action::Lie(_) | Action::RaiseArm(_) | Action::HeartRate(_),
            )
            | Command::Language(_) => {}
            Command::Quit => self.left.store(true, Ordering::Relaxed),
        }
    }

    fn capture(&mut self) {
        let Some(task) = self
            .now
            .tasks
            .iter_mut()
            .find(|t| t.state == TaskState::Active)
        else {
            return;
        };
        let score = example_score(&task.name);
        (task.points, task.band) = (Some(score.points), Some(score.band));
        self.now.score = Some(Arc::new(score));
        self.now.frozen = true;
    }

    fn next(&mut self) {
        self.now.score = None;
        self.now.frozen = false;
        let tasks = &mut self.now.tasks;
        let Some(active) = tasks.iter().position(|t| t.state == TaskState::Active) else {
            return;
        };
        tasks[active].state = TaskState::Done;
        if let Some(next) = tasks.get_mut(active + 1) {
            next.state = TaskState::Active;
        }
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "pictures say when they were posed"
    )]
    fn draw(&mut self) {
        self.now.tick += 1;
        self.now.probe = self.hand.map(|hand| ProbeShown {
            patient_from_probe: hand.pose(),
            press_mm: hand.press_mm,
            force_n: 0.8 * hand.press_mm.max(0.0),
            contact: hand.press_mm > -1.0,
        });
        let Some(hand) = self.hand.filter(|_| !self.now.frozen) else {
            return;
        };
        let posed = Instant::now();
        let number = self.now.picture.as_ref().map_or(1, |p| p.number + 1);
        self.now.picture = Some(Arc::new(PictureShown {
            number,
            picture: fan(&self.probe, &self.now.console, number),
            patient_from_probe: hand.pose(),
            posed,
        }));
    }
}

fn turn(console: &mut Console, knob: &str, to: f64) {
    match knob {
        "depth_mm" => console.depth_mm = to,
        "gain_db" => console.gain_db = to,
        "dynamic_range_db" => console.dynamic_range_db = to,
        _ => {
            let slider = knob
                .strip_prefix("tgc_db.")
                .and_then(|i| i.parse::<usize>().ok());
            if let Some(db) = slider.and_then(|i| console.tgc_db.get_mut(i)) {
                *db = to;
            }
        }
    }
}

/// A grey fan with a few dark holes, speckled by a hash; cheap and nothing like physics.
pub fn fan(probe: &Probe, console: &Console, number: u64) -> Picture {
    /// Rows of the picture.
    const HEIGHT: usize = 480;
    let half = 0.5 * probe.opening_rad();
    let radius = match half > 0.0 {
        true => probe.aperture_mm() / (2.0 * half),
        false => 1e6,
    };
    let sag_mm = radius * (1.0 - libm::cos(half));
    let mm_per_pixel = (console.depth_mm + sag_mm) / HEIGHT as f64;
    let half_width = match half > 0.0 {
        true => (radius + console.depth_mm) * libm::sin(half),
        false => 0.5 * probe.aperture_mm(),
    };
    let width = (2.0 * half_width / mm_per_pixel) as usize + 1;
    let geometry = PictureGeometry {
        width,
        height: HEIGHT,
        mm_per_pixel,
        origin_mm: [half_width, -sag_mm],
        x_to_right: false,
        z_down: true,
    };
    let slope = libm::tan(half);
    let mut pixels = vec![0; geometry.len()];
    let mut mask = vec![0; geometry.len()];
    for y in 0..HEIGHT {
        for x in 0..width {
            let place = geometry.place_of_pixel(x as f64, y as f64);
            let from_apex = place.z() + radius;
            let range = (place.x() * place.x() + from_apex * from_apex).sqrt() - radius;
            let inside = half <= 0.0 || place.x().abs() <= from_apex * slope;
            if inside && (0.0..=console.depth_mm).contains(&range) {
                let index = y * width + x;
                mask[index] = 255;
                pixels[index] = gray(place.x(), range, console, index as u64 ^ (number << 32));
            }
        }
    }
    Picture {
        geometry,
        pixels,
        mask: mask.into(),
    }
}

fn gray(x_mm: f64, z_mm: f64, console: &Console, seed: u64) -> u8 {
    let hash = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) & 0xFF;
    let hole = |cx: f64, cz: f64, r: f64| (x_mm - cx).powi(2) + (z_mm - cz).powi(2) < r * r;
    let level = match () {
        () if z_mm < 2.0 => 210.0,
        () if hole(-22.0, 60.0, 16.0) => 12.0,
        () if hole(30.0, 85.0, 22.0) => 55.0,
        () if hole(0.0, 118.0, 9.0) => 8.0,
        () if (z_mm - 16.0).abs() < 0.8 || (z_mm - 28.0).abs() < 0.8 => 190.0,
        () => 105.0,
    };
    let tgc = console.tgc_db.len().max(1);
    let slider = ((z_mm / console.depth_mm * tgc as f64) as usize).min(tgc - 1);
    let db = console.gain_db + console.tgc_db.get(slider).copied().unwrap_or(0.0);
    let gain = db * 255.0 / console.dynamic_range_db;
    let fall = 25.0 * z_mm / 160.0;
    (level + gain - fall + (hash as f64 - 128.0) * 0.22).clamp(0.0, 255.0) as u8
}

fn name(en: &str, zh: &str) -> DisplayName {
    DisplayName {
        en: en.to_owned(),
        zh: zh.to_owned(),
    }
}

fn first_shown(probe: &Probe) -> Shown {
    let console = Console::default_for(probe);
    let mut shown = Shown::nothing(console, probe.center_frequency_mhz, name("Abdomen", "腹部"));
    let task = |en: (&str, &str), zh: (&str, &str), state| TaskShown {
        name: name(en.0, zh.0),
        instruction: name(en.1, zh.1),
        state,
        points: None,
        band: None,
    };
    shown.tasks = vec![
        task(
            (
                "Right upper quadrant",
                "Show liver, right kidney and the recess between them in one picture. The kidney lies along the picture.",
            ),
            (
                "右上腹",
                "在同一切面显示肝脏、右肾及两者之间的肝肾隐窝，肾脏取长轴。",
            ),
            TaskState::Active,
        ),
        task(
            (
                "Left upper quadrant",
                "Show spleen, left kidney and the recess between them.",
            ),
            ("左上腹", "显示脾脏、左肾及两者之间的脾肾隐窝。"),
            TaskState::Waiting,
        ),
        task(
            ("Pelvis, transverse", "Show the bladder across its middle."),
            ("盆腔横切面", "在膀胱中部显示其横切面。"),
            TaskState::Waiting,
        ),
    ];
    shown
}

fn example_score(task: &DisplayName) -> TaskScore {
    let item =
        |id: &str, names: (&str, &str), points, of, found: (&str, &str), advice: Option<Advice>| {
            Item {
                id: id.to_owned(),
                name: name(names.0, names.1),
                points,
                of,
                found: name(found.0, found.1),
                advice,
            }
        };
    TaskScore {
        task: "right_upper_quadrant".to_owned(),
        name: task.clone(),
        points: 78.0,
        band: Band::Basic,
        items: vec![
            item(
                "structures",
                ("Structures", "结构"),
                30.0,
                30.0,
                (
                    "Liver, right kidney: both in the picture",
                    "肝脏、右肾均已显示",
                ),
                None,
            ),
            item(
                "normal",
                ("Plane angle", "切面角度"),
                18.0,
                30.0,
                ("14° from the standard plane", "与标准切面相差 14°"),
                Some(Advice {
                    moves: vec![Move::Tilt(-12.0), Move::Rotate(6.0)],
                    words: name(
                        "Tilt 12° towards the back, then rotate 6° clockwise.",
                        "向背侧倾斜 12°，再顺时针旋转 6°。",
                    ),
                }),
            ),
            item(
                "offset",
                ("Position", "位置"),
                16.0,
                20.0,
                ("9 mm beside the kidney's axis", "偏离肾长轴 9 mm"),
                Some(Advice {
                    moves: vec![Move::Slide {
                        marker_mm: 0.0,
                        across_mm: -9.0,
                    }],
                    words: name("Slide 9 mm towards the back.", "向背侧平移 9 mm。"),
                }),
            ),
            item(
                "gain",
                ("Gain", "增益"),
                14.0,
                20.0,
                ("Mean grey of the liver 71 of 255", "肝实质平均灰度 71/255"),
                Some(Advice {
                    moves: vec![Move::Turn {
                        knob: "gain_db".to_owned(),
                        by: 4.0,
                    }],
                    words: name("Raise the gain by 4 dB.", "增益提高 4 dB。"),
                }),
            ),
        ],
        measures: vec![
            Measure {
                id: "time".to_owned(),
                name: name("Time", "用时"),
                value: 48.0,
                unit: "s".to_owned(),
            },
            Measure {
                id: "path_length".to_owned(),
                name: name("Path of the hand", "手部路径"),
                value: 312.0,
                unit: "mm".to_owned(),
            },
        ],
    }
}
