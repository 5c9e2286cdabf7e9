//! Registration at a point, and moves between points.

use super::{Finding, Hearing, consent, reason};
use crate::event::{CaseEvent, ConsentStatus, Purpose, Registered, Transfer};
use crate::standing::Holder;

/// Registered once, by staff of that point, on a consent to be assisted or another legal basis.
pub(super) fn registered(hearing: &Hearing<'_>, registered: &Registered) -> Finding {
    if hearing.standing.registered_on.is_some() {
        return Err(reason::ALREADY_REGISTERED);
    }
    if !hearing.by_server() && !hearing.author.works_at(registered.point) {
        return Err(reason::NOT_YOURS);
    }
    if registered.basis.is_some() || hearing.standing.consents_to(Purpose::Assist) || assist_awaits(hearing) {
        Ok(())
    } else {
        Err(reason::NO_BASIS)
    }
}

/// A consent to be assisted came with the registration and waits behind it: it counts if it will be valid.
fn assist_awaits(hearing: &Hearing<'_>) -> bool {
    hearing.file.unruled().iter().any(|pending| match &pending.event {
        CaseEvent::Consent(event) if event.purpose == Purpose::Assist && event.status == ConsentStatus::Given => {
            consent::consent(hearing, event).is_ok()
        }
        _ => false,
    })
}

/// Moved by staff of the point that has the case, while a point holds it.
pub(super) fn transfer(hearing: &Hearing<'_>, transfer: &Transfer) -> Finding {
    if hearing.standing.registered_on.is_none() {
        Err(reason::NOT_REGISTERED)
    } else if !hearing.by_point_staff() && !hearing.by_server() {
        Err(reason::NOT_YOURS)
    } else if hearing.standing.holder != Holder::Point {
        Err(reason::NOT_HOLDER)
    } else if hearing.standing.points.contains(&transfer.to) {
        Err(reason::ALREADY_THERE)
    } else {
        Ok(())
    }
}
