//! Places: orientation points in Morocco and countries of return.

use std::fmt;
use std::str::FromStr;

/// An orientation point. Source: the programme's three points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// Casablanca.
    Casablanca,
    /// Rabat.
    Rabat,
    /// Oujda.
    Oujda,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 3] = [Self::Casablanca, Self::Rabat, Self::Oujda];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Casablanca => "casablanca",
            Self::Rabat => "rabat",
            Self::Oujda => "oujda",
        }
    }
}

/// One of the programme's countries of return, ISO 3166-1 alpha-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// The eight countries of the programme.
    pub const MISSIONS: [Self; 8] = [
        Self(*b"BF"),
        Self(*b"CM"),
        Self(*b"CI"),
        Self(*b"GN"),
        Self(*b"ML"),
        Self(*b"CD"),
        Self(*b"SN"),
        Self(*b"TG"),
    ];

    /// Two uppercase letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A text that names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place is casablanca, rabat, oujda, or a country in two uppercase letters")]
pub struct UnknownPlace;

impl FromStr for Point {
    type Err = UnknownPlace;

    fn from_str(code: &str) -> Result<Self, UnknownPlace> {
        Self::ALL.into_iter().find(|point| point.code() == code).ok_or(UnknownPlace)
    }
}

/// Any well-formed country code parses: nationalities go beyond the eight missions.
impl FromStr for Country {
    type Err = UnknownPlace;

    fn from_str(code: &str) -> Result<Self, UnknownPlace> {
        match code.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self([*a, *b])),
            _ => Err(UnknownPlace),
        }
    }
}

/// Where somebody works: a point or a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// An orientation point.
    Point(Point),
    /// A country of return.
    Country(Country),
}

impl Place {
    /// The point, if it is one.
    #[must_use]
    pub fn point(self) -> Option<Point> {
        if let Self::Point(point) = self { Some(point) } else { None }
    }

    /// The country, if it is one.
    #[must_use]
    pub fn country(self) -> Option<Country> {
        if let Self::Country(country) = self { Some(country) } else { None }
    }
}

impl FromStr for Place {
    type Err = UnknownPlace;

    fn from_str(code: &str) -> Result<Self, UnknownPlace> {
        code.parse().map(Self::Point).or_else(|_| code.parse().map(Self::Country))
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(point) => point.fmt(f),
            Self::Country(country) => country.fmt(f),
        }
    }
}
