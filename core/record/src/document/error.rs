//! What can go wrong with a document.

use crate::value::ValueError;

/// A document, change or edit that cannot be taken. No message repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Stored bytes that are no whole document.
    #[error("the stored document cannot be read")]
    Unreadable,
    /// A stored document of another kind of record.
    #[error("the stored document is of another kind")]
    OtherKind,
    /// Bytes that are no change.
    #[error("the bytes are not a change")]
    NotAChange,
    /// A change that the document would not take.
    #[error("the change could not be applied")]
    NotApplied,
    /// A change whose dependencies are not there.
    #[error("a change that this one follows is missing")]
    Missing,
    /// A field that the kind does not have, or a write that its shape does not know.
    #[error("the record has no such field")]
    UnknownField,
    /// One field, or one item of it, named twice in one edit.
    #[error("a field is named twice in one edit")]
    FieldTwice,
    /// A value that the field cannot hold.
    #[error("field {field}: {error}")]
    Value {
        /// The field.
        field: &'static str,
        /// Why.
        error: ValueError,
    },
    /// An event that was written before, with other words.
    #[error("an event is written once")]
    EventExists,
    /// An edit of more operations than a change may have.
    #[error("the edit is too large for one change")]
    TooLarge,
}

impl DocumentError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable => "document_unreadable",
            Self::OtherKind => "document_of_other_kind",
            Self::NotAChange => "not_a_change",
            Self::NotApplied => "change_not_applied",
            Self::Missing => "change_missing",
            Self::UnknownField => "unknown_field",
            Self::FieldTwice => "field_twice",
            Self::Value { error, .. } => error.code(),
            Self::EventExists => "event_exists",
            Self::TooLarge => "edit_too_large",
        }
    }
}
