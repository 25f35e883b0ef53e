//! MCAP's records as bytes: one after the other, each an opcode, a length and a body.
//!
//! Files are written and indexed by the `mcap` crate. Two things are done here instead: a message is
//! put behind the last one without a writer that would end the file when it is dropped, and records are
//! read from files that are cut off or damaged, where nothing may be believed, no length either (the
//! crate reserves as much memory as a text's length says).
//!
//! Layout of each record: <https://mcap.dev/spec>. All numbers are little-endian.

use mcap::MAGIC;
use mcap::records::op;

/// Opcode and length.
const PREFIX: usize = 1 + 8;
/// Footer record and magic bytes at the end of a closed file.
const TAIL: usize = PREFIX + 8 + 8 + 4 + MAGIC.len();

/// Appends a message record; `body` appends its data.
pub(crate) fn put_message(
    to: &mut Vec<u8>,
    channel: u16,
    time_ns: u64,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let start = to.len();
    to.push(op::MESSAGE);
    to.extend([0; 8]);
    to.extend(channel.to_le_bytes());
    // Sequence numbers are optional in MCAP; ticks do their work.
    to.extend(0_u32.to_le_bytes());
    to.extend(time_ns.to_le_bytes());
    to.extend(time_ns.to_le_bytes());
    body(to);
    let length = (to.len() - start - PREFIX) as u64;
    to[start + 1..start + PREFIX].copy_from_slice(&length.to_le_bytes());
}

/// A record that a recording is read from.
#[derive(Debug)]
pub(crate) enum Record<'a> {
    /// The file's first: which programs made it.
    Header { profile: &'a str, library: &'a str },
    /// What messages of a channel look like.
    Schema { id: u16, name: &'a str },
    /// A channel.
    Channel {
        id: u16,
        schema: u16,
        topic: &'a str,
        encoding: &'a str,
    },
    /// A message.
    Message {
        channel: u16,
        time_ns: u64,
        data: &'a [u8],
    },
    /// From here on records lie in a chunk, under this compression. The next record is the first in
    /// the chunk, if there is none.
    Chunk { compression: &'a str },
    /// No more messages.
    DataEnd,
    /// Indices and the like.
    Other,
}

/// Bytes that are not a whole record, because the file ends or lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NoRecord;

/// Goes from record to record, into chunks too.
#[derive(Clone)]
pub(crate) struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    /// Of a file that begins with MCAP's magic bytes; `None` if it does not.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let at = MAGIC.len();
        bytes.starts_with(MAGIC).then_some(Self { bytes, at })
    }

    /// Where the next record begins.
    pub fn at(&self) -> usize {
        self.at
    }

    fn next_record(&mut self) -> Result<Record<'a>, NoRecord> {
        let mut fields = Fields(&self.bytes[self.at..]);
        let opcode = fields.u8()?;
        let length = usize::try_from(fields.u64()?).map_err(|_| NoRecord)?;
        let record = if opcode == op::CHUNK {
            // Without its records: they come next.
            chunk(&mut fields)?
        } else {
            body(opcode, fields.take(length)?)?
        };
        self.at = self.bytes.len() - fields.0.len();
        Ok(record)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, NoRecord>;

    /// The next record; `None` where the file ends between two. After a [`NoRecord`] nothing moves on.
    fn next(&mut self) -> Option<Self::Item> {
        (self.at < self.bytes.len()).then(|| self.next_record())
    }
}

fn chunk<'a>(fields: &mut Fields<'a>) -> Result<Record<'a>, NoRecord> {
    // Earliest time, latest time, size and checksum.
    fields.take(8 + 8 + 8 + 4)?;
    let compression = fields.text()?;
    fields.take(8)?;
    Ok(Record::Chunk { compression })
}

fn body(opcode: u8, bytes: &[u8]) -> Result<Record<'_>, NoRecord> {
    let mut fields = Fields(bytes);
    Ok(match opcode {
        // No opcode: space that was set aside and never written.
        0 => return Err(NoRecord),
        op::HEADER => Record::Header {
            profile: fields.text()?,
            library: fields.text()?,
        },
        op::SCHEMA => Record::Schema {
            id: fields.u16()?,
            name: fields.text()?,
        },
        op::CHANNEL => Record::Channel {
            id: fields.u16()?,
            schema: fields.u16()?,
            topic: fields.text()?,
            encoding: fields.text()?,
        },
        op::MESSAGE => {
            let (channel, _sequence) = (fields.u16()?, fields.u32()?);
            let (time_ns, _published_ns) = (fields.u64()?, fields.u64()?);
            Record::Message {
                channel,
                time_ns,
                data: fields.0,
            }
        }
        op::DATA_END => Record::DataEnd,
        _ => Record::Other,
    })
}

/// Whether a file ends as closed ones do: with a footer and the magic bytes.
pub(crate) fn has_tail(bytes: &[u8]) -> bool {
    let Some(footer) = bytes.len().checked_sub(TAIL) else {
        return false;
    };
    bytes.ends_with(MAGIC) && bytes[footer] == op::FOOTER
}

/// What is left of some bytes, taken from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], NoRecord> {
        let (front, rest) = self.0.split_at_checked(count).ok_or(NoRecord)?;
        self.0 = rest;
        Ok(front)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NoRecord> {
        let (front, rest) = self.0.split_first_chunk().ok_or(NoRecord)?;
        self.0 = rest;
        Ok(*front)
    }

    fn u8(&mut self) -> Result<u8, NoRecord> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Result<u16, NoRecord> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, NoRecord> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, NoRecord> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Result<&'a str, NoRecord> {
        let length = usize::try_from(self.u32()?).map_err(|_| NoRecord)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| NoRecord)
    }
}
