//! Fields: shape, type of value, and who writes. A kind is a list of these; merging, access, projection and the foreign
//! surfaces follow from the list.

use crate::role::Role;

/// How a field is laid out as keys of the record's root map. Layouts are flat: two phones that create the same nested
/// map would hide one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One key, `field`: a scalar. Concurrent values are kept; clearing writes null, so that a clear is kept too.
    One,
    /// One key per member, `field/member`: true, or false where removed. A member kept by anybody stays.
    Set,
    /// One key per item, `field/item`: a scalar each, as attendance by session. Concurrent values are kept per item.
    PerItem,
    /// One key per event, `field/event id`: JSON, written once, never overwritten or deleted.
    Events,
    /// As [`Shape::Events`]; the newest is the field's value.
    Versions,
    /// A text object of that key, made by the kind's genesis, merged by character.
    Text,
}

/// What a value may be. Decided by [`crate::value::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// A person's name: 1 to 120 characters, no control characters, no direction marks.
    Name,
    /// One line, at most `max` characters.
    Line {
        /// Characters at most.
        max: usize,
    },
    /// Several lines, at most `max` characters.
    Prose {
        /// Characters at most.
        max: usize,
    },
    /// One of these codes.
    Code(&'static [&'static str]),
    /// A whole number within these bounds, both included.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// A moment with its offset, RFC 3339.
    Instant,
    /// A telephone number, kept as E.164.
    Phone,
    /// ISO 639 code of a language.
    Language,
    /// ISO 3166-1 alpha-2 code of any country.
    Country,
    /// An orientation point.
    Point,
    /// The id of a record, 32 hex digits.
    Id,
    /// True or false.
    Flag,
    /// A JSON object of an event; its own type checks it.
    Event,
}

/// Who may write a field, or create a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Somebody of this role whose audience holds the record.
    Role(Role),
    /// The origin counsellor of the mission that holds the case.
    Holder,
    /// The origin counsellor of a mission that the case is opened to, holder or not.
    OpenedMission,
    /// The migrant, on the own case.
    Own,
}

/// One field of a kind.
#[derive(Debug, Clone, Copy)]
pub struct FieldRule {
    /// Its name: the key in the document, and on the command line.
    pub name: &'static str,
    /// Its layout.
    pub shape: Shape,
    /// The type of one value.
    pub value: ValueType,
    /// What names one item: the member itself in a set, a session or language in [`Shape::PerItem`], the event's id.
    /// `None` in shapes without items.
    pub item: Option<ValueType>,
    /// The code that shows wherever it is among concurrent values ("cancelled beats edited"). `None`: the latest shows.
    pub prevails: Option<&'static str>,
    /// Who writes it.
    pub writers: &'static [Writer],
}

impl FieldRule {
    const fn new(
        name: &'static str,
        shape: Shape,
        value: ValueType,
        item: Option<ValueType>,
        writers: &'static [Writer],
    ) -> Self {
        Self { name, shape, value, item, prevails: None, writers }
    }

    /// A field of [`Shape::One`].
    #[must_use]
    pub const fn one(name: &'static str, value: ValueType, writers: &'static [Writer]) -> Self {
        Self::new(name, Shape::One, value, None, writers)
    }

    /// A field of [`Shape::Set`].
    #[must_use]
    pub const fn set(name: &'static str, member: ValueType, writers: &'static [Writer]) -> Self {
        Self::new(name, Shape::Set, member, Some(member), writers)
    }

    /// A field of [`Shape::PerItem`].
    #[must_use]
    pub const fn per_item(name: &'static str, item: ValueType, value: ValueType, writers: &'static [Writer]) -> Self {
        Self::new(name, Shape::PerItem, value, Some(item), writers)
    }

    /// A field of [`Shape::Events`].
    #[must_use]
    pub const fn events(name: &'static str, writers: &'static [Writer]) -> Self {
        Self::new(name, Shape::Events, ValueType::Event, Some(ValueType::Id), writers)
    }

    /// A field of [`Shape::Versions`].
    #[must_use]
    pub const fn versions(name: &'static str, writers: &'static [Writer]) -> Self {
        Self::new(name, Shape::Versions, ValueType::Event, Some(ValueType::Id), writers)
    }

    /// A field of [`Shape::Text`] of at most `max` characters.
    #[must_use]
    pub const fn text(name: &'static str, max: usize, writers: &'static [Writer]) -> Self {
        Self::new(name, Shape::Text, ValueType::Prose { max }, None, writers)
    }

    /// The same field, with a code that shows wherever it is among concurrent values.
    #[must_use]
    pub const fn prevailing(mut self, code: &'static str) -> Self {
        self.prevails = Some(code);
        self
    }

    /// The document's key of this field, or of one item of it.
    #[must_use]
    pub fn key(&self, item: Option<&str>) -> String {
        match item {
            Some(item) => format!("{}/{item}", self.name),
            None => self.name.to_owned(),
        }
    }

    /// Whether the field is made of several keys, one per item.
    #[must_use]
    pub fn has_items(&self) -> bool {
        self.item.is_some()
    }
}
