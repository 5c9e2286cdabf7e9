//! Consent: withdrawal beats a concurrent grant; a minor's consent is the guardian's.

use super::{Finding, Hearing, reason};
use crate::event::{Consent, ConsentStatus, Form, Purpose};
use crate::role::Role;

/// The age from which a person consents for herself.
const ADULT_YEARS: i64 = 18;

pub(super) fn consent(hearing: &Hearing<'_>, consent: &Consent) -> Finding {
    if hearing.author.role == Role::Migrant && hearing.author.own_case != Some(hearing.grounds.case) {
        return Err(reason::NOT_YOURS);
    }
    match consent.status {
        // A no always takes effect, whoever recorded it.
        ConsentStatus::Refused | ConsentStatus::Withdrawn => Ok(()),
        ConsentStatus::Given => given(hearing, consent),
    }
}

fn given(hearing: &Hearing<'_>, consent: &Consent) -> Finding {
    if consent.form.is_none() && consent.purpose != Purpose::Assist {
        return Err(reason::CONSENT_ONLY);
    }
    let by_consent = consent.form.is_some();
    let by_guardian = consent.form == Some(Form::Guardian) && hearing.author.role != Role::Migrant;
    if by_consent && is_minor(hearing) && !by_guardian {
        return Err(reason::GUARDIAN_NEEDED);
    }
    let withdrawals = hearing.standing.consents.get(&consent.purpose).map(|state| &state.withdrawals);
    if withdrawals.is_some_and(|withdrawals| !withdrawals.is_subset(&consent.after)) {
        return Err(reason::WITHDRAWN);
    }
    Ok(())
}

/// Under 18 by any year of birth that stands, concurrent ones too; who has none counts as of age.
fn is_minor(hearing: &Hearing<'_>) -> bool {
    let year = i64::from(hearing.grounds.today.year());
    hearing.file.birth_years.iter().any(|born| year - born < ADULT_YEARS)
}
