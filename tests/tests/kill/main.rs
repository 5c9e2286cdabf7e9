//! Processes that are killed (SIGKILL) at any moment, a phone's and a server's: what was acknowledged is there afterwards,
//! and no database is torn.
//!
//! `FORAS_KILLS` and `FORAS_SERVER_KILLS` set how often, `FORAS_SEED` what chance begins with; the long runs are in
//! `tests/simulation/LEDGER.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod phones;
mod servers;

use std::path::Path;

use rusqlite::Connection;

/// The database's pages are what they should be.
fn assert_whole(folder: &Path) {
    let connection = Connection::open(folder.join("foras.db")).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok", "torn");
}

fn number_in(variable: &str) -> Option<usize> {
    std::env::var(variable).ok().and_then(|number| number.parse().ok())
}
