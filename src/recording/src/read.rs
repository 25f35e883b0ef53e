//! Reading: closed files, and what is there of others.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::Digest;
use crate::error::RecordingError;
use crate::layout::{self, ENCODING, PROFILE, Topic, VERSION};
use crate::recorder::part_of;
use crate::records::{Record, Records, has_tail};
use crate::step::{Facts, Header, ProbeState, Step};
use crate::wire::{EventBody, FactsBody, HeaderBody, InputsBody, ProbeBody};
use crate::wire::{SettingsBody, StepBody};

/// A recording that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// What holds for all of it.
    pub header: Header,
    /// All complete steps; the first has tick 0 and none is missing.
    pub steps: Vec<Step>,
    /// How the file ends.
    pub ended: Ended,
}

/// How a recording's file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was closed, and all is there.
    Closed,
    /// It was not closed, or was cut off afterwards: by a crash, or because it is still being made.
    Broken {
        /// Bytes after the last complete step: the step that was being written.
        bytes_left_out: u64,
    },
}

impl Recording {
    /// Reads a closed recording, or a `.part` file, cut off wherever.
    ///
    /// A recording that was not closed is not read in place of the closed one that `path` names: the
    /// error says where it is.
    ///
    /// # Errors
    /// If there is no such file, it is no recording or one of a newer program, its header is not
    /// complete, or it is damaged: then the error still has what was before
    /// ([`RecordingError::into_what_was_before`]).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        Self::of_bytes(&bytes_of(path)?, path)
    }

    /// Reads a recording out of its file's bytes; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Recording::open`].
    pub fn of_bytes(bytes: &[u8], path: &Path) -> Result<Self, RecordingError> {
        whole_steps(bytes, path).map(|(recording, _)| recording)
    }

    /// Whether the same inputs give the same pictures again, bit for bit: only in the engine that
    /// made the recording.
    ///
    /// # Errors
    /// If that was another one.
    pub fn is_replayable_by(&self, engine: &str) -> Result<(), RecordingError> {
        if self.header.engine == engine {
            return Ok(());
        }
        Err(RecordingError::OtherEngine {
            recorded_by: self.header.engine.clone(),
            engine: engine.to_owned(),
        })
    }
}

/// A file's bytes.
pub(crate) fn bytes_of(path: &Path) -> Result<Vec<u8>, RecordingError> {
    fs::read(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => {
            let part = part_of(path);
            let path = path.to_owned();
            let part = part.is_file().then_some(part);
            RecordingError::NotFound { path, part }
        }
        _ => RecordingError::io("read", path)(source),
    })
}

/// Up to where a file is complete.
pub(crate) fn complete_bytes(bytes: &[u8], path: &Path) -> Result<usize, RecordingError> {
    whole_steps(bytes, path).map(|(_, complete)| complete)
}

fn whole_steps(bytes: &[u8], path: &Path) -> Result<(Recording, usize), RecordingError> {
    let Some(records) = Records::of(bytes) else {
        return Err(no_start(bytes, path));
    };
    let mut reader = Reader::default();
    let end = reader.read(records);
    let path = path.to_owned();
    let (why, closed) = match end {
        Err(Stop::File(refusal)) => return Err(refusal.at(path)),
        Err(Stop::Fault(why)) => (why, false),
        Ok(()) => (NO_END.to_owned(), reader.ended && has_tail(bytes)),
    };
    let Some(header) = reader.header else {
        return Err(RecordingError::NoHeader { path, why });
    };
    let rest = &bytes[reader.complete..];
    let ended = if closed {
        Ended::Closed
    } else {
        let bytes_left_out = rest.len() as u64;
        Ended::Broken { bytes_left_out }
    };
    let steps = reader.steps;
    let recording = Recording {
        header,
        steps,
        ended,
    };
    // Who is interrupted leaves one step unfinished. A finished one after the last good one, or the
    // end of a closed file, says that all was there once.
    if !closed && (layout::holds_a_whole_step(rest) || rest.ends_with(mcap::MAGIC)) {
        let after = recording.steps.last().map(|step| step.tick);
        let before = after.is_some().then(|| Box::new(recording));
        return Err(RecordingError::Damaged {
            path,
            after,
            why,
            before,
        });
    }
    Ok((recording, reader.complete))
}

/// What is wrong with a file that stops where no record is wrong.
const NO_END: &str = "the file ends";

/// Of a file that does not begin as MCAP files do.
fn no_start(bytes: &[u8], path: &Path) -> RecordingError {
    let path = path.to_owned();
    if mcap::MAGIC.starts_with(bytes) {
        let why = NO_END.to_owned();
        return RecordingError::NoHeader { path, why };
    }
    RecordingError::NotMcap { path }
}

/// Why reading went no further.
enum Stop {
    /// The file is none that can be read here.
    File(Refusal),
    /// Something is not as it was written.
    Fault(String),
}

/// Files that cannot be read here whatever is in them.
enum Refusal {
    Foreign { by: String },
    Newer { schema: String },
    UnknownChannel { topic: String, schema: String },
    Compressed { compression: String },
}

impl Refusal {
    fn at(self, path: PathBuf) -> RecordingError {
        match self {
            Self::Foreign { by } => RecordingError::Foreign { path, by },
            Self::Newer { schema } => RecordingError::Newer {
                path,
                schema,
                known: VERSION,
            },
            Self::UnknownChannel { topic, schema } => RecordingError::UnknownChannel {
                path,
                topic,
                schema,
            },
            Self::Compressed { compression } => RecordingError::Compressed { path, compression },
        }
    }
}

fn fault<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Fault(why.into()))
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    schemas: Vec<(u16, String)>,
    channels: Vec<(u16, Topic)>,
    header: Option<Header>,
    steps: Vec<Step>,
    /// Where the last complete step ends, or the header.
    complete: usize,
    digest: Digest,
    pending: Pending,
    /// The end of the messages was seen.
    ended: bool,
}

/// The step whose end has not come yet.
#[derive(Default)]
struct Pending {
    messages: u32,
    inputs: Option<equipment::Inputs>,
    probe: Option<ProbeState>,
    settings: Option<String>,
    facts: Option<Facts>,
    events: Vec<crate::step::Event>,
}

impl Reader {
    fn read(&mut self, mut records: Records<'_>) -> Result<(), Stop> {
        while let Some(record) = records.next() {
            let Ok(record) = record else {
                return fault("a record goes on beyond the end of the file or is none");
            };
            match record {
                Record::Header { profile, library } => self.maker(profile, library)?,
                Record::Schema { id, name } => self.schema(id, name)?,
                Record::Channel {
                    id,
                    schema,
                    topic,
                    encoding,
                } => self.channel(id, schema, topic, encoding)?,
                Record::Message { channel, data, .. } => {
                    if self.message(channel, data)? {
                        self.complete = records.at();
                    }
                }
                Record::Chunk { compression: "" } | Record::Other => {}
                Record::Chunk { compression } => {
                    let compression = compression.to_owned();
                    return Err(Stop::File(Refusal::Compressed { compression }));
                }
                Record::DataEnd => return self.data_end(),
            }
        }
        Ok(())
    }

    fn maker(&self, profile: &str, library: &str) -> Result<(), Stop> {
        if profile == PROFILE {
            return Ok(());
        }
        let by = match library {
            "" => "an unknown program".to_owned(),
            library => format!("`{library}`"),
        };
        Err(Stop::File(Refusal::Foreign { by }))
    }

    fn schema(&mut self, id: u16, name: &str) -> Result<(), Stop> {
        if layout::version_of(name).is_some_and(|version| version > VERSION) {
            let schema = name.to_owned();
            return Err(Stop::File(Refusal::Newer { schema }));
        }
        self.schemas.push((id, name.to_owned()));
        Ok(())
    }

    fn channel(&mut self, id: u16, schema: u16, topic: &str, encoding: &str) -> Result<(), Stop> {
        let named = self.schemas.iter().find(|(known, _)| *known == schema);
        let schema = named.map_or("", |(_, name)| name);
        let is_it = |known: &Topic| known.name() == topic && known.schema_name() == schema;
        match Topic::ALL.into_iter().find(is_it) {
            Some(known) if encoding == ENCODING => self.channels.push((id, known)),
            _ => {
                let (topic, schema) = (topic.to_owned(), schema.to_owned());
                return Err(Stop::File(Refusal::UnknownChannel { topic, schema }));
            }
        }
        Ok(())
    }

    /// Takes a message; true if with it the header or a step is complete.
    fn message(&mut self, channel: u16, data: &[u8]) -> Result<bool, Stop> {
        let Some((_, topic)) = self.channels.iter().find(|(id, _)| *id == channel) else {
            return fault(format!(
                "a message of channel {channel}, which there is not"
            ));
        };
        let topic = *topic;
        let before = self.digest;
        self.digest.bytes(data);
        if (topic == Topic::Header) == self.header.is_some() {
            return fault(format!(
                "a message of `{}` in the wrong place",
                topic.name()
            ));
        }
        match topic {
            Topic::Header => self.header(data)?,
            Topic::Step => self.step(parse(topic, data)?, before)?,
            _ => {
                self.part(topic, data)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn header(&mut self, data: &[u8]) -> Result<(), Stop> {
        let header: Header = parse::<HeaderBody>(Topic::Header, data)?.into();
        if header.ticks_per_s == 0 {
            return fault("its steps in a second are 0");
        }
        self.header = Some(header);
        Ok(())
    }

    /// Takes a part of the pending step.
    fn part(&mut self, topic: Topic, data: &[u8]) -> Result<(), Stop> {
        let pending = &mut self.pending;
        pending.messages = pending.messages.saturating_add(1);
        let (tick, had_one) = match topic {
            Topic::Inputs => {
                let body: InputsBody = parse(topic, data)?;
                (body.tick, pending.inputs.replace(body.into()).is_some())
            }
            Topic::Probe => {
                let body: ProbeBody = parse(topic, data)?;
                (body.tick, pending.probe.replace(body.into()).is_some())
            }
            Topic::Settings => {
                let body: SettingsBody = parse(topic, data)?;
                (body.tick, pending.settings.replace(body.text).is_some())
            }
            Topic::Facts => {
                let body: FactsBody = parse(topic, data)?;
                (body.tick, pending.facts.replace(body.into()).is_some())
            }
            Topic::Event => {
                let body: EventBody = parse(topic, data)?;
                let tick = body.tick;
                pending.events.push(body.into());
                (tick, false)
            }
            Topic::Header | Topic::Step => return fault("not a part of a step"),
        };
        if had_one {
            return fault(format!("two messages of `{}` in one step", topic.name()));
        }
        self.is_next(tick)
    }

    fn is_next(&self, tick: u64) -> Result<(), Stop> {
        let next = self.steps.len() as u64;
        if tick == next {
            return Ok(());
        }
        fault(format!("something of step {tick} where step {next} is due"))
    }

    /// Completes the pending step. `before` is the digest of all messages before its last.
    fn step(&mut self, end: StepBody, before: Digest) -> Result<(), Stop> {
        self.is_next(end.tick)?;
        let pending = std::mem::take(&mut self.pending);
        if pending.messages != end.messages {
            let (found, written) = (pending.messages, end.messages);
            return fault(format!("{found} messages in a step of {written}"));
        }
        if before.value() != end.digest.0 {
            return fault("a message is not as it was written (its digest differs)");
        }
        self.steps.push(Step {
            tick: end.tick,
            inputs: pending.inputs.unwrap_or_default(),
            probe: pending.probe,
            settings: pending.settings,
            frozen: end.frozen,
            facts: pending.facts,
            events: pending.events,
        });
        Ok(())
    }

    fn data_end(&mut self) -> Result<(), Stop> {
        if self.pending.messages > 0 {
            return fault("the messages end within a step");
        }
        self.ended = true;
        Ok(())
    }
}

fn parse<T: DeserializeOwned>(topic: Topic, data: &[u8]) -> Result<T, Stop> {
    serde_json::from_slice(data).map_err(|error| {
        let topic = topic.name();
        Stop::Fault(format!("a message of `{topic}` cannot be read: {error}"))
    })
}
