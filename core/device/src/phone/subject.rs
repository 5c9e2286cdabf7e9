//! Whose records an id means.

use foras_record::document::Document;
use foras_record::identity;
use foras_record::kind::Kind;
use foras_wire::id::RecordId;
use foras_wire::record::{RecordKey, RecordRef};

use super::Phone;
use super::setting::FREE;
use crate::error::Error;

/// Longest id or case number that is looked up, in bytes.
const ID_BYTES_MAX: usize = 80;

/// What an id means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// A case of which the device holds some record.
    Case(RecordId),
    /// A record about nobody, such as a session.
    Free(Kind, RecordRef),
}

impl Phone {
    /// The case or other record that `id` means: a case's id or number, or the id of a session, module or country note.
    pub(super) fn subject(&self, id: &str) -> Result<Subject, Error> {
        self.enrolled()?;
        if let Ok(id) = id.trim().parse::<RecordId>() {
            // Most of what is edited is a case.
            if self.store.holds_case(&id)? {
                return Ok(Subject::Case(id));
            }
            for kind in FREE {
                if let Some(record) = self.record_of(kind, &id)? {
                    return Ok(Subject::Free(kind, record));
                }
            }
        }
        self.case(id).map(Subject::Case)
    }

    /// The case of this id or number, of which the device holds some record.
    pub(super) fn case(&self, id: &str) -> Result<RecordId, Error> {
        self.enrolled()?;
        let id = id.trim();
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(Error::NotFound);
        }
        self.store.find_case(id)
    }

    /// The session of this id.
    pub(super) fn session(&self, id: &str) -> Result<RecordRef, Error> {
        self.enrolled()?;
        let id: RecordId = id.trim().parse().map_err(|_| Error::NotFound)?;
        self.record_of(Kind::Session, &id)?.ok_or(Error::NotFound)
    }

    /// The record of this kind and id, if the device holds it.
    pub(super) fn record_of(&self, kind: Kind, id: &RecordId) -> Result<Option<RecordRef>, Error> {
        self.store.record(&RecordKey { kind: kind.code(), id: *id })
    }

    /// The document of a record, if the device holds it and knows its kind.
    pub(super) fn document(&mut self, key: &RecordKey) -> Result<Option<Document>, Error> {
        match self.store.document(key) {
            Ok(document) => Ok(Some(document)),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The case's own document. A role that sees other records of the case only is not allowed to do what needs it.
    pub(super) fn case_document(&mut self, case: &RecordId) -> Result<Document, Error> {
        let record = identity::record(Kind::Case, *case, Some(*case));
        let document = self.document(&record.key)?;
        document.ok_or(Error::NotAllowed { code: "case_not_held", field: None })
    }
}
