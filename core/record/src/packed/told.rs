//! What both sides know at one place of a list: the same on both, since both follow the list in its order.

use std::collections::BTreeMap;

use foras_wire::id::{Actor, ChangeHash, RecordId};
use foras_wire::record::{RecordKey, RecordRef};

use super::changes::Changes;
use super::columns::FieldStream;
use super::fields::Texts;
use super::ops::Shape;
use super::{Held, HeldChange};
use crate::change::{OpId, ParsedChange, ParsedKey, ParsedObject};
use crate::document;
use crate::kind::Kind;

/// Members of a record that are looked through, so that a record of many thousands costs no more than one of few.
const MEMBERS_BACK_MAX: usize = 64;
/// So many keys of a record are looked through; of more they are found by a map.
const FEW_KEYS: usize = 24;

/// A record of the list.
#[derive(Debug)]
pub(super) struct ToldRecord {
    pub(super) record: RecordRef,
    /// Its changes so far.
    pub(super) changes: Changes,
    /// The last operation at each key.
    pub(super) ops: LastOps,
    /// What names items of its fields: sessions, events, members of sets.
    members: Vec<Member>,
    /// The counter of its first operation after the genesis.
    first_op: u64,
}

/// The last operation at each key: of few keys, as nearly always, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct LastOps {
    few: Vec<(String, OpId)>,
    many: BTreeMap<String, OpId>,
}

impl LastOps {
    pub(super) fn get(&self, key: &str) -> Option<&OpId> {
        let few = self.few.iter().find(|(known, _)| known == key).map(|(_, op)| op);
        if few.is_some() || self.many.is_empty() { few } else { self.many.get(key) }
    }

    fn note(&mut self, key: &str, op: OpId) {
        if let Some((_, last)) = self.few.iter_mut().find(|(known, _)| known == key) {
            *last = op;
        } else if self.few.len() < FEW_KEYS {
            self.few.push((key.to_owned(), op));
        } else if let Some(last) = self.many.get_mut(key) {
            *last = op;
        } else {
            self.many.insert(key.to_owned(), op);
        }
    }
}

/// What names an item of a record's field.
#[derive(Debug, Clone, Copy)]
enum Member {
    /// What stands at this place of the list of members.
    Listed(usize),
    /// The id of a statement, which stands nowhere else.
    Statement(RecordId),
}

/// What was told, each once, to be named by its place from then on.
#[derive(Debug)]
pub(super) struct Listed<T> {
    all: Vec<T>,
    places: BTreeMap<T, usize>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: BTreeMap::new() }
    }
}

impl<T: Ord + Clone> Listed<T> {
    pub(super) fn place<Q: Ord + ?Sized>(&self, one: &Q) -> Option<usize>
    where
        T: std::borrow::Borrow<Q>,
    {
        self.places.get(one).copied()
    }

    pub(super) fn get(&self, place: usize) -> Option<&T> {
        self.all.get(place)
    }

    /// Adds one, to be found again by the sender.
    pub(super) fn add(&mut self, one: T) {
        self.places.insert(one.clone(), self.all.len());
        self.all.push(one);
    }

    /// Adds one. A receiver finds it by its place alone.
    pub(super) fn list(&mut self, one: T) {
        self.all.push(one);
    }
}

/// Everything told so far.
pub(super) struct Told<'h> {
    pub(super) held: &'h dyn Held,
    records: Vec<ToldRecord>,
    places: BTreeMap<RecordRef, usize>,
    /// The person of each case whose id was told.
    pub(super) persons: BTreeMap<RecordId, RecordId>,
    /// The case of the last record that was told in full.
    pub(super) case: Option<RecordId>,
    actors: Vec<Actor>,
    actor_places: BTreeMap<Actor, usize>,
    /// The last item's author.
    pub(super) author: Option<Actor>,
    members: Vec<String>,
    member_places: BTreeMap<String, usize>,
    /// What the last change of this kind and field that did not create its record replaced.
    pub(super) replaced: BTreeMap<(u16, u16), Vec<OpId>>,
    /// The last time of each author, of changes that begin a record and of others apart: people register in one order and
    /// edit in another. The server writes each record as another actor: its times stand under no name.
    times: BTreeMap<(Option<Actor>, bool), i64>,
    /// What changes do, each that was told once.
    pub(super) shapes: Listed<Shape>,
    /// Values of each field of few values.
    pub(super) texts: BTreeMap<FieldStream, Texts>,
    /// The server, as the author of the last record where it was met.
    pub(super) server: Option<Actor>,
    time_s: Option<i64>,
    /// The last item's place, change set and moment.
    pub(super) place: usize,
    pub(super) change_set: u32,
    pub(super) received_ms: i64,
}

impl<'h> Told<'h> {
    /// `introduced` are actors that stand beside the list.
    pub(super) fn new(held: &'h dyn Held, introduced: &[Actor]) -> Self {
        let mut told = Self {
            held,
            records: Vec::new(),
            places: BTreeMap::new(),
            persons: BTreeMap::new(),
            case: None,
            actors: Vec::new(),
            actor_places: BTreeMap::new(),
            author: None,
            members: Vec::new(),
            member_places: BTreeMap::new(),
            replaced: BTreeMap::new(),
            times: BTreeMap::new(),
            shapes: Listed::default(),
            texts: BTreeMap::new(),
            server: None,
            time_s: None,
            place: 0,
            change_set: 0,
            received_ms: 0,
        };
        introduced.iter().for_each(|actor| told.add_actor(*actor));
        told
    }

    pub(super) fn place_of(&self, record: &RecordRef) -> Option<usize> {
        self.places.get(record).copied()
    }

    /// How many records were told.
    pub(super) fn records(&self) -> usize {
        self.records.len()
    }

    pub(super) fn record(&self, place: usize) -> Option<&ToldRecord> {
        self.records.get(place)
    }

    pub(super) fn add_record(&mut self, record: RecordRef) -> usize {
        let place = self.records.len();
        self.records.push(ToldRecord {
            record,
            changes: Changes::default(),
            ops: LastOps::default(),
            members: Vec::new(),
            first_op: Kind::of_code(record.key.kind).map_or(0, document::genesis_max_op) + 1,
        });
        self.places.insert(record, place);
        place
    }

    pub(super) fn place_of_actor(&self, actor: &Actor) -> Option<usize> {
        self.actor_places.get(actor).copied()
    }

    pub(super) fn actor(&self, place: usize) -> Option<Actor> {
        self.actors.get(place).copied()
    }

    pub(super) fn add_actor(&mut self, actor: Actor) {
        self.actor_places.insert(actor, self.actors.len());
        self.actors.push(actor);
    }

    pub(super) fn place_of_member(&self, member: &str) -> Option<usize> {
        self.member_places.get(member).copied()
    }

    pub(super) fn member(&self, place: usize) -> Option<&str> {
        self.members.get(place).map(String::as_str)
    }

    /// Adds a member to the list, to be found again.
    pub(super) fn add_member(&mut self, member: &str) -> usize {
        self.member_places.insert(member.to_owned(), self.members.len());
        self.list_member(member)
    }

    /// Adds a member to the list. A reader finds members by their place alone.
    pub(super) fn list_member(&mut self, member: &str) -> usize {
        self.members.push(member.to_owned());
        self.members.len() - 1
    }

    fn is_member(&self, own: Member, member: &str) -> bool {
        match own {
            Member::Listed(place) => self.member(place) == Some(member),
            Member::Statement(id) => member.parse() == Ok(id),
        }
    }

    /// How far back a member stands among the last ones of the record.
    pub(super) fn back_to_member(&self, place: usize, member: &str) -> Option<usize> {
        let own = self.records.get(place)?.members.iter().rev();
        own.take(MEMBERS_BACK_MAX).position(|own| self.is_member(*own, member))
    }

    /// The member that stands so far back among those of the record.
    pub(super) fn member_back(&self, place: usize, back: usize) -> Option<String> {
        match self.records.get(place)?.members.iter().rev().nth(back)? {
            Member::Listed(place) => self.member(*place).map(str::to_owned),
            Member::Statement(id) => Some(id.to_string()),
        }
    }

    /// How long the member is that stands so far back among those of the record.
    pub(super) fn member_back_bytes(&self, place: usize, back: usize) -> Option<usize> {
        match self.records.get(place)?.members.iter().rev().nth(back)? {
            Member::Listed(place) => self.member(*place).map(str::len),
            Member::Statement(_) => Some(2 * RecordId::LEN),
        }
    }

    /// A member of the record was told that stands at this place of the list of members.
    pub(super) fn note_member(&mut self, place: usize, listed: usize) {
        if let Some(told) = self.records.get_mut(place) {
            told.members.push(Member::Listed(listed));
        }
    }

    /// A statement of the record was told.
    pub(super) fn note_statement(&mut self, place: usize, id: RecordId) {
        if let Some(told) = self.records.get_mut(place) {
            told.members.push(Member::Statement(id));
        }
    }

    /// The time that a change most likely has: of its author's last change of the sort; else of the last change; else when the
    /// server received this one.
    pub(super) fn time_s(&self, place: usize, actor: &Actor, seq: u64, start_op: u64) -> i64 {
        let (author, begins) = self.clock_of(place, actor, seq, start_op);
        let known = [begins, !begins].into_iter().find_map(|begins| self.times.get(&(author, begins)));
        known.copied().or(self.time_s).unwrap_or_else(|| self.received_ms.div_euclid(1_000))
    }

    fn clock_of(&self, place: usize, actor: &Actor, seq: u64, start_op: u64) -> (Option<Actor>, bool) {
        let begins = self
            .record(place)
            .is_some_and(|told| seq == 1 && told.changes.last().is_none() && start_op == told.first_op);
        (Some(*actor).filter(|_| self.server != Some(*actor)), begins)
    }

    /// A change of the record, by author and number: of the list, or held.
    pub(super) fn change(&self, place: usize, actor: &Actor, seq: u64) -> Option<HeldChange> {
        let told = self.records.get(place)?;
        told.changes.named(actor, seq).or_else(|| self.held.change(&told.record.key, actor, seq))
    }

    /// A change of the record, by its hash: of the list, or held. Asked by the sender.
    pub(super) fn change_of_hash(&self, place: usize, hash: &ChangeHash) -> Option<HeldChange> {
        let told = self.records.get(place)?;
        told.changes.of_hash(hash).or_else(|| self.held.change_of_hash(&told.record.key, hash))
    }

    /// A change that the receiver holds was named.
    pub(super) fn note_named(&mut self, place: usize, change: HeldChange) {
        let Some(told) = self.records.get_mut(place) else { return };
        told.changes.note(change);
    }

    /// A change was told in columns, each operation noted as it was told.
    pub(super) fn note_told(&mut self, place: usize, change: &ParsedChange) {
        let known = HeldChange { actor: change.actor, seq: change.seq, hash: change.hash, max_op: change.max_op() };
        self.note_header(place, known, change.start_op, change.time_s);
    }

    /// As [`Self::note_told`], of a change's header.
    pub(super) fn note_header(&mut self, place: usize, known: HeldChange, start_op: u64, time_s: i64) {
        let clock = self.clock_of(place, &known.actor, known.seq, start_op);
        self.note_named(place, known);
        self.author = Some(known.actor);
        self.times.insert(clock, time_s);
        self.time_s = Some(time_s);
    }

    /// A change was told as its chunk.
    pub(super) fn note(&mut self, place: usize, change: &ParsedChange) {
        self.note_told(place, change);
        for op in &change.ops {
            if let (ParsedObject::Root, ParsedKey::Field(key)) = (&op.object, &op.key) {
                self.note_op(place, key, op.id);
            }
        }
    }

    /// An operation at a key of the record was told.
    pub(super) fn note_op(&mut self, place: usize, key: &str, op: OpId) {
        let Some(told) = self.records.get_mut(place) else { return };
        told.ops.note(key, op);
    }

    /// The key of the record at a place.
    pub(super) fn key(&self, place: usize) -> Option<RecordKey> {
        self.records.get(place).map(|told| told.record.key)
    }
}
