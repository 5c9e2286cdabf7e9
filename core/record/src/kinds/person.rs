//! Names and ways to reach a person (fiche). Seen by casework of the point, the person, and an opened mission.

use crate::field::{FieldRule, Shape, ValueType};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::{CASE_STAFF, CASE_STAFF_AND_OWN, POINT_STAFF};

const fn staff(name: &'static str, shape: Shape, value: ValueType) -> FieldRule {
    FieldRule { name, shape, value, writers: CASE_STAFF }
}

const fn staff_and_own(name: &'static str, shape: Shape, value: ValueType) -> FieldRule {
    FieldRule { name, shape, value, writers: CASE_STAFF_AND_OWN }
}

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
        staff("name", Shape::One, ValueType::Name),
        staff("name_variants", Shape::Set, ValueType::Name),
        staff("ref", Shape::One, ValueType::Line { max: 80 }),
        staff_and_own("phone", Shape::Set, ValueType::Phone),
        staff_and_own("channel", Shape::One, ValueType::Code(&["call", "sms", "whatsapp"])),
        staff_and_own("contact_language", Shape::One, ValueType::Language),
        staff("literacy", Shape::One, ValueType::Code(&["none", "some", "full"])),
        staff("photo", Shape::One, ValueType::Line { max: 80 }),
    ],
};
