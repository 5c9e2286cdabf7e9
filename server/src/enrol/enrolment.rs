//! Enrolment: an invitation's secret against a device's key, answered by a grant.

use std::collections::BTreeSet;
use std::sync::Mutex;

use foras_record::place::Place;
use foras_record::proof;
use foras_record::role::Role;
use foras_wire::enrol::{CaseNumberBlock, EnrolAnswer, EnrolRequest};
use foras_wire::frame;
use foras_wire::id::{Actor, DeviceId};
use foras_wire::sync::Refusal;
use foras_wire::version::ProtocolRange;
use rusqlite::Connection;

use super::code::{self, CODE_CHARS, LOOKUP_CHARS, TRIES_MAX, Throttle};
use super::invitation::code_hash;
use crate::access::challenge;
use crate::entropy::{Entropy, draw};
use crate::error::ServerError;
use crate::grants::{self, FIRST_REVISION, Holder};
use crate::keys::{Keys, digest};
use crate::refusal::{refusal, unavailable};
use crate::storage::authors::{self, Author};
use crate::storage::devices::{self, DeviceState, StoredDevice};
use crate::storage::invitations::{self, StoredInvitation};
use crate::storage::{Database, locked, tokens};

/// Longest body of an enrolment, in bytes.
pub(crate) const ENROL_BYTES_MAX: usize = 4096;
/// How long a token holds: 24 hours.
pub(crate) const TOKEN_MS: i64 = 24 * 3600 * 1000;
/// Case numbers in a device's block.
const CASE_NUMBERS: u64 = 999_999;
/// Blocks by which each epoch begins after the one before.
const BLOCKS_AN_EPOCH: u64 = 1_000;

/// Why an enrolment does not go through.
enum Failure {
    Refused(Refusal),
    Server(ServerError),
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::Server(error)
    }
}

/// Answers the body of `POST /v1/enrol`.
pub(crate) fn enrol(
    db: &Database,
    keys: &Keys,
    throttle: &Mutex<Throttle>,
    body: &[u8],
    now_ms: i64,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, Refusal> {
    if body.len() > ENROL_BYTES_MAX {
        return Err(refusal("too_large"));
    }
    let request: EnrolRequest = frame::from_cbor("enrolment", body).map_err(|error| refusal(error.code()))?;
    ProtocolRange::OURS.newest_common(request.protocol).map_err(|error| refusal(error.code()))?;
    proof::verify_enrolment(&request).map_err(|error| refusal(error.code()))?;
    let by_code = request.secret.len() != 16;
    if by_code && !locked(throttle).allows(now_ms) {
        return Err(Refusal { retryable: true, retry_after_s: 60, ..refusal("too_many_tries") });
    }
    // A wrong code must be counted durably, so finding the invitation is a transaction of its own.
    let found = db.write(|db| {
        if by_code { by_said_code(db, keys, &request.secret, now_ms) } else { by_secret(db, &request.secret) }
    });
    let found = found.map_err(|error: ServerError| unavailable(&error))?;
    let Some(invitation) = found else {
        if by_code {
            locked(throttle).count();
        }
        return Err(refusal("invitation_unknown"));
    };
    let done = db.write(|db| admit(db, keys, &invitation, &request, by_code, now_ms, entropy));
    match done {
        Ok(answer) => Ok(frame::to_cbor(&answer)),
        Err(Failure::Refused(refusal)) => Err(refusal),
        Err(Failure::Server(error)) => Err(unavailable(&error)),
    }
}

fn by_secret(db: &Connection, secret: &[u8]) -> Result<Option<StoredInvitation>, ServerError> {
    invitations::by_secret(db, &digest(secret))
}

fn by_said_code(
    db: &Connection,
    keys: &Keys,
    said: &[u8],
    now_ms: i64,
) -> Result<Option<StoredInvitation>, ServerError> {
    let code = if said.len() <= 2 * CODE_CHARS { code::meant(said) } else { None };
    let Some(code) = code else { return Ok(None) };
    let lookup: String = code.chars().take(LOOKUP_CHARS).collect();
    let Some(invitation) = invitations::by_lookup(db, &lookup)? else { return Ok(None) };
    if invitation.code_tries >= TRIES_MAX {
        return Ok(None);
    }
    if invitation.code_hash != code_hash(keys, &code) {
        invitations::count_try(db, &invitation.secret_hash)?;
        return Ok(None);
    }
    let in_time = invitation.device.is_some() || invitation.code_expires_ms > now_ms;
    Ok(in_time.then_some(invitation))
}

/// Lets the device in, or answers again to the device that this invitation let in.
fn admit(
    db: &Connection,
    keys: &Keys,
    invitation: &StoredInvitation,
    request: &EnrolRequest,
    by_code: bool,
    now_ms: i64,
    entropy: &mut dyn Entropy,
) -> Result<EnrolAnswer, Failure> {
    let refuse = |code| Err(Failure::Refused(refusal(code)));
    let holder = holder_of(invitation)?;
    let known = devices::by_key(db, &request.key)?;
    let device = match (known, invitation.device) {
        // The answer to the first enrolment was lost on the way.
        (Some(known), Some(used_by)) if known.device == used_by && known.state == DeviceState::Active => known.device,
        (_, Some(_)) => return refuse("invitation_used"),
        (Some(_), None) => return refuse("already_enrolled"),
        (None, None) if !by_code && invitation.expires_ms <= now_ms => return refuse("invitation_expired"),
        (None, None) => {
            let device = DeviceId(draw(entropy)?);
            let stored = StoredDevice {
                device,
                key: request.key,
                state: DeviceState::Active,
                revision: FIRST_REVISION,
                enrolled_ms: now_ms,
                seen_ms: now_ms,
            };
            devices::add(db, &stored)?;
            grants::issue(db, keys, device, request.key, FIRST_REVISION, &holder, now_ms)?;
            invitations::mark_used(db, &invitation.secret_hash, &device)?;
            device
        }
    };
    let author = Author {
        actor: Actor::of(&request.key, &request.incarnation),
        device: Some(device),
        name: holder.name.clone(),
        role: holder.role.code().to_owned(),
        frozen: false,
    };
    authors::add(db, &author)?;
    let revision = devices::get(db, &device)?.ok_or(ServerError::Corrupt("a device is missing"))?.revision;
    let (_, grant, _) =
        grants::of_revision(db, &device, revision)?.ok_or(ServerError::Corrupt("a grant is missing"))?;
    let token = draw(entropy)?;
    tokens::add(db, &device, &token, now_ms, now_ms.saturating_add(TOKEN_MS))?;
    let registers = matches!(holder.role, Role::Outreach | Role::HostCounsellor);
    Ok(EnrolAnswer {
        server: keys.server,
        server_key: keys.public(),
        epoch: keys.epoch(),
        now_ms,
        token,
        nonce: challenge(keys, &device, now_ms, entropy)?,
        grant,
        case_numbers: if registers { Some(case_numbers(db, keys, &device, &holder)?) } else { None },
        import_key: registers.then(|| keys.mac("foras import", &[])),
    })
}

fn holder_of(invitation: &StoredInvitation) -> Result<Holder, ServerError> {
    const BAD: ServerError = ServerError::Corrupt("a stored invitation names an unknown role or place");
    let places = invitation.places.split(' ').filter(|place| !place.is_empty());
    Ok(Holder {
        role: invitation.role.parse().map_err(|_| BAD)?,
        places: places.map(|place| place.parse::<Place>()).collect::<Result<BTreeSet<_>, _>>().map_err(|_| BAD)?,
        case: invitation.case,
        name: (!invitation.name.is_empty()).then(|| invitation.name.clone()),
    })
}

/// The device's own block: a prefix from its first point and a number, such as `OUJ3`.
fn case_numbers(
    db: &Connection,
    keys: &Keys,
    device: &DeviceId,
    holder: &Holder,
) -> Result<CaseNumberBlock, ServerError> {
    if let Some(block) = devices::case_numbers(db, device)? {
        return Ok(block);
    }
    let point = holder.places.first().map(ToString::to_string).unwrap_or_default();
    let letters: String = point.chars().take(3).collect::<String>().to_uppercase();
    // Blocks that were given after the copy to which a database was put back are not given again.
    let mut number =
        devices::case_number_blocks(db)?.saturating_add(BLOCKS_AN_EPOCH.saturating_mul(keys.epoch().saturating_sub(1)));
    loop {
        number += 1;
        let block = CaseNumberBlock { prefix: format!("{letters}{number}"), first: 1, last: CASE_NUMBERS };
        if devices::take_case_numbers(db, device, &block)? {
            return Ok(block);
        }
    }
}
