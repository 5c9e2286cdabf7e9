//! Who asks: tokens, challenges, and the devices that are let in no more.

use foras_record::proof;
use foras_wire::grant::{Grant, SignedGrant};
use foras_wire::id::{DeviceId, Nonce, PublicKey, Signature64};
use foras_wire::sync::{Credentials, Refusal};

use crate::enrol::TOKEN_MS;
use crate::entropy::{Entropy, draw};
use crate::error::ServerError;
use crate::grants;
use crate::keys::Keys;
use crate::refusal::{refusal, unavailable};
use crate::storage::devices::{self, DeviceState, StoredDevice};
use crate::storage::{Database, tokens};

/// How long a challenge may be answered: as long as a phone may be offline, 90 days.
const CHALLENGE_MS: i64 = 90 * 24 * 3600 * 1000;
/// Tokens of one device that hold at a time: the newest, and those whose answer may have been lost.
const TOKENS_KEPT: u32 = 3;

/// A device that proved who it is.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) device: StoredDevice,
    /// Its grant that holds now.
    pub(crate) grant: Grant,
    pub(crate) signed_grant: SignedGrant,
    /// A new token, when a challenge was answered.
    pub(crate) token: Option<[u8; 32]>,
}

/// A challenge: seconds since 1970 (4 bytes), random (4), and a keyed hash of both and the device (8). So challenges
/// need no storage, and asking for them costs nothing; only used ones are kept.
pub(crate) fn challenge(
    keys: &Keys,
    device: &DeviceId,
    now_ms: i64,
    entropy: &mut dyn Entropy,
) -> Result<Nonce, ServerError> {
    let seconds = u32::try_from(now_ms.div_euclid(1000)).unwrap_or(0);
    let random: [u8; 4] = draw(entropy)?;
    let mut nonce = [0; 16];
    nonce[..4].copy_from_slice(&seconds.to_be_bytes());
    nonce[4..8].copy_from_slice(&random);
    let mac = challenge_mac(keys, device, &nonce);
    nonce[8..].copy_from_slice(&mac);
    Ok(Nonce(nonce))
}

fn challenge_mac(keys: &Keys, device: &DeviceId, nonce: &[u8; 16]) -> [u8; 8] {
    let mac = keys.mac("foras challenge", &[&keys.epoch().to_be_bytes(), device.as_bytes(), &nonce[..8]]);
    let mut short = [0; 8];
    short.copy_from_slice(&mac[..8]);
    short
}

/// When this server's challenge can no longer be answered; `None`: it is not this server's, or too old.
fn challenge_ends_ms(keys: &Keys, device: &DeviceId, nonce: &Nonce, now_ms: i64) -> Option<i64> {
    let seconds = u32::from_be_bytes([nonce.0[0], nonce.0[1], nonce.0[2], nonce.0[3]]);
    let ends_ms = i64::from(seconds) * 1000 + CHALLENGE_MS;
    (nonce.0[8..] == challenge_mac(keys, device, &nonce.0) && ends_ms > now_ms).then_some(ends_ms)
}

/// Whether these credentials would let the device in, without changing anything: what is asked before a body is read.
pub(crate) fn recognises(
    db: &Database,
    keys: &Keys,
    credentials: &Credentials,
    now_ms: i64,
) -> Result<bool, ServerError> {
    db.read(|db| {
        if tokens::holds(db, &credentials.device, &credentials.token, now_ms)? {
            return Ok(true);
        }
        let Some(device) = devices::get(db, &credentials.device)? else { return Ok(false) };
        match answered_challenge(keys, &device, credentials, now_ms) {
            Some((nonce, _)) => Ok(!tokens::is_used(db, &device.device, &nonce)?),
            None => Ok(false),
        }
    })
}

/// The challenge that the credentials answer rightly, and when it ends; it may have been used before.
fn answered_challenge(
    keys: &Keys,
    device: &StoredDevice,
    credentials: &Credentials,
    now_ms: i64,
) -> Option<(Nonce, i64)> {
    let (nonce, signature) = credentials.proof.as_ref()?;
    proof::verify_nonce(&device.key, &device.device, nonce, signature).ok()?;
    Some((*nonce, challenge_ends_ms(keys, &device.device, nonce, now_ms)?))
}

/// Whether the holder of this key answered this server's challenge.
pub(crate) fn answers(
    keys: &Keys,
    device: &DeviceId,
    key: &PublicKey,
    (nonce, signature): &(Nonce, Signature64),
    now_ms: i64,
) -> bool {
    proof::verify_nonce(key, device, nonce, signature).is_ok()
        && challenge_ends_ms(keys, device, nonce, now_ms).is_some()
}

/// Proves who asks, by the token or by the answer to a challenge, which gets a new token.
pub(crate) fn authenticate(
    db: &Database,
    keys: &Keys,
    credentials: Option<&Credentials>,
    now_ms: i64,
    entropy: &mut dyn Entropy,
) -> Result<Caller, Refusal> {
    let Some(credentials) = credentials else { return Err(refusal("unauthenticated")) };
    let found = db.read(|db| {
        let device = devices::get(db, &credentials.device)?;
        let token = tokens::holds(db, &credentials.device, &credentials.token, now_ms)?;
        Ok((device, token))
    });
    let (device, token_holds) = found.map_err(|error| unavailable(&error))?;
    let Some(device) = device else { return Err(refusal("unknown_device")) };
    if device.state == DeviceState::Lost {
        return Err(refusal("revoked"));
    }
    let token = match answered_challenge(keys, &device, credentials, now_ms) {
        Some((nonce, ends_ms)) => renew(db, &device, &nonce, now_ms, ends_ms, entropy),
        None => Ok(None),
    };
    let token = match token {
        Ok(token) => token,
        // A full disk must not lock out a device whose token holds.
        Err(error) if token_holds => {
            tracing::warn!(code = error.code(), "a token could not be renewed");
            None
        }
        Err(error) => return Err(unavailable(&error)),
    };
    if token.is_none() && !token_holds {
        let nonce = challenge(keys, &device.device, now_ms, entropy).map_err(|error| unavailable(&error))?;
        return Err(Refusal { nonce: Some(nonce), retryable: true, ..refusal("unauthenticated") });
    }
    let held = db.read(|db| grants::of_revision(db, &device.device, device.revision));
    let (grant, signed_grant, _) = held
        .and_then(|held| held.ok_or(ServerError::Corrupt("a grant is missing")))
        .map_err(|error| unavailable(&error))?;
    Ok(Caller { device, grant, signed_grant, token })
}

/// Uses the challenge up and gives a new token; `None` when it was used before.
fn renew(
    db: &Database,
    device: &StoredDevice,
    nonce: &Nonce,
    now_ms: i64,
    ends_ms: i64,
    entropy: &mut dyn Entropy,
) -> Result<Option<[u8; 32]>, ServerError> {
    let token = draw(entropy)?;
    db.write(|db| {
        if !tokens::use_nonce(db, &device.device, nonce, now_ms, ends_ms)? {
            return Ok(None);
        }
        tokens::add(db, &device.device, &token, now_ms, now_ms.saturating_add(TOKEN_MS))?;
        tokens::end_older(db, &device.device, TOKENS_KEPT)?;
        Ok(Some(token))
    })
}
