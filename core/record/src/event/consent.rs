//! Consent of a person to one purpose, given, refused or withdrawn.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::EventId;
use super::codes::codes;
use crate::place::Country;

codes! {
    /// What a person consents to.
    Purpose {
        /// To be registered and assisted.
        Assist = "assist",
        /// That records go to the mission of the country of return.
        ShareWithOriginMission = "share_with_origin_mission",
        /// That a picture or story of them is published.
        Publish = "publish",
        /// That a photo is taken and kept.
        Photo = "photo",
    }
}

codes! {
    /// What the person said.
    ConsentStatus {
        /// Yes.
        Given = "given",
        /// No, when asked.
        Refused = "refused",
        /// No longer.
        Withdrawn = "withdrawn",
    }
}

codes! {
    /// How it was said.
    Form {
        /// Aloud.
        Oral = "oral",
        /// On paper or screen.
        Written = "written",
        /// By conduct.
        Implicit = "implicit",
        /// By somebody whom the person named.
        Proxy = "proxy",
        /// By the guardian of a minor.
        Guardian = "guardian",
    }
}

codes! {
    /// A legal basis other than consent.
    Basis {
        /// Somebody's life or health.
        VitalInterest = "vital_interest",
        /// A law obliges.
        LegalObligation = "legal_obligation",
        /// A task of public interest.
        PublicInterest = "public_interest",
    }
}

codes! {
    /// What a consent to share covers. `person`, `case` and `path` always go along with a handover.
    Scope {
        /// Names and ways to reach the person.
        Person = "person",
        /// The case file.
        Case = "case",
        /// Enrolments and attendance.
        Path = "path",
        /// The project.
        Project = "project",
        /// Counselling interviews.
        Note = "note",
        /// Plan and follow-up.
        Reintegration = "reintegration",
        /// Assessments: only where named.
        Assessment = "assessment",
    }
}

impl Scope {
    /// What a consent covers that names no scope: all but assessments.
    #[must_use]
    pub fn by_default() -> BTreeSet<Self> {
        Self::ALL.iter().copied().filter(|scope| *scope != Self::Assessment).collect()
    }
}

/// A consent event: field `consent` of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// To what.
    pub purpose: Purpose,
    /// Yes, no, no longer.
    pub status: ConsentStatus,
    /// How it was said; needed unless another basis is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The language in which it was asked, ISO 639.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What it covers; empty means [`Scope::by_default`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub scope: BTreeSet<Scope>,
    /// The mission that it names; the country of return when a device leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::as_text::optional")]
    pub recipient: Option<Country>,
    /// Another legal basis, for assistance only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// The withdrawals of this purpose that the author knew. A consent beats only these: withdrawal beats a
    /// concurrent grant.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub after: BTreeSet<EventId>,
}

impl Consent {
    /// A consent to `purpose` in `form` that names nothing else.
    #[must_use]
    pub fn new(purpose: Purpose, status: ConsentStatus, form: Form) -> Self {
        Self {
            purpose,
            status,
            form: Some(form),
            language: None,
            scope: BTreeSet::new(),
            recipient: None,
            basis: None,
            after: BTreeSet::new(),
        }
    }

    /// What it covers.
    #[must_use]
    pub fn covers(&self) -> BTreeSet<Scope> {
        if self.scope.is_empty() { Scope::by_default() } else { self.scope.clone() }
    }
}
