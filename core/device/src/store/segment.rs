//! Records that came in a pack and were not tried yet: they lie in their segment, compressed as it came. They are tried
//! when somebody opens them, when something comes to them, or in the background; then their changes are rows like others.

use std::collections::BTreeMap;
use std::sync::Arc;

use foras_record::admission::{self, History, Verdict};
use foras_record::change::{self, ParsedChange};
use foras_record::kind::Kind;
use foras_record::pack::{Maker, Segment, SegmentRecord};
use foras_record::packed::HeldChange;
use foras_wire::id::PublicKey;
use foras_wire::pack;
use foras_wire::reconcile::Item;
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, OptionalExtension, params};

use super::Store;
use super::rows::{self, RecordRow};
use super::writing::Writing;
use crate::error::Error;

const DAMAGED: Error = Error::Corrupt { set_aside: None };

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

/// A record as its segment holds it, tried.
pub(super) struct Tried {
    /// The record with every change that could be admitted.
    pub(super) history: History,
    /// Those changes, in their order.
    pub(super) admitted: Vec<ParsedChange>,
    /// Changes that wait for others.
    pub(super) parked: Vec<ParsedChange>,
    /// How many were refused.
    pub(super) refused: u32,
}

/// Keeps a segment of which `records` records lie in it alone.
pub(super) fn insert(connection: &Connection, maker: &Maker, records: u32, blob: &[u8]) -> Result<SegmentRow, Error> {
    let sql = "INSERT INTO segment (server, epoch, records, blob) VALUES (?1, ?2, ?3, ?4)";
    let words = params![maker.key.as_bytes(), maker.epoch.cast_signed(), records, blob];
    connection.prepare_cached(sql)?.execute(words)?;
    Ok(SegmentRow(connection.last_insert_rowid()))
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
fn with_bytes_of(connection: &Connection, row: RecordRow) -> Result<Option<SegmentRow>, Error> {
    let sql = "SELECT segment.row FROM record JOIN segment ON segment.row = record.segment WHERE record.row = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([row.0], |row| row.get(0).map(SegmentRow)).optional()?)
}

fn read(connection: &Connection, row: SegmentRow) -> Result<(Maker, Segment), Error> {
    let sql = "SELECT server, epoch, blob FROM segment WHERE row = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let maker = Maker { key: PublicKey(rows::array(row, 0)?), epoch: row.get::<_, i64>(1)?.cast_unsigned() };
        Ok((maker, row.get::<_, Vec<u8>>(2)?))
    };
    let (maker, blob) = connection.prepare_cached(sql)?.query_row([row.0], read).optional()?.ok_or(DAMAGED)?;
    let plain = pack::expand(&blob).map_err(|_| DAMAGED)?;
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
    fn next_received(
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
        let at = opened.places.get(&record.key).copied();
        let found = at.and_then(|at| opened.segment.records.get(at)).filter(|found| found.record == *record);
        let found = found.ok_or(DAMAGED)?;
        Ok(tried(kind, found))
    }
}

/// How many records lie in segments alone.
fn waiting(connection: &Connection) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached("SELECT coalesce(sum(records), 0) FROM segment")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Admits a record's changes into an empty history, exactly as those of a page are.
fn tried(kind: Kind, found: &SegmentRecord) -> Tried {
    let (mut batch, mut refused) = (Vec::new(), 0);
    for one in &found.changes {
        match change::parse(&one.chunk) {
            Ok(change) => batch.push(change),
            Err(_) => refused += 1,
        }
    }
    let mut history = History::new(kind);
    let verdicts = admission::admit(&mut history, &batch, &|_, _, _| Ok(()));
    let (mut admitted, mut parked) = (Vec::new(), Vec::new());
    for (change, verdict) in batch.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Admitted => admitted.push(change),
            Verdict::Parked { .. } => parked.push(change),
            Verdict::Refused(_) => refused += 1,
            Verdict::Duplicate => {}
        }
    }
    Tried { history, admitted, parked, refused }
}

/// Takes what was dropped, or tried since, out of a segment's blob: no byte of it stays.
pub(super) fn rewrite(connection: &Connection, last: &mut LastOpened, row: SegmentRow) -> Result<(), Error> {
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
        connection.prepare_cached("UPDATE segment SET blob = ?2 WHERE row = ?1")?.execute(params![row.0, blob])?;
    }
    set_records(connection, row, u32::try_from(kept.records.len()).unwrap_or(u32::MAX))
}

impl Writing<'_> {
    /// Stores a received record as what came of trying it.
    pub(super) fn verified(&mut self, record: &RecordRef, row: RecordRow, tried: &Tried) -> Result<(), Error> {
        for change in &tried.admitted {
            rows::insert_change(self.connection(), row, change)?;
        }
        for change in &tried.parked {
            super::arrival::park(self.connection(), record, change)?;
        }
        let sql = "UPDATE segment SET records = records - 1 WHERE row = (SELECT segment FROM record WHERE row = ?1)";
        self.connection().prepare_cached(sql)?.execute([row.0])?;
        let sql = "DELETE FROM segment WHERE records <= 0 AND row = (SELECT segment FROM record WHERE row = ?1)";
        self.connection().prepare_cached(sql)?.execute([row.0])?;
        let sql = "UPDATE record SET received = 0 WHERE row = ?1";
        self.connection().prepare_cached(sql)?.execute([row.0])?;
        if tried.refused > 0 || !tried.parked.is_empty() {
            let sum = tried.admitted.iter().map(|change| Item::of(record, &change.hash)).collect();
            self.counts_as(row, sum)?;
            self.touch(record);
        }
        Ok(())
    }

    /// The record's bytes shall leave its segment too, once this is committed.
    pub(super) fn note_hole(&mut self, row: RecordRow) -> Result<(), Error> {
        if let Some(segment) = with_bytes_of(self.connection(), row)? {
            self.holes.insert(segment);
        }
        Ok(())
    }
}

/// How many records came in packs and wait to be tried, and how many of all are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verification {
    /// Records that were received and not tried yet.
    pub received: u64,
    /// Records that this device has verified, or made itself.
    pub verified: u64,
}

impl Store {
    /// Tries at most `records` records that came in packs, in one transaction. Gives how many still wait.
    ///
    /// # Errors
    /// A failure of the storage; nothing of this step was then written.
    pub fn verify_some(&mut self, now_ms: i64, records: u32) -> Result<u64, Error> {
        let sql = "SELECT row FROM segment ORDER BY row LIMIT 1";
        let first = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0).map(SegmentRow)).optional()?;
        let Some(segment) = first else { return Ok(0) };
        let next = self.opened.next_received(&self.connection, segment, records as usize)?;
        let mut writing = self.writing(now_ms)?;
        if next.is_empty() {
            // Nothing lies in it alone, whatever its row says.
            set_records(writing.connection(), segment, 0)?;
        }
        for (kind, record) in &next {
            writing.take(*kind, record)?;
        }
        let changed = writing.commit()?;
        self.observers.tell(&changed);
        waiting(&self.connection)
    }

    /// How many records wait to be tried.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn verification(&self) -> Result<Verification, Error> {
        let received = waiting(&self.connection)?;
        let mut statement = self.connection.prepare_cached("SELECT count(*) FROM record")?;
        let all = statement.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned();
        Ok(Verification { received, verified: all.saturating_sub(received) })
    }
}
