//! A counselling interview (entretien de conseil). Its text is co-edited, and merges by character.

use crate::field::{FieldRule, ValueType};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::COUNSELLORS;

/// The kind.
pub static NOTE: KindRule = KindRule {
    kind: Kind::Note,
    name: "note",
    identity: Identity::RandomOfCase,
    audience: AudienceRule {
        public: false,
        roster: false,
        casework: true,
        protection: false,
        person: false,
        programme: false,
        country: CountryRule::Accepted("note"),
    },
    creators: COUNSELLORS,
    fields: &[
        FieldRule::text("text", 16_000, COUNSELLORS),
        FieldRule::one("topics", ValueType::Line { max: 500 }, COUNSELLORS),
        FieldRule::one("opportunities", ValueType::Prose { max: 4000 }, COUNSELLORS),
        FieldRule::one("next_steps", ValueType::Prose { max: 4000 }, COUNSELLORS),
        FieldRule::one("held_on", ValueType::Date, COUNSELLORS),
    ],
};
