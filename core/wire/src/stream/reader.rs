//! The receiver's side of a stream.

use std::fmt;

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::PACKED_FROM_HERE;
use crate::dictionary;
use crate::error::WireError;
use crate::frame::decode_frame;
use crate::limits::{FRAME_BYTES_MAX, PLAIN_BYTES_MAX};
use crate::sync::AnswerFrame;

/// Bytes that are unpacked at a time.
const STEP_BYTES: usize = 16 * 1024;
/// Longest length of a frame, as bytes of a varint: enough for [`FRAME_BYTES_MAX`].
const LENGTH_BYTES_MAX: usize = 4;

const TOO_LONG: WireError = WireError::TooLarge { what: "frame", limit: FRAME_BYTES_MAX };

/// Cuts a stream of bytes into frames.
///
/// Nothing is unpacked ahead of the frame that is asked for, and no length is believed before it is checked: the reader
/// holds what it was fed, one window, and one frame of at most [`FRAME_BYTES_MAX`].
#[derive(Default)]
pub struct FrameReader {
    /// What was fed and not read yet.
    input: Buffer,
    /// Once there, all input goes through it.
    decoder: Option<Decoder<'static>>,
    /// What was unpacked and not read yet.
    unpacked: Buffer,
    /// The decoder may hold what found no room before.
    holds_more: bool,
    /// How much was unpacked altogether, in bytes.
    unpacked_total: usize,
    /// The stream broke a rule: nothing of it is read any more.
    broken: Option<WireError>,
}

impl FrameReader {
    /// Takes more bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    /// The next whole frame, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`WireError`] when the frame is malformed or longer than [`FRAME_BYTES_MAX`], or the stream unpacks to more than
    /// [`PLAIN_BYTES_MAX`]; the stream is then useless, and every later call says so again.
    pub fn next_frame(&mut self) -> Result<Option<AnswerFrame>, WireError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let read = self.read();
        self.broken = read.as_ref().err().cloned();
        read
    }

    fn read(&mut self) -> Result<Option<AnswerFrame>, WireError> {
        loop {
            let packed = self.decoder.is_some();
            let source = if packed { &mut self.unpacked } else { &mut self.input };
            match next_in(source.rest(), packed)? {
                Next::Frame { code, body, end } => {
                    let frame = decode_frame(code, source.rest().get(body..end).unwrap_or_default());
                    source.take(end);
                    return frame.map(Some);
                }
                Next::Packed => {
                    self.input.take(1);
                    self.decoder = Some(dictionary::decoder().map_err(|_| WireError::Malformed("stream"))?);
                }
                Next::More => {
                    if !self.unpack()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Unpacks some more bytes; false when there are none.
    fn unpack(&mut self) -> Result<bool, WireError> {
        let Some(decoder) = &mut self.decoder else { return Ok(false) };
        let mut input = InBuffer::around(self.input.rest());
        if input.src.is_empty() && !self.holds_more {
            return Ok(false);
        }
        let mut bytes = Vec::with_capacity(STEP_BYTES);
        decoder.run(&mut input, &mut OutBuffer::around(&mut bytes)).map_err(|_| WireError::Malformed("stream"))?;
        let taken = input.pos();
        self.holds_more = bytes.len() == bytes.capacity();
        self.input.take(taken);
        self.unpacked.push(&bytes);
        self.unpacked_total = self.unpacked_total.saturating_add(bytes.len());
        if self.unpacked_total > PLAIN_BYTES_MAX {
            return Err(WireError::TooLarge { what: "answer, unpacked,", limit: PLAIN_BYTES_MAX });
        }
        Ok(taken > 0 || !bytes.is_empty())
    }
}

impl fmt::Debug for FrameReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameReader")
            .field("waiting_bytes", &self.input.rest().len())
            .field("unpacked_bytes", &self.unpacked_total)
            .finish_non_exhaustive()
    }
}

/// What stands next.
enum Next {
    /// A whole frame; its body from `body` to `end`.
    Frame { code: u8, body: usize, end: usize },
    /// From here on the stream is packed.
    Packed,
    /// Not enough bytes yet.
    More,
}

fn next_in(bytes: &[u8], packed: bool) -> Result<Next, WireError> {
    let Some((&code, rest)) = bytes.split_first() else { return Ok(Next::More) };
    if code == PACKED_FROM_HERE {
        return if packed { Err(WireError::Malformed("stream")) } else { Ok(Next::Packed) };
    }
    let mut length = 0_usize;
    for (at, byte) in rest.iter().take(LENGTH_BYTES_MAX).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            if length > FRAME_BYTES_MAX {
                return Err(TOO_LONG);
            }
            let (body, end) = (at + 2, at + 2 + length);
            return Ok(if bytes.len() >= end { Next::Frame { code, body, end } } else { Next::More });
        }
    }
    if rest.len() < LENGTH_BYTES_MAX { Ok(Next::More) } else { Err(TOO_LONG) }
}

/// Bytes that are taken from the front.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    start: usize,
}

impl Buffer {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start.min(self.bytes.len()));
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn take(&mut self, count: usize) {
        self.start = self.start.saturating_add(count);
        if self.start >= self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
    }
}
