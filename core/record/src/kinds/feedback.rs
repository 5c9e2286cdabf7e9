//! An answer to the satisfaction survey. The server writes it from a deposit, under its own actor, and keeps no sender.

use crate::field::{FieldRule, ValueType, Writer};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::{MODULES, PROGRAMMES};
use crate::role::Role;

const SERVER: &[Writer] = &[Writer::Role(Role::Server)];

/// The kind.
pub static FEEDBACK: KindRule = KindRule {
    kind: Kind::Feedback,
    name: "feedback",
    identity: Identity::Free,
    audience: AudienceRule {
        public: false,
        roster: false,
        casework: false,
        protection: false,
        person: false,
        programme: true,
        country: CountryRule::Never,
    },
    creators: SERVER,
    fields: &[
        FieldRule::one("point", ValueType::Point, SERVER),
        FieldRule::one("programme", ValueType::Code(PROGRAMMES), SERVER),
        FieldRule::one("session", ValueType::Id, SERVER),
        FieldRule::one("module", ValueType::Code(MODULES), SERVER),
        FieldRule::one("satisfied", ValueType::Code(&["yes", "no", "none"]), SERVER),
        FieldRule::one("language", ValueType::Language, SERVER),
        FieldRule::one("day", ValueType::Date, SERVER),
    ],
};
