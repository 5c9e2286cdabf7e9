//! What a change builds on. automerge names the record's heads, ascending, and then the author's own previous change
//! where that is none of them (`Automerge::transaction_args`): so that one follows from the change's number.

use foras_wire::id::{Actor, ChangeHash};
use foras_wire::limits::CHANGE_DEPS_MAX;

use super::columns::{Column, Reader, Writer};
use super::told::Told;
use super::{HeldChange, PackedError, actors};
use crate::change::ParsedChange;
use crate::document;
use crate::kind::Kind;

/// What a change builds on, beside its author's previous change.
mod base {
    /// The record's last change of the list; without one, the genesis.
    pub(super) const LIKELY: u64 = 0;
    pub(super) const GENESIS: u64 = 1;
    /// Above: so many changes, each named.
    pub(super) const NOTHING: u64 = 2;
}

/// In place of a change's number: it is named by its hash.
const BY_HASH: u64 = 0;

/// A dependency, as far as this side knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dep {
    Genesis,
    Known(HeldChange),
    Hash(ChangeHash),
}

impl Dep {
    fn hash(&self, kind: Kind) -> ChangeHash {
        match self {
            Self::Genesis => document::genesis(kind),
            Self::Known(change) => change.hash,
            Self::Hash(hash) => *hash,
        }
    }

    fn max_op(&self, kind: Kind) -> u64 {
        match self {
            Self::Genesis => document::genesis_max_op(kind),
            Self::Known(change) => change.max_op,
            Self::Hash(_) => 0,
        }
    }
}

/// What a change builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deps {
    /// The author's number of the change.
    pub(super) seq: u64,
    own: Option<HeldChange>,
    base: Vec<Dep>,
    /// The own previous change stands among the heads, rather than behind them.
    own_is_head: bool,
}

impl Deps {
    /// The dependencies of `change`; `None` where they are not as automerge writes them.
    pub(super) fn of(told: &Told<'_>, place: usize, kind: Kind, change: &ParsedChange) -> Option<Self> {
        let mut own = None;
        let mut base = Vec::new();
        for hash in &change.deps {
            match told.change_of_hash(place, hash) {
                _ if *hash == document::genesis(kind) => base.push(Dep::Genesis),
                Some(dep) if dep.actor == change.actor && dep.seq.checked_add(1) == Some(change.seq) => own = Some(dep),
                Some(dep) => base.push(Dep::Known(dep)),
                None => base.push(Dep::Hash(*hash)),
            }
        }
        if own.is_some() != (change.seq > 1) {
            return None;
        }
        let mut deps = Self { seq: change.seq, own, base, own_is_head: false };
        if deps.hashes(kind) != change.deps {
            deps.own_is_head = true;
        }
        (deps.hashes(kind) == change.deps).then_some(deps)
    }

    /// The hashes, in the order in which automerge writes them.
    pub(super) fn hashes(&self, kind: Kind) -> Vec<ChangeHash> {
        let mut hashes: Vec<ChangeHash> = self.base.iter().map(|dep| dep.hash(kind)).collect();
        let own = self.own.map(|own| own.hash);
        if self.own_is_head {
            hashes.extend(own);
            hashes.sort_unstable();
        } else {
            hashes.sort_unstable();
            hashes.extend(own);
        }
        hashes
    }

    /// The counter that the first operation most likely has.
    pub(super) fn next_op(&self, kind: Kind) -> u64 {
        let base = self.base.iter().map(|dep| dep.max_op(kind));
        base.chain(self.own.map(|own| own.max_op)).max().unwrap_or(0).saturating_add(1)
    }

    /// Whether it builds on nothing but the record's beginning.
    pub(super) fn is_first(&self) -> bool {
        self.own.is_none() && self.base == [Dep::Genesis]
    }

    pub(super) fn write(&self, told: &mut Told<'_>, out: &mut Writer, place: usize, kind: Kind, author: &Actor) {
        let likely = likely_seq(told, place, author);
        out.unsigned(Column::Seq, if likely == self.seq { 0 } else { self.seq });
        let heads = u64::from(self.own_is_head);
        if self.base == likely_base(told, place, self.own) {
            return out.unsigned(Column::Deps, base::LIKELY << 1 | heads);
        }
        if self.base == [Dep::Genesis] {
            return out.unsigned(Column::Deps, base::GENESIS << 1 | heads);
        }
        out.unsigned(Column::Deps, (base::NOTHING + self.base.len() as u64) << 1 | heads);
        for dep in &self.base {
            if let Dep::Known(change) = dep {
                out.unsigned(Column::DepSeq, change.seq);
                actors::write(told, out, Column::DepActor, place, None, &change.actor);
            } else {
                out.unsigned(Column::DepSeq, BY_HASH);
                out.bytes(Column::Hash, dep.hash(kind).as_bytes());
            }
        }
    }

    pub(super) fn read(
        told: &mut Told<'_>,
        columns: &mut Reader<'_>,
        place: usize,
        kind: Kind,
        author: &Actor,
    ) -> Result<Self, PackedError> {
        let seq = match columns.unsigned(Column::Seq)? {
            0 => likely_seq(told, place, author),
            seq => seq,
        };
        let own = match seq.checked_sub(1).ok_or(PackedError::Malformed)? {
            0 => None,
            before => Some(told.change(place, author, before).ok_or(PackedError::NotHeld)?),
        };
        let code = columns.unsigned(Column::Deps)?;
        let base = match code >> 1 {
            base::LIKELY => likely_base(told, place, own),
            base::GENESIS => vec![Dep::Genesis],
            code => read_base(told, columns, place, kind, code - base::NOTHING)?,
        };
        Ok(Self { seq, own, base, own_is_head: code & 1 == 1 })
    }
}

fn read_base(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    place: usize,
    kind: Kind,
    count: u64,
) -> Result<Vec<Dep>, PackedError> {
    if count > CHANGE_DEPS_MAX as u64 {
        return Err(PackedError::TooLarge);
    }
    let mut deps = Vec::new();
    for _ in 0..count {
        let seq = columns.unsigned(Column::DepSeq)?;
        if seq == BY_HASH {
            let hash = ChangeHash(columns.array(Column::Hash)?);
            deps.push(if hash == document::genesis(kind) { Dep::Genesis } else { Dep::Hash(hash) });
            continue;
        }
        let actor = actors::read(told, columns, Column::DepActor, place, None)?;
        deps.push(Dep::Known(told.change(place, &actor, seq).ok_or(PackedError::NotHeld)?));
    }
    Ok(deps)
}

fn likely_seq(told: &Told<'_>, place: usize, author: &Actor) -> u64 {
    let before = told.record(place).and_then(|told| told.changes.last_of(author));
    before.map_or(1, |before| before.seq.saturating_add(1))
}

fn likely_base(told: &Told<'_>, place: usize, own: Option<HeldChange>) -> Vec<Dep> {
    match told.record(place).and_then(|told| told.changes.last()) {
        Some(last) if own == Some(last) => Vec::new(),
        Some(last) => vec![Dep::Known(last)],
        None if own.is_some() => Vec::new(),
        None => vec![Dep::Genesis],
    }
}
