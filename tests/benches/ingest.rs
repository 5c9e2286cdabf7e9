//! `ingest`: the server's CPU for a change that it admits, rehearses, stores and logs, against a raw insert of the same
//! rows; and the same with a million rows in its logs against ten thousand.

use std::path::Path;

use foras_record::role::Role;
use foras_tests::office::Office;
use rusqlite::{Connection, params};

use crate::catchup_bytes;
use crate::input::programme::{self, FieldPhone, Programme};
use crate::measure::cpu;
use crate::measure::outcome::{Outcome, rounded};
use crate::measure::progress;
use crate::workload::Workload;

/// At most so many times the CPU of ten thousand rows, with a million.
const GROWTH_GOAL: f64 = 1.3;
/// Log rows of the small and of the large server; of the large one in a quick run.
const ROWS: usize = 10_000;
const MANY_ROWS: u64 = 1_000_000;
const MANY_ROWS_QUICK: u64 = 250_000;
/// Log rows that a case costs, about.
const ROWS_PER_CASE: usize = 13;
/// Edits that are measured.
const EDITS: usize = 2_000;
/// Syncs in which they travel.
const ROUNDS: usize = 5;
/// Changes in one transaction of the raw insert, as the server takes change sets.
const CHANGES_AT_ONCE: usize = 64;

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let cases = (ROWS / ROWS_PER_CASE).min(workload.cases());
    let edits = workload.share_of(EDITS).max(50);
    let loaded = Programme::load(cases, workload.sessions(), workload.seed());
    let many = if workload.quick() { MANY_ROWS_QUICK } else { MANY_ROWS };
    let many = many.min(workload.cases() as u64 * 100);
    // Both are fresh servers on a copy: the one that loaded the programme has other things in memory.
    let small = loaded.copy();
    progress::says(format_args!("a copy grows to {many} log rows"));
    let large = loaded.copy_with(|folder| grow(folder, many));
    progress::says(format_args!("{edits} edits for each server"));
    let (few_rows, many_rows) = (log_rows(&small.office), log_rows(&large.office));
    let raw_folder = programme::folder_in_memory();
    small.copy_data(raw_folder.path());
    let (mut few, mut many) = (Pushing::begin(&small), Pushing::begin(&large));
    // Each server goes first every other time, so that neither gains from what the other warmed.
    for round in 0..ROUNDS {
        let (first, second) = if round % 2 == 0 { (&mut few, &mut many) } else { (&mut many, &mut few) };
        first.push(edits / ROUNDS);
        second.push(edits / ROUNDS);
    }
    let changes = stored_since(&small.office.database(), few.before);
    assert_eq!(changes.len(), few.sent, "every change is stored");
    let raw_us = raw(&raw_folder.path().join("foras.db"), &changes);
    let growth = few.us_per_change.iter().zip(&many.us_per_change).map(|(few, many)| many / few).collect();
    let mut outcome = Outcome::ratio("ingest", middle(few.us_per_change), raw_us, None);
    outcome.put("unit", "us of CPU per change").also("growth", middle(growth), GROWTH_GOAL);
    outcome.put("log_rows", few_rows).put("log_rows_many", many_rows);
    outcome.put("ours_many", rounded(middle(many.us_per_change))).put("changes", changes.len());
    outcome
}

/// A change row and its log rows, as the server made them.
type Stored = (ChangeRow, Vec<LogRow>);
type ChangeRow = (Vec<u8>, i64, i64, Vec<u8>, Vec<u8>, Vec<u8>, i64, Vec<u8>);
type LogRow = (String, i64, i64, Vec<u8>, i64);

/// One phone that pushes to one server.
struct Pushing<'a> {
    programme: &'a Programme,
    phone: FieldPhone,
    /// The server's last change before.
    before: i64,
    sent: usize,
    /// What the server used beside the phone, of each round.
    us_per_change: Vec<f64>,
}

impl<'a> Pushing<'a> {
    fn begin(programme: &'a Programme) -> Self {
        let mut phone = programme.phone(Role::HostCounsellor);
        programme::sync(&mut phone.phone);
        let before = programme.office.database().query_row("SELECT max(rowid) FROM change", [], |row| row.get(0));
        Self { programme, phone, before: before.expect("a change"), sent: 0, us_per_change: Vec::new() }
    }

    /// So many edits, and one sync.
    fn push(&mut self, edits: usize) {
        let programme = self.programme;
        let cases: Vec<_> = (0..edits).map(|_| *programme.chance.one_of(&programme.cases)).collect();
        catchup_bytes::edit(&mut self.phone.phone, &cases, &programme.chance);
        let (_, beside_ns, report) = cpu::here_and_beside(|| programme::sync(&mut self.phone.phone));
        let sent = report.sent as usize;
        self.sent += sent;
        self.us_per_change.push(beside_ns as f64 / 1_000.0 / sent.max(1) as f64);
    }
}

/// The middle one.
fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

fn stored_since(database: &Connection, before: i64) -> Vec<Stored> {
    let mut changes = database
        .prepare("SELECT id, kind, ord, hash, actor, push_root, received_ms, chunk FROM change WHERE rowid > ?1 ORDER BY rowid")
        .expect("changes");
    let changes: Vec<ChangeRow> = changes
        .query_map([before], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
        })
        .and_then(Iterator::collect)
        .expect("changes");
    let mut logged = database
        .prepare("SELECT audience, pos, entry, at_ms FROM audience_log WHERE id = ?1 AND kind = ?2 AND ord = ?3")
        .expect("log rows");
    let mut log_of = |change: &ChangeRow| {
        let rows = logged.query_map(params![change.0, change.1, change.2], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, change.0.clone(), row.get(3)?))
        });
        rows.and_then(Iterator::collect).expect("log rows")
    };
    changes.into_iter().map(|change| (log_of(&change), change)).map(|(log, change)| (change, log)).collect()
}

/// The mean CPU of inserting the same rows into the same tables, with the same indexes and as many rows before.
fn raw(database: &Path, stored: &[Stored]) -> f64 {
    let mut connection = Connection::open(database).expect("a database");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON")
        .expect("settings");
    let (spent_ns, ()) = cpu::of_thread(|| {
        for changes in stored.chunks(CHANGES_AT_ONCE) {
            let transaction = connection.transaction().expect("a transaction");
            for (change, log) in changes {
                transaction
                    .prepare_cached("INSERT INTO change (id, kind, ord, hash, actor, push_root, received_ms, chunk) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
                    .and_then(|mut insert| insert.execute(params![change.0, change.1, change.2, change.3, change.4, change.5, change.6, change.7]))
                    .expect("a change");
                for row in log {
                    transaction
                        .prepare_cached("INSERT INTO audience_log (audience, pos, entry, id, kind, ord, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
                        .and_then(|mut insert| insert.execute(params![row.0, row.1, row.2, row.3, change.1, change.2, row.4]))
                        .expect("a log row");
                }
            }
            transaction.commit().expect("a commit");
        }
    });
    spent_ns as f64 / 1_000.0 / stored.len().max(1) as f64
}

fn log_rows(office: &Office) -> u64 {
    let rows = office.database().query_row("SELECT count(*) FROM audience_log", [], |row| row.get::<_, i64>(0));
    rows.expect("a count").cast_unsigned()
}

/// Adds copies of every record under other ids, in the logs of another point, until there are so many log rows.
fn grow(folder: &Path, rows: u64) {
    let mut connection = Connection::open(folder.join("foras.db")).expect("a database");
    // Only while it grows: a million rows take a minute then, not ten.
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000").expect("settings");
    loop {
        let held: i64 =
            connection.query_row("SELECT count(*) FROM audience_log", [], |row| row.get(0)).expect("a count");
        if held.cast_unsigned() >= rows {
            break;
        }
        let transaction = connection.transaction().expect("a transaction");
        transaction.execute_batch(COPY).expect("copies");
        transaction.commit().expect("a commit");
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
}

/// Copies what stands of the point in Oujda. Copies belong to Rabat, so no phone of the benchmark follows them.
const COPY: &str = "
    CREATE TEMP TABLE copy AS SELECT id AS old, randomblob(16) AS new FROM (SELECT DISTINCT id FROM record_audience
        WHERE audience LIKE '%:oujda');
    CREATE UNIQUE INDEX temp.copy_old ON copy (old);
    INSERT INTO record (id, kind, case_id, generation, created_ms) SELECT copy.new, kind, case_id, generation, created_ms FROM record JOIN copy ON old = id;
    INSERT INTO change (id, kind, ord, hash, actor, push_root, received_ms, chunk)
        SELECT copy.new, kind, ord, randomblob(32), actor, push_root, received_ms, chunk FROM change JOIN copy ON old = id;
    INSERT INTO record_audience (id, kind, audience, left_ms) SELECT copy.new, kind, replace(audience, ':oujda', ':rabat'), left_ms FROM record_audience
        JOIN copy ON old = id WHERE audience LIKE '%:oujda';
    INSERT INTO audience_head (audience, head) SELECT DISTINCT replace(audience, ':oujda', ':rabat'), 0 FROM audience_head
        WHERE audience LIKE '%:oujda' ON CONFLICT DO NOTHING;
    INSERT INTO audience_log (audience, pos, entry, id, kind, ord, body, at_ms)
        SELECT head.audience, head.head + row_number() OVER (PARTITION BY log.audience ORDER BY log.pos), log.entry,
            copy.new, log.kind, log.ord, log.body, log.at_ms
        FROM audience_log AS log JOIN copy ON old = log.id
        JOIN audience_head AS head ON head.audience = replace(log.audience, ':oujda', ':rabat')
        WHERE log.audience LIKE '%:oujda';
    UPDATE audience_head SET head = (SELECT max(pos) FROM audience_log WHERE audience_log.audience = audience_head.audience)
        WHERE audience LIKE '%:rabat';
    DROP TABLE temp.copy;";
