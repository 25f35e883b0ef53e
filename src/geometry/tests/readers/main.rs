//! Every reader of files a person can hand over: hand-made files of each form, hostile files, and
//! real anatomy.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test, a surprise in a shared function may stop it, and a skipped test says so"
)]

mod allocation;
mod curves;
mod hostile;
mod meshes;
mod real_files;
mod volumes;

use std::path::{Path, PathBuf};

/// The small files in `corpus/FOLDER`, by name.
fn corpus(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

/// One file of the corpus.
fn corpus_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// A message for a person: one paragraph that names the file and ends in what to do.
fn assert_is_for_a_person(file: &Path, error: &dyn std::error::Error) {
    let text = error.to_string();
    assert!(!text.contains('\n'), "more than one paragraph: {text}");
    assert!(text.len() < 700, "too long: {text}");
    assert!(
        text.contains(&file_name(file)) || text.contains(".raw"),
        "no file: {text}"
    );
    assert!(
        text.ends_with('.') && !text.ends_with(".."),
        "no sentence: {text}"
    );
}
