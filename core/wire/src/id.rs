//! Identifiers. Each is a newtype over its bytes, shown as lowercase hex, and encoded as a CBOR byte string.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use minicbor::decode::{Decode, Decoder, Error as DecodeError};
use minicbor::encode::{Encode, Encoder, Error as EncodeError, Write};
use sha2::{Digest, Sha256};

/// An identifier that is not lowercase hex of the right length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is lowercase hex of a fixed length")]
pub struct BadId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Bytes of this identifier.
            pub const LEN: usize = $len;

            /// The identifier held in `bytes`, if they have the right length.
            ///
            /// # Errors
            /// [`BadId`] when the length differs.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, BadId> {
                bytes.try_into().map(Self).map_err(|_| BadId)
            }

            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), HEXLOWER.encode(&self.0))
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                if text.len() != $len * 2 {
                    return Err(BadId);
                }
                HEXLOWER.decode(text.as_bytes()).map_err(|_| BadId).and_then(|bytes| Self::from_slice(&bytes))
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                let at = d.position();
                Self::from_slice(d.bytes()?).map_err(|_| DecodeError::message("identifier of another length").at(at))
            }
        }
    };
}

id! {
    /// A record: random (UUID v4 bits), or derived one-way from another record's id.
    RecordId, 16
}
id! {
    /// One incarnation of one device, as the author of changes: the first 16 bytes of SHA-256(public key ‖ incarnation).
    Actor, 16
}
id! {
    /// The random number that tells a device's incarnations apart; never a counter, so that two clones differ.
    Incarnation, 16
}
id! {
    /// A device, as the server enrolled it.
    DeviceId, 16
}
id! {
    /// The server's data folder, made once; a push names it, so that it cannot be replayed elsewhere.
    ServerId, 16
}
id! {
    /// The SHA-256 of a change's chunk body, as automerge defines it.
    ChangeHash, 32
}
id! {
    /// Any other SHA-256: a Merkle root, a digest.
    Digest32, 32
}
id! {
    /// An Ed25519 public key.
    PublicKey, 32
}
id! {
    /// An Ed25519 signature.
    Signature64, 64
}
id! {
    /// A pack: the first 16 bytes of a digest over what it holds.
    PackId, 16
}
id! {
    /// The server's challenge for the next request.
    Nonce, 16
}

impl Actor {
    /// The actor of `incarnation` of the device that holds `key`.
    #[must_use]
    pub fn of(key: &PublicKey, incarnation: &Incarnation) -> Self {
        let digest = Sha256::new().chain_update(key.0).chain_update(incarnation.0).finalize();
        let mut actor = [0; 16];
        actor.copy_from_slice(&digest[..16]);
        Self(actor)
    }
}

impl RecordId {
    /// A one-way derived id: the first 16 bytes of SHA-256(`label` ‖ 0 ‖ `base`).
    #[must_use]
    pub fn derived(label: &str, base: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(label.as_bytes()).chain_update([0]).chain_update(base).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }
}
