//! What is dropped leaves no byte in any file of the store.

use std::fs;
use std::path::Path;

use foras::store::Store;
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_wire::id::RecordId;
use foras_wire::page::Entry;

use crate::desk::{NOW_MS, Seeded, Someone, put, register, text};
use crate::server::Server;

/// Files of the store that hold these bytes.
fn files_with(dir: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for file in fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        if bytes.windows(needle.len()).any(|window| window == needle) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// A store that holds `people` people, each with long notes so that pages of the database overflow and split.
fn filled(server: &mut Server, dir: &Path, people: u8) -> Store {
    let mut store = Store::open_with(dir, Seeded::boxed(1)).unwrap();
    server.enrol(&mut store, Role::HostCounsellor, &["oujda"], None, "Karim");
    for number in 1..=people {
        let someone = Someone::numbered(number);
        register(&mut store, someone, &format!("Canary{number:03}"), "oujda", number);
        let note = note_of(someone, number);
        let words = format!("Chirp{number:03} ").repeat(7 * usize::from(number));
        store.commit(NOW_MS, &[text(note, "text", words.trim())]).unwrap();
        if number % 3 == 0 {
            store.commit(NOW_MS, &[put(someone.person, "name", &format!("Renamed{number:03}"))]).unwrap();
        }
    }
    store
}

fn note_of(someone: Someone, number: u8) -> foras_wire::record::RecordRef {
    identity::record(Kind::Note, RecordId([number ^ 0xa0; 16]), Some(someone.case_id()))
}

fn assert_gone(dir: &Path, number: u8) {
    for word in ["Canary", "canary", "Chirp", "chirp", "Renamed", "renamed"] {
        let needle = format!("{word}{number:03}");
        assert_eq!(files_with(dir, needle.as_bytes()), Vec::<String>::new(), "{needle}");
    }
    assert_eq!(files_with(dir, &Someone::numbered(number).person.key.id.0), Vec::<String>::new());
}

#[test]
fn dropped_records_leave_no_byte_once_the_page_is_applied() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    let mut store = filled(&mut server, dir.path(), 24);
    server.sync(&mut store);
    assert!(!files_with(dir.path(), b"Canary007").is_empty(), "the search finds what is there");
    for number in [2, 3, 7, 8, 9, 15, 20, 24] {
        let someone = Someone::numbered(number);
        for record in store.records_of_case(&someone.case_id()).unwrap() {
            for audience in store.holdings().unwrap()[&record].clone() {
                server.log(audience.as_str(), Entry::Drop(record.key));
            }
        }
    }
    server.bring(&mut store, &Default::default());
    for number in [2, 3, 7, 8, 9, 15, 20, 24] {
        assert_gone(dir.path(), number);
    }
    assert_eq!(store.list(Kind::Person, &Default::default()).unwrap().total, 16);
    drop(store);
    assert_gone(dir.path(), 7);
}

#[test]
fn unsent_work_of_a_dropped_record_goes_once_the_server_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    let mut store = filled(&mut server, dir.path(), 5);
    server.sync(&mut store);
    let someone = Someone::numbered(4);
    store.commit(NOW_MS, &[put(someone.person, "name", "Canary004 again")]).unwrap();
    for record in store.records_of_case(&someone.case_id()).unwrap() {
        for audience in store.holdings().unwrap()[&record].clone() {
            server.log(audience.as_str(), Entry::Drop(record.key));
        }
    }
    server.bring(&mut store, &Default::default());
    assert_eq!(store.pending().unwrap().changes, 1);
    assert!(!files_with(dir.path(), b"Canary004").is_empty(), "unsent work is never lost in silence");
    let rows = store.work(&Default::default()).unwrap().pushes[0].rows.clone();
    let settled =
        rows.iter().map(|row| foras_sync::work::Settlement { row: *row, fate: foras_sync::work::Fate::Durable });
    store.settle(&settled.collect::<Vec<_>>(), NOW_MS).unwrap();
    assert_gone(dir.path(), 4);
}

#[test]
fn an_erased_person_takes_unsent_work_and_notices_along() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    let mut store = filled(&mut server, dir.path(), 5);
    server.sync(&mut store);
    let someone = Someone::numbered(3);
    server.refuse.insert("literacy", "closed");
    store
        .commit(NOW_MS, &[put(someone.person, "literacy", "some"), put(someone.badge, "name", "Canary003 b")])
        .unwrap();
    server.sync(&mut store);
    assert!(!store.refused().unwrap().is_empty());
    store.commit(NOW_MS, &[put(someone.person, "name", "Canary003 c")]).unwrap();
    server.log("casework:oujda", Entry::Erase(someone.case_id()));
    server.bring(&mut store, &Default::default());
    assert_eq!((store.pending().unwrap().changes, store.refused().unwrap().len()), (0, 0));
    assert_gone(dir.path(), 3);
    assert_eq!(files_with(dir.path(), &someone.case_id().0), Vec::<String>::new());
}
