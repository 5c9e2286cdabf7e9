//! What may lie where the store should be.

use std::fs;
use std::path::Path;

use foras::error::Error;
use foras::store::Store;
use foras_record::kind::Kind;
use foras_record::role::Role;

use crate::desk::{NOW_MS, Seeded, Someone, put, put_item, register, shown};
use crate::server::Server;

fn open(dir: &Path) -> Result<Store, Error> {
    Store::open_with(dir, Seeded::boxed(1))
}

fn with_awa(dir: &Path) -> Server {
    let mut server = Server::new();
    let mut store = open(dir).unwrap();
    server.enrol(&mut store, Role::Outreach, &["oujda"], None, "Samira");
    register(&mut store, Someone::numbered(1), "Awa", "oujda", 1);
    server
}

#[test]
fn a_store_closed_and_opened_holds_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = with_awa(dir.path());
    let mut store = open(dir.path()).unwrap();
    let awa = Someone::numbered(1);
    assert_eq!(shown(&mut store, &awa.person, "name").as_deref(), Some("Awa"));
    assert_eq!(store.pending().unwrap().changes, 3);
    assert_eq!(store.identity().unwrap().role(), Role::Outreach);
    server.sync(&mut store);
    drop(store);
    let mut store = open(dir.path()).unwrap();
    server.assert_converged(&mut store);
}

#[test]
fn a_second_opening_is_refused_until_the_first_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(Error::InUse)));
    drop(first);
    open(dir.path()).unwrap();
}

#[test]
fn files_that_are_no_store_are_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("notes.txt");
    fs::write(&file, "a list of names").unwrap();
    assert!(matches!(open(&file), Err(Error::NotAStore)));
    assert_eq!(fs::read(&file).unwrap(), b"a list of names");
    let store = dir.path().join("store");
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join("foras.db"), "a list of names, in French: Élodie").unwrap();
    assert!(matches!(open(&store), Err(Error::NotAStore)));
    assert_eq!(fs::read(store.join("foras.db")).unwrap(), "a list of names, in French: Élodie".as_bytes());
    let other = dir.path().join("other");
    fs::create_dir_all(&other).unwrap();
    rusqlite::Connection::open(other.join("foras.db")).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let before = fs::read(other.join("foras.db")).unwrap();
    assert!(matches!(open(&other), Err(Error::NotAStore)));
    assert_eq!(fs::read(other.join("foras.db")).unwrap(), before);
    let odd = dir.path().join("odd");
    fs::create_dir_all(odd.join("foras.db")).unwrap();
    assert!(matches!(open(&odd), Err(Error::NotAStore)));
    assert_eq!(fs::read_dir(&odd).unwrap().count(), 1);
}

#[test]
fn a_store_of_a_newer_build_is_left_untouched() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_awa(dir.path()));
    let path = dir.path().join("foras.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(open(dir.path()), Err(Error::TooOld { found: 99, known: 2 })));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_damaged_database_is_set_aside_whole_and_the_next_opening_starts_anew() {
    let damages: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes[..64].fill(0xff),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes[4096..].fill(0x5a),
        |bytes| bytes.fill(0),
    ];
    for damage in damages {
        let dir = tempfile::tempdir().unwrap();
        drop(with_awa(dir.path()));
        let path = dir.path().join("foras.db");
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let Err(Error::Corrupt { set_aside: Some(aside) }) = open(dir.path()) else { panic!("not set aside") };
        assert_eq!(fs::read(aside).unwrap(), bytes);
        let store = open(dir.path()).unwrap();
        assert!(store.identity().is_none());
        drop(store);
    }
}

#[test]
fn a_damaged_database_is_set_aside_with_its_journal_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_awa(dir.path()));
    let mut store = open(dir.path()).unwrap();
    store.commit(NOW_MS, &[put(Someone::numbered(1).person, "name", "Hawa")]).unwrap();
    let killed = dir.path().join("killed");
    fs::create_dir_all(&killed).unwrap();
    let wal = fs::read(dir.path().join("foras.db-wal")).unwrap();
    let mut database = fs::read(dir.path().join("foras.db")).unwrap();
    drop(store);
    let half = database.len() / 2;
    database[half..].fill(0x5a);
    fs::write(killed.join("foras.db"), &database).unwrap();
    fs::write(killed.join("foras.db-wal"), &wal).unwrap();
    let Err(Error::Corrupt { set_aside: Some(aside) }) = open(&killed) else { panic!("not set aside") };
    assert_eq!(fs::read(&aside).unwrap(), database);
    let mut journal = aside.into_os_string();
    journal.push("-wal");
    assert_eq!(fs::read(journal).unwrap(), wal);
    open(&killed).unwrap();
}

#[test]
fn every_cut_of_the_journal_leaves_a_store_that_opens() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_awa(dir.path()));
    let mut store = open(dir.path()).unwrap();
    let awa = Someone::numbered(1);
    store.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    // A copy of the files as they are is what a killed process leaves.
    let copied = dir.path().join("killed");
    let wal = fs::read(dir.path().join("foras.db-wal")).unwrap();
    let database = fs::read(dir.path().join("foras.db")).unwrap();
    drop(store);
    for end in (0..=wal.len()).rev().step_by(997) {
        let _ = fs::remove_dir_all(&copied);
        fs::create_dir_all(&copied).unwrap();
        fs::write(copied.join("foras.db"), &database).unwrap();
        fs::write(copied.join("foras.db-wal"), &wal[..end]).unwrap();
        let mut store = open(&copied).unwrap();
        let name = shown(&mut store, &awa.person, "name").unwrap();
        assert!(name == "Awa" || name == "Hawa");
        assert!(end < wal.len() || name == "Hawa", "what was committed is there");
        assert_eq!(store.pending().unwrap().changes, if name == "Hawa" { 4 } else { 3 });
    }
}

#[test]
fn the_database_is_its_owners_alone() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).unwrap();
        for file in fs::read_dir(dir.path()).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
        drop(store);
    }
}

#[test]
fn an_interrupted_first_opening_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("foras.db"), b"").unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(store.list(Kind::Person, &Default::default()).unwrap().total, 0);
}

/// Transactions in the journal: frames that say how large the database is after them (sqlite.org/walformat.html).
fn transactions(dir: &Path) -> usize {
    let wal = fs::read(dir.join("foras.db-wal")).unwrap();
    wal.get(32..).unwrap_or_default().chunks_exact(24 + 4096).filter(|frame| frame[4..8] != [0; 4]).count()
}

#[test]
fn an_action_over_several_records_costs_one_transaction() {
    let dir = tempfile::tempdir().unwrap();
    drop(with_awa(dir.path()));
    let mut store = open(dir.path()).unwrap();
    let awa = Someone::numbered(1);
    let before = transactions(dir.path());
    let session = foras_wire::id::RecordId([5; 16]).to_string();
    let set = [
        put(awa.person, "name", "Hawa"),
        put(awa.badge, "name", "Hawa"),
        put_item(awa.path, "attendance", &session, "present"),
    ];
    store.commit(NOW_MS, &set).unwrap();
    assert_eq!(transactions(dir.path()) - before, 1);
    register(&mut store, Someone::numbered(2), "Binta", "oujda", 2);
    assert_eq!(transactions(dir.path()) - before, 2, "a case number is used up in the same one");
}
