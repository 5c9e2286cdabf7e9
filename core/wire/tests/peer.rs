//! Golden bytes of what two phones say to each other and of what one carries to the server, and hostile bytes instead.
//!
//! `FORAS_BLESS=1` rewrites the golden file, for a deliberate change of the protocol.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use foras_wire::carried::{CarriedPush, HiddenItem};
use foras_wire::codec;
use foras_wire::frame::{decode_frame, decode_request, encode_frame, encode_request, to_cbor};
use foras_wire::grant::SignedGrant;
use foras_wire::id::{ChangeHash, Digest32, Incarnation, Nonce, RecordId, ServerId, Signature64};
use foras_wire::limits;
use foras_wire::peer::{
    Offer, OfferedRecord, PeerFrame, PeerHello, PeerProof, PeerReader, Want, encode_peer_frame, prefix,
};
use foras_wire::push::PushItem;
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use foras_wire::sync::{Acks, AnswerFrame, Exception, Outcome, SyncRequest};
use foras_wire::version::ProtocolRange;
use proptest::prelude::*;

fn record() -> RecordRef {
    let key = RecordKey { kind: KindCode(4), id: RecordId([0x11; 16]) };
    RecordRef { key, case: Some(RecordId([0x22; 16])), generation: 0 }
}

fn grant() -> SignedGrant {
    SignedGrant { bytes: vec![8, 9], signature: Signature64([0x44; 64]) }
}

fn carried() -> CarriedPush {
    CarriedPush {
        grant: grant(),
        epoch: 3,
        incarnation: Incarnation([0x33; 16]),
        grant_revision: 2,
        items: vec![PushItem { record: record(), change_set: 1, chunk: vec![0x85, 0x6f, 0x4a, 0x83] }],
        hidden: vec![HiddenItem { position: 0, change_set: 0, leaf: Digest32([0x55; 32]) }],
        signature: Signature64([0x66; 64]),
    }
}

fn acks() -> Acks {
    let outcome = Outcome::Refused { code: "not_yours".into() };
    Acks { push: 1, exceptions: vec![Exception { item: 0, outcome }] }
}

fn frames() -> Vec<(&'static str, PeerFrame)> {
    let hashes = [ChangeHash([1; 32]), ChangeHash([2; 32])];
    let prefixes = hashes.iter().flat_map(prefix).collect();
    let hello = PeerHello {
        protocol: ProtocolRange { min: 2, max: 2 },
        server: ServerId([1; 16]),
        nonce: Nonce([6; 16]),
        audiences: Vec::new(),
    };
    vec![
        ("hello", PeerFrame::Hello(hello)),
        ("proof", PeerFrame::Proof(PeerProof { grant: grant(), signature: Signature64([0x77; 64]) })),
        ("offer", PeerFrame::Offer(Offer { records: vec![OfferedRecord { key: record().key, prefixes }] })),
        ("want", PeerFrame::Want(Want::of(&[true, false]))),
        ("carried", PeerFrame::Carried(carried())),
        ("taken", PeerFrame::Taken(acks())),
        ("done", PeerFrame::Done),
        ("refused", PeerFrame::Refused("grant_expired".into())),
    ]
}

fn read(bytes: &[u8], trusted: bool) -> Result<Option<PeerFrame>, foras_wire::error::WireError> {
    let mut reader = PeerReader::default();
    if trusted {
        reader.trust();
    }
    reader.feed(bytes);
    reader.next_frame()
}

#[test]
fn every_frame_between_phones_keeps_its_bytes() {
    let mut text = String::new();
    for (name, frame) in frames() {
        let bytes = encode_peer_frame(&frame);
        let plain = codec::unpack(&bytes[5..]).unwrap();
        writeln!(text, "peer_{name}_{} {}", bytes[0], HEXLOWER.encode(&plain)).unwrap();
    }
    let (code, body) = encode_frame(&AnswerFrame::CarriedAcks(acks()));
    writeln!(text, "frame_carried_acks_{code} {}", HEXLOWER.encode(&body)).unwrap();
    let request = SyncRequest { carried: vec![carried()], ..SyncRequest::default() };
    writeln!(text, "request_that_carries {}", HEXLOWER.encode(&to_cbor(&request))).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/peer.txt");
    if std::env::var_os("FORAS_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "the bytes of a message changed");
}

#[test]
fn every_frame_between_phones_is_read_back_in_any_pieces() {
    let stream: Vec<u8> = frames().iter().flat_map(|(_, frame)| encode_peer_frame(frame)).collect();
    for piece_bytes in [1, 7, stream.len()] {
        let (mut reader, mut read) = (PeerReader::default(), Vec::new());
        for piece in stream.chunks(piece_bytes) {
            reader.feed(piece);
            while let Some(frame) = reader.next_frame().unwrap() {
                read.push(frame);
            }
        }
        assert!(!reader.is_cut());
        assert_eq!(read, frames().into_iter().map(|(_, frame)| frame).collect::<Vec<_>>());
    }
    let (code, body) = encode_frame(&AnswerFrame::CarriedAcks(acks()));
    assert_eq!(decode_frame(code, &body).unwrap(), AnswerFrame::CarriedAcks(acks()));
    let request = SyncRequest { carried: vec![carried()], ..SyncRequest::default() };
    assert_eq!(decode_request(&encode_request(&request)).unwrap(), request);
}

#[test]
fn a_request_that_carries_nothing_pays_nothing_for_it() {
    let plain = to_cbor(&SyncRequest::default());
    let carrying = to_cbor(&SyncRequest { carried: vec![carried()], ..SyncRequest::default() });
    assert!(plain.len() < 16, "{} bytes", plain.len());
    assert!(carrying.len() > plain.len());
}

#[test]
fn wants_and_offers_count_alike() {
    let wanted: Vec<bool> = (0..19).map(|number| number % 3 == 0).collect();
    let want = Want::of(&wanted);
    assert_eq!(want.bits.len(), 3);
    assert!(wanted.iter().enumerate().all(|(at, wanted)| want.wants(at) == *wanted));
    assert!(!want.wants(24) && !want.wants(usize::MAX));
}

#[test]
fn a_stranger_is_read_up_to_sixteen_kilobytes() {
    let mut long = vec![1];
    long.extend_from_slice(&u32::try_from(limits::STRANGER_FRAME_BYTES_MAX + 1).unwrap().to_be_bytes());
    assert_eq!(read(&long, false).unwrap_err().code(), "too_large");
    assert_eq!(read(&long, true).unwrap(), None, "it waits for the bytes");
    assert_eq!(read(&[5, 0xff, 0xff, 0xff, 0xff], true).unwrap_err().code(), "too_large");
}

#[test]
fn a_small_frame_cannot_unpack_to_a_large_one() {
    let body = codec::pack(&vec![0; limits::PEER_PLAIN_BYTES_MAX + 1]);
    assert!(body.len() < 4 * 1024);
    let mut bytes = vec![5];
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(&body);
    assert_eq!(read(&bytes, true).unwrap_err().code(), "too_large");
}

#[test]
fn an_offer_of_too_many_or_of_broken_prefixes_is_refused() {
    let offer = |prefixes| {
        let records = vec![OfferedRecord { key: record().key, prefixes }];
        read(&encode_peer_frame(&PeerFrame::Offer(Offer { records })), true)
    };
    assert_eq!(offer(vec![0; 7]).unwrap_err().code(), "malformed");
    assert_eq!(offer(vec![]).unwrap_err().code(), "malformed");
    assert_eq!(offer(vec![0; 8 * (limits::OFFER_CHANGES_MAX + 1)]).unwrap_err().code(), "too_large");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_frames_never_panic(which in 0_usize..8, at in 0_usize..600, value: u8, trusted: bool) {
        let mut bytes = encode_peer_frame(&frames()[which].1);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        let _ = read(&bytes, trusted);
    }

    #[test]
    fn random_bodies_never_panic(code: u8, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = vec![code];
        bytes.extend_from_slice(&u32::try_from(body.len() + 1).unwrap().to_be_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&body);
        let _ = read(&bytes, true);
    }
}
