//! Golden bytes of every message: what one build writes, every later build must read and write alike.
//!
//! `FORAS_BLESS=1` rewrites the file, for a deliberate change of the protocol (which needs a new version).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use foras_wire::enrol::{CaseNumberBlock, EnrolAnswer, EnrolRequest};
use foras_wire::frame::{decode_frame, decode_request, encode_frame, encode_request, from_cbor, to_cbor};
use foras_wire::grant::{Grant, SignedGrant};
use foras_wire::id::{
    Actor, ChangeHash, DeviceId, Digest32, Incarnation, Nonce, PackId, PublicKey, RecordId, ServerId, Signature64,
};
use foras_wire::limits;
use foras_wire::pack::{Fingerprint, PackProgress, Piece, Seal};
use foras_wire::page::{self, AuthorEntry, ChangeEntry, Entry, KnownEntry, Page, SeenEntry, WholeEntry};
use foras_wire::push::{PackedPush, Push, PushItem};
use foras_wire::reconcile::{
    Claim, Difference, DifferenceState, Item, LackedChange, OfferedChange, OfferedPage, OfferedWhole, Offers,
    Reconcile, Sketch, Witness, coded,
};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use foras_wire::stream::{AnswerWriter, FrameReader};
use foras_wire::sync::{
    Acks, AnswerFrame, Deposit, DepositAck, Exception, Heads, Introduction, Outcome, Refusal, SyncRequest, Welcome,
};
use foras_wire::turn::Turn;
use foras_wire::version::ProtocolRange;

fn record() -> RecordRef {
    RecordRef {
        key: RecordKey { kind: KindCode(4), id: RecordId([0x11; 16]) },
        case: Some(RecordId([0x22; 16])),
        generation: 0,
    }
}

fn request() -> SyncRequest {
    SyncRequest {
        protocol: ProtocolRange { min: 2, max: 2 },
        epoch: 3,
        grant_revision: 2,
        cursors: vec![0, 17, 300],
        pushes: vec![PackedPush {
            incarnation: Incarnation([0x33; 16]),
            grant_revision: 2,
            count: 1,
            signature: Signature64([0x44; 64]),
            body: vec![1, 2, 3],
        }],
        deposits: vec![Deposit { id: RecordId([0x55; 16]), body: r#"{"satisfied":"yes"}"#.into() }],
        packs: Some(vec![PackProgress { audience: 1, pack: PackId([0x66; 16]), segment: 2, offset: 300 }]),
        wait_s: 300,
        reconcile: Some(reconcile()),
        offers: Some(offers()),
        plain: true,
        introduction: Some(Box::new(introduction())),
        ..SyncRequest::default()
    }
}

fn introduction() -> Introduction {
    Introduction {
        grant: SignedGrant { bytes: vec![1, 2, 3], signature: Signature64([0x44; 64]) },
        incarnations: vec![Incarnation([0x33; 16])],
        case_numbers: Some(CaseNumberBlock { prefix: "OUJ3".into(), first: 1, last: 999_999 }),
    }
}

fn reconcile() -> Reconcile {
    let items = [Item::of(&record(), &ChangeHash([0x66; 32]))];
    let symbols = coded::symbols(&[9; 8], &items, 3);
    let sketch = Sketch { audience: 1, count: 1, sum: items.iter().collect(), symbols: coded::to_bytes(&symbols, 1) };
    let witness = Witness {
        audience: "casework:oujda".parse().unwrap(),
        epoch: 3,
        from: 280,
        to: 300,
        root: Digest32([0x77; 32]),
        signature: Signature64([0x44; 64]),
    };
    Reconcile { salt: [9; 8], sketches: vec![sketch], witness: Some(witness), newest_epoch: 3 }
}

fn offers() -> Offers {
    let change = OfferedChange { index: 1, record: record(), received_ms: 1_790_000_000_000, chunk: vec![1, 2, 3] };
    let page = OfferedPage {
        audience: "casework:oujda".parse().unwrap(),
        epoch: 3,
        from: 280,
        leaves: vec![0x88; 64],
        signature: Signature64([0x44; 64]),
        changes: vec![change],
        wholes: vec![OfferedWhole { index: 1, received_ms: 1_790_000_000_000, leaves: vec![0xaa; 64] }],
    };
    let claim = Claim { audience: 1, record: record(), hash: ChangeHash([0x66; 32]) };
    Offers { pages: vec![page], claims: vec![claim] }
}

fn difference() -> Difference {
    Difference {
        authors: vec![AuthorEntry { actor: Actor([1; 16]), name: None, role: "server".into() }],
        changes: vec![LackedChange { record: record(), chunk: vec![1, 2, 3], received_ms: 1_790_000_000_000 }],
        drops: vec![record().key],
        wanted: vec![0x99; 16],
        salt: [9; 8],
        ..Difference::new(1, 300, DifferenceState::Undecided { symbols: 70 })
    }
}

/// A push as it is signed, and handed on.
fn push() -> Push {
    Push {
        incarnation: Incarnation([0x33; 16]),
        grant_revision: 2,
        items: vec![PushItem { record: record(), change_set: 0, chunk: vec![0x85, 0x6f, 0x4a, 0x83] }],
        signature: Signature64([0x44; 64]),
    }
}

fn entries() -> Vec<Entry> {
    vec![
        Entry::Author(AuthorEntry { actor: Actor([1; 16]), name: Some("Samira".into()), role: "outreach".into() }),
        Entry::Change(ChangeEntry { record: record(), hash: HASH, chunk: vec![1, 2], received_ms: 1_790_000_000_000 }),
        Entry::Whole(WholeEntry {
            record: record(),
            changes: vec![(HASH, vec![1]), (ChangeHash([9; 32]), vec![2])],
            received_ms: 5,
        }),
        Entry::Known(KnownEntry { record: record(), hash: HASH, received_ms: 1_790_000_000_000 }),
        Entry::Drop(record().key),
        Entry::Erase(RecordId([3; 16])),
        Entry::Seen(SeenEntry { key: record().key, country: "ML".into(), through: 9, at_ms: 7 }),
        Entry::Stub,
        Entry::Unknown { code: 900, body: vec![1, 2, 3] },
    ]
}

const HASH: ChangeHash = ChangeHash([0x77; 32]);

fn frames() -> Vec<(&'static str, AnswerFrame)> {
    let welcome = Welcome {
        protocol: 2,
        epoch: 3,
        now_ms: 1_790_000_000_000,
        nonce: Nonce([6; 16]),
        token: Some([7; 32]),
        grant: Some(SignedGrant { bytes: vec![8, 9], signature: Signature64([0x44; 64]) }),
    };
    let outcomes = [
        Outcome::Duplicate,
        Outcome::Parked,
        Outcome::Quarantined { code: "consent_withdrawn".into() },
        Outcome::Refused { code: "not_allowed".into() },
        Outcome::SetRefused,
        Outcome::Later,
    ];
    let exceptions = (0..).zip(outcomes).map(|(item, outcome)| Exception { item, outcome }).collect();
    let page = Page { audience: 1, from: 17, count: 9, body: vec![4, 5, 6], signature: Signature64([0x44; 64]) };
    vec![
        ("welcome", AnswerFrame::Welcome(welcome)),
        ("acks", AnswerFrame::Acks(Acks { push: 0, exceptions })),
        (
            "deposit_acks",
            AnswerFrame::DepositAcks(vec![
                DepositAck { id: RecordId([0x55; 16]), refused: None },
                DepositAck { id: RecordId([0x56; 16]), refused: Some("invalid_value".into()) },
            ]),
        ),
        ("page", AnswerFrame::Page(page)),
        ("piece", AnswerFrame::Piece(piece(0))),
        ("piece_going_on", AnswerFrame::Piece(piece(300))),
        ("heads", AnswerFrame::Heads(Heads { heads: vec![1, 25, 300], more: true, digest: None })),
        ("turn", AnswerFrame::Turn(Turn { after_s: 9, ahead: 12 })),
        ("difference", AnswerFrame::Difference(Box::new(difference()))),
        ("heads", AnswerFrame::Heads(Heads { heads: vec![1, 25, 300], more: true, digest: Some([5; 16]) })),
        (
            "refused",
            AnswerFrame::Refused(Refusal {
                code: "unauthenticated".into(),
                retryable: true,
                nonce: Some(Nonce([6; 16])),
                retry_after_s: 0,
            }),
        ),
    ]
}

fn piece(offset: u32) -> Piece {
    let seal = Seal {
        to: 9_000,
        segments: 3,
        pack_records: 1_200,
        bytes: 700,
        records: 400,
        changes: 900,
        sum: Fingerprint(0x1234 << 100),
        blob: Digest32([0x77; 32]),
        signature: Signature64([0x44; 64]),
    };
    let seal = (offset == 0).then_some(seal);
    Piece { audience: 1, pack: PackId([0x66; 16]), segment: 2, offset, bytes: vec![1, 2, 3], seal, pack_bytes: 2_100 }
}

fn grant() -> Grant {
    Grant {
        server: ServerId([1; 16]),
        device: DeviceId([2; 16]),
        key: PublicKey([3; 32]),
        revision: 1,
        role: "outreach".into(),
        places: vec!["oujda".into()],
        audiences: vec!["public".parse().unwrap(), "casework:oujda".parse().unwrap()],
        case: None,
        name: Some("Samira".into()),
        issued_s: 1_790_000_000,
        expires_s: 1_821_536_000,
        lease_s: 1_209_600,
    }
}

fn enrol_request() -> EnrolRequest {
    EnrolRequest {
        protocol: ProtocolRange { min: 2, max: 2 },
        secret: vec![9; 16],
        key: PublicKey([3; 32]),
        incarnation: Incarnation([4; 16]),
        signature: Signature64([5; 64]),
    }
}

fn enrol_answer() -> EnrolAnswer {
    EnrolAnswer {
        server: ServerId([1; 16]),
        server_key: PublicKey([6; 32]),
        epoch: 1,
        now_ms: 1_790_000_000_000,
        token: [7; 32],
        nonce: Nonce([8; 16]),
        grant: SignedGrant { bytes: to_cbor(&grant()), signature: Signature64([5; 64]) },
        case_numbers: Some(CaseNumberBlock { prefix: "OU7".into(), first: 1, last: 9999 }),
        import_key: Some([9; 32]),
    }
}

#[test]
fn every_message_keeps_its_bytes() {
    let mut text = String::new();
    let mut line = |name: &str, bytes: &[u8]| writeln!(text, "{name} {}", HEXLOWER.encode(bytes)).unwrap();
    // Plain CBOR, so that a newer zstd does not change the golden bytes.
    line("request", &to_cbor(&request()));
    line("grant", &to_cbor(&grant()));
    line("enrol_request", &to_cbor(&enrol_request()));
    line("enrol_answer", &to_cbor(&enrol_answer()));
    line("push", &to_cbor(&push()));
    for (at, entry) in entries().iter().enumerate() {
        line(&format!("leaf_{at}"), entry.leaf().as_bytes());
    }
    line("root", page::root(&entries()).as_bytes());
    for (name, frame) in frames() {
        let (code, body) = encode_frame(&frame);
        line(&format!("frame_{name}_{code}"), &body);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/messages.txt");
    if std::env::var_os("FORAS_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "the bytes of a message changed");
}

#[test]
fn every_message_is_read_back() {
    assert_eq!(decode_request(&encode_request(&request())).unwrap(), request());
    assert_eq!(from_cbor::<EnrolRequest>("enrolment", &to_cbor(&enrol_request())).unwrap(), enrol_request());
    let answer: EnrolAnswer = from_cbor("answer", &to_cbor(&enrol_answer())).unwrap();
    assert_eq!(answer, enrol_answer());
    assert_eq!(answer.grant.grant().unwrap(), grant());
    assert_eq!(from_cbor::<Push>("push", &to_cbor(&push())).unwrap(), push());
    let mut writer = AnswerWriter::new();
    let stream: Vec<u8> = frames().iter().flat_map(|(_, frame)| writer.frame(frame)).collect();
    for piece_bytes in [1, 7, 64, stream.len()] {
        let (mut reader, mut read) = (FrameReader::default(), Vec::new());
        for piece in stream.chunks(piece_bytes) {
            reader.feed(piece);
            while let Some(frame) = reader.next_frame().unwrap() {
                read.push(frame);
            }
        }
        assert_eq!(read, frames().into_iter().map(|(_, frame)| frame).collect::<Vec<_>>());
    }
}

#[test]
fn a_newer_side_may_add_fields_and_frames() {
    // A `Heads` with a fourth field, which this build does not know.
    let newer = HEXLOWER_PERMISSIVE.decode(b"84820102f4f663616161").unwrap();
    let heads: Heads = from_cbor("heads", &newer).unwrap();
    assert_eq!(heads, Heads { heads: vec![1, 2], more: false, digest: None });
    let mut reader = FrameReader::default();
    reader.feed(&[200, 3, 0, 1, 2]);
    assert_eq!(reader.next_frame().unwrap(), Some(AnswerFrame::Unknown(200)));
}

#[test]
fn a_change_has_one_leaf_whether_the_receiver_has_it_or_not() {
    let entries = entries();
    assert_eq!(entries[1].leaf(), entries[3].leaf());
    let leaves: std::collections::BTreeSet<_> = entries.iter().map(Entry::leaf).collect();
    assert_eq!(leaves.len(), entries.len() - 1, "every other entry has a leaf of its own");
}

#[test]
fn a_piece_that_contradicts_itself_is_no_piece() {
    assert_eq!(piece(0).check(), Ok(()));
    assert_eq!(piece(300).check(), Ok(()));
    let wrong: [fn(&mut Piece); 7] = [
        |piece| piece.bytes.clear(),
        |piece| piece.bytes = vec![0; limits::PIECE_BYTES + 1],
        |piece| piece.seal = None,
        |piece| piece.offset = 5,
        |piece| piece.segment = 3,
        |piece| piece.seal.as_mut().unwrap().bytes = 2,
        |piece| piece.seal.as_mut().unwrap().records = 1_201,
    ];
    for (number, spoil) in wrong.into_iter().enumerate() {
        let mut piece = piece(0);
        spoil(&mut piece);
        assert!(piece.check().is_err(), "{number}");
        let (code, body) = encode_frame(&AnswerFrame::Piece(piece));
        assert!(decode_frame(code, &body).is_err(), "{number}");
    }
    let beyond = Piece { offset: limits::SEGMENT_BYTES_MAX as u32 - 1, ..piece(300) };
    assert!(beyond.check().is_err());
}

#[test]
fn a_segments_blob_is_unpacked_within_its_limit() {
    let plain = vec![7; 100_000];
    let blob = foras_wire::pack::compress(&plain).unwrap();
    assert!(blob.len() < 100);
    assert_eq!(foras_wire::pack::expand(&blob).unwrap(), plain);
    assert_eq!(foras_wire::pack::expand(&foras_wire::pack::compress_fast(&plain).unwrap()).unwrap(), plain);
    assert!(foras_wire::pack::expand(&blob[..blob.len() - 1]).is_err());
    assert!(foras_wire::pack::expand(b"no blob").is_err());
    assert!(foras_wire::pack::expand(&vec![0; limits::SEGMENT_BYTES_MAX + 1]).is_err());
    let bomb = vec![0; limits::SEGMENT_PLAIN_BYTES_MAX + 1];
    assert!(foras_wire::pack::compress(&bomb).is_err(), "nothing is sent that nobody would take");
    let bomb = zstd::bulk::compress(&bomb, 3).unwrap();
    assert_eq!(foras_wire::pack::expand(&bomb).unwrap_err().code(), "too_large");
}
