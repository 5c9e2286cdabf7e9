//! Whatever two to four people write offline, and in whatever order and however often their changes arrive: replicas
//! agree in content, and every value that nobody overwrote knowingly stands.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::id::{Actor, ChangeHash};
use proptest::prelude::*;

use super::samples;
use crate::admission::{self, History, Verdict};
use crate::change;
use crate::document::{Document, DocumentError, Entry};
use crate::field::Shape;
use crate::kind::Kind;
use crate::registry;

/// What somebody does: writes a field, or hears everything that another knows, shuffled and doubled.
#[derive(Debug, Clone)]
enum Step {
    Write { who: usize, field: usize, item: u32, n: u32 },
    Hear { who: usize, from: usize, shuffle: u64 },
}

fn steps(people: usize) -> impl Strategy<Value = Vec<Step>> {
    let write = (0..people, 0..32_usize, 0..3_u32, 0..16_u32).prop_map(|(who, field, item, n)| Step::Write {
        who,
        field,
        item,
        n,
    });
    let hear = (0..people, 0..people, any::<u64>()).prop_map(|(who, from, shuffle)| Step::Hear { who, from, shuffle });
    prop::collection::vec(prop_oneof![3 => write, 2 => hear], 1..40)
}

struct Person {
    actor: Actor,
    document: Document,
    known: BTreeMap<ChangeHash, Vec<u8>>,
}

/// A value that somebody put, with the changes that its author then knew.
struct Written {
    key: String,
    entry: Entry,
    hash: ChangeHash,
    past: BTreeSet<ChangeHash>,
}

/// The chunks in an order drawn from `seed`, every third twice.
fn disordered(known: &BTreeMap<ChangeHash, Vec<u8>>, seed: u64) -> Vec<&[u8]> {
    let mixed = |at: usize| (at as u64 + 1).wrapping_mul(seed | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    let mut order: Vec<(u64, usize)> = (0..known.len()).map(|at| (mixed(at), at)).collect();
    order.sort_unstable();
    let chunks: Vec<&[u8]> = known.values().map(Vec::as_slice).collect();
    let doubled = order.iter().filter(|(mixed, _)| mixed % 3 == 0);
    order.iter().chain(doubled).map(|(_, at)| chunks[*at]).collect()
}

/// The values that must stand: those that no other write to the same key knew of.
fn standing(written: &[Written]) -> BTreeMap<String, Vec<Entry>> {
    let mut standing: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for one in written {
        let overwritten = written.iter().any(|other| other.key == one.key && other.past.contains(&one.hash));
        if !overwritten {
            standing.entry(one.key.clone()).or_default().push(one.entry.clone());
        }
    }
    for entries in standing.values_mut() {
        entries.sort_by_key(|entry| (entry.counter, entry.actor));
    }
    standing
}

fn run(kind: Kind, people: usize, steps: &[Step], at_end: u64) {
    let actor = |who: usize| Actor([u8::try_from(who + 1).unwrap(); 16]);
    let person = |who| Person { actor: actor(who), document: Document::empty(kind), known: BTreeMap::new() };
    let mut people: Vec<Person> = (0..people).map(person).collect();
    let mut written = Vec::new();
    let mut authored_in_order = Vec::new();
    for (time_s, step) in steps.iter().enumerate() {
        match step {
            Step::Write { who, field, item, n } => {
                let fields = kind.rule().fields;
                let field = &fields[field % fields.len()];
                if field.shape == Shape::Text {
                    continue;
                }
                let person = &mut people[*who];
                let before = person.document.content();
                let edit = samples::edit(field, *item + 3 * u32::try_from(*who).unwrap(), *n);
                assert_eq!(*person.document.content_kept(), before, "what is kept is what stands");
                let authored = match person.document.edit(person.actor, i64::try_from(time_s).unwrap(), &[edit]) {
                    Ok(Some(authored)) => authored,
                    Ok(None) | Err(DocumentError::EventExists) => {
                        assert_eq!(person.document.content(), before, "nothing was written");
                        continue;
                    }
                    Err(error) => panic!("{error}"),
                };
                let past: BTreeSet<ChangeHash> = person.known.keys().copied().collect();
                for (key, entries) in person.document.content().0 {
                    let old = before.0.get(&key);
                    for entry in entries.into_iter().filter(|entry| !old.is_some_and(|old| old.contains(entry))) {
                        written.push(Written { key: key.clone(), entry, hash: authored.hash, past: past.clone() });
                    }
                }
                authored_in_order.push(change::parse(&authored.chunk).unwrap());
                person.known.insert(authored.hash, authored.chunk);
            }
            Step::Hear { who, from, shuffle } => {
                let heard = people[*from].known.clone();
                let person = &mut people[*who];
                person.document.apply(&disordered(&heard, *shuffle)).unwrap();
                assert_eq!(*person.document.content_kept(), person.document.content());
                person.known.extend(heard);
            }
        }
    }
    let all: BTreeMap<ChangeHash, Vec<u8>> = people.iter().flat_map(|person| person.known.clone()).collect();
    let expected = standing(&written);
    for (who, person) in people.iter_mut().enumerate() {
        person.document.apply(&disordered(&all, at_end.wrapping_add(who as u64))).unwrap();
        assert_eq!(*person.document.content_kept(), person.document.content());
        let mut content = person.document.content();
        for text in kind.rule().texts() {
            content.0.remove(text.name);
        }
        assert_eq!(content.0, expected, "every value that nobody overwrote stands");
        check_visible(&person.document);
        let loaded = Document::load(kind, &person.document.save()).unwrap();
        assert_eq!(loaded.content(), person.document.content(), "a saved document reads the same");
        assert_eq!(loaded.content().fingerprint(), person.document.content().fingerprint());
        assert_eq!(loaded.heads(), person.document.heads());
        assert_eq!(loaded.fields(), person.document.fields());
    }
    let replayed = Document::replay(kind, disordered(&all, at_end.rotate_left(7))).unwrap();
    // What honest people write is admitted, in one batch.
    let mut history = History::new(kind);
    let verdicts = admission::admit(&mut history, &authored_in_order, &|_, _, _| Ok(()));
    assert_eq!(verdicts, vec![Verdict::Admitted; authored_in_order.len()]);
    assert_eq!(history.document().content(), replayed.content());
    for person in &people {
        assert_eq!(replayed.content(), person.document.content(), "a replayed document reads the same");
        assert_eq!(replayed.fields(), person.document.fields(), "and shows the same people and times");
    }
}

/// Every value that stands shows, or is among the others, clears included.
fn check_visible(document: &Document) {
    for field in document.kind().rule().fields {
        let state = document.field(field);
        match field.shape {
            Shape::One => {
                let stand: BTreeSet<_> =
                    document.entries(field.name).iter().map(|entry| entry.value.to_json().to_string()).collect();
                let seen = state.shown.iter().chain(&state.others).map(|held| held.value.to_string()).collect();
                assert_eq!(stand, seen, "{}", field.name);
            }
            Shape::PerItem => {
                for (item, state) in &state.items {
                    let entries = document.entries(&field.key(Some(item)));
                    let stand: BTreeSet<_> = entries.iter().map(|entry| entry.value.to_json().to_string()).collect();
                    let seen = std::iter::once(&state.shown).chain(&state.others);
                    assert_eq!(stand, seen.map(|held| held.value.to_string()).collect(), "{} {item}", field.name);
                }
            }
            Shape::Events | Shape::Versions => {
                assert_eq!(state.items.len(), document.items(field).len());
            }
            Shape::Set | Shape::Text => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_kind_merges(people in 2..=4_usize, steps in steps(4), at_end in any::<u64>()) {
        let people_of = |step: &Step| match step {
            Step::Write { who, field, item, n } =>
                Step::Write { who: who % people, field: *field, item: *item, n: *n },
            Step::Hear { who, from, shuffle } =>
                Step::Hear { who: who % people, from: from % people, shuffle: *shuffle },
        };
        let steps: Vec<Step> = steps.iter().map(people_of).collect();
        for rule in registry::ALL {
            run(rule.kind, people, &steps, at_end);
        }
    }
}
