//! A whole segment into the device's lists: what first screens show gets its rows at once, from its changes as they are read;
//! the rest stays folded. No change is rebuilt: that is left until a record is tried.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::pack::Maker;
use foras_record::received::{Received, ReceivedRecord};
use foras_wire::audience::AudienceName;
use foras_wire::id::RecordId;
use foras_wire::pack::Seal;
use foras_wire::reconcile::Sum;
use foras_wire::record::{KindCode, RecordKey};
use rusqlite::{Connection, params};

use super::fold::{self, Placing};
use super::identity::Identity;
use super::segment::{self, Came, SegmentRow};
use super::writing::Writing;
use super::{arrival, author, page, rows};
use crate::error::Error;

/// A segment that came whole.
pub(super) struct Whole {
    pub(super) maker: Maker,
    pub(super) received: Received,
    pub(super) blob: Vec<u8>,
}

/// Brings a segment in; gives how many changes were new.
pub(super) fn bring(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    audience: &AudienceName,
    seal: &Seal,
    whole: &Whole,
) -> Result<u32, Error> {
    let records = &whole.received.records;
    for (actor, known) in &whole.received.authors {
        author::introduce(writing.connection(), actor, known.name.as_deref(), &known.role)?;
    }
    let apart = apart(writing.connection(), records)?;
    let may_fold = apart.is_empty() && fold::is_at_one_place(reborn);
    let folds = |one: &&ReceivedRecord| may_fold && fold::folds(one, reborn.role());
    let sum = Sum(seal.sum.0);
    let names = names(records.iter().filter(folds));
    let came = Came {
        maker: &whole.maker,
        audience,
        records: u32::try_from(records.len()).unwrap_or(u32::MAX),
        sum,
        folded: u32::try_from(records.iter().filter(folds).count()).unwrap_or(u32::MAX),
        names: &names,
        blob: &whole.blob,
        came_ms: writing.now_ms,
    };
    let row = segment::insert(writing.connection(), &came)?;
    writing.shift_audience(audience.as_str(), sum);
    let mut others = Vec::new();
    let mut new = 0;
    let mut changed = std::mem::take(&mut writing.changed);
    let mut placing = Placing::new(writing.connection(), row, audience.as_str(), writing.now_ms)?;
    for one in records {
        let placed = if folds(&one) {
            true
        } else if apart.contains(&one.record.key) {
            false
        } else {
            match &one.view {
                Some(view) => placing.place(one, view)?.is_some(),
                None => false,
            }
        };
        if placed {
            new += one.changes;
            changed.note(&one.record);
        } else {
            others.push(one);
        }
    }
    drop(placing);
    writing.changed = changed;
    for one in &others {
        new += admit(writing, reborn, audience, row, one)?;
    }
    if others.len() == records.len() {
        segment::set_records(writing.connection(), row, 0)?;
    } else if !others.is_empty() {
        writing.holes.insert(row);
    }
    Ok(new)
}

/// The ids of folded records and of their cases, each case once, as far as they are kept.
fn names<'r>(folded: impl Iterator<Item = &'r ReceivedRecord>) -> Vec<u8> {
    let (mut names, mut last) = (Vec::new(), None);
    for one in folded {
        if one.record.case != last {
            last = one.record.case;
            names.extend(last.iter().flat_map(|case| case.as_bytes().iter().take(fold::NAME_BYTES)));
        }
        names.extend(one.record.key.id.as_bytes().iter().take(fold::NAME_BYTES));
    }
    names
}

/// Records that take the way of pages: something of them waits here, unsent or for others, or the device has them already.
fn apart(connection: &Connection, records: &[ReceivedRecord]) -> Result<BTreeSet<RecordKey>, Error> {
    let mut apart = waiting(connection)?;
    let sql = "SELECT 1 FROM change JOIN record ON record.row = change.record WHERE record.case_id <> x''";
    let is_any_tried = connection.prepare_cached(sql)?.exists([])?;
    if is_any_tried {
        let mut cases: BTreeMap<RecordId, bool> = BTreeMap::new();
        for one in records {
            let Some(case) = one.record.case else { continue };
            let known = match cases.get(&case) {
                Some(known) => *known,
                None => {
                    let sql = "SELECT 1 FROM record WHERE case_id = ?1 AND received = 0";
                    let known = connection.prepare_cached(sql)?.exists([case.as_bytes()])?;
                    cases.insert(case, known);
                    known
                }
            };
            if known && rows::find(connection, &one.record.key)?.is_some() {
                apart.insert(one.record.key);
            }
        }
    }
    if !apart.is_empty() {
        let keys: BTreeSet<_> = records.iter().map(|one| one.record.key).collect();
        apart.retain(|key| keys.contains(key));
    }
    Ok(apart)
}

fn waiting(connection: &Connection) -> Result<BTreeSet<RecordKey>, Error> {
    let sql = "SELECT kind, id FROM outbox UNION SELECT kind, id FROM parked";
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement
        .query_map([], |row| Ok(RecordKey { kind: KindCode(row.get(0)?), id: RecordId(rows::array(row, 1)?) }))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// The way of pages: the changes are tried at once, onto what the device has. Gives how many were new.
fn admit(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    audience: &AudienceName,
    segment: SegmentRow,
    one: &ReceivedRecord,
) -> Result<u32, Error> {
    let lying = writing.lying(segment, &one.record.key)?;
    writing.let_out_of(segment, Sum(lying.sum().0))?;
    writing.shift_audience(audience.as_str(), Sum::default().minus(Sum(lying.sum().0)));
    let chunks: Vec<_> = lying.changes.into_iter().map(|change| (change.chunk, one.moved)).collect();
    let arrived = arrival::admit(writing, reborn, &one.record, &chunks)?;
    let Some(row) = arrived.held else { return Ok(arrived.received) };
    let sql = "UPDATE record SET server_ms = max(server_ms, ?2) WHERE row = ?1";
    writing.connection().prepare_cached(sql)?.execute(params![row.0, one.received_ms])?;
    writing.touch(&one.record);
    page::hold(writing, audience, row, one.moved)?;
    if let Some(seen) = &one.seen {
        page::note_seen(writing.connection(), audience, row, seen)?;
    }
    Ok(arrived.received)
}
