//! Values kept in JSON as the text that they display. Only the one canonical text is read: `2026-1-5` is no date.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Display + FromStr,
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    let value: T = text.parse().map_err(|_| D::Error::custom("not such a value"))?;
    if value.to_string() == text { Ok(value) } else { Err(D::Error::custom("not in canonical form")) }
}

/// The same for a value that may be absent.
pub(crate) mod optional {
    use super::{Deserializer, Display, FromStr, Serializer};

    #[allow(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(crate) fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: Display + FromStr,
        D: Deserializer<'de>,
    {
        super::deserialize(deserializer).map(Some)
    }
}
