//! People: cases that were joined as one person's are one.

use std::collections::BTreeMap;

use foras_wire::id::RecordId;

use super::completion;
use super::facts::{AttendanceFact, CaseFact, Facts, HandoverFact};
use super::query::Query;

/// One person, with the facts that the query takes.
pub(super) struct Person<'a> {
    /// The cases, the one that stands for the person first.
    pub(super) cases: Vec<&'a CaseFact>,
    /// Sessions in the period that were attended, in whole or part.
    pub(super) attended: Vec<&'a AttendanceFact>,
    /// Whether these complete the path.
    pub(super) completed: bool,
}

impl Person<'_> {
    /// All handovers of the person.
    pub(super) fn handovers(&self) -> impl Iterator<Item = &HandoverFact> {
        self.cases.iter().flat_map(|case| &case.handovers)
    }
}

/// The people of the query's programme.
pub(super) fn people<'a>(facts: &'a Facts, query: &Query) -> Vec<Person<'a>> {
    let cases: BTreeMap<RecordId, &CaseFact> = facts
        .cases
        .iter()
        .filter(|case| query.takes_programme(&case.programme))
        .map(|case| (case.case, case))
        .collect();
    let mut people: BTreeMap<RecordId, Person<'_>> = BTreeMap::new();
    let one = joined(&cases);
    for (id, case) in &cases {
        let person = one.get(id).copied().unwrap_or(*id);
        let known = people.entry(person).or_insert_with(|| Person {
            cases: Vec::new(),
            attended: Vec::new(),
            completed: false,
        });
        known.cases.push(case);
    }
    let counts = |fact: &&AttendanceFact| {
        fact.outcome.is_attended() && query.period.contains(fact.session.on) && query.sessions.takes(&fact.session)
    };
    for fact in facts.attendance.iter().filter(counts) {
        let person = one.get(&fact.case).copied().unwrap_or(fact.case);
        if let Some(person) = people.get_mut(&person) {
            person.attended.push(fact);
        }
    }
    let mut people: Vec<Person<'_>> = people.into_values().collect();
    for person in &mut people {
        // The case registered first stands for the person.
        person.completed = completion::completes_path(person.attended.iter().copied(), &facts.completion);
        person.cases.sort_by_key(|case| (case.registered_on.is_none(), case.registered_on, case.case));
    }
    people
}

/// Each joined case with the smallest case of its person. Joins hold both ways, and through a third case.
fn joined(cases: &BTreeMap<RecordId, &CaseFact>) -> BTreeMap<RecordId, RecordId> {
    let mut neighbours: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
    for (id, case) in cases {
        for other in case.joined.iter().filter(|other| cases.contains_key(other)) {
            neighbours.entry(*id).or_default().push(*other);
            neighbours.entry(*other).or_default().push(*id);
        }
    }
    let mut person_of = BTreeMap::new();
    for start in neighbours.keys() {
        let mut open = vec![*start];
        while let Some(case) = open.pop() {
            if person_of.contains_key(&case) {
                continue;
            }
            person_of.insert(case, *start);
            open.extend(neighbours.get(&case).into_iter().flatten());
        }
    }
    person_of
}
