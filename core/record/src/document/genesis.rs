//! The first change of each kind: constant, so that it never has to travel.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, ObjType, ROOT};
use foras_wire::id::{Actor, ChangeHash, RecordId};

use super::ENCODING;
use crate::kind::Kind;
use crate::registry;

/// The actor of a kind's genesis: the first 16 bytes of SHA-256("foras genesis" ‖ 0 ‖ the kind's name).
#[must_use]
pub fn genesis_actor(kind: Kind) -> Actor {
    Actor(RecordId::derived("foras genesis", kind.name().as_bytes()).0)
}

/// The hash of a kind's genesis.
#[must_use]
pub fn genesis(kind: Kind) -> ChangeHash {
    made(kind).map_or(ChangeHash([0; 32]), |(hash, _)| *hash)
}

/// The highest operation counter of a kind's genesis: one operation per text field.
#[must_use]
pub fn genesis_max_op(kind: Kind) -> u64 {
    kind.rule().texts().count() as u64
}

/// The operation by which a kind's genesis makes the object of its text `field`: counter and actor.
#[must_use]
pub fn genesis_text(kind: Kind, field: &str) -> Option<(u64, Actor)> {
    let at = kind.rule().texts().position(|text| text.name == field)?;
    Some((at as u64 + 1, genesis_actor(kind)))
}

/// A document of the genesis only.
pub(super) fn document(kind: Kind) -> Automerge {
    made(kind).map_or_else(|| make(kind), |(_, document)| document.clone())
}

/// The genesis of a kind, made once: a clone costs a fifth of a commit.
fn made(kind: Kind) -> Option<&'static (ChangeHash, Automerge)> {
    static MADE: OnceLock<BTreeMap<Kind, (ChangeHash, Automerge)>> = OnceLock::new();
    let all = MADE.get_or_init(|| {
        let with_hash = |kind| {
            let document = make(kind);
            let head = document.get_heads().first().map_or([0; 32], |hash| hash.0);
            (kind, (ChangeHash(head), document))
        };
        registry::ALL.iter().map(|rule| with_hash(rule.kind)).collect()
    });
    all.get(&kind)
}

fn make(kind: Kind) -> Automerge {
    let mut doc = Automerge::new_with_encoding(ENCODING).with_actor(ActorId::from(genesis_actor(kind).0));
    let at_time_zero = CommitOptions::default().with_time(0);
    if kind.rule().texts().next().is_none() {
        doc.empty_commit(at_time_zero);
        return doc;
    }
    let mut transaction = doc.transaction();
    for field in kind.rule().texts() {
        // The root is a map and takes any key; were it not so, the golden bytes of the genesis would differ.
        let _made = transaction.put_object(ROOT, field.name, ObjType::Text);
    }
    transaction.commit_with(at_time_zero);
    doc
}
