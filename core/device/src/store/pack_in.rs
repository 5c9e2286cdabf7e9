//! A whole segment into the device's lists: each record gets its row and its columns at once, from its changes as they are
//! read; its document waits until it is tried.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::admission;
use foras_record::change;
use foras_record::document::Content;
use foras_record::kind::Kind;
use foras_record::pack::{Maker, Segment, SegmentRecord};
use foras_record::projection::{self, View};
use foras_wire::audience::AudienceName;
use foras_wire::id::RecordId;
use foras_wire::reconcile::Sum;
use foras_wire::record::{KindCode, RecordKey};
use rusqlite::{Connection, params};

use super::identity::Identity;
use super::rows::RecordRow;
use super::segment::{self, SegmentRow};
use super::writing::Writing;
use super::{arrival, author, page, rows, view};
use crate::error::Error;

/// A segment on its way in.
struct Bringing<'w, 's> {
    writing: &'w mut Writing<'s>,
    reborn: &'w Identity,
    audience: &'w AudienceName,
    segment: SegmentRow,
    /// Records of which something waits here, unsent or for others: they take the way of pages.
    waiting: BTreeSet<RecordKey>,
    /// Points of the cases of this segment.
    points: BTreeMap<RecordId, String>,
    lying: u32,
    received: u32,
}

/// Brings a segment in; gives how many changes were new.
pub(super) fn bring(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    audience: &AudienceName,
    maker: &Maker,
    segment: &Segment,
    blob: &[u8],
) -> Result<u32, Error> {
    for (actor, known) in &segment.authors {
        author::introduce(writing.connection(), actor, known.name.as_deref(), &known.role)?;
    }
    let row = segment::insert(writing.connection(), maker, 1, blob)?;
    let waiting = waiting(writing.connection())?;
    let points = BTreeMap::new();
    let mut bringing = Bringing { writing, reborn, audience, segment: row, waiting, points, lying: 0, received: 0 };
    for record in &segment.records {
        bringing.record(record)?;
    }
    let (lying, received) = (bringing.lying, bringing.received);
    segment::set_records(writing.connection(), row, lying)?;
    if lying > 0 && (lying as usize) < segment.records.len() {
        writing.holes.insert(row);
    }
    Ok(received)
}

fn waiting(connection: &Connection) -> Result<BTreeSet<RecordKey>, Error> {
    let sql = "SELECT kind, id FROM outbox UNION SELECT kind, id FROM parked";
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement
        .query_map([], |row| Ok(RecordKey { kind: KindCode(row.get(0)?), id: RecordId(rows::array(row, 1)?) }))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

impl Bringing<'_, '_> {
    fn record(&mut self, one: &SegmentRecord) -> Result<(), Error> {
        let changes = u32::try_from(one.changes.len()).unwrap_or(u32::MAX);
        if let Some(view) = self.view(one)
            && let Some(row) = self.insert(one, changes, &view)?
        {
            self.received = self.received.saturating_add(changes);
            self.lying += 1;
            self.writing.changed.note(&one.record);
            return self.hold(row, one);
        }
        match rows::find(self.writing.connection(), &one.record.key)? {
            Some((row, _)) => match segment::of_record(self.writing.connection(), row)? {
                Some(_) => self.again(row, one, changes),
                None => self.admit(one),
            },
            None => self.admit(one),
        }
    }

    /// The record's columns; `None` where it has to take the way of pages.
    fn view(&self, one: &SegmentRecord) -> Option<View> {
        let kind = admission::check_record(&one.record).ok()?;
        if self.waiting.contains(&one.record.key) {
            return None;
        }
        let changes: Vec<_> = one.changes.iter().map(|one| change::parse(&one.chunk)).collect::<Result<_, _>>().ok()?;
        Some(projection::columns_of(kind, Content::of_changes(kind, &changes)?))
    }

    /// A row of its own for a record that the device does not hold.
    fn insert(&mut self, one: &SegmentRecord, changes: u32, view: &View) -> Result<Option<RecordRow>, Error> {
        let (record, connection) = (&one.record, self.writing.connection());
        let known = record.case.as_ref().and_then(|case| self.points.get(case));
        let point = match (&view.point, known) {
            (Some(point), _) => point.clone(),
            (None, Some(point)) => point.clone(),
            (None, None) => view::inherited_point(connection, record, self.audience)?,
        };
        let server_ms = one.changes.iter().map(|change| change.received_ms).max().unwrap_or(0);
        let (seen_ms, seen_by) = one.seen.as_ref().map_or((0, ""), |seen| (seen.at_ms, seen.country.as_str()));
        let columns = serde_json::to_string(&view.columns).unwrap_or_else(|_| "{}".to_owned());
        let sql = "INSERT INTO record (kind, id, case_id, generation, title, title_key, search, point, number, sort_at, \
                   conflicts, awaiting, columns, changed_ms, server_ms, seen_ms, seen_by, segment, received, digest) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) \
                   ON CONFLICT (kind, id) DO NOTHING";
        let inserted = connection.prepare_cached(sql)?.execute(params![
            record.key.kind.0,
            record.key.id.as_bytes(),
            rows::case_bytes(record),
            record.generation,
            view.title,
            projection::fold(&view.title),
            view.search,
            point,
            view.number.as_deref().unwrap_or_default(),
            view.sort_at,
            view.conflicts,
            view.awaiting,
            columns,
            self.writing.now_ms,
            server_ms,
            seen_ms,
            seen_by,
            self.segment.0,
            changes,
            Sum(one.sum().0).to_bytes()
        ])?;
        if inserted == 0 {
            return Ok(None);
        }
        let row = RecordRow(connection.last_insert_rowid());
        if record.key.kind == Kind::Case.code() {
            view::bequeath_point(connection, record, &point)?;
            self.points.insert(record.key.id, point);
        }
        Ok(Some(row))
    }

    /// The device has the record from another pack, not tried yet. Both were cut from the same history, so the longer one
    /// holds the other; it is the one that stays.
    fn again(&mut self, row: RecordRow, one: &SegmentRecord, changes: u32) -> Result<(), Error> {
        let connection = self.writing.connection();
        let sql = "SELECT received FROM record WHERE row = ?1";
        let before: u32 = connection.prepare_cached(sql)?.query_row([row.0], |row| row.get(0))?;
        if changes <= before {
            return self.hold(row, one);
        }
        let view = self.view(one);
        let Some(view) = view else { return self.admit(one) };
        self.writing.note_hole(row)?;
        let connection = self.writing.connection();
        let sql = "UPDATE record SET segment = ?2, received = ?3 WHERE row = ?1";
        connection.prepare_cached(sql)?.execute(params![row.0, self.segment.0, changes])?;
        let columns = (Kind::of_code(one.record.key.kind), view);
        if let (Some(kind), view) = columns {
            view::write_columns(connection, row, &one.record, kind, view, self.writing.now_ms)?;
        }
        self.writing.counts_as(row, Sum(one.sum().0))?;
        self.received = self.received.saturating_add(changes - before);
        self.lying += 1;
        self.writing.changed.note(&one.record);
        self.hold(row, one)
    }

    /// The way of pages: the changes are tried at once, onto what the device has.
    fn admit(&mut self, one: &SegmentRecord) -> Result<(), Error> {
        let chunks: Vec<_> = one.changes.iter().map(|change| (change.chunk.clone(), one.moved)).collect();
        let arrived = arrival::admit(self.writing, self.reborn, &one.record, &chunks)?;
        self.received = self.received.saturating_add(arrived.received);
        let Some(row) = arrived.held else { return Ok(()) };
        let server_ms = one.changes.iter().map(|change| change.received_ms).max().unwrap_or(0);
        let sql = "UPDATE record SET server_ms = max(server_ms, ?2) WHERE row = ?1";
        self.writing.connection().prepare_cached(sql)?.execute(params![row.0, server_ms])?;
        self.writing.touch(&one.record);
        self.hold(row, one)
    }

    /// The device holds the record by this audience now, and knows what a mission has of it.
    fn hold(&mut self, row: RecordRow, one: &SegmentRecord) -> Result<(), Error> {
        page::hold(self.writing, self.audience, row, one.moved)?;
        let Some(seen) = &one.seen else { return Ok(()) };
        page::note_seen(self.writing.connection(), self.audience, row, seen)
    }
}
