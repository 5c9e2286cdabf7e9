//! Changes that the server had admitted once, lost, and gets back: structure is checked as ever, authority is not judged
//! again, and nothing is ruled, since the rulings come back with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use foras_record::admission::{self, check_record};
use foras_record::change;
use foras_record::kind::Kind;
use foras_record::standing::Standing;
use foras_wire::id::ChangeHash;
use foras_wire::record::{RecordKey, RecordRef};

use super::audiences::CaseStandings;
use super::{Intake, Touched};
use crate::error::ServerError;
use crate::storage::records;

/// A change whose admission the server itself had signed.
#[derive(Debug, Clone)]
pub(crate) struct Restored {
    pub(crate) record: RecordRef,
    pub(crate) hash: ChangeHash,
    pub(crate) chunk: Vec<u8>,
    /// When the server had received it, in milliseconds since 1970.
    pub(crate) received_ms: i64,
}

impl Intake<'_> {
    /// Takes changes back, record by record, cases first. Gives those that wait for others.
    pub(crate) fn restore(&mut self, changes: &[Restored]) -> Result<Vec<Restored>, ServerError> {
        let mut by_record: BTreeMap<(bool, RecordKey), Vec<&Restored>> = BTreeMap::new();
        for change in changes {
            let is_case = change.record.key.kind == Kind::Case.code();
            by_record.entry((!is_case, change.record.key)).or_default().push(change);
        }
        let mut waiting = Vec::new();
        for changes in by_record.into_values() {
            waiting.extend(self.restore_record(&changes)?.into_iter().cloned());
        }
        Ok(waiting)
    }

    fn restore_record<'r>(&mut self, changes: &[&'r Restored]) -> Result<Vec<&'r Restored>, ServerError> {
        let Some(first) = changes.first() else { return Ok(Vec::new()) };
        let Ok(kind) = check_record(&first.record) else { return Ok(Vec::new()) };
        if records::get(self.db, &first.record.key)?.is_some_and(|stored| stored != first.record) {
            return Ok(Vec::new());
        }
        let case = first.record.case.filter(|_| kind != Kind::Case);
        let standing = match case {
            // Who sees it follows from its case, which may come later.
            Some(case) => match self.standing(&case)? {
                Some(standing) => Some((case, standing)),
                None => return Ok(changes.to_vec()),
            },
            None => None,
        };
        let history = self.history(kind, &first.record.key)?;
        let before = history.chunks().len();
        let standing_before = (kind == Kind::Case && before > 0).then(|| Standing::of(history.document()));
        let mut history = Arc::unwrap_or_clone(history);
        let same = changes.iter().filter(|change| change.record == first.record);
        let batch: Vec<_> = same.filter_map(|change| change::parse(&change.chunk).ok()).collect();
        let verdicts = admission::admit(&mut history, &batch, &|_, _, _| Ok(()));
        let mut waiting = Vec::new();
        for (change, verdict) in batch.iter().zip(&verdicts) {
            if matches!(verdict, admission::Verdict::Parked { .. }) {
                waiting.extend(changes.iter().find(|offered| offered.hash == change.hash).copied());
            }
        }
        if history.chunks().len() == before {
            return Ok(waiting);
        }
        let mut cases = Vec::new();
        if kind == Kind::Case {
            let after = Standing::of(history.document());
            cases.push(CaseStandings { case: first.record.key.id, before: standing_before, after });
        } else if let Some((case, standing)) = standing {
            cases.push(CaseStandings::unchanged(case, standing));
        }
        let at_ms = changes.iter().map(|change| change.received_ms).max().unwrap_or(self.now_ms).min(self.now_ms);
        let touched = vec![Touched { record: first.record, kind, history, before }];
        let moves = self.plan_moves(&touched, &cases)?;
        self.store(touched, &moves, None, at_ms)?;
        Ok(waiting)
    }
}
