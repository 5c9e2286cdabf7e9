//! What a list shows of a case's events before and after they are ruled.

use crate::document::Content;
use crate::field::Shape;
use crate::kind::KindRule;

/// One event with its place in the order: ruled ones by their ruling, then those that await one, by operation, which
/// counts causes before effects.
struct Event {
    order: (u64, u64),
    family: &'static str,
    id: String,
    says: serde_json::Value,
}

/// The events that are not void, in order.
pub(super) struct Events {
    events: Vec<Event>,
    awaiting: u32,
}

impl Events {
    pub(super) fn of(rule: &KindRule, content: &Content) -> Self {
        let mut found = Self { events: Vec::new(), awaiting: 0 };
        if !rule.fields.iter().any(|field| field.shape == Shape::Events) {
            return found;
        }
        for (key, entries) in &content.0 {
            let Some((field, Some(id))) = rule.resolve(key) else { continue };
            let Some(shown) = entries.last().filter(|_| field.shape == Shape::Events) else { continue };
            let number = match ruling(content, id) {
                Some((_, false)) => continue,
                Some((number, true)) => number,
                None => {
                    found.awaiting = found.awaiting.saturating_add(1);
                    u64::MAX
                }
            };
            let says = shown.value.as_text().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
            let order = (number, shown.counter);
            found.events.push(Event { order, family: field.name, id: id.to_owned(), says });
        }
        found.events.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        found
    }

    pub(super) fn awaiting(&self) -> u32 {
        self.awaiting
    }

    /// Where the person was last registered or transferred to.
    pub(super) fn point(&self) -> Option<String> {
        let says = |event: &Event| match event.family {
            "registered" => event.says.get("point")?.as_str().map(str::to_owned),
            "transfer" => event.says.get("to")?.as_str().map(str::to_owned),
            _ => None,
        };
        self.events.iter().rev().find_map(says)
    }

    /// The day of the first registration.
    pub(super) fn registered_on(&self) -> Option<String> {
        let mut registered = self.events.iter().filter(|event| event.family == "registered");
        registered.find_map(|event| event.says.get("on")?.as_str().map(str::to_owned))
    }
}

/// Number of an event's ruling, and whether it is valid: `7 valid`, `8 void no_consent`.
fn ruling(content: &Content, event: &str) -> Option<(u64, bool)> {
    let text = content.0.get(&format!("ruling/{event}"))?.last()?.value.as_text()?;
    let (number, verdict) = text.split_once(' ')?;
    Some((number.parse().ok()?, verdict.starts_with("valid")))
}
