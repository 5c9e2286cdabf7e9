//! The course of one handover, from a proposal that was ruled valid.

use jiff::civil::Date;

use crate::event::{EventId, Rejection, Scope};
use crate::place::Country;
use std::collections::BTreeSet;

/// A case opened to a mission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The mission's country.
    pub country: Country,
    /// The proposal that opened it.
    pub proposal: EventId,
}

/// How a handover ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CourseEnd {
    /// The mission did not take the case.
    Rejected(Option<Rejection>),
    /// The point took the proposal back.
    Revoked,
    /// The acceptance was a mistake.
    Undone,
    /// The person withdrew consent.
    Withdrawn,
}

/// How far a handover came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoverState {
    /// None was proposed.
    None,
    /// Waits for the mission.
    Proposed,
    /// The mission has it before it.
    Received,
    /// The mission holds the case.
    Accepted,
    /// Ended.
    Ended(CourseEnd),
}

impl HandoverState {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Proposed => "proposed",
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Ended(CourseEnd::Rejected(_)) => "rejected",
            Self::Ended(CourseEnd::Revoked) => "revoked",
            Self::Ended(CourseEnd::Undone) => "undone",
            Self::Ended(CourseEnd::Withdrawn) => "withdrawn",
        }
    }
}

/// One handover: days are those of the server's rulings, in Morocco.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoverCourse {
    /// The proposal.
    pub proposal: EventId,
    /// To which mission.
    pub to: Country,
    /// What the consent covered.
    pub scopes: BTreeSet<Scope>,
    /// When it was proposed.
    pub proposed_on: Date,
    /// When the mission had it before it.
    pub received_on: Option<Date>,
    /// When the mission accepted.
    pub accepted_on: Option<Date>,
    /// How and when it ended.
    pub end: Option<(CourseEnd, Date)>,
}

impl HandoverCourse {
    /// How far it came.
    #[must_use]
    pub fn state(&self) -> HandoverState {
        match (self.end, self.accepted_on, self.received_on) {
            (Some((end, _)), _, _) => HandoverState::Ended(end),
            (None, Some(_), _) => HandoverState::Accepted,
            (None, None, Some(_)) => HandoverState::Received,
            (None, None, None) => HandoverState::Proposed,
        }
    }

    /// Whether the case is opened by it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }
}
