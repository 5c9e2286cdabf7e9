//! The events and rulings of a case, read from its document.

use std::collections::BTreeMap;

use foras_wire::id::Actor;
use jiff::civil::Date;

use crate::event::{CaseEvent, EventId};
use crate::place::Country;
use crate::ruling::{PendingEvent, Ruling};

/// An event as somebody recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The event.
    pub event: CaseEvent,
    /// Who recorded it.
    pub actor: Actor,
    /// The counter of the operation that recorded it: causes count lower than effects.
    pub counter: u64,
}

/// A ruling as the server wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// The ruling.
    pub ruling: Ruling,
    /// The day on which the server wrote it, in Morocco.
    pub on: Date,
}

/// What standing and rulings derive from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFile {
    /// Events by id.
    pub events: BTreeMap<EventId, Recorded>,
    /// Rulings by the event that they rule.
    pub rulings: BTreeMap<EventId, Ruled>,
    /// Every year of birth that stands, concurrent ones too.
    pub birth_years: Vec<i64>,
    /// The country of return that shows.
    pub country: Option<Country>,
}

impl CaseFile {
    /// Events ruled valid, in the order of their rulings, with the day of the ruling.
    pub fn in_force(&self) -> impl Iterator<Item = (EventId, &CaseEvent, Date)> {
        let mut valid: Vec<_> = self
            .rulings
            .iter()
            .filter(|(_, ruled)| ruled.ruling.verdict.is_valid())
            .filter_map(|(id, ruled)| Some((ruled.ruling.number, *id, &self.events.get(id)?.event, ruled.on)))
            .collect();
        // Two servers' epochs may have used one number: the id settles the order, everywhere alike.
        valid.sort_by_key(|(number, id, ..)| (*number, *id));
        valid.into_iter().map(|(_, id, event, on)| (id, event, on))
    }

    /// Events without a ruling: causes before effects, then by author.
    #[must_use]
    pub fn unruled(&self) -> Vec<PendingEvent> {
        let waiting = self.events.iter().filter(|(id, _)| !self.rulings.contains_key(id));
        let mut pending: Vec<_> = waiting
            .map(|(id, recorded)| PendingEvent {
                id: *id,
                event: recorded.event.clone(),
                actor: recorded.actor,
                counter: recorded.counter,
            })
            .collect();
        pending.sort_by_key(|event| (event.counter, event.actor, event.id));
        pending
    }

    /// The number of the last ruling; 0 before the first.
    #[must_use]
    pub fn last_ruling(&self) -> u64 {
        self.rulings.values().map(|ruled| ruled.ruling.number).max().unwrap_or(0)
    }
}
