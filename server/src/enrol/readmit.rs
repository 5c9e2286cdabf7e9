//! Devices that the database does not know any more, because it was put back to a copy from before they were enrolled. Nobody
//! else deletes a device: a grant with this server's own signature says that it was let in, and its key that it is the one.

use foras_record::proof;
use foras_wire::frame;
use foras_wire::grant::{Grant, SignedGrant};
use foras_wire::id::Actor;
use foras_wire::sync::{Credentials, Introduction, Refusal};
use rusqlite::Connection;

use crate::access;
use crate::entropy::Entropy;
use crate::error::ServerError;
use crate::keys::Keys;
use crate::refusal::{refusal, unavailable};
use crate::storage::Database;
use crate::storage::authors::{self, Author};
use crate::storage::devices::{self, DeviceState, StoredDevice};

/// Lets the device in again whose request introduces it. One that does not is asked to, with a challenge to sign.
pub(crate) fn readmit(
    db: &Database,
    keys: &Keys,
    credentials: &Credentials,
    body: &[u8],
    now_ms: i64,
    entropy: &mut dyn Entropy,
) -> Result<(), Refusal> {
    let introduction = frame::decode_request(body).ok().and_then(|request| request.introduction);
    let Some((introduction, proof)) = introduction.zip(credentials.proof.as_ref()) else {
        let nonce = access::challenge(keys, &credentials.device, now_ms, entropy);
        let nonce = Some(nonce.map_err(|error| unavailable(&error))?);
        return Err(Refusal { nonce, ..refusal("unknown_device") });
    };
    let grant = granted(keys, &introduction.grant, now_ms)
        .filter(|grant| {
            grant.device == credentials.device && access::answers(keys, &grant.device, &grant.key, proof, now_ms)
        })
        .ok_or_else(|| refusal("unknown_device"))?;
    db.write(|db| restore(db, &grant, &introduction, now_ms)).map_err(|error| unavailable(&error))
}

/// The grant, if it is this server's and has not ended.
fn granted(keys: &Keys, signed: &SignedGrant, now_ms: i64) -> Option<Grant> {
    let grant = proof::verify_grant(&keys.public(), signed).ok()?;
    (grant.server == keys.server && grant.expires_s > now_ms.div_euclid(1000)).then_some(grant)
}

/// As [`readmit`], where another device carries work that this one signed under its grant. Gives the device; `None` where the
/// grant does not say that it was let in.
pub(crate) fn of_carried(
    db: &Connection,
    keys: &Keys,
    signed: &SignedGrant,
    now_ms: i64,
) -> Result<Option<StoredDevice>, ServerError> {
    let Some(grant) = granted(keys, signed, now_ms) else { return Ok(None) };
    let introduction = Introduction { grant: signed.clone(), incarnations: Vec::new(), case_numbers: None };
    restore(db, &grant, &introduction, now_ms)?;
    devices::get(db, &grant.device)
}

fn restore(db: &Connection, grant: &Grant, introduction: &Introduction, now_ms: i64) -> Result<(), ServerError> {
    if devices::get(db, &grant.device)?.is_none() {
        if devices::by_key(db, &grant.key)?.is_some() {
            return Err(ServerError::Corrupt("a device's key is another's"));
        }
        let stored = StoredDevice {
            device: grant.device,
            key: grant.key,
            state: DeviceState::Active,
            revision: grant.revision,
            enrolled_ms: grant.issued_s.saturating_mul(1000),
            seen_ms: now_ms,
        };
        devices::add(db, &stored)?;
        devices::put_grant(db, &grant.device, grant.revision, &introduction.grant, now_ms)?;
        tracing::warn!("a device that the database had lost came back by its grant");
    }
    for incarnation in &introduction.incarnations {
        if authors::incarnations(db, &grant.device)? >= authors::INCARNATIONS_MAX {
            break;
        }
        let actor = Actor::of(&grant.key, incarnation);
        let (name, role) = (grant.name.clone(), grant.role.clone());
        authors::add(db, &Author { actor, device: Some(grant.device), name, role, frozen: false })?;
    }
    if let Some(block) = &introduction.case_numbers {
        // Its numbers are on cases already; where somebody else was given them since, both cases show it.
        devices::take_case_numbers(db, &grant.device, block)?;
    }
    Ok(())
}
