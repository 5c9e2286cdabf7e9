//! Where a case stands: who holds it, who consented to what, how far it came.
//!
//! All of it is derived from the events that the server ruled valid, in the order of its rulings; nothing here is a
//! field that somebody could write. So replicas that hold the same rulings agree, in whatever order changes arrived.

mod case_file;
mod fold;
mod handover;
mod stage;

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::id::RecordId;
use jiff::civil::Date;

pub use case_file::{CaseFile, Recorded, Ruled};
pub use handover::{CourseEnd, HandoverCourse, HandoverState, Opening};
pub use stage::{Attendance, stage};

use crate::document::Document;
use crate::event::{Basis, ConsentStatus, EventId, Form, Purpose, Scope, Stage};
use crate::field::{FieldRule, Shape};
use crate::place::{Country, Place, Point};

/// Who holds a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The orientation point.
    Point,
    /// The mission of this country, since it accepted the handover.
    Country(Country),
}

/// The consent to one purpose, as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsentState {
    /// The newest answer that was ruled valid.
    pub status: Option<ConsentStatus>,
    /// How it was said.
    pub form: Option<Form>,
    /// The legal basis named instead.
    pub basis: Option<Basis>,
    /// What it covers.
    pub scopes: BTreeSet<Scope>,
    /// The mission that it names; none: the country of return.
    pub recipient: Option<Country>,
    /// The event of that answer.
    pub event: Option<EventId>,
    /// Every withdrawal ruled valid so far: a later consent must have known them.
    pub withdrawals: BTreeSet<EventId>,
}

impl ConsentState {
    /// Whether it is given, by consent or by another basis.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.status == Some(ConsentStatus::Given)
    }
}

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The points whose audiences hold the case.
    pub points: BTreeSet<Point>,
    /// The point of a registration that is not in force: not ruled yet, or void and to be mended. While no point has the
    /// case, whoever registered goes on by it; no audience does.
    pub awaiting_point: Option<Point>,
    /// Where it was registered.
    pub registered_at: Option<Point>,
    /// The day of registration.
    pub registered_on: Option<Date>,
    /// Consents by purpose.
    pub consents: BTreeMap<Purpose, ConsentState>,
    /// Every handover that took effect, oldest first.
    pub handovers: Vec<HandoverCourse>,
    /// The mission that the case is opened to, holder or not.
    pub opened: Option<Opening>,
    /// Who holds the case.
    pub holder: Holder,
    /// What the mission sees once it holds the case, besides person, case and path.
    pub scopes: BTreeSet<Scope>,
    /// Places that once saw the case and do not any more. Late edits from there are set aside, not refused.
    pub former: BTreeSet<Place>,
    /// The stage that staff declared last, if one stands.
    pub declared: Option<Stage>,
    /// The day set for departure.
    pub departure_planned_on: Option<Date>,
    /// The day of departure.
    pub departed_on: Option<Date>,
    /// The day of arrival.
    pub arrived_on: Option<Date>,
    /// Cases that are the same person's.
    pub joined: BTreeSet<RecordId>,
    /// Events that wait for a ruling.
    pub unruled: Vec<EventId>,
    /// The number of the last ruling; 0 before the first.
    pub last_ruling: u64,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            points: BTreeSet::new(),
            awaiting_point: None,
            registered_at: None,
            registered_on: None,
            consents: BTreeMap::new(),
            handovers: Vec::new(),
            opened: None,
            holder: Holder::Point,
            scopes: BTreeSet::new(),
            former: BTreeSet::new(),
            declared: None,
            departure_planned_on: None,
            departed_on: None,
            arrived_on: None,
            joined: BTreeSet::new(),
            unruled: Vec::new(),
            last_ruling: 0,
        }
    }
}

impl Standing {
    /// The standing of the case in this document.
    #[must_use]
    pub fn of(case: &Document) -> Self {
        Self::fold(&CaseFile::read(case))
    }

    /// Whether a case's standing may be another after this field was written.
    #[must_use]
    pub fn depends_on(field: &FieldRule) -> bool {
        !matches!(field.shape, Shape::One | Shape::Set) || matches!(field.name, "birth_year" | "country")
    }

    /// The consent to `purpose`.
    #[must_use]
    pub fn consent(&self, purpose: Purpose) -> ConsentState {
        self.consents.get(&purpose).cloned().unwrap_or_default()
    }

    /// Whether the consent to `purpose` is given.
    #[must_use]
    pub fn consents_to(&self, purpose: Purpose) -> bool {
        self.consents.get(&purpose).is_some_and(ConsentState::is_given)
    }

    /// The country whose mission holds the case.
    #[must_use]
    pub fn holding_country(&self) -> Option<Country> {
        if let Holder::Country(country) = self.holder { Some(country) } else { None }
    }

    /// How far the newest handover came.
    #[must_use]
    pub fn handover(&self) -> HandoverState {
        self.handovers.last().map_or(HandoverState::None, HandoverCourse::state)
    }
}

#[cfg(test)]
mod tests;
