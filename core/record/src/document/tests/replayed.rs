//! A record's content read from its changes alone is what automerge makes of them, whatever people wrote at once.

use foras_wire::id::Actor;
use proptest::prelude::*;

use super::samples;
use crate::change::{self, ParsedAction, ParsedChange, ParsedScalar};
use crate::document::{Content, Document, DocumentError, Edit, Write};
use crate::field::Shape;
use crate::kind::Kind;
use crate::{projection, registry};

#[derive(Debug, Clone)]
enum Step {
    Write { who: usize, field: usize, item: u32, n: u32 },
    Type { who: usize, at: usize, removed: usize, typed: String },
    Hear { who: usize, from: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..4_usize;
    prop::collection::vec(
        prop_oneof![
            3 => (who.clone(), 0..32_usize, 0..3_u32, 0..16_u32)
                .prop_map(|(who, field, item, n)| Step::Write { who, field, item, n }),
            3 => (who.clone(), 0..40_usize, 0..6_usize, "[a-zé€👩]{0,5}")
                .prop_map(|(who, at, removed, typed)| Step::Type { who, at, removed, typed }),
            2 => (who.clone(), who).prop_map(|(who, from)| Step::Hear { who, from }),
        ],
        1..50,
    )
}

/// One of the people: a document, and its changes in the order in which they came to it.
struct Person {
    actor: Actor,
    document: Document,
    changes: Vec<ParsedChange>,
}

impl Person {
    fn edit(&mut self, time_s: i64, edit: Edit) {
        match self.document.edit(self.actor, time_s, &[edit]) {
            Ok(Some(authored)) => self.changes.push(change::parse(&authored.chunk).unwrap()),
            Ok(None) | Err(DocumentError::EventExists) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn typed(document: &Document, kind: Kind, at: usize, removed: usize, new: &str) -> Option<Edit> {
    let field = kind.rule().texts().next()?;
    let mut text: Vec<char> = document.text(field).unwrap_or_default().chars().collect();
    let at = at.min(text.len());
    let end = (at + removed).min(text.len());
    text.splice(at..end, new.chars());
    Some(Edit::of(field, Write::Text(text.into_iter().collect())))
}

fn run(kind: Kind, steps: &[Step]) {
    let actor = |who: u8| Actor([9 - 2 * who; 16]);
    let person = |who| Person { actor: actor(who), document: Document::empty(kind), changes: Vec::new() };
    let mut people: Vec<Person> = (0..4).map(person).collect();
    for (time_s, step) in (1..).zip(steps) {
        match step {
            Step::Write { who, field, item, n } => {
                let fields = kind.rule().fields;
                let field = &fields[field % fields.len()];
                if field.shape != Shape::Text {
                    let item = *item + 3 * u32::try_from(*who).unwrap();
                    people[*who].edit(time_s, samples::edit(field, item, *n));
                }
            }
            Step::Type { who, at, removed, typed: new } => {
                if let Some(edit) = typed(&people[*who].document, kind, *at, *removed, new) {
                    people[*who].edit(time_s, edit);
                }
            }
            Step::Hear { who, from } => {
                let heard = people[*from].changes.clone();
                let person = &mut people[*who];
                for change in heard {
                    if !person.changes.iter().any(|known| known.hash == change.hash) {
                        person.document.apply(&[change.bytes()]).unwrap();
                        person.changes.push(change);
                    }
                }
            }
        }
    }
    for person in &people {
        let content = Content::of_changes(kind, &person.changes).expect("all of it is this library's own");
        assert_eq!(content, person.document.content());
        assert_eq!(projection::columns_of(kind, &content), projection::columns(&person.document));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn content_without_automerge_is_automerges(steps in steps()) {
        for rule in registry::ALL {
            run(rule.kind, &steps);
        }
    }
}

#[test]
fn what_this_library_does_not_write_is_left_to_a_document() {
    let mut document = Document::empty(Kind::Person);
    let name = Kind::Person.rule().field("name").unwrap();
    let authored = document.edit(Actor([1; 16]), 1, &[Edit::of(name, Write::Put("Awa".into()))]).unwrap().unwrap();
    let change = change::parse(&authored.chunk).unwrap();
    assert_eq!(Content::of_changes(Kind::Person, [&change]), Some(document.content()));
    let foreign = [
        ParsedAction::Put(ParsedScalar::Uint(1)),
        ParsedAction::Put(ParsedScalar::Counter(1)),
        ParsedAction::Put(ParsedScalar::Unknown { code: 12, bytes: Vec::new() }),
        ParsedAction::MakeText,
        ParsedAction::MakeOther(0),
        ParsedAction::Increment(1),
        ParsedAction::Mark,
        ParsedAction::Other(9),
    ];
    for action in foreign {
        let mut strange = change.clone();
        strange.ops[0].action = action.clone();
        assert_eq!(Content::of_changes(Kind::Person, [&strange]), None, "{action:?}");
    }
}
