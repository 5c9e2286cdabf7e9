//! Events of a case: appended by anybody whom the kind allows, never overwritten, ruled by the server.
//!
//! An event is kept as JSON under `family/event id`. Fields that this build does not know are tolerated, so that a newer
//! device's event can be read; codes that it does not know are not.

pub(crate) mod as_text;
mod codes;
mod consent;
mod handover;
mod id;
mod stage;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use foras_wire::id::RecordId;

pub use codes::UnknownCode;
pub use consent::{Basis, Consent, ConsentStatus, Form, Purpose, Scope};
pub use handover::{Departure, DepartureStep, Handover, HandoverStep, Rejection};
pub use id::EventId;
pub use stage::Stage;

use crate::place::Point;
use crate::value::EVENT_BYTES_MAX;
pub(crate) use codes::codes;

/// Most withdrawals that one consent may name.
pub const AFTER_MAX: usize = 64;
/// Years in which an event may lie: what is outside is a slip of the keyboard.
pub const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// A text that is no event of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// More than [`EVENT_BYTES_MAX`] bytes.
    #[error("an event has at most {EVENT_BYTES_MAX} bytes")]
    TooLong,
    /// Not JSON of that family, or a code or value that this build does not know.
    #[error("not an event of this family")]
    Malformed,
    /// Readable, but something that it needs is missing or out of bounds.
    #[error("the event lacks something that it needs")]
    Incomplete,
}

codes! {
    /// A family of events: the field of a case that holds them.
    Family {
        /// Registered at a point.
        Registered = "registered",
        /// Moved to another point.
        Transfer = "transfer",
        /// A stage declared by staff.
        Stage = "stage",
        /// A consent.
        Consent = "consent",
        /// A step of a handover.
        Handover = "handover",
        /// A step of a departure.
        Departure = "departure",
        /// Joined with a duplicate, or parted from it.
        Join = "join",
    }
}

codes! {
    /// A step of joining duplicates.
    JoinStep {
        /// Both cases are one person's.
        Join = "join",
        /// They are not, after all.
        Unjoin = "unjoin",
    }
}

/// A registration: field `registered` of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The point.
    #[serde(with = "as_text")]
    pub point: Point,
    /// The day.
    #[serde(with = "as_text")]
    pub on: Date,
    /// A legal basis other than consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
}

/// A move to another point: field `transfer` of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The new point.
    #[serde(with = "as_text")]
    pub to: Point,
}

/// A stage declared by staff: field `stage` of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageDeclared {
    /// The stage. One that follows from facts ends a declared exit and declares nothing.
    pub to: Stage,
}

/// A join of duplicates: field `join` of both cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The other case.
    #[serde(with = "as_text")]
    pub other: RecordId,
    /// Joined or parted.
    pub step: JoinStep,
}

/// An event of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseEvent {
    /// See [`Registered`].
    Registered(Registered),
    /// See [`Transfer`].
    Transfer(Transfer),
    /// See [`StageDeclared`].
    Stage(StageDeclared),
    /// See [`Consent`].
    Consent(Consent),
    /// See [`Handover`].
    Handover(Handover),
    /// See [`Departure`].
    Departure(Departure),
    /// See [`Join`].
    Join(Join),
}

impl CaseEvent {
    /// The event of `family` in this JSON.
    ///
    /// # Errors
    /// [`EventError`] when it is too long, malformed or incomplete.
    pub fn parse(family: Family, json: &str) -> Result<Self, EventError> {
        fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, EventError> {
            serde_json::from_str(json).map_err(|_| EventError::Malformed)
        }
        if json.len() > EVENT_BYTES_MAX {
            return Err(EventError::TooLong);
        }
        let event = match family {
            Family::Registered => Self::Registered(read(json)?),
            Family::Transfer => Self::Transfer(read(json)?),
            Family::Stage => Self::Stage(read(json)?),
            Family::Consent => Self::Consent(read(json)?),
            Family::Handover => Self::Handover(read(json)?),
            Family::Departure => Self::Departure(read(json)?),
            Family::Join => Self::Join(read(json)?),
        };
        if event.is_complete() { Ok(event) } else { Err(EventError::Incomplete) }
    }

    /// The family, and so the field that holds it.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Self::Registered(_) => Family::Registered,
            Self::Transfer(_) => Family::Transfer,
            Self::Stage(_) => Family::Stage,
            Self::Consent(_) => Family::Consent,
            Self::Handover(_) => Family::Handover,
            Self::Departure(_) => Family::Departure,
            Self::Join(_) => Family::Join,
        }
    }

    /// The JSON that is stored: compact, keys in the order of the type.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Registered(event) => serde_json::to_string(event),
            Self::Transfer(event) => serde_json::to_string(event),
            Self::Stage(event) => serde_json::to_string(event),
            Self::Consent(event) => serde_json::to_string(event),
            Self::Handover(event) => serde_json::to_string(event),
            Self::Departure(event) => serde_json::to_string(event),
            Self::Join(event) => serde_json::to_string(event),
        }
        // Structs of texts always serialise.
        .unwrap_or_default()
    }

    fn is_complete(&self) -> bool {
        match self {
            Self::Registered(event) => YEARS.contains(&event.on.year()),
            Self::Departure(event) => YEARS.contains(&event.on.year()),
            Self::Consent(consent) => {
                (consent.form.is_some() || consent.basis.is_some() || consent.status != ConsentStatus::Given)
                    && consent.after.len() <= AFTER_MAX
                    && consent.language.as_deref().is_none_or(is_language)
            }
            Self::Handover(handover) => match handover.step {
                HandoverStep::Proposed => handover.of.is_none(),
                HandoverStep::Rejected => handover.of.is_some() && handover.reason.is_some(),
                _ => handover.of.is_some(),
            },
            Self::Transfer(_) | Self::Stage(_) | Self::Join(_) => true,
        }
    }
}

/// Two or three lowercase letters: the shape of ISO 639.
fn is_language(code: &str) -> bool {
    (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests;
