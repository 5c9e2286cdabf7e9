//! A called name for the roll call, and the link to the case. Seen by the roster of the point.

use crate::field::{FieldRule, ValueType};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::POINT_STAFF;

/// The kind.
pub static BADGE: KindRule = KindRule {
    kind: Kind::Badge,
    name: "badge",
    identity: Identity::FromPerson,
    audience: AudienceRule {
        public: false,
        roster: true,
        casework: false,
        protection: false,
        person: false,
        programme: false,
        country: CountryRule::Never,
    },
    creators: POINT_STAFF,
    fields: &[
        FieldRule::one("name", ValueType::Name, POINT_STAFF),
        FieldRule::one("contact_language", ValueType::Language, POINT_STAFF),
        FieldRule::one("case", ValueType::Id, POINT_STAFF),
    ],
};
