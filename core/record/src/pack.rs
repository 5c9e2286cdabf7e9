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

use crate::change;
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
    /// When the server received the last of its changes, in milliseconds since 1970, server's clock.
    pub received_ms: i64,
    /// The last position at which the points' side wrote it; 0: never, or no mission has it: whichever will, gets all of it.
    pub moved: u64,
    /// The newest notice that a mission has it.
    pub seen: Option<SeenEntry>,
    /// Its changes, dependencies first.
    pub changes: Vec<SegmentChange>,
}

/// A change of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentChange {
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
    /// The moments at which something was received, each once, ascending, each as how long after the one before.
    #[cbor(n(2), with = "minicbor::bytes")]
    moments: Vec<u8>,
    /// Of each record: how far on among the moments its own stands from that of the record before.
    #[cbor(n(3), with = "minicbor::bytes")]
    received: Vec<u8>,
    /// Of each record that moved: how many records on from the one before, and how far from where that moved.
    #[cbor(n(4), with = "minicbor::bytes")]
    moved: Vec<u8>,
    /// Of each record that a mission has: how many records on from the one before, the country, how far from where the record
    /// moved, and how long after the notice before.
    #[cbor(n(5), with = "minicbor::bytes")]
    seen: Vec<u8>,
    /// The changes, packed. Those of one case stand in the order of their authors' time; records are numbered as they begin.
    #[cbor(n(6), with = "minicbor::bytes")]
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
        let item = |(record, change): (&SegmentRecord, &SegmentChange)| Item {
            hash: change.hash,
            ..Item::new(record.record, change.chunk.clone())
        };
        let items: Vec<Item> = in_time(&self.records).into_iter().map(item).collect();
        let (moments, received) = write_received(&self.records);
        let (moved, seen) = (write_moved(&self.records), write_seen(&self.records));
        to_cbor(&Body { people, actors, moments, received, moved, seen, changes: packed::pack(&items, maker) })
    }

    /// What [`Segment::encode`] was given.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are no segment, or over a limit.
    pub fn decode(bytes: &[u8], maker: &Maker) -> Result<Self, WireError> {
        let body: Body = from_cbor("segment", bytes)?;
        let mut records: Vec<SegmentRecord> = Vec::new();
        let mut places = BTreeMap::new();
        for Item { record, hash, chunk, .. } in packed::unpack(&body.changes, maker).map_err(|_| BAD)? {
            let change = SegmentChange { hash, chunk: chunk.ok_or(BAD)? };
            let place = *places.entry(record.key).or_insert(records.len());
            if place == records.len() && place < SEGMENT_RECORDS_MAX {
                records.push(SegmentRecord { record, received_ms: 0, moved: 0, seen: None, changes: Vec::new() });
            }
            let told = records.get_mut(place).filter(|told| told.record == record).ok_or(BAD)?;
            told.changes.push(change);
        }
        let beside = body.beside(records.len())?;
        for (record, beside) in records.iter_mut().zip(beside) {
            let seen = beside.seen.map(|notice| notice.of(record.record.key, beside.moved)).transpose()?;
            (record.received_ms, record.moved, record.seen) = (beside.received_ms, beside.moved, seen);
        }
        Ok(Self { records, authors: body.authors()? })
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

/// What stands of a record beside its changes.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    pub(crate) received_ms: i64,
    pub(crate) moved: u64,
    pub(crate) seen: Option<Notice>,
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

    /// What stands of each of so many records beside its changes.
    pub(crate) fn beside(&self, records: usize) -> Result<Vec<Beside>, WireError> {
        let (mut moments, mut rest, mut moment) = (Vec::new(), self.moments.as_slice(), 0_i64);
        while !rest.is_empty() {
            moment = moment.wrapping_add(read_signed(&mut rest)?);
            moments.push(moment);
        }
        let (mut all, mut at) = (Vec::with_capacity(records), 0_i64);
        let mut rest = self.received.as_slice();
        for _ in 0..records {
            at = at.wrapping_add(read_signed(&mut rest)?);
            let moment = usize::try_from(at).ok().and_then(|at| moments.get(at));
            all.push(Beside { received_ms: *moment.ok_or(BAD)?, ..Beside::default() });
        }
        if !rest.is_empty() {
            return Err(BAD);
        }
        let (mut rest, mut at, mut moved) = (self.moved.as_slice(), 0_i64, 0_i64);
        while !rest.is_empty() {
            at = at.wrapping_add(read_signed(&mut rest)?);
            moved = moved.wrapping_add(read_signed(&mut rest)?);
            numbered(&mut all, at)?.moved = u64::try_from(moved).map_err(|_| BAD)?;
        }
        for (at, notice) in notices(&self.seen)? {
            numbered(&mut all, at)?.seen = Some(notice);
        }
        Ok(all)
    }
}

fn numbered(all: &mut [Beside], at: i64) -> Result<&mut Beside, WireError> {
    usize::try_from(at).ok().and_then(|at| all.get_mut(at)).ok_or(BAD)
}

impl SegmentRecord {
    /// The sum of the fingerprints of the record's changes.
    #[must_use]
    pub fn sum(&self) -> Fingerprint {
        let one = |change: &SegmentChange| fingerprint(&self.record, &change.hash);
        self.changes.iter().fold(Fingerprint::default(), |sum, change| sum.plus(one(change)))
    }
}

/// Every change, those of one case in the order of their authors' time: what was done at once stands together, whichever
/// record it is in. A record begins after those before it, and its own changes keep their order.
fn in_time(records: &[SegmentRecord]) -> Vec<(&SegmentRecord, &SegmentChange)> {
    let mut ordered = Vec::new();
    for of_case in records.chunk_by(|a, b| a.record.case.is_some() && a.record.case == b.record.case) {
        let time_s = |change: &SegmentChange| change::parse(&change.chunk).map_or(i64::MIN, |change| change.time_s);
        let mut rest: Vec<_> = of_case.iter().map(|record| record.changes.iter().peekable()).collect();
        let (mut waiting, mut next, mut may_begin) = (BTreeSet::new(), 0, true);
        loop {
            while may_begin && let Some(changes) = rest.get_mut(next) {
                let first = changes.peek().map(|change| (time_s(change), next));
                may_begin = first.is_none();
                waiting.extend(first);
                next += 1;
            }
            let Some((_, at)) = waiting.pop_first() else { break };
            let (Some(record), Some(changes)) = (of_case.get(at), rest.get_mut(at)) else { break };
            ordered.extend(changes.next().map(|change| (record, change)));
            waiting.extend(changes.peek().map(|change| (time_s(change), at)));
            may_begin |= at + 1 == next;
        }
    }
    ordered
}

fn write_received(records: &[SegmentRecord]) -> (Vec<u8>, Vec<u8>) {
    let moments: BTreeSet<i64> = records.iter().map(|record| record.received_ms).collect();
    let (mut table, mut received, mut before) = (Vec::new(), Vec::new(), 0);
    for moment in &moments {
        write_signed(&mut table, moment.wrapping_sub(before));
        before = *moment;
    }
    let moments: Vec<i64> = moments.into_iter().collect();
    let mut before = 0;
    for record in records {
        let at = moments.binary_search(&record.received_ms).unwrap_or_default() as i64;
        write_signed(&mut received, at - before);
        before = at;
    }
    (table, received)
}

fn write_moved(records: &[SegmentRecord]) -> Vec<u8> {
    let (mut bytes, mut at, mut moved) = (Vec::new(), 0, 0_i64);
    for (number, record) in (0_i64..).zip(records).filter(|(_, record)| record.moved > 0) {
        write_signed(&mut bytes, number - at);
        write_signed(&mut bytes, record.moved.cast_signed().wrapping_sub(moved));
        (at, moved) = (number, record.moved.cast_signed());
    }
    bytes
}

fn write_seen(records: &[SegmentRecord]) -> Vec<u8> {
    let (mut bytes, mut at, mut at_ms) = (Vec::new(), 0, 0_i64);
    for (number, record) in (0_i64..).zip(records) {
        let Some(seen) = &record.seen else { continue };
        write_signed(&mut bytes, number - at);
        write_signed(&mut bytes, i64::try_from(seen.country.len()).unwrap_or(0));
        bytes.extend_from_slice(seen.country.as_bytes());
        write_signed(&mut bytes, seen.through.cast_signed().wrapping_sub(record.moved.cast_signed()));
        write_signed(&mut bytes, seen.at_ms.wrapping_sub(at_ms));
        (at, at_ms) = (number, seen.at_ms);
    }
    bytes
}

/// A notice that a mission has a record.
#[derive(Debug)]
pub(crate) struct Notice {
    country: String,
    /// How far behind the position where the record moved.
    behind: i64,
    at_ms: i64,
}

impl Notice {
    pub(crate) fn of(self, key: RecordKey, moved: u64) -> Result<SeenEntry, WireError> {
        let through = u64::try_from(moved.cast_signed().wrapping_add(self.behind)).map_err(|_| BAD)?;
        Ok(SeenEntry { key, country: self.country, through, at_ms: self.at_ms })
    }
}

/// Notices, each with the number of its record.
fn notices(mut bytes: &[u8]) -> Result<Vec<(i64, Notice)>, WireError> {
    let (mut at, mut at_ms, mut notices) = (0_i64, 0_i64, Vec::new());
    while !bytes.is_empty() {
        at = at.wrapping_add(read_signed(&mut bytes)?);
        let length = usize::try_from(read_signed(&mut bytes)?).map_err(|_| BAD)?;
        let (country, rest) = bytes.split_at_checked(length).ok_or(BAD)?;
        let country = std::str::from_utf8(country).map_err(|_| BAD)?.to_owned();
        bytes = rest;
        let behind = read_signed(&mut bytes)?;
        at_ms = at_ms.wrapping_add(read_signed(&mut bytes)?);
        notices.push((at, Notice { country, behind, at_ms }));
    }
    Ok(notices)
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

fn read_signed(bytes: &mut &[u8]) -> Result<i64, WireError> {
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
