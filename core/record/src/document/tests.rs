#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::registry;
use crate::value::Value;
use foras_wire::id::Actor;

const WORKER: Actor = Actor([1; 16]);
const COUNSELLOR: Actor = Actor([2; 16]);

fn put(kind: Kind, field: &str, value: impl Into<Value>) -> Edit {
    Edit::of(kind.rule().field(field).unwrap(), Write::Put(value.into()))
}

#[test]
fn two_names_set_offline_are_both_kept_until_one_is_settled() {
    let name = Kind::Person.rule().field("name").unwrap();
    let mut oujda = Document::empty(Kind::Person);
    let first = oujda.edit(WORKER, 10, &[put(Kind::Person, "name", "Awa Traoré")]).unwrap().unwrap();
    let mut office = Document::replay(Kind::Person, [first.chunk.as_slice()]).unwrap();
    let a = oujda.edit(WORKER, 20, &[put(Kind::Person, "name", "Awa Traore")]).unwrap().unwrap();
    let b = office.edit(COUNSELLOR, 30, &[put(Kind::Person, "name", "Hawa Traoré")]).unwrap().unwrap();
    oujda.apply(&[&b.chunk]).unwrap();
    office.apply(&[&a.chunk]).unwrap();
    assert_eq!(oujda.content(), office.content());
    let state = oujda.field(name);
    assert_eq!(state.shown.as_ref().unwrap().value, "Hawa Traoré");
    assert_eq!((state.shown.as_ref().unwrap().actor, state.shown.unwrap().time_s), (COUNSELLOR, 30));
    assert_eq!(state.others.len(), 1);
    assert_eq!((state.others[0].actor, state.others[0].time_s), (WORKER, 20));
    assert_eq!(oujda.conflicts(), 1);
    // Writing the shown value again settles it; once more changes nothing.
    assert!(oujda.edit(WORKER, 40, &[put(Kind::Person, "name", "Hawa Traoré")]).unwrap().is_some());
    assert_eq!(oujda.conflicts(), 0);
    assert!(oujda.edit(WORKER, 50, &[put(Kind::Person, "name", "Hawa Traoré")]).unwrap().is_none());
}

#[test]
fn every_kind_has_a_genesis_of_its_own_and_saves() {
    let mut seen = std::collections::BTreeSet::new();
    for rule in registry::ALL {
        let empty = Document::empty(rule.kind);
        assert_eq!(empty.heads(), [genesis(rule.kind)]);
        assert!(!empty.is_written());
        assert!(seen.insert(genesis(rule.kind)), "{}", rule.name);
        let loaded = Document::load(rule.kind, &empty.save()).unwrap();
        assert_eq!(loaded.content(), empty.content());
        for text in rule.texts() {
            assert_eq!(empty.text(text).as_deref(), Some(""));
        }
    }
}
