//! Changes that the server vouches for, into their record.

use std::collections::BTreeSet;

use foras_record::admission::{self, Verdict};
use foras_record::change::{self, ParsedChange};
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_wire::id::ChangeHash;
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::carried::{self, CarriedItem};
use super::identity::Identity;
use super::rows::{self, RecordRow};
use super::settle::{Exit, OutboxRow, Settled, with_followers};
use super::writing::Writing;
use super::{author, outbox, reissue};
use crate::error::Error;

/// What came of a record's incoming changes.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    /// Changes that were new.
    pub(super) received: u32,
    /// Codes of those that could not be admitted.
    pub(super) refused: Vec<&'static str>,
    /// Own changes that were written anew.
    pub(super) reissued: u32,
    /// Whether the device now writes under another incarnation.
    pub(super) shared: bool,
    /// The record's row, if the device holds it now.
    pub(super) held: Option<RecordRow>,
}

/// Admits `chunks` into the record. Changes that wait for others are kept aside and tried again with the next ones.
pub(super) fn admit(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    record: &RecordRef,
    chunks: &[(Vec<u8>, u64)],
) -> Result<Arrived, Error> {
    if Kind::of_code(record.key.kind).is_none() {
        return keep_opaque(writing, record, chunks);
    }
    let mut arrived = Arrived::default();
    let kind = match admission::check_record(record) {
        Ok(kind) => kind,
        Err(refusal) => return Ok(Arrived { refused: vec![refusal.code], ..arrived }),
    };
    if writing.take(kind, record)?.record != *record {
        return Ok(Arrived { refused: vec!["wrong_identity"], ..arrived });
    }
    let mut batch = Vec::new();
    for chunk in parked(writing.connection(), record)?.iter().chain(chunks.iter().map(|(chunk, _)| chunk)) {
        match change::parse(chunk) {
            Ok(change) => batch.push(change),
            Err(error) => arrived.refused.push(error.code()),
        }
    }
    // What stands in a log is on the server, even where the answer that said so was lost.
    let mut waited = BTreeSet::new();
    for change in &batch {
        let own = outbox::delete_arrived(writing.connection(), &record.key, &change.hash)?;
        let others = carried::is_applied(writing.connection(), &record.key, &change.hash)?;
        carried::arrived(writing.connection(), &record.key, &change.hash)?;
        if own || others {
            waited.insert(change.hash);
        }
    }
    give_way(writing, reborn, kind, record, &batch, &mut arrived)?;
    make_way(writing, reborn, kind, record, &batch, &mut arrived)?;
    let verdicts = admission::admit(&mut writing.take(kind, record)?.history, &batch, &|_, _, _| Ok(()));
    for (change, verdict) in batch.iter().zip(verdicts) {
        match verdict {
            Verdict::Admitted => {
                let row = writing.keep(&record.key, change)?;
                writing.acknowledged(row, record, &change.hash)?;
                arrived.received += 1;
            }
            Verdict::Duplicate => {
                if let Some(row) = writing.take(kind, record)?.row
                    && waited.remove(&change.hash)
                {
                    writing.acknowledged(row, record, &change.hash)?;
                }
            }
            Verdict::Parked { .. } => park(writing.connection(), record, change)?,
            Verdict::Refused(refusal) => arrived.refused.push(refusal.code),
        }
    }
    arrived.held = writing.take(kind, record)?.row;
    Ok(arrived)
}

/// What the server vouches for stands, whatever another device handed over under the same number of the same author: that
/// leaves.
fn give_way(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    kind: Kind,
    record: &RecordRef,
    batch: &[ParsedChange],
    arrived: &mut Arrived,
) -> Result<(), Error> {
    let applied = CarriedItem::applied_of_record(writing.connection(), &record.key)?;
    if applied.is_empty() {
        return Ok(());
    }
    let history = &writing.take(kind, record)?.history;
    let actors: Vec<_> =
        batch.iter().filter(|change| reissue::collides(history, change)).map(|change| change.actor).collect();
    let by = |item: &CarriedItem| history.known(&item.hash).map(|known| known.actor);
    let gone = applied.into_iter().filter(|item| by(item).is_some_and(|actor| actors.contains(&actor))).collect();
    let mut settled = Settled::default();
    if carried::leave::take_out(writing, reborn, gone, &mut settled)?.is_some() {
        arrived.shared = true;
    }
    arrived.reissued += settled.reissued;
    Ok(())
}

/// An incoming change that bears one of this device's own numbers comes from a copy of this store. Own unsent work of that
/// incarnation is then written anew under another one.
fn make_way(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    kind: Kind,
    record: &RecordRef,
    batch: &[ParsedChange],
    arrived: &mut Arrived,
) -> Result<(), Error> {
    let history = &writing.take(kind, record)?.history;
    let collides = batch.iter().find(|change| reissue::collides(history, change));
    let Some(actor) = collides.map(|change| change.actor) else { return Ok(()) };
    let Some(incarnation) = OutboxRow::incarnation_of(writing.connection(), &reborn.public_key(), &actor)? else {
        return Ok(());
    };
    let unsent = OutboxRow::of_incarnation(writing.connection(), &incarnation)?;
    let direct = unsent.into_iter().map(|row| (row.seq, (row, Exit::Reissue))).collect();
    let leaving = with_followers(writing.connection(), direct)?;
    let (leaving, others) = carried::leave::with_all(writing, leaving, Vec::new())?;
    let mut settled = Settled::default();
    reissue::expel(writing, reborn, leaving, &others, &mut settled)?;
    arrived.reissued += settled.reissued;
    arrived.shared = true;
    Ok(())
}

/// Keeps changes of a kind that this build does not know, untouched.
fn keep_opaque(writing: &mut Writing<'_>, record: &RecordRef, chunks: &[(Vec<u8>, u64)]) -> Result<Arrived, Error> {
    let row = match rows::find(writing.connection(), &record.key)? {
        Some((row, _)) => row,
        None => rows::insert(writing.connection(), record)?,
    };
    let mut arrived = Arrived { held: Some(row), ..Arrived::default() };
    for (chunk, _) in chunks {
        // Its own hash where it has one; any other bytes are told apart by their digest.
        let hash = change::chunk_hash(chunk).unwrap_or_else(|_| ChangeHash(Sha256::digest(chunk).into()));
        if rows::insert_opaque(writing.connection(), row, &hash, chunk)? {
            writing.acknowledged(row, record, &hash)?;
            arrived.received += 1;
        }
    }
    Ok(arrived)
}

/// Takes the record's parked changes out.
fn parked(connection: &Connection, record: &RecordRef) -> Result<Vec<Vec<u8>>, Error> {
    let words = params![record.key.kind.0, record.key.id.as_bytes()];
    let mut statement = connection.prepare_cached("SELECT chunk FROM parked WHERE kind = ?1 AND id = ?2")?;
    let chunks = statement.query_map(words, |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
    if !chunks.is_empty() {
        connection.prepare_cached("DELETE FROM parked WHERE kind = ?1 AND id = ?2")?.execute(words)?;
    }
    Ok(chunks)
}

pub(super) fn park(connection: &Connection, record: &RecordRef, change: &ParsedChange) -> Result<(), Error> {
    let sql = "INSERT INTO parked (kind, id, case_id, generation, hash, chunk) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![
        record.key.kind.0,
        record.key.id.as_bytes(),
        rows::case_bytes(record),
        record.generation,
        change.hash.as_bytes(),
        change.bytes()
    ])?;
    Ok(())
}

/// Whether a change is by the points' side: neither the server nor a mission.
pub(super) fn is_by_the_points(
    connection: &Connection,
    identity: &Identity,
    key: &RecordKey,
    chunk: &[u8],
) -> Result<bool, Error> {
    let Ok(change) = change::parse(chunk) else { return Ok(true) };
    let others = [Role::Server, Role::OriginCounsellor];
    Ok(!author::role_of(connection, identity, key, &change.actor)?.is_some_and(|role| others.contains(&role)))
}
