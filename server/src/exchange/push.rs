//! Pushes: checked as a whole first, then taken one change set at a time.

use std::collections::BTreeMap;

use foras_record::access::AuthorFacts;
use foras_record::admission::{Refusal, check_record};
use foras_record::audience::granted;
use foras_record::change;
use foras_record::proof;
use foras_wire::id::{Actor, ChangeHash, Digest32};
use foras_wire::merkle;
use foras_wire::push::{self, Push};
use foras_wire::sync::{Acks, AnswerFrame, Exception, Outcome};

use super::{Exchange, Sink};
use crate::error::ServerError;
use crate::grants::{self, GRACE_MS};
use crate::intake::{SetAuthor, SetItem};
use crate::storage::authors::{self, Author};
use crate::storage::devices::DeviceState;
use crate::storage::proofs::{self, Quarantined};

/// Change sets in one transaction: one wait for the disk serves them all, and nobody waits long for the writer.
const SETS_AT_ONCE: usize = 64;
/// Incarnations of one device: one at installation, one for each restore or re-issue.
const INCARNATIONS_MAX: u64 = 1_000;
/// Changes of one device that may wait in quarantine.
const QUARANTINE_MAX: u64 = 10_000;

/// A push whose signature holds.
struct Verified<'p> {
    push: &'p Push,
    hashes: Vec<ChangeHash>,
    leaves: Vec<Digest32>,
    root: Digest32,
}

/// What became of each item; `None`: durable.
type Outcomes = Vec<Option<Outcome>>;

fn refused(code: &str) -> Outcome {
    Outcome::Refused { code: code.to_owned() }
}

impl Exchange<'_> {
    /// Takes every push; false when the receiver is gone.
    pub(super) fn take_pushes(&mut self, sink: &mut Sink<'_>) -> bool {
        for (index, push) in std::mem::take(&mut self.request.pushes).iter().enumerate() {
            let outcomes = self.take_push(push);
            let exceptions = outcomes
                .into_iter()
                .enumerate()
                .filter_map(|(item, outcome)| Some(Exception { item: u32::try_from(item).ok()?, outcome: outcome? }))
                .collect();
            let push = u16::try_from(index).unwrap_or(u16::MAX);
            if !sink(AnswerFrame::Acks(Acks { push, exceptions })) {
                return false;
            }
        }
        true
    }

    fn take_push(&mut self, push: &Push) -> Outcomes {
        let all = |outcome: Outcome| vec![Some(outcome); push.items.len()];
        if self.request.epoch != self.server.keys.epoch {
            // The device learns the epoch from this answer, signs anew and pushes again.
            return all(Outcome::Later);
        }
        let verified = match self.verify(push) {
            Ok(verified) => verified,
            Err(code) => return all(refused(code)),
        };
        let author = match self.author(push) {
            Ok(Ok(author)) => author,
            Ok(Err(code)) => return all(refused(code)),
            Err(error) => return all(later(&error)),
        };
        if self.caller.device.state == DeviceState::Left {
            return self.set_aside(&verified).unwrap_or_else(|error| all(later(&error)));
        }
        let (sets, mut outcomes) = change_sets(&verified);
        for sets in sets.chunks(SETS_AT_ONCE) {
            let taken = self.server.record(self.now_ms, |intake| {
                proofs::add_push(
                    intake.db(),
                    &verified.root,
                    &self.caller.device.device,
                    self.server.keys.epoch,
                    push,
                    &verified.leaves,
                    self.now_ms,
                )?;
                intake.take_sets(&author, sets)
            });
            let taken = taken.unwrap_or_else(|error| {
                let later = later(&error);
                sets.iter().flatten().map(|item| (item.index, Some(later.clone()))).collect()
            });
            for (index, outcome) in taken {
                if let Some(slot) = outcomes.get_mut(index) {
                    *slot = outcome;
                }
            }
        }
        for ((outcome, item), hash) in outcomes.iter().zip(&push.items).zip(&verified.hashes) {
            if matches!(outcome, None | Some(Outcome::Duplicate)) {
                self.own.insert((item.record.key, *hash));
            }
        }
        outcomes
    }

    fn verify<'p>(&self, push: &'p Push) -> Result<Verified<'p>, &'static str> {
        let hashes = proof::push_hashes(push).map_err(|error| error.code())?;
        let keys = &self.server.keys;
        proof::verify_push(&self.caller.device.key, push, keys.server, keys.epoch, &hashes)
            .map_err(|error| error.code())?;
        let leaves: Vec<_> =
            push.items.iter().zip(&hashes).map(|(item, hash)| push::leaf(&item.record, hash)).collect();
        let root = merkle::root(&leaves);
        Ok(Verified { push, hashes, leaves, root })
    }

    /// As whom the push was made: by the rule of the revision that it names, for a time of grace after that ended.
    fn author(&self, push: &Push) -> Result<Result<SetAuthor, &'static str>, ServerError> {
        let device = &self.caller.device;
        let actor = Actor::of(&device.key, &push.incarnation);
        let named = self.server.db.read(|db| grants::of_revision(db, &device.device, push.grant_revision))?;
        let Some((named, _, ended_ms)) = named else { return Ok(Err("unknown_grant")) };
        let in_force = ended_ms == 0 || self.now_ms - ended_ms <= GRACE_MS;
        let grant = if in_force { named } else { self.caller.grant.clone() };
        let Ok(facts) = AuthorFacts::of_grant(&grant) else { return Ok(Err("unknown_grant")) };
        let places: Vec<_> = facts.places.iter().copied().collect();
        let audiences = granted(facts.role, &places, facts.own_case);
        let frozen = self.server.db.write(|db| {
            let author = match authors::get(db, &actor)? {
                Some(author) => author,
                None if authors::incarnations(db, &device.device)? >= INCARNATIONS_MAX => return Ok(Err("frozen")),
                None => {
                    let name = grant.name.clone();
                    let role = grant.role.clone();
                    let author = Author { actor, device: Some(device.device), name, role, frozen: false };
                    authors::add(db, &author)?;
                    author
                }
            };
            Ok::<_, ServerError>(Ok(author.frozen))
        })?;
        Ok(frozen.map(|frozen| SetAuthor {
            device: device.device,
            actor,
            facts,
            audiences: audiences.into_iter().map(|audience| audience.name()).collect(),
            frozen: frozen.into(),
        }))
    }

    /// Receives a push of somebody who left into quarantine.
    fn set_aside(&self, verified: &Verified<'_>) -> Result<Outcomes, ServerError> {
        let device = &self.caller.device.device;
        self.server.db.write(|db| {
            proofs::add_push(
                db,
                &verified.root,
                device,
                self.server.keys.epoch,
                verified.push,
                &verified.leaves,
                self.now_ms,
            )?;
            let mut outcomes = Vec::new();
            for (item, hash) in verified.push.items.iter().zip(&verified.hashes) {
                if proofs::quarantined(db, device)? >= QUARANTINE_MAX {
                    outcomes.push(Some(refused("quarantine_full")));
                    continue;
                }
                let aside = Quarantined {
                    device,
                    record: &item.record,
                    hash,
                    push_root: &verified.root,
                    code: "left",
                    chunk: &item.chunk,
                };
                proofs::quarantine(db, &aside, self.now_ms)?;
                outcomes.push(Some(Outcome::Quarantined { code: "left".to_owned() }));
            }
            Ok(outcomes)
        })
    }
}

fn later(error: &ServerError) -> Outcome {
    tracing::warn!(code = error.code(), "a push could not be taken");
    Outcome::Later
}

/// The push's change sets, in order, with what is refused before any record is looked at.
fn change_sets<'p>(verified: &Verified<'p>) -> (Vec<Vec<SetItem<'p>>>, Outcomes) {
    let mut outcomes: Outcomes = vec![None; verified.push.items.len()];
    let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
    let mut sets: Vec<(bool, Vec<SetItem<'p>>)> = Vec::new();
    let mut last = None;
    for (index, (item, hash)) in verified.push.items.iter().zip(&verified.hashes).enumerate() {
        let split = last != Some(item.change_set) && numbers.contains_key(&item.change_set);
        let place = *numbers.entry(item.change_set).or_insert_with(|| {
            sets.push((true, Vec::new()));
            sets.len() - 1
        });
        last = Some(item.change_set);
        let read = || -> Result<SetItem<'p>, Refusal> {
            let kind = check_record(&item.record)?;
            let change = change::parse(&item.chunk).map_err(|error| Refusal::new(error.code()))?;
            if split {
                return Err(Refusal::new("split_change_set"));
            }
            Ok(SetItem { index, record: &item.record, kind, change, push_root: verified.root })
        };
        let Some((whole, set)) = sets.get_mut(place) else { continue };
        match read() {
            Ok(item) => {
                debug_assert_eq!(item.change.hash, *hash);
                set.push(item);
            }
            Err(refusal) => {
                *whole = false;
                if let Some(slot) = outcomes.get_mut(index) {
                    *slot = Some(refused(refusal.code));
                }
            }
        }
    }
    let mut sound = Vec::new();
    for (whole, set) in sets {
        if whole {
            sound.push(set);
            continue;
        }
        for item in set {
            if let Some(slot) = outcomes.get_mut(item.index) {
                *slot = Some(Outcome::SetRefused);
            }
        }
    }
    (sound, outcomes)
}
