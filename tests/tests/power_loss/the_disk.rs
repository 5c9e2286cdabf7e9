//! The disk itself: it does lose what nobody synced, or these stories would prove nothing.

use foras_tests::power::{Machine, Survives, plug_in};
use foras_tests::world::chance::Chance;
use rusqlite::Connection;
use tempfile::TempDir;

use super::trial::folder;

/// A database in which 40 rows were committed, one after the other, before the power went.
fn cut_after_forty_rows(synchronous: &str, journal: &str, survives: Survives, seed: u64) -> (TempDir, Machine) {
    let folder = folder();
    let machine = plug_in(folder.path());
    let connection = Connection::open(folder.path().join("rows.db")).unwrap();
    connection.query_row(&format!("PRAGMA journal_mode = {journal}"), [], |_| Ok(())).unwrap();
    connection.execute_batch("CREATE TABLE row (number INTEGER PRIMARY KEY, text TEXT)").unwrap();
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    for number in 0..40 {
        connection.execute("INSERT INTO row VALUES (?1, hex(randomblob(300)))", [number]).unwrap();
    }
    machine.cut();
    drop(connection);
    machine.reboot(survives, &Chance::new(seed));
    (folder, machine)
}

/// Rows that are there, or `None` when the database is torn.
fn rows(folder: &TempDir) -> Option<u32> {
    let connection = Connection::open(folder.path().join("rows.db")).unwrap();
    let verdict = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    verdict.ok().filter(|verdict| verdict == "ok")?;
    connection.query_row("SELECT count(*) FROM row", [], |row| row.get(0)).ok()
}

#[test]
fn a_database_that_syncs_each_commit_loses_none() {
    // Without a write-ahead log only EXTRA syncs the folder after the journal was deleted (sqlite.org/pragma.html).
    for (journal, synchronous) in [("WAL", "FULL"), ("WAL", "EXTRA"), ("DELETE", "EXTRA")] {
        for (seed, survives) in (0..).zip([Survives::Nothing, Survives::Everything, Survives::Sectors(512)]) {
            let (folder, machine) = cut_after_forty_rows(synchronous, journal, survives, seed);
            assert_eq!(rows(&folder), Some(40), "{journal}, {survives:?}");
            assert!(machine.counts().syncs >= 40);
        }
    }
}

#[test]
fn a_database_that_syncs_less_loses_rows() {
    for (journal, synchronous) in [("WAL", "NORMAL"), ("DELETE", "FULL")] {
        let (folder, _machine) = cut_after_forty_rows(synchronous, journal, Survives::Nothing, 1);
        assert!(rows(&folder).is_some_and(|rows| rows < 40), "{journal}");
    }
}

#[test]
fn a_database_that_never_syncs_is_torn_sooner_or_later() {
    let torn = (0..20).filter(|seed| {
        let (folder, _machine) = cut_after_forty_rows("OFF", "DELETE", Survives::Sectors(512), *seed);
        rows(&folder).is_none()
    });
    assert!(torn.count() > 0);
}
