//! Phones that are online hear of each other's work at once, over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use foras::exchange::{Lend, Ringer, SyncReport, bell, keep};
use foras::link::HttpLink;
use foras::phone::{Phone, Setting};
use foras::store::Store;
use foras_record::role::Role;
use foras_tests::office::{Office, registration};

/// A phone whose app is open: it keeps in sync beside the person who works on it.
struct Open {
    phone: Arc<Held>,
    ringer: Option<Ringer>,
    ends: Receiver<(Instant, Result<SyncReport, String>)>,
    keeping: Option<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

struct Held(Mutex<Phone>);

impl Lend for Held {
    fn lend<T>(&self, step: impl FnOnce(&mut Store) -> T) -> T {
        step(self.0.lock().unwrap().store_mut())
    }
}

impl Open {
    fn enrol(office: &Office, role: Role) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let phone = Arc::new(Held(Mutex::new(office.enrol(role, folder.path()))));
        let (ringer, mut bell) = bell();
        let (told, ends) = channel();
        let (kept, url) = (Arc::clone(&phone), office.url.clone());
        let keeping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut link = HttpLink::new(&url).unwrap();
            let now = foras_server::clock::now_ms;
            runtime.block_on(keep(&*kept, &mut link, now, &mut bell, |end| {
                // Nobody listens once the test is over.
                drop(told.send((Instant::now(), end.map_err(|stopped| stopped.error.code().to_owned()))));
            }));
        });
        Self { phone, ringer: Some(ringer), ends, keeping: Some(keeping), _folder: folder }
    }

    /// Does something on the phone, as a person would, and tells the sync.
    fn work<T>(&self, work: impl FnOnce(&mut Phone) -> T) -> T {
        let done = work(&mut self.phone.0.lock().unwrap());
        self.ringer.as_ref().unwrap().edited();
        done
    }

    fn look<T>(&self, look: impl FnOnce(&mut Phone) -> T) -> T {
        look(&mut self.phone.0.lock().unwrap())
    }

    /// When the next sync ended that did something.
    fn next(&self) -> (Instant, SyncReport) {
        loop {
            let (at, end) = self.ends.recv_timeout(Duration::from_secs(20)).expect("a sync");
            let report = end.expect("a sync that ends well");
            if report.sent + report.received > 0 {
                return (at, report);
            }
        }
    }

    /// The first sync is over: from here on it waits for news.
    fn caught_up(&self) {
        self.ends.recv_timeout(Duration::from_secs(20)).expect("a sync").1.expect("a sync that ends well");
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.ringer = None;
        drop(self.keeping.take().map(JoinHandle::join));
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn an_edit_reaches_a_colleague_who_is_online_within_a_second_of_the_acknowledgement() {
    let office = Office::open();
    let (worker, counsellor) = (Open::enrol(&office, Role::Outreach), Open::enrol(&office, Role::HostCounsellor));
    worker.caught_up();
    counsellor.caught_up();
    until("both wait for news", || office.server.waiting() == 2);
    let case = worker.work(|phone| phone.register(&registration("Awa")).unwrap().id);
    let (acknowledged, sent) = worker.next();
    assert_eq!((sent.sent, sent.pending), (3, 0));
    let (arrived, received) = counsellor.next();
    assert!(received.received >= 3);
    let elapsed = arrived.saturating_duration_since(acknowledged);
    println!("a registration reached the other phone {} ms after its acknowledgement", elapsed.as_millis());
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    counsellor.look(|phone| assert_eq!(phone.show(&case).unwrap().id, case));
    // And back, ten times: whoever waits is told at once, and waits again.
    for at in 0..10 {
        until("both wait for news again", || office.server.waiting() == 2);
        let language = if at % 2 == 0 { "ff" } else { "fr" };
        counsellor.work(|phone| phone.edit(&case, &[Setting::new("contact_language", language)]).unwrap());
        let (acknowledged, _) = counsellor.next();
        let (arrived, received) = worker.next();
        assert!(received.received >= 1);
        let elapsed = arrived.saturating_duration_since(acknowledged);
        assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    }
}

#[test]
fn a_phone_that_waits_is_told_what_another_process_did_and_that_it_is_revoked() {
    let office = Office::open();
    let phone = Open::enrol(&office, Role::Outreach);
    phone.caught_up();
    until("it waits", || office.server.waiting() == 1);
    // As `foras device revoke` does, beside the server: no wake tells of it.
    let beside = office.attach();
    let device = beside.devices().unwrap()[0].device;
    beside.revoke(&device, foras_server::Revocation::Lost).unwrap();
    let (_, end) = phone.ends.recv_timeout(Duration::from_secs(20)).expect("an answer");
    assert_eq!(end.unwrap_err(), "revoked");
    assert_eq!(office.server.waiting(), 0);
}

#[test]
fn a_phone_that_is_closed_leaves_its_wait_and_the_server() {
    let office = Office::open();
    let phone = Open::enrol(&office, Role::Outreach);
    phone.caught_up();
    until("it waits", || office.server.waiting() == 1);
    drop(phone);
    until("nobody waits", || office.server.waiting() == 0);
}

#[test]
fn a_server_that_stops_lets_go_of_who_waits() {
    let mut office = Office::open();
    let phone = Open::enrol(&office, Role::Outreach);
    phone.caught_up();
    until("it waits", || office.server.waiting() == 1);
    let begun = Instant::now();
    office.stop();
    // Far below the time for which requests may go on.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let offline = loop {
        match phone.ends.recv_timeout(Duration::from_secs(20)) {
            Ok((_, Err(code))) => break code,
            Ok((_, Ok(_))) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => panic!("nothing is said"),
        }
    };
    assert_eq!(offline, "offline");
}
