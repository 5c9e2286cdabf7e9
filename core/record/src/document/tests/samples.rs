//! A value for any field, from a number: equal numbers give equal values.

use crate::document::{Edit, Write};
use crate::field::{FieldRule, Shape, ValueType};
use crate::kind::Kind;
use crate::value::Value;

/// The `n`th value of a type, in its normal form.
pub(crate) fn value(kind: &ValueType, n: u32) -> Value {
    let text = match kind {
        ValueType::Name => format!("Awa Test {}", letters(n)),
        ValueType::Line { .. } => format!("line {n}"),
        ValueType::Prose { .. } => format!("first line {n}\nsecond line"),
        ValueType::Code(codes) => codes[n as usize % codes.len()].to_owned(),
        ValueType::Int { min, max } => return Value::Int(min + i64::from(n) % (max - min + 1)),
        ValueType::Date => format!("20{:02}-{:02}-{:02}", n % 100, n % 12 + 1, n % 28 + 1),
        ValueType::Instant => format!("2026-{:02}-{:02}T09:{:02}:00+01:00", n % 12 + 1, n % 28 + 1, n % 60),
        ValueType::Phone => format!("+2126{:08}", n % 100_000_000),
        ValueType::Language => ["fr", "ar", "bm", "ff", "snk"][n as usize % 5].to_owned(),
        ValueType::Country => ["GN", "ML", "SN", "CM", "CI"][n as usize % 5].to_owned(),
        ValueType::Point => ["casablanca", "rabat", "oujda"][n as usize % 3].to_owned(),
        ValueType::Id => format!("{n:032x}"),
        ValueType::Flag => return Value::Flag(n.is_multiple_of(2)),
        ValueType::Event => format!("{{\"on\":\"2026-01-{:02}\",\"n\":{n}}}", n % 28 + 1),
    };
    Value::Text(text)
}

fn letters(n: u32) -> String {
    n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

fn text(value: Value) -> String {
    if let Value::Text(text) = value { text } else { unreachable!("items are named by texts") }
}

/// An edit of one field: `item` chooses the item, `n` the value; every fourth clears where the shape can be cleared.
pub(crate) fn edit(field: &'static FieldRule, item: u32, n: u32) -> Edit {
    match field.shape {
        Shape::One => Edit::of(field, put_or_clear(field, n)),
        Shape::PerItem => Edit::item(field, text(value(&field.item.unwrap(), item)), put_or_clear(field, n)),
        Shape::Set => {
            let members = (0..4).filter(|bit| n >> bit & 1 == 1).map(|bit| text(value(&field.value, bit))).collect();
            Edit::of(field, Write::Members(members))
        }
        // An event's id is random: an event is never written twice.
        Shape::Events | Shape::Versions => {
            Edit::item(field, format!("{item:016x}{n:016x}"), Write::Put(value(&field.value, n)))
        }
        Shape::Text => Edit::of(field, Write::Text(format!("interview {n}"))),
    }
}

fn put_or_clear(field: &FieldRule, n: u32) -> Write {
    if n % 4 == 3 { Write::Clear } else { Write::Put(value(&field.value, n)) }
}

/// One edit of every field of a kind.
pub(crate) fn all(kind: Kind) -> Vec<Edit> {
    kind.rule().fields.iter().zip(1..).map(|(field, n)| edit(field, n, n * 4 + 1)).collect()
}
