//! Destinations: missions to which personal data may go.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::place::Country;

/// An authorisation to transfer personal data to a mission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// Its reference.
    pub reference: String,
    /// The last day on which it is in force.
    pub expires_on: Date,
}

/// The authorised missions. Filled by the server; no record holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destinations(pub BTreeMap<Country, Authorisation>);

impl Destinations {
    /// Whether personal data may go to the mission of `country` on this day.
    #[must_use]
    pub fn allow(&self, country: Country, today: Date) -> bool {
        self.0.get(&country).is_some_and(|authorisation| today <= authorisation.expires_on)
    }
}
