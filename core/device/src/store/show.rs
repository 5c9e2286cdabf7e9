//! One record or case as a person opens it.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::admission::History;
use foras_record::document::{Document, FieldState, Held};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::standing::Standing;
use foras_wire::audience::AudienceName;
use foras_wire::id::{Actor, Digest32, RecordId};
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{OptionalExtension, params};

use super::author::Author;
use super::cache::Kept;
use super::delivery::Delivery;
use super::fold::Asked;
use super::writing::Loaded;
use super::{Store, rows, segment, writing};
use crate::error::Error;

/// One record with its fields and their authors.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The record.
    pub record: RecordRef,
    /// Its kind.
    pub kind: Kind,
    /// Fields that somebody wrote, by name.
    pub fields: BTreeMap<&'static str, FieldState>,
    /// Who wrote them. An actor that the server has not introduced yet is missing.
    pub authors: BTreeMap<Actor, Author>,
    /// How far the record has come.
    pub delivery: Delivery,
}

impl Store {
    /// The record's document. At most 64 stay loaded.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the device does not hold it, or its kind is unknown to this build.
    pub fn document(&mut self, key: &RecordKey) -> Result<Document, Error> {
        self.with_history(key, |history| history.document().clone())
    }

    /// What `read` makes of the record.
    pub(super) fn with_history<T>(&mut self, key: &RecordKey, read: impl FnOnce(&History) -> T) -> Result<T, Error> {
        let kind = Kind::of_code(key.kind).ok_or(Error::NotFound)?;
        let look = self.look(Asked::Record(key))?;
        let result = self.with_history_of_row(kind, key, read);
        self.looked(look);
        result
    }

    fn with_history_of_row<T>(
        &mut self,
        kind: Kind,
        key: &RecordKey,
        read: impl FnOnce(&History) -> T,
    ) -> Result<T, Error> {
        if let Some(kept) = self.cache.take(key) {
            let result = read(&kept.history);
            self.cache.put(kept);
            return Ok(result);
        }
        let (row, record) = rows::find(&self.connection, key)?.ok_or(Error::NotFound)?;
        let (history, is_kept) = match writing::load(&self.connection, kind, row)? {
            Loaded::Whole(history) => (*history, true),
            Loaded::Received(_) => self.verify(kind, key)?,
        };
        let result = read(&history);
        if is_kept {
            self.cache.put(Kept { row, record, history, standing: None });
        }
        Ok(result)
    }

    /// Tries a record that came in a pack, and whether what came of it was kept: where the disk is full, it is looked at
    /// only. It must not stay loaded then, since its rows do not say the same.
    fn verify(&mut self, kind: Kind, key: &RecordKey) -> Result<(History, bool), Error> {
        let (row, record) = rows::find(&self.connection, key)?.ok_or(Error::NotFound)?;
        let segment = segment::of_record(&self.connection, row)?.ok_or(Error::NotFound)?;
        let tried = self.opened.try_record(&self.connection, kind, segment, &record)?;
        let changed_ms = rows::changed_ms(&self.connection, row)?;
        if !self.connection.is_autocommit() {
            // Its row is in memory only.
            return Ok((tried.history, false));
        }
        let kept = self.begin(changed_ms).and_then(|mut writing| {
            writing.verified(&record, row, &tried)?;
            writing.commit()
        });
        let kept = match kept {
            Ok(changed) => {
                self.observers.tell(&changed);
                true
            }
            Err(Error::StorageFull) => false,
            Err(error) => return Err(error),
        };
        Ok((tried.history, kept))
    }

    /// The record's fields with who wrote them, and how far it has come.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the device does not hold it.
    pub fn show(&mut self, key: &RecordKey) -> Result<Shown, Error> {
        let kind = Kind::of_code(key.kind).ok_or(Error::NotFound)?;
        let look = self.look(Asked::Record(key))?;
        let shown = self.show_row(kind, key);
        self.looked(look);
        shown
    }

    fn show_row(&mut self, kind: Kind, key: &RecordKey) -> Result<Shown, Error> {
        let (_, record) = rows::find(&self.connection, key)?.ok_or(Error::NotFound)?;
        let fields = self.with_history(key, |history| history.document().fields())?;
        let mut authors = BTreeMap::new();
        for actor in fields.values().flat_map(actors) {
            if let Some(author) = self.author(key, &actor)? {
                authors.insert(actor, author);
            }
        }
        Ok(Shown { record, kind, fields, authors, delivery: self.delivery(key)? })
    }

    /// The record of this key as the device holds it; `None` when it does not.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn record(&self, key: &RecordKey) -> Result<Option<RecordRef>, Error> {
        self.looking(Asked::Record(key), || Ok(rows::find(&self.connection, key)?.map(|(_, record)| record)))
    }

    /// Every record of a case that the device holds, by kind.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn records_of_case(&self, case: &RecordId) -> Result<Vec<RecordRef>, Error> {
        self.looking(Asked::Case(case), || {
            let sql = "SELECT kind, id, case_id, generation FROM record WHERE case_id = ?1 ORDER BY kind, row";
            let mut statement = self.connection.prepare_cached(sql)?;
            let records = statement.query_map([case.as_bytes()], |row| rows::record_ref(row, 0))?;
            Ok(records.collect::<Result<_, _>>()?)
        })
    }

    /// Whether the device holds any record of this case.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn holds_case(&self, case: &RecordId) -> Result<bool, Error> {
        self.looking(Asked::Case(case), || {
            Ok(self.connection.prepare_cached("SELECT 1 FROM record WHERE case_id = ?1")?.exists([case.as_bytes()])?)
        })
    }

    /// The case of this id (32 lowercase hex) or case number, if the device holds any record of it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it holds none.
    pub fn find_case(&self, text: &str) -> Result<RecordId, Error> {
        if let Ok(id) = text.parse::<RecordId>() {
            return if self.holds_case(&id)? { Ok(id) } else { Err(Error::NotFound) };
        }
        let sql = "SELECT id FROM record WHERE number = ?1 AND number <> '' AND kind = ?2 LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let words = params![text, Kind::Case.code().0];
        let id = statement.query_row(words, |row| rows::array(row, 0)).optional()?;
        id.map(RecordId).ok_or(Error::NotFound)
    }

    /// Where a case stands, by the rulings that the device holds.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the device does not hold the case record.
    pub fn standing(&mut self, case: &RecordId) -> Result<Standing, Error> {
        let key = identity::record(Kind::Case, *case, Some(*case)).key;
        self.with_history(&key, |history| Standing::of(history.document()))
    }

    /// Fingerprints of the content of every record that the device holds, by audience; for comparing replicas. Records
    /// of kinds that this build does not know are left out.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn content_by_audience(&mut self) -> Result<BTreeMap<AudienceName, BTreeMap<RecordKey, Digest32>>, Error> {
        let look = self.look(Asked::All)?;
        let content = self.content_of_rows();
        self.looked(look);
        content
    }

    fn content_of_rows(&mut self) -> Result<BTreeMap<AudienceName, BTreeMap<RecordKey, Digest32>>, Error> {
        let sql = "SELECT record.kind, record.id, record.case_id, record.generation, holding.audience \
                   FROM holding JOIN record ON record.row = holding.record";
        let mut statement = self.connection.prepare(sql)?;
        let found = statement.query_map([], |row| Ok((rows::record_ref(row, 0)?.key, row.get::<_, String>(4)?)))?;
        let found = found.collect::<Result<Vec<_>, _>>()?;
        drop(statement);
        let mut content: BTreeMap<AudienceName, BTreeMap<RecordKey, Digest32>> = BTreeMap::new();
        for (key, audience) in found {
            if Kind::of_code(key.kind).is_none() {
                continue;
            }
            let audience = audience.parse().map_err(|_| Error::Corrupt { set_aside: None })?;
            let fingerprint = self.with_history(&key, |history| history.document().content().fingerprint())?;
            content.entry(audience).or_default().insert(key, fingerprint);
        }
        Ok(content)
    }

    /// Every record that the device stores, with the audiences through which it holds it: none while it is only here.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn holdings(&self) -> Result<BTreeMap<RecordRef, BTreeSet<AudienceName>>, Error> {
        self.looking(Asked::All, || {
            let sql = "SELECT record.kind, record.id, record.case_id, record.generation, coalesce(holding.audience, '') \
                       FROM record LEFT JOIN holding ON holding.record = record.row";
            let mut statement = self.connection.prepare(sql)?;
            let found = statement.query_map([], |row| Ok((rows::record_ref(row, 0)?, row.get::<_, String>(4)?)))?;
            let mut holdings: BTreeMap<RecordRef, BTreeSet<AudienceName>> = BTreeMap::new();
            for one in found {
                let (record, audience) = one?;
                holdings.entry(record).or_default().extend(audience.parse());
            }
            Ok(holdings)
        })
    }
}

fn actors(state: &FieldState) -> Vec<Actor> {
    let items = state.items.values().flat_map(|item| std::iter::once(&item.shown).chain(&item.others));
    let held: Vec<&Held> = state.shown.iter().chain(&state.others).chain(items).collect();
    held.into_iter().map(|held| held.actor).collect()
}
