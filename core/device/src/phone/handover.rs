//! Handing a case over to the mission of the country of return.

use foras_record::document::Document;
use foras_record::event::{CaseEvent, EventId, Family, Handover, HandoverStep};
use foras_record::field::ValueType;
use foras_record::kind::Kind;
use foras_record::place::{Country, Place};
use foras_record::standing::Standing;
use foras_record::value;
use serde::Serialize;

use super::{Phone, consent, setting};
use crate::error::Error;

/// An event that was appended to a case. It takes effect when the server has ruled it valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stepped {
    /// The case.
    pub id: String,
    /// The event.
    pub event: String,
}

impl Phone {
    /// Proposes the case to a country's mission.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InvalidValue`], [`Error::NotAllowed`]; nothing is then written.
    pub fn propose_handover(&mut self, id: &str, to: &str) -> Result<Stepped, Error> {
        let case = self.case(id)?;
        let to = country(to)?;
        self.case_document(&case)?;
        self.may_step(HandoverStep::Proposed)?;
        let proposed = Handover { step: HandoverStep::Proposed, to, of: None, reason: None };
        self.append(case, &CaseEvent::Handover(proposed))
    }

    /// Takes the case, as the mission that it was proposed to.
    ///
    /// # Errors
    /// As [`Phone::propose_handover`]; [`Error::NotProposed`] when no proposal to the own mission is known.
    pub fn accept_handover(&mut self, id: &str) -> Result<Stepped, Error> {
        self.answer(id, HandoverStep::Accepted, None)
    }

    /// Does not take the case. `reason` is wrong_country, incomplete, not_reachable or other.
    ///
    /// # Errors
    /// As [`Phone::accept_handover`], and [`Error::Misuse`] for an unknown reason.
    pub fn reject_handover(&mut self, id: &str, reason: &str) -> Result<Stepped, Error> {
        self.answer(id, HandoverStep::Rejected, Some(reason))
    }

    /// Takes a proposal back, as the point that made it.
    ///
    /// # Errors
    /// As [`Phone::accept_handover`].
    pub fn revoke_handover(&mut self, id: &str) -> Result<Stepped, Error> {
        self.answer(id, HandoverStep::Revoked, None)
    }

    /// Undoes a mistaken acceptance: custody returns to the point.
    ///
    /// # Errors
    /// As [`Phone::accept_handover`].
    pub fn undo_handover(&mut self, id: &str) -> Result<Stepped, Error> {
        self.answer(id, HandoverStep::Undone, None)
    }

    fn answer(&mut self, id: &str, step: HandoverStep, reason: Option<&str>) -> Result<Stepped, Error> {
        let known = "a reason is wrong_country, incomplete, not_reachable or other";
        let reason = reason.map(|reason| consent::code(reason, known)).transpose()?;
        let case = self.case(id)?;
        let document = self.case_document(&case)?;
        self.may_step(step)?;
        let missions: Vec<Country> = self.enrolled()?.places().iter().copied().filter_map(Place::country).collect();
        let is_ours = |to: &Country| missions.is_empty() || missions.contains(to);
        let (of, to) = proposal(&document).filter(|(_, to)| is_ours(to)).ok_or(Error::NotProposed)?;
        self.append(case, &CaseEvent::Handover(Handover { step, to, of: Some(of), reason }))
    }

    /// A step that is another role's would only be ruled void: it is not written.
    fn may_step(&self, step: HandoverStep) -> Result<(), Error> {
        if step.is_for(self.enrolled()?.role()) {
            return Ok(());
        }
        Err(Error::NotAllowed { code: "not_allowed", field: Some("handover") })
    }
}

/// The proposal that an answer means: the one that opened the case, else the last ruled, else the last recorded.
fn proposal(document: &Document) -> Option<(EventId, Country)> {
    let standing = Standing::of(document);
    if let Some(opening) = standing.opened {
        return Some((opening.proposal, opening.country));
    }
    let field = Kind::Case.rule().field(Family::Handover.code())?;
    let events = document.items(field);
    let unruled = standing.unruled.iter().rev().find_map(|id| {
        let json = events.get(&id.to_string())?.as_text()?;
        match CaseEvent::parse(Family::Handover, json) {
            Ok(CaseEvent::Handover(handover)) if handover.step == HandoverStep::Proposed => Some((*id, handover.to)),
            _ => None,
        }
    });
    unruled.or_else(|| standing.handovers.last().map(|course| (course.proposal, course.to)))
}

fn country(text: &str) -> Result<Country, Error> {
    let wrong = |code| Error::InvalidValue { code, field: Some("to") };
    let country = value::check(&ValueType::Country, text).map_err(|error| wrong(error.code()))?;
    setting::plain(&country).parse().map_err(|_| wrong("no_such_country"))
}
