//! What another device could be given: changes that can be proven by their author's signature, of records that it may see.
//! And which of an offer this device lacks.
//!
//! Only what the server is not known to have is offered, so an offer is as long as what is new, however many records a
//! device holds.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::kind::Kind;
use foras_wire::audience::AudienceName;
use foras_wire::grant::Grant;
use foras_wire::id::{ChangeHash, DeviceId};
use foras_wire::limits::OFFER_CHANGES_MAX;
use foras_wire::peer::{Offer, OfferedRecord, Prefix, prefix};
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, Row, params};

use super::super::lease::Contact;
use super::super::meta::{self, name};
use super::super::writing::Writing;
use super::super::{Store, rows};
use super::place;
use crate::error::Error;

/// A change that can be handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// An own one, by its outbox row.
    Own(u64),
    /// Another device's, by its row.
    Carried(i64),
}

/// An offer, and what stands behind each of its changes.
#[derive(Debug, Clone, Default)]
pub struct Shareable {
    /// What is told.
    pub offer: Offer,
    /// The changes, in the order of the offer.
    pub choices: Vec<Choice>,
}

/// Which records somebody may see who holds `audiences`.
pub(super) struct Sight<'a> {
    audiences: &'a BTreeSet<AudienceName>,
    seen: BTreeMap<RecordKey, bool>,
}

impl<'a> Sight<'a> {
    pub(super) fn of(audiences: &'a BTreeSet<AudienceName>) -> Self {
        Self { audiences, seen: BTreeMap::new() }
    }

    pub(super) fn sees(&mut self, writing: &mut Writing<'_>, record: &RecordRef) -> Result<bool, Error> {
        if let Some(seen) = self.seen.get(&record.key) {
            return Ok(*seen);
        }
        let seen = match Kind::of_code(record.key.kind) {
            Some(kind) => !place::audiences(writing, kind, record)?.is_disjoint(self.audiences),
            None => false,
        };
        self.seen.insert(record.key, seen);
        Ok(seen)
    }
}

impl Store {
    /// What can be handed to somebody who holds `audiences`; `to` is their device, whose own work it has.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn shareable(
        &mut self,
        audiences: &BTreeSet<AudienceName>,
        to: Option<&DeviceId>,
        now_ms: i64,
    ) -> Result<Shareable, Error> {
        self.enrolled()?;
        let mut writing = self.writing(now_ms)?;
        let mut sight = Sight::of(audiences);
        let mut records: BTreeMap<RecordKey, Vec<(Prefix, Choice)>> = BTreeMap::new();
        for (record, hash, choice) in provable(writing.connection(), to)?.into_iter().take(OFFER_CHANGES_MAX) {
            if sight.sees(&mut writing, &record)? {
                records.entry(record.key).or_default().push((prefix(&hash), choice));
            }
        }
        let mut shareable = Shareable::default();
        for (key, changes) in records {
            let prefixes = changes.iter().flat_map(|(prefix, _)| *prefix).collect();
            shareable.offer.records.push(OfferedRecord { key, prefixes });
            shareable.choices.extend(changes.into_iter().map(|(_, choice)| choice));
        }
        Ok(shareable)
    }

    /// Which changes of an offer this device does not have, in its order.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn lacks(&self, offer: &Offer) -> Result<Vec<bool>, Error> {
        offer.changes().map(|(key, prefix)| self.lacks_change(&key, &prefix)).collect()
    }

    /// Whether no change of this record whose hash begins so is here.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn lacks_change(&self, key: &RecordKey, prefix: &Prefix) -> Result<bool, Error> {
        Ok(!self.has(key, prefix)?)
    }

    /// Whether a change of this record whose hash begins so is here, or was refused by the server.
    fn has(&self, key: &RecordKey, prefix: &Prefix) -> Result<bool, Error> {
        let mut last = [0xff; 32];
        let mut first = [0; 32];
        first[..prefix.len()].copy_from_slice(prefix);
        last[..prefix.len()].copy_from_slice(prefix);
        let sql = "SELECT EXISTS (SELECT 1 FROM change JOIN record ON record.row = change.record \
                   WHERE record.kind = ?1 AND record.id = ?2 AND change.hash BETWEEN ?3 AND ?4) \
                   OR EXISTS (SELECT 1 FROM carried_item WHERE kind = ?1 AND id = ?2 AND hash BETWEEN ?3 AND ?4 \
                   AND state <> 0)";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![key.kind.0, key.id.as_bytes(), first, last], |row| row.get(0))?)
    }

    /// Why the holder of this grant is not dealt with; `None`: it is. Its expiry is told by the server's last time and what
    /// passed since on this device's clock; never by the date.
    pub(crate) fn shut_out(&self, grant: &Grant, now_ms: i64) -> Result<Option<&'static str>, Error> {
        let contact: Contact = meta::get_cbor(&self.connection, name::CONTACT)?.ok_or(Error::NotEnrolled)?;
        let server_ms = contact.server_ms.saturating_add(contact.elapsed_ms(now_ms));
        if grant.expires_s <= server_ms.div_euclid(1_000) {
            return Ok(Some("grant_expired"));
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM revoked_device WHERE device = ?1)";
        let revoked = self.connection.prepare_cached(sql)?.query_row([grant.device.as_bytes()], |row| row.get(0))?;
        if revoked { Ok(Some("revoked")) } else { Ok(None) }
    }
}

/// Every change that this device can prove and that the server is not known to have, oldest first.
fn provable(connection: &Connection, to: Option<&DeviceId>) -> Result<Vec<(RecordRef, ChangeHash, Choice)>, Error> {
    let change =
        |row: &Row<'_>| -> rusqlite::Result<_> { Ok((rows::record_ref(row, 1)?, ChangeHash(rows::array(row, 5)?))) };
    let mut statement = connection.prepare_cached(
        "SELECT item.row, kind, id, case_id, generation, hash FROM carried_item AS item \
         JOIN carried ON carried.row = item.carried WHERE state IN (1, 2) AND device <> ?1 ORDER BY item.row",
    )?;
    let to = to.map_or(&[][..], DeviceId::as_bytes);
    let carried = statement.query_map([to], |row| {
        let (record, hash) = change(row)?;
        Ok((record, hash, Choice::Carried(row.get(0)?)))
    })?;
    let mut all = carried.collect::<Result<Vec<_>, _>>()?;
    let mut statement =
        connection.prepare_cached("SELECT seq, kind, id, case_id, generation, hash FROM outbox ORDER BY seq")?;
    let own = statement.query_map([], |row| {
        let (record, hash) = change(row)?;
        Ok((record, hash, Choice::Own(row.get::<_, i64>(0)?.cast_unsigned())))
    })?;
    all.extend(own.collect::<Result<Vec<_>, _>>()?);
    Ok(all)
}
