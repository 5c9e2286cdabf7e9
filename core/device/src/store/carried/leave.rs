//! Taking changes of other devices out of their records again: what the server did not admit, and all that builds on it.
//!
//! A change names what it builds on by its hash, so what builds on a change that is gone can never stand anywhere: own work
//! is written anew, others' is let go of, and its authors are told by the server themselves.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::change;
use foras_record::kind::Kind;
use foras_wire::id::ChangeHash;
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::Connection;

use super::super::identity::Identity;
use super::super::reissue;
use super::super::settle::{Exit, OutboxRow, Settled, with_followers};
use super::super::writing::Writing;
use super::{CarriedItem, REFUSED, set_state};
use crate::error::Error;

/// Own changes that leave, and others'.
pub(in crate::store) type Leaving = (Vec<(OutboxRow, Exit)>, Vec<CarriedItem>);

/// Takes `gone` out of their records. Gives the identity under which the device now writes, if own work had to go too.
pub(in crate::store) fn take_out(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    gone: Vec<CarriedItem>,
    settled: &mut Settled,
) -> Result<Option<Identity>, Error> {
    if gone.is_empty() {
        return Ok(None);
    }
    let (own, others) = with_all(writing, Vec::new(), gone)?;
    reissue::expel(writing, reborn, own, &others, settled)
}

/// Everything that has to leave when these do: what builds on them, and the change sets of all that.
pub(in crate::store) fn with_all(
    writing: &mut Writing<'_>,
    own: Vec<(OutboxRow, Exit)>,
    gone: Vec<CarriedItem>,
) -> Result<Leaving, Error> {
    if gone.is_empty() && !any_applied(writing.connection())? {
        return Ok((own, gone));
    }
    let mut own: BTreeMap<u64, (OutboxRow, Exit)> = own.into_iter().map(|(row, exit)| (row.seq, (row, exit))).collect();
    let mut others: BTreeMap<i64, CarriedItem> = gone.into_iter().map(|item| (item.row, item)).collect();
    loop {
        let before = (own.len(), others.len());
        for (record, hashes) in by_record(&own, &others) {
            for hash in building_on(writing, &record, hashes)? {
                follow(writing.connection(), &record.key, &hash, &mut own, &mut others)?;
            }
        }
        let sets: BTreeSet<_> = others.values().map(|item| (item.carried, item.change_set)).collect();
        for (push, set) in sets {
            let mates = CarriedItem::applied_of_set(writing.connection(), push, set)?;
            others.extend(mates.into_iter().map(|item| (item.row, item)));
        }
        if !own.is_empty() {
            let all = with_followers(writing.connection(), own)?;
            own = all.into_iter().map(|(row, exit)| (row.seq, (row, exit))).collect();
        }
        if (own.len(), others.len()) == before {
            return Ok((own.into_values().collect(), others.into_values().collect()));
        }
    }
}

/// These left their records.
pub(in crate::store) fn note_gone(connection: &Connection, others: &[CarriedItem]) -> Result<(), Error> {
    others.iter().try_for_each(|item| set_state(connection, item.row, REFUSED))
}

fn any_applied(connection: &Connection) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM carried_item WHERE state = 2)";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

fn by_record(
    own: &BTreeMap<u64, (OutboxRow, Exit)>,
    others: &BTreeMap<i64, CarriedItem>,
) -> BTreeMap<RecordRef, BTreeSet<ChangeHash>> {
    let own = own.values().map(|(row, _)| (row.record, row.hash));
    let mut records: BTreeMap<RecordRef, BTreeSet<ChangeHash>> = BTreeMap::new();
    for (record, hash) in own.chain(others.values().map(|item| (item.record, item.hash))) {
        records.entry(record).or_default().insert(hash);
    }
    records
}

/// Changes of the record that build on `gone`, without those.
fn building_on(
    writing: &mut Writing<'_>,
    record: &RecordRef,
    mut gone: BTreeSet<ChangeHash>,
) -> Result<BTreeSet<ChangeHash>, Error> {
    let Some(kind) = Kind::of_code(record.key.kind) else { return Ok(BTreeSet::new()) };
    let history = &writing.take(kind, record)?.history;
    let mut building = BTreeSet::new();
    for chunk in history.chunks() {
        let hash = change::chunk_hash(chunk).map_err(|_| Error::Corrupt { set_aside: None })?;
        let builds = history.known(&hash).is_some_and(|known| known.deps.iter().any(|dep| gone.contains(dep)));
        if builds && gone.insert(hash) {
            building.insert(hash);
        }
    }
    Ok(building)
}

/// Adds a change that has to leave. One that the server vouches for cannot build on what it refused.
fn follow(
    connection: &Connection,
    key: &RecordKey,
    hash: &ChangeHash,
    own: &mut BTreeMap<u64, (OutboxRow, Exit)>,
    others: &mut BTreeMap<i64, CarriedItem>,
) -> Result<(), Error> {
    if let Some(row) = OutboxRow::later(connection, key, 0)?.into_iter().find(|row| row.hash == *hash) {
        own.entry(row.seq).or_insert((row, Exit::Reissue));
        return Ok(());
    }
    let item = CarriedItem::applied_of_record(connection, key)?.into_iter().find(|item| item.hash == *hash);
    let item = item.ok_or(reissue::CONTRADICTION)?;
    others.insert(item.row, item);
    Ok(())
}
