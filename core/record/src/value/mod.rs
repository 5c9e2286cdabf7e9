//! Values: what a field may hold, how a person's text becomes one, and what is accepted from elsewhere.
//!
//! [`check`] normalises what somebody typed, against tables that grow with each version. [`check_stored`] judges what
//! another version wrote, and so asks only for what holds in all of them: form and length. Were it to use the tables,
//! two versions would disagree about one change.

mod codes;
mod error;
mod moment;
mod stored;
mod text;

pub use error::ValueError;
pub use moment::{date, instant_s, instant_utc};
pub use stored::{EVENT_BYTES_MAX, check_item, check_stored, check_written};

use crate::field::ValueType;
use crate::place::Point;

/// One scalar of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Cleared by somebody.
    Null,
    /// True or false.
    Flag(bool),
    /// A whole number.
    Int(i64),
    /// Anything else, in its normal form.
    Text(String),
}

impl Value {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// Whether this is a clear.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Flag(flag) => (*flag).into(),
            Self::Int(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// The value that a person's `text` stands for, in its normal form: texts in NFC without spaces around, phones in
/// E.164 (numbers without a country are Moroccan), languages and countries as ISO codes.
///
/// # Errors
/// [`ValueError`], with the reason as a stable code. An empty text is [`ValueError::Empty`]: to clear a field is
/// another write.
pub fn check(kind: &ValueType, text: &str) -> Result<Value, ValueError> {
    match kind {
        ValueType::Name => text::name(text),
        ValueType::Line { max } => text::line(text, *max),
        ValueType::Prose { max } => text::prose(text, *max),
        ValueType::Code(codes) => {
            let code = text::bare(text)?;
            codes.iter().find(|known| **known == code).map(|code| (*code).to_owned()).ok_or(ValueError::NotACode)
        }
        ValueType::Int { min, max } => return whole_number(text, *min, *max).map(Value::Int),
        ValueType::Date => moment::checked_date(text::bare(text)?),
        ValueType::Instant => moment::checked_instant(text::bare(text)?),
        ValueType::Phone => codes::phone(text),
        ValueType::Language => codes::language(text::bare(text)?),
        ValueType::Country => codes::country(text::bare(text)?),
        ValueType::Point => {
            let point = text::bare(text)?.to_lowercase();
            point.parse::<Point>().map(|point| point.code().to_owned()).map_err(|_| ValueError::NoSuchPoint)
        }
        ValueType::Id => {
            let id = text::bare(text)?.to_ascii_lowercase();
            if stored::is_id(&id) { Ok(id) } else { Err(ValueError::NotAnId) }
        }
        ValueType::Flag => {
            return match text::bare(text)? {
                "true" => Ok(Value::Flag(true)),
                "false" => Ok(Value::Flag(false)),
                _ => Err(ValueError::NotAFlag),
            };
        }
        ValueType::Event => Err(ValueError::NotByHand),
    }
    .map(Value::Text)
}

fn whole_number(text: &str, min: i64, max: i64) -> Result<i64, ValueError> {
    let digits = text::bare(text)?;
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ValueError::NotANumber);
    }
    let number: i64 = digits.parse().map_err(|_| ValueError::OutOfRange)?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(ValueError::OutOfRange) }
}

#[cfg(test)]
mod tests;
