//! Makes a segment: its records' changes, packed, compressed and sealed.

use std::collections::BTreeMap;

use foras_record::pack::{Maker, Segment, SegmentAuthor, SegmentChange, SegmentRecord};
use foras_record::proof;
use foras_record::role::Role;
use foras_wire::id::{Actor, Signature64};
use foras_wire::pack::{self, Seal};
use rusqlite::Connection;

use super::plan::{Plan, Planned};
use crate::error::ServerError;
use crate::keys::Keys;
use crate::recovery;
use crate::server::Server;
use crate::storage::packs::Shelf;
use crate::storage::{authors, records};

const BAD: ServerError = ServerError::Corrupt("a segment of a pack cannot be made");

/// The segment of this number; `None` when something of it has left the audience.
pub(super) fn segment(
    server: &Server,
    shelf: &Shelf,
    plan: &Plan,
    number: u32,
) -> Result<Option<(Seal, Vec<u8>)>, ServerError> {
    let cut = usize::try_from(number).ok().and_then(|number| plan.cuts.get(number)).ok_or(BAD)?;
    let planned = plan.records.get(cut.clone()).ok_or(BAD)?;
    let keys = &server.keys;
    let Some(segment) = server.db.read(|db| gather(db, keys, shelf, planned))? else { return Ok(None) };
    let maker = Maker { key: keys.public(), epoch: keys.epoch() };
    let blob = pack::compress(&segment.encode(&maker)).map_err(|_| BAD)?;
    let count = |count: usize| u32::try_from(count).map_err(|_| BAD);
    let mut seal = Seal {
        to: plan.to,
        segments: count(plan.cuts.len())?,
        pack_records: count(plan.records.len())?,
        bytes: count(blob.len())?,
        records: count(segment.records.len())?,
        changes: count(segment.changes())?,
        sum: segment.sum(),
        blob: pack::blob_digest(&blob),
        signature: Signature64([0; 64]),
    };
    let audience = shelf.audience.parse().map_err(|_| BAD)?;
    proof::sign_seal(&keys.key, &mut seal, &keys.server, keys.epoch(), &audience, &plan.id, number);
    Ok(Some((seal, blob)))
}

fn gather(db: &Connection, keys: &Keys, shelf: &Shelf, planned: &[Planned]) -> Result<Option<Segment>, ServerError> {
    let mut segment = Segment::default();
    let mut known: BTreeMap<Actor, Option<SegmentAuthor>> = BTreeMap::new();
    for one in planned {
        let key = &one.record.key;
        if !records::is_held(db, key, &shelf.audience)? {
            return Ok(None);
        }
        let own = keys.actor(key);
        let (mut changes, mut received_ms) = (Vec::new(), 0);
        for change in records::changes(db, key, one.through)? {
            if change.actor != own && !known.contains_key(&change.actor) {
                known.insert(change.actor, author(db, &change.actor, shelf.names)?);
            }
            received_ms = change.received_ms.max(received_ms);
            changes.push(SegmentChange { hash: change.hash, chunk: change.chunk });
        }
        let moved = if is_with_a_mission(db, one)? { one.moved } else { 0 };
        segment.records.push(SegmentRecord { record: one.record, received_ms, moved, seen: one.seen.clone(), changes });
    }
    segment.authors = known.into_iter().filter_map(|(actor, author)| Some((actor, author?))).collect();
    Ok(Some(segment))
}

/// Whether a mission has the record, or had it: only then does it matter what of it a mission has seen. One that will have it
/// gets all of it.
fn is_with_a_mission(db: &Connection, one: &Planned) -> Result<bool, ServerError> {
    if one.moved == 0 || one.seen.is_some() {
        return Ok(one.moved > 0);
    }
    Ok(records::audiences(db, &one.record.key)?.keys().any(|audience| recovery::waits(audience)))
}

/// Who an actor is. Migrants are told roles only, and no migrant's name is told.
fn author(db: &Connection, actor: &Actor, names: bool) -> Result<Option<SegmentAuthor>, ServerError> {
    let author = authors::get(db, actor)?;
    Ok(author.map(|author| SegmentAuthor {
        name: author.name.filter(|_| names && author.role != Role::Migrant.code()),
        role: author.role,
    }))
}
