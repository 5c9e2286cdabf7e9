//! The events and rulings of a case, read from its document.

use std::collections::BTreeMap;

use foras_wire::id::Actor;
use jiff::civil::Date;

use crate::calendar;
use crate::document::Document;
use crate::event::{CaseEvent, EventId};
use crate::kinds::case::CASE;
use crate::place::{Country, Point};
use crate::ruling::{PendingEvent, Ruling, Verdict, reason};

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
    /// The file of the case in this document. What a newer build wrote and this one cannot read is left out.
    #[must_use]
    pub fn read(case: &Document) -> Self {
        let content = case.content();
        let mut file = Self::default();
        for (key, entries) in &content.0 {
            let Some(shown) = entries.last() else { continue };
            match key.split_once('/') {
                Some((field, item)) => {
                    let (Ok(family), Ok(id), Some(json)) = (field.parse(), item.parse(), shown.value.as_text()) else {
                        continue;
                    };
                    if let Ok(event) = CaseEvent::parse(family, json) {
                        file.events.insert(id, Recorded { event, actor: shown.actor, counter: shown.counter });
                    }
                }
                None if key == "birth_year" => {
                    file.birth_years = entries.iter().filter_map(|entry| entry.value.as_int()).collect();
                }
                None if key == "country" => {
                    file.country = shown.value.as_text().and_then(|code| code.parse().ok());
                }
                None => {}
            }
        }
        file.rulings = Self::rulings_of(case);
        file
    }

    fn rulings_of(case: &Document) -> BTreeMap<EventId, Ruled> {
        let Some(field) = CASE.field("ruling") else { return BTreeMap::new() };
        let states = case.field(field).items.into_iter();
        let ruled = states.filter_map(|(item, state)| {
            let ruling = state.shown.value.as_str()?.parse().ok()?;
            Some((item.parse().ok()?, Ruled { ruling, on: calendar::day_of(state.shown.time_s) }))
        });
        ruled.collect()
    }

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

    /// The point of the latest registration that is not in force: not ruled yet, or void for a reason that its author
    /// can mend.
    pub(super) fn awaiting_point(&self) -> Option<Point> {
        let may_come = |id: &EventId| match self.rulings.get(id).map(|ruled| &ruled.ruling.verdict) {
            None => true,
            Some(Verdict::Valid) => false,
            Some(Verdict::Void(why)) => why != reason::NOT_YOURS,
        };
        let registrations = self.events.iter().filter_map(|(id, recorded)| match &recorded.event {
            CaseEvent::Registered(registered) if may_come(id) => Some((recorded.counter, *id, registered.point)),
            _ => None,
        });
        registrations.max_by_key(|(counter, id, _)| (*counter, *id)).map(|(.., point)| point)
    }

    /// The number of the last ruling; 0 before the first.
    #[must_use]
    pub fn last_ruling(&self) -> u64 {
        self.rulings.values().map(|ruled| ruled.ruling.number).max().unwrap_or(0)
    }
}
