//! Keys of fields by their number in the kind, the members that stand behind them, and values, field by field.

use foras_wire::id::{Actor, RecordId};
use foras_wire::limits::FIELD_KEY_BYTES_MAX;
use foras_wire::record::RecordKey;

use super::PackedError;
use super::columns::{Column, FieldStream, Reader, Writer};
use super::told::{Listed, Told};
use crate::change::ParsedScalar;
use crate::field::{FieldRule, Shape, ValueType};
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

/// Places in the list of members that take one byte.
const NEAR_PLACES: usize = 60;

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

fn rule(kind: Kind, number: u64) -> Option<&'static FieldRule> {
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

fn text(bytes: &[u8]) -> Result<String, PackedError> {
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

/// Passes over a key; gives how many bytes [`read_key`] would make of it, and whether its item follows from the value.
pub(super) fn skim_key(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: KeyOf<'_>,
    number: u64,
) -> Result<(usize, bool), PackedError> {
    if number == OTHER {
        return Ok((text(columns.until_nul(Column::KeyText)?)?.len(), false));
    }
    let field = rule(of.kind, number).ok_or(PackedError::Malformed)?;
    if !field.has_items() {
        return Ok((field.name.len(), false));
    }
    let before = field.name.len() + 1;
    match read_member(told, columns, of, number)? {
        MemberRead::Listed(listed) => {
            let member = told.member(listed).ok_or(PackedError::Malformed)?.len();
            told.note_member(of.place, listed);
            Ok((before + member, false))
        }
        MemberRead::Back(back) => {
            let member = told.member_back_bytes(of.place, back).ok_or(PackedError::Malformed)?;
            Ok((before + member, false))
        }
        MemberRead::Statement => {
            // No key of the record is read: which id it has does not matter.
            if !matches!(field.shape, Shape::Events | Shape::Versions) {
                return Err(PackedError::Malformed);
            }
            told.note_statement(of.place, RecordId([0; RecordId::LEN]));
            Ok((before + 2 * RecordId::LEN, true))
        }
    }
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
    if number == OTHER {
        out.bytes(Column::KeyText, key.as_bytes());
        out.bytes(Column::KeyText, &[0]);
    }
    let Some(item) = item else { return };
    let Some(id) = id_of(item) else { return write_name(told, out, of, stream(of.kind, number), item) };
    if let Some(back) = told.back_to_member(of.place, item) {
        return out.unsigned(Column::Member, member::LISTED + 1 + 2 * back as u64);
    }
    if statement(told, of, number, value).is_some_and(|derived| derived == id) {
        out.unsigned(Column::Member, member::STATEMENT);
        return told.note_statement(of.place, id);
    }
    let listed = match (told.place_of_member(item), told.held.name_bytes(&session(id))) {
        (Some(place), _) => {
            out.unsigned(Column::Member, member::LISTED + 2 * place as u64);
            place
        }
        (None, Some(len)) => {
            out.unsigned(Column::Member, member::SESSION);
            out.name(id.as_bytes(), len);
            told.add_member(item)
        }
        (None, None) => {
            out.unsigned(Column::Member, member::ID);
            out.bytes(Column::MemberId, id.as_bytes());
            told.add_member(item)
        }
    };
    told.note_member(of.place, listed);
}

/// A member that is no id: a language, a name. Of the first ones of the list the place is told, of others how far back they
/// stand in their record. A new one stands with the field's values.
fn write_name(told: &mut Told<'_>, out: &mut Writer, of: KeyOf<'_>, field: FieldStream, item: &str) {
    let listed = told.place_of_member(item);
    let is_near = listed.is_some_and(|place| place < NEAR_PLACES);
    if let Some(back) = told.back_to_member(of.place, item).filter(|_| !is_near) {
        return out.unsigned(Column::Member, member::LISTED + 1 + 2 * back as u64);
    }
    let listed = if let Some(place) = listed {
        out.unsigned(Column::Member, member::LISTED + 2 * place as u64);
        place
    } else {
        out.unsigned(Column::Member, member::TEXT);
        out.field_bytes(field, item.as_bytes());
        out.field_bytes(field, &[0]);
        told.add_member(item)
    };
    told.note_member(of.place, listed);
}

/// The id that the item has where it is a statement of the author.
fn statement(told: &Told<'_>, of: KeyOf<'_>, number: u64, value: Option<&str>) -> Option<RecordId> {
    let field = rule(of.kind, number).filter(|field| matches!(field.shape, Shape::Events | Shape::Versions))?;
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

/// Reads a key of the field of this number.
pub(super) fn read_key(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: KeyOf<'_>,
    number: u64,
) -> Result<KeyRead, PackedError> {
    if number == OTHER {
        return Ok(KeyRead::Whole(text(columns.until_nul(Column::KeyText)?)?));
    }
    let field = rule(of.kind, number).ok_or(PackedError::Malformed)?;
    if !field.has_items() {
        return Ok(KeyRead::Whole(field.key(None)));
    }
    let whole = |item: &str| Ok(KeyRead::Whole(field.key(Some(item))));
    match read_member(told, columns, of, number)? {
        MemberRead::Statement => Ok(KeyRead::Statement),
        MemberRead::Back(back) => whole(&told.member_back(of.place, back).ok_or(PackedError::Malformed)?),
        MemberRead::Listed(listed) => {
            told.note_member(of.place, listed);
            whole(told.member(listed).ok_or(PackedError::Malformed)?)
        }
    }
}

/// How an item is told.
enum MemberRead {
    /// By its place in the list of members.
    Listed(usize),
    /// By how far back it stands among those of its record.
    Back(usize),
    /// It follows from the value.
    Statement,
}

fn read_member(
    told: &mut Told<'_>,
    columns: &mut Reader<'_>,
    of: KeyOf<'_>,
    number: u64,
) -> Result<MemberRead, PackedError> {
    Ok(match columns.unsigned(Column::Member)? {
        member::STATEMENT => MemberRead::Statement,
        member::TEXT => {
            let item = columns.field_until_nul(stream(of.kind, number))?;
            // A longer one stands in no change, and would stand in memory as often as it is named.
            if item.len() > FIELD_KEY_BYTES_MAX {
                return Err(PackedError::TooLarge);
            }
            MemberRead::Listed(told.list_member(&text(item)?))
        }
        member::ID => {
            let id = RecordId(columns.array(Column::MemberId)?).to_string();
            MemberRead::Listed(told.list_member(&id))
        }
        member::SESSION => {
            let session = told.held.record_named(Kind::Session.code(), columns.name()?).ok_or(PackedError::NotHeld)?;
            MemberRead::Listed(told.list_member(&session.key.id.to_string()))
        }
        code => {
            let (place, is_back) = ((code - member::LISTED) / 2, (code - member::LISTED) % 2 == 1);
            let place = usize::try_from(place).map_err(|_| PackedError::Malformed)?;
            if is_back { MemberRead::Back(place) } else { MemberRead::Listed(place) }
        }
    })
}

/// The key whose item follows from the value.
pub(super) fn statement_key(
    told: &mut Told<'_>,
    of: KeyOf<'_>,
    number: u64,
    value: Option<&str>,
) -> Result<String, PackedError> {
    let id = statement(told, of, number, value).ok_or(PackedError::Malformed)?;
    told.note_statement(of.place, id);
    Ok(rule(of.kind, number).ok_or(PackedError::Malformed)?.key(Some(&id.to_string())))
}
