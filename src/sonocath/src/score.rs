//! `sonocath score`: what a recording is worth, whole or broken off.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use recording::{Ended, Header, Recording, RecordingError, Step};
use report::{ReportInput, TaskPictures};
use scenario::Scenario;
use scoring::{Band, SessionScore};

use crate::args::{Language, ScoreArguments};
use crate::failure::Failure;
use crate::patient::name_in;
use crate::terminal::Terminal;

/// A recording and the scenario that it holds.
pub struct Played {
    /// The recording, as far as it goes.
    pub recording: Recording,
    /// What was played.
    pub scenario: Scenario,
    /// What is wrong with the recording, if anything.
    pub damage: Option<String>,
}

impl Played {
    /// Opens a recording; of a damaged one what was before the damage.
    ///
    /// # Errors
    /// It cannot be read at all.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let (recording, damage) = match Recording::open(path) {
            Ok(recording) => (recording, None),
            Err(error @ RecordingError::Damaged { .. }) => {
                let said = error.to_string();
                let before = error.into_what_was_before();
                (
                    before.ok_or_else(|| Failure::new(said.clone()))?,
                    Some(said),
                )
            }
            Err(error) => return Err(error.into()),
        };
        let source = format!("{} (scenario within)", path.display());
        let scenario = Scenario::parse(&recording.header.scenario, &source)?;
        Ok(Self {
            recording,
            scenario,
            damage,
        })
    }

    /// Whether it ends in the middle of something.
    pub fn is_broken_off(&self) -> bool {
        self.damage.is_some() || self.recording.ended != Ended::Closed
    }
}

/// Scores a recording.
pub fn run(arguments: &ScoreArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let path = recording_in(&arguments.recording);
    let played = Played::open(&path)?;
    let Recording { header, steps, .. } = &played.recording;
    let score = scoring::score(header, steps, &played.scenario.tasks);
    let pictures = pictures_beside(&path, score.tasks.len());
    let pictures: Vec<TaskPictures<'_>> = pictures
        .iter()
        .map(|[acquired, exemplary]| TaskPictures {
            acquired: acquired.as_deref(),
            exemplary: exemplary.as_deref(),
        })
        .collect();
    let paper = Paper {
        scenario: &played.scenario,
        header,
        steps,
        score: &score,
        is_broken_off: played.is_broken_off(),
        pictures: &pictures,
    };
    if let Some(file) = &arguments.report {
        write_beside(file, &paper.html(terminal.language))?;
    }
    let mut text = String::new();
    if let Some(damage) = &played.damage {
        let _ = writeln!(text, "{damage}");
    } else if played.is_broken_off() {
        let words = terminal.pick(
            "The recording was broken off; scored up to its last complete step.",
            "记录中途中断；评分到最后一个完整的步骤为止。",
        );
        let _ = writeln!(text, "{words}");
    }
    text += &score_text(&score, terminal.language);
    terminal.report(&text, &paper.json());
    Ok(ExitCode::SUCCESS)
}

/// What a session calls its recording, closed or broken off.
const RECORDINGS: [&str; 2] = ["recording.mcap", "recording.mcap.part"];

/// The recording that was said, or the one in the session's folder that was said.
fn recording_in(said: &Path) -> PathBuf {
    let mut within = RECORDINGS.map(|name| said.join(name)).into_iter();
    within
        .find(|path| said.is_dir() && path.is_file())
        .unwrap_or_else(|| said.to_owned())
}

/// The pictures that a session left beside its recording, acquired and exemplary, by task. None
/// beside a recording of another name: they may be another session's.
fn pictures_beside(recording: &Path, tasks: usize) -> Vec<[Option<Vec<u8>>; 2]> {
    let name = recording.file_name();
    let is_own = RECORDINGS.iter().any(|own| name == Some(OsStr::new(own)));
    let folder = recording.parent().unwrap_or(Path::new(""));
    let tasks = if is_own { 0..tasks } else { 0..0 };
    tasks
        .map(|task| {
            ["acquired", "exemplary"]
                .map(|which| picture(&folder.join(report::picture_name(task, which))))
        })
        .collect()
}

/// A PNG file of a size that our pictures may have.
fn picture(path: &Path) -> Option<Vec<u8>> {
    const LARGEST: u64 = 16 << 20;
    const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
    let about = fs::metadata(path).ok()?;
    let is_possible = about.is_file() && about.len() <= LARGEST;
    let bytes = is_possible.then(|| fs::read(path).ok()).flatten()?;
    bytes.starts_with(SIGNATURE).then_some(bytes)
}

/// What a report is made of.
pub struct Paper<'a> {
    /// What was played.
    pub scenario: &'a Scenario,
    /// What holds for all steps.
    pub header: &'a Header,
    /// The steps.
    pub steps: &'a [Step],
    /// The score.
    pub score: &'a SessionScore,
    /// Whether the recording ends in the middle of something.
    pub is_broken_off: bool,
    /// Pictures by task.
    pub pictures: &'a [TaskPictures<'a>],
}

impl Paper<'_> {
    /// The page.
    pub fn html(&self, language: Language) -> String {
        self.with(|input| report::html(input, report_language(language)))
    }

    /// The figures.
    pub fn json(&self) -> serde_json::Value {
        self.with(report::json)
    }

    /// All files that a session leaves.
    pub fn files(&self, language: Language) -> Vec<(String, Vec<u8>)> {
        self.with(|input| report::files(input, report_language(language)))
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "a shell may look at the clock: the report says when it was written"
    )]
    fn with<T>(&self, then: impl FnOnce(&ReportInput<'_>) -> T) -> T {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        then(&ReportInput {
            title: &self.scenario.title,
            intro: &self.scenario.intro,
            trainee: None,
            date: &report::date_text(now.map_or(0, |since| since.as_secs())),
            this_engine: &session::engine(),
            is_broken_off: self.is_broken_off,
            header: self.header,
            steps: self.steps,
            score: self.score,
            pictures: self.pictures,
        })
    }
}

fn report_language(language: Language) -> report::Language {
    match language {
        Language::En => report::Language::English,
        Language::Zh => report::Language::Chinese,
    }
}

/// The score as lines: each task, and each part of it that lost points with the move that mends it.
pub fn score_text(score: &SessionScore, language: Language) -> String {
    let mut text = String::new();
    let band = |band: Band| match (band, language) {
        (Band::Standard, Language::En) => "standard",
        (Band::Basic, Language::En) => "basic",
        (Band::NonStandard, Language::En) => "non-standard",
        (Band::Standard, Language::Zh) => "标准",
        (Band::Basic, Language::Zh) => "基本标准",
        (Band::NonStandard, Language::Zh) => "不标准",
    };
    let total = match language {
        Language::En => "Score",
        Language::Zh => "总分",
    };
    let _ = writeln!(
        text,
        "{total} {:.0} ({})",
        score.points.floor(),
        band(score.band)
    );
    for task in &score.tasks {
        let name = name_in(&task.name, language);
        let _ = writeln!(
            text,
            "  {name}: {:.0} ({})",
            task.points.floor(),
            band(task.band)
        );
        for item in task.items.iter().filter(|item| item.points < item.of) {
            let name = name_in(&item.name, language);
            let found = name_in(&item.found, language);
            let _ = writeln!(
                text,
                "    {name} {:.1}/{:.0}: {found}",
                item.points, item.of
            );
            if let Some(advice) = &item.advice {
                let _ = writeln!(text, "      → {}", name_in(&advice.words, language));
            }
        }
    }
    text
}

/// Writes a text beside and renames it.
fn write_beside(path: &Path, text: &str) -> Result<(), Failure> {
    let at = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let beside = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(at)?;
    fs::write(beside.path(), text).map_err(at)?;
    beside.persist(path).map_err(|error| at(error.error))?;
    Ok(())
}
