//! Audiences of records: decided when a transaction writes its log rows, and opened or closed in that transaction.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use foras_record::access;
use foras_record::document::Document;
use foras_record::kind::Kind;
use foras_record::standing::Standing;
use foras_wire::id::RecordId;
use foras_wire::reconcile::Sum;
use foras_wire::record::RecordKey;

use super::{Intake, Touched};
use crate::error::ServerError;
use crate::storage::{digests, logs, records};

/// A record whose raw history is longer than this enters an audience change by change: one entry stays within a frame.
const WHOLE_BYTES_MAX: usize = 1024 * 1024;

/// Sums of records before and after.
pub(crate) type Sums = BTreeMap<RecordKey, (Sum, Sum)>;

/// The audiences that records shall have, by record.
pub(crate) type Moves = BTreeMap<RecordKey, BTreeSet<String>>;

impl Intake<'_> {
    /// Audiences of the touched records, and of all records of their case where its standing changed.
    ///
    /// `cases` are the cases of the change set, and where they stand before and after it.
    pub(super) fn plan_moves(&mut self, touched: &[Touched], cases: &[CaseStandings]) -> Result<Moves, ServerError> {
        let mut moves = Moves::new();
        for touched in touched {
            let case = cases.iter().find(|case| Some(case.case) == touched.record.case);
            let standing = case.map(|case| &case.after);
            let names = names(touched.kind, standing, touched.record.case, touched.history.document());
            moves.insert(touched.record.key, names);
        }
        for case in cases.iter().filter(|case| case.moves()) {
            for record in records::of_case(self.db, &case.case)? {
                let Some(kind) = Kind::of_code(record.key.kind) else { continue };
                if let Entry::Vacant(free) = moves.entry(record.key) {
                    let history = self.history(kind, &record.key)?;
                    free.insert(names(kind, Some(&case.after), record.case, history.document()));
                }
            }
        }
        Ok(moves)
    }

    /// Writes audiences and log rows: changes to those who have the record, the whole record to those it opens to, a
    /// drop to those it leaves.
    ///
    /// `sums` are those of the touched records, before and after.
    pub(super) fn move_records(
        &mut self,
        touched: &[Touched],
        moves: &Moves,
        sums: &Sums,
        at_ms: i64,
    ) -> Result<(), ServerError> {
        let counts: BTreeMap<_, _> = touched
            .iter()
            .map(|touched| (touched.record.key, (touched.before as u64, touched.history.chunks().len() as u64)))
            .collect();
        // Touched records first, in the order of the change set; then the others of the case.
        let order = touched.iter().map(|touched| touched.record.key);
        let others = moves.keys().filter(|key| !counts.contains_key(key)).copied();
        for key in order.chain(others) {
            let (before, after) = match counts.get(&key) {
                Some(counts) => *counts,
                None => records::change_count(self.db, &key).map(|count| (count, count))?,
            };
            if let Some(names) = moves.get(&key) {
                let sums = match sums.get(&key) {
                    Some(sums) => *sums,
                    None => digests::of_record(self.db, &key).map(|sum| (sum, sum))?,
                };
                self.shift_digests(&key, names, sums)?;
                self.move_record(&key, names, before, after, at_ms)?;
            }
        }
        Ok(())
    }

    /// What the record's audiences now hold more, or less.
    fn shift_digests(
        &mut self,
        key: &RecordKey,
        names: &BTreeSet<String>,
        (before, after): (Sum, Sum),
    ) -> Result<(), ServerError> {
        let known = records::audiences(self.db, key)?;
        let held: BTreeSet<_> = known.into_iter().filter(|(_, left)| left.is_none()).map(|(name, _)| name).collect();
        for name in held.union(names) {
            let gone = if held.contains(name) { before } else { Sum::default() };
            let come = if names.contains(name) { after } else { Sum::default() };
            self.journal.shift_digest(name, come.minus(gone));
        }
        Ok(())
    }

    fn move_record(
        &mut self,
        key: &RecordKey,
        names: &BTreeSet<String>,
        before: u64,
        after: u64,
        at_ms: i64,
    ) -> Result<(), ServerError> {
        let known = records::audiences(self.db, key)?;
        let held = |name: &str| matches!(known.get(name), Some(None));
        for name in names {
            // What is new in this transaction goes change by change: its author need not get it back.
            let opened_whole = !held(name) && before > 0 && after > 0;
            if !held(name) {
                records::set_audience(self.db, key, name, None)?;
            }
            if opened_whole && self.is_short(key)? {
                self.journal.whole(name, key, after, at_ms);
                continue;
            }
            let first = if opened_whole { 1 } else { before + 1 };
            for ord in first..=after {
                self.journal.change(name, key, ord, at_ms);
            }
        }
        for (name, left) in &known {
            if left.is_none() && !names.contains(name) {
                records::set_audience(self.db, key, name, Some(self.now_ms))?;
                logs::stub_record(self.db, name, key)?;
                self.journal.drop_record(name, key, at_ms);
            }
        }
        Ok(())
    }

    fn is_short(&self, key: &RecordKey) -> Result<bool, ServerError> {
        let chunks = records::chunks(self.db, key, u64::MAX)?;
        Ok(chunks.iter().map(Vec::len).sum::<usize>() <= WHOLE_BYTES_MAX)
    }
}

fn names(kind: Kind, standing: Option<&Standing>, case: Option<RecordId>, document: &Document) -> BTreeSet<String> {
    access::audiences(kind, standing, case, document)
        .into_iter()
        .map(|audience| audience.name().as_str().to_owned())
        .collect()
}

/// A case's standing before and after a change set.
pub(crate) struct CaseStandings {
    pub(crate) case: RecordId,
    /// `None`: the change set made the case.
    pub(crate) before: Option<Standing>,
    pub(crate) after: Standing,
}

impl CaseStandings {
    /// A case that the change set leaves as it is.
    pub(super) fn unchanged(case: RecordId, standing: Standing) -> Self {
        Self { case, before: Some(standing.clone()), after: standing }
    }

    /// Whether any kind of record changes audiences. Audiences of records of a case follow from kind and standing.
    fn moves(&self) -> bool {
        let unchanged = self.before.as_ref() == Some(&self.after);
        !unchanged
            && foras_record::registry::ALL.iter().any(|rule| {
                let empty = Document::empty(rule.kind);
                let of = |standing| access::audiences(rule.kind, standing, Some(self.case), &empty);
                of(self.before.as_ref()) != of(Some(&self.after))
            })
    }
}
