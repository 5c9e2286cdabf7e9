//! Keys of fields by their number in the kind, the members that stand behind them, and values, field by field.

use foras_wire::id::{Actor, RecordId};
use foras_wire::record::RecordKey;

use super::PackedError;
use super::columns::{Column, FieldStream, Reader, Writer};
use super::told::Told;
use crate::change::ParsedScalar;
use crate::field::Shape;
use crate::identity;
use crate::kind::Kind;

/// A key that is no field's of the kind. Above: the field's number, from 1.
const OTHER: u64 = 0;

/// How a member is told. From [`member::LISTED`] on: twice its place in the list of members, or, odd, twice how far back
/// it stands among those of its record.
mod member {
    pub(super) const TEXT: u64 = 0;
    /// 32 hex digits.
    pub(super) const ID: u64 = 1;
    /// The session that has this name.
    pub(super) const SESSION: u64 = 2;
    /// It follows from who says what: [`crate::identity::statement`].
    pub(super) const STATEMENT: u64 = 3;
    pub(super) const LISTED: u64 = 4;
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
    /// The id of the record's case.
    pub(in crate::packed) const CASE: u8 = 6;
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

/// Writes a value of a record of `case`; returns its code.
pub(super) fn write_value(out: &mut Writer, field: FieldStream, case: Option<RecordId>, scalar: &ParsedScalar) -> u8 {
    match scalar {
        ParsedScalar::Bool(true) => value::TRUE,
        ParsedScalar::Bool(false) => value::FALSE,
        ParsedScalar::Int(number) => {
            out.field_signed(field, *number);
            value::INT
        }
        ParsedScalar::Str(text) => {
            if let Some(id) = id_of(text) {
                if Some(id) == case {
                    return value::CASE;
                }
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

pub(super) fn read_value(
    columns: &mut Reader<'_>,
    field: FieldStream,
    case: Option<RecordId>,
    code: u8,
) -> Result<ParsedScalar, PackedError> {
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
        value::CASE => ParsedScalar::Str(case.ok_or(PackedError::Malformed)?.to_string()),
        _ => return Err(PackedError::Malformed),
    })
}

fn text(bytes: &[u8]) -> Result<String, PackedError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| PackedError::Malformed)
}

/// Where the values of a field stand; `number` as [`field_of`] gives it.
pub(super) fn stream(kind: Kind, number: u64) -> FieldStream {
    (kind.code().0, u16::try_from(number).unwrap_or(u16::MAX))
}

/// The key of an operation, as it is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyOf<'k> {
    /// The record's place in the list.
    pub(super) place: usize,
    pub(super) kind: Kind,
    pub(super) author: &'k Actor,
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

/// Writes a key of the root, of the field that [`field_of`] says. `value` is the text that the operation puts there.
pub(super) fn write_key(
    told: &mut Told<'_>,
    out: &mut Writer,
    of: KeyOf<'_>,
    key: &str,
    (number, item): (u64, Option<&str>),
    value: Option<&str>,
) {
    out.unsigned(Column::Key, number);
    if number == OTHER {
        out.bytes(Column::KeyText, key.as_bytes());
        out.bytes(Column::KeyText, &[0]);
    }
    let Some(item) = item else { return };
    let Some(id) = id_of(item) else { return write_name(told, out, stream(of.kind, number), item) };
    if let Some(back) = told.back_to_member(of.place, item) {
        return out.unsigned(Column::Member, member::LISTED + 1 + 2 * back as u64);
    }
    if statement(told, of, number, value).is_some_and(|derived| derived == id) {
        out.unsigned(Column::Member, member::STATEMENT);
        return told.add_own_member(of.place, item);
    }
    match (told.place_of_member(item), told.held.name_bytes(&session(id))) {
        (Some(place), _) => out.unsigned(Column::Member, member::LISTED + 2 * place as u64),
        (None, Some(len)) => {
            out.unsigned(Column::Member, member::SESSION);
            out.name(id.as_bytes(), len);
            told.add_member(item);
        }
        (None, None) => {
            out.unsigned(Column::Member, member::ID);
            out.bytes(Column::MemberId, id.as_bytes());
            told.add_member(item);
        }
    }
    told.add_own_member(of.place, item);
}

/// A member that is no id: a language, a name. It stands with the field's values.
fn write_name(told: &mut Told<'_>, out: &mut Writer, field: FieldStream, item: &str) {
    if let Some(place) = told.place_of_member(item) {
        return out.unsigned(Column::Member, member::LISTED + 2 * place as u64);
    }
    out.unsigned(Column::Member, member::TEXT);
    out.field_bytes(field, item.as_bytes());
    out.field_bytes(field, &[0]);
    told.add_member(item);
}

/// The id that the item has where it is a statement of the author.
fn statement(told: &Told<'_>, of: KeyOf<'_>, number: u64, value: Option<&str>) -> Option<RecordId> {
    let at = usize::try_from(number.checked_sub(1)?).ok()?;
    let field = of.kind.rule().fields.get(at).filter(|field| matches!(field.shape, Shape::Events | Shape::Versions))?;
    Some(identity::statement(of.author, &told.key(of.place)?, field.name, value?))
}

fn session(id: RecordId) -> RecordKey {
    RecordKey { kind: Kind::Session.code(), id }
}

/// A key that was read as far as it stands before the value.
#[derive(Debug)]
pub(super) enum KeyRead {
    /// All of it.
    Whole(String),
    /// Its item follows from the value.
    Statement,
}

/// Reads a key and its field's number.
pub(super) fn read_key(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: KeyOf<'_>,
) -> Result<(u64, KeyRead), PackedError> {
    let number = columns.unsigned(Column::Key)?;
    if number == OTHER {
        return Ok((OTHER, KeyRead::Whole(text(columns.until_nul(Column::KeyText)?)?)));
    }
    let at = usize::try_from(number - 1).map_err(|_| PackedError::Malformed)?;
    let field = of.kind.rule().fields.get(at).ok_or(PackedError::Malformed)?;
    if !field.has_items() {
        return Ok((number, KeyRead::Whole(field.key(None))));
    }
    let whole = |item: &str| Ok((number, KeyRead::Whole(field.key(Some(item)))));
    let item = match columns.unsigned(Column::Member)? {
        member::STATEMENT => return Ok((number, KeyRead::Statement)),
        member::TEXT => {
            let item = text(columns.field_until_nul(stream(of.kind, number))?)?;
            told.list_member(&item);
            return whole(&item);
        }
        member::ID => {
            let item = RecordId(columns.array(Column::MemberId)?).to_string();
            told.list_member(&item);
            item
        }
        member::SESSION => {
            let session = told.held.record_named(Kind::Session.code(), columns.name()?).ok_or(PackedError::NotHeld)?;
            let item = session.key.id.to_string();
            told.list_member(&item);
            item
        }
        code => {
            let (place, is_back) = ((code - member::LISTED) / 2, (code - member::LISTED) % 2 == 1);
            let place = usize::try_from(place).map_err(|_| PackedError::Malformed)?;
            let item = if is_back { told.member_back(of.place, place) } else { told.member(place) };
            let item = item.ok_or(PackedError::Malformed)?.to_owned();
            if is_back || id_of(&item).is_none() {
                return whole(&item);
            }
            item
        }
    };
    told.add_own_member(of.place, &item);
    whole(&item)
}

/// The key whose item follows from the value.
pub(super) fn statement_key(
    told: &mut Told<'_>,
    of: KeyOf<'_>,
    number: u64,
    value: Option<&str>,
) -> Result<String, PackedError> {
    let id = statement(told, of, number, value).ok_or(PackedError::Malformed)?.to_string();
    told.add_own_member(of.place, &id);
    let at = usize::try_from(number - 1).map_err(|_| PackedError::Malformed)?;
    let field = of.kind.rule().fields.get(at).ok_or(PackedError::Malformed)?;
    Ok(field.key(Some(&id)))
}
