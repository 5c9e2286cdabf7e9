//! Indicators: figures of the programme, counted from facts. Phone, desk and server count by this one function, so that
//! they count alike. A counter is never merged.
//!
//! The rules, by the programme's own definitions:
//! - Everything counts *distinct people*: cases that were joined as one person's count once.
//! - Periods are whole days in Morocco, both ends included. A person is registered in a period by the day of
//!   registration; everything about sessions goes by the session's day, everything about handovers by the server's.
//! - *Attended* is present or partly. A module is *complete* by its rule: present at so many of its sessions in the
//!   period, one by default; the path, when awareness and one other module are.
//! - A person's programme is that of the case; age is the year of the period's end less the year of birth.
//! - The satisfaction survey has no author, so its answers are grouped by point and module only.

mod completion;
mod count;
mod dimension;
mod facts;
mod people;
mod query;
mod read;
mod report;
mod suppress;

pub use dimension::{AgeBand, By};
pub use facts::{AttendanceFact, CaseFact, Facts, FeedbackFact, Format, HandoverFact, Outcome, Satisfied, SessionFact};
pub use query::{ANY_PROGRAMME, Period, Query, SessionFilter, programme_on};
pub use read::{attendance_of, case_fact, feedback_fact, session_fact, training_of};
pub use report::{Figures, Report, Row, Satisfaction};

/// The report that answers `query`.
#[must_use]
pub fn report(facts: &Facts, query: &Query) -> Report {
    let mut report = count::count(facts, query);
    suppress::suppress(&mut report, query.suppress);
    report
}

#[cfg(test)]
mod tests;
