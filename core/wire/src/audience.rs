//! Names of audiences. An audience is a place and a confidentiality class; its records form one ordered log.

use std::fmt;
use std::str::FromStr;

use minicbor::decode::{Decode, Decoder, Error as DecodeError};
use minicbor::encode::{Encode, Encoder, Error as EncodeError, Write};

/// Longest name of an audience, in bytes: `person:` and 32 hex digits, with room.
pub const AUDIENCE_BYTES_MAX: usize = 64;

/// A name that is no audience's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an audience is named by a class, or a class and a place: lowercase letters, digits, '_', and one ':'")]
pub struct BadAudience;

/// The name of an audience, such as `public`, `casework:oujda` or `person:<case>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudienceName(String);

impl AudienceName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The class before the colon.
    #[must_use]
    pub fn class(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// What stands after the colon: a point, a country or a case.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, place)| place)
    }
}

impl FromStr for AudienceName {
    type Err = BadAudience;

    fn from_str(text: &str) -> Result<Self, BadAudience> {
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let (class, place) = text.split_once(':').unwrap_or((text, "none"));
        if text.len() > AUDIENCE_BYTES_MAX || !word(class) || !word(place) {
            return Err(BadAudience);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for AudienceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<C> Encode<C> for AudienceName {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for AudienceName {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let at = d.position();
        d.str()?.parse().map_err(|_| DecodeError::message("not an audience").at(at))
    }
}
