//! Compression of bodies: one flag byte, then plain bytes or one zstd frame, with limits before work.

use crate::error::WireError;
use crate::limits::{BODY_BYTES_MAX, PLAIN_BYTES_MAX};

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// Bodies shorter than this, in bytes, are not worth compressing.
const WORTH_COMPRESSING_BYTES: usize = 96;
const LEVEL: i32 = 6;

/// `plain` as it travels.
#[must_use]
pub fn pack(plain: &[u8]) -> Vec<u8> {
    if plain.len() >= WORTH_COMPRESSING_BYTES
        && let Ok(packed) = zstd::bulk::compress(plain, LEVEL)
        && packed.len() < plain.len()
    {
        return [&[ZSTD], packed.as_slice()].concat();
    }
    [&[PLAIN], plain].concat()
}

/// What [`pack`] was given.
///
/// # Errors
/// [`WireError`] when `body` is longer than [`BODY_BYTES_MAX`], would exceed [`PLAIN_BYTES_MAX`], or is malformed.
pub fn unpack(body: &[u8]) -> Result<Vec<u8>, WireError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(WireError::TooLarge { what: "body", limit: BODY_BYTES_MAX });
    }
    match body.split_first() {
        Some((&PLAIN, plain)) => Ok(plain.to_vec()),
        Some((&ZSTD, packed)) => {
            // Grows as it decodes: a frame's claim about its own size is not trusted.
            let decoder = zstd::stream::read::Decoder::new(packed).map_err(|_| WireError::Malformed("body"))?;
            let mut plain = Vec::new();
            std::io::Read::read_to_end(&mut std::io::Read::take(decoder, PLAIN_BYTES_MAX as u64 + 1), &mut plain)
                .map_err(|_| WireError::Malformed("body"))?;
            if plain.len() > PLAIN_BYTES_MAX {
                return Err(WireError::TooLarge { what: "body, unpacked,", limit: PLAIN_BYTES_MAX });
            }
            Ok(plain)
        }
        _ => Err(WireError::Malformed("body")),
    }
}
