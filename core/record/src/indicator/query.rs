//! What a report is asked.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};

use super::dimension::By;
use super::facts::{Format, SessionFact};
use crate::place::Country;

/// The programme's name in a query that means all of them.
pub const ANY_PROGRAMME: &str = "any";

/// Whole days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl Period {
    /// Whether the day lies in it.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }
}

/// Sessions of one sort only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Group or individual.
    pub format: Option<Format>,
    /// At a distance, or on site.
    pub is_virtual: Option<bool>,
    /// With the mission of this country.
    pub country: Option<Country>,
}

impl SessionFilter {
    /// Whether a session is of that sort.
    #[must_use]
    pub fn takes(&self, session: &SessionFact) -> bool {
        self.format.is_none_or(|format| session.format == format)
            && self.is_virtual.is_none_or(|is_virtual| session.is_virtual == is_virtual)
            && self.country.is_none_or(|country| session.country == Some(country))
    }
}

/// A question to the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The period.
    pub period: Period,
    /// A row for each combination of these.
    pub by: Vec<By>,
    /// One programme; none, or [`ANY_PROGRAMME`], for all.
    pub programme: Option<String>,
    /// The modules that count as trained; empty for every module but awareness.
    pub modules: BTreeSet<String>,
    /// The sessions that count.
    pub sessions: SessionFilter,
    /// Cells above 0 and below this are suppressed. 0 or 1 suppresses none.
    pub suppress: u64,
}

impl Query {
    /// A question about a period, of all programmes, with one row for everybody and nothing suppressed.
    #[must_use]
    pub fn new(from: Date, to: Date) -> Self {
        Self {
            period: Period { from, to },
            by: Vec::new(),
            programme: None,
            modules: BTreeSet::new(),
            sessions: SessionFilter::default(),
            suppress: 0,
        }
    }

    /// Whether this programme is asked for.
    pub(super) fn takes_programme(&self, programme: &str) -> bool {
        self.programme.as_deref().is_none_or(|asked| asked == ANY_PROGRAMME || asked == programme)
    }
}

/// The programme of somebody registered on this day, where nobody says another. Source: the programme's own history:
/// FORAS began in September 2017, FORAS II in 2021.
#[must_use]
pub fn programme_on(day: Date) -> &'static str {
    if day < date(2017, 9, 1) {
        "AVRR"
    } else if day < date(2021, 1, 1) {
        "FORAS"
    } else {
        "FORAS II"
    }
}
