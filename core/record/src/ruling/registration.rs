//! Registration at a point, and moves between points.

use super::{Finding, Hearing, Verdict, consent, reason};
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
    if registered.basis.is_some() || hearing.standing.consents_to(Purpose::Assist) || assist_recorded(hearing) {
        Ok(())
    } else {
        Err(reason::NO_BASIS)
    }
}

/// A consent to be assisted was recorded, and waits behind the registration or for a guardian. A minor who comes alone
/// is registered, and the consent shows as missing until the guardian gives it: protection does not wait for papers.
fn assist_recorded(hearing: &Hearing<'_>) -> bool {
    let withdrawn = hearing.standing.consent(Purpose::Assist).status.is_some();
    hearing.file.events.iter().any(|(id, recorded)| {
        let CaseEvent::Consent(event) = &recorded.event else { return false };
        if event.purpose != Purpose::Assist || event.status != ConsentStatus::Given {
            return false;
        }
        match hearing.file.rulings.get(id).map(|ruled| &ruled.ruling.verdict) {
            None => matches!(consent::consent(hearing, event), Ok(()) | Err(reason::GUARDIAN_NEEDED)),
            Some(Verdict::Void(why)) => why == reason::GUARDIAN_NEEDED && !withdrawn,
            Some(Verdict::Valid) => false,
        }
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
