//! Records that came in a pack and were not tried yet: they lie in their segment, compressed as it came, until they are tried
//! (`verify.rs`); then their changes are rows like others.

use std::collections::BTreeMap;
use std::sync::Arc;

use foras_record::change::{self, ParsedChange};
use foras_record::kind::Kind;
use foras_record::pack::{Maker, Segment, SegmentRecord};
use foras_record::packed::HeldChange;
use foras_wire::audience::AudienceName;
use foras_wire::id::PublicKey;
use foras_wire::pack;
use foras_wire::reconcile::Sum;
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, OptionalExtension, Params, params};

use super::fold;
use super::rows::{self, RecordRow};
use super::verify::{Tried, tried};
use crate::error::Error;

pub(super) const DAMAGED: Error = Error::Corrupt { set_aside: None };

/// The row of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SegmentRow(pub(super) i64);

/// Segments that stay read: the records of one case lie in one for each of their audiences. One takes some megabytes.
const OPENED_MAX: usize = 4;

/// The segments that were read last: neighbours are opened one after the other.
#[derive(Default)]
pub(super) struct LastOpened {
    /// The one that was used last stands last.
    last: Vec<(SegmentRow, Arc<Opened>)>,
    /// Where trying one record after the other goes on.
    next: Option<(SegmentRow, usize)>,
}

/// A segment that was read.
pub(super) struct Opened {
    maker: Maker,
    segment: Segment,
    places: BTreeMap<RecordKey, usize>,
}

/// A segment that came.
pub(super) struct Came<'a> {
    pub(super) maker: &'a Maker,
    pub(super) audience: &'a AudienceName,
    /// Records that lie in it alone.
    pub(super) records: u32,
    /// The sum of their changes.
    pub(super) sum: Sum,
    /// How many of them have no row.
    pub(super) folded: u32,
    /// The first bytes of their ids, and of their cases'.
    pub(super) names: &'a [u8],
    pub(super) blob: &'a [u8],
    /// When it came, device's clock.
    pub(super) came_ms: i64,
}

/// Keeps a segment.
pub(super) fn insert(connection: &Connection, came: &Came<'_>) -> Result<SegmentRow, Error> {
    let sql = "INSERT INTO segment (server, epoch, audience, records, sum, folded, names, came_ms) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        came.maker.key.as_bytes(),
        came.maker.epoch.cast_signed(),
        came.audience.as_str(),
        came.records,
        came.sum.to_bytes(),
        came.folded,
        came.names,
        came.came_ms,
    ])?;
    let row = SegmentRow(connection.last_insert_rowid());
    let sql = "INSERT INTO segment_blob (segment, blob) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![row.0, came.blob])?;
    Ok(row)
}

/// A segment that is folded.
pub(super) struct Folded {
    pub(super) maker: Maker,
    pub(super) audience: String,
    pub(super) came_ms: i64,
    /// Its content, not yet read.
    pub(super) plain: Vec<u8>,
}

/// The segment, if it is folded.
pub(super) fn folded(connection: &Connection, row: SegmentRow) -> Result<Option<Folded>, Error> {
    let sql = "SELECT audience, came_ms FROM segment WHERE row = ?1 AND folded > 0";
    let found = connection.prepare_cached(sql)?.query_row([row.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((audience, came_ms)) = found else { return Ok(None) };
    let (maker, plain) = expanded(connection, row)?;
    Ok(Some(Folded { maker, audience, came_ms, plain }))
}

/// The first segment that a query finds.
pub(super) fn first(connection: &Connection, sql: &str, words: impl Params) -> Result<Option<SegmentRow>, Error> {
    Ok(connection.prepare_cached(sql)?.query_row(words, |row| row.get(0).map(SegmentRow)).optional()?)
}

/// Whether any segment is folded.
pub(super) fn is_any_folded(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.prepare_cached("SELECT 1 FROM segment WHERE folded > 0")?.exists([])?)
}

/// What lies in segments by this audience, as their seals say.
pub(super) fn sum_of_audience(connection: &Connection, audience: &str) -> Result<Sum, Error> {
    let mut statement = connection.prepare_cached("SELECT sum FROM segment WHERE audience = ?1")?;
    let mut all = Sum::default();
    for sum in statement.query_map([audience], |row| rows::array(row, 0))? {
        all = all.plus(Sum::from_bytes(sum?));
    }
    Ok(all)
}

/// How many records lie in the segment alone; at 0 it goes.
pub(super) fn set_records(connection: &Connection, row: SegmentRow, records: u32) -> Result<(), Error> {
    if records == 0 {
        connection.prepare_cached("DELETE FROM segment WHERE row = ?1")?.execute([row.0])?;
    } else {
        let sql = "UPDATE segment SET records = ?2 WHERE row = ?1";
        connection.prepare_cached(sql)?.execute(params![row.0, records])?;
    }
    Ok(())
}

/// The segment in which the record lies alone, if it does.
pub(super) fn of_record(connection: &Connection, row: RecordRow) -> Result<Option<SegmentRow>, Error> {
    let mut statement = connection.prepare_cached("SELECT segment FROM record WHERE row = ?1 AND received > 0")?;
    Ok(statement.query_row([row.0], |row| row.get(0).map(SegmentRow)).optional()?)
}

/// The segment whose blob still holds the record's bytes, tried or not.
pub(super) fn with_bytes_of(connection: &Connection, row: RecordRow) -> Result<Option<SegmentRow>, Error> {
    let sql = "SELECT segment.row FROM record JOIN segment ON segment.row = record.segment WHERE record.row = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([row.0], |row| row.get(0).map(SegmentRow)).optional()?)
}

/// Who made the segment, and its content, not yet read.
fn expanded(connection: &Connection, row: SegmentRow) -> Result<(Maker, Vec<u8>), Error> {
    let sql = "SELECT server, epoch, blob FROM segment JOIN segment_blob ON segment = row WHERE row = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let maker = Maker { key: PublicKey(rows::array(row, 0)?), epoch: row.get::<_, i64>(1)?.cast_unsigned() };
        Ok((maker, row.get::<_, Vec<u8>>(2)?))
    };
    let (maker, blob) = connection.prepare_cached(sql)?.query_row([row.0], read).optional()?.ok_or(DAMAGED)?;
    Ok((maker, pack::expand(&blob).map_err(|_| DAMAGED)?))
}

fn read(connection: &Connection, row: SegmentRow) -> Result<(Maker, Segment), Error> {
    let (maker, plain) = expanded(connection, row)?;
    let segment = Segment::decode(&plain, &maker).map_err(|_| DAMAGED)?;
    Ok((maker, segment))
}

/// The changes that lie in a segment, as others name them, by record.
pub(super) fn named(connection: &Connection, row: SegmentRow) -> Result<BTreeMap<RecordKey, Vec<HeldChange>>, Error> {
    let named = |record: &SegmentRecord| {
        let parsed = record.changes.iter().filter_map(|one| change::parse(&one.chunk).ok());
        let held = |change: ParsedChange| HeldChange {
            actor: change.actor,
            seq: change.seq,
            hash: change.hash,
            max_op: change.max_op(),
        };
        (record.record.key, parsed.map(held).collect())
    };
    Ok(read(connection, row)?.1.records.iter().map(named).collect())
}

impl LastOpened {
    fn open(&mut self, connection: &Connection, row: SegmentRow) -> Result<Arc<Opened>, Error> {
        if let Some(at) = self.last.iter().position(|(known, _)| *known == row) {
            let found = self.last.remove(at);
            let opened = Arc::clone(&found.1);
            self.last.push(found);
            return Ok(opened);
        }
        if self.last.len() >= OPENED_MAX {
            // Before the next one is read: it takes memory too.
            self.last.remove(0);
        }
        let (maker, segment) = read(connection, row)?;
        let places = segment.records.iter().enumerate().map(|(at, one)| (one.record.key, at)).collect();
        let opened = Arc::new(Opened { maker, segment, places });
        self.last.push((row, Arc::clone(&opened)));
        Ok(opened)
    }

    /// At most `most` records that lie in this segment alone, from where the last call of this stopped.
    pub(super) fn next_received(
        &mut self,
        connection: &Connection,
        row: SegmentRow,
        most: usize,
    ) -> Result<Vec<(Kind, RecordRef)>, Error> {
        let opened = self.open(connection, row)?;
        let sql = "SELECT 1 FROM record WHERE kind = ?1 AND id = ?2 AND segment = ?3 AND received > 0";
        let mut statement = connection.prepare_cached(sql)?;
        let (mut found, records) = (Vec::new(), &opened.segment.records);
        let mut next = self.next.filter(|(known, _)| *known == row).map_or(0, |(_, next)| next);
        // Once round: what lies before where it stopped may have been another's turn.
        for _ in 0..records.len() {
            if found.len() >= most {
                break;
            }
            let at = next % records.len();
            next = at + 1;
            let Some(record) = records.get(at).map(|one| one.record) else { continue };
            let words = params![record.key.kind.0, record.key.id.as_bytes(), row.0];
            if let Some(kind) = Kind::of_code(record.key.kind)
                && statement.exists(words)?
            {
                found.push((kind, record));
            }
        }
        self.next = Some((row, next));
        Ok(found)
    }

    /// The segment is another now, or gone.
    pub(super) fn forget(&mut self, row: SegmentRow) {
        self.last.retain(|(known, _)| *known != row);
        self.next = self.next.filter(|(known, _)| *known != row);
    }

    /// Tries a record that lies in this segment. Nothing is written.
    pub(super) fn try_record(
        &mut self,
        connection: &Connection,
        kind: Kind,
        row: SegmentRow,
        record: &RecordRef,
    ) -> Result<Tried, Error> {
        let opened = self.open(connection, row)?;
        Ok(tried(kind, opened.record(&record.key).filter(|found| found.record == *record).ok_or(DAMAGED)?))
    }

    /// A record as it lies in this segment.
    pub(super) fn record(
        &mut self,
        connection: &Connection,
        row: SegmentRow,
        key: &RecordKey,
    ) -> Result<SegmentRecord, Error> {
        self.open(connection, row)?.record(key).cloned().ok_or(DAMAGED)
    }

    /// The sum of a record's changes, as it is part of its segment's.
    pub(super) fn sum(&mut self, connection: &Connection, row: SegmentRow, key: &RecordKey) -> Result<Sum, Error> {
        Ok(Sum(self.open(connection, row)?.record(key).ok_or(DAMAGED)?.sum().0))
    }
}

impl Opened {
    fn record(&self, key: &RecordKey) -> Option<&SegmentRecord> {
        self.places.get(key).and_then(|at| self.segment.records.get(*at))
    }
}

/// Takes what was dropped, or tried since, out of a segment's blob: no byte of it stays.
pub(super) fn rewrite(connection: &Connection, last: &mut LastOpened, row: SegmentRow) -> Result<(), Error> {
    if !connection.prepare_cached("SELECT 1 FROM segment WHERE row = ?1")?.exists([row.0])? {
        last.forget(row);
        return Ok(());
    }
    // What has no row would be taken for what was dropped.
    fold::unfold(connection, row)?;
    let opened = last.open(connection, row)?;
    last.forget(row);
    let sql = "SELECT 1 FROM record WHERE kind = ?1 AND id = ?2 AND segment = ?3 AND received > 0";
    let mut statement = connection.prepare_cached(sql)?;
    let mut kept = Segment { records: Vec::new(), authors: opened.segment.authors.clone() };
    for record in &opened.segment.records {
        let key = record.record.key;
        if statement.exists(params![key.kind.0, key.id.as_bytes(), row.0])? {
            kept.records.push(record.clone());
        }
    }
    if !kept.records.is_empty() {
        let blob = pack::compress_fast(&kept.encode(&opened.maker)).map_err(|_| DAMAGED)?;
        connection
            .prepare_cached("UPDATE segment_blob SET blob = ?2 WHERE segment = ?1")?
            .execute(params![row.0, blob])?;
    }
    set_records(connection, row, u32::try_from(kept.records.len()).unwrap_or(u32::MAX))
}
