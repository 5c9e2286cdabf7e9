//! One change set of another device into its records: whole or not at all, by the rules that the server applies.

use std::collections::BTreeSet;

use foras_record::access::{self, AuthorFacts, Relation};
use foras_record::admission::{self, Refusal, Verdict};
use foras_record::change::{self, ParsedChange};
use foras_record::document::Document;
use foras_record::kind::Kind;
use foras_record::standing::Standing;
use foras_wire::audience::AudienceName;
use foras_wire::id::{Actor, ChangeHash, RecordId};
use foras_wire::record::RecordKey;
use rusqlite::Connection;

use super::super::permit;
use super::super::writing::Writing;
use super::{CarriedItem, SETTLED, place, set_state};
use crate::error::Error;

/// As whom a carried push was made.
#[derive(Debug)]
pub(super) struct PushAuthor {
    pub(super) actor: Actor,
    pub(super) facts: AuthorFacts,
}

/// What became of a change set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetFate {
    /// All of it stands in its records.
    Applied,
    /// Nothing of it was written: something that it builds on has not come.
    Waiting,
    /// Nothing of it was written, and never will be.
    Refused(&'static str),
}

/// Why a set is not applied, or a failure of the storage.
enum Stop {
    Fate(SetFate),
    Store(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        refused(refusal.code)
    }
}

fn refused(code: &'static str) -> Stop {
    Stop::Fate(SetFate::Refused(code))
}

/// Applies a set. `own` are the audiences of this device: what is of none of them is refused.
pub(super) fn set(
    writing: &mut Writing<'_>,
    author: &PushAuthor,
    own: &BTreeSet<AudienceName>,
    items: &[CarriedItem],
) -> Result<SetFate, Error> {
    writing.savepoint()?;
    match whole(writing, author, own, items) {
        Ok(()) => {
            writing.release()?;
            Ok(SetFate::Applied)
        }
        Err(Stop::Fate(fate)) => {
            writing.roll_back()?;
            Ok(fate)
        }
        Err(Stop::Store(error)) => Err(error),
    }
}

fn whole(
    writing: &mut Writing<'_>,
    author: &PushAuthor,
    own: &BTreeSet<AudienceName>,
    items: &[CarriedItem],
) -> Result<(), Stop> {
    for key in records_of(items) {
        let items: Vec<_> = items.iter().filter(|item| item.record.key == key).collect();
        record(writing, author, own, &items)?;
    }
    Ok(())
}

/// The records of a set, each once. The case first: where it stands decides who may write the others.
fn records_of(items: &[CarriedItem]) -> Vec<RecordKey> {
    let keys: BTreeSet<_> = items.iter().map(|item| item.record.key).collect();
    let is_case = |key: &&RecordKey| key.kind == Kind::Case.code();
    keys.iter().filter(is_case).chain(keys.iter().filter(|key| !is_case(key))).copied().collect()
}

fn record(
    writing: &mut Writing<'_>,
    author: &PushAuthor,
    own: &BTreeSet<AudienceName>,
    items: &[&CarriedItem],
) -> Result<(), Stop> {
    let Some(first) = items.first() else { return Ok(()) };
    let record = first.record;
    let kind = admission::check_record(&record)?;
    if items.iter().any(|item| item.record != record) || writing.take(kind, &record)?.record != record {
        return Err(refused("wrong_identity"));
    }
    let mut changes = Vec::with_capacity(items.len());
    for item in items {
        let change = change::parse(&item.chunk).map_err(|error| refused(error.code()))?;
        if change.actor != author.actor {
            return Err(refused("foreign_actor"));
        }
        changes.push(change);
    }
    let relations = Relations::of(writing, author, kind, first)?;
    let gate = |change: &ParsedChange, before: &Document, creating: bool| -> Result<(), Refusal> {
        let relation = relations.to(change, before, creating);
        Ok(access::check_change(change, before, &author.facts, relation)?)
    };
    let verdicts = admission::admit(&mut writing.take(kind, &record)?.history, &changes, &gate);
    for ((change, item), verdict) in changes.iter().zip(items).zip(verdicts) {
        match verdict {
            Verdict::Admitted => drop(writing.keep(&record.key, change)?),
            // It stands already: it came in a pack meanwhile, or another push brings it.
            Verdict::Duplicate => set_state(writing.connection(), item.row, SETTLED)?,
            Verdict::Parked { missing } => return Err(Stop::Fate(waiting_for(writing.connection(), &missing)?)),
            Verdict::Refused(refusal) => return Err(refusal.into()),
        }
    }
    if place::audiences(writing, kind, &record)?.is_disjoint(own) {
        return Err(refused("not_yours"));
    }
    Ok(())
}

/// What the server refused never comes, and what builds on it never stands.
fn waiting_for(connection: &Connection, missing: &[ChangeHash]) -> Result<SetFate, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM carried_item WHERE hash = ?1 AND state = 4)";
    let mut statement = connection.prepare_cached(sql)?;
    for hash in missing {
        if statement.query_row([hash.as_bytes()], |row| row.get(0))? {
            return Ok(SetFate::Refused("depends_on_refused"));
        }
    }
    Ok(SetFate::Waiting)
}

/// How the author relates to the record, as far as this device can tell.
struct Relations<'a> {
    facts: &'a AuthorFacts,
    kind: Kind,
    case: Option<RecordId>,
    standing: Option<Standing>,
    /// Without the case itself: by the audiences under which this device holds others of its records.
    by_audiences: Relation,
}

impl<'a> Relations<'a> {
    fn of(writing: &mut Writing<'_>, author: &'a PushAuthor, kind: Kind, item: &CarriedItem) -> Result<Self, Stop> {
        let (facts, case) = (&author.facts, item.record.case);
        let mut relations = Self { facts, kind, case, standing: None, by_audiences: Relation::default() };
        let Some(case) = case else { return Ok(relations) };
        relations.standing = writing.standing(&case)?;
        if relations.standing.is_none() && kind != Kind::Case {
            let held = permit::audiences_of_case(writing.connection(), &case)?;
            if held.is_empty() {
                // The case may still come; nothing tells whose it is.
                return Err(Stop::Fate(SetFate::Waiting));
            }
            relations.by_audiences = Relation::of_audiences(facts, &held);
        }
        Ok(relations)
    }

    fn to(&self, change: &ParsedChange, before: &Document, creating: bool) -> Relation {
        let registering = (creating && self.kind == Kind::Case).then(|| access::registering(change));
        let standing = registering.as_ref().or(self.standing.as_ref());
        match (self.case, standing) {
            (None, _) => Relation::of(self.facts, self.kind, None, before),
            (Some(case), Some(standing)) => Relation::of(self.facts, self.kind, Some((case, standing)), before),
            (Some(_), None) => self.by_audiences,
        }
    }
}
