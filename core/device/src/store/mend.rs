//! A record of which rows were lost or damaged, made whole from what the server has.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::admission::History;
use foras_record::change::{self, ParsedChange};
use foras_record::kind::Kind;
use foras_wire::id::ChangeHash;
use foras_wire::record::RecordRef;

use super::rows;
use super::writing::Writing;
use crate::error::Error;

/// Where the record's own rows make no document any more, puts `chunks` where they belong among them. Rows that are no
/// changes any more are given up: the server has them, or their bytes still wait in the outbox. Gives how many changes were
/// put back.
pub(super) fn record(writing: &mut Writing<'_>, record: &RecordRef, chunks: &[(Vec<u8>, u64)]) -> Result<u32, Error> {
    let Some(kind) = Kind::of_code(record.key.kind) else { return Ok(0) };
    let Some((row, known)) = rows::find(writing.connection(), &record.key)? else { return Ok(0) };
    if known != *record || writing.take(kind, record).is_ok() {
        return Ok(0);
    }
    let kept = rows::chunks(writing.connection(), row)?;
    let kept_hashes: BTreeSet<ChangeHash> = kept.iter().filter_map(|chunk| change::chunk_hash(chunk).ok()).collect();
    let all = kept.iter().chain(chunks.iter().map(|(chunk, _)| chunk));
    let parsed: BTreeMap<ChangeHash, ParsedChange> =
        all.filter_map(|chunk| change::parse(chunk).ok()).map(|change| (change.hash, change)).collect();
    let ordered = in_order(kind, parsed);
    let bytes = ordered.iter().map(|change| change.bytes().to_vec()).collect();
    let Ok(history) = History::restore(kind, None, bytes) else { return Err(Error::Corrupt { set_aside: None }) };
    rows::delete_changes(writing.connection(), row)?;
    for change in &ordered {
        rows::insert_change(writing.connection(), row, change)?;
    }
    let mut put_back = 0;
    for change in ordered.iter().filter(|change| !kept_hashes.contains(&change.hash)) {
        writing.acknowledged(row, record, &change.hash)?;
        put_back += 1;
    }
    writing.restore(record, row, history);
    Ok(put_back)
}

/// Changes, each after what it builds on. What builds on something that is not there is left out.
fn in_order(kind: Kind, mut changes: BTreeMap<ChangeHash, ParsedChange>) -> Vec<ParsedChange> {
    let mut done = BTreeSet::from([foras_record::document::genesis(kind)]);
    let mut ordered = Vec::new();
    loop {
        let ready: Vec<ChangeHash> = changes
            .iter()
            .filter(|(_, change)| change.deps.iter().all(|dep| done.contains(dep)))
            .map(|(hash, _)| *hash)
            .collect();
        if ready.is_empty() {
            return ordered;
        }
        for hash in ready {
            done.insert(hash);
            ordered.extend(changes.remove(&hash));
        }
    }
}
