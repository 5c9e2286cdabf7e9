//! Versions of the protocol. A side names the range that it speaks; the newest common one is used.

use minicbor::{Decode, Encode};

use crate::error::WireError;

/// The newest version that this build speaks.
pub const PROTOCOL_MAX: u16 = 2;
/// The oldest version that this build speaks.
pub const PROTOCOL_MIN: u16 = 2;

/// A range of protocol versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ProtocolRange {
    /// Oldest version spoken.
    #[n(0)]
    pub min: u16,
    /// Newest version spoken.
    #[n(1)]
    pub max: u16,
}

impl ProtocolRange {
    /// What this build speaks.
    pub const OURS: Self = Self { min: PROTOCOL_MIN, max: PROTOCOL_MAX };

    /// The newest version that both `self` and `other` speak.
    ///
    /// # Errors
    /// [`WireError::Version`] when there is none.
    pub fn newest_common(self, other: Self) -> Result<u16, WireError> {
        let newest = self.max.min(other.max);
        if newest < self.min.max(other.min) {
            return Err(WireError::Version { min: other.min, max: other.max });
        }
        Ok(newest)
    }
}

impl Default for ProtocolRange {
    fn default() -> Self {
        Self::OURS
    }
}
