//! Rulings: devices propose, the server decides which events take effect, and writes its decision into the case.
//!
//! An event made in good faith offline is never refused here: it is kept and ruled valid, or void with a reason. Every
//! verdict is a pure function of the case, the author, the destinations and the server's day.

mod consent;
mod destination;
mod docket;
mod handover;
pub mod reason;
mod registration;
mod text;
mod write;

use foras_wire::id::{Actor, RecordId};
use jiff::civil::Date;

pub use destination::{Authorisation, Destinations};
pub use docket::{Docket, RuledEvent};
pub use text::{BadRuling, REASON_BYTES_MAX, Ruling, Verdict};
pub use write::{Rulings, rule_document};

use crate::access::AuthorFacts;
use crate::event::{CaseEvent, Departure, EventId, Join, JoinStep};
use crate::place::Place;
use crate::role::Role;
use crate::standing::{CaseFile, Standing};

/// An event without a ruling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEvent {
    /// The event's id.
    pub id: EventId,
    /// The event.
    pub event: CaseEvent,
    /// Who recorded it.
    pub actor: Actor,
    /// The counter of its operation.
    pub counter: u64,
}

/// What a verdict rests on besides case and author.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// The case.
    pub case: RecordId,
    /// The authorised missions.
    pub destinations: &'a Destinations,
    /// The server's day, in Morocco.
    pub today: Date,
}

/// Everything that a rule looks at.
pub(crate) struct Hearing<'a> {
    pub(crate) file: &'a CaseFile,
    pub(crate) standing: &'a Standing,
    pub(crate) author: &'a AuthorFacts,
    pub(crate) grounds: &'a Grounds<'a>,
}

/// The outcome of a rule: a reason makes the event void.
pub(crate) type Finding = Result<(), &'static str>;

/// The verdict on one event, as the case stands after the rulings before it.
#[must_use]
pub fn rule(
    file: &CaseFile,
    standing: &Standing,
    event: &CaseEvent,
    author: &AuthorFacts,
    grounds: &Grounds<'_>,
) -> Verdict {
    let hearing = Hearing { file, standing, author, grounds };
    let finding = match event {
        CaseEvent::Registered(registered) => registration::registered(&hearing, registered),
        CaseEvent::Transfer(transfer) => registration::transfer(&hearing, transfer),
        CaseEvent::Consent(consent) => consent::consent(&hearing, consent),
        CaseEvent::Handover(handover) => handover::handover(&hearing, handover),
        CaseEvent::Departure(Departure { .. }) => hearing.staff_or_mission(),
        CaseEvent::Stage(_) => hearing.staff_or_holder(),
        CaseEvent::Join(join) => hearing.join(join),
    };
    match finding {
        Ok(()) => Verdict::Valid,
        Err(reason) => Verdict::Void(reason.into()),
    }
}

impl Hearing<'_> {
    /// Whether the author is the server itself.
    pub(crate) fn by_server(&self) -> bool {
        self.author.role == Role::Server
    }

    /// Staff of a point that has the case.
    pub(crate) fn by_point_staff(&self) -> bool {
        matches!(self.author.role, Role::Outreach | Role::HostCounsellor)
            && self.standing.points.iter().any(|point| self.author.places.contains(&Place::Point(*point)))
    }

    /// A counsellor of the mission that the case is opened to.
    pub(crate) fn by_opened_mission(&self) -> bool {
        self.author.role == Role::OriginCounsellor
            && self.standing.opened.is_some_and(|opening| self.author.works_in(opening.country))
    }

    /// A counsellor of the mission that holds the case.
    pub(crate) fn by_holder(&self) -> bool {
        self.author.role == Role::OriginCounsellor
            && self.standing.holding_country().is_some_and(|country| self.author.works_in(country))
    }

    fn staff_or_mission(&self) -> Finding {
        if self.by_point_staff() || self.by_opened_mission() || self.by_server() {
            Ok(())
        } else {
            Err(reason::NOT_YOURS)
        }
    }

    fn staff_or_holder(&self) -> Finding {
        if self.by_point_staff() || self.by_holder() || self.by_server() { Ok(()) } else { Err(reason::NOT_YOURS) }
    }

    fn join(&self, join: &Join) -> Finding {
        self.staff_or_holder()?;
        let joined = self.standing.joined.contains(&join.other);
        if join.other == self.grounds.case {
            Err(reason::SAME_CASE)
        } else if joined == (join.step == JoinStep::Join) {
            Err(reason::NOTHING_TO_JOIN)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
