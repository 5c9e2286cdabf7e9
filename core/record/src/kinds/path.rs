//! Enrolments and attendance (parcours), by session. Seen by the roster, the programme, the person, an opened mission.

use crate::field::{FieldRule, ValueType, Writer};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::ROSTER_STAFF;
use crate::role::Role;

/// Who asks for a place in a session: staff, the mission for its own sessions, the person.
const ENROLMENT_WRITERS: &[Writer] = &[
    Writer::Role(Role::Outreach),
    Writer::Role(Role::HostCounsellor),
    Writer::Role(Role::Trainer),
    Writer::OpenedMission,
    Writer::Holder,
    Writer::Own,
];
/// Who takes a roll call.
const ATTENDANCE_WRITERS: &[Writer] = &[
    Writer::Role(Role::Outreach),
    Writer::Role(Role::HostCounsellor),
    Writer::Role(Role::Trainer),
    Writer::OpenedMission,
    Writer::Holder,
];

/// The kind.
pub static PATH: KindRule = KindRule {
    kind: Kind::Path,
    name: "path",
    identity: Identity::FromCase,
    audience: AudienceRule {
        public: false,
        roster: true,
        casework: false,
        protection: false,
        person: true,
        programme: true,
        country: CountryRule::Proposed,
    },
    // It comes about with the first enrolment or roll call, whoever makes it.
    creators: ENROLMENT_WRITERS,
    fields: &[
        FieldRule::per_item(
            "enrolment",
            ValueType::Id,
            ValueType::Code(&["requested", "cancelled"]),
            ENROLMENT_WRITERS,
        ),
        FieldRule::per_item(
            "attendance",
            ValueType::Id,
            ValueType::Code(&["present", "partly", "absent"]),
            ATTENDANCE_WRITERS,
        ),
        FieldRule::per_item("ticket", ValueType::Id, ValueType::Line { max: 300 }, ROSTER_STAFF),
        FieldRule::per_item("seat", ValueType::Id, ValueType::Line { max: 40 }, &[Writer::Role(Role::Server)]),
    ],
};
