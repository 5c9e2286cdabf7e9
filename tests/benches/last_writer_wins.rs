//! What an edit is measured against: a last-writer-wins row per record, with the same view, the same indexes and a log of
//! what goes out, one durable transaction an edit.
//!
//! The view's table is the store's own, from its schema. Each edit reads the row, replaces one field with its time and
//! author, writes the row back, makes the view's columns anew, and logs the edit.

use foras::phone::Phone;
use foras_record::kind::Kind;
use foras_record::projection;
use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::cold_ingest::store_like;
use crate::input::edits::{self, FieldEdit};
use crate::input::programme;

const VIEW: [&str; 2] = [
    include_str!("../../core/device/src/store/migrations/001_store.sql"),
    include_str!("../../core/device/src/store/migrations/002_sync.sql"),
];
const ROWS: &str = "CREATE TABLE lww_row (kind INTEGER NOT NULL, id BLOB NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, id)) STRICT;
    CREATE TABLE lww_log (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, id BLOB NOT NULL, field TEXT NOT NULL,
        value TEXT NOT NULL, at_ms INTEGER NOT NULL, author INTEGER NOT NULL) STRICT;";
/// Kinds whose fields are edited.
const KINDS: [Kind; 3] = [Kind::Person, Kind::Case, Kind::Project];

/// A phone's store without history.
pub(crate) struct LastWriterWins {
    connection: Connection,
    now_ms: i64,
    _folder: TempDir,
}

impl LastWriterWins {
    /// The records that a phone holds, as rows, on the disk that temporary files are on.
    pub(crate) fn of(phone: &mut Phone) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut connection = store_like(&folder.path().join("lww.db"));
        connection.set_prepared_statement_cache_capacity(64);
        for sql in VIEW.into_iter().chain([ROWS]) {
            connection.execute_batch(sql).expect("tables");
        }
        let rows = programme::rows(phone);
        let transaction = connection.transaction().expect("a transaction");
        for row in rows.lines() {
            let row: Map<String, Value> = serde_json::from_str(row).expect("a row");
            if row.contains_key("registered_on") {
                keep_case(&transaction, &row);
            }
        }
        transaction.commit().expect("a commit");
        Self { connection, now_ms: 1_800_000_000_000, _folder: folder }
    }

    /// Whether an edit would change its row.
    pub(crate) fn differs(&self, case: &str, edit: &FieldEdit) -> bool {
        let (_, _, row) = self.row(case, kind_of(edit.field));
        row.get(edit.field).is_none_or(|register| register.get(0) != Some(&edits::value(edit)))
    }

    /// One edit, durable when it returns.
    pub(crate) fn edit(&mut self, case: &str, edit: &FieldEdit) {
        let kind = kind_of(edit.field);
        self.now_ms += 7_000;
        let transaction = self.connection.unchecked_transaction().expect("a transaction");
        let (number, id, mut row) = self.row(case, kind);
        let value = edits::value(edit);
        let stands = row.get(edit.field).and_then(|register| register.get(1)).and_then(Value::as_i64);
        if stands.is_none_or(|at_ms| at_ms < self.now_ms) {
            row.insert(edit.field.to_owned(), json!([value, self.now_ms, 1]));
            let mut update = transaction
                .prepare_cached("UPDATE lww_row SET json = ?3 WHERE kind = ?1 AND id = ?2")
                .expect("an update");
            update.execute(params![kind.code().0, id, Value::Object(row.clone()).to_string()]).expect("a row");
            view(&transaction, number, &row, self.now_ms);
        }
        let mut log = transaction
            .prepare_cached(
                "INSERT INTO lww_log (kind, id, field, value, at_ms, author) VALUES (?1, ?2, ?3, ?4, ?5, 1)",
            )
            .expect("a log");
        log.execute(params![kind.code().0, id, edit.field, value.to_string(), self.now_ms]).expect("a logged edit");
        drop(log);
        transaction.commit().expect("a commit");
    }

    /// The row of a case's record of this kind.
    fn row(&self, case: &str, kind: Kind) -> (i64, Vec<u8>, Map<String, Value>) {
        let case: foras_wire::id::RecordId = case.parse().expect("a case's id");
        let sql = "SELECT record.row, record.id, lww_row.json FROM record \
                   JOIN lww_row ON lww_row.kind = record.kind AND lww_row.id = record.id \
                   WHERE record.case_id = ?1 AND record.kind = ?2";
        let mut find = self.connection.prepare_cached(sql).expect("a query");
        find.query_row(params![case.as_bytes(), kind.code().0], |row| {
            let json: String = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, serde_json::from_str(&json).unwrap_or_default()))
        })
        .expect("a record of the case")
    }
}

/// The kind that holds a field.
fn kind_of(field: &str) -> Kind {
    KINDS.into_iter().find(|kind| kind.rule().field(field).is_some()).expect("a field that is edited")
}

/// Splits a case's row into its records.
fn keep_case(connection: &Connection, row: &Map<String, Value>) {
    let case = row.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let case: foras_wire::id::RecordId = case.expect("a case's id");
    for kind in KINDS {
        let id = foras_wire::id::RecordId::derived(kind.name(), case.as_bytes());
        let fields = row.iter().filter(|(name, _)| kind.rule().field(name).is_some());
        let row: Map<String, Value> = fields.map(|(name, value)| (name.clone(), json!([value, 0, 1]))).collect();
        let mut insert = connection
            .prepare_cached("INSERT INTO record (kind, id, case_id, point) VALUES (?1, ?2, ?3, 'oujda')")
            .expect("an insert");
        insert.execute(params![kind.code().0, id.as_bytes(), case.as_bytes()]).expect("a record");
        let number = connection.last_insert_rowid();
        let mut insert =
            connection.prepare_cached("INSERT INTO lww_row (kind, id, json) VALUES (?1, ?2, ?3)").expect("an insert");
        let json = Value::Object(row.clone()).to_string();
        insert.execute(params![kind.code().0, id.as_bytes(), json]).expect("a row");
        view(connection, number, &row, 0);
    }
}

/// Makes the columns that lists read, from the row.
fn view(connection: &Connection, number: i64, row: &Map<String, Value>, now_ms: i64) {
    let value = |name: &str| row.get(name).and_then(|register| register.get(0));
    let text = |name: &str| value(name).and_then(Value::as_str).unwrap_or_default();
    let title = text("name");
    let mut words = vec![title, text("ref")];
    for name in ["name_variants", "phone"] {
        match value(name) {
            Some(Value::Array(values)) => words.extend(values.iter().filter_map(Value::as_str)),
            Some(Value::String(text)) => words.push(text),
            _ => {}
        }
    }
    let is_prose = |name: &str| matches!(name, "needs" | "skills" | "project_idea" | "business_plan" | "education");
    let columns: Map<String, Value> = row
        .iter()
        .filter(|(name, _)| !is_prose(name))
        .filter_map(|(name, register)| Some((name.clone(), register.get(0)?.clone())))
        .collect();
    let sql = "UPDATE record SET title = ?2, title_key = ?3, search = ?4, number = ?5, sort_at = ?6, columns = ?7, \
               changed_ms = ?8 WHERE row = ?1";
    let mut update = connection.prepare_cached(sql).expect("an update");
    let columns = Value::Object(columns).to_string();
    update
        .execute(params![
            number,
            title,
            projection::fold(title),
            projection::fold(&words.join(" ")),
            text("case_number"),
            text("registered_on"),
            columns,
            now_ms
        ])
        .expect("a view");
}
