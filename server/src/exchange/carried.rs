//! Pushes of other devices, which the one that asks takes along: admitted as their author's, whoever carries them.
//!
//! The author's signature covers them, so the carrier can leave out and cannot alter. Its own rights do not count.

use foras_record::proof;
use foras_wire::carried::CarriedPush;
use foras_wire::merkle;
use foras_wire::push;
use foras_wire::sync::Outcome;

use super::Exchange;
use super::authored::{Outcomes, Verified, later, refused};
use crate::enrol;
use crate::error::ServerError;
use crate::server::Server;
use crate::storage::devices::{self, DeviceState};

impl Exchange<'_> {
    /// Takes one push of another device.
    pub(super) fn take_carried(&self, carried: &CarriedPush) -> Outcomes {
        let all = |outcome: Outcome| vec![Some(outcome); carried.items.len()];
        match self.try_carried(carried) {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(code)) => all(refused(code)),
            Err(error) => all(later(&error)),
        }
    }

    fn try_carried(&self, carried: &CarriedPush) -> Result<Result<Outcomes, &'static str>, ServerError> {
        let verified = match self.verify_carried(carried) {
            Ok(verified) => verified,
            Err(code) => return Ok(Err(code)),
        };
        let Ok(grant) = carried.grant.grant() else { return Ok(Err("malformed")) };
        let device = match self.server.db.read(|db| devices::get(db, &grant.device))? {
            // The signature is this server's: it knew the device, and lost it with an older copy of its data.
            None => {
                let Server { db, keys, .. } = self.server;
                db.write(|db| enrol::of_carried(db, keys, &carried.grant, self.now_ms))?
            }
            known => known,
        };
        let Some(device) = device else { return self.set_aside(&grant.device, &verified, "unknown_device").map(Ok) };
        if device.key != grant.key {
            return Ok(Err("bad_signature"));
        }
        let author = match self.author(&device, &verified)? {
            Ok(author) => author,
            Err("unknown_grant") => return self.set_aside(&device.device, &verified, "unknown_grant").map(Ok),
            Err(code) => return Ok(Err(code)),
        };
        match device.state {
            DeviceState::Active => Ok(Ok(self.admit(&device.device, &author, &verified))),
            // Perhaps its person's work, perhaps a finder's: a supervisor decides.
            DeviceState::Lost => self.set_aside(&device.device, &verified, "revoked").map(Ok),
            DeviceState::Left => self.set_aside(&device.device, &verified, "left").map(Ok),
        }
    }

    fn verify_carried<'p>(&self, carried: &'p CarriedPush) -> Result<Verified<'p>, &'static str> {
        let keys = &self.server.keys;
        // Made before the server was put back to an older copy of its data, a push counts all the same.
        if carried.epoch > keys.epoch() {
            return Err("wrong_epoch");
        }
        let hashes = proof::carried_hashes(carried).map_err(|error| error.code())?;
        proof::verify_carried(&keys.public(), keys.server, carried, &hashes).map_err(|error| error.code())?;
        if carried.items.iter().any(|item| carried.hides_of(item.change_set)) {
            return Err("split_change_set");
        }
        let places = carried.places(&hashes).map_err(|error| error.code())?;
        let (leaves, sets): (Vec<_>, Vec<_>) = places.iter().map(|place| (place.leaf, place.change_set)).unzip();
        Ok(Verified {
            items: &carried.items,
            hashes,
            root: merkle::root(&leaves),
            leaves,
            sets: push::sets_digest(&sets),
            incarnation: carried.incarnation,
            grant_revision: carried.grant_revision,
            epoch: carried.epoch,
            signature: carried.signature,
        })
    }
}
