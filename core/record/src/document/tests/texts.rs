//! Co-edited prose: what one writes in a note and another did not delete is there in the end, once.

use std::collections::BTreeSet;

use foras_wire::id::Actor;
use foras_wire::limits;
use proptest::prelude::*;

use crate::document::{Document, DocumentError, Edit, Write, text_steps};
use crate::field::FieldRule;
use crate::kind::Kind;

fn text_field() -> &'static FieldRule {
    Kind::Note.rule().field("text").unwrap()
}

fn write(text: &str) -> Vec<Edit> {
    vec![Edit::of(text_field(), Write::Text(text.to_owned()))]
}

#[test]
fn two_counsellors_write_in_one_note() {
    let mut rabat = Document::empty(Kind::Note);
    let (one, two) = (Actor([1; 16]), Actor([2; 16]));
    let first = rabat.edit(one, 100, &write("Veut ouvrir un atelier.\nA une tante à Kayes.")).unwrap().unwrap();
    let mut bamako = Document::replay(Kind::Note, [first.chunk.as_slice()]).unwrap();
    let a = rabat.edit(one, 200, &write("Veut ouvrir un atelier de couture.\nA une tante à Kayes.")).unwrap().unwrap();
    let b =
        bamako.edit(two, 300, &write("Veut ouvrir un atelier.\nA une tante et un oncle à Kayes.")).unwrap().unwrap();
    rabat.apply(&[&b.chunk]).unwrap();
    bamako.apply(&[&a.chunk]).unwrap();
    let merged = "Veut ouvrir un atelier de couture.\nA une tante et un oncle à Kayes.";
    assert_eq!(rabat.text(text_field()).as_deref(), Some(merged));
    assert_eq!(rabat.content(), bamako.content());
    let shown = rabat.field(text_field()).shown.unwrap();
    assert_eq!((shown.value.as_str(), shown.actor, shown.time_s), (Some(merged), two, 300));
    // Emptied: it still shows who did it and when.
    rabat.edit(one, 400, &[Edit::of(text_field(), Write::Clear)]).unwrap().unwrap();
    let shown = rabat.field(text_field()).shown.unwrap();
    assert_eq!((shown.value.as_str(), shown.actor, shown.time_s), (Some(""), one, 400));
}

#[test]
fn a_note_longer_than_one_change_is_written_in_steps() {
    let mut note = Document::empty(Kind::Note);
    let long: String = (0..5_000_u32).map(|n| char::from(b'a' + u8::try_from(n % 26).unwrap())).collect();
    assert_eq!(note.edit(Actor([1; 16]), 1, &write(&long)), Err(DocumentError::TooLarge));
    assert!(!note.is_written());
    let steps = text_steps("", &long, 4);
    assert_eq!(steps.len(), 3);
    for (step, time_s) in steps.iter().zip(1..) {
        let authored = note.edit(Actor([1; 16]), time_s, &write(step)).unwrap().unwrap();
        assert!(authored.chunk.len() < limits::CHANGE_BYTES_MAX);
    }
    assert_eq!(note.text(text_field()).as_deref(), Some(long.as_str()));
    assert!(text_steps(&long, &long, 0).is_empty());
    let too_long = "a".repeat(16_001);
    assert_eq!(note.edit(Actor([1; 16]), 1, &write(&too_long)).unwrap_err().code(), "too_long");
}

#[test]
fn a_scalar_put_over_a_text_does_not_hide_it() {
    use automerge::transaction::Transactable;
    let mut note = Document::empty(Kind::Note);
    note.edit(Actor([1; 16]), 1, &write("Entretien")).unwrap();
    let mut transaction = note.doc.transaction();
    transaction.put(automerge::ROOT, "other", "field of a newer version").unwrap();
    transaction.commit();
    assert_eq!(note.text(text_field()).as_deref(), Some("Entretien"));
    assert_eq!(note.content().0.len(), 2);
}

/// A character that no other edit inserts, so that each can be followed.
fn mark(n: usize) -> char {
    char::from_u32(0x4E00 + u32::try_from(n).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn characters_survive_unless_deleted(
        edits in prop::collection::vec((0..3_usize, any::<prop::sample::Index>(), 0..3_u8, any::<bool>()), 1..40),
    ) {
        let mut people: Vec<Document> = (0..3).map(|_| Document::empty(Kind::Note)).collect();
        let mut chunks: Vec<Vec<u8>> = Vec::new();
        let (mut inserted, mut deleted) = (BTreeSet::new(), BTreeSet::new());
        for (n, (who, at, action, meet)) in edits.iter().enumerate() {
            let document = &mut people[*who];
            let mut text: Vec<char> = document.text(text_field()).unwrap().chars().collect();
            let at = at.index(text.len() + 1);
            if *action == 0 && at < text.len() {
                deleted.insert(text.remove(at));
            } else {
                let run = [mark(3 * n), mark(3 * n + 1), mark(3 * n + 2)];
                inserted.extend(run);
                text.splice(at..at, run);
            }
            let text: String = text.into_iter().collect();
            let actor = Actor([u8::try_from(*who).unwrap() + 1; 16]);
            let authored = document.edit(actor, 0, &write(&text)).unwrap().unwrap();
            prop_assert_eq!(document.text(text_field()), Some(text));
            chunks.push(authored.chunk);
            if *meet {
                let all: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
                people[(who + 1) % 3].apply(&all).unwrap();
            }
        }
        let all: Vec<&[u8]> = chunks.iter().rev().map(Vec::as_slice).collect();
        for document in &mut people {
            document.apply(&all).unwrap();
            let text = document.text(text_field()).unwrap();
            prop_assert_eq!(text.chars().count(), text.chars().collect::<BTreeSet<_>>().len());
            prop_assert_eq!(text.chars().collect::<BTreeSet<_>>(), &inserted - &deleted);
        }
        prop_assert_eq!(people[0].content(), people[1].content());
        prop_assert_eq!(people[0].content(), people[2].content());
    }

    #[test]
    fn steps_lead_from_any_text_to_any_other(old in "[ab\u{e9}\n]{0,60}", new in "[ab\u{e9}\n]{0,60}", room in 1..9_usize) {
        let reserved = usize::try_from(limits::CHANGE_OPS_MAX).unwrap() - room;
        let steps = text_steps(&old, &new, reserved);
        prop_assert_eq!(steps.last().unwrap_or(&old), &new);
        let mut before = old.as_str();
        for step in &steps {
            let changed: usize = super::super::write::splices(before, step)
                .iter()
                .map(|splice| splice.delete + splice.insert.chars().count())
                .sum();
            prop_assert!((1..=room).contains(&changed));
            before = step;
        }
    }
}
