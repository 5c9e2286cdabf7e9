//! Renewal of a grant at a contact, long before it ends.

use crate::access::Caller;
use crate::error::ServerError;
use crate::grants;
use crate::server::Server;

/// Issues the next revision when the grant is in its second half.
pub(super) fn renew_if_due(server: &Server, caller: &mut Caller, now_ms: i64) -> Result<(), ServerError> {
    if !grants::is_due(&caller.grant, now_ms) {
        return Ok(());
    }
    let holder = grants::holder(&caller.grant)?;
    let device = &caller.device;
    let revision = device.revision + 1;
    caller.signed_grant =
        server.db.write(|db| grants::issue(db, &server.keys, device.device, device.key, revision, &holder, now_ms))?;
    caller.grant = caller.signed_grant.grant().map_err(|_| ServerError::Corrupt("a new grant does not read"))?;
    caller.device.revision = revision;
    Ok(())
}
