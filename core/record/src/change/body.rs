//! The fields of a change that stand before its operations.

use std::collections::BTreeSet;

use foras_wire::limits::{CHANGE_DEPS_MAX, CHANGE_TIME_S_MAX, OP_COUNTER_MAX};

use super::column::Columns;
use super::reader::Reader;
use super::{Actor, ChangeError, ChangeHash};

/// The body of a change, with its operations still in columns.
pub(super) struct Body<'a> {
    pub(super) deps: Vec<ChangeHash>,
    /// The author first, then every other actor that an operation names.
    pub(super) actors: Vec<Actor>,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) time_s: i64,
    pub(super) columns: Columns<'a>,
}

impl<'a> Body<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, ChangeError> {
        let mut reader = Reader::new(bytes);
        let deps = read_deps(&mut reader)?;
        let author = read_actor(&mut reader)?;
        let seq = reader.unsigned()?;
        if seq == 0 || seq > OP_COUNTER_MAX {
            return Err(ChangeError::BadSeq);
        }
        let start_op = reader.unsigned()?;
        if start_op == 0 || start_op > OP_COUNTER_MAX {
            return Err(ChangeError::BadStartOp);
        }
        let time_s = reader.signed()?;
        if time_s.unsigned_abs() > CHANGE_TIME_S_MAX.unsigned_abs() {
            return Err(ChangeError::BadTime);
        }
        if reader.unsigned()? != 0 {
            return Err(ChangeError::MessageNotAllowed);
        }
        let actors = read_other_actors(&mut reader, author)?;
        let columns = Columns::read(&mut reader)?;
        if !reader.is_empty() {
            return Err(ChangeError::ExtraBytesNotAllowed);
        }
        Ok(Self { deps, actors, seq, start_op, time_s, columns })
    }
}

/// Reads the dependencies. automerge writes the document's heads, ascending, and then, if it is none of them,
/// the author's own previous change: so the last may be out of order (`Automerge::transaction_args`).
fn read_deps(reader: &mut Reader<'_>) -> Result<Vec<ChangeHash>, ChangeError> {
    let count = reader.unsigned()?;
    if count > CHANGE_DEPS_MAX as u64 {
        return Err(ChangeError::TooManyDeps);
    }
    let deps = (0..count).map(|_| reader.array().map(ChangeHash)).collect::<Result<Vec<_>, _>>()?;
    if deps.iter().collect::<BTreeSet<_>>().len() != deps.len() {
        return Err(ChangeError::DuplicateDep);
    }
    let heads = deps.split_last().map(|(_, heads)| heads).unwrap_or_default();
    if heads.is_sorted() { Ok(deps) } else { Err(ChangeError::UnsortedDeps) }
}

fn read_actor(reader: &mut Reader<'_>) -> Result<Actor, ChangeError> {
    // The length is judged before the bytes are asked for: an actor of 10,000 bytes is a bad actor, not a short chunk.
    if reader.unsigned()? != Actor::LEN as u64 {
        return Err(ChangeError::BadActor);
    }
    reader.array().map(Actor)
}

/// Reads the other actors after the author. Nothing is reserved for the announced number: each takes 17 bytes.
fn read_other_actors(reader: &mut Reader<'_>, author: Actor) -> Result<Vec<Actor>, ChangeError> {
    let count = reader.unsigned()?;
    let mut actors = vec![author];
    for at in 0..count {
        let actor = read_actor(reader)?;
        let ascends = at == 0 || actors.last().is_some_and(|last| *last < actor);
        if !ascends || actor == author {
            return Err(ChangeError::BadActor);
        }
        actors.push(actor);
    }
    Ok(actors)
}
