//! Work that was not admitted: kept as field edits, shown with its code, and exportable.

use foras_wire::record::RecordRef;
use rusqlite::{Connection, Row, params};

use super::commit::RecordEdits;
use super::settle::{Exit, OutboxRow};
use super::wrote::Wrote;
use super::{Changed, Store, rows};
use crate::error::Error;

/// What the server did with a change that it did not admit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedOutcome {
    /// It refused it.
    Refused,
    /// It keeps it for a supervisor.
    Quarantined,
}

impl RefusedOutcome {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Quarantined => "quarantined",
        }
    }
}

/// One field edit that was not admitted.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedEdit {
    /// Names this edit, for [`Store::dismiss_refused`].
    pub number: u64,
    /// Edits of one action share it.
    pub change_set: u64,
    /// The record.
    pub record: RecordRef,
    /// The field; `None` once the record left the device.
    pub field: Option<String>,
    /// The item, in fields that have items.
    pub item: Option<String>,
    /// What was written: a value, null for a clear, `{"added", "removed"}` for a set. Null once the record left.
    pub value: serde_json::Value,
    /// The stable code of the refusal.
    pub code: String,
    /// What the server did.
    pub outcome: RefusedOutcome,
    /// When the device learnt it, in milliseconds since 1970, device's clock.
    pub at_ms: i64,
}

/// Keeps what a change wrote. A change whose record left the device leaves its code only.
pub(super) fn keep(
    connection: &Connection,
    row: &OutboxRow,
    exit: &Exit,
    wrote: &[Wrote],
    now_ms: i64,
) -> Result<(), Error> {
    let (code, outcome) = match exit {
        Exit::Refused(code) => (code.as_str(), RefusedOutcome::Refused),
        Exit::Quarantined(code) => (code.as_str(), RefusedOutcome::Quarantined),
        Exit::SetRefused | Exit::Reissue => ("set_refused", RefusedOutcome::Refused),
    };
    let sql = "INSERT INTO refused (change_set, kind, id, case_id, field, item, value, code, outcome, saved_ms) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut insert = |field: &str, item: &str, value: &str| {
        let key = &row.record.key;
        statement.execute(params![
            row.change_set.cast_signed(),
            key.kind.0,
            key.id.as_bytes(),
            rows::case_bytes(&row.record),
            field,
            item,
            value,
            code,
            outcome.code(),
            now_ms
        ])
    };
    if wrote.is_empty() {
        insert("", "", "")?;
    }
    for one in wrote {
        insert(one.field.name, one.item.as_deref().unwrap_or_default(), &one.to_json().to_string())?;
    }
    Ok(())
}

/// A person wrote these fields anew: their earlier refusals are dealt with.
pub(super) fn settle_rewritten(connection: &Connection, edits: &RecordEdits) -> Result<(), Error> {
    if !connection.prepare_cached("SELECT 1 FROM refused WHERE settled = 0")?.exists([])? {
        return Ok(());
    }
    let sql = "UPDATE refused SET settled = 1 \
               WHERE settled = 0 AND kind = ?1 AND id = ?2 AND field = ?3 AND item = ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let key = &edits.record.key;
    for edit in &edits.edits {
        let item = edit.item.as_deref().unwrap_or_default();
        statement.execute(params![key.kind.0, key.id.as_bytes(), edit.field.name, item])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<RefusedEdit> {
    let filled = |text: String| (!text.is_empty()).then_some(text);
    let outcome: String = row.get(10)?;
    Ok(RefusedEdit {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        change_set: row.get::<_, i64>(1)?.cast_unsigned(),
        record: rows::record_ref(row, 2)?,
        field: filled(row.get(6)?),
        item: filled(row.get(7)?),
        value: serde_json::from_str(&row.get::<_, String>(8)?).unwrap_or_default(),
        code: row.get(9)?,
        outcome: if outcome == "quarantined" { RefusedOutcome::Quarantined } else { RefusedOutcome::Refused },
        at_ms: row.get(11)?,
    })
}

impl Store {
    /// Every edit that was not admitted and not dealt with since, oldest first.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn refused(&self) -> Result<Vec<RefusedEdit>, Error> {
        let sql = "SELECT seq, change_set, kind, id, case_id, 0, field, item, value, code, outcome, saved_ms \
                   FROM refused WHERE settled = 0 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
    }

    /// A person has seen this refusal: it is no longer shown. False when there is none of that number.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn dismiss_refused(&mut self, number: u64) -> Result<bool, Error> {
        let sql = "UPDATE refused SET settled = 1, value = '' WHERE seq = ?1 AND settled = 0";
        let done = self.connection.prepare_cached(sql)?.execute([number.cast_signed()])? > 0;
        self.observers.tell(&Changed::delivery());
        Ok(done)
    }
}
