//! A field and what it is set to, as typed; and what of the registry it means.

use std::collections::BTreeMap;

use foras_record::document::{Edit, Write};
use foras_record::field::{FieldRule, Shape, ValueType};
use foras_record::kind::Kind;
use foras_record::value::{self, Value};
use foras_wire::id::RecordId;

use crate::error::Error;

/// The kinds of a case's records whose fields are set by name, in the order in which they are looked through.
pub(crate) const OF_CASE: [Kind; 5] = [Kind::Case, Kind::Person, Kind::Badge, Kind::Project, Kind::Assessment];
/// The kinds about nobody whose fields are set by name.
pub(crate) const FREE: [Kind; 3] = [Kind::Session, Kind::Module, Kind::CountryNote];
/// No field is set to more values at once. The largest set that a change can hold is smaller than its 2,000 operations.
const VALUES_MAX: usize = 100;
/// A phone whose clock fell behind still takes years up to this one.
const THIS_YEAR_AT_LEAST: i64 = 2026;

/// One field and one value, as typed. An empty value clears. Several of one set field replace the whole set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The field's name.
    pub field: String,
    /// The value as text.
    pub value: String,
}

impl Setting {
    /// A field and a value.
    #[must_use]
    pub fn new(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self { field: field.into(), value: value.into() }
    }

    /// Reads `field=value`.
    ///
    /// # Errors
    /// [`Error::Misuse`] where there is no field or no `=`.
    pub fn parse(pair: &str) -> Result<Self, Error> {
        match pair.split_once('=') {
            Some((field, value)) if !field.trim().is_empty() => Ok(Self::new(field.trim(), value)),
            _ => Err(Error::Misuse("a setting is FIELD=VALUE")),
        }
    }
}

/// Settings by field: every value that a field is to have; none clears it.
pub(crate) type ByField<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Groups settings by their field.
pub(crate) fn by_field(settings: &[Setting]) -> ByField<'_> {
    let mut fields = ByField::new();
    for setting in settings {
        fields.entry(setting.field.as_str()).or_default().push(setting.value.as_str());
    }
    fields
}

/// Whether people set this field by its name. Events, attendance, prose and links have commands of their own.
pub(crate) fn is_settable(kind: Kind, field: &FieldRule) -> bool {
    let link = kind == Kind::Badge && field.name == "case";
    let number = kind == Kind::Case && field.name == "case_number";
    matches!(field.shape, Shape::One | Shape::Set | Shape::Versions) && !link && !number
}

/// Whether a field takes several values.
pub(crate) fn takes_several(field: &FieldRule) -> bool {
    matches!(field.shape, Shape::Set | Shape::Versions)
}

/// The fields of this name among `kinds`. Several kinds may hold one field; a name that two kinds use for different
/// things means the first of them.
pub(crate) fn holders(kinds: &[Kind], name: &str) -> Result<Vec<(Kind, &'static FieldRule)>, Error> {
    let mut found: Vec<(Kind, &'static FieldRule)> = Vec::new();
    for kind in kinds {
        let Some(field) = kind.rule().field(name).filter(|field| is_settable(*kind, field)) else { continue };
        if found.first().is_none_or(|(_, first)| first.shape == field.shape && first.value == field.value) {
            found.push((*kind, field));
        }
    }
    if found.is_empty() {
        return Err(Error::Misuse("there is no such field to set"));
    }
    Ok(found)
}

/// What writing `values` into `field` means. `version` names a new version with this body, where the field keeps versions.
pub(crate) fn edit(
    field: &'static FieldRule,
    values: &[&str],
    this_year: i64,
    version: impl FnOnce(&str) -> Result<RecordId, Error>,
) -> Result<Edit, Error> {
    let given: Vec<&str> = values.iter().copied().filter(|value| !value.is_empty()).collect();
    if values.len() > VALUES_MAX {
        return Err(invalid(field, "too_many_values"));
    }
    match field.shape {
        Shape::Set => {
            let members = given.iter().map(|value| checked(field, value, this_year).map(|value| plain(&value)));
            Ok(Edit::of(field, Write::Members(members.collect::<Result<_, _>>()?)))
        }
        Shape::Versions => {
            let mut lines = Vec::new();
            for value in given {
                let Value::Text(line) = checked_as(field, &ValueType::Line { max: 500 }, value)? else { continue };
                lines.push(line);
            }
            let body = serde_json::json!({ "values": lines }).to_string();
            Ok(Edit::item(field, version(&body)?.to_string(), Write::Put(Value::Text(body))))
        }
        _ if values.len() > 1 => Err(Error::Misuse("a field that takes one value is set twice")),
        _ => {
            let write = match given.first() {
                Some(value) => Write::Put(checked(field, value, this_year)?),
                None => Write::Clear,
            };
            Ok(Edit::of(field, write))
        }
    }
}

fn checked(field: &'static FieldRule, text: &str, this_year: i64) -> Result<Value, Error> {
    let value = checked_as(field, &field.value, text)?;
    let is_past_year = matches!(field.name, "birth_year" | "arrival_year");
    if is_past_year && matches!(value, Value::Int(year) if year > this_year.max(THIS_YEAR_AT_LEAST)) {
        return Err(invalid(field, "year_out_of_range"));
    }
    Ok(value)
}

fn checked_as(field: &'static FieldRule, value_type: &ValueType, text: &str) -> Result<Value, Error> {
    value::check(value_type, text).map_err(|error| invalid(field, error.code()))
}

/// A value as its text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Flag(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
    }
}

/// A value that `field` cannot take.
pub(crate) fn invalid(field: &'static FieldRule, code: &'static str) -> Error {
    Error::InvalidValue { code, field: Some(field.name) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn field(name: &str) -> &'static FieldRule {
        holders(&OF_CASE, name).unwrap()[0].1
    }

    fn set(name: &str, values: &[&str]) -> Result<Write, Error> {
        edit(field(name), values, 2026, |_| Ok(RecordId([7; 16]))).map(|edit| edit.write)
    }

    #[test]
    fn a_setting_is_a_field_and_a_value_with_whatever_it_holds() {
        assert_eq!(Setting::parse("needs=a=b").unwrap(), Setting::new("needs", "a=b"));
        assert_eq!(Setting::parse("phone=").unwrap(), Setting::new("phone", ""));
        for bad in ["name", "=x", " =x", ""] {
            assert_eq!(Setting::parse(bad).unwrap_err().code(), "misuse", "{bad}");
        }
    }

    #[test]
    fn a_name_is_set_where_it_is_held_and_case_numbers_nowhere() {
        let kinds = |name| holders(&OF_CASE, name).unwrap().into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
        assert_eq!(kinds("name"), [Kind::Person, Kind::Badge]);
        assert_eq!(kinds("sex"), [Kind::Case]);
        for name in ["case_number", "case", "consent", "ruling", "attendance", "colour", ""] {
            assert_eq!(holders(&OF_CASE, name).unwrap_err().code(), "misuse", "{name}");
        }
    }

    #[test]
    fn a_set_field_is_replaced_whole_and_another_is_not_repeated() {
        assert_eq!(set("languages", &["fr", "bm", "fr"]).unwrap(), Write::Members(["bm".into(), "fr".into()].into()));
        assert_eq!(set("languages", &[""]).unwrap(), Write::Members([].into()));
        assert_eq!(set("sex", &["f", "m"]).unwrap_err().code(), "misuse");
        assert_eq!(set("needs", &[""]).unwrap(), Write::Clear);
    }

    #[test]
    fn values_that_cannot_be_are_named_by_field_and_code() {
        for (name, value) in
            [("birth_year", "2027"), ("birth_year", "1899"), ("sex", "q"), ("phone", "123"), ("country", "XX")]
        {
            let error = set(name, &[value]).unwrap_err();
            assert!(matches!(error, Error::InvalidValue { field: Some(field), .. } if field == name), "{name} {error}");
        }
    }
}
