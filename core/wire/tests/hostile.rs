//! Hostile bytes: every decoder answers with an error, never with a panic, and never allocates on a mere claim.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use foras_wire::enrol::{EnrolAnswer, EnrolRequest};
use foras_wire::frame::{decode_frame, decode_request, from_cbor};
use foras_wire::grant::Grant;
use foras_wire::id::Signature64;
use foras_wire::invitation::Invitation;
use foras_wire::limits;
use foras_wire::page::Page;
use foras_wire::stream::{AnswerWriter, FrameReader};
use foras_wire::sync::{AnswerFrame, Heads};
use proptest::prelude::*;

fn decode_everything(bytes: &[u8]) {
    let _ = decode_request(bytes);
    let _ = foras_wire::codec::unpack(bytes);
    let _ = foras_wire::pack::expand(bytes);
    let _ = from_cbor::<EnrolRequest>("enrolment", bytes);
    let _ = from_cbor::<EnrolAnswer>("answer", bytes);
    let _ = from_cbor::<Grant>("grant", bytes);
    for code in 0..9 {
        let _ = decode_frame(code, bytes);
        // As a stream, and as the packed part of one.
        let mut reader = FrameReader::default();
        reader.feed(&[code]);
        reader.feed(bytes);
        while let Ok(Some(_)) = reader.next_frame() {}
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
    let bomb = packed(&vec![0; limits::REQUEST_BYTES_MAX + 1], limits::WINDOW_LOG);
    assert!(bomb.len() < 8 * 1024);
    let error = decode_request(&[&[1], &bomb[1..]].concat()).unwrap_err();
    assert_eq!(error.code(), "too_large");
}

/// A stream whose packed part is `plain`, in one frame of zstd with window `window_log`.
fn packed(plain: &[u8], window_log: u32) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = zstd::stream::write::Encoder::new(vec![0], 3).unwrap();
    encoder.set_parameter(zstd::stream::raw::CParameter::WindowLog(window_log)).unwrap();
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_frame_of_claimed_length_waits_for_no_more_than_the_limit() {
    for too_long in
        [vec![4, 0xff, 0xff, 0xff, 0xff, 1], vec![4, 0x81, 0x80, 0x80, 0x02], vec![4, 0x80, 0x80, 0x80, 0x80]]
    {
        for stream in [too_long.clone(), packed(&too_long, 17)] {
            let mut reader = FrameReader::default();
            reader.feed(&stream);
            assert_eq!(reader.next_frame().unwrap_err().code(), "too_large");
            assert_eq!(reader.next_frame().unwrap_err().code(), "too_large", "it stays so");
        }
    }
}

#[test]
fn a_window_larger_than_the_limit_is_refused() {
    let plain: Vec<u8> = (0..3 << 20).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut reader = FrameReader::default();
    reader.feed(&packed(&plain, 27));
    assert_eq!(reader.next_frame().unwrap_err().code(), "malformed");
    let body = [&[1], &packed(&plain, 27)[1..]].concat();
    assert_eq!(foras_wire::codec::unpack(&body).unwrap_err().code(), "malformed");
    let body = [&[1], &packed(&plain, limits::WINDOW_LOG)[1..]].concat();
    assert_eq!(foras_wire::codec::unpack(&body).unwrap(), plain);
}

#[test]
fn a_stream_that_unpacks_to_more_than_the_limit_is_left() {
    // Unknown frames of 3 MiB of nothing: each is within its limit, all of them are not.
    let frame = [&[200, 0x80, 0x80, 0xc0, 0x01], vec![0; 3 << 20].as_slice()].concat();
    let stream = packed(&frame.repeat(11), 20);
    assert!(stream.len() < 16 * 1024);
    let mut reader = FrameReader::default();
    reader.feed(&stream);
    let mut read = 0;
    let error = loop {
        match reader.next_frame() {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("the stream was read to its end"),
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), read), ("too_large", 10));
}

#[test]
fn a_stream_in_a_stream_and_one_that_stops_being_one_are_malformed() {
    let mut reader = FrameReader::default();
    reader.feed(&packed(&[0, 1, 2, 3], 17));
    assert_eq!(reader.next_frame().unwrap_err().code(), "malformed");
    let mut reader = FrameReader::default();
    reader.feed(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(reader.next_frame().unwrap_err().code(), "malformed");
}

#[test]
fn asking_again_and_again_without_new_bytes_harms_nothing() {
    let frames = story();
    let mut writer = AnswerWriter::new();
    let stream: Vec<u8> = frames.iter().flat_map(|frame| writer.frame(frame)).collect();
    let (mut reader, mut read) = (FrameReader::default(), Vec::new());
    for byte in stream {
        reader.feed(&[byte]);
        for _ in 0..40 {
            read.extend(reader.next_frame().unwrap());
        }
    }
    assert_eq!(read, frames);
}

/// An answer with pages of some length: the second much like the first.
fn story() -> Vec<AnswerFrame> {
    let page = |from: u64, salt: u8| {
        let entry = |at: u8| (0..200_u8).map(move |i| i ^ at.wrapping_mul(37) ^ (salt & 1));
        let body = (0..40).flat_map(entry).collect();
        AnswerFrame::Page(Page { audience: 0, from, count: 40, signature: Signature64([salt; 64]), body })
    };
    let heads = Heads { heads: vec![80, 2, 3], more: false, digest: None };
    vec![AnswerFrame::Unknown(200), page(0, 2), page(40, 4), AnswerFrame::Heads(heads)]
}

#[test]
fn a_stream_cut_at_any_byte_gives_the_frames_before_the_cut_and_no_wrong_one() {
    let (frames, mut writer) = (story(), AnswerWriter::new());
    let pieces: Vec<Vec<u8>> = frames.iter().map(|frame| writer.frame(frame)).collect();
    let whole = pieces.concat();
    assert!(pieces[2].len() * 4 < pieces[1].len(), "a later page is compressed with the page before it");
    for cut in 0..=whole.len() {
        let (mut reader, mut read) = (FrameReader::default(), Vec::new());
        reader.feed(&whole[..cut]);
        while let Some(frame) = reader.next_frame().unwrap() {
            read.push(frame);
        }
        let mut sent = 0;
        let before = pieces
            .iter()
            .take_while(|piece| {
                sent += piece.len();
                sent <= cut
            })
            .count();
        assert_eq!(read, frames[..before], "cut at byte {cut}");
    }
}

#[test]
fn more_cursors_pushes_or_deposits_than_the_limits_are_refused() {
    use foras_wire::sync::SyncRequest;
    let request = SyncRequest {
        epoch: 1,
        grant_revision: 1,
        cursors: vec![0; limits::AUDIENCES_MAX + 1],
        ..SyncRequest::default()
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
