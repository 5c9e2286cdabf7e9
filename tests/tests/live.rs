//! Phones that are online hear of each other's work at once, over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use foras::link::http::Patience;
use foras::phone::{ConsentEvent, Setting};
use foras_record::role::Role;
use foras_tests::app::{App, until};
use foras_tests::office::{Office, registration};
use tempfile::TempDir;

fn open(office: &Office, role: Role) -> (App, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let app = App::open(office.enrol(role, folder.path()), &office.url, Patience::default());
    app.end().1.expect("a first sync that ends well");
    (app, folder)
}

#[test]
fn an_edit_reaches_a_colleague_who_is_online_within_a_second_of_the_acknowledgement() {
    let office = Office::open();
    let ((worker, _here), (counsellor, _there)) = (open(&office, Role::Outreach), open(&office, Role::HostCounsellor));
    until("both wait for news", || office.server.waiting() == 2);
    let case = worker.work(|phone| phone.register(&registration("Awa")).unwrap().id);
    let (acknowledged, sent) = worker.moved();
    assert_eq!((sent.sent, sent.pending), (3, 0));
    let (arrived, received) = counsellor.moved();
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
        let (acknowledged, _) = counsellor.moved();
        let (arrived, received) = worker.moved();
        assert!(received.received >= 1);
        let elapsed = arrived.saturating_duration_since(acknowledged);
        assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    }
}

#[test]
fn a_phone_that_waits_is_told_what_another_process_did_and_that_it_is_revoked() {
    let office = Office::open();
    let (phone, _folder) = open(&office, Role::Outreach);
    until("it waits", || office.server.waiting() == 1);
    // As `foras device revoke` does, beside the server: no wake tells of it.
    let beside = office.attach();
    let device = beside.devices().unwrap()[0].device;
    beside.revoke(&device, foras_server::Revocation::Lost).unwrap();
    assert_eq!(phone.end().1.unwrap_err(), "revoked");
    assert_eq!(office.server.waiting(), 0);
}

#[test]
fn a_phone_that_is_closed_leaves_its_wait_and_the_server() {
    let office = Office::open();
    let (phone, _folder) = open(&office, Role::Outreach);
    until("it waits", || office.server.waiting() == 1);
    drop(phone);
    until("nobody waits", || office.server.waiting() == 0);
}

#[test]
fn a_server_that_stops_lets_go_of_who_waits() {
    let mut office = Office::open();
    let (phone, _folder) = open(&office, Role::Outreach);
    until("it waits", || office.server.waiting() == 1);
    let begun = Instant::now();
    office.stop();
    // Far below the time for which requests may go on.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let offline = loop {
        if let Err(code) = phone.end().1 {
            break code;
        }
    };
    assert_eq!(offline, "offline");
}

#[test]
fn a_mission_that_waits_during_a_recovery_is_told_when_it_is_closed() {
    let office = Office::open();
    let now_ms = foras_server::clock::now_ms;
    let drawer = tempfile::tempdir().unwrap();
    let mut in_a_drawer = office.enrol(Role::Outreach, drawer.path());
    let (counsellor, _here) = open(&office, Role::HostCounsellor);
    let folder = tempfile::tempdir().unwrap();
    let mission =
        App::open(office.enrol_at("ML", Role::OriginCounsellor, folder.path()), &office.url, Patience::default());
    mission.end().1.unwrap();
    let all_acknowledged = |app: &App| until("acknowledged", || app.look(|phone| phone.status().unwrap().pending) == 0);
    let case = counsellor.work(|phone| {
        let case = phone.register(&registration("Awa")).unwrap().id;
        let said = |word: &str| word.to_owned();
        let share = ConsentEvent {
            purpose: said("share_with_origin_mission"),
            status: said("given"),
            form: said("oral"),
            ..ConsentEvent::default()
        };
        phone.consent(&case, &share).unwrap();
        phone.propose_handover(&case, "ML").unwrap();
        case
    });
    all_acknowledged(&counsellor);
    until("the proposal is there", || mission.look(|phone| phone.show(&case).is_ok()));
    mission.work(|phone| phone.accept_handover(&case).unwrap());
    all_acknowledged(&mission);
    // The folder is put back, and one phone does not say what it still has.
    office.server.begin_recovery(now_ms()).unwrap();
    for app in [&counsellor, &mission] {
        app.ask();
    }
    let both_wait = || until("both wait", || office.server.waiting() == 2);
    both_wait();
    while mission.ended().is_some() {}
    let plan = [Setting::new("business_plan", "a bakery in Kayes")];
    counsellor.work(|phone| phone.edit(&case, &plan).unwrap());
    all_acknowledged(&counsellor);
    both_wait();
    let knows = || mission.look(|phone| serde_json::to_string(&phone.show(&case).unwrap()).unwrap().contains("Kayes"));
    assert!(!knows(), "nothing is given to a country during a recovery");
    assert!(mission.ended().is_none(), "nor is its phone woken for what it is not given");
    in_a_drawer.sync(None).unwrap();
    assert!(office.server.recovery().unwrap().is_none(), "everybody has reported");
    until("the mission is told", knows);
    // By hand, in another process.
    both_wait();
    let lost = tempfile::tempdir().unwrap();
    drop(office.enrol(Role::Outreach, lost.path()));
    office.server.begin_recovery(now_ms()).unwrap();
    for app in [&counsellor, &mission] {
        app.ask();
    }
    both_wait();
    counsellor.work(|phone| phone.edit(&case, &[Setting::new("business_plan", "two bakeries")]).unwrap());
    all_acknowledged(&counsellor);
    both_wait();
    office.attach().close_recovery().unwrap();
    let knows = || mission.look(|phone| serde_json::to_string(&phone.show(&case).unwrap()).unwrap().contains("two"));
    until("the mission is told again", knows);
}
