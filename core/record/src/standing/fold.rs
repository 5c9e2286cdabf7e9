//! Events ruled valid, applied in the order of their rulings. Total: an event whose ground is gone changes nothing.

use jiff::civil::Date;

use super::handover::{CourseEnd, HandoverCourse, Opening};
use super::{CaseFile, Holder, Standing};
use crate::event::{
    CaseEvent, Consent, ConsentStatus, Departure, DepartureStep, EventId, Handover, HandoverStep, Join, JoinStep,
    Purpose, Scope,
};
use crate::place::Place;

impl Standing {
    /// The standing that follows from a case's events and rulings.
    #[must_use]
    pub fn fold(file: &CaseFile) -> Self {
        let mut standing = Self::default();
        for (id, event, ruled_on) in file.in_force() {
            standing.apply(id, event, ruled_on);
        }
        standing.last_ruling = file.last_ruling();
        standing.awaiting_point = file.awaiting_point();
        standing.unruled = file.unruled().into_iter().map(|event| event.id).collect();
        standing
    }

    /// Takes one more event into account, ruled valid on `ruled_on`.
    pub(crate) fn apply(&mut self, id: EventId, event: &CaseEvent, ruled_on: Date) {
        match event {
            CaseEvent::Registered(registered) => {
                self.points = [registered.point].into();
                self.registered_at = Some(registered.point);
                self.registered_on = Some(registered.on);
            }
            CaseEvent::Transfer(transfer) => {
                self.former.extend(self.points.iter().copied().map(Place::Point));
                self.former.remove(&Place::Point(transfer.to));
                self.points = [transfer.to].into();
            }
            CaseEvent::Stage(stage) => self.declared = stage.to.is_declared().then_some(stage.to),
            CaseEvent::Consent(consent) => self.consent_event(id, consent, ruled_on),
            CaseEvent::Handover(handover) => self.handover_event(id, handover, ruled_on),
            CaseEvent::Departure(departure) => self.departure_event(departure),
            CaseEvent::Join(Join { other, step }) => match step {
                JoinStep::Join => drop(self.joined.insert(*other)),
                JoinStep::Unjoin => drop(self.joined.remove(other)),
            },
        }
    }

    fn consent_event(&mut self, id: EventId, consent: &Consent, ruled_on: Date) {
        let state = self.consents.entry(consent.purpose).or_default();
        state.status = Some(consent.status);
        state.form = consent.form;
        state.basis = consent.basis;
        state.recipient = consent.recipient;
        state.event = Some(id);
        state.scopes = if consent.status == ConsentStatus::Given { consent.covers() } else { Default::default() };
        if consent.status == ConsentStatus::Withdrawn {
            state.withdrawals.insert(id);
        }
        if consent.purpose == Purpose::ShareWithOriginMission {
            self.sharing_changed(consent, ruled_on);
        }
    }

    /// A newer consent for the same mission says anew what it covers; a withdrawal or refusal returns custody.
    fn sharing_changed(&mut self, consent: &Consent, ruled_on: Date) {
        let Some(course) = self.handovers.last_mut().filter(|course| course.is_open()) else { return };
        if consent.status != ConsentStatus::Given {
            course.end = Some((CourseEnd::Withdrawn, ruled_on));
        } else if consent.recipient.is_none_or(|recipient| recipient == course.to) {
            course.scopes = consent.covers();
        }
        self.opening_changed();
    }

    fn handover_event(&mut self, id: EventId, handover: &Handover, ruled_on: Date) {
        if handover.step == HandoverStep::Proposed {
            if self.opened.is_none() {
                let scopes = self.consent(Purpose::ShareWithOriginMission).scopes;
                self.handovers.push(HandoverCourse {
                    proposal: id,
                    to: handover.to,
                    scopes,
                    proposed_on: ruled_on,
                    received_on: None,
                    accepted_on: None,
                    end: None,
                });
            }
        } else if let Some(course) =
            self.handovers.last_mut().filter(|course| course.is_open() && handover.of == Some(course.proposal))
        {
            let accepted = course.accepted_on.is_some();
            match handover.step {
                HandoverStep::Received => drop(course.received_on.get_or_insert(ruled_on)),
                HandoverStep::Accepted => drop(course.accepted_on.get_or_insert(ruled_on)),
                HandoverStep::Rejected if !accepted => {
                    course.end = Some((CourseEnd::Rejected(handover.reason), ruled_on));
                }
                HandoverStep::Revoked if !accepted => course.end = Some((CourseEnd::Revoked, ruled_on)),
                HandoverStep::Undone if accepted => course.end = Some((CourseEnd::Undone, ruled_on)),
                _ => {}
            }
        }
        self.opening_changed();
    }

    /// What follows from the newest course: opening, custody, scopes, and who saw the case before.
    fn opening_changed(&mut self) {
        let before = self.opened;
        let open = self.handovers.last().filter(|course| course.is_open());
        self.opened = open.map(|course| Opening { country: course.to, proposal: course.proposal });
        self.holder = match open {
            Some(course) if course.accepted_on.is_some() => Holder::Country(course.to),
            _ => Holder::Point,
        };
        self.scopes = open.map(|course| course.scopes.clone()).unwrap_or_default();
        self.scopes.retain(|scope| !matches!(scope, Scope::Person | Scope::Case | Scope::Path));
        match (before, self.opened) {
            (Some(before), None) => drop(self.former.insert(Place::Country(before.country))),
            (_, Some(now)) => drop(self.former.remove(&Place::Country(now.country))),
            (None, None) => {}
        }
    }

    fn departure_event(&mut self, departure: &Departure) {
        let day = match departure.step {
            DepartureStep::Planned => &mut self.departure_planned_on,
            DepartureStep::Departed => &mut self.departed_on,
            DepartureStep::Arrived => &mut self.arrived_on,
        };
        *day = Some(departure.on);
    }
}
