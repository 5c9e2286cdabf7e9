//! One transaction under way: records taken for writing. They return to the cache once it is durable.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::admission::History;
use foras_record::change::{ParsedChange, ParsedKey, ParsedObject};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::standing::Standing;
use foras_wire::id::RecordId;
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::Connection;

use super::cache::{Cache, Kept};
use super::digest::Shifts;
use super::observe::Changed;
use super::rows::{self, RecordRow};
use super::segment::{self, LastOpened, SegmentRow};
use super::transaction::Transaction;
use super::{Store, view};
use crate::error::Error;

const DAMAGED: Error = Error::Corrupt { set_aside: None };

/// A record between its rows and memory.
pub(super) struct Taken {
    /// What is fixed of it.
    pub(super) record: RecordRef,
    /// Its row; `None` until something of it is stored.
    pub(super) row: Option<RecordRow>,
    /// Its document and changes.
    pub(super) history: History,
}

/// One transaction. Dropped without [`Writing::commit`], nothing was written and what was taken is forgotten.
pub(super) struct Writing<'s> {
    pub(super) transaction: Transaction<'s>,
    cache: &'s mut Cache,
    taken: BTreeMap<RecordKey, Taken>,
    /// Where cases stand, until something of theirs is written.
    standings: BTreeMap<RecordId, Option<Standing>>,
    /// Records whose view has to be made anew.
    touched: BTreeSet<RecordRef>,
    pub(super) opened: &'s mut LastOpened,
    /// Segments that hold bytes of what this transaction deletes.
    pub(super) holes: BTreeSet<SegmentRow>,
    pub(super) changed: Changed,
    pub(super) shifts: Shifts,
    pub(super) now_ms: i64,
}

impl Store {
    /// A transaction over rows, once every record has its row.
    pub(super) fn writing(&mut self, now_ms: i64) -> Result<Writing<'_>, Error> {
        self.unfold_all()?;
        self.begin(now_ms)
    }

    /// As [`Store::writing`], where it does not matter that records may be folded: see `fold.rs`.
    pub(super) fn begin(&mut self, now_ms: i64) -> Result<Writing<'_>, Error> {
        let transaction = Transaction::begin(&self.connection)?;
        Ok(Writing {
            transaction,
            cache: &mut self.cache,
            taken: BTreeMap::new(),
            standings: BTreeMap::new(),
            touched: BTreeSet::new(),
            opened: &mut self.opened,
            holes: BTreeSet::new(),
            changed: Changed::default(),
            shifts: Shifts::default(),
            now_ms,
        })
    }
}

/// A record as its rows say.
pub(super) enum Loaded {
    /// With its changes.
    Whole(Box<History>),
    /// It lies in this segment, not tried yet.
    Received(SegmentRow),
}

/// Reads a record's rows.
pub(super) fn load(connection: &Connection, kind: Kind, row: RecordRow) -> Result<Loaded, Error> {
    let chunks = rows::chunks(connection, row)?;
    if chunks.is_empty()
        && let Some(segment) = segment::of_record(connection, row)?
    {
        return Ok(Loaded::Received(segment));
    }
    History::restore(kind, None, chunks).map(|history| Loaded::Whole(Box::new(history))).map_err(|_| DAMAGED)
}

impl<'s> Writing<'s> {
    pub(super) fn connection(&self) -> &Connection {
        &self.transaction
    }

    /// The record, whether the device holds it or not. `record` must be of a kind that this build knows.
    pub(super) fn take(&mut self, kind: Kind, record: &RecordRef) -> Result<&mut Taken, Error> {
        if !self.taken.contains_key(&record.key) {
            let taken = match self.cache.take(&record.key) {
                Some(Kept { row, record, history, standing }) => {
                    if let Some(standing) = standing {
                        self.standings.insert(record.key.id, Some(standing));
                    }
                    Taken { record, row: Some(row), history }
                }
                None => self.taken_from_rows(kind, record)?,
            };
            self.taken.insert(record.key, taken);
        }
        self.taken.get_mut(&record.key).ok_or(DAMAGED)
    }

    fn taken_from_rows(&mut self, kind: Kind, record: &RecordRef) -> Result<Taken, Error> {
        let Some((row, record)) = rows::find(&self.transaction, &record.key)? else {
            return Ok(Taken { record: *record, row: None, history: History::new(kind) });
        };
        let history = match load(&self.transaction, kind, row)? {
            Loaded::Whole(history) => *history,
            Loaded::Received(segment) => {
                let tried = self.opened.try_record(&self.transaction, kind, segment, &record)?;
                self.verified(&record, row, &tried)?;
                tried.history
            }
        };
        Ok(Taken { record, row: Some(row), history })
    }

    /// Where the case stands, with what this transaction wrote; `None` when the device does not hold it.
    pub(super) fn standing(&mut self, case: &RecordId) -> Result<Option<Standing>, Error> {
        if let Some(standing) = self.standings.get(case) {
            return Ok(standing.clone());
        }
        let record = identity::record(Kind::Case, *case, Some(*case));
        if !self.taken.contains_key(&record.key)
            && let Some(standing) = self.cache.standing(&record.key)
        {
            self.standings.insert(*case, Some(standing.clone()));
            return Ok(Some(standing));
        }
        let taken = self.take(Kind::Case, &record)?;
        let standing = (!taken.history.is_new()).then(|| Standing::of(taken.history.document()));
        self.standings.insert(*case, standing.clone());
        Ok(standing)
    }

    /// Stores a change that `history` of the record holds already.
    pub(super) fn keep(&mut self, key: &RecordKey, change: &ParsedChange) -> Result<RecordRow, Error> {
        let taken = self.taken.get_mut(key).ok_or(DAMAGED)?;
        let row = match taken.row {
            Some(row) => row,
            None => rows::insert(&self.transaction, &taken.record)?,
        };
        taken.row = Some(row);
        let record = taken.record;
        rows::insert_change(&self.transaction, row, change)?;
        if moves_standing(&record, change) {
            self.standings.remove(&record.key.id);
        }
        self.note(&record);
        Ok(row)
    }

    /// What memory holds of the record is not what its rows say: it is read again from them.
    pub(super) fn forget(&mut self, key: &RecordKey) {
        self.taken.remove(key);
        self.standings.remove(&key.id);
    }

    /// The record is now what `history` says; whoever calls this made its rows say the same.
    pub(super) fn replace(&mut self, key: &RecordKey, history: History) -> Result<(), Error> {
        let taken = self.taken.get_mut(key).ok_or(DAMAGED)?;
        taken.history = history;
        let record = taken.record;
        self.touch(&record);
        Ok(())
    }

    /// The record's rows were made anew, and say what `history` says.
    pub(super) fn restore(&mut self, record: &RecordRef, row: RecordRow, history: History) {
        self.cache.remove(&record.key);
        self.taken.insert(record.key, Taken { record: *record, row: Some(row), history });
        self.touch(record);
    }

    /// The record's view has to be made anew.
    pub(super) fn touch(&mut self, record: &RecordRef) {
        self.standings.remove(&record.key.id);
        self.note(record);
    }

    fn note(&mut self, record: &RecordRef) {
        self.touched.insert(*record);
        self.changed.note(record);
    }

    /// From here on, [`Writing::roll_back`] undoes.
    pub(super) fn savepoint(&self) -> Result<(), Error> {
        Ok(self.transaction.execute_batch("SAVEPOINT attempt")?)
    }

    /// What was done since the savepoint stands.
    pub(super) fn release(&self) -> Result<(), Error> {
        Ok(self.transaction.execute_batch("RELEASE attempt")?)
    }

    /// Undoes what was done since the savepoint. Records are read again from their rows.
    pub(super) fn roll_back(&mut self) -> Result<(), Error> {
        self.taken.clear();
        self.standings.clear();
        Ok(self.transaction.execute_batch("ROLLBACK TO attempt; RELEASE attempt")?)
    }

    /// Deletes the record, if it is there.
    pub(super) fn delete(&mut self, key: &RecordKey) -> Result<(), Error> {
        self.taken.remove(key);
        self.standings.remove(&key.id);
        self.cache.remove(key);
        if let Some((row, record)) = rows::find(&self.transaction, key)? {
            self.note_hole(row)?;
            self.let_go(row)?;
            if let Some(segment) = segment::of_record(self.connection(), row)? {
                let sum = self.opened.sum(&self.transaction, segment, &record.key)?;
                self.let_out_of(segment, sum)?;
            }
            rows::delete(&self.transaction, row)?;
            self.changed.note(&record);
        }
        Ok(())
    }

    /// Makes the views anew, and everything durable.
    pub(super) fn commit(mut self) -> Result<Changed, Error> {
        let touched = std::mem::take(&mut self.touched);
        // Cases first: the point of a case's other records comes from it.
        let is_case = |record: &&RecordRef| record.key.kind == Kind::Case.code();
        for record in touched.iter().filter(is_case).chain(touched.iter().filter(|record| !is_case(record))) {
            let Some(kind) = Kind::of_code(record.key.kind) else { continue };
            let now_ms = self.now_ms;
            self.take(kind, record)?;
            if let Some(Taken { record, row: Some(row), history }) = self.taken.get(&record.key) {
                view::write(&self.transaction, *row, record, history.document(), now_ms)?;
            }
        }
        for segment in std::mem::take(&mut self.holes) {
            segment::rewrite(&self.transaction, self.opened, segment)?;
        }
        self.keep_digests()?;
        let Self { transaction, cache, taken, mut standings, changed, .. } = self;
        transaction.commit()?;
        for (key, Taken { record, row, history }) in taken {
            if let Some(row) = row {
                let of_case = key.kind == Kind::Case.code();
                let standing = if of_case { standings.remove(&key.id).flatten() } else { None };
                cache.put(Kept { row, record, history, standing });
            }
        }
        Ok(changed)
    }
}

/// Whether a change may move where a case stands.
fn moves_standing(record: &RecordRef, change: &ParsedChange) -> bool {
    let Some(kind) = Kind::of_code(record.key.kind).filter(|kind| *kind == Kind::Case) else { return false };
    let plain = |key: &str| {
        let resolved = kind.rule().resolve(key);
        resolved.is_some_and(|(field, _)| !Standing::depends_on(field))
    };
    !change.ops.iter().all(|op| match (&op.object, &op.key) {
        (ParsedObject::Root, ParsedKey::Field(key)) => plain(key),
        _ => false,
    })
}
