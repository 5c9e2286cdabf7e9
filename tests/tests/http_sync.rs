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
    assert_eq!(report.round_trips, 5, "an eighth of a megabyte, a quarter, a half, and then a megabyte a request");
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

#[test]
fn a_phone_keeps_in_sync_and_comes_back_by_itself() {
    use std::sync::{Arc, Mutex};

    let office = Office::open();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let phone = office.enrol(Role::Outreach, here.path());
    let mut colleague = office.enrol(Role::HostCounsellor, there.path());
    let held = Arc::new(Held(Mutex::new(phone)));
    let (ringer, mut bell) = foras::exchange::bell();
    let (told, ends) = std::sync::mpsc::channel();
    let (kept, address) = (Arc::clone(&held), unreachable_then(&office.url));
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut link = address;
        let now = || 1_790_812_800_000;
        runtime.block_on(foras::exchange::keep(&*kept, &mut link, now, &mut bell, |end| {
            told.send(end.map_err(|stopped| stopped.error.code().to_owned())).unwrap();
        }));
    });
    // The first attempt meets no server; the engine asks again by itself.
    assert_eq!(ends.recv().unwrap().unwrap_err(), "offline");
    assert_eq!(ends.recv().unwrap().unwrap().pending, 0);
    let case = held.0.lock().unwrap().register(&registration("Awa")).unwrap().id;
    ringer.edited();
    assert_eq!(ends.recv().unwrap().unwrap().sent, 3);
    drop(ringer);
    thread.join().unwrap();
    colleague.sync(None).unwrap();
    assert_eq!(colleague.show(&case).unwrap().id, case);
}

/// A phone that two threads share.
struct Held(std::sync::Mutex<Phone>);

impl foras::exchange::Lend for Held {
    fn lend<T>(&self, step: impl FnOnce(&mut foras::store::Store) -> T) -> T {
        step(self.0.lock().unwrap().store_mut())
    }
}

/// A link that fails once, then reaches `url`.
fn unreachable_then(url: &str) -> Late {
    Late { link: foras::link::HttpLink::new(url).unwrap(), failed: false }
}

struct Late {
    link: foras::link::HttpLink,
    failed: bool,
}

impl foras::link::Link for Late {
    type Answer = foras::link::http::HttpAnswer;

    async fn exchange(
        &mut self,
        credentials: &foras_wire::sync::Credentials,
        body: Vec<u8>,
        wait_s: u16,
    ) -> Result<Self::Answer, foras_sync::LinkFailure> {
        if std::mem::replace(&mut self.failed, true) {
            return self.link.exchange(credentials, body, wait_s).await;
        }
        Err(foras_sync::LinkFailure::Offline)
    }
}
