//! What a report's rows are grouped by.

use super::facts::CaseFact;
use crate::event::codes;

/// Shown where a fact is missing.
pub(super) const UNKNOWN: &str = "unknown";

codes! {
    /// A dimension of a report.
    By {
        /// The person's nationality.
        Nationality = "nationality",
        /// The person's sex.
        Sex = "sex",
        /// The point that has the case.
        Point = "point",
        /// A module: people who attended it in the period. One person may stand in several rows.
        Module = "module",
        /// The person's age at the end of the period.
        AgeBand = "age_band",
        /// The country of return.
        Country = "country",
    }
}

codes! {
    /// Bands of age, in years.
    AgeBand {
        /// Minors.
        Minor = "0-17",
        /// Young adults.
        To24 = "18-24",
        /// 25 to 34.
        To34 = "25-34",
        /// 35 to 44.
        To44 = "35-44",
        /// 45 to 54.
        To54 = "45-54",
        /// 55 and more.
        From55 = "55+",
    }
}

impl AgeBand {
    /// The band of somebody of so many years.
    #[must_use]
    pub fn of(years: i64) -> Self {
        match years {
            ..=17 => Self::Minor,
            18..=24 => Self::To24,
            25..=34 => Self::To34,
            35..=44 => Self::To44,
            45..=54 => Self::To54,
            55.. => Self::From55,
        }
    }
}

impl By {
    /// The person's value in this dimension; none for modules, which a person has several of.
    pub(super) fn of(self, case: &CaseFact, year: i64) -> Option<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| UNKNOWN.to_owned());
        Some(match self {
            Self::Nationality => text(&case.nationality),
            Self::Sex => text(&case.sex),
            Self::Country => text(&case.country),
            Self::Point => case.point.map_or(UNKNOWN, |point| point.code()).to_owned(),
            Self::AgeBand => case.birth_year.map_or(UNKNOWN, |born| AgeBand::of(year - born).code()).to_owned(),
            Self::Module => return None,
        })
    }
}
