//! Messages as bytes: the request, and the frames of its answer. How frames stand in a stream: [`crate::stream`].

use minicbor::{Decode, Encode};

use crate::codec;
use crate::error::WireError;
use crate::items;
use crate::limits::{AUDIENCES_MAX, DEPOSITS_MAX, ITEMS_MAX, PUSH_CHANGES_MAX};
use crate::pack::Piece;
use crate::sync::{AnswerFrame, SyncRequest};

const WELCOME: u8 = 1;
const ACKS: u8 = 2;
const DEPOSIT_ACKS: u8 = 3;
const PAGE: u8 = 4;
const HEADS: u8 = 5;
const REFUSED: u8 = 6;
const PIECE: u8 = 7;
const CARRIED_ACKS: u8 = 9;
const TURN: u8 = 10;
const DIFFERENCE: u8 = 8;

/// `message` in CBOR. Encoding into a vector cannot fail: its error type has no value.
#[must_use]
pub fn to_cbor<T: Encode<()>>(message: &T) -> Vec<u8> {
    minicbor::to_vec(message).unwrap_or_default()
}

/// The message in `bytes`, all of them.
///
/// # Errors
/// [`WireError::TooLarge`] when it holds more than [`ITEMS_MAX`] items; [`WireError::Malformed`] when the bytes are no such
/// message, or something follows it.
pub fn from_cbor<'b, T: Decode<'b, ()>>(what: &'static str, bytes: &'b [u8]) -> Result<T, WireError> {
    if !items::are_few(bytes) {
        return Err(WireError::TooLarge { what, limit: ITEMS_MAX });
    }
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
    let own = request.pushes.iter().fold(0_usize, |sum, push| sum.saturating_add(push.count as usize));
    let carried: usize = request.carried.iter().map(|push| push.items.len() + push.hidden.len()).sum();
    let sketches = request.reconcile.as_ref().map_or(&[][..], |reconcile| &reconcile.sketches);
    let (pages, claims) = request.offers.as_ref().map_or((&[][..], 0), |offers| (&offers.pages, offers.claims.len()));
    let offered: usize = pages.iter().map(|page| page.changes.len()).sum();
    for (what, count, limit) in [
        ("sketches", sketches.len(), AUDIENCES_MAX),
        ("offered pages", pages.len(), PUSH_CHANGES_MAX),
        ("offered changes", offered, PUSH_CHANGES_MAX),
        ("claims", claims, PUSH_CHANGES_MAX),
        ("cursors", request.cursors.len(), AUDIENCES_MAX),
        ("pushed changes", own, PUSH_CHANGES_MAX),
        ("carried changes", carried, PUSH_CHANGES_MAX),
        ("carried pushes", request.carried.len(), PUSH_CHANGES_MAX),
        ("pushes", request.pushes.len(), PUSH_CHANGES_MAX),
        ("deposits", request.deposits.len(), DEPOSITS_MAX),
        ("packs", request.packs.as_ref().map_or(0, Vec::len), AUDIENCES_MAX),
    ] {
        if count > limit {
            return Err(WireError::TooLarge { what, limit });
        }
    }
    Ok(request)
}

/// The code and the body of `frame`.
#[must_use]
pub fn encode_frame(frame: &AnswerFrame) -> (u8, Vec<u8>) {
    match frame {
        AnswerFrame::Welcome(welcome) => (WELCOME, to_cbor(welcome)),
        AnswerFrame::Acks(acks) => (ACKS, to_cbor(acks)),
        AnswerFrame::DepositAcks(acks) => (DEPOSIT_ACKS, to_cbor(acks)),
        AnswerFrame::Piece(piece) => (PIECE, to_cbor(piece)),
        AnswerFrame::CarriedAcks(acks) => (CARRIED_ACKS, to_cbor(acks)),
        AnswerFrame::Page(page) => (PAGE, to_cbor(page)),
        AnswerFrame::Difference(difference) => (DIFFERENCE, to_cbor(difference.as_ref())),
        AnswerFrame::Heads(heads) => (HEADS, to_cbor(heads)),
        AnswerFrame::Turn(turn) => (TURN, to_cbor(turn)),
        AnswerFrame::Refused(refusal) => (REFUSED, to_cbor(refusal)),
        AnswerFrame::Unknown(code) => (*code, Vec::new()),
    }
}

/// The frame of this code and body.
///
/// # Errors
/// [`WireError::Malformed`] when the body is not what the code says.
pub fn decode_frame(code: u8, body: &[u8]) -> Result<AnswerFrame, WireError> {
    Ok(match code {
        WELCOME => AnswerFrame::Welcome(from_cbor("welcome", body)?),
        ACKS => AnswerFrame::Acks(from_cbor("acknowledgements", body)?),
        DEPOSIT_ACKS => AnswerFrame::DepositAcks(from_cbor("acknowledgements of deposits", body)?),
        CARRIED_ACKS => AnswerFrame::CarriedAcks(from_cbor("acknowledgements of carried pushes", body)?),
        PAGE => AnswerFrame::Page(from_cbor("page", body)?),
        HEADS => AnswerFrame::Heads(from_cbor("heads", body)?),
        TURN => AnswerFrame::Turn(from_cbor("turn", body)?),
        DIFFERENCE => AnswerFrame::Difference(Box::new(from_cbor("difference", body)?)),
        REFUSED => AnswerFrame::Refused(from_cbor("refusal", body)?),
        PIECE => AnswerFrame::Piece(piece(from_cbor("piece of a pack", body)?)?),
        other => AnswerFrame::Unknown(other),
    })
}

fn piece(piece: Piece) -> Result<Piece, WireError> {
    piece.check().map(|()| piece)
}
