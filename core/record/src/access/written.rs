//! One write, resolved to the field that it writes.

use crate::field::FieldRule;
use crate::value::Value;

/// A write to a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written<'a> {
    /// The field.
    pub(super) field: &'static FieldRule,
    /// The scalar; none for text and whole sets.
    pub(super) value: Option<&'a Value>,
}
