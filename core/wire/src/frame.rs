//! Frames of an answer: a code, a length, a body. Each can be read as soon as its bytes are there.

use minicbor::{Decode, Encode};

use crate::codec;
use crate::error::WireError;
use crate::limits::{AUDIENCES_MAX, DEPOSITS_MAX, FRAME_BYTES_MAX, PUSH_CHANGES_MAX};
use crate::sync::{AnswerFrame, SyncRequest};

const WELCOME: u8 = 1;
const ACKS: u8 = 2;
const DEPOSIT_ACKS: u8 = 3;
const PAGE: u8 = 4;
const HEADS: u8 = 5;
const REFUSED: u8 = 6;

/// Code and length, as bytes: one and four.
const HEADER_BYTES: usize = 5;

/// `message` in CBOR. Encoding into a vector cannot fail: its error type has no value.
#[must_use]
pub fn to_cbor<T: Encode<()>>(message: &T) -> Vec<u8> {
    minicbor::to_vec(message).unwrap_or_default()
}

/// The message in `bytes`, all of them.
///
/// # Errors
/// [`WireError::Malformed`] when the bytes are no such message, or something follows it.
pub fn from_cbor<'b, T: Decode<'b, ()>>(what: &'static str, bytes: &'b [u8]) -> Result<T, WireError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let message = decoder.decode().map_err(|_| WireError::Malformed(what))?;
    if decoder.position() == bytes.len() { Ok(message) } else { Err(WireError::Malformed(what)) }
}

/// The body of a sync request.
#[must_use]
pub fn encode_request(request: &SyncRequest) -> Vec<u8> {
    codec::pack(&to_cbor(request))
}

/// The sync request in `body`.
///
/// # Errors
/// [`WireError`] when it is malformed or over a limit.
pub fn decode_request(body: &[u8]) -> Result<SyncRequest, WireError> {
    let plain = codec::unpack(body)?;
    let request: SyncRequest = from_cbor("sync request", &plain)?;
    let changes: usize = request.pushes.iter().map(|push| push.items.len()).sum();
    for (what, count, limit) in [
        ("cursors", request.cursors.len(), AUDIENCES_MAX),
        ("pushed changes", changes, PUSH_CHANGES_MAX),
        ("pushes", request.pushes.len(), PUSH_CHANGES_MAX),
        ("deposits", request.deposits.len(), DEPOSITS_MAX),
    ] {
        if count > limit {
            return Err(WireError::TooLarge { what, limit });
        }
    }
    Ok(request)
}

/// One frame as it travels.
#[must_use]
pub fn encode_frame(frame: &AnswerFrame) -> Vec<u8> {
    let (code, plain) = match frame {
        AnswerFrame::Welcome(welcome) => (WELCOME, to_cbor(welcome)),
        AnswerFrame::Acks(acks) => (ACKS, to_cbor(acks)),
        AnswerFrame::DepositAcks(acks) => (DEPOSIT_ACKS, to_cbor(acks)),
        AnswerFrame::Page(page) => (PAGE, to_cbor(page)),
        AnswerFrame::Heads(heads) => (HEADS, to_cbor(heads)),
        AnswerFrame::Refused(refusal) => (REFUSED, to_cbor(refusal)),
        AnswerFrame::Unknown(code) => (*code, Vec::new()),
    };
    let body = codec::pack(&plain);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.push(code);
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

fn decode_frame(code: u8, body: &[u8]) -> Result<AnswerFrame, WireError> {
    let plain = codec::unpack(body)?;
    Ok(match code {
        WELCOME => AnswerFrame::Welcome(from_cbor("welcome", &plain)?),
        ACKS => AnswerFrame::Acks(from_cbor("acknowledgements", &plain)?),
        DEPOSIT_ACKS => AnswerFrame::DepositAcks(from_cbor("acknowledgements of deposits", &plain)?),
        PAGE => AnswerFrame::Page(from_cbor("page", &plain)?),
        HEADS => AnswerFrame::Heads(from_cbor("heads", &plain)?),
        REFUSED => AnswerFrame::Refused(from_cbor("refusal", &plain)?),
        other => AnswerFrame::Unknown(other),
    })
}

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
}

impl FrameReader {
    /// Takes more bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`WireError`] when the frame is malformed or longer than [`FRAME_BYTES_MAX`]; the stream is then useless.
    pub fn next_frame(&mut self) -> Result<Option<AnswerFrame>, WireError> {
        let Some((&[code, a, b, c, d], rest)) = self.buffer.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(WireError::TooLarge { what: "frame", limit: FRAME_BYTES_MAX });
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let frame = decode_frame(code, body)?;
        self.buffer.drain(..HEADER_BYTES + length);
        Ok(Some(frame))
    }

    /// Whether bytes of an unfinished frame are left: the stream was cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        !self.buffer.is_empty()
    }
}
