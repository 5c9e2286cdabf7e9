//! The lease: how long stored records may be shown without contact.

use minicbor::{Decode, Encode};

/// The last contact with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(super) struct Contact {
    /// Server's clock, in milliseconds since 1970.
    #[n(0)]
    pub(super) server_ms: i64,
    /// The device's clock at that moment, in milliseconds since 1970. Only its difference is ever used.
    #[n(1)]
    pub(super) device_ms: i64,
}

impl Contact {
    /// Milliseconds that passed on the device's clock since. A clock that was set back counts as no time.
    pub(super) fn elapsed_ms(self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.device_ms).max(0)
    }
}

/// How much of the lease is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The device's clock at the last contact, in milliseconds since 1970.
    pub last_contact_ms: i64,
    /// Server's clock at that moment.
    pub server_contact_ms: i64,
    /// Seconds left; 0 once it is spent.
    pub left_s: i64,
}
