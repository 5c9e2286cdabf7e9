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
    let (mut world, _, _) = oujda(12, 10);
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
    assert_eq!(people(&mut world, samira), 10);
    assert_eq!(world.phone(samira).store().first_sync().unwrap(), None);
    world.run_until_quiescent();
}
