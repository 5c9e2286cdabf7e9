//! What a device is known to hold, so that its changes and the server's can be named instead of told.

use std::cell::RefCell;
use std::collections::BTreeMap;

use foras_record::packed::{Held, HeldChange};
use foras_wire::audience::AudienceName;
use foras_wire::id::{Actor, ChangeHash, PublicKey};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use rusqlite::Connection;

use crate::error::ServerError;
use crate::keys::Keys;
use crate::storage::{names, records};

/// What a failing database says: nothing is held, so everything is told in full, or asked for in full.
fn found<T>(result: Result<Option<T>, ServerError>) -> Option<T> {
    result.unwrap_or_else(|error| {
        tracing::warn!(code = error.code(), "a name could not be looked up");
        None
    })
}

/// Who followed a log up to a position. Pages that start there name what it tells up to there.
pub(super) struct Follower<'a> {
    pub(super) db: &'a Connection,
    pub(super) keys: &'a Keys,
    pub(super) audience: &'a str,
    pub(super) position: u64,
    names: RefCell<BTreeMap<RecordKey, Option<usize>>>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(db: &'a Connection, keys: &'a Keys, audience: &'a str, position: u64) -> Self {
        Self { db, keys, audience, position, names: RefCell::default() }
    }

    fn name_of(&self, key: &RecordKey) -> Result<Option<usize>, ServerError> {
        let is_told = names::is_told(self.db, self.audience, key, self.position)?;
        if is_told { names::record_bytes(self.db, key).map(Some) } else { Ok(None) }
    }

    fn name_of_actor(&self, actor: &Actor) -> Result<Option<usize>, ServerError> {
        // Those whom this page introduces stand in the page.
        let is_introduced = names::is_introduced(self.db, self.audience, actor)?;
        if is_introduced { names::actor_bytes(self.db, actor).map(Some) } else { Ok(None) }
    }
}

impl Held for Follower<'_> {
    fn name_bytes(&self, key: &RecordKey) -> Option<usize> {
        *self.names.borrow_mut().entry(*key).or_insert_with(|| found(self.name_of(key)))
    }

    fn actor_name_bytes(&self, actor: &Actor) -> Option<usize> {
        found(self.name_of_actor(actor))
    }

    fn server(&self) -> Option<(PublicKey, u64)> {
        Some((self.keys.public(), self.keys.epoch()))
    }

    fn change(&self, record: &RecordKey, actor: &Actor, seq: u64) -> Option<HeldChange> {
        found(records::change_of_author(self.db, record, actor, seq))
    }

    fn change_of_hash(&self, record: &RecordKey, hash: &ChangeHash) -> Option<HeldChange> {
        found(records::change_of_hash(self.db, record, hash))
    }
}

/// A device that pushes: it names what the logs that it follows told it up to its cursors.
pub(super) struct Pusher<'a> {
    pub(super) db: &'a Connection,
    pub(super) keys: &'a Keys,
    pub(super) follows: Vec<(&'a AudienceName, u64)>,
}

impl Pusher<'_> {
    /// The one record that the logs tell of up to the cursors; else the one that left them, which the device may not have
    /// heard yet. Where that is another one than the device means, its signature does not hold.
    fn record_of(&self, kind: KindCode, name: &[u8]) -> Result<Option<RecordRef>, ServerError> {
        let (mut told, mut left) = (Vec::new(), Vec::new());
        for record in names::records(self.db, kind, name)? {
            if self.is_told(&record.key)? {
                told.push(record);
            } else if self.has_left(&record.key)? {
                left.push(record);
            }
        }
        let named = if told.is_empty() { left } else { told };
        Ok(if let [only] = named.as_slice() { Some(*only) } else { None })
    }

    fn is_told(&self, record: &RecordKey) -> Result<bool, ServerError> {
        for (audience, through) in &self.follows {
            if names::is_told(self.db, audience.as_str(), record, *through)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_left(&self, record: &RecordKey) -> Result<bool, ServerError> {
        let audiences = records::audiences(self.db, record)?;
        let left = |audience: &str| matches!(audiences.get(audience), Some(Some(_)));
        Ok(self.follows.iter().any(|(audience, _)| left(audience.as_str())))
    }

    fn actor_of(&self, name: &[u8]) -> Result<Option<Actor>, ServerError> {
        let mut only = None;
        for actor in names::actors(self.db, name)? {
            let mut told = false;
            for (audience, _) in &self.follows {
                told |= names::is_introduced(self.db, audience.as_str(), &actor)?;
            }
            if told && only.replace(actor).is_some() {
                return Ok(None);
            }
        }
        Ok(only)
    }
}

impl Held for Pusher<'_> {
    fn record_named(&self, kind: KindCode, name: &[u8]) -> Option<RecordRef> {
        found(self.record_of(kind, name))
    }

    fn actor_named(&self, name: &[u8]) -> Option<Actor> {
        found(self.actor_of(name))
    }

    fn server(&self) -> Option<(PublicKey, u64)> {
        Some((self.keys.public(), self.keys.epoch()))
    }

    fn change(&self, record: &RecordKey, actor: &Actor, seq: u64) -> Option<HeldChange> {
        found(records::change_of_author(self.db, record, actor, seq))
    }
}
