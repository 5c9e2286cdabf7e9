//! What another phone says, and what of a set of changes is compared by coded symbols.

use foras_wire::carried::CarriedPush;
use foras_wire::frame::from_cbor;
use foras_wire::id::{Nonce, ServerId};
use foras_wire::peer::{Offer, OfferedRecord, PeerFrame, PeerHello, PeerReader, Want, encode_peer_frame, prefix};
use foras_wire::push::PushItem;
use foras_wire::reconcile::Item;
use foras_wire::reconcile::coded::{self, Salt, symbols, symbols_of};
use foras_wire::version::ProtocolRange;

use super::change::pushed;

/// Frames that are read of one input at most.
const FRAMES_MAX: usize = 200;

pub(super) fn frames() -> Vec<Vec<u8>> {
    let items = pushed();
    let hash = |chunk: &[u8]| foras_record::packed::hash_of(chunk);
    let records =
        items.iter().map(|item| OfferedRecord { key: item.record.key, prefixes: prefix(&hash(&item.chunk)).to_vec() });
    let hello = PeerHello {
        protocol: ProtocolRange::OURS,
        server: ServerId([1; 16]),
        nonce: Nonce([6; 16]),
        audiences: Vec::new(),
    };
    let said = [
        PeerFrame::Hello(hello),
        PeerFrame::Offer(Offer { records: records.collect() }),
        PeerFrame::Want(Want::of(&[true, false, true])),
        PeerFrame::Done,
        PeerFrame::Refused("grant_expired".to_owned()),
    ];
    let each: Vec<Vec<u8>> = said.iter().map(encode_peer_frame).collect();
    let together = each.concat();
    each.into_iter().chain([together]).collect()
}

/// What a phone reads of another, trusted or not; and a push that somebody carries.
pub(super) fn frame(bytes: &[u8]) {
    for trusted in [false, true] {
        let mut reader = PeerReader::default();
        if trusted {
            reader.trust();
        }
        reader.feed(bytes);
        let mut read = 0;
        while let Ok(Some(frame)) = reader.next_frame() {
            let mut again = PeerReader::default();
            again.trust();
            again.feed(&encode_peer_frame(&frame));
            assert_eq!(again.next_frame().as_ref(), Ok(&Some(frame)), "a frame reads otherwise when said again");
            read += 1;
            if read >= FRAMES_MAX {
                break;
            }
        }
    }
    let _ = from_cbor::<CarriedPush>("carried push", bytes);
}

/// As many symbols as tell every item of the story.
const SYMBOLS: usize = 40;
/// How many items the symbols say they are of.
const ITEMS: u64 = 10;
const SALT: Salt = [7; 8];

pub(super) fn sketches() -> Vec<Vec<u8>> {
    let hash = |item: &PushItem| foras_record::packed::hash_of(&item.chunk);
    let set: Vec<Item> = pushed().iter().map(|item| Item::of(&item.record, &hash(item))).collect();
    let bytes = |count| coded::to_bytes(&symbols(&SALT, &set, count), ITEMS);
    vec![bytes(SYMBOLS), bytes(8), bytes(1)]
}

/// Symbols that say of how many items they are, against the symbols of none.
pub(super) fn sketch(bytes: &[u8]) {
    let Some(sent) = coded::from_bytes(bytes, ITEMS) else { return };
    let own = symbols_of([], sent.len());
    let Ok(found) = coded::difference(&sent, &own) else { return };
    assert!(found.first.len() + found.second.len() <= sent.len(), "more items than symbols");
    // Nothing but a set has symbols that come out even.
    if found.second.is_empty() {
        assert_eq!(symbols_of(found.first, sent.len()), sent, "the symbols are of another set");
    }
}
