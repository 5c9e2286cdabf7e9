//! What passed the reader, stands in its place and refers to its own past, automerge takes without harm.
//!
//! Rehearsal does not rest on this. But a change that rehearsal must stop costs a caught panic; this shows that none is
//! known to get that far.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::transaction::Transactable;
use automerge::{AutoCommit, Automerge, Change, ROOT, ReadDoc};

use super::mutated::any_damage;
use super::world::{Dice, Repertoire, live};
use crate::change::{Lineage, ParsedAction, ParsedChange, parse};

/// Why a damaged change would go no further, if it would not.
fn stopped_by(before: &[Change], lineage: &Lineage, change: &ParsedChange) -> Option<&'static str> {
    let dep_ops = |dep: [u8; 32]| before.iter().find(|known| known.hash().0 == dep).map(Change::max_op);
    let Some(depths) = change.deps.iter().map(|dep| dep_ops(dep.0)).collect::<Option<Vec<_>>>() else {
        return Some("missing dependencies");
    };
    let earlier = before.iter().filter(|known| known.actor_id().to_bytes() == change.actor.as_bytes()).count();
    if change.seq != earlier as u64 + 1 || change.start_op != depths.iter().max().unwrap_or(&0) + 1 {
        return Some("out of place");
    }
    // Nobody may write these: they are refused by name.
    if change.ops.iter().any(|op| matches!(op.action, ParsedAction::Mark | ParsedAction::Other(_))) {
        return Some("never allowed");
    }
    lineage.check(change).err().map(|error| error.code())
}

/// Applies, saves, reloads and edits on. Panics are for the caller.
fn outcome(before: &[Change], damaged: &[u8]) -> &'static str {
    let mut live = Automerge::new();
    live.apply_changes(before.to_vec()).unwrap();
    let change = Change::try_from(damaged).unwrap();
    let hash = change.hash();
    if live.apply_changes([change]).is_err() || live.get_change_by_hash(&hash).is_none() {
        return "not applied";
    }
    let Ok(mut reloaded) = AutoCommit::load(&live.save()) else { return "does not load" };
    if reloaded.get_change_by_hash(&hash).is_none_or(|change| change.raw_bytes() != damaged) {
        return "came back as other bytes";
    }
    if reloaded.document().hydrate(None) != live.hydrate(None) {
        return "came back with other content";
    }
    reloaded.put(ROOT, "name", "Awa").unwrap();
    reloaded.commit();
    "fine"
}

#[test]
fn automerge_survives_what_reader_and_lineage_let_pass() {
    let mut outcomes: BTreeMap<&'static str, usize> = BTreeMap::new();
    for seed in 20_000..20_120 {
        let mut dice = Dice::new(seed);
        let repertoire = if seed.is_multiple_of(3) { Repertoire::All } else { Repertoire::Ours };
        let (changes, _) = live(seed, repertoire, 40);
        for round in 0..250 {
            let at = dice.below(changes.len());
            let before = &changes[..at];
            let damaged = any_damage(changes[at].raw_bytes(), &mut dice);
            let Ok(change) = parse(&damaged) else { continue };
            let mut lineage = Lineage::new();
            before.iter().for_each(|known| lineage.add(&parse(known.raw_bytes()).unwrap()));
            let stop = stopped_by(before, &lineage, &change);
            let outcome = stop.unwrap_or_else(|| {
                let outcome = catch_unwind(AssertUnwindSafe(|| outcome(before, &damaged)));
                let outcome = outcome.unwrap_or("panicked");
                assert_eq!(outcome, "fine", "seed {seed}, round {round}: {:?}", change.ops);
                outcome
            });
            *outcomes.entry(outcome).or_default() += 1;
        }
    }
    println!("{outcomes:?}");
    for least in ["fine", "bad_reference", "out of place", "never allowed", "missing dependencies"] {
        assert!(outcomes.get(least).is_some_and(|count| *count >= 20), "too few changes were {least}: {outcomes:?}");
    }
}
