//! The command line of sonocath.
//!
//! A thin shell: it reads arguments, calls the rooms below and tells a person (or, with `--json`, a
//! program) what came of it. It computes nothing itself. Exit codes: 0 done, 1 the patient was
//! checked and has defects, 2 bad input.

mod args;
mod bench;
mod drawing;
mod failure;
mod lists;
mod patient;
mod play;
mod preview;
mod scan;
mod score;
mod table;
mod terminal;
mod train;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Arguments, Command, Language};
use failure::Failure;
use terminal::Terminal;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return unsaid(&error),
    };
    let terminal = Terminal::new(arguments.json, arguments.lang);
    let outcome = match arguments.command {
        Command::Patient(command) => patient::run(command, &terminal),
        Command::Scan(arguments) => scan::run(&arguments, &terminal),
        Command::Train(arguments) => train::run(&arguments, &terminal),
        Command::Play(arguments) => play::run(&arguments, &terminal),
        Command::Score(arguments) => score::run(&arguments, &terminal),
        Command::Probe(command) => lists::probes(&command, &terminal),
        Command::Preset(command) => lists::presets(&command, &terminal),
        Command::Scenario(command) => lists::scenarios(&command, &terminal),
        Command::Bench(command) => bench::run(&command, &terminal),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            terminal.fail(&failure);
            ExitCode::from(Failure::EXIT_CODE)
        }
    }
}

/// Help and version go out as they are; what makes no sense is told in the form that was asked for.
fn unsaid(error: &clap::Error) -> ExitCode {
    let is_asked_for = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if is_asked_for || !wants_json() {
        // Prints, and ends with 0 for what was asked for, else with 2.
        error.exit();
    }
    Terminal::new(true, Language::En).fail(&Failure::of_usage(error));
    ExitCode::from(Failure::EXIT_CODE)
}

/// Whether `--json` was said, where the words as a whole could not be understood.
fn wants_json() -> bool {
    let words = std::env::args_os().skip(1);
    words
        .take_while(|word| word != "--")
        .any(|word| word == "--json")
}
