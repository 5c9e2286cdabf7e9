//! Handover of a case to a mission, and departure.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::EventId;
use super::codes::codes;
use crate::place::Country;
use crate::role::Role;

codes! {
    /// A step of a handover.
    HandoverStep {
        /// The point asks a mission to take the case.
        Proposed = "proposed",
        /// The mission has it before it.
        Received = "received",
        /// The mission takes the case.
        Accepted = "accepted",
        /// The mission does not take it; a reason is named.
        Rejected = "rejected",
        /// The point takes its proposal back, before acceptance.
        Revoked = "revoked",
        /// A mistaken acceptance is undone; custody returns to the point.
        Undone = "undone",
    }
}

codes! {
    /// Why a mission rejects.
    Rejection {
        /// The person returns to another country.
        WrongCountry = "wrong_country",
        /// Something needed is missing.
        Incomplete = "incomplete",
        /// The person cannot be reached.
        NotReachable = "not_reachable",
        /// Anything else.
        Other = "other",
    }
}

codes! {
    /// A step of a departure.
    DepartureStep {
        /// A date is set.
        Planned = "planned",
        /// The person left.
        Departed = "departed",
        /// The person arrived.
        Arrived = "arrived",
    }
}

impl HandoverStep {
    /// Whether somebody of `role` may take this step at all. Whether this very case lets them is for the ruling, which
    /// looks at where they work.
    #[must_use]
    pub fn is_for(self, role: Role) -> bool {
        let point = matches!(role, Role::Outreach | Role::HostCounsellor);
        let mission = role == Role::OriginCounsellor;
        match self {
            Self::Proposed | Self::Revoked => point,
            Self::Received | Self::Accepted | Self::Rejected => mission,
            Self::Undone => point || mission,
        }
    }
}

/// A handover event: field `handover` of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// Which step.
    pub step: HandoverStep,
    /// The country whose mission it concerns.
    #[serde(with = "super::as_text")]
    pub to: Country,
    /// The proposal that this answers; every step but `proposed` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<EventId>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Rejection>,
}

/// A departure event: field `departure` of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// Which step.
    pub step: DepartureStep,
    /// On which day.
    #[serde(with = "super::as_text")]
    pub on: Date,
}
