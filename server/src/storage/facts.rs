//! Facts of sessions, attendance and the satisfaction survey, and all facts together.

use std::collections::BTreeMap;

use foras_record::indicator::{AttendanceFact, Facts, FeedbackFact, SessionFact};
use foras_wire::id::RecordId;
use rusqlite::{Connection, params};

use super::case_facts::{self, day, day_text, known};
use super::fixed;
use crate::error::ServerError;

/// Keeps what a roll call says of one person.
pub(crate) fn put_attendance(
    db: &Connection,
    case: &RecordId,
    session: &RecordId,
    outcome: &str,
) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO attendance_fact (case_id, session, outcome) VALUES (?1, ?2, ?3)
         ON CONFLICT (case_id, session) DO UPDATE SET outcome = ?3",
    )?
    .execute(params![case.0, session.0, outcome])?;
    Ok(())
}

/// Keeps the facts of a session; `None` removes them.
pub(crate) fn put_session(db: &Connection, session: &RecordId, fact: Option<&SessionFact>) -> Result<(), ServerError> {
    db.prepare_cached("DELETE FROM session_fact WHERE session = ?1")?.execute([session.0])?;
    let Some(fact) = fact else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO session_fact (session, on_day, module, format, is_virtual, point, country)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        session.0,
        day_text(Some(fact.on)),
        fact.module,
        fact.format.code(),
        fact.is_virtual,
        fact.point.map_or("", |point| point.code()),
        fact.country.as_ref().map_or("", |country| country.code())
    ])?;
    Ok(())
}

/// Keeps an answer to the satisfaction survey.
pub(crate) fn put_feedback(db: &Connection, id: &RecordId, fact: &FeedbackFact) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO feedback_fact (feedback, point, programme, module, satisfied, on_day)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (feedback) DO UPDATE SET point = ?2, programme = ?3, module = ?4, satisfied = ?5, on_day = ?6",
    )?
    .execute(params![
        id.0,
        fact.point.map_or("", |point| point.code()),
        fact.programme,
        fact.module.as_deref().unwrap_or_default(),
        fact.satisfied.code(),
        day_text(Some(fact.on))
    ])?;
    Ok(())
}

/// Keeps the completion rule of a module.
pub(crate) fn put_completion(db: &Connection, module: &str, sessions: i64) -> Result<(), ServerError> {
    db.prepare_cached(
        "INSERT INTO completion_fact (module, sessions) VALUES (?1, ?2)
         ON CONFLICT (module) DO UPDATE SET sessions = ?2",
    )?
    .execute(params![module, sessions])?;
    Ok(())
}

/// Everything that figures are counted from.
pub(crate) fn all(db: &Connection) -> Result<Facts, ServerError> {
    Ok(Facts {
        cases: case_facts::all(db)?,
        attendance: attendance(db)?,
        feedback: feedback(db)?,
        completion: completion(db)?,
    })
}

fn sessions(db: &Connection) -> Result<BTreeMap<RecordId, SessionFact>, ServerError> {
    let mut rows = db.prepare_cached(
        "SELECT session, on_day, module, format, is_virtual, point, country FROM session_fact ORDER BY session",
    )?;
    let rows = rows.query_map([], |row| {
        let session = RecordId(fixed(row, 0)?);
        let (on, format) = (day(row, 1)?, row.get::<_, String>(3)?.parse().ok());
        let (Some(on), Some(format)) = (on, format) else { return Ok(None) };
        Ok(Some(SessionFact {
            session,
            on,
            module: row.get(2)?,
            format,
            is_virtual: row.get(4)?,
            point: known(row, 5)?.and_then(|point| point.parse().ok()),
            country: known(row, 6)?.and_then(|country| country.parse().ok()),
        }))
    })?;
    let mut all = BTreeMap::new();
    for row in rows {
        all.extend(row?.map(|fact| (fact.session, fact)));
    }
    Ok(all)
}

fn attendance(db: &Connection) -> Result<Vec<AttendanceFact>, ServerError> {
    let sessions = sessions(db)?;
    let mut rows =
        db.prepare_cached("SELECT case_id, session, outcome FROM attendance_fact ORDER BY case_id, session")?;
    let rows = rows.query_map([], |row| {
        let outcome = row.get::<_, String>(2)?.parse().ok();
        // A roll call of a session that is not here yet counts once it is.
        let session = sessions.get(&RecordId(fixed(row, 1)?)).cloned();
        let (Some(outcome), Some(session)) = (outcome, session) else { return Ok(None) };
        Ok(Some(AttendanceFact { case: RecordId(fixed(row, 0)?), outcome, session }))
    })?;
    let mut all = Vec::new();
    for row in rows {
        all.extend(row?);
    }
    Ok(all)
}

fn feedback(db: &Connection) -> Result<Vec<FeedbackFact>, ServerError> {
    let mut rows =
        db.prepare_cached("SELECT point, programme, module, satisfied, on_day FROM feedback_fact ORDER BY feedback")?;
    let rows = rows.query_map([], |row| {
        let (satisfied, on) = (row.get::<_, String>(3)?.parse().ok(), day(row, 4)?);
        let (Some(satisfied), Some(on)) = (satisfied, on) else { return Ok(None) };
        Ok(Some(FeedbackFact {
            point: known(row, 0)?.and_then(|point| point.parse().ok()),
            programme: row.get(1)?,
            module: known(row, 2)?,
            satisfied,
            on,
        }))
    })?;
    let mut all = Vec::new();
    for row in rows {
        all.extend(row?);
    }
    Ok(all)
}

fn completion(db: &Connection) -> Result<BTreeMap<String, u32>, ServerError> {
    let mut rows = db.prepare_cached("SELECT module, sessions FROM completion_fact ORDER BY module")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
