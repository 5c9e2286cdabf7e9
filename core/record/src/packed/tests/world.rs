//! A programme of five people who keep records apart and meet: workers in Oujda and Casablanca, a counsellor, a mission,
//! and the server that rules.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::id::{Actor, ChangeHash, PublicKey, RecordId};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::change::{self, ParsedChange};
use crate::document::tests::samples;
use crate::document::{Document, Edit, Write};
use crate::field::Shape;
use crate::identity;
use crate::kind::Kind;
use crate::packed::{Held, HeldChange, Item};
use crate::value::Value;

pub(super) const SERVER: PublicKey = PublicKey([77; 32]);
pub(super) const EPOCH: u64 = 3;
const MONDAY_S: i64 = 1_790_000_000;

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.0.next_u64() % end as u64) as usize }
    }

    pub(super) fn id(&mut self) -> RecordId {
        let mut id = [0; 16];
        self.0.fill_bytes(&mut id);
        RecordId(id)
    }
}

/// What stands in somebody's rows.
#[derive(Default)]
pub(super) struct Rows {
    records: BTreeMap<RecordKey, RecordRef>,
    actors: BTreeSet<Actor>,
    changes: BTreeMap<RecordKey, Vec<HeldChange>>,
}

impl Rows {
    pub(super) fn of<'i>(items: impl Iterator<Item = &'i Item>) -> Self {
        let mut rows = Self::default();
        items.for_each(|item| rows.keep(item));
        rows
    }

    pub(super) fn keep(&mut self, item: &Item) {
        let ParsedChange { actor, seq, hash, start_op, op_count, .. } =
            change::parse(item.chunk.as_ref().unwrap()).unwrap();
        self.records.insert(item.record.key, item.record);
        self.actors.insert(actor);
        let max_op = start_op + op_count - 1;
        self.changes.entry(item.record.key).or_default().push(HeldChange { actor, seq, hash, max_op });
    }
}

/// As few first bytes as no neighbour has.
fn name_bytes<'n>(id: &[u8], neighbours: impl Iterator<Item = &'n [u8]>) -> usize {
    neighbours.map(|other| id.iter().zip(other).take_while(|(a, b)| a == b).count() + 1).max().unwrap_or(1)
}

fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    all.next().filter(|_| all.next().is_none())
}

impl Held for Rows {
    fn name_bytes(&self, key: &RecordKey) -> Option<usize> {
        self.records.get(key)?;
        let before = self.records.range(..key).next_back();
        let after = self.records.range(key..).nth(1);
        let neighbours = before.into_iter().chain(after).map(|(key, _)| key).filter(|other| other.kind == key.kind);
        Some(name_bytes(key.id.as_bytes(), neighbours.map(|key| key.id.as_bytes())))
    }

    fn record_named(&self, kind: KindCode, name: &[u8]) -> Option<RecordRef> {
        let mut first = [0; 16];
        first[..name.len()].copy_from_slice(name);
        let from = RecordKey { kind, id: RecordId(first) };
        let named = |key: &RecordKey| key.kind == kind && key.id.as_bytes().starts_with(name);
        only(self.records.range(from..).take_while(|(key, _)| named(key)).map(|(_, record)| *record))
    }

    fn actor_name_bytes(&self, actor: &Actor) -> Option<usize> {
        self.actors.get(actor)?;
        let others = self.actors.iter().filter(|other| *other != actor);
        Some(name_bytes(actor.as_bytes(), others.map(Actor::as_bytes)))
    }

    fn actor_named(&self, name: &[u8]) -> Option<Actor> {
        only(self.actors.iter().filter(|actor| actor.as_bytes().starts_with(name)).copied())
    }

    fn server(&self) -> Option<(PublicKey, u64)> {
        Some((SERVER, EPOCH))
    }

    fn change(&self, record: &RecordKey, actor: &Actor, seq: u64) -> Option<HeldChange> {
        let changes = self.changes.get(record)?;
        changes.iter().find(|change| change.actor == *actor && change.seq == seq).copied()
    }

    fn change_of_hash(&self, record: &RecordKey, hash: &ChangeHash) -> Option<HeldChange> {
        self.changes.get(record)?.iter().find(|change| change.hash == *hash).copied()
    }
}

/// A record, and what each of the people has of it.
struct Shared {
    record: RecordRef,
    kind: Kind,
    /// Everybody's document, and how many of the record's changes each has.
    replicas: Vec<(Document, Vec<usize>)>,
    chunks: Vec<Vec<u8>>,
}

const PEOPLE: usize = 5;

fn actor_of(who: usize, record: &RecordRef) -> Actor {
    // The last of them is the server, which writes each record as another actor.
    if who + 1 == PEOPLE {
        identity::server_actor(&SERVER, EPOCH, &record.key)
    } else {
        Actor([who as u8 * 40 + 3; 16])
    }
}

impl Shared {
    fn new(kind: Kind, record: RecordRef) -> Self {
        let replicas = (0..PEOPLE).map(|_| (Document::empty(kind), Vec::new())).collect();
        Self { record, kind, replicas, chunks: Vec::new() }
    }

    /// Somebody writes; returns whether anything was new.
    fn edit(&mut self, who: usize, time_s: i64, dice: &mut Dice) -> bool {
        let fields = self.kind.rule().fields;
        let mut edits: Vec<Edit> = Vec::new();
        for _ in 0..=dice.below(4) {
            let field = &fields[dice.below(fields.len())];
            let mut edit = samples::edit(field, dice.below(3) as u32, dice.below(400) as u32);
            if let Write::Text(text) = &mut edit.write {
                *text = story(dice);
            }
            if let (Shape::Events | Shape::Versions, Write::Put(Value::Text(said)), 0) =
                (field.shape, &edit.write, dice.below(2))
            {
                let author = actor_of(who, &self.record);
                edit.item = Some(identity::statement(&author, &self.record.key, field.name, said).to_string());
            }
            if !edits.iter().any(|other| other.field.name == field.name) {
                edits.push(edit);
            }
        }
        let (document, has) = &mut self.replicas[who];
        let Ok(Some(authored)) = document.edit(actor_of(who, &self.record), time_s, &edits) else { return false };
        has.push(self.chunks.len());
        self.chunks.push(authored.chunk);
        true
    }

    /// One receives what the other has.
    fn meet(&mut self, who: usize, other: usize) {
        let missing: Vec<usize> =
            self.replicas[other].1.iter().filter(|at| !self.replicas[who].1.contains(at)).copied().collect();
        for at in missing {
            self.replicas[who].0.apply(&[&self.chunks[at]]).unwrap();
            self.replicas[who].1.push(at);
        }
    }
}

fn story(dice: &mut Dice) -> String {
    let words = ["Oujda", "poulailler", "مرحبا", "Tambacounda", "é", "👩🏿‍🌾", "rien", "demain"];
    (0..dice.below(7)).map(|_| format!("{} ", words[dice.below(words.len())])).collect()
}

/// Every record of one return, in the order in which a registration makes them.
pub(super) fn records_of_return(dice: &mut Dice) -> Vec<(Kind, RecordRef)> {
    let person = dice.id();
    let case = identity::case_of_person(&person);
    let of_case = |kind| (kind, identity::record(kind, identity::of_case(kind, &case), Some(case)));
    vec![
        (Kind::Case, identity::record(Kind::Case, case, Some(case))),
        (Kind::Person, identity::record(Kind::Person, person, Some(case))),
        (Kind::Badge, identity::record(Kind::Badge, identity::badge_of_person(&person), Some(case))),
        of_case(Kind::Path),
        of_case(Kind::Project),
        of_case(Kind::Assessment),
        (Kind::Note, identity::record(Kind::Note, dice.id(), Some(case))),
    ]
}

/// What a programme's log holds after some weeks: changes of many records, each after what it builds on.
pub(super) fn log(seed: u64, returns: usize, steps: usize) -> Vec<Item> {
    let mut dice = Dice::new(seed);
    let mut shared: Vec<Shared> = Vec::new();
    for _ in 0..returns {
        shared.extend(records_of_return(&mut dice).into_iter().map(|(kind, record)| Shared::new(kind, record)));
    }
    let session = identity::record(Kind::Session, dice.id(), None);
    shared.push(Shared::new(Kind::Session, session));
    let mut items: Vec<Item> = Vec::new();
    let (mut now_s, mut set) = (MONDAY_S, 0);
    for _ in 0..steps {
        now_s += dice.below(900) as i64;
        let at = dice.below(shared.len());
        let one = &mut shared[at];
        let who = dice.below(PEOPLE);
        if dice.below(3) == 0 {
            let other = dice.below(PEOPLE);
            one.meet(who, other);
        }
        if one.edit(who, now_s, &mut dice) {
            set += dice.below(2) as u32;
            let mut item = Item::new(one.record, one.chunks.last().unwrap().clone());
            item.change_set = set;
            item.received_ms = now_s * 1_000 + dice.below(60_000) as i64;
            items.push(item);
        }
    }
    items
}

/// A value for a field of one key.
pub(super) fn put(kind: Kind, field: &str, text: &str) -> Edit {
    Edit::of(kind.rule().field(field).unwrap(), Write::Put(Value::Text(text.to_owned())))
}
