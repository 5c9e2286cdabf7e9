//! What a list shows of a case's events before and after they are ruled.

use crate::document::Content;
use crate::field::Shape;
use crate::kind::KindRule;
use crate::value;

/// One event with its place in the order: ruled ones by their ruling, then those that await one, by operation, which
/// counts causes before effects.
struct Event {
    order: (u64, u64),
    family: &'static str,
    id: String,
    /// JSON; read of the few that lists ask.
    says: String,
}

impl Event {
    fn says(&self, name: &str) -> Option<String> {
        let says: serde_json::Value = serde_json::from_str(&self.says).ok()?;
        says.get(name)?.as_str().map(str::to_owned)
    }
}

/// The events that are not void, in order.
pub(super) struct Events {
    events: Vec<Event>,
    awaiting: u32,
}

impl Events {
    pub(super) fn of(rule: &KindRule, content: &Content) -> Self {
        let mut found = Self { events: Vec::new(), awaiting: 0 };
        let families = rule.fields.iter().filter(|field| field.shape == Shape::Events);
        let events = families.flat_map(|field| content.items(field).map(move |(id, entries)| (field, id, entries)));
        for (field, id, entries) in events {
            let Some(shown) = entries.last().filter(|_| value::check_item(field, Some(id)).is_ok()) else { continue };
            let number = match ruling(content, id) {
                Some((_, false)) => continue,
                Some((number, true)) => number,
                None => {
                    found.awaiting = found.awaiting.saturating_add(1);
                    u64::MAX
                }
            };
            let says = shown.value.as_text().unwrap_or_default().to_owned();
            let order = (number, shown.counter);
            found.events.push(Event { order, family: field.name, id: id.to_owned(), says });
        }
        found.events.sort_by(|a, b| (a.order, &a.id, a.family).cmp(&(b.order, &b.id, b.family)));
        found
    }

    pub(super) fn awaiting(&self) -> u32 {
        self.awaiting
    }

    /// Where the person was last registered or transferred to.
    pub(super) fn point(&self) -> Option<String> {
        let says = |event: &Event| match event.family {
            "registered" => event.says("point"),
            "transfer" => event.says("to"),
            _ => None,
        };
        self.events.iter().rev().find_map(says)
    }

    /// The day of the first registration.
    pub(super) fn registered_on(&self) -> Option<String> {
        let mut registered = self.events.iter().filter(|event| event.family == "registered");
        registered.find_map(|event| event.says("on"))
    }
}

/// Number of an event's ruling, and whether it is valid: `7 valid`, `8 void no_consent`.
fn ruling(content: &Content, event: &str) -> Option<(u64, bool)> {
    let text = content.0.get(&format!("ruling/{event}"))?.last()?.value.as_text()?;
    let (number, verdict) = text.split_once(' ')?;
    Some((number.parse().ok()?, verdict.starts_with("valid")))
}
