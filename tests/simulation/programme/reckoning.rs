//! Rests, the laws, and where each edit ended.

use foras_tests::world::canary::Pile;
use foras_tests::world::hostile::FORGED;
use foras_tests::world::laws;

use super::Programme;
use super::fall::close_recovery;
use crate::outcome::{Fates, Outcome};

impl Programme {
    /// Everybody who is not on the road syncs until nothing moves. Then the laws are looked at.
    pub(crate) fn rest(&mut self) {
        let here = self.cast.iter().filter(|member| member.away_until_ms.is_none());
        let here: Vec<_> = here.map(|member| member.number).collect();
        let mut rested = self.world.rest(&here);
        if rested.is_ok() && close_recovery(&self.world) {
            // The missions are given what was held back.
            rested = self.world.rest(&here);
        }
        if let Err(words) = rested {
            self.outcome.diverged += 1;
            self.outcome.findings.push(words);
            return;
        }
        self.brought();
        let found = laws::look(&mut self.world, &here);
        let forged = self.world.chunks_of("change");
        let forged = forged.iter().filter(|chunk| chunk.windows(FORGED.len()).any(|part| part == FORGED.as_bytes()));
        let forged = forged.count() as u64;
        self.outcome.lost += found.lost.len() as u64;
        self.outcome.diverged += found.diverged.len() as u64 + forged;
        self.outcome.leaked += found.leaked.len() as u64;
        self.outcome.findings.extend(found.all().cloned());
        if forged > 0 {
            self.outcome.findings.push(format!("{forged} forged changes are among the records"));
        }
        self.farewell();
    }

    /// Phones that know that they are revoked go. What somebody who left had not sent is in quarantine by then.
    fn farewell(&mut self) {
        let everybody: Vec<_> = self.cast.iter().map(|member| (member.number, member.is_leaving)).collect();
        for (number, is_leaving) in everybody {
            if !self.world.is_revoked(number) {
                continue;
            }
            let unsent = self.world.chunks_to_send(number).len() as u64;
            if is_leaving && unsent > 0 {
                self.outcome.lost += unsent;
                self.outcome.findings.push(format!("{unsent} changes of somebody who left were not taken"));
            }
            self.bury(number);
        }
    }

    /// What came of it all.
    pub(crate) fn end(mut self) -> Outcome {
        let admitted = Pile::of(self.world.chunks_of("change"));
        let quarantined = Pile::of(self.world.chunks_of("quarantine"));
        let oracle = &self.world.oracle;
        let overwritten: std::collections::BTreeSet<&String> = oracle
            .edits
            .iter()
            .filter(|edit| admitted.has(&edit.value))
            .flat_map(|edit| edit.overwrote.iter())
            .collect();
        let mut fates = Fates { edits: oracle.edits.len() as u64, ..Fates::default() };
        for edit in &oracle.edits {
            if admitted.has(&edit.value) {
                fates.acknowledged += 1;
                fates.overwritten += u64::from(overwritten.contains(&edit.value));
            } else if quarantined.has(&edit.value) {
                fates.quarantined += 1;
            } else if oracle.told.contains(&edit.value) {
                fates.refused += 1;
            } else if oracle.gone.contains(&edit.value) {
                fates.gone_with_a_phone += 1;
            }
        }
        self.outcome.fates = fates;
        self.outcome.faults = self.world.faults.counts();
        self.outcome
    }
}
