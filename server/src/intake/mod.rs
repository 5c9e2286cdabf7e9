//! Intake: how changes come into the records. All of it within one transaction: admission, rulings, audiences, logs and
//! facts; acknowledged only after the commit.

mod admit;
mod audiences;
mod histories;
mod journal;
mod restore;
mod rulings;
mod set;

use std::collections::BTreeMap;
use std::sync::Arc;

use foras_record::admission::History;
use foras_record::change;
use foras_record::document::Edit;
use foras_record::kind::Kind;
use foras_record::ruling::Destinations;
use foras_record::standing::Standing;
use foras_wire::id::{Actor, RecordId};
use foras_wire::reconcile::Item;
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::Connection;

use crate::error::ServerError;
use crate::keys::Keys;
use crate::programme;
use crate::storage::digests;
use crate::storage::records::{self, StoredChange};

pub(crate) use histories::Histories;
pub(crate) use restore::Restored;
pub(crate) use set::{SetAuthor, SetItem};

use journal::Journal;

/// Changes on their way into the records, within one transaction.
pub(crate) struct Intake<'a> {
    db: &'a Connection,
    keys: &'a Keys,
    destinations: Destinations,
    now_ms: i64,
    cache: &'a mut Histories,
    /// Records as this transaction leaves them.
    changed: BTreeMap<RecordKey, Arc<History>>,
    journal: Journal,
}

/// A record that a change set touches, as it becomes.
pub(crate) struct Touched {
    pub(crate) record: RecordRef,
    pub(crate) kind: Kind,
    pub(crate) history: History,
    /// How many changes it had before.
    pub(crate) before: usize,
}

/// What a transaction did, once it is committed.
pub(crate) struct Finished {
    /// The records that it changed, as they are now.
    pub(crate) changed: BTreeMap<RecordKey, Arc<History>>,
    /// The audiences whose logs grew.
    pub(crate) grown: Vec<String>,
}

impl<'a> Intake<'a> {
    pub(crate) fn begin(
        db: &'a Connection,
        keys: &'a Keys,
        cache: &'a mut Histories,
        now_ms: i64,
    ) -> Result<Self, ServerError> {
        let destinations = programme::destinations(db)?;
        Ok(Self { db, keys, destinations, now_ms, cache, changed: BTreeMap::new(), journal: Journal::default() })
    }

    pub(crate) fn db(&self) -> &'a Connection {
        self.db
    }

    fn now_s(&self) -> i64 {
        self.now_ms.div_euclid(1000)
    }

    /// The record as it is now; a new one when nobody has written it.
    pub(crate) fn history(&mut self, kind: Kind, key: &RecordKey) -> Result<Arc<History>, ServerError> {
        if let Some(history) = self.changed.get(key) {
            return Ok(Arc::clone(history));
        }
        if let Some(history) = self.cache.get(key) {
            return Ok(history);
        }
        let history = Arc::new(self.restored(kind, key)?);
        self.cache.keep(BTreeMap::from([(*key, Arc::clone(&history))]));
        Ok(history)
    }

    fn restored(&self, kind: Kind, key: &RecordKey) -> Result<History, ServerError> {
        let chunks = records::chunks(self.db, key, u64::MAX)?;
        History::restore(kind, None, chunks)
            .map_err(|_| ServerError::Corrupt("a record's changes do not make a document"))
    }

    /// The record as it is now, to be changed: nobody else holds it then, so it is not copied.
    fn take_history(&mut self, kind: Kind, key: &RecordKey) -> Result<History, ServerError> {
        if let Some(history) = self.changed.get(key) {
            return Ok(History::clone(history));
        }
        self.cache.take(key).map_or_else(|| self.restored(kind, key), |history| Ok(Arc::unwrap_or_clone(history)))
    }

    /// The record was not changed after all. One that this transaction changed before stands as it left it.
    fn put_back(&mut self, key: &RecordKey, history: History) {
        if !self.changed.contains_key(key) {
            self.cache.keep(BTreeMap::from([(*key, Arc::new(history))]));
        }
    }

    /// Where a case stands; `None`: the server does not have it.
    pub(crate) fn standing(&mut self, case: &RecordId) -> Result<Option<Standing>, ServerError> {
        let key = RecordKey { kind: Kind::Case.code(), id: *case };
        let history = self.history(Kind::Case, &key)?;
        Ok((!history.is_new()).then(|| Standing::of(history.document())))
    }

    /// Writes a record as the server, in one change.
    pub(crate) fn write_as_server(
        &mut self,
        record: &RecordRef,
        kind: Kind,
        edits: &[Edit],
        at_ms: i64,
    ) -> Result<(), ServerError> {
        let history = self.take_history(kind, &record.key)?;
        let before = history.chunks().len();
        let mut touched = Touched { record: *record, kind, history, before };
        self.author(&mut touched, edits, at_ms)?;
        let touched = vec![touched];
        let moves = self.plan_moves(&touched, &[])?;
        self.store(touched, &moves, None, at_ms)
    }

    /// Adds a change of the server's own to a record.
    fn author(&self, touched: &mut Touched, edits: &[Edit], at_ms: i64) -> Result<(), ServerError> {
        const BAD: ServerError = ServerError::Corrupt("the server's own change could not be made");
        let actor = self.keys.actor(&touched.record.key);
        let mut document = touched.history.document().clone();
        let authored = document.edit(actor, at_ms.div_euclid(1000), edits).map_err(|_| BAD)?;
        let Some(authored) = authored else { return Ok(()) };
        let parsed = change::parse(&authored.chunk).map_err(|_| BAD)?;
        touched.history.authored(document, &parsed);
        Ok(())
    }

    /// Writes what a change set made of its records: rows, audiences, log entries and facts.
    fn store(
        &mut self,
        touched: Vec<Touched>,
        moves: &audiences::Moves,
        push: Option<(&Actor, &[u8])>,
        at_ms: i64,
    ) -> Result<(), ServerError> {
        let mut sums = BTreeMap::new();
        for touched in &touched {
            if touched.before == 0 {
                records::add(self.db, &touched.record, at_ms)?;
            }
            let sum_before = digests::of_record(self.db, &touched.record.key)?;
            let mut sum = sum_before;
            for (ord, chunk) in (1_u64..).zip(touched.history.chunks()).skip(touched.before) {
                let parsed =
                    change::parse(chunk).map_err(|_| ServerError::Corrupt("an admitted change does not read"))?;
                let push_root = push.filter(|(actor, _)| **actor == parsed.actor).map_or(&[][..], |(_, root)| root);
                let stored = StoredChange {
                    hash: parsed.hash,
                    actor: parsed.actor,
                    seq: parsed.seq,
                    max_op: parsed.max_op(),
                    push_root: push_root.to_vec(),
                    received_ms: at_ms,
                    chunk: chunk.clone(),
                };
                records::add_change(self.db, &touched.record.key, ord, &stored)?;
                sum = sum.with(&Item::of(&touched.record, &parsed.hash));
            }
            digests::set_record(self.db, &touched.record.key, sum)?;
            sums.insert(touched.record.key, (sum_before, sum));
        }
        self.move_records(&touched, moves, &sums, at_ms)?;
        for touched in touched {
            self.count(&touched)?;
            self.changed.insert(touched.record.key, Arc::new(touched.history));
        }
        Ok(())
    }

    /// Keeps the facts that figures are counted from.
    fn count(&self, touched: &Touched) -> Result<(), ServerError> {
        crate::facts::update(self.db, touched.kind, &touched.record, touched.history.document())
    }

    /// Appends to the logs, last of all.
    pub(crate) fn finish(self) -> Result<Finished, ServerError> {
        let grown = self.journal.append(self.db)?;
        Ok(Finished { changed: self.changed, grown })
    }
}
