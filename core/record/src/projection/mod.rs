//! What lists show of a record: columns taken from its document, so that screens never load one.

mod events;
mod fold;
#[cfg(test)]
mod tests;

pub use fold::fold;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::document::{Content, Document, Entry};
use crate::field::{FieldRule, Shape, ValueType};
use crate::kind::{Kind, KindRule};
use crate::value::{self, Value};

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
    columns_of(document.kind(), document.content_kept())
}

/// The columns of a record of `kind` with this content.
#[must_use]
pub fn columns_of(kind: Kind, content: &Content) -> View {
    let record = Record { kind, rule: kind.rule(), content };
    let events = events::Events::of(record.rule, record.content);
    let title = record.title();
    View {
        search: record.search(&title),
        title,
        point: record.text("point").or_else(|| events.point()),
        number: record.text("case_number"),
        sort_at: record.sort_at(&events),
        conflicts: record.content.conflicts(record.rule),
        awaiting: events.awaiting(),
        columns: record.rule.fields.iter().filter_map(|field| record.short(field)).collect(),
    }
}

/// A record read once.
struct Record<'c> {
    kind: Kind,
    rule: &'static KindRule,
    content: &'c Content,
}

impl Record<'_> {
    fn text(&self, field: &str) -> Option<String> {
        let value = self.content.value(self.rule.field(field)?)?;
        value.as_text().map(str::to_owned)
    }

    fn title(&self) -> String {
        let words = |fields: &[&str]| {
            let words: Vec<String> = fields.iter().filter_map(|field| self.text(field)).collect();
            words.join(" ")
        };
        let title = match self.kind {
            Kind::Person | Kind::Badge => words(&["name"]),
            Kind::Case => words(&["case_number"]),
            Kind::Session | Kind::Module => words(&["module"]),
            Kind::CountryNote => words(&["country", "theme"]),
            Kind::Feedback => words(&["point", "module"]),
            Kind::Note => self.first_line().unwrap_or_else(|| words(&["topics"])),
            Kind::Path | Kind::Project | Kind::Assessment => String::new(),
        };
        title.chars().take(TITLE_CHARS_MAX).collect()
    }

    /// The first line of a note's text that says anything.
    fn first_line(&self) -> Option<String> {
        let text = self.text("text")?;
        text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
    }

    /// Names, variants and numbers; never what a conversation was about.
    fn search(&self, title: &str) -> String {
        let mut words = Vec::new();
        if self.kind != Kind::Note {
            words.push(title.to_owned());
        }
        for name in ["ref", "place", "partner", "trainer"] {
            words.extend(self.text(name));
        }
        for field in ["name_variants", "phone"].iter().filter_map(|name| self.rule.field(name)) {
            for member in self.members(field) {
                words.extend(local_number(member));
                words.push(member.to_owned());
            }
        }
        // Of concurrent names each can be searched: until it is settled nobody knows which is right.
        if let Some(name) = self.rule.field("name") {
            let names = self.content.entries(name, None).iter().filter_map(|entry| entry.value.as_text());
            words.extend(names.filter(|name| *name != title).map(str::to_owned));
        }
        fold(&words.join(" "))
    }

    fn sort_at(&self, events: &events::Events) -> String {
        let moment = match self.kind {
            Kind::Session => self.text("start").and_then(|start| value::instant_utc(&start)),
            Kind::Note => self.text("held_on"),
            Kind::Feedback => self.text("day"),
            Kind::CountryNote => self.text("valid_from"),
            Kind::Case => events.registered_on(),
            _ => None,
        };
        moment.unwrap_or_default()
    }

    fn members(&self, field: &FieldRule) -> impl Iterator<Item = &str> {
        let kept = |entries: &[Entry]| entries.iter().any(|entry| entry.value == Value::Flag(true));
        self.content.items(field).filter(move |(_, entries)| kept(entries)).map(|(member, _)| member)
    }

    /// The value of a field that is short enough for a list.
    fn short(&self, field: &'static FieldRule) -> Option<(&'static str, Json)> {
        let is_short = match field.value {
            ValueType::Line { max } => max <= COLUMN_CHARS_MAX,
            ValueType::Prose { .. } | ValueType::Event => false,
            _ => true,
        };
        let value = match field.shape {
            Shape::One if is_short => self.content.value(field)?.to_json(),
            Shape::Set if is_short => {
                let members: Vec<&str> = self.members(field).collect();
                if members.is_empty() {
                    return None;
                }
                members.into()
            }
            _ => return None,
        };
        Some((field.name, value))
    }
}

/// A Moroccan number as it is dialled in Morocco, where staff will type it so.
fn local_number(phone: &str) -> Option<String> {
    phone.strip_prefix("+212").map(|national| format!("0{national}"))
}
