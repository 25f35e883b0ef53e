//! The player that plays: a session on one thread, live pictures on another.
//!
//! The session steps in real time, as many steps as time has gone by; every step is recorded before
//! it is shown. Pictures are made of the newest step there is: what the imaging thread has no time
//! for is never shown, and changes neither facts nor score.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anatomy::tissue::DisplayName;
use equipment::hand::PatientFromProbe;
use equipment::{Console, Inputs, Probe};
use procedure::{Imaging, Shot, TICKS_PER_S};
use recording::Event;
use report::{ReportInput, TaskPictures};
use scenario::Scenario;
use session::{Outcome, Script, Session, SessionError};
use ultrasound::display::PictureSize;
use ultrasound::engine::Medium;

use crate::shown::{Command, PictureShown, Player, ProbeShown, Shown, Stats, TaskShown, TaskState};
use crate::words::Language;

/// Size of live pictures: what the panel shows at most on a small screen.
const LIVE: PictureSize = PictureSize {
    width: 560,
    height: 420,
};

/// A live picture that takes longer than this, ms, is made with the fast settings from then on.
const SLOW_MS: f64 = 55.0;

/// Scan lines and samples of the fast settings.
const FAST: (u32, u32) = (80, 512);

/// Fast pictures are made no more often.
const LIVE_EVERY: Duration = Duration::from_millis(42);

/// When so much behind, the session leaves time out instead of running after it.
const MOST_BEHIND: Duration = Duration::from_millis(250);

/// Latencies of which the 95th percentile is told.
const LATENCIES: usize = 200;

/// Who moves the probe.
pub enum Hands {
    /// Mouse and keys.
    Room,
    /// A script.
    Script(Script),
}

/// What threads share.
struct Board {
    shown: Mutex<Arc<Shown>>,
    /// The newest thing to be imaged, and when its pose was known.
    shot: Mutex<Option<(Shot, Instant)>>,
    has_shot: Condvar,
    picture: Mutex<Live>,
    left: AtomicBool,
    over: AtomicBool,
}

/// The last live picture, and how pictures come.
#[derive(Default)]
struct Live {
    picture: Option<Arc<PictureShown>>,
    stats: Stats,
    is_reduced: bool,
}

/// A session being played.
pub struct Playing {
    board: Arc<Board>,
    commands: Sender<(Command, Instant)>,
    session: Option<JoinHandle<Result<Outcome, SessionError>>>,
    imaging: Option<JoinHandle<()>>,
    end: Arc<End>,
}

/// What a session leaves, for whoever asks after the room is gone.
#[derive(Default)]
pub struct End {
    outcome: Mutex<Option<Result<Outcome, SessionError>>>,
}

impl End {
    /// The outcome; once.
    pub fn take(&self) -> Option<Result<Outcome, SessionError>> {
        lock(&self.outcome).take()
    }
}

impl Playing {
    /// Starts the threads.
    pub fn start(session: Session, hands: Hands) -> Self {
        let first = first_shown(&session);
        let board = Arc::new(Board {
            shown: Mutex::new(Arc::new(first)),
            shot: Mutex::default(),
            has_shot: Condvar::new(),
            picture: Mutex::default(),
            left: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let (commands, receive) = mpsc::channel();
        let medium = session.procedure().body().medium.clone();
        let probe = session.procedure().probe().clone();
        let imaging = thread::spawn({
            let board = Arc::clone(&board);
            move || image(&board, &medium, &probe)
        });
        let playing = thread::spawn({
            let board = Arc::clone(&board);
            move || Play::new(session, hands, board, receive).run()
        });
        Self {
            board,
            commands,
            session: Some(playing),
            imaging: Some(imaging),
            end: Arc::default(),
        }
    }

    /// Where the outcome will be when the player is gone.
    pub fn end(&self) -> Arc<End> {
        Arc::clone(&self.end)
    }

    /// Says how pictures have come of late.
    pub fn stats(&self) -> impl Fn() -> Stats + use<> {
        let board = Arc::clone(&self.board);
        move || lock(&board.picture).stats
    }

    /// Says whether a script has come to its end.
    pub fn over(&self) -> impl Fn() -> bool + use<> {
        let board = Arc::clone(&self.board);
        move || board.over.load(Ordering::Relaxed)
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the shell measures how long pictures take"
)]
impl Player for Playing {
    fn latest(&self) -> Arc<Shown> {
        Arc::clone(&lock(&self.board.shown))
    }

    fn send(&mut self, command: Command) {
        // The session's thread is gone only after `Quit`.
        let _ = self.commands.send((command, Instant::now()));
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.board.left.store(true, Ordering::Relaxed);
        self.board.has_shot.notify_all();
        if let Some(Ok(outcome)) = self.session.take().map(JoinHandle::join) {
            *lock(&self.end.outcome) = Some(outcome);
        }
        if let Some(imaging) = self.imaging.take() {
            // A thread that panicked has said so itself.
            let _ = imaging.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// The session's thread.
struct Play {
    session: Session,
    hands: Option<session::ScriptHand>,
    hand: Option<PatientFromProbe>,
    hand_since: Instant,
    /// The settings of the frozen picture that the imaging thread has.
    frozen_at: Option<Console>,
    board: Arc<Board>,
    receive: Receiver<(Command, Instant)>,
    now: Shown,
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the shell that lets simulated time go at the wall clock's pace"
)]
impl Play {
    fn new(
        session: Session,
        hands: Hands,
        board: Arc<Board>,
        receive: Receiver<(Command, Instant)>,
    ) -> Self {
        let now = (**lock(&board.shown)).clone();
        Self {
            hands: match hands {
                Hands::Room => None,
                Hands::Script(script) => Some(script.hand()),
            },
            hand: session.start_pose(),
            frozen_at: None,
            hand_since: Instant::now(),
            session,
            board,
            receive,
            now,
        }
    }

    fn run(mut self) -> Result<Outcome, SessionError> {
        let tick = Duration::from_secs_f64(1.0 / f64::from(TICKS_PER_S));
        let mut next = Instant::now();
        while !self.board.left.load(Ordering::Relaxed) {
            let actions = self.listen();
            self.step(actions);
            self.show();
            next += tick;
            let now = Instant::now();
            if now > next + MOST_BEHIND {
                next = now;
            }
            thread::sleep(next.saturating_duration_since(now));
        }
        self.session.finish()
    }

    /// What the person did since the last step.
    fn listen(&mut self) -> Vec<equipment::Action> {
        let mut actions = Vec::new();
        while let Ok((command, since)) = self.receive.try_recv() {
            match command {
                Command::Hand(hand) => {
                    self.hand = hand.map(|hand| hand.pose());
                    self.hand_since = since;
                }
                Command::Action(action) => actions.push(action),
                Command::Language(_) => {}
                Command::Quit => self.board.left.store(true, Ordering::Relaxed),
            }
        }
        actions
    }

    fn step(&mut self, actions: Vec<equipment::Action>) {
        let inputs = match &mut self.hands {
            None => Inputs {
                hand: self.hand,
                actions,
            },
            Some(script) => {
                self.hand_since = Instant::now();
                let Some(inputs) = script.next(&self.session) else {
                    self.board.over.store(true, Ordering::Relaxed);
                    return;
                };
                inputs
            }
        };
        match self.session.step(inputs) {
            Ok(progress) => self.take_up(&progress),
            Err(error) => {
                self.now.notice = Some(DisplayName {
                    en: format!("This step could not be recorded: {error}"),
                    zh: format!("此步骤无法记录：{error}"),
                });
            }
        }
    }

    fn take_up(&mut self, progress: &session::Progress) {
        let seen = &progress.seen;
        self.now.tick = seen.tick;
        self.now.seconds = seen.tick as f64 / f64::from(TICKS_PER_S);
        self.now.frozen = seen.frozen;
        self.now.probe = seen.probe.map(|probe| ProbeShown {
            patient_from_probe: probe.patient_from_probe,
            press_mm: probe.press_mm,
            force_n: probe.force_n,
            contact: probe.press_mm >= 0.0,
        });
        if seen.settings_changed {
            self.now.console = self.session.procedure().console().clone();
            self.now.frequency_mhz = frequency(&self.session);
        }
        if let Some((_, why)) = seen.refused.last() {
            self.now.notice = Some(DisplayName {
                en: why.clone(),
                zh: format!("无法设置：{why}"),
            });
        }
        for event in &progress.events {
            self.follow(event);
        }
    }

    fn follow(&mut self, event: &Event) {
        match event {
            Event::TaskStarted { task, .. } => {
                self.now.notice = None;
                if let Some(task) = self.now.tasks.get_mut(*task as usize) {
                    task.state = TaskState::Active;
                }
            }
            Event::Captured { task, .. } => self.judge(*task as usize),
            Event::TaskEnded { task, .. } => {
                self.judge(*task as usize);
                if let Some(task) = self.now.tasks.get_mut(*task as usize) {
                    task.state = TaskState::Done;
                }
            }
            Event::TargetMoved { .. } | Event::Refused { .. } => {}
        }
    }

    /// Shows what a task is worth by now.
    fn judge(&mut self, task: usize) {
        let score = self.session.score();
        let (Some(score), Some(shown)) = (score.tasks.get(task), self.now.tasks.get_mut(task))
        else {
            return;
        };
        shown.points = Some(score.points);
        shown.band = Some(score.band);
        self.now.score = Some(Arc::new(score.clone()));
    }

    /// Hands the newest shot to the imaging thread, and all to the room.
    fn show(&mut self) {
        let console = self.now.frozen.then(|| self.now.console.clone());
        let is_new = console.is_none() || console != self.frozen_at;
        self.frozen_at = console;
        if let Some(shot) = self.session.procedure().shot().filter(|_| is_new) {
            *lock(&self.board.shot) = Some((shot, self.hand_since));
            self.board.has_shot.notify_one();
        }
        self.now.remaining_s = self.session.remaining_s();
        {
            let live = lock(&self.board.picture);
            self.now.picture.clone_from(&live.picture);
            self.now.stats = live.stats;
            self.now.reduced_preset = live.is_reduced.then(fast_name);
        }
        if self.now.probe.is_none() {
            self.now.picture = None;
        }
        *lock(&self.board.shown) = Arc::new(self.now.clone());
    }
}

/// The imaging thread: the newest shot wins.
#[allow(
    clippy::disallowed_methods,
    reason = "the shell measures how long pictures take"
)]
fn image(board: &Board, medium: &Medium, probe: &Probe) {
    let mut imaging = Imaging::new(probe, LIVE);
    let mut number = 0;
    let mut is_fast = false;
    let mut slow = 0;
    let mut done: VecDeque<(Instant, Option<f64>)> = VecDeque::new();
    let mut last_since = None;
    while let Some((shot, since)) = wait_for_shot(board) {
        let begun = Instant::now();
        let shot = if is_fast { fast(shot) } else { shot };
        let patient_from_probe = shot.view.patient_from_probe;
        let Ok(picture) = imaging.next(medium, &shot).cloned() else {
            continue;
        };
        let took_ms = begun.elapsed().as_secs_f64() * 1e3;
        // The first picture of a setting works out beams; three slow ones in a row are a habit.
        slow = if took_ms > SLOW_MS { slow + 1 } else { 0 };
        if !is_fast && slow >= 3 {
            is_fast = true;
            imaging = imaging.quick();
        }
        let shown = Arc::new(PictureShown {
            number,
            picture,
            patient_from_probe,
            posed: since,
        });
        number += 1;
        let now = Instant::now();
        // A hand at rest has no latency: the pose is as old as its last move.
        let latency_ms = (last_since != Some(since)).then(|| (now - since).as_secs_f64() * 1e3);
        last_since = Some(since);
        done.push_back((now, latency_ms));
        while done.len() > LATENCIES {
            done.pop_front();
        }
        let mut live = lock(&board.picture);
        live.picture = Some(shown);
        live.is_reduced = is_fast;
        live.stats = stats(&done);
        drop(live);
        // The window needs the processor too.
        if is_fast {
            thread::sleep(LIVE_EVERY.saturating_sub(begun.elapsed()));
        }
    }
}

/// The newest shot, when there is one; `None` when the room is left.
fn wait_for_shot(board: &Board) -> Option<(Shot, Instant)> {
    let mut shot = lock(&board.shot);
    loop {
        if board.left.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(newest) = shot.take() {
            return Some(newest);
        }
        let patience = Duration::from_millis(100);
        let waited = board.has_shot.wait_timeout(shot, patience);
        shot = waited.unwrap_or_else(|broken| broken.into_inner()).0;
    }
}

fn stats(done: &VecDeque<(Instant, Option<f64>)>) -> Stats {
    let (Some((first, _)), Some((last, _))) = (done.front(), done.back()) else {
        return Stats::default();
    };
    let seconds = (*last - *first).as_secs_f64();
    let mut latencies: Vec<f64> = done.iter().filter_map(|(_, ms)| *ms).collect();
    latencies.sort_by(f64::total_cmp);
    Stats {
        images_per_s: (done.len() - 1) as f64 / seconds.max(1e-3),
        pose_to_image_p95_ms: latencies
            .get(latencies.len() * 95 / 100)
            .copied()
            .unwrap_or_default(),
    }
}

/// The same shot with fewer lines and samples.
fn fast(shot: Shot) -> Shot {
    let (lines, samples) = FAST;
    let console = Console {
        lines: shot.console.lines.min(lines),
        samples: shot.console.samples.min(samples),
        compounding_deg: Vec::new(),
        ..shot.console
    };
    Shot { console, ..shot }
}

fn fast_name() -> DisplayName {
    let (lines, samples) = FAST;
    DisplayName {
        en: format!("fast live image, {lines} lines × {samples} samples"),
        zh: format!("快速实时图像：{lines} 线 × {samples} 点"),
    }
}

fn frequency(session: &Session) -> f64 {
    let own = session.procedure().probe().center_frequency_mhz;
    session.procedure().console().frequency_mhz.unwrap_or(own)
}

fn first_shown(session: &Session) -> Shown {
    let scenario = session.scenario();
    let preset = scenario.preset;
    let name = DisplayName {
        en: preset.name.en.clone(),
        zh: preset.name.zh.clone(),
    };
    let console = session.procedure().console().clone();
    let tasks = scenario.tasks.iter().map(|task| TaskShown {
        name: task.name.clone(),
        instruction: task.instruction.clone(),
        state: TaskState::Waiting,
        points: None,
        band: None,
    });
    Shown {
        tasks: tasks.collect(),
        ..Shown::nothing(console, frequency(session), name)
    }
}

/// Writes what a session leaves beside its recording; returns the names.
///
/// # Errors
/// Whatever the file system says.
#[allow(
    clippy::disallowed_methods,
    reason = "a shell may look at the clock: the report says when it was written"
)]
pub fn write_results(
    folder: &Path,
    scenario: &Scenario,
    outcome: &Outcome,
    language: Language,
) -> io::Result<Vec<String>> {
    let encoded = outcome.encoded().map_err(io::Error::other)?;
    let pictures: Vec<TaskPictures<'_>> = encoded
        .iter()
        .map(|(acquired, exemplary)| TaskPictures {
            acquired: acquired.as_deref(),
            exemplary: exemplary.as_deref(),
        })
        .collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let input = ReportInput {
        title: &scenario.title,
        intro: &scenario.intro,
        trainee: None,
        date: &report::date_text(now.map_or(0, |since| since.as_secs())),
        this_engine: &session::engine(),
        is_broken_off: false,
        header: &outcome.header,
        steps: &outcome.steps,
        score: &outcome.score,
        pictures: &pictures,
    };
    let language = match language {
        Language::English => report::Language::English,
        Language::Chinese => report::Language::Chinese,
    };
    let mut names = Vec::new();
    for (name, bytes) in report::files(&input, language) {
        write(&folder.join(&name), &bytes)?;
        names.push(name);
    }
    Ok(names)
}

/// Writes a file beside and renames it.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use anatomy::Silent;
    use anatomy::atlas::Atlas;
    use anatomy::recipe::Recipe;
    use anatomy::tissue::TissueTable;
    use recording::Recording;
    use session::Setup;

    use super::*;

    const SCRIPT: &str = r#"Script(version: 1, moves: [
        To(plane: "kidney_right_long", s: 0.5), Knob(id: "gain_db", to: 3), Hold(s: 0.1), Capture,
    ])"#;

    fn session(recording: PathBuf) -> Session {
        let scenario = Scenario::builtin("first-kidney").expect("built in");
        let tissues = TissueTable::builtin();
        let recipe = Recipe::builtin("phantom-torso").expect("built in");
        let patient = recipe.make(Atlas::builtin(), tissues, &Silent);
        Session::begin(Setup {
            scenario,
            patient: patient.expect("it can be made"),
            patient_said: "phantom-torso".to_owned(),
            seed: 5,
            recording: Some(recording),
        })
        .expect("the phantom has kidneys")
    }

    /// The room's threads and its clock change nothing: steps, score and pictures are those of a
    /// session without a room.
    #[test]
    fn a_session_in_the_room_is_the_same_as_without() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let script = Script::parse(SCRIPT, "script").expect("it is sound");
        let in_room = folder.path().join("room.mcap");
        let mut playing = Playing::start(session(in_room.clone()), Hands::Script(script.clone()));
        let (end, over) = (playing.end(), playing.over());
        while !over() {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(playing.latest().score.is_some(), "the capture was judged");
        playing.send(Command::Quit);
        drop(playing);
        let left = end.take().expect("it ended").expect("it was recorded");

        let alone = folder.path().join("alone.mcap");
        let mut session = session(alone.clone());
        let mut hand = script.hand();
        while let Some(inputs) = hand.next(&session) {
            session.step(inputs).expect("it can be recorded");
        }
        let outcome = session.finish().expect("it can be closed");
        assert_eq!(left.steps, outcome.steps);
        assert_eq!(left.score, outcome.score);
        assert_eq!(
            left.encoded().expect("pictures"),
            outcome.encoded().expect("pictures")
        );
        let [room, alone] = [in_room, alone].map(|path| Recording::open(path).expect("closed"));
        assert_eq!(room, alone);
    }
}
