//! Packs: what a new phone gets instead of a long log. A pack is everything that an audience holds up to one position, cut
//! into segments; each segment is one compressed blob under the server's signature, sent in pieces and resumed by offset.

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::audience::AudienceName;
use crate::error::WireError;
use crate::id::{ChangeHash, Digest32, PackId, ServerId, Signature64};
use crate::limits::{PIECE_BYTES, SEGMENT_BYTES_MAX, SEGMENT_PLAIN_BYTES_MAX};
use crate::push;
use crate::record::RecordRef;

/// How much of a pack a device holds. A device that names none begins at the start.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PackProgress {
    /// Which audience: its index in the grant that the request names.
    #[n(0)]
    pub audience: u16,
    /// The pack.
    #[n(1)]
    pub pack: PackId,
    /// The segment that is not whole yet, from 0; those before it are.
    #[n(2)]
    pub segment: u32,
    /// Bytes of that segment's blob that the device holds.
    #[n(3)]
    pub offset: u32,
}

/// Consecutive bytes of a segment's blob.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Piece {
    /// Which audience: its index in the grant named by `grant_revision` of the answer.
    #[n(0)]
    pub audience: u16,
    /// The pack.
    #[n(1)]
    pub pack: PackId,
    /// The segment, from 0.
    #[n(2)]
    pub segment: u32,
    /// Where in the segment's blob the bytes stand.
    #[n(3)]
    pub offset: u32,
    /// The bytes, at most [`PIECE_BYTES`].
    #[cbor(n(4), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// What the pack and this segment are; with the first piece of each segment.
    #[n(5)]
    pub seal: Option<Seal>,
    /// Bytes of the whole pack, for progress; 0 while the server still makes it.
    #[n(6)]
    pub pack_bytes: u64,
}

/// What a segment is, under the server's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Seal {
    /// The position of the log up to which the pack holds everything.
    #[n(0)]
    pub to: u64,
    /// Segments of the pack; at least 1.
    #[n(1)]
    pub segments: u32,
    /// Records of the whole pack.
    #[n(2)]
    pub pack_records: u32,
    /// Bytes of this segment's blob; 1 to [`SEGMENT_BYTES_MAX`].
    #[n(3)]
    pub bytes: u32,
    /// Records of this segment.
    #[n(4)]
    pub records: u32,
    /// Changes of this segment.
    #[n(5)]
    pub changes: u32,
    /// The sum of [`fingerprint`] over the segment's changes.
    #[n(6)]
    pub sum: Fingerprint,
    /// SHA-256 of the blob.
    #[n(7)]
    pub blob: Digest32,
    /// The server's signature of [`Seal::signed_bytes`].
    #[n(8)]
    pub signature: Signature64,
}

/// An additive fingerprint of changes: sums modulo 2^128 do not depend on the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// Adds one.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl<C> Encode<C> for Fingerprint {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0.to_be_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Fingerprint {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        let bytes = d.bytes()?.try_into();
        let bytes = bytes.map_err(|_| minicbor::decode::Error::message("a fingerprint of another length").at(at))?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }
}

/// The fingerprint of one change of a record: the first 16 bytes of its leaf.
#[must_use]
pub fn fingerprint(record: &RecordRef, hash: &ChangeHash) -> Fingerprint {
    let leaf = push::leaf(record, hash);
    Fingerprint(leaf.0.first_chunk().map_or(0, |head| u128::from_be_bytes(*head)))
}

/// The SHA-256 of a segment's blob.
#[must_use]
pub fn blob_digest(blob: &[u8]) -> Digest32 {
    Digest32(Sha256::digest(blob).into())
}

impl Piece {
    /// Checks what can be checked of a piece by itself.
    ///
    /// # Errors
    /// [`WireError`] when it is empty, too long, lies beyond its segment, or lacks a seal where one belongs.
    pub fn check(&self) -> Result<(), WireError> {
        const BAD: WireError = WireError::Malformed("piece of a pack");
        let end = u64::from(self.offset) + self.bytes.len() as u64;
        if self.bytes.len() > PIECE_BYTES {
            return Err(WireError::TooLarge { what: "piece of a pack", limit: PIECE_BYTES });
        }
        if self.bytes.is_empty() || end > SEGMENT_BYTES_MAX as u64 || self.seal.is_some() != (self.offset == 0) {
            return Err(BAD);
        }
        let Some(seal) = &self.seal else { return Ok(()) };
        let fits = self.segment < seal.segments && end <= u64::from(seal.bytes);
        let counts = seal.records <= seal.pack_records && u64::from(seal.bytes) <= SEGMENT_BYTES_MAX as u64;
        if fits && counts { Ok(()) } else { Err(BAD) }
    }
}

impl Seal {
    /// What the server signs: a label, itself, its epoch, the pack, all of the seal and the audience's name.
    #[must_use]
    pub fn signed_bytes(
        &self,
        server: &ServerId,
        epoch: u64,
        audience: &AudienceName,
        pack: &PackId,
        segment: u32,
    ) -> Vec<u8> {
        let mut bytes = b"foras segment 1".to_vec();
        bytes.extend_from_slice(server.as_bytes());
        bytes.extend_from_slice(&epoch.to_be_bytes());
        bytes.extend_from_slice(pack.as_bytes());
        bytes.extend_from_slice(&self.to.to_be_bytes());
        for number in [segment, self.segments, self.pack_records, self.bytes, self.records, self.changes] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.sum.0.to_be_bytes());
        bytes.extend_from_slice(self.blob.as_bytes());
        bytes.extend_from_slice(audience.as_str().as_bytes());
        bytes
    }
}

/// Highest level of zstd: a pack is made once and sent often.
const BEST_LEVEL: i32 = 19;
/// A fast level, for a device that takes a dropped record out of a segment.
const FAST_LEVEL: i32 = 3;

/// A segment's content as the server sends it: compressed as well as it goes.
///
/// # Errors
/// [`WireError::TooLarge`] when the blob would be longer than [`SEGMENT_BYTES_MAX`].
pub fn compress(plain: &[u8]) -> Result<Vec<u8>, WireError> {
    sealed(plain, BEST_LEVEL)
}

/// A segment's content as a device writes it anew: compressed quickly.
///
/// # Errors
/// As [`compress`].
pub fn compress_fast(plain: &[u8]) -> Result<Vec<u8>, WireError> {
    sealed(plain, FAST_LEVEL)
}

fn sealed(plain: &[u8], level: i32) -> Result<Vec<u8>, WireError> {
    let blob = zstd::bulk::compress(plain, level).map_err(|_| WireError::Malformed("segment"))?;
    if blob.len() > SEGMENT_BYTES_MAX || plain.len() > SEGMENT_PLAIN_BYTES_MAX {
        return Err(WireError::TooLarge { what: "segment", limit: SEGMENT_BYTES_MAX });
    }
    Ok(blob)
}

/// What [`compress`] was given.
///
/// # Errors
/// [`WireError`] when the blob is over a limit, before or after it is unpacked, or no blob.
pub fn expand(blob: &[u8]) -> Result<Vec<u8>, WireError> {
    if blob.len() > SEGMENT_BYTES_MAX {
        return Err(WireError::TooLarge { what: "segment", limit: SEGMENT_BYTES_MAX });
    }
    let decoder = zstd::stream::read::Decoder::new(blob).map_err(|_| WireError::Malformed("segment"))?;
    let mut plain = Vec::new();
    // Grows as it decodes: the blob's claim about its own size is not trusted.
    std::io::Read::read_to_end(&mut std::io::Read::take(decoder, SEGMENT_PLAIN_BYTES_MAX as u64 + 1), &mut plain)
        .map_err(|_| WireError::Malformed("segment"))?;
    if plain.len() > SEGMENT_PLAIN_BYTES_MAX {
        return Err(WireError::TooLarge { what: "segment, unpacked,", limit: SEGMENT_PLAIN_BYTES_MAX });
    }
    Ok(plain)
}
