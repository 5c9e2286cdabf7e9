//! Everything held about a person or a session, as an app shows it.

use std::collections::BTreeMap;

use foras::phone;
use serde_json::Value;

/// A field's value.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum FieldValue {
    /// It was cleared.
    Cleared,
    /// Text, a code, a date.
    Text {
        /// The text.
        text: String,
    },
    /// A whole number.
    Number {
        /// The number.
        number: i64,
    },
    /// Yes or no.
    Flag {
        /// Which.
        flag: bool,
    },
    /// The members of a set, in order.
    Several {
        /// The members.
        members: Vec<String>,
    },
    /// An event of a case, as a JSON object.
    Event {
        /// The object.
        json: String,
    },
}

/// Who wrote something.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Author {
    /// What colleagues call the person; migrants' phones are told roles only.
    pub name: Option<String>,
    /// The role's code.
    pub role: String,
}

/// A value, who wrote it, and when.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct WrittenValue {
    /// The value.
    pub value: FieldValue,
    /// Who wrote it.
    pub by: Author,
    /// When, by the author's clock: RFC 3339.
    pub at: String,
}

/// A field: what shows, and what others wrote at the same time until somebody settles it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Field {
    /// The field's name; `field/item` where it has items.
    pub name: String,
    /// What shows.
    pub shown: WrittenValue,
    /// What others wrote at the same time, in one order on every phone.
    pub others: Vec<WrittenValue>,
}

/// How far a record came.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Delivery {
    /// saved, sending, server, seen, refused or awaiting.
    pub state: String,
    /// On the server since, or seen by the mission at: RFC 3339, the server's clock.
    pub at: Option<String>,
    /// Of a refusal: its code.
    pub code: Option<String>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Record {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub record: String,
    /// The case; of a record about nobody, the record itself.
    pub id: String,
    /// Its fields by name.
    pub fields: Vec<Field>,
    /// How far it came; none where only conflicts are asked for.
    pub delivery: Option<Delivery>,
}

/// One page of records with concurrent values.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct RecordPage {
    /// The records, with the fields in question.
    pub items: Vec<Record>,
    /// This page, from 1.
    pub page: u32,
    /// Pages in all.
    pub pages: u32,
    /// Records in all.
    pub total: u64,
}

pub(crate) fn records(shown: phone::Shown) -> Vec<Record> {
    let id = shown.id;
    let records = shown.records.into_iter().map(|record| Record {
        kind: record.kind.to_owned(),
        record: record.record,
        id: id.clone(),
        fields: fields(record.fields),
        delivery: Some(Delivery {
            state: record.delivery.state.to_owned(),
            at: record.delivery.at,
            code: record.delivery.code,
        }),
    });
    records.collect()
}

impl From<phone::Listing<phone::Conflict>> for RecordPage {
    fn from(listing: phone::Listing<phone::Conflict>) -> Self {
        let items = listing.items.into_iter().map(|conflict| Record {
            kind: conflict.kind.to_owned(),
            record: conflict.record,
            id: conflict.id,
            fields: fields(conflict.fields),
            delivery: None,
        });
        Self { items: items.collect(), page: listing.page, pages: listing.pages, total: listing.total }
    }
}

fn fields(fields: BTreeMap<String, phone::ValueShown>) -> Vec<Field> {
    let shown = fields.into_iter().map(|(name, value)| Field {
        name,
        shown: WrittenValue { value: field_value(value.value), by: author(value.by), at: value.at },
        others: value.others.into_iter().map(other).collect(),
    });
    shown.collect()
}

fn other(other: phone::OtherValue) -> WrittenValue {
    WrittenValue { value: field_value(other.value), by: author(other.by), at: other.at }
}

fn author(author: phone::Author) -> Author {
    Author { name: author.name, role: author.role }
}

fn field_value(value: Value) -> FieldValue {
    match value {
        Value::Null => FieldValue::Cleared,
        Value::Bool(flag) => FieldValue::Flag { flag },
        Value::String(text) => FieldValue::Text { text },
        Value::Array(members) if members.iter().all(Value::is_string) => {
            let members = members.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            FieldValue::Several { members }
        }
        Value::Number(number) => match number.as_i64() {
            Some(number) => FieldValue::Number { number },
            None => FieldValue::Text { text: number.to_string() },
        },
        other => FieldValue::Event { json: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_a_value_has_its_own() {
        let of = |json: &str| serde_json::from_str(json).map(field_value);
        assert_eq!(of("null").ok(), Some(FieldValue::Cleared));
        assert_eq!(of("\"fr\"").ok(), Some(FieldValue::Text { text: "fr".to_owned() }));
        assert_eq!(of("1996").ok(), Some(FieldValue::Number { number: 1996 }));
        assert_eq!(of("true").ok(), Some(FieldValue::Flag { flag: true }));
        let members = vec!["bm".to_owned(), "fr".to_owned()];
        assert_eq!(of(r#"["bm","fr"]"#).ok(), Some(FieldValue::Several { members }));
        assert_eq!(of(r#"{"to":"ML"}"#).ok(), Some(FieldValue::Event { json: r#"{"to":"ML"}"#.to_owned() }));
    }
}
