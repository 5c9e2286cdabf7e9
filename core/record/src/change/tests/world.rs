//! Three people keep one record with automerge: a worker in Oujda, a counsellor in Casablanca, a mission in Dakar.

use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, Change, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

const FIELDS: [&str; 6] = ["name", "phone/1", "contact_language", "birth_year", "seat/session-7", "nationality"];
const WORDS: [&str; 7] = ["Oujda", "poulailler", "مرحبا", "Tambacounda", "é", "👩🏿‍🌾", ""];

/// What the people of a world may do besides what this library does itself.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Repertoire {
    /// Flat fields and texts: all that this library writes.
    Ours,
    /// Maps, lists, counters and marks too.
    All,
}

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.0.next_u64() % end as u64) as usize }
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub(super) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Every change that the three made, as automerge hands them out, and the record as one of them has it in the end.
pub(super) fn live(seed: u64, repertoire: Repertoire, steps: usize) -> (Vec<Change>, AutoCommit) {
    let mut dice = Dice::new(seed);
    let mut people = begin(repertoire);
    for _ in 0..steps {
        let who = dice.below(people.len());
        match dice.below(10) {
            0..6 => {
                for _ in 0..=dice.below(4) {
                    edit(&mut people[who], &mut dice, repertoire);
                }
            }
            6 | 7 => {
                people[who].commit_with(at(&mut dice));
            }
            8 if dice.below(4) == 0 => {
                people[who].empty_change(at(&mut dice));
            }
            _ => {
                let met = dice.below(people.len());
                people[who].commit_with(at(&mut dice));
                people[met].commit_with(at(&mut dice));
                let mut other = people[met].clone();
                people[who].merge(&mut other).unwrap();
            }
        }
    }
    let mut first = people.swap_remove(0);
    for mut other in people {
        first.merge(&mut other).unwrap();
    }
    (first.get_changes(&[]), first)
}

fn begin(repertoire: Repertoire) -> Vec<AutoCommit> {
    let mut genesis = AutoCommit::new().with_actor(ActorId::from([7; 16]));
    genesis.empty_change(CommitOptions::default().with_time(0));
    genesis.put_object(ROOT, "text", ObjType::Text).unwrap();
    if repertoire == Repertoire::All {
        genesis.put_object(ROOT, "map", ObjType::Map).unwrap();
        genesis.put_object(ROOT, "list", ObjType::List).unwrap();
        genesis.put(ROOT, "counter", ScalarValue::counter(3)).unwrap();
    }
    genesis.commit_with(CommitOptions::default().with_time(0));
    [[3; 16], [9; 16], [5; 16]].map(|actor| genesis.fork().with_actor(ActorId::from(actor))).into()
}

fn at(dice: &mut Dice) -> CommitOptions {
    CommitOptions::default().with_time((dice.bits() % 4_000_000_000) as i64 - 1_000)
}

fn edit(doc: &mut AutoCommit, dice: &mut Dice, repertoire: Repertoire) {
    let fields = if repertoire == Repertoire::All { 8 } else { 4 };
    match dice.below(fields) {
        0 | 1 => doc.put(ROOT, *dice.one_of(&FIELDS), scalar(dice)).unwrap(),
        2 => doc.delete(ROOT, *dice.one_of(&FIELDS)).unwrap(),
        3 => write(doc, dice),
        4 => doc.increment(ROOT, "counter", dice.below(100) as i64 - 50).unwrap_or_default(),
        5 => {
            let map = child(doc, "map");
            doc.put(&map, *dice.one_of(&FIELDS), scalar(dice)).unwrap();
            doc.put_object(&map, "inner", ObjType::Map).unwrap();
        }
        6 => {
            let list = child(doc, "list");
            let len = doc.length(&list);
            doc.insert(&list, dice.below(len + 1), scalar(dice)).unwrap();
            doc.put(&list, dice.below(len + 1), scalar(dice)).unwrap();
            doc.delete(&list, dice.below(len + 1)).unwrap();
        }
        _ => {
            let text = child(doc, "text");
            let len = doc.length(&text);
            if len > 1 {
                let mark = Mark::new((*dice.one_of(&FIELDS)).to_owned(), scalar(dice), 0, 1 + dice.below(len - 1));
                doc.mark(&text, mark, ExpandMark::Both).unwrap();
            }
        }
    }
}

fn child(doc: &AutoCommit, field: &str) -> ObjId {
    doc.get(ROOT, field).unwrap().unwrap().1
}

fn write(doc: &mut AutoCommit, dice: &mut Dice) {
    let text = child(doc, "text");
    let len = doc.length(&text);
    let at = dice.below(len + 1);
    let removed = if dice.below(2) == 0 { dice.below(len - at + 1).min(5) } else { 0 };
    doc.splice_text(&text, at, removed as isize, dice.one_of::<&str>(&WORDS)).unwrap();
}

fn scalar(dice: &mut Dice) -> ScalarValue {
    match dice.below(12) {
        0 => ScalarValue::Null,
        1 => ScalarValue::Boolean(true),
        2 => ScalarValue::Boolean(false),
        3 => ScalarValue::Int(dice.bits() as i64 >> dice.below(64)),
        4 => ScalarValue::Uint(dice.bits() >> dice.below(64)),
        5 => ScalarValue::F64(f64::from(dice.below(1_000) as u32) / 8.0),
        6 => ScalarValue::Bytes(vec![dice.bits() as u8; dice.below(200)]),
        7 => ScalarValue::Timestamp(dice.bits() as i64 >> dice.below(64)),
        8 => ScalarValue::counter(dice.bits() as i64 >> dice.below(64)),
        9 => ScalarValue::Unknown { type_code: 10 + dice.below(6) as u8, bytes: vec![1; dice.below(4)] },
        _ => ScalarValue::Str((*dice.one_of(&WORDS)).into()),
    }
}
