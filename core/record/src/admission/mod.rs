//! Admission: what an incoming change must pass before it becomes part of a record. One function for server and device.
//!
//! The steps, in order, with the module that holds each:
//! 1. limits on body, frame and rate, before anything is parsed (`foras-wire`, the server's HTTP layer);
//! 2. plain change chunks only, and 3. our own parser reads header and run lengths first ([`crate::change`]);
//! 4. the actor is the signer's, and the proof covers record, kind, generation and hash ([`crate::proof`]);
//! 5. sequence, operation counters (`order`) and references between operations ([`crate::change::Lineage`]);
//! 6. missing dependencies wait outside automerge ([`Verdict::Parked`]);
//! 7. kind and fields under the grant named (the `gate`, [`crate::access::check_change`]);
//! 8. rehearsal under `catch_unwind` (`rehearsal`);
//! 9. one transaction, then the acknowledgement (device and server stores).
//!
//! Why so much: automerge 0.12 panics, corrupts or allocates without bound on hostile input, and a change once
//! acknowledged is never given up.

mod history;
mod order;
mod rehearsal;
mod whole;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use foras_wire::id::ChangeHash;
use foras_wire::record::RecordRef;

use crate::change::ParsedChange;
use crate::document::Document;
use crate::identity;
use crate::kind::Kind;

pub use history::{History, HistoryError, KnownChange};
pub use whole::admit_whole;

/// Why a change is not admitted: a stable code, without personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not admitted: {code}")]
pub struct Refusal {
    /// The stable code.
    pub code: &'static str,
}

impl Refusal {
    /// A refusal with this code.
    #[must_use]
    pub fn new(code: &'static str) -> Self {
        Self { code }
    }
}

/// Automerge refused the change, dropped it in silence, panicked, or made different documents of the same changes.
const UNSOUND: Refusal = Refusal { code: "unsound_change" };

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is part of the record now.
    Admitted,
    /// It was part of the record already.
    Duplicate,
    /// It waits for these changes; nothing of it was applied.
    Parked {
        /// Dependencies that the record does not have.
        missing: Vec<ChangeHash>,
    },
    /// It is not admitted.
    Refused(Refusal),
}

/// Decides whether a change may be written, given the record before it and whether it creates the record.
pub type Gate<'a> = dyn Fn(&ParsedChange, &Document, bool) -> Result<(), Refusal> + 'a;

/// The kind of `record`, if its key, case and generation agree.
///
/// # Errors
/// `unknown_kind`, `wrong_generation`, `wrong_identity`.
pub fn check_record(record: &RecordRef) -> Result<Kind, Refusal> {
    let kind = Kind::of_code(record.key.kind).ok_or(Refusal::new("unknown_kind"))?;
    if record.generation != 0 {
        return Err(Refusal::new("wrong_generation"));
    }
    if !identity::agrees(kind, record) {
        return Err(Refusal::new("wrong_identity"));
    }
    Ok(kind)
}

/// Admits what may be admitted of `batch`, changes of one record in any order, and says what became of each.
///
/// The honest path applies the whole batch to one copy and rehearses once. When that fails, changes are tried one at a
/// time, so that a hostile one takes no honest neighbour with it. `history` holds exactly what was admitted.
pub fn admit(history: &mut History, batch: &[ParsedChange], gate: &Gate<'_>) -> Vec<Verdict> {
    if batch.iter().all(|change| history.knows(&change.hash)) {
        return vec![Verdict::Duplicate; batch.len()];
    }
    if let Some((together, verdicts)) = rehearsal::guarded(|| together(history, batch, gate)).flatten() {
        *history = together;
        return verdicts;
    }
    attempt(history, batch, gate, &mut |history, change| {
        let mut next = history.clone();
        let sound = rehearsal::apply(&mut next, change) && rehearsal::passes(&next);
        if sound {
            *history = next;
        }
        sound
    })
}

/// The whole batch on one copy; `None` when anything in it is unsound.
fn together(history: &History, batch: &[ParsedChange], gate: &Gate<'_>) -> Option<(History, Vec<Verdict>)> {
    let mut copy = history.clone();
    let verdicts = attempt(&mut copy, batch, gate, &mut rehearsal::apply);
    // Where nothing was applied there is nothing to rehearse.
    let sound = || !verdicts.contains(&Verdict::Admitted) || rehearsal::passes(&copy);
    (!verdicts.contains(&Verdict::Refused(UNSOUND)) && sound()).then_some((copy, verdicts))
}

/// Applies a change to a history; false when it is not sound.
type Apply<'a> = dyn FnMut(&mut History, &ParsedChange) -> bool + 'a;

/// Takes changes as their dependencies allow, until none is left that could be taken.
fn attempt(history: &mut History, batch: &[ParsedChange], gate: &Gate<'_>, apply: &mut Apply<'_>) -> Vec<Verdict> {
    let mut verdicts: Vec<Option<Verdict>> = vec![None; batch.len()];
    let mut refused = BTreeSet::new();
    let mut progress = true;
    while progress {
        progress = false;
        for (slot, change) in verdicts.iter_mut().zip(batch).filter(|(slot, _)| slot.is_none()) {
            let verdict = match decide(history, change, gate, &refused) {
                Verdict::Parked { .. } => continue,
                Verdict::Admitted if !apply(history, change) => Verdict::Refused(UNSOUND),
                verdict => verdict,
            };
            if matches!(verdict, Verdict::Refused(_)) {
                refused.insert(change.hash);
            }
            progress = true;
            *slot = Some(verdict);
        }
    }
    let parked = |change: &ParsedChange| Verdict::Parked { missing: history.missing(change) };
    verdicts.into_iter().zip(batch).map(|(verdict, change)| verdict.unwrap_or_else(|| parked(change))).collect()
}

/// Steps 5 to 7; [`Verdict::Admitted`] means that the change may be applied.
fn decide(history: &History, change: &ParsedChange, gate: &Gate<'_>, refused: &BTreeSet<ChangeHash>) -> Verdict {
    if history.knows(&change.hash) {
        return Verdict::Duplicate;
    }
    if change.deps.iter().any(|dep| refused.contains(dep)) {
        return Verdict::Refused(Refusal::new("depends_on_refused"));
    }
    let missing = history.missing(change);
    if !missing.is_empty() {
        return Verdict::Parked { missing };
    }
    let checked = order::check(history, change)
        .and_then(|()| history.lineage().check(change).map_err(|error| Refusal::new(error.code())))
        .and_then(|()| gate(change, history.document(), history.is_new()));
    match checked {
        Ok(()) => Verdict::Admitted,
        Err(refusal) => Verdict::Refused(refusal),
    }
}
