//! As whom a change was made.

use std::collections::BTreeSet;

use foras_wire::grant::Grant;
use foras_wire::id::RecordId;

use crate::place::{Country, Place, Point};
use crate::role::Role;

/// What a grant says of an author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorFacts {
    /// The role.
    pub role: Role,
    /// Where the author works.
    pub places: BTreeSet<Place>,
    /// The migrant's own case.
    pub own_case: Option<RecordId>,
}

/// A grant that names a role or place of no build that this one knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the grant names an unknown role or place")]
pub struct UnknownGrant;

impl AuthorFacts {
    /// The server itself.
    #[must_use]
    pub fn server() -> Self {
        Self { role: Role::Server, places: BTreeSet::new(), own_case: None }
    }

    /// The author whom this grant describes. A grant never makes a server.
    ///
    /// # Errors
    /// [`UnknownGrant`] when it names an unknown role or place.
    pub fn of_grant(grant: &Grant) -> Result<Self, UnknownGrant> {
        let role: Role = grant.role.parse().map_err(|_| UnknownGrant)?;
        if role == Role::Server {
            return Err(UnknownGrant);
        }
        let places =
            grant.places.iter().map(|place| place.parse()).collect::<Result<_, _>>().map_err(|_| UnknownGrant)?;
        Ok(Self { role, places, own_case: grant.case })
    }

    /// Whether the author works at this point.
    #[must_use]
    pub fn works_at(&self, point: Point) -> bool {
        self.places.contains(&Place::Point(point))
    }

    /// Whether the author works in this country.
    #[must_use]
    pub fn works_in(&self, country: Country) -> bool {
        self.places.contains(&Place::Country(country))
    }
}
