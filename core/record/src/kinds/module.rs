//! A module of the training, with its titles by language and its completion rule.

use crate::field::{FieldRule, ValueType, Writer};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::MODULES;
use crate::role::Role;

const EDITORS: &[Writer] = &[Writer::Role(Role::Coordinator), Writer::Role(Role::Server)];

/// The kind.
pub static MODULE: KindRule = KindRule {
    kind: Kind::Module,
    name: "module",
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
        FieldRule::one("module", ValueType::Code(MODULES), EDITORS),
        FieldRule::per_item("title", ValueType::Language, ValueType::Line { max: 120 }, EDITORS),
        // Sessions at which a person must have been present for the module to be complete.
        FieldRule::one("sessions_to_complete", ValueType::Int { min: 1, max: 50 }, EDITORS),
    ],
};
