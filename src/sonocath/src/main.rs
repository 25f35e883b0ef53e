//! The command line of sonocath.
//!
//! A thin shell: it reads arguments, calls the rooms below and tells a person (or, with `--json`, a
//! program) what came of it. It computes nothing itself. Exit codes: 0 done, 1 the patient was
//! checked and has defects, 2 bad input.

mod args;
mod bench;
mod drawing;
mod failure;
mod patient;
mod play;
mod preview;
mod scan;
mod score;
mod terminal;
mod train;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use failure::Failure;
use terminal::Terminal;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = Terminal::new(arguments.json, arguments.lang);
    let outcome = match arguments.command {
        Command::Patient(command) => patient::run(command, &terminal),
        Command::Scan(arguments) => scan::run(&arguments, &terminal),
        Command::Train(arguments) => train::run(&arguments, &terminal),
        Command::Play(arguments) => play::run(&arguments, &terminal),
        Command::Score(arguments) => score::run(&arguments, &terminal),
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
