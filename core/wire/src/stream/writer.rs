//! The sender's side of a stream.

use std::fmt;

use zstd::stream::raw::{Encoder, InBuffer, Operation, OutBuffer};

use super::PACKED_FROM_HERE;
use crate::dictionary;
use crate::frame::encode_frame;
use crate::sync::AnswerFrame;

/// Frames shorter than this, in bytes, are not worth beginning to compress.
const WORTH_COMPRESSING_BYTES: usize = 96;
/// Bytes by which room grows that was too short.
const ROOM_BYTES: usize = 64 * 1024;

/// Writes one answer.
#[derive(Default)]
pub struct AnswerWriter {
    /// Once there, everything goes through it.
    encoder: Option<Encoder<'static>>,
}

impl AnswerWriter {
    /// A writer of an answer of which nothing was sent yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of `frame`, to be sent now: with them and what was sent before, the receiver can read it.
    #[must_use]
    pub fn frame(&mut self, frame: &AnswerFrame) -> Vec<u8> {
        let (code, body) = encode_frame(frame);
        let mut plain = Vec::with_capacity(body.len().saturating_add(5));
        plain.push(code);
        push_varint(&mut plain, body.len());
        plain.extend_from_slice(&body);
        self.write(plain)
    }

    fn write(&mut self, plain: Vec<u8>) -> Vec<u8> {
        if let Some(encoder) = &mut self.encoder {
            // Room for what it makes is always found, so it cannot fail; were it to, the receiver sees a cut.
            return compress(encoder, &plain, Vec::new()).unwrap_or_default();
        }
        if plain.len() >= WORTH_COMPRESSING_BYTES
            && let Ok(mut encoder) = dictionary::encoder()
            && let Some(packed) = compress(&mut encoder, &plain, vec![PACKED_FROM_HERE])
            && packed.len() <= plain.len()
        {
            self.encoder = Some(encoder);
            return packed;
        }
        plain
    }
}

impl fmt::Debug for AnswerWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerWriter").field("packed", &self.encoder.is_some()).finish()
    }
}

/// Appends what the encoder makes of `plain` to `packed`, and flushes.
fn compress(encoder: &mut Encoder<'static>, plain: &[u8], mut packed: Vec<u8>) -> Option<Vec<u8>> {
    let mut input = InBuffer::around(plain);
    while input.pos() < plain.len() {
        step(&mut packed, |output| encoder.run(&mut input, output))?;
    }
    while step(&mut packed, |output| encoder.flush(output))? > 0 {}
    Some(packed)
}

fn step(
    packed: &mut Vec<u8>,
    work: impl FnOnce(&mut OutBuffer<'_, Vec<u8>>) -> std::io::Result<usize>,
) -> Option<usize> {
    packed.reserve(ROOM_BYTES);
    let filled = packed.len();
    work(&mut OutBuffer::around_pos(packed, filled)).ok()
}

fn push_varint(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
