//! `cold-ingest`: the phone's CPU for a cold start, from the first request until people and sessions are listed and found,
//! against inserting the same rows as JSON. What a phone does later, while it is idle, stands beside it.

use foras::phone::{Filter, Phone};
use foras_record::role::Role;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};

use crate::input::programme;
use crate::measure::cpu;
use crate::measure::outcome::{Outcome, rounded};
use crate::workload::Workload;

const GOAL: f64 = 4.0;
/// Rows of JSON in one transaction, about as many as a page brings.
const ROWS_AT_ONCE: usize = 50;

pub(crate) fn run(workload: &mut Workload) -> Outcome {
    let mut phone = workload.programme().phone(Role::HostCounsellor);
    let sessions = workload.sessions() as u64;
    let cases = workload.cases() as u64;
    // A phone's own thread does everything: receives, decompresses, checks, stores and lists.
    let (ours, ()) = cpu::of_thread(|| {
        programme::sync(&mut phone.phone);
        assert_eq!(listed(&mut phone.phone, "people", None), cases);
        assert_eq!(listed(&mut phone.phone, "sessions", None), sessions);
        assert!(listed(&mut phone.phone, "people", Some("a")) > 0);
    });
    // The other records of cases get their rows when somebody asks for them, and all are tried: later, while it is idle.
    let (unfolded_ns, ()) =
        cpu::of_thread(|| while phone.phone.store_mut().unfold_next().expect("records get their rows") {});
    let (verified_ns, ()) = cpu::of_thread(|| programme::verify(&mut phone.phone));
    let rows = programme::rows(&mut phone.phone);
    let limit = json_rows_ns(&rows);
    let mut outcome = Outcome::ratio("cold-ingest", ms(ours), ms(limit), Some(GOAL));
    outcome.put("unit", "ms of CPU").put("cases", workload.cases());
    outcome.put("us_per_case", rounded(ours as f64 / 1_000.0 / workload.cases().max(1) as f64));
    outcome.put("unfolded_later", rounded(ms(unfolded_ns))).put("verified_later", rounded(ms(verified_ns)));
    outcome
}

/// How many are listed.
fn listed(phone: &mut Phone, what: &str, search: Option<&str>) -> u64 {
    let filter = Filter { search: search.map(str::to_owned), page: 1, ..Filter::default() };
    phone.list(what, &filter).expect("a list").total
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1_000_000.0
}

/// Inserts rows of JSON, each with its id, under the settings of a phone's store.
fn json_rows_ns(rows: &str) -> u64 {
    let folder = programme::folder_in_memory();
    let mut connection = store_like(&folder.path().join("rows.db"));
    connection
        .execute_batch("CREATE TABLE row (id BLOB NOT NULL, json TEXT NOT NULL, PRIMARY KEY (id)) STRICT")
        .expect("a table");
    let rows: Vec<(Vec<u8>, &str)> = rows.lines().enumerate().map(|(number, row)| (id(number, row), row)).collect();
    let (spent_ns, ()) = cpu::of_thread(|| {
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let transaction = connection.transaction().expect("a transaction");
            {
                let mut insert =
                    transaction.prepare_cached("INSERT INTO row (id, json) VALUES (?1, ?2)").expect("an insert");
                for (id, row) in rows {
                    insert.execute(params![id, row]).expect("a row");
                }
            }
            transaction.commit().expect("a commit");
        }
    });
    spent_ns
}

/// The id that stands in the row, as bytes.
fn id(number: usize, row: &str) -> Vec<u8> {
    let parsed: serde_json::Value = serde_json::from_str(row).expect("a row of JSON");
    let id = parsed.get("id").and_then(serde_json::Value::as_str);
    let id = id.and_then(|id| id.parse::<foras_wire::id::RecordId>().ok());
    id.map_or_else(|| number.to_be_bytes().to_vec(), |id| id.as_bytes().to_vec())
}

/// A database with the settings of a phone's store.
pub(crate) fn store_like(path: &std::path::Path) -> Connection {
    let connection = Connection::open(path).expect("a database");
    connection
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON",
        )
        .expect("settings");
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).expect("a setting");
    connection
}
