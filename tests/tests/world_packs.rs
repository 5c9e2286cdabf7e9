//! First syncs of new phones, by packs: cut, withdrawn from, worked on before they are whole. Each story ends at rest, where
//! the laws of sync hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use foras::store::ListQuery;
use foras_record::kind::Kind;
use foras_tests::world::{DeviceNumber, World};

/// A point where a worker has registered `people`, and the cases, the first registered first.
fn oujda(seed: u64, people: usize) -> (World, DeviceNumber, Vec<String>) {
    let mut world = World::new(seed);
    let worker = world.outreach("oujda");
    let register = |number| world.register(worker, &format!("Person {}", name(number)), "oujda").unwrap();
    let cases: Vec<String> = (0..people).map(register).collect();
    for (number, case) in cases.iter().enumerate() {
        world.edit(worker, case, "needs", &format!("value-{number:05}.")).unwrap();
    }
    world.run_until_quiescent();
    (world, worker, cases)
}

fn name(number: usize) -> String {
    number.to_string().chars().map(|digit| char::from(b'a' + digit as u8 - b'0')).collect()
}

fn people(world: &mut World, device: DeviceNumber) -> u64 {
    world.phone(device).store().list(Kind::Person, &ListQuery::default()).unwrap().total
}

#[test]
fn a_new_phone_shows_everybody_before_it_has_tried_anybody() {
    let (mut world, _, cases) = oujda(11, 12);
    let samira = world.host_counsellor("oujda");
    let report = world.sync(samira).unwrap();
    assert!(report.round_trips <= 3, "{report:?}");
    let store = world.phone(samira).store();
    let verification = store.verification().unwrap();
    assert!(verification.received >= 36, "{verification:?}");
    assert_eq!(store.first_sync().unwrap(), None, "no pack is under way any more");
    let found = |search: &str| ListQuery { search: Some(search.to_owned()), ..ListQuery::default() };
    let listed = store.list(Kind::Person, &found("person h")).unwrap();
    assert_eq!((listed.total, listed.items[0].title.as_str()), (1, "Person h"));
    assert_eq!(listed.items[0].point, "oujda");
    assert!(!listed.items[0].case_number.is_empty());
    assert_eq!(people(&mut world, samira), 12);
    // Opening one tries that one, and shows who wrote it.
    let before = world.phone(samira).store().verification().unwrap().received;
    assert_eq!(world.values(samira, &cases[7], "needs"), ["value-00007."]);
    assert_eq!(world.phone(samira).store().verification().unwrap().received, before - 1);
    let shown = world.shown(samira, &cases[7], "project", "needs").unwrap();
    assert_eq!(shown.by.name.as_deref(), Some("outreach worker in oujda"));
    // The rest is tried step by step; then nothing lies in a pack any more.
    let mut left = u64::MAX;
    while left > 0 {
        let next = world.phone(samira).store_mut().verify_some(0, 10).unwrap();
        assert!(next < left, "each step tries some");
        left = next;
    }
    assert_eq!(world.values(samira, &cases[3], "needs"), ["value-00003."]);
    world.run_until_quiescent();
}

#[test]
fn a_first_sync_cut_at_every_piece_costs_one_piece_a_cut() {
    let (mut world, _, _) = oujda(12, 40);
    let whole = {
        let other = world.host_counsellor("oujda");
        world.sync(other).unwrap().bytes_down
    };
    let samira = world.host_counsellor("oujda");
    // Long enough for what an answer says first and two pieces.
    world.cut_each_answer(Some(1_100));
    let report = world.sync(samira).unwrap();
    world.cut_each_answer(None);
    let cuts = u64::from(report.round_trips);
    assert!(cuts > 3, "{report:?}");
    // Each cut costs a piece at most, and what every answer says first.
    assert!(report.bytes_down < whole + cuts * 700, "{report:?}, {whole} uncut");
    assert_eq!(people(&mut world, samira), 40);
    assert_eq!(world.phone(samira).store().first_sync().unwrap(), None);
    world.run_until_quiescent();
}

/// Syncs until some of a pack is here and some is not, and kills the app there.
fn until_in_the_middle(world: &mut World, device: DeviceNumber, records: u64) {
    for steps in 1..2_000 {
        let over = world.sync_for_steps(device, steps);
        let first = world.phone(device).store().first_sync().unwrap();
        world.device(device).kill();
        if first.is_some_and(|first| first.records >= records && first.records < first.records_total) {
            return;
        }
        assert!(!over, "the first sync was over before anybody looked");
    }
    panic!("nothing came");
}

/// As [`oujda`], with everybody handed over to Mali, whose counsellor has an empty phone.
fn bamako(seed: u64, people: usize) -> (World, DeviceNumber, DeviceNumber, Vec<String>) {
    let (mut world, worker, cases) = oujda(seed, people);
    for case in &cases {
        world.consent_to_share(worker, case).unwrap();
        let _ = world.phone(worker).propose_handover(case, "ML").unwrap();
    }
    world.run_until_quiescent();
    let mission = world.mission("ML");
    (world, worker, mission, cases)
}

#[test]
fn consent_withdrawn_between_two_pieces_leaves_nothing_on_the_missions_phone() {
    let (mut world, worker, mission, cases) = bamako(13, 8);
    until_in_the_middle(&mut world, mission, 1);
    let before: Vec<_> = cases.iter().map(|case| world.holds(mission, case)).collect();
    assert!(before.contains(&true) && before.contains(&false), "some came, some did not: {before:?}");
    // One that has come, and one that has not.
    let gone = [before.iter().position(|held| *held).unwrap(), before.iter().position(|held| !*held).unwrap()];
    for at in gone {
        world.withdraw(worker, &cases[at]).unwrap();
    }
    world.sync(worker).unwrap();
    world.sync(mission).unwrap();
    for (at, case) in cases.iter().enumerate() {
        assert_eq!(world.holds(mission, case), !gone.contains(&at), "{at}");
    }
    assert_eq!(world.phone(mission).store().first_sync().unwrap(), None);
    world.run_until_quiescent();
}

#[test]
fn a_consent_withdrawn_later_takes_the_case_out_of_its_segment() {
    let (mut world, worker, mission, cases) = bamako(14, 8);
    world.sync(mission).unwrap();
    let received = world.phone(mission).store().verification().unwrap().received;
    assert!(received > 8);
    world.withdraw(worker, &cases[5]).unwrap();
    world.sync(worker).unwrap();
    world.sync(mission).unwrap();
    assert!(!world.holds(mission, &cases[5]));
    let left = world.phone(mission).store().verification().unwrap();
    assert!(left.received < received && left.received > 0, "the others lie where they lay: {left:?}");
    world.run_until_quiescent();
}

#[test]
fn a_phone_killed_in_the_middle_of_a_pack_goes_on_where_it_was() {
    let (mut world, _, _) = oujda(15, 10);
    let samira = world.host_counsellor("oujda");
    let whole = {
        let other = world.host_counsellor("oujda");
        world.sync(other).unwrap().bytes_down
    };
    until_in_the_middle(&mut world, samira, 10);
    let before = world.phone(samira).store().first_sync().unwrap().unwrap();
    assert!(people(&mut world, samira) > 0, "what came can be looked at before the rest is there");
    let report = world.sync(samira).unwrap();
    assert!(report.bytes_down + before.bytes < whole + 600, "{report:?} after {before:?}, {whole} in one go");
    assert_eq!(people(&mut world, samira), 10);
    world.run_until_quiescent();
}

#[test]
fn a_received_case_is_edited_before_it_is_verified_and_while_the_pack_still_comes() {
    let (mut world, worker, mission, cases) = bamako(16, 8);
    world.sync(mission).unwrap();
    for case in &cases {
        let _ = world.phone(mission).accept_handover(case).unwrap();
    }
    world.run_until_quiescent();
    let colleague = world.mission("ML");
    until_in_the_middle(&mut world, colleague, 1);
    let here: Vec<_> = cases.iter().map(|case| !world.values(colleague, case, "needs").is_empty()).collect();
    let (edited, gone) = (here.iter().position(|here| *here).unwrap(), here.iter().position(|here| !*here).unwrap());
    world.edit(colleague, &cases[edited], "needs", "a room in Bamako").unwrap();
    // What she was in the middle of is no more: a consent is withdrawn before she has a network again.
    world.withdraw(worker, &cases[gone]).unwrap();
    world.sync(worker).unwrap();
    world.sync(colleague).unwrap();
    assert_eq!(world.values(colleague, &cases[edited], "needs"), ["a room in Bamako"]);
    assert_eq!(people(&mut world, colleague), 7);
    world.run_until_quiescent();
    assert_eq!(world.values(mission, &cases[edited], "needs"), ["a room in Bamako"]);
}

#[test]
fn a_page_that_touches_a_received_record_tries_it_first() {
    let (mut world, worker, cases) = oujda(17, 8);
    let samira = world.host_counsellor("oujda");
    world.sync(samira).unwrap();
    let received = world.phone(samira).store().verification().unwrap().received;
    world.edit(worker, &cases[4], "needs", "a doctor").unwrap();
    world.sync(worker).unwrap();
    let report = world.sync(samira).unwrap();
    assert_eq!(report.received, 1);
    assert_eq!(world.phone(samira).store().verification().unwrap().received, received - 1);
    assert_eq!(world.values(samira, &cases[4], "needs"), ["a doctor"]);
    world.run_until_quiescent();
}

#[test]
fn a_server_stopped_in_the_middle_of_making_a_pack_goes_on_with_the_same() {
    let (mut world, _, _) = oujda(18, 10);
    let samira = world.host_counsellor("oujda");
    until_in_the_middle(&mut world, samira, 10);
    let before = world.phone(samira).store().first_sync().unwrap().unwrap();
    world.restart_server();
    let report = world.sync(samira).unwrap();
    assert!(report.received > 0);
    assert!(u64::from(report.received) < before.records_total, "what was here did not come again");
    world.run_until_quiescent();
}

#[test]
fn what_was_only_looked_at_on_a_full_disk_is_whole_when_it_is_worked_on() {
    let (mut world, _, cases) = oujda(21, 6);
    let samira = world.host_counsellor("oujda");
    world.sync(samira).unwrap();
    world.phone_room(samira, Some(0));
    assert_eq!(world.values(samira, &cases[2], "needs"), ["value-00002."], "a full disk hides nothing");
    world.phone_room(samira, None);
    world.edit(samira, &cases[2], "needs", "value-10002.").unwrap();
    world.device(samira).kill();
    assert_eq!(world.values(samira, &cases[2], "needs"), ["value-10002."]);
    world.run_until_quiescent();
}
