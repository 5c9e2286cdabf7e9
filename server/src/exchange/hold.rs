//! Holding a request back: a device that has nothing to hand in, and to whom there is nothing to give, may wait.

use foras_wire::audience::AudienceName;
use foras_wire::frame;
use foras_wire::limits::WAIT_S_MAX;
use foras_wire::sync::{Credentials, SyncRequest};
use foras_wire::version::ProtocolRange;
use rusqlite::Connection;

use crate::error::ServerError;
use crate::grants;
use crate::recovery;
use crate::server::Server;
use crate::storage::devices::{self, DeviceState};
use crate::storage::{logs, tokens};
use crate::wakes::Wait;

/// Longest body that is looked at, in bytes: a request that hands nothing in is short.
pub(crate) const BODY_BYTES_MAX: usize = 2 * 1024;

/// The wait that the request asks for, and its longest time in seconds; `None`: it is to be answered now.
pub(crate) fn wait(
    server: &Server,
    credentials: &Credentials,
    body: &[u8],
    now_ms: i64,
) -> Result<Option<(Wait, u16)>, ServerError> {
    // Who proves itself anew is to get a token at once.
    if credentials.proof.is_some() || body.len() > BODY_BYTES_MAX {
        return Ok(None);
    }
    // What does not read is refused by the exchange.
    let Ok(request) = frame::decode_request(body) else { return Ok(None) };
    let speaks = ProtocolRange::OURS.newest_common(request.protocol).is_ok();
    if !request.may_wait() || !speaks || request.epoch != server.keys.epoch() {
        return Ok(None);
    }
    let known = server.db.read(|db| {
        let recovering = recovery::since_ms(db)?.is_some();
        Ok(audiences(db, credentials, &request, now_ms)?.map(|audiences| (audiences, recovering)))
    })?;
    let Some((audiences, recovering)) = known else { return Ok(None) };
    // What is held back until a recovery is closed is no news before.
    let is_held = |audience: &AudienceName| recovering && recovery::waits(audience.as_str());
    let held = audiences.iter().any(is_held);
    let given = audiences.iter().zip(request.cursors.iter().copied()).filter(|(audience, _)| !is_held(audience));
    let given: Vec<_> = given.collect();
    // It waits before the heads are read, in a snapshot of its own: what is committed in between wakes it.
    let (device, revision) = (credentials.device, request.grant_revision);
    let wait = server.wakes.wait(device, revision, &given, held);
    let news = server.db.read(|db| {
        let mut news = recovery::since_ms(db)?.is_some() != recovering;
        for (audience, cursor) in &given {
            news |= logs::head(db, audience.as_str())? != *cursor;
        }
        Ok(news)
    })?;
    Ok((!news).then_some((wait, request.wait_s.min(WAIT_S_MAX))))
}

/// The audiences of a device about whom there is nothing to say.
fn audiences(
    db: &Connection,
    credentials: &Credentials,
    request: &SyncRequest,
    now_ms: i64,
) -> Result<Option<Vec<AudienceName>>, ServerError> {
    if !tokens::holds(db, &credentials.device, &credentials.token, now_ms)? {
        return Ok(None);
    }
    let Some(device) = devices::get(db, &credentials.device)? else { return Ok(None) };
    if device.state != DeviceState::Active || device.revision != request.grant_revision {
        return Ok(None);
    }
    let Some((grant, ..)) = grants::of_revision(db, &device.device, device.revision)? else { return Ok(None) };
    let fits = !grants::is_due(&grant, now_ms) && grant.audiences.len() == request.cursors.len();
    Ok(fits.then_some(grant.audiences))
}
