//! Audiences: a place and a confidentiality class. A device is granted audiences by its user's role and places.

use std::collections::BTreeSet;

use foras_wire::audience::AudienceName;
use foras_wire::id::RecordId;

use crate::place::{Country, Place, Point};
use crate::role::Role;

/// Who may see a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// Everybody, the public web pages too.
    Public,
    /// Trainers, outreach workers and host counsellors of the point.
    Roster(Point),
    /// Outreach workers and host counsellors of the point; origin counsellors of the country.
    Casework(Place),
    /// Host counsellors of the point; origin counsellors of the country.
    Protection(Place),
    /// The migrant whose case it is.
    Person(RecordId),
    /// Coordinators: pseudonymous facts only.
    Programme(Point),
}

impl Audience {
    /// The name that travels.
    #[must_use]
    pub fn name(self) -> AudienceName {
        let text = match self {
            Self::Public => "public".to_owned(),
            Self::Roster(point) => format!("roster:{point}"),
            Self::Casework(place) => format!("casework:{place}").to_lowercase(),
            Self::Protection(place) => format!("protection:{place}").to_lowercase(),
            Self::Person(case) => format!("person:{case}"),
            Self::Programme(point) => format!("programme:{point}"),
        };
        text.parse().unwrap_or_else(|_| Self::Public.name())
    }

    /// The audience of this name, if it is one of ours.
    #[must_use]
    pub fn of_name(name: &AudienceName) -> Option<Self> {
        let place = || {
            let text = name.place()?;
            text.parse().map(Place::Point).or_else(|_| text.to_uppercase().parse().map(Place::Country)).ok()
        };
        match name.class() {
            "public" if name.place().is_none() => Some(Self::Public),
            "roster" => name.place()?.parse().ok().map(Self::Roster),
            "casework" => place().map(Self::Casework),
            "protection" => place().map(Self::Protection),
            "person" => name.place()?.parse().ok().map(Self::Person),
            "programme" => name.place()?.parse().ok().map(Self::Programme),
            _ => None,
        }
    }
}

/// The audiences that a role holds at its places, in the order in which a grant lists them. Coordinators work on the
/// whole programme. `case` is the migrant's own.
///
/// Invariant: at one place no role holds two audiences of one record.
#[must_use]
pub fn granted(role: Role, places: &[Place], case: Option<RecordId>) -> Vec<Audience> {
    let mut audiences = BTreeSet::from([Audience::Public]);
    match role {
        Role::Outreach | Role::Trainer | Role::HostCounsellor => {
            for point in places.iter().filter_map(|place| place.point()) {
                audiences.insert(Audience::Roster(point));
                if role != Role::Trainer {
                    audiences.insert(Audience::Casework(Place::Point(point)));
                }
                if role == Role::HostCounsellor {
                    audiences.insert(Audience::Protection(Place::Point(point)));
                }
            }
        }
        Role::OriginCounsellor => {
            for country in places.iter().filter_map(|place| place.country()) {
                audiences.insert(Audience::Casework(Place::Country(country)));
                audiences.insert(Audience::Protection(Place::Country(country)));
            }
        }
        Role::Migrant => audiences.extend(case.map(Audience::Person)),
        Role::Coordinator => audiences.extend(Point::ALL.map(Audience::Programme)),
        Role::Admin | Role::Server => {}
    }
    audiences.into_iter().collect()
}

/// A country as the holder of audiences.
#[must_use]
pub fn of_country(country: Country) -> [Audience; 2] {
    [Audience::Casework(Place::Country(country)), Audience::Protection(Place::Country(country))]
}
