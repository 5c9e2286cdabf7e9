//! Keys of the root: a field by its number in the kind, and the member that stands behind it.

use foras_wire::id::{Actor, RecordId};
use foras_wire::limits::FIELD_KEY_BYTES_MAX;
use foras_wire::record::RecordKey;

use super::PackedError;
use super::columns::{Column, FieldStream, Reader, Writer};
use super::fields::{OTHER, id_of, rule, stream, text};
use super::told::Told;
use crate::field::Shape;
use crate::identity;
use crate::kind::Kind;

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

/// Places in the list of members that take one byte.
const NEAR_PLACES: usize = 60;

/// The key of an operation, as it is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyOf<'k> {
    /// The record's place in the list.
    pub(super) place: usize,
    pub(super) kind: Kind,
    pub(super) author: &'k Actor,
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
