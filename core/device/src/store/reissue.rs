//! Taking own changes back out of their records, and writing anew what may be.
//!
//! What is written anew stands where the original stood: upon what its author saw, not upon what came since. A value that
//! somebody set meanwhile stays beside it.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::admission::History;
use foras_record::change::{self, ParsedChange};
use foras_record::document::Document;
use foras_record::kind::Kind;
use foras_wire::id::{ChangeHash, Incarnation};
use foras_wire::record::{RecordKey, RecordRef};

use super::carried::{self, CarriedItem};
use super::commit::{self, RecordEdits};
use super::identity::{self, Identity};
use super::meta::{self, name};
use super::settle::{Exit, OutboxRow, Settled};
use super::writing::Writing;
use super::wrote::{self, Wrote};
use super::{Store, entropy, outbox, refused, rows};
use crate::error::Error;

pub(super) const CONTRADICTION: Error = Error::BadAnswer { code: "refused_what_stands" };

/// What one change had written, and upon what.
struct TakenBack {
    record: RecordRef,
    hash: ChangeHash,
    deps: Vec<ChangeHash>,
    time_s: i64,
    wrote: Vec<Wrote>,
}

/// Changes taken back out of their records.
#[derive(Default)]
struct Expelled {
    /// Own ones, by the outbox row that they had.
    own: BTreeMap<u64, TakenBack>,
    /// What stands in the place of each: what it was built upon, or the change that was written anew for it.
    instead: BTreeMap<(RecordKey, ChangeHash), Vec<ChangeHash>>,
}

impl Expelled {
    /// What `hashes` of a record are, once those that left are not there any more.
    fn standing(&self, key: &RecordKey, hashes: &[ChangeHash]) -> BTreeSet<ChangeHash> {
        let (mut open, mut standing, mut seen) = (hashes.to_vec(), BTreeSet::new(), BTreeSet::new());
        while let Some(hash) = open.pop() {
            match self.instead.get(&(*key, hash)) {
                Some(instead) if seen.insert(hash) => open.extend(instead),
                Some(_) => {}
                None => drop(standing.insert(hash)),
            }
        }
        standing
    }
}

impl Store {
    /// A random number for the next incarnation, should one be needed.
    pub(super) fn fresh_incarnation(&mut self) -> Result<Incarnation, Error> {
        Ok(Incarnation(entropy::bytes(&mut *self.entropy)?))
    }
}

/// Takes `leaving` out of the outbox and of their records, keeps what was refused, and writes the rest anew as `reborn`.
/// From then on the device writes as `reborn`: numbers that the server may have seen are never used again. `others` are
/// changes of other devices that leave with them; alone, they change nothing of who this device is.
pub(super) fn expel(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    leaving: Vec<(OutboxRow, Exit)>,
    others: &[CarriedItem],
    settled: &mut Settled,
) -> Result<Option<Identity>, Error> {
    let writes_anew = !leaving.is_empty();
    if writes_anew {
        meta::put(writing.connection(), name::INCARNATION, reborn.incarnation.as_bytes())?;
        identity::introduce(writing.connection(), reborn)?;
    }
    // A record may have left before what was written into it did: then nothing of that stays either.
    meta::put(writing.connection(), name::SCRUB, &[1])?;
    let mut expelled = take_back(writing, &leaving, others)?;
    carried::leave::note_gone(writing.connection(), others)?;
    let mut sets: BTreeMap<u64, Vec<(OutboxRow, Exit)>> = BTreeMap::new();
    for (row, exit) in leaving {
        outbox::delete(writing.connection(), row.seq)?;
        sets.entry(row.change_set).or_default().push((row, exit));
    }
    for set in sets.into_values() {
        let back: Vec<_> = set.iter().filter_map(|(row, _)| expelled.own.remove(&row.seq)).collect();
        if set.iter().all(|(_, exit)| *exit == Exit::Reissue) {
            again(writing, reborn, &set, &back, &mut expelled, settled)?;
        } else {
            keep(writing, &set, &back, settled)?;
        }
    }
    forget_unwritten(writing, others.iter().map(|item| item.record))?;
    Ok(writes_anew.then(|| reborn.clone()))
}

/// Rebuilds the records without the changes that leave.
fn take_back(
    writing: &mut Writing<'_>,
    leaving: &[(OutboxRow, Exit)],
    others: &[CarriedItem],
) -> Result<Expelled, Error> {
    let mut by_record: BTreeMap<RecordKey, BTreeMap<ChangeHash, Option<u64>>> = BTreeMap::new();
    for (row, _) in leaving {
        by_record.entry(row.record.key).or_default().insert(row.hash, Some(row.seq));
    }
    for item in others {
        by_record.entry(item.record.key).or_default().entry(item.hash).or_default();
    }
    let mut expelled = Expelled::default();
    for (key, gone) in by_record {
        let Some((row, record)) = rows::find(writing.connection(), &key)? else { continue };
        let Some(kind) = Kind::of_code(key.kind) else { continue };
        let before = writing.take(kind, &record)?.history.chunks().to_vec();
        let mut kept = Vec::new();
        for (at, chunk) in before.iter().enumerate() {
            let change = change::parse(chunk).map_err(|_| Error::Corrupt { set_aside: None })?;
            let Some(seq) = gone.get(&change.hash) else {
                kept.push(chunk.clone());
                continue;
            };
            let ParsedChange { hash, time_s, .. } = change;
            if let Some(seq) = seq {
                let wrote = wrote::of_change(kind, &change, &before, at)?;
                expelled.own.insert(*seq, TakenBack { record, hash, deps: change.deps.clone(), time_s, wrote });
            }
            expelled.instead.insert((key, hash), change.deps);
            rows::delete_change(writing.connection(), row, &hash)?;
        }
        let rebuilt = History::restore(kind, None, kept).map_err(|_| CONTRADICTION)?;
        writing.replace(&key, rebuilt)?;
    }
    Ok(expelled)
}

/// The record as the author of a change saw it: what the change was built upon, without what left, and what was written anew
/// before it.
fn as_seen(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    one: &TakenBack,
    expelled: &Expelled,
) -> Result<Document, Error> {
    let kind = Kind::of_code(one.record.key.kind).ok_or(CONTRADICTION)?;
    let history = &writing.take(kind, &one.record)?.history;
    let mut open: Vec<_> = expelled.standing(&one.record.key, &one.deps).into_iter().collect();
    open.extend(history.last_of(&reborn.actor).map(|(_, hash)| hash));
    let mut seen = BTreeSet::new();
    while let Some(hash) = open.pop() {
        if seen.insert(hash) {
            open.extend(history.known(&hash).into_iter().flat_map(|known| known.deps.iter().copied()));
        }
    }
    let is_seen = |chunk: &&[u8]| change::chunk_hash(chunk).is_ok_and(|hash| seen.contains(&hash));
    Document::replay(kind, history.chunks().iter().map(Vec::as_slice).filter(is_seen)).map_err(|_| CONTRADICTION)
}

/// Writes one change set anew; what the grant no longer allows is kept as refused.
fn again(
    writing: &mut Writing<'_>,
    reborn: &Identity,
    set: &[(OutboxRow, Exit)],
    back: &[TakenBack],
    expelled: &mut Expelled,
    settled: &mut Settled,
) -> Result<(), Error> {
    let Some(first) = back.first() else { return Ok(()) };
    let (mut edits, mut bases) = (Vec::new(), BTreeMap::new());
    for one in back {
        let base = as_seen(writing, reborn, one, expelled)?;
        let edits_of = one.wrote.iter().map(|wrote| wrote.to_edit(&base)).collect();
        edits.push(RecordEdits { record: one.record, edits: edits_of });
        bases.insert(one.record.key, base);
    }
    writing.savepoint()?;
    match commit::write_set_upon(writing, reborn, first.time_s, &edits, &mut bases) {
        Ok(receipt) => {
            for written in receipt.changes {
                let original = back.iter().find(|one| one.record.key == written.record.key);
                let original = original.map(|one| (one.record.key, one.hash));
                expelled.instead.extend(original.map(|original| (original, vec![written.hash])));
            }
            settled.reissued += u32::try_from(set.len()).unwrap_or(u32::MAX);
            writing.release()
        }
        // A full disk or the like stops everything; a rule stops this set alone.
        Err(error @ (Error::StorageFull | Error::StorageFailed | Error::Corrupt { .. })) => Err(error),
        Err(error) => {
            writing.roll_back()?;
            let code = error.code().to_owned();
            let set: Vec<_> = set.iter().map(|(row, _)| (row.clone(), Exit::Refused(code.clone()))).collect();
            keep(writing, &set, back, settled)
        }
    }
}

/// Keeps a change set's edits, visible and exportable.
fn keep(
    writing: &mut Writing<'_>,
    set: &[(OutboxRow, Exit)],
    back: &[TakenBack],
    settled: &mut Settled,
) -> Result<(), Error> {
    for (row, exit) in set {
        let count = if matches!(exit, Exit::Quarantined(_)) { &mut settled.quarantined } else { &mut settled.refused };
        *count += 1;
        let wrote = back.iter().find(|one| one.record.key == row.record.key).map(|one| one.wrote.as_slice());
        refused::keep(writing.connection(), row, exit, wrote.unwrap_or_default(), writing.now_ms)?;
    }
    forget_unwritten(writing, set.iter().map(|(row, _)| row.record))
}

/// A record that only refused changes made was never a record.
fn forget_unwritten(writing: &mut Writing<'_>, records: impl Iterator<Item = RecordRef>) -> Result<(), Error> {
    for record in records.collect::<BTreeSet<_>>() {
        let Some(kind) = Kind::of_code(record.key.kind) else { continue };
        if rows::find(writing.connection(), &record.key)?.is_some() && writing.take(kind, &record)?.history.is_new() {
            writing.delete(&record.key)?;
        }
    }
    Ok(())
}

/// Whether an incoming change is by one of this device's own, unsent numbers: the store has a copy somewhere.
pub(super) fn collides(history: &History, change: &ParsedChange) -> bool {
    !history.knows(&change.hash) && history.last_of(&change.actor).is_some_and(|(seq, _)| seq >= change.seq)
}
