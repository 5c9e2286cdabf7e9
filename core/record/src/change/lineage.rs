//! What a change's operations refer to, looked up among the operations of the changes that it builds on.
//!
//! automerge 0.12 takes references on trust. Of 4,045 damaged changes that were well-formed by themselves and stood in
//! the right place of their record, 1,479 made it panic: they named an operation that does not exist, or one of another
//! field. And a reference outside a change's own ancestry harms only the replica that has not yet received its target,
//! so trying the change here would not show it; or it wipes out, without a trace, a value that the author never saw.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChangeError, ChangeHash, OpId, ParsedAction, ParsedChange, ParsedKey, ParsedObject, ParsedOp};

/// The operations of one record's changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lineage {
    deps: BTreeMap<ChangeHash, Vec<ChangeHash>>,
    /// The changes that no other builds on.
    heads: BTreeSet<ChangeHash>,
    ops: BTreeMap<OpId, Known>,
}

/// An operation as others may refer to it.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    change: ChangeHash,
    object: ParsedObject,
    place: ParsedKey,
    inserts: bool,
    makes: Makes,
}

/// What an operation leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Makes {
    Value,
    /// A text or a list: its places are elements.
    Sequence,
    /// A map or a table: its places are fields.
    Map,
    /// Nothing that could be named later.
    Nothing,
}

impl Lineage {
    /// A record without changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A record that begins with a change of its own, `genesis`, which made a text at each of these fields of the root
    /// and nothing else.
    #[must_use]
    pub fn begin(genesis: ChangeHash, texts: impl IntoIterator<Item = (OpId, String)>) -> Self {
        let text = |(id, field)| {
            let (object, place) = (ParsedObject::Root, ParsedKey::Field(field));
            (id, Known { change: genesis, object, place, inserts: false, makes: Makes::Sequence })
        };
        Self {
            deps: BTreeMap::from([(genesis, Vec::new())]),
            heads: BTreeSet::from([genesis]),
            ops: texts.into_iter().map(text).collect(),
        }
    }

    /// The changes that no other builds on.
    #[must_use]
    pub fn heads(&self) -> &BTreeSet<ChangeHash> {
        &self.heads
    }

    /// Whether `change` builds, directly or not, on `ancestor`, a change of the record.
    #[must_use]
    pub fn builds_on(&self, change: &ParsedChange, ancestor: &ChangeHash) -> bool {
        self.ancestry(change).is_none_or(|ancestry| ancestry.contains(ancestor))
    }

    /// Adds a change that became part of the record and that [`Lineage::check`] found in order, after all that it builds
    /// on.
    pub fn add(&mut self, change: &ParsedChange) {
        for dep in &change.deps {
            self.heads.remove(dep);
        }
        self.heads.insert(change.hash);
        self.deps.insert(change.hash, change.deps.clone());
        self.ops.extend(change.ops.iter().map(|op| (op.id, Known::of(op, change.hash))));
    }

    /// Checks that every object, place and predecessor that `change` names was made by itself or by what it builds on,
    /// and that they fit together.
    ///
    /// # Errors
    /// [`ChangeError::BadReference`].
    pub fn check(&self, change: &ParsedChange) -> Result<(), ChangeError> {
        let ancestry = self.ancestry(change);
        let mut own: BTreeMap<OpId, Known> = BTreeMap::new();
        for op in &change.ops {
            let find = |id: &OpId| {
                let below = |known: &&Known| ancestry.as_ref().is_none_or(|ancestry| ancestry.contains(&known.change));
                self.ops.get(id).filter(below).or_else(|| own.get(id)).ok_or(ChangeError::BadReference)
            };
            check_op(op, find)?;
            own.insert(op.id, Known::of(op, change.hash));
        }
        Ok(())
    }

    /// The field of the root at which the text `object` was made.
    #[must_use]
    pub fn field_of(&self, object: &OpId) -> Option<&str> {
        match self.ops.get(object) {
            Some(Known {
                object: ParsedObject::Root, place: ParsedKey::Field(field), makes: Makes::Sequence, ..
            }) => Some(field),
            _ => None,
        }
    }

    /// All changes that `change` builds on, directly or not; `None` when that is every one, as it is most often.
    fn ancestry(&self, change: &ParsedChange) -> Option<BTreeSet<ChangeHash>> {
        if self.heads.iter().all(|head| change.deps.contains(head)) {
            return None;
        }
        let (mut open, mut seen) = (change.deps.clone(), BTreeSet::new());
        while let Some(hash) = open.pop() {
            if seen.insert(hash) {
                open.extend(self.deps.get(&hash).into_iter().flatten().copied());
            }
        }
        Some(seen)
    }
}

impl Known {
    fn of(op: &ParsedOp, change: ChangeHash) -> Self {
        let makes = match op.action {
            ParsedAction::Put(_) => Makes::Value,
            ParsedAction::MakeText | ParsedAction::MakeOther(2) => Makes::Sequence,
            ParsedAction::MakeOther(_) => Makes::Map,
            _ => Makes::Nothing,
        };
        Self { change, object: op.object, place: place(op), inserts: op.insert, makes }
    }
}

/// Where an operation's value stands: an insert makes its own place.
fn place(op: &ParsedOp) -> ParsedKey {
    if op.insert { ParsedKey::Element(op.id) } else { op.key.clone() }
}

fn check_op<'a>(op: &ParsedOp, find: impl Fn(&OpId) -> Result<&'a Known, ChangeError>) -> Result<(), ChangeError> {
    let holds = match &op.object {
        ParsedObject::Root => Makes::Map,
        ParsedObject::Object(id) => find(id)?.makes,
    };
    let fits = match &op.key {
        ParsedKey::Field(_) => holds == Makes::Map,
        ParsedKey::Head => holds == Makes::Sequence,
        ParsedKey::Element(id) => {
            let element = find(id)?;
            holds == Makes::Sequence && element.inserts && element.object == op.object
        }
    };
    if !fits {
        return Err(ChangeError::BadReference);
    }
    let place = place(op);
    for pred in &op.preds {
        let pred = find(pred)?;
        if pred.object != op.object || pred.place != place || pred.makes == Makes::Nothing {
            return Err(ChangeError::BadReference);
        }
    }
    Ok(())
}
