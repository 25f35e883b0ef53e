//! What can go wrong with a recording.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::Recording;

/// Why something was not recorded or cannot be read.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// The file system said no.
    #[error("cannot {what} `{}`: {source}", path.display())]
    Io {
        /// What was being done: "read", "write".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A recording of that name is there already.
    #[error("there is a recording `{}` already; choose another name or move it away", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A recording of that name was begun and not closed.
    #[error(
        "`{}` is a recording that was not closed, or one that is still being made; \
         choose another name, or close it or move it away first",
        part.display()
    )]
    LeftOver {
        /// The file.
        part: PathBuf,
    },
    /// There is no such file.
    #[error("there is no recording `{}`{}", path.display(), left_over(.part.as_deref()))]
    NotFound {
        /// The file.
        path: PathBuf,
        /// What is there of a recording of that name that was not closed.
        part: Option<PathBuf>,
    },
    /// A header with no steps in a second.
    #[error("a recording needs at least one step in a second; its header says 0")]
    NoTicks,
    /// A step that does not follow the one before.
    #[error("step {tick} cannot be recorded now: the next is {next}")]
    OutOfOrder {
        /// The step's tick.
        tick: u64,
        /// The tick that comes next.
        next: u64,
    },
    /// An earlier step could not be written, nor be taken back.
    #[error("`{}` ends in a step that could not be written; nothing more is added to it", part.display())]
    Stuck {
        /// The file.
        part: PathBuf,
    },
    /// Some other kind of file.
    #[error("`{}` is not a recording: it is not an MCAP file", path.display())]
    NotMcap {
        /// The file.
        path: PathBuf,
    },
    /// An MCAP file of another program.
    #[error("`{}` is an MCAP file, but not a recording of sonocath: it was made by {by}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What the file says of its maker.
        by: String,
    },
    /// A file that a later version wrote.
    #[error(
        "`{}` was recorded by a newer sonocath: it has `{schema}`, and this one knows versions up to {known}",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Name of the schema.
        schema: String,
        /// The highest version that is known here.
        known: u32,
    },
    /// A channel that no version known here has.
    #[error(
        "`{}` has a channel `{topic}` with the schema `{schema}` that this sonocath does not know; \
         a newer one may",
        path.display()
    )]
    UnknownChannel {
        /// The file.
        path: PathBuf,
        /// Topic of the channel.
        topic: String,
        /// Name of its schema.
        schema: String,
    },
    /// A file that was compressed afterwards.
    #[error(
        "`{}` was compressed with {compression}; recordings are read uncompressed: \
         `mcap decompress` of the MCAP command line makes one",
        path.display()
    )]
    Compressed {
        /// The file.
        path: PathBuf,
        /// The compression's name.
        compression: String,
    },
    /// A file that says nothing of what it records.
    #[error("`{}` has no header: {why}", path.display())]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// What is there instead.
        why: String,
    },
    /// A file in which something changed after it was written.
    #[error("`{}` is damaged {}: {why}", path.display(), place(*.after))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Tick of the last complete step before the damage.
        after: Option<u64>,
        /// What is wrong.
        why: String,
        /// All up to there; `None` if there is no complete step.
        before: Option<Box<Recording>>,
    },
    /// A recording of another engine.
    #[error(
        "the recording was made by `{recorded_by}` and cannot be replayed exactly by `{engine}`: \
         its pictures could differ"
    )]
    OtherEngine {
        /// The engine that made it.
        recorded_by: String,
        /// The engine that is to replay it.
        engine: String,
    },
}

impl RecordingError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }

    /// What a damaged file holds up to the damage.
    pub fn into_what_was_before(self) -> Option<Recording> {
        match self {
            Self::Damaged { before, .. } => before.map(|before| *before),
            _ => None,
        }
    }
}

fn left_over(part: Option<&Path>) -> String {
    part.map_or_else(String::new, |part| {
        let part = part.display();
        format!("; one of that name was not closed: `{part}` can be read up to its last step")
    })
}

fn place(after: Option<u64>) -> String {
    match after {
        Some(tick) => format!("after step {tick}"),
        None => "before its first step is complete".to_owned(),
    }
}
