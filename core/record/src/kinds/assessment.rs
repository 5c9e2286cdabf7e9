//! Assessments of vulnerability, risk, family and competences, each as versions that are never overwritten. Seen by
//! protection only.

use crate::field::FieldRule;
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::COUNSELLORS;

/// The kind.
pub static ASSESSMENT: KindRule = KindRule {
    kind: Kind::Assessment,
    name: "assessment",
    identity: Identity::FromCase,
    audience: AudienceRule {
        public: false,
        roster: false,
        casework: false,
        protection: true,
        person: false,
        programme: false,
        country: CountryRule::Accepted("assessment"),
    },
    creators: COUNSELLORS,
    fields: &[
        FieldRule::versions("vulnerabilities", COUNSELLORS),
        FieldRule::versions("risk", COUNSELLORS),
        FieldRule::versions("family", COUNSELLORS),
        FieldRule::versions("competences", COUNSELLORS),
    ],
};
