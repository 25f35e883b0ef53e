//! The folder that a scan is written to: beside first, then renamed, so that there is never half a
//! scan; and what may be replaced.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

/// What a scan consists of; its presence makes a folder a scan's.
pub const MANIFEST: &str = "scan.json";

/// The key of the manifest that says which version of it this is.
pub const VERSION_KEY: &str = "sonocath_scan";

/// The key of the manifest that lists the other files of the folder.
pub const FILES_KEY: &str = "files";

/// A longer manifest is not read.
const MANIFEST_LIMIT: u64 = 64 << 20;

/// Why a folder cannot be written.
#[derive(Debug, Error)]
pub enum FolderError {
    /// Something is there.
    #[error("--out {}: exists already{mend}", .folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
        /// What to do about it.
        mend: String,
    },
    /// The disk says no.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An error of the system about a path.
pub fn io_at(path: &Path) -> impl Fn(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io {
        path: path.clone(),
        source,
    }
}

/// Whether a scan may be written there; asked before the work, and again after it.
///
/// # Errors
/// [`FolderError::Exists`].
pub fn may_write(folder: &Path, force: bool) -> Result<(), FolderError> {
    // A link that leads nowhere is in the way too.
    if fs::symlink_metadata(folder).is_err() {
        return Ok(());
    }
    let mend = match files_of_scan(folder) {
        None => " and holds no scan; choose another name".to_owned(),
        Some(_) if !force => "; --force replaces it, or choose another name".to_owned(),
        Some(files) => match foreign_file(folder, &files) {
            None => return Ok(()),
            Some(file) => format!(
                " and holds {} besides the scan, which would be lost; move it or choose another name",
                file.display()
            ),
        },
    };
    Err(FolderError::Exists {
        folder: folder.to_owned(),
        mend,
    })
}

/// The names that a folder's manifest lists; `None` if it is no scan's folder.
fn files_of_scan(folder: &Path) -> Option<BTreeSet<String>> {
    if fs::symlink_metadata(folder).ok()?.is_symlink() {
        return None;
    }
    let mut text = String::new();
    let file = fs::File::open(folder.join(MANIFEST)).ok()?;
    file.take(MANIFEST_LIMIT).read_to_string(&mut text).ok()?;
    let manifest: Value = serde_json::from_str(&text).ok()?;
    manifest.get(VERSION_KEY)?;
    let names = manifest.get(FILES_KEY)?.as_array()?.iter();
    names.map(|name| name.as_str().map(str::to_owned)).collect()
}

/// The first thing in a scan's folder that the scan did not write.
fn foreign_file(folder: &Path, files: &BTreeSet<String>) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_own = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let listed = name
            .to_str()
            .is_some_and(|name| name == MANIFEST || files.contains(name));
        listed && entry.file_type().is_ok_and(|kind| kind.is_file())
    };
    let foreign = entries.filter(|entry| !is_own(entry));
    foreign.map(|entry| entry.path()).min()
}

/// A folder beside the one to write, gone unless [`Staging::publish`]ed.
pub struct Staging {
    beside: tempfile::TempDir,
    out: PathBuf,
    force: bool,
}

impl Staging {
    /// Beside `out`.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn new(out: &Path, force: bool) -> Result<Self, FolderError> {
        may_write(out, force)?;
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(io_at(parent))?;
        let beside = tempfile::Builder::new()
            .prefix(".sonocath-")
            .tempdir_in(parent)
            .map_err(io_at(parent))?;
        let staging = Self {
            beside,
            out: out.to_owned(),
            force,
        };
        // The temporary folder is private; the one within gets the rights of any new folder.
        fs::create_dir(staging.folder()).map_err(io_at(&staging.folder()))?;
        Ok(staging)
    }

    /// Where to write.
    pub fn folder(&self) -> PathBuf {
        self.beside.path().join("new")
    }

    /// Puts what was written in its place.
    ///
    /// # Errors
    /// See [`FolderError`]; what was there is then as it was.
    pub fn publish(self) -> Result<(), FolderError> {
        // Asked again: the work took a while, and somebody else may have been quicker.
        may_write(&self.out, self.force)?;
        if !self.out.exists() {
            return fs::rename(self.folder(), &self.out).map_err(io_at(&self.out));
        }
        let old = self.beside.path().join("old");
        fs::rename(&self.out, &old).map_err(io_at(&self.out))?;
        fs::rename(self.folder(), &self.out).map_err(|source| {
            // Put the old scan back; where even that fails, leave it beside rather than lose it.
            if fs::rename(&old, &self.out).is_err() {
                let _ = self.beside.keep();
            }
            FolderError::Io {
                path: self.out.clone(),
                source,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_scan(out: &Path, force: bool, text: &str) -> Result<(), FolderError> {
        let staging = Staging::new(out, force)?;
        fs::write(staging.folder().join("frame-0000.png"), text).unwrap();
        let manifest = serde_json::json!({ VERSION_KEY: 1, FILES_KEY: ["frame-0000.png"] });
        fs::write(staging.folder().join(MANIFEST), manifest.to_string()).unwrap();
        staging.publish()
    }

    #[test]
    fn only_a_scan_is_replaced_and_only_when_asked_to() {
        let scratch = tempfile::tempdir().unwrap();
        let out = scratch.path().join("a/b");
        write_scan(&out, false, "one").unwrap();
        let refused = write_scan(&out, false, "two").unwrap_err().to_string();
        assert!(refused.contains("--force"), "{refused}");
        write_scan(&out, true, "two").unwrap();
        let read = || fs::read_to_string(out.join("frame-0000.png")).unwrap();
        assert_eq!(read(), "two");

        fs::write(out.join("notes.txt"), "mine").unwrap();
        let refused = write_scan(&out, true, "three").unwrap_err().to_string();
        assert!(refused.contains("notes.txt"), "{refused}");
        assert_eq!(read(), "two");
        assert_eq!(fs::read_dir(scratch.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_scan_stays() {
        let scratch = tempfile::tempdir().unwrap();
        let out = scratch.path().join("thesis");
        fs::create_dir(&out).unwrap();
        fs::write(out.join(MANIFEST), "{\"files\": []}").unwrap();
        for force in [false, true] {
            let refused = write_scan(&out, force, "x").unwrap_err().to_string();
            assert!(refused.contains("holds no scan"), "{refused}");
        }
        let file = scratch.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(write_scan(&file, true, "x").is_err());
    }

    #[test]
    fn work_given_up_leaves_nothing() {
        let scratch = tempfile::tempdir().unwrap();
        let staging = Staging::new(&scratch.path().join("s"), false).unwrap();
        fs::write(staging.folder().join("frame-0000.png"), "half").unwrap();
        drop(staging);
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
