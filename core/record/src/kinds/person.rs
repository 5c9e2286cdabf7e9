//! Names and ways to reach a person (fiche). Seen by casework of the point, the person, and an opened mission.

use crate::field::{FieldRule, ValueType};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::{CASE_STAFF, CASE_STAFF_AND_OWN, POINT_STAFF};

/// The kind.
pub static PERSON: KindRule = KindRule {
    kind: Kind::Person,
    name: "person",
    identity: Identity::Person,
    audience: AudienceRule {
        public: false,
        roster: false,
        casework: true,
        protection: false,
        person: true,
        programme: false,
        country: CountryRule::Proposed,
    },
    creators: POINT_STAFF,
    fields: &[
        FieldRule::one("name", ValueType::Name, CASE_STAFF),
        FieldRule::set("name_variants", ValueType::Name, CASE_STAFF),
        FieldRule::one("ref", ValueType::Line { max: 80 }, CASE_STAFF),
        FieldRule::set("phone", ValueType::Phone, CASE_STAFF_AND_OWN),
        FieldRule::one("channel", ValueType::Code(&["call", "sms", "whatsapp"]), CASE_STAFF_AND_OWN),
        FieldRule::one("contact_language", ValueType::Language, CASE_STAFF_AND_OWN),
        FieldRule::one("literacy", ValueType::Code(&["none", "some", "full"]), CASE_STAFF),
        FieldRule::one("photo", ValueType::Line { max: 80 }, CASE_STAFF),
    ],
};
