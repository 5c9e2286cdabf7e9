//! What the server is given of other devices' work, and what became of it.

use std::collections::BTreeSet;

use foras_sync::work::{Fate, OutgoingCarried, Settlement};
use foras_wire::id::ChangeHash;
use foras_wire::record::RecordKey;
use rusqlite::{Connection, params};

use super::super::lease::Contact;
use super::super::meta::{self, name};
use super::super::outbox::WorkLimits;
use super::super::settle::Settled;
use super::super::{Store, rows};
use super::{APPLIED, AWAY, CarriedItem, REFUSED, SETTLED, hand_over, leave, set_state, tidy};
use crate::error::Error;

/// Codes by which the server says that it no longer lets the author's device in.
const REVOKED: [&str; 2] = ["revoked", "left"];

/// Notes that a change of this kind, id and hash is on the server.
const MARK_ARRIVED: &str = "UPDATE carried_item SET state = 3 WHERE kind = ?1 AND id = ?2 AND hash = ?3 AND state IN (1, 2, 5) RETURNING carried";

/// The server has this change.
pub(in crate::store) fn arrived(connection: &Connection, key: &RecordKey, hash: &ChangeHash) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(MARK_ARRIVED)?;
    let words = params![key.kind.0, key.id.as_bytes(), hash.as_bytes()];
    let pushes = statement.query_map(words, |row| row.get(0))?.collect::<Result<BTreeSet<i64>, _>>()?;
    pushes.into_iter().try_for_each(|push| tidy(connection, push))
}

impl Store {
    /// Pushes of other devices for the next request, and whether others wait behind them. A change set of which this device
    /// was not shown all goes to the server by another way, and so does what the server could not take a moment ago.
    pub(in crate::store) fn outgoing_carried(
        &self,
        limits: &WorkLimits,
    ) -> Result<(Vec<OutgoingCarried>, bool), Error> {
        let (mut out, mut changes, mut bytes) = (Vec::new(), 0, 0);
        for push in open(&self.connection)? {
            if self.parked_carried.contains(&push) {
                continue;
            }
            let Some(one) = outgoing(&self.connection, push)? else { continue };
            changes += one.carried.items.len() + one.carried.hidden.len();
            bytes += one.carried.items.iter().map(|item| item.chunk.len()).sum::<usize>();
            if !out.is_empty() && (changes > limits.changes_max || bytes > limits.bytes) {
                return Ok((out, true));
            }
            out.push(one);
        }
        Ok((out, false))
    }

    /// Keeps what became of changes that were carried, in one transaction. What the server did not admit leaves its record,
    /// and what builds on it too: own work is then written anew.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage. Nothing is then settled, and the next answer tells again.
    pub fn settle_carried(&mut self, settlements: &[Settlement], now_ms: i64) -> Result<Settled, Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let reborn = identity.reborn(self.fresh_incarnation()?);
        let mut writing = self.writing(now_ms)?;
        let (mut settled, mut gone, mut pushes, mut parked) =
            (Settled::default(), Vec::new(), BTreeSet::new(), BTreeSet::new());
        for Settlement { row, fate } in settlements {
            let Some(item) = CarriedItem::one(writing.connection(), row.cast_signed())? else { continue };
            pushes.insert(item.carried);
            writing.changed.note(&item.record);
            let stands = item.state == APPLIED;
            let state = match fate {
                Fate::Durable => {
                    received(writing.connection(), &item)?;
                    if stands && let Some((row, _)) = rows::find(writing.connection(), &item.record.key)? {
                        writing.acknowledged(row, &item.record, &item.hash)?;
                    }
                    settled.durable += 1;
                    SETTLED
                }
                Fate::Kept => {
                    parked.insert(item.carried);
                    settled.kept += 1;
                    continue;
                }
                Fate::Quarantined { code } => {
                    if REVOKED.contains(&code.as_str()) {
                        shut_out(writing.connection(), item.carried)?;
                    }
                    settled.quarantined += 1;
                    REFUSED
                }
                Fate::Refused { .. } | Fate::SetRefused => {
                    settled.refused += 1;
                    REFUSED
                }
            };
            set_state(writing.connection(), item.row, state)?;
            if item.state == AWAY {
                meta::put(writing.connection(), name::SCRUB, &[1])?;
            }
            if stands && state == REFUSED {
                gone.push(item);
            }
        }
        let born = leave::take_out(&mut writing, &reborn, gone, &mut settled)?;
        for push in pushes {
            tidy(writing.connection(), push)?;
        }
        let changed = writing.commit()?;
        self.parked_carried.extend(parked);
        if let Some(identity) = born {
            self.identity = Some(identity.into());
        }
        self.observers.tell(&changed);
        Ok(settled)
    }
}

/// Pushes of which something waits for the server, the first that came first.
fn open(connection: &Connection) -> Result<Vec<i64>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT DISTINCT carried FROM carried_item WHERE state IN (1, 2, 5) ORDER BY carried")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// What the server is given of a push: whole sets of which something waits for it.
fn outgoing(connection: &Connection, push: i64) -> Result<Option<OutgoingCarried>, Error> {
    let sets = whole_sets(connection, push)?;
    let mut shown = Vec::new();
    let carried = hand_over::carried_push(connection, push, |item| {
        let shows = sets.contains(&item.change_set);
        if shows {
            shown.push(item.row.cast_unsigned());
        }
        shows
    })?;
    Ok(carried.map(|carried| OutgoingCarried { carried, rows: shown }))
}

/// Sets of which every change is here, and some waits for the server.
fn whole_sets(connection: &Connection, push: i64) -> Result<BTreeSet<i64>, Error> {
    let sql = "SELECT change_set FROM carried_item WHERE carried = ?1 GROUP BY change_set \
               HAVING sum(chunk = x'' OR state = 4) = 0 AND sum(state IN (1, 2, 5)) > 0";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([push], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// The server holds the change: its record shows since when.
fn received(connection: &Connection, item: &CarriedItem) -> Result<(), Error> {
    let Some((held, _)) = rows::find(connection, &item.record.key)? else {
        return meta::put(connection, name::SCRUB, &[1]);
    };
    let contact: Option<Contact> = meta::get_cbor(connection, name::CONTACT)?;
    let sql = "UPDATE record SET server_ms = max(server_ms, ?2) WHERE row = ?1";
    connection.prepare_cached(sql)?.execute(params![held.0, contact.map_or(0, |contact| contact.server_ms)])?;
    Ok(())
}

/// The author's device is not dealt with any more.
fn shut_out(connection: &Connection, push: i64) -> Result<(), Error> {
    let sql = "INSERT INTO revoked_device (device) SELECT device FROM carried WHERE row = ?1 ON CONFLICT DO NOTHING";
    connection.prepare_cached(sql)?.execute([push])?;
    Ok(())
}
