//! The frame around a change: magic, checksum, type, length, body.

use foras_wire::limits::CHANGE_BYTES_MAX;
use sha2::{Digest, Sha256};

use super::reader::Reader;
use super::{ChangeError, ChangeHash};

/// The first bytes of every automerge chunk (automerge's storage format, "Chunk container").
pub(super) const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The type byte of a plain change.
pub(super) const CHANGE: u8 = 1;

/// A chunk whose frame is in order: its hash, and the body not yet looked into.
pub(super) struct Chunk<'a> {
    pub(super) hash: ChangeHash,
    pub(super) body: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// Reads exactly one plain change chunk and checks its length and checksum.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, ChangeError> {
        if bytes.len() > CHANGE_BYTES_MAX {
            return Err(ChangeError::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        if reader.array()? != MAGIC {
            return Err(ChangeError::BadMagic);
        }
        let checksum: [u8; 4] = reader.array()?;
        let hashed = reader.rest();
        if reader.byte()? != CHANGE {
            return Err(ChangeError::NotAChangeChunk);
        }
        let body = reader.length_prefixed()?;
        if !reader.is_empty() {
            return Err(ChangeError::TrailingBytes);
        }
        // The length is in its shortest form, so hashing the bytes as they are is hashing type, length and body.
        let hash: [u8; 32] = Sha256::digest(hashed).into();
        if !hash.starts_with(&checksum) {
            return Err(ChangeError::BadChecksum);
        }
        Ok(Self { hash: ChangeHash(hash), body })
    }
}
