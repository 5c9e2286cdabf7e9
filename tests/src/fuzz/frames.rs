//! Frames, pages and requests, without the compression around them: what is read is written again the same way.

use foras_record::packed;
use foras_wire::codec;
use foras_wire::frame::{decode_frame, decode_request, encode_frame, encode_request, from_cbor, to_cbor};
use foras_wire::page::Page;
use foras_wire::stream::FrameReader;
use foras_wire::sync::AnswerFrame;

use super::story;

fn answered() -> Vec<AnswerFrame> {
    let mut frames = Vec::new();
    for answer in &story::travelled().answers {
        let mut reader = FrameReader::default();
        reader.feed(answer);
        while let Ok(Some(frame)) = reader.next_frame() {
            frames.push(frame);
        }
    }
    frames
}

pub(super) fn frames() -> Vec<Vec<u8>> {
    let coded = answered().iter().map(encode_frame).collect::<Vec<_>>();
    coded.into_iter().map(|(code, body)| [&[code], body.as_slice()].concat()).collect()
}

/// A code and a body.
pub(super) fn frame(bytes: &[u8]) {
    let Some((&code, body)) = bytes.split_first() else { return };
    let Ok(frame) = decode_frame(code, body) else { return };
    let (code, body) = encode_frame(&frame);
    assert_eq!(decode_frame(code, &body).as_ref(), Ok(&frame), "a frame reads otherwise when written again");
}

pub(super) fn pages() -> Vec<Vec<u8>> {
    let frames = answered();
    frames
        .iter()
        .filter_map(|frame| if let AnswerFrame::Page(page) = frame { Some(to_cbor(page)) } else { None })
        .collect()
}

/// A page and its entries, read by somebody who holds nothing.
pub(super) fn page(bytes: &[u8]) {
    let Ok(page) = from_cbor::<Page>("page", bytes) else { return };
    assert!(page.to() >= page.from);
    let Ok(entries) = packed::page::unpacked(&page.body, page.count, &packed::Nothing) else { return };
    let again = packed::page::packed(&entries, Some(&packed::Nothing));
    assert_eq!(packed::page::unpacked(&again, page.count, &packed::Nothing), Ok(entries));
}

pub(super) fn requests() -> Vec<Vec<u8>> {
    let requests = &story::travelled().requests;
    // As they travel, and plain, so that damage reaches what compression hides.
    let plain = requests.iter().filter_map(|body| codec::unpack(body).ok());
    requests.iter().cloned().chain(plain.map(|plain| [&[0], plain.as_slice()].concat())).collect()
}

/// A request's body.
pub(super) fn request(bytes: &[u8]) {
    let Ok(request) = decode_request(bytes) else { return };
    assert_eq!(decode_request(&encode_request(&request)).as_ref(), Ok(&request));
}
