//! Enrolment: an invitation's secret against a device's key, answered by a grant.

use minicbor::{Decode, Encode};

use crate::grant::SignedGrant;
use crate::id::{Incarnation, Nonce, PublicKey, ServerId, Signature64};
use crate::version::ProtocolRange;

/// The body of `POST /v1/enrol`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EnrolRequest {
    /// Versions that the device speaks.
    #[n(0)]
    pub protocol: ProtocolRange,
    /// The invitation's secret (16 bytes), or the bytes of the code said over the phone.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub secret: Vec<u8>,
    /// The device's public key.
    #[n(2)]
    pub key: PublicKey,
    /// Its first incarnation.
    #[n(3)]
    pub incarnation: Incarnation,
    /// The device's signature of [`EnrolRequest::signed_bytes`]: it holds the key that it names.
    #[n(4)]
    pub signature: Signature64,
}

impl EnrolRequest {
    /// What the device signs: a label, the secret, its key and its incarnation.
    #[must_use]
    pub fn signed_bytes(secret: &[u8], key: &PublicKey, incarnation: &Incarnation) -> Vec<u8> {
        let mut bytes = b"foras enrol 1".to_vec();
        bytes.extend_from_slice(&(secret.len() as u64).to_be_bytes());
        bytes.extend_from_slice(secret);
        bytes.extend_from_slice(key.as_bytes());
        bytes.extend_from_slice(incarnation.as_bytes());
        bytes
    }
}

/// The answer to an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EnrolAnswer {
    /// The server.
    #[n(0)]
    pub server: ServerId,
    /// Its public key; equal to the invitation's, where that names one.
    #[n(1)]
    pub server_key: PublicKey,
    /// Its epoch.
    #[n(2)]
    pub epoch: u64,
    /// Server's time in milliseconds since 1970.
    #[n(3)]
    pub now_ms: i64,
    /// The first token.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub token: [u8; 32],
    /// The first challenge.
    #[n(5)]
    pub nonce: Nonce,
    /// The device's grant.
    #[n(6)]
    pub grant: SignedGrant,
    /// Case numbers that this device alone may give; `None` for roles that register nobody.
    #[n(7)]
    pub case_numbers: Option<CaseNumberBlock>,
    /// Secret from which staff phones derive ids of imported cases, so that two phones import one file to the same
    /// records; `None` for roles that register nobody.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub import_key: Option<[u8; 32]>,
}

/// A block of case numbers: `prefix` and a counter in `first ..= last`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CaseNumberBlock {
    /// What a case number of this block starts with.
    #[n(0)]
    pub prefix: String,
    /// The first number of the block.
    #[n(1)]
    pub first: u64,
    /// The last number of the block.
    #[n(2)]
    pub last: u64,
}
