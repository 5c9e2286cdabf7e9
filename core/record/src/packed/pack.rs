//! The sender's side.

use std::collections::BTreeMap;

use foras_wire::id::{Actor, RecordId};
use foras_wire::limits::PACKED_OPS_MAX;

use super::columns::{Column, Writer};
use super::deps::Deps;
use super::told::Told;
use super::{Held, Item, Nothing, actors, ops, records};
use crate::change::encode::Unwritten;
use crate::change::{self, ParsedChange};
use crate::kind::Kind;

/// How a change is told.
pub(super) mod form {
    /// In columns, to be rebuilt.
    pub(in crate::packed) const REBUILT: u64 = 0;
    /// As its chunk.
    pub(in crate::packed) const RAW: u64 = 1;
    /// Held by the receiver: by author and number.
    pub(in crate::packed) const NAMED: u64 = 2;
    /// Held by the receiver: by hash.
    pub(in crate::packed) const HASHED: u64 = 3;
}

/// The items, in their order, as [`super::unpack`] reads them on a side that holds what `held` says.
#[must_use]
pub fn pack(items: &[Item], held: &dyn Held) -> Vec<u8> {
    pack_after(&[], items, held)
}

/// As [`pack`], where the receiver is told of the actors in `introduced` beside the list.
#[must_use]
pub fn pack_after(introduced: &[Actor], items: &[Item], held: &dyn Held) -> Vec<u8> {
    Packing::new(held, introduced, false).pack(items)
}

/// The items with every chunk in full, for a receiver that could not read them otherwise.
#[must_use]
pub fn pack_plain(items: &[Item]) -> Vec<u8> {
    Packing::new(&Nothing, &[], true).pack(items)
}

struct Packing<'h> {
    told: Told<'h>,
    out: Writer,
    plain: bool,
    ops_left: usize,
}

impl<'h> Packing<'h> {
    fn new(held: &'h dyn Held, introduced: &[Actor], plain: bool) -> Self {
        Self { told: Told::new(held, introduced), out: Writer::default(), plain, ops_left: PACKED_OPS_MAX }
    }

    fn pack(mut self, items: &[Item]) -> Vec<u8> {
        let persons = records::persons(items.iter().map(|item| &item.record));
        for item in items {
            self.item(item, &persons);
        }
        self.out.finish(items.len())
    }

    fn item(&mut self, item: &Item, persons: &BTreeMap<RecordId, RecordId>) {
        let (told, out) = (&mut self.told, &mut self.out);
        let place = records::write(told, out, &item.record, persons);
        out.signed(Column::Set, i64::from(item.change_set).wrapping_sub(i64::from(told.change_set)));
        out.signed(Column::Received, item.received_ms.wrapping_sub(told.received_ms));
        (told.place, told.change_set, told.received_ms) = (place, item.change_set, item.received_ms);
        let Some(chunk) = &item.chunk else { return self.named(item, place) };
        let parsed = change::parse(chunk).ok();
        if let Some(parsed) = &parsed
            && !self.plain
            && self.rebuilt(item, place, parsed)
        {
            return self.told.note_told(place, parsed);
        }
        self.out.unsigned(Column::Form, form::RAW);
        self.out.unsigned(Column::RawLength, chunk.len() as u64);
        self.out.bytes(Column::Raw, chunk);
        if let Some(parsed) = &parsed {
            self.told.note(place, parsed);
        }
    }

    fn named(&mut self, item: &Item, place: usize) {
        let (told, out) = (&mut self.told, &mut self.out);
        let Some(change) = told.change_of_hash(place, &item.hash) else {
            out.unsigned(Column::Form, form::HASHED);
            return out.bytes(Column::Hash, item.hash.as_bytes());
        };
        out.unsigned(Column::Form, form::NAMED);
        actors::write(told, out, Column::Actor, place, told.author, &change.actor);
        out.unsigned(Column::Seq, change.seq);
        told.author = Some(change.actor);
        told.note_named(place, change);
    }

    /// Writes the change in columns; false when its exact bytes would not come back.
    fn rebuilt(&mut self, item: &Item, place: usize, change: &ParsedChange) -> bool {
        let Some(kind) = Kind::of_code(item.record.key.kind) else { return false };
        if change.ops.len() > self.ops_left || !ops::fit(kind, &change.ops) || !is_exact(change) {
            return false;
        }
        let Some(deps) = Deps::of(&self.told, place, kind, change) else { return false };
        self.ops_left -= change.ops.len();
        let (told, out) = (&mut self.told, &mut self.out);
        out.unsigned(Column::Form, form::REBUILT);
        actors::write(told, out, Column::Actor, place, told.author, &change.actor);
        deps.write(told, out, place, kind, &change.actor);
        let next_op = deps.next_op(kind);
        out.signed(Column::StartOp, change.start_op.cast_signed().wrapping_sub(next_op.cast_signed()));
        out.signed(
            Column::Time,
            change.time_s.wrapping_sub(told.time_s(place, &change.actor, change.seq, change.start_op)),
        );
        let is_first = deps.is_first();
        let of = ops::Of { place, kind, author: change.actor, start_op: change.start_op, is_first };
        ops::write(told, out, of, &change.ops);
        true
    }
}

/// Whether what was read of the change, written again, is the change.
fn is_exact(change: &ParsedChange) -> bool {
    let ParsedChange { deps, actor, seq, start_op, time_s, ops, .. } = change;
    let again = Unwritten { deps, actor: *actor, seq: *seq, start_op: *start_op, time_s: *time_s, ops };
    again.chunk() == change.bytes()
}
