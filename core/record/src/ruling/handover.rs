//! Handover: one holder of a case, and no handover without consent and an authorised destination.

use super::{Finding, Hearing, reason};
use crate::event::{Handover, HandoverStep, Purpose};
use crate::place::Country;
use crate::standing::Holder;

pub(super) fn handover(hearing: &Hearing<'_>, handover: &Handover) -> Finding {
    if handover.step == HandoverStep::Proposed {
        return proposed(hearing, handover.to);
    }
    let answers_the_open_proposal = hearing
        .standing
        .opened
        .is_some_and(|opening| opening.country == handover.to && handover.of == Some(opening.proposal));
    if !answers_the_open_proposal {
        return Err(reason::NOT_PROPOSED);
    }
    let accepted = hearing.standing.holder != Holder::Point;
    match handover.step {
        HandoverStep::Proposed => Ok(()),
        HandoverStep::Received => mission(hearing),
        HandoverStep::Accepted => {
            mission(hearing)?;
            not_yet(accepted)?;
            destination(hearing, handover.to)
        }
        HandoverStep::Rejected => {
            mission(hearing)?;
            not_yet(accepted)
        }
        HandoverStep::Revoked => {
            point(hearing)?;
            not_yet(accepted)
        }
        HandoverStep::Undone if !accepted => Err(reason::NOT_HOLDER),
        HandoverStep::Undone => mission(hearing).or_else(|_| point(hearing)),
    }
}

fn proposed(hearing: &Hearing<'_>, to: Country) -> Finding {
    if hearing.standing.registered_on.is_none() {
        return Err(reason::NOT_REGISTERED);
    }
    if hearing.standing.holder != Holder::Point {
        return Err(reason::NOT_HOLDER);
    }
    point(hearing)?;
    if hearing.standing.opened.is_some() {
        return Err(reason::ALREADY_PROPOSED);
    }
    let consent = hearing.standing.consent(Purpose::ShareWithOriginMission);
    let names_it = match consent.recipient {
        Some(recipient) => recipient == to,
        None => hearing.file.country == Some(to),
    };
    if !consent.is_given() || !names_it {
        return Err(reason::NO_CONSENT);
    }
    destination(hearing, to)
}

fn destination(hearing: &Hearing<'_>, to: Country) -> Finding {
    if hearing.grounds.destinations.allow(to, hearing.grounds.today) { Ok(()) } else { Err(reason::NO_DESTINATION) }
}

fn mission(hearing: &Hearing<'_>) -> Finding {
    if hearing.by_opened_mission() { Ok(()) } else { Err(reason::NOT_YOURS) }
}

fn point(hearing: &Hearing<'_>) -> Finding {
    if hearing.by_point_staff() { Ok(()) } else { Err(reason::NOT_YOURS) }
}

fn not_yet(accepted: bool) -> Finding {
    if accepted { Err(reason::ALREADY_ACCEPTED) } else { Ok(()) }
}
