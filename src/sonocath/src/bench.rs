//! `sonocath bench …`

use std::process::ExitCode;

use crate::args::BenchCommand;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Runs one of the benches.
pub fn run(command: &BenchCommand, _terminal: &Terminal) -> Result<ExitCode, Failure> {
    match command {
        BenchCommand::Ultrasound(_) => Err(Failure::new("not yet")),
    }
}
