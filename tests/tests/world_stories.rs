//! Stories of the programme in the simulated world. Each ends at rest, where the laws of sync hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use foras::phone::NewSession;
use foras_server::Revocation;
use foras_tests::world::weather::Weather;
use foras_tests::world::{DeviceNumber, World};

/// A point with an outreach worker and a counsellor, and a case that both hold.
fn oujda(seed: u64) -> (World, DeviceNumber, DeviceNumber, String) {
    let mut world = World::new(seed);
    let (worker, counsellor) = (world.outreach("oujda"), world.host_counsellor("oujda"));
    let case = world.register(worker, "Awa", "oujda").unwrap();
    world.run_until_quiescent();
    assert!(world.holds(counsellor, &case));
    (world, worker, counsellor, case)
}

#[test]
fn nine_days_offline_and_both_values_are_kept() {
    let (mut world, worker, counsellor, case) = oujda(1);
    world.offline(worker);
    for day in 0..9 {
        world.edit(worker, &case, "project_idea", &format!("a bakery, day {day}")).unwrap();
        assert_eq!(world.sync(worker), Err("offline".to_owned()));
        world.days_pass(1);
    }
    world.edit(counsellor, &case, "project_idea", "a workshop").unwrap();
    world.sync(counsellor).unwrap();
    world.online(worker);
    let report = world.sync(worker).unwrap();
    assert_eq!((report.sent, report.refused, report.pending), (9, 0, 0));
    assert_eq!(report.round_trips, 1, "nine days of work and the catch-up are one round trip");
    world.run_until_quiescent();
    let mut values = world.values(counsellor, &case, "project_idea");
    assert_eq!(world.values(worker, &case, "project_idea"), values, "one order everywhere");
    values.sort();
    assert_eq!(values, ["a bakery, day 8", "a workshop"]);
    // Somebody settles it.
    world.edit(counsellor, &case, "project_idea", "a bakery with a workshop").unwrap();
    world.run_until_quiescent();
    assert_eq!(world.values(worker, &case, "project_idea"), ["a bakery with a workshop"]);
}

#[test]
fn when_nothing_changed_a_sync_is_one_small_round_trip() {
    let (mut world, worker, ..) = oujda(2);
    let report = world.sync(worker).unwrap();
    assert_eq!((report.sent, report.received, report.round_trips), (0, 0, 1));
    assert!(report.bytes_up + report.bytes_down <= 100, "{report:?}");
}

#[test]
fn an_app_killed_at_any_step_of_a_sync_loses_nothing() {
    let mut steps = 0;
    loop {
        let (mut world, worker, counsellor, case) = oujda(3);
        world.edit(counsellor, &case, "needs", "a room").unwrap();
        world.sync(counsellor).unwrap();
        world.edit(worker, &case, "needs", "a doctor").unwrap();
        world.edit(worker, &case, "skills", "sewing").unwrap();
        let over = world.sync_for_steps(worker, steps);
        world.device(worker).kill();
        world.run_until_quiescent();
        assert_eq!(world.values(counsellor, &case, "needs").len(), 2);
        if over {
            break;
        }
        steps += 1;
    }
    assert!(steps > 10, "a sync has more steps than {steps}");
}

#[test]
fn an_answer_cut_after_any_byte_is_taken_up_where_it_ended() {
    let mut cut = 0;
    loop {
        let (mut world, worker, counsellor, case) = oujda(4);
        for at in 0..5 {
            world.edit(counsellor, &case, "skills", &format!("skill {at}")).unwrap();
        }
        world.sync(counsellor).unwrap();
        world.edit(worker, &case, "education", "six years of school").unwrap();
        let length = world.cut_next_answer(worker, cut);
        world.run_until_quiescent();
        assert_eq!(world.values(worker, &case, "skills"), ["skill 4"]);
        if cut >= length {
            break;
        }
        cut += 23;
    }
    assert!(cut > 200, "an answer is longer than {cut} bytes");
}

#[test]
fn requests_that_arrive_twice_late_and_in_another_order_change_nothing() {
    let (mut world, worker, counsellor, case) = oujda(5);
    world.weather = Weather { duplicate: 100, stale: 60, ..Weather::CALM };
    for at in 0..10 {
        world.edit(worker, &case, "needs", &format!("need {at} of the worker")).unwrap();
        world.edit(counsellor, &case, "needs", &format!("need {at} of the counsellor")).unwrap();
        world.sync_together(&[worker, counsellor]);
    }
    world.run_until_quiescent();
}

#[test]
fn clocks_ten_years_off_decide_nothing() {
    let (mut world, worker, counsellor, case) = oujda(6);
    world.ten_years_off(worker, true);
    world.ten_years_off(counsellor, false);
    world.run_until_quiescent();
    world.edit(worker, &case, "education", "written first, dated last").unwrap();
    world.sync(worker).unwrap();
    world.sync(counsellor).unwrap();
    world.edit(counsellor, &case, "education", "written last, dated first").unwrap();
    world.run_until_quiescent();
    assert_eq!(world.values(worker, &case, "education"), ["written last, dated first"]);
}

#[test]
fn two_phones_of_one_folder_both_keep_what_they_wrote() {
    let (mut world, worker, counsellor, case) = oujda(7);
    let twin = world.clone_of(worker, "the clone");
    world.edit(worker, &case, "skills", "written on the phone").unwrap();
    world.edit(twin, &case, "skills", "written on the clone").unwrap();
    world.edit(twin, &case, "needs", "written on the clone too").unwrap();
    world.sync(worker).unwrap();
    let _ = world.sync(twin);
    world.run_until_quiescent();
    for number in [worker, twin, counsellor] {
        assert_eq!(world.values(number, &case, "needs"), ["written on the clone too"]);
        assert!(world.values(number, &case, "skills").contains(&"written on the clone".to_owned()));
    }
}

#[test]
fn a_phone_restored_from_its_backup_goes_on() {
    let (mut world, worker, counsellor, case) = oujda(8);
    world.edit(worker, &case, "skills", "before the backup").unwrap();
    let backup = world.backup_of(worker);
    world.edit(worker, &case, "skills", "after the backup").unwrap();
    world.edit(worker, &case, "education", "after the backup, too").unwrap();
    world.sync(worker).unwrap();
    world.restore(worker, backup);
    world.edit(worker, &case, "needs", "after it was restored").unwrap();
    world.run_until_quiescent();
    for number in [worker, counsellor] {
        assert_eq!(world.values(number, &case, "needs"), ["after it was restored"]);
        assert_eq!(world.values(number, &case, "education"), ["after the backup, too"]);
        assert!(world.values(number, &case, "skills").contains(&"after the backup".to_owned()));
    }
}

#[test]
fn a_case_is_handed_over_and_a_withdrawal_takes_it_back() {
    let (mut world, worker, counsellor, case) = oujda(9);
    let bamako = world.mission("ML");
    world.run_until_quiescent();
    assert!(!world.holds(bamako, &case));
    world.offline(counsellor);
    world.consent_to_share(counsellor, &case).unwrap();
    world.phone(counsellor).propose_handover(&case, "ML").unwrap();
    world.days_pass(2);
    world.online(counsellor);
    world.run_until_quiescent();
    assert!(world.holds(bamako, &case), "a consent and a proposal open the case to the mission");
    world.phone(bamako).accept_handover(&case).unwrap();
    world.run_until_quiescent();
    world.edit(bamako, &case, "project_idea", "a bakery in Kayes").unwrap();
    world.run_until_quiescent();
    assert_eq!(world.values(worker, &case, "project_idea"), ["a bakery in Kayes"]);
    // The mission goes on offline, while the person withdraws.
    world.offline(bamako);
    world.edit(bamako, &case, "project_idea", "a mill in Kayes").unwrap();
    world.withdraw(counsellor, &case).unwrap();
    world.sync(counsellor).unwrap();
    world.online(bamako);
    world.run_until_quiescent();
    assert!(!world.holds(bamako, &case), "a withdrawal takes the case from the mission");
    assert_eq!(world.values(worker, &case, "project_idea"), ["a bakery in Kayes"]);
}

#[test]
fn a_server_that_stops_and_starts_goes_on() {
    let (mut world, worker, counsellor, case) = oujda(10);
    world.edit(worker, &case, "needs", "a doctor").unwrap();
    world.sync(worker).unwrap();
    world.restart_server();
    world.edit(counsellor, &case, "education", "none").unwrap();
    world.run_until_quiescent();
    assert_eq!(world.values(counsellor, &case, "needs"), ["a doctor"]);
}

#[test]
fn what_a_failing_server_could_not_take_stays_on_the_phone() {
    let (mut world, worker, counsellor, case) = oujda(15);
    world.server_writes(false);
    world.edit(worker, &case, "needs", "a doctor").unwrap();
    let report = world.sync(worker).unwrap();
    assert_eq!((report.sent, report.refused, report.pending), (0, 0, 1));
    world.device(worker).kill();
    assert_eq!(world.phone(worker).store().pending().unwrap().changes, 1);
    world.run_until_quiescent();
    assert_eq!(world.values(counsellor, &case, "needs"), ["a doctor"]);
}

#[test]
fn a_lost_phone_is_refused_and_its_neighbours_go_on() {
    let (mut world, worker, counsellor, case) = oujda(11);
    let device = world.phone(worker).store().identity().unwrap().grant().device;
    world.server().revoke(&device, Revocation::Lost).unwrap();
    world.edit(counsellor, &case, "needs", "a doctor").unwrap();
    world.register(worker, "Binta", "oujda").unwrap();
    assert_eq!(world.sync(worker), Err("revoked".to_owned()));
    assert!(world.is_revoked(worker));
    world.run_until_quiescent();
    assert_eq!(world.phone(counsellor).store().pending().unwrap().changes, 0);
}

#[test]
fn what_somebody_wrote_before_leaving_is_kept_for_a_supervisor() {
    let (mut world, worker, counsellor, case) = oujda(14);
    world.edit(worker, &case, "needs", "a doctor, said on the last day").unwrap();
    let device = world.phone(worker).store().identity().unwrap().grant().device;
    world.server().revoke(&device, Revocation::Left).unwrap();
    assert_eq!(world.sync(worker), Err("revoked".to_owned()));
    assert_eq!(world.phone(worker).store().pending().unwrap().changes, 0);
    assert_eq!(world.quarantined(), 1);
    world.run_until_quiescent();
    assert!(world.values(counsellor, &case, "needs").is_empty());
}

#[test]
fn a_persons_own_phone_holds_the_own_case_and_no_other() {
    let (mut world, worker, counsellor, case) = oujda(12);
    let other = world.register(worker, "Binta", "oujda").unwrap();
    world.run_until_quiescent();
    let own = world.migrant(&case);
    world.run_until_quiescent();
    assert!(world.holds(own, &case) && !world.holds(own, &other));
    world.edit(own, &case, "project_idea", "a shop").unwrap();
    world.run_until_quiescent();
    assert_eq!(world.values(counsellor, &case, "project_idea"), ["a shop"]);
}

#[test]
fn equal_sessions_of_one_second_are_two_records() {
    let (mut world, worker, counsellor, _) = oujda(13);
    let session = NewSession {
        module: "awareness".to_owned(),
        point: "oujda".to_owned(),
        start: "2026-10-05T10:00:00+01:00".to_owned(),
        minutes: 90,
        capacity: 12,
        is_virtual: false,
        individual: false,
    };
    // Same author, same content, same second: the changes have one hash.
    let first = world.phone(worker).add_session(&session).unwrap().id;
    world.sync(worker).unwrap();
    let second = world.phone(worker).add_session(&session).unwrap().id;
    world.sync(worker).unwrap();
    world.run_until_quiescent();
    for number in [worker, counsellor] {
        assert!(world.phone(number).show(&first).is_ok() && world.phone(number).show(&second).is_ok());
    }
}

/// A case that is opened to the mission in Bamako, which wrote into it offline, while a withdrawal took it away.
fn written_while_it_left(seed: u64) -> (World, DeviceNumber, DeviceNumber, String) {
    let (mut world, _, counsellor, case) = oujda(seed);
    let bamako = world.mission("ML");
    world.consent_to_share(counsellor, &case).unwrap();
    world.phone(counsellor).propose_handover(&case, "ML").unwrap();
    world.run_until_quiescent();
    world.phone(bamako).accept_handover(&case).unwrap();
    world.withdraw(counsellor, &case).unwrap();
    world.sync(counsellor).unwrap();
    (world, counsellor, bamako, case)
}

/// The person consents again, and the case is opened once more.
fn opened_again(world: &mut World, counsellor: DeviceNumber, case: &str) {
    world.consent_to_share(counsellor, case).unwrap();
    world.phone(counsellor).propose_handover(case, "ML").unwrap();
    world.sync(counsellor).unwrap();
}

#[test]
fn a_case_that_left_and_came_back_in_one_answer_keeps_what_the_mission_wrote() {
    let (mut world, counsellor, bamako, case) = written_while_it_left(16);
    opened_again(&mut world, counsellor, &case);
    world.run_until_quiescent();
    assert!(world.holds(bamako, &case));
}

#[test]
fn a_case_that_came_back_with_the_push_keeps_what_the_mission_wrote() {
    let (mut world, counsellor, bamako, case) = written_while_it_left(17);
    // The case leaves while the server cannot take the mission's work.
    world.server_writes(false);
    world.sync(bamako).unwrap();
    world.server_writes(true);
    assert!(!world.holds(bamako, &case));
    assert_eq!(world.phone(bamako).store().pending().unwrap().changes, 1);
    opened_again(&mut world, counsellor, &case);
    world.run_until_quiescent();
    assert!(world.holds(bamako, &case));
}

#[test]
fn a_case_that_came_back_before_the_push_keeps_what_the_mission_wrote() {
    let (mut world, counsellor, bamako, case) = written_while_it_left(18);
    opened_again(&mut world, counsellor, &case);
    // It leaves and comes back while the server cannot take the mission's work, which goes later.
    world.server_writes(false);
    world.sync(bamako).unwrap();
    world.server_writes(true);
    assert!(world.holds(bamako, &case));
    assert_eq!(world.phone(bamako).store().pending().unwrap().changes, 1);
    world.run_until_quiescent();
    assert!(world.holds(bamako, &case));
}
