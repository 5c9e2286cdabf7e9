//! What two phones say to each other with no server between them, over any pipe of bytes.
//!
//! One side speaks at a time, so that no pipe fills up from both ends. `A` is who came (the connecting side), `B` who was
//! found (the listening side):
//!
//! | | frames |
//! |---|---|
//! | A | `Hello` |
//! | B | `Hello` |
//! | A | `Proof` |
//! | B | `Proof`, `Offer` |
//! | A | `Want`, `Offer` |
//! | B | `Carried`…, `Done`, `Want` |
//! | A | `Taken`…, `Carried`…, `Done` |
//! | B | `Taken`…, `Done` |
//!
//! Either may say `Refused` instead, and nothing more. A file holds `Hello`, `Carried`…, `Done`.

use minicbor::{Decode, Encode};

use crate::audience::AudienceName;
use crate::carried::CarriedPush;
use crate::codec;
use crate::error::WireError;
use crate::frame::{from_cbor, to_cbor};
use crate::grant::SignedGrant;
use crate::id::{ChangeHash, DeviceId, Nonce, ServerId, Signature64};
use crate::limits::{
    OFFER_CHANGES_MAX, PEER_FRAME_BYTES_MAX, PEER_PLAIN_BYTES_MAX, PUSH_CHANGES_MAX, STRANGER_FRAME_BYTES_MAX,
};
use crate::record::RecordKey;
use crate::sync::Acks;
use crate::version::ProtocolRange;

/// One frame between two phones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerFrame {
    /// First: versions, the server that both must share, and a fresh challenge.
    Hello(PeerHello),
    /// Who speaks.
    Proof(PeerProof),
    /// What the speaker could hand over.
    Offer(Offer),
    /// What of an offer the speaker does not have.
    Want(Want),
    /// Changes, under their author's signature.
    Carried(CarriedPush),
    /// What became of a `Carried`, the first of this meeting being number 0: changes that are not listed are kept.
    Taken(Acks),
    /// The speaker has handed over, or said, all it will.
    Done,
    /// The speaker ends the meeting, with a stable code.
    Refused(String),
    /// A frame of a newer build, skipped.
    Unknown(u8),
}

/// The first frame of each side.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PeerHello {
    /// Versions spoken.
    #[n(0)]
    pub protocol: ProtocolRange,
    /// The server that enrolled the speaker.
    #[n(1)]
    pub server: ServerId,
    /// Random: the other side signs it.
    #[n(2)]
    pub nonce: Nonce,
    /// Of a file: whoever holds all of these may see everything in it. Empty between two phones that speak.
    #[cbor(n(3), skip_if = "Vec::is_empty")]
    pub audiences: Vec<AudienceName>,
}

/// Who speaks: a grant, and the proof that the speaker holds its key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PeerProof {
    /// The grant, as the server signed it.
    #[n(0)]
    pub grant: SignedGrant,
    /// The device's signature of [`meeting_signed_bytes`].
    #[n(1)]
    pub signature: Signature64,
}

/// Which end of the pipe a device is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It came: it speaks first, and shows its grant first.
    Came,
    /// It was found.
    Found,
}

/// What a device signs to prove itself to another: a label, its side, the server, itself, and the challenges of who came
/// and who was found.
#[must_use]
pub fn meeting_signed_bytes(side: Side, server: &ServerId, device: &DeviceId, came: &Nonce, found: &Nonce) -> Vec<u8> {
    let mut bytes = b"foras meeting 1".to_vec();
    bytes.push(if side == Side::Came { 1 } else { 2 });
    bytes.extend_from_slice(server.as_bytes());
    bytes.extend_from_slice(device.as_bytes());
    bytes.extend_from_slice(came.as_bytes());
    bytes.extend_from_slice(found.as_bytes());
    bytes
}

/// Changes that could be handed over, by record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Offer {
    /// The records.
    #[n(0)]
    pub records: Vec<OfferedRecord>,
}

/// Changes of one record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OfferedRecord {
    /// The record.
    #[n(0)]
    pub key: RecordKey,
    /// The first [`PREFIX_BYTES`] bytes of each change's hash, one after the other.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub prefixes: Vec<u8>,
}

/// Bytes of a change's hash that name it among the changes of one record: two honest changes that share them meet about
/// once in 2^32 changes of a record, and then one of them waits for the server.
pub const PREFIX_BYTES: usize = 8;

/// The beginning of a change's hash.
pub type Prefix = [u8; PREFIX_BYTES];

/// The beginning of `hash`.
#[must_use]
pub fn prefix(hash: &ChangeHash) -> Prefix {
    let [a, b, c, d, e, f, g, h, ..] = hash.0;
    [a, b, c, d, e, f, g, h]
}

impl Offer {
    /// Every change offered, in order.
    pub fn changes(&self) -> impl Iterator<Item = (RecordKey, Prefix)> + '_ {
        self.records.iter().flat_map(|record| record.prefixes.as_chunks().0.iter().map(|prefix| (record.key, *prefix)))
    }

    fn check(&self) -> Result<(), WireError> {
        if self.records.iter().any(|record| record.prefixes.is_empty() || record.prefixes.len() % PREFIX_BYTES != 0) {
            return Err(WireError::Malformed("offer"));
        }
        if self.changes().count() > OFFER_CHANGES_MAX {
            return Err(WireError::TooLarge { what: "offer", limit: OFFER_CHANGES_MAX });
        }
        Ok(())
    }
}

/// One bit for each change of an offer, in its order, the lowest bit of a byte first: set for those that are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Want {
    /// The bits.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bits: Vec<u8>,
}

impl Want {
    /// The answer to an offer; `wanted` in the offer's order.
    #[must_use]
    pub fn of(wanted: &[bool]) -> Self {
        let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, wanted| byte << 1 | u8::from(*wanted));
        Self { bits: wanted.chunks(8).map(byte).collect() }
    }

    /// Whether the change at `index` of the offer is wanted.
    #[must_use]
    pub fn wants(&self, index: usize) -> bool {
        self.bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

const HELLO: u8 = 1;
const PROOF: u8 = 2;
const OFFER: u8 = 3;
const WANT: u8 = 4;
const CARRIED: u8 = 5;
const TAKEN: u8 = 6;
const DONE: u8 = 7;
const REFUSED: u8 = 8;

/// Code and length, as bytes: one and four.
const HEADER_BYTES: usize = 5;

/// One frame as it travels.
#[must_use]
pub fn encode_peer_frame(frame: &PeerFrame) -> Vec<u8> {
    let (code, plain) = match frame {
        PeerFrame::Hello(hello) => (HELLO, to_cbor(hello)),
        PeerFrame::Proof(proof) => (PROOF, to_cbor(proof)),
        PeerFrame::Offer(offer) => (OFFER, to_cbor(offer)),
        PeerFrame::Want(want) => (WANT, to_cbor(want)),
        PeerFrame::Carried(carried) => (CARRIED, to_cbor(carried)),
        PeerFrame::Taken(acks) => (TAKEN, to_cbor(acks)),
        PeerFrame::Done => (DONE, Vec::new()),
        PeerFrame::Refused(code) => (REFUSED, to_cbor(code)),
        PeerFrame::Unknown(code) => (*code, Vec::new()),
    };
    let body = codec::pack(&plain);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.push(code);
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

/// Whether a frame is short enough to be read by the other side.
#[must_use]
pub fn fits(frame: &[u8], plain_bytes: usize) -> bool {
    frame.len() <= PEER_FRAME_BYTES_MAX && plain_bytes <= PEER_PLAIN_BYTES_MAX
}

fn decode(code: u8, body: &[u8]) -> Result<PeerFrame, WireError> {
    let plain = codec::unpack_within(body, PEER_FRAME_BYTES_MAX, PEER_PLAIN_BYTES_MAX)?;
    Ok(match code {
        HELLO => PeerFrame::Hello(from_cbor("hello", &plain)?),
        PROOF => PeerFrame::Proof(from_cbor("proof", &plain)?),
        OFFER => {
            let offer: Offer = from_cbor("offer", &plain)?;
            offer.check()?;
            PeerFrame::Offer(offer)
        }
        WANT => PeerFrame::Want(from_cbor("want", &plain)?),
        CARRIED => {
            let carried: CarriedPush = from_cbor("carried push", &plain)?;
            if carried.items.len().saturating_add(carried.hidden.len()) > PUSH_CHANGES_MAX {
                return Err(WireError::TooLarge { what: "carried push", limit: PUSH_CHANGES_MAX });
            }
            PeerFrame::Carried(carried)
        }
        TAKEN => PeerFrame::Taken(from_cbor("taken", &plain)?),
        DONE if plain.is_empty() => PeerFrame::Done,
        DONE => return Err(WireError::Malformed("done")),
        REFUSED => PeerFrame::Refused(from_cbor("refusal", &plain)?),
        other => PeerFrame::Unknown(other),
    })
}

/// Cuts a pipe's bytes into frames.
#[derive(Debug, Default)]
pub struct PeerReader {
    buffer: Vec<u8>,
    /// The other side proved who it is: longer frames are read.
    trusted: bool,
}

impl PeerReader {
    /// Takes more bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The other side proved who it is.
    pub fn trust(&mut self) {
        self.trusted = true;
    }

    /// The next whole frame, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`WireError`] when the frame is malformed, or longer than [`PEER_FRAME_BYTES_MAX`] or, from somebody not proved,
    /// [`STRANGER_FRAME_BYTES_MAX`].
    pub fn next_frame(&mut self) -> Result<Option<PeerFrame>, WireError> {
        let Some((&[code, a, b, c, d], rest)) = self.buffer.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let limit = if self.trusted { PEER_FRAME_BYTES_MAX } else { STRANGER_FRAME_BYTES_MAX };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > limit {
            return Err(WireError::TooLarge { what: "frame", limit });
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let frame = decode(code, body)?;
        self.buffer.drain(..HEADER_BYTES + length);
        Ok(Some(frame))
    }

    /// Whether bytes of an unfinished frame are left: the pipe was cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        !self.buffer.is_empty()
    }
}
