//! One action of a person: edits of any number of records, written together or not at all.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::access::AuthorFacts;
use foras_record::admission::{self, History, Verdict};
use foras_record::change;
use foras_record::document::{Document, DocumentError, Edit};
use foras_record::field::Shape;
use foras_record::kind::{Identity as IdRule, Kind};
use foras_record::standing::Standing;
use foras_wire::id::{ChangeHash, RecordId};
use foras_wire::limits;
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, params};

use super::identity::Identity;
use super::writing::Writing;
use super::{Store, numbers, outbox, permit, refused, rows};
use crate::error::Error;

/// What one action writes into one record.
#[derive(Debug, Clone)]
pub struct RecordEdits {
    /// The record; it comes about where the device does not hold it.
    pub record: RecordRef,
    /// What is written into it, as one change.
    pub edits: Vec<Edit>,
}

/// One action of a person: records, and what is handed in without a sender.
#[derive(Debug, Clone, Default)]
pub struct Action {
    /// What it writes, whole or not at all.
    pub set: Vec<RecordEdits>,
    /// Bodies of deposits, handed in if something of `set` was new.
    pub deposits: Vec<String>,
}

/// A durable change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The record.
    pub record: RecordRef,
    /// The change.
    pub hash: ChangeHash,
}

/// What a commit made durable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The number of the change set in the outbox; 0 when nothing had to change.
    pub change_set: u64,
    /// One change for each record that changed.
    pub changes: Vec<Committed>,
}

impl Store {
    /// Writes one action of a person: one change for each record, the outbox and the lists, in one transaction with one
    /// flush to the disk. When it returns, all of it is durable. Values that stand already change nothing.
    ///
    /// `now_ms` is the device's clock, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`]; [`Error::NotAllowed`] when the grant forbids one of the edits, [`Error::InvalidValue`] when
    /// a field cannot take its value, [`Error::Misuse`] when a record is named twice or wrongly. Nothing is then written.
    pub fn commit(&mut self, now_ms: i64, set: &[RecordEdits]) -> Result<Receipt, Error> {
        self.commit_with(now_ms, set, &[])
    }

    /// As [`Store::commit`], with deposits that are handed in if, and only if, something of `set` was new.
    ///
    /// # Errors
    /// As [`Store::commit`] and [`Store::deposit`].
    pub fn commit_with(&mut self, now_ms: i64, set: &[RecordEdits], deposits: &[String]) -> Result<Receipt, Error> {
        let deposits = self.named(deposits)?;
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let number = self.numbers.taken();
        self.unfold_for(set)?;
        let mut writing = self.begin(now_ms)?;
        let receipt = write_action(&mut writing, &identity, set, &deposits)?;
        if receipt.changes.is_empty() {
            return Ok(receipt);
        }
        if let Some(next) = number {
            numbers::keep(writing.connection(), next)?;
        }
        let changed = writing.commit()?;
        self.numbers.kept();
        self.observers.tell(&changed);
        Ok(receipt)
    }

    /// Writes several actions with one flush to the disk. Each stands or falls by itself; when this returns, those that
    /// stand are durable.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage: then none of them was written. What is wrong with one action
    /// stands in its own result.
    pub fn commit_each(&mut self, now_ms: i64, actions: &[Action]) -> Result<Vec<Result<Receipt, Error>>, Error> {
        let named = actions.iter().map(|action| self.named(&action.deposits)).collect::<Result<Vec<_>, _>>()?;
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let number = self.numbers.taken();
        for action in actions {
            self.unfold_for(&action.set)?;
        }
        let mut writing = self.begin(now_ms)?;
        let mut results = Vec::with_capacity(actions.len());
        for (action, deposits) in actions.iter().zip(&named) {
            writing.savepoint()?;
            let result = write_action(&mut writing, &identity, &action.set, deposits);
            match &result {
                Ok(_) => writing.release()?,
                Err(Error::NotAllowed { .. } | Error::InvalidValue { .. } | Error::Misuse(_)) => writing.roll_back()?,
                Err(_) => return result.map(|_| Vec::new()),
            }
            results.push(result);
        }
        if let Some(next) = number {
            numbers::keep(writing.connection(), next)?;
        }
        let changed = writing.commit()?;
        self.numbers.kept();
        self.observers.tell(&changed);
        Ok(results)
    }

    /// An action touches cases: all of each has its rows first.
    fn unfold_for(&self, set: &[RecordEdits]) -> Result<(), Error> {
        set.iter().try_for_each(|edits| self.unfold_named(&edits.record.case.unwrap_or(edits.record.key.id)))
    }

    fn named<'b>(&mut self, deposits: &'b [String]) -> Result<Vec<(RecordId, &'b str)>, Error> {
        deposits.iter().map(|body| Ok((self.new_id()?, body.as_str()))).collect()
    }
}

/// Writes an action within a transaction under way.
fn write_action(
    writing: &mut Writing<'_>,
    identity: &Identity,
    set: &[RecordEdits],
    deposits: &[(RecordId, &str)],
) -> Result<Receipt, Error> {
    let time_s = writing.now_ms.div_euclid(1_000);
    let receipt = write_set(writing, identity, time_s, set)?;
    if receipt.changes.is_empty() {
        return Ok(receipt);
    }
    for edits in set {
        refused::settle_rewritten(writing.connection(), edits)?;
    }
    for (id, body) in deposits {
        outbox::keep_deposit(writing.connection(), *id, body)?;
    }
    Ok(receipt)
}

/// Writes a change set within a transaction under way.
fn write_set(
    writing: &mut Writing<'_>,
    identity: &Identity,
    time_s: i64,
    set: &[RecordEdits],
) -> Result<Receipt, Error> {
    write_set_upon(writing, identity, time_s, set, &mut BTreeMap::new())
}

/// As [`write_set`], where records of `bases` are written as if they still stood as given there.
pub(super) fn write_set_upon(
    writing: &mut Writing<'_>,
    identity: &Identity,
    time_s: i64,
    set: &[RecordEdits],
    bases: &mut BTreeMap<RecordKey, Document>,
) -> Result<Receipt, Error> {
    check(set)?;
    let facts = permit::facts(identity)?;
    let mut receipt = Receipt::default();
    for edits in in_order(set) {
        let authored = match bases.remove(&edits.record.key) {
            Some(base) => author_upon(writing, identity, &facts, time_s, edits, base)?,
            None => author(writing, identity, &facts, time_s, edits)?,
        };
        let Some(change) = authored else { continue };
        if receipt.change_set == 0 {
            receipt.change_set = next_set(writing.connection())?;
        }
        writing.keep(&edits.record.key, &change)?;
        let row = receipt.change_set + receipt.changes.len() as u64;
        queue(writing, identity, (receipt.change_set, row), &edits.record, &change)?;
        receipt.changes.push(Committed { record: edits.record, hash: change.hash });
    }
    Ok(receipt)
}

fn check(set: &[RecordEdits]) -> Result<(), Error> {
    if set.len() > limits::PUSH_CHANGES_MAX {
        return Err(Error::Misuse("one action changes at most 2,000 records"));
    }
    let keys: BTreeSet<_> = set.iter().map(|edits| edits.record.key).collect();
    if keys.len() != set.len() {
        return Err(Error::Misuse("one action names a record once"));
    }
    Ok(())
}

/// The case first: where it stands decides who may write the others.
fn in_order(set: &[RecordEdits]) -> impl Iterator<Item = &RecordEdits> {
    let is_case = |edits: &&RecordEdits| edits.record.key.kind == Kind::Case.code();
    set.iter().filter(is_case).chain(set.iter().filter(move |edits| !is_case(edits)))
}

/// Authors one change in memory, checked by the same rule that the server applies; `None` when nothing would change.
fn author(
    writing: &mut Writing<'_>,
    identity: &Identity,
    facts: &AuthorFacts,
    time_s: i64,
    edits: &RecordEdits,
) -> Result<Option<change::ParsedChange>, Error> {
    let record = &edits.record;
    let kind = admission::check_record(record).map_err(|_| Error::Misuse("the record's kind, id and case disagree"))?;
    let taken = writing.take(kind, record)?;
    if taken.record != *record {
        return Err(Error::Misuse("the record is of another case"));
    }
    if let (Some(case), true) = (record.case, is_plain(kind, &taken.history, &edits.edits)) {
        return author_in_place(writing, identity, facts, time_s, edits, (kind, case));
    }
    let mut after = taken.history.document().clone();
    let authored = after.edit(identity.actor, time_s, &edits.edits).map_err(of_document)?;
    let relation = permit::relation(writing, facts, kind, record, &after)?;
    let history = &mut writing.take(kind, record)?.history;
    permit::edits(history.document(), &edits.edits, facts, relation)?;
    let Some(authored) = authored else { return Ok(None) };
    let change = change::parse(&authored.chunk).map_err(|_| Error::Misuse("the edit makes no plain change"))?;
    permit::change(&change, history.document(), facts, relation)?;
    history.authored(after, &change);
    Ok(Some(change))
}

/// As [`author`], upon an earlier state of the record: beside what came since, not over it. Where the record says the same
/// by now, nothing changes.
fn author_upon(
    writing: &mut Writing<'_>,
    identity: &Identity,
    facts: &AuthorFacts,
    time_s: i64,
    edits: &RecordEdits,
    mut base: Document,
) -> Result<Option<change::ParsedChange>, Error> {
    let record = &edits.record;
    let kind = admission::check_record(record).map_err(|_| Error::Misuse("the record's kind, id and case disagree"))?;
    let before = writing.take(kind, record)?.history.document().clone();
    if before.plan(&edits.edits).map_err(of_document)?.is_empty() {
        return Ok(None);
    }
    let Some(authored) = base.edit(identity.actor, time_s, &edits.edits).map_err(of_document)? else { return Ok(None) };
    let change = change::parse(&authored.chunk).map_err(|_| Error::Misuse("the edit makes no plain change"))?;
    let mut history = writing.take(kind, record)?.history.clone();
    let verdicts = admission::admit(&mut history, std::slice::from_ref(&change), &|_, _, _| Ok(()));
    if verdicts != [Verdict::Admitted] {
        return Err(Error::Misuse("the edit does not stand beside what came since"));
    }
    let relation = permit::relation(writing, facts, kind, record, history.document())?;
    permit::edits(&before, &edits.edits, facts, relation)?;
    permit::change(&change, &before, facts, relation)?;
    writing.take(kind, record)?.history = history;
    Ok(Some(change))
}

/// Whether no rule looks at what the edits write, but at the record as it stands: a person's existing record, and fields on
/// which no standing depends.
fn is_plain(kind: Kind, history: &History, edits: &[Edit]) -> bool {
    let plain = |edit: &Edit| matches!(edit.field.shape, Shape::One | Shape::Set) && !Standing::depends_on(edit.field);
    !history.is_new() && kind.rule().identity != IdRule::Free && edits.iter().all(plain)
}

/// As [`author`], for plain edits: the document is not copied first.
fn author_in_place(
    writing: &mut Writing<'_>,
    identity: &Identity,
    facts: &AuthorFacts,
    time_s: i64,
    edits: &RecordEdits,
    (kind, case): (Kind, RecordId),
) -> Result<Option<change::ParsedChange>, Error> {
    let record = &edits.record;
    let plan = writing.take(kind, record)?.history.document().plan(&edits.edits).map_err(of_document)?;
    let relation = permit::relation_to_case(writing, facts, kind, record, &case)?;
    let history = &mut writing.take(kind, record)?.history;
    permit::edits(history.document(), &edits.edits, facts, relation)?;
    if plan.is_empty() {
        return Ok(None);
    }
    let carried_out = history.carry_out(identity.actor, time_s, &plan);
    let change = carried_out.map_err(|_| Error::Misuse("the edit makes no plain change")).and_then(|change| {
        // What stood before and what stands now are the same to these rules.
        permit::change(&change, history.document(), facts, relation)?;
        Ok(change)
    });
    if change.is_err() {
        writing.forget(&record.key);
    }
    change.map(Some)
}

fn of_document(error: DocumentError) -> Error {
    match error {
        DocumentError::Value { field, error } => Error::InvalidValue { code: error.code(), field: Some(field) },
        DocumentError::UnknownField => Error::Misuse("the record has no such field"),
        DocumentError::FieldTwice => Error::Misuse("a field is named twice in one edit"),
        other => Error::InvalidValue { code: other.code(), field: None },
    }
}

/// Change sets are numbered by the outbox row of their first change.
pub(super) fn next_set(connection: &Connection) -> Result<u64, Error> {
    let sql = "SELECT max((SELECT seq FROM outbox_left), (SELECT coalesce(max(seq), 0) FROM outbox)) + 1";
    let next: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(next.cast_unsigned())
}

fn queue(
    writing: &Writing<'_>,
    identity: &Identity,
    (change_set, row): (u64, u64),
    record: &RecordRef,
    change: &change::ParsedChange,
) -> Result<(), Error> {
    let sql = "INSERT INTO outbox \
               (seq, change_set, kind, id, case_id, generation, hash, incarnation, grant_revision, saved_ms, chunk) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    writing.connection().prepare_cached(sql)?.execute(params![
        row.cast_signed(),
        change_set.cast_signed(),
        record.key.kind.0,
        record.key.id.as_bytes(),
        rows::case_bytes(record),
        record.generation,
        change.hash.as_bytes(),
        identity.incarnation.as_bytes(),
        identity.grant.revision.cast_signed(),
        writing.now_ms,
        change.bytes(),
    ])?;
    Ok(())
}
