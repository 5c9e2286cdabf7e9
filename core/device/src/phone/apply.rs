//! Edits from lines of JSON, each durable by itself before it is reported.

use std::io::BufRead;

use foras_record::identity;
use foras_record::kind::Kind;
use foras_wire::id::RecordId;
use serde::Serialize;
use serde_json::Value;

use super::Phone;
use super::import;
use super::line::{self, LineError, Refused};
use super::lines::{Lines, Object};
use super::setting::{FREE, OF_CASE, Setting};
use super::subject::Subject;
use crate::error::Error;
use crate::store::{ListQuery, PAGE_ITEMS_MAX};

/// What became of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Its number, from 1.
    pub line: u64,
    /// Whether its edits are durable.
    pub durable: bool,
    /// Why not: stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The field at fault, where it is one field's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Phone {
    /// Makes the edits of a file: `{"id" or "ref", "set": {field: value}}` per line, each one change set. `report` is
    /// told of each line once it is durable, or refused; it may end the run by an error.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], failures of the storage or of reading, and what `report` returns. Lines reported as
    /// durable stay.
    pub fn apply<E: From<Error>>(
        &mut self,
        file: impl BufRead,
        mut report: impl FnMut(&Applied) -> Result<(), E>,
    ) -> Result<(), E> {
        self.enrolled()?;
        let mut lines = Lines::new(file);
        while let Some((line, object)) = lines.next_object().map_err(|error| Error::Unreadable(error.kind()))? {
            let done = match object {
                Ok(object) => self.apply_line(&object),
                Err(bad) => Err(Refused { code: bad.code().to_owned(), field: None }.into()),
            };
            let applied = match done {
                Ok(()) => Applied { line, durable: true, code: None, field: None },
                Err(LineError::Refused(Refused { code, field })) => {
                    Applied { line, durable: false, code: Some(code), field }
                }
                Err(LineError::Failed(error)) => return Err(error.into()),
            };
            report(&applied)?;
        }
        Ok(())
    }

    fn apply_line(&mut self, object: &Object) -> Result<(), LineError> {
        if let Some(unknown) = object.keys().find(|key| !matches!(key.as_str(), "id" | "ref" | "set")) {
            return Err(Refused::field("unknown_field", unknown).into());
        }
        let Some(set) = object.get("set") else { return Err(Refused::field("missing_field", "set").into()) };
        let Value::Object(set) = set else { return Err(Refused::field("wrong_type", "set").into()) };
        let id = match (object.get("id"), object.get("ref")) {
            (Some(Value::String(id)), None) => id.clone(),
            (None, Some(Value::String(reference))) => self.case_of_ref(reference)?.to_string(),
            (None, None) => return Err(Refused::field("missing_field", "id").into()),
            (Some(_), Some(_)) => return Err(Refused::field("contradiction", "ref").into()),
            (Some(_), None) => return Err(Refused::field("wrong_type", "id").into()),
            (None, Some(_)) => return Err(Refused::field("wrong_type", "ref").into()),
        };
        if set.is_empty() {
            return Err(Refused::field("missing_field", "set").into());
        }
        let kinds: &[Kind] = match self.subject(&id)? {
            Subject::Case(_) => &OF_CASE,
            Subject::Free(..) => &FREE,
        };
        let mut settings: Vec<Setting> = Vec::new();
        for (name, value) in set {
            settings.append(&mut line::settings(kinds, name, value)?);
        }
        self.edit(&id, &settings)?;
        Ok(())
    }

    /// The case that was imported under this `ref`, or whose person bears it.
    fn case_of_ref(&mut self, reference: &str) -> Result<RecordId, LineError> {
        let reference = reference.trim();
        if let Some(key) = self.store.import_key()? {
            for point in self.points()? {
                let Some(person) = import::person_of(&key, point, reference.as_bytes()) else { continue };
                let case = identity::case_of_person(&person);
                if self.record_of(Kind::Case, &case)?.is_some() {
                    return Ok(case);
                }
            }
        }
        let query =
            ListQuery { search: Some(reference.to_owned()), page_items: PAGE_ITEMS_MAX, ..ListQuery::default() };
        let found = self.store.list(Kind::Person, &query)?;
        let mut bearers =
            found.items.iter().filter(|item| item.columns.get("ref").is_some_and(|held| held == reference));
        match (bearers.next().and_then(|item| item.record.case), bearers.next()) {
            (Some(case), None) => Ok(case),
            (Some(_), Some(_)) => Err(Refused::field("ambiguous", "ref").into()),
            (None, _) => Err(Error::NotFound.into()),
        }
    }
}
