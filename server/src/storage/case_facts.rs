//! Facts of cases.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::indicator::{CaseFact, HandoverFact};
use foras_wire::id::RecordId;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{fixed, signed};
use crate::error::ServerError;

/// The case of this id or case number, if it is here.
pub(crate) fn find(db: &Connection, named: &str) -> Result<Option<RecordId>, ServerError> {
    if let Ok(id) = named.parse::<RecordId>() {
        let mut row = db.prepare_cached("SELECT 1 FROM case_fact WHERE case_id = ?1")?;
        return Ok(row.exists([id.0])?.then_some(id));
    }
    let mut row = db.prepare_cached("SELECT case_id FROM case_fact WHERE case_number = ?1 ORDER BY case_id LIMIT 1")?;
    Ok(row.query_row([named], |row| Ok(RecordId(fixed(row, 0)?))).optional()?)
}

/// Keeps the facts of a case in the place of those before.
pub(crate) fn put(db: &Connection, number: &str, fact: &CaseFact) -> Result<(), ServerError> {
    let case = fact.case.0;
    db.prepare_cached(
        "INSERT INTO case_fact (case_id, case_number, programme, point, registered_on, sex, birth_year, nationality, \
         country, departed_on) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (case_id) DO UPDATE SET case_number = ?2, programme = ?3, point = ?4, registered_on = ?5, \
         sex = ?6, birth_year = ?7, nationality = ?8, country = ?9, departed_on = ?10",
    )?
    .execute(params![
        case,
        number,
        fact.programme,
        fact.point.map_or("", |point| point.code()),
        day_text(fact.registered_on),
        fact.sex.as_deref().unwrap_or_default(),
        fact.birth_year.unwrap_or(0),
        fact.nationality.as_deref().unwrap_or_default(),
        fact.country.as_deref().unwrap_or_default(),
        day_text(fact.departed_on)
    ])?;
    db.prepare_cached("DELETE FROM handover_fact WHERE case_id = ?1")?.execute([case])?;
    for (ord, handover) in (0_u64..).zip(&fact.handovers) {
        db.prepare_cached(
            "INSERT INTO handover_fact (case_id, ord, proposed_on, accepted_on, revoked, undone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            case,
            signed(ord),
            day_text(Some(handover.proposed_on)),
            day_text(handover.accepted_on),
            handover.revoked,
            handover.undone
        ])?;
    }
    db.prepare_cached("DELETE FROM joined_fact WHERE case_id = ?1")?.execute([case])?;
    for other in &fact.joined {
        db.prepare_cached("INSERT INTO joined_fact (case_id, other) VALUES (?1, ?2)")?
            .execute(params![case, other.0])?;
    }
    Ok(())
}

/// Facts of every case, by id.
pub(crate) fn all(db: &Connection) -> Result<Vec<CaseFact>, ServerError> {
    let (mut handovers, mut joined) = (handovers(db)?, joined(db)?);
    let mut rows = db.prepare_cached(
        "SELECT case_id, programme, point, registered_on, sex, birth_year, nationality, country, departed_on
         FROM case_fact ORDER BY case_id",
    )?;
    let rows = rows.query_map([], |row| {
        let case = RecordId(fixed(row, 0)?);
        let birth_year: i64 = row.get(5)?;
        Ok(CaseFact {
            case,
            programme: row.get(1)?,
            point: known(row, 2)?.and_then(|point| point.parse().ok()),
            registered_on: day(row, 3)?,
            sex: known(row, 4)?,
            birth_year: (birth_year != 0).then_some(birth_year),
            nationality: known(row, 6)?,
            country: known(row, 7)?,
            handovers: handovers.remove(&case).unwrap_or_default(),
            departed_on: day(row, 8)?,
            joined: joined.remove(&case).unwrap_or_default(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn handovers(db: &Connection) -> Result<BTreeMap<RecordId, Vec<HandoverFact>>, ServerError> {
    let mut rows = db.prepare_cached(
        "SELECT case_id, proposed_on, accepted_on, revoked, undone FROM handover_fact ORDER BY case_id, ord",
    )?;
    let rows = rows.query_map([], |row| {
        let fact = day(row, 1)?.map(|proposed_on| {
            Ok::<_, rusqlite::Error>(HandoverFact {
                proposed_on,
                accepted_on: day(row, 2)?,
                revoked: row.get(3)?,
                undone: row.get(4)?,
            })
        });
        Ok((RecordId(fixed(row, 0)?), fact.transpose()?))
    })?;
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        let (case, fact) = row?;
        all.entry(case).or_default().extend(fact);
    }
    Ok(all)
}

fn joined(db: &Connection) -> Result<BTreeMap<RecordId, BTreeSet<RecordId>>, ServerError> {
    let mut rows = db.prepare_cached("SELECT case_id, other FROM joined_fact ORDER BY case_id, other")?;
    let rows = rows.query_map([], |row| Ok((RecordId(fixed(row, 0)?), RecordId(fixed(row, 1)?))))?;
    let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for row in rows {
        let (case, other) = row?;
        all.entry(case).or_default().insert(other);
    }
    Ok(all)
}

/// A day as it is kept.
pub(super) fn day_text(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// A kept day; `None`: not known.
pub(super) fn day(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Date>> {
    Ok(known(row, column)?.and_then(|text| text.parse().ok()))
}

/// A kept text; `None`: not known.
pub(super) fn known(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    let text: String = row.get(column)?;
    Ok((!text.is_empty()).then_some(text))
}
