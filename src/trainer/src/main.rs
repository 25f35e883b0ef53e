//! `sonocath-trainer`: a scenario in a window, or in pictures of one.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anatomy::atlas::Atlas;
use anatomy::recipe::Recipe;
use anatomy::tissue::{DisplayName, TissueTable};
use anatomy::{Patient, PatientError, Silent};
use clap::{Parser, ValueEnum};
use scenario::{PatientRef, Scenario};
use session::{Script, Session, Setup};
use trainer::player::{Hands, Playing, write_results};
use trainer::{
    Frame, Language, Room, RoomFigures, Shown, Stats, Step, TaskState, run_offscreen, run_window,
};

/// A room to practise in: plays a scenario, records it, scores it.
#[derive(Debug, Parser)]
#[command(name = "sonocath-trainer", version)]
struct Arguments {
    /// Scenario: a built-in one or a file (*.ron)
    #[arg(default_value = "first-liver")]
    scenario: PathBuf,
    /// Another patient than the scenario's: a folder or a built-in recipe
    #[arg(long, value_name = "PATIENT")]
    patient: Option<PathBuf>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Folder for recording, report and pictures [default: sessions/SCENARIO-TIME]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Language
    #[arg(long, value_enum, default_value_t = Lang::En, env = "SONOCATH_LANG")]
    lang: Lang,
    /// A hand that plays by itself, move after move
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Without a screen: draws into pictures, plays the script
    #[arg(long, requires = "script", requires = "screenshots")]
    headless: bool,
    /// Folder for pictures of the window
    #[arg(long, value_name = "FOLDER", requires = "headless")]
    screenshots: Option<PathBuf>,
    /// Show how fluent everything is, and print it at the end
    #[arg(long)]
    stats: bool,
    /// Size of the window, points
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x720")]
    size: String,
}

/// Language of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// English
    En,
    /// 简体中文
    Zh,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Self::English,
            Lang::Zh => Self::Chinese,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(notice) => {
            let text = Language::from(arguments.lang).name(&notice).to_owned();
            say(&format!("sonocath-trainer: {text}"));
            ExitCode::from(2)
        }
    }
}

/// Tells a person; that standard error may be closed changes nothing.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An error in words that are the same in both languages.
fn plain(error: &dyn Display) -> DisplayName {
    DisplayName {
        en: error.to_string(),
        zh: error.to_string(),
    }
}

fn run(arguments: &Arguments) -> Result<(), DisplayName> {
    let size = size(&arguments.size)?;
    trainer::check_size(size).map_err(|error| error.notice())?;
    let scenario = open_scenario(&arguments.scenario)?;
    let script = arguments.script.as_deref().map(Script::open).transpose();
    let script = script.map_err(|error| plain(&error))?;
    // Asked before anything is made, so that nothing is left behind where nothing can be shown.
    if !arguments.headless {
        trainer::device::require_display().map_err(|error| error.notice())?;
    }
    trainer::device::find().map_err(|error| error.notice())?;
    let (patient, said) = open_patient(&scenario, arguments.patient.as_deref())?;
    let folder = out_folder(arguments.out.as_deref(), &scenario)?;
    if let Some(screenshots) = &arguments.screenshots {
        make_folder(screenshots)?;
    }
    let shown_patient = Arc::new(patient.clone());
    let setup = Setup {
        scenario: scenario.clone(),
        patient,
        patient_said: said,
        seed: arguments.seed,
        recording: Some(folder.join("recording.mcap")),
    };
    let begun = Session::begin(setup).map_err(|error| plain(&error));
    let session = begun.inspect_err(|_| {
        // Nothing was recorded: the folder that was just made goes.
        let _ = std::fs::remove_dir(&folder);
    })?;
    if let Some(Err(error)) = script.as_ref().map(|script| script.check(&session)) {
        session.give_up();
        let _ = std::fs::remove_dir(&folder);
        return Err(plain(&error));
    }
    let room = Room {
        patient: shown_patient,
        probe: session.procedure().probe().clone(),
        start: session.start_pose(),
        title: scenario.title.clone(),
        language: arguments.lang.into(),
        show_stats: arguments.stats,
    };
    let hands = script.map_or(Hands::Room, Hands::Script);
    let playing = Playing::start(session, hands);
    let (end, over, stats) = (playing.end(), playing.over(), playing.stats());
    let shown = match &arguments.screenshots {
        None => run_window(room, Box::new(playing), size),
        Some(folder) => {
            let mut tour = Tour::new(folder, Box::new(over));
            run_offscreen(room, Box::new(playing), size, &mut |frame| {
                tour.after(frame)
            })
        }
    };
    // Whatever became of the window: what was played is not lost.
    let outcome = end
        .take()
        .ok_or_else(|| lost(&folder))?
        .map_err(|error| plain(&error))?;
    let written = write_results(&folder, &scenario, &outcome, arguments.lang.into());
    written.map_err(|error| plain(&format!("{}: {error}", folder.display())))?;
    let figures = shown.map_err(|error| error.notice())?;
    if arguments.stats {
        say(&figures_text(&figures, stats()));
    }
    say(&summary(&folder, outcome.score.points, arguments.lang));
    Ok(())
}

fn lost(folder: &Path) -> DisplayName {
    let part = folder.join("recording.mcap.part");
    DisplayName {
        en: format!(
            "the session ended unexpectedly; what was recorded is in {} (`sonocath score` reads it)",
            part.display()
        ),
        zh: format!(
            "会话意外结束；已记录的内容在 {}（可用 `sonocath score` 评分）",
            part.display()
        ),
    }
}

fn summary(folder: &Path, points: f64, lang: Lang) -> String {
    let (points, folder) = (points.floor(), folder.display());
    match lang {
        Lang::En => format!("score {points:.0} of 100; recording, report and pictures: {folder}"),
        Lang::Zh => format!("得分 {points:.0}/100；记录、报告和图像：{folder}"),
    }
}

fn figures_text(figures: &RoomFigures, stats: Stats) -> String {
    format!(
        "window {:.1} Hz (95 % of frames within {:.0} ms), live image {:.1}/s, image in the body {:.1}/s, body {:.1}/s; 95 % of images made within {:.0} ms of their pose and in the panel within {:.0} ms",
        figures.window_hz,
        figures.frame_p95_ms,
        figures.texture_hz,
        figures.plane_hz,
        figures.scene_hz,
        stats.pose_to_image_p95_ms,
        figures.pose_to_panel_p95_ms,
    )
}

/// `WIDTHxHEIGHT`
fn size(text: &str) -> Result<(u32, u32), DisplayName> {
    let numbers = text.split_once(['x', 'X', '×']);
    let numbers = numbers.and_then(|(w, h)| Some((w.trim().parse().ok()?, h.trim().parse().ok()?)));
    numbers.ok_or_else(|| DisplayName {
        en: format!("--size {text}: write width and height in points, such as --size 1280x720"),
        zh: format!("--size {text}：请写宽和高（点数），例如 --size 1280x720"),
    })
}

/// A built-in scenario, or one from a file.
fn open_scenario(said: &Path) -> Result<Scenario, DisplayName> {
    let name = said.to_string_lossy();
    if let Some(scenario) = Scenario::builtin(&name) {
        return Ok(scenario);
    }
    if said.extension().is_some() || said.exists() {
        return Scenario::open(said).map_err(|error| plain(&error));
    }
    let ids = Scenario::builtin_ids();
    let near = catalog::nearest(&name, ids.clone());
    let known: Vec<&str> = ids.collect();
    let known = known.join(", ");
    let hint =
        |words: &str, end: &str| near.map_or_else(String::new, |id| format!("{words}`{id}`{end}"));
    Err(DisplayName {
        en: format!(
            "there is no built-in scenario `{name}`{} (there are {known}); a file ends with .ron",
            hint("; did you mean ", "?")
        ),
        zh: format!(
            "没有内置场景 `{name}`{}（内置场景：{known}）；场景文件以 .ron 结尾",
            hint("；是否想用 ", "？")
        ),
    })
}

/// The patient, and how a person said it.
fn open_patient(
    scenario: &Scenario,
    said: Option<&Path>,
) -> Result<(Patient, String), DisplayName> {
    let said = match (said, &scenario.patient) {
        (Some(said), _) => said.to_owned(),
        (None, PatientRef::Builtin(id)) => PathBuf::from(id),
        (None, PatientRef::Folder(_)) => scenario.patient_folder().unwrap_or_default(),
    };
    let name = said.display().to_string();
    let tissues = TissueTable::builtin();
    let patient = match Patient::load(&said, tissues) {
        Err(PatientError::Missing(_)) => {
            let recipe = Recipe::builtin(&name).map_err(|error| plain(&error))?;
            recipe
                .make(Atlas::builtin(), tissues, &Silent)
                .map_err(|error| plain(&error))?
        }
        loaded => loaded.map_err(|error| plain(&error))?,
    };
    Ok((patient, name))
}

/// A folder of its own for every session: none overwrites another.
fn out_folder(said: Option<&Path>, scenario: &Scenario) -> Result<PathBuf, DisplayName> {
    let folder = said.map_or_else(
        || Path::new("sessions").join(stamped(scenario)),
        Path::to_owned,
    );
    make_folder(&folder)?;
    let mut entries = std::fs::read_dir(&folder)
        .map_err(|error| plain(&format!("{}: {error}", folder.display())))?;
    match entries.next() {
        None => Ok(folder),
        Some(_) => Err(DisplayName {
            en: format!(
                "--out {}: the folder is not empty, and no session overwrites another; choose a new name",
                folder.display()
            ),
            zh: format!(
                "--out {}：文件夹不为空；会话不会覆盖已有内容，请换一个名称",
                folder.display()
            ),
        }),
    }
}

fn make_folder(folder: &Path) -> Result<(), DisplayName> {
    std::fs::create_dir_all(folder)
        .map_err(|error| plain(&format!("{}: {error}", folder.display())))
}

#[allow(
    clippy::disallowed_methods,
    reason = "a shell may look at the clock: sessions are filed by time"
)]
fn stamped(scenario: &Scenario) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |since| since.as_secs());
    let date = report::date_text(seconds);
    let date: String = date
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == ' ')
        .collect();
    let stamp = date.trim().replace(' ', "-");
    format!("{}-{stamp}{:02}", scenario.id, seconds % 60)
}

/// A walk through a scripted session with pictures of what matters.
struct Tour {
    folder: PathBuf,
    over: Box<dyn Fn() -> bool>,
    begun: Instant,
    /// Answers seen so far, and the picture that is due.
    answers: usize,
    due: Option<(Instant, String)>,
    is_ending: bool,
}

/// After how long what is new has come to the screen.
const SETTLING: Duration = Duration::from_millis(700);

#[allow(clippy::disallowed_methods, reason = "a shell keeps time")]
impl Tour {
    fn new(folder: &Path, over: Box<dyn Fn() -> bool>) -> Self {
        Self {
            folder: folder.to_owned(),
            over,
            begun: Instant::now(),
            answers: 0,
            due: Some((
                Instant::now() + Duration::from_millis(2500),
                "start".to_owned(),
            )),
            is_ending: false,
        }
    }

    fn after(&mut self, frame: &mut Frame<'_>) -> Step {
        // Sixty frames a second are enough, and the session needs the processor too.
        std::thread::sleep(Duration::from_millis(4));
        let shown = frame.shown();
        let answers = answers(&shown);
        if answers > self.answers {
            self.answers = answers;
            self.due = Some((Instant::now() + SETTLING, format!("task-{answers}")));
        }
        if let Some((when, name)) = &self.due
            && Instant::now() >= *when
            && self.begun.elapsed() > SETTLING
        {
            let path = self.folder.join(format!("{name}.png"));
            self.due = None;
            return Step::Screenshot(path);
        }
        if (self.over)() && self.due.is_none() {
            if self.is_ending {
                return Step::Stop;
            }
            self.is_ending = true;
            self.due = Some((Instant::now() + SETTLING, "end".to_owned()));
        }
        Step::Keep
    }
}

/// Tasks with points or ended.
fn answers(shown: &Shown) -> usize {
    let is_answered =
        |task: &&trainer::TaskShown| task.points.is_some() || task.state == TaskState::Done;
    shown.tasks.iter().filter(is_answered).count()
}
