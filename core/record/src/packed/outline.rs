//! What a change does, in outline: so many operations, of each the field's number and what it does there.

use foras_wire::limits::CHANGE_OPS_MAX;

use super::PackedError;
use super::columns::{Column, Reader};
use super::ops::{SHAPE_OPS_MAX, Shape, code};
use super::told::Told;

/// What a change does, as it is read: a shape that was told before, or one that is spelt.
pub(super) struct Outline {
    /// How many operations there are.
    pub(super) count: u64,
    known: Option<Shape>,
    /// One that is spelt, to be told by its place from then on; longer ones, and those that edit texts, are not.
    spelt: Option<Vec<(u64, u8)>>,
}

impl Outline {
    pub(super) fn read(told: &Told<'_>, columns: &mut Reader<'_>) -> Result<Self, PackedError> {
        let known = match columns.unsigned(Column::Shape)? {
            0 => None,
            place => {
                let place = usize::try_from(place - 1).map_err(|_| PackedError::Malformed)?;
                Some(told.shapes.get(place).cloned().ok_or(PackedError::Malformed)?)
            }
        };
        let count = known.as_ref().map_or_else(|| columns.unsigned(Column::OpCount), |shape| Ok(shape.len() as u64))?;
        if count > CHANGE_OPS_MAX {
            return Err(PackedError::TooLarge);
        }
        let spelt = (known.is_none() && count <= SHAPE_OPS_MAX as u64).then(Vec::new);
        Ok(Self { count, known, spelt })
    }

    /// The field's number, and what the next operation does there.
    pub(super) fn next(&mut self, columns: &mut Reader<'_>, at: u64) -> Result<(u64, u8), PackedError> {
        let known = self.known.as_ref().and_then(|shape| shape.get(usize::try_from(at).ok()?).copied());
        let (number, code) = match known {
            Some(known) => known,
            None => read_code(columns)?,
        };
        if code > code::FIELD_DELETE {
            self.spelt = None;
        }
        self.spelt.iter_mut().for_each(|shape| shape.push((number, code)));
        Ok((number, code))
    }

    pub(super) fn finish(self, told: &mut Told<'_>) {
        self.spelt.into_iter().for_each(|shape| told.shapes.list(shape.into()));
    }
}

/// What an operation does, and the field's number where it is one at a field of the root.
fn read_code(columns: &mut Reader<'_>) -> Result<(u64, u8), PackedError> {
    let [code] = columns.array(Column::Op)?;
    Ok((if code <= code::FIELD_DELETE { columns.unsigned(Column::Key)? } else { 0 }, code))
}
