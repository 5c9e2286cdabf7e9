//! What lists show of a record: columns taken from its document, so that screens never load one.

mod events;
mod fold;
#[cfg(test)]
mod tests;

pub use fold::fold;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::document::Document;
use crate::field::{FieldRule, Shape, ValueType};
use crate::kind::Kind;
use crate::value;

/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 80;
/// Fields whose values are at most this many characters long go into [`View::columns`].
const COLUMN_CHARS_MAX: usize = 120;

/// The columns of one record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// A name, a case number, a module, a note's first line; empty where the kind has nothing of the sort.
    pub title: String,
    /// Words to search in, folded by [`fold`]: names with their variants, phones, case number, titles.
    pub search: String,
    /// The orientation point: a session's own; of a case, the latest registration's or transfer's that is not void.
    pub point: Option<String>,
    /// The case number, of a case.
    pub number: Option<String>,
    /// The moment that the record is about, in an order of its own: a session's start in UTC, `2026-10-05T08:00:00Z`, or
    /// the day of a note, a registration, an answer, `2026-10-05`. Empty where there is none.
    pub sort_at: String,
    /// Fields or items with concurrent values that wait to be settled.
    pub conflicts: u32,
    /// Events of a case that the server has not ruled yet.
    pub awaiting: u32,
    /// Short fields by name, as lists may want to show them; sets as arrays.
    pub columns: BTreeMap<&'static str, Json>,
}

/// The columns of `document`.
#[must_use]
pub fn columns(document: &Document) -> View {
    let kind = document.kind();
    let events = events::Events::of(document);
    let title = title(document);
    View {
        search: search(document, &title),
        title,
        point: text(document, "point").or_else(|| events.point()),
        number: text(document, "case_number"),
        sort_at: sort_at(document, &events),
        conflicts: document.conflicts(),
        awaiting: events.awaiting(),
        columns: kind.rule().fields.iter().filter_map(|field| short(document, field)).collect(),
    }
}

fn text(document: &Document, field: &str) -> Option<String> {
    document.kind().rule().field(field).and_then(|field| document.value_text(field))
}

fn title(document: &Document) -> String {
    let words = |fields: &[&str]| {
        let words: Vec<String> = fields.iter().filter_map(|field| text(document, field)).collect();
        words.join(" ")
    };
    let title = match document.kind() {
        Kind::Person | Kind::Badge => words(&["name"]),
        Kind::Case => words(&["case_number"]),
        Kind::Session | Kind::Module => words(&["module"]),
        Kind::CountryNote => words(&["country", "theme"]),
        Kind::Feedback => words(&["point", "module"]),
        Kind::Note => first_line(document).unwrap_or_else(|| words(&["topics"])),
        Kind::Path | Kind::Project | Kind::Assessment => String::new(),
    };
    title.chars().take(TITLE_CHARS_MAX).collect()
}

/// The first line of a kind's text that says anything.
fn first_line(document: &Document) -> Option<String> {
    let field = document.kind().rule().texts().next()?;
    let text = document.text(field)?;
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// Names, variants and numbers; never what a conversation was about.
fn search(document: &Document, title: &str) -> String {
    let rule = document.kind().rule();
    let mut words = Vec::new();
    if document.kind() != Kind::Note {
        words.push(title.to_owned());
    }
    for name in ["ref", "place", "partner", "trainer"] {
        words.extend(text(document, name));
    }
    for name in ["name_variants", "phone"] {
        let members = rule.field(name).map(|field| document.members(field)).unwrap_or_default();
        for member in members {
            words.extend(local_number(&member));
            words.push(member);
        }
    }
    // Of concurrent names each can be searched: until it is settled nobody knows which is right.
    if let Some(name) = rule.field("name") {
        let others = document.field(name).others;
        words.extend(others.iter().filter_map(|held| held.value.as_str().map(str::to_owned)));
    }
    fold(&words.join(" "))
}

/// A Moroccan number as it is dialled in Morocco, where staff will type it so.
fn local_number(phone: &str) -> Option<String> {
    phone.strip_prefix("+212").map(|national| format!("0{national}"))
}

fn sort_at(document: &Document, events: &events::Events) -> String {
    let moment = match document.kind() {
        Kind::Session => text(document, "start").and_then(|start| value::instant_utc(&start)),
        Kind::Note => text(document, "held_on"),
        Kind::Feedback => text(document, "day"),
        Kind::CountryNote => text(document, "valid_from"),
        Kind::Case => events.registered_on(),
        _ => None,
    };
    moment.unwrap_or_default()
}

fn short(document: &Document, field: &'static FieldRule) -> Option<(&'static str, Json)> {
    let is_short = match field.value {
        ValueType::Line { max } => max <= COLUMN_CHARS_MAX,
        ValueType::Prose { .. } | ValueType::Event => false,
        _ => true,
    };
    let value = match field.shape {
        Shape::One if is_short => document.value(field)?.to_json(),
        Shape::Set if is_short => {
            let members = document.members(field);
            if members.is_empty() {
                return None;
            }
            members.into_iter().collect()
        }
        _ => return None,
    };
    Some((field.name, value))
}
