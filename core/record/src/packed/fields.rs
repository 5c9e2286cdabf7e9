//! Keys of fields by their number in the kind, the members that stand behind them, and values, field by field.

use foras_wire::id::RecordId;
use foras_wire::record::RecordKey;

use super::PackedError;
use super::columns::{Column, FieldStream, Reader, Writer};
use super::told::Told;
use crate::change::ParsedScalar;
use crate::kind::Kind;

/// A key that is no field's of the kind. Above: the field's number, from 1.
const OTHER: u64 = 0;

/// How a member is told. Above: its place in the list of members.
mod member {
    pub(super) const TEXT: u64 = 0;
    /// 32 hex digits.
    pub(super) const ID: u64 = 1;
    /// The session that has this name.
    pub(super) const SESSION: u64 = 2;
    pub(super) const LISTED: u64 = 3;
}

/// Codes of values, as an operation's code holds them.
pub(super) mod value {
    pub(in crate::packed) const NULL: u8 = 0;
    pub(in crate::packed) const FALSE: u8 = 1;
    pub(in crate::packed) const TRUE: u8 = 2;
    pub(in crate::packed) const INT: u8 = 3;
    pub(in crate::packed) const TEXT: u8 = 4;
    /// 32 hex digits.
    pub(in crate::packed) const ID: u8 = 5;
}

/// The 16 bytes that `text` shows as lowercase hex.
fn id_of(text: &str) -> Option<RecordId> {
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

/// Writes a value; returns its code.
pub(super) fn write_value(out: &mut Writer, field: FieldStream, scalar: &ParsedScalar) -> u8 {
    match scalar {
        ParsedScalar::Bool(true) => value::TRUE,
        ParsedScalar::Bool(false) => value::FALSE,
        ParsedScalar::Int(number) => {
            out.field_signed(field, *number);
            value::INT
        }
        ParsedScalar::Str(text) => {
            if let Some(id) = id_of(text) {
                out.field_bytes(field, id.as_bytes());
                return value::ID;
            }
            out.field_bytes(field, text.as_bytes());
            out.field_bytes(field, &[0]);
            value::TEXT
        }
        _ => value::NULL,
    }
}

pub(super) fn read_value(columns: &mut Reader<'_>, field: FieldStream, code: u8) -> Result<ParsedScalar, PackedError> {
    Ok(match code {
        value::NULL => ParsedScalar::Null,
        value::FALSE => ParsedScalar::Bool(false),
        value::TRUE => ParsedScalar::Bool(true),
        value::INT => ParsedScalar::Int(columns.field_signed(field)?),
        value::TEXT => ParsedScalar::Str(text(columns.field_until_nul(field)?)?),
        value::ID => {
            let id = columns.field_take(field, RecordId::LEN)?;
            ParsedScalar::Str(RecordId::from_slice(id).map_err(|_| PackedError::Malformed)?.to_string())
        }
        _ => return Err(PackedError::Malformed),
    })
}

fn text(bytes: &[u8]) -> Result<String, PackedError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| PackedError::Malformed)
}

/// Where the values of a field stand; `number` as [`write_key`] returns it.
pub(super) fn stream(kind: Kind, number: u64) -> FieldStream {
    (kind.code().0, u16::try_from(number).unwrap_or(u16::MAX))
}

/// Writes a key of the root; returns its field's number.
pub(super) fn write_key(told: &mut Told<'_>, out: &mut Writer, kind: Kind, key: &str) -> u64 {
    let (name, item) = match key.split_once('/') {
        Some((name, item)) => (name, Some(item)),
        None => (key, None),
    };
    let fields = kind.rule().fields;
    let at = fields.iter().position(|field| field.name == name && field.has_items() == item.is_some());
    let Some(at) = at else {
        out.unsigned(Column::Key, OTHER);
        out.bytes(Column::KeyText, key.as_bytes());
        out.bytes(Column::KeyText, &[0]);
        return OTHER;
    };
    out.unsigned(Column::Key, at as u64 + 1);
    if let Some(item) = item {
        write_member(told, out, item);
    }
    at as u64 + 1
}

fn write_member(told: &mut Told<'_>, out: &mut Writer, item: &str) {
    if let Some(place) = told.place_of_member(item) {
        return out.unsigned(Column::Member, member::LISTED + place as u64);
    }
    match id_of(item) {
        Some(id) => match told.held.name_bytes(&session(id)) {
            Some(len) => {
                out.unsigned(Column::Member, member::SESSION);
                out.name(id.as_bytes(), len);
            }
            None => {
                out.unsigned(Column::Member, member::ID);
                out.bytes(Column::MemberId, id.as_bytes());
            }
        },
        None => {
            out.unsigned(Column::Member, member::TEXT);
            out.bytes(Column::MemberText, item.as_bytes());
            out.bytes(Column::MemberText, &[0]);
        }
    }
    told.add_member(item);
}

fn session(id: RecordId) -> RecordKey {
    RecordKey { kind: Kind::Session.code(), id }
}

/// Reads a key and its field's number.
pub(super) fn read_key(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    kind: Kind,
) -> Result<(u64, String), PackedError> {
    let number = columns.unsigned(Column::Key)?;
    if number == OTHER {
        return Ok((OTHER, text(columns.until_nul(Column::KeyText)?)?));
    }
    let at = usize::try_from(number - 1).map_err(|_| PackedError::Malformed)?;
    let field = kind.rule().fields.get(at).ok_or(PackedError::Malformed)?;
    if !field.has_items() {
        return Ok((number, field.key(None)));
    }
    let key = |item: &str| field.key(Some(item));
    let item = match columns.unsigned(Column::Member)? {
        member::TEXT => text(columns.until_nul(Column::MemberText)?)?,
        member::ID => RecordId(columns.array(Column::MemberId)?).to_string(),
        member::SESSION => {
            let session = told.held.record_named(Kind::Session.code(), columns.name()?).ok_or(PackedError::NotHeld)?;
            session.key.id.to_string()
        }
        code => {
            let place = usize::try_from(code - member::LISTED).map_err(|_| PackedError::Malformed)?;
            return Ok((number, key(told.member(place).ok_or(PackedError::Malformed)?)));
        }
    };
    told.add_member(&item);
    Ok((number, key(&item)))
}
