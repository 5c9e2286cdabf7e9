//! The id of an event: the item part of its key.

use std::fmt;
use std::str::FromStr;

use foras_wire::id::{BadId, RecordId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An event of a case: derived from its author and what it says ([`crate::identity::statement`]), or 16 random bytes;
/// shown as 32 lowercase hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(RecordId);

impl EventId {
    /// The id made of random bytes.
    #[must_use]
    pub fn new(random: [u8; 16]) -> Self {
        Self(RecordId(random))
    }

    /// A derived id.
    #[must_use]
    pub fn derived(label: &str, base: &[u8]) -> Self {
        Self(RecordId::derived(label, base))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EventId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        text.parse().map(Self)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        super::as_text::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::as_text::deserialize(deserializer)
    }
}
