//! Facts that figures are counted from: read from the documents in the transaction that changes them, and read by
//! another process while the server runs.

use foras_record::document::Document;
use foras_record::indicator;
use foras_record::kind::Kind;
use foras_record::standing::Standing;
use foras_record::value::Value;
use foras_wire::record::RecordRef;
use rusqlite::Connection;

use crate::error::ServerError;
use crate::storage::{case_facts, facts};

/// Updates the facts that follow from one record.
pub(crate) fn update(db: &Connection, kind: Kind, record: &RecordRef, document: &Document) -> Result<(), ServerError> {
    let id = record.key.id;
    match kind {
        Kind::Case => {
            let number = text(document, "case_number").unwrap_or_default();
            let fact = indicator::case_fact(id, document, &Standing::of(document));
            case_facts::put(db, &number, &fact)
        }
        Kind::Path => {
            let Some(case) = record.case else { return Ok(()) };
            let Some(field) = kind.rule().field("attendance") else { return Ok(()) };
            for (session, outcome) in document.items(field) {
                if let (Ok(session), Some(outcome)) = (session.parse(), outcome.as_text()) {
                    facts::put_attendance(db, &case, &session, outcome)?;
                }
            }
            Ok(())
        }
        Kind::Session => facts::put_session(db, &id, indicator::session_fact(id, document).as_ref()),
        Kind::Feedback => match indicator::feedback_fact(document) {
            Some(fact) => facts::put_feedback(db, &id, &fact),
            None => Ok(()),
        },
        Kind::Module => {
            let sessions = kind.rule().field("sessions_to_complete").and_then(|field| document.value(field));
            match (text(document, "module"), sessions.as_ref().and_then(Value::as_int)) {
                (Some(module), Some(sessions)) => facts::put_completion(db, &module, sessions),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn text(document: &Document, field: &str) -> Option<String> {
    document.value_text(document.kind().rule().field(field)?)
}
