//! The fields that people set, as the registry has them.

use foras_record::field::{ValueType, Writer};
use foras_record::kind::Kind;
use foras_record::place::Point;
use serde::Serialize;

use super::listing::Listing;
use super::setting::{FREE, OF_CASE, is_settable, takes_several};

/// A field that `register`, `edit` or an import sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldShown {
    /// Its name.
    pub name: &'static str,
    /// The kind of record that holds it.
    pub kind: &'static str,
    /// The type of its values; with `+` where it takes several.
    #[serde(rename = "type")]
    pub value_type: String,
    /// Whether it takes several values.
    pub several: bool,
    /// The codes, or bounds, that a value keeps to; empty where the type says enough.
    pub values: Vec<String>,
    /// Who writes it: a role; `origin_counsellor:holder` and `origin_counsellor:opened` only while the mission holds
    /// the case or it is opened to it; `migrant:own` on the own case.
    pub writers: Vec<String>,
    /// `register` where only a registration sets it, else `edit`.
    pub set_by: &'static str,
}

/// Every field, by kind.
#[must_use]
pub fn fields() -> Listing<FieldShown> {
    let mut items = Vec::new();
    for kind in OF_CASE.into_iter().chain(FREE) {
        for field in kind.rule().fields.iter().filter(|field| is_settable(kind, field)) {
            let several = takes_several(field);
            let (name, values) = described(&field.value);
            items.push(FieldShown {
                name: field.name,
                kind: kind.name(),
                value_type: if several { format!("{name}+") } else { name.to_owned() },
                several,
                values,
                writers: field.writers.iter().copied().map(writer).collect(),
                set_by: "edit",
            });
        }
    }
    let registration = Kind::Case.rule();
    for (name, value) in [("point", ValueType::Point), ("registered_on", ValueType::Date)] {
        let (value_type, values) = described(&value);
        items.push(FieldShown {
            name,
            kind: registration.name,
            value_type: value_type.to_owned(),
            several: false,
            values,
            writers: registration.creators.iter().copied().map(writer).collect(),
            set_by: "register",
        });
    }
    Listing::whole(items)
}

fn writer(writer: Writer) -> String {
    match writer {
        Writer::Role(role) => role.code().to_owned(),
        Writer::Holder => "origin_counsellor:holder".to_owned(),
        Writer::OpenedMission => "origin_counsellor:opened".to_owned(),
        Writer::Own => "migrant:own".to_owned(),
    }
}

fn described(value: &ValueType) -> (&'static str, Vec<String>) {
    let at_most = |max: &usize| vec![format!("at most {max} characters")];
    match value {
        ValueType::Name => ("name", Vec::new()),
        ValueType::Line { max } => ("line", at_most(max)),
        ValueType::Prose { max } => ("prose", at_most(max)),
        ValueType::Code(codes) => ("code", codes.iter().map(|code| (*code).to_owned()).collect()),
        ValueType::Int { min, max } => ("int", vec![format!("{min}..{max}")]),
        ValueType::Date => ("date", Vec::new()),
        ValueType::Instant => ("instant", Vec::new()),
        ValueType::Phone => ("phone", Vec::new()),
        ValueType::Language => ("language", Vec::new()),
        ValueType::Country => ("country", Vec::new()),
        ValueType::Point => ("point", Point::ALL.map(|point| point.code().to_owned()).to_vec()),
        ValueType::Id => ("id", Vec::new()),
        ValueType::Flag => ("flag", vec!["true".to_owned(), "false".to_owned()]),
        ValueType::Event => ("line", Vec::new()),
    }
}
