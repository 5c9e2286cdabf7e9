//! The dictionary is part of the protocol: its bytes, and that it is worth its weight.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use data_encoding::HEXLOWER;
use foras_wire::codec;
use sha2::{Digest, Sha256};

const FIRST: &[u8] = include_bytes!("../dictionary/first.zdict");
/// To be changed only while no build that carries the dictionary was released.
const SHA256: &str = "49e97db5623e30a5a825bcb9876fe3518aebc3ffeadc97625a8f7463a5894fbe";

#[test]
fn the_dictionary_keeps_its_bytes() {
    assert!(FIRST.len() <= 32 * 1024);
    assert_eq!(HEXLOWER.encode(&Sha256::digest(FIRST)), SHA256, "phones in the field carry another dictionary");
}

#[test]
fn a_short_body_of_known_words_is_shorter_with_it() {
    let body = br#"{"point":"oujda","programme":"foras","module":"awareness","satisfied":"yes","language":"fr"}"#;
    let with = codec::pack(body);
    let without = zstd::bulk::compress(body, 19).unwrap();
    assert!(with.len() * 3 < without.len() * 2, "{} bytes with it, {} without", with.len(), without.len());
    assert_eq!(codec::unpack(&with).unwrap(), body);
}
