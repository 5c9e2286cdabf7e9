//! Rows for the audience logs, collected over a transaction and appended at its end, audience by audience in sorted
//! order: two transactions never wait for each other's heads.

use std::collections::BTreeMap;

use foras_record::role::Role;
use foras_wire::frame;
use foras_wire::id::Actor;
use foras_wire::page::AuthorEntry;
use foras_wire::reconcile::Sum;
use foras_wire::record::RecordKey;
use rusqlite::Connection;

use crate::error::ServerError;
use crate::storage::authors::{self, Author};
use crate::storage::digests;
use crate::storage::logs::{self, Code, LogRow, NO_RECORD};
use crate::storage::records;

/// Rows that wait for the end of the transaction.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    rows: BTreeMap<String, Vec<LogRow>>,
    /// By how much the sums of audiences change.
    shifts: BTreeMap<String, Sum>,
}

impl Journal {
    /// A change of a record, its number `ord`.
    pub(crate) fn change(&mut self, audience: &str, record: &RecordKey, ord: u64, at_ms: i64) {
        self.push(audience, Code::Change, record, ord, at_ms);
    }

    /// A record with all its changes up to number `ord`.
    pub(crate) fn whole(&mut self, audience: &str, record: &RecordKey, ord: u64, at_ms: i64) {
        self.push(audience, Code::Whole, record, ord, at_ms);
    }

    /// A record that leaves. What this transaction was about to say of it is not said.
    pub(crate) fn drop_record(&mut self, audience: &str, record: &RecordKey, at_ms: i64) {
        if let Some(rows) = self.rows.get_mut(audience) {
            rows.retain(|row| row.record != *record);
        }
        self.push(audience, Code::Drop, record, 0, at_ms);
    }

    /// The audience's copy changes by `by`.
    pub(crate) fn shift_digest(&mut self, audience: &str, by: Sum) {
        if by != Sum::default() {
            self.rows.entry(audience.to_owned()).or_default();
            let shift = self.shifts.entry(audience.to_owned()).or_default();
            *shift = shift.plus(by);
        }
    }

    fn push(&mut self, audience: &str, code: Code, record: &RecordKey, ord: u64, at_ms: i64) {
        let row = LogRow { code, record: *record, ord, body: Vec::new(), at_ms };
        self.rows.entry(audience.to_owned()).or_default().push(row);
    }

    /// Appends everything; each actor is introduced before its first change. The server's own need no introduction: they
    /// follow from its key. Returns the audiences whose logs grow.
    pub(crate) fn append(self, db: &Connection) -> Result<Vec<String>, ServerError> {
        let mut grown = Vec::with_capacity(self.rows.len());
        for (audience, rows) in self.rows {
            let mut ready = Vec::with_capacity(rows.len());
            for row in rows {
                for actor in actors(db, &row)? {
                    let Some(author) = authors::get(db, &actor)?.filter(|author| author.device.is_some()) else {
                        continue;
                    };
                    if authors::introduce(db, &audience, &actor)? {
                        ready.push(introduction(author, row.at_ms));
                    }
                }
                ready.push(row);
            }
            logs::append(db, &audience, &ready)?;
            if let Some(by) = self.shifts.get(&audience) {
                digests::shift_audience(db, &audience, *by)?;
            }
            grown.push(audience);
        }
        Ok(grown)
    }
}

fn actors(db: &Connection, row: &LogRow) -> Result<Vec<Actor>, ServerError> {
    match row.code {
        Code::Change => Ok(records::change(db, &row.record, row.ord)?.into_iter().map(|change| change.actor).collect()),
        Code::Whole => records::actors(db, &row.record, row.ord),
        _ => Ok(Vec::new()),
    }
}

/// Who an actor is, without the names of migrants.
fn introduction(author: Author, at_ms: i64) -> LogRow {
    let name = author.name.filter(|_| author.role != Role::Migrant.code());
    let entry = AuthorEntry { actor: author.actor, name, role: author.role };
    LogRow { code: Code::Author, record: NO_RECORD, ord: 0, body: frame::to_cbor(&entry), at_ms }
}
