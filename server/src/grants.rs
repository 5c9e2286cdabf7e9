//! Grants: what a device may read and as whom it writes, signed, with a revision. Old revisions are kept.

use std::collections::BTreeSet;

use foras_record::audience::granted;
use foras_record::place::Place;
use foras_record::proof;
use foras_record::role::Role;
use foras_wire::grant::{Grant, SignedGrant};
use foras_wire::id::{DeviceId, PublicKey, RecordId};
use rusqlite::Connection;

use crate::error::ServerError;
use crate::keys::Keys;
use crate::storage::devices;

/// The revision of a device's first grant.
pub(crate) const FIRST_REVISION: u64 = 1;
/// How long a grant holds; it is renewed at a contact in its second half.
const GRANT_S: i64 = 365 * 24 * 3600;
/// How long staff's devices show what they store without contact: 14 days. A phone that is lost at a point is missed
/// within that time.
const LEASE_STAFF_S: i64 = 14 * 24 * 3600;
/// The same for a migrant's own phone: 30 days.
const LEASE_MIGRANT_S: i64 = 30 * 24 * 3600;
/// How long the rule of an ended revision applies to work that was made under it, in milliseconds of server time.
pub(crate) const GRACE_MS: i64 = 30 * 24 * 3600 * 1000;

/// As whom a person is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) role: Role,
    pub(crate) places: BTreeSet<Place>,
    pub(crate) case: Option<RecordId>,
    pub(crate) name: Option<String>,
}

/// Signs the next revision of a device's grant and keeps it.
pub(crate) fn issue(
    db: &Connection,
    keys: &Keys,
    device: DeviceId,
    key: PublicKey,
    revision: u64,
    holder: &Holder,
    now_ms: i64,
) -> Result<SignedGrant, ServerError> {
    let places: Vec<Place> = holder.places.iter().copied().collect();
    let issued_s = now_ms.div_euclid(1000);
    let grant = Grant {
        server: keys.server,
        device,
        key,
        revision,
        role: holder.role.code().to_owned(),
        places: places.iter().map(ToString::to_string).collect(),
        audiences: granted(holder.role, &places, holder.case).into_iter().map(|audience| audience.name()).collect(),
        case: holder.case,
        name: holder.name.clone(),
        issued_s,
        expires_s: issued_s.saturating_add(GRANT_S),
        lease_s: if holder.role == Role::Migrant { LEASE_MIGRANT_S } else { LEASE_STAFF_S },
    };
    let signed = proof::sign_grant(&keys.key, &grant);
    devices::put_grant(db, &device, revision, &signed, now_ms)?;
    Ok(signed)
}

/// The grant of this revision, and when it ended; 0: it holds.
pub(crate) fn of_revision(
    db: &Connection,
    device: &DeviceId,
    revision: u64,
) -> Result<Option<(Grant, SignedGrant, i64)>, ServerError> {
    let Some((signed, ended_ms)) = devices::grant(db, device, revision)? else { return Ok(None) };
    let grant = signed.grant().map_err(|_| ServerError::Corrupt("a stored grant does not read"))?;
    Ok(Some((grant, signed, ended_ms)))
}

/// Whether the grant is in its second half and should be renewed.
pub(crate) fn is_due(grant: &Grant, now_ms: i64) -> bool {
    grant.expires_s.saturating_sub(now_ms.div_euclid(1000)) < GRANT_S / 2
}

/// The holder whom a grant names.
pub(crate) fn holder(grant: &Grant) -> Result<Holder, ServerError> {
    const BAD: ServerError = ServerError::Corrupt("a stored grant names an unknown role or place");
    Ok(Holder {
        role: grant.role.parse().map_err(|_| BAD)?,
        places: grant.places.iter().map(|place| place.parse()).collect::<Result<_, _>>().map_err(|_| BAD)?,
        case: grant.case,
        name: grant.name.clone(),
    })
}
