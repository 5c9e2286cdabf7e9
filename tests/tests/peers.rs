//! Phones that meet with no server between them, and what the server hears of it later.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use foras_tests::world::{DeviceNumber, World};

/// Two colleagues in Oujda and their coordinator's eyes at the point: all up to date, then without a network.
fn oujda(seed: u64) -> (World, DeviceNumber, DeviceNumber, DeviceNumber, String) {
    let mut world = World::new(seed);
    let (samira, karim) = (world.outreach("oujda"), world.outreach("oujda"));
    let office = world.host_counsellor("oujda");
    let case = world.register(samira, "Awa", "oujda").unwrap();
    world.run_until_quiescent();
    world.offline(samira);
    world.offline(karim);
    (world, samira, karim, office, case)
}

fn state(world: &mut World, number: DeviceNumber, case: &str, kind: &str) -> &'static str {
    let shown = world.phone(number).show(case).unwrap();
    shown.records.iter().find(|record| record.kind == kind).unwrap_or_else(|| panic!("no {kind}")).delivery.state
}

#[test]
fn nine_days_without_signal_one_registers_the_other_brings_it_to_the_server() {
    let (mut world, samira, karim, office, awa) = oujda(101);
    let fatou = world.register(samira, "Fatou", "oujda").unwrap();
    world.edit(samira, &awa, "needs", "a doctor").unwrap();
    world.days_pass(9);
    let (came, found) = world.meet(karim, samira);
    let (came, found) = (came.unwrap(), found.unwrap());
    assert_eq!((came.received, came.waiting, came.sent), (found.sent, 0, 0));
    assert!(came.received >= 4, "{came:?}");
    assert_eq!(came.peer.unwrap().role, "outreach");
    assert!(came.refused.is_empty() && found.not_taken.is_empty());
    // Karim reads it, and sees that no server has it yet.
    assert_eq!(world.values(karim, &awa, "needs"), ["a doctor"]);
    assert_eq!(state(&mut world, karim, &awa, "project"), "carried");
    assert_eq!(state(&mut world, karim, &fatou, "person"), "carried");
    assert_eq!(world.phone(karim).status().unwrap().carried, u64::from(came.received));
    // Nothing is handed over twice.
    let (again, _) = world.meet(karim, samira);
    assert_eq!((again.unwrap().received, world.phone(karim).store().carried().unwrap()), (0, u64::from(came.received)));
    // Karim finds a network: the office sees Samira's work, as hers.
    world.online(karim);
    let report = world.sync(karim).unwrap();
    assert_eq!((report.carried, report.sent, report.refused, report.pending), (came.received, 0, 0, 0));
    assert_eq!(report.round_trips, 1);
    assert_eq!(state(&mut world, karim, &fatou, "person"), "server");
    assert_eq!(world.phone(karim).store().carried().unwrap(), 0);
    world.sync(office).unwrap();
    let name = world.shown(office, &fatou, "person", "name").unwrap();
    assert_eq!((name.value.as_str(), name.by.role.as_str()), (Some("Fatou"), "outreach"));
    // Samira is told once that the server has it.
    world.online(samira);
    assert_eq!(state(&mut world, samira, &fatou, "person"), "saved");
    let report = world.sync(samira).unwrap();
    assert_eq!((report.sent, report.refused, report.pending), (found.sent, 0, 0));
    assert_eq!(state(&mut world, samira, &fatou, "person"), "server");
    assert_eq!(world.sync(samira).unwrap().sent, 0);
    world.run_until_quiescent();
}

#[test]
fn both_end_with_what_either_had_and_build_on_each_other() {
    let (mut world, samira, karim, _, awa) = oujda(102);
    world.edit(samira, &awa, "needs", "a doctor").unwrap();
    world.edit(karim, &awa, "skills", "sewing").unwrap();
    let (came, found) = world.meet(karim, samira);
    assert_eq!((came.unwrap().received, found.unwrap().received), (1, 1));
    for number in [samira, karim] {
        assert_eq!(world.values(number, &awa, "needs"), ["a doctor"]);
        assert_eq!(world.values(number, &awa, "skills"), ["sewing"]);
    }
    // In turns: each writes upon what the other wrote.
    world.edit(karim, &awa, "needs", "a doctor and a room").unwrap();
    world.meet(karim, samira).0.unwrap();
    world.edit(samira, &awa, "needs", "a room, the doctor came").unwrap();
    world.meet(samira, karim).0.unwrap();
    assert_eq!(world.values(karim, &awa, "needs"), ["a room, the doctor came"]);
    // One of them meets the server, alone, with both their work in one request.
    world.online(karim);
    let report = world.sync(karim).unwrap();
    assert_eq!((report.sent, report.carried, report.pending, report.round_trips), (2, 2, 0, 1));
    world.run_until_quiescent();
    assert_eq!(world.values(samira, &awa, "needs"), ["a room, the doctor came"]);
}

#[test]
fn a_phone_that_is_lost_for_ever_after_it_shared_loses_nothing() {
    let (mut world, samira, karim, office, awa) = oujda(103);
    world.edit(samira, &awa, "needs", "a doctor").unwrap();
    world.meet(karim, samira).0.unwrap();
    // Samira's phone never comes back.
    world.online(karim);
    world.sync(karim).unwrap();
    world.sync(office).unwrap();
    assert_eq!(world.values(office, &awa, "needs"), ["a doctor"]);
}

#[test]
fn a_third_phone_takes_it_along_too() {
    let (mut world, samira, karim, office, awa) = oujda(104);
    let third = world.outreach("oujda");
    world.run_until_quiescent();
    for number in [samira, karim, third] {
        world.offline(number);
    }
    world.edit(samira, &awa, "needs", "a doctor").unwrap();
    world.meet(karim, samira).0.unwrap();
    world.edit(karim, &awa, "needs", "a doctor, on Monday").unwrap();
    let (came, _) = world.meet(third, karim);
    assert_eq!(came.unwrap().received, 2);
    world.online(third);
    assert_eq!(world.sync(third).unwrap().carried, 2);
    world.sync(office).unwrap();
    assert_eq!(world.values(office, &awa, "needs"), ["a doctor, on Monday"]);
    world.run_until_quiescent();
}

#[test]
fn a_meeting_cut_at_any_byte_loses_nothing_and_the_next_one_goes_on() {
    let (mut cut, mut step) = (0, 97);
    loop {
        let (mut world, samira, karim, _, awa) = oujda(105);
        for (field, value) in [("needs", "a doctor"), ("skills", "sewing"), ("project_idea", "a bakery")] {
            world.edit(samira, &awa, field, value).unwrap();
        }
        world.edit(karim, &awa, "education", "primary").unwrap();
        let (came, found) = world.meet_with_cut(karim, samira, cut);
        let whole = came.is_ok() && found.is_ok();
        world.meet(karim, samira).0.unwrap();
        for number in [samira, karim] {
            for (field, value) in [("needs", "a doctor"), ("project_idea", "a bakery"), ("education", "primary")] {
                assert_eq!(world.values(number, &awa, field), [value], "cut after {cut} bytes");
            }
        }
        world.run_until_quiescent();
        if whole {
            return;
        }
        (cut, step) = (cut + step, step + 61);
    }
}

#[test]
fn a_trainer_is_given_what_the_roster_sees_and_no_more() {
    let (mut world, samira, _, _, awa) = oujda(106);
    let trainer = world.trainer("oujda");
    world.run_until_quiescent();
    world.offline(samira);
    world.offline(trainer);
    world.edit(samira, &awa, "needs", "a doctor").unwrap();
    let (came, found) = world.meet(trainer, samira);
    assert_eq!((came.unwrap().received, found.unwrap().sent), (0, 0));
    assert_eq!(world.values(trainer, &awa, "needs"), Vec::<String>::new());
    let person = world.migrant(&awa);
    world.sync(person).unwrap();
    let (came, found) = world.meet(person, samira);
    assert_eq!((came.unwrap().received, found.unwrap().sent), (0, 0), "a migrant is served no staff audience");
}

#[test]
fn what_a_clone_handed_over_gives_way_to_what_the_server_has() {
    let (mut world, samira, karim, office, awa) = oujda(107);
    let clone = world.clone_of(samira, "a clone of Samira's phone");
    world.offline(clone);
    world.edit(clone, &awa, "needs", "from the clone").unwrap();
    world.meet(karim, clone).0.unwrap();
    world.edit(karim, &awa, "skills", "sewing").unwrap();
    world.online(samira);
    world.edit(samira, &awa, "needs", "from the phone").unwrap();
    world.sync(samira).unwrap();
    world.online(karim);
    world.sync(karim).unwrap();
    world.sync(office).unwrap();
    assert_eq!(world.values(office, &awa, "needs"), ["from the phone"]);
    assert_eq!(world.values(karim, &awa, "needs"), ["from the phone"]);
    assert_eq!(world.values(karim, &awa, "skills"), ["sewing"], "own work on it was written anew");
    world.online(clone);
    world.run_until_quiescent();
}

#[test]
fn what_came_in_a_pack_is_not_provisional_when_its_author_hands_it_over() {
    let (mut world, samira, _, _, awa) = oujda(110);
    world.online(samira);
    for skill in 0..12 {
        world.edit(samira, &awa, "skills", &format!("skill {skill}")).unwrap();
    }
    world.sync(samira).unwrap();
    // The server takes it, and she is not told.
    world.edit(samira, &awa, "needs", "a doctor").unwrap();
    world.cut_next_answer(samira, 0);
    let fatou = world.outreach("oujda");
    world.sync(fatou).unwrap();
    let (came, _) = world.meet(fatou, samira);
    assert_eq!(came.unwrap().received, 0, "it came in the pack");
    let store = world.phone(fatou).store_mut();
    assert_eq!(store.carried().unwrap(), 0);
    assert_eq!(store.digest().unwrap(), store.recount().unwrap());
    world.run_until_quiescent();
}

#[test]
fn what_was_admitted_before_somebody_left_stays_admitted_whoever_brings_it_later() {
    let (mut world, samira, karim, office, awa) = oujda(109);
    world.edit(samira, &awa, "needs", "a doctor").unwrap();
    world.meet(karim, samira).0.unwrap();
    // The server takes it; somebody builds on it; its author leaves before the phone heard of either.
    world.online(samira);
    world.cut_next_answer(samira, 0);
    assert_eq!(world.phone(samira).store().pending().unwrap().changes, 1);
    world.sync(office).unwrap();
    world.edit(office, &awa, "needs", "a doctor, on Monday").unwrap();
    world.sync(office).unwrap();
    let device = world.phone(samira).store().identity().unwrap().grant().device;
    world.server().revoke(&device, foras_server::Revocation::Left).unwrap();
    world.online(karim);
    world.sync(karim).unwrap();
    let _ = world.sync(samira);
    let listed = world.server().devices().unwrap();
    assert_eq!(listed.iter().find(|one| one.device == device).unwrap().quarantined, 0, "it stands");
    for number in [karim, office] {
        assert_eq!(world.values(number, &awa, "needs"), ["a doctor, on Monday"]);
    }
    world.run_until_quiescent();
}

#[test]
fn a_revoked_phones_work_reaches_quarantine_and_the_phone_is_met_no_more() {
    let (mut world, samira, karim, office, awa) = oujda(108);
    world.edit(samira, &awa, "needs", "a doctor").unwrap();
    world.meet(karim, samira).0.unwrap();
    let device = world.phone(samira).store().identity().unwrap().grant().device;
    world.server().revoke(&device, foras_server::Revocation::Lost).unwrap();
    world.online(karim);
    let report = world.sync(karim).unwrap();
    assert_eq!((report.carried, report.pending), (1, 0));
    assert_eq!(world.values(karim, &awa, "needs"), Vec::<String>::new(), "it left the record again");
    world.sync(office).unwrap();
    assert_eq!(world.values(office, &awa, "needs"), Vec::<String>::new());
    let listed = world.server().devices().unwrap();
    assert_eq!(listed.iter().find(|one| one.device == device).unwrap().quarantined, 1);
    let (came, found) = world.meet(karim, samira);
    assert_eq!(came.unwrap_err().error.code(), "revoked");
    assert_eq!(found.unwrap_err().error.code(), "refused_by_peer");
}

#[test]
fn a_file_in_the_wrong_hands_leaves_nothing_on_a_phone_of_ours() {
    let mut world = World::new(31);
    let (worker, counsellor) = (world.outreach("oujda"), world.host_counsellor("oujda"));
    let (trainer, neighbour) = (world.trainer("oujda"), world.outreach("rabat"));
    let colleague = world.outreach("oujda");
    world.run_until_quiescent();
    // Samira registered Awa and synced; the others have not heard of her when they meet, far from any network.
    let case = world.register(worker, "Awa", "oujda").unwrap();
    world.sync(worker).unwrap();
    world.edit(worker, &case, "education", "value-77777.").unwrap();
    for other in [trainer, neighbour] {
        let report = world.hand_file(worker, other, usize::MAX).unwrap();
        assert_eq!((report.refused.get("for_others"), report.waiting, report.received), (Some(&1), 0, 0), "{report:?}");
        assert!(world.device(other).values_in_files().is_empty(), "not a byte of it");
    }
    // A colleague takes it along, though the case is new to him too.
    let report = world.hand_file(worker, colleague, usize::MAX).unwrap();
    assert_eq!((report.waiting, report.refused.is_empty()), (1, true), "{report:?}");
    assert!(world.device(colleague).values_in_files().contains("value-77777."));
    world.offline(worker);
    world.sync(colleague).unwrap();
    world.sync(counsellor).unwrap();
    assert_eq!(world.values(counsellor, &case, "education"), ["value-77777."]);
    world.online(worker);
    world.run_until_quiescent();
}
