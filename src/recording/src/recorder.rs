//! Writing: step after step behind the last one, closed at the end.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Cursor, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use mcap::WriteOptions;
use mcap::records::MessageHeader;
use serde::Serialize;

use crate::Digest;
use crate::error::RecordingError;
use crate::layout::{self, Topic};
use crate::read;
use crate::records::{self, Record, Records};
use crate::step::{Header, Step};
use crate::wire::{EventBody, FactsBody, HeaderBody, Hex, InputsBody, ProbeBody};
use crate::wire::{SettingsBody, StepBody};

/// A recording that is being made.
///
/// Each step goes to the operating system before [`Recorder::step`] returns: a program that is killed
/// loses at most the step that it was writing. When the machine itself fails, what the system
/// has not yet put to the disk is lost too; [`Recorder::close`] waits for the disk.
///
/// Dropped without being closed it leaves its `.part` file as it is.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    part: PathBuf,
    tail: Tail<File>,
    chain: Chain,
    /// One step's bytes, kept for its memory.
    buffer: Vec<u8>,
}

impl Recorder {
    /// Begins a recording that will be called `path`, in a file `path` + `.part`.
    ///
    /// # Errors
    /// If either file is there already, the header has no steps in a second, or the file cannot be
    /// written.
    pub fn create(path: impl AsRef<Path>, header: &Header) -> Result<Self, RecordingError> {
        let path = path.as_ref().to_owned();
        if header.ticks_per_s == 0 {
            return Err(RecordingError::NoTicks);
        }
        refuse_existing(&path)?;
        let part = part_of(&path);
        let mut chain = Chain::new(header.ticks_per_s);
        let start = chain.begin(header);
        let mut tail = Tail::new(create_part(&part)?);
        if let Err(source) = tail.append(&start) {
            // It has nothing in it that anybody would miss.
            drop(fs::remove_file(&part));
            return Err(RecordingError::io("write", &part)(source));
        }
        let buffer = Vec::new();
        Ok(Self {
            path,
            part,
            tail,
            chain,
            buffer,
        })
    }

    /// Appends a step.
    ///
    /// # Errors
    /// If it does not follow the last one (the first is 0), or cannot be written. Then the file is as it
    /// was, and the same step may be tried again.
    pub fn step(&mut self, step: &Step) -> Result<(), RecordingError> {
        let next = self.chain.next_tick;
        if step.tick != next {
            let tick = step.tick;
            return Err(RecordingError::OutOfOrder { tick, next });
        }
        if self.tail.stuck {
            let part = self.part.clone();
            return Err(RecordingError::Stuck { part });
        }
        let mut chain = self.chain;
        self.buffer.clear();
        chain.step(step, &mut self.buffer);
        self.tail
            .append(&self.buffer)
            .map_err(RecordingError::io("write", &self.part))?;
        self.chain = chain;
        Ok(())
    }

    /// The file that steps go to until the recording is closed.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Ends the recording: writes it with an index beside, waits until it is on the disk, gives it
    /// its name and removes the `.part` file.
    ///
    /// # Errors
    /// If that cannot be done. Then the `.part` file is still there, and [`close_left_over`] may try
    /// again.
    pub fn close(self) -> Result<(), RecordingError> {
        drop(self.tail);
        close(&self.part, &self.path)
    }
}

/// Closes a recording that a crash left open: `path` is made of `path` + `.part`, up to the last
/// complete step. Not to be used while a [`Recorder`] still writes it.
///
/// # Errors
/// If there is nothing to close, `path` is there already, the file is damaged, or something cannot be
/// written. The `.part` file is then still there.
pub fn close_left_over(path: impl AsRef<Path>) -> Result<(), RecordingError> {
    let path = path.as_ref();
    close(&part_of(path), path)
}

/// The file of a recording that is not closed: `.part` behind the name.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    beside(path, ".part")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

fn refuse_existing(path: &Path) -> Result<(), RecordingError> {
    match path.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(RecordingError::Exists { path: path.into() }),
        Err(source) => Err(RecordingError::io("look for", path)(source)),
    }
}

fn create_part(part: &Path) -> Result<File, RecordingError> {
    // Not in append mode: Windows does not shorten a file that is open so.
    let created = OpenOptions::new().write(true).create_new(true).open(part);
    created.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => RecordingError::LeftOver { part: part.into() },
        _ => RecordingError::io("create", part)(source),
    })
}

/// The messages of a file one after another, and what they must know of each other.
#[derive(Clone, Copy, Debug)]
struct Chain {
    ticks_per_s: u32,
    next_tick: u64,
    /// Of the data of all messages so far.
    digest: Digest,
    /// Messages of this step so far.
    messages: u32,
}

impl Chain {
    const fn new(ticks_per_s: u32) -> Self {
        Self {
            ticks_per_s,
            next_tick: 0,
            digest: Digest::new(),
            messages: 0,
        }
    }

    /// A file's bytes up to and with the header.
    fn begin(&mut self, header: &Header) -> Vec<u8> {
        let options = WriteOptions::new().use_chunks(false);
        let writer = layout::begin(Cursor::new(Vec::new()), options)
            .expect("memory takes a few schemas, each under a name of its own");
        let mut bytes = writer.into_inner().into_inner();
        self.message(Topic::Header, &HeaderBody::from(header), &mut bytes);
        self.messages = 0;
        bytes
    }

    fn step(&mut self, step: &Step, to: &mut Vec<u8>) {
        let tick = step.tick;
        if let Some(body) = InputsBody::of(step) {
            self.message(Topic::Inputs, &body, to);
        }
        if let Some(probe) = &step.probe {
            self.message(Topic::Probe, &ProbeBody::of(tick, probe), to);
        }
        if let Some(text) = step.settings.clone() {
            self.message(Topic::Settings, &SettingsBody { tick, text }, to);
        }
        if let Some(facts) = &step.facts {
            self.message(Topic::Facts, &FactsBody::of(tick, facts), to);
        }
        for event in &step.events {
            self.message(Topic::Event, &EventBody::of(tick, event), to);
        }
        let end = StepBody {
            tick,
            frozen: step.frozen,
            messages: self.messages,
            digest: Hex(self.digest.value()),
        };
        self.message(Topic::Step, &end, to);
        self.messages = 0;
        self.next_tick += 1;
    }

    fn message(&mut self, topic: Topic, body: &impl Serialize, to: &mut Vec<u8>) {
        let time_ns = layout::time_ns(self.next_tick, self.ticks_per_s);
        records::put_message(to, topic.channel(), time_ns, |to| {
            let start = to.len();
            serde_json::to_writer(&mut *to, body)
                .expect("memory takes plain data, whose maps have texts as keys");
            self.digest.bytes(&to[start..]);
        });
        self.messages += 1;
    }
}

/// What a file must be able to do to be appended to.
trait Append: Write {
    /// Makes it end at this length again.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
}

impl Append for File {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        self.seek(SeekFrom::Start(bytes)).map(drop)
    }
}

/// The end of a file, where only whole steps stay.
#[derive(Debug)]
struct Tail<F> {
    file: F,
    bytes: u64,
    /// A part of a step is at the end and could not be taken back.
    stuck: bool,
}

impl<F: Append> Tail<F> {
    const fn new(file: F) -> Self {
        Self {
            file,
            bytes: 0,
            stuck: false,
        }
    }

    /// Hands all of it to the operating system, or leaves nothing of it behind.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.flush());
        match &written {
            Ok(()) => self.bytes += bytes.len() as u64,
            Err(_) => self.stuck = self.file.cut(self.bytes).is_err(),
        }
        written
    }
}

fn close(part: &Path, path: &Path) -> Result<(), RecordingError> {
    refuse_existing(path)?;
    let bytes = read::bytes_of(part)?;
    let complete = read::complete_bytes(&bytes, part)?;
    let closing = beside(path, ".closing");
    let written = write_indexed(&bytes[..complete], &closing)
        .and_then(|()| fs::rename(&closing, path))
        .and_then(|()| sync_folder(path));
    if let Err(source) = written {
        // Not there if it was renamed already.
        drop(fs::remove_file(&closing));
        return Err(RecordingError::io("close", path)(source));
    }
    fs::remove_file(part).map_err(RecordingError::io("remove", part))
}

/// The same messages with chunks, index and end, on the disk when this returns.
fn write_indexed(bytes: &[u8], to: &Path) -> io::Result<()> {
    let file = BufWriter::new(File::create(to)?);
    let mut writer = layout::begin(file, WriteOptions::new()).map_err(io::Error::other)?;
    let mut records = Records::of(bytes).into_iter().flatten();
    while let Some(Ok(record)) = records.next() {
        if let Record::Message {
            channel,
            time_ns,
            data,
        } = record
        {
            let header = MessageHeader {
                channel_id: channel,
                sequence: 0,
                log_time: time_ns,
                publish_time: time_ns,
            };
            writer
                .write_to_known_channel(&header, data)
                .map_err(io::Error::other)?;
        }
    }
    writer.finish().map_err(io::Error::other)?;
    let file = writer.into_inner().into_inner()?;
    file.sync_all()
}

/// Has the folder's list of names put to the disk, where folders can be.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let here = Path::new(".");
        let folder = if folder.as_os_str().is_empty() {
            here
        } else {
            folder
        };
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests;
