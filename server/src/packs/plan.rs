//! What a pack will hold, in which order, and where it is cut. The same records make the same plan.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_wire::frame::from_cbor;
use foras_wire::id::{PackId, RecordId};
use foras_wire::page::SeenEntry;
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::PackSizes;
use crate::error::ServerError;
use crate::keys::Keys;
use crate::storage::packs::{PackRow, Shelf};
use crate::storage::{fixed, signed, unsigned};

/// A record whose raw changes are longer than this fits no segment; its audience has no packs.
const RECORD_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Most records of a segment.
const SEGMENT_RECORDS: usize = 32 * 1024;

/// A record of a pack.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) record: RecordRef,
    /// Where it first stands in the log.
    pub(super) first: u64,
    /// Where the points' side last wrote it.
    pub(super) moved: u64,
    /// Its last change up to the pack's position.
    pub(super) through: u64,
    pub(super) seen: Option<SeenEntry>,
    last: u64,
    bytes: u64,
}

/// What a pack will hold.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) id: PackId,
    pub(super) to: u64,
    pub(super) records: Vec<Planned>,
    pub(super) cuts: Vec<Range<usize>>,
}

impl Plan {
    /// The plan of a pack up to position `to` of a log; `None` where none can be made.
    pub(super) fn of(
        db: &Connection,
        keys: &Keys,
        shelf: &Shelf,
        to: u64,
        sizes: PackSizes,
    ) -> Result<Option<Self>, ServerError> {
        let found = found(db, &shelf.audience, to)?;
        if found.is_empty() || found.values().any(|one| one.bytes > RECORD_BYTES_MAX) {
            return Ok(None);
        }
        let records = in_order(found);
        let cuts = cuts(&records, sizes);
        let id = id(keys, shelf, to, &records, &cuts);
        Ok(Some(Self { id, to, records, cuts }))
    }

    pub(super) fn row(&self) -> PackRow {
        PackRow { id: self.id, to: self.to, segments: u32::try_from(self.cuts.len()).unwrap_or(u32::MAX) }
    }
}

/// Every record that the audience holds now, as of position `to`.
fn found(db: &Connection, audience: &str, to: u64) -> Result<BTreeMap<RecordKey, Planned>, ServerError> {
    let mut rows = db.prepare_cached(
        "SELECT audience_log.pos, audience_log.entry, audience_log.id, audience_log.kind, audience_log.ord,
                audience_log.body, record.case_id, record.generation, coalesce(length(change.chunk), 0),
                coalesce(author.role, '')
         FROM audience_log
         JOIN record_audience ON record_audience.id = audience_log.id AND record_audience.kind = audience_log.kind
              AND record_audience.audience = audience_log.audience AND record_audience.left_ms = 0
         JOIN record ON record.id = audience_log.id AND record.kind = audience_log.kind
         LEFT JOIN change ON change.id = audience_log.id AND change.kind = audience_log.kind
              AND change.ord = audience_log.ord
         LEFT JOIN author ON author.actor = change.actor
         WHERE audience_log.audience = ?1 AND audience_log.pos <= ?2 AND audience_log.entry IN (1, 2, 7)
         ORDER BY audience_log.pos",
    )?;
    let mut rows = rows.query(params![audience, signed(to)])?;
    let mut found: BTreeMap<RecordKey, Planned> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let pos = unsigned(row, 0)?;
        let key = RecordKey { id: RecordId(fixed(row, 2)?), kind: KindCode(row.get(3)?) };
        let entry: i64 = row.get(1)?;
        if entry == 7 {
            let seen = from_cbor("seen", row.get_ref(5)?.as_blob().unwrap_or_default());
            if let (Some(one), Ok(seen)) = (found.get_mut(&key), seen) {
                one.seen = Some(seen);
            }
            continue;
        }
        let case = RecordId::from_slice(&row.get::<_, Vec<u8>>(6)?).ok();
        let record = RecordRef { key, case, generation: row.get(7)? };
        let blank = Planned { record, first: pos, moved: 0, through: 0, seen: None, last: pos, bytes: 0 };
        let one = found.entry(key).or_insert(blank);
        (one.last, one.through) = (pos, one.through.max(unsigned(row, 4)?));
        let (bytes, by_points) = match entry {
            2 => whole(db, &key, one.through)?,
            _ => (unsigned(row, 8)?, is_points(&row.get::<_, String>(9)?)),
        };
        one.bytes += bytes;
        if by_points {
            one.moved = pos;
        }
    }
    Ok(found)
}

/// Raw bytes of a record's changes, and whether the points' side wrote any of them.
fn whole(db: &Connection, key: &RecordKey, through: u64) -> Result<(u64, bool), ServerError> {
    let mut rows = db.prepare_cached(
        "SELECT length(change.chunk), coalesce(author.role, '') FROM change
         LEFT JOIN author ON author.actor = change.actor
         WHERE change.id = ?1 AND change.kind = ?2 AND change.ord <= ?3",
    )?;
    let mut rows = rows.query(params![key.id.0, key.kind.0, signed(through)])?;
    let (mut bytes, mut by_points) = (0, false);
    while let Some(row) = rows.next()? {
        bytes += unsigned(row, 0)?;
        by_points |= is_points(&row.get::<_, String>(1)?);
    }
    Ok((bytes, by_points))
}

/// Whether a role is of the points' side: neither the server nor a mission.
fn is_points(role: &str) -> bool {
    ![Role::Server.code(), Role::OriginCounsellor.code()].contains(&role)
}

/// The schedule first; then people, whoever something happened to last first. What is of one case stands together, the
/// case itself at its head.
fn in_order(found: BTreeMap<RecordKey, Planned>) -> Vec<Planned> {
    let mut recency: BTreeMap<RecordId, u64> = BTreeMap::new();
    for one in found.values() {
        if let Some(case) = one.record.case {
            let last = recency.entry(case).or_default();
            *last = one.last.max(*last);
        }
    }
    let mut records: Vec<Planned> = found.into_values().collect();
    records.sort_by_key(|one| {
        let last = one.record.case.and_then(|case| recency.get(&case).copied());
        let key = one.record.key;
        let is_case = key.kind == Kind::Case.code();
        (last.is_some(), Reverse(last), one.record.case, Reverse(is_case), key.kind, one.first, key.id)
    });
    records
}

/// Where the pack is cut: a small first segment, then large ones. A case is not cut apart, unless it is large itself.
fn cuts(records: &[Planned], sizes: PackSizes) -> Vec<Range<usize>> {
    let (mut cuts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (at, one) in records.iter().enumerate() {
        let limit = if cuts.is_empty() { sizes.first_bytes } else { sizes.later_bytes };
        let before = at.checked_sub(1).and_then(|before| records.get(before));
        let apart = one.record.case.is_none() || before.is_none_or(|before| before.record.case != one.record.case);
        let full = bytes >= limit && apart || bytes + one.bytes > RECORD_BYTES_MAX || at - start >= SEGMENT_RECORDS;
        if full && at > start {
            cuts.push(start..at);
            (start, bytes) = (at, 0);
        }
        bytes += one.bytes;
    }
    cuts.push(start..records.len());
    cuts
}

/// A digest over what the pack will hold, and where it is cut.
fn id(keys: &Keys, shelf: &Shelf, to: u64, records: &[Planned], cuts: &[Range<usize>]) -> PackId {
    let mut digest = Sha256::new()
        .chain_update(b"foras pack 1")
        .chain_update(keys.server.as_bytes())
        .chain_update(keys.epoch().to_be_bytes())
        .chain_update([u8::from(shelf.names)])
        .chain_update(to.to_be_bytes())
        .chain_update(shelf.audience.as_bytes());
    for one in records {
        digest.update(one.record.key.kind.0.to_be_bytes());
        digest.update(one.record.key.id.as_bytes());
        digest.update(one.through.to_be_bytes());
    }
    for cut in cuts {
        digest.update((cut.end as u64).to_be_bytes());
    }
    let mut id = [0; 16];
    id.copy_from_slice(&digest.finalize()[..16]);
    PackId(id)
}
