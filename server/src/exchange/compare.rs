//! Comparing: what differs between a device's copies and the server's, and what the device gets, drops or brings.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::proof;
use foras_record::role::Role;
use foras_wire::audience::AudienceName;
use foras_wire::id::Actor;
use foras_wire::limits::PAGE_BYTES;
use foras_wire::page::AuthorEntry;
use foras_wire::reconcile::coded::{self, FIRST_SYMBOLS, SYMBOLS_MAX, Salt, Short, Symbol};
use foras_wire::reconcile::{Difference, DifferenceState, LackedChange, Sketch};
use foras_wire::record::RecordKey;
use foras_wire::sync::AnswerFrame;
use rusqlite::Connection;

use super::{Exchange, Sink};
use crate::error::ServerError;
use crate::recovery;
use crate::storage::digests::{self, Held};
use crate::storage::{authors, logs, records};

/// Raw bytes of changes after which a part of a difference is closed.
const PART_BYTES: usize = 4 * PAGE_BYTES;
/// Raw bytes of changes that one answer brings to one audience; the device compares again for the rest.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// What comparing came to.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Audiences that were compared: they get no pages in this answer.
    pub(super) audiences: BTreeSet<usize>,
    /// Whether the device has to ask again.
    pub(super) more: bool,
    /// Whether it holds something that the server does not know.
    pub(super) wanted: bool,
}

/// What differs between two copies of an audience.
struct Different {
    /// The server's changes that the device lacks.
    lacking: Vec<Held>,
    /// Records that the device holds by an audience that they left.
    gone: BTreeSet<RecordKey>,
    /// What the server does not know.
    unknown: Vec<Short>,
}

/// How a comparison ended.
enum Verdict {
    Found(Different),
    Other(DifferenceState),
}

impl Exchange<'_> {
    /// Whether the request asks to compare this audience: its cursor then says nothing.
    pub(super) fn compares(&self, audience: usize) -> bool {
        let sketches = self.request.reconcile.as_ref().map_or(&[][..], |reconcile| &reconcile.sketches);
        sketches.iter().any(|sketch| usize::from(sketch.audience) == audience)
    }

    /// Answers every sketch of the request; `None` when the receiver is gone.
    pub(super) fn compare(&self, db: &Connection, sink: &mut Sink<'_>) -> Result<Option<Compared>, ServerError> {
        let mut compared = Compared::default();
        let Some(reconcile) = &self.request.reconcile else { return Ok(Some(compared)) };
        if self.request.grant_revision != self.caller.grant.revision {
            // Audiences are named by their place in a grant that holds no more.
            compared.audiences = (0..self.caller.grant.audiences.len()).collect();
            compared.more = true;
            return Ok(Some(compared));
        }
        let recovering = recovery::since_ms(db)?.is_some();
        let mut symbols_left = SYMBOLS_MAX;
        for sketch in &reconcile.sketches {
            let at = usize::from(sketch.audience);
            let Some(audience) = self.caller.grant.audiences.get(at) else { continue };
            if !compared.audiences.insert(at) {
                continue;
            }
            let held_back = recovering && recovery::waits(audience.as_str());
            let through = logs::head(db, audience.as_str())?;
            let mut last = Difference::new(sketch.audience, through, DifferenceState::Last);
            last.salt = reconcile.salt;
            match verdict(db, audience, &reconcile.salt, sketch, &mut symbols_left)? {
                Verdict::Other(state) => {
                    compared.more = true;
                    last.state = state;
                }
                Verdict::Found(found) => {
                    compared.wanted |= !found.unknown.is_empty();
                    last.wanted = found.unknown.iter().flat_map(|item| item.0.to_be_bytes()).collect();
                    if held_back {
                        last.state = DifferenceState::Held;
                    } else {
                        last.drops = found.gone.into_iter().collect();
                        let Some(all) = self.bring(db, audience, &last, &found.lacking, sink)? else {
                            return Ok(None);
                        };
                        if !all {
                            compared.more = true;
                            last.state = DifferenceState::Part;
                        }
                    }
                }
            }
            if !self.tell(audience, last, sink) {
                return Ok(None);
            }
        }
        Ok(Some(compared))
    }

    /// Sends the changes that a copy lacks, in parts; whether those were all, or `None` when the receiver is gone.
    fn bring(
        &self,
        db: &Connection,
        audience: &AudienceName,
        last: &Difference,
        lacking: &[Held],
        sink: &mut Sink<'_>,
    ) -> Result<Option<bool>, ServerError> {
        let mut part = Difference::new(last.audience, last.through, DifferenceState::Part);
        let (mut bytes, mut sent, mut told) = (0, 0, BTreeSet::new());
        for held in lacking {
            let record = records::get(db, &held.record)?;
            let change = records::change(db, &held.record, held.ord)?;
            let (Some(record), Some(change)) = (record, change) else {
                return Err(ServerError::Corrupt("a record misses a change"));
            };
            if told.insert(change.actor) {
                part.authors.extend(self.introduction(db, &change.actor)?);
            }
            bytes += change.chunk.len();
            sent += change.chunk.len();
            part.changes.push(LackedChange { record, chunk: change.chunk, received_ms: change.received_ms });
            if sent >= ANSWER_BYTES || bytes >= PART_BYTES {
                let full =
                    std::mem::replace(&mut part, Difference::new(last.audience, last.through, DifferenceState::Part));
                if !self.tell(audience, full, sink) {
                    return Ok(None);
                }
                bytes = 0;
            }
            if sent >= ANSWER_BYTES {
                return Ok(Some(false));
            }
        }
        Ok((part.changes.is_empty() || self.tell(audience, part, sink)).then_some(true))
    }

    fn introduction(&self, db: &Connection, actor: &Actor) -> Result<Option<AuthorEntry>, ServerError> {
        let names = self.caller.grant.role != Role::Migrant.code();
        let author = authors::get(db, actor)?;
        Ok(author.map(|author| AuthorEntry {
            actor: *actor,
            name: author.name.filter(|_| names && author.role != Role::Migrant.code()),
            role: author.role,
        }))
    }

    /// Signs and sends; false when the receiver is gone.
    pub(super) fn tell(&self, audience: &AudienceName, mut difference: Difference, sink: &mut Sink<'_>) -> bool {
        let keys = &self.server.keys;
        proof::sign_difference(&keys.key, &mut difference, &keys.server, keys.epoch(), audience);
        sink(AnswerFrame::Difference(Box::new(difference)))
    }
}

fn verdict(
    db: &Connection,
    audience: &AudienceName,
    salt: &Salt,
    sketch: &Sketch,
    symbols_left: &mut usize,
) -> Result<Verdict, ServerError> {
    let sum = digests::of_audience(db, audience.as_str())?;
    if sum == sketch.sum {
        return Ok(Verdict::Found(Different { lacking: Vec::new(), gone: BTreeSet::new(), unknown: Vec::new() }));
    }
    let theirs = coded::from_bytes(&sketch.symbols, sketch.count).unwrap_or_default();
    // The limit is the request's, whatever number of audiences it is spread over.
    let Some(left) = symbols_left.checked_sub(theirs.len()) else {
        return Ok(Verdict::Other(DifferenceState::StartOver));
    };
    *symbols_left = left;
    let copy = digests::copy(db, audience.as_str(), false)?;
    let ours = coded::symbols(salt, copy.iter().map(|held| &held.item), theirs.len());
    let found = match coded::difference(&theirs, &ours) {
        Ok(found) => found,
        Err(undecided) => return Ok(Verdict::Other(more_symbols(undecided.about, &theirs))),
    };
    let lacking: BTreeSet<Short> = found.second.into_iter().collect();
    let mut lacking: Vec<Held> =
        copy.into_iter().filter(|held| lacking.contains(&Short::of(salt, &held.item))).collect();
    lacking.sort_unstable_by_key(|held| (held.record, held.ord));
    let (mut left, mut unknown) = (BTreeMap::new(), found.first);
    if !unknown.is_empty() {
        let copy = digests::copy(db, audience.as_str(), true)?;
        left.extend(copy.into_iter().map(|held| (Short::of(salt, &held.item), held)));
        left.retain(|short, _| unknown.binary_search(short).is_ok());
        unknown.retain(|short| !left.contains_key(short));
    }
    if unknown.is_empty() {
        // Where all that was found is known, it must explain the whole difference of the sums.
        let explained = lacking.iter().fold(sketch.sum, |sum, held| sum.with(&held.item));
        let explained = left.values().fold(explained, |sum, held| sum.without(&held.item));
        if explained != sum {
            return Ok(Verdict::Other(more_symbols(0, &theirs)));
        }
    }
    let gone = left.into_values().map(|held| held.record).collect();
    Ok(Verdict::Found(Different { lacking, gone, unknown }))
}

fn more_symbols(about: usize, theirs: &[Symbol]) -> DifferenceState {
    let symbols = coded::enough_for(about, theirs.len()).max(theirs.len() * 5 / 4).max(FIRST_SYMBOLS);
    if symbols > SYMBOLS_MAX {
        return DifferenceState::StartOver;
    }
    DifferenceState::Undecided { symbols: u32::try_from(symbols).unwrap_or(u32::MAX) }
}
