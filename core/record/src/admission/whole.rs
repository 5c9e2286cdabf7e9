//! A record that comes whole, all its changes at once, to somebody who has nothing of it: a first sync brings tens of
//! thousands.
//!
//! Tried as any batch is, each change is applied to a copy, and the result is saved, loaded and replayed. Here there is nothing to
//! protect yet, so the changes are replayed once, and what automerge made of them is compared with what our own parser
//! reads in them. Where that is not the same, or anything else is not as usual, the record is tried like any other batch.

use super::{History, Refusal, Verdict, admit, attempt, rehearsal};
use crate::change::ParsedChange;
use crate::document::Content;
use crate::kind::Kind;

/// A record with every change of `batch` that could be admitted, and what became of each, as [`admit`] would say of an empty
/// record under an open gate.
#[must_use]
pub fn admit_whole(kind: Kind, batch: &[ParsedChange]) -> (History, Vec<Verdict>) {
    let at_once = rehearsal::guarded(|| at_once(kind, batch)).flatten();
    at_once.unwrap_or_else(|| {
        let mut history = History::new(kind);
        let verdicts = admit(&mut history, batch, &|_, _, _| Ok(()));
        (history, verdicts)
    })
}

fn at_once(kind: Kind, batch: &[ParsedChange]) -> Option<(History, Vec<Verdict>)> {
    let mut history = History::new(kind);
    let open = |_: &ParsedChange, _: &_, _| Ok::<(), Refusal>(());
    let verdicts = attempt(&mut history, batch, &open, &mut |history, change| {
        history.note_chunk(change);
        true
    });
    // In the order in which they came: our own reading needs what a change builds on before it.
    let in_order = history.chunks().len() == batch.len()
        && history.chunks().iter().zip(batch).all(|(chunk, change)| chunk == change.bytes());
    if !in_order || verdicts.iter().any(|verdict| *verdict != Verdict::Admitted) || !history.replay() {
        return None;
    }
    let content = Content::of_changes(kind, batch)?;
    let document = history.document();
    let same = document.heads() == history.heads() && document.content() == content;
    (same && document.takes_another_change(rehearsal::TRIAL)).then_some((history, verdicts))
}
