//! Step 5, continued: what an operation refers to exists, in its own ancestry, at the same place.
//!
//! Automerge trusts these references. One to an operation that is elsewhere, or not yet there, makes documents that
//! save and never load; one to a value that the author never saw would wipe out a concurrent value without a trace.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::id::ChangeHash;

use super::{History, Refusal};
use crate::change::{OpId, ParsedChange, ParsedKey, ParsedObject, ParsedOp};
use crate::document;
use crate::kind::Kind;

/// Where an operation stands: an object, and a key or an element of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    object: ParsedObject,
    slot: Slot,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Slot {
    Field(String),
    Element(OpId),
    Head,
}

/// Every operation of a record: where it stands, and the change that made it.
pub(super) type Positions = BTreeMap<OpId, (Position, ChangeHash)>;

fn position(op: &ParsedOp) -> Position {
    let slot = match &op.key {
        _ if op.insert => Slot::Element(op.id),
        ParsedKey::Field(name) => Slot::Field(name.clone()),
        ParsedKey::Element(element) => Slot::Element(*element),
        ParsedKey::Head => Slot::Head,
    };
    Position { object: op.object, slot }
}

/// The operations of a kind's genesis: one for each text object.
pub(super) fn of_genesis(kind: Kind) -> Positions {
    let text = |name: &str| {
        let (counter, actor) = document::genesis_text(kind, name)?;
        let at = Position { object: ParsedObject::Root, slot: Slot::Field(name.to_owned()) };
        Some((OpId { counter, actor }, (at, document::genesis(kind))))
    };
    kind.rule().fields.iter().filter_map(|field| text(field.name)).collect()
}

/// Notes where the operations of `change` stand.
pub(super) fn note(positions: &mut Positions, change: &ParsedChange) {
    positions.extend(change.ops.iter().map(|op| (op.id, (position(op), change.hash))));
}

/// Checks every reference of `change` to an operation: its own earlier ones, or those of its ancestry.
pub(super) fn check(history: &History, change: &ParsedChange) -> Result<(), Refusal> {
    let bad = Refusal::new("bad_reference");
    let ancestry = history.ancestry(change);
    let mut own = Positions::new();
    for op in &change.ops {
        let at = position(op);
        let seen = |id: &OpId| seen(history, &ancestry, &own, id);
        if at.slot == Slot::Head || op.preds.iter().any(|pred| seen(pred) != Some(&at)) {
            return Err(bad);
        }
        let within_known_object = match &op.object {
            ParsedObject::Root => true,
            ParsedObject::Object(object) => seen(object).is_some(),
        };
        let after_known_element = match &op.key {
            ParsedKey::Element(element) => seen(element).is_some_and(|place| place.object == op.object),
            ParsedKey::Field(_) | ParsedKey::Head => true,
        };
        if !within_known_object || !after_known_element {
            return Err(bad);
        }
        own.insert(op.id, (at, change.hash));
    }
    Ok(())
}

fn seen<'a>(
    history: &'a History,
    ancestry: &BTreeSet<ChangeHash>,
    own: &'a Positions,
    id: &OpId,
) -> Option<&'a Position> {
    let in_ancestry = || history.positions().get(id).filter(|(_, change)| ancestry.contains(change));
    own.get(id).or_else(in_ancestry).map(|(position, _)| position)
}
