//! Step 5: a change stands where its author's sequence and its dependencies say, and nowhere else.
//!
//! Sources: on automerge 0.12 a huge `start_op` wins over every later edit, a reused sequence number blocks a whole
//! batch, and an own change left out of the ancestry makes documents that save and never load.

use foras_wire::limits::OP_COUNTER_MAX;

use super::{History, Refusal};
use crate::change::ParsedChange;

/// Checks sequence, ancestry and operation counters of `change`, whose dependencies `history` holds.
pub(super) fn check(history: &History, change: &ParsedChange) -> Result<(), Refusal> {
    if change.deps.is_empty() {
        return Err(Refusal::new("no_ancestry"));
    }
    let expected = history.last_of(&change.actor).map_or(1, |(seq, _)| seq + 1);
    if change.seq < expected {
        return Err(Refusal::new("seq_reused"));
    }
    if change.seq > expected {
        return Err(Refusal::new("seq_gap"));
    }
    if let Some((_, own)) = history.last_of(&change.actor)
        && !history.lineage().builds_on(change, &own)
    {
        return Err(Refusal::new("own_change_left_out"));
    }
    let deepest = change.deps.iter().filter_map(|dep| history.known(dep)).map(|known| known.max_op).max();
    if change.start_op != deepest.unwrap_or(0) + 1 || change.max_op() > OP_COUNTER_MAX {
        return Err(Refusal::new("wrong_start_op"));
    }
    Ok(())
}
