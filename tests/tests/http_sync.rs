//! Syncs over real HTTP: what the simulated world has no bytes of the network for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use foras::phone::{Phone, Setting};
use foras_record::role::Role;
use foras_tests::office::{Office, registration};

/// Prose that does not compress below half its length.
fn prose(seed: u64, length: usize) -> String {
    let chance = foras_tests::world::chance::Chance::new(seed);
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&format!("{:016x}", chance.number()));
    }
    text
}

#[test]
fn an_edit_travels_to_a_colleague_in_one_round_trip_each() {
    let office = Office::open();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut worker = office.enrol(Role::Outreach, here.path());
    let mut counsellor = office.enrol(Role::HostCounsellor, there.path());
    let case = worker.register(&registration("Awa")).unwrap().id;
    let sent = worker.sync(None).unwrap();
    assert_eq!((sent.sent, sent.pending, sent.refused, sent.round_trips), (3, 0, 0, 1));
    let received = counsellor.sync(None).unwrap();
    assert_eq!((received.sent, received.round_trips), (0, 1));
    assert!(received.received >= 3 && received.bytes_down > received.bytes_up);
    assert_eq!(counsellor.show(&case).unwrap().id, case);
}

#[test]
fn a_phone_that_the_server_no_longer_recognises_hands_in_a_seasons_work() {
    let office = Office::open();
    let folder = tempfile::tempdir().unwrap();
    let mut phone = office.enrol(Role::Outreach, folder.path());
    let case = phone.register(&registration("Awa")).unwrap().id;
    phone.sync(None).unwrap();
    for number in 0..50 {
        phone.edit(&case, &[Setting::new("business_plan", prose(number, 15_000))]).unwrap();
    }
    drop(phone);
    // The token has expired, and the challenge is of no use any more.
    office.database().execute("DELETE FROM token", []).unwrap();
    let database = rusqlite::Connection::open(folder.path().join(store_file(folder.path()))).unwrap();
    database.execute("UPDATE meta SET value = zeroblob(16) WHERE name = 'nonce'", []).unwrap();
    drop(database);
    let mut phone = Phone::open(folder.path()).unwrap();
    let report = phone.sync(None).unwrap();
    assert_eq!((report.sent, report.pending, report.refused), (50, 0, 0));
    assert!(report.bytes_up > 256 * 1024, "{report:?}");
}

/// The name of the database in a phone's folder.
fn store_file(folder: &std::path::Path) -> std::ffi::OsString {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    files.into_iter().find(|name| name.to_string_lossy().ends_with(".db")).unwrap()
}

#[test]
fn more_than_one_request_carries_what_one_may_not() {
    let office = Office::open();
    let folder = tempfile::tempdir().unwrap();
    let mut phone = office.enrol(Role::Outreach, folder.path());
    let case = phone.register(&registration("Awa")).unwrap().id;
    for number in 0..160 {
        phone.edit(&case, &[Setting::new("business_plan", prose(number, 15_000))]).unwrap();
    }
    let report = phone.sync(None).unwrap();
    assert_eq!((report.sent, report.pending, report.refused), (163, 0, 0));
    assert_eq!(report.round_trips, 3, "a megabyte a request");
}

#[test]
fn a_server_that_is_away_changes_nothing() {
    let office = Office::open();
    let folder = tempfile::tempdir().unwrap();
    let mut phone = office.enrol(Role::Outreach, folder.path());
    phone.register(&registration("Awa")).unwrap();
    drop(office);
    let stopped = phone.sync(None).unwrap_err();
    assert_eq!((stopped.error.code(), stopped.error.retryable()), ("offline", true));
    assert_eq!(stopped.report.pending, 3);
    let stopped = phone.sync(Some("https://foras.example")).unwrap_err();
    assert_eq!(stopped.error.code(), "misuse");
}
