//! What an author signed, on its way into the records: as whom it was made, and its change sets one at a time.

use std::collections::BTreeMap;

use foras_record::access::AuthorFacts;
use foras_record::admission::{Refusal, check_record};
use foras_record::audience::granted;
use foras_record::change;
use foras_wire::id::{Actor, ChangeHash, DeviceId, Digest32, Incarnation, Signature64};
use foras_wire::push::PushItem;
use foras_wire::sync::Outcome;

use super::Exchange;
use crate::error::ServerError;
use crate::grants::{self, FIRST_REVISION, GRACE_MS};
use crate::intake::{SetAuthor, SetItem};
use crate::storage::authors::{self, Author};
use crate::storage::devices::StoredDevice;
use crate::storage::proofs::{self, Quarantined, SignedPush};
use crate::storage::records;

/// Change sets in one transaction: one wait for the disk serves them all, and nobody waits long for the writer.
const SETS_AT_ONCE: usize = 64;
/// Changes of one device that may wait in quarantine.
const QUARANTINE_MAX: u64 = 10_000;

/// A push whose signature holds.
pub(super) struct Verified<'p> {
    pub(super) items: &'p [PushItem],
    pub(super) hashes: Vec<ChangeHash>,
    pub(super) leaves: Vec<Digest32>,
    pub(super) root: Digest32,
    pub(super) sets: Digest32,
    pub(super) incarnation: Incarnation,
    pub(super) grant_revision: u64,
    pub(super) epoch: u64,
    pub(super) signature: Signature64,
}

impl Verified<'_> {
    pub(super) fn signed(&self) -> SignedPush<'_> {
        let Self { incarnation, grant_revision, epoch, signature, root, sets, .. } = *self;
        SignedPush { incarnation, grant_revision, epoch, signature, leaves: &self.leaves, root, sets }
    }
}

/// What became of each item; `None`: durable.
pub(super) type Outcomes = Vec<Option<Outcome>>;

pub(super) fn refused(code: &str) -> Outcome {
    Outcome::Refused { code: code.to_owned() }
}

impl Exchange<'_> {
    /// As whom the push was made: by the rule of the revision that it names, for a time of grace after that ended.
    pub(super) fn author(
        &self,
        device: &StoredDevice,
        verified: &Verified<'_>,
    ) -> Result<Result<SetAuthor, &'static str>, ServerError> {
        let actor = Actor::of(&device.key, &verified.incarnation);
        let of_revision = |revision| self.server.db.read(|db| grants::of_revision(db, &device.device, revision));
        let named = match of_revision(verified.grant_revision)? {
            // A revision that a server put back does not know any more: what holds now.
            None if (FIRST_REVISION..device.revision).contains(&verified.grant_revision) => {
                of_revision(device.revision)?
            }
            named => named,
        };
        let Some((named, _, ended_ms)) = named else { return Ok(Err("unknown_grant")) };
        let in_force = ended_ms == 0 || self.now_ms - ended_ms <= GRACE_MS;
        let current = if in_force { None } else { of_revision(device.revision)? };
        let grant = current.map_or(named, |(current, ..)| current);
        let Ok(facts) = AuthorFacts::of_grant(&grant) else { return Ok(Err("unknown_grant")) };
        let places: Vec<_> = facts.places.iter().copied().collect();
        let audiences = granted(facts.role, &places, facts.own_case);
        let frozen = self.server.db.write(|db| {
            let author = match authors::get(db, &actor)? {
                Some(author) => author,
                None if authors::incarnations(db, &device.device)? >= authors::INCARNATIONS_MAX => {
                    return Ok(Err("frozen"));
                }
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

    /// Admits a push as its author's, change set by change set.
    pub(super) fn admit(&self, device: &DeviceId, author: &SetAuthor, verified: &Verified<'_>) -> Outcomes {
        let (sets, mut outcomes) = change_sets(verified);
        for sets in sets.chunks(SETS_AT_ONCE) {
            let taken = self.server.record(self.now_ms, |intake| {
                proofs::add_push(intake.db(), device, &verified.signed(), self.now_ms)?;
                intake.take_sets(author, sets)
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
        outcomes
    }

    /// Receives a push of somebody who left, or whose phone is lost, into quarantine; but for what was admitted before.
    pub(super) fn set_aside(
        &self,
        device: &DeviceId,
        verified: &Verified<'_>,
        code: &str,
    ) -> Result<Outcomes, ServerError> {
        self.server.db.write(|db| {
            proofs::add_push(db, device, &verified.signed(), self.now_ms)?;
            let mut outcomes = Vec::new();
            for (item, hash) in verified.items.iter().zip(&verified.hashes) {
                if records::has(db, &item.record.key, hash)? {
                    outcomes.push(Some(Outcome::Duplicate));
                    continue;
                }
                if proofs::quarantined(db, device)? >= QUARANTINE_MAX {
                    outcomes.push(Some(refused("quarantine_full")));
                    continue;
                }
                let aside = Quarantined {
                    device,
                    record: &item.record,
                    hash,
                    push_root: &verified.root,
                    code,
                    chunk: &item.chunk,
                };
                proofs::quarantine(db, &aside, self.now_ms)?;
                outcomes.push(Some(Outcome::Quarantined { code: code.to_owned() }));
            }
            Ok(outcomes)
        })
    }
}

pub(super) fn later(error: &ServerError) -> Outcome {
    tracing::warn!(code = error.code(), "a push could not be taken");
    Outcome::Later
}

/// The push's change sets, in order, with what is refused before any record is looked at.
fn change_sets<'p>(verified: &Verified<'p>) -> (Vec<Vec<SetItem<'p>>>, Outcomes) {
    let mut outcomes: Outcomes = vec![None; verified.items.len()];
    let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
    let mut sets: Vec<(bool, Vec<SetItem<'p>>)> = Vec::new();
    let mut last = None;
    for (index, (item, hash)) in verified.items.iter().zip(&verified.hashes).enumerate() {
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
