//! Facts read from documents.

use std::collections::BTreeMap;
use std::str::FromStr;

use foras_wire::id::RecordId;

use super::completion::{self, AWARENESS};
use super::facts::{AttendanceFact, CaseFact, FeedbackFact, Format, HandoverFact, Satisfied, SessionFact};
use super::query::programme_on;
use crate::calendar;
use crate::document::Document;
use crate::standing::{Attendance, CourseEnd, HandoverCourse, Standing};
use crate::value::{self, Value};

/// The shown text of a field of the document's kind.
fn text(document: &Document, field: &str) -> Option<String> {
    document.value_text(document.kind().rule().field(field)?)
}

fn parsed<T: FromStr>(document: &Document, field: &str) -> Option<T> {
    text(document, field)?.parse().ok()
}

/// What a case says of its person. Who names no programme is in that of the day of registration.
#[must_use]
pub fn case_fact(case: RecordId, document: &Document, standing: &Standing) -> CaseFact {
    let birth_year = document.kind().rule().field("birth_year").and_then(|field| document.value(field));
    let by_day = || standing.registered_on.map(programme_on).unwrap_or_default().to_owned();
    CaseFact {
        case,
        programme: text(document, "programme").unwrap_or_else(by_day),
        point: standing.points.first().copied(),
        registered_on: standing.registered_on,
        sex: text(document, "sex"),
        birth_year: birth_year.as_ref().and_then(Value::as_int),
        nationality: text(document, "nationality"),
        country: text(document, "country"),
        handovers: standing.handovers.iter().map(handover_fact).collect(),
        departed_on: standing.departed_on,
        joined: standing.joined.clone(),
    }
}

fn handover_fact(course: &HandoverCourse) -> HandoverFact {
    let ended = |how| course.end.is_some_and(|(end, _)| end == how);
    HandoverFact {
        proposed_on: course.proposed_on,
        accepted_on: course.accepted_on,
        revoked: ended(CourseEnd::Revoked),
        undone: ended(CourseEnd::Undone),
    }
}

/// What a session says of those who attended; none while it has no start or module.
#[must_use]
pub fn session_fact(session: RecordId, document: &Document) -> Option<SessionFact> {
    let start_s = value::instant_s(&text(document, "start")?)?;
    Some(SessionFact {
        session,
        on: calendar::day_of(start_s),
        module: text(document, "module")?,
        format: parsed(document, "format").unwrap_or(Format::Group),
        is_virtual: text(document, "mode").as_deref() == Some("virtual"),
        point: parsed(document, "point"),
        country: parsed(document, "country"),
    })
}

/// The attendance that a case's path holds. `session` finds a session's fact; roll calls of sessions that it does not
/// find are left out until it does.
#[must_use]
pub fn attendance_of(
    case: RecordId,
    path: &Document,
    session: &dyn Fn(&RecordId) -> Option<SessionFact>,
) -> Vec<AttendanceFact> {
    let Some(field) = path.kind().rule().field("attendance") else { return Vec::new() };
    let facts = path.items(field).into_iter().filter_map(|(item, outcome)| {
        let session = session(&item.parse().ok()?)?;
        Some(AttendanceFact { case, outcome: outcome.as_text()?.parse().ok()?, session })
    });
    facts.collect()
}

/// How far one person's training came, for the stage.
#[must_use]
pub fn training_of(attendance: &[AttendanceFact], completion: &BTreeMap<String, u32>) -> Attendance {
    let attended = |awareness: bool| {
        let mut facts = attendance.iter().filter(|fact| fact.outcome.is_attended());
        facts.any(|fact| (fact.session.module == AWARENESS) == awareness)
    };
    Attendance {
        oriented: attended(true),
        trained: attended(false),
        completed: completion::completes_path(attendance, completion),
    }
}

/// An answer to the satisfaction survey; none while it lacks day, programme or answer.
#[must_use]
pub fn feedback_fact(document: &Document) -> Option<FeedbackFact> {
    Some(FeedbackFact {
        point: parsed(document, "point"),
        programme: text(document, "programme")?,
        module: text(document, "module"),
        satisfied: parsed::<Satisfied>(document, "satisfied")?,
        on: value::date(&text(document, "day")?)?,
    })
}
