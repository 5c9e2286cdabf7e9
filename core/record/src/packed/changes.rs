//! The changes of one record that a list told: few, nearly always, and then looked through from the last one back. Of many
//! they are found by maps, so that a record of thousands costs no more than thousands of one.

use std::collections::BTreeMap;

use foras_wire::id::{Actor, ChangeHash};

use super::HeldChange;

/// So many are looked through.
const FEW: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Changes {
    told: Vec<HeldChange>,
    found: Option<Box<Found>>,
}

/// Places among all changes.
#[derive(Debug, Default)]
struct Found {
    by_author: BTreeMap<Actor, usize>,
    by_name: BTreeMap<(Actor, u64), usize>,
    by_hash: BTreeMap<ChangeHash, usize>,
}

impl Found {
    fn note(&mut self, at: usize, change: &HeldChange) {
        self.by_author.insert(change.actor, at);
        self.by_name.insert((change.actor, change.seq), at);
        self.by_hash.insert(change.hash, at);
    }
}

impl Changes {
    pub(super) fn note(&mut self, change: HeldChange) {
        let at = self.told.len();
        self.told.push(change);
        match &mut self.found {
            Some(found) => found.note(at, &change),
            None if at < FEW => {}
            None => {
                let mut found = Box::<Found>::default();
                self.told.iter().enumerate().for_each(|(at, change)| found.note(at, change));
                self.found = Some(found);
            }
        }
    }

    /// The last one.
    pub(super) fn last(&self) -> Option<HeldChange> {
        self.told.last().copied()
    }

    /// The last one of this author.
    pub(super) fn last_of(&self, actor: &Actor) -> Option<HeldChange> {
        self.find(|found| found.by_author.get(actor), |change| change.actor == *actor)
    }

    /// The author's change of this number.
    pub(super) fn named(&self, actor: &Actor, seq: u64) -> Option<HeldChange> {
        let is = |change: &HeldChange| change.seq == seq && change.actor == *actor;
        self.find(|found| found.by_name.get(&(*actor, seq)), is)
    }

    /// The one of this hash.
    pub(super) fn of_hash(&self, hash: &ChangeHash) -> Option<HeldChange> {
        self.find(|found| found.by_hash.get(hash), |change| change.hash == *hash)
    }

    fn find(
        &self,
        among_many: impl Fn(&Found) -> Option<&usize>,
        is: impl Fn(&HeldChange) -> bool,
    ) -> Option<HeldChange> {
        match &self.found {
            Some(found) => self.told.get(*among_many(found)?).copied(),
            None => self.told.iter().rev().find(|change| is(change)).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn many_are_found_as_few_are() {
        let change = |at: u8| HeldChange {
            actor: Actor([at % 3; 16]),
            seq: u64::from(at / 3),
            hash: ChangeHash([at; 32]),
            max_op: u64::from(at),
        };
        let mut changes = Changes::default();
        for at in 0..60 {
            changes.note(change(at));
            assert_eq!(changes.last(), Some(change(at)));
            for told in 0..=at {
                let told = change(told);
                assert_eq!(changes.named(&told.actor, told.seq), Some(told));
                assert_eq!(changes.of_hash(&told.hash), Some(told));
            }
            assert_eq!(changes.last_of(&change(at).actor), Some(change(at)));
            assert_eq!(changes.named(&Actor([7; 16]), 0), None);
        }
        // Told twice, the later one counts.
        let again = HeldChange { max_op: 99, ..change(5) };
        changes.note(again);
        assert_eq!(changes.named(&again.actor, again.seq), Some(again));
    }
}
