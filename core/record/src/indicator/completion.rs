//! When a module, and the path, is complete.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::id::RecordId;

use super::facts::{AttendanceFact, Outcome};

/// The module to which people are oriented.
pub(super) const AWARENESS: &str = "awareness";

/// Whether these attendances of one person complete awareness and one other module. `rule` says at how many sessions of
/// a module a person must be present; one where it says nothing.
pub(super) fn completes_path<'a>(
    attended: impl IntoIterator<Item = &'a AttendanceFact>,
    rule: &BTreeMap<String, u32>,
) -> bool {
    let mut sessions: BTreeMap<&str, BTreeSet<RecordId>> = BTreeMap::new();
    for fact in attended.into_iter().filter(|fact| fact.outcome == Outcome::Present) {
        sessions.entry(&fact.session.module).or_default().insert(fact.session.session);
    }
    let needed = |module: &str| rule.get(module).map_or(1, |sessions| *sessions as usize);
    let complete = sessions.iter().filter(|(module, present)| present.len() >= needed(module));
    let (awareness, other): (Vec<_>, Vec<_>) = complete.partition(|(module, _)| **module == AWARENESS);
    !awareness.is_empty() && !other.is_empty()
}
