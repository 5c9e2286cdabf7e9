//! What travels: requests, answers, and documents inside them.

use foras_record::packed;
use foras_wire::codec;
use foras_wire::enrol::{EnrolAnswer, EnrolRequest};
use foras_wire::frame::{decode_frame, decode_request, from_cbor};
use foras_wire::grant::{Grant, SignedGrant};
use foras_wire::limits::{
    BODY_BYTES_MAX, FRAME_BYTES_MAX, PLAIN_BYTES_MAX, REQUEST_BYTES_MAX, SEGMENT_PLAIN_BYTES_MAX,
};
use foras_wire::peer::PeerReader;
use foras_wire::reconcile::Item;
use foras_wire::reconcile::coded::{self, SYMBOLS_MAX};
use foras_wire::stream::FrameReader;

use super::meter::Hostile;

/// The most frames that a receiver would take of one answer.
fn read_stream(bytes: &[u8]) {
    let mut reader = FrameReader::default();
    for piece in bytes.chunks(64 * 1024) {
        reader.feed(piece);
        while let Ok(Some(_)) = reader.next_frame() {}
    }
}

fn read_frame(bytes: &[u8]) {
    for code in 0..16 {
        let _ = decode_frame(code, bytes);
    }
}

fn read_documents(bytes: &[u8]) {
    let _ = from_cbor::<EnrolRequest>("enrolment", bytes);
    let _ = from_cbor::<EnrolAnswer>("answer", bytes);
    let _ = from_cbor::<Grant>("grant", bytes);
    let _ = from_cbor::<SignedGrant>("grant", bytes).map(|signed| signed.grant());
    for count in [1, 1_000] {
        let _ = packed::page::unpacked(bytes, count, &packed::Nothing);
    }
    let _ = packed::unpack(bytes, &packed::Nothing);
}

/// A request whose `field`-th field is a list of `count` times `item`; fields before it are honest.
fn request(field: usize, item: &[u8], bytes_max: usize) -> Vec<u8> {
    let honest: [&[u8]; 6] = [&[0x82, 2, 2], &[1], &[1], &[0x80], &[0x80], &[0x80]];
    let mut plain = vec![0x80 | 6];
    plain.extend(honest[..field].concat());
    // A list without a length in front, so that it is as long as there is room.
    plain.push(0x9f);
    plain.extend(item.repeat((bytes_max - plain.len() - 8) / item.len()));
    plain.push(0xff);
    plain.extend(honest[field + 1..].concat());
    plain
}

/// A list of `item` over and over, behind `head`.
fn list(head: &[u8], item: &[u8], bytes_max: usize) -> Vec<u8> {
    let mut bytes = head.to_vec();
    bytes.push(0x9f);
    bytes.extend(item.repeat((bytes_max - bytes.len() - 1) / item.len()));
    bytes.push(0xff);
    bytes
}

/// Zeroes as one stream of zstd, made as this protocol makes it.
fn zeroes(bytes: usize) -> Vec<u8> {
    codec::pack(&vec![0; bytes])[1..].to_vec()
}

pub(crate) fn inputs() -> Vec<Hostile> {
    [requests(), answers(), claims(), segments(), peers(), documents()].into_iter().flatten().collect()
}

/// Bodies of requests.
fn requests() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    let signature = [&[0x58, 0x40][..], &[7; 64]].concat();
    let push = [&[0x85, 0x50][..], &[7; 16], &[1, 1], &signature, &[0x41, 0]].concat();
    // One push as long as a whole request.
    let length: u32 = 7 << 20;
    let head = [&[0x85, 0x50][..], &[7; 16], &[1, 1], &signature, &[0x5a], &length.to_be_bytes()].concat();
    let full_push = [head, vec![1; length as usize]].concat();
    let deposit = [&[0x82, 0x50][..], &[7; 16], &[0x60]].concat();
    for (what, field, item) in [
        ("cursors", 3, &[0_u8][..]),
        ("pushes", 4, &push),
        ("deposits", 5, &deposit),
        ("a push", 4, &full_push),
        ("lists in lists", 4, &[0x81]),
    ] {
        let plain = request(field, item, BODY_BYTES_MAX - 1);
        let input = [&[0], plain.as_slice()].concat();
        inputs.push(Hostile::new(format!("request: 8 MiB of {what}"), input, |bytes| drop(decode_request(bytes))));
        let packed = codec::pack(&request(field, item, REQUEST_BYTES_MAX - 64));
        let name = format!("request: 16 MiB of {what}, packed");
        inputs.push(Hostile::new(name, packed, |bytes| drop(decode_request(bytes))));
    }
    for size in [REQUEST_BYTES_MAX - 1, REQUEST_BYTES_MAX + 1, 1 << 26] {
        let input = [&[1], zeroes(size).as_slice()].concat();
        let name = format!("request: {} MiB of zeroes, packed", size.div_ceil(1 << 20));
        inputs.push(Hostile::new(name, input, |bytes| drop(decode_request(bytes))));
    }
    inputs
}

/// Answers and their frames.
fn answers() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    // A frame header that asks for a window of 2 GiB (RFC 8878, 3.1.1.1.2).
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 1, 0, 0];
    inputs.push(Hostile::new("request: a window of 2 GiB", [&[1], &window[..]].concat(), |bytes| {
        drop(decode_request(bytes));
    }));
    inputs.push(Hostile::new("answer: a window of 2 GiB", [&[0], &window[..]].concat(), read_stream));
    for size in [PLAIN_BYTES_MAX + 1, 1 << 26] {
        let name = format!("answer: {} MiB of zeroes, packed", size.div_ceil(1 << 20));
        inputs.push(Hostile::new(name, [&[0], zeroes(size).as_slice()].concat(), read_stream));
    }
    inputs.push(Hostile::new("answer: 4 MiB of empty frames", [200, 0].repeat(2 << 20), read_stream));
    let long = [&[4, 0xff, 0xff, 0xff, 0x01][..], &[0; 5 << 20]].concat();
    inputs.push(Hostile::new("answer: a frame that is too long", long, read_stream));
    let exception = [0x82, 0, 0x82, 0, 0x80];
    let ack = [&[0x82, 0x50][..], &[7; 16], &[0xf6]].concat();
    for (what, head, item) in [
        ("acknowledged exceptions", &[0x82, 0][..], &exception[..]),
        ("acknowledged deposits", &[], &ack),
        ("heads", &[0x83], &[0]),
        ("entries", &[0x84, 0, 0], &[0x82, 1, 0x40]),
        ("lists in lists", &[], &[0x81]),
    ] {
        let body = list(head, item, FRAME_BYTES_MAX);
        inputs.push(Hostile::new(format!("frame: 4 MiB of {what}"), body, read_frame));
    }
    inputs
}

/// Lengths that nothing follows.
fn claims() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    for (what, head) in [("lists", 0x9b), ("bytes", 0x5b), ("text", 0x7b), ("maps", 0xbb_u8)] {
        let claim = [&[head][..], &(1_u64 << 62).to_be_bytes()].concat();
        for front in [&[][..], &[0x82], &[0x84, 0, 0], &[0x86, 0x82, 2, 2, 1, 1]] {
            let body = [front, &claim].concat();
            let name = format!("{what} of 2^62 behind {} bytes", front.len());
            inputs.push(Hostile::new(name, body, |bytes| {
                read_frame(bytes);
                read_documents(bytes);
                let _ = decode_request(&[&[0], bytes].concat());
            }));
        }
    }
    inputs
}

/// Segments of packs, and sketches.
fn segments() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    let expand = |bytes: &[u8]| drop(foras_wire::pack::expand(bytes));
    for size in [SEGMENT_PLAIN_BYTES_MAX, 1 << 26] {
        let name = format!("segment: {} MiB of zeroes", size >> 20);
        inputs.push(Hostile::new(name, zstd::bulk::compress(&vec![0; size], 19).unwrap(), expand));
    }
    // The largest window that zstd takes unless it is told otherwise: 128 MiB.
    let window = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88][..], &[0x02, 0x00, 0x10, 0x07].repeat(300_000)].concat();
    inputs.push(Hostile::new("segment: a window of 128 MiB", window, expand));
    let items: Vec<Item> =
        (0..SYMBOLS_MAX as u128 / 2).map(|number| Item((number << 64 | number).to_be_bytes())).collect();
    let sketch = coded::to_bytes(&coded::symbols(&[7; 8], &items, SYMBOLS_MAX), 1);
    inputs.push(Hostile::new("sketch: as many symbols as there may be", sketch, |bytes| {
        let sent = coded::from_bytes(bytes, 1).unwrap();
        drop(coded::difference(&sent, &coded::symbols(&[7; 8], &[], sent.len())));
    }));
    inputs
}

/// What another phone may say.
fn peers() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    for trusted in [false, true] {
        for (what, byte) in [("zeroes", 0_u8), ("lists", 0x9f), ("ones", 0xff)] {
            let name = format!("peer: 8 MiB of {what}, {}", if trusted { "trusted" } else { "a stranger" });
            let packed = codec::pack(&vec![byte; 8 << 20]);
            let length = u32::try_from(packed.len()).unwrap().to_be_bytes();
            let frames = (0..12_u8).flat_map(|code| [&[code][..], &length, &packed].concat()).collect();
            inputs.push(Hostile::new(name, frames, move |bytes| {
                let mut reader = PeerReader::default();
                if trusted {
                    reader.trust();
                }
                reader.feed(bytes);
                while let Ok(Some(_)) = reader.next_frame() {}
            }));
        }
    }
    inputs
}

/// Nested documents and grants.
fn documents() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    for nested in [0x81, 0x9f, 0xc1, 0xa1_u8] {
        inputs.push(Hostile::new(format!("4 MiB nested in {nested:#x}"), vec![nested; 4 << 20], |bytes| {
            read_frame(bytes);
            read_documents(bytes);
        }));
    }
    let audience = [&[0x66][..], b"public"].concat();
    for item in [&audience[..], &[0x60]] {
        let grant = [&[0x8c, 0x50][..], &[7; 16], &[0x50], &[7; 16], &[0x58, 0x20], &[7; 32], &[1, 0x60]].concat();
        inputs.push(Hostile::new("grant: 4 MiB of places", list(&grant, item, 4 << 20), read_documents));
        let grant = [&grant[..], &[0x80]].concat();
        inputs.push(Hostile::new("grant: 4 MiB of audiences", list(&grant, item, 4 << 20), read_documents));
    }
    inputs
}
