//! The pseudonymous file of a return (dossier AVRR): no name, no free text. What happens to a case is a list of events that
//! the server rules; its stage, holder and consents are derived from the ruled ones and never stored.

use crate::field::{FieldRule, ValueType, Writer};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::{CASE_STAFF, POINT_STAFF, PROGRAMMES, SEXES, STAFF_AND_MISSION};
use crate::role::Role;

/// Consent events: every role that may hear one, whoever holds the case, and the person.
const CONSENT_WRITERS: &[Writer] = &[
    Writer::Role(Role::Outreach),
    Writer::Role(Role::HostCounsellor),
    Writer::OpenedMission,
    Writer::Holder,
    Writer::Own,
];

/// The kind.
pub static CASE: KindRule = KindRule {
    kind: Kind::Case,
    name: "case",
    identity: Identity::Case,
    audience: AudienceRule {
        public: false,
        roster: false,
        casework: true,
        protection: false,
        person: true,
        programme: true,
        country: CountryRule::Proposed,
    },
    creators: POINT_STAFF,
    fields: &[
        FieldRule::one("case_number", ValueType::Line { max: 40 }, CASE_STAFF),
        FieldRule::one("programme", ValueType::Code(PROGRAMMES), CASE_STAFF),
        FieldRule::one("sex", ValueType::Code(SEXES), CASE_STAFF),
        FieldRule::one("birth_year", ValueType::Int { min: 1900, max: 2100 }, CASE_STAFF),
        FieldRule::one("birth_precision", ValueType::Code(&["exact", "estimated"]), CASE_STAFF),
        FieldRule::one("nationality", ValueType::Country, CASE_STAFF),
        FieldRule::one("country", ValueType::Country, CASE_STAFF),
        FieldRule::set("languages", ValueType::Language, CASE_STAFF),
        FieldRule::one("arrival_year", ValueType::Int { min: 1900, max: 2100 }, CASE_STAFF),
        FieldRule::one("household", ValueType::Int { min: 1, max: 99 }, CASE_STAFF),
        FieldRule::set("family", ValueType::Id, CASE_STAFF),
        FieldRule::set("guardian", ValueType::Id, CASE_STAFF),
        FieldRule::events("registered", CASE_STAFF),
        FieldRule::events("transfer", CASE_STAFF),
        FieldRule::events("stage", CASE_STAFF),
        FieldRule::events("consent", CONSENT_WRITERS),
        FieldRule::events("handover", STAFF_AND_MISSION),
        FieldRule::events("departure", STAFF_AND_MISSION),
        FieldRule::events("join", CASE_STAFF),
        FieldRule::per_item("ruling", ValueType::Id, ValueType::Line { max: 80 }, &[Writer::Role(Role::Server)]),
    ],
};
