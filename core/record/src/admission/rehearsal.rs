//! Step 8: a change is tried on a copy, and what came of it is compared three ways, before anything is kept.
//!
//! Content is compared, not heads: automerge 0.12 has made documents whose heads equalled a correct replay's while keys
//! could not be read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use foras_wire::id::Actor;

use super::History;
use crate::change::ParsedChange;
use crate::document::Document;

/// Who makes the trial edit after an incoming change; nothing of it is kept.
pub(super) const TRIAL: Actor = Actor([0xff; 16]);

/// What `work` returns, or `None` when it panics: automerge may, on documents that a hostile change has damaged.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Applies `change`; false when automerge refuses it, drops it in silence, or panics. The history is then useless.
pub(super) fn apply(history: &mut History, change: &ParsedChange) -> bool {
    guarded(|| history.apply(change)).unwrap_or(false)
}

/// A record of one change was made by applying it to an empty document: a replay would do the same again.
fn is_replay(history: &History) -> bool {
    history.chunks().len() == 1
}

fn replayed(history: &History) -> Option<Document> {
    Document::replay(history.document().kind(), history.chunks().iter().map(Vec::as_slice)).ok()
}

/// Whether the live document, the same reloaded, and a replay of all its changes hold the same content, and the next
/// honest edit can be committed.
pub(super) fn passes(history: &History) -> bool {
    let same = guarded(|| {
        let live = history.document();
        let content = live.content();
        let as_live = |other: &Document| other.heads() == live.heads() && other.content() == content;
        let reloaded = Document::load(live.kind(), &live.save()).ok()?;
        let same = live.heads() == history.heads()
            && as_live(&reloaded)
            && (is_replay(history) || as_live(&replayed(history)?));
        (same && live.takes_another_change(TRIAL)).then_some(())
    });
    same.flatten().is_some()
}
