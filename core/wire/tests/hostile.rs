//! Hostile bytes: every decoder answers with an error, never with a panic, and never allocates on a mere claim.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use foras_wire::enrol::{EnrolAnswer, EnrolRequest};
use foras_wire::frame::{FrameReader, decode_request, encode_frame, from_cbor};
use foras_wire::grant::Grant;
use foras_wire::invitation::Invitation;
use foras_wire::limits;
use foras_wire::page::{Entry, RawEntry};
use foras_wire::sync::{AnswerFrame, Heads};
use proptest::prelude::*;

fn decode_everything(bytes: &[u8]) {
    let _ = decode_request(bytes);
    let _ = foras_wire::codec::unpack(bytes);
    let _ = from_cbor::<EnrolRequest>("enrolment", bytes);
    let _ = from_cbor::<EnrolAnswer>("answer", bytes);
    let _ = from_cbor::<Grant>("grant", bytes);
    for code in 0..12 {
        let _ = Entry::try_from(&RawEntry { code, body: bytes.to_vec() });
    }
    for code in 0..9 {
        let mut reader = FrameReader::default();
        reader.feed(&[code]);
        reader.feed(&u32::try_from(bytes.len() + 1).unwrap().to_be_bytes());
        reader.feed(&[0]);
        reader.feed(bytes);
        let _ = reader.next_frame();
    }
    let _ = String::from_utf8_lossy(bytes).parse::<Invitation>();
}

#[test]
fn a_claimed_length_allocates_nothing() {
    // CBOR arrays, strings and maps that claim 2^62 items and hold none.
    for head in [0x9b, 0x5b, 0x7b, 0xbb_u8] {
        let mut bytes = vec![0x86, 0x82, 1, 1, 0, 0];
        bytes.push(head);
        bytes.extend_from_slice(&(1_u64 << 62).to_be_bytes());
        decode_everything(&bytes);
        decode_everything(&bytes[6..]);
    }
}

#[test]
fn deep_nesting_is_refused() {
    decode_everything(&vec![0x81; 100_000]);
    decode_everything(&vec![0x9f; 100_000]);
    decode_everything(&vec![0xc1; 100_000]);
}

#[test]
fn a_small_body_cannot_unpack_to_a_large_one() {
    let bomb = zstd::bulk::compress(&vec![0; limits::PLAIN_BYTES_MAX + 1], 19).unwrap();
    assert!(bomb.len() < 8 * 1024);
    let error = decode_request(&[&[1], bomb.as_slice()].concat()).unwrap_err();
    assert_eq!(error.code(), "too_large");
}

#[test]
fn a_frame_of_claimed_length_waits_for_no_more_than_the_limit() {
    let mut reader = FrameReader::default();
    reader.feed(&[4, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(reader.next_frame().unwrap_err().code(), "too_large");
}

#[test]
fn a_stream_cut_at_any_byte_gives_no_wrong_frame() {
    let frame = AnswerFrame::Heads(Heads { heads: vec![1, 2, 3], more: false, digests: vec![] });
    let whole = encode_frame(&frame);
    for cut in 0..whole.len() {
        let mut reader = FrameReader::default();
        reader.feed(&whole[..cut]);
        assert_eq!(reader.next_frame().unwrap(), None, "cut at byte {cut}");
        assert_eq!(reader.is_cut(), cut > 0);
    }
}

#[test]
fn more_cursors_pushes_or_deposits_than_the_limits_are_refused() {
    use foras_wire::sync::SyncRequest;
    use foras_wire::version::ProtocolRange;
    let request = SyncRequest {
        protocol: ProtocolRange::OURS,
        epoch: 1,
        grant_revision: 1,
        cursors: vec![0; limits::AUDIENCES_MAX + 1],
        pushes: vec![],
        deposits: vec![],
    };
    let error = decode_request(&foras_wire::frame::encode_request(&request)).unwrap_err();
    assert_eq!(error.code(), "too_large");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode_everything(&bytes);
    }

    #[test]
    fn mutated_messages_never_panic(at in 0..4_000_usize, value: u8, line in 0..18_usize) {
        let golden = include_str!("golden/messages.txt");
        let hex = golden.lines().nth(line).and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let mut bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        decode_everything(&bytes);
        decode_everything(&[&[0], bytes.as_slice()].concat());
    }
}
