//! Enrolled devices, as those who run the server see them.

use foras_wire::id::DeviceId;
use rusqlite::Connection;

use crate::error::ServerError;
use crate::grants;
use crate::storage::devices::{self, DeviceState};
use crate::storage::{proofs, tokens};

/// Why a device is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// Its phone is lost: its next request is refused, unsent work with it.
    Lost,
    /// Its person left: what it has not sent is received into quarantine, then it is refused.
    Left,
}

/// A device, its person's role, and when it was last heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledDevice {
    /// The device.
    pub device: DeviceId,
    /// `active`, `lost` or `left`.
    pub state: &'static str,
    /// The role's code.
    pub role: String,
    /// Codes of points or countries.
    pub places: Vec<String>,
    /// What colleagues call the person; none for migrants.
    pub name: Option<String>,
    /// When it enrolled, in milliseconds since 1970.
    pub enrolled_ms: i64,
    /// When it was last heard, in milliseconds since 1970, to about a minute.
    pub seen_ms: i64,
    /// Changes of it that wait in quarantine.
    pub quarantined: u64,
}

pub(crate) fn revoke(db: &Connection, device: &DeviceId, why: Revocation) -> Result<(), ServerError> {
    let known = devices::get(db, device)?.ok_or(ServerError::NotFound("device"))?;
    let state = match (known.state, why) {
        // Nobody un-loses a phone by saying that its person left.
        (DeviceState::Lost, _) | (_, Revocation::Lost) => DeviceState::Lost,
        (_, Revocation::Left) => DeviceState::Left,
    };
    devices::set_state(db, device, state)?;
    if state == DeviceState::Lost {
        tokens::end_all(db, device)?;
    }
    Ok(())
}

pub(crate) fn list(db: &Connection) -> Result<Vec<EnrolledDevice>, ServerError> {
    let mut list = Vec::new();
    for stored in devices::all(db)? {
        let (grant, ..) = grants::of_revision(db, &stored.device, stored.revision)?
            .ok_or(ServerError::Corrupt("a grant is missing"))?;
        list.push(EnrolledDevice {
            device: stored.device,
            state: stored.state.code(),
            name: grant.name.filter(|_| grant.case.is_none()),
            role: grant.role,
            places: grant.places,
            enrolled_ms: stored.enrolled_ms,
            seen_ms: stored.seen_ms,
            quarantined: proofs::quarantined(db, &stored.device)?,
        });
    }
    Ok(list)
}
