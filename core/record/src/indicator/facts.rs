//! Facts: what indicators are counted from. Read from documents by [`super::read`], kept in tables by the server.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::id::RecordId;
use jiff::civil::Date;

use crate::event::codes;
use crate::place::{Country, Point};

codes! {
    /// How many took part in a session.
    Format {
        /// A group.
        Group = "group",
        /// One person.
        Individual = "individual",
    }
}

codes! {
    /// What a roll call says of one person.
    Outcome {
        /// There.
        Present = "present",
        /// There for a part.
        Partly = "partly",
        /// Not there.
        Absent = "absent",
    }
}

codes! {
    /// An answer to the satisfaction survey.
    Satisfied {
        /// Satisfied.
        Yes = "yes",
        /// Not satisfied.
        No = "no",
        /// Asked, and did not answer.
        None = "none",
    }
}

/// One handover that took effect. Days are those of the server's rulings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandoverFact {
    /// Proposed on.
    pub proposed_on: Date,
    /// Accepted on.
    pub accepted_on: Option<Date>,
    /// The point took the proposal back: it does not count as handed over.
    pub revoked: bool,
    /// The acceptance was a mistake: it does not count as accepted.
    pub undone: bool,
}

/// What a case says of its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFact {
    /// The case.
    pub case: RecordId,
    /// The programme.
    pub programme: String,
    /// The point that has the case.
    pub point: Option<Point>,
    /// The day of registration.
    pub registered_on: Option<Date>,
    /// The code of the sex.
    pub sex: Option<String>,
    /// The year of birth.
    pub birth_year: Option<i64>,
    /// The nationality, ISO 3166-1 alpha-2.
    pub nationality: Option<String>,
    /// The country of return, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Every handover, oldest first.
    pub handovers: Vec<HandoverFact>,
    /// The day of departure.
    pub departed_on: Option<Date>,
    /// Cases that are the same person's.
    pub joined: BTreeSet<RecordId>,
}

/// What a session says of those who attended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFact {
    /// The session.
    pub session: RecordId,
    /// Its day, in Morocco.
    pub on: Date,
    /// The code of its module.
    pub module: String,
    /// Group or individual.
    pub format: Format,
    /// At a distance.
    pub is_virtual: bool,
    /// The point.
    pub point: Option<Point>,
    /// The country whose mission it is held with.
    pub country: Option<Country>,
}

/// One person at one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttendanceFact {
    /// The person's case.
    pub case: RecordId,
    /// What the roll call says.
    pub outcome: Outcome,
    /// The session.
    pub session: SessionFact,
}

/// One answer to the satisfaction survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackFact {
    /// The point.
    pub point: Option<Point>,
    /// The programme.
    pub programme: String,
    /// The code of the module, where it was about one.
    pub module: Option<String>,
    /// The answer.
    pub satisfied: Satisfied,
    /// The day.
    pub on: Date,
}

/// Everything that indicators are counted from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Cases, in any order.
    pub cases: Vec<CaseFact>,
    /// Attendance, in any order.
    pub attendance: Vec<AttendanceFact>,
    /// Answers, in any order.
    pub feedback: Vec<FeedbackFact>,
    /// The completion rule of modules: at how many sessions a person must be present. Where none is named: one.
    pub completion: BTreeMap<String, u32>,
}

impl Outcome {
    /// There, in whole or part.
    #[must_use]
    pub fn is_attended(self) -> bool {
        self != Self::Absent
    }
}
