//! Comparing this device's copies with the server's, and taking over what differs.

use std::collections::BTreeMap;

use foras_record::proof;
use foras_wire::audience::AudienceName;
use foras_wire::reconcile::coded::{self, FIRST_SYMBOLS, SYMBOLS_MAX, Salt};
use foras_wire::reconcile::{Combined, Difference, DifferenceState, Item, LackedChange, Reconcile, Sketch, Sum};
use foras_wire::record::RecordRef;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::identity::Identity;
use super::meta::{self, name};
use super::writing::Writing;
use super::{Store, arrival, author, digest, leave, mend, offer, page, rows};
use crate::error::Error;

/// Records that are tried in one transaction.
const VERIFIED_AT_ONCE: u32 = 256;
/// Comparisons of one audience that may come to nothing before its log is followed from its start again.
const TRIES_MAX: i64 = 6;

/// What a difference brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// Changes that were new to the device.
    pub received: u32,
    /// Records that left the device.
    pub dropped: u32,
    /// Changes that the server seems to have lost: they are pushed again, or offered.
    pub wanted: u32,
    /// The audience's cursor, when the comparison set it.
    pub cursor: Option<u64>,
}

impl Store {
    /// The digest of everything that this device holds, as its rows' sums say: the server's, when both are equal.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn digest(&self) -> Result<Combined, Error> {
        digest::of_device(&self.connection, self.enrolled()?)
    }

    /// Makes every sum anew from the changes themselves, and gives the digest.
    ///
    /// # Errors
    /// As [`Store::digest`].
    pub fn recount(&mut self) -> Result<Combined, Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let transaction = self.connection.transaction()?;
        digest::recount(&transaction, &identity)?;
        transaction.commit()?;
        self.digest()
    }

    /// From the next work on, every copy is compared with the server's. Its sums are made anew first.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn compare_all(&mut self) -> Result<(), Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let transaction = self.connection.transaction()?;
        digest::recount(&transaction, &identity)?;
        mark_all(&transaction, &identity)?;
        transaction.commit()?;
        Ok(())
    }

    /// What came in packs is tried before it is compared: a copy is compared change by change.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn ready_to_compare(&mut self, now_ms: i64) -> Result<(), Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM comparing)";
        if !self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))? {
            return Ok(());
        }
        self.unfold_all()?;
        let mut before = u64::MAX;
        loop {
            let waiting = self.verify_some(now_ms, VERIFIED_AT_ONCE)?;
            if waiting == 0 || waiting >= before {
                return Ok(());
            }
            before = waiting;
        }
    }

    /// Checks the server's signature of what differs in a copy, and applies it in one transaction.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`]; [`Error::BadAnswer`] when it is not the server's, or of no audience of this device. Nothing
    /// of it is then kept.
    pub fn apply_difference(&mut self, difference: &Difference, now_ms: i64) -> Result<Compared, Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let audience = identity.audiences().get(usize::from(difference.audience));
        let audience = audience.ok_or(Error::BadAnswer { code: "unknown_audience" })?;
        proof::verify_difference(&identity.server.key, difference, &identity.server.id, identity.epoch, audience)
            .map_err(|_| Error::BadAnswer { code: "bad_signature" })?;
        let reborn = identity.reborn(self.fresh_incarnation()?);
        let mut writing = self.writing(now_ms)?;
        for told in &difference.authors {
            author::introduce(writing.connection(), &told.actor, told.name.as_deref(), &told.role)?;
        }
        let mut compared = Compared::default();
        let mut shared = false;
        for (record, changes) in by_record(&difference.changes) {
            shared |= take_over(&mut writing, &reborn, audience, &record, &changes, &mut compared)?;
        }
        for key in &difference.drops {
            compared.dropped += u32::from(leave::record(&mut writing, audience, key)?);
        }
        if !difference.wanted.is_empty() {
            compared.wanted = offer::wanted(&mut writing, &identity, audience, difference)?;
        }
        compared.cursor = conclude(writing.connection(), audience, difference)?;
        let mut changed = writing.commit()?;
        changed.delivery = true;
        if shared {
            self.identity = Some(reborn.into());
        }
        self.observers.tell(&changed);
        self.scrub()?;
        Ok(compared)
    }

    /// What the next request says of copies that are to be compared; `None`: of none.
    pub(super) fn sketches(&self, identity: &Identity) -> Result<Option<Reconcile>, Error> {
        let mut statement = self.connection.prepare_cached("SELECT symbols FROM comparing WHERE audience = ?1")?;
        let mut salt = Salt::default();
        let drawn = Sha256::new().chain_update(b"foras salt").chain_update(identity.key.as_bytes());
        let mut sketches = Vec::new();
        let mut left = SYMBOLS_MAX;
        for (at, audience) in (0_u16..).zip(identity.audiences()) {
            let asked: Option<i64> = statement.query_row([audience.as_str()], |row| row.get(0)).optional()?;
            let Some(asked) = asked else { continue };
            let items: Vec<Item> =
                digest::copy(&self.connection, audience)?.into_iter().map(|held| held.item).collect();
            let sum: Sum = items.iter().collect();
            if sketches.is_empty() {
                // Nobody else can foresee it, and it changes with what is compared.
                let drawn = drawn.clone().chain_update(sum.to_bytes()).chain_update(asked.to_be_bytes()).finalize();
                salt.copy_from_slice(&drawn[..8]);
            }
            let count = usize::try_from(asked).unwrap_or(FIRST_SYMBOLS).min(left);
            left -= count;
            let total = items.len() as u64;
            let symbols = coded::to_bytes(&coded::symbols(&salt, &items, count), total);
            sketches.push(Sketch { audience: at, count: total, sum, symbols });
        }
        if sketches.is_empty() {
            return Ok(None);
        }
        let newest = meta::get_cbor::<u64>(&self.connection, name::NEWEST_EPOCH)?.unwrap_or(0);
        let (witness, newest_epoch) = (offer::witness(&self.connection, identity)?, newest.max(identity.epoch));
        Ok(Some(Reconcile { salt, sketches, witness, newest_epoch }))
    }
}

/// Whether the device's copies differ from what the server says of its own. The same difference is told once: what
/// comparing did not settle stays until either side changes.
pub(super) fn differ(connection: &Connection, identity: &Identity, theirs: Combined) -> Result<bool, Error> {
    let ours = digest::of_device(connection, identity)?;
    if ours == theirs {
        meta::remove(connection, name::DIFFERED)?;
        return Ok(false);
    }
    let pair = [ours, theirs].concat();
    if meta::get(connection, name::DIFFERED)?.is_some_and(|known| known == pair) {
        return Ok(false);
    }
    meta::put(connection, name::DIFFERED, &pair)?;
    digest::recount(connection, identity)?;
    if digest::of_device(connection, identity)? == theirs {
        return Ok(false);
    }
    mark_all(connection, identity)?;
    Ok(true)
}

/// Every audience's copy is to be compared.
pub(super) fn mark_all(connection: &Connection, identity: &Identity) -> Result<(), Error> {
    for audience in identity.audiences() {
        mark(connection, audience)?;
    }
    Ok(())
}

/// This audience's copy is to be compared. Where nothing is held by it, its log is followed from the start.
pub(super) fn mark(connection: &Connection, audience: &AudienceName) -> Result<(), Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM segment WHERE audience = ?1) \
               OR EXISTS (SELECT 1 FROM holding WHERE audience = ?1)";
    let held: bool = connection.prepare_cached(sql)?.query_row([audience.as_str()], |row| row.get(0))?;
    if !held {
        return page::advance(connection, audience, 0);
    }
    let sql = "INSERT INTO comparing (audience, symbols) VALUES (?1, ?2) ON CONFLICT (audience) DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![audience.as_str(), FIRST_SYMBOLS as i64])?;
    Ok(())
}

/// Admits what the copy lacks of one record; true when this device's incarnation turned out to be shared.
fn take_over(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    audience: &AudienceName,
    record: &RecordRef,
    changes: &[&LackedChange],
    compared: &mut Compared,
) -> Result<bool, Error> {
    let chunks: Vec<_> = changes.iter().map(|change| (change.chunk.clone(), 0)).collect();
    compared.received += mend::record(writing, record, &chunks)?;
    let arrived = arrival::admit(writing, reborn, record, &chunks)?;
    compared.received += arrived.received;
    if let Some(row) = arrived.held {
        page::hold(writing, audience, row, 0)?;
        let server_ms = changes.iter().map(|change| change.received_ms).max().unwrap_or(0);
        let sql = "UPDATE record SET server_ms = max(server_ms, ?2) WHERE row = ?1";
        writing.connection().prepare_cached(sql)?.execute(params![row.0, server_ms])?;
        writing.touch(record);
    }
    Ok(arrived.shared)
}

fn by_record(changes: &[LackedChange]) -> BTreeMap<RecordRef, Vec<&LackedChange>> {
    let mut records: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for change in changes {
        records.entry(change.record).or_default().push(change);
    }
    records
}

/// Notes how far the comparison has come; the cursor, where it is decided.
fn conclude(connection: &Connection, audience: &AudienceName, difference: &Difference) -> Result<Option<u64>, Error> {
    let cursor = match difference.state {
        DifferenceState::Part => return Ok(None),
        DifferenceState::Held => {
            // Once the server gives again, its digest says whether the copies still differ.
            connection.prepare_cached("DELETE FROM comparing WHERE audience = ?1")?.execute([audience.as_str()])?;
            return Ok(None);
        }
        DifferenceState::Answer => {
            offer::answered(connection, audience, difference.through)?;
            return Ok(None);
        }
        DifferenceState::Undecided { symbols } if tried(connection, audience, symbols)? => return Ok(None),
        DifferenceState::Undecided { .. } | DifferenceState::StartOver => 0,
        DifferenceState::Last => difference.through,
    };
    connection.prepare_cached("DELETE FROM comparing WHERE audience = ?1")?.execute([audience.as_str()])?;
    page::advance(connection, audience, cursor)?;
    if difference.state == DifferenceState::Last {
        // Positions of a log that went back say nothing any more.
        let sql = "UPDATE holding SET position = min(position, ?2), seen = min(seen, ?2) \
                   WHERE audience = ?1 AND (position > ?2 OR seen > ?2)";
        let words = params![audience.as_str(), cursor.cast_signed()];
        connection.prepare_cached(sql)?.execute(words)?;
    }
    Ok(Some(cursor))
}

/// The symbols were too few; false when it is not to be tried again.
fn tried(connection: &Connection, audience: &AudienceName, symbols: u32) -> Result<bool, Error> {
    let symbols = usize::try_from(symbols).unwrap_or(SYMBOLS_MAX).clamp(FIRST_SYMBOLS, SYMBOLS_MAX);
    let sql = "UPDATE comparing SET symbols = ?2, tries = tries + 1 WHERE audience = ?1 AND tries < ?3";
    let words = params![audience.as_str(), i64::try_from(symbols).unwrap_or(i64::MAX), TRIES_MAX];
    Ok(connection.prepare_cached(sql)?.execute(words)? > 0)
}

/// The key by which this device's own changes are told.
pub(super) fn is_own(connection: &Connection, actor: &foras_wire::id::Actor) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM own_incarnation WHERE actor = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([actor.as_bytes()], |row| row.get(0))?)
}

/// Keeps an incarnation of this device, so that its changes are known as own ones later.
pub(super) fn keep_incarnation(connection: &Connection, identity: &Identity) -> Result<(), Error> {
    let sql = "INSERT INTO own_incarnation (actor, incarnation) VALUES (?1, ?2) ON CONFLICT (actor) DO NOTHING";
    let words = params![identity.actor.as_bytes(), identity.incarnation.as_bytes()];
    connection.prepare_cached(sql)?.execute(words)?;
    Ok(())
}

/// The row of a record that stands in a copy.
pub(super) fn row_of(connection: &Connection, record: &RecordRef) -> Result<Option<rows::RecordRow>, Error> {
    Ok(rows::find(connection, &record.key)?.map(|(row, _)| row))
}
