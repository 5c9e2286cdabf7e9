//! Counting.

use std::collections::BTreeMap;

use super::completion::AWARENESS;
use super::dimension::{By, UNKNOWN};
use super::facts::{AttendanceFact, Facts, FeedbackFact, Format, Satisfied};
use super::people::{Person, people};
use super::query::Query;
use super::report::{Figures, Report, Row, Satisfaction};

/// The report, nothing suppressed.
pub(super) fn count(facts: &Facts, query: &Query) -> Report {
    let people = people(facts, query);
    let answers = facts
        .feedback
        .iter()
        .filter(|answer| query.takes_programme(&answer.programme) && query.period.contains(answer.on));
    let answers: Vec<&FeedbackFact> = answers.collect();
    let mut total = Tally::default();
    let mut rows: BTreeMap<Vec<String>, Tally> = BTreeMap::new();
    for person in &people {
        total.add(&Presence::of(person, query, None), person, query);
        for (values, module) in combinations(person, query) {
            let presence = Presence::of(person, query, module.as_deref());
            rows.entry(values).or_default().add(&presence, person, query);
        }
    }
    for answer in &answers {
        total.answer(answer);
        if let Some(values) = answer_values(answer, query) {
            rows.entry(values).or_default().answer(answer);
        }
    }
    let named = |values: Vec<String>| query.by.iter().copied().zip(values).collect();
    let rows = rows.into_iter().filter(|(_, tally)| !tally.is_empty());
    let rows = rows.map(|(values, tally)| Row { of: named(values), figures: tally.figures() }).collect();
    Report { from: query.period.from, to: query.period.to, rows, total: total.figures() }
}

/// The rows that a person stands in, each with the module that it is about.
fn combinations(person: &Person<'_>, query: &Query) -> Vec<(Vec<String>, Option<String>)> {
    let Some(case) = person.cases.first().filter(|_| !query.by.is_empty()) else { return Vec::new() };
    let year = i64::from(query.period.to.year());
    let values = |module: Option<&str>| {
        let value = |by: &By| by.of(case, year).unwrap_or_else(|| module.unwrap_or(UNKNOWN).to_owned());
        query.by.iter().map(value).collect::<Vec<String>>()
    };
    if !query.by.contains(&By::Module) {
        return vec![(values(None), None)];
    }
    let mut modules: Vec<&str> = person.attended.iter().map(|fact| fact.session.module.as_str()).collect();
    modules.sort_unstable();
    modules.dedup();
    modules.into_iter().map(|module| (values(Some(module)), Some(module.to_owned()))).collect()
}

/// The row of an answer: only where every dimension is one that an answer has.
fn answer_values(answer: &FeedbackFact, query: &Query) -> Option<Vec<String>> {
    let value = |by: &By| match by {
        By::Point => Some(answer.point.map_or(UNKNOWN, |point| point.code()).to_owned()),
        By::Module => answer.module.clone(),
        _ => None,
    };
    if query.by.is_empty() { None } else { query.by.iter().map(value).collect() }
}

/// What one person did in the period; in a row about one module, in that module.
struct Presence {
    registered: bool,
    attended: bool,
    oriented: bool,
    awareness: bool,
    trained: bool,
    completed: bool,
    handed_over: bool,
    accepted: bool,
    departed: bool,
}

impl Presence {
    fn of(person: &Person<'_>, query: &Query, module: Option<&str>) -> Self {
        let days = query.period;
        let any = |wanted: &dyn Fn(&AttendanceFact) -> bool| {
            let mut facts = person.attended.iter();
            facts.any(|fact| module.is_none_or(|module| fact.session.module == module) && wanted(fact))
        };
        let is_training = |fact: &AttendanceFact| match query.modules.is_empty() {
            true => fact.session.module != AWARENESS,
            false => query.modules.contains(&fact.session.module),
        };
        Self {
            registered: person.cases.iter().any(|case| case.registered_on.is_some_and(|day| days.contains(day))),
            attended: any(&|_| true),
            oriented: any(&|fact| fact.session.module == AWARENESS),
            awareness: any(&|fact| fact.session.module == AWARENESS && fact.session.format == Format::Group),
            trained: any(&is_training),
            completed: person.completed,
            handed_over: person.handovers().any(|handover| !handover.revoked && days.contains(handover.proposed_on)),
            accepted: accepted_days(person, query).next().is_some(),
            departed: person.cases.iter().any(|case| case.departed_on.is_some_and(|day| days.contains(day))),
        }
    }
}

/// For each acceptance in the period, the days since its proposal.
fn accepted_days<'a>(person: &'a Person<'_>, query: &'a Query) -> impl Iterator<Item = u64> + 'a {
    person.handovers().filter(|handover| !handover.undone).filter_map(|handover| {
        let accepted_on = handover.accepted_on.filter(|day| query.period.contains(*day))?;
        let days = handover.proposed_on.until(accepted_on).map_or(0, |span| span.get_days());
        Some(u64::try_from(days).unwrap_or(0))
    })
}

/// The running figures of one row.
#[derive(Default)]
struct Tally {
    registered: u64,
    attended: u64,
    oriented: u64,
    awareness: u64,
    trained: u64,
    completed: u64,
    handed_over: u64,
    accepted: u64,
    departed: u64,
    days: Vec<u64>,
    satisfied: u64,
    answered: u64,
    silent: u64,
}

impl Tally {
    fn add(&mut self, presence: &Presence, person: &Person<'_>, query: &Query) {
        self.registered += u64::from(presence.registered);
        self.attended += u64::from(presence.attended);
        self.oriented += u64::from(presence.oriented);
        self.awareness += u64::from(presence.awareness);
        self.trained += u64::from(presence.trained);
        self.completed += u64::from(presence.completed);
        self.handed_over += u64::from(presence.handed_over);
        self.accepted += u64::from(presence.accepted);
        self.departed += u64::from(presence.departed);
        // One person counts once: the last acceptance in the period.
        self.days.extend(accepted_days(person, query).last());
    }

    fn answer(&mut self, answer: &FeedbackFact) {
        match answer.satisfied {
            Satisfied::Yes => (self.satisfied, self.answered) = (self.satisfied + 1, self.answered + 1),
            Satisfied::No => self.answered += 1,
            Satisfied::None => self.silent += 1,
        }
    }

    /// Nobody of this row did anything in the period.
    fn is_empty(&self) -> bool {
        let people = [self.registered, self.attended, self.handed_over, self.accepted, self.departed];
        people.iter().sum::<u64>() + self.answered + self.silent == 0
    }

    fn figures(mut self) -> Figures {
        self.days.sort_unstable();
        Figures {
            registered: Some(self.registered),
            attended: Some(self.attended),
            oriented: Some(self.oriented),
            awareness: Some(self.awareness),
            trained: Some(self.trained),
            completed: Some(self.completed),
            handed_over: Some(self.handed_over),
            accepted: Some(self.accepted),
            median_days: median(&self.days),
            departed: Some(self.departed),
            satisfied: Satisfaction {
                share: share(self.satisfied, self.answered),
                n: Some(self.answered),
                non_response: Some(self.silent),
            },
        }
    }
}

/// The lower of the two middle values where their number is even: a whole number of days that somebody waited.
fn median(sorted: &[u64]) -> Option<u64> {
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// To a hundredth, as the programme publishes it.
fn share(satisfied: u64, answered: u64) -> Option<f64> {
    if answered == 0 {
        return None;
    }
    // Half a hundredth rounds up; whole numbers keep it exact.
    let hundredths = (satisfied * 200 + answered) / (answered * 2);
    u32::try_from(hundredths).ok().map(|hundredths| f64::from(hundredths) / 100.0)
}
