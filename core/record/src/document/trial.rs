//! Whether a document still takes an honest edit.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, ROOT};
use foras_wire::id::Actor;

use super::Document;

impl Document {
    /// Whether another change can be committed to a copy of the document. Admission asks, because a hostile change can
    /// make the *next* honest one panic.
    pub(crate) fn takes_another_change(&self, actor: Actor) -> bool {
        let mut copy = self.doc.fork().with_actor(ActorId::from(actor.0));
        let mut transaction = copy.transaction();
        let written = transaction.put(ROOT, "trial", true).is_ok();
        let (hash, _) = transaction.commit_with(CommitOptions::default().with_time(0));
        written && hash.is_some()
    }
}
