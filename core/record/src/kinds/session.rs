//! A session or workshop (séance, atelier). Public: the week of a point is made of these.

use crate::field::{FieldRule, ValueType, Writer};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::MODULES;
use crate::role::Role;

/// Those who plan sessions; an origin counsellor plans the virtual ones of the own country.
const PLANNERS: &[Writer] = &[
    Writer::Role(Role::Outreach),
    Writer::Role(Role::Trainer),
    Writer::Role(Role::HostCounsellor),
    Writer::Role(Role::OriginCounsellor),
    Writer::Role(Role::Coordinator),
];

/// The kind.
pub static SESSION: KindRule = KindRule {
    kind: Kind::Session,
    name: "session",
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
    creators: PLANNERS,
    fields: &[
        FieldRule::one("module", ValueType::Code(MODULES), PLANNERS),
        FieldRule::one("format", ValueType::Code(&["group", "individual"]), PLANNERS),
        FieldRule::one("mode", ValueType::Code(&["on_site", "virtual"]), PLANNERS),
        FieldRule::one("point", ValueType::Point, PLANNERS),
        FieldRule::one("country", ValueType::Country, PLANNERS),
        FieldRule::set("languages", ValueType::Language, PLANNERS),
        FieldRule::one("start", ValueType::Instant, PLANNERS),
        FieldRule::one("minutes", ValueType::Int { min: 1, max: 1440 }, PLANNERS),
        FieldRule::one("time_zone", ValueType::Line { max: 60 }, PLANNERS),
        FieldRule::one("recurrence", ValueType::Line { max: 200 }, PLANNERS),
        FieldRule::one("capacity", ValueType::Int { min: 1, max: 10_000 }, PLANNERS),
        FieldRule::one("trainer", ValueType::Line { max: 120 }, PLANNERS),
        FieldRule::one("partner", ValueType::Line { max: 120 }, PLANNERS),
        FieldRule::one("place", ValueType::Line { max: 300 }, PLANNERS),
        FieldRule::one("status", ValueType::Code(&["planned", "cancelled"]), PLANNERS).prevailing("cancelled"),
    ],
};
