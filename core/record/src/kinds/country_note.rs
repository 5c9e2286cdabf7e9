//! What a country offers and asks (fiche pays), by theme, with the dates between which it holds.

use crate::field::{FieldRule, ValueType, Writer};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::role::Role;

/// Origin counsellors write the notes of their own country.
const EDITORS: &[Writer] = &[Writer::Role(Role::OriginCounsellor), Writer::Role(Role::Coordinator)];
const THEMES: &[&str] = &["study_aid", "community_project", "individual_project", "entry", "health"];

/// The kind.
pub static COUNTRY_NOTE: KindRule = KindRule {
    kind: Kind::CountryNote,
    name: "country_note",
    identity: Identity::Free,
    audience: AudienceRule {
        public: true,
        roster: false,
        casework: false,
        protection: false,
        person: false,
        programme: false,
        country: CountryRule::Never,
    },
    creators: EDITORS,
    fields: &[
        FieldRule::one("country", ValueType::Country, EDITORS),
        FieldRule::one("theme", ValueType::Code(THEMES), EDITORS),
        FieldRule::per_item("text", ValueType::Language, ValueType::Prose { max: 8000 }, EDITORS),
        FieldRule::one("valid_from", ValueType::Date, EDITORS),
        FieldRule::one("valid_to", ValueType::Date, EDITORS),
        FieldRule::one("source", ValueType::Line { max: 300 }, EDITORS),
    ],
};
