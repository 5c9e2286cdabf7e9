//! A grant: what a device may read and as whom it writes, signed by the server, with a revision.

use minicbor::{Decode, Encode};

use crate::audience::AudienceName;
use crate::error::WireError;
use crate::frame::from_cbor;
use crate::id::{DeviceId, PublicKey, RecordId, ServerId, Signature64};
use crate::limits;

/// What the server grants to a device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Grant {
    /// The server that grants.
    #[n(0)]
    pub server: ServerId,
    /// The device.
    #[n(1)]
    pub device: DeviceId,
    /// The device's public key.
    #[n(2)]
    pub key: PublicKey,
    /// Counts the changes of this device's grant, from 1.
    #[n(3)]
    pub revision: u64,
    /// The code of the role.
    #[n(4)]
    pub role: String,
    /// Codes of orientation points, or countries in ISO 3166-1 alpha-2.
    #[n(5)]
    pub places: Vec<String>,
    /// Audiences whose logs the device follows, in the order in which cursors and pages count them.
    #[n(6)]
    pub audiences: Vec<AudienceName>,
    /// The migrant's own case.
    #[n(7)]
    pub case: Option<RecordId>,
    /// What colleagues call the person.
    #[n(8)]
    pub name: Option<String>,
    /// When it was granted, in seconds since 1970, server's clock.
    #[n(9)]
    pub issued_s: i64,
    /// When it ends, in seconds since 1970, server's clock.
    #[n(10)]
    pub expires_s: i64,
    /// How long the device may show what it stores without contact, in seconds.
    #[n(11)]
    pub lease_s: i64,
}

/// A grant as it travels: exact bytes and the server's signature of them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SignedGrant {
    /// The CBOR of a [`Grant`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// The server's signature of [`SignedGrant::signed_bytes`].
    #[n(1)]
    pub signature: Signature64,
}

impl SignedGrant {
    /// What the server signs: a label and the grant's bytes.
    #[must_use]
    pub fn signed_bytes(grant: &[u8]) -> Vec<u8> {
        let mut bytes = b"foras grant 1".to_vec();
        bytes.extend_from_slice(grant);
        bytes
    }

    /// The grant inside. Whoever calls this checks the signature.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are no grant, or it names too many audiences.
    pub fn grant(&self) -> Result<Grant, WireError> {
        let grant: Grant = from_cbor("grant", &self.bytes)?;
        if grant.audiences.len() > limits::AUDIENCES_MAX {
            return Err(WireError::TooLarge { what: "audiences", limit: limits::AUDIENCES_MAX });
        }
        Ok(grant)
    }
}
