//! What the server says of itself and of this device at the start of an answer: epoch, token, challenge, grant.

use std::collections::BTreeSet;
use std::sync::Arc;

use foras_record::proof;
use foras_wire::audience::AudienceName;
use foras_wire::grant::SignedGrant;
use foras_wire::id::Nonce;
use foras_wire::reconcile::Combined;
use rusqlite::Connection;

use super::identity::{self, Identity};
use super::lease::{Contact, Lease};
use super::meta::{self, name};
use super::{Changed, Store, compare, digest, leave, offer, outbox, page};
use crate::error::Error;

impl Store {
    /// Keeps what the server said first. In another epoch the server was restored from a backup: the copies are
    /// then compared, and nothing is forgotten.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn welcome(
        &mut self,
        epoch: u64,
        server_ms: i64,
        nonce: Nonce,
        token: Option<[u8; 32]>,
        now_ms: i64,
    ) -> Result<(), Error> {
        let mut identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let transaction = self.connection.transaction()?;
        identity::introduce(&transaction, &identity)?;
        if epoch != identity.epoch {
            let newest = meta::get_cbor::<u64>(&transaction, name::NEWEST_EPOCH)?.unwrap_or(0);
            meta::put_cbor(&transaction, name::NEWEST_EPOCH, &newest.max(identity.epoch).max(epoch))?;
            meta::put_cbor(&transaction, name::EPOCH, &epoch)?;
            compare::mark_all(&transaction, &identity)?;
            Arc::make_mut(&mut identity).epoch = epoch;
        }
        meta::put(&transaction, name::NONCE, nonce.as_bytes())?;
        if let Some(token) = token {
            meta::put(&transaction, name::TOKEN, &token)?;
            meta::put_cbor(&transaction, name::TOKEN_AT, &now_ms)?;
        }
        meta::put_cbor(&transaction, name::CONTACT, &Contact { server_ms, device_ms: now_ms })?;
        meta::remove(&transaction, name::REVOKED)?;
        transaction.commit()?;
        self.identity = Some(identity);
        Ok(())
    }

    /// Keeps a newer grant. Audiences that it no longer names leave the device, with the records that no other audience
    /// holds; what was written under the older grant stays in the outbox. Gives the cursors in the new grant's order.
    ///
    /// # Errors
    /// [`Error::BadAnswer`] when it is not the server's, not this device's, or older than the one held.
    pub fn accept_grant(&mut self, signed: &SignedGrant, now_ms: i64) -> Result<Vec<u64>, Error> {
        let current = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let grant =
            proof::verify_grant(&current.server.key, signed).map_err(|_| Error::BadAnswer { code: "bad_signature" })?;
        let own = &current.grant;
        if (grant.server, grant.device, grant.key) != (own.server, own.device, own.key) {
            return Err(Error::BadAnswer { code: "another_grant" });
        }
        if grant.revision < own.revision {
            return Err(Error::BadAnswer { code: "old_grant" });
        }
        let identity = current.granted(grant)?;
        let mut writing = self.writing(now_ms)?;
        meta::put_cbor(writing.connection(), name::GRANT, signed)?;
        identity::introduce(writing.connection(), &identity)?;
        let left = ended(writing.connection(), &identity)?;
        for audience in &left {
            leave::audience(&mut writing, audience)?;
        }
        let cursors = page::cursors(writing.connection(), &identity)?;
        let changed = writing.commit()?;
        self.identity = Some(Arc::new(identity));
        self.observers.tell(&changed);
        Ok(cursors)
    }

    /// Every audience stands at its log's end, as of `server_ms`. What no audience holds any more, and nothing own waits
    /// for, leaves the device; so do the traces of what left. `digest` is what the server says of its copies: true when the
    /// device has something to say about that, in the next work.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn caught_up(&mut self, server_ms: i64, digest: Option<Combined>, now_ms: i64) -> Result<bool, Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let vouched = std::mem::take(&mut self.vouched);
        let mut writing = self.begin(now_ms)?;
        page::mark_synced(writing.connection(), &identity, now_ms)?;
        meta::put_cbor(writing.connection(), name::CONTACT, &Contact { server_ms, device_ms: now_ms })?;
        // While more waits than one request carries, another answer follows this one.
        let goes_on = !vouched.is_empty() && outbox::is_long(writing.connection())?;
        let asked = !goes_on && leave::unheld(&mut writing, &identity, &vouched)?;
        writing.keep_digests()?;
        digest::recount_if_due(writing.connection(), &identity, now_ms)?;
        let more = asked || offer::waits(writing.connection())?;
        let differ = match digest {
            Some(theirs) if !more => compare::differ(writing.connection(), &identity, theirs)?,
            _ => false,
        };
        let mut changed = writing.commit()?;
        changed.delivery = true;
        self.observers.tell(&changed);
        self.retry_carried(now_ms)?;
        self.scrub()?;
        Ok(more || differ)
    }

    /// The server said that this device is revoked.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn mark_revoked(&mut self) -> Result<(), Error> {
        meta::put(&self.connection, name::REVOKED, &[1])?;
        self.observers.tell(&Changed::delivery());
        Ok(())
    }

    /// Whether the server said that this device is revoked.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn is_revoked(&self) -> Result<bool, Error> {
        Ok(meta::get(&self.connection, name::REVOKED)?.is_some())
    }

    /// How much of the lease is left at `now_ms`, device's clock.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn lease(&self, now_ms: i64) -> Result<Lease, Error> {
        let identity = self.enrolled()?;
        let contact: Contact = meta::get_cbor(&self.connection, name::CONTACT)?.ok_or(Error::NotEnrolled)?;
        let left_s = identity.grant.lease_s.saturating_sub(contact.elapsed_ms(now_ms) / 1_000).max(0);
        Ok(Lease { last_contact_ms: contact.device_ms, server_contact_ms: contact.server_ms, left_s })
    }
}

/// Audiences that the device followed and the grant does not name.
fn ended(connection: &Connection, identity: &Identity) -> Result<BTreeSet<AudienceName>, Error> {
    let mut statement =
        connection.prepare("SELECT audience FROM cursor UNION SELECT DISTINCT audience FROM holding")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let granted: BTreeSet<&str> = identity.audiences().iter().map(AudienceName::as_str).collect();
    let ended = names.iter().filter(|name| !granted.contains(name.as_str()));
    ended.map(|name| name.parse().map_err(|_| Error::Corrupt { set_aside: None })).collect()
}
