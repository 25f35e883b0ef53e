//! Runs the built program in a scratch folder.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What the program did.
pub struct Run {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `sonocath` with `args` in `folder`.
pub fn sonocath<S: AsRef<std::ffi::OsStr>>(folder: &Path, args: &[S]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_sonocath"))
        .args(args)
        .current_dir(folder)
        .env_remove("SONOCATH_LANG")
        .output()
        .expect("the program was built for this test");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        code: output.status.code().expect("the program was not killed"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// The standard output of a run that must succeed, read as JSON.
pub fn sonocath_json<S: AsRef<std::ffi::OsStr>>(folder: &Path, args: &[S]) -> serde_json::Value {
    let run = sonocath(folder, args);
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    serde_json::from_str(&run.out).expect("--json prints JSON")
}

#[allow(clippy::print_stderr, reason = "a skipped test must say so")]
/// The folder of real patients: `SONOCATH_TEST_ANATOMY`, else `../shared/anatomy` beside the
/// repository. Where it is missing, a test is skipped by name; with `CI=true` it fails.
pub fn real_anatomy(test: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/anatomy");
    let folder = std::env::var_os("SONOCATH_TEST_ANATOMY").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{test}: no real anatomy at {}: run tools/fetch-anatomy or set SONOCATH_TEST_ANATOMY",
        folder.display()
    );
    eprintln!("SKIPPED {test}: no real anatomy at {}", folder.display());
    None
}
