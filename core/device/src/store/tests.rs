//! What only the store's inside can bring about.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ed25519_dalek::SigningKey;
use foras_record::audience::granted;
use foras_record::document::{Edit, Write};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::proof;
use foras_record::role::Role;
use foras_record::value::Value;
use foras_sync::work::{Fate, Settlement};
use foras_wire::enrol::EnrolAnswer;
use foras_wire::grant::Grant;
use foras_wire::id::{DeviceId, Nonce, RecordId, ServerId};
use foras_wire::record::RecordRef;

use super::cache::LOADED_MAX;
use super::{RecordEdits, Store, SystemEntropy};
use crate::error::Error;

fn enrolled() -> Store {
    let mut store = Store::open_in_memory(Box::new(SystemEntropy)).unwrap();
    let request = store.enrol_request(&[1; 16]).unwrap();
    let (key, server) = (SigningKey::from_bytes(&[7; 32]), ServerId([1; 16]));
    let grant = Grant {
        server,
        device: DeviceId([2; 16]),
        key: request.key,
        revision: 1,
        role: "outreach".to_owned(),
        places: vec!["oujda".to_owned()],
        audiences: granted(Role::Outreach, &["oujda".parse().unwrap()], None)
            .into_iter()
            .map(|one| one.name())
            .collect(),
        case: None,
        name: None,
        issued_s: 0,
        expires_s: 1,
        lease_s: 1,
    };
    let answer = EnrolAnswer {
        server,
        server_key: proof::public_key(&key),
        epoch: 1,
        now_ms: 0,
        token: [3; 32],
        nonce: Nonce([4; 16]),
        grant: proof::sign_grant(&key, &grant),
        case_numbers: None,
        import_key: None,
    };
    store.complete_enrolment(&answer, "http://127.0.0.1:1", None, 0).unwrap();
    store
}

fn session(number: u32) -> RecordRef {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    identity::record(Kind::Session, RecordId(id), None)
}

fn planned(number: u32, partner: &str) -> RecordEdits {
    let put = |field, value: &str| {
        let rule = Kind::Session.rule().field(field).unwrap();
        Edit::of(rule, Write::Put(Value::Text(value.to_owned())))
    };
    let edits = vec![put("point", "oujda"), put("module", "awareness"), put("partner", partner)];
    RecordEdits { record: session(number), edits }
}

#[test]
fn a_full_disk_refuses_the_action_whole_and_the_store_goes_on() {
    let mut store = enrolled();
    store.commit(0, &[planned(0, "first")]).unwrap();
    let pages: i64 = store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let mut held = 1;
    let full = loop {
        match store.commit(0, &[planned(held, "another"), planned(held + 10_000, "another")]) {
            Ok(_) => held += 1,
            Err(error) => break error,
        }
        assert!(held < 10_000, "the disk never fills");
    };
    assert!(matches!(full, Error::StorageFull));
    let total = |store: &Store| store.list(Kind::Session, &super::ListQuery::default()).unwrap().total;
    assert_eq!(total(&store), u64::from(held) * 2 - 1);
    assert!(store.record(&session(held).key).unwrap().is_none());
    store.connection.pragma_update(None, "max_page_count", pages + 1_000).unwrap();
    store.commit(0, &[planned(held, "another"), planned(held + 10_000, "another")]).unwrap();
    assert_eq!(total(&store), u64::from(held) * 2 + 1);
}

#[test]
fn no_more_records_stay_loaded_than_the_cache_may_hold() {
    let mut store = enrolled();
    for number in 0..100 {
        store.commit(0, &[planned(number, "partner")]).unwrap();
    }
    assert_eq!(store.cache.len(), LOADED_MAX);
    store.document(&session(0).key).unwrap();
    assert_eq!(store.cache.len(), LOADED_MAX);
}

#[test]
fn a_row_that_was_damaged_is_told_and_nothing_else_is() {
    let mut store = enrolled();
    store.commit(0, &[planned(0, "first")]).unwrap();
    store.commit(0, &[planned(1, "second")]).unwrap();
    store.connection.execute("UPDATE change SET chunk = x'00' WHERE record = 1", []).unwrap();
    store.cache.remove(&session(0).key);
    assert!(matches!(store.document(&session(0).key), Err(Error::Corrupt { .. })));
    store.document(&session(1).key).unwrap();
}

/// An answer that comes twice must not settle what was written since.
#[test]
fn a_number_of_the_outbox_is_never_used_again() {
    let mut store = enrolled();
    let mut last = 0;
    for number in 0..3 {
        let set = [planned(2 * number, "first"), planned(2 * number + 1, "second")];
        let receipt = store.commit(0, &set).unwrap();
        assert!(receipt.change_set > last, "{} after {last}", receipt.change_set);
        let durable = |row| Settlement { row, fate: Fate::Durable };
        last = receipt.change_set + 1;
        store.settle(&[durable(receipt.change_set), durable(last)], 0).unwrap();
        assert_eq!(store.pending().unwrap().changes, 0);
    }
}
