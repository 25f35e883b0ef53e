//! The room with the stand-in player.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anatomy::atlas::Atlas;
use anatomy::recipe::Recipe;
use anatomy::tissue::{DisplayName, TissueTable};
use anatomy::{Patient, Silent};
use clap::Parser;
use equipment::Probe;
use trainer::standin::{Load, StandIn};
use trainer::{Command, Language, Room, Step, run_offscreen, run_window};

/// A room to scan in.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A patient's folder, or the name of a built-in recipe.
    #[arg(long, default_value = "phantom-torso")]
    patient: String,
    /// Draws without a screen and writes pictures here.
    #[arg(long)]
    offscreen: Option<PathBuf>,
    /// Width and height.
    #[arg(long, num_args = 2, default_values_t = [1280, 720])]
    size: Vec<u32>,
    /// Chinese.
    #[arg(long)]
    chinese: bool,
    /// Shows figures in the footer.
    #[arg(long)]
    stats: bool,
    /// Seconds to run without a screen.
    #[arg(long, default_value_t = 6.0)]
    seconds: f64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(notice) => {
            say(&format!("error: {}\n错误：{}", notice.en, notice.zh));
            ExitCode::from(2)
        }
    }
}

#[allow(clippy::print_stderr, reason = "the program's own notices go there")]
fn say(text: &str) {
    eprintln!("{text}");
}

fn run(arguments: &Arguments) -> Result<(), DisplayName> {
    let plain = |error: &dyn std::fmt::Display| DisplayName {
        en: error.to_string(),
        zh: error.to_string(),
    };
    let tissues = TissueTable::builtin();
    let patient = match PathBuf::from(&arguments.patient) {
        folder if folder.is_dir() => Patient::load(&folder, tissues).map_err(|e| plain(&e))?,
        _ => Recipe::builtin(&arguments.patient)
            .and_then(|recipe| recipe.make(Atlas::builtin(), tissues, &Silent))
            .map_err(|e| plain(&e))?,
    };
    let probe = Probe::named("C5-2v").map_err(|e| plain(&e))?.clone();
    let player = Box::new(StandIn::start(&probe, Load::default()));
    let language = match arguments.chinese {
        true => Language::Chinese,
        false => Language::English,
    };
    let room = Room {
        patient: Arc::new(patient),
        probe,
        title: DisplayName {
            en: "FAST drill".to_owned(),
            zh: "FAST 训练".to_owned(),
        },
        language,
        show_stats: arguments.stats,
    };
    let size = (arguments.size[0], arguments.size[1]);
    let outcome = match &arguments.offscreen {
        None => run_window(room, player, size),
        Some(folder) => run_offscreen(room, player, size, &mut tour(folder, arguments.seconds)),
    };
    let figures = outcome.map_err(|error| error.notice())?;
    say(&format!("{figures:?}"));
    Ok(())
}

/// A walk through the room's states with a picture of each.
#[allow(clippy::disallowed_methods, reason = "a shell measures itself")]
fn tour(folder: &std::path::Path, seconds: f64) -> impl FnMut(&mut trainer::Frame<'_>) -> Step {
    let begun = std::time::Instant::now();
    let folder = folder.to_owned();
    let mut done = 0;
    let mut begun_state = 0;
    move |frame| {
        std::thread::sleep(Duration::from_millis(2));
        if std::env::var("ROOM_LIVE").is_ok() {
            let now = begun.elapsed().as_secs_f64();
            if let Some(mut hand) = frame.hand() {
                hand.turn.tilt_deg = 8.0 * (now * 2.0).sin();
                frame.place_hand(hand);
            }
            return match now > seconds {
                true => Step::Stop,
                false => Step::Keep,
            };
        }
        let shots: [(f64, &str); 4] =
            [(0.45, "live"), (0.6, "score"), (0.75, "help"), (0.9, "end")];
        let now = begun.elapsed().as_secs_f64() / seconds;
        if let Some(mut hand) = frame.hand()
            && done == 0
        {
            hand.turn.tilt_deg = 8.0 * (now * 12.0).sin();
            frame.place_hand(hand);
        }
        if begun_state != done {
            begun_state = done;
            match done {
                1 => frame.send(Command::Action(equipment::Action::Capture)),
                2 => frame.view().is_help_open = true,
                3 => {
                    frame.view().is_help_open = false;
                    frame.send(Command::Action(equipment::Action::Next));
                }
                _ => {}
            }
        }
        match shots.get(done) {
            None => Step::Stop,
            Some((at, name)) if now > *at => {
                done += 1;
                Step::Screenshot(folder.join(format!("{name}.png")))
            }
            Some(_) => Step::Keep,
        }
    }
}
