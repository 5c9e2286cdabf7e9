//! Passing over a change of which nobody asked what it writes: its columns are read as far as those after it need that, and
//! everything that could be wrong with it is looked at, but no key, value or operation is made.

use foras_wire::limits::CHANGE_PREDS_MAX;

use super::columns::{Column, Reader};
use super::ops::{self, Cursor, Of, code, pred};
use super::outline::Outline;
use super::told::Told;
use super::{PackedError, fields, keys};
use crate::change::OpId;

/// A change that was passed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Skimmed {
    pub(super) op_count: u64,
    /// Whether it writes nothing but values at fields.
    pub(super) is_plain: bool,
    /// At least as many bytes as reading it would make, the way the receiver counts them.
    pub(super) bytes: usize,
}

/// As [`ops::read`], without the operations. What is counted here is never less than what that counts: whatever passes here is
/// read there.
pub(super) fn skim(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: Of,
    left: &mut usize,
) -> Result<Skimmed, PackedError> {
    let mut outline = Outline::read(told, columns)?;
    let mut skimmed = Skimmed { op_count: outline.count, is_plain: true, bytes: 0 };
    let (mut cursor, mut preds): (Option<Cursor>, usize) = (None, 0);
    for at in 0..outline.count {
        *left = left.checked_sub(1).ok_or(PackedError::TooLarge)?;
        let (number, code) = outline.next(columns, at)?;
        let counter = of.start_op.checked_add(at).ok_or(PackedError::Malformed)?;
        let named = if code <= code::FIELD_DELETE {
            cursor = None;
            let (bytes, named) = skim_field(told, columns, of, (number, code))?;
            skimmed.bytes = skimmed.bytes.saturating_add(bytes);
            named
        } else {
            let id = OpId { counter, actor: of.author };
            let (op, now) = ops::read_text(told, columns, of, cursor, (id, code))?;
            // A character takes four bytes at most.
            skimmed.bytes = skimmed.bytes.saturating_add(4);
            skimmed.is_plain = false;
            cursor = Some(now);
            op.preds.len()
        };
        skimmed.bytes = skimmed.bytes.saturating_add(named);
        preds = preds.saturating_add(named);
        if preds > CHANGE_PREDS_MAX {
            return Err(PackedError::TooLarge);
        }
    }
    outline.finish(told);
    Ok(skimmed)
}

/// Passes over an operation at a field; gives how many bytes it makes, and how many operations it may replace.
fn skim_field(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: Of,
    (number, code): (u64, u8),
) -> Result<(usize, usize), PackedError> {
    let (mut bytes, follows) = keys::skim_key(told, columns, of.key(), number)?;
    if follows && !matches!(code, fields::value::TEXT | fields::value::ID | fields::value::CASE) {
        return Err(PackedError::Malformed);
    }
    if code != code::FIELD_DELETE {
        bytes += fields::skim_value(told, columns, (of.kind, number), of.case(told), code)?;
    }
    let named = match columns.unsigned(Column::Preds)? {
        pred::LIKELY => ops::LIKELY_PREDS_MAX,
        code => {
            let count = usize::try_from(code - pred::NONE).map_err(|_| PackedError::TooLarge)?;
            if count > CHANGE_PREDS_MAX {
                return Err(PackedError::TooLarge);
            }
            for _ in 0..count {
                ops::read_op(told, columns, of, (Column::PredActor, Column::PredCounter))?;
            }
            count
        }
    };
    Ok((bytes, named))
}
