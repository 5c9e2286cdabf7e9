//! Pages: what the server may send, and what a receiver must not believe.

use std::collections::BTreeMap;

use foras::error::Error;
use foras_record::change;
use foras_record::kind::Kind;
use foras_record::packed;
use foras_record::proof;
use foras_record::role::Role;
use foras_wire::id::{Nonce, RecordId};
use foras_wire::page::Entry;
use foras_wire::record::{KindCode, RecordKey, RecordRef};

use crate::desk::{NOW_MS, Someone, in_memory, put, register, shown};
use crate::server::{Server, change_entry, whole_entry};

/// A server with Awa, an author's phone, and a reader's that has seen nothing yet.
fn point() -> (Server, foras::store::Store, foras::store::Store) {
    let (mut server, mut samira, mut karim) = (Server::new(), in_memory(1), in_memory(2));
    server.enrol(&mut samira, Role::Outreach, &["oujda"], None, "Samira");
    server.enrol(&mut karim, Role::Outreach, &["oujda"], None, "Karim");
    register(&mut samira, Someone::numbered(1), "Awa", "oujda", 1);
    server.sync(&mut samira);
    (server, samira, karim)
}

fn casework(store: &foras::store::Store) -> usize {
    let audiences = store.identity().unwrap().audiences();
    audiences.iter().position(|audience| audience.as_str() == "casework:oujda").unwrap()
}

#[test]
fn pages_that_are_forged_or_do_not_continue_are_refused_whole() {
    let (server, _, mut karim) = point();
    let audience = karim.identity().unwrap().audiences()[casework(&karim)].clone();
    let page = server.page(casework(&karim), &audience, 0, &Default::default()).unwrap();
    let code = |karim: &mut foras::store::Store, page| match karim.apply_page(page, NOW_MS) {
        Err(Error::BadAnswer { code }) => code,
        other => panic!("{other:?}"),
    };
    let mut forged = page.clone();
    forged.signature.0[0] ^= 1;
    assert_eq!(code(&mut karim, &forged), "bad_signature");
    let mut shorter = page.clone();
    shorter.count -= 1;
    assert_eq!(code(&mut karim, &shorter), "malformed");
    let mut damaged = page.clone();
    damaged.body.pop();
    assert_eq!(code(&mut karim, &damaged), "malformed");
    let mut moved = page.clone();
    moved.audience = 99;
    assert_eq!(code(&mut karim, &moved), "unknown_audience");
    let mut other = page.clone();
    other.audience = 0;
    assert_eq!(code(&mut karim, &other), "bad_signature");
    let gap = server.sealed(casework(&karim), &audience, 1, &[Entry::Stub]);
    assert_eq!(code(&mut karim, &gap), "not_at_cursor");
    assert_eq!(karim.holdings().unwrap(), BTreeMap::new());
    karim.apply_page(&page, NOW_MS).unwrap();
    assert_eq!(code(&mut karim, &page), "not_at_cursor");
}

#[test]
fn entries_that_cannot_be_admitted_are_counted_and_hold_nobody_up() {
    let (mut server, _, mut karim) = point();
    let record = Someone::numbered(2).person;
    server.log("casework:oujda", change_entry(record, &[1, 2, 3]));
    let stranger = RecordRef { case: Some(RecordId([9; 16])), ..record };
    server.log("casework:oujda", whole_entry(stranger, &[vec![4, 5]]));
    server.log("casework:oujda", Entry::Unknown { code: 77, body: vec![9] });
    server.log("casework:oujda", Entry::Stub);
    let audience = karim.identity().unwrap().audiences()[casework(&karim)].clone();
    let page = server.page(casework(&karim), &audience, 0, &Default::default()).unwrap();
    let applied = karim.apply_page(&page, NOW_MS).unwrap();
    assert_eq!(applied.refused.values().sum::<u32>(), 2, "{:?}", applied.refused);
    assert_eq!(karim.cursors().unwrap()[casework(&karim)].position, page.to());
    assert_eq!(shown(&mut karim, &Someone::numbered(1).person, "name").as_deref(), Some("Awa"));
    assert_eq!(karim.record(&record.key).unwrap(), None);
}

#[test]
fn a_change_that_comes_before_what_it_builds_on_waits_for_it() {
    let (mut server, mut samira, mut karim) = point();
    server.sync(&mut karim);
    let awa = Someone::numbered(1);
    samira.commit(NOW_MS, &[put(awa.person, "name", "Hawa")]).unwrap();
    samira.commit(NOW_MS, &[put(awa.person, "channel", "sms")]).unwrap();
    let work = samira.work(&Default::default()).unwrap();
    let author = samira.identity().unwrap().grant().key;
    let items = packed::push::unpacked(&work.pushes[0].push, &author, &server).unwrap().items;
    let entry = |at: usize| change_entry(awa.person, &items[at].chunk);
    server.log("casework:oujda", entry(1));
    server.bring(&mut karim, &Default::default());
    assert_eq!(shown(&mut karim, &awa.person, "channel"), None);
    server.log("casework:oujda", entry(0));
    server.bring(&mut karim, &Default::default());
    assert_eq!(shown(&mut karim, &awa.person, "channel").as_deref(), Some("sms"));
    assert_eq!(shown(&mut karim, &awa.person, "name").as_deref(), Some("Hawa"));
}

#[test]
fn a_kind_of_a_newer_build_is_kept_untouched_and_drops_like_any_other() {
    let (mut server, samira, mut karim) = point();
    let chunk = samira.work(&Default::default()).unwrap().pushes.first().map_or(vec![4, 5, 6], |_| vec![]);
    let key = RecordKey { kind: KindCode(900), id: RecordId([8; 16]) };
    let record = RecordRef { key, case: None, generation: 3 };
    server.log("casework:oujda", whole_entry(record, &[chunk]));
    server.sync(&mut karim);
    assert_eq!(karim.record(&key).unwrap(), Some(record));
    assert!(matches!(karim.document(&key), Err(Error::NotFound)));
    server.log("casework:oujda", Entry::Drop(key));
    server.sync(&mut karim);
    assert_eq!(karim.record(&key).unwrap(), None);
}

#[test]
fn a_record_held_by_two_audiences_stays_until_both_let_it_go() {
    let (mut server, mut samira) = (Server::new(), in_memory(1));
    server.enrol(&mut samira, Role::Outreach, &["oujda", "rabat"], None, "Samira");
    let awa = Someone::numbered(1);
    register(&mut samira, awa, "Awa", "oujda", 1);
    server.sync(&mut samira);
    let document = samira.document(&awa.person.key).unwrap();
    assert_eq!(document.kind(), Kind::Person);
    let chunks = samira.work(&Default::default()).unwrap();
    assert!(chunks.pushes.is_empty());
    let whole = server.whole("casework:oujda", &awa.person);
    server.log("casework:rabat", whole);
    server.bring(&mut samira, &Default::default());
    assert_eq!(samira.holdings().unwrap()[&awa.person].len(), 2);
    server.log("casework:oujda", Entry::Drop(awa.person.key));
    server.bring(&mut samira, &Default::default());
    assert!(samira.record(&awa.person.key).unwrap().is_some());
    server.log("casework:rabat", Entry::Drop(awa.person.key));
    server.bring(&mut samira, &Default::default());
    assert_eq!(samira.record(&awa.person.key).unwrap(), None);
}

#[test]
fn an_own_change_acknowledged_after_its_record_left_and_came_back_is_part_of_it_again() {
    let (mut server, mut samira, _) = point();
    let awa = Someone::numbered(1);
    let before = server.whole("casework:oujda", &awa.person);
    samira.commit(NOW_MS, &[put(awa.person, "channel", "sms")]).unwrap();
    server.log("casework:oujda", Entry::Drop(awa.person.key));
    server.bring(&mut samira, &Default::default());
    server.log("casework:oujda", before);
    server.bring(&mut samira, &Default::default());
    assert_eq!(shown(&mut samira, &awa.person, "channel"), None);
    let work = samira.work(&Default::default()).unwrap();
    let settlements = server.receive(&samira, &work.pushes[0], &mut Default::default());
    samira.settle(&settlements, NOW_MS).unwrap();
    assert_eq!(shown(&mut samira, &awa.person, "channel").as_deref(), Some("sms"));
}

#[test]
fn of_a_restored_server_the_copies_are_compared_and_nothing_is_forgotten() {
    let (mut server, mut samira, _) = point();
    let awa = Someone::numbered(1);
    samira.commit(NOW_MS, &[put(awa.person, "channel", "sms")]).unwrap();
    server.epoch = 2;
    samira.welcome(2, NOW_MS, Nonce([3; 16]), None, NOW_MS).unwrap();
    let reconcile = samira.work(&Default::default()).unwrap().reconcile.unwrap();
    let held = samira.content_by_audience().unwrap().len();
    assert_eq!(reconcile.sketches.len(), held, "every copy that holds something is compared");
    server.sync(&mut samira);
    assert_eq!(samira.pending().unwrap().changes, 0);
    server.assert_converged(&mut samira);
    assert_eq!(shown(&mut samira, &awa.person, "channel").as_deref(), Some("sms"));
}

#[test]
fn a_foreign_grant_is_refused() {
    let (mut server, mut samira, mut karim) = point();
    let signed = proof::sign_grant(&server.key, karim.identity().unwrap().grant());
    assert_eq!(samira.accept_grant(&signed, NOW_MS).unwrap_err().code(), "bad_answer");
    let own = samira.identity().unwrap().grant().clone();
    let forged = proof::sign_grant(&ed25519_dalek::SigningKey::from_bytes(&[8; 32]), &own);
    assert_eq!(samira.accept_grant(&forged, NOW_MS).unwrap_err().code(), "bad_answer");
    let old = proof::sign_grant(&server.key, &own);
    server.regrant(&mut samira, &["oujda", "rabat"]);
    assert_eq!(samira.accept_grant(&old, NOW_MS).unwrap_err().code(), "bad_answer");
    assert_eq!(samira.identity().unwrap().grant().revision, 2);
    server.sync(&mut karim);
    assert!(change::parse(&[]).is_err());
}
