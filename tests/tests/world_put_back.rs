//! Stories of a server that is put back to an older copy of its data, and of copies that differ. Each ends at rest, where
//! the laws of sync hold: nothing that a phone still holds is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use foras::phone::NewSession;
use foras_tests::world::{DeviceNumber, World};
use foras_wire::frame::decode_request;

/// A point with an outreach worker and a counsellor, the mission in Bamako, and a case that the point holds.
fn programme(seed: u64) -> (World, [DeviceNumber; 3], String) {
    let mut world = World::new(seed);
    let (worker, counsellor) = (world.outreach("oujda"), world.host_counsellor("oujda"));
    let bamako = world.mission("ML");
    let case = world.register(worker, "Awa", "oujda").unwrap();
    world.run_until_quiescent();
    (world, [worker, counsellor, bamako], case)
}

fn hand_over(world: &mut World, [_, counsellor, bamako]: [DeviceNumber; 3], case: &str) {
    world.consent_to_share(counsellor, case).unwrap();
    world.phone(counsellor).propose_handover(case, "ML").unwrap();
    world.run_until_quiescent();
    world.phone(bamako).accept_handover(case).unwrap();
    world.run_until_quiescent();
}

#[test]
fn a_server_put_back_to_yesterday_gets_back_everything_that_phones_hold() {
    let (mut world, phones, case) = programme(201);
    let [worker, counsellor, bamako] = phones;
    let yesterday = world.backup_of_server();
    world.edit(worker, &case, "needs", "a doctor").unwrap();
    let lost = world.register(worker, "Binta", "oujda").unwrap();
    world.sync(worker).unwrap();
    world.sync(counsellor).unwrap();
    world.edit(counsellor, &lost, "education", "six years of school").unwrap();
    world.edit(counsellor, &case, "needs", "a doctor and a bed").unwrap();
    hand_over(&mut world, phones, &case);
    world.edit(bamako, &case, "project_idea", "a bakery in Kayes").unwrap();
    world.run_until_quiescent();
    let chunks = world.chunks_of("change").len();

    world.put_server_back(&yesterday);
    world.edit(worker, &case, "skills", "sewing, told after that").unwrap();
    world.run_until_quiescent();
    assert_eq!(world.server().epoch(), 2, "a new epoch");
    assert!(world.server().recovery().unwrap().is_none(), "every phone reported: the recovery is closed");
    assert!(world.chunks_of("change").len() > chunks, "the changes of all, and the new one");
    assert_eq!(world.values(counsellor, &lost, "education"), ["six years of school"]);
    assert_eq!(world.values(worker, &case, "project_idea"), ["a bakery in Kayes"]);
    assert!(world.holds(bamako, &case), "the handover and its rulings came back");
    // And the programme goes on.
    world.edit(bamako, &case, "project_idea", "two bakeries").unwrap();
    world.run_until_quiescent();
    assert_eq!(world.values(worker, &case, "project_idea"), ["two bakeries"]);
}

#[test]
fn a_withdrawal_that_the_server_lost_wins_before_the_mission_is_given_anything() {
    let (mut world, phones, case) = programme(202);
    let [worker, counsellor, bamako] = phones;
    hand_over(&mut world, phones, &case);
    let yesterday = world.backup_of_server();
    world.withdraw(counsellor, &case).unwrap();
    world.run_until_quiescent();
    assert!(!world.holds(bamako, &case));
    world.put_server_back(&yesterday);
    world.edit(worker, &case, "needs", "not for the mission").unwrap();
    // The mission asks first, and again: the server knows nothing of the withdrawal yet, and gives nothing. Whoever knows of
    // it comes later; the worker's phone would bring it.
    for _ in 0..3 {
        world.sync(bamako).unwrap();
        assert!(!world.holds(bamako, &case));
    }
    assert!(world.server().recovery().unwrap().is_some_and(|recovery| !recovery.missing.is_empty()));
    world.run_until_quiescent();
    assert!(world.server().recovery().unwrap().is_none());
    assert!(!world.holds(bamako, &case), "the withdrawal came back, and stands");
}

#[test]
fn a_server_put_back_twice_never_uses_an_epoch_again() {
    let (mut world, [worker, counsellor, _], case) = programme(203);
    let first = world.backup_of_server();
    world.edit(worker, &case, "needs", "after the first backup").unwrap();
    world.run_until_quiescent();
    world.put_server_back(&first);
    world.edit(worker, &case, "skills", "after the first fall").unwrap();
    world.run_until_quiescent();
    world.edit(counsellor, &case, "education", "in the second epoch").unwrap();
    world.run_until_quiescent();
    world.put_server_back(&first);
    world.edit(counsellor, &case, "project_idea", "after the second fall").unwrap();
    world.run_until_quiescent();
    assert_eq!(world.server().epoch(), 3);
    for number in [worker, counsellor] {
        assert_eq!(world.values(number, &case, "needs"), ["after the first backup"]);
        assert_eq!(world.values(number, &case, "education"), ["in the second epoch"]);
        assert_eq!(world.values(number, &case, "project_idea"), ["after the second fall"]);
    }
}

#[test]
fn a_log_that_fell_back_and_grew_past_every_cursor_is_found_by_the_digest() {
    let (mut world, [worker, counsellor, _], case) = programme(204);
    let late = world.outreach("oujda");
    world.run_until_quiescent();
    let yesterday = world.backup_of_server();
    world.edit(worker, &case, "needs", "lost by the server").unwrap();
    world.sync(worker).unwrap();
    world.sync(counsellor).unwrap();
    world.put_server_back(&yesterday);
    // Somebody who had seen nothing of that works on, and the log grows past where the others stand.
    for day in 0..12 {
        world.edit(late, &case, "skills", &format!("skill {day}")).unwrap();
        world.sync(late).unwrap();
    }
    assert_eq!(world.server().epoch(), 1, "nothing has shown it yet");
    world.sync(counsellor).unwrap();
    assert_eq!(world.server().epoch(), 2, "a page that the server signed and does not know");
    world.run_until_quiescent();
    for number in [worker, counsellor, late] {
        assert_eq!(world.values(number, &case, "needs"), ["lost by the server"]);
        assert_eq!(world.values(number, &case, "skills"), ["skill 11"]);
    }
}

#[test]
fn a_phone_that_was_away_during_all_of_it_catches_up() {
    let (mut world, [worker, counsellor, _], case) = programme(205);
    world.offline(counsellor);
    world.edit(counsellor, &case, "education", "written in a valley").unwrap();
    let first = world.backup_of_server();
    world.edit(worker, &case, "needs", "before the first fall").unwrap();
    world.sync(worker).unwrap();
    world.put_server_back(&first);
    world.sync(worker).unwrap();
    let second = world.backup_of_server();
    world.edit(worker, &case, "skills", "before the second fall").unwrap();
    world.sync(worker).unwrap();
    world.put_server_back(&second);
    world.sync(worker).unwrap();
    world.days_pass(9);
    world.online(counsellor);
    world.run_until_quiescent();
    assert_eq!(world.values(counsellor, &case, "skills"), ["before the second fall"]);
    assert_eq!(world.values(worker, &case, "education"), ["written in a valley"]);
}

#[test]
fn what_only_its_author_knows_to_be_on_the_server_is_pushed_again() {
    let (mut world, [worker, counsellor, _], case) = programme(206);
    let yesterday = world.backup_of_server();
    let lost = world.register(worker, "Binta", "oujda").unwrap();
    // Acknowledged, and never paged: the answer is cut behind the acknowledgement.
    world.offline(counsellor);
    let mut bytes = 120;
    while world.phone(worker).store().pending().unwrap().changes > 0 {
        world.cut_next_answer(worker, bytes);
        bytes += 20;
    }
    world.put_server_back(&yesterday);
    world.online(counsellor);
    world.run_until_quiescent();
    assert!(world.holds(worker, &lost) && world.holds(counsellor, &lost));
    assert!(world.holds(counsellor, &case));
}

#[test]
fn what_waits_upon_work_that_only_its_author_knows_takes_it_along() {
    let mut world = World::new(210);
    let worker = world.outreach("casablanca");
    world.run_until_quiescent();
    let yesterday = world.backup_of_server();
    let session = NewSession {
        module: "awareness".to_owned(),
        point: "casablanca".to_owned(),
        start: "2026-10-05T10:00:00+01:00".to_owned(),
        minutes: 90,
        capacity: 12,
        is_virtual: false,
        individual: false,
    };
    let session = world.phone(worker).add_session(&session).unwrap().id;
    // Acknowledged, and never paged; nobody else is there who could tell that the server went back.
    let mut bytes = 120;
    while world.phone(worker).store().pending().unwrap().changes > 0 {
        world.cut_next_answer(worker, bytes);
        bytes += 20;
    }
    world.put_server_back(&yesterday);
    world.edit(worker, &session, "place", "the room upstairs").unwrap();
    world.run_until_quiescent();
    assert_eq!(world.values(worker, &session, "place"), ["the room upstairs"]);
}

#[test]
fn a_mission_brings_back_a_case_that_it_was_told_whole() {
    let (mut world, [worker, counsellor, bamako], case) = programme(211);
    let yesterday = world.backup_of_server();
    world.offline(worker);
    world.edit(counsellor, &case, "project_idea", "a bakery in Kayes").unwrap();
    world.consent_to_share(counsellor, &case).unwrap();
    world.phone(counsellor).propose_handover(&case, "ML").unwrap();
    world.sync(counsellor).unwrap();
    world.sync(bamako).unwrap();
    world.phone(bamako).accept_handover(&case).unwrap();
    world.sync(bamako).unwrap();
    assert_eq!(
        world.values(bamako, &case, "project_idea"),
        ["a bakery in Kayes"],
        "the mission is told the case whole"
    );
    // The phone that wrote it falls into the harbour, and the server's disk breaks.
    world.destroy(counsellor);
    world.put_server_back(&yesterday);
    world.server().begin_recovery(world.truth.now_ms()).unwrap();
    world.rest(&[worker, bamako]).unwrap();
    world.server().close_recovery().unwrap();
    world.run_until_quiescent();
    assert!(world.holds(bamako, &case), "the handover came back with it");
    assert_eq!(world.values(bamako, &case, "project_idea"), ["a bakery in Kayes"]);
    assert_eq!(world.values(worker, &case, "project_idea"), ["a bakery in Kayes"], "and the point has it again");
}

#[test]
fn a_phone_that_was_enrolled_since_the_copy_is_let_in_again_with_its_work() {
    let (mut world, [worker, counsellor, bamako], case) = programme(212);
    let yesterday = world.backup_of_server();
    let newcomer = world.outreach("oujda");
    world.run_until_quiescent();
    let lost = world.register(newcomer, "Binta", "oujda").unwrap();
    world.edit(newcomer, &case, "needs", "a winter coat").unwrap();
    world.sync(newcomer).unwrap();
    let later = world.register(newcomer, "Sali", "oujda").unwrap();
    world.put_server_back(&yesterday);

    world.run_until_quiescent();
    assert!(world.server().recovery().unwrap().is_none(), "the newcomer is one of those who reported");
    assert_eq!(world.values(worker, &case, "needs"), ["a winter coat"]);
    assert!(world.holds(counsellor, &lost) && world.holds(counsellor, &later));
    assert!(!world.holds(bamako, &lost));
    // Case numbers of the copy's time and of now never meet.
    let next = world.outreach("oujda");
    world.register(next, "Awa", "oujda").unwrap();
    world.register(newcomer, "Fanta", "oujda").unwrap();
    world.run_until_quiescent();
    let people = world.phone(counsellor).list("cases", &foras::phone::Filter::default()).unwrap();
    let numbers: std::collections::BTreeSet<_> = people.items.iter().map(|item| item.case_number.clone()).collect();
    assert_eq!((numbers.len(), people.total), (5, 5), "{numbers:?}");
}

#[test]
fn rows_that_a_phones_disk_lost_come_back() {
    for (seed, days) in [(207, 0), (208, 2)] {
        let (mut world, [worker, counsellor, _], case) = programme(seed);
        for value in ["a doctor", "a doctor and a bed", "a bed"] {
            world.edit(worker, &case, "needs", value).unwrap();
            world.run_until_quiescent();
        }
        world.edit(counsellor, &case, "skills", "unsent, and kept").unwrap();
        // The last change of every record; those of the outbox stand there too.
        let sql = "DELETE FROM change WHERE (record, row) IN (SELECT record, max(row) FROM change GROUP BY record) \
                   AND hash NOT IN (SELECT hash FROM outbox)";
        assert!(world.lose_rows(counsellor, sql) > 3);
        world.days_pass(days);
        if days == 0 {
            // Somebody asks. Two days later the phone looks by itself.
            world.phone(counsellor).store_mut().compare_all().unwrap();
        }
        world.sync(counsellor).unwrap();
        world.run_until_quiescent();
        assert_eq!(world.values(counsellor, &case, "needs"), ["a bed"]);
        assert_eq!(world.values(worker, &case, "skills"), ["unsent, and kept"]);
    }
}

#[test]
fn a_change_lost_in_the_middle_of_a_record_is_put_back_in_its_place() {
    let (mut world, [worker, counsellor, _], case) = programme(209);
    for value in ["a doctor", "a doctor and a bed", "a bed"] {
        world.edit(worker, &case, "needs", value).unwrap();
        world.run_until_quiescent();
    }
    let sql = "DELETE FROM change \
               WHERE (record, row) IN (SELECT record, min(row) FROM change GROUP BY record HAVING count(*) > 2)";
    assert!(world.lose_rows(counsellor, sql) > 0);
    world.phone(counsellor).store_mut().compare_all().unwrap();
    world.sync(counsellor).unwrap();
    world.run_until_quiescent();
    assert_eq!(world.values(counsellor, &case, "needs"), ["a bed"]);
}

/// The worker wrote, and the counsellor's phone lost what her change follows.
fn with_lost_rows(seed: u64) -> (World, [DeviceNumber; 3], String) {
    let (mut world, phones, case) = programme(seed);
    let [worker, counsellor, _] = phones;
    for value in ["a doctor", "a doctor and a bed"] {
        world.edit(worker, &case, "needs", value).unwrap();
        world.run_until_quiescent();
    }
    // The last change of every record.
    let sql = "DELETE FROM change WHERE (record, row) IN (SELECT record, max(row) FROM change GROUP BY record)";
    assert!(world.lose_rows(counsellor, sql) > 3);
    world.edit(worker, &case, "needs", "a bed").unwrap();
    world.sync(worker).unwrap();
    (world, phones, case)
}

#[test]
fn a_page_that_names_what_a_phones_disk_lost_is_told_in_full() {
    let (mut world, [_, counsellor, _], case) = with_lost_rows(210);
    let mut asked = Vec::new();
    while !world.sync_for_steps(counsellor, 1) {
        let request = decode_request(&world.overheard().unwrap_or_default());
        asked.extend(request.map(|request| (request.plain, request.reconcile.is_some())));
        asked.dedup();
    }
    assert_eq!(asked[..2], [(false, false), (true, false)], "told in full, before anything is compared");
    world.run_until_quiescent();
    assert_eq!(world.values(counsellor, &case, "needs"), ["a bed"]);
}

#[test]
fn a_sync_that_ends_without_a_network_says_so_whatever_did_not_fit_before() {
    let (mut world, [_, counsellor, _], case) = with_lost_rows(211);
    let before = world.overheard();
    while world.overheard() == before {
        world.sync_for_steps(counsellor, 1);
    }
    // The answer with the page is here; of the next, in full, nothing comes.
    world.cut_each_answer(Some(0));
    assert_eq!(world.sync(counsellor), Err("offline".to_owned()));
    world.cut_each_answer(None);
    world.run_until_quiescent();
    assert_eq!(world.values(counsellor, &case, "needs"), ["a bed"]);
}
