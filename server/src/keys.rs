//! Who the server is: its id, its Ed25519 key and its epoch, and the secrets that derive from the key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ed25519_dalek::SigningKey;
use foras_record::identity;
use foras_record::proof::public_key;
use foras_wire::id::{Actor, PublicKey, ServerId};
use foras_wire::record::RecordKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The server's identity. Never printed.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) server: ServerId,
    pub(crate) key: SigningKey,
    /// Counts the times that the server was put back to an older copy of its data, from 1. It may be while it runs.
    epoch: Arc<AtomicU64>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("server", &self.server).field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

impl Keys {
    pub(crate) fn new(server: ServerId, key: SigningKey, epoch: u64) -> Self {
        Self { server, key, epoch: Arc::new(AtomicU64::new(epoch)) }
    }

    /// The epoch that holds now.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Another epoch holds from now on. Whoever calls this keeps it durably in the same transaction.
    pub(crate) fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::SeqCst);
    }

    pub(crate) fn public(&self) -> PublicKey {
        public_key(&self.key)
    }

    /// A keyed hash under a secret of its own, named by `label`.
    pub(crate) fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let secret = hmac_of(self.key.as_bytes(), &[label.as_bytes()]);
        hmac_of(&secret, parts)
    }

    /// The server as the author of changes to `record`. The epoch is part of it, so that a restored server cannot
    /// use its own numbers again.
    pub(crate) fn actor(&self, record: &RecordKey) -> Actor {
        identity::server_actor(&self.public(), self.epoch(), record)
    }

    /// Whether `actor` is, or was in an earlier epoch, the server as the author of changes to `record`.
    pub(crate) fn was(&self, record: &RecordKey, actor: &Actor) -> bool {
        (1..=self.epoch()).any(|epoch| identity::server_actor(&self.public(), epoch, record) == *actor)
    }
}

fn hmac_of(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length: the error type has no case that can occur.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// SHA-256, under which tokens and invitations are stored.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
