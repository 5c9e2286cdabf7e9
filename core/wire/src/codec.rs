//! Compression of request bodies: one flag byte, then plain bytes or one zstd frame, with limits before work.

use zstd::stream::raw::{InBuffer, Operation, OutBuffer};

use crate::dictionary;
use crate::error::WireError;
use crate::limits::{BODY_BYTES_MAX, REQUEST_BYTES_MAX};

const PLAIN: u8 = 0;
/// One zstd frame, made with the first dictionary.
const ZSTD: u8 = 1;
/// Bodies shorter than this, in bytes, are not worth compressing.
const WORTH_COMPRESSING_BYTES: usize = 64;
/// Bytes that are unpacked at a time.
const STEP_BYTES: usize = 64 * 1024;

/// `plain` as it travels.
#[must_use]
pub fn pack(plain: &[u8]) -> Vec<u8> {
    if plain.len() >= WORTH_COMPRESSING_BYTES
        && let Some(packed) = compress(plain)
        && packed.len() <= plain.len()
    {
        return packed;
    }
    [&[PLAIN], plain].concat()
}

fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = dictionary::encoder().ok()?;
    let mut input = InBuffer::around(plain);
    let mut packed = Vec::with_capacity(zstd::zstd_safe::compress_bound(plain.len()).saturating_add(1));
    packed.push(ZSTD);
    let mut output = OutBuffer::around_pos(&mut packed, 1);
    encoder.run(&mut input, &mut output).ok()?;
    let left = encoder.finish(&mut output, true).ok()?;
    (input.pos() == plain.len() && left == 0).then_some(packed)
}

/// What [`pack`] was given.
///
/// # Errors
/// [`WireError`] when `body` is longer than [`BODY_BYTES_MAX`], would exceed [`REQUEST_BYTES_MAX`], or is malformed.
pub fn unpack(body: &[u8]) -> Result<Vec<u8>, WireError> {
    unpack_within(body, BODY_BYTES_MAX, REQUEST_BYTES_MAX)
}

/// As [`unpack`], with narrower limits: bytes as sent, and bytes after decompression.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_within(body: &[u8], body_bytes_max: usize, plain_bytes_max: usize) -> Result<Vec<u8>, WireError> {
    if body.len() > body_bytes_max {
        return Err(WireError::TooLarge { what: "body", limit: body_bytes_max });
    }
    match body.split_first() {
        Some((&PLAIN, plain)) => Ok(plain.to_vec()),
        Some((&ZSTD, packed)) => decompress(packed, plain_bytes_max),
        _ => Err(WireError::Malformed("body")),
    }
}

/// Grows as it unpacks: a frame's claim about its own size is not trusted.
fn decompress(packed: &[u8], plain_bytes_max: usize) -> Result<Vec<u8>, WireError> {
    let malformed = |_| WireError::Malformed("body");
    let mut decoder = dictionary::decoder().map_err(malformed)?;
    let (mut input, mut plain) = (InBuffer::around(packed), Vec::new());
    loop {
        plain.reserve(STEP_BYTES);
        let (before, filled) = (input.pos(), plain.len());
        let mut output = OutBuffer::around_pos(&mut plain, filled);
        let left = decoder.run(&mut input, &mut output).map_err(malformed)?;
        if plain.len() > plain_bytes_max {
            return Err(WireError::TooLarge { what: "body, unpacked,", limit: plain_bytes_max });
        }
        if left == 0 {
            // One frame, and nothing behind it.
            return if input.pos() == packed.len() { Ok(plain) } else { Err(WireError::Malformed("body")) };
        }
        if input.pos() == before && plain.len() == filled {
            return Err(WireError::Malformed("body"));
        }
    }
}
