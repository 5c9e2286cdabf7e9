//! Days at an orientation point.

use std::sync::{Arc, Mutex};

use foras::error::Error;
use foras::store::{Changed, Delivery, Observer, WorkLimits};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_wire::id::RecordId;
use foras_wire::page::{Entry, SeenEntry};

use crate::desk::{NOW_MS, Someone, event, in_memory, members, put, put_item, register, shown, text};
use crate::server::Server;

#[test]
fn nine_days_without_network_then_both_phones_hold_everything() {
    let (mut server, mut samira, mut karim) = (Server::new(), in_memory(1), in_memory(2));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    server.enrol(&mut karim, Role::HostCounsellor, &["oujda"], None, "Karim");
    for day in 1..=9 {
        let someone = Someone::numbered(day);
        let receipt = register(&mut samira, someone, &format!("Awa {day}"), "oujda", day);
        assert_eq!(receipt.changes.len(), 3);
        assert_eq!(samira.delivery(&someone.person.key).unwrap(), Delivery::Saved);
    }
    assert_eq!(samira.pending().unwrap().changes, 27);
    server.sync(&mut samira);
    assert_eq!(samira.pending().unwrap().changes, 0);
    server.sync(&mut karim);
    server.sync(&mut samira);
    server.assert_converged(&mut samira);
    server.assert_converged(&mut karim);
    let first = Someone::numbered(1);
    assert_eq!(shown(&mut karim, &first.person, "name").as_deref(), Some("Awa 1"));
    let at_ms = Some(NOW_MS);
    assert_eq!(samira.delivery(&first.person.key).unwrap(), Delivery::Server { at_ms });
    let who = karim.show(&first.person.key).unwrap();
    let author = &who.authors[&who.fields["name"].shown.as_ref().unwrap().actor];
    assert_eq!((author.name.as_deref(), author.role), (Some("Samira"), Role::Outreach));
}

#[test]
fn two_edit_one_name_offline_and_neither_is_lost() {
    let (mut server, mut samira, mut karim) = (Server::new(), in_memory(1), in_memory(2));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    server.enrol(&mut karim, Role::HostCounsellor, &["oujda"], None, "Karim");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    server.sync(&mut samira);
    server.sync(&mut karim);
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    karim.commit(NOW_MS, &[put(awa.person, "name", "Aoua")]).unwrap();
    for store in [&mut samira, &mut karim] {
        server.sync(store);
    }
    server.sync(&mut samira);
    for store in [&mut samira, &mut karim] {
        server.assert_converged(store);
        let state = &store.show(&awa.person.key).unwrap().fields["name"];
        assert_eq!(state.others.len(), 1);
        assert_eq!(store.conflicts().unwrap(), [awa.person]);
    }
    karim.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    server.sync(&mut karim);
    server.sync(&mut samira);
    assert_eq!(samira.conflicts().unwrap(), []);
    assert_eq!(shown(&mut samira, &awa.person, "name").as_deref(), Some("Hawa"));
}

#[test]
fn a_registration_waits_for_its_ruling_and_its_records_stand_at_the_point_meanwhile() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    let list = |store: &foras::store::Store| {
        let at_oujda = foras::store::ListQuery { point: Some("oujda".into()), ..Default::default() };
        store.list(Kind::Person, &at_oujda).unwrap().total
    };
    assert_eq!(list(&samira), 1);
    let work = samira.work(&WorkLimits::default()).unwrap();
    let settlements = server.receive(&samira, &work.pushes[0], &mut Default::default());
    samira.mark_sending(work.pushes[0].rows.iter().copied());
    assert_eq!(samira.delivery(&awa.case.key).unwrap(), Delivery::Sending);
    samira.settle(&settlements, NOW_MS).unwrap();
    assert_eq!(samira.delivery(&awa.case.key).unwrap(), Delivery::Awaiting);
    server.sync(&mut samira);
    assert_eq!(samira.delivery(&awa.case.key).unwrap(), Delivery::Server { at_ms: Some(NOW_MS) });
    assert_eq!(list(&samira), 1);
    assert!(samira.standing(&awa.case_id()).unwrap().unruled.is_empty());
}

#[test]
fn a_mission_that_has_the_record_shows_as_seen_until_the_point_writes_again() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    server.sync(&mut samira);
    let through = server.head("casework:oujda");
    let seen = SeenEntry { key: awa.case.key, country: "ML".into(), through, at_ms: NOW_MS + 5 };
    server.log("casework:oujda", Entry::Seen(seen));
    server.sync(&mut samira);
    let expected = Delivery::Seen { country: "ML".into(), at_ms: NOW_MS + 5 };
    assert_eq!(samira.delivery(&awa.case.key).unwrap(), expected);
    samira.commit(NOW_MS, &[put(awa.case, "household", "3")]).unwrap();
    assert_eq!(samira.delivery(&awa.case.key).unwrap(), Delivery::Saved);
    server.sync(&mut samira);
    assert_eq!(samira.delivery(&awa.case.key).unwrap().state(), "server");
}

#[test]
fn a_trainer_takes_the_roll_on_badges_alone() {
    let (mut server, mut samira, mut trainer) = (Server::new(), in_memory(1), in_memory(2));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    server.enrol(&mut trainer, Role::Trainer, &["oujda"], None, "Idriss");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    server.sync(&mut samira);
    server.sync(&mut trainer);
    assert_eq!(trainer.records_of_case(&awa.case_id()).unwrap(), [awa.badge]);
    let session = RecordId([0x5e; 16]).to_string();
    trainer.commit(NOW_MS, &[put_item(awa.path, "attendance", &session, "present")]).unwrap();
    let denied = trainer.commit(NOW_MS, &[put(awa.badge, "name", "Other")]).unwrap_err();
    assert_eq!(denied.code(), "not_allowed");
    server.sync(&mut trainer);
    server.sync(&mut samira);
    server.assert_converged(&mut samira);
    server.assert_converged(&mut trainer);
    assert!(samira.record(&awa.path.key).unwrap().is_some());
}

#[test]
fn equal_roll_calls_of_two_people_in_one_second_are_told_apart() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::HostCounsellor, &["oujda", "rabat"], None, "Samira");
    let (awa, binta) = (Someone::numbered(1), Someone::numbered(2));
    register(&mut samira, awa, "Awa", "oujda", 1);
    register(&mut samira, binta, "Binta", "rabat", 2);
    server.sync(&mut samira);
    let session = RecordId([0x5e; 16]).to_string();
    let both = [binta, awa].map(|one| put_item(one.path, "attendance", &session, "present"));
    let receipt = samira.commit(NOW_MS, &both).unwrap();
    assert_eq!(receipt.changes[0].hash, receipt.changes[1].hash);
    server.sync(&mut samira);
    server.assert_converged(&mut samira);
}

#[test]
fn what_stands_already_is_not_written_again() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    let before = samira.pending().unwrap();
    assert_eq!(samira.commit(NOW_MS, &[put(awa.person, "name", "Awa")]).unwrap().changes, []);
    assert_eq!(samira.pending().unwrap(), before);
}

#[test]
fn one_wrong_edit_leaves_the_whole_action_unwritten() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    let before = (samira.pending().unwrap(), samira.content_by_audience().unwrap());
    let note = identity::record(Kind::Note, RecordId([0x77; 16]), Some(awa.case_id()));
    let invalid = [members(awa.person, "phone", &["+212612345678"]), put(awa.case, "birth_year", "1700")];
    assert_eq!(samira.commit(NOW_MS, &invalid).unwrap_err().code(), "invalid_value");
    let forbidden = [put(awa.person, "name", "Hawa"), text(note, "text", "She wants to open a bakery.")];
    assert_eq!(samira.commit(NOW_MS, &forbidden).unwrap_err().code(), "not_allowed");
    let elsewhere = Someone { person: awa.person, ..Someone::numbered(2) };
    let twice = [put(awa.person, "name", "Hawa"), put(elsewhere.person, "name", "Hava")];
    assert_eq!(samira.commit(NOW_MS, &twice).unwrap_err().code(), "misuse");
    assert_eq!((samira.pending().unwrap(), samira.content_by_audience().unwrap()), before);
    assert_eq!(shown(&mut samira, &awa.person, "name").as_deref(), Some("Awa"));
    assert_eq!(samira.record(&note.key).unwrap(), None);
}

#[test]
fn nothing_is_written_before_enrolment() {
    let mut store = in_memory(1);
    let awa = Someone::numbered(1);
    assert!(matches!(store.commit(NOW_MS, &[put(awa.person, "name", "Awa")]), Err(Error::NotEnrolled)));
    assert!(matches!(store.take_case_number(), Err(Error::NoCaseNumber)));
    assert!(matches!(store.work(&WorkLimits::default()), Err(Error::NotEnrolled)));
}

#[test]
fn a_case_number_is_used_up_with_its_case_only() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    assert_eq!(samira.take_case_number().unwrap(), "T1-1");
    samira.return_case_numbers();
    register(&mut samira, Someone::numbered(1), "Awa", "oujda", 1);
    register(&mut samira, Someone::numbered(2), "Binta", "oujda", 2);
    assert_eq!(samira.find_case("T1-2").unwrap(), Someone::numbered(2).case_id());
    assert_eq!(samira.find_case(&Someone::numbered(1).case_id().to_string()).unwrap(), Someone::numbered(1).case_id());
    assert!(matches!(samira.find_case("T1-3"), Err(Error::NotFound)));
}

#[test]
fn a_point_that_the_grant_no_longer_names_leaves_the_phone() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda", "rabat"], None, "Samira");
    let (awa, binta) = (Someone::numbered(1), Someone::numbered(2));
    register(&mut samira, awa, "Awa", "oujda", 1);
    register(&mut samira, binta, "Binta", "rabat", 2);
    server.sync(&mut samira);
    samira.commit(NOW_MS, &[put(binta.person, "name", "Bintou")]).unwrap();
    server.regrant(&mut samira, &["oujda"]);
    assert_eq!(samira.records_of_case(&binta.case_id()).unwrap(), []);
    assert_eq!(samira.records_of_case(&awa.case_id()).unwrap().len(), 3);
    assert_eq!(samira.pending().unwrap().changes, 1, "unsent work outlives its record");
    assert_eq!(samira.work(&WorkLimits::default()).unwrap().pushes[0].push.grant_revision, 1);
    server.sync(&mut samira);
    assert_eq!(samira.pending().unwrap().changes, 0);
    server.assert_converged(&mut samira);
}

#[test]
fn observers_hear_of_what_is_durable_and_a_broken_one_stops_nobody() {
    struct Ear(Arc<Mutex<Vec<Changed>>>);
    impl Observer for Ear {
        fn changed(&self, changed: &Changed) {
            self.0.lock().unwrap().push(changed.clone());
        }
    }
    struct Broken;
    impl Observer for Broken {
        fn changed(&self, _: &Changed) {
            panic!("an observer of another language");
        }
    }
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let heard = Arc::new(Mutex::new(Vec::new()));
    samira.subscribe(Box::new(Broken));
    let ear = samira.subscribe(Box::new(Ear(Arc::clone(&heard))));
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    let told = heard.lock().unwrap().pop().unwrap();
    assert!(told.kinds.contains(&Kind::Person) && told.cases.contains(&awa.case_id()));
    samira.commit(NOW_MS, &[put(awa.case, "birth_year", "1700")]).unwrap_err();
    assert!(heard.lock().unwrap().is_empty());
    samira.unsubscribe(ear);
    samira.commit(NOW_MS, &[put(awa.case, "household", "2")]).unwrap();
    assert!(heard.lock().unwrap().is_empty());
}

#[test]
fn the_lease_counts_time_that_passed_here_and_never_a_date() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let day_ms = 86_400_000;
    assert_eq!(samira.lease(NOW_MS + 4 * day_ms).unwrap().left_s, 10 * 86_400);
    assert_eq!(samira.lease(NOW_MS + 20 * day_ms).unwrap().left_s, 0);
    let ten_years_ago = NOW_MS - 3_650 * day_ms;
    assert_eq!(samira.lease(ten_years_ago).unwrap().left_s, 14 * 86_400);
    samira.caught_up(NOW_MS, None, ten_years_ago).unwrap();
    assert_eq!(samira.lease(ten_years_ago + day_ms).unwrap().left_s, 13 * 86_400);
}

#[test]
fn an_event_is_written_once() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    let other = r#"{"point":"rabat","on":"2026-10-05"}"#;
    let refused = samira.commit(NOW_MS, &[put_item(awa.case, "registered", &event(1), other)]).unwrap_err();
    assert_eq!(refused.code(), "invalid_value");
}
