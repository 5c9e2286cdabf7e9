//! Pushes: checked as a whole first, then taken one change set at a time.

use foras_record::{packed, proof};
use foras_wire::merkle;
use foras_wire::push::{self, Push};
use foras_wire::sync::{Outcome, Refusal};

use super::Exchange;
use super::authored::{Outcomes, Verified, later, refused};
use super::held::Pusher;
use crate::refusal::{refusal, unavailable};
use crate::storage::devices::DeviceState;

/// Something was named that is not found here: tell it in full.
const SAY_PLAINLY: &str = "say_plainly";

impl Exchange<'_> {
    /// Every push of the request, rebuilt.
    ///
    /// # Errors
    /// `say_plainly` where something that they only name is not found here, or what was rebuilt is not what was signed:
    /// the device then tells everything in full. Nothing was taken.
    pub(super) fn unpack_pushes(&mut self) -> Result<Vec<Push>, Refusal> {
        let packed = std::mem::take(&mut self.request.pushes);
        if packed.is_empty() {
            return Ok(Vec::new());
        }
        let cursors = self.cursors().map_err(|error| unavailable(&error))?;
        let keys = &self.server.keys;
        let unpacked = self.server.db.read(|db| {
            let follows = self.caller.grant.audiences.iter().zip(cursors).collect();
            let held = Pusher { db, keys, follows };
            let author = &self.caller.device.key;
            Ok(packed.iter().map(|push| packed::push::unpacked(push, author, &held)).collect::<Result<Vec<_>, _>>())
        });
        let unpacked = unpacked.map_err(|error| unavailable(&error))?;
        let plainly = || Refusal { retryable: true, ..refusal(SAY_PLAINLY) };
        let pushes = match unpacked {
            Ok(pushes) => pushes,
            Err(error) if self.request.plain => return Err(refusal(error.code())),
            Err(_) => return Err(plainly()),
        };
        let is_ours = self.request.epoch == keys.epoch();
        if is_ours && !self.request.plain && pushes.iter().any(|push| self.verify(push).is_err()) {
            return Err(plainly());
        }
        Ok(pushes)
    }

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
