//! What is accepted from elsewhere: form and length, the same in every version.

use super::{Value, ValueError, moment, text};
use crate::field::{FieldRule, Shape, ValueType};
use crate::place::Point;

/// Longest event, in bytes of JSON.
pub const EVENT_BYTES_MAX: usize = 16 * 1024;
/// Longest code, in bytes. Codes that this version does not know are kept: a newer one wrote them.
const CODE_BYTES_MAX: usize = 40;

pub(super) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// E.164: a plus sign, then up to fifteen digits of which the first is not zero.
pub(super) fn is_phone(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    (6..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_language(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_code(text: &str) -> bool {
    let in_code = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ' | b'-');
    !text.is_empty() && text.len() <= CODE_BYTES_MAX && text.bytes().all(in_code)
}

/// Whether a value that stands in a change may be held by a field of this type.
///
/// # Errors
/// [`ValueError`] with the reason.
pub fn check_stored(kind: &ValueType, value: &Value) -> Result<(), ValueError> {
    let accept = |is: bool, error: ValueError| if is { Ok(()) } else { Err(error) };
    match (kind, value) {
        (ValueType::Int { min, max }, Value::Int(number)) => {
            accept((min..=max).contains(&number), ValueError::OutOfRange)
        }
        (ValueType::Flag, Value::Flag(_)) => Ok(()),
        (ValueType::Name, Value::Text(name)) => filled(name, text::NAME_CHARS_MAX, false),
        (ValueType::Line { max }, Value::Text(line)) => filled(line, *max, false),
        (ValueType::Prose { max }, Value::Text(prose)) => filled(prose, *max, true),
        (ValueType::Code(_), Value::Text(code)) => accept(is_code(code), ValueError::NotACode),
        (ValueType::Date, Value::Text(date)) => accept(moment::date(date).is_some(), ValueError::NoSuchDate),
        (ValueType::Instant, Value::Text(instant)) => {
            accept(moment::checked_instant(instant).as_deref() == Ok(instant), ValueError::NotAnInstant)
        }
        (ValueType::Phone, Value::Text(phone)) => accept(is_phone(phone), ValueError::NoSuchPhone),
        (ValueType::Language, Value::Text(code)) => accept(is_language(code), ValueError::NoSuchLanguage),
        (ValueType::Country, Value::Text(code)) => accept(is_country(code), ValueError::NoSuchCountry),
        (ValueType::Point, Value::Text(point)) => accept(point.parse::<Point>().is_ok(), ValueError::NoSuchPoint),
        (ValueType::Id, Value::Text(id)) => accept(is_id(id), ValueError::NotAnId),
        (ValueType::Event, Value::Text(json)) => event(json),
        _ => Err(ValueError::WrongType),
    }
}

fn filled(text: &str, max: usize, lines: bool) -> Result<(), ValueError> {
    if text.is_empty() {
        return Err(ValueError::Empty);
    }
    text::check_form(text, max, lines)
}

/// An event: one JSON object of bounded size. What it says is judged when it is ruled.
fn event(json: &str) -> Result<(), ValueError> {
    if json.len() > EVENT_BYTES_MAX {
        return Err(ValueError::TooLong);
    }
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json) {
        Ok(_) => Ok(()),
        Err(_) => Err(ValueError::WrongType),
    }
}

/// Whether a key of `field` may name this item, or none.
///
/// # Errors
/// [`ValueError`] with the reason; [`ValueError::WrongType`] where the field's shape has items and none is named, or
/// the other way round.
pub fn check_item(field: &FieldRule, item: Option<&str>) -> Result<(), ValueError> {
    match (&field.item, item) {
        (None, None) => Ok(()),
        (Some(ValueType::Id), Some(item)) if is_id(item) => Ok(()),
        (Some(kind), Some(item)) => check_stored(kind, &Value::Text(item.to_owned())),
        _ => Err(ValueError::WrongType),
    }
}

/// Whether this scalar may be put under a key of `field`: a member's flag, an event, a value or a clear.
///
/// # Errors
/// [`ValueError`] with the reason; [`ValueError::WrongType`] for any scalar in a field of text, which holds characters.
pub fn check_written(field: &FieldRule, value: &Value) -> Result<(), ValueError> {
    match field.shape {
        Shape::One | Shape::PerItem if value.is_null() => Ok(()),
        Shape::One | Shape::PerItem | Shape::Events | Shape::Versions => check_stored(&field.value, value),
        Shape::Set => check_stored(&ValueType::Flag, value),
        Shape::Text => Err(ValueError::WrongType),
    }
}
