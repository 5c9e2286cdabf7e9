//! What a device offers to a server that lost it: taken back under the signature that the server itself had given.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::change::chunk_hash;
use foras_record::proof;
use foras_wire::merkle;
use foras_wire::page::change_leaf;
use foras_wire::reconcile::{Difference, DifferenceState, OfferedPage, Offers, Witness};
use foras_wire::record::RecordKey;
use rusqlite::Connection;

use super::{Exchange, Sink};
use crate::error::ServerError;
use crate::intake::Restored;
use crate::recovery;
use crate::server::Server;
use crate::storage::records;

/// Changes that are taken back in one transaction.
const RESTORED_AT_ONCE: usize = 256;

/// The changes of a page that its signature proves, in the order of the log.
fn proven(server: &Server, page: &OfferedPage) -> Vec<Restored> {
    let leaves = page.leaves();
    let witness = Witness {
        audience: page.audience.clone(),
        epoch: page.epoch,
        from: page.from,
        to: page.from.saturating_add(leaves.len() as u64),
        root: merkle::root(&leaves),
        signature: page.signature,
    };
    if proof::verify_witness(&server.keys.public(), &witness, &server.keys.server).is_err() {
        return Vec::new();
    }
    let mut changes: Vec<_> = page.changes.iter().collect();
    changes.sort_unstable_by_key(|change| change.index);
    let proven = changes.into_iter().filter_map(|change| {
        let (record, chunk, received_ms) = (change.record, change.chunk.clone(), change.received_ms);
        let hash = chunk_hash(&chunk).ok()?;
        let is_proven = page.covers(change.index, &change_leaf(&record, &hash, received_ms));
        is_proven.then_some(Restored { record, hash, chunk, received_ms })
    });
    proven.collect()
}

fn is_known(db: &Connection, change: &Restored) -> Result<bool, ServerError> {
    records::has(db, &change.record.key, &change.hash)
}

impl Server {
    /// Begins a new epoch if an offered page of this epoch, or a later one, holds a change that the server does not have:
    /// it gave it out, so its database went back.
    pub(crate) fn hear_offers(&self, offers: &Offers, now_ms: i64) -> Result<bool, ServerError> {
        let epoch = self.keys.epoch();
        for page in offers.pages.iter().filter(|page| page.epoch >= epoch) {
            let changes = proven(self, page);
            let lost = |db: &Connection| -> Result<bool, ServerError> {
                for change in &changes {
                    if !is_known(db, change)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            };
            if !self.db.read(lost)? {
                continue;
            }
            let seen = |db: &Connection, epoch: u64| Ok((page.epoch >= epoch && lost(db)?).then_some(page.epoch));
            if self.begin_epoch(now_ms, seen)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Exchange<'_> {
    /// Takes back what the offers prove, before anything that builds on it.
    pub(super) fn take_offers(&mut self) -> Result<(), ServerError> {
        let Some(offers) = &self.request.offers else { return Ok(()) };
        let mut pages: Vec<&OfferedPage> = offers.pages.iter().collect();
        pages.sort_by_key(|page| (page.epoch, page.from));
        let changes: Vec<Restored> = pages.into_iter().flat_map(|page| proven(self.server, page)).collect();
        let mut waiting = changes;
        loop {
            let mut left = Vec::new();
            let before = waiting.len();
            for some in waiting.chunks(RESTORED_AT_ONCE) {
                left.extend(self.server.record(self.now_ms, |intake| intake.restore(some))?);
            }
            for change in &waiting {
                self.own.insert((change.record.key, change.hash));
            }
            if left.is_empty() || left.len() == before {
                for change in &left {
                    self.own.remove(&(change.record.key, change.hash));
                }
                break;
            }
            waiting = left;
        }
        Ok(())
    }

    /// Says which of the claimed records are not of their audience; false when the receiver is gone.
    pub(super) fn answer_claims(&self, sink: &mut Sink<'_>) -> Result<bool, ServerError> {
        let Some(offers) = &self.request.offers else { return Ok(true) };
        if self.request.grant_revision != self.caller.grant.revision {
            return Ok(true);
        }
        let mut by_audience: BTreeMap<u16, Vec<_>> = BTreeMap::new();
        for claim in &offers.claims {
            by_audience.entry(claim.audience).or_default().push(claim);
        }
        for (at, claims) in by_audience {
            let Some(audience) = self.caller.grant.audiences.get(usize::from(at)) else { continue };
            let mut answer = Difference::new(at, claims.len() as u64, DifferenceState::Answer);
            answer.drops = self.server.db.read(|db| {
                if recovery::since_ms(db)?.is_some() && recovery::waits(audience.as_str()) {
                    return Ok(Vec::new());
                }
                let (mut known, mut unknown): (BTreeSet<RecordKey>, BTreeSet<RecordKey>) = Default::default();
                for claim in &claims {
                    let key = claim.record.key;
                    let side = if records::has(db, &key, &claim.hash)? { &mut known } else { &mut unknown };
                    side.insert(key);
                }
                let mut drops = Vec::new();
                for key in known.difference(&unknown) {
                    if !records::is_held(db, key, audience.as_str())? {
                        drops.push(*key);
                    }
                }
                Ok(drops)
            })?;
            if !self.tell(audience, answer, sink) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
