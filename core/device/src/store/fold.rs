//! Records without a row. A first sync makes rows of what the first screens show: people, cases, sessions. The other
//! records of a case stay *folded* in their segment until somebody opens the case, asks for a list of their kind, or
//! something comes to them; else they are unfolded in the background. Nobody sees less for it: whatever reads rows
//! unfolds first what it may mean.
//!
//! A segment is folded or not, never in part. Its records are held by its audience, and counted by its seal.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::admission;
use foras_record::audience::Audience;
use foras_record::kind::Kind;
use foras_record::projection::{self, View};
use foras_record::received::{Received, ReceivedRecord};
use foras_record::role::Role;
use foras_wire::audience::AudienceName;
use foras_wire::id::RecordId;
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use rusqlite::{CachedStatement, Connection, params};

use super::identity::Identity;
use super::rows::RecordRow;
use super::segment::{self, SegmentRow};
use super::{Store, leave, rows, view};
use crate::error::Error;

/// An id within `segment.names`: ids are random, so that as many bytes name them well enough.
pub(super) const NAME_BYTES: usize = 8;

/// Whether records of this kind may be folded on some device.
fn is_foldable(kind: Kind) -> bool {
    matches!(kind, Kind::Badge | Kind::Path | Kind::Project | Kind::Assessment | Kind::Note)
}

/// Whether records of this kind may stay folded on a device of this role: no first screen shows them.
fn may_fold(kind: Kind, role: Role) -> bool {
    // A trainer's people are badges.
    is_foldable(kind) && (kind, role) != (Kind::Badge, Role::Trainer)
}

/// Whether the record can stay folded: its row can be made whenever it is asked for.
pub(super) fn folds(one: &ReceivedRecord, role: Role) -> bool {
    one.is_plain
        && one.record.case.is_some()
        && admission::check_record(&one.record).is_ok_and(|kind| may_fold(kind, role))
}

/// Whether a record's values are wanted when its segment comes.
pub(super) fn is_shown_first(kind: KindCode, role: Role) -> bool {
    Kind::of_code(kind).is_some_and(|kind| !may_fold(kind, role))
}

/// Whether a device may fold at all. At one place no two audiences of a role hold one record; at several they may, and then
/// a record that comes a second time has to find its row.
pub(super) fn is_at_one_place(identity: &Identity) -> bool {
    let place = |audience: Audience| match audience {
        Audience::Roster(point) | Audience::Programme(point) => Some(point.code().to_owned()),
        Audience::Casework(place) | Audience::Protection(place) => Some(place.to_string()),
        Audience::Public | Audience::Person(_) => None,
    };
    let places: BTreeSet<_> = identity.audiences().iter().filter_map(|name| place(Audience::of_name(name)?)).collect();
    places.len() <= 1
}

/// Rows that are being made of a segment's records.
pub(super) struct Placing<'c> {
    connection: &'c Connection,
    segment: SegmentRow,
    audience: &'c str,
    /// The audience's point.
    point: String,
    /// When the segment came, device's clock.
    came_ms: i64,
    /// Points of cases that were met.
    points: BTreeMap<RecordId, String>,
    insert: CachedStatement<'c>,
    hold: CachedStatement<'c>,
}

const INSERT: &str = "INSERT INTO record (kind, id, case_id, generation, title, title_key, search, point, number, sort_at, \
     conflicts, awaiting, columns, changed_ms, server_ms, seen_ms, seen_by, segment, received) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
     ON CONFLICT (kind, id) DO NOTHING";
const HOLD: &str = "INSERT INTO holding (record, audience, position, seen) VALUES (?1, ?2, ?3, ?4)";

impl<'c> Placing<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        segment: SegmentRow,
        audience: &'c str,
        came_ms: i64,
    ) -> Result<Self, Error> {
        let point = leave::point_of(audience).unwrap_or_default();
        let (insert, hold) = (connection.prepare_cached(INSERT)?, connection.prepare_cached(HOLD)?);
        Ok(Self { connection, segment, audience, point, came_ms, points: BTreeMap::new(), insert, hold })
    }

    /// A row of its own for a record, held by the segment's audience; `None` where the record has one.
    pub(super) fn place(&mut self, one: &ReceivedRecord, view: &View) -> Result<Option<RecordRow>, Error> {
        let record = &one.record;
        let point = match &view.point {
            Some(point) => point.clone(),
            None => self.inherited_point(record)?,
        };
        let (seen_ms, seen_by) = one.seen.as_ref().map_or((0, ""), |seen| (seen.at_ms, seen.country.as_str()));
        let columns = serde_json::to_string(&view.columns).unwrap_or_else(|_| "{}".to_owned());
        let inserted = self.insert.execute(params![
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
            self.came_ms,
            one.received_ms,
            seen_ms,
            seen_by,
            self.segment.0,
            one.changes
        ])?;
        if inserted == 0 {
            return Ok(None);
        }
        let row = RecordRow(self.connection.last_insert_rowid());
        let seen = one.seen.as_ref().map_or(0, |seen| seen.through);
        let words = params![row.0, self.audience, one.moved.cast_signed(), seen.cast_signed()];
        self.hold.execute(words)?;
        if record.key.kind == Kind::Case.code() {
            if point != self.point {
                view::bequeath_point(self.connection, record, &point)?;
            }
            self.points.insert(record.key.id, point);
        }
        Ok(Some(row))
    }

    /// The point of the record's case; where the device does not hold that, the audience's.
    fn inherited_point(&mut self, record: &RecordRef) -> Result<String, Error> {
        let Some(case) = record.case else { return Ok(String::new()) };
        if let Some(point) = self.points.get(&case) {
            return Ok(point.clone());
        }
        let point = view::point_of_case(self.connection, record)?.unwrap_or_else(|| self.point.clone());
        self.points.insert(case, point.clone());
        Ok(point)
    }
}

/// Makes the rows of a segment that is folded; of another, nothing.
pub(super) fn unfold(connection: &Connection, row: SegmentRow) -> Result<(), Error> {
    let Some(kept) = segment::folded(connection, row)? else { return Ok(()) };
    let foldable = |kind: KindCode| Kind::of_code(kind).is_some_and(is_foldable);
    let received = Received::read(&kept.plain, &kept.maker, foldable).map_err(|_| segment::DAMAGED)?;
    let mut placing = Placing::new(connection, row, &kept.audience, kept.came_ms)?;
    for one in received.records.iter().filter(|one| foldable(one.record.key.kind)) {
        // What was not folded has its row, and keeps it.
        if let Some(view) = &one.view {
            placing.place(one, view)?;
        }
    }
    connection.prepare_cached("UPDATE segment SET folded = 0, names = x'' WHERE row = ?1")?.execute([row.0])?;
    Ok(())
}

/// Makes the rows of every folded segment that is held by this audience.
pub(super) fn unfold_audience(connection: &Connection, audience: &AudienceName) -> Result<(), Error> {
    let sql = "SELECT row FROM segment WHERE folded > 0 AND audience = ?1 ORDER BY row LIMIT 1";
    while let Some(row) = segment::first(connection, sql, [audience.as_str()])? {
        unfold(connection, row)?;
    }
    Ok(())
}

impl Store {
    /// Makes the rows of one more folded segment, those of newer cases first; false when there is none.
    ///
    /// # Errors
    /// A failure of the storage; nothing of this step was then written.
    pub fn unfold_next(&mut self) -> Result<bool, Error> {
        self.unfold_first("?1 IS NOT NULL", &[])
    }

    /// Makes the rows of all folded segments.
    pub(super) fn unfold_all(&self) -> Result<(), Error> {
        while self.unfold_first("?1 IS NOT NULL", &[])? {}
        Ok(())
    }

    /// As [`Store::unfold_all`], if records of this kind may be folded here.
    fn unfold_kind(&self, kind: Kind) -> Result<(), Error> {
        let role = self.identity.as_ref().map(|identity| identity.role());
        if role.is_none_or(|role| may_fold(kind, role)) { self.unfold_all() } else { Ok(()) }
    }

    /// As [`Store::unfold_named`], if a record of this key may be folded and has no row.
    fn unfold_record(&self, key: &RecordKey) -> Result<(), Error> {
        if !self.may_be_folded.get() || Kind::of_code(key.kind).is_none_or(|kind| !is_foldable(kind)) {
            return Ok(());
        }
        if rows::find(&self.connection, key)?.is_some() { Ok(()) } else { self.unfold_named(&key.id) }
    }

    /// Makes the rows of every segment in which a record with this id, or of this case, may be folded.
    pub(super) fn unfold_named(&self, id: &RecordId) -> Result<(), Error> {
        let (name, _) = id.as_bytes().split_at(NAME_BYTES);
        while self.unfold_first("instr(names, ?1) > 0", name)? {}
        Ok(())
    }

    fn unfold_first(&self, condition: &str, name: &[u8]) -> Result<bool, Error> {
        if !self.may_be_folded.get() {
            return Ok(false);
        }
        let sql = format!("SELECT row FROM segment WHERE folded > 0 AND {condition} ORDER BY row LIMIT 1");
        let found = segment::first(&self.connection, &sql, params![name])?;
        let is_looking = !self.connection.is_autocommit();
        match found {
            Some(row) if is_looking => unfold(&self.connection, row)?,
            Some(row) => {
                let transaction = self.connection.unchecked_transaction()?;
                unfold(&transaction, row)?;
                transaction.commit()?;
            }
            None if is_looking => {}
            None => self.may_be_folded.set(segment::is_any_folded(&self.connection)?),
        }
        Ok(found.is_some())
    }

    /// Reads rows, once those that are asked for are made. On a full disk they are made in memory only, and are gone when they
    /// were read: a full disk hides nothing.
    pub(super) fn looking<T>(&self, asked: Asked<'_>, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let look = self.look(asked)?;
        let result = read();
        self.looked(look);
        result
    }

    /// As [`Store::looking`]; what was read in between, [`Store::looked`] ends.
    pub(super) fn look(&self, asked: Asked<'_>) -> Result<Look, Error> {
        match self.unfold_asked(asked) {
            Err(Error::StorageFull) if self.connection.is_autocommit() => {}
            other => return other.map(|()| Look { in_memory: false }),
        }
        // What is not committed and not spilled is never written.
        self.connection.execute_batch("PRAGMA cache_spill = OFF; BEGIN")?;
        let look = Look { in_memory: true };
        match self.unfold_asked(asked) {
            Ok(()) => Ok(look),
            Err(error) => {
                self.looked(look);
                Err(error)
            }
        }
    }

    pub(super) fn looked(&self, look: Look) {
        if look.in_memory {
            // Where SQLite gave the transaction up by itself, there is none to end.
            let _ = self.connection.execute_batch("ROLLBACK");
            let _ = self.connection.execute_batch("PRAGMA cache_spill = ON");
        }
    }

    fn unfold_asked(&self, asked: Asked<'_>) -> Result<(), Error> {
        match asked {
            Asked::All => self.unfold_all(),
            Asked::Kind(kind) => self.unfold_kind(kind),
            Asked::Case(case) => self.unfold_named(case),
            Asked::Record(key) => self.unfold_record(key),
        }
    }
}

/// Which rows are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked<'a> {
    All,
    Kind(Kind),
    Case(&'a RecordId),
    Record(&'a RecordKey),
}

/// Rows are being read that may be in memory only.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(super) struct Look {
    in_memory: bool,
}
