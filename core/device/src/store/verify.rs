//! Trying what came in packs: when somebody opens it, when something comes to it, or in the background.

use foras_record::admission::{self, History, Verdict};
use foras_record::change::{self, ParsedChange};
use foras_record::kind::Kind;
use foras_record::pack::SegmentRecord;
use foras_wire::reconcile::{Item, Sum};
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, OptionalExtension, params};

use super::Store;
use super::rows::{self, RecordRow};
use super::segment::{SegmentRow, first, of_record, set_records, with_bytes_of};
use super::writing::Writing;
use crate::error::Error;

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
    /// The sum of all of them, as it is part of their segment's.
    pub(super) sum: Sum,
}

/// How many records lie in segments alone.
fn waiting(connection: &Connection) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached("SELECT coalesce(sum(records), 0) FROM segment")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
}

/// Admits a record's changes into an empty history, exactly as those of a page are.
pub(super) fn tried(kind: Kind, found: &SegmentRecord) -> Tried {
    let (mut batch, mut refused) = (Vec::new(), 0);
    for one in &found.changes {
        match change::parse(&one.chunk) {
            Ok(change) => batch.push(change),
            Err(_) => refused += 1,
        }
    }
    let (history, verdicts) = admission::admit_whole(kind, &batch);
    let (mut admitted, mut parked) = (Vec::new(), Vec::new());
    for (change, verdict) in batch.into_iter().zip(verdicts) {
        match verdict {
            Verdict::Admitted => admitted.push(change),
            Verdict::Parked { .. } => parked.push(change),
            Verdict::Refused(_) => refused += 1,
            Verdict::Duplicate => {}
        }
    }
    Tried { history, admitted, parked, refused, sum: Sum(found.sum().0) }
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
        if let Some(segment) = of_record(self.connection(), row)? {
            self.let_out_of(segment, tried.sum)?;
        }
        let sql = "UPDATE record SET received = 0, digest = ?2 WHERE row = ?1";
        self.connection().prepare_cached(sql)?.execute(params![row.0, tried.sum.to_bytes()])?;
        if tried.refused > 0 || !tried.parked.is_empty() {
            let sum = tried.admitted.iter().map(|change| Item::of(record, &change.hash)).collect();
            self.counts_as(row, sum)?;
            self.touch(record);
        }
        Ok(())
    }

    /// Tries the record, if it was received only.
    pub(super) fn try_received(&mut self, row: RecordRow) -> Result<(), Error> {
        let sql = "SELECT kind, id, case_id, generation FROM record WHERE row = ?1 AND received > 0";
        let found =
            self.connection().prepare_cached(sql)?.query_row([row.0], |row| rows::record_ref(row, 0)).optional()?;
        if let Some(record) = found
            && let Some(kind) = Kind::of_code(record.key.kind)
        {
            self.take(kind, &record)?;
        }
        Ok(())
    }

    /// A record as it lies in a segment.
    pub(super) fn lying(&mut self, segment: SegmentRow, key: &RecordKey) -> Result<SegmentRecord, Error> {
        self.opened.record(&self.transaction, segment, key)
    }

    /// A record lies in the segment alone no more: it is no part of what that counts. With the last one the segment goes; a
    /// seal that said something else than was in it is put right then.
    pub(super) fn let_out_of(&mut self, segment: SegmentRow, sum: Sum) -> Result<(), Error> {
        let sql = "SELECT records, sum, audience FROM segment WHERE row = ?1";
        let read =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, rows::array(row, 1)?, row.get::<_, String>(2)?));
        let found = self.connection().prepare_cached(sql)?.query_row([segment.0], read).optional()?;
        let Some((records, kept, audience)) = found else { return Ok(()) };
        let rest = Sum::from_bytes(kept).minus(sum);
        if records > 1 {
            let sql = "UPDATE segment SET records = records - 1, sum = ?2 WHERE row = ?1";
            self.connection().prepare_cached(sql)?.execute(params![segment.0, rest.to_bytes()])?;
            return Ok(());
        }
        self.connection().prepare_cached("DELETE FROM segment WHERE row = ?1")?.execute([segment.0])?;
        self.shift_audience(&audience, Sum::default().minus(rest));
        Ok(())
    }

    /// Nothing lies in the segment alone.
    fn end_segment(&mut self, segment: SegmentRow) -> Result<(), Error> {
        set_records(self.connection(), segment, 1)?;
        self.let_out_of(segment, Sum::default())
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
        let first = first(&self.connection, "SELECT row FROM segment ORDER BY row LIMIT 1", [])?;
        let Some(segment) = first else { return Ok(0) };
        if self.unfold_next()? {
            // All rows first: they are what somebody may ask for.
            return waiting(&self.connection);
        }
        let next = self.opened.next_received(&self.connection, segment, records as usize)?;
        let mut writing = self.begin(now_ms)?;
        if next.is_empty() {
            // Nothing lies in it alone, whatever its row says.
            writing.end_segment(segment)?;
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
        let sql = "SELECT count(*) + (SELECT coalesce(sum(folded), 0) FROM segment) FROM record";
        let mut statement = self.connection.prepare_cached(sql)?;
        let all = statement.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned();
        Ok(Verification { received, verified: all.saturating_sub(received) })
    }
}
