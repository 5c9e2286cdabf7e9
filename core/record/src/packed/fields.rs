//! Values, field by field, and fields by their number in the kind.

use foras_wire::id::RecordId;

use super::PackedError;
use super::columns::{FieldStream, Reader, Writer};
use super::told::{Listed, Told};
use crate::change::ParsedScalar;
use crate::field::{FieldRule, ValueType};
use crate::kind::Kind;

/// A key that is no field's of the kind. Above: the field's number, from 1.
pub(super) const OTHER: u64 = 0;

/// Codes of values, as an operation's code holds them.
pub(super) mod value {
    pub(in crate::packed) const NULL: u8 = 0;
    pub(in crate::packed) const FALSE: u8 = 1;
    pub(in crate::packed) const TRUE: u8 = 2;
    pub(in crate::packed) const INT: u8 = 3;
    pub(in crate::packed) const TEXT: u8 = 4;
    /// 32 hex digits.
    pub(in crate::packed) const ID: u8 = 5;
    /// The id of the record's case.
    pub(in crate::packed) const CASE: u8 = 6;
}

/// The 16 bytes that `text` shows as lowercase hex.
pub(super) fn id_of(text: &str) -> Option<RecordId> {
    text.parse().ok()
}

/// Whether a value of this library: others travel in their chunk.
pub(super) fn is_ours(scalar: &ParsedScalar) -> bool {
    match scalar {
        ParsedScalar::Null | ParsedScalar::Bool(_) | ParsedScalar::Int(_) => true,
        ParsedScalar::Str(text) => !text.contains('\0'),
        _ => false,
    }
}

/// The code of a value of a record of `case`.
pub(super) fn code_of(case: Option<RecordId>, scalar: &ParsedScalar) -> u8 {
    match scalar {
        ParsedScalar::Bool(true) => value::TRUE,
        ParsedScalar::Bool(false) => value::FALSE,
        ParsedScalar::Int(_) => value::INT,
        ParsedScalar::Str(text) => match id_of(text) {
            Some(id) if Some(id) == case => value::CASE,
            Some(_) => value::ID,
            None => value::TEXT,
        },
        _ => value::NULL,
    }
}

/// The values of a field of few values, in the order in which they were first told.
pub(super) type Texts = Listed<String>;

/// Longer values, which no code is, are told each time: naming one must not cost much more than it takes.
const LISTED_BYTES_MAX: usize = 64;
/// In place of a value's place: a new one follows.
const NEW_TEXT: u64 = 0;

pub(super) fn rule(kind: Kind, number: u64) -> Option<&'static FieldRule> {
    kind.rule().fields.get(usize::try_from(number.checked_sub(1)?).ok()?)
}

/// Whether the field has few values, so that each is told once.
fn has_few(kind: Kind, number: u64) -> bool {
    let few = |rule: &FieldRule| matches!(rule.value, ValueType::Code(_) | ValueType::Language | ValueType::Country);
    rule(kind, number).is_some_and(few)
}

/// What numbers of the field are counted from.
fn smallest(kind: Kind, number: u64) -> i64 {
    match rule(kind, number).map(|rule| rule.value) {
        Some(ValueType::Int { min, .. }) => min,
        _ => 0,
    }
}

/// Writes a value of this code into a field of this number.
pub(super) fn write_value(
    told: &mut Told<'_>,
    out: &mut Writer,
    (kind, number): (Kind, u64),
    code: u8,
    scalar: &ParsedScalar,
) {
    let field = stream(kind, number);
    match scalar {
        ParsedScalar::Int(value) => {
            out.field_unsigned(field, value.wrapping_sub(smallest(kind, number)).cast_unsigned());
        }
        ParsedScalar::Str(text) if code == value::ID => {
            id_of(text).into_iter().for_each(|id| out.field_bytes(field, id.as_bytes()));
        }
        ParsedScalar::Str(text) if code == value::TEXT => {
            if has_few(kind, number) {
                let texts = told.texts.entry(field).or_default();
                if let Some(place) = texts.place(text.as_str()) {
                    return out.field_unsigned(field, place as u64 + 1);
                }
                if text.len() <= LISTED_BYTES_MAX {
                    texts.add(text.clone());
                }
                out.field_unsigned(field, NEW_TEXT);
            }
            out.field_bytes(field, text.as_bytes());
            out.field_bytes(field, &[0]);
        }
        _ => {}
    }
}

pub(super) fn read_value(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    (kind, number): (Kind, u64),
    case: Option<RecordId>,
    code: u8,
) -> Result<ParsedScalar, PackedError> {
    let field = stream(kind, number);
    Ok(match code {
        value::NULL => ParsedScalar::Null,
        value::FALSE => ParsedScalar::Bool(false),
        value::TRUE => ParsedScalar::Bool(true),
        value::INT => {
            let above = columns.field_unsigned(field)?.cast_signed();
            ParsedScalar::Int(above.wrapping_add(smallest(kind, number)))
        }
        value::TEXT if has_few(kind, number) => ParsedScalar::Str(read_listed(told, columns, field)?),
        value::TEXT => ParsedScalar::Str(text(columns.field_until_nul(field)?)?),
        value::ID => {
            let id = columns.field_take(field, RecordId::LEN)?;
            ParsedScalar::Str(RecordId::from_slice(id).map_err(|_| PackedError::Malformed)?.to_string())
        }
        value::CASE => ParsedScalar::Str(case.ok_or(PackedError::Malformed)?.to_string()),
        _ => return Err(PackedError::Malformed),
    })
}

fn read_listed(told: &mut Told<'_>, columns: &mut Reader<'_>, field: FieldStream) -> Result<String, PackedError> {
    let texts = told.texts.entry(field).or_default();
    match columns.field_unsigned(field)? {
        NEW_TEXT => {
            let new = text(columns.field_until_nul(field)?)?;
            if new.len() <= LISTED_BYTES_MAX {
                texts.list(new.clone());
            }
            Ok(new)
        }
        place => {
            let place = usize::try_from(place - 1).map_err(|_| PackedError::Malformed)?;
            texts.get(place).cloned().ok_or(PackedError::Malformed)
        }
    }
}

pub(super) fn text(bytes: &[u8]) -> Result<String, PackedError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| PackedError::Malformed)
}

/// Passes over a value; gives how many bytes [`read_value`] would make of it.
pub(super) fn skim_value(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    (kind, number): (Kind, u64),
    case: Option<RecordId>,
    code: u8,
) -> Result<usize, PackedError> {
    let field = stream(kind, number);
    let whole = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.len()),
        Err(_) => Err(PackedError::Malformed),
    };
    match code {
        value::NULL | value::FALSE | value::TRUE => Ok(0),
        value::INT => columns.field_unsigned(field).map(|_| 0),
        value::TEXT if has_few(kind, number) => match columns.field_unsigned(field)? {
            NEW_TEXT => {
                let new = columns.field_until_nul(field)?;
                if new.len() <= LISTED_BYTES_MAX {
                    told.texts.entry(field).or_default().list(text(new)?);
                }
                whole(new)
            }
            place => {
                let place = usize::try_from(place - 1).map_err(|_| PackedError::Malformed)?;
                let listed = told.texts.get(&field).and_then(|texts| texts.get(place));
                listed.map(String::len).ok_or(PackedError::Malformed)
            }
        },
        value::TEXT => whole(columns.field_until_nul(field)?),
        value::ID => columns.field_take(field, RecordId::LEN).map(|_| 2 * RecordId::LEN),
        value::CASE => case.map(|_| 2 * RecordId::LEN).ok_or(PackedError::Malformed),
        _ => Err(PackedError::Malformed),
    }
}

/// Where the values of a field stand; `number` as [`field_of`] gives it.
pub(super) fn stream(kind: Kind, number: u64) -> FieldStream {
    (kind.code().0, u16::try_from(number).unwrap_or(u16::MAX))
}

/// The number, from 1, of the field that a key belongs to, and the key's item; [`OTHER`] for a key of no field.
pub(super) fn field_of(kind: Kind, key: &str) -> (u64, Option<&str>) {
    let (name, item) = match key.split_once('/') {
        Some((name, item)) => (name, Some(item)),
        None => (key, None),
    };
    let mut fields = kind.rule().fields.iter();
    let at = fields.position(|field| field.name == name && field.has_items() == item.is_some());
    at.map_or((OTHER, None), |at| (at as u64 + 1, item))
}
