//! `sonocath train`: starts the trainer, which is a program of its own.

use std::env;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::args::{Language, TrainArguments};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The trainer's program.
const TRAINER: &str = "sonocath-trainer";

/// Runs the trainer and ends as it ends.
pub fn run(arguments: &TrainArguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let trainer = beside_this().unwrap_or_else(|| PathBuf::from(TRAINER));
    let language = match terminal.language {
        Language::En => "en",
        Language::Zh => "zh",
    };
    let mut command = Command::new(&trainer);
    command
        .args(&arguments.arguments)
        .env("SONOCATH_LANG", language);
    match become_it(&mut command) {
        Ok(code) => Ok(code),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::new(terminal.pick(
            "the trainer is not here: no `sonocath-trainer` beside this program or in the PATH. \
                 ./tools/train builds and starts it; so does `cargo run -p trainer`. \
                 `sonocath play` plays a scenario without it",
            "找不到训练程序：本程序所在文件夹和 PATH 中都没有 `sonocath-trainer`。\
                 运行 ./tools/train 或 `cargo run -p trainer` 可以编译并启动它；\
                 `sonocath play` 不需要它也能运行场景",
        ))),
        Err(error) => Err(Failure::new(format!("{}: {error}", trainer.display()))),
    }
}

/// The trainer takes this program's place: who ends the one ends the other.
#[cfg(unix)]
fn become_it(command: &mut Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

/// Waits for the trainer and ends as it ends.
#[cfg(not(unix))]
fn become_it(command: &mut Command) -> io::Result<ExitCode> {
    let code = command.status()?.code();
    let code = code.and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(Failure::EXIT_CODE)))
}

/// The trainer in this program's folder, if it is there.
fn beside_this() -> Option<PathBuf> {
    let name = format!("{TRAINER}{}", env::consts::EXE_SUFFIX);
    let path = env::current_exe().ok()?.parent()?.join(name);
    path.is_file().then_some(path)
}
