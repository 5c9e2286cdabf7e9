//! What the server lost and this device holds: own changes are pushed again, others' are offered under the signature of the
//! page that brought them.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::audience::AudienceName;
use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::id::{ChangeHash, Digest32, Incarnation, Signature64};
use foras_wire::merkle;
use foras_wire::page::{Entry, Page, change_leaf};
use foras_wire::reconcile::coded::Short;
use foras_wire::reconcile::{Claim, Difference, OfferedChange, OfferedPage, OfferedWhole, Offers, Witness};
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, OptionalExtension, params};

use super::digest::{self, Held};
use super::identity::Identity;
use super::outbox::{self, WorkLimits};
use super::writing::Writing;
use super::{Store, compare, rows};
use crate::error::Error;

/// Positions of each log whose pages' signatures are kept: what a server that is put back by a day or a week lost of a
/// point's audience.
const SIGNED_POSITIONS: u64 = 4_096;

/// Where a change stands in a page that is kept.
#[derive(Debug, Clone, Copy)]
struct Place {
    page: usize,
    index: u32,
    received_ms: i64,
}

/// What a page's signature covers.
#[derive(Debug, Default)]
pub(super) struct SignedLeaves {
    /// The leaves of its entries, 32 bytes each.
    entries: Vec<u8>,
    wholes: Vec<OfferedWhole>,
}

impl SignedLeaves {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut all = Self::default();
        for (index, entry) in (0_u32..).zip(entries) {
            all.entries.extend_from_slice(entry.leaf().as_bytes());
            if let Entry::Whole(whole) = entry {
                let leaves = whole.leaves().iter().flat_map(|leaf| leaf.0).collect();
                all.wholes.push(OfferedWhole { index, received_ms: whole.received_ms, leaves });
            }
        }
        all
    }
}

/// Keeps the page's signature with the leaves of its entries; the oldest pages are forgotten.
pub(super) fn keep_page(
    connection: &Connection,
    identity: &Identity,
    audience: &AudienceName,
    page: &Page,
    leaves: &SignedLeaves,
) -> Result<(), Error> {
    let sql = "INSERT INTO signed_page (audience, epoch, position, leaves, signature, wholes) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (audience, epoch, position) DO UPDATE \
               SET leaves = excluded.leaves, signature = excluded.signature, wholes = excluded.wholes";
    let (epoch, from) = (identity.epoch.cast_signed(), page.from.cast_signed());
    let wholes = to_cbor(&leaves.wholes);
    let words = params![audience.as_str(), epoch, from, leaves.entries, page.signature.as_bytes(), wholes];
    connection.prepare_cached(sql)?.execute(words)?;
    let sql = "DELETE FROM signed_page WHERE audience = ?1 AND epoch = ?2 AND position < ?3";
    let oldest = page.to().saturating_sub(SIGNED_POSITIONS).cast_signed();
    connection.prepare_cached(sql)?.execute(params![audience.as_str(), epoch, oldest])?;
    // Of epochs before this one: what the server may not have taken back yet.
    let sql = "DELETE FROM signed_page WHERE audience = ?1 AND epoch < ?2 - 4";
    connection.prepare_cached(sql)?.execute(params![audience.as_str(), epoch])?;
    Ok(())
}

/// The last page that the server signed for this device in its newest epoch: what shows that its log went back.
pub(super) fn witness(connection: &Connection, identity: &Identity) -> Result<Option<Witness>, Error> {
    let sql = "SELECT audience, epoch, position, leaves, signature, wholes FROM signed_page \
               ORDER BY epoch DESC, position + length(leaves) / 32 DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let pages = statement.query_map([], read_page)?.collect::<Result<Vec<_>, _>>()?;
    let granted = |page: &OfferedPage| identity.audiences().contains(&page.audience);
    Ok(pages.into_iter().find(granted).map(|page| {
        let leaves = page.leaves();
        Witness {
            to: page.from.saturating_add(leaves.len() as u64),
            root: merkle::root(&leaves),
            audience: page.audience,
            epoch: page.epoch,
            from: page.from,
            signature: page.signature,
        }
    }))
}

fn read_page(row: &rusqlite::Row<'_>) -> rusqlite::Result<OfferedPage> {
    let audience: String = row.get(0)?;
    let audience = audience.parse().map_err(|_| rusqlite::Error::InvalidColumnName("audience".to_owned()))?;
    Ok(OfferedPage {
        audience,
        epoch: row.get::<_, i64>(1)?.cast_unsigned(),
        from: row.get::<_, i64>(2)?.cast_unsigned(),
        leaves: row.get(3)?,
        signature: Signature64(rows::array(row, 4)?),
        changes: Vec::new(),
        wholes: from_cbor("wholes", &row.get::<_, Vec<u8>>(5)?)
            .map_err(|_| rusqlite::Error::InvalidColumnName("wholes".to_owned()))?,
    })
}

/// The server does not know these changes. Own ones that no page proves go back into the outbox; all are offered.
pub(super) fn wanted(
    writing: &mut Writing<'_>,
    identity: &Identity,
    audience: &AudienceName,
    difference: &Difference,
) -> Result<u32, Error> {
    let wanted: BTreeSet<Short> = difference.wanted_items().collect();
    let mut held: Vec<Held> = digest::copy(writing.connection(), audience)?;
    held.retain(|held| wanted.contains(&Short::of(&difference.salt, &held.item)));
    let places = places(&kept_pages(writing.connection())?);
    let mut count = 0;
    for held in &held {
        let sql = "INSERT INTO offer (audience, kind, id, case_id, generation, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                   ON CONFLICT DO NOTHING";
        writing.connection().prepare_cached(sql)?.execute(params![
            audience.as_str(),
            held.record.key.kind.0,
            held.record.key.id.as_bytes(),
            rows::case_bytes(&held.record),
            held.record.generation,
            held.hash.as_bytes()
        ])?;
        count += 1;
        let own = held.actor.map_or(Ok(false), |actor| compare::is_own(writing.connection(), &actor))?;
        if own && place_of(writing.connection(), &places, &held.record, &held.hash)?.is_none() {
            push_again(writing, identity, &held.record, &[held.hash])?;
        }
    }
    Ok(count)
}

/// Puts own, once acknowledged changes of a record back into the outbox, to be pushed under the grant that holds now.
pub(super) fn push_again(
    writing: &mut Writing<'_>,
    identity: &Identity,
    record: &RecordRef,
    hashes: &[ChangeHash],
) -> Result<(), Error> {
    let Some(row) = compare::row_of(writing.connection(), record)? else { return Ok(()) };
    for hash in hashes {
        let sql = "SELECT own_incarnation.incarnation, change.chunk FROM change \
                   JOIN own_incarnation ON own_incarnation.actor = change.actor \
                   WHERE change.record = ?1 AND change.hash = ?2 AND NOT EXISTS (SELECT 1 FROM outbox \
                   WHERE outbox.kind = ?3 AND outbox.id = ?4 AND outbox.hash = ?2)";
        let key = &record.key;
        let words = params![row.0, hash.as_bytes(), key.kind.0, key.id.as_bytes()];
        let read = |row: &rusqlite::Row<'_>| Ok((Incarnation(rows::array(row, 0)?), row.get::<_, Vec<u8>>(1)?));
        let found = writing.connection().prepare_cached(sql)?.query_row(words, read).optional()?;
        let Some((incarnation, chunk)) = found else { continue };
        let again = outbox::Again { record, hash, incarnation, chunk: &chunk };
        outbox::again(writing.connection(), identity, &again, writing.now_ms)?;
        writing.unacknowledged(row, record, hash)?;
        writing.changed.note(record);
    }
    Ok(())
}

/// Own changes of a record that the server acknowledged once, in the order in which they were made.
pub(super) fn own_changes(connection: &Connection, key: &RecordKey) -> Result<Vec<ChangeHash>, Error> {
    let sql = "SELECT change.hash FROM change JOIN record ON record.row = change.record \
               WHERE record.kind = ?1 AND record.id = ?2 \
               AND change.actor IN (SELECT actor FROM own_incarnation) \
               AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.kind = ?1 AND outbox.id = ?2 \
               AND outbox.hash = change.hash) ORDER BY change.row";
    let mut statement = connection.prepare_cached(sql)?;
    let hashes = statement.query_map(params![key.kind.0, key.id.as_bytes()], |row| rows::array(row, 0))?;
    Ok(hashes.map(|hash| hash.map(ChangeHash)).collect::<Result<_, _>>()?)
}

/// The server answered the first `count` offers of this audience.
pub(super) fn answered(connection: &Connection, audience: &AudienceName, count: u64) -> Result<(), Error> {
    let sql = "DELETE FROM offer WHERE row IN (SELECT row FROM offer WHERE audience = ?1 ORDER BY row LIMIT ?2)";
    connection.prepare_cached(sql)?.execute(params![audience.as_str(), count.cast_signed()])?;
    Ok(())
}

/// Whether something waits to be offered.
pub(super) fn waits(connection: &Connection) -> Result<bool, Error> {
    Ok(connection.query_row("SELECT EXISTS (SELECT 1 FROM offer)", [], |row| row.get(0))?)
}

fn kept_pages(connection: &Connection) -> Result<Vec<OfferedPage>, Error> {
    let sql = "SELECT audience, epoch, position, leaves, signature, wholes FROM signed_page \
               ORDER BY epoch, audience, position";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([], read_page)?.collect::<Result<_, _>>()?)
}

fn places(pages: &[OfferedPage]) -> BTreeMap<Digest32, (usize, u32)> {
    let mut places = BTreeMap::new();
    for (at, page) in pages.iter().enumerate() {
        let within = page.wholes.iter().flat_map(|whole| whole.leaves().into_iter().map(|leaf| (whole.index, leaf)));
        places.extend((0_u32..).zip(page.leaves()).chain(within).map(|(index, leaf)| (leaf, (at, index))));
    }
    places
}

/// Where the change stands, if a page that is kept proves it.
fn place_of(
    connection: &Connection,
    places: &BTreeMap<Digest32, (usize, u32)>,
    record: &RecordRef,
    hash: &ChangeHash,
) -> Result<Option<Place>, Error> {
    let Some((_, received_ms)) = stored(connection, record, hash)? else { return Ok(None) };
    let leaf = change_leaf(record, hash, received_ms);
    Ok(places.get(&leaf).map(|(page, index)| Place { page: *page, index: *index, received_ms }))
}

fn stored(connection: &Connection, record: &RecordRef, hash: &ChangeHash) -> Result<Option<(Vec<u8>, i64)>, Error> {
    let sql = "SELECT change.chunk, change.received_ms FROM change JOIN record ON record.row = change.record \
               WHERE record.kind = ?1 AND record.id = ?2 AND change.hash = ?3";
    let words = params![record.key.kind.0, record.key.id.as_bytes(), hash.as_bytes()];
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(words, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

impl Store {
    /// What the next request offers, within the limits of one request; `None`: nothing.
    pub(super) fn offers(&self, identity: &Identity, limits: &WorkLimits) -> Result<Option<Offers>, Error> {
        if !waits(&self.connection)? {
            return Ok(None);
        }
        let mut pages = kept_pages(&self.connection)?;
        let places = places(&pages);
        let (mut claims, mut left) = (Vec::new(), limits.bytes);
        for (at, audience) in (0_u16..).zip(identity.audiences()) {
            let sql = "SELECT kind, id, case_id, generation, hash FROM offer WHERE audience = ?1 ORDER BY row";
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut found = statement.query([audience.as_str()])?;
            while let Some(row) = found.next()? {
                if claims.len() >= limits.changes_max || left == 0 {
                    break;
                }
                let (record, hash) = (rows::record_ref(row, 0)?, ChangeHash(rows::array(row, 4)?));
                claims.push(Claim { audience: at, record, hash });
                let place = place_of(&self.connection, &places, &record, &hash)?;
                let (Some(place), Some((chunk, _))) = (place, stored(&self.connection, &record, &hash)?) else {
                    continue;
                };
                left = left.saturating_sub(chunk.len());
                if let Some(page) = pages.get_mut(place.page) {
                    let (index, received_ms) = (place.index, place.received_ms);
                    page.changes.push(OfferedChange { index, record, received_ms, chunk });
                }
            }
        }
        pages.retain(|page| !page.changes.is_empty());
        for page in &mut pages {
            let OfferedPage { changes, wholes, .. } = page;
            wholes.retain(|whole| changes.iter().any(|change| change.index == whole.index));
        }
        Ok(Some(Offers { pages, claims }))
    }
}
