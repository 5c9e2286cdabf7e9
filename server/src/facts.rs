//! Facts that figures are counted from, kept beside the records and read by another process while the server runs.

use foras_record::document::Document;
use foras_record::kind::Kind;
use foras_wire::record::RecordRef;
use rusqlite::Connection;

use crate::error::ServerError;
use crate::storage::facts;

/// Updates the facts that follow from one record.
pub(crate) fn update(db: &Connection, kind: Kind, record: &RecordRef, document: &Document) -> Result<(), ServerError> {
    if kind == Kind::Case {
        let field = kind.rule().field("case_number");
        let number = field.and_then(|field| document.value_text(field)).unwrap_or_default();
        facts::put_case(db, &record.key.id, &number, "")?;
    }
    Ok(())
}
