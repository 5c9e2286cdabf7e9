//! Stories of single records.

use std::collections::BTreeSet;

use foras_wire::id::Actor;

use crate::document::{Document, DocumentError, Edit, Write, genesis};
use crate::field::FieldRule;
use crate::kind::Kind;
use crate::registry;
use crate::value::Value;

const WORKER: Actor = Actor([1; 16]);
const COUNSELLOR: Actor = Actor([2; 16]);
const PROPOSAL: &str = "00000000000000000000000000000001";

fn field(kind: Kind, name: &str) -> &'static FieldRule {
    kind.rule().field(name).unwrap()
}

fn put(kind: Kind, name: &str, value: impl Into<Value>) -> Edit {
    Edit::of(field(kind, name), Write::Put(value.into()))
}

fn members(kind: Kind, name: &str, members: &[&str]) -> Edit {
    Edit::of(field(kind, name), Write::Members(members.iter().map(|&member| member.to_owned()).collect()))
}

/// Two replicas that hold the same, and will write apart.
fn two_phones(kind: Kind, edits: &[Edit]) -> (Document, Document) {
    let mut oujda = Document::empty(kind);
    oujda.edit(WORKER, 10, edits).unwrap();
    (oujda.clone(), oujda)
}

fn meet(one: &mut Document, a: &[u8], two: &mut Document, b: &[u8]) {
    one.apply(&[b]).unwrap();
    two.apply(&[a, b]).unwrap();
    assert_eq!(one.content(), two.content());
}

#[test]
fn two_names_set_offline_are_both_kept_until_one_is_settled() {
    let name = field(Kind::Person, "name");
    let (mut oujda, mut office) = two_phones(Kind::Person, &[put(Kind::Person, "name", "Awa Traoré")]);
    let a = oujda.edit(WORKER, 20, &[put(Kind::Person, "name", "Awa Traore")]).unwrap().unwrap();
    let b = office.edit(COUNSELLOR, 30, &[put(Kind::Person, "name", "Hawa Traoré")]).unwrap().unwrap();
    meet(&mut oujda, &a.chunk, &mut office, &b.chunk);
    let state = oujda.field(name);
    let shown = state.shown.unwrap();
    assert_eq!((shown.value.as_str(), shown.actor, shown.time_s), (Some("Hawa Traoré"), COUNSELLOR, 30));
    assert_eq!(state.others.len(), 1);
    let other = &state.others[0];
    assert_eq!((other.value.as_str(), other.actor, other.time_s), (Some("Awa Traore"), WORKER, 20));
    assert_eq!(oujda.conflicts(), 1);
    // Writing the shown value again settles it; once more changes nothing.
    assert!(oujda.edit(WORKER, 40, &[put(Kind::Person, "name", "Hawa Traoré")]).unwrap().is_some());
    assert_eq!(oujda.conflicts(), 0);
    assert!(oujda.edit(WORKER, 50, &[put(Kind::Person, "name", "Hawa Traoré")]).unwrap().is_none());
}

#[test]
fn a_settled_value_is_not_lost_to_an_edit_made_meanwhile() {
    let name = field(Kind::Person, "name");
    let (mut oujda, mut office) = two_phones(Kind::Person, &[put(Kind::Person, "name", "Awa")]);
    let a = oujda.edit(WORKER, 20, &[put(Kind::Person, "name", "Awa T.")]).unwrap().unwrap();
    let b = office.edit(COUNSELLOR, 30, &[put(Kind::Person, "name", "Hawa")]).unwrap().unwrap();
    oujda.apply(&[&b.chunk]).unwrap();
    // Oujda settles on the counsellor's name while the counsellor, who knows nothing of it, writes another.
    let settled = oujda.edit(WORKER, 40, &[put(Kind::Person, "name", "Hawa")]).unwrap().unwrap();
    let later = office.edit(COUNSELLOR, 50, &[put(Kind::Person, "name", "Hawa Traoré")]).unwrap().unwrap();
    oujda.apply(&[&later.chunk]).unwrap();
    office.apply(&[&a.chunk, &settled.chunk]).unwrap();
    assert_eq!(oujda.content(), office.content());
    let state = oujda.field(name);
    let values: Vec<_> = state.shown.iter().chain(&state.others).map(|held| held.value.as_str().unwrap()).collect();
    assert_eq!(BTreeSet::from_iter(values), BTreeSet::from(["Hawa", "Hawa Traoré"]));
}

#[test]
fn a_clear_is_seen_beside_a_value_written_meanwhile() {
    let language = field(Kind::Person, "contact_language");
    let (mut oujda, mut office) = two_phones(Kind::Person, &[put(Kind::Person, "contact_language", "fr")]);
    let a = oujda.edit(WORKER, 20, &[Edit::of(language, Write::Clear)]).unwrap().unwrap();
    let b = office.edit(COUNSELLOR, 30, &[put(Kind::Person, "contact_language", "bm")]).unwrap().unwrap();
    meet(&mut oujda, &a.chunk, &mut office, &b.chunk);
    let state = office.field(language);
    let values: Vec<_> = state.shown.iter().chain(&state.others).map(|held| held.value.clone()).collect();
    assert_eq!(values, ["bm".into(), serde_json::Value::Null]);
    // Clearing what nobody ever wrote is no change; a cleared field has no value, but shows who cleared it.
    assert!(oujda.edit(WORKER, 40, &[Edit::of(field(Kind::Person, "photo"), Write::Clear)]).unwrap().is_none());
    oujda.edit(WORKER, 50, &[Edit::of(language, Write::Clear)]).unwrap().unwrap();
    assert_eq!(oujda.value(language), None);
    assert_eq!(oujda.field(language).shown.unwrap().time_s, 50);
}

#[test]
fn equal_values_written_apart_are_no_conflict() {
    let (mut oujda, mut office) = two_phones(Kind::Case, &[put(Kind::Case, "sex", "unknown")]);
    let a = oujda.edit(WORKER, 20, &[put(Kind::Case, "sex", "f")]).unwrap().unwrap();
    let b = office.edit(COUNSELLOR, 30, &[put(Kind::Case, "sex", "f")]).unwrap().unwrap();
    meet(&mut oujda, &a.chunk, &mut office, &b.chunk);
    assert_eq!(oujda.conflicts(), 0);
    assert!(oujda.field(field(Kind::Case, "sex")).others.is_empty());
    assert!(oujda.edit(WORKER, 40, &[put(Kind::Case, "sex", "f")]).unwrap().is_none());
}

#[test]
fn a_phone_number_that_anybody_kept_stays() {
    let phone = field(Kind::Person, "phone");
    let (mut oujda, mut office) = two_phones(Kind::Person, &[members(Kind::Person, "phone", &["+212600000001"])]);
    // One removes the number; the other adds a second and leaves the first alone.
    let a = oujda.edit(WORKER, 20, &[members(Kind::Person, "phone", &[])]).unwrap().unwrap();
    let both = ["+212600000001", "+212600000002"];
    let b = office.edit(COUNSELLOR, 30, &[members(Kind::Person, "phone", &both)]).unwrap().unwrap();
    meet(&mut oujda, &a.chunk, &mut office, &b.chunk);
    assert_eq!(oujda.members(phone), BTreeSet::from(["+212600000002".to_owned()]));
    // Removed by one and put back by the other: it stays.
    let a = oujda.edit(WORKER, 40, &[members(Kind::Person, "phone", &both)]).unwrap().unwrap();
    let b = office.edit(COUNSELLOR, 50, &[Edit::of(phone, Write::Clear)]).unwrap().unwrap();
    meet(&mut oujda, &a.chunk, &mut office, &b.chunk);
    assert_eq!(oujda.members(phone), BTreeSet::from(["+212600000001".to_owned()]));
    assert_eq!(oujda.field(phone).shown.unwrap().value, serde_json::json!(["+212600000001"]));
}

#[test]
fn a_cancelled_session_stays_cancelled_beside_an_edit() {
    let status = field(Kind::Session, "status");
    let (mut oujda, mut office) = two_phones(Kind::Session, &[put(Kind::Session, "status", "planned")]);
    let a = oujda.edit(WORKER, 20, &[put(Kind::Session, "status", "cancelled")]).unwrap().unwrap();
    office.edit(COUNSELLOR, 30, &[Edit::of(status, Write::Clear)]).unwrap().unwrap();
    let b = office.edit(COUNSELLOR, 40, &[put(Kind::Session, "status", "planned")]).unwrap().unwrap();
    let clear = office.doc.get_changes(&[]).into_iter().find(|change| change.timestamp() == 30).unwrap();
    oujda.apply(&[clear.raw_bytes(), &b.chunk]).unwrap();
    office.apply(&[&a.chunk]).unwrap();
    assert_eq!(oujda.value_text(status).as_deref(), Some("cancelled"));
    assert_eq!(office.field(status).shown.unwrap().value, "cancelled");
    assert_eq!(office.field(status).others.len(), 1);
}

#[test]
fn an_event_is_written_once() {
    let handover = field(Kind::Case, "handover");
    let mut case = Document::empty(Kind::Case);
    let event = |json: &str| [Edit::item(handover, PROPOSAL, Write::Put(json.into()))];
    case.edit(WORKER, 10, &event(r#"{"step":"proposed","to":"ML"}"#)).unwrap().unwrap();
    assert!(case.edit(WORKER, 20, &event(r#"{"step":"proposed","to":"ML"}"#)).unwrap().is_none());
    let other = case.edit(WORKER, 30, &event(r#"{"step":"proposed","to":"SN"}"#));
    assert_eq!(other, Err(DocumentError::EventExists));
    assert_eq!(case.field(handover).items[PROPOSAL].shown.value["to"], "ML");
}

#[test]
fn the_newest_assessment_shows_and_the_older_ones_stay() {
    let vulnerabilities = field(Kind::Assessment, "vulnerabilities");
    let mut assessment = Document::empty(Kind::Assessment);
    for (id, json) in [(9, r#"{"values":["health"]}"#), (3, r#"{"values":["health","family"]}"#)] {
        let edit = Edit::item(vulnerabilities, format!("{id:032x}"), Write::Put(json.into()));
        assessment.edit(COUNSELLOR, id, &[edit]).unwrap().unwrap();
    }
    let state = assessment.field(vulnerabilities);
    assert_eq!(state.shown.unwrap().value["values"][1], "family");
    assert_eq!(state.items.len(), 2);
}

#[test]
fn a_bad_edit_writes_nothing_at_all() {
    let mut person = Document::empty(Kind::Person);
    let before = person.content();
    let name = || put(Kind::Person, "name", "Awa");
    let bad: [(Vec<Edit>, &str); 8] = [
        (vec![name(), put(Kind::Person, "phone", "+212600000001")], "wrong_type"),
        (vec![name(), put(Kind::Person, "literacy", 3)], "wrong_type"),
        (vec![name(), members(Kind::Person, "phone", &["0612"])], "no_such_phone"),
        (vec![name(), put(Kind::Case, "sex", "f")], "unknown_field"),
        (vec![name(), name()], "field_twice"),
        (vec![name(), put(Kind::Person, "ref", "a\u{0}b")], "control_character"),
        (vec![name(), put(Kind::Person, "ref", "a\u{202e}b")], "invisible_mark"),
        (vec![name(), Edit::item(field(Kind::Person, "ref"), "x", Write::Clear)], "wrong_type"),
    ];
    for (edits, code) in bad {
        assert_eq!(person.edit(WORKER, 10, &edits).unwrap_err().code(), code);
        assert_eq!(person.content(), before);
    }
    let event = |item: &str, json: &str| {
        let edit = Edit::item(field(Kind::Case, "consent"), item, Write::Put(json.into()));
        Document::empty(Kind::Case).edit(WORKER, 10, &[edit]).unwrap_err().code()
    };
    assert_eq!(event("1", "{}"), "not_an_id");
    assert_eq!(event(PROPOSAL, "[]"), "wrong_type");
    assert_eq!(event(PROPOSAL, "{"), "wrong_type");
    assert_eq!(event(PROPOSAL, &format!("{{\"a\":\"{}\"}}", "a".repeat(20_000))), "too_long");
}

#[test]
fn torn_and_foreign_documents_are_not_loaded() {
    let mut person = Document::empty(Kind::Person);
    person.edit(WORKER, 10, &[put(Kind::Person, "name", "Awa")]).unwrap();
    let saved = person.save();
    for length in 0..saved.len() {
        assert!(Document::load(Kind::Person, &saved[..length]).is_err(), "{length}");
    }
    assert_eq!(Document::load(Kind::Badge, &saved).unwrap_err(), DocumentError::OtherKind);
    assert_eq!(Document::load(Kind::Person, b"a text file").unwrap_err(), DocumentError::Unreadable);
    assert_eq!(Document::load(Kind::Person, &saved).unwrap().content(), person.content());
}

#[test]
fn a_change_without_its_past_is_not_taken_in_silence() {
    let (mut oujda, _) = two_phones(Kind::Person, &[put(Kind::Person, "name", "Awa")]);
    let second = oujda.edit(WORKER, 20, &[put(Kind::Person, "name", "Hawa")]).unwrap().unwrap();
    assert_eq!(second.seq, 2);
    assert_eq!(Document::replay(Kind::Person, [second.chunk.as_slice()]).unwrap_err(), DocumentError::Missing);
    assert_eq!(Document::replay(Kind::Person, [b"x".as_slice()]).unwrap_err(), DocumentError::NotAChange);
}

#[test]
fn every_kind_has_a_genesis_of_its_own_and_saves() {
    let mut seen = BTreeSet::new();
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
