//! Education, skills and the project of return (projet). Written by staff and by the person.

use crate::field::{FieldRule, ValueType};
use crate::kind::{AudienceRule, CountryRule, Identity, Kind, KindRule};
use crate::kinds::CASE_STAFF_AND_OWN;

/// The kind.
pub static PROJECT: KindRule = KindRule {
    kind: Kind::Project,
    name: "project",
    identity: Identity::FromCase,
    audience: AudienceRule {
        public: false,
        roster: false,
        casework: true,
        protection: false,
        person: true,
        programme: false,
        country: CountryRule::Accepted("project"),
    },
    creators: CASE_STAFF_AND_OWN,
    fields: &[
        FieldRule::one("education", ValueType::Prose { max: 1000 }, CASE_STAFF_AND_OWN),
        FieldRule::one("needs", ValueType::Prose { max: 2000 }, CASE_STAFF_AND_OWN),
        FieldRule::one("skills", ValueType::Prose { max: 2000 }, CASE_STAFF_AND_OWN),
        FieldRule::one("project_idea", ValueType::Prose { max: 4000 }, CASE_STAFF_AND_OWN),
        FieldRule::one("cv", ValueType::Prose { max: 8000 }, CASE_STAFF_AND_OWN),
        FieldRule::one("business_plan", ValueType::Prose { max: 16000 }, CASE_STAFF_AND_OWN),
    ],
};
