//! `sonocath play`: a scenario without a window.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anatomy::Progress;
use report::TaskPictures;
use scenario::{PatientRef, Scenario};
use session::{Outcome, Script, Session, Setup};

use crate::args::PlayArguments;
use crate::failure::Failure;
use crate::patient;
use crate::score::{Paper, Played, score_text};
use crate::terminal::Terminal;

/// Longest script that is played, in simulated seconds.
const LONGEST_S: u64 = 4 * 3600;

/// Plays a scenario.
pub fn run(arguments: &PlayArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    match &arguments.replay {
        Some(recording) => replay(recording, arguments, terminal),
        None => follow(arguments, terminal),
    }
}

/// From a script.
fn follow(arguments: &PlayArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let scenario = arguments
        .scenario
        .as_deref()
        .ok_or_else(|| Failure::new("say a scenario"))?;
    let scenario = open_scenario(scenario)?;
    let path = arguments
        .script
        .as_deref()
        .ok_or_else(|| Failure::new("say --script"))?;
    let script = Script::open(path)?;
    let folder = Folder::new(&arguments.out)?;
    let seed = arguments.seed.unwrap_or(0);
    let patient = arguments.patient.as_deref();
    let begun = setup(scenario, patient, seed, &folder, terminal)
        .and_then(|setup| Ok(Session::begin(setup)?));
    let mut session = begun.inspect_err(|_| folder.give_up())?;
    if let Err(error) = script.check(&session) {
        session.give_up();
        folder.give_up();
        return Err(error.into());
    }
    let mut hand = script.hand();
    terminal.stage(terminal.pick("playing", "播放"), 0);
    while let Some(inputs) = hand.next(&session) {
        session.step(inputs)?;
        if session.steps().len() as u64 > LONGEST_S * u64::from(procedure::TICKS_PER_S) {
            return Err(Failure::new(format!(
                "{}: the script is longer than {LONGEST_S} s",
                path.display()
            )));
        }
    }
    terminal.done();
    let scenario = session.scenario().clone();
    conclude(&scenario, session.finish()?, &folder, terminal)?;
    Ok(ExitCode::SUCCESS)
}

/// A recording again.
fn replay(
    path: &Path,
    arguments: &PlayArguments,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let played = Played::open(path)?;
    played.recording.is_replayable_by(&session::engine())?;
    let scenario = played.scenario.clone();
    if let Some(said) = arguments.scenario.as_deref()
        && open_scenario(said)?.id != scenario.id
    {
        return Err(Failure::new(format!(
            "{} is a recording of {}, not of {}; leave the scenario out",
            path.display(),
            scenario.id,
            said.display()
        )));
    }
    let said = PathBuf::from(&played.recording.header.patient);
    let said = arguments.patient.as_deref().unwrap_or(&said);
    let folder = Folder::new(&arguments.out)?;
    let seed = arguments.seed.unwrap_or(played.recording.header.seed);
    let setup = setup(scenario, Some(said), seed, &folder, terminal);
    let setup = setup.inspect_err(|_| folder.give_up())?;
    if session::patient_digest(&setup.patient) != played.recording.header.patient_digest {
        folder.give_up();
        return Err(Failure::new(format!(
            "the recording was made with another patient than {}; say --patient",
            said.display()
        )));
    }
    let session = Session::begin(setup).inspect_err(|_| folder.give_up())?;
    let scenario = session.scenario().clone();
    let (outcome, difference) = session::replay(session, &played.recording)?;
    conclude(&scenario, outcome, &folder, terminal)?;
    match difference {
        None => Ok(ExitCode::SUCCESS),
        Some(difference) => Err(difference.into()),
    }
}

/// Writes report and pictures, tells the score.
fn conclude(
    scenario: &Scenario,
    outcome: Outcome,
    folder: &Folder,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let encoded = outcome.encoded()?;
    let pictures: Vec<TaskPictures<'_>> = encoded
        .iter()
        .map(|(acquired, exemplary)| TaskPictures {
            acquired: acquired.as_deref(),
            exemplary: exemplary.as_deref(),
        })
        .collect();
    let paper = Paper {
        scenario,
        header: &outcome.header,
        steps: &outcome.steps,
        score: &outcome.score,
        is_broken_off: false,
        pictures: &pictures,
    };
    for (name, bytes) in paper.files(terminal.language) {
        folder.write(&name, &bytes)?;
    }
    let mut text = score_text(&outcome.score, terminal.language);
    text += &format!("{}\n", folder.path.join("report.html").display());
    terminal.report(&text, &paper.json());
    Ok(())
}

/// A built-in scenario, or one from a file.
fn open_scenario(said: &Path) -> Result<Scenario, Failure> {
    let name = said.to_string_lossy();
    if let Some(scenario) = Scenario::builtin(&name) {
        return Ok(scenario);
    }
    if said.extension().is_some() || said.exists() {
        return Ok(Scenario::open(said)?);
    }
    let ids = Scenario::builtin_ids();
    let hint = catalog::nearest(&name, ids.clone())
        .map_or_else(String::new, |id| format!("; did you mean `{id}`?"));
    let known: Vec<&str> = ids.collect();
    Err(Failure::new(format!(
        "there is no built-in scenario `{name}`{hint} (there are {}); a file ends with .ron",
        known.join(", ")
    )))
}

fn setup(
    scenario: Scenario,
    patient: Option<&Path>,
    seed: u64,
    folder: &Folder,
    terminal: &Terminal,
) -> Result<Setup, Failure> {
    let said = match (patient, &scenario.patient) {
        (Some(said), _) => said.to_owned(),
        (None, PatientRef::Builtin(id)) => PathBuf::from(id),
        (None, PatientRef::Folder(_)) => scenario.patient_folder().unwrap_or_default(),
    };
    Ok(Setup {
        patient: patient::open(&said, terminal)?,
        patient_said: said.display().to_string(),
        scenario,
        seed,
        recording: Some(folder.path.join("recording.mcap")),
    })
}

/// Where a session leaves its things. What is recorded is written as the session goes.
struct Folder {
    path: PathBuf,
    is_new: bool,
}

impl Folder {
    /// A new folder, or one that is empty.
    fn new(path: &Path) -> Result<Self, Failure> {
        let at = |error: std::io::Error| Failure::new(format!("--out {}: {error}", path.display()));
        let is_new = !path.exists();
        fs::create_dir_all(path).map_err(at)?;
        if fs::read_dir(path).map_err(at)?.next().is_some() {
            return Err(Failure::new(format!(
                "--out {}: the folder is not empty, and no session overwrites another; choose a new name",
                path.display()
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            is_new,
        })
    }

    /// Writes a file beside and renames it.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path.join(name);
        let beside = self.path.join(format!(".{name}.new"));
        fs::write(&beside, bytes)
            .and_then(|()| fs::rename(&beside, &path))
            .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
    }

    /// Takes away what was begun before anything was played.
    fn give_up(&self) {
        if self.is_new {
            let _ = fs::remove_dir(&self.path);
        }
    }
}
