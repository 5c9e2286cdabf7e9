//! Why a write is not let in.

use crate::admission::Refusal;

/// A write that access refuses. No message repeats a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The kind has no such field, or the key names no item of it.
    #[error("the record has no such field")]
    UnknownField,
    /// The author may not write the field.
    #[error("the field {0} is not yours to write")]
    FieldNotAllowed(&'static str),
    /// The author may not create records of this kind here.
    #[error("records of this kind are not yours to create here")]
    CreationNotAllowed,
    /// The author would move the record to, or from, where the author does not work.
    #[error("the record belongs to another place")]
    OtherPlace,
    /// An event, version or ruling is written once.
    #[error("what was recorded in {0} is never overwritten")]
    Overwritten(&'static str),
    /// Keys are never deleted: clearing writes null.
    #[error("nothing is deleted; clearing writes null")]
    DeleteNotAllowed,
    /// An object inside the record, other than a text that its genesis made.
    #[error("a record holds no objects but its texts")]
    NestedObject,
    /// An operation that no edit makes.
    #[error("an operation that no edit makes")]
    UnknownOperation,
    /// A scalar that the field cannot hold.
    #[error("the field {0} cannot hold this value")]
    InvalidValue(&'static str),
    /// A text that is no event of its family, or no ruling.
    #[error("not an event of {0}")]
    InvalidEvent(&'static str),
    /// A change without operations.
    #[error("the change changes nothing")]
    Empty,
}

impl AccessError {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownField => "unknown_field",
            Self::FieldNotAllowed(_) | Self::CreationNotAllowed | Self::OtherPlace => "not_allowed",
            Self::Overwritten(_) => "event_overwritten",
            Self::DeleteNotAllowed => "delete_not_allowed",
            Self::NestedObject => "nested_object",
            Self::UnknownOperation => "unknown_operation",
            Self::InvalidValue(_) => "invalid_value",
            Self::InvalidEvent(_) => "invalid_event",
            Self::Empty => "empty_change",
        }
    }

    /// Whether the author's rights are what is missing, rather than the change's form.
    #[must_use]
    pub fn is_denial(self) -> bool {
        matches!(self, Self::FieldNotAllowed(_) | Self::CreationNotAllowed | Self::OtherPlace)
    }

    /// The field that it is about, where there is one.
    #[must_use]
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::FieldNotAllowed(field)
            | Self::Overwritten(field)
            | Self::InvalidValue(field)
            | Self::InvalidEvent(field) => Some(field),
            _ => None,
        }
    }
}

impl From<AccessError> for Refusal {
    fn from(error: AccessError) -> Self {
        Self::new(error.code())
    }
}
