//! Which record an item is of: one of the list, one that the receiver holds, or a new one told in full.

use std::collections::BTreeMap;

use foras_wire::id::RecordId;
use foras_wire::record::{KindCode, RecordKey, RecordRef};

use super::PackedError;
use super::columns::{Column, Reader, Writer};
use super::told::Told;
use crate::identity;
use crate::kind::{Identity, Kind};

/// The record of the item before.
const SAME: u64 = 0;
/// The next new record. Above: how far back in the list of records, from 1.
const NEW: u64 = 1;

/// Added to twice the code of a record's kind where the record is named by the first bytes of its id.
const NAMED: u64 = 1;

/// How a new record's id is told.
mod id_form {
    pub(super) const LITERAL: u64 = 0;
    pub(super) const CASE: u64 = 1;
    pub(super) const OF_CASE: u64 = 2;
    pub(super) const PERSON_OF_CASE: u64 = 3;
    pub(super) const BADGE_OF_PERSON: u64 = 4;
    pub(super) const COUNT: u64 = 5;
}

/// How a new record's case is told.
mod case_form {
    pub(super) const NONE: u64 = 0;
    pub(super) const SAME: u64 = 1;
    pub(super) const LITERAL: u64 = 2;
    /// The id of the person follows, whose case it is: a later record of the list is that person.
    pub(super) const OF_PERSON: u64 = 3;
    /// The case that has this name.
    pub(super) const NAMED: u64 = 4;
    pub(super) const COUNT: u64 = 5;
}

/// Persons among the records of a list, by their case.
pub(super) fn persons<'r>(records: impl Iterator<Item = &'r RecordRef>) -> BTreeMap<RecordId, RecordId> {
    let of_case = |record: &RecordRef| {
        let case = record.case?;
        let is_person = record.key.kind == Kind::Person.code();
        (is_person && identity::case_of_person(&record.key.id) == case).then_some((case, record.key.id))
    };
    records.filter_map(of_case).collect()
}

/// Writes which record; returns its place in the list of records.
pub(super) fn write(
    told: &mut Told<'_>,
    out: &mut Writer,
    record: &RecordRef,
    persons: &BTreeMap<RecordId, RecordId>,
) -> usize {
    if let Some(place) = told.place_of(record) {
        let back = told.records() - place;
        let code = if place == told.place { SAME } else { NEW + back as u64 };
        out.unsigned(Column::Record, code);
        return place;
    }
    out.unsigned(Column::Record, NEW);
    let kind = u64::from(record.key.kind.0) << 1;
    if let Some(len) = told.held.name_bytes(&record.key) {
        out.unsigned(Column::RecordKind, kind | NAMED);
        out.name(record.key.id.as_bytes(), len);
        return told.add_record(*record);
    }
    out.unsigned(Column::RecordKind, kind);
    out.unsigned(Column::Generation, u64::from(record.generation));
    let case = write_case(told, out, record, persons);
    let id = write_id(told, out, record);
    out.unsigned(Column::RecordForm, case * id_form::COUNT + id);
    told.case = record.case.or(told.case);
    told.add_record(*record)
}

fn write_case(
    told: &mut Told<'_>,
    out: &mut Writer,
    record: &RecordRef,
    persons: &BTreeMap<RecordId, RecordId>,
) -> u64 {
    let Some(case) = record.case else { return case_form::NONE };
    if told.case == Some(case) {
        return case_form::SAME;
    }
    if let Some(person) = persons.get(&case)
        && told.persons.insert(case, *person).is_none()
    {
        out.bytes(Column::Id, person.as_bytes());
        return case_form::OF_PERSON;
    }
    let key = RecordKey { kind: Kind::Case.code(), id: case };
    if let Some(len) = told.held.name_bytes(&key) {
        out.name(case.as_bytes(), len);
        return case_form::NAMED;
    }
    out.bytes(Column::Id, case.as_bytes());
    case_form::LITERAL
}

fn write_id(told: &Told<'_>, out: &mut Writer, record: &RecordRef) -> u64 {
    for form in [id_form::CASE, id_form::OF_CASE, id_form::PERSON_OF_CASE, id_form::BADGE_OF_PERSON] {
        if derived(told, form, record.key.kind, record.case) == Some(record.key.id) {
            return form;
        }
    }
    out.bytes(Column::Id, record.key.id.as_bytes());
    id_form::LITERAL
}

/// The id of a record of `kind` and `case`, where it follows.
fn derived(told: &Told<'_>, form: u64, kind: KindCode, case: Option<RecordId>) -> Option<RecordId> {
    let case = case?;
    match form {
        id_form::CASE => Some(case),
        id_form::OF_CASE => {
            let kind = Kind::of_code(kind).filter(|kind| kind.rule().identity == Identity::FromCase)?;
            Some(identity::of_case(kind, &case))
        }
        id_form::PERSON_OF_CASE => told.persons.get(&case).copied(),
        id_form::BADGE_OF_PERSON => told.persons.get(&case).map(identity::badge_of_person),
        _ => None,
    }
}

/// Reads which record; returns its place in the list of records.
pub(super) fn read(told: &mut Told<'_>, columns: &mut Reader<'_>) -> Result<usize, PackedError> {
    match columns.unsigned(Column::Record)? {
        SAME if told.record(told.place).is_some() => Ok(told.place),
        SAME => Err(PackedError::Malformed),
        NEW => read_new(told, columns),
        code => {
            let back = usize::try_from(code - NEW).map_err(|_| PackedError::Malformed)?;
            told.records().checked_sub(back).ok_or(PackedError::Malformed)
        }
    }
}

fn read_new(told: &mut Told<'_>, columns: &mut Reader<'_>) -> Result<usize, PackedError> {
    let code = columns.unsigned(Column::RecordKind)?;
    let kind = KindCode(u16::try_from(code >> 1).map_err(|_| PackedError::Malformed)?);
    if code & NAMED == NAMED {
        let record = told.held.record_named(kind, columns.name()?).ok_or(PackedError::NotHeld)?;
        return unlisted(told, record);
    }
    let generation = u32::try_from(columns.unsigned(Column::Generation)?).map_err(|_| PackedError::Malformed)?;
    let form = columns.unsigned(Column::RecordForm)?;
    let (case_form, id_form) = (form / id_form::COUNT, form % id_form::COUNT);
    if case_form >= case_form::COUNT {
        return Err(PackedError::Malformed);
    }
    let case = read_case(told, columns, case_form)?;
    let id = match id_form {
        id_form::LITERAL => RecordId(columns.array(Column::Id)?),
        form => derived(told, form, kind, case).ok_or(PackedError::Malformed)?,
    };
    told.case = case.or(told.case);
    unlisted(told, RecordRef { key: RecordKey { kind, id }, case, generation })
}

/// A record is told once.
fn unlisted(told: &mut Told<'_>, record: RecordRef) -> Result<usize, PackedError> {
    if told.place_of(&record).is_some() {
        return Err(PackedError::Malformed);
    }
    Ok(told.add_record(record))
}

fn read_case(told: &mut Told<'_>, columns: &mut Reader<'_>, form: u64) -> Result<Option<RecordId>, PackedError> {
    match form {
        case_form::NONE => Ok(None),
        case_form::SAME => told.case.map(Some).ok_or(PackedError::Malformed),
        case_form::OF_PERSON => {
            let person = RecordId(columns.array(Column::Id)?);
            let case = identity::case_of_person(&person);
            told.persons.insert(case, person);
            Ok(Some(case))
        }
        case_form::NAMED => {
            let case = told.held.record_named(Kind::Case.code(), columns.name()?);
            case.map(|record| Some(record.key.id)).ok_or(PackedError::NotHeld)
        }
        _ => Ok(Some(RecordId(columns.array(Column::Id)?))),
    }
}
