//! Admission of one change set: who may write where, each record's changes, rulings, and what follows from them.

use std::collections::BTreeSet;

use foras_record::access::{self, Relation};
use foras_record::admission::{self, History, Refusal};
use foras_record::change::ParsedChange;
use foras_record::document::Document;
use foras_record::event::{CaseEvent, Purpose};
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_record::ruling::{Rulings, Verdict};
use foras_record::standing::Standing;
use foras_wire::id::RecordId;
use foras_wire::record::RecordKey;

use super::audiences::CaseStandings;
use super::set::{SetAuthor, SetItem, Stop};
use super::{Intake, Touched};
use crate::error::ServerError;
use crate::grants::GRACE_MS;
use crate::storage::records;

/// Changes of one record: a rehearsal replays them all. An honest record has some tens.
const RECORD_CHANGES_MAX: usize = 10_000;
/// The author may not do this.
const NOT_ALLOWED: &str = "not_allowed";

impl Intake<'_> {
    pub(super) fn admit_set(&mut self, author: &SetAuthor, set: &[&SetItem<'_>]) -> Result<(), Stop> {
        if author.frozen.get() {
            return Err(Stop::Refused(0, "frozen".into()));
        }
        for (at, item) in set.iter().enumerate() {
            if item.change.actor != author.actor {
                return Err(Stop::Refused(at, "foreign_actor".into()));
            }
            self.check_place(author, item).map_err(|stop| match stop {
                Stop::Refused(_, code) => Stop::Refused(at, code),
                stop => stop,
            })?;
        }
        let (mut touched, mut cases) = (Vec::new(), Vec::new());
        for key in records_of(set) {
            let items: Vec<_> = set.iter().copied().enumerate().filter(|(_, item)| item.record.key == key).collect();
            let Some((_, first)) = items.first() else { continue };
            let standing = self.standing_for(first, &mut cases)?;
            let mut one = self.admit_record(author, &items, standing.as_ref())?;
            if first.kind == Kind::Case {
                let rulings = self.rule(key.id, &mut one, author)?;
                if one.before == 0 {
                    check_registration(&items, &rulings)?;
                }
                cases.push(CaseStandings { case: key.id, before: standing, after: rulings.standing });
            }
            touched.push(one);
        }
        self.keep_set(author, set, touched, &cases)
    }

    /// Stores an admitted set, unless its author could not see what it creates.
    fn keep_set(
        &mut self,
        author: &SetAuthor,
        set: &[&SetItem<'_>],
        touched: Vec<Touched>,
        cases: &[CaseStandings],
    ) -> Result<(), Stop> {
        let root = set.first().map(|item| item.push_root.0.to_vec()).unwrap_or_default();
        let moves = self.plan_moves(&touched, cases)?;
        let mut unseen = Vec::new();
        for touched in touched.iter().filter(|touched| touched.before == 0) {
            let names = moves.get(&touched.record.key);
            if names.is_some_and(|names| author.audiences.iter().any(|own| names.contains(own.as_str()))) {
                continue;
            }
            if !self.in_grace(author, touched.record.case.as_ref())? {
                let at = set.iter().position(|item| item.record.key == touched.record.key).unwrap_or(0);
                return Err(Stop::Refused(at, NOT_ALLOWED.into()));
            }
            unseen.push(touched.record.key);
        }
        for case in cases {
            self.note_custody(case)?;
        }
        self.store(touched, &moves, Some((&author.actor, &root)), self.now_ms)?;
        // What a mission made while it held the case is kept, and leaves its devices again.
        for record in unseen {
            for audience in author.audiences.iter().filter(|own| own.class() == "casework") {
                self.journal.drop_record(audience.as_str(), &record, self.now_ms);
            }
        }
        Ok(())
    }

    /// Remembers until when a mission held the case, where its custody ended otherwise than by a withdrawal.
    fn note_custody(&self, standings: &CaseStandings) -> Result<(), ServerError> {
        let Some(before) = standings.before.as_ref().and_then(Standing::holding_country) else { return Ok(()) };
        let withdrawn = !standings.after.consents_to(Purpose::ShareWithOriginMission);
        if standings.after.holding_country() == Some(before) || withdrawn {
            return Ok(());
        }
        records::end_custody(self.db, &standings.case, before.code(), self.now_ms)
    }

    /// Whether the author has, or had, the record that the item changes.
    fn check_place(&mut self, author: &SetAuthor, item: &SetItem<'_>) -> Result<(), Stop> {
        let Some(stored) = records::get(self.db, &item.record.key)? else { return Ok(()) };
        if stored != *item.record {
            return Err(Stop::Refused(0, "wrong_identity".into()));
        }
        let audiences = records::audiences(self.db, &item.record.key)?;
        let own = |name: &str| author.audiences.iter().any(|own| own.as_str() == name);
        if audiences.iter().any(|(name, left)| left.is_none() && own(name)) {
            return Ok(());
        }
        // Server time, and the same answer whether the record is another's or left for good.
        if audiences.keys().any(|name| own(name)) {
            if self.in_grace(author, item.record.case.as_ref())? {
                return Ok(());
            }
            return Err(Stop::Quarantined("left_audience"));
        }
        Err(Stop::Refused(0, "not_found".into()))
    }

    /// Whether the author's mission held the case until lately: the rule of then applies for a time.
    fn in_grace(&mut self, author: &SetAuthor, case: Option<&RecordId>) -> Result<bool, ServerError> {
        let Some(case) = case.filter(|_| author.facts.role == Role::OriginCounsellor) else { return Ok(false) };
        let shared = |standing: Standing| standing.consents_to(Purpose::ShareWithOriginMission);
        if !self.standing(case)?.is_some_and(shared) {
            return Ok(false);
        }
        for country in author.facts.places.iter().filter_map(|place| place.country()) {
            if let Some(until_ms) = records::custody_ended(self.db, case, country.code())?
                && self.now_ms - until_ms <= GRACE_MS
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where the case of a record stands, after the set's own changes to it.
    fn standing_for(&mut self, item: &SetItem<'_>, cases: &mut Vec<CaseStandings>) -> Result<Option<Standing>, Stop> {
        let Some(case) = item.record.case else { return Ok(None) };
        if let Some(known) = cases.iter().find(|known| known.case == case) {
            return Ok(Some(known.after.clone()));
        }
        let standing = self.standing(&case)?;
        if item.kind == Kind::Case {
            return Ok(standing);
        }
        // A case that is not here may still come, from the device that registered it.
        let standing = standing.ok_or(Stop::Parked)?;
        cases.push(CaseStandings::unchanged(case, standing.clone()));
        Ok(Some(standing))
    }

    /// Admits the set's changes of one record.
    fn admit_record(
        &mut self,
        author: &SetAuthor,
        items: &[(usize, &SetItem<'_>)],
        standing: Option<&Standing>,
    ) -> Result<Touched, Stop> {
        let Some((_, first)) = items.first() else { return Err(Stop::Parked) };
        let graced = self.in_grace(author, first.record.case.as_ref())?;
        let mut history = self.take_history(first.kind, &first.record.key)?;
        let before = history.chunks().len();
        match try_changes(author, items, standing, graced, &mut history) {
            Ok(()) => Ok(Touched { record: *first.record, kind: first.kind, history, before }),
            Err(stop) => {
                // Where some of it was taken, the record is read again from its rows.
                if history.chunks().len() == before {
                    self.put_back(&first.record.key, history);
                }
                Err(stop)
            }
        }
    }
}

/// Admits changes to a record, all of them or none.
fn try_changes(
    author: &SetAuthor,
    items: &[(usize, &SetItem<'_>)],
    standing: Option<&Standing>,
    graced: bool,
    history: &mut History,
) -> Result<(), Stop> {
    let Some((first_at, first)) = items.first() else { return Err(Stop::Parked) };
    if history.chunks().len() + items.len() > RECORD_CHANGES_MAX {
        return Err(Stop::Refused(*first_at, "record_full".into()));
    }
    let gate = |change: &ParsedChange, before: &Document, creating: bool| -> Result<(), Refusal> {
        let registering = (creating && first.kind == Kind::Case).then(|| access::registering(change));
        let standing = registering.as_ref().or(standing);
        let mut relation = Relation::of(&author.facts, first.kind, first.record.case.zip(standing), before);
        relation.holder |= graced;
        relation.opened |= graced;
        access::check_change(change, before, &author.facts, relation).map_err(|error| Refusal::new(error.code()))
    };
    let changes: Vec<_> = items.iter().map(|(_, item)| item.change.clone()).collect();
    let verdicts = admission::admit(history, &changes, &gate);
    for ((at, _), verdict) in items.iter().zip(&verdicts) {
        if let admission::Verdict::Refused(refusal) = verdict {
            let former = standing.is_some_and(|standing| Relation::is_former(&author.facts, standing));
            if refusal.code == NOT_ALLOWED && former {
                return Err(Stop::Quarantined("left_audience"));
            }
            return Err(Stop::Refused(*at, refusal.code.into()));
        }
    }
    if verdicts.iter().any(|verdict| matches!(verdict, admission::Verdict::Parked { .. })) {
        return Err(Stop::Parked);
    }
    Ok(())
}

/// The records of a set, each once. Cases come first: what else is in the set is allowed by where its case stands.
fn records_of(set: &[&SetItem<'_>]) -> Vec<RecordKey> {
    let (mut keys, mut seen) = (Vec::new(), BTreeSet::new());
    for of_case in [true, false] {
        for item in set.iter().filter(|item| (item.kind == Kind::Case) == of_case) {
            if seen.insert(item.record.key) {
                keys.push(item.record.key);
            }
        }
    }
    keys
}

/// A case whose registration has no effect would be seen by nobody: it is refused with the reason, and its author keeps
/// it.
fn check_registration(items: &[(usize, &SetItem<'_>)], rulings: &Rulings) -> Result<(), Stop> {
    let mut reasons = rulings.ruled.iter().filter_map(|ruled| match (&ruled.event.event, &ruled.ruling.verdict) {
        (CaseEvent::Registered(_), Verdict::Void(reason)) => Some(reason.clone()),
        _ => None,
    });
    match (reasons.next(), items.first()) {
        (Some(reason), Some((at, _))) if rulings.standing.registered_on.is_none() => Err(Stop::Refused(*at, reason)),
        _ => Ok(()),
    }
}
