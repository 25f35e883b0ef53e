//! How a recording lies in its file, for whoever reads it without this crate.
//!
//! # The file
//!
//! A recording is an [MCAP](https://mcap.dev) file, profile `sonocath`, whose messages are JSON, so that
//! any MCAP reader reads it. While it is being made it is called `NAME.part`: messages one after
//! another, without chunks, index or end. Closing writes the same messages into `NAME`, in
//! uncompressed chunks with index, summary and end, and removes `NAME.part`.
//!
//! | Topic | Schema | When |
//! |---|---|---|
//! | `/header` | `sonocath.Header.v1` | once, first |
//! | `/inputs` | `sonocath.Inputs.v1` | in steps in which hands did something |
//! | `/probe` | `sonocath.Probe.v1` | in steps in which the probe does not lie aside |
//! | `/settings` | `sonocath.Settings.v1` | in the first step and when settings change |
//! | `/facts` | `sonocath.Facts.v1` | in steps in which the picture was asked |
//! | `/event` | `sonocath.Event.v1` | one for each thing that happened |
//! | `/step` | `sonocath.Step.v1` | in every step, **last**: what it does not follow is not complete |
//!
//! Each channel's JSON schema is in the file. Bodies are compact JSON in UTF-8, each with the `tick` of
//! its step, and:
//!
//! * **Time** is simulated: log and publish time are `tick / ticks_per_s`, in nanoseconds, rounded
//!   down. No clock is in the file; the header's message has time 0.
//! * **Steps** count from 0 without a gap.
//! * **Floats** are the shortest decimal that reads back as the same 64 bits. What JSON has no number
//!   for is one of the texts `"NaN"`, `"inf"`, `"-inf"`. Values that are 32 bits in the program are
//!   decimals that round back to them.
//! * **Poses** are `place_mm` (origin of the probe in the patient, DICOM LPS) and `quaternion_ijkw`
//!   (scalar last). The quaternion has length 1 but for rounding and is to be used as it stands.
//! * **Digests** of 64 bits are 16 hexadecimal digits in a text, for JSON's numbers keep 53 bits in many
//!   readers. The `seed` is a number.
//! * **`/step`** says with `messages` how many messages of the step came before it, and with `digest`
//!   the FNV-1a ([`crate::Digest::bytes`]) of the data of all messages of the file before it, the
//!   header's and earlier `/step` messages included: any byte of data that changed is noticed.
//!
//! # In Python
//!
//! With `pip install mcap`:
//!
//! ```python
//! import json
//! from mcap.reader import make_reader
//!
//! with open("session.mcap", "rb") as file:
//!     for schema, channel, message in make_reader(file).iter_messages(["/probe"]):
//!         body = json.loads(message.data)
//!         print(message.log_time / 1e9, body["patient_from_probe"]["place_mm"])
//! ```
//!
//! A `.part` file has no index and ends anywhere. Read it in order, and believe a step when its
//! `/step` has come:
//!
//! ```python
//! import json, struct
//! from mcap.exceptions import McapError
//! from mcap.stream_reader import StreamReader
//! from mcap.records import Channel, Message
//!
//! topics, step, steps = {}, [], []
//! with open("session.mcap.part", "rb") as file:
//!     try:
//!         for record in StreamReader(file, skip_magic=False).records:
//!             if isinstance(record, Channel):
//!                 topics[record.id] = record.topic
//!             elif isinstance(record, Message):
//!                 step.append((topics[record.channel_id], json.loads(record.data)))
//!                 if step[-1][0] == "/step":
//!                     steps.append(step)
//!                     step = []
//!     except (McapError, struct.error, ValueError):
//!         pass  # the file ends here, in the middle of something
//! print(len(steps), "complete steps")
//! ```
//!
//! # Versions
//!
//! The number at the end of a schema's name rises when its bodies change. A reader that knows a lower
//! number says so and reads nothing. All topics of a file are known to the program that reads it, or
//! it is not read: a step of which a part is not understood is not that step.

use std::io::{Seek, Write};

use mcap::{McapResult, WriteOptions, Writer};

/// Profile in the MCAP header.
pub const PROFILE: &str = "sonocath";

/// The version of all schemas that this crate writes and reads.
pub const VERSION: u32 = 1;

/// What messages are about; one channel each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// What holds for the whole recording.
    Header,
    /// What hands did.
    Inputs,
    /// The probe.
    Probe,
    /// All settings.
    Settings,
    /// What the picture shows.
    Facts,
    /// Something that happened.
    Event,
    /// A step is complete.
    Step,
}

impl Topic {
    /// All, in the order in which they are declared in the file.
    pub const ALL: [Self; 7] = [
        Self::Header,
        Self::Inputs,
        Self::Probe,
        Self::Settings,
        Self::Facts,
        Self::Event,
        Self::Step,
    ];

    /// Its name in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "/header",
            Self::Inputs => "/inputs",
            Self::Probe => "/probe",
            Self::Settings => "/settings",
            Self::Facts => "/facts",
            Self::Event => "/event",
            Self::Step => "/step",
        }
    }

    /// Name of its schema.
    pub fn schema_name(self) -> String {
        format!("{PROFILE}.{self:?}.v{VERSION}")
    }

    /// The JSON schema of its messages.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::Header => include_str!("../schemas/header.json"),
            Self::Inputs => include_str!("../schemas/inputs.json"),
            Self::Probe => include_str!("../schemas/probe.json"),
            Self::Settings => include_str!("../schemas/settings.json"),
            Self::Facts => include_str!("../schemas/facts.json"),
            Self::Event => include_str!("../schemas/event.json"),
            Self::Step => include_str!("../schemas/step.json"),
        }
    }

    /// Its channel in files that this crate writes: its place in [`Self::ALL`], from 1.
    pub(crate) const fn channel(self) -> u16 {
        self as u16 + 1
    }
}

/// How messages and schemas are written.
pub(crate) const ENCODING: &str = "json";

/// How schemas are written.
const SCHEMA_ENCODING: &str = "jsonschema";

/// Simulated time of a tick, ns, rounded down; the latest there is for ticks beyond 584 years.
pub(crate) fn time_ns(tick: u64, ticks_per_s: u32) -> u64 {
    let ns = u128::from(tick) * 1_000_000_000 / u128::from(ticks_per_s.max(1));
    u64::try_from(ns).unwrap_or(u64::MAX)
}

/// The version in a schema's name, if it is one of ours.
pub(crate) fn version_of(schema: &str) -> Option<u32> {
    let (kind, version) = schema.strip_prefix(PROFILE)?.rsplit_once(".v")?;
    kind.starts_with('.').then(|| version.parse().ok())?
}

/// Whether a step's last message lies whole in these bytes. The marks around the digest cannot lie in a
/// text of the file's: there quotes have a backslash before them.
pub(crate) fn holds_a_whole_step(bytes: &[u8]) -> bool {
    const FRONT: &[u8] = b",\"digest\":\"";
    const BACK: &[u8] = b"\"}";
    const DIGITS: usize = 16;
    let follows = |after: &[u8]| after.get(DIGITS..).is_some_and(|it| it.starts_with(BACK));
    let commas = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == FRONT[0]);
    commas
        .filter_map(|(at, _)| bytes[at..].strip_prefix(FRONT))
        .any(follows)
}

/// Begins a file: header, schemas and channels.
pub(crate) fn begin<W: Write + Seek>(to: W, options: WriteOptions) -> McapResult<Writer<W>> {
    let library = concat!("sonocath recording ", env!("CARGO_PKG_VERSION"));
    let mut writer = options
        .compression(None)
        .profile(PROFILE)
        .library(library)
        .create(to)?;
    for topic in Topic::ALL {
        let id = topic.channel();
        let schema = topic.schema().as_bytes();
        writer.add_schema_with_id(id, &topic.schema_name(), SCHEMA_ENCODING, schema)?;
        writer.add_channel_with_id(id, id, topic.name(), ENCODING, &Default::default())?;
    }
    Ok(writer)
}
