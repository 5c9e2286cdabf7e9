//! A page of an audience's log: applied whole, with its cursor, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use foras_record::{packed, proof};
use foras_wire::audience::AudienceName;
use foras_wire::id::ChangeHash;
use foras_wire::page::{Entry, KnownEntry, Page, SeenEntry};
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, OptionalExtension, params};

use super::arrival::{self, Arrived};
use super::identity::Identity;
use super::offer::SignedLeaves;
use super::writing::Writing;
use super::{Store, author, held, leave, offer, pack, rows};
use crate::error::Error;

/// What a page brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Changes that were new to the device.
    pub received: u32,
    /// Records that left the device.
    pub dropped: u32,
    /// Entries that this device could not admit, by stable code. They do not hold the cursor.
    pub refused: BTreeMap<&'static str, u32>,
    /// Own changes that were written anew, because the server holds another under their number.
    pub reissued: u32,
}

/// A record that comes in: what arrived of it, and until which position.
struct Incoming {
    record: RecordRef,
    chunks: Vec<(Vec<u8>, u64)>,
    received_ms: i64,
    /// When the server had received single changes, as their leaves say.
    each_ms: Vec<(ChangeHash, i64)>,
}

/// A page under way.
struct Applying<'w, 's> {
    writing: &'w mut Writing<'s>,
    reborn: &'w Identity,
    audience: &'w AudienceName,
    incoming: BTreeMap<RecordKey, Incoming>,
    applied: Applied,
    shared: bool,
}

impl Store {
    /// Checks the page's signature and that it continues at the cursor, and applies it with its cursor in one
    /// transaction.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`]; [`Error::BadAnswer`] when the page is not the server's, is of no audience of this device,
    /// or does not continue at the cursor. Nothing of it is then kept.
    pub fn apply_page(&mut self, page: &Page, now_ms: i64) -> Result<Applied, Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let audience = identity.audiences().get(usize::from(page.audience));
        let audience = audience.ok_or(Error::BadAnswer { code: "unknown_audience" })?;
        let reborn = identity.reborn(self.fresh_incarnation()?);
        let mut writing = self.writing(now_ms)?;
        if cursor(writing.connection(), audience)? != page.from {
            return Err(Error::BadAnswer { code: "not_at_cursor" });
        }
        if page.from == 0 {
            // The log is told from its start: what a pack was bringing comes with it.
            pack::forget(&mut writing, audience)?;
        }
        let entries = opened(writing.connection(), &identity, audience, page)?;
        let (incoming, applied) = (BTreeMap::new(), Applied::default());
        let mut applying =
            Applying { writing: &mut writing, reborn: &reborn, audience, incoming, applied, shared: false };
        let leaves = SignedLeaves::of(&entries);
        applying.entries(page.from, entries)?;
        offer::keep_page(applying.writing.connection(), &identity, audience, page, &leaves)?;
        let (applied, shared) = (applying.applied, applying.shared);
        advance(writing.connection(), audience, page.to())?;
        let mut changed = writing.commit()?;
        changed.delivery = true;
        if shared {
            self.identity = Some(Arc::new(reborn));
        }
        if applied.received > 0 {
            self.parked_carried.clear();
        }
        self.observers.tell(&changed);
        self.scrub()?;
        Ok(applied)
    }

    /// How far each audience's log was applied, and when its end was last reached (device's clock; `None`: never).
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn cursors(&self) -> Result<Vec<Cursor>, Error> {
        let sql = "SELECT position, synced_ms FROM cursor WHERE audience = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let identity = self.enrolled()?;
        let one = |audience: &AudienceName| {
            let found = statement.query_row([audience.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
            let (position, synced_ms) = found.optional()?.unwrap_or((0, 0));
            let synced_ms = (synced_ms != 0).then_some(synced_ms);
            Ok(Cursor { audience: audience.clone(), position: position.cast_unsigned(), synced_ms })
        };
        identity.audiences().iter().map(one).collect()
    }
}

/// How far an audience's log was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The audience.
    pub audience: AudienceName,
    /// The last position applied.
    pub position: u64,
    /// When the log's end was last reached, in milliseconds since 1970, device's clock.
    pub synced_ms: Option<i64>,
}

impl Applying<'_, '_> {
    fn entries(&mut self, from: u64, entries: Vec<Entry>) -> Result<(), Error> {
        for (position, entry) in (from.saturating_add(1)..).zip(entries) {
            self.entry(position, entry)?;
        }
        for key in self.incoming.keys().copied().collect::<Vec<_>>() {
            self.arrive(&key)?;
        }
        Ok(())
    }

    fn entry(&mut self, position: u64, entry: Entry) -> Result<(), Error> {
        match entry {
            Entry::Change(change) => {
                self.collect(change.record, [change.chunk], position, change.received_ms);
                if let Some(incoming) = self.incoming.get_mut(&change.record.key) {
                    incoming.each_ms.push((change.hash, change.received_ms));
                }
            }
            Entry::Whole(whole) => {
                let hashes: Vec<_> = whole.changes.iter().map(|(hash, _)| (*hash, whole.received_ms)).collect();
                let chunks = whole.changes.into_iter().map(|(_, chunk)| chunk);
                self.collect(whole.record, chunks, position, whole.received_ms);
                if let Some(incoming) = self.incoming.get_mut(&whole.record.key) {
                    incoming.each_ms.extend(hashes);
                }
            }
            Entry::Known(known) => self.known(&known, position)?,
            Entry::Drop(key) => {
                self.arrive(&key)?;
                self.applied.dropped += u32::from(leave::record(self.writing, self.audience, &key)?);
            }
            Entry::Erase(case) => {
                self.incoming.retain(|_, incoming| incoming.record.case != Some(case));
                self.applied.dropped += leave::case(self.writing, &case)?;
            }
            Entry::Author(author) => {
                let name = author.name.as_deref();
                author::introduce(self.writing.connection(), &author.actor, name, &author.role)?;
            }
            Entry::Seen(seen) => {
                self.arrive(&seen.key)?;
                self.seen(&seen)?;
            }
            Entry::Stub | Entry::Unknown { .. } => {}
        }
        Ok(())
    }

    fn refuse(&mut self, code: &'static str) {
        *self.applied.refused.entry(code).or_default() += 1;
    }

    fn collect(
        &mut self,
        record: RecordRef,
        chunks: impl IntoIterator<Item = Vec<u8>>,
        position: u64,
        received_ms: i64,
    ) {
        let empty = Incoming { record, chunks: Vec::new(), received_ms, each_ms: Vec::new() };
        let incoming = self.incoming.entry(record.key).or_insert(empty);
        if incoming.record != record {
            return self.refuse("wrong_identity");
        }
        incoming.chunks.extend(chunks.into_iter().map(|chunk| (chunk, position)));
        incoming.received_ms = incoming.received_ms.max(received_ms);
    }

    /// Admits what was collected of one record.
    fn arrive(&mut self, key: &RecordKey) -> Result<(), Error> {
        let Some(incoming) = self.incoming.remove(key) else { return Ok(()) };
        let Arrived { received, refused, reissued, shared, held } =
            arrival::admit(self.writing, self.reborn, &incoming.record, &incoming.chunks)?;
        self.applied.received += received;
        self.applied.reissued += reissued;
        self.shared |= shared;
        for code in refused {
            self.refuse(code);
        }
        let Some(row) = held else { return Ok(()) };
        for (hash, received_ms) in &incoming.each_ms {
            rows::set_received(self.writing.connection(), row, hash, *received_ms)?;
        }
        self.moved(key, row, incoming.chunks.iter().map(|(chunk, position)| (chunk.as_slice(), *position)))?;
        let sql = "UPDATE record SET server_ms = max(server_ms, ?2) WHERE row = ?1";
        let connection = self.writing.connection();
        connection.prepare_cached(sql)?.execute(params![row.0, incoming.received_ms])?;
        self.writing.touch(&incoming.record);
        Ok(())
    }

    /// Notes the last position at which the points' side wrote: what a mission must have, to have seen the record.
    fn moved<'c>(
        &mut self,
        key: &RecordKey,
        row: rows::RecordRow,
        chunks: impl Iterator<Item = (&'c [u8], u64)>,
    ) -> Result<(), Error> {
        let mut last = 0;
        for (chunk, position) in chunks {
            if arrival::is_by_the_points(self.writing.connection(), self.reborn, key, chunk)? {
                last = last.max(position);
            }
        }
        hold(self.writing, self.audience, row, last)
    }

    /// The change at this position is this device's own: it has it, and holds the record by this audience now.
    fn known(&mut self, known: &KnownEntry, position: u64) -> Result<(), Error> {
        let Some((row, record)) = rows::find(self.writing.connection(), &known.record.key)? else { return Ok(()) };
        rows::set_received(self.writing.connection(), row, &known.hash, known.received_ms)?;
        hold(self.writing, self.audience, row, position)?;
        self.writing.touch(&record);
        Ok(())
    }

    fn seen(&mut self, seen: &SeenEntry) -> Result<(), Error> {
        let Some((row, record)) = rows::find(self.writing.connection(), &seen.key)? else { return Ok(()) };
        note_seen(self.writing.connection(), self.audience, row, seen)?;
        self.writing.changed.note(&record);
        Ok(())
    }
}

/// A mission has the record up to a position of this audience's log.
pub(super) fn note_seen(
    connection: &Connection,
    audience: &AudienceName,
    row: rows::RecordRow,
    seen: &SeenEntry,
) -> Result<(), Error> {
    let sql = "UPDATE holding SET seen = max(seen, ?3) WHERE audience = ?1 AND record = ?2";
    connection.prepare_cached(sql)?.execute(params![audience.as_str(), row.0, seen.through.cast_signed()])?;
    let sql = "UPDATE record SET seen_ms = ?2, seen_by = ?3 WHERE row = ?1";
    connection.prepare_cached(sql)?.execute(params![row.0, seen.at_ms, seen.country])?;
    Ok(())
}

/// The entries of a page, rebuilt with what this device holds, once the server's signature of them is checked.
fn opened(
    connection: &Connection,
    identity: &Identity,
    audience: &AudienceName,
    page: &Page,
) -> Result<Vec<Entry>, Error> {
    let rows = held::Rows::new(connection, identity);
    let entries = packed::page::unpacked(&page.body, page.count, &rows);
    let entries = entries.map_err(|error| Error::BadAnswer { code: error.code() })?;
    let server = &identity.server;
    proof::verify_page(&server.key, page, &foras_wire::page::root(&entries), &server.id, identity.epoch, audience)
        .map_err(|_| Error::BadAnswer { code: "bad_signature" })?;
    Ok(entries)
}

/// The device holds the record through `audience`, with a change of the points' side at `position`.
pub(super) fn hold(
    writing: &mut Writing<'_>,
    audience: &AudienceName,
    row: rows::RecordRow,
    position: u64,
) -> Result<(), Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM holding WHERE audience = ?1 AND record = ?2)";
    let words = params![audience.as_str(), row.0];
    let held: bool = writing.connection().prepare_cached(sql)?.query_row(words, |row| row.get(0))?;
    if !held {
        // What is held by several audiences counts by itself, not by one segment.
        writing.try_received(row)?;
        writing.held_by(audience.as_str(), row)?;
        // Where its case is not held, a record's point is that of an audience: it is looked for anew.
        let sql = "UPDATE record SET point = '' WHERE row = ?1 AND case_id NOT IN (x'', id) AND point <> ''";
        writing.connection().prepare_cached(sql)?.execute([row.0])?;
    }
    let connection = writing.connection();
    let sql = "INSERT INTO holding (audience, record, position) VALUES (?1, ?2, ?3) \
               ON CONFLICT (audience, record) DO UPDATE SET position = max(position, excluded.position)";
    connection.prepare_cached(sql)?.execute(params![audience.as_str(), row.0, position.cast_signed()])?;
    Ok(())
}

/// The last position applied of each audience, in the order of the grant.
pub(super) fn cursors(connection: &Connection, identity: &Identity) -> Result<Vec<u64>, Error> {
    identity.audiences().iter().map(|audience| cursor(connection, audience)).collect()
}

pub(super) fn cursor(connection: &Connection, audience: &AudienceName) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached("SELECT position FROM cursor WHERE audience = ?1")?;
    let position: Option<i64> = statement.query_row([audience.as_str()], |row| row.get(0)).optional()?;
    Ok(position.unwrap_or(0).cast_unsigned())
}

pub(super) fn advance(connection: &Connection, audience: &AudienceName, position: u64) -> Result<(), Error> {
    let sql = "INSERT INTO cursor (audience, position) VALUES (?1, ?2) \
               ON CONFLICT (audience) DO UPDATE SET position = excluded.position";
    connection.prepare_cached(sql)?.execute(params![audience.as_str(), position.cast_signed()])?;
    Ok(())
}

/// Every audience's log was followed to its end.
pub(super) fn mark_synced(connection: &Connection, identity: &Identity, now_ms: i64) -> Result<(), Error> {
    let sql = "INSERT INTO cursor (audience, synced_ms) VALUES (?1, ?2) \
               ON CONFLICT (audience) DO UPDATE SET synced_ms = excluded.synced_ms";
    let mut statement = connection.prepare_cached(sql)?;
    for audience in identity.audiences() {
        statement.execute(params![audience.as_str(), now_ms])?;
    }
    Ok(())
}
