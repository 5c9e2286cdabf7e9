//! What a segment of a pack holds: records with all their changes, who wrote them, and where they stand in the log.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::error::WireError;
use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::id::{Actor, ChangeHash, PublicKey};
use foras_wire::limits::SEGMENT_RECORDS_MAX;
use foras_wire::pack::{Fingerprint, fingerprint};
use foras_wire::page::SeenEntry;
use foras_wire::record::{RecordKey, RecordRef};
use minicbor::{Decode, Encode};

use crate::packed::{self, Held, Item};

/// The server that made a segment: its own actors derive from this, and so never travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maker {
    /// The server's key.
    pub key: PublicKey,
    /// Its epoch when it made the segment.
    pub epoch: u64,
}

impl Held for Maker {
    fn server(&self) -> Option<(PublicKey, u64)> {
        Some((self.key, self.epoch))
    }
}

/// Records that arrive together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segment {
    /// The records, each once.
    pub records: Vec<SegmentRecord>,
    /// Who wrote them, as far as the receiver may know; but for the server itself, whose actors derive from [`Maker`].
    pub authors: BTreeMap<Actor, SegmentAuthor>,
}

/// A record with all its changes up to the pack's position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentRecord {
    /// The record.
    pub record: RecordRef,
    /// The position where it first stands in the log.
    pub first: u64,
    /// The last position at which the points' side wrote it; 0: never.
    pub moved: u64,
    /// The newest notice that a mission has it.
    pub seen: Option<SeenEntry>,
    /// Its changes, dependencies first.
    pub changes: Vec<SegmentChange>,
}

/// A change of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentChange {
    /// When the server received it, in milliseconds since 1970, server's clock.
    pub received_ms: i64,
    /// Its hash.
    pub hash: ChangeHash,
    /// Its chunk.
    pub chunk: Vec<u8>,
}

/// Who an actor is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct SegmentAuthor {
    /// What colleagues call the person, where the receiver may know it.
    #[n(0)]
    pub name: Option<String>,
    /// The code of the role.
    #[n(1)]
    pub role: String,
}

/// A segment as it travels within its blob.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Body {
    /// People, each once.
    #[n(0)]
    people: Vec<SegmentAuthor>,
    /// Of each actor, in sorted order: the index of its person.
    #[n(1)]
    actors: Vec<(Actor, u32)>,
    /// Of each record: how far it first stands from where the one before it does, and where it last moved from there.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) places: Vec<u8>,
    /// Of each record that a mission has: how many records on from the one before, the country, how far from where the record
    /// first stands, and how long after the notice before.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub(crate) seen: Vec<u8>,
    /// The changes, packed.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub(crate) changes: Vec<u8>,
}

pub(crate) const BAD: WireError = WireError::Malformed("segment");

impl Segment {
    /// The segment's content, not yet compressed.
    #[must_use]
    pub fn encode(&self, maker: &Maker) -> Vec<u8> {
        let people: Vec<_> = self.authors.values().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let place = |author: &SegmentAuthor| people.binary_search(author).unwrap_or_default();
        let actors = self.authors.iter().map(|(actor, author)| (*actor, u32::try_from(place(author)).unwrap_or(0)));
        let actors = actors.collect();
        let mut places = Vec::new();
        let mut before = 0;
        for record in &self.records {
            write_signed(&mut places, record.first.cast_signed().wrapping_sub(before));
            before = record.first.cast_signed();
            write_signed(&mut places, record.moved.cast_signed().wrapping_sub(before));
        }
        let items = |record: &SegmentRecord| -> Vec<Item> {
            let item = |change: &SegmentChange| Item {
                received_ms: change.received_ms,
                ..Item::new(record.record, change.chunk.clone())
            };
            record.changes.iter().map(item).collect()
        };
        let items: Vec<Item> = self.records.iter().flat_map(items).collect();
        let seen = write_seen(&self.records);
        to_cbor(&Body { people, actors, places, seen, changes: packed::pack(&items, maker) })
    }

    /// What [`Segment::encode`] was given.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are no segment, or over a limit.
    pub fn decode(bytes: &[u8], maker: &Maker) -> Result<Self, WireError> {
        let body: Body = from_cbor("segment", bytes)?;
        let items = packed::unpack(&body.changes, maker).map_err(|_| BAD)?;
        let mut records: Vec<SegmentRecord> = Vec::new();
        let mut keys = BTreeSet::new();
        let (mut rest, mut before) = (body.places.as_slice(), 0_i64);
        for Item { record, received_ms, hash, chunk, .. } in items {
            let change = SegmentChange { received_ms, hash, chunk: chunk.ok_or(BAD)? };
            match records.last_mut().filter(|last| last.record == record) {
                Some(last) => last.changes.push(change),
                None => {
                    before = before.wrapping_add(read_signed(&mut rest)?);
                    let moved = before.wrapping_add(read_signed(&mut rest)?);
                    let (first, moved) = (position(before)?, position(moved)?);
                    if !keys.insert(record.key) || records.len() >= SEGMENT_RECORDS_MAX {
                        return Err(BAD);
                    }
                    records.push(SegmentRecord { record, first, moved, seen: None, changes: vec![change] });
                }
            }
        }
        read_seen(&body.seen, &mut records)?;
        let authors = body.authors()?;
        if rest.is_empty() { Ok(Self { records, authors }) } else { Err(BAD) }
    }

    /// How many changes it holds.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.records.iter().map(|record| record.changes.len()).sum()
    }

    /// The sum of the fingerprints of its changes.
    #[must_use]
    pub fn sum(&self) -> Fingerprint {
        self.records.iter().fold(Fingerprint::default(), |sum, record| sum.plus(record.sum()))
    }
}

impl Body {
    /// Who each actor is.
    pub(crate) fn authors(&self) -> Result<BTreeMap<Actor, SegmentAuthor>, WireError> {
        let person = |(actor, at): &(Actor, u32)| {
            let person = usize::try_from(*at).ok().and_then(|at| self.people.get(at));
            Ok((*actor, person.ok_or(BAD)?.clone()))
        };
        self.actors.iter().map(person).collect()
    }
}

impl SegmentRecord {
    /// The sum of the fingerprints of the record's changes.
    #[must_use]
    pub fn sum(&self) -> Fingerprint {
        let one = |change: &SegmentChange| fingerprint(&self.record, &change.hash);
        self.changes.iter().fold(Fingerprint::default(), |sum, change| sum.plus(one(change)))
    }
}

fn write_seen(records: &[SegmentRecord]) -> Vec<u8> {
    let (mut bytes, mut at, mut at_ms) = (Vec::new(), 0, 0_i64);
    for (number, record) in (0_i64..).zip(records) {
        let Some(seen) = &record.seen else { continue };
        write_signed(&mut bytes, number - at);
        write_signed(&mut bytes, i64::try_from(seen.country.len()).unwrap_or(0));
        bytes.extend_from_slice(seen.country.as_bytes());
        write_signed(&mut bytes, seen.through.cast_signed().wrapping_sub(record.first.cast_signed()));
        write_signed(&mut bytes, seen.at_ms.wrapping_sub(at_ms));
        (at, at_ms) = (number, seen.at_ms);
    }
    bytes
}

fn read_seen(bytes: &[u8], records: &mut [SegmentRecord]) -> Result<(), WireError> {
    for notice in notices(bytes)? {
        let record = records.get_mut(notice.at).ok_or(BAD)?;
        record.seen = Some(notice.of(record.record.key, record.first)?);
    }
    Ok(())
}

/// A notice that a mission has a record.
pub(crate) struct Notice {
    /// The number of the record within the segment.
    pub(crate) at: usize,
    country: String,
    /// How far behind the position where the record first stands.
    behind: i64,
    at_ms: i64,
}

impl Notice {
    pub(crate) fn of(self, key: RecordKey, first: u64) -> Result<SeenEntry, WireError> {
        let through = position(first.cast_signed().wrapping_add(self.behind))?;
        Ok(SeenEntry { key, country: self.country, through, at_ms: self.at_ms })
    }
}

pub(crate) fn notices(mut bytes: &[u8]) -> Result<Vec<Notice>, WireError> {
    let (mut at, mut at_ms, mut notices) = (0_i64, 0_i64, Vec::new());
    while !bytes.is_empty() {
        at = at.wrapping_add(read_signed(&mut bytes)?);
        let length = usize::try_from(read_signed(&mut bytes)?).map_err(|_| BAD)?;
        let (country, rest) = bytes.split_at_checked(length).ok_or(BAD)?;
        let country = std::str::from_utf8(country).map_err(|_| BAD)?.to_owned();
        bytes = rest;
        let behind = read_signed(&mut bytes)?;
        at_ms = at_ms.wrapping_add(read_signed(&mut bytes)?);
        notices.push(Notice { at: usize::try_from(at).map_err(|_| BAD)?, country, behind, at_ms });
    }
    Ok(notices)
}

pub(crate) fn position(value: i64) -> Result<u64, WireError> {
    u64::try_from(value).map_err(|_| BAD)
}

/// A signed number as zigzag LEB128.
fn write_signed(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push((rest & 0x7f) as u8);
}

pub(crate) fn read_signed(bytes: &mut &[u8]) -> Result<i64, WireError> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let (byte, rest) = bytes.split_first().ok_or(BAD)?;
        *bytes = rest;
        if shift > 63 {
            return Err(BAD);
        }
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
}
