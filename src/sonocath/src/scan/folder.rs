//! The folder that a scan is written to: beside first, then renamed, so that there is never half a
//! scan; and what may be replaced.

use std::collections::BTreeSet;
use std::ffi::OsStr;
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
    /// A file stands where a folder is needed.
    #[error("--out {}: {} is a file, not a folder; choose another place", .folder.display(), .file.display())]
    BehindFile {
        /// The folder.
        folder: PathBuf,
        /// The file on the way to it.
        file: PathBuf,
    },
    /// The folder cannot be made there.
    #[error("--out {}: the folder cannot be made: {source}; choose a place where you may write", .folder.display())]
    Unmakeable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
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

/// Whether all on the way to a folder that there is are folders: the rest can be made.
///
/// # Errors
/// [`FolderError::BehindFile`].
pub fn may_make(folder: &Path) -> Result<(), FolderError> {
    let mut on_way = folder.ancestors().skip(1);
    match on_way.find(|place| place.exists()) {
        Some(place) if !place.is_dir() => Err(FolderError::BehindFile {
            folder: folder.to_owned(),
            file: place.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Whether a scan may be written there, in a new or an empty folder or over a scan; asked before the
/// work, and again after it.
///
/// # Errors
/// [`FolderError::Exists`], [`FolderError::BehindFile`].
pub fn may_write(folder: &Path, force: bool) -> Result<(), FolderError> {
    // A link that leads nowhere is in the way too.
    if fs::symlink_metadata(folder).is_err() {
        return may_make(folder);
    }
    if holds_only(folder, None) {
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

/// Whether it is a folder with nothing in it but what is called so.
fn holds_only(folder: &Path, name: Option<&OsStr>) -> bool {
    let is_own = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| Some(&*entry.file_name()) == name)
    };
    fs::read_dir(folder).is_ok_and(|mut entries| entries.all(is_own))
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

/// A folder beside the one to write, gone unless [`Staging::publish`]ed. Where the one to write is
/// there and empty, a folder within: it may be the one the person is in, or a disk of its own.
pub struct Staging {
    beside: tempfile::TempDir,
    out: PathBuf,
    force: bool,
    within: bool,
}

impl Staging {
    /// Beside `out`.
    ///
    /// # Errors
    /// See [`FolderError`].
    pub fn new(out: &Path, force: bool) -> Result<Self, FolderError> {
        may_write(out, force)?;
        let unmakeable = |source| FolderError::Unmakeable {
            folder: out.to_owned(),
            source,
        };
        let within = holds_only(out, None);
        let home = match out.parent() {
            _ if within => out,
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(home).map_err(unmakeable)?;
        let beside = tempfile::Builder::new()
            .prefix(".sonocath-")
            .tempdir_in(home)
            .map_err(unmakeable)?;
        if !out.exists() {
            // A name that the system does not take is told of before the work.
            fs::create_dir(out).map_err(unmakeable)?;
            fs::remove_dir(out).map_err(unmakeable)?;
        }
        let staging = Self {
            beside,
            out: out.to_owned(),
            force,
            within,
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
        if self.within {
            return self.publish_within();
        }
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

impl Staging {
    /// Moves every file up into the folder, the manifest last: with it the scan is whole.
    fn publish_within(&self) -> Result<(), FolderError> {
        if !holds_only(&self.out, self.beside.path().file_name()) {
            return Err(FolderError::Exists {
                folder: self.out.clone(),
                mend: ", and something was put in it while the scan was made; choose another name"
                    .to_owned(),
            });
        }
        let new = self.folder();
        let entries = fs::read_dir(&new).map_err(io_at(&new))?;
        let names: io::Result<Vec<_>> = entries.map(|e| Ok(e?.file_name())).collect();
        let mut names = names.map_err(io_at(&new))?;
        names.sort_by_key(|name| name == MANIFEST);
        for (moved, name) in names.iter().enumerate() {
            let to = self.out.join(name);
            if let Err(source) = fs::rename(new.join(name), &to) {
                for name in &names[..moved] {
                    let _ = fs::remove_file(self.out.join(name));
                }
                return Err(FolderError::Io { path: to, source });
            }
        }
        Ok(())
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
    fn an_empty_folder_is_used_and_stays_the_same_folder() {
        let scratch = tempfile::tempdir().unwrap();
        let out = scratch.path().join("s");
        fs::create_dir(&out).unwrap();
        drop(Staging::new(&out, false).unwrap());
        assert_eq!(fs::read_dir(&out).unwrap().count(), 0);

        // One that is gone, or has been filled meanwhile, is left alone.
        let staging = Staging::new(&out, false).unwrap();
        fs::write(out.join("thesis.txt"), "years of work").unwrap();
        let refused = staging.publish().unwrap_err().to_string();
        assert!(refused.contains("while the scan was made"), "{refused}");
        fs::remove_file(out.join("thesis.txt")).unwrap();

        write_scan(&out, false, "one").unwrap();
        assert_eq!(fs::read_dir(&out).unwrap().count(), 2);
        assert!(write_scan(&out, false, "two").is_err());
        write_scan(&out, true, "two").unwrap();
    }

    #[test]
    fn places_where_no_folder_can_be_are_told() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("file");
        fs::write(&file, "x").unwrap();
        let refused = Staging::new(&file.join("a/b"), true);
        assert!(
            matches!(refused, Err(FolderError::BehindFile { file: on_way, .. }) if on_way == file)
        );
        let long = scratch.path().join("s".repeat(300));
        let refused = Staging::new(&long, false);
        assert!(matches!(refused, Err(FolderError::Unmakeable { .. })));
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
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
