#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use foras_wire::id::Actor;

use super::*;
use crate::document::{Edit, Write};
use crate::registry;
use crate::value::Value;

const WORKER: Actor = Actor([1; 16]);
const COUNSELLOR: Actor = Actor([2; 16]);

fn put(kind: Kind, field: &str, value: impl Into<Value>) -> Edit {
    Edit::of(kind.rule().field(field).unwrap(), Write::Put(value.into()))
}

fn set(kind: Kind, field: &str, members: &[&str]) -> Edit {
    let members = members.iter().map(|member| (*member).to_owned()).collect();
    Edit::of(kind.rule().field(field).unwrap(), Write::Members(members))
}

fn item(kind: Kind, field: &str, id: u32, value: &str) -> Edit {
    Edit::item(kind.rule().field(field).unwrap(), format!("{id:032x}"), Write::Put(value.into()))
}

fn written(kind: Kind, edits: &[Edit]) -> Document {
    let mut document = Document::empty(kind);
    document.edit(WORKER, 10, edits).unwrap();
    document
}

#[test]
fn a_person_is_found_by_name_variant_and_number() {
    let person = written(
        Kind::Person,
        &[
            put(Kind::Person, "name", "N’Dèye Traoré-Sy"),
            set(Kind::Person, "name_variants", &["Ndey Traoré", "نداي"]),
            set(Kind::Person, "phone", &["+212612345678", "+22370123456"]),
            put(Kind::Person, "contact_language", "wo"),
        ],
    );
    let view = columns(&person);
    assert_eq!(view.title, "N’Dèye Traoré-Sy");
    for words in ["ndeye traore sy", "Ndey", "نداي", "0612345678", "+22370123456"] {
        assert!(view.search.contains(&fold(words)), "{words} in {}", view.search);
    }
    assert_eq!(view.columns["contact_language"], "wo");
    assert_eq!(view.columns["phone"], serde_json::json!(["+212612345678", "+22370123456"]));
    assert_eq!((view.conflicts, view.awaiting), (0, 0));
}

#[test]
fn of_two_names_written_apart_both_are_searched() {
    let mut person = written(Kind::Person, &[put(Kind::Person, "name", "Awa")]);
    let mut other = person.clone();
    person.edit(WORKER, 20, &[put(Kind::Person, "name", "Hawa")]).unwrap();
    let change = other.edit(COUNSELLOR, 30, &[put(Kind::Person, "name", "Éva")]).unwrap().unwrap();
    person.apply(&[&change.chunk]).unwrap();
    let view = columns(&person);
    assert_eq!(view.conflicts, 1);
    assert!(view.search.contains("hawa") && view.search.contains("eva"), "{}", view.search);
}

#[test]
fn a_case_follows_its_registration_and_transfer() {
    let mut case = written(
        Kind::Case,
        &[
            put(Kind::Case, "case_number", "O-000123"),
            put(Kind::Case, "birth_year", 1996),
            item(Kind::Case, "registered", 1, r#"{"point":"oujda","on":"2026-10-01"}"#),
            item(Kind::Case, "consent", 2, r#"{"purpose":"assist","status":"given","form":"oral"}"#),
        ],
    );
    let view = columns(&case);
    assert_eq!((view.point.as_deref(), view.number.as_deref()), (Some("oujda"), Some("O-000123")));
    assert_eq!((view.sort_at.as_str(), view.awaiting), ("2026-10-01", 2));
    assert_eq!(view.columns["birth_year"], 1996);
    case.edit(WORKER, 30, &[item(Kind::Case, "transfer", 3, r#"{"to":"rabat"}"#)]).unwrap();
    assert_eq!(columns(&case).point.as_deref(), Some("rabat"));
    let rulings = [(1, "1 valid"), (2, "2 valid"), (3, "3 void not_yours")];
    let rulings: Vec<Edit> = rulings.iter().map(|(id, text)| item(Kind::Case, "ruling", *id, text)).collect();
    case.edit(COUNSELLOR, 40, &rulings).unwrap();
    let view = columns(&case);
    assert_eq!((view.point.as_deref(), view.awaiting), (Some("oujda"), 0));
}

#[test]
fn sessions_sort_by_their_moment_whatever_the_offset() {
    let at = |start: &str| {
        let edits = [put(Kind::Session, "start", start), put(Kind::Session, "module", "crafts")];
        columns(&written(Kind::Session, &edits))
    };
    let (morning, later) = (at("2026-10-05T09:00:00+01:00"), at("2026-10-05T08:30:00Z"));
    assert_eq!(morning.sort_at, "2026-10-05T08:00:00Z");
    assert!(morning.sort_at < later.sort_at);
    assert_eq!(morning.title, "crafts");
}

#[test]
fn a_note_has_its_first_line_and_is_not_searched() {
    let text = Kind::Note.rule().field("text").unwrap();
    let note = written(
        Kind::Note,
        &[
            Edit::of(text, Write::Text("\n  Atelier de couture\nKayes".to_owned())),
            put(Kind::Note, "held_on", "2026-10-07"),
        ],
    );
    let view = columns(&note);
    assert_eq!((view.title.as_str(), view.search.as_str()), ("Atelier de couture", ""));
    assert_eq!(view.sort_at, "2026-10-07");
}

#[test]
fn every_kind_has_columns_even_when_nobody_wrote() {
    for rule in registry::ALL {
        assert_eq!(columns(&Document::empty(rule.kind)), View::default(), "{}", rule.name);
    }
}

#[test]
fn words_fold_to_what_is_typed() {
    for (text, folded) in [
        ("  Fatoumata   DIALLO ", "fatoumata diallo"),
        ("Kɛlɛtigi Ɲumu Ɓaa", "keletigi numu baa"),
        ("D’Almeida", "dalmeida"),
        ("Cœur-Joie", "coeur joie"),
        ("أَحْمَد", "احمد"),
        ("فاطمة", "فاطمه"),
        ("İstanbul", "istanbul"),
    ] {
        assert_eq!(fold(text), folded);
        assert_eq!(fold(folded), folded);
    }
}
