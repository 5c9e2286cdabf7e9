//! Renewal of a grant at a contact, long before it ends.

use crate::access::Caller;
use crate::error::ServerError;
use crate::grants;
use crate::server::Server;

/// Revisions that may be skipped on a device's word.
const SKIPPED_REVISIONS_MAX: u64 = 64;

/// Issues the next revision when the grant is in its second half; also when the device holds a newer one than the server
/// knows of, which was put back since: what it grants is then what the server knows.
pub(super) fn renew_if_due(server: &Server, caller: &mut Caller, held: u64, now_ms: i64) -> Result<(), ServerError> {
    let known = caller.device.revision;
    let ahead = held > known && held - known <= SKIPPED_REVISIONS_MAX;
    if !ahead && !grants::is_due(&caller.grant, now_ms) {
        return Ok(());
    }
    let holder = grants::holder(&caller.grant)?;
    let device = &caller.device;
    let revision = if ahead { held + 1 } else { known + 1 };
    caller.signed_grant =
        server.db.write(|db| grants::issue(db, &server.keys, device.device, device.key, revision, &holder, now_ms))?;
    caller.grant = caller.signed_grant.grant().map_err(|_| ServerError::Corrupt("a new grant does not read"))?;
    caller.device.revision = revision;
    Ok(())
}
