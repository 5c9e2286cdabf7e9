//! Hostile and honest changes. Each hostile one is named after what it tries; all must leave the record as it was.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

use super::*;
use crate::change::forge::{self, Forged};
use crate::change::{Actor, OpId, ParsedAction, ParsedKey, ParsedObject, ParsedOp, ParsedScalar, parse};
use crate::document::{Authored, Edit, Write};
use crate::kinds::note::NOTE;
use crate::kinds::person::PERSON;
use crate::value::Value;

const SAMIRA: Actor = Actor([1; 16]);
const YASSINE: Actor = Actor([2; 16]);
const HOSTILE: Actor = Actor([9; 16]);

fn open(_: &ParsedChange, _: &Document, _: bool) -> Result<(), Refusal> {
    Ok(())
}

fn name(document: &mut Document, actor: Actor, text: &str) -> ParsedChange {
    edit(document, actor, "name", text)
}

fn edit(document: &mut Document, actor: Actor, field: &str, text: &str) -> ParsedChange {
    let field = PERSON.field(field).unwrap();
    let edits = [Edit::of(field, Write::Put(Value::Text(text.into())))];
    let Authored { chunk, .. } = document.edit(actor, 1_790_000_000, &edits).unwrap().unwrap();
    parse(&chunk).unwrap()
}

/// A person registered in Oujda, with a few honest edits.
fn registered() -> History {
    let (mut history, mut document) = (History::new(Kind::Person), Document::empty(Kind::Person));
    let changes = [
        name(&mut document, SAMIRA, "Aïssatou Example"),
        edit(&mut document, YASSINE, "channel", "sms"),
        edit(&mut document, SAMIRA, "literacy", "some"),
    ];
    let verdicts = admit(&mut history, &changes, &open);
    assert_eq!(verdicts, vec![Verdict::Admitted; 3]);
    assert_eq!(history.document().content(), document.content());
    history
}

fn put(actor: Actor, counter: u64, key: &str, value: &str, preds: Vec<OpId>) -> ParsedOp {
    ParsedOp {
        id: OpId { counter, actor },
        object: ParsedObject::Root,
        key: ParsedKey::Field(key.into()),
        insert: false,
        action: ParsedAction::Put(ParsedScalar::Str(value.into())),
        preds,
    }
}

fn next_op(history: &History) -> u64 {
    history.heads().iter().filter_map(|head| history.known(head)).map(|known| known.max_op).max().unwrap_or(0) + 1
}

/// A hostile change upon all heads, to be bent by its caller.
fn forged(history: &History, ops: impl Fn(u64) -> Vec<ParsedOp>) -> Forged {
    let start = next_op(history);
    let mut change = Forged::new(HOSTILE, 1, start).with_ops(&ops(start));
    change.deps = history.heads();
    change
}

/// Asserts that the forged chunk is refused with this code, and nothing else happens.
fn refused(history: &mut History, chunk: &[u8], code: &str) {
    let (content, heads) = (history.document().content(), history.heads());
    let verdict = match parse(chunk) {
        Err(error) => error.code(),
        Ok(change) => match admit(history, &[change], &open).remove(0) {
            Verdict::Refused(refusal) => refusal.code,
            other => panic!("taken: {other:?}"),
        },
    };
    assert_eq!(verdict, code);
    assert_eq!(history.document().content(), content);
    assert_eq!(history.heads(), heads);
    assert!(rehearsal::passes(history), "the record is still sound");
}

fn clean(start: u64) -> Vec<ParsedOp> {
    vec![put(HOSTILE, start, "photo", "x", vec![])]
}

#[test]
fn the_forger_itself_can_write_an_honest_change() {
    let mut history = registered();
    let change = parse(&forged(&history, clean).chunk()).unwrap();
    assert_eq!(admit(&mut history, &[change], &open), [Verdict::Admitted]);
}

#[test]
fn a_huge_start_op_cannot_win_over_later_edits() {
    let mut history = registered();
    let change = |start: u64| {
        let mut change = Forged::new(HOSTILE, 1, start).with_ops(&[put(HOSTILE, start, "name", "mine", vec![])]);
        change.deps = registered().heads();
        change.chunk()
    };
    let next = next_op(&history);
    refused(&mut history, &change(next + 20), "wrong_start_op");
    refused(&mut history, &change(1_000_000), "wrong_start_op");
    refused(&mut history, &change(next - 1), "wrong_start_op");
    refused(&mut history, &change(u64::from(u32::MAX)), "bad_start_op");
}

#[test]
fn no_change_makes_the_next_honest_edit_panic() {
    let mut history = registered();
    // automerge counts operations in 32 bits and adds one to the highest: at their end the next commit panics.
    for start in [u64::from(u32::MAX), u64::from(u32::MAX) - 1, (1 << 31) - 1, u64::MAX] {
        let mut change = Forged::new(HOSTILE, 1, start).with_ops(&[put(HOSTILE, start, "photo", "x", vec![])]);
        change.deps = history.heads();
        let taken =
            parse(&change.chunk()).is_ok_and(|change| admit(&mut history, &[change], &open) == [Verdict::Admitted]);
        assert!(!taken, "start_op {start}");
    }
    let mut document = history.document().clone();
    let honest = edit(&mut document, YASSINE, "photo", "p");
    assert_eq!(admit(&mut history, &[honest], &open), [Verdict::Admitted]);
}

#[test]
fn a_sequence_number_that_skips_or_repeats_is_refused() {
    let mut history = registered();
    for (seq, code) in [(7, "seq_gap"), (2, "seq_gap"), (0, "bad_seq")] {
        let mut change = forged(&history, clean);
        change.seq = seq;
        refused(&mut history, &change.chunk(), code);
    }
    // A clone of Samira's phone wrote something else as her second change.
    let start = next_op(&history);
    let mut change = Forged::new(SAMIRA, 2, start).with_ops(&[put(SAMIRA, start, "photo", "x", vec![])]);
    change.deps = history.heads();
    refused(&mut history, &change.chunk(), "seq_reused");
}

#[test]
fn an_author_cannot_leave_out_the_own_last_change() {
    let mut history = registered();
    let first = history.chunks().first().map(|chunk| parse(chunk).unwrap()).unwrap();
    // Yassine's second change, built on Samira's first alone.
    let mut change = Forged::new(YASSINE, 2, first.max_op() + 1);
    change = change.with_ops(&[put(YASSINE, first.max_op() + 1, "photo", "x", vec![])]);
    change.deps = vec![first.hash];
    refused(&mut history, &change.chunk(), "own_change_left_out");
}

#[test]
fn a_change_without_ancestry_makes_no_second_root() {
    let mut history = registered();
    let change = Forged::new(HOSTILE, 1, 1).with_ops(&clean(1));
    refused(&mut history, &change.chunk(), "no_ancestry");
}

#[test]
fn what_overwrites_an_operation_that_is_nowhere_or_elsewhere_is_refused() {
    let mut history = registered();
    let nowhere = OpId { counter: 1, actor: YASSINE };
    let elsewhere = OpId { counter: 2, actor: YASSINE };
    for pred in [nowhere, elsewhere] {
        let change = forged(&history, |start| vec![put(HOSTILE, start, "name", "mine", vec![pred])]);
        refused(&mut history, &change.chunk(), "bad_reference");
    }
}

#[test]
fn a_value_that_the_author_never_saw_cannot_be_overwritten() {
    let mut history = registered();
    let first = parse(&history.chunks()[0]).unwrap();
    let unseen = OpId { counter: 3, actor: SAMIRA };
    let start = first.max_op() + 1;
    let mut change = Forged::new(HOSTILE, 1, start).with_ops(&[put(HOSTILE, start, "literacy", "none", vec![unseen])]);
    change.deps = vec![first.hash];
    let chunk = change.chunk();
    // The parser may refuse it already, since the operation it names lies after it.
    let code = parse(&chunk).map_or_else(|error| error.code(), |_| "bad_reference");
    refused(&mut history, &chunk, code);
}

#[test]
fn an_object_that_does_not_exist_is_not_written_to() {
    let mut history = registered();
    let ghost = OpId { counter: 1, actor: SAMIRA };
    let missing = OpId { counter: 1, actor: HOSTILE };
    for object in [missing, OpId { counter: 2, actor: HOSTILE }] {
        let change = forged(&history, |start| {
            let mut op = put(HOSTILE, start, "x", "y", vec![]);
            op.object = ParsedObject::Object(object);
            vec![op]
        });
        refused(&mut history, &change.chunk(), "bad_reference");
    }
    // An object that is a string: known, but automerge must not be trusted with it.
    let change = forged(&history, |start| {
        let mut op = put(HOSTILE, start, "x", "y", vec![]);
        op.object = ParsedObject::Object(ghost);
        vec![op]
    });
    let change = parse(&change.chunk()).unwrap();
    let before = history.document().content();
    let verdict = admit(&mut history, &[change], &open).remove(0);
    assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
    assert_eq!(history.document().content(), before);
}

#[test]
fn text_is_not_inserted_after_an_element_that_does_not_exist() {
    let mut history = History::new(Kind::Note);
    let mut document = Document::empty(Kind::Note);
    let text = NOTE.field("text").unwrap();
    let honest = document.edit(SAMIRA, 1, &[Edit::of(text, Write::Text("Projet de couture".into()))]).unwrap().unwrap();
    assert_eq!(admit(&mut history, &[parse(&honest.chunk).unwrap()], &open), [Verdict::Admitted]);
    let (counter, actor) = crate::document::genesis_text(Kind::Note, "text").unwrap();
    let change = forged(&history, |start| {
        let mut op = put(HOSTILE, start, "", "z", vec![]);
        op.object = ParsedObject::Object(OpId { counter, actor });
        op.key = ParsedKey::Element(OpId { counter: 1, actor: HOSTILE });
        op.insert = true;
        vec![op]
    });
    refused(&mut history, &change.chunk(), "bad_reference");
}

#[test]
fn refusing_the_first_of_three_refuses_what_builds_on_it() {
    let (mut history, mut document) = (registered(), registered().into_document());
    let three = [
        edit(&mut document, YASSINE, "photo", "p"),
        edit(&mut document, YASSINE, "literacy", "full"),
        edit(&mut document, YASSINE, "channel", "call"),
    ];
    let before = history.document().content();
    let first = three[0].hash;
    let gate = move |change: &ParsedChange, _: &Document, _: bool| {
        if change.hash == first { Err(Refusal::new("not_allowed")) } else { Ok(()) }
    };
    let codes: Vec<_> = admit(&mut history, &three, &gate)
        .into_iter()
        .map(|verdict| if let Verdict::Refused(refusal) = verdict { refusal.code } else { "taken" })
        .collect();
    assert_eq!(codes, ["not_allowed", "depends_on_refused", "depends_on_refused"]);
    assert_eq!(history.document().content(), before);
}

#[test]
fn what_misses_a_dependency_waits_outside_and_is_taken_when_it_comes() {
    let (mut history, mut document) = (registered(), registered().into_document());
    let early = edit(&mut document, YASSINE, "photo", "p");
    let late = edit(&mut document, SAMIRA, "literacy", "full");
    let parked = admit(&mut history, std::slice::from_ref(&late), &open);
    assert_eq!(parked, [Verdict::Parked { missing: vec![early.hash] }]);
    // In any order of arrival.
    assert_eq!(admit(&mut history, &[late, early], &open), [Verdict::Admitted, Verdict::Admitted]);
    assert_eq!(history.document().content(), document.content());
}

#[test]
fn a_change_that_comes_twice_counts_once() {
    let mut history = registered();
    let again = parse(&history.chunks()[1]).unwrap();
    let before = history.chunks().len();
    assert_eq!(admit(&mut history, &[again.clone(), again], &open), [Verdict::Duplicate, Verdict::Duplicate]);
    assert_eq!(history.chunks().len(), before);
}

#[test]
fn honest_neighbours_in_a_batch_survive() {
    let (mut history, mut document) = (registered(), registered().into_document());
    let bad = parse(&forged(&history, |start| vec![put(HOSTILE, start + 5, "name", "m", vec![])]).chunk());
    let mut far = forged(&history, clean);
    far.start_op += 40;
    let honest = edit(&mut document, YASSINE, "photo", "p");
    let mut batch = vec![parse(&far.chunk()).unwrap(), honest.clone()];
    batch.extend(bad.ok());
    let verdicts = admit(&mut history, &batch, &open);
    assert_eq!(verdicts[1], Verdict::Admitted);
    assert!(matches!(verdicts[0], Verdict::Refused(_)));
    assert!(history.knows(&honest.hash));
}

#[test]
fn a_record_comes_back_from_its_rows_and_a_torn_snapshot_is_noticed() {
    let history = registered();
    let saved = history.document().save();
    for snapshot in [None, Some(saved.as_slice()), Some(&saved[..saved.len() / 2]), Some(&[][..])] {
        let back = History::restore(Kind::Person, snapshot, history.chunks().to_vec()).unwrap();
        assert_eq!(back.document().content(), history.document().content());
        assert_eq!(back.heads(), history.heads());
    }
    let mut torn = history.chunks().to_vec();
    torn[0][20] ^= 1;
    assert!(History::restore(Kind::Person, Some(&saved), torn).is_err());
}

#[test]
fn a_record_of_another_identity_is_refused() {
    let person = foras_wire::id::RecordId([3; 16]);
    let case = identity::case_of_person(&person);
    let honest = identity::record(Kind::Person, person, Some(case));
    assert_eq!(check_record(&honest), Ok(Kind::Person));
    let code = |record: RecordRef| check_record(&record).unwrap_err().code;
    assert_eq!(code(identity::record(Kind::Person, person, Some(person))), "wrong_identity");
    assert_eq!(code(identity::record(Kind::Person, person, None)), "wrong_identity");
    assert_eq!(code(RecordRef { generation: 1, ..honest }), "wrong_generation");
    let mut unknown = honest;
    unknown.key.kind = foras_wire::record::KindCode(999);
    assert_eq!(code(unknown), "unknown_kind");
}

#[test]
fn mutated_honest_changes_never_panic_and_never_leave_an_unsound_record() {
    let seed = std::env::var("FORAS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_122_u64);
    println!("seed {seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut pick = |bound: usize| usize::try_from(rand_core::Rng::next_u64(&mut random) % bound.max(1) as u64).unwrap();
    let base = registered();
    let mut document = base.document().clone();
    let honest = edit(&mut document, YASSINE, "photo", "p").bytes().to_vec();
    let mut taken = 0;
    for _ in 0..3_000 {
        let mut chunk = honest.clone();
        for _ in 0..=pick(3) {
            let at = 8 + pick(chunk.len() - 8);
            chunk[at] = u8::try_from(pick(256)).unwrap();
        }
        let Ok(change) = parse(&forge::resealed(&chunk)) else { continue };
        // The same, where it comes with all that it builds on to somebody who has nothing yet.
        let whole: Vec<_> = base.chunks().iter().map(|chunk| parse(chunk).unwrap()).chain([change.clone()]).collect();
        assert_whole_as_batch(&whole);
        let mut history = base.clone();
        if admit(&mut history, &[change], &open) == [Verdict::Admitted] {
            taken += 1;
            assert!(rehearsal::passes(&history), "seed {seed}");
        }
    }
    println!("{taken} of 3000 mutations were harmless changes");
}

/// A record that comes whole is admitted as the same batch would be.
fn assert_whole_as_batch(batch: &[ParsedChange]) {
    let mut tried = History::new(Kind::Person);
    let verdicts = admit(&mut tried, batch, &open);
    let (whole, at_once) = admit_whole(Kind::Person, batch);
    assert_eq!(at_once, verdicts);
    assert_eq!(whole.chunks(), tried.chunks());
    assert_eq!(whole.heads(), tried.heads());
    assert_eq!(whole.document().content(), tried.document().content());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn honest_changes_are_all_admitted_in_any_order(picks in proptest::collection::vec((0..3_usize, 0..4_usize), 1..24), turn in 0..24_usize) {
        let mut phones: Vec<(Actor, History)> = (1..4).map(|n| (Actor([n; 16]), History::new(Kind::Person))).collect();
        let mut all: Vec<ParsedChange> = Vec::new();
        for (index, (phone, field)) in picks.into_iter().enumerate() {
            let (actor, history) = &mut phones[phone];
            let field = ["name", "photo", "ref", "name"][field];
            let mut document = history.document().clone();
            let change = edit(&mut document, *actor, field, &format!("v{index}"));
            history.authored(document, &change);
            all.push(change);
            if index % 5 == 4 {
                for (_, history) in &mut phones {
                    prop_assert!(!admit(history, &all, &open).iter().any(|v| matches!(v, Verdict::Refused(_))));
                }
            }
        }
        let turn = turn % all.len();
        all.rotate_left(turn);
        let mut late = History::new(Kind::Person);
        let verdicts = admit(&mut late, &all, &open);
        prop_assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Admitted), "{verdicts:?}");
        assert_whole_as_batch(&all);
        all.rotate_right(turn);
        assert_whole_as_batch(&all);
        for (_, history) in &mut phones {
            admit(history, &all, &open);
            prop_assert_eq!(history.document().content(), late.document().content());
        }
    }
}

#[test]
fn nothing_is_admitted_to_a_record_whose_document_is_not_what_its_changes_make() {
    let mut history = registered();
    let mut document = history.document().clone();
    let third = edit(&mut document, YASSINE, "channel", "call");
    let mut sound = document.clone();
    let next = edit(&mut sound, YASSINE, "contact_language", "fr");
    // The document got something that no change of the record says: no hostile change is known that would do it, so it is
    // done here by hand. Only the rehearsal can see it.
    edit(&mut document, SAMIRA, "literacy", "full");
    history.authored(document, &third);
    assert_eq!(admit(&mut history, std::slice::from_ref(&next), &open), vec![Verdict::Refused(UNSOUND)]);
    assert!(!history.knows(&next.hash));
}
