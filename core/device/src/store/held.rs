//! What this device and the server both hold, so that changes can be named instead of told.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use foras_record::packed::{Held, HeldChange};
use foras_wire::id::{Actor, ChangeHash, PublicKey};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::identity::Identity;
use super::rows;
use super::segment::{self, SegmentRow};
use crate::error::Error;

/// Bytes of an id, of a record or an actor.
const ID_BYTES: usize = 16;

/// The device's rows, as the logs that it follows made them. What a failing database does not find is told in full.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
    server: PublicKey,
    epoch: u64,
    /// Changes of segments that were looked into, by record: what came in a pack has no rows of its own yet.
    segments: RefCell<BTreeMap<SegmentRow, Named>>,
}

/// Changes by record.
type Named = BTreeMap<RecordKey, Vec<HeldChange>>;

impl<'c> Rows<'c> {
    pub(super) fn new(connection: &'c Connection, identity: &Identity) -> Self {
        let (server, epoch) = (identity.server.key, identity.epoch);
        Self { connection, server, epoch, segments: RefCell::default() }
    }

    /// How many first bytes of a record's id no other record of its kind begins with; `None` where the server never told
    /// of it.
    fn name_of(&self, key: &RecordKey) -> rusqlite::Result<Option<usize>> {
        let sql = "SELECT 1 FROM holding JOIN record ON record.row = holding.record \
                   WHERE record.kind = ?1 AND record.id = ?2 LIMIT 1";
        let words = params![key.kind.0, key.id.as_bytes()];
        if !self.connection.prepare_cached(sql)?.exists(words)? {
            return Ok(None);
        }
        let before = "SELECT max(id) FROM record WHERE kind = ?1 AND id < ?2";
        let after = "SELECT min(id) FROM record WHERE kind = ?1 AND id > ?2";
        let before: Option<Vec<u8>> = self.connection.prepare_cached(before)?.query_row(words, |row| row.get(0))?;
        let after: Option<Vec<u8>> = self.connection.prepare_cached(after)?.query_row(words, |row| row.get(0))?;
        Ok(Some(name_bytes(key.id.as_bytes(), [before, after])))
    }

    fn name_of_actor(&self, actor: &Actor) -> rusqlite::Result<Option<usize>> {
        let id = actor.as_bytes();
        if !self.connection.prepare_cached("SELECT 1 FROM author WHERE actor = ?1")?.exists([id])? {
            return Ok(None);
        }
        let before = "SELECT max(actor) FROM author WHERE actor < ?1";
        let after = "SELECT min(actor) FROM author WHERE actor > ?1";
        let before: Option<Vec<u8>> = self.connection.prepare_cached(before)?.query_row([id], |row| row.get(0))?;
        let after: Option<Vec<u8>> = self.connection.prepare_cached(after)?.query_row([id], |row| row.get(0))?;
        Ok(Some(name_bytes(id, [before, after])))
    }

    fn record_of(&self, kind: KindCode, name: &[u8]) -> rusqlite::Result<Option<RecordRef>> {
        let sql = "SELECT kind, id, case_id, generation FROM record \
                   WHERE kind = ?1 AND id BETWEEN ?2 AND ?3 \
                   AND EXISTS (SELECT 1 FROM holding WHERE holding.record = record.row) LIMIT 2";
        let (first, last) = range(name);
        let mut statement = self.connection.prepare_cached(sql)?;
        only(statement.query_map(params![kind.0, first, last], |row| rows::record_ref(row, 0))?)
    }

    fn actor_of(&self, name: &[u8]) -> rusqlite::Result<Option<Actor>> {
        let (first, last) = range(name);
        let sql = "SELECT actor FROM author WHERE actor BETWEEN ?1 AND ?2 LIMIT 2";
        let mut statement = self.connection.prepare_cached(sql)?;
        only(statement.query_map(params![first, last], |row| rows::array(row, 0).map(Actor))?)
    }

    fn change_of(&self, key: &RecordKey, actor: &Actor, seq: u64) -> rusqlite::Result<Option<HeldChange>> {
        let sql = "SELECT change.hash, change.actor, change.seq, change.max_op \
                   FROM record JOIN change ON change.record = record.row \
                   WHERE record.kind = ?1 AND record.id = ?2 AND change.actor = ?3 AND change.seq = ?4";
        let words = params![key.kind.0, key.id.as_bytes(), actor.as_bytes(), seq.cast_signed()];
        self.connection.prepare_cached(sql)?.query_row(words, held_change).optional()
    }

    /// A change of a record that came in a pack and was not tried yet.
    fn received_change(&self, key: &RecordKey, actor: &Actor, seq: u64) -> Result<Option<HeldChange>, Error> {
        let Some((row, _)) = rows::find(self.connection, key)? else { return Ok(None) };
        let Some(segment) = segment::of_record(self.connection, row)? else { return Ok(None) };
        let mut segments = self.segments.borrow_mut();
        let named = match segments.entry(segment) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(segment::named(self.connection, segment)?),
        };
        let changes = named.get(key).map(Vec::as_slice).unwrap_or_default();
        Ok(changes.iter().find(|change| change.actor == *actor && change.seq == seq).copied())
    }

    /// What waits in the outbox, or came from another phone alone, is not on the server yet.
    fn sent_change(&self, key: &RecordKey, hash: &ChangeHash) -> rusqlite::Result<Option<HeldChange>> {
        let sql = "SELECT change.hash, change.actor, change.seq, change.max_op \
                   FROM record JOIN change ON change.record = record.row \
                   WHERE record.kind = ?1 AND record.id = ?2 AND change.hash = ?3 AND change.actor <> x'' \
                   AND NOT EXISTS (SELECT 1 FROM outbox \
                                   WHERE outbox.kind = ?1 AND outbox.id = ?2 AND outbox.hash = ?3) \
                   AND NOT EXISTS (SELECT 1 FROM carried_item AS item \
                                   WHERE item.kind = ?1 AND item.id = ?2 AND item.hash = ?3 AND item.state = 2)";
        let words = params![key.kind.0, key.id.as_bytes(), hash.as_bytes()];
        self.connection.prepare_cached(sql)?.query_row(words, held_change).optional()
    }
}

fn held_change(row: &Row<'_>) -> rusqlite::Result<HeldChange> {
    Ok(HeldChange {
        hash: ChangeHash(rows::array(row, 0)?),
        actor: Actor(rows::array(row, 1)?),
        seq: row.get::<_, i64>(2)?.cast_unsigned(),
        max_op: row.get::<_, i64>(3)?.cast_unsigned(),
    })
}

fn name_bytes(id: &[u8], neighbours: [Option<Vec<u8>>; 2]) -> usize {
    let common = |other: Vec<u8>| id.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let common = neighbours.into_iter().flatten().map(common).max().unwrap_or(0);
    (common + 1).min(ID_BYTES)
}

/// The ids that begin with `name`.
fn range(name: &[u8]) -> ([u8; ID_BYTES], [u8; ID_BYTES]) {
    let (mut first, mut last) = ([0; ID_BYTES], [0xff; ID_BYTES]);
    for ((first, last), byte) in first.iter_mut().zip(&mut last).zip(name) {
        (*first, *last) = (*byte, *byte);
    }
    (first, last)
}

fn only<T>(mut all: impl Iterator<Item = rusqlite::Result<T>>) -> rusqlite::Result<Option<T>> {
    let first = all.next().transpose()?;
    Ok(if all.next().transpose()?.is_some() { None } else { first })
}

impl Held for Rows<'_> {
    fn name_bytes(&self, key: &RecordKey) -> Option<usize> {
        self.name_of(key).ok().flatten()
    }

    fn record_named(&self, kind: KindCode, name: &[u8]) -> Option<RecordRef> {
        self.record_of(kind, name).ok().flatten()
    }

    fn actor_name_bytes(&self, actor: &Actor) -> Option<usize> {
        self.name_of_actor(actor).ok().flatten()
    }

    fn actor_named(&self, name: &[u8]) -> Option<Actor> {
        self.actor_of(name).ok().flatten()
    }

    fn server(&self) -> Option<(PublicKey, u64)> {
        Some((self.server, self.epoch))
    }

    fn change(&self, record: &RecordKey, actor: &Actor, seq: u64) -> Option<HeldChange> {
        let kept = self.change_of(record, actor, seq).ok().flatten();
        kept.or_else(|| self.received_change(record, actor, seq).ok().flatten())
    }

    fn change_of_hash(&self, record: &RecordKey, hash: &ChangeHash) -> Option<HeldChange> {
        self.sent_change(record, hash).ok().flatten()
    }
}
