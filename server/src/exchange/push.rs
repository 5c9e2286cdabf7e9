//! Pushes: checked as a whole first, then taken one change set at a time.

use foras_record::proof;
use foras_wire::merkle;
use foras_wire::push::{self, Push};
use foras_wire::sync::Outcome;

use super::Exchange;
use super::authored::{Outcomes, Verified, later, refused};
use crate::storage::devices::DeviceState;

impl Exchange<'_> {
    /// Takes one push of the device that asks.
    pub(super) fn take_push(&mut self, push: &Push) -> Outcomes {
        let all = |outcome: Outcome| vec![Some(outcome); push.items.len()];
        if self.request.epoch != self.server.keys.epoch() {
            // The device learns the epoch from this answer, signs anew and pushes again.
            return all(Outcome::Later);
        }
        let verified = match self.verify(push) {
            Ok(verified) => verified,
            Err(code) => return all(refused(code)),
        };
        let device = &self.caller.device;
        let author = match self.author(device, &verified) {
            Ok(Ok(author)) => author,
            Ok(Err(code)) => return all(refused(code)),
            Err(error) => return all(later(&error)),
        };
        if device.state == DeviceState::Left {
            let aside = self.set_aside(&device.device, &verified, "left");
            return aside.unwrap_or_else(|error| all(later(&error)));
        }
        let outcomes = self.admit(&device.device, &author, &verified);
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
        proof::verify_push(&self.caller.device.key, push, keys.server, keys.epoch(), &hashes)
            .map_err(|error| error.code())?;
        let leaves: Vec<_> =
            push.items.iter().zip(&hashes).map(|(item, hash)| push::leaf(&item.record, hash)).collect();
        let sets: Vec<_> = push.items.iter().map(|item| item.change_set).collect();
        Ok(Verified {
            items: &push.items,
            hashes,
            root: merkle::root(&leaves),
            leaves,
            sets: push::sets_digest(&sets),
            incarnation: push.incarnation,
            grant_revision: push.grant_revision,
            epoch: keys.epoch(),
            signature: push.signature,
        })
    }
}
